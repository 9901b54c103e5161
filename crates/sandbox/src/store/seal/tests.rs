//! Damage to files between two starts: the database is refused with a reason or has all answered rows, and a refused
//! database is left unchanged.

use std::fs;
use std::path::Path;

use crate::store::wal::{State, Wal};
use crate::store::{Store, StoreError};

/// Files that hold this many rows, answered one by one.
struct Written {
    db: Vec<u8>,
    wal: Option<Vec<u8>>,
}

impl Written {
    fn of(folder: &Path) -> Self {
        Self { db: fs::read(folder.join("a.db")).unwrap(), wal: fs::read(folder.join("a.db-wal")).ok() }
    }

    fn put(&self, folder: &Path) {
        fs::write(folder.join("a.db"), &self.db).unwrap();
        match &self.wal {
            Some(wal) => fs::write(folder.join("a.db-wal"), wal).unwrap(),
            None => drop(fs::remove_file(folder.join("a.db-wal"))),
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn insert(store: &Store, from: i64, to: i64) {
    let runtime = runtime();
    for number in from..to {
        let sql = "INSERT INTO worlds (key_hash, seed, asked_for, mode, at, first_mode, first_at, gateway, opened_before)
                   VALUES (?, ?, 0, 'frozen', 0, 'frozen', 0, '{}', 0)";
        let key = [vec![0; 24], number.to_be_bytes().to_vec()].concat();
        runtime.block_on(store.run(move |c| c.execute(sql, (key, number)))).unwrap();
    }
}

fn rows(store: &Store) -> Vec<i64> {
    let rows = store.run(|c| {
        let mut statement = c.prepare("SELECT seed FROM worlds ORDER BY id")?;
        statement.query_map([], |row| row.get(0))?.collect()
    });
    runtime().block_on(rows).unwrap()
}

/// The files of a sandbox that was killed after this many rows: a copy, taken while it runs.
fn killed(folder: &Path, from: i64, to: i64) -> Written {
    let store = Store::open(Some(&folder.join("a.db"))).unwrap();
    insert(&store, from, to);
    let written = Written::of(folder);
    store.close();
    written
}

/// The result of a start: the rows, or the text of its refusal.
fn started(folder: &Path) -> Result<Vec<i64>, String> {
    started_with_dropped(folder).map(|(rows, _)| rows)
}

/// The result of a start, with the number of bytes that it reports as dropped.
fn started_with_dropped(folder: &Path) -> Result<(Vec<i64>, Option<u64>), String> {
    let store = Store::open(Some(&folder.join("a.db")));
    let found = store.map(|store| {
        let found = (rows(&store), store.dropped);
        store.close();
        found
    });
    found.map_err(|error| {
        let named = format!("the database {} ", folder.join("a.db").display());
        let text = error.to_string();
        assert!(matches!(error, StoreError::Incomplete { .. }) || text.contains("damaged"), "{text}");
        text.strip_prefix(&named).unwrap().to_owned()
    })
}

type Change = fn(&mut Written, &Written);

/// Holds: A start refuses database files that were changed since the sandbox left them, and does not touch
/// them.
#[test]
fn files_that_were_changed_are_refused_and_left_as_they_are() {
    type Case<'c> = (&'c str, &'c Written, &'c Written, Change, Result<&'c [i64], &'c str>);
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let early = killed(ours.path(), 0, 10);
    let early_closed = Written::of(ours.path());
    early.put(ours.path());
    let open = killed(ours.path(), 10, 40);
    let closed = Written::of(ours.path());
    let all: Vec<i64> = (0..40).collect();
    let other = killed(theirs.path(), 100, 140);
    assert!(open.wal.is_some() && closed.wal.is_none());
    let cases: &[Case<'_>] = &[
        ("killed", &open, &other, |_, _| {}, Ok(&all)),
        ("closed", &closed, &other, |_, _| {}, Ok(&all)),
        ("no log", &open, &other, |w, _| w.wal = None, Err("is not whole: its log")),
        ("an empty log", &open, &other, |w, _| w.wal = Some(vec![]), Err("is not whole: its log")),
        ("a log without its database", &open, &other, |w, _| w.db.clear(), Err("is missing or empty")),
        ("the log of another", &open, &other, |w, o| w.wal.clone_from(&o.wal), Err("and its log")),
        ("the database of another", &open, &other, |w, o| w.db.clone_from(&o.db), Err("and its log")),
        ("an older database", &open, &early, |w, o| w.db.clone_from(&o.db), Err("and its log")),
        ("an older log", &open, &early, |w, o| w.wal.clone_from(&o.wal), Err("and its log")),
        (
            "an older log beside a closed one",
            &closed,
            &early,
            |w, o| w.wal.clone_from(&o.wal),
            Err("and its log"),
        ),
        ("two pages swapped", &open, &other, |w, _| swap(&mut w.db), Err("and its log")),
        ("two pages swapped when closed", &closed, &other, |w, _| swap(&mut w.db), Err("was changed")),
        ("an older page", &closed, &early_closed, older_page, Err("was changed")),
        ("a page more", &closed, &other, |w, _| w.db.extend([0; 4096]), Err("was changed")),
        ("a page less", &closed, &other, |w, _| w.db.truncate(w.db.len() - 4096), Err("")),
    ];
    for (what, written, other, change, expected) in cases {
        let mut files = Written { db: written.db.clone(), wal: written.wal.clone() };
        change(&mut files, other);
        files.put(ours.path());
        let found = started(ours.path());
        match (&found, expected) {
            (Ok(rows), Ok(expected)) => assert_eq!(rows, expected, "{what}"),
            (Err(text), Err(expected)) => {
                assert!(text.starts_with(expected), "{what}: {text}");
                let left = Written::of(ours.path());
                let wal = |w: &Written| w.wal.clone().unwrap_or_default();
                assert!(left.db == files.db && wal(&left) == wal(&files), "{what}: the files were changed");
            }
            _ => panic!("{what}: {found:?}"),
        }
    }
}

/// Restores the last page that differs.
fn older_page(files: &mut Written, other: &Written) {
    let pages = files.db.chunks_mut(4096).zip(other.db.chunks(4096));
    let (page, older) = pages.filter(|(page, older)| page != older).last().unwrap();
    page.copy_from_slice(older);
}

/// Swaps the second page with the next that differs from it.
fn swap(db: &mut [u8]) {
    let (head, tail) = db.split_at_mut(2 * 4096);
    let one = &mut head[4096..];
    let other = tail.chunks_mut(4096).find(|page| *page != one).unwrap();
    one.swap_with_slice(other);
}

/// Cuts and flips at all places of both files: a start refuses, or has all answered rows.
///
/// Holds: A cut or flipped database file does not lose an acknowledged change silently.
#[test]
fn cuts_and_flips_lose_no_answer_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let open = killed(folder.path(), 0, 12);
    let closed = Written::of(folder.path());
    let all: Vec<i64> = (0..12).collect();
    let mut random = fastrand::Rng::with_seed(7);
    let wal = open.wal.clone().unwrap();
    open.put(folder.path());
    let frames = Wal::read(&folder.path().join("a.db-wal")).unwrap().committed;
    let written = 32 + usize::try_from(frames).unwrap() * (24 + 4096);
    let (mut refused, mut whole) = (0, 0);
    let mut judge = |what: String, files: &Written| {
        files.put(folder.path());
        match started(folder.path()) {
            Ok(rows) => {
                assert_eq!(rows, all, "{what}");
                whole += 1;
            }
            Err(_) => refused += 1,
        }
    };
    for _ in 0..40 {
        let cut = random.usize(..written);
        judge(
            format!("the log cut at {cut}"),
            &Written { db: open.db.clone(), wal: Some(wal[..cut].to_vec()) },
        );
        let cut = random.usize(1..closed.db.len());
        judge(format!("the database cut at {cut}"), &Written { db: closed.db[..cut].to_vec(), wal: None });
        let at = random.usize(..written);
        let mut flipped = wal.clone();
        flipped[at] ^= 1 << random.u8(..8);
        judge(format!("the log flipped at {at}"), &Written { db: open.db.clone(), wal: Some(flipped) });
        let mut db = closed.db.clone();
        let at = random.usize(4096..db.len());
        db[at] ^= 1 << random.u8(..8);
        judge(format!("the database flipped at {at}"), &Written { db, wal: None });
    }
    assert!(refused > 150, "{refused} refused, {whole} whole");
}

/// Cuts and changes of the log at all places are refused, including the log of the last write; only a cut inside a very
/// large write looks like a kill, and is reported. No answer is lost silently.
///
/// Holds: A write-ahead log that is cut or flipped at any byte is reported.
#[test]
fn a_log_that_is_cut_or_flipped_anywhere_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    for large in [None, Some(0), Some(1)] {
        let path = folder.path().join("a.db");
        let log = folder.path().join("a.db-wal");
        let store = Store::open(Some(&path)).unwrap();
        // The last write, or the last but one, fills more than the room that the file has.
        for number in 0..3 {
            insert(&store, number, number + 1);
            if large == Some(2 - number) {
                let sql = "UPDATE worlds SET gateway = hex(randomblob(100000)) WHERE id = (SELECT max(id) FROM worlds)";
                runtime().block_on(store.run(move |c| c.execute(sql, []))).unwrap();
            }
        }
        let written = Written::of(folder.path());
        store.close();
        let wal = written.wal.as_ref().unwrap();
        let all = vec![0, 1, 2];
        written.put(folder.path());
        assert_eq!(started_with_dropped(folder.path()), Ok((all.clone(), None)), "{large:?}");
        let (mut refused, mut interrupted) = (0, 0);
        let mut judge = |what: String, wal: &[u8]| {
            Written { db: written.db.clone(), wal: Some(wal.to_vec()) }.put(folder.path());
            let state = Wal::read(&log).unwrap().state;
            match state {
                State::Interrupted(_) => interrupted += 1,
                State::Cut | State::Damaged => refused += 1,
                State::Missing | State::Whole => panic!("{what} in silence"),
            }
            // What the log is read as is what a start says.
            if (refused + interrupted) % 32 == 0 {
                match (started_with_dropped(folder.path()), state) {
                    (Ok((rows, Some(bytes))), State::Interrupted(dropped)) => {
                        assert!(all.starts_with(&rows) && bytes == dropped, "{what}: {rows:?}");
                    }
                    (Err(_), State::Cut | State::Damaged) => {}
                    other => panic!("{what}: {other:?}"),
                }
            }
        };
        for cut in (512..wal.len()).step_by(if large.is_some() { 2_048 } else { 512 }) {
            judge(format!("{large:?} cut at {cut}"), &wal[..cut]);
        }
        written.put(folder.path());
        let frames = Wal::read(&log).unwrap().committed;
        let ends = |frames: u64| 32 + usize::try_from(frames).unwrap() * (24 + 4096);
        for frame in frames - 3..frames {
            for at in (0..24).chain((24..4_120).step_by(509)) {
                let mut flipped = wal.clone();
                flipped[ends(frame) + at] ^= 1 << (at % 8);
                judge(format!("{large:?} frame {frame} flipped at {at}"), &flipped);
            }
            for (what, byte) in [("zeros", 0), ("garbage", 0xa5)] {
                let mut gone = wal.clone();
                gone[ends(frame)..ends(frames)].fill(byte);
                judge(format!("{large:?} {what} from frame {frame}"), &gone);
            }
        }
        let mut gone = wal.clone();
        gone[..ends(frames)].fill(0);
        judge(format!("{large:?} zeros from the begin"), &gone);
        gone.fill(0);
        judge(format!("{large:?} zeros only"), &gone);
        assert!(
            refused > 200 && (interrupted > 0) == large.is_some(),
            "{large:?}: {refused} refused, {interrupted} interrupted"
        );
        if large == Some(0) {
            // A kill after the commit of a large write, before the file grows: nothing is lost.
            Written { db: written.db.clone(), wal: Some(wal[..ends(frames)].to_vec()) }.put(folder.path());
            assert_eq!(started_with_dropped(folder.path()), Ok((all, Some(0))));
        }
        fs::remove_file(&path).unwrap();
        let _ = fs::remove_file(&log);
    }
}
