//! What a reported transaction says of itself.

use perennial_domain::clearent::{CustomerKey, PlanKey, Transaction, TransactionResult};

#[test]
fn a_decline_is_what_the_gateway_calls_one() {
    let cases = [
        (Some("APPROVED"), Some("000"), true, false),
        (Some("Approved"), Some("0000"), true, false),
        (Some("APPROVED"), Some("012"), true, false),
        (Some("DECLINED"), Some("012"), false, true),
        (Some("ERROR"), None, false, true),
        (Some("CARD_EXPIRED"), None, false, true),
        (None, Some("012"), false, true),
        (None, Some("000"), false, false),
        (None, None, false, false),
    ];
    for (result, code, approved, declined) in cases {
        let transaction = Transaction {
            result: result.map(TransactionResult::reported),
            result_code: code.map(str::to_owned),
            display_message: Some("said".into()),
            ..Transaction::default()
        };
        assert_eq!(transaction.is_approved(), approved, "{result:?} {code:?}");
        let decline = transaction.decline().map(|decline| (decline.code, decline.message));
        let expected = declined.then(|| (code.map(str::to_owned), Some("said".to_owned())));
        assert_eq!(decline, expected, "{result:?} {code:?}");
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
