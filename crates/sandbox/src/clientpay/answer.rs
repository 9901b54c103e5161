//! Answers and refusals of operations: statuses and texts are **inferred**, the envelope's `success` is the member
//! of the postbacks.

use perennial_domain::Violations;
use perennial_wire::clientpay::{FieldError, ReadError, Reply, access};

use crate::call::CallResponse;

/// A status and a body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn ok(body: Vec<u8>) -> Self {
        Self { status: 200, body }
    }

    /// A success without content.
    pub(super) fn done() -> Self {
        Self::ok(access::encode_done(&Reply::success(())))
    }

    pub(super) fn worldless(self) -> CallResponse {
        CallResponse::worldless(self.status, self.body)
    }
}

/// A request that changes nothing, and the reason. Its text names fields and rules, never a value.
#[derive(Debug)]
pub(crate) struct Refused {
    status: u16,
    reply: Box<Reply<()>>,
}

impl Refused {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, reply: Box::new(Reply::refusal(message)) }
    }

    pub(super) fn field(status: u16, message: &str, field: &str, rule: &str) -> Self {
        let mut refused = Self::new(status, message);
        refused.reply.errors.push(FieldError { field: Some(field.into()), message: Some(rule.into()) });
        refused
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "The access ID or the credentials are not valid.")
    }

    pub(super) fn unknown_path() -> Self {
        Self::new(404, "There is no such call.")
    }

    pub(super) fn unknown(what: &str) -> Self {
        Self::new(404, format!("The {what} is not known."))
    }

    pub(super) fn answer(self) -> Answer {
        Answer { status: self.status, body: access::encode_done(&self.reply) }
    }
}

impl From<Violations> for Refused {
    fn from(violations: Violations) -> Self {
        Self { status: 400, reply: Box::new(Reply::violations(&violations)) }
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Decode(error) => Self::new(400, error.to_string()),
            ReadError::InvalidRequest(violations) => violations.into(),
        }
    }
}

/// The reason why an operation has no answer.
#[derive(Debug)]
pub(crate) enum CallError {
    Refused(Refused),
    Store(rusqlite::Error),
}

impl From<rusqlite::Error> for CallError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for CallError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Violations> for CallError {
    fn from(violations: Violations) -> Self {
        Self::Refused(violations.into())
    }
}
