//! Releases: the versions and their order, the gates that must all pass, and the upload.

use std::fmt::Write;

use crate::failure::Failure;

mod alone;
mod api;
mod archives;
mod builds;
mod changelog;
mod fixture;
mod gate;
mod licenses;
mod planted;
mod publish;
#[cfg(test)]
mod registry;
mod sbom;
mod secrets;
mod tool;
mod versions;
mod workspace;

use gate::Gate;
use workspace::Workspace;

const KNOWN: &str = "plan, check [GATE…], publish [--dry-run], --help";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = || Workspace::read(crate::root());
    match words.as_slice() {
        [.., "help" | "--help" | "-h"] => println!("{}", help()),
        ["plan"] => print!("{}", workspace()?.plan()?),
        ["check", names @ ..] => {
            gate::check(&workspace()?, &picked(names)?)?;
        }
        ["publish", "--dry-run"] => publish::rehearse(&workspace()?)?,
        ["publish"] => publish::publish(&workspace()?)?,
        _ => return Err(Failure::Unknown { given: words.join(" "), known: KNOWN.into() }),
    }
    Ok(())
}

/// All gates, the quick ones first.
const GATES: &[Gate] = &[
    Gate { name: "changelog", about: "a paragraph for people about this version", check: changelog::check },
    Gate { name: "versions", about: "one version, new, and asked for by its number", check: versions::check },
    Gate {
        name: "alone",
        about: "each package says and shows what it is, and holds nothing else",
        check: alone::check,
    },
    Gate {
        name: "secrets",
        about: "no card, key or machine in the tree or a package",
        check: secrets::check,
    },
    Gate { name: "sbom", about: "a list of all that is built in", check: sbom::check },
    Gate { name: "licenses", about: "licenses, bans, duplicates and sources", check: licenses::check },
    Gate { name: "advisories", about: "no known hole in what is built in", check: licenses::advisories },
    Gate {
        name: "docs",
        about: "documentation as docs.rs builds it, without a warning",
        check: builds::docs,
    },
    Gate { name: "api", about: "no line of a published API is gone within its version", check: api::lines },
    Gate { name: "semver", about: "nothing else in it breaks either", check: api::semver },
    Gate { name: "msrv", about: "the oldest Rust that is promised builds it", check: builds::oldest },
    Gate { name: "features", about: "each pair of features builds", check: builds::features },
    Gate { name: "same", about: "two runs in two folders make the same archives", check: archives::same },
    Gate {
        name: "packages",
        about: "each archive builds by itself, and so do its examples",
        check: archives::build,
    },
    Gate { name: "planted", about: "the gates are red where a fault is planted", check: planted::check },
];

fn help() -> String {
    let mut help = String::from(
        "Usage: cargo xtask release <TASK>\n\n  \
         plan                 the version, and the order in which its crates go out\n  \
         check [GATE…]        what a release must pass: all gates, or those that are named\n  \
         publish [--dry-run]  all gates, then the upload of what is not in the registry yet\n\n\
         Gates:\n",
    );
    for gate in GATES {
        // Writing to a text cannot fail.
        let _ = write!(help, "\n  {:<10}  {}", gate.name, gate.about);
    }
    help
}

/// All gates, or the gates of these names.
fn picked(names: &[&str]) -> Result<Vec<&'static Gate>, Failure> {
    if let Some(given) = names.iter().find(|name| !GATES.iter().any(|gate| gate.name == **name)) {
        let known: Vec<&str> = GATES.iter().map(|gate| gate.name).collect();
        return Err(Failure::Unknown { given: (*given).into(), known: known.join(", ") });
    }
    Ok(GATES.iter().filter(|gate| names.is_empty() || names.contains(&gate.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let cases: &[(&[&str], &str)] = &[
            (&[], "does not know ``: plan, check [GATE…], publish [--dry-run], --help"),
            (
                &["publish", "--now"],
                "does not know `publish --now`: plan, check [GATE…], publish [--dry-run], --help",
            ),
            (
                &["check", "smell"],
                "does not know `smell`: changelog, versions, alone, secrets, sbom, licenses, advisories, docs, api, \
                 semver, msrv, features, same, packages, planted",
            ),
        ];
        for (arguments, expected) in cases {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            assert_eq!(run(&arguments).unwrap_err().to_string(), *expected);
        }
    }

    #[test]
    fn the_page_has_a_row_for_every_gate() {
        let page = include_str!("../../docs/RELEASING.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let gates: Vec<&str> = GATES.iter().map(|gate| gate.name).collect();
        assert_eq!(rows.collect::<Vec<_>>(), gates);
    }
}
