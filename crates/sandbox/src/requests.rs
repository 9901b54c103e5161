//! The last requests of each world, for people who debug their program. They are kept in memory only, and
//! with secrets masked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value as Json, json};

use crate::clock::Moment;
use crate::seed::Seed;
use crate::store::session::Session;

/// The maximum number of requests that a world remembers.
const RETAINED: usize = 500;
/// The maximum number of bytes that all worlds remember together.
const LARGEST: usize = 48 * 1024 * 1024;

/// The request logs of all worlds.
pub(crate) struct Requests {
    logs: Mutex<Logs>,
    /// The maximum number of bytes.
    largest: usize,
}

impl Default for Requests {
    fn default() -> Self {
        Self { logs: Mutex::default(), largest: LARGEST }
    }
}

#[derive(Default)]
struct Logs {
    worlds: HashMap<i64, Log>,
    /// The world and the number of each request, in the order of arrival. Some are forgotten already.
    order: VecDeque<(i64, u64)>,
    recorded: u64,
    bytes: usize,
}

#[derive(Default)]
struct Log {
    exchanges: u64,
    entries: VecDeque<(u64, Arc<Entry>)>,
}

impl Logs {
    fn record(&mut self, world: i64, entry: Entry, largest: usize) {
        self.recorded += 1;
        let number = self.recorded;
        self.bytes += entry.bytes();
        let entries = &mut self.worlds.entry(world).or_default().entries;
        entries.push_back((number, Arc::new(entry)));
        self.order.push_back((world, number));
        if entries.len() > RETAINED {
            self.forget_oldest(world);
        }
        while self.bytes > largest
            && let Some((world, number)) = self.order.pop_front()
        {
            if self.oldest(world) == Some(number) {
                self.forget_oldest(world);
            }
        }
        let remembered: usize = self.worlds.values().map(|log| log.entries.len()).sum();
        if self.order.len() > 2 * remembered + RETAINED {
            let worlds = &self.worlds;
            let oldest = |world: &i64| {
                worlds.get(world).and_then(|log| log.entries.front()).map(|(number, _)| *number)
            };
            self.order.retain(|(world, number)| oldest(world).is_some_and(|oldest| oldest <= *number));
        }
    }

    fn oldest(&self, world: i64) -> Option<u64> {
        self.worlds.get(&world)?.entries.front().map(|(number, _)| *number)
    }

    fn forget_oldest(&mut self, world: i64) {
        if let Some((_, entry)) = self.worlds.get_mut(&world).and_then(|log| log.entries.pop_front()) {
            self.bytes -= entry.bytes();
        }
    }

    fn forget(&mut self, world: i64) {
        if let Some(log) = self.worlds.remove(&world) {
            self.bytes -= log.entries.iter().map(|(_, entry)| entry.bytes()).sum::<usize>();
        }
    }
}

/// A request and its answer in the log of a world.
pub(crate) struct Exchange {
    pub(crate) operation: &'static str,
    pub(crate) id: String,
    pub(crate) time: Moment,
}

impl Exchange {
    /// The values that number an exchange in a world.
    pub(crate) fn opened(session: &Session<'_>) -> (i64, Seed, Moment, u64) {
        (session.world, session.seed, session.now, session.opened)
    }
}

/// A logged request; bodies and path are masked already.
pub(crate) struct Entry {
    pub(crate) exchange: Exchange,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The status; `None` if the connection was closed instead.
    pub(crate) status: Option<u16>,
    /// The id of the fault that hit it.
    pub(crate) fault: Option<String>,
    pub(crate) milliseconds: u64,
    pub(crate) request: String,
    pub(crate) response: String,
}

impl Requests {
    fn logs(&self) -> MutexGuard<'_, Logs> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the world's next exchange, from 1.
    pub(crate) fn next_exchange(&self, world: i64) -> u64 {
        let mut logs = self.logs();
        let log = logs.worlds.entry(world).or_default();
        log.exchanges += 1;
        log.exchanges
    }

    /// The number of the world's last exchange; 0 if there is none.
    pub(crate) fn last_exchange(&self, world: i64) -> u64 {
        self.logs().worlds.get(&world).map_or(0, |log| log.exchanges)
    }

    /// Numbers the world's exchanges from this number on. Logged requests stay.
    pub(crate) fn count_from(&self, world: i64, exchanges: u64) {
        self.logs().worlds.entry(world).or_default().exchanges = exchanges;
    }

    pub(crate) fn record(&self, world: i64, entry: Entry) {
        self.logs().record(world, entry, self.largest);
    }

    /// Forgets the world's requests and restarts the numbers of its exchanges at 1.
    pub(crate) fn forget(&self, world: i64) {
        self.logs().forget(world);
    }

    /// The world's last requests, newest first.
    pub(crate) fn newest(&self, world: i64, limit: usize) -> Vec<Arc<Entry>> {
        let logs = self.logs();
        let entries = logs.worlds.get(&world).into_iter().flat_map(|log| log.entries.iter().rev());
        entries.take(limit).map(|(_, entry)| entry.clone()).collect()
    }
}

impl Entry {
    /// The approximate memory of the entry.
    fn bytes(&self) -> usize {
        let Self { exchange, method, path, status: _, fault, milliseconds: _, request, response } = self;
        let texts = [&exchange.id, method, path, request, response].into_iter().chain(fault);
        size_of::<(u64, Arc<Self>, Self)>() + texts.map(String::capacity).sum::<usize>()
    }

    pub(crate) fn to_json(&self) -> Json {
        let Self { exchange, method, path, status, fault, milliseconds, request, response } = self;
        let Exchange { operation, id, time } = exchange;
        let mut json = json!({
            "time": time.to_string(),
            "method": method,
            "path": path,
            "status": status,
            "duration-ms": milliseconds,
            "operation": operation,
            "exchange-id": id,
            "request": request,
            "response": response,
        });
        if let Some(fault) = fault {
            json["fault"] = fault.as_str().into();
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: usize, request: usize) -> Entry {
        Entry {
            exchange: Exchange { operation: "customers.get", id: number.to_string(), time: Moment::first() },
            method: "GET".into(),
            path: "/".into(),
            status: Some(200),
            fault: None,
            milliseconds: 0,
            request: "x".repeat(request),
            response: String::new(),
        }
    }

    /// The ids of a world's logged requests, newest first.
    fn ids(requests: &Requests, world: i64) -> Vec<String> {
        requests.newest(world, usize::MAX).iter().map(|entry| entry.exchange.id.clone()).collect()
    }

    #[test]
    fn all_worlds_together_have_a_limit_and_the_oldest_go_first() {
        let requests = Requests { largest: 100 * 1024, ..Requests::default() };
        for number in 0..1_000 {
            requests.record(i64::try_from(number % 10).unwrap(), entry(number, 1_024));
            assert!(requests.logs().bytes <= 100 * 1024);
        }
        let retained: Vec<usize> =
            (0..10).flat_map(|world| ids(&requests, world)).map(|id| id.parse().unwrap()).collect();
        let oldest = *retained.iter().min().unwrap();
        assert_eq!(retained.len(), 1_000 - oldest, "what is newer than the oldest is there");
        assert!((70..=100).contains(&retained.len()), "{}", retained.len());
        // A request that is larger than all is not remembered, and nothing is left over.
        requests.record(1, entry(1_000, 200 * 1024));
        assert_eq!(requests.logs().bytes, 0);
        for number in 0..10_000 {
            requests.record(1, entry(number, 1));
        }
        assert!(requests.logs().order.len() <= 3 * RETAINED);
        (0..10).for_each(|world| requests.forget(world));
        assert_eq!(requests.logs().bytes, 0);
    }

    #[test]
    fn the_oldest_are_forgotten_and_worlds_do_not_mix() {
        let requests = Requests::default();
        for number in 0..RETAINED + 2 {
            requests.record(1, entry(number, 0));
        }
        let all = ids(&requests, 1);
        assert_eq!((all.len(), all[0].as_str(), all[RETAINED - 1].as_str()), (RETAINED, "501", "2"));
        assert_eq!(requests.newest(1, 1).len(), 1);
        assert!(requests.newest(2, 9).is_empty());
        requests.forget(1);
        assert!(requests.newest(1, 9).is_empty());
    }
}
