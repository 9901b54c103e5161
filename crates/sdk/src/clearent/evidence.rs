//! Compares the parts of a response: the HTTP status, the envelope and the payload. Only parts that agree are a
//! definite yes or no.

use http::StatusCode;
use perennial_domain::clearent::{Link, Transaction, TransactionId, Verdict};
use perennial_wire::clearent::{Payload, Reply, Resource};

use super::Lookup;

/// Whether any part of a response says that the call succeeded, and whether any part says that it failed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Evidence {
    done: bool,
    failed: bool,
}

impl Evidence {
    /// Returns the evidence in the response to a write. A transaction that is neither approved nor declined counts as
    /// both, and so does a refusal that `names` an object, with an error or without any payload.
    pub(super) fn of_write(status: StatusCode, reply: &Reply, names: impl FnOnce() -> bool) -> Self {
        let mut evidence = Self::of_envelope(status, reply);
        let failure = |kind: &String| ["error", "errorTransaction"].contains(&kind.as_str());
        evidence.failed |= reply.payload_type.as_ref().is_some_and(failure);
        let (done, failed) = match &reply.payload {
            Payload::Empty => (names(), false),
            Payload::Error(error) => {
                let zeros = |code: &String| !code.is_empty() && code.bytes().all(|digit| digit == b'0');
                let approves = error.result_code.as_ref().is_some_and(zeros);
                (approves || names(), true)
            }
            Payload::Several(_) => (true, true),
            payload => match transaction(payload).map(Transaction::verdict) {
                None | Some(Verdict::Approved) => (true, false),
                Some(Verdict::Declined) => (false, true),
                Some(Verdict::Undecided) => (true, true),
            },
        };
        evidence.and(done, failed)
    }

    /// Returns the evidence in the response to a read. A declined transaction can have the status of its refusal or of
    /// the read, and an error can have either status.
    pub(super) fn of_read(status: StatusCode, reply: &Reply) -> Self {
        match &reply.payload {
            Payload::Empty => Self::of_words(reply),
            Payload::Error(_) => Self::of_words(reply).and(false, true),
            Payload::Several(_) => Self { done: true, failed: true },
            payload if transaction(payload).is_some_and(|charge| charge.decline().is_some()) => {
                Self::default()
            }
            _ => Self::of_envelope(status, reply).and(true, false),
        }
    }

    fn of_envelope(status: StatusCode, reply: &Reply) -> Self {
        let failed = status.is_client_error() || status.is_server_error();
        Self::of_words(reply).and(status.is_success(), failed)
    }

    /// The code and the word of the envelope. If they are neither a success nor a failure, they count as both.
    fn of_words(reply: &Reply) -> Self {
        let code = reply.code.map(|code| ((200..300).contains(&code), (400..600).contains(&code)));
        let word = reply.status.as_deref().map(str::trim).filter(|word| !word.is_empty());
        let word = word.map(|word| (word.eq_ignore_ascii_case("success"), word.eq_ignore_ascii_case("fail")));
        [code, word].into_iter().flatten().fold(Self::default(), |evidence, (done, failed)| {
            match (done, failed) {
                (false, false) => evidence.and(true, true),
                _ => evidence.and(done, failed),
            }
        })
    }

    fn and(self, done: bool, failed: bool) -> Self {
        Self { done: self.done || done, failed: self.failed || failed }
    }

    /// Whether one part says that the call succeeded and another that it failed.
    pub(super) fn contradicts_itself(self) -> bool {
        self.done && self.failed
    }
}

/// The single transaction of the payload.
fn transaction(payload: &Payload) -> Option<&Transaction> {
    match payload {
        Payload::Transaction(charge) | Payload::TransactionToken(charge, _) => Some(charge),
        Payload::Transactions(charge) if charge.len() == 1 => charge.first(),
        _ => None,
    }
}

/// Whether the payload contains a transaction that is neither approved nor declined.
pub(super) fn is_undecided(payload: &Payload) -> bool {
    transaction(payload).is_some_and(|charge| charge.verdict() == Verdict::Undecided)
}

/// The object of the operation's resource that the response names by its key.
pub(super) fn named(operation: &str, payload: &Payload, links: &[Link]) -> Option<Lookup> {
    match (Resource::of(operation)?, payload) {
        (_, Payload::Several(payloads)) => {
            payloads.iter().find_map(|payload| named(operation, payload, links))
        }
        (Resource::Customers, Payload::Customer(customer)) => {
            Some(Lookup::Customer(customer.customer_key.clone()))
        }
        (Resource::Plans, Payload::Plan(plan)) => Some(Lookup::Plan(plan.plan_key.clone())),
        (Resource::Tokens, Payload::Token(token)) => token.token_id.clone().map(Lookup::Token),
        (Resource::Transactions, payload) => {
            let id = transaction(payload).and_then(|charge| charge.id.clone());
            id.or_else(|| transaction_of_link(links)).map(Lookup::Transaction)
        }
        _ => None,
    }
}

/// The transaction named by a link of the envelope.
fn transaction_of_link(links: &[Link]) -> Option<TransactionId> {
    let link = links.iter().find(|link| link.rel == "transaction")?;
    TransactionId::try_from(link.id.as_deref()?).ok()
}
