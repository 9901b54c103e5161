//! Payment methods: cards, bank accounts and their addresses.

use perennial_domain::clientpay::{
    self as domain, AddressBuilder, AddressFields, CardBuilder, CardFields, ECheckBuilder, ECheckFields,
    MethodUpdate, MethodUpdateBuilder, MethodUpdateFields, NewMethod, NewMethodBuilder, NewMethodFields,
};
use perennial_domain::{CardNumber, Expiry, Rule};

use super::fields::bare;
use crate::fields::{given, set, some_text, text};
use crate::rule::{Asks, request};
use crate::text::{Bare, Text};

message! {
    /// The billingAddress and payerAddress objects.
    pub(super) struct Address<'a> as "address" in any case {
        address_line1: Option<Text<'a>> = "addressLine1",
        phone_number: Option<Text<'a>> = "phoneNumber",
        city: Option<Text<'a>> = "city",
        state: Option<Text<'a>> = "state",
        country: Option<Text<'a>> = "country",
        zip_code: Option<Text<'a>> = "zipCode",
    }
}

message! {
    /// The creditCard object, as the sample of the payment method object shows it.
    pub(super) struct Card<'a> as "creditCard" in any case {
        cardholder_name: Option<Text<'a>> = "cardholderName",
        card_number: Option<Text<'a>> = "cardNumber",
        expiration_date_month: Option<Bare<'a>> = "expirationDateMonth",
        expiration_date_year: Option<Bare<'a>> = "expirationDateYear",
        cvv: Option<Text<'a>> = "cvv",
    }
}

message! {
    /// The eCheck object.
    pub(super) struct ECheck<'a> as "eCheck" in any case {
        name_on_account: Option<Text<'a>> = "nameOnAccount",
        routing_number: Option<Text<'a>> = "routingNumber",
        account_number: Option<Text<'a>> = "accountNumber",
        account_type: Option<Text<'a>> = "accountType",
    }
}

message! {
    /// The payment method object. Its page stars `id`, which a new method cannot have.
    pub(super) struct Method<'a> as "paymentMethod" in any case {
        id: Option<Text<'a>> = "id",
        is_primary: Option<Bare<'a>> = "isPrimary",
        credit_card: Option<Card<'a>> = "creditCard",
        e_check: Option<ECheck<'a>> = "eCheck",
        billing_address: Option<Address<'a>> = "billingAddress",
    }
}

request! {
    Method asks NewMethod, by NewMethodFields, NewMethodBuilder {
        is_primary;
        nested credit_card, e_check, billing_address
    }
}

request! {
    Address asks domain::Address, by AddressFields, AddressBuilder {
        address_line1, phone_number, city, state, country, zip_code
    }
}

request! {
    ECheck asks domain::ECheck, by ECheckFields, ECheckBuilder {
        name_on_account, routing_number, account_number, account_type
    }
}

impl Address<'_> {
    /// The address of a request; `None` if it is empty.
    pub(super) fn request(self) -> Option<AddressBuilder> {
        let Self { address_line1, phone_number, city, state, country, zip_code } = &self;
        let blank = are_blank([address_line1, phone_number, city, state, country, zip_code]);
        (!blank).then(|| self.builder())
    }
}

impl ECheck<'_> {
    /// The bank account of a request; `None` if it is empty.
    pub(super) fn request(self) -> Option<ECheckBuilder> {
        // The sample leaves the default of the kind in an object that is otherwise empty.
        let blank = are_blank([&self.name_on_account, &self.routing_number, &self.account_number]);
        (!blank).then(|| self.builder())
    }
}

/// Whether all texts are empty: the vendor's sample shows an object of empty texts for an absent one.
fn are_blank<const N: usize>(members: [&Option<Text<'_>>; N]) -> bool {
    members.into_iter().flatten().all(|text| text.trim_ascii().is_empty())
}

impl<'a> From<&'a domain::Card> for Card<'a> {
    fn from(card: &'a domain::Card) -> Self {
        let CardFields { card_number, expiration_date, cardholder_name, cvv } = card.fields();
        Self {
            cardholder_name: some_text(cardholder_name),
            card_number: Some(text(CardNumber::expose(card_number))),
            expiration_date_month: Some(u64::from(expiration_date.month()).into()),
            expiration_date_year: Some(u64::from(expiration_date.year().unsigned_abs()).into()),
            cvv: cvv.map(|code| text(code.expose())),
        }
    }
}

impl Card<'_> {
    /// The card of a request; `None` if it is empty.
    pub(super) fn request(self) -> Option<CardBuilder> {
        let Self { cardholder_name, card_number, expiration_date_month, expiration_date_year, cvv } = self;
        let (month, year) = (bare(expiration_date_month), bare(expiration_date_year));
        if are_blank([&cardholder_name, &card_number, &month, &year, &cvv]) {
            return None;
        }
        let card = set!(domain::Card::builder();
            cardholder_name: cardholder_name,
            card_number: card_number,
            cvv: cvv,
        );
        Some(match expiry(month, year) {
            Some(expiry) => card.expiration_date(expiry),
            None => card,
        })
    }
}

/// A month and a year; one alone is not an expiry.
struct MonthAndYear(Option<u32>, Option<i32>);

fn expiry(month: Option<Text<'_>>, year: Option<Text<'_>>) -> Option<MonthAndYear> {
    let (month, year) = (given(month), given(year));
    if month.is_none() && year.is_none() {
        return None;
    }
    Some(MonthAndYear(
        month.and_then(|month| month.trim_ascii().parse().ok()),
        year.and_then(|year| year.trim_ascii().parse().ok()),
    ))
}

impl TryFrom<MonthAndYear> for Expiry {
    type Error = perennial_domain::InvalidValue;

    fn try_from(MonthAndYear(month, year): MonthAndYear) -> Result<Self, Self::Error> {
        let (month, year) = month.zip(year).ok_or(Rule::ExpirationDate)?;
        Self::new(month, year).map_err(|_| Rule::ExpirationDate.into())
    }
}

impl<'a> From<&'a MethodUpdate> for Method<'a> {
    fn from(update: &'a MethodUpdate) -> Self {
        let MethodUpdateFields { id, is_primary, cardholder_name, expiration_date, name_on_account } =
            update.fields();
        let card = Card {
            cardholder_name: some_text(cardholder_name),
            expiration_date_month: expiration_date.map(|date| u64::from(date.month()).into()),
            expiration_date_year: expiration_date.map(|date| u64::from(date.year().unsigned_abs()).into()),
            ..Card::default()
        };
        let e_check = ECheck { name_on_account: some_text(name_on_account), ..ECheck::default() };
        Self {
            id: Some(text(id.as_str())),
            is_primary: is_primary.map(|primary| primary.0.into()),
            credit_card: (cardholder_name.is_some() || expiration_date.is_some()).then_some(card),
            e_check: name_on_account.is_some().then_some(e_check),
            billing_address: None,
        }
    }
}

impl Method<'_> {
    /// The changes to a stored method; a member that it cannot change is a violation.
    pub(super) fn update(self) -> MethodUpdateBuilder {
        let Self { id, is_primary, credit_card, e_check, billing_address } = self;
        let Card { cardholder_name, card_number, expiration_date_month, expiration_date_year, cvv } =
            credit_card.unwrap_or_default();
        let ECheck { name_on_account, routing_number, account_number, account_type: _ } =
            e_check.unwrap_or_default();
        let update = set!(MethodUpdate::builder();
            id: id,
            is_primary: bare(is_primary),
            cardholder_name: cardholder_name,
            name_on_account: name_on_account,
        );
        let update = match expiry(bare(expiration_date_month), bare(expiration_date_year)) {
            Some(expiry) => update.expiration_date(expiry),
            None => update,
        };
        let address = billing_address.and_then(Address::request).map(|_| text("billingAddress"));
        let fixed = [
            ("creditCard.cardNumber", card_number),
            ("creditCard.cvv", cvv),
            ("eCheck.routingNumber", routing_number),
            ("eCheck.accountNumber", account_number),
            ("billingAddress", address),
        ];
        let named = fixed.into_iter().filter_map(|(name, member)| given(member).map(|_| name));
        named.fold(update, MethodUpdateBuilder::fixed)
    }
}
