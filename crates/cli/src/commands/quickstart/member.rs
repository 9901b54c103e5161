//! 26 months of a member at Clearent, over the end of a plan: a renewal, a decline, another card, a pause, a cancellation.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta};
use indicatif::ProgressBar;
use perennial::clearent::{CustomerKey, NewToken, TokenId, TransactionSearch, Verdict};
use perennial::{Clearent, Month, Total};
use perennial_billing::{
    Billing, Books, CancelAt, Charge, Claim, DayState, DueDay, Member, NewSubscription, Status,
    SubscriptionChange, Term,
};
use perennial_journal::machine::Rules;
use perennial_journal::{By, Journal, ManualClock, Moment};
use perennial_sandbox::{Effect, Fault, World};

use super::{Guide, row};
use crate::failure::Failure;
use crate::output::{Output, Record};

const ID: &str = "M-1";
/// The months of the story, from January 2028 on.
pub(super) const MONTHS: u16 = 26;
/// Another published test number.
const OTHER_CARD: &str = "5454545454545454";

/// Everything that happens to the member from outside, by day.
const TURNS: &[(&str, Turn)] = &[
    ("2029-04-10", Turn::Decline),
    ("2029-06-20", Turn::Card),
    ("2029-08-20", Turn::Pause),
    ("2030-02-01", Turn::Cancel),
];

#[derive(Debug, Clone, Copy)]
enum Turn {
    /// The issuer declines the next charge.
    Decline,
    Card,
    Pause,
    Cancel,
}

/// The member at the end of the story.
pub(super) struct Membership {
    member: Member,
    charges: Vec<Charge>,
    books: Vec<(Month, Books)>,
    story: Vec<(NaiveDate, String)>,
}

/// A merchant's subscriptions, and the clocks of the gateway and of the journal, which are advanced together.
struct Club<'a> {
    client: &'a Clearent,
    world: &'a World,
    clock: ManualClock,
    billing: Billing,
}

/// Starts a subscription, and lets its months pass.
pub(super) async fn stay(
    guide: Guide,
    (client, world): (&Clearent, &World),
    (customer, token): (&CustomerKey, &TokenId),
    bar: &ProgressBar,
) -> Result<Membership, Failure> {
    let first = day("2028-01-01")?;
    let clock = ManualClock::from(morning(first));
    let journal = Journal::open_with("sqlite::memory:", clock.clone(), Rules::default()).await?;
    let billing = Billing::open(&journal, &journal.clearent("quickstart", client).await?).await?;
    let club = Club { client, world, clock, billing };

    let amount = "50.00".parse().map_err(|_| Failure::Unexpected("the amount cannot be read"))?;
    let day = 15.try_into().map_err(|_| Failure::Unexpected("the day cannot be read"))?;
    let gold = NewSubscription::new(ID, customer.clone(), token.clone(), "Gold membership", amount, day);
    club.billing.start(&gold).await?;
    club.billing.work().await?;
    guide.print(&format!(
        "9. A plan ends after twelve months. A subscription does not: {ID} charges {amount} on day 15."
    ));
    guide.print(&format!("10. {MONTHS} months pass, and the worker does all that is due:"));

    let (mut books, mut story) = (Vec::new(), Vec::new());
    for month in (0..MONTHS).map(|count| Month::of(first).plus(count)) {
        let mut lines = Vec::new();
        for (date, turn) in TURNS {
            let date = self::day(date)?;
            if Month::of(date) == month {
                club.work_until(date).await?;
                lines.extend(club.take(*turn, customer).await?.map(|text| (date, text.to_owned())));
            }
        }
        books.push((month, club.close(month).await?));
        lines.extend(club.work_of(month).await?);
        lines.sort_by_key(|(date, _)| *date);
        for (date, text) in &lines {
            guide.print(&format!("   {date}  {text}"));
        }
        story.extend(lines);
        bar.inc(1);
        bar.set_message(format!("{month}, books closed"));
    }
    bar.finish_and_clear();
    let member = club.billing.show(ID).await?;
    if member.subscription.status != Status::Ended {
        return Err(Failure::Unexpected("the subscription has not ended"));
    }
    let charges = club.billing.charges(&member.subscription).await?;
    journal.close();
    Ok(Membership { member, charges, books, story })
}

impl Club<'_> {
    /// Advances the clocks to a day, and works on each day until then on which something is due.
    async fn work_until(&self, day: NaiveDate) -> Result<(), Failure> {
        loop {
            let today = self.billing.today().await?;
            if today >= day {
                return Ok(());
            }
            let step = self.billing.show(ID).await?.subscription.next;
            let step = step.and_then(|step| DateTime::from_timestamp_millis(step.as_millis()));
            let charge = self.billing.preview(ID, 1).await?.pop().map(|(due, _)| due + Days::new(1));
            let due = [step.map(|step| step.date_naive()), charge].into_iter().flatten();
            let due = due.filter(|due| *due > today).min();
            let next = due.map_or(day, |due| due.min(day));
            self.world.advance_to(&morning(next).to_string()).await?;
            self.clock.set(morning(next));
            if due == Some(next) {
                self.billing.work().await?;
            }
        }
    }

    /// Does what happens on a day; returns it in words.
    async fn take(&self, turn: Turn, customer: &CustomerKey) -> Result<Option<&'static str>, Failure> {
        let by = By { actor: "quickstart".to_owned(), reason: "asked at the desk".to_owned() };
        let text = match turn {
            Turn::Decline => {
                let decline = Effect::Decline { result_code: "012".to_owned() };
                self.world.fault(&Fault::on("engine.charge", decline).nth(1)).await?;
                return Ok(None);
            }
            Turn::Card => {
                let card = NewToken::builder().card(OTHER_CARD).exp_date("1232").csc("999");
                let card = card.description("another card").customer_key(customer).build()?;
                let token = self.client.tokens().create(card).await?.into_value().token_id;
                let change = SubscriptionChange { token, ..SubscriptionChange::default() };
                self.billing.change(ID, &change, by).await?;
                "Ada Byron has another card"
            }
            Turn::Pause => {
                self.billing.pause(ID, Some(day("2029-09-01")?), day("2029-11-01")?, by).await?;
                "she pauses in September and October"
            }
            Turn::Cancel => {
                self.billing.cancel(ID, CancelAt::Day(day("2030-02-28")?), by).await?;
                "she cancels for the end of the month"
            }
        };
        self.billing.work().await?;
        Ok(Some(text))
    }

    /// The work of a month beside its charges: plans that follow, and declines that are recovered.
    async fn work_of(&self, month: Month) -> Result<Vec<(NaiveDate, String)>, Failure> {
        let Member { subscription, terms, days, .. } = self.billing.show(ID).await?;
        let follows = terms.windows(2).filter_map(|pair| {
            let Term { number, first, last, .. } = pair[1];
            Some((pair[0].closed?, format!("plan {number} follows, for {first} to {last}")))
        });
        let charges = self.billing.charges(&subscription).await?;
        let recovered = days.values().filter(|due| due.state == DayState::Recovered).filter_map(|due| {
            let code = due.code.as_deref().unwrap_or_default();
            let made = paying(&charges, due)?.made;
            let text = format!("the charge is declined ({code}), and a sale recovers it on {made}");
            Some((due.day, text))
        });
        Ok(follows.chain(recovered).filter(|(date, _)| Month::of(*date) == month).collect())
    }

    /// Works until a month is over, and compares its books with the gateway.
    async fn close(&self, month: Month) -> Result<Books, Failure> {
        let outside = || Failure::Unexpected("the month is outside of the calendar");
        let first = month.days().next().ok_or_else(outside)?;
        let after = month.plus(1).days().next().ok_or_else(outside)?;
        self.work_until(after).await?;
        let books = self.billing.books(first..after).await?;
        let search = TransactionSearch {
            start_date: Some(first.to_string()),
            end_date: Some((after - Days::new(1)).to_string()),
            ..TransactionSearch::default()
        };
        let made = self.client.transactions().search(&search).collect_all().await?;
        let approved = made.iter().filter(|made| made.verdict() == Verdict::Approved);
        let approved: Total = approved.filter_map(|made| made.amount).sum();
        if !books.are_closed() || books.paid + books.recovered + books.part != approved {
            return Err(Failure::Unexpected("the books of a month do not close"));
        }
        Ok(books)
    }
}

/// The charge that pays a due day.
fn paying<'a>(charges: &'a [Charge], due: &DueDay) -> Option<&'a Charge> {
    charges.iter().find(|charge| charge.day == due.day && charge.claim == Claim::Pays)
}

fn day(text: &str) -> Result<NaiveDate, Failure> {
    text.parse().map_err(|_| Failure::Unexpected("a day cannot be read"))
}

/// The time of the day at which the worker works: the gateway's records of the day before are complete.
fn morning(day: NaiveDate) -> Moment {
    Moment::of_utc(day.and_time(NaiveTime::MIN) + TimeDelta::hours(6))
}

impl Membership {
    fn sum(&self, of: impl Fn(&Books) -> Total) -> Total {
        self.books.iter().map(|(_, books)| of(books)).sum()
    }

    /// The months, each with its due day.
    fn calendar(&self) -> Vec<Record> {
        let row = |(month, books): &(Month, Books)| {
            let due = self.member.days.values().find(|due| Month::of(due.day) == *month)?;
            Some(self.row(due).with("books", if books.are_closed() { "closed" } else { "open" }))
        };
        self.books.iter().filter_map(row).collect()
    }

    fn row(&self, due: &DueDay) -> Record {
        let charged = paying(&self.charges, due).map(|charge| charge.made.to_string());
        Record::default()
            .with("due", due.day.to_string())
            .with("payment-amount", due.amount)
            .with("state", due.state.as_str())
            .with("charged", charged)
            .with("route", due.route.as_str())
            .with("plan", due.term.and_then(|term| u64::try_from(term).ok()))
    }

    fn count(&self, state: DayState) -> usize {
        self.member.days.values().filter(|due| due.state == state).count()
    }

    pub(super) fn record(&self) -> Record {
        let story = self
            .story
            .iter()
            .map(|(date, text)| Record::default().with("date", date.to_string()).with("what", text.as_str()));
        let plans = self.member.terms.iter().map(|term| {
            Record::default()
                .with("plan-key", term.plan.clone())
                .with("status", term.status.as_str())
                .with("first", term.first.to_string())
                .with("last", term.last.to_string())
        });
        let sums = Record::default()
            .with("expected", self.sum(|books| books.expected))
            .with("paid", self.sum(|books| books.paid))
            .with("recovered", self.sum(|books| books.recovered))
            .with("waived", self.sum(|books| books.waived))
            .with("open", self.sum(|books| books.open));
        Record::default()
            .with("id", self.member.subscription.id.as_str())
            .with("status", self.member.subscription.status.as_str())
            .with("story", story.collect::<Vec<_>>())
            .with("calendar", self.calendar())
            .with("plans", plans.collect::<Vec<_>>())
            .with("books", sums)
    }

    /// Prints the calendar.
    pub(super) fn print(&self, guide: Guide) -> Result<(), Failure> {
        if guide.0 != Output::Table {
            return Ok(());
        }
        let columns = ["due", "payment-amount", "state", "charged", "route", "plan", "books"];
        guide.0.rows(&columns, self.calendar())?;
        guide.print(&format!(
            "11. The books of all {MONTHS} months close: the gateway has these charges, and no others."
        ));
        guide.print(&format!(
            "   {} expected = {} paid + {} recovered + {} waived",
            self.sum(|books| books.expected),
            self.sum(|books| books.paid),
            self.sum(|books| books.recovered),
            self.sum(|books| books.waived)
        ));
        Ok(())
    }

    /// The rows of the summary.
    pub(super) fn rows(&self) -> Vec<Record> {
        let by_state = format!(
            "{} paid, {} recovered, {} waived",
            self.count(DayState::Paid),
            self.count(DayState::Recovered),
            self.count(DayState::Waived)
        );
        let charged = self.sum(|books| books.paid + books.recovered);
        vec![
            row("member", format!("{ID}, {}", self.member.subscription.status)),
            row("member's plans", self.member.terms.len().to_string()),
            row("member's due days", by_state),
            row("member's charges", charged.to_string()),
        ]
    }
}
