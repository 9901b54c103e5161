//! ClientPay's tree over real HTTP, in both versions, with the requests of its reference.

mod cards;
mod faults;
mod operations;
mod payers;
mod payments;
mod search;
mod secrets;
mod sessions;
mod strictness;
mod worlds;

use perennial_sandbox::{Sandbox, World};
use serde_json::{Value as Json, json};

use crate::client::{Client, Got};

/// A merchant's account of a world, with an access id.
pub(crate) struct Merchant {
    pub(crate) client: Client,
    credentials: Json,
    pub(crate) access_id: String,
}

impl Merchant {
    pub(crate) async fn of(sandbox: &Sandbox) -> Self {
        Self::open(Client::of(sandbox), &sandbox.clientpay()).await
    }

    async fn of_world(sandbox: &Sandbox, world: &World) -> Self {
        Self::open(Client::with_key(sandbox, world.api_key().expose()), &world.clientpay()).await
    }

    async fn open(client: Client, credentials: &perennial_domain::clientpay::Credentials) -> Self {
        let fields = credentials.fields();
        let credentials = json!({
            "integratorKey": fields.integrator_key.expose(),
            "accountKey": fields.account_key.expose(),
            "accountPin": fields.account_pin.expose(),
        });
        let got = client.send("POST", "/v2/token/accessid", &[JSON], credentials.to_string()).await;
        assert_eq!(got.status, 200, "{}", got.body);
        let access_id = got.at("/accessId");
        Self { client, credentials, access_id }
    }

    async fn send(&self, path: &str, body: &Json) -> Got {
        self.client.send("POST", path, &[JSON, ("accessId", &self.access_id)], body.to_string()).await
    }

    async fn request_id(&self) -> String {
        let got = self.send("/v2/token/requestid", &json!({})).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.at("/requestId")
    }

    /// Sends a call under a fresh request id.
    async fn keyed(&self, path: &str, body: &Json) -> Got {
        let mut body = body.clone();
        body["token"]["requestId"] = self.request_id().await.into();
        self.send(path, &body).await
    }

    async fn state(&self) -> Json {
        serde_json::from_str(&self.client.state().await).unwrap()
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// Operations of version 2 that a merchant's access id opens.
const UNDER_ACCESS_ID: &[&str] = &[
    "/v2/token/accessid/expire",
    "/v2/token/requestid",
    "/v2/paymentpage/invoice",
    "/v2/paymentpage/lineitem",
    "/v2/connect/paymentpage",
    "/v2/connect/search",
    "/v2/expirepage",
    "/v2/payment",
    "/v2/payment/refund",
    "/v2/paymentsearch/count",
    "/v2/paymentsearch/results",
    "/v2/payer",
    "/v2/payer/update",
    "/v2/payer/delete",
    "/v2/payer/paymentmethods",
    "/v2/payer/paymentmethods/update",
    "/v2/payer/payerpage",
];
