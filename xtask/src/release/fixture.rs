//! A workspace of one sound crate, in a folder that goes away.

use std::fs;
use std::path::Path;

use super::workspace::Workspace;
use crate::step::Step;

const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"seed\"]\n"),
    (
        "CHANGELOG.md",
        "# Changelog\n\n## 0.1.0 (unreleased)\n\nThe first release: a seed that people can sow.\n",
    ),
    (".gitignore", "target\n"),
    ("README.md", "# Seeds\n"),
    (
        "seed/Cargo.toml",
        "[package]\nname = \"seed\"\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.95\"\n\
         description = \"A seed.\"\nlicense = \"MIT\"\nkeywords = [\"seed\"]\ncategories = [\"finance\"]\n\
         [package.metadata.docs.rs]\nall-features = true\n",
    ),
    ("seed/README.md", "# Seed\n"),
    ("seed/LICENSE-MIT", "MIT\n"),
    ("seed/LICENSE-APACHE", "Apache\n"),
    (
        "seed/src/lib.rs",
        "//! A seed.\n\n/// Sums.\npub fn sum(left: u8, right: u8) -> u8 {\n    left ^ right\n}\n",
    ),
];

pub(super) struct Fixture(tempfile::TempDir);

impl Fixture {
    /// The sound workspace, with this file put in or instead, committed.
    pub(super) fn with(path: &str, text: &str) -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        for (path, text) in FILES {
            fixture.write(path, text);
        }
        fixture.write(path, text);
        for line in [
            "cargo generate-lockfile --quiet --offline",
            "git init --quiet",
            "git add .",
            "git -c user.name=Ada -c user.email=ada@example.com commit --quiet --message Seeds",
        ] {
            Step::new(line).within(fixture.root().into()).read().unwrap();
        }
        fixture
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    /// It builds in a folder of its own, whatever the tests are built in.
    pub(super) fn workspace(&self) -> Workspace {
        let mut workspace = Workspace::read(self.root().into()).unwrap();
        workspace.target = self.root().join("target");
        workspace
    }
}
