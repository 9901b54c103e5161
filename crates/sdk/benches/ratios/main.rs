//! The cost of the library compared with code that a user would write by hand, as ratios within one run.
//!
//! Both sides of a row do the same work on the same bytes, in turns, so that other load on the machine affects both. A
//! row is the median of the ratios of all rounds. `cargo xtask bench` runs it; no result passes or fails.

mod server;

use std::{
    hint::black_box,
    io::Write as _,
    time::{Duration, Instant},
};

use perennial::{
    BaseUrl, Clearent, Format,
    clearent::{ApiKey, CustomerKey},
    transport::{Exchange, HyperExchange, ReqwestExchange},
};
use perennial_wire::{Limits, clearent::Reply};
use serde::{Deserialize, Serialize};

const ROUNDS: usize = 41;
const IN_FLIGHT: usize = 64;
const CALLS: usize = 256;

fn main() {
    if server::is_requested() {
        return server::run(JSON.as_bytes());
    }
    let reply =
        Reply::decode(Format::Json, JSON.as_bytes(), &Limits::default()).expect("the message is JSON");
    let xml = reply.encode(Format::Xml).expect("the message has no control characters");
    let by_hand: HandWritten = serde_json::from_str(JSON).expect("the message is JSON");

    print_row("", "ours", "by hand", "ratio", "aim");
    compare(
        "JSON decode, customer of 1 KB, beside serde_json derive",
        "<= 0.70",
        || drop(black_box(Reply::decode(Format::Json, black_box(JSON.as_bytes()), &Limits::default()))),
        || drop(black_box(serde_json::from_slice::<HandWritten>(black_box(JSON.as_bytes())))),
    );
    compare(
        "JSON encode of the same, beside serde_json::to_vec",
        "<= 0.60",
        || drop(black_box(black_box(&reply).encode(Format::Json))),
        || drop(black_box(serde_json::to_vec(black_box(&by_hand)))),
    );
    compare(
        "XML decode of the same, beside serde_json derive",
        "<= 1.3",
        || drop(black_box(Reply::decode(Format::Xml, black_box(&xml), &Limits::default()))),
        || drop(black_box(serde_json::from_slice::<HandWritten>(black_box(JSON.as_bytes())))),
    );
    compare(
        "XML encode of the same, beside serde_json::to_vec",
        "<= 1.0",
        || drop(black_box(black_box(&reply).encode(Format::Xml))),
        || drop(black_box(serde_json::to_vec(black_box(&by_hand)))),
    );
    calls();
}

/// Client CPU time of a call, compared with reqwest and `serde_json` used by hand: one thread, one server, with and without
/// TLS, 64 simultaneous calls or one after another, over each HTTP client.
fn calls() {
    rustls::crypto::ring::default_provider().install_default().expect("nobody else installs one");
    let server = server::Server::start();
    for scheme in ["http", "https"] {
        for in_flight in [IN_FLIGHT, 1] {
            let pem = server.pem.as_bytes();
            let reqwest =
                ReqwestExchange::builder().add_root_certificate(pem).build().expect("a certificate");
            let hyper = HyperExchange::builder().add_root_certificate(pem).build().expect("a certificate");
            call(&server, scheme, in_flight, ("reqwest", "<= 1.02"), reqwest);
            call(&server, scheme, in_flight, ("hyper", "<= 0.80"), hyper);
        }
    }
}

fn call(
    server: &server::Server,
    scheme: &str,
    in_flight: usize,
    (over, aim): (&str, &str),
    exchange: impl Exchange + 'static,
) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let key = "0123456789abcdef0123456789abcdef";
    let customer =
        CustomerKey::try_from("cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10").expect("the key is a key");
    let base = server.url(scheme);
    let url = format!("{base}/rest/v2/customers/{customer}");
    let client = Clearent::builder(ApiKey::new(key).expect("the key is a key"))
        .environment(base.parse::<BaseUrl>().expect("the server is on loopback"))
        .exchange(exchange)
        .build()
        .expect("the client is complete");
    let certificate = reqwest::Certificate::from_pem(server.pem.as_bytes()).expect("a certificate");
    let by_hand = reqwest::Client::builder().no_proxy().tls_certs_only([certificate]).build();
    let by_hand = by_hand.expect("the client is complete");

    let ours = || {
        runtime.block_on(calls_of(in_flight, || async {
            drop(black_box(client.customers().get(&customer).await.expect("the server answers")));
        }));
    };
    let theirs = || {
        runtime.block_on(calls_of(in_flight, || async {
            let answer = by_hand.get(&url).header("api-key", key).header("accept", "application/json").send();
            let body = answer.await.expect("the server answers").bytes().await.expect("the body arrives");
            drop(black_box(serde_json::from_slice::<HandWritten>(&body).expect("the body is JSON")));
        }));
    };
    let mut rounds: Vec<(Duration, Duration)> = Vec::new();
    for round in 0..ROUNDS {
        let (first, second) = (cpu(ours), cpu(theirs));
        if round >= 4 {
            rounds.push((first, second));
        }
    }
    let calls = u32::try_from(CALLS).expect("few calls");
    let name =
        format!("client CPU of a call over {over}, {scheme}, {in_flight} in flight, beside reqwest by hand");
    report(&name, aim, &rounds, calls);
}

async fn calls_of<F: Future<Output = ()>>(in_flight: usize, call: impl Fn() -> F) {
    let calls = (0..in_flight).map(|_| async {
        for _ in 0..CALLS / in_flight {
            call().await;
        }
    });
    futures_util::future::join_all(calls).await;
}

fn compare(name: &str, aim: &str, ours: impl Fn(), by_hand: impl Fn()) {
    const TIMES: u32 = 2_000;
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        for _ in 0..TIMES {
            work();
        }
        start.elapsed()
    };
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (time(&ours), time(&by_hand))).collect();
    report(name, aim, &rounds, TIMES);
}

fn report(name: &str, aim: &str, rounds: &[(Duration, Duration)], times: u32) {
    let median = |mut values: Vec<Duration>| {
        values.sort_unstable();
        values[values.len() / 2] / times
    };
    let ours = median(rounds.iter().map(|round| round.0).collect());
    let by_hand = median(rounds.iter().map(|round| round.1).collect());
    let mut ratios: Vec<u128> =
        rounds.iter().map(|(ours, by_hand)| ours.as_nanos() * 1_000 / by_hand.as_nanos().max(1)).collect();
    ratios.sort_unstable();
    let ratio = ratios[ratios.len() / 2];
    let ratio = format!("{}.{:02}", ratio / 1_000, ratio % 1_000 / 10);
    print_row(name, &format!("{ours:.2?}"), &format!("{by_hand:.2?}"), &ratio, aim);
}

fn print_row(name: &str, ours: &str, by_hand: &str, ratio: &str, aim: &str) {
    let mut out = std::io::stdout().lock();
    // The reader may close the pipe.
    let _ = writeln!(out, "{name:<80} {ours:>10} {by_hand:>10} {ratio:>6}  {aim}");
}

/// The CPU time that this process spends on the work, over all its threads.
fn cpu(work: impl Fn()) -> Duration {
    let before = cpu_time::ProcessTime::now();
    work();
    before.elapsed()
}

/// The shape of the response as a user would derive it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct HandWritten {
    code: String,
    status: Option<String>,
    exchange_id: String,
    #[serde(default)]
    links: Vec<HandWrittenLink>,
    payload: HandWrittenPayload,
}

#[derive(Serialize, Deserialize)]
struct HandWrittenPayload {
    customer: HandWrittenCustomer,
    #[serde(rename = "payloadType")]
    payload_type: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct HandWrittenCustomer {
    customer_key: String,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    comments: Option<String>,
    billing_address: Option<HandWrittenAddress>,
    shipping_address: Option<HandWrittenAddress>,
    links: Option<HandWrittenLinks>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct HandWrittenAddress {
    first_name: Option<String>,
    last_name: Option<String>,
    company: Option<String>,
    street: Option<String>,
    street2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
    country: Option<String>,
    phone: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct HandWrittenLinks {
    #[serde(default)]
    link: Vec<HandWrittenLink>,
}

#[derive(Serialize, Deserialize)]
struct HandWrittenLink {
    rel: String,
    href: String,
}

/// A customer as in the gateway's response to a create: the attested shape, invented values.
const JSON: &str = concat!(
    r#"{"code":"201","status":"success","exchange-id":"ID-clearent-rps-1-0b7c9d52-3a6e-4f0b-9a57-5f5e1f0f7a11","#,
    r#""links":[{"rel":"self","href":"https://gateway-sb.clearent.net/rest/v2/customers/cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10"}],"#,
    r#""payload":{"customer":{"customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10","first-name":"Ada","#,
    r#""last-name":"Byron","email":"ada@example.test","phone":"3145550100","comments":"prefers mornings","#,
    r#""billing-address":{"first-name":"Ada","last-name":"Byron","company":"Engine Works","street":"1 Loom Street","#,
    r#""street2":"Suite 2","city":"St Louis","state":"MO","zip":"63101","country":"United States","phone":"3145550100"},"#,
    r#""links":{"link":[{"rel":"self","href":"https://gateway-sb.clearent.net/rest/v2/customers/cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10"},"#,
    r#"{"rel":"payment-plans","href":"https://gateway-sb.clearent.net/rest/v2/payment-plans?customer-key=cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10"}]}},"#,
    r#""payloadType":"customer"}}"#,
);
