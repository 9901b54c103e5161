//! Lists end, whatever the gateway answers, and read nothing ahead.

use std::sync::Arc;

use futures_util::StreamExt;
use http::Request;
use perennial::clearent::{Customer, CustomerKey, CustomerSearch, Paging, Payment, PaymentSearch};
use perennial::{ErrorKind, Format, List};
use perennial_wire::clearent::{Page, Payload};

use crate::gateway::{Answer, Gateway, page, replies, says};
use crate::operations::customer;

/// The page that a request asks for.
fn asked_page(request: &Request<bytes::Bytes>) -> u64 {
    let query = request.uri().query().unwrap_or_default();
    let page = query.split('&').find_map(|pair| pair.strip_prefix("page=")).expect("a page is always named");
    page.parse().unwrap()
}

fn customers(keys: &[u64]) -> Payload {
    let keyed = |key: &u64| {
        let customer_key = CustomerKey::try_from(format!("cust_{key}")).unwrap();
        Customer { customer_key, ..customer() }
    };
    Payload::Customers(keys.iter().map(keyed).collect())
}

/// Two customers a page; `pages` of them.
fn regular(format: Format, pages: u64) -> Arc<Gateway> {
    Gateway::new(move |_, request| {
        let number = asked_page(request);
        let told = Page {
            number: Some(number),
            total_pages: Some(pages),
            total_elements: Some(pages * 2),
            first: Some(number == 1),
            last: Some(number == pages),
            ..Page::default()
        };
        page(format, told, customers(&[number * 2 - 1, number * 2]))
    })
}

fn search(gateway: &Arc<Gateway>, format: Format) -> List<Customer> {
    gateway.client(format).customers().search(&CustomerSearch::default())
}

fn keys(customers: &[Customer]) -> Vec<&str> {
    customers.iter().map(|customer| customer.customer_key.as_str()).collect()
}

#[tokio::test]
async fn all_pages_are_read_and_none_ahead() {
    for format in [Format::Json, Format::Xml] {
        let gateway = regular(format, 3);
        let mut list = search(&gateway, format);
        assert_eq!((gateway.asked().len(), list.cursor()), (0, 1));
        let mut seen = Vec::new();
        while let Some(customer) = list.next().await {
            seen.push(customer.unwrap());
            assert_eq!(gateway.asked().len(), seen.len().div_ceil(2));
            assert_eq!(list.cursor() as usize, seen.len() / 2 + 1);
        }
        assert_eq!(keys(&seen), ["cust_1", "cust_2", "cust_3", "cust_4", "cust_5", "cust_6"]);
        assert!(list.next().await.is_none());
        assert_eq!(gateway.asked().len(), 3);
    }
}

#[tokio::test]
async fn a_list_is_a_stream_and_a_stream_of_pages() {
    let gateway = regular(Format::Json, 3);
    let streamed: Vec<_> = search(&gateway, Format::Json).map(Result::unwrap).collect().await;
    let collected = search(&gateway, Format::Json).collect_all().await.unwrap();
    assert_eq!(streamed, collected);

    let mut pages = search(&gateway, Format::Json).pages();
    let first = pages.next_page().await.unwrap().unwrap();
    let told = first.page().unwrap();
    assert_eq!(
        (told.number, told.total_elements, keys(&first)),
        (Some(1), Some(6), vec!["cust_1", "cust_2"])
    );
    assert_eq!((gateway.asked().len(), pages.cursor()), (7, 2));
    assert_eq!(pages.count().await, 2);
}

#[tokio::test]
async fn a_list_begins_and_continues_where_it_is_told() {
    let gateway = regular(Format::Json, 3);
    let client = gateway.client(Format::Json);
    let paging = Paging { page: Some(3), ..Paging::default() };
    let last = client.customers().search(&CustomerSearch { paging, ..CustomerSearch::default() });
    assert_eq!(keys(&last.collect_all().await.unwrap()), ["cust_5", "cust_6"]);
    let rest = search(&gateway, Format::Json).from_page(2).collect_all().await.unwrap();
    assert_eq!(keys(&rest), ["cust_3", "cust_4", "cust_5", "cust_6"]);
}

#[tokio::test]
async fn an_error_ends_a_list_and_its_cursor_continues_it() {
    let gateway = Gateway::new(|before, request| {
        if before == 1 {
            return says(400, "");
        }
        let number = asked_page(request);
        let told = Page { total_pages: Some(2), ..Page::default() };
        page(Format::Json, told, customers(&[number]))
    });
    let mut list = search(&gateway, Format::Json);
    assert!(list.next().await.unwrap().is_ok());
    assert_eq!(list.next().await.unwrap().unwrap_err().kind(), ErrorKind::Refused);
    assert!(list.next().await.is_none());
    let cursor = list.cursor();
    assert_eq!(keys(&list.from_page(cursor).collect_all().await.unwrap()), ["cust_2"]);
}

type Told = fn(u64) -> Answer;

#[tokio::test]
async fn pages_that_do_not_end_are_an_error() {
    let table: &[(&str, Told, usize, &str)] = &[
        (
            "the number stands still",
            |asked| page(Format::Json, Page { number: Some(1), ..Page::default() }, customers(&[asked])),
            2,
            "page 2 was asked for and page 1 was answered",
        ),
        (
            "the first page comes again",
            |_| replies(Format::Json, 200, customers(&[1, 2])),
            2,
            "page 2 begins like a page before it",
        ),
        (
            "two pages take turns",
            |asked| replies(Format::Json, 200, customers(&[asked % 2, 7])),
            3,
            "page 3 begins like a page before it",
        ),
        (
            "there are more than announced",
            |asked| {
                let announced = if asked == 1 { 2 } else { 1 };
                page(
                    Format::Json,
                    Page { total_pages: Some(announced), ..Page::default() },
                    customers(&[asked]),
                )
            },
            2,
            "page 2 has objects, though only 1 pages were announced",
        ),
        (
            "they are always new",
            |asked| replies(Format::Json, 200, customers(&[asked])),
            10_001,
            "there are more than 10000 pages",
        ),
    ];
    for (what, told, calls, why) in table {
        let told = *told;
        let gateway = Gateway::new(move |_, request| told(asked_page(request)));
        let error = search(&gateway, Format::Json).collect_all().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::PageLoop, Some("customers.search")),
            "{what}"
        );
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), *why, "{what}");
        assert_eq!(gateway.asked().len(), *calls, "{what}");
    }
}

#[tokio::test]
async fn where_a_list_ends() {
    let table: &[(&str, Told, usize, usize)] = &[
        ("an empty 204", |_| says(204, ""), 0, 1),
        ("an empty page", |_| replies(Format::Json, 200, customers(&[])), 0, 1),
        (
            "a page of nothing, without a payload",
            |_| page(Format::Json, Page { total_elements: Some(0), ..Page::default() }, Payload::Empty),
            0,
            1,
        ),
        (
            "no numbers, and then nothing",
            |asked| if asked < 3 { replies(Format::Json, 200, customers(&[asked])) } else { says(204, "") },
            2,
            3,
        ),
        (
            "one object instead of a list",
            |asked| match asked {
                1 => replies(Format::Json, 200, Payload::Customer(customer().into())),
                _ => says(204, ""),
            },
            1,
            2,
        ),
        (
            "the flag of the last page",
            |asked| {
                page(Format::Json, Page { last: Some(asked == 2), ..Page::default() }, customers(&[asked]))
            },
            2,
            2,
        ),
        (
            "the number of pages",
            |asked| page(Format::Json, Page { total_pages: Some(2), ..Page::default() }, customers(&[asked])),
            2,
            2,
        ),
    ];
    for (what, told, items, calls) in table {
        let told = *told;
        let gateway = Gateway::new(move |_, request| told(asked_page(request)));
        let found = search(&gateway, Format::Json).collect_all().await.unwrap();
        assert_eq!((found.len(), gateway.asked().len()), (*items, *calls), "{what}");
    }
}

#[tokio::test]
async fn objects_without_a_key_are_no_loop() {
    let gateway = Gateway::new(|_, request| {
        let told = Page { total_pages: Some(3), ..Page::default() };
        let _ = asked_page(request);
        page(Format::Json, told, Payload::Payments(vec![Payment::default()]))
    });
    let payments = gateway.client(Format::Json).payments().list(&PaymentSearch::default());
    assert_eq!(payments.collect_all().await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_empty_200_is_no_empty_list() {
    let gateway = Gateway::new(|_, _| says(200, ""));
    let error = search(&gateway, Format::Json).collect_all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
}
