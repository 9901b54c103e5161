//! Cards that end: who is warned of them.

use perennial_billing::{Event, NewSubscription};
use perennial_journal::store::Statement;

use crate::support::World;

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

/// Holds: A card that ends before a day that is due within 60 days is one event for each subscription and expiry, whichever
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
        // Each is told on the day from which its due day is within 60 days.
        for (until, told) in [
            ("2027-01-02", vec!["M-1 2027-03-03 2027-02"]),
            ("2027-01-13", vec![]),
            ("2027-01-14", vec!["M-2 2027-03-15 2027-02"]),
            ("2027-02-01", vec![]),
            // The card has another month under the same token.
            ("2027-02-10", vec!["M-1 2027-04-03 2027-03"]),
        ] {
            let (before, _) = warnings(&world).await;
            if until == "2027-02-10" {
                world.wire.set_expiry(&ending, Some("0327"));
            }
            world.until(until).await;
            // Another process reads the cards on this day, too.
            let unread = Statement::new("UPDATE perennial_billing SET cards_read = NULL", Vec::new());
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
