//! Every operation with its request from the reference, unchanged except for the ids that the gateway gives.

use perennial_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use super::Merchant;
use crate::client::Got;

const INVOICE_PAGE: &str = r#"{
  "token": { "requestId": "REQUEST", "sessionId": "S-88213", "customerId": "C-410" },
  "invoices": [
    { "editable": true, "invoiceNumber": "INV-70412", "invoiceDate": "2024-03-04", "dueDate": "2024-04-03",
      "subtotalAmount": 2400, "discountAmount": 100, "tax": 190.5, "outstandingBalance": 2490.5,
      "paymentAmount": 2490.5, "clientID": "8812", "clientName": "Harbor Tile LLC",
      "pdfLink": "https://files.example.test/inv/70412.pdf" }
  ],
  "payerOrPaymentMethodId": "PAYER",
  "nameOnAccount": "Rosa Lind",
  "billingAddress": { "addressLine1": "12 Quay Rd", "city": "Mobile", "state": "AL", "zipCode": "36602" },
  "pageOptions": { "headerText": "Pay Marsh & Oak LLP", "subheaderText": "Thank you", "footerText": "Questions? 555-0100",
    "hideCustomerHeaderLogo": true, "duration": 86400, "styling": "1", "disableRecaptcha": true,
    "enablePayerSaving": true, "isPayerFacing": true },
  "emailOptions": { },
  "responseOptions": { "enableClientSidePostBack": true, "clientSideReturnAddress": "https://portal.example.test",
    "serverSideReturnAddress": "https://portal.example.test/hooks/clientpay" }
}"#;

const LINE_ITEM_PAGE: &str = r#"{
  "token": { "requestId": "REQUEST", "sessionId": "S-88214", "customerId": "C-410" },
  "lineItems": [
    { "paymentAmount": 750, "editable": false, "itemId": "R-19", "itemName": "Retainer", "itemDescription": "Initial retainer deposit" }
  ],
  "lineItemTableLabels": { "itemIdLabel": "Ref", "itemNameLabel": "Service", "itemDescriptionLabel": "Details" },
  "payerOrPaymentMethodId": null,
  "nameOnAccount": "Rosa Lind",
  "billingAddress": { "addressLine1": "12 Quay Rd", "city": "Mobile", "state": "AL", "zipCode": "36602" },
  "pageOptions": { "duration": 3600 },
  "emailOptions": { },
  "responseOptions": { "serverSideReturnAddress": "https://portal.example.test/hooks/clientpay" }
}"#;

const CONNECT_PAGE: &str = r#"{
  "token": { "requestId": "REQUEST", "sessionId": "S-88215", "customerId": "C-410" },
  "connectOption": 4,
  "invoices": [
    { "invoiceNumber": "INV-70413", "invoiceDate": "03/11/2024", "outstandingBalance": 880, "paymentAmount": 880,
      "matterNumber": "0421.0007", "matterDescription": "Lease review", "clientID": "8812", "clientName": "Harbor Tile LLC",
      "pdfLink": "https://files.example.test/inv/70413.pdf" }
  ],
  "payerOrPaymentMethodId": null,
  "nameOnAccount": "Rosa Lind",
  "billingAddress": { "addressLine1": "12 Quay Rd", "city": "Mobile", "state": "AL", "zipCode": "36602" },
  "pageOptions": { "duration": 3600 },
  "emailOptions": { },
  "responseOptions": { "serverSideReturnAddress": "https://portal.example.test/hooks/clientpay" }
}"#;

const PAYER_PAGE: &str = r#"{ "token": { "requestId": "REQUEST", "sessionId": "S-88216", "customerId": "C-410" },
  "acceptMultipleMethods": true, "hidePayerNamePanel": false, "payerId": "PAYER",
  "allowEditsToExistingMethods": false,
  "pageOptions": { "headerText": "Your saved methods", "duration": 3600 },
  "responseOptions": { "serverSideReturnAddress": "https://portal.example.test/hooks/clientpay" } }"#;

const CONNECT_SEARCH: &str = r#"{ "connectOption": 4, "searchOption": 3, "searchText": "8812", "filterOption": 2, "filterText": "0421.0007" }"#;

const NEW_PAYER: &str = r#"{ "token": { "requestId": "REQUEST", "sessionId": "S-88219", "customerId": "C-410" },
  "payer": { "firstName": "Rosa", "lastName": "Lind", "businessName": "Harbor Tile LLC", "payerName": "firstLast", "emails": ["rosa@example.test"],
    "payerAddress": { "addressLine1": "12 Quay Rd", "phoneNumber": "555-0101", "city": "Mobile", "state": "AL", "zipCode": "36602" } } }"#;

const UPDATE_PAYER: &str = r#"{ "token": { "requestId": "REQUEST" }, "payerId": "PAYER",
  "payer": { "emails": ["accounts@example.test"] } }"#;

const DELETE_PAYER: &str = r#"{ "token": { "requestId": "REQUEST" }, "payerId": "PAYER" }"#;

const NEW_METHODS: &str = r#"{ "token": { "requestId": "REQUEST" }, "payerId": "PAYER",
  "paymentMethods": [
    { "isPrimary": true,
      "creditCard": { "cardholderName": "Rosa Lind", "cardNumber": "4000100011112224", "expirationDateMonth": 9, "expirationDateYear": 2030, "cvv": "123" },
      "billingAddress": { "addressLine1": "12 Quay Rd", "phoneNumber": "555-0101", "city": "Mobile", "state": "AL", "zipCode": "36602" } },
    { "isPrimary": false,
      "eCheck": { "nameOnAccount": "Harbor Tile LLC", "routingNumber": "021000021", "accountNumber": "5550001234", "accountType": "checking_business" },
      "billingAddress": { "addressLine1": "12 Quay Rd", "phoneNumber": "555-0101", "city": "Mobile", "state": "AL", "zipCode": "36602" } } ] }"#;

const UPDATE_METHODS: &str = r#"{ "token": { "requestId": "REQUEST" },
  "paymentMethods": [ { "id": "METHOD", "isPrimary": true,
    "creditCard": { "cardholderName": "Rosa M. Lind", "expirationDateMonth": 10, "expirationDateYear": 2031 } } ] }"#;

const PAYMENT: &str = r#"{ "token": { "requestId": "REQUEST", "sessionId": "S-88217", "customerId": "C-410" },
  "totalAmount": 540.25, "tax": 40.25, "description": "March services", "orderId": "PO-2210",
  "creditCard": { "cardholderName": "Rosa Lind", "cardNumber": "4000100011112224", "expirationDateMonth": 9,
                  "expirationDateYear": 2030, "cvv": "123" },
  "billingInformation": { "addressLine1": "12 Quay Rd", "city": "Mobile", "state": "AL", "zipCode": "36602" } }"#;

const STORED_PAYMENT: &str = r#"{ "token": { "requestId": "REQUEST" }, "totalAmount": 540.25,
  "payerOrPaymentMethodId": "PAYER", "orderId": "PO-2211" }"#;

const REFUND: &str = r#"{ "token": { "requestId": "REQUEST", "sessionId": "S-88218", "customerId": "C-410" },
  "paymentId": "PAYMENT", "enableRemainingAmountRefunds": false, "refundNote": "Billed twice", "orderId": "PO-2210",
  "emailOptions": { } }"#;

const RESULTS: &str = r#"{ "group": { "type": "and", "conditions": [
      { "criteria": { "field": 4, "operator": 5, "value": "2027-01-01" } },
      { "criteria": { "field": 4, "operator": "lt", "value": "2027-02-01" } },
      { "group": { "type": "or", "conditions": [
          { "criteria": { "field": 3, "operator": 1, "value": "S-88217" } },
          { "criteria": { "field": 2, "operator": 1, "value": "20411875" } } ] } } ] },
  "orderBy": ["paymentDate"], "pageNumber": 1, "pageSize": 100 }"#;

const COUNT: &str = r#"{ "group": { "type": "and", "conditions": [ { "criteria": { "field": 1, "operator": 1, "value": "REQUEST" } } ] } }"#;

const V1_INVOICE: &str = r#"{
  "accessId": "ACCESS", "requestId": "REQUEST",
  "customerRefNumber": "C-410", "sessionId": "S-70001",
  "invoices": [
    { "invoiceNumber": "INV-9001", "invoiceDate": "2018-02-01T09:00:00.0000000-06:00", "dueDate": "2018-03-01T09:00:00.0000000-06:00",
      "subtotalAmount": 300.0, "discountAmount": 0.0, "tax": 24.0, "outstandingBalance": 324.0, "paymentAmount": 324.0,
      "invoiceAmountTotal": 324.0, "clientID": "8812", "clientName": "Harbor Tile LLC", "pdfLink": "https://files.example.test/9001.pdf" },
    { "invoiceNumber": "INV-9002", "invoiceDate": "2018-02-05T09:00:00.0000000-06:00", "dueDate": "2018-03-05T09:00:00.0000000-06:00",
      "subtotalAmount": 100.0, "discountAmount": 10.0, "tax": 7.2, "outstandingBalance": 97.2, "paymentAmount": 97.2,
      "invoiceAmountTotal": 97.2, "clientID": "8812", "clientName": "Harbor Tile LLC", "pdfLink": "https://files.example.test/9002.pdf" }
  ],
  "cardholderName": "Rosa Lind", "billingAddress": "12 Quay Rd", "billingCity": "Mobile", "billingCountry": "USA",
  "duration": 900, "billingZipCode": "36602", "billingStateCode": "AL",
  "enableClientSidePostBack": true, "clientSideReturnAddress": "https://portal.example.test", "hideCustomerHeaderLogo": true
}"#;

const V1_PAYMENT: &str = r#"{ "accessId": "ACCESS", "requestId": "REQUEST", "customerRefNumber": "C-410",
  "sessionId": "S-70002", "totalAmount": 97.2, "tax": 7.2, "description": "INV-9002", "cardholderName": "Rosa Lind",
  "cardNumber": "4000100011112224", "expirationDateMonth": 9, "expirationDateYear": 2030, "cvv": "123",
  "billingAddress": "12 Quay Rd", "billingCity": "Mobile", "billingStateCode": "AL", "billingZipCode": "36602", "billingCountry": "USA" }"#;

const V1_EXPIRE: &str = r#"{ "accessId": "ACCESS", "requestId": "REQUEST" }"#;

/// Each request of the reference with its path; requests that create objects for others come first.
pub(super) const REQUESTS: &[(&str, &str)] = &[
    ("/v2/payer", NEW_PAYER),
    ("/v2/payer/paymentmethods", NEW_METHODS),
    ("/v2/payment", PAYMENT),
    ("/v2/payer/update", UPDATE_PAYER),
    ("/v2/payer/paymentmethods/update", UPDATE_METHODS),
    ("/v2/paymentpage/invoice", INVOICE_PAGE),
    ("/v2/paymentpage/lineitem", LINE_ITEM_PAGE),
    ("/v2/connect/paymentpage", CONNECT_PAGE),
    ("/v2/connect/search", CONNECT_SEARCH),
    ("/v2/payer/payerpage", PAYER_PAGE),
    ("/v2/expirepage", r#"{ "requestId": "REQUEST" }"#),
    ("/v2/payment", STORED_PAYMENT),
    ("/v2/payment/refund", REFUND),
    ("/v2/paymentsearch/count", COUNT),
    ("/v2/paymentsearch/results", RESULTS),
    ("/v2/payer/delete", DELETE_PAYER),
    ("/Invoice/Forms/Add", V1_INVOICE),
    ("/Invoice/Connect/Add", V1_INVOICE),
    ("/PaymentPage/Forms/Add", V1_INVOICE),
    ("/Payment/Add", V1_PAYMENT),
    ("/Invoice/Forms/Expire", V1_EXPIRE),
];

/// Ids that replace those of the reference.
pub(super) struct Books<'a> {
    pub(super) merchant: &'a Merchant,
    pub(super) payer: String,
    pub(super) method: String,
    pub(super) payment: String,
}

impl Books<'_> {
    /// A body with the ids of existing objects.
    pub(super) fn filled(&self, body: &str, request: &str) -> Json {
        let body = body
            .replace("REQUEST", request)
            .replace("PAYER", &self.payer)
            .replace("METHOD", &self.method)
            .replace("PAYMENT", &self.payment)
            .replace("ACCESS", &self.merchant.access_id);
        serde_json::from_str(&body).unwrap()
    }

    async fn call(&self, path: &str, body: &str, request: &str) -> Got {
        self.merchant.send(path, &self.filled(body, request)).await
    }

    /// Sends a call that succeeds; returns its request id too.
    pub(super) async fn done(&self, path: &str, body: &str) -> (Json, String) {
        let request = self.merchant.request_id().await;
        let got = self.call(path, body, &request).await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        (got.json(), request)
    }
}

#[tokio::test]
async fn version_2_answers_each_as_the_reference_infers() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let nothing = String::new;
    let mut books = Books { merchant: &merchant, payer: nothing(), method: nothing(), payment: nothing() };

    let (payer, _) = books.done("/v2/payer", NEW_PAYER).await;
    books.payer = payer["payerId"].as_str().unwrap().to_owned();
    assert_eq!(payer, json!({ "success": true, "payerId": books.payer }));
    let (updated, _) = books.done("/v2/payer/update", UPDATE_PAYER).await;
    assert_eq!(updated, payer);
    let (methods, _) = books.done("/v2/payer/paymentmethods", NEW_METHODS).await;
    books.method = methods["paymentMethodIds"][0].as_str().unwrap().to_owned();
    let second = &methods["paymentMethodIds"][1];
    assert_eq!(
        methods,
        json!({ "success": true, "payerId": books.payer, "paymentMethodIds": [books.method, second] })
    );
    let (updated, _) = books.done("/v2/payer/paymentmethods/update", UPDATE_METHODS).await;
    assert_eq!(updated, json!({ "success": true, "paymentMethodIds": [books.method] }));

    for (path, body, kind, member) in [
        ("/v2/paymentpage/invoice", INVOICE_PAGE, "invoicePaymentPage", "paymentPageUrl"),
        ("/v2/paymentpage/lineitem", LINE_ITEM_PAGE, "lineItemPaymentPage", "paymentPageUrl"),
        ("/v2/connect/paymentpage", CONNECT_PAGE, "connectPaymentPage", "paymentPageUrl"),
        ("/v2/payer/payerpage", PAYER_PAGE, "payerPage", "payerPageUrl"),
    ] {
        let (page, id) = books.done(path, body).await;
        let url = format!("{}/app/api/{id}#/{kind}/{id}", sandbox.base_url());
        assert_eq!(page, json!({ "success": true, "requestID": id, member: url }));
        if kind == "connectPaymentPage" {
            let (found, _) = books.done("/v2/connect/search", CONNECT_SEARCH).await;
            let invoice = json!({ "invoiceNumber": "INV-70413", "invoiceDate": "2024-03-11", "outstandingBalance": 880.00,
                "paymentAmount": 880.00, "matterNumber": "0421.0007", "matterDescription": "Lease review", "clientID": "8812",
                "clientName": "Harbor Tile LLC", "pdfLink": "https://files.example.test/inv/70413.pdf" });
            assert_eq!(found, json!({ "success": true, "invoices": [invoice] }));
        }
        for _ in 0..2 {
            let got = books.call("/v2/expirepage", r#"{ "requestId": "REQUEST" }"#, &id).await;
            assert_eq!((got.status, got.json()), (200, json!({ "success": true })));
        }
    }

    let (paid, request) = books.done("/v2/payment", PAYMENT).await;
    books.payment = paid["paymentID"].as_str().unwrap().to_owned();
    let record = json!({ "success": true, "requestID": request, "paymentID": books.payment, "sessionID": "S-88217",
        "customerRefNumber": "C-410", "paymentStatus": "Approved",
        "paymentDate": "2026-12-31T18:00:00.0000000-06:00", "paymentDateUtc": "2027-01-01T00:00:00.0000000Z",
        "paymentMethodType": 0, "statusByType": 0, "paymentAmount": 540.25, "paymentTaxAmount": 40.25, "surchargeAmount": 0.00 });
    assert_eq!(paid, record);
    let (counted, _) = books.done("/v2/paymentsearch/count", &COUNT.replace("REQUEST", &request)).await;
    assert_eq!(counted, json!({ "success": true, "count": 1 }));
    let (found, _) = books.done("/v2/paymentsearch/results", RESULTS).await;
    assert_eq!(found, json!({ "success": true, "pageNumber": 1, "pageSize": 100, "payments": [record] }));
    let (stored, _) = books.done("/v2/payment", STORED_PAYMENT).await;
    assert_eq!(stored["paymentStatus"], "Approved");
    let (voided, request) = books.done("/v2/payment/refund", REFUND).await;
    assert_eq!(voided["requestID"], request.as_str());
    assert_eq!((&voided["paymentID"], &voided["paymentStatus"]), (&paid["paymentID"], &json!("Voided")));
    assert_eq!(voided["refundAmount"], 540.25);

    let (deleted, _) = books.done("/v2/payer/delete", DELETE_PAYER).await;
    assert_eq!(deleted, json!({ "success": true }));
}

#[tokio::test]
async fn version_1_answers_each_as_the_reference_infers() {
    let sandbox = Sandbox::start().await.unwrap();
    let merchant = Merchant::of(&sandbox).await;
    let nothing = String::new;
    let books = Books { merchant: &merchant, payer: nothing(), method: nothing(), payment: nothing() };
    let status = async |id: &str| {
        let path = format!("/Payment/Status?accessId={}&requestId={id}", merchant.access_id);
        let got = merchant.client.send("GET", &path, &[], "").await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.json()
    };
    let items = V1_INVOICE.replace("\"invoices\"", "\"lineItems\"");
    let pascal = V1_INVOICE.replace("\"invoiceNumber\"", "\"InvoiceNumber\"").replace("\"tax\"", "\"Tax\"");
    let connect = V1_INVOICE.replacen('{', "{ \"connectOption\": 2,", 1);
    for (path, body, kind, expire) in [
        ("/Invoice/Forms/Add", V1_INVOICE, "invoicePaymentPage", "/Invoice/Forms/Expire"),
        ("/Invoice/Forms/Add", &pascal, "invoicePaymentPage", "/invoice/forms/expire"),
        ("/PaymentPage/Forms/Add", &items, "lineItemPaymentPage", "/PaymentPage/Forms/Expire"),
        ("/Invoice/Connect/Add", &connect, "connectPaymentPage", "/Invoice/Forms/Expire"),
    ] {
        let (page, id) = books.done(path, body).await;
        let url = format!("{}/app/api/{id}#/{kind}/{id}", sandbox.base_url());
        assert_eq!(page, json!({ "success": true, "requestID": id, "paymentPageUrl": url }));
        let unpaid = status(&id).await;
        assert_eq!(
            (&unpaid["requestID"], &unpaid["paymentPageUrlStatus"], &unpaid["paymentPageUrl"]),
            (&json!(id), &json!("Active"), &json!(url))
        );
        assert_eq!(
            (&unpaid["sessionID"], &unpaid["customerRefNumber"]),
            (&json!("S-70001"), &json!("C-410"))
        );
        for member in ["paymentID", "paymentStatus"] {
            assert_eq!(unpaid.get(member), Some(&json!(null)), "{unpaid}");
        }
        assert_eq!(books.call(expire, V1_EXPIRE, &id).await.json(), json!({ "success": true }));
        assert_eq!(status(&id).await["paymentPageUrlStatus"], "Expired");
    }
    let (paid, id) = books.done("/Payment/Add", V1_PAYMENT).await;
    assert_eq!((&paid["paymentStatus"], &paid["paymentAmount"]), (&json!("Approved"), &json!(97.20)));
    assert_eq!((&paid["customerRefNumber"], &paid["sessionID"]), (&json!("C-410"), &json!("S-70002")));
    assert_eq!(status(&id).await, paid);
    let nameless = format!("/Payment/Status?accessId={}", merchant.access_id);
    let got = merchant.client.send("GET", &nameless, &[], "").await;
    assert_eq!((got.status, got.at("/errors/0/field").as_str()), (400, "requestId"), "{}", got.body);
    let search = r#"{ "accessId": "ACCESS", "connectOption": 2, "searchOption": 3, "searchText": "8812" }"#;
    let (found, _) = books.done("/Invoice/Connect/Search", search).await;
    assert_eq!(found, json!({ "success": true, "invoices": [] }), "its page is expired");
}
