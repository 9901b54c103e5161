//! The tokens of a customer.

use perennial_domain::CardBrand;
use perennial_domain::clearent::{
    self as domain, CustomerKey, CustomerTokenUpdate, CustomerTokenUpdateBuilder, CustomerTokenUpdateFields,
    NewCustomerToken, NewCustomerTokenBuilder, NewCustomerTokenFields,
};

use super::Operation;
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::EncodeError;
use crate::fields::{padded, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::{Else, Listed};
use crate::rule::{Asks, request};
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
    /// The list of a customer's tokens. Its inner name was not seen; `customer-token` is **inferred**, `token` is read
    /// too.
    pub(crate) struct CustomerTokens<'a> as "customer-tokens" {
        customer_token: Listed<CustomerToken<'a>> = "customer-token",
        token: Else<CustomerToken<'a>> = "token",
    }
}

request! {
    CustomerToken asks NewCustomerToken, by NewCustomerTokenFields, NewCustomerTokenBuilder {
        token_id, last_four_digits, description, is_default, avs_address, avs_zip;
        gateway exp_date;
        words card_type: CardBrand
    }
}

request! {
    CustomerToken asks CustomerTokenUpdate, by CustomerTokenUpdateFields, CustomerTokenUpdateBuilder {
        token_id, description, is_default, avs_address, avs_zip
    }
}

/// `POST /rest/v2/customers/{customer-key}/tokens`
pub fn attach(format: Format, key: &CustomerKey, token: &NewCustomerToken) -> Result<Call, EncodeError> {
    let message = CustomerToken { customer_key: Some(text(key.as_str())), ..CustomerToken::from(token) };
    Operation::AttachToken.call_of(key.as_str()).with_body(format, &message)
}

/// `GET /rest/v2/customers/{customer-key}/tokens`
pub fn list(key: &CustomerKey) -> Call {
    Operation::ListCustomerTokens.call_of(key.as_str())
}

/// `PUT /rest/v2/customers/{customer-key}/tokens`
pub fn update(format: Format, key: &CustomerKey, update: &CustomerTokenUpdate) -> Result<Call, EncodeError> {
    let message = CustomerToken { customer_key: Some(text(key.as_str())), ..CustomerToken::from(update) };
    Operation::UpdateCustomerToken.call_of(key.as_str()).with_body(format, &message)
}

/// Reads the body of an attachment; the path names the customer.
#[cfg(feature = "gateway")]
pub fn read_attach(format: Format, body: &[u8], limits: &Limits) -> Result<NewCustomerToken, ReadError> {
    let mut message: CustomerToken<'_> = codec::decode(format, body, limits)?;
    message.last_four_digits = message.last_four_digits.map(|digits| padded(4, digits));
    let builder: NewCustomerTokenBuilder = message.builder();
    Ok(builder.accept()?)
}

/// Reads the body of an update; the path names the customer. Members that describe the card are ignored, because
/// they belong to the token.
#[cfg(feature = "gateway")]
pub fn read_update(format: Format, body: &[u8], limits: &Limits) -> Result<CustomerTokenUpdate, ReadError> {
    let message: CustomerToken<'_> = codec::decode(format, body, limits)?;
    let builder: CustomerTokenUpdateBuilder = message.builder();
    Ok(builder.accept()?)
}
