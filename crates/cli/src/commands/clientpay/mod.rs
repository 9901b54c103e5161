//! `perennial clientpay`: pages that payers fill in, payments under single-use request ids, and stored payers.

/// Declares options that fill an object, which is sent only if any of them is given.
macro_rules! object {
    (
        $(#[$meta:meta])*
        $Options:ident fills $Builder:ty {
            $( $(#[$option_meta:meta])* $field:ident = $long:expr, $value:literal; )*
        }
    ) => {
        options! {
            $(#[$meta])*
            $Options fills $Builder { $( $(#[$option_meta])* $field = $long, $value; )* }
        }

        impl $Options {
            /// The object, if any part of it is given.
            fn object(&self) -> Option<$Builder> {
                let given = [$( &self.$field ),*].into_iter().any(Option::is_some);
                given.then(|| self.fill(<$Builder>::default()))
            }
        }
    };
}

mod access;
mod account;
mod address;
mod items;
mod method;
mod names;
mod pages;
mod payers;
mod payments;

use clap::{Args, Subcommand};
use perennial::Builder;
use perennial::Violations;
use perennial::clientpay::{ConnectSearch, RequestId};

use super::criteria::key;
use super::once::Keyed;
use crate::context::Global;
use crate::failure::Failure;
use names::by_option;

pub(super) use account::Account;
pub(super) use names::by_place;
pub(super) use pages::{Frame, create};

/// ClientPay. Credentials come from PERENNIAL_CLIENTPAY_INTEGRATOR_KEY, PERENNIAL_CLIENTPAY_ACCOUNT_KEY and
/// PERENNIAL_CLIENTPAY_ACCOUNT_PIN, or from a file; the command uses them to get the access id of each call.
#[derive(Debug, Args)]
pub(crate) struct ClientPayCommand {
    #[command(flatten)]
    account: account::Account,
    #[command(subcommand)]
    operation: Operation,
}

#[derive(Debug, Subcommand)]
enum Operation {
    /// Manages access ids
    #[command(subcommand)]
    Access(access::Access),
    /// Prints a fresh request id
    #[command(
        after_help = "Store the id before you use it: then you can retry the request under it after any failure.\n\nExample:\n  perennial clientpay request-id"
    )]
    RequestId,
    /// Pages that payers fill in
    #[command(subcommand)]
    Page(pages::Pages),
    /// Pays at once, with a card, a bank account or a stored method
    #[command(
        after_help = "Without --payer-or-payment-method-id and --account-stdin, prompts for the card, or reads it from \
        standard input.\nAfter exit status 75 the result is unknown: retry with the --request-id in \
        the error,\nwhich finds the first payment or makes the only one.\n\n\
        Examples:\n  perennial clientpay pay --total-amount 540.25 --card-stdin < card.json\n  \
        perennial clientpay pay --total-amount 540.25 --name-on-account 'Rosa Lind' --account-stdin \\\n    \
        < account.json"
    )]
    Pay(Keyed<payments::Pay>),
    /// Refunds a payment in full: voids it, or refunds it if it is settled
    #[command(after_help = "Example:\n  perennial clientpay refund 20411875")]
    Refund(Keyed<payments::Refunded>),
    /// Lists or counts matching payments
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  perennial clientpay search --from 2027-01-01 --all\n  \
        perennial clientpay search --session-id S-88213 --count"
    )]
    Search(payments::Search),
    /// Lists matching open invoices of a practice management system
    #[command(after_help = "Example:\n  perennial clientpay connect-search --connect-option 3E \
        --search-option matter --search-text M-204")]
    ConnectSearch(ConnectSearchOptions),
    /// Stored payers, with their cards and bank accounts
    #[command(subcommand)]
    Payers(payers::Payers),
}

options! {
    ConnectSearchOptions fills Builder<ConnectSearch> {
        /// The system: ProLaw, Enterprise, 3E, Aderant; required
        connect_option = "connect-option", "SYSTEM";
        /// The kind of object to search: invoice, matter, client; required
        search_option = "search-option", "WORD";
        /// The exact text to find; required
        search_text = "search-text", "TEXT";
        /// The kind of object that filters the results: invoice, matter, client
        filter_option = "filter-option", "WORD";
        /// The text of the filter
        filter_text = "filter-text", "TEXT";
    }
}

/// The request id of a request.
#[derive(Debug, Args)]
pub(super) struct Under {
    /// Send the request under this id, which may have been used before for an equal request, instead of a fresh one.
    /// Under an operation key, the journal keeps the id
    #[arg(long, value_name = "ID", conflicts_with = "operation_key")]
    request_id: Option<String>,
}

impl Under {
    pub(super) fn id(&self) -> Result<Option<RequestId>, Violations> {
        self.request_id.as_deref().map(|id| key("request-id", id)).transpose()
    }
}

/// Sets the request id of a resource's next call, if there is one.
macro_rules! under {
    ($resource:expr, $id:expr) => {
        match $id {
            Some(id) => $resource.under(id),
            None => $resource,
        }
    };
}
pub(super) use under;

impl ClientPayCommand {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_clearent()?;
        let Self { account, operation } = self;
        let exchange = global.exchange(|reqwest| reqwest)?;
        let exchange = match operation {
            Operation::Access(_) | Operation::RequestId => exchange,
            _ => global.dry_run.with_ids(exchange),
        };
        let (client, output) = (account.client(global, exchange)?, global.output);
        match operation {
            Operation::Access(access) => access.run(&client, &account, global).await,
            Operation::RequestId => output.written(client.new_request_id().await?),
            Operation::Page(page) => page.run(&client, global).await,
            Operation::Pay(pay) => payments::pay(&pay, &client, global).await,
            Operation::Refund(refund) => payments::refund(&refund, &client, global).await,
            Operation::Search(search) => search.run(&client, output).await,
            Operation::ConnectSearch(options) => {
                let search = options.fill(ConnectSearch::builder()).build();
                let search = search.map_err(|violations| by_option(&violations))?;
                output.each(client.pages().each_invoice(&search).await?.into_value())
            }
            Operation::Payers(payers) => payers.run(&client, global).await,
        }
    }
}
