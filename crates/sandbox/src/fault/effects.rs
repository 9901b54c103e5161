//! The one table of effects: what each needs, and what it does. The control interface, the console, the command's help
//! and the tests read it.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::RetryAfter;
use super::members::{self, EffectMember, Member, REQUIRED};
use crate::members::{Members, given};
use crate::nearest::nearest;

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

/// Declares the effects. From this table come the type, what the control interface reads and shows, the console's form,
/// the command's help, and the test that what is shown is what was read.
macro_rules! effects {
    (
        $(#[$meta:meta])*
        pub enum Effect {
            $(
                $(#[$doc:meta])*
                $Effect:ident $name:literal
                    $({ $( $(#[$member_doc:meta])* $member:ident: $Value:ty as $Member:ident, )+ })?
                $what:literal;
            )*
        }
    ) => {
        $(#[$meta])*
        pub enum Effect {
            $(
                $(#[$doc])*
                $Effect $({ $( $(#[$member_doc])* $member: $Value, )+ })?,
            )*
        }

        impl Effect {
            /// Every kind of effect.
            pub const KINDS: &'static [EffectKind] = &[$(
                EffectKind {
                    name: $name,
                    members: &[$($( <members::$Member as Member>::ROW, )+)?],
                    what: $what,
                },
            )*];

            pub(super) fn read(mut members: Members) -> Result<Self, String> {
                let kind = members.text("kind")?.ok_or_else(|| members.problem("kind", REQUIRED))?;
                let effect = match kind.as_str() {
                    $( $name => Self::$Effect $({ $( $member: members::$Member::read(&mut members)?, )+ })?, )*
                    _ => return Err(members.problem("kind", &must_be(&kind))),
                };
                let known = Self::KINDS.iter().find(|known| known.name == kind);
                members.finish(&known.map(EffectKind::members_in_words).unwrap_or_default())?;
                Ok(effect)
            }

            pub(crate) fn shown(&self) -> Json {
                match self {
                    $(
                        Self::$Effect $({ $($member,)+ })? => given(json!({
                            "kind": $name,
                            $($( (<members::$Member as Member>::ROW.name): members::$Member::shown($member), )+)?
                        })),
                    )*
                }
            }

            /// The member that is wrong, and the rule that it breaks.
            pub(super) fn broken(&self) -> Option<(&'static str, &'static str)> {
                match self {
                    $(
                        Self::$Effect $({ $($member,)+ })? => {
                            $($(
                                if let Some(rule) = members::$Member::broken($member) {
                                    return Some((members::$Member::PATH, rule));
                                }
                            )+)?
                            None
                        }
                    )*
                }
            }

            /// Any effect that is right.
            #[cfg(test)]
            pub(super) fn any() -> impl proptest::strategy::Strategy<Value = Self> {
                use proptest::strategy::{Just, Strategy as _, Union};

                use members::values::Drawn as _;

                Union::new([$( effects!(@any $Effect $({ $($member as $Member)+ })?).boxed() ),*])
            }
        }
    };
    (@any $Effect:ident) => { Just(Self::$Effect) };
    (@any $Effect:ident { $($member:ident as $Member:ident)+ }) => {
        ($( members::$Member::values(), )+).prop_map(|($($member,)+)| Self::$Effect { $($member),+ })
    };
}

effects! {
    /// What goes wrong with a call.
    ///
    /// Waits are in real time, whatever the world's clock does, and at most a minute; a stop of the sandbox ends them.
    #[derive(Clone, PartialEq)]
    #[non_exhaustive]
    pub enum Effect {
        /// Nothing is done, and the answer is an error.
        ErrorBefore "error-before" {
            /// Its HTTP status, 400 to 599.
            status: u16 as Status,
        }
            "Nothing is done, and the answer is this error.";
        /// The call is executed and committed, and then the answer is an error.
        ErrorAfter "error-after" {
            /// Its HTTP status, 400 to 599.
            status: u16 as Status,
        }
            "The call is done, and the answer is this error.";
        /// The call is executed and committed, and then the connection is closed without a byte.
        DropReply "drop-reply"
            "The call is done, and the connection closes without an answer.";
        /// The connection is closed without a byte, and the call is executed later. A sandbox that is stopped executes it
        /// at once; a world that is emptied before does not see it any more.
        LateCommit "late-commit" {
            /// How much later, up to a minute.
            delay: Duration as Delay,
        }
            "The connection closes without an answer, and the call is done later.";
        /// The call is executed twice; the second answer is sent. An alert is posted twice, and the second answer counts.
        Duplicate "duplicate"
            "The call is done twice. An alert is posted twice.";
        /// The call is executed and committed; the answer comes later.
        Delay "delay" {
            /// How much later, up to a minute.
            delay: Duration as Delay,
        }
            "The call is done, and the answer comes later.";
        /// The body of the answer comes slowly, but within a minute.
        SlowBody "slow-body" {
            /// How slowly, from 1.
            bytes_per_second: u64 as BytesPerSecond,
        }
            "The body of the answer comes slowly.";
        /// The answer announces its whole body, and the connection is closed within it. A body that is not longer comes
        /// whole.
        CutReply "cut-reply" {
            /// How many bytes of the body come.
            at_byte: u64 as AtByte,
        }
            "The connection breaks after so many bytes of the body.";
        /// The call is executed and committed, and the answer is something else with status 200.
        Garbage "garbage" {
            /// The body.
            body: String as Body,
            /// What it claims to be, as in `text/html`.
            content_type: String as ContentType,
        }
            "The call is done, and the answer is this body with status 200.";
        /// Reads answer from the world as it stood when the fault was set, its clock included. What is written after that
        /// is not seen, so the fault is to be set before the write that it shall hide.
        StaleRead "stale-read"
            "A read sees the world as it was when the fault was set.";
        /// Nothing is done, and the answer is 429.
        RateLimit "rate-limit" {
            /// What it says in `Retry-After`, if anything.
            retry_after: Option<RetryAfter> as Again,
        }
            "Nothing is done, and the answer is 429.";
        /// The live access ids end before the call is executed, as if somebody had expired them between two calls; so it is
        /// refused. It hits only calls of ClientPay that need one.
        EvictAccessId "evict-access-id"
            "The access ids of ClientPay end before the call, which is refused with 401.";
        /// Sales, authorizations, payments of plans and of ClientPay are declined, whatever their card, amount and duplicates
        /// say. It hits only what can be declined: of the operations `transactions.sale`, to which payments of plans belong
        /// here, `transactions.auth`, and `clientpay-payments.create`, to which payments on a page belong.
        Decline "decline" {
            /// A result code of the vendor's that does not approve, such as `012`.
            result_code: String as ResultCode,
        }
            "A charge is declined: a sale, an authorization, a payment of a plan or of ClientPay.";
        /// The answer is filled up with white space that means nothing. One without a body, or that is longer already,
        /// stays as it is.
        HugeBody "huge-body" {
            /// How many bytes its body has then, up to 1 GiB.
            bytes: u64 as Bytes,
        }
            "The answer is padded with white space.";
        /// An alert is posted after the next one of its world, so that two of them come in the wrong order: it is held until
        /// another alert was posted, or for 40 days of the world's clock if none comes. While one is held, the others are
        /// posted at once. This and the next hit `webhooks.deliver` only.
        Reorder "reorder"
            "Of webhooks.deliver: an alert is posted after the next one, or 40 days of the world's clock later.";
        /// An alert is held for a while of the world's clock.
        Late "late" {
            /// How long, as a period of ISO 8601 such as `PT1H` or `P2D`.
            delay: String as Held,
        }
            "Of webhooks.deliver: an alert is held for this period of the world's clock.";
    }
}

impl EffectKind {
    pub(crate) fn shown(&self) -> Json {
        let Self { name, members, what } = self;
        let members: Vec<Json> = members
            .iter()
            .map(|EffectMember { name, rule, is_required, .. }| {
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

/// What a kind must be that is none of the known ones.
fn must_be(kind: &str) -> String {
    let names: Vec<&str> = Effect::KINDS.iter().map(|kind| kind.name).collect();
    let meant = nearest(kind, names.iter().copied());
    let meant = meant.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
    format!("must be {}{meant}", in_words(&names, "or"))
}
