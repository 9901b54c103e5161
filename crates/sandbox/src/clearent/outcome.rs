//! How a charge goes: by the amounts that force an outcome, and by the state of the card.

use perennial_domain::clearent::{Token, TokenStatus, Transaction, TransactionResult};
use perennial_domain::{Amount, Expiry, NaiveDate};

/// The answer of the issuer, or of the gateway in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// The HTTP status of a sale that goes so.
    pub(crate) status: u16,
    code: &'static str,
    message: &'static str,
}

impl Outcome {
    pub(super) const APPROVED: Self = Self { status: 200, code: "000", message: "Transaction approved" };
    // What a card that cannot be charged answers is inferred from the vendor's list of codes.
    const EXPIRED: Self = Self { status: 402, code: "003", message: "Declined by Issuer - Card expired" };
    const NOT_ACTIVE: Self = Self { status: 402, code: "017", message: "Card Not Active" };
    /// The terminal does not take what the issuer said of the address.
    pub(super) const AVS_NOT_ACCEPTED: Self =
        Self { status: 402, code: "046", message: "Avs Response Not Accepted" };
    /// The terminal does not take what the issuer said of the security code.
    pub(super) const CSC_NOT_ACCEPTED: Self =
        Self { status: 402, code: "047", message: "Csc Response Not Accepted" };
    /// The token is deleted.
    pub(crate) const ACCOUNT_NOT_FOUND: Self =
        Self { status: 402, code: "010", message: "Declined by Issuer - Account not found" };

    pub(crate) fn is_approved(self) -> bool {
        self.status == 200
    }

    /// The transaction with this outcome. What the gateway lists with HTTP 400 is an error, the rest is declined.
    pub(crate) fn stamp(self, transaction: Transaction) -> Transaction {
        let (result, status) = match self.status {
            200 => (TransactionResult::APPROVED, "Approved"),
            400 => (TransactionResult::ERROR, "Error"),
            _ => (TransactionResult::DECLINED, "Declined"),
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

/// The amounts in cents that force an outcome (vendor's page "error generation data", which breaks off after code
/// 034). 0.04 is listed under 004 and 023; here it is 004.
const TRIGGERS: &[(&[u64], u16, &str, &str)] = &[
    (&[49, 80, 81, 82], 200, "000", "Transaction approved"),
    (&[29], 402, "003", "Declined by Issuer - Card expired"),
    (&[4, 5], 402, "004", "Card Expired"),
    (&[40], 402, "006", "Allowable Pin Entries Exceeded"),
    (&[1, 2], 402, "007", "Declined by Issuer - Referred - Please call Card Issuer"),
    (&[11, 32], 402, "008", "Declined by Issuer - Invalid Amount"),
    (&[14], 400, "009", "Invalid Card Number"),
    (&[36, 37, 38], 402, "010", "Declined by Issuer - Account not found"),
    (&[31, 35, 39], 400, "011", "Invalid Request"),
    (&[21], 402, "012", "Not Sufficient Funds"),
    (&[23], 402, "014", "Declined by Issuer - Exceeds amount limit"),
    (&[43, 44], 402, "015", "Declined by Issuer - Transaction not permitted"),
    (&[22, 25, 71], 402, "016", "Declined by Issuer - Frequency limit exceeded"),
    (&[12, 13, 47], 400, "018", "Invalid Pin"),
    (&[48], 402, "021", "Declined by Issuer - Invalid card security code"),
    (&[16], 400, "022", "Cashback Amount Exceeded"),
    (&[9, 15, 17], 402, "023", "Transaction Declined By Issuer"),
    (&[10], 402, "024", "Previously Reversed"),
    (&[34], 402, "027", "Original Not Found"),
    (&[46], 402, "030", "Invalid merchant ID - Please call Customer Support"),
    (&[3], 402, "031", "Transaction Did Not Complete Normally, Please Retry"),
    (&[54], 402, "032", "Duplicate Transaction"),
];

/// How a charge of this amount goes: approved unless the amount is one that forces something else.
pub(crate) fn of_amount(amount: Amount) -> Outcome {
    let forced = TRIGGERS.iter().find(|(cents, ..)| cents.contains(&amount.cents()));
    forced.map_or(Outcome::APPROVED, |(_, status, code, message)| Outcome { status: *status, code, message })
}

/// Why a token cannot be charged on this day, if it cannot.
pub(crate) fn of_token(token: &Token, today: NaiveDate) -> Option<Outcome> {
    let active = token.status == Some(TokenStatus::ACTIVE);
    if active { of_expiry(token.exp_date, today) } else { Some(Outcome::NOT_ACTIVE) }
}

/// Why a card that expires then cannot be charged on this day, if it cannot.
pub(crate) fn of_expiry(expiry: Option<Expiry>, today: NaiveDate) -> Option<Outcome> {
    expiry.filter(|expiry| !expiry.is_valid_on(today)).map(|_| Outcome::EXPIRED)
}
