//! Requests that a user's own transaction put into the database.

use serde_json::json;

use crate::clearent::object as named;
use crate::driver::{check_key, mark_of, planned};
use crate::gateway::clearent::check_stored;
use crate::gateway::request::{Secrets, prepare};
use crate::machine::{Intent, Rules, Write};
use crate::store::{InboxRow, NewEvent, Tenant};
use crate::{Error, Journal, Moment, observe};

/// The rows that are taken at once.
const ROWS: u32 = 100;

impl Journal {
    /// Makes intents of the rows that users' transactions put into the inbox; returns their number.
    ///
    /// A row of a tenant that is not bound yet stays. A row that cannot be an intent is removed, with the event
    /// `inbox.refused`: its operation is not known, its request breaks rules or has a card number, or its key was used
    /// for another request.
    pub(crate) async fn take_inbox(&self) -> Result<u64, Error> {
        let store = &*self.0.store;
        let rows = store.inbox(ROWS).await?;
        let mut taken = 0;
        let now = store.now(self.0.clock.now()).await?;
        for row in rows {
            let Some(tenant) = store.tenant(&row.tenant).await? else { continue };
            let refused = |reason: String| NewEvent {
                kind: "inbox.refused".to_owned(),
                body: json!({ "operation-key": row.key, "operation": row.operation, "reason": reason })
                    .to_string(),
            };
            let refuse = async |reason: &str| {
                let event = refused(reason.to_owned());
                let is_taken = store.take(&row, None, Some((&tenant.uid, &event)), now).await?;
                if is_taken {
                    observe::refused_in_the_inbox();
                }
                Ok::<_, Error>(is_taken)
            };
            match intent_of_row(&row, &tenant, now, &self.0.rules) {
                Err(reason) => refuse(&reason).await?,
                Ok(intent) if store.take(&row, Some(&intent), None, now).await? => {
                    observe::stored(&intent);
                    true
                }
                // It is there already, another worker has taken the row, or another key has its order id.
                Ok(intent) => match store.intent_of_key(&tenant.uid, &row.key).await? {
                    Some(existing) if existing.fingerprint != intent.fingerprint => {
                        refuse("its key was used for another request").await?
                    }
                    Some(_) => store.take(&row, None, None, now).await?,
                    None => refuse("its order id is the mark of another operation key").await?,
                },
            };
            taken += 1;
        }
        Ok(taken)
    }
}

fn intent_of_row(row: &InboxRow, tenant: &Tenant, now: Moment, rules: &Rules) -> Result<Intent, String> {
    let write: Write = row.operation.parse().map_err(|_| "its operation is not known".to_owned())?;
    check_key(&row.key).map_err(|error| error.to_string())?;
    check_stored(write, row.object.as_deref(), row.request.as_bytes())?;
    let mark = mark_of(&tenant.uid, &row.key);
    let prepared = prepare(write, row.object.as_deref(), row.request.as_bytes(), Secrets::default(), &mark);
    let prepared = prepared.map_err(|error| error.to_string())?;
    let object = followed(write, row)?;
    let mut intent = planned(&tenant.uid, &row.key, write, object, &prepared, now);
    intent.history.restored = tenant.quiet_until.filter(|until| !rules.is_too_old(*until, now));
    Ok(intent)
}

/// The object of a row. A write that follows a transaction names it in its request.
fn followed(write: Write, row: &InboxRow) -> Result<Option<String>, String> {
    let request: serde_json::Value = serde_json::from_str(&row.request).unwrap_or_default();
    let id = request.get("id").and_then(serde_json::Value::as_str);
    let object = match (write, id) {
        (Write::Capture | Write::Void | Write::Refund, Some(id)) => Some(named("transactions", id)),
        _ => return Ok(row.object.clone()),
    };
    if row.object.is_some() && row.object != object {
        return Err("its object is not the transaction that its request names".to_owned());
    }
    Ok(object)
}
