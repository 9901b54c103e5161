//! Properties of every request and of every reply.

use std::fmt::{Debug, Write};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use perennial_domain::clearent::{
    Address, Batch, BatchStatus, Capture, Charge, CheckAnswer, CheckSettings, CheckUpdate, Customer,
    CustomerKey, CustomerStatus, CustomerToken, CustomerTokenUpdate, CustomerUpdate, DuplicateSettings,
    ExpectedRun, Frequency, FrequencyDay, Link, NewCustomer, NewCustomerToken, NewPlan, NewToken, Payment,
    Plan, PlanStatus, PlanUpdate, PostalAddress, Refund, ResponseFilter, Settlement, Token, TokenId,
    TokenStatus, TokenUpdate, Transaction, TransactionId, TransactionResult, TransactionType, Void,
};
use perennial_domain::{Amount, CardBrand, Date, Expiry, Reported, Text, Timestamp, Total};
use perennial_wire::clearent::{
    Call, GatewayError, Page, Payload, ReadError, Reply, batch, customer, customer_token, plan, settings,
    token, transaction,
};
use perennial_wire::{EncodeError, Format, Limits};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::corpus::REPLIES;
use crate::samples::{
    CARD, CUSTOMER, FORMATS, REQUESTS, Request, TOKEN, body, corpus, customer_key, plan_key,
    reread_transaction, token_id,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_reply_comes_back_from_both_formats(reply in reply()) {
        for format in FORMATS {
            let document = reply.encode(format).unwrap();
            let read = Reply::decode(format, &document, &Limits::default());
            prop_assert_eq!(read.as_ref(), Ok(&reply), "{}", String::from_utf8_lossy(&document));
        }
    }

    #[test]
    fn a_customer_comes_back(new in new_customer(), update in customer_update()) {
        comes_back(&new, customer::create, customer::read_create);
        comes_back(
            &update,
            |format, update| customer::update(format, &customer_key(), update),
            customer::read_update,
        );
    }

    #[test]
    fn a_token_comes_back(new in new_token(), update in token_update()) {
        comes_back(&new, token::create, token::read_create);
        comes_back(&update, |format, update| token::update(format, &token_id(), update), token::read_update);
    }

    #[test]
    fn a_customer_token_comes_back(new in new_customer_token(), update in customer_token_update()) {
        comes_back(
            &new,
            |format, new| customer_token::attach(format, &customer_key(), new),
            customer_token::read_attach,
        );
        comes_back(
            &update,
            |format, update| customer_token::update(format, &customer_key(), update),
            customer_token::read_update,
        );
    }

    #[test]
    fn a_plan_comes_back(new in new_plan(), update in plan_update()) {
        comes_back(&new, plan::create, plan::read_create);
        comes_back(&update, |format, update| plan::update(format, &plan_key(), update), plan::read_update);
    }

    #[test]
    fn a_transaction_comes_back(charge in charge(), capture in capture(), refund in refund(), id in id()) {
        let void = Void { id };
        for format in FORMATS {
            for call in [
                transaction::sale(format, &charge),
                transaction::auth(format, &charge),
                transaction::capture(format, &capture),
                transaction::refund(format, &refund),
                transaction::void(format, &void),
            ] {
                let call = call.unwrap();
                let read = reread_transaction(format, body(&call).as_bytes(), format).unwrap();
                prop_assert_eq!((read.route, body(&read)), (call.route, body(&call)));
            }
        }
    }

    #[test]
    fn settings_come_back(avs in check_update(CheckAnswer::AVS), csc in check_update(CheckAnswer::CSC)) {
        comes_back(&avs, settings::update_avs, settings::read_update_avs);
        comes_back(&csc, settings::update_csc, settings::read_update_csc);
    }

    #[test]
    fn a_settlement_comes_back(settlement in settlement()) {
        comes_back(&settlement, batch::settle, batch::read_settle);
    }

    /// Holds: A message means the same in any order of its members.
    #[test]
    fn the_order_of_members_does_not_matter(seed: u64) {
        for (name, reply) in REPLIES {
            for format in FORMATS {
                let document = shuffled(format, &corpus(&format!("replies/{name}"), format), seed);
                let read = Reply::decode(format, document.as_bytes(), &Limits::default());
                prop_assert_eq!(read, Ok(reply()), "{}", document);
            }
        }
        for Request { name, reread, .. } in REQUESTS {
            for format in FORMATS {
                let golden = corpus(&format!("requests/{name}"), format);
                let read = reread(format, shuffled(format, &golden, seed).as_bytes(), format).unwrap();
                prop_assert_eq!(body(&read), golden);
            }
        }
    }
}

/// Checks that a gateway reads what a client writes, in either format; that encoding it again gives equal bytes, card
/// and code included, and that both formats give equal values.
fn comes_back<T: Debug>(
    value: &T,
    write: impl Fn(Format, &T) -> Result<Call, EncodeError>,
    read: impl Fn(Format, &[u8], &Limits) -> Result<T, ReadError>,
) {
    for format in FORMATS {
        let written = write(format, value).unwrap();
        let document = body(&written);
        let value = read(format, document.as_bytes(), &Limits::default())
            .unwrap_or_else(|error| panic!("{document}: {error}"));
        for format in FORMATS {
            let again = write(format, &value).unwrap();
            let direct = read(format, body(&again).as_bytes(), &Limits::default()).unwrap();
            assert_eq!(format!("{direct:?}"), format!("{value:?}"));
        }
        assert_eq!(body(&write(format, &value).unwrap()), document);
    }
}

/// Shuffles the members of every object; items keep their order.
pub(crate) fn shuffled(format: Format, document: &str, seed: u64) -> String {
    let place = |name: &str| BuildHasherDefault::<DefaultHasher>::new().hash_one((seed, name));
    let mut text = String::new();
    match format {
        Format::Json => shuffled_json(&serde_json::from_str(document).unwrap(), &place, &mut text),
        Format::Xml => {
            shuffled_xml(roxmltree::Document::parse(document).unwrap().root_element(), &place, &mut text);
        }
    }
    text
}

pub(crate) fn shuffled_json(value: &serde_json::Value, place: &dyn Fn(&str) -> u64, text: &mut String) {
    use serde_json::Value::{Array, Object};
    let mut separator = "";
    match value {
        Array(items) => {
            text.push('[');
            for item in items {
                text.push_str(separator);
                shuffled_json(item, place, text);
                separator = ",";
            }
            text.push(']');
        }
        Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| place(name));
            text.push('{');
            for (name, value) in members {
                write!(text, "{separator}\"{name}\":").unwrap();
                shuffled_json(value, place, text);
                separator = ",";
            }
            text.push('}');
        }
        scalar => *text += &scalar.to_string(),
    }
}

pub(crate) fn shuffled_xml(element: roxmltree::Node<'_, '_>, place: &dyn Fn(&str) -> u64, text: &mut String) {
    let name = element.tag_name().name();
    write!(text, "<{name}").unwrap();
    for attribute in element.attributes() {
        write!(text, " {}='{}'", attribute.name(), attribute.value()).unwrap();
    }
    *text += ">";
    let mut children: Vec<_> = element.children().filter(roxmltree::Node::is_element).collect();
    if children.is_empty() {
        *text += &element.text().unwrap_or_default().replace('&', "&amp;");
    }
    children.sort_by_key(|child| place(child.tag_name().name()));
    for child in children {
        shuffled_xml(child, place, text);
    }
    write!(text, "</{name}>").unwrap();
}

/// Texts that are not blank, of letters and of all characters that either format escapes, changes or trims.
///
/// Boxed, as other frequent parts are: the values of a whole reply would not fit on the stack.
fn string() -> BoxedStrategy<String> {
    "([ \t\n\r&<>\"'\\\\/;#\\]]|[\u{20}-\u{7e}\u{a0}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]){0,4}[!-~]([ \t\n\r&<>\"]|[a-z]){0,4}".boxed()
}

fn moment() -> BoxedStrategy<Timestamp> {
    string().prop_map(|text| Timestamp::reported(&text)).boxed()
}

fn text() -> BoxedStrategy<Text> {
    string().prop_map(|text| Text::try_from(text).unwrap()).boxed()
}

fn id<T: TryFrom<String, Error: Debug> + Debug>() -> impl Strategy<Value = T> {
    "[A-Za-z0-9_][A-Za-z0-9_.:-]{0,30}".prop_map(|text| T::try_from(text).unwrap())
}

fn amount() -> impl Strategy<Value = Amount> {
    (1..=Amount::MAX.cents()).prop_map(|cents| Amount::from_cents(cents).unwrap())
}

fn reported_amount() -> impl Strategy<Value = Amount> {
    prop_oneof![9 => amount(), 1 => Just(Amount::ZERO)]
}

fn date() -> impl Strategy<Value = Date> {
    (1970..2200, 1..=12, 1..=28)
        .prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}").parse().unwrap())
}

fn expiry() -> impl Strategy<Value = Expiry> {
    (1_u32..=12, 2000..2100).prop_map(|(month, year)| Expiry::new(month, year).unwrap())
}

fn brand() -> impl Strategy<Value = CardBrand> {
    select(vec![CardBrand::VISA, CardBrand::AMERICAN_EXPRESS, CardBrand::reported("maestro")])
}

fn day() -> impl Strategy<Value = FrequencyDay> {
    (1_u32..=28).prop_map(|day| FrequencyDay::new(day).unwrap())
}

fn last_four() -> impl Strategy<Value = String> {
    "[0-9]{4}"
}

/// A builder with each of these fields set if the strategy gives it a value.
macro_rules! given {
    ($builder:expr; $($field:ident),*) => {{
        let builder = $builder;
        $(let builder = match $field { Some(value) => builder.$field(value), None => builder };)*
        builder
    }};
}

prop_compose! {
    fn address()(
        (first_name, last_name, company, street, street2) in (of(text()), of(text()), of(text()), of(text()), of(text())),
        (city, state, zip, country, phone) in (of(text()), of(text()), of(text()), of(text()), of(text())),
    ) -> Option<Address> {
        let address = given!(Address::builder();
            first_name, last_name, company, street, street2, city, state, zip, country, phone);
        let address = address.build().unwrap();
        // An address without members is not one: a gateway reads none.
        format!("{address:?}").contains("Some").then_some(address)
    }
}

prop_compose! {
    fn new_customer()(
        (first_name, last_name, customer_key) in (text(), text(), of(id::<CustomerKey>())),
        (email, phone, comments) in (of(text()), of(text()), of(text())),
        (billing_address, shipping_address) in (address(), address()),
    ) -> NewCustomer {
        given!(NewCustomer::builder().first_name(first_name).last_name(last_name);
            customer_key, email, phone, comments, billing_address, shipping_address).build().unwrap()
    }
}

prop_compose! {
    fn customer_update()(
        (first_name, last_name, email) in (of(text()), of(text()), of(text())),
        (phone, comments) in (of(text()), text()),
        status in of(select(vec![CustomerStatus::ACTIVE, CustomerStatus::INACTIVE])),
        (billing_address, shipping_address) in (address(), address()),
    ) -> CustomerUpdate {
        given!(CustomerUpdate::builder().comments(comments);
            first_name, last_name, email, phone, status, billing_address, shipping_address).build().unwrap()
    }
}

prop_compose! {
    fn new_token()(
        card in select(vec![CARD, "371449635398431", "6759649826438453"]),
        (exp_date, csc, description) in (expiry(), of("[0-9]{3,4}"), of(text())),
        customer_key in of(id::<CustomerKey>()),
        (avs_address, avs_zip, avs_required) in (of(text()), of(text()), of(any::<bool>())),
        card_type in of(brand()),
    ) -> NewToken {
        given!(NewToken::builder().card(card).exp_date(exp_date);
            csc, description, customer_key, avs_address, avs_zip, avs_required, card_type).accept().unwrap()
    }
}

prop_compose! {
    fn token_update()(
        customer_key in of(id::<CustomerKey>()),
        status in of(select(vec![TokenStatus::ACTIVE, TokenStatus::INACTIVE, TokenStatus::DELETED])),
        description in text(),
    ) -> TokenUpdate {
        given!(TokenUpdate::builder().description(description); customer_key, status).build().unwrap()
    }
}

prop_compose! {
    fn new_customer_token()(
        (token_id, exp_date, card_type) in (id::<TokenId>(), of(expiry()), of(brand())),
        (last_four_digits, description, is_default) in (of(last_four()), of(text()), of(any::<bool>())),
        (avs_address, avs_zip) in (of(text()), of(text())),
    ) -> NewCustomerToken {
        given!(NewCustomerToken::builder().token_id(token_id);
            exp_date, card_type, last_four_digits, description, is_default, avs_address, avs_zip)
            .accept()
            .unwrap()
    }
}

prop_compose! {
    fn customer_token_update()(
        (token_id, description, is_default) in (id::<TokenId>(), of(text()), any::<bool>()),
        (avs_address, avs_zip) in (of(text()), of(text())),
    ) -> CustomerTokenUpdate {
        given!(CustomerTokenUpdate::builder().token_id(token_id).is_default(is_default);
            description, avs_address, avs_zip).build().unwrap()
    }
}

fn plan_status() -> impl Strategy<Value = PlanStatus> {
    select(vec![PlanStatus::ACTIVE, PlanStatus::SUSPENDED, PlanStatus::CANCELED])
}

prop_compose! {
    fn new_plan()(
        (token_id, payment_amount, start_date) in (id::<TokenId>(), amount(), date()),
        (plan_name, frequency_day, status) in (of(text()), of(day()), of(plan_status())),
        (customer_name, email_address, email_receipt) in (of(text()), of(text()), of(any::<bool>())),
    ) -> NewPlan {
        given!(NewPlan::builder()
            .customer_key(CUSTOMER)
            .token_id(token_id)
            .frequency(Frequency::MONTHLY)
            .payment_amount(payment_amount)
            .start_date(start_date)
            .end_date(start_date);
            plan_name, frequency_day, status, customer_name, email_address, email_receipt).accept().unwrap()
    }
}

prop_compose! {
    fn plan_update()(
        (plan_name, customer_name, token_id) in (text(), of(text()), of(id::<TokenId>())),
        (frequency_day, payment_amount, start_date) in (of(day()), of(amount()), of(date())),
        (status, email_address, email_receipt) in (of(plan_status()), of(text()), of(any::<bool>())),
    ) -> PlanUpdate {
        given!(PlanUpdate::builder().plan_name(plan_name);
            customer_name, token_id, frequency_day, payment_amount, start_date, status, email_address, email_receipt)
            .build()
            .unwrap()
    }
}

prop_compose! {
    fn charge()(
        (amount, card, exp_date) in (amount(), select(vec![CARD, TOKEN]), expiry()),
        (csc, card_type, description, comments) in (of("[0-9]{3,4}"), of(brand()), of(text()), of(text())),
        (invoice, purchase_order, order_id, customer_id) in (of(string()), of(string()), of(text()), of(text())),
        (client_ip, email_address, email_receipt) in (of(text()), of(text()), of(any::<bool>())),
        (sales_tax_amount, tip_amount, create_token) in (of(amount()), of(amount()), of(any::<bool>())),
        (token_description, billing_is_shipping) in (of(text()), of(any::<bool>())),
        (authorization_code, software_type, software_type_version) in (of(text()), of(text()), of(text())),
        (billing, shipping) in (address(), address()),
    ) -> Charge {
        given!(Charge::builder().amount(amount).card(card).exp_date(exp_date);
            csc, card_type, description, comments, invoice, purchase_order, order_id, customer_id, client_ip,
            email_address, email_receipt, sales_tax_amount, tip_amount, create_token, token_description,
            billing_is_shipping, authorization_code,
            software_type, software_type_version, billing, shipping).build().unwrap()
    }
}

prop_compose! {
    fn capture()(
        (id, amount) in (id::<TransactionId>(), amount()),
        (tip_amount, sales_tax_amount) in (of(amount()), of(amount())),
    ) -> Capture {
        given!(Capture::builder().id(id).amount(amount); tip_amount, sales_tax_amount).build().unwrap()
    }
}

prop_compose! {
    fn refund()(
        (amount, id, card, exp_date) in (amount(), of(id::<TransactionId>()), select(vec![CARD, TOKEN]), expiry()),
        (invoice, order_id, comments) in (of(string()), of(text()), of(text())),
    ) -> Refund {
        let (card, exp_date) = if id.is_some() { (None, None) } else { (Some(card), Some(exp_date)) };
        given!(Refund::builder().amount(amount); id, card, exp_date, invoice, order_id, comments)
            .build()
            .unwrap()
    }
}

fn link() -> impl Strategy<Value = Link> {
    (string(), string(), of(string())).prop_map(|(rel, href, id)| Link { rel, href, id })
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    vec(link(), 0..3)
}

prop_compose! {
    fn postal_address()(
        (first_name, last_name, company, street, street2) in
            (of(string()), of(string()), of(string()), of(string()), of(string())),
        (city, state, zip, country, phone) in
            (of(string()), of(string()), of(string()), of(string()), of(string())),
    ) -> Option<PostalAddress> {
        let address = PostalAddress {
            first_name, last_name, company, street, street2, city, state, zip, country, phone,
        };
        (address != PostalAddress::default()).then_some(address)
    }
}

prop_compose! {
    fn customer()(
        (customer_key, first_name, last_name, email) in (id(), of(string()), of(string()), of(string())),
        (phone, comments) in (of(string()), of(string())),
        status in of(select(vec![CustomerStatus::ACTIVE, CustomerStatus::reported("gone")])),
        (billing_address, shipping_address, links) in (postal_address().boxed(), postal_address().boxed(), links()),
    ) -> Customer {
        Customer {
            customer_key, first_name, last_name, email, phone, comments, status, billing_address,
            shipping_address, links,
        }
    }
}

prop_compose! {
    fn token()(
        (token_id, customer_key, description, card_type) in (of(id()), of(id()), of(string()), of(brand())),
        status in of(select(vec![TokenStatus::ACTIVE, TokenStatus::reported("lost")])),
        (last_four_digits, exp_date, is_default) in
            (of(last_four()), of(detail(expiry())), of(detail(any::<bool>()))),
        (avs_address, avs_zip, times_used) in (of(string()), of(string()), of(detail(any::<u64>()))),
        (created, updated, token_status, merchant_id) in
            (of(moment()), of(moment()), of(string()), of(string())),
    ) -> Token {
        Token {
            token_id, customer_key, status, description, card_type, last_four_digits, exp_date, avs_address,
            avs_zip, is_default, times_used, created, updated, token_status, merchant_id,
        }
    }
}

prop_compose! {
    fn customer_token()(
        (token_id, customer_key, exp_date, card_type) in
            (id(), of(id()), of(detail(expiry())), of(brand())),
        (last_four_digits, description, is_default) in
            (of(last_four()), of(string()), of(detail(any::<bool>()))),
        (avs_address, avs_zip) in (of(string()), of(string())),
    ) -> CustomerToken {
        CustomerToken {
            token_id, customer_key, exp_date, card_type, last_four_digits, description, is_default,
            avs_address, avs_zip,
        }
    }
}

prop_compose! {
    fn plan()(
        (plan_key, plan_name, plan_type) in (id(), of(string()), of(string())),
        (customer_key, customer_name, token_id) in (of(id()), of(string()), of(id())),
        frequency in of(select(vec![Frequency::MONTHLY, Frequency::reported("weekly")])),
        (frequency_day, payment_amount, start_date, end_date) in
            (of(detail(day())), of(reported_amount()), of(date()), of(date())),
        (frequency_month, frequency_week) in (of(detail(any::<u64>())), of(detail(any::<u64>()))),
        (status, status_date) in (of(plan_status()), of(moment())),
        (email_address, email_receipt, links) in (of(string()), of(detail(any::<bool>())), links()),
    ) -> Plan {
        Plan {
            plan_key, plan_name, plan_type, customer_key, customer_name, token_id, frequency, frequency_day,
            frequency_month, frequency_week,
            payment_amount, start_date, end_date, status, status_date, email_address, email_receipt, links,
        }
    }
}

prop_compose! {
    fn payment()(
        (customer_key, plan_key, transaction_id) in (of(id()), of(id()), of(id())),
        (payment_amount, status, created) in (of(reported_amount()), of(result()), of(moment())),
    ) -> Payment {
        Payment { customer_key, plan_key, transaction_id, payment_amount, status, created }
    }
}

/// Optional values. Boxed, because the records have so many members that their strategies would fill the stack.
fn of<S: Strategy + 'static>(values: S) -> BoxedStrategy<Option<S::Value>> {
    option::of(values).boxed()
}

/// A reported detail: a known value, or an unknown word.
fn detail<T: std::fmt::Debug + Clone>(known: impl Strategy<Value = T>) -> impl Strategy<Value = Reported<T>> {
    (known, any::<bool>()).prop_map(|(value, is_known)| {
        if is_known { Reported::Value(value) } else { Reported::Other("LAST".into()) }
    })
}

fn result() -> impl Strategy<Value = TransactionResult> {
    select(vec![TransactionResult::APPROVED, TransactionResult::reported("CARD_EXPIRED")])
}

prop_compose! {
    pub(crate) fn transaction()(
        (id, ref_id, result, result_code) in (of(id()), of(id()), of(result()), of("[0-9]{3}")),
        transaction_type in of(select(vec![TransactionType::SALE, TransactionType::UNMATCHED_REFUND])),
        (amount, original_amount, sales_tax_amount, tip_amount) in
            (of(reported_amount()), of(reported_amount()), of(reported_amount()), of(reported_amount())),
        (partial_approved, surcharge_applied, service_fee) in
            (of(any::<bool>()), of(any::<bool>()), of(reported_amount())),
        (display_message, status, authorization_code) in (of(string()), of(string()), of(string())),
        (card, last_four, card_type, exp_date) in
            (of("XXXXXXXXXXXX[0-9]{4}"), of(last_four()), of(brand()), of(detail(expiry()))),
        (created, batch_string_id, invoice, purchase_order) in
            (of(moment()), of(string()), of(string()), of(string())),
        (order_id, customer_id, description, comments, email_address) in
            (of(string()), of(string()), of(string()), of(string()), of(string())),
        (billing, shipping) in (postal_address().boxed(), postal_address().boxed()),
        (token_description, billing_is_shipping, entry_method) in
            (of(string()), of(detail(any::<bool>())), of("[0-9]")),
        (software_type, software_type_version) in (of(string()), of(string())),
        (avs_result_code, avs_result_code_description, csc_result_code, csc_result_code_description) in
            (of("[A-Z]"), of(string()), of("[A-Z]"), of(string())),
        (pending, settled, voided, voided_auth, check_field_duplicate) in
            (of(any::<bool>()), of(any::<bool>()), of(any::<bool>()), of(any::<bool>()), of(any::<bool>())),
        (merchant_id, terminal_id, plan_name) in (of(string()), of(string()), of(string())),
    ) -> Transaction {
        Transaction {
            id, transaction_type, amount, result, result_code, display_message, status, authorization_code,
            card, last_four, card_type, exp_date, created, batch_string_id, ref_id, original_amount,
            partial_approved, surcharge_applied, service_fee, sales_tax_amount, tip_amount, invoice, purchase_order, order_id, customer_id, description, comments,
            token_description, billing_is_shipping, entry_method,
            email_address, billing, shipping, software_type, software_type_version, avs_result_code,
            avs_result_code_description, csc_result_code, csc_result_code_description, check_field_duplicate,
            pending, settled, voided, voided_auth, merchant_id, terminal_id, plan_name,
        }
    }
}

fn total() -> impl Strategy<Value = Total> {
    any::<i64>().prop_map(Total::from_cents)
}

prop_compose! {
    fn batch()(
        (id, merchant_id, terminal_id, terminal_name) in (of(id()), of(string()), of(string()), of(string())),
        status in of(select(vec![BatchStatus::OPEN, BatchStatus::CLOSED, BatchStatus::reported("Settling")])),
        (date_opened, settled, confirmation_code) in (of(moment()), of(moment()), of(string())),
        (sales_count, refund_count, total_count) in (of(any::<u64>()), of(any::<u64>()), of(any::<u64>())),
        (sales_total, refund_total, net_amount) in (of(total()), of(total()), of(total())),
    ) -> Batch {
        Batch {
            id, status, merchant_id, terminal_id, terminal_name, date_opened, settled, confirmation_code,
            sales_count, sales_total, refund_count, refund_total, total_count, net_amount,
        }
    }
}

prop_compose! {
    fn response_filter()(
        (name, response_code, allowed, description) in
            (of(string()), of("[A-Z]"), of(any::<bool>()), of(string())),
    ) -> ResponseFilter {
        ResponseFilter { name, response_code, allowed, description }
    }
}

prop_compose! {
    fn check_settings()(enabled in of(any::<bool>()), filters in vec(response_filter(), 0..3)) -> CheckSettings {
        CheckSettings { enabled, filters }
    }
}

prop_compose! {
    fn duplicate_settings()(
        (enabled, check_merchant_level, include_invoice) in
            (of(any::<bool>()), of(any::<bool>()), of(any::<bool>())),
        (use_invoice_instead_of_card, if_duplicate_found_respond_with_error) in
            (of(any::<bool>()), of(any::<bool>())),
        time_range_in_minutes in of(any::<u64>()),
    ) -> DuplicateSettings {
        DuplicateSettings {
            enabled, check_merchant_level, include_invoice, use_invoice_instead_of_card, time_range_in_minutes,
            if_duplicate_found_respond_with_error,
        }
    }
}

prop_compose! {
    fn check_update(answers: &'static [CheckAnswer])(
        enabled in of(any::<bool>()),
        filters in vec((select(answers), any::<bool>()), 1..4),
    ) -> CheckUpdate {
        let filters = filters.iter().map(|(answer, allowed)| (answer.name, *allowed));
        CheckUpdate::new(answers, enabled, filters).unwrap()
    }
}

prop_compose! {
    fn settlement()(
        (total_count, net_amount) in (of(any::<u64>()), of(total())),
    ) -> Settlement {
        Settlement::of(&Batch { total_count, net_amount, ..Batch::default() })
    }
}

fn payload() -> impl Strategy<Value = Payload> {
    let run = (date(), of(reported_amount()))
        .prop_map(|(date, payment_amount)| ExpectedRun { date, payment_amount });
    let error = (of(string()), of("[0-9]{3}"), of(string()))
        .prop_map(|(message, result_code, time_stamp)| GatewayError { message, result_code, time_stamp });
    let refusal = "[0-9]{3}".prop_map(|result_code| {
        Payload::Error(GatewayError { result_code: Some(result_code), ..GatewayError::default() })
    });
    let several = (customer().boxed(), plan().boxed(), refusal).prop_map(|(customer, plan, refusal)| {
        Payload::Several(vec![Payload::Customer(customer.into()), Payload::Plan(plan.into()), refusal])
    });
    let transaction_token = (transaction().boxed(), token().boxed())
        .prop_map(|(sale, token)| Payload::TransactionToken(sale.into(), token.into()));
    prop_oneof![
        Just(Payload::Empty),
        customer().prop_map(|customer| Payload::Customer(customer.into())),
        vec(customer().boxed(), 0..3).prop_map(Payload::Customers),
        token().prop_map(|token| Payload::Token(token.into())),
        vec(token().boxed(), 0..3).prop_map(Payload::Tokens),
        customer_token().prop_map(|token| Payload::CustomerToken(token.into())),
        vec(customer_token(), 0..3).prop_map(Payload::CustomerTokens),
        plan().prop_map(|plan| Payload::Plan(plan.into())),
        vec(plan().boxed(), 0..3).prop_map(Payload::Plans),
        vec(run, 0..3).prop_map(Payload::ExpectedRuns),
        vec(date(), 0..3).prop_map(Payload::Forecast),
        vec(payment(), 0..3).prop_map(Payload::Payments),
        transaction().prop_map(|transaction| Payload::Transaction(transaction.into())),
        transaction_token,
        vec(transaction().boxed(), 0..3).prop_map(Payload::Transactions),
        batch().prop_map(|batch| Payload::Batch(batch.into())),
        vec(batch().boxed(), 0..3).prop_map(Payload::Batches),
        check_settings().prop_map(|settings| Payload::AvsSettings(Box::new(settings))),
        check_settings().prop_map(|settings| Payload::CscSettings(Box::new(settings))),
        duplicate_settings().prop_map(|settings| Payload::DuplicateSettings(Box::new(settings))),
        error.prop_map(Payload::Error),
        several,
    ]
}

prop_compose! {
    fn page()(
        (number, size, number_of_elements) in (of(any::<u64>()), of(any::<u64>()), of(any::<u64>())),
        (total_elements, total_pages) in (of(any::<u64>()), of(any::<u64>())),
        (first, last) in (of(any::<bool>()), of(any::<bool>())),
    ) -> Page {
        Page { number, size, number_of_elements, total_elements, total_pages, first, last }
    }
}

prop_compose! {
    fn reply()(
        (code, status, exchange_id) in (of(100_u16..600), of(string()), of(string())),
        (links, page, payload, another_type) in (links(), of(page()), payload().boxed(), any::<bool>()),
    ) -> Reply {
        let usual = payload.type_name().map(str::to_owned);
        let payload_type = match &payload {
            Payload::Transaction(_) if another_type => Some("errorTransaction".to_owned()),
            _ => usual,
        };
        Reply { code, status, exchange_id, links, page, payload_type, payload, ..Reply::default() }
    }
}
