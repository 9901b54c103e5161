//! Variants of one value: all spellings that lenient reading accepts, and the exact output.

use super::{Address, Customer, Customers, Link, Links, Page, Payload, Response};
use crate::codec::{decode, encode};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Put;
use crate::message::Message;
use crate::write::Bound;

fn json(document: &str) -> Response<'_> {
    decode(Format::Json, document.as_bytes(), &Limits::default())
        .unwrap_or_else(|error| panic!("{document}: {error}"))
}

fn xml(document: &str) -> Response<'_> {
    decode(Format::Xml, document.as_bytes(), &Limits::default())
        .unwrap_or_else(|error| panic!("{document}: {error}"))
}

fn code(text: &str) -> Response<'_> {
    Response { code: Some(text.into()), ..Response::default() }
}

fn payload(payload: Payload<'_>) -> Response<'_> {
    Response { payload: Some(payload), ..Response::default() }
}

fn ada() -> Customer<'static> {
    Customer { first_name: Some("Ada".into()), ..Customer::default() }
}

fn page(number: u64, last: bool) -> Response<'static> {
    let (number, last) = (Some(number.into()), Some(last.into()));
    Response { page: Some(Page { number, last }), ..Response::default() }
}

fn links<const N: usize>(rels: [&'static str; N]) -> Vec<Link<'static>> {
    rels.map(|rel| Link { rel: Some(rel.into()), href: None }).into()
}

#[test]
fn scalars_in_json() {
    for (document, expected) in [
        (r#"{"code":"a\u00e9\/"}"#, "a\u{e9}/"),
        (r#"{"code":" a "}"#, " a "),
        (r#"{"code":""}"#, ""),
        (r#"{"code":200}"#, "200"),
        (r#"{"code":-1}"#, "-1"),
        (r#"{"code":true}"#, "true"),
        (r#"{"code":100.0}"#, "100.0"),
        (r#"{"code":1e2}"#, "1e2"),
        (r#"{"code":-0}"#, "-0"),
        (r#"{"code":1e999}"#, "1e999"),
        (r#"{"code":1100000000555551111}"#, "1100000000555551111"),
        (r#"{"code":123456789012345678901234567890}"#, "123456789012345678901234567890"),
        (r#"{"code":0.1000000000000000055511151231257827}"#, "0.1000000000000000055511151231257827"),
        (r#"{"payload":{"x":1e999},"code":1.50,"links":[{"rel":"\u0041"}],"x":[1.5]}"#, "1.50"),
    ] {
        assert_eq!(json(document).code.as_deref(), Some(expected), "{document}");
    }
}

#[test]
fn scalars_in_xml() {
    for (content, expected) in [
        ("a", "a"),
        ("\n  a b\n", "a b"),
        (" &#32;a&#x20;&#10; ", " a \n"),
        ("a &amp;&lt;&gt;&quot;&apos;&#xe9; b", "a &<>\"'\u{e9} b"),
        ("<![CDATA[ <a> & ]]>", " <a> & "),
        (" a<!-- x -->b<?x y?>c ", "abc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a ]] > b", "a ]] > b"),
        ("\n", ""),
        ("", ""),
    ] {
        let document = format!("<response><code>{content}</code></response>");
        assert_eq!(xml(&document).code.as_deref(), Some(expected), "{document}");
    }
}

/// Holds: JSON objects are read with unknown, missing and reordered members.
#[test]
fn objects_in_json() {
    let customer =
        |links| payload(Payload { customer: Some(Customer { links, ..ada() }), ..Payload::default() });
    for (document, expected) in [
        (" {} \n", Response::default()),
        (r#"{"code":null,"page":null,"links":null,"payload":null}"#, Response::default()),
        (r#"{"links":"","page":{}}"#, Response { page: Some(Page::default()), ..Response::default() }),
        (
            r#"{"links":[{"rel":"a"},{"rel":"b"}]}"#,
            Response { links: links(["a", "b"]), ..Response::default() },
        ),
        (r#"{"links":{"rel":"a"}}"#, Response { links: links(["a"]), ..Response::default() }),
        (r#"{"x":[{"code":"1"},null],"code":"2","y":{"code":"3"}}"#, code("2")),
        (r#"{"page":{"number":2,"last":false}}"#, page(2, false)),
        (r#"{"page":{"last":"true","number":"2"}}"#, page(2, true)),
        (
            r#"{"page":{"last":null,"number":null}}"#,
            Response { page: Some(Page::default()), ..Response::default() },
        ),
        (r#"{"payload":{"customer":{"first-name":"Ada","links":{}}}}"#, customer(Some(Links::default()))),
        (r#"{"payload":{"customer":{"first-name":"Ada","links":""}}}"#, customer(Some(Links::default()))),
        (r#"{"payload":{"customer":{"links":null,"first-name":"Ada"}}}"#, customer(None)),
        (r#"{"customer":{"first-name":"Ada"}}"#, customer(None)),
        ("\u{feff}{\"customer\":{\"first-name\":\"Ada\"}}", customer(None)),
    ] {
        assert_eq!(json(document), expected, "{document}");
    }
}

/// Holds: XML objects are read with unknown, missing and reordered members.
#[test]
fn objects_in_xml() {
    let customer = |kind: Option<&'static str>, customer| {
        payload(Payload { customer, payload_type: kind.map(Into::into), ..Payload::default() })
    };
    for (document, expected) in [
        ("<response/>", Response::default()),
        (
            "\u{feff}<?xml version='1.0' encoding='utf-8' ?>\n<!-- x --><response>\n</response>\n<!-- y -->\n",
            Response::default(),
        ),
        ("<response xmlns='urn:x' x:y='z'><code a='b'>2</code ></response >", code("2")),
        ("<response><x><code>1</code>t<y/></x><code>2</code></response>", code("2")),
        (
            "<response><links><rel>a</rel></links><code>2</code><links><rel>b</rel></links></response>",
            Response { links: links(["a", "b"]), ..code("2") },
        ),
        ("<response><page><number> 2 </number><last>false</last></page></response>", page(2, false)),
        ("<response><payload type=\"customer\"/></response>", customer(Some("customer"), None)),
        ("<response><payload type='a&amp;b'> </payload></response>", customer(Some("a&b"), None)),
        (
            "<response><payload type='customer'><customer><first-name>Ada</first-name></customer></payload></response>",
            customer(Some("customer"), Some(ada())),
        ),
        (
            "<response><payload><payloadType>customer</payloadType><customer/></payload></response>",
            customer(Some("customer"), Some(Customer::default())),
        ),
        (
            "<response><customer><first-name>Ada</first-name></customer></response>",
            customer(None, Some(ada())),
        ),
    ] {
        assert_eq!(xml(document), expected, "{document}");
    }
}

/// Holds: A value has one sequence of bytes in each format.
#[test]
fn bytes_are_canonical() {
    let address = Address { street: Some("1 \"Loom\" <St>".into()), zip: Some(String::new().into()) };
    let customer =
        Customer { billing_address: Some(address), links: Some(Links { link: links(["a", "b"]) }), ..ada() };
    let response = Response {
        page: page(1, true).page,
        links: links(["self"]),
        ..payload(Payload {
            customers: Some(Customers { customer: vec![customer, Customer::default()] }),
            payload_type: Some("customers".into()),
            ..Payload::default()
        })
    };
    let written = |format| {
        let mut buffer = b"what was there before".to_vec();
        encode(format, &response, &mut buffer).unwrap();
        String::from_utf8(buffer).unwrap()
    };
    assert_eq!(
        written(Format::Json),
        concat!(
            r#"{"links":[{"rel":"self"}],"page":{"number":1,"last":true},"payload":{"customers":{"customer":["#,
            r#"{"first-name":"Ada","billing-address":{"street":"1 \"Loom\" <St>","zip":""},"links":{"link":[{"rel":"a"},{"rel":"b"}]}},{}"#,
            r#"]},"payloadType":"customers"}}"#
        )
    );
    assert_eq!(
        written(Format::Xml),
        concat!(
            "<response><links><rel>self</rel></links><page><number>1</number><last>true</last></page>",
            "<payload type=\"customers\"><customers><customer><first-name>Ada</first-name><billing-address>",
            "<street>1 &quot;Loom&quot; &lt;St&gt;</street><zip></zip></billing-address>",
            "<links><link><rel>a</rel></link><link><rel>b</rel></link></links></customer><customer></customer>",
            "</customers></payload></response>"
        )
    );
}

#[test]
fn xml_refuses_what_it_cannot_carry() {
    for text in ["\0", "a\u{b}", "\u{c}", "\u{1b}", "\u{fffe}", "\u{ffff}"] {
        let mut buffer = Vec::new();
        let error = encode(Format::Xml, &code(text), &mut buffer).unwrap_err();
        assert_eq!(error.to_string(), "XML cannot carry a character of code");
        encode(Format::Json, &code(text), &mut buffer).unwrap();
        assert_eq!(json(std::str::from_utf8(&buffer).unwrap()), code(text));
    }
}

/// Uses the longest escapes of a byte, in XML and in JSON.
#[test]
fn the_longest_escapes_are_within_the_bound() {
    for (format, byte) in [(Format::Xml, "\""), (Format::Json, "\u{1}")] {
        let text = byte.repeat(100);
        let response = code(&text);
        let (mut bound, mut buffer) = (Bound::default(), Vec::new());
        response.put(Response::NAME, &mut bound).unwrap();
        encode(format, &response, &mut buffer).unwrap();
        assert!(buffer.len() > 600 && buffer.len() <= bound.0, "{format}");
    }
}
