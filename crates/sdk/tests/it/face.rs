//! The public types of the crate: listed by name, and limited in number.

use std::collections::BTreeSet;

/// The files that list the public types: the root, both vendors and the keys. Types that only a feature adds
/// (`blocking`, `webhook`, `key-file`, `keychain`) and the crate that `transport` names are not included or not
/// counted.
const FILES: [(&str, &str); 4] = [
    ("root", include_str!("../../src/lib.rs")),
    ("clearent", include_str!("../../src/clearent/mod.rs")),
    ("clientpay", include_str!("../../src/clientpay/mod.rs")),
    ("keys", include_str!("../../src/keys/mod.rs")),
];

const MOST: usize = 170;

/// The types that a file makes public: each name of a `pub use`, after its `as`, and each type that is declared `pub`.
/// Names of functions, modules and constants do not begin with a capital and a small letter. Types that the root
/// re-exports from a public module are counted only there.
fn public_types<'s>(module: &str, source: &'s str) -> BTreeSet<&'s str> {
    let mut types = BTreeSet::new();
    for item in source.split_inclusive(';') {
        let Some((before, list)) = item.split_once("pub use ") else { continue };
        let twice = module == "root" && (list.starts_with("clearent::") || list.starts_with("clientpay::"));
        if !twice && !before.trim_end().ends_with("\")]") {
            types
                .extend(list.split(['{', '}', ',', ';']).map(|name| name.rsplit([':', ' ']).next().unwrap()));
        }
    }
    for line in source.lines() {
        let declared = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
        let name = declared.iter().find_map(|kind| line.strip_prefix(kind));
        types.extend(name.and_then(|name| name.split(|c: char| !c.is_alphanumeric()).next()));
    }
    let is_type = |name: &&str| {
        let mut letters = name.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
    };
    types.into_iter().map(str::trim).filter(is_type).collect()
}

#[test]
fn the_public_types_are_few() {
    let all: Vec<(&str, BTreeSet<&str>)> =
        FILES.iter().map(|(module, source)| (*module, public_types(module, source))).collect();
    let count: usize = all.iter().map(|(_, types)| types.len()).sum();
    assert!(count <= MOST, "{count} public types: {all:#?}");
    // A count that is too low would always pass.
    for (module, name) in [
        ("root", "Builder"),
        ("root", "PageInfo"),
        ("root", "Error"),
        ("clearent", "ClearentBuilder"),
        ("clearent", "ExpectedCharges"),
        ("clearent", "Found"),
        ("clientpay", "Verdict"),
        ("keys", "Profile"),
    ] {
        assert!(all.iter().any(|(of, types)| *of == module && types.contains(name)), "{module}::{name}");
    }
    assert!(count > 160, "{count} public types: lower the limit to it");
}

#[test]
fn no_list_is_open() {
    for (module, source) in FILES {
        let globs: Vec<&str> =
            source.lines().filter(|line| line.contains("pub use") && line.contains('*')).collect();
        assert!(globs.is_empty(), "{module}: {globs:?}");
        let borrowed = public_types(module, source).into_iter().find(|name| name.ends_with("Fields"));
        assert_eq!(borrowed, None, "{module}");
    }
}

#[test]
fn a_name_is_counted_as_it_is_listed() {
    let source = "pub use a::{Plan, Expected as Sum, check_plan, MARK};\npub use b::Page as PageInfo;\n\
                  pub use clearent::{Clearent, ClearentBuilder};\n#[cfg(feature = \"x\")]\npub use f::File;\n\
                  pub struct Profile(String);\nstruct Inner;\n";
    let types = |module| public_types(module, source).into_iter().collect::<Vec<_>>();
    assert_eq!(types("root"), ["PageInfo", "Plan", "Profile", "Sum"]);
    assert_eq!(types("keys"), ["Clearent", "ClearentBuilder", "PageInfo", "Plan", "Profile", "Sum"]);
}

/// The operations of resources, each of which must have an example that asserts. Access ids are explained where they
/// are shared.
macro_rules! operations {
    ($($file:literal),* $(,)?) => { [$( ($file, include_str!(concat!("../../src/", $file))) ),*] };
}

#[test]
fn every_operation_has_an_example_that_asserts() {
    let files = operations![
        "clearent/batches.rs",
        "clearent/customer_tokens.rs",
        "clearent/customers.rs",
        "clearent/invoices.rs",
        "clearent/look_up.rs",
        "clearent/payments.rs",
        "clearent/plans.rs",
        "clearent/test_sale.rs",
        "clearent/tokens.rs",
        "clearent/transactions.rs",
        "clientpay/pages.rs",
        "clientpay/payers.rs",
        "clientpay/payments.rs",
    ];
    let mut operations = 0;
    for (file, source) in files {
        let mut documentation = String::new();
        for line in source.lines().map(str::trim) {
            if line.starts_with("///") || line.starts_with("#[") {
                documentation.push_str(line);
            } else {
                let is_operation = line.starts_with("pub async fn ") || line.contains("-> List<");
                if is_operation && line.starts_with("pub ") {
                    operations += 1;
                    assert!(documentation.contains("assert"), "{file}: {line}");
                }
                documentation.clear();
            }
        }
    }
    assert_eq!(operations, 59, "operations that were read");
}
