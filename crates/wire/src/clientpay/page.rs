//! Pages that payers fill in: for invoices, items, invoices of a practice management system, and payment methods.

use perennial_domain::clientpay::{
    ConnectPage, ConnectPageBuilder, ConnectPageFields, InvoicePage, InvoicePageBuilder, InvoicePageFields,
    LineItemBuilder, LineItemPage, LineItemPageBuilder, LineItemPageFields, Page, PageOptions,
    PageOptionsBuilder, PageOptionsFields, PayerPage, PayerPageBuilder, PayerPageFields, RequestId,
    ResponseOptions, ResponseOptionsBuilder, ResponseOptionsFields, UsedRequestId,
};

use super::fields::{Verbatim, id};
use super::invoice::{Invoice, Labels, LineItem};
use super::payer::Address;
use super::reply::{Reply, Said, document, read, refused, write};
use super::session::{Ids, Token, Under, token};
use super::{Operation, Received, Session, Version};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::fields::{given, owned, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Many;
use crate::rule::{Asks, request};
use crate::text::{Bare, Text};

message! {
    /// A request for a page; the path decides which of the members count.
    struct PageRequest<'a> as "" in any case {
        token: Option<Token<'a>> = "token",
        connect_option: Option<Bare<'a>> = "connectOption",
        invoices: Many<Invoice<'a>> = "invoices",
        line_items: Many<LineItem<'a>> = "lineItems",
        line_item_table_labels: Option<Labels<'a>> = "lineItemTableLabels",
        payer_or_payment_method_id: Option<Text<'a>> = "payerOrPaymentMethodId",
        name_on_account: Option<Text<'a>> = "nameOnAccount",
        billing_address: Option<Address<'a>> = "billingAddress",
        accept_multiple_methods: Option<Bare<'a>> = "acceptMultipleMethods",
        hide_payer_name_panel: Option<Bare<'a>> = "hidePayerNamePanel",
        payer_id: Option<Text<'a>> = "payerId",
        allow_edits_to_existing_methods: Option<Bare<'a>> = "allowEditsToExistingMethods",
        page_options: Option<OptionsMessage<'a>> = "pageOptions",
        email_options: Option<Verbatim<'a>> = "emailOptions",
        response_options: Option<ResponseMessage<'a>> = "responseOptions",
    }
}

message! {
    /// A request for a page in version 1.0. The vendor's page has about five more members, whose names are unknown.
    struct PageForm<'a> as "" in any case with ids: Ids<'a> {
        connect_option: Option<Bare<'a>> = "connectOption",
        invoices: Many<Invoice<'a>> = "invoices",
        line_items: Many<LineItem<'a>> = "lineItems",
        cardholder_name: Option<Text<'a>> = "cardholderName",
        billing_address: Option<Text<'a>> = "billingAddress",
        billing_city: Option<Text<'a>> = "billingCity",
        billing_country: Option<Text<'a>> = "billingCountry",
        duration: Option<Bare<'a>> = "duration",
        billing_zip_code: Option<Text<'a>> = "billingZipCode",
        billing_state_code: Option<Text<'a>> = "billingStateCode",
        enable_client_side_post_back: Option<Bare<'a>> = "enableClientSidePostBack",
        client_side_return_address: Option<Text<'a>> = "clientSideReturnAddress",
        hide_customer_header_logo: Option<Bare<'a>> = "hideCustomerHeaderLogo",
    }
}

message! {
    /// The pageOptions object.
    struct OptionsMessage<'a> as "pageOptions" in any case {
        header_text: Option<Text<'a>> = "headerText",
        subheader_text: Option<Text<'a>> = "subheaderText",
        footer_text: Option<Text<'a>> = "footerText",
        hide_customer_header_logo: Option<Bare<'a>> = "hideCustomerHeaderLogo",
        duration: Option<Bare<'a>> = "duration",
        styling: Option<Text<'a>> = "styling",
        disable_recaptcha: Option<Bare<'a>> = "disableRecaptcha",
        enable_payer_saving: Option<Bare<'a>> = "enablePayerSaving",
        is_payer_facing: Option<Bare<'a>> = "isPayerFacing",
    }
}

message! {
    /// The responseOptions object.
    struct ResponseMessage<'a> as "responseOptions" in any case {
        enable_client_side_post_back: Option<Bare<'a>> = "enableClientSidePostBack",
        client_side_return_address: Option<Text<'a>> = "clientSideReturnAddress",
        server_side_return_address: Option<Text<'a>> = "serverSideReturnAddress",
    }
}

message! {
    /// The answer, **inferred**: the vendor says that it has the page's URL; the names are those of the postbacks.
    struct PageAnswer<'a> as "" in any case with said: Said<'a> {
        request_id: Option<Text<'a>> = "requestID",
        payment_page_url: Option<Text<'a>> = "paymentPageUrl",
        payer_page_url: Option<Text<'a>> = "payerPageUrl",
    }
}

request! {
    PageRequest asks InvoicePage, by InvoicePageFields, InvoicePageBuilder {
        session_id in token, customer_id in token, payer_or_payment_method_id, name_on_account, email_options;
        nested billing_address;
        objects page_options, response_options;
        apart invoices
    }
}

request! {
    PageRequest asks LineItemPage, by LineItemPageFields, LineItemPageBuilder {
        session_id in token, customer_id in token, payer_or_payment_method_id, name_on_account, email_options;
        nested billing_address;
        objects page_options, response_options;
        apart line_item_table_labels, line_items
    }
}

request! {
    PageRequest asks ConnectPage, by ConnectPageFields, ConnectPageBuilder {
        connect_option, session_id in token, customer_id in token, payer_or_payment_method_id, name_on_account,
        email_options;
        nested billing_address;
        objects page_options, response_options;
        apart invoices
    }
}

request! {
    PageRequest asks PayerPage, by PayerPageFields, PayerPageBuilder {
        session_id in token, customer_id in token, payer_id, accept_multiple_methods, hide_payer_name_panel,
        allow_edits_to_existing_methods;
        objects page_options, response_options
    }
}

request! {
    OptionsMessage asks PageOptions, by PageOptionsFields, PageOptionsBuilder {
        header_text, subheader_text, footer_text, hide_customer_header_logo, styling, disable_recaptcha,
        enable_payer_saving, is_payer_facing;
        gateway duration
    }
}

request! {
    ResponseMessage asks ResponseOptions, by ResponseOptionsFields, ResponseOptionsBuilder {
        enable_client_side_post_back, client_side_return_address, server_side_return_address
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

impl<'a> PageRequest<'a> {
    fn in_v1(self, session: Session<'a>) -> Result<PageForm<'a>, EncodeError> {
        let Self {
            token,
            connect_option,
            invoices,
            line_items,
            line_item_table_labels,
            payer_or_payment_method_id,
            name_on_account,
            billing_address,
            accept_multiple_methods: _,
            hide_payer_name_panel: _,
            payer_id: _,
            allow_edits_to_existing_methods: _,
            page_options,
            email_options,
            response_options,
        } = self;
        absent("lineItemTableLabels", line_item_table_labels)?;
        absent("payerOrPaymentMethodId", payer_or_payment_method_id)?;
        absent("emailOptions", email_options)?;
        let Address { address_line1, phone_number, city, state, country, zip_code } =
            billing_address.unwrap_or_default();
        absent("phoneNumber", phone_number)?;
        let OptionsMessage {
            header_text,
            subheader_text,
            footer_text,
            hide_customer_header_logo,
            duration,
            styling,
            disable_recaptcha,
            enable_payer_saving,
            is_payer_facing,
        } = page_options.unwrap_or_default();
        absent("headerText", header_text)?;
        absent("subheaderText", subheader_text)?;
        absent("footerText", footer_text)?;
        absent("styling", styling)?;
        absent("disableRecaptcha", disable_recaptcha)?;
        absent("enablePayerSaving", enable_payer_saving)?;
        absent("isPayerFacing", is_payer_facing)?;
        let ResponseMessage {
            enable_client_side_post_back,
            client_side_return_address,
            server_side_return_address,
        } = response_options.unwrap_or_default();
        absent("serverSideReturnAddress", server_side_return_address)?;
        Ok(PageForm {
            ids: Ids::of(session, token),
            connect_option,
            invoices,
            line_items,
            cardholder_name: short("cardholderName", name_on_account)?,
            billing_address: short("billingAddress", address_line1)?,
            billing_city: short("billingCity", city)?,
            billing_country: short("billingCountry", country)?,
            duration,
            billing_zip_code: zip_code,
            billing_state_code: state,
            enable_client_side_post_back,
            client_side_return_address,
            hide_customer_header_logo,
        })
    }
}

/// Refuses a value for which version 1.0 has no member, because it would be lost silently.
pub(super) fn absent<T>(member: &'static str, value: Option<T>) -> Result<(), EncodeError> {
    value.map_or(Ok(()), |_| Err(EncodeError::not_in_v1(member)))
}

/// Checks the length of a text for which version 1.0 states a limit.
pub(super) fn short<'a>(
    member: &'static str,
    value: Option<Text<'a>>,
) -> Result<Option<Text<'a>>, EncodeError> {
    match value {
        Some(text) if text.chars().nth(100).is_some() => Err(EncodeError::too_long_for_v1(member)),
        value => Ok(value),
    }
}

/// Expire payment page, of any kind. The id is that of the page.
pub fn expire(session: Session<'_>, page: &UsedRequestId) -> Result<Call, EncodeError> {
    let message =
        Ids { access_id: session.in_body(), request_id: Some(text(page.as_str())), ..Ids::default() };
    Operation::ExpirePage.call(session.version)?.with_body(Format::Json, &message)
}

/// Reads the body of an invoice payment page.
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
pub fn read_payer(body: &[u8], limits: &Limits) -> Result<Received<PayerPage>, ReadError> {
    let (under, request) = received(Version::V2, body, limits)?;
    under.receive(request.onto(PayerPage::builder()).accept())
}

/// Reads the body of expire payment page, which has only an id.
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

impl<'a> PageForm<'a> {
    fn in_v2(self) -> (Ids<'a>, PageRequest<'a>) {
        let Self {
            ids,
            connect_option,
            invoices,
            line_items,
            cardholder_name,
            billing_address,
            billing_city,
            billing_country,
            duration,
            billing_zip_code,
            billing_state_code,
            enable_client_side_post_back,
            client_side_return_address,
            hide_customer_header_logo,
        } = self;
        let request = PageRequest {
            token: Some(ids.token()),
            connect_option,
            invoices,
            line_items,
            name_on_account: cardholder_name,
            billing_address: Some(Address {
                address_line1: billing_address,
                phone_number: None,
                city: billing_city,
                state: billing_state_code,
                country: billing_country,
                zip_code: billing_zip_code,
            }),
            page_options: Some(OptionsMessage {
                hide_customer_header_logo,
                duration,
                ..OptionsMessage::default()
            }),
            response_options: Some(ResponseMessage {
                enable_client_side_post_back,
                client_side_return_address,
                server_side_return_address: None,
            }),
            ..PageRequest::default()
        };
        (ids, request)
    }
}

/// Reads the answer to every request for a page: `None` without a URL. If the answer has only the URL, its last segment
/// is the page's id, as in the URL of the sample postback.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Reply<Option<Page>>, DecodeError> {
    let Reply { success, message, errors, value, unreadable } = decode_named(body, limits)?;
    Ok(Reply { success, message, errors, value: value.page(), unreadable })
}

/// Facts about a page in an answer; some may be missing.
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

/// Reads the answer to a request for a page, and the page that a refusal names.
pub fn decode_named(body: &[u8], limits: &Limits) -> Result<Reply<Named>, DecodeError> {
    let document = document(body, "paymentPageUrl");
    let PageAnswer { said, request_id, payment_page_url, payer_page_url } = read(&document, limits)?;
    let request_id = id("requestId", request_id).map_err(refused)?;
    let url = owned(given(payment_page_url).or(payer_page_url));
    said.reply(Named { request_id, url }).map_err(refused)
}

/// Writes the answer to a request for a payment page.
pub fn encode(reply: &Reply<Option<Page>>) -> Vec<u8> {
    write(&PageAnswer { payment_page_url: reply.value.as_ref().map(|page| text(&page.url)), ..answer(reply) })
}

/// Writes the answer to a request for a payer page.
pub fn encode_payer(reply: &Reply<Option<Page>>) -> Vec<u8> {
    write(&PageAnswer { payer_page_url: reply.value.as_ref().map(|page| text(&page.url)), ..answer(reply) })
}

fn answer(reply: &Reply<Option<Page>>) -> PageAnswer<'_> {
    let request_id = reply.value.as_ref().map(|page| text(page.request_id.as_str()));
    PageAnswer { said: reply.said(), request_id, ..PageAnswer::default() }
}
