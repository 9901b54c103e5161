//! Customers created in a second: by a sandbox on a file in worlds of growing size, and by a server written by hand.

use std::io::Write as _;
use std::path::Path;

use crate::child::{Served, Server};
use crate::load::{self, Measured};
use crate::{median, ratio, row};

/// How often each measurement is made; the median counts.
const ROUNDS: usize = 5;
/// Requests of one measurement.
const REQUESTS: usize = 4_000;

pub(crate) fn table() {
    let fresh = || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let (mut bare, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = fresh();
        bare.push(create(&Server::start(Served::Bare(&folder.path().join("bare.db"))), 0));
        empty.push(create(&Server::start(Served::Sandbox(&folder.path().join("sandbox.db"))), 0));
    }
    let (bare, empty) = (Measured::of(&bare), Measured::of(&empty));

    row(
        "POST customers, 64 connections, synchronous = FULL",
        &["per second", "beside bare", "p50", "p99", "beside bare", "beside empty"],
    );
    let show = |name: &str, of: &Measured| {
        row(
            name,
            &[
                &of.per_second.to_string(),
                &ratio(of.per_second, bare.per_second),
                &format!("{:.2?}", of.p50),
                &format!("{:.2?}", of.p99),
                &ratio(of.p99.as_nanos(), bare.p99.as_nanos()),
                &ratio(of.per_second, empty.per_second),
            ],
        );
    };
    show("axum and rusqlite, one transaction a request", &bare);
    show("sandbox, empty world", &empty);
    let folder = fresh();
    grown(&folder.path().join("sandbox.db"), &show);
    row("aims, in an empty world and beside it", &["", ">= 4", "", "", "<= 0.3", "1.00"]);
}

/// Measures at 10,000 and at 100,000 customers.
fn grown(path: &Path, show: &dyn Fn(&str, &Measured)) {
    let server = Server::start(Served::Sandbox(path));
    let mut customers = 0;
    for (size, name) in [(10_000, "10,000 customers"), (100_000, "100,000 customers")] {
        load::run(server.address, size - customers, |number, bytes| post(&server, customers + number, bytes));
        customers = size;
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let measured = create(&server, customers);
                customers += REQUESTS;
                measured
            })
            .collect();
        show(&format!("sandbox, {name}"), &Measured::of(&rounds));
    }
    let get = |path: fn(usize) -> String| {
        let rounds = (0..ROUNDS).map(|_| {
            load::run(server.address, REQUESTS, |number, bytes| {
                let _ = write!(
                    bytes,
                    "GET {} HTTP/1.1\r\nHost: {}\r\napi-key: {}\r\naccept: application/json\r\n\r\n",
                    path(number),
                    server.address,
                    server.key
                );
            })
        });
        Measured::of(&rounds.collect::<Vec<_>>())
    };
    show(
        "sandbox, 100,000 customers: GET one by its key",
        &get(|number| format!("/rest/v2/customers/key-{}", number * 20)),
    );
    show(
        "sandbox, 100,000 customers: GET the first page",
        &get(|_| "/rest/v2/customers?page-size=10".into()),
    );
}

impl Measured {
    fn of(rounds: &[Self]) -> Self {
        Self {
            per_second: median(rounds.iter().map(|round| round.per_second)),
            p50: median(rounds.iter().map(|round| round.p50)),
            p99: median(rounds.iter().map(|round| round.p99)),
        }
    }
}

/// Creates customers from this number on.
fn create(server: &Server, first: usize) -> Measured {
    load::run(server.address, REQUESTS, |number, bytes| post(server, first + number, bytes))
}

/// A customer as people send them; names come in no order, as people do.
fn post(server: &Server, number: usize, bytes: &mut Vec<u8>) {
    let name = number.wrapping_mul(0x9e37_79b9) % 0x1_0000_0000;
    let body = format!(
        r#"{{"customer-key":"key-{number}","first-name":"Ada {name:08x}","last-name":"Byron","email":"{name:08x}@example.test","phone":"3145550100","billing-address":{{"street":"1 Loom Street","city":"St Louis","state":"MO","zip":"63101"}}}}"#
    );
    let Server { address, key, .. } = server;
    // Writing to memory cannot fail.
    let _ = write!(
        bytes,
        "POST /rest/v2/customers HTTP/1.1\r\nHost: {address}\r\napi-key: {key}\r\naccept: application/json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
}
