//! Card tokens of the vault.

use perennial_domain::clearent::{
    self as domain, NewToken, NewTokenFields, TokenId, TokenSearch, TokenStatus, TokenUpdate,
    TokenUpdateFields,
};
use perennial_domain::{CardBrand, Violations};

use super::call::{Call, Method, ReadError};
use super::fields::{Fault, given, key, lenient, owned, set, set_as_gateway, shown, some_text, text, truth};
use super::query::{Params, Target};
use crate::error::EncodeError;
use crate::format::{self, Format};
use crate::limits::Limits;
use crate::member::Many;
use crate::text::{Flag, Text};

const ALL: &str = "/rest/v2/tokens";
const ONE: &str = "/rest/v2/tokens/{token-id}";

message! {
    /// A token: request and record.
    pub(crate) struct Token<'a> as "token" {
        card: Option<Text<'a>> = "card",
        csc: Option<Text<'a>> = "csc",
        token_id: Option<Text<'a>> = "token-id",
        times_used: Option<Text<'a>> = "times-used",
        status: Option<Text<'a>> = "status",
        customer_key: Option<Text<'a>> = "customer-key",
        created: Option<Text<'a>> = "created",
        updated: Option<Text<'a>> = "updated",
        exp_date: Option<Text<'a>> = "exp-date",
        last_four_digits: Option<Text<'a>> = "last-four-digits",
        card_type: Option<Text<'a>> = "card-type",
        description: Option<Text<'a>> = "description",
        avs_address: Option<Text<'a>> = "avs-address",
        avs_zip: Option<Text<'a>> = "avs-zip",
        avs_required: Option<Text<'a>> = "avs-required",
        require_avs: Option<Text<'a>> = "require-avs",
        default: Option<Flag> = "default",
        merchant_id: Option<Text<'a>> = "merchant-id",
        token_status: Option<Text<'a>> = "token-status",
    }
}

message! {
    pub(crate) struct Tokens<'a> as "tokens" {
        token: Many<Token<'a>> = "token",
        token_response: Many<Token<'a>> = "tokenResponse",
    }
}

fn path(id: &TokenId) -> String {
    format!("{ALL}/{id}")
}

/// `POST /rest/v2/tokens`
pub fn create(format: Format, token: &NewToken) -> Result<Call, EncodeError> {
    let NewTokenFields {
        card,
        exp_date,
        csc,
        description,
        customer_key,
        avs_address,
        avs_zip,
        avs_required,
        card_type: _,
    } = token.fields();
    let brand = token.brand();
    let message = Token {
        card: Some(text(card.expose())),
        csc: csc.map(|csc| text(csc.expose())),
        exp_date: shown(Some(exp_date)),
        card_type: brand.as_ref().map(|brand| text(brand.as_str())),
        description: some_text(description),
        customer_key: some_text(customer_key),
        avs_address: some_text(avs_address),
        avs_zip: some_text(avs_zip),
        avs_required: avs_required.map(|flag| truth(flag.0)),
        ..Token::default()
    };
    Call::bare(Method::Post, ALL, ALL.to_owned()).with_body(format, &message)
}

/// `GET /rest/v2/tokens/{token-id}`
pub fn get(id: &TokenId) -> Call {
    Call::bare(Method::Get, ONE, path(id))
}

/// `GET /rest/v2/tokens`
pub fn search(search: &TokenSearch) -> Call {
    let TokenSearch {
        token_id,
        merchant_legacy_token_id,
        updated_start_date,
        updated_end_date,
        date_filter,
        paging,
    } = search;
    let target = Target::new(ALL)
        .with("token-id", token_id.as_ref())
        .with("merchant-legacy-token-id", merchant_legacy_token_id.as_ref())
        .with("updated-start-date", *updated_start_date)
        .with("updated-end-date", *updated_end_date)
        .with("date-filter", date_filter.as_ref())
        .paged(paging, "isDescending");
    Call::bare(Method::Get, ALL, target.finish())
}

/// `PUT /rest/v2/tokens/{token-id}`
pub fn update(format: Format, id: &TokenId, update: &TokenUpdate) -> Result<Call, EncodeError> {
    let TokenUpdateFields { customer_key, status, description } = update.fields();
    let message = Token {
        customer_key: some_text(customer_key),
        status: status.map(|status| text(status.as_str())),
        description: some_text(description),
        ..Token::default()
    };
    Call::bare(Method::Put, ONE, path(id)).with_body(format, &message)
}

/// `DELETE /rest/v2/tokens/{token-id}`
pub fn delete(id: &TokenId) -> Call {
    Call::bare(Method::Delete, ONE, path(id))
}

/// Reads the body of a create. The brand is taken as it is given.
pub fn read_create(format: Format, body: &[u8], limits: &Limits) -> Result<NewToken, ReadError> {
    let message: Token<'_> = format::decode(format, body, limits)?;
    let builder = set!(NewToken::builder();
        card: message.card,
        csc: message.csc,
        description: message.description,
        customer_key: message.customer_key,
        avs_address: message.avs_address,
        avs_zip: message.avs_zip,
        avs_required: message.avs_required.or(message.require_avs),
    );
    let builder = set_as_gateway!(builder; exp_date: message.exp_date);
    let builder = match given(message.card_type) {
        Some(brand) => builder.card_type(CardBrand::reported(&brand)),
        None => builder,
    };
    Ok(builder.accept()?)
}

/// Reads the body of an update: a member that a token cannot change is a violation.
pub fn read_update(format: Format, body: &[u8], limits: &Limits) -> Result<TokenUpdate, ReadError> {
    let message: Token<'_> = format::decode(format, body, limits)?;
    let builder = set!(TokenUpdate::builder();
        customer_key: message.customer_key,
        status: message.status,
        description: message.description,
    );
    let fixed = [
        ("card", message.card),
        ("exp-date", message.exp_date),
        ("csc", message.csc),
        ("card-type", message.card_type),
        ("avs-address", message.avs_address),
        ("avs-zip", message.avs_zip),
        ("avs-required", message.avs_required.or(message.require_avs)),
    ];
    let builder = fixed.into_iter().fold(builder, |builder, (name, member)| match given(member) {
        Some(_) => builder.fixed(name),
        None => builder,
    });
    Ok(builder.accept()?)
}

/// Reads the query of a search.
pub fn read_search(query: &str) -> Result<TokenSearch, Violations> {
    let mut params = Params::new(query);
    let search = TokenSearch {
        token_id: params.read("token-id"),
        merchant_legacy_token_id: params.text("merchant-legacy-token-id"),
        updated_start_date: params.read("updated-start-date"),
        updated_end_date: params.read("updated-end-date"),
        date_filter: params.text("date-filter"),
        paging: params.paging(),
    };
    params.finish(search)
}

impl<'a> From<&'a domain::Token> for Token<'a> {
    fn from(token: &'a domain::Token) -> Self {
        let domain::Token {
            token_id,
            customer_key,
            status,
            description,
            card_type,
            last_four_digits,
            exp_date,
            avs_address,
            avs_zip,
            is_default,
            times_used,
            created,
            updated,
            token_status,
            merchant_id,
        } = token;
        Self {
            token_id: some_text(token_id.as_ref()),
            times_used: shown(*times_used),
            status: status.as_ref().map(|status| text(status.as_str())),
            customer_key: some_text(customer_key.as_ref()),
            created: some_text(created.as_ref()),
            updated: some_text(updated.as_ref()),
            exp_date: shown(*exp_date),
            last_four_digits: some_text(last_four_digits.as_ref()),
            card_type: card_type.as_ref().map(|brand| text(brand.as_str())),
            description: some_text(description.as_ref()),
            avs_address: some_text(avs_address.as_ref()),
            avs_zip: some_text(avs_zip.as_ref()),
            default: *is_default,
            merchant_id: some_text(merchant_id.as_ref()),
            token_status: some_text(token_status.as_ref()),
            card: None,
            csc: None,
            avs_required: None,
            require_avs: None,
        }
    }
}

impl Token<'_> {
    /// The record; a card or code that a gateway echoes is dropped.
    pub(crate) fn record(self) -> Result<domain::Token, Fault> {
        Ok(domain::Token {
            token_id: key("token-id", self.token_id)?,
            customer_key: key("customer-key", self.customer_key)?,
            status: given(self.status).map(|status| TokenStatus::reported(&status)),
            description: owned(self.description),
            card_type: given(self.card_type).map(|brand| CardBrand::reported(&brand)),
            last_four_digits: owned(self.last_four_digits),
            exp_date: lenient(self.exp_date),
            avs_address: owned(self.avs_address),
            avs_zip: owned(self.avs_zip),
            is_default: self.default,
            times_used: given(self.times_used).and_then(|times| times.parse().ok()),
            created: owned(self.created),
            updated: owned(self.updated),
            token_status: owned(self.token_status),
            merchant_id: owned(self.merchant_id),
        })
    }
}

impl<'a> From<&'a [domain::Token]> for Tokens<'a> {
    fn from(tokens: &'a [domain::Token]) -> Self {
        Self { token: tokens.iter().map(Token::from).collect(), token_response: Many::new() }
    }
}
