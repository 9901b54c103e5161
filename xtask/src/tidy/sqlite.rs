//! `SQLite` versions: an application that uses `SQLite` through another crate can also use the sandbox.
//!
//! Cargo allows one `libsqlite3-sys` in a build and refuses to resolve two. xtask names the other crates in a table
//! that is never built, so that Cargo itself refuses a version of rusqlite that they cannot share. This rule checks
//! that they are still named.

use super::{Files, Finding};

const LOCK: &str = "Cargo.lock";

/// Crates that depend on `SQLite`.
const USERS: &[&str] = &["diesel", "rusqlite", "sqlx-sqlite"];

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let packages: Vec<&str> = files.get(LOCK).unwrap_or_default().split("[[package]]\n").collect();
    let shares = |user: &&&str| {
        let name = format!("name = \"{user}\"\n");
        packages
            .iter()
            .any(|package| package.starts_with(&name) && package.contains("\n \"libsqlite3-sys\",\n"))
    };
    let alone = USERS.iter().filter(|user| !shares(user));
    alone
        .map(|user| Finding::new(LOCK, format!("{user} does not share libsqlite3-sys with the others")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_does_not_share_sqlite_is_found() {
        let package = |name: &str, needs: &str| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\ndependencies = [\n \"{needs}\",\n]\n\n"
            )
        };
        let lock = |without: &str, needs: &str| -> String {
            USERS
                .iter()
                .map(|user| package(user, if *user == without { needs } else { "libsqlite3-sys" }))
                .collect()
        };
        let cases = [
            (lock("", ""), vec![]),
            (lock("diesel", "time"), vec!["diesel"]),
            // Cargo writes the version where there are two.
            (lock("rusqlite", "libsqlite3-sys 0.39.1"), vec!["rusqlite"]),
            (lock("", "").replace("name = \"sqlx-sqlite\"", "name = \"sqlx-core\""), vec!["sqlx-sqlite"]),
            (String::new(), USERS.to_vec()),
        ];
        for (lock, expected) in cases {
            let found: Vec<_> = check(&Files::of([(LOCK, &lock)])).into_iter().map(|f| f.what).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|user| format!("{user} does not share libsqlite3-sys with the others"))
                .collect();
            assert_eq!(found, expected, "{lock}");
        }
    }
}
