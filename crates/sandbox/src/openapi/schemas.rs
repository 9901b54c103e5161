//! The schemas of the document: requests by the fields of the domain, responses by the members of the wire.

use perennial_domain::field::{Field, Kind, Need};
use perennial_wire::clearent::Reply;
use perennial_wire::shape::{Kind as Holds, Member, Shape};
use serde_json::{Map, Value as Json, json};

use super::calls::{Body, Payload};

/// The named schemas, collected as they are referenced.
#[derive(Default)]
pub(super) struct Schemas(Map<String, Json>);

impl Schemas {
    pub(super) fn finish(self) -> Map<String, Json> {
        self.0
    }

    fn named(&mut self, name: &str, schema: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.0.contains_key(name) {
            let schema = schema(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// The body of a request; one of several, selected by `type`, if there are several.
    pub(super) fn request(&mut self, bodies: &[&Body]) -> Json {
        if let [body] = bodies {
            return self.body(body);
        }
        let any: Vec<Json> = bodies.iter().map(|body| self.body(body)).collect();
        let root = bodies.first().map(|body| body.root);
        json!({ "type": "object", "required": ["type"], "anyOf": any, "xml": { "name": root } })
    }

    fn body(&mut self, body: &Body) -> Json {
        let Body { name, root, fields, also, least, example } = body;
        self.named(name, |schemas| {
            let plain = fields.iter().filter(|field| also.iter().all(|other| other.name != field.name));
            let mut schema = schemas.fields(plain.chain(*also));
            schema["xml"] = json!({ "name": root });
            let example: Json = serde_json::from_str(example).expect("a test sends every example");
            schema["examples"] = json!([example]);
            let choices = least.iter().filter(|field| field.need != Need::Required);
            let choices: Vec<Json> = choices.map(|field| json!({ "required": [field.name] })).collect();
            if !choices.is_empty() {
                schema["anyOf"] = choices.into();
            }
            schema
        })
    }

    fn fields<'f>(&mut self, fields: impl Iterator<Item = &'f Field> + Clone) -> Json {
        let required: Vec<&str> =
            fields.clone().filter(|field| field.need == Need::Required).map(|field| field.name).collect();
        object(fields.map(|field| (field.name.to_owned(), self.field(field))).collect(), &required)
    }

    /// The schema of a field or a parameter.
    pub(super) fn field(&mut self, field: &Field) -> Json {
        let mut schema = self.kind(field.name, field.kind);
        if field.need == Need::Documented {
            schema["description"] =
                "The vendor's page requires it; the gateway lets requests without it pass.".into();
        }
        schema
    }

    fn kind(&mut self, name: &str, kind: Kind) -> Json {
        match kind {
            // The gateway takes any brand as it is given.
            Kind::Word(brands) if name == "card-type" => {
                json!({ "type": "string", "examples": brands })
            }
            Kind::Word(words) => json!({ "type": "string", "enum": words }),
            Kind::Object(called, fields) => self.named(called, |schemas| schemas.fields(fields.iter())),
            Kind::Many(kind) => {
                json!({ "type": "array", "items": self.kind(name, *kind), "minItems": 1 })
            }
            Kind::Text { max } => self.named(&format!("Text{max}"), |_| {
                json!({
                    "type": "string",
                    "minLength": 1,
                    "maxLength": max,
                    "pattern": carried(),
                    "description": "Not blank, and without control characters but tab and line breaks.",
                })
            }),
            Kind::Key => self.grammar("Key", KEY, "A key or id of the gateway, or one of your own."),
            Kind::Amount => self.grammar(
                "Amount",
                r"^(0|[1-9][0-9]{0,8})\.[0-9]{2}$",
                "Exactly two decimals. Nothing can be charged that is less than 0.01; 0.00 is for authorizations and tips.",
            ),
            Kind::Total => self.grammar("Total", TOTAL, "Charges less refunds."),
            Kind::Date => self.named("Date", |_| json!({ "type": "string", "format": "date", "pattern": DATE })),
            Kind::Expiry => self.grammar("Expiry", EXPIRY, "`MMYY`; the card is good through that month."),
            Kind::Card => self.grammar(
                "Card",
                "^[0-9]{12,19}$",
                "A card number whose check digit is right; in the sandbox one of the published test numbers.",
            ),
            Kind::CardOrToken => self.grammar(
                "CardOrToken",
                "^(11[A-Za-z0-9_.:-]{0,98}|[0-9]{12,19})$",
                "A card number, or the id of a token, which begins with 11.",
            ),
            Kind::SecurityCode => self.grammar("SecurityCode", "^[0-9]{3,4}$", "Checked and never kept."),
            Kind::LastFour => self.grammar("LastFour", "^[0-9]{4}$", "The last four digits of the card."),
            Kind::Number { min, max } if max < 100 => {
                let digits: Vec<String> = (min..=max).map(|number| number.to_string()).collect();
                let pattern = format!("^({})$", digits.join("|"));
                json!({ "type": ["string", "integer"], "pattern": pattern, "minimum": min, "maximum": max })
            }
            Kind::Number { min, .. } => {
                json!({ "type": ["string", "integer"], "pattern": "^[0-9]{1,18}$", "minimum": min })
            }
            Kind::Flag => self.named("Flag", |_| {
                json!({ "type": ["boolean", "string"], "pattern": "^(true|false)$" })
            }),
        }
    }

    fn grammar(&mut self, name: &str, pattern: &str, about: &str) -> Json {
        self.named(name, |_| json!({ "type": "string", "pattern": pattern, "description": about }))
    }

    /// The envelope of a response with this payload.
    pub(super) fn envelope(&mut self, Payload(word, members, beside): &Payload) -> Json {
        let Shape { name: root, members: envelope } = Reply::SHAPE;
        self.named(&format!("Answer.{word}"), |schemas| {
            let required = [&["code", "status", "exchange-id", "payload"], *beside].concat();
            let written =
                envelope.iter().filter(|Member { name, .. }| *name == "links" || required.contains(name));
            let properties = written.map(|member| match member {
                Member { name: "payload", kind: Holds::Object(payload) } => {
                    (member.name.to_owned(), schemas.payload(word, members, payload))
                }
                member => schemas.property(member),
            });
            let mut schema = closed(properties.collect(), &required);
            schema["xml"] = json!({ "name": root });
            schema
        })
    }

    fn payload(&mut self, word: &str, members: &[&str], payload: &Shape) -> Json {
        let held = payload.members.iter().filter(|member| members.contains(&member.name));
        let mut properties: Map<String, Json> = held.map(|member| self.property(member)).collect();
        let kind = json!({ "type": "string", "const": word, "xml": { "name": "type", "attribute": true } });
        properties.insert("payloadType".to_owned(), kind);
        closed(properties, &[members, &["payloadType"]].concat())
    }

    fn property(&mut self, member: &Member) -> (String, Json) {
        (member.name.to_owned(), self.member(member))
    }

    /// The schema of a member of a response.
    fn member(&mut self, member: &Member) -> Json {
        match member.kind {
            Holds::Text => text(member.name),
            Holds::Bare => bare(member.name),
            Holds::Object(shape) => self.record(shape),
            Holds::Many(kind) | Holds::Records(kind) => {
                let item = self.member(&Member { name: member.name, kind: *kind });
                json!({ "type": "array", "items": item })
            }
        }
    }

    fn record(&mut self, Shape { name, members }: Shape) -> Json {
        self.named(name, |schemas| {
            // A list has its records; what it is read from besides, it is not written as.
            let records: Vec<Member> =
                members.iter().filter(|member| matches!(member.kind, Holds::Records(_))).copied().collect();
            let required: Vec<&str> = records.iter().map(|member| member.name).collect();
            let members = if records.is_empty() { members } else { &records };
            let properties = members.iter().map(|member| schemas.property(member)).collect();
            closed(properties, &required)
        })
    }
}

/// An object that has no other members.
fn closed(properties: Map<String, Json>, required: &[&str]) -> Json {
    let mut schema = object(properties, required);
    schema["additionalProperties"] = false.into();
    schema
}

fn object(properties: Map<String, Json>, required: &[&str]) -> Json {
    let mut schema = json!({ "type": "object" });
    schema["properties"] = properties.into();
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// A scalar that JSON writes bare, by its name.
fn bare(name: &str) -> Json {
    match name {
        "number"
        | "number-of-elements"
        | "size"
        | "total-elements"
        | "total-pages"
        | "time-range-in-minutes" => {
            json!({ "type": "integer", "minimum": 0 })
        }
        _ => json!({ "type": "boolean" }),
    }
}

/// A text member of a response, by its name.
fn text(name: &str) -> Json {
    let pattern = match name {
        "code" => "^[2-5][0-9]{2}$",
        "result-code" => "^[0-9]{3}$",
        "last-four" | "last-four-digits" => "^[0-9]{4}$",
        "customer-key" | "plan-key" | "token-id" | "transaction-id" | "id" => KEY,
        "net-amount" | "sales-total" | "refund-total" => TOTAL,
        "date" | "start-date" | "end-date" => DATE,
        "exp-date" => EXPIRY,
        _ if name == "amount" || name.ends_with("-amount") => r"^[0-9]{1,9}\.[0-9]{2}$",
        _ => return json!({ "type": "string" }),
    };
    json!({ "type": "string", "pattern": pattern })
}

/// A pattern for text that is not blank and that XML can carry.
fn carried() -> String {
    let control = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff";
    format!(r"^[^{control}]*[^{control}\s][^{control}]*$")
}

/// Paging parameters of a list.
pub(super) fn paging(direction: &str) -> [Json; 4] {
    let parameter = |name: &str, about: &str, schema: Json| {
        let mut parameter = json!({ "in": "query", "name": name, "required": false, "schema": schema });
        parameter["description"] = about.into();
        parameter
    };
    [
        parameter("order-by", "The member to order by; others are ignored.", json!({ "type": "string" })),
        parameter(
            direction,
            "Newest or last first; the default.",
            json!({ "type": "boolean", "default": true }),
        ),
        parameter(
            "page",
            "Counted from 1.",
            json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX, "default": 1 }),
        ),
        parameter(
            "page-size",
            "A page has at most 1,000.",
            json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX, "default": 25 }),
        ),
    ]
}

const KEY: &str = "^[A-Za-z0-9_.:-]{0,99}[A-Za-z0-9_:-]$";
const DATE: &str = "^(19[7-9][0-9]|2[01][0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
const TOTAL: &str = r"^-?[0-9]{1,15}\.[0-9]{2}$";
const EXPIRY: &str = "^(0[1-9]|1[0-2])[0-9]{2}$";
