//! The messages on the wire, unmasked, with their card numbers.

use std::error::Error;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::clearent::ApiKey;
use perennial::transport::{Deadline, Exchange, ReqwestExchange, TransportError};
use perennial::{BaseUrl, Clearent, ClientPay, Format};
use perennial_sandbox::{Sandbox, World};

use crate::chapter::compact;

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// A world of a gateway, and clients whose messages are recorded.
pub(crate) struct Wire {
    pub(crate) client: Clearent,
    pub(crate) clientpay: ClientPay,
    pub(crate) world: World,
}

/// The recorded messages, in order.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) calls: Vec<String>,
    pub(crate) json: Vec<String>,
    pub(crate) xml: Vec<String>,
}

/// Runs it once in each format, and records the messages.
pub(crate) async fn listen(run: impl AsyncFn(Wire) -> Outcome) -> Heard {
    let heard = Arc::new(Mutex::new(Heard::default()));
    for format in [Format::Json, Format::Xml] {
        let sandbox = Sandbox::start().await.unwrap();
        let world = sandbox.world(7).await.unwrap();
        let url: BaseUrl = sandbox.base_url().parse().unwrap();
        let listening =
            || Listening { inner: ReqwestExchange::builder().build().unwrap(), heard: heard.clone() };
        let client = Clearent::builder(ApiKey::new(world.api_key().expose()).unwrap()).format(format);
        let client = client.environment(url.clone()).exchange(listening()).build().unwrap();
        let clientpay = ClientPay::builder(world.clientpay()).environment(url).exchange(listening());
        let clientpay = clientpay.build().unwrap();
        run(Wire { client, clientpay, world }).await.unwrap();
        // Only the port differs between runs.
        let mut heard = heard.lock().unwrap();
        let Heard { json, xml, .. } = &mut *heard;
        for body in json.iter_mut().chain(xml) {
            *body = body.replace(sandbox.base_url(), "http://127.0.0.1:8480");
        }
    }
    Arc::into_inner(heard).unwrap().into_inner().unwrap()
}

struct Listening {
    inner: ReqwestExchange,
    heard: Arc<Mutex<Heard>>,
}

impl Heard {
    fn hear(&mut self, body: &[u8]) {
        let body = String::from_utf8_lossy(body);
        match body.chars().next() {
            Some('<') => self.xml.push(compact("xml", &body)),
            Some(_) => self.json.push(compact("json", &body)),
            None => {}
        }
    }
}

#[async_trait]
impl Exchange for Listening {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        let call = format!("{} {}", request.method(), request.uri().path());
        let sent = request.body().clone();
        let answer = self.inner.exchange(request, deadline).await;
        let mut heard = self.heard.lock().unwrap();
        heard.calls.push(call);
        heard.hear(&sent);
        if let Ok(answer) = &answer {
            heard.hear(answer.body());
        }
        answer
    }
}
