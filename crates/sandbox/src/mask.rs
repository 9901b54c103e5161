//! Masks the secrets in recorded requests. A request that cannot be parsed is not recorded.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use perennial_domain::mask::{Members, PartKind, Secrecy};
use perennial_domain::{encoding, mask};
use perennial_wire::Format;
use serde_json::value::RawValue;

use crate::form;

/// The maximum number of body characters that are recorded.
const LONGEST: usize = 16 * 1024;
const MASK: &str = "****";

/// A body without its secrets.
pub(crate) fn body(format: Format, body: &[u8]) -> String {
    if body.trim_ascii().is_empty() {
        return String::new();
    }
    let text = encoding::utf8(body).ok();
    let masked = text.and_then(|text| masked(format, text));
    match masked {
        Some(text) if text.len() <= LONGEST => text,
        Some(text) => format!("({} bytes, too long to remember)", text.len()),
        None => format!("({} bytes that cannot be read)", body.len()),
    }
}

/// The error text for a member that holds a misplaced card number.
pub(crate) const MISPLACED_CARD: &str = "must not hold a card number";

/// Finds the first member of a request body that holds a misplaced card number: masked, it would no longer identify
/// anything, and unmasked, it would be on the disk. Members that hold cards (`card`, `cardNumber`) and free texts,
/// which are masked when they are stored, are skipped, as are unreadable bodies.
pub(crate) fn misplaced_card(format: Format, body: &[u8]) -> Option<String> {
    // However a digit is escaped, there is a digit in it.
    let may_count = |byte: &&u8| byte.is_ascii_digit() || !byte.is_ascii();
    if body.iter().filter(may_count).count() < 12 {
        return None;
    }
    let mut members = parts(format, encoding::utf8(body).ok()?)?;
    while let Some(part) = members.next().filter(|_| members.is_well_formed()) {
        let is_open = part.kind == PartKind::Value && part.secrecy == Secrecy::Open;
        if is_open && mask::holds_card(&part.text) {
            let path = members.path();
            let name = path.rsplit('.').next().and_then(|name| name.split('[').next()).unwrap_or_default();
            if !is_free_text(name) && !is_money(name, &part.text) {
                return Some(if path.is_empty() { "the body".to_owned() } else { text(&path) });
            }
        }
    }
    None
}

/// Whether a member holds text that people write and that identifies nothing.
fn is_free_text(name: &str) -> bool {
    let plain = |name: &str| {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.map(|c| c.to_ascii_lowercase()).collect::<String>()
    };
    let local = plain(name.rsplit(':').next().unwrap_or_default());
    FREE_TEXTS.contains(&&*local)
}

/// Whether a member is an amount, or a total of amounts, and has a value: a large one may look like a card number.
fn is_money(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (whole, cents) = value.trim().split_once('.').unwrap_or((value.trim(), "00"));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (name.ends_with("amount") || name.ends_with("total"))
        && (1..=12).contains(&whole.len())
        && cents.len() <= 2
        && are_digits(whole)
        && are_digits(cents)
}

/// Names of free texts of both vendors, in lower case and without separators.
const FREE_TEXTS: &[&str] = &[
    "addressline1",
    "avsaddress",
    "avszip",
    "billingcity",
    "billingstatecode",
    "billingzipcode",
    "businessname",
    "cardholdername",
    "city",
    "clientname",
    "comments",
    "company",
    "country",
    "customername",
    "description",
    "firstname",
    "footertext",
    "headertext",
    "itemdescription",
    "itemdescriptionlabel",
    "itemidlabel",
    "itemname",
    "itemnamelabel",
    "lastname",
    "matterdescription",
    "name",
    "nameonaccount",
    "planname",
    "refundnote",
    "softwaretype",
    "state",
    "street",
    "street2",
    "subheadertext",
    "tokendescription",
    "zip",
    "zipcode",
];

/// A path and its query without their secrets, decoded.
pub(crate) fn path(path_and_query: &str) -> String {
    match path_and_query.split_once('?') {
        Some((path, query)) => format!("{}?{}", text(&decoded(path)), members(query)),
        None => text(&decoded(path_and_query)),
    }
}

/// A form as a browser sends it, without its secrets, decoded.
pub(crate) fn form(body: &[u8]) -> String {
    match encoding::utf8(body).map(members) {
        Ok(text) if text.len() <= LONGEST => text,
        Ok(text) => format!("({} bytes, too long to remember)", text.len()),
        Err(_) => format!("({} bytes that cannot be read)", body.len()),
    }
}

fn members(query: &str) -> String {
    let members = query.split('&').map(|member| match member.split_once('=') {
        Some((name, value)) => {
            let name = form::decoded(name.as_bytes());
            let value = form::decoded(value.as_bytes());
            format!("{}={}", text(&name), hidden(Secrecy::of(&name), &value))
        }
        None => text(&form::decoded(member.as_bytes())),
    });
    members.collect::<Vec<_>>().join("&")
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// A value without its secrets.
fn hidden(secrecy: Secrecy, value: &str) -> Cow<'_, str> {
    let trimmed = value.trim();
    match secrecy {
        _ if trimmed.is_empty() => value.into(),
        Secrecy::Secret => MASK.into(),
        Secrecy::Card if !is_harmless(trimmed) => MASK.into(),
        Secrecy::Card | Secrecy::Open => mask::card_numbers(value),
    }
}

/// Whether a member `card` may be shown: a token, a card that is masked already, or its last four digits.
fn is_harmless(card: &str) -> bool {
    let digits = card.trim_start_matches('X');
    let is_token = digits.starts_with("1100") && matches!(card.len(), 17..=20);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && (is_token || digits.len() == 4)
}

/// Text without card numbers.
pub(crate) fn text(text: &str) -> String {
    mask::card_numbers(text).into_owned()
}

/// The parts of a body. What is not JSON has none.
fn parts(format: Format, body: &str) -> Option<Members<'_>> {
    match format {
        Format::Json => serde_json::from_str::<&RawValue>(body).ok().map(|_| Members::json(body)),
        Format::Xml => Some(Members::xml(body)),
    }
}

/// Masks a body; keeps the order of members and their text, and drops attributes, and white space around names.
fn masked(format: Format, body: &str) -> Option<String> {
    let mut members = parts(format, body)?;
    let structure = |text: &str| text.split_whitespace().collect::<String>().into();
    let mut masked = members.rewritten(structure, |members, part| {
        let shown = match part.kind {
            PartKind::Name => mask::card_numbers(&part.text),
            PartKind::Value => hidden(part.secrecy, &part.text),
            PartKind::Attribute => return Some("".into()),
        };
        Some(members.written(part, &shown))
    });
    masked.truncate(masked.trim_end().len());
    members.is_well_formed().then_some(masked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    include!("../../domain/tests/masked/messages.rs");

    #[test]
    fn members_are_masked_as_in_the_recordings_of_the_library() {
        for (given, masked) in MASKED {
            let format = if given.starts_with('<') { Format::Xml } else { Format::Json };
            assert_eq!(body(format, given.as_bytes()), masked.replace('#', MASK), "{given}");
        }
    }

    proptest! {
        #[test]
        fn no_message_is_recorded_with_a_secret((text, cards) in message(), at in any::<usize>()) {
            let format = if text.starts_with('<') { Format::Xml } else { Format::Json };
            for text in [&*text, cut(&text, at)] {
                let masked = body(format, text.as_bytes());
                prop_assert!(!shows_a_secret(&masked, &cards), "{} becomes {}", text, masked);
            }
        }
    }

    #[test]
    fn a_card_number_that_identifies_is_found_by_its_member() {
        let cases = [
            (r#"{"order-id":"4111111111111111"}"#, Some("order-id")),
            (r#"{"order-id":4111111111111111}"#, Some("order-id")),
            (r#"{"order-id":"4111 1111-1111.1111"}"#, Some("order-id")),
            (r#"{"order-id":"No. 4111111111111111/7"}"#, Some("order-id")),
            (r#"{"order-id":"\u0034111111111111111"}"#, Some("order-id")),
            (r#"{"order-id":"４１１１１１１１１１１１１１１１"}"#, Some("order-id")),
            (r#"{"a":[{"b":1},"5454545454545454"]}"#, Some("a[1]")),
            (r#"{"a":[[0,{"b":1}],[{"c":[0],"d":{"e":"5454545454545454"}}]]}"#, Some("a[1][0].d.e")),
            (r#"{"token":{"sessionId":"378282246310005"}}"#, Some("token.sessionId")),
            (r#"{"unheard-of":"6011000990139424"}"#, Some("unheard-of")),
            (r#"{"phone":"6759649826438453"}"#, Some("phone")),
            (r#"{"id":"2223003122003222 and 4111111111111111"}"#, Some("id")),
            // It fails the check, is of no brand, or is a token.
            (r#"{"order-id":"4111111111111112"}"#, None),
            (r#"{"order-id":"9111111111111111"}"#, None),
            (r#"{"order-id":"7992739871300000"}"#, None),
            (r#"{"token-id":"1100000000555551111"}"#, None),
            // Money, unless it is too much to be an amount.
            (r#"{"net-amount":"567772119091.44"}"#, None),
            (r#"{"amount":"4111111111111111"}"#, Some("amount")),
            (r#"{"order-id":"567772119091.44"}"#, Some("order-id")),
            // A card where it belongs, and texts, which are masked.
            (r#"{"card":"4111111111111111","cardNumber":"4111111111111111"}"#, None),
            (r#"{"comments":"4111111111111111","billing":{"street":"4111111111111111"}}"#, None),
            (r#"{"order-id":"4111111111111111""#, None),
        ];
        for (body, member) in cases {
            assert_eq!(misplaced_card(Format::Json, body.as_bytes()).as_deref(), member, "{body}");
        }
        let cases = [
            ("<sale><order-id>4111<!-- -->11111111<![CDATA[1111]]></order-id></sale>", Some("order-id")),
            ("<sale><x:invoice>4111&#49;11111111111</x:invoice></sale>", Some("x:invoice")),
            ("<sale><card>4111111111111111</card><comments>4111111111111111</comments></sale>", None),
        ];
        for (body, member) in cases {
            assert_eq!(misplaced_card(Format::Xml, body.as_bytes()).as_deref(), member, "{body}");
        }
    }

    #[test]
    fn secrets_are_masked_and_the_rest_is_kept() {
        let json = |body: &str| super::body(Format::Json, body.as_bytes());
        let xml = |body: &str| super::body(Format::Xml, body.as_bytes());
        let cases = [
            (json(r#"{"card":"4111111111111111","csc":"999"}"#), r#"{"card":"****","csc":"****"}"#),
            (json(r#"{"card":4111111111111111,"csc":999}"#), r#"{"card":"****","csc":"****"}"#),
            (json(r#"{"card":"4111 1111 1111 1112"}"#), r#"{"card":"****"}"#),
            (json(r#"{"card":"1100000000555551111"}"#), r#"{"card":"1100000000555551111"}"#),
            (json(r#"{"card":"XXXXXXXXXXXX1111"}"#), r#"{"card":"XXXXXXXXXXXX1111"}"#),
            (json(r#"{"api-key":"0123456789abcdef0123456789abcdef"}"#), r#"{"api-key":"****"}"#),
            (
                json(r#"{"comments":"pays with 4111-1111-1111-1111."}"#),
                r#"{"comments":"pays with ****-****-****-1111."}"#,
            ),
            (json(r#"{"phone":"3145550100","zip":63101}"#), r#"{"phone":"3145550100","zip":63101}"#),
            (json(r#"{"billing":{"card":[{"csc":"1"}]}}"#), r#"{"billing":{"card":[{"csc":"****"}]}}"#),
            (json(r#"{"csc":"999""#), "(12 bytes that cannot be read)"),
            (
                json(" [ 1 , { \"a b\" : [ true , null ] } ,\n-2.5e3 , \"\" ] "),
                r#"[1,{"a b":[true,null]},-2.5e3,""]"#,
            ),
            (
                json(r#"{"csc":{},"csc":[],"a":["9"],"csc":["9",[9]],"b":9}"#),
                r#"{"csc":{},"csc":[],"a":["9"],"csc":["****",["****"]],"b":9}"#,
            ),
            (json(r#"{"a":"\"\\","c\u0073c":"\u0039"}"#), r#"{"a":"\"\\","c\u0073c":"****"}"#),
            (
                json(r#"{"4111111111111111":"4111 1111 1111 \u00311\"11"}"#),
                r#"{"************1111":"4111 1111 1111 \u00311\"11"}"#,
            ),
            (json(r#"{"a":"4111 1111 1111 \u0031111"}"#), r#"{"a":"**** **** **** 1111"}"#),
            (json(r#"{"a":"\ud800"}"#), "(14 bytes that cannot be read)"),
            (json(r#"{"a":1}{"csc":2}"#), "(16 bytes that cannot be read)"),
            (json("4111111111111111"), r#""************1111""#),
            (json(" "), ""),
            (
                xml("<token><card>4111 1111 1111 1111</card><csc>999</csc></token>"),
                "<token><card>****</card><csc>****</csc></token>",
            ),
            (xml("<a><csc><![CDATA[999]]></csc><!-- csc 999 --></a>"), "<a><csc>****</csc></a>"),
            (xml("<a><csc\n>999</csc><b/><c>kept</c></a>"), "<a><csc>****</csc><b/><c>kept</c></a>"),
            (xml("<a>4111111111111111</a>"), "<a>************1111</a>"),
            (xml("<!DOCTYPE a><a/>"), "(16 bytes that cannot be read)"),
            (xml("<a"), "(2 bytes that cannot be read)"),
            (xml("<a><csc>999"), "(11 bytes that cannot be read)"),
            (xml("<a><csc><b>999</b></csc></a>"), "<a><csc><b>****</b></csc></a>"),
            (json(r#"{"csc":{"b":["999"]}}"#), r#"{"csc":{"b":["****"]}}"#),
            (
                form(b"card-number=4000+1000&card-code=999&card-name=Rosa+4111111111111111&amount-0=5"),
                "card-number=****&card-code=****&card-name=Rosa ************1111&amount-0=5",
            ),
            (form(b"\xff"), "(1 bytes that cannot be read)"),
            (
                path("/tokens/1100000000555551111?id=4111111111111111"),
                "/tokens/1100000000555551111?id=************1111",
            ),
            (path("/tokens/4111%201111%201111%201111"), "/tokens/**** **** **** 1111"),
            (path("/tokens?x=4111+1111+1111+1111&page=2"), "/tokens?x=**** **** **** 1111&page=2"),
            (
                path("/tokens?CSC=999&api%2Dkey=0a&Card=41&flag"),
                "/tokens?CSC=****&api-key=****&Card=****&flag",
            ),
            (json(r#"{"CSC":"9","cvv":9,"cvc":"9"}"#), r#"{"CSC":"****","cvv":"****","cvc":"****"}"#),
            (json(r#"{"Card":"41","API-KEY":"0a"}"#), r#"{"Card":"****","API-KEY":"****"}"#),
            (json(r#"{"api_key":"0a","apiKey":"0a"}"#), r#"{"api_key":"****","apiKey":"****"}"#),
            (json(r#"{"card":{"csc":"9999"}}"#), r#"{"card":{"csc":"****"}}"#),
            (json(r#"{"card":"1100"}"#), r#"{"card":"1100"}"#),
            (json(r#"{"card":"11009999"}"#), r#"{"card":"****"}"#),
            (json(r#"{"comments":"1 4111.1111.1111.1111"}"#), r#"{"comments":"1 ****.****.****.1111"}"#),
            (xml("<a><x:csc>999</x:csc></a>"), "<a><x:csc>****</x:csc></a>"),
            (xml("<token csc=\"983\" b='>9' ><c d='9'/></token>"), "<token><c/></token>"),
            (xml("<?xml version='1.0'?><?a csc='9'?><a/>\n"), "<a/>"),
            (xml("<a>4111&#49;11&#x31;11111111</a>"), "<a>************1111</a>"),
            (xml("<a>41111111<!-- -->1111<![CDATA[1111]]></a>"), "<a>************1111</a>"),
            (xml("<a>1 &lt; 2 &amp;#49;</a>"), "<a>1 &lt; 2 &amp;#49;</a>"),
            (xml("<a>&b;</a>"), "(10 bytes that cannot be read)"),
            (xml("<a>4111<b/></a>"), "(15 bytes that cannot be read)"),
            (xml("<a><b/>4111</a>"), "(15 bytes that cannot be read)"),
            (xml("<a><b></a></b>"), "(14 bytes that cannot be read)"),
            (xml("<a></a>4111"), "(11 bytes that cannot be read)"),
            (xml("<csc=\"983\"/>"), "(12 bytes that cannot be read)"),
        ];
        for (masked, expected) in &cases {
            assert_eq!(masked, expected);
        }
    }

    #[test]
    fn elements_without_end_take_no_time() {
        let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        let wide = |count| format!("<a>{}</a>", "<b/>".repeat(count));
        for (body, expected) in [
            (nested(32), nested(32)),
            (nested(33), "(231 bytes that cannot be read)".to_owned()),
            ("<a>".repeat(80_000), "(240000 bytes that cannot be read)".to_owned()),
            (wide(80_000), "(320007 bytes, too long to remember)".to_owned()),
        ] {
            assert_eq!(super::body(Format::Xml, body.as_bytes()), expected);
        }
    }

    #[test]
    fn a_misplaced_card_is_named_by_its_place() {
        let card = "5454545454545454";
        let cases = [
            (Format::Json, format!(r#"{{"order-id":"{card}"}}"#), Some("order-id")),
            (
                Format::Json,
                format!(r#"{{"invoices":[{{}},{{"pdfLink":"{card}"}}]}}"#),
                Some("invoices[1].pdfLink"),
            ),
            (Format::Json, format!(r#"{{"a":{{"{card}":"{card}"}}}}"#), Some("a.************5454")),
            (Format::Json, format!(r#""{card}""#), Some("the body")),
            (Format::Json, card.to_owned(), Some("the body")),
            (Format::Json, format!(r#"{{"comments":"{card}","card":"{card}"}}"#), None),
            (Format::Json, r#"{"order-id":"1111111111111111"}"#.to_owned(), None),
            (Format::Xml, format!("<sale><order-id>{card}</order-id></sale>"), Some("order-id")),
            (Format::Xml, format!("<sale>{card}</sale>"), Some("the body")),
            (Format::Xml, format!("<sale><comments>{card}</comments></sale>"), None),
        ];
        for (format, body, place) in cases {
            assert_eq!(misplaced_card(format, body.as_bytes()).as_deref(), place, "{body}");
        }
    }
}
