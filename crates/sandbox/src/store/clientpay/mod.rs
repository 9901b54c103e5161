//! ClientPay in the database.

pub(crate) mod access;
pub(crate) mod credential;
pub(crate) mod page;
pub(crate) mod payer;
pub(crate) mod payment;
