//! A web service that takes sign-ups: a customer, a card token, and a plan that charges each month.
//!
//! `cargo run -p perennial --example signup_service`
//!
//! It talks to a sandbox of its own. For the real gateway, build the client with your key and `Environment::Production`.

use std::error::Error as StdError;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use perennial::clearent::{ApiKey, NewCustomer, NewPlan, NewToken, PlanStatus};
use perennial::{BaseUrl, Clearent, Error};
use perennial_sandbox::Sandbox;
use serde::Deserialize;

/// What the form of a sign-up sends. It may hold a card, so it has no `Debug`.
#[derive(Deserialize)]
struct SignUp {
    first_name: String,
    last_name: String,
    email: String,
    card: String,
    exp_date: String,
    csc: String,
    start_date: String,
    end_date: String,
}

async fn sign_up(
    State(client): State<Clearent>,
    Json(form): Json<SignUp>,
) -> Result<(StatusCode, String), (StatusCode, String)> {
    match subscribe(&client, form).await {
        Ok(plan_key) => Ok((StatusCode::CREATED, plan_key)),
        // All that is wrong with the form at once, by field, and never its values.
        Err(error) if error.is_rules() => Err((StatusCode::BAD_REQUEST, error.to_string())),
        // The gateway may have done it: a person or a job has to look before anybody tries again.
        Err(error) if error.is_outcome_unknown() => {
            Err((StatusCode::ACCEPTED, format!("being looked into: {:?}", error.exchange_id())))
        }
        Err(error) => Err((StatusCode::BAD_GATEWAY, error.to_string())),
    }
}

async fn subscribe(client: &Clearent, form: SignUp) -> Result<String, Error> {
    let new = NewCustomer::builder().first_name(form.first_name).last_name(form.last_name).email(form.email);
    let customer = client.customers().create(&new.build()?).await?;
    let token = NewToken::builder()
        .card(form.card)
        .exp_date(form.exp_date)
        .csc(form.csc)
        .description("membership card")
        .customer_key(&customer.customer_key)
        .build()?;
    let token = client.tokens().create(token).await?;
    let token_id = token.token_id.as_ref().expect("a token that was made has an id");
    let plan = NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(&customer.customer_key)
        .token_id(token_id)
        .monthly_on(15)
        .payment_amount("50.00")
        .start_date(form.start_date)
        .end_date(form.end_date)
        .status(PlanStatus::ACTIVE)
        .build()?;
    Ok(client.plans().create(&plan).await?.plan_key.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let sandbox = Sandbox::start().await?;
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
        .environment(sandbox.base_url().parse::<BaseUrl>()?)
        .build()?;

    let service = Router::new().route("/sign-ups", post(sign_up)).with_state(client.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });

    let form = r#"{"first_name":"Ada","last_name":"Byron","email":"ada@example.test","card":"4111111111111111",
        "exp_date":"1230","csc":"999","start_date":"2027-01-01","end_date":"2027-12-31"}"#;
    let answer = call(address, form).await?;
    println!("{answer}");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    // A card that cannot be one is refused before anything is sent to the gateway but the customer.
    let answer = call(address, &form.replace("4111111111111111", "4111111111111112")).await?;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");

    sandbox.advance("P1Y").await?;
    let payments =
        client.payments().list(&perennial::clearent::PaymentSearch::default()).collect_all().await?;
    println!("{} payments in the year", payments.len());
    assert_eq!(payments.len(), 12);
    serving.abort();
    Ok(())
}

/// Posts a form and reads the whole answer.
async fn call(address: std::net::SocketAddr, form: &str) -> std::io::Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let head =
        "POST /sign-ups HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
    stream.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len()).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[test]
fn it_runs() {
    main().unwrap();
}
