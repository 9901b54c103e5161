//! The search for payments: the results of its groups, their order, and their pages.

use std::slice::from_ref;

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use super::Merchant;

/// Pays on the 1st to the 5th of January 2027 at noon under the sessions `a` to `e`, the 5th without one.
async fn five(merchant: &Merchant) -> Vec<Json> {
    let mut paid = Vec::new();
    for (day, session) in [(1, Some("a")), (2, Some("b")), (3, Some("c")), (4, Some("d")), (5, None)] {
        let to = format!(r#"{{"set":"2027-01-0{day}T12:00:00Z"}}"#);
        assert_eq!(merchant.client.control("POST", "clock", &to).await.status, 200);
        let body = json!({ "token": { "sessionId": session }, "totalAmount": day, "creditCard":
            { "cardNumber": "4000100011112224", "expirationDateMonth": 9, "expirationDateYear": 2030 } });
        let got = merchant.keyed("/v2/payment", &body).await;
        assert_eq!(got.status, 200, "{}", got.body);
        paid.push(got.json());
    }
    paid
}

/// The amounts of the payments found; checks that their count is equal.
async fn find(merchant: &Merchant, group: &Json) -> Vec<i64> {
    let results = merchant.send("/v2/paymentsearch/results", &json!({ "group": group })).await;
    assert_eq!(results.status, 200, "{}", results.body);
    let payments = results.json()["payments"].as_array().unwrap().clone();
    let count = merchant.send("/v2/paymentsearch/count", &json!({ "group": group })).await;
    assert_eq!(count.at("/count"), payments.len().to_string());
    #[expect(clippy::cast_possible_truncation, reason = "the amounts are 1 to 5")]
    payments.iter().map(|payment| payment["paymentAmount"].as_f64().unwrap() as i64).collect()
}

fn is(field: u8, operator: impl Into<Json>, value: &str) -> Json {
    json!({ "criteria": { "field": field, "operator": operator.into(), "value": value } })
}

fn all(conditions: &[Json]) -> Json {
    json!({ "type": "and", "conditions": conditions })
}

fn any(conditions: &[Json]) -> Json {
    json!({ "type": "or", "conditions": conditions })
}

#[tokio::test]
async fn each_field_by_each_operator_and_groups_in_groups() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let paid = five(&merchant).await;
    let (request, payment) = (paid[2]["requestID"].as_str().unwrap(), paid[2]["paymentID"].as_str().unwrap());
    let cases = [
        (is(1, 1, request), vec![3]),
        (is(1, "eq", request), vec![3]),
        (is(1, "1", request), vec![3]),
        (is(1, 2, request), vec![1, 2, 4, 5]),
        (is(2, "eq", payment), vec![3]),
        (is(2, "ne", payment), vec![1, 2, 4, 5]),
        (is(2, "gt", payment), vec![4, 5]),
        (is(2, "lt", payment), vec![1, 2]),
        (is(2, 5, payment), vec![3, 4, 5]),
        (is(2, 6, payment), vec![1, 2, 3]),
        (is(3, 1, "c"), vec![3]),
        (is(3, "ne", "c"), vec![1, 2, 4, 5]),
        (is(3, "gt", "c"), vec![4]),
        (is(3, "lte", "c"), vec![1, 2, 3]),
        (is(3, 1, "%"), vec![]),
        (is(3, 1, "' OR 1=1 --"), vec![]),
        // A day includes all of its times.
        (is(4, "eq", "2027-01-03"), vec![3]),
        (is(4, "ne", "2027-01-03"), vec![1, 2, 4, 5]),
        (is(4, "gt", "2027-01-03"), vec![4, 5]),
        (is(4, "lt", "2027-01-03"), vec![1, 2]),
        (is(4, "gte", "2027-01-03"), vec![3, 4, 5]),
        (is(4, "lte", "2027-01-03"), vec![1, 2, 3]),
        // A time matches exactly, in any zone.
        (is(4, "eq", "2027-01-03T12:00:00Z"), vec![3]),
        (is(4, "eq", "2027-01-03T06:00:00-06:00"), vec![3]),
        (is(4, "gt", "2027-01-03T12:00:00Z"), vec![4, 5]),
        (is(4, "gt", "2027-01-03T11:59:59Z"), vec![3, 4, 5]),
        (is(4, "lt", "2027-01-03T12:00:00Z"), vec![1, 2]),
    ];
    for (condition, found) in cases {
        assert_eq!(find(&merchant, &all(from_ref(&condition))).await, found, "{condition}");
        assert_eq!(find(&merchant, &any(from_ref(&condition))).await, found, "{condition}");
    }
    let group = |group: Json| json!({ "group": group });
    let (since, until) = (is(4, "gte", "2027-01-02"), is(4, "lt", "2027-01-05"));
    let (b, e) = (is(3, 1, "b"), is(3, 1, "e"));
    let cases = [
        (all(&[since.clone(), until.clone()]), vec![2, 3, 4]),
        (any(&[since.clone(), until.clone()]), vec![1, 2, 3, 4, 5]),
        (all(&[since.clone(), group(any(&[b.clone(), is(3, 1, "d")]))]), vec![2, 4]),
        (any(&[group(all(&[since.clone(), b.clone()])), is(4, "eq", "2027-01-05")]), vec![2, 5]),
        (all(&[group(any(&[b.clone(), e.clone()])), group(any(&[e.clone(), b.clone()])), until]), vec![2]),
        (all(&[e, since]), vec![]),
    ];
    for (group, found) in cases {
        assert_eq!(find(&merchant, &group).await, found, "{group}");
    }
}

#[tokio::test]
async fn a_search_that_is_none_is_refused_by_its_place() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let good = is(3, 1, "a");
    let mut deep = all(from_ref(&good));
    for _ in 0..8 {
        deep = all(&[json!({ "group": deep })]);
    }
    let both = json!({ "criteria": good["criteria"], "group": all(from_ref(&good)) });
    let cases = [
        (json!({}), "group"),
        (json!({ "group": { "type": "and", "conditions": [] } }), "group.conditions"),
        (json!({ "group": { "conditions": [good] } }), "group.type"),
        (json!({ "group": { "type": "xor", "conditions": [good] } }), "group.type"),
        (json!({ "group": all(&[is(5, 1, "a")]) }), "group.conditions[0].criteria.field"),
        (json!({ "group": all(&[good.clone(), is(3, 7, "a")]) }), "group.conditions[1].criteria.operator"),
        (json!({ "group": all(&[is(3, "like", "a")]) }), "group.conditions[0].criteria.operator"),
        (json!({ "group": all(&[is(3, 1, "")]) }), "group.conditions[0].criteria.value"),
        (json!({ "group": all(&[json!({})]) }), "group.conditions[0].criteria.field"),
        (json!({ "group": all(&[both]) }), "group.conditions[0].group"),
        (json!({ "group": all(&[is(4, 1, "yesterday")]) }), "criteria.value"),
        (json!({ "group": all(&[is(4, 1, "2027-02-30")]) }), "criteria.value"),
        (json!({ "group": all(&[is(4, 1, "01/03/2027")]) }), "criteria.value"),
        (json!({ "group": deep }), "group"),
        (json!({ "group": all(from_ref(&good)), "pageNumber": 0 }), "pageNumber"),
        (json!({ "group": all(from_ref(&good)), "pageSize": 101 }), "pageSize"),
        (json!({ "group": all(from_ref(&good)), "pageSize": 0 }), "pageSize"),
        (json!({ "group": all(from_ref(&good)), "pageNumber": "two" }), "pageNumber"),
        (json!({ "group": all(from_ref(&good)), "orderBy": ["amount"] }), "orderBy"),
    ];
    for (body, field) in cases {
        for path in ["/v2/paymentsearch/results", "/v2/paymentsearch/count"] {
            let counts_too = body.as_object().unwrap().len() < 2;
            if path.ends_with("count") && !counts_too {
                continue;
            }
            let got = merchant.send(path, &body).await;
            assert_eq!(got.status, 400, "{path} {body}: {}", got.body);
            assert_eq!(got.at("/errors/0/field"), field, "{path} {body}: {}", got.body);
        }
    }
}

/// Holds: A session is found by its id, even if the id looks like a card number.
#[tokio::test]
async fn a_session_is_found_whatever_its_id_looks_like() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    // The digits of each pass the check of a card number, but are of no brand.
    for (amount, session) in [(1, "d15e31a5-dafe-4174-9399-16341bc817d2"), (2, "9999999999999995")] {
        let body = json!({ "token": { "sessionId": session }, "totalAmount": amount, "creditCard":
            { "cardNumber": "4000100011112224", "expirationDateMonth": 9, "expirationDateYear": 2030 } });
        assert_eq!(merchant.keyed("/v2/payment", &body).await.status, 200);
        assert_eq!(find(&merchant, &all(&[is(3, 1, session)])).await, [amount], "{session}");
    }
}

#[tokio::test]
async fn more_conditions_than_a_search_needs_are_still_an_answer() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    five(&merchant).await;
    let others = (0..4_000).map(|number| is(3, 1, &format!("x{number}")));
    let sessions: Vec<Json> = others.chain([is(3, 1, "c")]).collect();
    let days = vec![is(4, 5, "2027-01-01"); 3_000];
    assert_eq!(find(&merchant, &any(&sessions)).await, [3]);
    assert_eq!(find(&merchant, &all(&days)).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn pages_of_a_hundred_hold_each_payment_once_and_in_order() {
    const PAYMENTS: usize = 230;
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    for number in 0..PAYMENTS {
        let session = format!("s{:03}", (number * 37) % PAYMENTS);
        let body = json!({ "token": { "sessionId": session }, "totalAmount": 1, "creditCard":
            { "cardNumber": "4000100011112224", "expirationDateMonth": 9, "expirationDateYear": 2030 } });
        assert_eq!(merchant.keyed("/v2/payment", &body).await.status, 200);
    }
    let group = all(&[is(4, "gte", "2027-01-01")]);
    for (order, member) in [
        (json!(null), "paymentID"),
        (json!([]), "paymentID"),
        (json!(["paymentDate"]), "paymentID"),
        (json!(["paymentId"]), "paymentID"),
        (json!(["sessionId"]), "sessionID"),
        (json!(["requestId"]), "requestID"),
        (json!(["paymentDate", "sessionId"]), "sessionID"),
    ] {
        let mut seen = Vec::new();
        for (page, rows) in [(1, 100), (2, 100), (3, 30), (4, 0)] {
            let body = json!({ "group": group, "orderBy": order, "pageNumber": page });
            let got = merchant.send("/v2/paymentsearch/results", &body).await.json();
            assert_eq!((&got["pageNumber"], &got["pageSize"]), (&json!(page), &json!(100)));
            let payments = got["payments"].as_array().unwrap();
            assert_eq!(payments.len(), rows, "{order} {page}");
            seen.extend(payments.iter().map(|payment| payment[member].as_str().unwrap().to_owned()));
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(seen, sorted, "{order}");
        assert_eq!(seen.len(), PAYMENTS);
    }
    let body = json!({ "group": group, "pageNumber": 4_294_967_295_u32, "pageSize": 1 });
    assert_eq!(merchant.send("/v2/paymentsearch/results", &body).await.at("/payments"), "[]");
    let count = merchant.send("/v2/paymentsearch/count", &json!({ "group": group })).await;
    assert_eq!(count.at("/count"), PAYMENTS.to_string());
}
