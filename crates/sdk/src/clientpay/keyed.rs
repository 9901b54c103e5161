//! One request, performed once: sent under a single-use id, looked for when its answer is lost, and sent again under
//! the same id only.

use std::pin::Pin;

use perennial_domain::clientpay::RequestId;
use perennial_transport::Replay;
use perennial_wire::EncodeError;
use perennial_wire::clientpay::{Call, Route, Session};

use super::ClientPay;
use super::answer::{Answered, Decode};
use crate::{Error, ErrorKind, Response};

/// A request under its id.
pub(super) struct Keyed<'a, T> {
    client: &'a ClientPay,
    route: Route,
    decode: Decode<T>,
    id: RequestId,
    /// Whether it may have been sent before.
    sent: bool,
}

/// What a look at the gateway found of a request.
pub(super) enum Looked<V> {
    /// What became of it.
    Found(Response<V>),
    /// The gateway knows nothing of it.
    Absent,
    /// The gateway knows of it and does not say what became of it yet, or did not answer.
    Open,
}

/// A look that is under way.
pub(super) type Look<'a, V> = Pin<Box<dyn Future<Output = Looked<V>> + Send + 'a>>;

/// How often what is still open is looked at.
const LOOKS: u32 = 3;

impl<'a, T> Keyed<'a, T> {
    /// A request under the id that it had before, or under a fresh one.
    pub(super) async fn new(
        client: &'a ClientPay,
        route: Route,
        decode: Decode<T>,
        under: Option<RequestId>,
    ) -> Result<Self, Error> {
        route.path_in(client.version())?;
        let sent = under.is_some();
        let id = match under {
            Some(id) => id,
            None => client.new_request_id().await?.into_value(),
        };
        Ok(Self { client, route, decode, id, sent })
    }

    pub(super) fn id(&self) -> &RequestId {
        &self.id
    }

    /// Performs it. `take` makes the value of an answer, or of a refusal that is one; `look` finds out what became of
    /// it without sending it.
    pub(super) async fn perform<'l, V>(
        self,
        write: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
        take: impl Fn(&RequestId, T, Option<ErrorKind>) -> Option<V>,
        look: impl Fn() -> Look<'l, V>,
    ) -> Result<Response<V>, Error> {
        let Self { client, route, decode, id, sent } = self;
        let mut in_doubt = sent;
        if sent {
            match client.settle(&look).await {
                Looked::Found(response) => return Ok(response),
                Looked::Absent => {}
                Looked::Open => {
                    return Err(Error::new(ErrorKind::OutcomeUnknown)
                        .of_operation(route.operation())
                        .under(id));
                }
            }
        }
        let mut repeated = false;
        loop {
            let answer = client.call(route, Replay::WithKey, |session| write(session, &id), decode).await;
            in_doubt |= answer.as_ref().is_ok_and(Answered::in_doubt);
            let error =
                match answer.and_then(|answered| answered.take(|value, failed| take(&id, value, failed))) {
                    Ok(response) => return Ok(response),
                    Err(error) => error,
                };
            let refused = !error.is_outcome_unknown();
            if refused && !in_doubt {
                return Err(error);
            }
            in_doubt = true;
            match client.settle(&look).await {
                Looked::Found(response) => return Ok(response),
                // A second refusal would say no more than the first.
                Looked::Absent if !refused && !repeated => repeated = true,
                Looked::Absent | Looked::Open => {
                    return Err(error.of_kind(ErrorKind::OutcomeUnknown).under(id));
                }
            }
        }
    }
}

impl ClientPay {
    /// Looks until it is settled, a few times.
    async fn settle<'l, V>(&self, look: impl Fn() -> Look<'l, V>) -> Looked<V> {
        let mut looks = 1;
        loop {
            match look().await {
                Looked::Open if looks < LOOKS => self.wait_before_look(looks).await,
                looked => return looked,
            }
            looks += 1;
        }
    }
}

/// Where the gateway has nothing to look at: what was lost is sent again under its id, and a refusal then leaves it
/// open.
pub(super) fn nothing_to_look_at<'l, V: Send + 'l>() -> Look<'l, V> {
    Box::pin(std::future::ready(Looked::Absent))
}
