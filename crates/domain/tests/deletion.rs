//! Deletion: the objects that can be deleted, and the text of a refusal.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

use perennial_domain::clearent::{
    Obstacle::{self, ActivePlan, ChargedBy, Payments, Plans},
    Plan, PlanKey, PlanStatus, Refusal, check_customer_deletion, check_plan_deletion, check_token_deletion,
};

fn check(read: Result<(), Refusal>, obstacles: &[Obstacle], message: &str) {
    match read {
        Ok(()) => assert!(obstacles.is_empty(), "was not refused: {message}"),
        Err(refusal) => assert_eq!((refusal.obstacles(), &*refusal.to_string()), (obstacles, message)),
    }
}

#[test]
fn a_customer_goes_only_without_plans_and_payments() {
    let cases: [(u64, u64, &[Obstacle], &str); 6] = [
        (0, 0, &[], ""),
        (1, 0, &[Plans(1)], "has 1 payment plan"),
        (2, 0, &[Plans(2)], "has 2 payment plans"),
        (0, 1, &[Payments(1)], "has 1 payment"),
        (0, 2, &[Payments(2)], "has 2 payments"),
        (1, 3, &[Plans(1), Payments(3)], "has 1 payment plan and has 3 payments"),
    ];
    for (plans, payments, obstacles, reasons) in cases {
        let message = format!(
            "the customer cannot be deleted: it {reasons}; \
             update the customer's status to inactive instead; it is archived after 24 months"
        );
        check(check_customer_deletion(plans, payments), obstacles, &message);
    }
}

#[test]
fn a_plan_goes_only_when_it_is_not_active_and_has_no_payments() {
    let cancel = "cancel the plan first";
    let instead = "update the plan's status to canceled instead; it is archived after 24 months";
    let cases: [(&str, u64, &[Obstacle], &str, &str); 9] = [
        ("SUSPENDED", 0, &[], "", ""),
        ("CANCELED", 0, &[], "", ""),
        ("Cancelled", 0, &[], "", ""),
        ("paused", 0, &[], "", ""),
        ("ACTIVE", 0, &[ActivePlan], "is active", cancel),
        ("Active", 0, &[ActivePlan], "is active", cancel),
        ("ACTIVE", 2, &[ActivePlan, Payments(2)], "is active and has 2 payments", instead),
        ("SUSPENDED", 1, &[Payments(1)], "has 1 payment", instead),
        (
            "CANCELED",
            1,
            &[Payments(1)],
            "has 1 payment",
            "it stays canceled, and is archived after 24 months",
        ),
    ];
    for (status, payments, obstacles, reasons, alternative) in cases {
        let message = format!("the plan cannot be deleted: it {reasons}; {alternative}");
        check(check_plan_deletion(&PlanStatus::reported(status), payments), obstacles, &message);
    }
}

fn plan(key: &str, status: &str, end: &str) -> Plan {
    Plan {
        plan_key: key.parse().unwrap(),
        plan_name: None,
        plan_type: None,
        customer_key: None,
        customer_name: None,
        token_id: None,
        frequency: None,
        frequency_day: None,
        frequency_month: None,
        frequency_week: None,
        payment_amount: None,
        start_date: None,
        end_date: end.parse().ok(),
        status: Some(status).filter(|status| !status.is_empty()).map(PlanStatus::reported),
        status_date: None,
        email_address: None,
        email_receipt: None,
        links: Vec::new(),
    }
}

#[test]
fn a_token_goes_only_when_no_plan_can_charge_it() {
    let today = "2027-06-15".parse().ok();
    let charged =
        |keys: &[&str]| vec![ChargedBy(keys.iter().map(|key| PlanKey::try_from(*key).unwrap()).collect())];
    let one = plan("plan_1", "ACTIVE", "2027-12-31");
    let suspended = plan("plan_2", "SUSPENDED", "2027-12-31");
    let odd = plan("plan_3", "PAUSED", "2027-12-31");
    let bare = plan("plan_4", "", "");
    let gone = plan("plan_5", "Cancelled", "2027-12-31");
    let over = plan("plan_6", "ACTIVE", "2027-06-14");
    let last_day = plan("plan_7", "ACTIVE", "2027-06-15");
    for (plans, today, keys, reason) in [
        (vec![], today, &[][..], ""),
        (vec![gone.clone(), over.clone()], today, &[], ""),
        (vec![one.clone()], today, &["plan_1"], "1 plan (plan_1)"),
        (vec![suspended.clone()], today, &["plan_2"], "1 plan (plan_2)"),
        (vec![odd.clone()], today, &["plan_3"], "1 plan (plan_3)"),
        (vec![bare.clone()], today, &["plan_4"], "1 plan (plan_4)"),
        (vec![last_day], today, &["plan_7"], "1 plan (plan_7)"),
        // If the day is not known, no term is over.
        (vec![over.clone()], None, &["plan_6"], "1 plan (plan_6)"),
        (
            vec![gone.clone(), one.clone(), over, suspended.clone()],
            today,
            &["plan_1", "plan_2"],
            "2 plans (plan_1, plan_2)",
        ),
        (
            vec![one, suspended, odd, bare],
            today,
            &["plan_1", "plan_2", "plan_3", "plan_4"],
            "4 plans (plan_1, plan_2, plan_3, ...)",
        ),
    ] {
        let message = format!(
            "the token cannot be deleted: it is charged by {reason}; give the plan another token first, or cancel it"
        );
        let obstacles = if keys.is_empty() { Vec::new() } else { charged(keys) };
        check(check_token_deletion(&plans, today), &obstacles, &message);
    }
}
