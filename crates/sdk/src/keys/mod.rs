//! Stores for the keys of merchants, behind a common trait. A store never falls back to another one.
//!
//! ```
//! use perennial::clearent::ApiKey;
//! use perennial::keys::{KeyStore, KeyStoreError, Profile, Variables};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let bakery: Profile = "north-street-bakery".parse().unwrap();
//! let error = Variables.get(&bakery).await.unwrap_err();
//! assert_eq!(error.to_string(), "there is no key of the profile north-street-bakery");
//! # }
//! ```

#[cfg(feature = "key-file")]
// The lock of a file is younger than what the default features need.
#[clippy::msrv = "1.89"]
mod file;
#[cfg(feature = "keychain")]
mod keychain;
mod variables;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use async_trait::async_trait;
use perennial_domain::clearent::ApiKey;
use zeroize::Zeroizing;

use crate::clearent::{Clearent, ClearentBuilder};
use crate::{Environment, InvalidValue, Rule};

#[cfg(feature = "key-file")]
pub use file::{KeyFile, Unlock};
#[cfg(feature = "keychain")]
pub use keychain::Keychain;
pub use perennial_domain::Secret;
pub use variables::Variables;

/// A store with one key for each profile. A platform with many merchants can implement it for its own vault.
///
/// An implementation must never return the key of another profile, its errors must not contain keys, and a failed
/// change must leave the stored keys as they were.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Stores the key and replaces the previous key of the profile.
    async fn put(&self, profile: &Profile, key: MerchantKey) -> Result<(), KeyStoreError>;

    /// Returns the key of the profile, or [`KeyStoreError::Unknown`].
    async fn get(&self, profile: &Profile) -> Result<MerchantKey, KeyStoreError>;

    /// Removes the key of the profile; [`KeyStoreError::Unknown`] if there is none.
    async fn remove(&self, profile: &Profile) -> Result<(), KeyStoreError>;

    /// Lists the profiles with the environment of each key.
    async fn list(&self) -> Result<BTreeMap<Profile, Environment>, KeyStoreError>;
}

/// The name under which a merchant's key is stored: 1 to 30 lower-case letters, digits and hyphens, beginning with a
/// letter or a digit. It is shorter than the vendor's keys, so that a key is never mistaken for a name.
///
/// ```
/// use perennial::{Rule, keys::Profile};
///
/// assert_eq!("north-street".parse::<Profile>().unwrap().to_string(), "north-street");
/// assert_eq!("North Street".parse::<Profile>().unwrap_err().0, Rule::Profile);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Profile(String);

impl Profile {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Profile {
    type Err = InvalidValue;

    fn from_str(name: &str) -> Result<Self, InvalidValue> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let valid = (1..=30).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-');
        valid.then(|| Self(name.to_owned())).ok_or(Rule::Profile.into())
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A merchant's key with its environment.
#[derive(Debug)]
pub struct MerchantKey {
    /// The environment in which the key is valid.
    pub environment: Environment,
    /// The key.
    pub key: ApiKey,
}

impl MerchantKey {
    /// Creates a builder for a client of this merchant.
    pub fn client(self) -> ClearentBuilder {
        Clearent::builder(self.key).environment(self.environment)
    }

    /// The environment and the key, separated by a space, as text for a store.
    pub fn to_text(&self) -> Zeroizing<String> {
        let environment = self.environment.to_string();
        // A buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(environment.len() + 1 + self.key.expose().len()));
        text.push_str(&environment);
        text.push(' ');
        text.push_str(self.key.expose());
        text
    }

    /// Parses the output of [`to_text`](Self::to_text); `None` if the text is anything else.
    pub fn of_text(text: &str) -> Option<Self> {
        let (environment, key) = text.split_once(' ')?;
        Some(Self { environment: environment.parse().ok()?, key: ApiKey::new(key).ok()? })
    }
}

/// The error of a key store. It contains no key, passphrase or identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// The store has no such profile.
    #[error("there is no key of the profile {0}")]
    Unknown(Profile),
    /// The store cannot be changed.
    #[error("environment variables are read-only: set them where the program is started")]
    ReadOnly,
    /// A variable is missing although the other one is set, or its value is not a key or environment.
    #[error("the variable {name} {problem}")]
    Variable {
        /// The name of the variable.
        name: String,
        /// The problem with it.
        problem: String,
    },
    /// The passphrase or the identity does not open the file.
    #[error("the passphrase or identity does not open {}", path.display())]
    WrongSecret {
        /// The path of the file.
        path: PathBuf,
    },
    /// Users other than the owner may read or change the file.
    #[error("others may read or change {}: make it its owner's alone (chmod 600)", path.display())]
    Exposed {
        /// The path of the file.
        path: PathBuf,
    },
    /// The content of the file is invalid.
    #[error("{} is damaged, or is something else", path.display())]
    Damaged {
        /// The path of the file.
        path: PathBuf,
    },
    /// The system refuses access to the file.
    #[error("{} cannot be {doing}", path.display())]
    File {
        /// The failed operation: `opened`, `locked`, `read` or `written`.
        doing: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The system has no keychain, or the keychain does not respond.
    #[error("no keychain responds on this system, or for this user")]
    NoKeychain(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The keychain is locked, or access was not allowed to this program.
    #[error("the keychain is locked, or does not let this program in: unlock it, then try again")]
    Locked(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The keychain failed.
    #[error("the keychain failed")]
    Keychain(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The keychain's entry of this profile is invalid.
    #[error("the keychain's entry of the profile {0} is damaged, or is something else")]
    DamagedEntry(Profile),
    /// The runtime is shutting down; it is not known whether a change was made.
    #[error("the program is ending")]
    Ending,
    /// The error of a custom store.
    #[error("the key store failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Runs blocking work of a store on another thread, so that the caller's other tasks continue.
#[cfg(any(feature = "key-file", feature = "keychain"))]
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyStoreError> + Send + 'static,
) -> Result<T, KeyStoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| KeyStoreError::Ending)?
}
