//! Operations of both gateways by their names.

use crate::class::OperationInfo;
use crate::clearent;
#[cfg(feature = "clientpay")]
use crate::clientpay;

/// The operation of this name, or of an earlier name; `None` if there is none.
///
/// ```
/// use perennial_wire::{Class, operation};
///
/// assert_eq!(operation("plans.delete").unwrap().class, Class::Delete);
/// assert_eq!(operation("plans.list").unwrap().name, "plans.search");
/// assert!(operation("transactions.sale").unwrap().charges);
/// assert_eq!(operation("plans.find"), None);
/// ```
pub fn operation(name: &str) -> Option<OperationInfo> {
    let mut rows = clearent::Operation::ALL.iter().map(|row| (row.info(), row.aliases()));
    #[cfg(feature = "clientpay")]
    let mut rows =
        rows.by_ref().chain(clientpay::Operation::ALL.iter().map(|row| (row.info(), row.aliases())));
    rows.find(|(row, aliases)| row.name == name || aliases.contains(&name)).map(|(row, _)| row)
}
