//! Pages on which payers pay or store methods, and the search for invoices to put on them.

use perennial_domain::clientpay::{
    ConnectPage, ConnectSearch, InvoicePage, LineItemPage, OpenInvoice, Page, PayerPage, RequestId,
    UsedRequestId,
};
use perennial_wire::EncodeError;
use perennial_wire::clientpay::page::{self as wire, Named};
use perennial_wire::clientpay::{Call, Operation, Session, invoice};

use super::ClientPay;
use super::idempotent_request::{IdempotentRequest, Manner, Under};
use crate::{Error, Response};

/// The pages of a merchant account.
///
/// The gateway cannot look up a page, so a request whose response is lost is not sent again. The error of kind
/// [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) has the page's id: [`expire`](Self::expire) the page and create
/// another one, or send the same request [`under`](Self::under) the id, which the gateway refuses if the page exists.
#[derive(Debug)]
#[must_use = "it does nothing by itself"]
pub struct Pages<'a> {
    pub(super) client: &'a ClientPay,
    pub(super) under: Option<Under>,
}

impl Pages<'_> {
    /// Sets the id for the next request, which may have been sent under this id before.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let id = client.new_request_id().await?.into_value();
    /// let name = id.used();
    /// let items = LineItemPage::builder().line_item(LineItem::builder().payment_amount("75.00")).build()?;
    /// let page = client.pages().under(id).line_items(&items).await?;
    /// assert_eq!(page.request_id, name);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn under(self, id: RequestId) -> Self {
        Self { under: Some(Under { id, sent: true }), ..self }
    }

    /// Sets the id for the next request, under which nothing was sent before. Unlike after [`under`](Self::under), a
    /// definite refusal is the result. Use it with an id that was written down before the request is sent.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let id = client.new_request_id().await?.into_value();
    /// let items = LineItemPage::builder().line_item(LineItem::builder().payment_amount("75.00")).build()?;
    /// let name = id.used();
    /// assert_eq!(client.pages().under_new(id).line_items(&items).await?.request_id, name);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn under_new(self, id: RequestId) -> Self {
        Self { under: Some(Under { id, sent: false }), ..self }
    }

    /// Creates a page for invoices.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let invoice = PageInvoice::builder().invoice_number("INV-1").invoice_date("2027-01-04").outstanding_balance("540.25");
    /// let page = client.pages().invoices(&InvoicePage::builder().invoice(invoice).build()?).await?;
    /// assert!(page.url.starts_with(sandbox.base_url()));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn invoices(self, page: &InvoicePage) -> Result<Response<Page>, Error> {
        self.create(Operation::InvoicePage, |session, id| wire::invoices(session, id, page)).await
    }

    /// Creates a page for items.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let items = LineItemPage::builder().line_item(LineItem::builder().payment_amount("75.00")).build()?;
    /// let page = client.pages().line_items(&items).await?;
    /// assert!(page.url.starts_with(sandbox.base_url()));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn line_items(self, page: &LineItemPage) -> Result<Response<Page>, Error> {
        self.create(Operation::LineItemPage, |session, id| wire::line_items(session, id, page)).await
    }

    /// Creates a page for invoices of a practice management system.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let invoice = ConnectInvoice::builder().invoice_number("1").invoice_date("2027-01-01").outstanding_balance("90.00");
    /// let page = ConnectPage::builder().connect_option("Aderant").invoice(invoice.client_id("8812")).build()?;
    /// assert!(client.pages().connect(&page).await?.url.starts_with(sandbox.base_url()));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn connect(self, page: &ConnectPage) -> Result<Response<Page>, Error> {
        self.create(Operation::ConnectPage, |session, id| wire::connect(session, id, page)).await
    }

    /// Creates a page for a payer's methods (version 2).
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let page = client.pages().payer(&PayerPage::builder().payer_id(&rosa).build()?).await?;
    /// assert!(page.url.starts_with(sandbox.base_url()));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn payer(self, page: &PayerPage) -> Result<Response<Page>, Error> {
        self.create(Operation::PayerPage, |session, id| wire::payer(session, id, page)).await
    }

    async fn create(
        self,
        operation: Operation,
        write: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
    ) -> Result<Response<Page>, Error> {
        let sending = IdempotentRequest::new(self.client, operation, wire::decode_named, self.under).await?;
        let take = |id: &RequestId, page: Named, manner: Manner| {
            page.page().filter(|page| manner.failed.is_none() && page.request_id == *id)
        };
        sending.perform_unseen(write, take).await
    }

    /// Expires a page of any kind: payers can then no longer use it. That an expired page can be expired again is
    /// **inferred**.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let items = LineItemPage::builder().line_item(LineItem::builder().payment_amount("75.00")).build()?;
    /// let page = client.pages().line_items(&items).await?;
    /// assert_eq!(client.pages().expire(&page.request_id).await?.status(), 200);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn expire(self, page: &UsedRequestId) -> Result<Response<()>, Error> {
        let write = |session: Session<'_>| wire::expire(session, page);
        let ended = self.client.call(Operation::ExpirePage, write, wire::decode_named).await?;
        ended.take(|reported, failed| {
            let is_another = reported.request_id.is_some_and(|id| id != *page);
            (failed.is_none() && !is_another).then_some(())
        })
    }

    /// Searches for open invoices in a practice management system. An invoice that cannot be read is an error; see
    /// [`each_invoice`](Self::each_invoice).
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let invoice = ConnectInvoice::builder().invoice_number("1").invoice_date("2027-01-01").outstanding_balance("90.00");
    /// let page = ConnectPage::builder().connect_option("Aderant").invoice(invoice.client_id("8812")).build()?;
    /// client.pages().connect(&page).await?;
    /// let search = ConnectSearch::builder().connect_option("Aderant").search_option("client").search_text("8812");
    /// let found = client.pages().search_invoices(&search.build()?).await?;
    /// assert_eq!(found[0].outstanding_balance, "90.00".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn search_invoices(self, search: &ConnectSearch) -> Result<Response<Vec<OpenInvoice>>, Error> {
        self.found(search).await?.whole()
    }

    /// Searches for open invoices, and returns an error in the place of each that cannot be read.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let search = ConnectSearch::builder().connect_option("Aderant").search_option("client").search_text("8812");
    /// let found = client.pages().each_invoice(&search.build()?).await?;
    /// assert!(found.is_empty());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn each_invoice(
        self,
        search: &ConnectSearch,
    ) -> Result<Response<Vec<Result<OpenInvoice, Error>>>, Error> {
        Ok(self.found(search).await?.each())
    }

    async fn found(self, search: &ConnectSearch) -> Result<Response<Vec<OpenInvoice>>, Error> {
        let write = |session: Session<'_>| invoice::search(session, search);
        let found = self.client.call(Operation::ConnectSearch, write, invoice::decode_found).await?;
        found.read(|found| found)
    }
}
