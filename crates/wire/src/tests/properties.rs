//! Properties of every value and every document.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::de::IgnoredAny;

use super::{Address, Customer, Customers, Link, Links, Nothing, Page, Payload, Response};
use crate::codec::{decode, encode};
use crate::error::DecodeErrorKind::{Syntax, Trailing};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Put;
use crate::message::Message;
use crate::text::Text;
use crate::write::Bound;

fn text() -> impl Strategy<Value = Option<Text<'static>>> {
    // Letters, all that either format escapes or trims, and all else that both can carry.
    of("([a-z]{1,9}|[ \t\n\r&<>\"'\\\\/;#\\]]|[\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]){0,6}")
        .prop_map(|text| text.map(Into::into))
}

fn link() -> impl Strategy<Value = Link<'static>> {
    (text(), text()).prop_map(|(rel, href)| Link { rel, href })
}

fn customer() -> impl Strategy<Value = Customer<'static>> {
    let address = (text(), text()).prop_map(|(street, zip)| Address { street, zip });
    let links = vec(link(), 0..3).prop_map(|link| Links { link });
    (text(), text(), of(address), of(links)).prop_map(|(customer_key, first_name, billing_address, links)| {
        Customer { customer_key, first_name, billing_address, links }
    })
}

fn response() -> impl Strategy<Value = Response<'static>> {
    let customers = vec(customer(), 0..3).prop_map(|customer| Customers { customer });
    let payload = (of(customer()), of(customers), text())
        .prop_map(|(customer, customers, payload_type)| Payload { customer, customers, payload_type });
    let page = (of(any::<u64>()), of(any::<bool>()))
        .prop_map(|(number, last)| Page { number: number.map(Into::into), last: last.map(Into::into) });
    (text(), vec(link(), 0..3), of(page), of(payload)).prop_map(|(code, links, page, payload)| Response {
        code,
        links,
        page,
        payload,
    })
}

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Json), Just(Format::Xml)]
}

fn written(format: Format, response: &Response<'_>) -> Vec<u8> {
    let mut buffer = Vec::new();
    encode(format, response, &mut buffer).unwrap();
    buffer
}

fn read(format: Format, document: &[u8]) -> Option<Response<'_>> {
    decode(format, document, &Limits::default()).ok()
}

proptest! {
    /// Holds: A value that is written in JSON or XML is read back as the same value.
    #[test]
    fn a_value_comes_back_from_both_formats(response in response()) {
        for format in [Format::Json, Format::Xml] {
            let document = written(format, &response);
            let read = read(format, &document);
            prop_assert_eq!(read.as_ref(), Some(&response));
        }
    }

    #[test]
    fn the_order_of_members_does_not_matter(members in Just(["code", "page", "payload"]).prop_shuffle()) {
        let json = members.map(|name| match name {
            "code" => r#""code":"1""#,
            "page" => r#""page":{"last":true,"number":"3"}"#,
            _ => r#""payload":{"payloadType":"customer","customer":{"links":{},"customer-key":"k"}}"#,
        });
        let xml = members.map(|name| match name {
            "code" => "<code>1</code>",
            "page" => "<page><last>true</last><number>3</number></page>",
            _ => "<payload type='customer'><customer><links/><customer-key>k</customer-key></customer></payload>",
        });
        let json = format!("{{{}}}", json.join(","));
        let xml = format!("<response>{}</response>", xml.concat());
        let (json, xml) = (read(Format::Json, json.as_bytes()), read(Format::Xml, xml.as_bytes()));
        let expected = Response {
            code: Some("1".into()),
            page: Some(Page { number: Some(3.into()), last: Some(true.into()) }),
            payload: Some(Payload {
                customer: Some(Customer {
                    customer_key: Some("k".into()),
                    links: Some(Links::default()),
                    ..Customer::default()
                }),
                payload_type: Some("customer".into()),
                ..Payload::default()
            }),
            ..Response::default()
        };
        prop_assert_eq!(json.as_ref(), Some(&expected));
        prop_assert_eq!(xml.as_ref(), Some(&expected));
    }

    #[test]
    fn no_document_outgrows_its_bound(response in response()) {
        let mut bound = Bound::default();
        response.put(Response::NAME, &mut bound).unwrap();
        for format in [Format::Json, Format::Xml] {
            prop_assert!(written(format, &response).len() <= bound.0);
        }
    }

    /// Holds: No proper prefix of a document decodes.
    #[test]
    fn no_prefix_is_a_document(format in format(), response in response(), cut in any::<Index>()) {
        let document = written(format, &response);
        prop_assert_eq!(read(format, &document[..cut.index(document.len())]), None);
    }

    /// Holds: A number in a document keeps the digits with which it was written.
    #[test]
    fn numbers_keep_their_digits(number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?") {
        let document = format!(r#"{{"x":{number},"code":{number}}}"#);
        prop_assert_eq!(read(Format::Json, document.as_bytes()).and_then(|read| read.code), Some(number.into()));
    }

    /// Holds: Any sequence of bytes is read or refused without a panic.
    #[test]
    fn any_bytes_are_read_or_refused(format in format(), bytes in vec(any::<u8>(), 0..200)) {
        read(format, &bytes);
    }

    #[test]
    fn a_document_with_a_changed_byte_is_read_or_refused(
        format in format(),
        response in response(),
        at in any::<Index>(),
        byte in prop_oneof![any::<u8>(), select(b"<>&;\"'/!?[]{}:,=\\ ".to_vec())],
    ) {
        let mut document = written(format, &response);
        let at = at.index(document.len());
        document[at] = byte;
        strict(format, &document);
    }

    #[test]
    fn a_document_of_fragments_is_read_or_refused(
        json in vec(select(JSON_FRAGMENTS), 0..8),
        xml in vec(select(XML_FRAGMENTS), 0..8),
        ends in (0..=XML_ENDS.len(), 0..=XML_ENDS.len()),
    ) {
        strict(Format::Json, format!("{{{}}}", json.concat()).as_bytes());
        let end = |index: usize| XML_ENDS.get(index).copied().unwrap_or_default();
        let document = format!("{}<response>{}</response>{}", end(ends.0), xml.concat(), end(ends.1));
        strict(Format::Xml, document.as_bytes());
    }

    /// Holds: The reader accepts the documents that `serde_json` accepts, reads the same text, and refuses the others at
    /// the same place.
    #[test]
    fn json_is_read_as_by_serde_json(
        pieces in vec(prop_oneof![4 => select(JSON_FRAGMENTS), 1 => select(JSON_TEXTS)], 0..8),
        text in any::<String>(),
        at in any::<Index>(),
        byte in prop_oneof![Just(None), any::<u8>().prop_map(Some), select(b"\"\\u0{}[]:,. \x1f".to_vec()).prop_map(Some)],
    ) {
        let member = serde_json::to_string(&text).unwrap();
        let mut document = format!("{{\"y\":{}1,\"code\":{member}}}", pieces.concat()).into_bytes();
        if let Some(byte) = byte {
            let at = at.index(document.len());
            document[at] = byte;
        }
        let theirs = serde_json::from_slice::<serde_json::Value>(&document);
        let skipped = decode::<Nothing<'_>>(Format::Json, &document, &Limits::default());
        match (&skipped, serde_json::from_slice::<IgnoredAny>(&document)) {
            (Ok(_), theirs) => prop_assert!(theirs.is_ok()),
            (Err(ours), Ok(IgnoredAny)) => prop_assert!(!matches!(ours.kind(), Syntax { .. } | Trailing), "{ours}"),
            (Err(ours), Err(theirs)) => if let Syntax { line, column } = ours.kind() {
                prop_assert_eq!((line, column), (theirs.line(), theirs.column()));
            },
        }
        if let (Some(ours), Ok(theirs)) = (read(Format::Json, &document), theirs)
            && let Some(code) = theirs["code"].as_str()
        {
            prop_assert_eq!(ours.code.as_deref(), Some(code));
        }
    }

    /// Holds: XML is read alike with and without the event reader, which alone reads what follows a comment.
    #[test]
    fn usual_xml_is_read_as_by_events(elements in vec(element(), 0..4)) {
        let document = format!("<response>{}</response>", elements.concat());
        let by_events = document.replace('<', "<!----><");
        let read = |document: &str| {
            decode::<Response<'_>>(Format::Xml, document.as_bytes(), &Limits::default())
                .map(|response| format!("{response:?}"))
                .map_err(|error| (error.path().to_owned(), std::mem::discriminant(&error.kind())))
        };
        prop_assert_eq!(read(&document), read(&by_events), "{}", document);
    }
}

/// An element that is nearly always well-formed, with all that is read without events, and some that is not.
fn element() -> impl Strategy<Value = String> {
    let name = select(vec!["code", "payload", "links", "x", "x1", "é"]);
    let attributes = select(vec!["", "", " ", " type='a'", " type=\"&lt;\" b='>'", " a='>'", " a", "\n"]);
    let pieces =
        ["a", " ", "\n", "\r\n", "]", "]]>", "&amp;", "&#32;", "&", "<x/>", "<code>1</code>", "<x>\n</x\n>"];
    let end = select(vec!["", "", "", " ", "x"]);
    (name, attributes, vec(select(pieces.to_vec()), 0..4), end).prop_map(|(name, attributes, pieces, end)| {
        format!("<{name}{attributes}>{}</{name}{end}>", pieces.concat())
    })
}

/// Texts that are or are not the ends of a string.
const JSON_TEXTS: &[&str] = &[
    "\"1234567\\\",\"x\":",
    "\"12345678\",\"x\":",
    "\"1234567\\\\\",\"x\":",
    "\"é\u{1f}\"",
    "\"\\u00\",",
    "\"\u{7f}\",\"x\":",
    "\"\\ud83d\\ude00\",\"x\":",
    "{\"a\":[1,{}],\"b\":-1E-2},\"x\":",
    "[[],[null,true]],\"x\":",
];

const JSON_FRAGMENTS: &[&str] = &[
    "\"code\":",
    "\"x\":",
    "\"page\":",
    "\"links\":",
    ",",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "{}",
    "[]",
    "null",
    "true",
    "1",
    "-0.5e+3",
    "01",
    "1.",
    "\"\\u00e9\"",
    "\"\\x\"",
    "\"\\ud800\"",
    "'a'",
    " ",
    "\n",
    "\u{b}",
    "\"a\"",
    "\"\"",
];

const XML_FRAGMENTS: &[&str] = &[
    "<x>",
    "</x>",
    "<x/>",
    "<code>",
    "</code>",
    "<code/>",
    "<x a='1'>",
    "<x a=\"'\" b='&lt;'/>",
    "<x a='1'a='2'/>",
    "<x a/>",
    "<x a='>'/>",
    "</x >",
    "</ x>",
    "< x>",
    "<x\n>",
    "<1/>",
    "<é/>",
    "text",
    " ",
    "\r\n",
    "&amp;",
    "&#65;",
    "&#x9;",
    "&#1;",
    "&x;",
    "&",
    "]]>",
    "]]",
    ">",
    "\"",
    "<![CDATA[",
    "]]>",
    "<![CDATA[<]]>",
    "<!-- a -->",
    "<!-- -- -->",
    "<!--->",
    "<!---->",
    "<?x?>",
    "<?x y?>",
    "<?xml version='1.0'?>",
    "<??>",
    "<!x>",
    "<!DOCTYPE x>",
    "\u{fffe}",
];

const XML_ENDS: &[&str] = &[
    " ",
    "\u{feff}",
    "<?xml version='1.0'?>",
    "<?xml version='1.0' encoding='utf-8' standalone='no'?>",
    "<?xml version=\"1.0\" ?>\n",
    "<?xml?>",
    "<?xml version='1.0'encoding='utf-8'?>",
    "<!-- a -->",
    "<?x y?>",
    "x",
    "&#32;",
    "<x/>",
    "<!DOCTYPE response>",
    "\0",
];

/// Checks that an independent parser reads our output too.
fn strict(format: Format, document: &[u8]) {
    if read(format, document).is_some() {
        let text = std::str::from_utf8(document).unwrap();
        let other = match format {
            Format::Json => {
                let text = perennial_domain::encoding::without_mark(text);
                serde_json::from_str::<IgnoredAny>(text).err().map(|error| error.to_string())
            }
            // It knows namespaces, which the wire has not.
            Format::Xml if text.contains(':') => None,
            Format::Xml => roxmltree::Document::parse(text).err().map(|error| error.to_string()),
        };
        assert_eq!(other, None, "{text:?}");
    }
}
