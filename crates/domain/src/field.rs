//! Requests as tables of their fields, for code that describes requests instead of creating them.
//!
//! ```
//! use perennial_domain::clearent::NewCustomer;
//! use perennial_domain::field::{Field, Kind, Need};
//!
//! let first = &NewCustomer::FIELDS[0];
//! assert_eq!(*first, Field { name: "first-name", need: Need::Required, kind: Kind::Text { max: 4_000 } });
//! ```

/// A field of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The documented name.
    pub name: &'static str,
    /// Whether the field is required.
    pub need: Need,
    /// The kind of its value.
    pub kind: Kind,
}

/// The need for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The gateway refuses a request without the field.
    Required,
    /// The vendor's page requires the field, but the gateway accepts requests without it.
    Documented,
    /// The field is optional.
    Optional,
}

/// The kind of a field's value. Each kind is the grammar of one type, which documents it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A [`Text`](crate::Text), or one with a lower limit.
    Text {
        /// The maximum number of characters.
        max: usize,
    },
    /// A key or id, such as [`CustomerKey`](crate::clearent::CustomerKey).
    Key,
    /// An [`Amount`](crate::Amount).
    Amount,
    /// A [`Total`](crate::Total).
    Total,
    /// A [`Date`](crate::Date).
    Date,
    /// An [`Expiry`](crate::Expiry).
    Expiry,
    /// A [`CardNumber`](crate::CardNumber).
    Card,
    /// A [`ChargeSource`](crate::clearent::ChargeSource): a card number or the id of a token.
    CardOrToken,
    /// A [`SecurityCode`](crate::SecurityCode).
    SecurityCode,
    /// A [`LastFour`](crate::clearent::LastFour).
    LastFour,
    /// A whole number, such as a [`FrequencyDay`](crate::clearent::FrequencyDay).
    Number {
        /// The minimum.
        min: u64,
        /// The maximum.
        max: u64,
    },
    /// A [`Flag`](crate::Flag).
    Flag,
    /// One of these words, in any letter case.
    Word(&'static [&'static str]),
    /// A nested request object: its name here, and its fields.
    Object(&'static str, &'static [Field]),
    /// A list of values of one kind.
    Many(&'static Kind),
}

/// The kind of a type that is used for request fields.
pub(crate) trait Described {
    const KIND: Kind;
}

macro_rules! described {
    ($($Value:ty: $kind:expr;)*) => {
        $(impl Described for $Value { const KIND: Kind = $kind; })*
    };
}

described! {
    crate::Text: Kind::Text { max: crate::Text::MAX };
    crate::clearent::Reference: Kind::Text { max: crate::clearent::Reference::MAX };
    crate::Amount: Kind::Amount;
    crate::Total: Kind::Total;
    crate::clearent::Count: Kind::Number { min: 0, max: u64::MAX };
    crate::clearent::Minutes: Kind::Number { min: 1, max: 60 };
    crate::Date: Kind::Date;
    crate::Expiry: Kind::Expiry;
    crate::CardNumber: Kind::Card;
    crate::clearent::ChargeSource: Kind::CardOrToken;
    crate::SecurityCode: Kind::SecurityCode;
    crate::clearent::LastFour: Kind::LastFour;
    crate::clearent::FrequencyDay: Kind::Number { min: 1, max: 28 };
    crate::Flag: Kind::Flag;
    crate::clearent::PlanType: Kind::Word(&[crate::clearent::PlanType.as_str()]);
    crate::clearent::Address: Kind::Object("NewAddress", crate::clearent::Address::FIELDS);
}
