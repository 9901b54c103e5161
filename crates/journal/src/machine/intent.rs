//! An intent: one decision to change something at a gateway, and all that is known of its fate.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::rules::Rules;
use super::write::Write;
use crate::Moment;

/// The end of the operation key of an activation.
pub(crate) const ACTIVATION: &str = "/activation";

/// The state of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum State {
    /// Nothing is sent, or everything that was sent is certainly not done.
    Planned,
    /// An attempt may be on its way. This was stored before its first byte left.
    Sending,
    /// An attempt was sent, and only a look can tell the result.
    Unknown,
    /// The gateway has done it, once.
    Done,
    /// The card was declined.
    Declined,
    /// The gateway refused the request and did nothing.
    Refused,
    /// It was taken back before anything was sent, or a person decided that it was not done.
    Withdrawn,
    /// It can be sent, but its card or security code is not stored: call again with it. Withdrawn after seven days, or at its
    /// last moment.
    NeedsCard,
    /// Nothing decides but a person.
    NeedsPerson,
}

impl State {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::Sending,
        Self::Unknown,
        Self::Done,
        Self::Declined,
        Self::Refused,
        Self::Withdrawn,
        Self::NeedsCard,
        Self::NeedsPerson,
    ];

    /// The name of the state in databases and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::NeedsCard => "needs-card",
            Self::NeedsPerson => "needs-person",
        }
    }

    /// Whether the intent has its outcome.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Declined | Self::Refused | Self::Withdrawn)
    }

    /// Whether the gateway may have done it, or may still do it: no other write to the object is sent meanwhile.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Sending | Self::Unknown | Self::NeedsPerson)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or(UnknownState)
    }
}

/// The error for a text that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state has this name; states are {}", State::ALL.map(State::name).join(", "))]
pub struct UnknownState;

/// One decision to change something at a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Intent {
    /// The random id of the intent, 26 characters.
    pub uid: String,
    /// The uid of the tenant.
    pub tenant: String,
    /// The caller's name for the decision, unique per tenant.
    pub key: String,
    /// The operation.
    pub write: Write,
    /// The object that is changed, such as `plans/plan_1`. An object that is created is named by the mark.
    pub object: String,
    /// The request as the JSON of the vendor's interface, without card data.
    pub request: String,
    /// The first 128 bits of the SHA-256 of the operation, the object and the request, in hexadecimal digits.
    pub fingerprint: String,
    /// The text in the gateway's object by which a look finds it.
    pub mark: String,
    /// Whether it stops something. A stop is sent even while another write to the object is open.
    pub is_stop: bool,
    /// Whether the request has card data, which is not stored.
    pub needs_card: bool,
    /// Whether a plan is to be activated when it is made.
    pub activates: bool,
    /// The condition under which it may be sent.
    pub precondition: Option<Precondition>,
    /// The moment from which nothing of it is sent any more.
    pub send_before: Moment,
    /// The state.
    pub state: State,
    /// The number that each claim raises. A change by an earlier claim is refused.
    pub fence: i64,
    /// The end of the current claim.
    pub lease_until: Option<Moment>,
    /// The moment of the next step, if it waits for one.
    pub next: Option<Moment>,
    /// The attempts and looks.
    pub history: History,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// The time at which it was stored.
    pub created: Moment,
}

impl Intent {
    /// Whether no look could tell the result for so long that a person may decide it.
    pub fn is_overdue(&self, now: Moment, rules: &Rules) -> bool {
        let last = self.history.attempts.last().map_or(self.created, |last| last.committed);
        self.state == State::Unknown && now.since(last) > rules.undecided_within
    }

    /// The reason for the state, in a sentence; `None` if there is nothing to add to the state. An intent whose process
    /// ended in the middle of an attempt looks like one that is being sent: both are claimed until the same moment.
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        match (self.state, self.lease_until) {
            (State::Sending, Some(until)) => {
                let reason = format!(
                    "another process may be sending it until {until}; a look after that tells the result"
                );
                Some(reason.into())
            }
            (State::Sending, None) => Some("a look tells the result of the attempt".into()),
            _ => self.history.reason.as_deref().map(Cow::Borrowed),
        }
    }

    /// Whether a person may decide to send it once more: it needs a person, the gateway refuses a second request under
    /// its id, and no response named a result.
    pub fn can_be_resent(&self) -> bool {
        let History { request_id, named, spares, .. } = &self.history;
        self.state == State::NeedsPerson
            && self.write.is_clientpay()
            && (request_id.is_some() || !self.write.has_request_id())
            && named.is_empty()
            && spares.is_empty()
    }

    /// Whether a look that finds nothing may be taken as a proof that an attempt was not done: one is open, or was lost with
    /// a restored database. Only then the positive control is asked for. Before the first attempt and after the outcome,
    /// an absence is what the database says, too; a refusal is the gateway's own word; and a plan that the gateway
    /// confirmed is never absent.
    pub fn absence_may_count(&self) -> bool {
        match self.state {
            State::Planned => self.history.restored.is_some(),
            State::Unknown => self.history.refusal.is_none() && self.history.candidate.is_none(),
            _ => false,
        }
    }

    /// Whether it sets values that a later write can set otherwise.
    pub(crate) fn is_plain_update(&self) -> bool {
        self.write.sets_a_value() && !self.is_stop
    }

    /// The operation key of the intent that activates the plan, if this one [creates it](Self::activates) and is done.
    pub fn activation_key(&self) -> String {
        format!("{}{ACTIVATION}", self.key)
    }
}

/// A condition that is checked in the statement that commits an attempt: the guard still has this version. Whoever
/// makes the write unwanted raises the version in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Precondition {
    /// The name of the guard.
    pub guard: String,
    /// The version that it must have.
    pub version: i64,
}

/// The attempts and looks of an intent, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct History {
    /// The attempts that may have been done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The number of attempts that certainly had no effect: not connected, limited, or not authorized.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_done: u32,
    /// The number of looks.
    #[serde(skip_serializing_if = "is_zero")]
    pub looks: u32,
    /// The last look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_look: Option<Moment>,
    /// The gateway's time at the first look after the last attempt: the window is measured from it, by the same clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_since: Option<Moment>,
    /// Whether a look before the first attempt found nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub looked_first: bool,
    /// Declined transactions that had the caller's order id before the first attempt: they are of other intents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
    /// If the database was restored or copied: attempts may be missing here, and their effects may come until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<Moment>,
    /// The id of the object that the answer to a create named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
    /// The objects with the mark that are not the adopted one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spares: Vec<String>,
    /// The single-use id of ClientPay under which all attempts are sent. It is stored before the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The payments that a response named without saying that they were made. Nothing is sent after that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
    /// The gateway's reason for a refusal that one look confirms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Whether a person decided to send it once more under the same request id.
    #[serde(skip_serializing_if = "is_false")]
    pub resend: bool,
    /// Whether the next look after the outcome measures how long searches lack the object.
    #[serde(skip_serializing_if = "is_false")]
    pub is_probed: bool,
    /// The number of looks after the outcome for late spares.
    #[serde(skip_serializing_if = "is_zero")]
    pub rechecks: u32,
    /// The reason for the state, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_sent(how: &How) -> bool {
    *how == How::Sent
}

/// A program that copies the member writes a null where there is none.
fn null_or_how<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<How, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// One decision to send the request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Attempt {
    /// The time at which the decision was stored.
    #[serde(rename = "at", with = "millis")]
    pub committed: Moment,
    /// The last moment at which its first byte may leave.
    #[serde(rename = "by", with = "millis")]
    pub send_by: Moment,
    /// The result; `None` while nothing is known.
    #[serde(rename = "is", skip_serializing_if = "Option::is_none", default)]
    pub judged: Option<Judged>,
    /// The gateway's id of the exchange.
    #[serde(rename = "id", skip_serializing_if = "Option::is_none", default)]
    pub exchange_id: Option<String>,
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Judged {
    /// It was done.
    Done,
    /// The card was declined.
    Declined,
    /// The gateway refused it.
    Refused,
    /// Its answer was lost or inconclusive.
    Unknown,
    /// A look after the window found that it was not done.
    Absent,
}

/// The way in which an outcome became known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum How {
    /// By the answer to the request.
    #[default]
    Sent,
    /// A look found it.
    Adopted,
    /// A person decided it.
    Decided,
}

/// The outcome of an intent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Outcome {
    /// The way in which it became known. JSON that lacks it says [`How::Sent`].
    #[serde(skip_serializing_if = "is_sent", default, deserialize_with = "null_or_how")]
    pub how: How,
    /// The id of the object at the gateway.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The object as JSON.
    #[serde(skip_serializing_if = "Option::is_none", default, with = "object_text")]
    pub value: Option<String>,
}

impl Outcome {
    /// Creates an outcome.
    pub fn new(how: How, id: Option<String>, value: Option<String>) -> Self {
        Self { how, id, value }
    }
}

/// A JSON object is a member as it is, and not as a text in quotes, which is longer.
mod object_text {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::value::RawValue;

    #[expect(clippy::ref_option, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
        let object = text.as_deref().filter(|text| text.starts_with('{'));
        match object.and_then(|text| serde_json::from_str::<&RawValue>(text).ok()) {
            Some(object) if Some(object.get()) == text.as_deref() => object.serialize(serializer),
            _ => text.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<String>, D::Error> {
        let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
        raw.map(|raw| match raw.get() {
            object if object.starts_with('{') => Ok(object.to_owned()),
            text => serde_json::from_str(text).map_err(D::Error::custom),
        })
        .transpose()
    }
}

mod millis {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Moment;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(moment: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(moment.as_millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        i64::deserialize(deserializer).map(Moment::from_millis)
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.as_millis())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::from_millis)
    }
}
