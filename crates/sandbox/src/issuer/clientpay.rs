//! Outcomes of ClientPay payments: the number of a test card decides, or the amount of an eCheck (pages of `USAePay`,
//! the gateway behind this vendor).

use perennial_domain::clientpay::{Card, ECheck, PaymentKind, PaymentStatus};
use perennial_domain::{Amount, Expiry, NaiveDate, Rule, Violations};

use super::test_cards;

/// Numbers of the gateway's list, one per line, each followed by the text that replaces an approval.
const PUBLISHED: &str = include_str!("clientpay_test_cards.txt");

/// The reason why charges to a card or account are not approved, whatever their amount.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trigger(String);

impl Trigger {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Trigger {
    fn from(message: String) -> Self {
        Self(message)
    }
}

/// A card or account, reduced to the facts that a charge needs.
#[derive(Clone)]
pub(crate) struct Charged {
    pub(crate) kind: PaymentKind,
    pub(crate) expiry: Option<Expiry>,
    pub(crate) trigger: Option<Trigger>,
}

/// The outcome of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: PaymentStatus,
    pub(crate) message: Option<String>,
}

impl Verdict {
    pub(crate) fn approved() -> Self {
        Self { status: PaymentStatus::APPROVED, message: None }
    }

    pub(crate) fn declined(message: &str) -> Self {
        Self { status: PaymentStatus::DECLINED, message: Some(message.into()) }
    }
}

const BAD_ROUTING: &str = "Invalid routing number";

impl Charged {
    /// Accepts a published test card, or any card if the sandbox allows any.
    pub(crate) fn card(card: &Card, any: bool, field: &'static str) -> Result<Self, Violations> {
        let fields = card.fields();
        let number = fields.card_number.expose();
        let listed = PUBLISHED.lines().find_map(|line| line.strip_prefix(number));
        if listed.is_none() && !any && !test_cards::is_published(fields.card_number) {
            let rule = Rule::OneOf("the published test card numbers, such as 4111111111111111");
            return Err(Violations::one(field, rule));
        }
        let text = listed.unwrap_or_default().trim();
        let trigger = (!text.is_empty()).then(|| Trigger(text.to_owned()));
        Ok(Self { kind: PaymentKind::CARD, expiry: Some(*fields.expiration_date), trigger })
    }

    pub(crate) fn account(account: &ECheck) -> Self {
        let is_bad = account.fields().routing_number.as_str() == "987654321";
        let trigger = is_bad.then(|| Trigger(BAD_ROUTING.into()));
        Self { kind: PaymentKind::E_CHECK, expiry: None, trigger }
    }

    /// The outcome of a charge on this day.
    pub(crate) fn charge(&self, amount: Amount, today: NaiveDate) -> Verdict {
        if let Some(Trigger(message)) = &self.trigger {
            let status = if message == BAD_ROUTING { PaymentStatus::ERROR } else { PaymentStatus::DECLINED };
            return Verdict { status, message: Some(message.clone()) };
        }
        if self.expiry.is_some_and(|expiry| !expiry.is_valid_on(today)) {
            return Verdict::declined("Expired card");
        }
        match (self.kind, amount.cents()) {
            (PaymentKind::E_CHECK, 599) => Verdict::declined("Returned check on this account"),
            (PaymentKind::E_CHECK, 999_999) => {
                Verdict::declined("Manager approval required: monthly volume exceeded")
            }
            _ => Verdict::approved(),
        }
    }
}
