//! Finds known secrets in text, in any notation.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Prose;
use super::shown::{Escapes, VisibleChar, characters, digit, folded, readings};
use crate::secret::Secret;

/// The text that replaces a known secret.
const MASK: &str = "***";

/// The number of letters and digits in the shortest secret: a security code.
const SHORTEST: usize = 3;

/// The minimum length of a number that is searched for within other letters and digits. A shorter one, such as a
/// security code or a PIN, is part of many amounts, dates and ids by chance, and is only found if it stands alone.
const LONG: usize = 8;

/// The minimum length of a number that is searched for in an id, where a shorter one may occur by chance.
const LONGEST: usize = 12;

/// The maximum number of separators between two characters of a secret.
const WIDEST_GAP: usize = 8;

/// The secrets that a call sends and that must be masked in every response.
///
/// Letter case, width, separators, grouping and escapes (`%34`, `&#52;`, `\u0034`) make no difference. A short secret
/// is not masked within a text that the call itself sent as non-secret data: in a street `123 Main St`, 123 is not a
/// security code.
///
/// ```
/// use perennial_domain::mask::{Known, Prose};
///
/// let known = Known::default().secret("4111111111111111").secret("987").sent("987 Main St");
/// let free = |text| known.mask(text, Prose::Free).into_owned();
/// assert_eq!(free("card 4111/1111/1111/1111, code 987"), "card ***, code ***");
/// assert_eq!(free("4111%31111%311111111"), "***");
/// assert_eq!(free("987.00 of 1987 on 2027-09-87"), "987.00 of 1987 on 2027-09-87");
/// assert_eq!(free("987 Main St"), "987 Main St");
/// assert_eq!(known.mask("987", Prose::Code), "987");
/// ```
#[derive(Default)]
pub struct Known {
    /// Only case-folded letters and digits. A copy for one call shares the texts.
    secrets: Vec<Arc<Secret>>,
    /// The secrets that the call sends in its body.
    codes: Vec<Arc<Secret>>,
    sent: Vec<Arc<Secret>>,
    references: Vec<Arc<Secret>>,
}

impl Known {
    /// Adds a secret. Secrets of fewer than three letters and digits are ignored, because they occur everywhere by
    /// chance.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        let plain = folded_text(secret);
        let is_new = self.secrets.iter().all(|known| known.expose() != plain.expose());
        if is_new && plain.expose().len() >= SHORTEST {
            self.secrets.push(plain.into());
        }
        self
    }

    /// Adds a secret that is also masked where it stands alone in a [`Prose::Reference`]. This is for a security code,
    /// which one call sends, and not for a credential, which every call sends and which may be equal to some reference
    /// by chance.
    ///
    /// ```
    /// use perennial_domain::mask::{Known, Prose};
    ///
    /// let known = Known::default().code("987").secret("4711").sent_reference("INV 4711");
    /// assert_eq!(known.mask("987", Prose::Reference), "***");
    /// assert_eq!(known.mask("4711", Prose::Reference), "4711");
    /// assert_eq!(known.sent_reference("987").mask("987", Prose::Reference), "987");
    /// ```
    #[must_use]
    pub fn code(mut self, code: &str) -> Self {
        let plain = folded_text(code);
        if plain.expose().len() >= SHORTEST {
            self.codes.push(plain.into());
        }
        self.secret(code)
    }

    /// Adds a text that is not masked where it returns as it was sent, except for long secrets within it. A text
    /// without a letter is ignored, because it may be a short secret itself.
    #[must_use]
    pub fn sent(mut self, text: &str) -> Self {
        let plain = folded_text(text);
        if plain.expose().contains(char::is_alphabetic) {
            self.sent.push(plain.into());
        }
        self
    }

    /// Adds any text that is not masked where it returns unchanged in a [`Prose::Reference`], except for long secrets
    /// within it.
    #[must_use]
    pub fn sent_reference(mut self, text: &str) -> Self {
        self.references.push(folded_text(text).into());
        self
    }

    /// Returns a copy of the secrets, to which those of one call can be added.
    #[must_use]
    pub fn copied(&self) -> Self {
        let Self { secrets, codes, sent, references } = self;
        Self {
            secrets: secrets.clone(),
            codes: codes.clone(),
            sent: sent.clone(),
            references: references.clone(),
        }
    }

    /// Replaces the known secrets in the text by `***`. Except in [`Prose::Exact`] and [`Prose::Reference`], it also
    /// masks text that looks like a card number, as [`card_numbers`](super::card_numbers) does.
    pub fn mask<'t>(&self, text: &'t str, prose: Prose) -> Cow<'t, str> {
        let shortest = self.secrets.iter().map(|secret| secret.expose().len()).min();
        let without = match shortest {
            Some(length) if length <= text.len() => {
                super::replaced(text, |text, escapes| self.masked(text, prose, escapes))
            }
            _ => Cow::Borrowed(text),
        };
        match (prose, without) {
            (Prose::Exact | Prose::Reference, without) => without,
            (_, Cow::Borrowed(text)) => super::card_numbers(text),
            (_, Cow::Owned(text)) => Cow::Owned(super::card_numbers(&text).into_owned()),
        }
    }

    fn masked(&self, text: &str, prose: Prose, escapes: Escapes) -> Option<String> {
        let least = match prose {
            Prose::Exact | Prose::Reference => LONGEST,
            Prose::Code if text.trim().chars().all(char::is_alphanumeric) => LONG,
            Prose::Code | Prose::Free => 0,
        };
        let secrets =
            self.secrets.iter().map(|secret| secret.expose()).filter(|secret| weight(secret) >= least);
        let codes = self.codes.iter().map(|code| code.expose()).filter(|_| prose == Prose::Reference);
        let sought: Vec<&str> =
            secrets.chain(codes).filter(|secret| may_contain(text, secret, escapes)).collect();
        if sought.is_empty() {
            return None;
        }
        let shown: Vec<VisibleChar> = characters(text, escapes).collect();
        let letters: Vec<(usize, char)> =
            shown.iter().enumerate().filter_map(|(at, shown)| Some((at, folded(shown.character)?))).collect();
        let sent = if prose == Prose::Reference { &self.references } else { &self.sent };
        let came_back = !sent.is_empty() && {
            let plain: String = letters.iter().map(|(_, letter)| *letter).collect();
            sent.iter().any(|sent| sent.expose() == plain)
        };
        let mut spans: Vec<Range<usize>> = Vec::new();
        for secret in sought.into_iter().filter(|secret| !came_back || weight(secret) >= LONG) {
            let (first, length) = (secret.chars().next(), secret.chars().count());
            let mut from = 0;
            while let Some(found) =
                letters[from..].iter().position(|(_, c)| Some(*c) == first).map(|at| from + at)
            {
                let Some(range) = matches(&letters, found, secret, &shown) else {
                    from = found + 1;
                    continue;
                };
                spans.push(shown[range.start].span.start..shown[range.end].span.end);
                from = found + length;
            }
        }
        if spans.is_empty() {
            return None;
        }
        spans.sort_by_key(|span| span.start);
        let (mut masked, mut from) = (String::with_capacity(text.len()), 0);
        for span in spans {
            // A span that overlaps the previous one is part of it.
            if span.start >= from {
                masked.push_str(&text[from..span.start]);
                masked.push_str(MASK);
            }
            from = from.max(span.end);
        }
        masked.push_str(&text[from..]);
        Some(masked)
    }
}

fn folded_text(text: &str) -> Secret {
    // A text that grows leaves copies of a secret behind.
    let mut plain = String::with_capacity(text.len());
    match readings(text) {
        [_] if text.is_ascii() => {
            let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
            plain.extend(letters.map(|letter| char::from(letter.to_ascii_lowercase())));
        }
        _ => plain.extend(characters(text, Escapes::Read).filter_map(|shown| folded(shown.character))),
    }
    plain.into()
}

/// Whether a search for the secret can succeed. It fails in nearly every text, and this runs for every text of a
/// response: so a text without escapes and other than ASCII letters is compared byte by byte.
fn may_contain(text: &str, secret: &str, escapes: Escapes) -> bool {
    let Some(first) = secret.bytes().next() else { return false };
    if secret.len() > text.len() {
        return false;
    }
    if escapes == Escapes::Read || !text.is_ascii() {
        return true;
    }
    let is_first = |byte: &u8| byte.to_ascii_lowercase() == first;
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(is_first) {
        let letters = rest[at..].iter().filter(|byte| byte.is_ascii_alphanumeric());
        if letters.map(u8::to_ascii_lowercase).take(secret.len()).eq(secret.bytes()) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// The length of a number, or the equivalent length of a word: letters are seldom equal by chance.
fn weight(secret: &str) -> usize {
    let is_word = secret.len() >= 5 && !secret.bytes().all(|byte| byte.is_ascii_digit());
    if is_word { secret.len().max(LONGEST) } else { secret.len() }
}

/// The first and the last character of a secret that begins with this letter, if it is there.
fn matches(
    letters: &[(usize, char)],
    found: usize,
    secret: &str,
    shown: &[VisibleChar],
) -> Option<Range<usize>> {
    let length = secret.chars().count();
    let candidate = letters.get(found..found + length)?;
    let is_short = weight(secret) < LONG;
    let widest = if is_short { 1 } else { WIDEST_GAP };
    let same = candidate.iter().zip(secret.chars()).all(|((_, c), wanted)| *c == wanted);
    let near = candidate.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if b - a <= widest + 1));
    if !same || !near {
        return None;
    }
    let (start, end) = (candidate.first()?.0, candidate.last()?.0);
    if is_short {
        // Either all characters together or all of them separated: `9 8 7`, but not `9-87`.
        let gaps = candidate.windows(2).filter(|pair| matches!(pair, [(a, _), (b, _)] if b - a > 1)).count();
        if (gaps != 0 && gaps != length - 1) || !stands_alone(shown, start, end) {
            return None;
        }
    }
    Some(start..end)
}

/// Whether the characters around this span show that it is not part of a longer word, amount, date, time or fraction.
fn stands_alone(shown: &[VisibleChar], start: usize, end: usize) -> bool {
    let at = |at: Option<usize>| at.and_then(|at| shown.get(at)).map(|shown| shown.character);
    let joins = |next: Option<char>, beyond: Option<char>| match next {
        Some(c) if c.is_alphanumeric() => true,
        Some('$' | '€' | '£' | '¥' | '%') => true,
        Some('.' | ',' | '-' | '/' | ':' | '_' | '\'') => beyond.is_some_and(|c| digit(c).is_some()),
        Some(_) | None => false,
    };
    !joins(at(start.checked_sub(1)), at(start.checked_sub(2)))
        && !joins(at(end.checked_add(1)), at(end.checked_add(2)))
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}
