//! The versions of the API and the ids of a request: differences between versions are in this module.

use std::fmt;
use std::str::FromStr;

use perennial_domain::clientpay::{AccessId, RequestId};
use perennial_domain::{Rule, Violations};

use super::fields::required;
use crate::call::ReadError;
use crate::error::EncodeError;
use crate::fields::{given, text};
use crate::text::Text;

/// A version of the API.
///
/// ```
/// use perennial_wire::clientpay::Version;
///
/// assert_eq!("1.0".parse(), Ok(Version::V1));
/// assert_eq!(Version::default().to_string(), "2.0");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// Version 2: paths begin with `/v2`; the access id is a header, the request id is in the body's `token`.
    #[default]
    V2,
    /// Version 1.0: paths have no version; both ids are members of the body. Most of its paths and messages are
    /// **inferred**.
    V1,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V2 => "2.0",
            Self::V1 => "1.0",
        })
    }
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(name: &str) -> Result<Self, UnknownVersion> {
        match name.trim_start_matches(['v', 'V']) {
            "2" | "2.0" => Ok(Self::V2),
            "1" | "1.0" => Ok(Self::V1),
            _ => Err(UnknownVersion),
        }
    }
}

/// The name of a version that is neither `2.0` nor `1.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is 2.0 or 1.0")]
pub struct UnknownVersion;

/// The version and the access id of a call.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The version.
    pub version: Version,
    /// The access id. In version 2, and for calls without a body, it is a header that the sender of the call adds.
    pub access_id: &'a AccessId,
}

impl<'a> Session<'a> {
    /// The access id as a member of the body.
    pub(super) fn in_body(self) -> Option<Text<'a>> {
        (self.version == Version::V1).then(|| text(self.access_id.expose()))
    }
}

/// A request as a gateway received it.
#[derive(Debug)]
pub struct Received<T> {
    /// The access id in its body, in version 1.0.
    pub access_id: Option<AccessId>,
    /// The request id.
    pub request_id: RequestId,
    /// The content of the request.
    pub request: T,
}

message! {
    /// The token object: the ids of a request and the caller's references.
    pub(super) struct Token<'a> as "token" in any case {
        request_id: Option<Text<'a>> = "requestId",
        session_id: Option<Text<'a>> = "sessionId",
        customer_id: Option<Text<'a>> = "customerId",
    }
}

message! {
    /// The ids in a request of version 1.0, whose members are beside all others.
    pub(super) struct Ids<'a> as "" in any case {
        access_id: Option<Text<'a>> = "accessId",
        request_id: Option<Text<'a>> = "requestId",
        customer_ref_number: Option<Text<'a>> = "customerRefNumber",
        session_id: Option<Text<'a>> = "sessionId",
    }
}

/// The token of a request, with its request id.
pub(super) fn token<'a>(request_id: &'a RequestId, references: Option<Token<'a>>) -> Token<'a> {
    Token { request_id: Some(text(request_id.expose())), ..references.unwrap_or_default() }
}

impl<'a> Ids<'a> {
    /// The ids of a call whose token version 2 would have.
    pub(super) fn of(session: Session<'a>, token: Option<Token<'a>>) -> Self {
        let Token { request_id, session_id, customer_id } = token.unwrap_or_default();
        Self { access_id: session.in_body(), request_id, customer_ref_number: customer_id, session_id }
    }

    /// The token that version 2 would have.
    pub(super) fn token(&self) -> Token<'a> {
        let Self { access_id: _, request_id, customer_ref_number, session_id } = self;
        Token {
            request_id: request_id.clone(),
            session_id: session_id.clone(),
            customer_id: customer_ref_number.clone(),
        }
    }
}

/// Refuses a value for which version 1.0 has no member, because it would be lost silently.
pub(super) fn absent<T>(member: &'static str, value: Option<T>) -> Result<(), EncodeError> {
    value.map_or(Ok(()), |_| Err(EncodeError::not_in_v1(member)))
}

/// Checks the length of a text for which version 1.0 states a limit.
pub(super) fn short<'a>(
    member: &'static str,
    value: Option<Text<'a>>,
) -> Result<Option<Text<'a>>, EncodeError> {
    match value {
        Some(text) if text.chars().nth(100).is_some() => Err(EncodeError::too_long_for_v1(member)),
        value => Ok(value),
    }
}

/// The ids of a received request, in either version.
pub(super) struct Under<'a> {
    version: Version,
    access_id: Option<Text<'a>>,
    request_id: Option<Text<'a>>,
    /// The required member that is missing, if any.
    missing: Option<&'static str>,
}

impl<'a> From<&Option<Token<'a>>> for Under<'a> {
    fn from(token: &Option<Token<'a>>) -> Self {
        let request_id = token.as_ref().and_then(|token| token.request_id.clone());
        Self { version: Version::V2, access_id: None, request_id, missing: None }
    }
}

impl<'a> From<Ids<'a>> for Under<'a> {
    fn from(Ids { access_id, request_id, .. }: Ids<'a>) -> Self {
        Self { version: Version::V1, access_id, request_id, missing: None }
    }
}

impl Under<'_> {
    /// Checks a member that the vendor marks as required, though its content does not matter.
    pub(super) fn starred(self, member: &'static str, is_there: bool) -> Self {
        Self { missing: (!is_there).then_some(member), ..self }
    }

    /// Combines a request with its ids; returns the violations of both.
    pub(super) fn receive<T>(self, request: Result<T, Violations>) -> Result<Received<T>, ReadError> {
        let Self { version, access_id, request_id, missing } = self;
        let mut wrong = Violations::default();
        let access_id = given(access_id)
            .and_then(|id| AccessId::try_from(&*id).map_err(|error| wrong.add("accessId", error.0)).ok());
        let field = if version == Version::V2 { "token.requestId" } else { "requestId" };
        let request_id = required(field, request_id, &mut wrong);
        if let Some(missing) = missing {
            wrong.add(missing, Rule::Required);
        }
        match (request, request_id) {
            (Ok(request), Some(request_id)) if wrong.is_empty() => {
                Ok(Received { access_id, request_id, request })
            }
            (request, _) => {
                for violation in request.err().iter().flatten() {
                    for member in members(version, &violation.field) {
                        wrong.add(member, violation.rule);
                    }
                }
                Err(wrong.into())
            }
        }
    }
}

/// Members for a field of the domain: an expiry has two.
fn members(version: Version, field: &str) -> Vec<String> {
    let named = |field: &str| match (version, field) {
        (Version::V2, "sessionId" | "customerId") => format!("token.{field}"),
        (Version::V2, _) => field.to_owned(),
        (Version::V1, _) => flat(field).to_owned(),
    };
    match field.strip_suffix("expirationDate") {
        Some(object) => ["Month", "Year"].map(|half| named(&format!("{object}expirationDate{half}"))).into(),
        None => vec![named(field)],
    }
}

/// The member of version 1.0, which has no objects except for those in lists.
fn flat(field: &str) -> &str {
    match field {
        "customerId" => "customerRefNumber",
        "nameOnAccount" => "cardholderName",
        _ => match field.split_once('.') {
            Some(("billingAddress" | "billingInformation", member)) => match member {
                "addressLine1" => "billingAddress",
                "city" => "billingCity",
                "state" => "billingStateCode",
                "zipCode" => "billingZipCode",
                _ => "billingCountry",
            },
            Some(("creditCard" | "pageOptions" | "responseOptions", member)) => member,
            _ => field,
        },
    }
}
