//! The search for payments: the number of matches, and a page of them.

use perennial_domain::clientpay::{
    self as domain, Condition, Criteria, Group, GroupType, PageNumber, PaymentFilter, PaymentFilterFields,
    PaymentSearch, PaymentSearchFields,
};
use perennial_domain::{Rule, Violations};

use super::fields::{bare, required};
use super::payment::Payment;
use super::reply::{Envelope, Reply, document, read, refused, write};
use super::{Operation, Session};
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeError, EncodeError};
use crate::failure::Failure;
use crate::fields::{Unreadable, count as whole, lenient_count as number, set, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::{Listed, Many, Put, Read};
use crate::message::Message;
use crate::reader::{Reader, Value};
use crate::shape::{Kind, Shape};
use crate::text::{Bare, Text};
use crate::write::{Name, Write};

message! {
    struct SearchRequest<'a> as "" in any case {
        group: Option<GroupMessage<'a>> = "group",
        order_by: Many<Text<'a>> = "orderBy",
        page_number: Option<Bare<'a>> = "pageNumber",
        page_size: Option<Bare<'a>> = "pageSize",
    }
}

message! {
    struct GroupMessage<'a> as "group" in any case {
        kind: Option<Text<'a>> = "type",
        conditions: Many<ConditionMessage<'a>> = "conditions",
    }
}

message! {
    /// A group or a criterion. **Inferred**: a nested group is in a member of its name, as a criterion is.
    struct ConditionMessage<'a> as "condition" in any case {
        criteria: Option<CriteriaMessage<'a>> = "criteria",
        group: Option<Nested<'a>> = "group",
    }
}

message! {
    /// The criteria object. The vendor's table calls the operator a string, its sample has a number.
    struct CriteriaMessage<'a> as "criteria" in any case {
        field: Option<Bare<'a>> = "field",
        operator: Option<Bare<'a>> = "operator",
        value: Option<Text<'a>> = "value",
    }
}

message! {
    /// The response, **inferred**: the vendor says that it has payment objects.
    struct SearchAnswer<'a> as "" in any case with envelope: Envelope<'a> {
        count: Option<Bare<'a>> = "count",
        page_number: Option<Bare<'a>> = "pageNumber",
        page_size: Option<Bare<'a>> = "pageSize",
        payments: Option<Listed<Payment<'a>>> = "payments",
    }
}

/// A group inside a group. Its shape does not repeat that of a group, because the repetition would have no end.
#[cfg_attr(test, derive(Clone, Debug, PartialEq))]
struct Nested<'a>(Box<GroupMessage<'a>>);

impl<'de: 'a, 'a> Read<'de> for Nested<'a> {
    fn read(value: Value<'de>, from: &mut Reader<'de, '_>) -> Result<Option<Self>, Failure> {
        Ok(GroupMessage::read(value, from)?.map(|group| Self(Box::new(group))))
    }
}

impl Put for Nested<'_> {
    const KIND: Kind = Kind::Object(Shape { name: "group", members: &[] });

    fn put<W: Write>(&self, name: &'static Name, to: &mut W) -> Result<(), EncodeError> {
        self.0.put(name, to)
    }
}

/// A page of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The number of the page, from 1.
    pub page_number: Option<u64>,
    /// The maximum number of payments on a page.
    pub page_size: Option<u64>,
    /// The payments.
    pub payments: Vec<domain::Payment>,
}

/// Count: the number of payments that a search would find.
pub fn count(session: Session<'_>, filter: &PaymentFilter) -> Result<Call, EncodeError> {
    let PaymentFilterFields { group } = filter.fields();
    let message = SearchRequest { group: Some(group.into()), ..SearchRequest::default() };
    Operation::CountPayments.call(session.version)?.with_body(Format::Json, &message)
}

/// Results: this page of a search; the search's own page is ignored.
pub fn results(
    session: Session<'_>,
    search: &PaymentSearch,
    page_number: PageNumber,
) -> Result<Call, EncodeError> {
    let PaymentSearchFields { group, order_by, page_number: _, page_size } = search.fields();
    let order = order_by.map(domain::Order::as_slice).unwrap_or_default();
    let message = SearchRequest {
        group: Some(group.into()),
        order_by: order.iter().map(|word| text(word.as_str())).collect(),
        page_number: Some(u64::from(page_number.get()).into()),
        page_size: page_size.map(|size| u64::from(size.get()).into()),
    };
    Operation::SearchPayments.call(session.version)?.with_body(Format::Json, &message)
}

/// Reads the body of a count.
#[cfg(feature = "gateway")]
pub fn read_count(body: &[u8], limits: &Limits) -> Result<PaymentFilter, ReadError> {
    let SearchRequest { group, .. } = codec::decode(Format::Json, body, limits)?;
    let builder = match group {
        Some(group) => {
            PaymentFilter::builder().group(group.request().map_err(|wrong| nested("group", wrong))?)
        }
        None => PaymentFilter::builder(),
    };
    Ok(builder.accept()?)
}

/// Reads the body of results.
#[cfg(feature = "gateway")]
pub fn read_results(body: &[u8], limits: &Limits) -> Result<PaymentSearch, ReadError> {
    let SearchRequest { group, order_by, page_number, page_size } =
        codec::decode(Format::Json, body, limits)?;
    let builder = set!(PaymentSearch::builder(); page_number: bare(page_number), page_size: bare(page_size));
    let builder = if order_by.is_empty() {
        builder
    } else {
        builder.order_by(order_by.iter().map(|word| &**word).collect::<Vec<_>>())
    };
    let builder = match group {
        Some(group) => builder.group(group.request().map_err(|wrong| nested("group", wrong))?),
        None => builder,
    };
    Ok(builder.accept()?)
}

fn nested(field: &str, wrong: Violations) -> Violations {
    let mut violations = Violations::default();
    violations.nest(field, wrong);
    violations
}

/// Reads the response to a count.
pub fn decode_count(body: &[u8], limits: &Limits) -> Result<Reply<Option<u64>>, DecodeError> {
    let document = document(body, "count");
    let SearchAnswer { envelope, count, .. } = read(&document, limits)?;
    envelope.reply(whole("count", count).map_err(refused)?).map_err(refused)
}

/// Writes the response to a count.
#[cfg(feature = "gateway")]
pub fn encode_count(reply: &Reply<Option<u64>>) -> Vec<u8> {
    write(&SearchAnswer {
        envelope: reply.envelope(),
        count: reply.value.map(Bare::from),
        ..SearchAnswer::default()
    })
}

/// Reads the response to results; `None` if there is no list, as opposed to an empty one.
pub fn decode_results(body: &[u8], limits: &Limits) -> Result<Reply<Option<Found>>, DecodeError> {
    let document = document(body, "payments");
    let SearchAnswer { envelope, page_number, page_size, payments, .. } = read(&document, limits)?;
    let mut unreadable = Unreadable::default();
    let found = payments.map(|payments| Found {
        page_number: number(page_number),
        page_size: number(page_size),
        payments: unreadable.sort(payments, Message::key, Payment::report, "payments"),
    });
    let reply = envelope.reply(found).map_err(refused)?;
    Ok(Reply { unreadable: unreadable.within("", Format::Json), ..reply })
}

/// Writes the response to results.
#[cfg(feature = "gateway")]
pub fn encode_results(reply: &Reply<Option<Found>>) -> Vec<u8> {
    let mut answer = SearchAnswer { envelope: reply.envelope(), ..SearchAnswer::default() };
    if let Some(Found { page_number, page_size, payments }) = &reply.value {
        answer.page_number = page_number.map(Bare::from);
        answer.page_size = page_size.map(Bare::from);
        answer.payments = Some(payments.iter().map(Payment::of).collect());
    }
    write(&answer)
}

impl<'a> From<&'a Group> for GroupMessage<'a> {
    fn from(group: &'a Group) -> Self {
        let kind = match group.kind() {
            GroupType::And => "and",
            GroupType::Or => "or",
        };
        Self { kind: Some(text(kind)), conditions: group.conditions().iter().map(Into::into).collect() }
    }
}

impl<'a> From<&'a Condition> for ConditionMessage<'a> {
    fn from(condition: &'a Condition) -> Self {
        match condition {
            Condition::Criteria(Criteria { field, operator, value }) => Self {
                criteria: Some(CriteriaMessage {
                    field: Some(field.code().into()),
                    operator: Some(operator.code().into()),
                    value: Some(text(value.as_str())),
                }),
                group: None,
            },
            Condition::Group(group) => Self { criteria: None, group: Some(Nested(Box::new(group.into()))) },
        }
    }
}

impl GroupMessage<'_> {
    fn request(self) -> Result<Group, Violations> {
        let Self { kind, conditions } = self;
        let mut wrong = Violations::default();
        let kind = required("type", kind, &mut wrong);
        let mut read = Vec::with_capacity(conditions.len());
        for (at, condition) in conditions.into_iter().enumerate() {
            match condition.request() {
                Ok(condition) => read.push(condition),
                Err(violations) => wrong.nest(&format!("conditions[{at}]"), violations),
            }
        }
        match kind {
            Some(kind) if wrong.is_empty() => {
                Group::of(kind, read).map_err(|error| Violations::one("conditions", error.0))
            }
            _ => Err(wrong),
        }
    }
}

impl ConditionMessage<'_> {
    fn request(self) -> Result<Condition, Violations> {
        match self {
            Self { criteria: Some(_), group: Some(_) } => {
                Err(Violations::one("group", Rule::Conflict("criteria")))
            }
            Self { group: Some(group), .. } => {
                group.0.request().map(Condition::from).map_err(|wrong| nested("group", wrong))
            }
            Self { criteria, .. } => {
                criteria.unwrap_or_default().request().map_err(|wrong| nested("criteria", wrong))
            }
        }
    }
}

impl CriteriaMessage<'_> {
    fn request(self) -> Result<Condition, Violations> {
        let Self { field, operator, value } = self;
        let mut wrong = Violations::default();
        let field = required("field", bare(field), &mut wrong);
        let operator = required("operator", bare(operator), &mut wrong);
        let value = required("value", value, &mut wrong);
        match (field, operator, value) {
            (Some(field), Some(operator), Some(value)) => Ok(Criteria { field, operator, value }.into()),
            _ => Err(wrong),
        }
    }
}
