//! Records whether a client ever had a connection: before the first one it has sent nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tower::{Layer, Service};

/// Set by the first connection, TLS and the tunnel of a proxy included, before anything is sent over it.
#[derive(Clone, Default)]
pub(super) struct Connected(Arc<AtomicBool>);

impl Connected {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl<S> Layer<S> for Connected {
    type Service = Noting<S>;

    fn layer(&self, connector: S) -> Noting<S> {
        Noting { connector, connected: self.clone() }
    }
}

/// A connector that records its first success.
#[derive(Clone)]
pub(super) struct Noting<S> {
    connector: S,
    connected: Connected,
}

impl<S, R> Service<R> for Noting<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let (connecting, connected) = (self.connector.call(target), self.connected.clone());
        Box::pin(async move {
            let connection = connecting.await?;
            connected.0.store(true, Ordering::SeqCst);
            Ok(connection)
        })
    }
}
