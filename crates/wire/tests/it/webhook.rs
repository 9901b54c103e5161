//! Alerts: accepted and rejected ones.

use std::fs;

use perennial_domain::clearent::{Link, TokenStatus, TransactionResult};
use perennial_wire::clearent::webhook::{
    PublicKey, PublicKeyError, SignatureError, Signed, Signer, Unsigned,
};
use perennial_wire::clearent::{Payload, Reply};
use perennial_wire::{DecodeErrorKind, Format};
use proptest::prelude::*;

use crate::properties::transaction;

/// A key that openssl made for these tests, and with which it signed the alert of the corpus:
/// `openssl ecparam -name brainpoolP384t1 -genkey -noout -out key.pem`, then
/// `openssl ec -in key.pem -pubout -outform DER | xxd -p` for this, and for the signature
/// `openssl dgst -sha384 -sign key.pem payload.json | xxd -p`, where the file is the value of `payload`.
const OPENSSL: &str = "307a301406072a8648ce3d020106092b240303020801010c036200041b7841f5f27b9927ea022a40c63\
                       dd2d46c4cde103007c1eb30b7a3038541b9534c7847db1e2d32b33f56d8e60507594b7102ca9b8b06a6\
                       921db2fe472b7dbecd1d3a6859fbbb36f523ab49f5e6aa44c7092efd6a7532581a780898d0cda1704a";

fn openssl() -> PublicKey {
    PublicKey::from_hex(OPENSSL).unwrap()
}

fn golden() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/clearent/alerts/payment-of-a-plan.json");
    fs::read_to_string(path).unwrap()
}

/// The alert with another signature.
fn signed_with(signature: &str) -> String {
    let golden = golden();
    let (before, _) = golden.split_once(r#""signature":""#).unwrap();
    format!(r#"{before}"signature":"{signature}"}}"#)
}

fn signature() -> String {
    let golden = golden();
    let (_, signature) = golden.split_once(r#""signature":""#).unwrap();
    signature.trim_end().strip_suffix("\"}").unwrap().to_owned()
}

/// Holds: An alert that openssl signed is verified and read.
#[test]
fn what_openssl_signed_is_verified_and_says_what_happened() {
    let golden = golden();
    let alert = Signed::read(golden.as_bytes()).unwrap().verify(&openssl()).unwrap();
    let (transaction, token) = (alert.transaction, alert.token.unwrap());
    assert_eq!(transaction.result, Some(TransactionResult::APPROVED));
    assert_eq!(transaction.amount.unwrap().to_string(), "12.22");
    assert_eq!(transaction.display_message.as_deref(), Some("Transaction approved"));
    assert_eq!(transaction.plan_key().unwrap().as_str(), "plan_3f0f2b1c");
    assert_eq!(token.token_id.unwrap().as_str(), "1100000000555551111");
    assert_eq!(token.status, Some(TokenStatus::ACTIVE));
    assert_eq!(alert.payload_type.as_deref(), Some("transactionToken"));
    let unsigned = Unsigned {
        code: Some(200),
        status: Some("success".into()),
        exchange_id: Some("ID-clearent-cre-2-5f0c2b1e-0000-4000-8000-000000000001".into()),
        links: vec![Link {
            rel: "transaction".into(),
            href: "/rest/v2/transactions?id=700010".into(),
            id: Some("700010".into()),
        }],
    };
    assert_eq!(alert.unsigned, unsigned);
}

/// Verifies a key and a signature from one seed. `printf '{"transaction":{"id":"1"}}' | openssl dgst -sha384 -verify
/// key.pem -signature signature.bin` says `Verified OK` of them; the files are these digits by `xxd -r -p`, the key's
/// through `openssl pkey -pubin -inform DER -out key.pem`.
#[test]
fn what_we_sign_openssl_verifies() {
    let key = "307a301406072a8648ce3d020106092b240303020801010c036200046aa10486fe0bdd913ff53807\
               62a9e3081f4798786e4424dba0c1e89081e9c67798d31286e960ed36a2291af6808c5f3367373fd9\
               60563c00019a278cf885edc584f0d247ad1847fd228bc63fde48c65cfd4ee87546d483cabad427d7\
               66594534";
    let signature = "306402302fddd4bf7935b725bfe9c67276487116c37d113013551838ee7979f3e36fad5591ee274a\
                     f9885aa582544d809a6e47d902301f92ef294c8a995dd2c8aa6a6e2a7194fd1fc29a046574400037\
                     f30a5d8ddf735bc15c79e8a256c8dbd2ec34dccc41ab";
    let signer = Signer::from_seed(b"perennial");
    assert_eq!(signer.public_key().to_string(), key);
    assert_eq!(signer.signature(br#"{"transaction":{"id":"1"}}"#), signature);
}

#[test]
fn a_document_that_is_no_alert() {
    use DecodeErrorKind as Kind;
    let deep = format!(r#"{{"payload":{}1{},"signature":""}}"#, r#"{"a":"#.repeat(32), "}".repeat(32));
    let huge = format!(r#"{{"payload":{{"a":"{}"}},"signature":""}}"#, "a".repeat(1024 * 1024));
    let long = format!(r#"{{"payload":{{}},"signature":"{}"}}"#, "3".repeat(65_537));
    let syntax = |column| Kind::Syntax { line: 1, column };
    let cases = [
        ("", "", Kind::Empty),
        ("[]", "", Kind::WrongType),
        ("{}", "payload", Kind::Missing),
        (r#"{"payload":{}}"#, "signature", Kind::Missing),
        (r#"{"payload":{},"signature":null}"#, "signature", Kind::WrongType),
        (r#"{"payload":{},"signature":{}}"#, "signature", Kind::WrongType),
        (r#"{"payload":{},"signature":["30"]}"#, "signature", Kind::WrongType),
        (r#"{"signature":"30"}"#, "payload", Kind::Missing),
        (r#"{"payload":null,"signature":"30"}"#, "payload", Kind::WrongType),
        (r#"{"payload":[],"signature":"30"}"#, "payload", Kind::WrongType),
        (r#"{"payload":"{}","signature":"30"}"#, "payload", Kind::WrongType),
        (r#"{"payload":{},"payload":{},"signature":"30"}"#, "payload", Kind::Duplicate),
        (r#"{"payload":{},"signature":"30","p\u0061yload":{}}"#, "payload", Kind::Duplicate),
        (r#"{"payload":{},"signature":"30","signature":"30"}"#, "signature", Kind::Duplicate),
        (r#"{"payload":{},"signature":"30","signature":null}"#, "signature", Kind::Duplicate),
        (r#"{"payload":{},"signature":"30"}{}"#, "", Kind::Trailing),
        (r#"{"payload":{},"signature":"30"}x"#, "", Kind::Trailing),
        (r#"{"payload":{],"signature":"30"}"#, "payload", syntax(13)),
        (r"<response><payload/></response>", "", syntax(1)),
        (&deep, "payload", Kind::TooDeep),
        (&huge, "", Kind::TooLarge),
        (&long, "signature", Kind::TextTooLong),
    ];
    for (document, path, kind) in cases {
        let error = Signed::read(document.as_bytes()).unwrap_err();
        assert_eq!((error.path(), error.kind()), (path, kind), "{}", &document[..document.len().min(80)]);
    }
    let golden = golden();
    let golden = golden.trim_end();
    for end in 0..golden.len() {
        assert!(Signed::read(&golden.as_bytes()[..end]).is_err(), "up to byte {end}");
    }
}

/// Holds: Each malformed or foreign signature of the table is refused.
#[test]
fn a_signature_that_is_none() {
    use SignatureError::{Malformed, Mismatch};
    let good = signature();
    let [zero, one] = ["020100", "020101"];
    // One more than the largest number of the curve, which is its order.
    let order = "0231008cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac\
                 0425a7cf3ab6af6b7fc3103b883202e9046565";
    let below = order.replace("046565", "046564");
    let other = Signer::from_seed(b"another").signature(Signed::read(golden().as_bytes()).unwrap().payload());
    let cases = [
        (good.to_uppercase(), Ok(())),
        (String::new(), Err(Malformed)),
        ("zz".repeat(102), Err(Malformed)),
        (good[1..].to_owned(), Err(Malformed)),
        (good[..good.len() - 2].to_owned(), Err(Malformed)),
        (format!("{good}00"), Err(Malformed)),
        (format!(" {good}"), Err(Malformed)),
        (format!("0x{good}"), Err(Malformed)),
        (good.replacen("3064", "308164", 1), Err(Malformed)),
        (good.replacen("30640230", "3065023100", 1), Err(Malformed)),
        (format!("3006{zero}{one}"), Err(Malformed)),
        (format!("3006{one}{zero}"), Err(Malformed)),
        (format!("3006{zero}{zero}"), Err(Malformed)),
        (format!("3006{one}020181"), Err(Malformed)),
        (format!("3036{order}{one}"), Err(Malformed)),
        (format!("3036{one}{order}"), Err(Malformed)),
        ("3000".into(), Err(Malformed)),
        (format!("3003{one}"), Err(Malformed)),
        (format!("3009{one}{one}{one}"), Err(Malformed)),
        (format!("3106{one}{one}"), Err(Malformed)),
        (format!("3006{one}{one}"), Err(Mismatch)),
        (format!("3036{below}{one}"), Err(Mismatch)),
        (other, Err(Mismatch)),
    ];
    for (signature, expected) in cases {
        let body = signed_with(&signature);
        let verified = Signed::read(body.as_bytes()).unwrap().verify(&openssl());
        assert_eq!(verified.map(|_| ()), expected, "{signature}");
        let body = golden();
        let verified = Signed::read_with(body.as_bytes(), &signature).unwrap().verify(&openssl());
        assert_eq!(verified.map(|_| ()), expected, "{signature}, in a header");
    }
    let elsewhere = Signed::read(golden().as_bytes()).unwrap().verify(&Signer::generate().public_key());
    assert_eq!(elsewhere.unwrap_err(), Mismatch);
}

#[test]
fn a_key_that_is_none() {
    use PublicKeyError::{Curve, Digits, Length, Point};
    let elsewhere = |from: &str, to: &str| OPENSSL.replacen(from, to, 1);
    let cases = [
        (OPENSSL.to_owned(), Ok(())),
        (OPENSSL.to_uppercase(), Ok(())),
        (String::new(), Err(Length)),
        (OPENSSL[2..].to_owned(), Err(Length)),
        (format!("{OPENSSL}00"), Err(Length)),
        // The file as an editor writes it.
        (format!("\u{feff}{OPENSSL}\r\n"), Ok(())),
        (format!("\u{feff}\u{feff}{OPENSSL}"), Err(Length)),
        (elsewhere("307a", "30 7"), Err(Digits)),
        (elsewhere("307a", "é7a"), Err(Digits)),
        // brainpoolP384r1, as openssl names it.
        (elsewhere("0801010c", "0801010b"), Err(Curve)),
        (elsewhere("2a8648ce3d0201", "2a8648ce3d0202"), Err(Curve)),
        (elsewhere("036200", "036201"), Err(Curve)),
        (elsewhere("036200", "046200"), Err(Curve)),
        (elsewhere("03620004", "03620006"), Err(Point)),
        (elsewhere("03620004", "03620003"), Err(Point)),
        (elsewhere("041b78", "041b79"), Err(Point)),
        (elsewhere("a1704a", "a1704b"), Err(Point)),
        (format!("{}{}", &OPENSSL[..56], "f".repeat(192)), Err(Point)),
        (format!("{}{}", &OPENSSL[..56], "0".repeat(192)), Err(Point)),
    ];
    for (digits, expected) in cases {
        let read = PublicKey::from_hex(&digits);
        assert_eq!(read.as_ref().map(|_| ()).map_err(|error| *error), expected, "{digits}");
        if let Ok(key) = read {
            assert_eq!(key, openssl());
            assert_eq!(key.to_string(), OPENSSL);
        }
    }
}

/// Holds: No member outside the signed payload of an alert is read as a part of it.
#[test]
fn nothing_unsigned_is_taken_for_signed() {
    let signer = Signer::from_seed(b"perennial");
    let payload = r#"{"transaction":{"id":"700001","result":"DECLINED"},"payloadType":"errorTransaction"}"#;
    let body = signer.sign(format!(r#"{{"payload":{payload}}}"#).as_bytes()).unwrap();
    let body = String::from_utf8(body).unwrap();
    let alert = Signed::read(body.as_bytes()).unwrap().verify(&signer.public_key()).unwrap();
    // A reply would read each of these as a part of its payload.
    for beside in [
        r#""transaction":{"id":"700002","result":"APPROVED"}"#,
        r#""tokenResponse":{"token-id":"1100000000555551111"}"#,
        r#""payloadType":"transactionToken""#,
        r#""error":{"error-message":"no"}"#,
    ] {
        let beside = body.replacen('{', &format!("{{{beside},"), 1);
        assert_eq!(Signed::read(beside.as_bytes()).unwrap().verify(&signer.public_key()).unwrap(), alert);
    }
}

#[test]
fn a_signed_payload_that_is_of_no_transaction() {
    use DecodeErrorKind as Kind;
    let signer = Signer::from_seed(b"perennial");
    let cases = [
        ("{}", "transaction", Kind::Missing),
        (r#"{"customer":{"customer-key":"cust_1"},"payloadType":"customer"}"#, "transaction", Kind::Missing),
        (r#"{"tokenResponse":{"token-id":"1100000000555551111"}}"#, "transaction", Kind::Missing),
        (r#"{"transaction":"none"}"#, "transaction", Kind::WrongType),
        (r#"{"transaction":{"amount":"much"}}"#, "transaction.amount", Kind::Invalid),
        (r#"{"transaction":{},"transaction":{}}"#, "transaction", Kind::Duplicate),
    ];
    for (payload, path, kind) in cases {
        let body = signer.sign(format!(r#"{{"payload":{payload}}}"#).as_bytes()).unwrap();
        match Signed::read(&body).unwrap().verify(&signer.public_key()) {
            Err(SignatureError::Payload(error)) => {
                assert_eq!((error.path(), error.kind()), (path, kind), "{payload}");
            }
            other => panic!("{payload}: {other:?}"),
        }
    }
}

#[test]
fn a_signer_signs_answers_once() {
    use DecodeErrorKind as Kind;
    let signer = Signer::from_seed(b"perennial");
    let cases = [
        ("", "", Kind::Empty),
        ("{}", "payload", Kind::Missing),
        (r#"{"payload":[]}"#, "payload", Kind::WrongType),
        (r#"{"payload":{},"signature":"30"}"#, "signature", Kind::Duplicate),
    ];
    for (answer, path, kind) in cases {
        let error = signer.sign(answer.as_bytes()).unwrap_err();
        assert_eq!((error.path(), error.kind()), (path, kind), "{answer}");
    }
    let alert = signer.sign(b" { \"payload\" : { } } \n").unwrap();
    let shown = String::from_utf8(alert).unwrap();
    assert_eq!(shown, format!(r#" {{ "payload" : {{ }} ,"signature":"{}"}}"#, signer.signature(b"{ }")));
}

/// Holds: No member of an alert can be read before its signature is verified.
#[test]
fn nothing_of_an_alert_is_shown_before_it_is_verified() {
    let body = golden();
    assert_eq!(format!("{:?}", Signed::read(body.as_bytes()).unwrap()), "Signed(..)");
    assert_eq!(format!("{:?}", Signer::from_seed(b"perennial")), "Signer(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Holds: A flipped bit in the payload or the signature of an alert is refused.
    #[test]
    fn a_flipped_bit_of_payload_or_signature_is_refused(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let golden = golden();
        let parts = [golden.find("{ \"tr").unwrap()..golden.find(",\n \"signature").unwrap(),
            golden.find("3064").unwrap()..golden.trim_end().len() - 2];
        let key = openssl();
        for part in parts {
            let mut body = golden.clone().into_bytes();
            let at = part.start + at.index(part.len());
            body[at] ^= 1 << bit;
            // The same digit in the other case.
            if body[at].eq_ignore_ascii_case(&golden.as_bytes()[at]) && at > golden.find("3064").unwrap() {
                continue;
            }
            let taken = Signed::read(&body).is_ok_and(|signed| signed.verify(&key).is_ok());
            prop_assert!(!taken, "bit {bit} of byte {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_signed_says_what_was_written(transaction in transaction(), seed: u64) {
        let signer = Signer::from_seed(&seed.to_le_bytes());
        let reply = Reply { payload: Payload::Transaction(Box::new(transaction.clone())), ..Reply::default() };
        let body = signer.sign(&reply.encode(Format::Json).unwrap()).unwrap();
        let alert = Signed::read(&body).unwrap().verify(&signer.public_key()).unwrap();
        prop_assert_eq!(alert.transaction, transaction);
    }
}
