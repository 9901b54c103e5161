//! `perennial invoice`: what a merchant asks to be paid, charged once by its number, or put on a page of ClientPay.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use perennial::clearent::{Charge, InvoicePayment, InvoiceStatus, Reference, Transaction};
use perennial::clientpay::InvoicePage;
use perennial::{Clearent, Invoice, InvoiceBuilder, InvoiceLine, InvoiceLineBuilder, Violations};
use serde::Deserialize;

use super::clientpay::{Account, Frame, by_place, under};
use super::criteria::key;
use super::transactions::{Payer, in_part, outcome};
use crate::args::Global;
use crate::failure::Failure;
use crate::input;
use crate::output::{Output, Record, Shown, note};

/// Invoices.
#[derive(Debug, Subcommand)]
pub(crate) enum Invoices {
    /// Charges a card or token with an invoice, unless it is paid already
    #[command(
        after_help = "Its number is looked for first, as the order id of the last 90 days' transactions: an \
        invoice that is paid is not charged again, and the earlier charge is shown. It is looked for again after an \
        answer that was lost. Of two commands at one moment the gateway is asked to tell; whether the live one does is \
        inferred: let one at a time pay an invoice. One of which only a part was approved (exit status 6), and one whose \
        charge is neither approved nor declined (75), is not charged again.\n\n\
        Examples:\n  perennial invoice pay --number INV-70412 --date 2027-01-04 --line Decking=400.00 \\\n    \
        --line Labour=250.00 --tax 52.00 --token-id 1100000000555551111 --exp-date 1230\n  \
        perennial invoice pay --invoice-file invoice.json --card-stdin < card.json"
    )]
    Pay(Box<Pay>),
    /// Makes a page of ClientPay on which an invoice is paid, and prints its URL
    #[command(
        after_help = "Credentials are those of perennial clientpay. The number is the page's session id, by \
        which its payments are found.\n\n\
        Example:\n  perennial invoice page --invoice-file invoice.json --header-text 'Pay Marsh & Oak LLP'"
    )]
    Page(Box<OnPage>),
    /// Tells whether an invoice is paid, and by which transaction
    #[command(after_help = "Example:\n  perennial invoice status INV-70412")]
    Status(Named),
}

/// An invoice by its number.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The invoice's number
    #[arg(value_name = "NUMBER")]
    number: String,
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
    Fields fills InvoiceBuilder {
        /// The number, at most 100 characters, which no other invoice has; required
        number = "number", "TEXT";
        /// The invoice's day, yyyy-MM-dd; required
        date = "date", "DATE";
        /// The day by which it is to be paid
        due_date = "due-date", "DATE";
        /// Your id of the customer
        customer_id = "customer-id", "TEXT";
        /// The customer's name
        customer_name = "customer-name", "TEXT";
        /// Where a receipt goes
        email_address = "email-address", "TEXT";
        /// The tax on all lines
        tax = "tax", "AMOUNT";
    }
}

/// An invoice by options or as a file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Invoice")]
struct Written {
    /// A file that holds the invoice, as JSON {"number":"…","date":"…","lines":[{"description":"…","amount":"…"}]},
    /// to which the other options may be added as dueDate and its like; - is standard input. Amounts are text
    #[arg(long, value_name = "FILE", conflicts_with_all = ["number", "date", "due-date", "customer-id",
        "customer-name", "email-address", "tax", "line"])]
    invoice_file: Option<PathBuf>,
    #[command(flatten)]
    fields: Fields,
    /// A line, what it is and what it costs before tax; as often as there are lines, at least once
    #[arg(long, value_name = "TEXT=AMOUNT", value_parser = line)]
    line: Vec<Line>,
}

/// What a line is, and what it costs.
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

/// The file.
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
            Self::Pay(pay) => pay.run(&global.client().await?, output).await,
            Self::Page(page) => page.run(global).await,
            Self::Status(named) => {
                let number: Reference = key("<NUMBER>", &named.number)?;
                let status = global.client().await?.invoices().status(&number).await?;
                Standing::found(number, status).tell(output)
            }
        }
    }
}

impl Pay {
    async fn run(self, client: &Clearent, output: Output) -> Result<(), Failure> {
        if self.invoice.is_stdin() && self.payer.is_stdin() {
            let told = "standard input holds the invoice or the card, not both: give one of them otherwise";
            return Err(Failure::Usage(told.to_owned()));
        }
        let invoice = self.invoice.read()?;
        let charge = self.payer.fill(Charge::builder())?;
        let paid = client.invoices().pay(&invoice, charge).await;
        let paid = paid.map_err(|error| match error.violations() {
            Some(violations) => self.payer.name(violations).into(),
            None => Failure::from(error),
        })?;
        let number = invoice.fields().number.clone();
        match paid {
            InvoicePayment::Made(made) => {
                let outcome = outcome(&made, None);
                let printed = show(output, Standing::charged(number, made.transaction));
                // A decline is told whether or not the transaction can be printed.
                outcome.and(printed)
            }
            InvoicePayment::Partial(charge) => {
                Standing::found(number, InvoiceStatus::Partial(*charge)).tell(output)
            }
            InvoicePayment::Before(before) => {
                if let Output::Table = output {
                    note("the invoice was paid before: nothing was charged now");
                }
                let before = Standing::found(number, InvoiceStatus::Paid(*before));
                show(output, Standing { charged: Some(false), ..before })
            }
            InvoicePayment::InTheWay(earlier) => Err(in_the_way(&invoice, &earlier)),
        }
    }
}

fn show(output: Output, standing: Standing) -> Result<(), Failure> {
    output.left::<Standing>(&standing.record(), None)
}

/// Why an earlier charge forbids this one.
fn in_the_way(invoice: &Invoice, earlier: &Transaction) -> Failure {
    let number = invoice.fields().number.as_str();
    let id = earlier.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let (paid, asked) = (earlier.amount.unwrap_or_default(), invoice.amount());
    Failure::Refused(if earlier.order_id.as_deref() == Some(number) {
        format!(
            "invoice {number} was paid with {paid} by transaction {id} and now comes to {asked}: nothing was charged; \
             give what is still to be paid a number of its own"
        )
    } else {
        format!(
            "the gateway takes invoice {number} for transaction {id} of {paid}, which is of another order: nothing was \
             charged; see what it is of"
        )
    })
}

impl OnPage {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_clearent()?;
        let invoice = self.invoice.read()?;
        // A page's invoice has no lines of its own: the payer reads them below the title.
        let frame = self.frame.or_subheader(invoice.lines_text());
        let page =
            InvoicePage::builder().invoice(invoice.on_page()).session_id(invoice.fields().number.as_str());
        let page = frame.around(page).build().map_err(|violations| by_place(&violations))?;
        let exchange = global.rehearsal.with_ids(global.exchange(|reqwest| reqwest)?);
        let client = self.account.client(global, exchange)?;
        global.output.written(under!(client.pages(), frame.under.id()?).invoices(&page).await?)
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
    fn fill(&self) -> InvoiceLineBuilder {
        let Self { description, amount } = self;
        let mut line = InvoiceLine::builder();
        given!(line: description, amount);
        line
    }
}

/// The same violations; that there is no line is told under the option.
fn of_lines(violations: &Violations) -> Violations {
    super::renamed(violations, "lines", "line")
}

/// The status of an invoice of which a part was taken.
const PARTIAL: &str = "partially-paid";
/// The status of an invoice with a charge that is neither approved nor declined.
const UNDECIDED: &str = "undecided";

/// Where an invoice stands, the transaction that says so, and whether it was charged just now.
struct Standing {
    number: Reference,
    status: &'static str,
    charged: Option<bool>,
    transaction: Option<Transaction>,
}

impl Standing {
    fn found(number: Reference, status: InvoiceStatus) -> Self {
        let (status, transaction) = match status {
            InvoiceStatus::Paid(transaction) => ("paid", Some(transaction)),
            InvoiceStatus::Partial(transaction) => (PARTIAL, Some(transaction)),
            InvoiceStatus::Undecided(transaction) => (UNDECIDED, Some(transaction)),
            InvoiceStatus::Unpaid(declined) => ("unpaid", declined),
        };
        Self { number, status, charged: None, transaction }
    }

    fn charged(number: Reference, transaction: Transaction) -> Self {
        let approved = transaction.is_approved();
        let status = if approved { "paid" } else { "unpaid" };
        Self { number, status, charged: Some(approved), transaction: Some(transaction) }
    }

    /// Prints it. An invoice that is neither paid nor to be paid with another charge is reported whether or not it can
    /// be printed.
    fn tell(self, output: Output) -> Result<(), Failure> {
        let (number, status) = (self.number.clone(), self.status);
        let id = self.transaction.as_ref().and_then(|made| made.id.as_ref()).map(ToString::to_string);
        let id = id.unwrap_or_default();
        let partial = self.transaction.as_ref().and_then(Transaction::partial);
        let printed = show(output, self);
        let number = number.as_str();
        match partial {
            Some(partial) if status == PARTIAL => {
                let what = in_part(partial);
                let message = format!(
                    "invoice {number} is not paid in full: {what}; it is not charged again. Charge the rest under a number of \
                     its own, or void transaction {id}"
                );
                Err(Failure::Partial { message, exchange_id: None })
            }
            _ if status == UNDECIDED => Err(Failure::Undecided { number: number.to_owned(), id }),
            _ => printed,
        }
    }
}

impl Shown for Standing {
    const COLUMNS: &'static [&'static str] = &["number", "status", "charged", "taken", "due"];
    const OBJECT: &'static str = "invoice";

    fn members() -> Vec<String> {
        let transaction = Transaction::members().into_iter().map(|member| format!("transaction.{member}"));
        Self::COLUMNS.iter().map(|&column| column.to_owned()).chain(transaction).collect()
    }

    fn record(self) -> Record {
        let Self { number, status, charged, transaction } = self;
        let partial = transaction.as_ref().and_then(Transaction::partial).filter(|_| status == PARTIAL);
        Record::default()
            .with("number", number.as_str())
            .with("status", status)
            .with("charged", charged)
            .with("taken", partial.map(|partial| partial.taken))
            .with("due", partial.and_then(|partial| partial.due))
            .with("transaction", transaction.map(Shown::record))
    }
}
