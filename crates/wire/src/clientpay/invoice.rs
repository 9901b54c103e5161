//! Invoices and items in pages, and the search for open invoices.

use perennial_domain::Flag;
use perennial_domain::clientpay::{
    self as domain, ConnectInvoiceBuilder, ConnectInvoiceFields, ConnectSearch, ConnectSearchFields,
    InvoiceBuilder, InvoiceDate, InvoiceFields, LineItemBuilder, LineItemFields, LineItemLabelsBuilder,
    LineItemLabelsFields, OpenInvoice, Portion,
};

use super::fields::{amount, bare, id, plain};
use super::reply::{Reply, Said, document, read, refused, write};
use super::{Operation, Session, Version};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::fields::{Fault, Unreadable, given, owned, set, shown, some_text, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Listed;
use crate::message::Message;
use crate::text::{Bare, Text};

message! {
    /// The invoice object and the connect invoice object, in requests and in search results.
    pub(super) struct Invoice<'a> as "invoice" keyed by |invoice| invoice.invoice_number.as_deref();
        in any case {
        editable: Option<Bare<'a>> = "editable",
        invoice_number: Option<Text<'a>> = "invoiceNumber",
        invoice_date: Option<Text<'a>> = "invoiceDate",
        due_date: Option<Text<'a>> = "dueDate",
        subtotal_amount: Option<Bare<'a>> = "subtotalAmount",
        discount_amount: Option<Bare<'a>> = "discountAmount",
        tax: Option<Bare<'a>> = "tax",
        outstanding_balance: Option<Bare<'a>> = "outstandingBalance",
        payment_amount: Option<Bare<'a>> = "paymentAmount",
        matter_number: Option<Text<'a>> = "matterNumber",
        matter_description: Option<Text<'a>> = "matterDescription",
        client_id: Option<Text<'a>> = "clientID",
        client_name: Option<Text<'a>> = "clientName",
        pdf_link: Option<Text<'a>> = "pdfLink",
        is_multi_pay: Option<Text<'a>> = "isMultiPay",
        matter_pk: Option<Text<'a>> = "matterPK",
    }
}

message! {
    /// The line item object.
    pub(super) struct LineItem<'a> as "lineItem" in any case {
        payment_amount: Option<Bare<'a>> = "paymentAmount",
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
    struct SearchRequest<'a> as "" in any case {
        access_id: Option<Text<'a>> = "accessId",
        connect_option: Option<Bare<'a>> = "connectOption",
        search_option: Option<Bare<'a>> = "searchOption",
        search_text: Option<Text<'a>> = "searchText",
        filter_option: Option<Bare<'a>> = "filterOption",
        filter_text: Option<Text<'a>> = "filterText",
    }
}

message! {
    /// The answer to a search, **inferred** except for the members of invoices: the vendor says that it is an array of
    /// them.
    struct Found<'a> as "" in any case with said: Said<'a> {
        invoices: Option<Listed<Invoice<'a>>> = "invoices",
    }
}

/// Connect search.
pub fn search(session: Session<'_>, search: &ConnectSearch) -> Result<Call, EncodeError> {
    let ConnectSearchFields { connect_option, search_option, search_text, filter_option, filter_text } =
        search.fields();
    let message = SearchRequest {
        access_id: session.in_body(),
        connect_option: Some(connect_option.code().into()),
        search_option: Some(search_option.code().into()),
        search_text: Some(text(search_text.as_str())),
        filter_option: filter_option.map(|option| option.code().into()),
        filter_text: some_text(filter_text),
    };
    Operation::ConnectSearch.call(session.version)?.with_body(Format::Json, &message)
}

/// Reads the body of a connect search.
pub fn read_search(body: &[u8], limits: &Limits) -> Result<ConnectSearch, ReadError> {
    let SearchRequest {
        access_id: _,
        connect_option,
        search_option,
        search_text,
        filter_option,
        filter_text,
    } = codec::decode(Format::Json, body, limits)?;
    let builder = set!(ConnectSearch::builder();
        connect_option: bare(connect_option),
        search_option: bare(search_option),
        search_text: search_text,
        filter_option: bare(filter_option),
        filter_text: filter_text,
    );
    Ok(builder.accept()?)
}

/// Reads the answer to a connect search; `None` if it has no list, which is not the same as an empty list.
pub fn decode_found(body: &[u8], limits: &Limits) -> Result<Reply<Option<Vec<OpenInvoice>>>, DecodeError> {
    let document = document(body, "invoices");
    let Found { said, invoices } = read(&document, limits)?;
    let mut unreadable = Unreadable::default();
    let invoices =
        invoices.map(|invoices| unreadable.sort(invoices, Message::key, Invoice::record, "invoices"));
    let reply = said.reply(invoices).map_err(refused)?;
    Ok(Reply { unreadable: unreadable.within("", Format::Json), ..reply })
}

/// Writes the answer to a connect search.
pub fn encode_found(reply: &Reply<Option<Vec<OpenInvoice>>>) -> Vec<u8> {
    let invoices = reply.value.as_ref().map(|invoices| invoices.iter().map(Invoice::from).collect());
    write(&Found { said: reply.said(), invoices })
}

fn flag<'a>(flag: Option<&Flag>) -> Option<Bare<'a>> {
    flag.map(|flag| flag.0.into())
}

fn portion<'a>(portion: Option<&Portion>) -> Option<Bare<'a>> {
    portion.map(|portion| portion.amount().into())
}

/// A date in the form of the version: 1.0 has a moment with an offset. At noon UTC it is one calendar day all over the
/// Americas.
fn date<'a>(version: Version, date: InvoiceDate) -> Text<'a> {
    match version {
        Version::V2 => date.to_string().into(),
        Version::V1 => format!("{date}T12:00:00.0000000+00:00").into(),
    }
}

/// The day of a moment, the form of version 1.0; in version 2 a moment is not a date.
fn day(version: Version, text: Option<Text<'_>>) -> Option<Text<'_>> {
    let day = |text: &str| {
        let (day, rest) = text.trim().split_at_checked("yyyy-mm-dd".len())?;
        rest.starts_with(['T', 't']).then(|| day.to_owned())
    };
    text.map(|text| match day(&text).filter(|_| version == Version::V1) {
        Some(day) => day.into(),
        None => text,
    })
}

impl<'a> Invoice<'a> {
    pub(super) fn of(version: Version, invoice: &'a domain::Invoice) -> Self {
        let InvoiceFields {
            invoice_number,
            invoice_date,
            outstanding_balance,
            editable,
            due_date,
            subtotal_amount,
            discount_amount,
            tax,
            payment_amount,
            client_id,
            client_name,
            pdf_link,
        } = invoice.fields();
        Self {
            editable: flag(editable),
            invoice_number: Some(text(invoice_number.as_str())),
            invoice_date: Some(date(version, *invoice_date)),
            due_date: due_date.map(|due| date(version, *due)),
            subtotal_amount: portion(subtotal_amount),
            discount_amount: portion(discount_amount),
            tax: portion(tax),
            outstanding_balance: Some((*outstanding_balance).into()),
            payment_amount: payment_amount.map(|amount| (*amount).into()),
            client_id: some_text(client_id),
            client_name: some_text(client_name),
            pdf_link: some_text(pdf_link),
            ..Self::default()
        }
    }

    pub(super) fn of_connect(version: Version, invoice: &'a domain::ConnectInvoice) -> Self {
        let ConnectInvoiceFields {
            invoice_number,
            invoice_date,
            outstanding_balance,
            payment_amount,
            matter_number,
            matter_description,
            client_id,
            client_name,
            pdf_link,
            is_multi_pay,
            matter_pk,
        } = invoice.fields();
        Self {
            invoice_number: Some(text(invoice_number.as_str())),
            invoice_date: Some(date(version, *invoice_date)),
            outstanding_balance: Some((*outstanding_balance).into()),
            payment_amount: payment_amount.map(|amount| (*amount).into()),
            matter_number: some_text(matter_number),
            matter_description: some_text(matter_description),
            client_id: some_text(client_id),
            client_name: some_text(client_name),
            pdf_link: some_text(pdf_link),
            is_multi_pay: is_multi_pay.map(|several| letter(several.0)),
            matter_pk: some_text(matter_pk),
            ..Self::default()
        }
    }

    pub(super) fn request(self, version: Version) -> InvoiceBuilder {
        let Self {
            editable,
            invoice_number,
            invoice_date,
            due_date,
            subtotal_amount,
            discount_amount,
            tax,
            outstanding_balance,
            payment_amount,
            matter_number: _,
            matter_description: _,
            client_id,
            client_name,
            pdf_link,
            is_multi_pay: _,
            matter_pk: _,
        } = self;
        set!(domain::Invoice::builder();
            editable: bare(editable),
            invoice_number: invoice_number,
            invoice_date: day(version, invoice_date),
            due_date: day(version, due_date),
            subtotal_amount: plain(subtotal_amount),
            discount_amount: plain(discount_amount),
            tax: plain(tax),
            outstanding_balance: plain(outstanding_balance),
            payment_amount: plain(payment_amount),
            client_id: client_id,
            client_name: client_name,
            pdf_link: pdf_link,
        )
    }

    pub(super) fn connect_request(self, version: Version) -> ConnectInvoiceBuilder {
        let Self {
            editable: _,
            invoice_number,
            invoice_date,
            due_date: _,
            subtotal_amount: _,
            discount_amount: _,
            tax: _,
            outstanding_balance,
            payment_amount,
            matter_number,
            matter_description,
            client_id,
            client_name,
            pdf_link,
            is_multi_pay,
            matter_pk,
        } = self;
        set!(domain::ConnectInvoice::builder();
            invoice_number: invoice_number,
            invoice_date: day(version, invoice_date),
            outstanding_balance: plain(outstanding_balance),
            payment_amount: plain(payment_amount),
            matter_number: matter_number,
            matter_description: matter_description,
            client_id: client_id,
            client_name: client_name,
            pdf_link: pdf_link,
            is_multi_pay: given(is_multi_pay).map(|word| match several(&word) {
                Some(several) => crate::fields::truth(several),
                None => word,
            }),
            matter_pk: matter_pk,
        )
    }

    fn record(self) -> Result<OpenInvoice, Fault> {
        let Self {
            editable: _,
            invoice_number,
            invoice_date,
            due_date: _,
            subtotal_amount: _,
            discount_amount: _,
            tax: _,
            outstanding_balance,
            payment_amount,
            matter_number,
            matter_description,
            client_id,
            client_name,
            pdf_link,
            is_multi_pay,
            matter_pk,
        } = self;
        Ok(OpenInvoice {
            invoice_number: owned(invoice_number),
            invoice_date: id("invoiceDate", day(Version::V1, invoice_date))?,
            outstanding_balance: amount("outstandingBalance", outstanding_balance)?,
            payment_amount: amount("paymentAmount", payment_amount)?,
            matter_number: owned(matter_number),
            matter_description: owned(matter_description),
            client_id: owned(client_id),
            client_name: owned(client_name),
            pdf_link: owned(pdf_link),
            is_multi_pay: given(is_multi_pay)
                .map(|word| several(&word).ok_or_else(|| Fault::invalid("isMultiPay")))
                .transpose()?,
            matter_pk: owned(matter_pk),
        })
    }
}

impl<'a> From<&'a OpenInvoice> for Invoice<'a> {
    fn from(invoice: &'a OpenInvoice) -> Self {
        let OpenInvoice {
            invoice_number,
            invoice_date,
            outstanding_balance,
            payment_amount,
            matter_number,
            matter_description,
            client_id,
            client_name,
            pdf_link,
            is_multi_pay,
            matter_pk,
        } = invoice;
        Self {
            invoice_number: some_text(invoice_number.as_ref()),
            invoice_date: shown(*invoice_date),
            outstanding_balance: outstanding_balance.map(Bare::from),
            payment_amount: payment_amount.map(Bare::from),
            matter_number: some_text(matter_number.as_ref()),
            matter_description: some_text(matter_description.as_ref()),
            client_id: some_text(client_id.as_ref()),
            client_name: some_text(client_name.as_ref()),
            pdf_link: some_text(pdf_link.as_ref()),
            is_multi_pay: is_multi_pay.map(letter),
            matter_pk: some_text(matter_pk.as_ref()),
            ..Self::default()
        }
    }
}

fn letter(several: bool) -> Text<'static> {
    text(if several { "Y" } else { "N" })
}

fn several(letter: &str) -> Option<bool> {
    match letter.trim() {
        "Y" | "y" => Some(true),
        "N" | "n" => Some(false),
        _ => None,
    }
}

impl<'a> From<&'a domain::LineItem> for LineItem<'a> {
    fn from(item: &'a domain::LineItem) -> Self {
        let LineItemFields { payment_amount, editable, item_id, item_name, item_description } = item.fields();
        Self {
            payment_amount: Some((*payment_amount).into()),
            editable: flag(editable),
            item_id: some_text(item_id),
            item_name: some_text(item_name),
            item_description: some_text(item_description),
        }
    }
}

impl LineItem<'_> {
    pub(super) fn request(self) -> LineItemBuilder {
        let Self { payment_amount, editable, item_id, item_name, item_description } = self;
        set!(domain::LineItem::builder();
            payment_amount: plain(payment_amount),
            editable: bare(editable),
            item_id: item_id,
            item_name: item_name,
            item_description: item_description,
        )
    }
}

impl<'a> From<&'a domain::LineItemLabels> for Labels<'a> {
    fn from(labels: &'a domain::LineItemLabels) -> Self {
        let LineItemLabelsFields { item_id_label, item_name_label, item_description_label } = labels.fields();
        Self {
            item_id_label: some_text(item_id_label),
            item_name_label: some_text(item_name_label),
            item_description_label: some_text(item_description_label),
        }
    }
}

impl Labels<'_> {
    pub(super) fn request(self) -> LineItemLabelsBuilder {
        let Self { item_id_label, item_name_label, item_description_label } = self;
        set!(domain::LineItemLabels::builder();
            item_id_label: item_id_label,
            item_name_label: item_name_label,
            item_description_label: item_description_label,
        )
    }
}
