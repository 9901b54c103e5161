//! Masking: secrets of a call are masked in every text of every reply, and nothing else changes.

use perennial_domain::mask::{Known, Prose};
use perennial_wire::Limits;
use perennial_wire::clearent::Reply;

use crate::clientpay;
use crate::clientpay::replies::KINDS;
use crate::corpus::REPLIES;
use crate::samples::{FORMATS, corpus};

struct Document {
    name: String,
    text: String,
    read: Box<dyn Fn(&str, &Limits) -> Result<String, String>>,
}

/// Every golden reply, and its reader.
fn documents() -> Vec<Document> {
    let clearent = REPLIES.iter().flat_map(|(name, _)| {
        FORMATS.map(|format| Document {
            name: format!("{name}.{format}"),
            text: corpus(&format!("replies/{name}"), format),
            read: Box::new(move |text, limits| {
                let read = Reply::decode(format, text.as_bytes(), limits);
                read.map(|reply| format!("{reply:#?}")).map_err(|error| format!("{error} {error:?}"))
            }),
        })
    });
    let clientpay = KINDS.iter().flat_map(|kind| {
        kind.names.iter().map(|name| Document {
            name: (*name).to_owned(),
            text: clientpay::corpus(name).unwrap(),
            read: Box::new(|text, limits| {
                (kind.read_within)(text.as_bytes(), limits).map_err(|error| format!("{error} {error:?}"))
            }),
        })
    });
    clearent.chain(clientpay).collect()
}

/// The scalars of a golden document: the name of the member, the range of the value, and whether it is quoted.
fn scalars(text: &str) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    if text.starts_with('<') {
        for (close, _) in text.match_indices("</") {
            let start = text[..close].rfind('>').unwrap() + 1;
            let end = close + text[close..].find('>').unwrap();
            if !text[start..close].trim().is_empty() {
                found.push((&text[close + 2..end], start..close));
            }
        }
        return found;
    }
    for (colon, _) in text.match_indices("\":") {
        let name = &text[text[..colon].rfind('"').unwrap() + 1..colon];
        let value = text[colon + 2..].trim_start();
        let start = text.len() - value.len();
        if let Some(inner) = value.strip_prefix('"') {
            found.push((name, start..start + 2 + inner.find('"').unwrap()));
        } else if value.starts_with(|c: char| c.is_ascii_digit()) {
            found.push((name, start..start + value.find([',', '}', '\n']).unwrap()));
        }
    }
    found
}

fn with(text: &str, span: &std::ops::Range<usize>, value: &str) -> String {
    let quote = if text.starts_with('<') { "" } else { "\"" };
    [&text[..span.start], quote, value, quote, &text[span.end..]].concat()
}

/// Puts the secret's text into every scalar in turn.
///
/// Holds: Every text member of a response masks the secrets of its call.
#[test]
fn what_was_sent_is_masked_in_every_member() {
    const ECHO: &str = "key K3Y0-f7a1-99c2-BEEF card 5105-1051-0510-5100 code 9786.";
    let known = || Known::default().secret("k3y0f7a199c2beef").secret("5105105105105100").code("9786");
    let limits = Limits::masking(known());
    let (mut echoed, mut tried) = (0, 0);
    for Document { name, text, read } in documents() {
        for (member, span) in scalars(&text) {
            let altered = with(&text, &span, ECHO);
            if read(&altered, &Limits::default()).is_ok_and(|shown| shown.contains("5105")) {
                echoed += 1;
            }
            let shown = read(&altered, &limits).unwrap_or_else(|error| error);
            for secret in ["BEEF", "5105", "5100"] {
                assert!(!shown.contains(secret), "{name}, {member}: {shown}");
            }
            let kept = shown.contains("9786");
            let may_keep = matches!(Prose::of(member), Prose::Exact | Prose::Code);
            assert!(!kept || may_keep, "{name}, {member}: {shown}");
            tried += 1;
        }
    }
    assert!(tried > 900 && echoed > 500, "{tried} members, {echoed} of them show their text");
}

/// Uses a security code, a pin or a short account number that equals an amount, day or id by chance.
///
/// Holds: Masking changes no amount, date, key or id.
#[test]
fn money_dates_and_ids_stay_as_they_are() {
    let mut changed = std::collections::BTreeSet::new();
    for Document { name, text, read } in documents() {
        let meant = read(&text, &Limits::default()).unwrap();
        for (member, span) in scalars(&text) {
            let value = &text[span];
            let runs = value.split(|c: char| !c.is_ascii_digit()).filter(|run| (3..=4).contains(&run.len()));
            let known = runs.fold(Known::default(), Known::secret);
            let shown =
                read(&text, &Limits::masking(known)).unwrap_or_else(|error| panic!("{name}: {error}"));
            if shown != meant {
                changed.insert(member.to_owned());
            }
        }
    }
    assert_eq!(changed.into_iter().collect::<Vec<_>>(), FREE);
}

/// Members of golden replies in which a separate number of three or four digits is masked if it was sent
/// as a secret: the last digits of a card, one in ten thousand of which are a security code by chance.
const FREE: &[&str] = &["card"];
