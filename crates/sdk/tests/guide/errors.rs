//! The chapter on errors: a row for every kind.

use perennial::{Clearent, Error, ErrorKind};

use crate::chapter::Chapter;
use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { client, .. }: Wire) -> Outcome {
    let error = client.customers().get(&"cust_unknown".parse()?).await.unwrap_err();
    let report = report(&error);
    assert!(
        report.starts_with("customers.get: the gateway knows no such object: Customer not found"),
        "{report}"
    );
    assert_eq!(find(&client, "cust_unknown").await?, None);
    Ok(())
}

fn report(error: &Error) -> String {
    let operation = error.operation().unwrap_or("before any call");
    format!(
        "{operation}: {error} (exchange {:?}, status {:?}, attempts {})",
        error.exchange_id(),
        error.status(),
        error.attempts(),
    )
}

async fn find(client: &Clearent, key: &str) -> Result<Option<String>, Box<dyn std::error::Error>> {
    match client.customers().get(&key.parse()?).await {
        Ok(customer) => Ok(customer.email.clone()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Holds: Each kind of error has a row in the guide.
#[test]
fn every_kind_has_a_row() {
    let code = include_str!("../../src/error.rs");
    let (_, kinds) = code.split_once("pub enum ErrorKind {").unwrap();
    let (kinds, _) = kinds.split_once("\n}").unwrap();
    let kinds: Vec<&str> = kinds.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
    let chapter = Chapter::read("errors.md");
    let rows: Vec<&str> = chapter.rows().collect();
    assert_eq!(rows, kinds);
}
