//! Card transactions: sale, authorisation, capture, void and refund.

use perennial_domain::clearent::{
    self as domain, Capture, CaptureFields, Charge, ChargeFields, ChargeSource, Refund, RefundFields,
    TransactionId, TransactionRequest, TransactionResult, TransactionSearch, TransactionType, Void,
};
use perennial_domain::{CardBrand, Rule, Violations};

use super::call::{Call, Method, ReadError};
use super::customer::Address;
use super::fields::{
    Fault, amount, flag, given, key, lenient, owned, set, set_as_gateway, shown, some_text, text, truth,
};
use super::query::{Params, Target};
use crate::error::EncodeError;
use crate::format::{self, Format};
use crate::limits::Limits;
use crate::member::Many;
use crate::text::Text;

const ALL: &str = "/rest/v2/transactions";
const ONE: &str = "/rest/v2/transactions/{id}";

message! {
    /// A transaction: request and record.
    pub(crate) struct Transaction<'a> as "transaction" {
        transaction_type: Option<Text<'a>> = "type",
        amount: Option<Text<'a>> = "amount",
        id: Option<Text<'a>> = "id",
        card: Option<Text<'a>> = "card",
        exp_date: Option<Text<'a>> = "exp-date",
        csc: Option<Text<'a>> = "csc",
        card_type: Option<Text<'a>> = "card-type",
        last_four: Option<Text<'a>> = "last-four",
        result: Option<Text<'a>> = "result",
        result_code: Option<Text<'a>> = "result-code",
        display_message: Option<Text<'a>> = "display-message",
        status: Option<Text<'a>> = "status",
        authorization_code: Option<Text<'a>> = "authorization-code",
        created: Option<Text<'a>> = "created",
        batch_string_id: Option<Text<'a>> = "batch-string-id",
        ref_id: Option<Text<'a>> = "ref-id",
        original_amount: Option<Text<'a>> = "original-amount",
        sales_tax_amount: Option<Text<'a>> = "sales-tax-amount",
        tip_amount: Option<Text<'a>> = "tip-amount",
        invoice: Option<Text<'a>> = "invoice",
        purchase_order: Option<Text<'a>> = "purchase-order",
        order_id: Option<Text<'a>> = "order-id",
        customer_id: Option<Text<'a>> = "customer-id",
        description: Option<Text<'a>> = "description",
        comments: Option<Text<'a>> = "comments",
        client_ip: Option<Text<'a>> = "client-ip",
        email_address: Option<Text<'a>> = "email-address",
        email_receipt: Option<Text<'a>> = "email-receipt",
        billing: Option<Address<'a>> = "billing",
        shipping: Option<Address<'a>> = "shipping",
        create_token: Option<Text<'a>> = "create-token",
        avs_result_code: Option<Text<'a>> = "avs-result-code",
        csc_result_code: Option<Text<'a>> = "csc-result-code",
        pending: Option<Text<'a>> = "pending",
        settled: Option<Text<'a>> = "settled",
        voided: Option<Text<'a>> = "voided",
        plan_name: Option<Text<'a>> = "plan-name",
        software_type: Option<Text<'a>> = "software-type",
        software_type_version: Option<Text<'a>> = "software-type-version",
        merchant_id: Option<Text<'a>> = "merchant-id",
        terminal_id: Option<Text<'a>> = "terminal-id",
    }
}

message! {
    pub(crate) struct Transactions<'a> as "transactions" {
        transaction: Many<Transaction<'a>> = "transaction",
    }
}

/// `POST /rest/v2/transactions/sale`
pub fn sale(format: Format, charge: &Charge) -> Result<Call, EncodeError> {
    charge_as(format, "/rest/v2/transactions/sale", "SALE", charge)
}

/// `POST /rest/v2/transactions/auth`
pub fn auth(format: Format, charge: &Charge) -> Result<Call, EncodeError> {
    charge_as(format, "/rest/v2/transactions/auth", "AUTH", charge)
}

fn charge_as(
    format: Format,
    route: &'static str,
    kind: &'static str,
    charge: &Charge,
) -> Result<Call, EncodeError> {
    let ChargeFields {
        amount,
        card,
        exp_date,
        csc,
        card_type: _,
        invoice,
        purchase_order,
        order_id,
        customer_id,
        description,
        comments,
        client_ip,
        email_address,
        email_receipt,
        sales_tax_amount,
        tip_amount,
        create_token,
        authorization_code,
        software_type,
        software_type_version,
        billing,
        shipping,
    } = charge.fields();
    let brand = charge.brand();
    let message = Transaction {
        transaction_type: Some(text(kind)),
        amount: shown(Some(amount)),
        card: Some(source(card)),
        exp_date: shown(exp_date),
        csc: csc.map(|csc| text(csc.expose())),
        card_type: brand.as_ref().map(|brand| text(brand.as_str())),
        authorization_code: some_text(authorization_code),
        sales_tax_amount: shown(sales_tax_amount),
        tip_amount: shown(tip_amount),
        invoice: invoice.map(|invoice| text(invoice.as_str())),
        purchase_order: purchase_order.map(|order| text(order.as_str())),
        order_id: some_text(order_id),
        customer_id: some_text(customer_id),
        description: some_text(description),
        comments: some_text(comments),
        client_ip: some_text(client_ip),
        email_address: some_text(email_address),
        email_receipt: email_receipt.map(|flag| truth(flag.0)),
        billing: billing.map(Address::from),
        shipping: shipping.map(Address::from),
        create_token: create_token.map(|flag| truth(flag.0)),
        software_type: some_text(software_type),
        software_type_version: some_text(software_type_version),
        ..Transaction::default()
    };
    Call::bare(Method::Post, route, route.to_owned()).with_body(format, &message)
}

fn source(card: &ChargeSource) -> Text<'_> {
    match card {
        ChargeSource::Card(card) => text(card.expose()),
        ChargeSource::Token(token) => text(token.as_str()),
    }
}

/// `POST /rest/v2/transactions/capture`
pub fn capture(format: Format, capture: &Capture) -> Result<Call, EncodeError> {
    let CaptureFields { id, amount, tip_amount, sales_tax_amount } = capture.fields();
    let message = Transaction {
        transaction_type: Some(text("CAPTURE")),
        amount: shown(Some(amount)),
        id: Some(text(id.as_str())),
        tip_amount: shown(tip_amount),
        sales_tax_amount: shown(sales_tax_amount),
        ..Transaction::default()
    };
    let route = "/rest/v2/transactions/capture";
    Call::bare(Method::Post, route, route.to_owned()).with_body(format, &message)
}

/// `POST /rest/v2/transactions/void`
pub fn void(format: Format, void: &Void) -> Result<Call, EncodeError> {
    let Void { id } = void;
    let message = Transaction {
        transaction_type: Some(text("VOID")),
        id: Some(text(id.as_str())),
        ..Transaction::default()
    };
    let route = "/rest/v2/transactions/void";
    Call::bare(Method::Post, route, route.to_owned()).with_body(format, &message)
}

/// `POST /rest/v2/transactions/refund`
pub fn refund(format: Format, refund: &Refund) -> Result<Call, EncodeError> {
    let RefundFields { amount, id, card, exp_date, invoice, order_id, comments } = refund.fields();
    let message = Transaction {
        transaction_type: Some(text("REFUND")),
        amount: shown(Some(amount)),
        id: some_text(id),
        card: card.map(source),
        exp_date: shown(exp_date),
        invoice: invoice.map(|invoice| text(invoice.as_str())),
        order_id: some_text(order_id),
        comments: some_text(comments),
        ..Transaction::default()
    };
    let route = "/rest/v2/transactions/refund";
    Call::bare(Method::Post, route, route.to_owned()).with_body(format, &message)
}

/// `GET /rest/v2/transactions/{id}`
pub fn get(id: &TransactionId) -> Call {
    Call::bare(Method::Get, ONE, format!("{ALL}/{id}"))
}

/// `GET /rest/v2/transactions`
pub fn search(search: &TransactionSearch) -> Call {
    let TransactionSearch {
        id,
        amount,
        transaction_type,
        status,
        last_four,
        authorization_code,
        invoice,
        order_id,
        start_date,
        end_date,
        paging,
    } = search;
    let target = Target::new(ALL)
        .with("id", id.as_ref())
        .with("amount", *amount)
        .with("type", transaction_type.as_ref())
        .with("status", status.as_ref())
        .with("last-four", last_four.as_ref())
        .with("authorization-code", authorization_code.as_ref())
        .with("invoice", invoice.as_ref())
        .with("order-id", order_id.as_ref())
        .with("start-date", start_date.as_ref())
        .with("end-date", end_date.as_ref())
        .paged(paging, "isDescending");
    Call::bare(Method::Get, ALL, target.finish())
}

/// Reads a request. Its `type`, in any letter case, says what it is; a path such as `/transactions/sale` says so too,
/// and then the two must agree where both are given.
pub fn read(
    format: Format,
    body: &[u8],
    limits: &Limits,
    from_path: Option<TransactionType>,
) -> Result<TransactionRequest, ReadError> {
    let mut message: Transaction<'_> = format::decode(format, body, limits)?;
    let mut wrong = Violations::default();
    let kind = match (
        given(message.transaction_type.take()).map(|kind| TransactionType::try_from(&*kind)),
        from_path,
    ) {
        (Some(Err(error)), _) => {
            wrong.add("type", error.0);
            return Err(wrong.into());
        }
        (Some(Ok(kind)), Some(path)) if kind != path => {
            wrong.add("type", Rule::Conflict("another kind of transaction in the path"));
            return Err(wrong.into());
        }
        (Some(Ok(kind)), _) | (None, Some(kind)) => kind,
        (None, None) => {
            wrong.add("type", Rule::Required);
            return Err(wrong.into());
        }
    };
    if kind == TransactionType::CAPTURE {
        let builder = set!(Capture::builder(); id: message.id);
        let builder = set_as_gateway!(builder;
            amount: message.amount,
            tip_amount: message.tip_amount,
            sales_tax_amount: message.sales_tax_amount,
        );
        return Ok(TransactionRequest::Capture(builder.accept()?));
    }
    if kind == TransactionType::VOID {
        let id = given(message.id).ok_or_else(|| Violations::one("id", Rule::Required))?;
        let id = TransactionId::try_from(&*id).map_err(|error| Violations::one("id", error.0))?;
        return Ok(TransactionRequest::Void(Void { id }));
    }
    if kind == TransactionType::REFUND || kind == TransactionType::UNMATCHED_REFUND {
        let builder = set!(Refund::builder();
            id: message.id,
            card: message.card,
            invoice: message.invoice,
            order_id: message.order_id,
            comments: message.comments,
        );
        let builder = set_as_gateway!(builder; amount: message.amount, exp_date: message.exp_date);
        return Ok(TransactionRequest::Refund(builder.accept()?));
    }
    let forced = kind == TransactionType::FORCED_SALE;
    let unapproved = forced && given(message.authorization_code.clone()).is_none();
    let charge = read_charge(message).accept();
    let charge = match (charge, unapproved) {
        (Err(mut violations), true) => {
            violations.add("authorization-code", Rule::Required);
            return Err(violations.into());
        }
        (_, true) => return Err(Violations::one("authorization-code", Rule::Required).into()),
        (charge, false) => charge?,
    };
    if kind == TransactionType::AUTH {
        return Ok(TransactionRequest::Auth(charge));
    }
    charge.check_sale()?;
    Ok(if forced { TransactionRequest::ForcedSale(charge) } else { TransactionRequest::Sale(charge) })
}

fn read_charge(message: Transaction<'_>) -> domain::ChargeBuilder {
    let builder = set!(Charge::builder();
        card: message.card,
        csc: message.csc,
        invoice: message.invoice,
        purchase_order: message.purchase_order,
        order_id: message.order_id,
        customer_id: message.customer_id,
        description: message.description,
        comments: message.comments,
        client_ip: message.client_ip,
        email_address: message.email_address,
        email_receipt: message.email_receipt,
        create_token: message.create_token,
        authorization_code: message.authorization_code,
        software_type: message.software_type,
        software_type_version: message.software_type_version,
    );
    let builder = set_as_gateway!(builder;
        amount: message.amount,
        exp_date: message.exp_date,
        sales_tax_amount: message.sales_tax_amount,
        tip_amount: message.tip_amount,
    );
    let builder = match given(message.card_type) {
        Some(brand) => builder.card_type(CardBrand::reported(&brand)),
        None => builder,
    };
    let builder = match message.billing.and_then(Address::request) {
        Some(address) => builder.billing(address),
        None => builder,
    };
    match message.shipping.and_then(Address::request) {
        Some(address) => builder.shipping(address),
        None => builder,
    }
}

/// Reads the query of a search.
pub fn read_search(query: &str) -> Result<TransactionSearch, Violations> {
    let mut params = Params::new(query);
    let search = TransactionSearch {
        id: params.read("id"),
        amount: params.read("amount"),
        transaction_type: params.read("type"),
        status: params.text("status"),
        last_four: params.text("last-four"),
        authorization_code: params.text("authorization-code"),
        invoice: params.text("invoice"),
        order_id: params.text("order-id"),
        start_date: params.text("start-date"),
        end_date: params.text("end-date"),
        paging: params.paging(),
    };
    params.finish(search)
}

impl<'a> From<&'a domain::Transaction> for Transaction<'a> {
    fn from(transaction: &'a domain::Transaction) -> Self {
        let domain::Transaction {
            id,
            transaction_type,
            amount,
            result,
            result_code,
            display_message,
            status,
            authorization_code,
            card,
            last_four,
            card_type,
            exp_date,
            created,
            batch_string_id,
            ref_id,
            original_amount,
            sales_tax_amount,
            tip_amount,
            invoice,
            purchase_order,
            order_id,
            customer_id,
            description,
            comments,
            email_address,
            billing,
            shipping,
            software_type,
            software_type_version,
            avs_result_code,
            csc_result_code,
            pending,
            settled,
            voided,
            merchant_id,
            terminal_id,
            plan_name,
        } = transaction;
        Self {
            transaction_type: transaction_type.as_ref().map(|kind| text(kind.as_str())),
            amount: shown(*amount),
            id: some_text(id.as_ref()),
            card: some_text(card.as_ref()),
            exp_date: shown(*exp_date),
            csc: None,
            card_type: card_type.as_ref().map(|brand| text(brand.as_str())),
            last_four: some_text(last_four.as_ref()),
            result: result.as_ref().map(|result| text(result.as_str())),
            result_code: some_text(result_code.as_ref()),
            display_message: some_text(display_message.as_ref()),
            status: some_text(status.as_ref()),
            authorization_code: some_text(authorization_code.as_ref()),
            created: some_text(created.as_ref()),
            batch_string_id: some_text(batch_string_id.as_ref()),
            ref_id: some_text(ref_id.as_ref()),
            original_amount: shown(*original_amount),
            sales_tax_amount: shown(*sales_tax_amount),
            tip_amount: shown(*tip_amount),
            invoice: some_text(invoice.as_ref()),
            purchase_order: some_text(purchase_order.as_ref()),
            order_id: some_text(order_id.as_ref()),
            customer_id: some_text(customer_id.as_ref()),
            description: some_text(description.as_ref()),
            comments: some_text(comments.as_ref()),
            client_ip: None,
            email_address: some_text(email_address.as_ref()),
            email_receipt: None,
            billing: billing.as_ref().map(Address::from),
            shipping: shipping.as_ref().map(Address::from),
            create_token: None,
            avs_result_code: some_text(avs_result_code.as_ref()),
            csc_result_code: some_text(csc_result_code.as_ref()),
            pending: pending.map(truth),
            settled: settled.map(truth),
            voided: voided.map(truth),
            plan_name: some_text(plan_name.as_ref()),
            software_type: some_text(software_type.as_ref()),
            software_type_version: some_text(software_type_version.as_ref()),
            merchant_id: some_text(merchant_id.as_ref()),
            terminal_id: some_text(terminal_id.as_ref()),
        }
    }
}

impl Transaction<'_> {
    /// The record; a security code that a gateway echoes is dropped.
    pub(crate) fn record(self) -> Result<domain::Transaction, Fault> {
        Ok(domain::Transaction {
            id: key("id", self.id)?,
            transaction_type: given(self.transaction_type).map(|kind| TransactionType::reported(&kind)),
            amount: amount("amount", self.amount)?,
            result: given(self.result).map(|result| TransactionResult::reported(&result)),
            result_code: owned(self.result_code),
            display_message: owned(self.display_message),
            status: owned(self.status),
            authorization_code: owned(self.authorization_code),
            card: owned(self.card).map(masked),
            last_four: owned(self.last_four),
            card_type: given(self.card_type).map(|brand| CardBrand::reported(&brand)),
            exp_date: lenient(self.exp_date),
            created: owned(self.created),
            batch_string_id: owned(self.batch_string_id),
            ref_id: key("ref-id", self.ref_id)?,
            original_amount: amount("original-amount", self.original_amount)?,
            sales_tax_amount: amount("sales-tax-amount", self.sales_tax_amount)?,
            tip_amount: amount("tip-amount", self.tip_amount)?,
            invoice: owned(self.invoice),
            purchase_order: owned(self.purchase_order),
            order_id: owned(self.order_id),
            customer_id: owned(self.customer_id),
            description: owned(self.description),
            comments: owned(self.comments),
            email_address: owned(self.email_address),
            billing: self.billing.and_then(Address::record),
            shipping: self.shipping.and_then(Address::record),
            software_type: owned(self.software_type),
            software_type_version: owned(self.software_type_version),
            avs_result_code: owned(self.avs_result_code),
            csc_result_code: owned(self.csc_result_code),
            pending: flag(self.pending),
            settled: flag(self.settled),
            voided: flag(self.voided),
            merchant_id: owned(self.merchant_id),
            terminal_id: owned(self.terminal_id),
            plan_name: owned(self.plan_name),
        })
    }
}

/// A gateway that echoes a whole card number must not bring it into a record.
fn masked(card: String) -> String {
    let digits = card.bytes().filter(u8::is_ascii_digit).count();
    match card.get(card.len().saturating_sub(4)..) {
        Some(last_four) if digits > 6 => format!("{}{last_four}", "X".repeat(digits - 4)),
        _ => card,
    }
}
