//! Masks card numbers, secrets and control characters in all text that is about to be printed or recorded.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
pub use perennial_domain::mask::holds_card;
use perennial_domain::mask::{Known, Members, Part, PartKind, Prose, Secrecy, card_numbers, is_secret_name};

/// The text that replaces a secret.
pub const MASK: &str = "***";

/// Masks card numbers except for their last four digits, and removes control characters.
///
/// Card numbers are found as [`perennial_domain::mask::card_numbers`] finds them. Line breaks and tabs become spaces,
/// other control characters and bidirectional or invisible ones become U+FFFD.
///
/// ```
/// use perennial_transport::redact;
///
/// assert_eq!(redact::text("card 4111 1111 1111 1111\ndeclined"), "card **** **** **** 1111 declined");
/// assert_eq!(redact::text("order 4111111111111112"), "order 4111111111111112");
/// ```
pub fn text(text: &str) -> Cow<'_, str> {
    let masked = card_numbers(text);
    let is_usual = |byte: u8| (b' '..0x7f).contains(&byte);
    // Without a way out of the loop, the compiler tests many bytes at once.
    if masked.bytes().fold(true, |all, byte| all & is_usual(byte)) {
        return masked;
    }
    if masked.chars().any(is_unprintable) {
        let printable = |c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if is_unprintable(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        return masked.chars().map(printable).collect();
    }
    masked
}

/// Masks everything that [`text()`] masks, its secrets, and the members and headers that carry secrets by name.
///
/// ```
/// use perennial_transport::Redactor;
///
/// let redactor = Redactor::new().secret("k3y-0f-the-merchant");
/// assert_eq!(redactor.text("bad key k3y-0f-the-merchant"), "bad key ***");
/// assert_eq!(redactor.body(br#"{"card":"4111111111111111","csc":123}"#), r#"{"card":"***","csc":"***"}"#);
/// assert_eq!(redactor.body(b"<token><csc>123</csc></token>"), "<token><csc>***</csc></token>");
/// ```
#[derive(Debug, Default)]
pub struct Redactor {
    known: Arc<Known>,
}

impl Redactor {
    /// Creates a redactor without secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Masks this text everywhere, ignoring case and separators. A text of fewer than three letters
    /// and digits is ignored.
    #[must_use]
    pub fn secret(self, secret: &str) -> Self {
        Self { known: Arc::new(self.known.copied().secret(secret)) }
    }

    /// Returns a redactor that also masks the secrets that one call sends: values of members and headers that are
    /// secret by name, and security codes even where an id or a reference is expected. Other texts of the call are
    /// unchanged in its response.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use perennial_transport::Redactor;
    ///
    /// let call = br#"{"card":"4111111111111111","csc":"987","amount":"12.00"}"#;
    /// let redactor = Redactor::new().of_call(&HeaderMap::new(), call);
    /// assert_eq!(redactor.text("code 987 of 4111/1111/1111/1111"), "code *** of ***");
    /// ```
    #[must_use]
    pub fn of_call(&self, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut known = self.known.copied();
        for (name, value) in headers {
            if let (true, Ok(value)) = (is_secret_name(name.as_str()), value.to_str()) {
                let credential = value.rsplit(' ').next().unwrap_or_default();
                known = known.secret(value);
                if credential != value {
                    known = known.secret(credential);
                }
            }
        }
        let body = String::from_utf8_lossy(body);
        let Some(mut members) = Members::of(&body) else { return Self { known: Arc::new(known) } };
        while let Some(part) = members.next() {
            let (name, value) = (members.name(), part.text.trim());
            known = match Prose::of(name) {
                _ if part.kind == PartKind::Name || value.is_empty() => known,
                _ if part.secrecy == Secrecy::Card && is_token(value) => known,
                _ if part.secrecy > Secrecy::Open => known.code(value),
                Prose::Reference => known.sent(value).sent_reference(value),
                _ => known.sent(value),
            };
        }
        Self { known: Arc::new(known) }
    }

    /// The secrets, for readers of messages.
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known)
    }

    /// Masks a message for people.
    pub fn text(&self, message: &str) -> String {
        text(&self.known.mask(message, Prose::Free)).into_owned()
    }

    /// Masks a JSON, XML or plain body. Bytes that are not UTF-8 are replaced.
    pub fn body(&self, body: &[u8]) -> String {
        let body = String::from_utf8_lossy(body);
        let Some(mut members) = Members::of(&body) else {
            return self.known.mask(&body, Prose::Free).into_owned();
        };
        let mut masked = members.rewritten(Cow::Borrowed, |members, part| {
            let text = self.part(members, part);
            let is_same = text == part.text && matches!(part.text, Cow::Borrowed(_));
            (!is_same).then(|| members.written(part, &text))
        });
        if !members.is_well_formed() {
            // In a text that is no message, a secret may be in several parts.
            masked = self.known.mask(&masked, Prose::Exact).into_owned();
        }
        card_numbers(&masked).into_owned()
    }

    /// Masks a part of a message.
    fn part<'p>(&self, members: &Members<'_>, part: &'p Part<'_>) -> Cow<'p, str> {
        let prose = match part.kind {
            _ if part.text.trim().is_empty() => return Cow::Borrowed(&part.text),
            PartKind::Name => Prose::Exact,
            _ if part.secrecy > Secrecy::Open => return MASK.to_owned().into(),
            PartKind::Value | PartKind::Attribute => match Prose::of(members.name()) {
                // A quoted code may be a copy of a security code; a bare one is the gateway's.
                Prose::Code if part.span.len() > part.text.len() => Prose::Free,
                prose => prose,
            },
        };
        let masked = self.known.mask(&part.text, prose);
        match part.text {
            // A search of the whole message misses a card number that is only found in the decoded text.
            Cow::Owned(_) => card_numbers(&masked).into_owned().into(),
            Cow::Borrowed(_) => masked,
        }
    }

    /// Masks names and values of headers. A value that is marked sensitive is never shown.
    pub fn headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let value = |name: &str, value: &HeaderValue| {
            if value.is_sensitive() || is_secret_name(name) {
                return MASK.to_owned();
            }
            text(&self.known.mask(&String::from_utf8_lossy(value.as_bytes()), Prose::of(name))).into_owned()
        };
        headers.iter().map(|(name, held)| (name.to_string(), value(name.as_str(), held))).collect()
    }

    /// The headers, with each value that contains a secret masked.
    pub fn masked_headers(&self, mut headers: HeaderMap) -> HeaderMap {
        for (name, value) in &mut headers {
            if value.is_sensitive() || is_secret_name(name.as_str()) {
                *value = HeaderValue::from_static(MASK);
                continue;
            }
            let held = String::from_utf8_lossy(value.as_bytes());
            let masked = match self.known.mask(&held, Prose::of(name.as_str())) {
                Cow::Owned(masked) => HeaderValue::try_from(masked),
                Cow::Borrowed(_) => continue,
            };
            *value = masked.unwrap_or(HeaderValue::from_static(MASK));
        }
        headers
    }
}

/// Whether a charge names a stored card by its token id: 17 to 20 digits that begin with 1.
fn is_token(card: &str) -> bool {
    let are_digits = card.bytes().all(|byte| byte.is_ascii_digit());
    are_digits && (17..=20).contains(&card.len()) && card.starts_with('1')
}

/// Whether a character is a control character, or an invisible or bidirectional one that makes a line look like
/// another.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_one_printable_line_without_card_numbers() {
        for (given, masked) in [
            ("", ""),
            ("card 4111-1111-1111-1111.", "card ****-****-****-1111."),
            ("41111111\u{200b}11111111", "********\u{fffd}****1111"),
            ("4111\u{a0}1111\u{2011}1111\n1111", "****\u{a0}****\u{2011}**** 1111"),
            ("a\tb\r\nc", "a b  c"),
            ("\u{1b}[31mred\u{7}", "\u{fffd}[31mred\u{fffd}"),
            ("abc\u{202e}fdp", "abc\u{fffd}fdp"),
            ("Zoë zahlt 50,00 €", "Zoë zahlt 50,00 €"),
        ] {
            assert_eq!(text(given), masked, "{given:?}");
        }
    }

    /// Covers both vendors, JSON and XML: a text that the call did not send as a reference is not a reference.
    #[test]
    fn a_security_code_in_a_reference_is_masked_unless_it_was_sent_there() {
        for (call, answer, masked) in [
            (r#"{"csc":"987"}"#, r#"{"invoice":"987","id":"987"}"#, r#"{"invoice":"***","id":"987"}"#),
            (r#"{"csc":987}"#, r#"{"customer-id":987}"#, r#"{"customer-id":"***"}"#),
            (
                r#"{"cardDetails":{"securityCode":"987"}}"#,
                r#"{"sessionId":"987","orderId":"A 987","totalAmount":987}"#,
                r#"{"sessionId":"***","orderId":"A ***","totalAmount":987}"#,
            ),
            (r#"{"csc":"987","invoice":"987"}"#, r#"{"invoice":"987"}"#, r#"{"invoice":"987"}"#),
            ("<a><csc>987</csc></a>", "<a><order-id>987</order-id></a>", "<a><order-id>***</order-id></a>"),
            (
                "<a><csc>987</csc><order-id>PO 987</order-id></a>",
                "<a><order-id>PO 987</order-id><comments>987</comments></a>",
                "<a><order-id>PO 987</order-id><comments>***</comments></a>",
            ),
        ] {
            // A credential that every call sends is no reference by chance.
            let client = Redactor::new().secret("4711");
            let redactor = client.of_call(&HeaderMap::new(), call.as_bytes());
            assert_eq!(redactor.body(answer.as_bytes()), masked, "{call}");
            assert_eq!(redactor.body(br#"{"invoice":"4711"}"#), r#"{"invoice":"4711"}"#);
        }
    }

    #[test]
    fn secrets_by_name_in_bodies() {
        let redactor = Redactor::new().secret("s3cret").secret("");
        for (given, masked) in [
            ("", ""),
            (r#"{"card":"4111111111111111","exp-date":"1230"}"#, r#"{"card":"***","exp-date":"1230"}"#),
            (r#"{ "csc" : 123 , "amount": 1 }"#, r#"{ "csc" : "***" , "amount": 1 }"#),
            (r#"{"csc":null,"card":{"csc":"1"}}"#, r#"{"csc":null,"card":{"csc":"***"}}"#),
            (
                r#"{"CSC":"1","apiKey":"a","account_pin":"b"}"#,
                r#"{"CSC":"***","apiKey":"***","account_pin":"***"}"#,
            ),
            (r#"{"card":"a\"b","x":"card"}"#, r#"{"card":"***","x":"card"}"#),
            (r#"{"x":"\"card\":1","y":1}"#, r#"{"x":"\"card\":1","y":1}"#),
            (r#"{"card":"41111"#, r#"{"card":"***""#),
            (r#"{"card":"#, r#"{"card":"#),
            (r#"{"message":"bad key s3cret"}"#, r#"{"message":"bad key ***"}"#),
            (r#"{"message":"4111 1111 1111 1111"}"#, r#"{"message":"**** **** **** 1111"}"#),
            ("<t><card>4111</card><csc/><x>1</x></t>", "<t><card>***</card><csc/><x>1</x></t>"),
            ("<t a='1'><n:csc a='1'>12</n:csc></t>", "<t a='1'><n:csc a=\"***\">***</n:csc></t>"),
            ("<csc><![CDATA[123]]></csc>", "<csc>***</csc>"),
            ("<t><track2-data>;4=1?", "<t><track2-data>***"),
            ("<t a=\"", "<t a=\""),
            ("card=4111111111111111", "card=************1111"),
            ("line\none", "line\none"),
        ] {
            assert_eq!(redactor.body(given.as_bytes()), masked, "{given}");
        }
        assert_eq!(redactor.body(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn headers_that_carry_secrets() {
        let redactor = Redactor::new().secret("s3cret");
        let mut sensitive = http::HeaderValue::from_static("hidden");
        sensitive.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("x-any", sensitive);
        for (name, value) in [
            ("api-key", "k"),
            ("authorization", "vt-token t"),
            ("mobilejwt", "j"),
            ("x-echo", "key s3cret, card 4111111111111111"),
            ("accept", "application/json"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let shown: Vec<String> =
            redactor.headers(&headers).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            shown,
            [
                "x-any: ***",
                "api-key: ***",
                "authorization: ***",
                "mobilejwt: ***",
                "x-echo: key ***, card ************1111",
                "accept: application/json",
            ]
        );
    }

    proptest! {
        /// Holds: A card number is masked at any position of a text that is printed or recorded.
        #[test]
        fn a_card_is_masked_wherever_it_stands(
            before in "[^0-9０-９]*[^0-9０-９ -]|",
            after in "[^0-9０-９ -][^0-9０-９]*|",
            gap in "[ -]{0,2}",
        ) {
            let card = ["4111", "1111", "1111", "1111"].join(&gap);
            let masked = text(&format!("{before}{card}{after}")).into_owned();
            let digits = masked.chars().filter(char::is_ascii_digit).count();
            prop_assert_eq!(digits, 4, "{}", masked);
        }

        #[test]
        fn masking_twice_is_masking_once(given in ".*") {
            let once = text(&given).into_owned();
            prop_assert_eq!(text(&once), once.as_str());
        }

        #[test]
        fn bodies_of_any_shape_are_masked_without_a_panic(given in "[<>{}\\[\\]\"\\\\:,/a-d0-9 ]*|.*") {
            let redactor = Redactor::new();
            for start in ["", "{", "<", "{\"card\":", "<card>"] {
                redactor.body(format!("{start}{given}").as_bytes());
            }
        }
    }
}
