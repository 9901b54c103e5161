//! What an acquirer does with a charge: it checks the card, books the transaction, and alerts the merchant.

pub(crate) mod alerts;
pub(crate) mod checks;
pub(crate) mod records;
