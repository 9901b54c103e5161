//! The program over sqlx and `SQLite`.

use sqlx::{Connection as _, Result, SqliteConnection};

use crate::crash;
use crate::invoice::Invoice;

pub(crate) async fn bill(database: &str, invoice: Invoice<'_>) -> Result<()> {
    let mut connection = SqliteConnection::connect(database).await?;
    crash::point();
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    crash::point();
    sqlx::query("INSERT INTO invoice (number, amount) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(invoice.number)
        .bind(invoice.amount)
        .execute(&mut *transaction)
        .await?;
    crash::point();
    sqlx::query(
        "INSERT INTO perennial_inbox (tenant, operation_key, operation, object, request)
         VALUES ('north-street', $1, 'transactions.sale', NULL, $2)",
    )
    .bind(invoice.key())
    .bind(invoice.charge())
    .execute(&mut *transaction)
    .await?;
    crash::point();
    transaction.commit().await?;
    crash::point();
    Ok(())
}
