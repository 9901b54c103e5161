//! JSON web tokens that the sandbox signs (RFC 7519, HS256). The sandbox never parses one; it finds a token by its
//! hash.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Signs these claims with this secret and returns the token.
pub(crate) fn signed(claims: &str, secret: &[u8; 32]) -> String {
    let mut token = base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
    // Writing to a string cannot fail.
    let _ = write!(token, ".{}", base64url(claims.as_bytes()));
    let signature = hmac(secret, token.as_bytes());
    let _ = write!(token, ".{}", base64url(&signature));
    token
}

/// HMAC with SHA-256 (RFC 2104), for keys that are shorter than a block.
fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// Base64 in the alphabet of URLs and without padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let group =
            three.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for sextet in 0..=three.len() {
            let index = group >> (18 - 6 * sextet) & 0x3f;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::hex;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10, without the padding; the last shows the alphabet of URLs.
        let cases: [(&[u8], &str); 8] = [
            (b"", ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (b"fooba", "Zm9vYmE"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xfb, 0xff], "-_8"),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64url(bytes), text);
        }
    }

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // The key and the digest are those of OpenSSL: `printf 'what do ya want for nothing?' | openssl dgst -sha256
        // -mac HMAC -macopt hexkey:4a656665…00`, which is RFC 4231, case 2, as zeros at the end of a key do not count.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let digest = hmac(&key, b"what do ya want for nothing?");
        assert_eq!(hex(&digest), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let token = signed("{}", &key);
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!((parts.len(), parts[0], parts[1]), (3, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "e30"));
        assert_eq!(parts[2], base64url(&hmac(&key, b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30")));
    }
}
