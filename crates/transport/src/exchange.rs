//! The transport trait: one request out, one whole response back.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use crate::{Deadline, TransportError};

/// Carries one HTTP request and brings the whole response back.
///
/// An implementation
///
/// * sends the request **at most once**, to the URL it names and nowhere else: it follows no redirect and retries
///   nothing, because [`Sender`](crate::Sender) decides which calls may be retried;
/// * returns by the deadline, with [`Kind::Timeout`](crate::Kind::Timeout) if necessary;
/// * returns any status as `Ok`, and `Err` only where there is no whole response;
/// * claims [`Delivery::NotSent`](crate::Delivery::NotSent) only with proof;
/// * logs no header and no body: they hold keys and card numbers.
///
/// Dropping the future abandons the exchange; the gateway may still act on it.
#[async_trait]
pub trait Exchange: Send + Sync {
    /// Sends the request and waits for the whole response, at most until the deadline.
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError>;
}

#[async_trait]
impl<E: Exchange + ?Sized> Exchange for Arc<E> {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        (**self).exchange(request, deadline).await
    }
}

#[async_trait]
impl<E: Exchange + ?Sized> Exchange for Box<E> {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        (**self).exchange(request, deadline).await
    }
}
