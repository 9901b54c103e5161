//! The ClientPay tree, `/v2` and the paths of version 1.0: the world of a call, and the steps of every call.
//!
//! The vendor documents only requests and postbacks; the answers here are **inferred**, and documented in
//! `docs/SANDBOX.md`.

mod access;
mod answer;
pub(crate) mod firm;
pub(crate) mod pages;
mod payers;
pub(crate) mod payments;

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, Method, StatusCode};
use perennial_domain::clientpay::{AccessId, RequestId};
use perennial_wire::clientpay::payment::read_status_access_id;
use perennial_wire::clientpay::{Operation, Version, access as wire};
use perennial_wire::{Format, Limits, clientpay::ReadError};
use zeroize::Zeroizing;

use self::answer::{Answer, CallError, Refused};
use crate::call::{CallResponse, Done, Work, execute};
use crate::clearent::{NOT_EMULATED, not_emulated_text};
use crate::fault::{Effect, stands_in};
use crate::gateway::Gateway;
use crate::issuer::outcome::Outcome;
use crate::mask;
use crate::requests::Exchange;
use crate::store::StoreError;
use crate::store::clientpay::access::{AccessIdRecord, RequestIdState, Scope};
use crate::store::clientpay::credential::AccountCredential;
use crate::store::session::Session;
use crate::store::world::WorldKey;

/// A request as the server received it.
pub(crate) struct ClientPayRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Zeroizing<Vec<u8>>,
    /// Scheme, host and port as the caller sees them.
    pub(crate) site: &'a str,
}

/// The server refuses larger bodies, so the reader needs no tighter limit.
const LIMITS: Limits = Limits { bytes: 1024 * 1024, depth: 32, items: 20_000, text: 64 * 1024, mask: None };

/// A call as an operation sees it.
struct Call<'a> {
    operation: Operation,
    version: Version,
    query: &'a str,
    body: &'a [u8],
    any_card: bool,
    site: &'a str,
    /// The access id of the call.
    access_id: Option<&'a AccessId>,
}

/// Reads a call without access to a world, and returns the action to execute there.
type Handled = Result<Action, Refused>;
type Action = Box<dyn FnOnce(&Session<'_>, Option<Outcome>) -> Result<Answer, CallError> + Send>;

#[expect(clippy::unnecessary_wraps, reason = "every operation ends with it")]
fn act(
    action: impl FnOnce(&Session<'_>, Option<Outcome>) -> Result<Answer, CallError> + Send + 'static,
) -> Handled {
    Ok(Box::new(action))
}

/// Reads a call, and refuses a card number in a member that would be stored.
fn handle(call: &Call<'_>) -> Handled {
    match mask::misplaced_card(Format::Json, call.body) {
        Some(member) => {
            let message = format!("{member} {}.", mask::MISPLACED_CARD);
            Err(Refused::field(400, &message, &member, "Must not hold a card number."))
        }
        None => read(call),
    }
}

fn read(call: &Call<'_>) -> Handled {
    match call.operation {
        Operation::NewAccessId => access::new(Scope::Account),
        Operation::CurrentAccessId => access::current(),
        Operation::ValidateCredentials => access::validate_credentials(),
        Operation::NewCustomerAccessId => access::new(Scope::Customer),
        Operation::ValidateAccessId => access::validate(call),
        Operation::ExpireAccessId => access::expire(call),
        Operation::NewRequestId => access::new_request_id(),
        Operation::InvoicePage | Operation::LineItemPage | Operation::ConnectPage | Operation::PayerPage => {
            pages::create(call)
        }
        Operation::ExpirePage => pages::expire(call),
        Operation::ConnectSearch => pages::connect_search(call),
        Operation::Pay => payments::pay(call),
        Operation::Refund => payments::refund(call),
        Operation::CountPayments => payments::count(call),
        Operation::SearchPayments => payments::search(call),
        Operation::PaymentStatus => payments::status(call),
        Operation::NewPayer => payers::create(call),
        Operation::UpdatePayer => payers::update(call),
        Operation::DeletePayer => payers::delete(call),
        Operation::NewMethods => payers::add_methods(call),
        Operation::UpdateMethods => payers::update_methods(call),
        // What the wire knows, this tree serves.
        _ => act(|_, _| Err(Refused::unknown_path().into())),
    }
}

/// The reader of a call's credentials.
type ReadCredential = fn(&[u8]) -> Result<AccountCredential, ReadError>;

fn credential_of(operation: Operation) -> Option<ReadCredential> {
    match operation {
        Operation::NewAccessId | Operation::CurrentAccessId | Operation::ValidateCredentials => {
            Some(|body| wire::read_credentials(body, &LIMITS).map(|read| AccountCredential::account(&read)))
        }
        Operation::NewCustomerAccessId => Some(|body| {
            wire::read_customer_credentials(body, &LIMITS).map(|read| AccountCredential::customer(&read))
        }),
        _ => None,
    }
}

/// Whether a customer's access id permits a call. The vendor does not document the permitted calls; **inferred** are
/// connect search and all payer calls.
fn is_of_customer(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ValidateAccessId
            | Operation::ExpireAccessId
            | Operation::NewRequestId
            | Operation::ConnectSearch
            | Operation::PayerPage
            | Operation::NewPayer
            | Operation::UpdatePayer
            | Operation::DeletePayer
            | Operation::NewMethods
            | Operation::UpdateMethods
    )
}

/// Answers a request.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    request: ClientPayRequest<'_>,
) -> Result<CallResponse, StoreError> {
    let path = format!("/{}", request.path.trim_matches('/'));
    let Some((operation, version)) = Operation::at(&path) else {
        let text = not_emulated_text(request.method, request.path);
        return not_emulated(gateway, &request, Refused::new(404, text)).await;
    };
    let allowed = operation.method().as_str();
    if request.method.as_str() != allowed {
        let allow = Some(format!("{allowed}, OPTIONS"));
        let answered = if *request.method == Method::OPTIONS {
            CallResponse::worldless(204, Vec::new())
        } else {
            let refused = Refused::new(405, format!("This path has {allowed} only."));
            not_emulated(gateway, &request, refused).await?
        };
        return Ok(CallResponse { allow, ..answered });
    }
    if !request.body.is_empty() && !is_json(request.headers) {
        return Ok(worldless(Refused::new(415, "The body must be application/json.")));
    }
    let access_id = match operation {
        // Credentials speak for themselves, also where the access id that is sent along is a dead one.
        _ if credential_of(operation).is_some() => None,
        Operation::PaymentStatus => {
            access_id(request.headers).or_else(|| read_status_access_id(request.query))
        }
        _ if version == Version::V1 => match access::read_id(request.body) {
            Ok(sent) => sent,
            Err(error) => return Ok(worldless(error.into())),
        },
        _ => access_id(request.headers),
    };
    let world_key = match world_key(gateway, operation, request.body, access_id.as_ref()).await? {
        Ok(world_key) => world_key,
        Err(answered) => return Ok(answered),
    };
    let call = Call {
        operation,
        version,
        query: request.query,
        body: request.body,
        any_card: gateway.any_card,
        site: request.site,
        access_id: access_id.as_ref(),
    };
    let name = operation.name();
    let read = handle(&call);
    let names = |key: &str| stands_in(request.body, key) || stands_in(request.query.as_bytes(), key);
    let may = |effect: &Effect| read.is_ok() || effect.decline().is_none();
    let hit = gateway.faults.hit(&world_key.hash, name, may, names);
    let mut read = Some(read);
    let done = execute(gateway, world_key, hit, || {
        let read = read.take().unwrap_or_else(|| handle(&call));
        work(operation, access_id.as_ref(), read)
    })
    .await?;
    let Some(mut done) = done else {
        return Ok(worldless(Refused::unauthorized()));
    };
    let exchange = exchange(gateway, name, &done);
    let Answer { status, body } = done.answer(fault, || fault(500));
    Ok(CallResponse { exchange: Some(exchange), hit: done.hit, ..CallResponse::worldless(status, body) })
}

/// Refuses a request that no operation serves, and logs it in the world that its access id opens.
async fn not_emulated(
    gateway: &Gateway,
    request: &ClientPayRequest<'_>,
    refused: Refused,
) -> Result<CallResponse, StoreError> {
    let world_key = match access_id(request.headers) {
        Some(id) => gateway.world_key_of(id).await?,
        None => None,
    };
    let opened = match world_key {
        Some(world_key) => gateway.with_world(world_key, |session| Ok(Exchange::opened(&session))).await?,
        None => None,
    };
    let Some((world, seed, time, opened)) = opened else { return Ok(worldless(refused)) };
    let number = gateway.requests.next_exchange(world);
    let id = seed.uuid(&format!("exchange {opened}"), number);
    let exchange = Exchange { operation: NOT_EMULATED, id, time };
    Ok(CallResponse { exchange: Some((world, exchange)), ..worldless(refused) })
}

/// The log record of a call in a world.
pub(crate) fn exchange<A>(gateway: &Gateway, operation: &'static str, done: &Done<A>) -> (i64, Exchange) {
    let Done { world, seed, now, opened, .. } = done;
    let number = gateway.requests.next_exchange(*world);
    (*world, Exchange { operation, id: seed.uuid(&format!("exchange {opened}"), number), time: *now })
}

/// The world key of a call, or the answer if the call has none.
async fn world_key(
    gateway: &Gateway,
    operation: Operation,
    body: &[u8],
    access_id: Option<&AccessId>,
) -> Result<Result<WorldKey, CallResponse>, StoreError> {
    let unauthorized = || worldless(Refused::unauthorized());
    if let Some(read) = credential_of(operation) {
        let credential = match read(body) {
            Ok(credential) => credential,
            Err(error) => return Ok(Err(worldless(error.into()))),
        };
        let (admission, start) = (gateway.admission.clone(), gateway.start());
        let world_key =
            gateway.store.run(move |connection| credential.open(connection, &admission, start)).await?;
        return Ok(world_key.ok_or_else(|| match operation {
            Operation::ValidateCredentials => access::validity(false).worldless(),
            _ => unauthorized(),
        }));
    }
    let Some(id) = access_id.map(copy) else { return Ok(Err(unauthorized())) };
    let record = gateway.store.run(move |connection| AccessIdRecord::find(connection, &id)).await?;
    Ok(record.map(|record| record.world_key).ok_or_else(|| match operation {
        Operation::ValidateAccessId => access::validity(false).worldless(),
        _ => unauthorized(),
    }))
}

/// Executes the action of a call in a savepoint, so that a refusal leaves no trace.
fn work(operation: Operation, access_id: Option<&AccessId>, read: Handled) -> Work<Answer> {
    let access_id = access_id.map(copy);
    Box::new(move |session, decline| {
        if let Some(id) = access_id.filter(|_| operation != Operation::ValidateAccessId) {
            // It may have ended since it was looked up, by a fault or by another process.
            match AccessIdRecord::find(session.connection, &id)? {
                Some(record) if !record.is_live => return Ok(Refused::unauthorized().answer()),
                None => return Ok(Refused::unauthorized().answer()),
                Some(record) if record.scope == Scope::Customer && !is_of_customer(operation) => {
                    let why = "This call needs the access ID of a merchant account.";
                    return Ok(Refused::new(403, why).answer());
                }
                Some(_) => {}
            }
        }
        let done = match read {
            Ok(action) => session.attempt(|session| action(session, decline)),
            Err(refused) => Err(refused.into()),
        };
        match done {
            Ok(answer) => Ok(answer),
            Err(CallError::Refused(refused)) => Ok(refused.answer()),
            Err(CallError::Store(error)) => Err(error),
        }
    })
}

/// Uses a request id. A later refusal undoes this, so that the request can be corrected under its id; the vendor does
/// not document whether a refusal uses the id up.
fn spend(session: &Session<'_>, id: &RequestId) -> Result<(), CallError> {
    match session.take_request_id(id)? {
        RequestIdState::Fresh => Ok(()),
        RequestIdState::Used => Err(Refused::field(
            400,
            "requestId has already been used.",
            "token.requestId",
            "Duplicate request.",
        )
        .into()),
        RequestIdState::Unknown => Err(Refused::field(
            400,
            "requestId is not known.",
            "token.requestId",
            "Must be one that was generated for this account.",
        )
        .into()),
    }
}

const ACCESS_ID: HeaderName = HeaderName::from_static("accessid");

/// The access id of a request: the header of that name, else `Authorization`, with or without a scheme.
pub(crate) fn access_id(headers: &HeaderMap) -> Option<AccessId> {
    let single = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let text = value.to_str().ok()?.trim();
        let bare = text.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer "));
        AccessId::try_from(bare.map_or(text, |(_, id)| id)).ok()
    };
    single(&ACCESS_ID).or_else(|| single(&AUTHORIZATION))
}

/// Whether the body is JSON. A body without a `Content-Type` counts as JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return true };
    kind.to_str().is_ok_and(|kind| kind.to_ascii_lowercase().contains("json"))
}

fn copy(id: &AccessId) -> AccessId {
    AccessId::try_from(id.expose()).expect("it is one already")
}

/// A refusal that belongs to no world.
fn worldless(refused: Refused) -> CallResponse {
    refused.answer().worldless()
}

/// The answer of a fault that replaces the gateway's.
fn fault(status: u16) -> Answer {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    Refused::new(status, reason.unwrap_or("Error")).answer()
}

/// A refusal of the server itself, in the vendor's envelope.
pub(crate) fn refusal(status: u16, message: &str) -> CallResponse {
    worldless(Refused::new(status, message))
}
