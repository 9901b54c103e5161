//! Every write of the command under every fault: the same command again makes one effect.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use perennial_sandbox::{Effect, Fault};
use serde_json::Value;

use crate::desk::{Desk, effects, kind};
use crate::leaves::{self, Leaf};
use crate::shell::{CARD_JSON, Shell};

/// The writes of Clearent that take an operation key.
fn writes() -> Vec<&'static Leaf> {
    let own = |leaf: &&Leaf| {
        !leaf.operation.is_empty() && !leaf.path.starts_with("clientpay") && leaf.path != "invoice page"
    };
    leaves::all().iter().filter(own).collect()
}

/// Whether a person decides about an absence.
fn is_money(operation: &str) -> bool {
    operation.starts_with("transactions.") || operation == "batches.settle"
}

pub(crate) const FAULTS: [&str; 4] = ["drop-reply", "error-after", "error-before", "cut-reply"];

pub(crate) fn effect(fault: &str) -> Effect {
    match fault {
        "drop-reply" => Effect::DropReply,
        "error-after" => Effect::ErrorAfter { status: 500 },
        "error-before" => Effect::ErrorBefore { status: 500 },
        _ => Effect::CutReply { at_byte: 20 },
    }
}

/// Runs a write under a fault, and the same command ten minutes later.
fn once(leaf: &Leaf, format: &str, fault: &str, shell: Shell) {
    let (desk, operation) = (Desk::of(shell), leaf.operation);
    let name = format!("{} ({format}, {fault})", leaf.path);
    let (mut command, stdin) = leaf.command(&desk.shell, desk.folder.path());
    command.args(["--format", format, "--output", "json", "--operation-key", "k", "--clock", "sandbox"]);
    let before = desk.log();
    // The first customer is the control customer of the tenant.
    let nth = if operation == "customers.create" { 2 } else { 1 };
    desk.fault(&Fault::on(operation, effect(fault)).nth(nth));
    let first = desk.again(&command, &stdin);
    assert!([0, 75].contains(&first.code), "{name}: {} {}", first.code, first.err);
    desk.shell.advance("PT10M");
    let second = desk.again(&command, &stdin);

    let is_lost = is_money(operation) && fault == "error-before";
    // No read tells which request settled a batch.
    let needs_person = is_lost || operation == "batches.settle";
    if needs_person {
        assert_eq!((second.code, kind(&second).as_str()), (75, "needs-person"), "{name}: {}", second.err);
        let shown = desk.run("journal show k", "");
        assert!(shown.out.contains("perennial journal resolve "), "{name}: {}", shown.out);
    } else {
        assert_eq!(second.code, 0, "{name}: {}\nafter {}", second.err, first.err);
        let printed: Value = serde_json::from_str(&second.out).unwrap();
        assert_eq!(printed["operation"]["key"], "k", "{name}: {printed}");
    }
    let expected = usize::from(!is_lost) + usize::from(operation == "customers.create");
    let after = desk.log();
    let made = |operation| effects(&after, operation, fault) - effects(&before, operation, fault);
    assert_eq!(made(operation), expected, "{name}: {}", first.err);
    let is_ours = |customer: &Value| customer["last-name"] == "Byron";
    let of_kind = |kind: &'static str| move |transaction: &Value| transaction["type"] == kind;
    let sales = "transactions search --all";
    let (count, expected) = match leaf.path {
        "customers create" => (desk.count("customers search --all", is_ours), 1),
        "tokens create" => (desk.count("tokens search --all", |_| true), 1),
        "plans create" => {
            assert_eq!(made("plans.update"), 1, "{name}");
            (desk.count("plans search --status ACTIVE --all", |_| true), 1)
        }
        "customers tokens attach" => (desk.count("customers tokens list cust_grace", |_| true), 1),
        "transactions sale" | "invoice pay" | "test-sale" => {
            (desk.count(sales, of_kind("SALE")), usize::from(!is_lost))
        }
        "transactions auth" => (desk.count(sales, of_kind("AUTH")), usize::from(!is_lost)),
        "transactions capture" => (desk.count(sales, of_kind("CAPTURE")), usize::from(!is_lost)),
        "batches settle" => (desk.count("batches list --status CLOSED", |_| true), usize::from(!is_lost)),
        _ => (0, 0),
    };
    assert_eq!(count, expected, "{name}");
    if leaf.path == "test-sale" {
        assert_eq!(made("transactions.void"), usize::from(!is_lost), "{name}");
    }
    desk.assert_no_card();
}

/// Runs all writes of Clearent under all faults: most of the time a case waits for its processes.
fn every_fault(format: &'static str, seed: u64) {
    let writes = writes();
    assert_eq!(writes.len(), 23);
    each(&writes, seed, |leaf, fault, shell| once(leaf, format, fault, shell));
}

/// Runs a case for each write and fault, in a few threads.
pub(crate) fn each(writes: &[&'static Leaf], seed: u64, case: impl Fn(&Leaf, &str, Shell) + Sync) {
    let shell = Shell::open();
    let cases: Vec<_> = writes.iter().flat_map(|leaf| FAULTS.map(|fault| (*leaf, fault))).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((leaf, fault)) = cases.get(at) else { break };
                    case(leaf, fault, shell.beside(seed + at as u64));
                }
            });
        }
    });
}

/// Holds: After every fault, the same command with its operation key ends with one effect at the gateway, or with a person.
#[test]
fn the_same_command_again_makes_one_effect() {
    every_fault("json", 1_000);
}

/// Holds: The same is true in XML.
#[test]
fn and_in_xml() {
    every_fault("xml", 2_000);
}

/// Runs a test sale under a fault of its sale or its void, and the same command until nothing changes any more.
fn test_sale_once(format: &str, operation: &str, fault: &str, shell: Shell) {
    let (desk, name) = (Desk::of(shell), format!("{operation} ({format}, {fault})"));
    desk.fault(&Fault::on(operation, effect(fault)).nth(1));
    let line = format!("test-sale --void --card-stdin --format {format}");
    let first = desk.write("k", &line, CARD_JSON);
    assert!([0, 75].contains(&first.code), "{name}: {} {}", first.code, first.err);
    desk.shell.advance("PT10M");
    let (second, third) = (desk.write("k", &line, CARD_JSON), desk.write("k", &line, CARD_JSON));
    let is_lost = fault == "error-before";
    for ran in [&second, &third] {
        let expected = if is_lost { (75, "needs-person".to_owned()) } else { (0, String::new()) };
        assert_eq!((ran.code, kind(ran)), expected, "{name}: {}", ran.err);
    }
    let log = desk.log();
    let is_sold = operation != "transactions.sale" || !is_lost;
    let made = |operation| effects(&log, operation, fault);
    let (sales, voids) = (usize::from(is_sold), usize::from(!is_lost));
    assert_eq!((made("transactions.sale"), made("transactions.void")), (sales, voids), "{name}");
    if is_lost {
        // A person decides, and the same command goes on from there.
        let key = if is_sold { "k/void" } else { "k" };
        let shown = desk.run(&format!("journal show {key}"), "");
        assert!(shown.out.contains("perennial journal resolve "), "{name}: {}", shown.out);
        let resolve = format!("journal resolve {key} --as not-done --reason portal --actor ada");
        assert_eq!(desk.run(&resolve, "").code, 0, "{name}");
        let ran = desk.write("k", &line, CARD_JSON);
        assert_eq!((ran.code, kind(&ran).as_str()), (3, "refused"), "{name}: {}", ran.err);
    }
}

/// Holds: A test sale under an operation key is sold once and voided once, whatever is lost.
#[test]
fn a_test_sale_is_sold_and_voided_once() {
    let shell = Shell::open();
    let cases = ["json", "xml"].map(|format| {
        ["transactions.sale", "transactions.void"]
            .map(|operation| FAULTS.map(|fault| (format, operation, fault)))
    });
    let cases = cases.into_iter().flatten().flatten().zip(3_000..);
    thread::scope(|scope| {
        for ((format, operation, fault), seed) in cases {
            let shell = shell.beside(seed);
            scope.spawn(move || test_sale_once(format, operation, fault, shell));
        }
    });
    let desk = Desk::of(shell);
    let too_long = "k".repeat(196);
    let ran = desk.write(&too_long, "test-sale --void --card-stdin", CARD_JSON);
    assert!(ran.code == 2 && ran.err.contains("1 to 200 characters"), "{}", ran.err);
    let declined = desk.write("declined", "test-sale 0.21 --void --card-stdin", CARD_JSON);
    assert_eq!((declined.code, kind(&declined).as_str()), (4, "declined"), "{}", declined.err);
    let log = desk.log();
    assert_eq!((effects(&log, "transactions.sale", ""), effects(&log, "transactions.void", "")), (1, 0));
}
