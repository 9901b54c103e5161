//! Pages that payers fill in, and the search for invoices to put on them.

use perennial_domain::clientpay::{
    ConnectPage, ConnectSearch, InvoicePage, LineItemPage, OpenInvoice, Page, PayerPage, RequestId,
    UsedRequestId,
};
use perennial_wire::EncodeError;
use perennial_wire::clientpay::page::{self as wire, Named};
use perennial_wire::clientpay::{Call, Operation, Session, invoice};

use super::ClientPay;
use super::keyed::{Keyed, Manner};
use crate::{Error, Response};

/// The pages of a merchant account.
///
/// The gateway has no way to ask for a page, so that a request whose answer is lost is not sent again. The error of kind
/// [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) has the page's name: [`expire`](Self::expire) it and make
/// another, or make the same one [`under`](Self::under) its id, which the gateway refuses if there is one.
#[derive(Debug)]
#[must_use = "it does nothing by itself"]
pub struct Pages<'a> {
    pub(super) client: &'a ClientPay,
    pub(super) under: Option<RequestId>,
}

impl Pages<'_> {
    /// Makes the next request under this id, under which the same one may have been sent before.
    pub fn under(self, id: RequestId) -> Self {
        Self { under: Some(id), ..self }
    }

    /// Makes a page for invoices.
    pub async fn invoices(self, page: &InvoicePage) -> Result<Response<Page>, Error> {
        self.create(Operation::InvoicePage, |session, id| wire::invoices(session, id, page)).await
    }

    /// Makes a page for items.
    pub async fn line_items(self, page: &LineItemPage) -> Result<Response<Page>, Error> {
        self.create(Operation::LineItemPage, |session, id| wire::line_items(session, id, page)).await
    }

    /// Makes a page for invoices of a practice management system.
    pub async fn connect(self, page: &ConnectPage) -> Result<Response<Page>, Error> {
        self.create(Operation::ConnectPage, |session, id| wire::connect(session, id, page)).await
    }

    /// Makes a page for a payer's methods, of version 2.
    pub async fn payer(self, page: &PayerPage) -> Result<Response<Page>, Error> {
        self.create(Operation::PayerPage, |session, id| wire::payer(session, id, page)).await
    }

    async fn create(
        self,
        operation: Operation,
        write: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
    ) -> Result<Response<Page>, Error> {
        let keyed = Keyed::new(self.client, operation, wire::decode_named, self.under).await?;
        let take = |id: &RequestId, page: Named, manner: Manner| {
            page.page().filter(|page| manner.failed.is_none() && page.request_id == *id)
        };
        keyed.perform_unseen(write, take).await
    }

    /// Ends a page, of any kind, before its time: whoever opens it sees that it is over. That a page which has ended
    /// can be ended again is **inferred**.
    pub async fn expire(self, page: &UsedRequestId) -> Result<Response<()>, Error> {
        let write = |session: Session<'_>| wire::expire(session, page);
        let ended = self.client.call(Operation::ExpirePage, write, wire::decode_named).await?;
        ended.take(|told, failed| {
            let is_another = told.request_id.is_some_and(|id| id != *page);
            (failed.is_none() && !is_another).then_some(())
        })
    }

    /// The open invoices of a practice management system that match. One that cannot be read is an error; see
    /// [`each_invoice`](Self::each_invoice).
    pub async fn search_invoices(self, search: &ConnectSearch) -> Result<Response<Vec<OpenInvoice>>, Error> {
        self.found(search).await?.whole()
    }

    /// The same invoices, with an error in the place of each that cannot be read.
    pub async fn each_invoice(
        self,
        search: &ConnectSearch,
    ) -> Result<Response<Vec<Result<OpenInvoice, Error>>>, Error> {
        Ok(self.found(search).await?.each())
    }

    async fn found(self, search: &ConnectSearch) -> Result<Response<Vec<OpenInvoice>>, Error> {
        let write = |session: Session<'_>| invoice::search(session, search);
        let found = self.client.call(Operation::ConnectSearch, write, invoice::decode_found).await?;
        found.read(Some)
    }
}
