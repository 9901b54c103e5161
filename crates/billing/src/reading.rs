//! Charges of plans, read from the gateway by date window.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate};
use perennial::clearent::{
    Paging, PlanKey, Transaction, TransactionId, TransactionSearch, TransactionType, Verdict,
};
use perennial::{Date, ErrorKind, Timestamp};

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
pub(crate) struct Read {
    id: TransactionId,
    term: i64,
    made: NaiveDate,
    result: Reading,
}

impl Read {
    /// The day on which it was made.
    pub(crate) fn made(&self) -> NaiveDate {
        self.made
    }
}

/// The place of a transaction among the due days of the tenant.
pub(crate) enum Placed {
    /// It is a charge of this subscription.
    Of(String, Read),
    /// It is no charge of a plan of a subscription.
    Elsewhere,
    /// It may be one, and is of no certain day.
    Unclear,
}

impl Billing {
    /// Reads the charges of plans since the last complete day, with some days before it; returns the number of new ones.
    pub(crate) async fn read(&self) -> Result<u64, Error> {
        let now = self.journal.now().await?;
        let until = self.store.merchant(day_of(now)).await?.read_until;
        let search = TransactionSearch {
            start_date: Some((until - OVERLAP).to_string()),
            paging: Paging { page_size: Some(PAGE), ..Paging::default() },
            ..TransactionSearch::default()
        };
        let mut found = self.north.client().transactions().search(&search);
        let mut by_subscription: BTreeMap<String, Vec<Read>> = BTreeMap::new();
        let mut is_whole = true;
        while let Some(transaction) = found.next().await {
            let placed = match transaction {
                Ok(transaction) => self.place(&transaction).await?,
                // A record that cannot be read may be the charge of a due day.
                Err(error) if error.kind() == ErrorKind::InvalidResponse => Placed::Unclear,
                Err(error) => return Err(error.into()),
            };
            match placed {
                Placed::Of(uid, read) if !self.store.knows_charge(read.id.as_str()).await? => {
                    by_subscription.entry(uid).or_default().push(read);
                }
                Placed::Of(..) | Placed::Elsewhere => {}
                Placed::Unclear => is_whole = false,
            }
        }
        is_whole &= !found.changed();
        let mut count = 0;
        for (uid, reads) in by_subscription {
            count += u64::try_from(reads.len()).unwrap_or(0);
            self.keep_charges(&uid, reads).await?;
        }
        // A day is complete an hour after its end, and only if every record has its place.
        let complete = day_before(day_of(hour_before(now)));
        if is_whole && complete > until {
            self.store.has_read_until(complete).await?;
        }
        Ok(count)
    }

    /// Finds the term of a transaction: by its order id, which is the plan's key, or, if the gateway gives its own order ids,
    /// by customer, amount and day.
    pub(crate) async fn place(&self, transaction: &Transaction) -> Result<Placed, Error> {
        let Some(plan) = transaction.plan_key() else { return Ok(Placed::Elsewhere) };
        if let Some((uid, term)) = self.store.term_of_plan(&plan).await? {
            return Ok(charge_of(transaction, uid, term));
        }
        if plan.as_str().starts_with(PLAN) {
            return Ok(Placed::Elsewhere);
        }
        let made = transaction.created.as_ref().and_then(Timestamp::date).map(Date::naive);
        let (Some(customer), Some(amount), Some(made)) = (&transaction.customer_id, transaction.amount, made)
        else {
            return Ok(Placed::Unclear);
        };
        // A due day was just before it, or is tomorrow.
        let is_due =
            |first: NaiveDate| (made - LATE).iter_days().take(10).any(|day| day.day() == first.day());
        let mut terms = self.store.terms_of_customer(customer, amount, made).await?;
        terms.retain(|(_, _, first)| is_due(*first));
        Ok(match (terms.pop(), terms.is_empty()) {
            (None, _) => Placed::Elsewhere,
            (Some((uid, term, _)), true) => charge_of(transaction, uid, term),
            (Some(_), false) => Placed::Unclear,
        })
    }

    /// Looks at one plan, without a window, and stores the charges that are not known; returns whether they mean
    /// anything for a due day.
    pub(crate) async fn read_plan(&self, uid: &str, term: i64, plan: &PlanKey) -> Result<bool, Error> {
        let search = TransactionSearch { order_id: Some(plan.to_string()), ..TransactionSearch::default() };
        let mut reads = Vec::new();
        let mut found = self.north.client().transactions().search(&search);
        while let Some(transaction) = found.next().await.transpose()? {
            if transaction.plan_key().as_ref() != Some(plan) {
                continue;
            }
            match charge_of(&transaction, uid.to_owned(), term) {
                Placed::Of(_, read) if !self.store.knows_charge(read.id.as_str()).await? => reads.push(read),
                Placed::Of(..) | Placed::Elsewhere => {}
                Placed::Unclear => return Err(Error::UnclearCharge(plan.to_string())),
            }
        }
        self.keep_charges(uid, reads).await
    }

    /// Reads one transaction, and stores it if it is a charge that is not known; returns whether it was. A transaction that is
    /// not found, or cannot be read or placed, is left to the next [`read`](Self::read).
    pub(crate) async fn read_transaction(&self, id: &TransactionId) -> Result<bool, Error> {
        if self.store.knows_charge(id.as_str()).await? {
            return Ok(false);
        }
        let transaction = match self.north.client().transactions().get(id).await {
            Ok(transaction) => transaction,
            Err(error) if error.is_not_found() || error.kind() == ErrorKind::InvalidResponse => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let Placed::Of(uid, read) = self.place(&transaction).await? else { return Ok(false) };
        self.keep_charges(&uid, vec![read]).await
    }

    /// Stores charges of one subscription with what they mean for its due days; returns whether that is anything.
    async fn keep_charges(&self, uid: &str, mut reads: Vec<Read>) -> Result<bool, Error> {
        if reads.is_empty() {
            return Ok(false);
        }
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
            if after == before && stored.charges.is_empty() {
                return Ok(false);
            }
            after.subscription.next = Some(now);
            if self.store.save(&before, &after, stored, now).await? {
                return Ok(true);
            }
        }
        Err(Error::Changed(uid.to_owned()))
    }
}

/// The place of a transaction of a term's plan.
fn charge_of(transaction: &Transaction, uid: String, term: i64) -> Placed {
    if transaction.transaction_type.as_ref().is_some_and(|kind| *kind != TransactionType::SALE) {
        return Placed::Elsewhere;
    }
    let result = match (transaction.verdict(), transaction.amount) {
        (Verdict::Approved, Some(amount)) => Reading::Approved(amount),
        (Verdict::Declined, _) => Reading::Declined(transaction.result_code.clone()),
        (Verdict::Undecided, _) | (Verdict::Approved, None) => Reading::Unclear,
    };
    let made = transaction.created.as_ref().and_then(Timestamp::date).map(Date::naive);
    match (transaction.id.clone(), made) {
        (Some(id), Some(made)) => Placed::Of(uid, Read { id, term, made, result }),
        _ => Placed::Unclear,
    }
}

fn hour_before(now: perennial_journal::Moment) -> perennial_journal::Moment {
    perennial_journal::Moment::from_millis(now.as_millis().saturating_sub(3_600_000))
}
