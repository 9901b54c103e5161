//! A worker process, as the campaign has it in its hands.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::UnboundedSender;

use crate::setup::Setup;
use crate::worker::SETUP;

/// A line that a process reported.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The signal that a process gets when it reports the moment for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is killed while it holds an attempt that is stored and has not left.
    KillHeld,
    /// It is killed when an attempt leaves.
    KillSending,
    /// It is stopped while it holds an attempt.
    StopHeld,
}

/// A stop of a process.
pub(crate) struct Stopped {
    pub(crate) tick: u64,
    pub(crate) at: Instant,
    /// The intents that it was sending.
    pub(crate) sending: Vec<String>,
}

/// A running process. A failing test leaves none running.
pub(crate) struct Worker {
    /// The name of this process at the database, which no other has.
    pub(crate) name: String,
    pub(crate) is_ready: bool,
    pub(crate) is_idle: bool,
    /// The purpose, and the tick since which it stands.
    pub(crate) purpose: Option<(Purpose, u64)>,
    pub(crate) stopped: Option<Stopped>,
    child: Child,
    commands: ChildStdin,
}

impl Worker {
    pub(crate) fn spawn(setup: &Setup, name: String, lines: &UnboundedSender<Line>) -> Self {
        let setup =
            Setup { database: format!("{}?application_name={name}", setup.database), ..setup.clone() };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker::until_killed", "--nocapture"])
            .env(SETUP, serde_json::to_string(&setup).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (of, to) = (name.clone(), lines.clone());
        std::thread::spawn(move || {
            for text in output.lines().map_while(Result::ok) {
                let _ = to.send(Line { name: of.clone(), text });
            }
        });
        // A panic of a worker is a finding.
        let (errors, of, to) = (BufReader::new(child.stderr.take().unwrap()), name.clone(), lines.clone());
        std::thread::spawn(move || {
            for text in errors.lines().map_while(Result::ok).filter(|text| !text.trim().is_empty()) {
                let _ = to.send(Line { name: of.clone(), text: format!("broken {text}") });
            }
        });
        let commands = child.stdin.take().unwrap();
        Self { name, is_ready: false, is_idle: false, purpose: None, stopped: None, child, commands }
    }

    /// Sends a command. A process that has just ended does not get it.
    pub(crate) fn command(&mut self, command: &str) {
        let _ = writeln!(self.commands, "{command}");
    }

    /// Ends the process at once, without a chance to finish anything.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops the process in the middle of whatever it does.
    pub(crate) fn stop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
    }

    /// Lets a stopped process go on.
    pub(crate) fn go_on(&mut self) {
        self.command("go");
        kill_process(Pid::from_child(&self.child), Signal::CONT).unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
