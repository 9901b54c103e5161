//! Address and security code: the results of issuers, and the terminal's reaction.

use perennial_sandbox::Sandbox;

use crate::client::{Client, Got};

const AVS: &str = "/rest/v2/settings/terminal/avs";
const CSC: &str = "/rest/v2/settings/terminal/csc";
const CARD: &str = r#""card":"4111111111111111","exp-date":"1230""#;

async fn post(client: &Client, kind: &str, body: &str) -> Got {
    client.json("POST", &format!("/rest/v2/transactions/{kind}"), body).await
}

fn answers(got: &Got) -> [String; 4] {
    ["avs-result-code", "avs-result-code-description", "csc-result-code", "csc-result-code-description"]
        .map(|member| got.at(&format!("/payload/transaction/{member}")))
}

#[tokio::test]
async fn what_issuers_answer() {
    const Y: &str = "Match of address and 5-digit zip code";
    const W: &str = "Match of 9-digit zip code; address does not match";
    const N: &str = "No: Address and ZIP Do Not Match";
    const M: &str = "The CSC matches the issuing bank's records";
    const NOT: &str = "The CSC does not match the issuing bank's records";
    let (visa, mastercard) = ("4111111111111111", "5499740000000057");
    #[rustfmt::skip]
    let cases = [
        (visa, r#","csc":"999","billing":{"street":"8320 Mill Avenue","zip":"85284"}"#, ["Y", Y, "M", M]),
        (mastercard, r#","csc":"998","billing":{"street":"1 Loom Street","zip":"85284-0001"}"#, ["W", W, "M", M]),
        (mastercard, r#","csc":"999""#, ["", "", "N", NOT]),
        (visa, r#","billing":{"first-name":"Ada","zip":"63101"}"#, ["N", N, "", ""]),
        (visa, r#","csc":"903","billing":{"zip":"99993"}"#, ["U", "Address information is unavailable", "U", "Card issuing bank does not participate"]),
        (visa, r#","billing":{"first-name":"Ada"}"#, ["", "", "", ""]),
    ];
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    for kind in ["sale", "auth"] {
        for (card, members, expected) in cases {
            let body = format!(r#"{{"card":"{card}","exp-date":"1230","amount":"5.00"{members}}}"#);
            let got = post(&client, kind, &body).await;
            assert_eq!((got.status, answers(&got)), (200, expected.map(str::to_owned)), "{kind} {members}");
            // The stored transaction has the same results.
            let id = got.at("/payload/transaction/id");
            let stored = client.json("GET", &format!("/rest/v2/transactions/{id}"), "").await;
            assert_eq!(answers(&stored), expected.map(str::to_owned), "{kind} {members}");
        }
    }
    let declined = format!(r#"{{{CARD},"amount":"0.21","csc":"123"}}"#);
    assert_eq!(answers(&post(&client, "sale", &declined).await)[2], "N");
    let forced = format!(
        r#"{{"type":"FORCED SALE",{CARD},"amount":"3.00","authorization-code":"APPC10","csc":"999","billing":{{"zip":"85284"}}}}"#
    );
    assert_eq!(answers(&post(&client, "forced-sale", &forced).await), ["", "", "", ""]);

    let sale = format!(
        "<transaction><card>{visa}</card><exp-date>1230</exp-date><amount>5.00</amount><csc>904</csc><billing><zip>99994</zip></billing></transaction>"
    );
    let got = client.xml("POST", "/rest/v2/transactions/sale", &sale).await;
    assert_eq!([got.element("avs-result-code"), got.element("csc-result-code")], ["E", "X"]);
}

/// Creates a token of this card with this address.
async fn token(client: &Client, customer: &str, zip: &str) -> String {
    let body = format!(
        r#"{{{CARD},"customer-key":"{customer}","avs-address":"8320 Mill Avenue","avs-zip":"{zip}"}}"#
    );
    client.json("POST", "/rest/v2/tokens", &body).await.at("/payload/tokenResponse/token-id")
}

#[tokio::test]
async fn a_token_brings_its_address() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let token = token(&client, &client.customer().await, "85284").await;
    for (members, expected) in [
        ("", ["Y", ""]),
        (r#","csc":"999","billing":{"first-name":"Ada"}"#, ["Y", "M"]),
        (r#","billing":{"zip":"63101"}"#, ["N", ""]),
    ] {
        let got = post(&client, "sale", &format!(r#"{{"card":"{token}","amount":"5.00"{members}}}"#)).await;
        let [avs, _, csc, _] = answers(&got);
        assert_eq!([avs, csc], expected, "{members}");
    }
}

/// Effects of `avs-required`: a token with an address that the terminal rejects, its sales, and the payments of its
/// plans.
#[tokio::test]
async fn the_address_of_a_token_is_checked_unless_it_says_not_to() {
    let sandbox = Sandbox::start().await.unwrap();
    // The member, and whether the address counts.
    let cases = [
        ("", true),
        (r#","avs-required":true"#, true),
        (r#","avs-required":"true""#, true),
        (r#","require-avs":"true""#, true),
        (r#","avs-required":false"#, false),
        (r#","avs-required":"false""#, false),
        (r#","require-avs":"false""#, false),
        (r#","require-avs":false"#, false),
    ];
    for (member, counts) in cases {
        let world = sandbox.world(7).await.unwrap();
        let client = Client::with_key(&sandbox, world.api_key().expose());
        let customer = client.customer().await;
        let body = format!(
            r#"{{{CARD},"customer-key":"{customer}","avs-address":"1 Loom Street","avs-zip":"63101"{member}}}"#
        );
        let create = async || client.json("POST", "/rest/v2/tokens", &body).await;
        let token = create().await.at("/payload/tokenResponse/token-id");
        let sale = format!(r#"{{"card":"{token}","amount":"5.00"}}"#);
        let sold = post(&client, "sale", &sale).await;
        assert_eq!((sold.status, &*answers(&sold)[0]), (200, if counts { "N" } else { "" }), "{member}");

        client.json("PUT", AVS, &filters(true, "ADDRESS_AND_ZIP_DO_NOT_MATCH", false)).await;
        let (status, code) = if counts { (402, "046") } else { (200, "") };
        let (again, sold) = (create().await, post(&client, "sale", &sale).await);
        assert_eq!((again.status, &*again.at("/payload/error/result-code")), (status, code), "{member}");
        assert_eq!(sold.status, status, "{member}: {}", sold.body);
        client.plan(&customer, &token, crate::client::YEAR).await;
        let declined = u64::from(counts);
        assert_eq!(client.advance("P1M").await, (1, 1 - declined, declined), "{member}");
        // The address of the sale itself is checked as usual.
        let own = format!(r#"{{"card":"{token}","amount":"5.00","billing":{{"zip":"63101"}}}}"#);
        assert_eq!(answers(&post(&client, "sale", &own).await)[0], "N", "{member}");
    }
    let client = Client::of(&sandbox);
    let refused = format!(r#"{{{CARD},"avs-required":"maybe"}}"#);
    let refused = client.json("POST", "/rest/v2/tokens", &refused).await;
    assert_eq!(refused.at("/payload/error/error-message"), "avs-required: must be true or false");
}

fn filters(enabled: bool, name: &str, allowed: bool) -> String {
    format!(
        r#"{{"enabled":{enabled},"response-filters":{{"response-filter":[{{"name":"{name}","allowed":{allowed}}}]}}}}"#
    )
}

/// The letters that the settings allow, and whether the check is on.
fn allowed(got: &Got, settings: &str) -> (String, String) {
    let json = got.json();
    let settings = &json["payload"][settings];
    let filters = settings["response-filters"]["response-filter"].as_array().unwrap();
    let letters = filters.iter().filter(|filter| filter["allowed"] == true);
    let letters = letters.map(|filter| filter["response-code"].as_str().unwrap()).collect();
    (letters, settings["enabled"].to_string())
}

#[tokio::test]
async fn settings_are_changed_answer_by_answer() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let got = client.json("GET", AVS, "").await;
    assert_eq!(allowed(&got, "avs-settings"), ("XYWZU".into(), "false".into()));
    let hrefs = [got.at("/links/0/href"), got.at("/links/1/href")];
    assert_eq!(hrefs, [format!("{}{CSC}", client.base), format!("{}{AVS}", client.base)]);
    let got = client.json("GET", CSC, "").await;
    assert_eq!(allowed(&got, "csc-settings"), ("MPUX".into(), "false".into()));

    #[rustfmt::skip]
    let rows = [
        (AVS, filters(true, "ADDRESS_AND_FIVE_DIGIT_ZIP_MATCH", false), "avs-settings", "XWZU", "true"),
        (AVS, r#"{"response-filters":{"response-filter":{"name":"SYSTEM_UNAVAILABLE_OR_TIMEOUT","allowed":true}}}"#.into(), "avs-settings", "XWZUR", "true"),
        (CSC, filters(true, "CSC_NOT_MATCHED", true), "csc-settings", "MNPUX", "true"),
        (CSC, filters(false, "CSC_NOT_MATCHED", false), "csc-settings", "MPUX", "false"),
    ];
    for (path, body, settings, letters, enabled) in rows {
        let changed = client.json("PUT", path, &body).await;
        assert_eq!(
            (changed.status, allowed(&changed, settings)),
            (200, (letters.into(), enabled.into())),
            "{body}"
        );
        let read = client.json("GET", path, "").await;
        assert_eq!(allowed(&read, settings), (letters.into(), enabled.into()), "{body}");
    }
    // The vendor's sample of a request about security codes has the root of the address check.
    let sample = "<avs-settings><enabled>true</enabled><response-filters><response-filter><name>CSC_MATCHED</name><allowed>true</allowed></response-filter></response-filters></avs-settings>";
    let got = client.xml("PUT", CSC, sample).await;
    assert_eq!((got.payload_type().as_str(), got.element("enabled").as_str()), ("csc-settings", "true"));

    let before = client.state().await;
    #[rustfmt::skip]
    let refused = [
        (AVS, r#"{"enabled":true}"#, "response-filters: is required"),
        (AVS, r#"{"response-filters":{"response-filter":[{"name":"CSC_MATCHED","allowed":true}]}}"#, "name: must be one of the documented responses to this check"),
        (CSC, r#"{"enabled":"on","response-filters":{"response-filter":[{"allowed":true}]}}"#, "enabled: must be true or false; name: is required"),
    ];
    for (path, body, message) in refused {
        let got = client.json("PUT", path, body).await;
        assert_eq!((got.status, got.at("/payload/error/error-message")), (400, message.to_owned()));
    }
    assert_eq!(client.state().await, before);
}

/// Holds: A charge that the check of its address or code stops is voided and is in no batch.
#[tokio::test]
async fn a_charge_whose_answer_is_not_taken_is_voided() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let wrong =
        format!(r#"{{{CARD},"amount":"5.00","csc":"123","create-token":true,"billing":{{"zip":"63101"}}}}"#);
    assert_eq!(post(&client, "sale", &wrong).await.status, 200);
    client.json("PUT", "/rest/v2/batches/open", "").await;

    let (no_zip, no_code) = ("ADDRESS_AND_ZIP_DO_NOT_MATCH", "CSC_NOT_MATCHED");
    #[rustfmt::skip]
    let rows = [
        (AVS, filters(true, no_zip, false), 402, "046", "Avs Response Not Accepted"),
        (CSC, filters(true, no_code, false), 402, "046", "Avs Response Not Accepted"),
        (AVS, filters(true, no_zip, true), 402, "047", "Csc Response Not Accepted"),
        (CSC, filters(true, no_code, true), 200, "000", "Transaction approved"),
        (CSC, filters(false, no_code, false), 200, "000", "Transaction approved"),
    ];
    for (path, settings, status, code, message) in rows {
        assert_eq!(client.json("PUT", path, &settings).await.status, 200);
        let got = post(&client, "sale", &wrong).await;
        let at = |member: &str| got.at(&format!("/payload/transaction/{member}"));
        assert_eq!(
            (got.status, at("result-code"), at("display-message")),
            (status, code.into(), message.into())
        );
        let approved = status == 200;
        assert_eq!(got.payload_type(), if approved { "transactionToken" } else { "errorTransaction" });
        let id = at("id");
        let stored = client.json("GET", &format!("/rest/v2/transactions/{id}"), "").await;
        let at = |member: &str| stored.at(&format!("/payload/transaction/{member}"));
        let expected =
            if approved { ["APPROVED", "false", "N", "N"] } else { ["DECLINED", "true", "N", "N"] };
        assert_eq!([at("result"), at("voided"), at("avs-result-code"), at("csc-result-code")], expected);
        let newest = client.json("GET", "/rest/v2/transactions?page-size=1", "").await;
        let at = |member: &str| newest.at(&format!("/payload/transactions/transaction/0/{member}"));
        if approved {
            assert_eq!([at("type"), at("id")], ["SALE".to_owned(), id]);
            client.json("PUT", "/rest/v2/batches/open", "").await;
        } else {
            assert_eq!(
                [at("type"), at("ref-id"), at("result")],
                ["VOID".to_owned(), id, "APPROVED".to_owned()]
            );
            // None of it is settled.
            assert_eq!(client.json("GET", "/rest/v2/batches/open", "").await.status, 204);
        }
    }
    // A decline by the issuer stays the issuer's, and an unchecked charge is accepted.
    client.json("PUT", AVS, &filters(true, no_zip, false)).await;
    let declined = wrong.replace("5.00", "0.21");
    assert_eq!(post(&client, "sale", &declined).await.at("/payload/transaction/result-code"), "012");
    assert_eq!(post(&client, "sale", &format!(r#"{{{CARD},"amount":"5.00"}}"#)).await.status, 200);
}

#[tokio::test]
async fn payments_of_plans_are_checked_by_the_address_of_their_token() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox);
    let customer = client.customer().await;
    let mut plans = Vec::new();
    for zip in ["85284", "63101"] {
        let token = token(&client, &customer, zip).await;
        plans.push(client.plan(&customer, &token, crate::client::YEAR).await);
    }
    client.json("PUT", AVS, &filters(true, "ADDRESS_MATCH_ZIP_DOES_NOT", false)).await;
    client.json("PUT", CSC, &filters(true, "CSC_MATCHED", true)).await;
    assert_eq!(client.advance("P1M").await, (2, 1, 1));
    for (plan, expected) in plans.iter().zip([["APPROVED", "000", "Y", ""], ["DECLINED", "046", "A", ""]]) {
        let found = client.json("GET", &format!("/rest/v2/transactions?order-id={plan}&type=SALE"), "").await;
        let results = ["result", "result-code", "avs-result-code", "csc-result-code"]
            .map(|member| found.at(&format!("/payload/transactions/transaction/0/{member}")));
        assert_eq!(results, expected);
        let payments = client.json("GET", &format!("/rest/v2/payments?plan-key={plan}"), "").await;
        assert_eq!(payments.at("/payload/payments/payment/0/status"), expected[0]);
    }
}
