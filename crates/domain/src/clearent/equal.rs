//! Equal plans: two plans that charge the same customer, token and amount on the same day.

use chrono::NaiveDate;

use super::{NewPlan, NewPlanFields, Plan, PlanStatus};
use crate::Reported;

impl Plan {
    /// Whether the plan can charge on this day or later: it is not canceled, and its term is not over. If the gateway
    /// omits the status or the end, or if the day is not known, the answer is `true`.
    pub fn can_charge(&self, today: Option<NaiveDate>) -> bool {
        let is_over = self.end_date.zip(today).is_some_and(|(end, today)| end.naive() < today);
        self.status != Some(PlanStatus::CANCELED) && !is_over
    }
}

impl NewPlan {
    /// Whether the other plan can charge the same customer, token and amount on a day of this plan: with both plans,
    /// the customer is charged twice. A plan that ends before this one starts is not equal. A member that the gateway
    /// omits counts as equal.
    ///
    /// ```
    /// use perennial_domain::clearent::{Frequency, NewPlan, Plan, PlanStatus};
    ///
    /// let new = |start: &str| {
    ///     NewPlan::builder()
    ///         .plan_name("Gold membership")
    ///         .customer_key("cust_5a1d7c1e8a0f")
    ///         .token_id("1100000000555551111")
    ///         .monthly_on(15)
    ///         .payment_amount("50.00")
    ///         .starting(start)
    ///         .charges(12)
    ///         .status(PlanStatus::ACTIVE)
    ///         .build()
    ///         .unwrap()
    /// };
    /// # let field = new("2027-01-15");
    /// # let field = field.fields();
    /// # let plan = Plan {
    /// #     plan_key: "plan_3f0f6d1c5f0e".parse().unwrap(), plan_name: None, plan_type: None,
    /// #     customer_key: Some(field.customer_key.clone()), customer_name: None,
    /// #     token_id: Some(field.token_id.clone()), frequency: Some(Frequency::MONTHLY),
    /// #     frequency_day: field.frequency_day.copied().map(Into::into), frequency_month: None, frequency_week: None,
    /// #     payment_amount: Some(*field.payment_amount), start_date: Some(*field.start_date),
    /// #     end_date: Some(*field.end_date), status: Some(PlanStatus::ACTIVE), status_date: None,
    /// #     email_address: None, email_receipt: None, links: Vec::new(),
    /// # };
    /// // `plan` is the first of these, as the gateway reports it.
    /// assert!(new("2027-01-15").repeats(&plan));
    /// assert!(new("2027-12-15").repeats(&plan));
    /// assert!(!new("2028-01-15").repeats(&plan));
    /// ```
    pub fn repeats(&self, plan: &Plan) -> bool {
        let NewPlanFields { customer_key, token_id, payment_amount, .. } = self.fields();
        let may_be = plan.can_charge(None)
            && plan.customer_key.as_ref().is_none_or(|key| key == customer_key)
            && plan.token_id.as_ref().is_none_or(|id| id == token_id)
            && plan.payment_amount.is_none_or(|amount| amount == *payment_amount);
        may_be
            && match plan.schedule() {
                Some(mut days) => {
                    days.any(|day| self.schedule().is_ok_and(|mut ours| ours.any(|ours| ours == day)))
                }
                // A day that cannot be parsed may be equal.
                None => {
                    plan.frequency_day.as_ref().and_then(Reported::value).is_none_or(|day| day == self.day())
                }
            }
    }
}
