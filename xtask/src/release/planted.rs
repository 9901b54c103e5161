//! Tests of the gates: green for a valid workspace, red for one with a planted fault.

use std::path::Path;

use super::GATES;
use super::fixture::Fixture;
use super::gate::{Gate, Verdict};
use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::Finding;

/// A fault: its name, the gate that must find it, and the edits that plant it: a file, the old text, the new text.
struct Fault {
    what: &'static str,
    gate: &'static str,
    edits: &'static [(&'static str, &'static str, &'static str)],
}

const FAULTS: &[Fault] = &[
    Fault {
        what: "a version without a paragraph for people",
        gate: "changelog",
        edits: &[("CHANGELOG.md", "A seed that people", "* A seed that people")],
    },
    Fault {
        what: "a path without a version",
        gate: "versions",
        edits: &[("tree/Cargo.toml", "version = \"0.1.1\", path", "path")],
    },
    Fault {
        what: "a version that is out already",
        gate: "versions",
        edits: &[("Cargo.toml", "\"0.1.1\"", "\"0.1.0\""), ("tree/Cargo.toml", "\"0.1.1\"", "\"0.1.0\"")],
    },
    Fault {
        what: "a package with a file too many",
        gate: "alone",
        edits: &[("seed/notes.txt", "", "Milk.\n")],
    },
    Fault {
        what: "a library without an example",
        gate: "alone",
        edits: &[("tree/Cargo.toml", "license =", "exclude = [\"examples\"]\nlicense =")],
    },
    Fault {
        what: "a README whose link leaves the package",
        gate: "alone",
        edits: &[("seed/README.md", "# Seed\n", "# Seed\n\n[More](../README.md)\n")],
    },
    Fault {
        what: "a key in a fixture",
        gate: "secrets",
        edits: &[("tests/key.txt", "", concat!("0f3a9c41d7b2486e", "95aa1c3fe80b7d26"))],
    },
    Fault {
        what: "a key in a package that git does not hold",
        gate: "secrets",
        edits: &[
            ("seed/Cargo.toml", "license =", "include = [\"*\"]\nlicense ="),
            ("seed/.gitignore", "", "key.txt"),
            ("seed/key.txt", "", concat!("0f3a9c41d7b2486e", "95aa1c3fe80b7d26")),
        ],
    },
    Fault {
        what: "a crate without a license",
        gate: "sbom",
        edits: &[("seed/Cargo.toml", "license = \"MIT\"\n", "")],
    },
    Fault {
        what: "a dependency with a license that is not allowed",
        gate: "licenses",
        edits: &[("seed/Cargo.toml", "\"MIT\"", "\"GPL-3.0-only\"")],
    },
    Fault {
        what: "a dependency that is banned",
        gate: "licenses",
        edits: &[
            ("Cargo.toml", "\"tree\"", "\"tree\", \"openssl\""),
            (
                "openssl/Cargo.toml",
                "",
                "[package]\nname = \"openssl\"\nversion = \"0.1.1\"\nlicense = \"MIT\"\n",
            ),
            ("openssl/src/lib.rs", "", ""),
        ],
    },
    Fault {
        what: "documentation with a link to nothing",
        gate: "docs",
        edits: &[("seed/src/lib.rs", "/// Sums.", "/// [`Sums`].")],
    },
    Fault {
        what: "a parameter of another type in a patch",
        gate: "api",
        edits: &[(
            "seed/src/lib.rs",
            "right: u8) -> u8 {\n    left ^ right",
            "right: u16) -> u8 {\n    left ^ right as u8",
        )],
    },
    Fault {
        what: "a function that is gone in a patch",
        gate: "semver",
        edits: &[("seed/src/lib.rs", "pub fn sum", "pub fn add"), ("seed/examples/sow.rs", "sum", "add")],
    },
    Fault {
        what: "what no Rust as old as promised has",
        gate: "msrv",
        edits: &[(
            "seed/src/lib.rs",
            "left ^ right",
            "[left, right].into_iter().array_chunks::<2>().count() as u8",
        )],
    },
    Fault {
        what: "code that needs a feature it does not ask for",
        gate: "features",
        edits: &[
            ("seed/src/lib.rs", "/// Sums.", "#[cfg(feature = \"wide\")]\n/// Sums."),
            ("tree/src/lib.rs", "//! A tree.\n", "//! A tree.\n\npub use perennial_seed::sum;\n"),
        ],
    },
    Fault {
        what: "a file that the package leaves behind",
        gate: "packages",
        edits: &[(
            "seed/src/lib.rs",
            "//! A seed.\n",
            "//! A seed.\n#![doc = include_str!(\"../../README.md\")]\n",
        )],
    },
];

/// Runs all gates: some install the programs that they run, and take minutes the first time.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let gates: Vec<&Gate> = GATES.iter().filter(|gate| gate.name != "planted").collect();
    findings(&gates, &workspace.tools)
}

fn findings(gates: &[&Gate], tools: &Path) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let fixture = Fixture::new()?;
    let sound = fixture.workspace(tools.into())?;
    for gate in gates {
        if matches!(gate.ask(&sound), Verdict::Red { .. }) {
            findings.push(Finding::new(gate.name, "is red about a sound workspace"));
        }
    }
    for Fault { what, gate, edits } in FAULTS {
        let Some(gate) = gates.iter().find(|known| known.name == *gate) else { continue };
        eprintln!("==> planted: {what}");
        let fixture = Fixture::new()?;
        for (path, from, to) in *edits {
            fixture.edit(path, from, to)?;
        }
        fixture.commit()?;
        if !matches!(gate.ask(&fixture.workspace(tools.into())?), Verdict::Red { .. }) {
            findings.push(Finding::new(gate.name, format!("is not red about {what}")));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gates that install nothing.
    const QUICK: &[&str] = &["changelog", "versions", "alone", "secrets", "sbom", "docs", "features", "same"];

    /// Holds: Each release gate passes a sound workspace and fails on its planted fault.
    #[test]
    fn a_sound_workspace_is_green_and_a_planted_fault_is_red() {
        let gates: Vec<&Gate> = GATES.iter().filter(|gate| QUICK.contains(&gate.name)).collect();
        assert_eq!(gates.len(), QUICK.len());
        let tools = Path::new("nowhere");
        let findings: Vec<String> =
            findings(&gates, tools).unwrap().iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }

    /// Excludes archives, which cargo makes, and advisories, which change daily: neither fault can be planted.
    ///
    /// Holds: Each release gate has a planted fault.
    #[test]
    fn every_other_gate_has_a_fault() {
        let unplanted = GATES.iter().filter(|gate| !FAULTS.iter().any(|fault| fault.gate == gate.name));
        let names: Vec<&str> = unplanted.map(|gate| gate.name).collect();
        assert_eq!(names, ["advisories", "same", "planted"]);
    }
}
