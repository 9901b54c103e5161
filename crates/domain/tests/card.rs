//! Card numbers, security codes and expiries.

use perennial_domain::{AsGateway, CardBrand, CardNumber, Expiry, NaiveDate, Rule, SecurityCode};
use proptest::prelude::*;

/// The digit that gives these digits a correct Luhn check, found by trial so that it shares no code with the crate.
fn with_check_digit(body: &str) -> String {
    let doubled = |digit: u32| if digit < 5 { digit * 2 } else { digit * 2 - 9 };
    let mut sum = 0;
    for (place, c) in body.chars().rev().enumerate() {
        let digit = c.to_digit(10).unwrap_or_default();
        sum += if place % 2 == 0 { doubled(digit) } else { digit };
    }
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn rule(text: &str) -> Option<Rule> {
    CardNumber::try_from(text).err().map(|error| error.0)
}

#[test]
fn numbers_are_digits_with_spaces_and_hyphens_that_pass_luhn() {
    let cases = [
        ("4111111111111111", None),
        ("4111 1111 1111 1111", None),
        ("4111-1111-1111-1111", None),
        (" 4111 1111-11111111 ", None),
        ("378282246310005", None),
        ("5555555555554444", None),
        ("6011111111111117", None),
        ("3530111333300000", None),
        ("30569309025904", None),
        ("4111111111111112", Some(Rule::CardChecksum)),
        ("4111111111111110", Some(Rule::CardChecksum)),
        ("0000000000000000", Some(Rule::CardChecksum)),
        ("", Some(Rule::CardFormat)),
        ("    ", Some(Rule::CardFormat)),
        ("----------------", Some(Rule::CardFormat)),
        ("4111.1111.1111.1111", Some(Rule::CardFormat)),
        ("4111111111111111\n", Some(Rule::CardFormat)),
        ("4111\u{a0}111111111111", Some(Rule::CardFormat)),
        ("4111\u{2013}111111111111", Some(Rule::CardFormat)),
        ("411111111111111x", Some(Rule::CardFormat)),
        ("+411111111111111", Some(Rule::CardFormat)),
        ("٤١١١١١١١١١١١١١١١", Some(Rule::CardFormat)),
        ("４１１１１１１１１１１１１１１１", Some(Rule::CardFormat)),
        ("XXXXXXXXXXXX1111", Some(Rule::CardFormat)),
    ];
    for (text, expected) in cases {
        assert_eq!(rule(text), expected, "{text:?}");
        assert_eq!(CardNumber::try_from(text.to_owned()).err().map(|error| error.0), expected, "{text:?}");
        assert_eq!(text.parse::<CardNumber>().err().map(|error| error.0), expected, "{text:?}");
    }
}

#[test]
fn lengths_are_12_to_19_digits() {
    for length in 11..=20 {
        let number = with_check_digit(&"4".repeat(length - 1));
        let expected = if (12..=19).contains(&length) { None } else { Some(Rule::CardFormat) };
        assert_eq!(rule(&number), expected, "{length} digits");
    }
}

#[test]
fn brands_at_the_edges_of_their_ranges() {
    let cases = [
        ("4", Some(CardBrand::VISA)),
        ("50", None),
        ("51", Some(CardBrand::MASTERCARD)),
        ("55", Some(CardBrand::MASTERCARD)),
        ("56", None),
        ("2220", None),
        ("2221", Some(CardBrand::MASTERCARD)),
        ("2720", Some(CardBrand::MASTERCARD)),
        ("2721", None),
        ("33", None),
        ("34", Some(CardBrand::AMERICAN_EXPRESS)),
        ("350", None),
        ("3527", None),
        ("3528", Some(CardBrand::JCB)),
        ("3589", Some(CardBrand::JCB)),
        ("3590", None),
        ("36", Some(CardBrand::DINERS_CLUB)),
        ("37", Some(CardBrand::AMERICAN_EXPRESS)),
        ("38", Some(CardBrand::DINERS_CLUB)),
        ("39", Some(CardBrand::DINERS_CLUB)),
        ("299", None),
        ("300", Some(CardBrand::DINERS_CLUB)),
        ("305", Some(CardBrand::DINERS_CLUB)),
        ("306", None),
        ("6010", None),
        ("6011", Some(CardBrand::DISCOVER)),
        ("6012", None),
        ("622125", None),
        ("622126", Some(CardBrand::DISCOVER)),
        ("622925", Some(CardBrand::DISCOVER)),
        ("622926", None),
        ("643", None),
        ("644", Some(CardBrand::DISCOVER)),
        ("649", Some(CardBrand::DISCOVER)),
        ("65", Some(CardBrand::DISCOVER)),
        ("66", None),
        ("1100", None),
        ("9", None),
    ];
    for (prefix, expected) in cases {
        let card = CardNumber::try_from(with_check_digit(&format!("{prefix:0<15}"))).unwrap();
        assert_eq!(card.brand(), expected, "{prefix}");
    }
}

/// Holds: `Debug` shows only the last four digits of a card and nothing of a security code.
#[test]
fn debug_shows_the_last_four_and_a_code_shows_nothing() {
    let card = CardNumber::try_from("4012 8888 8888 1881").unwrap();
    assert_eq!((card.expose(), card.last_four()), ("4012888888881881", "1881"));
    assert_eq!(format!("{card:?} {card:#?}"), "CardNumber(..1881) CardNumber(..1881)");
    let code = SecurityCode::try_from("7391").unwrap();
    assert_eq!(format!("{code:?} {code:#?}"), "SecurityCode(..) SecurityCode(..)");
}

#[test]
fn security_codes_are_three_or_four_digits() {
    let cases = [
        ("999", Some("999")),
        ("0000", Some("0000")),
        (" 123 ", Some("123")),
        ("", None),
        ("12", None),
        ("12345", None),
        ("12a", None),
        ("-12", None),
        ("1 2", None),
        ("١٢٣", None),
        ("é1", None),
    ];
    for (text, expected) in cases {
        for read in [SecurityCode::try_from(text), SecurityCode::try_from(text.to_owned())] {
            assert_eq!(read.as_ref().ok().map(SecurityCode::expose), expected, "{text:?}");
            assert_eq!(read.is_err_and(|error| error.0 == Rule::SecurityCode), expected.is_none());
        }
    }
}

#[test]
fn expiries_are_written_mmyy_or_mm_slash_yy() {
    let cases = [
        ("0130", Some("0130")),
        ("1299", Some("1299")),
        ("0100", Some("0100")),
        ("01/30", Some("0130")),
        (" 01/30 ", Some("0130")),
        ("", None),
        ("130", None),
        ("1/30", None),
        ("01/3", None),
        ("1/030", None),
        ("001/3", None),
        ("01-30", None),
        ("01 30", None),
        ("0030", None),
        ("1330", None),
        ("012030", None),
        ("01/2030", None),
        ("2030-01", None),
        ("+130", None),
        ("-130", None),
        ("0a30", None),
        ("٠١30", None),
        ("é/30", None),
        ("é30", None),
        ("/0130", None),
        ("0130/", None),
    ];
    for (text, expected) in cases {
        for read in [Expiry::try_from(text), Expiry::try_from(text.to_owned()), text.parse()] {
            assert_eq!(read.ok().map(|expiry| expiry.to_string()).as_deref(), expected, "{text:?}");
            assert_eq!(read.is_err_and(|error| error.0 == Rule::ExpiryFormat), expected.is_none());
        }
    }
}

#[test]
fn the_gateway_also_reads_an_expiry_without_its_leading_zero() {
    let cases = [
        ("130", Some("0130")),
        ("930", Some("0930")),
        ("0130", Some("0130")),
        ("030", None),
        ("1/3", None),
        ("13", None),
        ("a30", None),
    ];
    for (text, expected) in cases {
        let read = Expiry::try_from(AsGateway(text)).ok().map(|expiry| expiry.to_string());
        assert_eq!(read.as_deref(), expected, "{text:?}");
    }
}

#[test]
fn every_expiry_ends_with_its_month() {
    for year in 2000..=2099 {
        for month in 1..=12 {
            let expiry = Expiry::new(month, year).unwrap();
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let last = NaiveDate::from_ymd_opt(year, month, days).unwrap();
            assert_eq!(expiry.last_day(), last);
            assert!(expiry.is_valid_on(NaiveDate::MIN) && expiry.is_valid_on(last));
            assert!(!expiry.is_valid_on(last.succ_opt().unwrap()) && !expiry.is_valid_on(NaiveDate::MAX));
            assert_eq!(expiry.to_string().parse(), Ok(expiry));
        }
    }
}

#[test]
fn expiries_outside_the_century_or_the_year_are_refused() {
    let cases = [
        (0, 2030),
        (13, 2030),
        (u32::MAX, 2030),
        (257, 2030),
        (1, 1999),
        (1, 2100),
        (1, 30),
        (1, i32::MIN),
        (1, i32::MAX),
    ];
    for (month, year) in cases {
        assert_eq!(
            Expiry::new(month, year).map_err(|error| error.0),
            Err(Rule::ExpiryFormat),
            "{month} {year}"
        );
    }
}

#[test]
fn expiries_sort_by_time() {
    let [december, january] = ["1229", "0130"].map(|text| Expiry::try_from(text).unwrap());
    assert!(december < january);
}

proptest! {
    #[test]
    fn a_check_digit_passes_and_any_other_last_digit_fails(body in "[1-9][0-9]{10,17}", wrong in 1..=9u32) {
        let number = with_check_digit(&body);
        prop_assert_eq!(rule(&number), None);
        let last = number.chars().last().and_then(|c| c.to_digit(10)).unwrap_or_default();
        prop_assert_eq!(rule(&format!("{body}{}", (last + wrong) % 10)), Some(Rule::CardChecksum));
    }

    #[test]
    fn one_wrong_digit_anywhere_fails(body in "[1-9][0-9]{10,17}", place in any::<prop::sample::Index>(), wrong in 1..=9u8) {
        let mut digits = with_check_digit(&body).into_bytes();
        let place = place.index(digits.len());
        digits[place] = b'0' + (digits[place] - b'0' + wrong) % 10;
        let number = String::from_utf8(digits).unwrap();
        prop_assert_eq!(rule(&number), Some(Rule::CardChecksum));
    }

    #[test]
    fn separators_do_not_matter(body in "[1-9][0-9]{10,17}", gaps in prop::collection::vec("[ -]{0,2}", 19)) {
        let number = with_check_digit(&body);
        let spread: String = number.chars().zip(gaps).flat_map(|(digit, gap)| gap.chars().chain([digit]).collect::<Vec<_>>()).collect();
        let card = CardNumber::try_from(spread).unwrap();
        prop_assert_eq!(card.expose(), &number);
        prop_assert_eq!(card.last_four(), &number[number.len() - 4..]);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in any::<String>()) {
        let _ = (CardNumber::try_from(&*text), SecurityCode::try_from(&*text), Expiry::try_from(&*text), Expiry::try_from(AsGateway(&text)));
    }
}
