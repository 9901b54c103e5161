//! Where the keys of merchants are kept.

use std::env;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use perennial::keys::{KeyFile, KeyStore, Keychain, Unlock, Variables};

use crate::failure::Failure;
use crate::input;

/// Where keys are kept. One place never stands in for another.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct KeyOptions {
    /// Where keys are kept: in an encrypted file, in the keychain of the system, or in variables
    /// PERENNIAL_API_KEY_NAME and PERENNIAL_ENVIRONMENT_NAME
    #[arg(long, global = true, value_enum, default_value_t, value_name = "PLACE")]
    store: Store,
    /// The encrypted file; perennial/keys.age among your settings unless said otherwise
    #[arg(long, global = true, value_name = "FILE", env = "PERENNIAL_KEYS", hide_env_values = true)]
    keys: Option<PathBuf>,
    /// An identity file of age that opens it, instead of a passphrase
    #[arg(long, global = true, value_name = "FILE", env = "PERENNIAL_IDENTITY", hide_env_values = true)]
    identity: Option<PathBuf>,
    /// A file with the passphrase that opens it, instead of being asked
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
    /// The store of these options.
    pub(crate) fn store(&self) -> Result<Box<dyn KeyStore>, Failure> {
        Ok(match self.store {
            Store::File => Box::new(self.file()?),
            Store::Keychain => Box::new(Keychain::new()),
            Store::Variables => Box::new(Variables),
        })
    }

    /// Whether the file of the keys is not there, so that there are none.
    pub(crate) fn is_missing(&self) -> Result<bool, Failure> {
        Ok(matches!(self.store, Store::File) && matches!(self.path()?.try_exists(), Ok(false)))
    }

    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        self.keys.clone().map_or_else(usual_file, Ok)
    }

    pub(crate) fn file(&self) -> Result<KeyFile, Failure> {
        let unlock = match &self.identity {
            Some(identity) => Unlock::Identity(identity.clone()),
            None => Unlock::Passphrase(input::passphrase(self.passphrase_file.as_deref())?),
        };
        Ok(KeyFile::new(self.path()?, unlock))
    }
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
