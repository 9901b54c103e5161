//! A layer of reqwest's connector that notes the first connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower::{Layer, Service};

use crate::http::Connected;

/// Notes the first connection that its connector makes.
#[derive(Clone)]
pub(super) struct Noted(pub(super) Connected);

impl<S> Layer<S> for Noted {
    type Service = Noting<S>;

    fn layer(&self, connector: S) -> Noting<S> {
        Noting { connector, connected: self.0.clone() }
    }
}

/// A connector that notes its first success.
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
            connected.set();
            Ok(connection)
        })
    }
}
