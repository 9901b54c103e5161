//! Tests with a ClientPay gateway in memory that has one valid access id and accepts each request id once.

mod access;
mod gateway;
mod once;
mod operations;
mod outcomes;
mod secrets;
mod unreadable;
