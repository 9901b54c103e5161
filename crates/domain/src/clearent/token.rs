use super::{CustomerKey, Paging};
use crate::{
    CardBrand, CardNumber, Date, Expiry, Flag, InvalidValue, Reported, Rule, SecurityCode, Text, Timestamp,
    builder::request, key::key, open::open, text::check_brand,
};

key! {
    /// The gateway's id of a card token: today 19 digits, `1100…` and the card's last four.
    pub struct TokenId;
}

open! {
    /// Whether a token can be charged.
    pub struct TokenStatus one of "ACTIVE, INACTIVE, DELETED" {
        /// It can be charged.
        ACTIVE = "ACTIVE",
        /// It cannot be charged.
        INACTIVE = "INACTIVE",
        /// It is gone.
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
    /// A card to put into the vault. It is consumed by the call that sends it.
    ///
    /// `card-type` is derived from the number and always sent when it is known.
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
            /// What the card is, for people ("business card"); required by the vendor's page.
            description: Text = "description",
        }
        optional {
            /// The customer; needed to use the token in a plan.
            customer_key: CustomerKey = "customer-key",
            /// The street of the card's billing address, by the terminal's AVS settings.
            avs_address: Text = "avs-address",
            /// The postal code of the card's billing address.
            avs_zip: Text = "avs-zip",
            /// Whether the address is checked; the gateway's default is true.
            avs_required: Flag = "avs-required",
            /// The brand, which the vendor's page requires; needed only where it cannot be derived from the number.
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
    /// The brand that was given, or that of the number.
    pub fn brand(&self) -> Option<CardBrand> {
        self.card_type.clone().or_else(|| self.card.brand())
    }
}

request! {
    /// Changes to a token: its customer, status and description; all else is fixed ("delete and re-add").
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
        // A word that an answer had is read again: a request may say less.
        if let Some(status) = &update.status {
            violations.read::<TokenStatus, _>("status", status.as_str());
        }
    };
}

impl TokenUpdateBuilder {
    /// Notes a field that a token cannot change, as text of a request may name it.
    pub fn fixed(mut self, field: &'static str) -> Self {
        self.violations.add(field, Rule::TokenFieldFixed);
        self
    }
}

/// A token as the gateway reports it. Members that it left out are `None`; updates answer with what changed only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Token {
    /// The id; missing from the answer to an update.
    pub token_id: Option<TokenId>,
    /// The customer.
    pub customer_key: Option<CustomerKey>,
    /// Whether it can be charged.
    pub status: Option<TokenStatus>,
    /// What the card is, for people. The answer to a delete says "Token deleted".
    pub description: Option<String>,
    /// The brand.
    pub card_type: Option<CardBrand>,
    /// The card's last four digits.
    pub last_four_digits: Option<String>,
    /// The expiry; older answers leave it out.
    pub exp_date: Option<Reported<Expiry>>,
    /// The street used to check the address.
    pub avs_address: Option<String>,
    /// The postal code used to check the address.
    pub avs_zip: Option<String>,
    /// Whether it is the customer's default card.
    pub is_default: Option<Reported<bool>>,
    /// How often it was used.
    pub times_used: Option<Reported<u64>>,
    /// When it was created, in the gateway's own format (captures: `2020-05-01T14:31:12.464Z`).
    pub created: Option<Timestamp>,
    /// When it was changed last, likewise.
    pub updated: Option<Timestamp>,
    /// The vault's state of the token, such as `Open`.
    pub token_status: Option<String>,
    /// The merchant.
    pub merchant_id: Option<String>,
}

/// Which tokens to list (vault tokens page).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenSearch {
    /// The token.
    pub token_id: Option<TokenId>,
    /// An id of the merchant's former system.
    pub merchant_legacy_token_id: Option<String>,
    /// Tokens changed on or after this day.
    pub updated_start_date: Option<Date>,
    /// Tokens changed on or before this day.
    pub updated_end_date: Option<Date>,
    /// A named span: `custom_range`, `last_24_hours`, `yesterday`, `last_week`, `last_month`, `last_180_days`.
    pub date_filter: Option<String>,
    /// Page and order.
    pub paging: Paging,
}

request! {
    /// An existing token to attach to a customer.
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
            /// What the card is, for people.
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
    /// Changes to a customer's token.
    #[derive(Clone, PartialEq, Eq)]
    pub struct CustomerTokenUpdate, CustomerTokenUpdateFields, CustomerTokenUpdateBuilder {
        required {
            /// The token; required.
            token_id: TokenId = "token-id",
        }
        optional {
            /// What the card is, for people.
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
