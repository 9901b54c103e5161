//! The decisions that callers make: every write of the journal.

use fastrand::Rng;

use crate::machine::Write;

/// A decision of a caller.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the intent")]
pub(super) struct Decided {
    pub(super) key: String,
    pub(super) write: Write,
    pub(super) object: Option<&'static str>,
    pub(super) request: &'static str,
    pub(super) needs_card: bool,
    pub(super) activates: bool,
    pub(super) is_stop: bool,
    pub(super) guard: bool,
}

/// A write with the object that it names, its requests, and whether they have a card.
type Row = (Write, Option<&'static str>, &'static [&'static str], bool);

const NONE: &[&str] = &["{}"];
const MONEY: &[&str] =
    &[r#"{"amount":"25.00"}"#, r#"{"amount":"25.00"}"#, r#"{"amount":"25.00","card":"declined"}"#];
const EMAIL: &[&str] = &[r#"{"email":"a@example.test"}"#, r#"{"email":"b@example.test"}"#];
const STATUS: &[&str] = &[
    r#"{"status":"SUSPENDED"}"#,
    r#"{"status":"ACTIVE"}"#,
    r#"{"status":"SUSPENDED"}"#,
    r#"{"status":"CANCELED"}"#,
];

pub(super) const ROWS: &[Row] = &[
    (Write::CreateCustomer, None, NONE, false),
    (Write::UpdateCustomer, Some("customers/c1"), EMAIL, false),
    (Write::UpdateCustomer, Some("customers/c2"), EMAIL, false),
    (Write::DeleteCustomer, Some("customers/c2"), NONE, false),
    (Write::AttachToken, Some("customers/c1/tokens"), &[r#"{"token-id":"k1"}"#], false),
    (
        Write::UpdateCustomerToken,
        Some("customers/c1/tokens"),
        &[r#"{"default":true}"#, r#"{"default":false}"#],
        false,
    ),
    (Write::CreateToken, None, NONE, true),
    (Write::CreateToken, None, NONE, true),
    (Write::UpdateToken, Some("tokens/k1"), EMAIL, false),
    (Write::DeleteToken, Some("tokens/k2"), NONE, false),
    (Write::CreatePlan, None, NONE, false),
    (Write::CreatePlan, None, NONE, false),
    (Write::CreatePlan, None, NONE, false),
    (Write::UpdatePlan, Some("plans/p1"), STATUS, false),
    (Write::UpdatePlan, Some("plans/p2"), STATUS, false),
    (Write::DeletePlan, Some("plans/p3"), NONE, false),
    (Write::Sale, None, MONEY, false),
    (Write::Sale, None, &[r#"{"amount":"25.00","type":"FORCED SALE"}"#], false),
    (Write::Sale, None, MONEY, true),
    (Write::Auth, None, MONEY, false),
    (Write::Capture, Some("transactions/a1"), NONE, false),
    (Write::Void, Some("transactions/s1"), NONE, false),
    (Write::Refund, Some("transactions/s1"), NONE, false),
    (Write::Refund, Some("transactions/s2"), NONE, false),
    (Write::Refund, None, NONE, true),
    (Write::UpdateTransaction, Some("transactions/s3"), &[r#"{"tip":"1.00"}"#, r#"{"tip":"2.00"}"#], false),
    (Write::SettleBatch, Some("batches/b1"), NONE, false),
    (Write::Pay, None, MONEY, false),
    (Write::Pay, None, MONEY, true),
    (Write::RefundPayment, Some("payments/y1"), NONE, false),
    (Write::CreatePage, None, NONE, false),
    (Write::ExpirePage, Some("pages/g1"), NONE, false),
    (Write::NewAccessId, None, NONE, false),
    (Write::NewCustomerAccessId, None, NONE, true),
    (Write::ExpireAccessId, Some("access/i1"), NONE, true),
    (Write::CreatePayer, None, NONE, false),
    (Write::UpdatePayer, Some("payers/r1"), EMAIL, false),
    (Write::DeletePayer, Some("payers/r2"), NONE, false),
    (Write::AddMethods, Some("payers/r1/methods"), NONE, true),
    (Write::UpdateMethods, Some("payers/r1/methods"), EMAIL, false),
];

/// A random decision.
pub(super) fn decision(number: u32, rng: &mut Rng) -> Decided {
    let (write, object, requests, needs_card) = ROWS[rng.usize(..ROWS.len())];
    let request = requests[rng.usize(..requests.len())];
    Decided {
        key: format!("key-{number}"),
        write,
        object,
        request,
        needs_card,
        is_stop: request.contains("CANCELED")
            || matches!(write, Write::Void | Write::ExpirePage | Write::ExpireAccessId),
        activates: write == Write::CreatePlan && rng.u8(..4) > 0,
        guard: rng.u8(..8) == 0,
    }
}
