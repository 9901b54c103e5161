//! Charges: the gateway's transactions beside the stored rows, a page at a time.

use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};

use chrono::{Days, NaiveDate};
use perennial::clearent::{Paging, Transaction, TransactionId, TransactionSearch, TransactionType, Verdict};
use perennial::{Amount, ErrorKind, Total};
use perennial_domain::clearent::TransactionLevel;

use super::batches::Sums;
use super::{BooksScope, CHARGES, Difference, DifferenceClass, MARK, OtherTransaction, PAGE};
use crate::Error;
use crate::billing::Billing;
use crate::model::{Claim, DayState};
use crate::reading::{Placed, made_on};
use crate::store::LATE;
use crate::store::books::{Marked, StoredCharge};

/// The transactions of some days.
#[derive(Default)]
pub(super) struct Part {
    pub(super) differences: Vec<Difference>,
    pub(super) others: Vec<OtherTransaction>,
    pub(super) other_business: (Total, u64),
    pub(super) settled: Total,
    /// Stored charges that the gateway has.
    pub(super) seen: Vec<TransactionId>,
    pub(super) batches: Sums,
    /// All of them.
    pub(super) ids: HashSet<TransactionId>,
    pub(super) read: u64,
    pub(super) unclear: u64,
    pub(super) unread: u64,
}

/// The stored rows about the transactions of a page.
struct Rows {
    charges: HashMap<String, StoredCharge>,
    marked: HashMap<String, Marked>,
}

impl Billing {
    /// Reads the transactions of these days, except for these; `None` if the list changed meanwhile.
    pub(super) async fn read_charges(
        &self,
        scope: &BooksScope,
        window: &Range<NaiveDate>,
        days: &RangeInclusive<NaiveDate>,
        before: &HashSet<TransactionId>,
    ) -> Result<Option<Part>, Error> {
        let mut level = Some(TransactionLevel::MERCHANT);
        loop {
            let search = TransactionSearch {
                level: level.clone(),
                start_date: Some(days.start().to_string()),
                end_date: Some(days.end().to_string()),
                paging: Paging { page_size: Some(PAGE), ..Paging::default() },
                ..TransactionSearch::default()
            };
            match self.read_found(scope, window, &search, before).await {
                // A key that may not search all terminals of the merchant searches its own.
                Err(Error::Gateway(error))
                    if level.is_some()
                        && matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unauthorized) =>
                {
                    level = None;
                }
                read => return read,
            }
        }
    }

    async fn read_found(
        &self,
        scope: &BooksScope,
        window: &Range<NaiveDate>,
        search: &TransactionSearch,
        before: &HashSet<TransactionId>,
    ) -> Result<Option<Part>, Error> {
        let read_until = self.store.merchant(self.today().await?).await?.read_until;
        let mut pages = self.north.client().transactions().search(search).pages();
        let mut part = Part::default();
        while let Some(page) = pages.next_page().await {
            let mut transactions = Vec::new();
            for record in page?.each().into_value() {
                part.read += 1;
                match record {
                    Ok(transaction) => {
                        if let Some(id) = &transaction.id {
                            part.ids.insert(id.clone());
                            if before.contains(id) {
                                continue;
                            }
                        }
                        transactions.push(transaction);
                    }
                    Err(_) => part.unclear += 1,
                }
            }
            let rows = self.rows_of(&transactions).await?;
            for transaction in &transactions {
                part.batches.note(transaction);
                let made = made_on(transaction);
                if let Some(stored) = rows.stored(transaction) {
                    part.known(stored, transaction, window);
                } else if made.is_none_or(|made| window.contains(&made)) {
                    self.unknown(&mut part, scope, &rows, transaction, made, read_until).await?;
                }
            }
        }
        Ok((!pages.changed()).then_some(part))
    }

    /// The stored rows about these transactions.
    async fn rows_of(&self, transactions: &[Transaction]) -> Result<Rows, Error> {
        let ids = transactions.iter().flat_map(|one| [one.id.as_ref(), one.ref_id.as_ref()]).flatten();
        let charges = self.store.charges_of(ids.map(TransactionId::as_str)).await?;
        let orders = transactions.iter().filter_map(|one| one.order_id.as_deref());
        let is_known =
            |one: &&Transaction| one.id.as_ref().is_some_and(|id| charges.contains_key(id.as_str()));
        let marks: Vec<_> = if transactions.iter().all(|one| is_known(&one)) {
            Vec::new()
        } else {
            orders.filter(|order| order.len() == MARK).collect()
        };
        Ok(Rows { marked: self.store.marked(marks).await?, charges })
    }

    /// A transaction that no row has: of a plan or a sale of a subscription, or of the merchant's other business.
    async fn unknown(
        &self,
        part: &mut Part,
        scope: &BooksScope,
        rows: &Rows,
        transaction: &Transaction,
        made: Option<NaiveDate>,
        read_until: NaiveDate,
    ) -> Result<(), Error> {
        let Some(kind) = &transaction.transaction_type else {
            part.unclear += 1;
            return Ok(());
        };
        let is_refund = *kind == TransactionType::REFUND || *kind == TransactionType::UNMATCHED_REFUND;
        if !is_refund && !CHARGES.contains(kind) || transaction.verdict() == Verdict::Declined {
            return Ok(());
        }
        let marked = transaction.order_id.as_deref().and_then(|order| rows.marked.get(order));
        if is_refund {
            let of = transaction.ref_id.as_ref().and_then(|of| rows.charges.get(of.as_str()));
            match of {
                // Billing made it, and stores it when its outcome is known.
                Some(_) if marked.is_some_and(|write| write.key.starts_with(OWN)) => {}
                Some(of) => {
                    let amount = transaction.amount.unwrap_or(of.charge.amount);
                    let found =
                        Difference::of_charge(DifferenceClass::Refunded, &of.subscription, &of.charge);
                    part.differences.push(Difference {
                        amount,
                        transaction: transaction.id.clone(),
                        ..found
                    });
                }
                None => part.other(scope, transaction, made),
            }
            return Ok(());
        }
        let orphan = || Difference {
            transaction: transaction.id.clone(),
            ..Difference::new(DifferenceClass::OrphanCharge, transaction.amount.unwrap_or(Amount::ZERO))
        };
        if let Some((uid, day)) = marked.and_then(|write| of_sale(&write.key)) {
            match marked {
                Some(write) if write.is_open => part.unread += 1,
                _ if transaction.is_voided() => {}
                _ => {
                    let subscription = self.store.id_of(uid).await?;
                    part.differences.push(Difference { subscription, day, ..orphan() });
                }
            }
            return Ok(());
        }
        if let (Some(plan), Some(made)) = (transaction.plan_key(), made)
            && self.store.is_before_adoption(&plan, made).await?
        {
            part.other(scope, transaction, Some(made));
            return Ok(());
        }
        match self.place(transaction).await? {
            Placed::Unclear => part.unclear += 1,
            Placed::Elsewhere => part.other(scope, transaction, made),
            Placed::Of(uid, read) => {
                let due = self.store.last_due(&uid, read.made() + Days::new(1)).await?;
                let is_open = due.is_none_or(|(_, state)| {
                    matches!(state, DayState::Expected | DayState::Missing | DayState::Collecting)
                });
                let needs_person = due.is_some_and(|(_, state)| state == DayState::NeedsPerson);
                match (transaction.verdict(), transaction.amount) {
                    _ if transaction.is_voided() => {}
                    _ if is_open && read.made() > read_until => part.unread += 1,
                    (Verdict::Approved, Some(_)) => {
                        let subscription = self.store.id_of(&uid).await?;
                        let day = due.map(|(day, _)| day);
                        part.differences.push(Difference { subscription, day, ..orphan() });
                    }
                    // Its day is a difference already.
                    _ if needs_person => {}
                    _ => part.unclear += 1,
                }
            }
        }
        Ok(())
    }
}

/// The beginning of the operation keys of billing.
const OWN: &str = "subscriptions/";

impl Rows {
    fn stored(&self, transaction: &Transaction) -> Option<&StoredCharge> {
        self.charges.get(transaction.id.as_ref()?.as_str())
    }
}

impl Part {
    /// A transaction that is stored as a charge.
    fn known(&mut self, stored: &StoredCharge, transaction: &Transaction, window: &Range<NaiveDate>) {
        let StoredCharge { subscription, charge, undone } = stored;
        self.seen.push(charge.id.clone());
        // It is of the books of the day that is stored, so that no month lacks it and no two have it.
        if !window.contains(&charge.made) || charge.claim == Claim::Undoes {
            return;
        }
        let mut differs = |class, detail: Option<String>| {
            let found = Difference::of_charge(class, subscription, charge);
            self.differences.push(Difference { detail, ..found });
        };
        match (charge.claim, transaction.verdict()) {
            (Claim::Declined, Verdict::Approved) if !transaction.is_voided() => {
                differs(
                    DifferenceClass::OrphanCharge,
                    Some("it was declined, and is approved now".to_owned()),
                );
            }
            (Claim::Declined, Verdict::Declined | Verdict::Approved) => {}
            (_, Verdict::Undecided) => self.unclear += 1,
            (_, Verdict::Declined) => {
                differs(DifferenceClass::Gone, Some("it was approved, and is declined now".to_owned()));
            }
            (_, Verdict::Approved) if transaction.is_voided() => {
                if *undone < super::cents(charge.amount) {
                    differs(DifferenceClass::Voided, None);
                }
            }
            (_, Verdict::Approved) => {
                match transaction.amount {
                    None => self.unclear += 1,
                    Some(amount) if amount != charge.amount => {
                        let detail = format!("the gateway has {amount}");
                        differs(DifferenceClass::OtherAmount, Some(detail));
                    }
                    Some(_) => {}
                }
                let made = made_on(transaction).unwrap_or(charge.made);
                if transaction.plan_key().is_some() && !explains(charge.day, made) {
                    differs(DifferenceClass::OtherDay, Some(format!("it was made on {made}")));
                }
                if transaction.settled == Some(true) {
                    self.settled += charge.amount;
                }
            }
        }
    }

    /// A transaction of the merchant's other business.
    fn other(&mut self, scope: &BooksScope, transaction: &Transaction, day: Option<NaiveDate>) {
        let (Verdict::Approved, Some(amount), false) =
            (transaction.verdict(), transaction.amount, transaction.is_voided())
        else {
            return;
        };
        let kind = transaction.transaction_type.clone();
        if kind.as_ref().is_some_and(|kind| CHARGES.contains(kind)) {
            self.other_business.0 += amount;
            self.other_business.1 += 1;
        }
        if scope.others {
            self.others.push(OtherTransaction { id: transaction.id.clone(), day, kind, amount });
        }
    }
}

/// Whether a plan may charge for a due day on this day: its date may be a day off, and it may try declines again.
fn explains(due: NaiveDate, made: NaiveDate) -> bool {
    (due - Days::new(1)..=due + LATE).contains(&made)
}

/// The subscription and the due day of the key of a sale.
fn of_sale(key: &str) -> Option<(&str, Option<NaiveDate>)> {
    let (uid, rest) = key.strip_prefix(OWN)?.split_once("/days/")?;
    Some((uid, rest.split('/').next().and_then(|day| day.parse().ok())))
}
