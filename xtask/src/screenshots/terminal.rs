//! Pictures of the command in a terminal: its input runs in the shell of the guide's first chapter, and its output is
//! drawn.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anstyle_svg::Term;

use crate::failure::Failure;
use crate::step::Step;

/// The input of each picture. A backslash, which is not shown, bypasses the alias of the chapter.
const PICTURES: &[(&str, &str)] = &[
    ("cli-quickstart", r"\perennial quickstart"),
    ("cli-payments", "perennial payments list"),
    (
        "cli-dry-run",
        "perennial plans create --plan-name 'Silver membership' --frequency-day 15 --payment-amount 30.00 \\
  --customer-key cust_eaeee173-99f0-4610-a99f-fd1e373720bc --token-id 1100245000883411111 \\
  --start-date 2027-04-01 --end-date 2027-09-30 --status ACTIVE --dry-run",
    ),
    (
        "cli-schedule",
        "perennial schedule --start-date 2027-01-01 --end-date 2027-06-30 --frequency-day 15 --payment-amount 50.00",
    ),
    ("cli-forecast", "perennial forecast --from 2027-04 --months 10"),
    (
        "cli-error",
        "perennial plans create --plan-name 'Gold membership' --frequency-day 31 --payment-amount 50,00",
    ),
];

const COLUMNS: usize = 100;

const CHAPTER: &str = "docs/guide/getting-started.md";
/// The URL of the chapter's sandbox.
const URL: &str = "http://127.0.0.1:8480";

pub(super) fn draw(folder: &Path) -> Result<(), Failure> {
    Step::new("cargo build -p perennial-cli").run()?;
    let bin = crate::target()?.join("debug");
    let chapter =
        fs::read_to_string(crate::root().join(CHAPTER)).map_err(Failure::of_file(CHAPTER.as_ref()))?;
    let sandbox = Served::start(&bin.join("perennial"))
        .map_err(|source| Failure::NotStarted { program: "perennial sandbox serve".into(), source })?;
    for (name, typed) in PICTURES {
        let script =
            format!("exec 3>&1 >/dev/null 2>&1\n{}\nexec >&3 2>&1\n{typed} || true", setup(&chapter))
                .replace(URL, &sandbox.url);
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let shell = Step::new("sh -c").arguments(&[script]).variable("PATH", path);
        let printed = shell.read()?.replace(&sandbox.url, URL);
        let command = typed.trim_start_matches('\\');
        let lines: Vec<String> = printed.lines().map(wrapped).collect();
        let picture = Term::new().render_svg(&format!("\x1b[1m$ {command}\x1b[0m\n{}\n", lines.join("\n")));
        let file = folder.join(name).with_extension("svg");
        fs::write(&file, picture).map_err(Failure::of_file(&file))?;
    }
    Ok(())
}

/// A line, wrapped as a narrow terminal shows it.
fn wrapped(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    characters.chunks(COLUMNS).map(String::from_iter).collect::<Vec<_>>().join("\n")
}

/// The input of the chapter, except for commands that serve until they are stopped, and for builds.
fn setup(chapter: &str) -> String {
    let blocks = chapter.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    blocks.filter(|block| !["sandbox serve", "cargo "].iter().any(|what| block.contains(what))).collect()
}

/// A sandbox on a free port, until it is dropped.
struct Served {
    process: Child,
    url: String,
}

impl Served {
    fn start(perennial: &Path) -> io::Result<Self> {
        let mut command = Command::new(perennial);
        let mut process =
            command.args(["sandbox", "serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        process.stdout.take().map_or(Ok(0), |output| BufReader::new(output).read_line(&mut line))?;
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { process, url })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // One that is gone already is as good.
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}
