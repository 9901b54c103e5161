//! Keys in the keychain of the system, with one entry for each profile.

use std::collections::{BTreeMap, HashMap};
use std::str;
use std::sync::Arc;

use async_trait::async_trait;
use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use super::{KeyStore, KeyStoreError, MerchantKey, Profile, off_the_runtime};
use crate::Environment;

/// The keychain of the user who is logged in: Keychain Services on macOS, the Credential Manager on Windows, and the
/// Secret Service (GNOME Keyring, `KWallet`, `KeePassXC`) on the session's D-Bus elsewhere.
///
/// Each profile is a separate entry with the service `perennial` and the profile's name as its user; its secret is the
/// output of [`MerchantKey::to_text`]. There is no separate list that could become inconsistent:
/// [`list`](KeyStore::list) searches for the entries. Each operation accesses the keychain again, which may ask the
/// user to unlock it; a keychain that stays locked, or does not exist, is an error.
#[derive(Debug, Clone, Default)]
pub struct Keychain(Place);

#[derive(Debug, Clone, Default)]
enum Place {
    #[default]
    System,
    #[cfg(feature = "testing")]
    Memory(Arc<CredentialStore>),
}

const SERVICE: &str = "perennial";

impl Keychain {
    /// Creates the store. This does not access the keychain yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a keychain in the memory of this process, for tests; its clones share it.
    #[cfg(feature = "testing")]
    pub fn in_memory() -> Result<Self, KeyStoreError> {
        let store = keyring_core::mock::Store::new().map_err(refused)?;
        Ok(Self(Place::Memory(store)))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&CredentialStore) -> Result<T, KeyStoreError> + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let place = self.0.clone();
        off_the_runtime(move || work(&*place.open()?)).await
    }

    /// Runs an operation on the entry of one profile.
    async fn at<T: Send + 'static>(
        &self,
        profile: &Profile,
        work: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let profile = profile.clone();
        self.with(move |store| {
            let entry = store.build(SERVICE, profile.as_str(), None).map_err(refused)?;
            work(&entry).map_err(|error| match error {
                Error::NoEntry => KeyStoreError::Unknown(profile),
                error => refused(error),
            })
        })
        .await
    }
}

#[async_trait]
impl KeyStore for Keychain {
    async fn put(&self, profile: &Profile, key: MerchantKey) -> Result<(), KeyStoreError> {
        self.at(profile, move |entry| entry.set_secret(key.to_text().as_bytes())).await
    }

    async fn get(&self, profile: &Profile) -> Result<MerchantKey, KeyStoreError> {
        let secret = self.at(profile, |entry| entry.get_secret().map(Zeroizing::new)).await?;
        read(profile, &secret)
    }

    async fn remove(&self, profile: &Profile) -> Result<(), KeyStoreError> {
        self.at(profile, Entry::delete_credential).await
    }

    async fn list(&self) -> Result<BTreeMap<Profile, Environment>, KeyStoreError> {
        self.with(|store| {
            let mut profiles = BTreeMap::new();
            for entry in store.search(&ours()).map_err(refused)? {
                let Some(profile) = profile(&entry) else { continue };
                match entry.get_secret().map(Zeroizing::new) {
                    Ok(secret) => {
                        let MerchantKey { environment, .. } = read(&profile, &secret)?;
                        profiles.insert(profile, environment);
                    }
                    // The entry was removed in the meantime.
                    Err(Error::NoEntry) => {}
                    Err(error) => return Err(refused(error)),
                }
            }
            Ok(profiles)
        })
        .await
    }
}

impl Place {
    fn open(&self) -> Result<Arc<CredentialStore>, KeyStoreError> {
        match self {
            Self::System => system().map_err(|error| KeyStoreError::NoKeychain(text_of(&error))),
            #[cfg(feature = "testing")]
            Self::Memory(store) => Ok(store.clone()),
        }
    }
}

#[cfg(target_os = "macos")]
fn system() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn system() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn system() -> Result<Arc<CredentialStore>, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// The search for our entries, which on Windows also finds others.
fn ours() -> HashMap<&'static str, &'static str> {
    HashMap::from([(if cfg!(windows) { "pattern" } else { "service" }, SERVICE)])
}

fn profile(entry: &Entry) -> Option<Profile> {
    let (service, user) = entry.get_specifiers()?;
    if service == SERVICE { user.parse().ok() } else { None }
}

fn read(profile: &Profile, secret: &[u8]) -> Result<MerchantKey, KeyStoreError> {
    let key = str::from_utf8(secret).ok().and_then(MerchantKey::of_text);
    key.ok_or_else(|| KeyStoreError::DamagedEntry(profile.clone()))
}

fn refused(error: Error) -> KeyStoreError {
    match error {
        Error::NoStorageAccess(_) => KeyStoreError::Locked(text_of(&error)),
        error => KeyStoreError::Keychain(text_of(&error)),
    }
}

/// The text alone of a keychain error, because `Debug` of some of these errors shows the stored secret.
fn text_of(error: &Error) -> Box<dyn std::error::Error + Send + Sync> {
    error.to_string().into()
}

#[cfg(test)]
mod tests {
    use keyring_core::mock::Cred;
    use perennial_domain::clearent::ApiKey;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[tokio::test]
    async fn what_the_keychain_refuses_is_told_without_what_it_holds() {
        type Case = (fn() -> Error, &'static str);
        let refusals: [Case; 5] = [
            (|| Error::NoStorageAccess("asleep".into()), "the keychain is locked"),
            (|| Error::PlatformFailure("broken".into()), "the keychain failed"),
            (|| Error::BadEncoding(KEY.into()), "the keychain failed"),
            (|| Error::BadDataFormat(KEY.into(), "mangled".into()), "the keychain failed"),
            (|| Error::NoEntry, "there is no key of the profile north"),
        ];
        let keychain = Keychain::in_memory().unwrap();
        let north: Profile = "north".parse().unwrap();
        let key = || MerchantKey { environment: Environment::Sandbox, key: ApiKey::new(KEY).unwrap() };
        keychain.put(&north, key()).await.unwrap();
        let Place::Memory(store) = &keychain.0 else { unreachable!("it is in memory") };
        let entry = store.build(SERVICE, "north", None).unwrap();
        for (refusal, expected) in refusals {
            let refuse = || entry.as_any().downcast_ref::<Cred>().unwrap().set_error(refusal());
            refuse();
            let got = keychain.get(&north).await.unwrap_err();
            refuse();
            let put = keychain.put(&north, key()).await.unwrap_err();
            refuse();
            let removed = keychain.remove(&north).await.unwrap_err();
            for result in [got, put, removed] {
                let whole = format!("{result}{result:?}");
                assert!(
                    whole.starts_with(expected) && !whole.contains(KEY) && !whole.contains("48, 49"),
                    "{whole}"
                );
            }
        }
        assert_eq!(keychain.get(&north).await.unwrap().key.expose(), KEY);
    }

    #[tokio::test]
    async fn what_is_not_ours_is_left_and_what_is_damaged_is_told() {
        let keychain = Keychain::in_memory().unwrap();
        let Place::Memory(store) = &keychain.0 else { unreachable!("it is in memory") };
        let write = |service: &str, user: &str| {
            store.build(service, user, None).unwrap().set_secret(b"something else").unwrap();
        };
        write("perennial", "Not A Profile");
        write("perennial-of-others", "north");
        assert!(keychain.list().await.unwrap().is_empty());
        write("perennial", "north");
        let north: Profile = "north".parse().unwrap();
        for result in [keychain.get(&north).await.map(drop), keychain.list().await.map(drop)] {
            assert!(matches!(result, Err(KeyStoreError::DamagedEntry(profile)) if profile == north));
        }
    }
}
