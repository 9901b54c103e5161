//! The program over sqlx and `PostgreSQL`.

use sqlx::{Connection as _, PgConnection, Result};

use crate::crash;
use crate::invoice::Invoice;

pub(crate) async fn bill(database: &str, invoice: Invoice<'_>) -> Result<()> {
    let mut connection = PgConnection::connect(database).await?;
    crash::point();
    let mut transaction = connection.begin().await?;
    crash::point();
    sqlx::query("INSERT INTO invoice (number, amount) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(invoice.number)
        .bind(invoice.amount)
        .execute(&mut *transaction)
        .await?;
    crash::point();
    sqlx::query("SELECT perennial.intend('north-street', $1, 'transactions.sale', NULL, $2)")
        .bind(invoice.key())
        .bind(invoice.charge())
        .execute(&mut *transaction)
        .await?;
    crash::point();
    transaction.commit().await?;
    crash::point();
    Ok(())
}
