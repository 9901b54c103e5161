//! The gateways as the driver sees them: one attempt, and a look.

mod access;
pub(crate) mod access_request;
pub(crate) mod clearent;
pub(crate) mod clientpay;
pub(crate) mod clientpay_request;
pub(crate) mod request;

use std::time::Duration;

use async_trait::async_trait;
use perennial::transport::SendBy;

use crate::machine::{Answer, Intent, Look, Said};
use request::Full;

/// The operation key of a tenant's control customer, or its start. No other key starts with it.
pub(crate) const SENTINEL_KEY: &str = "perennial/control";

/// A gateway for one tenant.
#[async_trait]
pub(crate) trait Gateway: Send + Sync {
    /// Gets the single-use id under which the intent is sent. It is stored with the attempt before the attempt is made.
    /// `None` if the gateway has no such ids.
    async fn request_id(&self, _intent: &Intent) -> Result<Option<String>, NotIssued> {
        Ok(None)
    }
    /// The last moment at which the first byte of an attempt may leave that is decided now.
    fn send_by(&self, within: Duration) -> SendBy {
        SendBy::within(within)
    }
    /// Makes one attempt. Its first byte leaves by this moment or not at all. Without the whole request, the stored one
    /// is sent.
    async fn send(&self, intent: &Intent, full: Option<&Full>, send_by: SendBy) -> Answer;
    /// Reads the result of the intent. If nothing is found and the absence [may count](Intent::absence_may_count), the
    /// positive control of the tenant follows at once.
    async fn look(&self, intent: &Intent) -> Look;
}

/// The reason why there is no id for a request. Nothing is sent.
#[derive(Debug)]
pub(crate) struct NotIssued {
    pub(crate) reason: String,
    /// The wait before the next try.
    pub(crate) wait: Duration,
    /// Whether nothing more of the tenant is sent until a person says so.
    pub(crate) hold: bool,
}

/// No gateway: for decisions, which send nothing.
pub(crate) struct Nothing;

#[async_trait]
impl Gateway for Nothing {
    async fn send(&self, _intent: &Intent, _full: Option<&Full>, _send_by: SendBy) -> Answer {
        let said = Said::NotDone { reason: "no client".into(), wait: Duration::ZERO, hold: false };
        Answer { said, exchange_id: None }
    }

    async fn look(&self, _intent: &Intent) -> Look {
        Look::Failed("no client".into())
    }
}
