//! Clearent: how each write is sent, and how it is looked for.

use std::time::Duration;

use async_trait::async_trait;
use perennial::clearent::{
    ChargeSource, CustomerKey, CustomerSearch, Paging, PlanKey, PlanSearch, PlanStatus, TokenId, TokenSearch,
    Transaction, TransactionId, TransactionSearch, TransactionType, Verdict as Charged,
};
use perennial::transport::SendBy;
use perennial::{Clearent, Date, Error, ErrorKind, List, Response, Timestamp};
use perennial_domain::clearent::{TransactionLevel, TransactionRequest};
use perennial_wire::clearent::{self as wire, ReadError};
use perennial_wire::{Format, Limits};
use serde::Serialize;
use serde_json::Value as Json;

use super::request::{Full, difference, leading_mark};
use super::{Gateway, SENTINEL_KEY};
use crate::Moment;
use crate::machine::{Answer, Intent, Look, Object, Said, Seen, Verdict, Write};
use crate::store::CLOCK_APART;

/// The wait after a failure that certainly had no effect.
pub(super) const AFTER_NOT_DONE: Duration = Duration::from_secs(5);

/// A merchant's client, and the customer that proves that reads work.
pub(crate) struct ClearentGateway {
    pub(crate) client: Clearent,
    pub(crate) sentinel: Option<CustomerKey>,
}

pub(super) const INCOMPLETE: &str = "a list changed while it was read, or has a record that cannot be read";

/// The reason why a stored request cannot be sent.
pub(super) enum Broken {
    Read(ReadError),
    Object,
    /// A record of a list cannot be read, or the list changed while it was read.
    Incomplete,
    Error(Box<Error>),
}

impl From<ReadError> for Broken {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

/// A key within the object of an intent, such as `plan_1` in `plans/plan_1`.
pub(super) fn key_of<K: for<'a> TryFrom<&'a str>>(object: &str) -> Result<K, Broken> {
    let (_, key) = object.split_once('/').ok_or(Broken::Object)?;
    let key = key.split_once('/').map_or(key, |(key, _)| key);
    K::try_from(key).map_err(|_| Broken::Object)
}

pub(super) fn object<T: Serialize>(id: impl Into<Option<String>>, value: &T) -> Object {
    let value = serde_json::to_value(value).ok().map(|mut value| {
        drop_nulls(&mut value);
        value.to_string()
    });
    Object { id: id.into(), value }
}

/// Drops what is not reported. Most members are not, and a reported object without them reads the same.
fn drop_nulls(value: &mut Json) {
    match value {
        Json::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The kind of a transaction request whose body does not say it. A sale may also be a forced one.
fn kind_of(write: Write) -> Option<TransactionType> {
    match write {
        Write::Auth => Some(TransactionType::AUTH),
        Write::Capture => Some(TransactionType::CAPTURE),
        Write::Void => Some(TransactionType::VOID),
        Write::Refund => Some(TransactionType::REFUND),
        _ => None,
    }
}

/// Reads a transaction request. A sale without a type is an ordinary one.
fn read_transaction(write: Write, body: &[u8]) -> Result<TransactionRequest, ReadError> {
    let read = |kind| wire::transaction::read(Format::Json, body, &Limits::default(), kind);
    match read(kind_of(write)) {
        Err(_) if write == Write::Sale => read(Some(TransactionType::SALE)),
        read => read,
    }
}

/// Whether a request can be stored and sent later: an error says in a sentence why not. A card number is never stored.
pub(crate) fn check_stored(write: Write, object: Option<&str>, body: &[u8]) -> Result<(), String> {
    let (json, limits) = (Format::Json, &Limits::default());
    let said = |error: ReadError| error.to_string();
    let needs = |kind: &str| match object.and_then(|object| object.strip_prefix(kind)) {
        Some(key) if !key.is_empty() && !key.contains(char::is_control) => Ok(()),
        _ => Err(format!("its object must be {kind} and a key")),
    };
    match write {
        Write::CreateCustomer => wire::customer::read_create(json, body, limits).map(|_| ()).map_err(said),
        Write::CreatePlan => wire::plan::read_create(json, body, limits).map(|_| ()).map_err(said),
        Write::UpdateCustomer => {
            needs("customers/")?;
            wire::customer::read_update(json, body, limits).map(|_| ()).map_err(said)
        }
        Write::UpdatePlan => {
            needs("plans/")?;
            wire::plan::read_update(json, body, limits).map(|_| ()).map_err(said)
        }
        Write::UpdateToken => {
            needs("tokens/")?;
            wire::token::read_update(json, body, limits).map(|_| ()).map_err(said)
        }
        Write::DeleteCustomer => needs("customers/"),
        Write::DeletePlan => needs("plans/"),
        Write::DeleteToken => needs("tokens/"),
        Write::Sale | Write::Auth | Write::Capture | Write::Void | Write::Refund => {
            let request = read_transaction(write, body).map_err(said)?;
            let source = match &request {
                TransactionRequest::Sale(charge)
                | TransactionRequest::ForcedSale(charge)
                | TransactionRequest::Auth(charge) => Some(charge.fields().card),
                TransactionRequest::Refund(refund) => refund.fields().card,
                _ => None,
            };
            let members: Json = serde_json::from_slice(body).unwrap_or_default();
            if members.get("csc").is_some() {
                return Err("a security code is never stored: leave it out".to_owned());
            }
            match source {
                Some(ChargeSource::Card(_)) => Err("a card number is never stored: give a token".to_owned()),
                _ => Ok(()),
            }
        }
        _ => Err(format!("{write} cannot be put into the inbox")),
    }
}

impl ClearentGateway {
    #[expect(clippy::too_many_lines, reason = "a table of writes")]
    async fn perform(
        client: &Clearent,
        intent: &Intent,
        full: Option<&Full>,
    ) -> Result<(Said, Option<String>), Broken> {
        let body = full.map_or(intent.request.as_bytes(), |full| &full.body);
        let (json, limits) = (Format::Json, &Limits::default());
        let at = &intent.object;
        macro_rules! done {
            ($answer:expr, |$value:ident| $id:expr) => {{
                let answer = $answer?;
                let exchange = answer.exchange_id().map(str::to_owned);
                let $value = answer.into_value();
                (Said::Done(object($id, &$value)), exchange)
            }};
        }
        Ok(match intent.write {
            Write::CreateCustomer => {
                let new = wire::customer::read_create(json, body, limits)?;
                done!(client.customers().create(&new).await, |made| made.customer_key.to_string())
            }
            Write::UpdateCustomer => {
                let body = &with_mark(body, "comments", async || {
                    Ok(client.customers().get(&key_of(at)?).await?.into_value().comments)
                })
                .await?;
                let update = wire::customer::read_update(json, body, limits)?;
                done!(client.customers().update(&key_of(at)?, &update).await, |made| made
                    .customer_key
                    .to_string())
            }
            Write::DeleteCustomer => {
                let key: CustomerKey = key_of(at)?;
                done!(client.customers().delete(&key).await, |_made| key.to_string())
            }
            Write::AttachToken => {
                let token = wire::customer_token::read_attach(json, body, limits)?;
                let key: CustomerKey = key_of(at)?;
                done!(client.customers().tokens(&key).attach(&token).await, |made| made.token_id.to_string())
            }
            Write::UpdateCustomerToken => {
                let update = wire::customer_token::read_update(json, body, limits)?;
                let key: CustomerKey = key_of(at)?;
                done!(client.customers().tokens(&key).update(&update).await, |made| made.token_id.to_string())
            }
            Write::CreateToken => {
                let new = wire::token::read_create(json, body, limits)?;
                done!(client.tokens().create(new).await, |made| made
                    .token_id
                    .as_ref()
                    .map(ToString::to_string))
            }
            Write::UpdateToken => {
                let id: TokenId = key_of(at)?;
                let body = &with_mark(body, "description", async || {
                    Ok(client.tokens().get(&id).await?.into_value().description)
                })
                .await?;
                let update = wire::token::read_update(json, body, limits)?;
                done!(client.tokens().update(&id, &update).await, |_made| id.to_string())
            }
            Write::DeleteToken => {
                let id: TokenId = key_of(at)?;
                done!(client.tokens().delete(&id).await, |_made| id.to_string())
            }
            Write::CreatePlan => {
                let new = wire::plan::read_create(json, body, limits)?;
                done!(client.plans().create(&new).await, |made| made.plan_key.to_string())
            }
            Write::UpdatePlan => {
                let body = &with_mark(body, "plan-name", async || {
                    Ok(client.plans().get(&key_of(at)?).await?.into_value().plan_name)
                })
                .await?;
                let update = wire::plan::read_update(json, body, limits)?;
                done!(client.plans().update(&key_of(at)?, &update).await, |made| made.plan_key.to_string())
            }
            Write::DeletePlan => {
                let key: PlanKey = key_of(at)?;
                done!(client.plans().delete(&key).await, |_made| key.to_string())
            }
            Write::UpdateTransaction => {
                let update = wire::transaction::read_update(json, body, limits)?;
                let id: TransactionId = key_of(at)?;
                let updated = client.transactions().update(&id, &update).await?;
                judged(updated)
            }
            Write::SettleBatch => {
                let settlement = wire::batch::read_settle(json, body, limits)?;
                done!(client.batches().settle(&settlement).await, |made| made
                    .id
                    .as_ref()
                    .map(ToString::to_string))
            }
            _ => {
                let request = match full.and_then(|full| full.one_time_token.clone()) {
                    Some(token) => {
                        wire::transaction::read_mobile(json, body, limits, kind_of(intent.write), token)?
                    }
                    None => read_transaction(intent.write, body)?,
                };
                let transactions = client.transactions();
                match request {
                    TransactionRequest::Sale(charge) | TransactionRequest::ForcedSale(charge) => {
                        judged(transactions.sale(&charge).await?.map(|charged| charged.transaction))
                    }
                    TransactionRequest::Auth(charge) => {
                        judged(transactions.auth(&charge).await?.map(|charged| charged.transaction))
                    }
                    TransactionRequest::Capture(capture) => judged(transactions.capture(&capture).await?),
                    TransactionRequest::Void(void, _) => judged(transactions.void(&void).await?),
                    TransactionRequest::Refund(refund) => judged(transactions.refund(&refund).await?),
                    _ => return Err(Broken::Object),
                }
            }
        })
    }

    #[expect(clippy::too_many_lines, reason = "a table of looks")]
    /// Everything with the mark of the intent, the oldest first, and the gateway's clock.
    async fn find(&self, intent: &Intent) -> Result<(Option<Moment>, Vec<Seen>), Broken> {
        let (client, at) = (&self.client, &intent.object);
        let has_mark =
            |text: &Option<String>| text.as_deref().is_some_and(|text| text.starts_with(&intent.mark));
        Ok(match intent.write {
            Write::CreateCustomer => {
                let request: Json = serde_json::from_str(&intent.request).map_err(|_| Broken::Object)?;
                let text = |name: &str| request.get(name).and_then(Json::as_str);
                let key = text("customer-key")
                    .and_then(|key| CustomerKey::try_from(key).ok())
                    .ok_or(Broken::Object)?;
                let (date, mut found);
                match client.customers().get(&key).await {
                    Ok(customer) => {
                        date = moment(&customer);
                        found = vec![customer.into_value()];
                    }
                    Err(error) if error.is_not_found() => {
                        // A gateway that gives its own keys has the mark in the comments only.
                        let search = CustomerSearch {
                            first_name: text("first-name").map(str::to_owned),
                            last_name: text("last-name").map(str::to_owned),
                            ..CustomerSearch::default()
                        };
                        (date, found) = every(client.customers().search(&search)).await?;
                        found.reverse();
                    }
                    Err(error) => return Err(error.into()),
                }
                found.retain(|customer| {
                    has_mark(&customer.comments) || customer.customer_key.as_str() == intent.mark
                });
                (
                    date,
                    seen(&found, |found| found.customer_key.to_string(), |found| created_as(intent, found)),
                )
            }
            Write::CreateToken => {
                let first = intent.history.attempts.first().map_or(intent.created, |first| first.committed);
                let since = first.as_millis() - 86_400_000;
                let day = chrono::DateTime::from_timestamp_millis(since);
                let day = day.and_then(|time| time.format("%Y-%m-%d").to_string().parse::<Date>().ok());
                // After a restore, it may be older than everything that this database knows.
                let day = day.filter(|_| intent.history.restored.is_none());
                let search = TokenSearch { updated_start_date: day, ..TokenSearch::default() };
                let (date, mut found) = every(client.tokens().search(&search)).await?;
                found.retain(|token| has_mark(&token.description));
                found.reverse();
                let id = |token: &perennial::clearent::Token| {
                    token.token_id.as_ref().map(ToString::to_string).unwrap_or_default()
                };
                (date, seen(&found, id, |found| created_as(intent, found)))
            }
            Write::CreatePlan => {
                let request: Json = serde_json::from_str(&intent.request).map_err(|_| Broken::Object)?;
                let key = request.get("customer-key").and_then(Json::as_str);
                let search = PlanSearch {
                    customer_key: key.and_then(|key| CustomerKey::try_from(key).ok()),
                    ..PlanSearch::default()
                };
                let (date, mut found) = every(client.plans().search(&search)).await?;
                found.retain(|plan| has_mark(&plan.plan_name));
                found.reverse();
                found.sort_by_key(|plan| plan.status_date.clone().map(|date| date.to_string()));
                let is_canceled =
                    |plan: &perennial::clearent::Plan| plan.status == Some(PlanStatus::CANCELED);
                // Spares that are canceled already are done with.
                if !found.iter().all(is_canceled) {
                    found.retain(|plan| !is_canceled(plan));
                }
                (date, seen(&found, |plan| plan.plan_key.to_string(), |plan| created_as(intent, plan)))
            }
            Write::UpdateCustomer => updated(intent, client.customers().get(&key_of(at)?).await)?,
            Write::UpdateToken => updated(intent, client.tokens().get(&key_of(at)?).await)?,
            // A plan that is gone charges nothing, and cannot be canceled any more.
            Write::UpdatePlan if intent.is_stop => {
                let key: PlanKey = key_of(at)?;
                match client.plans().get(&key).await {
                    Err(error) if error.is_not_found() => deleted(at, Err::<Response<()>, _>(error))?,
                    got => updated(intent, got)?,
                }
            }
            Write::UpdatePlan => updated(intent, client.plans().get(&key_of(at)?).await)?,
            Write::DeleteCustomer => deleted(at, client.customers().get(&key_of(at)?).await)?,
            Write::DeleteToken => deleted(at, client.tokens().get(&key_of(at)?).await)?,
            Write::DeletePlan => deleted(at, client.plans().get(&key_of(at)?).await)?,
            Write::AttachToken | Write::UpdateCustomerToken => {
                let key: CustomerKey = key_of(at)?;
                // What the list does not report cannot show that it was changed.
                let is_update = intent.write == Write::UpdateCustomerToken;
                let attached = client.customers().tokens(&key).list().await?;
                let date = moment(&attached);
                let mut found = attached.into_value();
                found.retain(|token| {
                    serde_json::to_value(token)
                        .is_ok_and(|token| difference(&intent.request, &token, is_update, |_| true).is_none())
                });
                (date, seen(&found, |token| token.token_id.to_string(), |_| Verdict::Done))
            }
            Write::Sale | Write::Auth | Write::Refund => {
                let (date, found) = self.of_order(&intent.mark).await?;
                let is_of_it = |found: &Transaction| match (intent.write, &found.transaction_type) {
                    (_, None) => true,
                    (Write::Sale, Some(kind)) => {
                        [TransactionType::SALE, TransactionType::FORCED_SALE].contains(kind)
                    }
                    (Write::Auth, Some(kind)) => *kind == TransactionType::AUTH,
                    (_, Some(kind)) => {
                        [TransactionType::REFUND, TransactionType::UNMATCHED_REFUND].contains(kind)
                    }
                };
                (date, charges(intent, found, is_of_it))
            }
            Write::Capture => {
                let id: TransactionId = key_of(at)?;
                let search = TransactionSearch {
                    transaction_type: Some(TransactionType::CAPTURE),
                    ..TransactionSearch::default()
                };
                let (date, found) = every(client.transactions().search(&search)).await?;
                (date, charges(intent, found, |found| found.ref_id.as_ref() == Some(&id)))
            }
            Write::Void => {
                let id: TransactionId = key_of(at)?;
                let voided = match client.transactions().get(&id).await {
                    Ok(voided) => voided,
                    Err(error) if error.is_not_found() => return Ok((None, Vec::new())),
                    Err(error) => return Err(error.into()),
                };
                let date = moment(&voided);
                let done = voided
                    .is_voided()
                    .then(|| Seen { object: object(id.to_string(), &*voided), verdict: Verdict::Done });
                (date, done.into_iter().collect())
            }
            Write::UpdateTransaction => updated(intent, client.transactions().get(&key_of(at)?).await)?,
            _ => return Err(Broken::Object),
        })
    }
}

impl ClearentGateway {
    /// All transactions of an order, at all terminals of the merchant. A key that may not search them all searches its
    /// terminal: what it sent is there.
    async fn of_order(&self, order: &str) -> Result<(Option<Moment>, Vec<Transaction>), Broken> {
        let of_level = |level| {
            let search =
                TransactionSearch { level, order_id: Some(order.to_owned()), ..TransactionSearch::default() };
            every(self.client.transactions().search(&search))
        };
        match of_level(Some(TransactionLevel::MERCHANT)).await {
            Err(Broken::Error(error))
                if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unauthorized) =>
            {
                of_level(None).await
            }
            found => found,
        }
    }
}

impl ClearentGateway {
    /// Whether the search that found nothing finds what exists, and the gateway's time.
    async fn control(&self, intent: &Intent, at: Option<Moment>) -> Result<(Option<Moment>, bool), Broken> {
        let paging = Paging { page: Some(1), page_size: Some(5), ..Paging::default() };
        // The control customer has its own key, so that a get tells whether it exists; the search tells the time.
        let is_own = intent.key.starts_with(SENTINEL_KEY);
        let search = match &self.sentinel {
            _ if is_own && at.is_some() => return Ok((at, true)),
            _ if is_own => {
                CustomerSearch { last_name: Some(SENTINEL_KEY.into()), paging, ..CustomerSearch::default() }
            }
            Some(sentinel) => {
                CustomerSearch { customer_key: Some(sentinel.clone()), paging, ..CustomerSearch::default() }
            }
            None => return Ok((at, false)),
        };
        let (date, found) = every(self.client.customers().search(&search)).await?;
        let has_control = found.iter().any(|found| Some(&found.customer_key) == self.sentinel.as_ref());
        let is_by_order = matches!(intent.write, Write::Sale | Write::Auth | Write::Refund);
        let control = is_own || has_control && (!is_by_order || self.finds_orders().await?);
        Ok((at.or(date), control))
    }

    /// Whether a search by order id finds a transaction that has one. If none of the newest has one, none was sent.
    async fn finds_orders(&self) -> Result<bool, Broken> {
        let search = TransactionSearch {
            paging: Paging { page: Some(1), page_size: Some(100), ..Paging::default() },
            ..TransactionSearch::default()
        };
        let mut pages = self.client.transactions().search(&search).pages();
        let Some(page) = pages.next_page().await.transpose()? else { return Ok(true) };
        let order = |one: &Transaction| one.order_id.clone().filter(|order| !order.is_empty());
        let Some(known) = page.iter().find(|one| order(one).is_some()) else { return Ok(page.len() < 100) };
        let (_, found) = self.of_order(&order(known).unwrap_or_default()).await?;
        Ok(found.iter().any(|one| one.id == known.id))
    }
}

/// The gateway's answer about a transaction.
fn judged(answer: Response<Transaction>) -> (Said, Option<String>) {
    let exchange = answer.exchange_id().map(str::to_owned);
    let transaction = answer.into_value();
    let object = object(transaction.id.as_ref().map(ToString::to_string), &transaction);
    let said = match transaction.verdict() {
        // The earlier transaction of a duplicate is not this one.
        _ if transaction.is_duplicate() => {
            Said::Unknown("the gateway answered with an earlier transaction".into())
        }
        Charged::Approved => Said::Done(object),
        Charged::Declined => Said::Declined(object),
        Charged::Undecided => Said::Unknown("the gateway has not decided it yet".into()),
    };
    (said, exchange)
}

/// The charges with the mark. A mark can be an order id that the caller chose: then a decline before an approval is of
/// another decision.
fn charges(
    intent: &Intent,
    mut found: Vec<Transaction>,
    is_of_it: impl Fn(&Transaction) -> bool,
) -> Vec<Seen> {
    found.retain(|found| is_of_it(found) && !found.is_duplicate() && !is_voided_before(found, intent));
    found.reverse();
    if found.iter().any(|found| found.verdict() != Charged::Declined) {
        found.retain(|found| found.verdict() != Charged::Declined);
    } else if let Some(last) = found.pop() {
        found = vec![last];
    }
    let id = |found: &Transaction| found.id.as_ref().map(ToString::to_string).unwrap_or_default();
    seen(&found, id, |found| match found.verdict() {
        Charged::Approved => {
            let requested: Option<Json> = serde_json::from_str(&intent.request).ok();
            let requested =
                requested.as_ref().and_then(|request| request.get("amount")).and_then(Json::as_str);
            let is_equal = |amount: &Option<perennial::Amount>| {
                amount.is_some_and(|amount| Some(amount.to_string().as_str()) == requested)
            };
            let has_extra = found.tip_amount.is_some()
                || found.service_fee.is_some()
                || found.surcharge_applied == Some(true);
            if is_equal(&found.amount) || is_equal(&found.original_amount) || has_extra {
                Verdict::Done
            } else if intent.write == Write::Capture {
                let amount = found.amount.map(|amount| amount.to_string()).unwrap_or_default();
                Verdict::Person(format!("the gateway has another capture of this authorization, of {amount}"))
            } else {
                Verdict::Differs("the gateway has a charge with this order id and another amount".into())
            }
        }
        Charged::Declined => Verdict::Declined,
        Charged::Undecided => Verdict::Undecided,
    })
}

/// Whether a transaction was made and voided before the first attempt: then it is of an earlier decision, and the order
/// id is used again. After a restore nobody knows.
fn is_voided_before(found: &Transaction, intent: &Intent) -> bool {
    if !found.is_voided() || intent.history.restored.is_some() {
        return false;
    }
    let Some(first) = intent.history.attempts.first() else { return true };
    let made = found.created.as_ref().and_then(Timestamp::utc).map(Moment::of_utc);
    made.is_some_and(|made| first.committed.since(made) > CLOCK_APART)
}

/// The body of an update with the mark that the object's text has in front, so that a look for its creation still finds
/// it.
async fn with_mark(
    body: &[u8],
    name: &str,
    read: impl AsyncFnOnce() -> Result<Option<String>, Broken>,
) -> Result<Vec<u8>, Broken> {
    let mut members: Json = serde_json::from_slice(body).map_err(|_| Broken::Object)?;
    if let Some(Json::String(text)) = members.get_mut(name)
        && leading_mark(text).is_none()
        && let Some(stored) = read().await?
        && let Some(mark) = leading_mark(&stored)
    {
        format!("{mark} {text}").trim_end().clone_into(text);
        return Ok(members.to_string().into_bytes());
    }
    Ok(body.to_vec())
}

fn seen<T: Serialize>(found: &[T], id: impl Fn(&T) -> String, verdict: impl Fn(&T) -> Verdict) -> Vec<Seen> {
    found.iter().map(|found| Seen { object: object(id(found), found), verdict: verdict(found) }).collect()
}

/// The members of a created object that decide who is charged, how much and when. Others, such as names and addresses,
/// move no money, and gateways cut or format them.
const DECIDING: [&str; 11] = [
    "first-name",
    "last-name",
    "customer-key",
    "token-id",
    "exp-date",
    "payment-amount",
    "frequency",
    "frequency-day",
    "start-date",
    "end-date",
    "status",
];

/// Whether a created object has what was requested, in the members that decide.
fn created_as<T: Serialize>(intent: &Intent, found: &T) -> Verdict {
    let found = serde_json::to_value(found).unwrap_or_default();
    // A plan with the mark that was made before the first attempt shows that the database was put back. The plan may have
    // been activated and suspended since.
    let is_put_back = intent.history.restored.is_some() || intent.history.attempts.is_empty();
    if intent.activates && intent.history.attempts.is_empty() && found["status"] == "SUSPENDED" {
        let plan = found["plan_key"].as_str().unwrap_or_default();
        return Verdict::Person(format!(
            "the plan {plan} was made before the database was put back, and is suspended: resolve it as done to activate \
             it, or as not done to leave it"
        ));
    }
    let was_activated = intent.activates && is_put_back && found["status"] == "ACTIVE";
    let decides = |member: &str| DECIDING.contains(&member) && !(was_activated && member == "status");
    match difference(&intent.request, &found, false, decides) {
        None => Verdict::Done,
        Some(member) => Verdict::Differs(format!("the created object differs from the request in {member}")),
    }
}

/// Whether an update is in the object.
fn updated<T: Serialize>(
    intent: &Intent,
    got: Result<Response<T>, Error>,
) -> Result<(Option<Moment>, Vec<Seen>), Broken> {
    let got = match got {
        Ok(got) => got,
        // What is gone has not what was requested.
        Err(error) if error.is_not_found() => return Ok((None, Vec::new())),
        Err(error) => return Err(error.into()),
    };
    let date = moment(&got);
    let value = serde_json::to_value(&*got).unwrap_or_default();
    let id = intent.object.split('/').nth(1).unwrap_or_default().to_owned();
    let is_done = difference(&intent.request, &value, true, |_| true).is_none();
    let done = is_done.then(|| Seen { object: object(id, &*got), verdict: Verdict::Done });
    Ok((date, done.into_iter().collect()))
}

/// Whether an object is gone.
fn deleted<T>(at: &str, got: Result<Response<T>, Error>) -> Result<(Option<Moment>, Vec<Seen>), Broken> {
    match got {
        Ok(there) => Ok((moment(&there), Vec::new())),
        Err(error) if error.is_not_found() => {
            let id = at.split('/').nth(1).map(str::to_owned);
            Ok((None, vec![Seen { object: Object { id, value: None }, verdict: Verdict::Done }]))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn moment<T>(response: &Response<T>) -> Option<Moment> {
    response.date().map(Moment::of_utc)
}

/// Reads a whole list, and the gateway's clock at its first page.
pub(super) async fn every<T>(list: List<T>) -> Result<(Option<Moment>, Vec<T>), Broken> {
    let mut pages = list.pages();
    let (mut date, mut found) = (None, Vec::new());
    while let Some(page) = pages.next_page().await {
        let page = page?;
        if !page.unreadable().is_empty() {
            return Err(Broken::Incomplete);
        }
        date = date.or_else(|| moment(&page));
        found.extend(page.into_value());
    }
    if pages.changed() { Err(Broken::Incomplete) } else { Ok((date, found)) }
}

/// The reason why a look failed. The error's own text is about a call that only reads.
pub(super) fn look_failed(error: &Error) -> Look {
    if error.kind() == ErrorKind::Unauthorized {
        return Look::Unauthorized(error.to_string());
    }
    let text = error.to_string();
    let what = text.split([';', ':']).next().unwrap_or_default();
    Look::Failed(format!("the gateway did not tell the result ({what}); it is looked for again"))
}

/// The meaning of a failed attempt.
pub(crate) fn said_by(error: &Error) -> Said {
    let reason = error.to_string();
    let not_done = |hold, wait| Said::NotDone { reason: reason.clone(), wait, hold };
    match error.kind() {
        ErrorKind::OutcomeUnknown => Said::Unknown(reason),
        ErrorKind::InvalidRequest | ErrorKind::DeletionRefused | ErrorKind::NotFound | ErrorKind::Refused => {
            Said::Refused(reason)
        }
        ErrorKind::Unauthorized | ErrorKind::Configuration => not_done(true, AFTER_NOT_DONE),
        ErrorKind::RateLimited => not_done(false, error.retry_after().unwrap_or(AFTER_NOT_DONE)),
        // With all other kinds, nothing was changed: the read before the write failed, or nothing was sent.
        _ => not_done(false, AFTER_NOT_DONE),
    }
}

#[async_trait]
impl Gateway for ClearentGateway {
    async fn send(&self, intent: &Intent, full: Option<&Full>, send_by: SendBy) -> Answer {
        match Self::perform(&self.client.once(send_by), intent, full).await {
            Ok((said, exchange_id)) => Answer { said, exchange_id },
            Err(Broken::Error(error)) => {
                Answer { said: said_by(&error), exchange_id: error.exchange_id().map(str::to_owned) }
            }
            Err(Broken::Read(error)) => Answer { said: Said::Refused(error.to_string()), exchange_id: None },
            Err(Broken::Object | Broken::Incomplete) => {
                let said = Said::Refused("the stored request names no object of its kind".into());
                Answer { said, exchange_id: None }
            }
        }
    }

    async fn look(&self, intent: &Intent) -> Look {
        if intent.write == Write::SettleBatch {
            return Look::Impossible("the gateway does not tell which request settled a batch".into());
        }
        let (at, found) = match self.find(intent).await {
            Ok(found) => found,
            // The object is gone, so it was not changed.
            Err(Broken::Error(error)) if error.is_not_found() => (None, Vec::new()),
            Err(Broken::Error(error)) => return look_failed(&error),
            Err(Broken::Incomplete) => return Look::Failed(INCOMPLETE.into()),
            Err(_) => return Look::Impossible("the stored request cannot be read".into()),
        };
        if !found.is_empty() || !intent.absence_may_count() {
            return Look::Seen { at, control: false, found };
        }
        match self.control(intent, at).await {
            Ok((at, control)) => Look::Seen { at, control, found },
            Err(Broken::Error(error)) => look_failed(&error),
            Err(_) => Look::Failed(INCOMPLETE.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::driver::planned;
    use crate::gateway::request::{Secrets, prepare};
    use crate::machine::Attempt;

    /// Holds: A created object differs from its request only in members that decide who is charged, how much and when, and an active plan is as requested only after a restore.
    #[test]
    fn a_gateway_may_cut_names_but_change_no_charge() {
        let body = json!({"plan-name": "Gold", "customer-key": "c", "token-id": "t", "payment-amount": "50.00",
            "frequency-day": "15", "start-date": "2027-02-01", "email-address": "ada@example.test"});
        let prepared =
            prepare(Write::CreatePlan, None, body.to_string().as_bytes(), Secrets::default(), "MARK")
                .unwrap();
        let now = Moment::from_millis(0);
        let mut intent = planned("t", "k", Write::CreatePlan, None, &prepared, now);
        let attempt = Attempt { committed: now, send_by: now, judged: None, exchange_id: None };
        intent.history.attempts.push(attempt);
        let mut restored = intent.clone();
        restored.history.restored = Some(now);
        let reported = json!({"plan_name": "MARK Gold", "customer_key": "c", "token_id": "t", "payment_amount": "50.00",
            "frequency_day": 15, "start_date": "2027-02-01", "status": "SUSPENDED"});
        let cases = [
            (&intent, "plan_name", json!("MARK"), true),
            (&intent, "email_address", json!("ADA"), true),
            (&intent, "payment_amount", json!("60.00"), false),
            (&intent, "token_id", json!("other"), false),
            (&intent, "start_date", json!("2027-03-01"), false),
            (&intent, "status", json!("ACTIVE"), false),
            (&restored, "status", json!("ACTIVE"), true),
            (&restored, "status", json!("CANCELED"), false),
        ];
        for (intent, member, value, is_done) in cases {
            let mut reported = reported.clone();
            reported[member] = value;
            assert_eq!(created_as(intent, &reported) == Verdict::Done, is_done, "{reported}");
        }
        // Found before the first attempt: the database was put back without a trace.
        let unsent = planned("t", "k", Write::CreatePlan, None, &prepared, now);
        let cases = [("SUSPENDED", "person"), ("ACTIVE", "done"), ("CANCELED", "differs")];
        for (status, expected) in cases {
            let mut reported = reported.clone();
            reported["status"] = json!(status);
            let verdict = match created_as(&unsent, &reported) {
                Verdict::Person(reason) if reason.contains("resolve it as done") => "person",
                Verdict::Done => "done",
                Verdict::Differs(_) => "differs",
                other => panic!("{other:?}"),
            };
            assert_eq!(verdict, expected, "{status}");
        }
    }
}
