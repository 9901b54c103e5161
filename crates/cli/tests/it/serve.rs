//! `perennial sandbox serve`: it prints its URL, serves, and stops on a signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::shell::{KEY, Ran, finish, perennial};

pub(crate) struct Served {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    url: String,
}

/// Starts a sandbox on a free port and waits until it is ready.
fn serve(arguments: &[&str]) -> Served {
    let mut command = perennial();
    command.args(["sandbox", "serve", "--listen", "127.0.0.1:0"]).args(arguments);
    serve_by(command)
}

pub(crate) fn serve_by(mut command: Command) -> Served {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut served = Served { child, out, url: String::new() };
    let mut line = String::new();
    served.out.read_line(&mut line).unwrap();
    let (_, url) = line.split_once(" listening on ").unwrap_or_else(|| panic!("{line:?}"));
    url.trim_end().clone_into(&mut served.url);
    served
}

/// Ends the process, so that a failing test leaves nothing running.
impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn run(&self, key: &str, arguments: &[&str]) -> Ran {
        let mut command = perennial();
        command.args(["--base-url", &self.url]).args(arguments).env("PERENNIAL_API_KEY", key);
        finish(command, "")
    }

    /// Sends the signal; returns the rest of the output.
    pub(crate) fn stop(mut self, signal: &str) -> (String, String) {
        // The shell's builtin: not every system has a program of this name.
        let kill = format!("kill -s {signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        (out, err)
    }
}

fn with_key(mut command: Command) -> Command {
    command.env("PERENNIAL_API_KEY", KEY);
    command
}

/// Sends these bytes; returns the answer.
pub(crate) fn ask(served: &Served, request: &str) -> String {
    let mut connection = TcpStream::connect(served.url.strip_prefix("http://").unwrap()).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn create(served: &Served) -> Ran {
    served.run(
        KEY,
        &["customers", "create", "--first-name", "Ada", "--last-name", "Byron", "--customer-key", "cust_ada"],
    )
}

#[test]
fn it_serves_until_it_is_stopped() {
    for signal in ["TERM", "INT"] {
        let served = serve(&[]);
        let created = create(&served);
        assert_eq!(created.code, 0, "{}", created.err);
        assert_eq!(served.stop(signal), (String::new(), String::new()));
    }
}

#[test]
fn a_file_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("sandbox.db");
    let db = ["--db", db.to_str().unwrap()];
    let served = serve(&db);
    assert_eq!(create(&served).code, 0);
    served.stop("TERM");
    let served = serve(&db);
    let found = served.run(KEY, &["customers", "get", "cust_ada"]);
    assert_eq!(found.code, 0, "{}", found.err);
    served.stop("TERM");
}

/// Limits the size of files, as a full disk would.
///
/// Holds: `perennial sandbox serve` stops with the reason if its file cannot grow, and keeps the acknowledged
/// changes.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_grow_stops_it_and_keeps_what_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("sandbox.db");
    let mut limited = Command::new("sh");
    let script = r#"ulimit -f 1200; exec "$0" sandbox serve --listen 127.0.0.1:0 --db "$1""#;
    limited.args(["-c", script, env!("CARGO_BIN_EXE_perennial"), db.to_str().unwrap()]);
    let mut served = serve_by(limited);
    let mut answered = Vec::new();
    let refused = loop {
        let key = format!("cust_{:04}", answered.len());
        let body = format!(r#"{{"first-name":"Ada","last-name":"Byron","customer-key":"{key}"}}"#);
        let request = format!(
            "POST /rest/v2/customers HTTP/1.1\r\nhost: localhost\r\napi-key: {KEY}\r\ncontent-type: application/json\r\n\
            accept: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = ask(&served, &request);
        if !answer.starts_with("HTTP/1.1 201 ") {
            break answer;
        }
        answered.push(key);
    };
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains(r#""result-code":"050""#), "{refused}");
    let mut err = String::new();
    served.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(served.child.wait().unwrap().code(), Some(71), "{err}");
    let why =
        format!("error: the sandbox stopped: the database {} cannot be read or written\n", db.display());
    assert_eq!(err, why);

    let served = serve(&["--db", db.to_str().unwrap()]);
    let found = served.run(KEY, &["--output", "json", "customers", "search", "--all"]);
    let stored: Vec<serde_json::Value> = serde_json::from_str(&found.out).unwrap();
    let mut stored: Vec<&str> =
        stored.iter().map(|customer| customer["customer-key"].as_str().unwrap()).collect();
    stored.sort_unstable();
    assert_eq!(stored, answered);
    assert!(stored.len() > 3, "{stored:?}");
}

#[test]
fn keys_shut_all_others_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{}\n", "0".repeat(32))).unwrap();
    let served = serve(&["--key", KEY, "--key-file", file.to_str().unwrap()]);
    for (key, code) in [(KEY, 0), (&"0".repeat(32), 0), (&"1".repeat(32), 3)] {
        let ran = served.run(key, &["customers", "search"]);
        assert_eq!(ran.code, code, "{}", ran.err);
    }
    let (_, err) = served.stop("TERM");
    assert!(!err.contains(KEY) && err.contains("seen by other processes"), "{err}");
}

#[test]
fn its_options_hold() {
    let served = serve(&["--frozen-at", "2027-06-01T00:00:00Z", "--any-card", "--host", "gateway.example"]);
    let mut command = perennial();
    command.args(["--base-url", &served.url, "tokens", "create", "--description", "a card", "--card-stdin"]);
    command.args(["--card-type", "MASTERCARD"]);
    // A published test number that is on none of the sandbox's lists and of an unknown brand.
    let created = finish(with_key(command), "6759649826438453\n1230\n9786");
    assert_eq!(created.code, 0, "{}", created.err);
    assert!(created.out.contains("2027-06-01T00:00:00"), "{}", created.out);
    for (host, status) in [("gateway.example", "401"), ("127.0.0.1", "401"), ("other.example", "421")] {
        let answer = ask(
            &served,
            &format!("GET /rest/v2/customers HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"),
        );
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
    served.stop("TERM");
}

#[test]
fn tls_is_spoken_with_the_certificate_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let generated = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, generated.cert.pem()).unwrap();
    std::fs::write(&key, generated.signing_key.serialize_pem()).unwrap();
    let served = serve(&["--tls", certificate.to_str().unwrap(), key.to_str().unwrap()]);
    assert!(served.url.starts_with("https://127.0.0.1:"), "{}", served.url);
    // The certificate is not signed by anyone, so nothing is sent to it.
    let ran = served.run(KEY, &["customers", "search"]);
    assert!(ran.code == 69 && ran.err.contains("certificate"), "{}", ran.err);
    // A client that trusts it explicitly can call it, and so can its own commands.
    let certificate = certificate.to_str().unwrap();
    for command in [&["customers", "search"][..], &["sandbox", "clock"], &["sandbox", "advance", "P1M"]] {
        let ran = served.run(KEY, &[command, &["--ca-file", certificate]].concat());
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.err);
        let mut by_variable = perennial();
        by_variable.args(["--base-url", &served.url]).args(command).env("PERENNIAL_CA_FILE", certificate);
        assert_eq!(finish(with_key(by_variable), "").code, 0, "{command:?}");
    }
    for (file, message) in
        [("missing.pem", "cannot be opened"), (key.to_str().unwrap(), "holds no certificates in PEM")]
    {
        let ran = served.run(KEY, &["customers", "search", "--ca-file", file]);
        assert!(ran.code == 2 && ran.err.contains(message), "{file}: {}", ran.err);
    }
    served.stop("TERM");
}

#[test]
fn what_it_cannot_serve_it_says() {
    let nowhere = Path::new("missing").join("sandbox.db");
    for arguments in [
        &["--listen", "192.0.2.1:0"][..],
        &["--db", nowhere.to_str().unwrap()],
        &["--tls", "missing.pem", "missing.key"],
        &["--frozen-at", "yesterday"],
        &["--host", "gateway.example:443"],
    ] {
        let mut command = perennial();
        command.args(["sandbox", "serve", "--listen", "127.0.0.1:0"]).args(arguments);
        let ran = finish(command, "");
        assert!(matches!(ran.code, 2 | 70), "{arguments:?}: {}", ran.err);
        assert!(ran.err.starts_with("error: ") && ran.out.is_empty(), "{arguments:?}: {}", ran.err);
    }
}
