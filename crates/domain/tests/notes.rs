//! Terms by their number of charges, notes on plans and on their updates, and equal plans.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

use perennial_domain::clearent::{
    Forecast, Frequency, FrequencyDay, NewPlan, NewPlanBuilder, Plan, PlanNote, PlanStatus, PlanTerm,
    PlanUpdate, Schedule,
};
use perennial_domain::{Date, Expiry, Month, NaiveDate, NaiveDateTime, Rule};
use proptest::prelude::*;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A time written `2027-01-15 10`.
fn at(text: &str) -> NaiveDateTime {
    let (day, hour) = text.split_once(' ').unwrap();
    date(day).naive().and_hms_opt(hour.parse().unwrap(), 0, 0).unwrap()
}

fn new(day: u32) -> NewPlanBuilder {
    NewPlan::builder()
        .plan_name("Gold")
        .customer_key("cust_1")
        .token_id("1100000000555551111")
        .monthly_on(day)
        .payment_amount("50.00")
        .status(PlanStatus::ACTIVE)
}

fn from_to(day: u32, start: &str, end: &str) -> NewPlan {
    new(day).start_date(start).end_date(end).build().unwrap()
}

/// The plan as the gateway reports it.
fn reported(plan: &NewPlan) -> Plan {
    let fields = plan.fields();
    Plan {
        plan_key: "plan_1".parse().unwrap(),
        plan_name: None,
        plan_type: None,
        customer_key: Some(fields.customer_key.clone()),
        customer_name: None,
        token_id: Some(fields.token_id.clone()),
        frequency: Some(Frequency::MONTHLY),
        frequency_day: fields.frequency_day.copied().map(Into::into),
        frequency_month: None,
        frequency_week: None,
        payment_amount: Some(*fields.payment_amount),
        start_date: Some(*fields.start_date),
        end_date: Some(*fields.end_date),
        status: fields.status.cloned(),
        status_date: None,
        email_address: None,
        email_receipt: None,
        links: Vec::new(),
    }
}

#[test]
fn a_term_has_so_many_charges_on_any_day_and_the_next_begins_where_it_ends() {
    let days = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap().iter_days().take(2 * 366);
    for start in days {
        for months in 1..=12 {
            let term = PlanTerm::months(start.try_into().unwrap(), months).unwrap();
            let next = PlanTerm::months(term.day_after().unwrap(), 12).unwrap();
            for day in [1, 2, 14, 15, 27, 28] {
                let day = FrequencyDay::new(day).unwrap();
                let ours: Vec<NaiveDate> = Schedule::new(term, day).collect();
                assert_eq!(ours.len(), usize::try_from(months).unwrap(), "{start} {months} {day}");
                let follows = Schedule::new(next, day).next().unwrap();
                let last = ours.last().copied().unwrap();
                assert_eq!(Month::of(follows).since(Month::of(last)), Some(1), "{start} {months} {day}");
            }
        }
    }
}

#[test]
fn terms_by_their_charges() {
    for (start, charges, end) in [
        ("2027-01-15", 12, Ok("2028-01-14")),
        ("2027-01-01", 12, Ok("2027-12-31")),
        ("2027-01-15", 1, Ok("2027-02-14")),
        ("2027-01-28", 1, Ok("2027-02-27")),
        ("2027-01-31", 1, Ok("2027-02-28")),
        ("2027-01-29", 12, Ok("2028-01-28")),
        ("2028-02-29", 12, Ok("2029-02-28")),
        ("2199-12-01", 1, Ok("2199-12-31")),
        (
            "2199-12-02",
            1,
            Err("end-date: must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199"),
        ),
        ("2027-01-15", 0, Err("end-date: must have from 1 to 12 charges")),
        ("2027-01-15", 13, Err("end-date: must have from 1 to 12 charges")),
        ("2027-01-15", u32::MAX, Err("end-date: must have from 1 to 12 charges")),
        (
            "2027-1-15",
            12,
            Err("start-date: must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199"),
        ),
    ] {
        let built = new(15).starting(start).charges(charges).build();
        let read = built.as_ref().map(|plan| plan.fields().end_date.to_string()).map_err(ToString::to_string);
        let expected = end.map(str::to_owned).map_err(|why| why.replace("of the calendar ", ""));
        let read = read.map_err(|why| why.replace("of the calendar ", ""));
        assert_eq!(read, expected, "{start} {charges}");
    }
    assert_eq!(PlanTerm::months(date("2027-01-15"), 13).unwrap_err().0, Rule::Charges);
}

fn texts(notes: &[PlanNote]) -> Vec<String> {
    notes.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_noted_of_a_new_plan() {
    let thirteen = "the plan charges 13 times, the last time on 2028-01-15: end it on 2028-01-14 for 12 charges, or start \
                    the next plan on 2028-01-16, because one that starts on 2028-01-15 charges that day twice";
    let hour = "(the hour is the sandbox's; that of the gateway is not documented)";
    let due = format!("a charge is due today, 2027-01-15, at 10:00 UTC {hour}; the next day is 2027-02-15");
    let was_due = format!(
        "a charge was due today, 2027-01-15, at 10:00 UTC and is not made up {hour}; the next day is 2027-02-15"
    );
    let only = format!(
        "a charge was due today, 2027-01-15, at 10:00 UTC and is not made up {hour}; no other day follows"
    );
    let six = "the card expires at the end of 2027-06: 6 charges, from 2027-07-15 on, will be declined unless the plan \
               gets another token";
    let one = "the card expires at the end of 2027-11: 1 charge, from 2027-12-15 on, will be declined unless the plan \
               gets another token";
    let year = ("2027-01-01", "2027-12-31");
    for (day, (start, end), now, card, notes) in [
        (15, year, "2026-12-01 0", "1230", &[][..]),
        (15, year, "2026-12-01 0", "1227", &[]),
        (15, year, "2026-12-01 0", "1127", &[one]),
        (15, year, "2026-12-01 0", "0627", &[six]),
        (15, ("2027-01-15", "2028-01-15"), "2026-12-01 0", "", &[thirteen]),
        (15, ("2027-01-15", "2028-01-14"), "2026-12-01 0", "", &[]),
        (28, ("2027-01-31", "2028-01-31"), "2026-12-01 0", "", &[]),
        (
            15,
            ("2027-01-16", "2027-02-14"),
            "2026-12-01 0",
            "",
            &["the plan never charges: day 15 of a month is not between 2027-01-16 and 2027-02-14"],
        ),
        (
            15,
            year,
            "2028-01-01 0",
            "",
            &[
                "no charge is to come: the plan's last day, 2027-12-15, is past, and past days are not made up",
            ],
        ),
        (15, year, "2027-01-16 0", "", &["1 charge is past and is not made up; the next day is 2027-02-15"]),
        (
            15,
            year,
            "2027-04-14 0",
            "",
            &["3 charges are past and are not made up; the next day is 2027-04-15"],
        ),
        (15, ("2027-01-15", "2028-01-14"), "2027-01-14 23", "", &[]),
        (15, ("2027-01-15", "2028-01-14"), "2027-01-15 0", "", &[&due]),
        (15, ("2027-01-15", "2028-01-14"), "2027-01-15 9", "", &[&due]),
        (15, ("2027-01-15", "2028-01-14"), "2027-01-15 10", "", &[&was_due]),
        (15, ("2027-01-15", "2027-01-31"), "2027-01-15 23", "", &[&only]),
        (
            15,
            ("2027-01-15", "2028-01-15"),
            "2027-01-15 10",
            "0627",
            &[
                thirteen,
                &was_due,
                "the card expires at the \
            end of 2027-06: 7 charges, from 2027-07-15 on, will be declined unless the plan gets another token",
            ],
        ),
    ] {
        let plan = from_to(day, start, end);
        assert_eq!(
            texts(&plan.notes_at(at(now), card.parse().ok())),
            notes,
            "{day} {start} {end} {now} {card}"
        );
        let known = plan.notes_at(at("2000-01-01 0"), None);
        assert_eq!(plan.notes(), known, "without a clock there is less to note: {start} {end}");
    }
    let canceled = new(15).starting("2027-01-15").charges(12).status(PlanStatus::CANCELED).build().unwrap();
    let never = ["the plan never charges: it is canceled from the start"];
    assert_eq!(texts(&canceled.notes()), never);
    assert_eq!(texts(&canceled.notes_at(at("2027-01-15 12"), "0127".parse().ok())), never);
}

#[test]
fn what_is_noted_of_a_change() {
    type Change =
        fn(perennial_domain::clearent::PlanUpdateBuilder) -> perennial_domain::clearent::PlanUpdateBuilder;
    let twice = |month: &str, made: &str, again: &str| {
        format!(
            "the card is charged twice in {month}: the charge of {made} was due already, and the changed plan charges on \
             {again} too; make the change after {again}, or move start-date to the next month with it"
        )
    };
    let skips = |month: &str, lost: &str| {
        format!(
            "nothing is charged in {month}: the charge of {lost} is dropped, and the changed plan has no other day to \
             come in that month; make the change after {lost}"
        )
    };
    let later: Change = |update| update.frequency_day(28);
    let earlier: Change = |update| update.frequency_day(5);
    let none = String::new;
    for (change, status, now, card, note) in [
        (later, "ACTIVE", "2027-03-01 0", "", none()),
        (later, "ACTIVE", "2027-03-15 9", "", none()),
        (later, "ACTIVE", "2027-03-15 10", "", twice("2027-03", "2027-03-15", "2027-03-28")),
        (later, "ACTIVE", "2027-03-28 9", "", twice("2027-03", "2027-03-15", "2027-03-28")),
        (later, "", "2027-03-20 0", "", twice("2027-03", "2027-03-15", "2027-03-28")),
        (later, "ACTIVE", "2027-03-29 0", "", none()),
        (later, "SUSPENDED", "2027-03-20 0", "", none()),
        (later, "ACTIVE", "2027-12-20 0", "", twice("2027-12", "2027-12-15", "2027-12-28")),
        (earlier, "ACTIVE", "2027-03-04 0", "", none()),
        (earlier, "ACTIVE", "2027-03-06 0", "", skips("2027-03", "2027-03-15")),
        (earlier, "ACTIVE", "2027-03-15 9", "", skips("2027-03", "2027-03-15")),
        (earlier, "ACTIVE", "2027-03-15 10", "", none()),
        (|update| update.frequency_day(28).start_date("2027-04-01"), "ACTIVE", "2027-03-20 0", "", none()),
        (|update| update.start_date("2027-04-01"), "ACTIVE", "2027-03-01 0", "", skips("2027-03", "2027-03-15")),
        // Ending a plan means that no more charges are wanted.
        (|update| update.end_date("2027-02-28"), "ACTIVE", "2027-03-01 0", "", "no charge is to come: the plan's last day, \
            2027-02-15, is past, and past days are not made up".to_owned()),
        (|update| update.end_date("2027-03-14"), "ACTIVE", "2027-03-01 0", "", "no charge is to come: the plan's last day, \
            2027-02-15, is past, and past days are not made up".to_owned()),
        (|update| update.payment_amount("75.00"), "ACTIVE", "2027-03-20 0", "0627", none()),
        (|update| update.plan_name("Silver"), "ACTIVE", "2027-03-15 12", "0627", none()),
        (|update| update.frequency_day(15), "ACTIVE", "2027-03-15 12", "0627", none()),
        (
            |update| update.token_id("1100000000555552222"),
            "ACTIVE",
            "2027-03-20 0",
            "1027",
            "the card expires at the end of 2027-10: 2 charges, from 2027-11-15 on, will be declined unless the plan gets \
             another token"
                .to_owned(),
        ),
        (
            |update| update.status(PlanStatus::ACTIVE),
            "SUSPENDED",
            "2027-03-15 12",
            "",
            "a charge was due today, 2027-03-15, at 10:00 UTC and is not made up (the hour is the sandbox's; that of the \
             gateway is not documented); the next day is 2027-04-15"
                .to_owned(),
        ),
        (|update| update.status(PlanStatus::CANCELED), "ACTIVE", "2027-03-20 0", "0627", none()),
        (|update| update.status(PlanStatus::SUSPENDED), "ACTIVE", "2027-03-20 0", "0627", none()),
        (
            |update| update.start_date("2027-04-15").end_date("2028-04-15"),
            "ACTIVE",
            "2027-03-20 0",
            "",
            "the plan charges 13 times, the last time on 2028-04-15: end it on 2028-04-14 for 12 charges, or start the \
             next plan on 2028-04-16, because one that starts on 2028-04-15 charges that day twice"
                .to_owned(),
        ),
    ] {
        let update = change(PlanUpdate::builder()).build().unwrap();
        let status = Some(status).filter(|status| !status.is_empty()).map(PlanStatus::reported);
        let plan = Plan { status, ..reported(&from_to(15, "2027-01-01", "2027-12-31")) };
        let notes = texts(&update.notes(&plan, at(now), card.parse().ok()));
        let expected: Vec<String> = Some(note).filter(|note| !note.is_empty()).into_iter().collect();
        assert_eq!(notes, expected, "{update:?} {:?} {now}", plan.status);
    }
}

#[test]
fn which_plan_repeats_another() {
    let base = reported(&from_to(15, "2027-01-01", "2027-12-31"));
    let with = |change: fn(&mut Plan)| {
        let mut plan = base.clone();
        change(&mut plan);
        plan
    };
    for (start, end, plan, repeats, why) in [
        ("2027-01-01", "2027-12-31", base.clone(), true, "the same"),
        ("2027-12-15", "2028-12-14", base.clone(), true, "one day in common"),
        ("2027-12-16", "2028-12-15", base.clone(), false, "it follows"),
        ("2026-01-01", "2026-12-31", base.clone(), false, "it goes before"),
        (
            "2027-01-01",
            "2027-12-31",
            with(|plan| plan.status = Some(PlanStatus::SUSPENDED)),
            true,
            "it may go on",
        ),
        (
            "2027-01-01",
            "2027-12-31",
            with(|plan| plan.status = Some(PlanStatus::CANCELED)),
            false,
            "canceled",
        ),
        ("2027-01-01", "2027-12-31", with(|plan| plan.status = None), true, "no status"),
        (
            "2027-01-01",
            "2027-12-31",
            with(|plan| plan.customer_key = "cust_2".parse().ok()),
            false,
            "another customer",
        ),
        ("2027-01-01", "2027-12-31", with(|plan| plan.customer_key = None), true, "no customer"),
        ("2027-01-01", "2027-12-31", with(|plan| plan.token_id = "1".parse().ok()), false, "another token"),
        (
            "2027-01-01",
            "2027-12-31",
            with(|plan| plan.payment_amount = "50.01".parse().ok()),
            false,
            "another amount",
        ),
        (
            "2027-01-01",
            "2027-12-31",
            with(|plan| plan.frequency_day = FrequencyDay::new(16).ok().map(Into::into)),
            false,
            "another day",
        ),
        ("2027-01-01", "2027-12-31", with(|plan| plan.frequency_day = None), true, "no day"),
        ("2027-01-01", "2027-12-31", with(|plan| plan.end_date = None), true, "no end"),
        (
            "2027-01-01",
            "2027-12-31",
            with(|plan| plan.frequency = Some(Frequency::reported("WEEKLY"))),
            true,
            "weekly",
        ),
        (
            "2027-01-01",
            "2027-12-31",
            with(|plan| plan.plan_name = Some("Silver".into())),
            true,
            "another name",
        ),
    ] {
        assert_eq!(from_to(15, start, end).repeats(&plan), repeats, "{why}");
    }
}

#[test]
fn a_forecast_at_a_moment_has_only_what_is_to_come() {
    let plan = reported(&from_to(15, "2027-01-01", "2027-12-31"));
    for (now, charges) in [
        ("2026-12-31 0", 12),
        ("2027-01-15 9", 12),
        ("2027-01-15 10", 11),
        ("2027-12-15 9", 1),
        ("2028-01-01 0", 0),
    ] {
        let mut forecast = Forecast::new(Month::try_from("2027-01").unwrap(), 12);
        forecast.at(at(now));
        forecast.add_plan(&plan);
        assert_eq!(forecast.total().charges, charges, "{now}");
        assert_eq!(plan.to_come(at(now)).count(), usize::try_from(charges).unwrap(), "{now}");
    }
}

proptest! {
    /// Every day of a schedule is past, due today or to come, and never two of these.
    #[test]
    fn notes_and_days_to_come_agree(day in 1u32..=28, start in 0u32..700, length in 0u32..366, now in 0i64..1100 * 24) {
        let epoch = date("2027-01-01").naive();
        let start = epoch + chrono_days(start);
        let end = start + chrono_days(length);
        let Ok(term) = PlanTerm::new(start.try_into().unwrap(), end.try_into().unwrap()) else { return Ok(()) };
        let now = epoch.and_hms_opt(0, 0, 0).unwrap() + chrono_hours(now);
        let plan = new(day).term(term).build().unwrap();
        let all = plan.schedule().unwrap().count();
        let to_come = plan.schedule().unwrap().to_come(now).count();
        let mut missed = 0;
        for note in plan.notes_at(now, Expiry::new(12, 2099).ok()) {
            match note {
                PlanNote::SomePast { days, .. } => missed += days,
                PlanNote::AllPast { .. } => missed += all,
                PlanNote::DueToday { is_past, .. } => missed += usize::from(is_past),
                PlanNote::NoCharges { .. } => prop_assert_eq!(all, 0),
                PlanNote::ThirteenCharges { .. } => prop_assert_eq!(all, 13),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(all - missed, to_come);
    }
}

fn chrono_days(days: u32) -> chrono::Days {
    chrono::Days::new(days.into())
}

fn chrono_hours(hours: i64) -> chrono::TimeDelta {
    chrono::TimeDelta::hours(hours)
}
