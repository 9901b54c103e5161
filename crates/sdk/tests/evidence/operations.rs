//! Every operation of the facade has a case.

use std::collections::BTreeSet;

use perennial::clientpay::Operation;
use perennial_oracle::{CASES, Vendor};
use perennial_wire::clearent;

/// The operations of this vendor's cases.
fn judged(vendor: Vendor) -> BTreeSet<&'static str> {
    CASES.iter().filter(|case| case.vendor == vendor).map(|case| case.operation).collect()
}

/// The facade does not read settings, and one-time tokens are created in browsers.
const NOT_IN_THE_FACADE: [&str; 7] = [
    "one-time-tokens.create",
    "avs-settings.get",
    "avs-settings.update",
    "csc-settings.get",
    "csc-settings.update",
    "duplicate-settings.get",
    "duplicate-settings.update",
];

/// Holds: Every operation of Clearent has a case in the oracle.
#[test]
fn every_operation_of_clearent_has_a_case() {
    let judged = judged(Vendor::Clearent);
    for operation in clearent::Operation::ALL {
        let is_judged = judged.contains(operation.name());
        assert!(is_judged != NOT_IN_THE_FACADE.contains(&operation.name()), "{operation:?}: {is_judged}");
    }
}

/// Holds: Every operation of ClientPay has a case in the oracle.
#[test]
fn every_operation_of_clientpay_has_a_case() {
    let judged = judged(Vendor::ClientPay);
    for &operation in Operation::ALL {
        // Payments and pages have one case for each kind, with separate names.
        let case = match operation {
            Operation::InvoicePage => "pages.invoices",
            Operation::LineItemPage => "pages.line-items",
            Operation::ConnectPage => "pages.connect",
            Operation::PayerPage => "pages.payer",
            Operation::Pay => "payments.pay",
            operation => operation.name().trim_start_matches("clientpay-"),
        };
        assert!(judged.contains(case), "no case has {operation:?}");
    }
    assert!(judged.contains("payments.confirm"), "what is found of a request");
}
