//! The query of a list: written by clients, read by gateways.

use std::borrow::Cow;
use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use perennial_domain::clearent::Paging;
use perennial_domain::{Flag, InvalidValue, Rule, Violations};

/// Encoded characters: all except for the unreserved ones of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A path to which a query is added.
pub(crate) struct Target(String);

impl Target {
    pub(crate) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// Adds a parameter if it has a value.
    pub(crate) fn with(mut self, name: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            self.0.extend(utf8_percent_encode(&value.to_string(), ENCODED));
        }
        self
    }

    /// Adds page and order; customers name the direction `descending`, all other lists `isDescending`.
    pub(crate) fn paged(self, paging: &Paging, descending_name: &str) -> Self {
        let Paging { page, page_size, order_by, descending } = paging;
        self.with("order-by", order_by.as_ref())
            .with("page", *page)
            .with("page-size", *page_size)
            .with(descending_name, *descending)
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// The parameters of a query, and their violations.
pub(crate) struct Params<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    violations: Violations,
}

impl<'a> Params<'a> {
    pub(crate) fn new(query: &'a str) -> Self {
        let pairs = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .filter(|(_, value)| !value.trim().is_empty())
            .collect();
        Self { pairs, violations: Violations::default() }
    }

    /// The first value of the parameter.
    fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.trim())
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    /// A value, or a violation that names the parameter.
    pub(crate) fn read<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: for<'t> TryFrom<&'t str, Error = InvalidValue>,
    {
        match T::try_from(self.value(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.violations.add(name, error.0);
                None
            }
        }
    }

    pub(crate) fn paging(&mut self) -> Paging {
        Paging {
            page: self.positive("page", &["page"]),
            page_size: self.positive("page-size", &["page-size", "pageSize"]),
            order_by: self.text("order-by"),
            descending: self.direction(),
        }
    }

    fn positive(&mut self, name: &'static str, spellings: &[&str]) -> Option<u32> {
        let value = spellings.iter().find_map(|spelling| self.value(spelling))?;
        let digits = value.bytes().all(|b| b.is_ascii_digit());
        let number = value.parse().ok().filter(|number| digits && *number > 0);
        if number.is_none() {
            self.violations.add(name, Rule::OneOf("1, 2, 3 and so on"));
        }
        number
    }

    fn direction(&mut self) -> Option<bool> {
        let name = ["isDescending", "descending"].into_iter().find(|name| self.value(name).is_some())?;
        self.read::<Flag>(name).map(|direction| direction.0)
    }

    /// Returns the value, or all violations.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Violations> {
        if self.violations.is_empty() { Ok(value) } else { Err(self.violations) }
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    let spaced: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    match percent_decode_str(&spaced).decode_utf8_lossy() {
        Cow::Borrowed(_) => spaced,
        Cow::Owned(decoded) => decoded.into(),
    }
}
