//! Outcomes of Clearent charges: by the amounts that force an outcome, and by the state of the card.

use perennial_domain::clearent::{Token, TokenStatus, Transaction, TransactionResult};
use perennial_domain::{Amount, Expiry, NaiveDate, Reported};

/// The answer of the issuer, or of the gateway instead of the issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// The HTTP status of a sale with this outcome.
    pub(crate) status: u16,
    code: &'static str,
    message: &'static str,
}

impl Outcome {
    pub(crate) const APPROVED: Self = Self { status: 200, code: "000", message: "Transaction approved" };
    // What a card that cannot be charged answers is inferred from the vendor's list of codes.
    const EXPIRED: Self = Self { status: 402, code: "003", message: "Declined by Issuer - Card expired" };
    const NOT_ACTIVE: Self = Self { status: 402, code: "017", message: "Card Not Active" };
    /// The terminal rejects the issuer's result for the address.
    pub(crate) const AVS_NOT_ACCEPTED: Self =
        Self { status: 402, code: "046", message: "Avs Response Not Accepted" };
    /// The terminal rejects the issuer's result for the security code.
    pub(crate) const CSC_NOT_ACCEPTED: Self =
        Self { status: 402, code: "047", message: "Csc Response Not Accepted" };
    /// The token is deleted.
    pub(crate) const ACCOUNT_NOT_FOUND: Self =
        Self { status: 402, code: "010", message: "Declined by Issuer - Account not found" };

    /// The vendor's message for this outcome.
    pub(crate) fn message(self) -> &'static str {
        self.message
    }

    pub(crate) fn code(self) -> &'static str {
        self.code
    }

    pub(crate) fn is_approved(self) -> bool {
        self.status == 200
    }

    /// The transaction with this outcome. Outcomes that the gateway lists with HTTP 402 are declines, all others
    /// errors.
    pub(crate) fn stamp(self, transaction: Transaction) -> Transaction {
        let (result, status) = match self.status {
            200 => (TransactionResult::APPROVED, "Approved"),
            402 => (TransactionResult::DECLINED, "Declined"),
            _ => (TransactionResult::ERROR, "Error"),
        };
        Transaction {
            result: Some(result),
            status: Some(status.into()),
            result_code: Some(self.code.into()),
            display_message: Some(self.message.into()),
            ..transaction
        }
    }
}

/// Every outcome of a charge that is not approved (vendor's pages "error generation data" and "transaction result
/// codes"). The table omits codes that belong to other calls, such as refunds, and codes without a message.
const REFUSALS: &[Outcome] = &[
    Outcome::EXPIRED,
    refusal(402, "004", "Card Expired"),
    refusal(402, "005", "Card Suspended"),
    refusal(402, "006", "Allowable Pin Entries Exceeded"),
    refusal(402, "007", "Declined by Issuer - Referred - Please call Card Issuer"),
    refusal(402, "008", "Declined by Issuer - Invalid Amount"),
    refusal(400, "009", "Invalid Card Number"),
    Outcome::ACCOUNT_NOT_FOUND,
    refusal(400, "011", "Invalid Request"),
    refusal(402, "012", "Not Sufficient Funds"),
    refusal(402, "013", "Transaction Not Permitted To Cardholder"),
    refusal(402, "014", "Declined by Issuer - Exceeds amount limit"),
    refusal(402, "015", "Declined by Issuer - Transaction not permitted"),
    refusal(402, "016", "Declined by Issuer - Frequency limit exceeded"),
    Outcome::NOT_ACTIVE,
    refusal(400, "018", "Invalid Pin"),
    refusal(400, "020", "Invalid Currency"),
    refusal(402, "021", "Declined by Issuer - Invalid card security code"),
    refusal(400, "022", "Cashback Amount Exceeded"),
    refusal(402, "023", "Transaction Declined By Issuer"),
    refusal(402, "024", "Previously Reversed"),
    refusal(402, "026", "Declined by Issuer - Invalid Card Number"),
    refusal(402, "027", "Original Not Found"),
    refusal(402, "028", "Invalid Terminal"),
    refusal(402, "029", "Inactive Terminal"),
    refusal(402, "030", "Invalid merchant ID - Please call Customer Support"),
    refusal(402, "031", "Transaction Did Not Complete Normally, Please Retry"),
    refusal(402, "032", "Duplicate Transaction"),
    refusal(402, "033", "Capture Card"),
    refusal(400, "043", "Amount Minimum"),
    refusal(400, "044", "Amount Maximum"),
    refusal(402, "045", "Duplicate Transaction"),
    Outcome::AVS_NOT_ACCEPTED,
    Outcome::CSC_NOT_ACCEPTED,
    refusal(402, "048", "Csc Response Not Accepted"),
    refusal(500, "049", "No Response From Server"),
    refusal(500, "050", "Internal Error"),
    refusal(500, "051", "Could Not Connect"),
    refusal(500, "052", "Exception Condition"),
    refusal(500, "053", "Exception Condition"),
    refusal(402, "054", "Data Element Error"),
    refusal(500, "055", "Acquirer Not Supported"),
    refusal(402, "057", "Card Issuer Timed Out"),
    refusal(402, "058", "Card Issuer Unavailable"),
];

const fn refusal(status: u16, code: &'static str, message: &'static str) -> Outcome {
    Outcome { status, code, message }
}

/// The outcome of a result code, if charges can have it and it is not an approval.
pub(crate) fn of_code(code: &str) -> Option<Outcome> {
    REFUSALS.iter().find(|outcome| outcome.code == code).copied()
}

/// The amounts in cents that force an outcome (vendor's page "error generation data", which breaks off after code
/// 034). 0.04 is listed under 004 and 023; here it is 004. Amounts listed as 000 are approved, like all others.
const TRIGGERS: &[(&[u64], &str)] = &[
    (&[29], "003"),
    (&[4, 5], "004"),
    (&[40], "006"),
    (&[1, 2], "007"),
    (&[11, 32], "008"),
    (&[14], "009"),
    (&[36, 37, 38], "010"),
    (&[31, 35, 39], "011"),
    (&[21], "012"),
    (&[23], "014"),
    (&[43, 44], "015"),
    (&[22, 25, 71], "016"),
    (&[12, 13, 47], "018"),
    (&[48], "021"),
    (&[16], "022"),
    (&[9, 15, 17], "023"),
    (&[10], "024"),
    (&[34], "027"),
    (&[46], "030"),
    (&[3], "031"),
    (&[54], "032"),
];

/// The outcome of a charge of this amount: approved unless the amount forces another outcome.
pub(crate) fn of_amount(amount: Amount) -> Outcome {
    let forced = TRIGGERS.iter().find(|(cents, _)| cents.contains(&amount.cents()));
    forced.and_then(|(_, code)| of_code(code)).unwrap_or(Outcome::APPROVED)
}

/// The reason why a token cannot be charged on this day, if there is one.
pub(crate) fn of_token(token: &Token, today: NaiveDate) -> Option<Outcome> {
    let active = token.status == Some(TokenStatus::ACTIVE);
    if active {
        of_expiry(token.exp_date.as_ref().and_then(Reported::value), today)
    } else {
        Some(Outcome::NOT_ACTIVE)
    }
}

/// The reason why a card with this expiry cannot be charged on this day, if there is one.
pub(crate) fn of_expiry(expiry: Option<Expiry>, today: NaiveDate) -> Option<Outcome> {
    expiry.filter(|expiry| !expiry.is_valid_on(today)).map(|_| Outcome::EXPIRED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_amount_that_forces_an_outcome_has_one_and_every_code_has_one_meaning() {
        for (cents, code) in TRIGGERS {
            assert!(of_code(code).is_some(), "{cents:?}");
        }
        assert!(REFUSALS.is_sorted_by(|a, b| a.code < b.code));
        assert!(REFUSALS.iter().all(|outcome| !outcome.is_approved()));
        assert_eq!((of_code("000"), of_code("036"), of_code("059")), (None, None, None));
    }
}
