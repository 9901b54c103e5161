//! The operation key of a decision about a subscription, and the person who decides.

use clap::Args;
use perennial_billing::{Billing, Error};
use perennial_journal::{By, check_key};

use crate::commands::journal::decided_by;
use crate::context::Global;
use crate::failure::Failure;
use crate::output::{Output, note};

#[derive(Debug, Args)]
pub(in crate::commands) struct Decided {
    /// Your name for this decision: under one key, it takes effect once, also after later decisions
    #[arg(long, value_name = "KEY")]
    operation_key: Option<String>,
}

/// The person who decides, and the reason, which may be left out.
#[derive(Debug, Clone, Args)]
pub(super) struct Person {
    /// The reason, which is kept with the decision
    #[arg(long, value_name = "TEXT", default_value = "by the command")]
    reason: String,
    /// The person who decides; the default is your user name
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

impl Person {
    pub(super) fn by(self) -> Result<By, Failure> {
        decided_by(self.reason, self.actor)
    }
}

/// Subscriptions with the operation key of a decision.
pub(in crate::commands) struct Once {
    pub(in crate::commands) billing: Billing,
    is_known: bool,
}

impl Once {
    /// Passes on the result of the decision. Says so if it was taken before.
    pub(in crate::commands) fn taken<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if self.is_known && result.is_ok() {
            note(TAKEN);
        }
        result
    }
}

/// The note of a decision that is not taken again.
pub(in crate::commands) const TAKEN: &str =
    "a decision was taken before under this operation key: it is not taken again";

impl Decided {
    /// The key, if it can be one.
    pub(in crate::commands) fn key(&self) -> Result<Option<&str>, Failure> {
        let Some(key) = &self.operation_key else { return Ok(None) };
        check_key(key)?;
        Ok(Some(key))
    }

    /// The subscriptions, with the key of the decision that follows.
    pub(in crate::commands) async fn once(
        &self,
        billing: &Billing,
        global: &Global,
    ) -> Result<Once, Failure> {
        let Some(key) = self.key()? else { return Ok(Once { billing: billing.clone(), is_known: false }) };
        let billing = billing.once(key);
        let is_known = billing.is_decided().await? && global.output == Output::Table;
        Ok(Once { billing, is_known })
    }

    /// The subscriptions, with the key of a decision about one of many.
    pub(in crate::commands) fn of_line(&self, billing: &Billing, id: &str) -> Billing {
        self.operation_key.as_ref().map_or_else(|| billing.clone(), |key| billing.once(format!("{key}/{id}")))
    }
}
