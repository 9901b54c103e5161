//! An update changes the members that it names, and no others.

use perennial_domain::clearent::{
    CustomerKey, Frequency, FrequencyDay, Link, Plan, PlanKey, PlanStatus, PlanUpdate, TokenId,
};
use perennial_domain::{Amount, Date, Reported, Timestamp};

fn date(text: &str) -> Option<Date> {
    text.parse().ok()
}

fn plan() -> Plan {
    Plan {
        plan_key: PlanKey::try_from("plan_1").expect("a key"),
        plan_name: Some("Gold".into()),
        plan_type: Some("SUBSCRIPTION".into()),
        customer_key: CustomerKey::try_from("cust_1").ok(),
        customer_name: Some("Ada".into()),
        token_id: TokenId::try_from("token_1").ok(),
        frequency: Some(Frequency::reported("WEEKLY")),
        frequency_day: FrequencyDay::new(1).ok().map(Into::into),
        frequency_month: None,
        frequency_week: None,
        payment_amount: Amount::from_cents(5_000).ok(),
        start_date: date("2027-01-01"),
        end_date: date("2027-12-31"),
        status: Some(PlanStatus::ACTIVE),
        status_date: Some(Timestamp::reported("2027-01-01 10:00:00")),
        email_address: Some("ada@example.test".into()),
        email_receipt: Some(true.into()),
        links: vec![Link { rel: "self".into(), href: "/".into(), id: None }],
    }
}

/// Every one of the 8,191 sets of fields.
#[test]
fn each_set_of_fields_changes_and_the_others_stay() {
    for set in 1_u32..1 << 13 {
        let (mut update, mut expected) = (PlanUpdate::builder(), plan());
        let mut bit = 0;
        let mut has = || {
            bit += 1;
            set & 1 << (bit - 1) != 0
        };
        if has() {
            update = update.plan_name("Silver");
            expected.plan_name = Some("Silver".into());
        }
        if has() {
            update = update.plan_type("Subscription");
        }
        if has() {
            update = update.customer_key("cust_2");
            expected.customer_key = CustomerKey::try_from("cust_2").ok();
        }
        if has() {
            update = update.customer_name("Charles");
            expected.customer_name = Some("Charles".into());
        }
        if has() {
            update = update.token_id("token_2");
            expected.token_id = TokenId::try_from("token_2").ok();
        }
        if has() {
            update = update.frequency("monthly");
            expected.frequency = Some(Frequency::MONTHLY);
        }
        if has() {
            update = update.frequency_day(28);
            expected.frequency_day = FrequencyDay::new(28).ok().map(Into::into);
        }
        if has() {
            update = update.payment_amount("0.01");
            expected.payment_amount = Amount::from_cents(1).ok();
        }
        if has() {
            update = update.start_date("2027-06-01");
            expected.start_date = date("2027-06-01");
        }
        if has() {
            update = update.end_date("2027-07-31");
            expected.end_date = date("2027-07-31");
        }
        if has() {
            update = update.status("suspended");
            expected.status = Some(PlanStatus::SUSPENDED);
        }
        if has() {
            update = update.email_address("charles@example.test");
            expected.email_address = Some("charles@example.test".into());
        }
        if has() {
            update = update.email_receipt(false);
            expected.email_receipt = Some(false.into());
        }
        assert_eq!(update.build().unwrap().apply(&plan()), Ok(expected), "{set:013b}");
    }
}

#[test]
fn an_update_sets_what_was_missing() {
    let bare = Plan { plan_name: None, status: None, start_date: None, end_date: None, ..plan() };
    let update =
        PlanUpdate::builder().plan_name("Silver").status("ACTIVE").end_date("2040-01-01").build().unwrap();
    let next = update.apply(&bare).unwrap();
    assert_eq!(
        (next.plan_name.as_deref(), next.status, next.end_date),
        (Some("Silver"), Some(PlanStatus::ACTIVE), date("2040-01-01"))
    );
}

#[test]
fn all_that_the_change_breaks_is_reported() {
    let active = plan;
    let canceled = || Plan { status: Some(PlanStatus::CANCELED), ..plan() };
    let ten_years = || Plan { end_date: date("2036-12-31"), ..plan() };
    let new = PlanUpdate::builder;
    let restart = "status: must not change: a canceled plan cannot be restarted";
    let too_long = "end-date: must be at most 12 calendar months after start-date";
    let backwards = "end-date: must be on or after start-date";
    let both = format!("{restart}; {backwards}");
    let cases = [
        (active(), new().status("CANCELED"), "ok"),
        (canceled(), new().status("CANCELLED"), "ok"),
        (canceled(), new().plan_name("Past"), "ok"),
        (canceled(), new().status("ACTIVE"), restart),
        (canceled(), new().status("SUSPENDED"), restart),
        (canceled(), new().status("ACTIVE").end_date("2026-12-31"), &*both),
        (active(), new().end_date("2028-01-01"), "ok"),
        (active(), new().end_date("2028-01-02"), too_long),
        (active(), new().start_date("2028-01-01"), backwards),
        (active(), new().start_date("2026-12-30"), too_long),
        (ten_years(), new().plan_name("Decade"), "ok"),
        (ten_years(), new().status("SUSPENDED"), "ok"),
        (ten_years(), new().start_date("2027-02-01"), too_long),
        (ten_years(), new().end_date("2027-06-30"), "ok"),
    ];
    for (index, (plan, update, expected)) in cases.into_iter().enumerate() {
        let said = match update.build().unwrap().apply(&plan) {
            Ok(_) => "ok".to_owned(),
            Err(violations) => violations.to_string(),
        };
        assert_eq!(said, expected, "case {index}");
    }
}

#[test]
fn only_a_monthly_plan_with_a_term_and_a_day_has_a_schedule() {
    let monthly = || Plan { frequency: Some(Frequency::MONTHLY), ..plan() };
    let cases = [
        (monthly(), Some(12)),
        (plan(), None),
        (Plan { frequency: None, ..monthly() }, None),
        (Plan { frequency_day: None, ..monthly() }, None),
        (Plan { frequency_day: Some(Reported::Other("31".into())), ..monthly() }, None),
        (Plan { frequency_month: Some(1.into()), ..monthly() }, Some(12)),
        (Plan { frequency_month: Some(10.into()), ..monthly() }, None),
        (Plan { frequency_month: Some(Reported::Other("one".into())), ..monthly() }, None),
        (Plan { start_date: None, ..monthly() }, None),
        (Plan { end_date: None, ..monthly() }, None),
        (Plan { end_date: date("2036-12-31"), ..monthly() }, None),
    ];
    for (index, (plan, charges)) in cases.into_iter().enumerate() {
        assert_eq!(plan.schedule().map(Iterator::count), charges, "case {index}");
    }
}
