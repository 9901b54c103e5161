//! The statements of the journal, written once for both databases.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;

use super::row::{
    Damage, INTENT, Row, TENANT, Value, decision_of, event_of, inbox_of, intent_of, tenant_of, values_of,
};
use super::{
    Change, Committed, Decision, Event, Filter, Health, InboxRow, Intended, NewDecision, NewEvent, OpenWork,
    SharedAccess, Store, StoreError, Tenant,
};
use crate::Moment;
use crate::machine::{Intent, State, Write};

/// One statement of a transaction, in SQL that both databases understand: `?1` is the first value, and `perennial_x` is the
/// table `x` of the schema `perennial` on `PostgreSQL`.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) values: Vec<Value>,
    /// Whether the transaction is undone if the statement returns no row.
    pub(crate) must: bool,
}

impl Statement {
    /// A statement with its values.
    pub fn new(sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values, must: false }
    }

    /// Undoes the whole transaction if the statement returns no row.
    #[must_use]
    pub fn must(self) -> Self {
        Self { must: true, ..self }
    }

    /// The statements that store an intent. They undo the transaction if its operation key is used already.
    pub fn intend(intent: &Intent) -> Result<Vec<Self>, StoreError> {
        let mut statements: Vec<_> = insert_guard(intent).into_iter().collect();
        statements.push(insert(intent)?.must());
        Ok(statements)
    }

    /// The statement that stores an event of a tenant, about an object of the caller's.
    pub fn event(tenant: &str, about: &str, event: &NewEvent, now: Moment) -> Self {
        insert_event(tenant, about, event, now)
    }

    /// The statement that stores a person's decision about an object of the caller's.
    pub fn decision(about: &str, decision: &NewDecision, now: Moment) -> Self {
        insert_decision(about, decision, now)
    }

    /// The statement that puts a tenant on hold for a reason, or ends its hold.
    pub(crate) fn hold(tenant: &str, reason: Option<&str>) -> Self {
        let sql = "UPDATE perennial_tenant SET hold = ?2 WHERE uid = ?1";
        Self::new(sql, vec![tenant.into(), reason.map(readable).into()])
    }

    /// The statement that raises the version of a guard: intents with an earlier version are not sent any more.
    pub fn raise_guard(tenant: &str, name: &str) -> Self {
        let sql = "INSERT INTO perennial_guard (tenant, name, version) VALUES (?1, ?2, 1)
                   ON CONFLICT (tenant, name) DO UPDATE SET version = perennial_guard.version + 1 RETURNING version";
        Self::new(sql, vec![tenant.into(), name.into()])
    }
}

/// The result of a transaction.
#[derive(Debug)]
pub enum Transacted {
    /// It is committed; the rows of each statement.
    Rows(Vec<Vec<Row>>),
    /// A statement that must return a row returned none; nothing is changed.
    Unmet,
    /// A unique index refused a row; nothing is changed.
    Conflict,
}

/// A database that runs transactions. It writes `?1` and `perennial_x` in its own way.
#[async_trait]
pub(crate) trait Sql: Send + Sync {
    /// Runs the statements in one transaction, and returns after it is durable.
    async fn transact(&self, statements: Vec<Statement>) -> Result<Transacted, StoreError>;
    /// The addition to a subquery that claims a row, so that others pass over it.
    fn skip_locked(&self) -> &'static str;
    /// The addition to a subquery that reads a row, so that the row does not change before the commit.
    fn unchanged(&self) -> &'static str;
    /// A statement that makes transactions of this kind wait for each other, if that does not happen anyway.
    fn one_at_a_time(&self) -> Option<&'static str>;
    /// A statement that counts attempts and returns the number, and what identifies the journal.
    fn count_send(&self) -> Option<&'static str>;
    /// The state of the witness outside the database, as it is read before an attempt is committed.
    fn witness(&self) -> String {
        String::new()
    }
    /// Tells the witness what the statement returned; returns the reason why the database is not the one that was used
    /// last. Then the attempt is not sent.
    fn sent(&self, witness: String, counted: &str) -> Option<String>;
    /// The reason why the database is not the one that was used last, if it was restored, copied or moved.
    async fn suspicion(&self) -> Result<Option<String>, StoreError> {
        Ok(None)
    }
    /// Closes the database.
    fn close(&self) {}
    /// Accepts the database as it is.
    async fn accept(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// A statement that checks the database, and returns `ok` or the problems, one in a row.
    fn check(&self) -> &'static str {
        "SELECT 'ok'"
    }
    /// The name of the database in errors, without credentials.
    fn place(&self) -> &str;
}

/// A [`Store`] over a database.
pub(crate) struct Statements<S>(pub(crate) S);

/// An intent without an outcome: the condition of a partial index.
const WITHOUT_OUTCOME: &str = "state IN ('planned','sending','unknown','needs-card','needs-person')";

/// The condition under which the intent `o` does not let the intent `i` pass, another write to the same object: it may
/// have been done, also if it is to be sent once more, or it is an earlier decision that is not sent yet. A write that may
/// have been done itself waits for no earlier decision, which waits for it. A stop is in nobody's way, but for a void: what
/// arrives after it would move money once more.
fn in_the_way(i: &str) -> String {
    format!(
        "o.tenant = {i}.tenant AND o.object = {i}.object AND o.uid <> {i}.uid AND o.{WITHOUT_OUTCOME}
           AND (o.is_stop = 0 OR o.operation = '{}')
           AND (o.state IN ('sending','unknown','needs-person')
             OR o.state IN ('planned','needs-card') AND o.history LIKE '%\"attempts\"%'
             OR o.state = 'planned' AND {i}.history NOT LIKE '%\"attempts\"%'
               AND (o.created < {i}.created OR o.created = {i}.created AND o.uid < {i}.uid))",
        Write::Void
    )
}

impl<S: Sql> Statements<S> {
    /// `PostgreSQL` stores no NUL character, so no journal does: a text never means something else in the other
    /// database.
    async fn transact(&self, statements: Vec<Statement>) -> Result<Transacted, StoreError> {
        let is_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
        if statements.iter().any(|statement| statement.values.iter().any(is_nul)) {
            return Err(StoreError::Statement("a text has a NUL character".into()));
        }
        self.0.transact(statements).await
    }

    fn damaged(&self, why: Damage) -> StoreError {
        StoreError::Damaged { place: self.0.place().to_owned(), why }
    }

    async fn rows<T>(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
        read: impl Fn(Row) -> Result<T, Damage>,
    ) -> Result<Vec<T>, StoreError> {
        match self.transact(vec![Statement::new(sql, values)]).await? {
            Transacted::Rows(mut rows) => {
                let rows = rows.pop().unwrap_or_default();
                rows.into_iter().map(read).collect::<Result<_, _>>().map_err(|why| self.damaged(why))
            }
            Transacted::Unmet | Transacted::Conflict => Ok(Vec::new()),
        }
    }

    async fn row<T>(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
        read: impl Fn(Row) -> Result<T, Damage>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.rows(sql, values, read).await?.into_iter().next())
    }

    /// The condition of the intent of tenant `?1` that is worked on first at `?4`. Each part reads one row of an index,
    /// however many intents there are.
    pub(super) fn first_due(&self, free: &str) -> String {
        let locked = self.0.skip_locked();
        let first = |condition: &str, order: &str| {
            format!(
                "(SELECT uid FROM perennial_intent WHERE tenant = ?1 AND {free} AND {condition}
                   ORDER BY {order} LIMIT 1 {locked})"
            )
        };
        // While nothing may be sent, what is planned is in another index than what is looked for.
        format!(
            "uid = coalesce({}, {}, {}, CASE WHEN EXISTS (SELECT 1 FROM perennial_tenant t
               WHERE t.uid = ?1 AND (t.hold IS NOT NULL OR t.quiet_until > ?4)) THEN {} ELSE {} END)",
            first("is_stop = 1 AND state = 'sending'", "created"),
            first("is_stop = 1 AND next <= ?4", "next, created"),
            first("is_stop = 0 AND state = 'sending'", "created"),
            first("is_stop = 0 AND state <> 'planned' AND next <= ?4", "next, created"),
            first("is_stop = 0 AND next <= ?4", "next, created"),
        )
    }

    /// The reason why the statement that commits an attempt changed nothing.
    async fn refusal(&self, intent: &Intent, now: Moment) -> Result<Committed, StoreError> {
        let sql = "SELECT
               (SELECT count(*) FROM perennial_intent i WHERE i.uid = ?1 AND i.fence = ?2),
               (SELECT count(*) FROM perennial_tenant t WHERE t.uid = ?3 AND (t.hold IS NOT NULL OR t.quiet_until > ?4)),
               (SELECT count(*) FROM perennial_intent i WHERE i.uid = ?1 AND ?4 < i.send_before AND (i.guard IS NULL
                 OR coalesce((SELECT g.version FROM perennial_guard g WHERE g.tenant = i.tenant AND g.name = i.guard), 0)
                   = i.guard_version))";
        let values =
            vec![intent.uid.as_str().into(), intent.fence.into(), intent.tenant.as_str().into(), now.into()];
        let read = |mut row: Row| Ok([row.int()?, row.int()?, row.int()?]);
        Ok(match self.row(sql, values, read).await? {
            Some([0, ..]) | None => Committed::Fenced,
            Some([_, _, 0]) => Committed::Unwanted,
            Some([_, held, _]) if held > 0 && !intent.is_stop => Committed::Held,
            _ => Committed::Busy,
        })
    }
}

fn insert(intent: &Intent) -> Result<Statement, StoreError> {
    let places: Vec<_> = (1..=INTENT.split(',').count()).map(|number| format!("?{number}")).collect();
    let sql = format!(
        "INSERT INTO perennial_intent ({INTENT}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING uid",
        places.join(", ")
    );
    Ok(Statement::new(sql, values_of(intent)?))
}

/// The row of the intent's guard, so that there is one to be kept unchanged while an attempt is committed.
fn insert_guard(intent: &Intent) -> Option<Statement> {
    let guard = intent.precondition.as_ref()?.guard.as_str();
    let sql = "INSERT INTO perennial_guard (tenant, name, version) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING";
    Some(Statement::new(sql, vec![intent.tenant.as_str().into(), guard.into()]))
}

/// A reason may repeat what a gateway said, and must be stored whatever that was.
fn readable(reason: &str) -> String {
    reason.replace('\0', "\u{fffd}")
}

fn insert_event(tenant: &str, about: &str, event: &NewEvent, now: Moment) -> Statement {
    Statement::new(
        "INSERT INTO perennial_event (tenant, kind, about, body, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        vec![
            tenant.into(),
            event.kind.as_str().into(),
            readable(about).into(),
            event.body.as_str().into(),
            now.into(),
        ],
    )
}

fn insert_decision(about: &str, decision: &NewDecision, now: Moment) -> Statement {
    Statement::new(
        "INSERT INTO perennial_decision (at, actor, reason, about, what) VALUES (?1, ?2, ?3, ?4, ?5)",
        vec![
            now.into(),
            decision.actor.as_str().into(),
            decision.reason.as_str().into(),
            about.into(),
            decision.what.as_str().into(),
        ],
    )
}

#[async_trait]
impl<S: Sql> Store for Statements<S> {
    async fn now(&self, clock: Moment) -> Result<Moment, StoreError> {
        // Written only when a second has passed, so that a turn does not always write.
        let stored = self.setting("now").await?.and_then(|now| now.parse().ok()).map(Moment::from_millis);
        match stored {
            Some(stored) if stored > clock => Ok(stored),
            Some(stored) if clock.since(stored) < std::time::Duration::from_secs(1) => Ok(clock),
            // A restored database keeps the time of its backup until it is adopted, so that the adoption knows its age.
            _ if self.suspicion().await?.is_some() => Ok(clock),
            _ => {
                let sql = "INSERT INTO perennial_setting (name, value) VALUES ('now', ?1) \
                           ON CONFLICT (name) DO UPDATE SET value = excluded.value \
                           WHERE CAST(perennial_setting.value AS BIGINT) < CAST(excluded.value AS BIGINT) \
                           RETURNING value";
                let values = vec![clock.as_millis().to_string().into()];
                if self.row(sql, values, |mut row| row.text()).await?.is_some() {
                    return Ok(clock);
                }
                // Another process stored a later time meanwhile.
                let stored = self.setting("now").await?.and_then(|now| now.parse().ok());
                Ok(stored.map_or(clock, |stored| clock.max(Moment::from_millis(stored))))
            }
        }
    }

    async fn tenant(&self, name: &str) -> Result<Option<Tenant>, StoreError> {
        self.row(
            format!("SELECT {TENANT} FROM perennial_tenant WHERE name = ?1"),
            vec![name.into()],
            tenant_of,
        )
        .await
    }

    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let mut tenants =
            self.rows(format!("SELECT {TENANT} FROM perennial_tenant"), Vec::new(), tenant_of).await?;
        // Each database would sort by its own collation.
        tenants.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tenants)
    }

    async fn add_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO perennial_tenant ({TENANT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING"
        );
        let Tenant { uid, name, host, sentinel, hold, quiet_until, worst_lag, created } = tenant.clone();
        let values = vec![
            uid.into(),
            name.into(),
            host.into(),
            sentinel.into(),
            hold.as_deref().map(readable).into(),
            quiet_until.into(),
            worst_lag.into(),
            created.into(),
        ];
        self.transact(vec![Statement::new(sql, values)]).await.map(|_| ())
    }

    async fn change_tenant(
        &self,
        tenant: &Tenant,
        decision: Option<NewDecision>,
        now: Moment,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE perennial_tenant SET sentinel = ?2, hold = ?3, quiet_until = ?4, \
                   worst_lag = CASE WHEN worst_lag > ?5 THEN worst_lag ELSE ?5 END WHERE uid = ?1 RETURNING uid";
        let Tenant { uid, sentinel, hold, quiet_until, worst_lag, .. } = tenant.clone();
        let values = vec![
            uid.clone().into(),
            sentinel.into(),
            hold.as_deref().map(readable).into(),
            quiet_until.into(),
            worst_lag.into(),
        ];
        let mut statements = vec![Statement::new(sql, values)];
        statements.extend(decision.map(|decision| insert_decision(&uid, &decision, now)));
        self.transact(statements).await.map(|_| ())
    }

    async fn intend(&self, intent: &Intent) -> Result<Intended, StoreError> {
        // What refused the intent may be withdrawn before it is read: then there is room.
        for _ in 0..3 {
            match self.transact(Statement::intend(intent)?).await? {
                Transacted::Rows(_) => return Ok(Intended::New),
                Transacted::Unmet | Transacted::Conflict => {}
            }
            if let Some(existing) = self.intent_of_key(&intent.tenant, &intent.key).await? {
                return Ok(Intended::Existing(Box::new(existing)));
            }
            let sql = "SELECT operation_key FROM perennial_intent WHERE tenant = ?1 AND mark = ?2 \
                       AND state NOT IN ('declined','refused','withdrawn')";
            let values = vec![intent.tenant.as_str().into(), intent.mark.as_str().into()];
            if let Some(by) = self.row(sql, values, |mut row| row.text()).await? {
                return Ok(Intended::MarkTaken { by });
            }
        }
        Err(StoreError::Statement("an intent was neither stored nor there".into()))
    }

    async fn intent(&self, uid: &str) -> Result<Option<Intent>, StoreError> {
        self.row(format!("SELECT {INTENT} FROM perennial_intent WHERE uid = ?1"), vec![uid.into()], intent_of)
            .await
    }

    async fn intent_of_key(&self, tenant: &str, key: &str) -> Result<Option<Intent>, StoreError> {
        let sql = format!("SELECT {INTENT} FROM perennial_intent WHERE tenant = ?1 AND operation_key = ?2");
        self.row(sql, vec![tenant.into(), key.into()], intent_of).await
    }

    async fn waits_for(&self, intent: &Intent) -> Result<Option<Intent>, StoreError> {
        let sql = format!(
            "SELECT {} FROM perennial_intent o JOIN perennial_intent i ON i.uid = ?1 WHERE {} ORDER BY o.created, o.uid LIMIT 1",
            INTENT.split(", ").map(|column| format!("o.{column}")).collect::<Vec<_>>().join(", "),
            in_the_way("i")
        );
        self.row(sql, vec![intent.uid.as_str().into()], intent_of).await
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Intent>, StoreError> {
        let Filter { tenant, states, key_prefix, created_before, limit } = filter;
        let mut values = vec![i64::from(if *limit == 0 { 100 } else { *limit }).into()];
        let mut conditions = vec!["1 = 1".to_owned()];
        if let Some(tenant) = tenant {
            values.push(tenant.as_str().into());
            conditions.push(format!("tenant = ?{}", values.len()));
        }
        if let Some(prefix) = key_prefix {
            values.push(prefix.as_str().into());
            let prefix = format!("CAST(?{} AS TEXT)", values.len());
            conditions.push(format!("substr(operation_key, 1, length({prefix})) = {prefix}"));
        }
        if let Some(before) = created_before {
            values.push(before.as_millis().into());
            conditions.push(format!("created < ?{}", values.len()));
        }
        if !states.is_empty() {
            let names: Vec<_> = states.iter().map(|state| format!("'{state}'")).collect();
            conditions.push(format!("state IN ({})", names.join(",")));
        }
        if !states.is_empty() && !states.iter().any(|state| state.is_final()) {
            // SQLite uses the index of what is open only if the condition is repeated.
            conditions.push(WITHOUT_OUTCOME.to_owned());
        }
        let sql = format!(
            "SELECT {INTENT} FROM perennial_intent WHERE {} ORDER BY created DESC, uid DESC LIMIT ?1",
            conditions.join(" AND ")
        );
        self.rows(sql, values, intent_of).await
    }

    async fn claim(
        &self,
        tenant: &str,
        uid: Option<&str>,
        now: Moment,
        system: Moment,
        lease_until: Moment,
    ) -> Result<Option<Intent>, StoreError> {
        let free = "(lease_until IS NULL OR lease_until < ?2)";
        // Whoever asks for an intent by name need not wait until it is due.
        let choice = if uid.is_some() {
            format!(
                "uid = ?4 AND tenant = ?1 AND {free} AND (next IS NOT NULL OR state IN ('planned','sending','unknown','needs-person'))"
            )
        } else {
            self.first_due(free)
        };
        let sql = format!(
            "UPDATE perennial_intent SET fence = fence + 1, lease_until = ?3 WHERE {choice} RETURNING {INTENT}"
        );
        let choice = uid.map_or_else(|| now.into(), Value::from);
        let values = vec![tenant.into(), system.into(), lease_until.into(), choice];
        self.row(sql, values, intent_of).await
    }

    async fn commit(&self, change: &Change) -> Result<Committed, StoreError> {
        let Change { intent, follow, events, decision, hold, lag, now } = change;
        let sends = intent.state == State::Sending;
        let all = values_of(intent)?;
        let column = |name: &str| {
            let index = INTENT.split(", ").position(|column| column == name);
            index.and_then(|index| all.get(index)).cloned().unwrap_or(Value::Null)
        };
        let mut values = vec![
            intent.uid.as_str().into(),
            intent.fence.into(),
            column("state"),
            column("lease_until"),
            column("next"),
            column("history"),
            column("outcome"),
            column("send_before"),
        ];
        let (mut conditions, mut also) = (String::new(), "");
        if intent.state.is_final() {
            values.extend([column("object"), column("request")]);
            also = ", object = ?9, request = ?10";
        }
        if sends {
            values.push((*now).into());
            // The rows of the guard and of the tenant stay as they are read until the commit: whoever raised the one or
            // held the other knows that nothing is sent afterwards.
            let unchanged = self.0.unchanged();
            let passes = if intent.is_stop {
                String::new()
            } else {
                format!(
                    "AND 0 = (SELECT CASE WHEN t.hold IS NOT NULL OR t.quiet_until > ?9 THEN 1 ELSE 0 END
                       FROM perennial_tenant t WHERE t.uid = perennial_intent.tenant {unchanged})
                     AND NOT EXISTS (SELECT 1 FROM perennial_intent o WHERE {})",
                    in_the_way("perennial_intent")
                )
            };
            conditions = format!(
                "AND ?9 < send_before AND (guard IS NULL OR guard_version = coalesce((SELECT g.version FROM perennial_guard g
                   WHERE g.tenant = perennial_intent.tenant AND g.name = perennial_intent.guard {unchanged}), 0)) {passes}"
            );
        }
        let sql = format!(
            "UPDATE perennial_intent SET state = ?3, lease_until = ?4, next = ?5, history = ?6, outcome = ?7, send_before = ?8{also}
             WHERE uid = ?1 AND fence = ?2 {conditions} RETURNING uid"
        );
        let mut statements = vec![Statement::new(sql, values).must()];
        for follow in follow {
            statements.extend(insert_guard(follow));
            statements.push(insert(follow)?);
        }
        statements.extend(events.iter().map(|event| insert_event(&intent.tenant, &intent.uid, event, *now)));
        statements.extend(decision.iter().map(|decision| insert_decision(&intent.uid, decision, *now)));
        if let Some(hold) = hold {
            let sql = "UPDATE perennial_tenant SET hold = CASE WHEN hold IS NULL THEN ?2 ELSE hold || '; ' || ?2 END
                       WHERE uid = ?1 AND (hold IS NULL OR replace(hold, ?2, '') = hold)";
            statements.push(Statement::new(sql, vec![intent.tenant.as_str().into(), readable(hold).into()]));
        }
        if let Some(lag) = lag {
            let sql = "UPDATE perennial_tenant SET worst_lag = ?2 WHERE uid = ?1 AND worst_lag < ?2";
            let lag = i64::try_from(lag.as_millis()).unwrap_or(i64::MAX);
            statements.push(Statement::new(sql, vec![intent.tenant.as_str().into(), lag.into()]));
        }
        if sends {
            statements.extend(self.0.count_send().map(|sql| Statement::new(sql, Vec::new())));
        }
        let witness = if sends { self.0.witness() } else { String::new() };
        match self.transact(statements).await? {
            Transacted::Rows(mut rows) => {
                if sends && let Some(counted) = rows.pop().and_then(|rows| rows.into_iter().next()) {
                    let counted = { counted }.text().map_err(|why| self.damaged(why))?;
                    if let Some(why) = self.0.sent(witness, &counted) {
                        return Err(StoreError::NotTheSame { place: self.0.place().to_owned(), why });
                    }
                }
                Ok(Committed::Yes)
            }
            Transacted::Conflict => Ok(Committed::Busy),
            Transacted::Unmet if sends => self.refusal(intent, *now).await,
            Transacted::Unmet => Ok(Committed::Fenced),
        }
    }

    async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let mut statements = Vec::new();
        statements.extend(self.0.one_at_a_time().map(|sql| Statement::new(sql, Vec::new())));
        statements.push(Statement::new(
            "UPDATE perennial_event SET position = placed.position FROM (
               SELECT id, (SELECT coalesce(max(position), 0) FROM perennial_event)
                 + row_number() OVER (ORDER BY id) AS position
               FROM perennial_event WHERE position IS NULL) AS placed
             WHERE perennial_event.id = placed.id",
            Vec::new(),
        ));
        statements.push(Statement::new(
            "SELECT e.position, t.name, e.kind, e.about, e.body, e.at FROM perennial_event e
             JOIN perennial_tenant t ON t.uid = e.tenant WHERE e.position > ?1 ORDER BY e.position LIMIT ?2",
            vec![after.into(), i64::from(limit).into()],
        ));
        match self.transact(statements).await? {
            Transacted::Rows(mut rows) => {
                let rows = rows.pop().unwrap_or_default().into_iter();
                rows.map(event_of).collect::<Result<_, _>>().map_err(|why| self.damaged(why))
            }
            Transacted::Unmet | Transacted::Conflict => Ok(Vec::new()),
        }
    }

    async fn worst_lag(&self, tenant: &str) -> Result<Duration, StoreError> {
        let sql = "SELECT worst_lag FROM perennial_tenant WHERE uid = ?1";
        let lag = self.row(sql, vec![tenant.into()], |mut row| row.int()).await?.unwrap_or(0);
        Ok(Duration::from_millis(u64::try_from(lag).unwrap_or(0)))
    }

    async fn open_work(&self) -> Result<OpenWork, StoreError> {
        let sql = format!(
            "SELECT state, count(*), min(created) FROM perennial_intent WHERE {WITHOUT_OUTCOME} GROUP BY state"
        );
        let read = |mut row: Row| {
            let state = row.text()?.parse().map_err(|_| "a state is not known".to_owned())?;
            Ok((state, u64::try_from(row.int()?).unwrap_or(0), Moment::from_millis(row.int()?)))
        };
        let states = self.rows(sql, Vec::new(), read).await?;
        let sql = "SELECT coalesce(max(worst_lag), 0) FROM perennial_tenant";
        let lag = self.row(sql, Vec::new(), |mut row| row.int()).await?.unwrap_or(0);
        Ok(OpenWork {
            oldest: states.iter().map(|(_, _, oldest)| *oldest).min(),
            states: states.into_iter().map(|(state, count, _)| (state, count)).collect(),
            worst_lag: Duration::from_millis(u64::try_from(lag).unwrap_or(0)),
        })
    }

    async fn decisions(&self, about: &str) -> Result<Vec<Decision>, StoreError> {
        let sql =
            "SELECT at, actor, reason, about, what FROM perennial_decision WHERE about = ?1 ORDER BY id";
        self.rows(sql, vec![about.into()], decision_of).await
    }

    async fn guard(&self, tenant: &str, name: &str) -> Result<i64, StoreError> {
        let sql = "SELECT version FROM perennial_guard WHERE tenant = ?1 AND name = ?2";
        Ok(self.row(sql, vec![tenant.into(), name.into()], |mut row| row.int()).await?.unwrap_or(0))
    }

    async fn raise_guard(&self, tenant: &str, name: &str) -> Result<i64, StoreError> {
        let sql = "INSERT INTO perennial_guard (tenant, name, version) VALUES (?1, ?2, 1)
                   ON CONFLICT (tenant, name) DO UPDATE SET version = perennial_guard.version + 1 RETURNING version";
        Ok(self.row(sql, vec![tenant.into(), name.into()], |mut row| row.int()).await?.unwrap_or(0))
    }

    async fn inbox(&self, limit: u32) -> Result<Vec<InboxRow>, StoreError> {
        let sql = "SELECT id, tenant, operation_key, operation, object, request FROM perennial_inbox \
                   WHERE tenant IN (SELECT name FROM perennial_tenant) ORDER BY id LIMIT ?1";
        self.rows(sql, vec![i64::from(limit).into()], inbox_of).await
    }

    async fn take(
        &self,
        row: &InboxRow,
        intent: Option<&Intent>,
        event: Option<(&str, &NewEvent)>,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let remove =
            Statement::new("DELETE FROM perennial_inbox WHERE id = ?1 RETURNING id", vec![row.id.into()]);
        let mut statements = vec![remove.must()];
        if let Some(intent) = intent {
            statements.extend(insert_guard(intent));
            statements.push(insert(intent)?.must());
        }
        statements.extend(event.map(|(tenant, event)| insert_event(tenant, &row.key, event, now)));
        Ok(matches!(self.transact(statements).await?, Transacted::Rows(_)))
    }

    async fn access(&self, tenant: &str) -> Result<SharedAccess, StoreError> {
        let sql = "SELECT access_id, generation FROM perennial_access WHERE tenant = ?1";
        let read = |mut row: Row| Ok(SharedAccess { id: row.maybe_text()?, generation: row.int()? });
        Ok(self
            .row(sql, vec![tenant.into()], read)
            .await?
            .unwrap_or(SharedAccess { id: None, generation: 0 }))
    }

    async fn claim_access(
        &self,
        tenant: &str,
        generation: i64,
        now: Moment,
        lease_until: Moment,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO perennial_access (tenant, access_id, generation, claimed_until) VALUES (?1, NULL, ?2, ?4)
                   ON CONFLICT (tenant) DO UPDATE SET claimed_until = ?4
                   WHERE perennial_access.generation = ?2
                     AND (perennial_access.claimed_until IS NULL OR perennial_access.claimed_until < ?3)
                   RETURNING tenant";
        let values = vec![tenant.into(), generation.into(), now.into(), lease_until.into()];
        Ok(self.row(sql, values, |mut row| row.text()).await?.is_some())
    }

    async fn replace_access(&self, tenant: &str, generation: i64, id: &str) -> Result<bool, StoreError> {
        let sql =
            "UPDATE perennial_access SET access_id = ?3, generation = generation + 1, claimed_until = NULL
                   WHERE tenant = ?1 AND generation = ?2 RETURNING tenant";
        Ok(self
            .row(sql, vec![tenant.into(), generation.into(), id.into()], |mut row| row.text())
            .await?
            .is_some())
    }

    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.row("SELECT value FROM perennial_setting WHERE name = ?1", vec![name.into()], |mut row| {
            row.text()
        })
        .await
    }

    async fn set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO perennial_setting (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.transact(vec![Statement::new(sql, vec![name.into(), value.into()])]).await.map(|_| ())
    }

    async fn suspicion(&self) -> Result<Option<String>, StoreError> {
        self.0.suspicion().await
    }

    async fn transact(&self, statements: Vec<Statement>) -> Result<Transacted, StoreError> {
        Self::transact(self, statements).await
    }

    fn close(&self) {
        self.0.close();
    }

    fn place(&self) -> String {
        self.0.place().to_owned()
    }

    async fn check(&self) -> Result<Health, StoreError> {
        let mut problems = self.rows(self.0.check(), Vec::new(), |mut row| row.text()).await?;
        problems.retain(|problem| problem != "ok");
        let sql = "SELECT max(version) FROM perennial_schema";
        let schema = self.row(sql, Vec::new(), |mut row| row.int()).await?.unwrap_or(0);
        Ok(Health { place: self.0.place().to_owned(), schema, problems })
    }

    async fn mark_restored(
        &self,
        quiet_until: Moment,
        decision: NewDecision,
        now: Moment,
    ) -> Result<u64, StoreError> {
        let open =
            "SELECT uid FROM perennial_intent WHERE state IN ('planned','sending','unknown','needs-card')";
        let uids = self.rows(open, Vec::new(), |mut row| row.text()).await?;
        let mut statements = vec![
            Statement::new("UPDATE perennial_tenant SET quiet_until = ?1", vec![quiet_until.into()]),
            insert_decision("journal", &decision, now),
        ];
        for uid in &uids {
            let Some(mut intent) = self.intent(uid).await? else { continue };
            intent.history.restored = Some(quiet_until);
            intent.history.looked_first = false;
            let history = serde_json::to_string(&intent.history);
            let history = history.map_err(|error| StoreError::Statement(error.to_string().into()))?;
            statements.push(Statement::new(
                "UPDATE perennial_intent SET history = ?2, fence = fence + 1, lease_until = NULL,
                   next = CASE WHEN next > ?3 AND state <> 'needs-card' THEN ?3 ELSE next END WHERE uid = ?1",
                vec![uid.as_str().into(), history.into(), now.into()],
            ));
        }
        self.transact(statements).await?;
        self.0.accept().await?;
        Ok(uids.len().try_into().unwrap_or(u64::MAX))
    }
}
