//! A gateway in memory: it records requests and sends the responses of a test.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::clearent::ApiKey;
use perennial::transport::{Deadline, Exchange, TransportError};
use perennial::{Clearent, ClearentBuilder, Environment, Format};
use perennial_wire::clearent::{Page, Payload, Reply};

pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const CARD: &str = "4111111111111111";
pub(crate) const CSC: &str = "9876";

type Say = dyn Fn(usize, &Request<Bytes>) -> Answer + Send + Sync;

pub(crate) type Answer = Result<Response<Bytes>, TransportError>;

/// Responds to each request with a function of the number of earlier requests.
pub(crate) struct Gateway {
    answer: Box<Say>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

impl Gateway {
    pub(crate) fn new(
        answer: impl Fn(usize, &Request<Bytes>) -> Answer + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), asked: Mutex::default() })
    }

    /// Responds with these, one after the other.
    pub(crate) fn script(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect::<std::collections::VecDeque<_>>());
        Self::new(move |_, _| answers.lock().unwrap().pop_front().expect("an answer for every request"))
    }

    pub(crate) fn asked(&self) -> Vec<Request<Bytes>> {
        self.asked.lock().unwrap().clone()
    }

    /// The calls in order, such as `POST /rest/v2/customers`.
    pub(crate) fn calls(&self) -> Vec<String> {
        let call = |request: &Request<Bytes>| format!("{} {}", request.method(), request.uri().path());
        self.asked().iter().map(call).collect()
    }

    pub(crate) fn builder(self: &Arc<Self>) -> ClearentBuilder {
        Clearent::builder(ApiKey::new(KEY).unwrap())
            .environment(Environment::Sandbox)
            .jitter(|upper| upper)
            .exchange(self.clone())
    }

    pub(crate) fn client(self: &Arc<Self>, format: Format) -> Clearent {
        self.builder().format(format).build().unwrap()
    }
}

#[async_trait]
impl Exchange for Gateway {
    async fn exchange(&self, request: Request<Bytes>, _: Deadline) -> Answer {
        let before = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.clone());
            asked.len() - 1
        };
        (self.answer)(before, &request)
    }
}

/// A response with these bytes.
#[expect(clippy::unnecessary_wraps, reason = "it is one of the things that a gateway may do")]
pub(crate) fn says(status: u16, body: impl Into<Bytes>) -> Answer {
    Ok(Response::builder().status(status).body(body.into()).unwrap())
}

/// A response in the vendor's envelope.
pub(crate) fn replies(format: Format, status: u16, payload: Payload) -> Answer {
    envelope(format, status, Reply { payload, ..Reply::default() })
}

/// A page of a list.
pub(crate) fn page(format: Format, page: Page, payload: Payload) -> Answer {
    envelope(format, 200, Reply { page: Some(page), payload, ..Reply::default() })
}

/// A response whose envelope has more members than the payload.
pub(crate) fn envelope(format: Format, status: u16, reply: Reply) -> Answer {
    let reply = Reply { code: Some(status), exchange_id: Some("ID-clearent-rps-1-0b7c9d52".into()), ..reply };
    let mut answer = says(status, reply.encode(format).unwrap())?;
    let content_type = format.content_type().parse().unwrap();
    answer.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
    Ok(answer)
}
