//! The cost of worlds: starting one, advancing one through a year of its plans, and restoring a snapshot.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use perennial_sandbox::{Sandbox, WorldOptions};

use crate::child::{Served, Server};
use crate::{load, median, row};

/// The number of rounds of quick measurements; the median counts.
const ROUNDS: u32 = 101;
const PLANS: usize = 100_000;
/// The size of the pages by which they are listed.
const PAGE: usize = 1_000;
const CUSTOMERS: usize = 100_000;

pub(crate) fn table() {
    row("", &["time", "CPU"]);
    started();
    advanced();
    restored();
}

/// Measures a sandbox that a test starts for itself, and a world in a shared one.
fn started() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let (mut starts, mut worlds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let sandbox = runtime.block_on(Sandbox::start()).expect("the sandbox starts");
        starts.push(begun.elapsed());
        let begun = Instant::now();
        runtime.block_on(sandbox.new_world(WorldOptions::default())).expect("a world is made");
        worlds.push(begun.elapsed());
        runtime.block_on(sandbox.stop());
    }
    row("Sandbox::start()", &[&format!("{:.0?}", median(starts))]);
    row("aim", &["<= 5 ms"]);
    row("Sandbox::new_world()", &[&format!("{:.0?}", median(worlds))]);
}

/// Measures a world whose plans have customers, cards and names of their own.
fn advanced() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let server = Server::start(Served::Sandbox(&folder.path().join("sandbox.db")));
    load::run(&server, PLANS, |number, bytes| {
        let body =
            format!(r#"{{"customer-key":"ada-{number}","first-name":"Ada {number}","last-name":"Byron"}}"#);
        request(&server, "POST", "/rest/v2/customers", &body, bytes);
    });
    load::run(&server, PLANS, |number, bytes| {
        let body =
            format!(r#"{{"card":"4111111111111111","exp-date":"1240","customer-key":"ada-{number}"}}"#);
        request(&server, "POST", "/rest/v2/tokens", &body, bytes);
    });
    let tokens: Vec<(String, String)> = (1..=PLANS / PAGE).flat_map(|page| tokens(&server, page)).collect();
    assert_eq!(tokens.len(), PLANS);
    load::run(&server, PLANS, |number, bytes| {
        let (day, (token, customer)) = (number % 28 + 1, &tokens[number]);
        let body = format!(
            r#"{{"customer-key":"{customer}","customer-name":"Ada {number} Byron","plan-name":"Member {number}","token-id":"{token}","frequency":"MONTHLY","frequency-day":{day},"start-date":"2027-01-01","end-date":"2027-12-31","payment-amount":"50.00"}}"#
        );
        request(&server, "POST", "/rest/v2/payment-plans", &body, bytes);
    });
    let before = server.cpu();
    let (answer, elapsed) = control(&server, "clock", r#"{"advance":"P1Y"}"#);
    let cpu = server.cpu().saturating_sub(before);
    assert!(answer.contains(&format!(r#""fired":{}"#, PLANS * 12)), "{answer}");
    let payments = u32::try_from(PLANS * 12).expect("few plans");
    for (name, share) in
        [(&*format!("advance by a year, {PLANS} plans on a file"), 1), ("a payment of it", payments)]
    {
        row(name, &[&format!("{:.1?}", elapsed / share), &format!("{:.1?}", cpu / share)]);
    }
}

fn restored() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let path = folder.path().join("sandbox.db");
    let server = Server::start(Served::Sandbox(&path));
    load::run(&server, CUSTOMERS, |number, bytes| {
        let body = format!(
            r#"{{"first-name":"Ada {number}","last-name":"Byron","email":"{number}@example.test","phone":"3145550100"}}"#
        );
        request(&server, "POST", "/rest/v2/customers", &body, bytes);
    });
    let (answer, taken) = control(&server, "snapshot", "");
    let (_, id) = answer.split_once("\r\n\r\n").expect("the answer has a body");
    let (_, restored) = control(&server, "restore", id);
    row(&format!("snapshot of {CUSTOMERS} customers on a file"), &[&format!("{taken:.1?}")]);
    row("coming back to it", &[&format!("{restored:.1?}")]);
}

/// The tokens of a page of their list, each with its customer.
fn tokens(server: &Server, page: usize) -> Vec<(String, String)> {
    let (answer, _) = ask(server, "GET", &format!("/rest/v2/tokens?page-size={PAGE}&page={page}"), "");
    let member = |token: &str, name: &str| {
        let (_, rest) = token.split_once(&format!(r#""{name}":""#))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let tokens = answer
        .split('{')
        .filter_map(|token| Some((member(token, "token-id")?, member(token, "customer-key")?)));
    tokens.collect()
}

fn control(server: &Server, call: &str, body: &str) -> (String, Duration) {
    ask(server, "POST", &format!("/_sandbox/{call}"), body)
}

fn ask(server: &Server, method: &str, path: &str, body: &str) -> (String, Duration) {
    let mut bytes = Vec::new();
    request(server, method, path, body, &mut bytes);
    let text = String::from_utf8(bytes).expect("it is text").replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address).expect("the server accepts");
    stream.write_all(text.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    (answer, begun.elapsed())
}

fn request(server: &Server, method: &str, path: &str, body: &str, bytes: &mut Vec<u8>) {
    let Server { address, key, .. } = server;
    // Writing to memory cannot fail.
    let _ = write!(
        bytes,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\napi-key: {key}\r\naccept: application/json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
}
