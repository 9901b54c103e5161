//! The tables. Each entry is one migration, in single statements; none is ever changed.
//!
//! A second charge of a due day is impossible in the store: a subscription has one row for a day, a day has one route and one
//! open try, a try is a sale of a day whose route is `sale`, and one transaction pays it.

pub(super) const MIGRATIONS: &[&[&str]] = &[&[
    "CREATE TABLE perennial_billing (
       tenant TEXT PRIMARY KEY REFERENCES perennial_tenant, read_until TEXT NOT NULL,
       tries_a_day BIGINT NOT NULL, sum_a_day BIGINT NOT NULL,
       at_end TEXT NOT NULL CHECK (at_end IN ('leave','cancel','ask')),
       night TEXT NOT NULL, tries BIGINT NOT NULL, sum BIGINT NOT NULL, asked TEXT, next_cards TEXT)",
    "CREATE TABLE perennial_unread (
       tenant TEXT NOT NULL REFERENCES perennial_tenant, day TEXT NOT NULL, PRIMARY KEY (tenant, day))",
    "CREATE TABLE perennial_subscription (
       uid TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES perennial_tenant, id TEXT COLLATE BINARY NOT NULL,
       generation BIGINT NOT NULL, customer TEXT NOT NULL, token TEXT NOT NULL, name TEXT NOT NULL,
       amount BIGINT NOT NULL CHECK (amount > 0), day BIGINT NOT NULL CHECK (day BETWEEN 1 AND 28),
       status TEXT NOT NULL CHECK (status IN ('active','canceling','ended')),
       starts TEXT NOT NULL, until TEXT, charges BIGINT, canceled_on TEXT, paused_from TEXT, paused_until TEXT,
       pause_collects BIGINT NOT NULL DEFAULT 0, change_from TEXT, change_amount BIGINT CHECK (change_amount > 0),
       change_token TEXT, change_day BIGINT CHECK (change_day BETWEEN 1 AND 28), collects_open BIGINT NOT NULL DEFAULT 0,
       guard BIGINT NOT NULL, version BIGINT NOT NULL, next BIGINT,
       shadow BIGINT NOT NULL DEFAULT 0 CHECK (shadow IN (0, 1)),
       UNIQUE (tenant, id, generation), CHECK ((paused_from IS NULL) = (paused_until IS NULL)))",
    "CREATE UNIQUE INDEX perennial_one_open_subscription ON perennial_subscription (tenant, id) WHERE status <> 'ended'",
    "CREATE INDEX perennial_customer ON perennial_subscription (tenant, customer)",
    "CREATE INDEX perennial_token ON perennial_subscription (tenant, token)",
    "CREATE INDEX perennial_next_step ON perennial_subscription (tenant, next) WHERE next IS NOT NULL",
    "CREATE TABLE perennial_term (
       subscription TEXT NOT NULL REFERENCES perennial_subscription, number BIGINT NOT NULL, tenant TEXT NOT NULL,
       plan TEXT, token TEXT NOT NULL, amount BIGINT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,
       status TEXT NOT NULL CHECK (status IN ('planned','suspended','activating','active','closing','closed')),
       since TEXT, asked TEXT, closed TEXT, adopted TEXT, PRIMARY KEY (subscription, number), UNIQUE (tenant, plan),
       CHECK ((status = 'closed') = (closed IS NOT NULL)))",
    "CREATE UNIQUE INDEX perennial_one_live_term ON perennial_term (subscription) WHERE status <> 'closed'",
    "CREATE TABLE perennial_due_day (
       subscription TEXT NOT NULL REFERENCES perennial_subscription, day TEXT NOT NULL, amount BIGINT NOT NULL,
       state TEXT NOT NULL CHECK (state IN ('expected','paid','declined','collecting','recovered','part','missing',
         'waived','given-up','needs-person')),
       paid BIGINT NOT NULL DEFAULT 0 CHECK (paid >= 0),
       route TEXT NOT NULL CHECK (route IN ('plan','sale','none')), term BIGINT, tries BIGINT NOT NULL, was TEXT, sold TEXT,
       next_try TEXT, code TEXT, reason TEXT,
       PRIMARY KEY (subscription, day), UNIQUE (subscription, day, route), CHECK ((route = 'plan') = (term IS NOT NULL)),
       FOREIGN KEY (subscription, term) REFERENCES perennial_term (subscription, number))",
    "CREATE INDEX perennial_day ON perennial_due_day (day)",
    "CREATE INDEX perennial_day_state ON perennial_due_day (state, day)
       WHERE state IN ('declined','collecting','missing','part','needs-person')",
    "CREATE TABLE perennial_try (
       subscription TEXT NOT NULL, day TEXT NOT NULL, number BIGINT NOT NULL,
       route TEXT NOT NULL CHECK (route = 'sale'), tenant TEXT NOT NULL, operation_key TEXT NOT NULL,
       is_open BIGINT NOT NULL, PRIMARY KEY (subscription, day, number),
       FOREIGN KEY (subscription, day, route) REFERENCES perennial_due_day (subscription, day, route),
       FOREIGN KEY (tenant, operation_key) REFERENCES perennial_intent (tenant, operation_key))",
    "CREATE UNIQUE INDEX perennial_one_open_try ON perennial_try (subscription, day) WHERE is_open = 1",
    "CREATE TABLE perennial_charge (
       tenant TEXT NOT NULL REFERENCES perennial_tenant, id TEXT NOT NULL, subscription TEXT NOT NULL, day TEXT NOT NULL,
       made TEXT NOT NULL, amount BIGINT NOT NULL, claim TEXT NOT NULL CHECK (claim IN ('pays','part','rest','surplus','declined','undoes')),
       undone TEXT, CHECK ((claim = 'undoes') = (undone IS NOT NULL)),
       PRIMARY KEY (tenant, id),
       FOREIGN KEY (subscription, day) REFERENCES perennial_due_day (subscription, day))",
    "CREATE INDEX perennial_charge_day ON perennial_charge (subscription, day)",
    "CREATE INDEX perennial_charge_made ON perennial_charge (tenant, made)",
    // The books look for money that a write moved although it has no effect by its outcome.
    "CREATE INDEX perennial_ended_mark ON perennial_intent (tenant, mark) WHERE state IN ('declined','refused','withdrawn')",
    "CREATE UNIQUE INDEX perennial_one_payment ON perennial_charge (subscription, day) WHERE claim IN ('pays','part')",
    "CREATE TABLE perennial_billing_key (
       tenant TEXT NOT NULL REFERENCES perennial_tenant, operation_key TEXT NOT NULL, decision TEXT NOT NULL,
       PRIMARY KEY (tenant, operation_key))",
    "CREATE TABLE perennial_announced (
       subscription TEXT NOT NULL REFERENCES perennial_subscription, day TEXT NOT NULL, PRIMARY KEY (subscription, day))",
    // The last expiry that the gateway reported of a card that ends, or for which a due day waits, and the day of the read.
    "CREATE TABLE perennial_card (
       subscription TEXT NOT NULL REFERENCES perennial_subscription, token TEXT NOT NULL, ends TEXT, read TEXT,
       PRIMARY KEY (subscription, token))",
    // Events that are reported once, by the digest of the words that make another one.
    "CREATE TABLE perennial_reported (
       tenant TEXT NOT NULL REFERENCES perennial_tenant, digest TEXT NOT NULL, PRIMARY KEY (tenant, digest))",
    "CREATE TABLE perennial_alert (
       tenant TEXT NOT NULL REFERENCES perennial_tenant, id TEXT NOT NULL, kind TEXT NOT NULL, received BIGINT NOT NULL,
       is_open BIGINT NOT NULL, PRIMARY KEY (tenant, id, kind))",
    "CREATE INDEX perennial_open_alert ON perennial_alert (tenant, received) WHERE is_open = 1",
]];
