//! First contact of a new user: short help, suggestions for wrong words, no surprises.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::custody::Desk;
use crate::help::leaves;
use crate::shell::{CARD_JSON, KEY, Shell, finish, perennial};
use crate::signals::held;

fn output_of(arguments: &[&str]) -> (i32, String, String) {
    let mut command = perennial();
    command.args(arguments);
    let ran = finish(command, "");
    (ran.code, ran.out, ran.err)
}

#[test]
fn without_arguments_it_helps() {
    let (code, out, err) = output_of(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.contains("Usage: perennial") && out.contains("quickstart") && out.contains("--profile"),
        "{out}"
    );
}

#[test]
fn help_of_a_subcommand_points_to_the_global_options() {
    for leaf in leaves() {
        let path: Vec<&str> = leaf.split(' ').collect();
        for help in ["--help", "-h"] {
            let (code, out, _) = output_of(&[&path[..], &[help]].concat());
            assert_eq!(
                (code, out.matches("\nGlobal options: see perennial --help\n").count()),
                (0, 1),
                "{leaf}: {out}"
            );
            for option in ["--passphrase-file <", "--base-url <", "--ca-file <", "--verbose..."] {
                assert!(!out.contains(option), "{leaf} {help} lists {option}");
            }
        }
    }
}

/// Checks that global options, hidden in the help of a subcommand, are accepted after it.
#[test]
fn global_options_are_taken_anywhere() {
    let shell = Shell::open();
    for line in [
        "--output json customers search --timeout 9",
        "customers --output json search --timeout 9",
        "customers search --timeout 9 --output json",
    ] {
        let ran = shell.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "[]\n", ""), "{line}");
    }
}

#[test]
fn list_and_search_are_the_same_word() {
    let shell = Shell::open();
    let folder = tempfile::tempdir().unwrap();
    let books = format!(" --clock sandbox --db sqlite:{}", folder.path().join("books.db").display());
    let (mut listed, mut tree) = (0, leaves());
    tree.retain(|leaf| leaf.ends_with(" list") || leaf.ends_with(" search"));
    for leaf in tree {
        let other = match leaf.strip_suffix(" list") {
            Some(path) => format!("{path} search"),
            None => leaf.replace(" search", " list"),
        };
        let argument = match leaf.as_str() {
            "customers tokens list" => " cust_nobody",
            "clientpay search" => " --from 2027-01-01",
            "journal list" => " --db sqlite:/missing/journal.db",
            "subscriptions list" | "due-days list" | "events list" => books.as_str(),
            _ => "",
        };
        let run = |path: &str| {
            let ran = shell.run(&format!("{path}{argument}").split(' ').collect::<Vec<_>>());
            (ran.code, ran.out)
        };
        assert_eq!(run(&other), run(&leaf), "{leaf}");
        assert_ne!(run(&leaf).0, 2, "{leaf}");
        listed += 1;
    }
    assert!(listed >= 9, "{listed}");
}

#[test]
fn a_wrong_word_is_answered_with_the_right_one() {
    for (line, message) in [
        ("customer list", "'customers'"),
        ("plan create", "'plans'"),
        ("transaction", "'transactions'"),
        ("customers lst", "'list'"),
        ("customers show cust_ada", "a command for it is 'get'"),
        ("customers add", "a command for it is 'create'"),
        ("tokens rm 11", "a command for it is 'delete'"),
        ("plans pause plan_1", "a command for it is 'suspend'"),
        ("transactions charge", "a command for it is 'sale'"),
        ("batches close", "a command for it is 'settle'"),
        ("sandbox start", "a command for it is 'serve'"),
        ("login", "a command for it is 'connect'"),
        ("help", "perennial --help"),
        ("sale", "such commands are 'perennial transactions sale'"),
        ("refund --id 1", "'perennial transactions refund', 'perennial clientpay refund'"),
        ("payments frobnicate", "the commands here are list"),
        ("customers search --emial x", "'--email'"),
        ("customers search --name Ada", "similar options are '--first-name', '--last-name', '--plan-name'"),
        ("plans create --customer c", "'--customer-key'"),
        ("plans create --amount 5", "--payment-amount"),
        ("customers search --outptu json", "'--output'"),
        ("customers search --output jsn", "'json'"),
        ("customers search --format yaml", "[possible values: json, xml]"),
        ("--environment prod customers search", "'production'"),
        ("profiles --store keychian", "'keychain'"),
        ("clientpay pay --api-version 3", "[possible values: 2.0, 1.0]"),
        ("completions bahs", "'bash'"),
        ("plans search --csv-bom", "--csv-bom is for CSV: add --output csv, or leave it out"),
    ] {
        let (code, out, err) = output_of(&line.split(' ').collect::<Vec<_>>());
        assert_eq!((code, out.as_str()), (2, ""), "{line}");
        assert!(err.contains(message), "{line}: {err}");
    }
}

#[test]
fn a_clock_that_is_moved_otherwise_lists_every_form() {
    let shell = Shell::open();
    for wrong in ["1M", "P1X", "P", "tomorrow", "2027-13-01", "2027-03-01 12:00"] {
        let ran = shell.run(&["sandbox", "advance", wrong]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{wrong}");
        for form in ["P1M, P1Y2M10D or P1DT12H", "2027-03-01,", "2027-03-01T12:00:00Z"] {
            assert!(ran.err.contains(form), "{wrong}: {}", ran.err);
        }
    }
    let back = shell.run(&["sandbox", "advance", "2020-01-01"]);
    assert!(back.code == 2 && back.err.contains("must not be before the world's clock"), "{}", back.err);
}

#[test]
fn without_a_store_there_are_no_profiles() {
    let desk = Desk::new();
    let mut command = perennial();
    command.args(["profiles"]).env("HOME", desk.home());
    let ran = finish(command, "");
    let message = "no keys are stored: `perennial connect NAME` stores one\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", message));
    for (output, expected) in [("json", "[]\n"), ("jsonl", ""), ("csv", "profile,environment\r\n")] {
        let mut command = perennial();
        command.args(["profiles", "--output", output]).env("HOME", desk.home());
        let ran = finish(command, "");
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, expected, ""), "{output}");
    }
}

#[test]
fn csv_for_excel_begins_with_a_mark() {
    let shell = Shell::open();
    let with = shell.run(&["plans", "search", "--output", "csv", "--csv-bom"]);
    let without = shell.run(&["plans", "search", "--output", "csv"]);
    assert_eq!((with.code, with.out), (0, format!("\u{feff}{}", without.out)));
}

/// Checks that a firm's order numbers and ids of other systems do not count as secrets.
///
/// Holds: An argument that only looks like a secret can be allowed, and the key itself cannot.
#[test]
fn what_only_looks_like_a_secret_can_be_accepted() {
    let shell = Shell::open();
    let search = ["transactions", "search", "--order-id", "4111111111111111"];
    let refused = shell.run(&search);
    assert!(refused.code == 2 && refused.err.contains("add --allow-lookalikes"), "{}", refused.err);
    let accepted = shell.run(&[&search[..], &["--allow-lookalikes"]].concat());
    assert_eq!((accepted.code, accepted.err.as_str()), (0, "nothing found\n"));
    // The key itself is never allowed.
    let key = shell.run(&["customers", "search", "--email", shell.key(), "--allow-lookalikes"]);
    assert!(key.code == 2 && key.err.contains("the secret of PERENNIAL_API_KEY"), "{}", key.err);
    assert!(!key.err.contains(shell.key()));
}

#[test]
fn a_proxy_of_the_environment_is_not_used_and_that_is_reported_once() {
    let shell = Shell::open();
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let mut command = perennial();
        command.args(["--base-url", shell.url(), "customers", "search", "--output", "json"]);
        command.envs(shell.environment()).env(variable, "http://127.0.0.1:9");
        let ran = finish(command, "");
        let message = format!("{variable} is set and not used: pass --proxy URL to call through a proxy\n");
        assert_eq!((ran.code, ran.out.as_str(), ran.err), (0, "[]\n", message));
    }
    for (proxy, code, message) in [
        ("socks5://127.0.0.1:9", 2, "--proxy: the proxy is not a URL such as"),
        ("http://ada:secret@127.0.0.1:9", 2, "a URL with a password is never an argument"),
        ("http://127.0.0.1:9", 69, "error: "),
    ] {
        let mut command = perennial();
        command.args(["--base-url", "https://gateway.example", "customers", "search", "--proxy", proxy]);
        command.env("PERENNIAL_API_KEY", KEY).env("HTTPS_PROXY", "http://127.0.0.1:9");
        let ran = finish(command, "");
        assert_eq!(ran.code, code, "{proxy}: {}", ran.err);
        assert!(
            ran.err.contains(message) && !ran.err.contains("secret@") && !ran.err.contains("HTTPS_PROXY"),
            "{}",
            ran.err
        );
    }
}

/// Checks that tables show names, without a call for each row.
#[test]
fn plans_and_payments_name_the_customer() {
    let shell = Shell::open();
    let run = |line: &str, stdin: &str| {
        let ran = shell.run_with(&line.split(' ').collect::<Vec<_>>(), stdin);
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        ran.out
    };
    run("customers create --first-name Ada --last-name Byron --customer-key member-7", "");
    let token =
        run("tokens create --description card --customer-key member-7 --card-stdin --output json", CARD_JSON);
    let token: serde_json::Value = serde_json::from_str(&token).unwrap();
    let token = token["token-id"].as_str().unwrap();
    run(
        &format!(
            "plans create --plan-name Gold --customer-key member-7 --token-id {token} --frequency-day 15 --payment-amount 50 \
             --start-date 2027-01-01 --end-date 2027-12-31 --status ACTIVE"
        ),
        "",
    );
    shell.advance("P3M");
    for line in ["plans search", "payments list"] {
        let table = run(line, "");
        let (header, rows) = table.split_once('\n').unwrap();
        assert!(header.contains("customer-name"), "{table}");
        let rows: Vec<&str> = rows.lines().skip(1).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.contains("Ada Byron")), "{table}");
    }
    let payments = run("payments list", "");
    assert!(
        payments.lines().next().unwrap().contains("customer-key") && payments.contains("member-7"),
        "{payments}"
    );
    // Output for programs has the gateway's data unchanged.
    assert!(!run("payments list --output json", "").contains("customer-name"));
    let log = run("sandbox log --output json --limit 500", "");
    let log: Vec<serde_json::Value> = serde_json::from_str(&log).unwrap();
    let gets = log.iter().filter(|entry| entry["operation"] == "customers.get").count();
    assert_eq!(gets, 2, "one for each table of payments; the sandbox reports the name with the plan");
}

/// Checks that other processes of the user can read neither its memory nor its environment.
///
/// Holds: Other processes of the user cannot read the memory of the command.
#[cfg(target_os = "linux")]
#[test]
fn the_process_is_not_dumpable() {
    let shell = Shell::open();
    let uid = fs::metadata("/proc/self").unwrap().uid();
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
    command.env_clear().args(["--base-url", shell.url(), "customers", "search"]).envs(shell.environment());
    if uid == 0 {
        command.uid(65_534);
    }
    let mut child = held(&shell, "customers.search", command, "");
    // The files of a process that is not dumpable belong to root.
    let owner = fs::metadata(format!("/proc/{}/environ", child.id())).unwrap().uid();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(owner, 0);
}
