//! The tokens of a customer: existing tokens that their plans may charge.

use perennial_domain::clearent::{CustomerKey, CustomerToken, TokenId};
use perennial_domain::{Rule, Violations};
use perennial_wire::clearent::{Payload, customer_token};

use super::answer::{Answer, CallError, Refused};
use super::{Call, Handled, LIMITS, act, customers};
use crate::store::session::Session;

/// Attaches a token. A second call for one token gets a different message.
pub(super) fn create(call: &mut Call<'_>) -> Handled {
    let key = call.customer_key()?;
    let new = customer_token::read_attach(call.format, call.body, &LIMITS)?;
    act(move |session, _| {
        customers::find(session, &key)?;
        let token_id = new.fields().token_id;
        if session.token(token_id)?.is_none() {
            return Err(Violations::one("token-id", Rule::Unknown("token")).into());
        }
        session.attach(&key, &new)?;
        Ok(Answer::created(payload(session, &key, token_id)?))
    })
}

pub(super) fn list(call: &mut Call<'_>) -> Handled {
    let key = call.customer_key()?;
    act(move |session, _| {
        customers::find(session, &key)?;
        Ok(Answer::ok(Payload::CustomerTokens(session.customer_tokens(&key)?)))
    })
}

pub(super) fn update(call: &mut Call<'_>) -> Handled {
    let key = call.customer_key()?;
    let update = customer_token::read_update(call.format, call.body, &LIMITS)?;
    act(move |session, _| {
        customers::find(session, &key)?;
        let token_id = update.fields().token_id;
        find(session, &key, token_id)?;
        session.update_attachment(&key, &update)?;
        Ok(Answer::ok(payload(session, &key, token_id)?))
    })
}

fn find(session: &Session<'_>, key: &CustomerKey, token: &TokenId) -> Result<CustomerToken, CallError> {
    Ok(session.customer_token(key, token)?.ok_or_else(Refused::unknown_object)?)
}

fn payload(session: &Session<'_>, key: &CustomerKey, token: &TokenId) -> Result<Payload, CallError> {
    Ok(Payload::CustomerToken(Box::new(find(session, key, token)?)))
}
