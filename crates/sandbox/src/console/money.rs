//! Plans, payments, transactions and batches, as paged lists.

use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use perennial_domain::Timestamp;
use perennial_domain::clearent::{
    BatchSearch, Paging, Payment, PaymentSearch, Plan, PlanKey, PlanSearch, PlanStatus, Transaction,
    TransactionId, TransactionSearch,
};
use perennial_wire::clearent::Page;

use super::names::Names;
use super::{Found, World};
use crate::form::Form;
use crate::gateway::Gateway;
use crate::mask;

/// The number of objects on a page of a list.
const LISTED: u32 = 50;

pub(super) fn paging(form: &Form) -> Paging {
    Paging { page: Some(form.page()), page_size: Some(LISTED), ..Paging::default() }
}

/// Links to the previous and next page that keep the search.
pub(super) fn pager(path: &str, form: &Form, fields: &[&str], page: &Page) -> Markup {
    let (number, pages) = (page.number.unwrap_or(1), page.total_pages.unwrap_or(1));
    let to = |number: u64| {
        let given = fields.iter().filter_map(|name| Some((name, form.given(name)?)));
        let query = given.fold(format!("page={number}"), |query, (name, value)| {
            format!("{query}&{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))
        });
        format!("{path}?{query}")
    };
    html! {
        p.pager {
            @if number > 1 { a href=(to(number - 1)) rel="prev" { "Newer" } " " }
            "page " (number) " of " (pages.max(1)) ", " (page.total_elements.unwrap_or_default()) " in all"
            @if number < pages { " " a href=(to(number + 1)) rel="next" { "Older" } }
        }
    }
}

pub(super) async fn plans(gateway: &Gateway, world: &World, form: &Form) -> Found {
    let status = form.given("status").map(|status| PlanStatus::reported(&status));
    let search = PlanSearch {
        status,
        plan_name: form.given("plan-name"),
        paging: paging(form),
        ..PlanSearch::default()
    };
    let found = gateway.with_world(world.key, |session| {
        let (plans, page) = session.plans(search, None)?;
        let names = Names::of(&session, plans.iter().map(|plan| plan.customer_key.as_ref()))?;
        Ok((plans, page, names))
    });
    let Some((plans, page, names)) = found.await? else { return Ok(None) };
    let content = html! {
        form.search method="get" action=(world.path("plans")) {
            label { "Name " input name="plan-name" value=(form.text("plan-name")); }
            label { "Status "
                select name="status" {
                    @for status in ["", "ACTIVE", "SUSPENDED", "CANCELED"] {
                        option value=(status) selected[form.text("status") == status] { @if status.is_empty() { "any" } @else { (status) } }
                    }
                }
            }
            button { "Search" }
        }
        (plan_table(world, &plans, &names))
        (pager(&world.path("plans"), form, &["plan-name", "status"], &page))
    };
    Ok(Some(world.page("Plans", &content)))
}

pub(super) fn plan_table(world: &World, plans: &[Plan], names: &Names) -> Markup {
    html! {
        table {
            caption.quiet { "Plans, newest first" }
            thead { tr {
                th scope="col" { "Plan" } th scope="col" { "Name" } th scope="col" { "Customer" } th scope="col" { "Status" } th.number scope="col" { "Amount" }
                th scope="col" { "Term" }
            } }
            tbody {
                @for plan in plans {
                    tr {
                        th scope="row" { a href=(world.path(&format!("plans/{}", plan.plan_key))) { (plan.plan_key) } }
                        td { (plan.plan_name.as_deref().unwrap_or_default()) }
                        td { (names.link(world, plan.customer_key.as_ref())) }
                        td { (plan.status.as_ref().map(ToString::to_string).unwrap_or_default()) }
                        td.number { (plan.payment_amount.map(|amount| amount.to_string()).unwrap_or_default()) }
                        td { (plan.start_date.map(|day| day.to_string()).unwrap_or_default()) " to " (plan.end_date.map(|day| day.to_string()).unwrap_or_default()) }
                    }
                }
            }
        }
    }
}

pub(super) async fn payments(gateway: &Gateway, world: &World, form: &Form) -> Found {
    let plan_key = form.given("plan-key").and_then(|key| PlanKey::try_from(key).ok());
    let search = PaymentSearch { plan_key, customer_key: None, paging: paging(form) };
    let found = gateway.with_world(world.key, |session| {
        let (payments, page) = session.payments(search)?;
        let names = Names::of(&session, payments.iter().map(|payment| payment.customer_key.as_ref()))?;
        Ok((payments, page, names))
    });
    let Some((payments, page, names)) = found.await? else { return Ok(None) };
    let content = html! {
        form.search method="get" action=(world.path("payments")) {
            label { "Plan " input name="plan-key" value=(form.text("plan-key")); }
            button { "Search" }
        }
        (payment_table(world, &payments, &names))
        (pager(&world.path("payments"), form, &["plan-key"], &page))
    };
    Ok(Some(world.page("Payments", &content)))
}

pub(super) fn payment_table(world: &World, payments: &[Payment], names: &Names) -> Markup {
    html! {
        table {
            caption.quiet { "Payments of plans, newest first" }
            thead { tr {
                th scope="col" { "Created" } th.number scope="col" { "Amount" } th scope="col" { "Outcome" } th scope="col" { "Customer" } th scope="col" { "Plan" }
                th scope="col" { "Transaction" }
            } }
            tbody {
                @for payment in payments {
                    tr {
                        td { (payment.created.as_ref().map(Timestamp::as_str).unwrap_or_default()) }
                        td.number { (payment.payment_amount.map(|amount| amount.to_string()).unwrap_or_default()) }
                        td { (payment.status.as_ref().map(ToString::to_string).unwrap_or_default()) }
                        td { (names.link(world, payment.customer_key.as_ref())) }
                        td { @if let Some(key) = &payment.plan_key { a href=(world.path(&format!("plans/{key}"))) { (key) } } }
                        td { @if let Some(id) = &payment.transaction_id { a href=(world.path(&format!("transactions?id={id}"))) { (id) } } }
                    }
                }
            }
        }
    }
}

pub(super) async fn transactions(gateway: &Gateway, world: &World, form: &Form) -> Found {
    const FIELDS: [(&str, &str); 4] =
        [("id", "Id"), ("order-id", "Order"), ("invoice", "Invoice"), ("last-four", "Card's last four")];
    let search = TransactionSearch {
        id: form.given("id").and_then(|id| TransactionId::try_from(id).ok()),
        order_id: form.given("order-id"),
        invoice: form.given("invoice"),
        last_four: form.given("last-four"),
        paging: paging(form),
        ..TransactionSearch::default()
    };
    let found = gateway.with_world(world.key, |session| {
        let (transactions, page) = session.transactions(search, None, None, 0, None)?;
        let customers = transactions.iter().map(Transaction::customer_key).collect::<Vec<_>>();
        let names = Names::of(&session, customers.iter().map(Option::as_ref))?;
        Ok((transactions, page, names))
    });
    let Some((transactions, page, names)) = found.await? else { return Ok(None) };
    let content = html! {
        form.search method="get" action=(world.path("transactions")) {
            @for (name, label) in FIELDS { label { (label) " " input name=(name) value=(form.text(name)); } }
            button { "Search" }
        }
        (transaction_table(world, &transactions, &names))
        (pager(&world.path("transactions"), form, &FIELDS.map(|(name, _)| name), &page))
    };
    Ok(Some(world.page("Transactions", &content)))
}

fn transaction_table(world: &World, transactions: &[Transaction], names: &Names) -> Markup {
    html! {
        table {
            caption.quiet { "Card transactions, newest first" }
            thead { tr {
                th scope="col" { "Id" } th scope="col" { "Created" } th scope="col" { "Type" } th.number scope="col" { "Amount" }
                th scope="col" { "Outcome" } th scope="col" { "Customer" } th scope="col" { "Card" } th scope="col" { "Order" } th scope="col" { "State" }
            } }
            tbody {
                @for transaction in transactions {
                    tr {
                        th scope="row" { (transaction.id.as_ref().map(ToString::to_string).unwrap_or_default()) }
                        td { (transaction.created.as_ref().map(Timestamp::as_str).unwrap_or_default()) }
                        td { (transaction.transaction_type.as_ref().map(ToString::to_string).unwrap_or_default()) }
                        td.number { (transaction.amount.map(|amount| amount.to_string()).unwrap_or_default()) }
                        td {
                            (transaction.result.as_ref().map(ToString::to_string).unwrap_or_default()) " "
                            span.quiet { (transaction.result_code.as_deref().unwrap_or_default()) " " (transaction.display_message.as_deref().unwrap_or_default()) }
                        }
                        td {
                            @match transaction.customer_key() {
                                Some(key) => (names.link(world, Some(&key))),
                                None => (mask::text(transaction.customer_id.as_deref().unwrap_or_default())),
                            }
                        }
                        td { (transaction.last_four.as_deref().unwrap_or_default()) }
                        td { (mask::text(transaction.order_id.as_deref().unwrap_or_default())) }
                        td {
                            @if transaction.voided == Some(true) { "voided" }
                            @else if transaction.settled == Some(true) { "settled" }
                            @else if transaction.pending == Some(true) { "pending" }
                        }
                    }
                }
            }
        }
    }
}

pub(super) async fn batches(gateway: &Gateway, world: &World, form: &Form) -> Found {
    let search = BatchSearch { paging: paging(form), ..BatchSearch::default() };
    let Some((batches, page)) = gateway.with_world(world.key, |session| session.batches(search)).await?
    else {
        return Ok(None);
    };
    let content = html! {
        table {
            caption.quiet { "Batches, newest first" }
            thead { tr {
                th scope="col" { "Batch" } th scope="col" { "Status" } th scope="col" { "Opened" } th.number scope="col" { "Sales" }
                th.number scope="col" { "Refunds" } th.number scope="col" { "Net" }
            } }
            tbody {
                @for batch in &batches {
                    tr {
                        th scope="row" { (batch.id.as_ref().map(ToString::to_string).unwrap_or_default()) }
                        td { (batch.status.as_ref().map(ToString::to_string).unwrap_or_default()) }
                        td { (batch.date_opened.as_ref().map(Timestamp::as_str).unwrap_or_default()) }
                        td.number { (batch.sales_total.map(|total| total.to_string()).unwrap_or_default()) }
                        td.number { (batch.refund_total.map(|total| total.to_string()).unwrap_or_default()) }
                        td.number { (batch.net_amount.map(|total| total.to_string()).unwrap_or_default()) }
                    }
                }
            }
        }
        (pager(&world.path("batches"), form, &[], &page))
    };
    Ok(Some(world.page("Batches", &content)))
}
