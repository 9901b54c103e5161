//! Alerts received and sent, events, and the data of a member, by the command alone.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::serve::{Served, ask, serve_by};
use crate::shell::{Ran, perennial, runtime};
use crate::subscriptions::{Club, START, json};

/// A command with the gateway and the database of a club.
fn of_club(club: &Club, line: &str) -> Command {
    let mut command = perennial();
    command.args(["--base-url", club.desk.shell.url()]).args(line.split(' '));
    command.args(["--clock", "sandbox", "--db", &club.desk.db()]).envs(club.desk.shell.environment());
    command
}

/// Starts a receiver on a free port, with this public key.
fn listen(club: &Club, key: &str) -> Served {
    let file = club.desk.folder.path().join("gateway.pub");
    std::fs::write(&file, key).unwrap();
    let line = format!("webhooks listen --address 127.0.0.1:0 --public-key-file {}", file.display());
    serve_by(of_club(club, &line))
}

/// Runs `webhooks send` with these arguments.
fn send(arguments: &str) -> Ran {
    let mut command = perennial();
    command.args(["webhooks", "send"]).args(arguments.split_whitespace());
    crate::shell::finish(command, "")
}

fn test_key() -> String {
    let ran = send("--print-public-key");
    assert_eq!((ran.code, ran.out.trim().len()), (0, 248), "{}", ran.err);
    ran.out
}

/// Holds: The alerts of a gateway are stored by `webhooks listen`, and make the worker of another process read their charges.
#[test]
fn the_alerts_of_a_gateway_are_received() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    let world = club.desk.shell.world();
    let served = listen(&club, &runtime().block_on(world.webhook_key()).unwrap());
    runtime().block_on(world.webhook(&format!("{}/alerts", served.url()))).unwrap();
    club.desk.shell.advance("P15D");
    let deliveries = runtime().block_on(world.deliveries()).unwrap();
    assert!(deliveries.len() == 1 && deliveries[0].status == Some(200), "{deliveries:?}");
    let alerts = || {
        let database = rusqlite::Connection::open(club.desk.file()).unwrap();
        let sql = "SELECT count(*), coalesce(sum(is_open), 0) FROM perennial_alert";
        database.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap()
    };
    assert_eq!(alerts(), (1, 1));
    let day = || club.json("due-days list --id M-1")[0]["state"].clone();
    assert_eq!(day(), "expected", "an alert changes no due day");
    // The test key is not the gateway's.
    let forged = send(&format!("--url {} --transaction-id 700001", served.url()));
    assert!(forged.code == 3 && forged.err.contains("400"), "{}", forged.err);
    club.work();
    assert_eq!((day(), alerts()), ("paid".into(), (1, 0)));
    let (out, err) = served.stop("TERM");
    assert_eq!(out, "");
    assert!(err.ends_with("alerts: 1 stored, 0 repeated, 1 refused, 0 failed\n"), "{err}");
}

/// Requests to a receiver, and the status and a part of each response.
fn requests() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let post = |length: usize, body: &str| {
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    vec![
        ("a GET", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "405", "an alert is a POST"),
        ("nothing", post(0, ""), "400", "nothing of it is stored"),
        ("no alert", post(2, "{}"), "400", "nothing of it is stored"),
        ("a body that is too large", post(65_537, ""), "413", "at most 65536 bytes"),
        (
            "chunks that are too large",
            {
                let chunk = format!("10000\r\n{}\r\n1\r\na\r\n0\r\n\r\n", "a".repeat(65_536));
                format!("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}")
            },
            "413",
            "at most 65536 bytes",
        ),
        ("no HTTP", "alert\r\n\r\n".to_owned(), "400", ""),
    ]
}

/// Holds: A receiver responds 2xx only after an alert is stored, 4xx to what is no alert, and 5xx while it cannot store.
#[test]
fn a_receiver_says_what_became_of_an_alert() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    let served = listen(&club, &test_key());
    for (name, request, status, part) in requests() {
        let answer = ask(&served, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(part),
            "{name}: {answer}"
        );
    }
    let url = format!("{}/alerts", served.url());
    let rename = |from: &str, to: &str| {
        let database = rusqlite::Connection::open(club.desk.file()).unwrap();
        database.execute(&format!("ALTER TABLE {from} RENAME TO {to}"), []).unwrap();
    };
    for (arguments, code, part) in [
        ("--transaction-id 700007", 0, "status         200"),
        ("--transaction-id 700007", 0, "status         200"),
        ("--transaction-id 700008 --plan-key plan_1 --amount 9 --declined 012", 0, "status         200"),
        ("--transaction-id 700007 --seed another", 3, "400"),
    ] {
        let ran = send(&format!("--url {url} {arguments}"));
        let said = format!("{}{}", ran.out, ran.err);
        assert!(ran.code == code && said.contains(part), "{arguments}: {}\n{said}", ran.code);
    }
    rename("perennial_alert", "moved");
    let ran = send(&format!("--url {url} --transaction-id 700009"));
    assert!(ran.code == 3 && ran.err.contains("503"), "{}", ran.err);
    rename("moved", "perennial_alert");
    assert_eq!(send(&format!("--url {url} --transaction-id 700009")).code, 0);
    let (_, err) = served.stop("INT");
    assert!(err.ends_with("alerts: 3 stored, 1 repeated, 5 refused, 1 failed\n"), "{err}");
    // Nobody listens any more.
    let ran = send(&format!("--url {url}"));
    assert!(ran.code == 69 && ran.err.contains("start it"), "{}", ran.err);
}

/// Lines in their order, each with its status and a part of its output or error.
const LINES: &[(&str, i32, &str)] = &[
    ("events list", 5, "there is no journal"),
    ("members export M-1", 5, "there is no journal"),
    (START, 0, "status        active"),
    ("work --until-idle", 0, "steps"),
    ("events list", 0, "4  subscription.started  M-1           2027-01-15"),
    ("events list --after 4", 0, "nothing found"),
    ("events list --after x", 2, "--after"),
    ("events list --limit 0", 2, "--limit"),
    ("events list --output csv", 0, "position,event,subscription,day,at"),
    ("events list --follow --output csv", 2, "use --output jsonl"),
    ("events list --follow --limit 1", 0, "Z  subscription.started  M-1  2027-01-15\n"),
    ("events list --tenant nobody", 5, "nobody"),
    ("members export M-9", 5, "there is no subscription M-9"),
    ("members export M-1", 0, "\"due-days\""),
    ("members erase M-9 --actor ada --reason left", 5, "there is no subscription M-9"),
    ("members erase M-1 --actor ada", 2, "--reason <TEXT>"),
    ("members erase M-1 --reason left", 2, "pass --actor NAME"),
    ("members erase M-1 --actor ada --reason left", 2, "is not over: cancel it"),
    ("members erase M-1 --actor ada --reason left --dry-run", 2, "is not over: cancel it"),
    ("subscriptions cancel M-1 --now --actor ada", 0, "status        ended"),
    ("members erase M-1 --actor ada --reason left --dry-run", 0, "dry-run       true"),
    ("members export M-1", 0, "\"name\": \"Gold\""),
    ("members erase M-1 --actor ada --reason left --operation-key e-1", 0, "subscriptions 1"),
    ("members erase M-1 --actor ada --reason left --operation-key e-1", 0, "is not taken again"),
    (
        "members erase M-9 --actor ada --reason left --operation-key e-1",
        2,
        "error: the operation key e-1 was used",
    ),
    ("members erase M-1 --actor ada --reason left --operation-key e-2", 0, "subscriptions 0"),
    ("members erase M-9 --actor ada --reason left --operation-key e-2", 2, "e-2 was used for something else"),
    ("members erase M-1 --actor ada --reason left", 0, "subscriptions 0"),
    ("hold on --actor ada --reason prices --operation-key h-1", 0, "hold   true"),
    ("hold on --actor ada --reason prices --operation-key h-1", 0, "is not taken again"),
    ("subscriptions show M-1", 0, "hold          nothing is sent but cancellations of plans: prices"),
    (
        "hold off --actor ada --reason corrected --operation-key h-1",
        2,
        "error: the operation key h-1 was used",
    ),
    ("hold off --actor ada --reason corrected --operation-key h-2", 0, "hold   false"),
    // The request of the first decision arrives again.
    ("hold on --actor ada --reason prices --operation-key h-1", 0, "hold   false"),
    ("hold on --actor ada --reason prices --operation-key e-1", 2, "e-1 was used for something else"),
    ("members erase M-1 --actor ada --reason left --operation-key h-1", 2, "h-1 was used for something else"),
    ("hold on --actor ada --reason prices --operation-key perennial/control", 2, "an operation key has"),
    ("members export M-1", 0, "\"name\": \"erased\""),
    ("subscriptions show M-1", 0, "erased"),
    ("webhooks listen --public-key-file missing.pub", 2, "missing.pub"),
    (
        "webhooks listen --public-key-file Cargo.toml",
        2,
        "has no public key: a public key has 248 hexadecimal digits",
    ),
    ("webhooks listen --public-key-file Cargo.toml --address here", 2, "--address"),
];

/// Holds: Each command about events and members has its exit status and says what it did.
#[test]
fn each_command_does_what_it_says() {
    let club = Club::open();
    for (line, code, part) in LINES {
        let ran = club.run(line);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(ran.code == *code && said.contains(part), "{line}: {}\n{said}", ran.code);
    }
}

/// Arguments of `webhooks send` that are refused, and the reason.
const REFUSED: &[(&str, &str)] = &[
    ("", "--url"),
    ("--url http://example.test/", "literal loopback"),
    ("--url https://127.0.0.1:1/", "literal loopback"),
    ("--url http://127.0.0.1:1/?a=b", "literal loopback"),
    ("--url http://127.0.0.1:1/ --transaction-id a/b", "--transaction-id"),
    ("--url http://127.0.0.1:1/ --amount five", "--amount"),
    ("--url http://127.0.0.1:1/ --print-public-key", "cannot be used with"),
    ("--url http://127.0.0.1:1/ --environment production", "calls no gateway"),
];

/// Holds: A test alert goes to this machine only, and a receiver for a real gateway refuses the key of test alerts.
#[test]
fn test_alerts_stay_on_this_machine() {
    for (arguments, part) in REFUSED {
        let ran = send(arguments);
        assert!(ran.code == 2 && ran.err.contains(part), "{arguments}: {} {}", ran.code, ran.err);
    }
    let club = Club::open();
    let file = club.desk.folder.path().join("test.pub");
    std::fs::write(&file, test_key()).unwrap();
    let mut command = perennial();
    command.args(["webhooks", "listen", "--public-key-file", file.to_str().unwrap()]);
    command.args(["--db", &club.desk.db()]).envs(club.desk.shell.environment());
    let ran = crate::shell::finish(command, "");
    assert!(ran.code == 2 && ran.err.contains("with which everybody can sign"), "{}", ran.err);
}

/// Holds: A reader that follows prints each event as a line when it happens, and ends on a signal.
#[test]
fn events_are_followed() {
    let club = Club::open();
    assert_eq!(club.run(START).code, 0);
    let follow = |arguments: &str| -> (Child, BufReader<std::process::ChildStdout>) {
        let mut command = of_club(&club, &format!("--output json events list --follow{arguments}"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        (child, out)
    };
    let next = |out: &mut BufReader<std::process::ChildStdout>| -> Value {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    };
    let (mut child, mut out) = follow("");
    club.work();
    let started = next(&mut out);
    assert_eq!(
        (&started["event"], &started["subscription"]),
        (&"subscription.started".into(), &"M-1".into())
    );
    let changed = club.run("subscriptions change M-1 --amount 60 --actor ada");
    assert_eq!(changed.code, 0, "{}", changed.err);
    let changed = next(&mut out);
    assert_eq!(changed["event"], "subscription.changed");
    assert!(changed["position"].as_u64() > started["position"].as_u64());
    let kill = format!("kill -s TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // A second reader takes up where the first one was.
    let (mut child, mut out) = follow(&format!(" --limit 1 --after {}", started["position"]));
    assert_eq!(next(&mut out), changed);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let listed = json(&club.run("--output json events list"));
    assert_eq!(&listed.as_array().unwrap()[..2], [started, changed]);
}
