//! Every write of `ClientPay` under every fault: the same call again and again, until it is settled, makes one effect.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use perennial::clientpay::{
    Card, ConnectInvoice, ConnectPage, ECheck, InvoicePage, LineItem, LineItemPage, MethodUpdate,
    MethodUpdates, NewMethod, NewMethods, NewPayer, NewPayment, PageInvoice, PayerId, PayerPage, PayerUpdate,
    PaymentId, PaymentMethodId, Refund, UsedRequestId, Version,
};
use perennial::{BaseUrl, ClientPay as Client, Environment};
use perennial_journal::machine::{Rules, State};
use perennial_journal::store::Filter;
use perennial_journal::{By, ClientPay, Error, Journal, Settled, Told};
use perennial_sandbox::{Effect, Fault, PagePayment, Sandbox, World};
use serde_json::Value as Json;

use crate::once::{faults, until_settled, word};
use crate::support::{START, WorldClock};

const CARD: &str = "5555444433332226";
const CVV: &str = "7391";
const ACCOUNT: &str = "5550771234";
const ROUTING: &str = "021000021";

/// A world of a sandbox with a payer, a method, a payment and a page, and a journal.
struct Account {
    sandbox: Arc<Sandbox>,
    world: World,
    clock: WorldClock,
    client: Client,
    journal: Journal,
    north: ClientPay,
    payer: PayerId,
    method: PaymentMethodId,
    payment: PaymentId,
    page: UsedRequestId,
    folder: tempfile::TempDir,
}

fn environment(sandbox: &Sandbox) -> Environment {
    Environment::Custom(sandbox.base_url().parse::<BaseUrl>().unwrap())
}

fn card() -> perennial_domain::clientpay::CardBuilder {
    Card::builder().card_number(CARD).expiration_date("1230").cvv(CVV).cardholder_name("Rosa Lind")
}

fn payment(amount: &str) -> NewPayment {
    NewPayment::builder().total_amount(amount).credit_card(card()).build().unwrap()
}

fn items() -> LineItemPage {
    LineItemPage::builder().line_item(LineItem::builder().payment_amount("75.00")).build().unwrap()
}

fn by() -> By {
    By { actor: "ada".into(), reason: "the gateway's support says that it was not done".into() }
}

impl Account {
    async fn new(sandbox: &Arc<Sandbox>, seed: u64) -> Self {
        Self::of_version(sandbox, seed, Version::V2).await
    }

    async fn of_version(sandbox: &Arc<Sandbox>, seed: u64, version: Version) -> Self {
        let world = sandbox.world(seed).await.unwrap();
        let build = |version| {
            let builder = Client::builder(world.clientpay()).environment(environment(sandbox));
            builder.version(version).deadline(Duration::from_secs(5)).build().unwrap()
        };
        let v2 = build(Version::V2);
        let clock = WorldClock(Arc::new(AtomicI64::new(START)));
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path(), &clock).await;
        let rosa = NewPayer::builder().first_name("Rosa").last_name("Lind").emails("rosa@example.test");
        let payer = v2.payers().create(&rosa.build().unwrap()).await.unwrap().into_value();
        let methods =
            NewMethods::builder().payer_id(&payer).method(NewMethod::builder().credit_card(card())).build();
        let saved = v2.payers().add_methods(&methods.unwrap()).await.unwrap();
        let method = saved.payment_method_ids[0].clone();
        let paid = v2.payments().pay(&payment("10.00")).await.unwrap();
        let page = v2.pages().line_items(&items()).await.unwrap().into_value().request_id;
        let client = build(version);
        let north = journal.clientpay("north-street", &client).await.unwrap();
        let payment = paid.payment_id.clone().unwrap();
        Self {
            sandbox: sandbox.clone(),
            world,
            clock,
            client,
            journal,
            north,
            payer,
            method,
            payment,
            page,
            folder,
        }
    }

    /// Lets the time pass at the gateway and here.
    async fn pass(&self, minutes: i64) {
        self.world.advance(&format!("PT{minutes}M")).await.unwrap();
        self.clock.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }

    async fn state(&self) -> Json {
        serde_json::from_str(&self.world.state().await.unwrap()).unwrap()
    }

    /// The number of objects of a kind.
    async fn count(&self, kind: &str) -> usize {
        self.state().await[kind].as_array().unwrap_or_else(|| unreachable!("the state has {kind}")).len()
    }

    /// How often a write took effect.
    async fn effects(&self, write: &str) -> usize {
        let state = || async { self.world.state().await.unwrap() };
        match write {
            "pay" => self.count("clientpay-payments").await - 1,
            // What is settled is refunded, and what is not is voided.
            "refund" => {
                let state = state().await;
                state.matches("\"Voided\"").count() + state.matches("\"Refunded\"").count()
            }
            "invoices" | "line-items" | "connect" | "payer-page" => self.count("pages").await - 1,
            "expire" => {
                let card = card().build().unwrap();
                usize::from(self.sandbox.pay_page(&self.page, &card).await.unwrap() == PagePayment::Closed)
            }
            "create-payer" => self.count("payers").await - 1,
            "update-payer" => state().await.matches("Lind-Berg").count(),
            "delete-payer" => {
                let update = self.payer_update("Ghost");
                let gone = self.client.payers().update(&update).await;
                usize::from(gone.is_err_and(|error| error.is_not_found()))
            }
            "add-methods" => self.count("methods").await - 1,
            _ => state().await.matches("Rosa M. Lind").count(),
        }
    }

    fn payer_update(&self, last_name: &str) -> PayerUpdate {
        PayerUpdate::builder().payer_id(&self.payer).last_name(last_name).build().unwrap()
    }

    fn methods(&self) -> NewMethods {
        let account =
            ECheck::builder().name_on_account("Rosa Lind").routing_number(ROUTING).account_number(ACCOUNT);
        let method = NewMethod::builder().e_check(account);
        NewMethods::builder().payer_id(&self.payer).method(method).build().unwrap()
    }

    fn refund(&self) -> Refund {
        Refund::builder().payment_id(self.payment.clone()).build().unwrap()
    }

    fn method_updates(&self) -> MethodUpdates {
        let update = MethodUpdate::builder().id(&self.method).cardholder_name("Rosa M. Lind");
        MethodUpdates::builder().update(update).build().unwrap()
    }

    /// Makes a write; its outcome without the value.
    async fn write(&self, write: &str) -> Result<Settled<()>, Error> {
        let north = &self.north;
        match write {
            "pay" => bare(north.payments().pay(write, &payment("25.00")).await),
            "refund" => bare(north.payments().refund(write, &self.refund()).await),
            "invoices" => {
                let invoice = PageInvoice::builder().invoice_number("INV-1").invoice_date("2027-01-04");
                let page = InvoicePage::builder().invoice(invoice.outstanding_balance("540.25"));
                bare(north.pages().invoices(write, &page.build().unwrap()).await)
            }
            "line-items" => bare(north.pages().line_items(write, &items()).await),
            "connect" => {
                let invoice = ConnectInvoice::builder().invoice_number("1").invoice_date("2027-01-01");
                let page = ConnectPage::builder().connect_option("Aderant");
                let page = page.invoice(invoice.outstanding_balance("90.00").client_id("8812"));
                bare(north.pages().connect(write, &page.build().unwrap()).await)
            }
            "payer-page" => {
                let page = PayerPage::builder().payer_id(&self.payer).build().unwrap();
                bare(north.pages().payer(write, &page).await)
            }
            "expire" => bare(north.pages().expire(write, &self.page).await),
            "create-payer" => {
                let ivo = NewPayer::builder().first_name("Ivo").emails("ivo@example.test").build().unwrap();
                bare(north.payers().create(write, &ivo).await)
            }
            "update-payer" => bare(north.payers().update(write, &self.payer_update("Lind-Berg")).await),
            "delete-payer" => bare(north.payers().delete(write, &self.payer).await),
            "add-methods" => bare(north.payers().add_methods(write, &self.methods()).await),
            "update-methods" => bare(north.payers().update_methods(write, &self.method_updates()).await),
            other => unreachable!("{other}"),
        }
    }
}

async fn open(folder: &Path, clock: &WorldClock) -> Journal {
    let url = format!("sqlite:{}", folder.join("journal.db").display());
    Journal::open_with(&url, clock.clone(), Rules::default()).await.unwrap()
}

fn bare<T>(settled: Result<Settled<T>, Error>) -> Result<Settled<()>, Error> {
    Ok(match settled? {
        Settled::Done { value, how } => Settled::Done { value: value.map(drop), how },
        Settled::Declined { value } => Settled::Declined { value: value.map(drop) },
        Settled::Refused { reason } => Settled::Refused { reason },
        Settled::Withdrawn { reason } => Settled::Withdrawn { reason },
        Settled::Open(waits) => Settled::Open(waits),
        Settled::NeedsCard(waits) => Settled::NeedsCard(waits),
        Settled::NeedsPerson(waits) => Settled::NeedsPerson(waits),
        _ => unreachable!("there is no other outcome"),
    })
}

/// The writes and their operations. The first two can be searched for.
const WRITES: [(&str, &str); 12] = [
    ("pay", "clientpay-payments.create"),
    ("refund", "clientpay-payments.refund"),
    ("invoices", "pages.create"),
    ("line-items", "pages.create"),
    ("connect", "pages.create"),
    ("payer-page", "pages.create"),
    ("expire", "pages.expire"),
    ("create-payer", "payers.create"),
    ("update-payer", "payers.update"),
    ("add-methods", "payers.add-methods"),
    ("update-methods", "payers.update-methods"),
    ("delete-payer", "payers.delete"),
];

/// Holds: A write of ClientPay under an operation key takes effect at most once under every fault of the sandbox when the same call is made until it is settled; it is never reported as done or refused if it is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_takes_effect_at_most_once_under_every_fault() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let mut seed = 100;
    for (index, (write, operation)) in WRITES.into_iter().enumerate() {
        for (name, fault) in faults(operation) {
            seed += 1;
            let account = Account::new(&sandbox, seed).await;
            account.world.fault(&fault).await.unwrap();
            let (settled, said) = until_settled!(account, name, account.write(write));
            account.world.clear_faults().await.unwrap();
            let effects = account.effects(write).await;
            let about = format!("{write}, {name}: {said:?} {settled:?}");
            let is_harmless = name == "no fault" || name == "a refusal before the effect";
            let is_found = index < 2 && !matches!(name, "an error before the effect" | "a proxy's page");
            match &settled {
                Settled::Done { .. } => assert_eq!(effects, 1, "{about}"),
                Settled::NeedsPerson(waits) => {
                    assert!(effects <= 1 && !is_harmless && !is_found, "{about}");
                    assert!(write == "expire" || waits.reason.contains("(request id "), "{about}");
                }
                _ => unreachable!("{about}"),
            }
            // Nothing of it is sent any more.
            account.pass(2_000).await;
            account.journal.settle(std::slice::from_ref(&account.north)).await.unwrap();
            if write != "expire" {
                assert_eq!(account.effects(write).await, effects, "{about}");
            }
        }
    }
}

/// Holds: The same operation key returns the recorded outcome and sends nothing; other content under it is refused, and so is another card. The security code is not part of it.
#[tokio::test]
async fn the_same_key_is_replayed_and_other_content_is_refused() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let account = Account::new(&sandbox, 1).await;
    let north = &account.north;
    let pay = async |card: perennial_domain::clientpay::CardBuilder, amount: &str| {
        let payment = NewPayment::builder().total_amount(amount).credit_card(card).build().unwrap();
        north.payments().pay("order-7", &payment).await
    };
    let (first, again) =
        (pay(card(), "25.00").await.unwrap(), pay(card().cvv("111"), "25.00").await.unwrap());
    let (
        Settled::Done { value: first, how: Told::Sent },
        Settled::Done { value: second, how: Told::Replayed },
    ) = (first, again)
    else {
        unreachable!("both are done")
    };
    assert_eq!(first, second);
    for other in [
        pay(card(), "26.00").await,
        pay(card().expiration_date("1231"), "25.00").await,
        pay(card().card_number("4111111111111111"), "25.00").await,
    ] {
        assert!(matches!(other, Err(Error::KeyUsed { .. })), "{other:?}");
    }
    assert_eq!(account.count("clientpay-payments").await, 2);
    for (write, _) in WRITES.into_iter().filter(|(write, _)| !matches!(*write, "pay" | "delete-payer")) {
        assert_eq!(word(&account.write(write).await), "done", "{write}");
        let again = account.write(write).await.unwrap();
        assert!(matches!(again, Settled::Done { how: Told::Replayed, .. }), "{write}: {again:?}");
    }

    // A decline and a refusal are outcomes, and are replayed.
    let declined = NewPayment::builder()
        .total_amount("5.00")
        .credit_card(card().card_number("4000300011112220"))
        .build()
        .unwrap();
    let unknown = Refund::builder().payment_id("99999999").build().unwrap();
    for _ in 0..2 {
        assert_eq!(word(&north.payments().pay("declined", &declined).await), "declined");
        assert_eq!(word(&north.payments().refund("unknown", &unknown).await), "refused");
    }
    assert_eq!(account.count("clientpay-payments").await, 3);
}

/// Holds: A write of ClientPay is sent again only after a recorded decision, once, and under its first request id: the gateway refuses it if it was done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_id_is_sent_again_only_by_a_decision() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let cases = [
        ("line-items", Effect::ErrorBefore { status: 500 }, "done"),
        ("line-items", Effect::DropReply, "needs-person"),
        ("create-payer", Effect::ErrorBefore { status: 500 }, "done"),
        ("create-payer", Effect::ErrorAfter { status: 500 }, "needs-person"),
        ("expire", Effect::ErrorBefore { status: 500 }, "done"),
        ("expire", Effect::DropReply, "done"),
        ("refund", Effect::ErrorBefore { status: 500 }, "done"),
        ("pay", Effect::ErrorBefore { status: 500 }, "needs-card"),
        ("add-methods", Effect::DropReply, "needs-card"),
    ];
    for (seed, (write, effect, becomes)) in (1_000..).zip(cases) {
        let account = Account::new(&sandbox, seed).await;
        let operation = WRITES.iter().find(|(name, _)| *name == write).unwrap().1;
        account.world.fault(&Fault::on(operation, effect.clone()).nth(1)).await.unwrap();
        let about = format!("{write} {effect:?}");
        let (settled, _) = until_settled!(account, about, account.write(write));
        let Settled::NeedsPerson(waits) = settled else { unreachable!("{about}: {settled:?}") };
        let before = account.journal.intent(None, &waits.intent).await.unwrap();
        assert_eq!(before.history.attempts.len(), 1, "{about}");
        // Days later, and without a decision, nothing is sent.
        account.pass(3_000).await;
        assert_eq!(word(&account.write(write).await), "needs-person", "{about}");
        let after = account.north.resend(&waits.intent, by()).await.unwrap();
        assert_eq!(after.state.name(), becomes, "{about}: {:?}", after.history);
        assert_eq!(after.history.request_id, before.history.request_id, "{about}");
        if becomes == "needs-card" {
            let settled = account.write(write).await.unwrap();
            let expected = if write == "pay" { "done" } else { "needs-person" };
            assert_eq!(word(&Ok(settled.clone())), expected, "{about}: {settled:?}");
        }
        let end = account.journal.intent(None, &waits.intent).await.unwrap();
        assert_eq!((end.history.attempts.len(), end.history.resend), (2, false), "{about}");
        assert_eq!(end.history.request_id, before.history.request_id, "{about}");
        let decisions = account.journal.decisions(&waits.intent).await.unwrap();
        assert_eq!(decisions.len(), 1, "{about}");
        assert_eq!(decisions[0].actor, "ada");
        assert_eq!(account.effects(write).await, 1, "{about}");
        // The looks after the outcome change nothing.
        account.pass(3_000).await;
        account.journal.settle(std::slice::from_ref(&account.north)).await.unwrap();
        let later = account.journal.intent(None, &waits.intent).await.unwrap();
        assert_eq!(later.state, end.state, "{about}: {:?}", later.history);
        if end.state == State::Done {
            let refused = account.journal.resend(&waits.intent, by()).await.unwrap_err();
            assert!(matches!(refused, Error::NotToDecide { .. }), "{refused}");
        }
    }
}

/// Holds: Payments under one request id or mark that are several are named, and nothing is sent after that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_payments_are_a_persons() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let account = Account::new(&sandbox, 1).await;
    let fault = Fault::on("clientpay-payments.create", Effect::ErrorBefore { status: 500 }).nth(1);
    account.world.fault(&fault).await.unwrap();
    assert_eq!(word(&account.write("pay").await), "open");
    let intent = account.journal.intent(Some("north-street"), "pay").await.unwrap();
    // Other programs with the same session, as after a restored database.
    let mut ids = Vec::new();
    for _ in 0..2 {
        let twice = NewPayment::builder().total_amount("25.00").credit_card(card()).session_id(&*intent.mark);
        let paid = account.client.payments().pay(&twice.build().unwrap()).await.unwrap();
        ids.push(paid.payment_id.clone().unwrap().to_string());
    }
    let Settled::NeedsPerson(waits) = account.write("pay").await.unwrap() else { unreachable!() };
    assert!(ids.iter().all(|id| waits.reason.contains(id.as_str())), "{}", waits.reason);
    let refused = account.journal.resend(&waits.intent, by()).await.unwrap_err();
    assert!(matches!(refused, Error::NotToResend { .. }), "{refused}");
    assert_eq!(account.count("clientpay-payments").await, 3);
}

/// Holds: The request id is in the database while the request is on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_request_id_is_stored_before_the_request_is_answered() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let account = Account::new(&sandbox, 1).await;
    let fault = Fault::on("payers.create", Effect::Delay { delay: Duration::from_secs(2) }).nth(1);
    account.world.fault(&fault).await.unwrap();
    let watch = async {
        loop {
            let mut sending = Filter::default();
            sending.states = vec![State::Sending];
            if let [intent] = &account.journal.intents(&sending).await.unwrap()[..] {
                return intent.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let (intent, settled) = tokio::join!(watch, account.write("create-payer"));
    let id = intent.history.request_id.unwrap();
    assert!(account.world.state().await.unwrap().contains(&id));
    assert_eq!(word(&settled), "done");
}

/// Holds: A tenant is bound to its host and merchant account; a client of another one is refused. Both gateways of a merchant may have one name.
#[tokio::test]
async fn a_tenant_is_of_one_account() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let account = Account::new(&sandbox, 1).await;
    let other = sandbox.world(2).await.unwrap();
    let build = |environment| Client::builder(other.clientpay()).environment(environment).build().unwrap();
    let refused = account.journal.clientpay("north-street", &build(environment(&sandbox))).await.unwrap_err();
    assert!(matches!(refused, Error::OtherMerchant { what: "account", .. }), "{refused}");
    let refused = account.journal.clientpay("north-street", &build(Environment::Sandbox)).await.unwrap_err();
    assert!(matches!(refused, Error::OtherMerchant { what: "host", .. }), "{refused}");
    let ids = account.journal.access_ids("north-street", &environment(&sandbox), &other.clientpay()).await;
    assert!(matches!(ids, Err(Error::OtherMerchant { what: "account", .. })));
    account.journal.clientpay("south-street", &build(environment(&sandbox))).await.unwrap();

    let key = perennial::clearent::ApiKey::new(account.world.api_key().expose()).unwrap();
    let clearent = perennial::Clearent::builder(key).environment(environment(&sandbox)).build().unwrap();
    account.journal.clearent("north-street", &clearent).await.unwrap();
    account.journal.clearent("north-street/clientpay", &clearent).await.unwrap_err();
    let names: Vec<_> =
        account.journal.tenants().await.unwrap().into_iter().map(|tenant| tenant.name).collect();
    assert_eq!(names, ["north-street", "north-street/clientpay", "south-street/clientpay"]);
}

/// Holds: A journal that lost an account finds its payments again, because the account gives the keys their marks.
#[tokio::test]
async fn a_lost_account_gets_its_marks_back() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let account = Account::new(&sandbox, 1).await;
    assert_eq!(word(&account.write("pay").await), "done");
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), &account.clock).await;
    let north = journal.clientpay("north-street", &account.client).await.unwrap();
    let again = north.payments().pay("pay", &payment("25.00")).await.unwrap();
    assert!(matches!(again, Settled::Done { how: Told::Adopted, .. }), "{again:?}");
    assert_eq!(account.effects("pay").await, 1);
    // Another name is another tenant.
    let south = journal.clientpay("south-street", &account.client).await.unwrap();
    assert!(south.payments().pay("pay", &payment("25.00")).await.unwrap().is_done());
    assert_eq!(account.effects("pay").await, 2);
}

/// Holds: When the access id of an account ends, many clients over one journal request one new id between them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_request_one_new_access_id() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let account = Account::new(&sandbox, 1).await;
    let world = &account.world;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let ids =
            account.journal.access_ids("north-street", &environment(&sandbox), &world.clientpay()).await;
        let client = Client::builder(world.clientpay()).environment(environment(&sandbox));
        clients.push(client.access_ids(ids.unwrap()).build().unwrap());
    }
    for client in &clients {
        client.new_request_id().await.unwrap();
    }
    // Counts, and hits nothing.
    let counts = Fault::on("access.new", Effect::Delay { delay: Duration::ZERO }).nth(1_000);
    let counter = world.fault(&counts).await.unwrap();
    let evicts = Fault::on("request-id.new", Effect::EvictAccessId).nth(1);
    world.fault(&evicts).await.unwrap();
    let tasks: Vec<_> = clients
        .iter()
        .cloned()
        .map(|client| tokio::spawn(async move { client.new_request_id().await.map(drop) }))
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let faults = world.faults().await.unwrap();
    let matched = faults.iter().find(|fault| fault.id == counter).unwrap().matched;
    assert_eq!(matched, 1);
}

/// Holds: No card, security code, bank account, routing number, account key or PIN is in the files of the journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_files_of_the_journal() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let account = Account::new(&sandbox, 1).await;
    let world = &account.world;
    let ids = account.journal.access_ids("north-street", &environment(&sandbox), &world.clientpay()).await;
    let client = Client::builder(world.clientpay()).environment(environment(&sandbox));
    let client = client.access_ids(ids.unwrap()).build().unwrap();
    let north = account.journal.clientpay("north-street", &client).await.unwrap();
    for (write, _) in WRITES {
        assert_eq!(word(&account.write(write).await), "done", "{write}");
    }
    let account_payment = ECheck::builder().name_on_account("Rosa").routing_number(ROUTING);
    let account_payment = account_payment.account_number(ACCOUNT);
    let e_check = NewPayment::builder().total_amount("5.99").e_check(account_payment).build().unwrap();
    assert_eq!(word(&north.payments().pay("e-check", &e_check).await), "declined");
    for (becomes, effect) in [
        ("done", Effect::DropReply),
        ("refused", Effect::ErrorBefore { status: 400 }),
        ("open", Effect::ErrorBefore { status: 500 }),
        ("declined", Effect::Decline { result_code: "012".into() }),
        ("done", Effect::EvictAccessId),
        ("needs-card", Effect::RateLimit { retry_after: None }),
    ] {
        let key = format!("{effect:?}");
        world.fault(&Fault::on("clientpay-payments.create", effect).nth(1)).await.unwrap();
        assert_eq!(word(&north.payments().pay(&key, &payment("7.00")).await), becomes, "{key}");
    }
    let credentials = world.clientpay();
    let fields = credentials.fields();
    let mut read = 0;
    for file in std::fs::read_dir(account.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let key = fields.account_key.expose();
        for secret in [CARD, ACCOUNT, ROUTING, key, fields.integrator_key.expose()] {
            assert!(!text.contains(secret), "{} has {secret}", path.display());
        }
        // A few digits may be in an id by chance.
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let short = [CVV, fields.account_pin.expose()];
        assert!(!words.any(|word| short.contains(&word)), "{}", path.display());
        read += bytes.len();
        assert!(path.extension().is_none_or(|end| end != "db-wal") || !bytes.is_empty());
    }
    assert!(read > 10_000, "the files were read");
}

/// Holds: With version 1.0, a payment whose response is lost is looked up by its status.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_1_looks_a_payment_up_by_its_status() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    for (seed, effect, expected) in
        [(1, Effect::DropReply, "done"), (2, Effect::ErrorBefore { status: 500 }, "needs-person")]
    {
        let account = Account::of_version(&sandbox, seed, Version::V1).await;
        account.world.fault(&Fault::on("clientpay-payments.create", effect).nth(1)).await.unwrap();
        let (settled, said) = until_settled!(account, "version 1.0", account.write("pay"));
        assert_eq!(word(&Ok(settled)), expected, "{said:?}");
        let refused = account.write("refund").await.unwrap_err();
        assert!(matches!(refused, Error::Gateway(_)), "{refused}");
    }
}
