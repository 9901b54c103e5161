//! The schema, as numbered migrations. The same text runs on both databases: `perennial_x` is the table `x` of the schema
//! `perennial` on `PostgreSQL`, and `{serial}` is the type of a number that the database gives.

/// The migrations. The schema of a database is the number of those that it has seen. None is ever changed.
pub(super) const MIGRATIONS: &[&str] = &["
CREATE TABLE perennial_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE perennial_extension (name TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (name, version));

CREATE TABLE perennial_tenant (
  uid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, host TEXT NOT NULL, sentinel TEXT,
  hold TEXT, quiet_until BIGINT, worst_lag BIGINT NOT NULL, created BIGINT NOT NULL);

CREATE TABLE perennial_guard (
  tenant TEXT NOT NULL REFERENCES perennial_tenant, name TEXT NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (tenant, name));

CREATE TABLE perennial_intent (
  uid TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES perennial_tenant, operation_key TEXT NOT NULL,
  operation TEXT NOT NULL, object TEXT NOT NULL, request TEXT NOT NULL, fingerprint TEXT NOT NULL, mark TEXT NOT NULL,
  is_stop BIGINT NOT NULL, needs_card BIGINT NOT NULL, activates BIGINT NOT NULL,
  guard TEXT, guard_version BIGINT, send_before BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('planned','sending','unknown','done','declined','refused','withdrawn','needs-card','needs-person')),
  fence BIGINT NOT NULL, lease_until BIGINT, next BIGINT, history TEXT NOT NULL, outcome TEXT, created BIGINT NOT NULL,
  UNIQUE (tenant, operation_key),
  CHECK ((guard IS NULL) = (guard_version IS NULL)));
CREATE UNIQUE INDEX perennial_one_writer ON perennial_intent (tenant, object)
  WHERE is_stop = 0 AND state IN ('sending','unknown','needs-person');
CREATE UNIQUE INDEX perennial_one_mark ON perennial_intent (tenant, mark)
  WHERE state NOT IN ('declined','refused','withdrawn');
CREATE INDEX perennial_open ON perennial_intent (state, created)
  WHERE state IN ('planned','sending','unknown','needs-card','needs-person');
CREATE INDEX perennial_object ON perennial_intent (tenant, object)
  WHERE state IN ('planned','sending','unknown','needs-card','needs-person');
CREATE INDEX perennial_due ON perennial_intent (tenant, is_stop, next, created) WHERE next IS NOT NULL;
CREATE INDEX perennial_looked_for ON perennial_intent (tenant, is_stop, next, created)
  WHERE next IS NOT NULL AND state <> 'planned';
CREATE INDEX perennial_created ON perennial_intent (created);
CREATE INDEX perennial_sent ON perennial_intent (tenant, lease_until) WHERE state = 'sending';

CREATE TABLE perennial_event (
  id {serial}, position BIGINT UNIQUE, tenant TEXT NOT NULL REFERENCES perennial_tenant, kind TEXT NOT NULL,
  about TEXT NOT NULL, body TEXT NOT NULL, at BIGINT NOT NULL);
CREATE INDEX perennial_unplaced ON perennial_event (id) WHERE position IS NULL;

CREATE TABLE perennial_decision (
  id {serial}, at BIGINT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, about TEXT NOT NULL, what TEXT NOT NULL);
CREATE INDEX perennial_decided ON perennial_decision (about);

CREATE TABLE perennial_inbox (
  id {serial}, tenant TEXT NOT NULL, operation_key TEXT NOT NULL, operation TEXT NOT NULL, object TEXT,
  request TEXT NOT NULL, UNIQUE (tenant, operation_key));

CREATE TABLE perennial_access (
  tenant TEXT PRIMARY KEY REFERENCES perennial_tenant, access_id TEXT, generation BIGINT NOT NULL, claimed_until BIGINT)
", "
-- Intents with an outcome are stored in a shorter form, which earlier programs do not read. No table changes, and intents
-- in the earlier form stay as they are.
"];
