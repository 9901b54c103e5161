//! Payments: one for each request, whatever becomes of the answers.

use std::sync::Arc;

use perennial_domain::clientpay::{
    Criteria, Expected, NewPayment, PageNumber, Payment, PaymentFilter, PaymentId, PaymentSearch,
    PaymentStatus, Postback, Refund, RequestId, UsedRequestId, Verdict,
};
use perennial_transport::Replay;
use perennial_wire::Limits;
use perennial_wire::clearent::Page;
use perennial_wire::clientpay::{Route, Session, Version, payment as wire, search};

use super::ClientPay;
use super::keyed::{Keyed, Look, Looked};
use crate::{Error, ErrorKind, List, Response};

/// The payments of a merchant account.
///
/// What the bank declined is a value: ask [`Payment::decline`]. That a payment was made is believed only where the
/// gateway says that it was approved and names the payment, our request and our amount; where its answer says less, it
/// is looked for by the request.
#[derive(Debug)]
#[must_use = "it does nothing by itself"]
pub struct Payments<'a> {
    pub(super) client: &'a ClientPay,
    pub(super) under: Option<RequestId>,
}

impl Payments<'_> {
    /// Makes the next request under this id, under which the same one may have been sent before: it is looked for, and
    /// sent only if the gateway knows nothing of it.
    ///
    /// ```no_run
    /// # use perennial::{ClientPay, Error, Response, clientpay::{NewPayment, Payment}};
    /// # async fn pay(client: ClientPay, payment: NewPayment) -> Result<Response<Payment>, Error> {
    /// let error = match client.payments().pay(&payment).await {
    ///     Err(error) if error.is_outcome_unknown() => error,
    ///     known => return known,
    /// };
    /// // Later, or elsewhere: the first payment, or the only one.
    /// let id = error.into_request_id().expect("an unknown payment has its request id");
    /// client.payments().under(id).pay(&payment).await
    /// # }
    /// ```
    pub fn under(self, id: RequestId) -> Self {
        Self { under: Some(id), ..self }
    }

    /// Pays. The value is approved, or declined, or, under an id that was used before, taken back since.
    ///
    /// # Errors
    ///
    /// Of kind [`OutcomeUnknown`](ErrorKind::OutcomeUnknown), with the
    /// [`request_id`](crate::Error::request_id), where the gateway does not say what became of it: never pay again but
    /// [`under`](Self::under) that id.
    pub async fn pay(self, payment: &NewPayment) -> Result<Response<Payment>, Error> {
        let client = self.client;
        let keyed = Keyed::new(client, Route::Pay, wire::decode, self.under).await?;
        let asked = Expected { request_id: keyed.id().used(), amount: Some(*payment.fields().total_amount) };
        let write = |session: Session<'_>, id: &RequestId| wire::pay(session, id, payment);
        let take =
            |_: &RequestId, told: Payment, _| (asked.judge(&told) >= Verdict::Declined).then_some(told);
        keyed.perform(write, take, || look(client, &asked)).await
    }

    /// Gives a payment back in full, of version 2: voids it, or refunds it if it is settled. The value's status says
    /// which; the gateway decides.
    ///
    /// # Errors
    ///
    /// Of kind [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) likewise.
    pub async fn refund(self, refund: &Refund) -> Result<Response<Payment>, Error> {
        let client = self.client;
        let keyed = Keyed::new(client, Route::Refund, wire::decode, self.under).await?;
        let (request, payment) = (keyed.id().used(), refund.fields().payment_id);
        let write = |session: Session<'_>, id: &RequestId| wire::refund(session, id, refund);
        let take = |_: &RequestId, told: Payment, failed: Option<ErrorKind>| {
            (failed.is_none() && gives_back(payment, &request, &told)).then_some(told)
        };
        keyed.perform(write, take, || look_for_refund(client, &request, payment)).await
    }

    /// What became of the payment of a request, as the gateway has it: `None` if it knows of none. This, and not a
    /// postback, is what a payment on a page is believed by.
    ///
    /// ```no_run
    /// # use perennial::clientpay::{Expected, Postback, Verdict, postback};
    /// # use perennial::{Amount, ClientPay, Error};
    /// # async fn hook(client: ClientPay, body: &[u8], amount: Amount) -> Result<bool, Error> {
    /// // Anybody can post to the hook: it says where to look, and nothing more.
    /// let Some(request_id) = postback(body)?.request_id().cloned() else { return Ok(false) };
    /// let asked = Expected { request_id, amount: Some(amount) };
    /// let confirmed = client.payments().confirm(&asked).await?;
    /// Ok(confirmed.as_ref().is_some_and(|confirmed| confirmed.verdict() == Verdict::Approved))
    /// # }
    /// ```
    pub async fn confirm(self, asked: &Expected) -> Result<Response<Option<Confirmed>>, Error> {
        let found = found(self.client, &asked.request_id).await?;
        Ok(found.map(|payments| {
            let (verdict, payment) = asked.judge_all(&payments)?;
            Some(Confirmed { verdict, payment: payment.clone() })
        }))
    }

    /// How many payments match, of version 2.
    pub async fn count(self, filter: &PaymentFilter) -> Result<Response<u64>, Error> {
        let write = |session: Session<'_>| search::count(session, filter);
        let counted =
            self.client.call(Route::CountPayments, Replay::Safe, write, search::decode_count).await?;
        counted.read(|count| count)
    }

    /// The payments that match, of version 2: also those that were not made through the API.
    pub fn search(self, search: PaymentSearch) -> List<Payment> {
        let (client, search) = (self.client.clone(), Arc::new(search));
        let first = search.fields().page_number.map(|page| page.get());
        List::new(Route::SearchPayments.operation(), first, key, move |page| {
            let (client, search) = (client.clone(), search.clone());
            Box::pin(async move { results(&client, &search, page).await })
        })
    }
}

/// The payment of a request, as a search found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    verdict: Verdict,
    payment: Payment,
}

impl Confirmed {
    /// What became of it.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The payment that says so.
    pub fn payment(&self) -> &Payment {
        &self.payment
    }
}

/// A postback, as it arrives at `server_side_return_address`. It is a hint: see [`Payments::confirm`].
pub fn postback(body: &[u8]) -> Result<Postback, Error> {
    wire::decode_postback(body, &Limits::default())
        .map_err(|error| Error::because(ErrorKind::Unreadable, error))
}

fn key(payment: &Payment) -> Option<&str> {
    payment.payment_id.as_ref().map(PaymentId::as_str)
}

async fn results(
    client: &ClientPay,
    search: &PaymentSearch,
    page: u32,
) -> Result<Response<Vec<Payment>>, Error> {
    let size = search.fields().page_size.map_or(100, |size| size.get());
    let number = PageNumber::try_from(page)?;
    let write = |session: Session<'_>| search::results(session, search, number);
    let answered = client.call(Route::SearchPayments, Replay::Safe, write, search::decode_results).await?;
    let found = answered.read(|found| found)?;
    let there = found.payments.len() + found.unreadable().len();
    // The gateway does not say which page is the last one.
    let about = Page {
        number: found.page_number,
        last: Some(there < usize::try_from(size).unwrap_or(usize::MAX)),
        ..Page::default()
    };
    Ok(found.map(|found| found.payments).on_page(about))
}

/// What the gateway has of a request: version 1.0 by its status, version 2 by a search.
async fn found(client: &ClientPay, request: &UsedRequestId) -> Result<Response<Vec<Payment>>, Error> {
    if client.version() == Version::V1 {
        let write = |session: Session<'_>| wire::status(session.version, request);
        let told = client.call(Route::PaymentStatus, Replay::Safe, write, wire::decode).await?;
        return match told.failed() {
            Some(ErrorKind::NotFound) => told.take(|_, _| Some(Vec::new())),
            _ => told.take(|payment, _| Some(Vec::from_iter((!is_unpaid_page(&payment)).then_some(payment)))),
        };
    }
    let search = PaymentSearch::builder().group(Criteria::request_id(request)).build()?;
    every(client, &search).await
}

/// Every payment on the first page of a search: one that cannot be read may be the one that is looked for.
async fn every(client: &ClientPay, search: &PaymentSearch) -> Result<Response<Vec<Payment>>, Error> {
    results(client, search, 1).await?.whole()
}

/// Whether a status is of a page on which nobody has paid: it is **inferred** to have no payment in it.
fn is_unpaid_page(told: &Payment) -> bool {
    let Payment { payment_id, payment_status, payment_page_url_status, .. } = told;
    payment_page_url_status.is_some() && payment_id.is_none() && payment_status.is_none()
}

fn look<'l>(client: &'l ClientPay, asked: &'l Expected) -> Look<'l, Payment> {
    Box::pin(async move {
        let Ok(found) = found(client, &asked.request_id).await else { return Looked::Open };
        match asked.judge_all(&*found).map(|(verdict, payment)| (verdict, payment.clone())) {
            Some((Verdict::Pending | Verdict::Unknown, _)) => Looked::Open,
            Some((_, payment)) => Looked::Found(found.map(|_| payment)),
            None => Looked::Absent,
        }
    })
}

/// A refund is found by its own request; a void may only show in the payment.
fn look_for_refund<'l>(
    client: &'l ClientPay,
    request: &'l UsedRequestId,
    payment: &'l PaymentId,
) -> Look<'l, Payment> {
    Box::pin(async move {
        let Ok(of_request) = found(client, request).await else { return Looked::Open };
        if let Some(told) = of_request.iter().find(|told| gives_back(payment, request, told)).cloned() {
            return Looked::Found(of_request.map(|_| told));
        }
        let search = PaymentSearch::builder().group(Criteria::payment_id(payment)).build();
        let Ok(search) = search else { return Looked::Open };
        let Ok(of_payment) = every(client, &search).await else { return Looked::Open };
        let back = |told: &&Payment| {
            let status = told.payment_status.as_ref();
            told.payment_id.as_ref() == Some(payment)
                && [PaymentStatus::VOIDED, PaymentStatus::REFUNDED].iter().any(|word| Some(word) == status)
        };
        match of_payment.iter().find(back).cloned() {
            Some(told) => Looked::Found(of_payment.map(|_| told)),
            None if of_request.is_empty() => Looked::Absent,
            None => Looked::Open,
        }
    })
}

/// Whether this tells that the payment was given back by the request: a void of it, or a refund for it.
fn gives_back(payment: &PaymentId, request: &UsedRequestId, told: &Payment) -> bool {
    let Payment { request_id, payment_id, original_payment_id, payment_status, success, .. } = told;
    let Some(status) = payment_status else { return false };
    let voided = *status == PaymentStatus::VOIDED && payment_id.as_ref() == Some(payment);
    let refunds = [PaymentStatus::APPROVED, PaymentStatus::REFUNDED].contains(status)
        && original_payment_id.as_ref() == Some(payment);
    request_id.as_ref() == Some(request) && *success != Some(false) && (voided || refunds)
}
