use super::{Payment, PaymentStatus, UsedRequestId};
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

/// What is known of a payment. Of several, the greatest holds: they may come in any order and any number, and what is
/// known is never lost.
///
/// ```
/// use perennial_domain::clientpay::Verdict;
///
/// // The two postbacks of one payment, swapped and repeated.
/// let told = [Verdict::Approved, Verdict::Pending, Verdict::Approved];
/// assert_eq!(told.into_iter().max(), Some(Verdict::Approved));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It is being made.
    Pending,
    /// What was told contradicts itself, is about another payment, or says too little.
    Unknown,
    /// It was not made. On a page, the payer can try again.
    Declined,
    /// It was made: the gateway says so, names the payment, our request and our amount.
    Approved,
    /// It was made, and taken or given back since.
    Reversed,
}

impl Expected {
    /// What this tells of the payment.
    pub fn judge(&self, told: &Payment) -> Verdict {
        let Payment { success, request_id, payment_id, payment_status, payment_amount, .. } = told;
        let Some(status) = payment_status else { return Verdict::Unknown };
        if request_id.as_ref() != Some(&self.request_id) {
            return Verdict::Unknown;
        }
        let made = payment_id.is_some()
            && payment_amount.is_some_and(|amount| self.amount.is_none_or(|asked| asked == amount));
        let failed = *success == Some(false);
        match status {
            status if *status == PaymentStatus::PROCESSING && !failed => Verdict::Pending,
            status if *status == PaymentStatus::APPROVED && made && !failed => Verdict::Approved,
            status
                if [PaymentStatus::VOIDED, PaymentStatus::REFUNDED].contains(status) && made && !failed =>
            {
                Verdict::Reversed
            }
            status
                if [PaymentStatus::DECLINED, PaymentStatus::ERROR].contains(status)
                    && *success != Some(true) =>
            {
                Verdict::Declined
            }
            _ => Verdict::Unknown,
        }
    }

    /// The one of these that tells most, and what it tells.
    pub fn judge_all<'a>(
        &self,
        told: impl IntoIterator<Item = &'a Payment>,
    ) -> Option<(Verdict, &'a Payment)> {
        told.into_iter().map(|payment| (self.judge(payment), payment)).max_by_key(|(verdict, _)| *verdict)
    }
}
