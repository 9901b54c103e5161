//! The loop around the exchange: attempts, waits, budget and deadline, on a simulated clock.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use perennial_transport::testing::Scripted;
use perennial_transport::{
    Answer, Backoff, Call, CallError, Deadline, Decision, Delivery, Exchange, Kind, Pace, Policy, RetryClass,
    SendBy, Sender, TokioTime, TransportError,
};

const SECOND: Duration = Duration::from_secs(1);

/// One attempt's result, short enough to write many of them on a line.
#[derive(Clone, Copy, Debug)]
enum Reply {
    /// A refused connection.
    Down,
    /// A reset after the request was sent.
    Reset,
    /// A whole answer of the gateway.
    Is(u16),
    /// A whole answer of the gateway that asks for a wait, in seconds.
    Wait(u16, u64),
    /// A whole answer that is not the gateway's.
    Page(u16),
    /// A whole answer that is not the gateway's and asks for a wait, in seconds.
    PageWait(u16, u64),
}
use Reply::{Down, Is, Page, PageWait, Reset, Wait};

impl Reply {
    fn result(self) -> Result<Response<Bytes>, TransportError> {
        let (status, wait, body) = match self {
            Down => return Err(TransportError::new(Kind::Connect)),
            Reset => return Err(TransportError::new(Kind::Closed)),
            Is(status) => (status, None, "envelope"),
            Wait(status, seconds) => (status, Some(seconds), "envelope"),
            Page(status) => (status, None, "page"),
            PageWait(status, seconds) => (status, Some(seconds), "page"),
        };
        let mut answer = Response::builder().status(status);
        if let Some(seconds) = wait {
            answer = answer.header("retry-after", seconds);
        }
        Ok(answer.body(body.into()).unwrap())
    }
}

struct Run {
    result: Result<Answer, CallError>,
    exchange: Arc<Scripted>,
    took: Duration,
}

fn call(sender: &Sender, retry_class: RetryClass, within: Duration) -> Call {
    Call {
        request: Request::post("https://gateway.example/customers").body("body".into()).unwrap(),
        route: "/customers",
        retry_class,
        is_own: |answer| answer.body() == "envelope",
        deadline: sender.deadline_in(within),
    }
}

/// Sends one call within 30 s, at most three times, waiting 1 s and then 2 s.
async fn run(retry_class: RetryClass, replies: &[Reply]) -> Run {
    let exchange = Arc::new(Scripted::new(replies.iter().map(|reply| reply.result())));
    let backoff = Backoff { base: SECOND, cap: 5 * SECOND };
    let policy = Policy { backoff, ..Policy::default() };
    let sender = Sender::with(exchange.clone(), policy, Arc::new(TokioTime), |upper| upper);
    let started = tokio::time::Instant::now();
    let result = sender.send(call(&sender, retry_class, 30 * SECOND)).await;
    Run { result, exchange, took: started.elapsed() }
}

#[tokio::test(start_paused = true)]
async fn definite_answers() {
    for (retry_class, replies, status, after_unknown, seconds) in [
        (RetryClass::Safe, &[Is(200)][..], 200, false, 0),
        (RetryClass::Safe, &[Down, Is(200)], 200, false, 1),
        (RetryClass::Safe, &[Reset, Is(503), Is(200)], 200, true, 3),
        (RetryClass::Safe, &[Is(500), Is(502), Is(504)], 504, true, 3),
        (RetryClass::Safe, &[Is(302)], 302, false, 0),
        (RetryClass::Safe, &[Is(404)], 404, false, 0),
        (RetryClass::Safe, &[Page(404)], 404, false, 0),
        (RetryClass::Safe, &[Wait(429, 3), Is(200)], 200, false, 3),
        (RetryClass::Safe, &[Wait(429, 0), Is(200)], 200, false, 1),
        (RetryClass::Safe, &[Wait(429, 20), Is(200)], 200, false, 20),
        (RetryClass::Safe, &[Wait(429, 86_400), Is(200)], 200, false, 6),
        (RetryClass::Safe, &[PageWait(429, 20), Is(200)], 200, true, 6),
        (RetryClass::Safe, &[Wait(503, 86_400), Is(200)], 200, true, 6),
        (RetryClass::Safe, &[Wait(429, 1), Wait(429, 1), Wait(429, 1)], 429, false, 3),
        (RetryClass::Delete, &[Is(200)], 200, false, 0),
        (RetryClass::Delete, &[Is(404)], 404, false, 0),
        (RetryClass::Delete, &[Down, Is(404)], 404, false, 1),
        (RetryClass::Delete, &[Reset, Is(404)], 404, true, 1),
        (RetryClass::Delete, &[Is(500), Is(404)], 404, true, 1),
        (RetryClass::Delete, &[Reset, Down, Is(404)], 404, true, 3),
        (RetryClass::Delete, &[Reset, Is(410)], 410, true, 1),
        (RetryClass::Delete, &[Reset, Is(402)], 402, true, 1),
        (RetryClass::Delete, &[Reset, Is(204)], 204, true, 1),
        (RetryClass::Delete, &[Down, Is(401)], 401, false, 1),
        (RetryClass::WithKey, &[Down, Is(200)], 200, false, 1),
        (RetryClass::Delete, &[Wait(429, 2), Is(404)], 404, false, 2),
        (RetryClass::Delete, &[Is(429), Is(429), Is(429)], 429, false, 3),
        (RetryClass::WithKey, &[Wait(429, 2), Is(200)], 200, false, 2),
        (RetryClass::WithKey, &[Is(429), Is(429), Is(429)], 429, false, 3),
        (RetryClass::Never, &[Is(201)], 201, false, 0),
        (RetryClass::Never, &[Is(402)], 402, false, 0),
        (RetryClass::Never, &[Down, Down, Is(201)], 201, false, 3),
        (RetryClass::Never, &[Down, Is(404)], 404, false, 1),
        (RetryClass::Never, &[Wait(429, 2), Is(201)], 201, false, 2),
        (RetryClass::Never, &[Wait(429, 9), Wait(429, 9), Is(402)], 402, false, 18),
        (RetryClass::Never, &[Wait(429, 29), Is(201)], 201, false, 29),
        (RetryClass::Never, &[Wait(429, 30), Is(201)], 201, false, 6),
        (RetryClass::Never, &[Wait(429, 86_400); 3], 429, false, 13),
        (RetryClass::Never, &[Is(429), Is(429), Is(429)], 429, false, 3),
    ] {
        let Run { result, exchange, took } = run(retry_class, replies).await;
        let answer = result.unwrap_or_else(|error| panic!("{retry_class:?} {replies:?}: {error:?}"));
        let seen = (answer.response().status().as_u16(), answer.after_unknown(), took.as_secs());
        assert_eq!(seen, (status, after_unknown, seconds), "{retry_class:?} {replies:?}");
        assert_eq!(answer.attempts() as usize, replies.len(), "{retry_class:?} {replies:?}");
        assert_eq!(exchange.requests().len(), replies.len(), "{retry_class:?} {replies:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_without_a_definite_answer() {
    use Decision::{LookUp, OutcomeUnknown, Stop};
    use Delivery::{Answered, MaybeSent, NotSent};
    for (retry_class, replies, next, delivery, status) in [
        (RetryClass::Safe, &[Down, Down, Down][..], Stop, NotSent, None),
        (RetryClass::Safe, &[Reset, Reset, Reset], Stop, MaybeSent, None),
        (RetryClass::Safe, &[Is(500), Is(500), Down], Stop, MaybeSent, None),
        (RetryClass::Delete, &[Down, Down, Down], Stop, NotSent, None),
        (RetryClass::Delete, &[Reset, Reset, Reset], OutcomeUnknown, MaybeSent, None),
        (RetryClass::Delete, &[Reset, Down, Down], OutcomeUnknown, MaybeSent, None),
        (RetryClass::Delete, &[Reset, Is(500), Is(503)], OutcomeUnknown, Answered, Some(503)),
        (RetryClass::Delete, &[Is(302)], OutcomeUnknown, Answered, Some(302)),
        (RetryClass::Delete, &[Reset, Is(400)], OutcomeUnknown, Answered, Some(400)),
        (RetryClass::Delete, &[Is(500), Is(401)], OutcomeUnknown, Answered, Some(401)),
        (RetryClass::Delete, &[Reset, Down, Is(403)], OutcomeUnknown, Answered, Some(403)),
        (RetryClass::Delete, &[Reset, Is(307)], OutcomeUnknown, Answered, Some(307)),
        (RetryClass::WithKey, &[Down, Down, Down], Stop, NotSent, None),
        (RetryClass::WithKey, &[Down, Reset], LookUp, MaybeSent, None),
        (RetryClass::WithKey, &[Is(500)], LookUp, Answered, Some(500)),
        (RetryClass::Delete, &[Page(404)], OutcomeUnknown, Answered, Some(404)),
        (RetryClass::Delete, &[Reset, Page(404)], OutcomeUnknown, Answered, Some(404)),
        (RetryClass::Delete, &[Reset, Is(429), Is(429)], OutcomeUnknown, Answered, Some(429)),
        (RetryClass::WithKey, &[Wait(429, 1), Down, Down], Stop, NotSent, None),
        (RetryClass::WithKey, &[PageWait(429, 1)], LookUp, Answered, Some(429)),
        (RetryClass::WithKey, &[Wait(503, 1)], LookUp, Answered, Some(503)),
        (RetryClass::WithKey, &[Page(401)], LookUp, Answered, Some(401)),
        (RetryClass::Never, &[Down, Down, Down], Stop, NotSent, None),
        (RetryClass::Never, &[Reset], OutcomeUnknown, MaybeSent, None),
        (RetryClass::Never, &[Down, Reset], OutcomeUnknown, MaybeSent, None),
        (RetryClass::Never, &[Is(500)], OutcomeUnknown, Answered, Some(500)),
        (RetryClass::Never, &[PageWait(429, 1)], OutcomeUnknown, Answered, Some(429)),
        (RetryClass::Never, &[Wait(503, 1)], OutcomeUnknown, Answered, Some(503)),
        (RetryClass::Never, &[Wait(429, 1), Reset], OutcomeUnknown, MaybeSent, None),
        (RetryClass::Never, &[Wait(429, 1), Page(403)], OutcomeUnknown, Answered, Some(403)),
        (RetryClass::Never, &[Page(400)], OutcomeUnknown, Answered, Some(400)),
        (RetryClass::Never, &[Page(422)], OutcomeUnknown, Answered, Some(422)),
        (RetryClass::Never, &[Is(307)], OutcomeUnknown, Answered, Some(307)),
        (RetryClass::Never, &[Is(408)], OutcomeUnknown, Answered, Some(408)),
        (RetryClass::Never, &[Is(303)], OutcomeUnknown, Answered, Some(303)),
    ] {
        let Run { result, exchange, .. } = run(retry_class, replies).await;
        let error = result.expect_err(&format!("{retry_class:?} {replies:?}"));
        let seen = (error.next(), error.delivery(), error.status().map(|status| status.as_u16()));
        assert_eq!(seen, (next, delivery, status), "{retry_class:?} {replies:?}");
        assert_eq!(error.attempts() as usize, replies.len(), "{retry_class:?} {replies:?}");
        assert_eq!(exchange.requests().len(), replies.len(), "{retry_class:?} {replies:?}");
        assert_eq!(error.transport_error().is_some(), status.is_none(), "{retry_class:?} {replies:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_url_is_tried_once() {
    for kind in [Kind::RefusedUrl, Kind::Unrecorded, Kind::Canceled] {
        let exchange = Arc::new(Scripted::new([Err(TransportError::new(kind).not_sent())]));
        let sender = Sender::new(exchange.clone());
        let error = sender.send(call(&sender, RetryClass::Safe, SECOND)).await.unwrap_err();
        assert_eq!(
            (error.next(), error.delivery(), error.attempts()),
            (Decision::Stop, Delivery::NotSent, 1)
        );
        assert_eq!(exchange.requests().len(), 1);
    }
}

/// Checks that a wait that leaves no time for another attempt is not started.
///
/// Holds: A call with its waits and attempts ends by its deadline.
#[tokio::test(start_paused = true)]
async fn the_deadline_bounds_waits_and_attempts() {
    for (within, attempts, took) in [(1, 1, 0), (2, 2, 1), (3, 2, 1), (4, 3, 3)] {
        let exchange = Arc::new(Scripted::new([Down, Down, Down].map(Reply::result)));
        let backoff = Backoff { base: SECOND, cap: 5 * SECOND };
        let sender =
            Sender::with(exchange, Policy { backoff, ..Policy::default() }, Arc::new(TokioTime), |upper| {
                upper
            });
        let started = tokio::time::Instant::now();
        let error = sender.send(call(&sender, RetryClass::Safe, within * SECOND)).await.unwrap_err();
        assert_eq!((error.attempts(), started.elapsed().as_secs()), (attempts, took), "within {within} s");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_may_follow_shortens_an_attempt() {
    for (retry_class, within, attempt_ends) in [
        (RetryClass::Safe, 30, 10),
        (RetryClass::Delete, 30, 10),
        (RetryClass::Safe, 7, 7),
        (RetryClass::Never, 30, 30),
        (RetryClass::WithKey, 30, 30),
    ] {
        let exchange = Arc::new(Scripted::new([Is(200).result()]));
        let sender = Sender::new(exchange.clone());
        let now = tokio::time::Instant::now().into_std();
        sender.send(call(&sender, retry_class, within * SECOND)).await.unwrap();
        let (_, deadline) = &exchange.requests()[0];
        assert_eq!(deadline.remaining(now), attempt_ends * SECOND, "{retry_class:?} within {within} s");
    }
}

/// Holds: Retries stop at the policy's number of attempts and at its budget.
#[tokio::test(start_paused = true)]
async fn attempts_and_budget_are_the_policys() {
    for (attempts, budget, sent) in [(1, 25, 1), (5, 25, 5), (5, 2, 3), (5, 0, 1)] {
        let policy = Policy { attempts: NonZeroU32::new(attempts).unwrap(), budget, ..Policy::default() };
        let exchange = Arc::new(Scripted::new([Down; 9].map(Reply::result)));
        let sender = Sender::with(exchange.clone(), policy, Arc::new(TokioTime), |_| Duration::ZERO);
        sender.send(call(&sender, RetryClass::Safe, SECOND)).await.unwrap_err();
        assert_eq!(exchange.requests().len(), sent, "{attempts} attempts, budget {budget}");
    }
}

/// Checks that a gateway that fails every call gets at most five percent more calls than were made.
#[tokio::test(start_paused = true)]
async fn clones_share_one_budget() {
    let exchange = Arc::new(Scripted::new((0..3_000).map(|_| Down.result())));
    let sender = Sender::with(exchange.clone(), Policy::default(), Arc::new(TokioTime), |_| Duration::ZERO);
    for _ in 0..1_000 {
        let clone = sender.clone();
        clone.send(call(&clone, RetryClass::Safe, SECOND)).await.unwrap_err();
    }
    // The budget is full at the first call, which earns nothing.
    assert_eq!(exchange.requests().len(), 1_000 + 25 + 999 / 20);
}

/// A gateway that answers after 10 s, and the times of its calls.
#[derive(Default)]
struct Slow(Mutex<Vec<tokio::time::Instant>>);

#[async_trait::async_trait]
impl Exchange for Slow {
    async fn exchange(
        &self,
        _request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        self.0.lock().unwrap().push(tokio::time::Instant::now());
        let answered = tokio::time::sleep_until(tokio::time::Instant::now() + 10 * SECOND);
        tokio::time::timeout_at(tokio::time::Instant::from_std(deadline.instant()), answered)
            .await
            .map(|()| Is(200).result().unwrap())
            .map_err(|_| TransportError::new(Kind::Timeout))
    }
}

/// Starts ten calls at once. Each call without a permit before its deadline was not sent; permits of finished calls are
/// used again.
///
/// Holds: Calls wait for the client's pace, and no longer than their deadline.
#[tokio::test(start_paused = true)]
async fn calls_leave_within_the_pace_and_the_deadline() {
    let whole = NonZeroU32::new;
    for (max_in_flight, per_second, within, starts) in [
        (None, None, 30, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..]),
        (whole(4), None, 60, &[0, 0, 0, 0, 10, 10, 10, 10, 20, 20]),
        (whole(4), None, 15, &[0, 0, 0, 0, 10, 10, 10, 10]),
        (whole(1), None, 10, &[0]),
        (None, whole(1), 60, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (None, whole(1), 3, &[0, 1, 2]),
        (None, whole(5), 60, &[0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
        (whole(2), whole(1), 60, &[0, 1, 10, 11, 20, 21, 30, 31, 40, 41]),
    ] {
        let exchange = Arc::new(Slow::default());
        let pace = Pace { max_in_flight, per_second };
        let sender =
            Sender::paced(exchange.clone(), Policy::default(), pace, Arc::new(TokioTime), |upper| upper);
        let began = tokio::time::Instant::now();
        let calls: Vec<_> = (0..10)
            .map(|_| {
                let (sender, call) = (sender.clone(), call(&sender, RetryClass::Never, within * SECOND));
                tokio::spawn(async move { sender.send(call).await })
            })
            .collect();
        let mut unsent = 0;
        for call in calls {
            let Err(error) = call.await.unwrap() else { continue };
            let kind = error.transport_error().unwrap().kind();
            if kind == Kind::NoPermit {
                unsent += 1;
                assert_eq!((error.next(), error.delivery()), (Decision::Stop, Delivery::NotSent), "{pace:?}");
            } else {
                assert_eq!((kind, error.next()), (Kind::Timeout, Decision::OutcomeUnknown), "{pace:?}");
            }
        }
        assert!(began.elapsed() <= within * SECOND, "{pace:?} took {:?}", began.elapsed());
        let seen: Vec<u64> = exchange.0.lock().unwrap().iter().map(|at| (*at - began).as_secs()).collect();
        assert_eq!(seen, starts, "{pace:?} within {within} s");
        assert_eq!(unsent, 10 - starts.len(), "{pace:?} within {within} s");
    }
}

/// Checks that dropping a call frees its permit.
#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_its_place() {
    let pace = Pace { max_in_flight: NonZeroU32::new(1), ..Pace::default() };
    let sender =
        Sender::paced(Arc::new(Slow::default()), Policy::default(), pace, Arc::new(TokioTime), |upper| upper);
    let dropped = sender.send(call(&sender, RetryClass::Never, 30 * SECOND));
    assert!(tokio::time::timeout(SECOND, dropped).await.is_err());
    let started = tokio::time::Instant::now();
    sender.send(call(&sender, RetryClass::Never, 30 * SECOND)).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[test]
fn errors_are_one_word_and_say_what_to_do() {
    assert_eq!(size_of::<CallError>(), size_of::<usize>());
    assert_eq!(size_of::<TransportError>(), size_of::<usize>());
}

/// Holds: A call that is sent once is attempted once, is not sent after its moment, and ends within a minute.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_sent_once_has_one_attempt_and_an_end() {
    let exchange = Arc::new(Scripted::new([Is(503).result(), Is(200).result()]));
    let sender = Sender::new(exchange.clone());
    let once = sender.once(SendBy::within(30 * SECOND));
    assert_eq!(once.deadline_in(600 * SECOND), sender.deadline_in(SendBy::LONGEST_CALL));
    assert_eq!(once.deadline_in(SECOND), sender.deadline_in(SECOND));
    let failed = once.send(call(&once, RetryClass::Safe, SECOND)).await;
    assert_eq!(failed.map(|answer| answer.attempts()).map_err(|error| error.attempts()), Ok(1));

    let late = sender.once(SendBy::within(Duration::ZERO));
    let error = late.send(call(&late, RetryClass::Never, SECOND)).await.unwrap_err();
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 1));
    assert_eq!(error.transport_error().map(TransportError::kind), Some(Kind::TooLate));
}
