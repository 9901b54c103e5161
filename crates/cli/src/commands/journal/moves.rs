//! The commands that move an intent on.

use perennial::Environment;
use perennial::keys::Profile;
use perennial_journal::machine::{Intent, Rules, State, Write};
use perennial_journal::store::Tenant;
use serde_json::Value as Json;

use crate::commands::once::{Database, Tenancy, merchant_at_clientpay};
use crate::context::Global;
use crate::lookup::Line;

/// A command, and a word for what it does.
pub(super) struct Move {
    pub(super) what: &'static str,
    pub(super) command: String,
}

/// Commands about the intents of a tenant, with the options of this run.
pub(super) struct Moves<'a> {
    pub(super) global: &'a Global,
    pub(super) tenancy: &'a Tenancy,
    pub(super) database: &'a Database,
    pub(super) tenant: &'a Tenant,
}

/// Whether no look could tell the result for so long that a person may decide it.
fn is_overdue(intent: &Intent) -> bool {
    intent.history.last_look.is_some_and(|looked| intent.is_overdue(looked, &Rules::default()))
}

impl Moves<'_> {
    /// The commands that move an intent on. `ahead` is an open write to the same object.
    pub(super) fn of(&self, intent: &Intent, ahead: Option<&Intent>) -> Vec<Move> {
        let look = || Move { what: "move it on", command: self.look(intent) };
        let withdraw = || self.decision("take it back", "perennial journal withdraw", intent, "");
        match intent.state {
            State::Planned if self.tenant.hold.is_some() => {
                let command = format!("{} --reason TEXT", self.hold_off());
                vec![Move { what: "move it on", command }, withdraw()]
            }
            State::Planned => {
                let first = ahead.map(|ahead| Move { what: "waits for", command: self.show(ahead) });
                first.into_iter().chain([look(), withdraw()]).collect()
            }
            State::Unknown if is_overdue(intent) => [look()].into_iter().chain(self.decide(intent)).collect(),
            State::Sending | State::Unknown => vec![look()],
            State::NeedsCard => {
                let command = format!("the command that made it, again, with the {}", intent.write.secret());
                vec![Move { what: "move it on", command }, withdraw()]
            }
            State::NeedsPerson if intent.history.spares.len() > 1 => self.keep_one(intent),
            State::NeedsPerson => self.decide(intent),
            _ => Vec::new(),
        }
    }

    /// The command that shows an intent.
    pub(super) fn show(&self, intent: &Intent) -> String {
        self.again(&self.database.on("perennial journal show").word(&intent.uid))
    }

    /// The command that takes the next step of an intent.
    fn look(&self, intent: &Intent) -> String {
        self.again(&self.at(self.database.on("perennial journal look")).word(&intent.uid))
    }

    /// The command that works on everything of the merchant.
    pub(super) fn run(&self) -> String {
        let merchant = merchant_at_clientpay(&self.tenant.name).unwrap_or(&self.tenant.name);
        let line = self.at(self.database.on("perennial journal run"));
        let line = if self.is_profile() { line } else { line.with("tenant", Some(merchant)) };
        format!("{} --until-idle", self.again(&line))
    }

    /// The command that accepts the database as it is.
    pub(super) fn adopt(&self) -> String {
        self.again(&self.at(self.database.on("perennial journal adopt")))
    }

    /// The command that ends the hold.
    pub(super) fn hold_off(&self) -> String {
        self.again(&self.database.on("perennial hold off").with("tenant", Some(&self.tenant.name)))
    }

    fn decision(&self, what: &'static str, line: &'static str, intent: &Intent, more: &str) -> Move {
        let line = self.again(&self.database.on(line).word(&intent.uid));
        Move { what, command: format!("{line}{more} --reason TEXT") }
    }

    /// Commands for a person who has to find out whether it was done.
    fn decide(&self, intent: &Intent) -> Vec<Move> {
        let resolve = |what, more: &str| self.decision(what, "perennial journal resolve", intent, more);
        let command = match check(intent) {
            Some(line) => self.again(&self.gateway(line)),
            None => format!(
                "the gateway has no read that tells: look in its portal, or ask its support{}",
                intent
                    .history
                    .request_id
                    .as_ref()
                    .map(|id| format!(" about request {id}"))
                    .unwrap_or_default()
            ),
        };
        let id = intent.outcome.as_ref().and_then(|outcome| outcome.id.as_deref()).unwrap_or("OBJECT");
        let mut moves = vec![
            Move { what: "check", command },
            resolve("if done", &format!(" --as done --id {id}")),
            resolve("if not", " --as not-done"),
        ];
        if intent.can_be_resent() {
            moves.push(resolve("or once more", " --as send-again"));
        }
        moves
    }

    /// Commands for a person about an effect that the gateway has several times: the oldest is kept.
    fn keep_one(&self, intent: &Intent) -> Vec<Move> {
        let mut ids = intent.history.spares.iter();
        let kept = ids.next().map(String::as_str).unwrap_or_default();
        let spares = ids.map(|id| {
            let line = match intent.write {
                Write::Pay => self.database.on("perennial clientpay refund"),
                _ => self.database.on("perennial transactions void"),
            };
            let line = self.at(line).with("operation-key", Some(format!("spare/{id}"))).word(id);
            Move { what: "take back", command: self.again(&line) }
        });
        let check =
            check(intent).map(|line| Move { what: "check", command: self.again(&self.gateway(line)) });
        let more = format!(" --as done --id {kept}");
        let keep = self.decision("then keep", "perennial journal resolve", intent, &more);
        check.into_iter().chain(spares).chain([keep]).collect()
    }

    fn is_clientpay(&self) -> bool {
        merchant_at_clientpay(&self.tenant.name).is_some()
    }

    /// Whether the tenant is taken for a profile: its name can be one, and this run has no other key.
    fn is_profile(&self) -> bool {
        let has_name = self.global.profile().is_some() || !self.tenancy.is_given() && !self.global.has_key();
        !self.is_clientpay() && has_name && self.tenant.name.parse::<Profile>().is_ok()
    }

    /// Adds the options of this run. A profile has a key of Clearent.
    fn again(&self, line: &Line) -> String {
        if self.is_clientpay() {
            line.again(&self.global.again.without("profile"))
        } else {
            line.again(&self.global.again)
        }
    }

    /// Adds the gateway to a command, if the options of this run do not name one.
    fn gateway(&self, line: Line) -> Line {
        let (global, host) = (self.global, self.tenant.host.as_str());
        if global.names_environment() || !self.is_clientpay() && global.profile().is_some() {
            return line;
        }
        if self.is_profile() {
            return line.with("profile", Some(&self.tenant.name));
        }
        let known = [Environment::Sandbox, Environment::Production];
        match known.iter().find(|known| [known.base_url(), known.clientpay_base_url()].contains(&host)) {
            Some(known) => line.with("environment", Some(known)),
            None => line.with("base-url", Some(host)),
        }
    }

    /// Adds the gateway and the clock to a command that takes a step. A gateway without TLS is a sandbox.
    fn at(&self, line: Line) -> Line {
        let clock = self.tenant.host.starts_with("http://").then_some("sandbox");
        self.gateway(line).with("clock", clock)
    }
}

/// The command that shows what the gateway has.
fn check(intent: &Intent) -> Option<Line> {
    let (_, id) = intent.object.split_once('/')?;
    let id = id.split_once('/').map_or(id, |(id, _)| id);
    let request: Json = serde_json::from_str(&intent.request).unwrap_or_default();
    let text = |name: &str| request[name].as_str().map(str::to_owned);
    let request_id = intent.history.request_id.as_deref();
    Some(match intent.write {
        Write::CreateCustomer => Line::new("perennial customers get").word(&text("customer-key")?),
        Write::UpdateCustomer | Write::DeleteCustomer => Line::new("perennial customers get").word(id),
        Write::AttachToken | Write::UpdateCustomerToken => {
            Line::new("perennial customers tokens list").word(id)
        }
        Write::CreateToken => Line::new("perennial tokens search"),
        Write::UpdateToken | Write::DeleteToken => Line::new("perennial tokens get").word(id),
        Write::CreatePlan => Line::new("perennial plans search").with("customer-key", text("customer-key")),
        Write::UpdatePlan | Write::DeletePlan => Line::new("perennial plans get").word(id),
        Write::Sale | Write::Auth | Write::Refund => {
            let line = Line::new("perennial transactions search").with("level", Some("merchant"));
            line.with("order-id", Some(&intent.mark))
        }
        Write::Capture => {
            Line::new("perennial transactions search").with("type", Some("CAPTURE")).with("ref-id", Some(id))
        }
        Write::Void | Write::UpdateTransaction => Line::new("perennial transactions get").word(id),
        Write::SettleBatch => Line::new("perennial batches list"),
        Write::Pay => match request_id {
            Some(_) => Line::new("perennial clientpay search").with("request-id", request_id),
            None => Line::new("perennial clientpay search").with("session-id", Some(&intent.mark)),
        },
        Write::RefundPayment => Line::new("perennial clientpay search").with("payment-id", Some(id)),
        _ => return None,
    })
}
