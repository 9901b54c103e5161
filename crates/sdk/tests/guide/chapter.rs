//! A chapter of the guide: its blocks, and checks of them.

use std::path::PathBuf;

use crate::wire::Heard;

pub(crate) struct Chapter {
    pub(crate) name: String,
    text: String,
}

/// All chapters.
pub(crate) fn all() -> Vec<Chapter> {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name());
    files.map(|name| Chapter::read(name.to_str().unwrap())).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide"))
}

impl Chapter {
    pub(crate) fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(folder().join(name));
        Self { name: name.to_owned(), text: text.unwrap_or_else(|error| panic!("{name}: {error}")) }
    }

    /// The fenced blocks, each with its language.
    pub(crate) fn blocks(&self) -> Vec<(&str, &str)> {
        let parts: Vec<&str> = self.text.split("```").collect();
        assert!(parts.len() % 2 == 1, "{}: a block does not end", self.name);
        parts.into_iter().skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).collect()
    }

    fn blocks_in(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let blocks = self.blocks().into_iter().filter(move |(language, _)| *language == wanted);
        blocks.map(|(_, block)| block)
    }

    /// Checks that every block of Rust occurs in this code, which is compiled and runs.
    pub(crate) fn shows_only(&self, code: &str) {
        let strange: Vec<&str> = self.blocks_in("rust").filter(|block| !holds(code, block)).collect();
        assert!(strange.is_empty(), "{}: its code has nowhere\n{}", self.name, strange.join("\n"));
    }

    /// Checks that every message was sent or received, in the order of the chapter, and that every named call was made.
    pub(crate) fn tells_only(&self, heard: &Heard) {
        for (language, bodies) in [("json", &heard.json), ("xml", &heard.xml)] {
            let mut bodies = bodies.iter();
            for block in self.blocks_in(language) {
                let block = compact(language, block);
                let all = bodies.as_slice();
                assert!(
                    bodies.any(|body| *body == block),
                    "{}: not said:\n{block}\nbut\n{}",
                    self.name,
                    all.join("\n")
                );
            }
        }
        for call in self.calls() {
            assert!(
                heard.calls.iter().any(|made| is_of(made, call)),
                "{}: {call} in {:#?}",
                self.name,
                heard.calls
            );
        }
    }

    /// The names in the first column of its tables.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next())
    }

    /// The calls in the text: `GET /rest/v2/customers/{customer-key}`.
    fn calls(&self) -> impl Iterator<Item = &str> {
        let named = self.text.split('`').filter(|quoted| quoted.contains(" /") && !quoted.contains('\n'));
        named.filter(|quoted| {
            ["GET ", "POST ", "PUT ", "DELETE "].iter().any(|method| quoted.starts_with(method))
        })
    }
}

/// Whether lines of the code are equal to the block, with any indentation.
fn holds(code: &str, block: &str) -> bool {
    let (code, block): (Vec<&str>, Vec<&str>) = (code.lines().collect(), block.lines().collect());
    code.windows(block.len()).any(|lines| {
        let indent = lines[0].len() - lines[0].trim_start().len();
        lines.iter().zip(&block).all(|(line, shown)| line.get(indent..).unwrap_or_default() == *shown)
    })
}

/// Whether a call matches this pattern, whose parts in braces stand for anything.
fn is_of(made: &str, pattern: &str) -> bool {
    let (made, pattern): (Vec<&str>, Vec<&str>) = (made.split('/').collect(), pattern.split('/').collect());
    made.len() == pattern.len()
        && made.iter().zip(&pattern).all(|(part, said)| part == said || said.starts_with('{'))
}

/// A message without the blanks that lay it out for people.
pub(crate) fn compact(language: &str, message: &str) -> String {
    if language == "xml" {
        return message.lines().map(str::trim).collect();
    }
    let (mut quoted, mut escaped) = (false, false);
    let kept = message.chars().filter(|c| {
        quoted ^= *c == '"' && !escaped;
        escaped = quoted && *c == '\\' && !escaped;
        quoted || !c.is_whitespace()
    });
    kept.collect()
}

#[test]
fn code_is_shown_as_it_stands_however_indented() {
    let code = "fn a() {\n    let b = 1;\n\n    if b {\n        c();\n    }\n}\n";
    let cases = [
        ("let b = 1;\n", true),
        ("let b = 1;\n\nif b {\n    c();\n}\n", true),
        ("let b = 2;\n", false),
        ("let b = 1;\nif b {\n", false),
        ("if b {\nc();\n", false),
    ];
    for (block, shown) in cases {
        assert_eq!(holds(code, block), shown, "{block}");
    }
}

#[test]
fn only_blanks_of_layout_are_passed_over() {
    let cases = [
        ("json", "{ \"a b\": \"c\\\" d\",\n  \"e\": [1, 2] }", "{\"a b\":\"c\\\" d\",\"e\":[1,2]}"),
        ("xml", "<a>\n  <b>c d</b>\n</a>", "<a><b>c d</b></a>"),
    ];
    for (language, laid_out, told) in cases {
        assert_eq!(compact(language, laid_out), told);
    }
}

#[test]
fn a_call_is_of_its_pattern() {
    let cases = [
        ("GET /rest/v2/customers/cust_1", "GET /rest/v2/customers/{customer-key}", true),
        ("GET /rest/v2/customers", "GET /rest/v2/customers", true),
        ("PUT /rest/v2/customers/cust_1", "GET /rest/v2/customers/{customer-key}", false),
        ("GET /rest/v2/customers/cust_1", "GET /rest/v2/customers", false),
    ];
    for (made, pattern, is) in cases {
        assert_eq!(is_of(made, pattern), is, "{made}");
    }
}
