//! Gateway options of a world: the retention of transactions, and the amount that is approved partially.

use perennial_sandbox::{GatewayOptions, Sandbox, StartError, WorldError, WorldOptions};

use crate::client::{Client, Got};

/// Creates a world with these members of `gateway`.
async fn world(sandbox: &Sandbox, gateway: &str) -> Client {
    let body = format!(r#"{{"seed":7,"gateway":{{{gateway}}}}}"#);
    let world = Client::of(sandbox).control("POST", "worlds", &body).await;
    assert_eq!(world.status, 200, "{}", world.body);
    Client::with_key(sandbox, &world.at("/api-key"))
}

async fn sale(client: &Client, amount: &str, members: &str) -> Got {
    let body = format!(r#"{{"card":"4111111111111111","exp-date":"1230","amount":"{amount}"{members}}}"#);
    client.json("POST", "/rest/v2/transactions/sale", &body).await
}

async fn search(client: &Client, query: &str) -> Got {
    client.json("GET", &format!("/rest/v2/transactions?{query}"), "").await
}

#[tokio::test]
async fn a_transaction_is_found_as_long_as_the_gateway_keeps_it() {
    let sandbox = Sandbox::start().await.unwrap();
    for (gateway, days) in [("", 90), (r#""retention":"P90D""#, 90), (r#""retention":"P1Y""#, 365)] {
        let client = world(&sandbox, gateway).await;
        let id = sale(&client, "25.00", r#","order-id":"o-1""#).await.at("/payload/transaction/id");
        client.advance("PT1S").await;
        sale(&client, "26.00", "").await;
        // To the last millisecond of its retention, and one second later.
        client.advance(&format!("P{}DT23H59M59S", days - 1)).await;
        let get = format!("/rest/v2/transactions/{id}");
        let refund = format!(r#"{{"id":"{id}","amount":"1.00"}}"#);
        let all = search(&client, "page-size=1").await;
        assert_eq!((all.at("/page/total-elements"), all.at("/page/total-pages")), ("2".into(), "2".into()));
        assert_eq!(search(&client, "order-id=o-1").await.at("/page/total-elements"), "1", "{gateway}");
        assert_eq!(client.json("GET", &get, "").await.status, 200, "{gateway}");
        client.advance("PT1S").await;
        let all = search(&client, "isDescending=false").await;
        assert_eq!(
            (all.at("/page/total-elements"), all.at("/payload/transactions/transaction/0/amount")),
            ("1".into(), "26.00".into()),
            "{gateway}"
        );
        assert_eq!(search(&client, "order-id=o-1").await.status, 204, "{gateway}");
        assert_eq!(search(&client, &format!("id={id}")).await.status, 204, "{gateway}");
        assert_eq!(client.json("GET", &get, "").await.status, 404, "{gateway}");
        for call in ["refund", "void", "capture"] {
            let got = client.json("POST", &format!("/rest/v2/transactions/{call}"), &refund).await;
            let code = got.at("/payload/error/result-code");
            assert_eq!((got.status, code.as_str()), (402, "027"), "{gateway} {call}: {}", got.body);
        }
        // Its batch and the world still include it.
        assert_eq!(
            client.json("GET", "/rest/v2/batches", "").await.at("/payload/batches/batch/0/sales-total"),
            "51.00"
        );
        assert!(client.state().await.contains(&format!(r#""id":"{id}""#)));
    }
}

#[tokio::test]
async fn payments_of_plans_are_listed_for_ever() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = world(&sandbox, r#""retention":"P30D""#).await;
    let (_, _, plan) = client.subscriber().await;
    client.advance("P1Y").await;
    let payments = client.json("GET", &format!("/rest/v2/payments?plan-key={plan}"), "").await;
    assert_eq!(payments.at("/page/total-elements"), "12");
    assert_eq!(search(&client, &format!("order-id={plan}")).await.at("/page/total-elements"), "1");
}

#[tokio::test]
async fn a_duplicate_is_none_of_what_is_forgotten() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = world(&sandbox, "").await;
    let checked = r#","invoice":"inv-1","check-field":"invoice""#;
    sale(&client, "25.00", checked).await;
    for (period, duplicate) in [("P90D", "true"), ("PT1S", "false")] {
        client.advance(period).await;
        let got = sale(&client, "25.00", checked).await;
        assert_eq!(got.at("/payload/transaction/check-field-duplicate"), duplicate, "{period}");
    }
}

#[tokio::test]
async fn an_amount_is_approved_for_less() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = world(&sandbox, r#""partial-amount":"25.00""#).await;
    let amounts_of = |got: &Got, at: &str| {
        ["amount", "original-amount", "partial-approved", "result", "result-code"]
            .map(|member| got.at(&format!("{at}/{member}")))
    };
    let whole = |amount: &str| [amount, "", "", "APPROVED", "000"].map(str::to_owned);
    let part = ["20.00", "25.00", "true", "APPROVED", "000"].map(str::to_owned);
    let card = r#""card":"4111111111111111","exp-date":"1230""#;
    let cases = [
        ("sale", format!(r#"{{{card},"amount":"25.00"}}"#), part.clone()),
        ("auth", format!(r#"{{{card},"amount":"25.00"}}"#), part.clone()),
        ("sale", format!(r#"{{{card},"amount":"25.01"}}"#), whole("25.01")),
        ("auth", format!(r#"{{{card},"amount":"24.99"}}"#), whole("24.99")),
        (
            "forced-sale",
            format!(r#"{{"type":"FORCED SALE",{card},"amount":"25.00","authorization-code":"APPC10"}}"#),
            whole("25.00"),
        ),
        ("refund", format!(r#"{{{card},"amount":"25.00"}}"#), whole("25.00")),
    ];
    for (call, body, expected) in cases {
        let got = client.json("POST", &format!("/rest/v2/transactions/{call}"), &body).await;
        assert_eq!(
            (got.status, amounts_of(&got, "/payload/transaction")),
            (200, expected.clone()),
            "{call} {body}"
        );
        let id = got.at("/payload/transaction/id");
        let stored = client.json("GET", &format!("/rest/v2/transactions/{id}"), "").await;
        // A record also has its amount as the original amount.
        let [amount, original, ..] = amounts_of(&stored, "/payload/transaction");
        let original_of = if expected[1].is_empty() { &expected[0] } else { &expected[1] };
        assert_eq!([&amount, &original], [&expected[0], original_of], "{call} {body}");
    }
    let body = "<transaction><card>4111111111111111</card><exp-date>1230</exp-date><amount>25.00</amount></transaction>";
    let got = client.xml("POST", "/rest/v2/transactions/sale", body).await;
    let members = ["amount", "original-amount", "partial-approved"].map(|member| got.element(member));
    assert_eq!(members, ["20.00", "25.00", "true"]);

    // The charged amount can be captured, refunded and settled.
    let sold = sale(&client, "25.00", "").await.at("/payload/transaction/id");
    for (amount, status) in [("20.01", 402), ("20.00", 200)] {
        let refund = format!(r#"{{"id":"{sold}","amount":"{amount}"}}"#);
        assert_eq!(
            client.json("POST", "/rest/v2/transactions/refund", &refund).await.status,
            status,
            "{amount}"
        );
    }
    assert_eq!(search(&client, "amount=25.00&type=SALE").await.status, 204);
    assert_eq!(search(&client, "amount=20.00&type=SALE").await.at("/page/total-elements"), "3");
    // A declined charge is declined, regardless of its amount.
    let fault =
        r#"{"operation":"transactions.sale","times":1,"effect":{"kind":"decline","result-code":"012"}}"#;
    client.control("POST", "faults", fault).await;
    let declined = sale(&client, "25.00", "").await;
    let values = amounts_of(&declined, "/payload/transaction");
    assert_eq!((declined.status, values), (402, ["25.00", "", "", "DECLINED", "012"].map(str::to_owned)));
}

#[tokio::test]
async fn a_payment_of_a_plan_is_approved_for_less_and_found_as_a_duplicate() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = world(&sandbox, r#""partial-amount":"50.00""#).await;
    let (_, _, plan) = client.subscriber().await;
    assert_eq!(client.advance("P1M").await, (1, 1, 0));
    let payment = client.json("GET", &format!("/rest/v2/payments?plan-key={plan}"), "").await;
    assert_eq!(payment.at("/payload/payments/payment/0/payment-amount"), "40.00");
    let found = search(&client, &format!("order-id={plan}")).await;
    assert_eq!(found.at("/payload/transactions/transaction/0/partial-approved"), "true");

    let checked = r#","invoice":"inv-1","check-field":"invoice""#;
    for duplicate in ["false", "true"] {
        let got = sale(&client, "50.00", checked).await;
        let values = ["amount", "check-field-duplicate"]
            .map(|member| got.at(&format!("/payload/transaction/{member}")));
        assert_eq!(values, ["40.00", duplicate]);
    }
    // A different amount is a different charge, even if it is the approved one.
    let got = sale(&client, "40.00", checked).await;
    assert_eq!(got.at("/payload/transaction/check-field-duplicate"), "false");
}

#[tokio::test]
async fn options_belong_to_their_world_and_outlast_its_resets() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = world(&sandbox, r#""partial-amount":"25.00","retention":"P10D""#).await;
    let approved = async || sale(&client, "25.00", "").await.at("/payload/transaction/amount");
    let snapshot = client.control("POST", "snapshot", "").await.at("/id");
    let state = client.state().await;
    assert!(state.contains(r#""gateway":{"partial-amount":"25.00","retention":"P10D"}"#), "{state}");
    client.control("POST", "reset", "").await;
    assert_eq!(approved().await, "20.00");
    client.control("POST", "restore", &format!(r#"{{"id":"{snapshot}"}}"#)).await;
    assert_eq!(
        (approved().await, sale(&Client::of(&sandbox), "25.00", "").await.at("/payload/transaction/amount")),
        ("20.00".to_owned(), "25.00".to_owned())
    );
    let number = client.send("GET", "/console", &[], "").await;
    assert_eq!(number.status, 200);
    let page = client.send("GET", "/console/worlds/2", &[], "").await.body;
    assert!(page.contains("A transaction is found for P10D"), "{page}");
    assert!(page.contains("A charge of 25.00 is approved for 20.00."), "{page}");
    // The new world has the options of its creation.
    let again = world(&sandbox, "").await;
    assert_eq!(sale(&again, "25.00", "").await.at("/payload/transaction/amount"), "25.00");
}

#[tokio::test]
async fn options_are_set_from_rust() {
    let options =
        GatewayOptions { partial_amount: Some("25.00".try_into().unwrap()), ..GatewayOptions::default() };
    let wrong =
        GatewayOptions { partial_amount: Some("0.21".try_into().unwrap()), ..GatewayOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let sandbox =
            Sandbox::builder().database(folder.path().join("s.db")).gateway(options).start().await.unwrap();
        let opened = Client::with_key(&sandbox, "0123456789abcdef0123456789abcdef");
        let requested =
            sandbox.new_world(WorldOptions { seed: Some(9), gateway: options, ..WorldOptions::default() });
        let requested = Client::with_key(&sandbox, requested.await.unwrap().api_key().expose());
        for client in [Client::of(&sandbox), opened, requested] {
            assert_eq!(sale(&client, "25.00", "").await.at("/payload/transaction/amount"), "20.00");
        }
        let other = sandbox.world(10).await.unwrap();
        let other = Client::with_key(&sandbox, other.api_key().expose());
        assert_eq!(sale(&other, "25.00", "").await.at("/payload/transaction/amount"), "25.00");
        let refused = sandbox.new_world(WorldOptions { gateway: wrong, ..WorldOptions::default() }).await;
        let Err(error @ WorldError::Options(_)) = refused else { panic!("{refused:?}") };
        assert!(error.to_string().starts_with("the gateway's partial-amount: must be from 0.02"), "{error}");
        sandbox.stop().await;
    }
    let refused = Sandbox::builder().gateway(wrong).start().await;
    assert!(matches!(refused, Err(StartError::Options(_))));
}
