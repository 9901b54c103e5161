//! All worlds of the sandbox, and the way into one by its key.

use http::StatusCode;
use maud::html;
use perennial_domain::clearent::ApiKey;

use super::{Answered, layout, problem, token};
use crate::clearent;
use crate::clock::Moment;
use crate::form::Form;
use crate::gateway::Gateway;
use crate::store::StoreError;
use crate::world::clock_of;

/// The most worlds on the page: the newest.
const MOST: u32 = 200;

struct Line {
    number: i64,
    now: Moment,
    mode: &'static str,
    /// Customers, plans, payments.
    counts: [u64; 3],
}

pub(super) async fn page(gateway: &Gateway) -> Result<Answered, StoreError> {
    let lines = gateway.store.run(|connection| {
        let sql = "SELECT id, mode, at,
            (SELECT made - gone FROM tallies WHERE world = id AND kind = 'customers') AS customers,
            (SELECT made - gone FROM tallies WHERE world = id AND kind = 'plans') AS plans,
            (SELECT made - gone FROM tallies WHERE world = id AND kind = 'payments') AS payments
            FROM worlds ORDER BY id DESC LIMIT ?";
        let mut statement = connection.prepare_cached(sql)?;
        let lines = statement.query_map([MOST], |row| {
            let clock = clock_of(row)?;
            let count =
                |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<u64>>(column)?.unwrap_or_default());
            Ok(Line {
                number: row.get("id")?,
                now: clock.now(Moment::real()),
                mode: clock.mode().as_str(),
                counts: [count("customers")?, count("plans")?, count("payments")?],
            })
        })?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    });
    let lines = lines.await?;
    let content = html! {
        p { "Each key sees a world of its own. The newest come first." }
        table {
            caption.quiet { "Worlds" }
            thead { tr {
                th scope="col" { "World" } th scope="col" { "Clock" }
                th.number scope="col" { "Customers" } th.number scope="col" { "Plans" } th.number scope="col" { "Payments" }
                th.number scope="col" { "Requests" }
            } }
            tbody {
                @for Line { number, now, mode, counts } in &lines {
                    tr {
                        th scope="row" { a href=(format!("/console/worlds/{number}")) { "World " (number) } }
                        td { (now) " " (mode) }
                        @for count in counts { td.number { (count) } }
                        td.number { (gateway.requests.last_exchange(*number)) }
                    }
                }
            }
        }
        h2 { "Open by key" }
        form method="post" action="/console/open" {
            (token())
            label { "API key " input type="password" name="api-key" autocomplete="off" required; }
            button { "Open" }
        }
        h2 { "Make one" }
        pre { "curl -X POST $SANDBOX/_sandbox/worlds -d '{\"seed\":7}'" }
    };
    let navigation = html! { nav aria-label="Console" { p { "Perennial sandbox" } } };
    Ok(Answered::Page(StatusCode::OK, layout("Worlds", &navigation, &content)))
}

/// Goes to the world of a key. The key is in the body, so that no log and no history has it.
pub(super) async fn open(gateway: &Gateway, form: &Form) -> Result<Answered, StoreError> {
    let refused = || problem(StatusCode::BAD_REQUEST, "This key opens no world.");
    let Ok(key) = ApiKey::new(form.text("api-key")) else { return Ok(refused()) };
    let world = gateway.with_world(clearent::knock_with(&key), |ledger| Ok(ledger.world)).await?;
    Ok(world.map_or_else(refused, |world| Answered::See(format!("/console/worlds/{world}"))))
}
