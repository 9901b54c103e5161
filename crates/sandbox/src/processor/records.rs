//! Records of transactions and tokens in the form that the merchant gets.

use perennial_domain::Amount;
use perennial_domain::clearent::{Link, Token, TokenId, Transaction, TransactionId, TransactionType};
use perennial_wire::clearent::Operation;

use crate::store::session::Session;

/// A transaction of a card that follows up another transaction of that card.
pub(crate) fn following(original: Transaction, kind: TransactionType, amount: Amount) -> Transaction {
    Transaction {
        transaction_type: Some(kind),
        amount: Some(amount),
        ref_id: original.id,
        last_four: original.last_four,
        card_type: original.card_type,
        exp_date: original.exp_date,
        invoice: original.invoice,
        order_id: original.order_id,
        customer_id: original.customer_id,
        ..Transaction::default()
    }
}

/// A transaction that was just created: its card is masked at its full length.
pub(crate) fn fresh(session: &Session<'_>, record: Transaction) -> Transaction {
    let card = record.last_four.as_ref().map(|digits| format!("XXXXXXXXXXXX{digits}"));
    of_terminal(session, Transaction { card, ..record })
}

/// The transaction with its merchant and its terminal.
pub(crate) fn of_terminal(session: &Session<'_>, transaction: Transaction) -> Transaction {
    Transaction {
        merchant_id: Some(session.merchant_id()),
        terminal_id: Some(session.terminal_id()),
        ..transaction
    }
}

/// The token with its merchant.
pub(crate) fn with_merchant(session: &Session<'_>, token: Token) -> Token {
    Token { merchant_id: Some(session.merchant_id()), ..token }
}

/// The link to a transaction, which is relative and carries the id.
pub(crate) fn link(id: &TransactionId) -> Link {
    let href = format!("{}?id={id}", Operation::SearchTransactions.path());
    Link { rel: "transaction".into(), href, id: Some(id.to_string()) }
}

/// The link to the token of a transaction, which is relative and carries the id.
pub(crate) fn token_link(id: &TokenId) -> Link {
    let href = Operation::GetToken.path_of(id.as_str());
    Link { rel: "token".into(), href, id: Some(id.to_string()) }
}
