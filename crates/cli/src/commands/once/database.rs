//! The database of the journal, its clock, and the merchants in it.

use std::env;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::{Args, ValueEnum};
use perennial::keys::Profile;
use perennial::{Clearent, Environment, NaiveDate};
use perennial_journal::machine::Rules;
use perennial_journal::{Journal, Moment, ShiftedClock, SystemClock};

use crate::commands::sandbox::world_time;
use crate::context::Global;
use crate::failure::Failure;
use crate::lookup::{self, Line};
use crate::secrets;

/// The database of the journal, and its clock.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database of the journal: sqlite:PATH, or postgres://USER@HOST/DATABASE with the password in PGPASSWORD or a
    /// password file; the default is perennial/journal.db in your data folder, or sandbox-journal.db with --clock sandbox
    #[arg(long, value_name = "URL", env = "PERENNIAL_DB", hide_env_values = true)]
    db: Option<String>,
    /// The clock of the journal. With a sandbox, use sandbox: nothing is found to be missing while the clocks of gateway
    /// and journal are more than five minutes apart
    #[arg(long, value_name = "CLOCK", value_enum)]
    clock: Option<WhichClock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhichClock {
    System,
    Sandbox,
}

impl Database {
    pub(super) fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// The word of the clock, if it is given.
    pub(in crate::commands) fn clock(&self) -> Option<&'static str> {
        self.clock.map(|clock| match clock {
            WhichClock::System => "system",
            WhichClock::Sandbox => "sandbox",
        })
    }

    /// The database as a URL.
    fn url(&self) -> Result<String, Failure> {
        if let Some(url) = &self.db {
            return Ok(url.clone());
        }
        // The time of a journal never goes back, so that one with a sandbox's clock is a file of its own.
        let is_sandbox = matches!(self.clock, Some(WhichClock::Sandbox));
        let name = if is_sandbox { "sandbox-journal.db" } else { "journal.db" };
        let path = usual_folder()?.join(name);
        let path = path.to_str().ok_or_else(|| {
            Failure::Usage("the path of your data folder is no text: pass --db sqlite:PATH".to_owned())
        })?;
        Ok(format!("sqlite:{path}"))
    }

    /// Opens the journal, and creates it if it does not exist.
    pub(in crate::commands) async fn open_or_create(&self, global: &Global) -> Result<Journal, Failure> {
        if self.db.as_deref() == Some("sqlite::memory:") {
            let message =
                "a journal in memory forgets its operation keys when the command ends: give --db sqlite:PATH";
            return Err(Failure::Usage(message.to_owned()));
        }
        if self.db.is_none() {
            create_private(&usual_folder()?)?;
        }
        self.open(global).await
    }

    /// Opens a journal that exists.
    pub(in crate::commands) async fn open_existing(&self, global: &Global) -> Result<Journal, Failure> {
        let url = self.url()?;
        if let Some(path) = url.strip_prefix("sqlite:")
            && path != ":memory:"
            && matches!(Path::new(path).try_exists(), Ok(false))
        {
            return Err(Failure::NoJournal(path.to_owned()));
        }
        self.open(global).await
    }

    async fn open(&self, global: &Global) -> Result<Journal, Failure> {
        let (url, rules) = (self.url()?, Rules::default());
        #[cfg(feature = "postgres")]
        let url = super::password::with_password(url);
        #[cfg(not(feature = "postgres"))]
        if url.starts_with("postgres") {
            let message = "this perennial was built without PostgreSQL: install it with its feature postgres, or give \
                --db sqlite:PATH";
            return Err(Failure::Usage(message.to_owned()));
        }
        Ok(match self.clock {
            Some(WhichClock::Sandbox) => {
                let now = Moment::of_utc(world_time(global).await?.naive_utc());
                Journal::open_with(&url, ShiftedClock::from(now), rules).await?
            }
            Some(WhichClock::System) | None => Journal::open_with(&url, SystemClock, rules).await?,
        })
    }

    /// Locks a file beside the database, if that is a file, until the process ends: one worker is enough for it.
    pub(in crate::commands) fn lock_worker(&self) -> Result<Option<File>, Failure> {
        let url = self.url()?;
        let Some(path) = url.strip_prefix("sqlite:") else { return Ok(None) };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(format!("{path}.worker")).map_err(Failure::System)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            // Workers that run at once do no harm.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(None),
            Err(TryLockError::WouldBlock) => Err(Failure::SecondWorker(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(Failure::System(error)),
        }
    }

    /// The day of the clock, in UTC.
    pub(in crate::commands) async fn today(&self, global: &Global) -> Result<NaiveDate, Failure> {
        Ok(match self.clock {
            Some(WhichClock::Sandbox) => world_time(global).await?.date_naive(),
            Some(WhichClock::System) | None => Utc::now().date_naive(),
        })
    }

    /// Adds the option that names this database to a command. A URL with a password is left out: the variable that named
    /// it names it again. The default with a sandbox's clock is named, because a command without the clock has another.
    pub(in crate::commands) fn on(&self, line: &'static str) -> Line {
        let is_sandbox = matches!(self.clock, Some(WhichClock::Sandbox));
        let usual = || self.url().ok().filter(|_| is_sandbox);
        let db = self.db.clone().or_else(usual).filter(|db| !secrets::has_password(db));
        let db = db.map(|db| match db.strip_prefix("sqlite:") {
            Some(path) => format!("sqlite:{}", lookup::absolute(path.as_ref())),
            None => db,
        });
        Line::new(line).with("db", db)
    }
}

/// The folder of the journal.
fn usual_folder() -> Result<PathBuf, Failure> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let data = folder("XDG_DATA_HOME")
        .or_else(|| Some(folder("HOME")?.join(".local").join("share")))
        .or_else(|| folder("LOCALAPPDATA"))
        .ok_or_else(|| {
            Failure::Usage("it is not known where your data is: pass --db sqlite:PATH".to_owned())
        })?;
    Ok(data.join("perennial"))
}

/// Creates a folder that only its owner can enter, unless it exists.
fn create_private(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(|error| not_created(parent, &error))?;
    }
    match builder.create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(not_created(folder, &error)),
        _ => Ok(()),
    }
}

fn not_created(folder: &Path, error: &std::io::Error) -> Failure {
    let message =
        format!("the folder {} cannot be created: {}; pass --db sqlite:PATH", folder.display(), error.kind());
    Failure::Usage(message)
}

/// The end of a tenant's name that stands for the merchant's account at ClientPay.
const AT_CLIENTPAY: &str = "/clientpay";

/// The name of the tenant for a merchant's account at ClientPay.
pub(in crate::commands) fn row_of_clientpay(merchant: &str) -> String {
    format!("{merchant}{AT_CLIENTPAY}")
}

/// The merchant of a tenant that is an account at ClientPay.
pub(in crate::commands) fn merchant_at_clientpay(tenant: &str) -> Option<&str> {
    tenant.strip_suffix(AT_CLIENTPAY)
}

/// Whether a tenant is of this merchant, at one of the gateways.
pub(in crate::commands) fn is_of(tenant: &str, merchant: &str) -> bool {
    tenant == merchant || merchant_at_clientpay(tenant) == Some(merchant)
}

/// The merchant's name in the journal.
#[derive(Debug, Args)]
pub(crate) struct Tenancy {
    /// The merchant's name in the journal, instead of the profile's; a write without both is of the one merchant of the
    /// gateway
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

impl Tenancy {
    pub(in crate::commands) fn is_given(&self) -> bool {
        self.tenant.is_some()
    }

    /// Adds the name to a command, if it is given.
    pub(in crate::commands) fn on(&self, line: Line) -> Line {
        line.with("tenant", self.tenant.as_ref())
    }

    /// The name that these options give.
    pub(in crate::commands) fn given<'a>(&'a self, global: &'a Global) -> Option<&'a str> {
        self.tenant.as_deref().or_else(|| global.profile().map(Profile::as_str))
    }

    /// The merchant's name for a write of Clearent. Without an option, it is the tenant that has this merchant already, so
    /// that an operation key means the same with and without a profile.
    pub(in crate::commands) async fn of(
        &self,
        global: &Global,
        journal: &Journal,
        client: &Clearent,
    ) -> Result<String, Failure> {
        let name = self.name(global, client.environment());
        let tenants = journal.tenants().await?;
        if self.tenant.is_some() || tenants.iter().any(|tenant| tenant.name == name) {
            return Ok(name);
        }
        let known = journal.tenants_of(client).await?;
        match (known.first(), self.given(global)) {
            (None, _) => Ok(name),
            (Some(known), None) => Ok(known.name.clone()),
            (Some(known), Some(_)) => Err(Failure::Usage(format!(
                "this merchant is the tenant {} of the journal, and under another name its operation keys would take \
                 effect again: give --tenant {}, or --tenant {name} if you want new keys",
                known.name, known.name
            ))),
        }
    }

    /// The merchant's name, at either gateway.
    pub(in crate::commands) fn name(&self, global: &Global, environment: &Environment) -> String {
        if let Some(name) = self.given(global) {
            return merchant_at_clientpay(name).unwrap_or(name).to_owned();
        }
        let url = environment.base_url();
        let host = url.split_once("://").map_or(url, |(_, host)| host);
        format!("default@{host}")
    }
}
