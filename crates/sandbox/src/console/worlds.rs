//! All worlds of the sandbox, and a form that opens one by its key.

use http::StatusCode;
use maud::html;
use perennial_domain::clearent::ApiKey;
use rusqlite::OptionalExtension;

use super::{ConsoleResponse, layout, problem, token};
use crate::clearent;
use crate::clock::Moment;
use crate::form::Form;
use crate::gateway::Gateway;
use crate::store::StoreError;
use crate::store::world::clock_of;

/// The maximum number of worlds on the page, newest first.
const MOST: u32 = 200;

struct Line {
    number: i64,
    now: Moment,
    mode: &'static str,
    /// The seed of a world that was created on request; `None` for a world that began at the first use of its key.
    seed: Option<u64>,
    /// The last four characters of its API key, if a key opened it.
    key_end: Option<String>,
    counts: Vec<u64>,
}

/// Counted kinds of objects, with the heads of their columns.
const COUNTED: [(&str, &str); 6] = [
    ("customers", "Customers"),
    ("tokens", "Tokens"),
    ("plans", "Plans"),
    ("payments", "Payments"),
    ("transactions", "Transactions"),
    ("clientpay_payments", "ClientPay"),
];

pub(super) async fn page(gateway: &Gateway) -> Result<ConsoleResponse, StoreError> {
    let lines = gateway.store.run(|connection| {
        let sql = "SELECT id, mode, at, seed, asked_for, key_end FROM worlds ORDER BY id DESC LIMIT ?";
        let mut statement = connection.prepare_cached(sql)?;
        let mut tally =
            connection.prepare_cached("SELECT made - gone FROM tallies WHERE world = ? AND kind = ?")?;
        let lines = statement.query_map([MOST], |row| {
            let (clock, number) = (clock_of(row)?, row.get("id")?);
            let mut count = |(kind, _): (&str, &str)| {
                Ok::<_, rusqlite::Error>(
                    tally.query_row((number, kind), |row| row.get(0)).optional()?.unwrap_or(0),
                )
            };
            Ok(Line {
                number,
                now: clock.now(Moment::real()),
                mode: clock.mode().as_str(),
                seed: row.get::<_, bool>("asked_for")?.then_some(row.get::<_, i64>("seed")?.cast_unsigned()),
                key_end: row.get("key_end")?,
                counts: COUNTED.into_iter().map(&mut count).collect::<rusqlite::Result<_>>()?,
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
                th scope="col" { "World" } th scope="col" { "API key" } th.number scope="col" { "Seed" } th scope="col" { "Clock" }
                @for (_, name) in COUNTED { th.number scope="col" { (name) } }
                th.number scope="col" { "Requests" }
            } }
            tbody {
                @for Line { number, now, mode, seed, key_end, counts } in &lines {
                    tr {
                        th scope="row" { a href=(format!("/console/worlds/{number}")) { "World " (number) } }
                        td { @match key_end { Some(end) => { code { "…" (end) } }, None => "ClientPay account" } }
                        td.number { @match seed { Some(seed) => (seed), None => "of its key" } }
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
        h2 { "Create a world" }
        pre { "curl -X POST $SANDBOX/_sandbox/worlds -d '{\"seed\":7}'" }
    };
    let navigation = html! { nav aria-label="Console" { p { "Perennial sandbox" } } };
    Ok(ConsoleResponse::Page(StatusCode::OK, layout("Worlds", &navigation, &content)))
}

/// Redirects to the world of a key. The key is in the body, so that no log and no history records it.
pub(super) async fn open(gateway: &Gateway, form: &Form) -> Result<ConsoleResponse, StoreError> {
    let refused = || problem(StatusCode::BAD_REQUEST, "This key opens no world.");
    let Ok(key) = ApiKey::new(form.text("api-key")) else { return Ok(refused()) };
    let world = gateway.with_world(clearent::key_with(&key), |session| Ok(session.world)).await?;
    Ok(world.map_or_else(refused, |world| ConsoleResponse::See(format!("/console/worlds/{world}"))))
}
