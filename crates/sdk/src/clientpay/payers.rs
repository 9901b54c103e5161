//! Payers, and the methods that are kept with them.

use perennial_domain::clientpay::{
    MethodUpdates, NewMethods, NewPayer, PayerId, PayerUpdate, RequestId, SavedPayer,
};
use perennial_wire::EncodeError;
use perennial_wire::clientpay::{Call, Route, Session, access, payer as wire};

use super::ClientPay;
use super::keyed::{Keyed, nothing_to_look_at};
use crate::{Error, ErrorKind, Response};

/// The payers of a customer, of version 2.
///
/// The gateway has no way to ask for a payer. Where the answer is lost and its repeat is refused, the error of kind
/// [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) is final.
#[derive(Debug)]
#[must_use = "it does nothing by itself"]
pub struct Payers<'a> {
    pub(super) client: &'a ClientPay,
    pub(super) under: Option<RequestId>,
}

impl Payers<'_> {
    /// Makes the next request under this id, under which the same one may have been sent before.
    pub fn under(self, id: RequestId) -> Self {
        Self { under: Some(id), ..self }
    }

    /// Keeps a payer. The answer has the id.
    pub async fn create(self, payer: &NewPayer) -> Result<Response<PayerId>, Error> {
        let write = |session: Session<'_>, id: &RequestId| wire::create(session, id, payer);
        let keyed = Keyed::new(self.client, Route::NewPayer, wire::decode, self.under).await?;
        let take = |_: &RequestId, saved: SavedPayer, failed: Option<ErrorKind>| {
            saved.payer_id.filter(|_| failed.is_none())
        };
        keyed.perform(write, take, nothing_to_look_at).await
    }

    /// Changes a payer.
    pub async fn update(self, update: &PayerUpdate) -> Result<Response<SavedPayer>, Error> {
        let payer = update.fields().payer_id;
        let write = |session: Session<'_>, id: &RequestId| wire::update(session, id, update);
        self.save(Route::UpdatePayer, write, Some(payer)).await
    }

    /// Deletes a payer.
    pub async fn delete(self, payer: &PayerId) -> Result<Response<()>, Error> {
        let write = |session: Session<'_>, id: &RequestId| wire::delete(session, id, payer);
        let keyed = Keyed::new(self.client, Route::DeletePayer, access::decode_done, self.under).await?;
        let take = |_: &RequestId, (): (), failed: Option<ErrorKind>| failed.is_none().then_some(());
        keyed.perform(write, take, nothing_to_look_at).await
    }

    /// Keeps methods with a payer. That the answer has their ids, in the order of the request, is **inferred**.
    pub async fn add_methods(self, methods: &NewMethods) -> Result<Response<SavedPayer>, Error> {
        let payer = methods.fields().payer_id;
        let write = |session: Session<'_>, id: &RequestId| wire::add_methods(session, id, methods);
        self.save(Route::NewMethods, write, Some(payer)).await
    }

    /// Changes methods that are kept.
    pub async fn update_methods(self, updates: &MethodUpdates) -> Result<Response<SavedPayer>, Error> {
        let write = |session: Session<'_>, id: &RequestId| wire::update_methods(session, id, updates);
        self.save(Route::UpdateMethods, write, None).await
    }

    /// A request whose answer may name the payer, and then this one.
    async fn save(
        self,
        route: Route,
        write: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
        payer: Option<&PayerId>,
    ) -> Result<Response<SavedPayer>, Error> {
        let keyed = Keyed::new(self.client, route, wire::decode, self.under).await?;
        let take = |_: &RequestId, saved: SavedPayer, failed: Option<ErrorKind>| {
            let another =
                payer.zip(saved.payer_id.as_ref()).is_some_and(|(asked, answered)| asked != answered);
            (failed.is_none() && !another).then_some(saved)
        };
        keyed.perform(write, take, nothing_to_look_at).await
    }
}
