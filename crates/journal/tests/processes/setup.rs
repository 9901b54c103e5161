//! Everything that a worker needs to know, and the time that all of them share.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use perennial::clearent::{ApiKey, CustomerKey, NewCustomer, NewToken, TokenId};
use perennial::clientpay::Credentials;
use perennial::transport::Exchange;
use perennial::{BaseUrl, Clearent as Client, ClientPay as PayClient, Environment};
use perennial_journal::machine::{Intent, Rules};
use perennial_journal::store::Filter;
use perennial_journal::{Clearent, ClientPay, Clock, Error, Journal, Moment};
use perennial_sandbox::{Sandbox, World};
use serde::{Deserialize, Serialize};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// 2027-01-01T00:00:00Z, at which the clock of a new world stands.
pub(crate) const START: i64 = 1_798_761_600_000;

/// The end of a call, which bounds what can happen after the last moment to send.
const DEADLINE: Duration = Duration::from_secs(1);

/// The credentials, the places, and the share of one worker.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) database: String,
    pub(crate) time: SharedTime,
    pub(crate) seed: u64,
    /// The number of the worker, and the number of workers: it completes its share of the decisions at the end.
    pub(crate) share: (u64, u64),
    /// Whether it plants a defect: a request that waits after the last check, and leaves however late it is.
    pub(crate) sends_late: bool,
    pub(crate) gateway: String,
    pub(crate) key: String,
    pub(crate) account: [String; 3],
    /// A customer and a token that everybody charges.
    pub(crate) customer: String,
    pub(crate) token: String,
}

/// A file with the time of the journal and of the gateway, and the number of decisions that may be made by now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SharedTime(PathBuf);

impl SharedTime {
    pub(crate) fn new(path: PathBuf) -> Self {
        let time = Self(path);
        time.write(START, 0);
        time
    }

    pub(crate) fn write(&self, now: i64, decisions: u64) {
        let next = self.0.with_extension("next");
        fs::write(&next, format!("{now} {decisions}")).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    pub(crate) fn read(&self) -> (i64, u64) {
        let text = fs::read_to_string(&self.0).unwrap();
        let (now, decisions) = text.split_once(' ').unwrap();
        (now.parse().unwrap(), decisions.parse().unwrap())
    }
}

impl Clock for SharedTime {
    fn now(&self) -> Moment {
        Moment::from_millis(self.read().0)
    }

    fn system(&self) -> Moment {
        self.now()
    }
}

/// The journal's rules, but for the last moment to send: it is a second of real time, because a request that is about
/// to leave is refused by the machine's clocks.
pub(crate) fn rules() -> Rules {
    let mut rules = Rules::default();
    rules.send_within = Duration::from_secs(1);
    rules
}

/// Ticks, of which none makes up for one that was late.
pub(crate) fn paced(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// A journal with its clients.
pub(crate) struct Clients {
    pub(crate) journal: Journal,
    pub(crate) north: Clearent,
    pub(crate) pay: ClientPay,
    pub(crate) customer: CustomerKey,
    pub(crate) token: TokenId,
}

/// All intents of a journal. Each of its connections may be one that a crash has ended.
pub(crate) async fn all_intents(journal: &Journal) -> Vec<Intent> {
    let mut filter = Filter::default();
    filter.limit = u32::MAX;
    for _ in 0..20 {
        if let Ok(intents) = journal.intents(&filter).await {
            return intents;
        }
    }
    journal.intents(&filter).await.unwrap()
}

impl Setup {
    /// Makes a customer and a token in the world, without the journal.
    pub(crate) async fn new(sandbox: &Sandbox, world: &World, database: String, time: SharedTime) -> Self {
        let account = world.clientpay();
        let account = account.fields();
        let account =
            [account.integrator_key.expose(), account.account_key.expose(), account.account_pin.expose()];
        let mut setup = Self {
            database,
            time,
            seed: 0,
            share: (0, 1),
            sends_late: false,
            gateway: sandbox.base_url().to_owned(),
            key: world.api_key().expose().to_owned(),
            account: account.map(str::to_owned),
            customer: String::new(),
            token: String::new(),
        };
        let client = setup.client(None);
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
        let customer = client.customers().create(&ada).await.unwrap().customer_key.clone();
        let card = NewToken::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999");
        let card = card.description("everybody's").customer_key(&customer).build().unwrap();
        setup.token = client.tokens().create(card).await.unwrap().token_id.clone().unwrap().to_string();
        setup.customer = customer.to_string();
        setup
    }

    fn environment(&self) -> Environment {
        Environment::Custom(self.gateway.parse::<BaseUrl>().unwrap())
    }

    fn client(&self, exchange: Option<Box<dyn Exchange>>) -> Client {
        let builder = Client::builder(ApiKey::new(&self.key).unwrap()).environment(self.environment());
        let builder = builder.deadline(DEADLINE);
        match exchange {
            Some(exchange) => builder.exchange(exchange).build().unwrap(),
            None => builder.build().unwrap(),
        }
    }

    /// Opens the journal and binds both clients.
    pub(crate) async fn open(&self, exchange: Option<Box<dyn Exchange>>) -> Result<Clients, Error> {
        let journal = Journal::open_with(&self.database, self.time.clone(), rules()).await?;
        let north = journal.clearent("north-street", &self.client(exchange)).await?;
        let [integrator, account, pin] = &self.account;
        let credentials = Credentials::builder()
            .integrator_key(integrator.as_str())
            .account_key(account.as_str())
            .account_pin(pin.as_str())
            .build()
            .unwrap();
        let ids = journal.access_ids("north-street", &self.environment(), &credentials).await?;
        let pay = PayClient::builder(credentials).environment(self.environment()).deadline(DEADLINE);
        let pay = journal.clientpay("north-street", &pay.access_ids(ids).build().unwrap()).await?;
        let customer = CustomerKey::try_from(self.customer.as_str()).unwrap();
        let token = TokenId::try_from(self.token.as_str()).unwrap();
        Ok(Clients { journal, north, pay, customer, token })
    }
}
