//! What is shown of each object: its fields under the names of the wire, in one order for tables and JSON.

use std::borrow::Cow;

use perennial::clearent::{
    Batch, BatchId, BatchStatus, Charged, Customer, CustomerKey, CustomerStatus, CustomerToken, ExpectedRun,
    Frequency, FrequencyDay, Link, Payment, Plan, PlanKey, PlanStatus, PostalAddress, Token, TokenId,
    TokenStatus, Transaction, TransactionId, TransactionResult, TransactionType,
};
use perennial::{Amount, CardBrand, Date, Expiry, Total};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;

/// An object as it is shown: fields in order, without those that have no value.
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

/// What can be shown by itself and in a list.
pub(crate) trait Shown {
    /// The columns of a list, the most telling first: as many are shown as fit.
    const COLUMNS: &'static [&'static str];
    /// The field that names what was written.
    const KEY: &'static str = Self::COLUMNS[0];
    /// What it is called, where that field is plainly `id`.
    const OBJECT: &'static str = "transaction";

    fn record(self) -> Record;
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
    pub(crate) fn with(mut self, name: &'static str, value: impl IntoValue) -> Self {
        self.0.extend(value.into_value().map(|value| (name.into(), value)));
        self
    }

    /// Without its links, which name the host and port that answered.
    pub(crate) fn without_links(mut self) -> Self {
        self.0.retain(|(name, _)| *name != "links");
        self
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// What it is, and the value of its key: `plan plan_3f0f6d1c5f0e`.
    pub(crate) fn name<T: Shown>(&self) -> Option<String> {
        let Value::Text(value) = self.field(T::KEY)? else { return None };
        let object = T::KEY.rsplit_once('-').map_or(T::OBJECT, |(object, _)| object);
        Some(format!("{object} {value}"))
    }

    /// The single values, those of inner records under their path: `billing-address.city`.
    pub(crate) fn flat(&self) -> Vec<(String, &Value)> {
        let mut fields = Vec::new();
        for (name, value) in &self.0 {
            match value {
                Value::Record(inner) => {
                    fields.extend(
                        inner.flat().into_iter().map(|(path, value)| (format!("{name}.{path}"), value)),
                    );
                }
                Value::Records(_) => {}
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
            Json::Array(_) => Self::Records(Record::list_of_json(value)),
            Json::Object(_) => Self::Record(Record::of_json(value)),
        })
    }
}

/// Amounts are text in JSON as well: a programme that reads numbers as floats would lose cents.
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

/// What a field can be given.
pub(crate) trait IntoValue {
    fn into_value(self) -> Option<Value>;
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Option<Value> {
        self.and_then(T::into_value)
    }
}

macro_rules! values {
    ($( $Type:ty => |$value:pat_param| $made:expr, )*) => {
        $( impl IntoValue for $Type {
            fn into_value(self) -> Option<Value> {
                let $value = self;
                Some($made)
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
    PostalAddress => |address| Value::Record(address_record(address)),
}

/// An answer without links says nothing of links.
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

pub(super) use {texts, values};

texts! {
    BatchId BatchStatus CardBrand CustomerKey CustomerStatus Date Expiry Frequency PlanKey PlanStatus TokenId TokenStatus TransactionId
    TransactionResult TransactionType
}

impl Shown for Customer {
    const COLUMNS: &'static [&'static str] =
        &["customer-key", "first-name", "last-name", "status", "email", "phone", "comments"];

    fn record(self) -> Record {
        let Self {
            customer_key,
            first_name,
            last_name,
            email,
            phone,
            comments,
            status,
            billing_address,
            shipping_address,
            links,
        } = self;
        Record::default()
            .with("customer-key", customer_key)
            .with("first-name", first_name)
            .with("last-name", last_name)
            .with("email", email)
            .with("phone", phone)
            .with("comments", comments)
            .with("status", status)
            .with("billing-address", billing_address)
            .with("shipping-address", shipping_address)
            .with("links", links)
    }
}

impl Shown for Token {
    const COLUMNS: &'static [&'static str] =
        &["token-id", "card-type", "last-four-digits", "exp-date", "status", "customer-key", "description"];

    fn record(self) -> Record {
        let Self {
            token_id,
            customer_key,
            status,
            description,
            card_type,
            last_four_digits,
            exp_date,
            avs_address,
            avs_zip,
            is_default,
            times_used,
            created,
            updated,
            token_status,
            merchant_id,
        } = self;
        Record::default()
            .with("token-id", token_id)
            .with("customer-key", customer_key)
            .with("status", status)
            .with("description", description)
            .with("card-type", card_type)
            .with("last-four-digits", last_four_digits)
            .with("exp-date", exp_date)
            .with("avs-address", avs_address)
            .with("avs-zip", avs_zip)
            .with("default", is_default)
            .with("times-used", times_used)
            .with("created", created)
            .with("updated", updated)
            .with("token-status", token_status)
            .with("merchant-id", merchant_id)
    }
}

impl Shown for CustomerToken {
    const COLUMNS: &'static [&'static str] =
        &["token-id", "card-type", "last-four-digits", "exp-date", "default", "description", "customer-key"];

    fn record(self) -> Record {
        let Self {
            token_id,
            customer_key,
            exp_date,
            card_type,
            last_four_digits,
            description,
            is_default,
            avs_address,
            avs_zip,
        } = self;
        Record::default()
            .with("token-id", token_id)
            .with("customer-key", customer_key)
            .with("exp-date", exp_date)
            .with("card-type", card_type)
            .with("last-four-digits", last_four_digits)
            .with("description", description)
            .with("default", is_default)
            .with("avs-address", avs_address)
            .with("avs-zip", avs_zip)
    }
}

impl Shown for Plan {
    const COLUMNS: &'static [&'static str] =
        &["plan-key", "status", "payment-amount", "end-date", "plan-name", "start-date", "customer-key"];

    fn record(self) -> Record {
        let Self {
            plan_key,
            plan_name,
            plan_type,
            customer_key,
            customer_name,
            token_id,
            frequency,
            frequency_day,
            frequency_month,
            frequency_week,
            payment_amount,
            start_date,
            end_date,
            status,
            status_date,
            email_address,
            email_receipt,
            links,
        } = self;
        Record::default()
            .with("plan-key", plan_key)
            .with("plan-name", plan_name)
            .with("type", plan_type)
            .with("customer-key", customer_key)
            .with("customer-name", customer_name)
            .with("token-id", token_id)
            .with("frequency", frequency)
            .with("frequency-day", frequency_day)
            .with("frequency-month", frequency_month)
            .with("frequency-week", frequency_week)
            .with("payment-amount", payment_amount)
            .with("start-date", start_date)
            .with("end-date", end_date)
            .with("status", status)
            .with("status-date", status_date)
            .with("email-address", email_address)
            .with("email-receipt", email_receipt)
            .with("links", links)
    }
}

impl Shown for ExpectedRun {
    const COLUMNS: &'static [&'static str] = &["date", "payment-amount"];

    fn record(self) -> Record {
        let Self { date, payment_amount } = self;
        Record::default().with("date", date).with("payment-amount", payment_amount)
    }
}

/// A date of a forecast.
impl Shown for Date {
    const COLUMNS: &'static [&'static str] = &["date"];

    fn record(self) -> Record {
        Record::default().with("date", self)
    }
}

impl Shown for Payment {
    const COLUMNS: &'static [&'static str] =
        &["created", "status", "payment-amount", "transaction-id", "plan-key", "customer-key"];

    fn record(self) -> Record {
        let Self { customer_key, plan_key, transaction_id, payment_amount, status, created } = self;
        Record::default()
            .with("customer-key", customer_key)
            .with("plan-key", plan_key)
            .with("transaction-id", transaction_id)
            .with("payment-amount", payment_amount)
            .with("status", status)
            .with("created", created)
    }
}

impl Shown for Transaction {
    const COLUMNS: &'static [&'static str] =
        &["id", "type", "amount", "result", "result-code", "last-four", "created", "order-id"];

    fn record(self) -> Record {
        let Self {
            id,
            transaction_type,
            amount,
            result,
            result_code,
            display_message,
            status,
            authorization_code,
            card,
            last_four,
            card_type,
            exp_date,
            created,
            batch_string_id,
            ref_id,
            original_amount,
            sales_tax_amount,
            tip_amount,
            invoice,
            purchase_order,
            order_id,
            customer_id,
            description,
            comments,
            email_address,
            billing,
            shipping,
            software_type,
            software_type_version,
            avs_result_code,
            avs_result_code_description,
            csc_result_code,
            csc_result_code_description,
            check_field_duplicate,
            pending,
            settled,
            voided,
            voided_auth,
            merchant_id,
            terminal_id,
            plan_name,
        } = self;
        Record::default()
            .with("id", id)
            .with("type", transaction_type)
            .with("amount", amount)
            .with("result", result)
            .with("result-code", result_code)
            .with("display-message", display_message)
            .with("status", status)
            .with("authorization-code", authorization_code)
            .with("card", card)
            .with("last-four", last_four)
            .with("card-type", card_type)
            .with("exp-date", exp_date)
            .with("created", created)
            .with("batch-string-id", batch_string_id)
            .with("ref-id", ref_id)
            .with("original-amount", original_amount)
            .with("sales-tax-amount", sales_tax_amount)
            .with("tip-amount", tip_amount)
            .with("invoice", invoice)
            .with("purchase-order", purchase_order)
            .with("order-id", order_id)
            .with("customer-id", customer_id)
            .with("description", description)
            .with("comments", comments)
            .with("email-address", email_address)
            .with("billing", billing)
            .with("shipping", shipping)
            .with("software-type", software_type)
            .with("software-type-version", software_type_version)
            .with("avs-result-code", avs_result_code)
            .with("avs-result-code-description", avs_result_code_description)
            .with("csc-result-code", csc_result_code)
            .with("csc-result-code-description", csc_result_code_description)
            .with("check-field-duplicate", check_field_duplicate)
            .with("pending", pending)
            .with("settled", settled)
            .with("voided", voided)
            .with("voided-auth", voided_auth)
            .with("merchant-id", merchant_id)
            .with("terminal-id", terminal_id)
            .with("plan-name", plan_name)
    }
}

impl Shown for Charged {
    const COLUMNS: &'static [&'static str] = Transaction::COLUMNS;

    fn record(self) -> Record {
        let Self { transaction, token } = self;
        transaction.record().with("token", token.map(Token::record))
    }
}

fn address_record(address: PostalAddress) -> Record {
    let PostalAddress { first_name, last_name, company, street, street2, city, state, zip, country, phone } =
        address;
    Record::default()
        .with("first-name", first_name)
        .with("last-name", last_name)
        .with("company", company)
        .with("street", street)
        .with("street2", street2)
        .with("city", city)
        .with("state", state)
        .with("zip", zip)
        .with("country", country)
        .with("phone", phone)
}

fn link_record(link: Link) -> Record {
    let Link { rel, href, id } = link;
    Record::default().with("rel", rel).with("href", href).with("id", id)
}

impl Shown for Batch {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "status",
        "total-count",
        "net-amount",
        "sales-total",
        "refund-total",
        "date-opened",
        "settled",
    ];
    const OBJECT: &'static str = "batch";

    fn record(self) -> Record {
        let Self {
            id,
            status,
            merchant_id,
            terminal_id,
            terminal_name,
            date_opened,
            settled,
            confirmation_code,
            sales_count,
            sales_total,
            refund_count,
            refund_total,
            total_count,
            net_amount,
        } = self;
        Record::default()
            .with("id", id)
            .with("status", status)
            .with("date-opened", date_opened)
            .with("settled", settled)
            .with("confirmation-code", confirmation_code)
            .with("sales-count", sales_count)
            .with("sales-total", sales_total)
            .with("refund-count", refund_count)
            .with("refund-total", refund_total)
            .with("total-count", total_count)
            .with("net-amount", net_amount)
            .with("merchant-id", merchant_id)
            .with("terminal-id", terminal_id)
            .with("terminal-name", terminal_name)
    }
}
