//! The calls whose replies are judged: what was asked, and the golden reply to it.

use std::fs;
use std::path::Path;

use crate::{Format, Reply, Tree};

/// Whose wire it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// The Clearent gateway: JSON and XML.
    Clearent,
    /// ClientPay: JSON.
    ClientPay,
}

/// The kind of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It reads one object.
    Read,
    /// It creates or changes an object.
    Write,
    /// It deletes an object.
    Delete,
    /// It moves money, and can be declined.
    Charge,
}

/// A call, and the golden reply to it.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The vendor.
    pub vendor: Vendor,
    /// The operation, such as `plans.create`.
    pub operation: &'static str,
    /// The golden reply's file, without its extension.
    pub reply: &'static str,
    /// The kind of the call.
    pub expect: Expect,
    /// The names under which a reply can hold the object.
    pub objects: &'static [&'static str],
    /// Members that the object must have, whatever their values: the key of a new object.
    pub present: &'static [&'static str],
    /// Members that the object must have, with the values that were asked for.
    pub same: &'static [(&'static str, &'static str)],
    /// Members that the object may leave out, and whose values must otherwise be those that were asked for.
    pub if_present: &'static [(&'static str, &'static str)],
    /// Members of the golden object that are set to other values first, where the corpus has no reply of this operation.
    pub edits: &'static [(&'static str, &'static str)],
}

const CUSTOMER: &str = "cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10";
const PLAN: &str = "plan_3f0f6d1c-5f0e-4f39-9f7e-6a3d1c2b4e5f";
const TOKEN: &str = "1100000000555551111";

/// A case with nothing that is asked of the object.
const fn case(vendor: Vendor, operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    let objects: &'static [&'static str] = match operation.as_bytes() {
        [b'p', b'l', b'a', ..] => &["payment-plan"],
        [b't', b'o', ..] => &["tokenResponse", "token"],
        [b't', b'r', ..] => &["transaction"],
        [b'b', ..] => &["batch"],
        [b'c', b'u', b's', b't', b'o', b'm', b'e', b'r', b'-', ..] => &["customer-token"],
        [b'c', ..] => &["customer"],
        _ => &[],
    };
    Case { vendor, operation, reply, expect, objects, present: &[], same: &[], if_present: &[], edits: &[] }
}

const fn clearent(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    case(Vendor::Clearent, operation, reply, expect)
}

const fn clientpay(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    Case { objects: &[], ..case(Vendor::ClientPay, operation, reply, expect) }
}

const PLAN_TERMS: &[(&str, &str)] = &[
    ("frequency", "MONTHLY"),
    ("frequency-day", "15"),
    ("start-date", "2027-01-01"),
    ("end-date", "2027-12-01"),
    ("status", "ACTIVE"),
];

const CHARGE: &[(&str, &str)] = &[("type", "SALE"), ("last-four", "1111")];

/// Every call that is judged.
pub const CASES: &[Case] = &[
    Case {
        present: &["plan-key"],
        same: &[("customer-key", CUSTOMER), ("token-id", TOKEN), ("payment-amount", "50.00")],
        if_present: PLAN_TERMS,
        ..clearent("plans.create", "plan-created", Expect::Write)
    },
    Case { same: &[("plan-key", PLAN)], ..clearent("plans.get", "plan-created", Expect::Read) },
    Case {
        same: &[("plan-key", PLAN)],
        if_present: &[("status", "CANCELED")],
        ..clearent("plans.cancel", "plan-deleted", Expect::Write)
    },
    Case { same: &[("plan-key", PLAN)], ..clearent("plans.delete", "plan-deleted", Expect::Delete) },
    Case {
        present: &["customer-key"],
        if_present: &[("first-name", "Ada"), ("last-name", "Byron")],
        ..clearent("customers.create", "customer-created", Expect::Write)
    },
    Case {
        same: &[("customer-key", CUSTOMER)],
        ..clearent("customers.get", "customer-created", Expect::Read)
    },
    Case {
        same: &[("customer-key", CUSTOMER)],
        ..clearent("customers.delete", "customer-deleted", Expect::Delete)
    },
    Case {
        present: &["token-id"],
        if_present: &[("customer-key", CUSTOMER), ("last-four-digits", "1111"), ("exp-date", "1230")],
        ..clearent("tokens.create", "token-created", Expect::Write)
    },
    Case { same: &[("token-id", TOKEN)], ..clearent("tokens.get", "token-created", Expect::Read) },
    Case {
        if_present: &[("token-id", TOKEN), ("customer-key", CUSTOMER)],
        ..clearent("tokens.update", "token-updated", Expect::Write)
    },
    Case {
        same: &[("customer-key", CUSTOMER), ("token-id", TOKEN)],
        if_present: &[("exp-date", "1230"), ("last-four-digits", "1111")],
        ..clearent("customer-tokens.attach", "customer-token", Expect::Write)
    },
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present: CHARGE,
        ..clearent("transactions.sale", "transaction-approved", Expect::Charge)
    },
    Case {
        same: &[("amount", "0.21")],
        if_present: CHARGE,
        ..clearent("transactions.sale", "transaction-declined", Expect::Charge)
    },
    Case {
        present: &["id"],
        same: &[("amount", "12.22")],
        if_present: &[("type", "SALE"), ("order-id", PLAN), ("last-four", "1111")],
        ..clearent("transactions.sale", "transaction-token", Expect::Charge)
    },
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present: &[("type", "AUTH"), ("last-four", "1111")],
        edits: &[("type", "AUTH")],
        ..clearent("transactions.auth", "transaction-approved", Expect::Charge)
    },
    Case {
        present: &["id"],
        if_present: &[("type", "VOID"), ("ref-id", "700001")],
        edits: &[("type", "VOID"), ("id", "700009"), ("ref-id", "700001")],
        ..clearent("transactions.void", "transaction-approved", Expect::Charge)
    },
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present: &[("type", "REFUND"), ("ref-id", "700001")],
        edits: &[("type", "REFUND"), ("id", "700009"), ("ref-id", "700001")],
        ..clearent("transactions.refund", "transaction-approved", Expect::Charge)
    },
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present: &[("type", "CAPTURE"), ("ref-id", "700001")],
        edits: &[("type", "CAPTURE"), ("id", "700009"), ("ref-id", "700001")],
        ..clearent("transactions.capture", "transaction-approved", Expect::Charge)
    },
    Case { same: &[("id", "700001")], ..clearent("transactions.get", "transaction-approved", Expect::Read) },
    Case {
        if_present: &[("total-count", "5"), ("net-amount", "-119.99")],
        ..clearent("batches.settle", "batch-settled", Expect::Write)
    },
    // The gateway's refusal of each kind of call.
    clearent("plans.create", "error", Expect::Write),
    clearent("customers.create", "error", Expect::Write),
    clearent("tokens.create", "error", Expect::Write),
    clearent("transactions.sale", "error", Expect::Charge),
    clearent("plans.delete", "error", Expect::Delete),
    clearent("customers.get", "error", Expect::Read),
    Case {
        same: &[("paymentAmount", "540.25"), ("requestID", "5a1b2c3d-0001-4aaa-8bbb-000000000005")],
        present: &["paymentID"],
        ..clientpay("payments.pay", "payment-approved", Expect::Charge)
    },
    Case {
        same: &[("paymentAmount", "540.25"), ("requestID", "5a1b2c3d-0001-4aaa-8bbb-000000000005")],
        ..clientpay("payments.pay", "payment-declined", Expect::Charge)
    },
    Case {
        same: &[("originalPaymentID", "20411875"), ("requestID", "5a1b2c3d-0001-4aaa-8bbb-000000000007")],
        ..clientpay("payments.refund", "payment-refunded", Expect::Charge)
    },
    Case {
        same: &[("paymentID", "20411875"), ("requestID", "5a1b2c3d-0001-4aaa-8bbb-000000000007")],
        ..clientpay("payments.refund", "payment-voided", Expect::Charge)
    },
    clientpay("payments.refund", "refund-refused", Expect::Charge),
    clientpay("payments.pay", "duplicate", Expect::Charge),
    Case {
        // The last part of the page's address is its request id.
        if_present: &[("requestID", "0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11")],
        present: &["paymentPageUrl"],
        ..clientpay("pages.invoice", "page", Expect::Write)
    },
    Case { present: &["payerId"], ..clientpay("payers.create", "payer", Expect::Write) },
];

impl Case {
    /// The operation and the golden reply: the name of the case.
    pub fn name(&self) -> String {
        format!("{} {}", self.operation, self.reply)
    }

    /// The formats in which the vendor replies.
    pub fn formats(&self) -> &'static [Format] {
        match self.vendor {
            Vendor::Clearent => &[Format::Json, Format::Xml],
            Vendor::ClientPay => &[Format::Json],
        }
    }

    /// The golden document.
    pub(crate) fn document(&self, format: Format) -> Tree {
        let vendor = match self.vendor {
            Vendor::Clearent => "clearent",
            Vendor::ClientPay => "clientpay",
        };
        let file = format!("{vendor}/replies/{}.{}", self.reply, format.extension());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/corpus").join(file);
        let text = fs::read(&path).ok();
        let document = text.and_then(|text| Tree::read(format, &text));
        #[expect(
            clippy::panic,
            reason = "a golden reply that is missing or unreadable leaves nothing to test"
        )]
        let Some(mut document) = document else { panic!("{} is no golden reply", path.display()) };
        for (member, value) in self.edits {
            document.edit_object(self.objects, member, value);
        }
        document
    }
}

/// The golden reply of a case, as the gateway sends it.
pub fn golden(case: &Case, format: Format) -> Reply {
    let document = case.document(format);
    let code = document.scalar("code").ok().flatten().and_then(|code| code.parse().ok());
    let refused = document.scalar("success").ok().flatten() == Some("false");
    Reply {
        status: code.unwrap_or(if refused { 402 } else { 200 }),
        content_type: format.content_type().to_owned(),
        body: document.write(format).into_bytes(),
    }
}
