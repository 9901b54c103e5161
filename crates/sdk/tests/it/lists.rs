//! Lists end for any response of the gateway, and read no page in advance.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use http::Request;
use perennial::clearent::{Customer, CustomerKey, CustomerSearch, Paging, Payment, PaymentSearch};
use perennial::{ErrorKind, Format, List};
use perennial_wire::clearent::{Page, Payload};

use crate::gateway::{Answer, Gateway, page, replies, says};
use crate::operations::customer;
use crate::outcomes::refuses;

/// The requested page.
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

/// A gateway with this number of pages of two customers each.
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
    let mut last = client.customers().search(&CustomerSearch { paging, ..CustomerSearch::default() });
    assert_eq!(keys(&last.collect_all().await.unwrap()), ["cust_5", "cust_6"]);
    let rest = search(&gateway, Format::Json).from_page(2).collect_all().await.unwrap();
    assert_eq!(keys(&rest), ["cust_3", "cust_4", "cust_5", "cust_6"]);
}

#[tokio::test]
async fn an_error_ends_a_list_and_its_cursor_continues_it() {
    let gateway = Gateway::new(|before, request| {
        if before == 1 {
            return refuses(Format::Json, 400, 400);
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

/// Holds: A list whose pages do not end is an error.
#[tokio::test]
async fn pages_that_do_not_end_are_an_error() {
    let table: &[(&str, Told, usize, &str)] = &[
        (
            "the number stands still",
            |asked| page(Format::Json, Page { number: Some(1), ..Page::default() }, customers(&[asked])),
            2,
            "page 2 was requested, and the response is page 1",
        ),
        (
            "the first page comes again",
            |_| replies(Format::Json, 200, customers(&[1, 2])),
            5,
            "page 5 and the 3 pages before it contained no new objects",
        ),
        (
            "two pages take turns",
            |asked| replies(Format::Json, 200, customers(&[asked % 2, 7])),
            6,
            "page 6 and the 3 pages before it contained no new objects",
        ),
        (
            "the first page comes again, of many",
            |_| page(Format::Json, Page { total_pages: Some(9), ..Page::default() }, customers(&[1, 2])),
            5,
            "page 5 and the 3 pages before it contained no new objects",
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

/// Holds: A list ends at the last page, however the gateway counts pages.
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

/// Objects without a key count like the others when the list is compared with the gateway's own total.
#[tokio::test]
async fn objects_without_a_key_are_no_loop() {
    let keyed = |key: &str| Payment { transaction_id: Some(key.parse().unwrap()), ..Payment::default() };
    for (total_elements, is_short) in [(None, false), (Some(6), false), (Some(5), false), (Some(7), true)] {
        let gateway = Gateway::new(move |_, request| {
            let told = Page { total_pages: Some(3), total_elements, ..Page::default() };
            let number = asked_page(request).to_string();
            page(Format::Json, told, Payload::Payments(vec![Payment::default(), keyed(&number)]))
        });
        let mut payments = gateway.client(Format::Json).payments().list(&PaymentSearch::default());
        assert_eq!(payments.collect_all().await.unwrap().len(), 6);
        assert_eq!(payments.changed(), is_short, "{total_elements:?}");
    }
}

#[tokio::test]
async fn an_empty_200_is_no_empty_list() {
    let gateway = Gateway::new(|_, _| says(200, ""));
    let error = search(&gateway, Format::Json).collect_all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
}

/// A gateway whose list changes after each response with a page.
struct Changing {
    objects: Vec<u64>,
    next: u64,
    /// The place of new objects: at the front, at the end, or anywhere.
    comes: Comes,
    random: u64,
    /// The maximum number of changes between two pages.
    most: u64,
    /// The objects that always exist.
    kept: Vec<u64>,
    changes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    First,
    Last,
    Anywhere,
}

const SIZE: usize = 3;

impl Changing {
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }

    fn page(&self, number: u64) -> Answer {
        let from = usize::try_from(number - 1).unwrap() * SIZE;
        let objects: Vec<u64> = self.objects.iter().skip(from).take(SIZE).copied().collect();
        let pages = self.objects.len().div_ceil(SIZE) as u64;
        let told = Page {
            number: Some(number),
            total_pages: Some(pages),
            total_elements: Some(self.objects.len() as u64),
            last: Some(number >= pages),
            ..Page::default()
        };
        page(Format::Json, told, customers(&objects))
    }

    fn change(&mut self) {
        for _ in 0..self.below(self.most + 1) {
            let length = self.objects.len() as u64;
            if self.below(2) == 0 || length == 0 {
                let at = match self.comes {
                    Comes::First => 0,
                    Comes::Last => length,
                    Comes::Anywhere => self.below(length + 1),
                };
                self.objects.insert(usize::try_from(at).unwrap(), self.next);
                self.next += 1;
            } else {
                let at = self.below(length);
                let gone = self.objects.remove(usize::try_from(at).unwrap());
                self.kept.retain(|object| *object != gone);
            }
            self.changes += 1;
        }
    }
}

/// The result of reading such a gateway's list: the numbers, whether it reports a change, and the objects that always
/// existed.
async fn read_changing(seed: u64, comes: Comes, most: u64) -> (Vec<u64>, bool, Vec<u64>, usize) {
    let mut changing = Changing {
        objects: (0..14).collect(),
        next: 14,
        comes,
        random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        most,
        kept: Vec::new(),
        changes: 0,
    };
    let length = changing.below(15);
    changing.objects.truncate(usize::try_from(length).unwrap());
    changing.kept.clone_from(&changing.objects);
    let shared = Arc::new(Mutex::new(changing));
    let of_gateway = shared.clone();
    let gateway = Gateway::new(move |_, request| {
        let mut changing = of_gateway.lock().unwrap();
        let answer = changing.page(asked_page(request));
        changing.change();
        answer
    });
    let paging = Paging { descending: (comes != Comes::First).then_some(false), ..Paging::default() };
    let search = CustomerSearch { paging, ..CustomerSearch::default() };
    let mut list = gateway.client(Format::Json).customers().search(&search);
    let found = list.collect_all().await.unwrap();
    let number = |customer: &Customer| customer.customer_key.as_str()["cust_".len()..].parse().unwrap();
    let changing = shared.lock().unwrap();
    (found.iter().map(number).collect(), list.changed(), changing.kept.clone(), changing.changes)
}

/// Holds: A list that changes between pages gives each object once or ends with an error.
#[tokio::test]
async fn a_list_that_changes_gives_each_object_once_or_says_that_it_changed() {
    let (mut told, mut missing) = (0, 0);
    for comes in [Comes::First, Comes::Last, Comes::Anywhere] {
        for most in 0..=4 {
            for seed in 1..400 {
                let (found, changed, kept, changes) = read_changing(seed, comes, most).await;
                let what = format!("seed {seed}, {comes:?}, up to {most} changes: {found:?}, {kept:?}");
                let once: BTreeSet<_> = found.iter().collect();
                assert_eq!(once.len(), found.len(), "{what}");
                let all = kept.iter().all(|object| found.contains(object));
                assert!(all || changed, "{what}");
                assert!(changes > 0 || !changed, "{what}");
                // With at most one change between two pages, in an order of creation, no object is missing.
                assert!(all || most > 1 || comes == Comes::Anywhere, "{what}");
                missing += usize::from(!all);
                told += usize::from(changed);
            }
        }
    }
    assert!(told > 1_000 && missing < told / 50, "{told} {missing}");
}

/// The case of a bug report: 7 new payments while 113 were listed.
///
/// Holds: A list that grows between pages is no loop and repeats no object.
#[tokio::test]
async fn a_list_that_grew_is_no_loop_and_repeats_nothing() {
    for (new, size) in [(7, 25), (25, 25), (200, 25)] {
        let objects = Arc::new(Mutex::new((0..113).collect::<Vec<u64>>()));
        let of_gateway = objects.clone();
        let gateway = Gateway::new(move |before, request| {
            let mut objects = of_gateway.lock().unwrap();
            let number = asked_page(request);
            let from = (usize::try_from(number).unwrap() - 1) * size;
            let shown: Vec<u64> = objects.iter().skip(from).take(size).copied().collect();
            let pages = objects.len().div_ceil(size) as u64;
            let told = Page {
                number: Some(number),
                total_pages: Some(pages),
                total_elements: Some(objects.len() as u64),
                last: Some(number == pages),
                ..Page::default()
            };
            if before == 0 {
                objects.splice(0..0, 1_000..1_000 + new);
            }
            page(Format::Json, told, customers(&shown))
        });
        let mut list = search(&gateway, Format::Json);
        let found = list.collect_all().await.unwrap();
        let numbers: BTreeSet<u64> =
            found.iter().map(|customer| customer.customer_key.as_str()[5..].parse().unwrap()).collect();
        assert_eq!((numbers.len(), list.changed()), (found.len(), true), "{new}");
        assert!((0..113).all(|old| numbers.contains(&old)), "{new}");
    }
}

/// A list that does not change is read page by page, and reports no change.
#[tokio::test]
async fn a_list_that_stays_the_same_says_so() {
    for (order_by, descending, calls) in
        [(None, None, 3), (None, Some(true), 3), (None, Some(false), 5), (Some("last-name"), None, 5)]
    {
        let gateway = regular(Format::Json, 3);
        let paging = Paging { order_by: order_by.map(str::to_owned), descending, ..Paging::default() };
        let search = CustomerSearch { paging, ..CustomerSearch::default() };
        let mut list = gateway.client(Format::Json).customers().search(&search);
        assert_eq!(list.collect_all().await.unwrap().len(), 6);
        assert_eq!((list.changed(), gateway.asked().len()), (false, calls), "{order_by:?} {descending:?}");
    }
}
