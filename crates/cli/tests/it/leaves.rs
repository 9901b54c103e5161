//! Every command of the tree, with arguments that are valid in a world with all their objects.

use std::path::Path;
use std::process::Command;

use perennial::clearent::{ApiKey, Charge, CustomerSearch, NewCustomer, NewPlan, NewToken, PlanStatus};
use perennial::clientpay::{Card, InvoicePage, NewMethod, NewMethods, NewPayer, NewPayment, PageInvoice};
use perennial::{BaseUrl, Clearent, ClientPay};
use perennial_sandbox::{Effect, Fault};

use crate::help::leaves;
use crate::shell::{ACCOUNT_JSON, CARD, CARD_JSON, CSC, Shell, perennial, runtime, write_private};

/// A command, its arguments, and its standard input.
#[derive(Clone, Copy)]
pub(crate) struct Leaf {
    pub(crate) path: &'static str,
    arguments: &'static str,
    pub(crate) stdin: &'static str,
    /// Whether it changes anything at a gateway, or the stored keys.
    pub(crate) changes: bool,
    /// The operation of its change at a vendor's gateway, by the sandbox's name.
    pub(crate) operation: &'static str,
}

const fn reads(path: &'static str, arguments: &'static str) -> Leaf {
    Leaf { path, arguments, stdin: "", changes: false, operation: "" }
}

const fn changes(path: &'static str, arguments: &'static str) -> Leaf {
    Leaf { path, arguments, stdin: "", changes: true, operation: "" }
}

impl Leaf {
    const fn by(self, operation: &'static str) -> Self {
        Self { operation, ..self }
    }
}

const fn of_stdin(path: &'static str, arguments: &'static str, stdin: &'static str) -> Leaf {
    Leaf { path, arguments, stdin, changes: true, operation: "" }
}

#[rustfmt::skip]
const LEAVES: &[Leaf] = &[
    of_stdin("connect", "north {keys}", "{key}"),
    reads("profiles", "{keys}"),
    changes("disconnect", "standing {keys}"),
    of_stdin("test-sale", "2.50 --void --card-stdin", CARD_JSON).by("transactions.sale"),
    changes("customers create", "--first-name Ada --last-name Byron --billing-zip 63101").by("customers.create"),
    reads("customers get", "{customer}"),
    reads("customers search", "--all --page-size 1"),
    changes("customers update", "{customer} --comments often").by("customers.update"),
    changes("customers delete", "{visitor}").by("customers.delete"),
    reads("customers tokens list", "{customer}"),
    changes("customers tokens attach", "{visitor} --token-id {token} --exp-date 1230 --card-type VISA --last-four-digits 1111").by("customer-tokens.attach"),
    changes("customers tokens update", "{customer} --token-id {token} --default true").by("customer-tokens.update"),
    of_stdin("tokens create", "--description card --card-stdin", CARD_JSON).by("tokens.create"),
    reads("tokens get", "{token}"),
    reads("tokens search", "--limit 1"),
    changes("tokens update", "{token} --description old").by("tokens.update"),
    changes("tokens delete", "{token}").by("tokens.delete"),
    changes("plans create", "--plan-name Gold --customer-key {customer} --token-id {token} --frequency-day 15 \
        --payment-amount 50 --start-date 2027-01-01 --end-date 2027-12-31 --status ACTIVE").by("plans.create"),
    reads("plans get", "{plan}"),
    reads("plans search", "--status ACTIVE"),
    changes("plans update", "{plan} --payment-amount 55.00").by("plans.update"),
    changes("plans suspend", "{plan}").by("plans.update"),
    reads("schedule", "{plan}"),
    reads("forecast", "--from 2027-01 --suspended"),
    changes("plans activate", "{draft}").by("plans.update"),
    changes("plans cancel", "{plan}").by("plans.update"),
    changes("plans delete", "{draft}").by("plans.delete"),
    reads("plans expected-runs", "{plan}"),
    reads("plans forecast", "--start-date 2027-01-01 --end-date 2027-12-31 --frequency-day 15"),
    reads("payments list", "--all"),
    of_stdin("transactions sale", "--amount 25 --card-stdin", CARD_JSON).by("transactions.sale"),
    of_stdin("transactions auth", "--amount 25 --card-stdin", CARD_JSON).by("transactions.auth"),
    changes("transactions capture", "{auth} --amount 30.00").by("transactions.capture"),
    changes("transactions void", "{sale}").by("transactions.void"),
    changes("transactions update", "{sale} --tip-amount 1.00").by("transactions.update"),
    of_stdin("transactions refund", "--amount 5 --card-stdin", CARD_JSON).by("transactions.refund"),
    reads("transactions get", "{sale}"),
    reads("transactions search", "--type SALE"),
    reads("batches list", ""),
    reads("batches open", "{batch}"),
    changes("batches settle", "{batch}").by("batches.settle"),
    of_stdin("invoice pay", "--number INV-1 --date 2027-01-04 --line Labor=250.00 --card-stdin", CARD_JSON).by("transactions.sale"),
    changes("invoice page", "--number INV-1 --date 2027-01-04 --line Labor=250.00").by("pages.create"),
    reads("invoice status", "INV-1"),
    changes("clientpay access new", "").by("access.new"),
    reads("clientpay access current", "{live}"),
    reads("clientpay access validate", "--access-id-file {access}"),
    changes("clientpay access expire", "--access-id-file {access}").by("access.expire"),
    changes("clientpay request-id", ""),
    changes("clientpay page create invoice", "--invoice-number 7 --invoice-date 2027-01-04 --outstanding-balance 10").by("pages.create"),
    changes("clientpay page create line-item", "--item-name Retainer --payment-amount 500").by("pages.create"),
    changes("clientpay page create connect", "--connect-option 3E --invoice-number 7 --invoice-date 2027-01-04 \
        --outstanding-balance 10.00").by("pages.create"),
    changes("clientpay page create payer", "").by("pages.create"),
    changes("clientpay page expire", "{page}").by("pages.expire"),
    of_stdin("clientpay pay", "--total-amount 540.25 --name-on-account Lind --account-stdin", ACCOUNT_JSON).by("clientpay-payments.create"),
    changes("clientpay refund", "{payment}").by("clientpay-payments.refund"),
    reads("clientpay search", "--from 2027-01-01 --all"),
    reads("clientpay connect-search", "--connect-option 3E --search-option matter --search-text M-204"),
    changes("clientpay payers create", "--first-name Rosa --last-name Lind --email rosa@example.test").by("payers.create"),
    changes("clientpay payers update", "{payer} --payer-city Mobile").by("payers.update"),
    changes("clientpay payers delete", "{payer}").by("payers.delete"),
    changes("clientpay payers page", "--payer-id {payer}").by("pages.create"),
    of_stdin("clientpay payers add-methods", "{payer} --card-stdin", CARD_JSON).by("payers.add-methods"),
    changes("clientpay payers update-methods", "{method} --exp-date 1231").by("payers.update-methods"),
    reads("journal list", "--db {journal}"),
    reads("journal show", "{settled}"),
    changes("journal look", "{settled}"),
    changes("journal resolve", "{stuck} --as not-done --reason gone --actor ada"),
    changes("journal withdraw", "{planned} --reason late --actor ada"),
    reads("journal doctor", "--db {journal}"),
    changes("journal adopt", "--db {journal} --reason restored --actor ada"),
    changes("journal rebind", "--db {journal} --reason deleted --actor ada"),
    changes("journal run", "--until-idle --db {journal}"),
    reads("journal events", "--db {journal}"),
    changes("subscriptions start", "--id M-2 --customer-key {customer} --token-id {token} --name Silver --amount 40 --day 20 {books}"),
    changes("subscriptions adopt", "--id M-2 --plan-key {plan} --shadow --actor ada {books}"),
    reads("subscriptions show", "M-1 {books}"),
    reads("subscriptions list", "{books}"),
    changes("subscriptions change", "M-1 --amount 55 --actor ada {books}"),
    changes("subscriptions pause", "M-1 --until 2027-04-01 --actor ada {books}"),
    changes("subscriptions resume", "M-1 --actor ada {books}"),
    changes("subscriptions cancel", "M-1 --now --actor ada {books}"),
    changes("subscriptions keep", "M-1 --actor ada {ending}"),
    reads("due-days list", "--id M-1 {books}"),
    changes("due-days collect", "{given-up-day} --reason asked --actor ada"),
    changes("due-days waive", "{given-up-day} --reason asked --actor ada"),
    changes("due-days claim", "{given-up-day} --transaction {sale} --reason asked --actor ada"),
    changes("due-days refund", "{paid-day} --reason asked --actor ada"),
    changes("due-days dispute", "{paid-day} --reason asked --actor ada"),
    reads("recovery show", "{books}"),
    changes("recovery set", "--tries-a-day 5 --reason asked --actor ada {books}"),
    changes("books check", "--from 2026-06-01 --record {books}"),
    reads("events list", "{books}"),
    reads("members export", "M-1 {books}"),
    changes("members erase", "M-1 --reason moved --actor ada {ended}"),
    changes("webhooks listen", "--public-key-file {webhook-key} --address 127.0.0.1:0 {books}"),
    changes("webhooks send", "--url {receiver}"),
    reads("books report money", "{books}"),
    reads("books report recovery", "{books}"),
    reads("books report cards", "{books}"),
    changes("work", "--until-idle {books}"),
    changes("hold on", "--db {journal} --reason prices --actor ada"),
    changes("hold off", "--db {journal} --reason prices --actor ada"),
    reads("sandbox serve", "--listen 127.0.0.1:0"),
    changes("sandbox world", ""),
    reads("sandbox clock", ""),
    changes("sandbox advance", "P1M"),
    changes("sandbox fault set", "plans.create drop-reply --nth 1"),
    reads("sandbox fault list", ""),
    changes("sandbox fault clear", ""),
    reads("sandbox log", ""),
    changes("sandbox snapshot", ""),
    changes("sandbox restore", "{snapshot}"),
    changes("sandbox reset", ""),
    changes("sandbox delete", ""),
    reads("quickstart", ""),
    reads("completions", "bash"),
    reads("man", ""),
];

/// The identity of age's published test vectors.
const IDENTITY: &str = "AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6\n";

/// All leaves of the tree, each with its line.
pub(crate) fn all() -> &'static [Leaf] {
    let mut listed: Vec<&str> = LEAVES.iter().map(|leaf| leaf.path).collect();
    let mut tree = leaves();
    listed.sort_unstable();
    tree.sort_unstable();
    assert_eq!(listed, tree, "every command needs a line in this table");
    LEAVES
}

impl Leaf {
    /// Builds the command for this world; its files go into the folder.
    pub(crate) fn command(&self, shell: &Shell, folder: &Path) -> (Command, String) {
        let mut standing = Standing { shell, folder };
        let mut filled = |text: &str| standing.fill(text);
        let (arguments, stdin) = (filled(self.arguments), filled(self.stdin));
        let mut command = perennial();
        command.args(self.path.split(' ')).args(arguments.split_whitespace()).envs(shell.environment());
        let calls_none =
            ["profiles", "disconnect", "webhooks send", "sandbox serve", "quickstart", "completions", "man"];
        if !calls_none.contains(&self.path) {
            command.args(["--base-url", shell.url()]);
        }
        (command, stdin)
    }
}

/// Objects that a line names, created on demand.
struct Standing<'a> {
    shell: &'a Shell,
    folder: &'a Path,
}

impl Standing<'_> {
    fn fill(&mut self, text: &str) -> String {
        let Some((before, after)) = text.split_once('{') else { return text.to_owned() };
        let Some((name, after)) = after.split_once('}').filter(|(name, _)| !name.contains('"')) else {
            return text.to_owned();
        };
        format!("{before}{}{}", runtime().block_on(self.create(name)), self.fill(after))
    }

    async fn create(&self, name: &str) -> String {
        let clearent = self.clearent();
        match name {
            "key" => self.shell.key().to_owned(),
            "keys" => self.keys(),
            "customer" => self.customer("cust_ada").await,
            "visitor" => self.customer("cust_grace").await,
            "token" => {
                let card = NewToken::builder().card(CARD).exp_date("1230").csc(CSC).description("card");
                let card = card.customer_key(self.customer("cust_ada").await.as_str()).build().unwrap();
                clearent.tokens().create(card).await.unwrap().token_id.clone().unwrap().to_string()
            }
            "plan" => self.plan(PlanStatus::ACTIVE).await,
            "draft" => self.plan(PlanStatus::SUSPENDED).await,
            "sale" | "auth" => {
                let charge =
                    Charge::builder().amount("30.00").card(CARD).exp_date("1230").csc(CSC).build().unwrap();
                let transactions = clearent.transactions();
                let created = match name {
                    "sale" => transactions.sale(&charge).await,
                    _ => transactions.auth(&charge).await,
                };
                created.unwrap().id.clone().unwrap().to_string()
            }
            // Not an argument, but the object of the line.
            "batch" => {
                Box::pin(self.create("sale")).await;
                String::new()
            }
            "snapshot" => self.shell.world().snapshot().await.unwrap(),
            "journal" | "settled" | "planned" | "stuck" => self.journal(name).await,
            "books" | "ending" | "ended" | "paid-day" | "given-up-day" => self.books(name).await,
            "webhook-key" => {
                let file = self.folder.join("gateway.pub");
                std::fs::write(&file, self.shell.world().webhook_key().await.unwrap()).unwrap();
                file.to_str().unwrap().to_owned()
            }
            "receiver" => crate::shell::gateway(std::iter::repeat(crate::shell::answer("200 OK", ""))),
            _ => self.create_at_clientpay(name).await,
        }
    }

    async fn create_at_clientpay(&self, name: &str) -> String {
        let client = self.clientpay();
        match name {
            "live" => client.access().renew().await.map(|_| String::new()).unwrap(),
            "access" => {
                let id = client.access().renew().await.unwrap();
                let file = self.folder.join("access");
                write_private(&file, id.expose());
                file.to_str().unwrap().to_owned()
            }
            "page" => {
                let invoice = PageInvoice::builder()
                    .invoice_number("7")
                    .invoice_date("2027-01-04")
                    .outstanding_balance("1");
                let page = InvoicePage::builder().invoice(invoice).build().unwrap();
                client.pages().invoices(&page).await.unwrap().request_id.to_string()
            }
            "payment" => {
                let card = Card::builder().card_number(CARD).expiration_date("1230").cvv(CSC);
                let payment = NewPayment::builder().total_amount("12.00").credit_card(card).build().unwrap();
                client.payments().pay(&payment).await.unwrap().payment_id.clone().unwrap().to_string()
            }
            "payer" => self.payer().await,
            "method" => {
                let card = Card::builder().card_number(CARD).expiration_date("1230").cvv(CSC);
                let methods = NewMethods::builder().payer_id(self.payer().await.as_str());
                let methods = methods.method(NewMethod::builder().credit_card(card)).build().unwrap();
                client.payers().add_methods(&methods).await.unwrap().payment_method_ids[0].to_string()
            }
            other => panic!("nothing is known of {other}"),
        }
    }

    async fn customer(&self, key: &'static str) -> String {
        let new =
            NewCustomer::builder().first_name("Ada").last_name("Byron").customer_key(key).build().unwrap();
        // It may already exist.
        let _ = self.clearent().customers().create(&new).await;
        key.to_owned()
    }

    async fn plan(&self, status: PlanStatus) -> String {
        let token = Box::pin(self.create("token")).await;
        let plan = NewPlan::builder()
            .plan_name("Gold")
            .customer_key("cust_ada")
            .token_id(token.as_str())
            .monthly_on(15)
            .payment_amount("50.00")
            .start_date("2027-01-01")
            .end_date("2027-12-31")
            .status(status);
        self.clearent().plans().create(&plan.build().unwrap()).await.unwrap().plan_key.to_string()
    }

    async fn payer(&self) -> String {
        let payer = NewPayer::builder().first_name("Rosa").last_name("Lind").emails(["rosa@example.test"]);
        self.clientpay().payers().create(&payer.build().unwrap()).await.unwrap().into_value().to_string()
    }

    /// Creates a store of keys with one profile, and returns the options that open it.
    fn keys(&self) -> String {
        // It opens faster than with a passphrase.
        let (file, identity) = (self.folder.join("keys.age"), self.folder.join("identity"));
        write_private(&identity, IDENTITY);
        let options = format!("--keys {} --identity {}", file.display(), identity.display());
        let mut connect = perennial();
        connect.args(["connect", "standing", "--base-url", self.shell.url()]).args(options.split(' '));
        let ran = crate::shell::finish(connect, self.shell.key());
        assert_eq!(ran.code, 0, "{}", ran.err);
        options
    }

    /// Deletes the control customers of earlier journals, from which a new one would take over the keys.
    async fn forget_journals(&self) {
        let search = CustomerSearch { first_name: Some("Perennial".to_owned()), ..CustomerSearch::default() };
        for control in self.clearent().customers().search(&search).collect_all().await.unwrap() {
            self.clearent().customers().delete(&control.customer_key).await.unwrap();
        }
    }

    /// Starts a subscription, and returns the options of its database.
    async fn books(&self, name: &str) -> String {
        self.forget_journals().await;
        let token = Box::pin(self.create("token")).await;
        let options = format!("--db sqlite:{} --clock sandbox", self.folder.join("books.db").display());
        let write = |line: &str| {
            let mut command = perennial();
            command.args(["--base-url", self.shell.url()]).args(line.split(' ')).args(options.split(' '));
            command.envs(self.shell.environment());
            let ran = crate::shell::finish(command, "");
            assert_eq!(ran.code, 0, "{line}: {}", ran.err);
            ran.out
        };
        let start = "subscriptions start --id M-1 --customer-key cust_ada --name Gold --amount 50 --day 15";
        let started = write(&format!("{start} --token-id {token}"));
        if name == "ending" {
            write("subscriptions cancel M-1 --on 2027-06-30 --actor ada");
        }
        if name.ends_with("-day") {
            if name == "given-up-day" {
                let hard = Effect::Decline { result_code: "005".to_owned() };
                self.shell.world().fault(&Fault::on("engine.charge", hard)).await.unwrap();
            }
            self.shell.world().advance("P31D").await.unwrap();
            self.shell.world().clear_faults().await.unwrap();
            write("work --until-idle");
            let due = started.lines().find_map(|line| line.strip_prefix("from")).unwrap().trim();
            return format!("M-1/{due} {options}");
        }
        if name == "ended" {
            write("subscriptions cancel M-1 --now --actor ada");
        }
        options
    }

    /// Creates a journal with an intent in a state, and returns the options that name both.
    async fn journal(&self, name: &str) -> String {
        self.forget_journals().await;
        let url = format!("sqlite:{}", self.folder.join("journal.db").display());
        let write = |line: &str, code: i32| {
            let mut command = perennial();
            command.args(["--base-url", self.shell.url()]).args(line.split(' ')).args(["--db", &url]);
            command.envs(self.shell.environment());
            let ran = crate::shell::finish(command, "");
            assert_eq!(ran.code, code, "{line}: {}", ran.err);
        };
        self.customer("cust_ada").await;
        write("customers update cust_ada --comments often --operation-key settled", 0);
        let fault = |operation, effect| Fault::on(operation, effect).nth(1);
        match name {
            "planned" => {
                let limited = fault("customers.update", Effect::ErrorBefore { status: 429 });
                self.shell.world().fault(&limited).await.unwrap();
                write("customers update cust_ada --comments rarely --operation-key planned", 75);
            }
            "stuck" => {
                let _ = Box::pin(self.create("sale")).await;
                self.shell.world().fault(&fault("batches.settle", Effect::DropReply)).await.unwrap();
                write("batches settle --operation-key stuck", 75);
            }
            _ => {}
        }
        self.shell.world().clear_faults().await.unwrap();
        if name == "journal" { url } else { format!("{name} --db {url}") }
    }

    fn clearent(&self) -> Clearent {
        let key = ApiKey::new(self.shell.key()).unwrap();
        let url: BaseUrl = self.shell.url().parse().unwrap();
        Clearent::builder(key).environment(url).build().unwrap()
    }

    fn clientpay(&self) -> ClientPay {
        let url: BaseUrl = self.shell.url().parse().unwrap();
        ClientPay::builder(self.shell.world().clientpay()).environment(url).build().unwrap()
    }
}
