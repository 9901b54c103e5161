//! ClientPay against a gateway in memory that keeps one live access id and takes each request id once.

mod access;
mod gateway;
mod once;
mod operations;
mod outcomes;
mod secrets;
mod unreadable;
