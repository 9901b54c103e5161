//! Members of effects: their values, and how each is read and written.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::RetryAfter;
use crate::clock::Period;
use crate::issuer::outcome;
use crate::mask;
use crate::members::Members;

/// A member of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EffectMember {
    /// Its name, such as `delay-ms`.
    pub name: &'static str,
    /// A phrase that describes it, such as `The HTTP status of the error`.
    pub about: &'static str,
    /// The allowed values, in words.
    pub rule: &'static str,
    /// The word for its value in help, such as `NUMBER`.
    pub value: &'static str,
    /// Whether the effect needs it.
    pub is_required: bool,
    /// Whether its value may be a number in JSON.
    pub is_number: bool,
}

/// The error text for a missing member.
pub(super) const REQUIRED: &str = "is required";

/// A member of effects.
pub(super) trait Member {
    type Value;

    const ROW: EffectMember;
    /// Its name within a fault.
    const PATH: &'static str;

    /// Reads the member without a check of its range.
    fn read(members: &mut Members) -> Result<Self::Value, String>;

    /// Formats the value; null means absent.
    fn to_json(value: &Self::Value) -> Json;

    /// The rule that a value breaks, if any.
    fn broken(value: &Self::Value) -> Option<&'static str>;
}

/// Declares members that are whole numbers: the type, the name, the range and its description.
macro_rules! numbers {
    ($($Member:ident: $Value:ty, $name:literal from $range:expr, $about:literal, $words:literal, $must:literal;)*) => {$(
        pub(super) struct $Member;

        impl Member for $Member {
            type Value = $Value;

            const ROW: EffectMember = EffectMember { name: $name, about: $about, rule: $words, value: "NUMBER", is_required: true, is_number: true };
            const PATH: &'static str = concat!("effect.", $name);

            /// Reads the number. A number that is too large for the type becomes the maximum, which is also out of
            /// range.
            fn read(members: &mut Members) -> Result<$Value, String> {
                let number = members.number($name)?.ok_or_else(|| members.problem($name, REQUIRED))?;
                Ok(<$Value>::try_from(number).unwrap_or(<$Value>::MAX))
            }

            fn to_json(value: &$Value) -> Json {
                json!(value)
            }

            fn broken(value: &$Value) -> Option<&'static str> {
                (!($range).contains(value)).then_some(concat!("must be ", $must))
            }
        }
    )*};
}

numbers! {
    Status: u16, "status" from 400..=599, "The HTTP status of the error", "400 to 599", "from 400 to 599";
    BytesPerSecond: u64, "bytes-per-second" from 1.., "The speed of the body, in bytes per second", "from 1", "from 1";
    AtByte: u64, "at-byte" from 0.., "The number of body bytes to send", "from 0", "from 0";
    Bytes: u64, "bytes" from 1..=1_073_741_824, "The size of the body, in bytes", "1 to 1073741824", "from 1 to 1073741824";
    Millis: u64, "delay-ms" from 0..=60_000, "The delay, in milliseconds of real time", "0 to 60000", "from 0 to 60000";
}

/// Declares members that are texts: the name, the description of the allowed values, the rule, and the format.
macro_rules! texts {
    ($($Member:ident: $name:literal, $about:literal, $value:literal, $words:literal, $is_right:expr, $must:expr, $format:expr;)*) => {$(
        pub(super) struct $Member;

        impl Member for $Member {
            type Value = String;

            const ROW: EffectMember = EffectMember { name: $name, about: $about, rule: $words, value: $value, is_required: true, is_number: false };
            const PATH: &'static str = concat!("effect.", $name);

            fn read(members: &mut Members) -> Result<String, String> {
                members.text($name)?.ok_or_else(|| members.problem($name, REQUIRED))
            }

            fn to_json(value: &String) -> Json {
                let format: fn(&str) -> String = $format;
                format(value).into()
            }

            fn broken(value: &String) -> Option<&'static str> {
                let is_right: fn(&str) -> bool = $is_right;
                (!is_right(value)).then_some($must)
            }
        }
    )*};
}

texts! {
    Body: "body", "The body of the response", "TEXT", "any text", |_| true, "must be text", mask::text;
    ContentType: "content-type", "The media type of the body", "TYPE", "a media type",
        |value| http::HeaderValue::try_from(value).is_ok_and(|value| !value.is_empty()),
        "must be text that a header can hold", mask::text;
    ResultCode: "result-code", "The vendor's result code of the decline", "CODE", "a code of the vendor's that does not approve, such as 012",
        |code| outcome::of_code(code).is_some(),
        "must be a code of the vendor's with which a charge is not approved", str::to_owned;
    Held: "delay", "The time to hold an alert or a charge, such as PT1H or P2D of the world's clock", "PERIOD", "a period such as PT1H or P2D",
        |delay| delay.parse::<Period>().is_ok(),
        "must be an ISO 8601 period such as PT1H or P2D", str::to_owned;
}

/// A delay in real time.
pub(super) struct Delay;

impl Member for Delay {
    type Value = Duration;

    const ROW: EffectMember = Millis::ROW;
    const PATH: &'static str = Millis::PATH;

    fn read(members: &mut Members) -> Result<Duration, String> {
        Millis::read(members).map(Duration::from_millis)
    }

    fn to_json(value: &Duration) -> Json {
        json!(millis(*value))
    }

    fn broken(value: &Duration) -> Option<&'static str> {
        Millis::broken(&millis(*value))
    }
}

fn millis(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

/// The `Retry-After` value, which is optional.
pub(super) struct Again;

impl Member for Again {
    type Value = Option<RetryAfter>;

    const ROW: EffectMember = EffectMember {
        name: "retry-after",
        about: "The time to retry",
        value: "SECONDS|DATE",
        rule: "whole seconds or an HTTP date; without it there is no such header",
        is_required: false,
        is_number: true,
    };
    const PATH: &'static str = "effect.retry-after";

    fn read(members: &mut Members) -> Result<Option<RetryAfter>, String> {
        Ok(match members.read(Self::ROW.name, RetryAfter::RULE)? {
            None => None,
            Some(Json::String(date)) => Some(RetryAfter::Date(date)),
            Some(other) => {
                let seconds =
                    other.as_u64().ok_or_else(|| members.problem(Self::ROW.name, RetryAfter::RULE))?;
                Some(RetryAfter::Seconds(seconds))
            }
        })
    }

    fn to_json(value: &Option<RetryAfter>) -> Json {
        match value {
            None => Json::Null,
            Some(RetryAfter::Seconds(seconds)) => (*seconds).into(),
            Some(RetryAfter::Date(date)) => date.as_str().into(),
        }
    }

    fn broken(value: &Option<RetryAfter>) -> Option<&'static str> {
        match value {
            Some(RetryAfter::Date(date)) if httpdate::parse_http_date(date).is_err() => {
                Some(RetryAfter::RULE)
            }
            _ => None,
        }
    }
}

/// Values of the members, for the tests of the table.
#[cfg(test)]
pub(super) mod values {
    use proptest::prelude::*;

    use super::{
        Again, AtByte, Body, Bytes, BytesPerSecond, ContentType, Delay, Duration, Held, Member, ResultCode,
        RetryAfter, Status,
    };

    /// A member whose valid values can be generated.
    pub(in super::super) trait Drawn: Member {
        fn values() -> BoxedStrategy<Self::Value>;
    }

    macro_rules! drawn {
        ($($Member:ident: $values:expr;)*) => {$(
            impl Drawn for $Member {
                fn values() -> BoxedStrategy<Self::Value> {
                    $values.boxed()
                }
            }
        )*};
    }

    drawn! {
        Status: 400..=599_u16;
        BytesPerSecond: 1..=u64::MAX;
        AtByte: any::<u64>();
        Bytes: 1..=1_073_741_824_u64;
        Body: "[a-z<>/]{0,20}";
        ContentType: "[a-z]{1,9}/[a-z]{1,9}";
        ResultCode: Just("058".to_owned());
        Held: (0..=999_u32).prop_map(|hours| format!("PT{hours}H"));
        Delay: (0..=60_000_u64).prop_map(Duration::from_millis);
        Again: proptest::option::of(prop_oneof![
            any::<u64>().prop_map(RetryAfter::Seconds),
            Just(RetryAfter::Date("Fri, 01 Jan 2027 00:00:00 GMT".into())),
        ]);
    }
}
