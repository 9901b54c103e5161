//! Secrets that are known, found in text however they are written.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::Prose;
use super::shown::{Escapes, Shown, characters, digit, folded, readings};
use crate::secret::Secret;

/// What stands in place of a known secret.
const MASK: &str = "***";

/// How many letters and digits the shortest secret has: a security code.
const SHORTEST: usize = 3;

/// The shortest number that is looked for inside of other letters and digits. A shorter one, such as a security code or a
/// pin, is part of many an amount, date and id by chance, and is only found where it stands by itself.
const LONG: usize = 8;

/// The shortest number that is looked for in an id, where a shorter one may stand by chance.
const LONGEST: usize = 12;

/// The most separators between two characters of a secret.
const WIDEST_GAP: usize = 8;

/// The secrets that a call knows because it sends them, to be masked in whatever comes back.
///
/// Letter case, width, separators, grouping and escapes (`%34`, `&#52;`, `\u0034`) make no difference. A text that the
/// call itself sent as something that is no secret keeps a short secret: a street `123 Main St` is no security code.
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
    /// Folded letters and digits, nothing else.
    secrets: Vec<Secret>,
    /// Those of the secrets that the call sends in its body.
    codes: Vec<Secret>,
    sent: Vec<Secret>,
    references: Vec<Secret>,
}

impl Known {
    /// Masks this too. One of fewer than three letters and digits is ignored: it would stand everywhere by chance.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        let plain = folded_text(secret);
        if plain.len() >= SHORTEST {
            self.secrets.push(plain.into());
        }
        self
    }

    /// Masks this too, and also where it stands by itself in a [`Prose::Reference`]: a security code that one call sends,
    /// and not a credential that every call sends, which some reference is the same as by chance.
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
        if plain.len() >= SHORTEST {
            self.codes.push(plain.into());
        }
        self.secret(code)
    }

    /// Keeps this text where it comes back as it was sent, but for long secrets in it. A text without a letter is not
    /// kept: it may be a short secret itself.
    #[must_use]
    pub fn sent(mut self, text: &str) -> Self {
        let plain = folded_text(text);
        if plain.contains(char::is_alphabetic) {
            self.sent.push(plain.into());
        }
        self
    }

    /// Keeps this text, whatever it is, where a [`Prose::Reference`] comes back as it was sent, but for long secrets in it.
    #[must_use]
    pub fn sent_reference(mut self, text: &str) -> Self {
        self.references.push(folded_text(text).into());
        self
    }

    /// The same secrets, to add those of one call.
    #[must_use]
    pub fn copied(&self) -> Self {
        let copy =
            |secrets: &[Secret]| secrets.iter().map(|secret| secret.expose().to_owned().into()).collect();
        Self {
            secrets: copy(&self.secrets),
            codes: copy(&self.codes),
            sent: copy(&self.sent),
            references: copy(&self.references),
        }
    }

    /// The text with the known secrets replaced by `***`, and, but for [`Prose::Exact`] and [`Prose::Reference`], with
    /// whatever looks like a card number masked as [`card_numbers`](super::card_numbers) masks it.
    pub fn mask<'t>(&self, text: &'t str, prose: Prose) -> Cow<'t, str> {
        let without = self.without_secrets(text, prose);
        match (prose, without) {
            (Prose::Exact | Prose::Reference, without) => without,
            (_, Cow::Borrowed(text)) => super::card_numbers(text),
            (_, Cow::Owned(text)) => Cow::Owned(super::card_numbers(&text).into_owned()),
        }
    }

    fn without_secrets<'t>(&self, text: &'t str, prose: Prose) -> Cow<'t, str> {
        readings(text).fold(Cow::Borrowed(text), |text, escapes| match self.masked(&text, prose, escapes) {
            Some(masked) => Cow::Owned(masked),
            None => text,
        })
    }

    fn masked(&self, text: &str, prose: Prose, escapes: Escapes) -> Option<String> {
        let least = match prose {
            Prose::Exact | Prose::Reference => LONGEST,
            Prose::Code if text.trim().chars().all(char::is_alphanumeric) => LONG,
            Prose::Code | Prose::Free => 0,
        };
        let secrets = self.secrets.iter().map(Secret::expose);
        let codes = self.codes.iter().map(Secret::expose).filter(|_| prose == Prose::Reference);
        let sought: Vec<&str> = secrets.filter(|secret| weight(secret) >= least).chain(codes).collect();
        if !sought.iter().any(|secret| secret.len() <= text.len()) {
            return None;
        }
        let shown: Vec<Shown> = characters(text, escapes).collect();
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
            // One that another covers, or overlaps, is part of it.
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

fn folded_text(text: &str) -> String {
    // A text that grows leaves copies of a secret behind.
    let mut plain = String::with_capacity(text.len());
    plain.extend(characters(text, Escapes::Read).filter_map(|shown| folded(shown.character)));
    plain
}

/// The length of a number, or what the length of a word amounts to: letters are seldom the same by chance.
fn weight(secret: &str) -> usize {
    let is_word = secret.len() >= 5 && !secret.bytes().all(|byte| byte.is_ascii_digit());
    if is_word { secret.len().max(LONGEST) } else { secret.len() }
}

/// The first and the last character of a secret that begins with this letter, if one does.
fn matches(letters: &[(usize, char)], found: usize, secret: &str, shown: &[Shown]) -> Option<Range<usize>> {
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
        // All of it together, or each character by itself: `9 8 7`, and not `9-87`.
        let gaps = candidate.windows(2).filter(|pair| matches!(pair, [(a, _), (b, _)] if b - a > 1)).count();
        if (gaps != 0 && gaps != length - 1) || !stands_alone(shown, start, end) {
            return None;
        }
    }
    Some(start..end)
}

/// Whether what stands between these two characters is no part of a longer word, amount, date, time or fraction.
fn stands_alone(shown: &[Shown], start: usize, end: usize) -> bool {
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
