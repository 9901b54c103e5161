//! The table of effects: the members and the result of each. The control interface, the console, the command's help
//! and the tests read it.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::RetryAfter;
use super::members::{self, EffectMember, Member, REQUIRED};
use crate::members::{Members, given};
use crate::nearest::{in_words, nearest};

/// A kind of [`Effect`], with its name and description in the control interface.
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
    /// The other members of the effect.
    pub members: &'static [EffectMember],
    /// A sentence that describes the effect on a call.
    pub what: &'static str,
}

/// Declares the effects. The table generates the type, its reading and writing in the control interface, the console's
/// form, the command's help, and the test that writing returns the value that was read.
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

            pub(crate) fn to_json(&self) -> Json {
                match self {
                    $(
                        Self::$Effect $({ $($member,)+ })? => given(json!({
                            "kind": $name,
                            $($( (<members::$Member as Member>::ROW.name): members::$Member::to_json($member), )+)?
                        })),
                    )*
                }
            }

            /// The invalid member, and the rule that it breaks.
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

            /// A strategy for valid effects.
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
    /// The effect of a fault on a call.
    ///
    /// Delays are in real time, whatever the world's clock shows, and at most a minute; a stop of the sandbox ends
    /// them.
    #[derive(Clone, PartialEq)]
    #[non_exhaustive]
    pub enum Effect {
        /// Responds with an error; the call is not executed.
        ErrorBefore "error-before" {
            /// Its HTTP status, 400 to 599.
            status: u16 as Status,
        }
            "Nothing is done, and the response is this error.";
        /// Executes and commits the call, and responds with an error.
        ErrorAfter "error-after" {
            /// Its HTTP status, 400 to 599.
            status: u16 as Status,
        }
            "The call is done, and the response is this error.";
        /// Executes and commits the call, and closes the connection without a byte.
        DropReply "drop-reply"
            "The call is done, and the connection closes without a response.";
        /// Closes the connection without a byte, and executes the call later. A sandbox that stops executes it
        /// at once; a world that was emptied in the meantime does not execute it.
        LateCommit "late-commit" {
            /// The delay, up to a minute.
            delay: Duration as Delay,
        }
            "The connection closes without a response, and the call is done later.";
        /// Executes the call twice and sends the second response. An alert is posted twice, and the second response
        /// counts. A charge of a plan is made twice.
        Duplicate "duplicate"
            "The call is done twice. An alert is posted twice, or a plan is charged twice.";
        /// Executes and commits the call, and sends the response later.
        Delay "delay" {
            /// The delay, up to a minute.
            delay: Duration as Delay,
        }
            "The call is done, and the response is sent later.";
        /// Sends the body of the response slowly, but within a minute.
        SlowBody "slow-body" {
            /// The rate, from 1.
            bytes_per_second: u64 as BytesPerSecond,
        }
            "The body of the response is sent slowly.";
        /// Announces the whole body, and closes the connection within it. A body that is not longer is sent
        /// whole.
        CutReply "cut-reply" {
            /// The number of body bytes that are sent.
            at_byte: u64 as AtByte,
        }
            "The connection breaks after so many bytes of the body.";
        /// Executes and commits the call, and responds with other content and status 200.
        Garbage "garbage" {
            /// The body.
            body: String as Body,
            /// The content type, such as `text/html`.
            content_type: String as ContentType,
        }
            "The call is done, and the response is this body with status 200.";
        /// Reads return the world as it was when the fault was set, including its clock. Later writes are
        /// not visible, so set the fault before the write that it should hide.
        StaleRead "stale-read"
            "A read sees the world as it was when the fault was set.";
        /// Responds with 429; the call is not executed.
        RateLimit "rate-limit" {
            /// The value of `Retry-After`, if any.
            retry_after: Option<RetryAfter> as Again,
        }
            "Nothing is done, and the response is 429.";
        /// Ends the live access ids before the call is executed, as if they had expired between two calls, so the call
        /// is refused. It hits only ClientPay calls that need one.
        EvictAccessId "evict-access-id"
            "The access ids of ClientPay end before the call, which is refused with 401.";
        /// Declines sales, authorizations, and payments of plans and of ClientPay, whatever their card, amount and
        /// duplicates. It hits only calls that can be declined: the operations `transactions.sale`, which includes
        /// payments of plans, `engine.charge`, `transactions.auth`, and `clientpay-payments.create`, which includes payments on a page.
        Decline "decline" {
            /// A result code of the vendor that does not approve, such as `012`.
            result_code: String as ResultCode,
        }
            "A charge is declined: a sale, an authorization, a payment of a plan or of ClientPay.";
        /// Pads the response with insignificant white space. A response without a body, or with a longer one,
        /// is unchanged.
        HugeBody "huge-body" {
            /// The size of the padded body in bytes, up to 1 GiB.
            bytes: u64 as Bytes,
        }
            "The response is padded with white space.";
        /// Posts an alert after the next one of its world, so that two alerts arrive in the wrong order. The alert is
        /// held until another alert was posted, or for 40 days of the world's clock if there is none. While one is
        /// held, other alerts are posted at once. This effect and [`Late`](Self::Late) hit only `webhooks.deliver`.
        Reorder "reorder"
            "Of webhooks.deliver: an alert is posted after the next one, or 40 days of the world's clock later.";
        /// Holds an alert for a period of the world's clock.
        Late "late" {
            /// The period of ISO 8601, such as `PT1H` or `P2D`.
            delay: String as Held,
        }
            "Of webhooks.deliver: an alert is held for this period of the world's clock.";
        /// Makes no charge for this day of the plan, and none later. This effect and
        /// [`ChargeLate`](Self::ChargeLate) hit only `engine.charge`.
        Skip "skip"
            "Of engine.charge: a charge of a plan is not made.";
        /// Makes a charge of a plan later, by a period of the world's clock, unless the plan is then not active; a
        /// gateway that tries charges of canceled plans again also makes late ones. No further fault of `engine.charge`
        /// hits it.
        ChargeLate "charge-late" {
            /// The period of ISO 8601, such as `PT1H` or `P2D`.
            delay: String as Held,
        }
            "Of engine.charge: a charge is made later, by this period of the world's clock.";
    }
}

impl EffectKind {
    pub(crate) fn to_json(self) -> Json {
        let Self { name, members, what } = self;
        let members: Vec<Json> = members
            .iter()
            .map(|EffectMember { name, rule, is_required, .. }| {
                json!({ "name": name, "rule": rule, "required": is_required })
            })
            .collect();
        json!({ "kind": name, "members": members, "what": what })
    }

    /// `kind` and the names of its members, as a list in words.
    pub(super) fn members_in_words(&self) -> String {
        let names: Vec<&str> =
            ["kind"].into_iter().chain(self.members.iter().map(|member| member.name)).collect();
        in_words(&names, "and")
    }
}

/// The error text for an unknown kind.
fn must_be(kind: &str) -> String {
    let names: Vec<&str> = Effect::KINDS.iter().map(|kind| kind.name).collect();
    let meant = nearest(kind, names.iter().copied());
    let meant = meant.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
    format!("must be {}{meant}", in_words(&names, "or"))
}
