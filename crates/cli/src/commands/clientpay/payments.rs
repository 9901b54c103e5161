//! `perennial clientpay pay`, `refund` and `search`: each payment is made once, even if its response is lost.

use std::time::Duration;

use clap::{ArgGroup, Args};
use perennial::clientpay::{
    Criteria, Decline, Field, Group, NewPayment, Operator, Payment, PaymentFilter, PaymentSearch, Payments,
    Refund, RequestId,
};
use perennial::{Builder, ClientPay, InvalidValue, Response, Violations};
use perennial_journal::Settled;

use super::address::BillingAddress;
use super::method::{Method, MethodOptions};
use super::names::by_option;
use super::{Under, under};
use crate::commands::criteria::Stretch;
use crate::commands::once::{Keyed, Outcome, Writer, gone};
use crate::commands::{both, renamed};
use crate::context::Global;
use crate::failure::Failure;
use crate::lookup;
use crate::output::{IntoRecord, Output, Record};

options! {
    PayOptions fills Builder<NewPayment> {
        /// The amount, tax included; required
        total_amount = "total-amount", "AMOUNT";
        /// The tax in the amount
        tax = "tax", "AMOUNT";
        /// The stored method, or the payer whose primary method is charged
        #[arg(conflicts_with_all = ["card_stdin", "cardholder_name", "account_stdin"])]
        payer_or_payment_method_id = "payer-or-payment-method-id", "ID";
        /// Your own reference, stored with the payment; searches can use it
        session_id = "session-id", "TEXT";
        /// A second reference, which searches cannot use
        customer_id = "customer-id", "TEXT";
        /// The purpose of the payment
        description = "description", "TEXT";
        /// The number of the order
        order_id = "order-id", "TEXT";
    }
}

/// Whether to send a request a second time if its response is lost.
#[derive(Debug, Args)]
struct Resend {
    /// If the response is lost, send an equal request under its id after this many seconds, but only if the
    /// gateway then has no record of it. Without this option, nothing is sent twice
    #[arg(long, value_name = "SECONDS", conflicts_with = "operation_key",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    resend_after: Option<u64>,
}

impl Resend {
    fn payments<'a>(&self, client: &'a ClientPay, id: Option<RequestId>) -> Payments<'a> {
        let payments = under!(client.payments(), id);
        match self.resend_after {
            Some(seconds) => payments.resend_after(Duration::from_secs(seconds)),
            None => payments,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Pay {
    #[command(flatten)]
    fields: PayOptions,
    #[command(flatten)]
    method: MethodOptions,
    #[command(flatten)]
    under: Under,
    #[command(flatten)]
    resend: Resend,
    #[command(flatten)]
    billing: BillingAddress,
}

options! {
    RefundOptions fills Builder<Refund> {
        /// Your own reference, stored with the refund
        session_id = "session-id", "TEXT";
        /// A second reference
        customer_id = "customer-id", "TEXT";
        /// Whether to refund the remainder of a partly refunded payment; otherwise the gateway refuses
        enable_remaining_amount_refunds = "enable-remaining-amount-refunds", "BOOL";
        /// A note on the refund
        refund_note = "refund-note", "TEXT";
        /// The number of the order
        order_id = "order-id", "TEXT";
        /// The recipients of copies of the receipt, as a JSON object
        email_options = "email-options", "JSON";
    }
}

#[derive(Debug, Args)]
pub(super) struct Refunded {
    /// The payment's id
    #[arg(value_name = "PAYMENT-ID")]
    payment: String,
    #[command(flatten)]
    fields: RefundOptions,
    #[command(flatten)]
    under: Under,
    #[command(flatten)]
    resend: Resend,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("criteria").required(true).multiple(true))]
pub(super) struct Search {
    /// Payments of this request, made by a page or by a payment
    #[arg(long, value_name = "ID", group = "criteria")]
    request_id: Option<String>,
    /// The payment with this id
    #[arg(long, value_name = "ID", group = "criteria")]
    payment_id: Option<String>,
    /// Payments with this reference of yours
    #[arg(long, value_name = "TEXT", group = "criteria")]
    session_id: Option<String>,
    /// Payments from this moment on: yyyy-mm-dd, or with a time as in ISO 8601
    #[arg(long, value_name = "TIME", group = "criteria")]
    from: Option<String>,
    /// Payments up to this moment
    #[arg(long, value_name = "TIME", group = "criteria")]
    to: Option<String>,
    /// Print the number of matches instead
    #[arg(long, conflicts_with_all = ["page", "page_size", "limit", "all", "order_by"])]
    count: bool,
    #[command(flatten)]
    stretch: Stretch,
    /// A field to sort by, ascending: paymentDate, paymentId, sessionId or requestId; may be repeated
    #[arg(long, value_name = "FIELD", help_heading = "Pages")]
    order_by: Vec<String>,
}

/// Pays.
pub(super) async fn pay(
    Keyed { command, once }: &Keyed<Pay>,
    client: &ClientPay,
    global: &Global,
) -> Result<(), Failure> {
    let id = command.under.id()?;
    let payment = command.payment()?;
    if let Some(writer) = once.open_clientpay(global, client).await? {
        return made(&writer, writer.writes().payments().pay(writer.key(), &payment).await).await;
    }
    print(global.output, command.resend.payments(client, id).pay(&payment).await?)
}

/// Returns a payment.
pub(super) async fn refund(
    Keyed { command, once }: &Keyed<Refunded>,
    client: &ClientPay,
    global: &Global,
) -> Result<(), Failure> {
    let refund = command.fields.fill(Refund::builder()).payment_id(command.payment.as_str()).build();
    let refund = refund.map_err(|violations| renamed(&by_option(&violations), "payment-id", "<PAYMENT-ID>"));
    let (refund, id) = both(refund, command.under.id())?;
    if let Some(writer) = once.open_clientpay(global, client).await? {
        return made(&writer, writer.writes().payments().refund(writer.key(), &refund).await).await;
    }
    let refunded = command.resend.payments(client, id).refund(&refund).await;
    let look_up = || lookup::of_refund(refund.fields().payment_id);
    print(global.output, refunded.map_err(|error| Failure::lost(error, look_up()))?)
}

/// Prints a payment under an operation key. A decline is printed like an approval, and sets the exit status.
async fn made(
    writer: &Writer<perennial_journal::ClientPay>,
    settled: Result<Settled<Payment>, perennial_journal::Error>,
) -> Result<(), Failure> {
    let Outcome { value, told, intent } = writer.outcome(settled).await?;
    let said = value.as_ref().and_then(Payment::decline);
    let decline = match said {
        Some(decline) => Some(declined(decline)),
        None if told.is_none() => {
            let message = intent.history.reason.clone();
            Some(Failure::Declined { message, code: None, exchange_id: None })
        }
        None => None,
    };
    let record = value.map_or_else(|| gone::<Payment>(&intent), Payment::record);
    let printed = writer.print::<Payment>(record, told, &intent);
    decline.map_or(printed, Err)
}

impl Pay {
    fn payment(&self) -> Result<NewPayment, Failure> {
        let mut payment = self.fields.fill(NewPayment::builder());
        if self.fields.payer_or_payment_method_id.is_none() {
            payment = match self.method.read()? {
                Method::Card(card) => payment.credit_card(card),
                Method::Account(account) => payment.e_check(account),
            };
        }
        if let Some(address) = self.billing.address() {
            payment = payment.billing_information(address);
        }
        Ok(payment.build().map_err(|violations| by_option(&violations))?)
    }
}

/// Prints a response. A decline is printed like an approval, and sets the exit status.
fn print(output: Output, answer: Response<Payment>) -> Result<(), Failure> {
    let decline = answer.decline();
    let printed = output.written(answer);
    decline.map_or(printed, |decline| Err(declined(decline)))
}

fn declined(Decline { status, message }: Decline) -> Failure {
    let message = Some(message.unwrap_or_else(|| status.to_string()));
    Failure::Declined { message, code: None, exchange_id: None }
}

impl Search {
    pub(super) async fn run(&self, client: &ClientPay, output: Output) -> Result<(), Failure> {
        let group = self.group()?;
        if self.count {
            let filter = PaymentFilter::builder().group(group).build()?;
            let count = client.payments().count(&filter).await?.into_value();
            return output.record(&Record::default().with("count", count));
        }
        let mut search = PaymentSearch::builder().group(group);
        let Stretch { page, page_size, .. } = self.stretch;
        if let Some(page) = page {
            search = search.page_number(page);
        }
        if let Some(size) = page_size {
            search = search.page_size(size);
        }
        if !self.order_by.is_empty() {
            search = search.order_by(self.order_by.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let search = search.build().map_err(|violations| by_option(&violations))?;
        output.list(client.payments().search(search), self.stretch.extent()).await
    }

    /// The conditions of the search, as one group.
    fn group(&self) -> Result<Group, Violations> {
        let criteria = [
            ("request-id", Field::RequestId, Operator::Is, &self.request_id),
            ("payment-id", Field::PaymentId, Operator::Is, &self.payment_id),
            ("session-id", Field::SessionId, Operator::Is, &self.session_id),
            ("from", Field::PaymentDate, Operator::AtLeast, &self.from),
            ("to", Field::PaymentDate, Operator::AtMost, &self.to),
        ];
        let mut violations = Violations::default();
        let mut group: Option<Group> = None;
        for (option, field, operator, text) in criteria {
            let Some(text) = text else { continue };
            match (Criteria::new(field, operator, text.as_str()), group.take()) {
                (Ok(criterion), None) => group = Some(criterion.into()),
                (Ok(criterion), Some(others)) => group = Some(others.and(criterion)),
                (Err(InvalidValue(rule)), others) => {
                    violations.add(option, rule);
                    group = others;
                }
            }
        }
        match group {
            Some(group) if violations.is_empty() => Ok(group),
            _ => Err(violations),
        }
    }
}
