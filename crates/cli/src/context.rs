//! The context of a command: the gateway, the client, the output, and whether it is a dry run.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use perennial::clearent::ApiKey;
use perennial::keys::{MerchantKey, Profile};
use perennial::transport::{BuildError, Exchange, ReqwestBuilder, ReqwestExchange};
use perennial::{BaseUrl, Clearent, Environment, Format};

use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::input;
use crate::interrupt::{Interrupt, Waits};
use crate::key_options::KeyOptions;
use crate::lookup::Again;
use crate::output::{Output, note};
use crate::secrets;

/// Options of every subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The output format of results
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) output: Output,
    /// The format of requests and responses on the wire
    #[arg(long, global = true, default_value = "json", value_name = "FORMAT",
        value_parser = PossibleValuesParser::new(["json", "xml"]).try_map(|name| name.parse::<Format>()))]
    pub(crate) format: Format,
    /// The vendor's gateway to call; the default is sandbox
    #[arg(long, global = true, value_enum, value_name = "NAME", conflicts_with = "base_url")]
    environment: Option<Gateway>,
    /// Another gateway to call: https, or http to a literal loopback address such as 127.0.0.1
    #[arg(long, global = true, value_name = "URL")]
    base_url: Option<String>,
    /// A file that holds the api key, instead of PERENNIAL_API_KEY
    #[arg(long, global = true, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// The proxy for calls to the gateway, such as http://proxy.example:3128; it sees no key. HTTPS_PROXY,
    /// ALL_PROXY and their lower-case forms are not used
    #[arg(long, global = true, value_name = "URL", env = "PERENNIAL_PROXY", hide_env_values = true)]
    proxy: Option<String>,
    /// A PEM file with root certificates to trust in addition to the built-in ones, for example for sandbox serve --tls
    #[arg(long, global = true, value_name = "FILE", env = "PERENNIAL_CA_FILE", hide_env_values = true)]
    ca_file: Option<PathBuf>,
    /// The merchant whose stored key is used, at its gateway: see perennial connect
    #[arg(long, global = true, value_name = "NAME",
        conflicts_with_all = ["api_key_file", "environment", "base_url"])]
    profile: Option<Profile>,
    #[command(flatten)]
    pub(crate) keys: KeyOptions,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    /// Never show a table in a pager
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,
    /// The time limit of a call, including retries
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Log each call to standard error; repeat for more detail
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Start CSV with a byte order mark, which tells Excel that the text is UTF-8
    #[arg(long, global = true)]
    pub(crate) csv_bom: bool,
    /// Accept arguments that look like a card number or an api key but are not, such as order numbers
    #[arg(long, global = true)]
    allow_lookalikes: bool,
    #[arg(skip)]
    pub(crate) interrupt: Interrupt,
    #[arg(skip)]
    pub(crate) again: Again,
    #[arg(skip)]
    pub(crate) tree: Tree,
}

/// Builds the whole command, for completions and manual pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tree(pub(crate) fn() -> clap::Command);

impl Default for Tree {
    fn default() -> Self {
        Self(|| clap::Command::new("perennial"))
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Gateway {
    Sandbox,
    Production,
}

impl Global {
    /// The time limit of a call.
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Refuses the options of the gateway and its key, for a command that calls no gateway; `why` is the reason.
    pub(crate) fn refuse_gateway(&self, why: &str) -> Result<(), Failure> {
        let options = [
            ("--environment", self.environment.is_some()),
            ("--base-url", self.base_url.is_some()),
            ("--api-key-file", self.api_key_file.is_some()),
            ("--profile", self.profile.is_some()),
        ];
        let given: Vec<&str> =
            options.into_iter().filter_map(|(option, given)| given.then_some(option)).collect();
        if given.is_empty() {
            return Ok(());
        }
        let given = given.join(" and ");
        Err(Failure::Usage(format!("{why}: leave out {given}")))
    }

    /// The key of a merchant to connect, and the gateway of the options. `read` gets the file of
    /// `--api-key-file`.
    pub(crate) fn new_key(
        &self,
        read: impl FnOnce(Option<&Path>) -> Result<ApiKey, Failure>,
    ) -> Result<MerchantKey, Failure> {
        self.refuse_profile("the profile is named without it")?;
        Ok(MerchantKey { environment: self.environment()?, key: read(self.api_key_file.as_deref())? })
    }

    /// Refuses a profile for a command that would ignore it; `why` is the reason.
    pub(crate) fn refuse_profile(&self, why: &str) -> Result<(), Failure> {
        match self.profile {
            Some(_) => Err(Failure::Usage(format!("{why}: leave out --profile"))),
            None => Ok(()),
        }
    }

    /// The api key of the file, else of the environment.
    pub(crate) fn api_key(&self) -> Result<ApiKey, Failure> {
        self.refuse_profile("this command takes the key alone")?;
        input::api_key(self.api_key_file.as_deref())
    }

    /// The URL of the local sandbox.
    pub(crate) fn sandbox(&self) -> Result<BaseUrl, Failure> {
        if self.environment.is_some() {
            let message = "the vendor's gateways have no such command: leave out --environment";
            return Err(Failure::Usage(message.to_owned()));
        }
        let url: BaseUrl = self.base_url.as_deref().unwrap_or("http://127.0.0.1:8480").parse()?;
        // Also where it is written with the version that the vendors print.
        Ok(Environment::from(url).clientpay_base_url().parse()?)
    }

    /// The gateway to call.
    pub(crate) fn environment(&self) -> Result<Environment, Failure> {
        Ok(match (&self.base_url, self.environment) {
            (Some(url), _) => Environment::Custom(url.parse::<BaseUrl>()?),
            (None, Some(Gateway::Production)) => Environment::Production,
            (None, _) => Environment::Sandbox,
        })
    }

    /// Refuses options that only Clearent has.
    pub(crate) fn refuse_clearent(&self) -> Result<(), Failure> {
        if self.api_key_file.is_some() {
            return Err(Failure::Usage("ClientPay has no api key: leave out --api-key-file".to_owned()));
        }
        self.refuse_profile("a profile has a key of Clearent")?;
        if self.format != Format::Json {
            return Err(Failure::Usage("ClientPay speaks JSON only: leave out --format".to_owned()));
        }
        Ok(())
    }

    /// The profile, if one is given.
    pub(crate) fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Whether these options name a gateway by its address or environment.
    pub(crate) fn names_environment(&self) -> bool {
        self.base_url.is_some() || self.environment.is_some()
    }

    /// Whether this run has a key without a profile.
    pub(crate) fn has_key(&self) -> bool {
        self.api_key_file.is_some() || env::var_os(secrets::API_KEY).is_some_and(|key| !key.is_empty())
    }

    /// The merchant of these options.
    pub(crate) async fn merchant(&self) -> Result<MerchantKey, Failure> {
        Ok(match &self.profile {
            Some(profile) => self.keys.store()?.get(profile).await?,
            None => MerchantKey { environment: self.environment()?, key: self.api_key()? },
        })
    }

    /// Creates the client of these options.
    pub(crate) async fn client(&self) -> Result<Clearent, Failure> {
        self.client_of(self.merchant().await?)
    }

    /// Creates the client of a worker: a signal does not cut its writes short.
    pub(crate) async fn worker_client(&self) -> Result<Clearent, Failure> {
        let key = self.merchant().await?;
        let client = key.client().format(self.format).deadline(self.deadline());
        Ok(client.exchange(self.worker()?).build()?)
    }

    /// The exchange of a worker.
    pub(crate) fn worker(&self) -> Result<Arc<dyn Exchange>, Failure> {
        Ok(Arc::new(self.reqwest(|reqwest| reqwest)?))
    }

    /// Creates the client of this merchant.
    pub(crate) fn client_of(&self, key: MerchantKey) -> Result<Clearent, Failure> {
        let exchange = self.exchange(|reqwest| reqwest)?;
        let client = key.client().format(self.format).deadline(self.deadline());
        Ok(client.exchange(exchange).time(self.waits()).build()?)
    }

    /// The exchange of this run: reqwest with these settings, which a signal interrupts, and in which a
    /// dry run intercepts requests that would change something.
    pub(crate) fn exchange(
        &self,
        set: impl FnOnce(ReqwestBuilder) -> ReqwestBuilder,
    ) -> Result<Arc<dyn Exchange>, Failure> {
        Ok(self.dry_run.around(self.interrupt.around(self.reqwest(set)?)))
    }

    fn reqwest(
        &self,
        set: impl FnOnce(ReqwestBuilder) -> ReqwestBuilder,
    ) -> Result<ReqwestExchange, Failure> {
        let mut reqwest = set(ReqwestExchange::builder());
        if let Some(file) = &self.ca_file {
            reqwest = reqwest.add_root_certificate(input::pem(file)?);
        }
        match &self.proxy {
            Some(proxy) => reqwest = reqwest.proxy(proxy),
            None => note_ignored_proxy(),
        }
        reqwest.build().map_err(|error| match (error, &self.ca_file) {
            (BuildError::Proxy, _) => Failure::Usage(format!("--proxy: {error}")),
            (BuildError::RootPem, Some(file)) => {
                Failure::Usage(format!("--ca-file: {} holds no certificates in PEM", file.display()))
            }
            _ => Failure::System(io::Error::other(error)),
        })
    }

    /// The clock of a client; a signal ends its waits.
    pub(crate) fn waits(&self) -> Waits {
        Waits(self.interrupt.clone())
    }
}

/// Notes once that the command ignores the proxy variables of the environment.
fn note_ignored_proxy() {
    static IS_NOTED: Once = Once::new();
    let set = PROXIES.iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    if let Some(name) = set {
        IS_NOTED.call_once(|| {
            note(&format!("{name} is set and not used: pass --proxy URL to call through a proxy"));
        });
    }
}

/// The environment variables of other programs that name a proxy for https.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
