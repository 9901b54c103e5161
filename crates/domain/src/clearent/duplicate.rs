use crate::{Flag, InvalidValue, Rule, builder::request, open::open};

open! {
    /// The field of a charge by which the gateway is asked to find an earlier one.
    pub struct CheckField one of "invoice" {
        /// The invoice number.
        INVOICE = "invoice",
    }
}

/// How long ago a charge may have been made to count as the same one: 1 to 60 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes(u8);

impl Minutes {
    /// The number.
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

/// How a terminal finds a charge that was made before, as the gateway reports it: by the last four digits of the card
/// and the amount (the vendor's page "Duplicate Transaction Settings"; that the amount counts is what its clients see).
/// Members that it left out are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct DuplicateSettings {
    /// Whether it looks at all.
    pub enabled: Option<bool>,
    /// Whether it looks at all terminals of the merchant.
    pub check_merchant_level: Option<bool>,
    /// Whether the invoice counts too, where one is given.
    pub include_invoice: Option<bool>,
    /// Whether the invoice counts instead of the card, where one is given; then there is no limit of time.
    pub use_invoice_instead_of_card: Option<bool>,
    /// How long ago the earlier charge may have been made.
    pub time_range_in_minutes: Option<u64>,
    /// Whether a duplicate is refused with 402; else it is answered with the earlier charge.
    pub if_duplicate_found_respond_with_error: Option<bool>,
}

request! {
    /// A change to the [`DuplicateSettings`] of a terminal; what is not given stays (**inferred**).
    #[derive(Clone, PartialEq, Eq)]
    pub struct DuplicateUpdate, DuplicateUpdateFields, DuplicateUpdateBuilder {
        optional {
            /// Whether it looks at all.
            enabled: Flag = "enabled",
            /// Whether it looks at all terminals of the merchant.
            check_merchant_level: Flag = "check-merchant-level",
            /// Whether the invoice counts too.
            include_invoice: Flag = "include-invoice",
            /// Whether the invoice counts instead of the card.
            use_invoice_instead_of_card: Flag = "use-invoice-instead-of-card",
            /// How long ago the earlier charge may have been made.
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
