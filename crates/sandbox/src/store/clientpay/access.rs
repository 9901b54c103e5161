//! Credentials, access ids and request ids. The database has the hashes of credentials and access ids; an access id
//! that is requested again is derived again.

use perennial_domain::clientpay::{AccessId, RequestId};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::credential::AccountCredential;
use crate::seed::{hash, hex};
use crate::store::session::Session;
use crate::store::world::{Admission, Kind, Start, WorldKey, WorldRow};

impl AccountCredential {
    /// The world key behind the credentials; the world is created at its first use. `None` if they open no world, or
    /// the pin differs.
    pub(crate) fn open(
        &self,
        connection: &Connection,
        admission: &Admission,
        start: Start,
    ) -> Result<Option<WorldKey>> {
        let sql =
            "SELECT w.key_hash, d.pin = ? FROM doors d JOIN worlds w ON w.id = d.opens WHERE d.hash = ?";
        let known = connection
            .prepare_cached(sql)?
            .query_row(params![self.pin, self.hash], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let world_key = |hash| Some(WorldKey::of(hash));
        if let Some((hash, is_pin)) = known {
            return Ok(if is_pin { world_key(hash) } else { None });
        }
        let first = WorldKey::of(self.hash);
        let Some(row) = WorldRow::admit(connection, first, admission, start)? else { return Ok(None) };
        self.bind(connection, row.id)?;
        Ok(world_key(self.hash))
    }
}

/// The owner of an access id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    Account,
    Customer,
}

impl Scope {
    fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Customer => "customer",
        }
    }
}

/// The stored record of an access id.
pub(crate) struct AccessIdRecord {
    pub(crate) world_key: WorldKey,
    pub(crate) scope: Scope,
    pub(crate) is_live: bool,
}

impl AccessIdRecord {
    /// Looks an access id up in all worlds.
    pub(crate) fn find(connection: &Connection, id: &AccessId) -> Result<Option<Self>> {
        let sql = "SELECT w.key_hash, a.scope, a.ended IS NULL AS live FROM access_ids a
                   JOIN worlds w ON w.id = a.world WHERE a.hash = ? AND a.world > 0";
        connection
            .prepare_cached(sql)?
            .query_row([hashed(id)], |row| {
                let world_key = WorldKey::of(row.get("key_hash")?);
                let is_customer = row.get::<_, String>("scope")? == Scope::Customer.as_str();
                let scope = if is_customer { Scope::Customer } else { Scope::Account };
                Ok(Self { world_key, scope, is_live: row.get("live")? })
            })
            .optional()
    }
}

fn hashed(id: &AccessId) -> String {
    hex(&hash(id.expose()))
}

/// The state of a request id when a request takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RequestIdState {
    Fresh,
    Used,
    Unknown,
}

impl Session<'_> {
    /// Creates an access id. The previous id stops working.
    pub(crate) fn new_access_id(&self, scope: Scope) -> Result<AccessId> {
        self.end_live(scope)?;
        let number = self.next(Kind::AccessId)?;
        let id = self.access_id(number);
        let sql = "INSERT INTO access_ids (world, number, hash, scope) VALUES (?, ?, ?, ?)";
        let row = params![self.world, number, hashed(&id), scope.as_str()];
        self.connection.prepare_cached(sql)?.execute(row)?;
        Ok(id)
    }

    /// The live access id, if there is one.
    pub(crate) fn current_access_id(&self, scope: Scope) -> Result<Option<AccessId>> {
        let sql = "SELECT number FROM access_ids WHERE world = ? AND scope = ? AND ended IS NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let number = statement.query_row(params![self.world, scope.as_str()], |row| row.get(0)).optional()?;
        Ok(number.map(|number| self.access_id(number)))
    }

    fn access_id(&self, number: u64) -> AccessId {
        AccessId::try_from(self.seed.uuid("access-id", number)).expect("a UUID is an access id")
    }

    fn end_live(&self, scope: Scope) -> Result<()> {
        let sql = "UPDATE access_ids SET ended = ? WHERE world = ? AND scope = ? AND ended IS NULL";
        let ended = params![self.now.millis(), self.world, scope.as_str()];
        self.connection.prepare_cached(sql)?.execute(ended).map(|_| ())
    }

    /// Ends all live access ids.
    pub(crate) fn end_access_ids(&self) -> Result<()> {
        [Scope::Account, Scope::Customer].into_iter().try_for_each(|scope| self.end_live(scope))
    }

    /// Ends an access id.
    pub(crate) fn end_access_id(&self, id: &AccessId) -> Result<()> {
        let sql = "UPDATE access_ids SET ended = ? WHERE world = ? AND hash = ? AND ended IS NULL";
        let ended = params![self.now.millis(), self.world, hashed(id)];
        self.connection.prepare_cached(sql)?.execute(ended).map(|_| ())
    }

    /// Creates a request id.
    pub(crate) fn new_request_id(&self) -> Result<RequestId> {
        let number = self.next(Kind::RequestId)?;
        let id = self.seed.uuid("request-id", number);
        let sql = "INSERT INTO request_ids (world, number, id, used) VALUES (?, ?, ?, 0)";
        self.connection.prepare_cached(sql)?.execute(params![self.world, number, id])?;
        Ok(RequestId::try_from(id).expect("a UUID is a request id"))
    }

    /// Uses a request id, which is possible once.
    pub(crate) fn take_request_id(&self, id: &RequestId) -> Result<RequestIdState> {
        let sql = "UPDATE request_ids SET used = 1 WHERE world = ? AND id = ? AND used = 0";
        let id = params![self.world, id.expose()];
        if self.connection.prepare_cached(sql)?.execute(id)? > 0 {
            return Ok(RequestIdState::Fresh);
        }
        let sql = "SELECT 1 FROM request_ids WHERE world = ? AND id = ?";
        let is_known = self.connection.prepare_cached(sql)?.exists(id)?;
        Ok(if is_known { RequestIdState::Used } else { RequestIdState::Unknown })
    }
}
