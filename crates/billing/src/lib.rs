//! Subscriptions without end.
//!
//! A Clearent plan is monthly and at most twelve months long. A [`Billing`] keeps subscriptions for years on top of plans:
//! it stores the days on which money is due and the result of each, makes the next plan before a day is missed, collects
//! what was declined, and charges no day twice. It stands on the journal, in the same database and transactions.

mod billing;
mod books;
mod calendar;
mod decision;
mod error;
mod life;
mod model;
mod reading;
mod recovery;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod statements;
mod store;
mod words;

pub use billing::{Billing, NewSubscription, Worked};
pub use books::{Books, Difference, DifferenceClass};
pub use calendar::{dates_of_term, due_day};
pub use decision::{CancelAt, Decision, SubscriptionChange};
pub use error::Error;
pub use model::{
    Charge, Claim, DayState, DueDay, DueDayFilter, Member, Route, Status, Subscription, Term, TermStatus,
};
pub use recovery::{DeclineClass, decline_class};

/// Runs the example of the page on subscriptions.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/SUBSCRIPTIONS.md")]
struct Subscriptions;

/// Runs the examples of this package's README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Package;
