//! What issuers and banks answer: the tables of result codes, amounts and test cards.

pub(crate) mod clientpay;
pub(crate) mod outcome;
pub(crate) mod test_cards;
