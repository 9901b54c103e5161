//! Documents of both formats as one kind of tree, which keeps repeated members and the notation of values.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// XML.
    Xml,
}

impl Format {
    /// The extension of files in this format.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
        }
    }
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// A JSON text, or an XML element without child elements.
    Text(String),
    /// A JSON number, `true`, `false` or `null`, in its original notation.
    Bare(String),
    /// A JSON array.
    List(Vec<Tree>),
    /// A JSON object, or an XML element with child elements: members in order, repeated ones included.
    Members(Vec<(String, Tree)>),
}

/// The error for a member that is not a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoScalar;

/// The name of an XML attribute in a tree.
pub(crate) const TYPE: &str = "@type";

/// Members that clients do not read and may therefore be repeated.
const UNREAD: [&str; 5] = ["signature", "switch-batch-id", "sort", "tip-adjusted", "value"];

/// Elements of an XML document that may be repeated.
const REPEATED: [&str; 13] = [
    "links",
    "link",
    "customer",
    "token",
    "tokenResponse",
    "customer-token",
    "payment-plan",
    "payment",
    "transaction",
    "batch",
    "expected-run",
    "date",
    "metadata",
];

impl Tree {
    /// Parses a whole document. A UTF-8 byte order mark at the start is skipped; text other than whitespace after the
    /// document is an error.
    pub fn read(format: Format, body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let text = std::str::from_utf8(body).ok()?;
        match format {
            Format::Json => Self::from_raw(serde_json::from_str(text).ok()?),
            Format::Xml => {
                let document = roxmltree::Document::parse(text).ok()?;
                let root = document.root_element();
                (root.tag_name().name() == "response").then(|| Self::from_element(root))
            }
        }
    }

    fn from_raw(raw: &RawValue) -> Option<Self> {
        let text = raw.get();
        Some(match text.as_bytes().first()? {
            b'"' => Self::Text(serde_json::from_str(text).ok()?),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Self::List(items.into_iter().map(Self::from_raw).collect::<Option<_>>()?)
            }
            b'{' => {
                let Entries(entries) = serde_json::from_str(text).ok()?;
                let member = |(name, value): (String, &RawValue)| Some((name, Self::from_raw(value)?));
                Self::Members(entries.into_iter().map(member).collect::<Option<_>>()?)
            }
            _ => Self::Bare(text.to_owned()),
        })
    }

    fn from_element(element: roxmltree::Node<'_, '_>) -> Self {
        let attribute = element.attribute("type").map(|kind| (TYPE.to_owned(), Self::Text(kind.to_owned())));
        let children = element.children().filter(roxmltree::Node::is_element);
        let children = children.map(|child| (child.tag_name().name().to_owned(), Self::from_element(child)));
        let members: Vec<_> = attribute.into_iter().chain(children).collect();
        if members.is_empty() {
            let text: String = element.children().filter_map(|child| child.text()).collect();
            Self::Text(text)
        } else {
            Self::Members(members)
        }
    }

    /// Writes the document.
    pub fn write(&self, format: Format) -> String {
        let mut out = String::new();
        match format {
            Format::Json => self.write_json(&mut out),
            Format::Xml => self.write_xml("response", &mut out),
        }
        out
    }

    fn write_json(&self, out: &mut String) {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::Bare(bare) => out.push_str(bare),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    item.write_json(out);
                }
                out.push(']');
            }
            Self::Members(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    out.push_str(&quoted(name));
                    out.push(':');
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }

    fn write_xml(&self, name: &str, out: &mut String) {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        if let Self::List(items) = self {
            return items.iter().for_each(|item| item.write_xml(name, out));
        }
        out.push('<');
        out.push_str(name);
        if let Some(Self::Text(kind)) =
            self.members().iter().find(|(name, _)| name == TYPE).map(|(_, kind)| kind)
        {
            out.extend([" type=\"", &escaped(kind), "\""]);
        }
        out.push('>');
        match self {
            Self::Text(text) | Self::Bare(text) => out.push_str(&escaped(text)),
            _ => {
                for (name, child) in self.members().iter().filter(|(name, _)| name != TYPE) {
                    child.write_xml(name, out);
                }
            }
        }
        out.extend(["</", name, ">"]);
    }

    /// The members; empty if the value has none.
    pub fn members(&self) -> &[(String, Self)] {
        if let Self::Members(members) = self { members } else { &[] }
    }

    /// All values with this name; the items of a list separately.
    pub fn all(&self, name: &str) -> Vec<&Self> {
        let of_name = self.members().iter().filter(|(member, _)| member == name);
        of_name
            .flat_map(
                |(_, value)| if let Self::List(items) = value { items.iter().collect() } else { vec![value] },
            )
            .collect()
    }

    /// The text of a scalar member; `None` if it is missing, null or empty.
    ///
    /// # Errors
    ///
    /// If the member is a list or an object, or is repeated and not empty.
    pub fn scalar(&self, name: &str) -> Result<Option<&str>, NoScalar> {
        let named = self.members().iter().filter(|(member, value)| member == name && !value.is_nothing());
        let text = match named.collect::<Vec<_>>()[..] {
            [] => None,
            [(_, Self::Text(text) | Self::Bare(text))] => Some(text.trim()),
            _ => return Err(NoScalar),
        };
        Ok(text.filter(|text| !text.is_empty() && *text != "null"))
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Bare(bare) if bare == "null")
    }

    /// Whether a member is repeated that may occur only once.
    pub fn has_doubles(&self, format: Format) -> bool {
        let members = self.members();
        let twice = members.iter().enumerate().any(|(index, (name, _))| {
            let repeats = format == Format::Xml && REPEATED.contains(&name.as_str());
            let repeats = repeats || UNREAD.contains(&name.as_str());
            // Repeated empty members do not count.
            !repeats && members[..index].iter().any(|(before, value)| before == name && !value.is_nothing())
        });
        let inside = match self {
            Self::List(items) => items.iter().any(|item| item.has_doubles(format)),
            _ => members
                .iter()
                .any(|(name, value)| !UNREAD.contains(&name.as_str()) && value.has_doubles(format)),
        };
        twice || inside
    }
}

/// The members of an object in their order in the text.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back() {
        for (format, text) in [
            (Format::Json, r#"{"a":"x\"y","b":[1.50,true,null],"b":{}}"#),
            (
                Format::Xml,
                r#"<response><a>x&amp;y</a><payload type="p"><b>1</b><b>2</b></payload></response>"#,
            ),
        ] {
            assert_eq!(
                Tree::read(format, text.as_bytes()).map(|tree| tree.write(format)).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn what_is_no_document() {
        for (format, text) in [
            (Format::Json, "{} x"),
            (Format::Json, "{\"a\":1"),
            (Format::Json, ""),
            (Format::Xml, "<response/><response/>"),
            (Format::Xml, "<html></html>"),
            (Format::Xml, "<response>"),
        ] {
            assert_eq!(Tree::read(format, text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn doubles() {
        for (format, text, twice) in [
            (Format::Json, r#"{"a":1,"a":1}"#, true),
            (Format::Json, r#"{"a":[{"b":1,"b":2}]}"#, true),
            (Format::Json, r#"{"a":{"b":1},"c":{"b":1}}"#, false),
            (Format::Xml, "<response><links><link/></links><links/></response>", false),
            (Format::Xml, "<response><code>1</code><code>1</code></response>", true),
        ] {
            assert_eq!(Tree::read(format, text.as_bytes()).unwrap().has_doubles(format), twice, "{text}");
        }
    }
}
