use super::{CustomerKey, Paging};
use crate::{
    CardBrand, CardNumber, Date, Expiry, Flag, InvalidValue, Reported, Rule, SecurityCode, Text, Timestamp,
    builder::request, key::key, open::open, text::check_brand,
};

key! {
    /// The gateway's id of a card token: currently 19 digits, beginning with `1100` and ending with the card's last
    /// four digits.
    pub struct TokenId;
}

open! {
    /// The status of a token, which decides whether it can be charged.
    pub struct TokenStatus one of "ACTIVE, INACTIVE, DELETED" {
        /// The token can be charged.
        ACTIVE = "ACTIVE",
        /// The token cannot be charged.
        INACTIVE = "INACTIVE",
        /// The token is deleted.
        DELETED = "DELETED",
    }
}

/// The last four digits of a card number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFour(String);

impl LastFour {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for LastFour {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        if text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Rule::LastFour.into())
        }
    }
}

impl TryFrom<String> for LastFour {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

request! {
    /// A request to store a card in the vault. The call that sends it consumes it.
    ///
    /// The field `card-type` is derived from the number, and is sent if it is known.
    ///
    /// ```
    /// use perennial_domain::{CardBrand, clearent::NewToken};
    ///
    /// let token = NewToken::builder()
    ///     .card("4111 1111 1111 1111")
    ///     .exp_date("1230")
    ///     .csc("999")
    ///     .description("business card")
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(token.brand(), Some(CardBrand::VISA));
    /// ```
    pub struct NewToken, NewTokenFields, NewTokenBuilder {
        required {
            /// The card number; required.
            card: CardNumber = "card",
            /// The expiry, `MMYY`; required.
            exp_date: Expiry = "exp-date",
        }
        documented {
            /// The security code; required by the vendor's page.
            csc: SecurityCode = "csc",
            /// A description of the card for people ("business card"); required by the vendor's page.
            description: Text = "description",
        }
        optional {
            /// The customer; needed to use the token in a plan.
            customer_key: CustomerKey = "customer-key",
            /// The street of the card's billing address, as the terminal's AVS settings require.
            avs_address: Text = "avs-address",
            /// The postal code of the card's billing address.
            avs_zip: Text = "avs-zip",
            /// Whether the address is checked; the gateway's default is true.
            avs_required: Flag = "avs-required",
            /// The brand; required by the vendor's page, but needed only if it cannot be derived from the number.
            card_type: CardBrand = "card-type",
        }
    }
    check |token, violations| {
        check_brand(token.card_type.as_ref(), violations);
    };
    strictly |token, violations| {
        let brand = token.card.as_ref().map(|card| token.card_type.clone().or_else(|| card.brand()));
        if brand == Some(None) {
            violations.add("card-type", Rule::Required);
        }
    };
}

impl NewToken {
    /// The given brand, or the brand of the number.
    pub fn brand(&self) -> Option<CardBrand> {
        self.card_type.clone().or_else(|| self.card.brand())
    }
}

request! {
    /// An update of a token's customer, status or description; the other members cannot change ("delete and re-add").
    #[derive(Clone, PartialEq, Eq)]
    pub struct TokenUpdate, TokenUpdateFields, TokenUpdateBuilder {
        optional {
            /// The customer who owns the card.
            customer_key: CustomerKey = "customer-key",
            /// The new status.
            status: TokenStatus = "status",
            /// The new description.
            description: Text = "description",
        }
    }
    check |update, violations| {
        if violations.is_empty() && update.changes_nothing() {
            violations.add("token", Rule::NothingToUpdate);
        }
        // The status may have been read from a response. A request allows fewer values, so it is parsed again.
        if let Some(status) = &update.status {
            violations.read::<TokenStatus, _>("status", status.as_str());
        }
    };
}

impl TokenUpdateBuilder {
    /// Records that the request names a field of a token that cannot change.
    pub fn fixed(mut self, field: &'static str) -> Self {
        self.violations.add(field, Rule::TokenFieldFixed);
        self
    }
}

/// A token as the gateway reports it. Members that the gateway omits are `None`; responses to updates contain only the
/// changed members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Token {
    /// The id; missing in the response to an update.
    pub token_id: Option<TokenId>,
    /// The customer.
    pub customer_key: Option<CustomerKey>,
    /// The status, which decides whether the token can be charged.
    pub status: Option<TokenStatus>,
    /// The description of the card for people. The response to a delete says "Token deleted".
    pub description: Option<String>,
    /// The brand.
    pub card_type: Option<CardBrand>,
    /// The card's last four digits.
    pub last_four_digits: Option<String>,
    /// The expiry; missing in older responses.
    pub exp_date: Option<Reported<Expiry>>,
    /// The street used to check the address.
    pub avs_address: Option<String>,
    /// The postal code used to check the address.
    pub avs_zip: Option<String>,
    /// Whether it is the customer's default card.
    pub is_default: Option<Reported<bool>>,
    /// The number of times that the token was used.
    pub times_used: Option<Reported<u64>>,
    /// The time of the creation, in the gateway's own format (captures: `2020-05-01T14:31:12.464Z`).
    pub created: Option<Timestamp>,
    /// The time of the last change, in the format of `created`.
    pub updated: Option<Timestamp>,
    /// The state of the token in the vault, such as `Open`.
    pub token_status: Option<String>,
    /// The merchant.
    pub merchant_id: Option<String>,
}

/// Criteria for listing tokens (vault tokens page).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenSearch {
    /// The token.
    pub token_id: Option<TokenId>,
    /// The token's id in the merchant's former system.
    pub merchant_legacy_token_id: Option<String>,
    /// Tokens changed on or after this day.
    pub updated_start_date: Option<Date>,
    /// Tokens changed on or before this day.
    pub updated_end_date: Option<Date>,
    /// A named period: `custom_range`, `last_24_hours`, `yesterday`, `last_week`, `last_month`, `last_180_days`.
    pub date_filter: Option<String>,
    /// Page and order.
    pub paging: Paging,
}

request! {
    /// A request to attach an existing token to a customer.
    #[derive(Clone, PartialEq, Eq)]
    pub struct NewCustomerToken, NewCustomerTokenFields, NewCustomerTokenBuilder {
        required {
            /// The token; required.
            token_id: TokenId = "token-id",
        }
        documented {
            /// The card's expiry; required by the documentation.
            exp_date: Expiry = "exp-date",
            /// The card's brand; required by the documentation.
            card_type: CardBrand = "card-type",
            /// The card's last four digits; required by the documentation.
            last_four_digits: LastFour = "last-four-digits",
        }
        optional {
            /// The description of the card for people.
            description: Text = "description",
            /// Whether it becomes the customer's default card.
            is_default: Flag = "default",
            /// The street of the card's billing address.
            avs_address: Text = "avs-address",
            /// The postal code of the card's billing address.
            avs_zip: Text = "avs-zip",
        }
    }
    check |token, violations| {
        check_brand(token.card_type.as_ref(), violations);
    };
}

request! {
    /// An update of a customer's token.
    #[derive(Clone, PartialEq, Eq)]
    pub struct CustomerTokenUpdate, CustomerTokenUpdateFields, CustomerTokenUpdateBuilder {
        required {
            /// The token; required.
            token_id: TokenId = "token-id",
        }
        optional {
            /// The description of the card for people.
            description: Text = "description",
            /// Whether it becomes the customer's default card.
            is_default: Flag = "default",
            /// The street of the card's billing address.
            avs_address: Text = "avs-address",
            /// The postal code of the card's billing address.
            avs_zip: Text = "avs-zip",
        }
    }
    check |update, violations| {
        if violations.is_empty() && update.changes_nothing() {
            violations.add("customer-token", Rule::NothingToUpdate);
        }
    };
}

/// A customer's token as the gateway reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(missing_docs, reason = "the fields are those of Token")]
pub struct CustomerToken {
    pub token_id: TokenId,
    pub customer_key: Option<CustomerKey>,
    pub exp_date: Option<Reported<Expiry>>,
    pub card_type: Option<CardBrand>,
    pub last_four_digits: Option<String>,
    pub description: Option<String>,
    pub is_default: Option<Reported<bool>>,
    pub avs_address: Option<String>,
    pub avs_zip: Option<String>,
}
