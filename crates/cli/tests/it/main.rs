//! The command as people and scripts use it: run as a process, against the embedded sandbox.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

mod adopt;
mod ahead;
mod alerts;
mod cards;
mod cases;
mod chapter;
mod clientpay;
mod clientpay_once;
mod connect;
mod custody;
mod desk;
mod dry_run;
mod evidence;
mod examples;
mod exits;
mod first_contact;
mod forms;
#[path = "../../../billing/tests/common/habits.rs"]
mod habits;
mod help;
mod invoice;
mod journal;
mod keys;
mod leaves;
mod lookups;
mod marks;
mod once;
mod operations;
mod pipes;
#[cfg(all(feature = "postgres", unix))]
mod postgres;
mod quickstart;
mod secrets;
mod serve;
#[cfg(unix)]
mod service;
mod shell;
mod signals;
mod stuck;
mod subscriptions;
mod terminal;
mod unreadable;
mod walk;
mod worlds;
