//! Pages that payers fill in: for invoices, items, invoices of a practice management system, and payment methods.

use perennial_domain::clientpay::{
    ConnectPage, ConnectPageBuilder, InvoicePage, InvoicePageBuilder, LineItemBuilder, LineItemPage,
    LineItemPageBuilder, LineItemPageFields, Page, PayerPage, RequestId, UsedRequestId,
};

use super::fields::id;
use super::invoice::{Invoice, Labels, LineItem};
use super::page_request::{PageForm, PageRequest};
use super::reply::{Envelope, Reply, document, read, refused, write};
use super::session::{Ids, Under, token};
use super::{Operation, Received, Session, Version};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::fields::{given, owned, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::rule::Asks;
use crate::text::Text;

message! {
    /// The response, **inferred**: the vendor says that it has the page's URL; the names are those of the postbacks.
    struct PageAnswer<'a> as "" in any case with envelope: Envelope<'a> {
        request_id: Option<Text<'a>> = "requestID",
        payment_page_url: Option<Text<'a>> = "paymentPageUrl",
        payer_page_url: Option<Text<'a>> = "payerPageUrl",
    }
}

/// Invoice payment page.
pub fn invoices(
    session: Session<'_>,
    request_id: &RequestId,
    page: &InvoicePage,
) -> Result<Call, EncodeError> {
    let invoices = page.fields().invoices.iter();
    let mut message = PageRequest::from(page);
    message.invoices = invoices.map(|invoice| Invoice::from(invoice).dated(session.version)).collect();
    post(Operation::InvoicePage, session, request_id, message)
}

/// Line item payment page.
pub fn line_items(
    session: Session<'_>,
    request_id: &RequestId,
    page: &LineItemPage,
) -> Result<Call, EncodeError> {
    let LineItemPageFields { line_item_table_labels, line_items, .. } = page.fields();
    let mut message = PageRequest::from(page);
    message.line_items = line_items.iter().map(LineItem::from).collect();
    message.line_item_table_labels = line_item_table_labels.map(Labels::from);
    if session.version == Version::V2 {
        message.line_item_table_labels.get_or_insert_default();
    }
    post(Operation::LineItemPage, session, request_id, message)
}

/// Connect payment page.
pub fn connect(
    session: Session<'_>,
    request_id: &RequestId,
    page: &ConnectPage,
) -> Result<Call, EncodeError> {
    let invoices = page.fields().invoices.iter();
    let mut message = PageRequest::from(page);
    message.invoices = invoices.map(|invoice| Invoice::from(invoice).dated(session.version)).collect();
    post(Operation::ConnectPage, session, request_id, message)
}

/// Payer page, of version 2 only.
pub fn payer(session: Session<'_>, request_id: &RequestId, page: &PayerPage) -> Result<Call, EncodeError> {
    post(Operation::PayerPage, session, request_id, page.into())
}

fn post<'a>(
    operation: Operation,
    session: Session<'a>,
    request_id: &'a RequestId,
    mut message: PageRequest<'a>,
) -> Result<Call, EncodeError> {
    let call = operation.call(session.version)?;
    message.token = Some(token(request_id, message.token));
    match session.version {
        Version::V2 => call.with_body(Format::Json, &message),
        Version::V1 => call.with_body(Format::Json, &message.in_v1(session)?),
    }
}

/// Expire payment page, of any kind. The id is that of the page.
pub fn expire(session: Session<'_>, page: &UsedRequestId) -> Result<Call, EncodeError> {
    let message =
        Ids { access_id: session.in_body(), request_id: Some(text(page.as_str())), ..Ids::default() };
    Operation::ExpirePage.call(session.version)?.with_body(Format::Json, &message)
}

/// Reads the body of an invoice payment page.
#[cfg(feature = "gateway")]
pub fn read_invoices(
    version: Version,
    body: &[u8],
    limits: &Limits,
) -> Result<Received<InvoicePage>, ReadError> {
    let (under, mut request) = received(version, body, limits)?;
    let invoices = std::mem::take(&mut request.invoices).into_iter();
    let invoices = invoices.map(|invoice| invoice.request(version));
    let page = invoices.fold(InvoicePage::builder(), InvoicePageBuilder::invoice);
    under.receive(request.onto(page).accept())
}

/// Reads the body of a line item payment page.
#[cfg(feature = "gateway")]
pub fn read_line_items(
    version: Version,
    body: &[u8],
    limits: &Limits,
) -> Result<Received<LineItemPage>, ReadError> {
    let (under, mut request) = received(version, body, limits)?;
    let labels = request.line_item_table_labels.take();
    let under = under.starred("lineItemTableLabels", version == Version::V1 || labels.is_some());
    let items = std::mem::take(&mut request.line_items).into_iter().map(LineItem::builder);
    let page = items.fold(LineItemPage::builder(), LineItemPageBuilder::line_item::<LineItemBuilder>);
    let page = match labels {
        Some(labels) => page.line_item_table_labels(labels.builder()),
        None => page,
    };
    under.receive(request.onto(page).accept())
}

/// Reads the body of a connect payment page.
#[cfg(feature = "gateway")]
pub fn read_connect(
    version: Version,
    body: &[u8],
    limits: &Limits,
) -> Result<Received<ConnectPage>, ReadError> {
    let (under, mut request) = received(version, body, limits)?;
    let invoices = std::mem::take(&mut request.invoices).into_iter();
    let invoices = invoices.map(|invoice| invoice.connect_request(version));
    let page = invoices.fold(ConnectPage::builder(), ConnectPageBuilder::invoice);
    under.receive(request.onto(page).accept())
}

/// Reads the body of a payer page.
#[cfg(feature = "gateway")]
pub fn read_payer(body: &[u8], limits: &Limits) -> Result<Received<PayerPage>, ReadError> {
    let (under, request) = received(Version::V2, body, limits)?;
    under.receive(request.onto(PayerPage::builder()).accept())
}

/// Reads the body of expire payment page, which has only an id.
#[cfg(feature = "gateway")]
pub fn read_expire(body: &[u8], limits: &Limits) -> Result<Received<()>, ReadError> {
    let ids: Ids<'_> = codec::decode(Format::Json, body, limits)?;
    Under::from(ids).receive(Ok(()))
}

/// Converts a request of either version to version 2.
fn received<'a>(
    version: Version,
    body: &'a [u8],
    limits: &Limits,
) -> Result<(Under<'a>, PageRequest<'a>), DecodeError> {
    match version {
        Version::V2 => {
            let request: PageRequest<'_> = codec::decode(Format::Json, body, limits)?;
            Ok((Under::from(&request.token), request))
        }
        Version::V1 => {
            let form: PageForm<'_> = codec::decode(Format::Json, body, limits)?;
            let (ids, request) = form.in_v2();
            Ok((ids.into(), request))
        }
    }
}

/// Reads the response to every request for a page: `None` without a URL. If it has only the URL, the URL's last segment
/// is the page's id, as in the URL of the sample postback.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Reply<Option<Page>>, DecodeError> {
    let Reply { success, message, errors, value, unreadable } = decode_named(body, limits)?;
    Ok(Reply { success, message, errors, value: value.page(), unreadable })
}

/// Facts about a page in a response; some may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The request that created the page.
    pub request_id: Option<UsedRequestId>,
    /// The URL of the page.
    pub url: Option<String>,
}

impl Named {
    /// The page, if its URL is present. Without a request id, the end of the URL supplies it.
    pub fn page(self) -> Option<Page> {
        let Self { request_id, url } = self;
        let url = url?;
        let last = || url.rsplit('/').next()?.try_into().ok();
        Some(Page { request_id: request_id.or_else(last)?, url })
    }
}

/// Reads the response to a request for a page, and the page that a refusal names.
pub fn decode_named(body: &[u8], limits: &Limits) -> Result<Reply<Named>, DecodeError> {
    let document = document(body, "paymentPageUrl");
    let PageAnswer { envelope, request_id, payment_page_url, payer_page_url } = read(&document, limits)?;
    let request_id = id("requestId", request_id).map_err(refused)?;
    let url = owned(given(payment_page_url).or(payer_page_url));
    envelope.reply(Named { request_id, url }).map_err(refused)
}

/// Writes the response to a request for a payment page.
#[cfg(feature = "gateway")]
pub fn encode(reply: &Reply<Option<Page>>) -> Vec<u8> {
    write(&PageAnswer { payment_page_url: reply.value.as_ref().map(|page| text(&page.url)), ..answer(reply) })
}

/// Writes the response to a request for a payer page.
#[cfg(feature = "gateway")]
pub fn encode_payer(reply: &Reply<Option<Page>>) -> Vec<u8> {
    write(&PageAnswer { payer_page_url: reply.value.as_ref().map(|page| text(&page.url)), ..answer(reply) })
}

fn answer(reply: &Reply<Option<Page>>) -> PageAnswer<'_> {
    let request_id = reply.value.as_ref().map(|page| text(page.request_id.as_str()));
    PageAnswer { envelope: reply.envelope(), request_id, ..PageAnswer::default() }
}
