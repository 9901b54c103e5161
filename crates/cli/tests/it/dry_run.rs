//! `--dry-run`: shows every request without its secrets, and sends none.

use serde_json::{Value, json};

use crate::leaves::{self, Leaf};
use crate::shell::{ACCOUNT, CARD, CARD_JSON, CSC, Ran, Shell, finish, perennial, runtime};

/// The whole state of a world.
fn state(shell: &Shell) -> String {
    runtime().block_on(shell.world().state()).unwrap()
}

/// Requests to the world, newest first.
fn sent(shell: &Shell) -> Vec<String> {
    let ran = shell.run(&["--output", "json", "sandbox", "log", "--limit", "500"]);
    let log: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    log.iter().map(|entry| entry["operation"].as_str().unwrap().to_owned()).collect()
}

/// Requests that a dry run may send.
const READS: &[&str] = &[
    "access.current",
    "batches.open",
    "customer-tokens.list",
    "customers.get",
    "payments.list",
    "plans.get",
    "plans.search",
    "tokens.get",
    "transactions.get",
    "transactions.search",
];

fn rehearse(leaf: &Leaf, shell: &Shell, output: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let (mut command, stdin) = leaf.command(shell, folder.path());
    let (before, sent_before) = (state(shell), sent(shell).len());
    command.args(["--dry-run", "--output", output]);
    let ran = finish(command, &stdin);
    assert_eq!(state(shell), before, "{} has changed something", leaf.path);
    let sent = sent(shell);
    let (sent, _) = sent.split_at(sent.len() - sent_before);
    assert!(sent.iter().all(|call| READS.contains(&call.as_str())), "{} sends {sent:?}", leaf.path);
    let environment = shell.environment();
    let secrets = environment.iter().map(|(_, secret)| secret.as_str());
    for secret in secrets.chain([CARD, "4111 1111", CSC, ACCOUNT, "AGE-SECRET-KEY"]) {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{} tells a secret", leaf.path);
    }
    if let Ok(id) = std::fs::read_to_string(folder.path().join("access")) {
        assert!(!ran.out.contains(&id), "{} tells the access id", leaf.path);
    }
    ran
}

/// Runs every command, so that no future one can send a request that it should only show.
///
/// Holds: No command with `--dry-run` changes anything.
#[test]
fn no_command_changes_anything() {
    let shell = Shell::open();
    for leaf in leaves::all() {
        let ran = rehearse(leaf, &shell, "json");
        if !leaf.changes {
            let report: Value = serde_json::from_str(&ran.err).unwrap();
            let why = format!("{} changes nothing that a dry run could show: leave out --dry-run", leaf.path);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", leaf.path);
            assert_eq!(report["error"]["message"], why.as_str());
            continue;
        }
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", leaf.path);
        let printed: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(printed["dry-run"], true, "{}", leaf.path);
        if ["connect", "disconnect"].contains(&leaf.path) {
            assert!(printed["profile"].is_string() && printed["environment"].is_string(), "{printed}");
            continue;
        }
        // They change the journal, and no gateway at once, or show charges and no request.
        if [
            "journal",
            "hold",
            "members",
            "subscriptions",
            "due-days",
            "recovery",
            "books",
            "webhooks",
            "work",
        ]
        .iter()
        .any(|own| leaf.path.starts_with(own))
        {
            continue;
        }
        let method = printed["request"]["method"].as_str().unwrap();
        assert!(["POST", "PUT", "DELETE"].contains(&method), "{}: {printed}", leaf.path);
        let url = printed["request"]["url"].as_str().unwrap();
        assert!(url.starts_with(shell.url()), "{}: {url}", leaf.path);
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Holds: A dry run shows whole requests without secrets.
#[test]
fn whole_requests() {
    let shell = Shell::open();
    for (line, stdin, method, path, body) in [
        (
            "customers create --first-name Ada --last-name Byron",
            "",
            "POST",
            "/rest/v2/customers",
            r#"{"first-name":"Ada","last-name":"Byron"}"#,
        ),
        (
            "--format xml customers create --first-name Ada --last-name Byron",
            "",
            "POST",
            "/rest/v2/customers",
            "<customer><first-name>Ada</first-name><last-name>Byron</last-name></customer>",
        ),
        (
            "transactions sale --amount 25 --card-stdin",
            CARD_JSON,
            "POST",
            "/rest/v2/transactions/sale",
            r#"{"type":"SALE","card":"***","card-type":"VISA","exp-date":"1230","amount":"25.00","csc":"***"}"#,
        ),
        ("tokens delete 1100000000555551111", "", "DELETE", "/rest/v2/tokens/1100000000555551111", ""),
        (
            "clientpay pay --total-amount 5 --card-stdin",
            CARD_JSON,
            "POST",
            "/v2/payment",
            r#"{"token":{"requestId":"a-new-request-id"},"totalAmount":5.00,"creditCard":{"cardNumber":"***","expirationDateMonth":12,"expirationDateYear":2030,"cvv":"***"}}"#,
        ),
        (
            "clientpay --api-version 1.0 access new",
            "",
            "POST",
            "/Token/Access/New",
            r#"{"integratorKey":"***","accountKey":"***","accountPin":"***"}"#,
        ),
    ] {
        let ran =
            shell.run_with(&[&["--dry-run", "--output", "json"], words(line).as_slice()].concat(), stdin);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        let printed: Value = serde_json::from_str(&ran.out).unwrap();
        let Value::Object(mut request) = printed["request"].clone() else { panic!("{line}: {printed}") };
        let headers = request.remove("headers").unwrap();
        for (name, value) in headers.as_object().unwrap() {
            let secret = ["api-key", "accessid", "authorization"].contains(&name.as_str());
            assert_eq!(value == "***", secret, "{line}: {name}");
        }
        let mut expected = json!({ "method": method, "url": format!("http://sandbox{path}"), "body": body });
        if body.is_empty() {
            expected.as_object_mut().unwrap().remove("body");
        }
        assert_eq!(Value::from(request), expected, "{line}");
    }
}

/// Checks that the dates are those of the changed plan, without past ones.
///
/// Holds: A dry run of a plan shows the charges that would follow.
#[test]
fn charges_that_would_come() {
    let shell = Shell::open();
    let charge = |number: u64, date: &str, total: &str| json!({ "charge": number, "date": date, "payment-amount": "50.00", "total": total });
    let create = |status: &str, year: u16| {
        let line = format!(
            "--dry-run --output json plans create --plan-name Gold --customer-key cust_ada --token-id 1100000000555551111 \
             --frequency-day 15 --payment-amount 50 --start-date {year}-10-16 --end-date {year}-12-31 --status {status}"
        );
        let ran = shell.run(&line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()["charges"].clone()
    };
    let coming = json!([charge(1, "2199-11-15", "50.00"), charge(2, "2199-12-15", "100.00")]);
    assert_eq!(create("ACTIVE", 2199), coming);
    assert_eq!(create("SUSPENDED", 2199), Value::Null);
    assert_eq!(create("ACTIVE", 2020), json!([]));

    let leaf = |path: &str| leaves::all().iter().find(|leaf| leaf.path == path).unwrap();
    let ran = rehearse(leaf("plans activate"), &shell, "table");
    let (request, charges) = ran.out.split_once("\n\n").unwrap();
    assert!(request.starts_with("PUT ") && request.contains("\napi-key: ***\n"), "{request}");
    assert!(charges.starts_with("{\"status\":\"ACTIVE\"}\n"), "{charges}");
    assert_eq!(ran.err, "a dry run: this was not sent\n");
}

/// Checks that reads, which are sent, find the reason of a refusal.
#[test]
fn what_stands_in_the_way_is_reported() {
    let shell = Shell::open();
    let plan = leaves::all().iter().find(|leaf| leaf.path == "plans get").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (command, _) = plan.command(&shell, folder.path());
    assert_eq!(finish(command, "").code, 0);
    for (line, code, message) in [
        ("customers delete cust_ada", 3, "plan"),
        ("plans delete plan_none", 5, "no such object"),
        ("plans activate plan_none", 5, "no such object"),
        ("customers update cust_ada", 2, "rule"),
        ("clientpay payers page --duration x", 2, "rule"),
        ("disconnect nobody --store variables", 5, "nobody"),
    ] {
        let line = [&["--dry-run"], words(line).as_slice()].concat();
        let ran = if line.contains(&"disconnect") {
            let mut command = perennial();
            command.args(&line);
            finish(command, "")
        } else {
            shell.run(&line)
        };
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{line:?}: {}", ran.err);
        assert!(ran.err.contains(message), "{line:?}: {}", ran.err);
    }
}
