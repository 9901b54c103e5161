//! Customers created per second: by a sandbox on a file, in worlds of growing size, and by a handwritten server.

use std::io::Write as _;
use std::path::Path;

use crate::child::{Served, Server};
use crate::load::{self, Measured};
use crate::{median, ratio, row};

/// The number of rounds, in turns, so that other load on the machine affects all equally; medians count.
const ROUNDS: usize = 7;
/// Requests of one measurement.
const REQUESTS: usize = 3_000;

pub(crate) fn table() {
    let fresh = || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let (ten, hundred) = (fresh(), fresh());
    let mut ten = World::grown(ten.path(), 10_000);
    let mut hundred = World::grown(hundred.path(), 100_000);
    let mut rounds: [Vec<Measured>; 6] = Default::default();
    for _ in 0..ROUNDS {
        let folder = fresh();
        let mut bare = World::new(Served::Bare(&folder.path().join("bare.db")));
        let mut empty = World::new(Served::Sandbox(&folder.path().join("sandbox.db")));
        let measured = [
            bare.create(),
            empty.create(),
            ten.create(),
            hundred.create(),
            hundred.get(|number| format!("/rest/v2/customers/key-{}", number * 30)),
            hundred.get(|_| "/rest/v2/customers?page-size=10".into()),
        ];
        rounds.iter_mut().zip(measured).for_each(|(rounds, measured)| rounds.push(measured));
    }

    row(
        "64 connections, synchronous = FULL",
        &["per second", "beside bare", "beside empty", "p50", "p99", "beside bare", "CPU a request"],
    );
    let names = [
        "POST customers: bare axum and rusqlite",
        "POST customers: sandbox, empty world",
        "POST customers: sandbox, from 10,000 customers on",
        "POST customers: sandbox, from 100,000 customers on",
        "GET a customer: sandbox, of 100,000",
        "GET a page of 10: sandbox, of 100,000",
    ];
    for (name, own) in names.iter().zip(&rounds) {
        let beside = |others: &[Measured], of: fn(&Measured) -> u128| {
            let hundredths = own.iter().zip(others).map(|(own, other)| of(own) * 1_000 / of(other).max(1));
            ratio(median(hundredths), 1_000)
        };
        let [bare, empty, ..] = &rounds;
        row(
            name,
            &[
                &median(own.iter().map(|round| round.per_second)).to_string(),
                &beside(bare, |round| round.per_second),
                &beside(empty, |round| round.per_second),
                &format!("{:.2?}", median(own.iter().map(|round| round.p50))),
                &format!("{:.2?}", median(own.iter().map(|round| round.p99))),
                &beside(bare, |round| round.p99.as_nanos()),
                &format!("{:.0?}", median(own.iter().map(|round| round.cpu))),
            ],
        );
    }
    row("aims, in an empty world", &["", ">= 4", "1.00", "", "", "<= 0.3"]);
    let memory =
        hundred.server.resident().map_or_else(|| "unknown".into(), |size| format!("{} MiB", size / 1024));
    row("memory of the sandbox of 100,000 customers", &[&memory]);
}

/// A server, and the number of its customers.
struct World {
    server: Server,
    customers: usize,
}

impl World {
    fn new(served: Served<'_>) -> Self {
        Self { server: Server::start(served), customers: 0 }
    }

    fn grown(folder: &Path, customers: usize) -> Self {
        let mut world = Self::new(Served::Sandbox(&folder.join("sandbox.db")));
        world.add(customers);
        world
    }

    fn create(&mut self) -> Measured {
        self.add(REQUESTS)
    }

    fn add(&mut self, requests: usize) -> Measured {
        let first = self.customers;
        self.customers += requests;
        load::run(&self.server, requests, |number, bytes| post(&self.server, first + number, bytes))
    }

    fn get(&self, path: fn(usize) -> String) -> Measured {
        load::run(&self.server, REQUESTS, |number, bytes| {
            let Server { address, key, .. } = &self.server;
            let path = path(number);
            // Writing to memory cannot fail.
            let _ = write!(
                bytes,
                "GET {path} HTTP/1.1\r\nHost: {address}\r\napi-key: {key}\r\naccept: application/json\r\n\r\n"
            );
        })
    }
}

/// A customer like those of real users, whose names come in no order.
fn post(server: &Server, number: usize, bytes: &mut Vec<u8>) {
    let name = number.wrapping_mul(0x9e37_79b9) % 0x1_0000_0000;
    let body = format!(
        r#"{{"customer-key":"key-{number}","first-name":"Ada {name:08x}","last-name":"Byron","email":"{name:08x}@example.test","phone":"3145550100","billing-address":{{"street":"1 Loom Street","city":"St Louis","state":"MO","zip":"63101"}}}}"#
    );
    let Server { address, key, .. } = server;
    let _ = write!(
        bytes,
        "POST /rest/v2/customers HTTP/1.1\r\nHost: {address}\r\napi-key: {key}\r\naccept: application/json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
}
