//! `PostgreSQL` for tests: a server of their own, on a free loopback port, in a temporary folder.
//!
//! It runs under an account that is not root, because `PostgreSQL` refuses root. It ends with the test process, even if
//! that is killed: a shell beside the server waits for the end of a pipe that only the test process holds.

// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub, clippy::missing_panics_doc)]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};

/// Makes the files of a server, runs it, and ends it when the pipe ends. The word `keep` means that the folder stays,
/// for another start. The signal is repeated, because a server that has just begun does not hear it.
const WATCH: &str = r#"trap '' INT TERM HUP PIPE
[ -d data ] || "$INITDB" --auth=trust --username=perennial --encoding=UTF8 --locale=C --no-sync \
  --no-instructions --pgdata=data >&2 || exit 1
"$0" "$@" & server=$!
exec 2>/dev/null
read -r word
while kill -QUIT "$server"; do sleep 0.1; done
wait "$server"
[ "$word" = keep ] || rm -rf "$FOLDER""#;

/// Commits are quick, and a crash of the machine may lose them: nobody wants the files afterwards.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "max_connections=200",
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "checkpoint_timeout=1h",
    "deadlock_timeout=20ms",
    "lc_messages=C",
    "logging_collector=off",
];

/// A database of its own for one test, in the server that all tests of the process share.
pub fn database() -> String {
    static SHARED: OnceLock<Mutex<Cluster>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| Mutex::new(Cluster::start()));
    shared.lock().unwrap_or_else(PoisonError::into_inner).database()
}

/// A server. It ends when this is dropped, or with the process.
pub struct Cluster {
    programs: PathBuf,
    account: Option<(u32, u32)>,
    folder: PathBuf,
    port: u16,
    shell: Option<Child>,
    databases: AtomicU32,
}

impl Cluster {
    /// Makes and starts a server.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Makes and starts a server with these settings, each like `name=value`.
    pub fn start_with(settings: &[&str]) -> Self {
        let mut cluster = Self::new();
        cluster.run(settings);
        cluster
    }

    /// Makes a server that does not run yet.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("perennial-postgres-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for PostgreSQL");
        let account = account();
        if let Some((user, group)) = account {
            chown(&folder, Some(user), Some(group)).expect("a folder of another account");
        }
        Self { programs: programs(), account, folder, port: 0, shell: None, databases: AtomicU32::new(0) }
    }

    /// Starts the server, which listens on the port that it had, or on a free one.
    pub fn run(&mut self, settings: &[&str]) {
        let mut said = String::new();
        // Another program can take a free port before the server does.
        for _ in 0..5 {
            let port = if self.port == 0 { free_port() } else { self.port };
            match self.try_to_run(port, settings) {
                Ok(()) => return self.port = port,
                Err(log) => said = log,
            }
        }
        panic!("PostgreSQL does not start:\n{said}");
    }

    fn try_to_run(&mut self, port: u16, settings: &[&str]) -> Result<(), String> {
        let port = format!("port={port}");
        let sockets = format!("unix_socket_directories={}", self.folder.display());
        let own = [&port, &sockets].map(String::as_str);
        let mut command = Command::new("sh");
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command.arg("-c").arg(WATCH).arg(self.programs.join("postgres")).args(["-D", "data"]);
        for setting in own.iter().chain(SETTINGS).chain(settings) {
            command.args(["-c", setting]);
        }
        let mut shell = command
            .current_dir(&self.folder)
            .env("INITDB", self.programs.join("initdb"))
            .env("FOLDER", &self.folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell for PostgreSQL");
        let log = BufReader::new(shell.stderr.take().expect("a log"));
        let (ready, started) = mpsc::channel();
        // The log is read to its end, because a server that cannot write it waits.
        std::thread::spawn(move || {
            let mut said = String::new();
            for line in log.lines().map_while(Result::ok) {
                if line.contains("ready to accept connections") {
                    let _ = ready.send(Ok(()));
                // A client may ask while the server recovers; that is no failure of the server.
                } else if line.contains("FATAL:") && !line.contains("the database system is") {
                    let _ = ready.send(Err(format!("{said}{line}\n")));
                }
                if said.len() < 10_000 {
                    said += &line;
                    said += "\n";
                }
            }
            let _ = ready.send(Err(said));
        });
        self.shell = Some(shell);
        let result = started.recv().expect("the log ends with a word");
        if result.is_err() {
            self.stop();
        }
        result
    }

    /// Ends the server as a crash does: nothing is flushed, and it recovers at the next start.
    pub fn stop(&mut self) {
        self.end("keep\n");
    }

    fn end(&mut self, word: &str) {
        if let Some(mut shell) = self.shell.take() {
            if let Some(mut pipe) = shell.stdin.take() {
                let _ = pipe.write_all(word.as_bytes());
            }
            let _ = shell.wait();
        }
    }

    /// Makes a database and returns its URL.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://perennial@127.0.0.1:{}/{database}", self.port)
    }

    /// The folder of the server; its account can read what is in it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file into the folder, which only the account of the server reads.
    pub fn put(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a file of its own");
        if let Some((user, group)) = self.account {
            chown(&path, Some(user), Some(group)).expect("a file of another account");
        }
    }

    /// Runs a statement and returns what it prints.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        run_sql(&self.programs, &self.url(database), sql)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end("");
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs a statement in the database of this URL and returns what it prints.
pub fn sql(url: &str, sql: &str) -> String {
    run_sql(&programs(), url, sql)
}

fn run_sql(programs: &Path, url: &str, sql: &str) -> String {
    let output = Command::new(programs.join("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
        .output();
    succeeded("psql", output)
}

fn succeeded(program: &str, output: std::io::Result<Output>) -> String {
    let output = output.unwrap_or_else(|error| panic!("{program} does not run: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The folder of the server's programs.
pub fn programs() -> PathBuf {
    programs_in(&std::env::var_os("PATH").unwrap_or_default(), Path::new("/usr/lib/postgresql"))
}

/// The folder of the server's programs, from the PATH and Debian's folder, which is not on it. A test without a server
/// fails.
pub fn programs_in(path: &OsStr, debian: &Path) -> PathBuf {
    let debian = fs::read_dir(debian).into_iter().flatten().flatten();
    let mut debian: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    // A link on the PATH leads to the folder that has them all.
    let linked =
        std::env::split_paths(path).filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok());
    let folders =
        linked.filter_map(|program| program.parent().map(Path::to_owned)).chain(debian.into_iter().rev());
    let has_all =
        |folder: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).exists());
    let Some(folder) = { folders }.find(has_all) else {
        panic!(
            "PostgreSQL is missing: initdb, postgres and psql are neither on the PATH nor in \
             /usr/lib/postgresql/*/bin. `cargo xtask test` installs them"
        );
    };
    folder
}

/// The account for the server if this is root: the one of Debian's package, or another one without rights.
fn account() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output =
            Command::new("id").args(arguments).output().ok().filter(|output| output.status.success())?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let found =
        ["postgres", "nobody"].into_iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)));
    assert!(found.is_some(), "no account but root runs PostgreSQL: `cargo xtask test` installs one");
    found
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
