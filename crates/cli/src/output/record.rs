//! Printed fields of each object, under the names of the wire, in one order for tables and JSON.

use std::borrow::Cow;

use perennial::clearent::{
    Batch, BatchId, BatchStatus, Charged, Customer, CustomerKey, CustomerStatus, CustomerToken, ExpectedRun,
    Frequency, FrequencyDay, Link, Payment, Plan, PlanKey, PlanStatus, PostalAddress, Token, TokenId,
    TokenStatus, Transaction, TransactionId, TransactionResult, TransactionType, Verdict,
};
use perennial::{Amount, CardBrand, Date, Expiry, Reported, Timestamp, Total};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;

/// An object for display: fields in order, without those that have no value.
#[derive(Debug, Default)]
pub(crate) struct Record(Vec<(Cow<'static, str>, Value)>);

/// A value of a field.
#[derive(Debug)]
pub(crate) enum Value {
    Text(String),
    Amount(Total),
    Number(u64),
    Flag(bool),
    Record(Record),
    Records(Vec<Record>),
    Texts(Vec<String>),
}

/// An object that can be printed alone and in a list.
pub(crate) trait IntoRecord {
    /// The columns of a list, the most important first: as many are shown as fit.
    const COLUMNS: &'static [&'static str];
    /// The field with the key of a written object.
    const KEY: &'static str = Self::COLUMNS[0];
    /// The object's word for a key field that is plainly `id`.
    const OBJECT: &'static str = "transaction";

    /// The names of all possible fields; those of inner records with their path.
    fn members() -> Vec<String> {
        Self::COLUMNS.iter().map(|&name| name.to_owned()).collect()
    }

    fn record(self) -> Record;
}

/// Declares the printed fields of a type: the columns of a list, then every field under its name. A missing field does
/// not compile. At the end, methods whose values are shown beside them.
macro_rules! records {
    (
        $Type:ident $( as $object:literal )? in [ $( $column:literal ),* $(,)? ]
        { $( $field:ident: $name:literal, )* $( ; $derived:ident: $derived_name:literal )* }
    ) => {
        impl IntoRecord for $Type {
            const COLUMNS: &'static [&'static str] = &[ $( $column ),* ];
            $( const OBJECT: &'static str = $object; )?

            fn members() -> Vec<String> {
                let members = [
                    $( $crate::output::record::names($name, |object: Self| object.$field), )*
                    $( vec![$derived_name.to_owned()], )*
                ];
                members.concat()
            }

            fn record(self) -> Record {
                $( let $derived = self.$derived(); )*
                let Self { $( $field ),* } = self;
                Record::default() $( .with($name, $field) )* $( .with($derived_name, $derived) )*
            }
        }
    };
}

/// The names of a field, which depend on the type of its value.
pub(super) fn names<T, V: IntoValue>(name: &str, _: impl Fn(T) -> V) -> Vec<String> {
    match V::members() {
        inner if inner.is_empty() => vec![name.to_owned()],
        inner => inner.iter().map(|path| format!("{name}.{path}")).collect(),
    }
}

impl Record {
    /// The members of a JSON object of the sandbox, in their order and without those that are null.
    pub(crate) fn of_json(document: Json) -> Self {
        let Json::Object(members) = document else { return Self::default() };
        let value = |(name, value): (String, Json)| Some((name.into(), Value::of_json(value)?));
        Self(members.into_iter().filter_map(value).collect())
    }

    /// The objects of a JSON array of the sandbox.
    pub(crate) fn list_of_json(document: Json) -> Vec<Self> {
        let Json::Array(objects) = document else { return Vec::new() };
        objects.into_iter().map(Self::of_json).collect()
    }

    /// Adds a field, if it has a value.
    pub(crate) fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl IntoValue) -> Self {
        self.0.extend(value.into_value().map(|value| (name.into(), value)));
        self
    }

    /// Appends the fields of another record.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Removes the links, which name the host and port that responded.
    pub(crate) fn without_links(mut self) -> Self {
        self.0.retain(|(name, _)| *name != "links");
        self
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The object's word and the value of its key: `plan plan_3f0f6d1c5f0e`.
    pub(crate) fn name<T: IntoRecord>(&self) -> Option<String> {
        let Value::Text(value) = self.field(T::KEY)? else { return None };
        let object = T::KEY.rsplit_once('-').map_or(T::OBJECT, |(object, _)| object);
        Some(format!("{object} {value}"))
    }

    /// Values; those of inner records with their path: `billing-address.city`.
    pub(crate) fn flat(&self) -> Vec<(String, &Value)> {
        let mut fields = Vec::new();
        for (name, value) in &self.0 {
            match value {
                Value::Record(inner) => {
                    fields.extend(
                        inner.flat().into_iter().map(|(path, value)| (format!("{name}.{path}"), value)),
                    );
                }
                value => fields.push((name.clone().into_owned(), value)),
            }
        }
        fields
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Value {
    fn of_json(value: Json) -> Option<Self> {
        Some(match value {
            Json::Null => return None,
            Json::Bool(flag) => Self::Flag(flag),
            Json::Number(number) => {
                number.as_u64().map_or_else(|| Self::Text(number.to_string()), Self::Number)
            }
            Json::String(text) => Self::Text(text),
            Json::Array(texts) if !texts.is_empty() && texts.iter().all(Json::is_string) => {
                Self::Texts(texts.iter().filter_map(Json::as_str).map(str::to_owned).collect())
            }
            Json::Array(_) => Self::Records(Record::list_of_json(value)),
            Json::Object(_) => Self::Record(Record::of_json(value)),
        })
    }
}

/// Serializes amounts as text in JSON as well: a program that reads numbers as floats would lose cents.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Amount(amount) => serializer.collect_str(amount),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Record(record) => record.serialize(serializer),
            Self::Records(records) => records.serialize(serializer),
            Self::Texts(texts) => texts.serialize(serializer),
        }
    }
}

/// A type that a field can hold.
pub(crate) trait IntoValue: Sized {
    fn into_value(self) -> Option<Value>;

    /// The members of a record; a single value has none.
    fn members() -> Vec<String> {
        Vec::new()
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Option<Value> {
        self.and_then(T::into_value)
    }

    fn members() -> Vec<String> {
        T::members()
    }
}

/// Records within records.
macro_rules! inner {
    ($( $Type:ty )*) => {
        $( impl IntoValue for $Type {
            fn into_value(self) -> Option<Value> {
                Some(Value::Record(self.record()))
            }

            fn members() -> Vec<String> {
                <Self as IntoRecord>::members()
            }
        } )*
    };
}

inner! { PostalAddress Token }

macro_rules! values {
    ($( $Type:ty => |$value:pat_param| $result:expr, )*) => {
        $( impl IntoValue for $Type {
            fn into_value(self) -> Option<Value> {
                let $value = self;
                Some($result)
            }
        } )*
    };
}

values! {
    String => |text| Value::Text(text),
    &str => |text| Value::Text(text.to_owned()),
    Amount => |amount| Value::Amount(amount.into()),
    Total => |total| Value::Amount(total),
    u64 => |number| Value::Number(number),
    bool => |flag| Value::Flag(flag),
    Vec<String> => |texts| Value::Texts(texts),
    Record => |record| Value::Record(record),
    Vec<Record> => |records| Value::Records(records),
    FrequencyDay => |day| Value::Number(day.get().into()),
}

/// A response without links has no field for them. Shows the value, or the text if it could not be read.
impl<T: IntoValue> IntoValue for Reported<T> {
    fn into_value(self) -> Option<Value> {
        match self {
            Self::Value(value) => value.into_value(),
            Self::Other(text) => text.into_value(),
        }
    }
}

impl IntoValue for Vec<Link> {
    fn into_value(self) -> Option<Value> {
        (!self.is_empty()).then(|| Value::Records(self.into_iter().map(link_record).collect()))
    }
}

macro_rules! texts {
    ($( $Type:ty )*) => {
        $crate::output::record::values! { $( $Type => |word| Value::Text(word.to_string()), )* }
    };
}

pub(super) use {records, texts, values};

texts! {
    BatchId BatchStatus CardBrand CustomerKey CustomerStatus Date Expiry Frequency PlanKey PlanStatus Timestamp TokenId
    TokenStatus TransactionId TransactionResult TransactionType Verdict
}

records! {
    Customer in ["customer-key", "first-name", "last-name", "status", "email", "phone", "comments"] {
        customer_key: "customer-key",
        first_name: "first-name",
        last_name: "last-name",
        email: "email",
        phone: "phone",
        comments: "comments",
        status: "status",
        billing_address: "billing-address",
        shipping_address: "shipping-address",
        links: "links",
    }
}

records! {
    Token in [
        "token-id", "card-type", "last-four-digits", "exp-date", "status", "customer-key", "description",
    ] {
        token_id: "token-id",
        customer_key: "customer-key",
        status: "status",
        description: "description",
        card_type: "card-type",
        last_four_digits: "last-four-digits",
        exp_date: "exp-date",
        avs_address: "avs-address",
        avs_zip: "avs-zip",
        is_default: "default",
        times_used: "times-used",
        created: "created",
        updated: "updated",
        token_status: "token-status",
        merchant_id: "merchant-id",
    }
}

records! {
    CustomerToken in [
        "token-id", "card-type", "last-four-digits", "exp-date", "default", "description", "customer-key",
    ] {
        token_id: "token-id",
        customer_key: "customer-key",
        exp_date: "exp-date",
        card_type: "card-type",
        last_four_digits: "last-four-digits",
        description: "description",
        is_default: "default",
        avs_address: "avs-address",
        avs_zip: "avs-zip",
    }
}

records! {
    Plan in [
        "plan-key", "customer-name", "status", "payment-amount", "customer-key", "end-date", "plan-name",
        "start-date",
    ] {
        plan_key: "plan-key",
        plan_name: "plan-name",
        plan_type: "type",
        customer_key: "customer-key",
        customer_name: "customer-name",
        token_id: "token-id",
        frequency: "frequency",
        frequency_day: "frequency-day",
        frequency_month: "frequency-month",
        frequency_week: "frequency-week",
        payment_amount: "payment-amount",
        start_date: "start-date",
        end_date: "end-date",
        status: "status",
        status_date: "status-date",
        email_address: "email-address",
        email_receipt: "email-receipt",
        links: "links",
    }
}

records! {
    ExpectedRun in ["date", "payment-amount"] {
        date: "date",
        payment_amount: "payment-amount",
    }
}

/// Shows a date of a forecast.
impl IntoRecord for Date {
    const COLUMNS: &'static [&'static str] = &["date"];

    fn record(self) -> Record {
        Record::default().with("date", self)
    }
}

records! {
    Payment in [
        "created", "verdict", "payment-amount", "due", "customer-name", "customer-key", "transaction-id", "status", "plan-key",
    ] {
        customer_key: "customer-key",
        plan_key: "plan-key",
        transaction_id: "transaction-id",
        payment_amount: "payment-amount",
        status: "status",
        created: "created",
        ; verdict: "verdict"
    }
}

records! {
    Transaction in [
        "id", "type", "amount", "verdict", "due", "ref-id", "created", "order-id", "result-code", "last-four", "result",
    ] {
        id: "id",
        transaction_type: "type",
        amount: "amount",
        result: "result",
        result_code: "result-code",
        display_message: "display-message",
        status: "status",
        authorization_code: "authorization-code",
        card: "card",
        last_four: "last-four",
        card_type: "card-type",
        exp_date: "exp-date",
        entry_method: "entry-method",
        created: "created",
        batch_string_id: "batch-string-id",
        ref_id: "ref-id",
        original_amount: "original-amount",
        partial_approved: "partial-approved",
        surcharge_applied: "surcharge-applied",
        service_fee: "service-fee",
        sales_tax_amount: "sales-tax-amount",
        tip_amount: "tip-amount",
        invoice: "invoice",
        purchase_order: "purchase-order",
        order_id: "order-id",
        customer_id: "customer-id",
        description: "description",
        comments: "comments",
        token_description: "token-description",
        email_address: "email-address",
        billing: "billing",
        shipping: "shipping",
        billing_is_shipping: "billing-is-shipping",
        software_type: "software-type",
        software_type_version: "software-type-version",
        avs_result_code: "avs-result-code",
        avs_result_code_description: "avs-result-code-description",
        csc_result_code: "csc-result-code",
        csc_result_code_description: "csc-result-code-description",
        check_field_duplicate: "check-field-duplicate",
        pending: "pending",
        settled: "settled",
        voided: "voided",
        voided_auth: "voided-auth",
        merchant_id: "merchant-id",
        terminal_id: "terminal-id",
        plan_name: "plan-name",
        ; verdict: "verdict"
        ; due: "due"
    }
}

impl IntoRecord for Charged {
    const COLUMNS: &'static [&'static str] = Transaction::COLUMNS;

    fn members() -> Vec<String> {
        let own = vec!["charged".to_owned()];
        [<Transaction as IntoRecord>::members(), own, names("token", |charged: Self| charged.token)].concat()
    }

    /// Adds `charged: false` to an earlier transaction that was returned instead of a new one.
    fn record(self) -> Record {
        let Self { transaction, token } = self;
        let charged = transaction.is_duplicate().then_some(false);
        transaction.record().with("charged", charged).with("token", token)
    }
}

records! {
    PostalAddress in ["first-name", "last-name", "company", "street", "street2", "city", "state", "zip", "country", "phone"] {
        first_name: "first-name",
        last_name: "last-name",
        company: "company",
        street: "street",
        street2: "street2",
        city: "city",
        state: "state",
        zip: "zip",
        country: "country",
        phone: "phone",
    }
}

fn link_record(link: Link) -> Record {
    let Link { rel, href, id } = link;
    Record::default().with("rel", rel).with("href", href).with("id", id)
}

records! {
    Batch as "batch" in [
        "id", "status", "total-count", "net-amount", "sales-total", "refund-total", "date-opened", "settled",
    ] {
        id: "id",
        status: "status",
        date_opened: "date-opened",
        settled: "settled",
        confirmation_code: "confirmation-code",
        sales_count: "sales-count",
        sales_total: "sales-total",
        refund_count: "refund-count",
        refund_total: "refund-total",
        total_count: "total-count",
        net_amount: "net-amount",
        merchant_id: "merchant-id",
        terminal_id: "terminal-id",
        terminal_name: "terminal-name",
    }
}
