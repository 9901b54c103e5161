//! Faults: refused faults, hit calls, and their results.

mod control;
mod effects;
mod engine;
mod matrix;

use perennial_sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The result of a call, byte by byte.
#[derive(Debug, PartialEq, Eq)]
enum Saw {
    /// The connection was closed without a byte.
    Nothing,
    Answer {
        status: u16,
        /// The lines of the head in lower case, except for the date.
        headers: Vec<String>,
        body: String,
    },
}

impl Saw {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Nothing => None,
            Self::Answer { status, .. } => Some(*status),
        }
    }

    fn body(&self) -> &str {
        match self {
            Self::Nothing => "",
            Self::Answer { body, .. } => body,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let Self::Answer { headers, .. } = self else { return None };
        headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The length announced in the head.
    fn announced(&self) -> usize {
        self.header("content-length").map_or(0, |length| length.parse().unwrap())
    }
}

/// Sends a call to the world of `key` in this format, on a separate connection.
async fn call(sandbox: &Sandbox, key: &str, format: &str, method: &str, path: &str, body: &str) -> Saw {
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let request = format!(
        "{method} /rest/v2/{path} HTTP/1.1\r\nHost: localhost\r\napi-key: {key}\r\nContent-Type: application/{format}\r\n\
         Accept: application/{format}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        assert_eq!(answer, "", "a head that breaks off");
        return Saw::Nothing;
    };
    let lines = head.split("\r\n").map(str::to_ascii_lowercase);
    let headers: Vec<String> = lines.filter(|line| !line.starts_with("date: ")).collect();
    let status = headers[0].split(' ').nth(1).unwrap().parse().unwrap();
    Saw::Answer { status, headers, body: body.to_owned() }
}
