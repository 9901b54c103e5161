//! One-time tokens of cards: the vendor's browser and mobile libraries exchange a card for one, and a merchant's
//! server charges it.
//!
//! The path, the header `public-key`, the body and the answer's members are those of the vendor's library for iOS. The
//! names of the claims, the lifetime of an hour, and the refusal of an invalid token are **inferred**.

use perennial_domain::clearent::{MobileJwt, NewTokenFields, OneTimeToken};
use perennial_domain::{Rule, Violations};
use perennial_wire::clearent::{Payload, token};
use serde_json::json;

use super::answer::{Answer, CallError, Refused};
use super::{Call, Handled, LIMITS, act, jwt};
use crate::clock::Moment;
use crate::issuer::test_cards;
use crate::processor::checks::Code;
use crate::store::one_time_token::{OneTime, OneTimeCard};
use crate::store::session::Session;
use crate::store::token::Card;

/// The lifetime of a token, in seconds of the world's clock.
const LIFETIME: u32 = 3_600;

/// Exchanges a card for a token.
pub(super) fn create(call: &mut Call<'_>) -> Handled {
    let new = token::read_create(call.format, call.body, &LIMITS)?;
    let brand = new.brand();
    let NewTokenFields { card, exp_date, csc, .. } = new.fields();
    if !call.any_card {
        test_cards::check(card)?;
    }
    let exp_date = *exp_date;
    let csc = csc.and_then(|csc| Code::from(csc).answer(brand.as_ref())).map(|answer| answer.code.to_owned());
    let card = Card { brand, last_four: card.last_four().to_owned(), exp_date: Some(exp_date) };
    drop(new);
    act(move |session, _| {
        exp_date.check_on(session.now.date())?;
        let number = session.next_one_time_token()?;
        let expires = session.now.seconds_after(LIFETIME);
        let token = issue(session, number, &card, expires)?;
        let (last_four, card_type) = (Some(card.last_four.clone()), card.brand.clone());
        session.create_one_time_token(number, token.expose(), OneTimeCard { card, csc }, expires)?;
        Ok(Answer::ok(Payload::MobileJwt(Box::new(MobileJwt { token, last_four, card_type }))))
    })
}

/// Creates the token of a number. Its expiry is in whole seconds, rounded down.
fn issue(
    session: &Session<'_>,
    number: u64,
    card: &Card,
    expires: Moment,
) -> Result<OneTimeToken, CallError> {
    let claims = json!({
        "type": "MANUAL",
        "last-four": card.last_four,
        "token": session.seed.uuid("one-time token", number),
        "exp": expires.millis() / 1_000,
    });
    let text = jwt::signed(&claims.to_string(), &session.seed.derive("one-time tokens", 0));
    Ok(OneTimeToken::try_from(text).map_err(|_| rusqlite::Error::InvalidQuery)?)
}

/// Returns the card behind a token and uses the token up.
pub(super) fn redeem(session: &Session<'_>, token: &OneTimeToken) -> Result<OneTimeCard, CallError> {
    let why = match session.use_one_time_token(token)? {
        OneTime::Card(card) => return Ok(card),
        OneTime::Used => "has been used already: a one-time token charges a card once",
        OneTime::Expired => "has expired: exchange the card for another",
        OneTime::Unknown => "must be a one-time token of this merchant",
    };
    Err(Refused::new(400, "041", format!("mobilejwt: {why}")).into())
}

/// The refusal of a request without a token.
pub(super) fn missing() -> Refused {
    Violations::one("mobilejwt", Rule::Required).into()
}
