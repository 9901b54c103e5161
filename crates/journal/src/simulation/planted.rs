//! Defects that are planted to prove that the checks find them.

use crate::Moment;
use crate::machine::{Absence, History, How, Intent, Judged, Outcome, State, Write};

/// A defect that is planted in the rules, to prove that the checks find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    /// The decision to send is not stored.
    LosesSending,
    /// The store does not compare fences.
    NoFence,
    /// A request is sent after its last moment.
    IgnoresSendBy,
    /// A search that finds nothing proves its absence without the control object.
    NoControl,
    /// The control object was found before the search, which may have gone blind since.
    OldControl,
    /// The window after the last moment to send is zero.
    NoWindow,
    /// The journal's own clock counts instead of the gateway's.
    OwnClock,
    /// The store does not compare the version of the guard.
    NoPrecondition,
    /// A restored database is used as it is.
    NoAdoption,
    /// A copy of the database works beside it.
    NoWitness,
    /// Other writes to an object do not wait.
    NoLane,
    /// An absence is believed although the gateway may have forgotten.
    NoRetention,
    /// An absence of money leads to another attempt.
    MoneyIsSentAgain,
    /// The refusal of a later attempt counts without a look.
    SecondRefusalCounts,
    /// A plan is activated from the answer that names it.
    NoLookBeforeActivation,
    /// A client beneath the journal sends again when an answer is lost.
    RetriesBeneath,
}

/// The change as a journal without one of the rules of the machine would store it.
pub(super) fn without_a_rule(
    bug: Option<Bug>,
    intent: &mut Intent,
    stored: &Intent,
    now: Moment,
) -> Option<Intent> {
    let last = intent.history.attempts.last().and_then(|attempt| attempt.judged);
    match bug {
        Some(Bug::LosesSending) if intent.state == State::Sending => {
            let (attempts, lease) = (stored.history.attempts.clone(), stored.lease_until);
            intent.state = State::Planned;
            intent.next = Some(now);
            intent.lease_until = lease;
            intent.history.attempts = attempts;
        }
        Some(Bug::MoneyIsSentAgain)
            if intent.state == State::NeedsPerson
                && last == Some(Judged::Absent)
                && intent.write.absence() == Absence::Person =>
        {
            intent.state = State::Planned;
            intent.next = Some(now);
        }
        Some(Bug::SecondRefusalCounts) if intent.state == State::Unknown && last == Some(Judged::Refused) => {
            intent.state = State::Refused;
            intent.next = None;
            intent.lease_until = None;
        }
        Some(Bug::NoLookBeforeActivation)
            if intent.write == Write::CreatePlan
                && intent.state == State::Unknown
                && last == Some(Judged::Done) =>
        {
            let id = intent.history.candidate.clone()?;
            intent.state = State::Done;
            intent.outcome = Some(Outcome::new(How::Sent, Some(id.clone()), None));
            intent.next = None;
            intent.lease_until = None;
            let activation = Intent {
                uid: format!("{}A", intent.uid),
                key: intent.activation_key(),
                mark: format!("{}A", intent.mark),
                write: Write::UpdatePlan,
                object: format!("plans/{id}"),
                request: r#"{"status":"ACTIVE"}"#.to_owned(),
                state: State::Planned,
                activates: false,
                outcome: None,
                next: Some(now),
                history: History::default(),
                ..intent.clone()
            };
            return intent.activates.then_some(activation);
        }
        _ => {}
    }
    None
}
