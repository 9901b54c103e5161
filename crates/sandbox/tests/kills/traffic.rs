//! The writers: each makes one call after another about objects of its own, and enters the answers.

use chrono::{DateTime, Days, Months, NaiveDate, SecondsFormat, Utc};
use fastrand::Rng;
use serde_json::{Value as Json, json};

use crate::books::{Book, Change, FIRST_DAY, Mark, Object};

/// The number of concurrent writers. The first of them moves the clock too.
pub(crate) const WRITERS: usize = 9;

/// Records that contain only the clock of a new world.
pub(crate) fn books() -> Vec<Book> {
    let mut books: Vec<Book> = (0..WRITERS).map(Book::new).collect();
    books[0].enter(vec![(CLOCK.into(), Some(clock("2027-01-01T00:00:00Z")))]);
    books
}

/// The mark of the clock, which is an object like any other.
const CLOCK: &str = "w0-clock";

fn clock(now: &str) -> Object {
    object("clock", &json!({ "now": now }))
}

fn object(table: &'static str, columns: &Json) -> Object {
    Object { table, columns: columns.as_object().unwrap().clone() }
}

/// The gateway of the writers.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) key: String,
}

impl Gateway {
    pub(crate) fn new(base: &str, key: &str) -> Self {
        // A provider that was installed before is equally good; without one, no client can be created, even for plain
        // HTTP.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        Self { http: reqwest::Client::new(), base: base.into(), key: key.into() }
    }

    /// The status and the document of a complete answer.
    async fn call(&self, call: &Call) -> Option<(u16, Json)> {
        let url = format!("{}{}", self.base, call.path);
        let method = call.method.parse().unwrap();
        let request = self.http.request(method, url).header("api-key", &self.key);
        let request = request.header("accept", "application/json").header("content-type", "application/json");
        let response = request.body(call.body.to_string()).send().await.ok()?;
        let status = response.status().as_u16();
        let body = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&body).unwrap()))
    }

    /// Reads the whole world.
    pub(crate) async fn state(&self) -> Json {
        let url = format!("{}/_sandbox/state", self.base);
        let response = self.http.get(url).header("api-key", &self.key).send().await.unwrap();
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }
}

/// A call, its change, and the expected answer.
struct Call {
    method: &'static str,
    path: String,
    body: Json,
    change: Change,
    expected: Expected,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Expected {
    Accepted,
    Refused,
    /// The answer depends on the clock.
    Either,
}

/// Writes until there is no answer, or until `go_on`, called with each answer, returns false. An answer that does not
/// follow from the record is a finding.
pub(crate) async fn write(
    gateway: Gateway,
    mut book: Book,
    mut rng: Rng,
    go_on: impl Fn() -> bool,
) -> Result<Book, String> {
    loop {
        let call = next(&mut book, &mut rng);
        let Some((status, answer)) = gateway.call(&call).await else {
            if call.expected != Expected::Refused {
                book.uncertain = call.change;
            }
            return Ok(book);
        };
        let fits = match call.expected {
            Expected::Accepted => status < 300,
            Expected::Refused => (400..500).contains(&status),
            Expected::Either => status < 500,
        };
        if !fits {
            let Call { method, path, expected, .. } = call;
            return Err(format!(
                "writer {}: {method} {path} should be {expected:?}: {status} {answer}",
                book.writer
            ));
        }
        if status < 300 {
            let mut change = call.change;
            for object in change.iter_mut().filter_map(|(_, object)| object.as_mut()) {
                learn(object, &answer);
            }
            book.enter(change);
        }
        if !go_on() {
            return Ok(book);
        }
    }
}

/// Enters values that only the answer contains.
fn learn(object: &mut Object, answer: &Json) {
    let members: &[(&str, &str)] = match object.table {
        "customers" => &[("key", "/payload/customer/customer-key")],
        "tokens" => &[("id", "/payload/tokenResponse/token-id")],
        "plans" => {
            &[("key", "/payload/payment-plan/plan-key"), ("status-date", "/payload/payment-plan/status-date")]
        }
        "transactions" => &[("id", "/payload/transaction/id")],
        _ => &[],
    };
    for (column, pointer) in members {
        let Some(value) = answer.pointer(pointer) else { continue };
        let value =
            if *column == "status-date" { millis(value.as_str().unwrap()).into() } else { value.clone() };
        object.columns.insert((*column).into(), value);
    }
}

/// A moment as plans show it, in milliseconds.
fn millis(moment: &str) -> i64 {
    DateTime::parse_from_rfc3339(&format!("{}Z", moment.replace(' ', "T"))).unwrap().timestamp_millis()
}

/// The writer's next call, from its record and by chance.
fn next(book: &mut Book, rng: &mut Rng) -> Call {
    let mark = book.next_mark();
    // No two prices of a writer are equal, and they only increase.
    let price = 1_000 + book.serial;
    let objects = |table: &'static str| {
        book.objects.iter().filter(move |(_, object)| object.table == table).collect::<Vec<_>>()
    };
    let mut pick = |table| rng.choice(objects(table)).map(|(mark, object)| (mark.clone(), object.clone()));
    let (customer, token, plan) = (pick("customers"), pick("tokens"), pick("plans"));
    let status = token.as_ref().map_or("", |(_, token)| token.text("status")).to_owned();
    match (rng.u32(0..100), customer, token, plan) {
        (0..12, ..) if book.writer == 0 => {
            // Sometimes so far that the payments of many plans are made at once.
            let days = if rng.u8(0..16) == 0 { 400 } else { rng.u64(1..8) };
            change_clock(book, days)
        }
        (0..30, Some((_, customer)), ..) => create_token(mark, &customer),
        (30..45, _, Some((_, token)), _) if status != "DELETED" && !token.text("customer-key").is_empty() => {
            let terms = (book.today(), rng.u32(2..=11), rng.u32(1..=28));
            create_plan(mark, &token, terms, price)
        }
        (45..55, Some((mark, customer)), ..) => update_customer(mark, &customer, &format!("note {price}")),
        (55..60, _, Some((mark, token)), _) if status != "DELETED" => change_token(mark, &token),
        (60..65, .., Some((mark, plan))) => reprice(mark, &plan, price),
        (65..70, .., Some((mark, plan))) => restate(mark, &plan),
        (70..85, _, Some(token), _) if status == "ACTIVE" => sell(mark, &token, price),
        (85..88, Some((mark, customer)), ..) => delete_customer(book, mark, &customer),
        (88..90, _, Some((mark, token)), _) => delete_token(mark, &token),
        (90..93, .., Some((mark, plan))) => delete_plan(mark, &plan),
        (93..95, Some((_, customer)), ..) => create_twin(mark, &customer),
        (95..97, Some((_, customer)), ..) => create_unpayable(mark, &customer),
        _ => create_customer(mark),
    }
}

fn change_clock(book: &Book, days: u64) -> Call {
    let now: DateTime<Utc> = book.objects[CLOCK].text("now").parse().unwrap();
    let then = (now + Days::new(days)).to_rfc3339_opts(SecondsFormat::Secs, true);
    Call {
        method: "POST",
        path: "/_sandbox/clock".into(),
        body: json!({ "advance": format!("P{days}D") }),
        change: vec![(CLOCK.into(), Some(clock(&then)))],
        expected: Expected::Accepted,
    }
}

fn create_customer(mark: Mark) -> Call {
    let own_key = mark.ends_with(['0', '5']).then(|| format!("key-{mark}"));
    let email = format!("{mark}@example.test");
    let address = json!({ "street": format!("{mark} Loom Street"), "city": "St Louis", "zip": "63101" });
    let mut body =
        json!({ "first-name": "Ada", "last-name": mark, "email": email, "billing-address": address });
    let mut columns = json!({ "first-name": "Ada", "email": email, "billing": address, "comments": null });
    if let Some(key) = own_key {
        body["customer-key"] = key.clone().into();
        columns["key"] = key.into();
    }
    let change = vec![(mark, Some(object("customers", &columns)))];
    Call { method: "POST", path: "/rest/v2/customers".into(), body, change, expected: Expected::Accepted }
}

/// Creates a second customer with a used key, which is refused.
fn create_twin(mark: Mark, customer: &Object) -> Call {
    let mut call = create_customer(mark);
    call.body["customer-key"] = customer.columns["key"].clone();
    Call { expected: Expected::Refused, ..call }
}

fn update_customer(mark: Mark, customer: &Object, note: &str) -> Call {
    let body = json!({ "comments": note });
    let changed = customer.with(&body);
    one("PUT", format!("/rest/v2/customers/{}", customer.text("key")), body, mark, Some(changed))
}

/// A call about one object, which is accepted.
fn one(method: &'static str, path: String, body: Json, mark: Mark, after: Option<Object>) -> Call {
    Call { method, path, body, change: vec![(mark, after)], expected: Expected::Accepted }
}

/// Deletes a customer, unless it has plans, and detaches its tokens.
fn delete_customer(book: &Book, mark: Mark, customer: &Object) -> Call {
    let key = customer.text("key");
    let theirs = |object: &Object| object.text("customer-key") == key;
    let path = format!("/rest/v2/customers/{key}");
    let plans = book.objects.values().filter(|object| object.table == "plans" && theirs(object));
    let plans: Vec<_> = plans.collect();
    let expected = match plans.iter().all(|plan| may_be_archived(plan)) {
        _ if plans.is_empty() => Expected::Accepted,
        true => Expected::Either,
        false => Expected::Refused,
    };
    let tokens = book.objects.iter().filter(|(_, object)| object.table == "tokens" && theirs(object));
    let untied = tokens
        .map(|(mark, token)| (mark.clone(), Some(token.with(&json!({ "customer-key": null, "tied": [] })))));
    let change = untied.chain([(mark, None)]).collect();
    Call { method: "DELETE", path, body: Json::Null, change, expected }
}

fn create_token(mark: Mark, customer: &Object) -> Call {
    let key = customer.text("key");
    let body = json!({
        "card": "4111111111111111", "exp-date": "1249", "csc": "999", "description": mark, "customer-key": key,
    });
    let columns = json!({
        "last-four": "1111", "exp-date": "1249", "status": "ACTIVE", "customer-key": key, "tied": [key],
    });
    one("POST", "/rest/v2/tokens".into(), body, mark, Some(object("tokens", &columns)))
}

/// Switches a token from active to inactive, in which state the engine's charges decline, and back.
fn change_token(mark: Mark, token: &Object) -> Call {
    let status = if token.text("status") == "ACTIVE" { "INACTIVE" } else { "ACTIVE" };
    let body = json!({ "status": status });
    let changed = token.with(&body);
    one("PUT", format!("/rest/v2/tokens/{}", token.text("id")), body, mark, Some(changed))
}

/// Deletes a token. Its row stays, and its id stays taken.
fn delete_token(mark: Mark, token: &Object) -> Call {
    let path = format!("/rest/v2/tokens/{}", token.text("id"));
    let deleted = token.with(&json!({ "status": "DELETED", "tied": [] }));
    let expected = if token.text("status") == "DELETED" { Expected::Refused } else { Expected::Accepted };
    Call { expected, ..one("DELETE", path, Json::Null, mark, Some(deleted)) }
}

/// Creates a plan of this many months from this day on, charged on one day of each.
fn create_plan(mark: Mark, token: &Object, (start, months, on): (NaiveDate, u32, u32), cents: u64) -> Call {
    let (customer, token) = (token.text("customer-key"), token.text("id"));
    let (start, end) = (start.to_string(), (start + Months::new(months)).to_string());
    let body = json!({
        "plan-name": mark, "customer-key": customer, "token-id": token, "frequency": "MONTHLY", "frequency-day": on,
        "start-date": start, "end-date": end, "payment-amount": amount(cents),
    });
    let columns = json!({
        "customer-key": customer, "token-id": token, "frequency-day": on, "start-date": start, "end-date": end,
        "amount": cents, "status": "ACTIVE",
    });
    one("POST", "/rest/v2/payment-plans".into(), body, mark, Some(object("plans", &columns)))
}

/// Creates a plan whose token belongs to nobody.
fn create_unpayable(mark: Mark, customer: &Object) -> Call {
    let token =
        object("tokens", &json!({ "customer-key": customer.text("key"), "id": "1100000000000001111" }));
    let call = create_plan(mark, &token, (FIRST_DAY, 2, 1), 1_000);
    Call { expected: Expected::Refused, ..call }
}

fn reprice(mark: Mark, plan: &Object, cents: u64) -> Call {
    let changed = plan.with(&json!({ "amount": cents }));
    update_plan(mark, plan, json!({ "payment-amount": amount(cents) }), changed)
}

/// Switches a plan from active to suspended and back, and to canceled, which is final.
fn restate(mark: Mark, plan: &Object) -> Call {
    let status = match plan.text("status") {
        "ACTIVE" if mark.ends_with('7') => "CANCELED",
        "ACTIVE" => "SUSPENDED",
        _ => "ACTIVE",
    };
    let mut changed = plan.with(&json!({ "status": status }));
    // The response has the time of the change.
    changed.columns.remove("status-date");
    let expected = if plan.text("status") == "CANCELED" { Expected::Refused } else { Expected::Accepted };
    Call { expected, ..update_plan(mark, plan, json!({ "status": status }), changed) }
}

fn update_plan(mark: Mark, plan: &Object, body: Json, changed: Object) -> Call {
    let path = format!("/rest/v2/payment-plans/{}", plan.text("key"));
    let expected = if may_be_archived(plan) { Expected::Either } else { Expected::Accepted };
    Call { expected, ..one("PUT", path, body, mark, Some(changed)) }
}

/// Whether a plan was canceled so long ago that only the state has it.
fn may_be_archived(plan: &Object) -> bool {
    plan.text("status") == "CANCELED"
}

/// Deletes a plan that is not active, unless it was charged.
fn delete_plan(mark: Mark, plan: &Object) -> Call {
    let path = format!("/rest/v2/payment-plans/{}", plan.text("key"));
    let expected = if plan.text("status") == "ACTIVE" { Expected::Refused } else { Expected::Either };
    Call { expected, ..one("DELETE", path, Json::Null, mark, None) }
}

/// Sells to a token; the mark of the sale is its order id.
fn sell(mark: Mark, (token_mark, token): &(Mark, Object), cents: u64) -> Call {
    let body = json!({
        "type": "SALE", "card": token.text("id"), "amount": amount(cents), "invoice": mark, "order-id": token_mark,
    });
    let columns = json!({
        "type": "SALE", "result": "APPROVED", "amount": cents, "order-id": token_mark, "last-four": "1111", "voided": 0,
    });
    one("POST", "/rest/v2/transactions".into(), body, mark, Some(object("transactions", &columns)))
}

fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
