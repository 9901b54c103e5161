//! One HTTP exchange with a payment gateway, made safe.
//!
//! An [`Exchange`] carries one request and brings one whole response back. A [`Sender`] turns it into a call: it decides
//! which calls may be retried after which failures (by the table [`decide`]), waits between attempts, and ends by
//! the [`Deadline`] with an [`Answer`] or with a [`CallError`] that says whether the gateway may have acted. This crate
//! contains no message and no resource, and its output never shows a key, a card number or a body.
//!
//! Any HTTP stack can be the exchange:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use async_trait::async_trait;
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use perennial_transport::{Call, Deadline, Exchange, RetryClass, Sender, TransportError};
//!
//! /// A gateway that is always well.
//! struct Healthy;
//!
//! #[async_trait]
//! impl Exchange for Healthy {
//!     async fn exchange(
//!         &self,
//!         request: Request<Bytes>,
//!         _deadline: Deadline,
//!     ) -> Result<Response<Bytes>, TransportError> {
//!         Ok(Response::new(format!("{} is well", request.uri().path()).into()))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sender = Sender::new(Arc::new(Healthy));
//! let answer = sender
//!     .send(Call {
//!         request: Request::get("https://gateway.example/health").body(Bytes::new())?,
//!         route: "/health",
//!         retry_class: RetryClass::Safe,
//!         is_own: |answer| answer.body().ends_with(b"is well"),
//!         deadline: sender.deadline_in(Duration::from_secs(30)),
//!     })
//!     .await?;
//! assert_eq!(answer.response().body(), "/health is well");
//! assert_eq!(answer.attempts(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! * `reqwest` (default): `ReqwestExchange`, HTTPS over reqwest, rustls with ring, and the Mozilla roots compiled in.
//!   It accounts for most of the build time of this crate; without it, no HTTP client and no TLS is compiled, and you
//!   supply your own [`Exchange`].
//! * `hyper`: `HyperExchange`, the same over hyper alone: the same guarantees and errors with about forty crates fewer,
//!   and HTTP/1.1 only.
//! * `http2`: offers HTTP/2 to the gateway as well as HTTP/1.1, with reqwest. Off by default, because the gateways gain nothing from
//!   it and its parser is one more to trust. It adds the `h2` crate.
//! * `testing`: the module `testing`, with exchanges that record, replay and follow a script, and a clock that moves
//!   only on request. It is for your tests and adds `serde_json`.

pub mod auth;
mod backoff;
mod deadline;
mod error;
mod exchange;
#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod http;
#[cfg(feature = "hyper")]
mod hyper;
mod pace;
pub mod redact;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry_class;
mod send_by;
mod sender;
#[cfg(feature = "testing")]
pub mod testing;

pub use backoff::{Backoff, Jitter, full_jitter, retry_after};
pub use deadline::{Deadline, Time, TokioTime};
pub use error::{Kind, TransportError};
pub use exchange::Exchange;
#[cfg(any(feature = "hyper", feature = "reqwest"))]
pub use http::{BuildError, HttpBuilder};
#[cfg(feature = "hyper")]
pub use hyper::{HyperBuilder, HyperExchange};
pub use pace::Pace;
pub use redact::Redactor;
#[cfg(feature = "reqwest")]
pub use reqwest::{ReqwestBuilder, ReqwestExchange};
pub use retry_class::{Decision, Delivery, Outcome, RetryClass, decide};
pub use send_by::SendBy;
pub use sender::{Answer, Call, CallError, Policy, Sender};
