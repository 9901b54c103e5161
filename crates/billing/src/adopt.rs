//! Plans that exist at the gateway become the first terms of subscriptions.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate};
use perennial::clearent::{
    Frequency, Plan, PlanKey, PlanStatus, TransactionSearch, TransactionType, Verdict,
};
use perennial::{Amount, Clearent as Client, Reported};
use perennial_journal::{By, Moment, new_uid, unmarked};
use serde_json::json;

use crate::Error;
use crate::billing::{self, Billing, check_token, day_before, day_of, event, event_of_day, upcoming};
use crate::calendar::due_days;
use crate::life;
use crate::model::{DayState, Member, Route, Status, Subscription, Term, TermStatus};
use crate::once::Once;
use crate::reading::made_on;
use crate::store::{Change, LATE, Which};

/// A plan that is to become the first term of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The caller's id of the subscription: 1 to 60 letters, digits, `-`, `_` or `.`.
    pub id: String,
    /// The plan.
    pub plan: PlanKey,
    /// Whether the subscription is in shadow: its charges are read, and nothing is written at the gateway.
    pub in_shadow: bool,
}

impl Adoption {
    /// An adoption of this plan.
    pub fn new(id: impl Into<String>, plan: PlanKey) -> Self {
        Self { id: id.into(), plan, in_shadow: false }
    }

    /// Keeps the subscription in shadow.
    #[must_use]
    pub fn in_shadow(self) -> Self {
        Self { in_shadow: true, ..self }
    }

    /// Returns the next due days and their amounts of a plan that would be the first to be adopted.
    ///
    /// # Errors
    ///
    /// Those of [`Billing::adopt`] that need no database.
    pub async fn preview(
        &self,
        client: &Client,
        today: NaiveDate,
        count: usize,
    ) -> Result<Vec<(NaiveDate, Amount)>, Error> {
        Ok(upcoming(&self.read(client, 1, today).await?, today).take(count).collect())
    }

    /// Reads the plan, and checks it; returns the rows of its subscription.
    async fn read(&self, client: &Client, generation: i64, today: NaiveDate) -> Result<Member, Error> {
        let reported = client.plans().get(&self.plan).await?;
        let member = of_plan(self, &reported, generation, today)?;
        check_token(client, &member.subscription.customer, &member.subscription.token).await?;
        check_charges(client, &self.plan, &member.subscription, today).await?;
        Ok(member)
    }
}

/// The days of which the newest charge of a plan is compared with the plan.
const RECENT: Days = Days::new(40);
/// The reason of a day of a plan that was not paid in shadow.
const NOT_PAID: &str = "it was not paid in shadow: find out whether it was collected elsewhere";

impl Billing {
    /// Makes a plan that exists at the gateway the first term of a subscription. Nothing is changed at the gateway. Its days
    /// from today until its end are due days; earlier charges are not of the subscription.
    ///
    /// The same call again changes nothing. For a subscription in shadow, the same call without
    /// [`in_shadow`](Adoption::in_shadow) ends the shadow, as [`end_shadow`](Self::end_shadow) does.
    ///
    /// # Errors
    ///
    /// [`Error::NotAdoptable`] for a plan that is not active and monthly on a day from 1 to 28, that has no end, or whose last
    /// charge contradicts it; [`Error::ForeignToken`]; [`Error::PlanUsed`] for a plan of another subscription;
    /// [`Error::IdUsed`] for the id of a subscription with another plan.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let silver = NewPlan::builder().plan_name("Silver").customer_key(&ada).token_id(&token).payment_amount("20.00");
    /// let silver = silver.monthly_on(3).starting("2026-06-03").charges(12).status("ACTIVE").build()?;
    /// let silver = client.plans().create(&silver).await?.plan_key.clone();
    /// let adopted = billing.adopt(&Adoption::new("M-2", silver), by()).await?;
    /// // The plan ends before June, and the subscription does not.
    /// assert_eq!(adopted.from.to_string(), "2027-01-03");
    /// let sixth = billing.preview("M-2", 6).await?[5];
    /// assert_eq!(sixth, ("2027-06-03".parse()?, "20.00".parse()?));
    /// # Ok(()) }
    /// ```
    pub async fn adopt(&self, adoption: &Adoption, by: By) -> Result<Subscription, Error> {
        let Adoption { id, plan, in_shadow } = adoption;
        let Once::New(key) = self.is_new(json!(["adopt", id, plan.as_str(), in_shadow])).await? else {
            return Ok(self.show(id).await?.subscription);
        };
        let now = self.journal.now().await?;
        let (member, is_new) = self.adopted(adoption, now).await?;
        if is_new {
            let decision = by.decided("adopted")?;
            let change = Change {
                events: vec![event_of_day("subscription.started", &member, member.subscription.from, None)],
                decision: Some(decision),
                key,
                ..Change::default()
            };
            if !self.store.add(&member, change, now).await? {
                return Err(Error::Changed(id.clone()));
            }
            return Ok(member.subscription);
        }
        if member.subscription.is_shadow == *in_shadow {
            if key.is_some() {
                self.wake(&member, key, now).await?;
            }
            return Ok(member.subscription);
        }
        Ok(self.shadow_ended(&member, by, key, now).await?.subscription)
    }

    /// Returns the next due days and their amounts of a plan that would be adopted. Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of [`adopt`](Self::adopt).
    pub async fn preview_adoption(
        &self,
        adoption: &Adoption,
        count: usize,
    ) -> Result<Vec<(NaiveDate, Amount)>, Error> {
        let now = self.journal.now().await?;
        let (mut member, _) = self.adopted(adoption, now).await?;
        member.subscription.is_shadow = adoption.in_shadow;
        Ok(upcoming(&member, day_of(now)).take(count).collect())
    }

    /// Ends the shadow of a subscription: from now on, its plans are renewed, and declines are collected. Days that were not
    /// paid in shadow wait for a person, because they may have been collected elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::NotInShadow`].
    pub async fn end_shadow(&self, id: &str, by: By) -> Result<Member, Error> {
        let Once::New(key) = self.is_new(json!(["end-shadow", id])).await? else {
            return self.show(id).await;
        };
        let (member, now) = (self.show(id).await?, self.journal.now().await?);
        if !member.subscription.is_shadow || member.subscription.status == Status::Ended {
            return Err(Error::NotInShadow(id.to_owned()));
        }
        self.shadow_ended(&member, by, key, now).await
    }

    async fn shadow_ended(
        &self,
        before: &Member,
        by: By,
        key: Option<(String, String)>,
        now: Moment,
    ) -> Result<Member, Error> {
        let mut after = before.clone();
        end_shadow(&mut after, day_of(now));
        after.subscription.next = Some(now);
        let decision = by.decided("shadow ended")?;
        let change = Change {
            events: vec![event("subscription.changed", &after.subscription)],
            decision: Some(decision),
            key,
            ..Change::default()
        };
        if !self.store.save(before, &after, change, now).await? {
            return Err(Error::Changed(after.subscription.id));
        }
        self.show(&after.subscription.id).await
    }

    /// The subscription of an adoption, and whether it is new.
    async fn adopted(&self, adoption: &Adoption, now: Moment) -> Result<(Member, bool), Error> {
        let Adoption { id, plan, in_shadow } = adoption;
        let earlier = self.store.subscriptions(Which::Id(id), 1).await?.into_iter().next();
        if let Some((uid, _)) = self.store.term_of_plan(plan).await? {
            let used = self.store.subscriptions(Which::Uid(&uid), 1).await?.pop();
            let of_plan = used.filter(|used| used.status != Status::Ended && used.id == *id);
            let of_plan = of_plan.ok_or_else(|| Error::PlanUsed(plan.clone()))?;
            if *in_shadow && !of_plan.is_shadow {
                return Err(Error::NotInShadow(id.clone()));
            }
            return Ok((self.store.member(of_plan).await?, false));
        }
        if earlier.as_ref().is_some_and(|earlier| earlier.status != Status::Ended) {
            return Err(Error::IdUsed(id.clone()));
        }
        let generation = earlier.map_or(1, |earlier| earlier.generation + 1);
        let mut member = adoption.read(self.north.client(), generation, day_of(now)).await?;
        member.subscription.next = Some(now);
        Ok((member, true))
    }
}

/// Checks that the last charge of a plan is one that the plan makes.
async fn check_charges(
    client: &Client,
    plan: &PlanKey,
    subscription: &Subscription,
    today: NaiveDate,
) -> Result<(), Error> {
    let search = TransactionSearch {
        order_id: Some(plan.to_string()),
        start_date: Some((today - RECENT).to_string()),
        ..TransactionSearch::default()
    };
    let found = client.transactions().search(&search).collect_all().await?;
    let of_plan = found.iter().filter(|one| {
        one.plan_key().as_ref() == Some(plan) && one.transaction_type == Some(TransactionType::SALE)
    });
    let Some((made, last)) =
        of_plan.filter_map(|one| Some((made_on(one)?, one))).max_by_key(|(made, _)| *made)
    else {
        return Ok(());
    };
    // The gateway's date may be a day off, and it may try a decline again.
    let mut near = day_before(made - LATE).iter_days().take(11);
    let is_due = near.any(|day| day.day() == subscription.day.get());
    let is_other = last.verdict() == Verdict::Approved && last.amount != Some(subscription.amount);
    if is_due && !is_other {
        return Ok(());
    }
    let amount = last.amount.map(|amount| format!(" {amount}")).unwrap_or_default();
    Err(Error::NotAdoptable {
        plan: plan.clone(),
        why: format!(
            "it charged{amount} on {made}, and says {} on day {}: adopt it after its next charge",
            subscription.amount, subscription.day
        ),
    })
}

/// The rows of a subscription whose first term is this plan.
fn of_plan(adoption: &Adoption, plan: &Plan, generation: i64, today: NaiveDate) -> Result<Member, Error> {
    let not = |why: &str| Error::NotAdoptable { plan: adoption.plan.clone(), why: why.to_owned() };
    let lacks = |what: &str| not(&format!("the gateway does not report its {what}"));
    match &plan.status {
        Some(PlanStatus::ACTIVE) => {}
        Some(PlanStatus::CANCELED) => return Err(not("it is CANCELED: start a subscription")),
        Some(status) => {
            return Err(not(&format!(
                "it is {status}, and makes no charge: activate it, or start a subscription"
            )));
        }
        None => return Err(lacks("status")),
    }
    let each_month = plan.frequency_month.as_ref().is_none_or(|months| months.value() == Some(1));
    if plan.frequency != Some(Frequency::MONTHLY) || !each_month {
        return Err(not("it does not charge each month: cancel it, and start a subscription"));
    }
    let Some(day) = plan.frequency_day.as_ref().and_then(Reported::value) else {
        return Err(not("it charges on no day from 1 to 28: cancel it, and start a subscription"));
    };
    let end = plan.end_date.ok_or_else(|| lacks("end"))?.naive();
    if end < today {
        return Err(not(&format!("it ended on {end}: start a subscription")));
    }
    let name = plan.plan_name.as_deref().map(unmarked).filter(|name| !name.trim().is_empty());
    let from = plan.start_date.map_or(today, |start| start.naive().max(today));
    let subscription = Subscription {
        uid: new_uid(),
        id: adoption.id.clone(),
        generation,
        customer: plan.customer_key.clone().ok_or_else(|| lacks("customer"))?,
        token: plan.token_id.clone().ok_or_else(|| lacks("token"))?,
        name: name.unwrap_or(&adoption.id).to_owned(),
        amount: plan.payment_amount.ok_or_else(|| lacks("amount"))?,
        day,
        status: Status::Active,
        from,
        until: None,
        charges: None,
        canceled_on: None,
        pause: None,
        change: None,
        collects_open: false,
        guard: 0,
        version: 1,
        next: None,
        is_shadow: adoption.in_shadow,
    };
    let member = with_first_term(subscription, &adoption.plan, end, today)?;
    Subscription::check(&member.subscription.id, member.subscription.amount)?;
    // The next plan is made of the same values.
    billing::plan(&member.subscription, member.subscription.from, member.subscription.from)?;
    Ok(member)
}

/// The rows of a subscription of which a plan charges the days until this end.
///
/// Whether the gateway counts the end, and whether its date is a day off, is not known. A day on the end is of the plan, and
/// if it is not charged, it is missing and goes to a sale. A day after the end is not of the plan, and yet it has a row, and
/// is within the term: a charge of it by the plan would be found before anything else charges it.
pub(crate) fn with_first_term(
    mut subscription: Subscription,
    plan: &PlanKey,
    end: NaiveDate,
    today: NaiveDate,
) -> Result<Member, Error> {
    let mut due = due_days(subscription.day, subscription.from);
    let first = due.next().ok_or(Error::EmptyPeriod("the subscription"))?;
    subscription.from = first;
    let latest = end + Days::new(1);
    let mut days = BTreeMap::new();
    for day in due_days(subscription.day, first).take_while(|day| *day <= latest) {
        let mut row = life::expected_day(day, subscription.amount);
        if day <= end {
            (row.route, row.term) = (Route::Plan, Some(1));
        }
        days.insert(day, row);
    }
    let term = Term {
        number: 1,
        plan: Some(plan.clone()),
        token: subscription.token.clone(),
        amount: subscription.amount,
        first,
        last: days.keys().next_back().copied().unwrap_or(first),
        status: TermStatus::Active,
        since: Some(today),
        asked: None,
        closed: None,
        adopted: Some(today),
    };
    Ok(Member { subscription, terms: vec![term], days })
}

/// Ends the shadow in the rows of a subscription.
pub(crate) fn end_shadow(member: &mut Member, today: NaiveDate) {
    member.subscription.is_shadow = false;
    for day in member.days.values_mut() {
        let is_to_come = day.day >= today && day.reason.as_deref() == Some(life::NOT_CHARGED);
        match day.state {
            DayState::NeedsPerson if is_to_come => (day.state, day.reason) = (DayState::Expected, None),
            DayState::Declined | DayState::Missing => {
                (day.state, day.reason) = (DayState::NeedsPerson, Some(NOT_PAID.to_owned()));
            }
            _ => {}
        }
    }
}
