//! What goes wrong on purpose: which calls are hit, and what happens to them.

mod document;
mod effects;
mod rules;

use std::fmt;
use std::time::Duration;

pub use self::effects::{EffectKind, EffectMember};
pub(crate) use self::rules::{Aside, Faults, Hit, stands_in};
use crate::call;
use crate::clearent::outcome::{self, Outcome};
use crate::clientpay;
use crate::clock::{Moment, Period};
use crate::nearest::distance;

/// Calls of one operation, and what goes wrong with them.
///
/// The operation is a name such as `plans.create`, or `*` for all. To deliver an alert is an operation of its own,
/// `webhooks.deliver`, which `*` does not mean: each attempt counts as a call, about the customer, plan, token and
/// transaction that the alert names. Of its calls those are hit that
/// [`nth`](Self::nth), [`times`](Self::times), [`probability`](Self::probability) and [`key`](Self::key) say; without
/// `nth` and `times` every one, until the fault is cleared. Each fault counts the calls that match it, from when it was
/// set; of several that would hit one call, the oldest does. Calls that open no world and those of the control
/// interface neither count nor are hit.
///
/// ```
/// use perennial_sandbox::{Effect, Fault, Sandbox};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// sandbox.fault(&Fault::on("customers.create", Effect::DropReply).nth(1)).await?;
///
/// let body = r#"{"first-name":"Ada","last-name":"Byron"}"#;
/// let mut stream = tokio::net::TcpStream::connect(sandbox.address()).await?;
/// let request = format!(
///     "POST /rest/v2/customers HTTP/1.1\r\nHost: localhost\r\napi-key: {}\r\nContent-Length: {}\r\n\r\n{body}",
///     sandbox.api_key().expose(),
///     body.len(),
/// );
/// stream.write_all(request.as_bytes()).await?;
/// let mut answer = Vec::new();
/// stream.read_to_end(&mut answer).await?;
/// assert!(answer.is_empty());
///
/// // The customer is there all the same.
/// let faults = sandbox.faults().await?;
/// assert_eq!((faults[0].id.as_str(), faults[0].matched, faults[0].applied), ("fault-1", 1, 1));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq)]
#[must_use = "a fault does nothing until it is given to a world"]
pub struct Fault {
    operation: String,
    nth: Option<u64>,
    times: Option<u64>,
    probability: Option<f64>,
    seed: Option<u64>,
    key: Option<String>,
    effect: Effect,
}

/// The name of an operation, by that name or by one that it had in an earlier version.
fn canonical(operation: String) -> String {
    perennial_wire::operation(&operation).map_or(operation, |found| found.name.to_owned())
}

impl Fault {
    /// What goes wrong with the calls of this operation.
    pub fn on(operation: impl Into<String>, effect: Effect) -> Self {
        let operation = canonical(operation.into());
        Self { operation, nth: None, times: None, probability: None, seed: None, key: None, effect }
    }

    /// Hits from the nth matching call on, counted from 1; that call only, unless [`times`](Self::times) says more.
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Hits this often, from 1: that many calls from the nth on, or else the first ones that match.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits a call with this likelihood, 0 to 1, drawn for each matching call from [`seed`](Self::seed). It cannot go
    /// with [`nth`](Self::nth).
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// What chances are drawn from, 0 if it is not given: the same seed hits the same calls of a sequence.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Hits only calls about this customer, token, plan or transaction: the key is a part of the path, a value of the query, or
    /// stands in the body by itself. A payment of a plan is about the plan, its customer and its token.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Whether it needs a copy of the world.
    pub(crate) fn reads_stale(&self) -> bool {
        self.effect == Effect::StaleRead
    }

    /// Says what is wrong with it, if anything is.
    pub(crate) fn check(&self) -> Result<(), FaultError> {
        let Self { operation, nth, times, probability, seed, key, effect } = self;
        let wrong = |member, rule| Err(FaultError { member, rule, near: Vec::new() });
        if operation != "*" && operation != DELIVER && call::reads(operation).is_none() {
            let rule = "must be one that this sandbox serves, or *";
            return Err(FaultError { member: "operation", rule, near: nearest_operations(operation) });
        }
        if *nth == Some(0) {
            return wrong("nth", "must be from 1");
        }
        if *times == Some(0) {
            return wrong("times", "must be from 1");
        }
        if probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return wrong("probability", "must be from 0 to 1");
        }
        if probability.is_some() && nth.is_some() {
            return wrong("probability", "must not be given together with nth");
        }
        if seed.is_some() && probability.is_none() {
            return wrong("seed", "must not be given without probability");
        }
        let is_key = |key: &String| matches!(key.len(), 1..=100) && key.bytes().all(rules::is_of_key);
        if !key.as_ref().is_none_or(is_key) {
            return wrong("key", "must have 1 to 100 characters, all of them letters, digits, - or _");
        }
        effect.check()?;
        if !effect.goes_with(operation) {
            return wrong("effect.kind", "must be one that goes with the operation");
        }
        Ok(())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({})", self.shown())
    }
}

/// What goes wrong with a call.
///
/// Waits are in real time, whatever the world's clock does, and at most a minute; a stop of the sandbox ends them.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing is done, and the answer is an error.
    ErrorBefore {
        /// Its HTTP status, 400 to 599.
        status: u16,
    },
    /// The call is executed and committed, and then the answer is an error.
    ErrorAfter {
        /// Its HTTP status, 400 to 599.
        status: u16,
    },
    /// The call is executed and committed, and then the connection is closed without a byte.
    DropReply,
    /// The connection is closed without a byte, and the call is executed later. A sandbox that is stopped executes it
    /// at once; a world that is emptied before does not see it any more.
    LateCommit {
        /// How much later, up to a minute.
        delay: Duration,
    },
    /// The call is executed twice; the second answer is sent. An alert is posted twice, and the second answer counts.
    Duplicate,
    /// The call is executed and committed; the answer comes later.
    Delay {
        /// How much later, up to a minute.
        delay: Duration,
    },
    /// The body of the answer comes slowly, but within a minute.
    SlowBody {
        /// How slowly, from 1.
        bytes_per_second: u64,
    },
    /// The answer announces its whole body, and the connection is closed within it. A body that is not longer comes
    /// whole.
    CutReply {
        /// How many bytes of the body come.
        at_byte: u64,
    },
    /// The call is executed and committed, and the answer is something else with status 200.
    Garbage {
        /// The body.
        body: String,
        /// What it claims to be, as in `text/html`.
        content_type: String,
    },
    /// Reads answer from the world as it stood when the fault was set, its clock included. What is written after that
    /// is not seen, so the fault is to be set before the write that it shall hide.
    StaleRead,
    /// Nothing is done, and the answer is 429.
    RateLimit {
        /// What it says in `Retry-After`, if anything.
        retry_after: Option<RetryAfter>,
    },
    /// The live access ids end before the call is executed, as if somebody had expired them between two calls; so it is
    /// refused. It hits only calls of ClientPay that need one.
    EvictAccessId,
    /// Sales, authorisations, payments of plans and of ClientPay are declined, whatever their card, amount and duplicates
    /// say. It hits only what can be declined: of the operations `transactions.sale`, to which payments of plans belong
    /// here, `transactions.auth`, and `clientpay-payments.create`, to which payments on a page belong.
    Decline {
        /// A result code of the vendor's that does not approve, such as `012`.
        result_code: String,
    },
    /// The answer is filled up with white space that means nothing. One without a body, or that is longer already,
    /// stays as it is.
    HugeBody {
        /// How many bytes its body has then, up to 1 GiB.
        bytes: u64,
    },
    /// An alert is posted after the next one of its world, so that two of them come in the wrong order: it is held until
    /// another alert was posted, or for 40 days of the world's clock if none comes. While one is held, the others are
    /// posted at once. This and the next hit `webhooks.deliver` only.
    Reorder,
    /// An alert is held for a while of the world's clock.
    Late {
        /// How long, as a period of ISO 8601 such as `PT1H` or `P2D`.
        delay: String,
    },
}

/// When a client may try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryAfter {
    /// So many seconds later.
    Seconds(u64),
    /// At an HTTP date, such as `Fri, 01 Jan 2027 00:00:00 GMT`.
    Date(String),
}

impl RetryAfter {
    const RULE: &str = "must be whole seconds or an HTTP date such as Fri, 01 Jan 2027 00:00:00 GMT";
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Date(date) => f.write_str(date),
        }
    }
}

/// The operation of delivering an alert.
pub(crate) const DELIVER: &str = "webhooks.deliver";

/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);
/// How long an alert waits for the next one: longer than a month, so that a plan alone has a next one.
const LONGEST_REORDER: Period = Period::days(40);
/// The largest body.
const LARGEST: u64 = 1024 * 1024 * 1024;

impl Effect {
    fn check(&self) -> Result<(), FaultError> {
        let (good, member, rule) = match self {
            Self::ErrorBefore { status } | Self::ErrorAfter { status } => {
                (matches!(status, 400..=599), "effect.status", "must be from 400 to 599")
            }
            Self::LateCommit { delay } | Self::Delay { delay } => {
                (*delay <= LONGEST, "effect.delay-ms", "must be from 0 to 60000")
            }
            Self::SlowBody { bytes_per_second } => {
                (*bytes_per_second > 0, "effect.bytes-per-second", "must be from 1")
            }
            Self::Garbage { body: _, content_type } => (
                http::HeaderValue::try_from(content_type).is_ok_and(|value| !value.is_empty()),
                "effect.content-type",
                "must be text that a header can hold",
            ),
            Self::RateLimit { retry_after: Some(RetryAfter::Date(date)) } => {
                (httpdate::parse_http_date(date).is_ok(), "effect.retry-after", RetryAfter::RULE)
            }
            Self::Decline { .. } => (
                self.decline().is_some(),
                "effect.result-code",
                "must be a code of the vendor's with which a charge is not approved",
            ),
            Self::HugeBody { bytes } => {
                (matches!(bytes, 1..=LARGEST), "effect.bytes", "must be from 1 to 1073741824")
            }
            Self::Late { delay } => (
                delay.parse::<Period>().is_ok(),
                "effect.delay",
                "must be an ISO 8601 period such as PT1H or P2D",
            ),
            Self::DropReply
            | Self::Duplicate
            | Self::EvictAccessId
            | Self::Reorder
            | Self::CutReply { .. }
            | Self::StaleRead
            | Self::RateLimit { .. } => return Ok(()),
        };
        if good { Ok(()) } else { Err(FaultError { member, rule, near: Vec::new() }) }
    }

    /// How it makes a charge go, if it has a say in that.
    pub(crate) fn decline(&self) -> Option<Outcome> {
        match self {
            Self::Decline { result_code } => outcome::of_code(result_code),
            _ => None,
        }
    }

    /// Whether calls of this operation can be hit by it, or some of all calls.
    pub(crate) fn goes_with(&self, operation: &str) -> bool {
        match self {
            Self::Duplicate => true,
            Self::Reorder | Self::Late { .. } => operation == DELIVER,
            _ if operation == DELIVER => false,
            _ if operation == "*" => true,
            Self::Decline { .. } => perennial_wire::operation(operation).is_some_and(|found| found.charges),
            Self::EvictAccessId => clientpay::needs_access_id(operation),
            Self::StaleRead => call::reads(operation) == Some(true),
            _ => true,
        }
    }

    /// Until when an alert is held that is due at this moment, if it is.
    pub(crate) fn holds(&self, due: Moment) -> Option<Moment> {
        match self {
            Self::Reorder => due.after(LONGEST_REORDER).ok(),
            // Beyond the calendar nothing is ever due.
            Self::Late { delay } => delay.parse().and_then(|delay| due.after(delay)).ok(),
            _ => None,
        }
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Effect({})", self.shown())
    }
}

/// A fault that is set, and what it did so far.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StandingFault {
    /// Its id in this world: `fault-1`, `fault-2` and so on.
    pub id: String,
    /// What was set.
    pub fault: Fault,
    /// How many calls matched it.
    pub matched: u64,
    /// How many of them it hit.
    pub applied: u64,
}

/// What is wrong with a fault.
///
/// ```
/// use perennial_sandbox::{Effect, Fault, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// let wrong = Fault::on("plans.create", Effect::ErrorBefore { status: 200 });
/// let error = sandbox.fault(&wrong).await.unwrap_err();
/// assert_eq!(error.to_string(), "effect.status: must be from 400 to 599");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {rule}{}", suggestion(.near))]
pub struct FaultError {
    member: &'static str,
    rule: &'static str,
    /// The known operations that are nearest to the one that was given.
    near: Vec<&'static str>,
}

fn suggestion(near: &[&str]) -> String {
    if near.is_empty() {
        String::new()
    } else {
        format!(" (did you mean {}?)", effects::in_words(near, "or"))
    }
}

/// The three operations that are nearest to a wrong one, the nearest first. One of the same resource, or with the same
/// verb, counts as half as far. Some have another name in the spans of the client, by which they are found too.
fn nearest_operations(given: &str) -> Vec<&'static str> {
    let given = &match given.rsplit_once('.') {
        Some(("plans", "forecast")) => "forecast.get".to_owned(),
        Some((resource, "search")) => format!("{resource}.list"),
        Some((resource, "attach")) => format!("{resource}.create"),
        _ => given.to_owned(),
    };
    let parts = |name: &str| {
        let (resource, verb) = name.split_once('.').unwrap_or((name, ""));
        (resource.to_ascii_lowercase(), verb.to_ascii_lowercase())
    };
    let (resource, verb) = parts(given);
    let mut known: Vec<&'static str> = call::operations().chain([DELIVER]).collect();
    known.sort_unstable();
    known.dedup();
    known.sort_by_cached_key(|name| {
        let (its_resource, its_verb) = parts(name);
        let shared = resource == its_resource || verb == its_verb;
        distance(given, name) * if shared { 1 } else { 2 }
    });
    known.truncate(3);
    known
}

impl FaultError {
    /// The member at fault, as the control interface names it: `effect.status`.
    pub fn member(&self) -> &'static str {
        self.member
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Kind;
    use crate::{Sandbox, World};

    /// How many rows of copies there are, when the world has one row.
    async fn copied(world: &World) -> i64 {
        let sql = "SELECT count(*) FROM tallies WHERE world < 0";
        world
            .gateway
            .store
            .run(move |connection| connection.query_row(sql, [], |row| row.get(0)))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn copies_go_with_their_faults() {
        let sandbox = Sandbox::start().await.unwrap();
        let world = sandbox.world(7).await.unwrap();
        let stale = async || {
            world.gateway.with_world(world.knock, |ledger| ledger.next(Kind::Customer)).await.unwrap();
            world.fault(&Fault::on("*", Effect::StaleRead)).await.unwrap();
            copied(&world).await
        };
        assert_eq!([stale().await, stale().await], [1, 2]);
        world.clear_faults().await.unwrap();
        assert_eq!([copied(&world).await, stale().await], [0, 1]);
        world.reset().await.unwrap();
        assert_eq!([copied(&world).await, stale().await], [0, 1]);
        sandbox.world(7).await.unwrap();
        assert_eq!(copied(&world).await, 0);
    }
}
