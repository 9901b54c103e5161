//! A web service for sign-ups: it creates a customer, a card token, and a plan that charges each month. A form may be
//! sent again at any time and creates nothing twice: each object is looked up before it is created.
//!
//! `cargo run -p perennial --example signup_service`
//!
//! It uses its own sandbox. For the real gateway, build the client with your key and `Environment::Production`.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use perennial::clearent::{
    ApiKey, CustomerKey, CustomerSearch, NewCustomer, NewPlan, NewToken, PaymentSearch, PlanSearch,
    PlanStatus, TokenId, TokenSearch,
};
use perennial::{BaseUrl, Clearent, Error, Expiry, Reported};
use perennial_sandbox::{Effect, Fault, Sandbox};
use serde::Deserialize;
use tokio::sync::Mutex;

const PLAN: &str = "Gold membership";

/// The data of a sign-up form. It may contain a card, so it has no `Debug`.
#[derive(Deserialize)]
struct SignUp {
    /// The member's number in your own records. It becomes the customer's key, by which a retry finds the customer.
    member: String,
    first_name: String,
    last_name: String,
    email: String,
    card: String,
    exp_date: String,
    csc: String,
    start_date: String,
}

/// Handles one sign-up at a time, so that a double click does not look up twice before it creates once. With several
/// processes, lock the member in your database instead.
struct Service {
    client: Clearent,
    turn: Mutex<()>,
}

async fn sign_up(
    State(service): State<Arc<Service>>,
    Json(form): Json<SignUp>,
) -> Result<(StatusCode, String), (StatusCode, String)> {
    let _turn = service.turn.lock().await;
    match subscribe(&service.client, form).await {
        Ok(plan_key) => Ok((StatusCode::CREATED, plan_key)),
        // All that is wrong with the form at once, by field, and never its values.
        Err(error) if error.is_invalid_request() => Err((StatusCode::BAD_REQUEST, error.to_string())),
        // The gateway may have done it. The same form again, some minutes later, finds what was made and goes on.
        Err(error) if error.is_outcome_unknown() => {
            Err((StatusCode::ACCEPTED, "send the same form again in some minutes".to_owned()))
        }
        Err(error) => Err((StatusCode::BAD_GATEWAY, error.to_string())),
    }
}

/// Finds or creates the customer, the token and the plan; returns the plan's key.
async fn subscribe(client: &Clearent, form: SignUp) -> Result<String, Error> {
    let member: CustomerKey = form.member.parse()?;
    let exp_date: Expiry = form.exp_date.parse()?;
    let last_four = form.card.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect::<String>();
    // All three are checked before the first is sent; the plan with a token id that is not known yet.
    let new =
        NewCustomer::builder().customer_key(&member).first_name(form.first_name).last_name(form.last_name);
    let new_customer = new.email(form.email).build()?;
    let new_token = NewToken::builder()
        .card(form.card)
        .exp_date(exp_date)
        .csc(form.csc)
        .description("membership card")
        .customer_key(&member)
        .build()?;
    let plan_of = |token: TokenId| {
        NewPlan::builder()
            .plan_name(PLAN)
            .customer_key(&member)
            .token_id(token)
            .monthly_on(15)
            .payment_amount("50.00")
            .starting(form.start_date.as_str())
            .charges(12)
            .status(PlanStatus::ACTIVE)
            .build()
    };
    plan_of("0".parse()?)?;

    let customer = match client.customers().get(&member).await {
        Ok(customer) => customer,
        Err(error) if error.is_not_found() => client.customers().create(&new_customer).await?,
        Err(error) => return Err(error),
    };

    let search = PlanSearch {
        customer_key: Some(member.clone()),
        plan_name: Some(PLAN.into()),
        ..PlanSearch::default()
    };
    let plans = client.plans().search(&search).collect_all().await?;
    // A plan whose term is over is not this one: a member who comes back gets another. The gateway's day decides.
    let today = customer.date().map(|now| now.date());
    if let Some(plan) = plans.iter().find(|plan| plan.can_charge(today)) {
        return Ok(plan.plan_key.to_string());
    }

    let stored = client.customers().tokens(&member).list().await?;
    let same = |last: Option<&str>, expiry| {
        last == Some(last_four.as_str()) && expiry == Some(&Reported::Value(exp_date))
    };
    let token =
        match stored.iter().find(|token| same(token.last_four_digits.as_deref(), token.exp_date.as_ref())) {
            Some(token) => token.token_id.clone(),
            None => client
                .tokens()
                .create(new_token)
                .await?
                .into_value()
                .token_id
                .expect("a token that was made has an id"),
        };
    Ok(client.plans().create(&plan_of(token)?).await?.plan_key.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let sandbox = Sandbox::start().await?;
    let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
        .environment(sandbox.base_url().parse::<BaseUrl>()?)
        .build()?;

    let service = Arc::new(Service { client: client.clone(), turn: Mutex::new(()) });
    let service = Router::new().route("/sign-ups", post(sign_up)).with_state(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });

    let form = r#"{"member":"member-7","first_name":"Ada","last_name":"Byron","email":"ada@example.test",
        "card":"4111111111111111","exp_date":"1230","csc":"999","start_date":"2027-01-01"}"#;
    // A card that cannot be one is named, and nothing at all was sent.
    let answer = call(address, &form.replace("4111111111111111", "4111111111111112")).await?;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("card: must be a card number"), "{answer}");
    assert!(client.customers().search(&CustomerSearch::default()).next().await.is_none());

    // Each write is done, at once or later, and its response is lost or is an error. Each time the form is sent again.
    let effects = [
        Effect::DropReply,
        Effect::ErrorAfter { status: 500 },
        Effect::LateCommit { delay: Duration::from_millis(50) },
    ];
    for (effect, member) in effects.iter().zip(["member-7", "member-8", "member-9"]) {
        let form = form.replace("member-7", member);
        for operation in ["customers.create", "tokens.create", "plans.create"] {
            let before = made(&client).await?;
            sandbox.fault(&Fault::on(operation, effect.clone()).nth(1)).await?;
            let answer = call(address, &form).await?;
            assert!(answer.starts_with("HTTP/1.1 202"), "{operation}: {answer}");
            // "Some minutes later": when what was late is done.
            while made(&client).await? == before {}
        }
        let answer = call(address, &form).await?;
        println!("{answer}");
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        assert_eq!(call(address, &form).await?.lines().last(), answer.lines().last());
    }
    assert_eq!(made(&client).await?, [3, 3, 3]);

    // Thirteen months: each plan has charged twelve times, and is over. A member who comes back gets another plan.
    sandbox.advance("P13M").await?;
    let payments = client.payments().list(&PaymentSearch::default()).collect_all().await?;
    println!("{} payments of three members", payments.len());
    assert_eq!(payments.len(), 3 * 12);
    let answer = call(address, &form.replace("2027-01-01", "2028-02-01")).await?;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(made(&client).await?, [3, 3, 4]);
    serving.abort();
    Ok(())
}

/// The numbers of customers, tokens and plans.
async fn made(client: &Clearent) -> Result<[usize; 3], Error> {
    Ok([
        client.customers().search(&CustomerSearch::default()).collect_all().await?.len(),
        client.tokens().search(&TokenSearch::default()).collect_all().await?.len(),
        client.plans().search(&PlanSearch::default()).collect_all().await?.len(),
    ])
}

/// Posts a form and reads the whole response.
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

/// Holds: The example of a sign-up service runs.
#[test]
fn it_runs() {
    main().unwrap();
}
