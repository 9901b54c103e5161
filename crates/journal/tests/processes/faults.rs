//! Faults of the gateway at random: every kind that an honest gateway can have.

use std::time::Duration;

use fastrand::Rng;
use perennial_sandbox::{Effect, Fault, RetryAfter};

/// The writes of the decisions.
const WRITES: [&str; 8] = [
    "customers.create",
    "customers.update",
    "tokens.create",
    "plans.create",
    "plans.update",
    "transactions.sale",
    "clientpay-payments.create",
    "payers.create",
];

/// Returns a new set of faults. No effect comes later than the journal believes possible, and no search is staler than
/// that. A gateway that does one request twice is not among them: nothing under a gateway's clients can prevent that.
pub(crate) fn faults(rng: &mut Rng) -> Vec<Fault> {
    let mut faults = Vec::new();
    for write in WRITES {
        if rng.bool() {
            let is_charge = ["transactions.sale", "clientpay-payments.create"].contains(&write);
            let effect = of_write(rng, is_charge);
            faults.push(Fault::on(write, effect).probability(0.4).seed(rng.u64(..)));
        }
    }
    // The reads, and all exchanges for ids.
    faults.push(Fault::on("*", of_any(rng)).probability(0.05).seed(rng.u64(..)));
    faults
}

fn of_write(rng: &mut Rng, is_charge: bool) -> Effect {
    let status = [500, 502, 503, 504][rng.usize(..4)];
    match rng.u8(..10) {
        0 => Effect::ErrorBefore { status },
        1 => Effect::ErrorAfter { status },
        2 | 3 => Effect::DropReply,
        4 | 5 => Effect::LateCommit { delay: Duration::from_millis(rng.u64(1..300)) },
        6 => Effect::Delay { delay: Duration::from_millis(rng.u64(1..1_500)) },
        7 => Effect::CutReply { at_byte: rng.u64(0..40) },
        8 if is_charge => Effect::Decline { result_code: "012".into() },
        _ => Effect::ErrorBefore { status: [400, 402][rng.usize(..2)] },
    }
}

fn of_any(rng: &mut Rng) -> Effect {
    match rng.u8(..8) {
        0 => Effect::StaleRead,
        1 => Effect::RateLimit { retry_after: Some(RetryAfter::Seconds(1)) },
        2 => Effect::Garbage { body: "<html>busy</html>".into(), content_type: "text/html".into() },
        3 => Effect::SlowBody { bytes_per_second: 2_000 },
        4 => Effect::HugeBody { bytes: 100_000 },
        5 => Effect::EvictAccessId,
        6 => Effect::ErrorBefore { status: 503 },
        _ => Effect::DropReply,
    }
}
