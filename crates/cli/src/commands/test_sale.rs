//! `perennial test-sale`: checks that a sale and its void work.

use clap::Args;
use perennial::clearent::Charge;
use perennial::{Amount, Clearent, Response};

use super::criteria::key;
use super::transactions::{Payer, note_duplicate, outcome, print};
use crate::failure::Failure;
use crate::output::{Output, note};

/// A small sale.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --token-id, prompts for the card, or reads it from standard input. In production it takes money.\n\n\
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

impl TestSale {
    pub(crate) async fn run(self, client: &Clearent, output: Output) -> Result<(), Failure> {
        let amount: Amount = key("<AMOUNT>", &self.amount)?;
        let charge = self.payer.charge(Charge::builder().amount(amount))?;
        let sale = client.test_sale(&charge).await?;
        note_duplicate(output, &sale);
        let printed = print(output, outcome(&sale, sale.exchange_id()), Response::clone(&sale));
        if !self.void {
            return printed;
        }
        // Whether or not the sale can be printed, it is taken back.
        let Some(voided) = sale.void().await? else { return printed };
        outcome(&voided, voided.exchange_id())?;
        note("the sale was voided: nothing is charged");
        printed
    }
}
