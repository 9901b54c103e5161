//! Faults as the control interface reads and shows them.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::canonical;
use super::effects::{EffectKind, in_words};
use super::{Effect, Fault, RetryAfter, StandingFault};
use crate::mask;
use crate::members::{Members, given};
use crate::nearest::nearest;

impl Fault {
    /// Reads a fault that is right, or says what is wrong.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let mut members = Members::of_body(body)?;
        let fault = Self {
            operation: canonical(
                members.text("operation")?.ok_or_else(|| members.problem("operation", REQUIRED))?,
            ),
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

/// What a kind must be that is none of the known ones.
fn must_be(kind: &str) -> String {
    let names: Vec<&str> = Effect::KINDS.iter().map(|kind| kind.name).collect();
    let meant = nearest(kind, names.iter().copied());
    let meant = meant.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
    format!("must be {}{meant}", in_words(&names, "or"))
}

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
            "rate-limit" => Self::RateLimit { retry_after: retry_after(&mut members)? },
            "evict-access-id" => Self::EvictAccessId,
            "decline" => Self::Decline { result_code: text(&mut members, "result-code")? },
            "huge-body" => Self::HugeBody { bytes: number(&mut members, "bytes")? },
            "reorder" => Self::Reorder,
            "late" => Self::Late { delay: text(&mut members, "delay")? },
            _ => return Err(members.problem("kind", &must_be(&kind))),
        };
        let known = Self::KINDS.iter().find(|known| known.name == kind);
        members.finish(&known.map(EffectKind::members_in_words).unwrap_or_default())?;
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
            Self::EvictAccessId => json!({ "kind": "evict-access-id" }),
            Self::RateLimit { retry_after } => {
                let retry_after = retry_after.as_ref().map(|after| match after {
                    RetryAfter::Seconds(seconds) => Json::from(*seconds),
                    RetryAfter::Date(date) => Json::from(date.as_str()),
                });
                given(json!({ "kind": "rate-limit", "retry-after": retry_after }))
            }
            Self::Decline { result_code } => json!({ "kind": "decline", "result-code": result_code }),
            Self::HugeBody { bytes } => json!({ "kind": "huge-body", "bytes": bytes }),
            Self::Reorder => json!({ "kind": "reorder" }),
            Self::Late { delay } => json!({ "kind": "late", "delay": delay }),
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

fn retry_after(members: &mut Members) -> Result<Option<RetryAfter>, String> {
    const NAME: &str = "retry-after";
    Ok(match members.read(NAME, RetryAfter::RULE)? {
        None => None,
        Some(Json::String(date)) => Some(RetryAfter::Date(date)),
        Some(other) => {
            let seconds = other.as_u64().ok_or_else(|| members.problem(NAME, RetryAfter::RULE))?;
            Some(RetryAfter::Seconds(seconds))
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::DELIVER;
    use super::*;

    #[test]
    fn the_table_has_what_is_read_and_shown() {
        for kind in Effect::KINDS {
            let mut effect = json!({ "kind": kind.name });
            for member in kind.members {
                effect[member.name] = match member.name {
                    "status" => 503.into(),
                    "content-type" => "text/html".into(),
                    "result-code" => "012".into(),
                    "delay" => "PT1H".into(),
                    "body" => "x".into(),
                    _ => 1.into(),
                };
            }
            let read = |effect: &Json| {
                let members = Members::of_body(effect.to_string().as_bytes());
                members.and_then(Effect::read).map(|effect| effect.shown())
            };
            assert_eq!(read(&effect), Ok(effect.clone()), "{}", kind.name);
            for member in kind.members {
                let mut without = effect.clone();
                without.as_object_mut().unwrap().remove(member.name);
                let read = read(&without);
                assert_eq!(read.is_err(), member.is_required, "{} without {}", kind.name, member.name);
            }
        }
    }

    fn effect() -> impl Strategy<Value = Effect> {
        let status = || 400..=599_u16;
        let delay = || (0..=60_000_u64).prop_map(Duration::from_millis);
        let date = Just(RetryAfter::Date("Fri, 01 Jan 2027 00:00:00 GMT".into()));
        let retry_after = prop_oneof![any::<u64>().prop_map(RetryAfter::Seconds), date];
        prop_oneof![
            status().prop_map(|status| Effect::ErrorBefore { status }),
            status().prop_map(|status| Effect::ErrorAfter { status }),
            Just(Effect::DropReply),
            delay().prop_map(|delay| Effect::LateCommit { delay }),
            Just(Effect::Duplicate),
            delay().prop_map(|delay| Effect::Delay { delay }),
            (1..=u64::MAX).prop_map(|bytes_per_second| Effect::SlowBody { bytes_per_second }),
            any::<u64>().prop_map(|at_byte| Effect::CutReply { at_byte }),
            ("[a-z<>/]{0,20}", "[a-z]{1,9}/[a-z]{1,9}")
                .prop_map(|(body, content_type)| Effect::Garbage { body, content_type }),
            Just(Effect::StaleRead),
            proptest::option::of(retry_after).prop_map(|retry_after| Effect::RateLimit { retry_after }),
            Just(Effect::Decline { result_code: "058".into() }),
            (1..=1_073_741_824_u64).prop_map(|bytes| Effect::HugeBody { bytes }),
            Just(Effect::EvictAccessId),
            Just(Effect::Reorder),
            (0..=999_u32).prop_map(|hours| Effect::Late { delay: format!("PT{hours}H") }),
        ]
    }

    prop_compose! {
        fn fault()(
            effect in effect(),
            nth in proptest::option::of(1..=u64::MAX),
            times in proptest::option::of(1..=u64::MAX),
            chance in proptest::option::of((proptest::sample::select(vec![0.0, 0.125, 0.25, 0.5, 1.0]), proptest::option::of(any::<u64>()))),
            key in proptest::option::of("[a-z0-9_-]{1,20}"),
        ) -> Fault {
            let (probability, seed) = chance.filter(|_| nth.is_none()).unzip();
            let operation = if effect.goes_with("*") { "*" } else { DELIVER }.to_owned();
            Fault { operation, nth, times, probability, seed: seed.flatten(), key, effect }
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_read(fault in fault()) {
            let shown = fault.shown();
            prop_assert_eq!(Fault::read(shown.to_string().as_bytes()), Ok(fault), "{}", shown);
        }

        #[test]
        fn whatever_is_wrong_is_named_without_its_value(
            fault in fault(),
            member in 0..12_usize,
            in_effect in any::<bool>(),
        ) {
            let mut shown = fault.shown();
            let within = if in_effect { &mut shown["effect"] } else { &mut shown };
            let members = within.as_object_mut().unwrap();
            let name = members.keys().nth(member % (members.len() + 1)).cloned().unwrap_or("surprise".into());
            members.insert(name, json!("sesame open"));
            if let Err(problem) = Fault::read(shown.to_string().as_bytes()) {
                prop_assert!(!problem.contains("sesame") && problem.contains(": "), "{}", problem);
            } else {
                // The body and the type of garbage are free text.
                prop_assert!(matches!(fault.effect, Effect::Garbage { .. }), "{}", shown);
            }
        }
    }
}
