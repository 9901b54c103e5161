//! The Clearent and ClientPay gateways on loopback: durable, with a clock that makes plans charge, for tests.
//!
//! Embedded in a test, it listens on a free port and keeps everything in memory. Each key has its own world with its
//! own clock; the world that comes with a sandbox begins at 2027-01-01T00:00:00Z and is frozen until it is advanced.
//!
//! ```
//! use perennial_sandbox::Sandbox;
//!
//! # /*
//! #[tokio::test]
//! # */
//! async fn a_customer_is_kept() -> Result<(), Box<dyn std::error::Error>> {
//!     // A millisecond's work, so that each test can have its own.
//!     let sandbox = Sandbox::start().await?;
//!     // Pass this URL and this key to the code under test.
//!     let (url, key) = (sandbox.base_url(), sandbox.api_key().expose());
//!     let answer = reqwest::Client::new()
//!         .post(format!("{url}/rest/v2/customers"))
//!         .header("api-key", key)
//!         .header("content-type", "application/json")
//!         .body(r#"{"first-name":"Ada","last-name":"Byron"}"#)
//!         .send()
//!         .await?;
//!     assert_eq!(answer.status(), 201);
//!
//!     let fired = sandbox.advance("P1M").await?;
//!     assert_eq!((fired.now.to_string().as_str(), fired.fired), ("2027-02-01T00:00:00Z", 0));
//!     Ok(())
//! }
//! # let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
//! # tokio::runtime::Runtime::new().unwrap().block_on(a_customer_is_kept()).unwrap();
//! ```
//!
//! Tests that share a sandbox use a world each: [`Sandbox::new_world`] takes about twenty microseconds, and
//! [`World::snapshot`] saves a state from which several tests can begin.
//!
//! The sandbox responds to requests by these rules:
//!
//! * The rules are those of `perennial-domain`, applied as the live gateway applies them; all violations are reported
//!   at once (HTTP 400, result code 041). A request that breaks a business rule gets HTTP 402, an unknown object 404, a
//!   key that opens no world 401 with result code 042.
//! * A request is JSON or XML by its `Content-Type`, else by its first characters; `Accept` selects the format of the
//!   response.
//! * Only published test card numbers are accepted. Brand, last four digits and expiry of a card are stored; numbers
//!   and security codes never reach the database, the request log or the log. A card number in a name, an address or a
//!   comment is masked; in a member that identifies (an order, an invoice, a phone, an email) it is refused, and the
//!   error names the member.
//! * The amounts that the vendor lists as forcing an outcome do so, in sales and in payments of plans.
//! * Pages have 25 objects by default and at most 1,000; an unknown `order-by` is ignored.
//!
//! Where the vendor's documentation is silent, this is **inferred**: payments are made at 10:00 UTC; a plan is charged
//! from the first due day after it was created or changed; missed days are not charged later; a canceled plan is
//! archived 24 calendar months later: after that it is not found, while its payments are; a plan charges a token that
//! belongs to its customer; a deleted token declines with 010, an inactive one with 017, an expired one with 003.
//!
//! Transactions that move money are in a batch: approved sales, captures and refunds, not authorizations. The first one
//! opens it; it is settled by request (`PUT /rest/v2/batches/open`), else at the next 22:00 UTC (**inferred**). Until
//! then its transactions can be voided, afterwards refunded. A voided payment of a plan keeps the status `APPROVED`,
//! which is the result of its run; the void shows in its transaction. The tip of a charge in an open batch can be
//! changed (`PUT /rest/v2/transactions/{id}`, operation `transactions.update`).
//!
//! The issuer of every card checks address and security code by the tables of `docs/SANDBOX.md`, "Outcomes"; their
//! values are **inferred** from the simulator of the vendor's acquirer, except for the special values.
//!
//! The address is that of `billing`, else that of the token, unless the token was created with `avs-required` false;
//! without an address or a code, there is no result. The terminal can reject results (`PUT
//! /rest/v2/settings/terminal/avs` and `/csc`): it then voids at once a charge that the issuer approved with a rejected
//! result, declines it with 046 or 047, and keeps both; this includes payments of plans. It creates no token with such
//! an address (046, **inferred**).
//!
//! Duplicates are charged unless `POST /rest/v2/settings/transaction/duplicates` changes this, so that a test can
//! send equal charges. Then a charge of equal type and amount, on a card with equal last four digits,
//! within the window of the world's clock, gets the earlier one as response, with the message `Transaction previously
//! approved`, or is refused with 045. Only approved charges that were not voided count, and no payments of plans
//! (**inferred**). A world has one terminal, so `check-merchant-level` is stored and has no effect.
//!
//! Transactions are found for 90 days, as the vendor documents; this and other behavior that it leaves open are the
//! [`GatewayOptions`] of a world.
//!
//! A [`Fault`] makes chosen calls fail: errors before and after the commit, replies that are dropped, late, cut, slow
//! or garbage, calls that are executed twice or later, stale reads, rate limits and declines.
//!
//! `GET /_sandbox/openapi.json` returns the tree as an `OpenAPI` document, derived from the tables that the sandbox
//! runs on, for people and for programs that generate clients.
//!
//! The control interface under `/_sandbox` (worlds, clock, faults, state, snapshot, restore, reset, requests) is for
//! tests in other languages. In Rust, a [`Sandbox`] creates worlds, and a [`World`] advances its clock, sets faults,
//! returns its state, restores its snapshots and resets itself; the request log, and switching a clock between frozen
//! and running, are available over HTTP only.

mod builder;
mod call;
mod clearent;
mod clientpay;
mod clock;
mod connections;
mod console;
mod control;
mod credentials;
mod delivery;
mod engine;
mod fault;
mod faulty_body;
mod form;
mod gateway;
mod issuer;
mod mask;
mod members;
mod nearest;
mod openapi;
mod options;
mod page_text;
mod payment_page;
mod processor;
mod public_key;
mod requests;
mod seed;
mod server;
mod spool;
mod store;
mod webhook;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use perennial_domain::clearent::ApiKey;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use builder::{SandboxBuilder, StartError};
pub use clock::{ClockError, Moment, Period};
pub use delivery::{Delivery, DeliveryOutcome, WebhookUrlError};
pub use fault::{Effect, EffectKind, EffectMember, Fault, FaultError, RetryAfter, StandingFault};
pub use gateway::{Fired, WorldOptions};
pub use options::{DeclineRetries, GatewayMember, GatewayOptions, OptionsError, PlanChargeOrderId};
pub use payment_page::PagePayment;
pub use store::StoreError;

use crate::store::world::WorldKey;
use clock::ClockChange;
use delivery::Endpoint;
use gateway::{Gateway, NoSnapshot};

/// A gateway that listens until it is stopped or dropped.
pub struct Sandbox {
    address: SocketAddr,
    base_url: String,
    gateway: Arc<Gateway>,
    world: World,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox in memory, on a free port of 127.0.0.1.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Returns a builder for a sandbox with options.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    /// The base URL, without a path: `http://127.0.0.1:8480`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The address on which the sandbox listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key of the world that comes with the sandbox: the first configured key, else the key of a fresh world; a
    /// database file keeps it across starts.
    pub fn api_key(&self) -> &ApiKey {
        self.world.api_key()
    }

    /// Advances the world that comes with the sandbox; see [`World::advance`].
    pub async fn advance(&self, period: &str) -> Result<Fired, WorldError> {
        self.world.advance(period).await
    }

    /// The ClientPay merchant account of the world that comes with the sandbox. Its customer has equal
    /// credentials.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = perennial_sandbox::Sandbox::start().await?;
    /// assert_eq!(sandbox.clientpay().fields().account_pin.expose().len(), 6);
    /// # Ok(()) }
    /// ```
    pub fn clientpay(&self) -> perennial_domain::clientpay::Credentials {
        self.world.clientpay()
    }

    /// Pays a ClientPay page with a card, as the browser of its payer does. The page may be of any world; it is not in
    /// the request log. Postbacks are sent after that, as after a payment in a browser.
    ///
    /// ```
    /// use perennial_domain::clientpay::Card;
    /// use perennial_sandbox::{PagePayment, Sandbox};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999").build()?;
    /// let unknown = "0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11".parse()?;
    /// assert_eq!(sandbox.pay_page(&unknown, &card).await?, PagePayment::Closed);
    /// # Ok(()) }
    /// ```
    pub async fn pay_page(
        &self,
        page: &perennial_domain::clientpay::UsedRequestId,
        card: &perennial_domain::clientpay::Card,
    ) -> Result<PagePayment, StoreError> {
        payment_page::pay(&self.gateway, &self.base_url, page, card).await
    }

    /// Sets a fault in the world that comes with the sandbox; see [`World::fault`].
    pub async fn fault(&self, fault: &Fault) -> Result<String, WorldError> {
        self.world.fault(fault).await
    }

    /// Returns the faults that are set in the world that comes with the sandbox; see [`World::faults`].
    pub async fn faults(&self) -> Result<Vec<StandingFault>, WorldError> {
        self.world.faults().await
    }

    /// Clears all faults of the world that comes with the sandbox; see [`World::clear_faults`].
    pub async fn clear_faults(&self) -> Result<(), WorldError> {
        self.world.clear_faults().await
    }

    /// The public key of the sandbox's own world, as in [`World::webhook_key`]: it verifies alerts, and exchanges a
    /// card for a one-time token.
    pub async fn webhook_key(&self) -> Result<String, WorldError> {
        self.world.webhook_key().await
    }

    /// Creates the world of this seed, or restarts it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (one, other) = (perennial_sandbox::Sandbox::start().await?, perennial_sandbox::Sandbox::start().await?);
    /// assert_eq!(one.world(7).await?.api_key().expose(), other.world(7).await?.api_key().expose());
    /// # Ok(()) }
    /// ```
    pub async fn world(&self, seed: u64) -> Result<World, WorldError> {
        self.new_world(WorldOptions { seed: Some(seed), ..WorldOptions::default() }).await
    }

    /// Creates a world.
    ///
    /// # Errors
    ///
    /// [`WorldError::Options`] if the gateway options are invalid; nothing is changed.
    pub async fn new_world(&self, options: WorldOptions) -> Result<World, WorldError> {
        options.gateway.check()?;
        let credentials = self.gateway.make_world(&options).await?;
        Ok(World::of(self.gateway.clone(), credentials))
    }

    /// Waits until the database fails, for example because the disk is full, and returns the error.
    ///
    /// After that nothing more can be stored: pending requests get HTTP 503, and new ones are refused. All earlier
    /// requests with a response are in the file. Requests with the response 503 are not executed, unless the system
    /// failed while it flushed their commit to the disk: then the next start shows which of them were executed.
    pub async fn failed(&self) -> StoreError {
        self.gateway.store.ended().await
    }

    /// Refuses new requests, finishes pending ones, and closes the database.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // The task ends by itself; it panics on a defect only, which was logged.
            let _ = task.await;
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.gateway.store.close();
    }
}

/// A handle to a world of a running sandbox.
pub struct World {
    gateway: Arc<Gateway>,
    credentials: credentials::Credentials,
    key: WorldKey,
}

impl World {
    fn of(gateway: Arc<Gateway>, credentials: credentials::Credentials) -> Self {
        let key = clearent::key_with(&credentials.api_key);
        Self { gateway, credentials, key }
    }

    /// The API key of the world.
    pub fn api_key(&self) -> &ApiKey {
        &self.credentials.api_key
    }

    /// The ClientPay merchant account of the world. Its customer has equal credentials.
    #[expect(clippy::missing_panics_doc, reason = "what is derived of a seed is well formed")]
    pub fn clientpay(&self) -> perennial_domain::clientpay::Credentials {
        let credentials::Credentials { api_key: _, integrator_key, account_key, account_pin } =
            &self.credentials;
        perennial_domain::clientpay::Credentials::builder()
            .integrator_key(integrator_key.as_str())
            .account_key(account_key.as_str())
            .account_pin(account_pin.as_str())
            .build()
            .expect("UUIDs and digits are credentials")
    }

    /// Advances the clock by a period of ISO 8601 (`P1M`, `P1Y2M10D`, `P1DT12H`), and returns after all payments due by
    /// then are made, in order.
    pub async fn advance(&self, period: &str) -> Result<Fired, WorldError> {
        self.change_clock(ClockChange::Advance(period.parse()?)).await
    }

    /// Advances the clock to a moment in RFC 3339, or through the payments of a day (`2027-03-01`).
    pub async fn advance_to(&self, moment_or_day: &str) -> Result<Fired, WorldError> {
        self.change_clock(ClockChange::to(moment_or_day)?).await
    }

    /// Takes a snapshot of the world, clock included, and returns the id with which [`restore`](Self::restore) brings
    /// it back. A snapshot lasts as long as the database: a reset keeps it, restarting the world by its seed drops it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = perennial_sandbox::Sandbox::start().await?;
    /// let world = sandbox.world(7).await?;
    /// let (before, id) = (world.state().await?, world.snapshot().await?);
    /// world.advance("P10Y").await?;
    /// let now = world.restore(&id).await?;
    /// assert_eq!((now.to_string().as_str(), world.state().await?), ("2027-01-01T00:00:00Z", before));
    /// # Ok(()) }
    /// ```
    pub async fn snapshot(&self) -> Result<String, WorldError> {
        Ok(self.gateway.snapshot(self.key).await?.ok_or(StoreError::Closed)?)
    }

    /// Restores the world from a snapshot, and returns the time of its clock. After that, equal calls have equal
    /// results: they get the keys, ids and times that they got before. The snapshot stays, and so does the
    /// request log. A running clock is again as far ahead of the machine's as it was.
    ///
    /// # Errors
    ///
    /// [`WorldError::NoSnapshot`] if the world has no snapshot of this id; nothing is changed.
    pub async fn restore(&self, id: &str) -> Result<Moment, WorldError> {
        let restored = self.gateway.restore(self.key, id.to_owned()).await?;
        let (now, _) = restored.ok_or(StoreError::Closed)?.map_err(|NoSnapshot| WorldError::NoSnapshot)?;
        Ok(now)
    }

    /// Removes the world with its snapshots, faults and request log. Its key may then open a new one, if keys may.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = perennial_sandbox::Sandbox::start().await?;
    /// let world = sandbox.world(7).await?;
    /// world.advance("P1M").await?;
    /// world.delete().await?;
    /// assert_eq!(sandbox.world(7).await?.advance("P1D").await?.now.to_string(), "2027-01-02T00:00:00Z");
    /// # Ok(()) }
    /// ```
    pub async fn delete(self) -> Result<(), WorldError> {
        Ok(self.gateway.delete(self.key).await?.ok_or(StoreError::Closed)?)
    }

    /// Sets a fault, and returns the id that the request log uses for it.
    ///
    /// Faults are test equipment and not part of the world: they are kept in memory and not in snapshots, and a
    /// reset clears them.
    ///
    /// # Errors
    ///
    /// [`WorldError::Fault`] if the fault is invalid; nothing is changed.
    pub async fn fault(&self, fault: &Fault) -> Result<String, WorldError> {
        fault.check()?;
        Ok(self.gateway.set_fault(self.key, fault.clone()).await?.ok_or(StoreError::Closed)?)
    }

    /// Returns the faults that are set, oldest first.
    pub async fn faults(&self) -> Result<Vec<StandingFault>, WorldError> {
        Ok(self.gateway.faults(self.key).await?.ok_or(StoreError::Closed)?)
    }

    /// Clears all faults. Faults that are set later have other ids.
    pub async fn clear_faults(&self) -> Result<(), WorldError> {
        self.gateway.clear_faults(self.key, None).await?.ok_or(StoreError::Closed)?;
        Ok(())
    }

    /// Sends an alert about each later transaction of the world, and the pending alerts, to this URL: `http` to a
    /// literal loopback address, as in `http://127.0.0.1:9000/hook`.
    ///
    /// An alert is sent after the commit of its transaction, outside the call that made it; a move of the clock returns
    /// after all due alerts were sent. [`deliveries`](Self::deliveries) returns the results.
    ///
    /// # Errors
    ///
    /// [`WorldError::Webhook`] if the URL is invalid; nothing is changed.
    pub async fn webhook(&self, url: &str) -> Result<(), WorldError> {
        let _: Endpoint = url.parse()?;
        self.gateway.set_webhook(self.key, url.to_owned()).await?.ok_or(StoreError::Closed)?;
        Ok(())
    }

    /// Sends no more alerts, and drops pending ones.
    pub async fn remove_webhook(&self) -> Result<(), WorldError> {
        Ok(self.gateway.remove_webhook(self.key).await?.ok_or(StoreError::Closed)?)
    }

    /// The public key that verifies the alerts of the world, in the vendor's form: 248 hexadecimal digits. It is
    /// derived from the seed of the world.
    pub async fn webhook_key(&self) -> Result<String, WorldError> {
        Ok(self.gateway.webhook(self.key, 0).await?.ok_or(StoreError::Closed)?.public_key)
    }

    /// Returns the attempts to deliver alerts, newest first by due time.
    pub async fn deliveries(&self) -> Result<Vec<Delivery>, WorldError> {
        let webhook = self.gateway.webhook(self.key, usize::MAX).await?;
        Ok(webhook.ok_or(StoreError::Closed)?.deliveries)
    }

    /// Empties the world and restarts it from its initial state, without faults. Its snapshots stay.
    pub async fn reset(&self) -> Result<(), WorldError> {
        Ok(self.gateway.reset(self.key).await?.ok_or(StoreError::Closed)?)
    }

    /// Returns the whole world except its request log, as JSON: equal worlds have equal bytes.
    pub async fn state(&self) -> Result<String, WorldError> {
        let state = self.gateway.with_world(self.key, |session| session.state()).await?;
        Ok(String::from_utf8(state.ok_or(StoreError::Closed)?).unwrap_or_default())
    }

    async fn change_clock(&self, change: ClockChange) -> Result<Fired, WorldError> {
        let result = self.gateway.change_clock(self.key, change).await?;
        Ok(result.ok_or(StoreError::Closed)??)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World(..)")
    }
}

/// An error of an operation on a world.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// The clock cannot move to the target.
    #[error("the moment {0}")]
    Clock(#[from] ClockError),
    /// The fault is invalid.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The gateway options are invalid.
    #[error("the gateway's {0}")]
    Options(#[from] OptionsError),
    /// The URL of the webhook is invalid.
    #[error("the URL {0}")]
    Webhook(#[from] WebhookUrlError),
    /// The world has no such snapshot.
    #[error("the world has no snapshot of this id")]
    NoSnapshot,
    /// The sandbox cannot use the database, or is stopped.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The example in the package's README, compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
