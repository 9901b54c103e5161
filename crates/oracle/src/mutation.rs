//! A golden reply with one change.

use crate::Reply;

/// A golden reply with one change.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// The change, such as `result: dropped`.
    pub name: String,
    /// Whether the change has no meaning, so that the conclusion must be the one of the golden reply.
    pub harmless: bool,
    /// Whether the change is within one record of a list, so that the other records must be read.
    pub contained: bool,
    /// The changed reply.
    pub reply: Reply,
}

pub(crate) fn mutation(name: impl Into<String>, reply: Reply) -> Mutation {
    Mutation { name: name.into(), harmless: false, contained: false, reply }
}

pub(crate) fn with_body(base: &Reply, body: impl Into<Vec<u8>>) -> Reply {
    Reply { body: body.into(), ..base.clone() }
}
