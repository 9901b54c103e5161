//! The database's own log of all changes of intents, each with the process that made it.

use std::collections::BTreeMap;

use perennial_journal::machine::Intent;

use crate::postgres::sql;

/// Notes every change of an intent from now on.
const NOTE: &str = "
CREATE SCHEMA audit;
CREATE TABLE audit.step (uid text, name text, was text, state text, fence bigint, claims boolean, takes_over boolean);
CREATE INDEX ON audit.step (uid, fence);
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO audit.step VALUES (NEW.uid, current_setting('application_name'), OLD.state, NEW.state, NEW.fence,
    NEW.fence > OLD.fence, NEW.fence > OLD.fence AND OLD.lease_until IS NOT NULL);
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE ON perennial.intent FOR EACH ROW EXECUTE FUNCTION audit.note()";

/// The log of a database.
pub(crate) struct Audit {
    database: String,
}

impl Audit {
    pub(crate) fn start(database: &str) -> Self {
        sql(database, NOTE);
        Self { database: database.to_owned() }
    }

    /// The intents that a process left as being sent.
    pub(crate) fn sending(&self, name: &str) -> Vec<String> {
        let query = format!(
            "SELECT i.uid FROM perennial.intent i WHERE i.state = 'sending' AND EXISTS (
               SELECT 1 FROM audit.step s WHERE s.uid = i.uid AND s.fence = i.fence AND s.name = '{name}')"
        );
        sql(&self.database, &query).lines().map(str::to_owned).collect()
    }

    /// Whether the result of all these intents is known, or a person decides it.
    pub(crate) fn are_decided(&self, uids: &[String]) -> bool {
        let uids = uids.join("','");
        let query = format!(
            "SELECT count(*) FROM perennial.intent WHERE uid IN ('{uids}') AND state IN ('sending','unknown')"
        );
        sql(&self.database, &query) == "0"
    }

    /// The number of claims over a lease that had run out.
    pub(crate) fn taken_over(&self) -> u64 {
        sql(&self.database, "SELECT count(*) FROM audit.step WHERE takes_over").parse().unwrap()
    }

    /// What the log must not show: a change by a process whose claim was over, and a decision to send that the history
    /// of its intent does not have.
    pub(crate) fn findings(&self, intents: &[Intent]) -> Vec<String> {
        let late = "SELECT DISTINCT s.uid || ' was changed by ' || s.name || ', whose claim was over'
            FROM audit.step s JOIN audit.step c ON c.uid = s.uid AND c.fence = s.fence AND c.claims
            WHERE NOT s.claims AND c.name <> s.name";
        let mut findings: Vec<_> = sql(&self.database, late).lines().map(str::to_owned).collect();
        let sent =
            "SELECT uid, count(*) FROM audit.step WHERE was <> 'sending' AND state = 'sending' GROUP BY uid";
        let sent = sql(&self.database, sent);
        let sent: BTreeMap<_, usize> = sent
            .lines()
            .filter_map(|row| row.split_once('|'))
            .map(|(uid, count)| (uid, count.parse().unwrap()))
            .collect();
        // The control customer was made before the log began.
        for intent in intents.iter().filter(|intent| intent.key != "perennial/control") {
            let decided = sent.get(&*intent.uid).copied().unwrap_or(0);
            let known = intent.history.attempts.len() + usize::try_from(intent.history.not_done).unwrap();
            if decided != known {
                findings
                    .push(format!("{} was sent {decided} times, and its history has {known}", intent.key));
            }
        }
        findings
    }
}
