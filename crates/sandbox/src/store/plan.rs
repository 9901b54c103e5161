//! Payment plans in the database.

use chrono::{Datelike, Months, TimeDelta};
use perennial_domain::clearent::{
    CustomerKey, Frequency, FrequencyDay, Plan, PlanKey, PlanSearch, PlanStatus, PlanTerm, TokenId,
};
use perennial_domain::{Amount, Date, NaiveDate, Reported, Timestamp, add_months};
use perennial_wire::clearent::Page;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Result, Row, params};

use super::list::List;
use super::row::{
    self, Columns, NamedRow, cents, insert, prose, read, read_amount, read_some, text, to_text,
};
use crate::clock::Moment;
use crate::options::GatewayOptions;
use crate::store::session::Session;
use crate::store::waiting_charge::PlanCharge;
use crate::store::world::Kind;

impl Session<'_> {
    /// The key of the next plan.
    pub(crate) fn next_plan_key(&self) -> Result<(u64, PlanKey)> {
        let number = self.next(Kind::Plan)?;
        let key = format!("plan_{}", self.seed.key("plan", number));
        Ok((number, PlanKey::try_from(key).map_err(|_| rusqlite::Error::InvalidQuery)?))
    }

    pub(crate) fn create_plan(&self, number: u64, plan: &Plan) -> Result<()> {
        let mut columns: Columns = vec![
            ("world", self.world.into()),
            ("number", number.cast_signed().into()),
            ("key", text(Some(&plan.plan_key))),
            ("found_from", self.found_from()),
        ];
        columns.extend(self.status_columns(plan.status.as_ref()));
        columns.extend(self.columns(plan)?);
        insert(self.connection, "plans", columns)
    }

    /// Writes the new state of a plan; its status has the date of its last change.
    pub(crate) fn update_plan(&self, old: &Plan, new: &Plan) -> Result<()> {
        let is_active = |plan: &Plan| plan.status == Some(PlanStatus::ACTIVE);
        if self.gateway.catch_up && is_active(new) && !is_active(old) {
            self.catch_up(new)?;
        }
        let mut columns = self.columns(new)?;
        if old.status != new.status {
            columns.extend(self.status_columns(new.status.as_ref()));
        }
        row::update(self.connection, "plans", (self.world, "key", new.plan_key.as_str()), columns)
    }

    /// Charges the days that passed since the last change of the plan's status, before anything else happens.
    fn catch_up(&self, plan: &Plan) -> Result<()> {
        let sql = "SELECT status_date FROM plans WHERE world = ? AND key = ?";
        let key = params![self.world, plan.plan_key.as_str()];
        let since =
            self.connection.query_row(sql, key, |row| row.get("status_date").map(Moment::from_millis))?;
        for day in schedule(plan, &self.gateway) {
            let run = Moment::run_of(day, self.gateway.charge_hour);
            if since < run && run <= self.now {
                self.put_off_charge(&PlanCharge {
                    plan: plan.plan_key.clone(),
                    day,
                    at: self.now,
                    retries: 0,
                    is_late: false,
                })?;
            }
        }
        Ok(())
    }

    /// Columns of a plan's new status; a canceled plan will be archived.
    fn status_columns(&self, status: Option<&PlanStatus>) -> [(&'static str, Value); 2] {
        let canceled = status == Some(&PlanStatus::CANCELED);
        let archive = self.now.archive_end().filter(|_| canceled).map(Moment::millis);
        [("status_date", self.now.millis().into()), ("archive_at", archive.into())]
    }

    fn columns(&self, plan: &Plan) -> Result<Columns> {
        // A day that was charged is never due again, wherever the clock and the plan have gone since.
        let mut days = remaining(plan, self.now, &self.gateway).peekable();
        let charged = match days.peek() {
            Some(first) => self.last_payment_day(&plan.plan_key, *first)?,
            None => None,
        };
        let next = days.find(|day| charged.is_none_or(|charged| *day > charged));
        let Plan {
            plan_key: _,
            plan_name,
            plan_type: _,
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
            status_date: _,
            email_address,
            email_receipt,
            links: _,
        } = plan;
        Ok(vec![
            ("name", self.cut(prose(plan_name.as_ref()))),
            ("customer_key", text(customer_key.as_ref())),
            ("customer_name", prose(customer_name.as_ref())),
            ("token_id", text(token_id.as_ref())),
            ("frequency", text(frequency.as_ref().map(Frequency::as_str))),
            (
                "frequency_day",
                frequency_day.as_ref().and_then(Reported::value).map_or(Value::Null, |day| day.get().into()),
            ),
            ("frequency_month", number(frequency_month.as_ref())),
            ("frequency_week", number(frequency_week.as_ref())),
            ("amount", cents(*payment_amount)),
            ("start_date", to_text(*start_date)),
            ("end_date", to_text(*end_date)),
            ("status", text(status.as_ref().map(PlanStatus::as_str))),
            ("email_address", text(email_address.as_ref())),
            ("email_receipt", email_receipt.as_ref().and_then(Reported::value).unwrap_or_default().into()),
            ("next_charge", to_text(next)),
        ])
    }

    /// The name of a plan, cut to the gateway's limit.
    fn cut(&self, name: Value) -> Value {
        match (name, self.gateway.name_limit) {
            (Value::Text(name), limit) if limit > 0 => {
                // A name longer than memory is not cut.
                Value::Text(name.chars().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
            }
            (name, _) => name,
        }
    }

    /// A plan that is not archived.
    pub(crate) fn plan(&self, key: &PlanKey) -> Result<Option<Plan>> {
        self.connection
            .prepare_cached("SELECT * FROM plans WHERE world = ? AND key = ? AND archived IS NULL")?
            .query_row(params![self.world, key.as_str()], plan)
            .optional()
    }

    pub(crate) fn delete_plan(&self, key: &PlanKey) -> Result<()> {
        let sql = "DELETE FROM plans WHERE world = ? AND key = ?";
        self.connection.prepare_cached(sql)?.execute(params![self.world, key.as_str()])?;
        self.gone(Kind::Plan, 1)
    }

    pub(crate) fn count_plans_of(&self, customer: &CustomerKey) -> Result<u64> {
        let sql = "SELECT count(*) FROM plans WHERE world = ? AND customer_key = ? AND archived IS NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(params![self.world, customer.as_str()], |row| row.get(0))
    }

    /// Plans that match the search and that a search at this time finds.
    pub(crate) fn plans(&self, search: PlanSearch, time: Option<Moment>) -> Result<(Vec<Plan>, Page)> {
        let PlanSearch {
            customer_key,
            customer_name,
            plan_key,
            plan_name,
            payment_amount,
            status,
            token_id,
            paging,
        } = search;
        List::of(Kind::Plan)
            .found_at(time)
            .with("customer_key = ?", customer_key.map(|key| key.to_string()))
            .with_typed("customer_name = ? COLLATE names", customer_name)
            .with("key = ?", plan_key.map(|key| key.to_string()))
            .with("name = ? COLLATE names", plan_name)
            .with("amount = ?", payment_amount.map(|amount| cents(Some(amount))))
            .with("status = ?", status.map(|status| status.to_string()))
            .with("token_id = ?", token_id.map(|id| id.to_string()))
            .page(self, &paging, ORDERS, plan)
    }

    /// Archives the plans whose time has come by this moment: they are no longer found, and their payments stay.
    pub(crate) fn archive_due(&self, by: Moment) -> Result<()> {
        let due = params![self.world, by.millis()];
        // Every call runs this, and the query costs a fraction of an update that finds nothing.
        let sql = "SELECT EXISTS (SELECT 1 FROM plans WHERE world = ? AND archive_at <= ?)";
        if !self.connection.prepare_cached(sql)?.query_row(due, |row| row.get(0))? {
            return Ok(());
        }
        let sql =
            "UPDATE plans SET archived = archive_at, archive_at = NULL WHERE world = ? AND archive_at <= ?";
        let archived = self.connection.prepare_cached(sql)?.execute(due)?;
        self.gone(Kind::Plan, archived)
    }

    /// The first day, up to this one, on which plans charge.
    pub(crate) fn due_day(&self, last: NaiveDate) -> Result<Option<NaiveDate>> {
        let sql = "SELECT next_charge FROM plans WHERE world = ? AND next_charge IS NOT NULL AND next_charge <= ? ORDER BY next_charge LIMIT 1";
        let day = |row: &Row<'_>| read::<Date>(&NamedRow::of(row), "next_charge");
        let due = params![self.world, last.to_string()];
        let day = self.connection.prepare_cached(sql)?.query_row(due, day).optional()?;
        Ok(day.map(Date::naive))
    }

    /// The first plans that charge on this day, up to this many, each with its number.
    pub(crate) fn due_plans(&self, day: NaiveDate, most: u64) -> Result<Vec<(u64, Plan)>> {
        let sql = "SELECT * FROM plans WHERE world = ? AND next_charge = ? ORDER BY key LIMIT ?";
        let due = params![self.world, day.to_string(), i64::try_from(most).unwrap_or(i64::MAX)];
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_map(due, |row| Ok((row.get("number")?, plan(row)?)))?.collect()
    }

    pub(crate) fn set_next_charge(&self, number: u64, next: Option<NaiveDate>) -> Result<()> {
        let sql = "UPDATE plans SET next_charge = ? WHERE world = ? AND number = ?";
        let next = next.map(|day| day.to_string());
        self.connection.prepare_cached(sql)?.execute(params![next, self.world, number])?;
        Ok(())
    }
}

/// The days on which a plan charges while it is active. The meaning of its cycle is unknown, so it has no effect here.
pub(crate) fn schedule(plan: &Plan, gateway: &GatewayOptions) -> impl Iterator<Item = NaiveDate> + use<> {
    let gateway = *gateway;
    let monthly = Plan { frequency_month: None, ..plan.clone() }.schedule();
    monthly.into_iter().flat_map(move |monthly| days(monthly.term(), monthly.day(), &gateway))
}

/// The days of charges in a term, by the options of the gateway.
pub(crate) fn days(
    term: PlanTerm,
    day: FrequencyDay,
    gateway: &GatewayOptions,
) -> impl Iterator<Item = NaiveDate> + use<> {
    let GatewayOptions { date_slip, start_inclusive, end_inclusive, .. } = *gateway;
    let (start, end) = (term.start().naive(), term.end().naive());
    // A charge of the month before the term may be moved into it.
    let first = start.with_day(day.get()).and_then(|day| day.checked_sub_months(Months::new(1)));
    (0..)
        .map_while(move |month| {
            add_months(first?, month)?.checked_add_signed(TimeDelta::days(date_slip.into()))
        })
        .skip_while(move |day| *day < start || (*day == start && !start_inclusive))
        .take_while(move |day| *day < end || (*day == end && end_inclusive))
}

/// The days whose charges are still to come: a day counts until its charges are made.
pub(crate) fn to_come<D: Iterator<Item = NaiveDate>>(
    days: D,
    now: Moment,
    gateway: &GatewayOptions,
) -> impl Iterator<Item = NaiveDate> + use<D> {
    let hour = gateway.charge_hour;
    days.skip_while(move |day| Moment::run_of(*day, hour) <= now)
}

/// The days on which an active plan will still charge.
pub(crate) fn remaining(
    plan: &Plan,
    now: Moment,
    gateway: &GatewayOptions,
) -> impl Iterator<Item = NaiveDate> + use<> {
    let active = Some(plan).filter(|plan| plan.status == Some(PlanStatus::ACTIVE));
    let days = active.map(|plan| schedule(plan, gateway)).into_iter().flatten();
    to_come(days, now, gateway)
}

fn number(reported: Option<&Reported<u64>>) -> Value {
    reported.and_then(Reported::value).map(u64::cast_signed).into()
}

const ORDERS: &[(&str, &str)] = &[
    ("plan-key", "key"),
    ("plan-name", "name COLLATE names"),
    ("customer-key", "customer_key"),
    ("customer-name", "customer_name COLLATE names"),
    ("payment-amount", "amount"),
    ("status", "status"),
    ("start-date", "start_date"),
    ("end-date", "end_date"),
];

fn plan(row: &Row<'_>) -> Result<Plan> {
    let row = &NamedRow::of(row);
    Ok(Plan {
        plan_key: read(row, "key")?,
        plan_name: row.get("name")?,
        plan_type: Some("SUBSCRIPTION".into()),
        customer_key: read_some::<CustomerKey>(row, "customer_key")?,
        customer_name: row.get("customer_name")?,
        token_id: read_some::<TokenId>(row, "token_id")?,
        frequency: row.get::<Option<String>>("frequency")?.map(|word| Frequency::reported(&word)),
        frequency_day: FrequencyDay::new(row.get("frequency_day")?).ok().map(Reported::from),
        frequency_month: row.get::<Option<u64>>("frequency_month")?.map(Reported::Value),
        frequency_week: row.get::<Option<u64>>("frequency_week")?.map(Reported::Value),
        payment_amount: read_amount(row, "amount")?.or(Some(Amount::ZERO)),
        start_date: Some(read(row, "start_date")?),
        end_date: Some(read(row, "end_date")?),
        status: Some(PlanStatus::reported(&row.get::<String>("status")?)),
        status_date: Some(Timestamp::reported(&Moment::from_millis(row.get("status_date")?).seconds())),
        email_address: row.get("email_address")?,
        email_receipt: Some(Reported::Value(row.get("email_receipt")?)),
        links: Vec::new(),
    })
}
