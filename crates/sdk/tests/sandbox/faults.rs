//! The client's results when the gateway fails, and the state of the sandbox afterward.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use perennial::clearent::*;
use perennial::transport::Time;
use perennial::{Clearent, Error, ErrorKind, Format};
use perennial_sandbox::{Effect, Fault, RetryAfter, Sandbox};

use super::{FORMATS, builder, customer, plan, token};

/// A clock that skips and records every wait.
#[derive(Clone)]
struct Jumping(Arc<Mutex<(Instant, Vec<u64>)>>);

impl Jumping {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((Instant::now(), Vec::new()))))
    }

    /// The waits in milliseconds.
    fn waits(&self) -> Vec<u64> {
        self.0.lock().unwrap().1.clone()
    }
}

#[async_trait]
impl Time for Jumping {
    fn now(&self) -> Instant {
        self.0.lock().unwrap().0
    }

    async fn sleep(&self, duration: Duration) {
        let mut clock = self.0.lock().unwrap();
        clock.0 += duration;
        clock.1.push(u64::try_from(duration.as_millis()).unwrap());
    }
}

/// The call, in a world with one customer, Ada.
#[derive(Clone, Copy, Debug)]
enum Calls {
    Create,
    Get,
    Delete,
}

use Calls::{Create, Delete, Get};

impl Calls {
    fn operation(self) -> &'static str {
        match self {
            Create => "customers.create",
            Get => "customers.get",
            Delete => "customers.delete",
        }
    }

    /// Makes the call; returns the number of attempts.
    async fn make(self, client: &Clearent, ada: &CustomerKey) -> Result<u32, Error> {
        let customers = client.customers();
        match self {
            Create => {
                let eve = NewCustomer::builder().first_name("Eve").last_name("Moore").build().unwrap();
                customers.create(&eve).await.map(|created| created.attempts())
            }
            Get => customers.get(ada).await.map(|found| found.attempts()),
            Delete => customers.delete(ada).await.map(|gone| gone.attempts()),
        }
    }
}

const VALUE: Option<ErrorKind> = None;
const UNKNOWN: Option<ErrorKind> = Some(ErrorKind::OutcomeUnknown);

/// The effect on the first call, the call, its result, the number of attempts, and the number of customers afterward.
type Row = (Effect, Calls, Option<ErrorKind>, u32, usize);

fn rows() -> Vec<Row> {
    let moment = Duration::from_millis(1);
    let page = || Effect::Garbage { body: "<html>busy</html>".into(), content_type: "text/html".into() };
    let limit = || Effect::RateLimit { retry_after: None };
    let refused = Some(ErrorKind::Refused);
    let unreadable = Some(ErrorKind::InvalidResponse);
    vec![
        (Effect::ErrorBefore { status: 400 }, Create, refused, 1, 1),
        (Effect::ErrorBefore { status: 400 }, Get, refused, 1, 1),
        (Effect::ErrorBefore { status: 503 }, Create, UNKNOWN, 1, 1),
        (Effect::ErrorBefore { status: 503 }, Get, VALUE, 2, 1),
        (Effect::ErrorBefore { status: 503 }, Delete, VALUE, 2, 0),
        (Effect::ErrorAfter { status: 500 }, Create, UNKNOWN, 1, 2),
        (Effect::ErrorAfter { status: 500 }, Get, VALUE, 2, 1),
        (Effect::ErrorAfter { status: 500 }, Delete, VALUE, 2, 0),
        (Effect::DropReply, Create, UNKNOWN, 1, 2),
        (Effect::DropReply, Get, VALUE, 2, 1),
        (Effect::DropReply, Delete, VALUE, 2, 0),
        (Effect::LateCommit { delay: moment }, Create, UNKNOWN, 1, 2),
        (Effect::LateCommit { delay: moment }, Get, VALUE, 2, 1),
        (Effect::LateCommit { delay: moment }, Delete, VALUE, 2, 0),
        (Effect::Duplicate, Create, VALUE, 1, 3),
        (Effect::Duplicate, Get, VALUE, 1, 1),
        (Effect::Duplicate, Delete, Some(ErrorKind::NotFound), 1, 0),
        (Effect::Delay { delay: moment }, Create, VALUE, 1, 2),
        (Effect::Delay { delay: moment }, Get, VALUE, 1, 1),
        (Effect::Delay { delay: moment }, Delete, VALUE, 1, 0),
        (Effect::SlowBody { bytes_per_second: 100_000 }, Create, VALUE, 1, 2),
        (Effect::SlowBody { bytes_per_second: 100_000 }, Get, VALUE, 1, 1),
        (Effect::CutReply { at_byte: 9 }, Create, UNKNOWN, 1, 2),
        (Effect::CutReply { at_byte: 9 }, Get, VALUE, 2, 1),
        (Effect::CutReply { at_byte: 9 }, Delete, VALUE, 2, 0),
        (page(), Create, UNKNOWN, 1, 2),
        (page(), Get, unreadable, 1, 1),
        (page(), Delete, UNKNOWN, 1, 0),
        (limit(), Create, VALUE, 2, 2),
        (limit(), Get, VALUE, 2, 1),
        (limit(), Delete, VALUE, 2, 0),
        (Effect::HugeBody { bytes: 900_000 }, Create, VALUE, 1, 2),
        (Effect::HugeBody { bytes: 900_000 }, Get, VALUE, 1, 1),
        (Effect::HugeBody { bytes: 8_000_000 }, Create, UNKNOWN, 1, 2),
        (Effect::HugeBody { bytes: 8_000_000 }, Get, unreadable, 1, 1),
        (Effect::HugeBody { bytes: 8_000_000 }, Delete, UNKNOWN, 1, 0),
    ]
}

/// Holds: Under each fault of the sandbox the facade sends no create again whose outcome is unknown.
#[tokio::test]
async fn a_client_repeats_what_does_no_harm_and_says_when_an_outcome_is_unknown() {
    for format in FORMATS {
        for (effect, calls, kind, attempts, customers) in rows() {
            let what = format!("{effect:?}, {calls:?}, {format}");
            let sandbox = Sandbox::start().await.unwrap();
            let client = builder(&sandbox, format).time(Jumping::new()).build().unwrap();
            let ada = customer(&client, "Ada").await.into_value().customer_key;
            sandbox.fault(&Fault::on(calls.operation(), effect.clone()).nth(1)).await.unwrap();
            let made = calls.make(&client, &ada).await;
            let told = made
                .as_ref()
                .map_or_else(|error| (Some(error.kind()), error.attempts()), |attempts| (None, *attempts));
            assert_eq!(told, (kind, attempts), "{what}: {made:?}");
            assert_eq!(made.is_err_and(|error| error.lookup().is_some()), kind == UNKNOWN, "{what}");
            if matches!(effect, Effect::LateCommit { .. }) {
                while count(&client).await != customers {
                    tokio::task::yield_now().await;
                }
            }
            assert_eq!(count(&client).await, customers, "{what}");
            let fault = &sandbox.faults().await.unwrap()[0];
            assert_eq!((fault.matched, fault.applied), (u64::from(attempts), 1), "{what}");
        }
    }
}

async fn count(client: &Clearent) -> usize {
    client.customers().search(&CustomerSearch::default()).collect_all().await.unwrap().len()
}

#[tokio::test]
async fn a_gateway_that_is_too_slow_is_left_at_the_deadline() {
    let effects =
        [Effect::Delay { delay: Duration::from_secs(60) }, Effect::SlowBody { bytes_per_second: 1 }];
    for effect in effects {
        let rows = [(Create, UNKNOWN, 2), (Get, Some(ErrorKind::Timeout), 1), (Delete, UNKNOWN, 0)];
        for (calls, kind, customers) in rows {
            let sandbox = Sandbox::start().await.unwrap();
            let patient = builder(&sandbox, Format::Json).build().unwrap();
            let client =
                builder(&sandbox, Format::Json).deadline(Duration::from_millis(250)).build().unwrap();
            let ada = customer(&patient, "Ada").await.into_value().customer_key;
            sandbox.fault(&Fault::on(calls.operation(), effect.clone())).await.unwrap();
            let error = calls.make(&client, &ada).await.unwrap_err();
            assert_eq!((Some(error.kind()), error.attempts()), (kind, 1), "{effect:?}, {calls:?}");
            assert_eq!(count(&patient).await, customers, "{effect:?}, {calls:?}");
        }
    }
}

#[tokio::test]
async fn a_gateway_that_wants_fewer_calls_is_given_the_time_it_asks_for() {
    let long_ago = RetryAfter::Date("Fri, 01 Jan 2021 00:00:00 GMT".into());
    // Without jitter the waits are 250 ms and 500 ms; a requested wait is granted up to 5 s more.
    let rows: [(Option<RetryAfter>, u64, &[u64]); 5] = [
        (None, 2, &[250, 500]),
        (Some(RetryAfter::Seconds(2)), 1, &[2_000]),
        (Some(RetryAfter::Seconds(0)), 1, &[250]),
        (Some(RetryAfter::Seconds(86_400)), 1, &[5_250]),
        (Some(long_ago), 1, &[250]),
    ];
    for (retry_after, times, waits) in rows {
        let sandbox = Sandbox::start().await.unwrap();
        let time = Jumping::new();
        let client = builder(&sandbox, Format::Xml).time(time.clone()).jitter(|upper| upper).build().unwrap();
        customer(&client, "Ada").await;
        let effect = Effect::RateLimit { retry_after };
        sandbox.fault(&Fault::on("customers.search", effect.clone()).times(times)).await.unwrap();
        assert_eq!((count(&client).await, time.waits().as_slice()), (1, waits), "{effect:?}");
    }
}

#[tokio::test]
async fn a_stale_read_does_not_know_what_was_just_created() {
    for format in FORMATS {
        let sandbox = Sandbox::start().await.unwrap();
        let client = builder(&sandbox, format).build().unwrap();
        sandbox.fault(&Fault::on("*", Effect::StaleRead)).await.unwrap();
        let ada = customer(&client, "Ada").await.into_value().customer_key;
        assert!(client.customers().get(&ada).await.unwrap_err().is_not_found());
        assert_eq!(count(&client).await, 0);
        sandbox.clear_faults().await.unwrap();
        assert_eq!(count(&client).await, 1);
    }
}

#[tokio::test]
async fn a_decline_is_a_value_of_a_sale_and_of_a_payment() {
    for format in FORMATS {
        let sandbox = Sandbox::start().await.unwrap();
        let client = builder(&sandbox, format).build().unwrap();
        let ada = customer(&client, "Ada").await.into_value().customer_key;
        let card = token(&client, &ada).await;
        let key = plan(&client, &ada, &card, PlanStatus::ACTIVE).await.plan_key.clone();
        let decline = Effect::Decline { result_code: "012".into() };
        sandbox.fault(&Fault::on("transactions.sale", decline).times(2)).await.unwrap();
        let charge = Charge::builder().amount("25.00").card(&card).build().unwrap();
        let declined = client.transactions().sale(&charge).await.unwrap();
        assert_eq!((declined.is_approved(), declined.result_code.as_deref()), (false, Some("012")));
        assert_eq!(sandbox.advance("P2M").await.unwrap().declined, 1);
        let search = PaymentSearch { plan_key: Some(key), ..PaymentSearch::default() };
        let payments = client.payments().list(&search).collect_all().await.unwrap();
        // The newest comes first.
        let statuses: Vec<_> = payments.iter().map(|payment| payment.status.clone().unwrap()).collect();
        assert_eq!(statuses, [TransactionResult::APPROVED, TransactionResult::DECLINED]);
        assert!(client.transactions().sale(&charge).await.unwrap().is_approved());
    }
}
