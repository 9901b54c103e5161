//! Invoices, each paid once.

use perennial_domain::clearent::{ChargeBuilder, Reference, Transaction, TransactionSearch, TransactionType};
use perennial_domain::{Amount, Invoice};

use super::{Charged, Clearent, Lookup};
use crate::Error;
#[cfg(doc)]
use crate::ErrorKind;

/// Invoices that are paid by card transactions. The gateway knows no invoices: what it knows are the transactions that
/// carry one's number as their order id, for 90 days.
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
/// let line = InvoiceLine::builder().description("Labour").amount("250.00");
/// let invoice = Invoice::builder().number("INV-70412").date("2027-01-04").line(line).build()?;
///
/// let card = Charge::builder().card("4111111111111111").exp_date("1230");
/// let InvoicePayment::Made(made) = client.invoices().pay(&invoice, card).await? else { panic!("not paid yet") };
/// assert!(made.is_approved());
///
/// // Whoever asks again charges nobody.
/// let card = Charge::builder().card("4111111111111111").exp_date("1230");
/// let again = client.invoices().pay(&invoice, card).await?;
/// assert!(matches!(again, InvoicePayment::Before(before) if before.id == made.id));
/// # Ok(()) }
/// # #[cfg(not(feature = "reqwest"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Invoices<'a>(pub(super) &'a Clearent);

/// Where an invoice stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoiceStatus {
    /// No charge for it was approved, or it was voided. The last decline is told, if there was one.
    Unpaid(Option<Transaction>),
    /// This charge paid it. Refunds do not open it again: who wants to charge again uses another number.
    Paid(Transaction),
}

/// What came of a call that pays an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoicePayment {
    /// It was charged now; a decline is one too.
    Made(Box<Charged>),
    /// It was paid before, by this charge, and nothing was charged now.
    Before(Box<Transaction>),
    /// Nothing was charged now, and the invoice is not paid as it stands: this earlier charge has its number but
    /// another amount, or is one for something else that the gateway's duplicate check takes for the same.
    InTheWay(Box<Transaction>),
}

impl Invoices<'_> {
    /// Looks whether an invoice is paid, by the transactions that carry its number as their order id.
    pub async fn status(self, number: &Reference) -> Result<InvoiceStatus, Error> {
        let search =
            TransactionSearch { order_id: Some(number.as_str().to_owned()), ..TransactionSearch::default() };
        let is_sale = |found: &Transaction| {
            let kinds = [TransactionType::SALE, TransactionType::FORCED_SALE, TransactionType::CAPTURE];
            found.order_id.as_deref() == Some(number.as_str())
                && found.transaction_type.as_ref().is_some_and(|kind| kinds.contains(kind))
        };
        let found = self.0.transactions().search(&search).collect_all().await?;
        let mut charges = found.into_iter().filter(is_sale).collect::<Vec<_>>();
        let paid = charges.iter().position(|made| made.is_approved() && made.voided != Some(true));
        Ok(match paid {
            Some(at) => InvoiceStatus::Paid(charges.swap_remove(at)),
            None => InvoiceStatus::Unpaid(charges.into_iter().find(|made| made.decline().is_some())),
        })
    }

    /// Pays an invoice with the card or token of this charge, whose amount, invoice and order id are the invoice's,
    /// unless it is paid already.
    ///
    /// It looks first, and after a lost answer it looks again before it says anything. Two calls at one moment can both
    /// find nothing; therefore the charge asks the gateway to look for an earlier one of the invoice and the amount
    /// (`check-field`, which the vendor's page has for card readers: that it looks for keyed cards and tokens is
    /// **inferred**). Where a gateway does not, both are charged: let one process pay an invoice, or one at a time.
    ///
    /// # Errors
    ///
    /// Of kind [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) if the answer was lost and no charge is found: it may still
    /// come, so that only a later look tells, at [`Lookup::Invoice`].
    pub async fn pay(self, invoice: &Invoice, with: ChargeBuilder) -> Result<InvoicePayment, Error> {
        let number = invoice.fields().number;
        let charge = invoice.complete(with).check_field("invoice").build()?;
        if let InvoiceStatus::Paid(before) = self.status(number).await? {
            return Ok(earlier(invoice, before));
        }
        let lost = match self.0.transactions().sale(&charge).await {
            Ok(made) if made.is_duplicate() => return Ok(earlier(invoice, made.into_value().transaction)),
            Ok(made) => return Ok(InvoicePayment::Made(made.into_value().into())),
            Err(error) => error,
        };
        let found = if lost.is_outcome_unknown() { self.status(number).await.ok() } else { None };
        match found {
            Some(InvoiceStatus::Paid(transaction)) if pays(invoice, &transaction) => {
                Ok(InvoicePayment::Made(Charged { transaction, token: None }.into()))
            }
            _ => Err(lost.or_look_up(|| Lookup::Invoice(number.clone()))),
        }
    }
}

/// What an earlier charge means for the invoice.
fn earlier(invoice: &Invoice, charge: Transaction) -> InvoicePayment {
    if pays(invoice, &charge) {
        InvoicePayment::Before(charge.into())
    } else {
        InvoicePayment::InTheWay(charge.into())
    }
}

/// Whether the charge is one of the invoice as it stands. A tip comes on top, and may be counted in.
fn pays(invoice: &Invoice, charge: &Transaction) -> bool {
    let due = Some(invoice.amount());
    let without_tip = |paid: Amount| paid.checked_sub(charge.tip_amount.unwrap_or_default());
    charge.is_approved()
        && charge.order_id.as_deref() == Some(invoice.fields().number.as_str())
        && (charge.amount == due || charge.amount.and_then(without_tip) == due)
}
