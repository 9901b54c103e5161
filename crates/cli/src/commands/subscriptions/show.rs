//! `perennial subscriptions show` and `list`

use clap::Args;
use perennial::{Amount, NaiveDate};
use perennial_billing::{
    DayDecision, DayState, DeclineClass, DueDay, Member, Route, Stalled, Status, Subscription,
    SubscriptionChange, Term, TermStatus, Withheld, decline_class,
};
use perennial_journal::Error;
use perennial_journal::machine::{Intent, State};

use super::place::{Hold, Opened, Place};
use crate::context::Global;
use crate::failure::{Failure, Written};
use crate::lookup::Line;
use crate::output::lines::Lines;
use crate::output::{Output, Record};

/// The charges that are shown.
const NEXT: usize = 3;

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The id of the subscription
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Subscriptions whose id begins with this
    #[arg(value_name = "TEXT")]
    prefix: Option<String>,
    /// The number of subscriptions
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    place: Place,
}

/// A subscription and all that explains it.
pub(super) struct Shown {
    pub(super) member: Member,
    next: Vec<(NaiveDate, Amount)>,
    /// Due days that are collected or need a person.
    cases: Vec<Case>,
    /// The commands that show the open writes of plans, by the number of the term.
    plans: Vec<(i64, String)>,
    /// The reason why it does not move on, and the command that explains it.
    stalled: Option<(Stalled, String)>,
    hold: Option<Hold>,
    /// The command that ends the shadow.
    end_shadow: String,
}

impl Shown {
    pub(super) async fn of(
        opened: &Opened,
        place: &Place,
        global: &Global,
        id: &str,
    ) -> Result<Self, Failure> {
        let member = opened.billing.show(id).await?;
        let next = opened.billing.preview(id, NEXT).await?;
        let (mut cases, mut plans) = (Vec::new(), Vec::new());
        for due in member.days.values().filter(|due| DayState::CASES.contains(&due.state)) {
            cases.push(Case::of(opened, place, global, &member, due).await?);
        }
        for term in &member.terms {
            let Some(key) = member.key_of_term(term) else { continue };
            if opened.open_intent(&key).await?.is_some() {
                plans.push((term.number, place.show_intent(global, &key)));
            }
        }
        let stalled = member.stalled(opened.billing.today().await?);
        let stalled = stalled.map(|stalled| {
            let live = member.live();
            let open = plans.iter().find(|(number, _)| live.is_some_and(|term| term.number == *number));
            let plan = live.and_then(|term| term.plan.as_ref());
            let command = match (open, plan) {
                (Some((_, command)), _) => command.clone(),
                (None, Some(plan)) => {
                    Line::new("perennial plans get").word(plan.as_str()).again(&global.again)
                }
                (None, None) => place.on("perennial journal list").again(&global.again),
            };
            (stalled, command)
        });
        let hold = opened.hold(place, global).await?;
        let end_shadow = place.on("perennial subscriptions adopt").with("id", Some(id)).again(&global.again);
        Ok(Self { member, next, cases, plans, stalled, hold, end_shadow })
    }

    /// Whether days are due, and no plan and no sale charges them.
    fn lacks_plan(&self) -> bool {
        let mut days = self.member.days.values();
        self.member.live().is_none()
            && days.any(|day| day.state == DayState::Expected && day.route == Route::None)
    }

    /// Fails if the work on a decision is not complete.
    pub(super) async fn settled(
        &self,
        worked: Result<u64, perennial_billing::Error>,
        opened: &Opened,
        place: &Place,
        global: &Global,
    ) -> Result<(), Failure> {
        let why = match (worked, self.member.live().map(|term| term.status)) {
            (Err(error), _) => {
                format!("the work on it is not complete: {}", Failure::from(error).of_step())
            }
            _ if self.member.subscription.status == Status::Canceling => {
                "it is canceling: something of it is still open at the gateway".to_owned()
            }
            (_, Some(TermStatus::Closing)) => "its plan is not canceled yet".to_owned(),
            (_, Some(TermStatus::Planned | TermStatus::Suspended | TermStatus::Activating)) => {
                "its plan is not active yet".to_owned()
            }
            _ => match self.member.days.values().find(|due| due.was == Some(DayState::Expected)) {
                Some(due) => format!("the outcome of the sale of {} is not known yet", due.day),
                None if self.lacks_plan() => format!(
                    "the gateway has not made its plan, for a reason that is shown by: {}\n",
                    place.on("perennial journal list").again(&global.again)
                ),
                None => return Ok(()),
            },
        };
        Err(opened.unsettled(place, global, &self.member.subscription.id, &why).await)
    }

    fn print(&self, global: &Global) -> Result<(), Failure> {
        match global.output {
            Output::Table => Output::text(&self.screen()),
            output => output.record(&self.record()),
        }
    }

    /// Prints the subscription after a decision, which is stored even if it cannot be printed.
    pub(super) fn print_written(&self, global: &Global) -> Result<(), Failure> {
        self.print(global).map_err(|failure| match failure {
            Failure::Unprinted { error, .. } => {
                let object = Some(format!("subscription {}", self.member.subscription.id));
                Failure::Unprinted { error, written: Some(Written { object, exchange_id: None }) }
            }
            failure => failure,
        })
    }

    fn record(&self) -> Record {
        let subscription = &self.member.subscription;
        let day = |day: NaiveDate| day.to_string();
        let pause = subscription.pause;
        let next = self.next.iter().map(|(date, amount)| {
            Record::default().with("date", date.to_string()).with("payment-amount", *amount)
        });
        let cases = self.cases.iter().map(|case| {
            let moves = case.moves.iter().map(|(what, command)| {
                Record::default().with("what", *what).with("command", command.as_str())
            });
            due_record(None, &case.due).with("commands", moves.collect::<Vec<_>>())
        });
        let stalled = self.stalled.as_ref().map(|(stalled, command)| {
            Record::default()
                .with("day", day(stalled.day))
                .with("reason", stalled.reason.as_str())
                .with("command", command.as_str())
        });
        let plans = self.member.terms.iter().map(|term| {
            Record::default()
                .with("plan-key", term.plan.clone())
                .with("status", term.status.as_str())
                .with("first", term.first.to_string())
                .with("last", term.last.to_string())
                .with("payment-amount", term.amount)
                .with("token-id", term.token.clone())
                .with("command", self.command_of(term))
        });
        summary(subscription)
            .with("shadow", subscription.is_shadow.then_some(true))
            .with("generation", u64::try_from(subscription.generation).unwrap_or(0))
            .with("customer-key", subscription.customer.clone())
            .with("token-id", subscription.token.clone())
            .with("name", subscription.name.as_str())
            .with("from", day(subscription.from))
            .with("until", subscription.ends_on().map(day))
            .with("charges", subscription.charges.map(u64::from))
            .with("change", subscription.change.as_ref().map(changed))
            .with("pause-from", pause.map(|pause| day(pause.from)))
            .with("pause-until", pause.map(|pause| day(pause.until)))
            .with("pause-collects", pause.map(|pause| pause.collects))
            .with("next", next.collect::<Vec<_>>())
            .with(
                "hold",
                self.hold.as_ref().map(|hold| {
                    Record::default()
                        .with("reason", hold.reason.as_str())
                        .with("command", hold.command.as_str())
                }),
            )
            .with("stalled", stalled)
            .with("open", cases.collect::<Vec<_>>())
            .with("plans", plans.collect::<Vec<_>>())
    }

    fn screen(&self) -> String {
        let subscription = &self.member.subscription;
        let mut screen = Lines::default();
        screen.text("subscription", &subscription.id);
        screen.text("status", subscription.status.as_str());
        if subscription.is_shadow {
            screen.text("shadow", "nothing is written at the gateway; it ends with");
            screen.command("", &self.end_shadow);
        }
        screen.text("name", &subscription.name);
        screen.text("customer", subscription.customer.as_str());
        screen.text("token", subscription.token.as_str());
        screen.text("amount", &format!("{} on day {}", subscription.amount, subscription.day.get()));
        screen.text("from", &subscription.from.to_string());
        if let Some(last) = subscription.ends_on() {
            screen.text("until", &last.to_string());
        }
        if let Some(SubscriptionChange { from: Some(from), amount, token, day, .. }) = &subscription.change {
            let amount = amount.map(|amount| format!("{amount} "));
            let token = token.as_ref().map(|token| format!("by token {token} "));
            let day = day.map(|day| format!("on day {} ", day.get()));
            let parts = [amount, day, token].into_iter().flatten().collect::<String>();
            screen.text("change", &format!("{parts}from {from}"));
        }
        if let Some(pause) = subscription.pause {
            let then = if pause.collects { "; collected then" } else { "" };
            screen.text("pause", &format!("from {}, before {}{then}", pause.from, pause.until));
        }
        for (day, amount) in &self.next {
            // A date beside an amount can resemble a card number, which is masked.
            screen.text("next", &format!("{amount} on {day}"));
        }
        if let Some(Hold { reason, command }) = &self.hold {
            screen.text("hold", &format!("nothing is sent but cancellations of plans: {reason}"));
            screen.command("  end it", command);
        }
        if let Some(term) = self.member.live() {
            let plan = term.plan.as_ref().map_or("not made", |plan| plan.as_str());
            screen.text("plan", &format!("{plan}, {}, from {} to {}", term.status, term.first, term.last));
            if let Some(command) = self.command_of(term) {
                screen.command("  look", command);
            }
        }
        if let Some((stalled, command)) = &self.stalled {
            screen.text("stalled", &stalled.reason);
            let above = self.member.live().and_then(|term| self.command_of(term));
            if above != Some(command) {
                screen.command("  look", command);
            }
        }
        for Case { due, moves } in &self.cases {
            screen.text("open", &explained(due));
            for (what, command) in moves {
                screen.command(&format!("  {what}"), command);
            }
        }
        screen.finish()
    }

    /// The command that shows the open write of a term.
    fn command_of(&self, term: &Term) -> Option<&str> {
        let (_, command) = self.plans.iter().find(|(number, _)| *number == term.number)?;
        Some(command)
    }
}

/// A due day that is open, and the commands that move it on, each with a word for what it does.
struct Case {
    due: DueDay,
    moves: Vec<(&'static str, String)>,
}

impl Case {
    async fn of(
        opened: &Opened,
        place: &Place,
        global: &Global,
        member: &Member,
        due: &DueDay,
    ) -> Result<Self, Failure> {
        let (id, day) = (&member.subscription.id, due.day);
        let again = |line: Line| line.again(&global.again);
        let reason = |line: Line| again(line.with("reason", Some("TEXT")));
        let mut moves = Vec::new();
        let sale = match member.key_of_sale(due) {
            Some(key) => opened.open_intent(&key).await?,
            None => None,
        };
        if let Some(intent) = &sale {
            moves.push(("look", place.show_intent(global, &intent.key)));
            if intent.state == State::NeedsPerson {
                let resolve = |decision| {
                    place.on("perennial journal resolve").word(&intent.key).with("as", Some(decision))
                };
                moves.push(("if done", reason(resolve("done").with("id", Some("OBJECT")))));
                moves.push(("if not", reason(resolve("not-done"))));
            }
        } else if due.was.is_some() {
            moves.push(("move on", place.work(global)));
        }
        let of_card = matches!(decline_class(due.code.as_deref()), DeclineClass::Card | DeclineClass::Hard);
        let has_expired = due.reason.as_deref() == Some(Withheld::Expired.as_str());
        let is_open = sale.is_none() && due.was.is_none();
        if is_open && (of_card || has_expired) && member.subscription.status == Status::Active {
            let line = place.on("perennial subscriptions change").word(id).with("token-id", Some("TOKEN"));
            moves.push(("new card", again(line)));
        }
        let decided = |command| place.on(command).word(&format!("{id}/{day}"));
        let can = async |decision| opened.billing.preview_day(id, day, &decision).await.is_ok();
        if is_open && can(DayDecision::Collect).await {
            moves.push(("collect", reason(decided("perennial due-days collect"))));
        }
        if is_open && can(DayDecision::Waive).await {
            moves.push(("waive", reason(decided("perennial due-days waive"))));
            // What paid it may be found elsewhere.
            let line = decided("perennial due-days claim").with("transaction", Some("ID"));
            moves.push(("claim", reason(line)));
        }
        Ok(Self { due: due.clone(), moves })
    }
}

impl Opened {
    /// The intent of an operation key, if it is stored and open.
    async fn open_intent(&self, key: &str) -> Result<Option<Intent>, Failure> {
        match self.journal.intent(Some(&self.tenant), key).await {
            Ok(intent) => Ok(Some(intent).filter(|intent| !intent.state.is_final())),
            Err(Error::NoIntent(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A due day in a line: its state, and the reason.
fn explained(due: &DueDay) -> String {
    let code = due.code.as_ref().filter(|code| !code.is_empty()).map(|code| format!("result code {code}"));
    let next = due.next_try.map(|day| format!("next try on {day}"));
    let parts = [due.reason.clone(), code, next];
    let why: Vec<String> = parts.into_iter().flatten().collect();
    let end = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
    format!("{} on {}, {}{end}", due.amount, due.day, due.state)
}

/// A due day in a few members.
pub(in crate::commands) fn due_record(id: Option<&str>, due: &DueDay) -> Record {
    Record::default()
        .with("subscription", id)
        .with("day", due.day.to_string())
        .with("state", due.state.as_str())
        .with("payment-amount", due.amount)
        .with("paid", due.paid)
        .with("route", due.route.as_str())
        .with("tries", u64::try_from(due.tries).unwrap_or(0))
        .with("next-try", due.next_try.map(|day| day.to_string()))
        .with("result-code", due.code.clone().filter(|code| !code.is_empty()))
        .with("reason", due.reason.as_deref())
}

/// The members that a list has, too.
fn summary(subscription: &Subscription) -> Record {
    Record::default()
        .with("id", subscription.id.as_str())
        .with("status", subscription.status.as_str())
        .with("payment-amount", subscription.amount)
        .with("day", subscription.day)
}

impl Show {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let opened = self.place.open(global, &global.client().await?).await?;
        Shown::of(&opened, &self.place, global, &self.id).await?.print(global)
    }
}

/// A change that holds from a later day.
fn changed(change: &SubscriptionChange) -> Record {
    Record::default()
        .with("from", change.from.map(|from| from.to_string()))
        .with("payment-amount", change.amount)
        .with("token-id", change.token.clone())
        .with("day", change.day.map(|day| u64::from(day.get())))
}

/// Columns of a list of subscriptions, the most important first.
const SUBSCRIPTIONS: &[&str] = &["id", "status", "payment-amount", "day", "next"];

impl List {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let opened = self.place.open(global, &global.client().await?).await?;
        let mut rows = Vec::new();
        let prefix = self.prefix.unwrap_or_default();
        for subscription in opened.billing.list(&prefix, self.limit).await? {
            let next = match subscription.status {
                Status::Ended => None,
                _ => opened.billing.preview(&subscription.id, 1).await?.pop(),
            };
            rows.push(summary(&subscription).with("next", next.map(|(day, _)| day.to_string())));
        }
        global.output.rows(SUBSCRIPTIONS, rows)
    }
}
