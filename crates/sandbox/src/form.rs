//! The members of a form or a query.

use std::borrow::Cow;

use perennial_domain::mask;
use zeroize::Zeroizing;

/// Names and values as a browser sends them, by name, wiped after use: they may hold a card.
#[derive(Default)]
pub(crate) struct Form(Vec<(Zeroizing<String>, Zeroizing<String>)>);

impl Form {
    pub(crate) fn of(encoded: &[u8]) -> Self {
        let pairs = encoded.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let mut parts = pair.splitn(2, |&byte| byte == b'=');
            let mut part = || decoded(parts.next().unwrap_or_default());
            (part(), part())
        });
        let mut members: Vec<_> = pairs.collect();
        // A name that is given twice keeps its order: the first counts.
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(members)
    }

    /// Replaces a value.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(member, _)| member.as_str() != name);
        let at = self.place(name);
        self.0.insert(at, (name.to_owned().into(), value.to_owned().into()));
    }

    /// The index of the first member of this name, or the index at which it would be added.
    fn place(&self, name: &str) -> usize {
        self.0.partition_point(|(member, _)| member.as_str() < name)
    }

    /// The value without surrounding blanks; empty if absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        let member = self.0.get(self.place(name)).filter(|(member, _)| member.as_str() == name);
        member.map_or("", |(_, value)| value.trim())
    }

    /// The value, if present.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The members that may be shown again: every field that holds a card number is left out.
    pub(crate) fn without_cards(&self) -> Self {
        let is_card = |value: &str| matches!(mask::card_numbers(value), Cow::Owned(_));
        Self(self.0.iter().filter(|(_, value)| !is_card(value)).cloned().collect())
    }

    /// The first field that holds a card number.
    pub(crate) fn misplaced_card(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|(_, value)| perennial_domain::mask::holds_card(value))
            .map(|(name, _)| name.as_str())
    }

    /// The requested page of a list, from 1.
    pub(crate) fn page(&self) -> u32 {
        self.text("page").parse().unwrap_or(1).max(1)
    }
}

/// Decodes a name or a value of a form.
pub(crate) fn decoded(text: &[u8]) -> Zeroizing<String> {
    // One buffer of the largest size: one that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        (rest, ()) = match (escaped, byte) {
            (Some((high, low)), _) => (&after[2..], bytes.push(high << 4 | low)),
            (None, b'+') => (after, bytes.push(b' ')),
            (None, byte) => (after, bytes.push(byte)),
        };
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => text.into(),
        Err(error) => {
            let bytes = Zeroizing::new(error.into_bytes());
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let form = Form::of(b"a=1&b=x+%26%20y&c&a=2&%64=%ff&e=+&g=%2B%4a%4A%4&h=%zz%");
        let read = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| form.text(name));
        assert_eq!(read, ["1", "x & y", "", "\u{fffd}", "", "", "+JJ%4", "%zz%"]);
        assert_eq!((form.given("b").as_deref(), form.given("e")), (Some("x & y"), None));
        let mut form = form;
        form.set("b", "new");
        form.set("f", "added");
        assert_eq!(["a", "b", "f"].map(|name| form.text(name)), ["1", "new", "added"]);
        let stripped = Form::of(b"a=4111+1111+1111+1111&b=x").without_cards();
        assert_eq!([stripped.text("a"), stripped.text("b")], ["", "x"]);
        assert_eq!(
            [Form::of(b"page=3").page(), Form::of(b"page=0").page(), Form::of(b"page=-").page()],
            [3, 1, 1]
        );
    }
}
