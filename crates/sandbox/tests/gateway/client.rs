//! A client that is independent of the workspace's own.

use perennial_sandbox::{GatewayOptions, Sandbox};
use reqwest::Method;
use serde_json::Value as Json;

/// A world of a sandbox, and a client for it.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) key: String,
}

/// An answer.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        Self::with_key(sandbox, sandbox.api_key().expose())
    }

    pub(crate) fn with_key(sandbox: &Sandbox, key: &str) -> Self {
        Self { http: http(), base: sandbox.base_url().to_owned(), key: key.to_owned() }
    }

    /// Sends any request, and adds only the host and the length.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Got {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body: Vec<u8> = body.into();
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, body: response.text().await.unwrap() }
    }

    /// Sends a JSON call with the key.
    pub(crate) async fn json(&self, method: &str, path: &str, body: &str) -> Got {
        let json = "application/json";
        let headers = [("api-key", self.key.as_str()), ("content-type", json), ("accept", json)];
        self.send(method, path, &headers, body).await
    }

    /// Sends an XML call with the key.
    pub(crate) async fn xml(&self, method: &str, path: &str, body: &str) -> Got {
        let xml = "application/xml";
        let headers = [("api-key", self.key.as_str()), ("content-type", xml), ("accept", xml)];
        self.send(method, path, &headers, body).await
    }

    pub(crate) async fn control(&self, method: &str, call: &str, body: &str) -> Got {
        self.json(method, &format!("/_sandbox/{call}"), body).await
    }

    /// Advances the clock and returns the numbers of payments: all, approved, declined.
    pub(crate) async fn advance(&self, period: &str) -> (u64, u64, u64) {
        let got = self.control("POST", "clock", &format!(r#"{{"advance":"{period}"}}"#)).await;
        assert_eq!(got.status, 200, "{}", got.body);
        let json = got.json();
        let count = |name: &str| json[name].as_u64().unwrap();
        (count("fired"), count("approved"), count("declined"))
    }

    pub(crate) async fn state(&self) -> String {
        self.control("GET", "state", "").await.body
    }

    pub(crate) async fn customer(&self) -> String {
        let got =
            self.json("POST", "/rest/v2/customers", r#"{"first-name":"Ada","last-name":"Byron"}"#).await;
        assert_eq!(got.status, 201, "{}", got.body);
        got.at("/payload/customer/customer-key")
    }

    pub(crate) async fn token(&self, customer: &str) -> String {
        let body = format!(
            r#"{{"card":"4111111111111111","exp-date":"1230","csc":"999","customer-key":"{customer}"}}"#
        );
        let got = self.json("POST", "/rest/v2/tokens", &body).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.at("/payload/tokenResponse/token-id")
    }

    /// Creates a plan of this customer with these members in addition to those that every plan has.
    pub(crate) async fn plan(&self, customer: &str, token: &str, members: &str) -> String {
        let got = self.json("POST", "/rest/v2/payment-plans", &plan(customer, token, members)).await;
        assert_eq!(got.status, 201, "{}", got.body);
        got.at("/payload/payment-plan/plan-key")
    }

    /// Creates a customer with a token and an active plan of 50.00 on each 15th of 2027.
    pub(crate) async fn subscriber(&self) -> (String, String, String) {
        let customer = self.customer().await;
        let token = self.token(&customer).await;
        let plan = self.plan(&customer, &token, YEAR).await;
        (customer, token, plan)
    }
}

/// The members of a plan that charges 50.00 on each 15th of 2027.
pub(crate) const YEAR: &str =
    r#""frequency-day":"15","start-date":"2027-01-01","end-date":"2027-12-31","payment-amount":"50.00""#;

pub(crate) fn plan(customer: &str, token: &str, members: &str) -> String {
    format!(
        r#"{{"plan-name":"Gold","customer-key":"{customer}","token-id":"{token}","frequency":"MONTHLY",{members}}}"#
    )
}

impl Got {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The text at a JSON pointer, empty if there is none.
    pub(crate) fn at(&self, pointer: &str) -> String {
        match self.json().pointer(pointer) {
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// The text of the first element of this name.
    pub(crate) fn element(&self, name: &str) -> String {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let Some((_, rest)) = self.body.split_once(&open) else { return String::new() };
        rest.split_once(&close).map(|(text, _)| text.to_owned()).unwrap_or_default()
    }

    /// The payload type, in either format.
    pub(crate) fn payload_type(&self) -> String {
        if self.body.starts_with('<') {
            let (_, rest) = self.body.split_once(r#"<payload type=""#).unwrap_or_default();
            rest.split_once('"').map(|(word, _)| word.to_owned()).unwrap_or_default()
        } else if self.body.is_empty() {
            String::new()
        } else {
            self.at("/payload/payloadType")
        }
    }
}

/// Options of a gateway that keeps transactions longer than any test looks back.
pub(crate) fn for_ever() -> GatewayOptions {
    GatewayOptions { retention: "P100Y".parse().unwrap(), ..GatewayOptions::default() }
}

/// A runtime for properties, which are not async functions.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A client. In a build of the whole workspace reqwest has TLS and needs a provider for it, even for plain HTTP.
pub(crate) fn http() -> reqwest::Client {
    // A provider that another test installed is equally good.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}
