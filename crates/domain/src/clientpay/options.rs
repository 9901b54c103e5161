use std::fmt;

use super::ranged::ranged;
use crate::{AsGateway, Flag, InvalidValue, Rule, Text, builder::unlisted_request as request};

ranged! {
    /// The time during which a page can be paid, in seconds: from 15 minutes to the maximum, which the vendor calls one
    /// year.
    ///
    /// The vendor treats any smaller number as 15 minutes. This type refuses it, so that nobody mistakes 0 for
    /// unlimited. The default is 15 minutes in version 1.0 and the maximum in version 2.
    ///
    /// ```
    /// use perennial_domain::clientpay::PageDuration;
    ///
    /// assert_eq!(PageDuration::try_from(86_400).unwrap().get(), 86_400);
    /// assert!(PageDuration::try_from(0).is_err());
    /// assert_eq!(PageDuration::as_gateway(0), PageDuration::MIN);
    /// ```
    pub struct PageDuration from 900 to 31_540_000;
}

impl PageDuration {
    /// Converts any number of seconds as the gateway does: to the nearest allowed value. That larger values become the
    /// maximum is **inferred**.
    pub fn as_gateway(seconds: i64) -> Self {
        let seconds = seconds.clamp(i64::from(Self::MIN.0), i64::from(Self::MAX.0));
        // The value is clamped to bounds that both fit.
        u32::try_from(seconds).map_or(Self::MAX, Self)
    }
}

impl TryFrom<AsGateway<'_>> for PageDuration {
    type Error = InvalidValue;

    fn try_from(AsGateway(text): AsGateway<'_>) -> Result<Self, Self::Error> {
        text.parse().map(Self::as_gateway).or_else(|_| Self::try_from(text))
    }
}

/// The address of a web page: `https://` or `http://` and a host, without whitespace and user information.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebAddress(Text);

impl WebAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<&str> for WebAddress {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let scheme = |scheme: &str| {
            text.split_at_checked(scheme.len()).filter(|(start, _)| start.eq_ignore_ascii_case(scheme))
        };
        let (_, rest) = scheme("https://").or_else(|| scheme("http://")).ok_or(Rule::WebAddress)?;
        let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        if host.is_empty() || host.contains('@') || text.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return Err(Rule::WebAddress.into());
        }
        Text::try_from(text).map(Self)
    }
}

impl TryFrom<String> for WebAddress {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl AsRef<str> for WebAddress {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

request! {
    /// The appearance and the lifetime of a page (pageOptions object).
    #[derive(Clone, PartialEq, Eq)]
    pub struct PageOptions, PageOptionsFields, PageOptionsBuilder {
        optional {
            /// The large title.
            header_text: Text = "headerText",
            /// The line below the title. The vendor's table spells it `subHeaderText`, its sample `subheaderText`,
            /// which is sent.
            subheader_text: Text = "subheaderText",
            /// The text above the main button.
            footer_text: Text = "footerText",
            /// Whether the firm's logo is hidden; the gateway's default is true.
            hide_customer_header_logo: Flag = "hideCustomerHeaderLogo",
            /// The time during which the page can be paid, in seconds.
            duration: PageDuration = "duration",
            /// The id of a style assigned by the vendor; `1` is the standard style.
            styling: Text = "styling",
            /// Whether reCAPTCHA is disabled; the gateway's default is true.
            disable_recaptcha: Flag = "disableRecaptcha",
            /// Whether the payer can store the method; the gateway's default is true. Only for payment pages.
            enable_payer_saving: Flag = "enablePayerSaving",
            /// Whether the payer sees the page, rather than the firm's staff: it changes texts. The gateway's default
            /// is true.
            is_payer_facing: Flag = "isPayerFacing",
        }
    }
}

request! {
    /// The recipients of postbacks about a payment on a page (responseOptions object).
    ///
    /// The client-side postback is a browser's `postMessage` to the parent window of the page's frame. There, check
    /// that `event.origin` is the origin of the page's URL, and even then treat the message as a hint: it comes from
    /// the payer's browser. If the parent window is not at `client_side_return_address`, nothing is posted.
    #[derive(Clone, PartialEq, Eq)]
    pub struct ResponseOptions, ResponseOptionsFields, ResponseOptionsBuilder {
        optional {
            /// Whether the parent window of the page's frame gets a postback; the gateway's default is true.
            enable_client_side_post_back: Flag = "enableClientSidePostBack",
            /// The address of that window.
            client_side_return_address: WebAddress = "clientSideReturnAddress",
            /// The address to which the gateway posts the same content.
            server_side_return_address: WebAddress = "serverSideReturnAddress",
        }
    }
}

/// The recipients of receipt copies, as the text of a JSON object.
///
/// The vendor names the object (changelog 2.0) but, on the known pages, none of its members. The text is therefore sent
/// unchanged. The constructor only checks for the braces around it; whether it is JSON is checked when the request is
/// encoded.
///
/// ```
/// use perennial_domain::clientpay::EmailOptions;
///
/// assert!(EmailOptions::try_from("{}").is_ok());
/// assert!(EmailOptions::try_from("rosa@example.test").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct EmailOptions(Text);

impl EmailOptions {
    /// Returns the JSON text.
    pub fn as_json(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<&str> for EmailOptions {
    type Error = InvalidValue;

    fn try_from(json: &str) -> Result<Self, Self::Error> {
        let json = json.trim();
        if json.starts_with('{') && json.ends_with('}') && json.len() > 1 {
            Text::try_from(json).map(Self)
        } else {
            Err(Rule::JsonObject.into())
        }
    }
}

impl TryFrom<String> for EmailOptions {
    type Error = InvalidValue;

    fn try_from(json: String) -> Result<Self, Self::Error> {
        Self::try_from(json.as_str())
    }
}

impl fmt::Debug for EmailOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailOptions(..)")
    }
}
