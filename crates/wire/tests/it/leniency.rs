//! Undocumented variants that are accepted: an answer or a request as received, and the canonical one with its meaning.

use perennial_domain::clearent::{Transaction, TransactionResult, TransactionType};
use perennial_wire::clearent::{GatewayError, Payload, Reply, read_api_key, transaction};
use perennial_wire::{Format, Limits};

use crate::samples::{body, reread};

/// Checks an answer as received, and its payload as our gateway would have written it, in JSON.
#[test]
fn answers() {
    let cases: &[(&str, &str)] = &[
        ("", ""),
        (" \r\n", ""),
        ("{}", ""),
        ("<response/>", ""),
        (r#"{"payload":null}"#, ""),
        (r#"{"payload":{"receipt":{"id":"59"},"payloadType":"receipt"}}"#, r#""payloadType":"receipt""#),
        // Tokens by their old name, their new one, or without the wrapper.
        (
            r#"{"payload":{"token":{"token-id":"11"}}}"#,
            r#""tokenResponse":{"token-id":"11"},"payloadType":"token""#,
        ),
        (
            r#"{"tokenResponse":{"token-id":11}}"#,
            r#""tokenResponse":{"token-id":"11"},"payloadType":"token""#,
        ),
        (
            "<response><payloadType>token</payloadType><token><token-id>11</token-id></token></response>",
            r#""tokenResponse":{"token-id":"11"},"payloadType":"token""#,
        ),
        // Lists: one bare item, none, null, only the payload type, and either inner name.
        (
            r#"{"payload":{"tokens":{"token":{"token-id":"11"}}}}"#,
            r#""tokens":{"token":[{"token-id":"11"}]},"payloadType":"tokens""#,
        ),
        (
            r#"{"payload":{"tokens":{"tokenResponse":[{"token-id":"11"}]}}}"#,
            r#""tokens":{"token":[{"token-id":"11"}]},"payloadType":"tokens""#,
        ),
        (r#"{"payload":{"tokens":{"token":[]}}}"#, r#""tokens":{"token":[]},"payloadType":"tokens""#),
        (r#"{"payload":{"tokens":{}}}"#, r#""tokens":{"token":[]},"payloadType":"tokens""#),
        (
            r#"{"payload":{"tokens":"","payloadType":"tokens"}}"#,
            r#""tokens":{"token":[]},"payloadType":"tokens""#,
        ),
        (
            r#"{"payload":{"tokens":null,"payloadType":"tokens"}}"#,
            r#""tokens":{"token":[]},"payloadType":"tokens""#,
        ),
        ("<response><payload type='tokens'/></response>", r#""tokens":{"token":[]},"payloadType":"tokens""#),
        (
            "<response><payload type='customers'><customers/></payload></response>",
            r#""customers":{"customer":[]},"payloadType":"customers""#,
        ),
        (
            r#"{"payload":{"customer-tokens":{"token":[{"token-id":"11","default":"TRUE"}]}}}"#,
            r#""customer-tokens":{"customer-token":[{"token-id":"11","default":true}]},"payloadType":"customer-tokens""#,
        ),
        // The response to a search by key may be the single customer.
        (
            r#"{"payload":{"payloadType":"customers","customer":{"customer-key":"c"}}}"#,
            r#""customer":{"customer-key":"c","links":{}},"payloadType":"customers""#,
        ),
        // Unknown words are kept, and so are unusual forms of members that move no money.
        (
            r#"{"payload":{"payment-plan":{"plan-key":"p","frequency":"Yearly","frequency-day":30,"status":"Paused","email-receipt":"maybe"}}}"#,
            r#""payment-plan":{"plan-key":"p","email-receipt":"maybe","frequency":"YEARLY","frequency-day":"30","status":"PAUSED","links":{}},"payloadType":"payment-plan""#,
        ),
        (
            r#"{"payload":{"tokenResponse":{"exp-date":"13/30","times-used":"many","default":"x","status":"active","card-type":"Visa"}}}"#,
            r#""tokenResponse":{"times-used":"many","status":"Active","exp-date":"13/30","card-type":"VISA","default":"x"},"payloadType":"token""#,
        ),
        (
            r#"{"payload":{"customer":{"customer-key":"c","first-name":"","last-name":" ","email":null,"phone":3145550100,"billing-address":{},"shipping-address":{"zip":""},"links":{"link":{"rel":"self","href":"/c","x":1}},"new":[{}]}}}"#,
            r#""customer":{"customer-key":"c","phone":"3145550100","links":{"link":[{"rel":"self","href":"/c"}]}},"payloadType":"customer""#,
        ),
        // Numbers keep their digits, and an amount may be zero.
        (
            r#"{"payload":{"transaction":{"id":700001,"amount":25.00,"tip-amount":0,"original-amount":"80.0","pending":true,"settled":"FALSE","csc":"999"}}}"#,
            r#""transaction":{"amount":"25.00","id":"700001","original-amount":"80.00","tip-amount":"0.00","pending":"true","settled":"false"},"payloadType":"transaction""#,
        ),
        (
            r#"{"payload":{"payment-plan":{"plan-key":"p","frequency-day":"LAST","frequency-month":"x","frequency-week":1.5,"email-receipt":"Y"}}}"#,
            r#""payment-plan":{"plan-key":"p","email-receipt":"true","frequency-day":"LAST","frequency-month":"x","frequency-week":"1.5","links":{}},"payloadType":"payment-plan""#,
        ),
        // Digits of a fixed width get back the leading zeros that a number cannot have.
        (
            r#"{"payload":{"tokenResponse":{"exp-date":932,"last-four-digits":12,"default":1}}}"#,
            r#""tokenResponse":{"exp-date":"0932","last-four-digits":"0012","default":true},"payloadType":"token""#,
        ),
        (
            r#"{"payload":{"customer-token":{"token-id":1,"exp-date":"LAST","last-four-digits":"7","default":"No"}}}"#,
            r#""customer-token":{"exp-date":"LAST","last-four-digits":"0007","token-id":"1","default":false},"payloadType":"customer-token""#,
        ),
        (
            r#"{"payload":{"tokenResponse":{"last-four-digits":"XXXX XXXX XXXX 0012"}}}"#,
            r#""tokenResponse":{"last-four-digits":"0012"},"payloadType":"token""#,
        ),
        (
            "<response><payload><token><last-four-digits>12</last-four-digits><exp-date>932</exp-date></token></payload></response>",
            r#""tokenResponse":{"exp-date":"0932","last-four-digits":"0012"},"payloadType":"token""#,
        ),
        (
            r#"{"payload":{"transaction":{"card":12,"result-code":0,"exp-date":130,"last-four":12,"voided":"Yes","settled":0}}}"#,
            r#""transaction":{"card":"0012","result-code":"000","exp-date":"0130","voided":"true","settled":"false","last-four":"0012"},"payloadType":"transaction""#,
        ),
        (
            r#"{"payload":{"transaction":{"result-code":"0000","exp-date":"4111111111111111"}}}"#,
            r#""transaction":{"result-code":"0000","exp-date":"************1111"},"payloadType":"transaction""#,
        ),
        // A card number that a gateway repeats is not in the record.
        (
            r#"{"payload":{"transaction":{"card":"4111 1111 1111 1111"}}}"#,
            r#""transaction":{"card":"XXXXXXXXXXXX1111"},"payloadType":"transaction""#,
        ),
        (
            r#"{"payload":{"error":{"error-message":"no","result-code":41},"payloadType":"error"}}"#,
            r#""error":{"error-message":"no","result-code":"041"},"payloadType":"error""#,
        ),
        (
            r#"{"payload":{"error":{"error-message":"no"},"transaction":{"result":"ERROR"}}}"#,
            r#""transaction":{"result":"ERROR"},"error":{"error-message":"no"},"payloadType":"transaction""#,
        ),
        // Additional content is never dropped, unless it is blank.
        (
            r#"{"payload":{"error":{"result-code":"041"},"payment-plan":{"plan-key":"p"}}}"#,
            r#""payment-plan":{"plan-key":"p","links":{}},"error":{"result-code":"041"},"payloadType":"payment-plan""#,
        ),
        (
            r#"{"payload":{"batch":{"id":"59"},"customer":{"customer-key":"c"},"error":{"error-message":"no"},"payloadType":"error"}}"#,
            r#""customer":{"customer-key":"c","links":{}},"batch":{"id":"59"},"error":{"error-message":"no"},"payloadType":"error""#,
        ),
        (
            "<response><payload><error><error-message>no</error-message></error><tokens><token><token-id>11</token-id></token></tokens></payload></response>",
            r#""tokens":{"token":[{"token-id":"11"}]},"error":{"error-message":"no"},"payloadType":"tokens""#,
        ),
        (
            r#"{"payload":{"error":{"error-message":"no"},"transaction":{},"tokens":{"token":[]}}}"#,
            r#""error":{"error-message":"no"},"payloadType":"error""#,
        ),
        (
            r#"{"payload":{"tokenResponse":{"token-id":"11"},"token":{"token-id":"11"}}}"#,
            r#""tokenResponse":{"token-id":"11"},"payloadType":"token""#,
        ),
        (
            r#"{"payload":{"tokenResponse":{"token-id":"11"},"token":{"token-id":"12"}}}"#,
            r#""tokenResponse":{"token-id":"11"},"token":{"token-id":"12"},"payloadType":"token""#,
        ),
        (
            r#"{"payload":{"transaction":{"id":"7"},"tokenResponse":{"token-id":"11"},"token":{"token-id":"12"}}}"#,
            r#""transaction":{"id":"7"},"tokenResponse":{"token-id":"11"},"token":{"token-id":"12"},"payloadType":"transactionToken""#,
        ),
        (r#"{"payload":{"error":"","payloadType":"error"}}"#, r#""error":{},"payloadType":"error""#),
        (
            r#"{"payload":{"error":{},"transaction":{"result":"APPROVED"}}}"#,
            r#""transaction":{"result":"APPROVED"},"payloadType":"transaction""#,
        ),
    ];
    for (document, expected) in cases {
        let reply = decode(document);
        let written = Reply { payload: reply.payload, payload_type: reply.payload_type, ..Reply::default() };
        let written = String::from_utf8(written.encode(Format::Json).unwrap()).unwrap();
        let expected =
            if expected.is_empty() { "{}".to_owned() } else { format!("{{\"payload\":{{{expected}}}}}") };
        assert_eq!(written, expected, "{document}");
    }
}

#[test]
fn envelopes() {
    let reply = decode(
        r#"{"code":200,"status":"fail","exchange-id":"","links":{"rel":"self","href":"/","id":7},
            "page":{"number":"2","size":"all","total-elements":null,"first":"False","last":true,"total-pages":"+2"}}"#,
    );
    assert_eq!((reply.code, reply.status.as_deref(), reply.exchange_id), (Some(200), Some("fail"), None));
    assert_eq!((reply.links.len(), reply.links[0].id.as_deref()), (1, Some("7")));
    let page = reply.page.unwrap();
    assert_eq!((page.number, page.size, page.total_elements, page.total_pages), (Some(2), None, None, None));
    assert_eq!((page.first, page.last), (Some(false), Some(true)));

    // The code decides whether a call was executed: one that is not a status is an error.
    for code in [r#""OK""#, r#""1.5""#, "true", "7", "999"] {
        let document = format!(r#"{{"code":{code},"status":"success"}}"#);
        let error = Reply::decode(Format::Json, document.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "JSON at code: the value is not valid", "{document}");
    }
    assert_eq!(decode(r#"{"code":"","links":[{"rel":"self"},{"href":"/"}],"page":""}"#).code, None);
    assert_eq!(decode(r#"{"links":[{"rel":"self"},{"href":"/"}]}"#).links, []);
}

#[test]
fn a_decline_is_a_transaction() {
    let reply = decode(
        r#"{"payload":{"payloadType":"errorTransaction","transaction":{"result":"Declined","result-code":"012"}}}"#,
    );
    assert_eq!(reply.payload_type.as_deref(), Some("errorTransaction"));
    let expected = Transaction {
        result: Some(TransactionResult::DECLINED),
        result_code: Some("012".into()),
        ..Transaction::default()
    };
    assert_eq!(reply.payload, Payload::Transaction(Box::new(expected)));
}

#[test]
fn a_refusal_without_a_word_is_a_refusal() {
    let payload = decode("<response><payload type='error'><error/></payload></response>").payload;
    assert_eq!(payload, Payload::Error(GatewayError::default()));
}

fn decode(document: &str) -> Reply {
    let format = if document.starts_with('<') { Format::Xml } else { Format::Json };
    Reply::decode(format, document.as_bytes(), &Limits::default())
        .unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Checks a body as received, and as our client would have written it.
#[test]
fn requests() {
    for (request, document, expected) in [
        (
            "customer-create",
            r#"{"first-name":"Ada","last-name":"Byron","email":"","phone":3145550100,"comments":null,"billing-address":{"zip":63101,"street":"","company":null},"shipping-address":"","status":"ACTIVE","links":{},"x":{}}"#,
            r#"{"first-name":"Ada","last-name":"Byron","phone":"3145550100","billing-address":{"zip":"63101"}}"#,
        ),
        (
            "customer-update",
            r#"{"customer-key":"other","first-name":"","status":"Inactive"}"#,
            r#"{"status":"INACTIVE"}"#,
        ),
        (
            "token-create",
            r#"{"card":4111111111111111,"exp-date":130,"csc":999,"avs-required":"","require-avs":false,"default":true,"last-four-digits":"1111"}"#,
            r#"{"card":"4111111111111111","card-type":"VISA","exp-date":"0130","csc":"999","avs-required":"false"}"#,
        ),
        (
            "token-create",
            r#"{"card":"4111-1111-1111-1111","exp-date":"01/30","card-type":"Visa","avs-required":"True","require-avs":"false"}"#,
            r#"{"card":"4111111111111111","card-type":"VISA","exp-date":"0130","avs-required":"true"}"#,
        ),
        (
            "token-update",
            r#"{"token-id":"1100000000555551111","customer-key":"c","card":"","status":"inactive","times-used":3}"#,
            r#"{"status":"INACTIVE","customer-key":"c"}"#,
        ),
        (
            "customer-token-attach",
            r#"{"token-id":11,"default":"FALSE","exp-date":130,"last-four-digits":12}"#,
            r#"{"exp-date":"0130","last-four-digits":"0012","token-id":"11","customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10","default":false}"#,
        ),
        (
            "customer-token-update",
            r#"{"customer-key":"other","token-id":"11","default":true,"card-type":"VISA","exp-date":"1230","last-four-digits":"1111"}"#,
            r#"{"token-id":"11","customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10","default":true}"#,
        ),
        (
            "plan-create",
            r#"{"customer-key":"c","token-id":11,"frequency":"Monthly","frequency-day":6,"frequency-month":1,"frequency-week":"","payment-amount":12.20,"start-date":"2026-11-21","end-date":"2027-11-21","email-receipt":false}"#,
            r#"{"type":"SUBSCRIPTION","customer-key":"c","email-receipt":"false","token-id":"11","frequency":"MONTHLY","frequency-day":"6","start-date":"2026-11-21","end-date":"2027-11-21","payment-amount":"12.20"}"#,
        ),
        (
            "plan-update",
            r#"{"plan-key":"other","status":"Cancelled","frequency-month":1}"#,
            r#"{"status":"CANCELED"}"#,
        ),
        (
            "transaction-sale",
            r#"{"type":" sale ","card":"4111 1111 1111 1111","exp-date":"1230","amount":25.00,"create-token":true,"software-type-version":1.80,"shipping":null,"billing":{"street":""},"card-inquiry":"true"}"#,
            r#"{"type":"SALE","card":"4111111111111111","card-type":"VISA","exp-date":"1230","amount":"25.00","create-token":"true","software-type-version":"1.80"}"#,
        ),
        (
            "transaction-auth",
            r#"{"type":"Auth","card":"4111111111111111","exp-date":"1230","amount":"0.00"}"#,
            r#"{"type":"AUTH","card":"4111111111111111","card-type":"VISA","exp-date":"1230","amount":"0.00"}"#,
        ),
        (
            "transaction-sale",
            r#"{"type":"forced sale","card":"1100000000555551111","amount":"25.00","authorization-code":"APPC10"}"#,
            r#"{"type":"SALE","card":"1100000000555551111","amount":"25.00","authorization-code":"APPC10"}"#,
        ),
        (
            "transaction-refund",
            r#"{"type":"UNMATCHED REFUND","card":"1100000000555551111","amount":"25.00","id":""}"#,
            r#"{"type":"REFUND","card":"1100000000555551111","amount":"25.00"}"#,
        ),
        (
            "transaction-void",
            r#"{"type":"void","id":700001,"amount":"1.00","card":"x"}"#,
            r#"{"type":"VOID","id":"700001"}"#,
        ),
    ] {
        let call = reread(request, Format::Json, document.as_bytes(), Format::Json)
            .unwrap_or_else(|error| panic!("{document}: {error}"));
        assert_eq!(body(&call), expected, "{document}");
    }
}

/// Checks that the path replaces a missing type, and agrees with a given one; a forced sale is sent as a sale.
#[test]
fn the_path_of_a_transaction() {
    let read = |type_given: &str, path| {
        let body = format!(
            r#"{{{type_given}"id":"1","card":"1100000000555551111","amount":"1.00","authorization-code":"A"}}"#
        );
        let read = transaction::read(Format::Json, body.as_bytes(), &Limits::default(), path).unwrap();
        format!("{read:?}").split('(').next().unwrap().to_owned()
    };
    for (type_given, path, expected) in [
        ("", Some(TransactionType::SALE), "Sale"),
        ("", Some(TransactionType::AUTH), "Auth"),
        (r#""type":"","#, Some(TransactionType::CAPTURE), "Capture"),
        (r#""type":null,"#, Some(TransactionType::VOID), "Void"),
        (r#""type":"Refund","#, Some(TransactionType::REFUND), "Refund"),
        (r#""type":"unmatched refund","#, Some(TransactionType::REFUND), "Refund"),
        (r#""type":"forced sale","#, Some(TransactionType::SALE), "ForcedSale"),
        (r#""type":"FORCED SALE","#, None, "ForcedSale"),
    ] {
        assert_eq!(read(type_given, path), expected, "{type_given}");
    }
}

/// Checks that a body may contain the key instead of a header, and nothing else of a header.
#[test]
fn a_key_in_the_body() {
    let key = "00000000000000000000000000000000";
    let read =
        |body: &str| read_api_key(body.as_bytes(), &Limits::default()).map(|key| key.expose().to_owned());
    for (body, expected) in [
        (format!(r#"{{"type":"SALE","api-key":"{key}"}}"#), Some(key)),
        (format!(r#"{{"card":{{"api-key":"{key}"}}}}"#), None),
        (r#"{"api-key":""}"#.into(), None),
        (r#"{"api-key":null}"#.into(), None),
        ("{}".into(), None),
        ("<transaction/>".into(), None),
        (String::new(), None),
    ] {
        assert_eq!(read(&body).as_deref(), expected, "{body}");
    }
}
