//! The writes of both gateways, and what the absence of each means.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use perennial_wire::{clearent, clientpay};
use serde::{Deserialize, Serialize};

/// The consequence if a write is certainly not at the gateway although it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Absence {
    /// A spare would be harmless, or the write sets a value: it is sent again, at most [three times](super::Rules).
    SendAgain,
    /// The write moves money: a person decides.
    Person,
}

macro_rules! writes {
    ($( $(#[$doc:meta])* $Write:ident = $operation:expr, $Absence:ident; )*) => {
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
                    $( Self::$Write => $operation.name(), )*
                }
            }

            /// The consequence if the write is certainly not at the gateway although it was sent.
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
    CreateCustomer = clearent::Operation::CreateCustomer, SendAgain;
    /// Changes a customer.
    UpdateCustomer = clearent::Operation::UpdateCustomer, SendAgain;
    /// Deletes a customer.
    DeleteCustomer = clearent::Operation::DeleteCustomer, SendAgain;
    /// Attaches a token to a customer.
    AttachToken = clearent::Operation::AttachToken, SendAgain;
    /// Changes the attachment of a token.
    UpdateCustomerToken = clearent::Operation::UpdateCustomerToken, SendAgain;
    /// Stores a card in the vault.
    CreateToken = clearent::Operation::CreateToken, SendAgain;
    /// Changes a token.
    UpdateToken = clearent::Operation::UpdateToken, SendAgain;
    /// Deletes a token.
    DeleteToken = clearent::Operation::DeleteToken, SendAgain;
    /// Creates a payment plan, always suspended. It is activated by a second write.
    CreatePlan = clearent::Operation::CreatePlan, SendAgain;
    /// Changes a payment plan.
    UpdatePlan = clearent::Operation::UpdatePlan, SendAgain;
    /// Deletes a payment plan.
    DeletePlan = clearent::Operation::DeletePlan, SendAgain;
    /// Charges a card.
    Sale = clearent::Operation::Sale, Person;
    /// Reserves an amount.
    Auth = clearent::Operation::Auth, Person;
    /// Captures a reserved amount.
    Capture = clearent::Operation::Capture, Person;
    /// Voids a transaction.
    Void = clearent::Operation::Void, Person;
    /// Refunds a transaction or a card.
    Refund = clearent::Operation::Refund, Person;
    /// Changes the tip of a transaction.
    UpdateTransaction = clearent::Operation::UpdateTransaction, Person;
    /// Settles the open batch.
    SettleBatch = clearent::Operation::SettleBatch, Person;
    /// Pays with a payment method, through ClientPay.
    Pay = clientpay::Operation::Pay, Person;
    /// Refunds a payment of ClientPay.
    RefundPayment = clientpay::Operation::Refund, Person;
    /// Creates a payment page.
    CreatePage = clientpay::Operation::InvoicePage, Person;
    /// Expires a payment page.
    ExpirePage = clientpay::Operation::ExpirePage, Person;
    /// Creates a payer.
    CreatePayer = clientpay::Operation::NewPayer, Person;
    /// Changes a payer.
    UpdatePayer = clientpay::Operation::UpdatePayer, Person;
    /// Deletes a payer.
    DeletePayer = clientpay::Operation::DeletePayer, Person;
    /// Adds payment methods to a payer.
    AddMethods = clientpay::Operation::NewMethods, Person;
    /// Changes payment methods of a payer.
    UpdateMethods = clientpay::Operation::UpdateMethods, Person;
    /// Requests a new access id of an account, which invalidates the previous one.
    NewAccessId = clientpay::Operation::NewAccessId, Person;
    /// Requests a new access id of a customer across all its accounts.
    NewCustomerAccessId = clientpay::Operation::NewCustomerAccessId, Person;
    /// Expires an access id.
    ExpireAccessId = clientpay::Operation::ExpireAccessId, Person;
}

impl Write {
    /// Whether the write moves money, or decides how much is moved.
    pub const fn moves_money(self) -> bool {
        matches!(self, Self::Pay | Self::RefundPayment)
            || matches!(self.absence(), Absence::Person) && !self.is_clientpay()
    }

    /// The time after the decision within which the write is sent, unless the caller says otherwise: an hour if it moves
    /// money, else a day, or seven if it may have to wait for its card.
    pub const fn sent_within(self, needs_card: bool) -> Duration {
        match (self.moves_money(), needs_card) {
            (true, _) => Duration::from_secs(3_600),
            (false, false) => Duration::from_secs(24 * 3_600),
            (false, true) => Duration::from_secs(7 * 24 * 3_600),
        }
    }

    /// Whether a look precedes the first attempt, too: the database may have been put back without a trace. A look for a
    /// token reads all tokens of a day, and a spare token is harmless; a look for a change tells only that the object is as
    /// requested.
    pub const fn is_looked_for_first(self) -> bool {
        matches!(
            self,
            Self::CreateCustomer
                | Self::CreatePlan
                | Self::Sale
                | Self::Auth
                | Self::Void
                | Self::Refund
                | Self::Pay
        )
    }

    /// Whether a look confirms a refusal of the first attempt: it may be the refusal of a request that was repeated.
    /// `ClientPay` refuses a repeated request by its request id, and that counts as no refusal.
    pub const fn is_refusal_confirmed(self) -> bool {
        !self.is_clientpay() && self.is_looked_for_first() || matches!(self, Self::Capture)
    }

    /// Whether the created object counts only after a look that lists all objects with its mark.
    pub const fn is_two_phase(self) -> bool {
        matches!(self, Self::CreatePlan)
    }

    /// Whether the write sets values of an object: a look that finds them does not tell which write has set them.
    pub const fn sets_a_value(self) -> bool {
        matches!(
            self,
            Self::UpdateCustomer
                | Self::AttachToken
                | Self::UpdateCustomerToken
                | Self::UpdateToken
                | Self::UpdatePlan
                | Self::UpdateTransaction
        )
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
                | Self::NewAccessId
                | Self::NewCustomerAccessId
                | Self::ExpireAccessId
        )
    }

    /// Whether it is sent under a single-use request id, which is stored before it is sent.
    pub const fn has_request_id(self) -> bool {
        self.is_clientpay()
            && !matches!(
                self,
                Self::ExpirePage | Self::NewAccessId | Self::NewCustomerAccessId | Self::ExpireAccessId
            )
    }

    /// The secret that a request of this kind may have, and that is not stored.
    pub const fn secret(self) -> &'static str {
        match self {
            Self::ExpireAccessId => "access id",
            Self::NewCustomerAccessId => "customer's credentials",
            _ => "card",
        }
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
