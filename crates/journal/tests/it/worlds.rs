//! Random worlds of the sandbox: a journal in a file, real clients, random faults, and processes that die at any await.
//!
//! `PERENNIAL_WORLD_SEEDS=N` runs N worlds, and `PERENNIAL_WORLD_SEED=S` one.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use perennial::clearent::{
    ApiKey, Charge, CustomerKey, CustomerSearch, CustomerUpdate, NewCustomer, NewPlan, PlanKey, PlanSearch,
    PlanStatus, Refund, TokenId, TokenSearch, TransactionId, TransactionSearch, Verdict, Void,
};
use perennial::clientpay::{Card, NewMethod, NewMethods, Refund as Return};
use perennial::clientpay::{LineItem, LineItemPage, NewPayer, NewPayment, PaymentId, PaymentMethodId};
use perennial::{BaseUrl, Clearent as Client, ClientPay as PayClient, Environment};
use perennial_journal::machine::{Intent, Judged, Rules, State, Write};
use perennial_journal::store::Filter;
use perennial_journal::{Bound, By, Clearent, ClientPay, Clock, Error, Journal, Moment};
use perennial_sandbox::{Effect, Fault, Sandbox, World};

use crate::support::{START, card};

/// The time of a world. Its leases end by it, too.
#[derive(Debug, Clone)]
struct WorldTime(Arc<AtomicI64>);

impl Clock for WorldTime {
    fn now(&self) -> Moment {
        Moment::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn system(&self) -> Moment {
        self.now()
    }
}

/// What a caller may decide, with the operation that is sent.
const KINDS: &[(&str, &str)] = &[
    ("customer", "customers.create"),
    ("rename", "customers.update"),
    ("token", "tokens.create"),
    ("plan", "plans.create"),
    ("plan", "plans.update"),
    ("price", "plans.update"),
    ("cancel", "plans.update"),
    ("sale", "transactions.sale"),
    ("auth", "transactions.auth"),
    ("void", "transactions.void"),
    ("refund", "transactions.refund"),
    ("pay", "clientpay-payments.create"),
    ("return", "clientpay-payments.refund"),
    ("page", "pages.create"),
    ("payer", "payers.create"),
];

/// Reads that may fail, and say nothing then.
const READS: &[&str] = &[
    "customers.search",
    "plans.search",
    "transactions.search",
    "tokens.search",
    "clientpay-payments.search",
];

struct Shop {
    world: World,
    time: WorldTime,
    client: Client,
    pay_client: PayClient,
    journal: Journal,
    north: Clearent,
    pay: ClientPay,
    customer: CustomerKey,
    token: TokenId,
    plan: PlanKey,
    sold: TransactionId,
    method: PaymentMethodId,
    payment: PaymentId,
    folder: tempfile::TempDir,
}

async fn open(folder: &Path, time: &WorldTime) -> Journal {
    let url = format!("sqlite:{}", folder.join("journal.db").display());
    Journal::open_with(&url, time.clone(), Rules::default()).await.unwrap()
}

fn charge(token: &TokenId) -> Charge {
    Charge::builder().amount("25.00").card(token).exp_date("1230").build().unwrap()
}

impl Shop {
    async fn new(sandbox: &Sandbox, seed: u64) -> Self {
        let world = sandbox.world(seed).await.unwrap();
        let environment = Environment::Custom(sandbox.base_url().parse::<BaseUrl>().unwrap());
        let client = Client::builder(ApiKey::new(world.api_key().expose()).unwrap());
        let client =
            client.environment(environment.clone()).deadline(Duration::from_secs(5)).build().unwrap();
        let pay_client = PayClient::builder(world.clientpay()).environment(environment);
        let pay_client = pay_client.deadline(Duration::from_secs(5)).build().unwrap();
        let time = WorldTime(Arc::new(AtomicI64::new(START)));
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path(), &time).await;
        let north = journal.clearent("north", &client).await.unwrap();
        let pay = journal.clientpay("north", &pay_client).await.unwrap();
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
        let customer = client.customers().create(&ada).await.unwrap().customer_key.clone();
        let token = client.tokens().create(card(&customer)).await.unwrap().token_id.clone().unwrap();
        let plan =
            client.plans().create(&new_plan(&customer, &token, "SUSPENDED")).await.unwrap().plan_key.clone();
        let sold = client.transactions().sale(&charge(&token)).await.unwrap().transaction.id.clone().unwrap();
        let rosa = NewPayer::builder().first_name("Rosa").last_name("Lind").emails("rosa@example.test");
        let payer = pay_client.payers().create(&rosa.build().unwrap()).await.unwrap().into_value();
        let visa = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
        let methods = NewMethod::builder().credit_card(visa.cardholder_name("Rosa Lind"));
        let methods = NewMethods::builder().payer_id(&payer).method(methods).build().unwrap();
        let saved = pay_client.payers().add_methods(&methods).await.unwrap();
        let method = saved.payment_method_ids[0].clone();
        let paid = pay_client.payments().pay(&payment(&method, "10.00")).await.unwrap();
        let payment = paid.payment_id.clone().unwrap();
        Self {
            world,
            time,
            client,
            pay_client,
            journal,
            north,
            pay,
            customer,
            token,
            plan,
            sold,
            method,
            payment,
            folder,
        }
    }

    /// Another process opens the journal.
    async fn reopen(&mut self) {
        self.journal.close();
        self.journal = open(self.folder.path(), &self.time).await;
        self.north = self.journal.clearent("north", &self.client).await.unwrap();
        self.pay = self.journal.clientpay("north", &self.pay_client).await.unwrap();
    }

    async fn pass(&self, minutes: i64) {
        self.world.advance(&format!("PT{minutes}M")).await.unwrap();
        self.time.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }

    /// Makes the call of a decision. Its result is in the journal.
    async fn call(&self, kind: &str, key: &str) -> Result<(), Error> {
        let (north, pay) = (&self.north, &self.pay);
        match kind {
            "customer" => {
                let new = NewCustomer::builder().first_name("Grace").last_name("Hopper").build().unwrap();
                north.customers().create(key, &new).await.map(drop)
            }
            "rename" => {
                let update = CustomerUpdate::builder().email(format!("{key}@example.test")).build().unwrap();
                north.customers().update(key, &self.customer, &update).await.map(drop)
            }
            "token" => north.tokens().create(key, card(&self.customer)).await.map(drop),
            "plan" => {
                north.plans().create(key, &new_plan(&self.customer, &self.token, "ACTIVE")).await.map(drop)
            }
            "price" => north.plans().activate(key, &self.plan).await.map(drop),
            "cancel" => north.plans().cancel(key, &self.plan).await.map(drop),
            "sale" => north.transactions().sale(key, &charge(&self.token)).await.map(drop),
            "auth" => north.transactions().auth(key, &charge(&self.token)).await.map(drop),
            "void" => north.transactions().void(key, &Void { id: self.sold.clone() }).await.map(drop),
            "refund" => {
                let refund =
                    Refund::builder().amount("1.00").card(&self.token).exp_date("1230").build().unwrap();
                north.transactions().refund(key, &refund).await.map(drop)
            }
            "pay" => pay.payments().pay(key, &payment(&self.method, "25.00")).await.map(drop),
            "return" => {
                let refund = Return::builder().payment_id(self.payment.clone()).build().unwrap();
                pay.payments().refund(key, &refund).await.map(drop)
            }
            "page" => {
                let item = LineItem::builder().payment_amount("75.00");
                let page = LineItemPage::builder().line_item(item).build().unwrap();
                pay.pages().line_items(key, &page).await.map(drop)
            }
            _ => {
                let ivo = NewPayer::builder().first_name("Ivo").emails("ivo@example.test").build().unwrap();
                pay.payers().create(key, &ivo).await.map(drop)
            }
        }
    }

    async fn settle(&self) -> Result<(), Error> {
        let bound = [Bound::from(&self.north), Bound::from(&self.pay)];
        self.journal.settle(&bound).await.map(drop)
    }

    /// A person decides about updates that were sent three times and are not at the gateway. Other writes to their objects
    /// wait for that; how many there are depends on the await at which processes die, and so on the load of the machine.
    async fn decide(&self) -> u32 {
        let is_absent = |intent: &Intent| {
            let last = intent.history.attempts.last();
            matches!(intent.write, Write::UpdateCustomer | Write::UpdatePlan)
                && last.is_some_and(|last| last.judged == Some(Judged::Absent))
        };
        let mut decided = 0;
        for case in self.journal.cases().await.unwrap().iter().filter(|case| is_absent(case)) {
            self.journal.resolve(&case.uid, None, by("no attempt arrived")).await.unwrap();
            decided += 1;
        }
        decided
    }

    async fn intents(&self) -> Vec<Intent> {
        let mut all = Filter::default();
        all.limit = 1_000;
        self.journal.intents(&all).await.unwrap()
    }

    /// How often an intent took effect at the gateway; `None` if no read tells.
    async fn effects(&self, intent: &Intent) -> Option<usize> {
        let client = &self.client;
        let (mark, write) = (intent.mark.as_str(), intent.write);
        let has_mark = |text: &Option<String>| text.as_deref().is_some_and(|text| text.starts_with(mark));
        let state = || async {
            let state: serde_json::Value = serde_json::from_str(&self.world.state().await.unwrap()).unwrap();
            state
        };
        Some(match write {
            Write::CreateCustomer => {
                let all = client.customers().search(&CustomerSearch::default()).collect_all().await.unwrap();
                all.iter().filter(|customer| has_mark(&customer.comments)).count()
            }
            Write::CreateToken => {
                let all = client.tokens().search(&TokenSearch::default()).collect_all().await.unwrap();
                all.iter().filter(|token| has_mark(&token.description)).count()
            }
            Write::CreatePlan => {
                let all = client.plans().search(&PlanSearch::default()).collect_all().await.unwrap();
                all.iter().filter(|plan| has_mark(&plan.plan_name)).count()
            }
            Write::Sale | Write::Auth | Write::Refund => {
                let search =
                    TransactionSearch { order_id: Some(mark.to_owned()), ..TransactionSearch::default() };
                let all = client.transactions().search(&search).collect_all().await.unwrap();
                all.iter().filter(|found| found.verdict() == Verdict::Approved).count()
            }
            Write::Pay => {
                let state = state().await;
                let payments = state["clientpay-payments"].as_array().unwrap();
                payments.iter().filter(|payment| payment.to_string().contains(mark)).count()
            }
            Write::CreatePage => {
                let id = intent.history.request_id.clone().unwrap_or_else(|| mark.to_owned());
                let state = state().await;
                let pages = state["pages"].as_array().unwrap();
                pages.iter().filter(|page| page.to_string().contains(&id)).count()
            }
            _ => return None,
        })
    }
}

fn by(reason: &str) -> By {
    By { actor: "ada".into(), reason: reason.into() }
}

fn new_plan(customer: &CustomerKey, token: &TokenId, status: &str) -> NewPlan {
    let plan = NewPlan::builder().plan_name("Gold").customer_key(customer).token_id(token);
    let plan = plan.monthly_on(15).starting("2027-02-01").charges(12).payment_amount("50.00");
    plan.status(status).build().unwrap()
}

fn payment(method: &PaymentMethodId, amount: &str) -> NewPayment {
    NewPayment::builder().total_amount(amount).payer_or_payment_method_id(method).build().unwrap()
}

/// Polls a future this often, and then drops it, as a process that dies.
async fn cut<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// A random fault of the next call of an operation.
fn fault(operation: &str, rng: &mut fastrand::Rng) -> Fault {
    let effect = match rng.u8(..10) {
        0 => Effect::ErrorBefore { status: 500 },
        1 => Effect::ErrorBefore { status: 502 },
        2 => Effect::ErrorAfter { status: 500 },
        4 => Effect::CutReply { at_byte: rng.u64(1..200) },
        5 => Effect::Garbage { body: "<html>".into(), content_type: "text/html".into() },
        6 => Effect::RateLimit { retry_after: None },
        7 => Effect::ErrorBefore { status: 400 },
        8 => Effect::Delay { delay: Duration::from_millis(5) },
        _ => Effect::DropReply,
    };
    Fault::on(operation, effect).nth(rng.u64(1..3))
}

/// Runs one world; how often each road was taken.
async fn run(sandbox: &Sandbox, seed: u64) -> BTreeMap<&'static str, u32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut shop = Shop::new(sandbox, seed).await;
    let mut roads = BTreeMap::new();
    let decided: Vec<_> = (0..20).map(|number| (format!("key-{number}"), rng.usize(..KINDS.len()))).collect();
    for _ in 0..45 {
        if rng.u8(..3) > 0 {
            let (operation, is_read) = match rng.u8(..5) {
                0 => (READS[rng.usize(..READS.len())], true),
                _ => (KINDS[decided[rng.usize(..decided.len())].1].1, false),
            };
            // Reads are repeated by the client, so that one must fail often.
            let fault = fault(operation, &mut rng);
            shop.world.fault(&if is_read { fault.times(4) } else { fault }).await.unwrap();
            *roads.entry("faults").or_default() += 1;
        }
        let polls = if rng.bool() { u32::MAX } else { rng.u32(1..25) };
        let (key, kind) = &decided[rng.usize(..decided.len())];
        let done = if rng.u8(..4) == 0 {
            cut(shop.settle(), polls).await
        } else {
            cut(shop.call(KINDS[*kind].0, key), polls).await
        };
        match done {
            None => *roads.entry("a process dies").or_default() += 1,
            Some(Ok(())) => {}
            Some(Err(error)) => unreachable!("seed {seed}, {key}: {error}"),
        }
        if rng.u8(..12) == 0 {
            shop.world.clear_faults().await.unwrap();
            shop.reopen().await;
            *roads.entry("a process starts").or_default() += 1;
        }
        let minutes = [0, 0, 0, 1, 5, 20][rng.usize(..6)];
        if minutes > 0 {
            shop.pass(minutes).await;
        }
    }
    shop.world.clear_faults().await.unwrap();
    for bound in ["north", "north/clientpay"] {
        shop.journal.release(bound, by("the faults are over")).await.unwrap();
    }
    for _ in 0..8 {
        for (key, kind) in &decided {
            shop.call(KINDS[*kind].0, key).await.unwrap();
        }
        shop.settle().await.unwrap();
        *roads.entry("a person decides").or_default() += shop.decide().await;
        shop.pass(10).await;
    }
    check(&shop, seed, &mut roads).await;
    roads
}

/// Joins the intents with the sandbox's state.
async fn check(shop: &Shop, seed: u64, roads: &mut BTreeMap<&'static str, u32>) {
    let plans = shop.client.plans().search(&PlanSearch::default()).collect_all().await.unwrap();
    let sold = shop.client.transactions().get(&shop.sold).await.unwrap();
    let intents = shop.intents().await;
    assert!(intents.len() >= 20, "seed {seed}: {} intents", intents.len());
    for intent in &intents {
        let Intent { key, write, state, history, mark, .. } = intent;
        let about = format!("seed {seed}, {key} {write} is {state}: {history:?}");
        *roads.entry("intents").or_default() += 1;
        *roads.entry(state.name()).or_default() += 1;
        *roads.entry("several attempts").or_default() += u32::from(history.attempts.len() > 1);
        let effects = shop.effects(intent).await;
        match state {
            State::Done => assert!(effects.is_none_or(|effects| effects == 1), "{about}: {effects:?}"),
            State::Refused | State::Withdrawn | State::Declined => {
                assert!(effects.is_none_or(|effects| effects == 0), "{about}: {effects:?}");
            }
            State::NeedsPerson => assert!(effects.is_none_or(|effects| effects <= 1), "{about}: {effects:?}"),
            _ => unreachable!("{about}"),
        }
        match (write, state) {
            (Write::CreatePlan, _) => {
                let of_mark = plans
                    .iter()
                    .filter(|plan| plan.plan_name.as_deref().unwrap_or("").starts_with(mark.as_str()));
                let active = of_mark.filter(|plan| plan.status == Some(PlanStatus::ACTIVE)).count();
                assert!(active <= 1, "{about}: {active} are active");
            }
            (Write::Void, State::Done) => assert!(sold.is_voided(), "{about}"),
            (Write::UpdatePlan, State::Done) if intent.is_stop => {
                let canceled = plans.iter().filter(|plan| plan.status == Some(PlanStatus::CANCELED));
                let is_it = |key: &PlanKey| intent.object.ends_with(key.as_str());
                assert!(canceled.into_iter().any(|plan| is_it(&plan.plan_key)), "{about}");
            }
            (Write::UpdatePlan, State::Done) if key.ends_with("/activation") => {
                let is_active = |plan: &&perennial::clearent::Plan| plan.status == Some(PlanStatus::ACTIVE);
                let is_it = |key: &PlanKey| intent.object.ends_with(key.as_str());
                assert!(plans.iter().filter(is_active).any(|plan| is_it(&plan.plan_key)), "{about}");
            }
            _ => {}
        }
    }
    // Deliberately after the joins: one effect of each payment, and no other.
    let paid =
        intents.iter().filter(|intent| intent.write == Write::Pay && intent.state == State::Done).count();
    let state: serde_json::Value = serde_json::from_str(&shop.world.state().await.unwrap()).unwrap();
    let payments = state["clientpay-payments"].as_array().unwrap().len() - 1;
    let open =
        intents.iter().filter(|intent| intent.write == Write::Pay && intent.state == State::NeedsPerson);
    assert!(
        payments >= paid && payments <= paid + open.count(),
        "seed {seed}: {payments} payments, {paid} done"
    );
}

fn number_of(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Holds: In random worlds of the sandbox, with faults of the gateway and processes that die at any await, each operation key has at most one effect: what is done is there once, and what is refused or withdrawn is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_worlds_agree_with_the_journal() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let (first, seeds) = match number_of("PERENNIAL_WORLD_SEED") {
        Some(seed) => (seed, 1),
        None => (1, number_of("PERENNIAL_WORLD_SEEDS").unwrap_or(24)),
    };
    let mut roads = BTreeMap::<_, u32>::new();
    let mut left = first..first + seeds;
    let mut worlds = tokio::task::JoinSet::new();
    loop {
        // Worlds wait for responses most of the time.
        for seed in left.by_ref().take(8_usize.saturating_sub(worlds.len())) {
            let sandbox = sandbox.clone();
            worlds.spawn(async move { run(&sandbox, seed).await });
        }
        let Some(ran) = worlds.join_next().await else { break };
        for (name, count) in ran.unwrap() {
            *roads.entry(name).or_default() += count;
        }
    }
    println!("{roads:?}");
    if seeds > 10 {
        for road in
            ["a process dies", "a process starts", "faults", "several attempts", "needs-person", "done"]
        {
            assert!(roads.contains_key(road), "no world took this road: {road}");
        }
    }
}
