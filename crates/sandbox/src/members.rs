//! JSON objects of control requests, read member by member, so that errors name the invalid member and
//! repeat no value.

use std::collections::BTreeMap;
use std::fmt;

use perennial_domain::encoding;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::nearest::{in_words, nearest};

/// Unread members of an object.
pub(crate) struct Members {
    left: BTreeMap<String, Box<RawValue>>,
    /// The path of the member that holds this object; empty for a body.
    within: String,
}

impl Members {
    /// Reads a body; an absent body counts as an empty object.
    pub(crate) fn of_body(body: &[u8]) -> Result<Self, String> {
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        let body = body.strip_prefix(encoding::MARK).unwrap_or(body);
        match serde_json::from_slice::<Object>(body) {
            Ok(object) => object.members(String::new()),
            Err(_) => Err("the body: must be a JSON object".into()),
        }
    }

    /// Reads a value of this type; null counts as absent.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, name: &str, rule: &str) -> Result<Option<T>, String> {
        let Some(value) = self.left.remove(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|_| self.problem(name, rule))
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.read(name, "must be text")
    }

    /// Reads a member that is an object.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>, String> {
        let object = self.read::<Object>(name, "must be an object")?;
        object.map(|object| object.members(self.path_of(name))).transpose()
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        self.read(name, "must be a whole number from 0")
    }

    pub(crate) fn real(&mut self, name: &str) -> Result<Option<f64>, String> {
        self.read(name, "must be a number")
    }

    /// The error text for a member, with its whole path.
    pub(crate) fn problem(&self, name: &str, rule: &str) -> String {
        format!("{}: {rule}", self.path_of(name))
    }

    fn path_of(&self, name: &str) -> String {
        if self.within.is_empty() { name.to_owned() } else { format!("{}.{name}", self.within) }
    }

    /// Refuses unread members; `names` has the known ones.
    pub(crate) fn finish_with(self, names: &[&str]) -> Result<(), String> {
        if self.left.is_empty() { Ok(()) } else { self.finish(&in_words(names, "and")) }
    }

    /// Refuses unread members; `known` lists the known ones, as in `seed, now and gateway`.
    pub(crate) fn finish(self, known: &str) -> Result<(), String> {
        let Some(name) = self.left.keys().next() else { return Ok(()) };
        // A name of letters alone is no secret that stands in the wrong place.
        let is_plain =
            name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphabetic() || b"-_".contains(&b));
        let named = if is_plain { format!("the member {name}, which") } else { "a member that".to_owned() };
        let others = known.split([' ', ',']).filter(|word| !matches!(*word, "" | "and" | "none"));
        let meant = nearest(name, others).map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
        let whole = whole(&self.within);
        Err(format!("{whole}: has {named} is not known here{meant}; there is {known}"))
    }
}

/// The name of the object in error texts.
fn whole(within: &str) -> &str {
    if within.is_empty() { "the body" } else { within }
}

/// An object as it was received.
struct Object {
    members: BTreeMap<String, Box<RawValue>>,
    repeats: bool,
}

impl Object {
    fn members(self, within: String) -> Result<Members, String> {
        if self.repeats {
            return Err(format!("{}: must not have a member twice", whole(&within)));
        }
        Ok(Members { left: self.members, within })
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object { members: BTreeMap::new(), repeats: false };
                while let Some((name, value)) = map.next_entry()? {
                    object.repeats |= object.members.insert(name, value).is_some();
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Each)
    }
}

/// Removes null members from an object.
pub(crate) fn given(mut object: Json) -> Json {
    object.as_object_mut().into_iter().for_each(|members| members.retain(|_, value| !value.is_null()));
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: A problem with a control request names the member and not its value.
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
            (r#"{"b":7}"#, |_| Ok(()), "the body: has the member b, which is not known here; there is a"),
            (
                r#"{"4111111111111111":7}"#,
                |_| Ok(()),
                "the body: has a member that is not known here; there is a",
            ),
            (r#"{"a":"7"}"#, |m| m.real("a").map(drop), "a: must be a number"),
            (r#"{"a":1e999}"#, |m| m.real("a").map(drop), "a: must be a number"),
            (r#"{"a":7,"b":1,"a":7}"#, |_| Ok(()), "the body: must not have a member twice"),
            (r#"{"a":{"b":7,"b":8}}"#, |m| m.object("a").map(drop), "a: must not have a member twice"),
            (r#"{"a":7}"#, |m| m.object("a").map(drop), "a: must be an object"),
            (r#"{"a":{"b":7}}"#, |m| m.object("a")?.unwrap().text("b").map(drop), "a.b: must be text"),
            (
                r#"{"a":{"b":7}}"#,
                |m| m.object("a")?.unwrap().finish("c"),
                "a: has the member b, which is not known here; there is c",
            ),
            (
                r#"{"a":{"colour":7}}"#,
                |m| m.object("a")?.unwrap().finish("color and size"),
                "a: has the member colour, which is not known here (did you mean color?); there is color and size",
            ),
        ];
        for (body, read, expected) in cases {
            let result = Members::of_body(body.as_bytes()).and_then(|mut members| {
                read(&mut members)?;
                members.finish("a")
            });
            assert_eq!(result.as_ref().map_err(String::as_str), Err(*expected), "{body}");
        }
        for body in ["", " ", "{}", r#"{"a":null}"#] {
            let mut members = Members::of_body(body.as_bytes()).unwrap();
            assert_eq!((members.text("a"), members.finish("a")), (Ok(None), Ok(())), "{body}");
        }
    }
}
