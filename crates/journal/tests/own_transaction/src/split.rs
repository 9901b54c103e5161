//! The program with a mistake that the tests must find: the intent is stored outside of the transaction.

use rusqlite::{Connection, Result, TransactionBehavior};

use crate::crash;
use crate::invoice::Invoice;

pub(crate) fn bill(database: &str, invoice: Invoice<'_>) -> Result<()> {
    let mut connection = Connection::open(database)?;
    crash::point();
    connection.execute(
        "INSERT INTO perennial_inbox (tenant, operation_key, operation, object, request)
         VALUES ('north-street', ?1, 'transactions.sale', NULL, ?2)",
        [invoice.key(), invoice.charge()],
    )?;
    crash::point();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    crash::point();
    transaction.execute(
        "INSERT INTO invoice (number, amount) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        [invoice.number, invoice.amount],
    )?;
    crash::point();
    transaction.commit()?;
    crash::point();
    Ok(())
}
