use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::{CustomerKey, Link, Paging, Schedule, TokenId};
use crate::{
    Amount, Date, Flag, InvalidValue, Reported, Rule, Text, Timestamp, Total, Violations, add_months,
    builder::request, key::key, open::open,
};

key! {
    /// The gateway's key of a payment plan: `plan_` and 12 alphanumerics (2016), or a UUID (newer).
    pub struct PlanKey;
}

open! {
    /// The status of a plan, which decides whether it charges. `CANCELLED` and `CANCELED` are one status, written as
    /// the live gateway writes it. The values can be used as patterns, and any other word that a gateway reports is
    /// kept:
    ///
    /// ```
    /// use perennial_domain::clearent::PlanStatus;
    ///
    /// let charges = |status: Option<PlanStatus>| match status {
    ///     Some(PlanStatus::ACTIVE) => "yes",
    ///     Some(PlanStatus::SUSPENDED | PlanStatus::CANCELED) => "no",
    ///     Some(_) | None => "ask",
    /// };
    /// assert_eq!(charges(Some(PlanStatus::reported("active"))), "yes");
    /// assert_eq!(charges(Some(PlanStatus::reported("cancelled"))), "no");
    /// assert_eq!(charges(Some(PlanStatus::reported("Paused"))), "ask");
    /// assert_eq!(PlanStatus::reported("Paused").as_str(), "PAUSED");
    ///
    /// assert_eq!(PlanStatus::try_from("Cancelled").unwrap(), PlanStatus::CANCELED);
    /// assert!(PlanStatus::ACTIVE.become_status(&PlanStatus::SUSPENDED).is_ok());
    /// assert!(PlanStatus::CANCELED.become_status(&PlanStatus::ACTIVE).is_err());
    /// ```
    pub struct PlanStatus one of "ACTIVE, SUSPENDED, CANCELED" {
        /// The plan charges.
        ACTIVE = "ACTIVE",
        /// The plan does not charge; it can become active again.
        SUSPENDED = "SUSPENDED",
        /// The plan does not charge and cannot be restarted.
        CANCELED = "CANCELED" | "CANCELLED",
    }
}

impl PlanStatus {
    /// Checks the change from this status to `next`: a status may stay as it is, and `CANCELED` cannot change.
    pub fn become_status(&self, next: &Self) -> Result<(), InvalidValue> {
        if *self == Self::CANCELED && next != self { Err(Rule::PlanCancelled.into()) } else { Ok(()) }
    }
}

/// The type of a plan: "currently can only be SUBSCRIPTION".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PlanType;

impl PlanType {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        "SUBSCRIPTION"
    }
}

impl TryFrom<&str> for PlanType {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        if text.eq_ignore_ascii_case(Self.as_str()) { Ok(Self) } else { Err(Rule::PlanType.into()) }
    }
}

open! {
    /// The frequency of a plan's charges. Requests allow only `MONTHLY`; other values of newer documentation can be
    /// read.
    pub struct Frequency one of "MONTHLY" {
        /// Once a month.
        MONTHLY = "MONTHLY",
    }
}

/// The day of the month on which a plan charges: 1 to 28, the days that every month has.
///
/// The documentation says 1 to 31 in one place and 1 to 28 in another; the live gateway refuses 29.
///
/// ```
/// use perennial_domain::{NaiveDate, clearent::FrequencyDay};
///
/// assert_eq!(FrequencyDay::new(15).unwrap().get(), 15);
/// assert!(FrequencyDay::new(29).is_err());
/// let sign_up = NaiveDate::from_ymd_opt(2027, 1, 31).unwrap();
/// assert_eq!(FrequencyDay::at_or_before(sign_up).get(), 28);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrequencyDay(u32);

impl FrequencyDay {
    /// Creates the day from a number from 1 to 28.
    pub fn new(day: u32) -> Result<Self, InvalidValue> {
        if matches!(day, 1..=28) { Ok(Self(day)) } else { Err(Rule::FrequencyDay.into()) }
    }

    /// The day of this date, or 28 for a date on the 29th to 31st; [`get`](Self::get) returns the chosen day.
    pub fn at_or_before(date: NaiveDate) -> Self {
        Self(date.day().min(28))
    }

    /// The day of the month.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for FrequencyDay {
    type Error = InvalidValue;

    fn try_from(day: u32) -> Result<Self, Self::Error> {
        Self::new(day)
    }
}

impl TryFrom<&str> for FrequencyDay {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or(Rule::FrequencyDay.into()).and_then(Self::new)
    }
}

impl TryFrom<String> for FrequencyDay {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl std::fmt::Display for FrequencyDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

/// The period in which a plan charges: the end is on or after the start, and at most 12 calendar months after it.
///
/// ```
/// use perennial_domain::{Rule, clearent::PlanTerm};
///
/// assert!(PlanTerm::parse("2028-02-29", "2029-02-28").is_ok());
/// let violations = PlanTerm::parse("2028-02-29", "2029-03-01").unwrap_err();
/// assert_eq!(violations.iter().next().unwrap().rule, Rule::TermTooLong);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanTerm {
    start: Date,
    end: Date,
}

impl PlanTerm {
    /// The maximum number of calendar months between start and end.
    pub const MONTHS: u32 = 12;

    /// Creates the term from its first and its last day, both included.
    pub fn new(start: Date, end: Date) -> Result<Self, InvalidValue> {
        let latest = add_months(start.naive(), Self::MONTHS).unwrap_or(NaiveDate::MAX);
        match (start, end) {
            _ if end < start => Err(Rule::EndBeforeStart.into()),
            _ if end.naive() > latest => Err(Rule::TermTooLong.into()),
            (start, end) => Ok(Self { start, end }),
        }
    }

    /// Creates the term of this number of charges, 1 to 12, starting on this date. It ends one day before the date that
    /// is this number of calendar months later, so that a monthly plan charges exactly this number of times on any day
    /// from 1 to 28. A plan that continues without a gap starts on the [day after](Self::day_after).
    ///
    /// ```
    /// use perennial_domain::clearent::PlanTerm;
    ///
    /// let year = PlanTerm::months("2027-01-15".parse().unwrap(), 12).unwrap();
    /// assert_eq!(year.end().to_string(), "2028-01-14");
    /// assert_eq!(year.day_after().unwrap().to_string(), "2028-01-15");
    /// assert!(PlanTerm::months("2027-01-15".parse().unwrap(), 13).is_err());
    /// ```
    pub fn months(start: Date, months: u32) -> Result<Self, InvalidValue> {
        if !matches!(months, 1..=Self::MONTHS) {
            return Err(Rule::Charges.into());
        }
        let from = start.naive();
        // No plan charges on days 29 to 31, so the months are counted from the 28th.
        let end = match from.with_day(28) {
            Some(last) if from > last => add_months(last, months),
            _ => add_months(from, months).and_then(|date| date.pred_opt()),
        };
        Self::new(start, end.ok_or(Rule::DateFormat)?.try_into()?)
    }

    /// The day after the end of the term: the start of a plan that continues without a gap and without a double charge.
    pub fn day_after(self) -> Result<Date, InvalidValue> {
        self.end.naive().succ_opt().ok_or(Rule::DateFormat)?.try_into()
    }

    /// Creates the term from two dates written `yyyy-MM-dd`.
    pub fn parse(start: &str, end: &str) -> Result<Self, Violations> {
        let mut violations = Violations::default();
        let dates = (violations.read("start-date", start), violations.read("end-date", end));
        let (Some(start), Some(end)) = dates else { return Err(violations) };
        Self::new(start, end).map_err(|error| Violations::one("end-date", error.0))
    }

    /// The first day on which the plan may charge.
    pub const fn start(self) -> Date {
        self.start
    }

    /// The last day on which the plan may charge.
    pub const fn end(self) -> Date {
        self.end
    }
}

request! {
    /// A request to create a payment plan, which charges an amount to a customer's card each month for at most 12
    /// months.
    ///
    /// ```
    /// use perennial_domain::clearent::{CustomerKey, NewPlan, PlanStatus, TokenId};
    ///
    /// let plan = NewPlan::builder()
    ///     .plan_name("Gold membership")
    ///     .customer_key("cust_5a1d7c1e8a0f")
    ///     .token_id("1100000000555551111")
    ///     .monthly_on(15)
    ///     .payment_amount("50.00")
    ///     .start_date("2027-01-01")
    ///     .end_date("2027-12-31")
    ///     .status(PlanStatus::ACTIVE)
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(plan.schedule().unwrap().count(), 12);
    /// assert_eq!(plan.total().to_string(), "600.00");
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct NewPlan, NewPlanFields, NewPlanBuilder {
        required {
            /// The customer; required.
            customer_key: CustomerKey = "customer-key",
            /// The card token to charge; required.
            token_id: TokenId = "token-id",
            /// The frequency: `MONTHLY`; required. [`monthly_on`](Self::monthly_on) sets it together with the day.
            frequency: Frequency = "frequency",
            /// The amount of each payment; required.
            payment_amount: Amount = "payment-amount",
            /// The first day, `yyyy-MM-dd`; required.
            start_date: Date = "start-date",
            /// The last day, at most 12 calendar months later; required.
            end_date: Date = "end-date",
        }
        documented {
            /// The name of the plan; required by the vendor's page.
            plan_name: Text = "plan-name",
            /// The day of the month, 1 to 28; required by the vendor's page.
            frequency_day: FrequencyDay = "frequency-day",
            /// The status, which decides whether the plan charges; required by the vendor's page.
            status: PlanStatus = "status",
        }
        optional {
            /// The type: `SUBSCRIPTION`, which is also sent if the field is not set.
            plan_type: PlanType = "type",
            /// The customer's name, for people.
            customer_name: Text = "customer-name",
            /// The email address for receipts.
            email_address: Text = "email-address",
            /// Whether receipts are sent.
            email_receipt: Flag = "email-receipt",
        }
    }
    check |plan, violations| {
        check_frequency(plan.frequency.as_ref(), violations);
        check_status(plan.status.as_ref(), violations);
        check_amount(plan.payment_amount, violations);
        check_term(plan.start_date, plan.end_date, violations);
    };
}

impl NewPlan {
    /// The day of the month: the given day, or the day of the start.
    pub fn day(&self) -> FrequencyDay {
        self.frequency_day.unwrap_or_else(|| FrequencyDay::at_or_before(self.start_date.naive()))
    }

    /// The dates on which the plan will charge while it is active.
    pub fn schedule(&self) -> Result<Schedule, Violations> {
        PlanTerm::new(self.start_date, self.end_date)
            .map(|term| Schedule::new(term, self.day()))
            .map_err(|error| Violations::one("end-date", error.0))
    }

    /// The sum of all charges of the plan.
    pub fn total(&self) -> Total {
        self.schedule().into_iter().flatten().map(|_| self.payment_amount).sum()
    }
}

impl NewPlanBuilder {
    /// Sets the plan to charge once a month on this day, 1 to 28.
    pub fn monthly_on<V>(self, day: V) -> Self
    where
        V: TryInto<FrequencyDay>,
        V::Error: Into<InvalidValue>,
    {
        self.frequency(Frequency::MONTHLY).frequency_day(day)
    }

    /// Sets the term of the plan.
    pub fn term(self, term: PlanTerm) -> Self {
        self.start_date(term.start()).end_date(term.end())
    }

    /// Sets the first day. [`charges`](NewPlanStart::charges) then sets the number of charges.
    ///
    /// ```
    /// use perennial_domain::clearent::NewPlan;
    ///
    /// let plan = NewPlan::builder()
    ///     .monthly_on(15)
    ///     .starting("2027-01-15")
    ///     .charges(12)
    ///     .customer_key("cust_5a1d7c1e8a0f")
    ///     .token_id("1100000000555551111")
    ///     .payment_amount("50.00")
    ///     .plan_name("Gold membership")
    ///     .status("ACTIVE")
    ///     .build()
    ///     .unwrap();
    /// let schedule = plan.schedule().unwrap();
    /// assert_eq!(schedule.term().end().to_string(), "2028-01-14");
    /// assert_eq!(schedule.count(), 12);
    /// ```
    pub fn starting<V>(self, start: V) -> NewPlanStart
    where
        V: TryInto<Date>,
        V::Error: Into<InvalidValue>,
    {
        NewPlanStart(self.start_date(start))
    }
}

/// A plan with a first day; its last day follows from the number of charges.
#[derive(Debug)]
#[must_use = "the plan has no last day yet"]
pub struct NewPlanStart(NewPlanBuilder);

impl NewPlanStart {
    /// Sets the number of charges, 1 to 12; see [`PlanTerm::months`].
    pub fn charges(self, charges: u32) -> NewPlanBuilder {
        let Self(mut builder) = self;
        match builder.start_date.map(|start| PlanTerm::months(start, charges)) {
            Some(Ok(term)) => builder.end_date(term.end()),
            Some(Err(error)) => {
                builder.violations.add("end-date", error.0);
                builder
            }
            // The start is invalid and is reported. The end is set to a placeholder, so that it is not reported as
            // missing.
            None => builder.end_date("2199-12-31"),
        }
    }
}

request! {
    /// An update of a plan with at least one field. The gateway applies updates first in, first out.
    ///
    /// ```
    /// use perennial_domain::clearent::{PlanStatus, PlanUpdate};
    ///
    /// assert!(PlanUpdate::builder().status(PlanStatus::CANCELED).build().is_ok());
    /// assert!(PlanUpdate::builder().build().is_err());
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct PlanUpdate, PlanUpdateFields, PlanUpdateBuilder {
        optional {
            /// The new name.
            plan_name: Text = "plan-name",
            /// The type, which can only be `SUBSCRIPTION`.
            plan_type: PlanType = "type",
            /// The new customer.
            customer_key: CustomerKey = "customer-key",
            /// The new name of the customer, for people.
            customer_name: Text = "customer-name",
            /// The new card token.
            token_id: TokenId = "token-id",
            /// The new frequency, which can only be `MONTHLY`.
            frequency: Frequency = "frequency",
            /// The new day of the month.
            frequency_day: FrequencyDay = "frequency-day",
            /// The new amount of each payment.
            payment_amount: Amount = "payment-amount",
            /// The new first day.
            start_date: Date = "start-date",
            /// The new last day.
            end_date: Date = "end-date",
            /// The new status.
            status: PlanStatus = "status",
            /// The email address for receipts.
            email_address: Text = "email-address",
            /// Whether receipts are sent.
            email_receipt: Flag = "email-receipt",
        }
    }
    check |update, violations| {
        if violations.is_empty() && update.changes_nothing() {
            violations.add("payment-plan", Rule::NothingToUpdate);
        }
        check_frequency(update.frequency.as_ref(), violations);
        check_status(update.status.as_ref(), violations);
        check_amount(update.payment_amount, violations);
        check_term(update.start_date, update.end_date, violations);
    };
}

impl PlanUpdate {
    /// Returns the plan after this update, or all rules that the change breaks.
    ///
    /// Members that the update does not change are not checked: a plan of ten years, which newer documentation allows,
    /// can be renamed.
    pub fn apply(&self, plan: &Plan) -> Result<Plan, Violations> {
        let mut violations = Violations::default();
        let text = |new: Option<&Text>, old: &Option<String>| {
            new.map(|text| text.as_str().to_owned()).or_else(|| old.clone())
        };
        let PlanUpdateFields {
            plan_name,
            plan_type,
            customer_key,
            customer_name,
            token_id,
            frequency,
            frequency_day,
            payment_amount,
            start_date,
            end_date,
            status,
            email_address,
            email_receipt,
        } = self.fields();
        let next = Plan {
            plan_key: plan.plan_key.clone(),
            plan_name: text(plan_name, &plan.plan_name),
            plan_type: plan_type.map(|kind| kind.as_str().to_owned()).or_else(|| plan.plan_type.clone()),
            customer_key: customer_key.or(plan.customer_key.as_ref()).cloned(),
            customer_name: text(customer_name, &plan.customer_name),
            token_id: token_id.or(plan.token_id.as_ref()).cloned(),
            frequency: frequency.or(plan.frequency.as_ref()).cloned(),
            frequency_day: frequency_day
                .map(|day| Reported::Value(*day))
                .or_else(|| plan.frequency_day.clone()),
            frequency_month: plan.frequency_month.clone(),
            frequency_week: plan.frequency_week.clone(),
            payment_amount: payment_amount.copied().or(plan.payment_amount),
            start_date: start_date.copied().or(plan.start_date),
            end_date: end_date.copied().or(plan.end_date),
            status: status.or(plan.status.as_ref()).cloned(),
            status_date: plan.status_date.clone(),
            email_address: text(email_address, &plan.email_address),
            email_receipt: email_receipt
                .map(|flag| Reported::Value(flag.0))
                .or_else(|| plan.email_receipt.clone()),
            links: plan.links.clone(),
        };
        if let (Some(old), Some(new)) = (&plan.status, &next.status)
            && let Err(error) = old.become_status(new)
        {
            violations.add("status", error.0);
        }
        if start_date.or(end_date).is_some() {
            check_term(next.start_date, next.end_date, &mut violations);
        }
        if violations.is_empty() { Ok(next) } else { Err(violations) }
    }
}

// The frequency may have been read from a response, which allows any word. A request allows fewer, so it is parsed
// again.
fn check_frequency(frequency: Option<&Frequency>, violations: &mut Violations) {
    frequency.and_then(|word| violations.read::<Frequency, _>("frequency", word.as_str()));
}

fn check_status(status: Option<&PlanStatus>, violations: &mut Violations) {
    status.and_then(|word| violations.read::<PlanStatus, _>("status", word.as_str()));
}

fn check_amount(amount: Option<Amount>, violations: &mut Violations) {
    if amount.is_some_and(Amount::is_zero) {
        violations.add("payment-amount", Rule::AmountTooSmall);
    }
}

fn check_term(start: Option<Date>, end: Option<Date>, violations: &mut Violations) {
    if let (Some(start), Some(end)) = (start, end)
        && let Err(error) = PlanTerm::new(start, end)
    {
        violations.add("end-date", error.0);
    }
}

/// A payment plan as the gateway reports it. Members that the gateway omits are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    /// The key.
    pub plan_key: PlanKey,
    /// The name.
    pub plan_name: Option<String>,
    /// The type: `SUBSCRIPTION`, if the gateway reports it.
    pub plan_type: Option<String>,
    /// The customer.
    pub customer_key: Option<CustomerKey>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The card token that the plan charges.
    pub token_id: Option<TokenId>,
    /// The frequency of the charges.
    pub frequency: Option<Frequency>,
    /// The day of the month from 1 to 28, or any other text that the gateway reports, such as `31`.
    pub frequency_day: Option<Reported<FrequencyDay>>,
    /// The member `frequency-month`: the month in the documentation of 2016, the months between payments in newer
    /// documentation. A monthly plan that another client created with `10` may charge every ten months. This library
    /// never sends it.
    pub frequency_month: Option<Reported<u64>>,
    /// The member `frequency-week` of weekly plans in newer documentation. This library never sends it.
    pub frequency_week: Option<Reported<u64>>,
    /// The amount of each payment.
    pub payment_amount: Option<Amount>,
    /// The first day.
    pub start_date: Option<Date>,
    /// The last day.
    pub end_date: Option<Date>,
    /// The status, which decides whether the plan charges.
    pub status: Option<PlanStatus>,
    /// The time of the last status change, in the gateway's own format (captures: `yyyy-MM-dd HH:mm:ss`).
    pub status_date: Option<Timestamp>,
    /// The email address for receipts.
    pub email_address: Option<String>,
    /// Whether receipts are sent.
    pub email_receipt: Option<Reported<bool>>,
    /// Links to the plan, its customer and its token.
    #[cfg_attr(feature = "serde", serde(default))]
    pub links: Vec<Link>,
}

impl Plan {
    /// The dates on which the plan charges while it is active, if it is a monthly plan with a term and a day. `None`
    /// for a plan whose [`frequency_month`](Self::frequency_month) is not 1, because the meaning of that value is not
    /// certain.
    pub fn schedule(&self) -> Option<Schedule> {
        let term = PlanTerm::new(self.start_date?, self.end_date?).ok()?;
        if self.frequency_month.as_ref().is_some_and(|months| months.value() != Some(1)) {
            return None;
        }
        let day = self.frequency_day.as_ref()?.value()?;
        (self.frequency.as_ref()? == &Frequency::MONTHLY).then_some(Schedule::new(term, day))
    }

    /// The dates on which the plan will still charge after this moment (UTC), assuming the sandbox's
    /// [hour](Schedule::HOUR) of charges; empty if the plan is not active.
    pub fn to_come(&self, now: NaiveDateTime) -> impl Iterator<Item = NaiveDate> + use<> {
        let schedule = self.schedule().filter(|_| self.status == Some(PlanStatus::ACTIVE));
        schedule.into_iter().flat_map(move |schedule| schedule.to_come(now))
    }
}

/// Criteria for listing plans; unset criteria match all. The parameters are those of the older plan page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanSearch {
    /// Plans of this customer.
    pub customer_key: Option<CustomerKey>,
    /// Plans of customers of this name.
    pub customer_name: Option<String>,
    /// The plan with this key.
    pub plan_key: Option<PlanKey>,
    /// Plans with this name.
    pub plan_name: Option<String>,
    /// Plans with this amount.
    pub payment_amount: Option<Amount>,
    /// Plans with this status.
    pub status: Option<PlanStatus>,
    /// Plans that charge this token.
    pub token_id: Option<TokenId>,
    /// Page and order.
    pub paging: Paging,
}

request! {
    /// A query for the days on which a plan would charge.
    #[derive(Clone, PartialEq, Eq)]
    pub struct PlanForecast, PlanForecastFields, PlanForecastBuilder {
        required {
            /// The first day; required.
            start_date: Date = "start-date",
            /// The frequency: `MONTHLY`; required.
            frequency: Frequency = "frequency",
            /// The day of the month; required.
            frequency_day: FrequencyDay = "frequency-day",
        }
        documented {
            /// The last day; the documentation requires it for monthly plans.
            end_date: Date = "end-date",
        }
    }
    check |forecast, violations| {
        check_frequency(forecast.frequency.as_ref(), violations);
        check_term(forecast.start_date, forecast.end_date, violations);
    };
}

impl PlanForecastBuilder {
    /// Sets the frequency to once a month on this day, 1 to 28.
    pub fn monthly_on<V>(self, day: V) -> Self
    where
        V: TryInto<FrequencyDay>,
        V::Error: Into<InvalidValue>,
    {
        self.frequency(Frequency::MONTHLY).frequency_day(day)
    }
}
