//! Webhooks: the alerts that the gateway posts to an address of yours about each transaction, payments of plans too.
//!
//! The address is set in the vendor's portal (Settings, Terminal, Transaction Alert Callback URL), one for a terminal;
//! the key that alerts are signed with is the vendor's public key, another one in each environment. Your endpoint takes
//! a `POST` of JSON, and has three things to do:
//!
//! * keep the bytes of the body as they came, because the signature is over those, and hand them to [`Signed::read`]
//!   and [`Signed::verify`]. Until then nothing of an alert is parsed, and there is nothing to look at;
//! * know each transaction by its id. Alerts repeat, because the gateway tries up to three times until it is answered
//!   with any 2xx, and they come in any order. Whoever saw one can send it again;
//! * answer soon, and 2xx even for what it has seen before. Work that takes long is for afterwards.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use perennial::clearent::{TransactionId, Verdict};
//! use perennial::clearent::webhook::{PublicKey, SignatureError, Signed, Signer};
//!
//! /// What became of each transaction. In production this is a table, and its key what makes an alert count once.
//! type Books = HashMap<TransactionId, String>;
//!
//! /// Takes the body of an alert, and says which status to answer.
//! fn endpoint(key: &PublicKey, books: &mut Books, body: &[u8]) -> u16 {
//!     let alert = match Signed::read(body).map(|signed| signed.verify(key)) {
//!         Ok(Ok(alert)) => alert,
//!         // It is the gateway's, but nothing that this version knows: let it come again, and have someone look.
//!         Ok(Err(SignatureError::Payload(_))) => return 500,
//!         // It is nobody's.
//!         Ok(Err(_)) | Err(_) => return 400,
//!     };
//!     let transaction = alert.transaction;
//!     let Some(id) = transaction.id.clone() else { return 500 };
//!     let code = transaction.result_code.clone().unwrap_or_default();
//!     books.entry(id).or_insert_with(|| match (transaction.plan_key(), transaction.verdict()) {
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
//! let mut books = Books::new();
//! assert_eq!(endpoint(&key, &mut books, &declined), 200);
//! assert_eq!(endpoint(&key, &mut books, &declined), 200);
//! assert_eq!(books.len(), 1);
//! assert_eq!(books[&TransactionId::try_from("700011")?], "plan_3f0f2b1c: declined with 012");
//!
//! let approved = String::from_utf8(declined)?.replace("DECLINED", "APPROVED");
//! assert_eq!(endpoint(&key, &mut books, approved.as_bytes()), 400);
//! assert_eq!(endpoint(&key, &mut books, b"{}"), 400);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where the signature is
//!
//! The vendor's text speaks of a "signature header" and of a field of the body; every sample has the field. So
//! [`Signed::read`] takes the field, and [`Signed::read_with`] a signature that you found elsewhere.
//!
//! # Trying it
//!
//! The sandbox of this workspace posts alerts to an address on the loopback, signs them with a key of each world, and
//! repeats them by the world's clock.

pub use perennial_wire::clearent::webhook::*;
pub use perennial_wire::{DecodeError, DecodeErrorKind};
