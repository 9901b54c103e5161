//! Documents that must be refused, each with its rule, and without text of the document in the message.

use super::Response;
use crate::codec::decode;
use crate::error::DecodeErrorKind::{
    self, Doctype, Duplicate, Empty, MixedContent, NotUtf8, Syntax, TextTooLong, TooDeep, TooLarge, TooMany,
    Trailing, UndefinedEntity, Utf16, WrongRoot, WrongType,
};
use crate::format::Format;
use crate::limits::Limits;

/// Checks that a document is refused. The kind and the path are compared; the position is compared unless it is 0.
#[track_caller]
fn refused(format: Format, document: &[u8], path: &str, kind: DecodeErrorKind) {
    let shown = String::from_utf8_lossy(&document[..document.len().min(80)]);
    let error = decode::<Response<'_>>(format, document, &Limits::default())
        .err()
        .unwrap_or_else(|| panic!("{shown}: was read"));
    let found = match (error.kind(), kind) {
        (Syntax { .. }, Syntax { line: 0, .. }) => kind,
        (found, _) => found,
    };
    assert_eq!((error.path(), found), (path, kind), "{shown}");
}

const MALFORMED: DecodeErrorKind = Syntax { line: 0, column: 0 };

/// Holds: The JSON reader refuses each hostile document of the table, with the place and the rule.
#[test]
fn json() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    let deeper =
        format!(r#"{{"payload":{{"x":{}{}}}}}"#, r#"{"a":"#.repeat(31), "1".to_owned() + &"}".repeat(31));
    let abyss = format!(r#"{{"x":{}"#, "[".repeat(500_000));
    let wide = format!(r#"{{"links":[{}{{}}]}}"#, "{},".repeat(20_000));
    let long = format!(r#"{{"code":"{}"}}"#, "a".repeat(65_537));
    let digits = format!(r#"{{"code":{}}}"#, "1".repeat(65_537));
    let huge = format!(r#"{{"x":"{}"}}"#, "a".repeat(1024 * 1024));
    let cases: &[(&str, &str, DecodeErrorKind)] = &[
        ("", "", Empty),
        (" \r\n\t", "", Empty),
        ("\u{feff}", "", Empty),
        ("\u{feff}\u{feff}{}", "", Syntax { line: 1, column: 1 }),
        ("<html>", "", Syntax { line: 1, column: 1 }),
        ("[]", "", WrongType),
        (r#"["200"]"#, "", WrongType),
        ("null", "", WrongType),
        (r#""""#, "", WrongType),
        ("1.5", "", WrongType),
        ("{", "", MALFORMED),
        ("{} {}", "", Trailing),
        ("{}x", "", Trailing),
        ("{}\0", "", Trailing),
        ("{\n  \"code\" \"x\"}", "code", Syntax { line: 2, column: 10 }),
        (r#"{"code":"1",}"#, "", MALFORMED),
        (r#"{"code":'1'}"#, "code", MALFORMED),
        (r#"{code:"1"}"#, "", MALFORMED),
        ("{1:2}", "", MALFORMED),
        (r#"{"x":"1",1.5:2}"#, "", MALFORMED),
        (r#"{"code":01}"#, "code", MALFORMED),
        (r#"{"code":1.}"#, "code", MALFORMED),
        (r#"{"code":+1}"#, "code", MALFORMED),
        (r#"{"code":NaN}"#, "code", MALFORMED),
        (r#"{"code":1.5,"x":tru}"#, "", MALFORMED),
        (r#"{"code":1.5,"page":1.5}"#, "page", WrongType),
        (r#"{"code":"\ud800"}"#, "code", MALFORMED),
        ("{\"code\":\"\n\"}", "code", MALFORMED),
        (r#"{"code":"1","code":"1"}"#, "code", Duplicate),
        (r#"{"code":"1","code":null}"#, "code", Duplicate),
        (r#"{"code":"","cod\u0065":"1"}"#, "code", Duplicate),
        (r#"{"links":[{}],"links":[{}]}"#, "links", Duplicate),
        (r#"{"payload":{},"payload":{}}"#, "payload", Duplicate),
        (r#"{"payload":{"customer":{}},"customer":{}}"#, "customer", Duplicate),
        (r#"{"customer":{},"payload":{"customer":{}}}"#, "payload", Duplicate),
        (r#"{"code":{}}"#, "code", WrongType),
        (r#"{"code":["1"]}"#, "code", WrongType),
        (r#"{"payload":[]}"#, "payload", WrongType),
        (r#"{"payload":"x"}"#, "payload", WrongType),
        (r#"{"payload":{"customer":{"first-name":{}}}}"#, "payload.customer.first-name", WrongType),
        (r#"{"links":"x"}"#, "links", WrongType),
        (r#"{"links":[["x"]]}"#, "links", WrongType),
        (r#"{"links":[{"rel":[]}]}"#, "links.rel", WrongType),
        (r#"{"page":{"number":[1]}}"#, "page.number", WrongType),
        (&deep, "", TooDeep),
        (&deeper, "payload", TooDeep),
        (&abyss, "", TooDeep),
        (&wide, "links", TooMany),
        (&long, "code", TextTooLong),
        (&digits, "code", TextTooLong),
        (&huge, "", TooLarge),
    ];
    for (document, path, kind) in cases {
        refused(Format::Json, document.as_bytes(), path, *kind);
    }
    refused(Format::Json, b"{\"code\":\"\xff\"}", "", NotUtf8);
    refused(Format::Json, &[0xff, 0xfe, b'{', 0, b'}', 0], "", Utf16);
    refused(Format::Json, &[0xfe, 0xff, 0, b'{', 0, b'}'], "", Utf16);
}

/// Holds: The XML reader refuses a DOCTYPE, a second root and each other malformed document of the table.
#[test]
fn xml_documents() {
    let attributes = (0..33).map(|n| format!("a{n}=''")).collect::<Vec<_>>().join(" ");
    let huge = format!("<response>{}</response>", " ".repeat(1024 * 1024));
    let cases: &[(&str, DecodeErrorKind)] = &[
        ("", Empty),
        ("\n", Empty),
        ("{}", MALFORMED),
        ("<customer/>", WrongRoot),
        ("<Response/>", WrongRoot),
        ("<x:response xmlns:x='urn:x'/>", WrongRoot),
        ("<response/><response/>", Trailing),
        ("<response/>x", Trailing),
        ("<response/>&amp;", Trailing),
        ("<response/><![CDATA[]]>", Trailing),
        ("<response/></response>", MALFORMED),
        ("x<response/>", MALFORMED),
        ("\u{feff}\u{feff}<response/>", MALFORMED),
        ("<![CDATA[]]><response/>", MALFORMED),
        ("<response>\n<a>\n  </b></response>", Syntax { line: 3, column: 7 }),
        ("<response", MALFORMED),
        ("<response>", MALFORMED),
        ("<response></response", MALFORMED),
        ("<response></response x=''>", MALFORMED),
        ("<response><a></response></a>", MALFORMED),
        ("<!DOCTYPE response><response/>", Doctype),
        ("<!doctype response [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><response>&a;</response>", Doctype),
        ("<response><!DOCTYPE a></response>", Doctype),
        (" <?xml version='1.0'?><response/>", MALFORMED),
        ("<?xml version='1.0'?><?xml version='1.0'?><response/>", MALFORMED),
        ("<?xml version='1.1'?><response/>", MALFORMED),
        ("<?xml encoding='UTF-8'?><response/>", MALFORMED),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><response/>", NotUtf8),
        ("<?xml version='1.0' standalone='maybe'?><response/>", MALFORMED),
        ("<?XML version='1.0'?><response/>", MALFORMED),
        ("<??><response/>", MALFORMED),
        ("<!-- a -- b --><response/>", MALFORMED),
        ("<!-- a ---><response/>", MALFORMED),
        ("<response a='<'/>", MALFORMED),
        ("<response a/>", MALFORMED),
        ("<response a=b/>", MALFORMED),
        ("<response a='1'b='2'/>", MALFORMED),
        ("<response 1='1'/>", MALFORMED),
        ("<response a='&'/>", MALFORMED),
        ("<response a='&nbsp;'/>", UndefinedEntity),
        ("<response a='1' a='2'/>", Duplicate),
        ("<response / >", MALFORMED),
        ("< response/>", MALFORMED),
        ("<response\u{b}/>", MALFORMED),
        (&format!("<response {attributes}/>"), TooMany),
        (&huge, TooLarge),
    ];
    for (document, kind) in cases {
        refused(Format::Xml, document.as_bytes(), "", *kind);
    }
    refused(Format::Xml, b"<response>\xe9</response>", "", NotUtf8);
    refused(Format::Xml, b"\xff\xfe<\0r\0", "", Utf16);
}

/// Holds: The XML reader refuses undefined entities and each other malformed content of the table.
#[test]
fn xml_contents() {
    let nested = |levels| format!("<x>{}{}</x>", "<a>".repeat(levels), "</a>".repeat(levels));
    let cases: &[(&str, &str, DecodeErrorKind)] = &[
        ("x", "", WrongType),
        ("x<code/>", "", MixedContent),
        ("<code/>x", "", MixedContent),
        ("<code/>&#32;", "", MixedContent),
        ("<code/><![CDATA[ ]]>", "", MixedContent),
        ("&#32;<code/>", "", MixedContent),
        ("<code>1<b/></code>", "code", MixedContent),
        ("<code><b/></code>", "code", WrongType),
        ("<code>1</code><code>1</code>", "code", Duplicate),
        ("<code/><code/>", "code", Duplicate),
        ("<payload/><payload/>", "payload", Duplicate),
        ("<payload type='a'>x</payload>", "payload", MixedContent),
        ("<payload type='a'><payloadType>a</payloadType></payload>", "payload.payloadType", Duplicate),
        ("<payload type='a' type='b'/>", "", Duplicate),
        (
            "<payload><customer><first-name><b/></first-name></customer></payload>",
            "payload.customer.first-name",
            WrongType,
        ),
        ("<links>x</links>", "links", WrongType),
        ("<links><rel><a/></rel></links>", "links.rel", WrongType),
        ("<page><number><a/></number></page>", "page.number", WrongType),
        ("<code>]]></code>", "code", MALFORMED),
        ("<x>]]></x>", "", MALFORMED),
        ("<code>&</code>", "code", MALFORMED),
        ("<code>&amp</code>", "code", MALFORMED),
        ("<code>&nbsp;</code>", "code", UndefinedEntity),
        ("<x>&nbsp;</x>", "", UndefinedEntity),
        ("<code>&#0;</code>", "code", MALFORMED),
        ("<code>&#xFFFF;</code>", "code", MALFORMED),
        ("<code>&#xD800;</code>", "code", MALFORMED),
        ("<code>&#X41;</code>", "code", MALFORMED),
        ("<code>&#+65;</code>", "code", MALFORMED),
        ("<code>&#x110000;</code>", "code", MALFORMED),
        ("<code>&;</code>", "code", MALFORMED),
        ("<code>\u{1}</code>", "", MALFORMED),
        ("<code>\u{ffff}</code>", "", MALFORMED),
        ("<!-- \u{1} -->", "", MALFORMED),
        ("<1/>", "", MALFORMED),
        ("<a<b/>", "", MALFORMED),
        ("<x><b a='1' a='2'/></x>", "", Duplicate),
        (&nested(31), "", TooDeep),
        (&nested(100_000), "", TooDeep),
        (&"<x/>".repeat(20_000), "", TooMany),
        (&"<links/>".repeat(20_000), "", TooMany),
        (&format!("<code>{}</code>", "a".repeat(65_537)), "code", TextTooLong),
    ];
    for (content, path, kind) in cases {
        refused(Format::Xml, format!("<response>{content}</response>").as_bytes(), path, *kind);
    }
}

/// Holds: A document at a limit is read, and a document past it is refused.
#[test]
fn limits_are_inclusive() {
    let text = "a".repeat(65_536);
    for (format, document) in [
        (Format::Json, format!(r#"{{"x":{}{}}}"#, "[".repeat(31), "]".repeat(31))),
        (Format::Json, format!(r#"{{"links":[{}{{}}]}}"#, "{},".repeat(19_999))),
        (Format::Json, format!(r#"{{"code":"{text}"}}"#)),
        (Format::Xml, format!("<response>{}{}</response>", "<a>".repeat(31), "</a>".repeat(31))),
        (Format::Xml, format!("<response>{}</response>", "<x/>".repeat(19_999))),
        (Format::Xml, format!("<response><code>{text}</code></response>")),
    ] {
        let limits = Limits { bytes: document.len(), ..Limits::default() };
        decode::<Response<'_>>(format, document.as_bytes(), &limits).unwrap();
    }
}

/// Holds: No decode error quotes its input.
#[test]
fn messages_quote_nothing() {
    const PAN: &str = "4111111111111111";
    for (format, document, message) in [
        (Format::Json, format!(r#"{{"page":"{PAN}"}}"#), "JSON at page: the value has another type"),
        (
            Format::Json,
            format!(r#"{{"page":{{"last":[{PAN}]}}}}"#),
            "JSON at page.last: the value has another type",
        ),
        (Format::Json, format!(r#"{{"{PAN}":{{"{PAN}"}}}}"#), "JSON: malformed at line 1, column 40"),
        (Format::Xml, format!("<{PAN}/>"), "XML: malformed at line 1, column 20"),
        (
            Format::Xml,
            format!("<response><page>{PAN}</page></response>"),
            "XML at page: the value has another type",
        ),
        (Format::Xml, format!("<response><x>&a{PAN};</x></response>"), "XML: an entity is not defined"),
    ] {
        let error = decode::<Response<'_>>(format, document.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(!format!("{error:?}").contains(PAN));
    }
}
