use std::{fmt, str::FromStr};

use crate::{InvalidValue, Rule, Text, builder::unlisted_request as request};

/// The two-letter code of a state or territory of the US or of a province of Canada, the only ones that the vendor
/// accepts. Parsing accepts any letter case; the code is written in capitals.
///
/// ```
/// use perennial_domain::{Rule, clientpay::State};
///
/// assert_eq!(State::try_from("al").unwrap().as_str(), "AL");
/// assert_eq!(State::try_from("Alabama").unwrap_err().0, Rule::State);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State(&'static str);

/// The codes of the postal services of both countries: states, territories, US military mail, provinces.
#[rustfmt::skip]
const STATES: [&str; 72] = [
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA",
    "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR",
    "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY",
    "AS", "GU", "MP", "PR", "VI", "AA", "AE", "AP",
    "AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT",
];

impl State {
    /// The two-letter code.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl TryFrom<&str> for State {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let text = text.trim();
        STATES.into_iter().find(|code| code.eq_ignore_ascii_case(text)).map(Self).ok_or(Rule::State.into())
    }
}

impl TryFrom<String> for State {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl FromStr for State {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

request! {
    /// The address of a payer, of a card or of a bank account (billingAddress and payerAddress objects).
    ///
    /// The `billingInformation` of a payment has the same members (**inferred**).
    #[derive(Clone, PartialEq, Eq)]
    pub struct Address, AddressFields, AddressBuilder {
        optional {
            /// The street.
            address_line1: Text = "addressLine1",
            /// The city.
            city: Text = "city",
            /// The state or province.
            state: State = "state",
            /// The postal code; the vendor does not validate it.
            zip_code: Text = "zipCode",
            /// The phone number; according to the samples, only in addresses of payers and payment methods.
            phone_number: Text = "phoneNumber",
            /// The country; only in addresses of payers: a sample shows it, the table of members does not.
            country: Text = "country",
        }
    }
}
