//! Tests of the guide, `docs/guide`: its Rust code runs here, and its JSON and XML are the messages of that run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

mod chapter;
mod wire;

mod clientpay;
mod concepts;
mod connecting;
mod customers;
mod errors;
mod going_live;
mod invoices;
mod money_safety;
mod payments;
mod plans;
mod steps;
mod testing;
mod tokens;
mod transactions;

use chapter::Chapter;

/// The chapters, each with the code that it shows and, if it shows messages, the code that sends them.
macro_rules! chapters {
    ($( $page:literal shows $code:literal $( as $runs:path )? ; )*) => {
        const WITH_CODE: &[&str] = &[$( $page ),*];
        const WITH_MESSAGES: &[&str] = &[$($( (stringify!($runs), $page).1, )?)*];

        #[test]
        fn all_code_is_that_of_these_files() {
            $( Chapter::read($page).shows_only(include_str!($code)); )*
        }

        #[tokio::test]
        async fn all_messages_are_those_of_the_wire() {
            $($( Chapter::read($page).tells_only(&wire::listen(async |wire| $runs(wire).await).await); )?)*
        }
    };
}

chapters! {
    "getting-started.md" shows "../../examples/first_plan.rs";
    "concepts.md" shows "concepts.rs";
    "customers.md" shows "customers.rs" as customers::run;
    "tokens.md" shows "tokens.rs" as tokens::run;
    "plans.md" shows "plans.rs" as plans::run;
    "payments.md" shows "payments.rs" as payments::run;
    "transactions.md" shows "transactions.rs" as transactions::run;
    "invoices.md" shows "invoices.rs" as invoices::run;
    "clientpay.md" shows "clientpay.rs" as clientpay::run;
    "money-safety.md" shows "money_safety.rs" as money_safety::run;
    "errors.md" shows "errors.rs" as errors::run;
    "testing.md" shows "testing.rs";
    "connecting.md" shows "connecting.rs" as connecting::run;
    "going-live.md" shows "going_live.rs";
}

const WITH_MANIFEST: &str = "getting-started.md";

#[test]
fn the_manifest_names_these_crates_in_this_version() {
    let chapter = Chapter::read(WITH_MANIFEST);
    let version = concat!("\"", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"), "\"");
    let blocks = chapter.blocks();
    let manifests = blocks.iter().filter(|(language, _)| *language == "toml");
    let ours: Vec<&str> =
        manifests.flat_map(|(_, block)| block.lines().filter(|line| line.starts_with("perennial"))).collect();
    assert_eq!(ours, [format!("perennial = {version}"), format!("perennial-sandbox = {version}")]);
}

#[test]
fn no_block_is_in_a_language_that_nothing_checks() {
    for chapter in chapter::all() {
        let name = chapter.name.as_str();
        for (language, block) in chapter.blocks() {
            let checked = match language {
                "rust" => WITH_CODE.contains(&name),
                "json" | "xml" => WITH_MESSAGES.contains(&name),
                "toml" => name == WITH_MANIFEST,
                // Shell input and output are tested with the command.
                language => ["sh", "text"].contains(&language),
            };
            assert!(checked, "{name}: nothing checks\n```{language}\n{block}");
        }
    }
}
