//! Answers of issuers and banks: the tables of result codes, amounts and test cards.

pub(crate) mod clientpay;
pub(crate) mod outcome;
pub(crate) mod test_cards;
