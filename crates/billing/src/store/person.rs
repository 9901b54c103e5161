//! All rows about a person: to be exported, and to be erased.

use perennial_journal::machine::{State, Write};
use perennial_journal::store::{Damage, Row, Statement, Transacted, Value};
use perennial_journal::{By, Moment};
use serde_json::{Map, Value as Json, json};

use super::{Store, date_of};
use crate::Error;
use crate::model::Subscription;

/// The text that replaces personal data.
pub(crate) const ERASED: &str = "erased";

/// The form of a column in an export.
#[derive(Clone, Copy)]
enum As {
    Text,
    Number,
    Cents,
    Time,
    Json,
}

type Columns = &'static [(&'static str, As)];

const SUBSCRIPTION: Columns = &[
    ("uid", As::Text),
    ("id", As::Text),
    ("generation", As::Number),
    ("customer", As::Text),
    ("token", As::Text),
    ("name", As::Text),
    ("amount", As::Cents),
    ("day", As::Number),
    ("status", As::Text),
    ("starts", As::Text),
    ("until", As::Text),
    ("charges", As::Number),
    ("canceled_on", As::Text),
    ("paused_from", As::Text),
    ("paused_until", As::Text),
    ("pause_collects", As::Number),
    ("change_from", As::Text),
    ("change_amount", As::Cents),
    ("change_token", As::Text),
    ("change_day", As::Number),
    ("collects_open", As::Number),
    ("shadow", As::Number),
    ("guard", As::Number),
    ("version", As::Number),
    ("next", As::Time),
];
/// The tables with rows of a subscription, by their names in the export.
const TABLES: &[(&str, &str, Columns)] = &[
    (
        "terms",
        "perennial_term",
        &[
            ("number", As::Number),
            ("plan", As::Text),
            ("token", As::Text),
            ("amount", As::Cents),
            ("first", As::Text),
            ("last", As::Text),
            ("status", As::Text),
            ("since", As::Text),
            ("asked", As::Text),
            ("closed", As::Text),
            ("adopted", As::Text),
        ],
    ),
    (
        "due-days",
        "perennial_due_day",
        &[
            ("day", As::Text),
            ("amount", As::Cents),
            ("state", As::Text),
            ("paid", As::Cents),
            ("route", As::Text),
            ("term", As::Number),
            ("tries", As::Number),
            ("was", As::Text),
            ("sold", As::Text),
            ("next_try", As::Text),
            ("code", As::Text),
            ("reason", As::Text),
        ],
    ),
    (
        "tries",
        "perennial_try",
        &[
            ("day", As::Text),
            ("number", As::Number),
            ("route", As::Text),
            ("operation_key", As::Text),
            ("is_open", As::Number),
        ],
    ),
    (
        "charges",
        "perennial_charge",
        &[
            ("id", As::Text),
            ("day", As::Text),
            ("made", As::Text),
            ("amount", As::Cents),
            ("claim", As::Text),
            ("undone", As::Text),
        ],
    ),
    ("cards", "perennial_card", &[("token", As::Text), ("ends", As::Text), ("read", As::Text)]),
    ("announced", "perennial_announced", &[("day", As::Text)]),
];
const WRITE: Columns = &[
    ("uid", As::Text),
    ("operation_key", As::Text),
    ("operation", As::Text),
    ("object", As::Text),
    ("request", As::Json),
    ("mark", As::Text),
    ("state", As::Text),
    ("history", As::Json),
    ("outcome", As::Json),
    ("next", As::Time),
    ("created", As::Time),
];
const DECISION: Columns =
    &[("at", As::Time), ("actor", As::Text), ("reason", As::Text), ("about", As::Text), ("what", As::Text)];
const EVENT: Columns = &[
    ("position", As::Number),
    ("at", As::Time),
    ("kind", As::Text),
    ("about", As::Text),
    ("body", As::Json),
];
const ALERT: Columns = &[("id", As::Text), ("kind", As::Text), ("received", As::Time)];

/// The rows about a person that are to be erased together.
pub(crate) struct PersonalRows {
    /// The subscriptions that are not erased yet.
    pub(crate) subscriptions: Vec<Subscription>,
    /// The writes of the journal about them, and about their customers.
    pub(crate) writes: Vec<StoredWrite>,
}

/// A write of the journal.
pub(crate) struct StoredWrite {
    uid: String,
    pub(crate) key: String,
    operation: String,
    state: String,
    outcome: Option<String>,
    pub(crate) next: Option<Moment>,
}

impl StoredWrite {
    /// Whether the journal has its outcome, and does not look at it again.
    pub(crate) fn is_settled(&self) -> bool {
        self.next.is_none() && self.state.parse().is_ok_and(State::is_final)
    }

    /// The outcome without the object. The id of a plan or a transaction stays.
    fn erased_outcome(&self) -> Option<String> {
        let known: Json = serde_json::from_str(self.outcome.as_deref()?).unwrap_or_default();
        let mut outcome = json!({ "how": known["how"] });
        // What the other writes made is the person's customer or token.
        let stays = matches!(
            self.operation.parse(),
            Ok(Write::CreatePlan
                | Write::UpdatePlan
                | Write::DeletePlan
                | Write::Sale
                | Write::Auth
                | Write::Capture
                | Write::Void
                | Write::Refund
                | Write::UpdateTransaction)
        );
        if stays && known["id"].is_string() {
            outcome["id"] = known["id"].clone();
        }
        Some(outcome.to_string())
    }
}

impl Store {
    /// The rows of a table as objects.
    async fn objects(
        &self,
        table: &str,
        columns: Columns,
        condition: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Json>, Error> {
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let sql = format!("SELECT {} FROM {table} WHERE {condition}", names.join(", "));
        let read = |row: &mut Row| {
            let members =
                columns.iter().map(|(name, form)| Ok((name.replace('_', "-"), member(row, *form)?)));
            Ok(Json::Object(members.collect::<Result<Map<_, _>, Damage>>()?))
        };
        Ok(self.rows(sql, values, read).await?)
    }

    /// Replaces the short form in which the journal stores a write that has its outcome.
    async fn write_out(&self, write: &mut Json) -> Result<(), Error> {
        let intent = self.journal.intent(None, write["uid"].as_str().unwrap_or_default()).await?;
        write["object"] = intent.object.into();
        write["request"] = serde_json::from_str(&intent.request).unwrap_or_default();
        write["history"] = serde_json::to_value(&intent.history).unwrap_or_default();
        write["outcome"] = serde_json::to_value(&intent.outcome).unwrap_or_default();
        Ok(())
    }

    /// All rows about these subscriptions, which have one id.
    pub(crate) async fn exported(&self, id: &str, subscriptions: &[Subscription]) -> Result<Json, Error> {
        let tenant = || Value::from(self.tenant.as_str());
        let (mut exported, mut about) = (Vec::new(), Vec::new());
        for subscription in subscriptions {
            let uid = || Value::from(subscription.uid.as_str());
            let rows = self.objects("perennial_subscription", SUBSCRIPTION, "uid = ?1", vec![uid()]).await?;
            let mut one = rows.into_iter().next().unwrap_or_default();
            for (name, table, columns) in TABLES {
                let order = columns[0].0;
                let condition = format!("subscription = ?1 ORDER BY {order}");
                one[*name] = self.objects(table, columns, &condition, vec![uid()]).await?.into();
            }
            let (condition, mut values) = writes_about(subscription, true);
            values.insert(0, tenant());
            let condition = format!("tenant = ?1 AND ({condition}) ORDER BY created, uid");
            let mut writes = self.objects("perennial_intent", WRITE, &condition, values).await?;
            for write in &mut writes {
                self.write_out(write).await?;
            }
            about.push(subscription.uid.clone());
            about.extend(writes.iter().filter_map(|write| Some(write["uid"].as_str()?.to_owned())));
            one["writes"] = writes.into();
            let condition = "tenant = ?1 AND id IN (SELECT id FROM perennial_charge WHERE tenant = ?1 AND subscription = ?2)
                             ORDER BY received, id";
            one["alerts"] =
                self.objects("perennial_alert", ALERT, condition, vec![tenant(), uid()]).await?.into();
            exported.push(one);
        }
        // Another merchant of this database may have the same id.
        let mut values: Vec<Value> = about.into_iter().map(Value::from).collect();
        let condition = format!("about IN ({}) ORDER BY id", places(1, values.len()));
        let decisions = self.objects("perennial_decision", DECISION, &condition, values.clone()).await?;
        values.push(id.into());
        let condition =
            format!("about IN ({}) AND tenant = ?{} ORDER BY id", places(1, values.len()), values.len() + 1);
        values.push(self.tenant.as_str().into());
        let events = self.objects("perennial_event", EVENT, &condition, values).await?;
        Ok(json!({ "id": id, "subscriptions": exported, "decisions": decisions, "events": events }))
    }

    /// The rows of these subscriptions that are not erased. The writes about a customer are erased with the last of the
    /// customer's subscriptions.
    pub(crate) async fn personal_rows(
        &self,
        subscriptions: Vec<Subscription>,
    ) -> Result<PersonalRows, Error> {
        let subscriptions: Vec<_> =
            subscriptions.into_iter().filter(|one| one.customer.as_str() != ERASED).collect();
        let mut writes: Vec<StoredWrite> = Vec::new();
        for subscription in &subscriptions {
            let sql = "SELECT id FROM perennial_subscription WHERE tenant = ?1 AND customer = ?2 AND id <> ?3 LIMIT 1";
            let values = vec![
                self.tenant.as_str().into(),
                subscription.customer.as_str().into(),
                subscription.id.as_str().into(),
            ];
            let is_last = self.rows(sql, values, Row::text).await?.is_empty();
            let (condition, mut values) = writes_about(subscription, is_last);
            values.insert(0, self.tenant.as_str().into());
            let sql = format!(
                "SELECT uid, operation_key, operation, state, outcome, next FROM perennial_intent
                 WHERE tenant = ?1 AND ({condition}) ORDER BY created, uid"
            );
            let read = |row: &mut Row| {
                Ok(StoredWrite {
                    uid: row.text()?,
                    key: row.text()?,
                    operation: row.text()?,
                    state: row.text()?,
                    outcome: row.maybe_text()?,
                    next: row.maybe_moment()?,
                })
            };
            for new in self.rows(sql, values, read).await? {
                if writes.iter().all(|known| known.uid != new.uid) {
                    writes.push(new);
                }
            }
        }
        Ok(PersonalRows { subscriptions, writes })
    }

    /// The due days of a subscription that wait for something or somebody.
    pub(crate) async fn open_day(&self, uid: &str) -> Result<Option<chrono::NaiveDate>, Error> {
        let sql = "SELECT day FROM perennial_due_day WHERE subscription = ?1
                     AND (was IS NOT NULL OR state NOT IN ('paid','recovered','part','waived','given-up'))
                   ORDER BY day LIMIT 1";
        Ok(self.rows(sql, vec![uid.into()], date_of).await?.pop())
    }

    /// Replaces personal data in these rows, and stores the operation key. `false`, and nothing is changed, if one of them
    /// changed meanwhile.
    pub(crate) async fn erase(
        &self,
        rows: &PersonalRows,
        key: Option<(String, String)>,
        by: &By,
        now: Moment,
    ) -> Result<bool, Error> {
        let mut statements: Vec<_> = key.iter().map(|(key, decision)| self.put_key(key, decision)).collect();
        if rows.subscriptions.is_empty() {
            return Ok(statements.is_empty()
                || matches!(self.journal.transact(statements).await?, Transacted::Rows(_)));
        }
        let mut about: Vec<Value> = Vec::new();
        for Subscription { uid, id, version, .. } in &rows.subscriptions {
            let card = format!(r#"{{"subscription":"{id}","{ERASED}":true}}"#);
            let sql = "UPDATE perennial_event SET body = ?3 WHERE tenant = ?1 AND about = ?2 AND kind = 'card.expiring'";
            let values = vec![self.tenant.as_str().into(), id.as_str().into(), card.into()];
            let erased_events = Statement::new(sql, values);
            let uid = || Value::from(uid.as_str());
            let sql =
                "UPDATE perennial_subscription SET customer = ?3, token = ?3, name = ?3, change_token = NULL,
                         version = version + 1
                       WHERE uid = ?1 AND version = ?2 AND status = 'ended' RETURNING uid";
            statements.push(Statement::new(sql, vec![uid(), (*version).into(), ERASED.into()]).must());
            statements.push(erased_events);
            let sql = "DELETE FROM perennial_card WHERE subscription = ?1";
            statements.push(Statement::new(sql, vec![uid()]));
            for sql in [
                "UPDATE perennial_term SET token = ?2 WHERE subscription = ?1",
                "UPDATE perennial_due_day SET reason = ?2 WHERE subscription = ?1 AND reason IS NOT NULL",
            ] {
                statements.push(Statement::new(sql, vec![uid(), ERASED.into()]));
            }
            about.push(uid());
        }
        let mut written: Vec<Value> = vec![format!(r#"{{"{ERASED}":true}}"#).into()];
        for write in &rows.writes {
            let sql = "UPDATE perennial_intent SET object = ?3, request = '{}', fingerprint = ?3, mark = ?4, history = ?5,
                         outcome = ?6
                       WHERE uid = ?1 AND state = ?2 AND next IS NULL RETURNING uid";
            let values = vec![
                write.uid.as_str().into(),
                write.state.as_str().into(),
                ERASED.into(),
                format!("{ERASED}/{}", write.uid).into(),
                format!(r#"{{"reason":"{ERASED}"}}"#).into(),
                write.erased_outcome().into(),
            ];
            statements.push(Statement::new(sql, values).must());
            about.push(write.uid.as_str().into());
            written.push(write.uid.as_str().into());
        }
        if written.len() > 1 {
            let sql = format!(
                "UPDATE perennial_event SET body = ?1 WHERE about IN ({})",
                places(2, written.len() - 1)
            );
            statements.push(Statement::new(sql, written));
        }
        let sql = format!(
            "UPDATE perennial_decision SET actor = ?1, reason = ?1 WHERE about IN ({})",
            places(2, about.len())
        );
        about.insert(0, ERASED.into());
        statements.push(Statement::new(sql, about));
        let decision = by.clone().decided(ERASED)?;
        let decided = |one: &Subscription| Statement::decision(&one.uid, &decision, now);
        statements.extend(rows.subscriptions.iter().map(decided));
        Ok(matches!(self.journal.transact(statements).await?, Transacted::Rows(_)))
    }
}

/// The condition of the writes about a subscription and, if it says so, about its customer, with its values from the
/// second on.
fn writes_about(subscription: &Subscription, with_customer: bool) -> (String, Vec<Value>) {
    let Subscription { uid, customer, token, .. } = subscription;
    let mut begins = vec![("operation_key", format!("subscriptions/{uid}/"))];
    let mut is = Vec::new();
    let mut has = Vec::new();
    if with_customer {
        begins.push(("object", format!("customers/{customer}/")));
        is.push(format!("customers/{customer}"));
        is.push(format!("tokens/{token}"));
        has.push(("request", format!("\"customer-key\":\"{customer}\"")));
        has.push(("request", format!("\"token-id\":\"{token}\"")));
        has.push(("request", format!("\"card\":\"{token}\"")));
        has.push(("outcome", format!("\"id\":\"{customer}\"")));
        has.push(("outcome", format!("\"id\":\"{token}\"")));
    }
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    let mut place = |text: String| {
        values.push(Value::from(text));
        format!("CAST(?{} AS TEXT)", values.len() + 1)
    };
    for (column, text) in begins {
        let place = place(text);
        conditions.push(format!("substr({column}, 1, length({place})) = {place}"));
    }
    for text in is {
        conditions.push(format!("object = {}", place(text)));
    }
    // Both databases have this function, and none that searches a text.
    for (column, text) in has {
        conditions.push(format!("replace({column}, {}, '') <> {column}", place(text)));
    }
    (conditions.join(" OR "), values)
}

/// The places of this many values, from this number on.
fn places(from: usize, count: usize) -> String {
    let places: Vec<_> = (from..from + count).map(|number| format!("?{number}")).collect();
    places.join(", ")
}

fn member(row: &mut Row, form: As) -> Result<Json, Damage> {
    Ok(match form {
        As::Text => row.maybe_text()?.into(),
        As::Number => row.maybe_int()?.into(),
        As::Time => row.maybe_moment()?.map(|moment| moment.to_string()).into(),
        As::Json => {
            let text = row.maybe_text()?;
            text.map(|text| serde_json::from_str(&text).unwrap_or(Json::String(text))).into()
        }
        As::Cents => {
            let cents = row.maybe_int()?;
            cents.map(|cents| Ok::<_, Damage>(super::amount_of_cents(cents)?.to_string())).transpose()?.into()
        }
    })
}
