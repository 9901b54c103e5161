//! Faults in the JSON of the control interface.

use serde_json::{Value as Json, json};

use super::canonical;
use super::members::REQUIRED;
use super::{Effect, Fault, StandingFault};
use crate::mask;
use crate::members::{Members, given};

impl Fault {
    /// Reads a valid fault, or returns the error text.
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

    pub(crate) fn to_json(&self) -> Json {
        let Self { operation, nth, times, probability, seed, key, effect } = self;
        given(json!({
            "operation": operation,
            "nth": nth,
            "times": times,
            "probability": probability,
            "seed": seed,
            "key": key.as_deref().map(mask::text),
            "effect": effect.to_json(),
        }))
    }
}

impl StandingFault {
    pub(crate) fn to_json(&self) -> Json {
        let Self { id, fault, matched, applied } = self;
        let mut json = fault.to_json();
        json["id"] = id.as_str().into();
        json["matched"] = (*matched).into();
        json["applied"] = (*applied).into();
        json
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{CHARGE, DELIVER};
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
                members.and_then(Effect::read).map(|effect| effect.to_json())
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

    prop_compose! {
        fn fault()(
            effect in Effect::any(),
            nth in proptest::option::of(1..=u64::MAX),
            times in proptest::option::of(1..=u64::MAX),
            chance in proptest::option::of((proptest::sample::select(vec![0.0, 0.125, 0.25, 0.5, 1.0]), proptest::option::of(any::<u64>()))),
            key in proptest::option::of("[a-z0-9_-]{1,20}"),
        ) -> Fault {
            let (probability, seed) = chance.filter(|_| nth.is_none()).unzip();
            let operation = ["*", DELIVER, CHARGE].into_iter().find(|operation| effect.goes_with(operation));
            let operation = operation.expect("an effect goes with an operation").to_owned();
            Fault { operation, nth, times, probability, seed: seed.flatten(), key, effect }
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_read(fault in fault()) {
            let json = fault.to_json();
            prop_assert_eq!(Fault::read(json.to_string().as_bytes()), Ok(fault), "{}", json);
        }

        #[test]
        fn whatever_is_wrong_is_named_without_its_value(
            fault in fault(),
            member in 0..12_usize,
            in_effect in any::<bool>(),
        ) {
            let mut json = fault.to_json();
            let within = if in_effect { &mut json["effect"] } else { &mut json };
            let members = within.as_object_mut().unwrap();
            let name = members.keys().nth(member % (members.len() + 1)).cloned().unwrap_or("surprise".into());
            members.insert(name, json!("sesame open"));
            if let Err(problem) = Fault::read(json.to_string().as_bytes()) {
                prop_assert!(!problem.contains("sesame") && problem.contains(": "), "{}", problem);
            } else {
                // The body and the type of garbage are free text.
                prop_assert!(matches!(fault.effect, Effect::Garbage { .. }), "{}", json);
            }
        }
    }
}
