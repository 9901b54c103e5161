//! `perennial invoice`: an invoice is charged once by its number, or put on a ClientPay page.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use perennial::clearent::{Charge, InvoicePayment, InvoiceStatus, Reference, Transaction};
use perennial::clientpay::InvoicePage;
use perennial::{Amount, Builder, Clearent, Invoice, InvoiceLine, Total, Violations};
use perennial_journal::Told;
use serde::Deserialize;

use super::both;
use super::clientpay::{Account, Frame, by_place, create, under};
use super::criteria::key;
use super::once::{Keyed, Once, Outcome, Writer, exchange_id};
use super::transactions::{Payer, outcome};
use crate::context::Global;
use crate::failure::Failure;
use crate::input;
use crate::output::{IntoRecord, Output, Record, note};

/// Invoices.
#[derive(Debug, Subcommand)]
pub(crate) enum Invoices {
    /// Charges a card or token for an invoice, unless it is paid already
    #[command(
        after_help = "First searches for the number as the order id of the last 90 days' transactions: a \
        paid invoice is not charged again, and the earlier charge is shown. Searches again after a lost \
        response. Two commands at the same moment can both find nothing: the gateway is then asked to refuse the \
        duplicate, but the vendor does not say that it does so for every card. Pay an invoice with one command at a \
        time. An invoice that is partly approved (exit status 6), or whose charge is neither approved nor declined \
        (75), is not charged again.\n\n\
        Examples:\n  perennial invoice pay --number INV-70412 --date 2027-01-04 --line Decking=400.00 \\\n    \
        --line Labor=250.00 --tax 52.00 --token-id 1100000000555551111 --exp-date 1230\n  \
        perennial invoice pay --invoice-file invoice.json --card-stdin < card.json"
    )]
    Pay(Box<Keyed<Pay>>),
    /// Creates a ClientPay page for an invoice, and prints its URL
    #[command(
        after_help = "Uses the credentials of perennial clientpay. The number is the page's session id, which \
        finds its payments.\n\n\
        Example:\n  perennial invoice page --invoice-file invoice.json --header-text 'Pay Marsh & Oak LLP'"
    )]
    Page(Box<Keyed<OnPage>>),
    /// Shows whether an invoice is paid, by which transaction, and the amount taken
    #[command(
        after_help = "The gateway has no invoices: without --amount, any approved charge pays the number. With it, the \
        exit status is 6 if less was taken, and 8 if more was.\n\n\
        Example:\n  perennial invoice status INV-70412 --amount 702.00"
    )]
    Status(Named),
}

/// An invoice by its number.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The invoice's number
    #[arg(value_name = "NUMBER")]
    number: String,
    /// The amount of the invoice, which is compared with the amount of its charge
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Pay {
    #[command(flatten)]
    payer: Payer,
    #[command(flatten)]
    invoice: Written,
}

#[derive(Debug, Args)]
pub(crate) struct OnPage {
    #[command(flatten)]
    invoice: Written,
    #[command(flatten)]
    account: Account,
    #[command(flatten)]
    frame: Frame,
}

options! {
    #[command(next_help_heading = "Invoice")]
    Fields fills Builder<Invoice> {
        /// The number, unique among your invoices, at most 100 characters; required
        number = "number", "TEXT";
        /// The date of the invoice, yyyy-MM-dd; required
        date = "date", "DATE";
        /// The due date
        due_date = "due-date", "DATE";
        /// Your id for the customer
        customer_id = "customer-id", "TEXT";
        /// The name of the customer
        customer_name = "customer-name", "TEXT";
        /// The email address for the receipt
        email_address = "email-address", "TEXT";
        /// The tax on all lines
        tax = "tax", "AMOUNT";
    }
}

/// An invoice given by options or as a file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Invoice")]
struct Written {
    /// A file that holds the invoice, as JSON {"number":"…","date":"…","lines":[{"description":"…","amount":"…"}]},
    /// with optional members for the other options, such as dueDate; - reads standard input. Amounts are text
    #[arg(long, value_name = "FILE", conflicts_with_all = ["number", "date", "due-date", "customer-id",
        "customer-name", "email-address", "tax", "line"])]
    invoice_file: Option<PathBuf>,
    #[command(flatten)]
    fields: Fields,
    /// A line: its description and its price before tax; one option per line, at least one
    #[arg(long, value_name = "TEXT=AMOUNT", value_parser = line)]
    line: Vec<Line>,
}

/// The description and the price of a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    description: Option<String>,
    amount: Option<String>,
}

fn line(text: &str) -> Result<Line, &'static str> {
    let (description, amount) = text.rsplit_once('=').ok_or("a line is written TEXT=AMOUNT")?;
    Ok(Line { description: Some(description.to_owned()), amount: Some(amount.to_owned()) })
}

/// The JSON of an invoice file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    number: Option<String>,
    date: Option<String>,
    due_date: Option<String>,
    customer_id: Option<String>,
    customer_name: Option<String>,
    email_address: Option<String>,
    tax: Option<String>,
    #[serde(default)]
    lines: Vec<Line>,
}

impl Invoices {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let output = global.output;
        match self {
            Self::Pay(pay) => {
                let Keyed { command, once } = *pay;
                command.run(&once, &global.client().await?, global).await
            }
            Self::Page(page) => {
                let Keyed { command, once } = *page;
                command.run(&once, global).await
            }
            Self::Status(named) => {
                let amount = named.amount.as_deref().map(|amount| key("amount", amount)).transpose();
                let (number, amount) = both(key::<Reference>("<NUMBER>", &named.number), amount)?;
                let status = global.client().await?.invoices().status(&number).await?;
                InvoiceReport::found(number, status, amount).print(output)
            }
        }
    }
}

impl Pay {
    async fn run(self, once: &Once, client: &Clearent, global: &Global) -> Result<(), Failure> {
        let output = global.output;
        if self.invoice.is_stdin() && self.payer.is_stdin() {
            let message =
                "standard input holds the invoice or the card, not both: give one of them otherwise";
            return Err(Failure::Usage(message.to_owned()));
        }
        let invoice = self.invoice.read()?;
        let charge = self.payer.fill(Charge::builder())?;
        if let Some(writer) = once.open(global, client).await? {
            let charge = invoice.complete(charge).check_field("invoice").build();
            let charge = charge.map_err(|violations| self.payer.name(&violations))?;
            return pay_once(&writer, client, &invoice, &charge, output).await;
        }
        let paid = client.invoices().pay(&invoice, charge).await;
        let paid = paid.map_err(|error| match error.violations() {
            Some(violations) => self.payer.name(violations).into(),
            None => Failure::from(error),
        })?;
        Self::report(&invoice, paid, output)
    }

    fn report(invoice: &Invoice, paid: InvoicePayment, output: Output) -> Result<(), Failure> {
        let (number, amount) = (invoice.number().clone(), Some(invoice.amount()));
        match paid {
            InvoicePayment::Charged(charged) => {
                let outcome = outcome(&charged, None);
                let printed = show(output, InvoiceReport::charged(number, charged.transaction));
                // A decline is told whether or not the transaction can be printed.
                outcome.and(printed)
            }
            InvoicePayment::Partial(charge) => {
                InvoiceReport::found(number, InvoiceStatus::Partial(*charge), amount).print(output)
            }
            InvoicePayment::Several(charges) => {
                InvoiceReport::found(number, InvoiceStatus::Several(charges), amount).print(output)
            }
            InvoicePayment::AlreadyPaid(before) => {
                if let Output::Table = output {
                    note("the invoice was paid before: nothing was charged now");
                }
                let before = InvoiceReport::found(number, InvoiceStatus::Paid(*before), amount);
                show(output, InvoiceReport { charged: Some(false), ..before })
            }
            InvoicePayment::Conflicting(earlier) => Err(conflicting(invoice, &earlier)),
        }
    }
}

/// Pays an invoice under an operation key. The order id is the invoice's number, which is the mark of the sale.
async fn pay_once(
    writer: &Writer<perennial_journal::Clearent>,
    client: &Clearent,
    invoice: &Invoice,
    charge: &Charge,
    output: Output,
) -> Result<(), Failure> {
    if !writer.is_known().await?
        && let Some(paid) = paid_before(client, invoice).await?
    {
        return Pay::report(invoice, paid, output);
    }
    let sold = writer.writes().transactions().sale(writer.key(), charge).await;
    let Outcome { value, told, intent } = writer.outcome(sold).await?;
    let number = invoice.number().clone();
    let (report, judged) = match value {
        Some(charge) if is_part_of(invoice, &charge) => {
            let report = InvoiceReport::found(number, InvoiceStatus::Partial(charge), Some(invoice.amount()));
            let failure = report.failure();
            (report, failure.map_or(Ok(()), Err))
        }
        Some(charge) => {
            let judged = outcome(&charge, exchange_id(&intent));
            (InvoiceReport::charged(number, charge), judged)
        }
        None => {
            let status = if told.is_some() { PAID } else { "unpaid" };
            (InvoiceReport { number, amount: None, status, charged: None, transactions: Vec::new() }, Ok(()))
        }
    };
    // What was done by an earlier run is not done now.
    let charged = report.charged.map(|charged| charged && told != Some(Told::Replayed));
    let printed = writer.print::<InvoiceReport>(InvoiceReport { charged, ..report }.record(), told, &intent);
    judged.and(printed)
}

/// The earlier charge that forbids another one, if there is one.
async fn paid_before(client: &Clearent, invoice: &Invoice) -> Result<Option<InvoicePayment>, Failure> {
    let number = invoice.number();
    let is_of_it = |charge: &Transaction| charge.order_id.as_deref() == Some(number.as_str());
    Ok(Some(match client.invoices().status(number).await? {
        InvoiceStatus::Unpaid(_) => return Ok(None),
        InvoiceStatus::Undecided(charge) => {
            return Err(Failure::Undecided { number: number.clone(), id: charge.id });
        }
        InvoiceStatus::Several(charges) => InvoicePayment::Several(charges),
        InvoiceStatus::Paid(charge) if is_of_it(&charge) && compared(invoice.amount(), &charge) == PAID => {
            InvoicePayment::AlreadyPaid(charge.into())
        }
        InvoiceStatus::Partial(charge) if is_part_of(invoice, &charge) => {
            InvoicePayment::Partial(charge.into())
        }
        InvoiceStatus::Paid(charge) | InvoiceStatus::Partial(charge) => {
            InvoicePayment::Conflicting(charge.into())
        }
    }))
}

/// Whether the charge paid a part of the invoice.
fn is_part_of(invoice: &Invoice, charge: &Transaction) -> bool {
    charge.partial().is_some_and(|partial| partial.taken < invoice.amount())
        && charge.order_id.as_deref() == Some(invoice.number().as_str())
        && charge.original_amount.is_none_or(|original| original == invoice.amount())
}

fn show(output: Output, report: InvoiceReport) -> Result<(), Failure> {
    output.left::<InvoiceReport>(&report.record(), None)
}

/// The failure for an earlier charge that forbids this one.
fn conflicting(invoice: &Invoice, earlier: &Transaction) -> Failure {
    let number = invoice.number().as_str();
    let id = earlier.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let (paid, requested) = (earlier.amount.unwrap_or_default(), invoice.amount());
    Failure::Refused(if earlier.order_id.as_deref() == Some(number) {
        format!(
            "invoice {number} was paid with {paid} by transaction {id}, and its total is now {requested}: nothing was charged; \
             charge the rest under a separate number"
        )
    } else {
        format!(
            "transaction {id} of {paid} has the number of invoice {number}, but belongs to another order: nothing was \
             charged; check that transaction"
        )
    })
}

impl OnPage {
    async fn run(self, once: &Once, global: &Global) -> Result<(), Failure> {
        global.refuse_clearent()?;
        let invoice = self.invoice.read()?;
        // A page's invoice has no lines of its own: the payer reads them below the title.
        let frame = self.frame.or_subheader(invoice.lines_text());
        let page = InvoicePage::builder().invoice(invoice.on_page()).session_id(invoice.number().as_str());
        let page = frame.around(page).build().map_err(|violations| by_place(&violations))?;
        let exchange = global.dry_run.with_ids(global.exchange(|reqwest| reqwest)?);
        let client = self.account.client(global, exchange)?;
        create!(&client, global, once, invoices, page, frame.under.id()?)
    }
}

impl Written {
    fn is_stdin(&self) -> bool {
        self.invoice_file.as_deref().is_some_and(input::is_stdin)
    }

    fn read(&self) -> Result<Invoice, Failure> {
        let (fields, lines) = match &self.invoice_file {
            None => (None, self.line.clone()),
            Some(file) => {
                let shape =
                    r#"an invoice {"number":"…","date":"…","lines":[{"description":"…","amount":"…"}]}"#;
                let Document {
                    number,
                    date,
                    due_date,
                    customer_id,
                    customer_name,
                    email_address,
                    tax,
                    lines,
                } = input::document(file, shape)?;
                let fields =
                    Fields { number, date, due_date, customer_id, customer_name, email_address, tax };
                (Some(fields), lines)
            }
        };
        let invoice = fields.as_ref().unwrap_or(&self.fields).fill(Invoice::builder());
        let invoice = lines.iter().fold(invoice, |invoice, line| invoice.line(line.fill()));
        Ok(invoice.build().map_err(|violations| by_place(&of_lines(&violations)))?)
    }
}

impl Line {
    fn fill(&self) -> Builder<InvoiceLine> {
        let Self { description, amount } = self;
        let mut line = InvoiceLine::builder();
        given!(line: description, amount);
        line
    }
}

/// Renames violations by option; a missing line is reported under `--line`.
fn of_lines(violations: &Violations) -> Violations {
    super::renamed(violations, "lines", "line")
}

const PAID: &str = "paid";
/// The status of an invoice that is partly paid.
const PARTIAL: &str = "partially-paid";
/// The status of an invoice whose charge took more than its amount.
const OVERPAID: &str = "overpaid";
/// The status of an invoice of which more than one charge took money.
const SEVERAL: &str = "charged-more-than-once";
/// The status of an invoice with a charge that is neither approved nor declined.
const UNDECIDED: &str = "undecided";

/// The status of an invoice, the transactions that decide it, and whether it was charged just now.
struct InvoiceReport {
    number: Reference,
    /// The amount of the invoice, if it is known.
    amount: Option<Amount>,
    status: &'static str,
    charged: Option<bool>,
    transactions: Vec<Transaction>,
}

impl InvoiceReport {
    fn found(number: Reference, status: InvoiceStatus, amount: Option<Amount>) -> Self {
        let (status, transactions) = match status {
            InvoiceStatus::Paid(charge) => {
                (amount.map_or(PAID, |amount| compared(amount, &charge)), vec![charge])
            }
            InvoiceStatus::Partial(charge) => (PARTIAL, vec![charge]),
            InvoiceStatus::Undecided(charge) => (UNDECIDED, vec![charge]),
            InvoiceStatus::Unpaid(declined) => ("unpaid", declined.into_iter().collect()),
            InvoiceStatus::Several(charges) => (SEVERAL, charges),
        };
        Self { number, amount, status, charged: None, transactions }
    }

    fn charged(number: Reference, transaction: Transaction) -> Self {
        let approved = transaction.is_approved();
        let status = if approved { PAID } else { "unpaid" };
        Self { number, amount: None, status, charged: Some(approved), transactions: vec![transaction] }
    }

    /// The amount taken and the amount still due, if money was taken.
    fn money(&self) -> Option<(Total, Option<Amount>)> {
        if [UNDECIDED, "unpaid"].contains(&self.status) {
            return None;
        }
        let taken = self.transactions.iter().filter_map(|charge| charge.amount).map(Total::from).sum();
        let [charge] = &self.transactions[..] else { return Some((taken, None)) };
        let due = self.amount.zip(charge.amount).and_then(|(amount, taken)| amount.checked_sub(taken));
        let due =
            due.filter(|due| !due.is_zero()).or_else(|| charge.due()).filter(|_| self.status == PARTIAL);
        Some((taken, due))
    }

    /// Prints the status. An invoice that is unpaid and must not be charged again is reported even if printing
    /// fails.
    fn print(self, output: Output) -> Result<(), Failure> {
        let failure = self.failure();
        let printed = show(output, self);
        failure.map_or(printed, Err)
    }

    fn failure(&self) -> Option<Failure> {
        let number = self.number.as_str();
        let id = self.transactions.first().and_then(|transaction| transaction.id.as_ref());
        let transaction = id.map(ToString::to_string).unwrap_or_default();
        let (taken, due) = self.money().unwrap_or_default();
        let message = match self.status {
            PARTIAL => {
                let due = due.map(|due| format!("; {due} is still due")).unwrap_or_default();
                let message = format!(
                    "invoice {number} is not paid in full: only {taken} was approved and taken{due}; it is not charged again. \
                     Charge the rest under a separate number, or void transaction {transaction}"
                );
                return Some(Failure::Partial { message, exchange_id: None });
            }
            UNDECIDED => return Some(Failure::Undecided { number: self.number.clone(), id: id.cloned() }),
            OVERPAID => {
                let amount = self.amount.unwrap_or_default();
                format!(
                    "the total of invoice {number} is {amount}, and transaction {transaction} took {taken}: refund the excess, or \
                     check the amount"
                )
            }
            SEVERAL => {
                let charges = self.transactions.iter().map(|charge| {
                    let id = charge.id.as_ref().map(ToString::to_string).unwrap_or_default();
                    format!("transaction {id} took {}", charge.amount.unwrap_or_default())
                });
                let charges = charges.collect::<Vec<_>>().join(", ");
                format!(
                    "invoice {number} was charged more than once: {charges}; it is not charged again. Void or refund \
                     the excess"
                )
            }
            _ => return None,
        };
        Some(Failure::Excess(message))
    }
}

/// The status of an invoice of this amount after this charge. A tip is added on top, or included in the amount.
fn compared(amount: Amount, charge: &Transaction) -> &'static str {
    let taken = charge.amount.unwrap_or_default();
    match taken.checked_sub(charge.tip_amount.unwrap_or_default()) {
        Some(without_tip) if without_tip == amount => PAID,
        _ if taken == amount => PAID,
        _ if taken < amount => PARTIAL,
        _ => OVERPAID,
    }
}

impl IntoRecord for InvoiceReport {
    const COLUMNS: &'static [&'static str] = &["number", "status", "charged", "taken", "due"];
    const OBJECT: &'static str = "invoice";

    fn members() -> Vec<String> {
        let transaction = Transaction::members().into_iter().map(|member| format!("transaction.{member}"));
        let columns = Self::COLUMNS.iter().map(|&column| column.to_owned());
        columns.chain(transaction).chain(["transactions".to_owned()]).collect()
    }

    fn record(self) -> Record {
        let (taken, due) = self.money().unzip();
        let Self { number, status, charged, mut transactions, .. } = self;
        let (one, several) = match transactions.len() {
            0 | 1 => (transactions.pop(), None),
            _ => (None, Some(transactions.into_iter().map(IntoRecord::record).collect::<Vec<_>>())),
        };
        Record::default()
            .with("number", number.as_str())
            .with("status", status)
            .with("charged", charged)
            .with("taken", taken)
            .with("due", due.flatten())
            .with("transaction", one.map(IntoRecord::record))
            .with("transactions", several)
    }
}
