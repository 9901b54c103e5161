//! A campaign as it runs: ticks that move the time of the journal and of the gateway, faults, and signals.

use std::time::{Duration, Instant};

use fastrand::Rng;
use perennial_journal::machine::{Intent, State};
use perennial_journal::{By, Journal};
use perennial_sandbox::{Sandbox, World};
use serde_json::Value as Json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::block_in_place;
use tokio::time::Interval;

use crate::audit::Audit;
use crate::campaign::Campaign;
use crate::faults::faults;
use crate::postgres::Cluster;
use crate::process::{Line, Purpose, Stopped, Worker};
use crate::setup::{START, Setup, SharedTime, all_intents, paced, rules};
use crate::tally::Tally;

/// The real time of a tick, in which a second passes at the gateway and in the journal: a window of three minutes is
/// seven seconds, in which every request that may leave has arrived. Ticks are counted and not measured, so a machine
/// that stalls stalls the time too.
const TICK: Duration = Duration::from_millis(40);

/// The number of workers.
const WORKERS: usize = 4;

/// A signal or a crash that is still to come. A signal may wait for a moment of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Kill(Option<Purpose>),
    Stop(Option<Purpose>),
    Crash,
}

/// The actions of a campaign: most signals meet an attempt that is about to leave.
fn actions(campaign: &Campaign) -> Vec<Action> {
    let (held, sending) = (Some(Purpose::KillHeld), Some(Purpose::KillSending));
    let kills = [held, sending, held, None].into_iter().cycle().map(Action::Kill).take(campaign.kills);
    let stop = Some(Purpose::StopHeld);
    let stops = [stop, stop, stop, None].into_iter().cycle().map(Action::Stop).take(campaign.stops);
    kills.chain(stops).chain(std::iter::repeat_n(Action::Crash, campaign.crashes)).collect()
}

/// A running campaign.
pub(crate) struct Run {
    rng: Rng,
    world: World,
    setup: Setup,
    cluster: Cluster,
    audit: Audit,
    journal: Journal,
    workers: Vec<Worker>,
    spawned: u64,
    lines: UnboundedReceiver<Line>,
    reports: UnboundedSender<Line>,
    now: i64,
    decisions: u64,
    tick: u64,
    ticks: Interval,
    has_faults: bool,
    actions: Vec<Action>,
    /// The tick before which there is no other action.
    wait_until: u64,
    /// The tick at which the database starts again.
    down_until: Option<u64>,
    pub(crate) tally: Tally,
    _sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

impl Run {
    pub(crate) async fn start(campaign: &Campaign) -> Self {
        let cluster = block_in_place(Cluster::start);
        let database = cluster.database();
        let folder = tempfile::tempdir().unwrap();
        let time = SharedTime::new(folder.path().join("time"));
        let sandbox = Sandbox::start().await.unwrap();
        let world = sandbox.world(campaign.seed).await.unwrap();
        let setup = Setup::new(&sandbox, &world, database, time).await;
        // Everything is bound once before anything fails.
        let journal = setup.open(None).await.unwrap().journal;
        let audit = Audit::start(&setup.database);
        let mut rng = Rng::with_seed(campaign.seed);
        let mut actions = actions(campaign);
        rng.shuffle(&mut actions);
        let (reports, lines) = unbounded_channel();
        let mut run = Self {
            rng,
            world,
            setup: Setup { sends_late: campaign.sends_late, ..setup },
            cluster,
            audit,
            journal,
            workers: Vec::new(),
            spawned: 0,
            lines,
            reports,
            now: START,
            decisions: 0,
            tick: 0,
            ticks: paced(TICK),
            has_faults: campaign.has_faults,
            actions,
            wait_until: 50,
            down_until: None,
            tally: Tally::default(),
            _sandbox: sandbox,
            _folder: folder,
        };
        for slot in 0..WORKERS {
            let worker = run.spawn(slot);
            run.workers.push(worker);
        }
        run
    }

    fn spawn(&mut self, slot: usize) -> Worker {
        self.spawned += 1;
        let share = (u64::try_from(slot).unwrap(), u64::try_from(WORKERS).unwrap());
        let setup = Setup { seed: self.rng.u64(..), share, ..self.setup.clone() };
        Worker::spawn(&setup, format!("worker-{}", self.spawned), &self.reports)
    }

    /// Runs until all actions are taken, or this moment.
    pub(crate) async fn disturb(&mut self, until: Option<Instant>) {
        loop {
            if until.is_some_and(|until| Instant::now() >= until) {
                self.actions.clear();
            }
            let is_busy = |worker: &Worker| worker.stopped.is_some() || worker.purpose.is_some();
            if self.actions.is_empty() && self.down_until.is_none() && !self.workers.iter().any(is_busy) {
                return;
            }
            if self.tick.is_multiple_of(4) {
                self.decisions += 1;
            }
            if self.has_faults && self.tick.is_multiple_of(25) {
                self.change_faults().await;
            }
            if self.tick.is_multiple_of(100) {
                self.release().await;
            }
            if self.tick % 500 == 499 {
                eprintln!("{} decisions; {}", self.decisions, self.tally);
            }
            self.pass().await;
            self.start_database();
            self.let_go();
            self.act();
        }
    }

    /// Passes a tick, and hears what the workers report meanwhile.
    async fn pass(&mut self) {
        self.tick += 1;
        self.move_time(1).await;
        loop {
            tokio::select! {
                Some(line) = self.lines.recv() => self.hear(&line),
                _ = self.ticks.tick() => return,
            }
        }
    }

    async fn move_time(&mut self, seconds: i64) {
        self.world.advance(&format!("PT{seconds}S")).await.unwrap();
        self.now += seconds * 1_000;
        self.setup.time.write(self.now, self.decisions);
    }

    async fn change_faults(&mut self) {
        self.clear_faults().await;
        for fault in faults(&mut self.rng) {
            self.world.fault(&fault).await.unwrap();
        }
    }

    async fn clear_faults(&mut self) {
        let standing = self.world.faults().await.unwrap();
        self.tally.faults += standing.iter().map(|fault| fault.applied).sum::<u64>();
        self.world.clear_faults().await.unwrap();
    }

    /// Ends holds, as a person does who has seen that the gateway works again.
    async fn release(&mut self) {
        if self.down_until.is_some() {
            return;
        }
        for tenant in self.journal.tenants().await.unwrap_or_default() {
            let Some(hold) = tenant.hold else { continue };
            if ["differs", "another amount", "several times"].iter().any(|part| hold.contains(part)) {
                self.tally.findings.push(format!("a hold: {hold}"));
            }
            let by = By { actor: "ada".into(), reason: "it works again".into() };
            if self.journal.release(&tenant.name, by).await.is_ok() {
                self.tally.released += 1;
            }
        }
    }

    fn hear(&mut self, line: &Line) {
        let (word, rest) = line.text.split_once(' ').unwrap_or((&line.text, ""));
        let slot = self.workers.iter().position(|worker| worker.name == line.name);
        match word {
            "settled" => {
                let (key, outcome) = rest.split_once(' ').unwrap();
                self.tally.enter(key, outcome);
            }
            "fenced" => self.tally.fenced += 1,
            "error" => self.tally.errors += 1,
            "broken" => self.tally.findings.push(format!("{}: {rest}", line.name)),
            _ => {}
        }
        let Some(slot) = slot else { return };
        match (word, self.workers[slot].purpose) {
            ("ready", _) => self.workers[slot].is_ready = true,
            ("idle", _) => self.workers[slot].is_idle = true,
            ("sends", Some((Purpose::KillSending, _))) | ("held", Some((Purpose::KillHeld, _))) => {
                self.kill(slot);
            }
            ("held", Some((Purpose::StopHeld, _))) => self.stop(slot),
            _ => {}
        }
    }

    /// Takes the next action, if it is time for one.
    fn act(&mut self) {
        for slot in 0..WORKERS {
            // A process that does not reach the moment gets its signal all the same.
            match self.workers[slot].purpose {
                Some((Purpose::StopHeld, since)) if self.gives_up(since, 400) => self.stop(slot),
                Some((_, since)) if self.tick > since + 100 => self.kill(slot),
                _ => {}
            }
        }
        let is_free =
            |worker: &Worker| worker.is_ready && worker.stopped.is_none() && worker.purpose.is_none();
        let free: Vec<_> = (0..WORKERS).filter(|slot| is_free(&self.workers[*slot])).collect();
        // Somebody must be there to take over.
        if self.tick < self.wait_until || self.down_until.is_some() || free.len() < 2 {
            return;
        }
        let Some(action) = self.actions.pop() else { return };
        self.wait_until = self.tick + self.rng.u64(5..30);
        let slot = free[self.rng.usize(..free.len())];
        match action {
            Action::Crash => {
                self.tally.crashes += 1;
                self.down_until = Some(self.tick + self.rng.u64(5..25));
                block_in_place(|| self.cluster.stop());
            }
            Action::Kill(None) => self.kill(slot),
            Action::Stop(None) => self.stop(slot),
            Action::Kill(Some(purpose)) | Action::Stop(Some(purpose)) => {
                self.workers[slot].purpose = Some((purpose, self.tick));
                if purpose != Purpose::KillSending {
                    self.workers[slot].command("hold");
                }
            }
        }
    }

    /// Whether a process has waited in vain since a tick for as many as this. A request that must leave late waits for its
    /// moment, however long a slow machine takes.
    fn gives_up(&self, since: u64, ticks: u64) -> bool {
        assert!(self.tick < since + 15_000, "a process waits for ever: {:?}", self.tally.findings);
        !self.setup.sends_late && self.tick > since + ticks
    }

    fn start_database(&mut self) {
        if self.down_until.is_some_and(|tick| self.tick >= tick) {
            self.down_until = None;
            block_in_place(|| self.cluster.run(&[]));
        }
    }

    /// The intents that a process left as being sent.
    fn sending(&self, name: &str) -> Vec<String> {
        if self.down_until.is_some() {
            return Vec::new();
        }
        block_in_place(|| self.audit.sending(name))
    }

    fn kill(&mut self, slot: usize) {
        self.workers[slot].kill();
        self.tally.kills += 1;
        let is_sending = !self.sending(&self.workers[slot].name).is_empty();
        self.tally.kills_while_sending += u64::from(is_sending);
        self.workers[slot] = self.spawn(slot);
    }

    fn stop(&mut self, slot: usize) {
        self.workers[slot].stop();
        self.tally.stops += 1;
        let sending = self.sending(&self.workers[slot].name);
        let worker = &mut self.workers[slot];
        worker.purpose = None;
        worker.stopped = Some(Stopped { tick: self.tick, at: Instant::now(), sending });
    }

    /// Lets stopped processes go on when others have decided what they were sending, and the real moment to send it has
    /// passed.
    fn let_go(&mut self) {
        if self.down_until.is_some() || !self.tick.is_multiple_of(25) {
            return;
        }
        for slot in 0..WORKERS {
            let Some(stopped) = &self.workers[slot].stopped else { continue };
            let ticks = self.tick - stopped.tick;
            let is_past = stopped.at.elapsed() > rules().send_within * 2 && ticks > 150;
            let is_decided = is_past && block_in_place(|| self.audit.are_decided(&stopped.sending));
            if is_decided || self.gives_up(stopped.tick, 1_000) {
                let has_lost =
                    !stopped.sending.is_empty() && self.sending(&self.workers[slot].name).is_empty();
                self.tally.stops_past_the_lease += u64::from(has_lost);
                self.workers[slot].stopped = None;
                self.workers[slot].go_on();
            }
        }
    }

    /// Ends all faults, lets the workers settle everything, and returns the intents and the state of the gateway.
    pub(crate) async fn settle(&mut self) -> (Vec<Intent>, Json) {
        self.clear_faults().await;
        // What is late arrives.
        for _ in 0..40 {
            self.pass().await;
        }
        let is_open = |intent: &Intent| {
            matches!(intent.state, State::Planned | State::Sending | State::Unknown | State::NeedsCard)
        };
        for wait in [0, 4, 4, 4].into_iter().chain(std::iter::repeat_n(16, 60)) {
            self.round(wait).await;
            eprintln!("a round in tick {}", self.tick);
            if !self.intents().await.iter().any(is_open) {
                break;
            }
        }
        // Intents with several attempts are looked at again an hour and a day later.
        for wait in [61, 25 * 60, 25 * 60] {
            self.round(wait).await;
        }
        let intents = self.intents().await;
        self.tally.taken_over = self.audit.taken_over();
        self.tally.findings.extend(self.audit.findings(&intents));
        let state = self.world.state().await.unwrap();
        (intents, serde_json::from_str(&state).unwrap())
    }

    async fn intents(&self) -> Vec<Intent> {
        all_intents(&self.journal).await
    }

    /// Lets the time pass while no process does anything, and all of them settle what is due then.
    async fn round(&mut self, minutes: i64) {
        if minutes > 0 {
            self.move_time(minutes * 60).await;
        }
        self.release().await;
        for worker in &mut self.workers {
            worker.is_idle = false;
            worker.command("round");
        }
        let start = self.tick;
        while !self.workers.iter().all(|worker| worker.is_idle) {
            self.pass().await;
            assert!(self.tick < start + 15_000, "a worker does not become idle: {:?}", self.tally.findings);
        }
    }
}
