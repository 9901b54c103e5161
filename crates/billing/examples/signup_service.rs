//! A web service for sign-ups, with the worker of subscriptions beside it. A form may be sent again at any time: the
//! customer and the card are stored under operation keys, and the subscription under the member's number, so that nothing
//! is created twice.
//!
//! `cargo run -p perennial-billing --example signup_service`
//!
//! It uses its own sandbox. For the real gateway, build the client with your key and `Environment::Production`, and open
//! the journal with `Journal::open("sqlite:PATH")`.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use chrono::DateTime;
use perennial::clearent::{
    ApiKey, CustomerKey, CustomerSearch, NewCustomer, NewToken, PlanSearch, Token, TokenSearch,
};
use perennial::{BaseUrl, Clearent};
use perennial_billing::{Billing, CancelAt, DayState, Error, NewSubscription, Subscription};
use perennial_journal::machine::Rules;
use perennial_journal::{By, Journal, ManualClock, Moment, Settled};
use perennial_sandbox::{Effect, Fault, Sandbox};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// The data of a sign-up form. It may contain a card, so it has no `Debug`.
#[derive(Deserialize)]
struct SignUp {
    /// The member's number in your own records, which is the id of the subscription.
    member: String,
    first_name: String,
    last_name: String,
    email: String,
    card: String,
    exp_date: String,
    csc: String,
}

/// The requests of a form. All of it is checked before the first one is sent.
struct Requests {
    customer: NewCustomer,
    /// The operation key of the card: another card is another decision.
    card_key: String,
    card: NewToken,
    /// The subscription, with a token that is not known yet.
    subscription: NewSubscription,
}

impl SignUp {
    fn requests(self) -> Result<Requests, perennial::Error> {
        let member: CustomerKey = self.member.parse()?;
        let new = NewCustomer::builder().customer_key(&member).first_name(self.first_name);
        let customer = new.last_name(self.last_name).email(self.email).build()?;
        let (amount, day) = ("50.00".parse()?, 15.try_into()?);
        let subscription =
            NewSubscription::new(self.member, member.clone(), "0".parse()?, "Gold membership", amount, day);
        let last_four = self.card.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev();
        let card_key = format!("members/{member}/cards/{}-{}", last_four.collect::<String>(), self.exp_date);
        let card = NewToken::builder().card(self.card).exp_date(self.exp_date).csc(self.csc);
        let card = card.description("membership card").customer_key(&member).build()?;
        Ok(Requests { customer, card_key, card, subscription })
    }
}

struct Service {
    north: perennial_journal::Clearent,
    billing: Billing,
}

enum Answer {
    Started(Box<Subscription>),
    /// Something is open at the gateway. The same form again finds it, and goes on.
    Open,
    Refused(String),
}

impl Answer {
    /// The answer to a write that is not done.
    fn to<T>(settled: Settled<T>) -> Self {
        match settled {
            Settled::Open(_) | Settled::NeedsCard(_) => Self::Open,
            Settled::Refused { reason } => Self::Refused(reason),
            _ => Self::Refused("a person must look at it: perennial journal list".to_owned()),
        }
    }
}

impl Service {
    /// Stores the customer, the card and the subscription, each once. The worker makes the plan.
    async fn subscribe(&self, requests: Requests) -> Result<Answer, Error> {
        let Requests { customer, card_key, card, subscription } = requests;
        subscription.preview(self.billing.today().await?, 1)?;
        let key = format!("members/{}/customer", subscription.id);
        match self.north.customers().create(&key, &customer).await? {
            Settled::Done { .. } => {}
            open => return Ok(Answer::to(open)),
        }
        let token = match self.north.tokens().create(&card_key, card).await? {
            Settled::Done { value: Some(Token { token_id: Some(id), .. }), .. } => id,
            open => return Ok(Answer::to(open)),
        };
        let started = self.billing.start(&NewSubscription { token, ..subscription }).await?;
        Ok(Answer::Started(Box::new(started)))
    }
}

async fn sign_up(State(service): State<Arc<Service>>, Json(form): Json<SignUp>) -> (StatusCode, String) {
    // All that is wrong with the form at once, by field, and never its values.
    let requests = match form.requests() {
        Ok(requests) => requests,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()),
    };
    match service.subscribe(requests).await {
        Ok(Answer::Started(new)) => (StatusCode::CREATED, format!("{} charges from {} on", new.id, new.from)),
        Ok(Answer::Open) => (StatusCode::ACCEPTED, "send the same form again in some minutes".to_owned()),
        Ok(Answer::Refused(reason)) => (StatusCode::UNPROCESSABLE_ENTITY, reason),
        // The member has a subscription, with another card.
        Err(error @ Error::IdUsed(_)) => (StatusCode::CONFLICT, error.to_string()),
        Err(error @ Error::InvalidId) => (StatusCode::BAD_REQUEST, error.to_string()),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

/// The sandbox and its world, the clients, and the clock of the journal, which the example advances together.
struct World {
    sandbox: Sandbox,
    clock: ManualClock,
    client: Clearent,
    billing: Billing,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let sandbox = Sandbox::start().await?;
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
        .environment(sandbox.base_url().parse::<BaseUrl>()?)
        .build()?;
    // The world of the sandbox begins on 2027-01-01.
    let clock = ManualClock::from(Moment::from_millis(1_798_761_600_000));
    let journal = Journal::open_with("sqlite::memory:", clock.clone(), Rules::default()).await?;
    let north = journal.clearent("north-street", &client).await?;
    let billing = Billing::open(&journal, &north).await?;

    let service = Arc::new(Service { north, billing: billing.clone() });
    let service = Router::new().route("/sign-ups", post(sign_up)).with_state(service);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });
    let world = World { sandbox, clock, client, billing };

    let form = r#"{"member":"member-7","first_name":"Ada","last_name":"Byron","email":"ada@example.test",
        "card":"4111111111111111","exp_date":"1230","csc":"999"}"#;
    // A card that cannot be one is named, and nothing at all was sent.
    let answer = call(address, &form.replace("4111111111111111", "4111111111111112")).await?;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("card: must be a card number"), "{answer}");
    // The journal has a control customer of its own.
    assert_eq!(world.made().await?, [1, 0, 0]);

    // Each write is done, at once or later, and its response is lost or is an error. The service looks for what it sent, and
    // the form is sent again until all is found.
    let effects = [
        Effect::DropReply,
        Effect::ErrorAfter { status: 500 },
        Effect::LateCommit { delay: Duration::from_millis(50) },
    ];
    let members = ["member-7", "member-8", "member-9"];
    for (effect, member) in effects.iter().zip(members) {
        let form = form.replace("member-7", member);
        for operation in ["customers.create", "tokens.create"] {
            world.sandbox.fault(&Fault::on(operation, effect.clone()).nth(1)).await?;
        }
        let answer = loop {
            let before = world.made().await?;
            let answer = call(address, &form).await?;
            if answer.starts_with("HTTP/1.1 201") {
                break answer;
            }
            assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
            // "In some minutes": when what was late is done.
            while world.made().await? == before {}
            world.advance("PT10M").await?;
        };
        println!("{answer}");
        assert_eq!(call(address, &form).await?.lines().last(), answer.lines().last());
        // The plan is made by the worker, which loses a response, too.
        world.sandbox.fault(&Fault::on("plans.create", effect.clone()).nth(1)).await?;
    }
    let other = form.replace("4111111111111111", "5454545454545454");
    assert!(call(address, &other).await?.starts_with("HTTP/1.1 409"));
    assert_eq!(world.made().await?, [4, 4, 0]);

    // The worker, until it is stopped: it finishes its turn first.
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = tokio::spawn({
        let billing = world.billing.clone();
        async move { billing.run(async { stopped.await.unwrap_or_default() }).await }
    });
    while world.made().await?[2] < 3 {
        tokio::task::yield_now().await;
    }
    stop.send(()).map_err(|()| "the worker has ended")?;
    worker.await??;

    // Thirteen months, and a plan of the gateway has at most twelve. The example works itself, so that no time passes.
    for _ in 0..80 {
        world.advance("P5D").await?;
        world.billing.work().await?;
    }
    for member in members {
        let member = world.billing.show(member).await?;
        let paid = member.days.values().filter(|due| due.state == DayState::Paid);
        let paid: Vec<String> = paid.map(|due| due.day.to_string()).collect();
        println!("{}: {} charges", member.subscription.id, paid.len());
        assert_eq!((paid.len(), paid[0].as_str(), paid[12].as_str()), (13, "2027-01-15", "2028-01-15"));
    }
    // A member who comes back gets another subscription, with the customer and the card that exist.
    let by = By { actor: "ines".to_owned(), reason: "moved away".to_owned() };
    world.billing.cancel("member-7", CancelAt::Now, by).await?;
    world.billing.work().await?;
    let made = world.made().await?;
    let answer = call(address, form).await?;
    assert!(answer.starts_with("HTTP/1.1 201") && answer.ends_with("2028-02-15 on"), "{answer}");
    assert_eq!(
        (world.made().await?, world.billing.show("member-7").await?.subscription.generation),
        (made, 2)
    );
    serving.abort();
    Ok(())
}

impl World {
    /// Lets a period pass, at the gateway and here.
    async fn advance(&self, period: &str) -> Result<(), Box<dyn StdError>> {
        let now = self.sandbox.advance(period).await?.now.to_string();
        self.clock.set(Moment::of_utc(DateTime::parse_from_rfc3339(&now)?.naive_utc()));
        Ok(())
    }

    /// The numbers of customers, tokens and plans at the gateway.
    async fn made(&self) -> Result<[usize; 3], perennial::Error> {
        Ok([
            self.client.customers().search(&CustomerSearch::default()).collect_all().await?.len(),
            self.client.tokens().search(&TokenSearch::default()).collect_all().await?.len(),
            self.client.plans().search(&PlanSearch::default()).collect_all().await?.len(),
        ])
    }
}

/// Posts a form and reads the whole response.
async fn call(address: SocketAddr, form: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let head =
        "POST /sign-ups HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
    stream.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len()).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Holds: The example of a sign-up service runs.
#[test]
fn it_runs() {
    main().unwrap();
}
