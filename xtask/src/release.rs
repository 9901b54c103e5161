//! What leaves the house: the versions and their order, the gates that all must pass, and the upload itself.

use std::time::Instant;

use crate::failure::Failure;
use crate::tidy::Finding;

mod alone;
mod api;
mod archives;
mod builds;
mod changelog;
mod licences;
mod sbom;
mod secrets;
mod workspace;

use workspace::Workspace;

const KNOWN: &str = "plan, check [GATE…], publish [--dry-run]";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = Workspace::read(crate::root())?;
    match words.as_slice() {
        ["plan"] => {
            print!("{}", workspace.plan());
            Ok(())
        }
        ["check", names @ ..] => check(&workspace, names),
        ["publish", "--dry-run"] => publish(&workspace, &["--dry-run".into()]),
        ["publish"] => {
            changelog::dated(&workspace)?;
            publish(&workspace, &[])?;
            api::write(&workspace)
        }
        _ => Err(Failure::Unknown { given: words.join(" "), known: KNOWN }),
    }
}

/// One question to a release: what is red about it.
struct Gate {
    name: &'static str,
    about: &'static str,
    check: fn(&Workspace) -> Result<Vec<Finding>, Failure>,
}

/// The quick ones first.
const GATES: &[Gate] = &[
    Gate {
        name: "changelog",
        about: "a paragraph for people about this version",
        check: |workspace| Ok(changelog::check(workspace)),
    },
    Gate {
        name: "alone",
        about: "each package says what it is, and holds nothing else",
        check: alone::check,
    },
    Gate {
        name: "secrets",
        about: "no card, key or machine in the tree or a package",
        check: secrets::check,
    },
    Gate { name: "licences", about: "licences, bans and sources, by cargo-deny", check: licences::check },
    Gate { name: "sbom", about: "a list of all that is built in", check: sbom::check },
    Gate { name: "docs", about: "documentation without a warning", check: builds::docs },
    Gate { name: "api", about: "nothing that is published breaks within its version", check: api::check },
    Gate { name: "msrv", about: "the oldest Rust that is promised builds it", check: builds::oldest },
    Gate { name: "features", about: "every set of features builds", check: builds::features },
    Gate { name: "same", about: "two runs in two folders make the same archives", check: archives::same },
    Gate { name: "packages", about: "each archive builds by itself, in order", check: archives::build },
];

/// All gates run, so that one run shows all that is red. A programme that fails makes its gate red.
fn check(workspace: &Workspace, names: &[&str]) -> Result<(), Failure> {
    if let Some(given) = names.iter().find(|name| !GATES.iter().any(|gate| gate.name == **name)) {
        let known = "changelog, alone, secrets, licences, sbom, docs, api, msrv, features, same, packages";
        return Err(Failure::Unknown { given: (*given).into(), known });
    }
    let mut red = 0;
    for gate in GATES.iter().filter(|gate| names.is_empty() || names.contains(&gate.name)) {
        let start = Instant::now();
        let findings = (gate.check)(workspace)
            .unwrap_or_else(|failure| vec![Finding::new(gate.name, failure.to_string())]);
        for finding in &findings {
            eprintln!("{finding}");
        }
        let colour = if findings.is_empty() { "green" } else { "RED" };
        println!("{colour:<5} {:<9} {:>6.1?}  {}", gate.name, start.elapsed(), gate.about);
        red += findings.len();
    }
    if red == 0 { Ok(()) } else { Err(Failure::Untidy { findings: red }) }
}

/// Nothing is uploaded that was not checked just now.
fn publish(workspace: &Workspace, dry: &[String]) -> Result<(), Failure> {
    check(workspace, &[])?;
    // The archives were built by the gate.
    workspace.of_all("cargo publish --locked --no-verify").arguments(dry).run()
}

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod tests {
    use super::fixture::Fixture;
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let cases: &[(&[&str], &str)] = &[
            (&[], "does not know ``: plan, check [GATE…], publish [--dry-run]"),
            (
                &["publish", "--now"],
                "does not know `publish --now`: plan, check [GATE…], publish [--dry-run]",
            ),
            (
                &["check", "smell"],
                "does not know `smell`: changelog, alone, secrets, licences, sbom, docs, api, msrv, features, same, packages",
            ),
        ];
        for (arguments, expected) in cases {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            assert_eq!(run(&arguments).unwrap_err().to_string(), *expected);
        }
    }

    #[test]
    fn a_sound_workspace_is_green_and_a_planted_fault_is_red() {
        let key = ["0f3a9c41d7b2486e", "95aa1c3fe80b7d26"].concat();
        let canary = format!("/// Sums.\npub fn sum() {{ let _ = \"{key}\"; }}\n");
        let cases = [
            ("nothing", "README.md", "# Seed\n", 0),
            ("no paragraph", "CHANGELOG.md", "# Changelog\n\n## 0.1.0\n\n* One thing.\n", 1),
            // Once in the tree and once in the package.
            ("a key", "seed/src/lib.rs", &canary, 2),
        ];
        for (planted, path, text, expected) in cases {
            let fixture = Fixture::with(path, text);
            let red = match check(&fixture.workspace(), &["changelog", "alone", "secrets", "docs", "same"]) {
                Ok(()) => 0,
                Err(Failure::Untidy { findings }) => findings,
                Err(failure) => panic!("{planted}: {failure}"),
            };
            assert_eq!(red, expected, "{planted}");
        }
    }
}
