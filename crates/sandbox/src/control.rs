//! The sandbox's control interface under `/_sandbox`: JSON for test programs, from this machine only.

use http::{HeaderMap, Method, StatusCode};
use perennial_domain::Amount;
use perennial_wire::Format;
use serde_json::{Value as Json, json};

use crate::clearent::key;
use crate::clientpay;
use crate::clientpay::payments::refund_part;
use crate::clock::{ClockChange, ClockError, Mode, Moment};
use crate::delivery::{Delivery, Endpoint};
use crate::fault::{Effect, EffectKind, Fault, StandingFault};
use crate::gateway::{Fired, Gateway, NoSnapshot, Webhook, WorldOptions};
use crate::members::{Members, given};
use crate::options::GatewayOptions;
use crate::spool::Spooled;
use crate::store::StoreError;
use crate::store::world::WorldKey;
use crate::{mask, openapi};

/// A status and a document, if there is one.
pub(crate) type ControlResponse = (StatusCode, Option<Json>);

/// Answers a call of the control interface.
pub(crate) async fn answer(
    gateway: &Gateway,
    method: &Method,
    segments: &[&str],
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<ControlResponse, StoreError> {
    if let Some(member) = mask::misplaced_card(Format::Json, body) {
        return Ok(refused(StatusCode::BAD_REQUEST, &format!("{member}: {}", mask::MISPLACED_CARD)));
    }
    let call = match (method.as_str(), segments) {
        ("GET" | "HEAD", ["health"]) => {
            return Ok(ok(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })));
        }
        ("GET" | "HEAD", ["openapi.json"]) => return Ok(ok(openapi::document())),
        ("GET" | "HEAD", ["effects"]) => {
            let effects: Vec<Json> = Effect::KINDS.iter().copied().map(EffectKind::to_json).collect();
            return Ok(ok(json!({ "effects": effects })));
        }
        ("POST", ["worlds"]) => return make_world(gateway, body).await,
        ("DELETE", ["worlds"]) => Call::Delete,
        ("GET" | "HEAD", ["clock"]) => Call::Clock,
        ("POST", ["clock"]) => Call::ChangeClock,
        ("POST", ["snapshot"]) => Call::Snapshot,
        ("POST", ["restore"]) => Call::Restore,
        ("POST", ["reset"]) => Call::Reset,
        ("GET" | "HEAD", ["faults"]) => Call::Faults,
        ("POST", ["faults"]) => Call::Fault,
        ("DELETE", ["faults"]) => Call::Clear(None),
        ("DELETE", ["faults", id]) => Call::Clear(Some(id)),
        ("POST", ["partial-refund"]) => Call::RefundPart,
        ("GET" | "HEAD", ["webhook"]) => Call::Webhook,
        ("PUT", ["webhook"]) => Call::SetWebhook,
        ("DELETE", ["webhook"]) => Call::RemoveWebhook,
        (_, call) => {
            return Ok(match methods(call) {
                Some(methods) => {
                    refused(StatusCode::METHOD_NOT_ALLOWED, &format!("this call has the methods {methods}"))
                }
                None => refused(StatusCode::NOT_FOUND, "there is no such call"),
            });
        }
    };
    let Some(world_key) = world_key(gateway, headers).await? else { return Ok(unauthorized()) };
    let answered = match call {
        Call::Clock => clock(gateway, world_key).await?,
        Call::ChangeClock => match read_clock_change(body) {
            Ok((member, change)) => clock_changed(member, gateway.change_clock(world_key, change).await?),
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::Snapshot => match read_nothing(body) {
            Ok(()) => gateway.snapshot(world_key).await?.map(|id| ok(json!({ "id": id }))),
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::Restore => match read_id(body) {
            Ok(id) => gateway.restore(world_key, id).await?.map(|restored| match restored {
                Ok(clock) => clock_response(clock),
                Err(NoSnapshot) => {
                    refused(StatusCode::NOT_FOUND, "id: must be that of a snapshot of this world")
                }
            }),
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::Reset => match read_nothing(body) {
            Ok(()) => gateway.reset(world_key).await?.map(|()| (StatusCode::NO_CONTENT, None)),
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::Delete => match read_nothing(body) {
            Ok(()) => gateway.delete(world_key).await?.map(|()| (StatusCode::NO_CONTENT, None)),
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::Faults => gateway.faults(world_key).await?.map(|faults| {
            let faults: Vec<Json> = faults.iter().map(StandingFault::to_json).collect();
            ok(json!({ "faults": faults }))
        }),
        Call::Fault => match Fault::read(body) {
            Ok(fault) => gateway.set_fault(world_key, fault).await?.map(|id| ok(json!({ "id": id }))),
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::Clear(id) => {
            let cleared = gateway.clear_faults(world_key, id.map(str::to_owned)).await?;
            cleared.map(|cleared| match (id, cleared) {
                (Some(_), 0) => refused(StatusCode::NOT_FOUND, "there is no such fault"),
                _ => (StatusCode::NO_CONTENT, None),
            })
        }
        Call::RefundPart => refund_a_part(gateway, world_key, body).await?,
        Call::Webhook => match read_limit(query) {
            Ok(limit) => gateway.webhook(world_key, limit).await?.map(webhook_response),
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::SetWebhook => match read_url(body) {
            Ok(url) => {
                let set = gateway.set_webhook(world_key, url.clone()).await?;
                set.map(|key| ok(json!({ "url": url, "public-key": key })))
            }
            Err(problem) => Some(refused(StatusCode::BAD_REQUEST, &problem)),
        },
        Call::RemoveWebhook => {
            gateway.remove_webhook(world_key).await?.map(|()| (StatusCode::NO_CONTENT, None))
        }
    };
    Ok(answered.unwrap_or_else(unauthorized))
}

/// The state of a world, or its request log; both may be large. `None` for any other call.
pub(crate) async fn large(
    gateway: &Gateway,
    method: &Method,
    segments: &[&str],
    query: &str,
    headers: &HeaderMap,
) -> Result<Option<Result<Spooled, ControlResponse>>, StoreError> {
    let large = match (method.as_str(), segments) {
        ("GET" | "HEAD", ["state"]) => Large::State,
        ("GET" | "HEAD", ["requests"]) => Large::Requests,
        _ => return Ok(None),
    };
    let Some(world_key) = world_key(gateway, headers).await? else { return Ok(Some(Err(unauthorized()))) };
    let spooled = match large {
        Large::State => gateway.state(world_key).await?,
        Large::Requests => match read_limit(query) {
            Ok(limit) => gateway.request_log(world_key, limit).await?,
            Err(problem) => return Ok(Some(Err(refused(StatusCode::BAD_REQUEST, &problem)))),
        },
    };
    Ok(Some(match spooled {
        Some(Ok(spooled)) => Ok(spooled),
        Some(Err(error)) => {
            tracing::error!(%error, "a temporary file cannot be written");
            Err(refused(StatusCode::SERVICE_UNAVAILABLE, NO_ROOM))
        }
        None => Err(unauthorized()),
    }))
}

enum Large {
    State,
    Requests,
}

const NO_ROOM: &str = "the response does not fit into the folder of temporary files: make room there, or name another in TMPDIR";

/// The methods that a call allows; `None` if there is no such call.
pub(crate) fn methods(call: &[&str]) -> Option<&'static str> {
    Some(match call {
        ["health" | "openapi.json" | "effects" | "state" | "requests"] => "GET, HEAD",
        ["worlds"] => "POST, DELETE",
        ["snapshot" | "restore" | "reset" | "partial-refund"] => "POST",
        ["clock"] => "GET, HEAD, POST",
        ["faults"] => "GET, HEAD, POST, DELETE",
        ["faults", _] => "DELETE",
        ["webhook"] => "GET, HEAD, PUT, DELETE",
        _ => return None,
    })
}

/// The world key of a request, from the header of either vendor.
async fn world_key(gateway: &Gateway, headers: &HeaderMap) -> Result<Option<WorldKey>, StoreError> {
    match (key(headers), clientpay::access_id(headers)) {
        (Some(world_key), _) => Ok(Some(world_key)),
        (None, Some(id)) => gateway.world_key_of(id).await,
        (None, None) => Ok(None),
    }
}

/// Calls that need a world.
enum Call<'a> {
    Delete,
    Clock,
    ChangeClock,
    Snapshot,
    Restore,
    Reset,
    Faults,
    Fault,
    /// Clears the fault of this id, or all.
    Clear(Option<&'a str>),
    RefundPart,
    Webhook,
    SetWebhook,
    RemoveWebhook,
}

fn ok(document: Json) -> ControlResponse {
    (StatusCode::OK, Some(document))
}

pub(crate) fn refused(status: StatusCode, problem: &str) -> ControlResponse {
    (status, Some(json!({ "error": problem })))
}

fn unauthorized() -> ControlResponse {
    refused(
        StatusCode::UNAUTHORIZED,
        "the api-key header must hold a key that opens a world, or accessId an access id that is live",
    )
}

fn read_options(body: &[u8]) -> Result<WorldOptions, String> {
    let mut members = Members::of_body(body)?;
    let (seed, now) = (members.number("seed")?, members.text("now")?);
    let now = now.as_deref().map(str::parse).transpose();
    let now = now.map_err(|error: ClockError| format!("now: {error}"))?;
    let gateway = GatewayOptions::read(&mut members)?;
    members.finish("seed, now and gateway")?;
    Ok(WorldOptions { seed, now, gateway })
}

async fn make_world(gateway: &Gateway, body: &[u8]) -> Result<ControlResponse, StoreError> {
    let options = match read_options(body) {
        Ok(options) => options,
        Err(problem) => return Ok(refused(StatusCode::BAD_REQUEST, &problem)),
    };
    let world = gateway.make_world(&options).await?;
    Ok(ok(json!({
        "api-key": world.api_key.expose(),
        "integrator-key": world.integrator_key,
        "account-key": world.account_key,
        "account-pin": world.account_pin,
    })))
}

async fn clock(gateway: &Gateway, world_key: WorldKey) -> Result<Option<ControlResponse>, StoreError> {
    let clock = gateway.with_world(world_key, |session| Ok((session.now, session.clock.mode()))).await?;
    Ok(clock.map(clock_response))
}

fn clock_response((now, mode): (Moment, Mode)) -> ControlResponse {
    ok(json!({ "now": now.to_string(), "mode": mode.as_str() }))
}

fn read_nothing(body: &[u8]) -> Result<(), String> {
    Members::of_body(body)?.finish("none")
}

fn read_id(body: &[u8]) -> Result<String, String> {
    let mut members = Members::of_body(body)?;
    let id = members.text("id")?;
    members.finish("id")?;
    id.ok_or_else(|| "id: is required".into())
}

/// Reads a change of the clock, and the member that gave it.
fn read_clock_change(body: &[u8]) -> Result<(&'static str, ClockChange), String> {
    const ONE: &str = "set, advance, advance-to and mode";
    let mut members = Members::of_body(body)?;
    let mut given = |name| members.text(name);
    let values = (given("set")?, given("advance")?, given("advance-to")?, given("mode")?);
    members.finish(ONE)?;
    let (member, change) = match values {
        (Some(text), None, None, None) => ("set", text.parse().map(ClockChange::Set)),
        (None, Some(text), None, None) => ("advance", text.parse().map(ClockChange::Advance)),
        (None, None, Some(text), None) => ("advance-to", ClockChange::to(&text)),
        (None, None, None, Some(word)) => {
            let mode = Mode::of(&word).ok_or("mode: must be frozen or running")?;
            ("mode", Ok(ClockChange::Become(mode)))
        }
        _ => return Err(format!("the body: must have exactly one of {ONE}")),
    };
    let change = change.map_err(|error: ClockError| format!("{member}: {error}"))?;
    Ok((member, change))
}

fn clock_changed(member: &str, outcome: Option<Result<Fired, ClockError>>) -> Option<ControlResponse> {
    Some(match outcome? {
        Ok(Fired { now, fired, approved, declined }) => ok(json!({
            "now": now.to_string(),
            "fired": fired,
            "approved": approved,
            "declined": declined,
            "settled": true,
        })),
        Err(error) => refused(StatusCode::BAD_REQUEST, &format!("{member}: {error}")),
    })
}

async fn refund_a_part(
    gateway: &Gateway,
    world_key: WorldKey,
    body: &[u8],
) -> Result<Option<ControlResponse>, StoreError> {
    let (payment, amount) = match read_part(body) {
        Ok(part) => part,
        Err(problem) => return Ok(Some(refused(StatusCode::BAD_REQUEST, &problem))),
    };
    let done = gateway.with_world(world_key, move |session| refund_part(&session, &payment, amount)).await?;
    Ok(done.map(|refunded| match refunded {
        Ok(left) => ok(json!({ "left": left.to_string() })),
        Err(problem) => refused(StatusCode::BAD_REQUEST, problem),
    }))
}

/// Reads a `ClientPay` payment id and an amount.
fn read_part(body: &[u8]) -> Result<(String, Amount), String> {
    let mut members = Members::of_body(body)?;
    let (payment, amount) = (members.text("payment-id")?, members.text("amount")?);
    members.finish("payment-id and amount")?;
    let amount = amount.ok_or("amount: is required")?;
    let amount = Amount::try_from(amount.as_str()).map_err(|error| format!("amount: {error}"))?;
    Ok((payment.ok_or("payment-id: is required")?, amount))
}

fn read_url(body: &[u8]) -> Result<String, String> {
    let mut members = Members::of_body(body)?;
    let url = members.text("url")?;
    members.finish("url")?;
    let url = url.ok_or("url: is required")?;
    match url.parse::<Endpoint>() {
        Ok(_) => Ok(url),
        Err(error) => Err(format!("url: {error}")),
    }
}

fn webhook_response(Webhook { url, public_key, deliveries }: Webhook) -> ControlResponse {
    let deliveries: Vec<Json> = deliveries.iter().map(Delivery::to_json).collect();
    ok(given(json!({ "url": url, "public-key": public_key, "deliveries": deliveries })))
}

/// The number of requests or deliveries to show: `limit` in the query, 1 to 500, default 50.
fn read_limit(query: &str) -> Result<usize, String> {
    let Some(limit) = query.split('&').find_map(|pair| pair.strip_prefix("limit=")) else { return Ok(50) };
    let limit = limit.parse().ok().filter(|limit| matches!(limit, 1..=500));
    limit.ok_or_else(|| "limit: must be a number from 1 to 500".into())
}
