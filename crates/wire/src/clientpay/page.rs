//! Pages that payers fill in: for invoices, items, invoices of a practice management system, and payment methods.

use perennial_domain::clientpay::{
    Address as DomainAddress, ConnectOption, ConnectPage, ConnectPageBuilder, ConnectPageFields,
    EmailOptions, InvoicePage, InvoicePageBuilder, InvoicePageFields, LineItemBuilder, LineItemPage,
    LineItemPageBuilder, LineItemPageFields, Page, PageDuration, PageOptions, PageOptionsBuilder, PageOptionsFields, PayerPage,
    PayerPageFields, PaymentSource, RequestId, ResponseOptions, ResponseOptionsBuilder,
    ResponseOptionsFields, UsedRequestId,
};
use perennial_domain::{Flag, Text as DomainText};

use super::fields::{Verbatim, bare, id, nest};
use super::invoice::{Invoice, Labels, LineItem};
use super::payer::Address;
use super::reply::{Reply, Said, document, read, refused, write};
use super::session::{Ids, Token, Under, ids, token};
use super::{Operation, Received, Session, Version};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::fields::{given, owned, set, some_text, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Many;
use crate::rule::Asks;
use crate::text::{Bare, Text};

message! {
    /// A request for a page; the path decides which of the members count.
    struct Request<'a> as "" in any case {
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
    struct Form<'a> as "" in any case with ids: Ids<'a> {
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
    struct Answer<'a> as "" in any case with said: Said<'a> {
        request_id: Option<Text<'a>> = "requestID",
        payment_page_url: Option<Text<'a>> = "paymentPageUrl",
        payer_page_url: Option<Text<'a>> = "payerPageUrl",
    }
}

/// Settings of all payment pages.
struct Settings<'a> {
    session_id: Option<&'a DomainText>,
    customer_id: Option<&'a DomainText>,
    payer_or_payment_method_id: Option<&'a PaymentSource>,
    name_on_account: Option<&'a DomainText>,
    email_options: Option<&'a EmailOptions>,
    billing_address: Option<&'a DomainAddress>,
    page_options: Option<&'a PageOptions>,
    response_options: Option<&'a ResponseOptions>,
}

/// Invoices or items of a payment page.
#[derive(Default)]
struct Lines<'a> {
    connect_option: Option<ConnectOption>,
    invoices: Many<Invoice<'a>>,
    line_items: Many<LineItem<'a>>,
    labels: Option<Labels<'a>>,
}

/// Declares the fields of a payment page: common ones, and its own.
macro_rules! apart {
    ($page:expr, $Fields:ident: $($own:ident),*) => {{
        let $Fields {
            session_id,
            customer_id,
            payer_or_payment_method_id,
            name_on_account,
            email_options,
            billing_address,
            page_options,
            response_options,
            $($own),*
        } = $page.fields();
        let settings = Settings {
            session_id,
            customer_id,
            payer_or_payment_method_id,
            name_on_account,
            email_options,
            billing_address,
            page_options,
            response_options,
        };
        (settings, $($own),*)
    }};
}

/// Invoice payment page.
pub fn invoices(
    session: Session<'_>,
    request_id: &RequestId,
    page: &InvoicePage,
) -> Result<Call, EncodeError> {
    let (settings, invoices) = apart!(page, InvoicePageFields: invoices);
    let invoices = invoices.iter().map(|invoice| Invoice::from(invoice).dated(session.version)).collect();
    post(Operation::InvoicePage, session, request_id, &settings, Lines { invoices, ..Lines::default() })
}

/// Line item payment page.
pub fn line_items(
    session: Session<'_>,
    request_id: &RequestId,
    page: &LineItemPage,
) -> Result<Call, EncodeError> {
    let (settings, line_item_table_labels, line_items) =
        apart!(page, LineItemPageFields: line_item_table_labels, line_items);
    if session.version == Version::V1 {
        absent("lineItemTableLabels", line_item_table_labels)?;
    }
    let lines = Lines {
        line_items: line_items.iter().map(LineItem::from).collect(),
        labels: Some(line_item_table_labels.map(Labels::from).unwrap_or_default()),
        ..Lines::default()
    };
    post(Operation::LineItemPage, session, request_id, &settings, lines)
}

/// Connect payment page.
pub fn connect(
    session: Session<'_>,
    request_id: &RequestId,
    page: &ConnectPage,
) -> Result<Call, EncodeError> {
    let (settings, connect_option, invoices) = apart!(page, ConnectPageFields: connect_option, invoices);
    let lines = Lines {
        connect_option: Some(*connect_option),
        invoices: invoices.iter().map(|invoice| Invoice::from(invoice).dated(session.version)).collect(),
        ..Lines::default()
    };
    post(Operation::ConnectPage, session, request_id, &settings, lines)
}

fn post(
    route: Operation,
    session: Session<'_>,
    request_id: &RequestId,
    settings: &Settings<'_>,
    lines: Lines<'_>,
) -> Result<Call, EncodeError> {
    let call = route.call(session.version)?;
    match session.version {
        Version::V2 => call.with_body(Format::Json, &in_v2(request_id, settings, lines)),
        Version::V1 => call.with_body(Format::Json, &in_v1(session, request_id, settings, lines)?),
    }
}

fn in_v2<'a>(request_id: &'a RequestId, settings: &Settings<'a>, lines: Lines<'a>) -> Request<'a> {
    let Settings {
        session_id,
        customer_id,
        payer_or_payment_method_id,
        name_on_account,
        email_options,
        billing_address,
        page_options,
        response_options,
    } = settings;
    let Lines { connect_option, invoices, line_items, labels } = lines;
    Request {
        token: Some(token(request_id, *session_id, *customer_id)),
        connect_option: connect_option.map(|option| option.code().into()),
        invoices,
        line_items,
        line_item_table_labels: labels,
        payer_or_payment_method_id: some_text(*payer_or_payment_method_id),
        name_on_account: some_text(*name_on_account),
        billing_address: billing_address.map(Address::from),
        page_options: page_options.map(OptionsMessage::from),
        email_options: email_options.map(|options| Verbatim(options.as_json())),
        response_options: response_options.map(ResponseMessage::from),
        ..Request::default()
    }
}

fn in_v1<'a>(
    session: Session<'a>,
    request_id: &'a RequestId,
    settings: &Settings<'a>,
    lines: Lines<'a>,
) -> Result<Form<'a>, EncodeError> {
    let Settings {
        session_id,
        customer_id,
        payer_or_payment_method_id,
        name_on_account,
        email_options,
        billing_address,
        page_options,
        response_options,
    } = settings;
    absent("payerOrPaymentMethodId", *payer_or_payment_method_id)?;
    absent("emailOptions", *email_options)?;
    let Lines { connect_option, invoices, line_items, labels: _ } = lines;
    let Address { address_line1, phone_number, city, state, country, zip_code } =
        billing_address.map(Address::from).unwrap_or_default();
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
    } = page_options.map(OptionsMessage::from).unwrap_or_default();
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
    } = response_options.map(ResponseMessage::from).unwrap_or_default();
    absent("serverSideReturnAddress", server_side_return_address)?;
    Ok(Form {
        ids: ids(session, request_id, *session_id, *customer_id),
        connect_option: connect_option.map(|option| option.code().into()),
        invoices,
        line_items,
        cardholder_name: short("cardholderName", some_text(*name_on_account))?,
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

/// Payer page, of version 2 only.
pub fn payer(session: Session<'_>, request_id: &RequestId, page: &PayerPage) -> Result<Call, EncodeError> {
    let PayerPageFields {
        session_id,
        customer_id,
        payer_id,
        accept_multiple_methods,
        hide_payer_name_panel,
        allow_edits_to_existing_methods,
        page_options,
        response_options,
    } = page.fields();
    let message = Request {
        token: Some(token(request_id, session_id, customer_id)),
        accept_multiple_methods: flag(accept_multiple_methods),
        hide_payer_name_panel: flag(hide_payer_name_panel),
        payer_id: some_text(payer_id),
        allow_edits_to_existing_methods: flag(allow_edits_to_existing_methods),
        page_options: page_options.map(OptionsMessage::from),
        response_options: response_options.map(ResponseMessage::from),
        ..Request::default()
    };
    Operation::PayerPage.call(session.version)?.with_body(Format::Json, &message)
}

/// Expire payment page, of any kind. The id is that of the page.
pub fn expire(session: Session<'_>, page: &UsedRequestId) -> Result<Call, EncodeError> {
    let message =
        Ids { access_id: session.in_body(), request_id: Some(text(page.as_str())), ..Ids::default() };
    Operation::ExpirePage.call(session.version)?.with_body(Format::Json, &message)
}

/// Sets the common settings of payment pages.
macro_rules! settings {
    ($page:expr; $under:ident, $request:ident) => {{
        let page = set!($page;
            session_id: $under.session_id.clone(),
            customer_id: $under.customer_id.clone(),
            payer_or_payment_method_id: $request.payer_or_payment_method_id,
            name_on_account: $request.name_on_account,
            email_options: $request.email_options.map(|options| text(options.0)),
        );
        nest!(page;
            billing_address: $request.billing_address.and_then(Address::request),
            page_options: $request.page_options.map(OptionsMessage::request),
            response_options: $request.response_options.map(ResponseMessage::request),
        )
    }};
}

/// Reads the body of an invoice payment page.
pub fn read_invoices(
    version: Version,
    body: &[u8],
    limits: &Limits,
) -> Result<Received<InvoicePage>, ReadError> {
    let (under, request) = received(version, body, limits)?;
    let invoices = request.invoices.into_iter().map(|invoice| invoice.request(version));
    let page = invoices.fold(InvoicePage::builder(), InvoicePageBuilder::invoice);
    let page = settings!(page; under, request);
    under.receive(page.accept())
}

/// Reads the body of a line item payment page.
pub fn read_line_items(
    version: Version,
    body: &[u8],
    limits: &Limits,
) -> Result<Received<LineItemPage>, ReadError> {
    let (under, request) = received(version, body, limits)?;
    let is_labelled = version == Version::V1 || request.line_item_table_labels.is_some();
    let under = under.starred("lineItemTableLabels", is_labelled);
    let items = request.line_items.into_iter().map(LineItem::builder);
    let page = items.fold(LineItemPage::builder(), LineItemPageBuilder::line_item::<LineItemBuilder>);
    let page = nest!(page; line_item_table_labels: request.line_item_table_labels.map(Labels::builder));
    let page = settings!(page; under, request);
    under.receive(page.accept())
}

/// Reads the body of a connect payment page.
pub fn read_connect(
    version: Version,
    body: &[u8],
    limits: &Limits,
) -> Result<Received<ConnectPage>, ReadError> {
    let (under, request) = received(version, body, limits)?;
    let invoices = request.invoices.into_iter().map(|invoice| invoice.connect_request(version));
    let page = invoices.fold(ConnectPage::builder(), ConnectPageBuilder::invoice);
    let page = set!(page; connect_option: bare(request.connect_option));
    let page = settings!(page; under, request);
    under.receive(page.accept())
}

/// Reads the body of a payer page.
pub fn read_payer(body: &[u8], limits: &Limits) -> Result<Received<PayerPage>, ReadError> {
    let (under, request) = received(Version::V2, body, limits)?;
    let page = set!(PayerPage::builder();
        session_id: under.session_id.clone(),
        customer_id: under.customer_id.clone(),
        payer_id: request.payer_id,
        accept_multiple_methods: bare(request.accept_multiple_methods),
        hide_payer_name_panel: bare(request.hide_payer_name_panel),
        allow_edits_to_existing_methods: bare(request.allow_edits_to_existing_methods),
    );
    let page = nest!(page;
        page_options: request.page_options.map(OptionsMessage::request),
        response_options: request.response_options.map(ResponseMessage::request),
    );
    under.receive(page.accept())
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
) -> Result<(Under<'a>, Request<'a>), DecodeError> {
    match version {
        Version::V2 => {
            let mut request: Request<'_> = codec::decode(Format::Json, body, limits)?;
            Ok((request.token.take().into(), request))
        }
        Version::V1 => {
            let form: Form<'_> = codec::decode(Format::Json, body, limits)?;
            let (ids, request) = form.in_v2();
            Ok((ids.into(), request))
        }
    }
}

impl<'a> Form<'a> {
    fn in_v2(self) -> (Ids<'a>, Request<'a>) {
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
        let request = Request {
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
            ..Request::default()
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
    let Answer { said, request_id, payment_page_url, payer_page_url } = read(&document, limits)?;
    let request_id = id("requestId", request_id).map_err(refused)?;
    let url = owned(given(payment_page_url).or(payer_page_url));
    said.reply(Named { request_id, url }).map_err(refused)
}

/// Writes the answer to a request for a payment page.
pub fn encode(reply: &Reply<Option<Page>>) -> Vec<u8> {
    write(&Answer { payment_page_url: reply.value.as_ref().map(|page| text(&page.url)), ..answer(reply) })
}

/// Writes the answer to a request for a payer page.
pub fn encode_payer(reply: &Reply<Option<Page>>) -> Vec<u8> {
    write(&Answer { payer_page_url: reply.value.as_ref().map(|page| text(&page.url)), ..answer(reply) })
}

fn answer(reply: &Reply<Option<Page>>) -> Answer<'_> {
    let request_id = reply.value.as_ref().map(|page| text(page.request_id.as_str()));
    Answer { said: reply.said(), request_id, ..Answer::default() }
}

fn flag<'a>(flag: Option<&Flag>) -> Option<Bare<'a>> {
    flag.map(|flag| flag.0.into())
}

impl<'a> From<&'a PageOptions> for OptionsMessage<'a> {
    fn from(options: &'a PageOptions) -> Self {
        let PageOptionsFields {
            header_text,
            subheader_text,
            footer_text,
            hide_customer_header_logo,
            duration,
            styling,
            disable_recaptcha,
            enable_payer_saving,
            is_payer_facing,
        } = options.fields();
        Self {
            header_text: some_text(header_text),
            subheader_text: some_text(subheader_text),
            footer_text: some_text(footer_text),
            hide_customer_header_logo: flag(hide_customer_header_logo),
            duration: duration.map(|duration| u64::from(duration.get()).into()),
            styling: some_text(styling),
            disable_recaptcha: flag(disable_recaptcha),
            enable_payer_saving: flag(enable_payer_saving),
            is_payer_facing: flag(is_payer_facing),
        }
    }
}

impl OptionsMessage<'_> {
    fn request(self) -> PageOptionsBuilder {
        let Self {
            header_text,
            subheader_text,
            footer_text,
            hide_customer_header_logo,
            duration,
            styling,
            disable_recaptcha,
            enable_payer_saving,
            is_payer_facing,
        } = self;
        let options = set!(PageOptions::builder();
            header_text: header_text,
            subheader_text: subheader_text,
            footer_text: footer_text,
            hide_customer_header_logo: bare(hide_customer_header_logo),
            styling: styling,
            disable_recaptcha: bare(disable_recaptcha),
            enable_payer_saving: bare(enable_payer_saving),
            is_payer_facing: bare(is_payer_facing),
        );
        match given(bare(duration)) {
            Some(seconds) => match seconds.parse() {
                Ok(seconds) => options.duration(PageDuration::as_gateway(seconds)),
                Err(_) => options.duration(&*seconds),
            },
            None => options,
        }
    }
}

impl<'a> From<&'a ResponseOptions> for ResponseMessage<'a> {
    fn from(options: &'a ResponseOptions) -> Self {
        let ResponseOptionsFields {
            enable_client_side_post_back,
            client_side_return_address,
            server_side_return_address,
        } = options.fields();
        Self {
            enable_client_side_post_back: flag(enable_client_side_post_back),
            client_side_return_address: some_text(client_side_return_address),
            server_side_return_address: some_text(server_side_return_address),
        }
    }
}

impl ResponseMessage<'_> {
    fn request(self) -> ResponseOptionsBuilder {
        let Self { enable_client_side_post_back, client_side_return_address, server_side_return_address } =
            self;
        set!(ResponseOptions::builder();
            enable_client_side_post_back: bare(enable_client_side_post_back),
            client_side_return_address: client_side_return_address,
            server_side_return_address: server_side_return_address,
        )
    }
}
