//! `perennial payments`

use clap::{Args, Subcommand};
use perennial::clearent::PaymentSearch;
use perennial::{Clearent, Violations};

use super::criteria::{Criteria, Pages};
use crate::failure::Failure;
use crate::output::Output;

/// Payments made by plans.
#[derive(Debug, Subcommand)]
pub(crate) enum Payments {
    /// Lists matching payments
    #[command(
        visible_alias = "search",
        after_help = "Example:\n  perennial payments list --plan-key plan_3f0f6d1c5f0e --all"
    )]
    List(Search),
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Payments of this customer
    #[arg(long, value_name = "KEY")]
    customer_key: Option<String>,
    /// Payments of this plan
    #[arg(long, value_name = "KEY")]
    plan_key: Option<String>,
    #[command(flatten)]
    pages: Pages,
}

impl Payments {
    pub(crate) async fn run(self, client: &Clearent, output: Output) -> Result<(), Failure> {
        let Self::List(search) = self;
        let found = client.payments().list(&search.search()?);
        output.list_with_names(found, search.pages.extent(), client).await
    }
}

impl Search {
    fn search(&self) -> Result<PaymentSearch, Violations> {
        let mut criteria = Criteria::default();
        let search = PaymentSearch {
            customer_key: criteria.read("customer-key", self.customer_key.as_ref()),
            plan_key: criteria.read("plan-key", self.plan_key.as_ref()),
            paging: self.pages.paging(),
        };
        criteria.finish(search)
    }
}
