//! Requests as they are stored: the JSON of the vendor's interface with the mark, without card data.

use std::borrow::Cow;
use std::collections::BTreeMap;

use perennial_domain::clearent::OneTimeToken;
use perennial_domain::mask;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::machine::Write;

/// A whole request with its card. It lives in memory only, and is wiped.
pub(crate) struct Full {
    pub(crate) body: Zeroizing<Vec<u8>>,
    pub(crate) one_time_token: Option<OneTimeToken>,
}

impl std::fmt::Debug for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Full(..)")
    }
}

/// A request in the parts that an intent needs.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) mark: String,
    pub(crate) fingerprint: String,
    pub(crate) stored: String,
    pub(crate) full: Full,
    pub(crate) needs_card: bool,
    pub(crate) activates: bool,
    pub(crate) is_stop: bool,
}

/// The card of a request, of which nothing is stored but its last four digits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Secrets<'a> {
    /// The last four digits of a card number in the member `card`.
    pub(crate) last_four: Option<&'a str>,
    /// The one-time token, which is sent in a header.
    pub(crate) one_time_token: Option<&'a OneTimeToken>,
}

/// The error for a request that cannot be stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotStorable {
    /// The body is not the JSON of a request.
    #[error("the request is not a JSON object")]
    NotAnObject,
    /// A text of the request has a card number, which would be stored.
    #[error("a text of the request has a card number, which is never stored: leave the number out of it")]
    HoldsCard,
    /// The order id is longer than an index of `PostgreSQL` takes.
    #[error("the order id has more than 200 characters: a write with an operation key needs a shorter one")]
    LongOrderId,
}

/// Fails if a text in the stored form has a card number.
pub(super) fn check_texts(stored: &str) -> Result<(), NotStorable> {
    fn holds_card(json: &serde_json::Value) -> bool {
        match json {
            serde_json::Value::String(text) => mask::holds_card(text),
            serde_json::Value::Array(items) => items.iter().any(holds_card),
            serde_json::Value::Object(members) => members.values().any(holds_card),
            _ => false,
        }
    }
    match serde_json::from_str(stored) {
        Ok(json) if holds_card(&json) => Err(NotStorable::HoldsCard),
        Ok(_) => Ok(()),
        Err(_) => Err(NotStorable::NotAnObject),
    }
}

type Members<'a> = BTreeMap<Cow<'a, str>, Cow<'a, RawValue>>;

/// The security code, which is never stored, whatever it belongs to.
const CODE: &str = "csc";

/// Puts the mark into a request, and takes the card out of the form that is stored.
pub(crate) fn prepare(
    write: Write,
    object: Option<&str>,
    body: &[u8],
    secrets: Secrets<'_>,
    mark: &str,
) -> Result<Prepared, NotStorable> {
    let mut members: Members<'_> = match body {
        [] => Members::new(),
        body => {
            let members: BTreeMap<Cow<'_, str>, &RawValue> =
                serde_json::from_slice(body).map_err(|_| NotStorable::NotAnObject)?;
            members.into_iter().map(|(name, value)| (name, Cow::Borrowed(value))).collect()
        }
    };
    let needs_card =
        secrets.last_four.is_some() || secrets.one_time_token.is_some() || members.contains_key(CODE);
    let fingerprint = fingerprint(write, object, &members, secrets);
    let status = text_of(&members, "status");
    let mark = put_mark(write, &mut members, mark);
    let body = written(&members, &[]);
    let stored = written(&members, if secrets.last_four.is_some() { &["card", CODE] } else { &[CODE] });
    let stored = String::from_utf8_lossy(&stored).into_owned();
    check_texts(&stored)?;
    if mark.chars().count() > 200 {
        return Err(NotStorable::LongOrderId);
    }
    Ok(Prepared {
        mark,
        fingerprint,
        stored,
        full: Full { body, one_time_token: secrets.one_time_token.cloned() },
        needs_card,
        activates: write == Write::CreatePlan && status.as_deref() != Some("SUSPENDED"),
        is_stop: write == Write::Void
            || write == Write::UpdatePlan
                && status.as_deref().is_some_and(|status| status.starts_with("CANCEL")),
    })
}

/// Puts the mark first into the member by which a look finds the object, and returns it.
fn put_mark(write: Write, members: &mut Members<'_>, mark: &str) -> String {
    let mut lead = |name: &'static str| {
        let text = match text_of(members, name) {
            Some(text) => format!("{mark} {text}"),
            None => mark.to_owned(),
        };
        set(members, name, &text);
    };
    match write {
        Write::CreateCustomer => {
            lead("comments");
            if text_of(members, "customer-key").is_none() {
                set(members, "customer-key", mark);
            }
        }
        Write::CreateToken => lead("description"),
        Write::CreatePlan => {
            lead("plan-name");
            // It is activated when a list has shown all plans with the mark.
            set(members, "status", "SUSPENDED");
        }
        Write::Sale | Write::Auth | Write::Refund => {
            if let Some(own) = text_of(members, "order-id") {
                return own;
            }
            set(members, "order-id", mark);
        }
        _ => {}
    }
    mark.to_owned()
}

fn set(members: &mut Members<'_>, name: &'static str, text: &str) {
    let json = serde_json::Value::from(text).to_string();
    if let Ok(value) = RawValue::from_string(json) {
        members.insert(Cow::Borrowed(name), Cow::Owned(value));
    }
}

pub(crate) fn text_of(members: &Members<'_>, name: &str) -> Option<String> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

fn written(members: &Members<'_>, except: &[&str]) -> Zeroizing<Vec<u8>> {
    // A buffer that grows leaves copies of a card behind.
    let room = members.iter().map(|(name, value)| name.len() + value.get().len() + 4).sum::<usize>() + 2;
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    body.push(b'{');
    for (name, value) in members.iter().filter(|(name, _)| !except.contains(&name.as_ref())) {
        if body.len() > 1 {
            body.push(b',');
        }
        body.push(b'"');
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(b"\":");
        body.extend_from_slice(value.get().as_bytes());
    }
    body.push(b'}');
    body
}

/// The hash of what the caller decided. The card counts with its last four digits and its expiry, and neither the
/// card number nor the security code is hashed.
fn fingerprint(write: Write, object: Option<&str>, members: &Members<'_>, secrets: Secrets<'_>) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(text);
    };
    part(write.name());
    part(object.unwrap_or_default());
    for (name, value) in members {
        match (name.as_ref(), secrets.last_four) {
            (CODE, _) => {}
            ("card", Some(last_four)) => {
                part("card");
                part(last_four);
            }
            (name, _) => {
                part(name);
                part(value.get());
            }
        }
    }
    half(hash)
}

/// The first 128 bits of a hash, as hexadecimal digits: enough to tell requests of one key apart.
pub(super) fn half(hash: Sha256) -> String {
    hex(&hash.finalize()[..16])
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The mark at the start of a text, if it has one: 26 characters and a space, or the end.
pub(super) fn leading_mark(text: &str) -> Option<&str> {
    let (mark, rest) = text.split_at_checked(26)?;
    let is_mark = mark.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (is_mark && (rest.is_empty() || rest.starts_with(' '))).then_some(mark)
}

/// The text of an object without the mark of the journal at its start.
pub fn unmarked(text: &str) -> &str {
    leading_mark(text).map_or(text, |mark| text[mark.len()..].trim_start())
}

/// Whether an object that a gateway reported has the values of a request: `None` if all are equal, or the first member
/// that differs. Only the members that `counts` accepts are compared, and a member that the gateway does not report counts as
/// different only if `strict`.
pub(crate) fn difference(
    request: &str,
    reported: &serde_json::Value,
    strict: bool,
    counts: impl Fn(&str) -> bool,
) -> Option<String> {
    let mut request: serde_json::Map<String, serde_json::Value> = serde_json::from_str(request).ok()?;
    request.retain(|name, _| counts(name));
    request.iter().find_map(|(name, wanted)| {
        let reported = reported.get(reported_name(name));
        let is_equal = match reported {
            None | Some(serde_json::Value::Null) => !strict,
            Some(reported) => is_same(wanted, reported),
        };
        (!is_equal).then(|| name.clone())
    })
}

/// The name of a member in a reported object, which has the names of Rust's fields.
fn reported_name(name: &str) -> String {
    match name {
        "type" => "plan_type".to_owned(),
        "default" => "is_default".to_owned(),
        name => name.replace('-', "_"),
    }
}

fn is_same(wanted: &serde_json::Value, reported: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (wanted, reported) {
        (Json::Object(wanted), reported) => wanted
            .iter()
            .all(|(name, wanted)| reported.get(reported_name(name)).is_some_and(|r| is_same(wanted, r))),
        (wanted, reported) => {
            let text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
            let (wanted, reported) = (text(wanted), text(reported));
            // An update keeps the mark of the creation.
            wanted.eq_ignore_ascii_case(&reported) || wanted.eq_ignore_ascii_case(unmarked(&reported))
        }
    }
}
