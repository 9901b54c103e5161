//! Due days by hand: a person collects, waives, claims, refunds or disputes.

use chrono::NaiveDate;
use perennial::Amount;
use perennial::clearent::{Refund, Transaction, TransactionId, TransactionType, Verdict};
use perennial_journal::machine::{Intent, State};
use perennial_journal::{By, Settled};
use serde_json::json;

use crate::Error;
use crate::billing::{Billing, day_of, event_of_day};
use crate::model::{Charge, Claim, DayState, DueDay, Member, Route, Status};
use crate::once::Once;
use crate::reading::made_on;
use crate::store::{Change, Which};

/// A decision about a due day.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DayDecision {
    /// A sale of what is not paid follows, as soon as no plan can charge the day.
    Collect,
    /// The merchant does without what is not paid.
    Waive,
    /// This transaction paid it, or refunded what paid it.
    Claim(TransactionId),
    /// The member's bank took back the payment. Nothing is changed at the gateway.
    Dispute,
}

impl DayDecision {
    /// The word under which it is kept.
    const fn word(&self) -> &'static str {
        match self {
            Self::Collect => "collected",
            Self::Waive => "waived",
            Self::Claim(_) => "claimed",
            Self::Dispute => "disputed",
        }
    }

    fn transaction(&self) -> Option<&str> {
        match self {
            Self::Claim(transaction) => Some(transaction.as_str()),
            Self::Collect | Self::Waive | Self::Dispute => None,
        }
    }
}

/// A refund of a charge of a due day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayRefund {
    /// The charge; needed if the day has more than one that is not refunded.
    pub transaction: Option<TransactionId>,
    /// The amount; `None` is all that is left of the charge.
    pub amount: Option<Amount>,
}

impl Member {
    /// The due day, which has no open sale.
    fn day_by_hand(&mut self, day: NaiveDate) -> Result<&mut DueDay, Error> {
        let id = &self.subscription.id;
        let due = self.days.get_mut(&day).ok_or_else(|| Error::NoDueDay { id: id.clone(), day })?;
        if due.was.is_some() {
            return Err(Error::SaleOpen { id: id.clone(), day });
        }
        Ok(due)
    }

    /// Lets a sale of a due day follow.
    pub(crate) fn collect(&mut self, day: NaiveDate, today: NaiveDate) -> Result<(), Error> {
        let subscription = &self.subscription;
        if subscription.status == Status::Ended
            || subscription.is_stopped(today) && !subscription.collects_open
        {
            return Err(Error::IsOver(subscription.id.clone()));
        }
        if subscription.is_shadow {
            return Err(Error::InShadow(subscription.id.clone()));
        }
        if self.days.get(&day).is_some_and(|due| due.state == DayState::Collecting) {
            return Ok(());
        }
        let due = self.day_by_hand(day)?;
        if matches!(due.state, DayState::Expected | DayState::Paid | DayState::Recovered) || day > today {
            return Err(Error::DayState { day, state: due.state, decision: "collected" });
        }
        due.state = match due.state {
            _ if !due.paid.is_zero() => DayState::Part,
            _ if due.code.is_some() => DayState::Declined,
            _ => DayState::Missing,
        };
        // It is collected with the amount that was due then.
        (due.next_try, due.reason) = (Some(today), None);
        Ok(())
    }

    /// Does without what is not paid of a due day.
    pub(crate) fn waive(&mut self, day: NaiveDate, today: NaiveDate) -> Result<(), Error> {
        let due = self.day_by_hand(day)?;
        let is_of_plan = due.state == DayState::Expected && due.route == Route::Plan;
        if matches!(due.state, DayState::Paid | DayState::Recovered) || is_of_plan || day > today {
            return Err(Error::DayState { day, state: due.state, decision: "waived" });
        }
        (due.state, due.next_try) = (DayState::Waived, None);
        Ok(())
    }

    /// Takes over a transaction that paid a due day.
    fn claim(&mut self, day: NaiveDate, charge: &Charge) -> Result<&'static str, Error> {
        let due = self.day_by_hand(day)?;
        let is_of_plan = due.state == DayState::Expected && due.route == Route::Plan;
        if due.is_paid_in_full() && charge.claim != Claim::Surplus || is_of_plan {
            return Err(Error::DayState { day, state: due.state, decision: "claimed" });
        }
        let is_late = due.state != DayState::Expected;
        Ok(due.is_paid_by(charge, is_late))
    }
}

impl Billing {
    /// Decides about a due day. The same decision again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NoDueDay`]; [`Error::DayState`] if the day is in a state of which it cannot be said; [`Error::SaleOpen`];
    /// [`Error::IsOver`] if the subscription collects nothing more; [`Error::NoClaim`] for a transaction that did not pay
    /// it.
    pub async fn decide_day(
        &self,
        id: &str,
        day: NaiveDate,
        decision: &DayDecision,
        by: By,
    ) -> Result<Member, Error> {
        let words = json!(["day", id, day.to_string(), decision.word(), decision.transaction()]);
        let Once::New(key) = self.is_new(words).await? else { return self.with_day(id, day).await };
        let now = self.journal.now().await?;
        let (before, mut after, mut stored) = self.decided_day(id, day, decision, day_of(now)).await?;
        if after == before && stored.charges.is_empty() && key.is_none() {
            return Ok(before);
        }
        stored.key = key;
        if let (DayDecision::Waive, Some(due)) = (decision, after.days.get_mut(&day)) {
            due.reason = Some(by.reason.clone());
        }
        // What follows is planned at once; nothing follows an end.
        after.subscription.next = before.subscription.next.map(|_| now);
        let what = format!("{} {day}", decision.word());
        stored.decision = Some(by.decided(what)?);
        if !self.store.save(&before, &after, stored, now).await? {
            return Err(Error::Changed(id.to_owned()));
        }
        self.with_day(id, day).await
    }

    /// Returns the due day as it would be after a decision. Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of [`decide_day`](Self::decide_day).
    pub async fn preview_day(
        &self,
        id: &str,
        day: NaiveDate,
        decision: &DayDecision,
    ) -> Result<DueDay, Error> {
        let (_, after, _) = self.decided_day(id, day, decision, self.today().await?).await?;
        after.days.get(&day).cloned().ok_or_else(|| Error::NoDueDay { id: id.to_owned(), day })
    }

    /// Returns a due day and its charges.
    pub async fn due_day(&self, id: &str, day: NaiveDate) -> Result<(DueDay, Vec<Charge>), Error> {
        let member = self.with_day(id, day).await?;
        let mut charges = self.store.charges(&member.subscription.uid).await?;
        charges.retain(|charge| charge.day == day);
        let due = member.days.get(&day).cloned();
        Ok((due.ok_or_else(|| Error::NoDueDay { id: id.to_owned(), day })?, charges))
    }

    /// The subscription before and after a decision about a due day, and what is stored with it.
    async fn decided_day(
        &self,
        id: &str,
        day: NaiveDate,
        decision: &DayDecision,
        today: NaiveDate,
    ) -> Result<(Member, Member, Change), Error> {
        let before = self.with_day(id, day).await?;
        let mut after = before.clone();
        let mut stored = Change::default();
        let kind = match decision {
            DayDecision::Collect => {
                after.collect(day, today)?;
                "charge.collecting"
            }
            DayDecision::Waive => {
                after.waive(day, today)?;
                "charge.waived"
            }
            DayDecision::Claim(transaction) => {
                let known = self.store.charge(transaction.as_str()).await?;
                let is_of_day = |(of, charge): &(String, Charge)| of == id && charge.day == day;
                let is_paid = before.days.get(&day).is_some_and(DueDay::is_paid_in_full);
                let is_same = |known: &(String, Charge)| {
                    is_of_day(known) && (is_paid || known.1.claim != Claim::Surplus)
                };
                if known.as_ref().is_some_and(is_same) {
                    return Ok((before.clone(), before, stored));
                }
                let charge = self.claimed(&before, day, transaction, known).await?;
                let is_refund = charge.claim == Claim::Undoes;
                let kind = if is_refund { "charge.refunded" } else { after.claim(day, &charge)? };
                stored.charges.push(charge);
                kind
            }
            DayDecision::Dispute => {
                let charge = self.charge_of(&before, day, None).await?;
                let charge = charge.ok_or(Error::NothingToRefund(day))?;
                let id = format!("dispute:{}", charge.id.as_str());
                let id = id.try_into().map_err(|_| Error::NothingToRefund(day))?;
                let undoes =
                    Charge { id, made: today, claim: Claim::Undoes, of: Some(charge.id.clone()), ..charge };
                stored.charges.push(undoes);
                "charge.disputed"
            }
        };
        after.count_charges(today);
        stored.events.push(event_of_day(kind, &after, day, stored.charges.last()));
        Ok((before, after, stored))
    }

    /// Refunds a charge of a due day, in whole or in part. The day stays paid: refunds are a sum of their own in the books.
    ///
    /// The same call again, before the outcome of the first one is known, is the same refund. Under an
    /// [operation key](Self::once), it is the same refund at any time.
    ///
    /// # Errors
    ///
    /// [`Error::NoDueDay`]; [`Error::NothingToRefund`]; [`Error::WhichCharge`] if the day has several charges;
    /// [`Error::RefundAbove`] if less is left of the charge.
    pub async fn refund(
        &self,
        id: &str,
        day: NaiveDate,
        refund: &DayRefund,
        by: By,
    ) -> Result<Settled<Transaction>, Error> {
        by.check()?;
        let member = self.with_day(id, day).await?;
        let (key, charge) = if let Some(known) = self.known_refund(&member, day, refund).await? {
            known
        } else {
            let charge = self.refunded_charge(&member, day, refund).await?;
            (self.key_of_refund(&member, &charge).await?, charge)
        };
        let amount = charge.amount;
        let of = charge.of.clone().unwrap_or_else(|| charge.id.clone());
        let request = Refund::builder().id(&of).amount(amount).build().map_err(perennial::Error::from)?;
        let settled = self.north.transactions().refund(&key, &request).await?;
        if let Settled::Done { value, .. } = &settled {
            let id = match value.as_ref().and_then(|refunded| refunded.id.clone()) {
                Some(id) => id,
                None => id_of_refund(&self.journal.intent(Some(self.north.tenant()), &key).await?, day)?,
            };
            self.is_refunded(&member, &Charge { id, amount, ..charge }, by).await?;
        }
        Ok(settled)
    }

    /// The refund that was planned before under the caller's operation key: its amount, and the charge.
    async fn known_refund(
        &self,
        member: &Member,
        day: NaiveDate,
        refund: &DayRefund,
    ) -> Result<Option<(String, Charge)>, Error> {
        let Some(key) = &self.key else { return Ok(None) };
        let intent = match self.journal.intent(Some(self.north.tenant()), key).await {
            Ok(intent) => intent,
            Err(perennial_journal::Error::NoIntent(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let request: serde_json::Value = serde_json::from_str(&intent.request).unwrap_or_default();
        let of = request["id"].as_str().and_then(|id| TransactionId::try_from(id).ok());
        let amount = request["amount"].as_str().and_then(|amount| amount.parse::<Amount>().ok());
        let charges = self.store.charges(&member.subscription.uid).await?;
        let charge = charges.into_iter().find(|charge| charge.day == day && Some(&charge.id) == of.as_ref());
        let is_same = refund.amount.is_none_or(|asked| Some(asked) == amount)
            && refund.transaction.as_ref().is_none_or(|asked| Some(asked) == of.as_ref());
        match (charge, amount) {
            (Some(charge), Some(amount)) if is_same => {
                Ok(Some((key.clone(), Charge { amount, of, ..charge })))
            }
            _ => Err(Error::KeyUsed(key.clone())),
        }
    }

    /// Returns the charge that a refund would give back, with the amount of the refund. Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of [`refund`](Self::refund) that need no gateway.
    pub async fn preview_refund(
        &self,
        id: &str,
        day: NaiveDate,
        refund: &DayRefund,
    ) -> Result<Charge, Error> {
        self.refunded_charge(&self.with_day(id, day).await?, day, refund).await
    }

    async fn refunded_charge(
        &self,
        member: &Member,
        day: NaiveDate,
        refund: &DayRefund,
    ) -> Result<Charge, Error> {
        if member.subscription.is_shadow {
            return Err(Error::InShadow(member.subscription.id.clone()));
        }
        let found = self.charge_of(member, day, refund.transaction.as_ref()).await?;
        let charge = found.ok_or(Error::NothingToRefund(day))?;
        let amount = refund.amount.unwrap_or(charge.amount);
        if amount.is_zero() {
            return Err(Error::NoAmount);
        }
        if amount > charge.amount {
            return Err(Error::RefundAbove { left: charge.amount });
        }
        Ok(Charge { amount, ..charge })
    }

    /// The operation key of the next refund of a charge: one that was tried in vain has its own.
    async fn key_of_refund(&self, member: &Member, charge: &Charge) -> Result<String, Error> {
        if let Some(key) = &self.key {
            return Ok(key.clone());
        }
        let (uid, day) = (&member.subscription.uid, charge.day);
        for number in 0.. {
            let key = format!("subscriptions/{uid}/days/{day}/refunds/{}/{number}", charge.id.as_str());
            let intent = match self.journal.intent(Some(self.north.tenant()), &key).await {
                Ok(intent) => intent,
                Err(perennial_journal::Error::NoIntent(_)) => return Ok(key),
                Err(error) => return Err(error.into()),
            };
            // One that is made and not stored here is stored by the same call again.
            let is_over = match intent.state {
                State::Done => self.store.knows_charge(id_of_refund(&intent, day)?.as_str()).await?,
                state => state.is_final(),
            };
            if !is_over {
                return Ok(key);
            }
        }
        Err(Error::NothingToRefund(day))
    }

    /// Stores a refund that the gateway made.
    async fn is_refunded(&self, member: &Member, refund: &Charge, by: By) -> Result<(), Error> {
        loop {
            let now = self.journal.now().await?;
            let found = self.store.subscriptions(Which::Uid(&member.subscription.uid), 1).await?.pop();
            let subscription = found.ok_or_else(|| Error::NoSubscription(member.subscription.id.clone()))?;
            if self.store.knows_charge(refund.id.as_str()).await? {
                return Ok(());
            }
            let member = self.store.member(subscription).await?;
            let undoes = Charge { made: day_of(now), claim: Claim::Undoes, ..refund.clone() };
            let what = format!("refunded {}", refund.day);
            let stored = Change {
                events: vec![event_of_day("charge.refunded", &member, refund.day, Some(&undoes))],
                charges: vec![undoes],
                decision: Some(by.clone().decided(what)?),
                ..Change::default()
            };
            if self.store.save(&member, &member, stored, now).await? {
                return Ok(());
            }
        }
    }

    /// The newest subscription with this id that has the due day.
    async fn with_day(&self, id: &str, day: NaiveDate) -> Result<Member, Error> {
        let found = self.store.subscriptions(Which::Id(id), u32::MAX).await?;
        if found.is_empty() {
            return Err(Error::NoSubscription(id.to_owned()));
        }
        for subscription in found {
            let member = self.store.member(subscription).await?;
            if member.days.contains_key(&day) {
                return Ok(member);
            }
        }
        Err(Error::NoDueDay { id: id.to_owned(), day })
    }

    /// The charge of a due day that can be undone, with what is left of it as its amount and as what undoes it.
    async fn charge_of(
        &self,
        member: &Member,
        day: NaiveDate,
        transaction: Option<&TransactionId>,
    ) -> Result<Option<Charge>, Error> {
        let charges = self.store.charges(&member.subscription.uid).await?;
        let of_day: Vec<_> = charges.iter().filter(|charge| charge.day == day).collect();
        let mut open = Vec::new();
        for charge in &of_day {
            let is_other = transaction.is_some_and(|transaction| *transaction != charge.id);
            if is_other || matches!(charge.claim, Claim::Declined | Claim::Undoes) {
                continue;
            }
            let mut left = charge.amount;
            for other in of_day.iter().filter(|other| other.of.as_ref() == Some(&charge.id)) {
                left = left.checked_sub(other.amount).unwrap_or(Amount::ZERO);
            }
            if !left.is_zero() {
                open.push(Charge { amount: left, of: Some(charge.id.clone()), ..(*charge).clone() });
            }
        }
        if open.len() > 1 {
            return Err(Error::WhichCharge(day));
        }
        Ok(open.pop())
    }

    /// The charge that a person says paid a due day.
    async fn claimed(
        &self,
        member: &Member,
        day: NaiveDate,
        transaction: &TransactionId,
        known: Option<(String, Charge)>,
    ) -> Result<Charge, Error> {
        let no = |why: &'static str| Error::NoClaim { transaction: transaction.clone(), why };
        if known.is_some_and(|(_, charge)| charge.claim != Claim::Surplus) {
            return Err(no("another due day has it already"));
        }
        let read = self.north.client().transactions().get(transaction).await?;
        let made = made_on(&read);
        let (Some(amount), Some(made)) = (read.amount, made) else {
            return Err(no("the gateway does not say its amount and its day"));
        };
        // A refund that was made elsewhere is one of the day's charge.
        if read.transaction_type == Some(TransactionType::REFUND) && read.verdict() == Verdict::Approved {
            let charges = self.store.charges(&member.subscription.uid).await?;
            let is_of = |charge: &&Charge| charge.day == day && Some(&charge.id) == read.ref_id.as_ref();
            let of =
                charges.iter().find(is_of).ok_or_else(|| no("it is no refund of a charge of this day"))?;
            let (id, of) = (transaction.clone(), Some(of.id.clone()));
            return Ok(Charge { id, day, made, amount, claim: Claim::Undoes, of });
        }
        if read.transaction_type != Some(TransactionType::SALE) || read.verdict() != Verdict::Approved {
            return Err(no("it is no approved sale, and no refund"));
        }
        if read.voided == Some(true) {
            return Err(no("it is voided"));
        }
        if read.customer_id.as_deref().is_some_and(|of| of != member.subscription.customer.as_str()) {
            return Err(no("it is of another customer"));
        }
        let due = member.days.get(&day).ok_or_else(|| no("there is no such due day"))?;
        let claim = match amount >= due.rest() {
            _ if due.is_paid_in_full() => Claim::Surplus,
            _ if !due.paid.is_zero() => Claim::Rest,
            true => Claim::Pays,
            false => Claim::Part,
        };
        Ok(Charge { id: transaction.clone(), day, made, amount, claim, of: None })
    }
}

/// The id under which a refund is stored. A person who decides that it was made may not know its own.
fn id_of_refund(intent: &Intent, day: NaiveDate) -> Result<TransactionId, Error> {
    let own = intent.outcome.as_ref().and_then(|outcome| outcome.id.clone());
    let id = own.unwrap_or_else(|| format!("refund:{}", intent.uid));
    id.try_into().map_err(|_| Error::NothingToRefund(day))
}
