//! ClientPay: the client, the operations of each resource, and their parameters and results.
//!
//! An operation starts when its future is first awaited. The client gets the required access id automatically: see
//! [`AccessIds`]. Each change is made under a single-use request id, which the operation requests. If the response to a
//! payment or refund is lost, it is looked up by that id, and nothing is sent a second time unless
//! [`resend_after`](Payments::resend_after) allows it. If the lookup is inconclusive, the error has the kind
//! [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) and the [`request_id`](crate::Error::request_id): `under` this
//! id, the same request can be sent again, also later and by another process. Dropping the future of a change loses the
//! id.
//!
//! A response that names a possible result of the request is never a definite refusal, regardless of its status and its
//! `success`.
//!
//! Each exchange with the gateway has its own deadline, including the lookups.
//!
//! The vendor documents requests and postbacks but no responses. Every **inferred** part is marked where it is
//! declared, and members that are missing in a response are never assumed.

mod access;
mod answer;
mod client;
mod idempotent_request;
mod pages;
mod payers;
mod payments;

pub use access::{Access, AccessIdRequests, AccessIds, InProcess};
pub use client::{ClientPay, ClientPayBuilder};
pub use pages::Pages;
pub use payers::Payers;
pub use payments::{Confirmed, Payments, postback};

// The parameters and results of the facade, listed by name: see the module `clearent`.
pub use perennial_domain::clientpay::{
    AccessId, Address, Card, ConnectInvoice, ConnectPage, ConnectSearch, Credentials, Criteria,
    CustomerCredentials, Decline, ECheck, Expected, Field, Group, Invoice as PageInvoice, InvoiceDate,
    InvoicePage, LineItem, LineItemLabels, LineItemPage, MethodUpdate, MethodUpdates, NewMethod, NewMethods,
    NewPayer, NewPayment, OpenInvoice, Operator, Page, PageOptions, PageStatus, PayerId, PayerPage,
    PayerUpdate, Payment, PaymentFilter, PaymentId, PaymentKind, PaymentMethodId, PaymentSearch,
    PaymentStatus, Postback, Refund, RequestId, ResponseOptions, SavedPayer, UsedRequestId, Verdict,
};
pub use perennial_wire::clientpay::{Operation, Version};
