//! A server in a separate process, so that only the client's CPU time is counted: it responds to every request with the
//! same bytes.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
};

const FLAG: &str = "--as-server";

pub(crate) fn is_requested() -> bool {
    env::args().any(|argument| argument == FLAG)
}

/// Serves on a free port, which it prints, until its standard input closes.
pub(crate) fn run(body: &[u8]) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    println!("{}", listener.local_addr().expect("the listener is bound").port());
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    let answer: &'static [u8] = answer.leak();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || serve(connection, answer));
        }
    });
    let _ = std::io::stdin().read(&mut [0]);
}

fn serve(connection: TcpStream, answer: &[u8]) {
    let Ok(mut writer) = connection.try_clone() else { return };
    let _ = writer.set_nodelay(true);
    let mut lines = BufReader::new(connection).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() && writer.write_all(answer).is_err() {
            return;
        }
    }
}

/// The server's process, which ends with the benchmark.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env::current_exe().expect("the bench is a file"))
            .arg(FLAG)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the bench starts itself");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the server prints its port");
        Self { port: line.trim().parse().expect("the port is a number"), child }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
