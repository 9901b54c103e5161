//! Reads the payer's input by the rules of the domain; reports errors by field, in words for payers.

use perennial_domain::Violations;
use perennial_domain::clientpay::{Address, Card, CardBuilder, ECheck, NewMethod, PaymentKind};

use crate::form::Form;
use crate::issuer::clientpay::Charged;
use crate::store::clientpay::payer::StoredMethod;

/// Errors of the input, in the order of the form.
#[derive(Default)]
pub(super) struct Problems(Vec<(String, String)>);

impl Problems {
    pub(super) fn add(&mut self, field: &str, problem: impl Into<String>) {
        self.0.push((field.to_owned(), problem.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(named, _)| named == field).map(|(_, problem)| problem.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, problem)| (field.as_str(), problem.as_str()))
    }
}

/// Error texts for fields that break a rule: the field's name in the domain, its name in the form, and the text for
/// payers.
#[rustfmt::skip]
const WORDS: &[(&str, &str, &str)] = &[
    ("creditCard.cardholderName", "card-name", "Enter the name on the card."),
    ("creditCard.cardNumber", "card-number", "Enter the number of a card; in the sandbox a published test card such as 4111 1111 1111 1111."),
    ("creditCard.expirationDate", "card-expiry", "Enter the month and year on the card, as in 09/30."),
    ("creditCard.cvv", "card-code", "Enter the 3 or 4 digits of the security code."),
    ("eCheck.nameOnAccount", "account-name", "Enter the name on the account."),
    ("eCheck.routingNumber", "routing-number", "Enter the 9 digits of the routing number."),
    ("eCheck.accountNumber", "account-number", "Enter the 4 to 17 digits of the account number."),
    ("eCheck.accountType", "account-type", "Choose the kind of account."),
    ("billingAddress.state", "state", "Enter the two letters of a state or province, such as AL."),
    ("billingAddress.addressLine1", "address", "Enter an address of at most 8,000 characters."),
    ("billingAddress.city", "city", "Enter a city."),
    ("billingAddress.zipCode", "zip", "Enter a postal code."),
];

/// An entered method, as the API would accept it.
pub(super) struct Entered {
    pub(super) method: NewMethod,
    pub(super) charged: Charged,
}

/// The payment method that a payer chose.
pub(super) enum Source<'a> {
    Entered(Box<Entered>),
    Stored(&'a StoredMethod),
}

impl Source<'_> {
    pub(super) fn charged(&self) -> Charged {
        match self {
            Self::Entered(entered) => entered.charged.clone(),
            Self::Stored(method) => {
                Charged { kind: method.kind, expiry: method.expiry, trigger: method.trigger.clone() }
            }
        }
    }
}

/// Reads the payer's payment method: an offered one, or an entered one.
pub(super) fn source<'a>(
    form: &Form,
    offered: &'a [StoredMethod],
    any_card: bool,
    problems: &mut Problems,
) -> Option<Source<'a>> {
    match form.text("method") {
        "card" | "echeck" => entered(form, any_card, problems).map(Box::new).map(Source::Entered),
        id => {
            let method = offered.iter().find(|method| method.id.as_str() == id);
            if method.is_none() {
                problems.add("method", "Choose how to pay.");
            }
            method.map(Source::Stored)
        }
    }
}

/// Reads an entered card or account.
pub(super) fn entered(form: &Form, any_card: bool, problems: &mut Problems) -> Option<Entered> {
    let method = NewMethod::builder();
    let method = match form.text("method") {
        "echeck" => method.e_check(account(form)),
        _ => method.credit_card(card(form)),
    };
    let method = match address(form) {
        Some(address) => method.billing_address(address),
        None => method,
    };
    let is_coded = form.text("method") == "echeck" || form.given("card-code").is_some();
    if !is_coded {
        problems.add("card-code", field_and_message("creditCard.cvv").1);
    }
    let method = match method.build() {
        Ok(method) => method,
        Err(violations) => {
            add_problems(&violations, problems);
            return None;
        }
    };
    let charged = match (method.fields().credit_card, method.fields().e_check) {
        (Some(card), _) => Charged::card(card, any_card, "creditCard.cardNumber"),
        (None, Some(account)) => Ok(Charged::account(account)),
        (None, None) => Ok(Charged { kind: PaymentKind::CARD, expiry: None, trigger: None }),
    };
    let charged = charged.map_err(|violations| add_problems(&violations, problems)).ok()?;
    is_coded.then_some(Entered { method, charged })
}

fn card(form: &Form) -> CardBuilder {
    let expiry = form.text("card-expiry").replace(['/', ' '], "");
    let mut card = Card::builder().expiration_date(expiry.as_str());
    card = card.card_number(form.text("card-number")).cardholder_name(form.text("card-name"));
    match form.given("card-code") {
        Some(code) => card.cvv(zeroize::Zeroizing::new(code).as_str()),
        None => card,
    }
}

fn account(form: &Form) -> perennial_domain::clientpay::ECheckBuilder {
    ECheck::builder()
        .name_on_account(form.text("account-name"))
        .routing_number(form.text("routing-number"))
        .account_number(form.text("account-number"))
        .account_type(form.text("account-type"))
}

fn address(form: &Form) -> Option<perennial_domain::clientpay::AddressBuilder> {
    let members = ["address", "city", "state", "zip"].map(|field| form.given(field));
    if members.iter().all(Option::is_none) {
        return None;
    }
    let [line, city, state, zip] = members;
    let mut address = Address::builder();
    if let Some(line) = line {
        address = address.address_line1(line);
    }
    if let Some(city) = city {
        address = address.city(city);
    }
    if let Some(state) = state {
        address = address.state(state);
    }
    Some(match zip {
        Some(zip) => address.zip_code(zip),
        None => address,
    })
}

/// Adds errors in the payer's words, without the rule's text or the value.
fn add_problems(violations: &Violations, problems: &mut Problems) {
    for violation in violations {
        let (field, words) = field_and_message(&violation.field);
        if problems.of(field).is_none() {
            problems.add(field, words);
        }
    }
}

fn field_and_message(field: &str) -> (&'static str, &'static str) {
    let known = WORDS.iter().find(|(name, ..)| *name == field);
    known.map_or(("method", "Check what you entered."), |(_, field, words)| (field, words))
}
