//! Failing plumbing, for every command of the tree: nobody reads, nobody types, the disk is full, and
//! standard error is closed.

use std::fs::File;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::leaves::{self, Leaf};
use crate::serve::serve_by;
use crate::shell::{ACCOUNT, CARD, CSC, Ran, Shell, finish_without_stdin, perennial};

/// The failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plumbing {
    Unread,
    NothingTyped,
    FullDisk,
    NoStandardError,
}

const ALL: [Plumbing; 4] =
    [Plumbing::Unread, Plumbing::NothingTyped, Plumbing::FullDisk, Plumbing::NoStandardError];

/// A time longer than any of them takes, and shorter than a person waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// The seeds of the worlds, one for each run.
const SEEDS: u64 = 1_000;

/// Holds: Each command ends with its status if an input or output is closed or full.
#[test]
fn every_command_ends_well_whatever_is_closed() {
    let shell = Shell::open();
    let runs: Vec<_> = leaves::all().iter().flat_map(|leaf| ALL.map(|plumbing| (leaf, plumbing))).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((at, (leaf, plumbing))) = pick(&next, &runs) {
                    walk(leaf, *plumbing, &shell.beside(SEEDS + at as u64));
                }
            });
        }
    });
}

fn pick<'r, T>(next: &AtomicUsize, runs: &'r [T]) -> Option<(usize, &'r T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, runs.get(at)?))
}

fn walk(leaf: &Leaf, plumbing: Plumbing, shell: &Shell) {
    let name = format!("{} ({plumbing:?})", leaf.path);
    let folder = tempfile::tempdir().unwrap();
    let (mut command, stdin) = leaf.command(shell, folder.path());
    command.args(["--output", "json"]);
    let closed = |redirection: &str, command: &Command| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")]);
        shell.arg(command.get_program()).args(command.get_args()).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell
    };
    // Without them, it serves until it is stopped.
    let serves = ["sandbox serve", "webhooks listen"].contains(&leaf.path);
    let ran = match plumbing {
        Plumbing::Unread => {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            finish(command.stdout(writer), &stdin, &name)
        }
        Plumbing::FullDisk => {
            let full = File::options().write(true).open("/dev/full").unwrap();
            finish(command.stdout(full), &stdin, &name)
        }
        Plumbing::NothingTyped | Plumbing::NoStandardError => {
            let redirection = if plumbing == Plumbing::NothingTyped { "<&-" } else { "2>&-" };
            let mut command = closed(redirection, &command);
            if serves {
                let (out, err) = serve_by(command).stop("TERM");
                Ran { code: 0, out, err }
            } else {
                finish(command.stdout(Stdio::piped()), &stdin, &name)
            }
        }
    };
    let prints = !["sandbox fault clear", "sandbox delete"].contains(&leaf.path);
    let code = match plumbing {
        Plumbing::NothingTyped if !leaf.stdin.is_empty() => 2,
        Plumbing::FullDisk if prints => 74,
        _ => 0,
    };
    assert_eq!(ran.code, code, "{name}: {}", ran.err);
    // A note is not an error.
    assert_eq!(ran.err.contains(r#"{"error":"#), code != 0, "{name}: {}", ran.err);
    assert!(!ran.err.contains("panicked") && !ran.err.contains("defect"), "{name}: {}", ran.err);
    let is_text = serves || ["completions", "man"].contains(&leaf.path);
    let is_data = is_text || ran.out.is_empty() || serde_json::from_str::<Value>(&ran.out).is_ok();
    assert!(is_data, "{name}: {}", ran.out);
    let environment = shell.environment();
    let secrets = environment.iter().map(|(_, secret)| secret.as_str());
    for secret in secrets.chain([CARD, "4111 1111", ACCOUNT]) {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{name} tells a secret");
    }
    assert!(!ran.err.contains(CSC), "{name} tells a security code");
}

/// Runs a command to its end, which must come.
fn finish(command: &mut Command, stdin: &str, name: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    // It may not read its input.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output()));
    if let Ok(output) = end.recv_timeout(PATIENCE) {
        return output.unwrap().into();
    }
    let _ = Command::new("sh").args(["-c", &format!("kill -s KILL {id}")]).status();
    panic!("{name} does not end");
}

/// Checks that without a person the command does not prompt, and names the option to pass instead.
///
/// Holds: No command prompts without a terminal.
#[test]
fn nobody_is_asked_without_a_terminal() {
    let shell = Shell::open();
    let card = "pass --card-stdin";
    for (line, instead) in [
        ("tokens create --description card", card),
        ("test-sale", card),
        ("transactions sale --amount 1", card),
        ("transactions auth --amount 1", card),
        ("transactions refund --amount 1", card),
        ("invoice pay --number 1 --date 2027-01-04 --line Labor=1", card),
        ("clientpay pay --total-amount 1", card),
        ("clientpay payers add-methods pyr-1", card),
        ("profiles --keys /dev/null", "pass --passphrase-file FILE or --identity FILE"),
        ("disconnect north", "pass --passphrase-file FILE or --identity FILE"),
        ("customers search --profile north", "pass --passphrase-file FILE or --identity FILE"),
    ] {
        let mut command = perennial();
        command.args(line.split(' ')).envs(shell.environment()).env("HOME", "/nowhere");
        let ran = finish_without_stdin(command);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(instead) && ran.err.contains("no terminal"), "{line}: {}", ran.err);
    }
}
