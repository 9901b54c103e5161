//! `perennial test-sale`: checks that a sale and its void work.

use clap::Args;
use perennial::clearent::{Charge, Transaction, Void};
use perennial::{Amount, Clearent, Response};

use super::criteria::key;
use super::once::{Keyed, Outcome, Writer, exchange_id};
use super::transactions::{Payer, note_duplicate, outcome, print, print_charge};
use crate::context::Global;
use crate::failure::Failure;
use crate::output::note;

/// A small sale.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --token-id, prompts for the card, or reads it from standard input. In production it takes money.\n\
        Under an operation key, the sale and its void each take effect once; the key of the void ends with /void.\n\n\
        Example:\n  perennial test-sale --void --card-stdin < card.json\n  \
        perennial test-sale 2.50 --token-id 1100000000555551111 --exp-date 1230"
)]
pub(crate) struct TestSale {
    /// The amount
    #[arg(value_name = "AMOUNT", default_value = "1.00")]
    amount: String,
    #[command(flatten)]
    payer: Payer,
    /// Void the sale at once
    #[arg(long)]
    void: bool,
}

/// Makes the sale.
pub(crate) async fn run(
    Keyed { command, once }: Keyed<TestSale>,
    client: &Clearent,
    global: &Global,
) -> Result<(), Failure> {
    let TestSale { amount, payer, void } = command;
    let (amount, output): (Amount, _) = (key("<AMOUNT>", &amount)?, global.output);
    let charge = payer.charge(Charge::builder().amount(amount))?;
    // What is sold must be voided: a key that is too long for that is refused first.
    once.check_following(VOID)?;
    if let Some(writer) = once.open(global, client).await? {
        return sell_once(writer, &charge, void).await;
    }
    let sale = client.test_sale(&charge).await?;
    note_duplicate(output, &sale);
    let printed = print(output, outcome(&sale, sale.exchange_id()), Response::clone(&sale));
    if !void {
        return printed;
    }
    // Whether or not the sale can be printed, it is taken back.
    let Some(voided) = sale.void().await? else { return printed };
    outcome(&voided, voided.exchange_id())?;
    note(VOIDED);
    printed
}

/// The name of the void, after the key of the sale.
const VOID: &str = "void";
const VOIDED: &str = "the sale was voided: nothing is charged";

/// Makes the sale under an operation key, and voids it under the key that follows from it.
async fn sell_once(
    writer: Writer<perennial_journal::Clearent>,
    charge: &Charge,
    void: bool,
) -> Result<(), Failure> {
    let sold = writer.writes().transactions().sale(writer.key(), charge).await;
    let sold = writer.outcome(sold).await?;
    let is_approved = sold.told.is_some() && sold.value.as_ref().is_none_or(Transaction::is_approved);
    let id = sold.intent.outcome.as_ref().and_then(|outcome| outcome.id.clone());
    let printed = print_charge(&writer, sold);
    if !void || !is_approved {
        return printed;
    }
    let id = id.ok_or(Failure::Unexpected("the gateway did not say which transaction the sale is"))?;
    let writer = writer.following(VOID);
    let void = Void { id: key("id", &id)? };
    let Outcome { value, intent, .. } =
        writer.outcome(writer.writes().transactions().void(writer.key(), &void).await).await?;
    if let Some(voided) = value {
        outcome(&voided, exchange_id(&intent))?;
    }
    note(VOIDED);
    printed
}
