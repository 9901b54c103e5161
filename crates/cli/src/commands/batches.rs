//! `perennial batches`

use clap::{Args, Subcommand};
use perennial::clearent::{BatchSearch, Settlement};
use perennial::{Builder, Clearent, Violations};

use super::criteria::{Criteria, Pages};
use super::once::Keyed;
use crate::context::Global;
use crate::failure::Failure;

/// Batches of transactions, settled together.
#[derive(Debug, Subcommand)]
pub(crate) enum Batches {
    /// Lists matching batches
    #[command(visible_alias = "search", after_help = "Example:\n  perennial batches list --status CLOSED")]
    List(Search),
    /// Shows the open batch
    #[command(after_help = "Example:\n  perennial batches open")]
    Open,
    /// Closes the open batch and settles its transactions
    #[command(
        after_help = "Without the figures it settles all transactions so far. A settled transaction can be refunded but no \
        longer voided.\n\n\
        Example:\n  perennial batches settle --total-count 2 --net-amount 5.05"
    )]
    Settle(Keyed<Settled>),
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The status: OPEN, PENDING or CLOSED
    #[arg(long, value_name = "WORD")]
    status: Option<String>,
    #[command(flatten)]
    pages: Pages,
}

options! {
    Settled fills Builder<Settlement> {
        /// The number of transactions that the batch must have
        total_count = "total-count", "NUMBER";
        /// The total that the batch must have: charges minus refunds
        #[arg(allow_negative_numbers = true)]
        net_amount = "net-amount", "AMOUNT";
    }
}

impl Batches {
    pub(crate) async fn run(self, client: &Clearent, global: &Global) -> Result<(), Failure> {
        let (batches, output) = (client.batches(), global.output);
        match self {
            Self::List(search) => output.list(batches.list(&search.search()?), search.pages.extent()).await,
            Self::Open => match batches.open().await?.into_value() {
                Some(batch) => output.one(batch),
                None => Err(Failure::Nothing("no batch is open: no money has moved since the last one")),
            },
            Self::Settle(Keyed { command, once }) => {
                let settlement = command.fill(Settlement::builder()).build()?;
                match once.open(global, client).await? {
                    None => output.written(batches.settle(&settlement).await?),
                    Some(writer) => {
                        let settled = writer.writes().batches().settle(writer.key(), &settlement).await;
                        writer.written(settled).await
                    }
                }
            }
        }
    }
}

impl Search {
    fn search(&self) -> Result<BatchSearch, Violations> {
        let mut criteria = Criteria::default();
        let search = BatchSearch {
            status: criteria.read("status", self.status.as_ref()),
            paging: self.pages.paging(),
        };
        criteria.finish(search)
    }
}
