//! A golden reply with one thing changed.

use crate::Reply;

/// A golden reply with one thing changed.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// What was changed, such as `result: dropped`.
    pub name: String,
    /// Whether the change says nothing new, so that the conclusion must be that of the golden reply.
    pub harmless: bool,
    /// Whether the change is within one record of a list, so that the other records must be read.
    pub contained: bool,
    /// The reply.
    pub reply: Reply,
}

pub(crate) fn mutation(name: impl Into<String>, reply: Reply) -> Mutation {
    Mutation { name: name.into(), harmless: false, contained: false, reply }
}

pub(crate) fn with_body(base: &Reply, body: impl Into<Vec<u8>>) -> Reply {
    Reply { body: body.into(), ..base.clone() }
}
