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
pub(super) struct IdempotentRequest<'a, T> {
    client: &'a ClientPay,
    operation: Operation,
    decode: Decode<T>,
    id: RequestId,
    /// Whether it may have been sent before.
    sent: bool,
}

/// The id under which a request is sent.
#[derive(Debug)]
pub(super) struct Under {
    pub(super) id: RequestId,
    /// Whether the request may have been sent under it before.
    pub(super) sent: bool,
}

/// The status of a response, and the reason if it has no value.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) status: u16,
    /// The reason why it has no value.
    pub(super) failed: Option<ErrorKind>,
}

/// The result of looking up a request.
pub(super) enum LookUpResult<V> {
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
pub(super) type LookUp<'a, V> = Pin<Box<dyn Future<Output = LookUpResult<V>> + Send + 'a>>;

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

impl<'a, T: Effect> IdempotentRequest<'a, T> {
    /// Creates a request with the given id, or with a new one.
    pub(super) async fn new(
        client: &'a ClientPay,
        operation: Operation,
        decode: Decode<T>,
        under: Option<Under>,
    ) -> Result<Self, Error> {
        operation.path_in(client.version())?;
        let Under { id, sent } = match under {
            Some(under) => under,
            None => Under { id: client.new_request_id().await?.into_value(), sent: false },
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
        look: impl Fn() -> LookUp<'l, V>,
    ) -> Result<Response<V>, Error> {
        let mut is_uncertain = self.sent;
        if is_uncertain {
            match self.client.settle(&look).await {
                LookUpResult::Absent => {}
                result => {
                    let unknown = Error::new(ErrorKind::OutcomeUnknown).of_operation(self.operation.name());
                    return self.conclude(unknown, result);
                }
            }
        }
        loop {
            let Unsettled { error, refused, named } = match self.send(is_uncertain, &write, &take).await {
                Ok(outcome) => return outcome,
                Err(unsettled) => unsettled,
            };
            is_uncertain = true;
            let window = resend_after.take().filter(|_| !refused && !named);
            let mut result = self.client.settle(&look).await;
            if let (LookUpResult::Absent, Some(window)) = (&result, window) {
                self.client.wait(window).await;
                result = self.client.settle(&look).await;
                if matches!(result, LookUpResult::Absent) {
                    continue;
                }
            }
            return self.conclude(error, result);
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
            Err(Unsettled { error, .. }) => self.conclude(error, LookUpResult::Absent),
        }
    }

    /// Sends the request. Returns its outcome, or a definite refusal unless an earlier attempt leaves the outcome open.
    async fn send<V>(
        &self,
        is_uncertain: bool,
        write: &impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
        take: &impl Fn(&RequestId, T, Manner) -> Option<V>,
    ) -> Result<Result<Response<V>, Error>, Unsettled> {
        let Self { client, operation, decode, id, .. } = self;
        let answer = client.call(*operation, |session| write(session, id), *decode).await;
        let named = answer.as_ref().is_ok_and(Answered::is_named);
        let is_uncertain = is_uncertain || answer.as_ref().is_ok_and(Answered::is_uncertain);
        let taken = answer.and_then(|answered| {
            let status = answered.status();
            answered.take(|value, failed| take(id, value, Manner { status, failed }))
        });
        match taken {
            Err(error) if is_uncertain || error.is_outcome_unknown() => {
                Err(Unsettled { refused: !error.is_outcome_unknown(), error, named })
            }
            outcome => Ok(outcome),
        }
    }

    /// The result of a request without a known outcome, after a lookup.
    fn conclude<V>(self, error: Error, result: LookUpResult<V>) -> Result<Response<V>, Error> {
        let unknown = |error: Error| error.of_kind(ErrorKind::OutcomeUnknown).under(self.id);
        Err(match result {
            LookUpResult::Found(response) => return Ok(response),
            LookUpResult::Absent => unknown(error),
            LookUpResult::Open(payments) => unknown(error).naming_payments(payments),
            LookUpResult::Several(several) => {
                unknown(error).naming_payments(several.payment_ids().iter().cloned()).with_source(several)
            }
        })
    }
}

impl ClientPay {
    /// Looks the request up until its outcome is known, a few times. If a lookup named a payment, a later one that does
    /// not find it may be stale, and does not mean that it is absent.
    async fn settle<'l, V>(&self, look: impl Fn() -> LookUp<'l, V>) -> LookUpResult<V> {
        let (mut looks, mut named) = (1, Vec::new());
        loop {
            match look().await {
                LookUpResult::Open(payments) => {
                    named.extend(payments);
                    if looks == LOOKS {
                        return LookUpResult::Open(named);
                    }
                    self.wait_before_look(looks).await;
                }
                LookUpResult::Absent if !named.is_empty() => return LookUpResult::Open(named),
                result => return result,
            }
            looks += 1;
        }
    }
}
