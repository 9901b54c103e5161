//! Request objects report all violations at once, each with the documented name of its field.

use perennial_domain::clearent::{
    Address, Capture, Charge, CustomerStatus, CustomerTokenUpdate, CustomerUpdate, Frequency, NewCustomer,
    NewCustomerToken, NewPlan, NewPlanBuilder, NewToken, PlanForecast, PlanStatus, PlanTerm, PlanUpdate,
    Refund, TokenId, TokenStatus, TokenUpdate,
};
use perennial_domain::{Amount, AsGateway, CardBrand, Date, Expiry, NaiveDate, Rule, Violations};

const CARD: &str = "4111111111111111";
const TOKEN: &str = "1100000000555551111";

const DATE: &str = "must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199";
const KEY: &str = "must be 1 to 100 characters of A-Z, a-z, 0-9, '_', '-', '.' and ':'";
const STATUSES: &str = "must be one of ACTIVE, SUSPENDED, CANCELED";

/// The result of a request: `ok`, or its violations in order.
fn said<T>(request: Result<T, Violations>) -> String {
    match request {
        Ok(_) => "ok".to_owned(),
        Err(violations) => violations.to_string(),
    }
}

fn check<const N: usize>(cases: [(String, &str); N]) {
    for (index, (said, expected)) in cases.into_iter().enumerate() {
        assert_eq!(said, expected, "case {index}");
    }
}

fn plan() -> NewPlanBuilder {
    NewPlan::builder()
        .plan_name("Gold")
        .customer_key("cust_1")
        .token_id(TOKEN)
        .monthly_on(15)
        .payment_amount("50.00")
        .start_date("2027-01-01")
        .end_date("2027-12-31")
        .status("ACTIVE")
}

#[test]
fn customers() {
    let names = || NewCustomer::builder().first_name("Ada").last_name("Byron");
    check([
        (said(names().build()), "ok"),
        (said(names().accept()), "ok"),
        (said(NewCustomer::builder().build()), "first-name: is required; last-name: is required"),
        (said(NewCustomer::builder().accept()), "first-name: is required; last-name: is required"),
        (
            said(
                NewCustomer::builder()
                    .email("")
                    .phone(" ")
                    .comments("a".repeat(4_001))
                    .customer_key("a/b")
                    .first_name("A\u{0}")
                    .billing_address(Address::builder().zip("").state("M\u{1}"))
                    .shipping_address(Address::builder().city(" "))
                    .build(),
            ),
            &format!(
                "email: must not be empty; phone: must not be empty; comments: must have at most 4000 characters; \
                 customer-key: {KEY}; first-name: must not contain control characters (character 2); \
                 billing-address.zip: must not be empty; \
                 billing-address.state: must not contain control characters (character 2); \
                 shipping-address.city: must not be empty; last-name: is required"
            ),
        ),
        (
            said(
                names()
                    .billing_address(Address::builder().zip(""))
                    .billing_address(Address::builder().zip(""))
                    .build(),
            ),
            "billing-address.zip: must not be empty",
        ),
        (said(names().billing_address(Address::builder().build().unwrap()).build()), "ok"),
        (said(CustomerUpdate::builder().build()), "customer: must change at least one field"),
        (said(CustomerUpdate::builder().accept()), "customer: must change at least one field"),
        (said(CustomerUpdate::builder().phone("1").build()), "ok"),
        (said(CustomerUpdate::builder().status("inactive").build()), "ok"),
        (said(CustomerUpdate::builder().shipping_address(Address::builder().city("Rome")).build()), "ok"),
        (said(CustomerUpdate::builder().email("").build()), "email: must not be empty"),
        (said(CustomerUpdate::builder().status("gone").build()), "status: must be one of ACTIVE, INACTIVE"),
        (
            said(CustomerUpdate::builder().status(CustomerStatus::reported("gone")).build()),
            "status: must be one of ACTIVE, INACTIVE",
        ),
        (
            said(
                CustomerUpdate::builder().billing_address(Address::builder().zip("")).first_name("").build(),
            ),
            "billing-address.zip: must not be empty; first-name: must not be empty",
        ),
    ]);
}

#[test]
fn tokens() {
    let fixed = "cannot be updated: only customer-key, status and description of a token can; delete it and create it again";
    let card = || NewToken::builder().card(CARD).exp_date("1230");
    check([
        (said(card().csc("999").description("business card").build()), "ok"),
        (said(card().build()), "csc: is required; description: is required"),
        (said(card().accept()), "ok"),
        // A number of no known brand, so the brand cannot be derived.
        (
            said(card().card("9000000000000001").csc("999").description("card").build()),
            "card-type: is required",
        ),
        (said(card().card("9000000000000001").accept()), "ok"),
        (
            said(
                card()
                    .card("9000000000000001")
                    .card_type(CardBrand::VISA)
                    .csc("999")
                    .description("card")
                    .build(),
            ),
            "ok",
        ),
        (
            said(NewToken::builder().build()),
            "csc: is required; description: is required; card: is required; exp-date: is required",
        ),
        (said(NewToken::builder().accept()), "card: is required; exp-date: is required"),
        (
            said(
                NewToken::builder()
                    .card("4111111111111112")
                    .exp_date("1330")
                    .csc("12")
                    .description("")
                    .customer_key("")
                    .avs_address("")
                    .avs_zip("")
                    .avs_required("maybe")
                    .card_type("DINERS")
                    .build(),
            ),
            &format!(
                "card: must be a card number whose check digit is right (Luhn); \
                 exp-date: must be an expiry written MMYY with a month from 01 to 12; \
                 csc: must be the 3 or 4 digits of the card's security code; description: must not be empty; \
                 customer-key: {KEY}; avs-address: must not be empty; avs-zip: must not be empty; \
                 avs-required: must be true or false; \
                 card-type: must be one of VISA, MASTERCARD, AMERICAN EXPRESS, DISCOVER, DINERS CLUB, JCB"
            ),
        ),
        // A brand is only for display and never refused: the brand of a response can be sent back.
        (said(card().card_type(CardBrand::reported("UNIONPAY")).accept()), "ok"),
        (said(card().exp_date(AsGateway("130")).accept()), "ok"),
        (said(TokenUpdate::builder().build()), "token: must change at least one field"),
        (said(TokenUpdate::builder().customer_key("cust_1").build()), "ok"),
        (said(TokenUpdate::builder().status("INACTIVE").build()), "ok"),
        (said(TokenUpdate::builder().description("old").build()), "ok"),
        (
            said(TokenUpdate::builder().status(TokenStatus::reported("open")).build()),
            "status: must be one of ACTIVE, INACTIVE, DELETED",
        ),
        (
            said(TokenUpdate::builder().fixed("card").description("x").fixed("exp-date").status("x").build()),
            &format!("card: {fixed}; exp-date: {fixed}; status: must be one of ACTIVE, INACTIVE, DELETED"),
        ),
        (said(TokenUpdate::builder().fixed("csc").build()), &format!("csc: {fixed}")),
    ]);
}

#[test]
fn tokens_of_a_customer() {
    check([
        (
            said(
                NewCustomerToken::builder()
                    .token_id(TOKEN)
                    .exp_date("1230")
                    .card_type("visa")
                    .last_four_digits("1111")
                    .build(),
            ),
            "ok",
        ),
        (said(NewCustomerToken::builder().token_id(TOKEN).accept()), "ok"),
        (
            said(NewCustomerToken::builder().build()),
            "exp-date: is required; card-type: is required; last-four-digits: is required; token-id: is required",
        ),
        (
            said(NewCustomerToken::builder().token_id("").last_four_digits("11111").is_default("1").accept()),
            &format!(
                "token-id: {KEY}; last-four-digits: must be the last four digits of the card; default: must be true or false"
            ),
        ),
        (said(CustomerTokenUpdate::builder().token_id(TOKEN).is_default(true).build()), "ok"),
        (said(CustomerTokenUpdate::builder().token_id(TOKEN).avs_zip("63101").build()), "ok"),
        (
            said(CustomerTokenUpdate::builder().token_id(TOKEN).build()),
            "customer-token: must change at least one field",
        ),
        (said(CustomerTokenUpdate::builder().build()), "token-id: is required"),
        (said(CustomerTokenUpdate::builder().description("x").build()), "token-id: is required"),
    ]);
}

/// Holds: A request that cannot be built reports all violations at once, each by field and rule.
#[test]
fn plans() {
    check([
        (said(plan().build()), "ok"),
        (said(plan().plan_type("subscription").email_receipt(true).build()), "ok"),
        (
            said(NewPlan::builder().build()),
            "plan-name: is required; frequency-day: is required; status: is required; customer-key: is required; \
             token-id: is required; frequency: is required; payment-amount: is required; start-date: is required; \
             end-date: is required",
        ),
        (
            said(NewPlan::builder().accept()),
            "customer-key: is required; token-id: is required; frequency: is required; payment-amount: is required; \
             start-date: is required; end-date: is required",
        ),
        (
            said(
                NewPlan::builder()
                    .customer_key("cust_1")
                    .token_id(TOKEN)
                    .frequency("monthly")
                    .payment_amount("50.00")
                    .start_date("2027-01-31")
                    .end_date("2027-12-31")
                    .accept(),
            ),
            "ok",
        ),
        (
            said(
                NewPlan::builder()
                    .plan_name("")
                    .plan_type("LOAN")
                    .customer_key("a b")
                    .customer_name(" ")
                    .token_id("..")
                    .frequency("WEEKLY")
                    .frequency_day(29)
                    .payment_amount("50.001")
                    .start_date("2027-2-1")
                    .end_date("2027-02-30")
                    .status("PAUSED")
                    .email_address("")
                    .email_receipt("")
                    .build(),
            ),
            &format!(
                "plan-name: must not be empty; type: must be SUBSCRIPTION; customer-key: {KEY}; \
                 customer-name: must not be empty; token-id: {KEY}; frequency: must be one of MONTHLY; \
                 frequency-day: must be a day from 1 to 28; \
                 payment-amount: must be digits with at most two decimals, such as 50.00; start-date: {DATE}; \
                 end-date: {DATE}; status: {STATUSES}; email-address: must not be empty; \
                 email-receipt: must be true or false"
            ),
        ),
        (said(plan().end_date("2028-01-01").build()), "ok"),
        (
            said(plan().end_date("2028-01-02").build()),
            "end-date: must be at most 12 calendar months after start-date",
        ),
        (said(plan().end_date("2026-12-31").build()), "end-date: must be on or after start-date"),
        // The vendor does not document plans without a charge date.
        (said(plan().end_date("2027-01-14").build()), "ok"),
        (
            said(plan().start_date("2027-01-31").end_date("2027-02-10").frequency_day(31).build()),
            "frequency-day: must be a day from 1 to 28",
        ),
        (said(plan().payment_amount(Amount::ZERO).build()), "payment-amount: must be at least 0.01"),
        (said(plan().payment_amount(AsGateway("0.00")).build()), "payment-amount: must be at least 0.01"),
        (
            said(plan().payment_amount(AsGateway("50.0")).build()),
            "payment-amount: must be digits with exactly two decimals, such as 50.00",
        ),
        (said(plan().payment_amount("1000000000").build()), "payment-amount: must be at most 999999999.99"),
        // Words of responses that requests do not allow.
        (
            said(
                plan()
                    .frequency(Frequency::reported("weekly"))
                    .status(PlanStatus::reported("paused"))
                    .build(),
            ),
            &format!("frequency: must be one of MONTHLY; status: {STATUSES}"),
        ),
    ]);
}

#[test]
fn plan_updates() {
    check([
        (said(PlanUpdate::builder().build()), "payment-plan: must change at least one field"),
        (said(PlanUpdate::builder().accept()), "payment-plan: must change at least one field"),
        (said(PlanUpdate::builder().status("Cancelled").build()), "ok"),
        (said(PlanUpdate::builder().plan_type("SUBSCRIPTION").build()), "ok"),
        (said(PlanUpdate::builder().email_receipt(false).build()), "ok"),
        (said(PlanUpdate::builder().plan_name("").build()), "plan-name: must not be empty"),
        (
            said(
                PlanUpdate::builder()
                    .start_date("2027-02-01")
                    .end_date("2027-01-01")
                    .payment_amount(Amount::ZERO)
                    .frequency(Frequency::reported("yearly"))
                    .status(PlanStatus::reported("paused"))
                    .frequency_day("0")
                    .build(),
            ),
            &format!(
                "frequency-day: must be a day from 1 to 28; frequency: must be one of MONTHLY; status: {STATUSES}; \
                 payment-amount: must be at least 0.01; end-date: must be on or after start-date"
            ),
        ),
    ]);
}

#[test]
fn forecasts() {
    let year = || PlanForecast::builder().monthly_on(3).start_date("2027-01-01");
    check([
        (said(year().end_date("2027-12-31").build()), "ok"),
        (said(year().build()), "end-date: is required"),
        (said(year().accept()), "ok"),
        (
            said(PlanForecast::builder().build()),
            "end-date: is required; start-date: is required; frequency: is required; frequency-day: is required",
        ),
        (said(year().end_date("2026-12-31").build()), "end-date: must be on or after start-date"),
        (said(year().frequency(Frequency::reported("weekly")).accept()), "frequency: must be one of MONTHLY"),
    ]);
}

#[test]
fn transactions() {
    let token = TokenId::try_from(TOKEN).unwrap();
    let expiry = "exp-date: must be an expiry written MMYY with a month from 01 to 12";
    check([
        (said(Charge::builder().amount("25.00").card(CARD).exp_date("1230").build()), "ok"),
        (said(Charge::builder().amount("25.00").card(&token).build()), "ok"),
        (said(Charge::builder().amount("25.00").card(TOKEN).build()), "ok"),
        (said(Charge::builder().amount(Amount::ZERO).card(TOKEN).build()), "ok"),
        (said(Charge::builder().build()), "amount: is required; card: is required"),
        (said(Charge::builder().amount("25.00").card(CARD).build()), "exp-date: is required"),
        (said(Charge::builder().amount("25.00").card(CARD).exp_date("99").build()), expiry),
        (
            said(
                Charge::builder()
                    .amount("x")
                    .card("x")
                    .csc("x")
                    .invoice("i".repeat(101))
                    .purchase_order("")
                    .tip_amount("-1")
                    .create_token("x")
                    .billing(Address::builder().zip(""))
                    .build(),
            ),
            "amount: must be digits with at most two decimals, such as 50.00; \
             card: must be a card number of 12 to 19 digits; \
             csc: must be the 3 or 4 digits of the card's security code; invoice: must have at most 100 characters; \
             purchase-order: must not be empty; tip-amount: must be digits with at most two decimals, such as 50.00; \
             create-token: must be true or false; billing.zip: must not be empty",
        ),
        (said(Capture::builder().id("700001").amount("25.00").tip_amount("1.00").build()), "ok"),
        (said(Capture::builder().build()), "id: is required; amount: is required"),
        (
            said(Capture::builder().id("/").amount(Amount::ZERO).build()),
            &format!("id: {KEY}; amount: must be at least 0.01"),
        ),
        (said(Refund::builder().id("700001").amount("25.00").build()), "ok"),
        (said(Refund::builder().card(CARD).exp_date("1230").amount("25.00").build()), "ok"),
        (said(Refund::builder().card(&token).amount("25.00").build()), "ok"),
        (said(Refund::builder().build()), "amount: is required; id: is required"),
        (said(Refund::builder().card(CARD).amount(Amount::ZERO).build()), "amount: must be at least 0.01"),
        (said(Refund::builder().id("/").amount("1").build()), &format!("id: {KEY}")),
        (
            said(Refund::builder().card("x").amount("1").build()),
            "card: must be a card number of 12 to 19 digits",
        ),
    ]);
}

#[test]
fn a_sale_of_nothing_is_refused_where_an_authorization_is_not() {
    let charge = |amount| Charge::builder().amount(amount).card(TOKEN).build().unwrap();
    assert_eq!(said(charge(Amount::ZERO).check_sale()), "amount: must be at least 0.01");
    assert_eq!(said(charge(Amount::MAX).check_sale()), "ok");
}

#[test]
fn a_card_is_refused_from_the_day_after_its_last() {
    let expiry = Expiry::try_from("0228").unwrap();
    let cases =
        [("2028-02-29", "ok"), ("2028-03-01", "exp-date: must not be in the past: the card has expired")];
    for (today, expected) in cases {
        assert_eq!(said(expiry.check_on(Date::try_from(today).unwrap().naive())), expected);
    }
}

#[test]
fn a_brand_is_given_or_derived() {
    let token = || NewToken::builder().card(CARD).exp_date("1230");
    assert_eq!(token().accept().unwrap().brand(), Some(CardBrand::VISA));
    assert_eq!(token().card_type("JCB").accept().unwrap().brand(), Some(CardBrand::JCB));
    let charge = |card| Charge::builder().amount("1.00").card(card).exp_date("1230");
    assert_eq!(charge(CARD).build().unwrap().brand(), Some(CardBrand::VISA));
    assert_eq!(charge(TOKEN).build().unwrap().brand(), None);
    assert_eq!(charge(TOKEN).card_type("JCB").build().unwrap().brand(), Some(CardBrand::JCB));
}

#[test]
fn a_plan_knows_its_day_its_dates_and_its_total() {
    let cases = [
        (plan(), 15, 12, "600.00"),
        (plan().start_date("2027-01-15").end_date("2028-01-15"), 15, 13, "650.00"),
        (plan().payment_amount("999999999.99"), 15, 12, "11999999999.88"),
        (plan().term(PlanTerm::parse("2027-01-15", "2027-03-14").unwrap()), 15, 2, "100.00"),
    ];
    for (builder, day, charges, total) in cases {
        let plan = builder.build().unwrap();
        assert_eq!(plan.day().get(), day);
        assert_eq!(plan.schedule().unwrap().count(), charges);
        assert_eq!(plan.total().to_string(), total);
    }
    // Without a day, the day of the start is used; the 28th for later ones.
    for (start, day, first) in [("2027-01-10", 10, "2027-01-10"), ("2027-01-30", 28, "2027-02-28")] {
        let plan = NewPlan::builder()
            .customer_key("cust_1")
            .token_id(TOKEN)
            .frequency(Frequency::MONTHLY)
            .payment_amount("1.00")
            .start_date(start)
            .end_date("2027-12-31")
            .accept()
            .unwrap();
        assert_eq!(plan.day().get(), day);
        assert_eq!(
            plan.schedule().unwrap().next().map(|date: NaiveDate| date.to_string()).as_deref(),
            Some(first)
        );
    }
}

#[test]
fn violations_are_kept_one_a_field_and_named() {
    let mut violations = Violations::one("a", Rule::Empty);
    violations.add("a", Rule::Required);
    violations.nest("b", Violations::one("c", Rule::Required));
    violations.nest("b", Violations::one("c", Rule::Empty));
    assert_eq!(violations.to_string(), "a: must not be empty; b.c: is required");
    assert!(violations.names("b.c") && !violations.names("c") && !violations.is_empty());
    assert_eq!((&violations).into_iter().count(), violations.iter().count());
    assert!(Violations::default().is_empty());
}
