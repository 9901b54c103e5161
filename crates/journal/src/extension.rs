//! Tables of another crate in the database of the journal, which change in one transaction with its intents.

use crate::store::{Damage, Row, Statement, StoreError, Transacted, Value};
use crate::{Error, Journal};

impl Journal {
    /// Brings the tables of an extension up to date. A migration is a list of single statements, and is never changed; the
    /// schema of the extension is the number of those that the database has seen.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] if a newer program made the tables.
    pub async fn migrate(&self, extension: &str, migrations: &[&[&'static str]]) -> Result<(), Error> {
        let store = &*self.0.store;
        let sql = "SELECT coalesce(max(version), 0) FROM perennial_extension WHERE name = ?1";
        let found = self.rows(sql, vec![extension.into()], Row::int).await?.pop().unwrap_or(0);
        let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(StoreError::Newer { place: store.place(), found, known }.into());
        }
        for (version, migration) in (1..).zip(migrations).filter(|(version, _)| *version > found) {
            // Of two processes, one makes the tables.
            let sql = "INSERT INTO perennial_extension (name, version) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING name";
            let mut statements = vec![Statement::new(sql, vec![extension.into(), version.into()]).must()];
            statements.extend(migration.iter().map(|sql| Statement::new(*sql, Vec::new())));
            store.transact(statements).await?;
        }
        Ok(())
    }

    /// Runs statements in one transaction, and returns after it is durable.
    pub async fn transact(&self, statements: Vec<Statement>) -> Result<Transacted, Error> {
        Ok(self.0.store.transact(statements).await?)
    }

    /// Reads the rows of a statement.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if a row cannot be read.
    pub async fn rows<T>(
        &self,
        sql: impl Into<std::borrow::Cow<'static, str>>,
        values: Vec<Value>,
        read: impl Fn(&mut Row) -> Result<T, Damage>,
    ) -> Result<Vec<T>, Error> {
        let Transacted::Rows(mut rows) = self.transact(vec![Statement::new(sql, values)]).await? else {
            return Ok(Vec::new());
        };
        let rows = rows.pop().unwrap_or_default();
        let read = rows.into_iter().map(|mut row| read(&mut row)).collect::<Result<_, _>>();
        Ok(read.map_err(|why| StoreError::Damaged { place: self.0.store.place(), why })?)
    }
}
