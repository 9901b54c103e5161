//! Pasted API keys: the accepted ones, and each defect of pasting with its name and position.

use perennial_domain::clearent::{
    ApiKey,
    InvalidApiKey::{
        self, Character, Empty, Label, Length, LineBreak, Quote, SoftHyphen, Space, SpecialSpace, ZeroWidth,
    },
};
use proptest::prelude::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn keys_that_pass() {
    let cases = [
        KEY,
        "0123456789abcdef",
        "ApiZ9k3J7Qm2XvT0bYw5Lr8N",
        "apiary7f3c1e9b2d4a6f8e0c",
        "key0123456789abcdef",
        "b64+/Key0123456789ABCDE==",
        "abcdefghijklmnopqrstuvwx==",
        "abcdefghijklmnopqrstuvw=",
        "sk_live-0123456789.abc~def",
        "user1:0123456789abcdef",
        "3f0f6d1c-5f0e-4f39-9f7e-6a3d1c2b4e5f",
        "!#$%&()*+,-./;<>?@[]^_{|}~",
    ];
    for key in cases {
        let pasted = [key.to_owned(), format!(" {key}"), format!("\t{key}\r\n"), format!("\n\n{key}  ")];
        for pasted in pasted {
            assert_eq!(ApiKey::new(&pasted).unwrap().expose(), key, "{pasted:?}");
        }
    }
}

#[test]
fn each_defect_has_a_name_and_a_position() {
    let cases = [
        ("", Empty),
        (" \r\n\t ", Empty),
        ("API Key: 0123456789abcdef", Label),
        ("API Key 0123456789abcdef", Label),
        ("Api-Key: 0123456789abcdef", Label),
        ("api-key=0123456789abcdef", Label),
        ("api_key = 0123456789abcdef", Label),
        ("apikey0123456789abcdef", Label),
        ("API\u{a0}Key:\u{a0}0123456789abcdef", Label),
        ("API Key:\n0123456789abcdef", Label),
        ("API Key is 0123456789abcdef", Label),
        ("Your API key: 0123456789abcdef", Label),
        ("Key: 0123456789abcdef", Label),
        ("\u{201c}API Key\u{201d}: 0123456789abcdef", Label),
        ("Clé :0123456789abcdef", Label),
        (": 0123456789abcdef", Label),
        ("PERENNIAL_API_KEY=0123456789abcdef", Label),
        ("0123456789abcdef\n0123456789abcdef", LineBreak { at: 17 }),
        ("0123456789abcdef\r\n0123456789abcdef", LineBreak { at: 17 }),
        ("01234567\u{b}89abcdef", LineBreak { at: 9 }),
        ("01234567\u{c}89abcdef", LineBreak { at: 9 }),
        ("01234567\u{85}89abcdef", LineBreak { at: 9 }),
        ("01234567\u{2028}89abcdef", LineBreak { at: 9 }),
        ("01234567\u{2029}89abcdef", LineBreak { at: 9 }),
        ("01234567 89abcdef", Space { at: 9 }),
        ("  01234567\t89abcdef", Space { at: 9 }),
        ("Key 0123456789abcdef", Space { at: 4 }),
        ("\u{a0}0123456789abcdef", SpecialSpace { at: 1 }),
        ("0123456789abcdef\u{a0}", SpecialSpace { at: 17 }),
        ("01234567\u{1680}89abcdef", SpecialSpace { at: 9 }),
        ("01234567\u{2007}89abcdef", SpecialSpace { at: 9 }),
        ("01234567\u{2009}89abcdef", SpecialSpace { at: 9 }),
        ("01234567\u{202f}89abcdef", SpecialSpace { at: 9 }),
        ("01234567\u{205f}89abcdef", SpecialSpace { at: 9 }),
        ("01234567\u{3000}89abcdef", SpecialSpace { at: 9 }),
        ("\u{feff}\u{feff}0123456789abcdef", ZeroWidth { at: 1 }),
        ("0123456789abcdef\u{feff}", ZeroWidth { at: 17 }),
        ("01234567\u{200b}89abcdef", ZeroWidth { at: 9 }),
        ("01234567\u{200d}89abcdef", ZeroWidth { at: 9 }),
        ("01234567\u{202e}89abcdef", ZeroWidth { at: 9 }),
        ("01234567\u{2060}89abcdef", ZeroWidth { at: 9 }),
        ("01234567\u{2069}89abcdef", ZeroWidth { at: 9 }),
        ("01234567\u{ad}89abcdef", SoftHyphen { at: 9 }),
        ("\"0123456789abcdef\"", Quote { at: 1 }),
        ("'0123456789abcdef'", Quote { at: 1 }),
        ("`0123456789abcdef`", Quote { at: 1 }),
        ("\u{201c}0123456789abcdef\u{201d}", Quote { at: 1 }),
        ("0123456789abcdef\u{2019}", Quote { at: 17 }),
        ("\u{ab}0123456789abcdef\u{bb}", Quote { at: 1 }),
        ("\u{2039}0123456789abcdef\u{203a}", Quote { at: 1 }),
        ("01234567\u{2013}89abcdef", Character { at: 9 }),
        ("0123456é89abcdef", Character { at: 8 }),
        ("ééé\u{a0}0123456789abcdef", Character { at: 1 }),
        ("01234567\u{0}89abcdef", Character { at: 9 }),
        ("01234567\u{7f}89abcdef", Character { at: 9 }),
        ("0123456789abcde", Length),
    ];
    for (pasted, expected) in cases {
        let refused = |read: Result<ApiKey, InvalidApiKey>| read.unwrap_err();
        assert_eq!(refused(ApiKey::new(pasted)), expected, "{pasted:?}");
        assert_eq!(refused(ApiKey::try_from(pasted.to_owned())), expected, "{pasted:?}");
        assert_eq!(refused(pasted.parse()), expected, "{pasted:?}");
    }
    assert!(ApiKey::new(&"a".repeat(256)).is_ok());
    assert_eq!(ApiKey::new(&"a".repeat(257)).unwrap_err(), Length);
}

#[test]
fn messages_say_what_to_do() {
    let cases = [
        (Empty, "the api key is empty: paste the key from the document that Clearent sent"),
        (Label, "the api key begins with a label such as \"API Key:\": paste only what follows it"),
        (LineBreak { at: 17 }, "the api key has a line break at character 17: join its lines"),
        (Space { at: 5 }, "the api key has a space at character 5: remove it"),
        (
            SpecialSpace { at: 5 },
            "the api key has a non-breaking or other special space at character 5: remove it",
        ),
        (
            ZeroWidth { at: 5 },
            "the api key has an invisible zero-width character at character 5: type the key or paste it as plain text",
        ),
        (SoftHyphen { at: 5 }, "the api key has a soft hyphen at character 5: remove it"),
        (Quote { at: 1 }, "the api key has a quotation mark at character 1: paste the key without quotes"),
        (Character { at: 9 }, "the api key has a character that no key has at character 9"),
        (Length, "the api key must have 16 to 256 characters (those of the vendor have 32)"),
    ];
    for (error, message) in cases {
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #[test]
    fn no_hexadecimal_or_base64_key_is_refused(key in "[0-9a-f]{16,64}|[A-Za-z0-9+/]{22,86}={0,2}|[A-Za-z0-9_-]{16,86}") {
        prop_assume!(!key.to_ascii_lowercase().replace(['_', '-'], "").starts_with("apikey"));
        let read = ApiKey::new(&key).unwrap();
        prop_assert_eq!(read.expose(), key);
    }

    /// Holds: A malformed key is refused with the position of its defect, and the message contains no part of the key.
    #[test]
    fn a_defect_is_found_where_it_is_and_its_message_holds_nothing_of_the_key(
        key in "[0-9a-f]{32}",
        place in 1..32usize,
        defect in prop::sample::select(vec!['\n', ' ', '\u{a0}', '\u{200b}', '\u{ad}', '\u{201c}', '\u{e9}']),
    ) {
        let mut pasted = key.clone();
        pasted.insert(place, defect);
        let error = ApiKey::new(&pasted).unwrap_err();
        let message = format!("{error} {error:?}");
        let at = format!("character {} ", place + 1);
        let found = message.contains(&at) || message.contains(at.trim_end());
        prop_assert!(found, "{message}");
        for window in key.as_bytes().windows(8) {
            prop_assert!(!message.contains(std::str::from_utf8(window).unwrap()), "{message}");
        }
    }
}
