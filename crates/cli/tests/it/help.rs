//! The help of the whole tree, and the completions made from it.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use crate::shell::{finish, perennial};

fn help(path: &[&str]) -> String {
    let mut command = perennial();
    command.args(path).arg("--help");
    let ran = finish(command, "");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{path:?}");
    ran.out
}

/// The names under `Commands:`.
fn subcommands(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The help of a command and of all its subcommands, without the global options, which the first one shows.
pub(crate) fn tree(path: &[&str]) -> String {
    let help = help(path);
    let mut tree = format!("$ perennial {}\n", [path, &["--help"]].concat().join(" "));
    let global = |part: &&str| path.is_empty() || !part.trim_start().starts_with("Global options:");
    tree += &help.split("\n\n").filter(global).collect::<Vec<_>>().join("\n\n");
    tree += "\n";
    for name in subcommands(&help) {
        tree += &self::tree(&[path, &[name.as_str()]].concat());
    }
    tree
}

/// The help of each command of the whole tree, by its path.
pub(crate) fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    static TREE: OnceLock<String> = OnceLock::new();
    let parts = TREE.get_or_init(|| tree(&[])).split("$ perennial ").skip(1);
    parts.filter_map(|part| {
        let (line, help) = part.split_once('\n')?;
        Some((line.strip_suffix("--help")?.trim_end(), help))
    })
}

/// Commands without subcommands.
pub(crate) fn leaves() -> Vec<String> {
    let leaves = pages().filter(|(_, help)| subcommands(help).is_empty());
    leaves.map(|(path, _)| path.to_owned()).collect()
}

#[test]
fn the_whole_tree() {
    insta::assert_snapshot!(tree(&[]));
}

#[test]
fn every_leaf_has_an_example() {
    for part in tree(&[]).split("$ perennial ").skip(1) {
        assert!(part.contains("Commands:") || part.contains("Example"), "{part}");
    }
}

/// Holds: Completions know all commands, and the shells read them.
#[test]
fn completions_know_the_tree_and_shells_read_them() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let mut command = perennial();
        command.args(["completions", shell]);
        let ran = finish(command, "");
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        for word in ["customers", "expected-runs", "billing-zip", "card-stdin"] {
            assert!(ran.out.contains(word), "{shell} lacks {word}");
        }
        // There is no PowerShell here. With -n, the shells read a script without running it.
        if shell != "powershell" {
            let mut reader = Command::new(shell);
            reader.arg("-n").env_clear().env("PATH", "/usr/bin:/bin");
            let read = finish(reader, &ran.out);
            assert_eq!((read.code, read.err.as_str()), (0, ""), "{shell}");
        }
    }
}

/// Checks that each command has a page, with the usual sections of a manual.
///
/// Holds: Each command has a manual page.
#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    let mut command = perennial();
    command.args(["man", "--out"]).arg(&out);
    let ran = finish(command, "");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    for leaf in leaves() {
        let name = format!("perennial-{}", leaf.replace(' ', "-"));
        let page = fs::read_to_string(out.join(format!("{name}.1"))).unwrap();
        let title = format!(".TH {name} 1 ");
        for part in [title.as_str(), ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", "Example"]
        {
            assert!(page.contains(part), "{name} lacks {part}");
        }
        assert!(page.lines().all(|line| !line.starts_with('\'')), "{name}: a line is taken for a request");
    }
    let mut command = perennial();
    command.arg("man");
    let printed = finish(command, "").out;
    assert_eq!(printed, fs::read_to_string(out.join("perennial.1")).unwrap());
    assert!(printed.contains(".SH SUBCOMMANDS") && printed.contains("Exit status:"), "{printed}");
}

#[test]
fn the_documentation_lists_every_exit_status() {
    let help = help(&[]);
    let statuses = help
        .lines()
        .skip_while(|line| *line != "Exit status:")
        .skip(1)
        .filter_map(|line| line.trim().split_once("  "));
    let rows: Vec<String> = statuses.map(|(status, meaning)| format!("| {status} | {meaning} |")).collect();
    assert_eq!(rows.len(), 15);
    for row in rows {
        assert!(include_str!("../../../../docs/CLI.md").contains(&row), "{row}");
    }
}
