//! The key that verifies alerts, in the vendor's form.

use std::fmt;

use bp384::BrainpoolP384t1;
use ecdsa::signature::Verifier;
use ecdsa::{Signature, VerifyingKey, der};
use perennial_domain::encoding::without_mark;

use super::SignatureError;
use super::hex::{self, Hex};

/// A public key, which the vendor calls the public or HPP key. The vendor's key differs between environments.
///
/// Two keys are equal if they are equal points.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(pub(super) VerifyingKey<BrainpoolP384t1>);

/// The bytes before the point: `SubjectPublicKeyInfo` in DER, with the algorithm `ecPublicKey`, the curve by its name
/// 1.3.36.3.3.2.8.1.1.12, and a bit string of 97 bytes.
const HEADER: [u8; 27] = [
    0x30, 0x7a, 0x30, 0x14, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x09, 0x2b, 0x24,
    0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0c, 0x03, 0x62, 0x00,
];

/// The byte before the two coordinates of a point, if both are present.
const UNCOMPRESSED: u8 = 0x04;

impl PublicKey {
    /// Reads a key in the vendor's form: 248 hexadecimal digits, which are 124 bytes of `SubjectPublicKeyInfo` in DER.
    /// A byte order mark before it, and blanks and line ends around it, as in a file, are skipped.
    ///
    /// ```
    /// use perennial_wire::clearent::webhook::{PublicKey, PublicKeyError, Signer};
    ///
    /// let digits = Signer::from_seed(b"any seed").public_key().to_string();
    /// assert!(digits.starts_with("307a301406072a8648ce3d020106092b240303020801010c03620004"));
    /// assert_eq!(PublicKey::from_hex(&format!("\u{feff}{digits}\r\n"))?.to_string(), digits);
    /// assert_eq!(PublicKey::from_hex(&digits[..246]), Err(PublicKeyError::Length));
    /// # Ok::<(), PublicKeyError>(())
    /// ```
    pub fn from_hex(digits: &str) -> Result<Self, PublicKeyError> {
        let digits = without_mark(digits).trim_matches([' ', '\t', '\r', '\n']);
        if digits.len() != 248 {
            return Err(PublicKeyError::Length);
        }
        let bytes = hex::decode(digits).ok_or(PublicKeyError::Digits)?;
        let point = bytes.strip_prefix(&HEADER).ok_or(PublicKeyError::Curve)?;
        if point.first() != Some(&UNCOMPRESSED) {
            return Err(PublicKeyError::Point);
        }
        VerifyingKey::from_sec1_bytes(point).map(Self).map_err(|_| PublicKeyError::Point)
    }

    /// Checks a signature in DER, which has one form only: no superfluous zero, no trailing bytes.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let parsed = der::Signature::<BrainpoolP384t1>::from_bytes(signature);
        // Both numbers must be from 1 and below the order of the curve.
        let signature = parsed.and_then(Signature::try_from).map_err(|_| SignatureError::Malformed)?;
        self.0.verify(message, &signature).map_err(|_| SignatureError::Mismatch)
    }
}

/// Formats the key in the vendor's form.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Hex(&HEADER), Hex(self.0.to_sec1_point(false).as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The reason why a text is not a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The text is longer or shorter.
    #[error("a public key has 248 hexadecimal digits")]
    Length,
    /// The text has other characters than digits.
    #[error("a public key has hexadecimal digits only")]
    Digits,
    /// The key is of another kind, or of another curve.
    #[error("the public key is not one of brainpoolP384t1 in DER")]
    Curve,
    /// The point is not on the curve.
    #[error("the public key is not a point of its curve, both coordinates written out")]
    Point,
}
