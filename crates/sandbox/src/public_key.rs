//! Finds the world of a public key, for callers without another key: the vendor's browser and mobile libraries.
//!
//! Deriving a key takes as long as signing, and few worlds are ever called by theirs. So a world's key is noted at the
//! first search for it.

use http::HeaderMap;
use perennial_wire::clearent::webhook::PublicKey;
use rusqlite::{OptionalExtension, params};

use crate::clearent;
use crate::delivery::signer;
use crate::gateway::Gateway;
use crate::seed::{Seed, hash};
use crate::store::StoreError;
use crate::store::world::WorldKey;

/// The number of keys derived before each comparison.
const AT_A_TIME: u32 = 16;

impl Gateway {
    /// The key of the world whose public key is in the header of this name.
    pub(crate) async fn world_key_of_public_key(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<WorldKey>, StoreError> {
        let Some(text) = clearent::public_key(headers) else { return Ok(None) };
        // Text that cannot be a key is not searched for.
        if PublicKey::from_hex(&text).is_err() {
            return Ok(None);
        }
        let wanted = hash(&text);
        loop {
            let found = self.store.run(move |connection| {
                let sql = "SELECT key_hash FROM worlds WHERE public_key = ?";
                connection.prepare_cached(sql)?.query_row([wanted], |row| row.get(0)).optional()
            });
            if let Some(hash) = found.await? {
                return Ok(Some(WorldKey::of(hash)));
            }
            if !self.note_public_keys().await? {
                return Ok(None);
            }
        }
    }

    /// Notes the public keys of the newest worlds without one, and returns whether there were any.
    async fn note_public_keys(&self) -> Result<bool, StoreError> {
        let seeds = self.store.run(|connection| {
            let sql = "SELECT id, seed FROM worlds WHERE public_key IS NULL ORDER BY id DESC LIMIT ?";
            let mut statement = connection.prepare_cached(sql)?;
            let seeds = statement.query_map([AT_A_TIME], |row| {
                Ok((row.get::<_, i64>(0)?, Seed(row.get::<_, i64>(1)?.cast_unsigned())))
            })?;
            seeds.collect::<rusqlite::Result<Vec<_>>>()
        });
        let seeds = seeds.await?;
        // Other calls go on meanwhile.
        let keys = tokio::task::spawn_blocking(move || {
            let key = |seed| hash(&signer(seed).public_key().to_string());
            seeds.into_iter().map(|(world, seed)| (world, key(seed))).collect::<Vec<_>>()
        });
        let keys = keys.await.map_err(|_| StoreError::Panicked)?;
        let any = !keys.is_empty();
        let noted = self.store.run(move |connection| {
            let mut note = connection.prepare_cached("UPDATE worlds SET public_key = ? WHERE id = ?")?;
            keys.iter().try_for_each(|(world, key)| note.execute(params![key, world]).map(drop))
        });
        noted.await?;
        Ok(any)
    }
}
