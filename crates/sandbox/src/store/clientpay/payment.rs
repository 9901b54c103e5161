//! Payments and their refunds.

use perennial_domain::clientpay::{
    Condition, Criteria, Field, Group, GroupType, Operator, OrderBy, Payment, PaymentId, PaymentKind,
    PaymentStatus, UsedRequestId,
};
use perennial_domain::{Amount, Date, Reported, Rule, Timestamp, Violations};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Result, Row, params, params_from_iter};

use crate::clock::Moment;
use crate::issuer::clientpay::Verdict;
use crate::store::row::{Columns, NamedRow, cents, insert, prose, read, read_amount, read_some, text};
use crate::store::session::Session;
use crate::store::world::Kind;

/// A payment to write, or a refund of one.
pub(crate) struct Booking<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) session_id: Option<&'a str>,
    pub(crate) customer_ref: Option<&'a str>,
    pub(crate) method: PaymentKind,
    pub(crate) amount: Amount,
    pub(crate) tax: Amount,
    pub(crate) order_id: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    pub(crate) verdict: &'a Verdict,
    /// The payment that it refunds.
    pub(crate) original: Option<&'a PaymentId>,
    pub(crate) note: Option<&'a str>,
}

/// A stored payment.
pub(crate) struct Booked {
    pub(crate) payment: Payment,
    pub(crate) created: Moment,
    /// The refunded amount.
    pub(crate) refunded: Amount,
}

impl Booked {
    /// Whether the payment is settled, and so refunded by a separate transaction: as in Clearent, at the end of the
    /// day. The hour, 22:00 UTC, is **inferred**.
    pub(crate) fn is_settled(&self, now: Moment) -> bool {
        self.created.batch_end() <= now
    }
}

impl Session<'_> {
    pub(crate) fn book_payment(&self, booking: &Booking<'_>) -> Result<Booked> {
        let Booking {
            request_id,
            session_id,
            customer_ref,
            method,
            amount,
            tax,
            order_id,
            description,
            verdict,
            original,
            note,
        } = *booking;
        let number = self.next(Kind::ClientPayment)?;
        // Samples are strings of eight digits.
        let first: u64 = self.seed.digits("payment-id", 0, 6).parse().unwrap_or_default();
        let id = (20_000_000 + first + number).to_string();
        let columns: Columns = vec![
            ("world", self.world.into()),
            ("number", i64::try_from(number).unwrap_or(i64::MAX).into()),
            ("id", id.clone().into()),
            ("request_id", request_id.to_owned().into()),
            ("session_id", prose(session_id)),
            ("customer_ref", prose(customer_ref)),
            ("status", verdict.status.as_str().to_owned().into()),
            ("message", text(verdict.message.as_deref())),
            ("method", i64::from(method == PaymentKind::E_CHECK).into()),
            ("amount", cents(Some(amount))),
            ("tax", cents(Some(tax))),
            ("order_id", prose(order_id)),
            ("description", prose(description)),
            ("created", self.now.millis().into()),
            ("refunded", 0.into()),
            ("original", text(original.map(PaymentId::as_str))),
            ("note", prose(note)),
        ];
        insert(self.connection, "clientpay_payments", columns)?;
        let sql = "SELECT * FROM clientpay_payments WHERE world = ? AND number = ?";
        self.connection.prepare_cached(sql)?.query_row(params![self.world, number], booked)
    }

    pub(crate) fn payment(&self, id: &str) -> Result<Option<Booked>> {
        let sql = "SELECT * FROM clientpay_payments WHERE world = ? AND id = ?";
        self.connection.prepare_cached(sql)?.query_row(params![self.world, id], booked).optional()
    }

    /// The last payment of a request.
    pub(crate) fn payment_under(&self, request_id: &str) -> Result<Option<Booked>> {
        let sql = "SELECT * FROM clientpay_payments WHERE world = ? AND request_id = ? ORDER BY number DESC LIMIT 1";
        let under = params![self.world, request_id];
        self.connection.prepare_cached(sql)?.query_row(under, booked).optional()
    }

    /// Records the status of a payment, and its total refunds.
    pub(crate) fn mark_payment(
        &self,
        id: &PaymentId,
        status: &PaymentStatus,
        refunded: Amount,
    ) -> Result<()> {
        let sql = "UPDATE clientpay_payments SET status = ?, refunded = ? WHERE world = ? AND id = ?";
        let marked = params![status.as_str(), refunded.cents(), self.world, id.as_str()];
        self.connection.prepare_cached(sql)?.execute(marked).map(|_| ())
    }

    /// The last payments and refunds, newest first.
    pub(crate) fn last_payments(&self, limit: u32) -> Result<Vec<Payment>> {
        let sql = "SELECT * FROM clientpay_payments WHERE world = ? ORDER BY number DESC LIMIT ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let last = statement.query_map(params![self.world, limit], booked)?;
        last.map(|booked| booked.map(|booked| booked.payment)).collect()
    }

    pub(crate) fn count_payments(&self, filter: &Filter) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM clientpay_payments WHERE world = ? AND {}", filter.sql);
        let values = filter.values(self.world);
        self.connection.prepare(&sql)?.query_row(params_from_iter(values), |row| row.get(0))
    }

    /// A page of a search result; the first page is 1.
    pub(crate) fn found_payments(
        &self,
        filter: &Filter,
        order: &[OrderBy],
        page: u32,
        size: u32,
    ) -> Result<Vec<Payment>> {
        let column = |order: &OrderBy| match order.as_str() {
            "paymentId" => "id",
            "sessionId" => "session_id",
            "requestId" => "request_id",
            _ => "created",
        };
        let mut order: Vec<&str> = order.iter().map(column).collect();
        if order.is_empty() {
            order.push("created");
        }
        let (sql, order) = (&filter.sql, order.join(", "));
        let sql = format!(
            "SELECT * FROM clientpay_payments WHERE world = ? AND {sql} ORDER BY {order}, number LIMIT ? OFFSET ?"
        );
        let mut values = filter.values(self.world);
        values.extend([i64::from(size).into(), (i64::from(page - 1) * i64::from(size)).into()]);
        let mut statement = self.connection.prepare(&sql)?;
        let found = statement.query_map(params_from_iter(values), booked)?;
        found.map(|booked| booked.map(|booked| booked.payment)).collect()
    }
}

fn booked(row: &Row<'_>) -> Result<Booked> {
    let row = &NamedRow::of(row);
    let amount = |column| read_amount(row, column).map(|amount| amount.unwrap_or(Amount::ZERO));
    let created = Moment::from_millis(row.get("created")?);
    let status: PaymentStatus = read(row, "status")?;
    let is_refund = row.get::<Option<String>>("original")?.is_some();
    let paid = amount("amount")?;
    let refused = [PaymentStatus::DECLINED, PaymentStatus::ERROR].contains(&status);
    let payment = Payment {
        success: Some(!refused),
        request_id: read_some::<UsedRequestId>(row, "request_id")?,
        payment_id: read_some(row, "id")?,
        session_id: row.get("session_id")?,
        customer_ref_number: row.get("customer_ref")?,
        payment_date: Some(Timestamp::reported(&created.central_ticks())),
        payment_date_utc: Some(Timestamp::reported(&created.ticks())),
        payment_method_type: Some(PaymentKind(row.get("method")?).into()),
        status_by_type: Some(Reported::Value(match () {
            () if status == PaymentStatus::DECLINED => 1,
            () if status == PaymentStatus::ERROR => 2,
            () => 0,
        })),
        payment_status: Some(status),
        payment_amount: (!is_refund).then_some(paid),
        payment_tax_amount: if is_refund { None } else { Some(amount("tax")?) },
        surcharge_amount: (!is_refund).then_some(Amount::ZERO),
        original_payment_id: read_some(row, "original")?,
        refund_amount: is_refund.then_some(paid),
        message: row.get("message")?,
        ..Payment::default()
    };
    Ok(Booked { payment, created, refunded: amount("refunded")? })
}

/// A search as an SQL condition.
pub(crate) struct Filter {
    sql: String,
    values: Vec<Value>,
}

impl Filter {
    /// Reads a group of conditions, or names the value that is invalid for its field.
    pub(crate) fn of(group: &Group) -> std::result::Result<Self, Violations> {
        let mut filter = Self { sql: String::new(), values: Vec::new() };
        filter.group(group)?;
        Ok(filter)
    }

    fn values(&self, world: i64) -> Vec<Value> {
        [Value::from(world)].into_iter().chain(self.values.iter().cloned()).collect()
    }

    fn group(&mut self, group: &Group) -> std::result::Result<(), Violations> {
        let word = match group.kind() {
            GroupType::And => " AND ",
            GroupType::Or => " OR ",
        };
        self.conditions(word, group.conditions())
    }

    /// Splits conditions by halves: a chain of thousands is deeper than SQL allows.
    fn conditions(&mut self, word: &str, conditions: &[Condition]) -> std::result::Result<(), Violations> {
        match conditions {
            [Condition::Group(group)] => self.group(group),
            [Condition::Criteria(criteria)] => self.criteria(criteria),
            _ => {
                let (first, rest) = conditions.split_at(conditions.len() / 2);
                self.sql.push('(');
                self.conditions(word, first)?;
                self.sql.push_str(word);
                self.conditions(word, rest)?;
                self.sql.push(')');
                Ok(())
            }
        }
    }

    fn criteria(&mut self, criteria: &Criteria) -> std::result::Result<(), Violations> {
        let Criteria { field, operator, value } = criteria;
        let column = match field {
            Field::RequestId => "request_id",
            Field::PaymentId => "id",
            Field::SessionId => "session_id",
            Field::PaymentDate => return self.date(*operator, value.as_str()),
        };
        let sign = match operator {
            Operator::Is => "=",
            Operator::IsNot => "IS NOT",
            Operator::Above => ">",
            Operator::Below => "<",
            Operator::AtLeast => ">=",
            Operator::AtMost => "<=",
        };
        self.sql.extend([column, " ", sign, " ?"]);
        // As they are kept: a number of the caller's own may look like a card's.
        self.values.push(prose(Some(value)));
        Ok(())
    }

    /// Adds a date condition. A day covers all of it, from midnight UTC on; a moment is exact.
    fn date(&mut self, operator: Operator, value: &str) -> std::result::Result<(), Violations> {
        let (first, after) = match (Date::try_from(value), value.parse::<Moment>()) {
            (Ok(day), _) => {
                let first = Moment::of_day(day.naive()).millis();
                (first, first + 24 * 60 * 60 * 1_000)
            }
            (_, Ok(moment)) => (moment.millis(), moment.millis() + 1),
            _ => return Err(Violations::one("criteria.value", Rule::OneOf("a day or a moment in RFC 3339"))),
        };
        let (sql, values) = match operator {
            Operator::Is => ("(created >= ? AND created < ?)", vec![first, after]),
            Operator::IsNot => ("(created < ? OR created >= ?)", vec![first, after]),
            Operator::Above => ("created >= ?", vec![after]),
            Operator::Below => ("created < ?", vec![first]),
            Operator::AtLeast => ("created >= ?", vec![first]),
            Operator::AtMost => ("created < ?", vec![after]),
        };
        self.sql.push_str(sql);
        self.values.extend(values.into_iter().map(Value::from));
        Ok(())
    }
}
