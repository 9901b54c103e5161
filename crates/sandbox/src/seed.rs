//! Derivation of pseudorandom values from a world's seed, so that equal calls get equal answers.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The number from which a world's keys, ids and codes are derived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    /// A random seed.
    pub(crate) fn fresh() -> Self {
        Self(fastrand::u64(..))
    }

    /// The seed of a world that its key opens.
    pub(crate) fn of_hash(hash: &[u8; 32]) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        Self(u64::from_le_bytes(first))
    }

    pub(crate) fn derive(self, kind: &str, number: u64) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update(number.to_le_bytes());
        hash.update(kind.as_bytes());
        hash.finalize().into()
    }

    /// Derives 32 hexadecimal digits, the length of an API key.
    pub(crate) fn hex(self, kind: &str) -> String {
        hex(&self.derive(kind, 0)[..16])
    }

    /// Derives text in the form of a UUID of version 4.
    pub(crate) fn uuid(self, kind: &str, number: u64) -> String {
        uuid(self.derive(kind, number))
    }

    /// Derives a UUID for use as a key: 1,024 consecutive ones share a prefix, so that objects created and charged
    /// together are together in an index.
    pub(crate) fn key(self, kind: &str, number: u64) -> String {
        let mut bytes = self.derive(kind, number);
        bytes[..4].copy_from_slice(&self.derive(kind, number >> 10)[..4]);
        uuid(bytes)
    }

    /// Derives this many decimal digits, at most 19.
    pub(crate) fn digits(self, kind: &str, number: u64, count: usize) -> String {
        let Self(value) = Self::of_hash(&self.derive(kind, number));
        let digits = format!("{value:020}");
        digits[20 - count..].to_owned()
    }
}

fn uuid(mut bytes: [u8; 32]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes[..16]);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

/// The hash that identifies a world's key; the key itself is not stored.
pub(crate) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds: Keys and ids follow from the seed, and keys that are made in a row share a prefix.
    #[test]
    fn what_is_derived_is_stable_and_has_its_shape() {
        let seed = Seed(7);
        assert_eq!(seed.uuid("customer", 1), seed.uuid("customer", 1));
        assert_ne!(seed.uuid("customer", 1), seed.uuid("customer", 2));
        assert_ne!(seed.uuid("customer", 1), seed.uuid("plan", 1));
        assert_ne!(seed.uuid("customer", 1), Seed(8).uuid("customer", 1));
        assert_eq!(seed.uuid("customer", 1).len(), 36);
        let begin = |number| seed.key("customer", number)[..8].to_owned();
        assert_eq!((begin(1024) == begin(2047), begin(1024) == begin(2048)), (true, false));
        assert_ne!(seed.key("customer", 1024)[8..], seed.key("customer", 2047)[8..]);
        assert_eq!(seed.hex("api-key").len(), 32);
        assert_eq!(seed.digits("token", 1, 11).len(), 11);
    }
}
