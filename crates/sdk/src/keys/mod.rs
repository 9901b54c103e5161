//! Where the keys of merchants are kept: a seam, and stores behind it. One never stands in for another.
//!
//! ```
//! use perennial::clearent::ApiKey;
//! use perennial::keys::{KeyStore, KeyStoreError, Profile, Variables};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let bakery: Profile = "north-street-bakery".parse().unwrap();
//! let told = Variables.get(&bakery).await.unwrap_err();
//! assert_eq!(told.to_string(), "there is no key of the profile north-street-bakery");
//! # }
//! ```

#[cfg(feature = "key-file")]
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

/// Keeps one key for each profile. A platform with many merchants implements it over its own vault.
///
/// What an implementation answers for one profile is never the key of another, and no error of it has a key in it. A
/// change that failed left what was there.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Keeps the key, in place of the one that the profile had.
    async fn put(&self, profile: &Profile, key: MerchantKey) -> Result<(), KeyStoreError>;

    /// The key of the profile, or [`KeyStoreError::Unknown`].
    async fn get(&self, profile: &Profile) -> Result<MerchantKey, KeyStoreError>;

    /// Forgets the key of the profile; [`KeyStoreError::Unknown`] if there is none.
    async fn remove(&self, profile: &Profile) -> Result<(), KeyStoreError>;

    /// Which profiles there are, and which gateway the key of each belongs to.
    async fn list(&self) -> Result<BTreeMap<Profile, Environment>, KeyStoreError>;
}

/// The name under which a merchant's key is kept: 1 to 30 lower-case letters, digits and hyphens, a letter or a digit
/// first. It is shorter than the keys of the vendor, so that none of them is taken for a name.
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

/// A merchant's key, and the gateway that it is valid at.
#[derive(Debug)]
pub struct MerchantKey {
    /// Where the key is valid.
    pub environment: Environment,
    /// The key.
    pub key: ApiKey,
}

impl MerchantKey {
    /// Starts a client of this merchant.
    pub fn client(self) -> ClearentBuilder {
        Clearent::builder(self.key).environment(self.environment)
    }

    /// The environment and the key with a space between, for a store to keep.
    pub fn to_text(&self) -> Zeroizing<String> {
        let environment = self.environment.to_string();
        // Growing would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(environment.len() + 1 + self.key.expose().len()));
        text.push_str(&environment);
        text.push(' ');
        text.push_str(self.key.expose());
        text
    }

    /// Reads what [`to_text`](Self::to_text) wrote; nothing if it is something else.
    pub fn of_text(text: &str) -> Option<Self> {
        let (environment, key) = text.split_once(' ')?;
        Some(Self { environment: environment.parse().ok()?, key: ApiKey::new(key).ok()? })
    }
}

/// Why a store did not do what it was asked. No key, passphrase or identity is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyStoreError {
    /// The store has no such profile.
    #[error("there is no key of the profile {0}")]
    Unknown(Profile),
    /// The store only reads.
    #[error("environment variables are set by what starts the programme, and not changed here")]
    ReadOnly,
    /// A variable is missing beside the other, or is no key or environment.
    #[error("the variable {name} {problem}")]
    Variable {
        /// Which variable.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The passphrase or the identity is not that of the file.
    #[error("the passphrase or identity does not open {}", path.display())]
    WrongSecret {
        /// Which file.
        path: PathBuf,
    },
    /// Others than its owner may read or change the file.
    #[error("others may read or change {}: make it its owner's alone (chmod 600)", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// The file is not what it should be.
    #[error("{} is damaged, or is something else", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The system does not let the file be read or written.
    #[error("{} cannot be {doing}", path.display())]
    File {
        /// `opened`, `locked`, `read` or `written`.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system has no keychain, or it does not answer.
    #[error("no keychain answers on this system, or for this user")]
    NoKeychain(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The keychain is locked, or nobody let this programme in.
    #[error("the keychain is locked, or does not let this programme in: unlock it, then try again")]
    Locked(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The keychain does not do what it is asked.
    #[error("the keychain failed")]
    Keychain(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The keychain's entry of this profile is not what it should be.
    #[error("the keychain's entry of the profile {0} is damaged, or is something else")]
    DamagedEntry(Profile),
    /// The runtime is ending; whether a change was made is not known.
    #[error("the programme is ending")]
    Ending,
    /// What a store of one's own reports.
    #[error("the key store failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Stores of files and of the system wait; the tasks of the caller go on meanwhile.
#[cfg(any(feature = "key-file", feature = "keychain"))]
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyStoreError> + Send + 'static,
) -> Result<T, KeyStoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| KeyStoreError::Ending)?
}
