//! An invoice program that stores an invoice and the decision to charge it in one transaction, through four libraries.

mod crash;
mod invoice;
mod split;
mod with_rusqlite;
mod with_sqlx_postgres;
mod with_sqlx_sqlite;
mod with_tokio_postgres;

use std::env;
use std::error::Error;

use invoice::Invoice;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [library, database, number, amount, token] = &arguments[..] else {
        return Err("usage: own-transaction LIBRARY DATABASE NUMBER AMOUNT TOKEN".into());
    };
    let invoice = Invoice { number, amount, token };
    match library.as_str() {
        "rusqlite" => with_rusqlite::bill(database, invoice)?,
        "tokio-postgres" => with_tokio_postgres::bill(database, invoice).await?,
        "sqlx-postgres" => with_sqlx_postgres::bill(database, invoice).await?,
        "sqlx-sqlite" => with_sqlx_sqlite::bill(database, invoice).await?,
        "split" => split::bill(database, invoice)?,
        _ => return Err("LIBRARY is rusqlite, tokio-postgres, sqlx-postgres, sqlx-sqlite or split".into()),
    }
    Ok(())
}
