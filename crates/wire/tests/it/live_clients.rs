//! Bodies from independent programs: numbers, nulls, empty texts, blanks in the card, the key in the
//! body, types in any letter case, members of other objects. Their authors are named by kind; the values are invented.

use perennial_wire::clearent::{ReadError, plan, read_api_key};
use perennial_wire::{Format, Limits};

use crate::samples::{CUSTOMER, body, reread};

struct Case {
    client: &'static str,
    format: Format,
    sent: &'static str,
    request: &'static str,
    /// The body that our client would have written, in JSON.
    meant: &'static str,
}

const CASES: &[Case] = &[
    Case {
        client: "a Laravel package creates a customer with names only",
        format: Format::Json,
        sent: r#"{"first-name":"Ada","last-name":"Byron"}"#,
        request: "customer-create",
        meant: r#"{"first-name":"Ada","last-name":"Byron"}"#,
    },
    Case {
        client: "a shop writes the addresses of a transaction, and its own software, into a customer",
        format: Format::Json,
        sent: r#"{"first-name":"Ada","last-name":"Byron","email":"ada@example.test","client-ip":"192.0.2.1","billing":{"street":"1 Loom Street","zip":"63101"},"shipping":{"street":"9 Dock Road"},"software-type":"shop","software-type-version":"3.1"}"#,
        request: "customer-create",
        meant: r#"{"first-name":"Ada","last-name":"Byron","email":"ada@example.test"}"#,
    },
    Case {
        client: "a Java sample writes an address with empty elements between blanks",
        format: Format::Xml,
        sent: "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<customer>\n  <first-name>Ada</first-name>\n  <last-name>Byron</last-name>\n  <billing-address>\n    <company/>\n    <street> 1 Loom Street </street>\n  </billing-address>\n  <shipping-address/>\n</customer>\n",
        request: "customer-create",
        meant: r#"{"first-name":"Ada","last-name":"Byron","billing-address":{"street":"1 Loom Street"}}"#,
    },
    Case {
        client: "the form of a PHP sample has blanks in the card and leaves the rest empty",
        format: Format::Json,
        sent: r#"{"card":"4111 1111 1111 1111","exp-date":"1230","csc":"","description":"","card-type":"","customer-key":"","avs-address":"","avs-zip":""}"#,
        request: "token-create",
        meant: r#"{"card":"4111111111111111","card-type":"VISA","exp-date":"1230"}"#,
    },
    Case {
        client: "an app sends the key and the last four digits with the card",
        format: Format::Json,
        sent: r#"{"api-key":"00000000000000000000000000000000","card":"4111111111111111","exp-date":"1230","last-four-digits":"1111"}"#,
        request: "token-create",
        meant: r#"{"card":"4111111111111111","card-type":"VISA","exp-date":"1230"}"#,
    },
    Case {
        client: "a Java class names the switch of the address check in the newer way",
        format: Format::Xml,
        sent: "<token><card>4111111111111111</card><exp-date>1230</exp-date><require-avs>true</require-avs></token>",
        request: "token-create",
        meant: r#"{"card":"4111111111111111","card-type":"VISA","exp-date":"1230","avs-required":"true"}"#,
    },
    Case {
        client: "a Laravel package attaches a token",
        format: Format::Json,
        sent: r#"{"card-type":"VISA","exp-date":"1230","last-four-digits":"1111","token-id":"1100000000555551111","customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10"}"#,
        request: "customer-token-attach",
        meant: r#"{"card-type":"VISA","exp-date":"1230","last-four-digits":"1111","token-id":"1100000000555551111","customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10"}"#,
    },
    Case {
        client: "a Laravel package sends days and months as numbers and no type",
        format: Format::Json,
        sent: r#"{"customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10","customer-name":"Ada Byron","plan-name":"Ada Byron's plan","start-date":"2026-11-21","end-date":"2027-11-21","frequency":"MONTHLY","payment-amount":"12.22","token-id":"1100000000555551111","frequency-day":21,"frequency-month":11}"#,
        request: "plan-create",
        meant: r#"{"plan-name":"Ada Byron's plan","type":"SUBSCRIPTION","customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10","customer-name":"Ada Byron","token-id":"1100000000555551111","frequency":"MONTHLY","frequency-day":"21","start-date":"2026-11-21","end-date":"2027-11-21","payment-amount":"12.22"}"#,
    },
    Case {
        client: "a shop plugin gives a plan no name and an active status in mixed case",
        format: Format::Json,
        sent: r#"{"customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10","token-id":"1100000000555551111","frequency":"MONTHLY","frequency-day":"6","payment-amount":"9.99","start-date":"2026-12-06","end-date":"2027-06-06","status":"Active"}"#,
        request: "plan-create",
        meant: r#"{"type":"SUBSCRIPTION","customer-key":"cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10","token-id":"1100000000555551111","frequency":"MONTHLY","frequency-day":"6","start-date":"2026-12-06","end-date":"2027-06-06","status":"ACTIVE","payment-amount":"9.99"}"#,
    },
    Case {
        client: "a Go sample puts blanks between elements",
        format: Format::Xml,
        sent: "<transaction><type>SALE</type> <amount>200.00</amount> <card>4111111111111111</card> <exp-date>1230</exp-date> </transaction>",
        request: "transaction-sale",
        meant: r#"{"type":"SALE","card":"4111111111111111","card-type":"VISA","exp-date":"1230","amount":"200.00"}"#,
    },
    Case {
        client: "a terminal captures with a tip and a type in mixed case",
        format: Format::Xml,
        sent: "<transaction><type>Capture</type><amount>25.00</amount><tip-amount>4.00</tip-amount><id>700001</id></transaction>",
        request: "transaction-sale",
        meant: r#"{"type":"CAPTURE","id":"700001","amount":"25.00","tip-amount":"4.00"}"#,
    },
    Case {
        client: "a shop plugin sends a version as a number, a null, empty texts and the key in the body",
        format: Format::Json,
        sent: r#"{"type":"SALE","amount":"25.00","card":"4111111111111111","exp-date":"1230","csc":"999","api-key":"00000000000000000000000000000000","invoice":"","purchase-order":"","email-address":"","customer-id":"","order-id":"77","description":"","comments":"","billing":{"first-name":"Ada","last-name":"Byron","company":"","street":"1 Loom Street","street2":"","zip":"63101"},"shipping":null,"software-type":"plugin","software-type-version":1.8,"create-token":true}"#,
        request: "transaction-sale",
        meant: r#"{"type":"SALE","card":"4111111111111111","card-type":"VISA","exp-date":"1230","amount":"25.00","csc":"999","order-id":"77","billing":{"first-name":"Ada","last-name":"Byron","street":"1 Loom Street","zip":"63101"},"create-token":"true","software-type":"plugin","software-type-version":"1.8"}"#,
    },
    Case {
        client: "an e-commerce class charges a token with a type in lower case",
        format: Format::Json,
        sent: r#"{"type":"sale","amount":"25.00","card":"1100000000555551111","exp-date":"1230"}"#,
        request: "transaction-sale",
        meant: r#"{"type":"SALE","card":"1100000000555551111","exp-date":"1230","amount":"25.00"}"#,
    },
    Case {
        client: "a vendor's form writes the expiry without its leading zero",
        format: Format::Json,
        sent: r#"{"type":"AUTH","amount":"25.00","card":"4111111111111111","exp-date":"130","check-field":"invoice"}"#,
        request: "transaction-sale",
        meant: r#"{"type":"AUTH","card":"4111111111111111","card-type":"VISA","exp-date":"0130","amount":"25.00","check-field":"invoice"}"#,
    },
    Case {
        client: "the vendor's page puts the settings of security codes under the root of the address check",
        format: Format::Xml,
        sent: "<avs-settings>\n <enabled>true</enabled>\n <response-filters><response-filter><name>CSC_MATCHED</name><allowed>true</allowed></response-filter></response-filters></avs-settings>",
        request: "settings-csc-update",
        meant: r#"{"enabled":true,"response-filters":{"response-filter":[{"name":"CSC_MATCHED","allowed":true}]}}"#,
    },
];

#[test]
fn bodies_mean_what_their_senders_meant() {
    for Case { client, format, sent, request, meant } in CASES {
        let call = reread(request, *format, sent.as_bytes(), Format::Json)
            .unwrap_or_else(|error| panic!("{client}: {error}"));
        assert_eq!(body(&call), *meant, "{client}");
    }
}

#[test]
fn keys_in_bodies_are_found() {
    let found = CASES.iter().filter(|case| read_api_key(case.sent.as_bytes(), &Limits::default()).is_some());
    let clients: Vec<_> = found.map(|case| case.client).collect();
    assert_eq!(
        clients,
        [
            "an app sends the key and the last four digits with the card",
            "a shop plugin sends a version as a number, a null, empty texts and the key in the body"
        ]
    );
}

/// Checks that a weekly plan, which newer documentation allows and our rulings do not, is refused by name.
#[test]
fn a_weekly_plan_of_ten_years_is_refused() {
    let sent = format!(
        r#"{{"customer-key":"{CUSTOMER}","plan-name":"Ada Byron's plan","start-date":"2026-11-21","end-date":"2036-11-21","frequency":"WEEKLY","payment-amount":"12.22","token-id":"1100000000555551111","frequency-day":6,"frequency-week":1}}"#
    );
    let Err(ReadError::InvalidRequest(violations)) =
        plan::read_create(Format::Json, sent.as_bytes(), &Limits::default())
    else {
        panic!("a plan of another frequency");
    };
    assert_eq!(
        violations.to_string(),
        "frequency: must be one of MONTHLY; end-date: must be at most 12 calendar months after start-date"
    );
}
