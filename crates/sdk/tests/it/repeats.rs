//! The retry table, end to end: which responses lead to a retry, how many, and after which wait.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use perennial::transport::{Kind, TransportError};
use perennial::{Error, ErrorKind, Format};
use tokio::time::Instant;

use crate::gateway::{Answer, Gateway, says};
use crate::operations::{operation, right, token_id};
use crate::outcomes::refuses;

/// The gateway's reaction to one attempt.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answer,
    /// A refusal in its envelope.
    Status(u16),
    /// A refusal in its envelope that requests a wait of this number of seconds.
    Later(u64),
    /// A response of a proxy.
    Page(u16),
    Says(u16, &'static str),
    Throttle,
    Fail(Kind),
}

use Does::{Answer as Right, Fail, Later, Page, Says, Status, Throttle};

const GONE: &str = r#"{"code":"404","payload":{"error":{"error-message":"Object not found"}}}"#;
const UNAUTHORIZED: &str = r#"{"code":"401","payload":{"error":{"error-message":"Unauthorized"}}}"#;

/// Holds: The facade repeats a call only if the retry table allows it.
#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn a_call_is_repeated_only_where_that_does_no_harm() {
    use ErrorKind::{NotFound, OutcomeUnknown, RateLimited, Refused, Timeout, Unauthorized, Unavailable, Connection, InvalidResponse};
    const VALUE: Option<ErrorKind> = None;
    let connect = Fail(Kind::Connect);
    let reset = Fail(Kind::Closed);
    let silence = Fail(Kind::Timeout);
    // Without jitter the waits are 250 ms and 500 ms; a gateway that requests 2 s gets them.
    let table: &[(&str, &[Does], Option<ErrorKind>, u64)] = &[
        ("tokens.get", &[connect, reset, Right], VALUE, 750),
        ("tokens.get", &[Status(500), Throttle, Right], VALUE, 250 + 2_000),
        ("tokens.get", &[silence, silence, silence], Some(Timeout), 750),
        ("tokens.get", &[Status(500), Status(502), Status(503)], Some(Unavailable), 750),
        ("tokens.get", &[Throttle, Throttle, Status(429)], Some(RateLimited), 4_000),
        ("tokens.get", &[reset, Status(400)], Some(Refused), 250),
        ("tokens.get", &[Later(10), Later(10), Right], VALUE, 20_000),
        ("tokens.get", &[Later(86_400), Right], VALUE, 5_250),
        ("tokens.get", &[Page(404)], Some(InvalidResponse), 0),
        ("tokens.get", &[Page(401)], Some(InvalidResponse), 0),
        ("tokens.get", &[Page(502), Page(429), Right], VALUE, 750),
        ("customers.search", &[connect, Right], VALUE, 250),

        ("tokens.delete", &[connect, Status(500), Right], VALUE, 750),
        ("tokens.delete", &[Status(404)], Some(NotFound), 0),
        ("tokens.delete", &[reset, Status(404)], VALUE, 250),
        ("tokens.delete", &[Status(500), Status(404)], VALUE, 250),
        ("tokens.delete", &[reset, Status(410)], VALUE, 250),
        ("tokens.delete", &[reset, Says(404, GONE)], VALUE, 250),
        ("tokens.delete", &[reset, Says(200, GONE)], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[reset, Says(404, "<html>Not Found</html>")], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[reset, Says(404, r#"{"message":"no route"}"#)], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[reset, Says(200, UNAUTHORIZED)], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[reset, Status(400)], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[reset, Status(401)], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[Status(500), Status(403)], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[reset, Status(402)], Some(Refused), 250),
        ("tokens.delete", &[connect, Status(401)], Some(Unauthorized), 250),
        ("tokens.delete", &[connect, Status(404)], Some(NotFound), 250),
        ("tokens.delete", &[Page(404)], Some(OutcomeUnknown), 0),
        ("tokens.delete", &[reset, Page(404)], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[reset, Page(402)], Some(OutcomeUnknown), 250),
        ("tokens.delete", &[Later(2), Right], VALUE, 2_000),
        ("tokens.delete", &[Status(429), Status(429), Status(429)], Some(RateLimited), 750),
        ("tokens.delete", &[reset, Later(2), Status(404)], VALUE, 2_250),
        ("tokens.delete", &[reset, Later(2), Later(2)], Some(OutcomeUnknown), 2_250),
        ("tokens.delete", &[reset, reset, reset], Some(OutcomeUnknown), 750),
        ("tokens.delete", &[reset, connect, connect], Some(OutcomeUnknown), 750),

        ("plans.create", &[connect, connect, Right], VALUE, 750),
        ("plans.create", &[connect, connect, connect], Some(Connection), 750),
        ("plans.create", &[connect, reset], Some(OutcomeUnknown), 250),
        ("plans.create", &[silence], Some(OutcomeUnknown), 0),
        ("plans.create", &[Throttle], Some(OutcomeUnknown), 0),
        ("plans.create", &[Page(429)], Some(OutcomeUnknown), 0),
        ("plans.create", &[Page(400)], Some(OutcomeUnknown), 0),
        ("plans.create", &[Later(3), Right], VALUE, 3_000),
        ("plans.create", &[Later(12), connect, Right], VALUE, 12_500),
        ("plans.create", &[Later(3), reset], Some(OutcomeUnknown), 3_000),
        ("plans.create", &[Later(3), Page(403)], Some(OutcomeUnknown), 3_000),
        ("plans.create", &[Later(3), Status(400)], Some(Refused), 3_000),
        ("plans.create", &[Status(429), Status(429), Status(429)], Some(RateLimited), 750),
        ("plans.create", &[Later(86_400), Later(86_400), Later(86_400)], Some(RateLimited), 5_250 + 5_500),
        ("transactions.sale", &[Later(1), Right], VALUE, 1_000),
        ("plans.create", &[Status(503)], Some(OutcomeUnknown), 0),
        ("plans.cancel", &[Status(500)], Some(OutcomeUnknown), 0),
        ("customers.create", &[reset], Some(OutcomeUnknown), 0),
        ("customer-tokens.attach", &[reset], Some(OutcomeUnknown), 0),
        ("tokens.create", &[reset], Some(OutcomeUnknown), 0),
        ("transactions.sale", &[reset], Some(OutcomeUnknown), 0),
        ("transactions.sale", &[Status(402)], Some(Refused), 0),
        ("transactions.auth", &[Status(500)], Some(OutcomeUnknown), 0),
        ("transactions.capture", &[reset], Some(OutcomeUnknown), 0),
        ("transactions.void", &[reset], Some(OutcomeUnknown), 0),
        ("transactions.refund", &[connect, Right], VALUE, 250),
    ];
    for (name, does, expected, waited) in table {
        let script = does.to_vec();
        let (ours, next) = (operation(name), AtomicUsize::new(0));
        let gateway = Gateway::new(move |_, request| -> Answer {
            // The object that a deletion reads first exists.
            if !ours.is(request.method()) {
                return right(Format::Json, request);
            }
            match script[next.fetch_add(1, Ordering::Relaxed)] {
                Right => right(Format::Json, request),
                Status(status) => refuses(Format::Json, status, status),
                Page(status) => says(status, "<html>"),
                Later(seconds) => {
                    let mut answer = refuses(Format::Json, 429, 429)?;
                    answer.headers_mut().insert("retry-after", seconds.into());
                    Ok(answer)
                }
                Says(status, body) => says(status, body),
                Throttle => {
                    let mut answer = says(503, "")?;
                    answer.headers_mut().insert("retry-after", "2".parse().unwrap());
                    Ok(answer)
                }
                Fail(kind) => Err(TransportError::new(kind)),
            }
        });
        let started = Instant::now();
        let outcome = (operation(name).run)(gateway.client(Format::Json)).await;
        let what = format!("{name} {does:?}: {outcome:?}");
        assert_eq!(outcome.as_ref().err().map(Error::kind), *expected, "{what}");
        let sent = gateway.asked().iter().filter(|request| ours.is(request.method())).count();
        assert_eq!(sent, does.len(), "{what}");
        assert_eq!(started.elapsed(), Duration::from_millis(*waited), "{what}");
        if let Err(error) = outcome {
            assert_eq!(error.attempts() as usize, does.len(), "{what}");
            let asked = match does.last() {
                Some(Later(seconds)) => Some(Duration::from_secs(*seconds)),
                Some(Throttle) => Some(Duration::from_secs(2)),
                _ => None,
            };
            assert_eq!(error.retry_after(), asked, "{what}");
        }
    }
}

#[tokio::test]
async fn what_was_deleted_by_a_lost_attempt_has_no_last_state() {
    for status in [404, 410] {
        let gone = refuses(Format::Json, status, status);
        let (gone, first) = (Mutex::new(Some(gone)), AtomicBool::new(true));
        let gateway = Gateway::new(move |_, request| match *request.method() {
            Method::GET => right(Format::Json, request),
            _ if first.swap(false, Ordering::Relaxed) => Err(TransportError::new(Kind::Closed)),
            _ => gone.lock().unwrap().take().unwrap(),
        });
        let deleted = gateway.client(Format::Json).tokens().delete(&token_id()).await.unwrap();
        assert_eq!((deleted.status(), deleted.attempts(), deleted.into_value()), (status, 2, None));
    }
}
