//! Forbidden dependencies of a crate, direct or transitive: the promise that a layer stays small.

use super::Finding;
use crate::failure::Failure;
use crate::step::Step;

/// A selection of a crate's features, and the crates that its tree must not hold.
pub(super) struct Promise {
    selection: &'static str,
    absent: &'static [&'static str],
}

const PROMISES: &[Promise] = &[
    // Serde is a feature of it that is off by default; no feature of it reads a format or makes a call.
    Promise { selection: "-p perennial-domain", absent: &["serde", "serde_core", "serde_derive"] },
    Promise {
        selection: "-p perennial-domain --all-features",
        absent: &["serde_json", "tokio", "http", "reqwest", "quick-xml"],
    },
    Promise { selection: "-p perennial-wire --all-features", absent: &["tokio", "http", "hyper", "reqwest"] },
    Promise {
        selection: "-p perennial-transport --no-default-features",
        absent: &["hyper", "reqwest", "rustls", "serde"],
    },
    // No second TLS stack, no decompressor that a gateway could bomb, no cookies; no HTTP/2 and no curve unless asked for.
    Promise {
        selection: "-p perennial",
        absent: &[
            "aws-lc-rs",
            "bp384",
            "brotli",
            "cookie_store",
            "flate2",
            "h2",
            "native-tls",
            "openssl",
            "zstd",
        ],
    },
];

/// The names of all crates that `selection` builds into a library.
pub(super) fn read(selection: &str) -> Result<Vec<String>, Failure> {
    let line = format!("cargo tree --quiet --edges normal --prefix none {selection}");
    let text = Step::new(&line).read()?;
    Ok(text.lines().filter_map(|line| line.split(' ').next()).map(String::from).collect())
}

pub(super) fn check(read: impl Fn(&str) -> Result<Vec<String>, Failure>) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for Promise { selection, absent } in PROMISES {
        let tree = read(selection)?;
        let broken = absent.iter().filter(|name| tree.iter().any(|member| member == *name));
        findings.extend(broken.map(|name| {
            Finding::new(format!("cargo tree {selection}"), format!("holds {name}; `-i {name}` shows why"))
        }));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: Tidy refuses a dependency tree with a forbidden crate: serde, tokio or HTTP below `domain`,
    /// tokio or HTTP below `wire`, a decompressor, a cookie store or a second TLS stack below the facade.
    #[test]
    fn a_crate_that_must_be_absent_is_found_where_it_is() {
        let cases: &[(&str, &[&str])] = &[
            ("serde", &["-p perennial-domain", "-p perennial-transport --no-default-features"]),
            ("serde_json", &["-p perennial-domain --all-features"]),
            ("hyper", &["-p perennial-wire --all-features", "-p perennial-transport --no-default-features"]),
            ("flate2", &["-p perennial"]),
            ("serde_spanned", &[]),
        ];
        for (planted, expected) in cases {
            let found = check(|_| Ok(vec!["chrono".into(), (*planted).into()])).unwrap();
            let places: Vec<_> = found.iter().map(|finding| finding.place.as_str()).collect();
            let expected: Vec<_> =
                expected.iter().map(|selection| format!("cargo tree {selection}")).collect();
            assert_eq!(places, expected, "{planted}");
        }
    }

    #[test]
    fn a_real_tree_is_read_by_name() {
        let tree = read("-p xtask").unwrap();
        assert!(tree.iter().any(|name| name == "serde_json"), "{tree:?}");
    }
}
