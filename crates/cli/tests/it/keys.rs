//! The command tree against the tables of operations: every write takes an operation key.

use std::collections::BTreeSet;

use perennial::{clearent, clientpay};

use crate::help::pages;
use crate::leaves;

/// Writes without a command of their own: a one-time token is made in the payer's browser, and the settings of a
/// merchant are for programs.
const WITHOUT_COMMAND: &[&str] =
    &["one-time-tokens.create", "avs-settings.update", "csc-settings.update", "duplicate-settings.update"];

/// Writes that an option of another command makes.
const BY_OPTION: &[(&str, &str)] = &[("access.new-customer", "access.new")];

/// Commands that change something, and nothing at a vendor's gateway that would be another one the second time. An unused
/// request id has no effect, and what the worker sends is stored under keys of its own.
const NO_WRITES: &[&str] = &["connect", "disconnect", "clientpay request-id", "work"];

/// Holds: Every command that writes at a gateway takes an operation key, and every write of the tables of operations has such a command.
#[test]
fn every_write_takes_an_operation_key() {
    let clearent = clearent::Operation::ALL.iter().map(|operation| (operation.name(), operation.class()));
    let clientpay = clientpay::Operation::ALL.iter().map(|operation| (operation.name(), operation.class()));
    let writes: BTreeSet<&str> = clearent
        .chain(clientpay)
        .filter(|(_, class)| !class.is_harmless())
        .map(|(name, _)| BY_OPTION.iter().find(|(option, _)| *option == name).map_or(name, |(_, of)| of))
        .collect();
    let commands: BTreeSet<&str> = leaves::all().iter().map(|leaf| leaf.operation).collect();
    let missing: Vec<&&str> = writes.iter().filter(|name| !commands.contains(*name)).collect();
    assert_eq!(missing, WITHOUT_COMMAND.iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
    for leaf in leaves::all() {
        let (_, help) = pages().find(|(path, _)| *path == leaf.path).unwrap();
        let takes_key = help.contains("--operation-key <KEY>");
        let is_own = |own: &&str| leaf.path.starts_with(&format!("{own} "));
        let is_local = NO_WRITES.contains(&leaf.path)
            || [
                "journal",
                "subscriptions",
                "due-days",
                "recovery",
                "books",
                "members",
                "webhooks",
                "hold",
                "sandbox",
            ]
            .iter()
            .any(is_own);
        let is_write = !leaf.operation.is_empty();
        let decisions = ["subscriptions", "due-days", "recovery", "members", "hold"];
        let is_decision = leaf.changes && decisions.iter().any(is_own);
        assert_eq!(takes_key, is_write || is_decision, "{}", leaf.path);
        // Whoever adds a command says what it writes.
        assert_eq!(leaf.changes, is_write || is_local && leaf.changes, "{}", leaf.path);
        assert!(!is_write || writes.contains(leaf.operation), "{} is no write", leaf.operation);
    }
}
