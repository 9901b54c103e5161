//! Blocking operations on invoices.

use perennial_domain::clearent::{Charge, Reference};
use perennial_domain::{Builder, Invoice};

use super::Runtime;
use crate::Error;
use crate::clearent::{InvoicePayment, InvoiceStatus};

/// Invoices that are paid by card transactions.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Invoices<'a> {
    pub(super) inner: crate::clearent::Invoices<'a>,
    pub(super) runtime: &'a Runtime,
}

impl Invoices<'_> {
    /// Blocks on [`status`](crate::clearent::Invoices::status).
    pub fn status(self, number: &Reference) -> Result<InvoiceStatus, Error> {
        self.runtime.run(self.inner.status(number))?
    }

    /// Blocks on [`pay`](crate::clearent::Invoices::pay).
    pub fn pay(self, invoice: &Invoice, with: Builder<Charge>) -> Result<InvoicePayment, Error> {
        self.runtime.run(self.inner.pay(invoice, with))?
    }
}
