//! Members that every response has.

use std::borrow::Cow;

use perennial_domain::{Violations, encoding};

use crate::codec;
use crate::error::{DecodeError, UnreadableRecord};
use crate::failure::Failure;
use crate::fields::{flag, owned, some_text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Many;
use crate::message::{Members, Message};
use crate::text::{Bare, Text};

/// A response of the gateway: the result of the call, and the value.
///
/// The envelope is **inferred** from the `success` of the postbacks.
///
/// ```
/// use perennial_wire::{Limits, clientpay::access};
///
/// let body = br#"{"success":false,"message":"requestId has already been used.",
///     "errors":[{"field":"token.requestId","message":"Duplicate request."}]}"#;
/// let reply = access::decode_done(body, &Limits::default()).unwrap();
/// assert_eq!(reply.success, Some(false));
/// assert_eq!(reply.errors[0].field.as_deref(), Some("token.requestId"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply<T> {
    /// Whether the call succeeded.
    pub success: Option<bool>,
    /// The reason of a refusal, for people.
    pub message: Option<String>,
    /// Errors in the request, by field.
    pub errors: Vec<FieldError>,
    /// The requested value; of a list, the records that could be read.
    pub value: T,
    /// Records of a list that could not be read. A caller that checks whether an object exists must not count them as
    /// absent.
    pub unreadable: Vec<UnreadableRecord>,
}

/// An error in a field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field, such as `token.requestId`.
    pub field: Option<String>,
    /// The error.
    pub message: Option<String>,
}

message! {
    pub(super) struct Envelope<'a> as "" in any case {
        success: Option<Bare<'a>> = "success",
        message: Option<Text<'a>> = "message",
        errors: Many<ErrorMessage<'a>> = "errors",
    }
}

message! {
    pub(super) struct ErrorMessage<'a> as "error" of FieldError; in any case {
        field: Option<Text<'a>> = "field",
        message: Option<Text<'a>> = "message",
    }
}

impl<T> Reply<T> {
    /// Creates a response with a value.
    pub fn success(value: T) -> Self {
        Self { success: Some(true), message: None, errors: Vec::new(), value, unreadable: Vec::new() }
    }

    pub(super) fn envelope(&self) -> Envelope<'_> {
        Envelope {
            success: self.success.map(Bare::from),
            message: some_text(self.message.as_ref()),
            errors: self.errors.iter().map(ErrorMessage::from).collect(),
        }
    }
}

impl<T: Default> Reply<T> {
    /// Creates a refusal.
    pub fn refusal(message: impl Into<String>) -> Self {
        Self { success: Some(false), message: Some(message.into()), ..Self::default() }
    }

    /// Creates a refusal of a request that breaks rules, each by its field.
    pub fn violations(violations: &Violations) -> Self {
        let error = |violation: &perennial_domain::Violation| FieldError {
            field: Some(violation.field.clone().into_owned()),
            message: Some(violation.rule.to_string()),
        };
        Self { errors: violations.iter().map(error).collect(), ..Self::refusal(violations.to_string()) }
    }
}

message! {
    /// Distinctive members, of which every response of the gateway has at least one; `message` is not distinctive.
    struct Marks<'a> as "" in any case {
        success: Option<Bare<'a>> = "success",
        request_id: Option<Text<'a>> = "requestId",
        access_id: Option<Text<'a>> = "accessId",
        customer_access_id: Option<Text<'a>> = "customerAccessId",
        payment_id: Option<Text<'a>> = "paymentId",
        payer_id: Option<Text<'a>> = "payerId",
        payment_status: Option<Text<'a>> = "paymentStatus",
        payment_page_url: Option<Text<'a>> = "paymentPageUrl",
        payer_page_url: Option<Text<'a>> = "payerPageUrl",
        is_valid: Option<Bare<'a>> = "isValid",
        count: Option<Bare<'a>> = "count",
    }
}

/// Whether a body is in the gateway's envelope: a JSON object that has `success`, or an id of the vendor's, with a value
/// that is not empty. **Inferred**: all responses, refusals included, have one of them.
///
/// ```
/// use perennial_wire::{Limits, clientpay::is_envelope};
///
/// assert!(is_envelope(br#"{"success":false,"message":"no"}"#, &Limits::default()));
/// assert!(!is_envelope(br#"{"message":"Forbidden"}"#, &Limits::default()));
/// assert!(!is_envelope(br#"{"success":"","message":"Forbidden"}"#, &Limits::default()));
/// assert!(!is_envelope(b"<html>", &Limits::default()));
/// ```
pub fn is_envelope(body: &[u8], limits: &Limits) -> bool {
    let marks: Result<Marks<'_>, DecodeError> = read(body, limits);
    marks.is_ok_and(|marks| {
        let is_named = marks.name_an_effect();
        let Marks { success, access_id, customer_access_id, is_valid, count, .. } = marks;
        let flags = [success, is_valid, count].map(|flag| flag.map(Text::from));
        is_named || are_given(flags.each_ref()) || are_given([&access_id, &customer_access_id])
    })
}

/// Whether a body names an object that a request may have created, such as a payment or a page: by the members of
/// responses, or by an id anywhere in it.
///
/// ```
/// use perennial_wire::{Limits, clientpay::names_an_effect};
///
/// assert!(names_an_effect(br#"{"success":false,"paymentID":"20411875"}"#, &Limits::default()));
/// assert!(names_an_effect(br#"{"success":false,"data":[{"transactionId":7}]}"#, &Limits::default()));
/// assert!(!names_an_effect(br#"{"success":false,"message":"later"}"#, &Limits::default()));
/// ```
pub fn names_an_effect(body: &[u8], limits: &Limits) -> bool {
    let marks: Result<Marks<'_>, DecodeError> = read(body, limits);
    let nested = serde_json::from_slice(body).is_ok_and(|document| has_effect(&document));
    marks.is_ok_and(|marks| marks.name_an_effect() || nested)
}

/// Whether a member anywhere in the document names a payment by an id, whatever the member's name.
fn has_effect(document: &serde_json::Value) -> bool {
    const NAMES: [&str; 7] =
        ["id", "paymentid", "transactionid", "refundid", "payerid", "authorizationcode", "paymentstatus"];
    let is_name = |name: &str| {
        let letters = name.chars().filter(char::is_ascii_alphabetic);
        NAMES.contains(&&*letters.map(|c| c.to_ascii_lowercase()).collect::<String>())
    };
    match document {
        serde_json::Value::Array(items) => items.iter().any(has_effect),
        serde_json::Value::Object(members) => members.iter().any(|(name, value)| {
            let given = match value {
                serde_json::Value::String(text) => !text.trim().is_empty(),
                value => value.is_number(),
            };
            is_name(name) && given || has_effect(value)
        }),
        _ => false,
    }
}

impl Marks<'_> {
    fn name_an_effect(&self) -> bool {
        let Self {
            request_id, payment_id, payer_id, payment_status, payment_page_url, payer_page_url, ..
        } = self;
        let named = [request_id, payment_id, payer_id, payment_status, payment_page_url, payer_page_url];
        are_given(named)
    }
}

/// Whether one of these is not empty.
fn are_given<const N: usize>(texts: [&Option<Text<'_>>; N]) -> bool {
    texts.into_iter().flatten().any(|text| !text.trim().is_empty())
}

impl Envelope<'_> {
    /// The response with this value. An unreadable success flag is an error.
    pub(super) fn reply<T>(self, value: T) -> Result<Reply<T>, Failure> {
        let Self { success, message, errors } = self;
        Ok(Reply {
            success: flag("success", success)?,
            message: owned(message),
            errors: errors.into_iter().map(ErrorMessage::record).collect::<Result<_, _>>()?,
            value,
            unreadable: Vec::new(),
        })
    }
}

/// The error of a response with this fault.
pub(super) fn refused(failure: Failure) -> DecodeError {
    failure.in_format(Format::Json)
}

/// The document of a response. An empty body is an empty object; a bare text or list, not an object, becomes the member
/// `bare`.
pub(super) fn document<'b>(body: &'b [u8], bare: &str) -> Cow<'b, [u8]> {
    let body = body.strip_prefix(encoding::MARK).unwrap_or(body);
    match body.trim_ascii_start().first() {
        Some(b'"' | b'[') => [b"{\"", bare.as_bytes(), b"\":", body, b"}"].concat().into(),
        Some(_) => body.into(),
        None => b"{}".as_slice().into(),
    }
}

/// Reads the message of a response.
pub(super) fn read<'a, M: Members<'a>>(document: &'a [u8], limits: &Limits) -> Result<M, DecodeError> {
    codec::decode(Format::Json, document, limits)
}

/// Writes a response.
pub(super) fn write<M: Message>(message: &M) -> Vec<u8> {
    let mut body = Vec::with_capacity(512);
    codec::encode(Format::Json, message, &mut body)
        .expect("JSON carries every text, and answers have no other");
    body
}
