//! The money of months as bars: what was paid, and what of the month is not.

use perennial::Total;
use perennial_billing::MonthMoney;

use super::bars::{Bar, Chart};

pub(crate) fn drawn(months: &[MonthMoney]) -> String {
    let zero = Total::ZERO;
    let (paid, expected) = months
        .iter()
        .fold((zero, zero), |(paid, expected), month| (paid + paid_of(month), expected + month.expected));
    let bars = months.iter().map(|month| {
        let (paid, rest) = (paid_of(month), month.expected - paid_of(month));
        let description = format!(
            "{}: {paid} of {} paid, {} open, {} given up, {} waived",
            month.month, month.expected, month.open, month.given_up, month.waived
        );
        Bar { month: month.month, solid: paid, dotted: rest, description }
    });
    let period = |month: Option<&MonthMoney>| month.map(|month| month.month.to_string()).unwrap_or_default();
    let chart = Chart {
        title: "Money by month",
        description: &format!(
            "{paid} of {expected} paid, {} to {}",
            period(months.first()),
            period(months.last())
        ),
        bars: bars.collect(),
        legend: Some(["paid", "not paid"]),
    };
    chart.document()
}

fn paid_of(month: &MonthMoney) -> Total {
    month.paid + month.recovered + month.part
}
