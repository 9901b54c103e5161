//! Payers, their stored methods, and the cards, accounts and addresses that payments have too.

use perennial_domain::clientpay::{
    self as domain, AddressBuilder, AddressFields, CardBuilder, CardFields, ECheckBuilder, ECheckFields,
    MethodUpdate, MethodUpdateBuilder, MethodUpdateFields, MethodUpdates, MethodUpdatesBuilder,
    MethodUpdatesFields, NewMethod, NewMethodBuilder, NewMethodFields, NewMethods, NewMethodsBuilder,
    NewMethodsFields, NewPayer, NewPayerFields, PayerId, PayerName, PayerUpdate, PayerUpdateFields,
    RequestId, SavedPayer,
};
use perennial_domain::{CardNumber, Expiry, Rule, Violations};

use super::fields::{OrNull, WordOrNumber, bare, id, nest, required};
use super::reply::{Reply, Said, document, read, refused, write};
use super::session::{Token, Under, token};
use super::{Operation, Received, Session};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::fields::{Fault, given, owned, set, some_text, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Many;
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
    struct Method<'a> as "paymentMethod" in any case {
        id: Option<Text<'a>> = "id",
        is_primary: Option<Bare<'a>> = "isPrimary",
        credit_card: Option<Card<'a>> = "creditCard",
        e_check: Option<ECheck<'a>> = "eCheck",
        billing_address: Option<Address<'a>> = "billingAddress",
    }
}

message! {
    /// The payer object.
    struct Payer<'a> as "payer" in any case {
        first_name: Option<Text<'a>> = "firstName",
        last_name: Option<Text<'a>> = "lastName",
        business_name: Option<Text<'a>> = "businessName",
        payer_name: Option<WordOrNumber<'a>> = "payerName",
        emails: Many<Text<'a>> = "emails",
        payer_address: Option<Address<'a>> = "payerAddress",
    }
}

message! {
    /// A request about payers; the path decides which of the members count.
    struct Request<'a> as "" in any case {
        token: Option<Token<'a>> = "token",
        payer_id: Option<Text<'a>> = "payerId",
        payer: Option<Payer<'a>> = "payer",
        payment_methods: Many<Method<'a>> = "paymentMethods",
    }
}

message! {
    /// The answer, **inferred**: the vendor says that it has a payer's id. In postbacks the names end in `ID`.
    struct Answer<'a> as "" in any case with said: Said<'a> {
        request_id: Option<Text<'a>> = "requestID",
        session_id: Option<Text<'a>> = "sessionID",
        customer_ref_number: Option<Text<'a>> = "customerRefNumber",
        payer_id: Option<Text<'a>> = "payerId",
        payment_method_ids: Many<Text<'a>> = "paymentMethodIds",
    }
}

/// New payer.
pub fn create(session: Session<'_>, request_id: &RequestId, payer: &NewPayer) -> Result<Call, EncodeError> {
    let NewPayerFields {
        emails,
        session_id,
        customer_id,
        first_name,
        last_name,
        business_name,
        payer_name,
        payer_address,
    } = payer.fields();
    let message = Request {
        token: Some(token(request_id, session_id, customer_id)),
        payer: Some(Payer {
            first_name: some_text(first_name),
            last_name: some_text(last_name),
            business_name: some_text(business_name),
            payer_name: payer_name.map(|name| shown_as(*name)),
            emails: emails.iter().map(text).collect(),
            payer_address: payer_address.map(Address::from),
        }),
        ..Request::default()
    };
    Operation::NewPayer.call(session.version)?.with_body(Format::Json, &message)
}

/// Update payer: sends only the changes.
pub fn update(
    session: Session<'_>,
    request_id: &RequestId,
    update: &PayerUpdate,
) -> Result<Call, EncodeError> {
    let PayerUpdateFields {
        payer_id,
        session_id,
        customer_id,
        first_name,
        last_name,
        business_name,
        payer_name,
        emails,
        payer_address,
    } = update.fields();
    let message = Request {
        token: Some(token(request_id, session_id, customer_id)),
        payer_id: Some(text(payer_id.as_str())),
        payer: Some(Payer {
            first_name: some_text(first_name),
            last_name: some_text(last_name),
            business_name: some_text(business_name),
            payer_name: payer_name.map(|name| shown_as(*name)),
            emails: emails.map(|emails| emails.iter().map(text).collect()).unwrap_or_default(),
            payer_address: payer_address.map(Address::from),
        }),
        ..Request::default()
    };
    Operation::UpdatePayer.call(session.version)?.with_body(Format::Json, &message)
}

/// The value of the display name: the vendor's sample has a word for the first, its table numbers for all.
fn shown_as<'a>(name: PayerName) -> WordOrNumber<'a> {
    match name {
        PayerName::FirstLast => WordOrNumber::Word(text("firstLast")),
        PayerName::Business | PayerName::FirstLastBusiness => WordOrNumber::Number(name.code()),
    }
}

/// Delete payer.
pub fn delete(session: Session<'_>, request_id: &RequestId, payer: &PayerId) -> Result<Call, EncodeError> {
    let message = Request {
        token: Some(token(request_id, None, None)),
        payer_id: Some(text(payer.as_str())),
        ..Request::default()
    };
    Operation::DeletePayer.call(session.version)?.with_body(Format::Json, &message)
}

/// New payment method.
pub fn add_methods(
    session: Session<'_>,
    request_id: &RequestId,
    methods: &NewMethods,
) -> Result<Call, EncodeError> {
    let NewMethodsFields { payer_id, session_id, customer_id, methods } = methods.fields();
    let message = Request {
        token: Some(token(request_id, session_id, customer_id)),
        payer_id: Some(text(payer_id.as_str())),
        payer: None,
        payment_methods: methods.iter().map(Method::from).collect(),
    };
    Operation::NewMethods.call(session.version)?.with_body(Format::Json, &message)
}

/// Update payment method. The request does not name the payer.
pub fn update_methods(
    session: Session<'_>,
    request_id: &RequestId,
    updates: &MethodUpdates,
) -> Result<Call, EncodeError> {
    let MethodUpdatesFields { session_id, customer_id, updates } = updates.fields();
    let message = Request {
        token: Some(token(request_id, session_id, customer_id)),
        payment_methods: updates.iter().map(Method::from).collect(),
        ..Request::default()
    };
    Operation::UpdateMethods.call(session.version)?.with_body(Format::Json, &message)
}

/// Reads the body of new payer.
pub fn read_create(body: &[u8], limits: &Limits) -> Result<Received<NewPayer>, ReadError> {
    let Request { token, payer_id: _, payer, payment_methods: _ } =
        codec::decode(Format::Json, body, limits)?;
    let under = Under::from(token);
    let Payer { first_name, last_name, business_name, payer_name, emails, payer_address } =
        payer.unwrap_or_default();
    let payer = set!(NewPayer::builder();
        session_id: under.session_id.clone(),
        customer_id: under.customer_id.clone(),
        first_name: first_name,
        last_name: last_name,
        business_name: business_name,
        payer_name: payer_name.map(Text::from),
    );
    let payer = match addresses(&emails) {
        Some(emails) => payer.emails(&*emails),
        None => payer,
    };
    let payer = nest!(payer; payer_address: payer_address.and_then(Address::request));
    under.receive(within("payer", payer.accept()))
}

/// Reads the body of update payer.
pub fn read_update(body: &[u8], limits: &Limits) -> Result<Received<PayerUpdate>, ReadError> {
    let Request { token, payer_id, payer, payment_methods: _ } = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(token).starred("payer", payer.is_some());
    let Payer { first_name, last_name, business_name, payer_name, emails, payer_address } =
        payer.unwrap_or_default();
    let update = set!(PayerUpdate::builder();
        payer_id: payer_id,
        session_id: under.session_id.clone(),
        customer_id: under.customer_id.clone(),
        first_name: first_name,
        last_name: last_name,
        business_name: business_name,
        payer_name: payer_name.map(Text::from),
    );
    let update = match addresses(&emails) {
        Some(emails) => update.emails(&*emails),
        None => update,
    };
    let update = nest!(update; payer_address: payer_address.and_then(Address::request));
    under.receive(within("payer", update.accept()))
}

/// Reads the body of delete payer.
pub fn read_delete(body: &[u8], limits: &Limits) -> Result<Received<PayerId>, ReadError> {
    let Request { token, payer_id, .. } = codec::decode(Format::Json, body, limits)?;
    let mut wrong = Violations::default();
    let payer = required("payerId", payer_id, &mut wrong);
    Under::from(token).receive(payer.ok_or(wrong))
}

/// Reads the body of new payment method.
pub fn read_add_methods(body: &[u8], limits: &Limits) -> Result<Received<NewMethods>, ReadError> {
    let Request { token, payer_id, payer: _, payment_methods } = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(token);
    let methods = set!(NewMethods::builder();
        payer_id: payer_id,
        session_id: under.session_id.clone(),
        customer_id: under.customer_id.clone(),
    );
    let methods = payment_methods.into_iter().map(Method::request).fold(methods, NewMethodsBuilder::method);
    under.receive(methods.accept())
}

/// Reads the body of update payment method; a member that a stored method cannot change is a violation.
pub fn read_update_methods(body: &[u8], limits: &Limits) -> Result<Received<MethodUpdates>, ReadError> {
    let Request { token, payer_id: _, payer: _, payment_methods } =
        codec::decode(Format::Json, body, limits)?;
    let under = Under::from(token);
    let updates = set!(MethodUpdates::builder();
        session_id: under.session_id.clone(),
        customer_id: under.customer_id.clone(),
    );
    let updates = payment_methods.into_iter().map(Method::update).fold(updates, MethodUpdatesBuilder::update);
    under.receive(updates.accept())
}

/// Prefixes violations with the member of the request that holds the payer.
fn within<T>(object: &str, request: Result<T, Violations>) -> Result<T, Violations> {
    request.map_err(|violations| {
        let mut nested = Violations::default();
        for violation in &violations {
            let outside = ["payerId", "sessionId", "customerId", object];
            if outside.contains(&&*violation.field) {
                nested.add(violation.field.clone(), violation.rule);
            } else {
                nested.add(format!("{object}.{}", violation.field), violation.rule);
            }
        }
        nested
    })
}

fn addresses(emails: &[Text<'_>]) -> Option<Vec<String>> {
    (!emails.is_empty()).then(|| emails.iter().map(|email| email.clone().into_owned()).collect())
}

/// Reads the answer to new and update payer, and to new and update payment method.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Reply<SavedPayer>, DecodeError> {
    // A bare text is the id only where it can be one: `"OK"` is not.
    let bare = body.strip_prefix(perennial_domain::encoding::MARK).unwrap_or(body).trim_ascii();
    let is_id = |text: &[u8]| text.len() >= 16 && text.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    let member = match bare.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) {
        Some(text) if !is_id(text) => "message",
        _ => "payerId",
    };
    let document = document(body, member);
    let answer: Answer<'_> = read(&document, limits)?;
    answer.reply().map_err(refused)
}

/// Writes the answer to new and update payer, and to new and update payment method.
pub fn encode(reply: &Reply<SavedPayer>) -> Vec<u8> {
    write(&Answer::of(reply))
}

/// Reads the postback of a payer page; `None` for another postback.
pub(super) fn postback(document: &[u8], limits: &Limits) -> Result<Option<SavedPayer>, DecodeError> {
    let answer: Answer<'_> = read(document, limits)?;
    Ok(Some(answer.reply().map_err(refused)?.value).filter(|payer| payer.payer_id.is_some()))
}

impl<'a> Answer<'a> {
    fn of(reply: &'a Reply<SavedPayer>) -> Self {
        let SavedPayer { request_id, session_id, customer_ref_number, payer_id, payment_method_ids } =
            &reply.value;
        Self {
            said: reply.said(),
            request_id: some_text(request_id.as_ref()),
            session_id: some_text(session_id.as_ref()),
            customer_ref_number: some_text(customer_ref_number.as_ref()),
            payer_id: some_text(payer_id.as_ref()),
            payment_method_ids: payment_method_ids.iter().map(|id| text(id.as_str())).collect(),
        }
    }

    fn reply(self) -> Result<Reply<SavedPayer>, Fault> {
        let Self { said, request_id, session_id, customer_ref_number, payer_id, payment_method_ids } = self;
        said.reply(SavedPayer {
            request_id: id("requestId", request_id)?,
            session_id: owned(session_id),
            customer_ref_number: owned(customer_ref_number),
            payer_id: id("payerId", payer_id)?,
            payment_method_ids: payment_method_ids
                .into_iter()
                .filter_map(|method| id("paymentMethodIds", Some(method)).transpose())
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Writes the postback of a payer page, whose ids are spelled otherwise than in answers.
pub(super) fn encode_postback(payer: &SavedPayer) -> Vec<u8> {
    let reply = Reply::success(payer.clone());
    let Answer { said, request_id, session_id, customer_ref_number, payer_id, payment_method_ids } =
        Answer::of(&reply);
    let (session_id, customer_ref_number) = (OrNull(session_id), OrNull(customer_ref_number));
    write(&PayerPostback { said, request_id, session_id, customer_ref_number, payer_id, payment_method_ids })
}

message! {
    /// The postback of a payer page, **inferred** from those of payment pages.
    struct PayerPostback<'a> as "" with said: Said<'a> {
        request_id: Option<Text<'a>> = "requestID",
        session_id: OrNull<Text<'a>> = "sessionID",
        customer_ref_number: OrNull<Text<'a>> = "customerRefNumber",
        payer_id: Option<Text<'a>> = "payerID",
        payment_method_ids: Many<Text<'a>> = "paymentMethodIDs",
    }
}

impl<'a> From<&'a domain::Address> for Address<'a> {
    fn from(address: &'a domain::Address) -> Self {
        let AddressFields { address_line1, city, state, zip_code, phone_number, country } = address.fields();
        Self {
            address_line1: some_text(address_line1),
            phone_number: some_text(phone_number),
            city: some_text(city),
            state: state.map(|state| text(state.as_str())),
            country: some_text(country),
            zip_code: some_text(zip_code),
        }
    }
}

impl Address<'_> {
    /// The address of a request; `None` if it is empty.
    pub(super) fn request(self) -> Option<AddressBuilder> {
        let Self { address_line1, phone_number, city, state, country, zip_code } = self;
        let blank = are_blank([&address_line1, &phone_number, &city, &state, &country, &zip_code]);
        let address = || {
            set!(domain::Address::builder();
                address_line1: address_line1,
                phone_number: phone_number,
                city: city,
                state: state,
                country: country,
                zip_code: zip_code,
            )
        };
        (!blank).then(address)
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

impl<'a> From<&'a domain::ECheck> for ECheck<'a> {
    fn from(e_check: &'a domain::ECheck) -> Self {
        let ECheckFields { name_on_account, routing_number, account_number, account_type } = e_check.fields();
        Self {
            name_on_account: Some(text(name_on_account.as_str())),
            routing_number: Some(text(routing_number.as_str())),
            account_number: Some(text(account_number.expose())),
            account_type: account_type.map(|kind| text(kind.as_str())),
        }
    }
}

impl ECheck<'_> {
    /// The bank account of a request; `None` if it is empty.
    pub(super) fn request(self) -> Option<ECheckBuilder> {
        let Self { name_on_account, routing_number, account_number, account_type } = self;
        // The sample leaves the default of the kind in an object that is otherwise empty.
        if are_blank([&name_on_account, &routing_number, &account_number]) {
            return None;
        }
        Some(set!(domain::ECheck::builder();
            name_on_account: name_on_account,
            routing_number: routing_number,
            account_number: account_number,
            account_type: account_type,
        ))
    }
}

impl<'a> From<&'a NewMethod> for Method<'a> {
    fn from(method: &'a NewMethod) -> Self {
        let NewMethodFields { is_primary, credit_card, e_check, billing_address } = method.fields();
        Self {
            id: None,
            is_primary: is_primary.map(|primary| primary.0.into()),
            credit_card: credit_card.map(Card::from),
            e_check: e_check.map(ECheck::from),
            billing_address: billing_address.map(Address::from),
        }
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
    fn request(self) -> NewMethodBuilder {
        let Self { id: _, is_primary, credit_card, e_check, billing_address } = self;
        let method = set!(NewMethod::builder(); is_primary: bare(is_primary));
        nest!(method;
            credit_card: credit_card.and_then(Card::request),
            e_check: e_check.and_then(ECheck::request),
            billing_address: billing_address.and_then(Address::request),
        )
    }

    fn update(self) -> MethodUpdateBuilder {
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
