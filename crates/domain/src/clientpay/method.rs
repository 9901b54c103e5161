use std::fmt;

use zeroize::Zeroizing;

use super::address::Address;
use crate::{
    CardNumber, Expiry, Flag, InvalidValue, Rule, SecurityCode, Text, Violations,
    builder::unlisted_request as request, key::key, open::open,
};

key! {
    /// The id of a stored payment method, a GUID.
    pub struct PaymentMethodId;
}

/// The routing number of a US bank: nine digits. The check digit is not validated, because it is wrong in the vendor's
/// own sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingNumber(String);

impl RoutingNumber {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for RoutingNumber {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let text = text.trim();
        if text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Rule::RoutingNumber.into())
        }
    }
}

impl TryFrom<String> for RoutingNumber {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

/// The number of a bank account: 4 to 17 digits, as US clearing houses accept them; the vendor documents no format.
///
/// Parsing removes spaces and hyphens. The number is wiped when dropped, shows at most its last four digits, and cannot
/// be cloned or compared.
///
/// ```
/// use perennial_domain::clientpay::AccountNumber;
///
/// assert_eq!(format!("{:?}", AccountNumber::try_from("5550 001234").unwrap()), "AccountNumber(..1234)");
/// ```
pub struct AccountNumber(Zeroizing<String>);

impl AccountNumber {
    /// Returns the digits, to write them on the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four digits, which may be shown and stored; empty for a number of four digits.
    pub fn last_four(&self) -> &str {
        if self.0.len() > 4 { &self.0[self.0.len() - 4..] } else { "" }
    }
}

impl TryFrom<&str> for AccountNumber {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        // One allocation of the final size: a buffer that grows leaves copies of the number behind.
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        digits.extend(text.chars().filter(|c| !matches!(c, ' ' | '-')));
        if matches!(digits.len(), 4..=17) && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            Err(Rule::AccountNumber.into())
        }
    }
}

impl TryFrom<String> for AccountNumber {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(Zeroizing::new(text).as_str())
    }
}

impl fmt::Debug for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountNumber(..{})", self.last_four())
    }
}

open! {
    /// The kind of a bank account. The vendor's table calls it an integer; all other pages show these words.
    pub struct AccountType one of "checking_business, checking_personal, savings_business, savings_personal" {
        /// A checking account of a business; the gateway's default.
        CHECKING_BUSINESS = "checking_business",
        /// A checking account of a person.
        CHECKING_PERSONAL = "checking_personal",
        /// A savings account of a business.
        SAVINGS_BUSINESS = "savings_business",
        /// A savings account of a person.
        SAVINGS_PERSONAL = "savings_personal",
    }
}

request! {
    /// A card to charge or to store. That `cardholderName` and `cvv` are optional is **inferred**.
    pub struct Card, CardFields, CardBuilder {
        required {
            /// The card number; required.
            card_number: CardNumber = "cardNumber",
            /// The expiry, sent as `expirationDateMonth` and `expirationDateYear`; required.
            expiration_date: Expiry = "expirationDate",
        }
        optional {
            /// The name on the card.
            cardholder_name: Text = "cardholderName",
            /// The security code; never stored.
            cvv: SecurityCode = "cvv",
        }
    }
}

request! {
    /// A bank account to charge or to store (eCheck object).
    pub struct ECheck, ECheckFields, ECheckBuilder {
        required {
            /// The name on the account; required.
            name_on_account: Text = "nameOnAccount",
            /// The routing number of the bank; required.
            routing_number: RoutingNumber = "routingNumber",
            /// The account number; required.
            account_number: AccountNumber = "accountNumber",
        }
        optional {
            /// The kind of account.
            account_type: AccountType = "accountType",
        }
    }
}

request! {
    /// A payment method to store with a payer: either a card or a bank account (payment method object).
    pub struct NewMethod, NewMethodFields, NewMethodBuilder {
        optional {
            /// Whether it becomes the primary method, which is charged by the payer's id. A payer has one.
            is_primary: Flag = "isPrimary",
        }
        nested {
            /// The card.
            credit_card: Card = "creditCard",
            /// The bank account.
            e_check: ECheck = "eCheck",
            /// The address of the card or bank account.
            billing_address: Address = "billingAddress",
        }
    }
    check |method, violations| check_one(&[
        ("creditCard", method.credit_card.is_some()),
        ("eCheck", method.e_check.is_some()),
    ], "eCheck", violations);
}

/// Checks that exactly one method is given. A refused value was already reported, and counts as given.
pub(super) fn check_one(ways: &[(&'static str, bool)], others: &'static str, violations: &mut Violations) {
    let refused = |way: &str| violations.iter().any(|violation| violation.field.starts_with(way));
    let mut given = ways.iter().filter(|(way, given)| *given || refused(way)).map(|(way, _)| *way);
    match (given.next(), given.next()) {
        (Some(first), Some(second)) => violations.add(second, Rule::Conflict(first)),
        (None, _) => violations.add(ways[0].0, Rule::RequiredUnless(others)),
        (Some(_), None) => {}
    }
}

request! {
    /// An update of a stored method: whether it is the primary one, the name on it, or a card's expiry. A number and an
    /// address cannot change: add a new method instead (update payment method page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct MethodUpdate, MethodUpdateFields, MethodUpdateBuilder {
        required {
            /// The method; required.
            id: PaymentMethodId = "id",
        }
        optional {
            /// Whether it becomes the primary method.
            is_primary: Flag = "isPrimary",
            /// The name on the card.
            cardholder_name: Text = "creditCard.cardholderName",
            /// The card's expiry.
            expiration_date: Expiry = "creditCard.expirationDate",
            /// The name on the account.
            name_on_account: Text = "eCheck.nameOnAccount",
        }
    }
    check |update, violations| {
        if violations.is_empty() && update.changes_nothing() {
            violations.add("paymentMethod", Rule::NothingToUpdate);
        }
        if update.name_on_account.is_some() && (update.cardholder_name.is_some() || update.expiration_date.is_some()) {
            violations.add("eCheck", Rule::Conflict("creditCard"));
        }
    };
}

impl MethodUpdateBuilder {
    /// Records that the request names a field of a stored method that cannot change.
    pub fn fixed(mut self, field: &'static str) -> Self {
        self.violations.add(field, Rule::MethodFieldFixed);
        self
    }
}
