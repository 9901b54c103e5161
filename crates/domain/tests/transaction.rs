//! Judgments of a reported transaction by its members.

use perennial_domain::clearent::{
    CustomerKey, Partial, Payment, PlanKey, Transaction, TransactionResult, TransactionType, Verdict,
};

/// Holds: A transaction is approved or declined only if all its members agree.
#[test]
fn a_verdict_rests_on_everything_that_is_reported() {
    use Verdict::{Approved, Declined, Undecided};
    let cases = [
        (Some("APPROVED"), Some("000"), None, Approved),
        (Some("Approved"), Some("0000"), None, Approved),
        (Some("approved"), Some("0"), Some("Approved"), Approved),
        (Some("APPROVED"), Some("036"), None, Approved),
        (Some("APPROVED"), None, None, Approved),
        (Some("APPROVED"), Some(" "), None, Approved),
        // An undocumented word, as stored records may have it, decides nothing.
        (Some("APPROVED"), Some("000"), Some("Settled"), Approved),
        (Some("APPROVED"), Some("000"), Some("Declined"), Undecided),
        (Some("APPROVED"), Some("012"), None, Undecided),
        (Some("APPROVED"), Some("050"), None, Undecided),
        (Some("APPROVED"), Some("060"), None, Undecided),
        (Some("APPROVED"), Some("+0"), None, Undecided),
        (Some("APPROVED"), Some("0x0"), None, Undecided),
        (Some("DECLINED"), Some("012"), None, Declined),
        (Some("Declined"), Some("0012"), Some("Declined"), Declined),
        (Some("DECLINED"), Some("060"), None, Declined),
        (Some("DECLINED"), Some("N7"), None, Undecided),
        (Some("DECLINED"), None, None, Declined),
        (Some("DECLINED"), Some("012"), Some("Approved"), Undecided),
        (Some("DECLINED"), Some("000"), None, Undecided),
        (Some("DECLINED"), Some("036"), None, Undecided),
        // The network behind the gateway did not respond: its outcome is unknown.
        (Some("ERROR"), Some("049"), None, Undecided),
        (Some("ERROR"), Some("009"), Some("Error"), Declined),
        (Some("ERROR"), None, None, Declined),
        (Some("DECLINED_BY_ISSUER_REFERRED_PLEASE_CALL_CARD_ISSUER"), Some("007"), None, Declined),
        (Some("CARD_EXPIRED"), None, None, Undecided),
        (Some("PENDING"), Some("000"), None, Undecided),
        (Some("REVIEW"), None, None, Undecided),
        (Some("PARTIAL"), Some("000"), Some("Approved"), Undecided),
        (Some("UNDECLINED"), Some("012"), None, Undecided),
        (Some(""), None, None, Undecided),
        (None, Some("012"), None, Declined),
        (None, Some("012"), Some("Approved"), Undecided),
        (None, Some("059"), None, Declined),
        (None, Some("060"), None, Undecided),
        (None, Some("034"), None, Undecided),
        (None, Some("050"), None, Undecided),
        (None, Some("000"), None, Undecided),
        (None, Some("000"), Some("Approved"), Undecided),
        (None, None, Some("Approved"), Undecided),
        (None, None, Some("Declined"), Undecided),
        (None, None, None, Undecided),
    ];
    for (result, code, status, verdict) in cases {
        let transaction = Transaction {
            result: result.map(TransactionResult::reported),
            result_code: code.map(str::to_owned),
            status: status.map(str::to_owned),
            display_message: Some("said".into()),
            ..Transaction::default()
        };
        let case = format!("{result:?} {code:?} {status:?}");
        assert_eq!(transaction.verdict(), verdict, "{case}");
        assert_eq!(transaction.is_approved(), verdict == Approved, "{case}");
        let decline = transaction.decline().map(|decline| (decline.code, decline.message));
        let expected = (verdict == Declined).then(|| (code.map(str::to_owned), Some("said".to_owned())));
        assert_eq!(decline, expected, "{case}");
    }
}

#[test]
fn a_part_is_what_is_less_than_was_asked_for() {
    let (sale, refund) = (Some("SALE"), Some("REFUND"));
    let cases = [
        (sale, "APPROVED", Some("20.00"), Some("25.00"), Some(true), Some(("20.00", Some("5.00")))),
        (None, "APPROVED", Some("20.00"), Some("25.00"), None, Some(("20.00", Some("5.00")))),
        (sale, "APPROVED", Some("20.00"), None, Some(true), Some(("20.00", None))),
        (Some("CAPTURE"), "APPROVED", Some("20.00"), Some("25.00"), None, Some(("20.00", Some("5.00")))),
        (sale, "APPROVED", Some("25.00"), Some("25.00"), None, None),
        // A tip, for example.
        (sale, "APPROVED", Some("30.00"), Some("25.00"), Some(false), None),
        (sale, "DECLINED", Some("20.00"), Some("25.00"), Some(true), None),
        (sale, "PENDING", Some("20.00"), Some("25.00"), Some(true), None),
        (sale, "APPROVED", None, Some("25.00"), Some(true), None),
        (refund, "APPROVED", Some("20.00"), Some("25.00"), None, None),
    ];
    for (kind, result, amount, original, flag, expected) in cases {
        let transaction = Transaction {
            transaction_type: kind.map(TransactionType::reported),
            result: Some(TransactionResult::reported(result)),
            amount: amount.map(|amount| amount.parse().unwrap()),
            original_amount: original.map(|amount| amount.parse().unwrap()),
            partial_approved: flag,
            ..Transaction::default()
        };
        let partial = transaction.partial();
        let shown = partial.map(|Partial { taken, due }| (taken.to_string(), due.map(|due| due.to_string())));
        let expected =
            expected.map(|(taken, due): (&str, Option<&str>)| (taken.to_owned(), due.map(str::to_owned)));
        assert_eq!(shown, expected, "{kind:?} {result} {amount:?} {original:?} {flag:?}");
    }
}

#[test]
fn a_payment_is_judged_by_its_status() {
    for (status, verdict) in [
        (Some("APPROVED"), Verdict::Approved),
        (Some("Declined"), Verdict::Declined),
        (Some("ERROR"), Verdict::Declined),
        (Some("REVIEW"), Verdict::Undecided),
        (None, Verdict::Undecided),
    ] {
        let payment = Payment { status: status.map(TransactionResult::reported), ..Payment::default() };
        assert_eq!(payment.verdict(), verdict, "{status:?}");
    }
}

#[test]
fn only_the_recurring_engine_names_a_plan_and_a_customer() {
    let cases = [
        (Some("Clearent Recurring Engine"), Some("plan_1"), Some("cust_1"), Some("plan_1"), Some("cust_1")),
        (Some("CLEARENT RECURRING ENGINE"), Some("plan_1"), None, Some("plan_1"), None),
        (Some("Clearent Recurring Engine"), None, Some("cust_1"), None, None),
        (Some("Clearent Recurring Engine"), Some("not a key"), Some("cust_1"), None, None),
        (Some("my shop"), Some("plan_1"), Some("cust_1"), None, None),
        (None, Some("plan_1"), Some("cust_1"), None, None),
    ];
    for (software, order, customer, plan_key, customer_key) in cases {
        let transaction = Transaction {
            software_type: software.map(str::to_owned),
            order_id: order.map(str::to_owned),
            customer_id: customer.map(str::to_owned),
            ..Transaction::default()
        };
        assert_eq!(transaction.plan_key().as_ref().map(PlanKey::as_str), plan_key, "{software:?} {order:?}");
        assert_eq!(
            transaction.customer_key().as_ref().map(CustomerKey::as_str),
            customer_key,
            "{software:?} {order:?}"
        );
    }
}
