//! `perennial sandbox serve`

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use perennial_sandbox::{Moment, Sandbox};

use crate::failure::Failure;
use crate::input;
use crate::output::note;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// The SQLite file that stores everything; the default, :memory:, stores nothing
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Accept only this key; repeatable. Other processes can read a command line: pass only a key made up for
    /// the sandbox
    #[arg(long, value_name = "API_KEY")]
    key: Vec<String>,
    /// Accept only the key in this file; repeatable
    #[arg(long, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// Serve https with this certificate chain and private key, both PEM
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"])]
    tls: Option<Vec<PathBuf>>,
    /// Also accept this host name, besides those of loopback
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Accept every card number, not only the published test numbers
    #[arg(long)]
    any_card: bool,
    /// Freeze the clocks of new worlds at this moment
    #[arg(long, value_name = "RFC3339")]
    frozen_at: Option<Moment>,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let mut stop = Stop::listen().map_err(Failure::System)?;
        let Self { listen, db, key, key_file, tls, host, any_card, frozen_at } = self;
        if !key.is_empty() {
            note(
                "keys on a command line are seen by other processes: fine for a sandbox, and for nothing else",
            );
        }
        let files = key_file.iter().map(|file| input::key_of_file(file));
        let keys = key.iter().map(|key| input::key(key)).chain(files).collect::<Result<Vec<_>, Failure>>()?;
        let mut builder = Sandbox::builder().listen(listen).keys(keys);
        if let Some(file) = db.filter(|file| file.as_os_str() != ":memory:") {
            builder = builder.database(file);
        }
        if let Some([certificates, key]) = tls.as_deref() {
            builder = builder.tls(input::pem(certificates)?, input::pem(key)?);
        }
        for name in host {
            builder = builder.host(name);
        }
        if let Some(moment) = frozen_at {
            builder = builder.frozen_at(moment);
        }
        if any_card {
            builder = builder.any_card();
        }
        let sandbox = builder.start().await?;
        announce(sandbox.base_url())?;
        let failed = tokio::select! {
            () = stop.wait() => None,
            error = sandbox.failed() => Some(error),
        };
        sandbox.stop().await;
        failed.map_or(Ok(()), |error| Err(Failure::Stopped(error)))
    }
}

/// Prints the line that the starting program waits for.
fn announce(url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "sandbox listening on {url}")?;
    out.flush()
}

/// The stop signal. The command listens for it before the sandbox starts, so that no signal is lost.
#[cfg(unix)]
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Handler that ignores the file limit signal, so that a file at its limit fails to grow and the process continues.
    _file_limit: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // SIGXFSZ has this number on Linux, macOS and the BSDs.
        let file_limit = signal(SignalKind::from_raw(25))?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _file_limit: file_limit,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
