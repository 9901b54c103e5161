//! The witness of an `SQLite` journal: a file beside it, by which a restored or copied database is found out.
//!
//! The database counts the attempts that it has committed, and the witness has the last number, the random id of the
//! journal and the identity of the file. A database behind its witness was restored; another file is a copy. An
//! operating system that fails can leave the witness behind the database, which is harmless.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;

/// The file beside the database.
#[derive(Debug)]
pub(crate) struct Witness {
    database: PathBuf,
    path: PathBuf,
    /// The identity of the database when it was opened.
    identity: String,
    /// The open file, and the last number in it.
    file: Mutex<Option<(fs::File, i64)>>,
}

/// The identity of no file: the witness of a database that was restored while it was open.
const CONDEMNED: &str = "restored";

/// The content of the witness.
#[derive(Debug, PartialEq, Eq)]
struct Testimony {
    journal: String,
    identity: String,
    count: i64,
}

impl Witness {
    pub(crate) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".witness");
        let identity = identity(database);
        Self { database: database.to_owned(), path: path.into(), identity, file: Mutex::new(None) }
    }

    /// The reason why the database with this id and number is not the one that was used last.
    pub(crate) fn suspicion(&self, journal: &str, count: i64) -> Option<String> {
        self.compare(&self.read(), journal, count)
    }

    /// The text of the file; empty if there is none.
    pub(crate) fn read(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// The reason why the database with this id and number does not belong to this text of the witness.
    pub(crate) fn compare(&self, text: &str, journal: &str, count: i64) -> Option<String> {
        if text.is_empty() {
            // A new journal has sent nothing yet.
            return (count > 0).then(|| format!("its witness {} is missing", self.path.display()));
        }
        let Some(testimony) = read(text) else {
            return Some(format!("its witness {} cannot be read", self.path.display()));
        };
        if testimony.journal != journal {
            return Some(format!("its witness {} is of another journal", self.path.display()));
        }
        if testimony.identity == CONDEMNED {
            return Some("a backup was restored into its file while it was open".to_owned());
        }
        if testimony.identity != self.identity {
            return Some("the file is a copy of the one that was used".to_owned());
        }
        let lost = testimony.count.saturating_sub(count);
        (lost > 0).then(|| format!("it was restored from a backup that lacks {lost} attempts to send"))
    }

    /// Writes the witness anew.
    pub(crate) fn accept(&self, journal: &str, count: i64) -> std::io::Result<()> {
        // Never cut: a process that opens the journal at the same moment reads the one testimony or the other.
        let mut file = private().create(true).truncate(false).open(&self.path)?;
        write(&mut file, &self.testimony(journal, count))?;
        file.sync_all()?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// The reason why the open database is not the one at its path any more.
    pub(crate) fn replaced(&self) -> Option<String> {
        (identity(&self.database) != self.identity)
            .then(|| "its file was replaced while it was open".to_owned())
    }

    /// Records that the database is not the one that was used last, so that no process sends for it by and by.
    pub(crate) fn condemn(&self, journal: &str, count: i64) {
        let testimony = Testimony { journal: journal.to_owned(), identity: CONDEMNED.to_owned(), count };
        // If it cannot be written, the number in it stays, and is ahead of the database.
        let _ = private().open(&self.path).and_then(|mut file| write(&mut file, &testimony));
    }

    fn testimony(&self, journal: &str, count: i64) -> Testimony {
        Testimony { journal: journal.to_owned(), identity: self.identity.clone(), count }
    }

    /// Raises the number. It is not flushed to the disk: a program that ends leaves it to the system.
    pub(crate) fn raise(&self, journal: &str, count: i64) {
        use std::io::{Seek as _, SeekFrom};

        let mut open = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_none() {
            *open = fs::OpenOptions::new().write(true).open(&self.path).ok().map(|file| (file, 0));
        }
        if let Some((file, last)) = open.as_mut().filter(|(_, last)| *last < count) {
            *last = count;
            // A disk that is full fails the next commit, too, and says so there.
            let _ = file.seek(SeekFrom::Start(0)).and_then(|_| write(file, &self.testimony(journal, count)));
        }
    }
}

/// Options for a file that only its owner can read.
pub(super) fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn write(file: &mut fs::File, testimony: &Testimony) -> std::io::Result<()> {
    let Testimony { journal, identity, count } = testimony;
    // One write of a fixed length: a reader never sees a half.
    file.write_all(format!("perennial-journal {journal} {identity:<41} {count:020}\n").as_bytes())
}

fn read(text: &str) -> Option<Testimony> {
    let mut words = text.split_whitespace();
    let ("perennial-journal", journal, identity, count) =
        (words.next()?, words.next()?, words.next()?, words.next()?)
    else {
        return None;
    };
    Some(Testimony { journal: journal.to_owned(), identity: identity.to_owned(), count: count.parse().ok()? })
}

/// The identity of a file, which its copy does not have.
#[cfg(unix)]
fn identity(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;

    fs::metadata(path).map_or_else(|_| "-".to_owned(), |file| format!("{}:{}", file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> String {
    let _ = path;
    "-".to_owned()
}
