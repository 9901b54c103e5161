//! The acquirer's part of a charge: it checks the card, stores the transaction, and alerts the merchant.

pub(crate) mod alerts;
pub(crate) mod checks;
pub(crate) mod records;
