//! The chapter on going live.

use perennial::clearent::webhook::{PublicKey, SignatureError, Signed, Signer};

/// The status of the response, and the text to record.
fn alert(key: &PublicKey, body: &[u8]) -> (u16, Option<String>) {
    match Signed::read(body).map(|signed| signed.verify(key)) {
        Ok(Ok(alert)) => (200, alert.transaction.id.map(|id| id.to_string())),
        // It is the gateway's, but this version does not know it: let it come again.
        Ok(Err(SignatureError::Payload(_))) => (500, None),
        // It is not the gateway's.
        Ok(Err(_)) | Err(_) => (400, None),
    }
}

#[test]
fn an_alert_counts_only_if_it_is_signed() {
    let gateway = Signer::from_seed(b"this test");
    let key = PublicKey::from_hex(&gateway.public_key().to_string()).unwrap();
    let payload =
        br#"{"code":"200","payload":{"transaction":{"id":"700011","type":"SALE","result":"APPROVED"},
        "payloadType":"transaction"}}"#;
    let signed = gateway.sign(payload).unwrap();
    assert_eq!(alert(&key, &signed), (200, Some("700011".into())));
    let forged = String::from_utf8(signed).unwrap().replace("700011", "700012");
    assert_eq!(alert(&key, forged.as_bytes()), (400, None));
}
