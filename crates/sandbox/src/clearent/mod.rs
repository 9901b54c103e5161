//! The Clearent tree, `/rest/v2`: one table of operations, and the steps of every call.

mod answer;
mod batches;
mod customer_tokens;
mod customers;
mod duplicates;
mod jwt;
mod negotiation;
mod one_time_tokens;
pub(crate) mod payments;
mod plans;
mod search_time;
mod settings;
mod tokens;
mod transactions;

use std::sync::Arc;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use perennial_domain::clearent::{ApiKey, CustomerKey, PlanKey, TokenId, TransactionId};
use perennial_wire::clearent::{Operation, Reply, Resource, read_api_key};
use perennial_wire::{Format, Limits};
use zeroize::Zeroizing;

use self::answer::{Answer, CallError, Refused, Site};
pub(crate) use self::negotiation::Formats;
use crate::call::{CallResponse, Done, Work, execute};
use crate::clock::Moment;
use crate::fault::stands_in;
use crate::gateway::Gateway;
use crate::mask;
use crate::requests::Exchange;
use crate::seed::{Seed, hash};
use crate::store::StoreError;
use crate::store::session::Session;
use crate::store::world::WorldKey;

/// The name in the request log of a request that no operation serves.
pub(crate) const NOT_EMULATED: &str = "not-emulated";

/// The handler of an operation.
fn handler(operation: Operation) -> Option<Handler> {
    Some(match operation {
        Operation::CreateCustomer => customers::create,
        Operation::SearchCustomers => customers::list,
        Operation::GetCustomer => customers::get,
        Operation::UpdateCustomer => customers::update,
        Operation::DeleteCustomer => customers::delete,
        Operation::AttachToken => customer_tokens::create,
        Operation::ListCustomerTokens => customer_tokens::list,
        Operation::UpdateCustomerToken => customer_tokens::update,
        Operation::CreateToken => tokens::create,
        Operation::SearchTokens => tokens::list,
        Operation::GetToken => tokens::get,
        Operation::UpdateToken => tokens::update,
        Operation::DeleteToken => tokens::delete,
        Operation::CreatePlan => plans::create,
        Operation::SearchPlans => plans::list,
        Operation::GetPlan => plans::get,
        Operation::UpdatePlan => plans::update,
        Operation::DeletePlan => plans::delete,
        Operation::ExpectedRuns => plans::expected_runs,
        Operation::ListPayments => payments::list,
        Operation::Forecast => plans::forecast,
        Operation::Transact => transactions::any,
        Operation::Sale => transactions::sale,
        Operation::ForcedSale => transactions::forced_sale,
        Operation::Auth => transactions::auth,
        Operation::Capture => transactions::capture,
        Operation::Void => transactions::void,
        Operation::Refund => transactions::refund,
        Operation::MobileTransact => transactions::mobile_any,
        Operation::MobileSale => transactions::mobile_sale,
        Operation::MobileAuth => transactions::mobile_auth,
        Operation::MobileRefund => transactions::mobile_refund,
        Operation::CreateOneTimeToken => one_time_tokens::create,
        Operation::SearchTransactions => transactions::list,
        Operation::GetTransaction => transactions::get,
        Operation::UpdateTransaction => transactions::update,
        Operation::ListBatches => batches::list,
        Operation::OpenBatch => batches::open,
        Operation::SettleBatch => batches::settle,
        Operation::GetAvsSettings => settings::avs,
        Operation::UpdateAvsSettings => settings::update_avs,
        Operation::GetCscSettings => settings::csc,
        Operation::UpdateCscSettings => settings::update_csc,
        Operation::GetDuplicateSettings => settings::duplicates,
        Operation::UpdateDuplicateSettings => settings::update_duplicates,
        // What the wire knows, this tree serves: a test holds it.
        _ => return None,
    })
}

/// Reads a call without access to a world, and returns the action to execute there.
type Handler = fn(&mut Call<'_>) -> Handled;
type Handled = Result<Action, Refused>;
type Action = Box<dyn FnOnce(&Session<'_>, &Site<'_>) -> Result<Answer, CallError> + Send>;

#[expect(clippy::unnecessary_wraps, reason = "every operation ends with it")]
fn act(
    action: impl FnOnce(&Session<'_>, &Site<'_>) -> Result<Answer, CallError> + Send + 'static,
) -> Handled {
    Ok(Box::new(action))
}

/// The server refuses larger bodies, so the reader needs no tighter limit.
const LIMITS: Limits = Limits { bytes: 1024 * 1024, depth: 32, items: 20_000, text: 64 * 1024, mask: None };

/// A call as an operation sees it.
struct Call<'a> {
    operation: &'static str,
    /// The part of the path where the operation's path has `{}`.
    named: Option<&'a str>,
    query: &'a str,
    format: Format,
    body: &'a [u8],
    /// The value of the header `mobilejwt`.
    mobile_jwt: Option<&'a HeaderValue>,
    any_card: bool,
}

impl Call<'_> {
    fn key<T: for<'t> TryFrom<&'t str>>(&self) -> Result<T, Refused> {
        // What cannot be a key names nothing.
        self.named.and_then(|text| T::try_from(text).ok()).ok_or_else(Refused::unknown_object)
    }

    fn customer_key(&self) -> Result<CustomerKey, Refused> {
        self.key()
    }

    fn token_id(&self) -> Result<TokenId, Refused> {
        self.key()
    }

    fn plan_key(&self) -> Result<PlanKey, Refused> {
        self.key()
    }

    fn transaction_id(&self) -> Result<TransactionId, Refused> {
        self.key()
    }
}

/// A request as the server received it.
pub(crate) struct ClearentRequest<'a> {
    pub(crate) method: &'a Method,
    /// The whole path as it was sent.
    pub(crate) path: &'a str,
    /// The path, decoded, without doubled slashes.
    pub(crate) decoded_path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) formats: Formats,
    pub(crate) body: &'a Zeroizing<Vec<u8>>,
    /// Scheme, host and port as the caller sees them.
    pub(crate) site: String,
}

impl ClearentRequest<'_> {
    /// Whether the query or the body names the customer, token or plan of this key.
    fn names(&self, key: &str) -> bool {
        let in_query = |pair: &str| {
            let value = pair.split_once('=').map_or("", |(_, value)| value);
            percent_decode_str(value).eq(key.bytes())
        };
        self.query.split('&').any(in_query) || stands_in(self.body, key)
    }
}

/// Answers a request.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    request: ClearentRequest<'_>,
) -> Result<CallResponse, StoreError> {
    let (operation, handler, named) = match find(request.method, request.decoded_path) {
        Found::Operation(operation, handler, named) => (operation, handler, named),
        Found::OtherMethods(allow) if request.method == Method::OPTIONS => {
            return Ok(CallResponse {
                status: 204,
                body: Vec::new(),
                allow: Some(allow),
                exchange: None,
                hit: None,
            });
        }
        Found::OtherMethods(allow) => {
            let refused = Refused::new(405, "041", format!("Method not allowed: this path has {allow}"));
            return Ok(CallResponse {
                allow: Some(allow),
                ..not_emulated(gateway, &request, refused).await?
            });
        }
        Found::Nothing => {
            let text = not_emulated_text(request.method, request.path);
            return not_emulated(gateway, &request, Refused::new(404, "041", text)).await;
        }
    };
    let world_key = match operation {
        Operation::CreateOneTimeToken => gateway.world_key_of_public_key(request.headers).await?,
        _ => world_key(request.headers, request.body),
    };
    let Some(world_key) = world_key else {
        return Ok(worldless(gateway, Refused::unauthorized(), request.formats.answer));
    };
    let mut call = Call {
        operation: operation.name(),
        named,
        query: request.query,
        format: request.formats.request,
        body: request.body,
        mobile_jwt: single(request.headers, &MOBILE_JWT),
        any_card: gateway.any_card,
    };
    let read = read_call(handler, &mut call);
    let operation = call.operation;
    // A key that opens no world has no faults either.
    let hit = gateway.faults.hit(
        &world_key.hash,
        operation,
        |effect| read.is_ok() || effect.decline().is_none(),
        |key| named == Some(key) || request.names(key),
    );
    let mut read = Some(read);
    let site = request.site;
    let done = execute(gateway, world_key, hit, || {
        work(read.take().unwrap_or_else(|| read_call(handler, &mut call)), site.clone())
    })
    .await?;
    let Some(mut done) = done else {
        return Ok(worldless(gateway, Refused::unauthorized(), request.formats.answer));
    };
    let outcome = done.answer(|status| Err(Refused::fault(status)), || Ok(Answer::nothing()));
    let Done { world, seed, now, opened, hit, .. } = done;
    let family = Family::of(operation);
    let number = gateway.requests.next_exchange(world);
    let exchange_id = family.exchange_id(seed, now, opened, number);
    let reply = match outcome {
        Ok(answer) => answer.reply(family.success, exchange_id.clone()),
        Err(refused) => refused.reply(exchange_id.clone(), now),
    };
    let exchange = Exchange { operation, id: exchange_id, time: now };
    Ok(CallResponse { exchange: Some((world, exchange)), hit, ..written(&reply, request.formats.answer) })
}

/// Reads a call, and refuses a card number in a member that would be stored.
fn read_call(handler: Handler, call: &mut Call<'_>) -> Handled {
    match mask::misplaced_card(call.format, call.body) {
        Some(member) => Err(Refused::new(400, "041", format!("{member}: {}", mask::MISPLACED_CARD))),
        None => handler(call),
    }
}

/// Executes the action of a call in a savepoint, so that a refusal leaves no trace.
fn work(call: Handled, site: String) -> Work<Result<Answer, Refused>> {
    Box::new(move |session, decline| {
        let done = match call {
            Ok(action) => session.attempt(|session| action(session, &Site { url: &site, decline })),
            Err(refused) => Err(refused.into()),
        };
        match done {
            Ok(answer) => Ok(Ok(answer)),
            Err(CallError::Refused(refused)) => Ok(Err(refused)),
            Err(CallError::Store(error)) => Err(error),
        }
    })
}

/// The text for a request that no operation of the sandbox serves. The path is masked as in the request log.
pub(crate) fn not_emulated_text(method: &Method, path: &str) -> String {
    format!("not emulated by the sandbox: {method} {}", mask::path(path))
}

/// Refuses a request that no operation serves, and logs it in the world that its key opens.
async fn not_emulated(
    gateway: &Gateway,
    request: &ClearentRequest<'_>,
    refused: Refused,
) -> Result<CallResponse, StoreError> {
    let format = request.formats.answer;
    let world_key = match world_key(request.headers, request.body) {
        Some(world_key) => Some(world_key),
        None => gateway.world_key_of_public_key(request.headers).await?,
    };
    let opened = match world_key {
        Some(world_key) => gateway.with_world(world_key, |session| Ok(Exchange::opened(&session))).await?,
        None => None,
    };
    let Some((world, seed, now, opened)) = opened else { return Ok(worldless(gateway, refused, format)) };
    let number = gateway.requests.next_exchange(world);
    let id = Family::of(NOT_EMULATED).exchange_id(seed, now, opened, number);
    let reply = refused.reply(id.clone(), now);
    let exchange = Exchange { operation: NOT_EMULATED, id, time: now };
    Ok(CallResponse { exchange: Some((world, exchange)), ..written(&reply, format) })
}

/// A refusal that belongs to no world.
pub(crate) fn worldless(gateway: &Gateway, refused: Refused, format: Format) -> CallResponse {
    let number = gateway.requests.next_exchange(0);
    let exchange_id = format!("ID-clearent-gateway-1-{}", Seed(0).uuid("exchange", number));
    written(&refused.reply(exchange_id, Moment::real()), format)
}

/// A refusal of the server itself, in the vendor's envelope.
pub(crate) fn refusal(status: u16, code: &'static str, message: &str) -> Refused {
    Refused::new(status, code, message)
}

fn written(reply: &Reply, format: Format) -> CallResponse {
    let status = reply.code.unwrap_or(500);
    // Stored text passed the domain's rules, so XML can carry it.
    let body = if status == 204 { Vec::new() } else { reply.encode(format).unwrap_or_default() };
    CallResponse::worldless(status, body)
}

/// The key of a request: the header, else the body's member, as some live clients send it.
fn world_key(headers: &HeaderMap, body: &[u8]) -> Option<WorldKey> {
    if headers.contains_key(API_KEY) {
        key(headers)
    } else {
        read_api_key(body, &LIMITS).map(|key| key_with(&key))
    }
}

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const MOBILE_JWT: HeaderName = HeaderName::from_static("mobilejwt");
const PUBLIC_KEY: HeaderName = HeaderName::from_static("public-key");

/// A header that occurs exactly once. A repeated header is ambiguous and counts as absent.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// The key in the header.
pub(crate) fn key(headers: &HeaderMap) -> Option<WorldKey> {
    let value = single(headers, &API_KEY)?;
    ApiKey::new(value.to_str().ok()?).ok().map(|key| key_with(&key))
}

/// The public key in the header, in lower case.
pub(crate) fn public_key(headers: &HeaderMap) -> Option<String> {
    single(headers, &PUBLIC_KEY)?.to_str().ok().map(|key| key.trim().to_ascii_lowercase())
}

/// The world key of an API key.
pub(crate) fn key_with(key: &ApiKey) -> WorldKey {
    let text = key.expose();
    let well_formed = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    WorldKey { hash: hash(text), well_formed, end: WorldKey::end_of(key) }
}

enum Found<'a> {
    Operation(Operation, Handler, Option<&'a str>),
    OtherMethods(String),
    Nothing,
}

/// The operation of a path, where `HEAD` is a `GET` without a body.
fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let rows: Vec<(Operation, Option<&str>)> = Operation::all_at(path).collect();
    let row = rows.iter().find(|(operation, _)| operation.method().as_str() == method.as_str());
    match row.and_then(|(operation, key)| Some((*operation, handler(*operation)?, *key))) {
        Some((operation, handler, named)) => Found::Operation(operation, handler, named),
        None if rows.is_empty() => Found::Nothing,
        None => {
            let mut methods: Vec<&str> =
                rows.iter().map(|(operation, _)| operation.method().as_str()).collect();
            if methods.contains(&"GET") {
                methods.push("HEAD");
            }
            methods.push("OPTIONS");
            Found::OtherMethods(methods.join(", "))
        }
    }
}

/// The services behind the gateway, which differ in how they spell success and number their exchanges.
struct Family {
    success: &'static str,
    service: &'static str,
}

impl Family {
    fn of(operation: &str) -> Self {
        let (success, service) = match Resource::of(operation) {
            Some(Resource::Tokens) => ("success", "vault"),
            Some(Resource::Transactions | Resource::Batches) => ("success", "cgw"),
            Some(Resource::OneTimeTokens) => ("success", "mobile-jwt"),
            Some(Resource::AvsSettings | Resource::CscSettings | Resource::DuplicateSettings) => {
                ("SUCCESS", "gss")
            }
            Some(Resource::Plans | Resource::Payments) => ("SUCCESS", "rps"),
            _ => ("success", "rps"),
        };
        Self { success, service }
    }

    /// The exchange id also depends on the number of times the database was opened, so that ids do not recur after a
    /// restart: `ID-clearent-rps-1-<uuid>`, and for card transactions `ID-clearent-cgw-1-<milliseconds>-0-<number>`.
    fn exchange_id(&self, seed: Seed, now: Moment, opened: u64, number: u64) -> String {
        let service = self.service;
        let kind = format!("exchange {opened}");
        if service == "cgw" {
            let tail = seed.digits(&kind, number, 8);
            format!("ID-clearent-cgw-1-{}-0-{tail}", now.millis())
        } else {
            format!("ID-clearent-{service}-1-{}", seed.uuid(&kind, number))
        }
    }
}
