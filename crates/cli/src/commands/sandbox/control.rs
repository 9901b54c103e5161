//! A client of the sandbox's control interface, `/_sandbox`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use perennial::clearent::ApiKey;
use perennial::keys::MerchantKey;
use perennial::transport::{Deadline, Exchange, auth};
use perennial::{BaseUrl, Environment};
use serde_json::Value as Json;

use crate::context::Global;
use crate::failure::Failure;

/// The maximum size of a response: a log of 500 requests, each with bodies of maximum size.
const LARGEST: usize = 512 * 1024 * 1024;

/// A running sandbox, and the key of a world.
pub(super) struct Control {
    exchange: Arc<dyn Exchange>,
    sandbox: BaseUrl,
    key: Option<ApiKey>,
    timeout: Duration,
}

impl Control {
    /// Creates a client for the world of the caller's key.
    pub(super) fn of(global: &Global) -> Result<Self, Failure> {
        Ok(Self { key: Some(global.api_key()?), ..Self::of_anyone(global)? })
    }

    /// Creates a client for calls that need no world.
    pub(super) fn of_anyone(global: &Global) -> Result<Self, Failure> {
        let exchange = global.exchange(|reqwest| reqwest.response_limit(LARGEST))?;
        Ok(Self { exchange, sandbox: global.sandbox()?, key: None, timeout: global.deadline() })
    }

    /// Creates a client for the world of a merchant's key.
    fn of_merchant(global: &Global, merchant: MerchantKey) -> Result<Self, Failure> {
        let MerchantKey { environment, key } = merchant;
        let is_here = matches!(&environment, Environment::Custom(url) if is_loopback(url));
        if !is_here {
            let message = "--clock sandbox takes the time of a sandbox on this machine: give its --base-url, such as \
                http://127.0.0.1:8480, or leave it out";
            return Err(Failure::Usage(message.to_owned()));
        }
        let exchange = global.exchange(|reqwest| reqwest)?;
        let sandbox = environment.clientpay_base_url().parse()?;
        Ok(Self { exchange, sandbox, key: Some(key), timeout: global.deadline() })
    }

    pub(super) async fn get(&self, call: &str) -> Result<Json, Failure> {
        self.call(Method::GET, call, Bytes::new()).await
    }

    pub(super) async fn post(&self, call: &str, body: &Json) -> Result<Json, Failure> {
        self.call(Method::POST, call, body.to_string().into()).await
    }

    pub(super) async fn delete(&self, call: &str) -> Result<Json, Failure> {
        self.call(Method::DELETE, call, Bytes::new()).await
    }

    async fn call(&self, method: Method, call: &str, body: Bytes) -> Result<Json, Failure> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}/_sandbox/{call}", self.sandbox.as_str())
            .parse()
            .map_err(|_| Failure::Unexpected("the sandbox's URL cannot be called"))?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json.clone());
        request.headers_mut().insert(ACCEPT, json);
        request.headers_mut().extend(self.key.as_ref().map(auth::api_key));

        let deadline = Deadline::after(Instant::now(), self.timeout);
        let look_up = look_up(request.method(), call);
        let answered = self.exchange.exchange(request, deadline).await;
        let answer = answered.map_err(|error| Failure::Unanswered { error, look_up })?;
        let document = match answer.body().as_ref() {
            [] => Ok(Json::Null),
            body => serde_json::from_slice::<Json>(body),
        };
        match (answer.status(), document) {
            (status, Ok(document)) if status.is_success() => Ok(document),
            (status, Ok(document)) if document["error"].is_string() => {
                let message = document["error"].as_str().unwrap_or_default().to_owned();
                Err(Failure::Sandbox { status, message })
            }
            _ => Err(Failure::Unexpected(
                "the response is not from a sandbox of this version: check --base-url",
            )),
        }
    }
}

/// The time of the world of these options.
pub(in crate::commands) async fn world_time(global: &Global) -> Result<DateTime<Utc>, Failure> {
    let clock = Control::of_merchant(global, global.merchant().await?)?.get("clock").await?;
    let now = clock["now"].as_str().and_then(|now| DateTime::parse_from_rfc3339(now).ok());
    Ok(now.ok_or(Failure::Unexpected("the sandbox tells no time: check --base-url"))?.to_utc())
}

/// Whether the host of a URL is a literal loopback address.
pub(in crate::commands) fn is_loopback(url: &BaseUrl) -> bool {
    let host = url.as_str().parse::<Uri>().ok().and_then(|url| url.host().map(str::to_owned));
    let host = host.as_deref().map(|host| host.trim_start_matches('[').trim_end_matches(']'));
    host.and_then(|host| host.parse::<IpAddr>().ok()).is_some_and(|address| address.is_loopback())
}

/// The command that shows whether a call that changes something was performed.
fn look_up(method: &Method, call: &str) -> Option<&'static str> {
    match call.split('/').next()? {
        _ if method == Method::GET => None,
        "faults" => Some("perennial sandbox fault list"),
        _ => Some("perennial sandbox clock"),
    }
}
