//! The program over tokio-postgres.

use tokio_postgres::{Error, NoTls};

use crate::crash;
use crate::invoice::Invoice;

pub(crate) async fn bill(database: &str, invoice: Invoice<'_>) -> Result<(), Error> {
    let (mut client, connection) = tokio_postgres::connect(database, NoTls).await?;
    tokio::spawn(connection);
    crash::point();
    let transaction = client.transaction().await?;
    crash::point();
    transaction
        .execute(
            "INSERT INTO invoice (number, amount) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[&invoice.number, &invoice.amount],
        )
        .await?;
    crash::point();
    transaction
        .execute(
            "SELECT perennial.intend('north-street', $1, 'transactions.sale', NULL, $2)",
            &[&invoice.key(), &invoice.charge()],
        )
        .await?;
    crash::point();
    transaction.commit().await?;
    crash::point();
    Ok(())
}
