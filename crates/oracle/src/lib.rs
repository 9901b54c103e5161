//! Replies of both gateways with faults in their structure, and an independent judgment of each.
//!
//! [`mutations`] makes copies of a golden reply with one change each: a member is removed, repeated, emptied, or of
//! another type; an amount, a day, a status or a key is different; an error is added to the object; the HTTP status,
//! the content type or the bytes around the document differ. [`judge`] returns the conclusions that such a reply
//! allows, and [`fault`] the fault in a client's claim, including the objects that it reports. They are written from
//! the reference alone and share no code with the client: this crate does not depend on any crate of the workspace.
//!
//! The tests of the facade and of the command check this property: no definite yes without complete and consistent
//! evidence, and no definite no if any part of the reply names an effect of the call.
//!
//! ```
//! use perennial_oracle::{CASES, Conclusion, Format, golden, judge, mutations};
//!
//! let case = CASES.iter().find(|case| case.operation == "plans.create").unwrap();
//! let reply = golden(case, Format::Json);
//! assert!(judge(case, &reply).allows(Conclusion::Done));
//!
//! // Another start date: the client must not say that the plan was created as asked.
//! let moved = mutations(case, Format::Json).find(|mutation| mutation.name == "start-date: another value").unwrap();
//! assert!(!judge(case, &moved.reply).allows(Conclusion::Done));
//! assert!(judge(case, &moved.reply).allows(Conclusion::Unknown));
//! ```

mod case;
mod cases;
mod claim;
mod clearent;
mod clientpay;
mod members;
mod mutate;
mod mutation;
mod records;
mod tree;

pub use case::{Case, Expect, List, Members, Vendor, golden};
pub use cases::CASES;
pub use claim::{Claim, Told, fault, reported};
pub use mutate::mutations;
pub use mutation::Mutation;
pub use tree::{Format, Tree};

/// A reply as it is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// The conclusion that a client draws from a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Conclusion {
    /// A write was done as requested; a read returned its object; a list is complete.
    Done,
    /// A list has fewer records than the gateway's total, and the client says so.
    Incomplete,
    /// A charge was made for less than the requested amount, and the client says so.
    Partial,
    /// A charge was declined: no money was moved.
    Declined,
    /// A write was not done.
    NotDone,
    /// There is no object to read.
    Absent,
    /// The key is not accepted.
    Unauthorized,
    /// A write may have been done.
    Unknown,
    /// A read has no usable response.
    Unusable,
}

/// The conclusions that a reply allows. [`Conclusion::Unknown`] and [`Conclusion::Unusable`] are always allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed(Vec<Conclusion>);

impl Allowed {
    fn of(conclusions: &[Conclusion]) -> Self {
        Self(conclusions.to_vec())
    }

    /// Whether the reply allows a definite conclusion.
    pub fn is_definite(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether a client may conclude this.
    pub fn allows(&self, conclusion: Conclusion) -> bool {
        matches!(conclusion, Conclusion::Unknown | Conclusion::Unusable) || self.0.contains(&conclusion)
    }
}

/// The conclusions that a reply to this case allows.
pub fn judge(case: &Case, reply: &Reply) -> Allowed {
    match case.vendor {
        Vendor::Clearent => clearent::judge(case, reply),
        Vendor::ClientPay => clientpay::judge(case, reply),
    }
}
