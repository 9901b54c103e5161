//! A workspace of two valid crates that were released once, in a temporary folder. Their names are in no registry,
//! where cargo would look for them.

use std::fs;
use std::path::PathBuf;

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::step::Step;

const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"seed\", \"tree\"]\n\n[workspace.package]\nversion = \"VERSION\"\n",
    ),
    ("CHANGELOG.md", "# Changelog\n\n## VERSION\n\nA seed that people can sow, and a tree to sit under.\n"),
    ("deny.toml", include_str!("../../../deny.toml")),
    (".gitignore", "target\n"),
    ("README.md", "# Seeds\n"),
    (
        "docs/api/perennial-seed.txt",
        "0.1.0\npub mod perennial_seed\npub fn perennial_seed::sum(u8, u8) -> u8\n",
    ),
    ("docs/api/perennial-tree.txt", "0.1.0\npub mod perennial_tree\n"),
    (
        "seed/Cargo.toml",
        "[package]\nname = \"perennial-seed\"\nversion.workspace = true\nedition = \"2024\"\nrust-version = \"1.95\"\n\
         description = \"A seed.\"\nlicense = \"MIT\"\nkeywords = [\"seed\"]\ncategories = [\"finance\"]\n\n\
         [features]\nwide = []\n\n[package.metadata.docs.rs]\nall-features = true\n",
    ),
    ("seed/README.md", "# Seed\n"),
    ("seed/LICENSE-MIT", "MIT\n"),
    ("seed/LICENSE-APACHE", "Apache\n"),
    (
        "seed/src/lib.rs",
        "//! A seed.\n\n/// Sums.\npub fn sum(left: u8, right: u8) -> u8 {\n    left ^ right\n}\n",
    ),
    ("seed/examples/sow.rs", "//! Sows.\n\nfn main() {\n    assert_eq!(perennial_seed::sum(1, 2), 3);\n}\n"),
    (
        "tree/Cargo.toml",
        "[package]\nname = \"perennial-tree\"\nversion.workspace = true\nedition = \"2024\"\nrust-version = \"1.95\"\n\
         description = \"A tree.\"\nlicense = \"MIT\"\nkeywords = [\"tree\"]\ncategories = [\"finance\"]\n\n\
         [package.metadata.docs.rs]\nall-features = true\n\n\
         [dependencies]\nperennial-seed = { version = \"VERSION\", path = \"../seed\" }\n",
    ),
    ("tree/README.md", "# Tree\n"),
    ("tree/LICENSE-MIT", "MIT\n"),
    ("tree/LICENSE-APACHE", "Apache\n"),
    ("tree/src/lib.rs", "//! A tree.\n"),
    ("tree/examples/sit.rs", "//! Sits.\n\nfn main() {}\n"),
];

pub(super) struct Fixture(tempfile::TempDir);

impl Fixture {
    /// Creates a workspace in which 0.1.0 is released and 0.1.1 is committed.
    pub(super) fn new() -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(Failure::of_file("a folder for a while".as_ref()))?;
        let fixture = Self(folder);
        fixture.git("init --quiet --initial-branch main")?;
        for version in ["0.1.0", "0.1.1"] {
            for (path, text) in FILES {
                fixture.write(path, &text.replace("VERSION", version))?;
            }
            fixture.commit()?;
        }
        fixture.git("tag v0.1.0 HEAD~1")?;
        Ok(fixture)
    }

    /// Replaces a text in the file; in a new file, the text to replace is empty.
    pub(super) fn edit(&self, path: &str, from: &str, to: &str) -> Result<(), Failure> {
        let text = if from.is_empty() {
            String::new()
        } else {
            let place = self.root().join(path);
            fs::read_to_string(&place).map_err(Failure::of_file(&place))?
        };
        self.write(path, &text.replacen(from, to, 1))
    }

    fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        let place = self.root().join(path);
        let folder = place.with_file_name("");
        fs::create_dir_all(&folder).map_err(Failure::of_file(&folder))?;
        fs::write(&place, text).map_err(Failure::of_file(&place))
    }

    pub(super) fn commit(&self) -> Result<(), Failure> {
        Step::new("cargo generate-lockfile --quiet --offline").within(self.root()).read()?;
        self.git("add .")?;
        self.git("-c user.name=Ada -c user.email=ada@example.com commit --quiet --message Seeds")
    }

    pub(super) fn git(&self, line: &str) -> Result<(), Failure> {
        Step::new(&format!("git {line}")).within(self.root()).read().map(drop)
    }

    pub(super) fn root(&self) -> PathBuf {
        self.0.path().into()
    }

    /// A workspace that builds in its own folder, with the programs in `tools`.
    pub(super) fn workspace(&self, tools: PathBuf) -> Result<Workspace, Failure> {
        let target = self.root().join("target");
        let variables = vec![("CARGO_TARGET_DIR", target.display().to_string())];
        Ok(Workspace { target, tools, variables, ..Workspace::read(self.root())? })
    }
}
