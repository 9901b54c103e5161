//! Chromium and its driver, as far as the tests need them, and a world for them to look at.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

/// The variable with the folder of screenshots, which `cargo xtask screenshots` sets.
const SCREENSHOTS: &str = "PERENNIAL_SCREENSHOTS";

pub(crate) struct Browser {
    driver: Child,
    client: Client,
    /// The folder of the browser's files.
    _profile: tempfile::TempDir,
}

/// Ends the driver, so that a failing test leaves nothing running.
impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    pub(crate) async fn open() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("chromedriver does not start ({error}): `cargo xtask test` installs it")
            });
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("started successfully on port")).unwrap();
        let port: u16 = line.trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap();
        // The driver stops when its output is no longer read.
        std::thread::spawn(move || lines.for_each(drop));

        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1200,1000",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client = ClientBuilder::new(connector)
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|error| {
                panic!("chromium does not start ({error}): `cargo xtask test` installs it")
            });
        Self { driver, client, _profile: profile }
    }

    pub(crate) async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn address(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    async fn element(&self, css: &str) -> Element {
        self.client
            .wait()
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Clicks an element that leads to another page, and waits until that page is there.
    async fn leave_by(&self, element: Element) {
        let old = self.element("html").await;
        element.click().await.unwrap();
        // The old page's elements are gone when the new one is loaded.
        while old.is_displayed().await.is_ok() {}
        self.element("main").await;
    }

    pub(crate) async fn follow(&self, link: &str) {
        let found = self.client.wait().for_element(Locator::LinkText(link)).await;
        self.leave_by(found.unwrap_or_else(|error| panic!("{link}: {error}"))).await;
    }

    /// Clicks a button twice, before its page is left.
    pub(crate) async fn press_twice(&self, button: &str) {
        let old = self.element("html").await;
        let script = "const b = [...document.querySelectorAll('button')].find(b => b.textContent.trim() === arguments[0]); \
                      b.click(); b.click();";
        self.client.execute(script, vec![button.into()]).await.unwrap();
        while old.is_displayed().await.is_ok() {}
        self.element("main").await;
    }

    /// The value of a field.
    pub(crate) async fn value(&self, css: &str) -> String {
        self.element(css).await.prop("value").await.unwrap().unwrap_or_default()
    }

    pub(crate) async fn is_visible(&self, css: &str) -> bool {
        self.element(css).await.is_displayed().await.unwrap()
    }

    /// Whether a page shows everything without running a script.
    pub(crate) async fn without_script(&self) {
        self.developer("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    }

    pub(crate) async fn press(&self, button: &str) {
        let named = format!("//button[normalize-space()='{button}']");
        let found = self.client.wait().for_element(Locator::XPath(&named)).await;
        self.leave_by(found.unwrap_or_else(|error| panic!("{button}: {error}"))).await;
    }

    pub(crate) async fn fill_in(&self, css: &str, text: &str) {
        let input = self.element(css).await;
        input.clear().await.unwrap();
        input.send_keys(text).await.unwrap();
    }

    pub(crate) async fn choose(&self, css: &str, value: &str) {
        let option = self.element(css).await;
        option.select_by_value(value).await.unwrap();
    }

    pub(crate) async fn open_first(&self, css: &str) {
        self.element(css).await.click().await.unwrap();
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.element(css).await.text().await.unwrap()
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    /// Presses Tab, and returns the focused element.
    pub(crate) async fn tab(&self) -> String {
        let tab = char::from(Key::Tab);
        let keys = KeyActions::new("keyboard".into())
            .then(KeyAction::Down { value: tab })
            .then(KeyAction::Up { value: tab });
        self.client.perform_actions(keys).await.unwrap();
        self.script("return document.activeElement.textContent.trim()")
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    async fn script(&self, script: &str) -> Json {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// The number of pixels by which a page is wider than the screen.
    pub(crate) async fn sideways(&self) -> i64 {
        let root = "document.documentElement";
        self.script(&format!("return {root}.scrollWidth - {root}.clientWidth")).await.as_i64().unwrap()
    }

    pub(crate) async fn background(&self) -> String {
        let color = self.script("return getComputedStyle(document.body).backgroundColor").await;
        color.as_str().unwrap().to_owned()
    }

    /// Sets the screen to the width of a phone.
    pub(crate) async fn phone(&self) {
        let screen = json!({ "width": 375, "height": 812, "deviceScaleFactor": 2, "mobile": true });
        self.developer("Emulation.setDeviceMetricsOverride", screen).await;
    }

    pub(crate) async fn dark(&self) {
        let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        self.developer("Emulation.setEmulatedMedia", dark).await;
    }

    async fn developer(&self, command: &str, parameters: Json) {
        let call = Vendor("goog/cdp/execute", json!({ "cmd": command, "params": parameters }));
        self.client.issue_cmd(call).await.unwrap();
    }

    /// Messages in the browser's console: errors, and violations of the page's policy.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Vendor("se/log", json!({ "type": "browser" }))).await.unwrap();
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// Takes a picture of the page, on request.
    pub(crate) async fn shot(&self, name: &str) {
        let Some(folder) = std::env::var_os(SCREENSHOTS) else { return };
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
    }

    pub(crate) async fn close(self) {
        self.client.clone().close().await.unwrap();
    }
}

/// A command of the driver's own: its path in the session, and its body.
#[derive(Debug)]
struct Vendor(&'static str, Json);

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.1.to_string()))
    }
}

pub(crate) struct Filled {
    pub(crate) customer: String,
    pub(crate) plan: String,
}

/// A subscriber with a plan of 50.00 on each 15th of 2027.
pub(crate) async fn fill(sandbox: &Sandbox) -> Filled {
    let customer =
        r#"{"first-name":"Ada","last-name":"Byron","email":"ada@example.test","phone":"3145550100"}"#;
    let customer = call(sandbox, "customers", customer.into()).await.1;
    let customer = text(&customer, "/payload/customer/customer-key");
    let token = format!(
        r#"{{"card":"4111111111111111","exp-date":"1230","csc":"999","description":"business card","customer-key":"{customer}"}}"#
    );
    let token = call(sandbox, "tokens", token).await.1;
    let plan = format!(
        r#"{{"plan-name":"Gold membership","customer-key":"{customer}","token-id":"{}","frequency":"MONTHLY","frequency-day":"15",
        "start-date":"2027-01-01","end-date":"2027-12-31","payment-amount":"50.00","status":"ACTIVE"}}"#,
        text(&token, "/payload/tokenResponse/token-id")
    );
    let plan = call(sandbox, "payment-plans", plan).await.1;
    Filled { customer, plan: text(&plan, "/payload/payment-plan/plan-key") }
}

/// The status of a sale.
pub(crate) async fn sale(sandbox: &Sandbox) -> u16 {
    let sale = r#"{"type":"SALE","amount":"10.00","card":"4111111111111111","exp-date":"1230","csc":"999"}"#;
    call(sandbox, "transactions/sale", sale.into()).await.0
}

async fn call(sandbox: &Sandbox, path: &str, body: String) -> (u16, Json) {
    // A provider that another test installed is equally good.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let request = reqwest::Client::new().post(format!("{}/rest/v2/{path}", sandbox.base_url()));
    let request =
        request.header("api-key", sandbox.api_key().expose()).header("content-type", "application/json");
    let response = request.body(body).send().await.unwrap();
    (response.status().as_u16(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

fn text(json: &Json, pointer: &str) -> String {
    json.pointer(pointer)
        .and_then(Json::as_str)
        .unwrap_or_else(|| panic!("{pointer} is not in {json}"))
        .to_owned()
}
