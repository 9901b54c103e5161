//! The effect of an operation of either gateway.

/// The effect of an operation, which decides whether it may be sent again.
///
/// ```
/// use perennial_wire::{Class, clearent, clientpay};
///
/// assert_eq!(clearent::Operation::CreatePlan.class(), Class::Write);
/// assert_eq!(clientpay::Operation::Pay.class(), Class::Idempotent);
/// assert!(Class::Issue.is_harmless() && !Class::Issue.is_read());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A read: sending it again changes nothing.
    Read,
    /// An operation that issues something new; unused results do no harm, so sending it again does none.
    Issue,
    /// A create, an update or a charge: sending it again repeats the effect.
    Write,
    /// A write under a single-use request id, which the gateway accepts once.
    Idempotent,
    /// A removal: sending it again finds the object gone.
    Delete,
}

impl Class {
    /// Whether the operation changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read)
    }

    /// Whether sending the operation again does no harm, so that its outcome is never uncertain.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Read | Self::Issue)
    }
}

/// A row of the table of operations of either gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationInfo {
    /// The name, such as `plans.search`.
    pub name: &'static str,
    /// The effect of the operation.
    pub class: Class,
    /// Whether the operation charges a card or an account, so that the issuer can decline it.
    pub charges: bool,
    /// Whether the operation needs an access id of ClientPay.
    pub needs_access_id: bool,
}
