//! Payers and their stored payment methods.

use perennial_domain::clientpay::{
    MethodUpdates, NewMethods, NewPayer, PayerId, PayerUpdate, RequestId, SavedPayer,
};
use perennial_wire::EncodeError;
use perennial_wire::clientpay::{Call, Operation, Session, payer as wire};

use super::ClientPay;
use super::idempotent_request::{IdempotentRequest, Manner, Under};
use crate::{Error, Response};

/// The payers of a customer (version 2).
///
/// The gateway cannot look up a payer, so a request whose response is lost is not sent again: the error has the kind
/// [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown). To continue, send the same request [`under`](Self::under) its
/// id: the gateway refuses it if it was performed.
#[derive(Debug)]
#[must_use = "it does nothing by itself"]
pub struct Payers<'a> {
    pub(super) client: &'a ClientPay,
    pub(super) under: Option<Under>,
}

impl Payers<'_> {
    /// Sets the id for the next request, which may have been sent under this id before.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let id = client.new_request_id().await?.into_value();
    /// let ivo = NewPayer::builder().first_name("Ivo").emails("ivo@example.test").build()?;
    /// let ivo = client.payers().under(id).create(&ivo).await?.into_value();
    /// assert_ne!(ivo, rosa);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn under(self, id: RequestId) -> Self {
        Self { under: Some(Under { id, sent: true }), ..self }
    }

    /// Sets the id for the next request, under which nothing was sent before. Unlike after [`under`](Self::under), a
    /// definite refusal is the result. Use it with an id that was written down before the request is sent.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let id = client.new_request_id().await?.into_value();
    /// client.payers().delete(&rosa).await?;
    /// let refused = client.payers().under_new(id).delete(&rosa).await.unwrap_err();
    /// assert!(refused.is_not_found());
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn under_new(self, id: RequestId) -> Self {
        Self { under: Some(Under { id, sent: false }), ..self }
    }

    /// Stores a payer. The response has the id.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let ivo = NewPayer::builder().first_name("Ivo").emails("ivo@example.test").build()?;
    /// let ivo = client.payers().create(&ivo).await?.into_value();
    /// assert_ne!(ivo, rosa);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn create(self, payer: &NewPayer) -> Result<Response<PayerId>, Error> {
        let write = |session: Session<'_>, id: &RequestId| wire::create(session, id, payer);
        let sending =
            IdempotentRequest::new(self.client, Operation::NewPayer, wire::decode, self.under).await?;
        let take = |id: &RequestId, saved: SavedPayer, manner: Manner| {
            let is_ours = manner.failed.is_none() && !is_of_another(&saved, id);
            saved.payer_id.filter(|_| is_ours)
        };
        sending.perform_unseen(write, take).await
    }

    /// Changes a payer.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let update = PayerUpdate::builder().payer_id(&rosa).last_name("Lind-Berg").build()?;
    /// assert_eq!(client.payers().update(&update).await?.status(), 200);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn update(self, update: &PayerUpdate) -> Result<Response<SavedPayer>, Error> {
        let payer = update.fields().payer_id;
        let write = |session: Session<'_>, id: &RequestId| wire::update(session, id, update);
        self.save(Operation::UpdatePayer, write, Some(payer)).await
    }

    /// Deletes a payer.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// assert_eq!(client.payers().delete(&rosa).await?.status(), 200);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn delete(self, payer: &PayerId) -> Result<Response<()>, Error> {
        let write = |session: Session<'_>, id: &RequestId| wire::delete(session, id, payer);
        let deleted = self.save(Operation::DeletePayer, write, Some(payer)).await?;
        Ok(deleted.map(drop))
    }

    /// Stores methods with a payer. The response has their ids, in the order of the request (**inferred**).
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let methods = NewMethods::builder().payer_id(&rosa).method(NewMethod::builder().credit_card(card)).build()?;
    /// let saved = client.payers().add_methods(&methods).await?;
    /// assert_eq!(saved.payment_method_ids.len(), 1);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn add_methods(self, methods: &NewMethods) -> Result<Response<SavedPayer>, Error> {
        let payer = methods.fields().payer_id;
        let write = |session: Session<'_>, id: &RequestId| wire::add_methods(session, id, methods);
        self.save(Operation::NewMethods, write, Some(payer)).await
    }

    /// Changes stored methods.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = Card::builder().card_number("4111111111111111").expiration_date("1230").cvv("999");
    /// let methods = NewMethods::builder().payer_id(&rosa).method(NewMethod::builder().credit_card(card)).build()?;
    /// let saved = client.payers().add_methods(&methods).await?;
    /// let update = MethodUpdate::builder().id(&saved.payment_method_ids[0]).expiration_date("0931");
    /// let updates = MethodUpdates::builder().update(update).build()?;
    /// assert_eq!(client.payers().update_methods(&updates).await?.status(), 200);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn update_methods(self, updates: &MethodUpdates) -> Result<Response<SavedPayer>, Error> {
        let write = |session: Session<'_>, id: &RequestId| wire::update_methods(session, id, updates);
        self.save(Operation::UpdateMethods, write, None).await
    }

    /// Sends a request whose response may name the payer, and checks that it is the requested one.
    async fn save(
        self,
        operation: Operation,
        write: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
        payer: Option<&PayerId>,
    ) -> Result<Response<SavedPayer>, Error> {
        let sending = IdempotentRequest::new(self.client, operation, wire::decode, self.under).await?;
        let take = |id: &RequestId, saved: SavedPayer, manner: Manner| {
            let another =
                payer.zip(saved.payer_id.as_ref()).is_some_and(|(requested, answered)| requested != answered);
            (manner.failed.is_none() && !another && !is_of_another(&saved, id)).then_some(saved)
        };
        sending.perform_unseen(write, take).await
    }
}

/// Whether a response names another request.
fn is_of_another(saved: &SavedPayer, id: &RequestId) -> bool {
    saved.request_id.as_ref().is_some_and(|named| *named != *id)
}
