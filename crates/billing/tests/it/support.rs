//! A sandbox, a journal whose clock is the sandbox's, and the subscriptions of one merchant.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::clearent::{
    ApiKey, CustomerKey, NewCustomer, NewToken, Paging, TokenId, Transaction, TransactionId,
    TransactionSearch, Verdict,
};
use perennial::transport::{Deadline, Exchange, ReqwestExchange, TransportError};
use perennial::{BaseUrl, Clearent as Client};
use perennial_billing::{Billing, Member, NewSubscription};
use perennial_journal::machine::Rules;
use perennial_journal::{By, Clearent, Clock, Journal, Moment};
use perennial_sandbox::{GatewayOptions, Sandbox};

/// The time of the world, which tests advance together.
#[derive(Debug, Clone)]
pub(crate) struct WorldClock(pub(crate) Arc<AtomicI64>);

impl Clock for WorldClock {
    fn now(&self) -> Moment {
        Moment::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn system(&self) -> Moment {
        self.now()
    }
}

/// The way to the gateway: notes requests, makes transactions unreadable, and changes the expiry of tokens.
#[derive(Clone)]
pub(crate) struct Wire {
    exchange: Arc<ReqwestExchange>,
    requests: Arc<Mutex<Vec<String>>>,
    /// The transaction whose amount cannot be read.
    unreadable: Arc<Mutex<Option<String>>>,
    /// The tokens whose expiry is another one, and the number of reads of a single token.
    expiries: Arc<Mutex<HashMap<String, String>>>,
    token_reads: Arc<AtomicU64>,
}

impl Wire {
    fn new() -> Self {
        let exchange = ReqwestExchange::builder().build().unwrap();
        Self {
            exchange: Arc::new(exchange),
            requests: Arc::default(),
            unreadable: Arc::default(),
            expiries: Arc::default(),
            token_reads: Arc::default(),
        }
    }

    /// The requests since the last call, without ids and values.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// The number of reads of a single token since the last call.
    pub(crate) fn token_reads(&self) -> u64 {
        self.token_reads.swap(0, Ordering::SeqCst)
    }

    /// From now on, the gateway reports this expiry of the token; `None` is its own.
    pub(crate) fn set_expiry(&self, token: &TokenId, exp_date: Option<&str>) {
        let mut expiries = self.expiries.lock().unwrap();
        match exp_date {
            Some(exp_date) => expiries.insert(token.to_string(), exp_date.to_owned()),
            None => expiries.remove(token.as_str()),
        };
    }

    pub(crate) fn make_unreadable(&self, transaction: Option<String>) {
        *self.unreadable.lock().unwrap() = transaction;
    }
}

#[async_trait]
impl Exchange for Wire {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        self.requests.lock().unwrap().push(without_values(&request));
        let is_token = request.method() == "GET" && request.uri().path().contains("/tokens/");
        self.token_reads.fetch_add(u64::from(is_token), Ordering::SeqCst);
        let response = self.exchange.exchange(request, deadline).await?;
        let unreadable = self.unreadable.lock().unwrap().clone();
        let expiries = self.expiries.lock().unwrap().clone();
        if unreadable.is_none() && expiries.is_empty() {
            return Ok(response);
        }
        Ok(response.map(|body| {
            let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(&body) else { return body };
            change(&mut document, &|object| {
                if object.get("id").is_some_and(|id| id.as_str() == unreadable.as_deref() && id.is_string()) {
                    object["amount"] = "fifty".into();
                }
                let expiry = object.get("token-id").and_then(|id| expiries.get(id.as_str()?));
                if let Some(expiry) = expiry.filter(|_| object.get("exp-date").is_some()) {
                    object["exp-date"] = expiry.as_str().into();
                }
            });
            document.to_string().into()
        }))
    }
}

/// The method and the path of a request, and the names of its parameters but for those of pages.
fn without_values(request: &Request<Bytes>) -> String {
    let is_word = |part: &&str| !part.contains(|letter: char| letter.is_ascii_digit()) && *part != "rest";
    let path = request.uri().path().split('/').filter(|part| !part.is_empty()).filter(is_word);
    let names = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let names = names.map(|(name, _)| name).filter(|name| !name.starts_with("page"));
    let path = path.collect::<Vec<_>>().join("/");
    std::iter::once(request.method().as_str())
        .chain([path.as_str()])
        .chain(names)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Changes the document and all that is in it.
fn change(document: &mut serde_json::Value, one: &impl Fn(&mut serde_json::Value)) {
    one(document);
    match document {
        serde_json::Value::Object(members) => members.values_mut().for_each(|member| change(member, one)),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| change(item, one)),
        _ => {}
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) wire: Wire,
    pub(crate) clock: WorldClock,
    pub(crate) client: Client,
    pub(crate) journal: Journal,
    pub(crate) north: Clearent,
    pub(crate) billing: Billing,
    pub(crate) customer: CustomerKey,
    pub(crate) token: TokenId,
}

/// 2027-01-01T00:00:00Z, at which the clocks of new worlds stand.
const START: i64 = 1_798_761_600_000;
const DAY: i64 = 86_400_000;

impl World {
    pub(crate) async fn new() -> Self {
        Self::on("sqlite::memory:").await
    }

    /// A world with `SQLite`, and one with `PostgreSQL` if the feature is on.
    pub(crate) async fn on_each_database() -> Vec<Self> {
        #[cfg_attr(not(all(unix, feature = "postgres")), expect(unused_mut))]
        let mut worlds = vec![Self::new().await];
        #[cfg(all(unix, feature = "postgres"))]
        worlds.push(Self::on(&crate::postgres::database()).await);
        worlds
    }

    pub(crate) async fn on(url: &str) -> Self {
        let forever = GatewayOptions { retention: "P100Y".parse().unwrap(), ..GatewayOptions::default() };
        Self::of(url, forever).await
    }

    /// A world with a gateway of these habits.
    pub(crate) async fn with(options: GatewayOptions) -> Self {
        Self::of("sqlite::memory:", options).await
    }

    pub(crate) async fn of(url: &str, options: GatewayOptions) -> Self {
        let has_own_keys = options.own_customer_keys;
        let sandbox = Sandbox::builder().gateway(options).start().await.unwrap();
        let wire = Wire::new();
        let client = Client::builder(ApiKey::new(sandbox.api_key().expose()).unwrap())
            .environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
            .exchange(wire.clone())
            .build()
            .unwrap();
        let clock = WorldClock(Arc::new(AtomicI64::new(START)));
        let journal = Journal::open_with(url, clock.clone(), Rules::default()).await.unwrap();
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
        let customer = client.customers().create(&ada).await.unwrap().customer_key.clone();
        let north = if has_own_keys {
            journal.clearent("north-street", &client).await.unwrap()
        } else {
            // A control customer needs a key that the journal chooses.
            journal.clearent("north-street", &client).await.unwrap_err();
            let north = journal.rebind("north-street", &client, Some(&customer), by()).await.unwrap();
            journal.release("north-street", by()).await.unwrap();
            north
        };
        let billing = Billing::open(&journal, &north).await.unwrap();
        let mut world = Self {
            sandbox,
            wire,
            clock,
            client,
            journal,
            north,
            billing,
            customer,
            token: "0".parse().unwrap(),
        };
        world.token = world.card("4111 1111 1111 1111").await;
        world
    }

    /// Another token of the customer.
    pub(crate) async fn card(&self, number: &str) -> TokenId {
        self.card_until(number, "1239").await
    }

    /// Another token of the customer, whose card ends with this month.
    pub(crate) async fn card_until(&self, number: &str, exp_date: &str) -> TokenId {
        let card = NewToken::builder().card(number).exp_date(exp_date).csc("999").description("a card");
        let card = card.customer_key(&self.customer).build().unwrap();
        self.client.tokens().create(card).await.unwrap().token_id.clone().unwrap()
    }

    pub(crate) fn gold(&self, id: &str, day: u32) -> NewSubscription {
        let amount = "50.00".parse().unwrap();
        let (customer, token) = (self.customer.clone(), self.token.clone());
        // Tests start many that charge the same.
        NewSubscription::new(id, customer, token, "Gold", amount, day.try_into().unwrap()).allowing_second()
    }

    /// Lets days pass at the gateway and here, and works twice on each: at noon and at midnight.
    pub(crate) async fn pass(&self, days: i64) {
        for _ in 0..2 * days {
            self.half_a_day().await;
        }
    }

    pub(crate) async fn half_a_day(&self) {
        self.half_a_day_without_work().await;
        self.billing.work().await.unwrap();
    }

    pub(crate) async fn half_a_day_without_work(&self) {
        self.sandbox.advance("PT12H").await.unwrap();
        self.clock.0.fetch_add(DAY / 2, Ordering::SeqCst);
    }

    /// Another process with the same database and merchant.
    pub(crate) async fn other(&self, url: &str) -> Billing {
        let journal = Journal::open_with(url, self.clock.clone(), Rules::default()).await.unwrap();
        let north = journal.clearent("north-street", &self.client).await.unwrap();
        Billing::open(&journal, &north).await.unwrap()
    }

    /// Lets time pass until this day begins.
    pub(crate) async fn until(&self, day: &str) {
        while self.billing.today().await.unwrap().to_string().as_str() < day {
            self.pass(1).await;
        }
    }

    pub(crate) async fn member(&self, id: &str) -> Member {
        self.billing.show(id).await.unwrap()
    }

    /// The transaction that the gateway approved on this day.
    pub(crate) async fn approved_id(&self, day: &str) -> String {
        let search = TransactionSearch {
            start_date: Some(day.to_owned()),
            end_date: Some(day.to_owned()),
            ..TransactionSearch::default()
        };
        let all = self.client.transactions().search(&search).collect_all().await.unwrap();
        all[0].id.as_ref().unwrap().to_string()
    }

    /// The transactions of the merchant, from the gateway's own records.
    async fn transactions(&self) -> Vec<Transaction> {
        let search = TransactionSearch {
            paging: Paging { page_size: Some(100), ..Paging::default() },
            ..TransactionSearch::default()
        };
        self.client.transactions().search(&search).collect_all().await.unwrap()
    }

    /// The ids of the transactions that the gateway has.
    pub(crate) async fn charges_at_the_gateway(&self) -> Vec<TransactionId> {
        self.transactions().await.into_iter().map(|one| one.id.unwrap()).collect()
    }

    /// The last digits of the cards that the gateway charged, the oldest first.
    pub(crate) async fn cards_charged(&self) -> Vec<String> {
        let approved =
            self.transactions().await.into_iter().rev().filter(|one| one.verdict() == Verdict::Approved);
        approved.map(|one| one.last_four.unwrap()).collect()
    }

    /// The days and amounts that the gateway approved for the merchant, from its own records.
    pub(crate) async fn approved(&self) -> Vec<(String, String)> {
        let all = self.transactions().await;
        let made = |one: &Transaction| {
            one.created.as_ref().and_then(perennial::Timestamp::date).unwrap().to_string()
        };
        let mut approved: Vec<_> = all
            .iter()
            .filter(|one| one.verdict() == Verdict::Approved)
            .map(|one| (made(one), one.amount.unwrap().to_string()))
            .collect();
        approved.sort();
        approved
    }
}

pub(crate) fn by() -> By {
    By { actor: "ines".to_owned(), reason: "asked at the desk".to_owned() }
}

/// The due days of a member as `day state`, one in a line.
pub(crate) fn days(member: &Member) -> Vec<String> {
    let reason = |day: &perennial_billing::DueDay| day.reason.clone().unwrap_or_default();
    member.days.values().map(|day| format!("{} {} {}", day.day, day.state, reason(day))).collect()
}
