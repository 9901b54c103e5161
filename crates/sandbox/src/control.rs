//! The sandbox's own interface under `/_sandbox`: JSON for whoever tests against it, from this machine only.

use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::clearent::key;
use crate::clock::{ClockError, Mode, Moment, Turn};
use crate::gateway::{Fired, Gateway, WorldOptions};
use crate::store::StoreError;
use crate::world::Knock;

/// A status and a document, where there is one.
pub(crate) type Answered = (StatusCode, Option<Json>);

/// Answers a call of the control interface.
pub(crate) async fn answer(
    gateway: &Gateway,
    method: &Method,
    segments: &[&str],
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answered, StoreError> {
    let call = match (method.as_str(), segments) {
        ("GET" | "HEAD", ["health"]) => {
            return Ok(ok(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })));
        }
        ("POST", ["worlds"]) => return make_world(gateway, body).await,
        ("GET" | "HEAD", ["clock"]) => Call::Clock,
        ("POST", ["clock"]) => Call::Turn,
        ("GET" | "HEAD", ["state"]) => Call::State,
        ("GET" | "HEAD", ["requests"]) => Call::Requests,
        ("POST", ["reset"]) => Call::Reset,
        (_, ["health" | "worlds" | "clock" | "state" | "requests" | "reset"]) => {
            return Ok(refused(StatusCode::METHOD_NOT_ALLOWED, "this call has another method"));
        }
        _ => return Ok(refused(StatusCode::NOT_FOUND, "there is no such call")),
    };
    let header = headers.get("api-key").and_then(|value| value.to_str().ok());
    let Some(knock) = header.and_then(key) else { return Ok(unauthorized()) };
    let answered = match call {
        Call::Clock => clock(gateway, knock).await?,
        Call::Turn => match read_turn(body) {
            Ok(turn) => turned(gateway.turn(knock, turn).await?),
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::State => gateway.with_world(knock, |ledger| ledger.state()).await?.map(ok),
        Call::Requests => match read_limit(query) {
            Ok(limit) => {
                let world = gateway.with_world(knock, |ledger| Ok(ledger.world)).await?;
                world.map(|world| ok(gateway.requests.newest(world, limit)))
            }
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::Reset => gateway.reset(knock).await?.map(|()| (StatusCode::NO_CONTENT, None)),
    };
    Ok(answered.unwrap_or_else(unauthorized))
}

/// The calls that need a world.
enum Call {
    Clock,
    Turn,
    State,
    Requests,
    Reset,
}

fn ok(document: Json) -> Answered {
    (StatusCode::OK, Some(document))
}

pub(crate) fn refused(status: StatusCode, problem: &str) -> Answered {
    (status, Some(json!({ "error": problem })))
}

fn unauthorized() -> Answered {
    refused(StatusCode::UNAUTHORIZED, "the api-key header must hold a key that opens a world")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWorld {
    seed: Option<u64>,
    now: Option<String>,
}

async fn make_world(gateway: &Gateway, body: &[u8]) -> Result<Answered, StoreError> {
    let options = read::<NewWorld>(body).and_then(|NewWorld { seed, now }| {
        let now = now
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|error: ClockError| format!("now: {error}"))?;
        Ok(WorldOptions { seed, now })
    });
    let options = match options {
        Ok(options) => options,
        Err(problem) => return Ok(refused(StatusCode::BAD_REQUEST, &problem)),
    };
    let made = gateway.make_world(&options).await?;
    Ok(ok(json!({
        "api-key": made.api_key.expose(),
        "integrator-key": made.integrator_key,
        "account-key": made.account_key,
        "account-pin": made.account_pin,
    })))
}

async fn clock(gateway: &Gateway, knock: Knock) -> Result<Option<Answered>, StoreError> {
    let shown = gateway.with_world(knock, |ledger| Ok((ledger.now, ledger.clock.mode()))).await?;
    Ok(shown.map(|(now, mode)| ok(json!({ "now": now.to_string(), "mode": mode }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NewTime {
    set: Option<String>,
    advance: Option<String>,
    advance_to: Option<String>,
    mode: Option<Mode>,
}

fn read_turn(body: &[u8]) -> Result<Turn, String> {
    let at = |member: &'static str| move |error: ClockError| format!("{member}: {error}");
    match read(body)? {
        NewTime { set: Some(text), advance: None, advance_to: None, mode: None } => {
            text.parse::<Moment>().map(Turn::Set).map_err(at("set"))
        }
        NewTime { set: None, advance: Some(text), advance_to: None, mode: None } => {
            text.parse().map(Turn::Advance).map_err(at("advance"))
        }
        NewTime { set: None, advance: None, advance_to: Some(text), mode: None } => {
            Turn::to(&text).map_err(at("advance-to"))
        }
        NewTime { set: None, advance: None, advance_to: None, mode: Some(mode) } => Ok(Turn::Become(mode)),
        _ => Err("the body must have exactly one of set, advance, advance-to and mode".into()),
    }
}

fn turned(turned: Option<Result<Fired, ClockError>>) -> Option<Answered> {
    Some(match turned? {
        Ok(Fired { now, fired, approved, declined }) => ok(json!({
            "now": now.to_string(),
            "fired": fired,
            "approved": approved,
            "declined": declined,
            "settled": true,
        })),
        Err(error) => refused(StatusCode::BAD_REQUEST, &format!("the moment {error}")),
    })
}

/// How many requests to show: `limit` of the query, 1 to 500; 50 if it is not given.
fn read_limit(query: &str) -> Result<usize, String> {
    let Some(limit) = query.split('&').find_map(|pair| pair.strip_prefix("limit=")) else { return Ok(50) };
    let limit = limit.parse().ok().filter(|limit| matches!(limit, 1..=500));
    limit.ok_or_else(|| "limit: must be a number from 1 to 500".into())
}

/// An object; no body is an empty one.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    // An array would be read as the members in their order.
    let members: serde_json::Map<String, Json> =
        serde_json::from_slice(body).map_err(|_| "the body: must be a JSON object".to_owned())?;
    serde_json::from_value(members.into()).map_err(|error| format!("the body: {error}"))
}
