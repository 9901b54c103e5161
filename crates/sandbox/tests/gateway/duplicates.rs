//! Charges that repeat an earlier one, by the settings and by the request.

use perennial_sandbox::Sandbox;

use crate::client::{Client, Got, YEAR};

const SETTINGS: &str = "/rest/v2/settings/transaction/duplicates";
const SALE: &str = r#""type":"SALE","card":"4111111111111111","exp-date":"1230","amount":"5.00""#;

async fn charge(client: &Client, members: &str) -> Got {
    client.json("POST", "/rest/v2/transactions", &format!("{{{members}}}")).await
}

async fn count(client: &Client) -> String {
    client.json("GET", "/rest/v2/transactions?page-size=1", "").await.at("/page/total-elements")
}

/// The result of the second of two charges.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Second {
    New,
    Earlier,
    Refused,
}

use Second::{Earlier, New, Refused};

/// Holds: The sandbox takes a charge for a duplicate by the documented rules of the gateway.
#[tokio::test]
async fn what_is_a_duplicate() {
    const ON: &str = r#""enabled":true"#;
    const INVOICE: &str = r#""enabled":true,"include-invoice":true"#;
    const INSTEAD: &str = r#""enabled":true,"use-invoice-instead-of-card":true"#;
    let other_card = SALE.replace("4111111111111111", "5555555555554444");
    let (one, two) = (format!(r#"{SALE},"invoice":"inv-1""#), format!(r#"{SALE},"invoice":"inv-2""#));
    let (sale, auth, vaulted) =
        (SALE.to_owned(), SALE.replace("SALE", "AUTH"), SALE.replace("SALE", "AUTH").replace("5.00", "0.00"));
    let forced = format!(r#"{},"authorization-code":"APPC10""#, SALE.replace("SALE", "FORCED SALE"));
    #[rustfmt::skip]
    let cases = [
        ("", &sale, "", sale.clone(), New),
        (r#""time-range-in-minutes":60"#, &sale, "", sale.clone(), New),
        (ON, &sale, "", sale.clone(), Earlier),
        (ON, &sale, "PT1M", sale.clone(), Earlier),
        (ON, &sale, "PT1M1S", sale.clone(), New),
        (r#""enabled":"true","time-range-in-minutes":"60""#, &sale, "PT1H", sale.clone(), Earlier),
        (r#""enabled":true,"time-range-in-minutes":60"#, &sale, "PT1H1S", sale.clone(), New),
        (r#""enabled":true,"check-merchant-level":true"#, &sale, "", sale.clone(), Earlier),
        (ON, &sale, "", sale.replace("5.00", "5.01"), New),
        (ON, &sale, "", other_card.clone(), New),
        (ON, &sale, "", auth.clone(), New),
        (ON, &auth, "", auth.clone(), Earlier),
        (ON, &sale, "", forced.clone(), New),
        (ON, &forced, "", forced.clone(), Earlier),
        (ON, &vaulted, "", vaulted.clone(), New),
        (ON, &one, "", two.clone(), Earlier),
        (INVOICE, &one, "", one.clone(), Earlier),
        (INVOICE, &one, "", two.clone(), New),
        (INVOICE, &one, "", sale.clone(), Earlier),
        (INVOICE, &one, "", one.replace("4111111111111111", "5555555555554444"), New),
        (INSTEAD, &one, "P1D", one.replace("4111111111111111", "5555555555554444"), Earlier),
        (INSTEAD, &one, "", two.clone(), New),
        (INSTEAD, &one, "", sale.clone(), Earlier),
        (INSTEAD, &one, "PT2M", sale.clone(), New),
        (INSTEAD, &one, "", one.replace("5.00", "6.00"), New),
        (r#""enabled":true,"if-duplicate-found-respond-with-error":true"#, &sale, "", sale.clone(), Refused),
        (r#""enabled":true,"if-duplicate-found-respond-with-error":true"#, &sale, "", other_card, New),
    ];
    let sandbox = Sandbox::start().await.unwrap();
    for (number, (settings, first, period, second, expected)) in cases.into_iter().enumerate() {
        let world = sandbox.world(number as u64).await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        if !settings.is_empty() {
            let got = client.json("POST", SETTINGS, &format!("{{{settings}}}")).await;
            assert_eq!(got.status, 200, "{}", got.body);
        }
        let first = charge(&client, first).await;
        assert_eq!(first.status, 200, "{}", first.body);
        if !period.is_empty() {
            client.advance(period).await;
        }
        let got = charge(&client, &second).await;
        let at = |member: &str| got.at(&format!("/payload/transaction/{member}"));
        let found = match got.status {
            402 => {
                let error = |member: &str| got.at(&format!("/payload/error/{member}"));
                assert_eq!([error("result-code"), error("error-message")], ["045", "Duplicate Transaction"]);
                Refused
            }
            _ if at("id") == first.at("/payload/transaction/id") => {
                assert_eq!(
                    [at("result"), at("result-code"), at("display-message"), at("card")],
                    ["APPROVED", "000", "Transaction previously approved", "XXXXXXXXXXXX1111"]
                );
                Earlier
            }
            _ => {
                assert_eq!(at("display-message"), "Transaction approved");
                New
            }
        };
        assert_eq!(found, expected, "{number}: {settings} {period} {second}");
        assert_eq!(count(&client).await, if expected == New { "2" } else { "1" }, "{number}");
    }
}

#[tokio::test]
async fn what_did_not_go_through_is_no_original() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.json("POST", SETTINGS, r#"{"enabled":true}"#).await;
    let declined = SALE.replace("5.00", "0.21");
    let ids = [charge(&client, &declined).await, charge(&client, &declined).await]
        .map(|got| got.at("/payload/transaction/id"));
    assert_ne!(ids[0], ids[1]);

    let voided = charge(&client, SALE).await.at("/payload/transaction/id");
    client.json("POST", "/rest/v2/transactions/void", &format!(r#"{{"id":"{voided}"}}"#)).await;
    let next = charge(&client, SALE).await.at("/payload/transaction/id");
    assert_ne!(next, voided);

    // A token represents its card, and an earlier charge creates no token.
    let token = client.token(&client.customer().await).await;
    let by_token = format!(r#""type":"SALE","card":"{token}","amount":"5.00","create-token":true"#);
    let got = charge(&client, &by_token).await;
    assert_eq!((got.at("/payload/transaction/id"), got.payload_type()), (next, "transaction".into()));
    let used = client.json("GET", &format!("/rest/v2/tokens/{token}"), "").await;
    assert_eq!(used.at("/payload/tokenResponse/times-used"), "0");
}

#[tokio::test]
async fn payments_of_plans_are_neither() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    client.json("POST", SETTINGS, r#"{"enabled":true,"time-range-in-minutes":60}"#).await;
    let customer = client.customer().await;
    let token = client.token(&customer).await;
    client.plan(&customer, &token, YEAR).await;
    client.plan(&customer, &token, YEAR).await;
    let sale = format!(r#""type":"SALE","card":"{token}","amount":"50.00""#);
    client.control("POST", "clock", r#"{"set":"2027-01-15T09:59:30Z"}"#).await;
    let first = charge(&client, &sale).await.at("/payload/transaction/id");
    assert_eq!(client.advance("PT30S").await, (2, 2, 0));
    assert_eq!(charge(&client, &sale).await.at("/payload/transaction/id"), first);
    client.control("POST", "clock", r#"{"advance-to":"2027-02-15"}"#).await;
    assert_eq!(
        charge(&client, &sale).await.at("/payload/transaction/display-message"),
        "Transaction approved"
    );
}

#[tokio::test]
async fn a_request_can_ask_by_itself() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let first = charge(&client, &format!(r#"{SALE},"invoice":"inv-1""#)).await.at("/payload/transaction/id");
    client.advance("P2D").await;
    #[rustfmt::skip]
    let cases = [
        (r#","invoice":"inv-1","check-field":"invoice""#, true, "true"),
        (r#","invoice":"inv-2","check-field":"Invoice""#, false, "false"),
        (r#","check-field":"invoice""#, false, "false"),
        (r#","invoice":"inv-1""#, false, ""),
    ];
    for (members, earlier, flag) in cases {
        let got = charge(&client, &format!("{SALE}{members}")).await;
        let at = |member: &str| got.at(&format!("/payload/transaction/{member}"));
        assert_eq!((at("id") == first, at("check-field-duplicate")), (earlier, flag.to_owned()), "{members}");
    }
    let got = charge(&client, &format!(r#"{SALE},"check-field":"card""#)).await;
    assert_eq!(got.at("/payload/error/error-message"), "check-field: must be one of invoice");
    let sale = "<transaction><type>SALE</type><card>4111111111111111</card><exp-date>1230</exp-date><amount>5.00</amount><invoice>inv-2</invoice><check-field>invoice</check-field></transaction>";
    let got = client.xml("POST", "/rest/v2/transactions", sale).await;
    assert_eq!(
        [got.element("check-field-duplicate"), got.element("display-message")],
        ["true", "Transaction previously approved"]
    );
}

#[tokio::test]
async fn settings_are_changed_one_by_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let settings = async || {
        let got = client.json("GET", SETTINGS, "").await;
        got.json()["payload"]["check-duplicate-transaction-settings"].to_string()
    };
    let defaults = r#"{"check-merchant-level":false,"enabled":false,"if-duplicate-found-respond-with-error":false,"include-invoice":false,"time-range-in-minutes":1,"use-invoice-instead-of-card":false}"#;
    assert_eq!(settings().await, defaults);
    for member in [
        "enabled",
        "check-merchant-level",
        "include-invoice",
        "use-invoice-instead-of-card",
        "if-duplicate-found-respond-with-error",
    ] {
        for flag in [true, false] {
            let got = client.json("POST", SETTINGS, &format!(r#"{{"{member}":{flag}}}"#)).await;
            assert_eq!(got.status, 200);
            let expected = if flag {
                defaults.replace(&format!(r#""{member}":false"#), &format!(r#""{member}":true"#))
            } else {
                defaults.to_owned()
            };
            assert_eq!(settings().await, expected, "{member}");
        }
    }
    #[rustfmt::skip]
    let refused = [
        ("{}", "check-duplicate-transaction-settings: must change at least one field"),
        (r#"{"time-range-in-minutes":61,"enabled":1}"#, "enabled: must be true or false; time-range-in-minutes: must be a number of minutes from 1 to 60"),
    ];
    for (body, message) in refused {
        let got = client.json("POST", SETTINGS, body).await;
        assert_eq!((got.status, got.at("/payload/error/error-message")), (400, message.to_owned()));
    }
    assert_eq!(settings().await, defaults);
}
