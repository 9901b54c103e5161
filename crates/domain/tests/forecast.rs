//! Months, and the charges of plans in them.

use perennial_domain::clearent::{
    Expected, Forecast, Frequency, FrequencyDay, Plan, PlanKey, PlanTerm, Schedule,
};
use perennial_domain::{Amount, Date, InvalidValue, Month, NaiveDate, Rule, Total, add_months};
use proptest::prelude::*;

fn month(text: &str) -> Month {
    Month::try_from(text).expect("a month")
}

#[test]
fn text_is_a_month_only_as_four_two_digits() {
    for (text, good) in [
        ("2027-01", true),
        ("1970-01", true),
        ("2199-12", true),
        ("1969-12", false),
        ("2200-01", false),
        ("2027-00", false),
        ("2027-13", false),
        ("2027-1", false),
        ("2027/01", false),
        ("2027-01-01", false),
        ("27-01", false),
        (" 2027-01", false),
        ("", false),
    ] {
        let read = Month::try_from(text);
        let expected = if good { Ok(text.to_owned()) } else { Err(InvalidValue(Rule::MonthFormat)) };
        assert_eq!(read.map(|month| month.to_string()), expected, "{text:?}");
    }
}

#[test]
fn months_follow_each_other() {
    for (from, months, expected) in
        [("2027-01", 0, "2027-01"), ("2027-12", 1, "2028-01"), ("2027-02", 35, "2030-01")]
    {
        let later = month(from).plus(months);
        assert_eq!((later, later.since(month(from))), (month(expected), Some(months.into())));
        assert_eq!(month(from).since(later), (months == 0).then_some(0));
    }
    for (text, days) in [("2027-02", 28), ("2028-02", 29), ("2027-04", 30), ("2027-12", 31)] {
        let last = month(text).days().last().map(|day| day.to_string());
        assert_eq!((month(text).days().count(), last), (days, Some(format!("{text}-{days}"))));
    }
}

fn plan(day: u32, amount: &str, start: &str, end: &str) -> Plan {
    Plan {
        plan_key: PlanKey::try_from("plan_3f0f6d1c5f0e").expect("a key"),
        plan_name: None,
        plan_type: None,
        customer_key: None,
        customer_name: None,
        token_id: None,
        frequency: Some(Frequency::MONTHLY),
        frequency_day: FrequencyDay::new(day).ok().map(Into::into),
        frequency_month: None,
        frequency_week: None,
        payment_amount: amount.parse().ok(),
        start_date: Date::try_from(start).ok(),
        end_date: Date::try_from(end).ok(),
        status: None,
        status_date: None,
        email_address: None,
        email_receipt: None,
        links: Vec::new(),
    }
}

#[test]
fn money_is_added_up_by_month() {
    const YEAR: (&str, &str) = ("2027-01-01", "2027-12-31");
    let plans = [
        plan(15, "50.00", YEAR.0, YEAR.1),
        plan(1, "0.01", YEAR.0, YEAR.1),
        plan(28, "999999999.99", "2027-02-28", "2027-02-28"),
        plan(3, "7.00", "2026-09-17", "2027-03-02"),
        // A day that plans cannot have, a missing amount, and another frequency.
        plan(29, "50.00", YEAR.0, YEAR.1),
        plan(15, "", YEAR.0, YEAR.1),
        Plan { frequency_month: Some(10.into()), ..plan(15, "50.00", YEAR.0, YEAR.1) },
    ];
    let mut forecast = Forecast::new(month("2027-01"), 3);
    for plan in &plans {
        forecast.add_plan(plan);
    }
    let told = |expected: Expected| (expected.charges, expected.amount.to_string());
    let months: Vec<_> =
        forecast.months().map(|(month, expected)| (month.to_string(), told(expected))).collect();
    assert_eq!(
        months,
        [
            ("2027-01".to_owned(), (3, "57.01".to_owned())),
            ("2027-02".to_owned(), (4, "1000000057.00".to_owned())),
            ("2027-03".to_owned(), (2, "50.01".to_owned())),
        ]
    );
    assert_eq!((told(forecast.total()), forecast.unknown()), ((9, "1000000164.02".to_owned()), 3));
}

#[test]
fn sums_stay_at_the_largest_that_there_is() {
    let most = Expected { charges: 1, amount: Total::from_cents(i64::MAX) };
    assert_eq!(most.and(most).amount.to_string(), "184467440737095516.14");
}

fn terms() -> impl Strategy<Value = (PlanTerm, FrequencyDay, Amount)> {
    (0..3_650_u64, 0..366_u64, 1..=28_u32, 1..=Amount::MAX.cents()).prop_map(|(start, length, day, cents)| {
        let start = NaiveDate::from_ymd_opt(2027, 1, 1).expect("a date") + chrono::Days::new(start);
        let end = (start + chrono::Days::new(length)).min(add_months(start, 12).expect("a date"));
        let date = |date| Date::try_from(date).expect("a date");
        let term = PlanTerm::new(date(start), date(end)).expect("a term");
        (term, FrequencyDay::new(day).expect("1 to 28"), Amount::from_cents(cents).expect("an amount"))
    })
}

proptest! {
    /// Each charge is counted in its own month only.
    ///
    /// Holds: The months of a forecast add up to the schedules of its plans.
    #[test]
    fn months_come_to_what_schedules_come_to(
        plans in prop::collection::vec(terms(), 0..20),
        from in 0..120_u16,
        months in 0..=60_u16,
    ) {
        let from = month("2026-06").plus(from);
        let mut forecast = Forecast::new(from, months);
        let mut expected = Expected::default();
        for (term, day, amount) in plans {
            forecast.add(Schedule::new(term, day), amount);
            let within = |date: &NaiveDate| (from..from.plus(months)).contains(&Month::of(*date));
            let charges = Schedule::new(term, day).filter(within).count() as u64;
            let cents = i64::try_from(amount.cents() * charges).expect("less than 13 of the largest");
            expected = expected.and(Expected { charges, amount: Total::from_cents(cents) });
        }
        prop_assert_eq!(forecast.total(), expected);
        prop_assert_eq!(forecast.months().count(), usize::from(months));
    }
}
