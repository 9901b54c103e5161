//! The lookup that an error advises: pasted into a shell, it finds the object at its gateway, even if
//! the shell has another merchant's key.

use std::path::Path;
use std::process::Command;

use perennial_sandbox::{Effect, Fault};

use crate::custody::Desk;
use crate::leaves::{self, Leaf};
use crate::shell::{Ran, Shell, finish, runtime, write_private};

/// Runs a line in a shell that has the variables of another merchant.
fn paste(line: &str, other: &Shell, home: &Path) -> Ran {
    let bin = Path::new(env!("CARGO_BIN_EXE_perennial")).parent().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env_clear().env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    shell.env("HOME", home).current_dir("/").envs(other.environment());
    finish(shell, "")
}

/// Checks every write of the tree whose outcome can be looked up.
///
/// Holds: The advised lookup finds the written object of the same merchant.
#[test]
fn the_look_up_finds_what_was_done() {
    for leaf @ Leaf { path, operation, .. } in leaves::all().iter().filter(|leaf| !leaf.operation.is_empty())
    {
        let (shell, folder) = (Shell::open(), tempfile::tempdir().unwrap());
        let other = shell.beside(8);
        let (mut command, stdin) = leaf.command(&shell, folder.path());
        // Files name the merchant, not the variables, which the other shell has too.
        let key = folder.path().join("its key");
        write_private(&key, shell.key());
        let credentials = folder.path().join("credentials.json");
        write_private(&credentials, shell.credentials());
        if path.starts_with("clientpay") || *path == "invoice page" {
            command.arg("--credentials-file").arg("credentials.json");
        } else {
            command.args(["--format", "xml", "--api-key-file"]).arg("its key");
        }
        command.current_dir(folder.path()).envs(other.environment());
        let faults = [
            Fault::on(*operation, Effect::DropReply),
            // The client's own lookups are inconclusive, too; the first one is before the write.
            Fault::on("transactions.search", Effect::DropReply).nth(2).times(9),
            Fault::on("clientpay-payments.search", Effect::DropReply),
        ];
        for fault in faults {
            runtime().block_on(shell.world().fault(&fault)).unwrap();
        }
        let ran = finish(command, &stdin);
        assert_eq!(ran.code, 75, "{path}: {}", ran.err);
        runtime().block_on(shell.world().clear_faults()).unwrap();

        let look_up = ran.err.lines().find_map(|line| line.trim_start().strip_prefix("look with: "));
        let Some(look_up) = look_up else {
            assert!(ran.err.contains("repeat with: the same command"), "{path}: {}", ran.err);
            continue;
        };
        let found = paste(look_up, &other, folder.path());
        let is_deletion = path.ends_with(" delete") || *path == "clientpay access expire";
        let expected = if is_deletion && found.code != 0 { 5 } else { 0 };
        assert_eq!(found.code, expected, "{path}: {look_up}: {}", found.err);
        assert!(!found.err.contains("nothing found"), "{path}: {look_up}");
        assert_eq!(found.out.is_empty(), expected == 5, "{path}: {look_up}");
    }
}

/// Checks that the advised command shows the result of the write.
#[test]
fn the_look_up_shows_which_transaction_it_is() {
    let shell = Shell::open();
    let run = |line: &str| shell.run(&line.split(' ').collect::<Vec<_>>());
    let card = crate::shell::CARD_JSON;
    let sold_as = |order: &str| {
        let line = format!("--output json transactions sale --amount 25.00 --order-id {order} --card-stdin");
        let sold = shell.run_with(&line.split(' ').collect::<Vec<_>>(), card);
        serde_json::from_str::<serde_json::Value>(&sold.out).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (sold_as("A-1"), sold_as("A-2"));
    assert_eq!(run(&format!("transactions refund --id {first} --amount 5.00")).code, 0);
    runtime()
        .block_on(shell.world().fault(&Fault::on("transactions.refund", Effect::ErrorBefore { status: 503 })))
        .unwrap();
    let lost = run(&format!("transactions refund --id {second} --amount 5.00"));
    assert_eq!(lost.code, 75, "{}", lost.err);
    let look_up = |err: &str| {
        let line = err.lines().find_map(|line| line.trim_start().strip_prefix("look with: ")).unwrap();
        paste(&line.replace("http://sandbox", shell.url()), &shell, Path::new("/"))
    };
    // The refund of the first sale is equal except for the sale that it refunds.
    let found = look_up(&lost.err);
    assert_eq!((found.code, found.out.as_str(), found.err.as_str()), (0, "", "nothing found\n"));
    runtime().block_on(shell.world().clear_faults()).unwrap();
    runtime().block_on(shell.world().fault(&Fault::on("transactions.refund", Effect::DropReply))).unwrap();
    let lost = run(&format!("transactions refund --id {second} --amount 5.00"));
    let found = look_up(&lost.err);
    assert!(found.code == 0 && found.out.contains(&second) && !found.out.contains(&first), "{}", found.out);
    let header = found.out.lines().next().unwrap();
    assert!(header.contains("ref-id"), "{header}");
}

/// Sets another merchant's profile as the default, and another merchant's key in the shell.
#[test]
fn the_look_up_asks_the_profile_that_was_used() {
    let (shell, desk) = (Shell::open(), Desk::new());
    let other = shell.beside(8);
    for (name, world) in [("default", &other), ("north", &shell)] {
        let ran = desk.run(&["--base-url", shell.url(), "connect", name], world.key());
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    runtime().block_on(shell.world().fault(&Fault::on("customers.create", Effect::DropReply))).unwrap();
    let create =
        ["--profile", "north", "customers", "create", "--first-name", "Ada", "--last-name", "O'Byron"];
    let lost = desk.run(&create, "");
    let look_up = lost.err.lines().find_map(|line| line.trim_start().strip_prefix("look with: ")).unwrap();
    let passphrase = desk.path("passphrase");
    let expected = format!(
        r"perennial customers search --profile north --passphrase-file {} --first-name Ada --last-name 'O'\''Byron'",
        passphrase.display()
    );
    assert_eq!((lost.code, look_up), (75, expected.as_str()));
    let found = paste(look_up, &other, desk.home());
    assert!(found.code == 0 && found.out.contains("O'Byron"), "{}{}", found.out, found.err);
}
