//! The program crashes at every statement, and its row and the intent are stored together or not at all.

mod chapter;
mod crashes;
#[path = "../../../common/postgres.rs"]
mod postgres;
mod shop;
