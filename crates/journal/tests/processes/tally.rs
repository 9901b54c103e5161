//! The counts of a campaign, and what they must be.

use std::collections::BTreeMap;
use std::fmt;

use crate::decisions::final_outcome;

/// The counts of a campaign.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: u64,
    /// The kills at which an attempt of the process was stored as being sent.
    pub(crate) kills_while_sending: u64,
    pub(crate) stops: u64,
    /// The stops during which others took over what the process was sending.
    pub(crate) stops_past_the_lease: u64,
    pub(crate) crashes: u64,
    /// The claims over a lease that had run out.
    pub(crate) taken_over: u64,
    /// The results that were not stored, because a later claim had the intent.
    pub(crate) fenced: u64,
    pub(crate) faults: u64,
    /// The errors that callers and workers got, most of a database that was away.
    pub(crate) errors: u64,
    /// The calls that found a recorded outcome.
    pub(crate) replayed: u64,
    pub(crate) released: u64,
    /// The first final outcome that a call returned for each key.
    outcomes: BTreeMap<String, &'static str>,
    /// What must not happen, as far as it is known before the end.
    pub(crate) findings: Vec<String>,
}

impl Tally {
    /// Enters an outcome that a call returned: a final one never changes.
    pub(crate) fn enter(&mut self, key: &str, word: &str) {
        self.replayed += u64::from(word == "replayed");
        let Some(outcome) = final_outcome(word) else { return };
        let first = *self.outcomes.entry(key.to_owned()).or_insert(outcome);
        if first != outcome {
            self.findings.push(format!("{key} was {first}, and later {outcome}"));
        }
    }

    pub(crate) fn outcomes(&self) -> &BTreeMap<String, &'static str> {
        &self.outcomes
    }

    /// The rare roads that the campaign must have taken, and how often it did.
    pub(crate) fn roads(&self) -> [(&'static str, u64); 7] {
        [
            ("kills while an attempt was being sent", self.kills_while_sending),
            ("stops past the lease", self.stops_past_the_lease),
            ("claims over a lease that had run out", self.taken_over),
            ("late results refused by their fence", self.fenced),
            ("calls hit by a fault of the gateway", self.faults),
            ("calls that returned a recorded outcome", self.replayed),
            ("errors of a database or gateway that was away", self.errors),
        ]
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, stops, crashes, released, .. } = self;
        write!(
            f,
            "{kills} kills, {stops} stops, {crashes} crashes of the database, {released} holds released"
        )?;
        self.roads().iter().try_for_each(|(name, count)| write!(f, "; {count} {name}"))
    }
}
