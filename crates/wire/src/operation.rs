//! Operations of both gateways by their names.

use crate::class::OperationInfo;
use crate::{clearent, clientpay};

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
    let clearent = clearent::Operation::ALL.iter().map(|row| (row.info(), row.aliases()));
    let clientpay = clientpay::Operation::ALL.iter().map(|row| (row.info(), row.aliases()));
    let mut rows = clearent.chain(clientpay);
    rows.find(|(row, aliases)| row.name == name || aliases.contains(&name)).map(|(row, _)| row)
}
