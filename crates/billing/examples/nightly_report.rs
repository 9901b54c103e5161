//! A nightly job: it does the work that is due, compares the books of the month with the gateway, and lists the due days
//! that are open. Its exit status is 0 if everything is in order, and 1 if a person should read the report.
//!
//! `cargo run -p perennial-billing --example nightly_report`
//!
//! The job of a merchant opens `Journal::open("sqlite:PATH")` and calls `night` once, from a timer.

use std::error::Error as StdError;
use std::process::ExitCode;

use chrono::{DateTime, Datelike, Days};
use perennial::clearent::{ApiKey, NewCustomer, NewToken};
use perennial::{BaseUrl, Clearent};
use perennial_billing::{Billing, Books, DayState, DueDay, DueDayFilter, Error, NewSubscription};
use perennial_journal::machine::Rules;
use perennial_journal::{Journal, ManualClock, Moment};
use perennial_sandbox::{Effect, Fault, Sandbox};

/// The state of a month after a night.
struct Report {
    books: Books,
    /// The differences of which no earlier night knew. Each is an event `books.difference` for other programs.
    new: u64,
    /// The days that are collected or need a person, with the ids of their subscriptions.
    open: Vec<(String, DueDay)>,
}

/// Does the work of a night, and reports the month of yesterday until today.
async fn night(billing: &Billing) -> Result<Report, Error> {
    while billing.work().await?.steps > 0 {}
    let today = billing.today().await?;
    let yesterday = today - Days::new(1);
    let first = yesterday.with_day(1).unwrap_or(yesterday);
    let books = billing.books(first..today).await?;
    let new = billing.record_differences(&books).await?;
    let mut filter = DueDayFilter::default();
    filter.states = DayState::CASES.to_vec();
    Ok(Report { books, new, open: billing.due_days(&filter).await? })
}

impl Report {
    fn print(&self) {
        let Books { expected, paid, recovered, waived, given_up, open, .. } = &self.books;
        println!("{} to {}", self.books.window.start, self.books.window.end);
        println!(
            "  {expected} expected: {paid} paid, {recovered} recovered, {waived} waived, {given_up} given up, {open} open"
        );
        println!("  {} differences, {} of them new", self.books.differences.len(), self.new);
        for difference in &self.books.differences {
            let id = difference.subscription.as_deref().unwrap_or("no subscription");
            println!("  difference: {} of {} at {id}", difference.class, difference.amount);
        }
        for (id, due) in &self.open {
            let reason = due.reason.as_deref().or(due.code.as_deref()).unwrap_or("no reason is known");
            println!("  open: {id} on {}, {} {}: {reason}", due.day, due.amount, due.state);
        }
    }

    fn exit(&self) -> u8 {
        u8::from(!self.books.are_closed() || !self.open.is_empty())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn StdError>> {
    let sandbox = Sandbox::start().await?;
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
        .environment(sandbox.base_url().parse::<BaseUrl>()?)
        .build()?;
    // The world of the sandbox begins on 2027-01-01.
    let clock = ManualClock::from(Moment::from_millis(1_798_761_600_000));
    let journal = Journal::open_with("sqlite::memory:", clock.clone(), Rules::default()).await?;
    let billing = Billing::open(&journal, &journal.clearent("north-street", &client).await?).await?;
    for id in ["M-1", "M-2", "M-3"] {
        billing.start(&member(&client, id).await?).await?;
    }
    night(&billing).await?.print();
    // The issuer declines one charge of January.
    let decline = Effect::Decline { result_code: "012".to_owned() };
    sandbox.fault(&Fault::on("engine.charge", decline).nth(2)).await?;

    // The period that passes, the sums of what was expected, paid, recovered and is open, and the exit status.
    let nights = [
        ("P14DT6H", "0.00 0.00 0.00 0.00", 0),
        ("P1D", "150.00 100.00 0.00 50.00", 1),
        ("P1D", "150.00 100.00 50.00 0.00", 0),
        ("P15D", "150.00 100.00 50.00 0.00", 0),
        ("P15D", "150.00 150.00 0.00 0.00", 0),
    ];
    let mut exit = 0;
    for (period, sums, status) in nights {
        let now = sandbox.advance(period).await?.now.to_string();
        clock.set(Moment::of_utc(DateTime::parse_from_rfc3339(&now)?.naive_utc()));
        let report = night(&billing).await?;
        report.print();
        exit = report.exit();
        let Books { expected, paid, recovered, open, .. } = &report.books;
        assert_eq!((format!("{expected} {paid} {recovered} {open}").as_str(), exit), (sums, status), "{now}");
    }
    Ok(ExitCode::from(exit))
}

/// A subscription of a new customer with a new card.
async fn member(client: &Clearent, id: &str) -> Result<NewSubscription, Box<dyn StdError>> {
    let customer = NewCustomer::builder().first_name("Ada").last_name("Byron").build()?;
    let customer = client.customers().create(&customer).await?.customer_key.clone();
    let card = NewToken::builder().card("4111111111111111").exp_date("1230").csc("999").description("card");
    let token = client.tokens().create(card.customer_key(&customer).build()?).await?.into_value().token_id;
    let token = token.ok_or("a token that was made has an id")?;
    Ok(NewSubscription::new(id, customer, token, "Gold membership", "50.00".parse()?, 15.try_into()?))
}

/// Holds: The example of a nightly report runs.
#[test]
fn it_runs() {
    assert_eq!(main().unwrap(), ExitCode::SUCCESS);
}
