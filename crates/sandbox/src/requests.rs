//! The last requests of each world, for people who wonder what their program sent. They are kept in memory only, and
//! with secrets masked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value as Json, json};

use crate::clock::Moment;

/// How many requests a world remembers.
const KEPT: usize = 500;

/// The request logs of all worlds.
#[derive(Default)]
pub(crate) struct Requests {
    worlds: Mutex<HashMap<i64, Log>>,
}

#[derive(Default)]
struct Log {
    exchanges: u64,
    entries: VecDeque<Entry>,
}

/// What a world knows of a request.
pub(crate) struct Exchange {
    pub(crate) operation: &'static str,
    pub(crate) id: String,
    pub(crate) time: Moment,
}

/// A request as it is remembered; bodies and path are masked already.
pub(crate) struct Entry {
    pub(crate) exchange: Exchange,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Nothing if the connection was closed instead.
    pub(crate) status: Option<u16>,
    /// The id of the fault that hit it.
    pub(crate) fault: Option<String>,
    pub(crate) milliseconds: u64,
    pub(crate) request: String,
    pub(crate) response: String,
}

impl Requests {
    fn worlds(&self) -> MutexGuard<'_, HashMap<i64, Log>> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the world's next exchange, from 1.
    pub(crate) fn next_exchange(&self, world: i64) -> u64 {
        let mut worlds = self.worlds();
        let log = worlds.entry(world).or_default();
        log.exchanges += 1;
        log.exchanges
    }

    /// The number of the world's last exchange; 0 if there was none.
    pub(crate) fn last_exchange(&self, world: i64) -> u64 {
        self.worlds().get(&world).map_or(0, |log| log.exchanges)
    }

    /// Counts the world's exchanges on from this number. What was sent stays in the log.
    pub(crate) fn count_from(&self, world: i64, exchanges: u64) {
        self.worlds().entry(world).or_default().exchanges = exchanges;
    }

    pub(crate) fn record(&self, world: i64, entry: Entry) {
        let mut worlds = self.worlds();
        let entries = &mut worlds.entry(world).or_default().entries;
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// Forgets the world's requests and counts its exchanges from 1 again.
    pub(crate) fn forget(&self, world: i64) {
        self.worlds().remove(&world);
    }

    /// The world's last requests, newest first.
    pub(crate) fn newest(&self, world: i64, limit: usize) -> Json {
        let worlds = self.worlds();
        let entries = worlds.get(&world).into_iter().flat_map(|log| log.entries.iter().rev());
        entries.take(limit).map(Entry::shown).collect()
    }
}

impl Entry {
    fn shown(&self) -> Json {
        let Self { exchange, method, path, status, fault, milliseconds, request, response } = self;
        let Exchange { operation, id, time } = exchange;
        let mut shown = json!({
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
            shown["fault"] = fault.as_str().into();
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_worlds_do_not_mix() {
        let requests = Requests::default();
        let entry = |number: usize| Entry {
            exchange: Exchange { operation: "customers.get", id: number.to_string(), time: Moment::first() },
            method: "GET".into(),
            path: "/".into(),
            status: Some(200),
            fault: None,
            milliseconds: 0,
            request: String::new(),
            response: String::new(),
        };
        for number in 0..KEPT + 2 {
            requests.record(1, entry(number));
        }
        let all = requests.newest(1, usize::MAX);
        let ids: Vec<&str> =
            all.as_array().unwrap().iter().filter_map(|e| e["exchange-id"].as_str()).collect();
        assert_eq!((ids.len(), ids[0], ids[KEPT - 1]), (KEPT, "501", "2"));
        assert_eq!(requests.newest(1, 1).as_array().unwrap().len(), 1);
        assert_eq!(requests.newest(2, 9), json!([]));
        requests.forget(1);
        assert_eq!(requests.newest(1, 9), json!([]));
    }
}
