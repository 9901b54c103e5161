//! Responses: the envelope around every response, shared by the gateway that writes it and the client that
//! reads it.

use perennial_domain::clearent::Link;

use super::link::LinkMessage;
use super::payload::{Payload, PayloadMessage};
use crate::codec;
use crate::error::{DecodeError, EncodeError, UnreadableRecord};
use crate::failure::Failure;
use crate::fields::{Unreadable, count, lenient_count, lenient_flag, owned, shown, some_text, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Many;
use crate::message::Message;
use crate::shape::Shape;
use crate::text::{Bare, Text};

/// A response of the gateway.
///
/// ```
/// use perennial_wire::{Format, Limits, clearent::{Payload, Reply}};
///
/// let body = br#"{"code":"404","status":"fail","payload":{"error":{"error-message":"Object not found",
///     "result-code":"041"},"payloadType":"error"}}"#;
/// let reply = Reply::decode(Format::Json, body, &Limits::default()).unwrap();
/// assert_eq!(reply.code, Some(404));
/// let Payload::Error(error) = &reply.payload else { panic!("an error") };
/// assert_eq!(error.message.as_deref(), Some("Object not found"));
///
/// let xml = reply.encode(Format::Xml).unwrap();
/// assert_eq!(Reply::decode(Format::Xml, &xml, &Limits::default()).unwrap(), reply);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status as the envelope repeats it.
    pub code: Option<u16>,
    /// `success`, `SUCCESS` or `fail`; its letter case differs between the services.
    pub status: Option<String>,
    /// The gateway's id of this exchange, which its support asks for.
    pub exchange_id: Option<String>,
    /// The links of the response; those of an object are with the object.
    pub links: Vec<Link>,
    /// The position of a page in its list.
    pub page: Option<Page>,
    /// The gateway's name of the payload's kind; when writing, `None` means the usual name.
    pub payload_type: Option<String>,
    /// The content of the response; of a list, the records that could be read.
    pub payload: Payload,
    /// Records of a list that could not be read. A caller that checks whether an object exists must not count them as
    /// absent.
    pub unreadable: Vec<UnreadableRecord>,
}

/// The position of a page in its list. Members that the gateway left out are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The number of the page, from 1.
    pub number: Option<u64>,
    /// The maximum number of objects on a page.
    pub size: Option<u64>,
    /// The number of objects on this page.
    pub number_of_elements: Option<u64>,
    /// The number of objects in the list.
    pub total_elements: Option<u64>,
    /// The number of pages.
    pub total_pages: Option<u64>,
    /// Whether it is the first page.
    pub first: Option<bool>,
    /// Whether it is the last page.
    pub last: Option<bool>,
}

message! {
    struct Envelope<'a> as "response" {
        code: Option<Text<'a>> = "code",
        status: Option<Text<'a>> = "status",
        exchange_id: Option<Text<'a>> = "exchange-id",
        links: Many<LinkMessage<'a>> = "links",
        page: Option<PageMessage<'a>> = "page",
        payload: Option<PayloadMessage<'a>> = "payload",
    } else payload: PayloadMessage<'a>
}

message! {
    struct PageMessage<'a> as "page" {
        first: Option<Bare<'a>> = "first",
        last: Option<Bare<'a>> = "last",
        number: Option<Bare<'a>> = "number",
        number_of_elements: Option<Bare<'a>> = "number-of-elements",
        size: Option<Bare<'a>> = "size",
        total_elements: Option<Bare<'a>> = "total-elements",
        total_pages: Option<Bare<'a>> = "total-pages",
    }
}

/// The code of an envelope, which decides whether the call was done: an invalid HTTP status is an error.
fn status_code(code: Option<Text<'_>>) -> Result<Option<u16>, Failure> {
    let code = count("code", code)?;
    let status = |code: u64| u16::try_from(code).ok().filter(|code| (100..600).contains(code));
    code.map(|code| status(code).ok_or_else(|| Failure::invalid("code"))).transpose()
}

impl Reply {
    /// The table of the response, with all possible members.
    ///
    /// ```
    /// use perennial_wire::clearent::Reply;
    ///
    /// let names: Vec<&str> = Reply::SHAPE.members.iter().map(|member| member.name).collect();
    /// assert_eq!(Reply::SHAPE.name, "response");
    /// assert_eq!(names, ["code", "status", "exchange-id", "links", "page", "payload"]);
    /// ```
    pub const SHAPE: Shape = <Envelope<'static> as Message>::SHAPE;

    /// Reads a response. An empty body, as in a 204, is a response with an empty payload.
    ///
    /// Variants seen in practice are read too: `token` for `tokenResponse`, an object beside `payloadType` without the
    /// `payload` around it, one item instead of a list, and a list of which only the payload type is present.
    pub fn decode(format: Format, body: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let Envelope { code, status, exchange_id, links, page, payload } =
            codec::decode(format, body, limits)?;
        let mut payload = payload.unwrap_or_default();
        let payload_type = owned(payload.payload_type.take());
        let mut unreadable = Unreadable::default();
        let record =
            payload.record(&mut unreadable).map_err(|failure| failure.within("payload").in_format(format))?;
        Ok(Self {
            code: status_code(code).map_err(|failure| failure.in_format(format))?,
            status: owned(status),
            exchange_id: owned(exchange_id),
            links: links.into_iter().filter_map(LinkMessage::record).collect(),
            page: page.map(PageMessage::record),
            payload: record.or_else(|| Payload::nothing_of(payload_type.as_deref()?)).unwrap_or_default(),
            payload_type,
            unreadable: unreadable.within("payload", format),
        })
    }

    /// Whether the response is in the gateway's envelope, which has a known payload or an exchange id.
    /// Another document, such as the problem details of a proxy, decodes too: unknown members are
    /// ignored.
    ///
    /// ```
    /// use perennial_wire::{Format, Limits, clearent::Reply};
    ///
    /// let is_envelope =
    ///     |body: &str| Reply::decode(Format::Json, body.as_bytes(), &Limits::default()).unwrap().is_envelope();
    /// assert!(is_envelope(r#"{"code":"404","status":"fail","exchange-id":"ID-clearent-rps-1-0b7c"}"#));
    /// assert!(is_envelope(r#"{"payload":{"error":{"error-message":"Object not found"}}}"#));
    /// assert!(!is_envelope(r#"{"type":"about:blank","title":"Not Found","status":404}"#));
    /// ```
    pub fn is_envelope(&self) -> bool {
        self.payload != Payload::Empty || self.exchange_id.is_some()
    }

    /// Writes the response, as a gateway does.
    #[cfg(feature = "gateway")]
    pub fn encode(&self, format: Format) -> Result<Vec<u8>, EncodeError> {
        let Self { code, status, exchange_id, links, page, payload_type, payload, unreadable: _ } = self;
        let mut message = PayloadMessage::from(payload);
        if format == Format::Xml {
            message.token = message.token_response.take();
        }
        message.payload_type = some_text(payload_type.as_ref()).or(payload.type_name().map(text));
        let envelope = Envelope {
            code: shown(*code),
            status: some_text(status.as_ref()),
            exchange_id: some_text(exchange_id.as_ref()),
            links: links.iter().map(LinkMessage::from).collect(),
            page: page.as_ref().map(PageMessage::from),
            payload: message.payload_type.is_some().then_some(message),
        };
        let mut body = Vec::with_capacity(2 * 1024);
        codec::encode(format, &envelope, &mut body)?;
        Ok(body)
    }
}

impl Payload {
    /// Reads a separate payload, and the gateway's name of its kind.
    #[cfg(feature = "webhook")]
    pub(super) fn decode(
        format: Format,
        payload: &[u8],
        limits: &Limits,
    ) -> Result<(Self, Option<String>), DecodeError> {
        let mut message: PayloadMessage<'_> = codec::decode(format, payload, limits)?;
        let payload_type = owned(message.payload_type.take());
        let record =
            message.record(&mut Unreadable::default()).map_err(|failure| failure.in_format(format))?;
        Ok((record.unwrap_or_default(), payload_type))
    }
}

impl<'a> From<&'a Payload> for PayloadMessage<'a> {
    fn from(payload: &'a Payload) -> Self {
        let mut message = Self::default();
        message.put(payload);
        message
    }
}

impl From<&Page> for PageMessage<'_> {
    fn from(page: &Page) -> Self {
        let Page { number, size, number_of_elements, total_elements, total_pages, first, last } = *page;
        Self {
            first: first.map(Bare::from),
            last: last.map(Bare::from),
            number: number.map(Bare::from),
            number_of_elements: number_of_elements.map(Bare::from),
            size: size.map(Bare::from),
            total_elements: total_elements.map(Bare::from),
            total_pages: total_pages.map(Bare::from),
        }
    }
}

impl PageMessage<'_> {
    fn record(self) -> Page {
        let Self { first, last, number, number_of_elements, size, total_elements, total_pages } = self;
        Page {
            number: lenient_count(number),
            size: lenient_count(size),
            number_of_elements: lenient_count(number_of_elements),
            total_elements: lenient_count(total_elements),
            total_pages: lenient_count(total_pages),
            first: lenient_flag(first),
            last: lenient_flag(last),
        }
    }
}
