//! Secrets: neither the tree nor a package contains a card number, a key, or a local path.

use super::alone;
use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::{self, Files, Finding};

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let tree = Files::read(&workspace.root)?;
    let mut findings = tidy::secrets(&tree);
    for package in &workspace.packages {
        let (files, folder) = (alone::files(workspace, package)?, package.folder());
        // A package can hold what git does not.
        let own = folder.strip_prefix(&workspace.root).unwrap_or(&folder);
        let unseen = files.lines().filter(|path| !tree.has(&own.join(path).to_string_lossy()));
        let of_package = tidy::secrets(&Files::at(&folder, unseen));
        findings.extend(of_package.into_iter().map(|finding| finding.within(&package.name)));
    }
    Ok(findings)
}
