//! Payments: at most one for each request, even if responses are lost.

use std::sync::Arc;
use std::time::Duration;

use perennial_domain::clientpay::{
    Criteria, Expected, NewPayment, PageNumber, Payment, PaymentFilter, PaymentId, PaymentSearch,
    PaymentStatus, Postback, Refund, RequestId, SeveralPayments, UsedRequestId, Verdict,
};
use perennial_domain::mask::Known;
use perennial_wire::Limits;
use perennial_wire::clientpay::{Operation, Session, Version, payment as wire, search};

use super::ClientPay;
use super::idempotent_request::{IdempotentRequest, LookUp, LookUpResult, Manner, Under};
use crate::{Error, ErrorKind, List, PageInfo, Response};

/// The payments of a merchant account.
///
/// A decline by the bank is a value: see [`Payment::decline`]. A payment counts as made only if the gateway reports it
/// as approved and names the payment, our request and our amount. If the response is missing any of these, the payment
/// is looked up by its request.
#[derive(Debug)]
#[must_use = "it does nothing by itself"]
pub struct Payments<'a> {
    pub(super) client: &'a ClientPay,
    pub(super) under: Option<Under>,
    pub(super) resend_after: Option<Duration>,
}

impl Payments<'_> {
    /// Sets the id for the next request. If the same request was sent under this id before, its payment is looked up,
    /// and the request is sent only if the gateway does not know it. Wait before that: the gateway may still be
    /// executing the lost request. It accepts each id once.
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
    ///
    /// The second of two requests under one id finds the payment of the first:
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let payment = NewPayment::builder().total_amount("540.25").credit_card(card).build()?;
    /// let id = client.new_request_id().await?.into_value();
    /// let written = id.expose().to_owned();
    /// let paid = client.payments().under(id).pay(&payment).await?;
    ///
    /// let again = client.payments().under(RequestId::try_from(written)?).pay(&payment).await?;
    /// assert_eq!(again.payment_id, paid.payment_id);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn under(self, id: RequestId) -> Self {
        Self { under: Some(Under { id, sent: true }), ..self }
    }

    /// Sets the id for the next request, under which nothing was sent before. Unlike after [`under`](Self::under), nothing is
    /// looked up before it, and a definite refusal is the result. Use it with an id that was written down before the
    /// request is sent.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let id = client.new_request_id().await?.into_value();
    /// let unknown = "20411875".parse::<PaymentId>()?;
    /// let refund = Refund::builder().payment_id(unknown).build()?;
    /// let refused = client.payments().under_new(id).refund(&refund).await.unwrap_err();
    /// assert!(refused.is_not_found());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn under_new(self, id: RequestId) -> Self {
        Self { under: Some(Under { id, sent: false }), ..self }
    }

    /// Allows the next request to be sent a second time, under the same id, if its response is lost: after this time,
    /// and only if the gateway still does not know it. By default, nothing is sent a second time, and the outcome is
    /// unknown.
    ///
    /// A request whose response names a payment is never sent again, and no request is sent a third time. The time must
    /// be longer than the gateway may take to execute a request: minutes, not seconds. The vendor documents that a used
    /// id is refused, but not how soon.
    ///
    /// ```
    /// # #[cfg(feature = "reqwest")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use perennial::clientpay::{Card, NewPayment};
    /// use perennial::{BaseUrl, ClientPay};
    /// use perennial_sandbox::{Effect, Fault, Sandbox};
    ///
    /// let sandbox = Sandbox::start().await?;
    /// let world = sandbox.world(1).await?;
    /// world.fault(&Fault::on("clientpay-payments.create", Effect::ErrorBefore { status: 500 }).nth(1)).await?;
    /// let client = ClientPay::builder(world.clientpay()).environment(sandbox.base_url().parse::<BaseUrl>()?).build()?;
    ///
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let payment = NewPayment::builder().total_amount("25.00").credit_card(card).build()?;
    /// let window = Duration::from_millis(1); // Of a real gateway, minutes.
    /// let paid = client.payments().resend_after(window).pay(&payment).await?;
    /// assert!(paid.is_approved());
    /// # Ok(()) }
    /// # #[cfg(not(feature = "reqwest"))]
    /// # fn main() {}
    /// ```
    pub fn resend_after(self, window: Duration) -> Self {
        Self { resend_after: Some(window), ..self }
    }

    /// Makes a payment. The value is approved or declined, or, under an id that was used before, possibly voided or
    /// refunded.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let payment = NewPayment::builder().total_amount("540.25").credit_card(card).build()?;
    /// let paid = client.payments().pay(&payment).await?;
    /// assert!(paid.is_approved());
    /// assert_eq!(paid.payment_amount, "540.25".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    ///
    /// # Errors
    ///
    /// Of kind [`OutcomeUnknown`](ErrorKind::OutcomeUnknown), with the [`request_id`](crate::Error::request_id), where
    /// the gateway does not say whether it was paid, and with the [`payment_ids`](crate::Error::payment_ids) that it
    /// named: never pay again but [`under`](Self::under) that id.
    pub async fn pay(self, payment: &NewPayment) -> Result<Response<Payment>, Error> {
        let Self { client, under, resend_after } = self;
        let sending = IdempotentRequest::new(client, Operation::Pay, wire::decode, under).await?;
        let expected =
            Expected { request_id: sending.id().used(), amount: Some(*payment.fields().total_amount) };
        let write = |session: Session<'_>, id: &RequestId| wire::pay(session, id, payment);
        let take = |_: &RequestId, reported: Payment, Manner { status, failed }: Manner| {
            let believed = match expected.judge(&reported) {
                Verdict::Approved => failed.is_none(),
                Verdict::Declined => matches!(status, 200..=299 | 402),
                _ => false,
            };
            believed.then_some(reported)
        };
        sending.perform(resend_after, write, take, || look(client, &expected)).await
    }

    /// Returns a payment in full (version 2): the gateway voids it, or refunds it if it is settled. The status of the
    /// value shows which.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let payment = NewPayment::builder().total_amount("540.25").credit_card(card).build()?;
    /// let paid = client.payments().pay(&payment).await?;
    /// let refund = Refund::builder().payment_id(paid.payment_id.clone()).build()?;
    /// let refunded = client.payments().refund(&refund).await?;
    /// assert!(matches!(refunded.payment_status, Some(PaymentStatus::VOIDED | PaymentStatus::REFUNDED)));
    #[doc = include_str!("../example_end.md")]
    /// ```
    ///
    /// # Errors
    ///
    /// Of kind [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) likewise.
    pub async fn refund(self, refund: &Refund) -> Result<Response<Payment>, Error> {
        let Self { client, under, resend_after } = self;
        let sending = IdempotentRequest::new(client, Operation::Refund, wire::decode, under).await?;
        let (request, payment) = (sending.id().used(), refund.fields().payment_id);
        let write = |session: Session<'_>, id: &RequestId| wire::refund(session, id, refund);
        let take = |_: &RequestId, reported: Payment, manner: Manner| {
            (manner.failed.is_none() && gives_back(payment, &request, &reported)).then_some(reported)
        };
        sending.perform(resend_after, write, take, || look_for_refund(client, &request, payment)).await
    }

    /// Looks up the payment of a request; `None` if the gateway does not know one. Trust this, and not a postback, for
    /// a payment on a page.
    ///
    /// ```no_run
    /// # use perennial::clientpay::{Expected, Postback, Verdict, postback};
    /// # use perennial::{Amount, ClientPay, Error};
    /// # async fn hook(client: ClientPay, body: &[u8], amount: Amount) -> Result<bool, Error> {
    /// // Anybody can post to the hook: it says where to look, and nothing more.
    /// let Some(request_id) = postback(body)?.request_id().cloned() else { return Ok(false) };
    /// let expected = Expected { request_id, amount: Some(amount) };
    /// let confirmed = client.payments().confirm(&expected).await?;
    /// Ok(confirmed.as_ref().is_some_and(|confirmed| confirmed.verdict() == Verdict::Approved))
    /// # }
    /// ```
    ///
    /// It also works for a payment that was not made on a page:
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let payment = NewPayment::builder().total_amount("540.25").credit_card(card).build()?;
    /// let paid = client.payments().pay(&payment).await?;
    /// let request_id = paid.request_id.clone().ok_or("a payment names its request")?;
    /// let expected = Expected { request_id, amount: paid.payment_amount };
    /// let confirmed = client.payments().confirm(&expected).await?.into_value().ok_or("it was made")?;
    /// assert_eq!(confirmed.verdict(), Verdict::Approved);
    /// assert_eq!(confirmed.payment().payment_id, paid.payment_id);
    #[doc = include_str!("../example_end.md")]
    /// ```
    ///
    /// # Errors
    ///
    /// Of kind [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) where the gateway has several payments of the request that
    /// may have taken money, with their [`payment_ids`](crate::Error::payment_ids). Declined attempts on a page and the
    /// surcharge of a payment are not counted: see [`Expected::find`].
    pub async fn confirm(self, expected: &Expected) -> Result<Response<Option<Confirmed>>, Error> {
        let found = found(self.client, &expected.request_id).await?;
        let confirmed = expected
            .find(&found)
            .map(|judged| judged.map(|(verdict, payment)| Confirmed { verdict, payment: payment.clone() }));
        let confirmed = confirmed.map_err(|several| {
            let error =
                Error::new(ErrorKind::OutcomeUnknown).naming_payments(several.payment_ids().iter().cloned());
            error.of_operation(Operation::SearchPayments.name()).with_source(several)
        })?;
        Ok(found.map(|_| confirmed))
    }

    /// Returns the number of payments that match (version 2).
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let payment = NewPayment::builder().total_amount("540.25").credit_card(card).build()?;
    /// client.payments().pay(&payment).await?;
    /// let since = Criteria::new(Field::PaymentDate, Operator::AtLeast, "2027-01-01")?;
    /// let count = client.payments().count(&PaymentFilter::builder().group(since).build()?).await?;
    /// assert_eq!(*count, 1);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn count(self, filter: &PaymentFilter) -> Result<Response<u64>, Error> {
        let write = |session: Session<'_>| search::count(session, filter);
        let counted = self.client.call(Operation::CountPayments, write, search::decode_count).await?;
        counted.read(|count| count)
    }

    /// Searches for payments (version 2), including payments that were not made through the API.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let payment = NewPayment::builder().total_amount("540.25").session_id("S-1").credit_card(card).build()?;
    /// client.payments().pay(&payment).await?;
    /// let of_session = Criteria::new(Field::SessionId, Operator::Is, "S-1")?;
    /// let found = client.payments().search(PaymentSearch::builder().group(of_session).build()?).collect_all().await?;
    /// assert_eq!(found[0].payment_amount, "540.25".parse().ok());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn search(self, search: PaymentSearch) -> List<Payment> {
        let (client, search) = (self.client.clone(), Arc::new(search));
        let first = search.fields().page_number.map(|page| page.get());
        List::new(Operation::SearchPayments.name(), first, key, move |page| {
            let (client, search) = (client.clone(), search.clone());
            Box::pin(async move { results(&client, &search, page).await })
        })
    }
}

/// The payment of a request, found by a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    verdict: Verdict,
    payment: Payment,
}

impl Confirmed {
    /// The state of the payment.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The record with that state.
    pub fn payment(&self) -> &Payment {
        &self.payment
    }
}

/// Parses a postback, as it arrives at `server_side_return_address`. It is a hint: see [`Payments::confirm`].
pub fn postback(body: &[u8]) -> Result<Postback, Error> {
    wire::decode_postback(body, &Limits::masking(Known::default()))
        .map_err(|error| Error::because(ErrorKind::InvalidResponse, error))
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
    let answered = client.call(Operation::SearchPayments, write, search::decode_results).await?;
    let found = answered.read(|found| found)?;
    let there = found.payments.len() + found.unreadable().len();
    // The gateway does not report which page is the last one.
    let about = PageInfo {
        number: found.page_number,
        last: Some(there < usize::try_from(size).unwrap_or(usize::MAX)),
        ..PageInfo::default()
    };
    Ok(found.map(|found| found.payments).on_page(about))
}

/// Returns the gateway's records of a request: in version 1.0 by its status, in version 2 by a search.
async fn found(client: &ClientPay, request: &UsedRequestId) -> Result<Response<Vec<Payment>>, Error> {
    if client.version() == Version::V1 {
        let write = |session: Session<'_>| wire::status(session.version, request);
        let reported = client.call(Operation::PaymentStatus, write, wire::decode).await?;
        if reported.is_plainly(ErrorKind::NotFound) {
            return reported.take(|_, _| Some(Vec::new()));
        }
        // A declined payment is a status too.
        return reported.take(|payment, failed| {
            let is_of_request = payment.request_id.as_ref().is_none_or(|reported| reported == request);
            let is_status = is_of_request && (failed.is_none() || payment.decline().is_some());
            is_status.then(|| Vec::from_iter((!is_unpaid_page(&payment)).then_some(payment)))
        });
    }
    let search = PaymentSearch::builder().group(Criteria::request_id(request)).build()?;
    every(client, &search).await
}

/// Returns all payments found by a search. One that cannot be read is an error, because it may be the right one.
async fn every(client: &ClientPay, search: &PaymentSearch) -> Result<Response<Vec<Payment>>, Error> {
    let mut found = results(client, search, 1).await?.whole()?;
    for page in 2.. {
        if found.page().and_then(|page| page.last) != Some(false) {
            break;
        }
        let more = results(client, search, page).await?.whole()?;
        let about = more.page().cloned().unwrap_or_default();
        found = found.map(|found| [found, more.into_value()].concat()).on_page(about);
        if page == MOST_PAGES {
            return Err(Error::new(ErrorKind::PageLoop).of_operation(Operation::SearchPayments.name()));
        }
    }
    Ok(found)
}

/// The maximum number of pages with records of one request.
const MOST_PAGES: u32 = 10;

/// Whether a status belongs to a page on which nobody has paid: that it contains no payment is **inferred**.
fn is_unpaid_page(reported: &Payment) -> bool {
    let Payment { payment_id, payment_status, payment_page_url_status, .. } = reported;
    payment_page_url_status.is_some() && payment_id.is_none() && payment_status.is_none()
}

fn look<'l>(client: &'l ClientPay, expected: &'l Expected) -> LookUp<'l, Payment> {
    Box::pin(async move {
        let Ok(found) = found(client, &expected.request_id).await else {
            return LookUpResult::Open(Vec::new());
        };
        match expected.find(&found) {
            Err(several) => LookUpResult::Several(several),
            Ok(None) => LookUpResult::Absent,
            Ok(Some((Verdict::Pending | Verdict::Unknown, _))) => LookUpResult::Open(named(&found)),
            Ok(Some((_, payment))) => {
                let payment = payment.clone();
                LookUpResult::Found(found.map(|_| payment))
            }
        }
    })
}

/// Looks up a refund by its own request; a void may only be visible in the payment.
fn look_for_refund<'l>(
    client: &'l ClientPay,
    request: &'l UsedRequestId,
    payment: &'l PaymentId,
) -> LookUp<'l, Payment> {
    Box::pin(async move {
        let Ok(of_request) = found(client, request).await else { return LookUpResult::Open(Vec::new()) };
        let back: Vec<Payment> =
            of_request.iter().filter(|reported| gives_back(payment, request, reported)).cloned().collect();
        let ids = named(&back);
        if ids.len() > 1 {
            return LookUpResult::Several(SeveralPayments::new(ids));
        }
        if let Some(reported) = back.into_iter().next() {
            return LookUpResult::Found(of_request.map(|_| reported));
        }
        let search = PaymentSearch::builder().group(Criteria::payment_id(payment)).build();
        let Ok(search) = search else { return LookUpResult::Open(Vec::new()) };
        let Ok(of_payment) = every(client, &search).await else { return LookUpResult::Open(Vec::new()) };
        let is_back = |reported: &Payment| {
            let back = [PaymentStatus::VOIDED, PaymentStatus::REFUNDED];
            reported.success != Some(false)
                && reported.payment_status.as_ref().is_some_and(|status| back.contains(status))
        };
        let mut it = of_payment.iter().filter(|reported| reported.payment_id.as_ref() == Some(payment));
        match it.next().cloned() {
            Some(reported) if is_back(&reported) && it.all(is_back) => {
                LookUpResult::Found(of_payment.map(|_| reported))
            }
            _ if of_request.is_empty() => LookUpResult::Absent,
            _ => LookUpResult::Open(named(&of_request)),
        }
    })
}

/// The ids of the payments in these records, without repetitions.
fn named(records: &[Payment]) -> Vec<PaymentId> {
    let mut ids = Vec::new();
    for id in records.iter().filter_map(|record| record.payment_id.as_ref()) {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

/// Whether this record shows that the request returned the payment: a void of it, or a refund for it.
fn gives_back(payment: &PaymentId, request: &UsedRequestId, reported: &Payment) -> bool {
    let Payment { request_id, payment_id, original_payment_id, payment_status, success, .. } = reported;
    let Some(status) = payment_status else { return false };
    let voided = *status == PaymentStatus::VOIDED && payment_id.as_ref() == Some(payment);
    let refunds = [PaymentStatus::APPROVED, PaymentStatus::REFUNDED].contains(status)
        && original_payment_id.as_ref() == Some(payment);
    request_id.as_ref() == Some(request) && *success != Some(false) && (voided || refunds)
}
