//! The console over plain HTTP: everything is escaped, every link has a target, and no form works from another page.

use std::collections::BTreeSet;

use perennial_sandbox::Sandbox;

use crate::client::{Client, Got, YEAR, plan};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}";

/// A browser that does not follow redirects.
struct Browser {
    client: Client,
    token: String,
}

impl Browser {
    async fn open(sandbox: &Sandbox) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        crate::client::http();
        let client = Client { http: http.build().unwrap(), ..Client::of(sandbox) };
        let page = client.send("GET", "/console", &[], "").await.body;
        let token =
            page.split(r#"name="token" value=""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { client, token }
    }

    async fn get(&self, path: &str) -> Got {
        self.client.send("GET", path, &[], "").await
    }

    async fn post(&self, path: &str, form: &str) -> Got {
        self.post_from(&self.client.base.clone(), path, &format!("token={}&{form}", self.token)).await
    }

    async fn post_from(&self, origin: &str, path: &str, form: &str) -> Got {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin)];
        self.client.send("POST", path, &headers, form).await
    }

    /// The pages of the world that comes with the sandbox.
    async fn world(&self) -> String {
        let opened = self.post("/console/open", &format!("api-key={}", self.client.key)).await;
        assert_eq!(opened.status, 303, "{}", opened.body);
        opened.headers["location"].to_str().unwrap().to_owned()
    }
}

/// Fills a world with objects of every kind, under hostile names.
async fn fill(client: &Client) {
    let body = format!(
        r#"{{"first-name":{name},"last-name":"Byron","email":"ada@example.test","phone":"3145550100","comments":{name}}}"#,
        name = serde_json::Value::from(HOSTILE)
    );
    let customer =
        client.json("POST", "/rest/v2/customers", &body).await.at("/payload/customer/customer-key");
    let token = client.token(&customer).await;
    let named = plan(&customer, &token, YEAR).replace("Gold", "<b>Gold");
    assert_eq!(client.json("POST", "/rest/v2/payment-plans", &named).await.status, 201);
    let ordered = r#"{"type":"SALE","card":"4111111111111111","exp-date":"1230","amount":"5.00","order-id":"O-1","description":"4111111111111111"}"#;
    assert_eq!(client.json("POST", "/rest/v2/transactions", ordered).await.status, 200);
    // There is no listener, and the console says so.
    client.control("PUT", "webhook", r#"{"url":"http://127.0.0.1:1/hook"}"#).await;
    client.advance("P2M").await;
    client
        .control(
            "POST",
            "faults",
            r#"{"operation":"transactions.sale","effect":{"kind":"decline","result-code":"012"}}"#,
        )
        .await;
    client.advance("P1M").await;
    client.control("POST", "snapshot", "").await;
    client.json("GET", "/rest/v2/customers/%3Cscript%3E", "").await;
}

/// Holds: Each page of the console shows values as text, loads nothing from elsewhere and shows no card
/// number.
#[tokio::test]
async fn every_link_leads_to_a_page_that_is_safe() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser::open(&sandbox).await;
    fill(&browser.client).await;
    let world = browser.world().await;
    let mut seen = BTreeSet::new();
    let mut left = vec!["/console".to_owned(), world];
    while let Some(path) = left.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let got = browser.get(&path).await;
        assert_eq!(got.status, 200, "{path}");
        assert_eq!(got.headers["content-security-policy"], POLICY, "{path}");
        assert_eq!(got.headers["x-content-type-options"], "nosniff", "{path}");
        let page = got.body;
        for secret in [browser.client.key.as_str(), "4111111111111111"] {
            assert!(!page.contains(secret), "{path}");
        }
        for (left, right) in [("<script", "&lt;script"), ("<b>Gold", "&lt;b&gt;Gold"), ("style=", "")] {
            assert!(!page.contains(left), "{path} has {left}, not {right}");
        }
        if path.ends_with("/webhook") {
            assert!(
                page.contains("http://127.0.0.1:1/hook") && page.matches("<td>3</td>").count() > 1,
                "{page}"
            );
        }
        let links =
            page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
        left.extend(links.filter(|link| link.starts_with("/console")));
    }
    let of = |part: &str| seen.iter().any(|path| path.contains(part));
    assert!(seen.len() > 12, "{seen:?}");
    assert!(
        of("/customers/cust_") && of("/plans/plan_") && of("transactions?id=") && of("style.css"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_plan_shows_its_year() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser::open(&sandbox).await;
    fill(&browser.client).await;
    let world = browser.world().await;
    let plans = browser.get(&format!("{world}/plans")).await.body;
    let plan = plans.split("/plans/plan_").nth(1).unwrap().split('"').next().unwrap();
    let page = browser.get(&format!("{world}/plans/plan_{plan}")).await.body;
    let count = |class: &str| page.matches(&format!("<li class=\"{class}\"")).count();
    assert_eq!(["approved", "declined", "expected", "without"].map(count), [2, 1, 9, 0]);
    for total in [">100.00<", ">50.00<", ">450.00<", ">550.00<"] {
        assert!(page.contains(total), "{total} is not in {page}");
    }
}

#[tokio::test]
async fn forms_change_the_world_and_say_what_is_wrong() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser::open(&sandbox).await;
    let world = browser.world().await;
    #[rustfmt::skip]
    let cases = [
        ("clock", "advance=P1M", 303, ""),
        ("clock", "to=2027-03-15", 303, ""),
        ("clock", "to=2027-01-01", 400, "must not be before the world&#39;s clock"),
        ("clock", "advance=soon", 400, "must be an ISO 8601 period"),
        ("clock", "mode=fast", 400, "must be a day such as"),
        ("clock", "", 400, "must be a day such as"),
        ("clock", "mode=frozen", 303, ""),
        ("snapshot", "", 303, ""),
        ("restore", "id=snap_none", 400, "no such snapshot"),
        ("faults", "operation=plans.create&kind=error-before&status=503&nth=1", 303, ""),
        ("faults", "operation=plans.create&kind=error-before&status=200", 400, "effect.status: must be from 400 to 599"),
        ("faults", "operation=plans.create&kind=delay&delay-ms=soon", 400, "effect.delay-ms: must be a whole number"),
        ("faults", "operation=nothing&kind=delay&delay-ms=1", 400, "operation: must be one that this sandbox serves"),
        ("faults", "operation=plans.get&kind=error-before&status=503&delay-ms=5", 303, ""),
        ("faults/clear", "", 303, ""),
        ("webhook", "url=http%3A%2F%2F127.0.0.1%3A9%2Fhook", 303, ""),
        ("webhook", "url=http://evil.example/", 400, "url: must name the loopback by its address"),
        ("webhook", "", 400, "url: must be a URL"),
        ("nothing", "", 404, "no such page"),
    ];
    for (page, form, status, message) in cases {
        let got = browser.post(&format!("{world}/{page}"), form).await;
        // Quotes need no escaping in text.
        let body = got.body.replace('\'', "&#39;");
        assert!(got.status == status && body.contains(message), "{page} {form}: {} {}", got.status, got.body);
    }
    assert_eq!(browser.client.control("GET", "clock", "").await.at("/now"), "2027-03-15T10:00:00Z");
    let url = async || browser.client.control("GET", "webhook", "").await.at("/url");
    assert_eq!(url().await, "http://127.0.0.1:9/hook");
    assert_eq!(browser.post(&format!("{world}/webhook/remove"), "").await.status, 303);
    assert_eq!(url().await, "");
    let page =
        browser.post(&format!("{world}/faults"), "operation=plans.get&kind=delay&delay-ms=soon").await.body;
    assert!(
        page.contains(r#"value="soon""#) && page.contains(r#"<option value="plans.get" selected>"#),
        "{page}"
    );
}

/// The text of a page between its tags.
fn words(page: &str) -> String {
    let texts = page.split('>').skip(1).filter_map(|part| part.split('<').next());
    texts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn pages_say_whom_and_how_much() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser::open(&sandbox).await;
    fill(&browser.client).await;
    let (world, key) = (browser.world().await, browser.client.key.clone());
    #[rustfmt::skip]
    let cases: &[(&str, &[&str])] = &[
        // The axis, a month with its year, and a decline with its mark.
        ("", &["0.00 10.00 20.00 30.00 40.00 50.00", "01 2027", "✗", "2027-03: 0.00 received, 50.00 declined, 0.00 expected"]),
        ("plans", &["Customer", "Byron"]),
        ("payments", &["Customer", "Byron"]),
        ("transactions", &["Customer", "Byron"]),
        ("customers", &["Byron"]),
        ("requests", &["Time Status Method Path Operation ms Fault", "GET", "customers.get"]),
        ("faults", &["This effect has none.", "result-code"]),
        ("clientpay", &["Payments"]),
    ];
    for (page, expected) in cases {
        let got = words(&browser.get(format!("{world}/{page}").trim_end_matches('/')).await.body);
        for text in *expected {
            assert!(got.contains(text), "{page}: no {text:?} in {got}");
        }
        assert!(!got.contains('\u{202e}'), "{page} has a mark of direction");
    }
    // Each world's seed, the end of its key, and the number of its objects.
    let worlds = words(&browser.get("/console").await.body);
    let line = format!("…{}", &key[key.len() - 4..]);
    let heads = "World API key Seed Clock Customers Tokens Plans Payments Transactions ClientPay Requests";
    assert!(worlds.contains(&line) && worlds.contains(heads), "{worlds}");
    assert!(!worlds.contains(&key), "the key itself is not shown");
    let style = browser.get("/console/style.css").await.body;
    assert!(style.contains(".set:has(option[value=delay]:checked) label.of-delay-ms"), "{style}");
}

/// Holds: A form that another page posts to the console changes nothing.
#[tokio::test]
async fn forms_of_other_pages_do_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let browser = Browser::open(&sandbox).await;
    let world = browser.world().await;
    let clock = format!("{world}/clock");
    let own = browser.client.base.clone();
    let with_token = format!("token={}&advance=P1M", browser.token);
    for (origin, form) in [
        (own.as_str(), "advance=P1M"),
        (own.as_str(), "token=&advance=P1M"),
        ("http://evil.example", with_token.as_str()),
        ("null", with_token.as_str()),
    ] {
        assert_eq!(browser.post_from(origin, &clock, form).await.status, 403, "{origin} {form}");
    }
    assert_eq!(browser.client.control("GET", "clock", "").await.at("/now"), "2027-01-01T00:00:00Z");
    for method in ["PUT", "DELETE", "PATCH"] {
        let got = browser.client.send(method, &clock, &[], &*with_token).await;
        assert_eq!(
            (got.status, &got.headers["allow"]),
            (405, &"GET, HEAD, POST".parse().unwrap()),
            "{method}"
        );
    }
    for key in ["", "short", "no key"] {
        let opened = browser.post("/console/open", &format!("api-key={key}")).await;
        assert_eq!(opened.status, 400, "{key}");
    }
}
