//! Which members of messages are texts for people, and which are ids, money and dates, that must stay as they are.

/// How much of a text may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prose {
    /// A text for people, or a word of the gateway: all secrets are masked, and whatever looks like a card number.
    Free,
    /// A code of the gateway, such as `041`, or a postal code: a short secret that is the whole text is not masked.
    Code,
    /// A text that a caller chose and a gateway reports as it was sent, such as an invoice number or the caller's id of a
    /// customer: a secret of 12 characters or more is masked, and a shorter one that this call sent
    /// ([`Known::code`](super::Known::code)), unless the call sent the text as a reference itself.
    Reference,
    /// A key or id of the gateway, an amount or a date, by which things are found and compared: only a secret of 12
    /// characters or more is masked.
    Exact,
}

impl Prose {
    /// What a member, element or header of this name holds with either vendor. Letter case and separators make no
    /// difference; a name that is not known holds free text.
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

/// Others of them, whole; and headers that are numbers or dates.
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
