//! `perennial due-days`: the days on which a charge of a subscription is due, and the result of each.

use std::str::FromStr;

use clap::{Args, Subcommand};
use perennial::clearent::{Transaction, TransactionId};
use perennial::transport::redact;
use perennial::{Amount, Date, NaiveDate};
use perennial_billing::{Charge, DayDecision, DayRefund, DayState, DueDayFilter};
use perennial_journal::Settled;

use super::journal::Decider;
use super::subscriptions::{Decided, Place, due_record};
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::output::{Output, Record, note};

/// Due days.
#[derive(Debug, Subcommand)]
pub(crate) enum DueDays {
    /// Lists due days by date; by default those that are open
    #[command(
        visible_alias = "search",
        after_help = "Without --id and --state, lists the days that are declined, collecting, missing, part or \
        needs-person. With --id, lists all days of the subscription.\n\n\
        Examples:\n  perennial due-days list\n  perennial due-days list --id M-1 --state paid"
    )]
    List(List),
    /// Collects a due day by a sale, as soon as no plan can charge it
    #[command(
        after_help = "For a day that is declined, missing, part, given-up, waived or needs-person. The sale is made now if the \
        plan of the day is closed, and by perennial work later if not.\n\n\
        Example:\n  perennial due-days collect M-1/2199-03-15 --reason 'the member called'"
    )]
    Collect(Decide),
    /// Does without what is not paid of a due day
    #[command(
        after_help = "Example:\n  perennial due-days waive M-1/2199-03-15 --reason 'the hall was closed'"
    )]
    Waive(Decide),
    /// Says that a transaction paid a due day, or refunded it
    #[command(
        after_help = "The transaction is read at the gateway: an approved sale that no other due day has, or a \
        refund of a charge of the day.\n\n\
        Example:\n  perennial due-days claim M-1/2199-03-15 --transaction 700001 --reason 'paid at the desk'"
    )]
    Claim(Claim),
    /// Refunds a charge of a due day, in whole or in part
    #[command(
        after_help = "The day stays paid; refunds are a sum of their own in the books. It exits with 75 while the outcome is \
        not known: the same command again is the same refund.\n\n\
        Example:\n  perennial due-days refund M-1/2199-03-15 --amount 10.00 --reason 'two days closed'"
    )]
    Refund(Refund),
    /// Enters that the member's bank took back the payment of a due day
    #[command(after_help = "Nothing is changed at the gateway, and nothing is charged again.\n\n\
        Example:\n  perennial due-days dispute M-1/2199-03-15 --reason 'chargeback 4853'")]
    Dispute(Decide),
}

/// The due day of a subscription.
#[derive(Debug, Clone)]
struct Due {
    id: String,
    day: NaiveDate,
}

impl FromStr for Due {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let due = text.rsplit_once('/').and_then(|(id, day)| Some((id, day.parse::<Date>().ok()?)));
        let (id, day) =
            due.filter(|(id, _)| !id.is_empty()).ok_or("give the id and the day: M-1/2199-03-15")?;
        Ok(Self { id: id.to_owned(), day: day.naive() })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// The id of the subscription and the day, as in M-1/2199-03-15
    #[arg(value_name = "ID/DAY")]
    due: Due,
    #[command(flatten)]
    decider: Decider,
    #[command(flatten)]
    decided: Decided,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Claim {
    /// The transaction
    #[arg(long, value_name = "ID")]
    transaction: TransactionId,
    #[command(flatten)]
    decide: Decide,
}

#[derive(Debug, Args)]
pub(crate) struct Refund {
    /// The amount; the default is all that is left of the charge
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<Amount>,
    /// The charge, if the day has several
    #[arg(long, value_name = "ID")]
    transaction: Option<TransactionId>,
    #[command(flatten)]
    decide: Decide,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Due days of this subscription
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Due days in this state: expected, paid, declined, collecting, recovered, part, missing, waived, given-up,
    /// needs-person; may be repeated
    #[arg(long, value_name = "STATE")]
    state: Vec<DayState>,
    /// The number of due days
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    place: Place,
}

/// Columns of a list of due days, the most important first.
const DUE_DAYS: &[&str] =
    &["subscription", "day", "state", "payment-amount", "next-try", "result-code", "reason", "route"];
/// Other members of a due day.
const MORE: &[&str] = &["paid", "tries"];

/// Columns of the charges of a due day, the most important first.
const CHARGES: &[&str] = &["transaction", "claim", "amount", "made", "of"];

fn charge_record(charge: &Charge) -> Record {
    Record::default()
        .with("transaction", charge.id.clone())
        .with("claim", charge.claim.as_str())
        .with("amount", charge.amount)
        .with("made", charge.made.to_string())
        .with("of", charge.of.clone())
}

impl DueDays {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(global).await,
            Self::Collect(decide) => decide.run(global, &DayDecision::Collect).await,
            Self::Waive(decide) => decide.run(global, &DayDecision::Waive).await,
            Self::Claim(Claim { transaction, decide }) => {
                decide.run(global, &DayDecision::Claim(transaction)).await
            }
            Self::Refund(refund) => refund.run(global).await,
            Self::Dispute(decide) => decide.run(global, &DayDecision::Dispute).await,
        }
    }
}

impl List {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self { id, state, limit, place } = self;
        let opened = place.open(global, &global.client().await?).await?;
        if let Some(id) = &id {
            opened.billing.show(id).await?;
        }
        let mut filter = DueDayFilter::default();
        (filter.states, filter.limit) = (state, limit);
        if filter.states.is_empty() && id.is_none() {
            filter.states = DayState::CASES.to_vec();
        }
        filter.id = id;
        let days = opened.billing.due_days(&filter).await?;
        let rows = days.iter().map(|(id, due)| due_record(Some(id), due)).collect();
        global.output.rows_with(DUE_DAYS, MORE, rows)
    }
}

impl Decide {
    async fn run(self, global: &Global, decision: &DayDecision) -> Result<(), Failure> {
        let Self { due: Due { id, day }, decider, decided, place } = self;
        let by = decider.by()?;
        let opened = place.open(global, &global.client().await?).await?;
        if global.dry_run.is_on() {
            let after = opened.billing.preview_day(&id, day, decision).await?;
            return DryRun::print(global.output, due_record(Some(&id), &after));
        }
        global.interrupt.under(&format!("subscriptions/{id}"));
        let once = decided.once(&opened.billing, global).await?;
        once.taken(once.billing.decide_day(&id, day, decision, by).await)?;
        let is_collected = *decision == DayDecision::Collect;
        let worked = if is_collected { opened.billing.work_on(&id).await.map(drop) } else { Ok(()) };
        let (due, _) = opened.billing.due_day(&id, day).await?;
        global.output.record(&due_record(Some(&id), &due))?;
        let why = match worked {
            Err(error) => format!("the work on it is not complete: {}", Failure::from(error).of_step()),
            Ok(()) if due.was.is_some() => "the outcome of its sale is not known yet".to_owned(),
            Ok(()) => {
                if is_collected && due.next_try.is_some() && global.output == Output::Table {
                    let work = place.work(global);
                    note(&format!("the sale follows when its plan is closed, and is made by: {work}"));
                }
                return Ok(());
            }
        };
        Err(opened.unsettled(&place, global, &format!("{id}/{day}"), &why).await)
    }
}

impl Refund {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self { amount, transaction, decide: Decide { due: Due { id, day }, decider, decided, place } } =
            self;
        let by = decider.by()?;
        let opened = place.open(global, &global.client().await?).await?;
        let refund = DayRefund { transaction, amount };
        if global.dry_run.is_on() {
            let charge = opened.billing.preview_refund(&id, day, &refund).await?;
            let record = Record::default().with("subscription", id.as_str()).with("day", day.to_string());
            let record = record.with("transaction", charge.of).with("amount", charge.amount);
            return DryRun::print(global.output, record);
        }
        global.interrupt.under(&format!("subscriptions/{id}"));
        let due = format!("{id}/{day}");
        let once = decided.once(&opened.billing, global).await?;
        match once.taken(once.billing.refund(&id, day, &refund, by).await)? {
            Settled::Done { .. } => {
                let (_, charges) = opened.billing.due_day(&id, day).await?;
                global.output.rows(CHARGES, charges.iter().map(charge_record).collect())
            }
            Settled::Declined { value } => {
                let decline = value.as_ref().and_then(Transaction::decline);
                let (message, code) = decline.map_or((None, None), |decline| (decline.message, decline.code));
                Err(Failure::Declined { message, code, exchange_id: None })
            }
            Settled::Refused { reason } | Settled::Withdrawn { reason } => {
                Err(Failure::Refused(format!("{}. Nothing was refunded", redact::text(&reason))))
            }
            Settled::Open(waits) | Settled::NeedsPerson(waits) => {
                let reason = redact::text(&waits.reason);
                let show = place.show_intent(global, &waits.intent);
                let why = format!("its refund has no outcome yet: {reason}; it is explained by: {show}\n");
                Err(opened.unsettled(&place, global, &due, &why).await)
            }
            _ => Err(Failure::Unexpected("the journal reports an outcome that is not known here")),
        }
    }
}
