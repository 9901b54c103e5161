//! Card tokens.

use perennial_domain::clearent::{
    NewToken, NewTokenFields, PlanSearch, Token, TokenId, TokenSearch, TokenStatus, TokenUpdate,
    TokenUpdateFields, check_token_deletion,
};
use perennial_wire::clearent::{Operation, Payload, token as wire};

use super::answer::{Mismatch, as_requested, not_another, reported, same};
use super::{Clearent, Lookup};
use crate::page::Moved;
use crate::{Error, ErrorKind, List, Response};

/// The card tokens of a merchant's vault.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Tokens<'a>(pub(super) &'a Clearent);

impl Tokens<'_> {
    /// Stores a card in the vault. The card is wiped after the request was sent. The response always has a `token_id`.
    ///
    /// If the outcome is unknown, the customer, the last four digits and the expiry identify the token; without a
    /// customer, only the time of creation does.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let card = NewToken::builder().card("5555 5555 5555 4444").exp_date("1230").csc("999").description("travel card");
    /// let created = client.tokens().create(card.build()?).await?;
    /// assert!(created.token_id.is_some());
    /// assert_eq!(created.last_four_digits.as_deref(), Some("4444"));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn create(self, token: NewToken) -> Result<Response<Token>, Error> {
        let call = wire::create(self.0.format(), &token)?;
        let NewTokenFields { card, customer_key, exp_date, .. } = token.fields();
        let (last_four, customer_key) = (card.last_four().to_owned(), customer_key.cloned());
        let exp_date = *exp_date;
        drop(token);
        // The response always has the customer if it was sent, and since 2020 the expiry (section 2.3 of the
        // reference).
        let check = |created: &Token| {
            created.token_id.as_ref().ok_or(Mismatch("token-id"))?;
            not_another("last-four-digits", Some(last_four.as_str()), created.last_four_digits.as_deref())?;
            not_another("exp-date", reported(Some(&exp_date)).as_ref(), created.exp_date.as_ref())?;
            as_requested("customer-key", customer_key.as_ref(), created.customer_key.as_ref())
        };
        let created = self.0.one(call, one, check).await;
        created.map_err(|error| {
            error.or_look_up(|| match &customer_key {
                Some(key) => Lookup::CustomerTokens(key.clone()),
                None => Lookup::Tokens(TokenSearch::default()),
            })
        })
    }

    /// Returns the token with this id.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let found = client.tokens().get(&token).await?;
    /// assert_eq!(found.description.as_deref(), Some("business card"));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn get(self, id: &TokenId) -> Result<Response<Token>, Error> {
        self.0.one(wire::get(id), one, |found| same("token-id", id, found.token_id.as_ref())).await
    }

    /// Searches for tokens.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let search = TokenSearch { token_id: Some(token.clone()), ..TokenSearch::default() };
    /// assert_eq!(client.tokens().search(&search).collect_all().await?.len(), 1);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn search(self, search: &TokenSearch) -> List<Token> {
        self.0.list(
            Operation::SearchTokens,
            search,
            |search| &mut search.paging,
            wire::search,
            all,
            |token| token.token_id.as_ref().map(TokenId::as_str),
            fits,
        )
    }

    /// Changes a token's customer, status or description. Updates to one token are sent in the order in which they are
    /// first awaited. The gateway returns only the changed members, so all others may be `None`.
    ///
    /// The status `DELETED` deletes the token, and is refused in the same cases as [`delete`](Self::delete).
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let update = TokenUpdate::builder().description("travel card").build()?;
    /// let updated = client.tokens().update(&token, &update).await?;
    /// assert_eq!(updated.description.as_deref(), Some("travel card"));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn update(self, id: &TokenId, update: &TokenUpdate) -> Result<Response<Token>, Error> {
        let call = wire::update(self.0.format(), id, update)?;
        let _guard = self.0.guard(&call).await;
        if update.fields().status == Some(&TokenStatus::DELETED) {
            self.check_deletion(id).await?;
        }
        let updated = self.0.one(call, one, |updated| obeys(id, update, updated)).await;
        updated.map_err(|error| error.look_up(|| Lookup::Token(id.clone())))
    }

    /// Deletes a token that no plan can charge any more. Its plans are read first.
    ///
    /// The value is the gateway's response about the token. It is `None` if the response is empty, and if the response
    /// to an attempt of this call was lost and a retry found that the token does not exist.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// client.plans().cancel(&plan.plan_key).await?;
    /// client.tokens().delete(&token).await?;
    /// assert!(client.tokens().search(&TokenSearch::default()).collect_all().await?.is_empty());
    #[doc = include_str!("../example_end.md")]
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeletionRefused`](crate::ErrorKind::DeletionRefused), before anything is sent that deletes, if a plan of the
    /// token is neither canceled nor over: the gateway would let the plan stand, and decline its charges. Any other error
    /// of the look, too: plans that cannot be read are not none.
    pub async fn delete(self, id: &TokenId) -> Result<Response<Option<Token>>, Error> {
        let call = wire::delete(id);
        let _guard = self.0.guard(&call).await;
        self.check_deletion(id).await?;
        let deleted = self.0.maybe(call, one, |deleted| not_another_token(id, deleted)).await;
        deleted.map_err(|error| error.look_up(|| Lookup::Token(id.clone())))
    }

    /// The gateway's clock determines whether a term is over; this crate has no clock.
    async fn check_deletion(self, id: &TokenId) -> Result<(), Error> {
        let search = PlanSearch { token_id: Some(id.clone()), ..PlanSearch::default() };
        let mut pages = self.0.plans().search(&search).pages();
        while let Some(page) = pages.next_page().await {
            let page = page?.whole()?;
            let today = page.date().map(|now| now.date());
            let mut plans = page.into_value();
            plans.retain(|plan| plan.token_id.as_ref().is_none_or(|charged| charged == id));
            check_token_deletion(&plans, today)?;
        }
        if pages.changed() {
            return Err(
                Error::because(ErrorKind::InvalidResponse, Moved).of_operation(Operation::SearchPlans.name())
            );
        }
        Ok(())
    }
}

fn not_another_token(id: &TokenId, token: &Token) -> Result<(), Mismatch> {
    not_another("token-id", Some(id), token.token_id.as_ref())
}

/// The response has only the changed members (section 4.2 of the reference), so the id may be missing.
fn obeys(id: &TokenId, update: &TokenUpdate, updated: &Token) -> Result<(), Mismatch> {
    let TokenUpdateFields { customer_key, status, description: _ } = update.fields();
    if *updated == Token::default() {
        return Err(Mismatch("token"));
    }
    not_another_token(id, updated)?;
    as_requested("customer-key", customer_key, updated.customer_key.as_ref())?;
    as_requested("status", status, updated.status.as_ref())
}

/// The id must match exactly; the gateway matches ids of older vaults and days in its own way.
fn fits(search: &TokenSearch, found: &Token) -> Result<(), Mismatch> {
    not_another("token-id", search.token_id.as_ref(), found.token_id.as_ref())
}

fn one(payload: Payload) -> Option<Token> {
    match payload {
        Payload::Token(token) => Some(*token),
        Payload::Tokens(mut tokens) if tokens.len() == 1 => tokens.pop(),
        _ => None,
    }
}

fn all(payload: Payload) -> Option<Vec<Token>> {
    match payload {
        Payload::Tokens(tokens) => Some(tokens),
        Payload::Token(token) => Some(vec![*token]),
        _ => None,
    }
}
