//! The facade: what a merchant's software calls.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use perennial::Amount;
use perennial::clearent::{Charge as Sale, CustomerKey, NewPlan, PlanKey, PlanStatus, PlanUpdate, TokenId};
use perennial_domain::clearent::FrequencyDay;
use perennial_journal::machine::Intent;
use perennial_journal::store::{NewDecision, NewEvent};
use perennial_journal::{By, Clearent, Journal, Later, Moment};
use serde_json::json;

use crate::Error;
use crate::calendar::{dates_of_term, due_day, due_days};
use crate::life::{FREEZE, Facts, Outcome, Step, Write, step};
use crate::model::{Charge, DayState, Member, Status, Subscription};
use crate::store::{Change, Store, Which, guard};

/// The subscriptions of one tenant.
///
/// ```
/// use perennial::clearent::{ApiKey, NewCustomer, NewToken};
/// use perennial::{BaseUrl, Clearent};
/// use perennial_billing::{Billing, NewSubscription, Status};
/// use perennial_journal::{Journal, Moment, ShiftedClock, machine::Rules};
/// use perennial_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
///     .environment(sandbox.base_url().parse::<BaseUrl>()?)
///     .build()?;
/// let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build()?;
/// let ada = client.customers().create(&ada).await?.customer_key.clone();
/// let card = NewToken::builder().card("4111111111111111").exp_date("1230").csc("999").description("card");
/// let token = client.tokens().create(card.customer_key(&ada).build()?).await?.token_id.clone().unwrap();
///
/// // The sandbox's world begins on 2027-01-01.
/// let clock = ShiftedClock::from(Moment::from_millis(1_798_761_600_000));
/// let journal = Journal::open_with("sqlite::memory:", clock, Rules::default()).await?;
/// let north = journal.clearent("north-street", &client).await?;
/// let billing = Billing::open(&journal, &north).await?;
///
/// let gold = NewSubscription::new("M-1", ada, token, "Gold", "50.00".parse()?, 15.try_into()?);
/// let subscription = billing.start(&gold).await?;
/// assert_eq!(subscription.from.to_string(), "2027-01-15");
/// billing.work().await?;
///
/// let member = billing.show("M-1").await?;
/// assert_eq!((member.subscription.status, member.terms.len(), member.days.len()), (Status::Active, 1, 12));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Billing {
    pub(crate) journal: Journal,
    pub(crate) north: Clearent,
    pub(crate) store: Store,
}

/// A subscription to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// The caller's id: 1 to 60 letters, digits, `-`, `_` or `.`.
    pub id: String,
    /// The customer.
    pub customer: CustomerKey,
    /// One of the customer's tokens.
    pub token: TokenId,
    /// The name of its plans.
    pub name: String,
    /// The amount of each charge.
    pub amount: Amount,
    /// The day of the month.
    pub day: FrequencyDay,
    /// The first due day is on or after this day; `None` is today.
    pub from: Option<NaiveDate>,
    /// The last day on which a charge may be due; `None` is without end.
    pub until: Option<NaiveDate>,
}

impl NewSubscription {
    /// A subscription from today on, without end.
    pub fn new(
        id: impl Into<String>,
        customer: CustomerKey,
        token: TokenId,
        name: impl Into<String>,
        amount: Amount,
        day: FrequencyDay,
    ) -> Self {
        Self { id: id.into(), customer, token, name: name.into(), amount, day, from: None, until: None }
    }

    /// Starts on or after this day.
    #[must_use]
    pub fn from(self, day: NaiveDate) -> Self {
        Self { from: Some(day), ..self }
    }

    /// Charges nothing after this day.
    #[must_use]
    pub fn until(self, day: NaiveDate) -> Self {
        Self { until: Some(day), ..self }
    }

    /// Charges this many times.
    #[must_use]
    pub fn charges(self, count: u32, today: NaiveDate) -> Self {
        let last = usize::try_from(count).ok().and_then(|count| count.checked_sub(1));
        let until = last.and_then(|last| due_days(self.day, self.from.unwrap_or(today)).nth(last));
        Self { until, ..self }
    }

    fn check(&self, today: NaiveDate) -> Result<NaiveDate, Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !matches!(self.id.len(), 1..=60) || !self.id.bytes().all(is_plain) {
            return Err(Error::InvalidId);
        }
        if self.amount.is_zero() {
            return Err(Error::NoAmount);
        }
        let from = self.from.unwrap_or(today);
        if from < today {
            return Err(Error::Past { what: "the start", today });
        }
        let first = due_day(self.day, from).ok_or(Error::EmptyPeriod("the subscription"))?;
        if self.until.is_some_and(|until| until < first) {
            return Err(Error::EmptyPeriod("the subscription"));
        }
        Ok(first)
    }
}

/// A change of a subscription. It holds from the next due day that is not near.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionChange {
    /// Another amount.
    pub amount: Option<Amount>,
    /// Another token of the customer.
    pub token: Option<TokenId>,
    /// Another day of the month.
    pub day: Option<FrequencyDay>,
}

/// The time of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAt {
    /// No further day is due, and planned tries are withdrawn.
    Now,
    /// The last charge was the last; open ones are still collected.
    PeriodEnd,
    /// The last charge is due on or before this day.
    Day(NaiveDate),
}

/// The work that was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Worked {
    /// Steps of subscriptions.
    pub steps: u64,
    /// Charges of plans that were read.
    pub charges: u64,
}

/// The most turns for a subscription in one run: each is a write that has its outcome.
const TURNS: u32 = 16;
/// The subscriptions that are worked on at a time.
const BATCH: u32 = 200;
/// A cancellation of a plan is sent for as long as it takes.
const CLOSED_WITHIN: std::time::Duration = std::time::Duration::from_hours(24 * 3_650);

impl Billing {
    /// Opens the subscriptions of a tenant, and makes their tables in the journal's database.
    pub async fn open(journal: &Journal, north: &Clearent) -> Result<Self, Error> {
        let today = day_of(journal.now().await?);
        let store = Store::open(journal, north.tenant_uid(), today).await?;
        Ok(Self { journal: journal.clone(), north: north.clone(), store })
    }

    /// The gateway's day, in UTC.
    pub async fn today(&self) -> Result<NaiveDate, Error> {
        Ok(day_of(self.journal.now().await?))
    }

    /// Starts a subscription. The same call again returns the one that exists.
    ///
    /// # Errors
    ///
    /// [`Error::IdUsed`] if an open subscription with this id has other values; [`Error::ForeignToken`];
    /// [`Error::Past`] and [`Error::EmptyPeriod`] for its dates.
    pub async fn start(&self, new: &NewSubscription) -> Result<Subscription, Error> {
        let now = self.journal.now().await?;
        let today = day_of(now);
        let earlier = self.store.subscriptions(Which::Id(&new.id), 1).await?.into_iter().next();
        if let Some(open) = earlier.as_ref().filter(|earlier| earlier.status != Status::Ended) {
            let is_same = open.customer == new.customer
                && open.token == new.token
                && open.name == new.name
                && open.amount == new.amount
                && open.day == new.day
                && open.ends_on == new.until
                && new.from.is_none_or(|from| due_day(new.day, from) == Some(open.from));
            return if is_same { Ok(open.clone()) } else { Err(Error::IdUsed(new.id.clone())) };
        }
        let from = new.check(today)?;
        self.check_token(&new.customer, &new.token).await?;
        let subscription = Subscription {
            uid: perennial_journal::new_uid(),
            id: new.id.clone(),
            generation: earlier.map_or(1, |earlier| earlier.generation + 1),
            customer: new.customer.clone(),
            token: new.token.clone(),
            name: new.name.clone(),
            amount: new.amount,
            day: new.day,
            status: Status::Active,
            from,
            ends_on: new.until,
            pause: None,
            guard: 0,
            version: 1,
            next: Some(now),
        };
        // The plan's own rules are checked before anything is stored.
        plan(&subscription, from, from)?;
        let member = Member { subscription, terms: Vec::new(), days: std::collections::BTreeMap::new() };
        if !self.store.add(&member, Change::default(), now).await? {
            return Err(Error::Changed(new.id.clone()));
        }
        Ok(member.subscription)
    }

    async fn check_token(&self, customer: &CustomerKey, token: &TokenId) -> Result<(), Error> {
        let tokens = self.north.client().customers().tokens(customer).list().await?;
        if tokens.iter().any(|known| known.token_id == *token) { Ok(()) } else { Err(Error::ForeignToken) }
    }

    /// Returns the newest subscription with this id, with its terms and due days.
    pub async fn show(&self, id: &str) -> Result<Member, Error> {
        let found = self.store.subscriptions(Which::Id(id), 1).await?.into_iter().next();
        self.store.member(found.ok_or_else(|| Error::NoSubscription(id.to_owned()))?).await
    }

    /// Lists subscriptions whose id begins with this, by id.
    pub async fn list(&self, prefix: &str, limit: u32) -> Result<Vec<Subscription>, Error> {
        self.store.subscriptions(Which::Prefix(prefix), limit).await
    }

    /// Returns the charges of a subscription, by day.
    pub async fn charges(&self, subscription: &Subscription) -> Result<Vec<Charge>, Error> {
        self.store.charges(&subscription.uid).await
    }

    /// Returns the next due days and their amounts, as the subscription stands now.
    pub async fn preview(&self, id: &str, count: usize) -> Result<Vec<(NaiveDate, Amount)>, Error> {
        let (member, today) = (self.show(id).await?, self.today().await?);
        Ok(upcoming(&member, today).take(count).collect())
    }

    /// Changes the amount, the token or the day.
    pub async fn change(&self, id: &str, change: &SubscriptionChange, by: By) -> Result<Member, Error> {
        if change.amount.is_some_and(Amount::is_zero) {
            return Err(Error::NoAmount);
        }
        if let Some(token) = &change.token {
            self.check_token(&self.show(id).await?.subscription.customer, token).await?;
        }
        self.edit(id, by, "changed", "subscription.changed", false, |subscription, _| {
            subscription.amount = change.amount.unwrap_or(subscription.amount);
            subscription.token = change.token.clone().unwrap_or_else(|| subscription.token.clone());
            subscription.day = change.day.unwrap_or(subscription.day);
            Ok(())
        })
        .await
    }

    /// Lets nothing be due from a day, today if it is none, until before another.
    pub async fn pause(
        &self,
        id: &str,
        from: Option<NaiveDate>,
        until: NaiveDate,
        by: By,
    ) -> Result<Member, Error> {
        self.edit(id, by, "paused", "subscription.paused", false, |subscription, today| {
            let from = from.unwrap_or(today);
            if from < today {
                return Err(Error::Past { what: "the start of the pause", today });
            }
            if until <= from {
                return Err(Error::EmptyPeriod("the pause"));
            }
            subscription.pause = Some((from, until));
            Ok(())
        })
        .await
    }

    /// Ends a pause.
    pub async fn resume(&self, id: &str, by: By) -> Result<Member, Error> {
        self.edit(id, by, "resumed", "subscription.resumed", false, |subscription, today| {
            subscription.pause = subscription
                .pause
                .map(|(from, until)| (from, until.min(today)))
                .filter(|(from, until)| from < until);
            Ok(())
        })
        .await
    }

    /// Cancels a subscription. It is over when nothing of it is open at the gateway, which [`work`](Self::work) finds out;
    /// until then its status is [`Status::Canceling`].
    pub async fn cancel(&self, id: &str, at: CancelAt, by: By) -> Result<Member, Error> {
        let is_now = at == CancelAt::Now;
        self.edit(id, by, "canceled", "subscription.canceled", is_now, |subscription, today| {
            let last = match at {
                CancelAt::Now | CancelAt::PeriodEnd => today,
                CancelAt::Day(day) if day < today => return Err(Error::Past { what: "the end", today }),
                CancelAt::Day(day) => day,
            };
            subscription.ends_on = Some(last);
            if is_now {
                subscription.status = Status::Canceling;
            }
            Ok(())
        })
        .await
    }

    /// Takes back a cancellation that has not come yet.
    pub async fn keep(&self, id: &str, by: By) -> Result<Member, Error> {
        self.edit(id, by, "kept", "subscription.kept", false, |subscription, _| {
            if subscription.ends_on.take().is_none() || subscription.status != Status::Active {
                return Err(Error::NotEnding(id.to_owned()));
            }
            Ok(())
        })
        .await
    }

    /// Stores a decision about a subscription that is not over, and withdraws what was planned under the earlier one.
    async fn edit(
        &self,
        id: &str,
        by: By,
        what: &str,
        kind: &str,
        is_stop: bool,
        edit: impl Fn(&mut Subscription, NaiveDate) -> Result<(), Error>,
    ) -> Result<Member, Error> {
        let now = self.journal.now().await?;
        let before = self.show(id).await?;
        if before.subscription.status == Status::Ended {
            return Err(Error::IsOver(id.to_owned()));
        }
        let mut after = before.clone();
        edit(&mut after.subscription, day_of(now))?;
        if after == before {
            return Ok(before);
        }
        after.subscription.next = Some(now);
        if is_stop {
            after.subscription.guard += 1;
        }
        let change = Change {
            events: vec![event(kind, &after.subscription, None)],
            decision: Some(NewDecision { actor: by.actor, reason: by.reason, what: what.to_owned() }),
            raises_guard: is_stop,
            ..Change::default()
        };
        if !self.store.save(&before, &after, change, now).await? {
            return Err(Error::Changed(id.to_owned()));
        }
        self.show(id).await
    }

    /// Does what is due now, for all subscriptions of the tenant: reads the charges of plans, takes the steps, and sends and
    /// settles what they decide. Any number of processes may do it at once.
    pub async fn work(&self) -> Result<Worked, Error> {
        let mut worked = Worked { charges: self.read().await?, ..Worked::default() };
        self.journal.settle(std::slice::from_ref(&self.north)).await?;
        let mut seen = BTreeSet::new();
        loop {
            let now = self.journal.now().await?;
            let due = self.store.subscriptions(Which::Due(now), BATCH).await?;
            let due: Vec<_> = due.into_iter().filter(|due| seen.insert(due.uid.clone())).collect();
            if due.is_empty() {
                return Ok(worked);
            }
            worked.steps += self.take_turns(due).await?;
        }
    }

    /// Works until `stop` is ready, once a minute when nothing is due.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let mut stop = std::pin::pin!(stop);
        loop {
            let worked = self.work().await?;
            let wait = if worked.steps == 0 { 60 } else { 1 };
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(std::time::Duration::from_secs(wait)) => {}
            }
        }
    }

    /// Takes steps of these subscriptions, and settles their writes together, until nothing changes.
    async fn take_turns(&self, due: Vec<Subscription>) -> Result<u64, Error> {
        let (mut steps, mut open) = (0, due);
        for _ in 0..TURNS {
            let mut again = Vec::new();
            for subscription in open {
                let uid = subscription.uid.clone();
                let has_moved = self.take_step(subscription).await?;
                steps += u64::from(has_moved);
                if has_moved {
                    again.push(uid);
                }
            }
            if again.is_empty() {
                break;
            }
            self.journal.settle(std::slice::from_ref(&self.north)).await?;
            open = Vec::new();
            for uid in again {
                open.extend(self.store.subscriptions(Which::Uid(&uid), 1).await?);
            }
        }
        Ok(steps)
    }

    /// Takes one step; returns whether it changed something.
    async fn take_step(&self, subscription: Subscription) -> Result<bool, Error> {
        let now = self.journal.now().await?;
        let before = self.store.member(subscription).await?;
        let mut facts = Facts {
            today: day_of(now),
            read_until: self.store.read_until().await?,
            outcomes: self.store.outcomes(&before.subscription.uid, writes_of(&before)).await?,
            canceled: BTreeSet::new(),
            without: None,
        };
        let mut stepped = step(&before, &facts);
        for plan in std::mem::take(&mut stepped.reads) {
            if self.is_canceled(&plan).await? {
                facts.canceled.insert(plan);
            }
        }
        if !facts.canceled.is_empty() {
            stepped = step(&before, &facts);
        }
        // A sale follows a last look at the plans that could have charged its day.
        for write in &stepped.writes {
            let Write::Sale(day, _) = write else { continue };
            for term in before.terms.iter().filter(|term| (term.first..=term.last).contains(day)) {
                let Some(plan) = &term.plan else { continue };
                if self.read_plan(&before.subscription.uid, term.number, plan).await? {
                    return Ok(true);
                }
            }
        }
        let Step { member: mut after, writes, charges, events, wake, .. } = stepped;
        let has_moved = after != before || !writes.is_empty();
        let is_waiting =
            facts.outcomes.values().any(|outcome| *outcome == Outcome::Open) || !writes.is_empty();
        // What waits for an outcome is looked at again in an hour at the latest, and everything else when a day comes.
        let hour = std::time::Duration::from_hours(1);
        let day = wake.and_then(|day| day.and_hms_opt(0, 0, 0)).map(Moment::of_utc);
        after.subscription.next = if is_waiting { Some(now + hour) } else { day };
        if has_moved {
            after.subscription.next = after.subscription.next.map(|_| now);
        }
        if after == before && events.is_empty() {
            return Ok(false);
        }
        let intents =
            writes.into_iter().map(|write| self.intent(&after, write, now)).collect::<Result<_, _>>()?;
        let events = events.iter().map(|(kind, day)| event(kind, &after.subscription, *day)).collect();
        let change = Change { intents, charges, events, ..Change::default() };
        Ok(self.store.save(&before, &after, change, now).await? && has_moved)
    }

    /// Whether a read shows that the plan is canceled, or is gone.
    async fn is_canceled(&self, plan: &PlanKey) -> Result<bool, Error> {
        match self.north.client().plans().get(plan).await {
            Ok(plan) => Ok(plan.status == Some(PlanStatus::CANCELED)),
            Err(error) if error.is_not_found() => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// The intent of a write.
    fn intent(&self, member: &Member, write: Write, now: Moment) -> Result<(Write, Intent), Error> {
        let subscription = &member.subscription;
        let key = write.key(&subscription.uid);
        let term = |number: i64| member.terms.iter().find(|term| term.number == number);
        let plan_of = |number| term(number).and_then(|term| term.plan.clone());
        let guarded = self.north.only_while(&guard(&subscription.uid), subscription.guard);
        let lost = || Error::Changed(subscription.id.clone());
        let become_status =
            |status: PlanStatus| PlanUpdate::builder().status(status).build().map_err(perennial::Error::from);
        let intent = match &write {
            Write::Create(number) => {
                let term = term(*number).ok_or_else(lost)?;
                guarded.intent(&key, Later::CreatePlan(&plan(subscription, term.first, term.last)?), now)?
            }
            Write::Activate(number) => {
                let plan = plan_of(*number).ok_or_else(lost)?;
                guarded.intent(&key, Later::UpdatePlan(&plan, &become_status(PlanStatus::ACTIVE)?), now)?
            }
            Write::Close(number, _) => {
                let plan = plan_of(*number).ok_or_else(lost)?;
                let update = become_status(PlanStatus::CANCELED)?;
                self.north.send_before(now + CLOSED_WITHIN).intent(
                    &key,
                    Later::UpdatePlan(&plan, &update),
                    now,
                )?
            }
            Write::Sale(day, _) => {
                let amount = member.days.get(day).ok_or_else(lost)?.amount;
                let sale = Sale::builder().amount(amount).card(&subscription.token);
                let sale = sale.build().map_err(perennial::Error::from)?;
                guarded.intent(&key, Later::Sale(&sale), now)?
            }
        };
        Ok((write, intent))
    }
}

/// The writes whose outcomes the next step may need.
fn writes_of(member: &Member) -> Vec<Write> {
    let mut writes = Vec::new();
    if let Some(term) = member.terms.last() {
        // Those of a closed term may still be on their way.
        let number = term.number;
        writes.extend([Write::Create(number), Write::Activate(number)]);
        writes.extend(term.asked.map(|day| Write::Close(number, day)));
    }
    let tried = member.days.values().filter(|day| day.tries > 0);
    let open = tried.filter(|day| matches!(day.state, DayState::Collecting | DayState::NeedsPerson));
    writes.extend(open.map(|day| Write::Sale(day.day, day.tries)));
    writes
}

/// The plan of a term.
fn plan(subscription: &Subscription, first: NaiveDate, last: NaiveDate) -> Result<NewPlan, Error> {
    let dates = dates_of_term(&(first..=last)).ok_or(Error::EmptyPeriod("the term"))?;
    let plan = NewPlan::builder()
        .plan_name(&subscription.name)
        .customer_key(&subscription.customer)
        .token_id(&subscription.token)
        .monthly_on(subscription.day)
        .payment_amount(subscription.amount)
        .start_date(*dates.start())
        .end_date(*dates.end())
        .status(PlanStatus::SUSPENDED)
        .build();
    Ok(plan.map_err(perennial::Error::from)?)
}

/// The due days from today on, and their amounts.
fn upcoming(member: &Member, today: NaiveDate) -> impl Iterator<Item = (NaiveDate, Amount)> {
    let subscription = member.subscription.clone();
    let known = member.days.clone();
    // What is near keeps the amount of its term.
    let near = today + FREEZE;
    let from = subscription.from.max(today);
    let limit = subscription.ends_on;
    let (is_over, amount) = (subscription.status != Status::Active, subscription.amount);
    due_days(subscription.day, from)
        .take_while(move |day| !is_over && limit.is_none_or(|last| *day <= last))
        .filter(move |day| subscription.wants(*day))
        .filter_map(move |day| match known.get(&day) {
            Some(due) if due.state != DayState::Expected => None,
            Some(due) if day <= near => Some((day, due.amount)),
            _ => Some((day, amount)),
        })
}

pub(crate) fn event(kind: &str, subscription: &Subscription, day: Option<NaiveDate>) -> NewEvent {
    let mut body = json!({ "subscription": subscription.id, "generation": subscription.generation });
    if let (Some(day), Some(body)) = (day, body.as_object_mut()) {
        body.insert("day".to_owned(), day.to_string().into());
    }
    NewEvent { kind: kind.to_owned(), body: body.to_string() }
}

/// The day of a moment in UTC.
pub(crate) fn day_of(moment: Moment) -> NaiveDate {
    chrono::DateTime::from_timestamp_millis(moment.as_millis()).unwrap_or_default().date_naive()
}

/// The day before.
pub(crate) fn day_before(day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(1)).unwrap_or(day)
}
