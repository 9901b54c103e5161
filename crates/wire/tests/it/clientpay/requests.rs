//! Requests that a client writes and a gateway reads: golden documents, the vendor's own samples, and refusals.

use std::fmt::Write;

use perennial_domain::clientpay::*;
use perennial_wire::clientpay::{
    Method, Operation, ReadError, Session, Version, access, page, payer, payment, search,
};
use perennial_wire::{EncodeError, Limits};

use super::{CARD, REQUESTS, access_id, body, corpus, credentials, invoice_page, request_id};

#[test]
fn requests_are_written_as_the_corpus_has_them() {
    for request in REQUESTS {
        assert_eq!(body(&request.written().unwrap()), request.golden(), "{}", request.name);
    }
}

#[test]
fn requests_of_the_corpus_are_read_whole() {
    for request in REQUESTS {
        let golden = request.golden();
        let read =
            request.reread(golden.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", request.name));
        assert_eq!(body(&read), golden, "{}", request.name);
        for end in 0..golden.len() {
            assert!(request.reread(&golden.as_bytes()[..end]).is_err(), "{} up to byte {end}", request.name);
        }
    }
}

/// Reads free forms of numbers, either format of dates, Pascal case, numbers or words for codes, and empty objects.
#[test]
fn the_vendors_samples_mean_the_same() {
    let mut read = 0;
    for request in REQUESTS {
        let Some(sample) = corpus(&format!("samples/{}", request.name)) else { continue };
        let call =
            request.reread(sample.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", request.name));
        assert_eq!(body(&call), request.golden(), "{}", request.name);
        read += 1;
    }
    assert_eq!(read, 7);
}

#[test]
fn every_call_goes_where_its_route_says() {
    let mut text = String::new();
    for route in Operation::ALL {
        for version in [Version::V2, Version::V1] {
            let Some(path) = route.path(version) else { continue };
            for spelled in [path.to_owned(), path.to_uppercase(), path.to_lowercase()] {
                assert_eq!(Operation::at(&spelled), Some((*route, version)), "{spelled}");
            }
            writeln!(text, "{} {path} {}", route.method().as_str(), route.name()).unwrap();
        }
    }
    for (path, route) in [
        ("/v2/payment/fullrefund", Some((Operation::Refund, Version::V2))),
        ("/v2/refund", Some((Operation::Refund, Version::V2))),
        ("/PaymentPage/Forms/Expire", Some((Operation::ExpirePage, Version::V1))),
        ("/v2/payment/", None),
        ("/v2", None),
        ("/payment", None),
        ("/v2/payment/partialrefund", None),
    ] {
        assert_eq!(Operation::at(path), route, "{path}");
    }
    for request in REQUESTS {
        let call = request.written().unwrap();
        assert_eq!((call.method, call.route), (Method::Post, call.target.as_str()));
        assert_eq!(Operation::at(&call.target).unwrap().1, request.version, "{}", request.name);
        writeln!(text, "{}: {call:?}", request.name).unwrap();
    }
    let status = payment::status(Version::V1, &request_id("").used()).unwrap();
    writeln!(text, "status: {} {}", status.method.as_str(), status.target).unwrap();
    insta::assert_snapshot!("clientpay_routes", text);
}

/// Checks that the access id is a header in version 2 and a member in version 1.0, and never in a URL.
#[test]
fn where_the_access_id_stands() {
    let id = access_id();
    for version in [Version::V2, Version::V1] {
        let session = Session { version, access_id: &id };
        let calls = [
            access::validate(session).unwrap(),
            access::expire(session).unwrap(),
            access::new_request_id(session).unwrap(),
        ];
        for call in calls {
            assert_eq!(call.body.is_some(), version == Version::V1, "{call:?}");
            assert!(!call.target.contains(id.expose()) && !format!("{call:?}").contains(id.expose()));
        }
    }
    for (name, v1) in [("page-expire", false), ("v1-page-expire", true)] {
        let golden = corpus(&format!("requests/{name}")).unwrap();
        let read = page::read_expire(golden.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(read.access_id.is_some_and(|read| read.is(&id)), v1, "{name}");
    }
    let v1 = corpus("requests/v1-payment").unwrap();
    let read = payment::read_pay(Version::V1, v1.as_bytes(), &Limits::default()).unwrap();
    assert!(read.access_id.unwrap().is(&id));
    let query = format!("accessId={}&requestId=r-1", id.expose());
    assert_eq!(payment::read_status(&query).unwrap().request_id.expose(), "r-1");
    assert!(payment::read_status_access_id(&query).unwrap().is(&id));
    assert!(payment::read_status_access_id("requestId=r-1").is_none());
    assert!(payment::read_status("accessId=a-1").is_err());
}

#[test]
fn version_1_says_what_it_cannot() {
    let id = access_id();
    let (v1, request) = (Session { version: Version::V1, access_id: &id }, request_id(""));
    let invoice =
        || Invoice::builder().invoice_number("1").invoice_date("2024-03-04").outstanding_balance("1");
    let page = |builder: fn(InvoicePageBuilder) -> InvoicePageBuilder| {
        page::invoices(v1, &request, &builder(InvoicePage::builder().invoice(invoice())).build().unwrap())
    };
    let pay = |builder: fn(NewPaymentBuilder) -> NewPaymentBuilder| {
        payment::pay(v1, &request, &builder(NewPayment::builder().total_amount("1")).build().unwrap())
    };
    let said =
        |call: Result<_, EncodeError>| call.map_or_else(|error| error.to_string(), |_| "ok".to_owned());
    for (said, expected) in [
        (said(page(|page| page)), "ok"),
        (said(page::invoices(v1, &request, &invoice_page())), "version 1.0 has no payerOrPaymentMethodId"),
        (said(page(|page| page.email_options("{}"))), "version 1.0 has no emailOptions"),
        (
            said(page(|page| page.page_options(PageOptions::builder().styling("1")))),
            "version 1.0 has no styling",
        ),
        (
            said(page(|page| {
                page.response_options(ResponseOptions::builder().server_side_return_address("https://a.test"))
            })),
            "version 1.0 has no serverSideReturnAddress",
        ),
        (
            said(page(|page| page.name_on_account("n".repeat(101)))),
            "version 1.0 takes 100 characters at most of cardholderName",
        ),
        (said(page(|page| page.name_on_account("n".repeat(100)))), "ok"),
        (said(pay(|pay| pay.payer_or_payment_method_id("p"))), "version 1.0 has no payerOrPaymentMethodId"),
        (
            said(payment::refund(v1, &request, &Refund::builder().payment_id("1").build().unwrap())),
            "version 1.0 has no clientpay-payments.refund",
        ),
        (said(payer::delete(v1, &request, &"p".parse().unwrap())), "version 1.0 has no payers.delete"),
        (
            said(access::validate_credentials(Version::V2, &credentials())),
            "version 2.0 has no access.validate-credentials",
        ),
    ] {
        assert_eq!(said, expected);
    }
}

/// Checks that a raw value must be an object, and cannot add members around it.
#[test]
fn email_options_are_json_or_nothing() {
    let id = access_id();
    let session = Session { version: Version::V2, access_id: &id };
    for (json, good) in [
        (r#"{"copies":["rosa@example.test"],"deep":{"a":[1,2.50,null]}}"#, true),
        ("{ }", true),
        (r#"{"a":1},"totalAmount":{}"#, false),
        (r"{a:1}", false),
        (r#"{"a":}"#, false),
        ("{}{}", false),
    ] {
        let refund = Refund::builder().payment_id("1").email_options(json).build().unwrap();
        let call = payment::refund(session, &request_id(""), &refund);
        assert_eq!(call.is_ok(), good, "{json}");
        match call {
            Ok(call) => {
                assert!(body(&call).contains(json));
                let read = payment::read_refund(body(&call).as_bytes(), &Limits::default()).unwrap();
                assert_eq!(read.request.fields().email_options.unwrap().as_json(), json);
            }
            Err(error) => assert_eq!(error.to_string(), "no JSON is in emailOptions"),
        }
    }
}

/// Checks that all violations are reported at once, each by the request's field name, ids included.
///
/// Holds: A refusal of ClientPay names a member of the request, in both versions.
#[test]
fn what_a_gateway_refuses_by_name() {
    let said = |error: ReadError| match error {
        ReadError::Decode(error) => error.to_string(),
        ReadError::InvalidRequest(violations) => violations.to_string(),
    };
    let limits = &Limits::default();
    let pay = |body: &str| said(payment::read_pay(Version::V2, body.as_bytes(), limits).unwrap_err());
    let invoices =
        |version, body: &str| said(page::read_invoices(version, body.as_bytes(), limits).unwrap_err());
    let find = |body: &str| said(search::read_results(body.as_bytes(), limits).unwrap_err());
    for (said, expected) in [
        (pay("{}"), "token.requestId: is required; totalAmount: is required; payerOrPaymentMethodId: is required unless creditCard or eCheck is given"),
        (
            pay(r#"{"token":{"requestId":"a/b"},"totalAmount":-1,"creditCard":{"cardNumber":"4111111111111112","expirationDateMonth":13,"expirationDateYear":2030}}"#),
            "token.requestId: must be 1 to 100 characters of A-Z, a-z, 0-9, '_', '-', '.' and ':'; \
             totalAmount: must be digits with at most two decimals, such as 50.00; \
             creditCard.cardNumber: must be a card number whose check digit is right (Luhn); \
             creditCard.expirationDateMonth: must be a month from 1 to 12 and a year from 2000 to 2099; \
             creditCard.expirationDateYear: must be a month from 1 to 12 and a year from 2000 to 2099",
        ),
        (
            pay(r#"{"token":{"requestId":"r"},"totalAmount":1.005,"creditCard":{"cardNumber":"4111111111111111","expirationDateYear":2030},"eCheck":{"accountNumber":"1"}}"#),
            "totalAmount: must be digits with at most two decimals, such as 50.00; \
             creditCard.expirationDateMonth: must be a month from 1 to 12 and a year from 2000 to 2099; \
             creditCard.expirationDateYear: must be a month from 1 to 12 and a year from 2000 to 2099; \
             eCheck.accountNumber: must be the 4 to 17 digits of a bank account's number; \
             eCheck.nameOnAccount: is required; eCheck.routingNumber: is required; \
             eCheck: must not be given together with creditCard",
        ),
        (
            pay(r#"{"token":{"requestId":"r","sessionId":"\u0000","customerId":"\u0000"},"totalAmount":1,"payerOrPaymentMethodId":"p"}"#),
            "token.sessionId: must not contain control characters (character 1); \
             token.customerId: must not contain control characters (character 1)",
        ),
        (
            said(payment::read_pay(Version::V1, br#"{"requestId":"r","customerRefNumber":"\u0000","totalAmount":1,"cardNumber":"1","expirationDateMonth":9,"expirationDateYear":2030,"billingStateCode":"X","billingAddress":"\u0000"}"#, limits).unwrap_err()),
            "customerRefNumber: must not contain control characters (character 1); \
             cardNumber: must be a card number of 12 to 19 digits; \
             billingAddress: must not contain control characters (character 1); \
             billingStateCode: must be the two-letter code of a state of the US or a province of Canada",
        ),
        (
            said(page::read_line_items(Version::V2, br#"{"token":{"requestId":"r"},"lineItems":[{"paymentAmount":1}]}"#, limits).unwrap_err()),
            "lineItemTableLabels: is required",
        ),
        (
            said(page::read_line_items(Version::V1, br#"{"requestId":"r","lineItems":[{"paymentAmount":1}],"cardholderName":"\u0000","duration":"long"}"#, limits).unwrap_err()),
            "cardholderName: must not contain control characters (character 1); duration: must be a whole number from 900 to 31540000",
        ),
        (said(payer::read_update(br#"{"token":{"requestId":"r"},"payerId":"p"}"#, limits).unwrap_err()), "payer: is required"),
        (pay(r#"{"token":[]}"#), "JSON at token: the value has another type"),
        (pay(r#"{"totalAmount":1,"TOTALAMOUNT":2}"#), "JSON at totalAmount: the member is given twice"),
        (
            invoices(Version::V2, r#"{"token":{"requestId":"r"},"invoices":[{"invoiceNumber":"1","invoiceDate":"2024-03-04T00:00:00Z","outstandingBalance":1,"paymentAmount":2}],"billingAddress":{"state":"Alabama"},"pageOptions":{"duration":"long"}}"#),
            "invoices[0].invoiceDate: must be a date of the calendar written yyyy-mm-dd or mm/dd/yyyy, from 1970 to 2199; \
             invoices[0].paymentAmount: must be at most outstandingBalance; \
             billingAddress.state: must be the two-letter code of a state of the US or a province of Canada; \
             pageOptions.duration: must be a whole number from 900 to 31540000",
        ),
        (
            invoices(Version::V1, r#"{"accessId":"a b","invoices":[]}"#),
            "accessId: must be visible ASCII without blanks and quotation marks (character 2): paste it as plain text; \
             requestId: is required; invoices: is required",
        ),
        (find(r#"{"pageSize":101}"#), "pageSize: must be a whole number from 1 to 100; group: is required"),
        (find(r#"{"group":{"type":"xor","conditions":[{}]}}"#), "group.type: must be one of and, or; group.conditions[0].criteria.field: is required; group.conditions[0].criteria.operator: is required; group.conditions[0].criteria.value: is required"),
        (find(r#"{"group":{"type":"and","conditions":[]}}"#), "group.conditions: is required"),
        (
            said(payer::read_update(br#"{"token":{"requestId":"r"},"payer":{"payerAddress":{"state":"X"}}}"#, limits).unwrap_err()),
            "payer.payerAddress.state: must be the two-letter code of a state of the US or a province of Canada; payerId: is required",
        ),
        (
            said(payer::read_update_methods(br#"{"token":{"requestId":"r"},"paymentMethods":[{"id":"m","creditCard":{"cardNumber":"4"},"billingAddress":{"city":"Mobile"}}]}"#, limits).unwrap_err()),
            "paymentMethods[0].creditCard.cardNumber: cannot be updated: only isPrimary, the name and the expiry of a method can; add a new method; \
             paymentMethods[0].billingAddress: cannot be updated: only isPrimary, the name and the expiry of a method can; add a new method",
        ),
        (
            said(access::read_credentials(br#"{"integratorKey":"int-1","accountKey":"acct-1"}"#, limits).unwrap_err()),
            "accountPin: is required",
        ),
    ] {
        assert_eq!(said, expected);
    }
}

#[test]
fn a_duration_is_what_the_gateway_makes_of_it() {
    for (duration, seconds) in
        [("0", 900), ("-5", 900), ("899", 900), ("3600", 3_600), ("99999999", 31_540_000)]
    {
        let body = format!(
            r#"{{"token":{{"requestId":"r"}},"invoices":[{{"invoiceNumber":"1","invoiceDate":"2024-03-04","outstandingBalance":1}}],"pageOptions":{{"duration":{duration}}}}}"#
        );
        let read = page::read_invoices(Version::V2, body.as_bytes(), &Limits::default()).unwrap().request;
        assert_eq!(
            read.fields().page_options.unwrap().fields().duration.unwrap().get(),
            seconds,
            "{duration}"
        );
    }
}

/// Checks that neither a request nor its violations show its secrets.
#[test]
fn nothing_that_is_printed_holds_a_secret() {
    const PIN: &str = "c4a7e1d0";
    let limits = &Limits::default();
    let bodies = [
        format!(r#"{{"integratorKey":"{PIN}","accountKey":"{PIN}","accountPin":"{PIN} {PIN}"}}"#),
        format!(
            r#"{{"accessId":"{PIN}","token":{{"requestId":"{PIN}"}},"creditCard":{{"cardNumber":"{CARD}","cvv":"7391"}}}}"#
        ),
        format!(
            r#"{{"token":{{"requestId":"{PIN}"}},"totalAmount":1,"eCheck":{{"nameOnAccount":"R","routingNumber":"{PIN}","accountNumber":"739100001234"}}}}"#
        ),
        format!(r#"{{"accountPin":"{PIN}","#),
    ];
    let mut shown = String::new();
    for body in bodies.iter().map(String::as_bytes) {
        for read in [
            format!("{:?}", access::read_credentials(body, limits)),
            format!("{:?}", access::read_access_id(body, limits)),
            format!("{:?}", payment::read_pay(Version::V2, body, limits)),
            format!("{:?}", payment::read_pay(Version::V1, body, limits)),
            format!("{:?}", page::read_expire(body, limits)),
        ] {
            shown.push_str(&read);
        }
    }
    for request in REQUESTS {
        write!(shown, "{:?}", request.written()).unwrap();
    }
    for secret in [PIN, "7391", "41111111", "7731"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
