//! Gateway options: behavior that the vendor leaves open, as settings of a world.

use perennial_domain::Amount;
use perennial_domain::clearent::Schedule;
use serde_json::{Map, Value as Json};

use crate::clock::{ClockError, Period};
use crate::issuer::outcome;
use crate::members::Members;

/// A member of `gateway`, or of an object in it.
///
/// ```
/// use perennial_sandbox::GatewayOptions;
///
/// let retention = GatewayOptions::MEMBERS.iter().find(|member| member.name == "retention").unwrap();
/// assert_eq!((retention.value, retention.is_text), ("PERIOD", true));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GatewayMember {
    /// Its name, such as `retention`.
    pub name: &'static str,
    /// Its name as an option of the command, such as `decline-retries-times`.
    pub option: &'static str,
    /// A phrase that describes it, with its default.
    pub about: &'static str,
    /// The word for its value in help, such as `PERIOD`.
    pub value: &'static str,
    /// Whether its value is text in JSON.
    pub is_text: bool,
    /// The members of its value, if that is an object.
    pub members: &'static [GatewayMember],
}

/// The value of an option as people see it.
pub(crate) struct OptionRow {
    /// The path of its member within `gateway`.
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) about: &'static str,
}

/// A type of values of options.
trait Setting: Copy + PartialEq {
    const IS_TEXT: bool = false;
    const MEMBERS: &'static [GatewayMember] = &[];

    fn read(members: &mut Members, name: &str) -> Result<Option<Self>, String>;

    /// The value in JSON; null means absent.
    fn to_json(self) -> Json;

    fn rows(self, name: &str, about: &'static str) -> Vec<OptionRow> {
        let value = match self.to_json() {
            Json::Null => "none".to_owned(),
            Json::String(text) => text,
            other => other.to_string(),
        };
        vec![OptionRow { name: name.to_owned(), value, about }]
    }
}

impl Setting for bool {
    fn read(members: &mut Members, name: &str) -> Result<Option<Self>, String> {
        members.read(name, "must be true or false")
    }

    fn to_json(self) -> Json {
        self.into()
    }
}

impl Setting for u32 {
    fn read(members: &mut Members, name: &str) -> Result<Option<Self>, String> {
        Ok(members.number(name)?.map(|number| Self::try_from(number).unwrap_or(Self::MAX)))
    }

    fn to_json(self) -> Json {
        self.into()
    }
}

impl Setting for i8 {
    fn read(members: &mut Members, name: &str) -> Result<Option<Self>, String> {
        members.read(name, "must be -1, 0 or 1")
    }

    fn to_json(self) -> Json {
        self.into()
    }
}

impl Setting for Period {
    const IS_TEXT: bool = true;

    fn read(members: &mut Members, name: &str) -> Result<Option<Self>, String> {
        let period = members.text(name)?.map(|text| text.parse()).transpose();
        period.map_err(|error: ClockError| members.problem(name, &error.to_string()))
    }

    fn to_json(self) -> Json {
        self.to_string().into()
    }
}

impl Setting for Option<Amount> {
    const IS_TEXT: bool = true;

    fn read(members: &mut Members, name: &str) -> Result<Option<Self>, String> {
        let amount = members.text(name)?.map(|text| Amount::try_from(text.as_str())).transpose();
        amount.map(|amount| amount.map(Some)).map_err(|error| members.problem(name, &error.to_string()))
    }

    fn to_json(self) -> Json {
        self.map(|amount| amount.to_string()).into()
    }
}

/// Declares options. The table generates the type, its default, and its reading and writing in the control interface;
/// the console and the command read it too.
macro_rules! options {
    (
        $(#[$meta:meta])*
        pub struct $Options:ident, options $prefix:literal {
            $( $(#[$doc:meta])* $field:ident $name:literal: $Value:ty = $default:expr, $value:literal $about:literal; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $Options {
            $( $(#[$doc])* pub $field: $Value, )*
        }

        impl Default for $Options {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl $Options {
            /// The members in the control interface.
            pub const MEMBERS: &'static [GatewayMember] = &[$(
                GatewayMember {
                    name: $name,
                    option: concat!($prefix, $name),
                    about: $about,
                    value: $value,
                    is_text: <$Value as Setting>::IS_TEXT,
                    members: <$Value as Setting>::MEMBERS,
                },
            )*];

            fn of(mut members: Members) -> Result<Self, String> {
                let mut options = Self::default();
                $(
                    if let Some(value) = Setting::read(&mut members, $name)? {
                        options.$field = value;
                    }
                )*
                members.finish_with(&[$($name),*])?;
                Ok(options)
            }

            /// The members that are not the default, and `retention`, which is always shown.
            pub(crate) fn to_json(self) -> Json {
                let (mut members, default) = (Map::new(), Self::default());
                $(
                    if self.$field != default.$field || $name == "retention" {
                        members.insert($name.to_owned(), Setting::to_json(self.$field));
                    }
                )*
                members.into()
            }

            /// All options, as people see them.
            pub(crate) fn rows(self) -> Vec<OptionRow> {
                [$( Setting::rows(self.$field, $name, $about) ),*].into_iter().flatten().collect()
            }
        }
    };
}

options! {
    /// The behavior of a world's gateway where the vendor leaves it open. The default is the documented gateway.
    ///
    /// ```
    /// use perennial_sandbox::{GatewayOptions, Sandbox};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let options = GatewayOptions {
    ///     retention: "P1Y".parse()?,
    ///     partial_amount: Some("25.00".try_into()?),
    ///     ..GatewayOptions::default()
    /// };
    /// let sandbox = Sandbox::builder().gateway(options).start().await?;
    /// # drop(sandbox);
    /// # Ok(()) }
    /// ```
    pub struct GatewayOptions, options "" {
        /// The time for which a card transaction is found after it was made, by the world's clock: 90 days by default,
        /// as the vendor documents. Afterwards no search finds it, and no call can follow it up (**inferred**).
        retention "retention": Period = Period::days(90),
            "PERIOD" "The time for which transactions are found, P90D by default";
        /// The amount of a charge that is approved partially: for 80 % of it, rounded down to the cent
        /// (**inferred**). `None` by default. It is at least 0.02, and not one of the amounts that force another
        /// outcome.
        partial_amount "partial-amount": Option<Amount> = None,
            "AMOUNT" "The amount of a charge that is approved for only 80 % of it";
        /// The hour of the day, 0 to 23 in UTC, at which plans charge. 10 by default; the vendor's hour is unknown
        /// (**inferred**).
        charge_hour "charge-hour": u32 = Schedule::HOUR,
            "HOUR" "The hour of the day, in UTC, at which plans charge, 10 by default";
        /// The days by which each charge of a plan is moved from its day of the month: -1, 0 or 1. The moved date is
        /// compared with the plan's term, so that a charge can enter or leave the term. 0 by default.
        date_slip "date-slip": i8 = 0,
            "DAYS" "The days by which each charge of a plan is moved: -1, 0 or 1; 0 by default";
        /// Whether a plan charges on its start date. True by default.
        start_inclusive "start-inclusive": bool = true,
            "BOOL" "Whether a plan charges on its start date, true by default";
        /// Whether a plan charges on its end date. True by default.
        end_inclusive "end-inclusive": bool = true,
            "BOOL" "Whether a plan charges on its end date, true by default";
        /// Further tries of a declined charge of a plan. None by default.
        decline_retries "decline-retries": DeclineRetries = DeclineRetries::default(),
            "OBJECT" "Further tries of a declined charge of a plan";
        /// Whether a plan that becomes active again charges the days that passed while it was not active, at once. False
        /// by default: those days are not charged.
        catch_up "catch-up": bool = false,
            "BOOL" "Whether a plan that becomes active again charges the days that it missed, false by default";
        /// The order id of a transaction that a plan makes. The plan's key by default.
        plan_charge_order_id "plan-charge-order-id": PlanChargeOrderId = PlanChargeOrderId::PlanKey,
            "WORD" "The order id of a plan's transaction: plan-key, the default, or own-id";
        /// The time for which a new transaction, plan or customer is missing in searches and lists. Reads by id find it
        /// at once, and payments of plans are listed at once. None by default.
        search_lag "search-lag": Period = Period::days(0),
            "PERIOD" "The time for which searches miss a new transaction, plan or customer, PT0S by default";
        /// Whether a search for transactions finds them by their order ids; otherwise such a search finds nothing. True
        /// by default.
        order_id_searchable "order-id-searchable": bool = true,
            "BOOL" "Whether a search by order id finds transactions, true by default";
        /// Whether a duplicate gets the earlier transaction as its response even if the terminal is set to refuse
        /// duplicates. False by default: the terminal's settings decide. Without detection of duplicates it has no
        /// effect.
        duplicate_answers_old "duplicate-answers-old": bool = false,
            "BOOL" "Whether a duplicate gets the old transaction and never a refusal, false by default";
        /// The number of characters to which a longer name of a plan is cut when it is stored. 0 by default: no name is
        /// cut.
        name_limit "name-limit": u32 = 0,
            "NUMBER" "The number of characters to which a longer plan name is cut; 0, the default, cuts none";
        /// Whether a new customer gets the key of the request. True by default; otherwise that key is ignored, and the
        /// gateway assigns another one.
        own_customer_keys "own-customer-keys": bool = true,
            "BOOL" "Whether a new customer gets the key of the request, true by default";
        /// Whether a plan that is created `SUSPENDED` is suspended. True by default; otherwise it is `ACTIVE`, and
        /// charges.
        honors_suspended "honors-suspended": bool = true,
            "BOOL" "Whether a plan that is created SUSPENDED is suspended and not ACTIVE, true by default";
    }
}

options! {
    /// Further tries of a charge of a plan that was not approved.
    ///
    /// A try charges the plan as it then is. It is made at its moment if the plan is still active, and dropped
    /// otherwise. Days of a plan do not wait for each other's tries.
    pub struct DeclineRetries, options "decline-retries-" {
        /// The number of further tries of a charge. 0 by default.
        times "times": u32 = 0,
            "NUMBER" "The number of further tries of a declined charge of a plan, 0 by default";
        /// The time from a try to the next one, longer than nothing. A day by default.
        every "every": Period = Period::days(1),
            "PERIOD" "The time between two tries of a charge, P1D by default";
        /// Whether a charge is also tried after its plan was canceled. False by default.
        after_cancel "after-cancel": bool = false,
            "BOOL" "Whether a charge is also tried after its plan was canceled, false by default";
    }
}

impl Setting for DeclineRetries {
    const MEMBERS: &'static [GatewayMember] = Self::MEMBERS;

    fn read(members: &mut Members, name: &str) -> Result<Option<Self>, String> {
        members.object(name)?.map(Self::of).transpose()
    }

    fn to_json(self) -> Json {
        self.to_json()
    }

    fn rows(self, name: &str, _: &'static str) -> Vec<OptionRow> {
        let rows = self.rows().into_iter();
        rows.map(|row| OptionRow { name: format!("{name}.{}", row.name), ..row }).collect()
    }
}

/// The order id of a transaction that a plan makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanChargeOrderId {
    /// The key of the plan.
    PlanKey,
    /// An id of the transaction's own, which does not name the plan.
    OwnId,
}

impl Setting for PlanChargeOrderId {
    const IS_TEXT: bool = true;

    fn read(members: &mut Members, name: &str) -> Result<Option<Self>, String> {
        Ok(match members.text(name)?.as_deref() {
            None => None,
            Some("plan-key") => Some(Self::PlanKey),
            Some("own-id") => Some(Self::OwnId),
            Some(_) => return Err(members.problem(name, "must be plan-key or own-id")),
        })
    }

    fn to_json(self) -> Json {
        match self {
            Self::PlanKey => "plan-key".into(),
            Self::OwnId => "own-id".into(),
        }
    }
}

impl GatewayOptions {
    /// The approved part of a charge of this amount; `None` if the charge is approved in full.
    pub(crate) fn approves_of(&self, amount: Amount) -> Option<Amount> {
        self.partial_amount.filter(|partial| *partial == amount).and_then(part)
    }

    /// Returns an error if the options are invalid.
    pub(crate) fn check(&self) -> Result<(), OptionsError> {
        let fits = |amount: Amount| part(amount).is_some() && outcome::of_amount(amount).is_approved();
        if self.retention.is_zero() {
            Err(OptionsError::Retention)
        } else if self.partial_amount.is_some_and(|amount| !fits(amount)) {
            Err(OptionsError::PartialAmount)
        } else if self.charge_hour > 23 {
            Err(OptionsError::ChargeHour)
        } else if !(-1..=1).contains(&self.date_slip) {
            Err(OptionsError::DateSlip)
        } else if self.decline_retries.every.is_zero() {
            Err(OptionsError::RetryPeriod)
        } else {
            Ok(())
        }
    }

    /// Reads the member `gateway` of a body, if present.
    pub(crate) fn read(body: &mut Members) -> Result<Self, String> {
        let Some(members) = body.object("gateway")? else { return Ok(Self::default()) };
        let options = Self::of(members)?;
        options.check().map_err(|error| format!("gateway.{error}"))?;
        Ok(options)
    }

    /// Reads options that were written in JSON.
    pub(crate) fn of_json(text: &str) -> Result<Self, String> {
        Members::of_body(text.as_bytes()).and_then(Self::of)
    }
}

/// Four fifths of the amount; `None` if that is zero.
fn part(amount: Amount) -> Option<Amount> {
    Amount::from_cents(amount.cents() / 5 * 4 + amount.cents() % 5 * 4 / 5)
        .ok()
        .filter(|part| !part.is_zero())
}

/// The reason why options are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// Transactions must be found for some time, or they cannot be tested.
    #[error("retention: must be longer than nothing, as in P90D")]
    Retention,
    /// Another rule applies to this amount first.
    #[error("partial-amount: must be from 0.02, and not an amount that forces another outcome")]
    PartialAmount,
    /// The hour is none of a day.
    #[error("charge-hour: must be from 0 to 23")]
    ChargeHour,
    /// A charge is moved by at most a day.
    #[error("date-slip: must be -1, 0 or 1")]
    DateSlip,
    /// Two tries at one moment would have no order.
    #[error("decline-retries.every: must be longer than nothing, as in P1D")]
    RetryPeriod,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nearest::in_words;

    /// Bodies, with the options that are read and shown, or the error text.
    const BODIES: &[(&str, Result<&str, &str>)] = &[
        ("{}", Ok(r#"{"retention":"P90D"}"#)),
        (r#"{"gateway":{}}"#, Ok(r#"{"retention":"P90D"}"#)),
        (r#"{"gateway":{"retention":"P1Y"}}"#, Ok(r#"{"retention":"P12M"}"#)),
        (r#"{"gateway":{"retention":"P1M2DT3H"}}"#, Ok(r#"{"retention":"P1M2DT10800S"}"#)),
        (r#"{"gateway":{"partial-amount":"25.00"}}"#, Ok(r#"{"partial-amount":"25.00","retention":"P90D"}"#)),
        (
            r#"{"gateway":{"search-lag":"PT0S","order-id-searchable":true,"name-limit":0,"honors-suspended":null}}"#,
            Ok(r#"{"retention":"P90D"}"#),
        ),
        (
            r#"{"gateway":{"search-lag":"PT2H","order-id-searchable":false,"duplicate-answers-old":true,"name-limit":9,"own-customer-keys":false,"honors-suspended":false}}"#,
            Ok(
                r#"{"duplicate-answers-old":true,"honors-suspended":false,"name-limit":9,"order-id-searchable":false,"own-customer-keys":false,"retention":"P90D","search-lag":"PT7200S"}"#,
            ),
        ),
        (
            r#"{"gateway":{"charge-hour":10,"date-slip":0,"decline-retries":{},"plan-charge-order-id":"plan-key"}}"#,
            Ok(r#"{"retention":"P90D"}"#),
        ),
        (
            r#"{"gateway":{"charge-hour":0,"date-slip":-1,"start-inclusive":false,"end-inclusive":false,"catch-up":true}}"#,
            Ok(
                r#"{"catch-up":true,"charge-hour":0,"date-slip":-1,"end-inclusive":false,"retention":"P90D","start-inclusive":false}"#,
            ),
        ),
        (
            r#"{"gateway":{"decline-retries":{"times":3,"every":"PT6H","after-cancel":true},"plan-charge-order-id":"own-id"}}"#,
            Ok(
                r#"{"decline-retries":{"after-cancel":true,"every":"PT21600S","times":3},"plan-charge-order-id":"own-id","retention":"P90D"}"#,
            ),
        ),
        (r#"{"gateway":{"charge-hour":24}}"#, Err("gateway.charge-hour: must be from 0 to 23")),
        (r#"{"gateway":{"charge-hour":4294967306}}"#, Err("gateway.charge-hour: must be from 0 to 23")),
        (r#"{"gateway":{"charge-hour":"10"}}"#, Err("gateway.charge-hour: must be a whole number from 0")),
        (r#"{"gateway":{"date-slip":2}}"#, Err("gateway.date-slip: must be -1, 0 or 1")),
        (r#"{"gateway":{"date-slip":256}}"#, Err("gateway.date-slip: must be -1, 0 or 1")),
        (r#"{"gateway":{"date-slip":"P1D"}}"#, Err("gateway.date-slip: must be -1, 0 or 1")),
        (r#"{"gateway":{"start-inclusive":"true"}}"#, Err("gateway.start-inclusive: must be true or false")),
        (r#"{"gateway":{"end-inclusive":0}}"#, Err("gateway.end-inclusive: must be true or false")),
        (r#"{"gateway":{"catch-up":"P1D"}}"#, Err("gateway.catch-up: must be true or false")),
        (r#"{"gateway":{"decline-retries":3}}"#, Err("gateway.decline-retries: must be an object")),
        (
            r#"{"gateway":{"decline-retries":{"times":-1}}}"#,
            Err("gateway.decline-retries.times: must be a whole number from 0"),
        ),
        (
            r#"{"gateway":{"decline-retries":{"every":"P0D"}}}"#,
            Err("gateway.decline-retries.every: must be longer than nothing, as in P1D"),
        ),
        (
            r#"{"gateway":{"decline-retries":{"every":"daily"}}}"#,
            Err("gateway.decline-retries.every: must be an ISO 8601 period such as P1M, P1Y2M10D or P1DT12H"),
        ),
        (
            r#"{"gateway":{"decline-retries":{"after-cancel":1}}}"#,
            Err("gateway.decline-retries.after-cancel: must be true or false"),
        ),
        (
            r#"{"gateway":{"decline-retries":{"time":1}}}"#,
            Err(
                "gateway.decline-retries: has the member time, which is not known here (did you mean times?); \
                 there is times, every and after-cancel",
            ),
        ),
        (
            r#"{"gateway":{"plan-charge-order-id":"plan"}}"#,
            Err("gateway.plan-charge-order-id: must be plan-key or own-id"),
        ),
        (r#"{"gateway":{"search-lag":60}}"#, Err("gateway.search-lag: must be text")),
        (
            r#"{"gateway":{"search-lag":"1 hour"}}"#,
            Err("gateway.search-lag: must be an ISO 8601 period such as P1M, P1Y2M10D or P1DT12H"),
        ),
        (
            r#"{"gateway":{"order-id-searchable":"no"}}"#,
            Err("gateway.order-id-searchable: must be true or false"),
        ),
        (
            r#"{"gateway":{"duplicate-answers-old":1}}"#,
            Err("gateway.duplicate-answers-old: must be true or false"),
        ),
        (r#"{"gateway":{"name-limit":-1}}"#, Err("gateway.name-limit: must be a whole number from 0")),
        (
            r#"{"gateway":{"own-customer-keys":"false"}}"#,
            Err("gateway.own-customer-keys: must be true or false"),
        ),
        (
            r#"{"gateway":{"honors-suspended":"false"}}"#,
            Err("gateway.honors-suspended: must be true or false"),
        ),
        (r#"{"gateway":7}"#, Err("gateway: must be an object")),
        (r#"{"gateway":{"retention":90}}"#, Err("gateway.retention: must be text")),
        (
            r#"{"gateway":{"retention":"90 days"}}"#,
            Err("gateway.retention: must be an ISO 8601 period such as P1M, P1Y2M10D or P1DT12H"),
        ),
        (
            r#"{"gateway":{"retention":"PT0S"}}"#,
            Err("gateway.retention: must be longer than nothing, as in P90D"),
        ),
        (r#"{"gateway":{"partial-amount":25}}"#, Err("gateway.partial-amount: must be text")),
    ];

    #[test]
    fn bodies() {
        for (body, expected) in BODIES {
            let read = Members::of_body(body.as_bytes()).and_then(|mut body| GatewayOptions::read(&mut body));
            let json = read.map(|options| options.to_json().to_string());
            assert_eq!(json.as_deref().map_err(String::as_str), *expected, "{body}");
            if let Ok(json) = json {
                let stored = GatewayOptions::of_json(&json).map(|options| options.to_json().to_string());
                assert_eq!(stored, Ok(json), "{body}");
            }
        }
        let names: Vec<&str> = GatewayOptions::MEMBERS.iter().map(|member| member.name).collect();
        let misspelled = Members::of_body(br#"{"gateway":{"retentoin":"P1Y"}}"#);
        assert_eq!(
            misspelled.and_then(|mut body| GatewayOptions::read(&mut body)),
            Err(format!(
                "gateway: has the member retentoin, which is not known here (did you mean retention?); there is {}",
                in_words(&names, "and")
            ))
        );
        for amount in ["0.01", "0.00", "0.21", "25.0x", "-1.00"] {
            let body = format!(r#"{{"gateway":{{"partial-amount":"{amount}"}}}}"#);
            let read = Members::of_body(body.as_bytes()).and_then(|mut body| GatewayOptions::read(&mut body));
            assert!(read.is_err_and(|problem| problem.starts_with("gateway.partial-amount: ")), "{amount}");
        }
    }

    #[test]
    fn four_fifths_are_approved() {
        let cases =
            [("25.00", "20.00"), ("0.06", "0.04"), ("0.02", "0.01"), ("999999999.99", "799999999.99")];
        for (requested, approved) in cases {
            let options = GatewayOptions {
                partial_amount: Some(requested.try_into().unwrap()),
                ..GatewayOptions::default()
            };
            assert_eq!(options.approves_of(requested.try_into().unwrap()).unwrap().to_string(), approved);
            assert_eq!(options.approves_of("1.00".try_into().unwrap()), None);
        }
    }
}
