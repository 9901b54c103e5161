//! The tokens of a customer.

use perennial_domain::CardBrand;
use perennial_domain::clearent::{
    self as domain, CustomerKey, CustomerTokenUpdate, CustomerTokenUpdateFields, NewCustomerToken,
    NewCustomerTokenFields,
};

use super::Operation;
use crate::call::{Call, ReadError};
use crate::error::EncodeError;
use crate::fields::{given, padded, set, set_as_gateway, shown, some_text, text};
use crate::format::{self, Format};
use crate::limits::Limits;
use crate::member::{Else, Listed};
use crate::text::{Bare, Text};

message! {
    /// A customer's token: request and record.
    pub(crate) struct CustomerToken<'a> as "customer-token" of domain::CustomerToken, keyed by |token| token.token_id.as_deref(); {
        card_type: Option<Text<'a>> = "card-type",
        exp_date: Option<Text<'a>> = "exp-date",
        last_four_digits: Option<Text<'a>> = "last-four-digits" by LastFour,
        token_id: Option<Text<'a>> = "token-id",
        customer_key: Option<Text<'a>> = "customer-key",
        description: Option<Text<'a>> = "description",
        is_default: Option<Bare<'a>> = "default",
        avs_address: Option<Text<'a>> = "avs-address",
        avs_zip: Option<Text<'a>> = "avs-zip",
    }
}

message! {
    /// The inner name was not seen; `customer-token` is **inferred**, `token` is read too.
    pub(crate) struct CustomerTokens<'a> as "customer-tokens" {
        customer_token: Listed<CustomerToken<'a>> = "customer-token",
        token: Else<CustomerToken<'a>> = "token",
    }
}

/// `POST /rest/v2/customers/{customer-key}/tokens`
pub fn attach(format: Format, key: &CustomerKey, token: &NewCustomerToken) -> Result<Call, EncodeError> {
    let NewCustomerTokenFields {
        token_id,
        exp_date,
        card_type,
        last_four_digits,
        description,
        is_default,
        avs_address,
        avs_zip,
    } = token.fields();
    let message = CustomerToken {
        customer_key: Some(text(key.as_str())),
        token_id: Some(text(token_id.as_str())),
        exp_date: shown(exp_date),
        card_type: card_type.map(|brand| text(brand.as_str())),
        last_four_digits: last_four_digits.map(|digits| text(digits.as_str())),
        description: some_text(description),
        is_default: is_default.map(|flag| flag.0.into()),
        avs_address: some_text(avs_address),
        avs_zip: some_text(avs_zip),
    };
    Operation::AttachToken.call_of(key.as_str()).with_body(format, &message)
}

/// `GET /rest/v2/customers/{customer-key}/tokens`
pub fn list(key: &CustomerKey) -> Call {
    Operation::ListCustomerTokens.call_of(key.as_str())
}

/// `PUT /rest/v2/customers/{customer-key}/tokens`
pub fn update(format: Format, key: &CustomerKey, update: &CustomerTokenUpdate) -> Result<Call, EncodeError> {
    let CustomerTokenUpdateFields { token_id, description, is_default, avs_address, avs_zip } =
        update.fields();
    let message = CustomerToken {
        customer_key: Some(text(key.as_str())),
        token_id: Some(text(token_id.as_str())),
        description: some_text(description),
        is_default: is_default.map(|flag| flag.0.into()),
        avs_address: some_text(avs_address),
        avs_zip: some_text(avs_zip),
        ..CustomerToken::default()
    };
    Operation::UpdateCustomerToken.call_of(key.as_str()).with_body(format, &message)
}

/// Reads the body of an attachment; the customer is the one of the path.
pub fn read_attach(format: Format, body: &[u8], limits: &Limits) -> Result<NewCustomerToken, ReadError> {
    let CustomerToken {
        card_type,
        exp_date,
        last_four_digits,
        token_id,
        customer_key: _,
        description,
        is_default,
        avs_address,
        avs_zip,
    } = format::decode(format, body, limits)?;
    let builder = set!(NewCustomerToken::builder();
        token_id: token_id,
        last_four_digits: last_four_digits.map(|digits| padded(4, digits)),
        description: description,
        is_default: is_default.map(Text::from),
        avs_address: avs_address,
        avs_zip: avs_zip,
    );
    let builder = set_as_gateway!(builder; exp_date: exp_date);
    let builder = match given(card_type) {
        Some(brand) => builder.card_type(CardBrand::reported(&brand)),
        None => builder,
    };
    Ok(builder.accept()?)
}

/// Reads the body of an update; the customer is the one of the path. What describes the card is passed over, because
/// it goes with the token.
pub fn read_update(format: Format, body: &[u8], limits: &Limits) -> Result<CustomerTokenUpdate, ReadError> {
    let CustomerToken {
        card_type: _,
        exp_date: _,
        last_four_digits: _,
        token_id,
        customer_key: _,
        description,
        is_default,
        avs_address,
        avs_zip,
    } = format::decode(format, body, limits)?;
    let builder = set!(CustomerTokenUpdate::builder();
        token_id: token_id,
        description: description,
        is_default: is_default.map(Text::from),
        avs_address: avs_address,
        avs_zip: avs_zip,
    );
    Ok(builder.accept()?)
}
