use std::fmt;

use chrono::NaiveDate;

use super::{Plan, PlanKey, PlanStatus};

/// A reason why a customer, a plan or a token cannot be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Obstacle {
    /// The customer has this many payment plans.
    Plans(u64),
    /// The customer or plan has this many payments.
    Payments(u64),
    /// The plan is active.
    ActivePlan,
    /// These plans can still charge the token.
    ChargedBy(Vec<PlanKey>),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: u64| if n == 1 { "" } else { "s" };
        match self {
            Self::Plans(n) => write!(f, "has {n} payment plan{}", plural(*n)),
            Self::Payments(n) => write!(f, "has {n} payment{}", plural(*n)),
            Self::ActivePlan => f.write_str("is active"),
            Self::ChargedBy(keys) => {
                let n = u64::try_from(keys.len()).unwrap_or(u64::MAX);
                let named: Vec<&str> = keys.iter().take(3).map(PlanKey::as_str).collect();
                let more = if keys.len() > named.len() { ", ..." } else { "" };
                write!(f, "is charged by {n} plan{} ({}{more})", plural(n), named.join(", "))
            }
        }
    }
}

/// The refusal to delete a customer, a plan or a token, with its reasons and an alternative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    object: Deletable,
    obstacles: Vec<Obstacle>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deletable {
    Customer,
    Plan,
    CanceledPlan,
    Token,
}

impl Refusal {
    /// All reasons for the refusal.
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    /// The alternative that the vendor's page names.
    pub fn alternative(&self) -> &'static str {
        match (self.object, self.obstacles.as_slice()) {
            (Deletable::Customer, _) => {
                "update the customer's status to inactive instead; it is archived after 24 months"
            }
            (Deletable::Plan, [Obstacle::ActivePlan]) => "cancel the plan first",
            (Deletable::Plan, _) => {
                "update the plan's status to canceled instead; it is archived after 24 months"
            }
            (Deletable::CanceledPlan, _) => "it stays canceled, and is archived after 24 months",
            (Deletable::Token, _) => "give the plan another token first, or cancel it",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.object {
            Deletable::Customer => "the customer cannot be deleted: it ",
            Deletable::Plan | Deletable::CanceledPlan => "the plan cannot be deleted: it ",
            Deletable::Token => "the token cannot be deleted: it ",
        })?;
        for (index, obstacle) in self.obstacles.iter().enumerate() {
            if index > 0 {
                f.write_str(" and ")?;
            }
            obstacle.fmt(f)?;
        }
        write!(f, "; {}", self.alternative())
    }
}

impl std::error::Error for Refusal {}

/// Checks that a customer can be deleted: it must have no plans and no payments.
///
/// ```
/// use perennial_domain::clearent::check_customer_deletion;
///
/// assert!(check_customer_deletion(0, 0).is_ok());
/// assert_eq!(
///     check_customer_deletion(1, 3).unwrap_err().to_string(),
///     "the customer cannot be deleted: it has 1 payment plan and has 3 payments; \
///      update the customer's status to inactive instead; it is archived after 24 months",
/// );
/// ```
pub fn check_customer_deletion(plans: u64, payments: u64) -> Result<(), Refusal> {
    let plans = (plans > 0).then_some(Obstacle::Plans(plans));
    let payments = (payments > 0).then_some(Obstacle::Payments(payments));
    refuse(Deletable::Customer, plans.into_iter().chain(payments).collect())
}

/// Checks that a plan can be deleted: it must not be active and must have no payments.
///
/// ```
/// use perennial_domain::clearent::{Obstacle, PlanStatus, check_plan_deletion};
///
/// assert!(check_plan_deletion(&PlanStatus::SUSPENDED, 0).is_ok());
/// let refusal = check_plan_deletion(&PlanStatus::ACTIVE, 2).unwrap_err();
/// assert_eq!(refusal.obstacles(), [Obstacle::ActivePlan, Obstacle::Payments(2)]);
/// ```
pub fn check_plan_deletion(status: &PlanStatus, payments: u64) -> Result<(), Refusal> {
    let active = (*status == PlanStatus::ACTIVE).then_some(Obstacle::ActivePlan);
    let payments = (payments > 0).then_some(Obstacle::Payments(payments));
    let plan = if *status == PlanStatus::CANCELED { Deletable::CanceledPlan } else { Deletable::Plan };
    refuse(plan, active.into_iter().chain(payments).collect())
}

/// Checks that a token can be deleted: none of `plans`, the plans of the token, may be able to charge on this day or
/// later; see [`Plan::can_charge`]. The vendor does not require this: after the deletion the plan continues, and each
/// of its charges is declined.
///
/// ```
/// use perennial_domain::clearent::check_token_deletion;
/// # use perennial_domain::clearent::{Plan, PlanStatus};
///
/// # let plan = |status| Plan {
/// #     plan_key: "plan_3f0f6d1c5f0e".parse().unwrap(), plan_name: None, plan_type: None, customer_key: None,
/// #     customer_name: None, token_id: None, frequency: None, frequency_day: None, frequency_month: None,
/// #     frequency_week: None, payment_amount: None, start_date: None, end_date: None, status: Some(status),
/// #     status_date: None, email_address: None, email_receipt: None, links: Vec::new(),
/// # };
/// let (active, canceled) = (plan(PlanStatus::ACTIVE), plan(PlanStatus::CANCELED));
/// assert!(check_token_deletion(&[canceled], None).is_ok());
/// assert_eq!(
///     check_token_deletion(&[active], None).unwrap_err().to_string(),
///     "the token cannot be deleted: it is charged by 1 plan (plan_3f0f6d1c5f0e); \
///      give the plan another token first, or cancel it",
/// );
/// ```
pub fn check_token_deletion(plans: &[Plan], today: Option<NaiveDate>) -> Result<(), Refusal> {
    let live = plans.iter().filter(|plan| plan.can_charge(today));
    let keys: Vec<PlanKey> = live.map(|plan| plan.plan_key.clone()).collect();
    let obstacles = if keys.is_empty() { Vec::new() } else { vec![Obstacle::ChargedBy(keys)] };
    refuse(Deletable::Token, obstacles)
}

fn refuse(object: Deletable, obstacles: Vec<Obstacle>) -> Result<(), Refusal> {
    if obstacles.is_empty() { Ok(()) } else { Err(Refusal { object, obstacles }) }
}
