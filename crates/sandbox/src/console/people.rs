//! Customers: a searchable list, and a page for each.

use maud::html;
use perennial_domain::clearent::{CustomerKey, CustomerSearch, Paging, PaymentSearch, PlanSearch};

use super::money::{pager, paging, payment_table, plan_table};
use super::names::Names;
use super::{Found, World};
use crate::form::Form;
use crate::gateway::Gateway;
use crate::mask;

/// The fields of the search, with the labels of their inputs.
const FIELDS: [(&str, &str); 5] = [
    ("first-name", "First name"),
    ("last-name", "Last name"),
    ("email", "Email"),
    ("phone-number", "Phone"),
    ("last-four", "Card's last four"),
];

pub(super) async fn list(gateway: &Gateway, world: &World, form: &Form) -> Found {
    let search = CustomerSearch {
        first_name: form.given("first-name"),
        last_name: form.given("last-name"),
        email: form.given("email"),
        phone_number: form.given("phone-number"),
        last_four: form.given("last-four"),
        paging: paging(form),
        ..CustomerSearch::default()
    };
    let found = gateway.with_world(world.key, |session| {
        let (customers, page) = session.customers(search, None)?;
        let names = Names::of(&session, customers.iter().map(|customer| Some(&customer.customer_key)))?;
        Ok((customers, page, names))
    });
    let Some((customers, page, names)) = found.await? else { return Ok(None) };
    let content = html! {
        form.search method="get" action=(world.path("customers")) {
            @for (name, label) in FIELDS { label { (label) " " input name=(name) value=(form.text(name)); } }
            button { "Search" }
        }
        table {
            caption.quiet { "Customers, newest first" }
            thead { tr { th scope="col" { "Customer" } th scope="col" { "Key" } th scope="col" { "Email" } th scope="col" { "Phone" } } }
            tbody {
                @for customer in &customers {
                    tr {
                        th scope="row" { (names.link(world, Some(&customer.customer_key))) }
                        td { code { (customer.customer_key) } }
                        td { (mask::text(customer.email.as_deref().unwrap_or_default())) }
                        td { (mask::text(customer.phone.as_deref().unwrap_or_default())) }
                    }
                }
            }
        }
        (pager(&world.path("customers"), form, &FIELDS.map(|(name, _)| name), &page))
    };
    Ok(Some(world.page("Customers", &content)))
}

pub(super) async fn customer(gateway: &Gateway, world: &World, key: &str) -> Found {
    const FIRST_PAGE: Paging = Paging { page: None, page_size: Some(50), order_by: None, descending: None };
    let Ok(key) = CustomerKey::try_from(key) else { return Ok(None) };
    let found = gateway.with_world(world.key, move |session| {
        let Some(customer) = session.customer(&key)? else { return Ok(None) };
        let tokens = session.customer_tokens(&key)?;
        let plans =
            PlanSearch { customer_key: Some(key.clone()), paging: FIRST_PAGE, ..PlanSearch::default() };
        let payments =
            PaymentSearch { customer_key: Some(key), paging: FIRST_PAGE, ..PaymentSearch::default() };
        let names = Names::of(&session, [Some(&customer.customer_key)])?;
        Ok(Some((customer, tokens, session.plans(plans, None)?.0, session.payments(payments)?.0, names)))
    });
    let Some(Some((customer, tokens, plans, payments, names))) = found.await? else { return Ok(None) };
    let content = html! {
        dl {
            dt { "Customer" } dd { code { (customer.customer_key) } }
            dt { "Name" } dd { (customer.first_name.as_deref().unwrap_or_default()) " " (customer.last_name.as_deref().unwrap_or_default()) }
            @for (name, value) in [("Email", &customer.email), ("Phone", &customer.phone), ("Comments", &customer.comments)] {
                @if let Some(value) = value { dt { (name) } dd { (mask::text(value)) } }
            }
            @if let Some(status) = &customer.status { dt { "Status" } dd { (status) } }
            @for (name, address) in [("Billing", &customer.billing_address), ("Shipping", &customer.shipping_address)] {
                @if let Some(address) = address {
                    dt { (name) }
                    dd {
                        @for part in [&address.street, &address.street2, &address.city, &address.state, &address.zip, &address.country].into_iter().flatten() { (part) " " }
                    }
                }
            }
        }
        h2 { "Cards" }
        table {
            caption.quiet { "Tokens of the customer" }
            thead { tr { th scope="col" { "Token" } th scope="col" { "Card" } th scope="col" { "Expires" } th scope="col" { "Default" } } }
            tbody {
                @for token in &tokens {
                    tr {
                        th scope="row" { code { (token.token_id) } }
                        td { (token.card_type.as_ref().map(ToString::to_string).unwrap_or_default()) " ends in " (token.last_four_digits.as_deref().unwrap_or_default()) }
                        td { (token.exp_date.as_ref().map(ToString::to_string).unwrap_or_default()) }
                        td { @if token.is_default == Some(true.into()) { "yes" } }
                    }
                }
            }
        }
        h2 { "Plans" }
        (plan_table(world, &plans, &names))
        h2 { "Payments" }
        (payment_table(world, &payments, &names))
    };
    Ok(Some(world.page("Customer", &content)))
}
