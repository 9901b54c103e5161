//! The single function that decides whether a transaction was approved, declined, or neither.

use std::fmt;

use super::{Payment, Transaction, TransactionResult, TransactionType};
use crate::Amount;

/// The outcome of a transaction, determined from all its members.
///
/// ```
/// use perennial_domain::clearent::{Transaction, TransactionResult, Verdict};
///
/// let approved = Transaction {
///     result: Some(TransactionResult::APPROVED),
///     result_code: Some("000".into()),
///     ..Transaction::default()
/// };
/// assert_eq!(approved.verdict(), Verdict::Approved);
/// // Two members that contradict each other decide nothing.
/// let contradiction = Transaction { result_code: Some("012".into()), ..approved };
/// assert_eq!(contradiction.verdict(), Verdict::Undecided);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Money moves.
    Approved,
    /// No money moves.
    Declined,
    /// The members are inconclusive or contradict each other. Money may move: find out before you charge again.
    Undecided,
}

impl Verdict {
    /// The verdict in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The reason for a decline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// The gateway's three-digit code; the same number can mean different things on different endpoints.
    pub code: Option<String>,
    /// The gateway's message.
    pub message: Option<String>,
}

/// A charge of which the issuer approved only a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// The amount that was charged.
    pub taken: Amount,
    /// The amount that is still due; `None` if the gateway does not report the original amount.
    pub due: Option<Amount>,
}

impl TransactionResult {
    /// The verdict of the word alone. `DECLINED`, `ERROR` and the words that begin with `DECLINED_` are declined; a
    /// generated client of the gateway lists one of the latter (`DECLINED_BY_ISSUER_REFERRED_…`). Every other word,
    /// such as one for a review, is [`Verdict::Undecided`].
    ///
    /// ```
    /// use perennial_domain::clearent::{TransactionResult, Verdict};
    ///
    /// assert_eq!(TransactionResult::reported("Approved").verdict(), Verdict::Approved);
    /// assert_eq!(TransactionResult::reported("PENDING").verdict(), Verdict::Undecided);
    /// ```
    pub fn verdict(&self) -> Verdict {
        match self.as_str() {
            "APPROVED" => Verdict::Approved,
            "DECLINED" | "ERROR" => Verdict::Declined,
            reason if reason.starts_with("DECLINED_") => Verdict::Declined,
            _ => Verdict::Undecided,
        }
    }
}

/// The meaning of a result code alone (vendor's page "transaction result codes", which breaks off at 059).
#[derive(Clone, Copy)]
enum Code {
    Absent,
    /// Not a number.
    Malformed,
    Undocumented,
    Success,
    /// Listed with HTTP 400 or 402.
    Refusal,
    /// Listed with HTTP 500: an error within the gateway, or no answer from the network behind it.
    Failure,
}

impl Code {
    fn of(code: Option<&str>) -> Self {
        let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else { return Self::Absent };
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        // Older responses pad the code to four digits.
        match code.parse::<u32>() {
            Ok(0 | 36) if digits => Self::Success,
            Ok(19 | 49..=53 | 55) if digits => Self::Failure,
            Ok(1..=33 | 38..=59) if digits => Self::Refusal,
            _ if digits => Self::Undocumented,
            _ => Self::Malformed,
        }
    }
}

impl Transaction {
    /// The outcome. All code that needs to know whether money moved calls this method.
    ///
    /// * Approved: the result is `APPROVED`, and the code is absent or documented as a success (`000`, `036`).
    /// * Declined: the result says so ([`TransactionResult::verdict`]), and the code is a number that is documented
    ///   neither as a success nor as a failure within the gateway (HTTP 500 in the vendor's list: 019, 049 to 053,
    ///   055). Or the result is absent, and the code is documented as a refusal.
    /// * Undecided: everything else, including a `status` that contradicts the other members, such as `Declined` with
    ///   `APPROVED`.
    ///
    /// A transaction without an id has a verdict, too: a card check that returns a token has no id. The facade requires
    /// the id where money moves.
    pub fn verdict(&self) -> Verdict {
        let word = self.result.as_ref().map(TransactionResult::verdict);
        let verdict = match (word, Code::of(self.result_code.as_deref())) {
            (Some(Verdict::Approved), Code::Absent | Code::Success) => Verdict::Approved,
            (Some(Verdict::Declined), Code::Absent | Code::Undocumented | Code::Refusal)
            | (None, Code::Refusal) => Verdict::Declined,
            _ => Verdict::Undecided,
        };
        let status = self.status.as_deref().map(|status| TransactionResult::reported(status).verdict());
        match status {
            Some(status) if status != Verdict::Undecided && status != verdict => Verdict::Undecided,
            _ => verdict,
        }
    }

    /// Whether the [`verdict`](Self::verdict) is [`Verdict::Approved`].
    pub fn is_approved(&self) -> bool {
        self.verdict() == Verdict::Approved
    }

    /// Whether the transaction was voided: by [`voided`](Self::voided) or, if the gateway omits it, by the word of its
    /// [`status`](Self::status) (`Voided`; **inferred**: the vendor's samples have `Approved` and `Declined`).
    ///
    /// ```
    /// use perennial_domain::clearent::Transaction;
    ///
    /// let status = |word: &str| Transaction { status: Some(word.into()), ..Transaction::default() };
    /// assert!(status("Voided").is_voided() && !status("Approved").is_voided());
    /// assert!(!Transaction { voided: Some(false), ..status("Voided") }.is_voided());
    /// ```
    pub fn is_voided(&self) -> bool {
        self.voided.unwrap_or_else(|| self.has_status_of_void())
    }

    /// Whether `voided` and `status` contradict each other: the transaction is not marked as voided, but has the status
    /// of a voided one. It is then unknown whether money moves.
    pub fn may_be_voided(&self) -> bool {
        self.voided == Some(false) && self.has_status_of_void()
    }

    fn has_status_of_void(&self) -> bool {
        let status = self.status.as_deref().map(str::trim).unwrap_or_default();
        ["void", "voided"].iter().any(|word| status.eq_ignore_ascii_case(word))
    }

    /// The reason for the decline, if the [`verdict`](Self::verdict) is [`Verdict::Declined`]. `None` does not mean
    /// that the transaction was approved.
    ///
    /// ```
    /// use perennial_domain::clearent::{Transaction, TransactionResult};
    ///
    /// let declined = Transaction {
    ///     result: Some(TransactionResult::DECLINED),
    ///     result_code: Some("012".into()),
    ///     ..Transaction::default()
    /// };
    /// assert_eq!(declined.decline().unwrap().code.as_deref(), Some("012"));
    /// assert_eq!(Transaction::default().decline(), None);
    /// ```
    pub fn decline(&self) -> Option<Decline> {
        (self.verdict() == Verdict::Declined)
            .then(|| Decline { code: self.result_code.clone(), message: self.display_message.clone() })
    }

    /// The charged and the remaining amount, if the gateway approved less than the requested amount: according to
    /// `partial-approved`, or to an `original-amount` above the amount.
    ///
    /// ```
    /// use perennial_domain::clearent::{Transaction, TransactionResult};
    ///
    /// let charge = Transaction {
    ///     result: Some(TransactionResult::APPROVED),
    ///     amount: "20.00".parse().ok(),
    ///     original_amount: "25.00".parse().ok(),
    ///     partial_approved: Some(true),
    ///     ..Transaction::default()
    /// };
    /// assert_eq!(charge.partial().unwrap().due.unwrap().to_string(), "5.00");
    /// ```
    pub fn partial(&self) -> Option<Partial> {
        let others = [TransactionType::VOID, TransactionType::REFUND, TransactionType::UNMATCHED_REFUND];
        let charges = self.transaction_type.as_ref().is_none_or(|kind| !others.contains(kind));
        let taken = self.amount.filter(|_| charges && self.is_approved())?;
        let original = self.original_amount;
        let less = original.is_some_and(|original| original > taken);
        (less || self.partial_approved == Some(true))
            .then(|| Partial { taken, due: original.and_then(|original| original.checked_sub(taken)) })
    }

    /// The remaining amount after a [partial](Self::partial) approval, if the gateway reports the original amount.
    ///
    /// ```
    /// use perennial_domain::clearent::Transaction;
    ///
    /// assert_eq!(Transaction::default().due(), None);
    /// ```
    pub fn due(&self) -> Option<Amount> {
        self.partial()?.due
    }
}

impl Payment {
    /// The outcome, determined from the word in its status.
    ///
    /// ```
    /// use perennial_domain::clearent::{Payment, Verdict};
    ///
    /// assert_eq!(Payment::default().verdict(), Verdict::Undecided);
    /// ```
    pub fn verdict(&self) -> Verdict {
        self.status.as_ref().map_or(Verdict::Undecided, TransactionResult::verdict)
    }
}
