//! What a form or a query holds.

use percent_encoding::percent_decode;

/// Names and values as a browser sends them.
#[derive(Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn of(encoded: &[u8]) -> Self {
        let pairs = encoded.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let mut parts = pair.splitn(2, |&byte| byte == b'=');
                    let mut part = || decoded(parts.next().unwrap_or_default());
                    (part(), part())
                })
                .collect(),
        )
    }

    /// The value without blanks around it; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(member, _)| member == name).map_or("", |(_, value)| value.trim())
    }

    /// The value, if one was given.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The page that a list is to show, from 1.
    pub(super) fn page(&self) -> u32 {
        self.text("page").parse().unwrap_or(1).max(1)
    }
}

fn decoded(text: &[u8]) -> String {
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
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
        assert_eq!(
            [Form::of(b"page=3").page(), Form::of(b"page=0").page(), Form::of(b"page=-").page()],
            [3, 1, 1]
        );
    }
}
