//! Card transactions: sale, authorization, capture, void and refund.

use perennial_domain::clearent::{
    self as domain, Capture, CaptureFields, Charge, ChargeFields, ChargeSource, OneTimeToken, Refund,
    RefundFields, TransactionId, TransactionRequest, TransactionSearch, TransactionType, TransactionUpdate,
    TransactionUpdateFields, Void,
};
use perennial_domain::{Amount, AsGateway, CardBrand, Rule, Violations};

use super::Operation;
use super::customer::Address;
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::EncodeError;
use crate::fields::{given, set, set_as_gateway, shown, some_text, text, truth};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Listed;
use crate::query::Params;
use crate::text::{Bare, Text};

message! {
    /// A request for a transaction: `type` decides which of the other members count.
    struct Request<'a> as "transaction" {
        transaction_type: Option<Text<'a>> = "type",
        id: Option<Text<'a>> = "id",
        card: Option<Text<'a>> = "card",
        card_type: Option<Text<'a>> = "card-type",
        exp_date: Option<Text<'a>> = "exp-date",
        amount: Option<Text<'a>> = "amount",
        csc: Option<Text<'a>> = "csc",
        tip_amount: Option<Text<'a>> = "tip-amount",
        sales_tax_amount: Option<Text<'a>> = "sales-tax-amount",
        invoice: Option<Text<'a>> = "invoice",
        purchase_order: Option<Text<'a>> = "purchase-order",
        order_id: Option<Text<'a>> = "order-id",
        authorization_code: Option<Text<'a>> = "authorization-code",
        customer_id: Option<Text<'a>> = "customer-id",
        description: Option<Text<'a>> = "description",
        comments: Option<Text<'a>> = "comments",
        client_ip: Option<Text<'a>> = "client-ip",
        email_address: Option<Text<'a>> = "email-address",
        email_receipt: Option<Text<'a>> = "email-receipt",
        billing: Option<Address<'a>> = "billing",
        shipping: Option<Address<'a>> = "shipping",
        check_field: Option<Text<'a>> = "check-field",
        create_token: Option<Text<'a>> = "create-token",
        token_description: Option<Text<'a>> = "token-description",
        billing_is_shipping: Option<Text<'a>> = "billing-is-shipping",
        software_type: Option<Text<'a>> = "software-type",
        software_type_version: Option<Text<'a>> = "software-type-version",
    }
}

message! {
    /// A transaction in a response. There is no place for the security code, if a gateway echoes it.
    pub(crate) struct Transaction<'a> as "transaction" of domain::Transaction, keyed by |transaction| transaction.id.as_deref(); {
        amount: Option<Text<'a>> = "amount",
        id: Option<Text<'a>> = "id",
        invoice: Option<Text<'a>> = "invoice",
        purchase_order: Option<Text<'a>> = "purchase-order",
        created: Option<Text<'a>> = "created",
        transaction_type: Option<Text<'a>> = "type",
        result: Option<Text<'a>> = "result",
        billing: Option<Address<'a>> = "billing",
        shipping: Option<Address<'a>> = "shipping",
        card: Option<Text<'a>> = "card" by CardNumber,
        authorization_code: Option<Text<'a>> = "authorization-code",
        original_amount: Option<Text<'a>> = "original-amount",
        partial_approved: Option<Bare<'a>> = "partial-approved",
        surcharge_applied: Option<Bare<'a>> = "surcharge-applied",
        service_fee: Option<Text<'a>> = "service-fee",
        sales_tax_amount: Option<Text<'a>> = "sales-tax-amount",
        tip_amount: Option<Text<'a>> = "tip-amount",
        entry_method: Option<Text<'a>> = "entry-method",
        batch_string_id: Option<Text<'a>> = "batch-string-id",
        order_id: Option<Text<'a>> = "order-id",
        customer_id: Option<Text<'a>> = "customer-id",
        display_message: Option<Text<'a>> = "display-message",
        result_code: Option<Text<'a>> = "result-code" by ResultCode,
        billing_is_shipping: Option<Text<'a>> = "billing-is-shipping",
        description: Option<Text<'a>> = "description",
        comments: Option<Text<'a>> = "comments",
        token_description: Option<Text<'a>> = "token-description",
        email_address: Option<Text<'a>> = "email-address",
        ref_id: Option<Text<'a>> = "ref-id",
        plan_name: Option<Text<'a>> = "plan-name",
        exp_date: Option<Text<'a>> = "exp-date",
        avs_result_code: Option<Text<'a>> = "avs-result-code",
        avs_result_code_description: Option<Text<'a>> = "avs-result-code-description",
        csc_result_code: Option<Text<'a>> = "csc-result-code",
        csc_result_code_description: Option<Text<'a>> = "csc-result-code-description",
        check_field_duplicate: Option<Bare<'a>> = "check-field-duplicate",
        voided: Option<Text<'a>> = "voided",
        pending: Option<Text<'a>> = "pending",
        voided_auth: Option<Text<'a>> = "voided-auth",
        settled: Option<Text<'a>> = "settled",
        status: Option<Text<'a>> = "status",
        software_type: Option<Text<'a>> = "software-type",
        software_type_version: Option<Text<'a>> = "software-type-version",
        card_type: Option<Text<'a>> = "card-type",
        last_four: Option<Text<'a>> = "last-four" by LastFour,
        merchant_id: Option<Text<'a>> = "merchant-id",
        terminal_id: Option<Text<'a>> = "terminal-id",
    }
}

message! {
    pub(crate) struct Transactions<'a> as "transactions" {
        transaction: Listed<Transaction<'a>> = "transaction",
    }
}

/// `POST /rest/v2/transactions/sale`, or `/rest/v2/mobile/transactions/sale` for a one-time token
pub fn sale(format: Format, charge: &Charge) -> Result<Call, EncodeError> {
    charge_as(format, [Operation::Sale, Operation::MobileSale], &TransactionType::SALE, charge)
}

/// `POST /rest/v2/transactions/auth`, or `/rest/v2/mobile/transactions/auth` for a one-time token
pub fn auth(format: Format, charge: &Charge) -> Result<Call, EncodeError> {
    charge_as(format, [Operation::Auth, Operation::MobileAuth], &TransactionType::AUTH, charge)
}

fn charge_as(
    format: Format,
    operations: [Operation; 2],
    kind: &TransactionType,
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
        check_field,
        create_token,
        token_description,
        billing_is_shipping,
        authorization_code,
        software_type,
        software_type_version,
        billing,
        shipping,
    } = charge.fields();
    let brand = charge.brand();
    let message = Request {
        transaction_type: Some(text(kind.as_str())),
        id: None,
        card: in_body(card),
        card_type: brand.as_ref().map(|brand| text(brand.as_str())),
        exp_date: shown(exp_date),
        amount: shown(Some(amount)),
        csc: csc.map(|csc| text(csc.expose())),
        tip_amount: shown(tip_amount),
        sales_tax_amount: shown(sales_tax_amount),
        invoice: invoice.map(|invoice| text(invoice.as_str())),
        purchase_order: purchase_order.map(|order| text(order.as_str())),
        order_id: some_text(order_id),
        authorization_code: some_text(authorization_code),
        customer_id: some_text(customer_id),
        description: some_text(description),
        comments: some_text(comments),
        client_ip: some_text(client_ip),
        email_address: some_text(email_address),
        email_receipt: email_receipt.map(|flag| truth(flag.0)),
        billing: billing.map(Address::from),
        shipping: shipping.map(Address::from),
        check_field: check_field.map(|field| text(field.as_str())),
        create_token: create_token.map(|flag| truth(flag.0)),
        token_description: some_text(token_description),
        billing_is_shipping: billing_is_shipping.map(|flag| truth(flag.0)),
        software_type: some_text(software_type),
        software_type_version: some_text(software_type_version),
    };
    post_from(format, operations, Some(card), &message)
}

fn post(format: Format, operation: Operation, message: &Request<'_>) -> Result<Call, EncodeError> {
    operation.call().with_body(format, message)
}

/// Calls the first of these operations, or the second, mobile one with a one-time token as a header.
fn post_from(
    format: Format,
    [plain, mobile]: [Operation; 2],
    card: Option<&ChargeSource>,
    message: &Request<'_>,
) -> Result<Call, EncodeError> {
    match card {
        Some(ChargeSource::OneTimeToken(token)) => {
            Ok(Call { one_time_token: Some(token.clone()), ..post(format, mobile, message)? })
        }
        _ => post(format, plain, message),
    }
}

/// The member `card`; `None` for a one-time token.
fn in_body(card: &ChargeSource) -> Option<Text<'_>> {
    match card {
        ChargeSource::Card(card) => Some(text(card.expose())),
        ChargeSource::Token(token) => Some(text(token.as_str())),
        ChargeSource::OneTimeToken(_) => None,
    }
}

/// `POST /rest/v2/transactions/capture`
pub fn capture(format: Format, capture: &Capture) -> Result<Call, EncodeError> {
    let CaptureFields { id, amount, tip_amount, sales_tax_amount } = capture.fields();
    let message = Request {
        transaction_type: Some(text(TransactionType::CAPTURE.as_str())),
        id: Some(text(id.as_str())),
        amount: shown(Some(amount)),
        tip_amount: shown(tip_amount),
        sales_tax_amount: shown(sales_tax_amount),
        ..Request::default()
    };
    post(format, Operation::Capture, &message)
}

/// `POST /rest/v2/transactions/void`
pub fn void(format: Format, void: &Void) -> Result<Call, EncodeError> {
    let Void { id } = void;
    let message = Request {
        transaction_type: Some(text(TransactionType::VOID.as_str())),
        id: Some(text(id.as_str())),
        ..Request::default()
    };
    post(format, Operation::Void, &message)
}

/// `POST /rest/v2/transactions/refund`, or `/rest/v2/mobile/transactions/refund` for a one-time token
pub fn refund(format: Format, refund: &Refund) -> Result<Call, EncodeError> {
    let RefundFields { amount, id, card, exp_date, invoice, order_id, comments } = refund.fields();
    let message = Request {
        transaction_type: Some(text(TransactionType::REFUND.as_str())),
        id: some_text(id),
        card: card.and_then(in_body),
        exp_date: shown(exp_date),
        amount: shown(Some(amount)),
        invoice: invoice.map(|invoice| text(invoice.as_str())),
        order_id: some_text(order_id),
        comments: some_text(comments),
        ..Request::default()
    };
    post_from(format, [Operation::Refund, Operation::MobileRefund], card, &message)
}

/// `PUT /rest/v2/transactions/{id}`
pub fn update(format: Format, id: &TransactionId, update: &TransactionUpdate) -> Result<Call, EncodeError> {
    let TransactionUpdateFields { tip_amount } = update.fields();
    let message = Request { tip_amount: shown(Some(tip_amount)), ..Request::default() };
    Operation::UpdateTransaction.call_of(id.as_str()).with_body(format, &message)
}

/// `GET /rest/v2/transactions/{id}`
pub fn get(id: &TransactionId) -> Call {
    Operation::GetTransaction.call_of(id.as_str())
}

/// `GET /rest/v2/transactions`
pub fn search(search: &TransactionSearch) -> Call {
    let TransactionSearch {
        id,
        level,
        amount,
        transaction_type,
        status,
        last_four,
        authorization_code,
        invoice,
        order_id,
        display_message,
        start_date,
        end_date,
        paging,
    } = search;
    let target = Operation::SearchTransactions
        .query()
        .with("id", id.as_ref())
        .with("level", level.as_ref())
        .with("amount", *amount)
        .with("type", transaction_type.as_ref())
        .with("status", status.as_ref())
        .with("last-four", last_four.as_ref())
        .with("authorization-code", authorization_code.as_ref())
        .with("invoice", invoice.as_ref())
        .with("order-id", order_id.as_ref())
        .with("display-message", display_message.as_ref())
        .with("start-date", start_date.as_ref())
        .with("end-date", end_date.as_ref())
        .paged(paging, "isDescending");
    Operation::SearchTransactions.call_to(target.finish())
}

/// Reads a request; returns all violations.
///
/// The `type`, in any letter case, selects the kind. A path such as `/transactions/sale` selects it too: then the type
/// may be missing, and another one is a violation.
#[cfg(feature = "gateway")]
pub fn read(
    format: Format,
    body: &[u8],
    limits: &Limits,
    from_path: Option<TransactionType>,
) -> Result<TransactionRequest, ReadError> {
    read_from(format, body, limits, from_path, None)
}

/// Reads a request of the mobile routes, whose card is the card behind a one-time token of the header `mobilejwt`.
///
/// An additional card in the body is a violation, and so is a kind that charges no card.
#[cfg(feature = "gateway")]
pub fn read_mobile(
    format: Format,
    body: &[u8],
    limits: &Limits,
    from_path: Option<TransactionType>,
    token: OneTimeToken,
) -> Result<TransactionRequest, ReadError> {
    read_from(format, body, limits, from_path, Some(token))
}

fn read_from(
    format: Format,
    body: &[u8],
    limits: &Limits,
    from_path: Option<TransactionType>,
    token: Option<OneTimeToken>,
) -> Result<TransactionRequest, ReadError> {
    let mut request: Request<'_> = codec::decode(format, body, limits)?;
    let mut wrong = Violations::default();
    let Some(kind) = kind(request.transaction_type.take(), from_path, &mut wrong) else {
        return Err(wrong.into());
    };
    if token.is_some() {
        const MOBILE: [TransactionType; 3] =
            [TransactionType::SALE, TransactionType::AUTH, TransactionType::REFUND];
        if !MOBILE.contains(&kind) {
            wrong.add("type", Rule::OneOf("SALE, AUTH, REFUND"));
            return Err(wrong.into());
        }
        for (name, member) in [("card", &request.card), ("id", &request.id)] {
            if member.as_deref().is_some_and(|member| !member.trim_ascii().is_empty()) {
                wrong.add(name, Rule::Conflict("a one-time token"));
            }
        }
        if !wrong.is_empty() {
            return Err(wrong.into());
        }
    }
    let read = if kind == TransactionType::CAPTURE {
        request.capture().map(TransactionRequest::Capture)
    } else if kind == TransactionType::VOID {
        request.void().map(|(void, amount)| TransactionRequest::Void(void, amount))
    } else if kind == TransactionType::REFUND {
        request.refund(token).map(TransactionRequest::Refund)
    } else if kind == TransactionType::AUTH {
        request.charge(token).map(TransactionRequest::Auth)
    } else if kind == TransactionType::FORCED_SALE {
        request.check_sale(&mut wrong);
        request.check_approval(&mut wrong);
        request.charge(token).map(TransactionRequest::ForcedSale)
    } else {
        request.check_sale(&mut wrong);
        request.charge(token).map(TransactionRequest::Sale)
    };
    for violation in read.as_ref().err().into_iter().flatten() {
        wrong.add(violation.field.clone(), violation.rule);
    }
    match read {
        Ok(request) if wrong.is_empty() => Ok(request),
        _ => Err(wrong.into()),
    }
}

/// Reads an update; returns all violations.
#[cfg(feature = "gateway")]
pub fn read_update(format: Format, body: &[u8], limits: &Limits) -> Result<TransactionUpdate, ReadError> {
    let Request { tip_amount, .. } = codec::decode(format, body, limits)?;
    Ok(set_as_gateway!(TransactionUpdate::builder(); tip_amount: tip_amount).accept()?)
}

/// The kind of the request, by its type and its path; the path decides if they contradict each other, so that the
/// rest can still be checked.
fn kind(
    given_type: Option<Text<'_>>,
    from_path: Option<TransactionType>,
    wrong: &mut Violations,
) -> Option<TransactionType> {
    let Some(word) = given(given_type) else {
        if from_path.is_none() {
            wrong.add("type", Rule::Required);
        }
        return from_path;
    };
    let kind = match TransactionType::try_from(&*word) {
        // The gateway's own word for a refund without a transaction; what is given tells them apart.
        Ok(kind) if kind == TransactionType::UNMATCHED_REFUND => TransactionType::REFUND,
        Ok(kind) => kind,
        Err(error) => {
            wrong.add("type", error.0);
            return from_path;
        }
    };
    // A forced sale has no path of its own.
    let is_sale =
        |path: &TransactionType| *path == TransactionType::SALE && kind == TransactionType::FORCED_SALE;
    match from_path {
        Some(path) if path != kind && !is_sale(&path) => {
            wrong.add("type", Rule::Conflict("another kind of transaction in the path"));
            Some(path)
        }
        _ => Some(kind),
    }
}

impl Request<'_> {
    /// Adds a violation for an amount of 0, which only an authorization may have.
    fn check_sale(&self, wrong: &mut Violations) {
        let amount = self.amount.as_deref().map(|amount| Amount::try_from(AsGateway(amount)));
        if amount.is_some_and(|amount| amount.is_ok_and(Amount::is_zero)) {
            wrong.add("amount", Rule::AmountTooSmall);
        }
    }

    /// Adds a violation for a missing approval.
    fn check_approval(&self, wrong: &mut Violations) {
        if given(self.authorization_code.as_deref().map(text)).is_none() {
            wrong.add("authorization-code", Rule::Required);
        }
    }

    fn charge(self, token: Option<OneTimeToken>) -> Result<Charge, Violations> {
        let Self {
            transaction_type: _,
            id: _,
            card,
            card_type,
            exp_date,
            amount,
            csc,
            tip_amount,
            sales_tax_amount,
            invoice,
            purchase_order,
            order_id,
            authorization_code,
            customer_id,
            description,
            comments,
            client_ip,
            email_address,
            email_receipt,
            billing,
            shipping,
            check_field,
            create_token,
            token_description,
            billing_is_shipping,
            software_type,
            software_type_version,
        } = self;
        let builder = set!(Charge::builder();
            card: card,
            csc: csc,
            invoice: invoice,
            purchase_order: purchase_order,
            order_id: order_id,
            authorization_code: authorization_code,
            customer_id: customer_id,
            description: description,
            comments: comments,
            client_ip: client_ip,
            email_address: email_address,
            email_receipt: email_receipt,
            check_field: check_field,
            create_token: create_token,
            token_description: token_description,
            billing_is_shipping: billing_is_shipping,
            software_type: software_type,
            software_type_version: software_type_version,
        );
        let builder = match token {
            Some(token) => builder.card(token),
            None => builder,
        };
        let builder = set_as_gateway!(builder;
            exp_date: exp_date,
            amount: amount,
            tip_amount: tip_amount,
            sales_tax_amount: sales_tax_amount,
        );
        let builder = match given(card_type) {
            Some(brand) => builder.card_type(CardBrand::reported(&brand)),
            None => builder,
        };
        let builder = match billing.and_then(Address::request) {
            Some(address) => builder.billing(address),
            None => builder,
        };
        match shipping.and_then(Address::request) {
            Some(address) => builder.shipping(address),
            None => builder,
        }
        .accept()
    }

    fn capture(self) -> Result<Capture, Violations> {
        let Self { id, amount, tip_amount, sales_tax_amount, .. } = self;
        set_as_gateway!(set!(Capture::builder(); id: id);
            amount: amount,
            tip_amount: tip_amount,
            sales_tax_amount: sales_tax_amount,
        )
        .accept()
    }

    fn void(self) -> Result<(Void, Option<Amount>), Violations> {
        let id = given(self.id).ok_or_else(|| Violations::one("id", Rule::Required))?;
        let id = TransactionId::try_from(&*id).map_err(|error| Violations::one("id", error.0))?;
        let amount = given(self.amount).map(|amount| Amount::try_from(AsGateway(&amount))).transpose();
        let amount = amount.map_err(|error| Violations::one("amount", error.0))?;
        Ok((Void { id }, amount))
    }

    fn refund(self, token: Option<OneTimeToken>) -> Result<Refund, Violations> {
        let Self { id, card, exp_date, amount, invoice, order_id, comments, .. } = self;
        let builder = set!(Refund::builder();
            id: id,
            card: card,
            invoice: invoice,
            order_id: order_id,
            comments: comments,
        );
        let builder = match token {
            Some(token) => builder.card(token),
            None => builder,
        };
        set_as_gateway!(builder; amount: amount, exp_date: exp_date).accept()
    }
}

/// Reads the query of a search.
#[cfg(feature = "gateway")]
pub fn read_search(query: &str) -> Result<TransactionSearch, Violations> {
    let mut params = Params::new(query);
    let search = TransactionSearch {
        id: params.read("id"),
        level: params.read("level"),
        amount: params.read("amount"),
        transaction_type: params.read("type"),
        status: params.text("status"),
        last_four: params.text("last-four"),
        authorization_code: params.text("authorization-code"),
        invoice: params.text("invoice"),
        order_id: params.text("order-id"),
        display_message: params.text("display-message"),
        start_date: params.text("start-date"),
        end_date: params.text("end-date"),
        paging: params.paging(),
    };
    params.finish(search)
}
