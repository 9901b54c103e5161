//! Payers and their methods: the primary one, permitted changes, and joint deletion.

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use super::Merchant;

async fn payer(merchant: &Merchant) -> String {
    let body =
        json!({ "payer": { "firstName": "Rosa", "lastName": "Lind", "emails": ["rosa@example.test"] } });
    merchant.keyed("/v2/payer", &body).await.at("/payerId")
}

fn card(number: &str, primary: Option<bool>) -> Json {
    json!({ "isPrimary": primary, "creditCard": { "cardholderName": "Rosa Lind", "cardNumber": number,
        "expirationDateMonth": 9, "expirationDateYear": 2030, "cvv": "123" } })
}

fn account() -> Json {
    json!({ "eCheck": { "nameOnAccount": "Harbor Tile LLC", "routingNumber": "021000021", "accountNumber": "5550001234" } })
}

async fn add(merchant: &Merchant, payer: &str, methods: &[Json]) -> Vec<String> {
    let body = json!({ "payerId": payer, "paymentMethods": methods });
    let got = merchant.keyed("/v2/payer/paymentmethods", &body).await;
    assert_eq!(got.status, 200, "{}", got.body);
    let ids = got.json()["paymentMethodIds"].as_array().unwrap().clone();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The primary methods, by their place in the state.
async fn primaries(merchant: &Merchant) -> Vec<usize> {
    let state = merchant.state().await;
    let methods = state["methods"].as_array().unwrap().iter().enumerate();
    methods.filter(|(_, method)| method["is-primary"] == 1).map(|(at, _)| at).collect()
}

async fn pay(merchant: &Merchant, source: &str) -> Json {
    let got =
        merchant.keyed("/v2/payment", &json!({ "totalAmount": 5, "payerOrPaymentMethodId": source })).await;
    json!([got.status, got.json()["paymentStatus"], got.json()["message"]])
}

#[tokio::test]
async fn a_payer_is_charged_by_its_primary_method_of_which_there_is_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let rosa = payer(&merchant).await;
    assert_eq!(pay(&merchant, &rosa).await, json!([400, null, "The payer has no payment method."]));

    let first = add(&merchant, &rosa, &[card("4000100011112224", None), account()]).await;
    assert_eq!(primaries(&merchant).await, [0], "the first one is");
    let second = add(&merchant, &rosa, &[card("4000300211112228", Some(true))]).await;
    assert_eq!(primaries(&merchant).await, [2], "setting one clears the others");
    assert_eq!(pay(&merchant, &rosa).await, json!([200, "Declined", "Do not Honor"]));
    assert_eq!(pay(&merchant, &first[0]).await, json!([200, "Approved", null]));
    assert_eq!(pay(&merchant, &first[1]).await, json!([200, "Approved", null]));

    let primary = json!({ "paymentMethods": [{ "id": first[1], "isPrimary": true }] });
    assert_eq!(merchant.keyed("/v2/payer/paymentmethods/update", &primary).await.status, 200);
    assert_eq!(primaries(&merchant).await, [1]);
    assert_eq!(pay(&merchant, &rosa).await, json!([200, "Approved", null]));

    // The methods of another payer are not affected.
    let other = payer(&merchant).await;
    add(&merchant, &other, &[card("4111111111111111", Some(true))]).await;
    assert_eq!(primaries(&merchant).await, [1, 3]);

    let gone = merchant.keyed("/v2/payer/delete", &json!({ "payerId": rosa })).await;
    assert_eq!(gone.json(), json!({ "success": true }));
    for id in [&rosa, &first[0], &first[1], &second[0]] {
        assert_eq!(pay(&merchant, id).await[0], 404);
    }
    assert_eq!(pay(&merchant, &other).await[0], 200);
    let methods = merchant.state().await["methods"].as_array().unwrap().len();
    assert_eq!(methods, 1);
    assert_eq!(merchant.state().await["clientpay-payments"].as_array().unwrap().len(), 5, "history stays");
}

#[tokio::test]
async fn of_a_method_the_name_the_expiry_and_whether_it_is_primary_change() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let rosa = payer(&merchant).await;
    let ids = add(&merchant, &rosa, &[card("4000100011112224", None), account()]).await;
    let (card, account) = (ids[0].as_str(), ids[1].as_str());
    let update = async |method: Json| {
        let body = json!({ "paymentMethods": [method] });
        merchant.keyed("/v2/payer/paymentmethods/update", &body).await
    };
    for method in [
        json!({ "id": card, "creditCard": { "cardholderName": "Rosa M. Lind" } }),
        json!({ "id": card, "creditCard": { "expirationDateMonth": 10, "expirationDateYear": 2031 } }),
        json!({ "id": account, "eCheck": { "nameOnAccount": "Harbor Tile Inc" } }),
    ] {
        assert_eq!(update(method.clone()).await.status, 200, "{method}");
    }
    let state = merchant.state().await;
    let methods = &state["methods"];
    assert_eq!((&methods[0]["name"], &methods[0]["exp-date"]), (&json!("Rosa M. Lind"), &json!("1031")));
    assert_eq!(methods[1]["name"], "Harbor Tile Inc");

    let unknown = "9a7b6c5d-1111-4222-8333-444455556666";
    for (method, status, field) in [
        (json!({ "isPrimary": true }), 400, "paymentMethods[0].id"),
        (
            json!({ "id": card, "creditCard": { "cardNumber": "4111111111111111" } }),
            400,
            "paymentMethods[0].creditCard.cardNumber",
        ),
        (json!({ "id": card, "creditCard": { "cvv": "123" } }), 400, "paymentMethods[0].creditCard.cvv"),
        (
            json!({ "id": card, "billingAddress": { "city": "Mobile" } }),
            400,
            "paymentMethods[0].billingAddress",
        ),
        (
            json!({ "id": account, "eCheck": { "accountNumber": "5550009999" } }),
            400,
            "paymentMethods[0].eCheck.accountNumber",
        ),
        (
            json!({ "id": card, "creditCard": { "expirationDateMonth": 10 } }),
            400,
            "paymentMethods[0].creditCard.expirationDateMonth",
        ),
        (json!({ "id": card, "eCheck": { "nameOnAccount": "Rosa" } }), 400, "eCheck"),
        (json!({ "id": account, "creditCard": { "cardholderName": "Rosa" } }), 400, "creditCard"),
        (json!({ "id": unknown, "isPrimary": true }), 404, ""),
    ] {
        let got = update(method.clone()).await;
        assert_eq!(
            (got.status, got.at("/errors/0/field").as_str()),
            (status, field),
            "{method}: {}",
            got.body
        );
    }
    // Either all of a request is executed or nothing.
    let mixed = json!({ "paymentMethods": [{ "id": account, "isPrimary": true }, { "id": unknown, "isPrimary": true }] });
    assert_eq!(merchant.keyed("/v2/payer/paymentmethods/update", &mixed).await.status, 404);
    assert_eq!(merchant.state().await["methods"], *methods);
}

#[tokio::test]
async fn of_a_payer_only_what_is_given_changes() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let rosa = payer(&merchant).await;
    let update = async |id: &str, changes: Json| {
        merchant.keyed("/v2/payer/update", &json!({ "payerId": id, "payer": changes })).await
    };
    assert_eq!(update(&rosa, json!({ "businessName": "Harbor Tile LLC", "payerName": 2 })).await.status, 200);
    assert_eq!(
        update(&rosa, json!({ "payerAddress": { "state": "AL", "city": "Mobile" } })).await.status,
        200
    );
    let before = merchant.state().await["payers"].clone();
    assert_eq!(
        (&before[0]["first-name"], &before[0]["business-name"], &before[0]["payer-name"]),
        (&json!("Rosa"), &json!("Harbor Tile LLC"), &json!(2))
    );
    let unknown = "9a7b6c5d-1111-4222-8333-444455556666";
    for (id, changes, status, field) in [
        (rosa.as_str(), json!({ "payerAddress": { "state": "Alabama" } }), 400, "payer.payerAddress.state"),
        (&rosa, json!({ "payerName": 4 }), 400, "payer.payerName"),
        ("", json!({ "firstName": "Ada" }), 400, "payerId"),
        (unknown, json!({ "firstName": "Ada" }), 404, ""),
    ] {
        let got = update(id, changes.clone()).await;
        assert_eq!(
            (got.status, got.at("/errors/0/field").as_str()),
            (status, field),
            "{changes}: {}",
            got.body
        );
    }
    for (payer, field) in [
        (json!({ "emails": ["rosa@example.test"] }), "payer.firstName"),
        (json!({ "firstName": "Rosa" }), "payer.emails"),
        (json!({ "firstName": "Rosa", "emails": [] }), "payer.emails"),
    ] {
        let got = merchant.keyed("/v2/payer", &json!({ "payer": payer })).await;
        assert_eq!((got.status, got.at("/errors/0/field").as_str()), (400, field), "{payer}: {}", got.body);
    }
    assert_eq!(merchant.state().await["payers"], before);
    for _ in 0..2 {
        merchant.keyed("/v2/payer/delete", &json!({ "payerId": rosa })).await;
    }
    assert_eq!(update(&rosa, json!({ "firstName": "Ada" })).await.status, 404);
    assert_eq!(merchant.keyed("/v2/payer/delete", &json!({ "payerId": rosa })).await.status, 404);
}

#[tokio::test]
async fn methods_that_are_wrong_are_refused_by_their_place_and_none_is_kept() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let rosa = payer(&merchant).await;
    let both =
        json!({ "creditCard": card("4000100011112224", None)["creditCard"], "eCheck": account()["eCheck"] });
    let good = card("4000100011112224", None);
    let empty = json!({ "creditCard": good["creditCard"], "eCheck": { "nameOnAccount": "", "routingNumber": "", "accountNumber": "" } });
    for (methods, field) in [
        (vec![], "paymentMethods"),
        (vec![json!({})], "paymentMethods[0].creditCard"),
        (vec![good.clone(), both], "paymentMethods[1].eCheck"),
        (vec![good.clone(), card("4000100011112225", None)], "paymentMethods[1].creditCard.cardNumber"),
        (vec![good.clone(), card("9999999999999995", None)], "paymentMethods[1].creditCard.cardNumber"),
    ] {
        let body = json!({ "payerId": rosa, "paymentMethods": methods });
        let got = merchant.keyed("/v2/payer/paymentmethods", &body).await;
        assert_eq!((got.status, got.at("/errors/0/field").as_str()), (400, field), "{body}: {}", got.body);
    }
    assert_eq!(merchant.state().await["methods"], json!([]));
    // The vendor's sample has a card and an eCheck of empty texts: that is a card.
    assert_eq!(add(&merchant, &rosa, &[empty]).await.len(), 1);
}
