//! `perennial transactions`: prints a decline like an approval, and reports it by the exit status.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use perennial::clearent::{
    Capture, Charge, ChargeSource, Decline, Partial, Refund, TokenId, Transaction, TransactionId,
    TransactionSearch, TransactionUpdate, Void,
};
use perennial::{Builder, Clearent, InvalidValue, Response, Violations};
use perennial_journal::Settled;
use zeroize::Zeroizing;

use super::address::{BillingAddress, ShippingAddress};
use super::criteria::{Criteria, Pages, key};
use super::once::{Keyed, Outcome, Writer, exchange_id, gone};
use super::{both, of_card, renamed};
use crate::context::Global;
use crate::failure::Failure;
use crate::input::{self, CardData, CardSource};
use crate::lookup::Line;
use crate::output::{IntoRecord, Output, note};

/// Card transactions.
#[derive(Debug, Subcommand)]
pub(crate) enum Transactions {
    /// Charges a card or token at once
    #[command(after_help = "Without --token-id, prompts for the card, or reads it from standard input.\n\n\
        Example:\n  perennial transactions sale --amount 25.00 --token-id 1100000000555551111 --exp-date 1230\n  \
        perennial transactions sale --amount 25.00 --card-stdin < card.json\n  \
        perennial transactions sale --amount 25.00 --jwt-file posted.jwt")]
    Sale(Keyed<Sale>),
    /// Reserves an amount for a later capture
    #[command(after_help = "Without --token-id, prompts for the card, or reads it from standard input.\n\n\
        Example:\n  perennial transactions auth --amount 25.00 --token-id 1100000000555551111 --exp-date 1230")]
    Auth(Keyed<Sale>),
    /// Captures an authorized amount
    #[command(after_help = "Example:\n  perennial transactions capture 700001 --amount 25.00")]
    Capture(Keyed<Captured>),
    /// Voids a transaction of an open batch in full
    #[command(after_help = "Example:\n  perennial transactions void 700001")]
    Void(Keyed<Named>),
    /// Changes the tip of a charge whose batch is open
    #[command(after_help = "Example:\n  perennial transactions update 700001 --tip-amount 5.00")]
    Update(Keyed<Updated>),
    /// Refunds an earlier transaction, or pays money to a card or token
    #[command(
        after_help = "Without --id and --token-id, prompts for the card, or reads it from standard input.\n\n\
        Example:\n  perennial transactions refund --id 700001 --amount 25.00"
    )]
    Refund(Keyed<Refunded>),
    /// Shows a transaction; the gateway keeps it for 90 days
    #[command(after_help = "Example:\n  perennial transactions get 700001")]
    Get(Named),
    /// Lists matching transactions of the last 90 days
    #[command(
        visible_alias = "list",
        after_help = "Example:\n  perennial transactions search --order-id plan_3f0f6d1c5f0e"
    )]
    Search(Search),
}

/// A transaction by its id.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The transaction's id
    #[arg(value_name = "TRANSACTION-ID")]
    transaction: String,
}

#[derive(Debug, Args)]
pub(crate) struct Sale {
    #[command(flatten)]
    payer: Payer,
    #[command(flatten)]
    fields: ChargeOptions,
    #[command(flatten)]
    billing: BillingAddress,
    #[command(flatten)]
    shipping: ShippingAddress,
}

/// The payer or payee: a token by its id, or a card that is read.
#[derive(Debug, Args)]
pub(super) struct Payer {
    /// The token of the card
    #[arg(long, value_name = "ID", conflicts_with = "card_stdin")]
    token_id: Option<String>,
    /// The expiry of the token's card
    #[arg(long, value_name = "MMYY", requires = "token_id")]
    exp_date: Option<String>,
    /// The file of a one-time token (a JWT) for the card; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_id", "card_stdin"])]
    jwt_file: Option<PathBuf>,
    #[command(flatten)]
    card: CardSource,
}

options! {
    ChargeOptions fills Builder<Charge> {
        /// The amount; required. An authorization of 0 only checks the card
        amount = "amount", "AMOUNT";
        /// The brand; the default is derived from the number
        card_type = "card-type", "BRAND";
        /// An invoice number, at most 100 characters
        invoice = "invoice", "TEXT";
        /// A purchase order number, at most 100 characters
        purchase_order = "purchase-order", "TEXT";
        /// Your order number
        order_id = "order-id", "TEXT";
        /// Your customer number
        customer_id = "customer-id", "TEXT";
        /// A description of the goods
        description = "description", "TEXT";
        /// Comments
        comments = "comments", "TEXT";
        /// The buyer's IP address
        client_ip = "client-ip", "TEXT";
        /// The email address for the receipt
        email_address = "email-address", "TEXT";
        /// Whether to send a receipt
        email_receipt = "email-receipt", "BOOL";
        /// The sales tax within the amount
        sales_tax_amount = "sales-tax-amount", "AMOUNT";
        /// The tip
        tip_amount = "tip-amount", "AMOUNT";
        /// The field that identifies an earlier charge, which is shown instead of a new one: invoice
        check_field = "check-field", "FIELD";
        /// Whether to create a token of the card
        create_token = "create-token", "BOOL";
        /// A description of the card of the new token
        token_description = "token-description", "TEXT";
        /// Whether the shipping address equals the billing address
        billing_is_shipping = "billing-is-shipping", "BOOL";
        /// The name of your software
        software_type = "software-type", "TEXT";
        /// The version of your software
        software_type_version = "software-type-version", "TEXT";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Captured {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    fields: CaptureOptions,
}

options! {
    CaptureOptions fills Builder<Capture> {
        /// The amount; required
        amount = "amount", "AMOUNT";
        /// A tip on top
        tip_amount = "tip-amount", "AMOUNT";
        /// The sales tax within the amount
        sales_tax_amount = "sales-tax-amount", "AMOUNT";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Updated {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    fields: UpdateOptions,
}

options! {
    UpdateOptions fills Builder<TransactionUpdate> {
        /// The new tip; required
        tip_amount = "tip-amount", "AMOUNT";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Refunded {
    #[command(flatten)]
    fields: RefundOptions,
    #[command(flatten)]
    payer: Payer,
}

options! {
    RefundOptions fills Builder<Refund> {
        /// The transaction to refund
        #[arg(conflicts_with_all = ["token_id", "card_stdin", "jwt_file"])]
        id = "id", "ID";
        /// The amount; required
        amount = "amount", "AMOUNT";
        /// An invoice number, at most 100 characters
        invoice = "invoice", "TEXT";
        /// Your order number
        order_id = "order-id", "TEXT";
        /// Comments
        comments = "comments", "TEXT";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The transaction
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Transactions of the key's terminal, which is the default, or of all terminals: terminal or merchant
    #[arg(long, value_name = "WORD")]
    level: Option<String>,
    /// Transactions of this amount
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// The type: SALE, AUTH, CAPTURE, REFUND or VOID
    #[arg(long = "type", value_name = "WORD")]
    transaction_type: Option<String>,
    /// The status, such as Approved
    #[arg(long, value_name = "TEXT")]
    status: Option<String>,
    /// The card's last four digits
    #[arg(long, value_name = "DIGITS")]
    last_four: Option<String>,
    /// The authorization code of the issuer
    #[arg(long, value_name = "TEXT")]
    authorization_code: Option<String>,
    /// Transactions of this invoice
    #[arg(long, value_name = "TEXT")]
    invoice: Option<String>,
    /// Transactions of this order; a plan's key finds its payments
    #[arg(long, value_name = "TEXT")]
    order_id: Option<String>,
    /// Transactions that follow up this one, such as its capture or refund, and transactions that name none: the
    /// gateway cannot search for them, so the command reads all pages
    #[arg(long, value_name = "ID", conflicts_with = "page")]
    ref_id: Option<String>,
    /// Transactions with this message, such as 'Not Sufficient Funds'
    #[arg(long, value_name = "TEXT")]
    display_message: Option<String>,
    /// The earliest time, yyyy-MM-dd HH:mm in UTC; another zone may follow, as in EST or GMT-06:00
    #[arg(long, value_name = "TIME")]
    start_date: Option<String>,
    /// The latest time, in the format of --start-date; the whole minute, or the whole day without a time, is included
    #[arg(long, value_name = "TIME")]
    end_date: Option<String>,
    #[command(flatten)]
    pages: Pages,
}

impl Transactions {
    pub(crate) async fn run(self, client: &Clearent, global: &Global) -> Result<(), Failure> {
        let (transactions, output) = (client.transactions(), global.output);
        match self {
            Self::Sale(Keyed { command, once }) => {
                let charge = command.charge()?;
                if let Some(writer) = once.open(global, client).await? {
                    command.note_token(global);
                    let sold = writer.writes().transactions().sale(writer.key(), &charge).await;
                    return charged(&writer, sold).await;
                }
                let sold = transactions.sale(&charge).await?;
                note_duplicate(output, &sold);
                print(output, outcome(&sold, sold.exchange_id()), sold)
            }
            Self::Auth(Keyed { command, once }) => {
                let charge = command.charge()?;
                if let Some(writer) = once.open(global, client).await? {
                    command.note_token(global);
                    let reserved = writer.writes().transactions().auth(writer.key(), &charge).await;
                    return charged(&writer, reserved).await;
                }
                let reserved = transactions.auth(&charge).await?;
                note_duplicate(output, &reserved);
                print(output, outcome(&reserved, reserved.exchange_id()), reserved)
            }
            Self::Capture(Keyed { command, once }) => {
                let capture = command.capture()?;
                if let Some(writer) = once.open(global, client).await? {
                    let captured = writer.writes().transactions().capture(writer.key(), &capture).await;
                    return charged(&writer, captured).await;
                }
                let captured = transactions.capture(&capture).await?;
                print(output, outcome(&captured, captured.exchange_id()), captured)
            }
            Self::Void(Keyed { command, once }) => {
                let void = Void { id: command.id()? };
                if let Some(writer) = once.open(global, client).await? {
                    let voided = writer.writes().transactions().void(writer.key(), &void).await;
                    return charged(&writer, voided).await;
                }
                let voided = transactions.void(&void).await?;
                print(output, outcome(&voided, voided.exchange_id()), voided)
            }
            Self::Update(Keyed { command, once }) => {
                let (id, update) =
                    both(command.named.id(), command.fields.fill(TransactionUpdate::builder()).build())?;
                if let Some(writer) = once.open(global, client).await? {
                    let updated = writer.writes().transactions().update(writer.key(), &id, &update).await;
                    return charged(&writer, updated).await;
                }
                let updated = transactions.update(&id, &update).await?;
                print(output, outcome(&updated, updated.exchange_id()), updated)
            }
            Self::Refund(Keyed { command, once }) => {
                let refund = command.refund()?;
                if let Some(writer) = once.open(global, client).await? {
                    let refunded = writer.writes().transactions().refund(writer.key(), &refund).await;
                    return charged(&writer, refunded).await;
                }
                let refunded = transactions.refund(&refund).await?;
                print(output, outcome(&refunded, refunded.exchange_id()), refunded)
            }
            Self::Get(named) => output.one(transactions.get(&named.id()?).await?.into_value()),
            Self::Search(search) => {
                let found = transactions.search(&search.search()?);
                let Some(id) = search.follows()? else {
                    return output.list(found, search.pages.extent()).await;
                };
                let follows = |found: &Transaction| found.ref_id.as_ref().is_none_or(|of| *of == id);
                output.list_where(found, search.pages.extent().or_all(), follows).await
            }
        }
    }
}

/// Notes for people that nothing was charged; for programs, the member `charged` beside the transaction is false.
pub(super) fn note_duplicate(output: Output, transaction: &Transaction) {
    if matches!(output, Output::Table) && transaction.is_duplicate() {
        note("this is an earlier transaction: nothing was charged now");
    }
}

/// Prints the transaction. A decline and a partial approval are reported even if printing fails.
pub(super) fn print<T: IntoRecord>(
    output: Output,
    outcome: Result<(), Failure>,
    answer: Response<T>,
) -> Result<(), Failure> {
    let printed = output.written(answer);
    outcome.and(printed)
}

/// Prints the outcome of a charge under an operation key.
async fn charged(
    writer: &Writer<perennial_journal::Clearent>,
    settled: Result<Settled<Transaction>, perennial_journal::Error>,
) -> Result<(), Failure> {
    print_charge(writer, writer.outcome(settled).await?)
}

/// Prints a charge under an operation key. A decline and a partial approval are reported even if printing fails.
pub(super) fn print_charge(
    writer: &Writer<perennial_journal::Clearent>,
    Outcome { value, told, intent }: Outcome<Transaction>,
) -> Result<(), Failure> {
    let judged = match &value {
        Some(transaction) => outcome(transaction, exchange_id(&intent)),
        None if told.is_none() => {
            let (message, exchange_id) = (intent.history.reason.clone(), exchange_id(&intent));
            Err(Failure::Declined { message, code: None, exchange_id: exchange_id.map(str::to_owned) })
        }
        None => Ok(()),
    };
    let record = value.map_or_else(|| gone::<Transaction>(&intent), Transaction::record);
    let printed = writer.print::<Transaction>(record, told, &intent);
    judged.and(printed)
}

/// The failure if the transaction is not the requested success.
pub(super) fn outcome(transaction: &Transaction, exchange_id: Option<&str>) -> Result<(), Failure> {
    let exchange_id = exchange_id.map(str::to_owned);
    if let Some(Decline { message, code }) = transaction.decline() {
        return Err(Failure::Declined { message, code, exchange_id });
    }
    match transaction.partial() {
        // An earlier transaction was partial when it was made.
        Some(partial) if !transaction.is_duplicate() => {
            let message = format!("{}: charge the rest, or void the transaction", in_part(partial));
            Err(Failure::Partial { message, exchange_id })
        }
        _ => Ok(()),
    }
}

/// A text with the amounts taken and still due.
pub(super) fn in_part(Partial { taken, due }: Partial) -> String {
    match due {
        Some(due) => format!("only {taken} was approved and taken; {due} is still due"),
        None => format!("only {taken} was approved and taken"),
    }
}

/// Text that names a token, whatever it looks like.
struct TokenText<'a>(&'a str);

impl TryFrom<TokenText<'_>> for ChargeSource {
    type Error = InvalidValue;

    fn try_from(TokenText(text): TokenText<'_>) -> Result<Self, InvalidValue> {
        TokenId::try_from(text).map(Self::Token)
    }
}

impl Sale {
    /// Notes where the new token of a charge under an operation key is found: the journal keeps the transaction alone.
    fn note_token(&self, global: &Global) {
        if self.fields.create_token.as_deref().is_some_and(|wanted| wanted == "true") {
            let command = Line::new("perennial tokens search").again(&global.again);
            note(&format!("under an operation key, the new token is not shown; it is found by: {command}"));
        }
    }

    fn charge(&self) -> Result<Charge, Failure> {
        let mut builder = self.fields.fill(Charge::builder());
        if let Some(address) = self.billing.address() {
            builder = builder.billing(address);
        }
        if let Some(address) = self.shipping.address() {
            builder = builder.shipping(address);
        }
        self.payer.charge(builder)
    }
}

impl Refunded {
    fn refund(&self) -> Result<Refund, Failure> {
        let mut builder = self.fields.fill(Refund::builder());
        if self.fields.id.is_some() {
            return Ok(builder.build()?);
        }
        if let Some(file) = &self.payer.jwt_file {
            return Ok(builder.card(input::one_time_token(file)?).build()?);
        }
        if let Some(token) = &self.payer.token_id {
            builder = builder.card(TokenText(token));
        }
        let CardData { card, exp_date, csc: _ } = self.payer.card()?;
        given!(builder: card, exp_date);
        Ok(builder.build().map_err(|violations| self.payer.name(&violations))?)
    }
}

impl Payer {
    /// Whether the card is read from standard input.
    pub(super) fn is_stdin(&self) -> bool {
        self.card.is_stdin() || self.jwt_file.as_deref().is_some_and(input::is_stdin)
    }

    /// Builds the charge of this payer.
    pub(super) fn charge(&self, builder: Builder<Charge>) -> Result<Charge, Failure> {
        Ok(self.fill(builder)?.build().map_err(|violations| self.name(&violations))?)
    }

    /// Sets the payer of a charge, not yet checked.
    pub(super) fn fill(&self, mut builder: Builder<Charge>) -> Result<Builder<Charge>, Failure> {
        if let Some(file) = &self.jwt_file {
            return Ok(builder.card(input::one_time_token(file)?));
        }
        if let Some(token) = &self.token_id {
            builder = builder.card(TokenText(token));
        }
        let CardData { card, exp_date, csc } = self.card()?;
        given!(builder: card, exp_date, csc);
        Ok(builder)
    }

    /// The card that is read, or only the expiry of a token's card.
    fn card(&self) -> Result<CardData, Failure> {
        if self.token_id.is_none() {
            return self.card.read();
        }
        let exp_date = self.exp_date.clone().map(Zeroizing::new);
        Ok(CardData { exp_date, ..CardData::default() })
    }

    /// Renames violations by the names under which the values were given.
    pub(super) fn name(&self, violations: &Violations) -> Violations {
        if self.token_id.is_some() { renamed(violations, "card", "token-id") } else { of_card(violations) }
    }
}

impl Named {
    fn id(&self) -> Result<TransactionId, Violations> {
        key("<TRANSACTION-ID>", &self.transaction)
    }
}

impl Captured {
    fn capture(&self) -> Result<Capture, Violations> {
        let builder = self.fields.fill(Capture::builder()).id(self.named.transaction.as_str());
        builder.build().map_err(|violations| renamed(&violations, "id", "<TRANSACTION-ID>"))
    }
}

impl Search {
    fn follows(&self) -> Result<Option<TransactionId>, Violations> {
        self.ref_id.as_deref().map(|id| key("ref-id", id)).transpose()
    }

    fn search(&self) -> Result<TransactionSearch, Violations> {
        let mut criteria = Criteria::default();
        let search = TransactionSearch {
            id: criteria.read("id", self.id.as_ref()),
            level: criteria.read("level", self.level.as_ref()),
            amount: criteria.read("amount", self.amount.as_ref()),
            transaction_type: criteria.read("type", self.transaction_type.as_ref()),
            status: self.status.clone(),
            last_four: self.last_four.clone(),
            authorization_code: self.authorization_code.clone(),
            invoice: self.invoice.clone(),
            order_id: self.order_id.clone(),
            display_message: self.display_message.clone(),
            start_date: self.start_date.clone(),
            end_date: self.end_date.clone(),
            paging: self.pages.paging(),
        };
        criteria.finish(search)
    }
}
