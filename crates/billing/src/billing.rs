//! The facade: what a merchant's software calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{Datelike as _, Days, Months, NaiveDate};
use perennial::clearent::{Charge as Sale, CustomerKey, NewPlan, PlanKey, PlanStatus, PlanUpdate, TokenId};
use perennial::{Amount, Clearent as Client};
use perennial_domain::clearent::FrequencyDay;
use perennial_journal::machine::Intent;
use perennial_journal::store::NewEvent;
use perennial_journal::{By, Clearent, Journal, Later, Moment};
use serde_json::json;

use crate::Error;
use crate::calendar::{dates_of_term, due_day, due_days};
use crate::decision::{CancelAt, Decision, PauseEnd};
use crate::life::{BY_SALE, FREEZE, Facts, Outcome, PLANS_A_DAY, Step, Write, expected_day, step};
use crate::model::{
    Charge, DayState, DueDay, DueDayFilter, Member, Route, Status, Subscription, SubscriptionChange,
    TermStatus,
};
use crate::once::Once;
use crate::recovery::{AtEnd, CARD_DAYS, CARD_DECLINES, RecoveryChange, RecoveryRules, Withheld};
use crate::store::{Change, LATE, Merchant, Store, Which, guard};

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
    /// The operation key of the next decision.
    pub(crate) key: Option<String>,
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
    /// The number of charges, in place of `until`.
    pub charges: Option<u32>,
    /// The first charge.
    pub first: First,
    /// Whether it is started although another subscription, or an active plan of none, charges the same customer, token and
    /// amount on the same day.
    pub allows_second: bool,
}

/// The first charge of a subscription.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum First {
    /// On the first such day of a month from the start on. If it is nearer than three days, it is made by a sale.
    #[default]
    Due,
    /// Today, by a sale, in place of this month's day.
    Today,
    /// On the first such day that is three days ahead, so that a plan makes it.
    Next,
}

impl First {
    /// The word in the digest under an operation key. It is never changed.
    const fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Today => "today",
            Self::Next => "next",
        }
    }
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
        Self {
            id: id.into(),
            customer,
            token,
            name: name.into(),
            amount,
            day,
            from: None,
            until: None,
            charges: None,
            first: First::Due,
            allows_second: false,
        }
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

    /// Charges although something else charges the same.
    #[must_use]
    pub fn allowing_second(self) -> Self {
        Self { allows_second: true, ..self }
    }

    /// Charges this many times. A waived day does not count.
    #[must_use]
    pub fn charges(self, count: u32) -> Self {
        Self { charges: Some(count), ..self }
    }

    /// Begins with this first charge.
    #[must_use]
    pub fn first(self, first: First) -> Self {
        Self { first, ..self }
    }

    /// Returns the first due days and their amounts, if it is started today.
    ///
    /// # Errors
    ///
    /// Those of [`Billing::start`] that need neither database nor gateway.
    pub fn preview(&self, today: NaiveDate, count: usize) -> Result<Vec<(NaiveDate, Amount)>, Error> {
        Ok(upcoming(&self.member(today, 1)?, today).take(count).collect())
    }

    /// The rows of a subscription that is started today.
    fn member(&self, today: NaiveDate, generation: i64) -> Result<Member, Error> {
        let from = self.check(today)?;
        let subscription = self.row(from, generation);
        // The plan's own rules are checked before anything is stored.
        plan(&subscription, from, from)?;
        let days = match self.first {
            First::Today => BTreeMap::from([(from, expected_day(from, self.amount))]),
            First::Due | First::Next => BTreeMap::new(),
        };
        let mut member = Member { subscription, terms: Vec::new(), days };
        member.count_charges(today);
        Ok(member)
    }

    /// The row of the subscription, from its first due day on.
    pub(crate) fn row(&self, from: NaiveDate, generation: i64) -> Subscription {
        Subscription {
            uid: perennial_journal::new_uid(),
            id: self.id.clone(),
            generation,
            customer: self.customer.clone(),
            token: self.token.clone(),
            name: self.name.clone(),
            amount: self.amount,
            day: self.day,
            status: Status::Active,
            from,
            until: self.until,
            charges: self.charges,
            canceled_on: None,
            pause: None,
            change: None,
            collects_open: false,
            guard: 0,
            version: 1,
            next: None,
            is_shadow: false,
        }
    }

    pub(crate) fn check(&self, today: NaiveDate) -> Result<NaiveDate, Error> {
        Subscription::check(&self.id, self.amount)?;
        let from = self.from.unwrap_or(today);
        if from < today {
            return Err(Error::Past { what: "the start", today });
        }
        let first = match self.first {
            First::Today if from > today => return Err(Error::NotToday),
            First::Today => Some(today),
            First::Due => due_day(self.day, from),
            First::Next => due_day(self.day, from.max(today + BY_SALE)),
        };
        let first = first.ok_or(Error::EmptyPeriod("the subscription"))?;
        if self.until.is_some_and(|until| until < first) || self.charges == Some(0) {
            return Err(Error::EmptyPeriod("the subscription"));
        }
        Ok(first)
    }
}

/// The work that was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Worked {
    /// Steps of subscriptions.
    pub steps: u64,
    /// Charges of plans that were read.
    pub charges: u64,
    /// Charges of plans are known until the end of this day, but for those of unread days. While it stands still, the
    /// gateway is not reached, or its list changes while it is read, and nothing is said to be missing.
    pub read_until: NaiveDate,
}

/// The most turns for a subscription in one run: each is a write that has its outcome.
const TURNS: u32 = 16;
/// The last terms of a subscription, whose writes may still be on their way: those of a day, and two more.
const LAST_TERMS: usize = PLANS_A_DAY + 2;
/// The events of a charge that was approved or declined.
const OF_A_CHARGE: &[&str] = &["charge.paid", "charge.declined", "charge.recovered", "charge.surplus"];
/// The subscriptions that are worked on at a time.
const BATCH: u32 = 200;
/// A cancellation of a plan is sent for as long as it takes.
const CLOSED_WITHIN: Duration = Duration::from_secs(24 * 3_650 * 3_600);
const HOUR: Duration = Duration::from_secs(3_600);
/// The time by which the clocks of two processes may differ.
const CLOCKS: Duration = Duration::from_secs(60);

impl Billing {
    /// Opens the subscriptions of a tenant, and makes their tables in the journal's database.
    pub async fn open(journal: &Journal, north: &Clearent) -> Result<Self, Error> {
        let today = day_of(journal.now().await?);
        let store = Store::open(journal, north.tenant_uid(), today).await?;
        Ok(Self { journal: journal.clone(), north: north.clone(), store, key: None })
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
    /// [`Error::Past`] and [`Error::EmptyPeriod`] for its dates; [`Error::Second`] and [`Error::SecondPlan`] unless it
    /// [allows a second one](NewSubscription::allows_second).
    pub async fn start(&self, new: &NewSubscription) -> Result<Subscription, Error> {
        let NewSubscription { id, customer, token, name, amount, day, from, until, charges, first, .. } = new;
        let text = |day: &Option<NaiveDate>| day.map(|day| day.to_string());
        let (amount, day, from, until) = (amount.to_string(), day.get(), text(from), text(until));
        let (customer, token, first) = (customer.as_str(), token.as_str(), first.word());
        let words = json!(["start", id, customer, token, name, amount, day, from, until, charges, first]);
        let Once::New(key) = self.is_new(words).await? else { return Ok(self.show(id).await?.subscription) };
        let now = self.journal.now().await?;
        let (member, is_new) = self.started(new, now).await?;
        if !is_new {
            self.wake(&member, key, now).await?;
        } else if !self.store.add(&member, Change { key, ..Change::default() }, now).await? {
            return Err(Error::Changed(new.id.clone()));
        }
        Ok(member.subscription)
    }

    /// Returns the first due days and their amounts of a subscription that would be started, or the next ones of the one
    /// that exists. Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub async fn preview_start(
        &self,
        new: &NewSubscription,
        count: usize,
    ) -> Result<Vec<(NaiveDate, Amount)>, Error> {
        let now = self.journal.now().await?;
        let (member, _) = self.started(new, now).await?;
        Ok(upcoming(&member, day_of(now)).take(count).collect())
    }

    /// The subscription of a start, and whether it is new.
    async fn started(&self, new: &NewSubscription, now: Moment) -> Result<(Member, bool), Error> {
        let earlier = self.store.subscriptions(Which::Id(&new.id), 1).await?.into_iter().next();
        if let Some(open) = earlier.as_ref().filter(|earlier| earlier.status != Status::Ended) {
            let is_same = open.customer == new.customer
                && open.token == new.token
                && open.name == new.name
                && open.amount == new.amount
                && open.day == new.day
                && open.charges == new.charges
                && (new.charges.is_some() || open.until == new.until)
                && new.from.is_none_or(|from| due_day(new.day, from) == Some(open.from));
            if !is_same {
                return Err(Error::IdUsed(new.id.clone()));
            }
            return Ok((self.store.member(open.clone()).await?, false));
        }
        let generation = earlier.map_or(1, |earlier| earlier.generation + 1);
        let mut member = new.member(day_of(now), generation)?;
        member.subscription.next = Some(now);
        check_token(self.north.client(), &new.customer, &new.token).await?;
        if !new.allows_second {
            self.check_second(new, &member.subscription).await?;
        }
        Ok((member, true))
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

    /// Returns the next due days and their amounts, as the subscription stands now and as it would after a decision. Nothing
    /// is changed.
    ///
    /// # Errors
    ///
    /// Those of [`decide`](Self::decide).
    pub async fn preview_decision(
        &self,
        id: &str,
        decision: &Decision,
        count: usize,
    ) -> Result<[Vec<(NaiveDate, Amount)>; 2], Error> {
        let (before, after, now) = self.decided(id, decision).await?;
        Ok([before, after].map(|member| upcoming(&member, day_of(now)).take(count).collect()))
    }

    /// Lists due days and the ids of their subscriptions, by day.
    pub async fn due_days(&self, filter: &DueDayFilter) -> Result<Vec<(String, DueDay)>, Error> {
        self.store.due_days(filter).await
    }

    /// Changes the amount, the token or the day.
    pub async fn change(&self, id: &str, change: &SubscriptionChange, by: By) -> Result<Member, Error> {
        self.decide(id, &Decision::Change(change.clone()), by).await
    }

    /// Lets nothing be due from a day, today if it is none, until before another.
    pub async fn pause(
        &self,
        id: &str,
        from: Option<NaiveDate>,
        until: NaiveDate,
        by: By,
    ) -> Result<Member, Error> {
        let end = PauseEnd::Until(until);
        self.decide(id, &Decision::Pause { from, end, collects: false }, by).await
    }

    /// Ends a pause.
    pub async fn resume(&self, id: &str, by: By) -> Result<Member, Error> {
        self.decide(id, &Decision::Resume, by).await
    }

    /// Cancels a subscription, and withdraws planned tries of declined charges when the end comes. It is over when nothing of
    /// it is open at the gateway, which [`work`](Self::work) finds out; until then its status is [`Status::Canceling`].
    pub async fn cancel(&self, id: &str, at: CancelAt, by: By) -> Result<Member, Error> {
        self.decide(id, &Decision::Cancel { at, collects_open: false }, by).await
    }

    /// Takes back a cancellation that has not come yet.
    pub async fn keep(&self, id: &str, by: By) -> Result<Member, Error> {
        self.decide(id, &Decision::Keep, by).await
    }

    /// The subscription before and after a decision, and the time.
    async fn decided(&self, id: &str, decision: &Decision) -> Result<(Member, Member, Moment), Error> {
        let now = self.journal.now().await?;
        let before = self.show(id).await?;
        if before.subscription.status == Status::Ended {
            return Err(Error::IsOver(id.to_owned()));
        }
        if before.subscription.is_shadow && !matches!(decision, Decision::Cancel { at: CancelAt::Now, .. }) {
            return Err(Error::InShadow(id.to_owned()));
        }
        let mut after = before.clone();
        decision.apply(&mut after, day_of(now))?;
        let later =
            |member: &Member| member.subscription.change.as_ref().and_then(|change| change.token.clone());
        let token = (after.subscription.token != before.subscription.token)
            .then_some(after.subscription.token.clone());
        let later = later(&after).filter(|token| later(&before).as_ref() != Some(token));
        for token in token.iter().chain(&later) {
            check_token(self.north.client(), &after.subscription.customer, token).await?;
        }
        Ok((before, after, now))
    }

    /// Stores a decision about a subscription that is not over. A stop also withdraws what was planned before it. The same
    /// decision again changes nothing.
    pub async fn decide(&self, id: &str, decision: &Decision, by: By) -> Result<Member, Error> {
        let Once::New(key) = self.is_new(decision.words(id)).await? else { return self.show(id).await };
        let (before, mut after, now) = self.decided(id, decision).await?;
        if after == before {
            self.wake(&before, key, now).await?;
            return Ok(before);
        }
        after.subscription.next = Some(now);
        // What was planned before a stop or a pause is not sent any more.
        let is_pause = matches!(decision, Decision::Pause { .. });
        let raises_guard = after.subscription.status != before.subscription.status
            || is_pause && after.subscription.pause != before.subscription.pause;
        if raises_guard {
            after.subscription.guard += 1;
        }
        let what = decision.word();
        let change = Change {
            events: vec![event(&format!("subscription.{what}"), &after.subscription)],
            decision: Some(by.decided(what)?),
            raises_guard,
            key,
            ..Change::default()
        };
        if !self.store.save(&before, &after, change, now).await? {
            return Err(Error::Changed(id.to_owned()));
        }
        self.show(id).await
    }

    /// Makes the next step of a subscription due now, so that a decision that is repeated goes on at once, and stores the
    /// operation key of the repetition.
    pub(crate) async fn wake(
        &self,
        member: &Member,
        key: Option<(String, String)>,
        now: Moment,
    ) -> Result<(), Error> {
        let mut after = member.clone();
        after.subscription.next = Some(now);
        let has_key = key.is_some();
        let is_saved = self.store.save(member, &after, Change { key, ..Change::default() }, now).await?;
        // If another process changed it, that made its next step due.
        if is_saved || !has_key { Ok(()) } else { Err(Error::Changed(after.subscription.id)) }
    }

    /// Does what is due now, for all subscriptions of the tenant: reads the charges of plans, takes the steps, and sends and
    /// settles what they decide. Any number of processes may do it at once.
    ///
    /// # Errors
    ///
    /// If the gateway fails for a search or for one subscription, all that does not need it is worked on before the first such
    /// error is returned.
    pub async fn work(&self) -> Result<Worked, Error> {
        let charges = self.read().await;
        self.work_after(charges, &AtomicBool::new(false)).await
    }

    /// Works after the charges of plans were read, or not, until it is stopping.
    async fn work_after(
        &self,
        charges: Result<u64, Error>,
        is_stopping: &AtomicBool,
    ) -> Result<Worked, Error> {
        // Without the charges, no sale is due, but plans are still made and ended.
        let (charges, failed) = match charges {
            Err(error) if error.is_passing() => (0, Some(error)),
            charges => (charges?, None),
        };
        let worked = Box::pin(self.take_steps(is_stopping)).await;
        if !is_stopping.load(Ordering::Relaxed) {
            self.announce().await?;
            let warned = self.warn_of_ending_cards().await;
            if worked.is_ok() {
                warned?;
            }
        }
        let worked = worked?;
        failed.map_or(Ok(Worked { charges: charges + worked.charges, ..worked }), Err)
    }

    /// Takes the steps that are due, for one subscription; returns their number.
    ///
    /// # Errors
    ///
    /// Those of [`work`](Self::work), and [`Error::NoSubscription`].
    pub async fn work_on(&self, id: &str) -> Result<u64, Error> {
        // What was sent before may have its outcome now.
        self.journal.settle(std::slice::from_ref(&self.north)).await?;
        let subscription = self.show(id).await?.subscription;
        let mut failed = None;
        let steps = self.take_turns(vec![subscription], &mut failed).await?;
        failed.map_or(Ok(steps), Err)
    }

    /// Looks at the alerts, and takes the steps that are due, until it is stopping.
    async fn take_steps(&self, is_stopping: &AtomicBool) -> Result<Worked, Error> {
        let read_until = self.store.merchant(self.today().await?).await?.read_until;
        let mut worked = Worked { read_until, ..Worked::default() };
        let (mut seen, mut failed) = (BTreeSet::new(), None);
        match self.look_at_alerts().await {
            Err(error) if error.is_passing() => failed = Some(error),
            charges => worked.charges = charges?,
        }
        self.journal.settle(std::slice::from_ref(&self.north)).await?;
        let mut last: Option<(Moment, String)> = None;
        loop {
            let now = self.journal.now().await?;
            // Those that stay due, because the gateway fails for them, are passed over.
            let after = last.as_ref().map(|(next, uid)| (*next, uid.as_str()));
            // The clock of the process that made a step due may be ahead.
            let due = self.store.subscriptions(Which::Due(now + CLOCKS, after), BATCH).await?;
            let Some(end) = due.last().filter(|_| !is_stopping.load(Ordering::Relaxed)) else {
                return failed.map_or(Ok(worked), Err);
            };
            last = end.next.map(|next| (next, end.uid.clone()));
            let due: Vec<_> = due.into_iter().filter(|due| seen.insert(due.uid.clone())).collect();
            worked.steps += self.take_turns(due, &mut failed).await?;
        }
    }

    /// Works until `stop` is ready, once a minute when nothing is due or the gateway is not reached. Charges of plans are read
    /// once an hour, and those of [alerts](Self::receive) in the next minute. A stop during a round waits for the
    /// subscriptions that are in progress, at most 200.
    ///
    /// # Errors
    ///
    /// If the database fails, or the gateway does not take the merchant's key. Start it again then: everything that is open is
    /// in the database.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        self.run_with(stop, |_| {}).await
    }

    /// Works as [`run`](Self::run) does, and passes the result of each round to `report`: also the errors after which it goes
    /// on.
    pub async fn run_with(
        &self,
        stop: impl Future<Output = ()>,
        mut report: impl FnMut(&Result<Worked, Error>),
    ) -> Result<(), Error> {
        let mut stop = std::pin::pin!(stop);
        let mut read: Option<Instant> = None;
        let is_stopping = AtomicBool::new(false);
        while !is_stopping.load(Ordering::Relaxed) {
            let mut charges = Ok(0);
            if read.is_none_or(|read| read.elapsed() >= HOUR) {
                charges = tokio::select! {
                    biased;
                    () = &mut stop => return Ok(()),
                    charges = self.read() => charges,
                };
                read = charges.is_ok().then(Instant::now);
            }
            let mut work = std::pin::pin!(self.work_after(charges, &is_stopping));
            let worked = tokio::select! {
                biased;
                () = &mut stop => {
                    is_stopping.store(true, Ordering::Relaxed);
                    work.await
                }
                worked = &mut work => worked,
            };
            report(&worked);
            let wait = match worked {
                Ok(Worked { steps: 1.., .. }) => 1,
                Err(error) if !error.is_passing() => return Err(error),
                Ok(_) | Err(_) => 60,
            };
            if !is_stopping.load(Ordering::Relaxed) {
                tokio::select! {
                    () = &mut stop => return Ok(()),
                    () = tokio::time::sleep(Duration::from_secs(wait)) => {}
                }
            }
        }
        Ok(())
    }

    /// Takes steps of these subscriptions, and settles their writes together, until nothing changes.
    async fn take_turns(&self, due: Vec<Subscription>, failed: &mut Option<Error>) -> Result<u64, Error> {
        let (mut steps, mut open) = (0, due);
        for _ in 0..TURNS {
            let today = self.today().await?;
            let mut again = Vec::new();
            let members = self.store.members(open).await?;
            let key_of = |member: &Member, write: &Write| write.key(&member.subscription.uid);
            let writes = members.iter().flat_map(|member| {
                writes_of(member).into_iter().map(|write| (key_of(member, &write), write))
            });
            let mut known = self.store.outcomes(&writes.collect()).await?;
            for member in members {
                let writes = writes_of(&member).into_iter();
                let outcomes =
                    writes.filter_map(|write| Some((write.clone(), known.remove(&key_of(&member, &write))?)));
                let outcomes = outcomes.collect();
                let uid = member.subscription.uid.clone();
                let stalled = member.stalled(today).map(|stalled| (member.clone(), stalled));
                let stepped = self.take_step(member, outcomes).await;
                // One that moves on needs nobody.
                if let (Ok(false) | Err(_), Some((member, stalled))) = (&stepped, stalled) {
                    self.report_stalled(&member, &stalled).await?;
                }
                let has_moved = match stepped {
                    // One subscription does not stop the others.
                    Err(error) if error.is_passing() => {
                        failed.get_or_insert(error);
                        false
                    }
                    has_moved => has_moved?,
                };
                steps += u64::from(has_moved);
                if has_moved {
                    again.push(uid);
                }
            }
            if again.is_empty() {
                break;
            }
            self.journal.settle(std::slice::from_ref(&self.north)).await?;
            let again: Vec<_> = again.iter().map(String::as_str).collect();
            open = self.store.subscriptions_of(&again).await?;
        }
        Ok(steps)
    }

    /// Takes one step; returns whether it changed something.
    async fn take_step(&self, before: Member, outcomes: BTreeMap<Write, Outcome>) -> Result<bool, Error> {
        let now = self.journal.now().await?;
        let today = day_of(now);
        let merchant = self.store.merchant(today).await?;
        let card = self.card_today(&before, today).await?;
        let withheld = self.withheld(&before, &merchant, card.has_expired, today).await?;
        let mut facts = Facts {
            today,
            read_until: merchant.read_until,
            unread: self.store.unread().await?,
            outcomes,
            whole: BTreeSet::new(),
            canceled: BTreeSet::new(),
            withheld,
            card_is_renewed: card.is_renewed,
            at_end: merchant.rules.at_end,
            without: None,
        };
        let mut stepped = step(&before, &facts);
        for plan in std::mem::take(&mut stepped.lists) {
            if self.has_whole_list(&plan).await? {
                facts.whole.insert(plan);
            }
        }
        for plan in std::mem::take(&mut stepped.reads) {
            if self.is_canceled(&plan).await? {
                facts.canceled.insert(plan);
            }
        }
        if !facts.canceled.is_empty() || !facts.whole.is_empty() {
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
        let day = wake.and_then(|day| day.and_hms_opt(0, 0, 0)).map(Moment::of_utc);
        after.subscription.next = if is_waiting { Some(now + HOUR) } else { day };
        if has_moved {
            after.subscription.next = after.subscription.next.map(|_| now);
        }
        if after == before && events.is_empty() {
            if let Some(card) = card.read {
                self.store.put_card(&before.subscription, &card).await?;
            }
            return Ok(false);
        }
        let intents =
            writes.into_iter().map(|write| self.intent(&after, write, now)).collect::<Result<_, _>>()?;
        let events = events.iter().map(|(kind, day)| match day {
            Some(day) => {
                let charge = charges.iter().rev().find(|charge| charge.day == *day);
                event_of_day(kind, &after, *day, charge.filter(|_| OF_A_CHARGE.contains(kind)))
            }
            None => event(kind, &after.subscription),
        });
        let events = events.collect();
        let raises_guard = after.subscription.guard != before.subscription.guard;
        let card = card.read;
        let change = Change { intents, charges, events, card, raises_guard, ..Change::default() };
        if withheld == Some(Withheld::Limit) {
            self.store.limit_is_reached(today, now).await?;
        }
        Ok(self.store.save(&before, &after, change, now).await? && has_moved)
    }

    /// The reason for which the declined and missing days of a subscription are not tried today.
    async fn withheld(
        &self,
        member: &Member,
        merchant: &Merchant,
        has_expired: bool,
        today: NaiveDate,
    ) -> Result<Option<Withheld>, Error> {
        // A decline that was just read has no next try yet, and may get one in this step.
        let is_due = |due: &&DueDay| {
            matches!(due.state, DayState::Declined | DayState::Missing | DayState::Part)
                && !due.waits_for_card(today)
                && due.next_try.is_none_or(|next| next <= today)
        };
        let Some(due) = member.days.values().find(is_due) else { return Ok(None) };
        if has_expired {
            return Ok(Some(Withheld::Expired));
        }
        if merchant.is_at_limit(due.rest()) {
            return Ok(Some(Withheld::Limit));
        }
        let declines = self.store.declines_of_card(member.token_of(due.day), today - CARD_DAYS).await?;
        Ok((declines >= CARD_DECLINES).then_some(Withheld::Card))
    }

    /// The merchant's rules for days that are declined or missing.
    pub async fn recovery_rules(&self) -> Result<RecoveryRules, Error> {
        Ok(self.store.merchant(self.today().await?).await?.rules)
    }

    /// Changes the merchant's rules for days that are declined or missing, and returns them.
    ///
    /// # Errors
    ///
    /// [`Error::KeyUsed`] under an [operation key](Self::once) of another decision.
    pub async fn change_recovery_rules(
        &self,
        change: &RecoveryChange,
        by: By,
    ) -> Result<RecoveryRules, Error> {
        let RecoveryChange { tries_a_day, sum_a_day, at_end } = change;
        if change.is_empty() {
            return Err(Error::EmptyChange);
        }
        if sum_a_day.is_some_and(Amount::is_zero) {
            return Err(Error::NoAmount);
        }
        let words =
            json!(["recovery", tries_a_day, sum_a_day.map(|sum| sum.to_string()), at_end.map(AtEnd::as_str)]);
        if let Once::New(key) = self.is_new(words).await? {
            let decision = by.decided(change.in_words())?;
            self.store.change_recovery(change, &decision, key, self.journal.now().await?).await?;
        }
        self.recovery_rules().await
    }

    /// Whether a read shows that the plan is canceled, is gone, or is past its end for longer than its charges are late.
    async fn is_canceled(&self, plan: &PlanKey) -> Result<bool, Error> {
        match self.north.client().plans().get(plan).await {
            Ok(plan) => {
                let latest = self.today().await? - LATE - FREEZE;
                let is_past = plan.end_date.is_some_and(|end| end.naive() < latest);
                Ok(plan.status == Some(PlanStatus::CANCELED) || is_past)
            }
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
                let amount = member.days.get(day).ok_or_else(lost)?.rest();
                let sale = Sale::builder().amount(amount).card(member.token_of(*day));
                let sale = sale.build().map_err(perennial::Error::from)?;
                guarded.intent(&key, Later::Sale(&sale), now)?
            }
        };
        Ok((write, intent))
    }
}

pub(crate) async fn check_token(
    client: &Client,
    customer: &CustomerKey,
    token: &TokenId,
) -> Result<(), Error> {
    let tokens = client.customers().tokens(customer).list().await?;
    if tokens.iter().any(|known| known.token_id == *token) { Ok(()) } else { Err(Error::ForeignToken) }
}

/// The writes whose outcomes the next step may need.
fn writes_of(member: &Member) -> Vec<Write> {
    let mut writes = Vec::new();
    // Those of closed terms may still be on their way.
    for term in member.terms.iter().rev().take(LAST_TERMS) {
        let number = term.number;
        writes.extend([Write::Create(number), Write::Activate(number)]);
        writes.extend(term.asked.map(|day| Write::Close(number, day)));
    }
    let open = member.days.values().filter(|day| day.was.is_some());
    writes.extend(open.map(|day| Write::Sale(day.day, day.tries)));
    writes
}

/// The plan of a term.
pub(crate) fn plan(subscription: &Subscription, first: NaiveDate, last: NaiveDate) -> Result<NewPlan, Error> {
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
pub(crate) fn upcoming(
    member: &Member,
    today: NaiveDate,
) -> impl Iterator<Item = (NaiveDate, Amount)> + use<> {
    let change = member.subscription.change.clone().unwrap_or_default();
    let (from, day) = (change.from.unwrap_or(NaiveDate::MIN), change.day);
    let [before, mut with_amount, mut after] = [member.clone(), member.clone(), member.clone()];
    after.change(&change);
    with_amount.change(&SubscriptionChange { day: None, ..change });
    // A month whose old day is due by then, and whose new day is not, keeps its day.
    let keeps_day =
        move |due: NaiveDate| day.and_then(|day| due.with_day(day.get())).is_some_and(|new| new < from);
    let before: Vec<_> = upcoming_of(&before, today).take_while(|(due, _)| *due < from).collect();
    let between = upcoming_of(&with_amount, today).skip_while(|(due, _)| *due < from);
    let between: Vec<_> = between.take_while(|(due, _)| keeps_day(*due)).collect();
    // A sale that follows a pause is on a day of its own.
    let is_due =
        |due: &NaiveDate| member.days.contains_key(due) || due.day() == member.subscription.day.get();
    let last = before.iter().chain(&between).map(|(due, _)| *due).filter(is_due).max();
    let next = last.and_then(|last| last.with_day(1)?.checked_add_months(Months::new(1)));
    let from = next.map_or(from, |next| from.max(next));
    let later = upcoming_of(&after, today).skip_while(move |(due, _)| *due < from);
    before.into_iter().chain(between).chain(later)
}

/// The due days from today on, and their amounts, without a change that holds from a later day.
fn upcoming_of(member: &Member, today: NaiveDate) -> impl Iterator<Item = (NaiveDate, Amount)> + use<> {
    let subscription = member.subscription.clone();
    let is_active = subscription.status == Status::Active;
    let near = today + FREEZE;
    let is_charged = |due: &DueDay| {
        let is_live = |status| matches!(status, TermStatus::Activating | TermStatus::Active);
        member.terms.iter().any(|term| due.term == Some(term.number) && is_live(term.status))
    };
    // What is near keeps its term, and with it its day and its amount.
    let kept = member.days.range(today..=near).map(|(_, due)| due).filter(|due| {
        due.state == DayState::Expected && (is_charged(due) || is_active && subscription.wants(due.day))
    });
    let mut kept: Vec<_> = kept.map(|due| (due.day, due.amount)).collect();
    // After a change of the day, a month whose new day has passed, or is too near, keeps the old one.
    let keeps_day = |due: &&DueDay| {
        let new_day = due.day.with_day(subscription.day.get());
        let has_passed = new_day.is_some_and(|new| new != due.day && new < today + BY_SALE);
        due.day > near
            && due.state == DayState::Expected
            && has_passed
            && is_active
            && subscription.wants(due.day)
    };
    kept.extend(member.days.values().filter(keeps_day).map(|due| (due.day, subscription.amount)));
    // After what is known, no month has two due days.
    let known = member.days.values().filter(|due| due.day <= near || due.state != DayState::Expected);
    let last = known.map(|due| due.day).chain(kept.iter().map(|(day, _)| *day)).max();
    let after = last.and_then(|last| last.with_day(1)?.checked_add_months(Months::new(1)));
    let from = subscription.from.max(after.unwrap_or(today)).max(today);
    let (limit, amount) = (subscription.ends_on(), subscription.amount);
    // In shadow, nothing is charged after the plan.
    let by_plan = |due: &&DueDay| due.route == Route::Plan && due.state == DayState::Expected;
    let last_by_plan = member.days.values().filter(by_plan).map(|due| due.day).next_back();
    let plan_end = subscription.is_shadow.then_some(last_by_plan.unwrap_or(NaiveDate::MIN));
    let later = due_days(subscription.day, from)
        .take_while(move |day| is_active && limit.is_none_or(|last| *day <= last))
        .take_while(move |day| plan_end.is_none_or(|last| *day <= last))
        .filter(move |day| subscription.wants(*day))
        .map(move |day| (day, amount));
    let mut charges = kept.into_iter().chain(later).peekable();
    let mut collected = collected(member, today).into_iter().peekable();
    std::iter::from_fn(move || match (charges.peek(), collected.peek()) {
        (Some(charge), Some(sale)) if sale.0 < charge.0 => collected.next(),
        (Some(_), _) => charges.next(),
        (None, _) => collected.next(),
    })
}

/// The sales that follow a pause whose months are collected: one on each day after it.
fn collected(member: &Member, today: NaiveDate) -> Vec<(NaiveDate, Amount)> {
    let subscription = &member.subscription;
    let Some(pause) = subscription.pause.filter(|pause| pause.collects) else { return Vec::new() };
    let is_active = subscription.status == Status::Active;
    if !is_active && !subscription.collects_open {
        return Vec::new();
    }
    let passed = member.days.values().filter(|due| due.state == DayState::Expected && due.next_try.is_some());
    let passed: Vec<_> = passed.map(|due| due.amount).collect();
    let from = pause.from.max(subscription.from).max(member.first_free(today));
    let later = due_days(subscription.day, from).take_while(|day| *day < pause.until);
    let later = later
        .filter(|day| is_active && subscription.ends_on().is_none_or(|last| *day <= last) && *day > today);
    let amounts = passed.into_iter().chain(later.map(|_| subscription.amount));
    pause.until.max(today).iter_days().zip(amounts).collect()
}

/// An event about a subscription.
pub(crate) fn event(kind: &str, subscription: &Subscription) -> NewEvent {
    let body = json!({ "subscription": subscription.id, "generation": subscription.generation });
    NewEvent { kind: kind.to_owned(), body: body.to_string() }
}

/// An event about a due day, and the charge that it got.
pub(crate) fn event_of_day(kind: &str, member: &Member, day: NaiveDate, charge: Option<&Charge>) -> NewEvent {
    let Member { subscription, days, .. } = member;
    let mut body = json!({
        "subscription": subscription.id, "generation": subscription.generation, "day": day.to_string(),
    });
    let amount = charge.map(|charge| charge.amount).or_else(|| days.get(&day).map(DueDay::rest));
    if let Some(amount) = amount {
        body["amount"] = amount.to_string().into();
    }
    if let Some(charge) = charge {
        body["transaction"] = charge.id.as_str().into();
        if let Some(of) = &charge.of {
            body["of"] = of.as_str().into();
        }
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
