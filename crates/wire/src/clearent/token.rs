//! Card tokens of the vault.

use perennial_domain::clearent::{
    self as domain, NewToken, NewTokenFields, TokenId, TokenSearch, TokenUpdate, TokenUpdateBuilder,
    TokenUpdateFields,
};
use perennial_domain::{CardBrand, Violations};

use super::Operation;
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::EncodeError;
use crate::fields::{given, set, set_as_gateway, shown, some_text, text, truth};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::{Else, Listed};
use crate::query::Params;
use crate::text::{Bare, Text};

message! {
    /// A request to the vault.
    struct Request<'a> as "token" {
        card: Option<Text<'a>> = "card",
        card_type: Option<Text<'a>> = "card-type",
        exp_date: Option<Text<'a>> = "exp-date",
        csc: Option<Text<'a>> = "csc",
        avs_address: Option<Text<'a>> = "avs-address",
        avs_zip: Option<Text<'a>> = "avs-zip",
        avs_required: Option<Text<'a>> = "avs-required",
        require_avs: Option<Text<'a>> = "require-avs",
        status: Option<Text<'a>> = "status",
        description: Option<Text<'a>> = "description",
        customer_key: Option<Text<'a>> = "customer-key",
    }
}

message! {
    /// A token in a response. There is no place for the card and its code, if a gateway echoes them.
    pub(crate) struct Token<'a> as "token" of domain::Token, keyed by |token| token.token_id.as_deref(); {
        token_id: Option<Text<'a>> = "token-id",
        times_used: Option<Text<'a>> = "times-used",
        status: Option<Text<'a>> = "status" by Capitalized,
        customer_key: Option<Text<'a>> = "customer-key",
        created: Option<Text<'a>> = "created",
        updated: Option<Text<'a>> = "updated",
        exp_date: Option<Text<'a>> = "exp-date",
        last_four_digits: Option<Text<'a>> = "last-four-digits" by LastFour,
        card_type: Option<Text<'a>> = "card-type",
        description: Option<Text<'a>> = "description",
        avs_address: Option<Text<'a>> = "avs-address",
        avs_zip: Option<Text<'a>> = "avs-zip",
        is_default: Option<Bare<'a>> = "default",
        merchant_id: Option<Text<'a>> = "merchant-id",
        token_status: Option<Text<'a>> = "token-status",
    }
}

message! {
    pub(crate) struct Tokens<'a> as "tokens" {
        token: Listed<Token<'a>> = "token",
        token_response: Else<Token<'a>> = "tokenResponse",
    }
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
    let message = Request {
        card: Some(text(card.expose())),
        card_type: brand.as_ref().map(|brand| text(brand.as_str())),
        exp_date: shown(Some(exp_date)),
        csc: csc.map(|csc| text(csc.expose())),
        avs_address: some_text(avs_address),
        avs_zip: some_text(avs_zip),
        avs_required: avs_required.map(|flag| truth(flag.0)),
        require_avs: None,
        status: None,
        description: some_text(description),
        customer_key: some_text(customer_key),
    };
    Operation::CreateToken.call().with_body(format, &message)
}

/// `GET /rest/v2/tokens/{token-id}`
pub fn get(id: &TokenId) -> Call {
    Operation::GetToken.call_of(id.as_str())
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
    let target = Operation::SearchTokens
        .query()
        .with("token-id", token_id.as_ref())
        .with("merchant-legacy-token-id", merchant_legacy_token_id.as_ref())
        .with("updated-start-date", *updated_start_date)
        .with("updated-end-date", *updated_end_date)
        .with("date-filter", date_filter.as_ref())
        .paged(paging, "isDescending");
    Operation::SearchTokens.call_to(target.finish())
}

/// `PUT /rest/v2/tokens/{token-id}`
pub fn update(format: Format, id: &TokenId, update: &TokenUpdate) -> Result<Call, EncodeError> {
    let TokenUpdateFields { customer_key, status, description } = update.fields();
    let message = Request {
        status: status.map(|status| text(status.as_str())),
        description: some_text(description),
        customer_key: some_text(customer_key),
        ..Request::default()
    };
    Operation::UpdateToken.call_of(id.as_str()).with_body(format, &message)
}

/// `DELETE /rest/v2/tokens/{token-id}`
pub fn delete(id: &TokenId) -> Call {
    Operation::DeleteToken.call_of(id.as_str())
}

/// Reads the body of a create. The brand is read unchanged; the switch of the address check has the name
/// `require-avs` in newer documentation.
#[cfg(feature = "gateway")]
pub fn read_create(format: Format, body: &[u8], limits: &Limits) -> Result<NewToken, ReadError> {
    let Request {
        card,
        card_type,
        exp_date,
        csc,
        avs_address,
        avs_zip,
        avs_required,
        require_avs,
        status: _,
        description,
        customer_key,
    } = codec::decode(format, body, limits)?;
    let builder = set!(NewToken::builder();
        card: card,
        csc: csc,
        avs_address: avs_address,
        avs_zip: avs_zip,
        avs_required: given(avs_required).or(require_avs),
        description: description,
        customer_key: customer_key,
    );
    let builder = set_as_gateway!(builder; exp_date: exp_date);
    let builder = match given(card_type) {
        Some(brand) => builder.card_type(CardBrand::reported(&brand)),
        None => builder,
    };
    Ok(builder.accept()?)
}

/// Reads the body of an update; a member that a token cannot change is a violation.
#[cfg(feature = "gateway")]
pub fn read_update(format: Format, body: &[u8], limits: &Limits) -> Result<TokenUpdate, ReadError> {
    let Request {
        card,
        card_type,
        exp_date,
        csc,
        avs_address,
        avs_zip,
        avs_required,
        require_avs,
        status,
        description,
        customer_key,
    } = codec::decode(format, body, limits)?;
    let builder = set!(TokenUpdate::builder();
        status: status,
        description: description,
        customer_key: customer_key,
    );
    let fixed = [
        ("card", card),
        ("card-type", card_type),
        ("exp-date", exp_date),
        ("csc", csc),
        ("avs-address", avs_address),
        ("avs-zip", avs_zip),
        ("avs-required", avs_required),
        ("require-avs", require_avs),
    ];
    let named = fixed.into_iter().filter_map(|(name, member)| given(member).map(|_| name));
    Ok(named.fold(builder, TokenUpdateBuilder::fixed).accept()?)
}

/// Reads the query of a search.
#[cfg(feature = "gateway")]
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
