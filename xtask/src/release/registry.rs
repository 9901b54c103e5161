//! A minimal registry for cargo's uploads, on a free port of this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) struct Registry {
    address: String,
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    /// Lines of the index with the archives, in the order of arrival.
    crates: Vec<(Value, Vec<u8>)>,
    refused: String,
}

impl Registry {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shelf = Arc::<Mutex<Shelf>>::default();
        let registry = Self { address: address.clone(), shelf: Arc::clone(&shelf) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.unwrap(), &address, &mut shelf.lock().unwrap());
            }
        });
        registry
    }

    /// The cargo configuration that finds the registry as `local`.
    pub(super) fn config(&self) -> String {
        format!("[registries.local]\nindex = \"sparse+http://{}/\"\ntoken = \"token\"\n", self.address)
    }

    /// Fails uploads of this crate, and accepts all others.
    pub(super) fn refuse(&self, name: &str) {
        name.clone_into(&mut self.shelf.lock().unwrap().refused);
    }

    pub(super) fn has(&self) -> Vec<String> {
        let crates = &self.shelf.lock().unwrap().crates;
        crates.iter().map(|(line, _)| format!("{} {}", text(&line["name"]), text(&line["vers"]))).collect()
    }
}

fn answer(mut stream: &TcpStream, address: &str, shelf: &mut Shelf) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        head.push(line.to_lowercase());
    }
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let length = head.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let (status, body) = match path {
        "/config.json" => {
            let places = json!({ "dl": format!("http://{address}/dl"), "api": format!("http://{address}") });
            (200, places.to_string().into_bytes())
        }
        "/api/v1/crates/new" => shelf.take(&body),
        _ if path.starts_with("/dl/") => shelf.archive(path),
        _ => shelf.index(path),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} .\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(&[head.into_bytes(), body].concat()).unwrap();
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

impl Shelf {
    /// Accepts an upload: the length of the crate's JSON, the JSON, then the length of the archive and the archive.
    fn take(&mut self, body: &[u8]) -> (u16, Vec<u8>) {
        let (metadata, archive) = part(body);
        let (archive, _) = part(archive);
        let metadata: Value = serde_json::from_slice(metadata).unwrap();
        if metadata["name"] == self.refused.as_str() {
            return (403, Vec::new());
        }
        let checksum: Vec<String> =
            Sha256::digest(archive).iter().map(|byte| format!("{byte:02x}")).collect();
        let line = json!({
            "name": metadata["name"], "vers": metadata["vers"], "deps": [], "features": {}, "cksum": checksum.concat(), "yanked": false,
        });
        self.crates.push((line, archive.into()));
        (200, b"{}".into())
    }

    /// Answers a file of the index, which is named like its crate.
    fn index(&self, path: &str) -> (u16, Vec<u8>) {
        let line = self.crates.iter().find(|(line, _)| path.ends_with(text(&line["name"])));
        line.map_or((404, Vec::new()), |(line, _)| (200, line.to_string().into_bytes()))
    }

    /// Answers an archive, whose folder is named like its crate.
    fn archive(&self, path: &str) -> (u16, Vec<u8>) {
        let of = self.crates.iter().find(|(line, _)| path.contains(&format!("/{}/", text(&line["name"]))));
        of.map_or((404, Vec::new()), |(_, archive)| (200, archive.clone()))
    }
}

/// Splits off the part whose length precedes it.
fn part(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_at(4);
    rest.split_at(u32::from_le_bytes(length.try_into().unwrap()) as usize)
}
