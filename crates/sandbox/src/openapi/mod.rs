//! The `OpenAPI` document of the Clearent tree, derived from the tables of the sandbox: the operations, the fields of
//! the domain's requests and the members of the wire's responses.

mod calls;
mod schemas;

use perennial_domain::field::Need;
use perennial_wire::clearent::{Operation, ROOT, Resource};
use serde_json::{Map, Value as Json, json};

use self::calls::{CALLS, Call, ERROR, Payload, key};
use self::schemas::{Schemas, paging};

/// Builds the document, as `OpenAPI` 3.1.
pub(crate) fn document() -> Json {
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    for operation in Operation::ALL {
        let Some(call) = CALLS.iter().find(|call| call.on == *operation) else { continue };
        let methods = paths.entry(below_root(*operation)).or_insert_with(|| json!({}));
        methods[operation.method().as_str().to_ascii_lowercase()] = call.described(&mut schemas);
    }
    let refusals: Map<String, Json> = REFUSALS
        .iter()
        .map(|(name, _, about, payloads)| ((*name).to_owned(), answer(&mut schemas, about, payloads)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Clearent recurring payments, as the Perennial sandbox has them",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [{ "url": ROOT }],
        "security": [{ "api-key": [] }],
        "tags": TAGS.map(|(name, about)| json!({ "name": name, "description": about })),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "api-key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "api-key",
                    "description": "The secret key; in the sandbox 32 hexadecimal digits, each a world of its own.",
                },
            },
            "responses": refusals,
            "schemas": schemas.finish(),
        },
    })
}

const ABOUT: &str = "\
Requests and responses are JSON or XML: `Content-Type` selects the format of a request, `Accept` that of its response. \
This document applies to both; in XML every scalar is text, and a list repeats its element.\n\n\
The document describes the requests that programs should send. The sandbox accepts more, because live programs send \
it: numbers and booleans instead of text, null and empty text for missing values, words in any letter case, unknown \
members, doubled slashes, and the key as the body's member `api-key`.\n\n\
A refusal names every rule that a request breaks, and never repeats a value. Responses of faults are not described, \
and neither are the calls about one-time tokens, `/mobile/transactions` and `/mobilejwt`.";

const TAGS: [(&str, &str); 10] = [
    ("customers", "The people that plans charge."),
    ("customer-tokens", "The card tokens that a customer's plans may charge."),
    ("tokens", "Cards in the vault."),
    ("plans", "Monthly charges of a token, and their days."),
    ("payments", "The charges that plans have made."),
    ("batches", "Transactions that are settled together."),
    ("transactions", "Charges of cards, with their captures, voids and refunds."),
    ("avs-settings", "The allowed results of the address check."),
    ("csc-settings", "The allowed results of the security code check."),
    ("duplicate-settings", "The detection of duplicate charges."),
];

/// Refusals of any call: the name of the response in the document, the status, the reason, and the payloads.
const REFUSALS: &[(&str, u16, &str, &[Payload])] = &[
    ("Invalid", 400, "The request breaks rules. Result code 041.", &[ERROR]),
    ("Unauthorized", 401, "No key, or one that opens no world. Result code 042.", &[ERROR]),
    ("Forbidden", 403, "A request of a web page of another site.", &[ERROR]),
    ("NotFound", 404, "The object of the path does not exist.", &[ERROR]),
    ("TooSlow", 408, "A body that took more than five seconds.", &[ERROR]),
    ("TooLarge", 413, "A body of more than 256 KiB.", &[ERROR]),
    ("TooLong", 414, "A path and query of more than 64 KiB; there is no body.", &[]),
    ("Encoded", 415, "A body that is compressed.", &[ERROR]),
    ("Misdirected", 421, "A `Host` that is not this sandbox's.", &[ERROR]),
    ("TooManyHeaders", 431, "More than 64 headers; there is no body.", &[]),
    ("Failed", 500, "The sandbox cannot use its database.", &[ERROR]),
];

impl Call {
    fn described(&self, schemas: &mut Schemas) -> Json {
        let Self { on, name, about, body, answers, gives, .. } = self;
        let operation = on.name();
        let mut responses = Map::new();
        for (status, payloads) in *answers {
            let about = if payloads.is_empty() {
                "There are no objects, and the response has no body."
            } else {
                "The result."
            };
            responses.insert(status.to_string(), answer(schemas, about, payloads));
        }
        let refusals = REFUSALS.iter().filter(|(_, status, ..)| *status != 404 || key_of(*on).is_some());
        for (name, status, ..) in refusals {
            let refusal = json!({ "$ref": format!("#/components/responses/{name}") });
            responses.entry(status.to_string()).or_insert(refusal);
        }
        if let (Some((key, pointer)), Some((status, _))) = (gives, answers.first()) {
            responses[&status.to_string()]["links"] = leads(key, pointer);
        }
        let mut described = json!({
            "operationId": name.unwrap_or(operation),
            "tags": [Resource::of(operation).map(Resource::name)],
            "summary": about,
            "responses": responses,
        });
        if name.is_some() {
            let note =
                format!("Faults and the request log use the name of its action, such as `{operation}`.");
            described["description"] = note.into();
        }
        let parameters = self.parameters(schemas);
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        if !body.is_empty() {
            let content = both(&schemas.request(body));
            let required = body.iter().any(|body| body.asks_for_something());
            described["requestBody"] = json!({ "required": required, "content": content });
        }
        described
    }

    fn parameters(&self, schemas: &mut Schemas) -> Vec<Json> {
        let Self { on, query, direction, .. } = self;
        let mut parameters = Vec::new();
        if let Some(name) = key_of(*on) {
            let schema = schemas.field(&key(name));
            parameters.push(json!({ "in": "path", "name": name, "required": true, "schema": schema }));
        }
        for field in *query {
            let (required, schema) = (field.need == Need::Required, schemas.field(field));
            parameters
                .push(json!({ "in": "query", "name": field.name, "required": required, "schema": schema }));
        }
        parameters.extend(direction.iter().flat_map(|direction| paging(direction)));
        parameters
    }
}

/// The path below the root of the servers.
fn below_root(operation: Operation) -> String {
    operation.path().trim_start_matches(ROOT).to_owned()
}

/// The name of the key in the path of a call.
fn key_of(operation: Operation) -> Option<&'static str> {
    operation.path().split_once('{')?.1.split('}').next()
}

/// Links to the calls that take the key of a response.
fn leads(key: &str, pointer: &str) -> Json {
    let takers = Operation::ALL.iter().filter(|operation| key_of(**operation) == Some(key));
    let given = json!({ key: format!("$response.body#{pointer}") });
    let link = |name: &str| json!({ "operationId": name, "parameters": given });
    takers
        .map(|operation| (operation.name().to_owned(), link(operation.name())))
        .collect::<Map<_, _>>()
        .into()
}

/// A response with one of these payloads.
fn answer(schemas: &mut Schemas, about: &str, payloads: &[Payload]) -> Json {
    let envelopes: Vec<Json> = payloads.iter().map(|payload| schemas.envelope(payload)).collect();
    let schema = match envelopes.as_slice() {
        [] => return json!({ "description": about }),
        [one] => one.clone(),
        any => json!({ "oneOf": any }),
    };
    json!({ "description": about, "content": both(&schema) })
}

/// The content in both formats.
fn both(schema: &Json) -> Json {
    json!({ "application/json": { "schema": schema }, "application/xml": { "schema": schema } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_domain::clearent::{
        BatchSearch, BatchStatus, CustomerSearch, Paging, PaymentSearch, PlanSearch, PlanStatus, TokenSearch,
        TransactionLevel, TransactionSearch, TransactionType,
    };
    use perennial_domain::{Amount, Date};
    use perennial_wire::clearent::{Reply, batch, customer, payment, plan, token, transaction};
    use perennial_wire::shape::{Kind, Member};

    #[test]
    fn every_operation_is_described_once_and_nothing_else_is() {
        // These need a header that is good once, or another key; the text says that they are left out.
        let mut had: Vec<String> = Operation::ALL.iter().map(|operation| format!("{operation:?}")).collect();
        had.retain(|operation| !operation.starts_with("Mobile") && operation != "CreateOneTimeToken");
        assert!(ABOUT.contains("`/mobile/transactions` and `/mobilejwt`"));
        let mut described: Vec<String> = CALLS.iter().map(|call| format!("{:?}", call.on)).collect();
        had.sort_unstable();
        described.sort_unstable();
        assert_eq!(had, described);
    }

    #[test]
    fn every_payload_of_the_wire_is_an_answer_and_nothing_else_is() {
        let payload = Reply::SHAPE.members.iter().find(|member| member.name == "payload");
        let Some(Member { kind: Kind::Object(payload), .. }) = payload else { panic!("a payload") };
        // `token` is what the gateway wrote until 2016, and is read only; one-time tokens are left out.
        let written = |name: &&str| !matches!(*name, "token" | "payloadType" | "mobile-jwt");
        let mut had: Vec<&str> = payload.members.iter().map(|member| member.name).filter(written).collect();
        let answers = CALLS.iter().flat_map(|call| call.answers).flat_map(|(_, payloads)| *payloads);
        let mut described: Vec<&str> = answers.flat_map(|Payload(_, members, _)| *members).copied().collect();
        had.sort_unstable();
        described.sort_unstable();
        described.dedup();
        assert_eq!(had, described);
    }

    /// Lists the searches in full, so that a new criterion does not compile until it is added here.
    #[test]
    fn every_parameter_that_a_client_sends_is_described() {
        let (text, page) = (
            || Some("x".to_owned()),
            || Paging {
                page: Some(1),
                page_size: Some(1),
                order_by: Some("x".into()),
                descending: Some(true),
            },
        );
        let (amount, day) = (Amount::from_cents(1).ok(), Date::try_from("2027-01-01").ok());
        let (customer_key, plan_key) = ("x".parse().ok(), "x".parse().ok());
        let (token_id, id) = ("x".parse().ok(), "x".parse().ok());
        let searches = [
            customer::search(&CustomerSearch {
                customer_key: customer_key.clone(),
                first_name: text(),
                last_name: text(),
                email: text(),
                phone_number: text(),
                last_four: text(),
                exp_date: text(),
                plan_name: text(),
                paging: page(),
            }),
            plan::search(&PlanSearch {
                customer_key: customer_key.clone(),
                customer_name: text(),
                plan_key: plan_key.clone(),
                plan_name: text(),
                payment_amount: amount,
                status: Some(PlanStatus::ACTIVE),
                token_id: token_id.clone(),
                paging: page(),
            }),
            token::search(&TokenSearch {
                token_id,
                merchant_legacy_token_id: text(),
                updated_start_date: day,
                updated_end_date: day,
                date_filter: text(),
                paging: page(),
            }),
            payment::list(&PaymentSearch { customer_key, plan_key, paging: page() }),
            transaction::search(&TransactionSearch {
                id,
                level: Some(TransactionLevel::MERCHANT),
                amount,
                transaction_type: Some(TransactionType::SALE),
                status: text(),
                last_four: text(),
                authorization_code: text(),
                invoice: text(),
                order_id: text(),
                display_message: text(),
                start_date: text(),
                end_date: text(),
                paging: page(),
            }),
            batch::list(&BatchSearch { status: Some(BatchStatus::OPEN), paging: page() }),
        ];
        let document = document();
        for search in searches {
            let (path, query) = search.target.split_once('?').unwrap();
            let parameters = &document["paths"][&path[ROOT.len()..]]["get"]["parameters"];
            let described: Vec<&str> = parameters
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            for (name, _) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                assert!(described.contains(&name), "{name} of {path}");
            }
        }
    }

    /// Client generators turn these names into types and files, and some file systems ignore case.
    #[test]
    fn names_of_schemas_and_calls_differ_in_more_than_case() {
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap().keys();
        let calls =
            document["paths"].as_object().unwrap().values().flat_map(|methods| methods.as_object().unwrap());
        let calls = calls.map(|(_, call)| call["operationId"].as_str().unwrap().to_owned());
        for mut names in [schemas.cloned().collect::<Vec<_>>(), calls.collect()] {
            let plain = |name: &String| name.replace(['-', '.'], "").to_ascii_lowercase();
            names = names.iter().map(plain).collect();
            names.sort_unstable();
            let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
            assert!(twice.is_empty(), "{twice:?}");
        }
    }
}
