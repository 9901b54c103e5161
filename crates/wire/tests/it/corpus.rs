//! Golden messages, written by hand from the shapes in the vendor's documents and clients: a codec that is
//! tested only against itself proves nothing.

use perennial_domain::clearent::{
    Batch, BatchStatus, Charge, CheckAnswer, CheckSettings, Customer, CustomerToken, DuplicateSettings,
    ExpectedRun, Frequency, FrequencyDay, Link, MobileJwt, Payment, Plan, PlanStatus, PostalAddress, Refund,
    ResponseFilter, Token, TokenStatus, Transaction, TransactionResult, TransactionType,
};
use perennial_domain::{Amount, CardBrand, Date, Expiry, Timestamp, Total};
use perennial_wire::clearent::{GatewayError, Page, Payload, ReadError, Reply, transaction};
use perennial_wire::{Format, Limits};

use crate::samples::{
    CUSTOMER, FORMATS, PLAN, REQUESTS, Request, TOKEN, body, corpus, customer_key, one_time_token, plan_key,
    token_id,
};

#[test]
fn requests_are_written_as_the_corpus_has_them() {
    for Request { name, write, .. } in REQUESTS {
        for format in FORMATS {
            let golden = corpus(&format!("requests/{name}"), format);
            assert_eq!(body(&write(format).unwrap()), golden, "{name}.{format}");
        }
    }
}

#[test]
fn requests_of_the_corpus_are_read_whole() {
    for Request { name, reread, .. } in REQUESTS {
        let [json, xml] = FORMATS.map(|format| corpus(&format!("requests/{name}"), format));
        let read = |format, document: &str| match reread(format, document.as_bytes(), format) {
            Ok(call) => body(&call).to_owned(),
            Err(error) => panic!("{name}.{format}: {error}"),
        };
        assert_eq!(read(Format::Json, &json), json, "{name}");
        assert_eq!(read(Format::Xml, &xml), xml, "{name}");
    }
}

#[test]
fn a_one_time_token_goes_by_a_header_of_the_mobile_routes() {
    let charge = || Charge::builder().amount("25.00").card(one_time_token()).build().unwrap();
    let refund = Refund::builder().amount("25.00").card(one_time_token()).build().unwrap();
    for format in FORMATS {
        let calls = [
            ("sale", transaction::sale(format, &charge()).unwrap()),
            ("auth", transaction::auth(format, &charge()).unwrap()),
            ("refund", transaction::refund(format, &refund).unwrap()),
        ];
        for (kind, call) in calls {
            let path = format!("/rest/v2/mobile/transactions/{kind}");
            assert_eq!((call.route, &call.target), (&*path, &path));
            assert!(call.one_time_token == Some(one_time_token()) && !body(&call).contains("card"), "{kind}");
            assert!(!body(&call).contains("eyJ") && !format!("{call:?}").contains("eyJ"), "{kind}");
        }
    }
    let plain =
        transaction::sale(Format::Json, &Charge::builder().amount("25.00").card(token_id()).build().unwrap());
    let plain = plain.unwrap();
    assert_eq!((plain.route, plain.one_time_token), ("/rest/v2/transactions/sale", None));
}

#[test]
fn what_the_mobile_routes_do_not_take_is_named() {
    let cases = [
        (
            r#"{"type":"SALE","amount":"5.00","card":"4111111111111111"}"#,
            "card: must not be given together with a one-time token",
        ),
        (
            r#"{"type":"REFUND","amount":"5.00","id":"700001"}"#,
            "id: must not be given together with a one-time token",
        ),
        (r#"{"type":"VOID","id":"700001"}"#, "type: must be one of SALE, AUTH, REFUND"),
        (
            r#"{"type":"FORCED SALE","amount":"5.00","authorization-code":"A"}"#,
            "type: must be one of SALE, AUTH, REFUND",
        ),
        (r#"{"type":"SALE","amount":"0.00"}"#, "amount: must be at least 0.01"),
    ];
    for (body, expected) in cases {
        let read = transaction::read_mobile(
            Format::Json,
            body.as_bytes(),
            &Limits::default(),
            None,
            one_time_token(),
        );
        let Err(ReadError::InvalidRequest(violations)) = read else { panic!("{body}: {read:?}") };
        assert_eq!(violations.to_string(), expected, "{body}");
    }
    let blank = br#"{"type":"SALE","amount":"5.00","card":"","id":null}"#;
    assert!(
        transaction::read_mobile(Format::Json, blank, &Limits::default(), None, one_time_token()).is_ok()
    );
}

#[test]
fn replies_of_the_corpus_are_read_as_they_mean() {
    for (name, expected) in REPLIES {
        for format in FORMATS {
            let document = corpus(&format!("replies/{name}"), format);
            let read = Reply::decode(format, document.as_bytes(), &Limits::default())
                .unwrap_or_else(|error| panic!("{name}.{format}: {error}"));
            assert_eq!(read, expected(), "{name}.{format}");
        }
    }
}

#[test]
fn no_prefix_of_the_corpus_is_a_document() {
    for format in FORMATS {
        for (name, _) in REPLIES {
            let document = corpus(&format!("replies/{name}"), format);
            for end in 1..document.len() {
                let read = Reply::decode(format, &document.as_bytes()[..end], &Limits::default());
                assert!(read.is_err(), "{name}.{format} up to byte {end}");
            }
        }
        for Request { name, reread, .. } in REQUESTS {
            let document = corpus(&format!("requests/{name}"), format);
            for end in 0..document.len() {
                assert!(
                    reread(format, &document.as_bytes()[..end], format).is_err(),
                    "{name}.{format} up to byte {end}"
                );
            }
        }
    }
}

/// The meaning of a document.
type Meaning = fn() -> Reply;

/// Every reply of the corpus with its meaning, in either format.
pub(crate) const REPLIES: &[(&str, Meaning)] = &[
    ("customer-created", || Reply {
        links: vec![link("self", &format!("{HOST}/customers/{CUSTOMER}"), None)],
        ..reply(
            201,
            "success",
            Payload::Customer(Box::new(Customer {
                email: some("ada@example.test"),
                phone: some("3145550100"),
                comments: some("prefers mornings"),
                billing_address: Some(PostalAddress {
                    first_name: some("Ada"),
                    last_name: some("Byron"),
                    company: some("Engine Works"),
                    street: some("1 Loom Street"),
                    street2: some("Suite 2"),
                    city: some("St Louis"),
                    state: some("MO"),
                    zip: some("63101"),
                    country: some("United States"),
                    phone: some("3145550100"),
                }),
                links: vec![
                    link("self", &format!("{HOST}/customers/{CUSTOMER}"), None),
                    link("payment-plans", &format!("{HOST}/payment-plans?customer-key={CUSTOMER}"), None),
                ],
                ..ada("Ada")
            })),
        )
    }),
    ("customer-updated", || Reply {
        status: None,
        exchange_id: some("0b7c9d52-3a6e-4f0b-9a57-5f5e1f0f7a11"),
        links: vec![link("self", &format!("{HOST}/customers"), None)],
        ..reply(202, "", Payload::Customer(Box::new(ada("Augusta"))))
    }),
    ("customer-deleted", || Reply {
        status: None,
        ..reply(200, "", Payload::Customer(Box::new(ada("Ada"))))
    }),
    ("customers", || Reply {
        links: vec![link("self", &format!("{HOST}/customers?page=1&page-size=25"), None)],
        page: Some(only_page()),
        ..reply(200, "success", Payload::Customers(vec![ada("Ada")]))
    }),
    ("token-created", || Reply {
        exchange_id: some("ID-clearent-vault-1-0b7c9d52-3a6e-4f0b-9a57-5f5e1f0f7a11"),
        ..reply(
            200,
            "success",
            Payload::Token(Box::new(Token {
                updated: moment("2026-05-01T14:31:12.484Z"),
                exp_date: Some(expiry("1230").into()),
                merchant_id: some("900000000001"),
                token_status: some("Open"),
                ..token_of_2014()
            })),
        )
    }),
    ("token-created-2014", || Reply {
        exchange_id: some("0b7c9d52-3a6e-4f0b-9a57-5f5e1f0f7a11"),
        ..reply(200, "success", Payload::Token(Box::new(token_of_2014())))
    }),
    ("token-updated", || {
        let token =
            Token { description: some("old card"), customer_key: Some(customer_key()), ..Token::default() };
        reply(200, "success", Payload::Token(Box::new(token)))
    }),
    ("token-deleted", || {
        let token =
            Token { token_id: Some(token_id()), description: some("Token deleted"), ..Token::default() };
        reply(200, "success", Payload::Token(Box::new(token)))
    }),
    ("tokens", || {
        let token = |id: &str, exp_date, last_four| Token {
            token_id: Some(id.parse().unwrap()),
            exp_date: Some(expiry(exp_date).into()),
            last_four_digits: some(last_four),
            ..Token::default()
        };
        let tokens = vec![token(TOKEN, "1230", "1111"), token("1100000000666660004", "0131", "0004")];
        reply(200, "success", Payload::Tokens(tokens))
    }),
    ("customer-token", || {
        let token = CustomerToken {
            exp_date: Some(expiry("1230").into()),
            card_type: Some(CardBrand::VISA),
            last_four_digits: some("1111"),
            ..customer_token(false)
        };
        reply(201, "success", Payload::CustomerToken(Box::new(token)))
    }),
    ("customer-tokens", || reply(200, "success", Payload::CustomerTokens(vec![customer_token(true)]))),
    ("plan-created", || Reply {
        links: vec![link("self", &format!("{HOST}/payment-plans/{PLAN}"), None)],
        ..reply(
            201,
            "SUCCESS",
            Payload::Plan(Box::new(Plan {
                plan_type: some("SUBSCRIPTION"),
                customer_name: some("Ada Byron"),
                frequency_month: Some(1.into()),
                status: Some(PlanStatus::ACTIVE),
                status_date: moment("2026-11-21 19:43:04"),
                email_address: some("ada@example.test"),
                email_receipt: Some(false.into()),
                links: vec![
                    link("self", &format!("{HOST}/payment-plans/{PLAN}"), None),
                    link("customers", &format!("{HOST}/customers/{CUSTOMER}"), None),
                    link("tokens", &format!("{HOST}/tokens/{TOKEN}"), None),
                ],
                ..gold()
            })),
        )
    }),
    ("plan-deleted", || reply(200, "SUCCESS", Payload::Plan(Box::new(gold())))),
    ("plans", || Reply {
        page: Some(Page {
            number: Some(2),
            total_elements: Some(26),
            total_pages: Some(2),
            first: Some(false),
            ..only_page()
        }),
        ..reply(
            200,
            "SUCCESS",
            Payload::Plans(vec![Plan {
                plan_name: None,
                customer_key: None,
                token_id: None,
                frequency: Some(Frequency::reported("WEEKLY")),
                frequency_day: Some(FrequencyDay::new(6).unwrap().into()),
                frequency_week: Some(1.into()),
                payment_amount: Some(amount("12.22")),
                start_date: None,
                end_date: None,
                status: Some(PlanStatus::ACTIVE),
                ..gold()
            }]),
        )
    }),
    ("expected-runs", || {
        let run = |day| ExpectedRun { date: date(day), payment_amount: Some(amount("50.00")) };
        reply(200, "SUCCESS", Payload::ExpectedRuns(vec![run("2027-01-15"), run("2027-02-15")]))
    }),
    ("plan-forecast", || {
        reply(200, "SUCCESS", Payload::Forecast(vec![date("2027-01-15"), date("2027-02-15")]))
    }),
    ("payments", || Reply {
        page: Some(only_page()),
        ..reply(
            200,
            "SUCCESS",
            Payload::Payments(vec![Payment {
                customer_key: Some(customer_key()),
                plan_key: Some(plan_key()),
                transaction_id: Some("700001".parse().unwrap()),
                payment_amount: Some(amount("50.00")),
                status: Some(TransactionResult::APPROVED),
                created: moment("2027-01-15 10:00:00.000"),
            }]),
        )
    }),
    ("transaction-approved", || Reply {
        exchange_id: some("ID-clearent-cgw-1-1710772535480-0-24101130"),
        links: vec![link("transaction", "/rest/v2/transactions?id=700001", Some("700001"))],
        ..reply(
            200,
            "success",
            Payload::Transaction(Box::new(Transaction {
                authorization_code: some("TAS123"),
                batch_string_id: some("59"),
                software_type: some("demo"),
                card_type: Some(CardBrand::VISA),
                ..approved("700001", "25.00")
            })),
        )
    }),
    ("transaction-checked", || Reply {
        exchange_id: some("ID-clearent-cgw-1-1710772535480-0-24101130"),
        links: vec![link("transaction", "/rest/v2/transactions?id=700001", Some("700001"))],
        ..reply(
            200,
            "success",
            Payload::Transaction(Box::new(Transaction {
                display_message: some("Transaction previously approved"),
                authorization_code: some("TAS123"),
                avs_result_code: some("Y"),
                avs_result_code_description: some("Match of address and 5-digit zip code"),
                csc_result_code: some("M"),
                csc_result_code_description: some("The CSC matches the issuing bank's records"),
                check_field_duplicate: Some(true),
                ..approved("700001", "25.00")
            })),
        )
    }),
    ("transaction-partial", || Reply {
        exchange_id: some("ID-clearent-cgw-1-1710772535480-0-24101135"),
        links: vec![link("transaction", "/rest/v2/transactions?id=700004", Some("700004"))],
        ..reply(
            200,
            "success",
            Payload::Transaction(Box::new(Transaction {
                original_amount: Some(amount("25.00")),
                partial_approved: Some(true),
                surcharge_applied: Some(false),
                service_fee: Some(amount("0.60")),
                ..approved("700004", "20.00")
            })),
        )
    }),
    ("transaction-token", || Reply {
        exchange_id: some("ID-clearent-cre-2-0b7c9d52-3a6e-4f0b-9a57-5f5e1f0f7a11"),
        links: vec![
            link("transaction", "/rest/v2/transactions?id=700010", Some("700010")),
            link("token", &format!("/rest/v2/tokens/{TOKEN}"), Some(TOKEN)),
        ],
        ..reply(
            200,
            "success",
            Payload::TransactionToken(
                Box::new(Transaction {
                    authorization_code: some("TAS853"),
                    batch_string_id: some("121"),
                    order_id: some(PLAN),
                    customer_id: some(CUSTOMER),
                    software_type: some("Clearent Recurring Engine"),
                    ..approved("700010", "12.22")
                }),
                Box::new(Token {
                    customer_key: None,
                    description: None,
                    avs_address: None,
                    avs_zip: None,
                    updated: moment("2026-05-01T14:31:12.484Z"),
                    exp_date: Some(expiry("1230").into()),
                    merchant_id: some("900000000001"),
                    token_status: some("Open"),
                    ..token_of_2014()
                }),
            ),
        )
    }),
    ("transaction-declined", || Reply {
        exchange_id: some("ID-clearent-cgw-1-1710772535480-0-24101131"),
        links: vec![link("transaction", "/rest/v2/transactions?id=700002", Some("700002"))],
        payload_type: some("errorTransaction"),
        ..reply(
            402,
            "fail",
            Payload::Transaction(Box::new(Transaction {
                result: Some(TransactionResult::DECLINED),
                result_code: some("012"),
                display_message: some("Not Sufficient Funds"),
                last_four: None,
                merchant_id: None,
                terminal_id: None,
                ..approved("700002", "0.21")
            })),
        )
    }),
    ("transactions", || Reply {
        exchange_id: some("ID-clearent-cgw-1-1710772535480-0-24101132"),
        page: Some(only_page()),
        ..reply(
            200,
            "success",
            Payload::Transactions(vec![Transaction {
                status: some("Approved"),
                authorization_code: some("TAS645"),
                card: some("1111"),
                last_four: None,
                card_type: Some(CardBrand::VISA),
                created: moment("2026-10-25 14:43:44.483"),
                batch_string_id: some("000377"),
                original_amount: Some(amount("3.50")),
                entry_method: some("0"),
                billing_is_shipping: Some(false.into()),
                invoice: some("inv-1"),
                order_id: some("700003"),
                pending: Some(false),
                settled: Some(false),
                voided: Some(false),
                voided_auth: Some(false),
                merchant_id: None,
                terminal_id: None,
                ..approved("700003", "3.50")
            }]),
        )
    }),
    ("mobile-jwt", || Reply {
        exchange_id: some("ID-clearent-mobile-jwt-1-0b7c9d52-3a6e-4f0b-9a57-5f5e1f0f7a11"),
        ..reply(
            200,
            "success",
            Payload::MobileJwt(Box::new(MobileJwt {
                token: one_time_token(),
                last_four: some("1111"),
                card_type: Some(CardBrand::VISA),
            })),
        )
    }),
    ("batch-open", || Reply {
        exchange_id: some("ID-clearent-cgw-1-1710772535480-0-24101133"),
        ..reply(
            200,
            "success",
            Payload::Batch(Box::new(Batch {
                sales_count: Some(2),
                sales_total: Some(total("30.05")),
                refund_count: Some(1),
                refund_total: Some(total("25.00")),
                total_count: Some(3),
                ..open_batch()
            })),
        )
    }),
    ("batch-settled", || Reply {
        exchange_id: some("ID-clearent-cgw-1-1710772535480-0-24101133"),
        ..reply(
            200,
            "success",
            Payload::Batch(Box::new(Batch {
                id: Some("00101".parse().unwrap()),
                status: Some(BatchStatus::CLOSED),
                merchant_id: some("900000000001"),
                terminal_id: some("10000001"),
                terminal_name: some("Station 1"),
                date_opened: moment("2026-05-01T09:15:00.000Z"),
                settled: moment("2026-05-02T19:48:04.993Z"),
                confirmation_code: some("00039998"),
                sales_count: Some(3),
                sales_total: Some(total("80.01")),
                refund_count: Some(2),
                refund_total: Some(total("200.00")),
                total_count: Some(5),
                net_amount: Some(total("-119.99")),
            })),
        )
    }),
    ("batches", || Reply {
        exchange_id: some("ID-clearent-cgw-1-1710772535480-0-24101133"),
        page: Some(only_page()),
        ..reply(
            200,
            "success",
            Payload::Batches(vec![Batch {
                terminal_name: some("Station 1"),
                date_opened: moment("2026-05-01T09:15:00.000Z"),
                sales_count: Some(1),
                sales_total: Some(total("5.05")),
                refund_count: Some(0),
                refund_total: Some(Total::ZERO),
                total_count: Some(1),
                ..open_batch()
            }]),
        )
    }),
    ("settings-avs", || Reply {
        exchange_id: some(SETTINGS),
        links: vec![
            link("terminal", &format!("{HOST}/settings/terminal"), None),
            link("csc", &format!("{HOST}/settings/terminal/csc"), None),
            link("self", &format!("{HOST}/settings/terminal/avs"), None),
        ],
        ..reply(
            200,
            "SUCCESS",
            Payload::AvsSettings(Box::new(CheckSettings {
                enabled: Some(true),
                filters: vec![filter(&CheckAnswer::AVS[0], true), filter(&CheckAnswer::AVS[4], false)],
            })),
        )
    }),
    ("settings-csc", || Reply {
        exchange_id: some(SETTINGS),
        links: vec![link("self", &format!("{HOST}/settings/terminal/csc"), None)],
        ..reply(
            200,
            "SUCCESS",
            Payload::CscSettings(Box::new(CheckSettings {
                enabled: Some(false),
                filters: vec![filter(&CheckAnswer::CSC[1], false)],
            })),
        )
    }),
    ("settings-duplicates", || Reply {
        exchange_id: some(SETTINGS),
        ..reply(
            200,
            "SUCCESS",
            Payload::DuplicateSettings(Box::new(DuplicateSettings {
                enabled: Some(true),
                check_merchant_level: Some(false),
                include_invoice: Some(true),
                use_invoice_instead_of_card: Some(false),
                time_range_in_minutes: Some(5),
                if_duplicate_found_respond_with_error: Some(false),
            })),
        )
    }),
    ("error", || {
        let error = GatewayError {
            message: Some(format!("Customer not found: {CUSTOMER}")),
            result_code: some("041"),
            time_stamp: some("2026-05-01 14:31:12.464"),
        };
        reply(404, "fail", Payload::Error(error))
    }),
];

const SETTINGS: &str = "ID-clearent-gss-1-0b7c9d52-3a6e-4f0b-9a57-5f5e1f0f7a11";

fn filter(answer: &CheckAnswer, allowed: bool) -> ResponseFilter {
    ResponseFilter {
        name: some(answer.name),
        response_code: some(answer.code),
        allowed: Some(allowed),
        description: some(answer.description),
    }
}

const HOST: &str = "https://gateway-sb.clearent.net/rest/v2";

fn reply(code: u16, status: &str, payload: Payload) -> Reply {
    Reply {
        code: Some(code),
        status: some(status),
        exchange_id: some("ID-clearent-rps-1-0b7c9d52-3a6e-4f0b-9a57-5f5e1f0f7a11"),
        payload_type: payload.type_name().map(str::to_owned),
        payload,
        ..Reply::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every member is optional")]
fn moment(text: &str) -> Option<Timestamp> {
    Some(Timestamp::reported(text))
}

#[expect(clippy::unnecessary_wraps, reason = "every member is optional")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn link(rel: &str, href: &str, id: Option<&str>) -> Link {
    Link { rel: rel.to_owned(), href: href.to_owned(), id: id.map(str::to_owned) }
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn total(text: &str) -> Total {
    text.parse().unwrap()
}

fn open_batch() -> Batch {
    Batch {
        id: Some("59".parse().unwrap()),
        status: Some(BatchStatus::OPEN),
        net_amount: Some(total("5.05")),
        ..Batch::default()
    }
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn expiry(text: &str) -> Expiry {
    text.parse().unwrap()
}

fn only_page() -> Page {
    Page {
        number: Some(1),
        size: Some(25),
        number_of_elements: Some(1),
        total_elements: Some(1),
        total_pages: Some(1),
        first: Some(true),
        last: Some(true),
    }
}

fn ada(first_name: &str) -> Customer {
    Customer {
        customer_key: customer_key(),
        first_name: some(first_name),
        last_name: some("Byron"),
        email: None,
        phone: None,
        comments: None,
        status: None,
        billing_address: None,
        shipping_address: None,
        links: Vec::new(),
    }
}

fn token_of_2014() -> Token {
    Token {
        token_id: Some(token_id()),
        customer_key: Some(customer_key()),
        status: Some(TokenStatus::ACTIVE),
        description: some("business card"),
        card_type: Some(CardBrand::VISA),
        last_four_digits: some("1111"),
        avs_address: some("1 Loom Street"),
        avs_zip: some("63101"),
        times_used: Some(0.into()),
        created: moment("2026-05-01T14:31:12.464Z"),
        ..Token::default()
    }
}

fn customer_token(is_default: bool) -> CustomerToken {
    CustomerToken {
        token_id: token_id(),
        customer_key: Some(customer_key()),
        exp_date: None,
        card_type: None,
        last_four_digits: None,
        description: None,
        is_default: Some(is_default.into()),
        avs_address: None,
        avs_zip: None,
    }
}

fn gold() -> Plan {
    Plan {
        plan_key: plan_key(),
        plan_name: some("Gold membership"),
        plan_type: None,
        customer_key: Some(customer_key()),
        customer_name: None,
        token_id: Some(token_id()),
        frequency: Some(Frequency::MONTHLY),
        frequency_day: Some(FrequencyDay::new(15).unwrap().into()),
        frequency_month: None,
        frequency_week: None,
        payment_amount: Some(amount("50.00")),
        start_date: Some(date("2027-01-01")),
        end_date: Some(date("2027-12-01")),
        status: Some(PlanStatus::CANCELED),
        status_date: None,
        email_address: None,
        email_receipt: None,
        links: Vec::new(),
    }
}

fn approved(id: &str, total: &str) -> Transaction {
    Transaction {
        id: Some(id.parse().unwrap()),
        transaction_type: Some(TransactionType::SALE),
        amount: Some(amount(total)),
        result: Some(TransactionResult::APPROVED),
        result_code: some("000"),
        display_message: some("Transaction approved"),
        card: some("XXXXXXXXXXXX1111"),
        last_four: some("1111"),
        exp_date: Some(expiry("1230").into()),
        merchant_id: some("900000000001"),
        terminal_id: some("10000001"),
        ..Transaction::default()
    }
}
