//! Payment methods: a card or a bank account, whose numbers are read and never arguments.

use clap::Args;
use perennial::Builder;
use perennial::clientpay::{Card, ECheck};

use crate::failure::Failure;
use crate::input::{AccountData, CardData, CardSource};

/// A card, or a bank account.
#[derive(Debug, Args)]
pub(super) struct MethodOptions {
    #[command(flatten)]
    card: CardSource,
    /// The name on the card
    #[arg(long, value_name = "TEXT")]
    cardholder_name: Option<String>,
    /// Read a bank account from standard input, as JSON {"routingNumber":"…","accountNumber":"…"} or as two lines
    #[arg(long, conflicts_with_all = ["card_stdin", "cardholder_name"])]
    account_stdin: bool,
    /// The name on the account
    #[arg(long, value_name = "TEXT", requires = "account_stdin")]
    name_on_account: Option<String>,
    /// The account type: checking_business, checking_personal, savings_business or savings_personal
    #[arg(long, value_name = "WORD", requires = "account_stdin")]
    account_type: Option<String>,
}

/// A method that was read.
pub(super) enum Method {
    Card(Builder<Card>),
    Account(Builder<ECheck>),
}

impl MethodOptions {
    pub(super) fn read(&self) -> Result<Method, Failure> {
        let Self { card, cardholder_name, account_stdin, name_on_account, account_type } = self;
        if *account_stdin {
            let AccountData { routing_number, account_number } = AccountData::of_stdin()?;
            let mut account = ECheck::builder();
            given!(account: routing_number, account_number, name_on_account, account_type);
            return Ok(Method::Account(account));
        }
        let CardData { card: card_number, exp_date: expiration_date, csc: cvv } = card.read()?;
        let mut card = Card::builder();
        given!(card: card_number, expiration_date, cvv, cardholder_name);
        Ok(Method::Card(card))
    }
}
