//! Payment pages: created by an API call, found by their request id, and usable without a script.
//!
//! The page checks the payer's input as the API would, and stores it except for the card. A page is paid once: a second
//! submission shows the receipt.

mod amounts;
mod fill;
mod pay;
mod payer;
mod view;

use std::sync::Arc;

use http::{Method, StatusCode};
use maud::Markup;
use perennial_domain::clientpay::{Card, CardFields, PageStatus, UsedRequestId};
use perennial_domain::{SecurityCode, Text};
use perennial_wire::clientpay::Operation;

use crate::call::execute;
use crate::clientpay::{self, firm, pages::Document};
use crate::fault::{Effect, Hit, stands_in};
use crate::form::Form;
use crate::gateway::Gateway;
use crate::issuer::outcome::Outcome;
use crate::requests::Exchange;
use crate::seed::{Seed, hex};
use crate::store::StoreError;
use crate::store::clientpay::page::{StoredPage, world_key_of_page};
use crate::store::session::Session;
use crate::store::world::WorldKey;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("postback.js");

/// A response, and the record of it for the request log.
pub(crate) struct PageResponse {
    pub(crate) response: HtmlResponse,
    /// The world that was called, and the exchange; `None` if the page was only viewed.
    pub(crate) exchange: Option<(i64, Exchange)>,
    /// The fault that hit the call.
    pub(crate) hit: Option<Hit>,
}

impl From<HtmlResponse> for PageResponse {
    fn from(response: HtmlResponse) -> Self {
        Self { response, exchange: None, hit: None }
    }
}

/// An HTML, style or script response to a browser.
pub(crate) struct HtmlResponse {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    /// Origins that may show this page in a frame, as a source of a policy.
    pub(crate) framed_by: String,
    /// The URL of a redirect.
    pub(crate) see: Option<String>,
}

/// A request that a browser makes.
pub(crate) struct BrowserRequest<'a> {
    pub(crate) method: &'a Method,
    /// The parts of the path after `/app`.
    pub(crate) segments: &'a [&'a str],
    pub(crate) body: &'a [u8],
    /// Scheme, host and port as the browser sees them.
    pub(crate) site: &'a str,
}

/// The content security policy: only our style sheet and the script of the postback.
pub(crate) fn policy(framed_by: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors {framed_by}"
    )
}

/// Answers a request for a page. A submitted page is a call like those of the API: faults hit it, and it is logged.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    request: BrowserRequest<'_>,
) -> Result<PageResponse, StoreError> {
    let BrowserRequest { method, segments, body, site } = request;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let id: Arc<str> = match segments {
        ["style.css"] if reads => return Ok(file("text/css; charset=utf-8", STYLE).into()),
        ["postback.js"] if reads => return Ok(file("text/javascript; charset=utf-8", SCRIPT).into()),
        ["api", id] => (*id).into(),
        _ => return Ok(missing().into()),
    };
    if !reads && *method != Method::POST {
        let message = "This page can be read and sent, and nothing else.";
        return Ok(problem(StatusCode::METHOD_NOT_ALLOWED, message).into());
    }
    let Some((world_key, kind)) = find(gateway, &id).await? else { return Ok(missing().into()) };
    let form = (!reads).then(|| Form::of(body));
    let names = |key: &str| *key == *id || stands_in(body, key);
    submit(gateway, world_key, &kind, &id, form, names, site).await
}

/// The world and the kind of a page.
async fn find(gateway: &Gateway, id: &Arc<str>) -> Result<Option<(WorldKey, String)>, StoreError> {
    let wanted = id.clone();
    gateway.store.run(move |connection| world_key_of_page(connection, &wanted)).await
}

/// Shows a page, or submits its form.
async fn submit(
    gateway: &Arc<Gateway>,
    world_key: WorldKey,
    kind: &str,
    id: &Arc<str>,
    form: Option<Form>,
    names: impl Fn(&str) -> bool,
    site: &str,
) -> Result<PageResponse, StoreError> {
    let form = form.map(Arc::new);
    let operation = if kind == "payerPage" { Operation::NewMethods } else { Operation::Pay }.name();
    // Who fills in a page has no access id.
    let may = |effect: &Effect| *effect != Effect::EvictAccessId;
    let hit = form.as_ref().and_then(|_| gateway.faults.hit(&world_key.hash, operation, may, names));
    let (site, any_card): (Arc<str>, _) = (site.into(), gateway.any_card);
    let done = execute(gateway, world_key, hit, || {
        let (id, site, form) = (id.clone(), site.clone(), form.clone());
        Box::new(move |session, decline| {
            let Some(page) = session.page(&id)? else { return Ok(missing()) };
            let Some(document) = Document::of(&page) else { return Ok(missing()) };
            let request =
                PageRequest { session, decline, page: &page, document: &document, site: &site, any_card };
            request.answer(form.as_deref())
        })
    })
    .await?;
    let Some(mut done) = done else { return Ok(missing().into()) };
    let exchange = form.map(|_| clientpay::exchange(gateway, operation, &done));
    let response = done.answer(fault, || fault(500));
    Ok(PageResponse { response, exchange, hit: done.hit })
}

/// The result of a payment on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PagePayment {
    /// The payment was approved, or the card was stored if the page only stores one. The page is complete.
    Approved,
    /// The payment was declined. The page stays open.
    Declined,
    /// Nothing was paid: the page is paid already or expired, or there is no page of this id.
    Closed,
    /// The page refused the form with this HTTP status: 400 if it does not accept the card, 403 if the form is out of
    /// date, or the status of a fault. A fault may have paid the page all the same.
    Refused(u16),
}

/// Pays a page with a card, as the browser of a payer does.
pub(crate) async fn pay(
    gateway: &Arc<Gateway>,
    site: &str,
    page: &UsedRequestId,
    card: &Card,
) -> Result<PagePayment, StoreError> {
    let id: Arc<str> = page.as_str().into();
    let Some((world_key, kind)) = find(gateway, &id).await? else { return Ok(PagePayment::Closed) };
    let wanted = id.clone();
    let open = gateway.with_world(world_key, move |session| {
        let page = session.page(&wanted)?;
        let is_open = page.is_some_and(|page| page.status(session.now) == PageStatus::ACTIVE);
        Ok(is_open.then(|| token(session.seed, &wanted)))
    });
    let Some(token) = open.await?.flatten() else { return Ok(PagePayment::Closed) };
    let CardFields { card_number, expiration_date, cardholder_name, cvv } = card.fields();
    let mut form = Form::default();
    let expiry = expiration_date.to_string();
    for (name, value) in [
        ("token", token.as_str()),
        ("method", "card"),
        ("card-number", card_number.expose()),
        ("card-expiry", &expiry),
        ("card-code", cvv.map(SecurityCode::expose).unwrap_or_default()),
        ("card-name", cardholder_name.map(Text::as_str).unwrap_or_default()),
    ] {
        form.set(name, value);
    }
    let PageResponse { response, .. } =
        submit(gateway, world_key, &kind, &id, Some(form), |key| *key == *id, site).await?;
    Ok(match response.status {
        StatusCode::SEE_OTHER => PagePayment::Approved,
        StatusCode::PAYMENT_REQUIRED => PagePayment::Declined,
        StatusCode::GONE | StatusCode::NOT_FOUND => PagePayment::Closed,
        status => PagePayment::Refused(status.as_u16()),
    })
}

/// The page that a fault shows instead.
fn fault(status: u16) -> HtmlResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    problem(status, "The page cannot be reached now. Look before you pay again: load it once more.")
}

/// A payer's request for a page.
struct PageRequest<'a> {
    session: &'a Session<'a>,
    /// The outcome that a fault forces on the charge.
    decline: Option<Outcome>,
    page: &'a StoredPage,
    document: &'a Document,
    site: &'a str,
    any_card: bool,
}

impl PageRequest<'_> {
    fn answer(&self, form: Option<&Form>) -> rusqlite::Result<HtmlResponse> {
        let status = self.page.status(self.session.now);
        if status == PageStatus::COMPLETED {
            // Whoever clicked twice sees the same receipt twice.
            return Ok(if form.is_some() {
                self.see()
            } else {
                self.render(StatusCode::OK, &self.receipt()?)
            });
        }
        if status != PageStatus::ACTIVE {
            return Ok(self.render(StatusCode::GONE, &view::expired()));
        }
        let stale = |form: &Form| form.text("token") != token(self.session.seed, &self.page.request_id);
        if form.is_some_and(stale) {
            return Ok(problem(
                StatusCode::FORBIDDEN,
                "This form is out of date: go back, load the page again, and send it once more.",
            ));
        }
        match self.document {
            Document::Payer(page) => self.save_methods(page, form),
            _ => self.pay(form),
        }
    }

    fn render(&self, status: StatusCode, content: &Markup) -> HtmlResponse {
        let branding = view::Branding::of(self.document.options(), firm::name(self.session.seed));
        let body = view::layout(&branding, content);
        HtmlResponse { framed_by: self.framed_by(), ..html(status, body) }
    }

    fn see(&self) -> HtmlResponse {
        let id = &self.page.request_id;
        let see = Some(format!("/app/api/{id}"));
        HtmlResponse { see, ..html(StatusCode::SEE_OTHER, String::new()) }
    }

    /// The origin of the page that may show this one in a frame, and that receives its messages.
    fn parent(&self) -> Option<String> {
        let options = self.document.response_options()?.fields();
        let is_enabled = options.enable_client_side_post_back.is_none_or(|flag| flag.0);
        let uri: http::Uri = options.client_side_return_address?.as_str().parse().ok()?;
        let (scheme, authority) = (uri.scheme_str()?.to_owned(), uri.authority()?.as_str());
        let plain = authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
        (is_enabled && plain).then(|| format!("{scheme}://{authority}"))
    }

    fn framed_by(&self) -> String {
        self.parent().unwrap_or_else(|| "'none'".into())
    }
}

/// The token in the form of a page, so that no other page can post it.
fn token(seed: Seed, request_id: &str) -> String {
    hex(&seed.derive(&format!("form {request_id}"), 0)[..16])
}

fn html(status: StatusCode, body: String) -> HtmlResponse {
    HtmlResponse {
        status,
        content_type: "text/html; charset=utf-8",
        body,
        framed_by: "'none'".into(),
        see: None,
    }
}

fn file(content_type: &'static str, body: &str) -> HtmlResponse {
    HtmlResponse { content_type, ..html(StatusCode::OK, body.to_owned()) }
}

pub(crate) fn problem(status: StatusCode, message: &str) -> HtmlResponse {
    html(status, view::problem(status, message))
}

fn missing() -> HtmlResponse {
    problem(StatusCode::NOT_FOUND, "There is no such page. Ask the sender for a new link.")
}
