//! `perennial webhooks listen`: receives alerts, with bounds on size, time and connections.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use perennial::Environment;
use perennial::clearent::webhook::{PublicKey, Signer};
use perennial_billing::{Billing, Error};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::SEED;
use crate::commands::sandbox::is_loopback;
use crate::commands::subscriptions::Place;
use crate::context::Global;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::input;
use crate::output::{Record, note};

#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// The file with the gateway's public key: 248 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    public_key_file: PathBuf,
    /// The address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8490")]
    address: SocketAddr,
    #[command(flatten)]
    place: Place,
}

/// The maximum size of an alert. Those of the vendor's samples have two kilobytes.
const LARGEST: usize = 64 * 1024;
/// The maximum number of open connections. Further ones wait.
const CONNECTIONS: u32 = 64;
/// The time limit of a connection, with its one request.
const WITHIN: Duration = Duration::from_secs(10);

impl Listen {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self { public_key_file, address, place } = self;
        let named = public_key_file.display();
        let key = PublicKey::from_hex(&input::public(&public_key_file)?)
            .map_err(|error| Failure::Usage(format!("the file {named} has no public key: {error}")))?;
        let client = global.client().await?;
        let is_here = matches!(client.environment(), Environment::Custom(url) if is_loopback(url));
        if !is_here && key == Signer::from_seed(SEED.as_bytes()).public_key() {
            return Err(Failure::Usage(format!(
                "the file {named} has the key of perennial webhooks send, with which everybody can sign: use the vendor's"
            )));
        }
        let opened = place.open(global, &client).await?;
        if global.dry_run.is_on() {
            return DryRun::print(
                global.output,
                Record::default().with("tenant", opened.tenant.as_str()).with("address", address.to_string()),
            );
        }
        global.interrupt.listen().map_err(Failure::System)?;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::Usage(format!("--address {address} cannot be listened on: {}", error.kind()))
        })?;
        announce(listener.local_addr()?)?;
        let receiver = Arc::new(Receiver { billing: opened.billing, key, counts: Counts::default() });
        serve(listener, &receiver, global.interrupt.stop()).await;
        note(&receiver.counts.summary());
        Ok(())
    }
}

/// Prints the line that the starting program waits for.
fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "webhooks listening on http://{address}")?;
    out.flush()
}

/// Serves until `stop` is ready, and then until the open connections end, which each do within their time limit.
async fn serve(listener: TcpListener, receiver: &Arc<Receiver>, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let Ok(permit) = room.clone().acquire_owned().await else { return None };
            if let Ok((stream, _)) = listener.accept().await {
                return Some((stream, permit));
            }
            // Out of file descriptors, say.
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        let receiver = receiver.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let _ = tokio::time::timeout(WITHIN, connection(stream, &receiver)).await;
        });
    }
    drop(listener);
    let _ = room.acquire_many(CONNECTIONS).await;
}

/// Serves the one request of a connection.
async fn connection(stream: TcpStream, receiver: &Arc<Receiver>) {
    let service = service_fn(|request| async move {
        let (status, text) = receiver.answer(request).await;
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        Ok::<_, Infallible>(response)
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(WITHIN)
        .max_headers(64)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

struct Receiver {
    billing: Billing,
    key: PublicKey,
    counts: Counts,
}

/// The numbers of alerts by their results.
#[derive(Default)]
struct Counts {
    stored: AtomicU64,
    repeated: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    fn summary(&self) -> String {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        format!(
            "alerts: {} stored, {} repeated, {} refused, {} failed",
            of(&self.stored),
            of(&self.repeated),
            of(&self.refused),
            of(&self.failed)
        )
    }
}

impl Receiver {
    /// The response to a request: 2xx only after its alert is stored.
    async fn answer(&self, request: Request<Incoming>) -> (StatusCode, String) {
        let add = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
        if request.method() != Method::POST {
            return (StatusCode::METHOD_NOT_ALLOWED, "an alert is a POST\n".to_owned());
        }
        let refuse = |status| {
            add(&self.counts.refused);
            (status, format!("an alert is a whole body of at most {LARGEST} bytes\n"))
        };
        if request.body().size_hint().lower() > LARGEST as u64 {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let body = match Limited::new(request.into_body(), LARGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return refuse(StatusCode::PAYLOAD_TOO_LARGE),
            Err(_) => return refuse(StatusCode::BAD_REQUEST),
        };
        match self.billing.receive(&self.key, &body).await {
            Ok(received) => {
                add(if received.is_new { &self.counts.stored } else { &self.counts.repeated });
                (StatusCode::OK, String::new())
            }
            Err(error @ Error::InvalidAlert(_)) => {
                // The first one may be for a wrong key. Anybody can send more of them.
                if add(&self.counts.refused) == 0 {
                    note(&error.to_string());
                }
                (StatusCode::BAD_REQUEST, format!("{error}\n"))
            }
            Err(error) => {
                add(&self.counts.failed);
                note(&Failure::from(error).message());
                (StatusCode::SERVICE_UNAVAILABLE, "the alert is not stored: send it again\n".to_owned())
            }
        }
    }
}
