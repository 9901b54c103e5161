//! Alerts of the sandbox, verified and parsed by a user of the client.

use perennial::clearent::webhook::{Alert, PublicKey, SignatureError, Signed};
use perennial::clearent::*;
use perennial_sandbox::{Sandbox, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The body of the next post, which is accepted with a 2xx.
async fn posted(endpoint: &TcpListener) -> Vec<u8> {
    let (mut stream, _) = endpoint.accept().await.unwrap();
    let mut request = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "it broke off");
        let Some(head) = request.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let length = std::str::from_utf8(&request[..head]).unwrap().to_ascii_lowercase();
        let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let body = head + 4;
        if request.len() == body + length.unwrap_or(0_usize) {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            return request.split_off(body);
        }
    }
}

async fn key_of(world: &World) -> PublicKey {
    PublicKey::from_hex(&world.webhook_key().await.unwrap()).unwrap()
}

/// Holds: The facade verifies and reads the alerts that the sandbox posts.
#[tokio::test]
async fn what_is_posted_is_verified_and_says_what_was_answered() {
    for format in super::FORMATS {
        let sandbox = Sandbox::start().await.unwrap();
        let world = sandbox.world(7).await.unwrap();
        let client = super::client(&sandbox, world.api_key().expose(), format);
        let (ours, another) = (key_of(&world).await, key_of(&sandbox.world(8).await.unwrap()).await);
        let endpoint = TcpListener::bind("127.0.0.1:0").await.unwrap();
        world.webhook(&format!("http://{}/alerts", endpoint.local_addr().unwrap())).await.unwrap();
        let next = async || {
            let body = posted(&endpoint).await;
            let alert = Signed::read(&body).unwrap().verify(&ours).unwrap();
            let foreign = Signed::read(&body).unwrap().verify(&another);
            assert!(matches!(foreign, Err(SignatureError::Mismatch)), "{foreign:?}");
            let text = String::from_utf8(body).unwrap();
            let altered = text.replace(r#""type":"SALE""#, r#""type":"VOID""#);
            let altered = Signed::read(altered.as_bytes()).unwrap().verify(&ours);
            assert!(matches!(altered, Err(SignatureError::Mismatch)), "{altered:?}");
            alert
        };
        let facts = |alert: &Alert| {
            let Transaction { amount, result_code, .. } = &alert.transaction;
            (amount.unwrap().to_string(), result_code.clone().unwrap(), alert.unsigned.code.unwrap())
        };

        let charge = |amount| Charge::builder().amount(amount).card("4111 1111 1111 1111").exp_date("1230");
        let sold = client.transactions().sale(&charge("25.00").build().unwrap()).await.unwrap();
        let alert = next().await;
        assert_eq!((&alert.transaction.id, alert.token.is_some()), (&sold.id, false));
        assert_eq!(facts(&alert), ("25.00".into(), "000".into(), 200));

        let declined = client.transactions().sale(&charge("0.21").build().unwrap()).await.unwrap();
        let alert = next().await;
        assert_eq!(alert.transaction.id, declined.id);
        assert_eq!(facts(&alert), ("0.21".into(), "012".into(), 402));

        let ada = super::customer(&client, "Ada").await;
        let token = super::token(&client, &ada.customer_key).await;
        let plan = super::plan(&client, &ada.customer_key, &token, PlanStatus::ACTIVE).await;
        // The clock has moved when the alert of the payment is sent.
        let (turned, alert) = tokio::join!(world.advance("P1M"), next());
        assert_eq!(turned.unwrap().approved, 1);
        assert_eq!(alert.transaction.plan_key().as_ref(), Some(&plan.plan_key));
        assert_eq!(alert.token.as_ref().and_then(|paid| paid.token_id.as_ref()), Some(&token));
        assert_eq!(facts(&alert), ("50.00".into(), "000".into(), 200));
    }
}
