//! Doc comments, pages and style sheets in plain American English. rustdoc shows each doc comment alone, so it begins
//! with a noun or a verb.

use super::{Files, Finding, is};

/// Words that refer to something outside of the comment, or that begin an inversion or half a question.
const FIRST: &[&str] = &[
    "what", "whatever", "who", "whoever", "whom", "whose", "those", "the same", "such", "its like", "that",
    "likewise", "how", "why", "which", "where", "when",
];

/// Phrases that only this project used, with plain words for them.
const PHRASES: &[(&str, &str)] = &[
    ("are told", "report, return or notify"),
    ("comes to", "the sum or the result of"),
    ("is held to", "is checked against"),
    ("is told", "report, return or notify"),
    ("stands in", "replaces, or is used instead of"),
    ("unless said otherwise", "the default"),
    ("unless told otherwise", "the default"),
    ("was told", "report, return or notify"),
    ("what became of", "the result of"),
    ("what becomes of", "the result of"),
    ("what comes of", "the result of"),
];

/// Beginnings of British words, with the American ones.
const SPELLINGS: &[(&str, &str)] = &[
    ("authoris", "authoriz"),
    ("behaviour", "behavior"),
    ("cancelled", "canceled"),
    ("colour", "color"),
    ("deserialis", "deserializ"),
    ("labelled", "labeled"),
    ("licenc", "licens"),
    ("optimis", "optimiz"),
    ("serialis", "serializ"),
];

/// Endings of British words, with the American ones.
const ENDINGS: &[(&str, &str)] = &[("isation", "ization"), ("isations", "izations")];

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in files.iter() {
        if applies(path) {
            findings.extend(check_file(path, text));
        } else if is(path, "md") || is(path, "css") {
            let lines = text.lines().zip(1..);
            findings.extend(lines.flat_map(|(line, at)| spelled(path, at, &without_code(line))));
        }
    }
    findings
}

fn applies(path: &str) -> bool {
    let is_source = path.starts_with("xtask/src/") || path.starts_with("crates/") && path.contains("/src/");
    is_source && is(path, "rs")
}

fn check_file(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut is_within, mut is_code) = (false, false);
    for (line, at) in text.lines().zip(1..) {
        let Some(comment) = doc_comment(line) else {
            (is_within, is_code) = (false, false);
            continue;
        };
        if comment.starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        let comment = &without_code(comment);
        if !is_within && let Some(first) = refused_first(comment) {
            let what = format!("a doc comment that begins with `{first}`: begin with a noun or a verb");
            findings.push(Finding::at(path, at, what));
        }
        is_within = true;
        findings.extend(spelled(path, at, comment));
        findings.extend(private(comment).map(|(phrase, plain)| {
            Finding::at(path, at, format!("a doc comment with `{phrase}`: write `{plain}`"))
        }));
    }
    findings
}

/// The text of a line of a doc comment.
fn doc_comment(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line.strip_prefix("//!").or_else(|| line.strip_prefix("///"))?;
    (!text.starts_with('/')).then(|| text.trim())
}

/// The text outside of backticks.
fn without_code(comment: &str) -> String {
    comment.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

/// The word at the start of a comment, if it is a refused one.
fn refused_first(comment: &str) -> Option<&'static str> {
    let comment = comment.to_lowercase();
    FIRST.iter().copied().find(|first| {
        comment
            .strip_prefix(first)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "_-".contains(c)))
    })
}

/// Private phrases in a comment, with plain words for them.
fn private(comment: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let comment = format!(" {} ", comment.to_lowercase().replace(|c: char| !c.is_alphanumeric(), " "));
    PHRASES.iter().copied().filter(move |(phrase, _)| comment.contains(&format!(" {phrase} ")))
}

/// The British words of a line.
fn spelled(path: &str, at: usize, line: &str) -> Vec<Finding> {
    let finding = |(word, american): (&str, &str)| {
        Finding::at(path, at, format!("British spelling `{word}`: write `{american}`"))
    };
    british(line).map(finding).collect()
}

/// British words in a comment, with the American spelling, or its beginning or ending.
fn british(comment: &str) -> impl Iterator<Item = (&str, &'static str)> {
    let words = comment.split(|c: char| !c.is_alphabetic());
    words.filter_map(|word| {
        let lower = word.to_lowercase();
        // A programmer writes programs.
        let american = match lower.as_str() {
            "programme" => Some("program"),
            "programmes" => Some("programs"),
            _ => {
                let beginning = SPELLINGS.iter().find(|(british, _)| lower.starts_with(british));
                let ending = || ENDINGS.iter().find(|(british, _)| lower.ends_with(british));
                beginning.or_else(ending).map(|(_, american)| *american)
            }
        };
        american.map(|american| (word, american))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        check(&Files::of([(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_first_word_is_found() {
        for first in FIRST {
            let capital = format!("{}{}", first[..1].to_uppercase(), &first[1..]);
            for text in [
                format!("//! {capital} is here.\n"),
                format!("fn f() {{}}\n\n    /// {capital}, and more.\n    fn g() {{}}\n"),
            ] {
                let found = places("crates/wire/src/a.rs", &text);
                assert_eq!(found.len(), 1, "{text}");
                assert!(found[0].contains(&format!("begins with `{first}`")), "{found:?}");
            }
        }
    }

    #[test]
    fn each_spelling_is_found_on_every_line() {
        for word in [
            "programme",
            "Programmes",
            "authorisation",
            "behaviour",
            "cancelled",
            "Colours",
            "deserialise",
            "labelled",
            "Licences",
            "optimiser",
            "serialisation",
            "organisation",
            "Tokenisations",
        ] {
            let comment = format!("/// A fact.\n///\n/// A {word}.\nfn f() {{}}\n");
            let page = format!("# A fact\n\nA {word}.\n");
            let style = format!("a {{}}\n\n/* A {word}. */\n");
            for (path, text) in [("xtask/src/a.rs", comment), ("docs/a.md", page), ("crates/a/a.css", style)]
            {
                let found = places(path, &text);
                assert_eq!(found.len(), 1, "{word}: {found:?}");
                assert!(found[0].starts_with(&format!("{path}:3: ")) && found[0].contains(word), "{found:?}");
            }
        }
        assert_eq!(SPELLINGS.len() + ENDINGS.len() + 2, 13, "a spelling without a planted word");
    }

    #[test]
    fn each_phrase_is_found_on_every_line() {
        for (phrase, plain) in PHRASES {
            let text = format!("/// A fact.\n///\n/// A thing {phrase}, as ever.\nfn f() {{}}\n");
            let found = places("crates/sdk/src/a.rs", &text);
            assert_eq!(found.len(), 1, "{phrase}: {found:?}");
            assert!(found[0].starts_with("crates/sdk/src/a.rs:3: ") && found[0].contains(plain), "{found:?}");
        }
    }

    #[test]
    fn other_comments_pass() {
        for (path, text) in [
            ("crates/wire/src/a.rs", "/// The text.\n/// What follows a first line is free.\nfn f() {}\n"),
            ("crates/wire/src/a.rs", "/// Thatch, `what`, and whoever programs a programmer.\n"),
            ("crates/wire/src/a.rs", "// What an ordinary comment says.\n//// Such is a line.\n"),
            ("crates/wire/src/a.rs", "let programme = \"/// What\";\n"),
            ("crates/wire/tests/a.rs", "/// What a test holds.\n"),
            ("crates/wire/src/a.md", "/// What.\n"),
            ("docs/a.md", "The status `CANCELLED` is read as `CANCELED`.\n"),
            (
                "crates/sdk/src/a.rs",
                "/// A word, `CANCELLED`.\n///\n/// ```\n/// f(\"cancelled\");\n/// ```\n",
            ),
            ("crates/sdk/src/a.rs", "/// This told apart from that, and becomes to-do.\n"),
        ] {
            assert_eq!(places(path, text), [""; 0], "{text}");
        }
    }
}
