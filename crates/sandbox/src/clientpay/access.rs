//! Access ids and request ids.

use perennial_domain::clientpay::AccessId;
use perennial_wire::clientpay::{ReadError, Reply, access};

use super::answer::{Answer, CallError, Refused};
use super::{Call, Handled, LIMITS, act, copy};
use crate::store::clientpay::access::{AccessIdRecord, Scope};

pub(super) fn new(scope: Scope) -> Handled {
    act(move |session, _| {
        let reply = Reply::success(Some(session.new_access_id(scope)?));
        Ok(Answer::ok(match scope {
            Scope::Account => access::encode_access_id(&reply),
            Scope::Customer => access::encode_customer_access_id(&reply),
        }))
    })
}

/// Returns the live access id. An error if there is none is **inferred**.
pub(super) fn current() -> Handled {
    act(|session, _| match session.current_access_id(Scope::Account)? {
        Some(id) => Ok(Answer::ok(access::encode_access_id(&Reply::success(Some(id))))),
        None => Err(Refused::new(404, "No current access ID exists for these credentials.").into()),
    })
}

/// Answers a call whose credentials were accepted.
pub(super) fn validate_credentials() -> Handled {
    act(|_, _| Ok(validity(true)))
}

pub(super) fn validate(call: &Call<'_>) -> Handled {
    let id = call.access_id.map(copy);
    act(move |session, _| {
        let record = id.map(|id| AccessIdRecord::find(session.connection, &id)).transpose()?.flatten();
        Ok(validity(record.is_some_and(|record| record.is_live)))
    })
}

pub(super) fn validity(is_valid: bool) -> Answer {
    Answer::ok(access::encode_validity(&Reply::success(Some(is_valid))))
}

pub(super) fn expire(call: &Call<'_>) -> Handled {
    let id = call.access_id.map(copy);
    act(move |session, _| {
        id.iter().try_for_each(|id| session.end_access_id(id))?;
        Ok(Answer::done())
    })
}

pub(super) fn new_request_id() -> Handled {
    act(|session, _| {
        let id = session.new_request_id()?;
        Ok::<_, CallError>(Answer::ok(access::encode_request_id(&Reply::success(Some(id)))))
    })
}

/// The access id in the body of a version 1.0 request. An unreadable body is reported first.
pub(super) fn read_id(body: &[u8]) -> Result<Option<AccessId>, ReadError> {
    match access::read_access_id(body, &LIMITS) {
        Ok(id) => Ok(Some(id)),
        Err(ReadError::Decode(error)) if !body.is_empty() => Err(error.into()),
        Err(_) => Ok(None),
    }
}
