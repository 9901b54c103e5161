//! Writes under an operation key: after a kill, on hold, and with a person.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use perennial_sandbox::{Effect, Fault};
use serde_json::Value;

use crate::desk::{Desk, effects, kind};
use crate::leaves;
use crate::shell::{CARD_JSON, Ran, Shell, finish, perennial, runtime};
use crate::signals::held;

/// Ends the claims of a killed process, as two minutes do.
pub(crate) fn end_claims(file: &Path) {
    let journal = rusqlite::Connection::open(file).unwrap();
    journal.execute("UPDATE perennial_intent SET lease_until = 1 WHERE lease_until IS NOT NULL", []).unwrap();
}

/// Holds: A write whose process is killed is found by the same command, and is never made a second time.
#[test]
fn a_killed_write_is_found() {
    for (path, operation) in [
        ("customers create", "customers.create"),
        ("plans create", "plans.create"),
        ("transactions sale", "transactions.sale"),
    ] {
        let desk = Desk::of(Shell::open());
        assert_eq!(desk.write("first", "customers create --first-name Eve --last-name Hope", "").code, 0);
        let leaf = leaves::all().iter().find(|leaf| leaf.path == path).unwrap();
        let (mut command, stdin) = leaf.command(&desk.shell, desk.folder.path());
        command.args(["--output", "json", "--operation-key", "k", "--clock", "sandbox"]);
        let before = effects(&desk.log(), operation, "");
        let mut started = perennial();
        started.args(command.get_args()).args(["--db", &desk.db()]).envs(desk.shell.environment());
        let mut child = held(&desk.shell, operation, started, &stdin);
        child.kill().unwrap();
        child.wait().unwrap();
        desk.assert_no_card();
        runtime().block_on(desk.shell.world().clear_faults()).unwrap();
        // The claim of the killed process lasts.
        let second = desk.again(&command, &stdin);
        assert_eq!(second.code, 75, "{path}: {}{}", second.out, second.err);
        assert!(second.err.contains("the same command again is safe"), "{path}: {}", second.err);
        end_claims(&desk.file());
        desk.shell.advance("PT10M");
        let third = desk.again(&command, &stdin);
        assert_eq!(third.code, 0, "{path}: {}", third.err);
        let printed: Value = serde_json::from_str(&third.out).unwrap();
        assert!(printed["operation"]["how"].is_string(), "{path}: {printed}");
        let fourth = desk.again(&command, &stdin);
        let printed: Value = serde_json::from_str(&fourth.out).unwrap();
        assert_eq!((fourth.code, &printed["operation"]["how"]), (0, &"replayed".into()), "{path}");
        // The killed request may be recorded only when its delay ends.
        assert!(effects(&desk.log(), operation, "") - before <= 1, "{path}");
        match path {
            "plans create" => assert_eq!(desk.count("plans search --all", |_| true), 1),
            "transactions sale" => assert_eq!(desk.count("transactions search --all", |_| true), 1),
            _ => assert_eq!(desk.count("customers search --last-name Byron --all", |_| true), 1),
        }
    }
}

const SALE: &str = "transactions sale --amount 25 --card-stdin";

#[test]
fn a_key_is_one_decision() {
    let desk = Desk::of(Shell::open());
    let first = desk.write("fee", SALE, CARD_JSON);
    assert_eq!(first.code, 0, "{}", first.err);
    let sent =
        desk.shell.run(&["--output", "json", "sandbox", "log"]).out.matches("transactions.sale").count();
    let other = desk.write("fee", "transactions sale --amount 26 --card-stdin", CARD_JSON);
    assert_eq!((other.code, kind(&other).as_str()), (2, "journal"), "{}", other.err);
    let again = desk.write("fee", SALE, CARD_JSON);
    let [first, again] = [first, again].map(|ran| serde_json::from_str::<Value>(&ran.out).unwrap());
    assert_eq!((&first["id"], &again["operation"]["how"]), (&again["id"], &"replayed".into()));
    let log = desk.shell.run(&["--output", "json", "sandbox", "log"]).out;
    assert_eq!(log.matches("transactions.sale").count(), sent);
    // The same without a key, but for the operation.
    let table = desk.run(&format!("{SALE} --operation-key other --clock sandbox"), CARD_JSON);
    assert!(table.out.starts_with("id ") && !table.out.contains("operation"), "{}", table.out);
    // A declined charge is declined, and a new decision is a new key.
    let declined = "transactions sale --amount 0.21 --order-id A-7 --card-stdin";
    for _ in 0..2 {
        let ran = desk.write("declined", declined, CARD_JSON);
        assert_eq!((ran.code, kind(&ran).as_str()), (4, "declined"), "{}", ran.err);
    }
    let ran = desk.write("better", "transactions sale --amount 25 --order-id A-7 --card-stdin", CARD_JSON);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = desk.write("refused", "transactions void 123", "");
    assert_eq!((ran.code, kind(&ran).as_str()), (3, "refused"), "{}", ran.err);
}

/// Holds: An invoice that is paid under an operation key is charged once, whatever the key.
#[test]
fn an_invoice_is_paid_once() {
    let desk = Desk::of(Shell::open());
    let pay = |key: &str, amount: &str| {
        let line = format!("invoice pay --number INV-1 --date 2027-01-04 --line Labor={amount} --card-stdin");
        let ran = desk.write(key, &line, CARD_JSON);
        let printed: Value = serde_json::from_str(&ran.out).unwrap_or_default();
        (ran.code, printed["status"].clone(), printed["charged"].clone())
    };
    assert_eq!(pay("a", "0.21"), (4, "unpaid".into(), false.into()));
    desk.fault(&Fault::on("transactions.sale", Effect::DropReply).nth(1));
    assert_eq!(pay("b", "25.00"), (0, "paid".into(), true.into()));
    assert_eq!(pay("b", "25.00"), (0, "paid".into(), false.into()));
    assert_eq!(pay("c", "25.00"), (0, "paid".into(), false.into()));
    assert_eq!(pay("d", "26.00"), (3, Value::Null, Value::Null));
    assert_eq!(desk.count("transactions search --all", |charge| charge["result"] == "APPROVED"), 1);
    assert_eq!(desk.shell.run(&["invoice", "status", "INV-1"]).code, 0);
}

/// Holds: A person sees why an intent waits, and decides it with the command that is shown.
#[test]
fn a_person_decides() {
    let desk = Desk::of(Shell::open());
    let lost = Fault::on("transactions.sale", Effect::ErrorBefore { status: 500 }).times(2);
    desk.fault(&lost);
    for key in ["one", "two"] {
        assert_eq!(desk.write(key, SALE, CARD_JSON).code, 75);
    }
    desk.shell.advance("PT10M");
    let idle = desk.run("journal run --until-idle --clock sandbox --output json", "");
    assert_eq!(idle.code, 0, "{}", idle.err);
    let printed = desk.run("--output json journal list --state needs-person", "");
    let listed: Vec<Value> = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(listed.len(), 2, "{}", printed.out);
    let doctor = desk.run("--output json journal doctor", "");
    let report: Value = serde_json::from_str(&doctor.out).unwrap();
    assert_eq!((doctor.code, report["tenants"][0]["needs-person"].as_u64()), (1, Some(2)), "{}", doctor.out);
    let shown = desk.run("journal show one", "");
    let command = shown.out.lines().find_map(|line| line.strip_prefix("if done")).unwrap().trim();
    assert!(
        command.starts_with("perennial journal resolve ") && command.contains("--db sqlite:"),
        "{command}"
    );
    assert!(!shown.out.contains("4111"), "{}", shown.out);
    let resolved = desk.run("journal resolve one --as done --id 700001 --reason portal --actor ada", "");
    assert_eq!(resolved.code, 0, "{}", resolved.err);
    let done = desk.write("one", SALE, CARD_JSON);
    let printed: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((done.code, &printed["id"]), (0, &"700001".into()), "{}", done.err);
    assert_eq!(desk.run("journal resolve two --as not-done --reason gone --actor ada", "").code, 0);
    let ran = desk.write("two", SALE, CARD_JSON);
    assert_eq!((ran.code, kind(&ran).as_str()), (3, "refused"), "{}", ran.err);
    assert_eq!(desk.run("journal resolve two --as not-done --reason gone --actor ada", "").code, 2);
    let shown: Value = serde_json::from_str(&desk.run("--output json journal show two", "").out).unwrap();
    assert_eq!(shown["decisions"][0]["actor"], "ada", "{shown}");
    assert_eq!(desk.run("journal doctor", "").code, 0);
    let events = desk.run("--output json journal events --after 2", "");
    let events: Vec<Value> = serde_json::from_str(&events.out).unwrap();
    assert_eq!(events[0]["position"], 3, "{events:?}");
    assert_eq!(effects(&desk.log(), "transactions.sale", "error-before"), 0);
}

/// Holds: Nothing is sent for a tenant on hold, and the worker sends what waited when the hold ends.
#[test]
fn a_hold_stops_what_is_sent() {
    let desk = Desk::of(Shell::open());
    let create = "customers create --first-name Ada --last-name Byron";
    assert_eq!(desk.write("first", create, "").code, 0);
    assert_eq!(desk.run("hold on --reason prices --actor ada", "").code, 0);
    for key in ["second", "third"] {
        let ran = desk.write(key, create, "");
        assert_eq!((ran.code, kind(&ran).as_str()), (75, "planned"), "{}", ran.err);
        assert!(ran.err.contains("on hold (prices)"), "{}", ran.err);
    }
    assert_eq!(desk.run("journal doctor", "").code, 1);
    let withdrawn = desk.run("journal withdraw third --reason late --actor ada", "");
    assert_eq!(withdrawn.code, 0, "{}", withdrawn.err);
    assert_eq!(desk.run("hold off --reason corrected --actor ada", "").code, 0);
    assert_eq!(desk.write("second", create, "").code, 0);
    assert_eq!(desk.write("third", create, "").code, 3);
    assert_eq!(desk.count("customers search --last-name Byron", |_| true), 2);
    assert_eq!(desk.run("journal doctor", "").code, 0);
    let adopted = desk.run("journal adopt --clock sandbox --quiet 60 --reason restored --actor ada", "");
    assert_eq!(adopted.code, 0, "{}", adopted.err);
    let ran = desk.write("fourth", create, "");
    assert_eq!((ran.code, kind(&ran).as_str()), (75, "planned"), "{}", ran.err);
    desk.shell.advance("PT5M");
    let looked = desk.run("--output json journal look fourth --clock sandbox", "");
    assert_eq!(looked.code, 0, "{}{}", looked.out, looked.err);
}

#[test]
fn a_tenant_is_one_merchant() {
    let desk = Desk::of(Shell::open());
    let create = ["customers", "create", "--first-name", "Ada", "--last-name", "Byron"];
    let db = desk.db();
    let run = |key: &str, more: &[&str]| {
        let mut command = perennial();
        command.args(create).args(["--db", &db, "--operation-key", key, "--output", "json"]).args(more);
        command.envs(desk.shell.environment());
        command
            .env("PERENNIAL_API_KEY_NORTH", desk.shell.key())
            .env("PERENNIAL_ENVIRONMENT_NORTH", desk.shell.url());
        command
    };
    let profile = ["--profile", "north", "--store", "variables", "--clock", "sandbox"];
    let base = ["--base-url", desk.shell.url()];
    assert_eq!(finish(run("a", &profile), "").code, 0);
    // Without a profile, it is the tenant that has this merchant already.
    assert_eq!(finish(run("a", &base), "").code, 0);
    assert_eq!(desk.count("customers search --last-name Byron", |_| true), 1);
    // Another tenant is another decision under the same key, and must be named.
    let south = ["--base-url", desk.shell.url(), "--clock", "sandbox", "--tenant", "south"];
    let mut profile = run("a", &["--profile", "south", "--store", "variables", "--clock", "sandbox"]);
    profile
        .env("PERENNIAL_API_KEY_SOUTH", desk.shell.key())
        .env("PERENNIAL_ENVIRONMENT_SOUTH", desk.shell.url());
    let refused = finish(profile, "");
    assert!(refused.code == 2 && refused.err.contains("--tenant north"), "{}", refused.err);
    assert_eq!(finish(run("a", &south), "").code, 0);
    assert_eq!(desk.count("customers search --last-name Byron", |_| true), 2);
    let ambiguous = desk.run("journal show a", "");
    assert!(ambiguous.code == 2 && ambiguous.err.contains("--tenant"), "{}", ambiguous.err);
    let other = desk.shell.beside(8);
    let mut command = run("b", &["--base-url", desk.shell.url(), "--clock", "sandbox", "--tenant", "north"]);
    command.env("PERENNIAL_API_KEY", other.key());
    let ran = finish(command, "");
    assert!(ran.code == 2 && ran.err.contains("bound to another merchant"), "{}", ran.err);
}

#[test]
fn the_usual_journal_is_its_owners_alone() {
    let (shell, home) = (Shell::open(), tempfile::tempdir().unwrap());
    let run = |arguments: &[&str]| {
        let mut command = perennial();
        command.args(["--base-url", shell.url()]).args(arguments);
        command.envs(shell.environment()).env("HOME", home.path());
        finish(command, "")
    };
    let list = run(&["journal", "list"]);
    assert!(list.code == 5 && list.err.contains("there is no journal"), "{}", list.err);
    let create =
        ["customers", "create", "--first-name", "Ada", "--last-name", "Byron", "--operation-key", "k"];
    // A dry run stores nothing.
    assert_eq!(run(&[&create[..], &["--dry-run"]].concat()).code, 0);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    assert_eq!(run(&create).code, 0);
    let folder = home.path().join(".local/share/perennial");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("journal.db"))), (0o700, 0o600));
    assert_eq!(run(&["journal", "list"]).code, 0);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    let desk = Desk::of(Shell::open());
    let broken = desk.folder.path().join("broken.db");
    fs::write(&broken, "this is no database, and it is long enough to be read as one".repeat(20)).unwrap();
    let broken = format!("sqlite:{}", broken.display());
    let create = "customers create --first-name Ada --last-name Byron";
    let long = "k".repeat(201);
    for (line, message) in [
        (format!("{create} --operation-key {long}"), "1 to 200 characters"),
        (format!("{create} --operation-key k --timeout 61"), "--timeout 60"),
        (format!("{create} --clock sandbox"), "add --operation-key"),
        (format!("{create} --operation-key k --db {broken}"), "broken.db"),
        (format!("{create} --operation-key k --db sqlite:/missing/journal.db"), "its folder must exist"),
        (format!("{create} --operation-key k --db mysql://here"), "give sqlite:PATH"),
        (format!("{create} --tenant north"), "--tenant is for the journal"),
        ("clientpay refund 1 --operation-key k --request-id r-1".to_owned(), "cannot be used with"),
        ("clientpay refund 1 --operation-key k --resend-after 5".to_owned(), "cannot be used with"),
    ] {
        let ran = desk.shell.run(&line.split(' ').collect::<Vec<_>>());
        assert!(ran.code == 2 && ran.err.contains(message), "{line}: {} {}", ran.code, ran.err);
    }
    let mut elsewhere = perennial();
    elsewhere.args(create.split(' ')).args([
        "--operation-key",
        "k",
        "--clock",
        "sandbox",
        "--db",
        &desk.db(),
    ]);
    let ran = finish(
        {
            elsewhere.envs(desk.shell.environment());
            elsewhere
        },
        "",
    );
    assert!(ran.code == 2 && ran.err.contains("a sandbox on this machine"), "{}", ran.err);
    assert_eq!(effects(&desk.log(), "customers.create", ""), 0);
    let missing = desk.run("journal show nothing", "");
    assert_eq!(missing.code, 5, "{}", missing.err);
}

/// Holds: A plan whose activation waits is shown with its activation under the key of its creation, and a journal in memory is refused.
#[test]
fn a_plan_that_waits_for_its_activation_is_shown_by_its_key() {
    let desk = Desk::of(Shell::open());
    let customer = desk.run("--output json customers create --first-name Ada --last-name Byron", "");
    let of = |ran: &Ran, name: &str| {
        let printed: Value = serde_json::from_str(&ran.out).unwrap();
        printed[name].as_str().unwrap().to_owned()
    };
    let customer = of(&customer, "customer-key");
    let create =
        format!("--output json tokens create --description card --card-stdin --customer-key {customer}");
    let token = of(&desk.run(&create, CARD_JSON), "token-id");
    let create = format!(
        "plans create --plan-name Gold --customer-key {customer} --token-id {token} --frequency-day 15 \
         --payment-amount 50 --start-date 2027-01-01 --end-date 2027-12-31 --status ACTIVE"
    );
    desk.fault(&Fault::on("plans.update", Effect::ErrorBefore { status: 500 }).nth(1));
    let ran = desk.write("k", &create, "");
    assert_eq!(ran.code, 75, "{}{}", ran.out, ran.err);
    let shown: Value = serde_json::from_str(&desk.run("--output json journal show k", "").out).unwrap();
    assert_eq!(
        (&shown["operation"], &shown["state"]),
        (&"plans.update".into(), &"unknown".into()),
        "{shown}"
    );
    desk.shell.advance("PT10M");
    let again = desk.write("k", &create, "");
    assert_eq!(again.code, 0, "{}", again.err);
    let shown: Value = serde_json::from_str(&desk.run("--output json journal show k", "").out).unwrap();
    assert_eq!((&shown["operation"], &shown["state"]), (&"plans.create".into(), &"done".into()), "{shown}");
    let line = ["customers", "create", "--first-name", "Ada", "--last-name", "Byron", "--operation-key", "m"];
    let mut memory = perennial();
    memory
        .args(line)
        .args(["--db", "sqlite::memory:", "--base-url", desk.shell.url()])
        .envs(desk.shell.environment());
    let ran = finish(memory, "");
    assert!(ran.code == 2 && ran.err.contains("forgets its operation keys"), "{}", ran.err);
}
