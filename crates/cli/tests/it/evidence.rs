//! Evidence for exit statuses: the command against replies with structural faults, judged by an oracle that shares no
//! code with it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use perennial_oracle::{CASES, Case, Conclusion, Expect, Format, Mutation, Reply, Vendor, judge, mutations};
use serde_json::Value;

use crate::shell::{CARD_JSON, KEY, Ran, finish, perennial};

const CUSTOMER: &str = "cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10";
const PAID: &str = "5a1b2c3d-0001-4aaa-8bbb-000000000005";
const PAGE: &str = "0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11";

/// A gateway that answers every request by a function of its request line.
struct Gateway {
    url: String,
    reply: Arc<Mutex<Reply>>,
}

impl Gateway {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let reply =
            Arc::new(Mutex::new(Reply { status: 500, content_type: String::new(), body: Vec::new() }));
        let answer = reply.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                serve(connection.unwrap(), &answer.lock().unwrap().clone());
            }
        });
        Self { url, reply }
    }
}

/// Reads one whole request and answers it.
fn serve(mut connection: TcpStream, reply: &Reply) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
        match connection.read(&mut chunk) {
            Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    // The objects that are looked up before a write do not exist yet: a charge of the invoice, or an equal plan.
    let before = before_a_write(&String::from_utf8_lossy(&request));
    let Reply { status, content_type, body } = before.as_ref().unwrap_or(reply);
    let content_type =
        if content_type.is_empty() { String::new() } else { format!("content-type: {content_type}\r\n") };
    let has_body = !matches!(status, 204 | 304);
    let length = if has_body { format!("content-length: {}\r\n", body.len()) } else { String::new() };
    let head = format!("HTTP/1.1 {status} X\r\n{content_type}{length}connection: close\r\n\r\n");
    let _ = connection.write_all(head.as_bytes());
    let _ = connection.write_all(if has_body { body } else { b"" });
}

/// What is answered to all but the write itself.
fn before_a_write(request: &str) -> Option<Reply> {
    let json = |body: String| {
        Some(Reply { status: 200, content_type: "application/json".into(), body: body.into() })
    };
    let path = request.split(' ').nth(1)?;
    match path {
        "/v2/token/requestid" => json(format!(r#"{{"success":true,"requestId":"{PAID}"}}"#)),
        "/v2/token/accessid/validate" => json(r#"{"success":true,"isValid":true}"#.into()),
        path if path.starts_with("/v2/token/") => json(r#"{"success":true,"accessId":"6b0f0a57"}"#.into()),
        path if path.starts_with("/v2/paymentsearch/") => {
            json(r#"{"success":true,"pageNumber":1,"pageSize":100,"payments":[]}"#.into())
        }
        _ if !request.starts_with("GET ") => None,
        // The card of a plan, whose expiry is read.
        path if path.starts_with("/rest/v2/tokens/") => json(
            r#"{"code":"200","status":"success","exchange-id":"ID-1","payload":{"tokenResponse":{
            "token-id":"1100000000555551111","exp-date":"1230","last-four-digits":"1111"},"payloadType":"token"}}"#
                .into(),
        ),
        path => {
            let (list, item) = if path.starts_with("/rest/v2/payment-plans") {
                ("payment-plans", "payment-plan")
            } else {
                ("transactions", "transaction")
            };
            json(format!(
                r#"{{"code":"200","status":"success","exchange-id":"ID-1","page":{{"first":true,"last":true,"number":1,
                "number-of-elements":0,"size":25,"total-elements":0,"total-pages":0}},
                "payload":{{"{list}":{{"{item}":[]}},"payloadType":"{list}"}}}}"#
            ))
        }
    }
}

/// The claim of an exit status about a write.
fn claimed(code: i32) -> Conclusion {
    match code {
        0 => Conclusion::Done,
        4 => Conclusion::Declined,
        6 => Conclusion::Partial,
        75 => Conclusion::Unknown,
        _ => Conclusion::NotDone,
    }
}

/// A command that makes the call of a case.
fn arguments(case: &Case) -> Option<String> {
    let amount =
        case.same.iter().find(|(member, _)| *member == "amount").map_or("25.00", |(_, amount)| amount);
    Some(match (case.operation, case.reply) {
        ("plans.create", _) => format!(
            "plans create --plan-name Gold --customer-key {CUSTOMER} --token-id 1100000000555551111 --frequency-day 15 \
             --payment-amount 50.00 --start-date 2027-01-01 --end-date 2027-12-01 --status ACTIVE"
        ),
        (
            "transactions.sale",
            "transaction-approved" | "transaction-declined" | "transaction-partial" | "error",
        ) => {
            format!("transactions sale --amount {amount} --card-stdin")
        }
        ("customers.create", _) => "customers create --first-name Ada --last-name Byron".into(),
        ("tokens.create", "token-created" | "error") => {
            format!("tokens create --customer-key {CUSTOMER} --description card --card-stdin")
        }
        ("transactions.refund", _) => "transactions refund --id 700001 --amount 25.00".into(),
        ("transactions.void", _) => "transactions void 700001".into(),
        ("payments.pay", _) if case.expect == Expect::Charge => {
            format!("clientpay pay --total-amount 540.25 --request-id {PAID} --card-stdin")
        }
        ("pages.invoices", _) => format!(
            "clientpay page create invoice --invoice-number INV-70412 --invoice-date 2024-03-11 \
             --outstanding-balance 1100.00 --request-id {PAGE}"
        ),
        _ => return None,
    })
}

fn run(gateway: &Gateway, format: Format, arguments: &str) -> Ran {
    let mut command = perennial();
    let name = if format == Format::Json { "json" } else { "xml" };
    command.args(["--base-url", &gateway.url, "--format", name, "--output", "json"]);
    command.args(arguments.split_whitespace()).env("PERENNIAL_API_KEY", KEY);
    for name in ["INTEGRATOR_KEY", "ACCOUNT_KEY", "ACCOUNT_PIN"] {
        command.env(format!("PERENNIAL_CLIENTPAY_{name}"), "4711");
    }
    finish(command, CARD_JSON)
}

/// Whether a mutation differs for the command, not only in its HTTP status.
fn telling(mutation: &Mutation) -> bool {
    let spoken = ["200", "307", "400", "404", "429", "500"];
    !mutation.name.starts_with("HTTP ") || spoken.iter().any(|status| mutation.name.contains(status))
}

/// What is wrong with what a run claims by its exit status, or with what it says beside that.
fn fault(case: &Case, reply: &Reply, ran: &Ran) -> Option<String> {
    if !judge(case, reply).allows(claimed(ran.code)) {
        return Some(format!("exit {}", ran.code));
    }
    let report: Option<Value> = serde_json::from_str(&ran.err).ok();
    let error = report.as_ref().and_then(|report| report.get("error"));
    let says = |member: &str| {
        error.and_then(|error| error.get(member)?.as_str()).is_some_and(|text| !text.is_empty())
    };
    let is_page = case.operation == "pages.invoices";
    match ran.code {
        // The result of the write is named.
        0 if !is_page
            && serde_json::from_str::<Value>(&ran.out)
                .map_or(true, |object| object.as_object().is_none_or(serde_json::Map::is_empty)) =>
        {
            Some("nothing is told of what was done".into())
        }
        0 => None,
        // The lookup, and the id under which it can be sent again; no lookup finds a page.
        75 if !says("look-up") && !is_page => Some("unknown, without a look-up".into()),
        75 if case.vendor == Vendor::ClientPay && !says("request-id") => {
            Some("unknown, without the request id".into())
        }
        _ if error.is_none() => Some(format!("exit {} says nothing", ran.code)),
        _ => None,
    }
}

/// The claims without evidence of these mutations of a case, each by a run of the command.
fn claims(case: &Case, format: Format, arguments: &str, mutations: &[Mutation]) -> Vec<String> {
    let gateway = Gateway::start();
    let unfounded = mutations.iter().filter_map(|mutation| {
        *gateway.reply.lock().unwrap() = mutation.reply.clone();
        let ran = run(&gateway, format, arguments);
        let fault = fault(case, &mutation.reply, &ran)?;
        Some(format!("{} {format:?}, {}: {fault}\n    {}", case.name(), mutation.name, ran.err))
    });
    unfounded.collect()
}

/// The same in a few threads: most of the time a run waits for its process.
fn all_claims(case: &Case, format: Format, arguments: &str, mutations: &[Mutation]) -> Vec<String> {
    let share = mutations.len().div_ceil(4).max(1);
    thread::scope(|scope| {
        let runs: Vec<_> = mutations
            .chunks(share)
            .map(|share| scope.spawn(move || claims(case, format, arguments, share)))
            .collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    })
}

/// Each case in each format, with one mutation of so many: the facade's tests try all of them.
fn exit_statuses_need_evidence(format: Format, one_of: usize, least: usize) {
    let (mut unfounded, mut tried) = (Vec::new(), 0);
    for (index, case) in CASES.iter().enumerate().filter(|(_, case)| case.formats().contains(&format)) {
        let Some(arguments) = arguments(case) else { continue };
        // A different share for each case, so that together they contain all mutations.
        let some = mutations(case, format).filter(telling).skip(index % one_of).step_by(one_of);
        let mutations: Vec<_> = some.collect();
        tried += mutations.len();
        unfounded.extend(all_claims(case, format, &arguments, &mutations));
    }
    assert!(tried > least, "{tried} replies were tried");
    assert!(unfounded.is_empty(), "claims without evidence:\n{}", unfounded.join("\n"));
}

/// Holds: An exit status claims success or refusal only on whole and consistent evidence.
#[test]
fn an_exit_status_claims_nothing_without_evidence() {
    exit_statuses_need_evidence(Format::Json, 9, 440);
}

/// Holds: An exit status claims nothing without evidence in XML either.
#[test]
fn nor_with_answers_in_xml() {
    exit_statuses_need_evidence(Format::Xml, 11, 130);
}

/// Checks that a charge that is neither approved nor declined is exit 75 at the first payment of its invoice.
#[test]
fn an_invoice_is_not_called_paid_without_evidence() {
    let pay = "invoice pay --number INV-70412 --date 2027-01-04 --line Labor=25.00 --card-stdin";
    let case = CASES
        .iter()
        .find(|case| case.reply == "transaction-approved" && case.operation == "transactions.sale");
    let case = Case { edits: &[("order-id", "INV-70412"), ("invoice", "INV-70412")], ..*case.unwrap() };
    for (format, one_of) in [(Format::Json, 2), (Format::Xml, 5)] {
        let some = mutations(&case, format).filter(|mutation| !mutation.name.starts_with("HTTP "));
        let mutations: Vec<_> = some.step_by(one_of).collect();
        let unfounded = all_claims(&case, format, pay, &mutations);
        assert!(unfounded.is_empty(), "claims without evidence:\n{}", unfounded.join("\n"));
    }
}
