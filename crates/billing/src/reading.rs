//! Charges of plans, read from the gateway by date window.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate};
use perennial::clearent::{
    Paging, PlanKey, Transaction, TransactionId, TransactionSearch, TransactionType, Verdict,
};
use perennial::{ErrorKind, Timestamp};

use crate::Error;
use crate::billing::{Billing, day_before, day_of, event};
use crate::life::{Reading, claim};
use crate::store::{Change, LATE, Which};

/// The beginning of a plan's key.
const PLAN: &str = "plan_";
/// The records of a page.
const PAGE: u32 = 100;
/// The days that are read once more, because a search may lack what is new.
const OVERLAP: Days = Days::new(3);
/// The tries to store what was read beside other processes.
const TRIES: u32 = 5;

/// A charge of a plan.
struct Read {
    id: TransactionId,
    term: i64,
    made: NaiveDate,
    result: Reading,
}

impl Billing {
    /// Reads the charges of plans since the last complete day, with some days before it; returns the number of new ones.
    pub(crate) async fn read(&self) -> Result<u64, Error> {
        let now = self.journal.now().await?;
        let until = self.store.read_until().await?;
        let search = TransactionSearch {
            start_date: Some((until - OVERLAP).to_string()),
            paging: Paging { page_size: Some(PAGE), ..Paging::default() },
            ..TransactionSearch::default()
        };
        let mut found = self.north.client().transactions().search(&search);
        let mut by_subscription: BTreeMap<String, Vec<Read>> = BTreeMap::new();
        let mut is_whole = true;
        while let Some(transaction) = found.next().await {
            let transaction = match transaction {
                Ok(transaction) => transaction,
                // A record that cannot be read may be the charge of a due day, so that no day is complete.
                Err(error) if error.kind() == ErrorKind::InvalidResponse => {
                    is_whole = false;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let Some(plan) = transaction.plan_key() else { continue };
            let found = match self.store.term_of_plan(&plan).await? {
                None if !plan.as_str().starts_with(PLAN) => self.term_of(&transaction).await,
                found => Ok(found),
            };
            let (uid, term) = match found {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(Some(error)) => return Err(error),
                Err(None) => {
                    is_whole = false;
                    continue;
                }
            };
            let read = match charge_of(&transaction, term) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                Err(Unplaced) => {
                    is_whole = false;
                    continue;
                }
            };
            if !self.store.knows_charge(read.id.as_str()).await? {
                by_subscription.entry(uid).or_default().push(read);
            }
        }
        is_whole &= !found.changed();
        let mut count = 0;
        for (uid, reads) in by_subscription {
            count += u64::try_from(reads.len()).unwrap_or(0);
            self.keep_charges(&uid, reads).await?;
        }
        // A day is complete an hour after its end, and only if the list did not change while it was read.
        let complete = day_before(day_of(hour_before(now)));
        if is_whole && complete > until {
            self.store.has_read_until(complete).await?;
        }
        Ok(count)
    }

    /// The term of a charge whose order id is the gateway's own: the only one of this customer with this amount on this day.
    /// `Err(None)` if there are several.
    async fn term_of(&self, transaction: &Transaction) -> Result<Option<(String, i64)>, Option<Error>> {
        let Some(customer) = &transaction.customer_id else { return Err(None) };
        let (Some(amount), Some(made)) =
            (transaction.amount, transaction.created.as_ref().and_then(Timestamp::date))
        else {
            return Err(None);
        };
        let made = made.naive();
        let terms = self.store.terms_of_customer(customer, amount, made).await.map_err(Some)?;
        // A due day was just before it, or is tomorrow.
        let is_due =
            |first: &NaiveDate| (made - LATE).iter_days().take(10).any(|day| day.day() == first.day());
        let mut terms: Vec<_> = terms.into_iter().filter(|(_, _, first)| is_due(first)).collect();
        let found = terms.pop().map(|(uid, number, _)| (uid, number));
        if terms.is_empty() { Ok(found) } else { Err(None) }
    }

    /// Looks at one plan, without a window, and stores the charges that are not known; returns whether there were any.
    pub(crate) async fn read_plan(&self, uid: &str, term: i64, plan: &PlanKey) -> Result<bool, Error> {
        let search = TransactionSearch { order_id: Some(plan.to_string()), ..TransactionSearch::default() };
        let mut reads = Vec::new();
        let mut found = self.north.client().transactions().search(&search);
        while let Some(transaction) = found.next().await.transpose()? {
            if transaction.plan_key().as_ref() != Some(plan) {
                continue;
            }
            let unclear = |_| Error::UnclearCharge(plan.to_string());
            if let Some(read) = charge_of(&transaction, term).map_err(unclear)?
                && !self.store.knows_charge(read.id.as_str()).await?
            {
                reads.push(read);
            }
        }
        let is_new = !reads.is_empty();
        if is_new {
            self.keep_charges(uid, reads).await?;
        }
        Ok(is_new)
    }

    /// Stores charges of one subscription with what they mean for its due days.
    async fn keep_charges(&self, uid: &str, mut reads: Vec<Read>) -> Result<(), Error> {
        reads.sort_by(|one, other| (one.made, &one.id).cmp(&(other.made, &other.id)));
        for _ in 0..TRIES {
            let now = self.journal.now().await?;
            let Some(subscription) = self.store.subscriptions(Which::Uid(uid), 1).await?.pop() else { break };
            let before = self.store.member(subscription).await?;
            let mut after = before.clone();
            let mut stored = Change::default();
            for read in &reads {
                if self.store.knows_charge(read.id.as_str()).await? {
                    continue;
                }
                let known = claim(&mut after, read.id.clone(), read.term, read.made, read.result.clone());
                let Some((charge, kind)) = known else { continue };
                stored.events.push(event(kind, &after.subscription, Some(charge.day)));
                stored.charges.push(charge);
            }
            if after == before {
                return Ok(());
            }
            after.subscription.next = Some(now);
            if self.store.save(&before, &after, stored, now).await? {
                return Ok(());
            }
        }
        Err(Error::Changed(uid.to_owned()))
    }
}

/// The charge of a transaction of a plan: `Err` if it cannot be placed on a day, `None` if it is no charge.
fn charge_of(transaction: &Transaction, term: i64) -> Result<Option<Read>, Unplaced> {
    if transaction.transaction_type.as_ref().is_some_and(|kind| *kind != TransactionType::SALE) {
        return Ok(None);
    }
    let result = match (transaction.verdict(), transaction.amount) {
        (Verdict::Approved, Some(amount)) => Reading::Approved(amount),
        (Verdict::Declined, _) => Reading::Declined(transaction.result_code.clone()),
        (Verdict::Undecided, _) | (Verdict::Approved, None) => Reading::Unclear,
    };
    let made = transaction.created.as_ref().and_then(Timestamp::date).ok_or(Unplaced)?.naive();
    let id = transaction.id.clone().ok_or(Unplaced)?;
    Ok(Some(Read { id, term, made, result }))
}

/// A charge without an id or a day.
struct Unplaced;

fn hour_before(now: perennial_journal::Moment) -> perennial_journal::Moment {
    perennial_journal::Moment::from_millis(now.as_millis().saturating_sub(3_600_000))
}
