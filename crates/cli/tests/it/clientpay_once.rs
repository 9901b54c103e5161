//! Every write of ClientPay under every fault: the same command again makes one effect.

use perennial_sandbox::Fault;
use serde_json::Value;

use crate::desk::{Desk, effects, kind};
use crate::leaves::{self, Leaf};
use crate::once::{each, effect};
use crate::shell::{Shell, runtime};

/// The writes of ClientPay.
fn writes() -> Vec<&'static Leaf> {
    let is_of = |leaf: &&Leaf| leaf.path.starts_with("clientpay") || leaf.path == "invoice page";
    leaves::all().iter().filter(is_of).filter(|leaf| !leaf.operation.is_empty()).collect()
}

/// The objects of the world that a write makes.
fn made(desk: &Desk, operation: &str) -> usize {
    let kind = match operation {
        "clientpay-payments.create" => "clientpay-payments",
        "pages.create" => "pages",
        "payers.create" => "payers",
        "payers.add-methods" => "methods",
        _ => return 0,
    };
    let state = runtime().block_on(desk.shell.world().state()).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    state[kind].as_array().unwrap().len()
}

/// Runs a write under a fault, and the same command until it is settled, with the decision of a person if it needs one.
fn once(leaf: &Leaf, fault: &str, shell: Shell) {
    let (desk, operation) = (Desk::of(shell), leaf.operation);
    let name = format!("{} ({fault})", leaf.path);
    let (mut command, stdin) = leaf.command(&desk.shell, desk.folder.path());
    command.args(["--output", "json", "--operation-key", "k", "--clock", "sandbox"]);
    let before = (effects(&desk.log(), operation, fault), made(&desk, operation));
    desk.fault(&Fault::on(operation, effect(fault)).nth(1));
    let first = desk.again(&command, &stdin);
    assert!([0, 75].contains(&first.code), "{name}: {} {}", first.code, first.err);
    if first.code == 75 {
        assert!(first.err.contains("the same command again is safe"), "{name}: {}", first.err);
    }
    desk.shell.advance("PT10M");
    let second = desk.again(&command, &stdin);

    let is_lost = fault == "error-before";
    // Pages and payers have no search.
    let has_look = operation.starts_with("clientpay-payments") || operation.starts_with("access");
    // A short reply is not cut, and tells that it was done.
    let is_found = has_look && !is_lost || fault == "cut-reply" && first.code == 0;
    if is_found {
        assert_eq!(second.code, 0, "{name}: {}\nafter {}", second.err, first.err);
    } else {
        assert_eq!((second.code, kind(&second).as_str()), (75, "needs-person"), "{name}: {}", second.err);
        let shown = desk.run("journal show k", "");
        let decision = if is_lost { "send-again" } else { "done" };
        let word = if is_lost { "or once more" } else { "if done" };
        let line = shown.out.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default();
        assert!(line.contains(&format!(" --as {decision} ")), "{name}: {}", shown.out);
        let id = if is_lost { "" } else { "--id 700001 " };
        let resolve = format!("journal resolve k --as {decision} {id}--reason portal --actor ada");
        assert_eq!(desk.run(&resolve, "").code, 0, "{name}");
    }
    let third = desk.again(&command, &stdin);
    assert_eq!(third.code, 0, "{name}: {}", third.err);
    let printed: Value = serde_json::from_str(&third.out).unwrap();
    assert_eq!(printed["operation"]["key"], "k", "{name}: {printed}");
    let expected = if is_found || !is_lost { "replayed" } else { "sent" };
    assert_eq!(printed["operation"]["how"], expected, "{name}: {printed}");
    let fourth = desk.again(&command, &stdin);
    let printed: Value = serde_json::from_str(&fourth.out).unwrap();
    assert_eq!((fourth.code, &printed["operation"]["how"]), (0, &"replayed".into()), "{name}");

    let after = (effects(&desk.log(), operation, fault), made(&desk, operation));
    let creates = usize::from(before.1 > 0 || after.1 > 0);
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, creates), "{name}: {}", first.err);
    desk.assert_no_card();
}

/// Holds: After every fault, the same ClientPay command with its operation key ends with one effect at the gateway, or with a person, whose decision is carried out once.
#[test]
fn the_same_command_of_clientpay_again_makes_one_effect() {
    let writes = writes();
    assert_eq!(writes.len(), 16);
    each(&writes, 4_000, once);
}

/// Holds: A ClientPay command under an operation key is of one account: the tenant refuses another one.
#[test]
fn a_tenant_is_one_account() {
    let desk = Desk::of(Shell::open());
    let create = "clientpay payers create --first-name Rosa --last-name Lind --email rosa@example.test";
    assert_eq!(desk.write("k", create, "").code, 0);
    // The same key again is the same payer, also if the merchant is named by its default name.
    let again = desk.write("k", create, "");
    let printed: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((again.code, &printed["operation"]["how"]), (0, &"replayed".into()), "{}", again.err);
    assert!(printed["payerId"].is_string(), "{printed}");
    // Another name is another tenant, and its decision is another one.
    let south = desk.write("k", &format!("{create} --tenant south"), "");
    assert_eq!(south.code, 0, "{}", south.err);
    let listed = desk.run("--output json journal list --tenant south", "");
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    assert_eq!((listed.len(), &listed[0]["tenant"]), (1, &"south/clientpay".into()));
    let other = Desk { shell: desk.shell.beside(8), ..desk };
    let refused = other.write("k", create, "");
    assert!(refused.code == 2 && refused.err.contains("bound to another account"), "{}", refused.err);
}
