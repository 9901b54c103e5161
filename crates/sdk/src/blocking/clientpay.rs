//! Blocking version of the ClientPay client.
//!
//! ```no_run
//! use perennial::clientpay::{Credentials, NewPayment};
//! use perennial::{ClientPay, Environment, Error, blocking};
//!
//! fn pay(credentials: Credentials, payment: &NewPayment) -> Result<(), Error> {
//!     let client = ClientPay::builder(credentials).environment(Environment::Sandbox).build()?;
//!     let client = blocking::ClientPay::new(client)?;
//!     match client.payments().pay(payment)?.decline() {
//!         None => println!("paid"),
//!         Some(decline) => println!("{}", decline.status),
//!     }
//!     Ok(())
//! }
//! ```

use std::fmt;
use std::time::Duration;

use perennial_domain::clientpay::{
    AccessId, ConnectPage, ConnectSearch, CustomerCredentials, Expected, InvoicePage, LineItemPage,
    MethodUpdates, NewMethods, NewPayer, NewPayment, OpenInvoice, Page, PayerId, PayerPage, PayerUpdate,
    Payment, PaymentFilter, PaymentSearch, Refund, RequestId, SavedPayer, UsedRequestId,
};

use super::{Runtime, operations};
use crate::clientpay::Confirmed;
use crate::{Error, Response};

/// A client of ClientPay with blocking operations, as in [`blocking::Clearent`](super::Clearent).
#[derive(Clone)]
pub struct ClientPay {
    client: crate::ClientPay,
    runtime: Runtime,
}

impl ClientPay {
    /// Creates a blocking client that uses this client.
    pub fn new(client: crate::ClientPay) -> Result<Self, Error> {
        Ok(Self { client, runtime: Runtime::new()? })
    }

    /// The access ids.
    pub fn access(&self) -> Access<'_> {
        Access { inner: self.client.access(), runtime: &self.runtime }
    }

    /// The pages on which payers pay or store methods.
    pub fn pages(&self) -> Pages<'_> {
        Pages { inner: self.client.pages(), runtime: &self.runtime }
    }

    /// The payments, their refunds, and the search for payments.
    pub fn payments(&self) -> Payments<'_> {
        Payments { inner: self.client.payments(), runtime: &self.runtime }
    }

    /// The payers and their payment methods.
    pub fn payers(&self) -> Payers<'_> {
        Payers { inner: self.client.payers(), runtime: &self.runtime }
    }

    /// Blocks on [`new_request_id`](crate::ClientPay::new_request_id).
    pub fn new_request_id(&self) -> Result<Response<RequestId>, Error> {
        self.runtime.run(self.client.new_request_id())?
    }
}

operations! {
    clientpay #[derive(Debug)]
    /// The access ids of an account.
    Access {
        current() -> Option<AccessId>;
        renew() -> AccessId;
        validate(id: &AccessId) -> bool;
        expire(id: &AccessId) -> ();
        renew_for_customer(customer: &CustomerCredentials) -> AccessId;
        validate_credentials() -> bool;
    }
    /// The pages of a merchant account.
    Pages {
        invoices(page: &InvoicePage) -> Page;
        line_items(page: &LineItemPage) -> Page;
        connect(page: &ConnectPage) -> Page;
        payer(page: &PayerPage) -> Page;
        expire(page: &UsedRequestId) -> ();
        search_invoices(search: &ConnectSearch) -> Vec<OpenInvoice>;
        each_invoice(search: &ConnectSearch) -> Vec<Result<OpenInvoice, Error>>;
    }
    /// The payments of a merchant account.
    Payments {
        pay(payment: &NewPayment) -> Payment;
        refund(refund: &Refund) -> Payment;
        confirm(expected: &Expected) -> Option<Confirmed>;
        count(filter: &PaymentFilter) -> u64;
        [search(search: PaymentSearch) -> each Payment]
    }
    /// The payers of a customer.
    Payers {
        create(payer: &NewPayer) -> PayerId;
        update(update: &PayerUpdate) -> SavedPayer;
        delete(payer: &PayerId) -> ();
        add_methods(methods: &NewMethods) -> SavedPayer;
        update_methods(updates: &MethodUpdates) -> SavedPayer;
    }
}

macro_rules! under {
    ($( $Resource:ident )*) => {$(
        impl $Resource<'_> {
            #[doc = concat!("See [`under`](crate::clientpay::", stringify!($Resource), "::under).")]
            pub fn under(self, id: RequestId) -> Self {
                Self { inner: self.inner.under(id), ..self }
            }
        }
    )*};
}

under! { Pages Payments Payers }

impl Payments<'_> {
    /// See [`resend_after`](crate::clientpay::Payments::resend_after).
    pub fn resend_after(self, window: Duration) -> Self {
        Self { inner: self.inner.resend_after(window), ..self }
    }
}

impl fmt::Debug for ClientPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::ClientPay").field(&self.client).finish()
    }
}
