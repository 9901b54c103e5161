//! Requests for access ids as they are stored: without any id or credential, but for digests.

use perennial::clientpay::{AccessId, CustomerCredentials};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::request::{Full, Prepared, half, hex};
use crate::machine::Write;

/// The object of requests for new ids of the account.
pub(crate) const OWN: &str = "access/own";

/// The part of a secret that the database keeps: enough to tell two apart, and no secret.
pub(crate) fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret)[..8])
}

/// The object of writes to an access id.
pub(crate) fn of_id(id: &AccessId) -> String {
    format!("access/{}", digest(id.expose()))
}

/// The object of requests for ids of a customer.
pub(crate) fn of_customer(customer: &CustomerCredentials) -> String {
    format!("access/customer-{}", digest(customer.fields().customer_key.expose()))
}

/// The request for a new id, which keeps the digest of the id that is valid before.
pub(crate) fn renew(before: Option<&AccessId>, mark: &str) -> Prepared {
    let stored = before.map_or_else(|| "{}".to_owned(), |id| format!(r#"{{"before":"{}"}}"#, of_id(id)));
    // The id that is valid before is not part of the decision.
    prepared(Write::NewAccessId, OWN, mark, stored, nothing())
}

/// A request whose secret is not stored.
pub(crate) fn secret(write: Write, object: &str, body: &[u8], mark: &str) -> Prepared {
    let prepared = prepared(write, object, mark, "{}".to_owned(), whole(body));
    Prepared { needs_card: true, is_stop: write == Write::ExpireAccessId, ..prepared }
}

fn prepared(write: Write, object: &str, mark: &str, stored: String, full: Full) -> Prepared {
    let fingerprint = half(Sha256::new_with_prefix(format!("{write} {object}")));
    let mark = mark.to_owned();
    Prepared { mark, fingerprint, stored, full, needs_card: false, activates: false, is_stop: false }
}

/// The secret of a request.
pub(crate) fn whole(body: &[u8]) -> Full {
    Full { body: Zeroizing::new(body.to_vec()), one_time_token: None }
}

/// A request without a secret.
pub(crate) fn nothing() -> Full {
    whole(&[])
}

/// The object of the id that was valid before a new one was requested.
pub(crate) fn before(stored: &str) -> Option<String> {
    let request: serde_json::Value = serde_json::from_str(stored).ok()?;
    Some(request.get("before")?.as_str()?.to_owned())
}
