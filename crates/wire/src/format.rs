//! The two formats of the wire.

use std::fmt;
use std::str::FromStr;

/// The format of a request or of a response; a client may mix them.
///
/// ```
/// use perennial_wire::Format;
///
/// assert_eq!("XML".parse(), Ok(Format::Xml));
/// assert_eq!(Format::Json.to_string(), "json");
/// assert_eq!(Format::Json.content_type(), "application/json");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`
    #[default]
    Json,
    /// `application/xml`
    Xml,
}

impl Format {
    /// The media type for `Content-Type` and `Accept`, without parameters.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
        }
    }

    /// The format that a media type names, whatever its letter case and parameters; `None` for HTML, XHTML included.
    ///
    /// ```
    /// use perennial_wire::Format;
    ///
    /// assert_eq!(Format::of_media_type("Text/XML; charset=utf-8"), Some(Format::Xml));
    /// assert_eq!(Format::of_media_type("application/problem+json"), Some(Format::Json));
    /// assert_eq!(Format::of_media_type("text/html"), None);
    /// ```
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.rsplit(['/', '+']).next() {
            _ if is_html(&kind) => None,
            Some("json") => Some(Self::Json),
            Some("xml") => Some(Self::Xml),
            _ => None,
        }
    }
}

/// Whether a media type is that of a web page, which is not a message in any format.
///
/// ```
/// assert!(perennial_wire::is_html("Text/HTML; charset=utf-8"));
/// assert!(perennial_wire::is_html("application/xhtml+xml"));
/// assert!(!perennial_wire::is_html("text/xml"));
/// ```
pub fn is_html(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    ["text/html", "application/xhtml+xml"].iter().any(|html| kind.eq_ignore_ascii_case(html))
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Xml => "xml",
        })
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        [Self::Json, Self::Xml]
            .into_iter()
            .find(|format| name.eq_ignore_ascii_case(&format.to_string()))
            .ok_or(UnknownFormat)
    }
}

/// The name of a format that is neither `json` nor `xml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a format is json or xml")]
pub struct UnknownFormat;
