//! Card numbers are found in any text, and secrets by the names of their members.

use perennial_domain::mask::{self, Known, Members, PartKind, Prose, Secrecy};
use proptest::prelude::*;

/// Holds: A card number in a text is masked, and other digits stay.
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
        ("\u{6f0}4111111111111111\u{ff1a}", "\u{6f0}************1111\u{ff1a}"),
        ("\u{ff14}\u{661}1\u{ff11}111111111111", "************1111"),
        ("4111111111111111\u{661}", "************1111\u{661}"),
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
        ("d15e31a5-dafe-4174-9399-16341bc817d2", "d15e31a5-dafe-4174-9399-16341bc817d2"),
        ("(824872db-fb0c-4504-8009-8448b666b1f7)", "(824872db-fb0c-4504-8009-8448b666b1f7)"),
        (
            "d15e31a5-dafe-4174-9399-16341bc81 4111111111111111",
            "d15e31a5-dafe-****-****-*6341bc81 ************1111",
        ),
        ("00000000-0000-0000-4111-111111111111", "00000000-0000-0000-****-********1111"),
        ("Zoë zahlt 50,00 €", "Zoë zahlt 50,00 €"),
        ("4111/1111/1111/1111", "****/****/****/1111"),
        ("4111%201111%201111%201111", "****%20****%20****%201111"),
        ("%34111111111111111", "************1111"),
        ("&#52;111&nbsp;1111&nbsp;1111&nbsp;1111", "****&nbsp;****&nbsp;****&nbsp;1111"),
        ("٤١١١١١١١١١١١١١١١", "************١١١١"),
        ("30/11/2026 10:00, 12.00, 1,200.00", "30/11/2026 10:00, 12.00, 1,200.00"),
    ];
    for (given, masked) in cases {
        assert_eq!(mask::card_numbers(given), masked, "{given:?}");
    }
}

/// A call knows the secrets that it sent.
///
/// Holds: A known secret is masked in a text in each of its spellings.
#[test]
fn known_secrets_in_text() {
    let known = Known::default()
        .secret("5105105105105100")
        .secret("987")
        .secret("k3y0f7a199c2beef")
        .secret("739155501234")
        .sent("987 Main St");
    let free = [
        ("5105105105105100", "***"),
        ("card 5105 1051 0510 5100.", "card ***."),
        ("5105-1051-0510-5100", "***"),
        ("5105/1051/0510/5100", "***"),
        ("5105 . 1051 . 0510 . 5100", "***"),
        ("5105\u{200b}1051\u{200b}0510\u{200b}5100", "***"),
        ("5105\r\n1051\r\n05105100", "***"),
        ("５１０５１０５１０５１０５１００", "***"),
        ("5%3105105105105100", "***"),
        ("5105%201051%2005105100", "***"),
        ("5105&#32;1051&#x20;0510&nbsp;5100", "***"),
        ("&#53;105105105105100", "***"),
        ("\\u0035105105105105100", "\\u003***"),
        ("\\u0035\\u0031\\u00305105105105100", "***"),
        ("x5105105105105100x", "x***x"),
        ("key K3Y0-F7A1-99C2-BEEF", "key ***"),
        ("key=k3y0f7a199c2beef&x=1", "key=***&x=1"),
        ("account 7391 5550 1234", "account ***"),
        ("csc 987", "csc ***"),
        ("csc=987;", "csc=***;"),
        ("(987)", "(***)"),
        ("\"987\"", "\"***\""),
        ("９８７", "***"),
        ("9 8 7", "***"),
        ("%39%38%37", "***"),
        ("code 987.", "code ***."),
        ("987 Main St", "987 Main St"),
        ("987 Other St", "*** Other St"),
        ("$987 and 987.00 and 1,987", "$987 and 987.00 and 1,987"),
        ("1987, 9870, a987, 2027-09-987", "1987, 9870, a987, 2027-09-987"),
        ("card 4111 1111 1111 1111", "card **** **** **** 1111"),
        ("", ""),
    ];
    for (given, masked) in free {
        assert_eq!(known.mask(given, Prose::Free), masked, "{given:?}");
        assert_eq!(known.mask(masked, Prose::Free), masked, "{given:?} twice");
    }
    let exact = [
        ("987", "987"),
        ("1100000000000001118", "1100000000000001118"),
        ("4111111111111111", "4111111111111111"),
        ("5105105105105100", "***"),
        ("k3y0f7a199c2beef", "***"),
    ];
    for (given, masked) in exact {
        assert_eq!(known.mask(given, Prose::Exact), masked, "{given:?}");
    }
    // A security code is masked in references too; a credential that every call sends is not.
    let known = Known::default().secret("4711").code("987").code("5105105105105100");
    let known = known.sent_reference("987/7").sent("987 Main St");
    let references = [
        ("987", "***"),
        ("INV 987", "INV ***"),
        ("INV-987", "INV-***"),
        ("987 Main St", "*** Main St"),
        ("９８７", "***"),
        ("%39%38%37", "***"),
        ("987/7", "987/7"),
        ("INV-9870", "INV-9870"),
        ("4711", "4711"),
        ("4111111111111111", "4111111111111111"),
        ("5105-1051-0510-5100", "***"),
        ("", ""),
    ];
    for (given, masked) in references {
        assert_eq!(known.mask(given, Prose::Reference), masked, "{given:?}");
        assert_eq!(known.copied().mask(given, Prose::Reference), masked, "{given:?}");
    }
    assert_eq!(known.mask("987", Prose::Exact), "987");
    assert_eq!(known.mask("987", Prose::Code), "987");
    assert_eq!(known.mask("code 987", Prose::Code), "code ***");
    assert!(!format!("{known:?}").contains("987"));
}

/// The time for a hostile text must be proportional to its length.
#[test]
fn digits_without_end_take_no_time() {
    for hostile in [
        "4 ".repeat(50_000),
        "4".repeat(100_000),
        "4111 ".repeat(20_000),
        "&a4".repeat(25_000) + &"&amp;".repeat(5_000),
        "\\u{".repeat(25_000) + &"4%25".repeat(6_250),
    ] {
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
        "card-code",
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

#[test]
fn values_have_a_path_and_the_strictest_secrecy_around_them() {
    let parts = |mut members: Members<'_>| {
        let mut parts = Vec::new();
        while let Some(part) = members.next() {
            if part.kind == PartKind::Value && !part.text.trim().is_empty() {
                parts.push(format!("{}={} {:?}", members.path(), part.text, part.secrecy));
            }
        }
        (parts.join(", "), members.is_well_formed())
    };
    for (json, values, is_well_formed) in [
        (r#"{"a":[[0,{"b":1}],{"c":"d"}]}"#, "a[0][0]=0 Open, a[0][1].b=1 Open, a[1].c=d Open", true),
        (r#"{"card":{"a":1,"csc":[2]},"b":3}"#, "card.a=1 Card, card.csc[0]=2 Secret, b=3 Open", true),
        (r#""\ud83d\ude00\n\/""#, "=\u{1f600}\n/ Open", true),
        ("[1,2", "[0]=1 Open, [1]=2 Open", false),
        (r#"{"csc":[1},2]"#, "csc[0]=1 Secret, csc[1]=2 Secret", false),
        (r#""\ud83d""#, r"=\ud83d Open", false),
        ("[one]", "[0]=one Open", false),
        ("1 2", "=1 Open, =2 Open", false),
    ] {
        assert_eq!(parts(Members::json(json)), (values.to_owned(), is_well_formed), "{json}");
    }
    for (xml, values, is_well_formed) in [
        ("<r>0<!-- 1 -->2</r>", "=02 Open", true),
        ("<r><a><b>1</b></a><csc>2</csc></r>", "a.b=1 Open, csc=2 Secret", true),
        ("<r>1<a/>2</r>", "=1 Open, =2 Open", false),
        ("<r><csc>1</r><b>2</b>", "csc=1 Secret, csc.b=2 Secret", false),
        ("<r>&a;&#52</r>", "=&a;&#52 Open", false),
        ("<r a></r>", "", false),
        ("<!DOCTYPE r><r/>", "", false),
    ] {
        assert_eq!(parts(Members::xml(xml)), (values.to_owned(), is_well_formed), "{xml}");
    }
}

/// Too deep to be remembered, a secret name counts to the end of the text.
#[test]
fn a_secret_name_counts_at_any_depth() {
    for (start, end) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}{{\"csc\":[1]}}{},2", start.repeat(100_000), end.repeat(100_000));
        let secrecy: Vec<Secrecy> = Members::json(&text)
            .filter(|part| part.kind == PartKind::Value)
            .map(|part| part.secrecy)
            .collect();
        assert_eq!(secrecy, [Secrecy::Secret; 2]);
    }
    let text = format!("{}<csc><a>1</a></csc>{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let mut members = Members::xml(&text);
    let value = members.find(|part| part.kind == PartKind::Value);
    assert_eq!(value.map(|part| part.secrecy), Some(Secrecy::Secret));
    assert!(!members.is_well_formed());
}

proptest! {
    #[test]
    fn parts_of_any_text_are_in_order(text in "[<>{}\\[\\]\"'\\\\:,/=&;! \\-?a-d0-9]*|(<csc|>|</|<!--|-->|\"|é| |='|/)*|.*") {
        for members in [Members::json(&text), Members::xml(&text)] {
            let mut from = 0;
            for part in members {
                prop_assert!(from <= part.span.start && part.span.start <= part.span.end);
                from = part.span.end;
                prop_assert!(text.get(part.span).is_some());
            }
        }
    }

    #[test]
    fn strings_are_read_and_written_as_json(text in ".*|[\u{0}-\u{1f}\"\\\\/\u{1f600}é]*", other in ".*|[\u{0}-\u{1f}]*") {
        let json = serde_json::to_string(&text).unwrap();
        let mut members = Members::json(&json);
        let part = members.next().unwrap();
        prop_assert_eq!(&part.text, &text);
        prop_assert_eq!(members.written(&part, &text), json.as_str());
        prop_assert_eq!(members.written(&part, &format!("{other}.{text}")), serde_json::to_string(&format!("{other}.{text}")).unwrap());
        prop_assert!(members.next().is_none() && members.is_well_formed());
    }

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
