//! Every interleaving of two workers over one intent: crashes, pauses, lost answers, late effects, index lag and
//! restored databases. Breadth first, so that a failure is the shortest one.
//!
//! The real [`step`] runs on the row. The rules of the store and the driver (claims, fences, the check at the socket)
//! are switches here, so that a build without one of them is caught by name.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::*;

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule that can be left out")]
struct Config {
    write: Write,
    /// The last tick.
    end: i64,
    /// Ticks after the last byte within which an effect can land.
    late: i64,
    /// Ticks for which searches lack an object.
    lag: i64,
    lease: i64,
    rules: Rules,
    /// Whether the answer can be a refusal.
    refuses: bool,
    /// The tick from which searches of this gateway find nothing, the control object included.
    blind_from: i64,
    /// Whether the database is once put back to the state before the first attempt.
    restores: bool,
    /// Ticks after a restore in which nothing is sent.
    quiet: i64,
    /// The tick from which nothing is sent.
    send_before: i64,
    /// Ticks after which the gateway forgets.
    retention: i64,
    /// Whether all effects land within the window, so that an absence is the truth.
    punctual: bool,
    // The rules of the shell.
    fences: bool,
    stores_first: bool,
    checks_send_by: bool,
    checks_control: bool,
    /// Whether a control object counts that was found before the search.
    takes_old_control: bool,
    marks_restored: bool,
    // Rules of the machine that can be left out.
    looks_before_activation: bool,
    doubts_later_refusals: bool,
    keeps_money: bool,
}

fn ticks(ticks: i64) -> Duration {
    Duration::from_secs(ticks.unsigned_abs())
}

fn at(tick: i64) -> Moment {
    Moment::from_millis(tick * 1_000)
}

impl Config {
    fn of(write: Write) -> Self {
        let rules = Rules {
            send_within: ticks(1),
            latest_effect: ticks(2),
            index_lag: ticks(1),
            retention: ticks(1_000),
            retention_margin: ticks(0),
            clock_apart: ticks(1_000),
            attempts: 2,
            card_within: ticks(100),
            probed_within: ticks(100),
            undecided_within: ticks(1_000),
            listed_within: ticks(100),
            least_wait: ticks(1),
            first_look_wait: ticks(1),
            longest_look_wait: ticks(1),
            rechecks: Vec::new(),
        };
        Self {
            write,
            end: 7,
            late: 2,
            lag: 1,
            lease: 1,
            rules,
            refuses: false,
            blind_from: 1_000,
            restores: false,
            quiet: 0,
            send_before: 100,
            retention: 1_000,
            punctual: true,
            fences: true,
            stores_first: true,
            checks_send_by: true,
            checks_control: true,
            takes_old_control: false,
            marks_restored: true,
            looks_before_activation: true,
            doubts_later_refusals: true,
            keeps_money: true,
        }
    }

    fn intent(&self) -> Intent {
        Intent {
            uid: "1".into(),
            tenant: "t".into(),
            key: "k".into(),
            write: self.write,
            object: "m".into(),
            request: String::new(),
            fingerprint: String::new(),
            mark: "m".into(),
            is_stop: false,
            needs_card: false,
            activates: self.write.is_two_phase(),
            precondition: None,
            send_before: at(self.send_before),
            state: State::Planned,
            fence: 0,
            lease_until: None,
            next: Some(at(0)),
            history: History::default(),
            outcome: None,
            created: at(0),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Worker {
    Idle,
    /// It may send until this tick.
    Go {
        fence: i64,
        send_by: i64,
    },
    /// It has sent its attempt, the effect of which has this number.
    Waits {
        fence: i64,
        sent: u32,
    },
    /// It has seen these effects at this tick.
    Looks {
        fence: i64,
        seen: Vec<u32>,
        at: i64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    t: i64,
    row: Intent,
    workers: [Worker; 2],
    /// Requests on their way: the number and the tick of the last byte.
    flying: Vec<(u32, i64)>,
    /// Effects: the number and the tick.
    landed: Vec<(u32, i64)>,
    /// Attempts that the gateway refused.
    refused: Vec<u32>,
    sent: u32,
    restored: Option<i64>,
    /// Plans that were activated.
    activated: Vec<String>,
    canceled: Vec<String>,
}

impl World {
    fn new(config: &Config) -> Self {
        Self {
            t: 0,
            row: config.intent(),
            workers: [Worker::Idle, Worker::Idle],
            flying: Vec::new(),
            landed: Vec::new(),
            refused: Vec::new(),
            sent: 0,
            restored: None,
            activated: Vec::new(),
            canceled: Vec::new(),
        }
    }

    /// Applies an event under a claim, as the store does.
    fn apply(&mut self, config: &Config, fence: i64, event: Event) -> Option<Command> {
        if config.fences && self.row.fence != fence {
            return None;
        }
        let stepped = step(&self.row, event, at(self.t), &config.rules);
        self.row = stepped.intent;
        // The texts and counters of looks tell nothing new.
        self.row.history.looks = 0;
        self.row.history.last_look = None;
        self.row.history.reason = None;
        if self.leaves_a_rule_out(config) {
            return None;
        }
        let mut next = None;
        for command in stepped.commands {
            match command {
                Command::Activate(id) => self.activated.push(id),
                Command::CancelSpare(id) => self.canceled.push(id),
                Command::Hold(_) => {}
                command => next = Some(command),
            }
        }
        next
    }

    /// Stores what a machine without one of its rules would store; whether it differs.
    fn leaves_a_rule_out(&mut self, config: &Config) -> bool {
        let last = self.row.history.attempts.last().and_then(|last| last.judged);
        let state = match (self.row.state, last) {
            (State::Unknown, Some(Judged::Done)) if !config.looks_before_activation => {
                self.activated.extend(self.row.history.candidate.clone());
                State::Done
            }
            (State::Unknown, Some(Judged::Refused)) if !config.doubts_later_refusals => State::Refused,
            (State::NeedsPerson, Some(Judged::Absent)) if !config.keeps_money => State::Planned,
            _ => return false,
        };
        self.row.next = (state == State::Planned).then(|| at(self.t));
        self.row.state = state;
        true
    }

    fn visible(&self, config: &Config) -> Vec<u32> {
        if config.blind_from <= self.t {
            return Vec::new();
        }
        let seen = self.landed.iter();
        let seen = seen.filter(|(_, t)| t + config.lag <= self.t && self.t - t < config.retention);
        seen.map(|(number, _)| *number).collect()
    }

    fn look(&self, config: &Config, seen: &[u32], tick: i64) -> Event {
        let found = seen.iter().map(|number| Seen {
            object: Object { id: Some(number.to_string()), value: None },
            verdict: Verdict::Done,
        });
        let is_found = tick < config.blind_from
            || !config.checks_control
            || config.takes_old_control && config.blind_from > 0;
        let control = is_found && self.row.absence_may_count();
        Event::Looked(Look::Seen { at: Some(at(tick)), control, found: found.collect() })
    }

    #[expect(clippy::too_many_lines, reason = "a table of what can happen")]
    fn after(&self, config: &Config) -> Vec<(String, Self)> {
        let mut next = Vec::new();
        let mut go = |label: String, change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            next.push((label, world));
        };
        if self.t < config.end {
            go(format!("t{}", self.t + 1), &|w| {
                w.t += 1;
                let t = w.t;
                w.flying.retain(|(_, sent)| sent + config.late >= t);
            });
        }
        for (index, (number, _)) in self.flying.iter().enumerate() {
            go(format!("effect {number} lands"), &|w| {
                let (number, _) = w.flying.remove(index);
                w.landed.push((number, w.t));
            });
            if config.refuses {
                go(format!("{number} is refused"), &|w| {
                    let (number, _) = w.flying.remove(index);
                    w.refused.push(number);
                });
            }
        }
        if config.restores && self.restored.is_none() && self.sent > 0 {
            go("the database is put back".into(), &|w| {
                w.row = Intent { fence: w.row.fence, ..config.intent() };
                w.row.history.restored = config.marks_restored.then(|| at(w.t + config.quiet));
                w.workers = [Worker::Idle, Worker::Idle];
                w.restored = Some(w.t);
            });
        }
        for (index, worker) in self.workers.iter().enumerate() {
            let name = ["A", "B"][index];
            if *worker != Worker::Idle {
                go(format!("{name} dies"), &|w| w.workers[index] = Worker::Idle);
            }
            match worker {
                Worker::Idle => {
                    let is_due = self.row.next.is_some_and(|next| next <= at(self.t))
                        || self.row.state == State::Sending;
                    let is_free = self.row.lease_until.is_none_or(|end| end < at(self.t));
                    let is_quiet = self.restored.is_some_and(|t| self.t < t + config.quiet);
                    if !self.row.state.is_final()
                        && self.row.state != State::NeedsPerson
                        && is_due
                        && is_free
                        && !is_quiet
                    {
                        go(format!("{name} takes its turn"), &|w| {
                            w.row.fence += 1;
                            w.row.lease_until = Some(at(w.t + config.lease));
                            let fence = w.row.fence;
                            let before = w.row.clone();
                            let command = w.apply(
                                config,
                                fence,
                                Event::Turn { is_fresh: w.restored.is_none(), has_card: true },
                            );
                            w.workers[index] = match command {
                                Some(Command::Send) => {
                                    if !config.stores_first {
                                        w.row = before;
                                    }
                                    Worker::Go { fence, send_by: w.t + 1 }
                                }
                                Some(_) => Worker::Looks { fence, seen: w.visible(config), at: w.t },
                                None => Worker::Idle,
                            };
                            if w.workers[index] == Worker::Idle {
                                w.row.lease_until = None;
                            }
                        });
                    }
                }
                &Worker::Go { fence, send_by } => {
                    if self.t <= send_by || !config.checks_send_by {
                        go(format!("{name} sends"), &|w| {
                            w.sent += 1;
                            w.flying.push((w.sent, w.t));
                            w.workers[index] = Worker::Waits { fence, sent: w.sent };
                        });
                    } else {
                        go(format!("{name} is too late"), &|w| {
                            let said = Said::NotDone { reason: String::new(), wait: ticks(1), hold: false };
                            w.apply(config, fence, Event::Answered(Answer { said, exchange_id: None }));
                            w.row.lease_until = None;
                            w.workers[index] = Worker::Idle;
                        });
                    }
                }
                &Worker::Waits { fence, sent } => {
                    let mut answers = vec![("loses the answer", Said::Unknown(String::new()))];
                    if self.landed.iter().any(|(number, _)| *number == sent) {
                        let object = Object { id: Some(sent.to_string()), value: None };
                        answers.push(("hears yes", Said::Done(object)));
                    }
                    if self.refused.contains(&sent) {
                        answers.push(("hears no", Said::Refused(String::new())));
                    }
                    for (label, said) in answers {
                        go(format!("{name} {label}"), &|w| {
                            let event = Event::Answered(Answer { said: said.clone(), exchange_id: None });
                            w.apply(config, fence, event);
                            if w.row.fence == fence {
                                w.row.lease_until = None;
                            }
                            w.workers[index] = Worker::Idle;
                        });
                    }
                }
                Worker::Looks { fence, seen, at } => go(format!("{name} has looked"), &|w| {
                    let look = w.look(config, seen, *at);
                    w.apply(config, *fence, look);
                    if w.row.fence == *fence {
                        w.row.lease_until = None;
                    }
                    w.workers[index] = Worker::Idle;
                }),
            }
        }
        next
    }

    /// The broken promise.
    fn broken(&self, config: &Config) -> Option<String> {
        let effects = self.landed.len();
        if config.write.absence() == Absence::Person && effects > 1 {
            return Some(format!("{effects} effects of one intent"));
        }
        let activated: BTreeSet<_> = self.activated.iter().filter(|id| !self.canceled.contains(id)).collect();
        if activated.len() > 1 {
            return Some(format!("{} plans were activated", activated.len()));
        }
        // Before the refused attempt was sent, searches showed what an earlier one had done.
        let was_there = |(_, landed): &(u32, i64)| {
            let last = self.row.history.attempts.last();
            last.is_some_and(|last| at(landed + config.lag) <= last.committed)
        };
        let is_absent = |attempt: &Attempt| attempt.judged == Some(Judged::Absent);
        match self.row.state {
            State::Done if effects == 0 => Some("done, and the gateway has nothing".into()),
            State::Refused if !config.punctual => {
                let is_there = self.landed.iter().any(was_there);
                is_there.then(|| "refused, and the gateway had done it before".into())
            }
            State::Refused | State::Withdrawn | State::Declined if effects > 0 => {
                Some(format!("{}, and the gateway did it", self.row.state))
            }
            State::NeedsPerson
                if config.punctual
                    && effects > 0
                    && self.restored.is_none()
                    && self.row.history.attempts.iter().any(is_absent) =>
            {
                Some("a person was told that it was not done, and the gateway did it".into())
            }
            _ => None,
        }
    }
}

/// Explores all states; returns their number, or the shortest way to a broken one.
fn explore(config: &Config) -> Result<usize, String> {
    let first = World::new(config);
    let mut seen: HashMap<World, Option<(usize, String)>> = HashMap::from([(first.clone(), None)]);
    let mut worlds = vec![first];
    let mut queue = VecDeque::from([0_usize]);
    while let Some(index) = queue.pop_front() {
        if let Some(why) = worlds[index].broken(config) {
            let mut labels = Vec::new();
            let mut at = index;
            while let Some(Some((before, label))) = seen.get(&worlds[at]) {
                labels.push(label.clone());
                at = *before;
            }
            labels.reverse();
            return Err(format!("{why}: {}", labels.join(" | ")));
        }
        for (label, world) in worlds[index].after(config) {
            if !seen.contains_key(&world) {
                seen.insert(world.clone(), Some((index, label)));
                queue.push_back(worlds.len());
                worlds.push(world);
            }
        }
    }
    Ok(worlds.len())
}

/// A plan whose database is put back before searches show the plan.
fn restored_plan(plan: Config) -> Config {
    Config { restores: true, quiet: 1, lag: 4, late: 1, end: 6, ..plan }
}

/// A customer whose first attempt arrives after it was believed to be absent.
fn late_customer() -> Config {
    Config { late: 4, end: 5, punctual: false, refuses: true, ..short(&Config::of(Write::CreateCustomer)) }
}

/// A gateway whose effects come within a tick, and show at once.
fn short(config: &Config) -> Config {
    let rules = Rules { latest_effect: ticks(1), index_lag: ticks(0), ..config.rules.clone() };
    Config { late: 1, lag: 0, rules, ..config.clone() }
}

/// Holds: No interleaving of two workers, crashes, lost answers, late effects and restores makes two effects of a charge, activates two plans, or reports an outcome that the gateway contradicts.
#[test]
fn no_interleaving_breaks_a_promise() {
    let sale = Config::of(Write::Sale);
    let customer = Config::of(Write::CreateCustomer);
    let plan = Config::of(Write::CreatePlan);
    let cases = [
        ("a sale", sale.clone()),
        ("a sale that may be refused", Config { refuses: true, end: 5, ..sale.clone() }),
        (
            "a sale, effects later than any window",
            Config { late: 5, lag: 4, end: 5, punctual: false, ..sale.clone() },
        ),
        ("a sale, searches go blind", Config { blind_from: 3, end: 6, ..sale.clone() }),
        ("a sale, a blind search", Config { blind_from: 0, end: 6, ..sale.clone() }),
        ("a sale, the database is put back", Config { restores: true, quiet: 4, ..sale }),
        ("a customer", Config { end: 6, ..customer.clone() }),
        ("a customer that may be refused", Config { end: 5, refuses: true, ..customer }),
        ("a plan", Config { end: 6, ..plan.clone() }),
        ("a plan, a blind search", Config { end: 6, blind_from: 0, ..plan.clone() }),
        ("a plan, the database is put back, searches lag", Config { end: 6, ..restored_plan(plan) }),
        ("a customer, effects later than any window", late_customer()),
    ];
    let start = std::time::Instant::now();
    for (name, config) in cases {
        match explore(&config) {
            Ok(states) => {
                println!("{name}: {states} states after {:?}", start.elapsed());
                assert!(states > 500, "{name}: only {states} states");
            }
            Err(why) => unreachable!("{name}: {why}"),
        }
    }
}

/// Holds: A journal without any one of its rules is caught: the fence, the stored decision to send, the last moment to send, the control object, its place after the search, the window, the retention, the mark of a restored database, the look before an activation, the look after a later refusal, and the person who decides about money.
#[test]
fn a_journal_without_a_rule_is_caught() {
    let sale = Config::of(Write::Sale);
    let customer = Config::of(Write::CreateCustomer);
    let with = |config: &Config, change: &dyn Fn(&mut Rules)| {
        let mut rules = config.rules.clone();
        change(&mut rules);
        Config { rules, ..config.clone() }
    };
    let cases = [
        ("no stored decision to send", Config { stores_first: false, ..sale.clone() }, "2 effects"),
        (
            "no fence",
            Config { fences: false, send_before: 7, end: 8, ..short(&customer) },
            ", and the gateway did it",
        ),
        ("no last moment to send", Config { checks_send_by: false, ..sale.clone() }, "a person was told"),
        (
            "no control object",
            Config { blind_from: 0, checks_control: false, ..sale.clone() },
            "a person was told",
        ),
        (
            "a control object that was found before the search",
            Config { blind_from: 3, takes_old_control: true, ..sale.clone() },
            "a person was told",
        ),
        (
            "no window",
            with(&Config { late: 3, ..sale.clone() }, &|rules| rules.latest_effect = ticks(0)),
            "a person was told",
        ),
        (
            "no lag in the window",
            with(&Config { lag: 3, ..sale.clone() }, &|rules| rules.index_lag = ticks(0)),
            "a person was told",
        ),
        ("no bound by the retention", Config { retention: 3, late: 0, ..sale.clone() }, "a person was told"),
        (
            "no mark of a restored database",
            Config { restores: true, marks_restored: false, quiet: 0, ..sale.clone() },
            "2 effects",
        ),
        (
            "no look before an activation",
            Config { looks_before_activation: false, ..restored_plan(Config::of(Write::CreatePlan)) },
            "2 plans were activated",
        ),
        (
            "no look after a later refusal",
            Config { doubts_later_refusals: false, ..late_customer() },
            "the gateway had done it before",
        ),
        ("money is sent again", Config { keeps_money: false, late: 7, punctual: false, ..sale }, "2 effects"),
    ];
    for (name, config, expected) in cases {
        let why = explore(&config).expect_err(name);
        println!("{name}: {why}");
        assert!(why.contains(expected), "{name}: {why}");
    }
    // With it, the same gateway is safe.
    let forgets = with(&Config { retention: 3, late: 0, ..Config::of(Write::Sale) }, &|rules| {
        rules.retention = ticks(3);
        rules.retention_margin = ticks(1);
    });
    explore(&forgets).expect("the bound of the retention");
}
