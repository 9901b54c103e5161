//! Card input of a payer is not in the memory of the process after the answer.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpStream;

use serde_json::Value as Json;

use crate::served::{kill, listening, spawn};

/// Sends a request on a separate connection; returns the body of the answer.
fn ask(base: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    let request = format!(
        "{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn text(json: &str, member: &str) -> String {
    let json: Json = serde_json::from_str(json).unwrap();
    json[member].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}

/// The number of occurrences of each text in the memory that the process can write to.
fn found(process: u32, wanted: &[&str]) -> Vec<usize> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut counts = vec![0; wanted.len()];
    for map in maps.lines().filter(|map| map.split(' ').nth(1).is_some_and(|may| may.starts_with("rw"))) {
        let (from, to) = map.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // Some regions belong to the kernel.
        if memory.seek(SeekFrom::Start(from)).and_then(|_| memory.read_exact(&mut bytes)).is_err() {
            continue;
        }
        for (count, wanted) in counts.iter_mut().zip(wanted) {
            let (first, rest) = wanted.as_bytes().split_first().unwrap();
            let starts = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
            *count += starts.filter(|(at, _)| bytes[at + 1..].starts_with(rest)).count();
        }
    }
    counts
}

#[test]
fn a_card_that_was_entered_is_not_in_memory_after_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = spawn(&folder.path().join("sandbox.db"));
    let (base, _) = listening(&mut child);
    let post =
        |path: &str, headers: &str, body: &str| ask(&base, &format!("POST {path} HTTP/1.1{headers}"), body);
    let json = "\r\nContent-Type: application/json";
    let world = post("/_sandbox/worlds", "", r#"{"seed":7}"#);
    let [integrator, account, pin] =
        ["integrator-key", "account-key", "account-pin"].map(|name| text(&world, name));
    let credentials =
        format!(r#"{{"integratorKey":"{integrator}","accountKey":"{account}","accountPin":"{pin}"}}"#);
    let access = text(&post("/v2/token/accessid", json, &credentials), "accessId");
    let json = format!("{json}\r\naccessId: {access}");
    let request = text(&post("/v2/token/requestid", &json, "{}"), "requestId");
    let invoice = r#"{"invoiceNumber":"INV-1","invoiceDate":"2027-01-02","outstandingBalance":100.5}"#;
    let page = format!(
        r#"{{"token":{{"requestId":"{request}"}},"nameOnAccount":"Canary Lind","invoices":[{invoice}]}}"#
    );
    post("/v2/paymentpage/invoice", &json, &page);
    let path = format!("/app/api/{request}");
    let html = ask(&base, &format!("GET {path} HTTP/1.1"), "");
    let token = &html.split_once("name=\"token\" value=\"").unwrap().1[..32];
    let form = "\r\nContent-Type: application/x-www-form-urlencoded";
    // First declined because of the length of the code, then accepted.
    for (code, says) in [("99", "Enter the 3 or 4 digits"), ("999", "")] {
        let entered = format!(
            "token={token}&amount-0=5&method=card&card-name=Rosa&card-number=4000+1000%201111+2224&card-expiry=0930&card-code={code}"
        );
        let answer = post(&path, form, &entered);
        assert!(answer.contains(says), "{answer}");
    }
    assert!(ask(&base, &format!("GET {path} HTTP/1.1"), "").contains("5.00"), "it is paid");
    let entered =
        ["4000 1000 1111 2224", "4000100011112224", "4000+1000%201111+2224", "4000 1000%201111 2224"];
    let counts = found(child.id(), &[entered.as_slice(), &["Canary Lind"]].concat());
    kill(child);
    assert!(counts[entered.len()] > 0, "what is kept is found: {counts:?}");
    assert_eq!(counts[..entered.len()], [0; 4], "{entered:?}");
}
