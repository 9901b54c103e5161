//! The company that a world's payment pages pay. The vendor stores the merchant's name with the account; here it is
//! derived from the world's seed.

use crate::seed::Seed;

/// Names of companies that do not exist.
const FIRMS: [&str; 8] = [
    "Marsh & Oak LLP",
    "Harbor Street Law",
    "Quill, Ames and Rowe PC",
    "North Ridge Legal",
    "Fenwick Lane Attorneys",
    "Calloway Tax Counsel",
    "Sycamore Family Law",
    "Bluewater Advisors LLC",
];

/// The name of the world's company.
pub(crate) fn name(seed: Seed) -> &'static str {
    let at = usize::from(seed.derive("firm", 0)[0]) % FIRMS.len();
    FIRMS[at]
}
