//! The number of statements of a night, which does not grow by more than a few for each subscription.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, helpers included")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use perennial::clearent::{ApiKey, NewCustomer, NewToken};
use perennial::{BaseUrl, Clearent};
use perennial_journal::machine::Rules;
use perennial_journal::{Clock, Journal, Moment};
use perennial_sandbox::Sandbox;

use crate::{Billing, NewSubscription};

#[derive(Debug, Clone)]
struct WorldClock(Arc<AtomicI64>);

impl Clock for WorldClock {
    fn now(&self) -> Moment {
        Moment::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// The statements that read and the charges of a night on which this many subscriptions are due.
async fn night(count: usize) -> (u64, u64) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose()).unwrap())
        .environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
        .build()
        .unwrap();
    // 2027-01-01T00:00:00Z, at which the world stands.
    let clock = WorldClock(Arc::new(AtomicI64::new(1_798_761_600_000)));
    let journal = Journal::open_with("sqlite::memory:", clock.clone(), Rules::default()).await.unwrap();
    let north = journal.clearent("north-street", &client).await.unwrap();
    let billing = Billing::open(&journal, &north).await.unwrap();
    for number in 0..count {
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
        let ada = client.customers().create(&ada).await.unwrap().customer_key.clone();
        let card =
            NewToken::builder().card("4111111111111111").exp_date("1239").csc("999").description("card");
        let card = card.customer_key(&ada).build().unwrap();
        let token = client.tokens().create(card).await.unwrap().token_id.clone().unwrap();
        let (amount, day) = ("50.00".parse().unwrap(), 15.try_into().unwrap());
        let gold = NewSubscription::new(format!("M-{number}"), ada, token, "Gold", amount, day);
        billing.start(&gold).await.unwrap();
    }
    while billing.work().await.unwrap().steps > 0 {}
    sandbox.advance("P15D").await.unwrap();
    clock.0.fetch_add(15 * 86_400_000, Ordering::Relaxed);
    let before = billing.store.statements.load(Ordering::Relaxed);
    let charges = billing.work().await.unwrap().charges;
    (billing.store.statements.load(Ordering::Relaxed) - before, charges)
}

/// Holds: A night reads the rows of its charges and subscriptions by the hundred: with each further subscription that is
/// charged, at most three statements more.
#[tokio::test]
async fn a_night_reads_many_rows_with_few_statements() {
    let (few, _) = night(5).await;
    let (many, charges) = night(85).await;
    assert_eq!(charges, 85);
    let more = many - few;
    assert!(more <= 3 * 80, "{few} statements for 5 subscriptions, {many} for 85");
}
