//! `perennial connect`, `profiles` and `disconnect`: whose keys are kept.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use perennial::Environment;
use perennial::clearent::ApiKey;
use perennial::keys::{KeyFile, KeyStore, Keychain, MerchantKey, Profile, Unlock, Variables};

use crate::args::Global;
use crate::failure::Failure;
use crate::input;
use crate::output::{Output, Record, note};
#[cfg(feature = "pdf")]
use crate::pdf;
use crate::rehearsal::Rehearsal;

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

/// A merchant's key, which is kept.
#[derive(Debug, Args)]
#[command(
    after_help = "The key is asked for and not shown, or read from --key-file, from the PDF of --import, or from standard input. \
        It is kept only when the gateway took it.\n\n\
        Example:\n  perennial connect north-street --environment production\n  \
        perennial connect --key-file key.txt --passphrase-file passphrase.txt"
)]
pub(crate) struct Connect {
    /// The profile: lower-case letters, digits and hyphens
    #[arg(value_name = "NAME", default_value = "default")]
    name: Profile,
    /// A file that holds the key
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The PDF in which the vendor mailed the key
    #[cfg(feature = "pdf")]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_file", "api_key_file"])]
    import: Option<PathBuf>,
    /// A file with the password of the PDF, instead of being asked
    #[cfg(feature = "pdf")]
    #[arg(long, value_name = "FILE", requires = "import")]
    password_file: Option<PathBuf>,
}

/// The merchants whose keys are kept.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  perennial profiles --output json")]
pub(crate) struct Profiles;

/// A merchant's key, which is forgotten.
#[derive(Debug, Args)]
#[command(
    after_help = "The key stays valid at the gateway.\n\nExample:\n  perennial disconnect north-street"
)]
pub(crate) struct Disconnect {
    /// The profile
    #[arg(value_name = "NAME")]
    name: Profile,
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
    fn is_missing(&self) -> Result<bool, Failure> {
        Ok(matches!(self.store, Store::File) && matches!(self.path()?.try_exists(), Ok(false)))
    }

    fn path(&self) -> Result<PathBuf, Failure> {
        self.keys.clone().map_or_else(usual_file, Ok)
    }

    fn file(&self) -> Result<KeyFile, Failure> {
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

impl Connect {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let MerchantKey { environment, key } = global.new_key(|usual| self.key(usual))?;
        let store = global.keys.store()?;
        let proved = MerchantKey { environment: environment.clone(), key: ApiKey::new(key.expose())? };
        global.client_of(proved)?.batches().open().await?;
        if global.rehearsal.is_on() {
            return Rehearsal::tell(global.output, shown(&self.name, &environment));
        }
        store.put(&self.name, MerchantKey { environment: environment.clone(), key }).await?;
        global.output.record(&shown(&self.name, &environment))
    }

    fn key(&self, usual: Option<&Path>) -> Result<ApiKey, Failure> {
        #[cfg(feature = "pdf")]
        if let Some(document) = &self.import {
            return pdf::import(document, self.password_file.as_deref());
        }
        input::new_key(self.key_file.as_deref().or(usual))
    }
}

impl Profiles {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_gateway("profiles calls no gateway")?;
        // Nothing has to be opened to know that nothing is kept.
        let kept =
            if global.keys.is_missing()? { BTreeMap::new() } else { global.keys.store()?.list().await? };
        if kept.is_empty() && global.output == Output::Table {
            note("no keys are kept: perennial connect NAME keeps the first");
            return Ok(());
        }
        let rows = kept.iter().map(|(profile, environment)| shown(profile, environment)).collect();
        global.output.rows(&["profile", "environment"], rows)
    }
}

impl Disconnect {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_gateway("disconnect calls no gateway")?;
        let store = global.keys.store()?;
        if global.rehearsal.is_on() {
            let MerchantKey { environment, .. } = store.get(&self.name).await?;
            return Rehearsal::tell(global.output, shown(&self.name, &environment));
        }
        store.remove(&self.name).await?;
        global.output.record(&Record::default().with("profile", self.name.as_str()))
    }
}

fn shown(profile: &Profile, environment: &Environment) -> Record {
    Record::default().with("profile", profile.as_str()).with("environment", environment.to_string())
}
