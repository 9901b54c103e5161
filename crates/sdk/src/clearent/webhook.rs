//! Webhooks: alerts that the gateway posts to your server about each transaction, including the payments of plans.
//!
//! The address is set in the vendor's portal (Settings, Terminal, Transaction Alert Callback URL), one per terminal.
//! Alerts are signed; the key to verify them is the vendor's public key, a different one in each environment. Your
//! endpoint accepts a `POST` of JSON and must do three things:
//!
//! * keep the bytes of the body unchanged, because they are signed, and pass them to [`Signed::read`] and
//!   [`Signed::verify`]. Before the verification, nothing of an alert is parsed or accessible;
//! * recognize transactions by their ids. Alerts may repeat, because the gateway tries up to three times until it
//!   receives any 2xx, and they arrive in any order. Anyone who has seen an alert can send it again;
//! * respond quickly, with 2xx even to an alert that it has seen before. Do long work afterwards.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use perennial::clearent::{TransactionId, Verdict};
//! use perennial::clearent::webhook::{PublicKey, SignatureError, Signed, Signer};
//!
//! /// The result of each transaction. In production this is a table, whose key makes an alert count once.
//! type Received = HashMap<TransactionId, String>;
//!
//! /// Takes the body of an alert, and returns the status of the response.
//! fn endpoint(key: &PublicKey, received: &mut Received, body: &[u8]) -> u16 {
//!     let alert = match Signed::read(body).map(|signed| signed.verify(key)) {
//!         Ok(Ok(alert)) => alert,
//!         // It is the gateway's, but this version does not know it: let it come again, and check it.
//!         Ok(Err(SignatureError::Payload(_))) => return 500,
//!         // It is not the gateway's.
//!         Ok(Err(_)) | Err(_) => return 400,
//!     };
//!     let transaction = alert.transaction;
//!     let Some(id) = transaction.id.clone() else { return 500 };
//!     let code = transaction.result_code.clone().unwrap_or_default();
//!     received.entry(id).or_insert_with(|| match (transaction.plan_key(), transaction.verdict()) {
//!         (Some(plan), Verdict::Approved) => format!("{plan}: paid"),
//!         (Some(plan), Verdict::Declined) => format!("{plan}: declined with {code}"),
//!         // Neither: read the transaction before anything else is charged.
//!         (Some(plan), Verdict::Undecided) => format!("{plan}: to be looked up"),
//!         (None, _) => "not of a plan".into(),
//!     });
//!     200
//! }
//!
//! // Here a signer for tests is the gateway.
//! let gateway = Signer::from_seed(b"this test");
//! let key = PublicKey::from_hex(&gateway.public_key().to_string())?;
//! let declined = gateway.sign(br#"{"code":"402","payload":{"transaction":{"id":"700011","type":"SALE",
//!     "result":"DECLINED","result-code":"012","order-id":"plan_3f0f2b1c","amount":"12.22",
//!     "software-type":"Clearent Recurring Engine"},"payloadType":"errorTransaction"}}"#)?;
//!
//! let mut received = Received::new();
//! assert_eq!(endpoint(&key, &mut received, &declined), 200);
//! assert_eq!(endpoint(&key, &mut received, &declined), 200);
//! assert_eq!(received.len(), 1);
//! assert_eq!(received[&TransactionId::try_from("700011")?], "plan_3f0f2b1c: declined with 012");
//!
//! let approved = String::from_utf8(declined)?.replace("DECLINED", "APPROVED");
//! assert_eq!(endpoint(&key, &mut received, approved.as_bytes()), 400);
//! assert_eq!(endpoint(&key, &mut received, b"{}"), 400);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Position of the signature
//!
//! The vendor's text mentions a "signature header" and a field of the body; every sample has the field.
//! [`Signed::read`] uses the field, and [`Signed::read_with`] a signature from elsewhere.
//!
//! # Testing
//!
//! The sandbox of this workspace posts alerts to a loopback address, signs them with a separate key for each world, and
//! repeats them by the world's clock.

pub use perennial_wire::clearent::webhook::*;
pub use perennial_wire::{DecodeError, DecodeErrorKind};
