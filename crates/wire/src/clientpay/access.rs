//! Access ids, request ids, and the requests for them.

use perennial_domain::Violations;
use perennial_domain::clientpay::{
    AccessId, Credentials, CredentialsBuilder, CredentialsFields, CustomerCredentials,
    CustomerCredentialsBuilder, CustomerCredentialsFields, RequestId,
};

use super::fields::{id, required};
use super::reply::{Envelope, Reply, document, read, refused, write};
use super::{Operation, Session, Version};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::fields::{flag, given, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::rule::{Asks, request};
use crate::text::{Bare, Text};

message! {
    /// The credentials of a request for an access id; version 1.0 also has the id itself in the body.
    struct AccessRequest<'a> as "" in any case {
        access_id: Option<Text<'a>> = "accessId",
        integrator_key: Option<Text<'a>> = "integratorKey",
        account_key: Option<Text<'a>> = "accountKey",
        account_pin: Option<Text<'a>> = "accountPin",
        customer_key: Option<Text<'a>> = "customerKey",
        customer_pin: Option<Text<'a>> = "customerPin",
    }
}

message! {
    /// The response, **inferred** except for the names of the ids.
    struct AccessAnswer<'a> as "" in any case with envelope: Envelope<'a> {
        access_id: Option<Text<'a>> = "accessId",
        customer_access_id: Option<Text<'a>> = "customerAccessId",
        request_id: Option<Text<'a>> = "requestId",
        is_valid: Option<Bare<'a>> = "isValid",
    }
}

request! {
    AccessRequest asks Credentials, by CredentialsFields, CredentialsBuilder {
        integrator_key, account_key, account_pin
    }
}

request! {
    AccessRequest asks CustomerCredentials, by CustomerCredentialsFields, CustomerCredentialsBuilder {
        integrator_key, customer_key, customer_pin
    }
}

/// New access id. The previous id stops working.
pub fn new(version: Version, credentials: &Credentials) -> Result<Call, EncodeError> {
    with_credentials(Operation::NewAccessId, version, credentials)
}

/// Current access id: changes nothing.
pub fn current(version: Version, credentials: &Credentials) -> Result<Call, EncodeError> {
    with_credentials(Operation::CurrentAccessId, version, credentials)
}

/// Validate credentials, of version 1.0 only.
pub fn validate_credentials(version: Version, credentials: &Credentials) -> Result<Call, EncodeError> {
    with_credentials(Operation::ValidateCredentials, version, credentials)
}

fn with_credentials(
    route: Operation,
    version: Version,
    credentials: &Credentials,
) -> Result<Call, EncodeError> {
    route.call(version)?.with_body(Format::Json, &AccessRequest::from(credentials))
}

/// New customer access id, of version 2 only.
pub fn new_for_customer(version: Version, credentials: &CustomerCredentials) -> Result<Call, EncodeError> {
    let message = AccessRequest::from(credentials);
    Operation::NewCustomerAccessId.call(version)?.with_body(Format::Json, &message)
}

/// Validate access id.
pub fn validate(session: Session<'_>) -> Result<Call, EncodeError> {
    with_access_id(Operation::ValidateAccessId, session)
}

/// Expire access id.
pub fn expire(session: Session<'_>) -> Result<Call, EncodeError> {
    with_access_id(Operation::ExpireAccessId, session)
}

/// Generate request id. Its page alone names the header of the access id `Authorization`.
pub fn new_request_id(session: Session<'_>) -> Result<Call, EncodeError> {
    with_access_id(Operation::NewRequestId, session)
}

/// A call with an access id. It has no body in versions in which the id is a header.
fn with_access_id(route: Operation, session: Session<'_>) -> Result<Call, EncodeError> {
    let call = route.call(session.version)?;
    match session.in_body() {
        Some(id) => {
            let message = AccessRequest { access_id: Some(id), ..AccessRequest::default() };
            call.with_body(Format::Json, &message)
        }
        None => Ok(call),
    }
}

/// Reads the body of new, current and validate credentials.
#[cfg(feature = "gateway")]
pub fn read_credentials(body: &[u8], limits: &Limits) -> Result<Credentials, ReadError> {
    let request: AccessRequest<'_> = codec::decode(Format::Json, body, limits)?;
    Ok(request.onto(Credentials::builder()).accept()?)
}

/// Reads the body of new customer access id.
#[cfg(feature = "gateway")]
pub fn read_customer_credentials(body: &[u8], limits: &Limits) -> Result<CustomerCredentials, ReadError> {
    let request: AccessRequest<'_> = codec::decode(Format::Json, body, limits)?;
    Ok(request.onto(CustomerCredentials::builder()).accept()?)
}

/// Reads the access id in a body of version 1.0, of any operation.
#[cfg(feature = "gateway")]
pub fn read_access_id(body: &[u8], limits: &Limits) -> Result<AccessId, ReadError> {
    let AccessRequest { access_id, .. } = codec::decode(Format::Json, body, limits)?;
    let mut wrong = Violations::default();
    required("accessId", access_id, &mut wrong).ok_or(wrong.into())
}

/// Reads the response to new and current: `None` if there is no id.
pub fn decode_access_id(body: &[u8], limits: &Limits) -> Result<Reply<Option<AccessId>>, DecodeError> {
    let document = document(body, "accessId");
    let AccessAnswer { envelope, access_id, customer_access_id, .. } = read(&document, limits)?;
    let access_id = id("accessId", given(access_id).or(customer_access_id)).map_err(refused)?;
    envelope.reply(access_id).map_err(refused)
}

/// Writes the response to new and current.
#[cfg(feature = "gateway")]
pub fn encode_access_id(reply: &Reply<Option<AccessId>>) -> Vec<u8> {
    let access_id = reply.value.as_ref().map(|id| text(id.expose()));
    write(&AccessAnswer { envelope: reply.envelope(), access_id, ..AccessAnswer::default() })
}

/// Writes the response to new customer access id, which [`decode_access_id`] reads too.
#[cfg(feature = "gateway")]
pub fn encode_customer_access_id(reply: &Reply<Option<AccessId>>) -> Vec<u8> {
    let customer_access_id = reply.value.as_ref().map(|id| text(id.expose()));
    write(&AccessAnswer { envelope: reply.envelope(), customer_access_id, ..AccessAnswer::default() })
}

/// Reads the response to generate request id.
pub fn decode_request_id(body: &[u8], limits: &Limits) -> Result<Reply<Option<RequestId>>, DecodeError> {
    let document = document(body, "requestId");
    let AccessAnswer { envelope, request_id, .. } = read(&document, limits)?;
    envelope.reply(id("requestId", request_id).map_err(refused)?).map_err(refused)
}

/// Writes the response to generate request id.
#[cfg(feature = "gateway")]
pub fn encode_request_id(reply: &Reply<Option<RequestId>>) -> Vec<u8> {
    let request_id = reply.value.as_ref().map(|id| text(id.expose()));
    write(&AccessAnswer { envelope: reply.envelope(), request_id, ..AccessAnswer::default() })
}

/// Reads the response to validate: whether the id or the credentials are valid.
pub fn decode_validity(body: &[u8], limits: &Limits) -> Result<Reply<Option<bool>>, DecodeError> {
    let document = document(body, "isValid");
    let AccessAnswer { envelope, is_valid, .. } = read(&document, limits)?;
    envelope.reply(flag("isValid", is_valid).map_err(refused)?).map_err(refused)
}

/// Writes the response to validate.
#[cfg(feature = "gateway")]
pub fn encode_validity(reply: &Reply<Option<bool>>) -> Vec<u8> {
    write(&AccessAnswer {
        envelope: reply.envelope(),
        is_valid: reply.value.map(Bare::from),
        ..AccessAnswer::default()
    })
}

/// Reads a response without a value, to expire and delete.
pub fn decode_done(body: &[u8], limits: &Limits) -> Result<Reply<()>, DecodeError> {
    let document = document(body, "message");
    let envelope: Envelope<'_> = read(&document, limits)?;
    envelope.reply(()).map_err(refused)
}

/// Writes a response without a value: a success, or a refusal.
#[cfg(feature = "gateway")]
pub fn encode_done(reply: &Reply<()>) -> Vec<u8> {
    write(&reply.envelope())
}
