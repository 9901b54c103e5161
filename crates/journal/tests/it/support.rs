//! A sandbox, and a journal whose clock is the sandbox's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use perennial::clearent::{
    ApiKey, Charge, CustomerKey, NewCustomer, NewPlan, NewToken, Token, TokenId, TokenSearch,
};
use perennial::{BaseUrl, Clearent as Client, Format};
use perennial_journal::machine::Rules;
use perennial_journal::{Clearent, Clock, Journal, Moment};
use perennial_sandbox::Sandbox;

/// The time of the world, which tests advance together.
#[derive(Debug, Clone)]
pub(crate) struct WorldClock(pub(crate) Arc<AtomicI64>);

impl Clock for WorldClock {
    fn now(&self) -> Moment {
        Moment::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: WorldClock,
    pub(crate) client: Client,
    pub(crate) journal: Journal,
    pub(crate) north: Clearent,
    /// A customer with a token, made without the journal.
    pub(crate) customer: CustomerKey,
    pub(crate) token: TokenId,
    url: String,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

/// 2027-01-01T00:00:00Z, at which the clocks of new worlds stand.
pub(crate) const START: i64 = 1_798_761_600_000;

impl World {
    pub(crate) async fn new(format: Format) -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let client = Client::builder(ApiKey::new(sandbox.api_key().expose()).unwrap())
            .environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
            .format(format)
            .deadline(Duration::from_millis(400))
            .build()
            .unwrap();
        let clock = WorldClock(Arc::new(AtomicI64::new(START)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let url = format!("sqlite:{}", path.display());
        let journal = Journal::open_with(&url, clock.clone(), Rules::default()).await.unwrap();
        let north = journal.clearent("north-street", &client).await.unwrap();
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
        let customer = client.customers().create(&ada).await.unwrap().customer_key.clone();
        let token = client.tokens().create(card(&customer)).await.unwrap().token_id.clone().unwrap();
        Self { sandbox, clock, client, journal, north, customer, token, url, path, _folder: folder }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The world with another, empty journal: the files of its own are closed.
    pub(crate) async fn closed(mut self) -> Self {
        let other =
            Journal::open_with("sqlite::memory:", self.clock.clone(), Rules::default()).await.unwrap();
        self.north = other.clearent("other", &self.client).await.unwrap();
        let journal = std::mem::replace(&mut self.journal, other);
        journal.close();
        self
    }

    /// Lets the time pass at the gateway and here.
    pub(crate) async fn pass(&self, minutes: i64) {
        self.sandbox.advance(&format!("PT{minutes}M")).await.unwrap();
        self.clock.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }

    pub(crate) fn plan(&self, name: &str) -> NewPlan {
        NewPlan::builder()
            .plan_name(name)
            .customer_key(&self.customer)
            .token_id(&self.token)
            .monthly_on(15)
            .starting("2027-02-01")
            .charges(12)
            .payment_amount("50.00")
            .status("ACTIVE")
            .build()
            .unwrap()
    }

    pub(crate) fn charge(&self) -> Charge {
        Charge::builder().amount("25.00").card(&self.token).exp_date("1230").build().unwrap()
    }

    /// The tokens of the merchant whose description ends with this.
    pub(crate) async fn tokens(&self, description: &str) -> Vec<Token> {
        let mut tokens = self.client.tokens().search(&TokenSearch::default()).collect_all().await.unwrap();
        tokens.retain(|token| token.description.as_deref().is_some_and(|text| text.ends_with(description)));
        tokens
    }
}

pub(crate) fn card(customer: &CustomerKey) -> NewToken {
    let token =
        NewToken::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999").description("a card");
    token.customer_key(customer).build().unwrap()
}
