//! Printed output never contains a card number, a security code, a key, or a refused value.

use std::fmt::Debug;

use perennial_domain::clearent::{
    Address, AddressBuilder, ApiKey, Capture, Charge, ChargeSource, CustomerTokenUpdate, CustomerUpdate,
    DuplicateUpdate, NewCustomer, NewCustomerToken, NewPlan, NewToken, OneTimeToken, PlanForecast,
    PlanUpdate, Refund, Settlement, TokenUpdate, TransactionRequest, TransactionUpdate,
};
use perennial_domain::{CardNumber, Rule, Secret, SecurityCode, Violations};
use proptest::prelude::*;

const CARD: &str = "4012888888881881";
const BAD_CARD: &str = "4012888888881882";
const CSC: &str = "7391";
const BAD_CSC: &str = "73917";
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.c4a7e1d0.c4a7e1d0";
const BAD_JWT: &str = "c4a7e1d0.c4a7e1d0";
const KEY: &str = "c4a7e1d0c4a7e1d0c4a7e1d0c4a7e1d0";

fn clean(shown: &dyn Debug) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        for canary in ["40128888", "88888888", CSC, "c4a7e1d0"] {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
    }
}

#[test]
fn no_value_request_builder_or_error_shows_a_secret() {
    let token = || NewToken::builder().card(CARD).exp_date("1230").csc(CSC).description("d");
    let charge = || Charge::builder().card(CARD).exp_date("1230").csc(CSC).amount("1.00");
    let refund = || Refund::builder().card(CARD).exp_date("1230").amount("1.00");
    let bad_token = || token().card(BAD_CARD).csc(BAD_CSC);
    let bad_charge = || charge().card(BAD_CARD).csc(BAD_CSC);
    let (built_token, built_charge) = (token().build().unwrap(), charge().build().unwrap());
    let built_refund = refund().build().unwrap();
    let token_error = bad_token().build().unwrap_err();
    let key_error = ApiKey::new(&format!("{KEY}\n{KEY}")).unwrap_err();
    let card_error = CardNumber::try_from(BAD_CARD).unwrap_err();
    let shown: [&dyn Debug; 30] = [
        &CardNumber::try_from(CARD).unwrap(),
        &card_error,
        &card_error.to_string(),
        &SecurityCode::try_from(CSC).unwrap(),
        &SecurityCode::try_from(BAD_CSC).unwrap_err(),
        &Secret::from(KEY.to_owned()),
        &ApiKey::new(KEY).unwrap(),
        &key_error,
        &key_error.to_string(),
        &ChargeSource::try_from(CARD).unwrap(),
        &ChargeSource::try_from(BAD_CARD).unwrap_err(),
        &OneTimeToken::try_from(JWT).unwrap(),
        &ChargeSource::from(OneTimeToken::try_from(JWT).unwrap()),
        &OneTimeToken::try_from(BAD_JWT).unwrap_err(),
        &Charge::builder().amount("25.00").card(OneTimeToken::try_from(JWT).unwrap()).build().unwrap(),
        &token(),
        &built_token,
        &built_token.fields(),
        &bad_token(),
        &token_error,
        &token_error.to_string(),
        &charge(),
        &built_charge,
        &built_charge.fields(),
        &bad_charge(),
        &bad_charge().build().unwrap_err().to_string(),
        &built_refund,
        &built_refund.fields(),
        &TransactionRequest::Sale(charge().build().unwrap()),
        &TransactionRequest::Refund(refund().build().unwrap()),
    ];
    shown.into_iter().for_each(clean);
}

/// All texts that a message may consist of.
fn wording() -> String {
    let rules = [
        Rule::Required,
        Rule::Empty,
        Rule::TooLong { max: 4_000 },
        Rule::TooLong { max: 100 },
        Rule::ControlCharacter { at: 0 },
        Rule::Key,
        Rule::AmountFormat,
        Rule::AmountTooSmall,
        Rule::AmountTooLarge,
        Rule::CardFormat,
        Rule::CardChecksum,
        Rule::SecurityCode,
        Rule::ExpiryFormat,
        Rule::LastFour,
        Rule::DateFormat,
        Rule::FrequencyDay,
        Rule::PlanType,
        Rule::OneOf("ACTIVE, INACTIVE, DELETED, SUSPENDED, CANCELED, MONTHLY"),
        Rule::OneOf("invoice"),
        Rule::OneOf("VISA, MASTERCARD, AMERICAN EXPRESS, DISCOVER, DINERS CLUB, JCB"),
        Rule::Count,
        Rule::Minutes,
        Rule::Profile,
        Rule::Flag,
    ];
    rules.map(|rule| rule.to_string()).join("; ")
}

/// Passes the text to every setter, expects each to refuse it by field name, and returns the violations.
macro_rules! refuse_all {
    ($text:expr; $( $Request:ident { $( $setter:ident )+ } )+) => {
        [$( {
            let violations = $Request::builder()$( .$setter($text) )+.build().expect_err("every field refuses");
            for setter in [$( stringify!($setter) ),+] {
                let field = match setter {
                    "plan_type" => "type".to_owned(),
                    "is_default" => "default".to_owned(),
                    _ => setter.replace('_', "-"),
                };
                assert!(violations.names(&field), "{field} of {}", stringify!($Request));
            }
            violations
        } ),+]
    };
}

fn address(text: &str) -> AddressBuilder {
    Address::builder()
        .first_name(text)
        .last_name(text)
        .company(text)
        .street(text)
        .street2(text)
        .city(text)
        .state(text)
        .zip(text)
        .country(text)
        .phone(text)
}

fn refusals(text: &str) -> Vec<Violations> {
    let nested =
        NewCustomer::builder().billing_address(address(text)).shipping_address(address(text)).build();
    let nested = nested.expect_err("every field refuses");
    assert_eq!(nested.iter().filter(|violation| violation.field.contains('.')).count(), 20);
    let flat = refuse_all! { text;
        NewCustomer { first_name last_name customer_key email phone comments }
        CustomerUpdate { first_name last_name email phone comments status }
        NewToken { card exp_date csc description customer_key avs_address avs_zip avs_required card_type }
        TokenUpdate { customer_key status description }
        NewCustomerToken { token_id exp_date card_type last_four_digits description is_default avs_address avs_zip }
        CustomerTokenUpdate { token_id description is_default avs_address avs_zip }
        NewPlan { customer_key token_id frequency payment_amount start_date end_date plan_name frequency_day status plan_type
            customer_name email_address email_receipt }
        PlanUpdate { plan_name plan_type customer_key customer_name token_id frequency frequency_day payment_amount start_date
            end_date status email_address email_receipt }
        PlanForecast { start_date frequency frequency_day end_date }
        Charge { amount card exp_date csc card_type invoice purchase_order order_id customer_id description comments client_ip
            email_address email_receipt sales_tax_amount tip_amount check_field create_token token_description
            billing_is_shipping authorization_code software_type
            software_type_version }
        Capture { id amount tip_amount sales_tax_amount }
        Refund { amount id card exp_date invoice order_id comments }
        Settlement { total_count net_amount }
        TransactionUpdate { tip_amount }
        DuplicateUpdate { enabled check_merchant_level include_invoice use_invoice_instead_of_card time_range_in_minutes
            if_duplicate_found_respond_with_error }
    };
    flat.into_iter().chain([nested]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Holds: No violation repeats the value that it refuses.
    #[test]
    fn no_violation_repeats_what_it_refused(text in "[A-Za-z0-9]{4,30}|[0-9]{4,30}|\\PC{4,20}") {
        let wording = wording();
        // A control character makes every field refuse the value, including free text.
        let refused = format!("{text}\u{1}");
        let characters: Vec<char> = text.chars().collect();
        for violations in refusals(&refused) {
            for violation in &violations {
                let message = violation.rule.to_string();
                for window in characters.windows(4) {
                    let part: String = window.iter().collect();
                    let ours = wording.contains(&part);
                    prop_assert!(!message.contains(&part) || ours, "{part:?} in {message}");
                }
            }
        }
    }
}
