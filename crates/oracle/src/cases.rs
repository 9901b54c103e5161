//! The table of all judged calls.

use crate::case::{Case, Expect, List, Members, Vendor};

const CUSTOMER: &str = "cust_5a1d7c1e-8a0f-4c55-9f43-0b2f3f1f2a10";
const PLAN: &str = "plan_3f0f6d1c-5f0e-4f39-9f7e-6a3d1c2b4e5f";
const TOKEN: &str = "1100000000555551111";
const PAID: &str = "5a1b2c3d-0001-4aaa-8bbb-000000000005";
const REFUNDED: &str = "5a1b2c3d-0001-4aaa-8bbb-000000000007";
const LISTED: &str = "0d3f4c2e-7f55-4d0e-9a6a-3f2f8f6f1b11";
const PAYER: &str = "9a7b6c5d-1111-4222-8333-444455556666";

/// A case in which only the object is required.
const fn case(
    vendor: Vendor,
    operation: &'static str,
    reply: &'static str,
    expect: Expect,
    objects: &'static [&'static str],
) -> Case {
    Case {
        vendor,
        operation,
        reply,
        expect,
        objects,
        list: None,
        present: &[],
        same: &[],
        if_present: &[],
        edits: &[],
    }
}

const fn customer(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    case(Vendor::Clearent, operation, reply, expect, &["customer"])
}

const fn token(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    case(Vendor::Clearent, operation, reply, expect, &["tokenResponse", "token"])
}

const fn customer_token(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    case(Vendor::Clearent, operation, reply, expect, &["customer-token"])
}

const fn plan(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    case(Vendor::Clearent, operation, reply, expect, &["payment-plan"])
}

const fn transaction(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    case(Vendor::Clearent, operation, reply, expect, &["transaction"])
}

const fn batch(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    case(Vendor::Clearent, operation, reply, expect, &["batch"])
}

const fn clientpay(operation: &'static str, reply: &'static str, expect: Expect) -> Case {
    case(Vendor::ClientPay, operation, reply, expect, &[])
}

/// A list of records, the golden one and others.
const fn list(
    vendor: Vendor,
    operation: &'static str,
    reply: &'static str,
    path: &'static [&'static str],
    key: &'static str,
    others: &'static [Members],
) -> Case {
    Case { list: Some(List { path, key, others }), ..case(vendor, operation, reply, Expect::List, &[]) }
}

const fn clearent_list(
    operation: &'static str,
    reply: &'static str,
    path: &'static [&'static str],
    key: &'static str,
    others: &'static [Members],
) -> Case {
    list(Vendor::Clearent, operation, reply, path, key, others)
}

/// A lookup of the payments of a request, by a search.
const fn look(operation: &'static str, others: &'static [Members]) -> Case {
    Case {
        expect: Expect::Look,
        same: &[("requestID", LISTED), ("paymentAmount", "2490.5")],
        ..list(Vendor::ClientPay, operation, "results", &["payments"], "paymentID", others)
    }
}

/// A charge of 25.00 that refers to transaction 700001.
const fn following(operation: &'static str, edits: Members, if_present: Members) -> Case {
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present,
        edits,
        ..transaction(operation, "transaction-approved", Expect::Charge)
    }
}

/// The requested members that the response to a plan request has (reference, section 2.5).
const PLAN_AS_ASKED: Members = &[
    ("customer-key", CUSTOMER),
    ("token-id", TOKEN),
    ("payment-amount", "50.00"),
    ("frequency", "MONTHLY"),
    ("frequency-day", "15"),
    ("start-date", "2027-01-01"),
    ("end-date", "2027-12-01"),
    ("status", "ACTIVE"),
];

const CHARGE: Members = &[("type", "SALE"), ("last-four", "1111")];

/// Three plans of the customer.
const PLANS: &[Members] = &[
    &[("plan-key", "plan_0000000000aa"), ("payment-amount", "13.00")],
    &[("plan-key", "plan_0000000000ab"), ("status", "SUSPENDED")],
];

const OTHER_RESULTS: &[Members] =
    &[&[("paymentID", "20411874"), ("paymentAmount", "12.00")], &[("paymentID", "20411875")]];

/// All judged calls.
pub const CASES: &[Case] = &[
    Case {
        present: &["plan-key"],
        same: PLAN_AS_ASKED,
        ..plan("plans.create", "plan-created", Expect::Write)
    },
    Case { same: &[("plan-key", PLAN)], ..plan("plans.get", "plan-created", Expect::Read) },
    Case {
        same: &[("plan-key", PLAN), ("payment-amount", "60.00"), ("frequency-day", "20")],
        edits: &[("payment-amount", "60.00"), ("frequency-day", "20")],
        ..plan("plans.update", "plan-created", Expect::Write)
    },
    Case {
        same: &[("plan-key", PLAN), ("status", "CANCELED")],
        ..plan("plans.cancel", "plan-deleted", Expect::Write)
    },
    Case { same: &[("plan-key", PLAN)], ..plan("plans.delete", "plan-deleted", Expect::Delete) },
    Case {
        same: &[("customer-key", CUSTOMER)],
        edits: &[("customer-key", CUSTOMER), ("start-date", "2027-01-01"), ("end-date", "2027-12-01")],
        ..clearent_list("plans.search", "plans", &["payment-plans", "payment-plan"], "plan-key", PLANS)
    },
    clearent_list("plans.expected-runs", "expected-runs", &["expected-runs", "expected-run"], "", &[]),
    clearent_list("plans.forecast", "plan-forecast", &["plan-forecast", "date"], "", &[]),
    Case {
        same: &[("customer-key", CUSTOMER)],
        ..clearent_list(
            "payments.list",
            "payments",
            &["payments", "payment"],
            "transaction-id",
            &[
                &[("transaction-id", "700002"), ("status", "DECLINED")],
                &[("transaction-id", "700003"), ("payment-amount", "51.00")],
            ],
        )
    },
    Case {
        present: &["customer-key"],
        if_present: &[("first-name", "Ada"), ("last-name", "Byron")],
        ..customer("customers.create", "customer-created", Expect::Write)
    },
    Case {
        same: &[("customer-key", CUSTOMER)],
        ..customer("customers.get", "customer-created", Expect::Read)
    },
    Case {
        same: &[("customer-key", CUSTOMER), ("first-name", "Augusta")],
        ..customer("customers.update", "customer-updated", Expect::Write)
    },
    Case {
        same: &[("customer-key", CUSTOMER)],
        ..customer("customers.delete", "customer-deleted", Expect::Delete)
    },
    clearent_list(
        "customers.search",
        "customers",
        &["customers", "customer"],
        "customer-key",
        &[
            &[("customer-key", "cust_0000000000aa")],
            &[("customer-key", "cust_0000000000ab"), ("last-name", "Lovelace")],
        ],
    ),
    Case {
        same: &[("customer-key", CUSTOMER)],
        ..clearent_list(
            "customer-tokens.list",
            "customer-tokens",
            &["customer-tokens", "customer-token"],
            "token-id",
            &[
                &[("token-id", "1100000000666660004"), ("default", "false"), ("exp-date", "0932")],
                &[("token-id", "1100000000777770012"), ("last-four-digits", "0012")],
            ],
        )
    },
    Case {
        same: &[("customer-key", CUSTOMER), ("token-id", TOKEN)],
        if_present: &[("exp-date", "1230"), ("last-four-digits", "1111")],
        ..customer_token("customer-tokens.attach", "customer-token", Expect::Write)
    },
    Case {
        same: &[("customer-key", CUSTOMER), ("token-id", TOKEN), ("default", "true")],
        edits: &[("default", "true")],
        ..customer_token("customer-tokens.update", "customer-token", Expect::Write)
    },
    Case {
        present: &["token-id"],
        if_present: &[("customer-key", CUSTOMER), ("last-four-digits", "1111"), ("exp-date", "1230")],
        ..token("tokens.create", "token-created", Expect::Write)
    },
    // The wire format of 2014, which omits the expiry.
    Case {
        present: &["token-id"],
        if_present: &[("customer-key", CUSTOMER), ("last-four-digits", "1111"), ("exp-date", "1230")],
        ..token("tokens.create", "token-created-2014", Expect::Write)
    },
    Case { same: &[("token-id", TOKEN)], ..token("tokens.get", "token-created", Expect::Read) },
    // The response has only the changed members (reference, section 4.2).
    Case {
        same: &[("customer-key", CUSTOMER)],
        if_present: &[("token-id", TOKEN)],
        ..token("tokens.update", "token-updated", Expect::Write)
    },
    Case { if_present: &[("token-id", TOKEN)], ..token("tokens.delete", "token-deleted", Expect::Delete) },
    clearent_list(
        "tokens.search",
        "tokens",
        &["tokens", "token"],
        "token-id",
        &[&[("token-id", "1100000000777770012"), ("last-four-digits", "0012"), ("exp-date", "0932")]],
    ),
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present: CHARGE,
        ..transaction("transactions.sale", "transaction-approved", Expect::Charge)
    },
    Case {
        same: &[("amount", "0.21")],
        if_present: CHARGE,
        ..transaction("transactions.sale", "transaction-declined", Expect::Charge)
    },
    Case {
        present: &["id"],
        same: &[("amount", "12.22")],
        if_present: &[("type", "SALE"), ("order-id", PLAN), ("last-four", "1111")],
        ..transaction("transactions.sale", "transaction-token", Expect::Charge)
    },
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present: CHARGE,
        ..transaction("transactions.sale", "transaction-partial", Expect::Charge)
    },
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present: CHARGE,
        ..transaction("transactions.sale", "transaction-checked", Expect::Charge)
    },
    Case {
        present: &["id"],
        same: &[("amount", "25.00")],
        if_present: &[("type", "AUTH"), ("last-four", "1111")],
        edits: &[("type", "AUTH")],
        ..transaction("transactions.auth", "transaction-approved", Expect::Charge)
    },
    // A card check that creates a token: the response is the token (reference, section 2.7).
    Case { present: &["token-id"], ..token("transactions.auth", "token-created", Expect::Charge) },
    Case {
        present: &["id"],
        if_present: &[("type", "VOID"), ("ref-id", "700001")],
        edits: &[("type", "VOID"), ("id", "700009"), ("ref-id", "700001")],
        ..transaction("transactions.void", "transaction-approved", Expect::Charge)
    },
    following(
        "transactions.refund",
        &[("type", "REFUND"), ("id", "700009"), ("ref-id", "700001")],
        &[("type", "REFUND"), ("ref-id", "700001")],
    ),
    following(
        "transactions.capture",
        &[("type", "CAPTURE"), ("id", "700009"), ("ref-id", "700001")],
        &[("type", "CAPTURE"), ("ref-id", "700001")],
    ),
    Case {
        same: &[("tip-amount", "4.00")],
        if_present: &[("id", "700001")],
        edits: &[("tip-amount", "4.00")],
        ..transaction("transactions.update", "transaction-approved", Expect::Charge)
    },
    Case {
        same: &[("id", "700001")],
        ..transaction("transactions.get", "transaction-approved", Expect::Read)
    },
    Case {
        same: &[("type", "SALE")],
        ..clearent_list(
            "transactions.search",
            "transactions",
            &["transactions", "transaction"],
            "id",
            &[
                &[("id", "700004"), ("amount", "25.00"), ("original-amount", "25.00"), ("voided", "true")],
                &[("id", "700005"), ("result", "DECLINED"), ("result-code", "012"), ("status", "Declined")],
            ],
        )
    },
    clearent_list(
        "batches.list",
        "batches",
        &["batches", "batch"],
        "id",
        &[
            &[("id", "58"), ("status", "CLOSED")],
            &[("id", "57"), ("status", "CLOSED"), ("net-amount", "-119.99")],
        ],
    ),
    batch("batches.open", "batch-open", Expect::Read),
    Case {
        if_present: &[("total-count", "5"), ("net-amount", "-119.99")],
        ..batch("batches.settle", "batch-settled", Expect::Write)
    },
    // The gateway's refusal of each kind of call.
    plan("plans.create", "error", Expect::Write),
    customer("customers.create", "error", Expect::Write),
    token("tokens.create", "error", Expect::Write),
    transaction("transactions.sale", "error", Expect::Charge),
    transaction("transactions.refund", "error", Expect::Charge),
    plan("plans.delete", "error", Expect::Delete),
    customer("customers.get", "error", Expect::Read),
    clearent_list("transactions.search", "error", &["transactions", "transaction"], "id", &[]),
    Case { present: &["accessId"], ..clientpay("access.new", "access-id", Expect::Write) },
    Case { present: &["accessId"], ..clientpay("access.current", "access-id", Expect::Read) },
    Case { present: &["accessId"], ..clientpay("access.current", "no-access-id", Expect::Read) },
    Case { same: &[("isValid", "true")], ..clientpay("access.validate", "valid", Expect::Read) },
    Case { same: &[("isValid", "true")], ..clientpay("access.validate", "not-valid", Expect::Read) },
    Case { same: &[("isValid", "true")], ..clientpay("access.validate-credentials", "valid", Expect::Read) },
    clientpay("access.expire", "done", Expect::Delete),
    Case {
        present: &["customerAccessId"],
        ..clientpay("access.new-customer", "customer-access-id", Expect::Write)
    },
    Case { present: &["requestId"], ..clientpay("request-id.new", "request-id", Expect::Read) },
    Case {
        same: &[("paymentAmount", "540.25"), ("requestID", PAID)],
        present: &["paymentID"],
        ..clientpay("payments.pay", "payment-approved", Expect::Charge)
    },
    Case {
        same: &[("paymentAmount", "540.25"), ("requestID", PAID)],
        ..clientpay("payments.pay", "payment-declined", Expect::Charge)
    },
    clientpay("payments.pay", "duplicate", Expect::Charge),
    // The response was lost, and a search finds this for the request.
    look("payments.pay", &[]),
    look("payments.pay", &[&[("paymentID", "20411874")]]),
    look("payments.confirm", &[]),
    look("payments.confirm", &[&[("paymentID", "20411874")], &[("paymentID", "20411875")]]),
    look("payments.confirm", &[&[("paymentID", "20411874"), ("paymentStatus", "Declined")]]),
    look("payments.confirm", &[&[("paymentID", "20411874"), ("paymentStatus", "Processing")]]),
    look("payments.confirm", &[&[("paymentStatus", "Processing")]]),
    Case {
        same: &[("requestID", PAID), ("paymentAmount", "540.25")],
        ..clientpay("payments.status", "payment-approved", Expect::Look)
    },
    Case {
        same: &[("requestID", PAID), ("paymentAmount", "540.25")],
        ..clientpay("payments.status", "payment-declined", Expect::Look)
    },
    Case {
        same: &[("requestID", "5a1b2c3d-0001-4aaa-8bbb-000000000101"), ("paymentAmount", "540.25")],
        ..clientpay("payments.status", "v1-status-unpaid", Expect::Look)
    },
    Case { present: &["count"], ..clientpay("payments.count", "count", Expect::Read) },
    list(Vendor::ClientPay, "payments.search", "results", &["payments"], "paymentID", OTHER_RESULTS),
    Case {
        same: &[("originalPaymentID", "20411875"), ("requestID", REFUNDED)],
        ..clientpay("payments.refund", "payment-refunded", Expect::Charge)
    },
    Case {
        same: &[("paymentID", "20411875"), ("requestID", REFUNDED)],
        ..clientpay("payments.refund", "payment-voided", Expect::Charge)
    },
    clientpay("payments.refund", "refund-refused", Expect::Charge),
    Case {
        // The last part of the page's address is its request id.
        if_present: &[("requestID", LISTED)],
        present: &["paymentPageUrl"],
        ..clientpay("pages.invoices", "page", Expect::Write)
    },
    Case {
        if_present: &[("requestID", LISTED)],
        present: &["paymentPageUrl"],
        ..clientpay("pages.line-items", "page", Expect::Write)
    },
    Case {
        if_present: &[("requestID", LISTED)],
        present: &["paymentPageUrl"],
        ..clientpay("pages.connect", "page", Expect::Write)
    },
    Case {
        if_present: &[("requestID", "5a1b2c3d-0001-4aaa-8bbb-000000000004")],
        present: &["payerPageUrl"],
        ..clientpay("pages.payer", "payer-page", Expect::Write)
    },
    Case { if_present: &[("requestID", LISTED)], ..clientpay("pages.expire", "done", Expect::Delete) },
    list(
        Vendor::ClientPay,
        "connect.search",
        "connect-found",
        &["invoices"],
        "invoiceNumber",
        &[
            &[("invoiceNumber", "INV-70414"), ("outstandingBalance", "12.50")],
            &[("invoiceNumber", "INV-70415"), ("invoiceDate", "2024-04-01")],
        ],
    ),
    Case { present: &["payerId"], ..clientpay("payers.create", "payer", Expect::Write) },
    Case { if_present: &[("payerId", PAYER)], ..clientpay("payers.update", "done", Expect::Write) },
    Case { if_present: &[("payerId", PAYER)], ..clientpay("payers.update", "payer", Expect::Write) },
    Case { if_present: &[("payerId", PAYER)], ..clientpay("payers.delete", "done", Expect::Delete) },
    Case { if_present: &[("payerId", PAYER)], ..clientpay("payers.add-methods", "methods", Expect::Write) },
    clientpay("payers.update-methods", "done", Expect::Write),
    clientpay("payers.update-methods", "methods", Expect::Write),
];
