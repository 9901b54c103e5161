//! Payers and their payment methods.

use perennial_domain::Violations;
use perennial_domain::clientpay::{
    MethodUpdateFields, NewMethod, NewMethodFields, NewMethodsFields, PayerId, PaymentKind, SavedPayer,
};
use perennial_wire::clientpay::{Received, Reply, payer};

use super::answer::{Answer, CallError, Refused};
use super::{Call, Handled, LIMITS, act, spend};
use crate::issuer::clientpay::Charged;
use crate::store::clientpay::payer::StoredMethod;
use crate::store::session::Session;

pub(super) fn create(call: &Call<'_>) -> Handled {
    let Received { request_id, request, .. } = payer::read_create(call.body, &LIMITS)?;
    act(move |session, _| {
        spend(session, &request_id)?;
        Ok(saved(Some(session.create_payer(&request)?), Vec::new()))
    })
}

pub(super) fn update(call: &Call<'_>) -> Handled {
    let Received { request_id, request, .. } = payer::read_update(call.body, &LIMITS)?;
    act(move |session, _| {
        let payer = request.fields().payer_id;
        spend(session, &request_id)?;
        known(session, payer)?;
        session.update_payer(&request)?;
        Ok(saved(Some(payer.clone()), Vec::new()))
    })
}

pub(super) fn delete(call: &Call<'_>) -> Handled {
    let Received { request_id, request: payer, .. } = payer::read_delete(call.body, &LIMITS)?;
    act(move |session, _| {
        spend(session, &request_id)?;
        known(session, &payer)?;
        session.delete_payer(&payer)?;
        Ok(Answer::done())
    })
}

pub(super) fn add_methods(call: &Call<'_>) -> Handled {
    let Received { request_id, request, .. } = payer::read_add_methods(call.body, &LIMITS)?;
    let charged = request.fields().methods.iter().enumerate().map(|(at, method)| {
        charged(method, call.any_card).map_err(|violations| {
            let mut nested = Violations::default();
            nested.nest(&format!("paymentMethods[{at}]"), violations);
            nested
        })
    });
    let charged = charged.collect::<Result<Vec<_>, _>>()?;
    act(move |session, _| {
        let NewMethodsFields { payer_id, methods, .. } = request.fields();
        spend(session, &request_id)?;
        known(session, payer_id)?;
        let added = methods
            .iter()
            .zip(&charged)
            .map(|(method, charged)| session.add_method(payer_id, method, charged.trigger.as_ref()));
        Ok(saved(Some(payer_id.clone()), added.collect::<Result<_, _>>()?))
    })
}

/// The card or account of a method; exactly one of them is present.
pub(super) fn charged(method: &NewMethod, any_card: bool) -> Result<Charged, Violations> {
    let NewMethodFields { credit_card, e_check, .. } = method.fields();
    match (credit_card, e_check) {
        (Some(card), _) => Charged::card(card, any_card, "creditCard.cardNumber"),
        (None, Some(account)) => Ok(Charged::account(account)),
        (None, None) => Ok(Charged { kind: PaymentKind::CARD, expiry: None, trigger: None }),
    }
}

pub(super) fn update_methods(call: &Call<'_>) -> Handled {
    let Received { request_id, request, .. } = payer::read_update_methods(call.body, &LIMITS)?;
    act(move |session, _| {
        spend(session, &request_id)?;
        let mut ids = Vec::new();
        for update in request.fields().updates {
            let MethodUpdateFields { id, cardholder_name, expiration_date, name_on_account, .. } =
                update.fields();
            let Some(stored) = session.method(id.as_str())? else {
                return Err(Refused::unknown("payment method").into());
            };
            let is_card = stored.kind == PaymentKind::CARD;
            if is_card && name_on_account.is_some()
                || !is_card && (cardholder_name.is_some() || expiration_date.is_some())
            {
                return Err(other_kind(&stored).into());
            }
            session.update_method(&stored, update)?;
            ids.push(id.clone());
        }
        Ok(saved(None, ids))
    })
}

fn other_kind(stored: &StoredMethod) -> Refused {
    let (is, member) =
        if stored.kind == PaymentKind::CARD { ("a card", "eCheck") } else { ("an eCheck", "creditCard") };
    Refused::field(400, &format!("The payment method is {is}."), member, "Must not be given for it.")
}

fn known(session: &Session<'_>, payer: &PayerId) -> Result<(), CallError> {
    if session.has_payer(payer.as_str())? { Ok(()) } else { Err(Refused::unknown("payer").into()) }
}

fn saved(
    payer_id: Option<PayerId>,
    payment_method_ids: Vec<perennial_domain::clientpay::PaymentMethodId>,
) -> Answer {
    let saved = SavedPayer { payer_id, payment_method_ids, ..SavedPayer::default() };
    Answer::ok(payer::encode(&Reply::success(saved)))
}
