//! Declined charges: what a result code means, and when the next try is made.

use chrono::{Days, NaiveDate};

use crate::words::words;

words! {
    /// The class of a decline.
    DeclineClass {
        /// The card is never tried again.
        Hard = "hard",
        /// The member needs another card.
        Card = "card",
        /// A later try may be approved.
        Soft = "soft",
        /// The code is not known; a person decides.
        Unknown = "unknown",
    }
}

/// The classes of result codes. The codes are those of the vendor's list of result codes; which of them is worth another
/// try is **inferred** from the rules that Visa and Mastercard publish for declined transactions: their categories "issuer
/// will never approve" and "update the card" are hard and card, "issuer cannot approve now" is soft.
const CLASSES: &[(DeclineClass, &[&str])] = &[
    (DeclineClass::Hard, &["005", "013", "015", "033"]),
    (DeclineClass::Card, &["003", "004", "009", "010", "017", "021", "026", "047", "048"]),
    (DeclineClass::Soft, &["007", "012", "014", "016", "023", "031", "057", "058"]),
];

/// The class of the gateway's three-digit result code.
///
/// ```
/// use perennial_billing::{DeclineClass, decline_class};
///
/// assert_eq!(decline_class(None), DeclineClass::Unknown);
/// assert_eq!(decline_class(Some("999")), DeclineClass::Unknown);
/// ```
pub fn decline_class(code: Option<&str>) -> DeclineClass {
    let is_in = |codes: &[&str]| code.is_some_and(|code| codes.contains(&code));
    CLASSES.iter().find(|(_, codes)| is_in(codes)).map_or(DeclineClass::Unknown, |(class, _)| *class)
}

/// The days after the due day on which a declined charge is tried again.
const TRIES: [u64; 4] = [1, 3, 5, 7];
/// No day is tried after this many days.
pub(crate) const OLDEST: Days = Days::new(30);

/// The day of the next try of a due day: the first day of the schedule after this one, and not before today.
pub(crate) fn day_of_try(due: NaiveDate, after: NaiveDate, today: NaiveDate) -> Option<NaiveDate> {
    let days = TRIES.iter().map(|days| due + Days::new(*days));
    let next = days.into_iter().find(|day| *day > after)?.max(today);
    (next <= due + OLDEST).then_some(next)
}
