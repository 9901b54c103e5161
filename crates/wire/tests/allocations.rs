//! The allocations of reading and writing a customer. This test is alone in its process, whose allocator it replaces.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use allocation_counter::measure;
use perennial_wire::clearent::Reply;
use perennial_wire::{Format, Limits};

const JSON: &[u8] = include_bytes!("corpus/clearent/replies/customer-created.json");
const XML: &[u8] = include_bytes!("corpus/clearent/replies/customer-created.xml");

/// Holds: Reading and writing a customer make no more allocations than these.
#[test]
fn a_customer_takes_few_allocations() {
    let limits = Limits::default();
    for (format, document, reading, writing) in
        [(Format::Json, JSON, [30, 2757], [5, 2939]), (Format::Xml, XML, [35, 3245], [5, 2939])]
    {
        let reply = Reply::decode(format, document, &limits).unwrap();
        let read = measure(|| drop(Reply::decode(format, document, &limits)));
        let written = measure(|| drop(reply.encode(format)));
        for (work, most, found) in [("reading", reading, read), ("writing", writing, written)] {
            let found = [found.count_total, found.bytes_total];
            assert!(
                found[0] <= most[0] && found[1] <= most[1],
                "{work} {format}: {found:?} allocations and bytes, not {most:?}"
            );
        }
    }
}
