//! An invoice, and the request that charges it.

use serde_json::json;

/// An invoice of the program's own table.
#[derive(Clone, Copy)]
pub(crate) struct Invoice<'a> {
    pub(crate) number: &'a str,
    pub(crate) amount: &'a str,
    /// The token of the customer's card.
    pub(crate) token: &'a str,
}

impl Invoice<'_> {
    /// The name of the decision to charge it.
    pub(crate) fn key(&self) -> String {
        format!("invoice/{}", self.number)
    }

    /// The charge as the JSON of the vendor's interface.
    pub(crate) fn charge(&self) -> String {
        json!({ "amount": self.amount, "card": self.token, "exp-date": "1230" }).to_string()
    }
}
