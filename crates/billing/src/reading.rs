//! Charges of plans, read from the gateway by date window.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, NaiveDate};
use perennial::clearent::{
    Paging, PlanKey, Transaction, TransactionId, TransactionSearch, TransactionType, Verdict,
};
use perennial::{Date, ErrorKind, Timestamp, UnreadableRecord};
use perennial_journal::Moment;

use crate::Error;
use crate::billing::{Billing, day_before, day_of, event_of_day};
use crate::life::{Reading, claim};
use crate::model::Member;
use crate::store::{Change, LATE, TermOfCustomer};

/// The beginning of a plan's key.
const PLAN: &str = "plan_";
/// The records of a page.
const PAGE: u32 = 100;
/// The days that are read once more, because a search may lack what is new.
const OVERLAP: Days = Days::new(3);
/// The days for which a transaction that cannot be read is read again.
const UNREAD_AGAIN: Days = Days::new(30);
/// The subscriptions whose rows are read at a time.
const BATCH: usize = 200;
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

/// The charges that a search found and that are not known yet.
#[derive(Default)]
struct Found {
    by_subscription: BTreeMap<String, Vec<Read>>,
    /// Whether a transaction cannot be read, or may be a charge of several due days.
    has_unread: bool,
    /// Whether the list changed while it was read.
    has_changed: bool,
}

impl Billing {
    /// Reads the charges of plans; returns the number of new ones.
    ///
    /// Once a day, the days that are complete are read, with some days before them; then charges are known until their end.
    /// Otherwise, the newest charges are read, up to those that are known.
    pub(crate) async fn read(&self) -> Result<u64, Error> {
        let now = self.journal.now().await?;
        let until = self.store.merchant(day_of(now)).await?.read_until;
        // A day is complete an hour after its end.
        let complete = day_before(day_of(hour_before(now)));
        let mut count = 0;
        if complete > until {
            let first = until - OVERLAP;
            let found = self.find(first, Some(complete), false).await?;
            let (has_unread, has_changed) = (found.has_unread, found.has_changed);
            count += self.keep_all(found.by_subscription).await?;
            if !has_changed {
                let read: BTreeSet<_> = first.iter_days().take_while(|day| *day <= complete).collect();
                let older = self.store.unread().await?;
                let older: BTreeSet<_> = older.range(complete - UNREAD_AGAIN..first).copied().collect();
                let mut unread = BTreeSet::new();
                for day in older.iter().chain(read.iter().filter(|_| has_unread)).copied() {
                    let found = self.find(day, Some(day), false).await?;
                    unread.extend((found.has_unread || found.has_changed).then_some(day));
                    count += self.keep_all(found.by_subscription).await?;
                }
                // Of one that no search for a day shows, the day is not known.
                if has_unread && unread.is_disjoint(&read) {
                    unread.extend(&read);
                }
                let read = older.into_iter().chain(read).collect();
                self.store.has_read_until(complete, &read, &unread, now).await?;
            }
        }
        let newest = self.find(complete, None, true).await?;
        let today = complete + Days::new(1);
        if newest.has_unread && self.find(today, None, false).await?.has_unread {
            // It is read again when the day is complete.
            self.store.has_read_until(until, &BTreeSet::new(), &BTreeSet::from([today]), now).await?;
        }
        Ok(count + self.keep_all(newest.by_subscription).await?)
    }

    /// Finds the charges of plans that were made on these days. The newest come first; a search for those that are new ends
    /// at a page whose charges are all known.
    async fn find(
        &self,
        from: NaiveDate,
        until: Option<NaiveDate>,
        is_for_new: bool,
    ) -> Result<Found, Error> {
        let search = TransactionSearch {
            start_date: Some(from.to_string()),
            end_date: until.map(|until| until.to_string()),
            paging: Paging { page_size: Some(PAGE), ..Paging::default() },
            ..TransactionSearch::default()
        };
        let mut found = Found::default();
        let mut pages = self.north.client().transactions().search(&search).pages();
        while let Some(page) = pages.next_page().await {
            let page = page?;
            let unread = page.unreadable().iter().map(UnreadableRecord::key).collect::<Vec<_>>();
            let transactions =
                page.iter().map(|transaction| transaction.id.as_ref().map(TransactionId::as_str));
            let ids: Vec<_> = transactions.chain(unread.iter().copied()).flatten().collect();
            let known = self.store.known_charges(&ids).await?;
            let is_known = |id: Option<&str>| id.is_some_and(|id| known.contains(id));
            // A record that cannot be read may be the charge of a due day.
            found.has_unread |= unread.iter().any(|id| !is_known(*id));
            let new = page.iter().filter(|one| !is_known(one.id.as_ref().map(TransactionId::as_str)));
            let has_new = self.place_all(new, &mut found).await?;
            if is_for_new && !known.is_empty() && !has_new {
                break;
            }
        }
        found.has_changed = pages.changed();
        Ok(found)
    }

    /// Places transactions; returns whether any is a charge of a plan of a subscription.
    async fn place_all<'a>(
        &self,
        transactions: impl Iterator<Item = &'a Transaction>,
        found: &mut Found,
    ) -> Result<bool, Error> {
        let transactions: Vec<_> = transactions.map(|one| (one, one.plan_key())).collect();
        let plans: Vec<_> =
            transactions.iter().filter_map(|(_, plan)| plan.as_ref().map(PlanKey::as_str)).collect();
        let terms = self.store.places_of(&plans).await?;
        let mut has_new = false;
        for (transaction, plan) in &transactions {
            let Some(plan) = plan else { continue };
            match self.place_by(transaction, plan, terms.get(plan.as_str()).cloned()).await? {
                Placed::Of(uid, read) => {
                    found.by_subscription.entry(uid).or_default().push(read);
                    has_new = true;
                }
                Placed::Elsewhere => {}
                Placed::Unclear => found.has_unread = true,
            }
        }
        Ok(has_new)
    }

    /// Finds the term of a transaction: by its order id, which is the plan's key, or, if the gateway gives its own order ids,
    /// by customer, amount and day.
    pub(crate) async fn place(&self, transaction: &Transaction) -> Result<Placed, Error> {
        let Some(plan) = transaction.plan_key() else { return Ok(Placed::Elsewhere) };
        let term = self.store.term_of_plan(&plan).await?;
        self.place_by(transaction, &plan, term).await
    }

    async fn place_by(
        &self,
        transaction: &Transaction,
        plan: &PlanKey,
        term: Option<(String, i64)>,
    ) -> Result<Placed, Error> {
        if let Some((uid, term)) = term {
            return Ok(charge_of(transaction, uid, term));
        }
        if plan.as_str().starts_with(PLAN) {
            return Ok(Placed::Elsewhere);
        }
        let made = made_on(transaction);
        let (Some(customer), Some(amount), Some(made)) = (&transaction.customer_id, transaction.amount, made)
        else {
            return Ok(Placed::Unclear);
        };
        let mut terms = self.store.terms_of_customer(customer, made).await?;
        // The name of a plan that was made here is like no other. A part of its amount may have been approved.
        let name = transaction.plan_name.as_deref().unwrap_or_default();
        let is_of = |term: &TermOfCustomer| term.mark.as_deref().is_some_and(|mark| name.contains(mark));
        if terms.iter().any(is_of) {
            terms.retain(is_of);
        } else {
            // A due day was just before it, or is tomorrow.
            let is_due =
                |first: NaiveDate| (made - LATE).iter_days().take(10).any(|day| day.day() == first.day());
            terms.retain(|term| term.amount == amount && is_due(term.first));
        }
        Ok(match (terms.pop(), terms.is_empty()) {
            (None, _) => Placed::Elsewhere,
            (Some(term), true) => charge_of(transaction, term.subscription, term.number),
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

    /// Whether the plan's own list of transactions is whole: it has one of the plan, and each can be read.
    pub(crate) async fn has_whole_list(&self, plan: &PlanKey) -> Result<bool, Error> {
        let search = TransactionSearch { order_id: Some(plan.to_string()), ..TransactionSearch::default() };
        let mut has_one = false;
        let mut found = self.north.client().transactions().search(&search);
        while let Some(transaction) = found.next().await {
            match transaction {
                Ok(transaction) => has_one |= transaction.plan_key().as_ref() == Some(plan),
                Err(error) if error.kind() == ErrorKind::InvalidResponse => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(has_one && !found.changed())
    }

    /// Stores charges of one subscription with what they mean for its due days; returns whether that is anything.
    async fn keep_charges(&self, uid: &str, reads: Vec<Read>) -> Result<bool, Error> {
        Ok(self.keep_all(BTreeMap::from([(uid.to_owned(), reads)])).await? > 0)
    }

    /// Stores charges, by subscription, with what they mean for its due days; returns the number of those that mean anything.
    async fn keep_all(&self, mut open: BTreeMap<String, Vec<Read>>) -> Result<u64, Error> {
        let mut count = 0;
        open.retain(|_, reads| !reads.is_empty());
        for reads in open.values_mut() {
            reads.sort_by(|one, other| (one.made, &one.id).cmp(&(other.made, &other.id)));
        }
        for _ in 0..TRIES {
            let uids: Vec<_> = open.keys().cloned().collect();
            for uids in uids.chunks(BATCH) {
                let now = self.journal.now().await?;
                let uids: Vec<_> = uids.iter().map(String::as_str).collect();
                let members = self.store.members(self.store.subscriptions_of(&uids).await?).await?;
                // After the rows of the subscriptions, whose version a charge that is stored meanwhile changes.
                let ids = uids.iter().filter_map(|uid| open.get(*uid)).flatten();
                let known =
                    self.store.known_charges(&ids.map(|read| read.id.as_str()).collect::<Vec<_>>()).await?;
                for before in members {
                    let uid = before.subscription.uid.clone();
                    let reads = open.get(&uid).into_iter().flatten();
                    let new = reads.filter(|read| !known.contains(read.id.as_str()));
                    if let Some(new) = self.keep_new(before, new, now).await? {
                        count += new;
                        open.remove(&uid);
                    }
                }
            }
        }
        open.into_keys().next().map_or(Ok(count), |uid| Err(Error::Changed(uid)))
    }

    /// Stores charges of one subscription; returns the number of those that mean anything, or `None` if another process changed
    /// it meanwhile.
    async fn keep_new<'a>(
        &self,
        before: Member,
        reads: impl Iterator<Item = &'a Read>,
        now: Moment,
    ) -> Result<Option<u64>, Error> {
        let mut after = before.clone();
        let mut stored = Change::default();
        for read in reads {
            let known = claim(&mut after, read.id.clone(), read.term, read.made, read.result.clone());
            let Some((charge, kind)) = known else { continue };
            stored.events.push(event_of_day(kind, &after, charge.day, Some(&charge)));
            stored.charges.push(charge);
        }
        if after == before && stored.charges.is_empty() {
            return Ok(Some(0));
        }
        // One that is neither approved nor declined is no charge, and changes its day.
        let count = u64::try_from(stored.charges.len().max(1)).unwrap_or(1);
        after.subscription.next = Some(now);
        Ok(self.store.save(&before, &after, stored, now).await?.then_some(count))
    }
}

/// The day on which a transaction was made, in UTC.
pub(crate) fn made_on(transaction: &Transaction) -> Option<NaiveDate> {
    transaction.created.as_ref().and_then(Timestamp::date).map(Date::naive)
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
    match (transaction.id.clone(), made_on(transaction)) {
        (Some(id), Some(made)) => Placed::Of(uid, Read { id, term, made, result }),
        _ => Placed::Unclear,
    }
}

fn hour_before(now: Moment) -> Moment {
    Moment::from_millis(now.as_millis().saturating_sub(3_600_000))
}
