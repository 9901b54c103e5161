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
    pub const fn of(member: &str) -> Self {
        if is_any(member, &REFERENCES) {
            Self::Reference
        } else if is_any(member, &EXACT) || ends_in_any(member, &EXACT_ENDS) {
            Self::Exact
        } else if ends_in_any(member, &CODE_ENDS) {
            Self::Code
        } else {
            Self::Free
        }
    }
}

const fn is_any(member: &str, names: &[&str]) -> bool {
    let mut index = 0;
    while index < names.len() {
        if matches!(before(member, names[index]), Some(0)) {
            return true;
        }
        index += 1;
    }
    false
}

const fn ends_in_any(member: &str, ends: &[&str]) -> bool {
    let mut index = 0;
    while index < ends.len() {
        if before(member, ends[index]).is_some() {
            return true;
        }
        index += 1;
    }
    false
}

/// The number of letters and digits of a member's name before this end of it; `None` if it ends otherwise. Loops over
/// bytes, because the names of the wire's tables are classified when they are compiled.
const fn before(member: &str, end: &str) -> Option<usize> {
    let (member, end) = (member.as_bytes(), end.as_bytes());
    let (mut index, mut missing, mut others) = (member.len(), end.len(), 0);
    while index > 0 {
        index -= 1;
        if !member[index].is_ascii_alphanumeric() {
            continue;
        }
        if missing == 0 {
            others += 1;
        } else if member[index].to_ascii_lowercase() == end[missing - 1] {
            missing -= 1;
        } else {
            return None;
        }
    }
    if missing == 0 { Some(others) } else { None }
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
