use super::code::code;
use super::ranged::ranged;
use super::{PaymentId, UsedRequestId};
use crate::{InvalidValue, Rule, Text, builder::unlisted_request as request, open::open};

code! {
    /// The member that a criterion compares (criteria object).
    pub enum Field one of "1 (RequestId), 2 (PaymentId), 3 (SessionId), 4 (PaymentDate)" {
        /// The id of the request that made the payment.
        RequestId = 1 | "RequestId",
        /// The id of the payment.
        PaymentId = 2 | "PaymentId",
        /// Your own reference.
        SessionId = 3 | "SessionId",
        /// The time of the payment: `yyyy-mm-dd`, or a time in ISO 8601.
        PaymentDate = 4 | "PaymentDate",
    }
}

code! {
    /// The comparison of a criterion.
    pub enum Operator one of "1 (eq), 2 (ne), 3 (gt), 4 (lt), 5 (gte), 6 (lte)" {
        /// Equal.
        Is = 1 | "eq",
        /// Not equal.
        IsNot = 2 | "ne",
        /// Greater or later.
        Above = 3 | "gt",
        /// Less or earlier.
        Below = 4 | "lt",
        /// Equal, greater or later.
        AtLeast = 5 | "gte",
        /// Equal, less or earlier.
        AtMost = 6 | "lte",
    }
}

code! {
    /// The combination of the conditions of a group. The numbers are ours; the wire has the words.
    pub enum GroupType one of "and, or" {
        /// All conditions must hold.
        And = 1 | "and",
        /// At least one condition must hold.
        Or = 2 | "or",
    }
}

/// A comparison of one member of a payment with a value.
///
/// ```
/// use perennial_domain::clientpay::{Criteria, Field, Group, Operator};
///
/// let since = Criteria::new(Field::PaymentDate, Operator::AtLeast, "2024-03-01").unwrap();
/// let session = Criteria::new(Field::SessionId, Operator::Is, "S-88213").unwrap();
/// let payment = Criteria::new(Field::PaymentId, Operator::Is, "20411875").unwrap();
/// let either: Group = Group::from(session).or(payment);
/// assert_eq!(Group::from(since).and(either).conditions().len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criteria {
    /// The member to compare.
    pub field: Field,
    /// The comparison.
    pub operator: Operator,
    /// The value to compare with.
    pub value: Text,
}

impl Criteria {
    /// Creates a criterion.
    pub fn new<V>(field: Field, operator: Operator, value: V) -> Result<Self, InvalidValue>
    where
        V: TryInto<Text>,
        V::Error: Into<InvalidValue>,
    {
        Ok(Self { field, operator, value: value.try_into().map_err(Into::into)? })
    }

    /// Matches payments made by this request.
    pub fn request_id(id: &UsedRequestId) -> Self {
        Self { field: Field::RequestId, operator: Operator::Is, value: id.into() }
    }

    /// Matches this payment.
    pub fn payment_id(id: &PaymentId) -> Self {
        Self { field: Field::PaymentId, operator: Operator::Is, value: id.into() }
    }
}

/// A criterion, or a group of conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// A criterion.
    Criteria(Criteria),
    /// A group.
    Group(Group),
}

impl Condition {
    /// The number of groups nested in each other here.
    fn depth(&self) -> usize {
        match self {
            Self::Criteria(_) => 0,
            Self::Group(group) => group.depth,
        }
    }
}

impl From<Criteria> for Condition {
    fn from(criteria: Criteria) -> Self {
        Self::Criteria(criteria)
    }
}

impl From<Group> for Condition {
    fn from(group: Group) -> Self {
        Self::Group(group)
    }
}

/// One or more conditions in combination. The nesting on the wire is **inferred**: the vendor shows a criterion, and
/// says that groups may be nested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    kind: GroupType,
    conditions: Vec<Condition>,
    depth: usize,
}

impl Group {
    /// The maximum depth of nested groups. The vendor documents no limit; this one is ours.
    pub const MAX_DEPTH: usize = 8;

    /// Creates a group of these conditions; an error if there are none.
    pub fn of(kind: GroupType, conditions: Vec<Condition>) -> Result<Self, InvalidValue> {
        let depth = 1 + conditions.iter().map(Condition::depth).max().ok_or(Rule::Required)?;
        Ok(Self { kind, conditions, depth })
    }

    /// The combination of the conditions.
    pub fn kind(&self) -> GroupType {
        self.kind
    }

    /// The conditions; at least one.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Returns a group that requires this condition and the other one.
    #[must_use]
    pub fn and(self, condition: impl Into<Condition>) -> Self {
        self.join(GroupType::And, condition.into())
    }

    /// Returns a group that requires this condition or the other one.
    #[must_use]
    pub fn or(self, condition: impl Into<Condition>) -> Self {
        self.join(GroupType::Or, condition.into())
    }

    fn join(mut self, kind: GroupType, condition: Condition) -> Self {
        if let [_] = self.conditions.as_slice() {
            self.kind = kind;
        }
        if self.kind == kind {
            self.depth = self.depth.max(1 + condition.depth());
            self.conditions.push(condition);
            return self;
        }
        let depth = 1 + self.depth.max(condition.depth());
        Self { kind, conditions: vec![self.into(), condition], depth }
    }

    fn check(&self) -> Result<(), InvalidValue> {
        if self.depth > Self::MAX_DEPTH { Err(Rule::TooDeep { max: Self::MAX_DEPTH }.into()) } else { Ok(()) }
    }
}

impl From<Criteria> for Group {
    fn from(criteria: Criteria) -> Self {
        Self { kind: GroupType::And, conditions: vec![criteria.into()], depth: 1 }
    }
}

open! {
    /// The member by which payments are ordered, always ascending.
    pub struct OrderBy one of "paymentDate, paymentId, sessionId, requestId" {
        /// The time of the payment; the gateway's default.
        PAYMENT_DATE = "paymentDate",
        /// The id of the payment.
        PAYMENT_ID = "paymentId",
        /// Your own reference.
        SESSION_ID = "sessionId",
        /// The id of the request that made the payment.
        REQUEST_ID = "requestId",
    }
}

/// The members by which payments are ordered; each one orders payments that are equal in the previous ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order(Vec<OrderBy>);

impl Order {
    /// The members, first to last.
    pub fn as_slice(&self) -> &[OrderBy] {
        &self.0
    }
}

impl From<OrderBy> for Order {
    fn from(order: OrderBy) -> Self {
        Self(vec![order])
    }
}

impl TryFrom<Vec<&str>> for Order {
    type Error = InvalidValue;

    fn try_from(words: Vec<&str>) -> Result<Self, Self::Error> {
        words.into_iter().map(OrderBy::try_from).collect::<Result<_, _>>().map(Self)
    }
}

ranged! {
    /// A page of a search, counted from 1.
    pub struct PageNumber from 1 to 4_294_967_295;
}

ranged! {
    /// The number of payments per page: at most 100, which is also the gateway's default.
    pub struct PageSize from 1 to 100;
}

request! {
    /// Criteria for counting the payments of the merchant account, including payments that were not made through the
    /// API.
    #[derive(Clone, PartialEq, Eq)]
    pub struct PaymentFilter, PaymentFilterFields, PaymentFilterBuilder {
        required {
            /// The conditions for the payments; required.
            group: Group = "group",
        }
    }
    check |filter, violations| {
        if let Some(Err(deep)) = filter.group.as_ref().map(Group::check) {
            violations.add("group", deep.0);
        }
    };
}

request! {
    /// Criteria and order for finding payments (results page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct PaymentSearch, PaymentSearchFields, PaymentSearchBuilder {
        required {
            /// The conditions for the payments; required.
            group: Group = "group",
        }
        optional {
            /// The order.
            order_by: Order = "orderBy",
            /// The page; the default is the first.
            page_number: PageNumber = "pageNumber",
            /// The number of payments per page.
            page_size: PageSize = "pageSize",
        }
    }
    check |search, violations| {
        if let Some(Err(deep)) = search.group.as_ref().map(Group::check) {
            violations.add("group", deep.0);
        }
    };
}
