//! Neither the tree nor a package holds a card number, a key, or a path of somebody's machine.

use super::alone;
use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::{self, Files, Finding};

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = tidy::secrets(&Files::read(&workspace.root)?);
    for package in &workspace.packages {
        let files = alone::files(workspace, package)?;
        let of_package = tidy::secrets(&Files::at(&package.folder(), files.lines()));
        findings.extend(of_package.into_iter().map(|finding| finding.within(&package.name)));
    }
    Ok(findings)
}
