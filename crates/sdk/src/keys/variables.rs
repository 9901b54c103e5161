//! Keys in environment variables, as used in containers and CI.

use std::collections::BTreeMap;
use std::env::{self, VarError};

use async_trait::async_trait;
use perennial_domain::clearent::ApiKey;
use perennial_domain::encoding;
use zeroize::Zeroizing;

use super::{KeyStore, KeyStoreError, MerchantKey, Profile};
use crate::Environment;

const KEY: &str = "PERENNIAL_API_KEY_";
const ENVIRONMENT: &str = "PERENNIAL_ENVIRONMENT_";

/// The keys in the environment: the key of the profile `north-street` is `PERENNIAL_API_KEY_NORTH_STREET`, and
/// `PERENNIAL_ENVIRONMENT_NORTH_STREET` is its environment: `sandbox`, `production` or a URL; there is no default. The
/// store is read-only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Variables;

#[async_trait]
impl KeyStore for Variables {
    async fn put(&self, _: &Profile, _: MerchantKey) -> Result<(), KeyStoreError> {
        Err(KeyStoreError::ReadOnly)
    }

    async fn get(&self, profile: &Profile) -> Result<MerchantKey, KeyStoreError> {
        let name = name(KEY, profile);
        let pasted =
            text(&name)?.map(Zeroizing::new).ok_or_else(|| KeyStoreError::Unknown(profile.clone()))?;
        let key =
            ApiKey::new(&pasted).map_err(|invalid| unusable(&name, &format!("is no key: {invalid}")))?;
        Ok(MerchantKey { environment: environment(profile)?, key })
    }

    async fn remove(&self, _: &Profile) -> Result<(), KeyStoreError> {
        Err(KeyStoreError::ReadOnly)
    }

    async fn list(&self) -> Result<BTreeMap<Profile, Environment>, KeyStoreError> {
        let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        names
            .filter_map(|name| profile(name.strip_prefix(KEY)?))
            .map(|profile| Ok((profile.clone(), environment(&profile)?)))
            .collect()
    }
}

/// Two profiles never share a variable, because profile names contain no underscores and no upper-case letters.
fn name(prefix: &str, profile: &Profile) -> String {
    format!("{prefix}{}", profile.as_str().to_ascii_uppercase().replace('-', "_"))
}

fn profile(suffix: &str) -> Option<Profile> {
    let of_a_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    suffix.bytes().all(of_a_name).then(|| suffix.to_ascii_lowercase().replace('_', "-").parse().ok())?
}

fn environment(profile: &Profile) -> Result<Environment, KeyStoreError> {
    let name = name(ENVIRONMENT, profile);
    let text = text(&name)?
        .ok_or_else(|| unusable(&name, "is not set: it says sandbox, production or the URL of a gateway"))?;
    let named = encoding::without_mark(&text).parse();
    named.map_err(|_| unusable(&name, "is not sandbox, production or the URL of a gateway"))
}

fn text(name: &str) -> Result<Option<String>, KeyStoreError> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(unusable(name, "is no text")),
    }
}

fn unusable(name: &str, problem: &str) -> KeyStoreError {
    KeyStoreError::Variable { name: name.to_owned(), problem: problem.to_owned() }
}
