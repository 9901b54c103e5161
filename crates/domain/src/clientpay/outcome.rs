use std::error::Error;
use std::fmt;

use super::{Payment, PaymentId, PaymentStatus, UsedRequestId};
use crate::Amount;

/// The expected properties of a payment, against which reports of the gateway are judged.
///
/// `success: true` alone proves nothing: the first postback has it before the payment is made.
///
/// ```
/// use perennial_domain::clientpay::{Expected, Payment, PaymentStatus, Verdict};
///
/// let asked = Expected { request_id: "0d3f4c2e".parse().unwrap(), amount: Some("540.25".parse().unwrap()) };
/// let processing = Payment {
///     success: Some(true),
///     request_id: Some(asked.request_id.clone()),
///     payment_status: Some(PaymentStatus::PROCESSING),
///     ..Payment::default()
/// };
/// assert_eq!(asked.judge(&processing), Verdict::Pending);
///
/// let approved = Payment {
///     payment_id: Some("20411875".parse().unwrap()),
///     payment_status: Some(PaymentStatus::APPROVED),
///     payment_amount: asked.amount,
///     ..processing
/// };
/// assert_eq!(asked.judge(&approved), Verdict::Approved);
/// assert_eq!(asked.judge(&Payment { payment_amount: None, ..approved }), Verdict::Unknown);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The id of the request.
    pub request_id: UsedRequestId,
    /// The amount to be paid; `None` if the payer decides, as on a page with editable amounts.
    pub amount: Option<Amount>,
}

/// The known state of a payment. Postbacks may arrive in any order and more than once: the greatest verdict of all
/// postbacks about one payment is the valid one. For several records in a search result, see [`Expected::find`].
///
/// ```
/// use perennial_domain::clientpay::Verdict;
///
/// // The two postbacks of one payment, swapped and repeated.
/// let told = [Verdict::Approved, Verdict::Pending, Verdict::Approved];
/// assert_eq!(told.into_iter().max(), Some(Verdict::Approved));
/// // A decline together with a contradiction is not a definite decline.
/// assert_eq!([Verdict::Unknown, Verdict::Declined].into_iter().max(), Some(Verdict::Unknown));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The payment is in progress.
    Pending,
    /// The payment was not made. On a page, the payer can try again.
    Declined,
    /// The report contradicts itself, is about another payment, or is incomplete.
    Unknown,
    /// The payment was made: the report names it as approved, with its id, our request and our amount.
    Approved,
    /// The payment was made, and was later voided or refunded.
    Reversed,
}

/// The error for several payments under one request id, each of which may have moved money. None of them can be
/// returned as the result: a person must decide which one stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveralPayments {
    payment_ids: Vec<PaymentId>,
}

impl SeveralPayments {
    /// Creates an error that names these payments.
    pub fn new(payment_ids: Vec<PaymentId>) -> Self {
        Self { payment_ids }
    }

    /// The ids of the payments, in the order of the search.
    pub fn payment_ids(&self) -> &[PaymentId] {
        &self.payment_ids
    }
}

impl fmt::Display for SeveralPayments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.payment_ids.iter().map(PaymentId::as_str).collect();
        write!(f, "one request has {} payments: {}", ids.len(), ids.join(", "))
    }
}

impl Error for SeveralPayments {}

impl Expected {
    /// Judges a report of the payment.
    ///
    /// A decline may omit the amount but must not name a different one. A refund is not a payment.
    pub fn judge(&self, payment: &Payment) -> Verdict {
        let Payment { success, request_id, payment_id, payment_status, payment_amount, .. } = payment;
        let Some(status) = payment_status else { return Verdict::Unknown };
        if request_id.as_ref() != Some(&self.request_id) || payment.original_payment_id.is_some() {
            return Verdict::Unknown;
        }
        let is_ours = |amount: &Amount| self.amount.is_none_or(|expected| expected == *amount);
        let has_payment = payment_id.is_some() && payment_amount.as_ref().is_some_and(is_ours);
        let failed = *success == Some(false);
        match status {
            status if *status == PaymentStatus::PROCESSING && !failed => Verdict::Pending,
            status if *status == PaymentStatus::APPROVED && has_payment && !failed => Verdict::Approved,
            status
                if [PaymentStatus::VOIDED, PaymentStatus::REFUNDED].contains(status)
                    && has_payment
                    && !failed =>
            {
                Verdict::Reversed
            }
            status
                if [PaymentStatus::DECLINED, PaymentStatus::ERROR].contains(status)
                    && *success != Some(true)
                    && payment_amount.as_ref().is_none_or(is_ours) =>
            {
                Verdict::Declined
            }
            _ => Verdict::Unknown,
        }
    }

    /// Judges the records found by a search for the request; `None` if there are none.
    ///
    /// On a page, declined attempts may precede one payment. The surcharge of a payment is a separate payment under the
    /// same request id (the form of its record is **inferred**): it belongs to the payment whose record names its
    /// amount. Any other record that is not declined may have moved money.
    ///
    /// ```
    /// use perennial_domain::clientpay::{Expected, Payment, PaymentStatus, Verdict};
    ///
    /// let asked = Expected { request_id: "0d3f4c2e".parse().unwrap(), amount: Some("540.25".parse().unwrap()) };
    /// let attempt = |id: &str, status| Payment {
    ///     request_id: Some(asked.request_id.clone()),
    ///     payment_id: Some(id.parse().unwrap()),
    ///     payment_status: Some(status),
    ///     payment_amount: asked.amount,
    ///     ..Payment::default()
    /// };
    /// let records = [attempt("1", PaymentStatus::DECLINED), attempt("2", PaymentStatus::APPROVED)];
    /// let (verdict, payment) = asked.find(&records).unwrap().unwrap();
    /// assert_eq!((verdict, payment), (Verdict::Approved, &records[1]));
    ///
    /// let twice = [attempt("2", PaymentStatus::APPROVED), attempt("3", PaymentStatus::APPROVED)];
    /// assert_eq!(asked.find(&twice).unwrap_err().to_string(), "one request has 2 payments: 2, 3");
    /// ```
    ///
    /// # Errors
    ///
    /// If several payments may have moved money. The error names them.
    pub fn find<'a>(
        &self,
        records: &'a [Payment],
    ) -> Result<Option<(Verdict, &'a Payment)>, SeveralPayments> {
        let judged = || records.iter().map(|record| (self.judge(record), record));
        // The ids, to group the records by payment.
        let mut ids: Vec<&PaymentId> = Vec::new();
        for record in records.iter().filter(|record| !self.is_another(record)) {
            ids.extend(record.payment_id.as_ref().filter(|id| !ids.contains(id)));
        }
        let mut payments: Vec<(Verdict, &Payment)> = ids
            .iter()
            .filter_map(|id| {
                one(judged()
                    .filter(|(_, record)| record.payment_id.as_ref() == Some(id) && !self.is_another(record)))
            })
            .filter(|(verdict, _)| *verdict != Verdict::Declined)
            .collect();
        let surcharges: Vec<&PaymentId> =
            payments.iter().filter_map(|main| self.surcharge_of(*main, &payments)).collect();
        payments.retain(|(_, record)| !record.payment_id.as_ref().is_some_and(|id| surcharges.contains(&id)));
        match payments[..] {
            [] => {}
            // A record without an id may belong to the payment in progress, and to no other.
            [found] => {
                let contradicts = |(verdict, record): (Verdict, &Payment)| {
                    record.payment_id.is_none()
                        && !self.is_another(record)
                        && !matches!(verdict, Verdict::Pending | Verdict::Declined)
                };
                return Ok(Some(if judged().any(contradicts) { (Verdict::Unknown, found.1) } else { found }));
            }
            _ => {
                let ids = payments.iter().filter_map(|(_, record)| record.payment_id.clone()).collect();
                return Err(SeveralPayments::new(ids));
            }
        }
        // No record names a payment. The payment is declined only if every record says so.
        let rank = |verdict: &Verdict| match verdict {
            Verdict::Declined => 0,
            Verdict::Pending => 1,
            _ => 2,
        };
        Ok(judged().max_by_key(|(verdict, _)| rank(verdict)))
    }

    /// Whether a record names a different request.
    fn is_another(&self, record: &Payment) -> bool {
        record.request_id.as_ref().is_some_and(|id| *id != self.request_id)
    }

    /// The payment that is the surcharge of this one.
    fn surcharge_of<'a>(
        &self,
        (verdict, main): (Verdict, &Payment),
        payments: &[(Verdict, &'a Payment)],
    ) -> Option<&'a PaymentId> {
        let surcharge = main.surcharge_amount.filter(|amount| !amount.is_zero())?;
        if verdict < Verdict::Approved {
            return None;
        }
        let is_it = |payment: &&Payment| {
            payment.payment_id != main.payment_id
                && payment.request_id.as_ref() == Some(&self.request_id)
                && payment.success != Some(false)
                && payment.payment_status == main.payment_status
                && payment.payment_amount == Some(surcharge)
                && payment.surcharge_amount.is_none_or(Amount::is_zero)
                && payment.original_payment_id.is_none()
        };
        payments.iter().map(|(_, payment)| *payment).find(is_it)?.payment_id.as_ref()
    }
}

/// The state of one payment according to its records. They must agree, except for records from before the payment was
/// made and from before it was refunded.
fn one<'a>(
    mut records: impl Iterator<Item = (Verdict, &'a Payment)> + Clone,
) -> Option<(Verdict, &'a Payment)> {
    let greatest = records.clone().max_by_key(|(verdict, _)| *verdict)?;
    let agrees = |verdict: Verdict| {
        verdict == greatest.0
            || verdict == Verdict::Pending
            || (verdict, greatest.0) == (Verdict::Approved, Verdict::Reversed)
    };
    let agree = records.all(|(verdict, _)| agrees(verdict));
    Some(if agree { greatest } else { (Verdict::Unknown, greatest.1) })
}
