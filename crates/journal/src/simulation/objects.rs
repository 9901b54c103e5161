//! The objects of a model of a gateway: the effects of writes on them, and what a look finds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::Moment;
use crate::machine::{Absence, Intent, Look, Object, Said, Seen, Verdict, Write};

/// The time for which the gateway keeps what it made.
const RETENTION: Duration = Duration::from_secs(90 * 24 * 3_600);
/// The status of a plan before anybody changes it.
const SUSPENDED: &str = r#"{"status":"SUSPENDED"}"#;

/// A request on its way.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Orders have numbers in the order in which they were sent.
    pub(super) number: u64,
    pub(super) attempt: usize,
    pub(super) write: Write,
    pub(super) mark: String,
    object: String,
    request: String,
    request_id: Option<String>,
    is_stop: bool,
    pub(super) is_declined: bool,
}

impl Order {
    pub(super) fn of(intent: &Intent, number: u64) -> Self {
        Self {
            number,
            attempt: intent.history.attempts.len(),
            write: intent.write,
            mark: intent.mark.clone(),
            object: intent.object.clone(),
            request: intent.request.clone(),
            request_id: intent.history.request_id.clone(),
            is_stop: intent.is_stop,
            is_declined: intent.request.contains("declined"),
        }
    }
}

/// The moments at which something that is made shows in reports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) landed: Moment,
    /// From when searches show it.
    pub(super) visible: Moment,
    /// Until when it is reported as pending.
    pub(super) decided: Moment,
}

/// Something that a write made.
#[derive(Debug, Clone)]
struct Made {
    id: String,
    write: Write,
    mark: String,
    request_id: Option<String>,
    of: String,
    is_declined: bool,
    shown: Shown,
}

/// An object that writes name.
#[derive(Debug, Clone, Default)]
struct Target {
    /// The last request that changed it.
    request: String,
    is_gone: bool,
    changed: u64,
    by_stop: bool,
}

/// All objects of the gateway, and what the journal believes of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    made: Vec<Made>,
    targets: BTreeMap<String, Target>,
    used_ids: BTreeSet<String>,
    /// The number of effects of each mark.
    effects: BTreeMap<String, u32>,
    /// All values that an object ever had.
    values: BTreeSet<(String, String)>,
    /// The attempts of each mark that were believed to be absent.
    absent: BTreeMap<String, usize>,
    /// The time at which the last request of each mark was sent.
    sent: BTreeMap<String, Moment>,
    /// Whether effects come later than any window.
    pub(super) is_late: bool,
    is_restored: bool,
    /// The promise that is broken.
    pub(super) broken: Option<String>,
}

/// Whether the write makes an object of its own.
pub(super) fn makes(write: Write) -> bool {
    use Write as W;
    matches!(
        write,
        W::CreateCustomer | W::CreateToken | W::CreatePlan | W::Sale | W::Auth | W::Capture | W::Refund
    ) || matches!(write, W::SettleBatch | W::Pay | W::RefundPayment | W::CreatePage | W::CreatePayer)
        || matches!(write, W::NewAccessId | W::NewCustomerAccessId)
}

/// Whether the write ends its object.
fn ends(write: Write) -> bool {
    use Write as W;
    matches!(write, W::DeleteCustomer | W::DeleteToken | W::DeletePlan | W::Void | W::DeletePayer)
}

/// Whether no read finds what the write made. After a restore, it may be made again.
fn is_unsearched(write: Write) -> bool {
    write.is_clientpay() && !write.moves_money()
}

fn known(id: &str) -> Object {
    Object { id: Some(id.to_owned()), value: None }
}

impl Objects {
    pub(super) fn new(is_late: bool) -> Self {
        Self { is_late, ..Self::default() }
    }

    fn target(&mut self, object: &str) -> &mut Target {
        if !self.targets.contains_key(object) {
            let request = if object.starts_with("plans/") { SUSPENDED } else { "" }.to_owned();
            self.values.insert((object.to_owned(), request.clone()));
            self.targets.insert(object.to_owned(), Target { request, ..Target::default() });
        }
        self.targets.entry(object.to_owned()).or_default()
    }

    /// Whether a stop changed the object: it waits for no other write, and no read shows any more what was there before.
    fn was_stopped(&self, object: &str) -> bool {
        self.targets.get(object).is_some_and(|target| target.by_stop)
    }

    fn break_promise(&mut self, why: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(why());
        }
    }

    /// The database was put back: the journal forgets what it believed, and may send again under the same mark.
    pub(super) fn restored(&mut self) {
        self.is_restored = true;
        self.absent.clear();
    }

    pub(super) fn sent(&mut self, mark: &str, now: Moment) {
        self.sent.insert(mark.to_owned(), now);
    }

    pub(super) fn has_effect(&self, mark: &str) -> bool {
        self.effects.contains_key(mark)
    }

    /// The journal believes that the attempts so far are not there.
    pub(super) fn believed_absent(&mut self, intent: &Intent, is_flying: bool) {
        let (mark, attempts) = (intent.mark.as_str(), intent.history.attempts.len());
        if self.is_late || self.is_restored || self.was_stopped(&intent.object) {
            return;
        }
        if self.has_effect(mark) {
            self.break_promise(|| "an absence was believed, and the gateway had done it".to_owned());
        } else if is_flying {
            self.break_promise(|| "an absence was believed, and the request was on its way".to_owned());
        }
        self.absent.insert(mark.to_owned(), attempts);
    }

    /// The journal believes that the gateway refused it.
    pub(super) fn believed_refused(&mut self, mark: &str) {
        let sent = self.sent.get(mark).copied();
        let was_there =
            |made: &&Made| made.mark == mark && sent.is_some_and(|sent| made.shown.visible <= sent);
        let is_known = |made: &&Made| !(made.is_declined || (self.is_restored && is_unsearched(made.write)));
        if let Some(made) = self.made.iter().find(|made| is_known(made) && was_there(made)) {
            let write = made.write;
            self.break_promise(|| {
                format!("a refusal of {write} was believed, and an earlier attempt was done")
            });
        }
    }

    /// Carries out a request.
    pub(super) fn apply(&mut self, order: &Order, shown: Shown) -> Said {
        let Order { write, mark, object, request_id, .. } = order;
        if let Some(id) = request_id
            && !self.used_ids.insert(id.clone())
        {
            return Said::Refused("the request id was used".to_owned());
        }
        let id = if makes(*write) {
            if *write == Write::CreateCustomer && self.made.iter().any(|made| made.mark == *mark) {
                return Said::Refused("the key is taken".to_owned());
            }
            let id = format!("o{}", self.made.len());
            self.made.push(Made {
                id: id.clone(),
                write: *write,
                mark: mark.clone(),
                request_id: request_id.clone(),
                of: object.clone(),
                is_declined: order.is_declined,
                shown,
            });
            if order.is_declined {
                return Said::Declined(known(&id));
            }
            if *write == Write::CreatePlan {
                self.target(&format!("plans/{id}"));
            }
            id
        } else {
            if let Err(refused) = self.change(order) {
                return Said::Refused(refused.to_owned());
            }
            object.split('/').nth(1).unwrap_or_default().to_owned()
        };
        self.count(order);
        Said::Done(known(&id))
    }

    /// Changes an object that exists.
    fn change(&mut self, order: &Order) -> Result<(), &'static str> {
        let Order { number, write, object, request, is_stop, .. } = order;
        let is_late = self.is_late;
        let target = self.target(object);
        if target.is_gone {
            return Err("there is no such object");
        }
        let is_canceled = |request: &str| request.contains("CANCELED");
        if is_canceled(&target.request) && !is_canceled(request) && !ends(*write) {
            return Err("the plan is canceled");
        }
        let is_stale = target.changed > *number && !target.by_stop && !is_stop;
        (target.changed, target.by_stop) = (target.changed.max(*number), *is_stop);
        if ends(*write) {
            target.is_gone = true;
        } else {
            target.request.clone_from(request);
            self.values.insert((object.clone(), request.clone()));
        }
        if is_stale && !is_late {
            self.break_promise(|| format!("{write} overwrote a later write"));
        }
        let is_active = |id: &str| {
            let target = self.targets.get(&format!("plans/{id}"));
            target.is_some_and(|target| target.request.contains("ACTIVE") && !target.is_gone)
        };
        let plan = object.strip_prefix("plans/").and_then(|id| self.made.iter().find(|made| made.id == id));
        let active = plan.map_or(0, |plan| {
            let of_mark = self.made.iter().filter(|made| made.mark == plan.mark);
            of_mark.filter(|made| is_active(&made.id)).count()
        });
        if active > 1 {
            self.break_promise(|| format!("{active} active plans of one intent"));
        }
        Ok(())
    }

    fn count(&mut self, order: &Order) {
        let Order { write, mark, attempt, .. } = order;
        let count = self.effects.entry(mark.clone()).or_default();
        *count += 1;
        let count = *count;
        // An expired page stays expired, and a new access id ends the one before it. After a restore, a page or payer may be made again, and a tip set again; and
        // what arrives after the quiet period is not known to the database.
        let is_harmless = self.is_late || !write.moves_money() || *write == Write::UpdateTransaction;
        let is_of_access =
            matches!(write, Write::NewAccessId | Write::NewCustomerAccessId | Write::ExpireAccessId);
        let is_spare = *write == Write::ExpirePage || is_of_access || (self.is_restored && is_harmless);
        if count > 1 && write.absence() == Absence::Person && !is_spare {
            self.break_promise(|| format!("{count} effects of {write}"));
        }
        if self.absent.get(mark).is_some_and(|absent| attempt <= absent) {
            self.break_promise(|| format!("{write} took effect after its absence was believed"));
        }
    }

    /// The objects that a look finds, the oldest first.
    pub(super) fn find(&mut self, intent: &Intent, now: Moment, is_blind: bool) -> Result<Vec<Seen>, Look> {
        use Write as W;
        let write = intent.write;
        if write.is_clientpay() && !matches!(write, W::Pay | W::RefundPayment) || write == W::SettleBatch {
            return Err(Look::Impossible("no read tells".to_owned()));
        }
        if makes(write) {
            return Ok(if is_blind { Vec::new() } else { self.find_made(intent, now) });
        }
        let target = self.target(&intent.object);
        let is_done =
            if ends(write) { target.is_gone } else { !target.is_gone && target.request == intent.request };
        let id = intent.object.split('/').nth(1).unwrap_or_default();
        let seen = is_done.then(|| Seen { object: known(id), verdict: Verdict::Done });
        Ok(seen.into_iter().collect())
    }

    fn find_made(&self, intent: &Intent, now: Moment) -> Vec<Seen> {
        let is_of_it = |made: &&Made| {
            let is_marked = made.mark == intent.mark
                || (made.request_id.is_some() && made.request_id == intent.history.request_id)
                || (intent.write == Write::Capture && made.of == intent.object);
            made.write == intent.write
                && is_marked
                && made.shown.visible <= now
                && now.since(made.shown.landed) < RETENTION
        };
        let status = |made: &Made| {
            let plan = self.targets.get(&format!("plans/{}", made.id));
            plan.map_or("", |plan| plan.request.as_str())
        };
        let is_canceled = |made: &&Made| status(made).contains("CANCELED");
        let mut found: Vec<&Made> = self.made.iter().filter(is_of_it).collect();
        if !found.iter().all(is_canceled) {
            found.retain(|made| !is_canceled(made));
        }
        if found.iter().any(|made| !made.is_declined) {
            found.retain(|made| !made.is_declined);
        }
        let verdict = |made: &Made| match status(made) {
            _ if made.is_declined => Verdict::Declined,
            _ if made.shown.decided > now => Verdict::Undecided,
            "" | SUSPENDED => Verdict::Done,
            active if active.contains("ACTIVE") && intent.activates && intent.history.restored.is_some() => {
                Verdict::Done
            }
            _ => Verdict::Differs("the status".to_owned()),
        };
        found.iter().map(|made| Seen { object: known(&made.id), verdict: verdict(made) }).collect()
    }

    /// The promise that the outcome of an intent breaks when nothing is on its way any more.
    pub(super) fn contradicts(&mut self, intent: &Intent) -> Option<&'static str> {
        use crate::machine::State;
        let Intent { write, mark, object, request, .. } = intent;
        let is_there = if makes(*write) {
            self.has_effect(mark)
                || (*write == Write::Capture && self.made.iter().any(|made| made.of == *object))
        } else if ends(*write) {
            self.target(object).is_gone
        } else {
            self.values.contains(&(object.clone(), request.clone()))
        };
        match intent.state {
            State::Done if !is_there => Some("done, and the gateway has nothing"),
            State::Refused | State::Withdrawn | State::Declined
                if self.has_effect(mark)
                    && !self.is_late
                    && !(self.is_restored && (!makes(*write) || is_unsearched(*write)))
                    && !self.was_stopped(object) =>
            {
                Some("not done, and the gateway did it")
            }
            _ => None,
        }
    }

    /// The object that has the mark.
    pub(super) fn of_mark(&self, mark: &str) -> Object {
        let made = self.made.iter().find(|made| made.mark == mark && !made.is_declined);
        made.map_or(Object { id: None, value: None }, |made| known(&made.id))
    }
}
