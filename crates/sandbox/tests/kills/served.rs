//! The process that is killed: this test program again, serving a file.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use perennial_sandbox::Sandbox;

const FILE: &str = "PERENNIAL_TEST_SERVE";

/// Serves a file in the other process, until it is killed.
#[test]
fn until_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let sandbox = Sandbox::builder().database(path).start().await.unwrap();
        eprintln!("listening {} {}", sandbox.base_url(), sandbox.api_key().expose());
        std::future::pending::<()>().await;
    });
}

/// The other process. A failing test leaves none running.
pub(crate) struct Served(Child);

impl Served {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts to serve a file; the server does not listen yet.
pub(crate) fn spawn(path: &Path) -> Served {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "served::until_killed", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Served(child)
}

/// Waits until it listens; returns the URL, and the key of its world.
pub(crate) fn listening(served: &mut Served) -> (String, String) {
    let mut lines = BufReader::new(served.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut output = String::new();
    let line = lines.find(|line| {
        output.push_str(line);
        line.starts_with("listening ")
    });
    let line = line.unwrap_or_else(|| panic!("the sandbox does not start: {output}"));
    let [_, base, key] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    // Its other output is read, so that it never waits for a reader.
    let rest = (base.to_owned(), key.to_owned());
    std::thread::spawn(move || lines.for_each(drop));
    rest
}

/// Kills it at once, without a chance to finish anything.
pub(crate) fn kill(mut served: Served) {
    served.0.kill().unwrap();
    served.0.wait().unwrap();
}
