//! Charges of plans that wait for their moment: further tries of a declined charge, days that are caught up, and charges
//! that a fault makes late.

use perennial_domain::clearent::PlanKey;
use perennial_domain::{Date, NaiveDate};
use rusqlite::{OptionalExtension, Result, Row, params};

use super::row::{NamedRow, read};
use crate::clock::Moment;
use crate::store::session::Session;

/// A charge of a plan, due at a moment.
#[derive(Clone)]
pub(crate) struct PlanCharge {
    pub(crate) plan: PlanKey,
    /// The plan's day that it is for.
    pub(crate) day: NaiveDate,
    pub(crate) at: Moment,
    /// The number of earlier tries.
    pub(crate) retries: u32,
    /// Whether a fault made it late, so that no other one hits it.
    pub(crate) is_late: bool,
}

impl Session<'_> {
    /// Stores a charge until its moment.
    pub(crate) fn put_off_charge(&self, charge: &PlanCharge) -> Result<()> {
        let PlanCharge { plan, day, at, retries, is_late } = charge;
        let sql = "INSERT INTO waiting_charges (world, at, plan_key, frequency_date, retries, is_late) VALUES (?, ?, ?, ?, ?, ?)";
        let values = params![self.world, at.millis(), plan.as_str(), day.to_string(), retries, is_late];
        self.connection.prepare_cached(sql)?.execute(values).map(|_| ())
    }

    /// The first waiting charge that is due by this moment.
    pub(crate) fn waiting_charge(&self, by: Moment) -> Result<Option<PlanCharge>> {
        let sql = "SELECT * FROM waiting_charges WHERE world = ? AND at <= ?
                   ORDER BY at, plan_key, frequency_date, retries LIMIT 1";
        let due = params![self.world, by.millis()];
        self.connection.prepare_cached(sql)?.query_row(due, plan_charge).optional()
    }

    /// The moment of the first waiting charge.
    pub(crate) fn next_waiting_charge(&self) -> Result<Option<Moment>> {
        let sql = "SELECT min(at) FROM waiting_charges WHERE world = ?";
        let at: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row([self.world], |row| row.get(0))?;
        Ok(at.map(Moment::from_millis))
    }

    /// Removes a waiting charge.
    pub(crate) fn take_waiting_charge(&self, charge: &PlanCharge) -> Result<()> {
        let PlanCharge { plan, day, at, retries, is_late: _ } = charge;
        let sql = "DELETE FROM waiting_charges
                   WHERE world = ? AND at = ? AND plan_key = ? AND frequency_date = ? AND retries = ?";
        let values = params![self.world, at.millis(), plan.as_str(), day.to_string(), retries];
        self.connection.prepare_cached(sql)?.execute(values).map(|_| ())
    }
}

fn plan_charge(row: &Row<'_>) -> Result<PlanCharge> {
    let row = &NamedRow::of(row);
    Ok(PlanCharge {
        plan: read(row, "plan_key")?,
        day: read::<Date>(row, "frequency_date")?.naive(),
        at: Moment::from_millis(row.get("at")?),
        retries: row.get("retries")?,
        is_late: row.get("is_late")?,
    })
}
