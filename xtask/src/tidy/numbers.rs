//! Card numbers and keys that could be real: none may be in the tree.

use super::{Files, Finding};

/// The numbers that the sandbox accepts, one per line.
const TEST_CARDS: &str = include_str!("../../../crates/sandbox/src/issuer/test_cards.txt");
/// The numbers of the other vendor, each with its answer.
const CLIENTPAY_TEST_CARDS: &str =
    include_str!("../../../crates/sandbox/src/issuer/clientpay_test_cards.txt");
/// Published test numbers of networks that the gateway does not carry: `UnionPay` and Maestro.
const OTHER_TEST_CARDS: &[&str] = &[
    "3088000000000017",
    "6200000000000005",
    "6200000000000047",
    "6205500000000000004",
    "6304000000000000",
    "6759649826438453",
];

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let lines =
        files.iter().flat_map(|(path, text)| text.lines().zip(1..).map(move |(line, at)| (path, at, line)));
    let faults = lines.filter_map(|(path, at, line)| Some(Finding::at(path, at, fault(line)?)));
    faults.collect()
}

fn fault(line: &str) -> Option<&'static str> {
    if digit_runs(line).any(|digits| could_be_a_card(&digits)) {
        Some("a card number that is on no published test list")
    } else if words(line).any(could_be_a_key) {
        Some("a key that could be real: repeat a pattern, as in 32 zeros")
    } else {
        None
    }
}

/// Runs of digits, also in groups with a space or a hyphen between, as on a card. Digits beside a
/// hexadecimal letter belong to a checksum.
fn digit_runs(line: &str) -> impl Iterator<Item = String> {
    let plain =
        line.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.bytes().all(|b| b.is_ascii_digit()));
    let printed = line.split(|c: char| !c.is_ascii_digit() && c != ' ' && c != '-').flat_map(printed_cards);
    plain.map(String::from).chain(printed)
}

fn printed_cards(run: &str) -> Vec<String> {
    let groups: Vec<&str> = run.split([' ', '-']).collect();
    let shaped = |lengths: &[usize]| {
        let windows = groups.windows(lengths.len());
        let fit = windows.filter(|window| window.iter().map(|group| group.len()).eq(lengths.iter().copied()));
        fit.map(<[_]>::concat).collect::<Vec<_>>()
    };
    [shaped(&[4, 4, 4, 4]), shaped(&[4, 6, 5])].concat()
}

/// Whether digits could be a card. The gateway's networks number their cards from 2 to 6; its token ids, of 19 digits,
/// start with 1.
fn could_be_a_card(digits: &str) -> bool {
    let of_a_network = digits.starts_with(['2', '3', '4', '5', '6']) && (13..=19).contains(&digits.len());
    let published = TEST_CARDS.lines().any(|line| line == digits)
        || CLIENTPAY_TEST_CARDS.lines().any(|line| line.split(' ').next() == Some(digits))
        || OTHER_TEST_CARDS.contains(&digits);
    of_a_network && luhn(digits) && !published
}

fn luhn(digits: &str) -> bool {
    let value = |(index, digit): (usize, u8)| {
        let doubled = u32::from(digit - b'0') * if index % 2 == 1 { 2 } else { 1 };
        doubled / 10 + doubled % 10
    };
    digits.bytes().rev().enumerate().map(value).sum::<u32>() % 10 == 0
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Whether a word could be a Clearent key, which is 32 hexadecimal digits. One that repeats itself or only climbs was
/// made up.
fn could_be_a_key(word: &str) -> bool {
    let bytes = word.as_bytes();
    let repeats =
        (1..=16).any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(left, right)| left == right));
    bytes.len() == 32 && bytes.iter().all(u8::is_ascii_hexdigit) && !repeats && !bytes.is_sorted()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds test text from parts, so that this file passes its own rule.
    fn fill(text: &str) -> String {
        text.replace("VISA", &["4539", "1488", "0343", "6467"].concat())
            .replace("AMEX", &["3782", "822463", "10013"].concat())
            .replace("GROUPS", &["4539", "1488", "0343", "6467"].join(" "))
            .replace("HYPHENS", &["4539", "1488", "0343", "6467"].join("-"))
            .replace("TOKEN", &["00000005", "555511118"].concat())
            .replace("KEY", &["0f3a9c41d7b2486e", "95aa1c3fe80b7d26"].concat())
    }

    /// Holds: Tidy refuses a card number that is on no test list and a key that could be real.
    #[test]
    fn what_could_be_real_is_found() {
        let card = Some("a card number that is on no published test list");
        let key = Some("a key that could be real: repeat a pattern, as in 32 zeros");
        let cases = [
            ("card 4111111111111111, 4111 1111 1111 1111, 4111-1111-1111-1111", None),
            ("VISA", card),
            (r#"{"card":"VISA"}"#, card),
            ("<card>VISA</card>", card),
            (r#""a\nVISA""#, card),
            ("AMEX", card),
            ("GROUPS", card),
            (r#"card: "HYPHENS","#, card),
            ("VISA0", None),
            ("0000000000000000, a token id: 11TOKEN", None),
            ("aVISA", None),
            ("KEY", key),
            ("api-key: KEY", key),
            ("KEYKEY", None),
            ("cust_KEY", None),
            ("0123456789abcdef0123456789abcdef 00000000000000000000000000000000", None),
            ("00112233445566778899aabbccddeeff", None),
        ];
        for (text, expected) in cases {
            assert_eq!(fault(&fill(text)), expected, "{text}");
        }
    }

    #[test]
    fn every_test_card_passes_luhn_and_stands_once() {
        let listed = TEST_CARDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let cards: Vec<&str> = listed.chain(OTHER_TEST_CARDS.iter().copied()).collect();
        for card in &cards {
            assert!(luhn(card), "{card}");
            assert_eq!(cards.iter().filter(|other| other == &card).count(), 1, "{card}");
        }
    }

    #[test]
    fn a_finding_says_the_line() {
        let found = check(&Files::of([("a.md", &fill("fine\nVISA"))]));
        assert_eq!(found, [Finding::at("a.md", 2, "a card number that is on no published test list")]);
    }
}
