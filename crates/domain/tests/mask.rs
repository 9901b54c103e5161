//! Card numbers are found in any text, and secrets by their names.

use perennial_domain::mask;
use proptest::prelude::*;

#[test]
fn card_numbers_in_text() {
    let cases = [
        ("", ""),
        ("4111111111111111", "************1111"),
        ("4111-1111-1111-1111", "****-****-****-1111"),
        ("4111.1111.1111.1111", "****.****.****.1111"),
        ("4111_1111_1111_1111", "****_****_****_1111"),
        ("4111 - 1111 - 1111 - 1111.", "**** - **** - **** - 1111."),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "* * * * * * * * * * * * 1 1 1 1"),
        ("378282246310005 and 30569309025904", "***********0005 and **********5904"),
        ("６０１１１１１１１１１１１１１７", "************１１１７"),
        ("41111111\u{200b}11111111", "********\u{200b}****1111"),
        ("4111\u{a0}1111\u{2011}1111\u{202f}1111", "****\u{a0}****\u{2011}****\u{202f}1111"),
        ("4111\t1111\n1111\u{b7}1111", "****\t****\n****\u{b7}1111"),
        ("pan=4111111111111111;exp=1230", "pan=************1111;exp=1230"),
        ("qty 1 4111 1111 1111 1111", "qty 1 **** **** **** 1111"),
        ("id 22 4111111111111111", "id 22 ************1111"),
        ("3 of 4111 1111 1111 1111", "3 of **** **** **** 1111"),
        ("4111111111111111-999", "************1111-999"),
        ("4111111111111111 1230", "************1111 1230"),
        ("id 22 4111 1111 1111 1111", "id ** **** **** **** 1111"),
        ("%B4111111111111111^DOE/J^2512", "%B************1111^DOE/J^2512"),
        ("4111111111111111, 5555555555554444", "************1111, ************4444"),
        ("5555555555554444 4111111111111111", "************4444 ************1111"),
        ("41111111111111111230", "****************1230"),
        ("00000004111111111111111", "*******************1111"),
        ("141111111111111111230", "*****************1230"),
        ("0000000000000000", "0000000000000000"),
        ("4111    1111 1111 1111", "4111    1111 1111 1111"),
        ("4111111111111112", "4111111111111112"),
        ("2345678903", "2345678903"),
        ("314 555 0100", "314 555 0100"),
        ("2026-05-01T14:31:12.464Z", "2026-05-01T14:31:12.464Z"),
        ("token 1100000000000001118", "token 1100000000000001118"),
        ("token 11000000005555511112", "token 11000000005555511112"),
        ("1100000000000001118 4111111111111111", "1100000000000001118 ************1111"),
        ("Zoë zahlt 50,00 €", "Zoë zahlt 50,00 €"),
    ];
    for (given, masked) in cases {
        assert_eq!(mask::card_numbers(given), masked, "{given:?}");
    }
}

/// A hostile text must not cost more than its length.
#[test]
fn digits_without_end_take_no_time() {
    for hostile in ["4 ".repeat(50_000), "4".repeat(100_000), "4111 ".repeat(20_000)] {
        assert_eq!(mask::card_numbers(&hostile).len(), 100_000);
    }
}

#[test]
fn secret_names() {
    for name in [
        "card",
        "Card",
        "CSC",
        "cvv",
        "CVC2",
        "x:csc",
        "a:b:Csc",
        "api-key",
        "api_key",
        "apiKey",
        "API-KEY",
        "x-api-key",
        "card number",
        "cardNumber",
        "security-code",
        "track2-data",
        "encrypted-track-data",
        "Authorization",
        "account_pin",
        "accountNumber",
        "customerPin",
    ] {
        assert!(mask::is_secret_name(name), "{name}");
    }
    for name in [
        "",
        ":",
        "csc:x",
        "card-type",
        "token-id",
        "requestId",
        "last-four-digits",
        "authorization-code",
        "description",
    ] {
        assert!(!mask::is_secret_name(name), "{name}");
    }
}

proptest! {
    #[test]
    fn a_card_is_masked_between_any_other_numbers(
        before in "[2356789]{1,8}",
        after in "[2356789]{1,8}",
        gap in "[ ._\u{a0}-]{1,3}",
    ) {
        let given = [before.as_str(), "4111", "1111", "1111", "1111", after.as_str()].join(&gap);
        let masked = mask::card_numbers(&given);
        prop_assert!(!masked.contains("4111"), "{}", masked);
    }
}
