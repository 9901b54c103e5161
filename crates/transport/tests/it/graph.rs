//! Dependencies of the features, and their limits.

use std::collections::BTreeSet;
use std::process::Command;

fn crates_with(package: &str, features: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", package, "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}"])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let names = String::from_utf8(tree.stdout).unwrap();
    names.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn features_bring_in_no_more_than_they_say() {
    let always_absent =
        ["aws-lc-rs", "aws-lc-sys", "openssl", "native-tls", "flate2", "brotli", "zstd", "cookie"];
    let client = ["reqwest", "hyper", "rustls", "ring"];
    for (features, present, absent) in [
        (
            &["--no-default-features"][..],
            &["http", "tokio"][..],
            &[&client[..], &["h2", "serde_json"]].concat()[..],
        ),
        (&[], &client, &["h2", "serde_json"]),
        (
            &["--no-default-features", "--features", "hyper"],
            &["hyper", "hyper-util", "rustls", "ring"],
            &["reqwest", "url", "idna", "icu_normalizer", "h2", "serde", "serde_json", "tower"],
        ),
        (&["--features", "http2"], &["reqwest", "h2"], &["serde_json"]),
        (&["--no-default-features", "--features", "testing"], &["serde_json"], &client),
    ] {
        let crates = crates_with("perennial-transport", features);
        for name in present {
            assert!(crates.iter().any(|found| found == name), "{features:?} lacks {name}");
        }
        for name in absent.iter().chain(&always_absent) {
            assert!(crates.iter().all(|found| found != name), "{features:?} brings in {name}");
        }
    }
}

/// The facade is here too, because its crates are ours and those of this package.
///
/// Holds: No feature set has more crates than these.
#[test]
fn each_set_of_features_has_at_most_so_many_crates() {
    for (package, features, most) in [
        ("perennial-transport", &[][..], 95),
        ("perennial-transport", &["--no-default-features", "--features", "hyper"], 57),
        ("perennial-transport", &["--no-default-features"], 27),
        ("perennial", &[], 103),
        ("perennial", &["--no-default-features", "--features", "hyper"], 65),
        ("perennial", &["--no-default-features"], 37),
    ] {
        let crates = crates_with(package, features);
        assert!(crates.len() <= most, "{package} {features:?}: {} crates: {crates:?}", crates.len());
    }
}
