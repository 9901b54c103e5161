//! The one table of effects: what each needs, and what it does. The control interface, the console, the command's help
//! and the tests read it.

use serde_json::{Value as Json, json};

use super::Effect;

/// A kind of [`Effect`], as the control interface names and explains it.
///
/// ```
/// use perennial_sandbox::{Effect, EffectKind};
///
/// let delay = Effect::KINDS.iter().find(|kind| kind.name == "delay").unwrap();
/// assert_eq!(delay.members[0].name, "delay-ms");
/// assert_eq!(delay.members[0].rule, "0 to 60000");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EffectKind {
    /// The value of `kind`, such as `drop-reply`.
    pub name: &'static str,
    /// The members that it has besides.
    pub members: &'static [EffectMember],
    /// A sentence on what happens to a call that is hit.
    pub what: &'static str,
}

/// A member of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EffectMember {
    /// Its name, such as `delay-ms`.
    pub name: &'static str,
    /// Which values it takes.
    pub rule: &'static str,
    /// Whether the effect needs it.
    pub is_required: bool,
    /// Whether its value may be a number in JSON.
    pub is_number: bool,
}

const fn number(name: &'static str, rule: &'static str) -> EffectMember {
    EffectMember { name, rule, is_required: true, is_number: true }
}

const fn text(name: &'static str, rule: &'static str) -> EffectMember {
    EffectMember { name, rule, is_required: true, is_number: false }
}

const STATUS: &[EffectMember] = &[number("status", "400 to 599")];
const DELAY: &[EffectMember] = &[number("delay-ms", "0 to 60000")];
const RETRY_AFTER: EffectMember = EffectMember {
    is_required: false,
    ..number("retry-after", "whole seconds or an HTTP date; without it there is no such header")
};

const fn kind(name: &'static str, members: &'static [EffectMember], what: &'static str) -> EffectKind {
    EffectKind { name, members, what }
}

impl Effect {
    /// Every kind of effect.
    pub const KINDS: &'static [EffectKind] = &[
        kind("error-before", STATUS, "Nothing is done, and the answer is this error."),
        kind("error-after", STATUS, "The call is done, and the answer is this error."),
        kind("drop-reply", &[], "The call is done, and the connection closes without an answer."),
        kind("late-commit", DELAY, "The connection closes without an answer, and the call is done later."),
        kind("duplicate", &[], "The call is done twice. An alert is posted twice."),
        kind("delay", DELAY, "The call is done, and the answer comes later."),
        kind("slow-body", &[number("bytes-per-second", "from 1")], "The body of the answer comes slowly."),
        kind(
            "cut-reply",
            &[number("at-byte", "from 0")],
            "The connection breaks after so many bytes of the body.",
        ),
        kind(
            "garbage",
            &[text("body", "any text"), text("content-type", "a media type")],
            "The call is done, and the answer is this body with status 200.",
        ),
        kind("stale-read", &[], "A read sees the world as it was when the fault was set."),
        kind("rate-limit", &[RETRY_AFTER], "Nothing is done, and the answer is 429."),
        kind(
            "evict-access-id",
            &[],
            "The access ids of ClientPay end before the call, which is refused with 401.",
        ),
        kind(
            "decline",
            &[text("result-code", "a code of the vendor's that does not approve, such as 012")],
            "A charge is declined: a sale, an authorization, a payment of a plan or of ClientPay.",
        ),
        kind("huge-body", &[number("bytes", "1 to 1073741824")], "The answer is padded with white space."),
        kind(
            "reorder",
            &[],
            "Of webhooks.deliver: an alert is posted after the next one, or 40 days of the world's clock later.",
        ),
        kind(
            "late",
            &[text("delay", "a period such as PT1H or P2D")],
            "Of webhooks.deliver: an alert is held for this period of the world's clock.",
        ),
    ];
}

impl EffectKind {
    pub(crate) fn shown(&self) -> Json {
        let Self { name, members, what } = self;
        let members: Vec<Json> = members
            .iter()
            .map(|EffectMember { name, rule, is_required, is_number: _ }| {
                json!({ "name": name, "rule": rule, "required": is_required })
            })
            .collect();
        json!({ "kind": name, "members": members, "what": what })
    }

    /// `kind`, and the names of its members, as a sentence has them.
    pub(super) fn members_in_words(&self) -> String {
        let names: Vec<&str> =
            ["kind"].into_iter().chain(self.members.iter().map(|member| member.name)).collect();
        in_words(&names, "and")
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn in_words(names: &[&str], last: &str) -> String {
    match names {
        [names @ .., end] if !names.is_empty() => format!("{} {last} {end}", names.join(", ")),
        names => names.concat(),
    }
}
