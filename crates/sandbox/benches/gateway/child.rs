//! Servers, each in a separate process: this program again, with an argument that selects the server.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use perennial_sandbox::Sandbox;

use crate::bare;

const SERVE: &str = "PERENNIAL_BENCH_SERVE";

/// The server in a process.
#[derive(Clone, Copy)]
pub(crate) enum Served<'a> {
    /// The sandbox, on a file.
    Sandbox(&'a Path),
    /// The handwritten server, on a file.
    Bare(&'a Path),
    /// A sandbox in memory, as a test embeds it.
    Embedded,
    /// An idle process: a runtime and a listener.
    Nothing,
}

/// A server that is killed when it is no longer needed.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

impl Server {
    pub(crate) fn start(served: Served<'_>) -> Self {
        let (word, path) = match served {
            Served::Sandbox(path) => ("sandbox", path),
            Served::Bare(path) => ("bare", path),
            Served::Embedded => ("embedded", Path::new("")),
            Served::Nothing => ("nothing", Path::new("")),
        };
        let own = std::env::current_exe().expect("a program has a path");
        let mut command = Command::new(own);
        command.env(SERVE, format!("{word}={}", path.display()));
        Self::of(command)
    }

    /// Starts a program that prints a line with its URL when it listens.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the server can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = lines.next().and_then(Result::ok).expect("the server says where it listens");
        let mut words = line.split_whitespace().skip_while(|word| !word.starts_with("http://"));
        let address = words.next().and_then(|url| url.strip_prefix("http://")?.parse().ok());
        let key = words.next().unwrap_or("0123456789abcdef0123456789abcdef").to_owned();
        Self { child, address: address.expect("the line has a URL"), key }
    }

    /// The resident memory, in KiB; `None` if the system does not report it.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// The CPU time so far, over all threads; zero if the system does not report it.
    pub(crate) fn cpu(&self) -> Duration {
        let threads =
            std::fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let nanoseconds = threads.filter_map(|thread| {
            let statistics = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            statistics.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves and returns true, if this process is a server.
pub(crate) fn serve() -> bool {
    let Ok(instruction) = std::env::var(SERVE) else { return false };
    let (what, path) = instruction.split_once('=').expect("the variable names what and where");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        match what {
            "bare" => bare::serve(Path::new(path)).await,
            "nothing" => {
                let listener =
                    tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a port");
                announce(&format!("http://{}", listener.local_addr().expect("it is bound")));
                std::future::pending::<()>().await;
            }
            _ => {
                let builder = Sandbox::builder();
                let builder = if what == "sandbox" { builder.database(path) } else { builder };
                let sandbox = builder.start().await.expect("the sandbox starts");
                announce(&format!("{} {}", sandbox.base_url(), sandbox.api_key().expose()));
                std::future::pending::<()>().await;
            }
        }
    });
    true
}

/// Prints the line that the starting process waits for.
pub(crate) fn announce(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody waits for the line");
}
