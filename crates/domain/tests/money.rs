//! Amounts: parsed by a strict grammar, stored in whole cents, written with two decimals.

use perennial_domain::{Amount, AsGateway, Rule, Total};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Holds: An amount is read by a strict grammar and is at least 0.01.
#[test]
fn text_is_read_by_a_strict_grammar() {
    use Rule::{AmountFormat as Format, AmountTooLarge as TooLarge, AmountTooSmall as TooSmall};
    let cases = [
        ("50", Ok(5_000)),
        ("50.0", Ok(5_000)),
        ("50.00", Ok(5_000)),
        ("0.01", Ok(1)),
        ("0.1", Ok(10)),
        ("0050.00", Ok(5_000)),
        ("000000000000000000000000000000000000000000000.01", Ok(1)),
        ("999999999.99", Ok(99_999_999_999)),
        ("0", Err(TooSmall)),
        ("0.00", Err(TooSmall)),
        ("1000000000", Err(TooLarge)),
        ("999999999.995", Err(Format)),
        ("184467440737095516.16", Err(TooLarge)),
        ("99999999999999999999999999999999999999999999", Err(TooLarge)),
        ("", Err(Format)),
        (".", Err(Format)),
        (".5", Err(Format)),
        ("5.", Err(Format)),
        ("5.123", Err(Format)),
        ("5.000", Err(Format)),
        ("1.2.3", Err(Format)),
        ("1..", Err(Format)),
        ("1..2", Err(Format)),
        ("+5.00", Err(Format)),
        ("-5.00", Err(Format)),
        ("-0.00", Err(Format)),
        ("1e3", Err(Format)),
        ("1E3", Err(Format)),
        ("1.e", Err(Format)),
        ("1,000.00", Err(Format)),
        ("1_000.00", Err(Format)),
        ("1'000.00", Err(Format)),
        ("5,00", Err(Format)),
        ("1 000", Err(Format)),
        (" 5.00", Err(Format)),
        ("5.00 ", Err(Format)),
        ("5.00\n", Err(Format)),
        ("5.\u{a0}0", Err(Format)),
        ("$5.00", Err(Format)),
        ("5.00USD", Err(Format)),
        ("0x10", Err(Format)),
        ("inf", Err(Format)),
        ("NaN", Err(Format)),
        ("١٢.٣٤", Err(Format)),
        ("5.٥", Err(Format)),
        ("５.００", Err(Format)),
        ("5．00", Err(Format)),
        ("5\u{0}", Err(Format)),
    ];
    for (text, expected) in cases {
        let read = text.parse::<Amount>().map(Amount::cents).map_err(|error| error.0);
        assert_eq!(read, expected, "{text:?}");
        assert_eq!(Amount::try_from(text.to_owned()), Amount::try_from(text), "{text:?}");
    }
}

#[test]
fn the_gateway_wants_exactly_two_decimals_and_takes_nothing() {
    let cases = [
        ("100.00", Ok(10_000)),
        ("0.00", Ok(0)),
        ("100.0", Err(Rule::AmountDecimals)),
        ("100", Err(Rule::AmountDecimals)),
        ("100.000", Err(Rule::AmountDecimals)),
        ("-1.00", Err(Rule::AmountDecimals)),
        ("1e2", Err(Rule::AmountDecimals)),
        ("1000000000.00", Err(Rule::AmountTooLarge)),
    ];
    for (text, expected) in cases {
        let read = Amount::try_from(AsGateway(text)).map(Amount::cents).map_err(|error| error.0);
        assert_eq!(read, expected, "{text:?}");
    }
}

#[test]
fn a_reported_amount_may_be_nothing_but_is_no_looser() {
    assert_eq!(Amount::reported("0.00"), Ok(Amount::ZERO));
    assert_eq!(Amount::reported("0"), Ok(Amount::ZERO));
    assert_eq!(Amount::reported("80.0").map(Amount::cents), Ok(8_000));
    assert_eq!(Amount::reported("-1.00").map_err(|error| error.0), Err(Rule::AmountFormat));
}

#[test]
fn decimals_keep_their_cents_or_are_refused() {
    use Rule::{AmountFormat as Format, AmountTooLarge as TooLarge, AmountTooSmall as TooSmall};
    let cases = [
        (Decimal::new(5_000, 2), Ok(5_000)),
        (Decimal::new(50, 0), Ok(5_000)),
        (Decimal::new(5_000_000, 5), Ok(5_000)),
        (Decimal::new(1, 2), Ok(1)),
        (Decimal::new(99_999_999_999, 2), Ok(99_999_999_999)),
        (Decimal::ZERO, Err(TooSmall)),
        (-Decimal::ZERO, Err(TooSmall)),
        (Decimal::new(1, 3), Err(Format)),
        (Decimal::new(5_005, 3), Err(Format)),
        (Decimal::from_i128_with_scale(49_999_999_999_999_999_999_999_999_999, 28), Err(Format)),
        (Decimal::new(-1, 2), Err(Format)),
        (Decimal::MIN, Err(Format)),
        (Decimal::MAX, Err(TooLarge)),
        (Decimal::new(100_000_000_000, 2), Err(TooLarge)),
        (Decimal::from(u64::MAX), Err(TooLarge)),
    ];
    for (decimal, expected) in cases {
        let read = Amount::try_from(decimal).map(Amount::cents).map_err(|error| error.0);
        assert_eq!(read, expected, "{decimal}");
    }
}

#[test]
fn amounts_have_edges() {
    let cent = Amount::from_cents(1).unwrap();
    assert_eq!(Amount::MAX.checked_add(cent), None);
    assert_eq!(Amount::MAX.checked_add(Amount::ZERO), Some(Amount::MAX));
    assert_eq!(Amount::ZERO.checked_sub(cent), None);
    assert_eq!(cent.checked_sub(cent), Some(Amount::ZERO));
    assert_eq!(cent.checked_mul(Amount::MAX.cents()), Some(Amount::MAX));
    assert_eq!(cent.checked_mul(Amount::MAX.cents() + 1), None);
    assert_eq!(Amount::MAX.checked_mul(u64::MAX), None);
}

/// A sum has every cent of its parts.
///
/// Holds: Sums of money do not saturate.
#[test]
fn no_sum_stops_at_an_edge() {
    let (cent, most) = (Amount::from_cents(1).unwrap(), Amount::MAX);
    let cases = [
        (most + cent, 100_000_000_000),
        (most + most, 199_999_999_998),
        (cent - most, -99_999_999_998),
        (cent - cent, 0),
        (most * 12, 1_199_999_999_988),
        (most * 0, 0),
        (most * u32::MAX, 99_999_999_999 * 4_294_967_295),
        (Total::from_cents(i64::MAX) + most, 9_223_372_036_854_775_807 + 99_999_999_999),
        (Total::from_cents(i64::MIN) - cent, -9_223_372_036_854_775_809),
        (Total::from_cents(i64::MAX) + Total::from_cents(i64::MAX), 18_446_744_073_709_551_614),
        ([most, cent, cent].into_iter().sum(), 100_000_000_001),
        ([Total::from_cents(i64::MAX); 3].into_iter().sum(), 27_670_116_110_564_327_421),
        (std::iter::empty::<Amount>().sum(), 0),
    ];
    for (total, cents) in cases {
        assert_eq!(total.cents(), cents);
    }
    assert_eq!((most * 12).to_string(), "11999999999.88");
    let mut total = Total::ZERO;
    total += most;
    total += Total::from_cents(-1);
    assert_eq!(total.to_string(), "999999999.98");
}

/// Holds: An amount is written with two decimals.
#[test]
fn printing_has_two_decimals_and_pads() {
    let cases = [(1, "0.01"), (10, "0.10"), (5_000, "50.00"), (99_999_999_999, "999999999.99")];
    for (cents, text) in cases {
        assert_eq!(Amount::from_cents(cents).unwrap().to_string(), text);
    }
    assert_eq!(Amount::ZERO.to_string(), "0.00");
    assert_eq!(format!("{:>8}|", Amount::from_cents(5_000).unwrap()), "   50.00|");
    assert_eq!(format!("{:?}", Amount::ZERO), "Amount(0.00)");
}

/// Money never passes through a float: the crate does not contain the name of a float type.
///
/// Holds: No source file that handles money names a float type.
#[test]
fn no_source_file_names_a_float() {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            assert!(!source.contains("f32") && !source.contains("f64"), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 15, "only {read} files were read");
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(cents in 1..=Amount::MAX.cents()) {
        let amount = Amount::from_cents(cents).unwrap();
        prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        prop_assert_eq!(Amount::try_from(AsGateway(&amount.to_string())), Ok(amount));
        prop_assert_eq!(Amount::from_decimal(amount.to_decimal()), Ok(amount));
        prop_assert_eq!(amount.to_decimal().to_string(), amount.to_string());
    }

    #[test]
    fn what_is_read_prints_the_same_number(text in "[0-9]{1,9}(\\.[0-9]{1,2})?") {
        let decimal: Decimal = text.parse().unwrap();
        match text.parse::<Amount>() {
            Ok(amount) => prop_assert_eq!(amount.to_decimal(), decimal),
            Err(error) => prop_assert!(decimal.is_zero() && error.0 == Rule::AmountTooSmall),
        }
    }

    #[test]
    fn any_text_is_read_exactly_or_refused(text in "[0-9.,+eE_ -]{0,12}") {
        if let Ok(amount) = text.parse::<Amount>() {
            prop_assert_eq!(amount.to_decimal(), text.parse::<Decimal>().unwrap());
        }
    }

    #[test]
    fn sums_are_checked_sums(cents in prop::collection::vec(0..=Amount::MAX.cents(), 0..8)) {
        let amounts: Vec<Amount> = cents.iter().filter_map(|cents| Amount::from_cents(*cents).ok()).collect();
        let total = cents.iter().map(|cents| i128::from(*cents)).sum::<i128>();
        prop_assert_eq!(amounts.into_iter().sum::<Total>().cents(), total);
    }
}

/// Holds: A total can be below zero and above the largest amount.
#[test]
fn a_total_may_be_below_zero_and_above_the_largest_amount() {
    use Rule::{AmountFormat as Format, AmountTooLarge as TooLarge};
    let cases = [
        ("5.05", Ok((505, "5.05"))),
        ("-5.05", Ok((-505, "-5.05"))),
        ("-0.05", Ok((-5, "-0.05"))),
        ("0", Ok((0, "0.00"))),
        ("-0.00", Ok((0, "0.00"))),
        ("1000000000.00", Ok((100_000_000_000, "1000000000.00"))),
        ("92233720368547758.07", Ok((i64::MAX.into(), "92233720368547758.07"))),
        ("-92233720368547758.08", Ok((i64::MIN.into(), "-92233720368547758.08"))),
        ("92233720368547758.08", Err(TooLarge)),
        ("-92233720368547758.09", Err(TooLarge)),
        ("--1", Err(Format)),
        ("-", Err(Format)),
        ("+1", Err(Format)),
        ("(1.00)", Err(Format)),
        ("- 1.00", Err(Format)),
        ("-1.001", Err(Format)),
    ];
    for (text, expected) in cases {
        let read = text.parse::<Total>().map(|total| (total.cents(), total.to_string()));
        let expected = expected.map(|(cents, shown)| (cents, shown.to_owned()));
        assert_eq!(read.map_err(|error| error.0), expected, "{text:?}");
    }
    assert_eq!(Total::from(Amount::MAX).to_string(), Amount::MAX.to_string());
}

proptest! {
    #[test]
    fn a_total_comes_back(cents: i64) {
        let total = Total::from_cents(cents);
        prop_assert_eq!(total.to_string().parse(), Ok(total));
    }
}
