//! The chapters of the documentation: every block of shell in them runs, in order, as a reader would type it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{Shell, finish};

/// The blocks of a page, each after its language.
fn blocks(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'))
}

/// What a reader types, but for what serves until it is stopped, and what builds.
fn typed(page: &str) -> impl Iterator<Item = &str> {
    let shell = blocks(page).filter(|(language, _)| *language == "sh");
    shell
        .map(|(_, block)| block)
        .filter(|block| !["sandbox serve", "cargo "].iter().any(|what| block.contains(what)))
}

/// What the page says that is printed: the comments under a command, and blocks of text.
fn promised(page: &str) -> Vec<&str> {
    let comments = typed(page).flat_map(str::lines).filter_map(|line| line.strip_prefix("# "));
    let texts = blocks(page).filter(|(language, _)| *language == "text").map(|(_, block)| block.trim_end());
    comments.chain(texts).collect()
}

/// Runs the page's blocks in one shell, because they build on each other, after those of the setup; a line that fails
/// ends it.
fn keeps_its_word(name: &str, setup: &str, page: &str) {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    let typed: Vec<&str> = typed(page).collect();
    let script =
        format!("set -eu\n{setup}{}", typed.join("\n")).replace("http://127.0.0.1:8480", shell.url());
    let bin = Path::new(env!("CARGO_BIN_EXE_perennial")).parent().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path());
    command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let ran = finish(command, "");
    assert_eq!(ran.code, 0, "{name}: {}\n{}", ran.err, ran.out);
    let out: Vec<&str> = ran.out.lines().map(str::trim_end).collect();
    let out = out.join("\n").replace(shell.url(), "http://127.0.0.1:8480");
    for promise in promised(page) {
        assert!(out.contains(promise), "{name}:\n{promise}\nis not in\n{out}");
    }
}

fn docs() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"))
}

#[test]
fn what_it_shows_is_what_happens() {
    let page = fs::read_to_string(docs().join("SANDBOX.md")).unwrap();
    assert!(typed(&page).count() >= 3);
    keeps_its_word("SANDBOX.md", "", &page);
}

#[test]
fn what_the_guide_shows_is_what_happens() {
    let read = |name: &str| fs::read_to_string(docs().join("guide").join(name)).unwrap();
    let first = read("getting-started.md");
    let setup = typed(&first).collect::<Vec<_>>().join("\n");
    keeps_its_word("getting-started.md", "", &first);
    for file in fs::read_dir(docs().join("guide")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name != "getting-started.md" {
            keeps_its_word(&name, &setup, &read(&name));
        }
    }
}
