//! Test cards and accounts determine the results of payments; the clock determines the kind of a refund.

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use super::Merchant;

/// Approved cards of the gateway's pages.
#[rustfmt::skip]
const APPROVED: &[&str] = &[
    "4000100011112224", "4000100111112223", "4000100211112222", "4000100311112221", "4000100411112220", "4000100511112229",
    "4000100611112228", "4000100711112227", "4000100811112226", "4000100911112225", "4000101011112222", "4000101111112221",
    "4000101211112220", "4000101311112229", "4000101411112228", "4000101511112227", "4000101611112226",
    "4000200011112222", "4000200111112221", "4000200211112220", "4000200311112229", "4000200411112228", "4000200511112227",
    "5555444433332226", "5555444433332234", "5555444433332242", "5555444433332259", "5555444433332267", "5555444433332275",
    "6011222233332224", "6011222233332232", "6011222233332240", "6011222233332257", "6011222233332265", "6011222233332273",
    "371122223332225", "371122223332233",
    "4000600011112223", "4000600111112222", "4000600211112221", "4000600311112220", "4000600411112229", "4000600511112228",
    "4000600611112227", "4000600711112226", "4000600811112225", "4000600911112224", "4000601011112221", "4000601111112220",
    "4000700011112221", "4000700111112220", "4000700211112229", "4000700311112228", "4000700411112227", "4000700511112226",
    "4000700611112225", "4000700711112224", "4000700811112223", "4000700911112222", "4000701011112229", "4000701111112228",
    "4000701211112227", "4000701311112226", "4000701411112225", "4000701511112224", "4000701611112223", "4000701711112222",
    "4000701811112221", "4000701911112220",
    "4000000011112226", "4000000011112234", "4000000011112242", "4000000011112259", "4000000011112267",
    "4000301411112224", "4111111111111111",
];

const DECLINED: &[(&str, &str)] = &[
    ("4000300011112220", "Declined"),
    ("4000300001112222", "Pickup Card"),
    ("4000300211112228", "Do not Honor"),
    ("4000300311112227", "Invalid Transaction"),
    ("4000300411112226", "Invalid Issuer"),
    ("4000300511112225", "Unable to locate Record"),
    ("4000300611112224", "Insufficient funds"),
    ("4000300711112223", "Invalid Pin"),
    ("4000300811112222", "Transaction Not Permitted"),
    ("4000300911112221", "Restricted Card"),
    ("4000301011112228", "Excess withdrawal count"),
    ("4000301111112227", "Allowable number of pin tries exceeded"),
    ("4000301211112226", "No checking account"),
    ("4000301311112225", "Declined for CVV failure"),
    ("371122223332241", "Declined for CVV failure"),
    ("4000300111112229", "Referral: voice authorization required"),
    ("4000301511112223", "Rejected by the fraud profiler"),
    ("4000000011112275", "Partial approval of 50 % is not taken"),
    ("4000000011112283", "Partial approval of 75 % is not taken"),
];

fn card(number: &str, month: u32, year: u32) -> Json {
    json!({ "totalAmount": 12.5, "creditCard": { "cardNumber": number, "expirationDateMonth": month, "expirationDateYear": year } })
}

#[tokio::test]
async fn the_number_of_a_test_card_alone_decides() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let approved = APPROVED.iter().map(|number| (*number, None));
    let declined = DECLINED.iter().map(|(number, message)| (*number, Some(*message)));
    for (number, message) in approved.chain(declined) {
        let got = merchant.keyed("/v2/payment", &card(number, 1, 2027)).await;
        let paid = got.json();
        assert_eq!(got.status, 200, "{number}: {paid}");
        let (word, code) = if message.is_some() { ("Declined", 1) } else { ("Approved", 0) };
        assert_eq!(paid["success"], message.is_none(), "{number}: {paid}");
        assert_eq!((&paid["paymentStatus"], &paid["statusByType"]), (&json!(word), &json!(code)), "{number}");
        assert_eq!(paid["message"].as_str(), message, "{number}");
        assert_eq!(paid["paymentID"].as_str().unwrap().len(), 8, "{number}: a decline is a payment too");
    }
    let count = merchant.state().await["clientpay-payments"].as_array().unwrap().len();
    assert_eq!(count, APPROVED.len() + DECLINED.len());
}

#[tokio::test]
async fn what_cannot_be_charged_is_refused_by_field() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let good = card("4000100011112224", 9, 2030);
    let e_check = |routing: &str, account: &str, kind: &str| {
        json!({ "nameOnAccount": "Harbor Tile LLC", "routingNumber": routing,
        "accountNumber": account, "accountType": kind })
    };
    let with = |name: &str, value: Json| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let method = "payerOrPaymentMethodId";
    let cases = [
        (card("4000100011112225", 9, 2030), 400, "creditCard.cardNumber"),
        (card("9999999999999995", 9, 2030), 400, "creditCard.cardNumber"),
        (card("4000", 9, 2030), 400, "creditCard.cardNumber"),
        (card("4000100011112224", 13, 2030), 400, "creditCard.expirationDateMonth"),
        (card("4000100011112224", 0, 2030), 400, "creditCard.expirationDateMonth"),
        (card("4000100011112224", 9, 30), 400, "creditCard.expirationDateMonth"),
        (with("totalAmount", json!(0)), 400, "totalAmount"),
        (with("totalAmount", json!(-5)), 400, "totalAmount"),
        (with("totalAmount", json!(5.001)), 400, "totalAmount"),
        (with("totalAmount", json!(null)), 400, "totalAmount"),
        (with("totalAmount", json!("five")), 400, "totalAmount"),
        (with("tax", json!(12.51)), 400, "tax"),
        (with("eCheck", e_check("021000021", "5550001234", "checking_business")), 400, "eCheck"),
        (with(method, json!("9a7b6c5d-1111-4222-8333-444455556666")), 400, "creditCard"),
        (with("creditCard", json!({})), 400, "payerOrPaymentMethodId"),
        (with("billingInformation", json!({ "state": "XX" })), 400, "billingInformation.state"),
        (
            json!({ "totalAmount": 5, "eCheck": e_check("02100002", "5550001234", "checking_business") }),
            400,
            "eCheck.routingNumber",
        ),
        (
            json!({ "totalAmount": 5, "eCheck": e_check("021000021", "", "checking_business") }),
            400,
            "eCheck.accountNumber",
        ),
        (
            json!({ "totalAmount": 5, "eCheck": e_check("021000021", "5550001234", "gold") }),
            400,
            "eCheck.accountType",
        ),
        (json!({ "totalAmount": 5, method: "9a7b6c5d-1111-4222-8333-444455556666" }), 404, ""),
    ];
    for (body, status, field) in cases {
        let mut body = body;
        body["token"] = json!({ "requestId": merchant.request_id().await });
        let before = merchant.state().await;
        let got = merchant.send("/v2/payment", &body).await;
        assert_eq!((got.status, got.at("/errors/0/field").as_str()), (status, field), "{body}: {}", got.body);
        assert_eq!(got.at("/success"), "false");
        for secret in ["4000100011112225", "9999999999999995", "5550001234", "02100002"] {
            assert!(!got.body.contains(secret), "{}", got.body);
        }
        assert_eq!(merchant.state().await, before, "{body}");
    }
    // A card is valid until the last day of its month; later charges are declined.
    let (last, over) = (card("4000100011112224", 1, 2027), card("4000100011112224", 12, 2026));
    let message = async |body: &Json| merchant.keyed("/v2/payment", body).await.at("/message");
    assert_eq!((message(&last).await.as_str(), message(&over).await.as_str()), ("", "Expired card"));
    merchant.client.control("POST", "clock", r#"{"advance-to":"2027-02-01"}"#).await;
    assert_eq!(message(&last).await, "Expired card");
}

#[tokio::test]
async fn an_e_check_goes_by_its_routing_number_and_its_amount() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    for (routing, amount, word, code, message) in [
        ("021000021", 540.25, "Approved", 0, None),
        ("123456789", 6.00, "Approved", 0, None),
        ("987654321", 540.25, "Error", 2, Some("Invalid routing number")),
        ("021000021", 5.99, "Declined", 1, Some("Returned check on this account")),
        ("021000021", 9999.99, "Declined", 1, Some("Manager approval required: monthly volume exceeded")),
    ] {
        let body = json!({ "totalAmount": amount, "eCheck": { "nameOnAccount": "Harbor Tile LLC", "routingNumber": routing,
            "accountNumber": "5550001234" } });
        let paid = merchant.keyed("/v2/payment", &body).await.json();
        assert_eq!((&paid["paymentStatus"], &paid["statusByType"]), (&json!(word), &json!(code)), "{paid}");
        assert_eq!((paid["message"].as_str(), &paid["paymentMethodType"]), (message, &json!(1)), "{paid}");
        assert_eq!(paid["success"], message.is_none());
    }
    // The amounts have no effect on a card payment.
    let mut body = card("4000100011112224", 9, 2030);
    body["totalAmount"] = json!(5.99);
    assert_eq!(merchant.keyed("/v2/payment", &body).await.at("/paymentStatus"), "Approved");
}

/// Pays and returns the payment's id.
async fn pay(merchant: &Merchant, number: &str, amount: f64) -> String {
    let mut body = card(number, 9, 2030);
    body["totalAmount"] = amount.into();
    merchant.keyed("/v2/payment", &body).await.at("/paymentID")
}

async fn refund(merchant: &Merchant, payment: &str, remaining: Option<bool>) -> (u16, Json) {
    let mut body = json!({ "paymentId": payment });
    if let Some(remaining) = remaining {
        body["enableRemainingAmountRefunds"] = remaining.into();
    }
    let got = merchant.keyed("/v2/payment/refund", &body).await;
    (got.status, got.json())
}

#[tokio::test]
async fn what_is_not_settled_is_voided_and_what_is_settled_is_refunded_each_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let (early, late) =
        (pay(&merchant, "4000100011112224", 540.25).await, pay(&merchant, "4000100011112224", 20.0).await);
    let declined = pay(&merchant, "4000300011112220", 20.0).await;

    merchant.client.control("POST", "clock", r#"{"advance-to":"2027-01-01T21:59:59Z"}"#).await;
    let (status, voided) = refund(&merchant, &early, None).await;
    assert_eq!(
        (status, &voided["paymentStatus"], &voided["paymentID"]),
        (200, &json!("Voided"), &json!(early))
    );
    assert_eq!((&voided["success"], &voided["refundAmount"]), (&json!(true), &json!(540.25)));
    merchant.client.control("POST", "clock", r#"{"advance":"PT1S"}"#).await;
    let (status, refunded) = refund(&merchant, &late, Some(false)).await;
    assert_eq!((status, &refunded["paymentStatus"]), (200, &json!("Approved")));
    assert_eq!((&refunded["originalPaymentID"], &refunded["refundAmount"]), (&json!(late), &json!(20.0)));
    let refund_id = refunded["paymentID"].as_str().unwrap().to_owned();
    assert_ne!(refund_id, late);

    let payments = merchant.state().await["clientpay-payments"].clone();
    let statuses: Vec<&str> =
        payments.as_array().unwrap().iter().map(|payment| payment["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["Voided", "Refunded", "Declined", "Approved"]);
    for (payment, expected, message) in [
        (early.as_str(), 400, "The payment is Voided and cannot be refunded."),
        (&late, 400, "The payment is Refunded and cannot be refunded."),
        (&declined, 400, "The payment is Declined and cannot be refunded."),
        (&refund_id, 400, "The payment is a refund itself."),
        ("20411875", 404, "The payment is not known."),
        ("", 400, "paymentId: is required"),
    ] {
        for remaining in [None, Some(true)] {
            let (status, answer) = refund(&merchant, payment, remaining).await;
            assert_eq!((status, answer["message"].as_str()), (expected, Some(message)), "{answer}");
        }
    }
    assert_eq!(merchant.state().await["clientpay-payments"], payments, "nothing more was given back");
}

#[tokio::test]
async fn what_is_left_of_a_payment_is_refunded_on_request() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let payment = pay(&merchant, "4000100011112224", 100.0).await;
    let part = async |payment: &str, amount: &str| {
        let body = format!(r#"{{"payment-id":"{payment}","amount":"{amount}"}}"#);
        let headers = [("accessId", merchant.access_id.as_str())];
        merchant.client.send("POST", "/_sandbox/partial-refund", &headers, body).await
    };
    let before = merchant.state().await;
    for (payment, amount, names) in [
        (payment.as_str(), "100.00", "amount: "),
        (&payment, "100.01", "amount: "),
        (&payment, "0", "amount: "),
        (&payment, "-1", "amount: "),
        ("20411875", "1.00", "payment-id: "),
        ("", "1.00", "payment-id: "),
    ] {
        let got = part(payment, amount).await;
        assert_eq!(got.status, 400, "{amount}: {}", got.body);
        assert!(got.at("/error").starts_with(names), "{amount}: {}", got.body);
    }
    assert_eq!(merchant.state().await, before);
    assert_eq!(part(&payment, "30.00").await.status, 200);
    assert_eq!(part(&payment, "20.00").await.status, 200);
    for remaining in [None, Some(false)] {
        let (status, answer) = refund(&merchant, &payment, remaining).await;
        let message = format!("Payment {payment} has already been partially refunded.");
        assert_eq!((status, answer), (400, json!({ "success": false, "message": message })));
    }
    // A partly refunded payment cannot be voided, settled or not.
    let (status, answer) = refund(&merchant, &payment, Some(true)).await;
    assert_eq!(
        (status, &answer["refundAmount"], &answer["originalPaymentID"]),
        (200, &json!(50.0), &json!(payment))
    );
    assert_eq!(part(&payment, "1.00").await.status, 400);
}
