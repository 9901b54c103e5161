//! A customer, by its key on the command line.

use clap::Args;
use perennial::Violations;
use perennial::clearent::CustomerKey;

use super::criteria::key;

/// A customer by its key.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The customer's key
    #[arg(value_name = "CUSTOMER-KEY")]
    customer: String,
}

impl Named {
    pub(super) fn key(&self) -> Result<CustomerKey, Violations> {
        key("<CUSTOMER-KEY>", &self.customer)
    }
}
