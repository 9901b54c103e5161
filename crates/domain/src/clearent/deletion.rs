use std::fmt;

use super::PlanStatus;

/// What stands in the way of deleting a customer or a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Obstacle {
    /// The customer has this many payment plans.
    Plans(u64),
    /// The customer or plan has this many payments.
    Payments(u64),
    /// The plan is active.
    ActivePlan,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: u64| if n == 1 { "" } else { "s" };
        match self {
            Self::Plans(n) => write!(f, "has {n} payment plan{}", plural(*n)),
            Self::Payments(n) => write!(f, "has {n} payment{}", plural(*n)),
            Self::ActivePlan => f.write_str("is active"),
        }
    }
}

/// Why a customer or a plan cannot be deleted, and what can be done instead.
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
}

impl Refusal {
    /// All that stands in the way.
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    /// What the vendor's page names instead.
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
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.object {
            Deletable::Customer => "the customer cannot be deleted: it ",
            Deletable::Plan | Deletable::CanceledPlan => "the plan cannot be deleted: it ",
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

/// A customer can be deleted only without plans and payments.
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

/// A plan can be deleted only when it is not active and has no payments.
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

fn refuse(object: Deletable, obstacles: Vec<Obstacle>) -> Result<(), Refusal> {
    if obstacles.is_empty() { Ok(()) } else { Err(Refusal { object, obstacles }) }
}
