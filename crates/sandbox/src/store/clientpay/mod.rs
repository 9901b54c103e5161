//! ClientPay in the books.

pub(crate) mod access;
pub(crate) mod page;
pub(crate) mod payer;
pub(crate) mod payment;
