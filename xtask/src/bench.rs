//! What a call costs, as ratios measured side by side in one run.

use crate::failure::Failure;
use crate::step::Step;

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    Step::new("cargo bench --package perennial --all-features --bench ratios").arguments(arguments).run()
}
