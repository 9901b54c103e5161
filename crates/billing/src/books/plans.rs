//! Plans: those that can charge, or could be made to, beside the terms of subscriptions.

use std::collections::{BTreeSet, HashSet};

use chrono::{Datelike as _, Months, NaiveDate};
use perennial::clearent::{CustomerKey, Frequency, Paging, Plan, PlanKey, PlanSearch, PlanStatus};
use perennial::{Amount, Reported};

use super::{Books, Difference, DifferenceClass, MARK, PAGE, READS};
use crate::Error;
use crate::billing::Billing;
use crate::calendar::dates_of_term;
use crate::life::Write;
use crate::model::{Status, Term, TermStatus};
use crate::store::books::StoredPlan;

/// The plans of one read.
#[derive(Default)]
struct Plans {
    read: u64,
    unclear: u64,
    /// The plans of terms that are not closed.
    seen: HashSet<PlanKey>,
    /// The plans that differ, to be read once more.
    differ: BTreeSet<PlanKey>,
}

impl Billing {
    /// Compares all plans that are active or suspended with the terms. A plan that differs is read once more, with its term,
    /// because a worker may have changed both meanwhile.
    pub(super) async fn compare_plans(&self, books: &mut Books, today: NaiveDate) -> Result<(), Error> {
        let mut plans = self.read_plans(today).await?;
        let mut after = String::new();
        loop {
            let block = self.store.live_plans_after(&after).await?;
            let Some((last, _)) = block.last() else { break };
            after.clone_from(last);
            let unseen = block.into_iter().filter_map(|(plan, _)| PlanKey::try_from(plan).ok());
            plans.differ.extend(unseen.filter(|plan| !plans.seen.contains(plan)));
        }
        books.plans = Some(plans.read);
        books.unclear += plans.unclear;
        for key in plans.differ {
            match self.north.client().plans().get(&key).await {
                Ok(plan) => books.differences.extend(self.differing(&[plan.into_value()], today).await?.1),
                Err(error) if error.is_not_found() => {
                    let stored = self.store.terms_of_plans([key.as_str()]).await?.remove(key.as_str());
                    let gone = stored.filter(|stored| is_made(stored.term.status));
                    books.differences.extend(gone.map(|stored| Difference {
                        detail: Some("the gateway no longer has the plan".to_owned()),
                        ..of_plan(
                            DifferenceClass::Gone,
                            &stored.subscription,
                            key.clone(),
                            stored.term.amount,
                        )
                    }));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn read_plans(&self, today: NaiveDate) -> Result<Plans, Error> {
        for _ in 0..READS {
            let mut plans = Plans::default();
            let active = self.read_plans_of(PlanStatus::ACTIVE, &mut plans, today).await?;
            if active && self.read_plans_of(PlanStatus::SUSPENDED, &mut plans, today).await? {
                return Ok(plans);
            }
        }
        Err(Error::ListChanged)
    }

    /// Reads the plans of a status; `false` if the list changed meanwhile.
    async fn read_plans_of(
        &self,
        status: PlanStatus,
        plans: &mut Plans,
        today: NaiveDate,
    ) -> Result<bool, Error> {
        let search = PlanSearch {
            status: Some(status),
            paging: Paging { page_size: Some(PAGE), ..Paging::default() },
            ..PlanSearch::default()
        };
        let mut pages = self.north.client().plans().search(&search).pages();
        while let Some(page) = pages.next_page().await {
            let mut of_page = Vec::new();
            for record in page?.each().into_value() {
                plans.read += 1;
                match record {
                    Ok(plan) => of_page.push(plan),
                    Err(_) => plans.unclear += 1,
                }
            }
            let (seen, differ) = self.differing(&of_page, today).await?;
            plans.seen.extend(seen);
            plans.differ.extend(differ.into_iter().filter_map(|difference| difference.plan));
        }
        Ok(!pages.changed())
    }

    /// The plans of terms that are not closed, and the differences of all.
    async fn differing(
        &self,
        plans: &[Plan],
        today: NaiveDate,
    ) -> Result<(Vec<PlanKey>, Vec<Difference>), Error> {
        let stored = self.store.terms_of_plans(plans.iter().map(|plan| plan.plan_key.as_str())).await?;
        let (mut seen, mut differences, mut strangers) = (Vec::new(), Vec::new(), Vec::new());
        for plan in plans {
            let Some(stored) = stored.get(plan.plan_key.as_str()) else {
                strangers.push(plan);
                continue;
            };
            if stored.term.status.is_live() {
                seen.push(plan.plan_key.clone());
            }
            let Some((class, detail)) = compared(stored, plan) else { continue };
            // The dates of a plan that billing made are exact; an adopted one may have begun earlier.
            let is_by_dates = class == DifferenceClass::PlanChanged
                && detail == PERIOD
                && charges_alike(&stored.term, plan);
            let key = Write::Create(stored.term.number).key(&stored.uid);
            if is_by_dates && !self.store.has_write(&key).await? {
                continue;
            }
            let amount = plan.payment_amount.unwrap_or(stored.term.amount);
            let found = of_plan(class, &stored.subscription, plan.plan_key.clone(), amount);
            differences.push(Difference { detail: (!detail.is_empty()).then_some(detail), ..found });
        }
        differences.extend(self.strange(&strangers, today).await?);
        Ok((seen, differences))
    }

    /// The differences of plans that no term has: a spare that billing made, or a twin that another made.
    async fn strange(&self, plans: &[&Plan], today: NaiveDate) -> Result<Vec<Difference>, Error> {
        let marks: Vec<_> = plans.iter().filter_map(|plan| mark_of(plan)).collect();
        let marked = self.store.marked(marks).await?;
        let customers = plans.iter().filter_map(|plan| plan.customer_key.as_ref()).map(CustomerKey::as_str);
        let terms = self.store.live_terms_of(customers.collect::<BTreeSet<_>>()).await?;
        let mut differences = Vec::new();
        for plan in plans {
            let of_customer = plan.customer_key.as_ref().and_then(|key| terms.get(key.as_str()));
            let is_active = plan.status == Some(PlanStatus::ACTIVE);
            let own = mark_of(plan).and_then(|mark| marked.get(mark));
            let own = own.and_then(|write| {
                Some((write, write.key.strip_prefix("subscriptions/")?.split_once("/terms/")?))
            });
            let (class, subscription) = if let Some((write, (uid, _))) = own {
                let subscription = self.store.id_of(uid).await?;
                let is_live = of_customer.is_some_and(|terms| {
                    terms.iter().any(|(id, term)| Some(id) == subscription.as_ref() && term.plan.is_some())
                });
                let is_coming = write.is_open
                    || of_customer.is_some_and(|terms| {
                        terms.iter().any(|(id, term)| {
                            Some(id) == subscription.as_ref() && term.status == TermStatus::Planned
                        })
                    });
                match (is_active, is_live) {
                    (false, _) if is_coming => continue,
                    (false, _) => (DifferenceClass::DormantSpare, subscription),
                    (true, true) => (DifferenceClass::TwinPlan, subscription),
                    (true, false) => (DifferenceClass::OrphanPlan, subscription),
                }
            } else {
                // It may have been made elsewhere. A plan that is over charges nothing.
                let is_over = plan.end_date.is_some_and(|end| end.naive() < today);
                let day = plan.frequency_day.as_ref().and_then(Reported::value);
                let is_equal = |term: &Term| {
                    plan.payment_amount == Some(term.amount)
                        && day.is_some_and(|day| day.get() == term.first.day())
                };
                let twin = of_customer.into_iter().flatten().find(|(_, term)| is_equal(term));
                match twin {
                    Some((id, _)) if is_active && !is_over => (DifferenceClass::TwinPlan, Some(id.clone())),
                    _ => continue,
                }
            };
            let amount = plan.payment_amount.unwrap_or(Amount::ZERO);
            let difference = Difference::new(class, amount);
            differences.push(Difference { subscription, plan: Some(plan.plan_key.clone()), ..difference });
        }
        Ok(differences)
    }
}

/// The detail of a plan with other dates.
const PERIOD: &str = "its period is another";

/// The difference between a term and its plan, with its detail.
fn compared(stored: &StoredPlan, plan: &Plan) -> Option<(DifferenceClass, String)> {
    use DifferenceClass::{DormantSpare, OrphanPlan, PlanChanged, TokenChanged, TwinPlan};
    let StoredPlan { term, has_other, status, .. } = stored;
    let changed = |detail: String| Some((PlanChanged, detail));
    let reported = plan.status.as_ref()?;
    let (is_active, is_suspended) = (*reported == PlanStatus::ACTIVE, *reported == PlanStatus::SUSPENDED);
    match term.status {
        TermStatus::Closed if is_active && *has_other => return Some((TwinPlan, String::new())),
        TermStatus::Closed if is_active => {
            let detail =
                if *status == Status::Ended { "the subscription is over" } else { "its term is closed" };
            return Some((OrphanPlan, detail.to_owned()));
        }
        TermStatus::Closed if is_suspended => return Some((DormantSpare, String::new())),
        // Its plan may be in any state, and nothing else of it matters any more.
        TermStatus::Closed | TermStatus::Closing | TermStatus::Planned => return None,
        TermStatus::Active if !is_active => return changed(format!("it is {reported}")),
        TermStatus::Suspended if !is_suspended => return changed(format!("it is {reported}")),
        TermStatus::Activating if !is_active && !is_suspended => return changed(format!("it is {reported}")),
        TermStatus::Active | TermStatus::Suspended | TermStatus::Activating => {}
    }
    if plan.token_id.as_ref().is_some_and(|token| *token != term.token) {
        return Some((TokenChanged, String::new()));
    }
    if plan.customer_key.as_ref().is_some_and(|customer| *customer != stored.customer) {
        return changed("its customer is another".to_owned());
    }
    if let Some(amount) = plan.payment_amount.filter(|amount| *amount != term.amount) {
        return changed(format!("it charges {amount}, and its term {}", term.amount));
    }
    let is_monthly = plan.frequency.as_ref().is_none_or(|frequency| *frequency == Frequency::MONTHLY)
        && plan.frequency_month.as_ref().is_none_or(|months| months.value().is_none_or(|months| months == 1));
    if !is_monthly {
        return changed("it is not monthly".to_owned());
    }
    if let Some(day) = plan.frequency_day.as_ref()
        && day.value().is_none_or(|day| day.get() != term.first.day())
    {
        return changed(format!("it charges on day {day}"));
    }
    // Other software chose the period of a plan that was adopted.
    if term.adopted.is_some() {
        return None;
    }
    let dates = dates_of_term(&(term.first..=term.last))?;
    let is_period = plan.start_date.is_none_or(|start| start.naive() == *dates.start())
        && plan.end_date.is_none_or(|end| end.naive() == *dates.end());
    if is_period { None } else { changed(PERIOD.to_owned()) }
}

/// Whether the plan charges on all due days of the term, and on none after them.
fn charges_alike(term: &Term, plan: &Plan) -> bool {
    let next = term.last.checked_add_months(Months::new(1));
    plan.start_date.is_none_or(|start| start.naive() <= term.first)
        && plan
            .end_date
            .is_none_or(|end| end.naive() >= term.last && next.is_none_or(|next| end.naive() < next))
}

/// Whether the gateway must have the plan of a term.
fn is_made(status: TermStatus) -> bool {
    matches!(status, TermStatus::Suspended | TermStatus::Activating | TermStatus::Active)
}

/// The mark in the name of a plan, if it begins with one.
fn mark_of(plan: &Plan) -> Option<&str> {
    let name = plan.plan_name.as_deref()?;
    name.split(' ').next().filter(|word| word.len() == MARK)
}

fn of_plan(class: DifferenceClass, subscription: &str, plan: PlanKey, amount: Amount) -> Difference {
    let subscription = Some(subscription.to_owned());
    Difference { subscription, plan: Some(plan), ..Difference::new(class, amount) }
}
