//! Safe display of text: characters in received text must not make a line look like another one.

/// Replaces each mark that changes the direction of text, or that is invisible, by U+FFFD. Our pages contain none
/// of their own.
pub(crate) fn plain(page: String) -> String {
    if page.chars().any(is_deceptive) {
        page.chars().map(|c| if is_deceptive(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
    } else {
        page
    }
}

/// Whether a character is a bidirectional control or has no width.
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_direction_are_shown_as_such() {
        for (given, expected) in [
            ("Ada \u{202e}nilreB", "Ada \u{fffd}nilreB"),
            ("\u{2067}x\u{2069}", "\u{fffd}x\u{fffd}"),
            ("a\u{200b}b\u{feff}", "a\u{fffd}b\u{fffd}"),
            ("Zoë שלום <b>", "Zoë שלום <b>"),
        ] {
            assert_eq!(plain(given.into()), expected);
        }
    }
}
