//! The JSON objects that the control interface is sent, read member by member, so that what is wrong is named and
//! nothing that was sent is repeated.

use serde_json::{Map, Value as Json};

/// The members of an object that are not read yet.
pub(crate) struct Members(Map<String, Json>);

impl Members {
    /// A body, where none is an empty object.
    pub(crate) fn of_body(body: &[u8]) -> Result<Self, String> {
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        match serde_json::from_slice(body) {
            Ok(Json::Object(members)) => Ok(Self(members)),
            _ => Err("the body: must be a JSON object".into()),
        }
    }

    /// Any value; one that is null counts as not given.
    pub(crate) fn value(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("{name}: must be text")),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_u64().ok_or_else(|| format!("{name}: must be a whole number from 0"))?;
        Ok(Some(number))
    }

    /// Refuses what was not read: `known` says what there is.
    pub(crate) fn finish(self, known: &str) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(format!("the body: has a member that is not known here; there is {known}"))
    }
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
