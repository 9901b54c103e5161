//! Access ids: found when they are needed, requested when there is none, and only once by many waiting calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use perennial::clientpay::{AccessId, Credentials, CustomerCredentials, Operation, Payment};
use perennial::transport::Kind;
use perennial::{ClientPay, Environment, Error, ErrorKind};

use super::gateway::{ACCOUNT, Does, Gateway, INTEGRATOR};
use super::operations::card_payment;

fn fails(times: usize, of: Operation, kind: Kind) -> Arc<Gateway> {
    Gateway::of(of, std::iter::repeat_n(Does::Fail(kind), times))
}

/// The name, the gateway, the requests, and the result.
type Case = (&'static str, Arc<Gateway>, &'static [&'static str], Result<(), ErrorKind>);

/// The requested operations of a call, and its result.
async fn asks(gateway: &Arc<Gateway>) -> (Vec<String>, Result<(), ErrorKind>) {
    let ended = gateway.client().new_request_id().await;
    (gateway.asked(), ended.map(drop).map_err(|error| error.kind()))
}

#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn how_an_access_id_is_found() {
    const CURRENT: &str = "access.current";
    const NEW: &str = "access.new";
    const VALIDATE: &str = "access.validate";
    const USE: &str = "request-id.new";
    const UNREADABLE: Result<(), ErrorKind> = Err(ErrorKind::InvalidResponse);
    let live = |does: Vec<Does>| {
        let gateway = Gateway::of(Operation::NewRequestId, does);
        gateway.steal();
        gateway
    };
    let refusal = |status, why: &str| Does::Say(status, format!(r#"{{"success":false,"message":"{why}"}}"#));
    let none = |does: Vec<Does>| Gateway::of(Operation::NewAccessId, does);
    let lost = |kind| Does::PerformThen(kind);
    let says = |status, body: &str| Gateway::of(Operation::CurrentAccessId, [Does::Say(status, body.into())]);
    let table: Vec<Case> = vec![
        ("there is one", live(vec![]), &[CURRENT, USE], Ok(())),
        ("there is none", none(vec![]), &[CURRENT, NEW, USE], Ok(())),
        ("evicted before its use", live(vec![Does::Evict]), &[CURRENT, USE, CURRENT, NEW, USE], Ok(())),
        ("renewed by another process", live(vec![Does::Steal]), &[CURRENT, USE, CURRENT, USE], Ok(())),
        ("evicted twice", live(vec![Does::Evict, Does::Evict]), &[CURRENT, USE, CURRENT, NEW, USE, CURRENT, NEW, USE], Ok(())),
        ("renewed for ever", live(vec![Does::Steal; 9]), &[CURRENT, USE, CURRENT, USE, CURRENT, USE, CURRENT, USE], Err(ErrorKind::Unauthorized)),
        ("refused by other words", live(vec![refusal(400, "Invalid access ID.")]), &[CURRENT, USE, CURRENT, VALIDATE], Err(ErrorKind::Unauthorized)),
        ("refused in a success", live(vec![refusal(200, "accessId expired")]), &[CURRENT, USE, CURRENT, VALIDATE], Err(ErrorKind::Unauthorized)),
        ("refused and live all the same", live(vec![refusal(401, "no")]), &[CURRENT, USE, CURRENT, VALIDATE], Err(ErrorKind::Unauthorized)),
        ("not allowed", live(vec![refusal(403, "not with this access ID")]), &[CURRENT, USE], Err(ErrorKind::Unauthorized)),
        ("refused for another reason", live(vec![refusal(400, "no")]), &[CURRENT, USE], Err(ErrorKind::Refused)),
        // The gateway is asked whether there is a new id: requesting a second one would invalidate it.
        ("the new one is lost", none(vec![lost(Kind::Closed)]), &[CURRENT, NEW, CURRENT, USE], Ok(())),
        ("the new one never came", none(vec![Does::Fail(Kind::Closed)]), &[CURRENT, NEW, CURRENT], Err(ErrorKind::Unavailable)),
        ("the new one is not sent at first", none(vec![Does::Fail(Kind::Connect)]), &[CURRENT, NEW, NEW, USE], Ok(())),
        ("the gateway fails at new", none(vec![Does::Say(500, String::new())]), &[CURRENT, NEW, CURRENT], Err(ErrorKind::Unavailable)),
        ("no connection", fails(9, Operation::CurrentAccessId, Kind::Connect), &[CURRENT; 3], Err(ErrorKind::Connection)),
        ("silence", fails(9, Operation::CurrentAccessId, Kind::Timeout), &[CURRENT; 3], Err(ErrorKind::Timeout)),
        ("silence, once", fails(1, Operation::CurrentAccessId, Kind::Timeout), &[CURRENT, CURRENT, NEW, USE], Ok(())),
        // A new id invalidates the one that others use, so only the gateway's own refusal leads to a request for one.
        ("an object of nothing", says(200, "{}"), &[CURRENT], UNREADABLE),
        ("an object of something else", says(200, r#"{"message":"Welcome"}"#), &[CURRENT], UNREADABLE),
        ("nothing", says(200, ""), &[CURRENT], UNREADABLE),
        ("nothing in a 204", says(204, ""), &[CURRENT], UNREADABLE),
        ("a yes without an id", says(200, r#"{"success":true}"#), &[CURRENT], UNREADABLE),
        ("a yes with an empty id", says(200, r#"{"success":true,"accessId":" "}"#), &[CURRENT], UNREADABLE),
        ("a yes with no id", says(200, r#"{"success":true,"accessId":null}"#), &[CURRENT], UNREADABLE),
        ("a yes that is not found", says(404, r#"{"success":true}"#), &[CURRENT], UNREADABLE),
        ("an id that is not found", says(404, r#"{"success":false,"accessId":"access-7"}"#), &[CURRENT], UNREADABLE),
        ("an empty yes that is not found", says(404, r#"{"success":"","message":"no"}"#), &[CURRENT], UNREADABLE),
        ("not found, says a proxy", says(404, r#"{"message":"Not Found"}"#), &[CURRENT], UNREADABLE),
        ("the gateway's own no", says(404, r#"{"success":false,"message":"none"}"#), &[CURRENT, NEW, USE], Ok(())),
        ("the gateway's own no in a 200", says(200, r#"{"success":false,"message":"none"}"#), &[CURRENT, NEW, USE], Ok(())),
        ("the current one is unreadable", Gateway::of(Operation::CurrentAccessId, [Does::Say(200, "<html>".into())]), &[CURRENT], Err(ErrorKind::InvalidResponse)),
    ];
    for (what, gateway, asked, ended) in table {
        assert_eq!(asks(&gateway).await, (asked.iter().map(ToString::to_string).collect(), ended), "{what}");
    }
}

/// Holds: A wrong PIN does not cause a request for a new access id.
#[tokio::test]
async fn a_wrong_pin_never_asks_for_a_new_one() {
    let gateway = Gateway::new(|_, _| Does::Well);
    let wrong = Credentials::builder().integrator_key(INTEGRATOR).account_key(ACCOUNT).account_pin("pin-0");
    let client = ClientPay::builder(wrong.build().unwrap())
        .environment(Environment::Sandbox)
        .exchange(gateway.clone())
        .build()
        .unwrap();
    let error = client.payments().pay(&card_payment()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(error.gateway_message(), Some("The account is not known."));
    assert_eq!(gateway.asked(), ["access.current"]);
}

/// Many tasks of one process pay while their access id is evicted repeatedly.
///
/// Holds: Sixty-four tasks of a process whose access id is refused ask for one new id.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_tasks_ask_for_one_new_id_each_time_theirs_is_evicted() {
    const TASKS: usize = 64;
    const ROUNDS: usize = 5;
    let gateway = Gateway::new(|_, _| Does::Well);
    let client = gateway.client();
    for round in 1..=ROUNDS {
        gateway.evict();
        let pay = |_| {
            let client = client.clone();
            tokio::spawn(async move { client.payments().pay(&card_payment()).await })
        };
        for paid in join_all((0..TASKS).map(pay)).await {
            assert!(paid.unwrap().unwrap().is_approved());
        }
        assert_eq!(gateway.count("access.new"), round, "round {round}");
        assert_eq!(gateway.payments().len(), round * TASKS);
    }
    let mut requests: Vec<_> =
        gateway.payments().into_iter().map(|made| made.request_id.unwrap().to_string()).collect();
    requests.sort_unstable();
    requests.dedup();
    assert_eq!(requests.len(), ROUNDS * TASKS, "every payment has its own request");
}

/// The id is evicted before each call, in the middle of payments. Each time, one new id is requested, and every payment
/// is made once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn evictions_between_the_calls_of_payments_cost_one_new_id_each() {
    const TASKS: usize = 64;
    const PAYMENTS: usize = 4;
    let gateway = Gateway::new(|exchange, _| if exchange % 17 == 16 { Does::Evict } else { Does::Well });
    let client = gateway.client();
    let pay = |_| {
        let client = client.clone();
        tokio::spawn(async move {
            let mut landed = Vec::new();
            while landed.len() < PAYMENTS {
                match client.payments().pay(&card_payment()).await {
                    Ok(paid) => landed.push(paid.into_value()),
                    // One eviction too many: nothing was paid.
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Unauthorized),
                }
            }
            landed
        })
    };
    let landed: Vec<_> = join_all((0..TASKS).map(pay)).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(gateway.count("access.new"), gateway.times_without_one());
    assert!(gateway.count("access.new") > 10, "evictions were met");
    let ids =
        |payments: &[Payment]| payments.iter().map(|made| made.payment_id.clone()).collect::<BTreeSet<_>>();
    assert_eq!(gateway.payments().len(), TASKS * PAYMENTS);
    assert_eq!(ids(&gateway.payments()), ids(&landed));
    assert_eq!(ids(&landed).len(), TASKS * PAYMENTS);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_waits_for_a_failure_shares_it() {
    let gateway =
        Gateway::of(Operation::NewAccessId, vec![Does::Say(403, r#"{"success":false}"#.into()); 64]);
    let client = gateway.client();
    let pay = |_| async { client.payments().pay(&card_payment()).await };
    let outcomes: Vec<Result<_, Error>> = join_all((0..64).map(pay)).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unauthorized);
    }
    assert_eq!((gateway.count("access.current"), gateway.count("access.new")), (1, 1));
    // A later call tries again.
    assert!(client.payments().pay(&card_payment()).await.is_err());
    assert_eq!(gateway.count("access.new"), 2);
}

#[tokio::test]
async fn an_id_that_was_given_is_used_and_never_replaced() {
    let gateway = Gateway::new(|_, _| Does::Well);
    let customer = CustomerCredentials::builder()
        .integrator_key("int-5f0c7d1a")
        .customer_key("cust-311")
        .customer_pin("4409");
    let given = gateway.client().access().renew_for_customer(&customer.build().unwrap()).await.unwrap();
    let given: Arc<AccessId> = Arc::new(given.into_value());
    let client = gateway.builder().access_ids(given.clone()).build().unwrap();
    let error = client.new_request_id().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(gateway.asked(), ["access.new-customer", "request-id.new"]);
    assert_eq!(gateway.requests()[1].headers()["accessid"], given.expose());
}

#[tokio::test]
async fn those_who_manage_ids_themselves() {
    let gateway = Gateway::new(|_, _| Does::Well);
    let client = gateway.client();
    let access = || client.access();
    assert!(access().current().await.unwrap().is_none());
    let first = access().renew().await.unwrap().into_value();
    assert!(access().current().await.unwrap().as_ref().unwrap().is(&first));
    assert!(access().validate(&first).await.unwrap().into_value());
    let second = access().renew().await.unwrap().into_value();
    assert!(!access().validate(&first).await.unwrap().into_value(), "a new one ends the one before");
    access().expire(&second).await.unwrap();
    assert!(!access().validate(&second).await.unwrap().into_value());
    assert_eq!(access().expire(&second).await.unwrap_err().kind(), ErrorKind::Unauthorized);

    assert!(client.payments().pay(&card_payment()).await.unwrap().is_approved());
}
