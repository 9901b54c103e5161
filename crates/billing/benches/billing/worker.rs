//! The processes that are measured.

use std::fmt;
use std::process::Command;
use std::time::Instant;

use chrono::{Days, Months};
use cpu_time::ProcessTime;
use perennial::clearent::{NewCustomer, NewToken};
use perennial_billing::{Billing, NewSubscription};
use perennial_domain::NaiveDate;
use perennial_journal::machine::Rules;
use perennial_journal::{Journal, Moment, ShiftedClock};

use crate::gateway::{self, CHILD};

/// The variables with the URL of the database, and the day, counted from the first.
const DATABASE: &str = "PERENNIAL_BENCH_DATABASE";
const NIGHT: &str = "PERENNIAL_BENCH_NIGHT";

/// The work of a process.
pub(crate) enum Work {
    /// Everything that is due, and the books of the day before.
    Night,
    /// Starts of this many subscriptions.
    Starts(usize),
    /// The books of the month before.
    Books,
}

impl Work {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Night => "night".to_owned(),
            Self::Starts(count) => count.to_string(),
            Self::Books => "books".to_owned(),
        }
    }
}

/// The figures of a process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) cpu_ms: u64,
    pub(crate) wall_ms: u64,
    pub(crate) peak_kib: u64,
    pub(crate) requests: u64,
    pub(crate) steps: u64,
    pub(crate) charges: u64,
    pub(crate) differences: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu_ms, wall_ms, peak_kib, requests, steps, charges, differences } = self;
        write!(
            f,
            "cpu-ms={cpu_ms} wall-ms={wall_ms} peak-kib={peak_kib} requests={requests} steps={steps} charges={charges} \
             differences={differences}"
        )
    }
}

impl Figures {
    fn each(&mut self) -> [&mut u64; 7] {
        let Self { cpu_ms, wall_ms, peak_kib, requests, steps, charges, differences } = self;
        [cpu_ms, wall_ms, peak_kib, requests, steps, charges, differences]
    }

    /// Runs a process, and reads what it prints.
    pub(crate) fn of(mut process: Command, database: &str, night: u64) -> Self {
        let output = process.env(DATABASE, database).env(NIGHT, night.to_string()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let line = String::from_utf8(output.stdout).unwrap();
        let numbers = line.split_whitespace().map(|pair| pair.split_once('=').unwrap().1.parse().unwrap());
        let mut figures = Self::default();
        figures.each().into_iter().zip(numbers).for_each(|(figure, number)| *figure = number);
        figures
    }

    /// The median of each figure.
    pub(crate) fn median(runs: &[Self]) -> Self {
        let mut median = Self::default();
        for (index, figure) in median.each().into_iter().enumerate() {
            let mut values: Vec<_> = runs.iter().map(|run| *{ *run }.each()[index]).collect();
            values.sort_unstable();
            *figure = values[values.len() / 2];
        }
        median
    }
}

/// The peak of the resident memory in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Two o'clock after this many days, when the day before is complete.
pub(crate) fn two_o_clock(night: u64) -> (NaiveDate, Moment) {
    let day = "2027-01-01".parse::<NaiveDate>().unwrap() + Days::new(night);
    (day, Moment::of_utc(day.and_hms_opt(2, 0, 0).unwrap()))
}

async fn work_until_idle(billing: &Billing, figures: &mut Figures) {
    loop {
        let worked = billing.work().await.unwrap();
        figures.steps += worked.steps;
        figures.charges += worked.charges;
        if worked.steps == 0 {
            return;
        }
    }
}

/// Does the work that the variables name, and prints its figures.
pub(crate) async fn child() {
    let (client, requests) = gateway::of_parent();
    let (today, now) = two_o_clock(std::env::var(NIGHT).unwrap().parse().unwrap());
    let (mut wall, mut cpu) = (Instant::now(), None);
    let database = std::env::var(DATABASE).unwrap();
    let journal = Journal::open_with(&database, ShiftedClock::from(now), Rules::default()).await.unwrap();
    let north = journal.clearent("north-street", &client).await.unwrap();
    let billing = Billing::open(&journal, &north).await.unwrap();
    let mut figures = Figures::default();
    match std::env::var(CHILD).unwrap().as_str() {
        "night" => {
            work_until_idle(&billing, &mut figures).await;
            let yesterday = today - Days::new(1);
            figures.differences = billing.books(yesterday..today).await.unwrap().differences.len() as u64;
        }
        "books" => {
            let books = billing.books(today - Months::new(1)..today).await.unwrap();
            (figures.differences, figures.charges) = (books.differences.len() as u64, books.read);
        }
        count => {
            let mut new = Vec::new();
            for number in 0..count.parse().unwrap() {
                let member = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
                let customer = client.customers().create(&member).await.unwrap().customer_key.clone();
                let card = NewToken::builder()
                    .card("4111111111111111")
                    .exp_date("1239")
                    .csc("999")
                    .description("card");
                let card = card.customer_key(&customer).build().unwrap();
                let token = client.tokens().create(card).await.unwrap().token_id.clone().unwrap();
                let (amount, day) = ("50.00".parse().unwrap(), (1 + number % 28).try_into().unwrap());
                let id = format!("N-{number}");
                let started = NewSubscription::new(id, customer, token, "Gold", amount, day);
                new.push(started.from(today + Days::new(30)));
            }
            (wall, cpu) = (Instant::now(), Some(ProcessTime::now()));
            requests.store(0, std::sync::atomic::Ordering::Relaxed);
            for subscription in &new {
                billing.start(subscription).await.unwrap();
            }
            figures.charges = wall.elapsed().as_millis() as u64;
            work_until_idle(&billing, &mut figures).await;
        }
    }
    let spent = cpu.map_or_else(|| ProcessTime::now().as_duration(), |cpu| cpu.elapsed());
    figures.cpu_ms = spent.as_millis() as u64;
    figures.wall_ms = wall.elapsed().as_millis() as u64;
    figures.peak_kib = peak();
    figures.requests = requests.load(std::sync::atomic::Ordering::Relaxed);
    println!("{figures}");
}
