use crate::{Rule, Violations};

/// A result of the address check (AVS) or of the security code check (CSC). The settings of a terminal can accept or
/// refuse charges with this result, although the issuer approved them (the vendor's page "General Settings").
///
/// ```
/// use perennial_domain::clearent::CheckAnswer;
///
/// assert_eq!(CheckAnswer::AVS[1].name, "ADDRESS_AND_FIVE_DIGIT_ZIP_MATCH");
/// assert_eq!(CheckAnswer::CSC[0].code, "M");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckAnswer {
    /// The letter in `avs-result-code` and `csc-result-code`.
    pub code: &'static str,
    /// The name in the settings of a terminal.
    pub name: &'static str,
    /// The meaning, for people.
    pub description: &'static str,
}

const fn answer(code: &'static str, name: &'static str, description: &'static str) -> CheckAnswer {
    CheckAnswer { code, name, description }
}

impl CheckAnswer {
    /// All results of the address check.
    pub const AVS: &[Self] = &[
        answer("X", "ADDRESS_AND_NINE_DIGIT_ZIP_MATCH", "Match of address and 9-digit zip code"),
        answer("Y", "ADDRESS_AND_FIVE_DIGIT_ZIP_MATCH", "Match of address and 5-digit zip code"),
        answer("W", "WHOLE_ZIP_MATCH_NOT_ADDRESS", "Match of 9-digit zip code; address does not match"),
        answer(
            "Z",
            "FIVE_DIGIT_ZIP_MATCH_ADDRESS_DOES_NOT",
            "Match of 5-digit zip code; address does not match",
        ),
        answer("A", "ADDRESS_MATCH_ZIP_DOES_NOT", "Address: Address Matches ZIP Does Not Match"),
        answer("N", "ADDRESS_AND_ZIP_DO_NOT_MATCH", "No: Address and ZIP Do Not Match"),
        answer("G", "ADDRESS_INFORMATION_NOT_VERIFIED", "Address information not verified"),
        answer(
            "S",
            "ISSUER_DOES_NOT_SUPPORT_AVS",
            "Service Not Supported: Issuer does not support address verification",
        ),
        answer("U", "ADDRESS_INFO_IS_UNAVAILABLE", "Address information is unavailable"),
        answer("E", "TRANSACTION_INELIGIBLE", "Error: Transaction ineligible for address verification"),
        answer("R", "SYSTEM_UNAVAILABLE_OR_TIMEOUT", "Retry: System Unavailable or Timeout"),
    ];

    /// All results of the security code check.
    pub const CSC: &[Self] = &[
        answer("M", "CSC_MATCHED", "The CSC matches the issuing bank's records"),
        answer("N", "CSC_NOT_MATCHED", "The CSC does not match the issuing bank's records"),
        answer("P", "NOT_PROCESSED", "The CSC was not processed"),
        answer(
            "S",
            "CSC_SHOULD_BE_ON_CARD_BUT_MERCHANT_SAID_IT_IS_NOT",
            "The card should have a CSC, but merchant indicated it was not present",
        ),
        answer("U", "UNKNOWN_OR_ISSUER_DID_NOT_PARTICIPATE", "Card issuing bank does not participate"),
        answer("X", "SERVICE_PROVIDER_DID_NOT_RESPONSE", "Unknown / No response"),
    ];
}

/// The results of a check that a terminal accepts, as the gateway reports them. Members that the gateway omits are
/// `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct CheckSettings {
    /// Whether a charge is voided if its result is not allowed, although the issuer approved it.
    pub enabled: Option<bool>,
    /// The results, in the vendor's order.
    pub filters: Vec<ResponseFilter>,
}

/// The setting for one result: whether charges with it are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct ResponseFilter {
    /// The name of the result, as in [`CheckAnswer`].
    pub name: Option<String>,
    /// The letter of the result.
    pub response_code: Option<String>,
    /// Whether charges with this result are accepted.
    pub allowed: Option<bool>,
    /// The meaning of the result, for people.
    pub description: Option<String>,
}

/// A change to the [`CheckSettings`] of a terminal. It names at least one result of the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckUpdate {
    enabled: Option<bool>,
    filters: Vec<(CheckAnswer, bool)>,
}

impl CheckUpdate {
    /// Turns the check on or off, and sets for each of these results whether charges with it are accepted.
    ///
    /// ```
    /// use perennial_domain::clearent::{CheckAnswer, CheckUpdate};
    ///
    /// let update = CheckUpdate::new(CheckAnswer::CSC, Some(true), [("CSC_NOT_MATCHED", false)]).unwrap();
    /// assert_eq!(update.filters()[0].0.code, "N");
    /// let refused = CheckUpdate::new(CheckAnswer::CSC, None, [("ISSUER_DOES_NOT_SUPPORT_AVS", true)]).unwrap_err();
    /// assert_eq!(refused.to_string(), "name: must be one of the documented responses to this check");
    /// ```
    pub fn new<'n>(
        answers: &[CheckAnswer],
        enabled: Option<bool>,
        filters: impl IntoIterator<Item = (&'n str, bool)>,
    ) -> Result<Self, Violations> {
        let known = |name: &str| answers.iter().find(|answer| answer.name == name).copied();
        let unknown = || Violations::one("name", Rule::OneOf("the documented responses to this check"));
        let filters: Vec<(CheckAnswer, bool)> = filters
            .into_iter()
            .map(|(name, allowed)| known(name).map(|answer| (answer, allowed)).ok_or_else(unknown))
            .collect::<Result<_, _>>()?;
        if filters.is_empty() {
            return Err(Violations::one("response-filters", Rule::Required));
        }
        Ok(Self { enabled, filters })
    }

    /// Whether the check is turned on or off; `None` if that does not change.
    pub fn enabled(&self) -> Option<bool> {
        self.enabled
    }

    /// The named results, each with whether charges with it are accepted.
    pub fn filters(&self) -> &[(CheckAnswer, bool)] {
        &self.filters
    }
}
