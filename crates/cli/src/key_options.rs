//! Storage of merchants' keys.

use std::env;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
#[cfg(feature = "keychain")]
use perennial::keys::Keychain;
#[cfg(feature = "key-file")]
use perennial::keys::{KeyFile, Unlock};
use perennial::keys::{KeyStore, Variables};

use crate::failure::Failure;
#[cfg(feature = "key-file")]
use crate::input;

/// The storage of keys. Only the chosen one is used; there is no fallback.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct KeyOptions {
    /// The storage of keys: an encrypted file, the keychain of the system, or the variables PERENNIAL_API_KEY_NAME and
    /// PERENNIAL_ENVIRONMENT_NAME
    #[arg(long, global = true, value_enum, default_value_t, value_name = "PLACE")]
    store: Store,
    /// The encrypted file; the default is perennial/keys.age in your settings folder
    #[arg(long, global = true, value_name = "FILE", env = "PERENNIAL_KEYS", hide_env_values = true)]
    keys: Option<PathBuf>,
    /// An age identity file that opens it, instead of a passphrase
    #[arg(long, global = true, value_name = "FILE", env = "PERENNIAL_IDENTITY", hide_env_values = true)]
    identity: Option<PathBuf>,
    /// A file with the passphrase that opens it, instead of a prompt
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PERENNIAL_PASSPHRASE_FILE",
        hide_env_values = true,
        conflicts_with = "identity"
    )]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Store {
    #[default]
    File,
    Keychain,
    Variables,
}

impl KeyOptions {
    /// Opens the store of these options.
    pub(crate) fn store(&self) -> Result<Box<dyn KeyStore>, Failure> {
        Ok(match self.store {
            #[cfg(feature = "key-file")]
            Store::File => Box::new(self.file()?),
            #[cfg(not(feature = "key-file"))]
            Store::File => return Err(left_out("an encrypted file", "key-file")),
            #[cfg(feature = "keychain")]
            Store::Keychain => Box::new(Keychain::new()),
            #[cfg(not(feature = "keychain"))]
            Store::Keychain => return Err(left_out("the keychain of the system", "keychain")),
            Store::Variables => Box::new(Variables),
        })
    }

    /// Whether the key file does not exist, so that no key is stored.
    pub(crate) fn is_missing(&self) -> Result<bool, Failure> {
        Ok(matches!(self.store, Store::File) && matches!(self.path()?.try_exists(), Ok(false)))
    }

    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        self.keys.clone().map_or_else(usual_file, Ok)
    }

    #[cfg(feature = "key-file")]
    pub(crate) fn file(&self) -> Result<KeyFile, Failure> {
        let unlock = match &self.identity {
            Some(identity) => Unlock::Identity(identity.clone()),
            None => Unlock::Passphrase(input::passphrase(self.passphrase_file.as_deref())?),
        };
        Ok(KeyFile::new(self.path()?, unlock))
    }
}

/// A store that this build has no code for.
#[cfg(not(all(feature = "key-file", feature = "keychain")))]
fn left_out(store: &str, feature: &str) -> Failure {
    Failure::Usage(format!(
        "this build cannot keep keys in {store}: build it with `--features {feature}`, or pass --store variables"
    ))
}

fn usual_file() -> Result<PathBuf, Failure> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let settings = folder("XDG_CONFIG_HOME")
        .or_else(|| Some(folder("HOME")?.join(".config")))
        .or_else(|| folder("APPDATA"))
        .ok_or_else(|| {
            Failure::Usage("it is not known where your settings are: pass --keys FILE".to_owned())
        })?;
    Ok(settings.join("perennial").join("keys.age"))
}
