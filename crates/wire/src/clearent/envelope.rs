//! What comes back: the envelope around every answer, the same for the gateway that writes it and the client that
//! reads it.

use perennial_domain::Date;
use perennial_domain::clearent::{
    Batch, CheckSettings, Customer, CustomerToken, DuplicateSettings, ExpectedRun, Link, MobileJwt, Payment,
    Plan, Token, Transaction,
};

use super::batch::{Batch as BatchMessage, Batches};
use super::customer::{Customer as CustomerMessage, Customers};
use super::customer_token::{CustomerToken as CustomerTokenMessage, CustomerTokens};
use super::link::LinkMessage;
use super::one_time_token::MobileJwt as MobileJwtMessage;
use super::payment::{Payment as PaymentMessage, Payments};
use super::plan::{Forecast, Plan as PlanMessage, Plans, Run, Runs, forecast_day};
use super::settings::{CheckSettings as CheckSettingsMessage, DuplicateSettings as DuplicateSettingsMessage};
use super::token::{Token as TokenMessage, Tokens};
use super::transaction::{Transaction as TransactionMessage, Transactions};
use crate::codec;
use crate::error::{DecodeError, EncodeError, UnreadableRecord};
use crate::fields::{Fault, Unreadable, count, lenient_count, lenient_flag, owned, shown, some_text, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::{Else, Listed, Many};
use crate::message::Message;
use crate::shape::Shape;
use crate::text::{Bare, Text};

/// An answer of the gateway.
///
/// ```
/// use perennial_wire::{Format, Limits, clearent::{Payload, Reply}};
///
/// let body = br#"{"code":"404","status":"fail","payload":{"error":{"error-message":"Object not found",
///     "result-code":"041"},"payloadType":"error"}}"#;
/// let reply = Reply::decode(Format::Json, body, &Limits::default()).unwrap();
/// assert_eq!(reply.code, Some(404));
/// let Payload::Error(error) = &reply.payload else { panic!("an error") };
/// assert_eq!(error.message.as_deref(), Some("Object not found"));
///
/// let xml = reply.encode(Format::Xml).unwrap();
/// assert_eq!(Reply::decode(Format::Xml, &xml, &Limits::default()).unwrap(), reply);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status as the envelope repeats it.
    pub code: Option<u16>,
    /// `success`, `SUCCESS` or `fail`; its letter case differs between the services.
    pub status: Option<String>,
    /// The gateway's number of this exchange, which its support asks for.
    pub exchange_id: Option<String>,
    /// The links of the answer; those of an object are with the object.
    pub links: Vec<Link>,
    /// Which page of a list this is.
    pub page: Option<Page>,
    /// The gateway's word for what the payload is; when writing, `None` is the usual word.
    pub payload_type: Option<String>,
    /// What the answer is about; of a list, the records that could be read.
    pub payload: Payload,
    /// The records of a list that could not be read. Whoever asks whether something is there must not take them for
    /// absent.
    pub unreadable: Vec<UnreadableRecord>,
}

/// What an answer is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what its type is")]
pub enum Payload {
    /// Nothing: an empty body, or a payload that this crate does not know.
    #[default]
    Empty,
    Customer(Box<Customer>),
    Customers(Vec<Customer>),
    Token(Box<Token>),
    Tokens(Vec<Token>),
    CustomerToken(Box<CustomerToken>),
    CustomerTokens(Vec<CustomerToken>),
    Plan(Box<Plan>),
    Plans(Vec<Plan>),
    ExpectedRuns(Vec<ExpectedRun>),
    Forecast(Vec<Date>),
    Payments(Vec<Payment>),
    /// An approved or a declined transaction; the latter has the payload type `errorTransaction`.
    Transaction(Box<Transaction>),
    /// A transaction and the token that it created.
    TransactionToken(Box<Transaction>, Box<Token>),
    Transactions(Vec<Transaction>),
    Batch(Box<Batch>),
    Batches(Vec<Batch>),
    AvsSettings(CheckSettings),
    CscSettings(CheckSettings),
    DuplicateSettings(DuplicateSettings),
    /// A card's one-time token, for the payer's browser or phone.
    MobileJwt(Box<MobileJwt>),
    Error(GatewayError),
    /// More than one of the above, in this order: objects that no documented answer has together, or an error beside an
    /// object. They contradict each other, and nothing follows from one of them alone.
    Several(Vec<Payload>),
}

/// What the gateway says of a request that it refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayError {
    /// The message for people.
    pub message: Option<String>,
    /// The three-digit code; the same number can mean different things on different endpoints.
    pub result_code: Option<String>,
    /// When, in a format that the vendor does not document.
    pub time_stamp: Option<String>,
}

/// Which page of a list an answer is. Members that the gateway left out are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The page, from 1.
    pub number: Option<u64>,
    /// How many objects a page has.
    pub size: Option<u64>,
    /// How many objects this page has.
    pub number_of_elements: Option<u64>,
    /// How many objects there are.
    pub total_elements: Option<u64>,
    /// How many pages there are.
    pub total_pages: Option<u64>,
    /// Whether it is the first page.
    pub first: Option<bool>,
    /// Whether it is the last page.
    pub last: Option<bool>,
}

message! {
    struct Envelope<'a> as "response" {
        code: Option<Text<'a>> = "code",
        status: Option<Text<'a>> = "status",
        exchange_id: Option<Text<'a>> = "exchange-id",
        links: Many<LinkMessage<'a>> = "links",
        page: Option<PageMessage<'a>> = "page",
        payload: Option<PayloadMessage<'a>> = "payload",
    } else payload: PayloadMessage<'a>
}

message! {
    /// What was seen in JSON is **inferred** for XML where no sample shows it: lists and errors. A token is written as
    /// `tokenResponse` in JSON and as `token` in XML, as the vendor's samples have it, and read by either name in both.
    struct PayloadMessage<'a> as "payload" {
        customer: Option<Box<CustomerMessage<'a>>> = "customer",
        customers: Option<Customers<'a>> = "customers",
        transaction: Option<Box<TransactionMessage<'a>>> = "transaction",
        transactions: Option<Transactions<'a>> = "transactions",
        token_response: Option<Box<TokenMessage<'a>>> = "tokenResponse",
        token: Option<Box<TokenMessage<'a>>> = "token",
        tokens: Option<Tokens<'a>> = "tokens",
        customer_token: Option<Box<CustomerTokenMessage<'a>>> = "customer-token",
        customer_tokens: Option<CustomerTokens<'a>> = "customer-tokens",
        plan: Option<Box<PlanMessage<'a>>> = "payment-plan",
        plans: Option<Plans<'a>> = "payment-plans",
        runs: Option<Runs<'a>> = "expected-runs",
        forecast: Option<Forecast<'a>> = "plan-forecast",
        payments: Option<Payments<'a>> = "payments",
        batch: Option<Box<BatchMessage<'a>>> = "batch",
        batches: Option<Batches<'a>> = "batches",
        avs_settings: Option<CheckSettingsMessage<'a>> = "avs-settings",
        csc_settings: Option<CheckSettingsMessage<'a>> = "csc-settings",
        duplicate_settings: Option<DuplicateSettingsMessage<'a>> = "check-duplicate-transaction-settings",
        mobile_jwt: Option<MobileJwtMessage<'a>> = "mobile-jwt",
        error: Option<ErrorMessage<'a>> = "error",
        payload_type: Option<Text<'a>> = "payloadType",
    }
}

message! {
    struct ErrorMessage<'a> as "error" of GatewayError; {
        message: Option<Text<'a>> = "error-message",
        result_code: Option<Text<'a>> = "result-code" by ResultCode,
        time_stamp: Option<Text<'a>> = "time-stamp",
    }
}

message! {
    struct PageMessage<'a> as "page" {
        first: Option<Bare<'a>> = "first",
        last: Option<Bare<'a>> = "last",
        number: Option<Bare<'a>> = "number",
        number_of_elements: Option<Bare<'a>> = "number-of-elements",
        size: Option<Bare<'a>> = "size",
        total_elements: Option<Bare<'a>> = "total-elements",
        total_pages: Option<Bare<'a>> = "total-pages",
    }
}

/// The code of an envelope, which decides whether the call was done: one that is no HTTP status is not passed over.
fn status_code(code: Option<Text<'_>>) -> Result<Option<u16>, Fault> {
    let code = count("code", code)?;
    let status = |code: u64| u16::try_from(code).ok().filter(|code| (100..600).contains(code));
    code.map(|code| status(code).ok_or_else(|| Fault::invalid("code"))).transpose()
}

impl Reply {
    /// The table of the answer, with all that any answer can hold.
    ///
    /// ```
    /// use perennial_wire::clearent::Reply;
    ///
    /// let names: Vec<&str> = Reply::SHAPE.members.iter().map(|member| member.name).collect();
    /// assert_eq!(Reply::SHAPE.name, "response");
    /// assert_eq!(names, ["code", "status", "exchange-id", "links", "page", "payload"]);
    /// ```
    pub const SHAPE: Shape = <Envelope<'static> as Message>::SHAPE;

    /// Reads an answer. An empty body, as a 204 has it, is an answer about nothing.
    ///
    /// Seen in the wild and read: `token` for `tokenResponse`, an object beside `payloadType` without the `payload`
    /// around them, one item in place of a list, and a list of which only the payload type is there.
    pub fn decode(format: Format, body: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let Envelope { code, status, exchange_id, links, page, payload } =
            codec::decode(format, body, limits)?;
        let mut payload = payload.unwrap_or_default();
        let payload_type = owned(payload.payload_type.take());
        let mut unreadable = Unreadable::default();
        let record =
            payload.record(&mut unreadable).map_err(|fault| fault.within("payload").in_format(format))?;
        Ok(Self {
            code: status_code(code).map_err(|fault| fault.in_format(format))?,
            status: owned(status),
            exchange_id: owned(exchange_id),
            links: links.into_iter().filter_map(LinkMessage::record).collect(),
            page: page.map(PageMessage::record),
            payload: record.or_else(|| Payload::nothing_of(payload_type.as_deref()?)).unwrap_or_default(),
            payload_type,
            unreadable: unreadable.within("payload", format),
        })
    }

    /// Whether the answer is in the gateway's envelope, which has a payload that is known or the number of the exchange.
    /// A document of something else, such as the problem details of a proxy, decodes too: unknown members are passed
    /// over.
    ///
    /// ```
    /// use perennial_wire::{Format, Limits, clearent::Reply};
    ///
    /// let is_envelope =
    ///     |body: &str| Reply::decode(Format::Json, body.as_bytes(), &Limits::default()).unwrap().is_envelope();
    /// assert!(is_envelope(r#"{"code":"404","status":"fail","exchange-id":"ID-clearent-rps-1-0b7c"}"#));
    /// assert!(is_envelope(r#"{"payload":{"error":{"error-message":"Object not found"}}}"#));
    /// assert!(!is_envelope(r#"{"type":"about:blank","title":"Not Found","status":404}"#));
    /// ```
    pub fn is_envelope(&self) -> bool {
        self.payload != Payload::Empty || self.exchange_id.is_some()
    }

    /// Writes the answer, as a gateway does.
    pub fn encode(&self, format: Format) -> Result<Vec<u8>, EncodeError> {
        let Self { code, status, exchange_id, links, page, payload_type, payload, unreadable: _ } = self;
        let mut message = PayloadMessage::from(payload);
        if format == Format::Xml {
            message.token = message.token_response.take();
        }
        message.payload_type = some_text(payload_type.as_ref()).or(payload.type_name().map(text));
        let envelope = Envelope {
            code: shown(*code),
            status: some_text(status.as_ref()),
            exchange_id: some_text(exchange_id.as_ref()),
            links: links.iter().map(LinkMessage::from).collect(),
            page: page.as_ref().map(PageMessage::from),
            payload: message.payload_type.is_some().then_some(message),
        };
        let mut body = Vec::with_capacity(2 * 1024);
        codec::encode(format, &envelope, &mut body)?;
        Ok(body)
    }
}

impl Payload {
    /// Reads a payload that stands by itself, and the gateway's word for what it is.
    #[cfg(feature = "webhook")]
    pub(super) fn decode(
        format: Format,
        payload: &[u8],
        limits: &Limits,
    ) -> Result<(Self, Option<String>), DecodeError> {
        let mut message: PayloadMessage<'_> = codec::decode(format, payload, limits)?;
        let payload_type = owned(message.payload_type.take());
        let record = message.record(&mut Unreadable::default()).map_err(|fault| fault.in_format(format))?;
        Ok((record.unwrap_or_default(), payload_type))
    }

    /// The usual word for what the payload is.
    pub fn type_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty => return None,
            Self::Customer(_) => "customer",
            Self::Customers(_) => "customers",
            Self::Token(_) => "token",
            Self::Tokens(_) => "tokens",
            Self::CustomerToken(_) => "customer-token",
            Self::CustomerTokens(_) => "customer-tokens",
            Self::Plan(_) => "payment-plan",
            Self::Plans(_) => "payment-plans",
            Self::ExpectedRuns(_) => "expected-runs",
            Self::Forecast(_) => "plan-forecast",
            Self::Payments(_) => "payments",
            Self::Transaction(_) => "transaction",
            Self::TransactionToken(..) => "transactionToken",
            Self::Transactions(_) => "transactions",
            Self::Batch(_) => "batch",
            Self::Batches(_) => "batches",
            Self::AvsSettings(_) => "avs-settings",
            Self::CscSettings(_) => "csc-settings",
            Self::DuplicateSettings(_) => "check-duplicate-transaction-settings",
            Self::MobileJwt(_) => "mobile-jwt",
            Self::Error(_) => "error",
            Self::Several(payloads) => return payloads.first()?.type_name(),
        })
    }

    /// Whether it is an object without members or a list without items, which names nothing.
    fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Token(token) => **token == Token::default(),
            Self::Transaction(transaction) => **transaction == Transaction::default(),
            Self::TransactionToken(transaction, token) => {
                **transaction == Transaction::default() && **token == Token::default()
            }
            Self::Batch(batch) => **batch == Batch::default(),
            Self::Customers(customers) => customers.is_empty(),
            Self::Tokens(tokens) => tokens.is_empty(),
            Self::CustomerTokens(tokens) => tokens.is_empty(),
            Self::Plans(plans) => plans.is_empty(),
            Self::ExpectedRuns(runs) => runs.is_empty(),
            Self::Forecast(dates) => dates.is_empty(),
            Self::Payments(payments) => payments.is_empty(),
            Self::Transactions(transactions) => transactions.is_empty(),
            Self::Batches(batches) => batches.is_empty(),
            Self::Several(payloads) => payloads.iter().all(Self::is_blank),
            Self::Customer(_)
            | Self::CustomerToken(_)
            | Self::Plan(_)
            | Self::AvsSettings(_)
            | Self::CscSettings(_)
            | Self::DuplicateSettings(_)
            | Self::MobileJwt(_)
            | Self::Error(_) => false,
        }
    }

    /// The one payload there is, or all of them. One that is blank does not count beside others, unless it is a list whose
    /// records cannot be read.
    fn of(mut found: Vec<Self>, is_read_whole: bool) -> Option<Self> {
        if is_read_whole {
            let something = found.iter().any(|payload| !payload.is_blank());
            if something { found.retain(|payload| !payload.is_blank()) } else { found.truncate(1) }
        }
        if found.len() > 1 { Some(Self::Several(found)) } else { found.pop() }
    }

    /// A list without items, or a refusal without a word, of which only the payload type is there.
    fn nothing_of(payload_type: &str) -> Option<Self> {
        Some(match payload_type {
            "customers" => Self::Customers(Vec::new()),
            "tokens" => Self::Tokens(Vec::new()),
            "customer-tokens" => Self::CustomerTokens(Vec::new()),
            "payment-plans" => Self::Plans(Vec::new()),
            "expected-runs" => Self::ExpectedRuns(Vec::new()),
            "plan-forecast" => Self::Forecast(Vec::new()),
            "payments" => Self::Payments(Vec::new()),
            "transactions" => Self::Transactions(Vec::new()),
            "batches" => Self::Batches(Vec::new()),
            "error" => Self::Error(GatewayError::default()),
            _ => return None,
        })
    }
}

impl<'a> From<&'a Payload> for PayloadMessage<'a> {
    fn from(payload: &'a Payload) -> Self {
        let mut message = Self::default();
        message.put(payload);
        message
    }
}

impl<'a> PayloadMessage<'a> {
    fn put(&mut self, payload: &'a Payload) {
        let message = self;
        match payload {
            Payload::Empty => {}
            Payload::Customer(customer) => message.customer = Some(Box::new((&**customer).into())),
            Payload::Customers(customers) => {
                message.customers = Some(Customers { customer: each(customers) });
            }
            Payload::Token(token) if message.token_response.is_some() => {
                message.token = Some(Box::new((&**token).into()));
            }
            Payload::Token(token) => message.token_response = Some(Box::new((&**token).into())),
            Payload::Tokens(tokens) => {
                message.tokens = Some(Tokens { token: each(tokens), token_response: Else::default() });
            }
            Payload::CustomerToken(token) => message.customer_token = Some(Box::new((&**token).into())),
            Payload::CustomerTokens(tokens) => {
                message.customer_tokens =
                    Some(CustomerTokens { customer_token: each(tokens), token: Else::default() });
            }
            Payload::Plan(plan) => message.plan = Some(Box::new((&**plan).into())),
            Payload::Plans(plans) => message.plans = Some(Plans { payment_plan: each(plans) }),
            Payload::ExpectedRuns(runs) => message.runs = Some(Runs { expected_run: each(runs) }),
            Payload::Forecast(dates) => {
                message.forecast =
                    Some(Forecast { date: dates.iter().map(|date| date.to_string().into()).collect() });
            }
            Payload::Payments(payments) => message.payments = Some(Payments { payment: each(payments) }),
            Payload::Transaction(transaction) => {
                message.transaction = Some(Box::new((&**transaction).into()));
            }
            Payload::TransactionToken(transaction, token) => {
                message.transaction = Some(Box::new((&**transaction).into()));
                message.token_response = Some(Box::new((&**token).into()));
            }
            Payload::Transactions(transactions) => {
                message.transactions = Some(Transactions { transaction: each(transactions) });
            }
            Payload::Batch(batch) => message.batch = Some(Box::new((&**batch).into())),
            Payload::Batches(batches) => message.batches = Some(Batches { batch: each(batches) }),
            Payload::AvsSettings(settings) => message.avs_settings = Some(settings.into()),
            Payload::CscSettings(settings) => message.csc_settings = Some(settings.into()),
            Payload::DuplicateSettings(settings) => message.duplicate_settings = Some(settings.into()),
            Payload::MobileJwt(jwt) => message.mobile_jwt = Some((&**jwt).into()),
            Payload::Error(error) => message.error = Some(error.into()),
            Payload::Several(payloads) => payloads.iter().for_each(|payload| message.put(payload)),
        }
    }
}

fn each<'a, R, M: From<&'a R>>(records: &'a [R]) -> Listed<M> {
    records.iter().map(M::from).collect()
}

impl PayloadMessage<'_> {
    /// The record by the members that are there, in the order of the table, an error last.
    #[expect(clippy::too_many_lines, reason = "a table, with a line or two for each payload")]
    fn record(self, unreadable: &mut Unreadable) -> Result<Option<Payload>, Fault> {
        let Self {
            customer,
            customers,
            transaction,
            transactions,
            token_response,
            token,
            tokens,
            customer_token,
            customer_tokens,
            plan,
            plans,
            runs,
            forecast,
            payments,
            batch,
            batches,
            avs_settings,
            csc_settings,
            duplicate_settings,
            mobile_jwt,
            error,
            payload_type: _,
        } = self;
        let at = |path: &'static str| move |fault: Fault| fault.within(path);
        let response = token_response
            .map(|token| token.record().map_err(at("tokenResponse")))
            .transpose()?
            .map(Box::new);
        let token = token.map(|token| token.record().map_err(at("token"))).transpose()?.map(Box::new);
        // One token under both of its names is one.
        let (token, another) =
            if response.is_none() || response == token { (token, None) } else { (response, token) };
        let mut found = Vec::new();
        match (transaction, token) {
            (Some(transaction), token) => {
                let transaction = Box::new(transaction.record().map_err(at("transaction"))?);
                found.push(match token {
                    Some(token) => Payload::TransactionToken(transaction, token),
                    None => Payload::Transaction(transaction),
                });
            }
            (None, token) => found.extend(token.map(Payload::Token)),
        }
        found.extend(another.map(Payload::Token));
        if let Some(customer) = customer {
            found.push(Payload::Customer(Box::new(customer.record().map_err(at("customer"))?)));
        }
        if let Some(plan) = plan {
            found.push(Payload::Plan(Box::new(plan.record().map_err(at("payment-plan"))?)));
        }
        if let Some(token) = customer_token {
            found.push(Payload::CustomerToken(Box::new(token.record().map_err(at("customer-token"))?)));
        }
        if let Some(Customers { customer }) = customers {
            found.push(Payload::Customers(unreadable.sort(
                customer,
                CustomerMessage::key,
                CustomerMessage::record,
                "customers.customer",
            )));
        }
        if let Some(Transactions { transaction }) = transactions {
            let path = "transactions.transaction";
            found.push(Payload::Transactions(unreadable.sort(
                transaction,
                TransactionMessage::key,
                TransactionMessage::record,
                path,
            )));
        }
        if let Some(Tokens { mut token, token_response: Else(others) }) = tokens {
            token.0.extend(others.0);
            found.push(Payload::Tokens(unreadable.sort(
                token,
                TokenMessage::key,
                TokenMessage::record,
                "tokens.token",
            )));
        }
        if let Some(CustomerTokens { mut customer_token, token: Else(others) }) = customer_tokens {
            customer_token.0.extend(others.0);
            let path = "customer-tokens.customer-token";
            found.push(Payload::CustomerTokens(unreadable.sort(
                customer_token,
                CustomerTokenMessage::key,
                CustomerTokenMessage::record,
                path,
            )));
        }
        if let Some(Plans { payment_plan }) = plans {
            found.push(Payload::Plans(unreadable.sort(
                payment_plan,
                PlanMessage::key,
                PlanMessage::record,
                "payment-plans.payment-plan",
            )));
        }
        if let Some(Runs { expected_run }) = runs {
            found.push(Payload::ExpectedRuns(unreadable.sort(
                expected_run,
                Run::key,
                Run::record,
                "expected-runs.expected-run",
            )));
        }
        if let Some(forecast) = forecast {
            found.push(Payload::Forecast(unreadable.sort(
                forecast.date,
                |_| None,
                forecast_day,
                "plan-forecast.date",
            )));
        }
        if let Some(Payments { payment }) = payments {
            found.push(Payload::Payments(unreadable.sort(
                payment,
                PaymentMessage::key,
                PaymentMessage::record,
                "payments.payment",
            )));
        }
        if let Some(batch) = batch {
            found.push(Payload::Batch(Box::new(batch.record().map_err(at("batch"))?)));
        }
        if let Some(Batches { batch }) = batches {
            found.push(Payload::Batches(unreadable.sort(
                batch,
                BatchMessage::key,
                BatchMessage::record,
                "batches.batch",
            )));
        }
        if let Some(settings) = avs_settings {
            found.push(Payload::AvsSettings(settings.record().map_err(at("avs-settings"))?));
        }
        if let Some(settings) = csc_settings {
            found.push(Payload::CscSettings(settings.record().map_err(at("csc-settings"))?));
        }
        if let Some(settings) = duplicate_settings {
            let path = "check-duplicate-transaction-settings";
            found.push(Payload::DuplicateSettings(settings.record().map_err(at(path))?));
        }
        if let Some(jwt) = mobile_jwt {
            found.push(Payload::MobileJwt(Box::new(jwt.record().map_err(at("mobile-jwt"))?)));
        }
        let error =
            error.map(ErrorMessage::record).transpose()?.filter(|error| *error != GatewayError::default());
        found.extend(error.map(Payload::Error));
        Ok(Payload::of(found, unreadable.is_empty()))
    }
}

impl From<&Page> for PageMessage<'_> {
    fn from(page: &Page) -> Self {
        let Page { number, size, number_of_elements, total_elements, total_pages, first, last } = *page;
        Self {
            first: first.map(Bare::from),
            last: last.map(Bare::from),
            number: number.map(Bare::from),
            number_of_elements: number_of_elements.map(Bare::from),
            size: size.map(Bare::from),
            total_elements: total_elements.map(Bare::from),
            total_pages: total_pages.map(Bare::from),
        }
    }
}

impl PageMessage<'_> {
    fn record(self) -> Page {
        let Self { first, last, number, number_of_elements, size, total_elements, total_pages } = self;
        Page {
            number: lenient_count(number),
            size: lenient_count(size),
            number_of_elements: lenient_count(number_of_elements),
            total_elements: lenient_count(total_elements),
            total_pages: lenient_count(total_pages),
            first: lenient_flag(first),
            last: lenient_flag(last),
        }
    }
}
