//! Payments made by plans, in the database.

use perennial_domain::clearent::{
    CustomerKey, Payment, PaymentSearch, PlanKey, TransactionId, TransactionResult,
};
use perennial_domain::{Amount, Date, NaiveDate, Timestamp};
use perennial_wire::clearent::Page;
use rusqlite::{OptionalExtension, Result, Row, params};

use super::list::{List, stretches};
use super::row::{Columns, NamedRow, cents, insert, read, read_amount, read_some, text};
use crate::clock::Moment;
use crate::store::session::Session;
use crate::store::world::Kind;

/// A payment to write, made by a plan.
pub(crate) struct PlanPayment<'a> {
    pub(crate) plan: &'a PlanKey,
    pub(crate) customer: &'a CustomerKey,
    pub(crate) day: NaiveDate,
    /// The number of earlier payments for this day; 0 for the first one.
    pub(crate) attempt: u64,
    pub(crate) transaction: &'a TransactionId,
    pub(crate) amount: Amount,
    pub(crate) status: &'a TransactionResult,
    pub(crate) at: Moment,
}

impl Session<'_> {
    /// Writes a payment. A plan cannot make two first ones for a day: the table refuses the second.
    pub(crate) fn create_payment(&self, payment: &PlanPayment<'_>) -> Result<()> {
        let columns: Columns = vec![
            ("world", self.world.into()),
            ("number", self.next(Kind::Payment)?.cast_signed().into()),
            ("plan_key", text(Some(payment.plan))),
            ("customer_key", text(Some(payment.customer))),
            ("frequency_date", payment.day.to_string().into()),
            ("attempt", payment.attempt.cast_signed().into()),
            ("transaction_id", text(Some(payment.transaction))),
            ("amount", cents(Some(payment.amount))),
            ("status", text(Some(payment.status.as_str()))),
            ("created", payment.at.millis().into()),
        ];
        insert(self.connection, "payments", columns)
    }

    pub(crate) fn count_payments_of_plan(&self, plan: &PlanKey) -> Result<u64> {
        self.count_payments_with("plan_key", plan.as_str())
    }

    /// The number of payments that a plan made for a day.
    pub(crate) fn count_payments_of_day(&self, plan: &PlanKey, day: NaiveDate) -> Result<u64> {
        let sql = "SELECT count(*) FROM payments WHERE world = ? AND plan_key = ? AND frequency_date = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(params![self.world, plan.as_str(), day.to_string()], |row| row.get(0))
    }

    pub(crate) fn count_payments_of_customer(&self, customer: &CustomerKey) -> Result<u64> {
        self.count_payments_with("customer_key", customer.as_str())
    }

    fn count_payments_with(&self, column: &str, key: &str) -> Result<u64> {
        let stretches = stretches(Kind::Payment);
        let sql = format!("SELECT count(*) FROM payments WHERE world = ?1{stretches} AND {column} = ?2");
        self.connection.prepare_cached(&sql)?.query_row(params![self.world, key], |row| row.get(0))
    }

    /// The last day, from this one on, that a plan made a payment for.
    pub(crate) fn last_payment_day(&self, plan: &PlanKey, from: NaiveDate) -> Result<Option<NaiveDate>> {
        let sql = "SELECT frequency_date FROM payments
                   WHERE world = ? AND frequency_date >= ? AND plan_key = ? ORDER BY frequency_date DESC LIMIT 1";
        let values = params![self.world, from.to_string(), plan.as_str()];
        let day = |row: &Row<'_>| read::<Date>(&NamedRow::of(row), "frequency_date");
        let day = self.connection.prepare_cached(sql)?.query_row(values, day).optional()?;
        Ok(day.map(Date::naive))
    }

    pub(crate) fn payments(&self, search: PaymentSearch) -> Result<(Vec<Payment>, Page)> {
        let PaymentSearch { customer_key, plan_key, paging } = search;
        List::of(Kind::Payment)
            .with_typed("customer_key = ?", customer_key.map(|key| key.to_string()))
            .with_typed("plan_key = ?", plan_key.map(|key| key.to_string()))
            .page(self, &paging, ORDERS, payment)
    }
}

const ORDERS: &[(&str, &str)] = &[
    ("created", "created"),
    ("customer-key", "customer_key"),
    ("plan-key", "plan_key"),
    ("payment-amount", "amount"),
    ("status", "status"),
];

fn payment(row: &Row<'_>) -> Result<Payment> {
    let row = &NamedRow::of(row);
    Ok(Payment {
        customer_key: read_some(row, "customer_key")?,
        plan_key: read_some(row, "plan_key")?,
        transaction_id: read_some(row, "transaction_id")?,
        payment_amount: read_amount(row, "amount")?,
        status: Some(TransactionResult::reported(&row.get::<String>("status")?)),
        created: Some(Timestamp::reported(&Moment::from_millis(row.get("created")?).stamp())),
    })
}
