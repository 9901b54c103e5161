//! What is expected of a month, as it is drawn and listed.

use perennial::Month;
use perennial::clearent::Expected;

/// What is expected of a month.
pub(crate) struct Outlook {
    pub(crate) month: Month,
    pub(crate) active: Expected,
    /// Of plans that are suspended, if they are asked for.
    pub(crate) suspended: Option<Expected>,
}
