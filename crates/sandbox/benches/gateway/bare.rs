//! A handwritten server, as a user would write it: axum, rusqlite, one transaction per request.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::child::announce;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Customer {
    #[serde(rename = "customer-key")]
    key: Option<String>,
    first_name: String,
    last_name: String,
    email: Option<String>,
    phone: Option<String>,
    billing_address: Option<Address>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Address {
    street: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
}

/// The schema: as durable as the sandbox, with the one index that keys need.
const PREPARE: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE customers (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, first_name TEXT NOT NULL,
        last_name TEXT NOT NULL, email TEXT, phone TEXT, billing TEXT)";

pub(crate) async fn serve(path: &Path) {
    let connection = Connection::open(path).expect("the file can be opened");
    connection.execute_batch(PREPARE).expect("the file is new");
    let customers = post(create).with_state(Arc::new(Mutex::new(connection)));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a port");
    announce(&format!("http://{}", listener.local_addr().expect("it is bound")));
    axum::serve(listener, Router::new().route("/rest/v2/customers", customers)).await.expect("it serves");
}

async fn create(
    State(connection): State<Arc<Mutex<Connection>>>,
    Json(customer): Json<Customer>,
) -> Result<(StatusCode, Json<Customer>), StatusCode> {
    let written = tokio::task::spawn_blocking(move || {
        let key = customer.key.unwrap_or_else(|| format!("cust_{:032x}", fastrand::u128(..)));
        let billing = customer.billing_address.as_ref().map(serde_json::to_string).transpose();
        let connection = connection.lock().expect("no request panics");
        connection
            .prepare_cached(
                "INSERT INTO customers (key, first_name, last_name, email, phone, billing) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                key,
                customer.first_name,
                customer.last_name,
                customer.email,
                customer.phone,
                billing.unwrap_or_default()
            ])?;
        Ok::<_, rusqlite::Error>(Customer { key: Some(key), ..customer })
    });
    match written.await {
        Ok(Ok(customer)) => Ok((StatusCode::CREATED, Json(customer))),
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
