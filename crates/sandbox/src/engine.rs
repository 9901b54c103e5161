//! The recurring engine: makes the payments that became due, each one exactly once and in one order, so that one jump
//! of the clock and many small steps leave the same world.
//!
//! Payments are made at 10:00 UTC of a plan's day, day by day and by plan key within a day. A plan takes part from
//! the first run after it was created, activated or changed: days that passed before are not caught up. Between two
//! days of payments, the open batch is settled when its time comes. A plan that was canceled is archived after 24
//! calendar months, from when on only the world's state knows it.

use std::ops::AddAssign;

use perennial_domain::clearent::{Plan, Transaction, TransactionType};
use perennial_domain::{Amount, NaiveDate};
use perennial_wire::clearent::Operation;
use rusqlite::Result;

use crate::clearent::checks;
use crate::clearent::outcome::{self, Outcome};
use crate::clock::Moment;
use crate::store::payment::Made;
use crate::store::plan::remaining;
use crate::world::Ledger;

/// How many payments were made, and how they went.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Fired {
    pub(crate) approved: u64,
    pub(crate) declined: u64,
}

impl Fired {
    pub(crate) fn payments(self) -> u64 {
        self.approved + self.declined
    }
}

impl AddAssign for Fired {
    fn add_assign(&mut self, more: Self) {
        self.approved += more.approved;
        self.declined += more.declined;
    }
}

/// The most payments that one world makes before others have their turn: one or two tenths of a second's work. Fewer
/// cost more each, because each commit writes the pages of all indexes again.
pub(crate) const SLICE: u64 = 2_000;

/// Makes this many of the payments that are due by the ledger's moment, and says when the last of them was made if more
/// are to come.
pub(crate) fn fire(ledger: &Ledger<'_>, most: u64) -> Result<(Fired, Option<Moment>)> {
    let (mut fired, mut last) = (Fired::default(), None);
    while let Some((plan, day)) = ledger.due(ledger.now.last_run())? {
        if fired.payments() == most {
            return Ok((fired, last));
        }
        let at = Moment::run_of(day);
        ledger.settle_due(at)?;
        if charge(ledger, &plan, day)? {
            fired.approved += 1;
        } else {
            fired.declined += 1;
        }
        last = Some(at);
    }
    ledger.settle_due(ledger.now)?;
    ledger.archive_due(ledger.now)?;
    Ok((fired, None))
}

/// Charges the plan's card for this day; whether that was approved.
fn charge(ledger: &Ledger<'_>, plan: &Plan, day: NaiveDate) -> Result<bool> {
    let at = Moment::run_of(day);
    let (Some(customer), Some(token_id)) = (&plan.customer_key, &plan.token_id) else {
        return Err(rusqlite::Error::InvalidQuery);
    };
    let amount = plan.payment_amount.unwrap_or(Amount::ZERO);
    let token = ledger.token(token_id)?;
    let hit = ledger.faults.hit(
        &ledger.key_hash,
        Operation::Sale.name(),
        |effect| effect.decline().is_some(),
        |key| [plan.plan_key.as_str(), customer.as_str(), token_id.as_str()].contains(&key),
    );
    let issuer = match (hit.and_then(|hit| hit.effect.decline()), &token) {
        (Some(declined), _) => declined,
        (None, None) => Outcome::ACCOUNT_NOT_FOUND,
        (None, Some(token)) => outcome::of_token(token, day).unwrap_or_else(|| outcome::of_amount(amount)),
    };
    let charge = Transaction {
        transaction_type: Some(TransactionType::SALE),
        amount: Some(amount),
        last_four: token.as_ref().and_then(|token| token.last_four_digits.clone()),
        card_type: token.as_ref().and_then(|token| token.card_type.clone()),
        exp_date: token.as_ref().and_then(|token| token.exp_date.clone()),
        order_id: Some(plan.plan_key.to_string()),
        customer_id: Some(customer.to_string()),
        email_address: plan.email_address.clone(),
        software_type: Some(Transaction::ENGINE.into()),
        plan_name: plan.plan_name.clone(),
        ..Transaction::default()
    };
    let address = match &token {
        Some(token) => checks::of_token(ledger, token)?,
        None => None,
    };
    let (record, _) = checks::book(ledger, charge, token.as_ref(), issuer, (address, None), at)?;
    let (Some(id), Some(status)) = (&record.id, &record.result) else {
        return Err(rusqlite::Error::InvalidQuery);
    };
    ledger.create_payment(&Made {
        plan: &plan.plan_key,
        customer,
        day,
        transaction: id,
        amount: record.amount.unwrap_or(amount),
        status,
        at,
    })?;
    if token.is_some() {
        ledger.use_token(token_id, at)?;
    }
    ledger.set_next_charge(&plan.plan_key, remaining(plan, at).next())?;
    Ok(record.is_approved())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use perennial_domain::clearent::{Frequency, FrequencyDay, PlanStatus};
    use rusqlite::Connection;

    use super::*;
    use crate::clock::Clock;
    use crate::fault::Faults;
    use crate::options::GatewayOptions;
    use crate::seed::Seed;
    use crate::store::Store;
    use crate::world::{Kind, Row, Start, Turned};

    static NO_FAULTS: LazyLock<Faults> = LazyLock::new(Faults::default);

    fn at(moment: &str) -> Moment {
        moment.parse().unwrap()
    }

    fn frozen(moment: &str) -> Clock {
        Clock::Frozen(at(moment))
    }

    /// A new world at the begin of 2027, opened.
    fn world(connection: &Connection, key: u8) -> Result<(Row, Ledger<'_>)> {
        let start = Start { clock: frozen("2027-01-01T00:00:00Z"), gateway: GatewayOptions::default() };
        let row = Row::create(connection, &[key; 32], None, Seed(7), start, true)?;
        let ledger = Ledger::open_unfired(connection, &row, Moment::first(), &NO_FAULTS);
        Ok((row, ledger))
    }

    /// A plan of 2027 that charges on this day of each month.
    fn plan(ledger: &Ledger<'_>, day: u32) -> Result<Plan> {
        let (number, plan_key) = ledger.next_plan_key()?;
        let plan = Plan {
            plan_key,
            plan_name: None,
            plan_type: None,
            customer_key: Some("cust_1".try_into().unwrap()),
            customer_name: None,
            token_id: Some("1100000000555551111".try_into().unwrap()),
            frequency: Some(Frequency::MONTHLY),
            frequency_day: Some(FrequencyDay::new(day).unwrap().into()),
            frequency_month: None,
            frequency_week: None,
            payment_amount: Some("50.00".try_into().unwrap()),
            start_date: Some("2027-01-01".try_into().unwrap()),
            end_date: Some("2027-12-31".try_into().unwrap()),
            status: Some(PlanStatus::ACTIVE),
            status_date: None,
            email_address: None,
            email_receipt: None,
            links: Vec::new(),
        };
        ledger.create_plan(number, &plan)?;
        Ok(plan)
    }

    #[tokio::test]
    async fn a_day_that_was_charged_is_never_due_again_even_if_the_clock_steps_back() {
        let store = Store::open(None).unwrap();
        let fired = store.run(|connection| {
            let (_, ledger) = world(connection, 1)?;
            let plan = plan(&ledger, 15)?;
            let (ledger, first) = ledger.turn(frozen("2027-01-15T10:00:00Z"), u64::MAX)?;
            let (ledger, _) = ledger.turn(frozen("2027-01-15T09:59:59Z"), u64::MAX)?;
            ledger.update_plan(&plan, &plan)?;
            let (ledger, again) = ledger.turn(frozen("2027-01-15T10:00:00Z"), u64::MAX)?;
            let (_, next) = ledger.turn(frozen("2027-02-15T10:00:00Z"), u64::MAX)?;
            Ok([first, again, next].map(|turned| turned.fired.payments()))
        });
        assert_eq!(fired.await.unwrap(), [1, 0, 1]);
    }

    #[tokio::test]
    async fn the_table_itself_refuses_a_second_payment_of_a_day() {
        let store = Store::open(None).unwrap();
        let refused = store.run(|connection| {
            let (_, ledger) = world(connection, 1)?;
            let plan = plan(&ledger, 15)?;
            let (ledger, _) = ledger.turn(frozen("2027-01-15T10:00:00Z"), u64::MAX)?;
            let day = ledger.now.date();
            let before = ledger.state()?;
            let again = ledger.attempt(|ledger| charge(ledger, &plan, day));
            assert_eq!(ledger.state()?, before);
            Ok(again.unwrap_err().to_string())
        });
        let told = refused.await.unwrap();
        assert!(told.contains("payments.plan_key, payments.frequency_date"), "{told}");
    }

    #[tokio::test]
    async fn what_became_due_as_the_clock_ran_is_made_before_anything_else_and_in_slices() {
        let store = Store::open(None).unwrap();
        let made = store.run(|connection| {
            let (mut row, ledger) = world(connection, 1)?;
            row.clock = Clock::Running(0);
            for day in [15, 15, 20] {
                plan(&ledger, day)?;
            }
            let mut made = Vec::new();
            for _ in 0..4 {
                let opened = Ledger::open(connection, &row, at("2027-05-01T00:00:00Z"), &NO_FAULTS, 5)?;
                made.push((ledger.standing(Kind::Payment)?, opened.is_some()));
            }
            Ok(made)
        });
        assert_eq!(made.await.unwrap(), [(5, false), (10, false), (12, true), (12, true)]);
    }

    #[tokio::test]
    async fn each_slice_of_a_turn_leaves_a_world_at_a_moment_of_its_own() {
        let store = Store::open(None).unwrap();
        let done = store.run(|connection| {
            let goal = frozen("2030-01-01T00:00:00Z");
            let begin = |key| {
                let (row, ledger) = world(connection, key)?;
                for day in [15, 15, 15, 20] {
                    plan(&ledger, day)?;
                }
                Ok::<_, rusqlite::Error>((row, ledger))
            };
            let (_, whole) = begin(0)?;
            let (whole, _) = whole.turn(goal, u64::MAX)?;
            for most in [1, 2, 5, 7, 48] {
                let (row, mut ledger) = begin(u8::try_from(most).expect("they are few"))?;
                loop {
                    let (next, Turned { settled, .. }) = ledger.turn(goal, most)?;
                    if settled {
                        assert_eq!((most, next.state()?), (most, whole.state()?));
                        break;
                    }
                    // Killed here, and opened again, the world is where it was left, and nothing of the future is there.
                    let made = "SELECT max(created) FROM payments WHERE world = ?";
                    let last: i64 = connection.query_row(made, [next.world], |row| row.get(0))?;
                    assert_eq!(next.now.millis(), last);
                    let hash = [u8::try_from(most).expect("they are few"); 32];
                    let kept = Row::find(connection, &hash)?.expect("it was made");
                    assert_eq!((kept.id, kept.clock), (row.id, next.clock));
                    ledger = Ledger::open_unfired(connection, &kept, next.real, &NO_FAULTS);
                }
            }
            Ok(())
        });
        done.await.unwrap();
    }
}
