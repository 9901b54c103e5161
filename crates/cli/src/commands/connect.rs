//! `perennial connect`, `profiles` and `disconnect`: stored keys of merchants.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use perennial::Environment;
use perennial::clearent::ApiKey;
use perennial::keys::{MerchantKey, Profile};

use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::input;
use crate::lookup::Line;
use crate::output::{Output, Record, note};
#[cfg(feature = "pdf")]
use crate::pdf;

/// Storing the key of a merchant.
#[derive(Debug, Args)]
#[command(
    after_help = "Prompts for the key without showing it, or reads it from --key-file, from the PDF of --import, or from standard input. \
        Stores the key only if the gateway accepted it.\n\n\
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
    /// The PDF with the key that the vendor mailed
    #[cfg(feature = "pdf")]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_file", "api_key_file"])]
    import: Option<PathBuf>,
    /// A file with the password of the PDF, instead of a prompt
    #[cfg(feature = "pdf")]
    #[arg(long, value_name = "FILE", requires = "import")]
    password_file: Option<PathBuf>,
}

/// Merchants with stored keys.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  perennial profiles --output json")]
pub(crate) struct Profiles;

/// Removing the stored key of a merchant.
#[derive(Debug, Args)]
#[command(
    after_help = "The key stays valid at the gateway.\n\nExample:\n  perennial disconnect north-street"
)]
pub(crate) struct Disconnect {
    /// The profile
    #[arg(value_name = "NAME")]
    name: Profile,
}

impl Connect {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let MerchantKey { environment, key } = global.new_key(|usual| self.key(usual))?;
        let store = global.keys.store()?;
        let proved = MerchantKey { environment: environment.clone(), key: input::key(key.expose())? };
        global.client_of(proved)?.batches().open().await?;
        if global.dry_run.is_on() {
            return DryRun::print(global.output, profile_record(&self.name, &environment));
        }
        store.put(&self.name, MerchantKey { environment: environment.clone(), key }).await?;
        global.output.record(&profile_record(&self.name, &environment))
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
        // A missing file has no profiles and is not opened.
        let profiles =
            if global.keys.is_missing()? { BTreeMap::new() } else { global.keys.store()?.list().await? };
        if profiles.is_empty() && global.output == Output::Table {
            let command = Line::new("perennial connect").word("NAME").again(&global.again);
            note(&format!("no keys are stored: `{command}` stores one"));
            return Ok(());
        }
        let rows =
            profiles.iter().map(|(profile, environment)| profile_record(profile, environment)).collect();
        global.output.rows(&["profile", "environment"], rows)
    }
}

impl Disconnect {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_gateway("disconnect calls no gateway")?;
        let store = global.keys.store()?;
        if global.dry_run.is_on() {
            let MerchantKey { environment, .. } = store.get(&self.name).await?;
            return DryRun::print(global.output, profile_record(&self.name, &environment));
        }
        store.remove(&self.name).await?;
        global.output.record(&Record::default().with("profile", self.name.as_str()))
    }
}

fn profile_record(profile: &Profile, environment: &Environment) -> Record {
    Record::default().with("profile", profile.as_str()).with("environment", environment.to_string())
}
