//! Alerts that are signed without the gateway, for the tests of whoever receives them.

use std::fmt;

use bp384::BrainpoolP384t1;
use bp384::elliptic_curve::Generate;
use ecdsa::signature::Signer as _;
use ecdsa::{SigningKey, der};
use sha2::{Digest, Sha384};

use super::hex::Hex;
use super::{PublicKey, Signed, refused};
use crate::error::{DecodeError, DecodeErrorKind};

/// Signs alerts as the gateway does, **for tests**: a receiver that trusts its [`public_key`](Self::public_key) trusts
/// whoever knows the seed.
///
/// The same key and payload give the same signature (RFC 6979), so that what is signed can be compared byte by byte.
#[derive(Clone)]
pub struct Signer(SigningKey<BrainpoolP384t1>);

impl Signer {
    /// The signer of a seed, always the same.
    pub fn from_seed(seed: &[u8]) -> Self {
        let mut digest = Sha384::digest(seed);
        loop {
            match SigningKey::from_slice(&digest) {
                Ok(key) => return Self(key),
                // As many digests are beyond the order of the curve as are below.
                Err(_) => digest = Sha384::digest(digest),
            }
        }
    }

    /// A signer that nobody else has.
    pub fn generate() -> Self {
        Self(SigningKey::generate())
    }

    /// The key that its signatures are verified with.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }

    /// Makes an alert of an answer to a transaction, as the gateway sends it or a test writes it: the same bytes, with
    /// the signature of their `payload` as the last member.
    ///
    /// # Errors
    ///
    /// It is not one JSON object, has no `payload`, or has a signature already.
    pub fn sign(&self, answer: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let (signed, signature) = Signed::split(answer)?;
        if signature.is_some() {
            return Err(refused("signature", DecodeErrorKind::Duplicate));
        }
        let signature = self.signature(signed.payload());
        let (open, _brace) = answer.split_at(answer.trim_ascii_end().len() - 1);
        Ok([open, b",\"signature\":\"", signature.as_bytes(), b"\"}"].concat())
    }

    /// The signature of a payload alone: DER as hexadecimal digits.
    pub fn signature(&self, payload: &[u8]) -> String {
        let signature: der::Signature<BrainpoolP384t1> = self.0.sign(payload);
        Hex(signature.as_bytes()).to_string()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}
