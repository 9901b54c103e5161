//! Names and scalars of a JSON or XML message, found in one pass: the text may be cut, or not a message at all.

mod json;
mod xml;

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use super::is_secret_name;
use crate::encoding::without_mark;

/// The maximum nesting depth at which names are remembered. Below it, a secret name counts for the rest of the text.
const DEEPEST: usize = 32;

/// The secrecy of a value by the names around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secrecy {
    /// No name is secret.
    #[default]
    Open,
    /// A member `card`: a card number, or the token id or the last four digits of one.
    Card,
    /// Another secret.
    Secret,
}

impl Secrecy {
    /// The secrecy of a member of this name.
    ///
    /// ```
    /// use perennial_domain::mask::Secrecy;
    ///
    /// let names = ["x:csc", "Card", "card-type"];
    /// assert_eq!(names.map(Secrecy::of), [Secrecy::Secret, Secrecy::Card, Secrecy::Open]);
    /// ```
    pub fn of(name: &str) -> Self {
        match name.rsplit(':').next() {
            _ if !is_secret_name(name) => Self::Open,
            Some(local) if local.eq_ignore_ascii_case("card") => Self::Card,
            _ => Self::Secret,
        }
    }
}

/// A part of a message that may have to be masked. The text between two parts is structure, white space and `null`.
#[derive(Debug)]
pub struct Part<'t> {
    /// The kind.
    pub kind: PartKind,
    /// The range of bytes in the message: a string of JSON with its quotes, an attribute with its name.
    pub span: Range<usize>,
    /// The decoded text. It is owned if the message has escapes, references, CDATA sections or comments in it.
    pub text: Cow<'t, str>,
    /// The strictest secrecy of the names around the part.
    pub secrecy: Secrecy,
}

/// The kind of a [`Part`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// The name of a member, or of an element in its opening or closing tag.
    Name,
    /// A scalar of JSON other than `null`, or all text between two tags, blank or not.
    Value,
    /// An attribute of an element, which may be secret by its own name, too.
    Attribute,
}

/// A container that is open: an object, a list or an element.
#[derive(Debug)]
struct Open<'t> {
    name: Option<Cow<'t, str>>,
    /// The index of the current item of a list.
    index: Option<usize>,
    /// The secrecy that applies again after the end of the container.
    secrecy: Secrecy,
}

#[derive(Clone, Copy, Debug)]
enum State<'t> {
    Json { after_colon: bool, ended: bool },
    Content { after_opening: bool },
    Tag { name: &'t str, closes: bool },
}

/// An iterator over the parts of a message.
///
/// It reads texts that are cut or malformed as far as possible; where they are ambiguous, it prefers the reading that
/// makes more values secret. Time is linear in the length of the text, and memory does not grow with its depth.
///
/// ```
/// use perennial_domain::mask::{Members, Secrecy};
///
/// let mut members = Members::json(r#"{"invoices":[{"csc":["\u0039"#);
/// let value = members.by_ref().last().unwrap();
/// assert_eq!((&*value.text, value.secrecy), ("9", Secrecy::Secret));
/// assert_eq!((members.name(), members.path()), ("csc", "invoices[0].csc[0]".to_owned()));
/// assert_eq!(members.written(&value, "***"), r#""***""#);
/// assert!(!members.is_well_formed());
/// ```
#[derive(Debug)]
pub struct Members<'t> {
    message: &'t str,
    at: usize,
    state: State<'t>,
    open: Vec<Open<'t>>,
    /// The number of open containers below the remembered ones.
    deeper: usize,
    /// The name of the current member or attribute.
    name: Option<Cow<'t, str>>,
    secrecy: Secrecy,
    /// The strictest secrecy of the names below the remembered ones.
    least: Secrecy,
    is_malformed: bool,
}

impl<'t> Members<'t> {
    /// Reads a JSON text.
    pub fn json(message: &'t str) -> Self {
        Self::new(message, State::Json { after_colon: false, ended: false })
    }

    /// Reads an XML text.
    pub fn xml(message: &'t str) -> Self {
        Self::new(message, State::Content { after_opening: false })
    }

    /// Reads a text whose first character tells that it is JSON or XML.
    pub fn of(message: &'t str) -> Option<Self> {
        match without_mark(message).trim_start().as_bytes().first() {
            Some(b'{' | b'[') => Some(Self::json(message)),
            Some(b'<') => Some(Self::xml(message)),
            _ => None,
        }
    }

    fn new(message: &'t str, state: State<'t>) -> Self {
        Self {
            message,
            at: message.len() - without_mark(message).len(),
            state,
            open: Vec::new(),
            deeper: 0,
            name: None,
            secrecy: Secrecy::Open,
            least: Secrecy::Open,
            is_malformed: false,
        }
    }

    /// The innermost name around the last part. An item of a list has the name of the list.
    pub fn name(&self) -> &str {
        let outer =
            || self.open.iter().rev().filter(|_| self.deeper == 0).find_map(|open| open.name.as_deref());
        self.name.as_deref().or_else(outer).unwrap_or_default()
    }

    /// The path of the last value, such as `invoices[1].pdfLink`. The root of an XML document is not part of it.
    pub fn path(&self) -> String {
        let mut path = String::new();
        let root = usize::from(!matches!(self.state, State::Json { .. }));
        let open = self.open.iter().skip(root).map(|open| (&open.name, open.index));
        for (name, index) in open.chain([(&self.name, None)]) {
            if let Some(name) = name {
                path.extend([if path.is_empty() { "" } else { "." }, name]);
            }
            if let Some(index) = index {
                // Writing to a string does not fail.
                let _ = write!(path, "[{index}]");
            }
        }
        path
    }

    /// Whether the text is well formed as far as it was read: nothing is cut, each end belongs to a start, and text does
    /// not stand beside elements, which are at most 32 deep. The grammar of JSON is not checked beyond that.
    pub fn is_well_formed(&self) -> bool {
        !self.is_malformed
    }

    /// The last part with another text, as the message writes it.
    pub fn written(&self, part: &Part<'t>, text: &str) -> Cow<'t, str> {
        match (self.state, part.kind) {
            (State::Json { .. }, _) if part.text == text => self.message[part.span.clone()].into(),
            (State::Json { .. }, _) => json::quoted(text).into(),
            (_, PartKind::Name) => text.to_owned().into(),
            (_, PartKind::Value) => xml::escaped(text).into(),
            (_, PartKind::Attribute) => {
                let (name, value) = (self.name(), xml::escaped(text).replace('"', "&quot;"));
                if name.is_empty() { format!(" {value}") } else { format!(" {name}=\"{value}\"") }.into()
            }
        }
    }

    /// Copies the message, with each part as `part` writes it, and the text around those parts as `between` writes it.
    /// A part for which there is nothing to write belongs to the text around it.
    ///
    /// ```
    /// use perennial_domain::mask::{Members, PartKind, Secrecy};
    ///
    /// let mut members = Members::json(r#"{ "csc": 123, "amount": 5 }"#);
    /// let copy = members.rewritten(Into::into, |members, part| {
    ///     let is_secret = part.kind == PartKind::Value && part.secrecy > Secrecy::Open;
    ///     is_secret.then(|| members.written(part, "***"))
    /// });
    /// assert_eq!(copy, r#"{ "csc": "***", "amount": 5 }"#);
    /// ```
    pub fn rewritten(
        &mut self,
        between: impl Fn(&'t str) -> Cow<'t, str>,
        part: impl Fn(&Self, &Part<'t>) -> Option<Cow<'t, str>>,
    ) -> String {
        let (message, mut from) = (self.message, 0);
        let mut copy = String::with_capacity(message.len());
        while let Some(found) = self.next() {
            if let Some(text) = part(self, &found) {
                copy.push_str(&between(message.get(from..found.span.start).unwrap_or_default()));
                copy.push_str(&text);
                from = found.span.end;
            }
        }
        copy.push_str(&between(message.get(from..).unwrap_or_default()));
        copy
    }

    fn rest(&self) -> &'t str {
        &self.message[self.at..]
    }

    /// Passes over white space, and returns the rest of the text.
    fn past_space(&mut self) -> &'t str {
        let rest = self.rest().trim_start();
        self.at = self.message.len() - rest.len();
        rest
    }

    fn part(&self, kind: PartKind, start: usize, text: Cow<'t, str>) -> Part<'t> {
        Part { kind, span: start..self.at, text, secrecy: self.secrecy.max(self.least) }
    }

    /// Remembers a container that begins, unless it is too deep.
    fn push(&mut self, name: Option<Cow<'t, str>>, index: Option<usize>) {
        if self.open.len() < DEEPEST {
            self.open.push(Open { name, index, secrecy: self.secrecy });
        } else {
            self.deeper += 1;
        }
    }

    /// Ends the innermost container, if the end is one of it. Otherwise, all that follows is still in the container.
    fn pop(&mut self, is_its_end: impl Fn(&Open<'t>) -> bool) {
        self.name = None;
        if let Some(deeper) = self.deeper.checked_sub(1) {
            self.deeper = deeper;
        } else if let Some(open) = self.open.pop_if(|open| is_its_end(open)) {
            (self.name, self.secrecy) = (open.name, open.secrecy);
        } else {
            self.is_malformed = true;
        }
    }

    /// Applies the secrecy of a name, beside that of the names around it.
    fn enter(&mut self, around: Secrecy, secrecy: Secrecy) {
        self.secrecy = around.max(secrecy);
        if self.deeper > 0 {
            self.least = self.least.max(secrecy);
        }
    }
}

impl<'t> Iterator for Members<'t> {
    type Item = Part<'t>;

    fn next(&mut self) -> Option<Part<'t>> {
        let part = match self.state {
            State::Json { .. } => self.next_of_json(),
            State::Content { .. } | State::Tag { .. } => self.next_of_xml(),
        };
        self.is_malformed |= part.is_none() && !(self.open.is_empty() && self.deeper == 0);
        part
    }
}
