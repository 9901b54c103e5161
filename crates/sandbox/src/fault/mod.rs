//! Faults: the calls that are hit, and the effects.

mod document;
mod effects;
mod members;
mod rules;

use std::fmt;

pub use self::effects::{Effect, EffectKind};
pub use self::members::EffectMember;
pub(crate) use self::rules::{Faults, Hit, StaleCopy, stands_in};
use crate::clock::{Moment, Period};
use crate::issuer::outcome::{self, Outcome};
use crate::nearest::{distance, in_words};

/// A fault: calls of one operation, and the effect on them.
///
/// The operation is a name such as `plans.create`, or `*` for all. The delivery of an alert is a separate operation,
/// `webhooks.deliver`: each attempt counts as a call, about the customer, plan, token and transaction that the alert
/// names. A charge by the plan engine is another one, `engine.charge`, about the customer, plan and token. `*` includes
/// neither. The fault hits the calls that [`nth`](Self::nth), [`times`](Self::times),
/// [`probability`](Self::probability) and [`key`](Self::key) select; without `nth` and `times` it hits every call until
/// the fault is cleared. Each fault counts its matching calls, from when it was set; if several would hit one call, the
/// oldest does. Calls that open no world and calls of the control interface are neither counted nor hit.
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

/// The current name of an operation, given that name or one of an earlier version.
fn canonical(operation: String) -> String {
    perennial_wire::operation(&operation).map_or(operation, |found| found.name.to_owned())
}

impl Fault {
    /// Creates a fault for the calls of this operation.
    pub fn on(operation: impl Into<String>, effect: Effect) -> Self {
        let operation = canonical(operation.into());
        Self { operation, nth: None, times: None, probability: None, seed: None, key: None, effect }
    }

    /// Hits calls from the nth matching one on, counted from 1; one call only, unless [`times`](Self::times) says more.
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Hits this many calls, at least 1: from the nth matching call on, or else from the first.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits a call with this probability, 0 to 1, drawn for each matching call from [`seed`](Self::seed). It cannot be
    /// combined with [`nth`](Self::nth).
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// The seed of the random draws, 0 by default: one seed always hits the same calls of a sequence.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Hits only calls about this customer, token, plan or transaction: the key is a part of the path, a value of the
    /// query, or a separate word in the body. A payment of a plan is about the plan, its customer and its token.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Whether the fault needs a copy of the world.
    pub(crate) fn reads_stale(&self) -> bool {
        self.effect == Effect::StaleRead
    }

    /// Returns an error if the fault is invalid.
    pub(crate) fn check(&self) -> Result<(), FaultError> {
        let Self { operation, nth, times, probability, seed, key, effect } = self;
        let wrong = |member, rule| Err(FaultError { member, rule, near: Vec::new() });
        let known = NO_CALLS.contains(&operation.as_str()) || perennial_wire::operation(operation).is_some();
        if operation != "*" && !known {
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
        if let Some((member, rule)) = effect.broken() {
            return wrong(member, rule);
        }
        if !effect.goes_with(operation) {
            return wrong("effect.kind", "must be one that goes with the operation");
        }
        Ok(())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({})", self.to_json())
    }
}

/// The time at which a client may try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date, such as `Fri, 01 Jan 2027 00:00:00 GMT`.
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

/// The operation of charging a plan on its day.
pub(crate) const CHARGE: &str = "engine.charge";

/// Operations that are not calls. `*` does not include them.
pub(crate) const NO_CALLS: [&str; 2] = [CHARGE, DELIVER];

/// The maximum time an alert waits for the next one: longer than a month, so that a single plan also has a next one.
const LONGEST_REORDER: Period = Period::days(40);
impl Effect {
    /// The outcome that the effect forces on a charge, if any.
    pub(crate) fn decline(&self) -> Option<Outcome> {
        match self {
            Self::Decline { result_code } => outcome::of_code(result_code),
            _ => None,
        }
    }

    /// Whether the effect can hit calls of this operation, or some calls if the operation is `*`.
    pub(crate) fn goes_with(&self, operation: &str) -> bool {
        match self {
            Self::Duplicate => true,
            Self::Reorder | Self::Late { .. } => operation == DELIVER,
            Self::Skip | Self::ChargeLate { .. } => operation == CHARGE,
            Self::Decline { .. } if operation == CHARGE => true,
            _ if NO_CALLS.contains(&operation) => false,
            _ if operation == "*" => true,
            Self::Decline { .. } => perennial_wire::operation(operation).is_some_and(|found| found.charges),
            Self::EvictAccessId => {
                perennial_wire::operation(operation).is_some_and(|found| found.needs_access_id)
            }
            Self::StaleRead => {
                perennial_wire::operation(operation).is_some_and(|found| found.class.is_read())
            }
            _ => true,
        }
    }

    /// The time until which an alert due at this moment is held, if the effect holds it.
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
        write!(f, "Effect({})", self.to_json())
    }
}

/// A fault that is set, and its counts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StandingFault {
    /// Its id in this world: `fault-1`, `fault-2` and so on.
    pub id: String,
    /// The fault itself.
    pub fault: Fault,
    /// The number of matching calls.
    pub matched: u64,
    /// The number of calls hit.
    pub applied: u64,
}

/// An error in a fault.
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
    /// Known operations nearest to the given one.
    near: Vec<&'static str>,
}

fn suggestion(near: &[&str]) -> String {
    if near.is_empty() { String::new() } else { format!(" (did you mean {}?)", in_words(near, "or")) }
}

/// Names of all operations of both vendors.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    let clearent = perennial_wire::clearent::Operation::ALL.iter().map(|operation| operation.name());
    clearent.chain(perennial_wire::clientpay::Operation::ALL.iter().map(|operation| operation.name()))
}

/// The three operations nearest to an unknown one, the nearest first. An operation of the same resource, or with the
/// same verb, counts half the distance.
fn nearest_operations(given: &str) -> Vec<&'static str> {
    let parts = |name: &str| {
        let (resource, verb) = name.split_once('.').unwrap_or((name, ""));
        (resource.to_ascii_lowercase(), verb.to_ascii_lowercase())
    };
    let (resource, verb) = parts(given);
    let mut known: Vec<&'static str> = operations().chain(NO_CALLS).collect();
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
    /// The invalid member, as the control interface names it: `effect.status`.
    pub fn member(&self) -> &'static str {
        self.member
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::world::Kind;
    use crate::{Sandbox, World};

    /// The number of rows in copies, if the world has one row.
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
            world.gateway.with_world(world.key, |session| session.next(Kind::Customer)).await.unwrap();
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
