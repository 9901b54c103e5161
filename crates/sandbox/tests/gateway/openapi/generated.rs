//! Generated requests, from the document's own schemas: valid ones, ones with an error, and ones with damaged bytes.
//! Each is answered as the document says, and a refusal changes nothing.

use percent_encoding::NON_ALPHANUMERIC;
use perennial_sandbox::Sandbox;
use perennial_wire::clearent::Reply;
use perennial_wire::{Format, Limits};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::string::string_regex;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value as Json};

use super::document;
use super::requests::Subscriber;
use super::schema::{Call, Document, xml};
use crate::client::{Client, Got};

/// A request, with names in braces for the keys of existing objects.
#[derive(Debug)]
struct Request {
    call: usize,
    path: String,
    query: String,
    body: Option<(Json, String)>,
    damage: Damage,
    formats: (Format, Format),
}

/// Damage to a valid request.
#[derive(Debug, Clone)]
enum Damage {
    None,
    /// Replaces a member by a value of a wrong kind.
    Member(Index, Json),
    /// Removes a member.
    Without(Index),
    /// Replaces a byte.
    Byte(Index, u8),
    /// Cuts off the end.
    Cut(Index),
}

#[test]
fn whatever_is_sent_is_answered_as_the_document_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = runtime.block_on(Sandbox::start()).unwrap();
    let subscriber = runtime.block_on(Subscriber::new(&sandbox));
    let document = runtime.block_on(document(&Client::of(&sandbox)));
    let calls = document.calls();
    let keys: Vec<(&str, String)> = ["customer-key", "token-id", "plan-key", "id"]
        .into_iter()
        .map(|name| (name, runtime.block_on(subscriber.key(name, "sale")).unwrap()))
        .collect();
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let verdict = runner.run(&request(&document), |request| {
        let call = &calls[request.call];
        let fill = |text: &str| {
            keys.iter().fold(text.to_owned(), |text, (name, key)| text.replace(&format!("{{{name}}}"), key))
        };
        let (path, body) = (fill(&format!("/rest/v2{}{}", request.path, request.query)), request.bytes(fill));
        let before = runtime.block_on(subscriber.client.state());
        let got = runtime.block_on(request.send(&subscriber.client, call, &path, body.clone()));
        let after = runtime.block_on(subscriber.client.state());
        let exchange =
            format!("{} {path} {}\n{} {}", call.method, String::from_utf8_lossy(&body), got.status, got.body);
        let wrong = request.wrong(&document, call, &got);
        prop_assert!(wrong.is_empty(), "{exchange}\n{wrong:?}");
        let stored = got.payload_type() == "errorTransaction";
        prop_assert!(
            before == after || got.status < 300 && call.method != "GET" || stored,
            "{exchange}\nchanged something"
        );
        Ok(())
    });
    verdict.unwrap_or_else(|error| panic!("{error}"));
}

impl Request {
    fn bytes(&self, fill: impl Fn(&str) -> String) -> Vec<u8> {
        let Some((body, root)) = &self.body else { return Vec::new() };
        let mut body = body.clone();
        let members = body.as_object_mut().unwrap();
        let name = |index: &Index, members: &Map<String, Json>| {
            (!members.is_empty()).then(|| members.keys().nth(index.index(members.len())).cloned().unwrap())
        };
        match &self.damage {
            Damage::Member(index, value) => {
                if let Some(name) = name(index, members) {
                    members.insert(name, value.clone());
                }
            }
            Damage::Without(index) => {
                if let Some(name) = name(index, members) {
                    members.remove(&name);
                }
            }
            Damage::None | Damage::Byte(..) | Damage::Cut(_) => {}
        }
        let written = match self.formats.0 {
            Format::Json => body.to_string(),
            Format::Xml => xml(root, &body),
        };
        let mut bytes = fill(&written).into_bytes();
        match &self.damage {
            Damage::Byte(index, value) => *index.get_mut(&mut bytes) = *value,
            Damage::Cut(index) => bytes.truncate(index.index(bytes.len())),
            Damage::None | Damage::Member(..) | Damage::Without(_) => {}
        }
        bytes
    }

    async fn send(&self, client: &Client, call: &Call<'_>, path: &str, body: Vec<u8>) -> Got {
        let (request, answer) = (self.formats.0.content_type(), self.formats.1.content_type());
        let headers = [("api-key", client.key.as_str()), ("content-type", request), ("accept", answer)];
        client.send(&call.method, path, &headers, body).await
    }

    /// Deviations from the document.
    fn wrong(&self, document: &Document, call: &Call<'_>, got: &Got) -> Vec<String> {
        let mut wrong = Vec::new();
        if got.status > 499 {
            wrong.push("a defect".to_owned());
        }
        match self.formats.1 {
            Format::Json => wrong.extend(document.unlike(call, got.status, &got.body)),
            Format::Xml => {
                let reply = Reply::decode(Format::Xml, got.body.as_bytes(), &Limits::default());
                let code = reply.as_ref().map(|reply| reply.code.unwrap_or(204));
                if code != Ok(got.status) {
                    wrong.push(format!("no envelope: {reply:?}"));
                }
                if document.resolved(&call.described["responses"][got.status.to_string()]).is_null() {
                    wrong.push(format!("{} is not documented", got.status));
                }
            }
        }
        if got.status == 400 && matches!(self.damage, Damage::None) {
            let reply =
                Reply::decode(self.formats.1, got.body.as_bytes(), &Limits::default()).unwrap_or_default();
            let perennial_wire::clearent::Payload::Error(error) = reply.payload else { return wrong };
            let message = error.message.unwrap_or_default();
            let ruled = |part: &str| BEYOND_SCHEMAS.iter().any(|rule| part.contains(rule));
            if !message.split("; ").all(ruled) {
                wrong.push("what the schema allows is refused".to_owned());
            }
        }
        wrong
    }
}

/// Rules about more than one member, or about existing objects.
const BEYOND_SCHEMAS: &[&str] = &[
    "must name an existing",
    "must be on or after start-date",
    "must be at most 12 calendar months after start-date",
    "must not be in the past",
    "must be at least 0.01",
    "check digit",
    "must be one of the published test card numbers",
    "exp-date: is required",
    "must not be given together with",
];

/// A strategy for any request of any call.
fn request(document: &Document) -> impl Strategy<Value = Request> {
    let calls = document.calls();
    let any: Vec<BoxedStrategy<Request>> = calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let (path, query, body) = (path(call), query(document, call), body(document, call));
            let format = || select(vec![Format::Json, Format::Xml]);
            (path, query, body, damage(), (format(), format()))
                .prop_map(move |(path, query, body, damage, formats)| Request {
                    call: index,
                    path,
                    query,
                    body,
                    damage,
                    formats,
                })
                .boxed()
        })
        .collect();
    proptest::strategy::Union::new(any)
}

fn path(call: &Call<'_>) -> BoxedStrategy<String> {
    let path = call.path.to_owned();
    let Some((before, rest)) = call.path.split_once('{') else { return Just(path).boxed() };
    let (before, after) = (before.to_owned(), rest.split_once('}').unwrap().1.to_owned());
    // A client removes a segment of dots, also if they are encoded: the path is another one.
    let text = "[!-~]{1,8}".prop_filter("a segment of dots", |text| !matches!(text.as_str(), "." | ".."));
    let odd = prop_oneof![key(), text.prop_map(|text| percent(&text))];
    let odd = odd.prop_map(move |key| format!("{before}{key}{after}"));
    prop_oneof![3 => Just(path), 1 => odd].boxed()
}

fn query(document: &Document, call: &Call<'_>) -> BoxedStrategy<String> {
    let parameters: Vec<BoxedStrategy<String>> = call
        .query()
        .map(|parameter| {
            let (name, required) =
                (parameter["name"].as_str().unwrap().to_owned(), parameter["required"] == true);
            let value = value(document, &name, &parameter["schema"]);
            let given = (proptest::bool::weighted(if required { 1.0 } else { 0.2 }), value);
            given
                .prop_map(move |(given, value)| match value {
                    _ if !given => String::new(),
                    Json::String(text) => format!("&{name}={}", percent(&text)),
                    bare => format!("&{name}={bare}"),
                })
                .boxed()
        })
        .collect();
    parameters.prop_map(|parameters| format!("?{}", parameters.concat())).boxed()
}

fn percent(text: &str) -> String {
    // The names in braces stay unchanged.
    if text.starts_with('{') {
        return text.to_owned();
    }
    percent_encoding::percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string()
}

fn body(document: &Document, call: &Call<'_>) -> BoxedStrategy<Option<(Json, String)>> {
    let bodies = document.bodies(call);
    if bodies.is_empty() {
        return Just(None).boxed();
    }
    let typed = bodies.len() > 1;
    let any = bodies.into_iter().map(|schema| {
        let root = schema["xml"]["name"].as_str().unwrap().to_owned();
        let kind = schema.pointer("/properties/type/enum/0").cloned().filter(|_| typed);
        value(document, "", schema)
            .prop_map(move |mut body| {
                if let Some(kind) = &kind {
                    body["type"] = kind.clone();
                }
                Some((body, root.clone()))
            })
            .boxed()
    });
    proptest::strategy::Union::new(any).boxed()
}

/// A value that a schema allows.
fn value(document: &Document, name: &str, schema: &Json) -> BoxedStrategy<Json> {
    let schema = document.resolved(schema);
    if let Some(members) = schema["properties"].as_object() {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let least = schema["anyOf"].as_array().cloned().unwrap_or_default();
        let members: Vec<_> = members
            .iter()
            .map(|(name, member)| {
                let required = required.contains(&name.as_str().into());
                let name = name.clone();
                (
                    Just(name.clone()),
                    proptest::bool::weighted(if required { 1.0 } else { 0.4 }),
                    value(document, &name, member),
                )
            })
            .collect();
        return members
            .prop_map(move |members| {
                let least = least.first().map(|choice| choice["required"][0].clone());
                let given =
                    |name: &str, given: bool| given || least.as_ref().is_some_and(|least| least == name);
                members
                    .into_iter()
                    .filter(|(name, has, _)| given(name, *has))
                    .map(|(name, _, value)| (name, value))
                    .collect()
            })
            .boxed();
    }
    if !schema["items"].is_null() {
        return vec(value(document, name, &schema["items"]), 1..3).prop_map(Json::from).boxed();
    }
    if let Some(words) = schema["enum"].as_array() {
        return select(words.clone()).boxed();
    }
    if schema["format"] == "date" {
        return (1970..2200, 1..=12, 1..=28)
            .prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}").into())
            .boxed();
    }
    let text: BoxedStrategy<String> = match (name, schema["pattern"].as_str()) {
        ("card", Some(pattern)) => prop_oneof![
            Just("4111111111111111".to_owned()),
            Just("{token-id}".to_owned()),
            pattern_of(pattern)
        ]
        .boxed(),
        ("exp-date", Some(pattern)) => prop_oneof![Just("1230".to_owned()), pattern_of(pattern)].boxed(),
        ("customer-key" | "token-id" | "plan-key" | "id", Some(pattern)) => {
            prop_oneof![3 => Just(format!("{{{name}}}")), 1 => pattern_of(pattern)].boxed()
        }
        (_, Some(pattern)) => pattern_of(pattern).boxed(),
        _ if schema["type"] == "boolean" => return any::<bool>().prop_map(Json::from).boxed(),
        _ if schema["type"] == "integer" => return (1_u32..).prop_map(Json::from).boxed(),
        _ => "[ -~]{1,12}".boxed(),
    };
    let text = text.prop_map(Json::from);
    match (&schema["type"], schema["maximum"].as_u64()) {
        (Json::Array(types), Some(max)) if types.contains(&"integer".into()) => {
            let min = schema["minimum"].as_u64().unwrap_or_default();
            prop_oneof![text, (min..=max).prop_map(Json::from)].boxed()
        }
        (Json::Array(types), _) if types.contains(&"boolean".into()) => {
            prop_oneof![text, any::<bool>().prop_map(Json::from)].boxed()
        }
        _ => text.boxed(),
    }
}

fn pattern_of(pattern: &str) -> impl Strategy<Value = String> + use<> {
    string_regex(pattern.trim_start_matches('^').trim_end_matches('$')).unwrap()
}

fn key() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_.:-]{0,12}[A-Za-z0-9_:-]"
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => Just(Damage::None),
        3 => (any::<Index>(), select(odd())).prop_map(|(index, value)| Damage::Member(index, value)),
        1 => any::<Index>().prop_map(Damage::Without),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(index, byte)| Damage::Byte(index, byte)),
        1 => any::<Index>().prop_map(Damage::Cut),
    ]
}

/// Values that fit few members.
fn odd() -> Vec<Json> {
    let odd = r#"[null, true, 0, -1, 1.5, 1e300, 99999999999999999999, "", " ", "\u0000", "\ud83d\ude00", "'; --", "0.00", "1e2",
        "2027-02-30", "0000", "cust none", "..", [], [[]], {}, {"a": {"b": []}}, ["x", "y"], "</customer>", "&amp;"]"#;
    let mut odd: Vec<Json> = serde_json::from_str(odd).unwrap();
    odd.push("x".repeat(70_000).into());
    odd
}
