//! The chapter on concepts.

use perennial::clearent::NewPlan;

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let plan = NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key("cust_5a1d7c1e8a0f")
        .token_id("1100000000555551111")
        .monthly_on(31)
        .payment_amount("50,00")
        .start_date("2027-01-01")
        .end_date("2028-12-31");
    assert_eq!(
        plan.build().unwrap_err().to_string(),
        "frequency-day: must be a day from 1 to 28; \
         payment-amount: must be digits with at most two decimals, such as 50.00; \
         status: is required; \
         end-date: must be at most 12 calendar months after start-date",
    );
}
