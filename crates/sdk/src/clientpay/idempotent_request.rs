//! One request, performed once: sent under a single-use id, and looked for when its answer is lost.

use std::pin::Pin;
use std::time::Duration;

use perennial_domain::clientpay::{PaymentId, RequestId, SeveralPayments};
use perennial_wire::EncodeError;
use perennial_wire::clientpay::{Call, Operation, Session};

use super::ClientPay;
use super::answer::{Answered, Decode, Effect};
use crate::{Error, ErrorKind, Response};

/// A request under its id.
pub(super) struct IdempotentRequest<'a, T> {
    client: &'a ClientPay,
    operation: Operation,
    decode: Decode<T>,
    id: RequestId,
    /// Whether it may have been sent before.
    sent: bool,
}

/// How an answer came, beside its value.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) status: u16,
    /// Why it brings no value, if it does not.
    pub(super) failed: Option<ErrorKind>,
}

/// A look at the gateway for a request.
pub(super) enum LookUpResult<V> {
    /// Its outcome.
    Found(Response<V>),
    /// The gateway knows nothing of it.
    Absent,
    /// The gateway knows of it and does not tell its outcome yet, or did not answer. The payments that it names.
    Open(Vec<PaymentId>),
    /// The gateway has several payments of it.
    Several(SeveralPayments),
}

/// A look that is under way.
pub(super) type LookUp<'a, V> = Pin<Box<dyn Future<Output = LookUpResult<V>> + Send + 'a>>;

/// A request without a known outcome.
struct Unsettled {
    error: Error,
    /// Whether it was the gateway's own no.
    refused: bool,
    /// Whether the answer, or what came in its place, names anything that the request may have made.
    named: bool,
}

/// How often what is still open is looked at.
const LOOKS: u32 = 3;

impl<'a, T: Effect> IdempotentRequest<'a, T> {
    /// A request under the id that it had before, or under a fresh one.
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

    /// Performs it. `take` makes the value of an answer, or of a refusal that is one; `look` finds its outcome without
    /// sending it. What is not found is sent once more only if there is a window, after which that is safe.
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

    /// The same where the gateway has nothing to look at. What was lost is not sent again.
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

    /// Sends it: its outcome, or a definite no, unless an earlier attempt leaves that open.
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

    /// What a look makes of a request without a known outcome.
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
    /// Looks until it is settled, a few times. A payment that one look named is not absent because a later one, which may
    /// be stale, does not find it.
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
