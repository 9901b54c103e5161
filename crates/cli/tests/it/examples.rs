//! Examples: every one in the help and in the documentation is a valid command.

use crate::clientpay::INVOICES_JSON;
use crate::help::tree;
use crate::invoice::INVOICE_JSON;
use crate::shell::{ACCOUNT_JSON, CARD_JSON, Shell};

/// Commands in a text, with their continued lines.
fn commands(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("perennial "));
    // Commands that keep running, take long or write elsewhere have their own tests.
    let simple = lines.filter(|line| {
        ![
            "sandbox serve",
            "webhooks",
            "events list --follow",
            "quickstart",
            "completions",
            "man ",
            "connect",
            "profile",
        ]
        .iter()
        .any(|name| line.contains(name))
    });
    simple.map(str::to_owned).collect()
}

#[test]
fn every_example_is_understood() {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("card.json", CARD_JSON),
        ("account.json", ACCOUNT_JSON),
        ("invoices.json", INVOICES_JSON),
        ("invoice.json", INVOICE_JSON),
        ("id.txt", "an-access-id-that-is-dead"),
        ("plans.csv", "id,plan-key\nM-1,plan_3f0f6d1c5f0e\n"),
        ("posted.jwt", "e30.e30.none"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let documentation = include_str!("../../../../docs/CLI.md");
    let found = [commands(&tree(&[])), commands(documentation)].concat();
    assert!(found.len() > 40, "{found:#?}");
    for line in found {
        // A command that would ask for a card finds no terminal.
        let asks = line.contains("tokens create") && !line.contains("--card-stdin");
        let ran = shell.run_line(&line, folder.path());
        assert_eq!(ran.code == 2, asks, "{line}: {}", ran.err);
        // A world that is reset or deleted has no control customer of the journal any more.
        if line.contains(" sandbox ") {
            let _ = std::fs::remove_dir_all(folder.path().join(".local"));
        }
    }
}
