//! `perennial work` as a service: the unit of the documentation, its lines, its end, and its lock.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use perennial_sandbox::{Effect, Fault};
use serde_json::Value;

use crate::shell::{perennial, write_private};
use crate::subscriptions::Club;

/// The arguments of the unit's command, for this gateway and with its folder for credentials and state.
fn arguments(url: &str, folder: &str) -> Vec<String> {
    let page = include_str!("../../../../docs/SUBSCRIPTIONS.md").replace("\\\n", " ");
    let line = page.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/perennial "));
    let line = line.unwrap().replace("--environment production", &format!("--base-url {url}"));
    let line = line.replace("%d", folder).replace("%S", folder);
    line.split_whitespace().map(str::to_owned).collect()
}

fn terminate(child: &Child) {
    let kill = format!("kill -s TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Holds: The systemd unit of docs/SUBSCRIPTIONS.md runs the worker, which prints a line for each round with work, is the only
/// one of its file, and ends well on SIGTERM.
#[test]
fn the_unit_of_the_documentation_works() {
    let mut club = Club::open();
    let folder = club.desk.folder.path().to_owned();
    fs::create_dir(folder.join("perennial")).unwrap();
    club.desk.url = Some(format!("sqlite:{}/perennial/journal.db", folder.display()));
    write_private(&folder.join("api-key"), club.desk.shell.key());
    let start = "{start} --token-id {token} --id M-1 --amount 50.00 --day 15 --tenant north-street";
    let ran = club.run(start);
    assert_eq!(ran.code, 0, "{}", ran.err);
    club.desk.shell.advance("P16D");

    let mut command = perennial();
    let arguments = arguments(club.desk.shell.url(), folder.to_str().unwrap());
    command.args(arguments).args(["--clock", "sandbox"]).env("HOME", &folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut line, mut out) = (String::new(), BufReader::new(child.stdout.take().unwrap()));
    out.read_line(&mut line).unwrap();
    let round: Value = serde_json::from_str(&line).unwrap();
    assert!(round["charges"] == 1 && round["read-until"] == "2027-01-15", "{round}");

    let second = club.run("work --until-idle --tenant north-street");
    assert!(
        second.code == 69 && second.err.contains("another worker runs for the journal "),
        "{}",
        second.err
    );
    terminate(&child);
    let (mut rest, mut err) = (String::new(), String::new());
    out.read_to_string(&mut rest).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    let last = rest.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
    assert_eq!(last.unwrap()["tenant"], "north-street", "{rest}");
    let expected =
        "working for the tenant north-street: SIGINT or SIGTERM stops it\nstopped: nothing is in progress\n";
    assert_eq!(err, expected);
    let after = club.run("work --until-idle --tenant north-street");
    assert_eq!(after.code, 0, "{}", after.err);
}

/// Holds: A gateway that fails does not end the worker: it says so, goes on, and ends well on SIGTERM.
#[test]
fn a_gateway_that_fails_does_not_end_it() {
    let club = Club::open();
    assert_eq!(club.run("{start} --token-id {token} --id M-1 --amount 50.00 --day 15").code, 0);
    club.desk.fault(&Fault::on("transactions.search", Effect::ErrorBefore { status: 503 }));
    let mut command = perennial();
    command.args(["--base-url", club.desk.shell.url(), "work", "--clock", "sandbox", "--timeout", "2"]);
    command.args(["--db", &club.desk.db()]).envs(club.desk.shell.environment());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("working for the tenant "));
    let failed = lines.next().unwrap();
    assert!(failed.starts_with("a round failed: the gateway is failing: "), "{failed}");
    terminate(&child);
    assert_eq!(lines.next().as_deref(), Some("stopped: nothing is in progress"));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
