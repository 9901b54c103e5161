//! Active faults of each world: their counts, and the fault that hits a call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use fastrand::Rng;

use super::{Effect, Fault, NO_CALLS, StandingFault};
use crate::clock::Moment;

/// Faults of all worlds, by the hashes of their keys. Faults are test equipment: kept in memory, and not part
/// of a world's state.
#[derive(Default)]
pub(crate) struct Faults {
    worlds: Mutex<HashMap<[u8; 32], Rules>>,
    copies: AtomicI64,
}

#[derive(Default)]
struct Rules {
    count: u64,
    /// Dropped when the world is emptied.
    alive: Arc<()>,
    standing: Vec<Rule>,
}

struct Rule {
    standing: StandingFault,
    chances: Rng,
    copy: Option<StaleCopy>,
}

/// A copy of a world for stale reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StaleCopy {
    /// The number under which its rows are stored.
    pub(crate) place: i64,
    /// The time of its clock.
    pub(crate) now: Moment,
}

/// A fault that hits a call.
#[derive(Clone)]
pub(crate) struct Hit {
    pub(crate) id: String,
    pub(crate) effect: Effect,
    pub(crate) copy: Option<StaleCopy>,
    /// A reference that ends when the world is emptied.
    pub(crate) world: Weak<()>,
}

impl Faults {
    fn worlds(&self) -> MutexGuard<'_, HashMap<[u8; 32], Rules>> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a fault and returns its id.
    pub(crate) fn set(&self, world: [u8; 32], fault: Fault, copy: Option<StaleCopy>) -> String {
        let mut worlds = self.worlds();
        let rules = worlds.entry(world).or_default();
        rules.count += 1;
        let id = format!("fault-{}", rules.count);
        let chances = Rng::with_seed(fault.seed.unwrap_or_default());
        let standing = StandingFault { id: id.clone(), fault, matched: 0, applied: 0 };
        rules.standing.push(Rule { standing, chances, copy });
        id
    }

    /// The number of the next copy of a world, from 1.
    pub(crate) fn next_copy(&self) -> i64 {
        self.copies.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Active faults, oldest first.
    pub(crate) fn standing(&self, world: &[u8; 32]) -> Vec<StandingFault> {
        let worlds = self.worlds();
        let rules = worlds.get(world).into_iter().flat_map(|rules| &rules.standing);
        rules.map(|rule| rule.standing.clone()).collect()
    }

    /// Clears the active faults that match; returns their number and the copies that no fault needs any more.
    pub(crate) fn clear(&self, world: &[u8; 32], which: impl Fn(&str) -> bool) -> (usize, Vec<StaleCopy>) {
        let mut worlds = self.worlds();
        let Some(rules) = worlds.get_mut(world) else { return (0, Vec::new()) };
        let cleared: Vec<_> = rules.standing.extract_if(.., |rule| which(&rule.standing.id)).collect();
        (cleared.len(), cleared.into_iter().filter_map(|rule| rule.copy).collect())
    }

    /// Clears all faults and restarts their numbers at 1.
    pub(crate) fn forget(&self, world: &[u8; 32]) -> Vec<StaleCopy> {
        let rules = self.worlds().remove(world);
        rules.into_iter().flat_map(|rules| rules.standing).filter_map(|rule| rule.copy).collect()
    }

    /// Counts a call, and returns the fault that hits it: its effect passes `may`, and the call is about its key by
    /// `names`.
    pub(crate) fn hit(
        &self,
        world: &[u8; 32],
        operation: &str,
        may: impl Fn(&Effect) -> bool,
        names: impl Fn(&str) -> bool,
    ) -> Option<Hit> {
        let mut worlds = self.worlds();
        let rules = worlds.get_mut(world)?;
        let mut hit = None;
        for Rule { standing, chances, copy } in &mut rules.standing {
            let Fault { operation: on, nth, times, probability, seed: _, key, effect } = &standing.fault;
            if (on != operation && (on != "*" || NO_CALLS.contains(&operation)))
                || !effect.goes_with(operation)
                || !may(effect)
                || !key.as_deref().is_none_or(&names)
            {
                continue;
            }
            standing.matched += 1;
            let due = match (nth, probability) {
                (Some(nth), _) => standing.matched >= *nth && standing.matched - nth < times.unwrap_or(1),
                (None, chance) => {
                    // Drawn for each call that matches, so that what hits one does not depend on other faults.
                    let drawn = chances.f64();
                    chance.is_none_or(|chance| drawn < chance)
                        && times.is_none_or(|times| standing.applied < times)
                }
            };
            if due && hit.is_none() {
                standing.applied += 1;
                let world = Arc::downgrade(&rules.alive);
                hit = Some(Hit { id: standing.id.clone(), effect: effect.clone(), copy: *copy, world });
            }
        }
        hit
    }
}

/// Whether a text contains a key as a separate word, not as a part of another.
pub(crate) fn stands_in(text: &[u8], key: &str) -> bool {
    let key = key.as_bytes();
    text.windows(key.len()).enumerate().any(|(start, window)| {
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        let after = text.get(start + key.len());
        window == key && ![before, after].into_iter().flatten().any(|byte| is_of_key(*byte))
    })
}

/// Whether a byte can be part of a key.
pub(super) fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn drop_reply() -> Fault {
        Fault::on("customers.get", Effect::DropReply)
    }

    /// Calls that are hit, out of ten, as digits: 1 for the first fault, 2 for the second, and so on.
    fn hits(faults: &[Fault]) -> String {
        let all = Faults::default();
        for fault in faults {
            fault.check().unwrap();
            all.set([0; 32], fault.clone(), None);
        }
        let call = || all.hit(&[0; 32], "customers.get", |_| true, |key| key == "cust_1");
        (0..10).map(|_| call().map_or('.', |hit| hit.id.chars().last().unwrap())).collect()
    }

    #[test]
    fn aims() {
        let every = Fault::on("*", Effect::DropReply);
        let elsewhere = Fault::on("customers.search", Effect::DropReply);
        let decline = Fault::on("*", Effect::Decline { result_code: "012".into() });
        let half = drop_reply().probability(0.5);
        let cases: &[(&[Fault], &str)] = &[
            (&[], ".........."),
            (&[drop_reply()], "1111111111"),
            (from_ref(&every), "1111111111"),
            (&[elsewhere], ".........."),
            (&[decline], ".........."),
            (&[drop_reply().key("cust_1")], "1111111111"),
            (&[drop_reply().key("cust_2")], ".........."),
            (&[drop_reply().nth(1)], "1........."),
            (&[drop_reply().nth(3)], "..1......."),
            (&[drop_reply().nth(11)], ".........."),
            (&[drop_reply().nth(3).times(4)], "..1111...."),
            (&[drop_reply().nth(9).times(u64::MAX)], "........11"),
            (&[drop_reply().times(2)], "11........"),
            (&[drop_reply().probability(0.0)], ".........."),
            (&[drop_reply().probability(1.0)], "1111111111"),
            (&[drop_reply().probability(1.0).times(3)], "111......."),
            (&[half.clone().seed(7)], ".1.111.111"),
            (&[half.clone().seed(8)], "111...11.."),
            (from_ref(&half), ".11111.1.."),
            (&[half.clone().seed(7).times(4)], ".1.111...."),
            // The oldest that is due hits, and the others count the call all the same.
            (&[drop_reply().nth(2), drop_reply().nth(2)], ".1........"),
            (&[drop_reply().nth(2), drop_reply().nth(3)], ".12......."),
            (&[drop_reply().times(2), every.clone()], "1122222222"),
            (&[drop_reply().nth(2), drop_reply().times(3)], "2122......"),
        ];
        for (faults, expected) in cases {
            assert_eq!(hits(faults), *expected, "{faults:?}");
        }
    }

    #[test]
    fn chances_are_those_that_were_requested() {
        let faults = Faults::default();
        faults.set([0; 32], drop_reply().probability(0.25).seed(1), None);
        for _ in 0..10_000 {
            faults.hit(&[0; 32], "customers.get", |_| true, |_| false);
        }
        let standing = &faults.standing(&[0; 32])[0];
        assert_eq!((standing.matched, standing.applied.abs_diff(2_500) < 150), (10_000, true));
    }

    #[test]
    fn worlds_do_not_mix_and_ids_start_again_when_all_is_forgotten() {
        let faults = Faults::default();
        let copy = StaleCopy { place: 5, now: Moment::first() };
        assert_eq!(faults.set([1; 32], drop_reply(), None), "fault-1");
        assert_eq!(faults.set([1; 32], drop_reply(), Some(copy)), "fault-2");
        assert_eq!(faults.set([2; 32], drop_reply(), None), "fault-1");
        assert_eq!(faults.clear(&[1; 32], |id| id == "fault-3"), (0, vec![]));
        assert_eq!(faults.clear(&[1; 32], |id| id == "fault-1"), (1, vec![]));
        assert_eq!(faults.clear(&[1; 32], |_| true), (1, vec![copy]));
        assert_eq!(faults.set([1; 32], drop_reply(), Some(copy)), "fault-3");
        assert_eq!(faults.forget(&[1; 32]), [copy]);
        assert_eq!(faults.set([1; 32], drop_reply(), None), "fault-1");
        assert_eq!(faults.standing(&[2; 32]).len(), 1);
    }

    #[test]
    fn keys_stand_by_themselves() {
        let cases = [
            (r#"{"customer-key":"cust_1"}"#, true),
            ("<customer-key>cust_1</customer-key>", true),
            ("cust_1", true),
            ("cust_12 cust_1", true),
            ("cust_12", false),
            ("a-cust_1", false),
            ("cust_1-a", false),
            ("cust_", false),
            ("", false),
        ];
        for (text, stands) in cases {
            assert_eq!(stands_in(text.as_bytes(), "cust_1"), stands, "{text}");
        }
    }
}
