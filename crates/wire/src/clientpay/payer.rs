//! Payers, their stored methods, and the cards, accounts and addresses that payments have too.

use perennial_domain::clientpay::{
    self as domain, AddressBuilder, AddressFields, CardBuilder, CardFields, ECheckBuilder, ECheckFields,
    MethodUpdate, MethodUpdateBuilder, MethodUpdateFields, MethodUpdates, MethodUpdatesBuilder,
    MethodUpdatesFields, NewMethod, NewMethodBuilder, NewMethodFields, NewMethods, NewMethodsBuilder,
    NewMethodsFields, NewPayer, NewPayerBuilder, NewPayerFields, PayerId, PayerUpdate, PayerUpdateBuilder,
    PayerUpdateFields, RequestId, SavedPayer,
};
use perennial_domain::{CardNumber, Expiry, Rule, Violations};

use super::fields::{OrNull, WordOrNumber, bare, id, required};
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
    struct PayerRequest<'a> as "" in any case {
        token: Option<Token<'a>> = "token",
        payer_id: Option<Text<'a>> = "payerId",
        payer: Option<Payer<'a>> = "payer",
        payment_methods: Many<Method<'a>> = "paymentMethods",
    }
}

message! {
    /// The answer, **inferred**: the vendor says that it has a payer's id. In postbacks the names end in `ID`.
    struct PayerAnswer<'a> as "" in any case with said: Said<'a> {
        request_id: Option<Text<'a>> = "requestID",
        session_id: Option<Text<'a>> = "sessionID",
        customer_ref_number: Option<Text<'a>> = "customerRefNumber",
        payer_id: Option<Text<'a>> = "payerId",
        payment_method_ids: Many<Text<'a>> = "paymentMethodIds",
    }
}

request! {
    PayerRequest asks NewPayer, by NewPayerFields, NewPayerBuilder {
        session_id in token, customer_id in token, first_name in payer, last_name in payer, business_name in payer,
        payer_name in payer;
        lists emails in payer;
        nested payer_address in payer
    }
}

request! {
    PayerRequest asks PayerUpdate, by PayerUpdateFields, PayerUpdateBuilder {
        payer_id, session_id in token, customer_id in token, first_name in payer, last_name in payer,
        business_name in payer, payer_name in payer;
        lists emails in payer;
        nested payer_address in payer
    }
}

request! {
    PayerRequest asks NewMethods, by NewMethodsFields, NewMethodsBuilder {
        payer_id, session_id in token, customer_id in token;
        apart methods
    }
}

request! {
    PayerRequest asks MethodUpdates, by MethodUpdatesFields, MethodUpdatesBuilder {
        session_id in token, customer_id in token;
        apart updates
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

/// New payer.
pub fn create(session: Session<'_>, request_id: &RequestId, payer: &NewPayer) -> Result<Call, EncodeError> {
    post(Operation::NewPayer, session, request_id, payer.into())
}

/// Update payer: sends only the changes.
pub fn update(
    session: Session<'_>,
    request_id: &RequestId,
    update: &PayerUpdate,
) -> Result<Call, EncodeError> {
    let mut message = PayerRequest::from(update);
    message.payer.get_or_insert_default();
    post(Operation::UpdatePayer, session, request_id, message)
}

/// Delete payer.
pub fn delete(session: Session<'_>, request_id: &RequestId, payer: &PayerId) -> Result<Call, EncodeError> {
    let message = PayerRequest { payer_id: Some(text(payer.as_str())), ..PayerRequest::default() };
    post(Operation::DeletePayer, session, request_id, message)
}

/// New payment method.
pub fn add_methods(
    session: Session<'_>,
    request_id: &RequestId,
    methods: &NewMethods,
) -> Result<Call, EncodeError> {
    let mut message = PayerRequest::from(methods);
    message.payment_methods = methods.fields().methods.iter().map(Method::from).collect();
    post(Operation::NewMethods, session, request_id, message)
}

/// Update payment method. The request does not name the payer.
pub fn update_methods(
    session: Session<'_>,
    request_id: &RequestId,
    updates: &MethodUpdates,
) -> Result<Call, EncodeError> {
    let mut message = PayerRequest::from(updates);
    message.payment_methods = updates.fields().updates.iter().map(Method::from).collect();
    post(Operation::UpdateMethods, session, request_id, message)
}

fn post<'a>(
    operation: Operation,
    session: Session<'_>,
    request_id: &'a RequestId,
    mut message: PayerRequest<'a>,
) -> Result<Call, EncodeError> {
    message.token = Some(token(request_id, message.token));
    operation.call(session.version)?.with_body(Format::Json, &message)
}

/// Reads the body of new payer.
pub fn read_create(body: &[u8], limits: &Limits) -> Result<Received<NewPayer>, ReadError> {
    let request: PayerRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token);
    under.receive(within("payer", request.onto(NewPayer::builder()).accept()))
}

/// Reads the body of update payer.
pub fn read_update(body: &[u8], limits: &Limits) -> Result<Received<PayerUpdate>, ReadError> {
    let request: PayerRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token).starred("payer", request.payer.is_some());
    under.receive(within("payer", request.onto(PayerUpdate::builder()).accept()))
}

/// Reads the body of delete payer.
pub fn read_delete(body: &[u8], limits: &Limits) -> Result<Received<PayerId>, ReadError> {
    let PayerRequest { token, payer_id, .. } = codec::decode(Format::Json, body, limits)?;
    let mut wrong = Violations::default();
    let payer = required("payerId", payer_id, &mut wrong);
    Under::from(&token).receive(payer.ok_or(wrong))
}

/// Reads the body of new payment method.
pub fn read_add_methods(body: &[u8], limits: &Limits) -> Result<Received<NewMethods>, ReadError> {
    let mut request: PayerRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token);
    let methods = std::mem::take(&mut request.payment_methods).into_iter().map(Method::builder);
    let methods =
        methods.fold(request.onto(NewMethods::builder()), NewMethodsBuilder::method::<NewMethodBuilder>);
    under.receive(methods.accept())
}

/// Reads the body of update payment method; a member that a stored method cannot change is a violation.
pub fn read_update_methods(body: &[u8], limits: &Limits) -> Result<Received<MethodUpdates>, ReadError> {
    let mut request: PayerRequest<'_> = codec::decode(Format::Json, body, limits)?;
    let under = Under::from(&request.token);
    let updates = std::mem::take(&mut request.payment_methods).into_iter().map(Method::update);
    let updates = updates.fold(request.onto(MethodUpdates::builder()), MethodUpdatesBuilder::update);
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
    let answer: PayerAnswer<'_> = read(&document, limits)?;
    answer.reply().map_err(refused)
}

/// Writes the answer to new and update payer, and to new and update payment method.
pub fn encode(reply: &Reply<SavedPayer>) -> Vec<u8> {
    write(&PayerAnswer::of(reply))
}

/// Reads the postback of a payer page; `None` for another postback.
pub(super) fn postback(document: &[u8], limits: &Limits) -> Result<Option<SavedPayer>, DecodeError> {
    let answer: PayerAnswer<'_> = read(document, limits)?;
    Ok(Some(answer.reply().map_err(refused)?.value).filter(|payer| payer.payer_id.is_some()))
}

impl<'a> PayerAnswer<'a> {
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
    let PayerAnswer { said, request_id, session_id, customer_ref_number, payer_id, payment_method_ids } =
        PayerAnswer::of(&reply);
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
