//! Every operation of the facade has a case.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use perennial::clientpay::Route;
use perennial_oracle::{CASES, Vendor};

/// The operations that cases of this vendor are of.
fn judged(vendor: Vendor) -> BTreeSet<&'static str> {
    CASES.iter().filter(|case| case.vendor == vendor).map(|case| case.operation).collect()
}

/// The operations that the modules of the client name where they make a call.
fn named() -> BTreeSet<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/clearent");
    let mut named = BTreeSet::new();
    for file in fs::read_dir(sources).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let is_word =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        for quoted in code.flat_map(|line| line.split('"').skip(1).step_by(2)) {
            if quoted.contains('.') && quoted.split('.').all(is_word) {
                named.insert(quoted.to_owned());
            }
        }
    }
    named
}

#[test]
fn every_operation_of_clearent_has_a_case() {
    // Invoices are charges: `invoices.rs` pays and looks at them after every mutation of a charge.
    let of_invoices = ["invoices.pay", "invoices.status"].map(str::to_owned);
    let named = named();
    assert!(of_invoices.iter().all(|operation| named.contains(operation)) && named.len() > 30, "{named:?}");
    let judged = judged(Vendor::Clearent);
    let missing: Vec<_> = named
        .iter()
        .filter(|operation| !of_invoices.contains(operation) && !judged.contains(operation.as_str()))
        .collect();
    assert!(missing.is_empty(), "no case has {missing:?}");
}

#[test]
fn every_operation_of_clientpay_has_a_case() {
    let judged = judged(Vendor::ClientPay);
    for &route in Route::ALL {
        let operation = match route {
            Route::NewAccessId => "access.new",
            Route::CurrentAccessId => "access.current",
            Route::ValidateAccessId => "access.validate",
            Route::ExpireAccessId => "access.expire",
            Route::NewCustomerAccessId => "access.new-customer",
            Route::ValidateCredentials => "access.validate-credentials",
            Route::NewRequestId => "request-id.new",
            Route::InvoicePage => "pages.invoices",
            Route::LineItemPage => "pages.line-items",
            Route::ConnectPage => "pages.connect",
            Route::PayerPage => "pages.payer",
            Route::ExpirePage => "pages.expire",
            Route::ConnectSearch => "connect.search",
            Route::Pay => "payments.pay",
            Route::Refund => "payments.refund",
            Route::CountPayments => "payments.count",
            Route::SearchPayments => "payments.search",
            Route::PaymentStatus => "payments.status",
            Route::NewPayer => "payers.create",
            Route::UpdatePayer => "payers.update",
            Route::DeletePayer => "payers.delete",
            Route::NewMethods => "payers.add-methods",
            Route::UpdateMethods => "payers.update-methods",
            other => panic!("{other:?} has no case"),
        };
        assert!(judged.contains(operation), "no case has {operation}");
    }
    assert!(judged.contains("payments.confirm"), "what is found of a request");
}
