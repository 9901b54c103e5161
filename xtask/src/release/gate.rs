//! One check of a release, and the answers of all checks.

use std::fmt;
use std::time::{Duration, Instant};

use super::workspace::Workspace;
use crate::failure::Failure;
use crate::tidy::Finding;

pub(super) struct Gate {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// The findings in this workspace.
    pub(super) check: fn(&Workspace) -> Result<Vec<Finding>, Failure>,
}

/// Runs all gates, so that one run shows all findings, and returns the names of gates without an answer.
pub(super) fn check(workspace: &Workspace, gates: &[&'static Gate]) -> Result<Vec<&'static str>, Failure> {
    let mut answers = Vec::new();
    for (gate, at) in gates.iter().zip(1..) {
        eprintln!("\n==> gate {at} of {}: {}", gates.len(), gate.name);
        let start = Instant::now();
        let verdict = gate.ask(workspace);
        answers.push(Answer { gate, verdict, took: start.elapsed() });
    }
    eprintln!();
    for answer in &answers {
        println!("{answer}");
    }
    let red = answers.iter().map(|answer| answer.verdict.findings()).sum();
    let open = answers.iter().filter(|answer| answer.verdict == Verdict::Open);
    if red == 0 {
        Ok(open.map(|answer| answer.gate.name).collect())
    } else {
        Err(Failure::Untidy { findings: red })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Green,
    Red {
        findings: usize,
    },
    /// A needed resource is out of reach.
    Open,
}

impl Gate {
    /// Prints the findings of a gate. A failing program makes its gate red.
    pub(super) fn ask(&self, workspace: &Workspace) -> Verdict {
        let findings = match (self.check)(workspace) {
            Ok(findings) => findings,
            Err(failure @ Failure::OutOfReach { .. }) => {
                eprintln!("{}: {failure}", self.name);
                return Verdict::Open;
            }
            Err(failure) => vec![Finding::new(self.name, failure.to_string())],
        };
        for finding in &findings {
            eprintln!("{finding}");
        }
        if findings.is_empty() { Verdict::Green } else { Verdict::Red { findings: findings.len() } }
    }
}

impl Verdict {
    fn findings(self) -> usize {
        if let Self::Red { findings } = self { findings } else { 0 }
    }
}

struct Answer {
    gate: &'static Gate,
    verdict: Verdict,
    took: Duration,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Green => "green",
            Verdict::Red { .. } => "RED",
            Verdict::Open => "open",
        };
        let seconds = self.took.as_secs();
        write!(f, "{verdict:<5}  {:<10}  {seconds:>4} s  {}", self.gate.name, self.gate.about)
    }
}
