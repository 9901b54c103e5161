//! Subcommands, one module for each resource.

/// Sets builder fields for the given options.
macro_rules! given {
    ($builder:ident: $( $field:ident ),*) => {
        $( if let Some(text) = $field {
            $builder = $builder.$field(text.as_str());
        } )*
    };
}

/// Declares options that fill a request of `domain`: a field, the option with its wire name, and the placeholder
/// for its value in the help. The values are text; `domain` reports all violations at once.
macro_rules! options {
    (
        $(#[$meta:meta])*
        $Options:ident fills $Builder:ty {
            $( $(#[$option_meta:meta])* $field:ident = $long:expr, $value:literal; )*
        }
    ) => {
        #[derive(Debug, clap::Args)]
        #[allow(clippy::struct_field_names, reason = "the wire names them")]
        $(#[$meta])*
        pub(crate) struct $Options {
            $(
                $(#[$option_meta])*
                #[arg(id = $long, long = $long, value_name = $value)]
                $field: Option<String>,
            )*
        }

        impl $Options {
            fn fill(&self, mut builder: $Builder) -> $Builder {
                let Self { $( $field ),* } = self;
                given!(builder: $( $field ),*);
                builder
            }
        }
    };
}

mod address;
mod batches;
mod books;
mod clientpay;
mod completions;
mod connect;
mod criteria;
mod customer_tokens;
mod customers;
mod due_days;
mod events;
mod forecast;
mod hold;
mod invoice;
mod journal;
mod man;
mod members;
mod named;
mod once;
mod payments;
mod plans;
mod quickstart;
mod recovery;
mod sandbox;
mod schedule;
mod second;
mod subscriptions;
mod test_sale;
mod tokens;
mod transactions;
mod webhooks;
mod work;

use clap::Subcommand;
use perennial::Violations;

use crate::context::Global;
use crate::failure::{self, Failure};

/// The subcommands.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is made once")]
pub(crate) enum Command {
    /// Checks a merchant's api key, verifies it with a read, and stores it under a name
    Connect(connect::Connect),
    /// Lists the merchants with stored keys
    Profiles(connect::Profiles),
    /// Removes the stored key of a merchant
    Disconnect(connect::Disconnect),
    /// Makes a small sale, to check that payments work
    TestSale(once::Keyed<test_sale::TestSale>),
    /// Customers, and the card tokens attached to them
    #[command(subcommand)]
    Customers(customers::Customers),
    /// Card tokens of the vault
    #[command(subcommand)]
    Tokens(tokens::Tokens),
    /// Payment plans: monthly, for at most 12 months
    #[command(subcommand)]
    Plans(plans::Plans),
    /// Shows the days on which a plan charges, as a calendar
    Schedule(schedule::Preview),
    /// Charts the future charges of plans, month by month
    Forecast(forecast::Ahead),
    /// Payments made by plans
    #[command(subcommand)]
    Payments(payments::Payments),
    /// Card transactions
    #[command(subcommand)]
    Transactions(transactions::Transactions),
    /// Batches, in which transactions are settled
    #[command(subcommand)]
    Batches(batches::Batches),
    /// Invoices, each paid once: by card or token, or on a ClientPay page
    #[command(subcommand)]
    Invoice(invoice::Invoices),
    /// ClientPay: pages that take payments, payments, and stored payers
    #[command(name = "clientpay")]
    ClientPay(clientpay::ClientPayCommand),
    /// The journal: writes under an operation key, each of which takes effect once
    #[command(subcommand)]
    Journal(journal::Journals),
    /// Subscriptions: monthly charges without end, or until a day
    #[command(subcommand)]
    Subscriptions(subscriptions::Subscriptions),
    /// Days on which a charge of a subscription is due
    #[command(subcommand)]
    DueDays(due_days::DueDays),
    /// Rules for charges that were declined or are missing
    #[command(subcommand)]
    Recovery(recovery::Recovery),
    /// Books: whether the money of subscriptions adds up
    #[command(subcommand)]
    Books(books::Books),
    /// Events about subscriptions, for programs
    #[command(subcommand)]
    Events(events::Events),
    /// Members: their data, exported and erased
    #[command(subcommand)]
    Members(members::Members),
    /// Alerts of the gateway: received, and sent for tests
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    /// Does the work on all subscriptions of a merchant until a signal stops it
    Work(work::Work),
    /// Stops sending for a merchant, or goes on
    #[command(subcommand)]
    Hold(hold::Hold),
    /// A gateway on this machine
    #[command(subcommand)]
    Sandbox(sandbox::Local),
    /// A demonstration on a temporary sandbox: no account, no key
    Quickstart(quickstart::Quickstart),
    /// Prints the completion script of a shell
    Completions(completions::Completions),
    /// Prints the manual page of this command, or writes the pages of all commands
    Man(man::Pages),
}

impl Command {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let ended = Box::pin(self.perform(global)).await;
        global.dry_run.end(ended, global.output)
    }

    async fn perform(self, global: &Global) -> Result<(), Failure> {
        let output = global.output;
        match self {
            Self::Connect(connect) => connect.run(global).await,
            Self::Profiles(profiles) => profiles.run(global).await,
            Self::Disconnect(disconnect) => disconnect.run(global).await,
            Self::TestSale(sale) => test_sale::run(sale, &global.client().await?, global).await,
            Self::Customers(customers) => Box::pin(customers.run(&global.client().await?, global)).await,
            Self::Tokens(tokens) => tokens.run(&global.client().await?, global).await,
            Self::Plans(plans) => Box::pin(plans.run(&global.client().await?, global)).await,
            Self::Schedule(preview) => preview.run(global).await,
            Self::Forecast(ahead) => ahead.run(&global.client().await?, output).await,
            Self::Payments(payments) => payments.run(&global.client().await?, output).await,
            Self::Transactions(transactions) => {
                Box::pin(transactions.run(&global.client().await?, global)).await
            }
            Self::Batches(batches) => batches.run(&global.client().await?, global).await,
            Self::Invoice(invoice) => invoice.run(global).await,
            Self::ClientPay(command) => Box::pin(command.run(global)).await,
            Self::Journal(journal) => journal.run(global).await,
            Self::Subscriptions(subscriptions) => Box::pin(subscriptions.run(global)).await,
            Self::DueDays(due_days) => due_days.run(global).await,
            Self::Recovery(recovery) => recovery.run(global).await,
            Self::Books(books) => books.run(global).await,
            Self::Events(events) => events.run(global).await,
            Self::Members(members) => members.run(global).await,
            Self::Webhooks(webhooks) => webhooks.run(global).await,
            Self::Work(work) => work.run(global).await,
            Self::Hold(hold) => hold.run(global).await,
            Self::Sandbox(local) => local.run(global).await,
            Self::Quickstart(quickstart) => quickstart.run(global).await,
            Self::Completions(completions) => completions.run(global),
            Self::Man(pages) => pages.run(global),
        }
    }
}

/// Returns both values, or the violations of both.
fn both<A, B>(a: Result<A, Violations>, b: Result<B, Violations>) -> Result<(A, B), Violations> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(violations), Ok(_)) | (Ok(_), Err(violations)) => Err(violations),
        (Err(mut violations), Err(more)) => {
            for violation in &more {
                violations.add(violation.field.clone(), violation.rule);
            }
            Err(violations)
        }
    }
}

/// Renames a field of violations to the name under which it was given.
fn renamed(violations: &Violations, field: &str, given: &'static str) -> Violations {
    let mut renamed = Violations::default();
    for violation in violations {
        match &violation.field {
            name if name == field => renamed.add(given, violation.rule),
            name => renamed.add(name.clone(), violation.rule),
        }
    }
    renamed
}

/// Renames violations of a request whose expiry came with the card and not from an option.
fn of_card(violations: &Violations) -> Violations {
    renamed(violations, "exp-date", failure::CARD_EXPIRY)
}
