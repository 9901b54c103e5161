//! Card numbers in a text, whatever stands around them.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use super::is_unprintable;

/// The text with each card number masked down to its last four digits.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    let spans = card_spans(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        masked.push_str(&text[from..span.start]);
        let mut hidden = text[span.clone()].chars().filter_map(digit).count() - 4;
        for c in text[span.clone()].chars() {
            if digit(c).is_some() && hidden > 0 {
                hidden -= 1;
                masked.push('*');
            } else {
                masked.push(c);
            }
        }
        from = span.end;
    }
    masked.push_str(&text[from..]);
    Cow::Owned(masked)
}

/// Digits that stand side by side.
struct Group {
    span: Range<usize>,
    digits: Vec<u32>,
    /// Whether only separators stand between this group and the one before it.
    follows: bool,
}

/// A card number is a whole group or several in a row, never a part of one: a part of a longer number passes the
/// Luhn check too often by chance.
fn card_spans(text: &str) -> Vec<Range<usize>> {
    let groups = groups(text);
    let mut spans = Vec::new();
    let mut first = 0;
    while first < groups.len() {
        let following = groups[first + 1..].iter().take(*LENGTHS.end()).take_while(|group| group.follows);
        let card = (first..=first + following.count()).rev().find(|&last| is_card(&groups[first..=last]));
        if let Some(last) = card {
            spans.push(groups[first].span.start..groups[last].span.end);
        }
        first = card.unwrap_or(first) + 1;
    }
    spans
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut gap = usize::MAX;
    for (at, c) in text.char_indices() {
        if let Some(digit) = digit(c) {
            let end = at + c.len_utf8();
            match groups.last_mut().filter(|_| gap == 0) {
                Some(group) => {
                    group.span.end = end;
                    group.digits.push(digit);
                }
                None => groups.push(Group { span: at..end, digits: vec![digit], follows: gap <= WIDEST_GAP }),
            }
            gap = 0;
        } else {
            gap = if is_separator(c) { gap.saturating_add(1) } else { usize::MAX };
        }
    }
    groups
}

/// How many digits a card number has.
const LENGTHS: RangeInclusive<usize> = 12..=19;

/// As many separators as people put between two groups, as in `4111 - 1111`.
const WIDEST_GAP: usize = 3;

fn is_card(groups: &[Group]) -> bool {
    let digits: Vec<u32> = groups.iter().flat_map(|group| &group.digits).copied().collect();
    LENGTHS.contains(&digits.len()) && digits.first() > Some(&1) && passes_luhn(&digits)
}

fn passes_luhn(digits: &[u32]) -> bool {
    let weighted = digits.iter().rev().enumerate().map(|(at, digit)| match at % 2 {
        0 => *digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    });
    weighted.sum::<u32>().is_multiple_of(10)
}

fn digit(c: char) -> Option<u32> {
    match c {
        '\u{ff10}'..='\u{ff19}' => Some(u32::from(c) - 0xff10),
        c => c.to_digit(10),
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '\u{a0}' | '\u{2010}'..='\u{2015}' | '\u{3000}' | '\u{ff0d}') || is_unprintable(c)
}
