//! What an operation of either gateway does.

/// What an operation does, which decides whether it may be sent again.
///
/// ```
/// use perennial_wire::{Class, clearent, clientpay};
///
/// assert_eq!(clearent::Operation::CreatePlan.class(), Class::Write);
/// assert_eq!(clientpay::Operation::Pay.class(), Class::Keyed);
/// assert!(Class::Issue.is_harmless() && !Class::Issue.is_read());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A read: a second send changes nothing.
    Read,
    /// Hands out something new; one that is never used does no harm, so that a second send does none.
    Issue,
    /// A create, an update or a charge: a second send does it again.
    Write,
    /// A write under a single-use id, which the gateway takes once.
    Keyed,
    /// A removal: a second send finds the object gone.
    Delete,
}

impl Class {
    /// Whether the operation changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read)
    }

    /// Whether a second send does no harm, so that its outcome is never in question.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Read | Self::Issue)
    }
}

/// A row of the table of operations, whichever gateway's it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationInfo {
    /// The name, such as `plans.search`.
    pub name: &'static str,
    /// What the operation does.
    pub class: Class,
    /// Whether it asks an issuer for money, who can decline.
    pub charges: bool,
    /// Whether it is made under an access id of ClientPay.
    pub needs_access_id: bool,
}
