//! Any intent, as a strategy.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::Moment;
use crate::machine::{Attempt, History, How, Intent, Judged, Outcome, Precondition, State, Write};

/// Any text that a database stores.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.replace('\0', "0"))
}

/// Any text of a JSON member.
fn json_text() -> impl Strategy<Value = String> {
    any::<String>()
}

fn moment() -> impl Strategy<Value = Moment> {
    any::<i64>().prop_map(Moment::from_millis)
}

fn attempt() -> impl Strategy<Value = Attempt> {
    const JUDGED: [Judged; 5] =
        [Judged::Done, Judged::Declined, Judged::Refused, Judged::Unknown, Judged::Absent];
    (moment(), moment(), option::of(select(&JUDGED[..])), option::of(json_text())).prop_map(
        |(committed, send_by, judged, exchange_id)| Attempt { committed, send_by, judged, exchange_id },
    )
}

fn history() -> impl Strategy<Value = History> {
    let counts = (any::<u32>(), any::<u32>(), any::<u32>());
    let moments = (option::of(moment()), option::of(moment()), option::of(moment()));
    let flags = (any::<bool>(), any::<bool>(), moments);
    let texts = (option::of(json_text()), vec(json_text(), 0..3), option::of(json_text()));
    (vec(attempt(), 0..4), counts, flags, texts).prop_map(
        |(
            attempts,
            (not_done, looks, rechecks),
            (looked_first, is_probed, (restored, last_look, looked_since)),
            (candidate, spares, reason),
        )| {
            History {
                attempts,
                not_done,
                looks,
                last_look,
                looked_since,
                looked_first,
                restored,
                candidate,
                spares,
                is_probed,
                rechecks,
                reason,
                ..History::default()
            }
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let how = select(&[How::Sent, How::Adopted, How::Decided][..]);
    (how, option::of(json_text()), option::of(json_text())).prop_map(|(how, id, value)| Outcome {
        how,
        id,
        value,
    })
}

fn precondition() -> impl Strategy<Value = Precondition> {
    (text(), any::<i64>()).prop_map(|(guard, version)| Precondition { guard, version })
}

/// Any intent of this tenant.
pub(super) fn intent(tenant: &'static str) -> impl Strategy<Value = Intent> {
    let names = (text(), text(), text(), text(), text(), text());
    let kind = (select(Write::ALL), select(&State::ALL[..]), any::<(bool, bool, bool)>());
    let times = (moment(), option::of(moment()), option::of(moment()), moment(), any::<i64>());
    (names, kind, times, option::of(precondition()), history(), option::of(outcome())).prop_map(
        move |(names, kind, times, precondition, history, outcome)| {
            let (uid, key, object, request, fingerprint, mark) = names;
            let (write, state, (is_stop, needs_card, activates)) = kind;
            let (send_before, lease_until, next, created, fence) = times;
            Intent {
                uid,
                tenant: tenant.to_owned(),
                key,
                write,
                object,
                request,
                fingerprint,
                mark,
                is_stop,
                needs_card,
                activates,
                precondition,
                send_before,
                state,
                fence,
                lease_until,
                next,
                history,
                outcome,
                created,
            }
        },
    )
}
