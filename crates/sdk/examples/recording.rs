//! A custom exchange around another one, and a recording that replays without a gateway.
//!
//! `cargo run -p perennial --features testing --example recording`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::clearent::{ApiKey, NewCustomer};
use perennial::transport::testing::{Recording, Replaying};
use perennial::transport::{Deadline, Exchange, Redactor, ReqwestExchange, TransportError};
use perennial::{BaseUrl, Clearent};
use perennial_sandbox::Sandbox;

/// Counts the requests and passes them on.
struct Counted<E> {
    inner: E,
    sent: Arc<AtomicU64>,
}

#[async_trait]
impl<E: Exchange> Exchange for Counted<E> {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.inner.exchange(request, deadline).await
    }
}

fn client(
    key: &str,
    base: &str,
    exchange: impl Exchange + 'static,
) -> Result<Clearent, Box<dyn std::error::Error>> {
    let client = Clearent::builder(ApiKey::new(key)?).environment(base.parse::<BaseUrl>()?);
    Ok(client.exchange(exchange).build()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let (key, base) = (sandbox.api_key().expose(), sandbox.base_url());
    let new = NewCustomer::builder().customer_key("member-7").first_name("Ada").last_name("Byron").build()?;

    let sent = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: ReqwestExchange::builder().build()?, sent: sent.clone() };
    let recording = Arc::new(Recording::new(counted, Redactor::default()));
    let made = client(key, base, recording.clone())?.customers().create(&new).await?;
    println!("{} request sent, {}", sent.load(Ordering::Relaxed), made.customer_key);

    // The recording holds no key and no card; it can be stored next to the tests.
    let cassette = recording.cassette();
    assert!(!cassette.to_json()?.contains(key));
    let replayed = client(key, base, Replaying::new(cassette))?.customers().create(&new).await?;
    assert_eq!(replayed.customer_key, made.customer_key);
    assert_eq!(sent.load(Ordering::Relaxed), 1);
    Ok(())
}

/// Holds: The example of recorded exchanges runs.
#[test]
fn it_runs() {
    main().unwrap();
}
