//! Credentials of accounts and customers, stored as hashes.

use perennial_domain::clientpay::{
    Credentials, CredentialsFields, CustomerCredentials, CustomerCredentialsFields,
};
use rusqlite::{Connection, Result, params};

use crate::credentials;
use crate::seed::{Seed, hash};

/// Credentials of an account or a customer, which open a world as its key does, with the pin of their first use.
pub(crate) struct AccountCredential {
    pub(super) hash: [u8; 32],
    pub(super) pin: [u8; 32],
}

impl AccountCredential {
    fn new(kind: &str, integrator_key: &str, key: &str, pin: &str) -> Self {
        // No credential holds a line break, so that no two of them read as one.
        Self { hash: hash(&format!("{kind}\n{integrator_key}\n{key}")), pin: hash(pin) }
    }

    /// The credential of a merchant's account.
    pub(crate) fn account(credentials: &Credentials) -> Self {
        let CredentialsFields { integrator_key, account_key, account_pin } = credentials.fields();
        Self::new("account", integrator_key.expose(), account_key.expose(), account_pin.expose())
    }

    /// The credential of a customer, across all its accounts.
    pub(crate) fn customer(credentials: &CustomerCredentials) -> Self {
        let CustomerCredentialsFields { integrator_key, customer_key, customer_pin } = credentials.fields();
        Self::new("customer", integrator_key.expose(), customer_key.expose(), customer_pin.expose())
    }

    /// The credentials that every world has. Its customer has the key and the pin of its account.
    pub(crate) fn of_world(seed: Seed) -> [Self; 2] {
        let credentials::Credentials { api_key: _, integrator_key, account_key, account_pin } =
            credentials::Credentials::of(seed);
        let credential = |kind| Self::new(kind, &integrator_key, &account_key, &account_pin);
        [credential("account"), credential("customer")]
    }

    pub(crate) fn bind(&self, connection: &Connection, world: i64) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO doors (hash, pin, opens) VALUES (?, ?, ?)";
        connection.prepare_cached(sql)?.execute(params![self.hash, self.pin, world]).map(|_| ())
    }
}
