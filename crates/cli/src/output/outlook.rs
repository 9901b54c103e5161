//! The expected amounts of a month, in pictures and lists.

use perennial::Month;
use perennial::clearent::ExpectedCharges;

/// The expected amounts of a month.
pub(crate) struct Outlook {
    pub(crate) month: Month,
    pub(crate) active: ExpectedCharges,
    /// The amounts of suspended plans, on request.
    pub(crate) suspended: Option<ExpectedCharges>,
}
