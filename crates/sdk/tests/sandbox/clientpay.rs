//! ClientPay against the sandbox, over HTTP on loopback, in both versions of its API.

use perennial::clientpay::*;
use perennial::{BaseUrl, ClientPay, ClientPayBuilder};
use perennial_sandbox::{Effect, Fault, Sandbox, World};

fn builder(sandbox: &Sandbox, world: &World) -> ClientPayBuilder {
    ClientPay::builder(world.clientpay()).environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
}

fn card(number: &str) -> CardBuilder {
    Card::builder().cardholder_name("Rosa Lind").card_number(number).expiration_date("0930").cvv("999")
}

fn payment(number: &str, amount: &str) -> NewPayment {
    NewPayment::builder().total_amount(amount).session_id("S-1").credit_card(card(number)).build().unwrap()
}

async fn state(world: &World) -> serde_json::Value {
    serde_json::from_str(&world.state().await.unwrap()).unwrap()
}

#[tokio::test]
async fn payments_go_as_their_test_cards_say() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    for (version, session) in [(Version::V2, "S-1"), (Version::V1, "S-1")] {
        let client = builder(&sandbox, &world).version(version).build().unwrap();
        let cases = [
            ("4000100011112224", "540.25", "Approved", None),
            ("4111111111111111", "0.01", "Approved", None),
            ("4000300211112228", "540.25", "Declined", Some("Do not Honor")),
            ("4000300611112224", "1.00", "Declined", Some("Insufficient funds")),
        ];
        for (number, amount, status, message) in cases {
            let paid = client.payments().pay(&payment(number, amount)).await.unwrap();
            assert_eq!(paid.payment_status.as_ref().map(PaymentStatus::as_str), Some(status), "{number}");
            assert_eq!(paid.message.as_deref(), message, "{number}");
            assert_eq!(paid.payment_amount.unwrap().to_string(), amount);
            assert_eq!(paid.session_id.as_deref(), Some(session));
        }
    }
    let stored = state(&world).await;
    assert_eq!(stored["clientpay-payments"].as_array().unwrap().len(), 8);
    assert!(!stored.to_string().contains("4000100011112224"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_eviction_is_followed_by_one_new_access_id_and_every_payment_lands_once() {
    const TASKS: usize = 64;
    let sandbox = Sandbox::start().await.unwrap();
    let world = sandbox.world(7).await.unwrap();
    let client = builder(&sandbox, &world).build().unwrap();
    client.new_request_id().await.unwrap();
    for round in 1..=3 {
        world.fault(&Fault::on("clientpay-payments.create", Effect::EvictAccessId).times(1)).await.unwrap();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    client.payments().pay(&payment("4000100011112224", "12.50")).await.unwrap().into_value()
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap().is_approved());
        }
        let stored = state(&world).await;
        assert_eq!(stored["access-ids"].as_array().unwrap().len(), 1 + round);
        assert_eq!(stored["clientpay-payments"].as_array().unwrap().len(), TASKS * round);
        world.clear_faults().await.unwrap();
    }
}
