//! Finds data that must not be shown where no type marks it: card numbers within text, known secrets of a call, and
//! members with secret names.

mod known;
mod members;
mod prose;
mod shown;

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use zeroize::Zeroizing;

pub use known::Known;
pub use members::{Members, Part, PartKind, Secrecy};
pub use prose::Prose;

use self::shown::{Escapes, VisibleChar, characters, digit, readings};
use crate::CardNumber;
use crate::card::luhn;

/// Replaces the digits of each card number in the text by `*`, except the last four.
///
/// A card number here is 12 to 19 digits of any script with a correct Luhn check digit. The digits may be in groups,
/// separated by up to three spaces, hyphens, dots, underscores, control or other non-ASCII characters. A group is
/// either entirely part of the number or not at all, because a part of a longer number often passes the check by
/// chance. Between the groups of a number of at least 13 digits that begins with 3 to 6, as cards do, any other
/// character is allowed too, if it is the same between all groups. More than 19 adjacent digits may contain a card
/// number, and are masked as one. Escapes are decoded: `%34`, `&#52;`, `\u0034`.
///
/// A number that begins with 0 or 1 and has at most 20 digits is not masked: no card of an accepted brand begins so,
/// and every Clearent token id does (vault samples: `1100...`, 17 to 20 digits). The digits of a UUID that contains a
/// letter are not masked either: one in 240 UUIDs contains a card number by chance.
///
/// ```
/// use perennial_domain::mask;
///
/// assert_eq!(mask::card_numbers("2 of 4111.1111.1111.1111"), "2 of ****.****.****.1111");
/// assert_eq!(mask::card_numbers("token 1100000000555551111"), "token 1100000000555551111");
/// ```
pub fn card_numbers(text: &str) -> Cow<'_, str> {
    if !has_room(text) {
        return Cow::Borrowed(text);
    }
    replaced(text, masked)
}

/// Replaces the text by what each reading of it makes of it, if that is another one.
fn replaced(text: &str, masked: impl Fn(&str, Escapes) -> Option<String>) -> Cow<'_, str> {
    let mut replaced = Cow::Borrowed(text);
    for escapes in readings(text) {
        if let Some(masked) = masked(&replaced, *escapes) {
            replaced = Cow::Owned(masked);
        }
    }
    replaced
}

/// Whether the text contains the number of a card of a known brand, found as by [`card_numbers`]. Longer numbers, and
/// numbers that begin as no brand does, such as most order numbers, do not count.
///
/// ```
/// use perennial_domain::mask;
///
/// assert!(mask::holds_card("2 of 4111.1111.1111.1111") && mask::holds_card("%34111111111111111"));
/// assert!(!mask::holds_card("9111111111111111") && !mask::holds_card("1100000000555551111"));
/// ```
pub fn holds_card(text: &str) -> bool {
    has_room(text)
        && readings(text).iter().any(|escapes| {
            let shown: Vec<VisibleChar> = characters(text, *escapes).collect();
            card_spans(text, &shown).into_iter().any(|span| is_of_brand(shown.get(span).unwrap_or_default()))
        })
}

/// Whether a number is of a brand that [`CardNumber`] knows, or of one of the other brands, all of which begin with 5
/// or 6. A span that is not a card number itself may contain several overlapping ones.
fn is_of_brand(number: &[VisibleChar]) -> bool {
    let mut digits = Zeroizing::new(String::with_capacity(number.len()));
    digits.extend(number.iter().filter_map(|shown| digit(shown.character)).map(char::from));
    match CardNumber::try_from(digits.as_str()) {
        Ok(card) => card.brand().is_some() || digits.starts_with(['5', '6']),
        Err(_) => true,
    }
}

fn masked(text: &str, escapes: Escapes) -> Option<String> {
    let shown: Vec<VisibleChar> = characters(text, escapes).collect();
    let spans = card_spans(text, &shown);
    if spans.is_empty() {
        return None;
    }
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        let Some(number) = shown.get(span.clone()) else { continue };
        let mut hidden = number.iter().filter(|shown| digit(shown.character).is_some()).count() - SHOWN;
        for VisibleChar { span, character } in number {
            masked.push_str(&text[from..span.start]);
            if digit(*character).is_some() && hidden > 0 {
                hidden -= 1;
                masked.push('*');
            } else {
                masked.push_str(&text[span.clone()]);
            }
            from = span.end;
        }
    }
    masked.push_str(&text[from..]);
    Some(masked)
}

/// Whether a member, element, parameter or header with this name contains a secret of either vendor: a card, a bank
/// account, a security code, track data, a key or another credential.
///
/// Letter case, separators and a namespace prefix make no difference.
///
/// ```
/// use perennial_domain::mask;
///
/// assert!(mask::is_secret_name("api-key") && mask::is_secret_name("ApiKey") && mask::is_secret_name("x:CSC"));
/// assert!(!mask::is_secret_name("card-type"));
/// ```
pub fn is_secret_name(name: &str) -> bool {
    let local = name.rsplit(':').next().unwrap_or_default();
    // This runs for every name in every message, so it does not allocate.
    let mut plain = [0; LONGEST_NAME];
    let mut length = 0;
    for c in local.chars().filter(|c| c.is_alphanumeric()) {
        let (Ok(c), Some(place)) = (u8::try_from(c), plain.get_mut(length)) else { return false };
        *place = c.to_ascii_lowercase();
        length += 1;
    }
    SECRET_NAMES.iter().any(|name| name.as_bytes() == &plain[..length])
}

/// The length of the longest name in [`SECRET_NAMES`].
const LONGEST_NAME: usize = 18;

/// The secret names, in lower case and without separators.
const SECRET_NAMES: [&str; 34] = [
    "accessid",
    "accesskey",
    "accountkey",
    "accountnumber",
    "accountpin",
    "apikey",
    "authorization",
    "card",
    "cardcode",
    "cardnumber",
    "cardsecuritycode",
    "cookie",
    "csc",
    "customeraccessid",
    "customerpin",
    "cvc",
    "cvc2",
    "cvv",
    "cvv2",
    "encryptedtrackdata",
    "integratorkey",
    "jwt",
    "mobilejwt",
    "pan",
    "proxyauthorization",
    "routingnumber",
    "securitycode",
    "setcookie",
    "track1",
    "track1data",
    "track2",
    "track2data",
    "trackdata",
    "xapikey",
];

/// The number of digits in a card number.
const LENGTHS: RangeInclusive<usize> = 12..=19;

/// The maximum number of digits in a token id.
const LONGEST_TOKEN: usize = 20;

/// The number of digits that may be shown.
const SHOWN: usize = 4;

/// The maximum number of separators between two groups, as in `4111 - 1111`.
const WIDEST_GAP: usize = 3;

/// A run of adjacent digits.
struct Group {
    /// The position, in characters of the decoded text.
    span: Range<usize>,
    /// The digits in ASCII.
    digits: Vec<u8>,
    /// The characters between this group and the previous one.
    gap: Gap,
}

/// The characters between two groups.
#[derive(Clone, PartialEq, Eq)]
enum Gap {
    /// Up to three separators.
    Separators,
    /// Up to three other characters that are not letters.
    Other(String),
    /// Anything else, or the start of the text.
    Wide,
}

/// Whether the text has enough digits for a card number, with no letter between them unless an escape may hide one. Most
/// texts do not, and this runs for the text of every response.
fn has_room(text: &str) -> bool {
    let (mut all, mut run, mut longest, mut has_escapes) = (0, 0, 0, false);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | 0x80.. => {
                (all, run) = (all + 1, run + 1);
                longest = run.max(longest);
            }
            b'A'..=b'Z' | b'a'..=b'z' => run = 0,
            b'%' | b'&' | b'\\' => has_escapes = true,
            _ => {}
        }
    }
    longest >= *LENGTHS.start() || has_escapes && all >= *LENGTHS.start()
}

/// The positions of card numbers, in order, counted in characters. Overlapping ones are merged, because it is not known
/// which of them is the card.
fn card_spans(text: &str, shown: &[VisibleChar]) -> Vec<Range<usize>> {
    let groups = groups(shown);
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (first, group) in groups.iter().enumerate() {
        let Some(end) = card_end(&groups[first..]) else { continue };
        let written = shown[group.span.start].span.start..shown[end - 1].span.end;
        if is_of_uuid(text, written) {
            continue;
        }
        match spans.last_mut().filter(|span| group.span.start < span.end) {
            Some(span) => span.end = span.end.max(end),
            None => spans.push(group.span.start..end),
        }
    }
    spans
}

/// The end of the longest card number that begins with the first of these groups.
fn card_end(groups: &[Group]) -> Option<usize> {
    let (first, following) = groups.split_first()?;
    match first.digits.first()? {
        b'0' | b'1' if first.digits.len() <= LONGEST_TOKEN => return None,
        _ if first.digits.len() > *LENGTHS.end() => return Some(first.span.end),
        _ => {}
    }
    let usual = following.iter().take_while(|group| group.gap == Gap::Separators);
    let end = longest(first, usual, *LENGTHS.start());
    // Adjacent numbers, such as amounts in a list, often have these separators, so the conditions are stricter.
    let as_cards_begin = matches!(first.digits.first()?, b'3'..=b'6');
    let odd = match following.first().map(|group| &group.gap) {
        Some(gap @ Gap::Other(_)) if as_cards_begin => {
            longest(first, following.iter().take_while(|group| group.gap == *gap), 13)
        }
        _ => None,
    };
    end.max(odd)
}

/// The end of the longest number of at least this many digits that these groups form.
fn longest<'g>(first: &'g Group, following: impl Iterator<Item = &'g Group>, least: usize) -> Option<usize> {
    let mut digits = Vec::with_capacity(*LENGTHS.end());
    let mut end = None;
    for group in std::iter::once(first).chain(following) {
        if digits.len() + group.digits.len() > *LENGTHS.end() {
            break;
        }
        digits.extend_from_slice(&group.digits);
        if (least..=*LENGTHS.end()).contains(&digits.len()) && luhn(&digits) {
            end = Some(group.span.end);
        }
    }
    end
}

/// Whether a span is part of a UUID: 8, 4, 4, 4 and 12 hexadecimal digits that include a letter.
fn is_of_uuid(text: &str, span: Range<usize>) -> bool {
    const LENGTH: usize = 36;
    let is_uuid = |uuid: &[u8]| {
        let fits = |(at, byte): (usize, &u8)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        uuid.iter().enumerate().all(fits) && uuid.iter().any(u8::is_ascii_alphabetic)
    };
    let from = span.end.saturating_sub(LENGTH);
    (from..=span.start).any(|start| text.as_bytes().get(start..start + LENGTH).is_some_and(is_uuid))
}

fn groups(shown: &[VisibleChar]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut between: Vec<char> = Vec::new();
    let mut last_zero = 0;
    for (at, VisibleChar { character, .. }) in shown.iter().enumerate() {
        let Some(digit) = digit(*character) else {
            // One more than the maximum is enough to decide.
            if between.len() <= WIDEST_GAP {
                between.push(*character);
            }
            continue;
        };
        // A change of script begins another group: a digit before a card does not make it a longer number.
        let zero = u32::from(*character) - u32::from(digit - b'0');
        let is_same_script = zero == std::mem::replace(&mut last_zero, zero);
        match groups.last_mut() {
            Some(group) if between.is_empty() && is_same_script => {
                group.span.end = at + 1;
                group.digits.push(digit);
            }
            last => {
                let gap = if last.is_none() { Gap::Wide } else { gap(&between) };
                groups.push(Group { span: at..at + 1, digits: vec![digit], gap });
            }
        }
        between.clear();
    }
    groups
}

fn gap(between: &[char]) -> Gap {
    match between {
        _ if between.len() > WIDEST_GAP || between.iter().any(|c| c.is_alphanumeric()) => Gap::Wide,
        _ if between.iter().all(|c| is_separator(*c)) => Gap::Separators,
        _ => Gap::Other(between.iter().collect()),
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '_') || c.is_control() || !c.is_ascii() && !c.is_alphanumeric()
}
