//! The allocations of reading and writing a customer. This test is alone in its process, whose allocator it replaces.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use allocation_counter::{AllocationInfo, measure};
use perennial_wire::clearent::Reply;
use perennial_wire::{Format, Limits};

/// A response with a customer, and the most allocations and bytes of reading it and of writing it.
const CUSTOMERS: [(Format, &[u8], [u64; 2], [u64; 2]); 2] = [
    (Format::Json, include_bytes!("corpus/clearent/replies/customer-created.json"), [30, 2757], [5, 2939]),
    (Format::Xml, include_bytes!("corpus/clearent/replies/customer-created.xml"), [35, 3245], [5, 2939]),
];

/// Holds: Reading and writing a customer make no more allocations than these.
#[test]
fn a_customer_takes_few_allocations() {
    let limits = Limits::default();
    for (format, document, read, written) in CUSTOMERS {
        let reply = Reply::decode(format, document, &limits).unwrap();
        let reading = measure(|| drop(Reply::decode(format, document, &limits)));
        let writing = measure(|| drop(reply.encode(format)));
        for (work, info, [most, bytes]) in [("reading", reading, read), ("writing", writing, written)] {
            let AllocationInfo { count_total, bytes_total, .. } = info;
            assert!(
                count_total <= most && bytes_total <= bytes,
                "{work} {format}: {count_total} allocations, {bytes_total} bytes"
            );
        }
    }
}
