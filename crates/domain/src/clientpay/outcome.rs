use std::error::Error;
use std::fmt;

use super::{Payment, PaymentId, PaymentStatus, UsedRequestId};
use crate::Amount;

/// What was asked of a payment, by which anything that tells of it is judged.
///
/// `success: true` alone says nothing: the first postback of a payment has it, before there is a payment.
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
    /// The request.
    pub request_id: UsedRequestId,
    /// How much was to be paid; unset where the payer decides, as on a page with amounts that can be edited.
    pub amount: Option<Amount>,
}

/// What is known of a payment. Of several postbacks about one payment, the greatest holds: they may come in any order
/// and any number, and what is known is never lost. Of several records that a search finds, see [`Expected::find`].
///
/// ```
/// use perennial_domain::clientpay::Verdict;
///
/// // The two postbacks of one payment, swapped and repeated.
/// let told = [Verdict::Approved, Verdict::Pending, Verdict::Approved];
/// assert_eq!(told.into_iter().max(), Some(Verdict::Approved));
/// // A decline beside something that contradicts it is no definite no.
/// assert_eq!([Verdict::Unknown, Verdict::Declined].into_iter().max(), Some(Verdict::Unknown));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is being made.
    Pending,
    /// It was not made. On a page, the payer can try again.
    Declined,
    /// What was told contradicts itself, is about another payment, or says too little.
    Unknown,
    /// It was made: the gateway says so, names the payment, our request and our amount.
    Approved,
    /// It was made, and taken or given back since.
    Reversed,
}

/// Several payments under one request id, of which each may have taken money. None of them is the answer: a person
/// decides which one stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveralPayments {
    payment_ids: Vec<PaymentId>,
}

impl SeveralPayments {
    /// An error that names these payments.
    pub fn new(payment_ids: Vec<PaymentId>) -> Self {
        Self { payment_ids }
    }

    /// The payments, in the order of the search.
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
    /// What this tells of the payment.
    ///
    /// A decline may leave the amount out, but must not name another one. A refund is no payment.
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

    /// The verdict of the records that a search for the request found; `None` if it found none.
    ///
    /// On a page, declined attempts may precede one payment. The surcharge of a payment is another payment under the
    /// same request id (that its record looks like this is **inferred**): it belongs to the payment that names its
    /// amount. Anything else that is not declined may have taken money.
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
    /// If several payments may have taken money: the error names them.
    pub fn find<'a>(
        &self,
        records: &'a [Payment],
    ) -> Result<Option<(Verdict, &'a Payment)>, SeveralPayments> {
        let judged = || records.iter().map(|record| (self.judge(record), record));
        // Which records are of one payment.
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
            // A record without an id may be of the payment that is being made, and of no other.
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
        // Nothing names a payment that was made. It is declined only if every record says so.
        let rank = |verdict: &Verdict| match verdict {
            Verdict::Declined => 0,
            Verdict::Pending => 1,
            _ => 2,
        };
        Ok(judged().max_by_key(|(verdict, _)| rank(verdict)))
    }

    /// Whether a record names another request.
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

/// What the records of one payment tell: each says the same, but for those from before it was made, and from before it
/// was given back.
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
