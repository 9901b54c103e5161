//! Invoices, each paid once.

use perennial_domain::clearent::{
    Charge, Reference, Transaction, TransactionSearch, TransactionType, Verdict,
};
use perennial_domain::{Amount, Builder, Invoice};

use super::{Charged, Clearent, Lookup};
use crate::page::Moved;
use crate::{Error, ErrorKind};

/// Invoices that are paid by card transactions. The gateway has no invoices, only the transactions that carry an
/// invoice's number as their order id, for 90 days.
///
/// ```
/// # #[cfg(feature = "reqwest")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perennial::clearent::{ApiKey, Charge, InvoicePayment};
/// use perennial::{BaseUrl, Clearent, Invoice, InvoiceLine};
///
/// let sandbox = perennial_sandbox::Sandbox::start().await?;
/// let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
///     .environment(sandbox.base_url().parse::<BaseUrl>()?)
///     .build()?;
/// let line = InvoiceLine::builder().description("Labor").amount("250.00");
/// let invoice = Invoice::builder().number("INV-70412").date("2027-01-04").line(line).build()?;
///
/// let card = Charge::builder().card("4111111111111111").exp_date("1230");
/// let InvoicePayment::Charged(charge) = client.invoices().pay(&invoice, card).await? else { panic!("not paid yet") };
/// assert!(charge.is_approved());
///
/// // Whoever asks again charges nobody.
/// let card = Charge::builder().card("4111111111111111").exp_date("1230");
/// let again = client.invoices().pay(&invoice, card).await?;
/// assert!(matches!(again, InvoicePayment::AlreadyPaid(before) if before.id == charge.id));
/// # Ok(()) }
/// # #[cfg(not(feature = "reqwest"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Invoices<'a>(pub(super) &'a Clearent);

/// The status of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoiceStatus {
    /// No charge for it was approved, or the charge was voided. Contains the last decline, if there was one.
    Unpaid(Option<Transaction>),
    /// This charge paid it. Refunds do not reopen the invoice: to charge again, use another number.
    Paid(Transaction),
    /// The issuer approved a part of it: [`Transaction::partial`] has the charged and the remaining amount. The invoice
    /// is not charged again under its number. Charge the rest under a separate number, or void this charge.
    Partial(Transaction),
    /// This charge is neither approved nor declined ([`Verdict::Undecided`]), so money may have been taken. The invoice
    /// is not charged again until the gateway reports the outcome.
    Undecided(Transaction),
    /// More than one charge under the number took money: these charges, all of them approved, in full or in part. Void
    /// or refund the excess ones.
    Several(Vec<Transaction>),
}

/// The result of a call that pays an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoicePayment {
    /// The invoice was charged now, in full, or the charge was declined.
    Charged(Box<Charged>),
    /// The invoice was paid before, by this charge; nothing was charged now.
    AlreadyPaid(Box<Transaction>),
    /// The issuer approved a part of it, now or before: [`Transaction::partial`] has the charged and the remaining
    /// amount. Charge the rest under a separate number, or void this charge.
    Partial(Box<Transaction>),
    /// More than one charge under the number took money: these charges. If the response to this call was lost, it is
    /// not known whether this call made one of them. Void or refund the excess ones.
    Several(Vec<Transaction>),
    /// Nothing was charged: an earlier charge conflicts with this one. It has the invoice's number but another amount, or
    /// it is a charge for something else that the gateway's duplicate check considers equal. The invoice is not paid.
    Conflicting(Box<Transaction>),
}

/// The error for an earlier charge of the invoice that is neither approved nor declined.
#[derive(Debug, thiserror::Error)]
#[error("an earlier charge of the invoice is neither approved nor declined; nothing was charged now")]
struct UndecidedBefore;

impl Invoices<'_> {
    /// Determines whether an invoice is paid, from the transactions that carry its number as their order id.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let line = InvoiceLine::builder().description("Labor").amount("250.00");
    /// let invoice = Invoice::builder().number("INV-70412").date("2027-01-04").line(line).build()?;
    /// assert_eq!(client.invoices().status(invoice.number()).await?, InvoiceStatus::Unpaid(None));
    ///
    /// client.invoices().pay(&invoice, Charge::builder().card(&token).exp_date("1230")).await?;
    /// let InvoiceStatus::Paid(charge) = client.invoices().status(invoice.number()).await? else { panic!("paid now") };
    /// assert_eq!(charge.amount, Some(invoice.amount()));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn status(self, number: &Reference) -> Result<InvoiceStatus, Error> {
        let search =
            TransactionSearch { order_id: Some(number.as_str().to_owned()), ..TransactionSearch::default() };
        let mut list = self.0.transactions().search(&search);
        let mut found = list.collect_all().await?;
        if list.changed() {
            // A charge may be missing from a list that changed while it was read. It is read once more; if it changes
            // again, the status is unknown.
            list = self.0.transactions().search(&search);
            found = list.collect_all().await?;
        }
        let charges = found.into_iter().filter(|found| is_charge(number, found));
        let (mut taken, others): (Vec<_>, Vec<_>) = charges.partition(took_money);
        if taken.len() > 1 {
            return Ok(InvoiceStatus::Several(taken));
        }
        let (undecided, declined): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|charge| charge.verdict() != Verdict::Declined || !is_sale(charge));
        Ok(match (taken.pop(), undecided.into_iter().next()) {
            (Some(paid), _) if paid.partial().is_none() => InvoiceStatus::Paid(paid),
            (_, Some(undecided)) => InvoiceStatus::Undecided(undecided),
            (Some(partial), None) => InvoiceStatus::Partial(partial),
            (None, None) if list.changed() => {
                return Err(Error::because(ErrorKind::InvalidResponse, Moved).of_operation("invoices.status"));
            }
            (None, None) => InvoiceStatus::Unpaid(declined.into_iter().next()),
        })
    }

    /// Pays an invoice with the card or token of this charge, if it is not paid yet. The amount, invoice number and
    /// order id of the charge are set from the invoice.
    ///
    /// The call looks for earlier charges first, and looks again after a lost response. Two simultaneous calls can both
    /// find none; therefore the charge requests the gateway's own check for an earlier charge with this invoice number
    /// and amount (`check-field`, which the vendor's page documents for card readers: that it also works for keyed
    /// cards and tokens is **inferred**). If a gateway does not check, both calls charge: pay an invoice from one
    /// process only, or from one at a time.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let line = InvoiceLine::builder().description("Labor").amount("250.00");
    /// let invoice = Invoice::builder().number("INV-70412").date("2027-01-04").line(line).build()?;
    /// let paid = client.invoices().pay(&invoice, Charge::builder().card(&token).exp_date("1230")).await?;
    /// assert!(matches!(paid, InvoicePayment::Charged(charge) if charge.is_approved()));
    #[doc = include_str!("../example_end.md")]
    /// ```
    ///
    /// # Errors
    ///
    /// Of kind [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) if the answer was lost and no charge is found: it may still
    /// come, so that only a later look tells, at [`Lookup::Invoice`]. Also, now and in every later call, if a charge of the
    /// invoice is neither approved nor declined.
    pub async fn pay(self, invoice: &Invoice, with: Builder<Charge>) -> Result<InvoicePayment, Error> {
        let number = invoice.number();
        let charge = invoice.complete(with).check_field("invoice").build()?;
        match self.status(number).await? {
            InvoiceStatus::Paid(before) | InvoiceStatus::Partial(before) => {
                return Ok(earlier(invoice, before));
            }
            InvoiceStatus::Undecided(_) => {
                let error = Error::because(ErrorKind::OutcomeUnknown, UndecidedBefore);
                return Err(error.of_operation("invoices.pay").look_up(|| Lookup::Invoice(number.clone())));
            }
            InvoiceStatus::Several(charges) => return Ok(InvoicePayment::Several(charges)),
            InvoiceStatus::Unpaid(_) => {}
        }
        let lost = match self.0.transactions().sale(&charge).await {
            Ok(charge) if charge.is_duplicate() => {
                return Ok(earlier(invoice, charge.into_value().transaction));
            }
            Ok(charge) => return Ok(charged(invoice, charge.into_value())),
            Err(error) => error,
        };
        let found = if lost.is_outcome_unknown() { self.status(number).await.ok() } else { None };
        match found {
            Some(InvoiceStatus::Paid(transaction) | InvoiceStatus::Partial(transaction))
                if pays(invoice, &transaction) || is_part_of(invoice, &transaction) =>
            {
                Ok(charged(invoice, Charged { transaction, token: None }))
            }
            Some(InvoiceStatus::Several(charges)) => Ok(InvoicePayment::Several(charges)),
            _ => Err(lost.look_up(|| Lookup::Invoice(number.clone()))),
        }
    }
}

/// Whether it is a charge of the invoice with this number that is not voided. A transaction with an unknown type, or
/// without type or order id, may be one.
fn is_charge(number: &Reference, found: &Transaction) -> bool {
    let others = [
        TransactionType::AUTH,
        TransactionType::VOID,
        TransactionType::REFUND,
        TransactionType::UNMATCHED_REFUND,
    ];
    found.order_id.as_deref().is_none_or(|order| order == number.as_str())
        && found.transaction_type.as_ref().is_none_or(|kind| !others.contains(kind))
        && !found.is_voided()
}

/// Whether the charge took money, in full or in part, according to all its members.
fn took_money(charge: &Transaction) -> bool {
    is_sale(charge) && charge.is_approved() && charge.amount.is_some() && !charge.may_be_voided()
}

/// Whether the type takes money. A missing or unknown type may.
fn is_sale(found: &Transaction) -> bool {
    let kinds = [TransactionType::SALE, TransactionType::FORCED_SALE, TransactionType::CAPTURE];
    found.transaction_type.as_ref().is_none_or(|kind| kinds.contains(kind))
}

/// The result for the invoice of a charge that was made now.
fn charged(invoice: &Invoice, charge: Charged) -> InvoicePayment {
    if is_part_of(invoice, &charge.transaction) {
        InvoicePayment::Partial(of_invoice(invoice, charge.transaction))
    } else {
        InvoicePayment::Charged(charge.into())
    }
}

/// The result for the invoice of an earlier charge.
fn earlier(invoice: &Invoice, charge: Transaction) -> InvoicePayment {
    if pays(invoice, &charge) {
        InvoicePayment::AlreadyPaid(charge.into())
    } else if is_part_of(invoice, &charge) {
        InvoicePayment::Partial(of_invoice(invoice, charge))
    } else {
        InvoicePayment::Conflicting(charge.into())
    }
}

/// Whether the charge pays the invoice in full. A tip is added to the amount, and may or may not be included in it.
fn pays(invoice: &Invoice, charge: &Transaction) -> bool {
    let due = Some(invoice.amount());
    let without_tip = |paid: Amount| paid.checked_sub(charge.tip_amount.unwrap_or_default());
    took_money(charge)
        && !charge.is_voided()
        && charge.partial().is_none()
        && charge.order_id.as_deref() == Some(invoice.number().as_str())
        && (charge.amount == due || charge.amount.and_then(without_tip) == due)
}

/// Whether the charge paid a part of the invoice.
fn is_part_of(invoice: &Invoice, charge: &Transaction) -> bool {
    charge.partial().is_some_and(|partial| partial.taken < invoice.amount())
        && charge.order_id.as_deref() == Some(invoice.number().as_str())
        && charge.original_amount.is_none_or(|original| original == invoice.amount())
}

/// The charge, with the invoice's amount as the original amount if the gateway omits it.
fn of_invoice(invoice: &Invoice, mut charge: Transaction) -> Box<Transaction> {
    charge.original_amount.get_or_insert(invoice.amount());
    charge.into()
}
