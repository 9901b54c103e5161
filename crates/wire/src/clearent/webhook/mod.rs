//! Transaction alerts: signed messages about each transaction, which the gateway posts to a merchant's address.
//!
//! An alert is the response to the transaction with a top-level `signature`: ECDSA on the curve brainpoolP384t1 with
//! SHA-384, in DER, as hexadecimal digits, over the exact bytes of the `payload` member's value
//! (the vendor's `HPPSignatureVerification`). It is read in two steps. [`Signed::read`] finds the payload and parses
//! no further; [`Signed::verify`] checks it and only then parses it. Unverified data is never parsed,
//! and reserialized data is never verified.
//!
//! ```
//! use perennial_wire::clearent::webhook::{PublicKey, Signed, Signer};
//!
//! // In production the vendor hands the key over; in a test there is a signer.
//! let signer = Signer::from_seed(b"any seed");
//! let key = PublicKey::from_hex(&signer.public_key().to_string())?;
//! let answer = br#"{"code":"200","exchange-id":"ID-clearent-cre-2-7","payload":{"transaction":
//!     {"id":"700010","type":"SALE","result":"APPROVED","amount":"12.22"},"payloadType":"transaction"}}"#;
//! let body = signer.sign(answer)?;
//!
//! let alert = Signed::read(&body)?.verify(&key)?;
//! assert_eq!(alert.transaction.id.as_ref().map(|id| id.as_str()), Some("700010"));
//! assert!(alert.transaction.is_approved());
//!
//! let tampered = String::from_utf8(body)?.replace("12.22", "1.22");
//! assert!(Signed::read(tampered.as_bytes())?.verify(&key).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees of the signature
//!
//! The signature proves that the gateway wrote the payload at some time: [`Alert::transaction`] and [`Alert::token`].
//! Members beside the payload are not signed, and are kept apart as [`Unsigned`]. Neither time nor receiver are signed:
//! an alert can arrive again, from the gateway, which retries failed deliveries, or from anybody who saw it; and
//! anybody who saw it can turn an ECDSA signature into another valid one. So recognize a repeated alert by the id of
//! the transaction, never by the signature or the body.
//!
//! # Timing
//!
//! Verification works on public data, and its time depends on the data; the last step, which compares two numbers of
//! the curve's field, takes constant time. A [`Signer`] is for tests: it is made from a seed that others may know.

mod hex;
mod key;
mod signer;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use perennial_domain::clearent::{Link, Token, Transaction};
use perennial_domain::mask::Known;

pub use self::key::{PublicKey, PublicKeyError};
pub use self::signer::Signer;
use super::link::LinkMessage;
use super::payload::Payload;
use crate::codec;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::failure::Failure;
use crate::fields::{lenient_count, owned};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::{Many, Put, Read};
use crate::reader::{Reader, Value};
use crate::shape::Kind;
use crate::text::Text;
use crate::write::{Name, Write};

/// An alert as received, not verified yet.
///
/// The only possible step is to [`verify`](Self::verify) it.
#[must_use = "nobody vouches for it until it is verified"]
pub struct Signed<'a> {
    payload: &'a str,
    signature: Cow<'a, str>,
    unsigned: Unsigned,
}

impl<'a> Signed<'a> {
    /// Reads the body of an alert, within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// Fails if the body is not one JSON object, or does not have exactly one `payload`, an object, and one
    /// `signature`.
    pub fn read(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (signed, signature) = Self::split(body)?;
        let signature = signature.ok_or_else(|| refused("signature", DecodeErrorKind::Missing))?;
        Ok(Self { signature, ..signed })
    }

    /// Reads the body of an alert whose signature was in a header.
    ///
    /// The vendor's text also mentions a "signature header", without its name; every sample has the signature in the
    /// body. A signature in the body is ignored here.
    pub fn read_with(body: &'a [u8], signature: &'a str) -> Result<Self, DecodeError> {
        let (signed, _) = Self::split(body)?;
        Ok(Self { signature: Cow::Borrowed(signature), ..signed })
    }

    fn split(body: &'a [u8]) -> Result<(Self, Option<Text<'a>>), DecodeError> {
        let Envelope { code, status, exchange_id, links, payload, signature } =
            codec::decode(Format::Json, body, &Limits::masking(Known::default()))?;
        let Some(Verbatim(payload)) = payload else {
            return Err(refused("payload", DecodeErrorKind::Missing));
        };
        let unsigned = Unsigned {
            code: lenient_count(code),
            status: owned(status),
            exchange_id: owned(exchange_id),
            links: links.into_iter().filter_map(LinkMessage::record).collect(),
        };
        let signed = Self { payload, signature: Cow::Borrowed(""), unsigned };
        Ok((signed, signature.map(|Given(signature)| signature)))
    }

    /// The signed bytes: the value of `payload` as it was sent.
    pub fn payload(&self) -> &'a [u8] {
        self.payload.as_bytes()
    }

    /// Checks the signature, and reads the payload if the key's owner signed it.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Payload`] means that the signature is valid, but the payload is not a transaction;
    /// any other error means that the alert cannot be trusted.
    pub fn verify(&self, key: &PublicKey) -> Result<Alert, SignatureError> {
        let signature = hex::decode(&self.signature).ok_or(SignatureError::Malformed)?;
        key.verify(self.payload(), &signature)?;
        let (payload, payload_type) =
            Payload::decode(Format::Json, self.payload(), &Limits::masking(Known::default()))
                .map_err(SignatureError::Payload)?;
        let (transaction, token) = match payload {
            Payload::Transaction(transaction) => (*transaction, None),
            Payload::TransactionToken(transaction, token) => (*transaction, Some(*token)),
            _ => {
                let missing = refused("transaction", DecodeErrorKind::Missing);
                return Err(SignatureError::Payload(missing));
            }
        };
        Ok(Alert { transaction, token, payload_type, unsigned: self.unsigned.clone() })
    }
}

impl fmt::Debug for Signed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signed(..)")
    }
}

/// A verified alert about a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The transaction: an authorization, a capture, a sale, a forced sale, a refund or a void, or a payment made
    /// by a plan.
    pub transaction: Transaction,
    /// The token that was charged or created, if there is one.
    pub token: Option<Token>,
    /// The gateway's name of the payload's kind: `transaction`, `transactionToken` or `errorTransaction`.
    pub payload_type: Option<String>,
    /// The members beside the payload.
    pub unsigned: Unsigned,
}

/// Unsigned members of an alert, which deserve no more trust than the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsigned {
    /// The HTTP status of the response to the transaction.
    pub code: Option<u16>,
    /// `success` or `fail`, in any letter case.
    pub status: Option<String>,
    /// The gateway's id of the exchange, which its support asks for. Payments of plans have `clearent-cre-2` in it.
    pub exchange_id: Option<String>,
    /// Links to the transaction and to the token.
    pub links: Vec<Link>,
}

/// The reason why an alert is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The signature is malformed: not hexadecimal digits, not the DER of two numbers, or numbers outside of the
    /// curve's range.
    #[error("the signature is not one of ECDSA on brainpoolP384t1 in DER, as hexadecimal digits")]
    Malformed,
    /// The signature belongs to another key, or to another payload.
    #[error("the signature is not that of this payload by this key")]
    Mismatch,
    /// The signature is valid, and the payload is not a transaction.
    #[error("the payload is signed, but cannot be read")]
    Payload(#[source] DecodeError),
}

message! {
    /// An alert with an unparsed payload.
    struct Envelope<'a> as "response" {
        code: Option<Text<'a>> = "code",
        status: Option<Text<'a>> = "status",
        exchange_id: Option<Text<'a>> = "exchange-id",
        links: Many<LinkMessage<'a>> = "links",
        payload: Option<Verbatim<'a>> = "payload",
        signature: Option<Given<'a>> = "signature",
    }
}

/// The exact text of an object in the document.
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
struct Verbatim<'a>(&'a str);

impl<'de: 'a, 'a> Read<'de> for Verbatim<'a> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        if !matches!(value, Value::Object) {
            return Err(DecodeErrorKind::WrongType.into());
        }
        Ok(Some(Self(from.json(&value)?)))
    }
}

impl Put for Verbatim<'_> {
    const KIND: Kind = Kind::Bare;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        to.bare(name, self.0);
        Ok(())
    }
}

/// A text for which null counts as present, so that it cannot be given twice.
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
struct Given<'a>(Text<'a>);

impl<'de: 'a, 'a> Read<'de> for Given<'a> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        let text = Text::read(value, from)?.ok_or(DecodeErrorKind::WrongType)?;
        Ok(Some(Self(text)))
    }
}

impl Put for Given<'_> {
    const KIND: Kind = Kind::Text;

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        self.0.put(name, to)
    }
}

fn refused(path: &str, kind: DecodeErrorKind) -> DecodeError {
    DecodeError::new(Format::Json, path, kind)
}
