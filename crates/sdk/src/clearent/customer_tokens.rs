//! The tokens of one customer.

use perennial_domain::clearent::{
    CustomerKey, CustomerToken, CustomerTokenUpdate, CustomerTokenUpdateFields, LastFour, NewCustomerToken,
    NewCustomerTokenFields, TokenId,
};
use perennial_wire::clearent::{Payload, customer_token as wire};

use super::answer::{Mismatch, as_requested, not_another, reported, same};
use super::{Clearent, Lookup};
use crate::{Error, Response};

/// The tokens attached to a customer.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct CustomerTokens<'a> {
    pub(super) client: &'a Clearent,
    pub(super) customer: &'a CustomerKey,
}

impl CustomerTokens<'_> {
    /// Lists all tokens of the customer. This list has no pages. A record that cannot be read is an error; see
    /// [`each`](Self::each).
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let tokens = client.customers().tokens(&ada.customer_key).list().await?;
    /// assert_eq!(tokens.len(), 1);
    /// assert_eq!(tokens[0].last_four_digits.as_deref(), Some("1111"));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn list(self) -> Result<Response<Vec<CustomerToken>>, Error> {
        self.client.whole(wire::list(self.customer), all, |token| self.owns(token)).await
    }

    /// Lists all tokens of the customer, with an error in the place of each record that cannot be read.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// for token in client.customers().tokens(&ada.customer_key).each().await?.into_value() {
    ///     assert_eq!(token?.customer_key.as_ref(), Some(&ada.customer_key));
    /// }
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn each(self) -> Result<Response<Vec<Result<CustomerToken, Error>>>, Error> {
        Ok(self.client.all(wire::list(self.customer), all, |token| self.owns(token)).await?.each())
    }

    /// Attaches a token of the vault to the customer.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let new = NewCustomer::builder().first_name("Grace").last_name("Hopper").build()?;
    /// let grace = client.customers().create(&new).await?;
    /// let attach = NewCustomerToken::builder().token_id(&token).exp_date("1230").card_type("VISA").last_four_digits("1111");
    /// let attached = client.customers().tokens(&grace.customer_key).attach(&attach.build()?).await?;
    /// assert_eq!(attached.token_id, token);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn attach(self, token: &NewCustomerToken) -> Result<Response<CustomerToken>, Error> {
        let call = wire::attach(self.client.format(), self.customer, token)?;
        let NewCustomerTokenFields { token_id, exp_date, last_four_digits, is_default, .. } = token.fields();
        let check = |attached: &CustomerToken| {
            self.names(token_id, attached)?;
            let last_four = last_four_digits.map(LastFour::as_str);
            not_another("last-four-digits", last_four, attached.last_four_digits.as_deref())?;
            not_another("exp-date", reported(exp_date).as_ref(), attached.exp_date.as_ref())?;
            let is_default = reported(is_default.map(|flag| &flag.0));
            as_requested("default", is_default.as_ref(), attached.is_default.as_ref())
        };
        let attached = self.client.one(call, one, check).await;
        attached.map_err(|error| error.look_up(|| Lookup::CustomerTokens(self.customer.clone())))
    }

    /// Changes the attachment of a token. Updates to the tokens of one customer are sent in the order in which they are
    /// first awaited.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let update = CustomerTokenUpdate::builder().token_id(&token).description("travel card").build()?;
    /// let updated = client.customers().tokens(&ada.customer_key).update(&update).await?;
    /// assert_eq!(updated.description.as_deref(), Some("travel card"));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn update(self, update: &CustomerTokenUpdate) -> Result<Response<CustomerToken>, Error> {
        let call = wire::update(self.client.format(), self.customer, update)?;
        let CustomerTokenUpdateFields { token_id, is_default, .. } = update.fields();
        let _guard = self.client.guard(&call).await;
        let check = |updated: &CustomerToken| {
            self.names(token_id, updated)?;
            let is_default = reported(is_default.map(|flag| &flag.0));
            as_requested("default", is_default.as_ref(), updated.is_default.as_ref())
        };
        let updated = self.client.one(call, one, check).await;
        updated.map_err(|error| error.look_up(|| Lookup::CustomerTokens(self.customer.clone())))
    }

    fn owns(self, token: &CustomerToken) -> Result<(), Mismatch> {
        not_another("customer-key", Some(self.customer), token.customer_key.as_ref())
    }

    /// Checks the customer and the token of an association, which every sample has (section 2.4 of the reference).
    fn names(self, id: &TokenId, token: &CustomerToken) -> Result<(), Mismatch> {
        same("token-id", id, Some(&token.token_id))?;
        same("customer-key", self.customer, token.customer_key.as_ref())
    }
}

fn one(payload: Payload) -> Option<CustomerToken> {
    match payload {
        Payload::CustomerToken(token) => Some(*token),
        _ => None,
    }
}

fn all(payload: Payload) -> Option<Vec<CustomerToken>> {
    match payload {
        Payload::CustomerTokens(tokens) => Some(tokens),
        Payload::CustomerToken(token) => Some(vec![*token]),
        _ => None,
    }
}
