//! Requests that are performed once: sent under a single-use id, and looked up by it if the response is lost.

use std::pin::Pin;
use std::time::Duration;

use perennial_domain::clientpay::{PaymentId, RequestId, SeveralPayments};
use perennial_wire::EncodeError;
use perennial_wire::clientpay::{Call, Operation, Session};

use super::ClientPay;
use super::answer::{Answered, Decode, Effect};
use crate::{Error, ErrorKind, Response};

/// A request with its id.
pub(super) struct Keyed<'a, T> {
    client: &'a ClientPay,
    operation: Operation,
    decode: Decode<T>,
    id: RequestId,
    /// Whether it may have been sent before.
    sent: bool,
}

/// The status of a response, and the reason if it has no value.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) status: u16,
    /// The reason why it has no value.
    pub(super) failed: Option<ErrorKind>,
}

/// The result of looking up a request.
pub(super) enum Looked<V> {
    /// The outcome of the request.
    Found(Response<V>),
    /// The gateway does not know the request.
    Absent,
    /// The gateway knows the request but not its outcome yet, or did not respond. Contains the payments that it names.
    Open(Vec<PaymentId>),
    /// The gateway has several payments for the request.
    Several(SeveralPayments),
}

/// A lookup in progress.
pub(super) type Look<'a, V> = Pin<Box<dyn Future<Output = Looked<V>> + Send + 'a>>;

/// A request without a known outcome.
struct Unsettled {
    error: Error,
    /// Whether the gateway itself refused it.
    refused: bool,
    /// Whether the response names a possible result of the request.
    named: bool,
}

/// The maximum number of lookups of an open outcome.
const LOOKS: u32 = 3;

impl<'a, T: Effect> Keyed<'a, T> {
    /// Creates a request with the given id, which may have been sent before, or with a new one.
    pub(super) async fn new(
        client: &'a ClientPay,
        operation: Operation,
        decode: Decode<T>,
        under: Option<RequestId>,
    ) -> Result<Self, Error> {
        operation.path_in(client.version())?;
        let sent = under.is_some();
        let id = match under {
            Some(id) => id,
            None => client.new_request_id().await?.into_value(),
        };
        Ok(Self { client, operation, decode, id, sent })
    }

    pub(super) fn id(&self) -> &RequestId {
        &self.id
    }

    /// Performs the request. `take` extracts the value from a response, which may be a refusal; `look` finds the
    /// outcome without sending the request. A request that is not found is sent once more only if there is a window,
    /// after which that is safe.
    pub(super) async fn perform<'l, V>(
        self,
        mut resend_after: Option<Duration>,
        write: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
        take: impl Fn(&RequestId, T, Manner) -> Option<V>,
        look: impl Fn() -> Look<'l, V>,
    ) -> Result<Response<V>, Error> {
        let mut in_doubt = self.sent;
        if in_doubt {
            match self.client.settle(&look).await {
                Looked::Absent => {}
                looked => {
                    let unknown = Error::new(ErrorKind::OutcomeUnknown).of_operation(self.operation.name());
                    return self.conclude(unknown, looked);
                }
            }
        }
        loop {
            let Unsettled { error, refused, named } = match self.send(in_doubt, &write, &take).await {
                Ok(outcome) => return outcome,
                Err(unsettled) => unsettled,
            };
            in_doubt = true;
            let window = resend_after.take().filter(|_| !refused && !named);
            let mut looked = self.client.settle(&look).await;
            if let (Looked::Absent, Some(window)) = (&looked, window) {
                self.client.wait(window).await;
                looked = self.client.settle(&look).await;
                if matches!(looked, Looked::Absent) {
                    continue;
                }
            }
            return self.conclude(error, looked);
        }
    }

    /// Performs a request that cannot be looked up. If the response is lost, it is not sent again.
    pub(super) async fn perform_unseen<V>(
        self,
        write: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
        take: impl Fn(&RequestId, T, Manner) -> Option<V>,
    ) -> Result<Response<V>, Error> {
        match self.send(self.sent, &write, &take).await {
            Ok(outcome) => outcome,
            Err(Unsettled { error, .. }) => self.conclude(error, Looked::Absent),
        }
    }

    /// Sends the request. Returns its outcome, or a definite refusal unless an earlier attempt leaves the outcome open.
    async fn send<V>(
        &self,
        in_doubt: bool,
        write: &impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
        take: &impl Fn(&RequestId, T, Manner) -> Option<V>,
    ) -> Result<Result<Response<V>, Error>, Unsettled> {
        let Self { client, operation, decode, id, .. } = self;
        let answer = client.call(*operation, |session| write(session, id), *decode).await;
        let named = answer.as_ref().is_ok_and(Answered::is_named);
        let in_doubt = in_doubt || answer.as_ref().is_ok_and(Answered::in_doubt);
        let taken = answer.and_then(|answered| {
            let status = answered.status();
            answered.take(|value, failed| take(id, value, Manner { status, failed }))
        });
        match taken {
            Err(error) if in_doubt || error.is_outcome_unknown() => {
                Err(Unsettled { refused: !error.is_outcome_unknown(), error, named })
            }
            outcome => Ok(outcome),
        }
    }

    /// The result of a request without a known outcome, after a lookup.
    fn conclude<V>(self, error: Error, looked: Looked<V>) -> Result<Response<V>, Error> {
        let unknown = |error: Error| error.of_kind(ErrorKind::OutcomeUnknown).under(self.id);
        Err(match looked {
            Looked::Found(response) => return Ok(response),
            Looked::Absent => unknown(error),
            Looked::Open(payments) => unknown(error).naming_payments(payments),
            Looked::Several(several) => {
                unknown(error).naming_payments(several.payment_ids().iter().cloned()).with_source(several)
            }
        })
    }
}

impl ClientPay {
    /// Looks the request up until its outcome is known, a few times. If a lookup named a payment, a later one that does
    /// not find it may be stale, and does not mean that it is absent.
    async fn settle<'l, V>(&self, look: impl Fn() -> Look<'l, V>) -> Looked<V> {
        let (mut looks, mut named) = (1, Vec::new());
        loop {
            match look().await {
                Looked::Open(payments) => {
                    named.extend(payments);
                    if looks == LOOKS {
                        return Looked::Open(named);
                    }
                    self.wait_before_look(looks).await;
                }
                Looked::Absent if !named.is_empty() => return Looked::Open(named),
                looked => return looked,
            }
            looks += 1;
        }
    }
}
