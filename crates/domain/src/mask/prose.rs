//! Classifies the members of messages: texts for people, which are masked, and ids, money and dates, which must not
//! change.

/// The extent to which a text is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prose {
    /// A text for people, or a word of the gateway: all secrets are masked, and all text that looks like a card number.
    Free,
    /// A code of the gateway, such as `041`, or a postal code: a short secret that is the whole text is not masked.
    Code,
    /// A text that a caller chose and a gateway reports unchanged, such as an invoice number or the caller's id of a
    /// customer. Secrets of at least 12 characters are masked. A shorter secret is masked only if this call sent it
    /// ([`Known::code`](super::Known::code)) and did not send the text itself as a reference.
    Reference,
    /// A key or id of the gateway, an amount or a date, which is used to find and compare objects: only secrets of at
    /// least 12 characters are masked.
    Exact,
}

impl Prose {
    /// Classifies a member, element or header of either vendor by its name. Letter case and separators make no
    /// difference; an unknown name means free text.
    ///
    /// ```
    /// use perennial_domain::mask::Prose;
    ///
    /// assert_eq!(Prose::of("display-message"), Prose::Free);
    /// assert_eq!(Prose::of("result-code"), Prose::Code);
    /// assert_eq!((Prose::of("plan-key"), Prose::of("totalAmount")), (Prose::Exact, Prose::Exact));
    /// assert_eq!((Prose::of("order-id"), Prose::of("sessionId")), (Prose::Reference, Prose::Reference));
    /// ```
    pub fn of(member: &str) -> Self {
        let letters = member.bytes().filter(u8::is_ascii_alphanumeric);
        let name: String = letters.map(|letter| char::from(letter.to_ascii_lowercase())).collect();
        if REFERENCES.contains(&name.as_str()) {
            Self::Reference
        } else if EXACT.contains(&name.as_str()) || EXACT_ENDS.iter().any(|end| name.ends_with(end)) {
            Self::Exact
        } else if CODE_ENDS.iter().any(|end| name.ends_with(end)) {
            Self::Code
        } else {
            Self::Free
        }
    }
}

/// The names of references that callers choose, of both vendors.
const REFERENCES: [&str; 15] = [
    "clientid",
    "customerid",
    "customerrefnumber",
    "email",
    "emailaddress",
    "emails",
    "invoice",
    "invoicenumber",
    "itemid",
    "matternumber",
    "orderid",
    "phone",
    "phonenumber",
    "purchaseorder",
    "sessionid",
];

/// The last words of the names of ids, links, amounts, dates and counts.
const EXACT_ENDS: [&str; 16] = [
    "amount", "balance", "count", "date", "dateutc", "elements", "fee", "href", "id", "ids", "key", "pages",
    "pk", "tax", "total", "url",
];

/// The full names of other ids, amounts and dates, and of headers that are numbers or dates.
const EXACT: [&str; 24] = [
    "age",
    "clientip",
    "contentlength",
    "created",
    "duration",
    "emailreceipt",
    "expirationdatemonth",
    "expirationdateyear",
    "expires",
    "first",
    "frequencyday",
    "frequencymonth",
    "frequencyweek",
    "last",
    "lastmodified",
    "number",
    "pagenumber",
    "pagesize",
    "retryafter",
    "signature",
    "size",
    "timerangeinminutes",
    "timestamp",
    "updated",
];

const CODE_ENDS: [&str; 5] = ["code", "digits", "four", "timesused", "zip"];
