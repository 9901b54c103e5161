//! The public API of each library as sorted lines, compared with those of the version that was published last.
//! `docs/api` keeps them; a publish writes them, so that they say what users have. A line that is gone breaks somebody.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::workspace::{Package, Workspace};
use crate::failure::Failure;
use crate::step::Step;
use crate::tidy::Finding;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for package in workspace.packages.iter().filter(|package| package.is_library()) {
        let now = read(workspace, package)?;
        let Ok(kept) = fs::read_to_string(place(workspace, package)) else {
            eprintln!("==> {} was never published: all {} lines of its API are new", package.name, now.len());
            continue;
        };
        let faults = faults(&kept, &now, &package.version);
        findings.extend(faults.into_iter().map(|what| Finding::new(&package.name, what)));
    }
    Ok(findings)
}

/// Keeps what is published now.
pub(super) fn write(workspace: &Workspace) -> Result<(), Failure> {
    for package in workspace.packages.iter().filter(|package| package.is_library()) {
        let place = place(workspace, package);
        let lines = Vec::from_iter(read(workspace, package)?).join("\n");
        let text = format!("{}\n{lines}\n", package.version);
        let written = fs::create_dir_all(place.with_file_name("")).and_then(|()| fs::write(&place, text));
        written.map_err(|source| Failure::NotStarted { programme: place.display().to_string(), source })?;
    }
    Ok(())
}

fn place(workspace: &Workspace, package: &Package) -> PathBuf {
    workspace.root.join("docs/api").join(format!("{}.txt", package.name))
}

fn faults(kept: &str, now: &BTreeSet<String>, version: &str) -> Vec<String> {
    let (published, lines) = kept.split_once('\n').unwrap_or((kept, ""));
    let before: BTreeSet<String> = lines.lines().map(String::from).collect();
    if before == *now || !promises(published, version) {
        return Vec::new();
    }
    if published == version {
        return vec![format!("{version} is published, and its API has changed since")];
    }
    before
        .difference(now)
        .map(|line| format!("{version} must not break what {published} has: {line}"))
        .collect()
}

/// Whether who has `old` may be given `new` unasked, as cargo does: the first number that is not zero stays.
fn promises(old: &str, new: &str) -> bool {
    let significant = |version: &str| {
        let numbers: Vec<String> = version.split('.').map(String::from).collect();
        let at = numbers.iter().position(|number| number != "0").unwrap_or(numbers.len());
        numbers.into_iter().take(at + 1).collect::<Vec<_>>()
    };
    significant(old) == significant(new)
}

/// rustdoc tells it as JSON to those who say that they know the format may change: here it is that of one toolchain.
fn read(workspace: &Workspace, package: &Package) -> Result<BTreeSet<String>, Failure> {
    let target = workspace.target.join("release-check/api");
    let line =
        format!("cargo rustdoc --quiet --locked --lib --all-features -p {} --target-dir", package.name);
    let format = ["--", "-Zunstable-options", "--output-format", "json"].map(String::from);
    Step::new(&line)
        .arguments(&[target.display().to_string()])
        .arguments(&format)
        .variable("RUSTC_BOOTSTRAP", "1")
        .within(workspace.root.clone())
        .run()?;
    let name = package.name.replace('-', "_");
    let file = target.join("doc").join(format!("{name}.json"));
    let text = fs::read_to_string(&file)
        .map_err(|source| Failure::NotStarted { programme: file.display().to_string(), source })?;
    let facts: Value =
        serde_json::from_str(&text).map_err(|source| Failure::Unreadable { programme: line, source })?;
    let mut api = Api { facts: &facts, lines: BTreeSet::new() };
    api.inside(&facts["root"], &name);
    Ok(api.lines)
}

struct Api<'a> {
    facts: &'a Value,
    lines: BTreeSet<String>,
}

impl<'a> Api<'a> {
    /// The item and its kind; one of another crate is not in the index.
    fn item(&self, id: &Value) -> Option<(&'a Value, &'a str, &'a Value)> {
        let item = self.facts["index"].get(id.to_string())?;
        let (kind, inner) = item["inner"].as_object()?.iter().next()?;
        Some((item, kind, inner))
    }

    fn add(&mut self, id: &Value, path: &str) {
        let Some((item, kind, inner)) = self.item(id) else { return };
        if !["public", "default"].contains(&item["visibility"].as_str().unwrap_or_default()) {
            return;
        }
        let own = format!("{path}::{}", item["name"].as_str().or(inner["name"].as_str()).unwrap_or_default());
        match kind {
            "use" if inner["is_glob"] == true => self.inside(&inner["id"], path),
            "use" if self.item(&inner["id"]).is_some() => self.renamed(&inner["id"], &own),
            "impl" => self.implementation(inner, path),
            _ => self.renamed(id, &own),
        }
    }

    /// The item as it is reached by `own`.
    fn renamed(&mut self, id: &Value, own: &str) {
        let Some((item, kind, inner)) = self.item(id) else { return };
        let is_open = item["attrs"].to_string().contains("non_exhaustive");
        // Who matches on an exhaustive enum, or writes a trait, names all that is in it.
        let all = if is_open { String::from("non_exhaustive") } else { self.names(inner) };
        self.lines.insert(format!("{kind} {own} {} {all}", self.spelled(inner)).trim_end().to_owned());
        self.inside(id, own);
    }

    fn inside(&mut self, id: &Value, path: &str) {
        let Some((_, _, inner)) = self.item(id) else { return };
        let members = ["items", "variants", "impls"].map(|member| &inner[member]);
        let kind = &inner["kind"];
        let fields = [&kind["plain"]["fields"], &kind["struct"]["fields"], &kind["tuple"], &inner["fields"]];
        for id in members.into_iter().chain(fields).filter_map(Value::as_array).flatten() {
            self.add(id, path);
        }
    }

    fn names(&self, inner: &Value) -> String {
        let lists = [&inner["variants"], &inner["kind"]["plain"]["fields"]];
        let ids = lists.into_iter().filter_map(Value::as_array).flatten();
        let names = ids.filter_map(|id| self.item(id)?.0["name"].as_str());
        names.collect::<Vec<_>>().join(" | ")
    }

    /// What is implemented for all types says nothing about this one.
    fn implementation(&mut self, inner: &Value, path: &str) {
        if !inner["blanket_impl"].is_null() {
            return;
        }
        if inner["trait"].is_null() {
            for id in inner["items"].as_array().into_iter().flatten() {
                self.add(id, path);
            }
        } else {
            let not = if inner["is_negative"] == true { "not " } else { "" };
            let line = format!("impl {path} is {not}{}", self.spelled(&inner["trait"]));
            self.lines.insert(line);
        }
    }

    /// A signature in words: what is false or empty is left out, and what has an id is named by its path.
    fn spelled(&self, value: &Value) -> String {
        match value {
            Value::Null | Value::Bool(false) => String::new(),
            Value::Bool(true) => "yes".into(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Array(list) => {
                let list: Vec<String> = list.iter().map(|value| self.spelled(value)).collect();
                if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) }
            }
            Value::Object(members) => {
                let left_out =
                    ["items", "variants", "impls", "fields", "tuple", "has_body", "id", "implementations"];
                let path = members.get("id").and_then(|id| self.facts["paths"].get(id.to_string()));
                let words = members.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
                let word = |(name, value): (&String, &Value)| {
                    let spelled = match path.and_then(|path| path["path"].as_array()) {
                        Some(path) if name == "path" => {
                            path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("::")
                        }
                        _ => self.spelled(value),
                    };
                    if spelled.is_empty() { None } else { Some(format!("{name} {spelled}")) }
                };
                words.filter_map(word).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn cargo_updates_within_the_first_number_that_is_not_zero() {
        let cases = [
            ("0.1.0", "0.1.1", true),
            ("0.1.9", "0.2.0", false),
            ("0.0.1", "0.0.2", false),
            ("1.2.0", "1.3.0", true),
            ("1.2.0", "2.0.0", false),
        ];
        for (old, new, expected) in cases {
            assert_eq!(promises(old, new), expected, "{old} {new}");
        }
    }

    #[test]
    fn a_breaking_change_needs_more_than_a_patch() {
        let sum = "//! A seed.\n\n/// Sums.\npub fn sum(left: u8, right: u8) -> u8 {\n    left ^ right\n}\n";
        let wider = sum.replace("right: u8", "right: u16").replace("^ right", "^ right as u8");
        let more =
            format!("{sum}\n/// Bits.\n#[derive(Clone)]\npub enum Bit {{\n    /// Off.\n    Off,\n}}\n");
        let fixture = Fixture::with("README.md", "# Seed\n");
        let sound = fixture.workspace();
        write(&sound).unwrap();
        let cases = [
            ("0.1.0", sum, 0),
            ("0.1.0", more.as_str(), 1),
            ("0.1.1", more.as_str(), 0),
            ("0.1.1", wider.as_str(), 1),
            ("0.1.1", "//! A seed.\n", 1),
            ("0.2.0", wider.as_str(), 0),
        ];
        for (version, code, expected) in cases {
            fixture.write("seed/src/lib.rs", code);
            let mut workspace = fixture.workspace();
            workspace.packages[0].version = version.into();
            let found = check(&workspace).unwrap();
            assert_eq!(found.len(), expected, "{version} {code}: {found:?}");
        }
    }
}
