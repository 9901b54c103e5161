//! What may be deleted, and what a refusal says.

use perennial_domain::clearent::{
    Obstacle::{self, ActivePlan, Payments, Plans},
    PlanStatus, Refusal, check_customer_deletion, check_plan_deletion,
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
