//! No card number and no key that could be real, anywhere in the tree.

use super::{Files, Finding};

/// Numbers that processors publish for tests; no account stands behind them. Sources: the samples of Clearent's pages,
/// the simulator data of its acquiring network, and the lists that all card processors share.
const TEST_CARDS: &[&str] = &[
    // Visa
    "4000056655665556",
    "4005519200000004",
    "4007000000027",
    "4009348888881881",
    "4012000033330026",
    "4012000077777777",
    "4012000098765439",
    "4012888888881881",
    "4111111111111111",
    "4217651111111119",
    "4222222222222",
    "4242424242424242",
    "4500600000000061",
    // Mastercard
    "2222400070000005",
    "2223000010309703",
    "2223000048400011",
    "2223003122003222",
    "5100000010001004",
    "5105105105105100",
    "5200828282828210",
    "5424000000000015",
    "5454545454545454",
    "5499740000000057",
    "5555555555554444",
    // American Express
    "340000000000009",
    "370000000000002",
    "371144371144376",
    "371449635392376",
    "371449635398431",
    "378282246310005",
    "378734493671000",
    // Discover, Diners Club, JCB, UnionPay
    "6011000000000004",
    "6011000000000012",
    "6011000990139424",
    "6011000991300009",
    "6011000993026909",
    "6011111111111117",
    "6011981111111113",
    "30000000000004",
    "30569309025904",
    "36227206271667",
    "38000000000006",
    "38520000023237",
    "3056930009020004",
    "3088000000000017",
    "3530111333300000",
    "3566002020360505",
    "6200000000000005",
    "6200000000000047",
    "6205500000000000004",
    // Maestro
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

/// Runs of digits as they stand, and as a card is printed: in groups with a space or a hyphen between. Digits beside a
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

/// The networks that the gateway carries number their cards from 2 to 6; its token ids, of 19 digits, start with 1.
fn could_be_a_card(digits: &str) -> bool {
    let of_a_network = digits.starts_with(['2', '3', '4', '5', '6']) && (13..=19).contains(&digits.len());
    of_a_network && luhn(digits) && !TEST_CARDS.contains(&digits)
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

/// A Clearent key is 32 hexadecimal digits. One that repeats itself or only climbs was made up.
fn could_be_a_key(word: &str) -> bool {
    let bytes = word.as_bytes();
    let repeats =
        (1..=16).any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(left, right)| left == right));
    bytes.len() == 32 && bytes.iter().all(u8::is_ascii_hexdigit) && !repeats && !bytes.is_sorted()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made of parts, so that this file passes its own rule.
    fn fill(text: &str) -> String {
        text.replace("VISA", &["4539", "1488", "0343", "6467"].concat())
            .replace("AMEX", &["3782", "822463", "10013"].concat())
            .replace("GROUPS", &["4539", "1488", "0343", "6467"].join(" "))
            .replace("HYPHENS", &["4539", "1488", "0343", "6467"].join("-"))
            .replace("TOKEN", &["00000005", "555511118"].concat())
            .replace("KEY", &["0f3a9c41d7b2486e", "95aa1c3fe80b7d26"].concat())
    }

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
        for card in TEST_CARDS {
            assert!(luhn(card), "{card}");
            assert_eq!(TEST_CARDS.iter().filter(|other| other == &card).count(), 1, "{card}");
        }
    }

    #[test]
    fn a_finding_says_the_line() {
        let found = check(&Files::of([("a.md", &fill("fine\nVISA"))]));
        assert_eq!(found, [Finding::at("a.md", 2, "a card number that is on no published test list")]);
    }
}
