//! AVS and CSC checks: issuers' results for an address and a security code, and the results that a terminal accepts.
//!
//! The vendor documents the results and not how to get them from its sandbox: the rule here is **inferred**, and
//! documented for users in the crate's documentation.

use perennial_domain::clearent::{CheckAnswer, Token, Transaction, TransactionType};
use perennial_domain::{CardBrand, SecurityCode};
use rusqlite::Result;

use super::alerts;
use super::records;
use crate::clock::Moment;
use crate::issuer::outcome::Outcome;
use crate::store::session::Session;

/// Stores a charge as its issuer judged it, for less if the gateway approves only a part. If the terminal rejects
/// the issuer's result for the address (`avs`) or the security code (`csc`), the charge is voided at once and reported
/// as declined.
pub(crate) fn book(
    session: &Session<'_>,
    charge: Transaction,
    token: Option<&Token>,
    issuer: Outcome,
    (avs, csc): (Option<CheckAnswer>, Option<CheckAnswer>),
    at: Moment,
) -> Result<(Transaction, Outcome)> {
    let settings = session.settings()?;
    let outcome = if !issuer.is_approved() {
        issuer
    } else if settings.avs.stops(avs.as_ref()) {
        Outcome::AVS_NOT_ACCEPTED
    } else if settings.csc.stops(csc.as_ref()) {
        Outcome::CSC_NOT_ACCEPTED
    } else {
        issuer
    };
    let stopped = outcome != issuer;
    let requested = charge.amount.unwrap_or_default();
    let is_forced = charge.transaction_type == Some(TransactionType::FORCED_SALE);
    let part = session.gateway.approves_of(requested).filter(|_| outcome.is_approved() && !is_forced);
    let charge = outcome.stamp(Transaction {
        amount: part.or(charge.amount),
        original_amount: part.and(Some(requested)),
        partial_approved: part.and(Some(true)),
        avs_result_code: avs.map(|answer| answer.code.into()),
        avs_result_code_description: avs.map(|answer| answer.description.into()),
        csc_result_code: csc.map(|answer| answer.code.into()),
        csc_result_code_description: csc.map(|answer| answer.description.into()),
        voided: stopped.then_some(true),
        ..charge
    });
    let charge = alerts::book(session, charge, token, at)?;
    if stopped {
        let amount = charge.amount.unwrap_or_default();
        let void = records::following(charge.clone(), TransactionType::VOID, amount);
        alerts::book(session, Outcome::APPROVED.stamp(void), None, at)?;
    }
    Ok((charge, outcome))
}

/// The result for the address of a token, if it has one and checks are on.
pub(crate) fn of_token(session: &Session<'_>, token: &Token) -> Result<Option<CheckAnswer>> {
    let Token { token_id: Some(id), avs_address, avs_zip, .. } = token else { return Ok(None) };
    match of_address(avs_address.as_deref(), avs_zip.as_deref()) {
        Some(answer) if session.requires_avs(id)? => Ok(Some(answer)),
        _ => Ok(None),
    }
}

/// The result for an address, if there is one.
pub(crate) fn of_address(street: Option<&str>, zip: Option<&str>) -> Option<CheckAnswer> {
    if street.is_none() && zip.is_none() {
        return None;
    }
    let home = street.and_then(|street| street.split_whitespace().next()) == Some("8320");
    let zip: String = zip.unwrap_or_default().chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let whole = zip.len() == 9 && zip.starts_with("85284") && zip.bytes().all(|b| b.is_ascii_digit());
    let letter = match (zip.as_str(), home) {
        ("99991", _) => "G",
        ("99992", _) => "S",
        ("99993", _) => "U",
        ("99994", _) => "E",
        ("99995", _) => "R",
        (_, true) if whole => "X",
        ("85284", true) => "Y",
        (_, false) if whole => "W",
        ("85284", false) => "Z",
        (_, true) => "A",
        (_, false) => "N",
    };
    CheckAnswer::AVS.iter().find(|answer| answer.code == letter).copied()
}

/// The remains of a security code after it is forgotten: the brands it belongs to, or a result for any issuer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Code {
    Of(CardBrand),
    OfOtherBrands,
    Gets(&'static str),
}

impl From<&SecurityCode> for Code {
    fn from(code: &SecurityCode) -> Self {
        match code.expose() {
            "998" => Self::Of(CardBrand::MASTERCARD),
            "9997" => Self::Of(CardBrand::AMERICAN_EXPRESS),
            "996" => Self::Of(CardBrand::DISCOVER),
            "999" => Self::OfOtherBrands,
            "901" | "9901" => Self::Gets("P"),
            "902" | "9902" => Self::Gets("S"),
            "903" | "9903" => Self::Gets("U"),
            "904" | "9904" => Self::Gets("X"),
            _ => Self::Gets("N"),
        }
    }
}

impl Code {
    /// The result of the issuer of a card of this brand.
    pub(crate) fn answer(&self, brand: Option<&CardBrand>) -> Option<CheckAnswer> {
        const OWN: [CardBrand; 3] = [CardBrand::MASTERCARD, CardBrand::AMERICAN_EXPRESS, CardBrand::DISCOVER];
        let right = match self {
            Self::Of(owner) => brand == Some(owner),
            Self::OfOtherBrands => !brand.is_some_and(|brand| OWN.contains(brand)),
            Self::Gets(_) => false,
        };
        let letter = match self {
            Self::Gets(letter) => letter,
            _ if right => "M",
            _ => "N",
        };
        CheckAnswer::CSC.iter().find(|answer| answer.code == letter).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cases = [
            (None, None, None),
            (Some("8320 Mill Avenue"), Some("85284-1234"), Some("X")),
            (Some("8320"), Some("852840000"), Some("X")),
            (Some(" 8320  Mill Avenue"), Some("85284"), Some("Y")),
            (Some("1 Loom Street"), Some("852841234"), Some("W")),
            (None, Some("85284 1234"), Some("W")),
            (Some("1 Loom Street"), Some("85284"), Some("Z")),
            (None, Some("85284"), Some("Z")),
            (Some("8320 Mill Avenue"), Some("63101"), Some("A")),
            (Some("8320 Mill Avenue"), None, Some("A")),
            (Some("1 Loom Street"), Some("63101"), Some("N")),
            (Some("83200 Mill Avenue"), Some("8528"), Some("N")),
            (Some("Mill Avenue 8320"), None, Some("N")),
            (None, Some("SW1A 1AA"), Some("N")),
            (None, Some("85284ABCD"), Some("N")),
            (Some("8320 Mill Avenue"), Some("99991"), Some("G")),
            (None, Some("99992"), Some("S")),
            (None, Some("99993"), Some("U")),
            (None, Some("99994"), Some("E")),
            (Some("1 Loom Street"), Some("99995"), Some("R")),
        ];
        for (street, zip, letter) in cases {
            assert_eq!(of_address(street, zip).map(|answer| answer.code), letter, "{street:?} {zip:?}");
        }
        let missing =
            CheckAnswer::AVS.iter().find(|answer| cases.iter().all(|case| case.2 != Some(answer.code)));
        assert_eq!(missing, None);
    }

    #[test]
    fn security_codes() {
        use CardBrand as Brand;
        let cases = [
            ("999", Some(Brand::VISA), "M"),
            ("999", Some(Brand::JCB), "M"),
            ("999", Some(Brand::DINERS_CLUB), "M"),
            ("999", None, "M"),
            ("998", Some(Brand::MASTERCARD), "M"),
            ("9997", Some(Brand::AMERICAN_EXPRESS), "M"),
            ("996", Some(Brand::DISCOVER), "M"),
            ("999", Some(Brand::MASTERCARD), "N"),
            ("999", Some(Brand::AMERICAN_EXPRESS), "N"),
            ("998", Some(Brand::VISA), "N"),
            ("998", None, "N"),
            ("9997", Some(Brand::VISA), "N"),
            ("123", Some(Brand::VISA), "N"),
            ("901", Some(Brand::VISA), "P"),
            ("902", Some(Brand::MASTERCARD), "S"),
            ("903", None, "U"),
            ("9904", Some(Brand::AMERICAN_EXPRESS), "X"),
        ];
        for (code, brand, letter) in &cases {
            let forgotten = Code::from(&SecurityCode::try_from(*code).unwrap());
            assert_eq!(forgotten.answer(brand.as_ref()).unwrap().code, *letter, "{code} of {brand:?}");
        }
        let missing = CheckAnswer::CSC.iter().find(|answer| cases.iter().all(|case| case.2 != answer.code));
        assert_eq!(missing, None);
    }
}
