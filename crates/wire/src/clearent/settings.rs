//! Settings of a terminal: the accepted results of the address and security code checks, and duplicate detection.
//!
//! Requests and responses of the checks are as on the vendor's page "General Settings"; the response to
//! `GET` is **inferred** to be equal. Requests and responses about duplicates follow the vendor's newer model; the
//! rest of their envelope is **inferred**.

use perennial_domain::clearent::{
    self as domain, CheckAnswer, CheckUpdate, DuplicateUpdate, DuplicateUpdateFields, Flag,
};
use perennial_domain::{Rule, Violations};

use super::Operation;
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::{DecodeErrorKind, EncodeError};
use crate::failure::Failure;
use crate::fields::{given, set, text};
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Records;
use crate::rule::rules;
use crate::text::{Bare, Text};

message! {
    pub(crate) struct Filter<'a> as "response-filter" of domain::ResponseFilter; {
        name: Option<Text<'a>> = "name",
        response_code: Option<Text<'a>> = "response-code",
        allowed: Option<Bare<'a>> = "allowed",
        description: Option<Text<'a>> = "description",
    }
}

message! {
    pub(crate) struct Filters<'a> as "response-filters" {
        response_filter: Records<Filter<'a>> = "response-filter",
    }
}

message! {
    /// The settings of either check. The vendor's sample has this root in a request about security codes, too.
    pub(crate) struct CheckSettings<'a> as "avs-settings" of domain::CheckSettings; {
        enabled: Option<Bare<'a>> = "enabled",
        filters: Option<Filters<'a>> = "response-filters",
    }
}

message! {
    /// The settings of a check, under the root for security codes.
    struct CscSettings<'a> as "csc-settings" {
        enabled: Option<Bare<'a>> = "enabled",
        filters: Option<Filters<'a>> = "response-filters",
    }
}

message! {
    pub(crate) struct DuplicateSettings<'a> as "check-duplicate-transaction-settings" of domain::DuplicateSettings; {
        enabled: Option<Bare<'a>> = "enabled",
        check_merchant_level: Option<Bare<'a>> = "check-merchant-level",
        include_invoice: Option<Bare<'a>> = "include-invoice",
        use_invoice_instead_of_card: Option<Bare<'a>> = "use-invoice-instead-of-card",
        time_range_in_minutes: Option<Bare<'a>> = "time-range-in-minutes",
        if_duplicate_found_respond_with_error: Option<Bare<'a>> = "if-duplicate-found-respond-with-error",
    }
}

/// `GET /rest/v2/settings/terminal/avs`
pub fn avs() -> Call {
    Operation::GetAvsSettings.call()
}

/// `GET /rest/v2/settings/terminal/csc`
pub fn csc() -> Call {
    Operation::GetCscSettings.call()
}

/// `GET /rest/v2/settings/transaction/duplicates`
pub fn duplicates() -> Call {
    Operation::GetDuplicateSettings.call()
}

/// `PUT /rest/v2/settings/terminal/avs`
pub fn update_avs(format: Format, update: &CheckUpdate) -> Result<Call, EncodeError> {
    Operation::UpdateAvsSettings.call().with_body(format, &CheckSettings::from(update))
}

/// `PUT /rest/v2/settings/terminal/csc`
pub fn update_csc(format: Format, update: &CheckUpdate) -> Result<Call, EncodeError> {
    let CheckSettings { enabled, filters } = update.into();
    Operation::UpdateCscSettings.call().with_body(format, &CscSettings { enabled, filters })
}

/// `POST /rest/v2/settings/transaction/duplicates`
pub fn update_duplicates(format: Format, update: &DuplicateUpdate) -> Result<Call, EncodeError> {
    let DuplicateUpdateFields {
        enabled,
        check_merchant_level,
        include_invoice,
        use_invoice_instead_of_card,
        time_range_in_minutes,
        if_duplicate_found_respond_with_error,
    } = update.fields();
    let flag = |flag: Option<&Flag>| flag.map(|flag| Bare::from(flag.0));
    let message = DuplicateSettings {
        enabled: flag(enabled),
        check_merchant_level: flag(check_merchant_level),
        include_invoice: flag(include_invoice),
        use_invoice_instead_of_card: flag(use_invoice_instead_of_card),
        time_range_in_minutes: time_range_in_minutes.map(|minutes| Bare::from(u64::from(minutes.get()))),
        if_duplicate_found_respond_with_error: flag(if_duplicate_found_respond_with_error),
    };
    Operation::UpdateDuplicateSettings.call().with_body(format, &message)
}

/// Reads a change to the settings of the address check; returns all violations.
#[cfg(feature = "gateway")]
pub fn read_update_avs(format: Format, body: &[u8], limits: &Limits) -> Result<CheckUpdate, ReadError> {
    let settings: CheckSettings<'_> = codec::decode(format, body, limits)?;
    Ok(settings.update(CheckAnswer::AVS)?)
}

/// Reads a change to the settings of the security code check; returns all violations. The root of the vendor's sample,
/// which belongs to the address check, is accepted too.
#[cfg(feature = "gateway")]
pub fn read_update_csc(format: Format, body: &[u8], limits: &Limits) -> Result<CheckUpdate, ReadError> {
    let settings = match codec::decode(format, body, limits) {
        Ok(CscSettings { enabled, filters }) => CheckSettings { enabled, filters },
        Err(error) if error.kind() == DecodeErrorKind::WrongRoot => codec::decode(format, body, limits)?,
        Err(error) => return Err(error.into()),
    };
    Ok(settings.update(CheckAnswer::CSC)?)
}

/// Reads a change to duplicate detection; returns all violations.
#[cfg(feature = "gateway")]
pub fn read_update_duplicates(
    format: Format,
    body: &[u8],
    limits: &Limits,
) -> Result<DuplicateUpdate, ReadError> {
    let DuplicateSettings {
        enabled,
        check_merchant_level,
        include_invoice,
        use_invoice_instead_of_card,
        time_range_in_minutes,
        if_duplicate_found_respond_with_error,
    } = codec::decode(format, body, limits)?;
    let update = set!(DuplicateUpdate::builder();
        enabled: enabled.map(Text::from),
        check_merchant_level: check_merchant_level.map(Text::from),
        include_invoice: include_invoice.map(Text::from),
        use_invoice_instead_of_card: use_invoice_instead_of_card.map(Text::from),
        time_range_in_minutes: time_range_in_minutes.map(Text::from),
        if_duplicate_found_respond_with_error: if_duplicate_found_respond_with_error.map(Text::from),
    );
    Ok(update.accept()?)
}

impl<'a> From<&'a CheckUpdate> for CheckSettings<'a> {
    fn from(update: &'a CheckUpdate) -> Self {
        let filters = update.filters().iter().map(|(answer, allowed)| Filter {
            name: Some(text(answer.name)),
            allowed: Some(Bare::from(*allowed)),
            ..Filter::default()
        });
        Self {
            enabled: update.enabled().map(Bare::from),
            filters: Some(Filters { response_filter: Records(filters.collect()) }),
        }
    }
}

impl CheckSettings<'_> {
    fn update(self, answers: &[CheckAnswer]) -> Result<CheckUpdate, Violations> {
        let Self { enabled, filters } = self;
        let mut wrong = Violations::default();
        let enabled = request_flag("enabled", enabled, &mut wrong);
        let mut named = Vec::new();
        for filter in filters.into_iter().flat_map(|filters| filters.response_filter.0) {
            let (name, allowed) = (given(filter.name), request_flag("allowed", filter.allowed, &mut wrong));
            if name.is_none() {
                wrong.add("name", Rule::Required);
            }
            if allowed.is_none() {
                wrong.add("allowed", Rule::Required);
            }
            named.extend(name.zip(allowed));
        }
        let named = named.iter().map(|(name, allowed)| (name.trim(), *allowed));
        if wrong.is_empty() { CheckUpdate::new(answers, enabled, named) } else { Err(wrong) }
    }
}

/// A flag of a request; any other value is a violation.
fn request_flag(member: &'static str, given_as: Option<Bare<'_>>, wrong: &mut Violations) -> Option<bool> {
    let flag = Flag::try_from(given(given_as.map(Text::from))?.trim());
    flag.map_err(|error| wrong.add(member, error.0)).ok().map(|flag| flag.0)
}

rules! {
    Filters to Vec<domain::ResponseFilter>:
        |_, filters| filters.map_or(Ok(Vec::new()), Filters::record),
        |filters| Some(Filters::from(filters.as_slice()));
}

impl<'a> From<&'a [domain::ResponseFilter]> for Filters<'a> {
    fn from(filters: &'a [domain::ResponseFilter]) -> Self {
        Self { response_filter: Records(filters.iter().map(Filter::from).collect()) }
    }
}

impl Filters<'_> {
    pub(crate) fn record(self) -> Result<Vec<domain::ResponseFilter>, Failure> {
        self.response_filter.0.into_iter().map(Filter::record).collect()
    }
}
