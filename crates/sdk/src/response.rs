//! The result of an operation: its value, and metadata of the response.

use std::fmt;
use std::mem;
use std::ops::Deref;

use http::{HeaderMap, header};
use perennial_domain::clearent::Link;
use perennial_domain::{NaiveDateTime, http_date};
use perennial_transport::{Delivery, retry_after};
use perennial_wire::UnreadableRecord;

use crate::{Error, ErrorKind, PageInfo};

/// The response to an operation. It dereferences to its value.
///
/// ```
/// # use perennial::{Response, clearent::Customer};
/// fn greet(customer: &Response<Customer>) -> String {
///     let name = customer.first_name.as_deref().unwrap_or("customer");
///     format!("{name}, exchange {}", customer.exchange_id().unwrap_or("without a number"))
/// }
/// ```
#[derive(Clone)]
pub struct Response<T> {
    value: T,
    about: Box<About>,
}

/// The metadata of a response.
#[derive(Clone)]
pub(crate) struct About {
    pub(crate) operation: &'static str,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) exchange_id: Option<String>,
    pub(crate) links: Vec<Link>,
    pub(crate) page: Option<PageInfo>,
    pub(crate) unreadable: Vec<UnreadableRecord>,
    pub(crate) payload_type: Option<String>,
    pub(crate) attempts: u32,
}

impl About {
    pub(crate) fn into_error(self, kind: ErrorKind, operation: &'static str) -> Error {
        let Self { status, headers, exchange_id, attempts, .. } = self;
        let error = Error::new(kind).of_operation(operation);
        error.sent(attempts, Delivery::Answered).answered(status, exchange_id).later(retry_after(&headers))
    }
}

impl<T> Response<T> {
    pub(crate) fn new(value: T, about: About) -> Self {
        Self { value, about: Box::new(about) }
    }

    /// Converts to the error for a response whose value is not sufficient.
    pub(crate) fn into_error(self, kind: ErrorKind) -> Error {
        let operation = self.about.operation;
        self.about.into_error(kind, operation)
    }

    /// Returns the value, owned.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The HTTP status: 201 for a created customer or plan, 402 for a declined sale, 200 for most others.
    pub fn status(&self) -> u16 {
        self.about.status
    }

    /// The gateway's id of this exchange, which its support asks for.
    pub fn exchange_id(&self) -> Option<&str> {
        self.about.exchange_id.as_deref()
    }

    /// The links of the response; the links of an object are in the object. Links are only read and never followed.
    pub fn links(&self) -> &[Link] {
        &self.about.links
    }

    /// The position of this page in its list.
    pub fn page(&self) -> Option<&PageInfo> {
        self.about.page.as_ref()
    }

    /// The records of a list that could not be read. A [`List`](crate::List) has an error in the place of each.
    pub fn unreadable(&self) -> &[UnreadableRecord] {
        &self.about.unreadable
    }

    /// The error for a record that could not be read.
    fn unreadable_error(&self, record: &UnreadableRecord) -> Error {
        let About { operation, status, exchange_id, attempts, .. } = &*self.about;
        let error = Error::because(ErrorKind::InvalidResponse, record.clone()).of_operation(operation);
        error.sent(*attempts, Delivery::Answered).answered(*status, exchange_id.clone())
    }

    /// The gateway's name for the content: `customer`, `tokens`, `errorTransaction`.
    pub fn payload_type(&self) -> Option<&str> {
        self.about.payload_type.as_deref()
    }

    /// The headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.about.headers
    }

    /// The time of the response by the gateway's clock, in UTC: its header `Date`. The sandbox uses the time of its
    /// world.
    pub fn date(&self) -> Option<NaiveDateTime> {
        self.headers().get(header::DATE)?.to_str().ok().and_then(http_date)
    }

    /// The number of times that the request was sent: more than once only if a retry is harmless.
    pub fn attempts(&self) -> u32 {
        self.about.attempts
    }

    /// Returns the response with these records that could not be read.
    pub(crate) fn beside(mut self, unreadable: Vec<UnreadableRecord>) -> Self {
        self.about.unreadable = unreadable;
        self
    }

    /// Returns the response as this page of a list.
    pub(crate) fn on_page(mut self, page: PageInfo) -> Self {
        self.about.page = Some(page);
        self
    }

    /// Returns the response with another value.
    pub fn map<U>(self, value: impl FnOnce(T) -> U) -> Response<U> {
        Response { value: value(self.value), about: self.about }
    }
}

impl<T> Response<Vec<T>> {
    /// Returns the records of a page in order, with an error in the place of each that could not be read.
    pub fn each(self) -> Response<Vec<Result<T, Error>>> {
        let unreadable = self.unreadable().iter();
        let errors: Vec<(usize, Error)> =
            unreadable.map(|record| (record.index(), self.unreadable_error(record))).collect();
        self.map(|records| {
            let mut each: Vec<Result<T, Error>> = records.into_iter().map(Ok).collect();
            for (index, error) in errors {
                each.insert(index.min(each.len()), Err(error));
            }
            each
        })
    }

    /// Returns the records, or the error of the first that could not be read.
    pub(crate) fn whole(self) -> Result<Self, Error> {
        match self.unreadable().first() {
            Some(record) => Err(self.unreadable_error(record)),
            None => Ok(self),
        }
    }

    /// Returns the page with only the records to keep, readable or not.
    pub(crate) fn keep(mut self, mut keep: impl FnMut(Result<&T, &UnreadableRecord>) -> bool) -> Self {
        let mut records = mem::take(&mut self.value).into_iter();
        let mut unreadable = mem::take(&mut self.about.unreadable).into_iter().peekable();
        for place in 0.. {
            let is_next = unreadable.peek().is_some_and(|record| record.index() <= place);
            if let Some(record) = if is_next { None } else { records.next() } {
                if keep(Ok(&record)) {
                    self.value.push(record);
                }
            } else if let Some(record) = unreadable.next() {
                if keep(Err(&record)) {
                    let index = self.value.len() + self.about.unreadable.len();
                    self.about.unreadable.push(record.at(index));
                }
            } else {
                break;
            }
        }
        self
    }

    /// Whether there is no record, readable or not.
    pub(crate) fn is_nothing(&self) -> bool {
        self.value.is_empty() && self.unreadable().is_empty()
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Omits headers and links: they are text of the gateway, and may repeat sent data.
impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.about.status)
            .field("exchange_id", &self.about.exchange_id)
            .field("attempts", &self.about.attempts)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}
