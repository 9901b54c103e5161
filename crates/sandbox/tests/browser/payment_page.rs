//! The payment page, in the steps of a payer: from its creation to its postbacks.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use crate::browser::Browser;

/// Answers every post with 200, and passes on the bodies.
fn listener() -> (SocketAddr, Receiver<Json>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (bodies, posted) = channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = Vec::new();
            let mut some = [0; 4096];
            let body = loop {
                let length = stream.read(&mut some).unwrap();
                request.extend_from_slice(&some[..length]);
                let text = String::from_utf8_lossy(&request).into_owned();
                if let Some((_, body)) = text.split_once("\r\n\r\n")
                    && let Ok(body) = serde_json::from_str(body)
                {
                    break body;
                }
            };
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            if bodies.send(body).is_err() {
                return;
            }
        }
    });
    (address, posted)
}

/// A session of the API.
struct Session<'a> {
    sandbox: &'a Sandbox,
    http: reqwest::Client,
    access_id: String,
}

impl<'a> Session<'a> {
    async fn open(sandbox: &'a Sandbox) -> Self {
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let mut session = Self { sandbox, http: reqwest::Client::new(), access_id: String::new() };
        let credentials = sandbox.clientpay();
        let fields = credentials.fields();
        let body = json!({
            "integratorKey": fields.integrator_key.expose(),
            "accountKey": fields.account_key.expose(),
            "accountPin": fields.account_pin.expose(),
        });
        session.access_id = text(&session.post("token/accessid", body).await, "accessId");
        session
    }

    async fn post(&self, path: &str, body: Json) -> Json {
        let request = self.http.post(format!("{}/v2/{path}", self.sandbox.base_url()));
        let request = request.header("accessId", &self.access_id).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// Creates a page and returns its URL.
    async fn page(&self, path: &str, mut body: Json) -> String {
        let id = text(&self.post("token/requestid", json!({})).await, "requestId");
        body["token"] = json!({ "requestId": id, "sessionId": "S-88213" });
        let page = self.post(path, body).await;
        let url = if path == "payer/payerpage" { "payerPageUrl" } else { "paymentPageUrl" };
        text(&page, url)
    }

    async fn payments(&self) -> Vec<Json> {
        let all = json!({ "criteria": { "field": 4, "operator": 5, "value": "2000-01-01" } });
        let found = json!({ "group": { "type": "and", "conditions": [all] } });
        self.post("paymentsearch/results", found).await["payments"].as_array().unwrap().clone()
    }
}

fn text(json: &Json, member: &str) -> String {
    json[member].as_str().unwrap_or_else(|| panic!("{member} is not in {json}")).to_owned()
}

fn invoices(hook: SocketAddr) -> Json {
    json!({
        "invoices": [
            { "invoiceNumber": "INV-70412", "invoiceDate": "2024-03-04", "dueDate": "2024-04-03", "tax": 190.5,
              "outstandingBalance": 2490.5, "clientName": "Harbor Tile <b>LLC</b>" },
            { "invoiceNumber": "INV-70413", "invoiceDate": "03/11/2024", "outstandingBalance": 880, "paymentAmount": 80, "editable": false },
        ],
        "nameOnAccount": "Rosa Lind",
        "billingAddress": { "addressLine1": "12 Quay Rd", "city": "Mobile", "state": "AL", "zipCode": "36602" },
        "pageOptions": { "headerText": "Pay Marsh & Oak LLP", "subheaderText": "Thank you", "footerText": "Questions? 555-0100" },
        "responseOptions": { "serverSideReturnAddress": format!("http://{hook}/hook") },
    })
}

async fn enter_card(browser: &Browser, number: &str) {
    browser.fill_in("#card-number", number).await;
    browser.fill_in("#card-expiry", "09/30").await;
    browser.fill_in("#card-code", "999").await;
}

/// Holds: A payer who is declined pays once with two clicks in a browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_is_declined_then_pays_once_with_two_clicks() {
    let sandbox = Sandbox::start().await.unwrap();
    let session = Session::open(&sandbox).await;
    let (hook, posted) = listener();
    let url = session.page("paymentpage/invoice", invoices(hook)).await;
    let browser = Browser::open().await;

    browser.go(&url).await;
    browser.shot("payment-page").await;
    assert_eq!(browser.text("h1").await, "Pay Marsh & Oak LLP");
    assert!(browser.text("tbody tr:first-child").await.contains("Harbor Tile <b>LLC</b>"));
    assert_eq!(browser.text("p.footer").await, "Questions? 555-0100");
    assert_eq!(browser.value("#amount-0").await, "2490.50");
    assert_eq!(browser.count("#amount-1").await, 0);
    assert!(!browser.is_visible("fieldset.echeck").await);

    // The entered values stay, except for the card.
    browser.fill_in("#amount-0", "2490.51").await;
    browser.fill_in("#state", "Alabama").await;
    enter_card(&browser, "4000300211112228").await;
    browser.press("Pay").await;
    assert_eq!(browser.text("#amount-0-problem").await, "Enter at most the balance, 2490.50.");
    assert!(browser.text("#state-problem").await.contains("two letters"));
    assert_eq!(
        (browser.value("#state").await, browser.value("#card-number").await),
        ("Alabama".into(), String::new())
    );
    browser.shot("payment-page-problems").await;

    browser.fill_in("#amount-0", "1,000").await;
    browser.fill_in("#state", "AL").await;
    enter_card(&browser, "4000300211112228").await;
    browser.press("Pay").await;
    assert!(browser.text("div.problem").await.contains("could not be processed"));
    assert!(!browser.text("main").await.contains("Do not Honor"));

    enter_card(&browser, "4000100011112224").await;
    browser.press_twice("Pay").await;
    assert!(browser.text("div.receipt").await.contains("$1080.00"), "{}", browser.text("main").await);
    browser.shot("payment-page-receipt").await;
    browser.go(&url).await;
    assert!(browser.text("div.receipt").await.contains("$1080.00"));

    let postbacks: Vec<Json> =
        (0..4).map(|_| posted.recv_timeout(Duration::from_secs(20)).unwrap()).collect();
    let statuses: Vec<_> = postbacks
        .iter()
        .map(|postback| {
            let status = postback["status"].as_str().or(postback["paymentStatus"].as_str()).unwrap();
            (status, postback["paymentPageUrlStatus"].as_str(), postback["paymentAmount"].as_f64())
        })
        .collect();
    assert_eq!(
        statuses,
        [
            ("Processing", None, None),
            ("Declined", Some("Active"), Some(1080.0)),
            ("Processing", None, None),
            ("Approved", Some("Completed"), Some(1080.0)),
        ]
    );
    assert_eq!(postbacks[3]["paymentPageUrl"], url);
    // The sample has them, also without values; and it has no reason for a decline.
    assert_eq!(postbacks[3].get("customerRefNumber"), Some(&Json::Null), "{}", postbacks[3]);
    assert_eq!(postbacks[1].get("message"), None);
    // The tax of a partly paid invoice is not known.
    assert_eq!(postbacks[3]["paymentTaxAmount"].as_f64(), Some(0.0));
    let payments = session.payments().await;
    let approved: Vec<_> = payments.iter().filter(|payment| payment["paymentStatus"] == "Approved").collect();
    assert_eq!((payments.len(), approved.len()), (2, 1), "{payments:?}");
    assert_eq!(approved[0]["requestID"], postbacks[3]["requestID"]);

    // The console shows both, and the link to the page.
    browser.go(&format!("{}/console", sandbox.base_url())).await;
    browser.fill_in("input[name=api-key]", sandbox.api_key().expose()).await;
    browser.press("Open").await;
    browser.follow("ClientPay").await;
    assert!(browser.text("main").await.contains("Do not Honor"));
    browser.shot("clientpay").await;
    browser.follow(payments[0]["requestID"].as_str().unwrap()).await;
    assert!(browser.text("div.receipt").await.contains("$1080.00"));

    // Only about the forms that were refused on purpose.
    let complaints = browser.complaints().await;
    assert!(complaints.iter().all(|text| text.contains("400") || text.contains("402")), "{complaints:?}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_script_and_on_a_phone_an_echeck_pays_items() {
    let sandbox = Sandbox::start().await.unwrap();
    let session = Session::open(&sandbox).await;
    let items = json!({
        "lineItems": [{ "paymentAmount": 750, "editable": false, "itemId": "R-19", "itemName": "Retainer" }],
        "lineItemTableLabels": { "itemIdLabel": "Ref" },
        "pageOptions": { "styling": "2", "hideCustomerHeaderLogo": false, "isPayerFacing": false, "enablePayerSaving": false },
    });
    let url = session.page("paymentpage/lineitem", items).await;
    let browser = Browser::open().await;
    browser.phone().await;
    browser.dark().await;
    browser.without_script().await;

    browser.go(&url).await;
    // A column without values is left out, and each cell has a label if there are no columns.
    assert_eq!(browser.count("thead th").await, 3);
    assert_eq!(browser.count("td[data-head=Ref]").await, 1);
    assert_eq!((browser.count("#email").await, browser.count(".logo").await), (0, 1));
    browser.open_first("#by-echeck").await;
    assert!(!browser.is_visible("fieldset.card").await);
    assert!(browser.text("p.echeck").await.contains("the payer has authorized"));
    browser.fill_in("#account-name", "Harbor Tile LLC").await;
    browser.fill_in("#routing-number", "021000021").await;
    browser.fill_in("#account-number", "5550001234").await;
    assert_eq!(browser.sideways().await, 0);
    browser.shot("payment-page-phone-dark").await;
    browser.press("Pay").await;
    assert!(browser.text("div.receipt").await.contains("$750.00"));
    assert_eq!(session.payments().await[0]["paymentMethodType"], 1);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_page_keeps_two_methods_of_a_new_payer() {
    let sandbox = Sandbox::start().await.unwrap();
    let session = Session::open(&sandbox).await;
    let (hook, posted) = listener();
    let options = json!({
        "pageOptions": { "headerText": "Your payment methods" },
        "responseOptions": { "serverSideReturnAddress": format!("http://{hook}/hook") },
    });
    let url = session.page("payer/payerpage", options).await;
    let browser = Browser::open().await;
    browser.go(&url).await;
    browser.shot("payer-page").await;
    browser.fill_in("#first-name", "Rosa").await;
    browser.fill_in("#email", "rosa@example.test").await;
    browser.fill_in("#card-name", "Rosa Lind").await;
    enter_card(&browser, "4000100011112224").await;
    browser.press("Save and add another").await;
    assert!(browser.text("div.kept").await.contains("ending in 2224, Rosa Lind, expires 09/30 (primary)"));
    browser.open_first("#by-echeck").await;
    browser.fill_in("#account-name", "Harbor Tile LLC").await;
    browser.fill_in("#routing-number", "021000021").await;
    browser.fill_in("#account-number", "5550001234").await;
    browser.press("Save").await;
    assert!(browser.text("div.receipt").await.contains("Nothing was charged"));
    let postback = posted.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(
        (postback["success"].as_bool(), postback["sessionID"].as_str()),
        (Some(true), Some("S-88213"))
    );
    assert_eq!(postback["paymentMethodIDs"].as_array().unwrap().len(), 2);

    // A page that names the payer offers the payer's methods.
    let body = json!({
        "lineItems": [{ "paymentAmount": 12.5 }], "lineItemTableLabels": {}, "payerOrPaymentMethodId": postback["payerID"],
    });
    browser.go(&session.page("paymentpage/lineitem", body).await).await;
    assert_eq!(browser.count("input[name=method]").await, 4);
    browser.press("Pay").await;
    assert!(browser.text("div.receipt").await.contains("$12.50"));
    browser.close().await;
}
