//! Queries: a gateway reads the queries of our client and those of other programs.

use perennial_domain::clearent::{
    CustomerSearch, Paging, PaymentSearch, PlanForecast, PlanSearch, PlanStatus, TokenSearch,
    TransactionLevel, TransactionSearch, TransactionType,
};
use perennial_domain::{Amount, Violations};
use perennial_wire::clearent::{Call, customer, payment, plan, token, transaction};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::samples::{customer_key, plan_key, token_id, transaction_id};

fn query(call: &Call) -> &str {
    call.target.split_once('?').map_or("", |(_, query)| query)
}

proptest! {
    #[test]
    fn customers_come_back(
        (key, first_name, last_name, email) in (any::<bool>(), value(), value(), value()),
        (phone_number, last_four, exp_date, plan_name) in (value(), value(), value(), value()),
        paging in paging(),
    ) {
        let customer_key = key.then(customer_key);
        let search = CustomerSearch {
            customer_key, first_name, last_name, email, phone_number, last_four, exp_date, plan_name, paging,
        };
        prop_assert_eq!(customer::read_search(query(&customer::search(&search))), Ok(search));
    }

    #[test]
    fn tokens_come_back(
        (id, merchant_legacy_token_id, date_filter) in (any::<bool>(), value(), value()),
        (start, end) in (any::<bool>(), any::<bool>()),
        paging in paging(),
    ) {
        let search = TokenSearch {
            token_id: id.then(token_id),
            merchant_legacy_token_id,
            updated_start_date: start.then(|| "2027-01-01".parse().unwrap()),
            updated_end_date: end.then(|| "2028-02-29".parse().unwrap()),
            date_filter,
            paging,
        };
        prop_assert_eq!(token::read_search(query(&token::search(&search))), Ok(search));
    }

    #[test]
    fn plans_come_back(
        (customer, plan, token) in (any::<bool>(), any::<bool>(), any::<bool>()),
        (customer_name, plan_name) in (value(), value()),
        payment_amount in amount(),
        status in of(select(vec![PlanStatus::ACTIVE, PlanStatus::SUSPENDED, PlanStatus::CANCELED])),
        paging in paging(),
    ) {
        let search = PlanSearch {
            customer_key: customer.then(customer_key),
            customer_name,
            plan_key: plan.then(plan_key),
            plan_name,
            payment_amount,
            status,
            token_id: token.then(token_id),
            paging,
        };
        prop_assert_eq!(plan::read_search(query(&plan::search(&search))), Ok(search));
    }

    #[test]
    fn payments_come_back(customer: bool, plan: bool, paging in paging()) {
        let search = PaymentSearch {
            customer_key: customer.then(customer_key),
            plan_key: plan.then(plan_key),
            paging,
        };
        prop_assert_eq!(payment::read_search(query(&payment::list(&search))), Ok(search));
    }

    #[test]
    fn transactions_come_back(
        (id, amount, status, last_four) in (any::<bool>(), amount(), value(), value()),
        transaction_type in of(select(vec![TransactionType::SALE, TransactionType::FORCED_SALE])),
        level in of(select(vec![TransactionLevel::TERMINAL, TransactionLevel::MERCHANT])),
        (authorization_code, invoice, order_id) in (value(), value(), value()),
        display_message in value(),
        (start_date, end_date, paging) in (value(), value(), paging()),
    ) {
        let search = TransactionSearch {
            id: id.then(transaction_id),
            level, amount, transaction_type, status, last_four, authorization_code, invoice, order_id,
            display_message, start_date, end_date, paging,
        };
        prop_assert_eq!(transaction::read_search(query(&transaction::search(&search))), Ok(search));
    }

    #[test]
    fn any_query_is_read_or_refused(query in "\\PC{0,80}") {
        let _ = customer::read_search(&query);
        let _ = token::read_search(&query);
        let _ = plan::read_search(&query);
        let _ = plan::read_forecast(&query);
        let _ = payment::read_search(&query);
        let _ = transaction::read_search(&query);
    }
}

/// A strategy for values, which are trimmed when read; an empty one counts as absent.
fn value() -> impl Strategy<Value = Option<String>> {
    of("[!-~é]([ -~\n]|\\PC){0,8}".prop_map(|text| text.trim().to_owned()))
}

fn amount() -> impl Strategy<Value = Option<Amount>> {
    of((1..=Amount::MAX.cents()).prop_map(|cents| Amount::from_cents(cents).unwrap()))
}

fn paging() -> impl Strategy<Value = Paging> {
    (of(1_u32..), of(1_u32..), value(), of(any::<bool>()))
        .prop_map(|(page, page_size, order_by, descending)| Paging { page, page_size, order_by, descending })
}

#[test]
fn a_forecast_comes_back() {
    let builder = PlanForecast::builder().start_date("2027-01-01").monthly_on(15);
    for forecast in [builder.accept(), {
        PlanForecast::builder().start_date("2028-02-29").monthly_on(28).end_date("2029-02-28").build()
    }] {
        let call = plan::forecast(&forecast.unwrap());
        let read = plan::read_forecast(query(&call)).unwrap();
        assert_eq!(plan::forecast(&read).target, call.target);
    }
}

type Read<'r> = &'r dyn Fn(&str) -> Result<Call, Violations>;

/// Checks a query of a live client, and this crate's form of it; or its violations.
#[test]
fn queries_of_other_clients() {
    let customers = |query: &str| customer::read_search(query).map(|search| customer::search(&search));
    let tokens = |query: &str| token::read_search(query).map(|search| token::search(&search));
    let plans = |query: &str| plan::read_search(query).map(|search| plan::search(&search));
    let payments = |query: &str| payment::read_search(query).map(|search| payment::list(&search));
    let transactions =
        |query: &str| transaction::read_search(query).map(|search| transaction::search(&search));
    let forecasts = |query: &str| plan::read_forecast(query).map(|forecast| plan::forecast(&forecast));
    let cases: &[(&str, Read<'_>, &str)] = &[
        ("", &customers, ""),
        ("&&x&=1&first-name=&page=+&last-name=%20", &customers, ""),
        ("first-name=Ada+Augusta%20King&x=1", &customers, "first-name=Ada%20Augusta%20King"),
        ("first-name=%2B%26%3d%C3%A9", &customers, "first-name=%2B%26%3D%C3%A9"),
        ("first-name=a&first-name=b", &customers, "first-name=a"),
        ("isDescending=TRUE&pageSize=10&page=02", &customers, "page=2&page-size=10&descending=true"),
        ("descending=false&page-size=10", &plans, "page-size=10&isDescending=false"),
        ("status=cancelled&payment-amount=50", &plans, "payment-amount=50.00&status=CANCELED"),
        ("type=sale&amount=25.00", &transactions, "amount=25.00&type=SALE"),
        ("date-filter=last_week", &tokens, "date-filter=last_week"),
        (
            "frequency=monthly&start-date=2027-01-01&frequency-day=15&frequency-month=1&frequency-week=",
            &forecasts,
            "start-date=2027-01-01&frequency=MONTHLY&frequency-day=15",
        ),
        (
            "customer-key=a/b&page=0&page-size=1e3&descending=yes",
            &customers,
            "customer-key: must be 1 to 100 characters of A-Z, a-z, 0-9, '_', '-', '.' and ':'; \
             page: must be one of 1, 2, 3 and so on; page-size: must be one of 1, 2, 3 and so on; \
             descending: must be true or false",
        ),
        ("isDescending=1", &payments, "isDescending: must be true or false"),
        ("page=%2B1", &payments, "page: must be one of 1, 2, 3 and so on"),
        ("page=4294967296", &payments, "page: must be one of 1, 2, 3 and so on"),
        (
            "updated-start-date=2027-1-3&token-id=%FF",
            &tokens,
            "token-id: must be 1 to 100 characters of A-Z, a-z, 0-9, '_', '-', '.' and ':'; \
             updated-start-date: must be a date of the calendar written yyyy-MM-dd, from 1970 to 2199",
        ),
        (
            "amount=1,000.00&type=PURCHASE",
            &transactions,
            "amount: must be digits with at most two decimals, such as 50.00; \
             type: must be one of SALE, AUTH, CAPTURE, FORCED SALE, REFUND, VOID",
        ),
        (
            "frequency=WEEKLY&frequency-day=29",
            &forecasts,
            "frequency: must be one of MONTHLY; frequency-day: must be a day from 1 to 28; start-date: is required",
        ),
    ];
    for (given, read, expected) in cases {
        match read(given) {
            Ok(call) => assert_eq!(query(&call), *expected, "{given}"),
            Err(violations) => assert_eq!(violations.to_string(), *expected, "{given}"),
        }
    }
}
