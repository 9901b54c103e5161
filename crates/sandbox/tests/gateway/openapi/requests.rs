//! Every request in the document: its example is accepted, as it is and as live programs would write it, and
//! every error in one place is refused by the name of that place, in both formats.

use perennial_sandbox::{Sandbox, WorldOptions};
use serde_json::{Value as Json, json};

use super::document;
use super::schema::{Call, Document, wrong, xml};
use crate::client::{Client, Got};

/// Ignored members: the customer of the path counts.
const PASSED_OVER: &[(&str, &str)] =
    &[("customer-tokens.attach", "customer-key"), ("customer-tokens.update", "customer-key")];
/// Parameters with unknown words that are ignored.
const ANY_WORD: &[(&str, &str)] = &[("tokens.search", "date-filter")];

/// A world with objects of every kind.
pub(super) struct Subscriber {
    pub(super) client: Client,
    customer: String,
    token: String,
    plan: String,
}

impl Subscriber {
    pub(super) async fn new(sandbox: &Sandbox) -> Self {
        let world = sandbox.new_world(WorldOptions::default()).await.unwrap();
        let client = Client::with_key(sandbox, world.api_key().expose());
        let (customer, token, plan) = client.subscriber().await;
        Self { client, customer, token, plan }
    }

    /// Creates a transaction without follow-ups.
    async fn transaction(&self, kind: &str) -> String {
        let body = format!(r#"{{"card":"{}","amount":"25.00"}}"#, self.token);
        let got = self.client.json("POST", &format!("/rest/v2/transactions/{kind}"), &body).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.at("/payload/transaction/id")
    }

    /// The key of an existing object.
    pub(super) async fn key(&self, name: &str, kind: &str) -> Option<String> {
        Some(match name {
            "customer-key" => self.customer.clone(),
            "token-id" => self.token.clone(),
            "plan-key" => self.plan.clone(),
            "id" => self.transaction(kind).await,
            _ => return None,
        })
    }

    /// The path of a call, with the key of an existing object.
    pub(super) async fn path(&self, call: &Call<'_>) -> String {
        let Some((before, rest)) = call.path.split_once('{') else { return format!("/rest/v2{}", call.path) };
        let (name, after) = rest.split_once('}').unwrap();
        format!("/rest/v2{before}{}{after}", self.key(name, "sale").await.unwrap())
    }

    /// The example of a body, with keys of existing objects and the figures of the open batch.
    pub(super) async fn example(&self, schema: &Json) -> Json {
        let mut body = schema["examples"][0].clone();
        let kind = if body["type"] == "CAPTURE" { "auth" } else { "sale" };
        if body.get("net-amount").is_some() {
            self.transaction("sale").await;
            let open = self.client.json("GET", "/rest/v2/batches/open", "").await;
            let figure = |name: &str| open.json()["payload"]["batch"][name].clone();
            body = json!({ "net-amount": figure("net-amount"), "total-count": figure("total-count") });
        }
        for (name, value) in body.as_object_mut().unwrap() {
            if let Some(key) = self.key(name, kind).await {
                *value = key.into();
            }
        }
        body
    }

    pub(super) async fn send(
        &self,
        format: &str,
        call: &Call<'_>,
        path: &str,
        body: &Json,
        root: &str,
    ) -> Got {
        match format {
            "XML" => self.client.xml(&call.method, path, &xml(root, body)).await,
            _ => self.client.json(&call.method, path, &body.to_string()).await,
        }
    }
}

#[tokio::test]
async fn examples_are_taken_as_they_are_and_as_live_programs_write_them() {
    let sandbox = Sandbox::start().await.unwrap();
    let document = document(&Client::of(&sandbox)).await;
    let (mut failures, mut taken) = (Vec::new(), 0);
    for call in document.calls() {
        let subscriber = Subscriber::new(&sandbox).await;
        for schema in document.bodies(&call) {
            for format in ["JSON", "XML"] {
                for (what, written) in WRITTEN {
                    let mut body = subscriber.example(schema).await;
                    written(&document, schema, &mut body);
                    let path = subscriber.path(&call).await;
                    let got = subscriber.send(format, &call, &path, &body, root(schema)).await;
                    let mut wrong = Vec::new();
                    if got.status > 299 {
                        wrong.push(format!("{} {}", got.status, got.body));
                    } else if format == "JSON" {
                        wrong = document.unlike(&call, got.status, &got.body);
                    }
                    taken += 1;
                    failures.extend(
                        wrong
                            .iter()
                            .map(|wrong| format!("{} {what} in {format}: {wrong}\n{body}", call.name)),
                    );
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(taken > 150, "{taken}");
}

type Written = fn(&Document, &Json, &mut Json);

/// Spellings of requests by live programs.
const WRITTEN: &[(&str, Written)] = &[
    ("as it is", |_, _, _| ()),
    ("with members that nobody knows", |_, _, body| {
        body["shoe-size"] = json!("44");
        body["socks"] = json!({ "sock": [{ "colour": "red" }, { "colour": null }] });
    }),
    ("with nulls for what is not given", |document, schema, body| {
        fill_up(document, schema, body, &Json::Null);
    }),
    ("with empty texts for what is not given", |document, schema, body| {
        fill_up(document, schema, body, &"".into());
    }),
    ("with numbers and booleans for texts", |_, _, body| {
        for value in body.as_object_mut().unwrap().values_mut() {
            let bare = value.as_str().and_then(|text| serde_json::from_str::<Json>(text).ok());
            // A fraction would be written shorter, and a leading zero is not valid in JSON.
            *value = bare.filter(|bare| bare.is_u64() || bare.is_boolean()).unwrap_or_else(|| value.take());
        }
    }),
    ("with words in lower case", |document, schema, body| {
        for (name, _, member) in document.members(schema) {
            if let (Some(word), true) = (body[&name].as_str(), member["enum"].is_array()) {
                body[&name] = word.to_ascii_lowercase().into();
            }
        }
    }),
];

/// Sets all absent members to this value.
fn fill_up(document: &Document, schema: &Json, body: &mut Json, value: &Json) {
    for (name, _, _) in document.members(schema) {
        if !name.contains('.') && body.get(&name).is_none() {
            body[name] = value.clone();
        }
    }
}

pub(super) fn root(schema: &Json) -> &str {
    schema["xml"]["name"].as_str().unwrap()
}

#[tokio::test]
async fn what_breaks_a_request_is_refused_by_name() {
    let sandbox = Sandbox::start().await.unwrap();
    let subscriber = Subscriber::new(&sandbox).await;
    let document = document(&subscriber.client).await;
    let (mut failures, mut refused) = (Vec::new(), 0);
    for call in document.calls() {
        for schema in document.bodies(&call) {
            let (path, example) = (subscriber.path(&call).await, subscriber.example(schema).await);
            let before = subscriber.client.state().await;
            // In alternation: the messages about a value do not depend on the format.
            for ((name, body), format) in broken(&document, &call, schema, &example)
                .into_iter()
                .zip(["JSON", "XML"].into_iter().cycle())
            {
                let got = subscriber.send(format, &call, &path, &body, root(schema)).await;
                let message = message(&got);
                refused += 1;
                if got.status != 400 || !message.contains(&format!("{name}: ")) {
                    failures.push(format!("{} {name} in {format}: {} {message}", call.name, got.status));
                }
            }
            for (format, body, says) in unreadable(&example, root(schema)) {
                let got = if format == "XML" {
                    subscriber.client.xml(&call.method, &path, &body).await
                } else {
                    subscriber.client.json(&call.method, &path, &body).await
                };
                let message = message(&got);
                refused += 1;
                if got.status != 400 || !message.contains(says) {
                    failures.push(format!("{} {body}: {} {message}", call.name, got.status));
                }
            }
            assert_eq!(subscriber.client.state().await, before, "{}: a refusal changes nothing", call.name);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(refused > 1_500, "{refused}");
}

/// The example without each required member, and with each of its members invalid.
fn broken(document: &Document, call: &Call<'_>, schema: &Json, example: &Json) -> Vec<(String, Json)> {
    let mut broken = Vec::new();
    for (name, required, member) in document.members(schema) {
        if required {
            let mut body = example.clone();
            body.as_object_mut().unwrap().remove(&name);
            broken.push((name.clone(), body));
        }
        let checked = !PASSED_OVER.contains(&(call.name, name.as_str()));
        for value in wrong(member).into_iter().filter(|_| checked) {
            let mut body = example.clone();
            let place = name.split('.').fold(&mut body, |place, part| match place {
                // A missing object or list is created.
                Json::Array(items) => &mut items[0][part],
                place => &mut place[part],
            });
            *place = value;
            // The switch of the address check is reported by its older name.
            broken.push((name.replace("require-avs", "avs-required"), body));
        }
    }
    broken
}

/// Bodies that are not requests.
fn unreadable(example: &Json, root: &str) -> Vec<(&'static str, String, &'static str)> {
    let (json, written) = (example.to_string(), xml(root, example));
    let first = example.as_object().unwrap().keys().next().unwrap();
    vec![
        ("JSON", format!("[{json}]"), "JSON: the value has another type"),
        ("JSON", json[..json.len() - 1].to_owned(), "JSON: malformed at line 1, column"),
        ("JSON", format!("{json}{json}"), "JSON: something follows the end of the document"),
        (
            "JSON",
            format!("{{{0}:{1},{0}:{1}}}", Json::from(first.as_str()), example[first]),
            "the member is given twice",
        ),
        ("JSON", format!("\u{feff}\u{feff}{json}"), "JSON: malformed at line 1, column 1"),
        (
            "JSON",
            format!(r#"{{"unknown":{}1{}}}"#, "[".repeat(64), "]".repeat(64)),
            "JSON: the document is nested too deeply",
        ),
        ("JSON", "null".into(), "JSON: the value has another type"),
        ("JSON", written.clone(), "JSON: malformed at line 1, column 1"),
        ("XML", xml("other", example), "XML: the root element is another one"),
        ("XML", written[..written.len() - 1].to_owned(), "XML: malformed at line"),
        ("XML", format!("{written}{written}"), "XML: something follows the end of the document"),
        ("XML", format!("<!DOCTYPE {root}>{written}"), "XML: a document type declaration is not allowed"),
        ("XML", format!("<{root}>&none;</{root}>"), "XML"),
        (
            "XML",
            format!("<{root}>text{}</{root}>", xml("unknown", &Json::Null)),
            "text stands beside elements",
        ),
        ("XML", format!("<{root}>{}</{root}>", "<a>".repeat(64)), "XML: the document is nested too deeply"),
        ("XML", json, "XML: malformed at line 1"),
    ]
}

pub(super) fn message(got: &Got) -> String {
    if got.body.starts_with('<') {
        got.element("error-message")
    } else {
        got.at("/payload/error/error-message")
    }
}

#[tokio::test]
async fn what_breaks_a_query_is_refused_by_name() {
    let sandbox = Sandbox::start().await.unwrap();
    let subscriber = Subscriber::new(&sandbox).await;
    let document = document(&subscriber.client).await;
    let mut failures = Vec::new();
    for call in document.calls() {
        let path = subscriber.path(&call).await;
        let required: Vec<&Json> = call.query().filter(|parameter| parameter["required"] == true).collect();
        for parameter in call.query() {
            let name = parameter["name"].as_str().unwrap();
            let schema = document.resolved(&parameter["schema"]);
            // The text of a search may be any text.
            let ruled = schema["maxLength"].is_null() && !wrong(schema).is_empty();
            let ruled = ruled && !ANY_WORD.contains(&(call.name, name));
            let got = subscriber.client.json("GET", &format!("{path}?{name}=!"), "").await;
            let refused = got.status == 400 && message(&got).contains(&format!("{name}: must be"));
            if refused != ruled || !refused && got.status > 299 {
                failures.push(format!("{} {name}: {} {}", call.name, got.status, got.body));
            }
        }
        if !required.is_empty() {
            let got = subscriber.client.json("GET", &path, "").await;
            for name in required.iter().filter_map(|parameter| parameter["name"].as_str()) {
                if got.status != 400 || !message(&got).contains(&format!("{name}: is required")) {
                    failures.push(format!("{} without {name}: {} {}", call.name, got.status, got.body));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
