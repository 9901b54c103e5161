//! Writes under an operation key: they go through the journal, and take effect once.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use perennial::transport::redact;
use perennial::{Clearent, Environment};
use perennial_journal::machine::{Intent, Rules, State};
use perennial_journal::{Error, Journal, Moment, Settled, ShiftedClock, SystemClock, Told};
use serde::de::DeserializeOwned;

use super::sandbox::world_time;
use crate::context::Global;
use crate::failure::{Failure, Waiting};
use crate::lookup::Line;
use crate::output::{IntoRecord, Output, Record, note};
use crate::secrets;

/// The longest time limit of a call under an operation key: a claim of an intent lasts two minutes.
const LONGEST: Duration = Duration::from_mins(1);

/// A write, and the options under which it takes effect once.
#[derive(Debug, Args)]
pub(crate) struct Keyed<T: Args> {
    #[command(flatten)]
    pub(super) command: T,
    #[command(flatten)]
    pub(super) once: Once,
}

/// The operation key of a write.
#[derive(Debug, Args)]
#[command(next_help_heading = "Once")]
pub(crate) struct Once {
    /// Your name for this decision: under one key, the write takes effect once, however often the command runs
    #[arg(long, value_name = "KEY")]
    operation_key: Option<String>,
    #[command(flatten)]
    database: Database,
}

/// The database of the journal, and its clock.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database of the journal: sqlite:PATH; the default is perennial/journal.db in your data folder
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
    /// The database as a URL.
    pub(super) fn url(&self) -> Result<String, Failure> {
        if let Some(url) = &self.db {
            return Ok(url.clone());
        }
        let path = usual_folder()?.join("journal.db");
        let path = path.to_str().ok_or_else(|| {
            Failure::Usage("the path of your data folder is no text: pass --db sqlite:PATH".to_owned())
        })?;
        Ok(format!("sqlite:{path}"))
    }

    /// Opens the journal, and creates it if it does not exist.
    async fn open_or_create(&self, global: &Global) -> Result<Journal, Failure> {
        if self.db.is_none() {
            create_private(&usual_folder()?)?;
        }
        self.open(global).await
    }

    /// Opens a journal that exists.
    pub(super) async fn open_existing(&self, global: &Global) -> Result<Journal, Failure> {
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
        Ok(match self.clock {
            Some(WhichClock::Sandbox) => {
                let now = Moment::of_utc(world_time(global).await?.naive_utc());
                Journal::open_with(&url, ShiftedClock::from(now), rules).await?
            }
            Some(WhichClock::System) | None => Journal::open_with(&url, SystemClock, rules).await?,
        })
    }

    /// Adds the option that names this database to a command. A URL with a user or a password is left out: the variable
    /// that named it names it again.
    pub(super) fn on(&self, line: &'static str) -> Line {
        let db = self.db.as_ref().filter(|db| secrets::user_info(db).is_none());
        let db = db.map(|db| match db.strip_prefix("sqlite:") {
            Some(path) => format!("sqlite:{}", crate::lookup::absolute(path.as_ref())),
            None => db.clone(),
        });
        Line::new(line).with("db", db)
    }
}

/// The name of the tenant: the profile, or else a name for the one key that is used at this host without a profile.
pub(super) fn tenant_of(global: &Global, environment: &Environment) -> String {
    if let Some(profile) = global.profile() {
        return profile.as_str().to_owned();
    }
    let url = environment.base_url();
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    format!("default@{host}")
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

impl Once {
    /// Opens the journal for this write, if it has an operation key. A dry run stores nothing and needs no journal.
    pub(super) async fn open(&self, global: &Global, client: &Clearent) -> Result<Option<Writer>, Failure> {
        let Some(key) = &self.operation_key else {
            if self.database.clock.is_some() {
                let message = "--clock is the clock of the journal, which is used under a key: add --operation-key KEY, or \
                    leave it out";
                return Err(Failure::Usage(message.to_owned()));
            }
            return Ok(None);
        };
        perennial_journal::check_key(key)?;
        if global.deadline() > LONGEST {
            let message = "under an operation key, a call has at most 60 seconds: give --timeout 60 or less";
            return Err(Failure::Usage(message.to_owned()));
        }
        if global.dry_run.is_on() {
            return Ok(None);
        }
        let journal = self.database.open_or_create(global).await?;
        let tenant = tenant_of(global, client.environment());
        let clearent = journal.clearent(&tenant, client).await?;
        Ok(Some(Writer {
            journal,
            clearent,
            key: key.clone(),
            look_up: self.database.on("perennial journal show"),
            output: global.output,
        }))
    }
}

/// A merchant's client whose writes go through the journal, under one operation key.
pub(super) struct Writer {
    journal: Journal,
    clearent: perennial_journal::Clearent,
    key: String,
    look_up: Line,
    output: Output,
}

/// A settled write.
pub(super) struct Outcome<T> {
    /// The object; `None` if the gateway does not return it, and after the decision of a person.
    pub(super) value: Option<T>,
    /// The way in which the outcome is known; `None` if the card was declined.
    pub(super) told: Option<Told>,
    pub(super) intent: Intent,
}

impl Writer {
    /// The writes, which take the operation key first.
    pub(super) fn writes(&self) -> &perennial_journal::Clearent {
        &self.clearent
    }

    /// The operation key.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Whether the journal has an intent with this key: then the journal decides, and no precondition.
    pub(super) async fn is_known(&self) -> Result<bool, Failure> {
        match self.journal.intent(Some(self.clearent.tenant()), &self.key).await {
            Ok(_) => Ok(true),
            Err(Error::NoIntent(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Prints the outcome of a write.
    pub(super) async fn written<T: IntoRecord + DeserializeOwned>(
        &self,
        settled: Result<Settled<T>, Error>,
    ) -> Result<(), Failure> {
        let Outcome { value, told, intent } = self.outcome(settled).await?;
        let record = value.map_or_else(|| gone::<T>(&intent), T::record);
        self.print::<T>(record, told, &intent)
    }

    /// Prints the object of a write. Programs also get the operation.
    pub(super) fn print<T: IntoRecord>(
        &self,
        record: Record,
        told: Option<Told>,
        intent: &Intent,
    ) -> Result<(), Failure> {
        let word = told.map(word);
        if self.output == Output::Table {
            match told {
                Some(Told::Replayed) => {
                    note("this was done before under this operation key: nothing was sent now");
                }
                Some(Told::Adopted) => note("this was found at the gateway: an earlier response was lost"),
                Some(Told::Decided) => note("a person decided this: perennial journal show says who and why"),
                _ => {}
            }
        }
        let record = if self.output.is_json() {
            let operation = Record::default()
                .with("key", self.key.as_str())
                .with("intent", intent.uid.as_str())
                .with("how", word);
            record.with("operation", operation)
        } else {
            record
        };
        self.output.left::<T>(&record, exchange_id(intent).map(str::to_owned))
    }

    /// The outcome of a write, or the failure if it is refused or not settled.
    pub(super) async fn outcome<T>(&self, settled: Result<Settled<T>, Error>) -> Result<Outcome<T>, Failure> {
        let settled = settled.map_err(|error| match error {
            Error::Store(error) => Failure::JournalLost(error),
            error => error.into(),
        })?;
        let intent = self.journal.intent(Some(self.clearent.tenant()), &self.key).await?;
        Ok(match settled {
            Settled::Done { value, how } => Outcome { value, told: Some(how), intent },
            Settled::Declined { value } => Outcome { value, told: None, intent },
            Settled::Refused { reason } => {
                let reason = redact::text(&reason);
                let message = format!("{reason}. Nothing was done: a new try needs another --operation-key");
                return Err(Failure::Refused(message));
            }
            Settled::Withdrawn { reason } => {
                let reason = redact::text(&reason);
                let message = format!(
                    "this was withdrawn and is not done: {reason}. A new try needs another --operation-key"
                );
                return Err(Failure::Refused(message));
            }
            Settled::Open(waits) | Settled::NeedsCard(waits) | Settled::NeedsPerson(waits) => {
                // A plan that is made waits for its activation, which is an intent of its own.
                let intent = if waits.intent == intent.uid {
                    intent
                } else {
                    self.journal.intent(None, &waits.intent).await?
                };
                return Err(self.waiting(&intent, waits.reason).await?);
            }
            _ => return Err(Failure::Unexpected("the journal reports an outcome that is not known here")),
        })
    }

    async fn waiting(&self, intent: &Intent, reason: String) -> Result<Failure, Failure> {
        let tenant = self.journal.tenants().await?.into_iter().find(|known| known.uid == intent.tenant);
        let hold = tenant.and_then(|tenant| Some((tenant.hold?, tenant.name)));
        let reason = match (intent.state, hold) {
            (State::Planned, Some((hold, name))) => {
                format!("the tenant {name} is on hold ({hold}); perennial hold off ends the hold")
            }
            (State::Sending, _) => {
                "another process is at work on it, or ended before the response was stored; the latter is \
                looked for after two minutes"
                    .to_owned()
            }
            _ => reason,
        };
        Ok(Failure::Waiting(Box::new(Waiting {
            key: self.key.clone(),
            intent: intent.uid.clone(),
            state: intent.state,
            reason,
            look_up: self.look_up.clone().word(&intent.uid),
        })))
    }
}

/// The id of a written object that the gateway does not return.
pub(super) fn gone<T: IntoRecord>(intent: &Intent) -> Record {
    let id = intent.outcome.as_ref().and_then(|outcome| outcome.id.clone());
    Record::default().with(T::KEY, id)
}

/// The gateway's id of the exchange that settled an intent.
pub(super) fn exchange_id(intent: &Intent) -> Option<&str> {
    intent.history.attempts.last()?.exchange_id.as_deref()
}

fn word(told: Told) -> &'static str {
    match told {
        Told::Sent => "sent",
        Told::Adopted => "adopted",
        Told::Replayed => "replayed",
        Told::Decided => "decided",
        _ => "known",
    }
}
