//! A signer of alerts, for tests of receivers.

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
/// everybody who knows the seed.
///
/// Equal keys and payloads give equal signatures (RFC 6979), so that tests can compare signed alerts byte by byte.
#[derive(Clone)]
pub struct Signer(SigningKey<BrainpoolP384t1>);

impl Signer {
    /// Creates the signer of a seed, which is always equal.
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

    /// Creates a signer with a random key.
    pub fn generate() -> Self {
        Self(SigningKey::generate())
    }

    /// The key that verifies its signatures.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }

    /// Turns a response to a transaction, from the gateway or from a test, into an alert: equal bytes, with
    /// the signature of their `payload` as the last member.
    ///
    /// # Errors
    ///
    /// Fails if the response is not one JSON object, has no `payload`, or has a signature already.
    pub fn sign(&self, answer: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let (signed, signature) = Signed::split(answer)?;
        if signature.is_some() {
            return Err(refused("signature", DecodeErrorKind::Duplicate));
        }
        let signature = self.signature(signed.payload());
        let (open, _brace) = answer.split_at(answer.trim_ascii_end().len() - 1);
        Ok([open, b",\"signature\":\"", signature.as_bytes(), b"\"}"].concat())
    }

    /// Signs a payload alone: DER as hexadecimal digits.
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
