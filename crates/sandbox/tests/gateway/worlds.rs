//! One key, one world.

use futures_util::{StreamExt, stream};
use perennial_domain::clearent::ApiKey;
use perennial_sandbox::{Sandbox, WorldOptions};
use tokio::sync::Mutex;

use crate::client::{Client, YEAR, http, plan};

/// All answers in a short life of a world, ports left out.
async fn transcript(sandbox: &Sandbox, key: &str) -> Vec<String> {
    let client = Client::with_key(sandbox, key);
    let (customer, token, plan) = client.subscriber().await;
    client.advance("P3M").await;
    let sale = format!(r#"{{"type":"SALE","card":"{token}","amount":"0.21"}}"#);
    let mut answers = vec![client.json("POST", "/rest/v2/transactions", &sale).await.body];
    for path in [
        format!("customers/{customer}"),
        format!("tokens/{token}"),
        format!("payment-plans/{plan}"),
        "payments".into(),
        "customers/none".into(),
    ] {
        answers.push(client.json("GET", &format!("/rest/v2/{path}"), "").await.body);
    }
    answers.push(client.state().await);
    answers.into_iter().map(|answer| answer.replace(sandbox.base_url(), "")).collect()
}

/// Holds: The same seed and the same calls give the same responses.
#[tokio::test]
async fn the_same_seed_gives_the_same_transcript() {
    let (one, other) = (Sandbox::start().await.unwrap(), Sandbox::start().await.unwrap());
    let create = async |sandbox: &Sandbox, seed: u64| {
        let client = Client::of(sandbox);
        client.control("POST", "worlds", &format!(r#"{{"seed":{seed}}}"#)).await.at("/api-key")
    };
    let key = create(&one, 7).await;
    let first = transcript(&one, &key).await;
    assert_eq!(create(&other, 7).await, key);
    assert_eq!(transcript(&other, &key).await, first);
    // Requested again, it starts afresh; a reset has the same effect.
    assert_eq!(create(&one, 7).await, key);
    assert_eq!(transcript(&one, &key).await, first);
    assert_eq!(Client::with_key(&one, &key).control("POST", "reset", "").await.status, 204);
    assert_eq!(transcript(&one, &key).await, first);
    let eight = create(&one, 8).await;
    assert_ne!(transcript(&one, &eight).await, first);
    insta::assert_snapshot!(first.join("\n"));
}

/// A short life of a world, call by call.
struct Life {
    client: Client,
    keys: [String; 3],
    answers: Vec<String>,
}

impl Life {
    /// The number of calls.
    const CALLS: usize = 5;

    async fn begin(http: &reqwest::Client, sandbox: &Sandbox, seed: u64) -> Self {
        let world = sandbox.world(seed).await.unwrap();
        let (base, key) = (sandbox.base_url().to_owned(), world.api_key().expose().to_owned());
        let client = Client { http: http.clone(), base, key };
        Self { client, keys: Default::default(), answers: Vec::new() }
    }

    async fn call(&mut self) {
        let [customer, token, _] = &self.keys;
        let (method, path, body) = match self.answers.len() {
            0 => ("POST", "rest/v2/customers", r#"{"first-name":"Ada","last-name":"Byron"}"#.into()),
            1 => {
                let card = r#""card":"4111111111111111","exp-date":"1230""#;
                ("POST", "rest/v2/tokens", format!(r#"{{{card},"customer-key":"{customer}"}}"#))
            }
            2 => ("POST", "rest/v2/payment-plans", plan(customer, token, YEAR)),
            3 => ("POST", "_sandbox/clock", r#"{"advance":"P2M"}"#.into()),
            _ => ("GET", "_sandbox/state", String::new()),
        };
        let got = self.client.json(method, &format!("/{path}"), &body).await;
        assert!(got.status < 300, "{}", got.body);
        let key_path = ["customer/customer-key", "tokenResponse/token-id", "payment-plan/plan-key"];
        if let Some(key_path) = key_path.get(self.answers.len()) {
            self.keys[self.answers.len()] = got.at(&format!("/payload/{key_path}"));
        }
        self.answers.push(got.body.replace(&self.client.base, ""));
    }
}

/// Holds: Each of a thousand interleaved worlds behaves as if it were alone.
#[tokio::test]
async fn a_thousand_worlds_interleaved_are_each_as_if_alone() {
    const WORLDS: u64 = 1_000;
    let http = http();
    let sandbox = Sandbox::start().await.unwrap();
    let mut lives = Vec::new();
    for seed in 0..WORLDS {
        lives.push(Mutex::new(Life::begin(&http, &sandbox, seed).await));
    }
    let mut order: Vec<usize> = (0..lives.len()).flat_map(|world| [world; Life::CALLS]).collect();
    fastrand::Rng::with_seed(7).shuffle(&mut order);
    let calls = stream::iter(order).map(async |world| lives[world].lock().await.call().await);
    calls.buffer_unordered(64).collect::<Vec<()>>().await;

    let sandbox = Sandbox::start().await.unwrap();
    for (seed, together) in (0..WORLDS).zip(lives) {
        let mut alone = Life::begin(&http, &sandbox, seed).await;
        for _ in 0..Life::CALLS {
            alone.call().await;
        }
        assert_eq!(together.into_inner().answers, alone.answers, "of the world of seed {seed}");
    }
}

/// Holds: Nothing of a world is visible from another.
#[tokio::test]
async fn worlds_do_not_see_each_other() {
    let sandbox = Sandbox::start().await.unwrap();
    let mine = Client::of(&sandbox);
    let theirs = Client::with_key(&sandbox, "0123456789abcdef0123456789abcdef");
    let (customer, token, plan) = mine.subscriber().await;
    for path in [format!("customers/{customer}"), format!("tokens/{token}"), format!("payment-plans/{plan}")]
    {
        assert_eq!(mine.json("GET", &format!("/rest/v2/{path}"), "").await.status, 200);
        assert_eq!(theirs.json("GET", &format!("/rest/v2/{path}"), "").await.status, 404);
    }
    assert_eq!(theirs.json("GET", "/rest/v2/customers", "").await.at("/page/total-elements"), "0");
    let before = theirs.state().await;
    mine.advance("P2M").await;
    assert_eq!(theirs.state().await, before);
    assert_eq!(theirs.control("GET", "clock", "").await.at("/mode"), "running");
    theirs.control("POST", "reset", "").await;
    assert_eq!(mine.json("GET", "/rest/v2/payments", "").await.at("/page/total-elements"), "2");
    let logged = theirs.control("GET", "requests", "").await.json();
    assert_eq!(logged.as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn which_keys_open_a_world() {
    let sandbox = Sandbox::start().await.unwrap();
    let known = "0123456789abcdef0123456789abcdef";
    let cases = [
        (Some(known), 200),
        (Some(" 0123456789abcdef0123456789abcdef "), 200),
        (Some("0123456789abcdef0123456789abcde"), 401),
        (Some("0123456789abcdef0123456789abcdeg"), 401),
        (Some("short"), 401),
        (Some(""), 401),
        (None, 401),
    ];
    for (key, status) in cases {
        let headers: Vec<(&str, &str)> = key.map(|key| ("Api-Key", key)).into_iter().collect();
        let got = Client::of(&sandbox).send("GET", "/rest/v2/customers", &headers, "").await;
        assert_eq!(got.status, status, "{key:?}");
        if status == 401 {
            assert_eq!(
                (got.at("/payload/error/result-code"), got.at("/payload/error/error-message")),
                ("042".into(), "Unauthorized".into())
            );
        }
    }
    for header in ["api_key", "AccessKey", "Authorization"] {
        let got = Client::of(&sandbox).send("GET", "/rest/v2/customers", &[(header, known)], "").await;
        assert_eq!(got.status, 401, "{header}");
    }
    assert_eq!(
        Client::of(&sandbox)
            .send("GET", &format!("/rest/v2/customers?api-key={known}"), &[], "")
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn with_keys_only_those() {
    let keys = ["merchant-number-one", "merchant-number-two"].map(|key| ApiKey::new(key).unwrap());
    let sandbox = Sandbox::builder().keys(keys).start().await.unwrap();
    assert_eq!(sandbox.api_key().expose(), "merchant-number-one");
    let requested = sandbox.new_world(WorldOptions::default()).await.unwrap();
    let cases = [
        ("merchant-number-one", 200),
        ("merchant-number-two", 200),
        ("merchant-number-three", 401),
        ("0123456789abcdef0123456789abcdef", 401),
        (requested.api_key().expose(), 200),
    ];
    for (key, status) in cases {
        let client = Client::with_key(&sandbox, key);
        assert_eq!(client.json("GET", "/rest/v2/customers", "").await.status, status, "{key}");
        assert_eq!(client.control("GET", "clock", "").await.status, status, "{key}");
    }
}

#[tokio::test]
async fn where_a_world_begins() {
    let frozen = "2026-05-05T05:05:05Z";
    let sandbox = Sandbox::builder().frozen_at(frozen.parse().unwrap()).start().await.unwrap();
    let opened = Client::with_key(&sandbox, "0123456789abcdef0123456789abcdef");
    assert_eq!(
        opened.control("GET", "clock", "").await.body,
        format!(r#"{{"mode":"frozen","now":"{frozen}"}}"#)
    );
    #[rustfmt::skip]
    let cases = [
        ("", 200, "2027-01-01T00:00:00Z"),
        ("{}", 200, "2027-01-01T00:00:00Z"),
        (r#"{"now":"2030-06-01T12:00:00Z"}"#, 200, "2030-06-01T12:00:00Z"),
        (r#"{"seed":18446744073709551615}"#, 200, "2027-01-01T00:00:00Z"),
        (r#"{"now":"June"}"#, 400, "now: must be a moment in RFC 3339 such as 2027-01-01T00:00:00Z"),
        (r#"{"seed":-1}"#, 400, "seed: must be a whole number from 0"),
        (r#"{"sed":1}"#, 400, "the body: has the member sed, which is not known here (did you mean seed?); there is seed, now and gateway"),
        (r#"{"now":7}"#, 400, "now: must be text"),
        ("[7]", 400, "the body: must be a JSON object"),
        ("seed=7", 400, "the body: must be a JSON object"),
    ];
    for (body, status, expected) in cases {
        let created = opened.control("POST", "worlds", body).await;
        assert_eq!(created.status, status, "{body}");
        if status == 400 {
            assert_eq!(created.at("/error"), expected);
            continue;
        }
        let shape = ["/api-key", "/integrator-key", "/account-key", "/account-pin"]
            .map(|member| created.at(member).len());
        assert_eq!(shape, [32, 36, 36, 6], "{}", created.body);
        let world = Client::with_key(&sandbox, &created.at("/api-key"));
        assert_eq!(world.control("GET", "clock", "").await.at("/now"), expected);
    }
}
