//! Faults as the control interface reads and shows them.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{Effect, Fault, RetryAfter, StandingFault};
use crate::mask;
use crate::members::Members;

const KINDS: &str = "must be error-before, error-after, drop-reply, late-commit, duplicate, delay, slow-body, cut-reply, \
                     garbage, stale-read, rate-limit, decline or huge-body";

impl Fault {
    /// Reads a fault that is right, or says what is wrong.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let mut members = Members::of_body(body)?;
        let fault = Self {
            operation: members.text("operation")?.ok_or_else(|| members.problem("operation", REQUIRED))?,
            nth: members.number("nth")?,
            times: members.number("times")?,
            probability: members.real("probability")?,
            seed: members.number("seed")?,
            key: members.text("key")?,
            effect: Effect::read(
                members.object("effect")?.ok_or_else(|| members.problem("effect", REQUIRED))?,
            )?,
        };
        members.finish("operation, nth, times, probability, seed, key and effect")?;
        fault.check().map_err(|error| error.to_string())?;
        Ok(fault)
    }

    pub(crate) fn shown(&self) -> Json {
        let Self { operation, nth, times, probability, seed, key, effect } = self;
        given(json!({
            "operation": operation,
            "nth": nth,
            "times": times,
            "probability": probability,
            "seed": seed,
            "key": key.as_deref().map(mask::text),
            "effect": effect.shown(),
        }))
    }
}

const REQUIRED: &str = "is required";

impl Effect {
    fn read(mut members: Members) -> Result<Self, String> {
        let kind = text(&mut members, "kind")?;
        let effect = match kind.as_str() {
            "error-before" => Self::ErrorBefore { status: status(&mut members)? },
            "error-after" => Self::ErrorAfter { status: status(&mut members)? },
            "drop-reply" => Self::DropReply,
            "late-commit" => Self::LateCommit { delay: delay(&mut members)? },
            "duplicate" => Self::Duplicate,
            "delay" => Self::Delay { delay: delay(&mut members)? },
            "slow-body" => Self::SlowBody { bytes_per_second: number(&mut members, "bytes-per-second")? },
            "cut-reply" => Self::CutReply { at_byte: number(&mut members, "at-byte")? },
            "garbage" => Self::Garbage {
                body: text(&mut members, "body")?,
                content_type: text(&mut members, "content-type")?,
            },
            "stale-read" => Self::StaleRead,
            "rate-limit" => Self::RateLimit { retry_after: retry_after(&mut members) },
            "decline" => Self::Decline { result_code: text(&mut members, "result-code")? },
            "huge-body" => Self::HugeBody { bytes: number(&mut members, "bytes")? },
            _ => return Err(members.problem("kind", KINDS)),
        };
        members.finish(match effect {
            Self::DropReply | Self::Duplicate | Self::StaleRead => "kind",
            Self::ErrorBefore { .. } | Self::ErrorAfter { .. } => "kind and status",
            Self::LateCommit { .. } | Self::Delay { .. } => "kind and delay-ms",
            Self::SlowBody { .. } => "kind and bytes-per-second",
            Self::CutReply { .. } => "kind and at-byte",
            Self::Garbage { .. } => "kind, body and content-type",
            Self::RateLimit { .. } => "kind and retry-after",
            Self::Decline { .. } => "kind and result-code",
            Self::HugeBody { .. } => "kind and bytes",
        })?;
        Ok(effect)
    }

    pub(crate) fn shown(&self) -> Json {
        match self {
            Self::ErrorBefore { status } => json!({ "kind": "error-before", "status": status }),
            Self::ErrorAfter { status } => json!({ "kind": "error-after", "status": status }),
            Self::DropReply => json!({ "kind": "drop-reply" }),
            Self::LateCommit { delay } => json!({ "kind": "late-commit", "delay-ms": millis(*delay) }),
            Self::Duplicate => json!({ "kind": "duplicate" }),
            Self::Delay { delay } => json!({ "kind": "delay", "delay-ms": millis(*delay) }),
            Self::SlowBody { bytes_per_second } => {
                json!({ "kind": "slow-body", "bytes-per-second": bytes_per_second })
            }
            Self::CutReply { at_byte } => json!({ "kind": "cut-reply", "at-byte": at_byte }),
            Self::Garbage { body, content_type } => {
                let (body, content_type) = (mask::text(body), mask::text(content_type));
                json!({ "kind": "garbage", "body": body, "content-type": content_type })
            }
            Self::StaleRead => json!({ "kind": "stale-read" }),
            Self::RateLimit { retry_after } => {
                let retry_after = retry_after.as_ref().map(|after| match after {
                    RetryAfter::Seconds(seconds) => Json::from(*seconds),
                    RetryAfter::Date(date) => Json::from(date.as_str()),
                });
                given(json!({ "kind": "rate-limit", "retry-after": retry_after }))
            }
            Self::Decline { result_code } => json!({ "kind": "decline", "result-code": result_code }),
            Self::HugeBody { bytes } => json!({ "kind": "huge-body", "bytes": bytes }),
        }
    }
}

impl StandingFault {
    pub(crate) fn shown(&self) -> Json {
        let Self { id, fault, matched, applied } = self;
        let mut shown = fault.shown();
        shown["id"] = id.as_str().into();
        shown["matched"] = (*matched).into();
        shown["applied"] = (*applied).into();
        shown
    }
}

/// The members that have a value.
fn given(mut object: Json) -> Json {
    object.as_object_mut().into_iter().for_each(|members| members.retain(|_, value| !value.is_null()));
    object
}

fn millis(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

fn text(members: &mut Members, name: &str) -> Result<String, String> {
    members.text(name)?.ok_or_else(|| members.problem(name, REQUIRED))
}

fn number(members: &mut Members, name: &str) -> Result<u64, String> {
    members.number(name)?.ok_or_else(|| members.problem(name, REQUIRED))
}

/// A status, where one too large for any is as wrong as the largest.
fn status(members: &mut Members) -> Result<u16, String> {
    number(members, "status").map(|status| u16::try_from(status).unwrap_or(u16::MAX))
}

fn delay(members: &mut Members) -> Result<Duration, String> {
    number(members, "delay-ms").map(Duration::from_millis)
}

fn retry_after(members: &mut Members) -> Option<RetryAfter> {
    Some(match members.value("retry-after")? {
        Json::String(date) => RetryAfter::Date(date),
        // What is no number of seconds is refused as no date.
        other => other.as_u64().map_or(RetryAfter::Date(String::new()), RetryAfter::Seconds),
    })
}
