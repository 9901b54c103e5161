//! A screen of names and texts about one object, for people. Its lines are no longer than those of a table.

use std::fmt::Write as _;

use perennial::transport::redact;

use super::table;

/// The column at which texts begin.
const TEXT: usize = 14;

/// The lines of a screen.
#[derive(Debug, Default)]
pub(crate) struct Lines(String);

impl Lines {
    /// Adds a text under its name.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        let text = redact::text(text);
        self.add(name, &text.split(' ').collect::<Vec<_>>(), "");
    }

    /// Adds a command, which a shell reads as one line.
    pub(crate) fn command(&mut self, name: &str, command: &str) {
        let command = redact::text(command);
        self.add(name, &words(&command), " \\");
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    /// Adds words in lines, each of which but the last has this end. A longer word has a line of its own.
    fn add(&mut self, name: &str, words: &[&str], end: &str) {
        let width = usize::from(table::width());
        let (mut line, mut used) = (format!("{name:<TEXT$}"), TEXT);
        let mut is_first = true;
        for word in words {
            let length = word.chars().count();
            if !is_first && used + 1 + length + end.len() > width {
                let _ = writeln!(self.0, "{line}{end}");
                (line, used) = (" ".repeat(TEXT), TEXT);
            } else if !is_first {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
            is_first = false;
        }
        let _ = writeln!(self.0, "{}", line.trim_end());
    }
}

/// The words of a command: blanks within quotes are of a word.
fn words(command: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let is_apart = |c: char| {
        is_quoted ^= c == '\'';
        c == ' ' && !is_quoted
    };
    command.split(is_apart).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_no_longer_than_a_table() {
        let long = "perennial due-days waive M-1/2027-03-15 --base-url http://127.0.0.1:8480 --reason 'the hall was closed'";
        for (is_command, text, expected) in [
            (false, "short", "name          short\n".to_owned()),
            (false, "", "name\n".to_owned()),
            (
                false,
                "it is planned since 2027-01-20, and the gateway did not answer for a long time",
                format!(
                    "name          it is planned since 2027-01-20, and the gateway did not answer for\n{:14}a long time\n",
                    ""
                ),
            ),
            (
                true,
                long,
                format!(
                    "name          perennial due-days waive M-1/2027-03-15 --base-url \\\n{:14}http://127.0.0.1:8480 --reason 'the hall was closed'\n",
                    ""
                ),
            ),
        ] {
            let mut lines = Lines::default();
            if is_command {
                lines.command("name", text);
            } else {
                lines.text("name", text);
            }
            assert_eq!(lines.finish(), expected);
        }
    }
}
