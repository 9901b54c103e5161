//! Reports a failure on standard error: as text, or as a row of JSON.

use std::fmt;
use std::io::Write;

use anstyle::{AnsiColor, Style};

use crate::exit::Exit;
use crate::failure::{Complaint, Failure};
use crate::lookup::Again;
use crate::output::{Output, Record, json};

/// The style of the word `error` on a terminal that has colors.
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints the failure to standard error. A pipe that its reader closed is not reported.
pub(crate) fn report(failure: &Failure, output: Output, again: &Again) -> Exit {
    if !failure.is_broken_pipe() {
        let mut err = anstream::stderr().lock();
        let _ = if output.is_json() {
            json::row(&mut err, &record(failure, again))
        } else {
            let text = FailureText { failure, again }.to_string();
            write!(err, "{ERROR}error:{ERROR:#}{}", text.strip_prefix("error:").unwrap_or(&text))
        };
    }
    failure.exit()
}

fn record(failure: &Failure, again: &Again) -> Record {
    // Of a command line that cannot be read, what is wrong; the usage that follows is for people.
    let message = failure.message();
    let message = message.split("\n\nUsage:").next().unwrap_or_default();
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let violations = failure.complaints().iter().map(|Complaint { given, rule }| {
        Record::default().with("field", given.clone()).with("rule", rule.to_string())
    });
    let violations = Some(violations.collect::<Vec<_>>()).filter(|violations| !violations.is_empty());
    let error = Record::default()
        .with("kind", failure.kind())
        .with("message", message)
        .with("cause", failure.cause())
        .with("hint", failure.hint())
        .with("violations", violations)
        .with("result-code", failure.result_code())
        .with("exchange-id", failure.exchange_id())
        .with("request-id", failure.request_id())
        .with("payment-ids", Some(failure.payment_ids()).filter(|ids| !ids.is_empty()))
        .with("operation-key", failure.waiting().map(|(_, key)| key))
        .with("intent", failure.waiting().map(|(intent, _)| intent))
        .with("look-up", failure.look_up(again));
    Record::default().with("error", error)
}

#[cfg(test)]
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FailureText { failure: self, again: &Again::default() }.fmt(f)
    }
}

/// A failure as text: the message, then a line for each other fact.
struct FailureText<'a> {
    failure: &'a Failure,
    again: &'a Again,
}

impl fmt::Display for FailureText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { failure, again } = *self;
        writeln!(f, "error: {}", failure.message())?;
        for Complaint { given, rule } in failure.complaints() {
            writeln!(f, "  {given}: {rule}")?;
        }
        if let Some(cause) = failure.cause() {
            writeln!(f, "  because: {cause}")?;
        }
        if let Some(hint) = failure.hint() {
            writeln!(f, "  hint: {hint}")?;
        }
        if let (Failure::Declined { .. }, Some(code)) = (failure, failure.result_code()) {
            writeln!(f, "  result code: {code}")?;
        }
        if let Some(id) = failure.exchange_id() {
            writeln!(f, "  exchange id: {id}")?;
        }
        if let ids @ [_, ..] = &failure.payment_ids()[..] {
            writeln!(f, "  payments that may have been made: {}", ids.join(", "))?;
        }
        if let Some(command) = failure.repeat() {
            writeln!(f, "  repeat with: {command}")?;
        }
        if let Some(command) = failure.look_up(again) {
            writeln!(f, "  look with: {command}")?;
        }
        Ok(())
    }
}
