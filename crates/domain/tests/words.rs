//! Keys, texts, flags and the words of the wire: the values that a request allows and the values that a response
//! allows.

use perennial_domain::clearent::{
    BatchStatus, ChargeSource, CheckField, Count, CustomerKey, CustomerStatus, Flag, Frequency, FrequencyDay,
    LastFour, Minutes, OneTimeToken, PlanKey, PlanStatus, PlanType, Reference, TokenId, TokenStatus,
    TransactionId, TransactionResult, TransactionType,
};
use perennial_domain::{CardBrand, InvalidValue, Rule, Text};
use proptest::prelude::*;

fn rule<T>(read: Result<T, InvalidValue>) -> Option<Rule> {
    read.err().map(|error| error.0)
}

#[test]
fn a_key_is_one_segment_of_a_path() {
    let longest = "a".repeat(100);
    let too_long = "a".repeat(101);
    let cases = [
        ("cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10", true),
        ("1100000000555551111", true),
        ("a", true),
        ("a.b:c-d_E9", true),
        ("...a", true),
        (&*longest, true),
        (&*too_long, false),
        ("", false),
        (".", false),
        ("..", false),
        ("...", false),
        ("a/b", false),
        ("../a", false),
        ("a%2fb", false),
        ("a?b", false),
        ("a#b", false),
        ("a b", false),
        (" a", false),
        ("a\n", false),
        ("a\\b", false),
        ("clé", false),
        ("１", false),
        ("a\u{0}", false),
    ];
    for (text, good) in cases {
        let expected = (!good).then_some(Rule::Key);
        assert_eq!(rule(CustomerKey::try_from(text)), expected, "{text:?}");
        assert_eq!(rule(PlanKey::try_from(text.to_owned())), expected, "{text:?}");
        assert_eq!(rule(text.parse::<TokenId>()), expected, "{text:?}");
        assert_eq!(rule(TransactionId::try_from(text)), expected, "{text:?}");
    }
}

#[test]
fn a_window_has_1_to_60_minutes() {
    for minutes in 0..=70_u8 {
        let expected = (!(1..=60).contains(&minutes)).then_some(Rule::Minutes);
        assert_eq!(rule(Minutes::try_from(minutes)), expected);
        assert_eq!(rule(Minutes::try_from(&*minutes.to_string())), expected);
    }
    for text in ["", "+5", "5.0", "256", "five"] {
        assert_eq!(rule(Minutes::try_from(text)), Some(Rule::Minutes), "{text:?}");
    }
}

#[test]
fn a_count_is_digits() {
    let cases = [
        ("0", Some(0)),
        ("007", Some(7)),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        ("18446744073709551616", None),
    ];
    for (text, expected) in cases {
        assert_eq!(Count::try_from(text).ok(), expected.map(Count), "{text:?}");
    }
}

#[test]
fn texts_hold_something_and_nothing_that_xml_cannot() {
    let longest = "é".repeat(4_000);
    let too_long = "é".repeat(4_001);
    let cases = [
        ("Ada", None),
        (" Ada ", None),
        ("two\nlines\r\n\tindented", None),
        ("<b>&amp;</b>]]>", None),
        ("Žofie 花子 🦀", None),
        ("\u{fffd}", None),
        (&*longest, None),
        (&*too_long, Some(Rule::TooLong { max: 4_000 })),
        ("", Some(Rule::Empty)),
        (" \t\r\n", Some(Rule::Empty)),
        ("\u{a0}\u{3000}", Some(Rule::Empty)),
        ("\u{0}", Some(Rule::ControlCharacter { at: 1 })),
        ("é\u{0}", Some(Rule::ControlCharacter { at: 2 })),
        ("a\u{1b}[31m", Some(Rule::ControlCharacter { at: 2 })),
        ("a\u{b}", Some(Rule::ControlCharacter { at: 2 })),
        ("a\u{7f}", Some(Rule::ControlCharacter { at: 2 })),
        ("a\u{85}", Some(Rule::ControlCharacter { at: 2 })),
        ("a\u{fffe}", Some(Rule::ControlCharacter { at: 2 })),
        ("a\u{ffff}", Some(Rule::ControlCharacter { at: 2 })),
    ];
    for (text, expected) in cases {
        assert_eq!(rule(Text::try_from(text)), expected, "{text:?}");
        assert_eq!(rule(Text::try_from(text.to_owned())), expected, "{text:?}");
        assert_eq!(rule(Text::try_from(&text.to_owned())), expected, "{text:?}");
    }
}

#[test]
fn references_have_at_most_100_characters() {
    let cases = [
        ("inv-1".to_owned(), None),
        ("é".repeat(100), None),
        ("é".repeat(101), Some(Rule::TooLong { max: 100 })),
        (String::new(), Some(Rule::Empty)),
        ("a\u{1}".to_owned(), Some(Rule::ControlCharacter { at: 2 })),
    ];
    for (text, expected) in cases {
        assert_eq!(rule(Reference::try_from(&*text)), expected, "{text:?}");
        assert_eq!(rule(Reference::try_from(text)), expected);
    }
}

#[test]
fn frequency_days_are_1_to_28() {
    for day in 0..=40 {
        let expected = (!(1..=28).contains(&day)).then_some(Rule::FrequencyDay);
        assert_eq!(rule(FrequencyDay::new(day)), expected);
        assert_eq!(rule(FrequencyDay::try_from(day)), expected);
        assert_eq!(rule(FrequencyDay::try_from(day.to_string())), expected);
    }
    let cases = [
        ("06", true),
        ("6", true),
        ("006", false),
        ("+6", false),
        ("-6", false),
        ("6.0", false),
        ("", false),
        (" 6", false),
        ("٦", false),
        ("é", false),
    ];
    for (text, good) in cases {
        assert_eq!(FrequencyDay::try_from(text).is_ok(), good, "{text:?}");
    }
    assert_eq!(rule(FrequencyDay::new(u32::MAX)), Some(Rule::FrequencyDay));
}

#[test]
fn flags_last_fours_and_types() {
    for (text, expected) in [
        ("true", Some(true)),
        ("FALSE", Some(false)),
        ("1", None),
        ("", None),
        ("yes", None),
        (" true", None),
    ] {
        assert_eq!(Flag::try_from(text).ok().map(|flag| flag.0), expected, "{text:?}");
    }
    for (text, good) in [
        ("1111", true),
        ("0000", true),
        ("111", false),
        ("11111", false),
        ("1a11", false),
        ("éé", false),
        ("", false),
    ] {
        assert_eq!(LastFour::try_from(text).is_ok(), good, "{text:?}");
    }
    for (text, good) in [("SUBSCRIPTION", true), ("Subscription", true), ("", false), ("INSTALLMENT", false)]
    {
        assert_eq!(PlanType::try_from(text).is_ok(), good, "{text:?}");
    }
}

#[test]
fn what_is_charged_is_a_token_when_it_begins_with_11_and_a_card_otherwise() {
    let cases = [
        ("1100000000555551111", "Token"),
        (" 1100000000555551111 ", "Token"),
        ("4111111111111111", "Card"),
        ("4111 1111 1111 1111", "Card"),
        ("4111111111111112", "must be a card number whose check digit is right (Luhn)"),
        ("tok_1", "must be a card number of 12 to 19 digits"),
        ("", "must be a card number of 12 to 19 digits"),
        ("11/..", "must be 1 to 100 characters of A-Z, a-z, 0-9, '_', '-', '.' and ':'"),
    ];
    for (text, expected) in cases {
        let read = match ChargeSource::try_from(text) {
            Ok(ChargeSource::Card(_)) => "Card".to_owned(),
            Ok(ChargeSource::Token(_)) => "Token".to_owned(),
            Ok(ChargeSource::OneTimeToken(_)) => "OneTimeToken".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(read, expected, "{text:?}");
    }
}

#[test]
fn one_time_tokens_have_three_parts() {
    let long = format!("a.b.{}", "c".repeat(4_093));
    let cases = [
        ("eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbiI6IjEifQ.c2ln-_0", true),
        (" a.b.c\n", true),
        ("a.b", false),
        ("a.b.c.d", false),
        ("a..c", false),
        ("a.b.c=", false),
        ("a.b c.d", false),
        ("4111111111111111", false),
        ("", false),
        (&long[..4_096], true),
        (&long, false),
    ];
    for (text, is_one) in cases {
        let read = OneTimeToken::try_from(text);
        assert_eq!(read.is_ok(), is_one, "{text:.40}");
        let why = "must be a one-time token: a JWT, whose three parts have dots between them";
        assert!(
            read.is_ok_and(|token| token.expose() == text.trim())
                || OneTimeToken::try_from(text).unwrap_err().to_string() == why
        );
    }
}

/// One line per word: every spelling that a request allows, the written form, and one that only a response allows.
macro_rules! words {
    ($( $test:ident: $Word:ident [ $( $spelling:literal => $written:literal ),* ] not $unknown:literal; )*) => {
        $(
            #[test]
            fn $test() {
                for (spelling, written) in [$( ($spelling, $written) ),*] {
                    for text in [spelling.to_owned(), spelling.to_lowercase(), format!(" {spelling}\n")] {
                        assert_eq!($Word::try_from(&*text).unwrap().as_str(), written, "{text:?}");
                        assert_eq!(text.parse(), $Word::try_from(text.clone()));
                        assert_eq!($Word::reported(&text), $Word::try_from(&*text).unwrap());
                        assert_eq!($Word::reported(&text).to_string(), written);
                    }
                }
                assert!(matches!(rule($Word::try_from($unknown)), Some(Rule::OneOf(_))));
                assert_eq!($Word::reported(&$unknown.to_lowercase()).as_str(), $unknown);
                assert!(matches!(rule($Word::try_from("")), Some(Rule::OneOf(_))));
            }
        )*
    };
}

words! {
    plan_statuses: PlanStatus ["ACTIVE" => "ACTIVE", "SUSPENDED" => "SUSPENDED", "CANCELED" => "CANCELED", "CANCELLED" => "CANCELED"] not "PAUSED";
    token_statuses: TokenStatus ["ACTIVE" => "ACTIVE", "INACTIVE" => "INACTIVE", "DELETED" => "DELETED"] not "OPEN";
    customer_statuses: CustomerStatus ["ACTIVE" => "ACTIVE", "INACTIVE" => "INACTIVE"] not "ARCHIVED";
    frequencies: Frequency ["MONTHLY" => "MONTHLY"] not "WEEKLY";
    results: TransactionResult ["APPROVED" => "APPROVED", "DECLINED" => "DECLINED", "ERROR" => "ERROR"] not "PARTIAL";
    types: TransactionType ["SALE" => "SALE", "AUTH" => "AUTH", "CAPTURE" => "CAPTURE", "FORCED SALE" => "FORCED SALE",
        "REFUND" => "REFUND", "VOID" => "VOID", "UNMATCHED REFUND" => "UNMATCHED REFUND"] not "CARD INQUIRY";
    batch_statuses: BatchStatus ["OPEN" => "OPEN", "PENDING" => "PENDING", "CLOSED" => "CLOSED"] not "SETTLED";
    check_fields: CheckField ["invoice" => "invoice", "Invoice" => "invoice"] not "CARD";
    brands: CardBrand ["VISA" => "VISA", "MASTERCARD" => "MASTERCARD", "AMERICAN EXPRESS" => "AMERICAN EXPRESS",
        "DISCOVER" => "DISCOVER", "DINERS CLUB" => "DINERS CLUB", "JCB" => "JCB"] not "UNIONPAY";
}

/// Holds: No transition leaves the status CANCELED.
#[test]
fn nothing_leaves_canceled() {
    let (active, suspended, canceled) = (PlanStatus::ACTIVE, PlanStatus::SUSPENDED, PlanStatus::CANCELED);
    let unknown = PlanStatus::reported("paused");
    let cases = [
        (&active, &active, true),
        (&active, &suspended, true),
        (&active, &canceled, true),
        (&active, &unknown, true),
        (&suspended, &active, true),
        (&suspended, &suspended, true),
        (&suspended, &canceled, true),
        (&suspended, &unknown, true),
        (&canceled, &active, false),
        (&canceled, &suspended, false),
        (&canceled, &canceled, true),
        (&canceled, &unknown, false),
        (&unknown, &active, true),
        (&unknown, &suspended, true),
        (&unknown, &canceled, true),
        (&unknown, &unknown, true),
    ];
    for (from, to, allowed) in cases {
        assert_eq!(rule(from.become_status(to)), (!allowed).then_some(Rule::PlanCancelled), "{from} to {to}");
    }
}

proptest! {
    #[test]
    fn a_key_that_is_read_needs_no_escape(text in "[ -~]{0,8}|\\PC{0,6}") {
        if let Ok(key) = CustomerKey::try_from(&*text) {
            prop_assert!(key.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(&b)));
            prop_assert_eq!(key.to_string(), text);
        }
    }

    /// Holds: An unknown word in a response is a value and keeps its spelling.
    #[test]
    fn any_reported_word_is_read_and_stays_the_same(text in any::<String>()) {
        let word = PlanStatus::reported(&text);
        prop_assert_eq!(PlanStatus::reported(word.as_str()), word);
    }
}

/// A request without card data can be stored, and compared with a later one. The requests with card data, which cannot,
/// are in `secrecy.rs`.
#[test]
fn requests_without_card_data_clone_and_compare() {
    use perennial_domain::{Invoice, InvoiceLine, clearent, clientpay};

    fn kept<T: Clone + PartialEq + Eq>() {}
    macro_rules! kept { ($($Request:ty)*) => { $( kept::<$Request>(); )* }; }
    kept! {
        Invoice InvoiceLine
        clearent::Address clearent::Settlement clearent::NewCustomer clearent::CustomerUpdate clearent::DuplicateUpdate
        clearent::NewPlan clearent::PlanUpdate clearent::PlanForecast clearent::TokenUpdate clearent::NewCustomerToken
        clearent::CustomerTokenUpdate clearent::Capture clearent::TransactionUpdate clearent::Void
        clientpay::Address clientpay::InvoicePage clientpay::LineItemPage clientpay::ConnectPage clientpay::PayerPage
        clientpay::Invoice clientpay::ConnectInvoice clientpay::LineItem clientpay::LineItemLabels
        clientpay::ConnectSearch clientpay::PaymentFilter clientpay::PaymentSearch clientpay::PageOptions
        clientpay::ResponseOptions clientpay::Refund clientpay::NewPayer clientpay::PayerUpdate
        clientpay::MethodUpdate clientpay::MethodUpdates
    }

    let named =
        |name: &str| clearent::NewCustomer::builder().first_name("Ada").last_name(name).build().unwrap();
    assert_eq!(named("Byron").clone(), named("Byron"));
    assert_ne!(named("Byron"), named("Lovelace"));
}
