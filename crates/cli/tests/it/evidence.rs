//! Evidence for exit statuses: the command against replies with structural faults, judged by an oracle that shares no
//! code with it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use perennial_oracle::{CASES, Case, Conclusion, Format, Mutation, Reply, judge, mutations};

use crate::shell::{CARD_JSON, KEY, finish, perennial};

const CUSTOMER: &str = "cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10";

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
    // What is looked for before a write is not there yet: a charge of the invoice, or an equal plan.
    let nothing = request.starts_with(b"GET ").then(|| nothing_at(&String::from_utf8_lossy(&request)));
    let Reply { status, content_type, body } = nothing.as_ref().unwrap_or(reply);
    let content_type =
        if content_type.is_empty() { String::new() } else { format!("content-type: {content_type}\r\n") };
    let has_body = !matches!(status, 204 | 304);
    let length = if has_body { format!("content-length: {}\r\n", body.len()) } else { String::new() };
    let head = format!("HTTP/1.1 {status} X\r\n{content_type}{length}connection: close\r\n\r\n");
    let _ = connection.write_all(head.as_bytes());
    let _ = connection.write_all(if has_body { body } else { b"" });
}

/// An empty list of the path's objects.
fn nothing_at(request: &str) -> Reply {
    // The card of a plan, whose expiry is looked at.
    if request.starts_with("GET /rest/v2/tokens/") {
        let token = r#"{"code":"200","status":"success","exchange-id":"ID-1","payload":{"tokenResponse":{
            "token-id":"1100000000555551111","exp-date":"1230","last-four-digits":"1111"},"payloadType":"token"}}"#;
        return Reply { status: 200, content_type: "application/json".into(), body: token.into() };
    }
    let plans = request.starts_with("GET /rest/v2/payment-plans");
    let (list, item) =
        if plans { ("payment-plans", "payment-plan") } else { ("transactions", "transaction") };
    let body = format!(
        r#"{{"code":"200","status":"success","exchange-id":"ID-1","page":{{"first":true,"last":true,"number":1,
        "number-of-elements":0,"size":25,"total-elements":0,"total-pages":0}},
        "payload":{{"{list}":{{"{item}":[]}},"payloadType":"{list}"}}}}"#
    );
    Reply { status: 200, content_type: "application/json".into(), body: body.into() }
}

/// The claim of an exit status about a write.
fn claimed(code: i32) -> Conclusion {
    match code {
        0 => Conclusion::Done,
        4 => Conclusion::Declined,
        75 => Conclusion::Unknown,
        _ => Conclusion::NotDone,
    }
}

/// The arguments of a command that makes the call of a case.
fn arguments(case: &Case) -> Option<Vec<&'static str>> {
    let amount =
        case.same.iter().find(|(member, _)| *member == "amount").map_or("25.00", |(_, amount)| amount);
    Some(match case.operation {
        "plans.create" => vec![
            "plans",
            "create",
            "--plan-name",
            "Gold membership",
            "--customer-key",
            CUSTOMER,
            "--token-id",
            "1100000000555551111",
            "--frequency-day",
            "15",
            "--payment-amount",
            "50.00",
            "--start-date",
            "2027-01-01",
            "--end-date",
            "2027-12-01",
            "--status",
            "ACTIVE",
        ],
        "transactions.sale" if case.reply != "transaction-token" => {
            vec!["transactions", "sale", "--amount", amount, "--card-stdin"]
        }
        _ => return None,
    })
}

fn run(gateway: &Gateway, arguments: &[&str]) -> i32 {
    let mut command = perennial();
    command.args(["--base-url", &gateway.url]).args(arguments).env("PERENNIAL_API_KEY", KEY);
    finish(command, CARD_JSON).code
}

/// Whether a mutation differs for the command, not only in its HTTP status.
fn telling(mutation: &Mutation) -> bool {
    let spoken = ["200", "307", "400", "404", "429", "500"];
    !mutation.name.starts_with("HTTP ") || spoken.iter().any(|status| mutation.name.contains(status))
}

/// Unproven claims for these mutations of a case, each from a run of the command.
fn claims(case: &Case, arguments: &[&str], mutations: &[Mutation]) -> Vec<String> {
    let gateway = Gateway::start();
    let unfounded = mutations.iter().filter_map(|mutation| {
        *gateway.reply.lock().unwrap() = mutation.reply.clone();
        let code = run(&gateway, arguments);
        let allowed = judge(case, &mutation.reply).allows(claimed(code));
        (!allowed).then(|| format!("{}, {}: exit {code}", case.name(), mutation.name))
    });
    unfounded.collect()
}

/// Unproven claims from several threads: most of the time a run waits for its process.
fn all_claims(case: &Case, arguments: &[&str], mutations: &[Mutation]) -> Vec<String> {
    let share = mutations.len().div_ceil(4).max(1);
    thread::scope(|scope| {
        let runs: Vec<_> = mutations
            .chunks(share)
            .map(|share| scope.spawn(move || claims(case, arguments, share)))
            .collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    })
}

/// Holds: An exit status claims success or refusal only on whole and consistent evidence.
#[test]
fn an_exit_status_claims_nothing_without_evidence() {
    let (mut unfounded, mut tried) = (Vec::new(), 0);
    for case in CASES {
        let Some(arguments) = arguments(case) else { continue };
        let mutations: Vec<_> = mutations(case, Format::Json).filter(telling).collect();
        tried += mutations.len();
        unfounded.extend(all_claims(case, &arguments, &mutations));
    }
    assert!(tried > 1_000, "{tried} replies were tried");
    assert!(unfounded.is_empty(), "claims without evidence:\n{}", unfounded.join("\n"));
}

/// Checks that a charge that is neither approved nor declined is exit 75 at the first payment of its invoice.
#[test]
fn an_invoice_is_not_called_paid_without_evidence() {
    let _gateway = Gateway::start();
    let number = "INV-70412";
    let pay = [
        "invoice",
        "pay",
        "--number",
        number,
        "--date",
        "2027-01-04",
        "--line",
        "Labor=25.00",
        "--card-stdin",
    ];
    let case = CASES
        .iter()
        .find(|case| case.reply == "transaction-approved" && case.operation == "transactions.sale");
    let case = Case { edits: &[("order-id", "INV-70412"), ("invoice", "INV-70412")], ..*case.unwrap() };
    let mutations: Vec<_> =
        mutations(&case, Format::Json).filter(|mutation| !mutation.name.starts_with("HTTP ")).collect();
    let unfounded = all_claims(&case, &pay, &mutations);
    assert!(unfounded.is_empty(), "claims without evidence:\n{}", unfounded.join("\n"));
}
