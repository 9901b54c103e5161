//! The recurring engine: makes the due payments, each exactly once and in one order, so that one jump
//! of the clock and many small steps produce equal worlds.
//!
//! Payments are made at one hour of a plan's day, day by day and by plan key within a day. A plan takes part from
//! the first run after it was created, activated or changed: earlier days are not caught up, unless the gateway's options
//! say so. Charges that wait, such as further tries of a declined one, are made at their moments. Between two
//! days of payments, the open batch is settled at its time. A canceled plan is archived after 24
//! calendar months; after that only the world's state shows it.

use std::ops::AddAssign;

use perennial_domain::clearent::{CustomerKey, Plan, PlanStatus, TokenId, Transaction, TransactionType};
use perennial_domain::{Amount, NaiveDate};
use perennial_wire::clearent::Operation;
use rusqlite::{Connection, Result};

use crate::clock::{Goal, Moment};
use crate::fault::{CHARGE, Effect, Faults};
use crate::issuer::outcome::{self, Outcome};
use crate::options::{DeclineRetries, PlanChargeOrderId};
use crate::processor::checks;
use crate::store::payment::PlanPayment;
use crate::store::plan::remaining;
use crate::store::session::Session;
use crate::store::waiting_charge::PlanCharge;
use crate::store::world::WorldRow;

/// Counts of the payments made and their results.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct PaymentCounts {
    pub(crate) approved: u64,
    pub(crate) declined: u64,
}

impl PaymentCounts {
    pub(crate) fn payments(self) -> u64 {
        self.approved + self.declined
    }
}

impl AddAssign for PaymentCounts {
    fn add_assign(&mut self, more: Self) {
        self.approved += more.approved;
        self.declined += more.declined;
    }
}

/// The maximum number of payments that one world makes before other worlds run: 0.1 to 0.2 seconds of work. Smaller
/// slices cost more per payment, because each commit writes the pages of all indexes again.
pub(crate) const SLICE: u64 = 2_000;

/// The result of moving a clock.
#[derive(Clone, Copy)]
pub(crate) struct ClockChangeResult {
    pub(crate) fired: PaymentCounts,
    /// Whether all due work is done.
    pub(crate) settled: bool,
}

/// Opens a world after making the payments that became due, up to this many. Returns no session if more are
/// due.
pub(crate) fn open<'c>(
    connection: &'c Connection,
    row: &WorldRow,
    real: Moment,
    faults: &Faults,
    most: u64,
) -> Result<Option<Session<'c>>> {
    let session = Session::open(connection, row, real);
    let (_, more) = fire(&session, faults, most)?;
    Ok(more.is_none().then_some(session))
}

/// Sets the world's clock and makes the payments that are due by then, up to this many. If more are due, the
/// clock stops at the last one made. The webhook endpoint gets the alerts of each run before the next run, unless
/// the caller does not wait for it.
pub(crate) fn change_clock<'c>(
    session: Session<'c>,
    faults: &Faults,
    to: impl Into<Goal>,
    most: u64,
    waits_for_endpoint: bool,
) -> Result<(Session<'c>, ClockChangeResult)> {
    let Goal { clock, month_day } = to.into();
    let goal = clock.now(session.real);
    let now = if waits_for_endpoint { stop_before(&session, goal)? } else { goal.max(session.now) };
    let moved = session.at(clock.set(now, session.real), now);
    let (fired, last) = fire(&moved, faults, most)?;
    let clock = clock.set(last.map_or(now, |last| last.max(session.now)), session.real);
    let settled = last.is_none() && now == goal;
    let session = session.set_clock(clock, month_day.filter(|_| settled))?;
    Ok((session, ClockChangeResult { fired, settled }))
}

/// The first stop on the way to this moment. A world with a webhook stops at every alert, so that its endpoint
/// receives the alert at that time, before anything later happens.
fn stop_before(session: &Session<'_>, goal: Moment) -> Result<Moment> {
    let run = match session.webhook()? {
        Some(_) => next(session, goal)?.map(|(at, _)| at),
        None => None,
    };
    let stops = [run, session.next_delivery()?].into_iter().flatten();
    Ok(stops.fold(goal, Moment::min).max(session.now))
}

/// Charges that are due at one moment.
enum Due {
    /// The charges of the plans that charge on this day.
    Day(NaiveDate),
    /// One that waited.
    Waiting(PlanCharge),
}

/// The first charges that are due by this moment. Those of a day are made before the ones that wait for its moment, and a
/// plan's next day comes later, so that a day's plans are all known when its first one charges.
fn next(session: &Session<'_>, by: Moment) -> Result<Option<(Moment, Due)>> {
    let hour = session.gateway.charge_hour;
    let day = session.due_day(by.last_run(hour))?.map(|day| (Moment::run_of(day, hour), Due::Day(day)));
    let waiting = session.waiting_charge(by)?.map(|charge| (charge.at, Due::Waiting(charge)));
    Ok([day, waiting].into_iter().flatten().min_by_key(|(at, _)| *at))
}

/// Makes up to this many of the payments that are due by the session's moment. If more are due, also returns the time
/// of the last one made.
fn fire(session: &Session<'_>, faults: &Faults, most: u64) -> Result<(PaymentCounts, Option<Moment>)> {
    session.in_slice(|session| {
        let (mut fired, mut last) = (PaymentCounts::default(), None);
        while let Some((at, due)) = next(session, session.now)? {
            if fired.payments() >= most {
                return Ok((fired, last));
            }
            session.settle_due(at)?;
            fired += match due {
                Due::Day(day) => charge_day(session, faults, day, at, most - fired.payments())?,
                Due::Waiting(charge) => charge_waiting(session, faults, &charge)?,
            };
            last = Some(at);
        }
        session.settle_due(session.now)?;
        session.archive_due(session.now)?;
        Ok((fired, None))
    })
}

/// Makes up to this many payments of the plans that charge on a day.
fn charge_day(
    session: &Session<'_>,
    faults: &Faults,
    day: NaiveDate,
    at: Moment,
    most: u64,
) -> Result<PaymentCounts> {
    let mut fired = PaymentCounts::default();
    for (number, plan) in session.due_plans(day, most)? {
        if fired.payments() >= most {
            break;
        }
        session.set_next_charge(number, remaining(&plan, at, &session.gateway).next())?;
        let due = PlanCharge { plan: plan.plan_key.clone(), day, at, retries: 0, is_late: false };
        fired += charge(session, faults, &plan, &due, 0)?;
    }
    Ok(fired)
}

/// Makes a charge that waited, if its plan may still charge.
fn charge_waiting(session: &Session<'_>, faults: &Faults, due: &PlanCharge) -> Result<PaymentCounts> {
    session.take_waiting_charge(due)?;
    session.archive_due(due.at)?;
    let charges = |plan: &Plan| match &plan.status {
        Some(status) if *status == PlanStatus::ACTIVE => true,
        Some(status) => *status == PlanStatus::CANCELED && session.gateway.decline_retries.after_cancel,
        None => false,
    };
    let Some(plan) = session.plan(&due.plan)?.filter(charges) else { return Ok(PaymentCounts::default()) };
    let attempt = session.count_payments_of_day(&due.plan, due.day)?;
    charge(session, faults, &plan, due, attempt)
}

/// Makes a charge of a plan, after this many others for the day, unless a fault changes that. A charge that is not
/// approved is tried again, if the gateway does so.
fn charge(
    session: &Session<'_>,
    faults: &Faults,
    plan: &Plan,
    due: &PlanCharge,
    attempt: u64,
) -> Result<PaymentCounts> {
    let mut fired = PaymentCounts::default();
    let hit = faults.hit(&session.key_hash, CHARGE, |_| !due.is_late, |key| names(plan, key));
    let effect = hit.map(|hit| hit.effect);
    match &effect {
        Some(Effect::Skip) => return Ok(fired),
        Some(Effect::ChargeLate { delay }) => {
            // Beyond the calendar nothing is ever due.
            if let Ok(at) = delay.parse().and_then(|delay| due.at.after(delay)) {
                session.put_off_charge(&PlanCharge { at, is_late: true, ..due.clone() })?;
            }
            return Ok(fired);
        }
        _ => {}
    }
    let declined = effect.as_ref().and_then(Effect::decline);
    let DeclineRetries { times, every, .. } = session.gateway.decline_retries;
    if pay(session, faults, plan, due, attempt, declined)? {
        fired.approved += 1;
    } else {
        fired.declined += 1;
        if due.retries < times
            && let Ok(at) = due.at.after(every)
        {
            let retries = due.retries + 1;
            session.put_off_charge(&PlanCharge { at, retries, is_late: false, ..due.clone() })?;
        }
    }
    if effect == Some(Effect::Duplicate) {
        if pay(session, faults, plan, due, attempt + 1, None)? {
            fired.approved += 1;
        } else {
            fired.declined += 1;
        }
    }
    Ok(fired)
}

/// Whether the key is that of the plan, its customer or its token.
fn names(plan: &Plan, key: &str) -> bool {
    let customer = plan.customer_key.as_ref().map(CustomerKey::as_str);
    let token = plan.token_id.as_ref().map(TokenId::as_str);
    [Some(plan.plan_key.as_str()), customer, token].contains(&Some(key))
}

/// Charges the plan's card, unless a fault of the engine declines the charge; returns whether it was approved.
fn pay(
    session: &Session<'_>,
    faults: &Faults,
    plan: &Plan,
    due: &PlanCharge,
    attempt: u64,
    declined: Option<Outcome>,
) -> Result<bool> {
    let PlanCharge { day, at, .. } = *due;
    let (Some(customer), Some(token_id)) = (&plan.customer_key, &plan.token_id) else {
        return Err(rusqlite::Error::InvalidQuery);
    };
    let amount = plan.payment_amount.unwrap_or(Amount::ZERO);
    let token = session.token(token_id)?;
    let hit = faults.hit(
        &session.key_hash,
        Operation::Sale.name(),
        |effect| effect.decline().is_some(),
        |key| names(plan, key),
    );
    let issuer = match (declined.or(hit.and_then(|hit| hit.effect.decline())), &token) {
        (Some(declined), _) => declined,
        (None, None) => Outcome::ACCOUNT_NOT_FOUND,
        (None, Some(token)) => {
            outcome::of_token(token, at.date()).unwrap_or_else(|| outcome::of_amount(amount))
        }
    };
    let charge = Transaction {
        transaction_type: Some(TransactionType::SALE),
        amount: Some(amount),
        last_four: token.as_ref().and_then(|token| token.last_four_digits.clone()),
        card_type: token.as_ref().and_then(|token| token.card_type.clone()),
        exp_date: token.as_ref().and_then(|token| token.exp_date.clone()),
        order_id: Some(match session.gateway.plan_charge_order_id {
            PlanChargeOrderId::PlanKey => plan.plan_key.to_string(),
            PlanChargeOrderId::OwnId => session.seed.uuid(&format!("order {} {day}", plan.plan_key), attempt),
        }),
        customer_id: Some(customer.to_string()),
        email_address: plan.email_address.clone(),
        software_type: Some(Transaction::ENGINE.into()),
        plan_name: plan.plan_name.clone(),
        ..Transaction::default()
    };
    let address = match &token {
        Some(token) => checks::of_token(session, token)?,
        None => None,
    };
    let (record, _) = checks::book(session, charge, token.as_ref(), issuer, (address, None), at)?;
    let (Some(id), Some(status)) = (&record.id, &record.result) else {
        return Err(rusqlite::Error::InvalidQuery);
    };
    session.create_payment(&PlanPayment {
        plan: &plan.plan_key,
        customer,
        day,
        attempt,
        transaction: id,
        amount: record.amount.unwrap_or(amount),
        status,
        at,
    })?;
    if token.is_some() {
        session.use_token(token_id, at)?;
    }
    Ok(record.is_approved())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::LazyLock;

    use perennial_domain::clearent::{Frequency, FrequencyDay};
    use rusqlite::Connection;
    use rusqlite::trace::TraceEventCodes;

    use super::*;
    use crate::clock::Clock;
    use crate::engine::ClockChangeResult;
    use crate::fault::Faults;
    use crate::options::GatewayOptions;
    use crate::seed::Seed;
    use crate::store::Store;
    use crate::store::token::{Card, Tokenised};
    use crate::store::world::{Kind, Start, WorldRow};

    static NO_FAULTS: LazyLock<Faults> = LazyLock::new(Faults::default);

    fn at(moment: &str) -> Moment {
        moment.parse().unwrap()
    }

    fn frozen(moment: &str) -> Clock {
        Clock::Frozen(at(moment))
    }

    /// Opens a new world at the start of 2027.
    fn world(connection: &Connection, key: u8) -> Result<(WorldRow, Session<'_>)> {
        let start = Start { clock: frozen("2027-01-01T00:00:00Z"), gateway: GatewayOptions::default() };
        let row = WorldRow::create(connection, &[key; 32], None, Seed(7), start, true)?;
        let session = Session::open(connection, &row, Moment::first());
        Ok((row, session))
    }

    /// Creates a plan of 2027 that charges on this day of each month.
    fn plan(session: &Session<'_>, day: u32) -> Result<Plan> {
        let (number, plan_key) = session.next_plan_key()?;
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
        session.create_plan(number, &plan)?;
        Ok(plan)
    }

    #[tokio::test]
    async fn a_day_that_was_charged_is_never_due_again_even_if_the_clock_steps_back() {
        let store = Store::open(None).unwrap();
        let fired = store.run(|connection| {
            let (_, session) = world(connection, 1)?;
            let plan = plan(&session, 15)?;
            let (session, first) =
                change_clock(session, &NO_FAULTS, frozen("2027-01-15T10:00:00Z"), u64::MAX, true)?;
            let (session, _) =
                change_clock(session, &NO_FAULTS, frozen("2027-01-15T09:59:59Z"), u64::MAX, true)?;
            session.update_plan(&plan, &plan)?;
            let (session, again) =
                change_clock(session, &NO_FAULTS, frozen("2027-01-15T10:00:00Z"), u64::MAX, true)?;
            let (_, next) =
                change_clock(session, &NO_FAULTS, frozen("2027-02-15T10:00:00Z"), u64::MAX, true)?;
            Ok([first, again, next].map(|result| result.fired.payments()))
        });
        assert_eq!(fired.await.unwrap(), [1, 0, 1]);
    }

    /// Holds: The payments table refuses a second payment of a plan on a day.
    #[tokio::test]
    async fn the_table_itself_refuses_a_second_payment_of_a_day() {
        let store = Store::open(None).unwrap();
        let refused = store.run(|connection| {
            let (_, session) = world(connection, 1)?;
            let plan = plan(&session, 15)?;
            let (session, _) =
                change_clock(session, &NO_FAULTS, frozen("2027-01-15T10:00:00Z"), u64::MAX, true)?;
            let due = PlanCharge {
                plan: plan.plan_key.clone(),
                day: session.now.date(),
                at: session.now,
                retries: 0,
                is_late: false,
            };
            let before = session.state()?;
            let again = session.attempt(|session| charge(session, &NO_FAULTS, &plan, &due, 0));
            assert_eq!(session.state()?, before);
            Ok(again.unwrap_err().to_string())
        });
        let message = refused.await.unwrap();
        assert!(message.contains("payments.frequency_date, payments.plan_key"), "{message}");
    }

    /// Holds: Payments that became due as the clock ran are made before any other work in the world, in
    /// slices.
    #[tokio::test]
    async fn what_became_due_as_the_clock_ran_is_made_before_anything_else_and_in_slices() {
        let store = Store::open(None).unwrap();
        let steps = store.run(|connection| {
            let (mut row, session) = world(connection, 1)?;
            row.clock = Clock::Running(0);
            for day in [15, 15, 20] {
                plan(&session, day)?;
            }
            let mut steps = Vec::new();
            for _ in 0..4 {
                let opened = super::open(connection, &row, at("2027-05-01T00:00:00Z"), &NO_FAULTS, 5)?;
                steps.push((session.count_of(Kind::Payment)?, opened.is_some()));
            }
            Ok(steps)
        });
        assert_eq!(steps.await.unwrap(), [(5, false), (10, false), (12, true), (12, true)]);
    }

    thread_local! {
        static STATEMENTS: Cell<u64> = const { Cell::new(0) };
    }

    /// Holds: A payment of a plan costs five statements: it reads its token, and writes the plan, the transaction, the
    /// payment and the token.
    #[tokio::test]
    async fn a_payment_costs_five_statements() {
        const PLANS: u64 = 200;
        let store = Store::open(None).unwrap();
        let ran = store.run(|connection| {
            let (_, session) = world(connection, 1)?;
            for _ in 0..PLANS {
                let card = Card {
                    brand: None,
                    last_four: "1111".to_owned(),
                    exp_date: Some("1240".try_into().unwrap()),
                };
                let token = session.create_token(Tokenised {
                    card,
                    customer_key: None,
                    description: None,
                    avs_address: None,
                    avs_zip: None,
                    avs_required: false,
                })?;
                let old = plan(&session, 15)?;
                session.update_plan(&old, &Plan { token_id: token.token_id, ..old.clone() })?;
            }
            let mut ran = Vec::new();
            for goal in ["2027-01-15T10:00:00Z", "2027-02-15T10:00:00Z"] {
                let session = session.at(session.clock, session.now);
                connection.trace_v2(
                    TraceEventCodes::SQLITE_TRACE_STMT,
                    Some(|_| STATEMENTS.set(STATEMENTS.get() + 1)),
                );
                let (_, result) = change_clock(session, &NO_FAULTS, frozen(goal), u64::MAX, true)?;
                connection.trace_v2(TraceEventCodes::empty(), None);
                ran.push((result.fired, STATEMENTS.take()));
            }
            Ok(ran)
        });
        for (fired, statements) in ran.await.unwrap() {
            assert_eq!(fired, PaymentCounts { approved: PLANS, declined: 0 });
            // Those of the slice itself are few.
            let of_slice = statements.checked_sub(5 * PLANS);
            assert!(of_slice.is_some_and(|few| few <= 20), "{statements} statements for {PLANS} payments");
        }
    }

    #[tokio::test]
    async fn each_slice_of_a_clock_change_leaves_a_world_at_a_moment_of_its_own() {
        let store = Store::open(None).unwrap();
        let done = store.run(|connection| {
            let goal = frozen("2030-01-01T00:00:00Z");
            let begin = |key| {
                let (row, session) = world(connection, key)?;
                for day in [15, 15, 15, 20] {
                    plan(&session, day)?;
                }
                Ok::<_, rusqlite::Error>((row, session))
            };
            let (_, whole) = begin(0)?;
            let (whole, _) = change_clock(whole, &NO_FAULTS, goal, u64::MAX, true)?;
            for most in [1, 2, 5, 7, 48] {
                let (row, mut session) = begin(u8::try_from(most).expect("they are few"))?;
                loop {
                    let (next, ClockChangeResult { settled, .. }) =
                        change_clock(session, &NO_FAULTS, goal, most, true)?;
                    if settled {
                        assert_eq!((most, next.state()?), (most, whole.state()?));
                        break;
                    }
                    // Killed here, and opened again, the world is where it was left, and nothing of the future is there.
                    let sql = "SELECT max(created) FROM payments WHERE world = ?";
                    let last: i64 = connection.query_row(sql, [next.world], |row| row.get(0))?;
                    assert_eq!(next.now.millis(), last);
                    let hash = [u8::try_from(most).expect("they are few"); 32];
                    let stored = WorldRow::find(connection, &hash)?.expect("it was made");
                    assert_eq!((stored.id, stored.clock), (row.id, next.clock));
                    session = Session::open(connection, &stored, next.real);
                }
            }
            Ok(())
        });
        done.await.unwrap();
    }
}
