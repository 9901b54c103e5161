//! What must not be shown, found where no type says so: card numbers inside of text, and members that are secret by
//! their name.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use crate::card::luhn;

/// The text with the digits of each card number replaced by `*`, all but the last four.
///
/// A card number here is 12 to 19 digits, ASCII or full-width, whose Luhn check digit is right. They may stand in
/// groups, with up to three blanks, hyphens, dots, underscores, control or other non-ASCII characters between them; a
/// group belongs to the number whole or not at all, for a part of a longer number passes the check too often by
/// chance. More digits than 19 side by side may hide a card, and are masked as one.
///
/// What begins with 0 or 1 and has at most 20 digits is left alone: no card of a brand that the gateways take begins
/// so, and every Clearent token id does (vault samples: `1100...`, 17 to 20 digits). So are the digits of a UUID with a
/// letter in it, one in 240 of which has a card number by chance.
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
    let spans = card_spans(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        masked.push_str(&text[from..span.start]);
        let number = &text[span.clone()];
        let mut hidden = number.chars().filter_map(digit).count() - SHOWN;
        for c in number.chars() {
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

/// Whether a member, element, parameter or header of this name holds a secret with either vendor: a card, a bank
/// account, a security code, track data, a key or another credential.
///
/// Case, separators and a namespace prefix make no difference.
///
/// ```
/// use perennial_domain::mask;
///
/// assert!(mask::is_secret_name("api-key") && mask::is_secret_name("ApiKey") && mask::is_secret_name("x:CSC"));
/// assert!(!mask::is_secret_name("card-type"));
/// ```
pub fn is_secret_name(name: &str) -> bool {
    let local = name.rsplit(':').next().unwrap_or_default();
    // Every name of every message is looked at, so this allocates nothing.
    let mut plain = [0; LONGEST_NAME];
    let mut length = 0;
    for c in local.chars().filter(|c| c.is_alphanumeric()) {
        let (Ok(c), Some(place)) = (u8::try_from(c), plain.get_mut(length)) else { return false };
        *place = c.to_ascii_lowercase();
        length += 1;
    }
    SECRET_NAMES.iter().any(|name| name.as_bytes() == &plain[..length])
}

/// How long the longest of them is.
const LONGEST_NAME: usize = 18;

/// In lower case and without separators.
const SECRET_NAMES: [&str; 33] = [
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
    "securitycode",
    "setcookie",
    "track1",
    "track1data",
    "track2",
    "track2data",
    "trackdata",
    "xapikey",
];

/// How many digits a card number has.
const LENGTHS: RangeInclusive<usize> = 12..=19;

/// How many digits a token id has at most.
const LONGEST_TOKEN: usize = 20;

/// How many of its digits may be shown.
const SHOWN: usize = 4;

/// As many separators as people put between two groups, as in `4111 - 1111`.
const WIDEST_GAP: usize = 3;

/// Digits that stand side by side.
struct Group {
    span: Range<usize>,
    /// In ASCII.
    digits: Vec<u8>,
    /// Whether only separators stand between this group and the one before it.
    follows: bool,
}

/// Whether enough digits for a card number stand with nothing but separators between them. Most texts have none, and
/// every answer's are looked at.
fn has_room(text: &str) -> bool {
    // Counting bytes is a tenth of the work, and settles it for nearly all.
    let may_count = |byte: &u8| byte.is_ascii_digit() || !byte.is_ascii();
    if text.as_bytes().iter().filter(|byte| may_count(byte)).count() < *LENGTHS.start() {
        return false;
    }
    let mut together = 0;
    text.chars().any(|c| {
        if digit(c).is_some() {
            together += 1;
        } else if !is_separator(c) {
            together = 0;
        }
        together == *LENGTHS.start()
    })
}

/// Where card numbers stand, in order. Those that overlap are one: which of them is the card cannot be told.
fn card_spans(text: &str) -> Vec<Range<usize>> {
    let groups = groups(text);
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (first, group) in groups.iter().enumerate() {
        let Some(end) = card_end(&groups[first..]) else { continue };
        if is_of_uuid(text, group.span.start..end) {
            continue;
        }
        match spans.last_mut().filter(|span| group.span.start < span.end) {
            Some(span) => span.end = span.end.max(end),
            None => spans.push(group.span.start..end),
        }
    }
    spans
}

/// Where the longest card number ends that begins with the first of these groups.
fn card_end(groups: &[Group]) -> Option<usize> {
    let (first, following) = groups.split_first()?;
    match first.digits.first()? {
        b'0' | b'1' if first.digits.len() <= LONGEST_TOKEN => return None,
        _ if first.digits.len() > *LENGTHS.end() => return Some(first.span.end),
        _ => {}
    }
    let mut digits = Vec::with_capacity(*LENGTHS.end());
    let mut end = None;
    for group in std::iter::once(first).chain(following.iter().take_while(|group| group.follows)) {
        if digits.len() + group.digits.len() > *LENGTHS.end() {
            break;
        }
        digits.extend_from_slice(&group.digits);
        if LENGTHS.contains(&digits.len()) && luhn(&digits) {
            end = Some(group.span.end);
        }
    }
    end
}

/// Whether a span is part of a UUID: 8, 4, 4, 4 and 12 hexadecimal digits, and letters among them.
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

fn digit(c: char) -> Option<u8> {
    match c {
        '０'..='９' => u8::try_from(u32::from(c) - u32::from('０')).ok().map(|digit| b'0' + digit),
        c => u8::try_from(c).ok().filter(u8::is_ascii_digit),
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '_') || c.is_control() || !c.is_ascii() && !c.is_alphanumeric()
}
