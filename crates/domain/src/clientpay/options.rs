use std::fmt;

use super::ranged::ranged;
use crate::{AsGateway, Flag, InvalidValue, Rule, Text, builder::unlisted_request as request};

ranged! {
    /// How long a page can be paid on, in seconds: 15 minutes to what the vendor calls one year.
    ///
    /// The vendor takes less than 15 minutes for 15 minutes; here it is refused, so that nobody thinks that 0 means
    /// for ever. Unset, it is 15 minutes in version 1.0 and the longest in version 2.
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
    /// What the gateway makes of any number of seconds: the nearest that is allowed. That it takes too many for the
    /// most is **inferred**.
    pub fn as_gateway(seconds: i64) -> Self {
        let seconds = seconds.clamp(i64::from(Self::MIN.0), i64::from(Self::MAX.0));
        // Clamped to bounds that both fit.
        u32::try_from(seconds).map_or(Self::MAX, Self)
    }
}

impl TryFrom<AsGateway<'_>> for PageDuration {
    type Error = InvalidValue;

    fn try_from(AsGateway(text): AsGateway<'_>) -> Result<Self, Self::Error> {
        text.parse().map(Self::as_gateway).or_else(|_| Self::try_from(text))
    }
}

/// The address of a web page: `https://` or `http://`, a host, no blanks and no user.
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
    /// How a page looks and how long it lasts (pageOptions object).
    #[derive(Clone, PartialEq, Eq)]
    pub struct PageOptions, PageOptionsFields, PageOptionsBuilder {
        optional {
            /// The large title.
            header_text: Text = "headerText",
            /// The line below it. The vendor's table writes `subHeaderText`, its sample `subheaderText`; that is sent.
            subheader_text: Text = "subheaderText",
            /// The text above the main button.
            footer_text: Text = "footerText",
            /// Whether the firm's logo is left out; the gateway's default is true.
            hide_customer_header_logo: Flag = "hideCustomerHeaderLogo",
            /// How long the page can be paid on, in seconds.
            duration: PageDuration = "duration",
            /// The id of a look that the vendor assigned; `1` is the stock one.
            styling: Text = "styling",
            /// Whether reCAPTCHA is off; the gateway's default is true.
            disable_recaptcha: Flag = "disableRecaptcha",
            /// Whether the payer may be kept with the method; the gateway's default is true. For payment pages.
            enable_payer_saving: Flag = "enablePayerSaving",
            /// Whether the payer sees the page, and not the firm's staff: it changes words. The default is true.
            is_payer_facing: Flag = "isPayerFacing",
        }
    }
}

request! {
    /// Who is told of a payment on a page (responseOptions object).
    ///
    /// The client-side postback is a browser's `postMessage` to the window around the page's frame. Check there that
    /// `event.origin` is the origin of the page's URL, and even then take it for a hint: it comes from the payer's
    /// browser. Where the frame's parent is not at `client_side_return_address`, nothing is posted and nobody is told.
    #[derive(Clone, PartialEq, Eq)]
    pub struct ResponseOptions, ResponseOptionsFields, ResponseOptionsBuilder {
        optional {
            /// Whether the window around the page's frame is told; the gateway's default is true.
            enable_client_side_post_back: Flag = "enableClientSidePostBack",
            /// Where that window must be.
            client_side_return_address: WebAddress = "clientSideReturnAddress",
            /// Where the gateway posts the same to.
            server_side_return_address: WebAddress = "serverSideReturnAddress",
        }
    }
}

/// Who gets copies of receipts, as the text of a JSON object.
///
/// The vendor names the object (changelog 2.0) and, in the pages that are known, none of its members: so it is open,
/// and goes over the wire as it is. Here it is only seen to be in braces; that it is JSON is seen when it is written.
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
    /// The JSON text.
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
