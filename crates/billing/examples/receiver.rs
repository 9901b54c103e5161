//! A web service that receives the gateway's alerts, and a worker in another process that looks at once.
//!
//! `cargo run -p perennial-billing --example receiver`
//!
//! It uses its own sandbox, which posts the alerts. For the real gateway, read the vendor's public key from a file, build
//! the client with your key and `Environment::Production`, and set the address of this service in the vendor's portal.

use std::error::Error as StdError;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use perennial::clearent::webhook::PublicKey;
use perennial::clearent::{ApiKey, NewCustomer, NewToken};
use perennial::{BaseUrl, Clearent};
use perennial_billing::{Billing, DayState, Error, NewSubscription};
use perennial_journal::machine::Rules;
use perennial_journal::{Journal, Moment, ShiftedClock};
use perennial_sandbox::Sandbox;

struct Receiver {
    billing: Billing,
    key: PublicKey,
}

/// Responds with 2xx only after the alert is stored. The gateway sends an alert again until it gets a 2xx.
async fn alert(State(receiver): State<Arc<Receiver>>, body: Bytes) -> (StatusCode, String) {
    match receiver.billing.receive(&receiver.key, &body).await {
        Ok(stored) => (StatusCode::OK, if stored.is_new { "stored" } else { "known" }.to_owned()),
        Err(error @ Error::InvalidAlert(_)) => (StatusCode::BAD_REQUEST, error.to_string()),
        Err(error) => {
            eprintln!("an alert is not stored: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "send it again".to_owned())
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let sandbox = Sandbox::start().await?;
    // A world of the sandbox begins on 2027-01-01.
    let world = sandbox.world(7).await?;
    let client = Clearent::builder(ApiKey::new(world.api_key().expose())?)
        .environment(sandbox.base_url().parse::<BaseUrl>()?)
        .build()?;
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite:{}", folder.path().join("billing.db").display());
    let open = async |day: &str| -> Result<Billing, Box<dyn StdError>> {
        let noon = day.parse::<chrono::NaiveDate>()?.and_hms_opt(12, 0, 0).ok_or("noon")?;
        let clock = ShiftedClock::from(Moment::of_utc(noon));
        let journal = Journal::open_with(&database, clock, Rules::default()).await?;
        Ok(Billing::open(&journal, &journal.clearent("north-street", &client).await?).await?)
    };

    // The service: a receiver on a free port.
    world.advance_to("2027-01-01T12:00:00Z").await?;
    let billing = open("2027-01-01").await?;
    let key = PublicKey::from_hex(&world.webhook_key().await?)?;
    let receiver = Arc::new(Receiver { billing: billing.clone(), key });
    let service = Router::new()
        .route("/alerts", post(alert))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(receiver);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });
    world.webhook(&format!("http://{address}/alerts")).await?;

    // A member, and the first due day: the plan charges, and the gateway posts an alert.
    let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build()?;
    let ada = client.customers().create(&ada).await?.customer_key.clone();
    let card = NewToken::builder().card("4111111111111111").exp_date("1230").csc("999").description("card");
    let token = client.tokens().create(card.customer_key(&ada).build()?).await?.token_id.clone();
    let token = token.ok_or("a token has an id")?;
    billing.start(&NewSubscription::new("M-1", ada, token, "Gold", "50.00".parse()?, 15.try_into()?)).await?;
    billing.work().await?;
    world.advance_to("2027-01-15T12:00:00Z").await?;
    let deliveries = world.deliveries().await?;
    println!("{deliveries:?}");
    assert!(deliveries.len() == 1 && deliveries[0].status == Some(200));
    // The alert itself changes nothing.
    let state = async |billing: &Billing| -> Result<Option<DayState>, Error> {
        Ok(billing.show("M-1").await?.days.values().next().map(|day| day.state))
    };
    assert_eq!(state(&billing).await?, Some(DayState::Expected));
    // One that the gateway did not sign is refused.
    let forged = r#"{"payload":{"transaction":{"id":"1","type":"SALE"}},"signature":"30"}"#;
    let answer = call(address, forged).await?;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("nothing of it is stored"), "{answer}");

    // The worker, which is a process of its own in production: `worker.run(stop)`.
    let worker = open("2027-01-15").await?;
    let done = worker.work().await?;
    println!("{done:?}");
    assert_eq!((done.charges, state(&worker).await?), (1, Some(DayState::Paid)));
    serving.abort();
    Ok(())
}

/// Posts a body and reads the whole response.
async fn call(address: std::net::SocketAddr, body: &str) -> std::io::Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let head = "POST /alerts HTTP/1.1\r\nHost: localhost\r\nConnection: close";
    stream.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Holds: The example of a receiver of alerts runs.
#[test]
fn it_runs() {
    main().unwrap();
}
