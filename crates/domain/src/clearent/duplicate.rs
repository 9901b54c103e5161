use crate::{Flag, InvalidValue, Rule, builder::request, open::open};

open! {
    /// The field of a charge that the gateway compares to find an earlier charge.
    pub struct CheckField one of "invoice" {
        /// The invoice number.
        INVOICE = "invoice",
    }
}

/// The time span in which an equal charge counts as a duplicate: 1 to 60 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes(u8);

impl Minutes {
    /// The number of minutes.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Minutes {
    type Error = InvalidValue;

    fn try_from(minutes: u8) -> Result<Self, Self::Error> {
        if matches!(minutes, 1..=60) { Ok(Self(minutes)) } else { Err(Rule::Minutes.into()) }
    }
}

impl TryFrom<&str> for Minutes {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or(Rule::Minutes.into()).and_then(u8::try_into)
    }
}

/// The duplicate detection of a terminal, as the gateway reports it. It compares the last four digits of the card and
/// the amount (the vendor's page "Duplicate Transaction Settings"; that the amount is compared was observed by the
/// vendor's clients). Members that the gateway omits are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct DuplicateSettings {
    /// Whether duplicates are detected.
    pub enabled: Option<bool>,
    /// Whether the charges of all terminals of the merchant are compared.
    pub check_merchant_level: Option<bool>,
    /// Whether the invoice is compared as well, if the charge has one.
    pub include_invoice: Option<bool>,
    /// Whether the invoice is compared instead of the card, if the charge has one; then there is no time limit.
    pub use_invoice_instead_of_card: Option<bool>,
    /// The maximum age of the earlier charge in minutes.
    pub time_range_in_minutes: Option<u64>,
    /// Whether a duplicate is refused with HTTP 402; otherwise the response is the earlier charge.
    pub if_duplicate_found_respond_with_error: Option<bool>,
}

request! {
    /// A change to the [`DuplicateSettings`] of a terminal. Omitted fields keep their values (**inferred**).
    #[derive(Clone, PartialEq, Eq)]
    pub struct DuplicateUpdate, DuplicateUpdateFields, DuplicateUpdateBuilder {
        optional {
            /// Whether duplicates are detected.
            enabled: Flag = "enabled",
            /// Whether the charges of all terminals of the merchant are compared.
            check_merchant_level: Flag = "check-merchant-level",
            /// Whether the invoice is compared as well.
            include_invoice: Flag = "include-invoice",
            /// Whether the invoice is compared instead of the card.
            use_invoice_instead_of_card: Flag = "use-invoice-instead-of-card",
            /// The maximum age of the earlier charge in minutes.
            time_range_in_minutes: Minutes = "time-range-in-minutes",
            /// Whether a duplicate is refused.
            if_duplicate_found_respond_with_error: Flag = "if-duplicate-found-respond-with-error",
        }
    }
    check |update, violations| {
        if violations.is_empty() && update.changes_nothing() {
            violations.add("check-duplicate-transaction-settings", Rule::NothingToUpdate);
        }
    };
}
