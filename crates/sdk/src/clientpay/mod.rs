//! ClientPay: the client, the operations of each resource, and the values they take and give.
//!
//! An operation's future does nothing until it is awaited. The access id that all need is found by itself: see
//! [`AccessIds`]. What changes something is made under a single-use request id, which the operation asks for. A payment
//! or refund whose answer was lost is looked for by that id, and nothing is sent a second time unless
//! [`resend_after`](Payments::resend_after) asks for it. Where the look does not tell, the error is of kind
//! [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) and has the [`request_id`](crate::Error::request_id): `under`
//! it, the same request can be sent again, also by another process and another day. To drop the future of such an
//! operation is to lose the id.
//!
//! An answer that names something that the request may have made is never a definite no, whatever its status and its
//! `success`.
//!
//! Each exchange with the gateway counts its own deadline, the look-ups too.
//!
//! The vendor documents requests and postbacks, and no answer: what is **inferred** of them is said where it is
//! declared, and what an answer does not say is never taken for granted.

mod access;
mod answer;
mod client;
mod idempotent_request;
mod pages;
mod payers;
mod payments;

pub use access::{Access, AccessIds, InProcess, Issuer};
pub use client::{ClientPay, ClientPayBuilder};
pub use pages::Pages;
pub use payers::Payers;
pub use payments::{Confirmed, Payments, postback};

// What the facade takes and returns, by name: see the module `clearent`.
pub use perennial_domain::clientpay::{
    AccessId, Address, Card, ConnectInvoice, ConnectPage, ConnectSearch, Credentials, Criteria,
    CustomerCredentials, Decline, ECheck, Expected, Field, Group, Invoice as PageInvoice, InvoiceDate,
    InvoicePage, LineItem, LineItemLabels, LineItemPage, MethodUpdate, MethodUpdates, NewMethod, NewMethods,
    NewPayer, NewPayment, OpenInvoice, Operator, Page, PageOptions, PageStatus, PayerId, PayerPage,
    PayerUpdate, Payment, PaymentFilter, PaymentId, PaymentKind, PaymentMethodId, PaymentSearch,
    PaymentStatus, Postback, Refund, RequestId, ResponseOptions, SavedPayer, UsedRequestId, Verdict,
};
pub use perennial_wire::clientpay::{Operation, Version};
