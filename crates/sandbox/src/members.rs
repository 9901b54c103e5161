//! The JSON objects that the control interface is sent, read member by member, so that what is wrong is named and
//! nothing that was sent is repeated.

use serde_json::{Map, Value as Json};

/// The members of an object that are not read yet.
pub(crate) struct Members {
    left: Map<String, Json>,
    /// The member that holds this object, empty for a body.
    within: &'static str,
}

impl Members {
    /// A body, where none is an empty object.
    pub(crate) fn of_body(body: &[u8]) -> Result<Self, String> {
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        match serde_json::from_slice(body) {
            Ok(Json::Object(left)) => Ok(Self { left, within: "" }),
            _ => Err("the body: must be a JSON object".into()),
        }
    }

    /// Any value; one that is null counts as not given.
    pub(crate) fn value(&mut self, name: &str) -> Option<Json> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.problem(name, "must be text")),
        }
    }

    /// The members of a member that is an object itself.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Option<Self>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Json::Object(left)) => Ok(Some(Self { left, within: name })),
            Some(_) => Err(self.problem(name, "must be an object")),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_u64().ok_or_else(|| self.problem(name, "must be a whole number from 0"))?;
        Ok(Some(number))
    }

    pub(crate) fn real(&mut self, name: &str) -> Result<Option<f64>, String> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_f64().ok_or_else(|| self.problem(name, "must be a number"))?;
        Ok(Some(number))
    }

    /// What is wrong with a member, named by its whole path.
    pub(crate) fn problem(&self, name: &str, rule: &str) -> String {
        if self.within.is_empty() {
            format!("{name}: {rule}")
        } else {
            format!("{}.{name}: {rule}", self.within)
        }
    }

    /// Refuses what was not read: `known` says what there is.
    pub(crate) fn finish(self, known: &str) -> Result<(), String> {
        if self.left.is_empty() {
            return Ok(());
        }
        let whole = if self.within.is_empty() { "the body" } else { self.within };
        Err(format!("{whole}: has a member that is not known here; there is {known}"))
    }
}

/// The members of an object that have a value.
pub(crate) fn given(mut object: Json) -> Json {
    object.as_object_mut().into_iter().for_each(|members| members.retain(|_, value| !value.is_null()));
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_the_member_and_not_the_value() {
        type Read = fn(&mut Members) -> Result<(), String>;
        let cases: &[(&str, Read, &str)] = &[
            ("[1]", |_| Ok(()), "the body: must be a JSON object"),
            ("{", |_| Ok(()), "the body: must be a JSON object"),
            (r#"{"a":7}"#, |m| m.text("a").map(drop), "a: must be text"),
            (r#"{"a":-7}"#, |m| m.number("a").map(drop), "a: must be a whole number from 0"),
            (r#"{"a":"7"}"#, |m| m.number("a").map(drop), "a: must be a whole number from 0"),
            (r#"{"a":1.5}"#, |m| m.number("a").map(drop), "a: must be a whole number from 0"),
            (r#"{"b":7}"#, |_| Ok(()), "the body: has a member that is not known here; there is a"),
            (r#"{"a":"7"}"#, |m| m.real("a").map(drop), "a: must be a number"),
            (r#"{"a":7}"#, |m| m.object("a").map(drop), "a: must be an object"),
            (r#"{"a":{"b":7}}"#, |m| m.object("a")?.unwrap().text("b").map(drop), "a.b: must be text"),
            (
                r#"{"a":{"b":7}}"#,
                |m| m.object("a")?.unwrap().finish("c"),
                "a: has a member that is not known here; there is c",
            ),
        ];
        for (body, read, expected) in cases {
            let told = Members::of_body(body.as_bytes()).and_then(|mut members| {
                read(&mut members)?;
                members.finish("a")
            });
            assert_eq!(told.as_ref().map_err(String::as_str), Err(*expected), "{body}");
        }
        for body in ["", " ", "{}", r#"{"a":null}"#] {
            let mut members = Members::of_body(body.as_bytes()).unwrap();
            assert_eq!((members.text("a"), members.finish("a")), (Ok(None), Ok(())), "{body}");
        }
    }
}
