//! Gateway options: behavior that the vendor leaves open, as settings of a world.

use perennial_domain::Amount;
use serde_json::{Value as Json, json};

use crate::clock::{ClockError, Period};
use crate::issuer::outcome;
use crate::members::{Members, given};

/// The behavior of a world's gateway where the vendor leaves it open. The default is the documented gateway.
///
/// ```
/// use perennial_sandbox::{GatewayOptions, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = GatewayOptions { retention: "P1Y".parse()?, partial_amount: Some("25.00".try_into()?) };
/// let sandbox = Sandbox::builder().gateway(options).start().await?;
/// # drop(sandbox);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayOptions {
    /// The time for which a card transaction is found after it was made, by the world's clock: 90 days by default, as
    /// the vendor documents. Afterwards no search finds it, and no call can follow it up (**inferred**).
    pub retention: Period,
    /// The amount of a charge that is approved partially: for 80 % of it, rounded down to the cent (**inferred**).
    /// `None` by default. It is at least 0.02, and not one of the amounts that force another outcome.
    pub partial_amount: Option<Amount>,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self { retention: Period::days(90), partial_amount: None }
    }
}

impl GatewayOptions {
    /// The approved part of a charge of this amount; `None` if the charge is approved in full.
    pub(crate) fn approves_of(&self, amount: Amount) -> Option<Amount> {
        self.partial_amount.filter(|partial| *partial == amount).and_then(part)
    }

    /// Returns an error if the options are invalid.
    pub(crate) fn check(&self) -> Result<(), OptionsError> {
        let Self { retention, partial_amount } = self;
        if *retention == Period::days(0) {
            return Err(OptionsError::Retention);
        }
        let fits = |amount: Amount| part(amount).is_some() && outcome::of_amount(amount).is_approved();
        if partial_amount.is_some_and(|amount| !fits(amount)) {
            return Err(OptionsError::PartialAmount);
        }
        Ok(())
    }

    /// Reads the member `gateway` of a body, if present.
    pub(crate) fn read(body: &mut Members) -> Result<Self, String> {
        let mut options = Self::default();
        let Some(mut members) = body.object("gateway")? else { return Ok(options) };
        if let Some(text) = members.text("retention")? {
            options.retention =
                text.parse().map_err(|error: ClockError| members.problem("retention", &error.to_string()))?;
        }
        if let Some(text) = members.text("partial-amount")? {
            let amount = Amount::try_from(text.as_str());
            let amount = amount.map_err(|error| members.problem("partial-amount", &error.to_string()))?;
            options.partial_amount = Some(amount);
        }
        members.finish("retention and partial-amount")?;
        options.check().map_err(|error| format!("gateway.{error}"))?;
        Ok(options)
    }

    pub(crate) fn to_json(self) -> Json {
        let Self { retention, partial_amount } = self;
        let partial_amount = partial_amount.map(|amount| amount.to_string());
        given(json!({ "retention": retention.to_string(), "partial-amount": partial_amount }))
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let cases = [
            ("{}", Ok(r#"{"retention":"P90D"}"#)),
            (r#"{"gateway":{}}"#, Ok(r#"{"retention":"P90D"}"#)),
            (r#"{"gateway":{"retention":"P1Y"}}"#, Ok(r#"{"retention":"P12M"}"#)),
            (r#"{"gateway":{"retention":"P1M2DT3H"}}"#, Ok(r#"{"retention":"P1M2DT10800S"}"#)),
            (
                r#"{"gateway":{"partial-amount":"25.00"}}"#,
                Ok(r#"{"partial-amount":"25.00","retention":"P90D"}"#),
            ),
            (
                r#"{"gateway":{"retentoin":"P1Y"}}"#,
                Err(
                    "gateway: has the member retentoin, which is not known here (did you mean retention?); there is \
                     retention and partial-amount",
                ),
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
        for (body, expected) in cases {
            let read = Members::of_body(body.as_bytes()).and_then(|mut body| GatewayOptions::read(&mut body));
            let json = read.map(|options| options.to_json().to_string());
            assert_eq!(json.as_deref().map_err(String::as_str), expected, "{body}");
        }
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
