//! Checks of a change besides its tests. The first failing step ends the run and prints the command that repeats it.

use crate::failure::{Failure, no_arguments};
use crate::step::Step;
use crate::test::{APPLICATION, application};
use crate::tidy;

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    Step::new("cargo fmt --all -- --check").run()?;
    let application_files = format!("cargo fmt --manifest-path {APPLICATION} -- --check");
    Step::new(&application_files).run()?;
    tidy::run(&[])?;
    Step::new("cargo clippy --workspace --all-targets --all-features -- -D warnings").run()?;
    let words = ["--all-targets", "--", "-D", "warnings"].map(String::from);
    application("clippy")?.arguments(&words).run()?;
    // Features only add: the facade also builds without reqwest, bare and with the others.
    Step::new("cargo check --package perennial --no-default-features").run()?;
    let others = "blocking,clientpay,hyper,testing,webhook";
    Step::new(&format!("cargo check --package perennial --no-default-features --features {others}")).run()?;
    Step::new("cargo doc --workspace --no-deps --all-features").variable("RUSTDOCFLAGS", "-D warnings").run()
}
