//! Money by month as bars, each with its amount on it.

use maud::{Markup, html};
use perennial::clearent::ExpectedCharges;
use perennial::{Month, Total};

use super::Picture;
use crate::output::outlook::Outlook;

/// The position of the bars.
const LEFT: usize = 112;
const HIGH: usize = 240;
/// The space above the bars except for their amounts, and below.
const HEAD: usize = 72;
const FOOT: usize = 70;
/// The approximate width of a character of an amount.
const LETTER: usize = 7;

const SHORT: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The bar of a month.
pub(super) struct Bar {
    pub(super) month: Month,
    pub(super) solid: Total,
    /// The amount that stands on it.
    pub(super) dotted: Total,
    /// The bar in words.
    pub(super) description: String,
}

/// A chart of months.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) bars: Vec<Bar>,
    /// The names of the solid and the dotted amounts.
    pub(super) legend: Option<[&'a str; 2]>,
}

pub(crate) fn drawn(months: &[Outlook]) -> String {
    let all = months.iter().fold(ExpectedCharges::default(), |sum, month| sum.and(month.active));
    let waiting = months.iter().filter_map(|month| month.suspended).reduce(ExpectedCharges::and);
    let waiting = waiting.map(|waiting| format!("; suspended {}", waiting.amount)).unwrap_or_default();
    let charges = if all.charges == 1 { "charge" } else { "charges" };
    let (first, last) = (months.first().map(period), months.last().map(period));
    let description = format!(
        "{} in {} {charges}, {} to {}{waiting}",
        all.amount,
        all.charges,
        first.unwrap_or_default(),
        last.unwrap_or_default()
    );
    let bar = |month: &Outlook| Bar {
        month: month.month,
        solid: month.active.amount,
        dotted: month.suspended.unwrap_or_default().amount,
        description: description_of(month),
    };
    let has_suspended = months.iter().any(|month| month.suspended.is_some());
    let chart = Chart {
        title: "Expected money by month",
        description: &description,
        bars: months.iter().map(bar).collect(),
        legend: has_suspended.then_some(["active", "suspended"]),
    };
    chart.document()
}

impl Chart<'_> {
    pub(super) fn document(&self) -> String {
        let Self { title, description, bars, legend } = self;
        let highest = bars.iter().map(|bar| cents(bar.sum())).max().unwrap_or_default();
        let step = step(highest);
        let top = highest.div_ceil(step).max(1) * step;
        let wide = (720 / bars.len().max(1)).clamp(20, 96);
        let letters = bars.iter().map(|bar| bar.sum().to_string().len()).max().unwrap_or_default();
        let flat = letters * LETTER <= wide;
        // Amounts that are wider than a bar stand upright.
        let above = HEAD + if flat { 16 } else { letters * LETTER + 8 };
        let ground = above + HIGH;
        let right = LEFT + (wide * bars.len()).max(420);
        let high = |amount: u128| usize::try_from(amount * HIGH as u128 / top).unwrap_or_default();

        let grid = (0..=top / step).map(|line| line * step);
        let content = html! {
            @for line in grid {
                @let y = ground - high(line);
                line.line x1=(LEFT) x2=(right) y1=(y) y2=(y) {}
                text x=(LEFT - 8) y=(y + 4) text-anchor="end" { (text_of(line)) }
            }
            @for (index, bar) in bars.iter().enumerate() {
                @let left = LEFT + index * wide;
                @let (solid, all) = (high(cents(bar.solid)), high(cents(bar.sum())));
                @let (x, width) = (left + wide / 8, wide - wide / 4);
                g {
                    title { (bar.description) }
                    rect.solid x=(x) y=(ground - solid) width=(width) height=(solid) {}
                    rect.dotted x=(x) y=(ground - all) width=(width) height=(all - solid) {}
                }
                @if !bar.sum().eq(&Total::ZERO) {
                    (amount(&bar.sum().to_string(), (left + wide / 2, ground - all), flat))
                }
                (name(bar.month, index == 0, (left + wide / 2, ground), wide))
            }
            @if let Some(names) = legend { (named(names, ground + 58)) }
        };
        let size = (right + 24, ground + FOOT);
        Picture { title, description, size, content }.document()
    }
}

impl Bar {
    fn sum(&self) -> Total {
        self.solid + self.dotted
    }
}

fn period(month: &Outlook) -> String {
    month.month.to_string()
}

fn description_of(Outlook { month, active, suspended }: &Outlook) -> String {
    let waiting = suspended.map(|suspended| format!(", suspended {}", suspended.amount)).unwrap_or_default();
    format!("{month}: {} in {}{waiting}", active.amount, active.charges)
}

fn amount(text: &str, (x, y): (usize, usize), flat: bool) -> Markup {
    html! {
        @if flat {
            text.amount x=(x) y=(y - 5) text-anchor="middle" { (text) }
        } @else {
            text.amount x=(x + 4) y=(y - 6) transform=(format!("rotate(-90 {} {})", x + 4, y - 6)) { (text) }
        }
    }
}

/// The name of a month under its bar, with the year under the first one of a year that has room.
fn name(month: Month, first: bool, (x, ground): (usize, usize), wide: usize) -> Markup {
    let until_next = (13 - month.number()) as usize * wide;
    let begins = month.number() == 1 || first && until_next >= 48;
    let short = SHORT.into_iter().nth(month.number() as usize - 1).unwrap_or_default();
    html! {
        text x=(x) y=(ground + 16) text-anchor="middle" {
            @if wide < 28 { (format!("{:02}", month.number())) } @else { (short) }
        }
        @if begins { text.name x=(x) y=(ground + 34) text-anchor="middle" { (month.year()) } }
    }
}

fn named([solid, dotted]: &[&str; 2], y: usize) -> Markup {
    html! {
        @for (x, class, text) in [(LEFT, "solid", solid), (LEFT + 80, "dotted", dotted)] {
            rect class=(class) x=(x) y=(y - 10) width="12" height="12" {}
            text x=(x + 18) y=(y) { (text) }
        }
    }
}

/// The distance of grid lines, at most five: one, two or five times a power of ten.
fn step(highest: u128) -> u128 {
    let tens = std::iter::successors(Some(1_u128), |ten| ten.checked_mul(10));
    let steps = tens.flat_map(|ten| [ten, 2 * ten, 5 * ten]);
    steps.into_iter().find(|step| step * 5 >= highest).unwrap_or(u128::MAX)
}

fn cents(amount: Total) -> u128 {
    u128::try_from(amount.cents()).unwrap_or_default()
}

fn text_of(cents: u128) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
