//! The guide in the documentation of `perennial`: each chapter of docs/guide with links that rustdoc can resolve.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Files, Finding};
use crate::failure::Failure;

const GUIDE: &str = "docs/guide/";
const COPIES: &str = "crates/sdk/src/guide/";
const MODULES: &str = "crates/sdk/src/guide.rs";

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let copies = copies(files);
    let stale = copies.iter().filter(|(path, text)| files.get(path) != Some(text.as_str()));
    let stale = stale
        .map(|(path, _)| Finding::new(path, "is not what docs/guide says: run `cargo xtask tidy --write`"));
    let is_old = |path: &&str| path.starts_with(COPIES) && !copies.contains_key(*path);
    let old = files.iter().map(|(path, _)| path).filter(is_old);
    let old = old.map(|path| Finding::new(path, "has no chapter in docs/guide: delete it"));
    let modules = files.get(MODULES).unwrap_or_default();
    let is_missing = |path: &&String| !modules.contains(&format!("{}\"", &path[COPIES.len()..]));
    let missing = copies.keys().filter(is_missing);
    let missing = missing.map(|path| Finding::new(MODULES, format!("has no module for {path}")));
    stale.chain(old).chain(missing).collect()
}

/// Writes the copies.
pub(super) fn write(root: &Path) -> Result<(), Failure> {
    let files = Files::read(root)?;
    fs::create_dir_all(root.join(COPIES)).map_err(Failure::of_file(&root.join(COPIES)))?;
    for (path, text) in copies(&files) {
        let place = root.join(path);
        fs::write(&place, text).map_err(Failure::of_file(&place))?;
    }
    Ok(())
}

/// The copies by path.
fn copies(files: &Files) -> BTreeMap<String, String> {
    let chapters = files.iter().filter_map(|(path, text)| Some((path.strip_prefix(GUIDE)?, text)));
    chapters.map(|(name, text)| (format!("{COPIES}{name}"), copy(text))).collect()
}

/// A chapter whose links lead to modules; links to other files of the tree become text.
fn copy(chapter: &str) -> String {
    let mut copy = String::new();
    let mut prose = String::new();
    let mut is_fenced = false;
    for line in chapter.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        if is_fenced || is_fence {
            relink(&std::mem::take(&mut prose), &mut copy);
            copy.push_str(line);
        } else {
            prose.push_str(line);
        }
    }
    relink(&prose, &mut copy);
    copy
}

/// Appends a text between blocks of code. The text of a link may go over lines.
fn relink(prose: &str, copy: &mut String) {
    let mut rest = prose;
    while let Some((before, link, after)) = next_link(rest) {
        copy.push_str(before);
        let Link { is_image, text, target } = link;
        match module(target) {
            Some(module) if !is_image => copy.extend(["[", text, "](", &module, ")"]),
            _ if target.contains("://") || target.starts_with('#') => {
                copy.extend(["[", text, "](", target, ")"]);
            }
            _ => copy.push_str(text),
        }
        rest = after;
    }
    copy.push_str(rest);
}

struct Link<'a> {
    is_image: bool,
    text: &'a str,
    target: &'a str,
}

/// The text before the first link, the link, and the text after it.
fn next_link(prose: &str) -> Option<(&str, Link<'_>, &str)> {
    let middle = prose.find("](")?;
    let open = prose[..middle].rfind('[')?;
    let end = middle + prose[middle..].find(')')?;
    let is_image = prose[..open].ends_with('!');
    let found = Link { is_image, text: &prose[open + 1..middle], target: &prose[middle + 2..end] };
    Some((&prose[..open - usize::from(is_image)], found, &prose[end + 1..]))
}

/// The module of a chapter, as a link.
fn module(target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let name = file.strip_suffix(".md").filter(|name| !name.contains('/'))?;
    let module = if name == "README" { String::new() } else { format!("::{}", name.replace('-', "_")) };
    let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
    Some(format!("crate::guide{module}{anchor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_modules() {
        for (line, expected) in [
            ("See [Plans](plans.md).", "See [Plans](crate::guide::plans)."),
            (
                "[a](money-safety.md#b-c), [d](README.md)",
                "[a](crate::guide::money_safety#b-c), [d](crate::guide)",
            ),
            ("[a](#b) and [c](https://d.test/)", "[a](#b) and [c](https://d.test/)"),
            ("[`plan.rs`](../../crates/domain/src/plan.rs): a", "`plan.rs`: a"),
            ("![A picture](../a.svg)", "A picture"),
            ("[`a\nb`](../c.md) [d\ne](f.md)", "`a\nb` [d\ne](crate::guide::f)"),
            ("```\n[a](b.md)\n```\n[a](b.md)", "```\n[a](b.md)\n```\n[a](crate::guide::b)"),
            ("a [b] (c)", "a [b] (c)"),
        ] {
            assert_eq!(copy(line), expected);
        }
    }

    /// Holds: Tidy refuses a chapter of the guide that differs from its copy in the documentation of `perennial`.
    #[test]
    fn a_stale_copy_is_found() {
        let modules = (MODULES, "chapters! { a \"a.md\"; }");
        let chapter = ("docs/guide/a.md", "[a](a.md)\n");
        let copy = ("crates/sdk/src/guide/a.md", "[a](crate::guide::a)\n");
        assert_eq!(check(&Files::of([modules, chapter, copy])), []);
        for (files, found) in [
            (Files::of([modules, chapter]), 1),
            (Files::of([modules, copy]), 1),
            (Files::of([chapter, copy]), 1),
            (Files::of([modules, ("docs/guide/a.md", "[b](a.md)\n"), copy]), 1),
        ] {
            assert_eq!(check(&files).len(), found);
        }
    }
}
