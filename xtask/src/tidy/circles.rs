//! Files of a crate import each other in one direction: no circles, and no import that goes up a floor.
//!
//! A file is a module. Imports between a folder's face (`mod.rs`, `lib.rs`, `main.rs`) and the files of its folder
//! are ignored: a face declares its files and gives them their common types.

use std::collections::{BTreeMap, BTreeSet};

use super::{Files, Finding, is};

/// The floors of a crate, from the ground up: modules below its root. A file may import from its own floor and from those
/// below it. docs/ARCHITECTURE.md shows them.
const FLOORS: &[(&str, &[&[&str]])] = &[
    (
        "crates/sandbox/src/",
        &[
            &[
                "clock",
                "credentials",
                "delivery",
                "form",
                "issuer",
                "mask",
                "members",
                "nearest",
                "options",
                "page_text",
                "seed",
                "spool",
            ],
            &["store"],
            &["processor"],
            &["fault"],
            &["engine"],
            &["gateway", "requests", "webhook"],
            &["call"],
            &["clearent", "clientpay", "public_key"],
            &["payment_page", "openapi"],
            &["console", "control"],
            &["connections", "faulty_body", "server", "builder"],
        ],
    ),
    (
        "crates/cli/src/",
        &[
            &["exit", "secrets", "sent", "signal"],
            &["lookup"],
            &["in_flight", "failure"],
            &["output", "svg"],
            &["report", "input", "pdf"],
            &["dry_run", "interrupt", "key_options"],
            &["context"],
            &["commands"],
            &["tips", "args"],
        ],
    ),
];

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";

type Path<'a> = Vec<&'a str>;

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let mut crates: BTreeMap<&str, BTreeMap<Path<'_>, (&str, &str)>> = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with("crates/") && is(path, "rs")) {
        let Some(end) = path.find("/src/").map(|at| at + "/src/".len()) else { continue };
        let module = module_of(&path[end..]);
        crates.entry(&path[..end]).or_default().insert(module, (path, text));
    }
    crates.iter().flat_map(|(root, modules)| of_crate(root, modules)).collect()
}

/// Each module of a crate with floors is on one of them, and the architecture shows the floors as they are.
pub(super) fn check_floors(files: &Files) -> Vec<Finding> {
    FLOORS.iter().flat_map(|(root, floors)| floors_of(files, root, floors)).collect()
}

fn floors_of(files: &Files, root: &str, floors: &[&[&str]]) -> Vec<Finding> {
    let below = files.iter().filter_map(|(path, _)| path.strip_prefix(root).filter(|path| is(path, "rs")));
    let modules: BTreeSet<&str> =
        below.filter_map(|path| module_of(path).first().copied()).filter(|name| *name != "tests").collect();
    let unplaced = modules.into_iter().filter(|name| !floors.iter().any(|floor| floor.contains(name)));
    let mut findings: Vec<Finding> = unplaced
        .map(|name| Finding::new(format!("{root}{name}"), "is on no floor: add it to tidy/circles.rs"))
        .collect();
    let page = files.get(ARCHITECTURE).unwrap_or_default();
    for (floor, number) in floors.iter().zip(1..) {
        let row = format!("{number:>2}  {}", floor.join(" "));
        if !page.lines().any(|line| line == row) {
            findings.push(Finding::new(ARCHITECTURE, format!("lacks the floor of {root} as a line: {row}")));
        }
    }
    findings
}

fn of_crate(root: &str, modules: &BTreeMap<Path<'_>, (&str, &str)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut edges: BTreeMap<&Path<'_>, BTreeSet<&Path<'_>>> = BTreeMap::new();
    for (module, (path, text)) in modules {
        for (line, to) in imports(module, text) {
            let known = (0..=to.len()).rev().find_map(|end| modules.get_key_value(&to[..end].to_vec()));
            let Some((to, _)) = known else { continue };
            if to == module || is_face(module, to) || is_face(to, module) {
                continue;
            }
            edges.entry(module).or_default().insert(to);
            if let (Some(from), Some(floor)) = (floor_of(root, module), floor_of(root, to))
                && floor > from
            {
                let what =
                    format!("{} imports from {}, which stands above it", module.join("::"), to.join("::"));
                findings.push(Finding::at(path, line, what));
            }
        }
    }
    for circle in circles(&edges) {
        let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
        findings.push(Finding::new(
            root.trim_end_matches('/'),
            format!("a circle of files: {}", names.join(", ")),
        ));
    }
    findings
}

/// The module of a file below `src`.
fn module_of(file: &str) -> Path<'_> {
    let mut parts: Path<'_> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
        parts.pop();
    }
    parts
}

/// Whether one module is the face of the other one's folder.
fn is_face(face: &[&str], module: &[&str]) -> bool {
    face.len() < module.len() && module.starts_with(face)
}

fn floor_of(root: &str, module: &[&str]) -> Option<usize> {
    let (_, floors) = FLOORS.iter().find(|(of, _)| *of == root)?;
    let path = module.join("::");
    if path.is_empty() {
        return None;
    }
    let stands_on = |floor: &&[&str]| {
        floor
            .iter()
            .any(|name| path == **name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with("::")))
    };
    floors.iter().position(stands_on)
}

/// The paths that the code of a module names from the root of the crate, each with its line. Comments and tests are
/// ignored.
fn imports<'t>(module: &Path<'t>, text: &'t str) -> Vec<(usize, Path<'t>)> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut at = 0;
    for (number, line) in code.lines().enumerate() {
        let is_comment = line.trim_start().starts_with("//");
        let begin = at;
        at += line.len() + 1;
        if is_comment {
            continue;
        }
        for word in ["crate::", "super::", "self::"] {
            for (column, _) in line.match_indices(word) {
                let before = line[..column].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                    continue;
                }
                let mut base: Path<'t> = match word {
                    "crate::" => Vec::new(),
                    "self::" => module.clone(),
                    _ => module[..module.len().saturating_sub(1)].to_vec(),
                };
                let mut rest = &code[begin + column + word.len()..];
                while let Some(further) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = further;
                }
                let mut paths = Vec::new();
                expand(rest, &base, &mut paths);
                found.extend(paths.into_iter().map(|path| (number + 1, path)));
            }
        }
    }
    found
}

/// Reads a path or a group of paths, and returns the text after it.
fn expand<'t>(text: &'t str, base: &Path<'t>, found: &mut Vec<Path<'t>>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let after = expand(rest, base, found);
            // A name that was given: `as Other`.
            let after = after.trim_start();
            let after = after.strip_prefix("as ").map_or(after, |name| name.trim_start_matches(is_of_name));
            if after.len() == rest.len() {
                return after;
            }
            rest = after;
        }
    }
    let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
    let mut path = base.clone();
    path.push(&text[..end]);
    if let Some(rest) = text[end..].strip_prefix("::") {
        return expand(rest, &path, found);
    }
    found.push(path);
    &text[end..]
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Sets of modules in which each leads to each other.
fn circles<'m, 't>(edges: &BTreeMap<&'m Path<'t>, BTreeSet<&'m Path<'t>>>) -> Vec<Vec<&'m Path<'t>>> {
    let reach = |from: &'m Path<'t>| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(module) = left.pop() {
            for next in edges.get(module).into_iter().flatten() {
                if seen.insert(*next) {
                    left.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = edges.keys().map(|module| (*module, reach(module))).collect();
    let mut done = BTreeSet::new();
    let mut circles = Vec::new();
    for (module, seen) in &reached {
        if seen.contains(module) && !done.contains(module) {
            let of_circle =
                |other: &&&Path<'t>| reached.get(**other).is_some_and(|seen| seen.contains(module));
            let circle: Vec<_> = seen.iter().filter(of_circle).copied().collect();
            done.extend(circle.iter().copied());
            circles.push(circle);
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: Tidy refuses a circle of files and an import from a floor above.
    #[test]
    fn a_circle_and_an_import_that_goes_up_are_found() {
        type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);
        let cases: &[Case] = &[
            (&[("lib.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "")], &[]),
            (
                &[("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { crate::a::g() }")],
                &["crates/sandbox/src: a circle of files: a, b"],
            ),
            (
                &[
                    ("a.rs", "use super::{b::{B, C as D}, c};"),
                    ("b.rs", "use crate::c::C;"),
                    ("c.rs", "use super::b;"),
                ],
                &["crates/sandbox/src: a circle of files: b, c"],
            ),
            // A face and its own files, comments and tests are left out.
            (&[("a/mod.rs", "mod b;\nuse self::b::B;"), ("a/b.rs", "use super::A;\nuse crate::a::A;")], &[]),
            (
                &[
                    ("a.rs", "use crate::b::B;"),
                    ("b.rs", "// use crate::a::A;\n#[cfg(test)]\nmod tests { use crate::a; }"),
                ],
                &[],
            ),
            // An engine above the store.
            (&[("engine.rs", "use crate::store::list::List;"), ("store/list.rs", "")], &[]),
            (
                &[("engine.rs", ""), ("store/list.rs", "\nuse crate::engine::Fired;")],
                &[
                    "crates/sandbox/src/store/list.rs:2: store::list imports from engine, which stands above it",
                ],
            ),
        ];
        for (tree, expected) in cases {
            let files =
                tree.iter().map(|(path, text)| (format!("crates/sandbox/src/{path}"), (*text).to_owned()));
            let found: Vec<String> = check(&Files(files.collect())).iter().map(ToString::to_string).collect();
            assert_eq!(found, *expected, "{tree:?}");
        }
    }

    /// Holds: Tidy refuses a module without a floor, and floors that the architecture does not show.
    #[test]
    fn a_module_without_a_floor_and_a_page_without_one_are_found() {
        let floors: &[&[&str]] = &[&["a", "b"], &["c"]];
        let page = "```\n 2  c\n      upper\n 1  a b\n```\n";
        let cases: &[(&str, &str, &[&str])] = &[
            ("c/d.rs", page, &[]),
            ("lib.rs", page, &[]),
            ("tests.rs", page, &[]),
            ("d.rs", page, &["x/src/d: is on no floor: add it to tidy/circles.rs"]),
            ("a.rs", " 2  c\n 1  a", &["docs/ARCHITECTURE.md: lacks the floor of x/src/ as a line:  1  a b"]),
            (
                "a.rs",
                " 1  c\n 2  a b",
                &[
                    "docs/ARCHITECTURE.md: lacks the floor of x/src/ as a line:  1  a b",
                    "docs/ARCHITECTURE.md: lacks the floor of x/src/ as a line:  2  c",
                ],
            ),
        ];
        for (file, page, expected) in cases {
            let files = Files::of([(&format!("x/src/{file}"), ""), (ARCHITECTURE, page)]);
            let found: Vec<String> =
                floors_of(&files, "x/src/", floors).iter().map(ToString::to_string).collect();
            assert_eq!(found, *expected, "{file}: {page}");
        }
    }
}
