//! The writes of both gateways, and what the absence of each means.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What follows if a write is certainly not at the gateway although it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Absence {
    /// A spare would be harmless, or the write sets a value: it is sent again, at most [three times](super::Rules).
    SendAgain,
    /// The write moves money: a person decides.
    Person,
}

macro_rules! writes {
    ($( $(#[$doc:meta])* $Write:ident $name:literal: $Absence:ident; )*) => {
        /// A write of one of the gateways.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Write {
            $( $(#[$doc])* $Write, )*
        }

        impl Write {
            /// All writes.
            pub const ALL: &[Self] = &[$( Self::$Write, )*];

            /// The name of the operation, such as `plans.create`.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$Write => $name, )*
                }
            }

            /// What follows if the write is certainly not at the gateway although it was sent.
            pub const fn absence(self) -> Absence {
                match self {
                    $( Self::$Write => Absence::$Absence, )*
                }
            }
        }
    };
}

writes! {
    /// Creates a customer.
    CreateCustomer "customers.create": SendAgain;
    /// Changes a customer.
    UpdateCustomer "customers.update": SendAgain;
    /// Deletes a customer.
    DeleteCustomer "customers.delete": SendAgain;
    /// Attaches a token to a customer.
    AttachToken "customer-tokens.attach": SendAgain;
    /// Changes the attachment of a token.
    UpdateCustomerToken "customer-tokens.update": SendAgain;
    /// Stores a card in the vault.
    CreateToken "tokens.create": SendAgain;
    /// Changes a token.
    UpdateToken "tokens.update": SendAgain;
    /// Deletes a token.
    DeleteToken "tokens.delete": SendAgain;
    /// Creates a payment plan, always suspended. It is activated by a second write.
    CreatePlan "plans.create": SendAgain;
    /// Changes a payment plan.
    UpdatePlan "plans.update": SendAgain;
    /// Deletes a payment plan.
    DeletePlan "plans.delete": SendAgain;
    /// Charges a card.
    Sale "transactions.sale": Person;
    /// Reserves an amount.
    Auth "transactions.auth": Person;
    /// Captures a reserved amount.
    Capture "transactions.capture": Person;
    /// Voids a transaction.
    Void "transactions.void": Person;
    /// Refunds a transaction or a card.
    Refund "transactions.refund": Person;
    /// Changes the tip of a transaction.
    UpdateTransaction "transactions.update": Person;
    /// Settles the open batch.
    SettleBatch "batches.settle": Person;
    /// Pays with a payment method, through ClientPay.
    Pay "clientpay-payments.create": Person;
    /// Refunds a payment of ClientPay.
    RefundPayment "clientpay-payments.refund": Person;
    /// Creates a payment page.
    CreatePage "pages.create": Person;
    /// Expires a payment page.
    ExpirePage "pages.expire": Person;
    /// Creates a payer.
    CreatePayer "payers.create": Person;
    /// Changes a payer.
    UpdatePayer "payers.update": Person;
    /// Deletes a payer.
    DeletePayer "payers.delete": Person;
    /// Adds payment methods to a payer.
    AddMethods "payers.add-methods": Person;
    /// Changes payment methods of a payer.
    UpdateMethods "payers.update-methods": Person;
}

impl Write {
    /// Whether the created object counts only after a look that lists all objects with its mark.
    pub const fn is_two_phase(self) -> bool {
        matches!(self, Self::CreatePlan)
    }

    /// Whether it is a write of ClientPay.
    pub const fn is_clientpay(self) -> bool {
        matches!(
            self,
            Self::Pay
                | Self::RefundPayment
                | Self::CreatePage
                | Self::ExpirePage
                | Self::CreatePayer
                | Self::UpdatePayer
                | Self::DeletePayer
                | Self::AddMethods
                | Self::UpdateMethods
        )
    }

    /// Whether it is sent under a single-use request id, which is stored before it is sent.
    pub const fn has_request_id(self) -> bool {
        self.is_clientpay() && !matches!(self, Self::ExpirePage)
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error for a text that names no write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no write has this name; writes are {}", Write::ALL.iter().map(|write| write.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownWrite;

impl FromStr for Write {
    type Err = UnknownWrite;

    fn from_str(name: &str) -> Result<Self, UnknownWrite> {
        Self::ALL.iter().copied().find(|write| write.name() == name).ok_or(UnknownWrite)
    }
}

impl Serialize for Write {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Write {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
