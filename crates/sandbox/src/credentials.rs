//! The credentials of a world, all derived from its seed.

use perennial_domain::clearent::ApiKey;

use crate::seed::{Seed, hash};

/// Credentials that open a world, all derived from its seed.
pub(crate) struct Credentials {
    pub(crate) api_key: ApiKey,
    pub(crate) integrator_key: String,
    pub(crate) account_key: String,
    pub(crate) account_pin: String,
}

impl Credentials {
    pub(crate) fn of(seed: Seed) -> Self {
        Self {
            api_key: ApiKey::new(&seed.hex("api-key")).expect("32 hexadecimal digits are a key"),
            integrator_key: seed.uuid("integrator-key", 0),
            account_key: seed.uuid("account-key", 0),
            account_pin: seed.digits("account-pin", 0, 6),
        }
    }

    /// The credentials of the world that an API key opens.
    pub(crate) fn of_key(api_key: ApiKey) -> Self {
        let others = Self::of(Seed::of_hash(&hash(api_key.expose())));
        Self { api_key, ..others }
    }
}
