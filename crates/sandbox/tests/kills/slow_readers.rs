//! Clients that stop reading a large state hold neither memory nor the calls of other worlds.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value as Json;

use crate::served::{kill, listening, spawn};

/// The maximum memory of the process at any moment, in KiB.
const MOST: u64 = 128 * 1024;

/// A connection that stays open.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(base: &str) -> Self {
        Self(BufReader::new(TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap()))
    }

    /// Opens a connection into which the kernel takes little unread data.
    fn narrow(base: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4_096).unwrap();
            socket.connect(base.strip_prefix("http://").unwrap().parse().unwrap()).await.unwrap()
        });
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a request and reads the head of the answer; returns the length of its body.
    fn send(&mut self, call: &str, key: &str, body: &str) -> usize {
        let length = body.len();
        let request = format!(
            "{call} HTTP/1.1\r\nHost: localhost\r\napi-key: {key}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "{call}: {head}");
        }
        assert!(head.starts_with("HTTP/1.1 20"), "{call}: {head}");
        let length = head.to_lowercase();
        length.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap()
    }

    fn body(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        body
    }

    fn ask(&mut self, call: &str, key: &str, body: &str) -> String {
        let length = self.send(call, key, body);
        String::from_utf8(self.body(length)).unwrap()
    }
}

/// A slow reader of an answer.
struct Reader {
    connection: Connection,
    read: Vec<u8>,
    length: usize,
}

impl Reader {
    /// Reads this many more bytes, or all that are left.
    fn read(&mut self, most: usize) {
        let more = self.connection.body(most.min(self.length - self.read.len()));
        self.read.extend(more);
    }
}

fn text(json: &str, pointer: &str) -> String {
    let json: Json = serde_json::from_str(json).unwrap();
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("{json}")).to_owned()
}

/// The peak of a process's memory, in KiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// Holds: A client that stops reading holds no memory and no call of another world.
#[test]
fn readers_that_stop_hold_no_memory_and_no_other_world() {
    // As `cargo xtask soak memory` says: 32 readers of 25,000 objects; a few of some megabytes otherwise.
    let plans = std::env::var("PERENNIAL_SOAK_PLANS").ok().map(|plans| plans.parse().unwrap());
    let (plans, readers) = plans.map_or((500, 8), |plans: usize| (plans, 32));
    let folder = tempfile::tempdir().unwrap();
    let mut child = spawn(&folder.path().join("sandbox.db"));
    let (base, other) = listening(&mut child);
    let mut line = Connection::open(&base);
    let key = text(&line.ask("POST /_sandbox/worlds", &other, r#"{"seed":7}"#), "/api-key");
    let customer = line.ask("POST /rest/v2/customers", &key, r#"{"first-name":"Ada","last-name":"Byron"}"#);
    let customer = text(&customer, "/payload/customer/customer-key");
    let card = r#"{"card":"4111111111111111","exp-date":"1230"}"#;
    let body = format!(r#"{{"customer-key":"{customer}",{}"#, &card[1..]);
    let token = text(&line.ask("POST /rest/v2/tokens", &key, &body), "/payload/tokenResponse/token-id");
    for number in 0..plans {
        let plan = format!(
            r#"{{"plan-name":"Gold {number}","type":"SUBSCRIPTION","customer-key":"{customer}","token-id":"{token}",
            "frequency":"MONTHLY","frequency-day":"15","start-date":"2027-01-01","end-date":"2027-12-31",
            "status":"ACTIVE","payment-amount":"50.00"}}"#
        );
        line.ask("POST /rest/v2/payment-plans", &key, &plan);
    }
    line.ask("POST /_sandbox/clock", &key, r#"{"advance":"P1Y"}"#);
    let before = peak(child.id());

    let mut slow: Vec<Reader> = Vec::new();
    for _ in 0..readers {
        let mut connection = Connection::narrow(&base);
        let length = connection.send("GET /_sandbox/state", &key, "");
        slow.push(Reader { connection, read: Vec::new(), length });
        // Each reads a little, so that none counts as gone.
        for reader in &mut slow {
            reader.read(64 * 1024);
        }
    }
    // All of them have their response but stop reading it, and the calls of another world get responses.
    let mut line = Connection::open(&base);
    let sale = format!(r#"{{"amount":"5.00",{}"#, &card[1..]);
    let sale = line.ask("POST /rest/v2/transactions/sale", &other, &sale);
    assert_eq!(text(&sale, "/payload/transaction/result"), "APPROVED");
    assert!(line.ask("GET /_sandbox/state", &other, "").starts_with('{'));
    let after = peak(child.id());
    let length = slow[0].length;
    eprintln!(
        "a state of {length} bytes, {readers} readers: at most {before} KiB before them, {after} KiB with them"
    );
    assert!(length > 4 * 1024 * 1024, "{length}: the kernel takes as much");
    let states = u64::try_from(length * readers / 1024).unwrap();
    assert!(after < MOST && after - before < states / 4, "{before} KiB, then {after} KiB");

    // A client that continues reading gets the whole response.
    for reader in &mut slow {
        reader.read(length);
        let state: Json = serde_json::from_slice(&reader.read).unwrap();
        assert_eq!(state["payments"].as_array().unwrap().len(), 12 * plans);
    }
    kill(child);
}
