//! The result of an operation: an answer, or a refusal in the vendor's words.

use http::StatusCode;
use perennial_domain::Violations;
use perennial_domain::clearent::{CustomerKey, Link, PlanKey, TokenId};
use perennial_wire::clearent::{GatewayError, Operation, Page, Payload, ReadError, Reply};

use crate::clock::Moment;
use crate::issuer::outcome::Outcome;
use crate::mask;

/// An answer before it has its envelope.
pub(super) struct Answer {
    pub(super) status: u16,
    links: Vec<Link>,
    page: Option<Page>,
    payload_type: Option<&'static str>,
    payload: Payload,
}

impl Answer {
    pub(super) fn ok(payload: Payload) -> Self {
        Self { status: 200, links: Vec::new(), page: None, payload_type: None, payload }
    }

    pub(super) fn created(payload: Payload) -> Self {
        Self { status: 201, ..Self::ok(payload) }
    }

    pub(super) fn page(payload: Payload, page: Page) -> Self {
        Self { page: Some(page), ..Self::ok(payload) }
    }

    /// An answer with an empty body.
    pub(super) fn nothing() -> Self {
        Self { status: 204, ..Self::ok(Payload::Empty) }
    }

    /// A list that answers 204 if nothing was found, as the searches of tokens and transactions do.
    pub(super) fn page_or_nothing(payload: Payload, page: Page) -> Self {
        if page.total_elements == Some(0) { Self::nothing() } else { Self::page(payload, page) }
    }

    /// A transaction that was not approved.
    pub(super) fn declined(status: u16, payload: Payload) -> Self {
        Self { status, payload_type: Some("errorTransaction"), ..Self::ok(payload) }
    }

    pub(super) fn with_link(mut self, link: Link) -> Self {
        self.links.push(link);
        self
    }

    pub(super) fn reply(self, success: &str, exchange_id: String) -> Reply {
        let Self { status, links, page, payload_type, payload } = self;
        Reply {
            code: Some(status),
            status: Some(if status < 400 { success } else { "fail" }.into()),
            exchange_id: Some(exchange_id),
            links,
            page,
            payload_type: payload_type.map(str::to_owned),
            payload,
            ..Reply::default()
        }
    }
}

/// A request that changes nothing, and the reason. Its text names fields and rules, never a value.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(super) status: u16,
    code: &'static str,
    message: String,
}

impl Refused {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The request is well formed, but the business rules forbid it.
    pub(super) fn business(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(402, code, message)
    }

    /// The object of the path does not exist. The message names customers; for plans the vendor gives only this text.
    pub(super) fn unknown_customer(key: &CustomerKey) -> Self {
        Self::new(404, "041", format!("Customer not found: {}", mask::text(key.as_str())))
    }

    pub(super) fn unknown_object() -> Self {
        Self::new(404, "041", "Object not found")
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "042", "Unauthorized")
    }

    /// An error whose only cause is a fault.
    pub(super) fn fault(status: u16) -> Self {
        let code = if status < 500 { "041" } else { "050" };
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        Self::new(status, code, reason.unwrap_or("Error"))
    }

    pub(super) fn reply(self, exchange_id: String, now: Moment) -> Reply {
        let Self { status, code, message } = self;
        let error = GatewayError {
            message: Some(message),
            result_code: Some(code.into()),
            time_stamp: Some(now.stamp()),
        };
        Answer { status, ..Answer::ok(Payload::Error(error)) }.reply("", exchange_id)
    }
}

impl From<Violations> for Refused {
    fn from(violations: Violations) -> Self {
        Self::new(400, "041", violations.to_string())
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Decode(error) => Self::new(400, "041", error.to_string()),
            ReadError::InvalidRequest(violations) => violations.into(),
        }
    }
}

/// The reason why an operation has no answer.
#[derive(Debug)]
pub(crate) enum CallError {
    Refused(Refused),
    Store(rusqlite::Error),
}

impl From<rusqlite::Error> for CallError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for CallError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Violations> for CallError {
    fn from(violations: Violations) -> Self {
        Self::Refused(violations.into())
    }
}

/// The context of an action.
pub(super) struct Site<'a> {
    /// Scheme, host and port of the gateway as the caller sees them; links use them.
    pub(super) url: &'a str,
    /// The outcome that a fault forces on the charge of the call.
    pub(super) decline: Option<Outcome>,
}

impl Site<'_> {
    fn link(&self, rel: &str, path: &str) -> Link {
        Link { rel: rel.into(), href: format!("{}{path}", self.url), id: None }
    }

    pub(super) fn customer(&self, rel: &str, key: &CustomerKey) -> Link {
        self.link(rel, &Operation::GetCustomer.path_of(key.as_str()))
    }

    pub(super) fn plans_of(&self, key: &CustomerKey) -> Link {
        self.link("payment-plans", &format!("{}?customer-key={key}", Operation::SearchPlans.path()))
    }

    pub(super) fn plan(&self, rel: &str, key: &PlanKey) -> Link {
        self.link(rel, &Operation::GetPlan.path_of(key.as_str()))
    }

    pub(super) fn token(&self, rel: &str, id: &TokenId) -> Link {
        self.link(rel, &Operation::GetToken.path_of(id.as_str()))
    }

    pub(super) fn avs_settings(&self, rel: &str) -> Link {
        self.link(rel, Operation::GetAvsSettings.path())
    }

    pub(super) fn csc_settings(&self, rel: &str) -> Link {
        self.link(rel, Operation::GetCscSettings.path())
    }
}
