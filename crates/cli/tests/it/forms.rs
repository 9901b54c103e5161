//! Output forms for programs agree: a document, one line per object, and a sheet.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::operations::Step;
use crate::shell::{KEY, answer, finish, gateway, gone, perennial};
use crate::{clientpay, operations};

/// The objects of a document.
fn objects(out: &str) -> Vec<Value> {
    match serde_json::from_str(out) {
        Ok(Value::Array(objects)) => objects,
        Ok(object) => vec![object],
        Err(_) => Vec::new(),
    }
}

/// The rows of a CSV table, without empty cells, and its header.
fn csv_table(out: &str) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        // The members of a list have their own order.
        let cell = |cell: &str| match serde_json::from_str(cell) {
            Ok(Value::Array(list)) => Value::from(list).to_string(),
            _ => cell.to_owned(),
        };
        let cells = header.iter().cloned().zip(row.iter().map(cell));
        cells.filter(|(_, cell)| !cell.is_empty()).collect()
    });
    let rows = rows.collect();
    (header, rows)
}

/// Expected cells of an object, without empty ones.
fn cells(object: &Value) -> BTreeMap<String, String> {
    let mut cells = BTreeMap::new();
    for (name, value) in object.as_object().unwrap() {
        match value {
            Value::Object(_) => {
                let inner = self::cells(value).into_iter();
                cells.extend(inner.map(|(path, cell)| (format!("{name}.{path}"), cell)));
            }
            Value::Array(texts) if texts.iter().all(Value::is_string) => {
                let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
                cells.insert(name.clone(), texts.join(" "));
            }
            Value::String(text) if text.starts_with('+') => {
                cells.insert(name.clone(), format!("'{text}"));
            }
            Value::String(text) => {
                cells.insert(name.clone(), text.clone());
            }
            other => {
                cells.insert(name.clone(), other.to_string());
            }
        }
    }
    cells.retain(|_, cell| !cell.is_empty());
    cells
}

/// Holds: Each response shows the same values in each output form.
#[test]
fn every_answer_in_every_form() {
    let forms = |form: &str| {
        let clearent = operations::transcript("json", form).into_iter();
        clearent.chain(clientpay::transcript(form)).collect::<Vec<_>>()
    };
    let (documents, lines, tables) = (forms("json"), forms("jsonl"), forms("csv"));
    assert!(documents.len() > 80 && documents.len() == lines.len() && documents.len() == tables.len());
    for ((Step { line, ran: document }, Step { ran: lines, .. }), Step { ran: table, .. }) in
        documents.iter().zip(&lines).zip(&tables)
    {
        assert_eq!((lines.code, table.code), (document.code, document.code), "{line}: {}", table.err);
        let objects = objects(&document.out);
        assert_eq!(lines.err, document.err, "{line}");
        assert!(table.err.is_empty() || table.err.starts_with("error: "), "{line}: {}", table.err);
        let printed: Vec<Value> = lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(printed, objects, "{line}");
        if document.out.is_empty() {
            assert_eq!(table.out, "", "{line}");
            continue;
        }
        assert!(
            table.out.ends_with("\r\n") && table.out.matches('\n').count() == objects.len() + 1,
            "{line}"
        );
        let (header, rows) = self::csv_table(&table.out);
        assert_eq!(rows, objects.iter().map(cells).collect::<Vec<_>>(), "{line}");
        assert!(header.len() > 1 || rows.iter().all(|row| row.len() == 1), "{line}");
    }
}

/// Checks that columns do not depend on the rows, so that scripts find them.
///
/// Holds: CSV output has a column for each member.
#[test]
fn csv_has_a_column_for_every_member() {
    let customer = "customer-key,first-name,last-name,email,phone,comments,status,billing-address.first-name,\
        billing-address.last-name,billing-address.company,billing-address.street,billing-address.street2,\
        billing-address.city,billing-address.state,billing-address.zip,billing-address.country,\
        billing-address.phone,shipping-address.first-name,shipping-address.last-name,shipping-address.company,\
        shipping-address.street,shipping-address.street2,shipping-address.city,shipping-address.state,\
        shipping-address.zip,shipping-address.country,shipping-address.phone,links\r\n";
    let page = |customers: &str| {
        let page = r#"{"code":"200","page":{"number":1,"total-pages":2,"last":false},
            "payload":{"customers":{"customer":[CUSTOMERS]},"payloadType":"customers"}}"#;
        answer("200 OK", &page.replace("CUSTOMERS", customers))
    };
    let empty = || page("").replace("\"total-pages\":2,\"last\":false", "\"total-pages\":1,\"last\":true ");
    let ada = || page(r#"{"customer-key":"cust_ada"}"#);
    let row = format!("{customer}cust_ada{}\r\n", ",".repeat(27));
    let line = "{\"customer-key\":\"cust_ada\"}\n";
    for (form, answers, code, out, message) in [
        ("csv", vec![empty()], 0, customer, ""),
        ("csv", vec![ada(), gone()], 5, row.as_str(), "error: "),
        ("csv", vec![gone()], 5, "", "error: "),
        ("jsonl", vec![empty()], 0, "", ""),
        ("jsonl", vec![ada(), gone()], 5, line, r#"{"error":{"kind":"not-found","#),
        ("jsonl", vec![gone()], 5, "", r#"{"error":{"kind":"not-found","#),
    ] {
        let url = gateway(answers.into_iter());
        let mut command = perennial();
        command.args(["--base-url", &url, "--output", form, "customers", "search", "--all"]);
        command.env("PERENNIAL_API_KEY", KEY);
        let ran = finish(command, "");
        assert_eq!((ran.code, ran.out.as_str()), (code, out), "{form}: {}", ran.err);
        assert!(
            ran.err.starts_with(message) && ran.err.is_empty() == message.is_empty(),
            "{form}: {}",
            ran.err
        );
    }
}
