//! A record of a list that cannot be read does not hide others, and never counts as absent.

use std::sync::Arc;

use http::Method;
use perennial::clearent::{Charge, CustomerKey, CustomerSearch, PlanKey};
use perennial::{ErrorKind, Format, Invoice, InvoiceLine, UnreadableRecord};

use crate::gateway::{Gateway, says};

const FORMATS: [Format; 2] = [Format::Json, Format::Xml];

/// A page of customers with these keys; one whose key ends with `!` has a first name in an unexpected form.
fn page(format: Format, number: u64, pages: u64, keys: &[&str]) -> String {
    let record = |key: &&str| match (format, key.strip_suffix('!')) {
        (Format::Json, Some(key)) => format!(r#"{{"first-name":{{"a":1}},"customer-key":"{key}"}}"#),
        (Format::Json, None) => format!(r#"{{"customer-key":"{key}"}}"#),
        (Format::Xml, Some(key)) => {
            format!("<customer><first-name><a/></first-name><customer-key>{key}</customer-key></customer>")
        }
        (Format::Xml, None) => format!("<customer><customer-key>{key}</customer-key></customer>"),
    };
    let records: Vec<String> = keys.iter().map(record).collect();
    match format {
        Format::Json => format!(
            r#"{{"page":{{"number":{number},"total-pages":{pages}}},"payload":{{"customers":{{"customer":[{}]}},"payloadType":"customers"}}}}"#,
            records.join(",")
        ),
        Format::Xml => format!(
            "<response><page><number>{number}</number><total-pages>{pages}</total-pages></page><payload type=\"customers\"><customers>{}</customers></payload></response>",
            records.concat()
        ),
    }
}

/// Two pages; the second has no readable record.
fn gateway(format: Format) -> Arc<Gateway> {
    Gateway::new(move |before, _| match before {
        0 => says(200, page(format, 1, 2, &["a", "b!", "c"])),
        _ => says(200, page(format, 2, 2, &["d!"])),
    })
}

#[tokio::test]
async fn a_list_goes_on_after_it() {
    for format in FORMATS {
        let gateway = gateway(format);
        let mut list = gateway.client(format).customers().search(&CustomerSearch::default());
        let mut seen = Vec::new();
        while let Some(next) = list.next().await {
            seen.push(match next {
                Ok(customer) => customer.customer_key.to_string(),
                Err(error) => {
                    assert_eq!((error.kind(), error.status()), (ErrorKind::InvalidResponse, Some(200)));
                    let record = error.unreadable_record().unwrap();
                    assert!(record.error().path().ends_with("customer.first-name"));
                    format!("{}!", record.key().unwrap())
                }
            });
        }
        assert_eq!((seen, gateway.asked().len()), (["a", "b!", "c", "d!"].map(String::from).to_vec(), 2));
    }
}

#[tokio::test]
async fn pages_have_it_beside_the_others_and_all_of_a_list_has_it_as_an_error() {
    let format = Format::Json;
    let search = CustomerSearch::default();
    let gateway_of_pages = gateway(format);
    let mut pages = gateway_of_pages.client(format).customers().search(&search).pages();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next_page().await {
        let page = page.unwrap();
        sizes.push((page.len(), page.unreadable().len()));
    }
    assert_eq!(sizes, [(2, 1), (0, 1)]);

    let all = gateway(format).client(format).customers().search(&search).collect_all().await;
    let error = all.unwrap_err();
    assert_eq!(error.unreadable_record().and_then(UnreadableRecord::key), Some("b"));
    let told = "record b: JSON at payload.customers.customer.first-name: the value has another type";
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), told);
}

#[tokio::test]
async fn a_search_that_answers_a_get_must_be_read_whole() {
    let key = CustomerKey::try_from("a").unwrap();
    for keys in [&["a", "b!"][..], &["a!"]] {
        let gateway = Gateway::new(move |_, _| says(200, page(Format::Json, 1, 1, keys)));
        let found = gateway.client(Format::Json).customers().get(&key).await;
        assert_eq!(found.unwrap_err().kind(), ErrorKind::InvalidResponse, "{keys:?}");
    }
}

/// A page of these records with a total of zero.
fn nothing_but(list: &str, record: &str) -> String {
    let inner = list.trim_end_matches('s');
    format!(
        r#"{{"page":{{"number":1,"total-elements":0}},"payload":{{"{list}":{{"{inner}":[{record}]}},"payloadType":"{list}"}}}}"#
    )
}

#[tokio::test]
async fn nothing_is_deleted_past_it() {
    let plan = r#"{"plan-key":"p","payment-amount":"fifty"}"#;
    let payment = r#"{"transaction-id":"1","payment-amount":"fifty"}"#;
    let empty = |list: &str| nothing_but(list, "");
    for (plans, payments) in [
        (nothing_but("payment-plans", plan), empty("payments")),
        (empty("payment-plans"), nothing_but("payments", payment)),
        // Readable records count too, regardless of the total.
        (nothing_but("payment-plans", r#"{"plan-key":"p"}"#), empty("payments")),
    ] {
        let gateway = Gateway::new(move |_, request| match request.uri().path() {
            "/rest/v2/payment-plans" => says(200, plans.clone()),
            "/rest/v2/payments" => says(200, payments.clone()),
            _ => says(200, ""),
        });
        let key = CustomerKey::try_from("a").unwrap();
        let deleted = gateway.client(Format::Json).customers().delete(&key).await;
        assert_eq!(deleted.unwrap_err().kind(), ErrorKind::DeletionRefused);
        assert!(gateway.asked().iter().all(|request| request.method() == Method::GET));
    }
    let gateway = Gateway::new(move |_, request| match request.uri().path() {
        "/rest/v2/payments" => says(200, nothing_but("payments", payment)),
        _ => says(200, r#"{"payload":{"payment-plan":{"plan-key":"p","status":"CANCELED"}}}"#),
    });
    let deleted = gateway.client(Format::Json).plans().delete(&PlanKey::try_from("p").unwrap()).await;
    assert_eq!(deleted.unwrap_err().kind(), ErrorKind::DeletionRefused);
    assert!(gateway.asked().iter().all(|request| request.method() == Method::GET));
}

#[tokio::test]
async fn an_invoice_is_not_charged_past_it() {
    let line = InvoiceLine::builder().description("Labor").amount("25.00");
    let invoice = Invoice::builder().number("INV-1").date("2027-01-04").line(line).build().unwrap();
    for record in [
        r#"{"id":"1","order-id":"INV-1","amount":"25 USD","type":"SALE","result":"APPROVED"}"#,
        r#"{"id":"1","order-id":"INV-1","amount":"25.00","type":"SALE","result":"APPROVED","voided":"perhaps"}"#,
        r#"{"id":"1","order-id":["INV-1"],"amount":"25.00","type":"SALE","result":"APPROVED"}"#,
    ] {
        let gateway = Gateway::new(move |_, _| says(200, nothing_but("transactions", record)));
        let card = Charge::builder().card("4111111111111111").exp_date("1230");
        let paid = gateway.client(Format::Json).invoices().pay(&invoice, card).await;
        let error = paid.unwrap_err();
        assert_eq!(error.unreadable_record().and_then(UnreadableRecord::key), Some("1"), "{record}");
        assert!(gateway.asked().iter().all(|request| request.method() == Method::GET), "{record}");
    }
}

#[tokio::test]
async fn the_tokens_of_a_customer() {
    let key = CustomerKey::try_from("a").unwrap();
    let body = r#"{"payload":{"customer-tokens":{"customer-token":[{"token-id":"1"},{"token-id":"2","last-four-digits":"x"}]}}}"#;
    let gateway = Gateway::new(move |_, _| says(200, body));
    let client = gateway.client(Format::Json);
    let error = client.customers().tokens(&key).list().await.unwrap_err();
    assert_eq!(error.unreadable_record().and_then(UnreadableRecord::key), Some("2"));
    let each = client.customers().tokens(&key).each().await.unwrap().into_value();
    let read: Vec<bool> = each.iter().map(Result::is_ok).collect();
    assert_eq!(read, [true, false]);
}
