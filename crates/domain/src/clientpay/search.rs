use super::code::code;
use super::ranged::ranged;
use super::{PaymentId, UsedRequestId};
use crate::{InvalidValue, Rule, Text, builder::unlisted_request as request, open::open};

code! {
    /// What a criterion looks at (criteria object).
    pub enum Field one of "1 (RequestId), 2 (PaymentId), 3 (SessionId), 4 (PaymentDate)" {
        /// The request that made the payment.
        RequestId = 1 | "RequestId",
        /// The payment.
        PaymentId = 2 | "PaymentId",
        /// Your own reference.
        SessionId = 3 | "SessionId",
        /// When it was made: `yyyy-mm-dd`, or a moment of ISO 8601.
        PaymentDate = 4 | "PaymentDate",
    }
}

code! {
    /// How a criterion compares.
    pub enum Operator one of "1 (eq), 2 (ne), 3 (gt), 4 (lt), 5 (gte), 6 (lte)" {
        /// It is this.
        Is = 1 | "eq",
        /// It is not this.
        IsNot = 2 | "ne",
        /// It is greater or later.
        Above = 3 | "gt",
        /// It is less or earlier.
        Below = 4 | "lt",
        /// It is this, greater or later.
        AtLeast = 5 | "gte",
        /// It is this, less or earlier.
        AtMost = 6 | "lte",
    }
}

code! {
    /// How the conditions of a group belong together. The numbers are ours; the wire has the words.
    pub enum GroupType one of "and, or" {
        /// All must hold.
        And = 1 | "and",
        /// One must hold.
        Or = 2 | "or",
    }
}

/// One thing that a payment must be.
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
    /// What is looked at.
    pub field: Field,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: Text,
}

impl Criteria {
    /// A criterion.
    pub fn new<V>(field: Field, operator: Operator, value: V) -> Result<Self, InvalidValue>
    where
        V: TryInto<Text>,
        V::Error: Into<InvalidValue>,
    {
        Ok(Self { field, operator, value: value.try_into().map_err(Into::into)? })
    }

    /// Payments that this request made.
    pub fn request_id(id: &UsedRequestId) -> Self {
        Self { field: Field::RequestId, operator: Operator::Is, value: id.into() }
    }

    /// This payment.
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
    /// How many groups lie inside one another here.
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

/// One or more conditions that belong together. The nesting of the wire is **inferred**: the vendor shows a
/// criterion, and says that groups may lie in one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    kind: GroupType,
    conditions: Vec<Condition>,
    depth: usize,
}

impl Group {
    /// How many groups may lie inside one another. The vendor names no limit; this one is ours.
    pub const MAX_DEPTH: usize = 8;

    /// A group of these conditions, if there are any.
    pub fn of(kind: GroupType, conditions: Vec<Condition>) -> Result<Self, InvalidValue> {
        let depth = 1 + conditions.iter().map(Condition::depth).max().ok_or(Rule::Required)?;
        Ok(Self { kind, conditions, depth })
    }

    /// How the conditions belong together.
    pub fn kind(&self) -> GroupType {
        self.kind
    }

    /// The conditions; at least one.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// This, and also that.
    #[must_use]
    pub fn and(self, condition: impl Into<Condition>) -> Self {
        self.join(GroupType::And, condition.into())
    }

    /// This, or that.
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
    /// What payments are ordered by, always ascending.
    pub struct OrderBy one of "paymentDate, paymentId, sessionId, requestId" {
        /// When they were made; the gateway's default.
        PAYMENT_DATE = "paymentDate",
        /// Their id.
        PAYMENT_ID = "paymentId",
        /// Your own reference.
        SESSION_ID = "sessionId",
        /// The request that made them.
        REQUEST_ID = "requestId",
    }
}

/// What payments are ordered by, and those that are equal there by the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order(Vec<OrderBy>);

impl Order {
    /// What is ordered by, first to last.
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
    /// How many payments a page has: 100 at most, which is also the gateway's default.
    pub struct PageSize from 1 to 100;
}

request! {
    /// Which payments to count: of the merchant account, whether made through the API or not.
    #[derive(Clone, PartialEq, Eq)]
    pub struct PaymentFilter, PaymentFilterFields, PaymentFilterBuilder {
        required {
            /// What they must be; required.
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
    /// Which payments to find, and in which order (results page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct PaymentSearch, PaymentSearchFields, PaymentSearchBuilder {
        required {
            /// What they must be; required.
            group: Group = "group",
        }
        optional {
            /// What they are ordered by.
            order_by: Order = "orderBy",
            /// The page; the first unless it is given.
            page_number: PageNumber = "pageNumber",
            /// How many payments a page has.
            page_size: PageSize = "pageSize",
        }
    }
    check |search, violations| {
        if let Some(Err(deep)) = search.group.as_ref().map(Group::check) {
            violations.add("group", deep.0);
        }
    };
}
