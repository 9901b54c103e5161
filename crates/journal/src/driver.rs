//! The driver: claims an intent, runs the state machine on it, and carries out what it says. All rules are in
//! [`machine`](crate::machine); every result is stored before the next command.

use std::borrow::Cow;
use std::time::Duration;

use perennial::transport::SendBy;
use perennial_domain::mask;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::gateway::request::{Full, Prepared, Secrets, prepare};
use crate::gateway::{Gateway, NotIssued, SENTINEL_KEY};
use crate::machine::{
    ACTIVATION, Command, Decision, Event, History, How, Intent, Rules, State, Step, Write, step,
};
use crate::store::{CLOCK_APART, Change, Committed, NewDecision, NewEvent, Store, StoreError};
use crate::{Error, Moment, observe};

/// The duration of a claim: longer than the longest call.
pub(crate) const LEASE: Duration = Duration::from_secs(2 * 60);
/// The wait of an intent that may not be sent now.
const HELD: Duration = Duration::from_secs(5);
/// The time within which a spare plan is canceled: for as long as it takes.
const STOPPED_WITHIN: Duration = Duration::from_secs(3_650 * 24 * 3_600);
/// The most turns that one call takes.
const TURNS: u32 = 8;

/// Everything that is needed to work on the intents of a tenant.
#[derive(Clone, Copy)]
pub(crate) struct Driver<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) gateway: &'a dyn Gateway,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) rules: &'a Rules,
    pub(crate) tenant: &'a str,
}

/// The Crockford alphabet.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A random id: 26 characters of the Crockford alphabet.
pub fn new_uid() -> String {
    (0..26).map(|_| char::from(ALPHABET[fastrand::usize(..32)])).collect()
}

/// The mark of an operation key: 26 characters that say nothing about the key, and that the same key of the tenant has
/// again if its intent is lost with a database.
pub fn mark_of(tenant: &str, key: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(tenant);
    hash.update([0]);
    hash.update(key);
    let hash = hash.finalize();
    let character = |index: usize| {
        let bit = index * 5;
        let pair = u16::from(hash[bit / 8]) << 8 | u16::from(hash[bit / 8 + 1]);
        char::from(ALPHABET[usize::from(pair >> (11 - bit % 8) & 31)])
    };
    (0..26).map(character).collect()
}

impl Driver<'_> {
    /// Works on one intent until it has an outcome or must wait.
    pub(crate) async fn drive(
        &self,
        uid: &str,
        full: Option<&Full>,
        is_fresh: bool,
    ) -> Result<Intent, Error> {
        let mut is_fresh = is_fresh;
        for _ in 0..TURNS {
            let (send_by, now) = self.time().await?;
            let claimed = self.claim(Some(uid), now).await?;
            let Some(intent) = claimed else { break };
            let not_done = intent.history.not_done;
            let is_fresh_mark = is_fresh && !intent.write.is_looked_for_first();
            self.turn(intent, full, is_fresh_mark, send_by, now).await?;
            is_fresh = false;
            let intent = self.get(uid).await?;
            // A look found that it was not done, and here is its card.
            if intent.state == State::NeedsCard && full.is_some() && intent.history.not_done == not_done {
                continue;
            }
            // The turn took time, and what it left for now is due now.
            let now = self.store.now(self.clock.now()).await?;
            let is_due = intent.next.is_some_and(|next| next <= now);
            if !is_due || !matches!(intent.state, State::Planned | State::Unknown) {
                return Ok(intent);
            }
        }
        self.get(uid).await
    }

    /// Works on the intent that has waited longest; returns whether there was one.
    pub(crate) async fn work(&self) -> Result<bool, Error> {
        let (send_by, now) = self.time().await?;
        let Some(intent) = self.claim(None, now).await? else { return Ok(false) };
        self.turn(intent, None, false, send_by, now).await?;
        Ok(true)
    }

    async fn get(&self, uid: &str) -> Result<Intent, Error> {
        self.store.intent(uid).await?.ok_or_else(|| Error::NoIntent(uid.to_owned()))
    }

    /// The last moment to send what is decided now, and the time, which is read after it: a process that is suspended in
    /// between, or before its claim, finds that it is too late, and never sends after the moment that is stored.
    ///
    /// Nothing is sent, and no window ends, by a stored time that is far ahead of the clock.
    async fn time(&self) -> Result<(SendBy, Moment), StoreError> {
        let send_by = self.gateway.send_by(self.rules.send_within);
        let clock = self.clock.now();
        let stored = self.store.now(clock).await?;
        if stored.since(clock) > CLOCK_APART {
            return Err(StoreError::ClockBehind { place: self.store.place(), stored, clock });
        }
        Ok((send_by, stored))
    }

    /// Claims by the system's clock: a world's clock may stand still.
    async fn claim(&self, uid: Option<&str>, now: Moment) -> Result<Option<Intent>, StoreError> {
        let system = self.clock.system();
        self.store.claim(self.tenant, uid, now, system, system + LEASE).await
    }

    /// Takes a turn of a claimed intent.
    async fn turn(
        &self,
        intent: Intent,
        full: Option<&Full>,
        is_fresh: bool,
        send_by: SendBy,
        now: Moment,
    ) -> Result<(), Error> {
        let mut intent = intent;
        let (mut send_by, mut now) = (send_by, now);
        let mut event = Some(Event::Turn { is_fresh, has_card: full.is_some() });
        while let Some(current) = event.take() {
            // Another process may have measured a longer lag since the last look.
            let rules = match &current {
                Event::Looked(_) => {
                    Cow::Owned(self.rules.clone().with_worst_lag(self.store.worst_lag(self.tenant).await?))
                }
                _ => Cow::Borrowed(self.rules),
            };
            let mut stepped = step(&intent, current.clone(), now, &rules);
            if stepped.commands.contains(&Command::Send) && intent.history.request_id.is_none() {
                match self.gateway.request_id(&intent).await {
                    Ok(None) => {}
                    Ok(id) => {
                        // The id is committed with the attempt, before the first byte of the attempt leaves.
                        intent.history.request_id = id;
                        (send_by, now) = self.time().await?;
                        stepped = step(&intent, current, now, &rules);
                    }
                    Err(NotIssued { reason, wait, hold }) => {
                        let hold = hold.then(|| reason.clone());
                        return self.put_off(intent, reason, wait, hold, now).await;
                    }
                }
            }
            let (sends, looks) =
                (stepped.commands.contains(&Command::Send), stepped.commands.contains(&Command::Look));
            let mut change = Self::change(&intent, stepped, now, sends || looks);
            if sends {
                // The claim covers the whole call, however long the steps before it took.
                change.intent.lease_until = Some(self.clock.system() + LEASE);
            }
            match self.commit(intent.state, &change).await? {
                Committed::Yes => {}
                // The process was stopped for longer than its lease.
                Committed::Fenced => return Ok(()),
                refused @ (Committed::Busy | Committed::Held) => {
                    let reason = match refused {
                        Committed::Held => "the tenant is on hold, or waits",
                        _ => "another write to the object is open",
                    };
                    return self.put_off(intent, reason.to_owned(), HELD, None, now).await;
                }
                Committed::Unwanted => {
                    let reason = "its precondition does not hold any more".to_owned();
                    let stepped = step(&intent, Event::Withdraw { reason }, now, self.rules);
                    let change = Self::change(&intent, stepped, now, false);
                    self.commit(intent.state, &change).await?;
                    return Ok(());
                }
            }
            intent = change.intent;
            if sends {
                observe::sending(&intent);
                event = Some(Event::Answered(self.gateway.send(&intent, full, send_by).await));
            } else if looks {
                observe::looking(&intent);
                event = Some(Event::Looked(self.gateway.look(&intent).await));
            }
            // An answer is stored whatever the clock says by now.
            now = self.store.now(self.clock.now()).await?;
        }
        Ok(())
    }

    /// Leaves a planned intent for later.
    async fn put_off(
        &self,
        intent: Intent,
        reason: String,
        wait: Duration,
        hold: Option<String>,
        now: Moment,
    ) -> Result<(), Error> {
        let mut intent = intent;
        intent.lease_until = None;
        // An intent that waits for its card keeps the moment at which that ends.
        if intent.state != State::NeedsCard {
            intent.next = Some(now + wait);
        }
        intent.history.reason = Some(reason);
        let told = |reason: &String| event(&intent, "tenant.hold", json!({ "reason": reason }));
        let events = hold.iter().map(told).collect();
        let change = Change { follow: Vec::new(), events, decision: None, hold, lag: None, now, intent };
        self.commit(change.intent.state, &change).await?;
        Ok(())
    }

    /// Stores a change.
    async fn commit(&self, before: State, change: &Change) -> Result<Committed, StoreError> {
        let committed = self.store.commit(change).await?;
        observe::changed(before, change, committed);
        Ok(committed)
    }

    /// The change that stores a step.
    pub(crate) fn change(before: &Intent, stepped: Step, now: Moment, goes_on: bool) -> Change {
        let Step { mut intent, commands } = stepped;
        if !goes_on {
            intent.lease_until = None;
        }
        let (mut follow, mut hold, mut events, mut lag) = (Vec::new(), None, Vec::new(), None);
        for command in commands {
            match command {
                Command::Send | Command::Look => {}
                Command::Activate(id) => {
                    let key = intent.activation_key();
                    follow.extend(following(&intent, &key, &id, r#"{"status":"ACTIVE"}"#, now));
                }
                Command::CancelSpare(id) => {
                    let key = format!("{}/spare/{id}", intent.key);
                    follow.extend(following(&intent, &key, &id, r#"{"status":"CANCELED"}"#, now));
                    events.push(event(&intent, "intent.spare", json!({ "id": id })));
                }
                Command::Lag(worst) => lag = Some(worst),
                Command::Hold(reason) => {
                    events.push(event(&intent, "tenant.hold", json!({ "reason": reason })));
                    hold = Some(reason);
                }
            }
        }
        if intent.state != before.state && (intent.state.is_final() || is_with_people(intent.state)) {
            let outcome = intent.outcome.as_ref();
            let more = json!({ "id": outcome.and_then(|outcome| outcome.id.clone()), "reason": intent.history.reason });
            events.push(event(&intent, &format!("intent.{}", intent.state), more));
        }
        Change { intent, follow, events, decision: None, hold, lag, now }
    }

    /// Takes back what is not sent yet; anything else is left as it is.
    pub(crate) async fn withdraw(
        &self,
        uid: &str,
        reason: &str,
        decision: Option<NewDecision>,
    ) -> Result<Intent, Error> {
        let now = self.store.now(self.clock.now()).await?;
        if let Some(intent) = self.claim(Some(uid), now).await? {
            let stepped = step(&intent, Event::Withdraw { reason: reason.to_owned() }, now, self.rules);
            let change = Self::change(&intent, stepped, now, false);
            let decision = decision.filter(|_| change.intent.state == State::Withdrawn);
            self.commit(intent.state, &Change { decision, ..change }).await?;
        }
        self.get(uid).await
    }

    /// Applies the decision of a person.
    pub(crate) async fn decide(
        &self,
        uid: &str,
        decision: Decision,
        recorded: NewDecision,
    ) -> Result<Intent, Error> {
        let now = self.store.now(self.clock.now()).await?;
        let check = |intent: &Intent| {
            if !is_with_people(intent.state) && !intent.is_overdue(now, self.rules) {
                return Err(Error::NotToDecide { state: intent.state });
            }
            if decision == Decision::Resend && !intent.can_be_resent() {
                return Err(Error::NotToResend { intent: uid.to_owned() });
            }
            Ok(())
        };
        check(&self.get(uid).await?)?;
        // Under a claim: a caller with the card may be about to send it.
        let intent = self.claim(Some(uid), now).await?.ok_or(Error::InUse)?;
        if let Err(error) = check(&intent) {
            let released = Intent { lease_until: None, ..intent.clone() };
            let step = Step { intent: released, commands: Vec::new() };
            self.commit(intent.state, &Self::change(&intent, step, now, false)).await?;
            return Err(error);
        }
        let stepped = step(&intent, Event::Decide(decision), now, self.rules);
        let change = Change { decision: Some(recorded), ..Self::change(&intent, stepped, now, false) };
        match self.commit(intent.state, &change).await? {
            Committed::Yes => self.get(uid).await,
            _ => Err(Error::InUse),
        }
    }
}

fn is_with_people(state: State) -> bool {
    matches!(state, State::NeedsCard | State::NeedsPerson)
}

fn event(intent: &Intent, kind: &str, more: serde_json::Value) -> NewEvent {
    let mut body = json!({ "operation-key": intent.key, "operation": intent.write.name() });
    if let (Some(body), serde_json::Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    NewEvent { kind: kind.to_owned(), body: body.to_string() }
}

/// Fails with [`Error::InvalidKey`] if a text cannot be an operation key, which has 1 to 200 characters and no control
/// character. Every write checks its key; this is for programs that check it earlier.
///
/// ```
/// assert!(perennial_journal::check_key("invoice-1042/charge").is_ok());
/// assert!(perennial_journal::check_key("two\nlines").is_err());
/// ```
pub fn check_key(key: &str) -> Result<(), Error> {
    if mask::holds_card(key) {
        return Err(Error::CardAsKey);
    }
    let is_reserved = key.ends_with(ACTIVATION) || key.contains("/spare/") || key.starts_with(SENTINEL_KEY);
    if key.is_empty() || key.chars().count() > 200 || key.chars().any(char::is_control) || is_reserved {
        return Err(Error::InvalidKey);
    }
    Ok(())
}

/// A planned intent. An object that does not exist yet is named by the mark.
pub(crate) fn planned(
    tenant: &str,
    key: &str,
    write: Write,
    object: Option<String>,
    prepared: &Prepared,
    now: Moment,
) -> Intent {
    Intent {
        uid: new_uid(),
        tenant: tenant.to_owned(),
        key: key.to_owned(),
        write,
        object: object.unwrap_or_else(|| format!("new/{}", prepared.mark)),
        request: prepared.stored.clone(),
        fingerprint: prepared.fingerprint.clone(),
        mark: prepared.mark.clone(),
        is_stop: prepared.is_stop,
        needs_card: prepared.needs_card,
        activates: prepared.activates,
        precondition: None,
        send_before: now + write.sent_within(prepared.needs_card),
        state: State::Planned,
        fence: 0,
        lease_until: None,
        next: Some(now),
        history: History::default(),
        outcome: None,
        created: now,
    }
}

/// The update of a plan that follows from its creation.
fn following(of: &Intent, key: &str, plan: &str, request: &str, now: Moment) -> Option<Intent> {
    let object = format!("plans/{plan}");
    let mark = mark_of(&of.tenant, key);
    let prepared =
        prepare(Write::UpdatePlan, Some(&object), request.as_bytes(), Secrets::default(), &mark).ok()?;
    let intent = planned(&of.tenant, key, Write::UpdatePlan, Some(object), &prepared, now);
    Some(if prepared.is_stop {
        Intent { send_before: now + STOPPED_WITHIN, ..intent }
    } else {
        // The plan that a person found is activated although the time for its creation has passed.
        let is_decided = of.outcome.as_ref().is_some_and(|outcome| outcome.how == How::Decided);
        let send_before = if is_decided { of.send_before.max(intent.send_before) } else { of.send_before };
        Intent { precondition: of.precondition.clone(), send_before, ..intent }
    })
}
