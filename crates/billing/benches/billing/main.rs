//! The cost of billing with 100,000 subscriptions: nights, starts, and the books of a month. `cargo xtask bench billing` runs
//! it.
//!
//! The gateway is the sandbox, in a process of its own. It has a plan for each subscription, made by its own interface. The
//! subscriptions of billing, with their terms, due days, charges, and the intents of their plans, are inserted as rows, as
//! they are after months of work: spread over 28 due days and over the twelve months in which a term ends. 3 % of them are
//! declined each month, and again at each try. Each measurement runs in a process of its own, which opens the database as a
//! worker does.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation)]

mod gateway;
mod members;
mod worker;

use perennial_domain::NaiveDate;

use gateway::Gateway;
use members::Members;
use worker::{Figures, Work};

/// The variable with the number of subscriptions.
const MEMBERS: &str = "PERENNIAL_MEMBERS";
/// The nights before those that are measured: declines of each age are there after eight.
const WARM_UP: u64 = 9;
/// The nights that are measured.
const NIGHTS: u64 = 5;
/// The subscriptions that are started.
const STARTS: usize = 400;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        match std::env::var(gateway::CHILD).as_deref() {
            Ok("gateway") => gateway::serve().await,
            Ok(_) => worker::child().await,
            Err(_) => measure().await,
        }
    });
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn measure() {
    let count = std::env::var(MEMBERS).map_or(100_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut gateway = Gateway::start(folder.path());
    gateway.advance("PT2H");
    let members = Members::create(&gateway, folder.path(), count).await;
    println!("{count} subscriptions, {} MiB of database", members.mebibytes());

    let mut nights = Vec::new();
    for night in 1..=WARM_UP + NIGHTS {
        gateway.advance("P1D");
        let figures = members.work(&gateway, &Work::Night, night);
        println!("night {night}: {figures}");
        if night > WARM_UP {
            nights.push(figures);
        }
    }
    println!("a night, the median of {NIGHTS}: {}", Figures::median(&nights));
    println!(
        "requests of a night beside one search for each subscription: 1/{}",
        u64::try_from(count).unwrap() / Figures::median(&nights).requests
    );

    let night = WARM_UP + NIGHTS;
    println!("{STARTS} starts: {}", members.work(&gateway, &Work::Starts(STARTS), night));

    gateway.advance(&format!("P{}D", 31 - night));
    members.charged(&gateway, day("2027-01-01")..day("2027-02-01")).await;
    let books: Vec<_> = (0..3).map(|_| members.work(&gateway, &Work::Books, 31)).collect();
    println!("books of a month, the median of 3: {}", Figures::median(&books));
}
