//! A server in a separate process, so that only the client's CPU time is counted: it responds to every request with the
//! same bytes.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
};

use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};

const FLAG: &str = "--as-server";

pub(crate) fn is_requested() -> bool {
    env::args().any(|argument| argument == FLAG)
}

/// Serves on a free port, with TLS on a second one. Prints both and the certificate, and ends when its standard input
/// closes.
pub(crate) fn run(body: &[u8]) {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    let answer: &'static [u8] = answer.leak();

    let key = KeyPair::generate().expect("a key is made");
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("the name is one");
    let certificate = params.self_signed(&key).expect("the key signs");
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the versions are supported")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("the certificate is of the key");
    let tls = Arc::new(tls);
    listen(move |connection| serve(connection, answer));
    listen(move |connection| {
        let session = ServerConnection::new(tls.clone()).expect("the configuration is complete");
        serve(StreamOwned::new(session, connection), answer);
    });
    print!("{}", certificate.pem());
    let _ = std::io::stdin().read(&mut [0]);
}

/// Serves each connection of a free port on a thread of its own, and prints the port.
fn listen(serve: impl Fn(TcpStream) + Clone + Send + 'static) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    println!("{}", listener.local_addr().expect("the listener is bound").port());
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let _ = connection.set_nodelay(true);
            let serve = serve.clone();
            thread::spawn(move || serve(connection));
        }
    });
}

fn serve(connection: impl Read + Write, answer: &[u8]) {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        let is_end = line.trim().is_empty();
        line.clear();
        let connection = reader.get_mut();
        if is_end && (connection.write_all(answer).is_err() || connection.flush().is_err()) {
            return;
        }
    }
}

/// The server's process, which ends with the benchmark.
pub(crate) struct Server {
    child: Child,
    ports: [u16; 2],
    /// Its certificate.
    pub(crate) pem: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env::current_exe().expect("the bench is a file"))
            .arg(FLAG)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the bench starts itself");
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines().map(|line| line.expect("the server prints lines"));
        let ports = [(); 2].map(|()| lines.next().and_then(|line| line.parse().ok()).expect("a port"));
        let mut pem = String::new();
        for line in lines {
            pem.extend([&line, "\n"]);
            if line.starts_with("-----END") {
                break;
            }
        }
        Self { child, ports, pem }
    }

    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.ports[usize::from(scheme == "https")])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
