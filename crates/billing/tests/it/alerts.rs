//! Alerts: each is kept once, whatever its order, and only makes the worker look.

use perennial::clearent::webhook::{PublicKey, Signer};
use perennial::clearent::{Charge, PaymentSearch, TransactionId};
use perennial_billing::{DayState, Error};
use perennial_journal::store::Row;
use perennial_sandbox::{Effect, Fault, GatewayOptions};

use crate::support::{World, days};

/// The stored alerts: transaction, type, and whether nobody has looked.
async fn stored(world: &World) -> Vec<(String, String, bool)> {
    let read = |row: &mut Row| Ok((row.text()?, row.text()?, row.flag()?));
    let sql = "SELECT id, kind, is_open FROM perennial_alert ORDER BY id, kind";
    world.journal.rows(sql, Vec::new(), read).await.unwrap()
}

/// All rows about the member.
async fn state(world: &World) -> (String, String) {
    (world.billing.export("M-1").await.unwrap(), format!("{:?}", world.member("M-1").await))
}

fn alert(id: &str, kind: &str, more: &str) -> String {
    format!(
        r#"{{"code":"200","status":"success","payload":{{"transaction":{{"id":"{id}","type":"{kind}","result":"APPROVED",
        "amount":"50.00"{more}}},"payloadType":"transaction"}}}}"#
    )
}

fn signed(signer: &Signer, body: &str) -> Vec<u8> {
    signer.sign(body.as_bytes()).unwrap()
}

fn gateway() -> (Signer, PublicKey) {
    let signer = Signer::from_seed(b"the gateway of this test");
    let key = signer.public_key();
    (signer, key)
}

/// Bodies that are refused, and whether the owner of the key signed them.
fn refused(signer: &Signer) -> Vec<(&'static str, Vec<u8>, bool)> {
    let good = String::from_utf8(signed(signer, &alert("700001", "SALE", ""))).unwrap();
    let cut = good.as_bytes()[..good.len() / 2].to_vec();
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nothing", Vec::new(), false),
        ("no JSON", text("alert"), false),
        ("no signature", text(&alert("700001", "SALE", "")), false),
        ("half of one", cut, false),
        ("another amount", text(&good.replace("50.00", "5.00")), false),
        ("another transaction", text(&good.replace("700001", "700002")), false),
        ("a signature of nothing", text(r#"{"payload":{},"signature":""}"#), false),
        ("another key", signed(&Signer::generate(), &alert("700001", "SALE", "")), false),
        ("no transaction", signed(signer, r#"{"payload":{"customer":{},"payloadType":"customer"}}"#), true),
        ("no id", signed(signer, r#"{"payload":{"transaction":{"type":"SALE"}}}"#), true),
    ]
}

/// Holds: An alert that fails verification is refused by a clear error, and nothing is stored.
#[tokio::test]
async fn an_alert_that_is_not_the_gateways_stores_nothing() {
    let (signer, key) = gateway();
    for world in World::on_each_database().await {
        for (name, body, is_signed) in refused(&signer) {
            let error = world.billing.receive(&key, &body).await.unwrap_err();
            assert!(error.to_string().contains("nothing of it is stored"), "{name}: {error}");
            assert!(!error.to_string().contains("50.00"), "{name}: {error}");
            assert_eq!(matches!(error, Error::UnreadableAlert), is_signed, "{name}: {error}");
        }
        assert_eq!(stored(&world).await, []);
    }
}

/// Alerts in their order: the transaction, its type, and whether it is new.
const ALERTS: &[(&str, &str, bool)] = &[
    ("700002", "VOID", true),
    ("700001", "SALE", true),
    ("700002", "SALE", true),
    ("700001", "SALE", false),
    ("700002", "VOID", false),
    // A type that this version does not know, and none.
    ("700003", "ACH CREDIT", true),
    ("700003", "", true),
    ("700003", "ACH CREDIT", false),
    // Another amount is no other alert.
    ("700001", "SALE", false),
];

/// Holds: Each verified alert is kept once, in any order, by any process.
#[tokio::test]
async fn an_alert_is_kept_once() {
    let (signer, key) = gateway();
    for world in World::on_each_database().await {
        world.billing.start(&world.gold("M-1", 15)).await.unwrap();
        world.billing.work().await.unwrap();
        let before = state(&world).await;
        for (id, kind, is_new) in ALERTS {
            let body = signed(&signer, &alert(id, kind, r#","order-id":"other""#));
            let received = world.billing.receive(&key, &body).await.unwrap();
            assert_eq!((received.transaction.as_str(), received.is_new), (*id, *is_new), "{id} {kind}");
        }
        let at_once = signed(&signer, &alert("700009", "SALE", ""));
        let (one, other) =
            tokio::join!(world.billing.receive(&key, &at_once), world.billing.receive(&key, &at_once));
        assert_ne!(one.unwrap().is_new, other.unwrap().is_new, "of two at once, one is new");
        let mut expected: Vec<_> = ALERTS.iter().filter(|(.., is_new)| *is_new).collect();
        expected.push(&("700009", "SALE", true));
        expected.sort_unstable();
        let open = |(id, kind, _): &&(&str, &str, bool)| ((*id).to_owned(), (*kind).to_owned(), true);
        assert_eq!(stored(&world).await, expected.iter().map(open).collect::<Vec<_>>());
        assert_eq!(state(&world).await, before, "an alert changes no due day");
        // None of the transactions exists: the look finds nothing.
        world.billing.work().await.unwrap();
        assert_eq!(state(&world).await, before);
        assert!(stored(&world).await.iter().all(|(.., is_open)| !is_open));
    }
}

/// Holds: After an alert, the worker of another process reads the transaction, and only what it reads changes the due day.
#[tokio::test]
async fn an_alert_makes_another_process_look() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("billing.db").display());
    // Searches find a transaction a day late, so that only its own read does.
    let late = GatewayOptions { search_lag: "P1D".parse().unwrap(), ..GatewayOptions::default() };
    let world = World::of(&url, late).await;
    let (signer, key) = gateway();
    let receiver = world.other(&url).await;
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.until("2027-01-15").await;
    world.half_a_day_without_work().await;
    let payments = world.client.payments().list(&PaymentSearch::default()).collect_all().await.unwrap();
    let charge = payments[0].transaction_id.clone().unwrap();
    // The merchant's own sale is of other business.
    let own = Charge::builder().amount("12.00").card(&world.token).build().unwrap();
    let own = world.client.transactions().sale(&own).await.unwrap().id.clone().unwrap();

    // Without an alert, the day is expected.
    let is_paid = async || world.member("M-1").await.days.values().any(|day| day.state == DayState::Paid);
    world.billing.work().await.unwrap();
    assert!(!is_paid().await, "{:?}", days(&world.member("M-1").await));

    // An alert that lies about the amount is as good as any: the gateway's record counts.
    for id in [&own, &charge] {
        let body = signed(&signer, &alert(id.as_str(), "SALE", r#","amount-tip":"9.00""#));
        receiver.receive(&key, &body).await.unwrap();
    }
    assert!(!is_paid().await, "the alert itself changes nothing");
    // A gateway that fails leaves the alert open.
    let fails = Fault::on("transactions.get", Effect::ErrorBefore { status: 500 });
    world.sandbox.fault(&fails).await.unwrap();
    world.billing.work().await.unwrap_err();
    assert!(stored(&world).await.iter().all(|(.., is_open)| *is_open) && !is_paid().await);
    world.sandbox.clear_faults().await.unwrap();
    let worked = world.billing.work().await.unwrap();
    assert_eq!(worked.charges, 1);
    assert!(is_paid().await && stored(&world).await.iter().all(|(.., is_open)| !is_open));
    assert_eq!(world.billing.charges(&world.member("M-1").await.subscription).await.unwrap()[0].id, charge);

    // The same alert again, and one after the read: nothing more.
    let before = state(&world).await;
    let body = signed(&signer, &alert(charge.as_str(), "SALE", ""));
    assert!(!receiver.receive(&key, &body).await.unwrap().is_new);
    assert_eq!(world.billing.work().await.unwrap().charges, 0);
    assert_eq!(state(&world).await, before);
}

/// Holds: Many alerts at once are looked at by one read of all charges, not by a request for each.
#[tokio::test]
async fn many_alerts_are_one_read() {
    let world = World::new().await;
    let (signer, key) = gateway();
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.until("2027-01-15").await;
    world.half_a_day_without_work().await;
    let charge: TransactionId = world.charges_at_the_gateway().await.remove(0);
    for number in 0..30 {
        let body = signed(&signer, &alert(&format!("80000{number}"), "SALE", ""));
        world.billing.receive(&key, &body).await.unwrap();
    }
    world.billing.receive(&key, &signed(&signer, &alert(charge.as_str(), "SALE", ""))).await.unwrap();
    // No transaction can be read alone.
    let fails = Fault::on("transactions.get", Effect::ErrorBefore { status: 500 });
    world.sandbox.fault(&fails).await.unwrap();
    assert_eq!(world.billing.work().await.unwrap().charges, 1);
    assert!(stored(&world).await.iter().all(|(.., is_open)| !is_open));
}

/// Holds: An alert whose transaction cannot be read keeps no other one open; while the gateway fails, all stay open.
#[tokio::test]
async fn an_alert_that_cannot_be_read_holds_up_no_other() {
    let (signer, key) = gateway();
    for (status, is_open, goes_on) in [(400, false, true), (403, false, true), (503, true, false)] {
        let world = World::new().await;
        for id in ["700001", "700002", "700003"] {
            world.billing.receive(&key, &signed(&signer, &alert(id, "SALE", ""))).await.unwrap();
        }
        let fault = Fault::on("transactions.get", Effect::ErrorBefore { status });
        world.sandbox.fault(&fault).await.unwrap();
        assert_eq!(world.billing.work().await.is_ok(), goes_on, "{status}");
        assert!(stored(&world).await.iter().all(|(.., open)| *open == is_open), "{status}");
    }
}
