//! Signals: an interrupted write ends with status 75 and all facts that find the object; anything else ends as usual.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use perennial_sandbox::{Effect, Fault};

use crate::leaves::{self, Leaf};
use crate::shell::{ACCOUNT_JSON, CARD_JSON, Ran, Shell, perennial, runtime};

/// Starts a run whose call of this operation is held by the sandbox: it is executed, and its answer does not come.
pub(crate) fn held(shell: &Shell, operation: &str, command: Command, stdin: &str) -> Child {
    held_to(shell, operation, command, stdin, Stdio::piped())
}

fn held_to(shell: &Shell, operation: &str, mut command: Command, stdin: &str, err: Stdio) -> Child {
    let delay = Effect::Delay { delay: Duration::from_secs(60) };
    runtime().block_on(shell.world().fault(&Fault::on(operation, delay))).unwrap();
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(err);
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    while runtime().block_on(shell.world().faults()).unwrap()[0].applied == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "{operation} was not called");
        thread::yield_now();
    }
    child
}

fn signal(child: &Child, signal: &str) {
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// The exit status as a shell reports it.
fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let status = output.status;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: status.code().or_else(|| Some(128 + status.signal()?)).unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn interrupted(shell: &Shell, operation: &str, signal: &str, arguments: &[&str], stdin: &str) -> Ran {
    let mut command = perennial();
    command.args(["--base-url", shell.url()]).args(arguments).envs(shell.environment());
    let child = held(shell, operation, command, stdin);
    self::signal(&child, signal);
    let ran = ended(child);
    Ran { err: ran.err.replace(shell.url(), "http://sandbox"), ..ran }
}

#[test]
fn a_write_that_is_cut_short_is_reported_with_what_finds_it() {
    let create = "customers create --first-name Ada --last-name Byron";
    let sale = "transactions sale --amount 25 --order-id A-17 --card-stdin";
    let pay = "clientpay pay --total-amount 540.25 --name-on-account Lind --account-stdin";
    let invoice = "invoice pay --number INV-1 --date 2027-01-04 --line Labor=250.00 --card-stdin";
    let page = "clientpay page create line-item --item-name Retainer --payment-amount 500";
    for (operation, signal, line, stdin, message) in [
        (
            "customers.create",
            "INT",
            create,
            "",
            "look with: perennial customers search --base-url http://sandbox --first-name Ada --last-name Byron\n",
        ),
        (
            "transactions.sale",
            "TERM",
            sale,
            CARD_JSON,
            "look with: perennial transactions search --base-url http://sandbox --type SALE --last-four 1111 --order-id A-17\n",
        ),
        (
            "transactions.sale",
            "HUP",
            invoice,
            CARD_JSON,
            "look with: perennial invoice status --base-url http://sandbox INV-1\n",
        ),
        (
            "clientpay-payments.create",
            "INT",
            pay,
            ACCOUNT_JSON,
            "look with: perennial clientpay search --base-url http://sandbox --request-id ",
        ),
        ("pages.create", "TERM", page, "", "repeat with: the same command and --request-id "),
        (
            "access.new",
            "INT",
            "clientpay access new",
            "",
            "look with: perennial clientpay access current --base-url http://sandbox\n",
        ),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = interrupted(&Shell::open(), operation, signal, &words, stdin);
        assert_eq!((ran.code, ran.out.as_str()), (75, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains(message), "{line}: {}", ran.err);
        let json = interrupted(
            &Shell::open(),
            operation,
            signal,
            &[&["--output", "json"], &words[..]].concat(),
            stdin,
        );
        let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
        let (word, value) = message.split_once(": ").unwrap();
        let member = &error["error"][if word == "look with" { "look-up" } else { "request-id" }];
        let member = format!("{} ", member.as_str().unwrap().replace(" --output json", ""));
        assert_eq!(json.code, 75);
        assert!(word != "look with" || member.starts_with(value.trim_end()), "{line}: {member}");
    }
}

/// Interrupts runs before the write was sent, or without a write.
///
/// Holds: A signal during a read, or before a write has left, ends the command as usual.
#[test]
fn what_leaves_nothing_uncertain_ends_as_usual() {
    let pay = "clientpay pay --total-amount 540.25 --name-on-account Lind --account-stdin";
    let invoice = "invoice pay --number INV-1 --date 2027-01-04 --line Labor=250.00 --card-stdin";
    for (operation, signal, line, stdin, code) in [
        ("customers.search", "INT", "customers search", "", 130),
        ("customers.search", "TERM", "customers search", "", 143),
        ("customers.search", "HUP", "customers search --output json", "", 129),
        ("transactions.search", "INT", invoice, CARD_JSON, 130),
        ("access.current", "INT", pay, ACCOUNT_JSON, 130),
        ("access.new", "TERM", pay, ACCOUNT_JSON, 143),
        ("request-id.new", "HUP", pay, ACCOUNT_JSON, 129),
        ("clientpay-payments.search", "INT", "clientpay search --from 2027-01-01", "", 130),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = interrupted(&Shell::open(), operation, signal, &words, stdin);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        assert!(!ran.err.contains("look with") && !ran.err.contains("repeat with"), "{line}: {}", ran.err);
    }
}

/// Uses a gateway that accepts the connection and never speaks TLS, so that no byte of the write can have been sent.
#[test]
fn a_write_that_did_not_leave_yet_ends_as_usual() {
    let sale = "transactions sale --amount 25 --order-id A-17 --card-stdin";
    for (name, line, stdin, code) in [
        ("INT", "customers create --first-name Ada --last-name Byron", "", 130),
        ("TERM", sale, CARD_JSON, 143),
        ("HUP", sale, CARD_JSON, 129),
        ("INT", "clientpay access new", "", 130),
    ] {
        let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", gateway.local_addr().unwrap());
        let shell = Shell::open();
        let mut command = perennial();
        command.args(["--base-url", &url]).args(line.split(' ')).envs(shell.environment());
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let mut connection = gateway.accept().unwrap().0;
        // The first byte of the handshake.
        connection.read_exact(&mut [0]).unwrap();
        signal(&child, name);
        let ran = ended(child);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line}: {}", ran.err);
        assert!(ran.err.contains("no outcome is unknown") && !ran.err.contains("look with"), "{}", ran.err);
    }
}

/// Interrupts every write of the tree, so that no future one ends silently.
///
/// Holds: A signal during a write ends the command with an unknown outcome and its lookup.
#[test]
fn no_write_is_cut_short_in_silence() {
    for leaf @ Leaf { path, operation, .. } in leaves::all().iter().filter(|leaf| !leaf.operation.is_empty())
    {
        let (shell, folder) = (Shell::open(), tempfile::tempdir().unwrap());
        let (command, stdin) = leaf.command(&shell, folder.path());
        let child = held(&shell, operation, command, &stdin);
        signal(&child, "INT");
        let ran = ended(child);
        assert_eq!(ran.code, 75, "{path}: {}", ran.err);
        assert!(ran.err.contains("look with: ") || ran.err.contains("repeat with: "), "{path}: {}", ran.err);
    }
}

/// Checks that it ends even while it waits for a reader of standard error.
#[test]
fn a_second_signal_ends_it_at_once() {
    let shell = Shell::open();
    let (reader, mut writer) = io::pipe().unwrap();
    // The pipe is full.
    writer.write_all(&vec![b' '; 64 * 1024]).unwrap();
    let mut command = perennial();
    command.args([
        "--base-url",
        shell.url(),
        "customers",
        "create",
        "--first-name",
        "Ada",
        "--last-name",
        "Byron",
    ]);
    command.envs(shell.environment());
    let mut child = held_to(&shell, "customers.create", command, "", writer.into());
    for signal in ["INT", "TERM"] {
        self::signal(&child, signal);
    }
    assert_eq!(child.wait().unwrap().code(), Some(75));
    drop(reader);
}

/// Checks that a signal that `nohup` ignores stays ignored.
#[test]
fn an_ignored_signal_stays_ignored() {
    let shell = Shell::open();
    let mut command = Command::new("sh");
    let line = "trap '' HUP; exec \"$0\" \"$@\"";
    command.args(["-c", line, env!("CARGO_BIN_EXE_perennial"), "--base-url", shell.url()]);
    command.args(["clientpay", "search", "--from", "2027-01-01"]).envs(shell.environment());
    let child = held(&shell, "clientpay-payments.search", command, "");
    signal(&child, "HUP");
    signal(&child, "TERM");
    assert_eq!(ended(child).code, 143);
}

#[test]
fn ids_that_make_a_repeat_safe_are_printed_before_the_send() {
    let shell = Shell::open();
    let pay =
        ["clientpay", "pay", "--total-amount", "540.25", "--name-on-account", "Lind", "--account-stdin"];
    let sale = ["transactions", "sale", "--amount", "25", "--order-id", "A & 17", "--card-stdin"];
    for (arguments, stdin, message) in [
        (&pay[..], ACCOUNT_JSON, "before the send: request id "),
        (&sale, CARD_JSON, "before the send: order id A & 17\n"),
        (&[&["--format", "xml"], &sale[..]].concat(), CARD_JSON, "before the send: order id A & 17\n"),
    ] {
        let quiet = shell.run_with(arguments, stdin);
        assert_eq!((quiet.code, quiet.err.as_str()), (0, ""), "{arguments:?}");
        let ran = shell.run_with(&[&["-v"], arguments].concat(), stdin);
        assert_eq!((ran.code, ran.err.contains(message)), (0, true), "{arguments:?}: {}", ran.err);
    }
}
