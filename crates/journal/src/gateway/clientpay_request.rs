//! Requests of `ClientPay` as they are stored: the JSON of version 2 with the mark, without the request id, and without
//! the numbers of cards and bank accounts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::request::{Full, NotStorable, Prepared, check_texts, half};
use crate::machine::Write;

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The members that hold a secret, in any object of a request.
const SECRETS: [&str; 4] = ["cardNumber", "cvv", "accountNumber", "routingNumber"];
/// The secrets without which a request cannot be sent. Their last four digits are part of the fingerprint.
const NUMBERS: [&str; 2] = ["cardNumber", "accountNumber"];

/// The forms of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is sent.
    Whole,
    /// As it is stored.
    Stored,
    /// As it is hashed: with the last four digits of numbers.
    Hashed,
}

/// Takes the secrets and the request id out of the form that is stored, and puts the mark into `sessionId` if the caller
/// gave none.
pub(crate) fn prepare(
    write: Write,
    object: Option<&str>,
    body: &[u8],
    mark: &str,
) -> Result<Prepared, NotStorable> {
    let mut hashed = Zeroizing::new(Vec::new());
    let request = Request::read(body)?;
    request.put(None, None, Form::Hashed, &mut hashed)?;
    let session = has_session(write).then_some(mark);
    // A buffer that grows leaves copies of a card behind.
    let mut whole = Zeroizing::new(Vec::with_capacity(body.len() + mark.len() + 64));
    request.put(session, None, Form::Whole, &mut whole)?;
    let mut stored = Vec::with_capacity(whole.len());
    let needs_card = request.put(session, None, Form::Stored, &mut stored)?;
    let stored = String::from_utf8(stored).map_err(|_| NotStorable::NotAnObject)?;
    check_texts(&stored)?;
    let mut hash = Sha256::new();
    for part in [write.name().as_bytes(), object.unwrap_or_default().as_bytes(), &hashed] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    Ok(Prepared {
        mark: mark.to_owned(),
        fingerprint: half(hash),
        stored,
        full: Full { body: whole, one_time_token: None },
        needs_card,
        activates: false,
        // An expired page takes no payment, whatever else is open.
        is_stop: write == Write::ExpirePage,
    })
}

/// A request with its request id, as it is sent.
pub(crate) fn with_request_id(body: &[u8], id: &str) -> Result<Zeroizing<Vec<u8>>, NotStorable> {
    let mut whole = Zeroizing::new(Vec::with_capacity(body.len() + id.len() + 64));
    Request::read(body)?.put(None, Some(id), Form::Whole, &mut whole)?;
    Ok(whole)
}

/// The `sessionId` of a stored request.
pub(crate) fn session_of(stored: &str) -> Option<String> {
    let request: serde_json::Value = serde_json::from_str(stored).ok()?;
    Some(request.get("token")?.get("sessionId")?.as_str()?.to_owned())
}

/// Whether a request has a `sessionId`.
fn has_session(write: Write) -> bool {
    write.has_request_id() && write != Write::DeletePayer
}

/// A request in its token and its other members.
struct Request<'a> {
    token: Members<'a>,
    members: Members<'a>,
}

impl<'a> Request<'a> {
    fn read(body: &'a [u8]) -> Result<Self, NotStorable> {
        let mut members = members(std::str::from_utf8(body).map_err(|_| NotStorable::NotAnObject)?)?;
        let name = members.keys().find(|name| name.eq_ignore_ascii_case("token")).cloned();
        let token = match name.and_then(|name| members.remove(&name)) {
            Some(token) if token.get() != "null" => self::members(token.get())?,
            _ => Members::new(),
        };
        Ok(Self { token, members })
    }

    /// Writes the request in a form, with this session if it has none, and with this request id. Returns whether a number
    /// was left out.
    fn put(
        &self,
        session: Option<&str>,
        id: Option<&str>,
        form: Form,
        to: &mut Vec<u8>,
    ) -> Result<bool, NotStorable> {
        let json = |text: &str| {
            RawValue::from_string(serde_json::Value::from(text).to_string())
                .map_err(|_| NotStorable::NotAnObject)
        };
        let (session, id) = (session.map(json).transpose()?, id.map(json).transpose()?);
        let mut token = self.token.clone();
        token.retain(|name, value| {
            let is_blank = name.eq_ignore_ascii_case("sessionId") && matches!(value.get(), "null" | "\"\"");
            !name.eq_ignore_ascii_case("requestId") && !is_blank
        });
        if let Some(session) = session.as_deref()
            && !token.keys().any(|name| name.eq_ignore_ascii_case("sessionId"))
        {
            token.insert("sessionId".to_owned(), session);
        }
        if let Some(id) = id.as_deref() {
            token.insert("requestId".to_owned(), id);
        }
        let token = (!token.is_empty()).then(|| {
            let members = token.iter().map(|(name, value)| format!("{}:{}", quoted(name), value.get()));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        let token = token.map(RawValue::from_string).transpose().map_err(|_| NotStorable::NotAnObject)?;
        let mut members = self.members.clone();
        members.extend(token.as_deref().map(|token| ("token".to_owned(), token)));
        put_object(&members, form, to)
    }
}

fn members(json: &str) -> Result<Members<'_>, NotStorable> {
    serde_json::from_str(json).map_err(|_| NotStorable::NotAnObject)
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// Writes an object in a form. Returns whether a number was left out.
fn put_object(members: &Members<'_>, form: Form, to: &mut Vec<u8>) -> Result<bool, NotStorable> {
    let is = |names: &[&str], name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let (mut leaves_out, mut is_first) = (false, true);
    to.push(b'{');
    for (name, value) in members {
        let is_secret = form != Form::Whole && is(&SECRETS, name);
        let is_number = is_secret && is(&NUMBERS, name);
        leaves_out |= is_number && value.get().bytes().any(|byte| byte.is_ascii_digit());
        if is_secret && !(is_number && form == Form::Hashed) {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            to.push(b',');
        }
        to.extend_from_slice(quoted(name).as_bytes());
        to.push(b':');
        if is_number {
            to.extend_from_slice(&last_four(value.get()));
        } else {
            leaves_out |= put_value(value.get(), form, to)?;
        }
    }
    to.push(b'}');
    Ok(leaves_out)
}

fn put_value(json: &str, form: Form, to: &mut Vec<u8>) -> Result<bool, NotStorable> {
    if json.starts_with('{') {
        return put_object(&members(json)?, form, to);
    }
    if !json.starts_with('[') {
        to.extend_from_slice(json.as_bytes());
        return Ok(false);
    }
    let values: Vec<Cow<'_, RawValue>> = serde_json::from_str::<Vec<&RawValue>>(json)
        .map_err(|_| NotStorable::NotAnObject)?
        .into_iter()
        .map(Cow::Borrowed)
        .collect();
    let mut leaves_out = false;
    to.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            to.push(b',');
        }
        leaves_out |= put_value(value.get(), form, to)?;
    }
    to.push(b']');
    Ok(leaves_out)
}

/// The last four digits of a number, in quotation marks; none of a number that has only four.
fn last_four(json: &str) -> Vec<u8> {
    let digits = || json.bytes().filter(u8::is_ascii_digit);
    let skipped = digits().count().checked_sub(4).filter(|more| *more > 0);
    let shown = skipped.map(|skipped| digits().skip(skipped).collect::<Vec<_>>()).unwrap_or_default();
    [b"\"", shown.as_slice(), b"\""].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAY: &str = r#"{"token":{"requestId":"x"},"totalAmount":5,"creditCard":{"cardholderName":"Rosa Lind",
        "cardNumber":"4111111111111111","expirationDateMonth":9,"expirationDateYear":2030,"cvv":"7391"}}"#;
    const METHODS: &str = r#"{"token":{"requestId":"x","sessionId":"S-1"},"payerId":"p","paymentMethods":[{"eCheck":
        {"nameOnAccount":"Rosa Lind","routingNumber":"021000021","accountNumber":"5550771234"}},{"isPrimary":true}]}"#;

    fn prepared(write: Write, body: &str) -> Prepared {
        prepare(write, None, body.as_bytes(), "UID").unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn a_stored_request_has_the_mark_and_neither_an_id_nor_a_number() {
        let pay = prepared(Write::Pay, PAY);
        assert_eq!(
            pay.stored,
            r#"{"creditCard":{"cardholderName":"Rosa Lind","expirationDateMonth":9,"expirationDateYear":2030},"token":{"sessionId":"UID"},"totalAmount":5}"#
        );
        assert!(pay.needs_card && !pay.is_stop);
        let whole = with_request_id(&pay.full.body, "R-1").unwrap_or_default();
        let whole = String::from_utf8_lossy(&whole).into_owned();
        assert!(whole.contains(r#""token":{"requestId":"R-1","sessionId":"UID"}"#), "{whole}");
        assert!(whole.contains("4111111111111111") && whole.contains("7391"), "{whole}");
        let methods = prepared(Write::AddMethods, METHODS);
        assert_eq!(
            methods.stored,
            r#"{"payerId":"p","paymentMethods":[{"eCheck":{"nameOnAccount":"Rosa Lind"}},{"isPrimary":true}],"token":{"sessionId":"S-1"}}"#
        );
        assert!(methods.needs_card);
        let delete = prepared(Write::DeletePayer, r#"{"token":{"requestId":"x"},"payerId":"p"}"#);
        assert_eq!((delete.stored.as_str(), delete.needs_card), (r#"{"payerId":"p"}"#, false));
        let expire = prepared(Write::ExpirePage, r#"{"requestId":"page"}"#);
        assert_eq!((expire.stored.as_str(), expire.is_stop), (r#"{"requestId":"page"}"#, true));
    }

    #[test]
    fn a_fingerprint_covers_the_last_four_digits_and_the_expiry_only() {
        let of = |body: String| prepared(Write::Pay, &body).fingerprint;
        let first = of(PAY.to_owned());
        for (same, from, to) in [
            (true, "7391", "1234"),
            (true, "4111111111111111", "5500000000001111"),
            (true, "\"requestId\":\"x\"", "\"requestId\":\"y\""),
            (false, "4111111111111111", "4012888888881881"),
            (false, "2030", "2031"),
            (false, "\"totalAmount\":5", "\"totalAmount\":6"),
        ] {
            assert_eq!(of(PAY.replace(from, to)) == first, same, "{from} {to}");
        }
    }
}
