//! Settled batches: the gateway's totals beside the sums of the transactions that say that they are in them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::NaiveDate;
use perennial::clearent::{
    Batch, BatchId, BatchSearch, BatchStatus, Paging, Transaction, TransactionType, Verdict,
};
use perennial::{Amount, Date, ErrorKind, Timestamp, Total};

use super::{Books, CHARGES, Difference, DifferenceClass, PAGE};
use crate::Error;
use crate::billing::Billing;

/// The transactions of a batch.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    total: Total,
    count: u64,
    /// A transaction has no amount, or it is not known which of its amounts count.
    is_uncertain: bool,
}

/// The sums of batches, by terminal and number.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<(String, u64), Sum>);

impl Sums {
    /// Adds a transaction to its batch: charges, less refunds, without what was voided.
    pub(super) fn note(&mut self, transaction: &Transaction) {
        let (Some(batch), Some(kind)) = (&transaction.batch_string_id, &transaction.transaction_type) else {
            return;
        };
        let gives_back = [TransactionType::REFUND, TransactionType::UNMATCHED_REFUND].contains(kind);
        if transaction.verdict() == Verdict::Declined
            || transaction.is_voided()
            || !gives_back && !CHARGES.contains(kind)
        {
            return;
        }
        let Some(number) = number(batch) else { return };
        let terminal = transaction.terminal_id.clone().unwrap_or_default();
        let sum = self.0.entry((terminal, number)).or_default();
        let has_more = |amount: Option<Amount>| amount.is_some_and(|amount| !amount.is_zero());
        sum.is_uncertain |= transaction.verdict() == Verdict::Undecided
            || has_more(transaction.tip_amount)
            || has_more(transaction.service_fee);
        sum.count += 1;
        match transaction.amount {
            Some(amount) if gives_back => sum.total = sum.total - amount,
            Some(amount) => sum.total += amount,
            None => sum.is_uncertain = true,
        }
    }

    pub(super) fn add(&mut self, more: Self) {
        for (batch, more) in more.0 {
            let sum = self.0.entry(batch).or_default();
            sum.total += more.total;
            sum.count += more.count;
            sum.is_uncertain |= more.is_uncertain;
        }
    }
}

/// The number of a batch, which some responses pad with zeros.
fn number(id: &str) -> Option<u64> {
    id.trim().parse().ok()
}

impl Billing {
    /// Compares the settled batches all of whose transactions were read, from one day to another.
    pub(super) async fn compare_batches(
        &self,
        books: &mut Books,
        sums: &Sums,
        read: RangeInclusive<NaiveDate>,
    ) -> Result<(), Error> {
        if sums.0.is_empty() {
            return Ok(());
        }
        let search = BatchSearch {
            status: Some(BatchStatus::CLOSED),
            paging: Paging { page_size: Some(PAGE), ..Paging::default() },
        };
        let mut pages = self.north.client().batches().list(&search).pages();
        while let Some(page) = pages.next_page().await {
            let page = match page {
                Ok(page) => page,
                // That closed batches can be listed is inferred: a gateway that cannot leaves them out of the books.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Refused
                            | ErrorKind::NotFound
                            | ErrorKind::Unauthorized
                            | ErrorKind::InvalidResponse
                    ) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let mut is_older = true;
            for batch in page.each().into_value() {
                let Ok(batch) = batch else {
                    books.unclear += 1;
                    continue;
                };
                is_older &= day_of(batch.settled.as_ref()).is_some_and(|settled| settled < *read.start());
                books.compare_batch(&batch, sums, &read);
            }
            // The newest come first.
            if is_older {
                break;
            }
        }
        Ok(())
    }
}

impl Books {
    fn compare_batch(&mut self, batch: &Batch, sums: &Sums, read: &RangeInclusive<NaiveDate>) {
        let (Some(opened), Some(settled), Some(net)) =
            (day_of(batch.date_opened.as_ref()), day_of(batch.settled.as_ref()), batch.net_amount)
        else {
            return;
        };
        let Some(number) = batch.id.as_ref().map(BatchId::as_str).and_then(number) else { return };
        // One that was opened or settled at the edge of what was read may have more.
        let is_whole = opened > *read.start() && settled < *read.end();
        if !is_whole || batch.status != Some(BatchStatus::CLOSED) {
            return;
        }
        let terminal = batch.terminal_id.clone().unwrap_or_default();
        let sum = sums.0.get(&(terminal, number)).copied().unwrap_or_default();
        if sum.is_uncertain {
            return;
        }
        self.batches += 1;
        if sum.total == net && batch.total_count.is_none_or(|count| count == sum.count) {
            return;
        }
        let cents = u64::try_from((sum.total - net).cents().unsigned_abs()).unwrap_or(u64::MAX);
        let amount = Amount::from_cents(cents).unwrap_or(Amount::ZERO);
        self.differences.push(Difference {
            day: Some(settled),
            detail: Some(format!("batch {number} has {net}, and its transactions have {}", sum.total)),
            ..Difference::new(DifferenceClass::Batch, amount)
        });
    }
}

fn day_of(time: Option<&Timestamp>) -> Option<NaiveDate> {
    time.and_then(Timestamp::date).map(Date::naive)
}
