//! Cards that end: the event about them, and tries that wait for another one.

use std::collections::BTreeMap;

use perennial_billing::{DayState, Event, NewSubscription, TermStatus, Withheld};
use perennial_journal::store::Statement;
use perennial_sandbox::{Effect, Fault};

use crate::support::{World, by};

/// The warnings as `subscription day expires`, and their bodies.
async fn warnings(world: &World) -> (Vec<String>, Vec<Event>) {
    let mut events = world.billing.events(0, 1_000).await.unwrap();
    events.retain(|event| event.kind == "card.expiring");
    let line = |event: &Event| {
        let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        format!("{} {} {}", text("subscription"), text("day"), text("expires"))
    };
    (events.iter().map(line).collect(), events)
}

/// Holds: A card that ends before a day that is due within 67 days, so that a weekly read tells it 60 days ahead, is one event for each subscription and expiry, whichever
/// process works and however often; the event has no card number and no name.
#[tokio::test]
async fn an_ending_card_is_one_event_for_each_expiry() {
    for world in World::on_each_database().await {
        let ending = world.card_until("4111 1111 1111 1111", "0227").await;
        let later = world.card_until("5555 5555 5555 4444", "0627").await;
        for (id, day, token) in [
            ("M-1", 3, &ending),
            ("M-2", 15, &ending),
            ("ends-before", 15, &ending),
            ("later", 15, &later),
            ("never", 15, &world.token),
        ] {
            let new = NewSubscription { token: token.clone(), ..world.gold(id, day) };
            let new = if id == "ends-before" { new.until("2027-02-20".parse().unwrap()) } else { new };
            world.billing.start(&new).await.unwrap();
        }
        // Each is told on the day from which its due day is within 67 days.
        for (until, told) in [
            ("2027-01-02", vec!["M-1 2027-03-03 2027-02"]),
            ("2027-01-06", vec![]),
            ("2027-01-07", vec!["M-2 2027-03-15 2027-02"]),
            ("2027-02-01", vec![]),
            // The card has another month under the same token.
            ("2027-02-05", vec!["M-1 2027-04-03 2027-03"]),
        ] {
            let (before, _) = warnings(&world).await;
            if until == "2027-02-05" {
                world.wire.set_expiry(&ending, Some("0327"));
            }
            world.until(until).await;
            // Another process reads the cards on this day, too.
            let unread = Statement::new("UPDATE perennial_billing SET next_cards = NULL", Vec::new());
            world.journal.transact(vec![unread]).await.unwrap();
            world.billing.work().await.unwrap();
            let (all, events) = warnings(&world).await;
            assert_eq!(all[before.len()..], told, "until {until}");
            for event in events {
                for text in ["4111111111111111", "Byron", "Gold", "VISA"] {
                    assert!(!event.body.contains(text), "{event:?}");
                }
            }
        }
    }
}

/// Holds: Cards whose read fails are read on the next day, and a key that may not read them does all other work.
#[tokio::test]
async fn a_list_of_cards_that_fails_is_read_on_the_next_day() {
    for (status, is_done) in [(401, true), (502, false)] {
        let world = World::new().await;
        world.wire.set_expiry(&world.token, Some("0127"));
        world.billing.start(&world.gold("M-1", 15)).await.unwrap();
        world.sandbox.fault(&Fault::on("tokens.search", Effect::ErrorBefore { status })).await.unwrap();
        let worked = world.billing.work().await;
        assert_eq!(worked.is_ok(), is_done, "{status}: {worked:?}");
        assert_eq!(world.member("M-1").await.live().unwrap().status, TermStatus::Active);
        world.sandbox.clear_faults().await.unwrap();
        world.billing.work().await.unwrap();
        assert_eq!(warnings(&world).await.0, [""; 0], "{status}");
        world.pass(1).await;
        assert_eq!(warnings(&world).await.0, ["M-1 2027-02-15 2027-01"], "{status}");
    }
}

/// Holds: A token that cannot be read keeps no step from being taken: the pause of a member whose day waits for a card holds.
#[tokio::test]
async fn a_card_that_cannot_be_read_stops_no_step() {
    for status in [401, 403, 500] {
        let world = World::new().await;
        world.billing.start(&world.gold("M-1", 15)).await.unwrap();
        world.until("2027-01-14").await;
        let decline = Fault::on("engine.charge", Effect::Decline { result_code: "010".to_owned() });
        world.sandbox.fault(&decline.nth(1)).await.unwrap();
        world.until("2027-01-18").await;
        world.sandbox.fault(&Fault::on("tokens.get", Effect::ErrorBefore { status })).await.unwrap();
        world.billing.pause("M-1", None, "2027-04-01".parse().unwrap(), by()).await.unwrap();
        world.until("2027-03-01").await;
        assert!(world.approved().await.is_empty(), "{status}");
    }
}

/// A subscription whose charge on 2027-02-15 is declined, and what becomes of the day until 2027-03-10.
struct Decline {
    /// The result code of the plan's charge. Every later charge is approved.
    code: &'static str,
    /// The expiry that the gateway reports until the card is renewed.
    exp_date: &'static str,
    /// The day on which it is renewed.
    renewed: Option<&'static str>,
    /// The day on which a sale collects it.
    collected: Option<&'static str>,
    /// The reads of the token.
    reads: u64,
}

const DECLINES: &[Decline] = &[
    // A card that is not known to end is not read.
    Decline { code: "012", exp_date: "1239", renewed: None, collected: Some("2027-02-17"), reads: 0 },
    Decline { code: "012", exp_date: "0227", renewed: None, collected: Some("2027-02-17"), reads: 0 },
    // It has expired, and is read once a day, until it is renewed.
    Decline { code: "012", exp_date: "0127", renewed: None, collected: None, reads: 23 },
    Decline {
        code: "012",
        exp_date: "0127",
        renewed: Some("2027-02-20"),
        collected: Some("2027-02-21"),
        reads: 6,
    },
    // It was renewed before the decline: the list of the day before says otherwise.
    Decline {
        code: "012",
        exp_date: "0127",
        renewed: Some("2027-02-15"),
        collected: Some("2027-02-17"),
        reads: 1,
    },
    // The member needs another card.
    Decline { code: "010", exp_date: "1230", renewed: None, collected: None, reads: 24 },
    Decline {
        code: "010",
        exp_date: "0227",
        renewed: Some("2027-02-20"),
        collected: Some("2027-02-23"),
        reads: 7,
    },
    // It had expired, and was renewed before the first read after the decline.
    Decline {
        code: "003",
        exp_date: "0127",
        renewed: Some("2027-02-15"),
        collected: Some("2027-02-17"),
        reads: 1,
    },
];

/// Holds: A try is withheld only from a card that has expired by a read of the same day; the card of a day that waits for
/// another one is read once a day, and the day is collected when the card is renewed.
#[tokio::test]
async fn a_try_waits_for_a_card_that_has_expired() {
    let mut found = Vec::new();
    for case in DECLINES {
        let Decline { code, exp_date, renewed, collected, .. } = case;
        let name = format!("{code} {exp_date} {renewed:?}");
        let world = World::new().await;
        world.wire.set_expiry(&world.token, Some(exp_date));
        let gold = world.gold("M-1", 15).from("2027-02-01".parse().unwrap());
        world.billing.start(&gold).await.unwrap();
        world.until("2027-02-14").await;
        let decline = Effect::Decline { result_code: (*code).to_owned() };
        world.sandbox.fault(&Fault::on("engine.charge", decline).nth(1)).await.unwrap();
        let mut reads: BTreeMap<String, u64> = BTreeMap::new();
        let today = async || world.billing.today().await.unwrap().to_string();
        while today().await.as_str() < "2027-03-10" {
            if Some(today().await.as_str()) == *renewed {
                world.wire.set_expiry(&world.token, None);
            }
            for _ in 0..2 {
                world.wire.token_reads();
                world.half_a_day().await;
                *reads.entry(today().await).or_default() += world.wire.token_reads();
            }
        }
        assert!(reads.values().all(|reads| *reads <= 1), "{name}: {reads:?}");
        let member = world.member("M-1").await;
        let due = &member.days[&"2027-02-15".parse().unwrap()];
        let approved = world.approved().await;
        let approved: Vec<_> = approved.iter().map(|(day, _)| day.as_str()).collect();
        assert_eq!(approved, collected.iter().copied().collect::<Vec<_>>(), "{name}: {due:?}");
        let expected = if collected.is_some() { DayState::Recovered } else { DayState::Declined };
        assert_eq!(due.state, expected, "{name}: {due:?}");
        found.push(reads.values().sum::<u64>());
        if *exp_date == "0127" && renewed.is_none() {
            assert_eq!(due.reason.as_deref(), Some(Withheld::Expired.as_str()), "{due:?}");
        }
    }
    let reads: Vec<_> = DECLINES.iter().map(|decline| decline.reads).collect();
    assert_eq!(found, reads);
}
