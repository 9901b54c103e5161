//! The command that tells whether a write of unknown outcome was performed.

use std::fmt::Display;

use perennial::clearent::{CustomerSearch, Lookup, PlanSearch, TokenSearch, TransactionSearch};

/// `perennial plans search --customer-key cust_5a1d --payment-amount 50.00`
pub(crate) fn command(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Customer(key) => format!("perennial customers get {key}"),
        Lookup::Customers(search) => customers(search),
        Lookup::Token(id) => format!("perennial tokens get {id}"),
        Lookup::Tokens(search) => tokens(search),
        Lookup::CustomerTokens(key) => format!("perennial customers tokens list {key}"),
        Lookup::Plan(key) => format!("perennial plans get {key}"),
        Lookup::Plans(search) => plans(search),
        Lookup::Transaction(id) => format!("perennial transactions get {id}"),
        Lookup::Transactions(search) => transactions(search),
        Lookup::Invoice(number) => Line::new("perennial invoice status").word(number.as_str()).0,
        Lookup::Batches(_) => "perennial batches list".to_owned(),
        _ => "perennial --help".to_owned(),
    }
}

/// The same for what was sent under a request id; of pages and payers the gateway has nothing to look at.
pub(crate) fn of_request(operation: &str, id: &str) -> Option<String> {
    let is_payment = operation.starts_with("clientpay-payments.");
    is_payment.then(|| Line::new("perennial clientpay search").with("request-id", Some(id)).0)
}

fn customers(search: &CustomerSearch) -> String {
    Line::new("perennial customers search")
        .with("customer-key", search.customer_key.as_ref())
        .with("first-name", search.first_name.as_ref())
        .with("last-name", search.last_name.as_ref())
        .with("email", search.email.as_ref())
        .with("phone-number", search.phone_number.as_ref())
        .0
}

fn tokens(search: &TokenSearch) -> String {
    Line::new("perennial tokens search").with("token-id", search.token_id.as_ref()).0
}

fn plans(search: &PlanSearch) -> String {
    Line::new("perennial plans search")
        .with("customer-key", search.customer_key.as_ref())
        .with("token-id", search.token_id.as_ref())
        .with("payment-amount", search.payment_amount)
        .with("plan-name", search.plan_name.as_ref())
        .0
}

fn transactions(search: &TransactionSearch) -> String {
    Line::new("perennial transactions search")
        .with("type", search.transaction_type.as_ref())
        .with("amount", search.amount)
        .with("last-four", search.last_four.as_ref())
        .with("invoice", search.invoice.as_ref())
        .with("order-id", search.order_id.as_ref())
        .0
}

/// A line for a POSIX shell.
struct Line(String);

impl Line {
    fn new(command: &str) -> Self {
        Self(command.to_owned())
    }

    fn with(mut self, option: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.0.extend([" --", option]);
            return self.word(&value.to_string());
        }
        self
    }

    fn word(mut self, word: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:@".contains(c);
        if word.chars().all(plain) {
            self.0.extend([" ", word]);
        } else {
            self.0.extend([" '", &word.replace('\'', r"'\''"), "'"]);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_otherwise_is_quoted() {
        let search = |name: &str| {
            Lookup::Customers(CustomerSearch {
                first_name: Some(name.to_owned()),
                ..CustomerSearch::default()
            })
        };
        for (name, expected) in [
            ("Ada", "perennial customers search --first-name Ada"),
            ("Ada Maria", "perennial customers search --first-name 'Ada Maria'"),
            ("O'Neil; $(x)", r"perennial customers search --first-name 'O'\''Neil; $(x)'"),
        ] {
            assert_eq!(command(&search(name)), expected);
        }
    }
}
