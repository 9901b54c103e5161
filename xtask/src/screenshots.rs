//! The pictures of the console in `docs/console`, made by the browser tests on their way.

use std::fs;

use crate::failure::{Failure, no_arguments};
use crate::root;
use crate::step::Step;

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    let folder = root().join("docs/console");
    let made = fs::create_dir_all(&folder).and_then(|()| folder.canonicalize());
    let folder = made.map_err(|source| Failure::NotStarted { programme: "docs/console".into(), source })?;
    Step::new("cargo test -p perennial-sandbox --test console")
        .variable("PERENNIAL_SCREENSHOTS", folder.display().to_string())
        .run()
}
