//! ClientPay: access ids and single-use request ids, payment pages, payments, and payers with their methods.
//!
//! The fields of a request have the names of version 2 of the API (`outstandingBalance`). Where the vendor's pages
//! contradict each other or are silent, the documentation of the item states the choice, and marks it as **inferred**.

mod access;
mod address;
mod code;
mod credential;
mod invoice;
mod method;
mod options;
mod outcome;
mod page;
mod payer;
mod payment;
mod ranged;
mod search;

pub use access::{AccessId, RequestId, UsedRequestId};
pub use address::{Address, AddressBuilder, AddressFields, State};
pub use credential::{
    AccountKey, AccountPin, Credentials, CredentialsBuilder, CredentialsFields, CustomerCredentials,
    CustomerCredentialsBuilder, CustomerCredentialsFields, CustomerKey, CustomerPin, IntegratorKey,
};
pub use invoice::{
    ConnectInvoice, ConnectInvoiceBuilder, ConnectInvoiceFields, ConnectOption, ConnectSearch,
    ConnectSearchBuilder, ConnectSearchFields, Invoice, InvoiceBuilder, InvoiceDate, InvoiceFields, LineItem,
    LineItemBuilder, LineItemFields, LineItemLabels, LineItemLabelsBuilder, LineItemLabelsFields,
    OpenInvoice, Portion, SearchOption,
};
pub use method::{
    AccountNumber, AccountType, Card, CardBuilder, CardFields, ECheck, ECheckBuilder, ECheckFields,
    MethodUpdate, MethodUpdateBuilder, MethodUpdateFields, NewMethod, NewMethodBuilder, NewMethodFields,
    PaymentMethodId, RoutingNumber,
};
pub use options::{
    EmailOptions, PageDuration, PageOptions, PageOptionsBuilder, PageOptionsFields, ResponseOptions,
    ResponseOptionsBuilder, ResponseOptionsFields, WebAddress,
};
pub use outcome::{Expected, SeveralPayments, Verdict};
pub use page::{
    ConnectPage, ConnectPageBuilder, ConnectPageFields, InvoicePage, InvoicePageBuilder, InvoicePageFields,
    LineItemPage, LineItemPageBuilder, LineItemPageFields, Page, PayerPage, PayerPageBuilder,
    PayerPageFields,
};
pub use payer::{
    Emails, MethodUpdates, MethodUpdatesBuilder, MethodUpdatesFields, NewMethods, NewMethodsBuilder,
    NewMethodsFields, NewPayer, NewPayerBuilder, NewPayerFields, PayerId, PayerName, PayerUpdate,
    PayerUpdateBuilder, PayerUpdateFields, SavedPayer,
};
pub use payment::{
    Decline, NewPayment, NewPaymentBuilder, NewPaymentFields, PageStatus, Payment, PaymentId, PaymentKind,
    PaymentSource, PaymentStatus, Postback, Refund, RefundBuilder, RefundFields,
};
pub use search::{
    Condition, Criteria, Field, Group, GroupType, Operator, Order, OrderBy, PageNumber, PageSize,
    PaymentFilter, PaymentFilterBuilder, PaymentFilterFields, PaymentSearch, PaymentSearchBuilder,
    PaymentSearchFields,
};
