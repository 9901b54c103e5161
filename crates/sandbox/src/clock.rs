//! Time in a world: moments, the frozen or running clock, and the periods that advance it.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Timelike, Utc, Weekday,
};
use perennial_domain::Date;

/// A moment of a world, in UTC and to the millisecond, written in RFC 3339.
///
/// ```
/// use perennial_sandbox::Moment;
///
/// let moment: Moment = "2027-01-01T01:00:00+01:00".parse().unwrap();
/// assert_eq!(moment.to_string(), "2027-01-01T00:00:00Z");
/// assert!("2027-01-01".parse::<Moment>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(DateTime<Utc>);

impl Moment {
    /// The calendar day, in UTC.
    pub fn date(self) -> NaiveDate {
        self.0.date_naive()
    }

    /// The current time of the machine's clock.
    pub(crate) fn real() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
    }

    /// 1 January 2027, the default start of a world.
    pub(crate) fn first() -> Self {
        Self::from_millis(1_798_761_600_000)
    }

    pub(crate) fn from_millis(millis: i64) -> Self {
        Self(DateTime::from_timestamp_millis(millis).unwrap_or_default())
    }

    pub(crate) fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Formats the moment as the HTTP header `Date` does: `Fri, 15 Jan 2027 10:00:00 GMT`.
    pub(crate) fn http_date(self) -> String {
        self.0.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// The time of the payments of this day: at this hour, in UTC.
    pub(crate) fn run_of(day: NaiveDate, hour: u32) -> Self {
        Self((day.and_time(NaiveTime::MIN) + TimeDelta::hours(hour.into())).and_utc())
    }

    /// The last day whose payments are already made.
    pub(crate) fn last_run(self, hour: u32) -> NaiveDate {
        let today = self.date();
        if self >= Self::run_of(today, hour) { today } else { today - Days::new(1) }
    }

    /// The time at which a batch opened now is settled, unless a request settles it first: the next 22:00 UTC. The
    /// vendor's terminals have a configured time (`batch-time-utc`); this default is **inferred**.
    pub(crate) fn batch_end(self) -> Self {
        let of = |day: NaiveDate| Self((day.and_time(NaiveTime::MIN) + TimeDelta::hours(22)).and_utc());
        let today = of(self.date());
        if self < today { today } else { of(self.date() + Days::new(1)) }
    }

    /// The next time at which payments are made.
    pub(crate) fn next_run(self, hour: u32) -> Self {
        Self::run_of(self.last_run(hour) + Days::new(1), hour)
    }

    pub(crate) fn minutes_after(self, minutes: u8) -> Self {
        Self(self.0 + TimeDelta::minutes(minutes.into()))
    }

    pub(crate) fn minutes_before(self, minutes: u8) -> Self {
        Self(self.0 - TimeDelta::minutes(minutes.into()))
    }

    /// The time at which a plan canceled now is archived: 24 calendar months later, as the vendor's page on
    /// deletions says; `None` if that is beyond the calendar.
    pub(crate) fn archive_end(self) -> Option<Self> {
        self.after(Period { months: 24, seconds: 0 }).ok()
    }

    /// Formats the moment as transactions and errors do: `2027-01-15 10:00:00.000`.
    pub(crate) fn stamp(self) -> String {
        self.0.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
    }

    /// Formats the moment as a plan's `status-date` does: `2027-01-15 10:00:00`.
    pub(crate) fn seconds(self) -> String {
        self.0.format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Formats the moment as tokens do: `2027-01-15T10:00:00.000Z`.
    pub(crate) fn iso_millis(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Formats the moment as ClientPay does in UTC, with seven decimals: `2027-01-15T10:00:00.0000000Z`.
    pub(crate) fn ticks(self) -> String {
        format!("{}0000Z", self.0.format("%Y-%m-%dT%H:%M:%S%.3f"))
    }

    /// Formats the moment with seven decimals in the vendor's zone, as the sample postback does: US Central time, with
    /// daylight saving time from the second Sunday of March to the first Sunday of November, at 2:00 a.m.
    pub(crate) fn central_ticks(self) -> String {
        let year = self.0.year();
        let sunday = |month, nth, utc| {
            let day = NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, nth);
            day.and_then(|day| day.and_hms_opt(utc, 0, 0)).is_some_and(|begin| begin <= self.0.naive_utc())
        };
        let west = if sunday(3, 2, 8) && !sunday(11, 1, 7) { 5 } else { 6 };
        format!("{}0000-0{west}:00", (self.0 - TimeDelta::hours(west)).format("%Y-%m-%dT%H:%M:%S%.3f"))
    }

    pub(crate) fn seconds_after(self, seconds: u32) -> Self {
        Self(self.0 + TimeDelta::seconds(seconds.into()))
    }

    /// The first moment of a day.
    pub(crate) fn of_day(day: NaiveDate) -> Self {
        Self(day.and_time(NaiveTime::MIN).and_utc())
    }

    /// The moment later by this period, within the calendar.
    pub(crate) fn after(self, period: Period) -> Result<Self, ClockError> {
        self.0
            .checked_add_months(Months::new(period.months))
            .and_then(|moment| moment.checked_add_signed(TimeDelta::try_seconds(period.seconds)?))
            .map(Self)
            .filter(|moment| moment.is_in_calendar())
            .ok_or(ClockError::TooFar)
    }

    /// The milliseconds since 1970 of the moment earlier by this period; the minimum if the calendar does not reach
    /// that far.
    pub(crate) fn millis_before(self, period: Period) -> i64 {
        self.0
            .checked_sub_months(Months::new(period.months))
            .and_then(|moment| moment.checked_sub_signed(TimeDelta::try_seconds(period.seconds)?))
            .map_or(i64::MIN, |moment| moment.timestamp_millis())
    }

    /// Whether the day is the last one of its month. A running clock may have moved since it was set.
    fn is_last_of_month(self) -> bool {
        (self.0 + Days::new(1)).month() != self.0.month()
    }

    /// The moment some months later on this day of the month, or on the last day of a shorter month.
    fn months_later_on(self, day: u32, period: Period) -> Result<Self, ClockError> {
        let Self(moment) = self.after(period)?;
        let on = (moment.day()..=day).rev().find_map(|day| moment.with_day(day));
        Ok(Self(on.unwrap_or(moment)))
    }

    fn is_in_calendar(self) -> bool {
        Date::try_from(self.date()).is_ok()
    }
}

impl FromStr for Moment {
    type Err = ClockError;

    fn from_str(text: &str) -> Result<Self, ClockError> {
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| ClockError::Moment)?;
        let moment = Self::from_millis(moment.timestamp_millis());
        if moment.is_in_calendar() { Ok(moment) } else { Err(ClockError::TooFar) }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.nanosecond() == 0;
        let precision = if whole { SecondsFormat::Secs } else { SecondsFormat::Millis };
        f.pad(&self.0.to_rfc3339_opts(precision, true))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Moment({self})")
    }
}

/// The clock of a world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clock {
    /// A clock that stays at this moment until it is advanced.
    Frozen(Moment),
    /// A clock that runs this many milliseconds ahead of the machine's clock.
    Running(i64),
}

impl Clock {
    pub(crate) fn now(self, real: Moment) -> Moment {
        match self {
            Self::Frozen(moment) => moment,
            Self::Running(ahead) => Moment::from_millis(real.millis().saturating_add(ahead)),
        }
    }

    /// The clock in its current mode, set to `now`.
    pub(crate) fn set(self, now: Moment, real: Moment) -> Self {
        match self {
            Self::Frozen(_) => Self::Frozen(now),
            Self::Running(_) => Self::Running(now.millis() - real.millis()),
        }
    }

    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Frozen(_) => Mode::Frozen,
            Self::Running(_) => Mode::Running,
        }
    }
}

/// The mode of a clock: frozen or running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Frozen,
    Running,
}

impl Mode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Running => "running",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        [Self::Frozen, Self::Running].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// The target of a move of the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Goal {
    pub(crate) clock: Clock,
    /// The day of the month that later months return to if this month is too short: one month after 31 January, it
    /// is 31. Any other move clears it.
    pub(crate) month_day: Option<u32>,
}

impl From<Clock> for Goal {
    fn from(clock: Clock) -> Self {
        Self { clock, month_day: None }
    }
}

/// A change of a clock. A clock only moves forward.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClockChange {
    /// Moves the clock to this moment.
    Set(Moment),
    /// Moves the clock by this period.
    Advance(Period),
    /// Moves the clock past the payments of this day.
    Through(NaiveDate),
    /// Switches the clock between frozen and running, at its current time.
    Become(Mode),
}

impl ClockChange {
    /// Parses a target: a moment in RFC 3339, or a day written `yyyy-MM-dd`, whose payments are included.
    pub(crate) fn to(text: &str) -> Result<Self, ClockError> {
        match Date::try_from(text) {
            Ok(day) => Ok(Self::Through(day.naive())),
            Err(_) => text.parse().map(Self::Set).map_err(|_| ClockError::MomentOrDay),
        }
    }

    /// The target of this change for a clock whose world makes payments at this hour. Months are counted from the
    /// original day of the month.
    pub(crate) fn of(
        self,
        Goal { clock, month_day }: Goal,
        real: Moment,
        hour: u32,
    ) -> Result<Goal, ClockError> {
        let now = clock.now(real);
        let next = match self {
            Self::Set(moment) => moment,
            Self::Advance(period) if period.is_of_months() => {
                let begun = month_day.filter(|_| now.is_last_of_month()).unwrap_or(now.0.day());
                let next = now.months_later_on(begun, period)?;
                let month_day = (begun > next.0.day()).then_some(begun);
                return Ok(Goal { clock: clock.set(next, real), month_day });
            }
            Self::Advance(period) => now.after(period)?,
            // Later on the same day its payments are made already.
            Self::Through(day) if day == now.date() => now.max(Moment::run_of(day, hour)),
            Self::Through(day) => Moment::run_of(day, hour),
            Self::Become(Mode::Frozen) => return Ok(Clock::Frozen(now).into()),
            Self::Become(Mode::Running) => return Ok(Clock::Running(now.millis() - real.millis()).into()),
        };
        if next < now { Err(ClockError::Backwards { now }) } else { Ok(clock.set(next, real).into()) }
    }
}

/// A period of ISO 8601: `PnYnMnWnDTnHnMnS`, each part a whole number, in this order, at least one.
///
/// Months are calendar months: a month after 31 January is 28 or 29 February.
///
/// ```
/// use perennial_sandbox::Period;
///
/// let period: Period = "P1Y2M10DT12H".parse().unwrap();
/// assert_eq!(period.to_string(), "P14M10DT43200S");
/// assert!("10 days".parse::<Period>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    months: u32,
    seconds: i64,
}

impl Period {
    pub(crate) const fn days(days: u32) -> Self {
        Self { months: 0, seconds: days as i64 * 86_400 }
    }

    pub(crate) fn is_zero(self) -> bool {
        self == Self::days(0)
    }

    /// Whether the period consists of months only.
    fn is_of_months(self) -> bool {
        self.months > 0 && self.seconds == 0
    }
}

/// Uses the fewest parts: months, days and seconds.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.seconds / 86_400, self.seconds % 86_400);
        f.write_str("P")?;
        if self.months > 0 {
            write!(f, "{}M", self.months)?;
        }
        if days > 0 || (self.months == 0 && seconds == 0) {
            write!(f, "{days}D")?;
        }
        if seconds > 0 { write!(f, "T{seconds}S") } else { Ok(()) }
    }
}

impl FromStr for Period {
    type Err = ClockError;

    fn from_str(text: &str) -> Result<Self, ClockError> {
        const DAYS: &[(char, u32, i64)] = &[('Y', 12, 0), ('M', 1, 0), ('W', 0, 604_800), ('D', 0, 86_400)];
        const TIMES: &[(char, u32, i64)] = &[('H', 0, 3_600), ('M', 0, 60), ('S', 0, 1)];
        let text = text.strip_prefix('P').ok_or(ClockError::Period)?;
        let (days, times) = match text.split_once('T') {
            Some((_, "")) => return Err(ClockError::Period),
            Some(parts) => parts,
            None if text.is_empty() => return Err(ClockError::Period),
            None => (text, ""),
        };
        let mut period = Self { months: 0, seconds: 0 };
        for (mut text, units) in [(days, DAYS), (times, TIMES)] {
            let mut units = units.iter();
            while let Some(end) = text.find(|c: char| !c.is_ascii_digit()) {
                let (number, rest) = text.split_at(end);
                let number: u32 = number.parse().map_err(|_| ClockError::Period)?;
                let mut rest = rest.chars();
                let unit = rest.next();
                let (_, months, seconds) =
                    units.find(|(name, ..)| Some(*name) == unit).ok_or(ClockError::Period)?;
                let months = months.checked_mul(number).ok_or(ClockError::TooFar)?;
                period.months = period.months.checked_add(months).ok_or(ClockError::TooFar)?;
                period.seconds += seconds * i64::from(number);
                text = rest.as_str();
            }
            if !text.is_empty() {
                return Err(ClockError::Period);
            }
        }
        Ok(period)
    }
}

/// The reason why a clock does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// The text is not a period.
    #[error("must be an ISO 8601 period such as P1M, P1Y2M10D or P1DT12H")]
    Period,
    /// The text is not a moment.
    #[error("must be a moment in RFC 3339 such as 2027-01-01T00:00:00Z")]
    Moment,
    /// The text is neither a moment nor a day.
    #[error("must be a day such as 2027-03-01 or a moment in RFC 3339 such as 2027-03-01T12:00:00Z")]
    MomentOrDay,
    /// The target is in the past; payments that were made cannot be undone.
    #[error("must not be before the world's clock, which shows {now}")]
    Backwards {
        /// The current time of the clock.
        now: Moment,
    },
    /// The target is beyond the range of years that dates of this API have.
    #[error("must be within the years 1970 to 2199")]
    TooFar,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn central_time_has_a_summer() {
        // The first is the sample's own.
        let cases = [
            ("2024-03-18T15:02:44.193Z", "2024-03-18T10:02:44.1930000-05:00"),
            ("2027-01-01T00:00:00Z", "2026-12-31T18:00:00.0000000-06:00"),
            ("2027-03-14T07:59:59Z", "2027-03-14T01:59:59.0000000-06:00"),
            ("2027-03-14T08:00:00Z", "2027-03-14T03:00:00.0000000-05:00"),
            ("2027-11-07T06:59:59Z", "2027-11-07T01:59:59.0000000-05:00"),
            ("2027-11-07T07:00:00Z", "2027-11-07T01:00:00.0000000-06:00"),
        ];
        for (utc, central) in cases {
            assert_eq!(utc.parse::<Moment>().unwrap().central_ticks(), central, "{utc}");
        }
    }

    #[test]
    fn periods() {
        let cases = [
            ("P1M", Ok("2027-02-28T00:00:00Z")),
            ("P1Y", Ok("2028-01-31T00:00:00Z")),
            ("P1Y1M", Ok("2028-02-29T00:00:00Z")),
            ("P2W3D", Ok("2027-02-17T00:00:00Z")),
            ("PT36H", Ok("2027-02-01T12:00:00Z")),
            ("P1DT1H1M1S", Ok("2027-02-01T01:01:01Z")),
            ("P0D", Ok("2027-01-31T00:00:00Z")),
            ("P", Err(ClockError::Period)),
            ("PT", Err(ClockError::Period)),
            ("P1DT", Err(ClockError::Period)),
            ("1M", Err(ClockError::Period)),
            ("P1", Err(ClockError::Period)),
            ("PM", Err(ClockError::Period)),
            ("P1H", Err(ClockError::Period)),
            ("P1M1Y", Err(ClockError::Period)),
            ("P1M1M", Err(ClockError::Period)),
            ("P-1M", Err(ClockError::Period)),
            ("P1.5D", Err(ClockError::Period)),
            ("p1m", Err(ClockError::Period)),
            ("P 1M", Err(ClockError::Period)),
            ("", Err(ClockError::Period)),
            ("P99999999999D", Err(ClockError::Period)),
            ("P4000000000Y", Err(ClockError::TooFar)),
            ("P4000000000W", Err(ClockError::TooFar)),
            ("P200Y", Err(ClockError::TooFar)),
        ];
        let clock = Clock::Frozen("2027-01-31T00:00:00Z".parse().unwrap());
        for (text, expected) in cases {
            let goal = text
                .parse()
                .and_then(|period| ClockChange::Advance(period).of(clock.into(), Moment::real(), 10));
            let time = goal.map(|goal| goal.clock.now(Moment::real()).to_string());
            assert_eq!(time, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn clock_changes() {
        let now: Moment = "2027-01-15T12:00:00Z".parse().unwrap();
        let cases = [
            ("2027-01-15", Ok("2027-01-15T12:00:00Z")),
            ("2027-01-16", Ok("2027-01-16T10:00:00Z")),
            ("2027-01-15T12:00:00.5Z", Ok("2027-01-15T12:00:00.500Z")),
            ("2027-01-14", Err(ClockError::Backwards { now })),
            ("2027-01-15T11:59:59Z", Err(ClockError::Backwards { now })),
            ("2027-02-30", Err(ClockError::MomentOrDay)),
            ("tomorrow", Err(ClockError::MomentOrDay)),
        ];
        for (text, expected) in cases {
            let goal = ClockChange::to(text).and_then(|change| change.of(Clock::Frozen(now).into(), now, 10));
            let time = goal.map(|goal| goal.clock.now(now).to_string());
            assert_eq!(time, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn months_keep_the_day_that_they_began_with_until_another_move() {
        let cases = [
            ("2027-01-31", "P1M P1M P1M P1M", "02-28 03-31 04-30 05-31"),
            ("2027-01-30", "P1M P1M P2M P1M", "02-28 03-30 05-30 06-30"),
            ("2027-01-31", "P1M P1D P1M", "02-28 03-01 04-01"),
            ("2027-01-31", "P1M P0D P1M", "02-28 02-28 03-28"),
            ("2027-01-31", "P1M P1M1D P1M", "02-28 03-29 04-29"),
            ("2027-01-28", "P1M P1M", "02-28 03-28"),
            ("2028-02-29", "P1Y P1Y P2Y", "02-28 02-28 02-29"),
        ];
        for (begin, steps, expected) in cases {
            let mut goal = Goal::from(Clock::Frozen(format!("{begin}T12:00:00Z").parse().unwrap()));
            let mut days = Vec::new();
            for step in steps.split(' ') {
                goal = ClockChange::Advance(step.parse().unwrap()).of(goal, Moment::first(), 10).unwrap();
                days.push(goal.clock.now(Moment::first()).to_string()[5..10].to_owned());
            }
            assert_eq!(days.join(" "), expected, "{begin} {steps}");
        }
        for period in ["P12M", "P1M"] {
            let mut goal = Goal::from(Clock::Frozen("2027-01-31T00:00:00Z".parse().unwrap()));
            for _ in 0..if period == "P1M" { 12 } else { 1 } {
                goal = ClockChange::Advance(period.parse().unwrap()).of(goal, Moment::first(), 10).unwrap();
            }
            assert_eq!(goal.clock.now(Moment::first()).to_string(), "2028-01-31T00:00:00Z", "{period}");
        }
    }

    #[test]
    fn a_running_clock_goes_on_from_where_it_stood() {
        let (real, now) = (Moment::from_millis(1_000), Moment::first());
        let running =
            ClockChange::Become(Mode::Running).of(Clock::Frozen(now).into(), real, 10).unwrap().clock;
        assert_eq!(running.now(real), now);
        assert_eq!(running.now(Moment::from_millis(2_500)).millis(), now.millis() + 1_500);
        // Set ahead, it is offset and keeps running.
        let ahead: Moment = "2030-01-01T00:00:00Z".parse().unwrap();
        let offset =
            ClockChange::Set(ahead).of(running.into(), Moment::from_millis(2_500), 10).unwrap().clock;
        assert_eq!(offset.mode(), Mode::Running);
        assert_eq!(offset.now(Moment::from_millis(2_500)), ahead);
        assert_eq!(offset.now(Moment::from_millis(9_500)).millis(), ahead.millis() + 7_000);
        let past = ClockChange::Set(now).of(offset.into(), Moment::from_millis(9_500), 10);
        assert!(matches!(past, Err(ClockError::Backwards { .. })));
        let frozen = ClockChange::Become(Mode::Frozen)
            .of(running.into(), Moment::from_millis(2_500), 10)
            .unwrap()
            .clock;
        assert_eq!(frozen, Clock::Frozen(Moment::from_millis(now.millis() + 1_500)));
    }
}
