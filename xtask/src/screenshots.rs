//! The pictures in `docs/screenshots`: of the command, and of the sandbox's pages, which the browser tests take.

mod terminal;

use std::fs;

use crate::failure::{Failure, no_arguments};
use crate::root;
use crate::step::Step;

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    let folder = root().join("docs/screenshots");
    let created = fs::create_dir_all(&folder).and_then(|()| folder.canonicalize());
    let folder = created.map_err(Failure::of_file(&folder))?;
    terminal::draw(&folder)?;
    Step::new("cargo test -p perennial-sandbox --test browser")
        .variable("PERENNIAL_SCREENSHOTS", folder.display().to_string())
        .run()
}
