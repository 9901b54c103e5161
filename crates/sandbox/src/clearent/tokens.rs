//! Card tokens. The card is reduced to its storable parts before any other code sees it.

use perennial_domain::clearent::{
    CustomerKey, NewTokenFields, Token, TokenId, TokenStatus, TokenUpdateFields,
};
use perennial_domain::{Rule, Text, Violations};
use perennial_wire::clearent::{Payload, token};

use super::answer::{Answer, CallError, Refused};
use super::{Call, Handled, LIMITS, act};
use crate::issuer::outcome::Outcome;
use crate::issuer::test_cards;
use crate::mask;
use crate::processor::{checks, records};
use crate::store::session::Session;
use crate::store::token::{Card, Tokenised};

pub(super) fn create(call: &mut Call<'_>) -> Handled {
    let new = token::read_create(call.format, call.body, &LIMITS)?;
    let brand = new.brand();
    let NewTokenFields {
        card,
        exp_date,
        csc: _,
        description,
        customer_key,
        avs_address,
        avs_zip,
        avs_required,
        card_type: _,
    } = new.fields();
    if !call.any_card {
        test_cards::check(card)?;
    }
    let exp_date = *exp_date;
    let owned = |text: Option<&Text>| text.map(|text| text.as_str().to_owned());
    let tokenised = Tokenised {
        card: Card { brand, last_four: card.last_four().to_owned(), exp_date: Some(exp_date) },
        customer_key: customer_key.cloned(),
        description: owned(description),
        avs_address: owned(avs_address),
        avs_zip: owned(avs_zip),
        avs_required: avs_required.is_none_or(|flag| flag.0),
    };
    drop(new);
    act(move |session, _| {
        let mut violations = exp_date.check_on(session.now.date()).err().unwrap_or_default();
        check_customer(session, tokenised.customer_key.as_ref(), &mut violations)?;
        if !violations.is_empty() {
            return Err(violations.into());
        }
        check_address(session, &tokenised)?;
        Ok(Answer::ok(payload(session, session.create_token(tokenised)?)))
    })
}

/// Refuses a token whose address the terminal rejects, unless address checks are off (**inferred**: the vendor says
/// of `avs-required` only that false disables the validation).
fn check_address(session: &Session<'_>, new: &Tokenised) -> Result<(), CallError> {
    let Tokenised { avs_address, avs_zip, avs_required, .. } = new;
    let answer = checks::of_address(avs_address.as_deref(), avs_zip.as_deref()).filter(|_| *avs_required);
    if session.settings()?.avs.stops(answer.as_ref()) {
        let outcome = Outcome::AVS_NOT_ACCEPTED;
        return Err(Refused::business(outcome.code(), outcome.message()).into());
    }
    Ok(())
}

pub(super) fn get(call: &mut Call<'_>) -> Handled {
    let id = call.token_id()?;
    act(move |session, _| Ok(Answer::ok(payload(session, find(session, &id)?))))
}

pub(super) fn list(call: &mut Call<'_>) -> Handled {
    let search = token::read_search(call.query)?;
    act(move |session, _| {
        let (tokens, page) = session.tokens(search)?;
        let tokens = tokens.into_iter().map(|token| records::with_merchant(session, token)).collect();
        Ok(Answer::page_or_nothing(Payload::Tokens(tokens), page))
    })
}

/// Updates a token. The answer contains only the changed members.
pub(super) fn update(call: &mut Call<'_>) -> Handled {
    let id = call.token_id()?;
    let update = token::read_update(call.format, call.body, &LIMITS)?;
    act(move |session, _| {
        find(session, &id)?;
        let TokenUpdateFields { customer_key, status, description } = update.fields();
        let mut violations = Violations::default();
        check_customer(session, customer_key, &mut violations)?;
        if !violations.is_empty() {
            return Err(violations.into());
        }
        if status == Some(&TokenStatus::DELETED) {
            session.delete_token(&id)?;
        } else {
            session.update_token(&id, &update)?;
        }
        let changed = Token {
            customer_key: customer_key.cloned(),
            status: status.cloned(),
            description: description.map(|text| mask::text(text.as_str())),
            ..Token::default()
        };
        Ok(Answer::ok(Payload::Token(Box::new(changed))))
    })
}

pub(super) fn delete(call: &mut Call<'_>) -> Handled {
    let id = call.token_id()?;
    act(move |session, _| {
        find(session, &id)?;
        session.delete_token(&id)?;
        let description = Some("Token deleted".to_owned());
        let deleted = Token { token_id: Some(id), description, ..Token::default() };
        Ok(Answer::ok(Payload::Token(Box::new(deleted))))
    })
}

fn find(session: &Session<'_>, id: &TokenId) -> Result<Token, CallError> {
    Ok(session.token(id)?.ok_or_else(Refused::unknown_object)?)
}

fn check_customer(
    session: &Session<'_>,
    customer: Option<&CustomerKey>,
    violations: &mut Violations,
) -> Result<(), CallError> {
    if let Some(key) = customer
        && session.customer(key)?.is_none()
    {
        violations.add("customer-key", Rule::Unknown("customer"));
    }
    Ok(())
}

fn payload(session: &Session<'_>, token: Token) -> Payload {
    Payload::Token(Box::new(records::with_merchant(session, token)))
}
