//! A world with a journal, for commands under operation keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use perennial_sandbox::Fault;
use serde_json::Value;

use crate::shell::{ACCOUNT, CARD, CSC, Ran, Shell, finish, perennial, runtime};

/// A world, and a folder with its journal.
pub(crate) struct Desk {
    pub(crate) shell: Shell,
    pub(crate) folder: tempfile::TempDir,
    /// The database, if it is not the file in the folder.
    pub(crate) url: Option<String>,
}

impl Desk {
    pub(crate) fn of(shell: Shell) -> Self {
        Self { shell, folder: tempfile::tempdir().unwrap(), url: None }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("journal.db")
    }

    pub(crate) fn db(&self) -> String {
        self.url.clone().unwrap_or_else(|| format!("sqlite:{}", self.file().display()))
    }

    /// Runs a line with the journal of this desk.
    pub(crate) fn run(&self, line: &str, stdin: &str) -> Ran {
        let words: Vec<&str> = line.split(' ').collect();
        let db = self.db();
        self.shell.run_with(&[&words[..], &["--db", &db]].concat(), stdin)
    }

    /// Runs a write under a key by the world's clock.
    pub(crate) fn write(&self, key: &str, line: &str, stdin: &str) -> Ran {
        self.run(&format!("--output json {line} --operation-key {key} --clock sandbox"), stdin)
    }

    /// The same command as often as it is needed.
    pub(crate) fn again(&self, command: &Command, stdin: &str) -> Ran {
        let mut again = perennial();
        again.args(command.get_args());
        again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        again.args(["--db", &self.db()]);
        finish(again, stdin)
    }

    /// Runs a command as it is printed, without its gateway, its journal or any other option of this desk.
    pub(crate) fn run_printed(&self, command: &str) -> Ran {
        let bin = Path::new(env!("CARGO_BIN_EXE_perennial")).parent().unwrap();
        let mut shell = Command::new("/bin/sh");
        let command = command.replace("http://sandbox", self.shell.url());
        shell.args(["-c", &command]).env_clear().env("PATH", bin).env("USER", "ada");
        shell.envs(self.shell.environment());
        finish(shell, "")
    }

    pub(crate) fn fault(&self, fault: &Fault) {
        runtime().block_on(self.shell.world().fault(fault)).unwrap();
    }

    /// The requests to the world.
    pub(crate) fn log(&self) -> Vec<Value> {
        let ran = self.shell.run(&["--output", "json", "sandbox", "log", "--limit", "500"]);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// The objects that a list shows.
    pub(crate) fn count(&self, line: &str, is_counted: impl Fn(&Value) -> bool) -> usize {
        let words: Vec<&str> = ["--output", "json"].into_iter().chain(line.split(' ')).collect();
        let ran = self.shell.run(&words);
        let listed: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        listed.iter().filter(|listed| is_counted(listed)).count()
    }

    /// Checks that no card data is in the files of the journal.
    pub(crate) fn assert_no_card(&self) {
        for end in ["", "-wal", "-shm"] {
            let bytes = fs::read(format!("{}{end}", self.file().display())).unwrap_or_default();
            assert!(!end.is_empty() || !bytes.is_empty(), "there is no journal");
            for secret in [CARD, "4111 1111 1111 1111", CSC, ACCOUNT, "123456780"] {
                assert!(!holds(&bytes, secret), "journal.db{end} holds {secret}");
            }
        }
    }
}

/// Whether a text is in these bytes, and no part of another word.
fn holds(bytes: &[u8], text: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.windows(text.len()).enumerate().any(|(at, window)| {
        window == text.as_bytes()
            && !is_part(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && !is_part(bytes.get(at + text.len()))
    })
}

/// The requests of an operation, without those that a fault kept from having an effect.
pub(crate) fn effects(log: &[Value], operation: &str, fault: &str) -> usize {
    let is_kept = |entry: &&Value| fault == "error-before" && entry["fault"].is_string();
    log.iter().filter(|entry| entry["operation"] == operation && !is_kept(entry)).count()
}

pub(crate) fn kind(ran: &Ran) -> String {
    let error: Value = serde_json::from_str(ran.err.lines().last().unwrap_or_default()).unwrap_or_default();
    error["error"]["kind"].as_str().unwrap_or_default().to_owned()
}
