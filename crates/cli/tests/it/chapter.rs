//! The chapter on testing one's own code: every block of shell in it runs, in order, as a reader would type it.

use std::path::Path;
use std::process::Command;

use crate::shell::{Shell, finish};

const CHAPTER: &str = include_str!("../../../../docs/SANDBOX.md");

/// The blocks of shell, but for the one that serves.
fn blocks() -> impl Iterator<Item = &'static str> {
    let after = CHAPTER.split("```sh\n").skip(1);
    let blocks = after.map(|block| block.split("```").next().unwrap_or_default());
    blocks.filter(|block| !block.contains("sandbox serve"))
}

/// The comments under a command are what it prints: of each, that the output holds it.
fn promised(block: &str) -> impl Iterator<Item = &str> {
    block.lines().filter_map(|line| line.strip_prefix("# "))
}

#[test]
fn what_it_shows_is_what_happens() {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    let blocks: Vec<&str> = blocks().collect();
    assert!(blocks.len() >= 3, "{blocks:#?}");
    // One shell for all of them, because they build on each other; a line that fails ends it.
    let script = format!("set -eu\n{}", blocks.join("\n")).replace("http://127.0.0.1:8480", shell.url());
    let bin = Path::new(env!("CARGO_BIN_EXE_perennial")).parent().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path());
    command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let ran = finish(command, "");
    assert_eq!(ran.code, 0, "{}\n{}", ran.err, ran.out);
    for promise in blocks.iter().flat_map(|block| promised(block)) {
        assert!(ran.out.contains(promise), "{promise}\nis not in\n{}", ran.out);
    }
}
