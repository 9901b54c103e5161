//! What a form or a query holds.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use perennial_domain::mask;
use zeroize::Zeroizing;

/// Names and values as a browser sends them, wiped after use: they may hold a card.
#[derive(Default)]
pub(crate) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    pub(crate) fn of(encoded: &[u8]) -> Self {
        let pairs = encoded.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let mut parts = pair.splitn(2, |&byte| byte == b'=');
                    let mut part = || decoded(parts.next().unwrap_or_default());
                    (part().to_string(), part())
                })
                .collect(),
        )
    }

    /// Puts a value in place of what there is.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(member, _)| member != name);
        self.0.push((name.to_owned(), Zeroizing::new(value.to_owned())));
    }

    /// The value without blanks around it; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(member, _)| member == name).map_or("", |(_, value)| value.trim())
    }

    /// The value, if one was given.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// What may be shown again: whatever holds a card number, in whichever field, is left out.
    pub(crate) fn without_cards(&self) -> Self {
        let is_card = |value: &str| matches!(mask::card_numbers(value), Cow::Owned(_));
        Self(self.0.iter().filter(|(_, value)| !is_card(value)).cloned().collect())
    }

    /// The page that a list is to show, from 1.
    pub(crate) fn page(&self) -> u32 {
        self.text("page").parse().unwrap_or(1).max(1)
    }
}

fn decoded(text: &[u8]) -> Zeroizing<String> {
    let plus_is_blank = |&byte: &u8| if byte == b'+' { b' ' } else { byte };
    let spaced: Zeroizing<Vec<u8>> = Zeroizing::new(text.iter().map(plus_is_blank).collect());
    Zeroizing::new(percent_decode(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let form = Form::of(b"a=1&b=x+%26%20y&c&a=2&%64=%ff&e=+");
        let read = ["a", "b", "c", "d", "e", "f"].map(|name| form.text(name));
        assert_eq!(read, ["1", "x & y", "", "\u{fffd}", "", ""]);
        assert_eq!((form.given("b").as_deref(), form.given("e")), (Some("x & y"), None));
        let shown = Form::of(b"a=4111+1111+1111+1111&b=x").without_cards();
        assert_eq!([shown.text("a"), shown.text("b")], ["", "x"]);
        assert_eq!(
            [Form::of(b"page=3").page(), Form::of(b"page=0").page(), Form::of(b"page=-").page()],
            [3, 1, 1]
        );
    }
}
