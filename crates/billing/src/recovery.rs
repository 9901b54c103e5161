//! Declined charges: what a result code means, and when the next try is made.

use chrono::{Days, NaiveDate};
use perennial::Amount;

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

/// The result codes of a card that has expired, by the vendor's list.
pub(crate) const EXPIRED: &[&str] = &["003", "004"];

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

words! {
    /// The end of a due day of which no try is left.
    AtEnd {
        /// It is given up, and the subscription goes on.
        Leave = "leave",
        /// It is given up, and the subscription is canceled.
        Cancel = "cancel",
        /// It waits for a person.
        Ask = "ask",
    }
}

words! {
    /// The reason for which no declined or missing day is tried on a day.
    Withheld {
        /// The merchant's limit of a night.
        Limit = "the limit of tries for a day is reached",
        /// The limit of the card networks.
        Card = "the card was declined 15 times in 30 days",
        /// The expiry of the card, which was read on that day.
        Expired = "the card has expired: renew it, or change the token",
    }
}

/// A merchant's rules for days that are declined or missing.
///
/// ```
/// let rules = perennial_billing::RecoveryRules::default();
/// assert_eq!((rules.tries_a_day, rules.sum_a_day.to_string()), (1_000, "100000.00".to_owned()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryRules {
    /// The most tries on one day, for all subscriptions of the merchant. When they are reached, an event says so, and the
    /// other tries wait for the next day.
    pub tries_a_day: u32,
    /// The most money of these tries.
    pub sum_a_day: Amount,
    /// The end of a day of which no try is left.
    pub at_end: AtEnd,
}

impl Default for RecoveryRules {
    fn default() -> Self {
        let sum_a_day = Amount::from_cents(10_000_000).unwrap_or(Amount::ZERO);
        Self { tries_a_day: 1_000, sum_a_day, at_end: AtEnd::Leave }
    }
}

/// A change of these rules. Everything that is `None` stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecoveryChange {
    /// Another number of tries on one day.
    pub tries_a_day: Option<u32>,
    /// Another sum of these tries.
    pub sum_a_day: Option<Amount>,
    /// Another end of a day of which no try is left.
    pub at_end: Option<AtEnd>,
}

impl RecoveryChange {
    pub(crate) fn is_empty(&self) -> bool {
        self.tries_a_day.is_none() && self.sum_a_day.is_none() && self.at_end.is_none()
    }

    /// The change, as it is kept with the person who made it.
    pub(crate) fn in_words(&self) -> String {
        let Self { tries_a_day, sum_a_day, at_end } = self;
        let words = [
            tries_a_day.map(|tries| format!("tries a day {tries}")),
            sum_a_day.map(|sum| format!("sum a day {sum}")),
            at_end.map(|at_end| format!("at the end {at_end}")),
        ];
        let words: Vec<_> = words.into_iter().flatten().collect();
        format!("recovery: {}", words.join(", "))
    }

    /// Returns the rules after the change.
    #[must_use]
    pub fn applied(&self, rules: RecoveryRules) -> RecoveryRules {
        RecoveryRules {
            tries_a_day: self.tries_a_day.unwrap_or(rules.tries_a_day),
            sum_a_day: self.sum_a_day.unwrap_or(rules.sum_a_day),
            at_end: self.at_end.unwrap_or(rules.at_end),
        }
    }
}

/// The most declines of a card within [`CARD_DAYS`], by the strictest rule that a card network publishes.
pub(crate) const CARD_DECLINES: i64 = 15;
pub(crate) const CARD_DAYS: Days = Days::new(30);

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
