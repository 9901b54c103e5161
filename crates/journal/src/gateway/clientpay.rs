//! `ClientPay`: how each write is sent, and how payments and refunds are looked for. Pages and payers have no search.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use perennial::clientpay::{
    AccessId, Criteria, Expected, Field, Operator, Payment, PaymentFilter, PaymentId, PaymentSearch,
    PaymentStatus, RequestId, UsedRequestId, Verdict as Judged, Version,
};
use perennial::transport::SendBy;
use perennial::{Amount, ClientPay, Error, ErrorKind};
use perennial_domain::InvalidValue;
use perennial_wire::Limits;
use perennial_wire::clientpay::{page, payer, payment};

use super::clearent::{
    AFTER_NOT_DONE, Broken, INCOMPLETE, every, key_of, look_failed, moment, object, said_by,
};
use super::clientpay_request::{session_of, with_request_id};
use super::request::{Full, NotStorable};
use super::{Gateway, NotIssued};
use crate::Moment;
use crate::machine::{Answer, Intent, Look, Object, Said, Seen, State, Verdict, Write};

/// The time for which a report that is neither a yes nor a no is looked at again. After that, a person decides.
const DECIDED_WITHIN: Duration = Duration::from_secs(3_600);

/// A merchant account's client.
pub(crate) struct ClientPayGateway {
    pub(crate) client: ClientPay,
    /// The access ids that were issued, by mark, until their callers take them: they are not stored.
    pub(crate) issued: Mutex<HashMap<String, AccessId>>,
}

impl From<NotStorable> for Broken {
    fn from(_: NotStorable) -> Self {
        Self::Object
    }
}

impl From<InvalidValue> for Broken {
    fn from(_: InvalidValue) -> Self {
        Self::Object
    }
}

/// The id under which an intent was sent.
fn used_id(intent: &Intent) -> Option<UsedRequestId> {
    UsedRequestId::try_from(intent.history.request_id.as_deref()?).ok()
}

fn payment_object(payment: &Payment) -> Object {
    object(payment.payment_id.as_ref().map(ToString::to_string), payment)
}

impl ClientPayGateway {
    async fn perform(
        &self,
        client: &ClientPay,
        intent: &Intent,
        full: Option<&Full>,
    ) -> Result<Said, Broken> {
        let body = full.map_or(intent.request.as_bytes(), |full| &full.body);
        let (v2, limits) = (Version::V2, &Limits::default());
        if let Some(said) = self.perform_access(client, intent, body).await? {
            return Ok(said);
        }
        if intent.write == Write::ExpirePage {
            let page: UsedRequestId = key_of(&intent.object)?;
            client.pages().expire(&page).await?;
            return Ok(Said::Done(object(page.to_string(), &())));
        }
        let id = intent.history.request_id.as_deref().ok_or(Broken::Object)?;
        let body = with_request_id(body, id)?;
        let id = RequestId::try_from(id)?;
        // What was sent under the id before is looked up first, and a refusal is then no outcome.
        let is_new = intent.history.attempts.len() == 1 && intent.history.restored.is_none();
        macro_rules! under {
            ($resource:expr) => {
                if is_new { $resource.under_new(id) } else { $resource.under(id) }
            };
        }
        Ok(match intent.write {
            Write::Pay => {
                let request = payment::read_pay(v2, &body, limits)?.request;
                let paid = under!(client.payments()).pay(&request).await?;
                let object = payment_object(&paid);
                if paid.decline().is_some() { Said::Declined(object) } else { Said::Done(object) }
            }
            Write::RefundPayment => {
                let request = payment::read_refund(&body, limits)?.request;
                let refunded = under!(client.payments()).refund(&request).await?;
                Said::Done(payment_object(&refunded))
            }
            Write::CreatePage => {
                let pages = under!(client.pages());
                let made = match Kind::of(&body)? {
                    Kind::Connect => pages.connect(&page::read_connect(v2, &body, limits)?.request).await?,
                    Kind::Invoices => {
                        pages.invoices(&page::read_invoices(v2, &body, limits)?.request).await?
                    }
                    Kind::LineItems => {
                        pages.line_items(&page::read_line_items(v2, &body, limits)?.request).await?
                    }
                    Kind::Payer => pages.payer(&page::read_payer(&body, limits)?.request).await?,
                };
                Said::Done(object(made.request_id.to_string(), &*made))
            }
            Write::CreatePayer => {
                let request = payer::read_create(&body, limits)?.request;
                let made = under!(client.payers()).create(&request).await?;
                Said::Done(object(made.to_string(), &*made))
            }
            Write::UpdatePayer => {
                let request = payer::read_update(&body, limits)?.request;
                let saved = under!(client.payers()).update(&request).await?;
                Said::Done(object(request.fields().payer_id.to_string(), &*saved))
            }
            Write::DeletePayer => {
                let payer = payer::read_delete(&body, limits)?.request;
                under!(client.payers()).delete(&payer).await?;
                Said::Done(object(payer.to_string(), &()))
            }
            Write::AddMethods => {
                let request = payer::read_add_methods(&body, limits)?.request;
                let saved = under!(client.payers()).add_methods(&request).await?;
                Said::Done(object(request.fields().payer_id.to_string(), &*saved))
            }
            Write::UpdateMethods => {
                let request = payer::read_update_methods(&body, limits)?.request;
                let saved = under!(client.payers()).update_methods(&request).await?;
                Said::Done(object(saved.payer_id.as_ref().map(ToString::to_string), &*saved))
            }
            _ => return Err(Broken::Object),
        })
    }

    /// Takes the access ids that were issued.
    pub(crate) fn issued(&self) -> MutexGuard<'_, HashMap<String, AccessId>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds all payments that match.
    async fn search(&self, criteria: Criteria) -> Result<(Option<Moment>, Vec<Payment>), Broken> {
        let search = PaymentSearch::builder().group(criteria).build().map_err(Error::from)?;
        every(self.client.payments().search(search)).await
    }

    /// Finds what was made under the intent's request id, and what has its mark as the session.
    async fn marked(&self, intent: &Intent) -> Result<(Option<Moment>, Vec<Payment>), Broken> {
        let (mut date, mut found) = (None, Vec::new());
        let mut criteria: Vec<_> = used_id(intent).iter().map(Criteria::request_id).collect();
        if has_mark(intent) {
            criteria.push(Criteria::new(Field::SessionId, Operator::Is, intent.mark.as_str())?);
        }
        for criteria in criteria {
            let (at, more) = self.search(criteria).await?;
            date = date.or(at);
            for record in more {
                if !found.contains(&record) {
                    found.push(record);
                }
            }
        }
        Ok((date, found))
    }

    async fn find_payment(&self, intent: &Intent) -> Result<Look, Broken> {
        let amount = serde_json::from_str::<serde_json::Value>(&intent.request).ok();
        let amount =
            amount.and_then(|request| request.get("totalAmount")?.to_string().parse::<Amount>().ok());
        let request = used_id(intent);
        let (at, found) = if self.client.version() == Version::V1 {
            let Some(request_id) = request.clone() else { return Ok(nothing_names_it()) };
            let confirmed = self.client.payments().confirm(&Expected { request_id, amount }).await;
            match confirmed {
                Ok(confirmed) => {
                    let date = moment(&confirmed);
                    (date, confirmed.into_value().map(|one| one.payment().clone()).into_iter().collect())
                }
                Err(error) => return Ok(several_or(&error)),
            }
        } else if request.is_none() && !has_mark(intent) {
            return self.in_session(intent, amount).await;
        } else {
            self.marked(intent).await?
        };
        let seen = judged(request.as_ref(), amount, &found);
        let is_open = |seen: &Seen| seen.verdict == Verdict::Undecided;
        if let Some(open) = seen.iter().find(|seen| is_open(seen))
            && is_late(intent, at)
        {
            let id = open.object.id.as_deref().unwrap_or("without an id");
            return Ok(Look::Impossible(format!(
                "the gateway does not say whether the payment {id} was made"
            )));
        }
        self.seen(intent, at, seen).await
    }

    /// Looks in the caller's own session, before anything is sent that this database knows: a payment of the same amount
    /// may be this one.
    async fn in_session(&self, intent: &Intent, amount: Option<Amount>) -> Result<Look, Broken> {
        let Some(session) = session_of(&intent.request) else { return Ok(nothing_names_it()) };
        let criteria = Criteria::new(Field::SessionId, Operator::Is, session)?;
        let (at, found) = self.search(criteria).await?;
        let may_be = |record: &&Payment| record.decline().is_none() && record.payment_amount == amount;
        match found.iter().find(may_be) {
            None => self.seen(intent, at, Vec::new()).await,
            Some(record) => {
                let id = record.payment_id.as_ref().map_or("without an id", PaymentId::as_str);
                Ok(Look::Impossible(format!("the payment {id} of the same session may be this one")))
            }
        }
    }

    async fn find_refund(&self, intent: &Intent) -> Result<Look, Broken> {
        let payment: PaymentId = key_of(&intent.object)?;
        let request = used_id(intent);
        let (at, found) = self.marked(intent).await?;
        let mut seen: Vec<Seen> = Vec::new();
        for back in found.iter().filter(|record| gives_back(&payment, record)) {
            let object = payment_object(back);
            if seen.iter().all(|other| other.object.id != object.id) {
                seen.push(Seen { object, verdict: Verdict::Done });
            }
        }
        let (date, of_payment) = self.search(Criteria::payment_id(&payment)).await?;
        let at = at.or(date);
        let of_payment: Vec<_> =
            of_payment.iter().filter(|record| record.payment_id.as_ref() == Some(&payment)).collect();
        let control = !of_payment.is_empty();
        if !seen.is_empty() {
            return Ok(Look::Seen { at, control, found: seen });
        }
        // A void may show in the payment only. Before the first attempt, somebody else has made it.
        let is_back = |record: &&Payment| {
            let status = record.payment_status.as_ref();
            record.success != Some(false)
                && (status == Some(&PaymentStatus::VOIDED) || status == Some(&PaymentStatus::REFUNDED))
        };
        let was_sent = intent.state != State::Planned || intent.history.restored.is_some();
        if was_sent && control && of_payment.iter().all(is_back) {
            let object = of_payment.first().map(|record| payment_object(record));
            let found = object.map(|object| Seen { object, verdict: Verdict::Done }).into_iter().collect();
            return Ok(Look::Seen { at, control, found });
        }
        let of_request: Vec<_> =
            found.iter().filter(|record| request.is_some() && record.request_id == request).collect();
        match of_request.first() {
            None => Ok(Look::Seen { at, control, found: Vec::new() }),
            Some(record) if is_late(intent, at) => {
                let id = record.payment_id.as_ref().map_or("without an id", PaymentId::as_str);
                Ok(Look::Impossible(format!("the gateway does not say whether the refund {id} was made")))
            }
            Some(record) => {
                let found = vec![Seen { object: payment_object(record), verdict: Verdict::Undecided }];
                Ok(Look::Seen { at, control, found })
            }
        }
    }

    /// The result of a look. If nothing was found, the positive control is that the search finds any payment.
    async fn seen(&self, intent: &Intent, at: Option<Moment>, found: Vec<Seen>) -> Result<Look, Broken> {
        if !found.is_empty() || !intent.absence_may_count() || self.client.version() == Version::V1 {
            return Ok(Look::Seen { at, control: !found.is_empty(), found });
        }
        let since = Criteria::new(Field::PaymentDate, Operator::AtLeast, "2000-01-01")?;
        let filter = PaymentFilter::builder().group(since).build().map_err(Error::from)?;
        let count = self.client.payments().count(&filter).await?;
        Ok(Look::Seen { at: at.or(moment(&count)), control: *count > 0, found })
    }
}

/// The kind of a page, by the members that only its request has.
enum Kind {
    Connect,
    Invoices,
    LineItems,
    Payer,
}

impl Kind {
    fn of(body: &[u8]) -> Result<Self, Broken> {
        let request: std::collections::BTreeMap<String, &serde_json::value::RawValue> =
            serde_json::from_slice(body).map_err(|_| Broken::Object)?;
        let has = |name: &str| request.keys().any(|key| key.eq_ignore_ascii_case(name));
        Ok(match () {
            () if has("connectOption") => Self::Connect,
            () if has("invoices") => Self::Invoices,
            () if has("lineItems") => Self::LineItems,
            () => Self::Payer,
        })
    }
}

/// Whether the session of the request is the mark.
fn has_mark(intent: &Intent) -> bool {
    session_of(&intent.request).is_some_and(|session| session == intent.mark)
}

fn nothing_names_it() -> Look {
    Look::Impossible("the gateway has neither its request id nor its mark".into())
}

/// Several payments, or a look that failed.
fn several_or(error: &Error) -> Look {
    let ids = error.payment_ids();
    if ids.len() < 2 {
        return look_failed(error);
    }
    let done = |id: &PaymentId| Seen {
        object: Object { id: Some(id.to_string()), value: None },
        verdict: Verdict::Done,
    };
    Look::Seen { at: None, control: true, found: ids.iter().map(done).collect() }
}

/// Whether the last attempt is so old that a report of it should be a yes or a no.
fn is_late(intent: &Intent, at: Option<Moment>) -> bool {
    let last = intent.history.attempts.last();
    intent.state != State::Planned
        && at.zip(last).is_some_and(|(at, last)| at.since(last.committed) > DECIDED_WITHIN)
}

/// Judges records by request. A payment counts as made only if it has the request and the amount.
fn judged(request: Option<&UsedRequestId>, amount: Option<Amount>, records: &[Payment]) -> Vec<Seen> {
    let mut requests: Vec<&UsedRequestId> = request.into_iter().collect();
    for id in records.iter().filter_map(|record| record.request_id.as_ref()) {
        if !requests.contains(&id) {
            requests.push(id);
        }
    }
    let mut seen = Vec::new();
    for request in requests {
        let of_it: Vec<_> = records
            .iter()
            .filter(|r| r.request_id.as_ref().is_none_or(|id| id == request))
            .cloned()
            .collect();
        let expected = Expected { request_id: request.clone(), amount };
        match expected.find(&of_it) {
            Err(several) => {
                seen.extend(several.payment_ids().iter().map(|id| {
                    let reported = of_it.iter().find(|record| record.payment_id.as_ref() == Some(id));
                    let object =
                        reported.map_or(Object { id: Some(id.to_string()), value: None }, payment_object);
                    Seen { object, verdict: Verdict::Done }
                }));
            }
            Ok(None) => {}
            Ok(Some((verdict, payment))) => {
                let is_other = payment.payment_amount.is_some_and(|paid| Some(paid) != amount);
                let verdict = match verdict {
                    Judged::Approved | Judged::Reversed => Verdict::Done,
                    Judged::Declined => Verdict::Declined,
                    Judged::Unknown if is_other && payment.is_approved() => Verdict::Differs(
                        "the gateway has a payment of this request with another amount".into(),
                    ),
                    Judged::Pending | Judged::Unknown => Verdict::Undecided,
                };
                seen.push(Seen { object: payment_object(payment), verdict });
            }
        }
    }
    if seen.iter().any(|seen| seen.verdict != Verdict::Declined) {
        seen.retain(|seen| seen.verdict != Verdict::Declined);
    } else if let Some(last) = seen.pop() {
        seen = vec![last];
    }
    seen
}

/// Whether a record that has our request or our mark returns the payment.
fn gives_back(payment: &PaymentId, record: &Payment) -> bool {
    let Payment { payment_id, original_payment_id, payment_status, success, .. } = record;
    let is = |status: &PaymentStatus| payment_status.as_ref() == Some(status);
    let voids = is(&PaymentStatus::VOIDED) && payment_id.as_ref() == Some(payment);
    let refunds = (is(&PaymentStatus::APPROVED) || is(&PaymentStatus::REFUNDED))
        && original_payment_id.as_ref() == Some(payment);
    *success != Some(false) && (voids || refunds)
}

/// The meaning of a failed attempt.
fn failed(intent: &Intent, error: &Error) -> Said {
    // The answer to a refund may name the payment that it returns.
    let of_object = |id: &PaymentId| intent.object.split('/').nth(1) == Some(id.as_str());
    let ids = error.payment_ids().iter().filter(|id| !of_object(id));
    let ids: Vec<_> = ids.map(ToString::to_string).collect();
    if error.is_outcome_unknown() && !ids.is_empty() {
        return Said::Named { reason: error.to_string(), ids };
    }
    said_by(error)
}

#[async_trait]
impl Gateway for ClientPayGateway {
    async fn request_id(&self, intent: &Intent) -> Result<Option<String>, NotIssued> {
        if !intent.write.has_request_id() {
            return Ok(None);
        }
        // An unused id has no effect, so that this may be retried.
        match self.client.new_request_id().await {
            Ok(id) => Ok(Some(id.expose().to_owned())),
            Err(error) => Err(NotIssued {
                reason: format!("the gateway issued no request id: {error}"),
                wait: error.retry_after().unwrap_or(AFTER_NOT_DONE),
                hold: matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Configuration),
            }),
        }
    }

    async fn send(&self, intent: &Intent, full: Option<&Full>, send_by: SendBy) -> Answer {
        let said = match self.perform(&self.client.once(send_by), intent, full).await {
            Ok(said) => said,
            // The gateway says of an id that has ended what it says of a wrong key.
            Err(Broken::Error(error)) if intent.write == Write::ExpireAccessId && error.is_unauthorized() => {
                Said::Refused("the access id is not valid any more".into())
            }
            Err(Broken::Error(error)) => failed(intent, &error),
            Err(Broken::Read(error)) => Said::Refused(error.to_string()),
            Err(Broken::Object | Broken::Incomplete) => {
                Said::Refused("the stored request cannot be sent: it names no object of its kind".into())
            }
        };
        Answer { said, exchange_id: None }
    }

    async fn look(&self, intent: &Intent) -> Look {
        let found = match intent.write {
            Write::Pay => self.find_payment(intent).await,
            Write::RefundPayment => self.find_refund(intent).await,
            Write::NewAccessId | Write::ExpireAccessId => self.find_access(intent).await,
            Write::NewCustomerAccessId => {
                return Look::Impossible("the gateway has no read for the access id of a customer".into());
            }
            _ => return Look::Impossible("the gateway has no search for pages and payers".into()),
        };
        match found {
            Ok(look) => look,
            Err(Broken::Error(error)) => look_failed(&error),
            Err(Broken::Incomplete) => Look::Failed(INCOMPLETE.into()),
            Err(_) => Look::Impossible("the stored request cannot be read".into()),
        }
    }
}
