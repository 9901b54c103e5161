//! No definite yes without complete and consistent evidence, and no definite no if any part of the reply names an
//! effect of the call: the facade is tested with every reply that has a structural fault, and judged by an oracle that
//! shares no code with it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]
#![allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::similar_names,
    clippy::format_push_string,
    reason = "tests are tables, and say at length what was wrong"
)]

mod clearent;
mod clientpay;
mod invoices;
mod operations;
mod told;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use perennial::transport::{Deadline, Exchange, TransportError};
use perennial::{Error, ErrorKind};
use perennial_oracle::{Case, Claim, Conclusion, Format, Mutation, Reply, fault};

/// A gateway that responds with a function of the request, and counts the writes.
struct Gateway {
    answer: Box<dyn Fn(&Request<Bytes>) -> Reply + Send + Sync>,
    writes: Mutex<Vec<String>>,
}

impl Gateway {
    fn new(answer: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), writes: Mutex::default() })
    }

    /// The writes that were sent, by method and path.
    fn writes(&self) -> Vec<String> {
        self.writes.lock().unwrap().clone()
    }
}

#[async_trait]
impl Exchange for Gateway {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        _: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        if request.method() != Method::GET {
            self.writes.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
        }
        let Reply { status, content_type, body } = (self.answer)(&request);
        let reply = Response::builder().status(status).header("content-type", content_type);
        Ok(reply.body(Bytes::from(body)).unwrap())
    }
}

/// A JSON reply.
fn json(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply { status, content_type: "application/json".into(), body: body.into() }
}

/// The conclusion of an error.
fn concluded(reads: bool, error: &Error) -> Conclusion {
    match error.kind() {
        ErrorKind::OutcomeUnknown => Conclusion::Unknown,
        ErrorKind::NotFound if reads => Conclusion::Absent,
        ErrorKind::Unauthorized if reads => Conclusion::Unauthorized,
        _ if reads => Conclusion::Unusable,
        // For a write, all other kinds mean that nothing was changed.
        _ => Conclusion::NotDone,
    }
}

/// The conclusions that the oracle does not allow, as text.
#[derive(Default)]
struct Faults(BTreeMap<String, Vec<String>>);

impl Faults {
    /// Records the fault in the client's claim about a mutation, if there is one; `right` is its claim about the golden
    /// reply.
    fn check(&mut self, case: &Case, format: Format, mutation: &Mutation, right: &Claim, claim: &Claim) {
        if let Some(fault) = fault(case, mutation, right, claim) {
            self.add(&format!("{} {format:?}", case.name()), &format!("{}: {fault}", mutation.name));
        }
    }

    fn add(&mut self, case: &str, fault: &str) {
        self.0.entry(fault.to_owned()).or_default().push(case.to_owned());
    }

    fn assert_none(&self) {
        let mut text = String::new();
        for (fault, cases) in self.0.iter().take(400) {
            writeln!(text, "{fault}\n    {}", cases.join(", ")).unwrap();
        }
        assert!(self.0.is_empty(), "{} kinds of conclusions without evidence:\n{text}", self.0.len());
    }
}
