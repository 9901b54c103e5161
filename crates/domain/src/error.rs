use std::{borrow::Cow, convert::Infallible, fmt};

/// A rule that a value must satisfy. The text of a rule never repeats the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// The field is missing.
    #[error("is required")]
    Required,
    /// The field is present but empty.
    #[error("must not be empty")]
    Empty,
    /// The text has more than this number of characters.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The maximum number of characters.
        max: usize,
    },
    /// The text contains a control character, which XML cannot carry.
    #[error("must not contain control characters (character {at})")]
    ControlCharacter {
        /// The position of the first control character, counted from 1.
        at: usize,
    },
    /// A key or id has a character outside `A-Z a-z 0-9 _ - . :`, is too long, or consists only of dots.
    #[error("must be 1 to 100 characters of A-Z, a-z, 0-9, '_', '-', '.' and ':'")]
    Key,
    /// The text is not an amount in plain digits.
    #[error("must be digits with at most two decimals, such as 50.00")]
    AmountFormat,
    /// The amount does not have exactly two decimals, as the gateway requires.
    #[error("must be digits with exactly two decimals, such as 50.00")]
    AmountDecimals,
    /// The amount is zero where something must be charged.
    #[error("must be at least 0.01")]
    AmountTooSmall,
    /// The amount is larger than this library supports.
    #[error("must be at most 999999999.99")]
    AmountTooLarge,
    /// The card number has a character other than digits, spaces and hyphens, or does not have 12 to 19 digits.
    #[error("must be a card number of 12 to 19 digits")]
    CardFormat,
    /// The card number fails the Luhn check.
    #[error("must be a card number whose check digit is right (Luhn)")]
    CardChecksum,
    /// The security code is not 3 or 4 digits.
    #[error("must be the 3 or 4 digits of the card's security code")]
    SecurityCode,
    /// The text is not an expiry.
    #[error("must be an expiry written MMYY with a month from 01 to 12")]
    ExpiryFormat,
    /// The card has expired.
    #[error("must not be in the past: the card has expired")]
    Expired,
    /// The text is not a one-time token.
    #[error("must be a one-time token: a JWT, whose three parts have dots between them")]
    OneTimeToken,
    /// The text is not the name of a profile, under which a merchant's key is stored.
    #[error(
        "the name of a profile is 1 to 30 lower-case letters, digits and hyphens, a letter or a digit first"
    )]
    Profile,
    /// The text is not four digits.
    #[error("must be the last four digits of the card")]
    LastFour,
    /// The text is not a calendar date.
    #[error("must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199")]
    DateFormat,
    /// The text is not a calendar month.
    #[error("must be a month of the calendar written yyyy-MM, from 1970-01 to 2199-12")]
    MonthFormat,
    /// The plan ends before it starts.
    #[error("must be on or after start-date")]
    EndBeforeStart,
    /// The plan is too long.
    #[error("must be at most 12 calendar months after start-date")]
    TermTooLong,
    /// The number of charges is not possible in one plan.
    #[error("must have from 1 to 12 charges")]
    Charges,
    /// The day is not in every month.
    #[error("must be a day from 1 to 28")]
    FrequencyDay,
    /// The type is not the only one that plans have.
    #[error("must be SUBSCRIPTION")]
    PlanType,
    /// The text is not one of the documented values.
    #[error("must be one of {0}")]
    OneOf(&'static str),
    /// The text is not a whole number.
    #[error("must be a whole number from 0")]
    Count,
    /// The number of minutes is out of range.
    #[error("must be a number of minutes from 1 to 60")]
    Minutes,
    /// The text is neither true nor false.
    #[error("must be true or false")]
    Flag,
    /// A canceled plan cannot change its status.
    #[error("must not change: a canceled plan cannot be restarted")]
    PlanCancelled,
    /// The field cannot be changed after creation.
    #[error(
        "cannot be updated: only customer-key, status and description of a token can; delete it and create it again"
    )]
    TokenFieldFixed,
    /// The field cannot be changed after a payment method is stored.
    #[error("cannot be updated: only isPrimary, the name and the expiry of a method can; add a new method")]
    MethodFieldFixed,
    /// The update has no changes.
    #[error("must change at least one field")]
    NothingToUpdate,
    /// Two fields contradict or repeat each other.
    #[error("must not be given together with {0}")]
    Conflict(&'static str),
    /// None of the alternative fields is given.
    #[error("is required unless {0} is given")]
    RequiredUnless(&'static str),
    /// The value is more than another field allows.
    #[error("must be at most {0}")]
    AtMost(&'static str),
    /// The number is out of range.
    #[error("must be a whole number from {min} to {max}")]
    Range {
        /// The minimum.
        min: u32,
        /// The maximum.
        max: u32,
    },
    /// A pasted credential has a character that credentials do not have.
    #[error(
        "must be visible ASCII without blanks and quotation marks (character {at}): paste it as plain text"
    )]
    Credential {
        /// The position of the first such character, counted from 1.
        at: usize,
    },
    /// The text is not a calendar date in either of the formats of an invoice.
    #[error("must be a date of the calendar written yyyy-mm-dd or mm/dd/yyyy, from 1970 to 2199")]
    InvoiceDateFormat,
    /// The numbers are not the month and the year of a card's expiry.
    #[error("must be a month from 1 to 12 and a year from 2000 to 2099")]
    ExpirationDate,
    /// The text is not the code of a state or province.
    #[error("must be the two-letter code of a state of the US or a province of Canada")]
    State,
    /// The text is not the address of a web page.
    #[error("must be a URL that begins with https:// or http://")]
    WebAddress,
    /// The text is not the routing number of a bank.
    #[error("must be the 9 digits of a bank's routing number")]
    RoutingNumber,
    /// The text is not the number of a bank account.
    #[error("must be the 4 to 17 digits of a bank account's number")]
    AccountNumber,
    /// The text is not a JSON object.
    #[error("must be the text of a JSON object")]
    JsonObject,
    /// Groups of conditions are nested too deeply.
    #[error("must not have more than {max} groups inside one another")]
    TooDeep {
        /// The maximum number of levels.
        max: usize,
    },
    /// The object that the field names does not exist or cannot be used.
    #[error("must name an existing {0}")]
    Unknown(&'static str),
}

/// A value that breaks a [`Rule`]. The value itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(pub Rule);

impl From<Rule> for InvalidValue {
    fn from(rule: Rule) -> Self {
        Self(rule)
    }
}

impl From<Infallible> for InvalidValue {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Infallible> for Violations {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A field of a request and the rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Violation {
    /// The documented name of the field, with a path for nested ones: `payment-amount`, `billing-address.zip`.
    pub field: Cow<'static, str>,
    /// The rule that the field breaks.
    pub rule: Rule,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.rule)
    }
}

/// All violations of a request; at least one if returned as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Creates the list with one violation.
    pub fn one(field: impl Into<Cow<'static, str>>, rule: Rule) -> Self {
        let mut violations = Self::default();
        violations.add(field, rule);
        violations
    }

    /// Adds a violation. Only the first violation of a field is kept.
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, rule: Rule) {
        let field = field.into();
        if !self.names(&field) {
            self.0.push(Violation { field, rule });
        }
    }

    /// Adds the violations of a nested object under its field's name.
    pub fn nest(&mut self, field: &str, nested: Self) {
        for violation in nested.0 {
            self.add(format!("{field}.{}", violation.field), violation.rule);
        }
    }

    /// The violations in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// Whether there are no violations.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this field breaks a rule.
    pub fn names(&self, field: &str) -> bool {
        self.0.iter().any(|v| v.field == field)
    }

    /// Parses a field, or records the rule that it breaks.
    pub(crate) fn read<T, V>(&mut self, field: &'static str, value: V) -> Option<T>
    where
        V: TryInto<T>,
        V::Error: Into<InvalidValue>,
    {
        value.try_into().map_err(|error| self.add(field, error.into().0)).ok()
    }

    /// Records a missing field, unless its value was given and refused.
    pub(crate) fn require<T>(&mut self, field: &'static str, value: Option<&T>) {
        if value.is_none() {
            self.add(field, Rule::Required);
        }
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}
