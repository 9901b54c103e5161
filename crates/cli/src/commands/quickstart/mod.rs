//! `perennial quickstart`: a tour of a vendor, on a temporary sandbox, over real HTTP.

mod clearent;
mod clientpay;
mod member;

use clap::ValueEnum;

use crate::context::Global;
use crate::failure::Failure;
use crate::output::{Output, Record, note};

/// A plan from a pasted key to its cancellation, then a member for 26 months; or an invoice from its page to its refund
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Calls only a sandbox that it starts on 127.0.0.1, and needs no account and no key.\n\n\
    Examples:\n  perennial quickstart\n  perennial quickstart --format xml\n  perennial quickstart --output json\n  \
    perennial quickstart --vendor clientpay"
)]
pub(crate) struct Quickstart {
    /// The vendor to show
    #[arg(long, value_enum, value_name = "NAME", default_value_t)]
    vendor: Vendor,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Vendor {
    #[default]
    Clearent,
    Clientpay,
}

/// The seed of the world, which is constant.
const SEED: u64 = 2027;

impl Quickstart {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_gateway("quickstart starts its own sandbox, with its own key")?;
        match self.vendor {
            Vendor::Clearent => clearent::run(global).await,
            Vendor::Clientpay => clientpay::run(global).await,
        }
    }
}

/// Output of the tour: for people, text on standard error and tables on standard output; for programs, only the result.
#[derive(Clone, Copy)]
struct Guide(Output);

impl Guide {
    fn print(self, text: &str) {
        if self.0 == Output::Table {
            note(text);
        }
    }

    /// Prints the next steps.
    fn print_next_steps(self) {
        self.print("");
        self.print("Next:");
        self.print("  docs/guide/getting-started.md     the same in a program of your own");
        self.print("  perennial sandbox serve           a sandbox for it, with a console to look at");
        self.print("  perennial connect --help          how the key of a real merchant is stored");
    }
}

/// The columns of the summary.
const OUTCOMES: &[&str] = &["what", "outcome"];

/// A row of the summary.
fn row(what: &'static str, outcome: String) -> Record {
    Record::default().with("what", what).with("outcome", outcome)
}
