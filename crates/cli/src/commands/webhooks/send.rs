//! `perennial webhooks send`: a signed alert, for tests of a receiver.

use std::time::Instant;

use bytes::Bytes;
use clap::Args;
use http::Request;
use http::header::{CONTENT_TYPE, HeaderValue};
use perennial::clearent::webhook::Signer;
use perennial::clearent::{PlanKey, TransactionId};
use perennial::transport::Deadline;
use perennial::{Amount, BaseUrl};
use serde_json::json;

use super::SEED;
use crate::commands::criteria::key;
use crate::context::Global;
use crate::failure::Failure;
use crate::output::{Output, Record};

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The receiver: http on a literal loopback address
    #[arg(long, value_name = "URL", required_unless_present = "print_public_key")]
    url: Option<String>,
    /// Print the public key that verifies the alerts, and send nothing
    #[arg(long, conflicts_with_all = ["url", "transaction_id", "amount", "plan_key", "declined"])]
    print_public_key: bool,
    /// The text from which the key is made
    #[arg(long, value_name = "TEXT", default_value = SEED)]
    seed: String,
    /// The id of the transaction
    #[arg(long, value_name = "ID", default_value = "700001")]
    transaction_id: String,
    /// The amount
    #[arg(long, value_name = "AMOUNT", default_value = "50.00")]
    amount: String,
    /// The plan that made the transaction
    #[arg(long, value_name = "KEY")]
    plan_key: Option<String>,
    /// The result code of a decline, such as 012; without it, the transaction is approved
    #[arg(long, value_name = "CODE")]
    declined: Option<String>,
}

impl Send {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        global.refuse_gateway("webhooks send calls no gateway")?;
        let signer = Signer::from_seed(self.seed.as_bytes());
        if self.print_public_key {
            return Output::text(&format!("{}\n", signer.public_key()));
        }
        let url = loopback(self.url.as_deref().unwrap_or_default())?;
        let id: TransactionId = key("transaction-id", &self.transaction_id)?;
        let alert = self.alert(&id, key("amount", &self.amount)?)?;
        let alert = signer
            .sign(alert.to_string().as_bytes())
            .map_err(|_| Failure::Unexpected("the alert cannot be signed: report it"))?;
        let mut request = Request::post(url.as_str())
            .body(Bytes::from(alert))
            .map_err(|_| Failure::Unexpected("the URL cannot be called: report it"))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let deadline = Deadline::after(Instant::now(), global.deadline());
        let answer = global.exchange(|reqwest| reqwest)?.exchange(request, deadline).await;
        let status = answer.map_err(Failure::Undelivered)?.status();
        let sent = Record::default()
            .with("transaction-id", id.as_str())
            .with("url", url.as_str())
            .with("status", u64::from(status.as_u16()));
        global.output.record(&sent)?;
        if status.is_success() {
            return Ok(());
        }
        Err(Failure::Refused(format!("the receiver responded with {status}: it did not take the alert")))
    }

    /// The alert without its signature: the response to a transaction.
    fn alert(&self, id: &TransactionId, amount: Amount) -> Result<serde_json::Value, Failure> {
        let mut transaction = json!({
            "amount": amount.to_string(), "id": id.as_str(), "type": "SALE", "result": "APPROVED",
            "result-code": "000", "display-message": "Transaction approved",
        });
        if let Some(plan) = &self.plan_key {
            transaction["order-id"] = key::<PlanKey>("plan-key", plan)?.as_str().into();
            transaction["software-type"] = "Clearent Recurring Engine".into();
        }
        let (mut code, mut status, mut payload_type) = ("200", "success", "transaction");
        if let Some(declined) = &self.declined {
            (code, status, payload_type) = ("402", "fail", "errorTransaction");
            transaction["result"] = "DECLINED".into();
            transaction["result-code"] = declined.as_str().into();
            transaction["display-message"] = "Transaction declined".into();
        }
        Ok(json!({
            "code": code, "status": status, "exchange-id": "ID-clearent-cre-2-test",
            "payload": { "transaction": transaction, "payloadType": payload_type },
        }))
    }
}

/// The URL of a receiver on this machine.
fn loopback(text: &str) -> Result<BaseUrl, Failure> {
    let url: Option<BaseUrl> = text.parse().ok();
    // A URL with plain http names a loopback address.
    url.filter(|url| url.as_str().starts_with("http://")).ok_or_else(|| {
        let message =
            "--url must be http on a literal loopback address, without a query: http://127.0.0.1:8490/alerts";
        Failure::Usage(message.to_owned())
    })
}
