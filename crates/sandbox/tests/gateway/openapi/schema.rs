//! The document as a test reads it: its calls, their bodies, and violations of schemas.

use regex::Regex;
use serde_json::Value as Json;

pub(super) struct Document(pub(super) Json);

/// A call of the document.
pub(super) struct Call<'d> {
    pub(super) method: String,
    /// The path, with the name of its key in braces.
    pub(super) path: &'d str,
    pub(super) name: &'d str,
    pub(super) described: &'d Json,
}

impl Call<'_> {
    /// The parameters of its query.
    pub(super) fn query(&self) -> impl Iterator<Item = &Json> {
        let parameters = self.described["parameters"].as_array().into_iter().flatten();
        parameters.filter(|parameter| parameter["in"] == "query")
    }
}

impl Document {
    pub(super) fn calls(&self) -> Vec<Call<'_>> {
        let mut calls = Vec::new();
        for (path, methods) in self.0["paths"].as_object().unwrap() {
            for (method, described) in methods.as_object().unwrap() {
                let (method, name) =
                    (method.to_ascii_uppercase(), described["operationId"].as_str().unwrap());
                calls.push(Call { method, path, name, described });
            }
        }
        calls
    }

    /// Resolves a reference.
    pub(super) fn resolved<'d>(&'d self, schema: &'d Json) -> &'d Json {
        match schema["$ref"].as_str() {
            Some(place) => self.0.pointer(place.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// The schemas of a call's body: none, one, or one for each `type`.
    pub(super) fn bodies<'d>(&'d self, call: &Call<'d>) -> Vec<&'d Json> {
        let Some(schema) = call.described.pointer("/requestBody/content/application~1json/schema") else {
            return Vec::new();
        };
        match schema["anyOf"].as_array() {
            Some(any) => any.iter().map(|schema| self.resolved(schema)).collect(),
            None => vec![self.resolved(schema)],
        }
    }

    /// Deviations of an answer from the call's description; empty if there are none.
    pub(super) fn unlike(&self, call: &Call<'_>, status: u16, body: &str) -> Vec<String> {
        let described = self.resolved(&call.described["responses"][status.to_string()]);
        match (described.pointer("/content/application~1json/schema"), body) {
            _ if described.is_null() => vec![format!("{status} is not documented")],
            (None, "") => Vec::new(),
            (None, _) => vec!["no body is documented".into()],
            (Some(schema), body) => match serde_json::from_str(body) {
                Ok(json) => self.breaches(schema, &json, "answer"),
                Err(error) => vec![format!("{error}: {body}")],
            },
        }
    }

    /// Violations of a schema by a value: the part of JSON Schema that the document uses.
    pub(super) fn breaches(&self, schema: &Json, value: &Json, at: &str) -> Vec<String> {
        let schema = self.resolved(schema);
        let mut breaches = Vec::new();
        let mut check = |right: bool, what: &str| {
            if !right {
                breaches.push(format!("{at}: {what}"));
            }
        };
        let types = match &schema["type"] {
            Json::Array(types) => types.iter().filter_map(Json::as_str).collect(),
            one => Vec::from_iter(one.as_str()),
        };
        let is = |kind: &&str| match *kind {
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            _ => value.is_object(),
        };
        check(types.is_empty() || types.iter().any(is), "another type");
        if let Some(text) = value.as_str() {
            let fits = |pattern: &str| Regex::new(pattern).unwrap().is_match(text);
            check(schema["pattern"].as_str().is_none_or(fits), "another pattern");
            check(
                schema["maxLength"].as_u64().is_none_or(|max| text.chars().count() as u64 <= max),
                "too long",
            );
        }
        if let Some(number) = value.as_u64() {
            check(schema["minimum"].as_u64().is_none_or(|min| number >= min), "too small");
            check(schema["maximum"].as_u64().is_none_or(|max| number <= max), "too large");
        }
        check(schema["const"].is_null() || schema["const"] == *value, "another word");
        check(schema["enum"].as_array().is_none_or(|words| words.contains(value)), "none of the words");
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            check(value.get(name).is_some(), &format!("{name} is missing"));
        }
        for (any, least, most) in [("anyOf", 1, usize::MAX), ("oneOf", 1, 1)] {
            if let Some(choices) = schema[any].as_array() {
                let fitting =
                    choices.iter().filter(|choice| self.breaches(choice, value, at).is_empty()).count();
                check((least..=most).contains(&fitting), &format!("{fitting} of {any} fit"));
            }
        }
        for name in value.as_object().into_iter().flat_map(|members| members.keys()) {
            let known = schema["properties"].get(name).is_some();
            check(known || schema["additionalProperties"] != false, &format!("{name} is unknown"));
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            if let Some(schema) = schema["properties"].get(name) {
                breaches.extend(self.breaches(schema, member, &format!("{at}.{name}")));
            }
        }
        for item in value.as_array().into_iter().flatten().filter(|_| !schema["items"].is_null()) {
            breaches.extend(self.breaches(&schema["items"], item, &format!("{at}[]")));
        }
        breaches
    }

    /// Members of a schema, including those of inner objects by path: name, whether it is required, its schema.
    pub(super) fn members<'d>(&'d self, schema: &'d Json) -> Vec<(String, bool, &'d Json)> {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut members = Vec::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let member = self.resolved(member);
            members.push((name.clone(), required.contains(&name.as_str().into()), member));
            let inner = self.members(member);
            members.extend(
                inner.into_iter().map(|(inner, _, member)| (format!("{name}.{inner}"), false, member)),
            );
        }
        members
    }
}

/// Values that break a schema's rule and that lenient reading refuses too.
pub(super) fn wrong(schema: &Json) -> Vec<Json> {
    if let Some(max) = schema["maxLength"].as_u64().and_then(|max| usize::try_from(max).ok()) {
        return vec!["x".repeat(max + 1).into()];
    }
    let pattern = schema["pattern"].as_str().map(|pattern| Regex::new(pattern).unwrap());
    let breaks = |text: &str| match (&pattern, schema["type"].as_str()) {
        _ if schema["enum"].is_array() => true,
        _ if schema["format"] == "date" => true,
        (Some(pattern), _) => !pattern.is_match(text),
        (None, kind) => matches!(kind, Some("integer" | "boolean")),
    };
    let odd = [
        "!",
        "yes",
        "-1.00",
        "1e2",
        "1.505",
        "99/30",
        "2027-02-30",
        "0x1F",
        "411111111111111X",
        "\u{ff11}\u{ff12}",
    ];
    odd.into_iter().filter(|text| breaks(text)).map(Json::from).collect()
}

/// Converts JSON to XML.
pub(super) fn xml(name: &str, json: &Json) -> String {
    match json {
        Json::Object(members) => {
            let inner: String = members.iter().map(|(name, value)| xml(name, value)).collect();
            format!("<{name}>{inner}</{name}>")
        }
        Json::Array(items) => items.iter().map(|item| xml(name, item)).collect(),
        Json::Null => format!("<{name}/>"),
        Json::String(text) => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace("]]>", "]]&gt;");
            format!("<{name}>{text}</{name}>")
        }
        bare => format!("<{name}>{bare}</{name}>"),
    }
}
