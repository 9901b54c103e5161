//! ClientPay records of a world: its pages, with links to them, and its payments.

use maud::html;
use perennial_domain::clientpay::{PaymentKind, PaymentStatus};
use perennial_domain::{Amount, Timestamp};

use super::{Found, World};
use crate::gateway::Gateway;

/// The number of pages and payments shown.
const LIMIT: u32 = 100;

pub(super) async fn page(gateway: &Gateway, world: &World) -> Found {
    let found = gateway.with_world(world.key, |session| {
        let pages = session.last_pages(LIMIT)?;
        let pages = pages.into_iter().map(|page| (page.status(session.now), page)).collect::<Vec<_>>();
        Ok((pages, session.last_payments(LIMIT)?))
    });
    let Some((pages, payments)) = found.await? else { return Ok(None) };
    let amount = |amount: Option<Amount>| amount.map(|amount| amount.to_string()).unwrap_or_default();
    let content = html! {
        h2 { "Pages" }
        table {
            caption.quiet { "The latest pages, newest first" }
            thead { tr { th scope="col" { "Page" } th scope="col" { "Kind" } th scope="col" { "Status" } } }
            tbody {
                @for (status, page) in &pages {
                    tr {
                        td { a href=(format!("/app/api/{}", page.request_id)) { (page.request_id) } }
                        td { (page.kind) }
                        td { (status.as_str()) }
                    }
                }
            }
        }
        h2 { "Payments" }
        table {
            caption.quiet { "Payments and refunds, newest first" }
            thead { tr {
                @for head in ["Payment", "When", "Status", "By", "Session", "Message"] { th scope="col" { (head) } }
                th.number scope="col" { "Amount" } th.number scope="col" { "Refund" }
            } }
            tbody {
                @for payment in &payments {
                    tr {
                        td { (payment.payment_id.as_ref().map_or("", |id| id.as_str())) }
                        td { (payment.payment_date_utc.as_ref().map(Timestamp::as_str).unwrap_or_default()) }
                        td { (payment.payment_status.as_ref().map_or("", PaymentStatus::as_str)) }
                        td { @if payment.payment_method_type == Some(PaymentKind::E_CHECK.into()) { "eCheck" } @else { "card" } }
                        td { (payment.session_id.as_deref().unwrap_or_default()) }
                        td { (payment.message.as_deref().unwrap_or_default()) }
                        td.number { (amount(payment.payment_amount)) }
                        td.number { (amount(payment.refund_amount)) }
                    }
                }
            }
        }
    };
    Ok(Some(world.page("ClientPay", &content)))
}
