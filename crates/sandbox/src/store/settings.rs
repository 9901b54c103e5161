//! Settings of a world's terminal, in the database after their first change.

use perennial_domain::clearent::{
    CheckAnswer, CheckSettings, CheckUpdate, DuplicateSettings, DuplicateUpdate, DuplicateUpdateFields,
    ResponseFilter,
};
use rusqlite::{Connection, OptionalExtension, Result, Row};

use super::row::{Columns, insert};

/// The settings of a terminal.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) avs: Filters,
    pub(crate) csc: Filters,
    pub(crate) duplicates: Duplicates,
}

/// The accepted answers of a check.
#[derive(Clone)]
pub(crate) struct Filters {
    enabled: bool,
    /// The letters of the accepted answers.
    allowed: String,
}

/// The settings that find duplicates.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the vendor's settings are flags")]
pub(crate) struct Duplicates {
    pub(crate) enabled: bool,
    check_merchant_level: bool,
    pub(crate) include_invoice: bool,
    pub(crate) use_invoice_instead_of_card: bool,
    pub(crate) minutes: u8,
    pub(crate) respond_with_error: bool,
}

/// Disables everything. The allowed answers and the window of one minute are those of the vendor's samples.
impl Default for Settings {
    fn default() -> Self {
        let filters = |allowed: &str| Filters { enabled: false, allowed: allowed.into() };
        Self {
            avs: filters("XYWZU"),
            csc: filters("MPUX"),
            duplicates: Duplicates {
                enabled: false,
                check_merchant_level: false,
                include_invoice: false,
                use_invoice_instead_of_card: false,
                minutes: 1,
                respond_with_error: false,
            },
        }
    }
}

impl Settings {
    pub(super) fn read(connection: &Connection, world: i64) -> Result<Self> {
        let mut statement = connection.prepare_cached("SELECT * FROM settings WHERE world = ?")?;
        Ok(statement.query_row([world], settings).optional()?.unwrap_or_default())
    }

    pub(super) fn write(&self, connection: &Connection, world: i64) -> Result<()> {
        let Self { avs, csc, duplicates } = self;
        let columns: Columns = vec![
            ("world", world.into()),
            ("avs_enabled", avs.enabled.into()),
            ("avs_allowed", avs.allowed.clone().into()),
            ("csc_enabled", csc.enabled.into()),
            ("csc_allowed", csc.allowed.clone().into()),
            ("duplicates_enabled", duplicates.enabled.into()),
            ("check_merchant_level", duplicates.check_merchant_level.into()),
            ("include_invoice", duplicates.include_invoice.into()),
            ("use_invoice_instead_of_card", duplicates.use_invoice_instead_of_card.into()),
            ("time_range_in_minutes", duplicates.minutes.into()),
            ("respond_with_error", duplicates.respond_with_error.into()),
        ];
        connection.prepare_cached("DELETE FROM settings WHERE world = ?")?.execute([world])?;
        insert(connection, "settings", columns)
    }
}

fn settings(row: &Row<'_>) -> Result<Settings> {
    Ok(Settings {
        avs: Filters { enabled: row.get("avs_enabled")?, allowed: row.get("avs_allowed")? },
        csc: Filters { enabled: row.get("csc_enabled")?, allowed: row.get("csc_allowed")? },
        duplicates: Duplicates {
            enabled: row.get("duplicates_enabled")?,
            check_merchant_level: row.get("check_merchant_level")?,
            include_invoice: row.get("include_invoice")?,
            use_invoice_instead_of_card: row.get("use_invoice_instead_of_card")?,
            minutes: row.get("time_range_in_minutes")?,
            respond_with_error: row.get("respond_with_error")?,
        },
    })
}

impl Filters {
    /// Whether a charge that the issuer approved with this answer is voided. Without a check nothing is
    /// voided (**inferred**).
    pub(crate) fn stops(&self, answer: Option<&CheckAnswer>) -> bool {
        self.enabled && answer.is_some_and(|answer| !self.allowed.contains(answer.code))
    }

    pub(crate) fn change(&mut self, update: &CheckUpdate) {
        self.enabled = update.enabled().unwrap_or(self.enabled);
        for (answer, allowed) in update.filters() {
            self.allowed = self.allowed.replace(answer.code, "");
            if *allowed {
                self.allowed.push_str(answer.code);
            }
        }
    }

    pub(crate) fn record(&self, answers: &[CheckAnswer]) -> CheckSettings {
        let filters = answers.iter().map(|answer| ResponseFilter {
            name: Some(answer.name.into()),
            response_code: Some(answer.code.into()),
            allowed: Some(self.allowed.contains(answer.code)),
            description: Some(answer.description.into()),
        });
        CheckSettings { enabled: Some(self.enabled), filters: filters.collect() }
    }
}

impl Duplicates {
    pub(crate) fn change(&mut self, update: &DuplicateUpdate) {
        let DuplicateUpdateFields {
            enabled,
            check_merchant_level,
            include_invoice,
            use_invoice_instead_of_card,
            time_range_in_minutes,
            if_duplicate_found_respond_with_error,
        } = update.fields();
        for (flag, given) in [
            (&mut self.enabled, enabled),
            (&mut self.check_merchant_level, check_merchant_level),
            (&mut self.include_invoice, include_invoice),
            (&mut self.use_invoice_instead_of_card, use_invoice_instead_of_card),
            (&mut self.respond_with_error, if_duplicate_found_respond_with_error),
        ] {
            *flag = given.map_or(*flag, |given| given.0);
        }
        self.minutes = time_range_in_minutes.map_or(self.minutes, |minutes| minutes.get());
    }

    pub(crate) fn record(&self) -> DuplicateSettings {
        DuplicateSettings {
            enabled: Some(self.enabled),
            check_merchant_level: Some(self.check_merchant_level),
            include_invoice: Some(self.include_invoice),
            use_invoice_instead_of_card: Some(self.use_invoice_instead_of_card),
            time_range_in_minutes: Some(self.minutes.into()),
            if_duplicate_found_respond_with_error: Some(self.respond_with_error),
        }
    }
}
