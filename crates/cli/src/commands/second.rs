//! Warning before a plan is created that charges like another plan.

use std::io::{self, IsTerminal, Write};

use perennial::clearent::{NewPlan, Plan, PlanKey};

use crate::failure::Failure;

/// Refuses a second plan, unless somebody at a terminal confirms it.
pub(crate) fn refuse(plan: &NewPlan, equal: &[Plan]) -> Result<(), Failure> {
    let Some(first) = equal.first() else { return Ok(()) };
    let keys: Vec<&str> = equal.iter().take(3).map(|plan| PlanKey::as_str(&plan.plan_key)).collect();
    let more = if equal.len() > keys.len() { ", ..." } else { "" };
    let status = first.status.as_ref().map_or("active", |status| status.as_str());
    let message = format!(
        "a plan charges this customer {} on day {} with this token already: {}{more} ({status})",
        plan.fields().payment_amount,
        plan.day(),
        keys.join(", "),
    );
    if io::stdin().is_terminal() && io::stderr().is_terminal() && confirmed(&message)? {
        return Ok(());
    }
    Err(Failure::Second(format!("{message}; nothing was sent: to charge twice, add --allow-second")))
}

fn confirmed(message: &str) -> Result<bool, Failure> {
    let mut answer = String::new();
    write!(io::stderr(), "{message}\nCreate a second one? [y/N] ").map_err(Failure::System)?;
    io::stdin().read_line(&mut answer).map_err(Failure::System)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
