//! The documented and undocumented habits of the gateway.

use perennial_sandbox::{DeclineRetries, GatewayOptions, PlanChargeOrderId};

/// The habits, each with its name.
pub(crate) fn habits() -> Vec<(&'static str, GatewayOptions)> {
    let usual = || GatewayOptions { retention: "P100Y".parse().unwrap(), ..GatewayOptions::default() };
    let retries = |after_cancel| DeclineRetries { times: 2, every: "P1D".parse().unwrap(), after_cancel };
    vec![
        ("as documented", usual()),
        ("charges late in the day", GatewayOptions { charge_hour: 23, ..usual() }),
        ("charges at midnight", GatewayOptions { charge_hour: 0, ..usual() }),
        ("a day early", GatewayOptions { date_slip: -1, ..usual() }),
        ("a day late", GatewayOptions { date_slip: 1, ..usual() }),
        ("dates do not count", GatewayOptions { start_inclusive: false, end_inclusive: false, ..usual() }),
        ("tries declines again", GatewayOptions { decline_retries: retries(false), ..usual() }),
        ("catches up", GatewayOptions { catch_up: true, ..usual() }),
        ("searches lag", GatewayOptions { search_lag: "PT20H".parse().unwrap(), ..usual() }),
        (
            "order ids of its own",
            GatewayOptions { plan_charge_order_id: PlanChargeOrderId::OwnId, ..usual() },
        ),
        (
            "tries declines again after a cancellation",
            GatewayOptions { decline_retries: retries(true), ..usual() },
        ),
        ("short names", GatewayOptions { name_limit: 30, ..usual() }),
        ("order ids cannot be searched for", GatewayOptions { order_id_searchable: false, ..usual() }),
        ("a duplicate has the old answer", GatewayOptions { duplicate_answers_old: true, ..usual() }),
        ("customer keys of its own", GatewayOptions { own_customer_keys: false, ..usual() }),
    ]
}
