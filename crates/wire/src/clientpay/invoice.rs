//! Invoices and items in pages, and the search for open invoices.

use perennial_domain::clientpay::{
    self as domain, ConnectInvoice, ConnectInvoiceBuilder, ConnectInvoiceFields, ConnectSearch,
    ConnectSearchBuilder, ConnectSearchFields, InvoiceBuilder, InvoiceDate, InvoiceFields, LineItemBuilder,
    LineItemFields, LineItemLabels, LineItemLabelsBuilder, LineItemLabelsFields, OpenInvoice,
};

use super::fields::{Letter, Money, id};
use super::reply::{Envelope, Reply, document, read, refused, write};
use super::{Operation, Session, Version};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::fields::{Unreadable, shown};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Listed;
use crate::message::Message;
use crate::rule::{Asks, record, request, rules};
use crate::text::{Bare, Text};

message! {
    /// The invoice object and the connect invoice object, in requests and in search results.
    pub(super) struct Invoice<'a> as "invoice" keyed by |invoice| invoice.invoice_number.as_deref();
        in any case {
        editable: Option<Bare<'a>> = "editable",
        invoice_number: Option<Text<'a>> = "invoiceNumber",
        invoice_date: Option<Text<'a>> = "invoiceDate",
        due_date: Option<Text<'a>> = "dueDate",
        subtotal_amount: Option<Money<'a>> = "subtotalAmount",
        discount_amount: Option<Money<'a>> = "discountAmount",
        tax: Option<Money<'a>> = "tax",
        outstanding_balance: Option<Money<'a>> = "outstandingBalance",
        payment_amount: Option<Money<'a>> = "paymentAmount",
        matter_number: Option<Text<'a>> = "matterNumber",
        matter_description: Option<Text<'a>> = "matterDescription",
        client_id: Option<Text<'a>> = "clientID",
        client_name: Option<Text<'a>> = "clientName",
        pdf_link: Option<Text<'a>> = "pdfLink",
        is_multi_pay: Option<Letter<'a>> = "isMultiPay",
        matter_pk: Option<Text<'a>> = "matterPK",
    }
}

message! {
    /// The line item object.
    pub(super) struct LineItem<'a> as "lineItem" in any case {
        payment_amount: Option<Money<'a>> = "paymentAmount",
        editable: Option<Bare<'a>> = "editable",
        item_id: Option<Text<'a>> = "itemId",
        item_name: Option<Text<'a>> = "itemName",
        item_description: Option<Text<'a>> = "itemDescription",
    }
}

message! {
    /// The line item table label object.
    pub(super) struct Labels<'a> as "lineItemTableLabels" in any case {
        item_id_label: Option<Text<'a>> = "itemIdLabel",
        item_name_label: Option<Text<'a>> = "itemNameLabel",
        item_description_label: Option<Text<'a>> = "itemDescriptionLabel",
    }
}

message! {
    struct ConnectSearchRequest<'a> as "" in any case {
        access_id: Option<Text<'a>> = "accessId",
        connect_option: Option<Bare<'a>> = "connectOption",
        search_option: Option<Bare<'a>> = "searchOption",
        search_text: Option<Text<'a>> = "searchText",
        filter_option: Option<Bare<'a>> = "filterOption",
        filter_text: Option<Text<'a>> = "filterText",
    }
}

message! {
    /// The response to a search, **inferred** except for the members of invoices: the vendor says that it is an array of
    /// them.
    struct ConnectSearchAnswer<'a> as "" in any case with envelope: Envelope<'a> {
        invoices: Option<Listed<Invoice<'a>>> = "invoices",
    }
}

request! {
    Invoice asks domain::Invoice, by InvoiceFields, InvoiceBuilder {
        editable, invoice_number, invoice_date, due_date, subtotal_amount, discount_amount, tax, outstanding_balance,
        payment_amount, client_id, client_name, pdf_link
    }
}

request! {
    Invoice asks ConnectInvoice, by ConnectInvoiceFields, ConnectInvoiceBuilder {
        invoice_number, invoice_date, outstanding_balance, payment_amount, matter_number, matter_description,
        client_id, client_name, pdf_link, is_multi_pay, matter_pk
    }
}

record! {
    Invoice is OpenInvoice {
        invoice_number, invoice_date, outstanding_balance, payment_amount, matter_number, matter_description,
        client_id, client_name, pdf_link, is_multi_pay, matter_pk
    }
}

request! {
    LineItem asks domain::LineItem, by LineItemFields, LineItemBuilder {
        payment_amount, editable, item_id, item_name, item_description
    }
}

request! {
    Labels asks LineItemLabels, by LineItemLabelsFields, LineItemLabelsBuilder {
        item_id_label, item_name_label, item_description_label
    }
}

request! {
    ConnectSearchRequest asks ConnectSearch, by ConnectSearchFields, ConnectSearchBuilder {
        connect_option, search_option, search_text, filter_option, filter_text
    }
}

rules! {
    Text to Option<InvoiceDate>: |name, text| id(name, text.map(to_day)), |date| shown(*date);
}

/// Connect search.
pub fn search(session: Session<'_>, search: &ConnectSearch) -> Result<Call, EncodeError> {
    let mut message = ConnectSearchRequest::from(search);
    message.access_id = session.in_body();
    Operation::ConnectSearch.call(session.version)?.with_body(Format::Json, &message)
}

/// Reads the body of a connect search.
#[cfg(feature = "gateway")]
pub fn read_search(body: &[u8], limits: &Limits) -> Result<ConnectSearch, ReadError> {
    let request: ConnectSearchRequest<'_> = codec::decode(Format::Json, body, limits)?;
    Ok(request.onto(ConnectSearch::builder()).accept()?)
}

/// Reads the response to a connect search; `None` if it has no list, which is not the same as an empty list.
pub fn decode_found(body: &[u8], limits: &Limits) -> Result<Reply<Option<Vec<OpenInvoice>>>, DecodeError> {
    let document = document(body, "invoices");
    let ConnectSearchAnswer { envelope, invoices } = read(&document, limits)?;
    let mut unreadable = Unreadable::default();
    let invoices =
        invoices.map(|invoices| unreadable.sort(invoices, Message::key, Invoice::record, "invoices"));
    let reply = envelope.reply(invoices).map_err(refused)?;
    Ok(Reply { unreadable: unreadable.within("", Format::Json), ..reply })
}

/// Writes the response to a connect search.
#[cfg(feature = "gateway")]
pub fn encode_found(reply: &Reply<Option<Vec<OpenInvoice>>>) -> Vec<u8> {
    let invoices = reply.value.as_ref().map(|invoices| invoices.iter().map(Invoice::from).collect());
    write(&ConnectSearchAnswer { envelope: reply.envelope(), invoices })
}

/// The day of a moment. Any other text is unchanged.
fn to_day(text: Text<'_>) -> Text<'_> {
    let day = |text: &str| {
        let (day, rest) = text.trim().split_at_checked("yyyy-mm-dd".len())?;
        rest.starts_with(['T', 't']).then(|| day.to_owned())
    };
    day(&text).map_or(text, Text::from)
}

impl<'a> Invoice<'a> {
    /// The invoice with dates in the form of the version: 1.0 has moments with an offset. At noon UTC they are one
    /// calendar day all over the Americas.
    pub(super) fn dated(self, version: Version) -> Self {
        self.with_dates(version, |day| format!("{day}T12:00:00.0000000+00:00").into())
    }

    /// The invoice of a request with days as dates; in version 2 a moment is not a date.
    fn in_days(self, version: Version) -> Self {
        self.with_dates(version, to_day)
    }

    fn with_dates(self, version: Version, form: fn(Text<'a>) -> Text<'a>) -> Self {
        match version {
            Version::V2 => self,
            Version::V1 => {
                Self { invoice_date: self.invoice_date.map(form), due_date: self.due_date.map(form), ..self }
            }
        }
    }

    pub(super) fn request(self, version: Version) -> InvoiceBuilder {
        self.in_days(version).builder()
    }

    pub(super) fn connect_request(self, version: Version) -> ConnectInvoiceBuilder {
        self.in_days(version).builder()
    }
}
