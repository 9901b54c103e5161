//! The model of the gateway against the sandbox: the same writes, faults and looks have the same classes of answers.
//!
//! `PERENNIAL_DIFFERENTIAL_SEED=S` runs one sequence.

use perennial::clearent::{
    ApiKey, Capture, Charge, CustomerKey, CustomerUpdate, NewCustomer, NewPlan, NewToken, PlanKey,
    PlanStatus, PlanUpdate, Refund, TokenId, TokenUpdate, TransactionId, TransactionUpdate, Void,
};
use perennial::clientpay::{
    Card, LineItem, LineItemPage, MethodUpdate, MethodUpdates, NewMethod, NewMethods, NewPayer, NewPayment,
    PayerId, PayerUpdate, PaymentId, PaymentMethodId, Refund as Return, UsedRequestId,
};
use perennial::transport::SendBy;
use perennial::{BaseUrl, Clearent as Client, ClientPay as PayClient, Environment, Format};
use perennial_sandbox::{Effect, Fault, Sandbox, World};
use perennial_wire::clearent as wire;

use super::objects::{Objects, Order, Shown};
use super::tests::number_of;
use crate::gateway::request::{Full, Secrets, prepare};
use crate::machine::{Attempt, Intent, Look, Said, Seen, State, Verdict, Write};
use crate::store::Filter;
use crate::{Clearent, ClientPay, Error, Journal, Moment};

const START: i64 = 1_798_761_600_000;
const STEPS: u32 = 250;

/// Both gateways with what exists before the first write.
struct Both {
    world: World,
    journal: Journal,
    /// Clients whose writes are stored and never sent: their precondition does not hold.
    north: Clearent,
    pay: ClientPay,
    model: Objects,
    number: u64,
    customers: [CustomerKey; 2],
    tokens: [TokenId; 2],
    plans: Vec<PlanKey>,
    auths: Vec<TransactionId>,
    sales: Vec<TransactionId>,
    payments: Vec<PaymentId>,
    payers: [PayerId; 2],
    method: PaymentMethodId,
    page: UsedRequestId,
    intents: Vec<(Intent, Option<Full>)>,
}

/// The faults, as the sandbox and as the model have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happens {
    Nothing,
    Declined,
    /// It is done, and the answer says nothing.
    After,
    /// It is not done, and the answer says nothing.
    Before,
    Limited,
    Refused,
}

fn card(customer: &CustomerKey) -> NewToken {
    let token =
        NewToken::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999").description("a card");
    token.customer_key(customer).build().expect("a token")
}

fn plan(customer: &CustomerKey, token: &TokenId, status: &str) -> NewPlan {
    let plan = NewPlan::builder().plan_name("Gold").customer_key(customer).token_id(token);
    let plan = plan.monthly_on(15).starting("2027-02-01").charges(12).payment_amount("50.00");
    plan.status(status).build().expect("a plan")
}

fn charge(token: &TokenId) -> Charge {
    Charge::builder().amount("25.00").card(token).exp_date("1230").build().expect("a charge")
}

fn payer(name: &str) -> NewPayer {
    NewPayer::builder().first_name(name).emails("payer@example.test").build().expect("a payer")
}

fn payment(method: &PaymentMethodId) -> NewPayment {
    NewPayment::builder().total_amount("25.00").payer_or_payment_method_id(method).build().expect("a payment")
}

fn items() -> LineItemPage {
    LineItemPage::builder().line_item(LineItem::builder().payment_amount("75.00")).build().expect("a page")
}

/// The class of an answer.
fn class(said: &Said) -> &'static str {
    match said {
        Said::Done(_) => "done",
        Said::Declined(_) => "declined",
        Said::Refused(_) => "refused",
        Said::NotDone { .. } => "not done",
        Said::Unknown(_) | Said::Named { .. } => "unknown",
    }
}

/// The classes of what a look found.
fn classes(found: &[Seen]) -> Vec<&'static str> {
    let class = |seen: &Seen| match seen.verdict {
        Verdict::Done => "done",
        Verdict::Declined => "declined",
        Verdict::Undecided => "undecided",
        Verdict::Differs(_) => "differs",
        Verdict::Person(_) => "a person's",
    };
    found.iter().map(class).collect()
}

impl Both {
    async fn new(sandbox: &Sandbox, seed: u64) -> Self {
        let world = sandbox.world(seed).await.expect("a world");
        let environment = Environment::Custom(sandbox.base_url().parse::<BaseUrl>().expect("a URL"));
        let client = Client::builder(ApiKey::new(world.api_key().expose()).expect("a key"));
        let client = client.environment(environment.clone()).build().expect("a client");
        let pay_client = PayClient::builder(world.clientpay()).environment(environment);
        let pay_client = pay_client.build().expect("a client");
        let journal = Journal::open_with(
            "sqlite::memory:",
            crate::ShiftedClock::from(at()),
            crate::machine::Rules::default(),
        );
        let journal = journal.await.expect("a journal");
        let north = journal.clearent("north", &client).await.expect("a tenant").only_while("never", 1);
        let pay = journal.clientpay("north", &pay_client).await.expect("a tenant").only_while("never", 1);
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().expect("a customer");
        let new_customer =
            async || client.customers().create(&ada).await.expect("a customer").customer_key.clone();
        let customers = [new_customer().await, new_customer().await];
        let new_token = async || {
            let token = client.tokens().create(card(&customers[0])).await.expect("a token");
            token.token_id.clone().expect("an id")
        };
        let tokens = [new_token().await, new_token().await];
        let charged = new_token().await;
        let (mut plans, mut auths, mut sales, mut payments) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..4 {
            let plan = plan(&customers[0], &charged, "SUSPENDED");
            plans.push(client.plans().create(&plan).await.expect("a plan").plan_key.clone());
            let auth = client.transactions().auth(&charge(&charged)).await.expect("an auth");
            auths.push(auth.transaction.id.clone().expect("an id"));
            let sale = client.transactions().sale(&charge(&charged)).await.expect("a sale");
            sales.push(sale.transaction.id.clone().expect("an id"));
        }
        let new_payer =
            async |name: &str| pay_client.payers().create(&payer(name)).await.expect("a payer").into_value();
        let payers = [new_payer("Rosa").await, new_payer("Ivo").await];
        let visa = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
        let methods = NewMethod::builder().credit_card(visa.cardholder_name("Rosa Lind"));
        let methods = NewMethods::builder().payer_id(&payers[0]).method(methods).build().expect("methods");
        let saved = pay_client.payers().add_methods(&methods).await.expect("methods");
        let method = saved.payment_method_ids[0].clone();
        for _ in 0..4 {
            let paid = pay_client.payments().pay(&payment(&method)).await.expect("a payment");
            payments.push(paid.payment_id.clone().expect("an id"));
        }
        let page = pay_client.pages().line_items(&items()).await.expect("a page").into_value().request_id;
        Self {
            world,
            journal,
            north,
            pay,
            model: Objects::new(false),
            number: 0,
            customers,
            tokens,
            plans,
            auths,
            sales,
            payments,
            payers,
            method,
            page,
            intents: Vec::new(),
        }
    }

    /// Stores a random decision; nothing is sent.
    async fn decide(&mut self, key: &str, rng: &mut fastrand::Rng) -> Result<(), Error> {
        let (north, pay) = (&self.north, &self.pay);
        let (one, token) = (rng.usize(..2), &self.tokens[0]);
        let email = ["a@example.test", "b@example.test"][rng.usize(..2)];
        let mut full = None;
        match rng.u8(..21) {
            0 => {
                let new = NewCustomer::builder()
                    .first_name("Grace")
                    .last_name("Hopper")
                    .build()
                    .expect("a customer");
                drop(north.customers().create(key, &new).await?);
            }
            1 => {
                let update = CustomerUpdate::builder().email(email).build().expect("an update");
                drop(north.customers().update(key, &self.customers[one], &update).await?);
            }
            2 => drop(north.customers().delete(key, &self.customers[1]).await?),
            3 => {
                drop(north.tokens().create(key, card(&self.customers[0])).await?);
                full = wire::token::create(Format::Json, &card(&self.customers[0]))
                    .ok()
                    .and_then(|call| call.body);
            }
            4 => {
                let update = TokenUpdate::builder().description(email);
                drop(
                    north
                        .tokens()
                        .update(key, &self.tokens[one], &update.build().expect("an update"))
                        .await?,
                );
            }
            5 => drop(north.tokens().delete(key, &self.tokens[1]).await?),
            6 => drop(north.plans().create(key, &plan(&self.customers[0], token, "ACTIVE")).await?),
            7 | 8 => {
                let status =
                    [PlanStatus::ACTIVE, PlanStatus::SUSPENDED, PlanStatus::CANCELED][rng.usize(..3)].clone();
                let update = PlanUpdate::builder().status(status).build().expect("an update");
                drop(north.plans().update(key, &self.plans[rng.usize(..3)], &update).await?);
            }
            9 => drop(north.plans().delete(key, &self.plans[3]).await?),
            10 => drop(north.transactions().sale(key, &charge(token)).await?),
            11 => drop(north.transactions().auth(key, &charge(token)).await?),
            12 => {
                let Some(id) = self.auths.pop() else { return Ok(()) };
                let capture = Capture::builder().id(id).amount("25.00").build().expect("a capture");
                drop(north.transactions().capture(key, &capture).await?);
            }
            13 => drop(north.transactions().void(key, &Void { id: self.sales[one].clone() }).await?),
            14 => {
                let refund =
                    Refund::builder().amount("1.00").card(token).exp_date("1230").build().expect("a refund");
                drop(north.transactions().refund(key, &refund).await?);
            }
            15 => {
                let tip = TransactionUpdate::builder().tip_amount(["1.00", "2.00"][rng.usize(..2)]);
                drop(north.transactions().update(key, &self.sales[2], &tip.build().expect("a tip")).await?);
            }
            16 => drop(pay.payments().pay(key, &payment(&self.method)).await?),
            17 => {
                let Some(id) = self.payments.pop() else { return Ok(()) };
                let refund = Return::builder().payment_id(id).build().expect("a refund");
                drop(pay.payments().refund(key, &refund).await?);
            }
            18 if rng.bool() => drop(pay.pages().line_items(key, &items()).await?),
            18 => drop(pay.pages().expire(key, &self.page).await?),
            19 if rng.bool() => drop(pay.payers().create(key, &payer("Lea")).await?),
            19 => {
                let update = PayerUpdate::builder().payer_id(&self.payers[one]).last_name(email);
                drop(pay.payers().update(key, &update.build().expect("an update")).await?);
            }
            _ if rng.bool() => drop(pay.payers().delete(key, &self.payers[1]).await?),
            _ => {
                let update = MethodUpdate::builder().id(&self.method).cardholder_name("Rosa M. Lind");
                let updates = MethodUpdates::builder().update(update).build().expect("an update");
                drop(pay.payers().update_methods(key, &updates).await?);
            }
        }
        let filter = Filter { key_prefix: Some(key.to_owned()), ..Filter::default() };
        let mut intent = self.journal.intents(&filter).await?.remove(0);
        assert!(intent.history.attempts.is_empty(), "nothing was sent: {intent:?}");
        intent.state = State::Planned;
        let full = full.and_then(|body| {
            let secrets = Secrets { last_four: Some("1111"), one_time_token: None };
            prepare(intent.write, None, &body, secrets, &intent.mark).ok().map(|prepared| prepared.full)
        });
        self.intents.push((intent, full));
        Ok(())
    }

    /// Sends an attempt of a stored decision to both, with the same fault.
    async fn send(&mut self, index: usize, happens: Happens, rng: &mut fastrand::Rng) -> String {
        let gateway = if self.intents[index].0.write.is_clientpay() {
            self.pay.driver().gateway
        } else {
            self.north.driver().gateway
        };
        let (intent, full) = &mut self.intents[index];
        if intent.history.attempts.is_empty() {
            intent.history.request_id = gateway.request_id(intent).await.expect("an id");
        }
        let at = at();
        intent.history.attempts.push(Attempt { committed: at, send_by: at, judged: None, exchange_id: None });
        intent.state = State::Sending;
        self.number += 1;
        let mut order = Order::of(intent, self.number);
        order.is_declined = happens == Happens::Declined;
        let shown = Shown { landed: at, visible: at, decided: at };
        let found = self.model.find(intent, at, false).map(|found| classes(&found)).unwrap_or_default();
        let would = class(&self.model.clone().apply(&order, shown));
        let mut may = match happens {
            Happens::Nothing | Happens::Declined => vec![would],
            // A client of ClientPay looks for a payment whose answer is lost.
            Happens::After if intent.write.has_request_id() => vec!["unknown", would],
            Happens::After | Happens::Before => vec!["unknown"],
            Happens::Limited => vec!["not done"],
            Happens::Refused => vec!["refused"],
        };
        if !matches!(happens, Happens::Before | Happens::Limited | Happens::Refused) {
            self.model.apply(&order, shown);
        }
        // A client that reads before it writes finds that an object is gone, and is not hit by a fault of the write.
        if would == "refused" {
            may.push("refused");
        }
        // Under an id that was sent before, a refusal is no outcome, and a client looks for a payment before it sends.
        if intent.write.has_request_id() && order.attempt > 1 {
            if may.contains(&"refused") {
                may.push("unknown");
            }
            may.extend(found);
        }
        let effect = match happens {
            Happens::Nothing => None,
            Happens::Declined => Some(Effect::Decline { result_code: "012".into() }),
            Happens::After => Some(
                [Effect::DropReply, Effect::ErrorAfter { status: 500 }, Effect::CutReply { at_byte: 15 }]
                    [rng.usize(..3)]
                .clone(),
            ),
            Happens::Before => Some(Effect::ErrorBefore { status: [500, 502][rng.usize(..2)] }),
            Happens::Limited => Some(Effect::RateLimit { retry_after: None }),
            Happens::Refused => Some(Effect::ErrorBefore { status: 400 }),
        };
        if let Some(effect) = effect {
            self.world.fault(&Fault::on(intent.write.name(), effect).nth(1)).await.expect("a fault");
        }
        let send_by = SendBy::within(std::time::Duration::from_secs(10));
        let answer = gateway.send(intent, full.as_ref(), send_by).await;
        intent.state = State::Unknown;
        self.world.clear_faults().await.expect("no fault");
        let about = format!(
            "{} {} attempt {}, {happens:?}: {:?}",
            intent.key, intent.write, order.attempt, answer.said
        );
        assert!(may.contains(&class(&answer.said)), "{about}: the model says {may:?}");
        format!("{} {happens:?} {}", intent.write, class(&answer.said))
    }

    /// Looks for a decision at both.
    async fn look(&mut self, index: usize) -> String {
        let intent = &self.intents[index].0;
        let gateway =
            if intent.write.is_clientpay() { self.pay.driver().gateway } else { self.north.driver().gateway };
        let looked = gateway.look(intent).await;
        let expected = self.model.find(intent, at(), false);
        let about = format!("{} {}: {looked:?}, and the model {expected:?}", intent.key, intent.write);
        match (&looked, expected) {
            (Look::Seen { found, control, .. }, Ok(expected)) => {
                assert_eq!(classes(found), classes(&expected), "{about}");
                assert!(*control || !found.is_empty() || !intent.absence_may_count(), "{about}");
                format!("{} {:?}", intent.write, classes(found))
            }
            (Look::Impossible(_), Err(Look::Impossible(_))) => format!("{} impossible", intent.write),
            _ => unreachable!("{about}"),
        }
    }
}

fn at() -> Moment {
    Moment::from_millis(START)
}

/// Whether an attempt may follow another one, by the rules of the journal or by a decision.
fn may_follow(write: Write) -> bool {
    write.absence() == crate::machine::Absence::SendAgain || write.has_request_id()
}

/// Holds: The model of the gateway answers each write, with and without faults, as the sandbox does, and a look finds the same.
#[tokio::test]
async fn the_model_agrees_with_the_sandbox() {
    use Happens as H;

    let sandbox = Sandbox::start().await.expect("a sandbox");
    let mut roads = std::collections::BTreeMap::<_, u32>::new();
    let seeds = match number_of("PERENNIAL_DIFFERENTIAL_SEED", 0) {
        0 => 1..=2,
        seed => seed..=seed,
    };
    for seed in seeds {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut both = Both::new(&sandbox, seed).await;
        println!("PERENNIAL_DIFFERENTIAL_SEED={seed}");
        for step in 0..STEPS {
            let again = both.intents.len().checked_sub(1).map(|last| rng.usize(..=last));
            let index = match again {
                Some(index) if rng.u8(..3) == 0 && may_follow(both.intents[index].0.write) => index,
                _ => {
                    let known = both.intents.len();
                    both.decide(&format!("step-{step:03}"), &mut rng).await.expect("a decision");
                    if both.intents.len() == known {
                        continue;
                    }
                    known
                }
            };
            let is_charge = matches!(both.intents[index].0.write, Write::Sale | Write::Auth | Write::Pay);
            let all =
                [H::Nothing, H::Nothing, H::Nothing, H::After, H::After, H::Before, H::Limited, H::Refused];
            let happens =
                if is_charge && rng.u8(..4) == 0 { H::Declined } else { all[rng.usize(..all.len())] };
            *roads.entry(both.send(index, happens, &mut rng).await).or_default() += 1;
            *roads.entry(both.look(index).await).or_default() += 1;
            let earlier = rng.usize(..both.intents.len());
            *roads.entry(both.look(earlier).await).or_default() += 1;
        }
        assert_eq!(both.model.broken.take().filter(|why| !why.contains("effects of")), None, "seed {seed}");
    }
    for (road, count) in &roads {
        println!("{count:>6} {road}");
    }
}
