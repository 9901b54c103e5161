//! The cost of worlds: starting one, advancing one through a year of its plans, and restoring a snapshot.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use perennial_sandbox::{Sandbox, WorldOptions};

use crate::child::{Served, Server};
use crate::{load, median, row};

/// The number of rounds of quick measurements; the median counts.
const ROUNDS: u32 = 101;
const PLANS: usize = 10_000;
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

fn advanced() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let server = Server::start(Served::Sandbox(&folder.path().join("sandbox.db")));
    call(&server, "customers", r#"{"customer-key":"ada","first-name":"Ada","last-name":"Byron"}"#);
    let card = r#"{"card":"4111111111111111","exp-date":"1240","customer-key":"ada"}"#;
    let (token, _) = call(&server, "tokens", card);
    let (_, rest) = token.split_once(r#""token-id":""#).expect("the answer has the token");
    let (token, _) = rest.split_once('"').expect("the answer has the token");
    load::run(&server, PLANS, |number, bytes| {
        let day = number % 28 + 1;
        let body = format!(
            r#"{{"customer-key":"ada","token-id":"{token}","frequency":"MONTHLY","frequency-day":{day},"start-date":"2027-01-01","end-date":"2027-12-31","payment-amount":"50.00"}}"#
        );
        request(&server, "/rest/v2/payment-plans", &body, bytes);
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
        request(&server, "/rest/v2/customers", &body, bytes);
    });
    let (answer, taken) = control(&server, "snapshot", "");
    let (_, id) = answer.split_once("\r\n\r\n").expect("the answer has a body");
    let (_, restored) = control(&server, "restore", id);
    row(&format!("snapshot of {CUSTOMERS} customers on a file"), &[&format!("{taken:.1?}")]);
    row("coming back to it", &[&format!("{restored:.1?}")]);
}

fn call(server: &Server, path: &str, body: &str) -> (String, Duration) {
    ask(server, &format!("/rest/v2/{path}"), body)
}

fn control(server: &Server, call: &str, body: &str) -> (String, Duration) {
    ask(server, &format!("/_sandbox/{call}"), body)
}

fn ask(server: &Server, path: &str, body: &str) -> (String, Duration) {
    let mut bytes = Vec::new();
    request(server, path, body, &mut bytes);
    let text = String::from_utf8(bytes).expect("it is text").replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address).expect("the server accepts");
    stream.write_all(text.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    (answer, begun.elapsed())
}

fn request(server: &Server, path: &str, body: &str, bytes: &mut Vec<u8>) {
    let Server { address, key, .. } = server;
    // Writing to memory cannot fail.
    let _ = write!(
        bytes,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\napi-key: {key}\r\naccept: application/json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
}
