//! Subscriptions without end.
//!
//! A Clearent plan is monthly and at most twelve months long. A [`Billing`] keeps subscriptions for years on top of plans:
//! it stores the days on which money is due and the result of each, makes the next plan before a day is missed, collects
//! what was declined, and charges no day twice. It stands on the journal, in the same database and transactions.

mod adopt;
mod alerts;
mod billing;
mod books;
mod by_hand;
mod calendar;
mod cards;
mod decision;
mod error;
mod events;
mod life;
mod model;
mod once;
mod person;
mod reading;
mod recovery;
mod reports;
mod second;
mod shadow;
#[cfg(test)]
mod simulation;
mod stalled;
#[cfg(test)]
mod statements;
mod store;
mod words;

pub use adopt::Adoption;
pub use alerts::ReceivedAlert;
pub use billing::{Billing, First, NewSubscription, Worked};
pub use books::{Books, BooksScope, Difference, DifferenceClass, OtherTransaction};
pub use by_hand::{DayDecision, DayRefund};
pub use calendar::{dates_of_term, due_day};
pub use cards::{EndingCard, EndingCards};
pub use decision::{CancelAt, Decision, PauseEnd};
pub use error::Error;
pub use events::Event;
pub use model::{
    Charge, Claim, DayState, DueDay, DueDayFilter, Member, Pause, Route, Status, Subscription,
    SubscriptionChange, Term, TermStatus,
};
pub use once::hold_once;
pub use person::Erasure;
pub use recovery::{AtEnd, DeclineClass, RecoveryChange, RecoveryRules, Withheld, decline_class};
pub use reports::{MonthMoney, Recovery, Tally};
pub use stalled::Stalled;

/// Runs the example of the page on subscriptions.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/SUBSCRIPTIONS.md")]
struct Subscriptions;

/// Runs the examples of this package's README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Package;
