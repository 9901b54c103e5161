//! The console: HTML pages of the sandbox's worlds. It offers people the functions of the `control` interface.
//!
//! Pages are rendered on the server and need no script. Changes are forms that are posted with a token that only these
//! pages have; the answer is a redirect.

mod calendar;
mod chart;
mod clientpay;
mod faults;
mod money;
mod names;
mod people;
mod requests;
mod webhook;
mod world;
mod worlds;

use std::sync::{Arc, LazyLock};

use http::{Method, StatusCode};
use maud::{DOCTYPE, Markup, html};
use rusqlite::OptionalExtension;

use crate::clock::{Mode, Moment};
use crate::form::Form;
use crate::gateway::Gateway;
use crate::page_text::plain;
use crate::seed::Seed;
use crate::store::StoreError;
use crate::store::world::WorldKey;

static STYLE: LazyLock<String> = LazyLock::new(|| include_str!("style.css").to_owned() + &faults::STYLE);
const ICON: &str = include_str!("icon.svg");

/// The content security policy: only our style sheet and icon.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The token in every form of the console, so that no other page can post one.
static TOKEN: LazyLock<String> = LazyLock::new(|| Seed::fresh().hex("console"));

/// A response to a browser.
pub(crate) enum ConsoleResponse {
    Page(StatusCode, String),
    /// A static file and its content type.
    File(&'static str, &'static str),
    /// A redirect to a page that the browser then gets.
    See(String),
}

/// A request that a browser makes.
pub(crate) struct ConsoleRequest<'a> {
    pub(crate) method: &'a Method,
    /// The parts of the path after `/console`.
    pub(crate) segments: &'a [&'a str],
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

/// Answers a request for a page.
pub(crate) async fn answer(
    gateway: &Arc<Gateway>,
    request: ConsoleRequest<'_>,
) -> Result<ConsoleResponse, StoreError> {
    let ConsoleRequest { method, segments, query, body } = request;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let form = Form::of(if reads { query.as_bytes() } else { body });
    if !reads && *method != Method::POST {
        return Ok(problem(StatusCode::METHOD_NOT_ALLOWED, "Pages are read, and forms are posted."));
    }
    if !reads && form.text("token") != *TOKEN {
        return Ok(problem(
            StatusCode::FORBIDDEN,
            "This form is out of date: go back, load the page again, and send it once more.",
        ));
    }
    if let Some(field) = form.misplaced_card() {
        let message = format!("The field {field} {}.", crate::mask::MISPLACED_CARD);
        return Ok(problem(StatusCode::BAD_REQUEST, &message));
    }
    match (reads, segments) {
        (true, ["style.css"]) => return Ok(ConsoleResponse::File("text/css; charset=utf-8", &STYLE)),
        (true, ["icon.svg"]) => return Ok(ConsoleResponse::File("image/svg+xml", ICON)),
        (true, []) => return worlds::page(gateway).await,
        (false, ["open"]) => return worlds::open(gateway, &form).await,
        _ => {}
    }
    let ["worlds", number, rest @ ..] = segments else { return Ok(missing()) };
    let Some(world) = World::find(gateway, number).await? else { return Ok(missing()) };
    let found = match (reads, rest) {
        (true, []) => world::page(gateway, &world, None).await?,
        (false, ["clock"]) => world::change_clock(gateway, &world, &form).await?,
        (false, ["snapshot"]) => world::snapshot(gateway, &world).await?,
        (false, ["restore"]) => world::restore(gateway, &world, &form).await?,
        (true, ["customers"]) => people::list(gateway, &world, &form).await?,
        (true, ["customers", key]) => people::customer(gateway, &world, key).await?,
        (true, ["plans"]) => money::plans(gateway, &world, &form).await?,
        (true, ["plans", key]) => calendar::page(gateway, &world, key).await?,
        (true, ["payments"]) => money::payments(gateway, &world, &form).await?,
        (true, ["transactions"]) => money::transactions(gateway, &world, &form).await?,
        (true, ["batches"]) => money::batches(gateway, &world, &form).await?,
        (true, ["webhook"]) => webhook::page(gateway, &world, &Form::default(), None).await?,
        (false, ["webhook"]) => webhook::set(gateway, &world, &form).await?,
        (false, ["webhook", "remove"]) => webhook::remove(gateway, &world).await?,
        (true, ["clientpay"]) => clientpay::page(gateway, &world).await?,
        (true, ["requests"]) => Some(requests::page(gateway, &world)),
        (true, ["faults"]) => faults::page(gateway, &world, &Form::default(), None).await?,
        (false, ["faults"]) => faults::set(gateway, &world, &form).await?,
        (false, ["faults", "clear"]) => faults::clear(gateway, &world, &form).await?,
        _ => None,
    };
    Ok(found.unwrap_or_else(missing))
}

/// A page, or `None` if its object does not exist.
type Found = Result<Option<ConsoleResponse>, StoreError>;

/// The world that a page shows.
struct World {
    number: i64,
    key: WorldKey,
    now: Moment,
    mode: Mode,
}

impl World {
    async fn find(gateway: &Gateway, number: &str) -> Result<Option<Self>, StoreError> {
        let Ok(number) = number.parse::<i64>() else { return Ok(None) };
        let hash = gateway.store.run(move |connection| {
            let mut hash = connection.prepare_cached("SELECT key_hash FROM worlds WHERE id = ?")?;
            hash.query_row([number], |row| row.get(0)).optional()
        });
        let Some(hash) = hash.await? else { return Ok(None) };
        // Anyone on this machine may view a world; an existing world was opened by its key.
        let key = WorldKey::of(hash);
        let clock = gateway.with_world(key, |session| Ok((session.now, session.clock.mode()))).await?;
        Ok(clock.map(|(now, mode)| Self { number, key, now, mode }))
    }

    fn path(&self, page: &str) -> String {
        let number = self.number;
        if page.is_empty() {
            format!("/console/worlds/{number}")
        } else {
            format!("/console/worlds/{number}/{page}")
        }
    }

    /// A page of this world, with links to its other pages.
    fn page(&self, title: &str, content: &Markup) -> ConsoleResponse {
        ConsoleResponse::Page(StatusCode::OK, self.laid_out(title, content))
    }

    /// The page with the form again, and the error.
    fn refused(&self, title: &str, content: &Markup) -> ConsoleResponse {
        ConsoleResponse::Page(StatusCode::BAD_REQUEST, self.laid_out(title, content))
    }

    fn laid_out(&self, title: &str, content: &Markup) -> String {
        const PAGES: [(&str, &str); 10] = [
            ("", "Overview"),
            ("customers", "Customers"),
            ("plans", "Plans"),
            ("payments", "Payments"),
            ("transactions", "Transactions"),
            ("batches", "Batches"),
            ("clientpay", "ClientPay"),
            ("webhook", "Webhook"),
            ("requests", "Requests"),
            ("faults", "Faults"),
        ];
        let navigation = html! {
            nav aria-label="World" {
                p { a href="/console" { "Worlds" } " / World " (self.number) " · "
                    span.clock { (self.now) " " (self.mode.as_str()) } }
                ul {
                    @for (page, name) in PAGES {
                        li { a href=(self.path(page)) aria-current=[(name == title).then_some("page")] { (name) } }
                    }
                }
            }
        };
        layout(title, &navigation, content)
    }
}

fn layout(title: &str, navigation: &Markup, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " - Perennial sandbox" }
                link rel="stylesheet" href="/console/style.css";
                link rel="icon" href="/console/icon.svg" type="image/svg+xml";
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header { (navigation) }
                main id="content" tabindex="-1" { h1 { (title) } (content) }
            }
        }
    };
    plain(page.into_string())
}

fn problem(status: StatusCode, message: &str) -> ConsoleResponse {
    let navigation = html! { nav aria-label="Console" { p { a href="/console" { "Worlds" } } } };
    let title = status.canonical_reason().unwrap_or("Problem");
    ConsoleResponse::Page(status, layout(title, &navigation, &html! { p { (message) } }))
}

fn missing() -> ConsoleResponse {
    problem(StatusCode::NOT_FOUND, "There is no such page, or its object was deleted.")
}

/// The error of a form, shown first.
fn problem_alert(problem: Option<&str>) -> Markup {
    html! { @if let Some(problem) = problem { p.problem role="alert" { (problem) } } }
}

/// The hidden member of every form.
fn token() -> Markup {
    html! { input type="hidden" name="token" value=(*TOKEN); }
}
