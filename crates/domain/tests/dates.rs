//! Dates, the 12 months of a term, and its charge dates, each compared with a calendar that is walked day by day.

use perennial_domain::clearent::{FrequencyDay, PlanTerm, Schedule};
use perennial_domain::{Date, NaiveDate, Rule, add_months};
use proptest::prelude::*;

fn day(year: i32, month: u32, day: u32) -> Date {
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|date| Date::try_from(date).ok())
        .expect("a calendar date")
}

fn term(start: &str, end: &str) -> PlanTerm {
    PlanTerm::parse(start, end).expect("a term")
}

fn on(day: u32) -> FrequencyDay {
    FrequencyDay::new(day).expect("1 to 28")
}

fn days_of(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Every day of these years, counted without the crate.
fn calendar(years: std::ops::RangeInclusive<i32>) -> impl Iterator<Item = (i32, u32, u32)> {
    years.flat_map(|year| {
        (1..=12).flat_map(move |month| (1..=days_of(year, month)).map(move |day| (year, month, day)))
    })
}

#[test]
fn text_is_a_date_only_as_four_two_two_digits() {
    let cases = [
        ("2027-01-03", true),
        ("1970-01-01", true),
        ("2199-12-31", true),
        ("2028-02-29", true),
        ("2000-02-29", true),
        ("1969-12-31", false),
        ("2200-01-01", false),
        ("2027-02-29", false),
        ("2100-02-29", false),
        ("2027-04-31", false),
        ("2027-00-10", false),
        ("2027-13-10", false),
        ("2027-10-00", false),
        ("2027-10-32", false),
        ("2027-1-3", false),
        ("2027-01-3", false),
        ("27-01-03", false),
        ("02027-01-03", false),
        ("+2027-01-3", false),
        ("-027-01-03", false),
        ("2027/01/03", false),
        ("20270103", false),
        ("2027-01-03 ", false),
        (" 2027-01-03", false),
        ("2027-01-03T00:00:00", false),
        ("01-03-2027", false),
        ("2027--1-03", false),
        ("2027-01- 3", false),
        ("2027-0١-3", false),
        ("２０２７-01-03", false),
        ("", false),
    ];
    for (text, good) in cases {
        for read in [Date::try_from(text), Date::try_from(text.to_owned()), text.parse()] {
            let expected = if good { Ok(text.to_owned()) } else { Err(Rule::DateFormat) };
            assert_eq!(read.map(|date| date.to_string()).map_err(|error| error.0), expected, "{text:?}");
        }
    }
}

#[test]
fn dates_outside_1970_to_2199_are_refused() {
    for date in [NaiveDate::MIN, NaiveDate::MAX] {
        assert_eq!(Date::try_from(date).map_err(|error| error.0), Err(Rule::DateFormat));
    }
}

#[test]
fn months_are_added_to_the_day_or_the_last_of_the_month() {
    let cases = [
        ("2027-01-31", 1, "2027-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2027-01-31", 2, "2027-03-31"),
        ("2027-01-31", 3, "2027-04-30"),
        ("2027-12-15", 1, "2028-01-15"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 48, "2032-02-29"),
        ("2027-05-05", 0, "2027-05-05"),
    ];
    for (from, months, expected) in cases {
        let sum = add_months(Date::try_from(from).unwrap().naive(), months).unwrap();
        assert_eq!(sum.to_string(), expected, "{from} + {months}");
    }
    assert_eq!(add_months(NaiveDate::MAX, 1), None);
}

/// Holds: A term ends at most 12 calendar months after its start.
#[test]
fn a_term_ends_from_its_start_to_the_same_day_of_the_next_year() {
    for (year, month, of_month) in calendar(2023..=2029) {
        let start = day(year, month, of_month);
        let latest = day(year + 1, month, of_month.min(days_of(year + 1, month)));
        let mut end = start.naive().pred_opt();
        for _ in 0..370 {
            let date = end.unwrap();
            let expected = match date {
                _ if date < start.naive() => Err(Rule::EndBeforeStart),
                _ if date > latest.naive() => Err(Rule::TermTooLong),
                _ => Ok(date),
            };
            let read = PlanTerm::new(start, Date::try_from(date).unwrap());
            assert_eq!(
                read.map(|term| term.end().naive()).map_err(|error| error.0),
                expected,
                "{start} to {date}"
            );
            end = date.succ_opt();
        }
    }
}

#[test]
fn the_ends_of_the_calendar_are_terms_too() {
    assert!(PlanTerm::parse("2199-12-31", "2199-12-31").is_ok());
    assert!(PlanTerm::parse("2199-06-01", "2199-12-31").is_ok());
    assert!(PlanTerm::parse("1970-01-01", "1971-01-01").is_ok());
}

#[test]
fn a_term_in_text_reports_both_dates() {
    let cases = [
        (
            "2027-1-1",
            "x",
            "start-date: must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199; \
                           end-date: must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199",
        ),
        ("2027-01-01", "2028-01-02", "end-date: must be at most 12 calendar months after start-date"),
        ("2027-01-02", "2027-01-01", "end-date: must be on or after start-date"),
    ];
    for (start, end, expected) in cases {
        assert_eq!(PlanTerm::parse(start, end).unwrap_err().to_string(), expected);
    }
}

/// Holds: Charges fall on the frequency day from the first day of the term through the last.
#[test]
fn charges_fall_on_the_day_from_start_to_end_inclusive() {
    let cases: &[(&str, &str, u32, &[&str])] = &[
        // The vendor's example: day 3, start September 17.
        ("2027-09-17", "2027-12-31", 3, &["2027-10-03", "2027-11-03", "2027-12-03"]),
        ("2027-09-03", "2027-10-03", 3, &["2027-09-03", "2027-10-03"]),
        ("2027-09-03", "2027-10-02", 3, &["2027-09-03"]),
        ("2027-09-04", "2027-10-02", 3, &[]),
        ("2027-09-03", "2027-09-03", 3, &["2027-09-03"]),
        ("2027-01-31", "2027-03-31", 28, &["2027-02-28", "2027-03-28"]),
        ("2028-02-29", "2028-04-30", 28, &["2028-03-28", "2028-04-28"]),
        ("2027-12-29", "2028-02-01", 28, &["2028-01-28"]),
        ("2027-12-31", "2028-01-01", 1, &["2028-01-01"]),
    ];
    for (start, end, day, expected) in cases {
        let dates: Vec<String> =
            Schedule::new(term(start, end), on(*day)).map(|date| date.to_string()).collect();
        assert_eq!(dates, *expected, "{start} to {end} on {day}");
    }
}

/// A term of 12 calendar months has 13 charges if the plan starts on its day, and 12 otherwise.
#[test]
fn a_full_term_holds_12_charges_or_13_when_it_starts_on_its_day() {
    for (year, month, of_month) in calendar(2023..=2029) {
        let start = day(year, month, of_month);
        let end = Date::try_from(add_months(start.naive(), 12).unwrap()).unwrap();
        for charge_day in 1..=28 {
            let charges = Schedule::new(PlanTerm::new(start, end).unwrap(), on(charge_day)).count();
            let expected = if charge_day == of_month { 13 } else { 12 };
            assert_eq!(charges, expected, "{start} to {end} on {charge_day}");
        }
    }
    assert_eq!(Schedule::new(term("2027-01-15", "2028-01-15"), on(15)).count(), 13);
    assert_eq!(Schedule::new(term("2027-01-15", "2028-01-14"), on(15)).count(), 12);
}

#[test]
fn a_finished_schedule_stays_finished() {
    let mut schedule = Schedule::new(term("2027-09-03", "2027-09-03"), on(3));
    assert!(schedule.next().is_some());
    assert_eq!([schedule.next(), schedule.next()], [None, None]);
}

#[test]
fn a_sign_up_late_in_the_month_is_charged_on_the_28th() {
    let cases =
        [("2027-01-01", 1), ("2027-01-28", 28), ("2027-01-29", 28), ("2028-02-29", 28), ("2027-01-31", 28)];
    for (date, expected) in cases {
        let date = Date::try_from(date).unwrap();
        assert_eq!(FrequencyDay::at_or_before(date.naive()).get(), expected, "{date}");
    }
}

proptest! {
    /// Holds: A schedule has each charge day of its term, as a walk through the calendar finds them.
    #[test]
    fn a_schedule_is_every_such_day_of_the_calendar(
        start in 0..83_000i64,
        length in 0..=366i64,
        charge_day in 1..=28u32,
    ) {
        let epoch = day(1970, 1, 1).naive();
        let [start, end] = [start, start + length].map(|days| {
            Date::try_from(epoch.checked_add_signed(chrono::Duration::days(days)).unwrap()).unwrap()
        });
        prop_assume!(PlanTerm::new(start, end).is_ok());
        let dates: Vec<NaiveDate> = Schedule::new(PlanTerm::new(start, end).unwrap(), on(charge_day)).collect();
        let walked: Vec<NaiveDate> = start
            .naive()
            .iter_days()
            .take_while(|date| *date <= end.naive())
            .filter(|date| chrono::Datelike::day(date) == charge_day)
            .collect();
        prop_assert_eq!(&dates, &walked);
        prop_assert!(dates.len() <= 13);
    }

    #[test]
    fn any_text_is_a_date_that_prints_the_same_or_refused(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9-]{8,11}|\\PC{0,12}") {
        if let Ok(date) = Date::try_from(&*text) {
            prop_assert_eq!(date.to_string(), text);
        }
    }
}
