//! The chapters of the documentation: every shell block in them runs, in order, as a reader would type it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{Shell, finish};

/// The URL of the sandbox in the pages.
const URL: &str = "http://127.0.0.1:8480";

/// The blocks of a page, each after its language.
fn blocks(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'))
}

/// The input of a reader, except for commands that serve until they are stopped, and for builds.
fn typed(page: &str) -> impl Iterator<Item = &str> {
    let shell = blocks(page).filter(|(language, _)| *language == "sh");
    shell
        .map(|(_, block)| block)
        .filter(|block| !["sandbox serve", "cargo "].iter().any(|what| block.contains(what)))
}

/// The output that the page shows: the comments under a command, and blocks of text.
fn promised(page: &str) -> Vec<&str> {
    let comments = typed(page).flat_map(str::lines).filter_map(|line| line.strip_prefix("# "));
    let texts = blocks(page).filter(|(language, _)| *language == "text").map(|(_, block)| block.trim_end());
    comments.chain(texts).collect()
}

/// The output of the last input, typed into one shell because the inputs build on each other; a failing line ends it.
fn printed(setup: &str, typed: &str) -> String {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    let script = format!("set -eu\nexec 3>&1 >&2\n{setup}\nexec >&3\n{typed}").replace(URL, shell.url());
    let bin = Path::new(env!("CARGO_BIN_EXE_perennial")).parent().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path());
    command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let ran = finish(command, "");
    assert_eq!(ran.code, 0, "{typed}\n{}\n{}", ran.err, ran.out);
    let out: Vec<&str> = ran.out.lines().map(str::trim_end).collect();
    out.join("\n").replace(shell.url(), URL)
}

fn keeps_its_word(name: &str, setup: &str, page: &str) {
    let out = printed(setup, &typed(page).collect::<Vec<_>>().join("\n"));
    for promise in promised(page) {
        assert!(out.contains(promise), "{name}:\n{promise}\nis not in\n{out}");
    }
}

/// The input of the guide's first chapter, on which the others build.
fn first_chapter() -> String {
    let page = fs::read_to_string(docs().join("guide/getting-started.md")).unwrap();
    typed(&page).collect::<Vec<_>>().join("\n")
}

fn docs() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"))
}

/// Holds: Each shell block of docs/SANDBOX.md prints what the page shows.
#[test]
fn what_it_shows_is_what_happens() {
    let page = fs::read_to_string(docs().join("SANDBOX.md")).unwrap();
    assert!(typed(&page).count() >= 3);
    keeps_its_word("SANDBOX.md", "", &page);
}

/// Holds: Each shell block of docs/SUBSCRIPTIONS.md prints what the page shows.
#[test]
fn what_the_page_on_subscriptions_shows_is_what_happens() {
    let page = fs::read_to_string(docs().join("SUBSCRIPTIONS.md")).unwrap();
    assert!(typed(&page).count() >= 3);
    keeps_its_word("SUBSCRIPTIONS.md", &first_chapter(), &page);
}

/// Holds: Each shell block of the guide prints what the guide shows.
#[test]
fn what_the_guide_shows_is_what_happens() {
    let first = first_chapter();
    for file in fs::read_dir(docs().join("guide")).unwrap() {
        let path = file.unwrap().path();
        let setup = if path.ends_with("getting-started.md") { "" } else { &first };
        keeps_its_word(&path.display().to_string(), setup, &fs::read_to_string(&path).unwrap());
    }
}

/// Holds: The pictures of the command show what it prints.
#[test]
fn what_the_pictures_of_the_command_show_is_what_happens() {
    let first = first_chapter();
    let files = fs::read_dir(docs().join("screenshots")).unwrap().map(|file| file.unwrap().path());
    let is_ours =
        |file: &PathBuf| file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"cli-"));
    let pictures: Vec<PathBuf> = files.filter(is_ours).collect();
    assert!(pictures.len() >= 4, "{pictures:?}");
    for picture in pictures {
        let drawn = fs::read_to_string(&picture).unwrap();
        let typed = spans(&drawn, "<tspan class=\"bold\">").collect::<Vec<_>>().join("\n");
        let typed = typed.trim_start_matches("$ ");
        // The alias of the first chapter does not apply to commands that call no gateway.
        let typed = typed.replace("perennial quickstart", r"\perennial quickstart");
        let output = printed(&first, &format!("{{ {typed}\n}} 2>&1 || true"));
        let drawn_text: String = spans(&drawn, "<tspan>").collect();
        assert_eq!(drawn_text, output.replace('\n', ""), "{}: cargo xtask screenshots", picture.display());
    }
}

/// The texts of a picture that begin with this tag.
fn spans<'a>(drawn: &'a str, tag: &'a str) -> impl Iterator<Item = &'a str> {
    drawn.split(tag).skip(1).filter_map(|rest| rest.split("</tspan>").next())
}
