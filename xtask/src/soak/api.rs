//! Tests the served `OpenAPI` document against its sandbox with schemathesis: no defect, no schema violation, no
//! undocumented status.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Soak;
use crate::failure::Failure;
use crate::step::Step;

const SCHEMATHESIS: &str = "schemathesis==4.32.5";
const KEY: &str = "5eed5eed5eed5eed5eed5eed5eed5eed";
/// Requests of each operation in each phase; the phase that covers every rule of the schemas sends about a hundred
/// more.
const EXAMPLES: u64 = 50;
/// Checks that are off: the sandbox refuses invalid requests and accepts more than it describes, which its own tests
/// cover.
const NOT_CHECKED: &str = "negative_data_rejection,positive_data_acceptance";

pub(super) fn run(soak: &Soak) -> Result<(), Failure> {
    let Soak { seed, minutes, .. } = soak;
    eprintln!("by hand: cargo xtask soak api --seed {seed}");
    let target = crate::target()?;
    let python = target.join("soak/python");
    if !python.exists() {
        Step::new("python3 -m venv").arguments(&[display(&python)]).run()?;
    }
    Step::of(&python.join("bin/pip")).arguments(&words(&["install", "--quiet", SCHEMATHESIS])).run()?;
    Step::new("cargo build --package perennial-cli").run()?;
    let served = Served::start(&target.join("debug/perennial"))?;
    // What it keeps of a run, only it reads.
    let notes = target.join("soak/api");
    fs::create_dir_all(&notes).map_err(Failure::of_file(&notes))?;
    let Served { url, .. } = &served;
    let step = Step::of(&python.join("bin/st"))
        .arguments(&words(&["run", &format!("{url}/_sandbox/openapi.json"), "--exclude-checks", NOT_CHECKED]))
        .arguments(&words(&["--header", &format!("api-key:{KEY}"), "--header", "Accept:application/json"]))
        .arguments(&words(&["--max-examples", &EXAMPLES.to_string(), "--seed", &seed.to_string()]))
        .variable("SCHEMATHESIS_HOOKS", display(&crate::root().join("xtask/src/soak/known.py")))
        .variable("PERENNIAL_SOAK_URL", url)
        .variable("PERENNIAL_SOAK_KEY", KEY)
        .within(notes);
    match minutes {
        Some(minutes) => step.arguments(&words(&["--max-time", &(minutes * 60).to_string()])).run(),
        None => step.run(),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

/// A sandbox that is served until this is dropped.
struct Served {
    process: Child,
    url: String,
}

impl Served {
    fn start(command: &Path) -> Result<Self, Failure> {
        let not_started = |source| Failure::NotStarted { program: display(command), source };
        let arguments = "sandbox serve --listen 127.0.0.1:0 --db :memory: --frozen-at 2027-01-01T00:00:00Z";
        let mut process = Command::new(command)
            .args(arguments.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(not_started)?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(not_started)?;
        }
        // Made first, so that the process ends with it.
        let served = Self { process, url: line.split_whitespace().last().unwrap_or_default().to_owned() };
        if served.url.is_empty() {
            return Err(not_started(io::Error::other("it ended before it listened")));
        }
        Ok(served)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may be gone already; then there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
