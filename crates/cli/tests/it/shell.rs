//! A shell with `perennial`, a key, and a separate gateway on this machine.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread;

use perennial_sandbox::{GatewayOptions, Sandbox, World, WorldOptions};
use tokio::runtime::Runtime;

/// A key that opens no world.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
/// Published test numbers; the code occurs in no id of the seeded world.
pub(crate) const CARD: &str = "4111111111111111";
pub(crate) const CSC: &str = "9786";
pub(crate) const CARD_JSON: &str = r#"{"card":"4111 1111 1111 1111","exp-date":"1230","csc":"9786"}"#;

/// A bank account of the vendor's sample bank.
pub(crate) const ACCOUNT: &str = "5550001234";
pub(crate) const ACCOUNT_JSON: &str = r#"{"routingNumber":"123456780","accountNumber":"5550001234"}"#;

/// The seed of all ids, and the time of the clock: equal in every test.
const SEED: u64 = 7;

/// A world of a sandbox.
pub(crate) struct Shell {
    sandbox: Arc<Sandbox>,
    world: World,
}

/// The result of a command.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shell {
    pub(crate) fn open() -> Self {
        Self::of(GatewayOptions::default())
    }

    /// A world of a gateway with these habits.
    pub(crate) fn of(gateway: GatewayOptions) -> Self {
        runtime().block_on(async {
            let sandbox = Arc::new(Sandbox::start().await.unwrap());
            let options = WorldOptions { seed: Some(SEED), gateway, ..WorldOptions::default() };
            let world = sandbox.new_world(options).await.unwrap();
            Self { sandbox, world }
        })
    }

    /// Creates another world of this sandbox.
    pub(crate) fn beside(&self, seed: u64) -> Self {
        let world = runtime().block_on(self.sandbox.world(seed)).unwrap();
        Self { sandbox: self.sandbox.clone(), world }
    }

    pub(crate) fn key(&self) -> &str {
        self.world.api_key().expose()
    }

    /// Secrets of the world by their variables.
    pub(crate) fn environment(&self) -> [(&'static str, String); 6] {
        let credentials = self.world.clientpay();
        let fields = credentials.fields();
        let (integrator_key, account_key, account_pin) =
            (fields.integrator_key, fields.account_key, fields.account_pin);
        [
            ("PERENNIAL_API_KEY", self.key()),
            ("PERENNIAL_CLIENTPAY_INTEGRATOR_KEY", integrator_key.expose()),
            ("PERENNIAL_CLIENTPAY_ACCOUNT_KEY", account_key.expose()),
            ("PERENNIAL_CLIENTPAY_ACCOUNT_PIN", account_pin.expose()),
            // The sandbox has one account for each customer, with the same credentials.
            ("PERENNIAL_CLIENTPAY_CUSTOMER_KEY", account_key.expose()),
            ("PERENNIAL_CLIENTPAY_CUSTOMER_PIN", account_pin.expose()),
        ]
        .map(|(variable, secret)| (variable, secret.to_owned()))
    }

    /// The credentials of ClientPay in the form of a file.
    pub(crate) fn credentials(&self) -> String {
        let credentials = self.world.clientpay();
        let fields = credentials.fields();
        let (integrator_key, account_key, account_pin) =
            (fields.integrator_key, fields.account_key, fields.account_pin);
        let [integrator, account, pin] =
            [integrator_key.expose(), account_key.expose(), account_pin.expose()];
        format!(r#"{{"integratorKey":"{integrator}","accountKey":"{account}","accountPin":"{pin}"}}"#)
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    pub(crate) fn url(&self) -> &str {
        self.sandbox.base_url()
    }

    pub(crate) fn advance(&self, period: &str) {
        runtime().block_on(self.world.advance(period)).unwrap();
    }

    /// Runs the command with nothing on standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// Runs the command with this text on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = perennial();
        command.args(["--base-url", self.url()]).args(arguments).envs(self.environment());
        let ran = finish(command, stdin);
        let anywhere = |text: String| text.replace(self.url(), "http://sandbox");
        Ran { code: ran.code, out: anywhere(ran.out), err: anywhere(ran.err) }
    }

    /// Runs a shell line in this folder.
    pub(crate) fn run_line(&self, line: &str, folder: &Path) -> Ran {
        let bin = Path::new(env!("CARGO_BIN_EXE_perennial")).parent().unwrap();
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let mut command = Command::new("sh");
        let line = line.replace("perennial ", &format!("perennial --base-url {} ", self.url()));
        command.args(["-c", &line]).current_dir(folder);
        command.env_clear().env("PATH", path).env("HOME", folder).env("USER", "ada").envs(self.environment());
        finish(command, "")
    }
}

/// Writes a file that only its owner can access.
pub(crate) fn write_private(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Creates the command, without the environment.
pub(crate) fn perennial() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
    command.env_clear();
    command
}

pub(crate) fn finish(command: Command, stdin: &str) -> Ran {
    let mut command = assert_cmd::Command::from_std(command);
    command.write_stdin(stdin).output().unwrap().into()
}

/// Runs the command with standard input closed.
pub(crate) fn finish_without_stdin(mut command: Command) -> Ran {
    command.stdin(Stdio::null()).output().unwrap().into()
}

/// Runs the command with standard output to a pipe without a reader.
pub(crate) fn finish_unread(command: Command) -> Ran {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    finish_to(command, writer)
}

/// Runs the command with standard output to this file, which is not returned.
pub(crate) fn finish_to(mut command: Command, out: impl Into<Stdio>) -> Ran {
    command.stdin(Stdio::null()).stdout(out).output().unwrap().into()
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A gateway that answers one connection after the other with these bytes, after a request has arrived.
pub(crate) fn gateway<T: AsRef<[u8]>>(answers: impl Iterator<Item = T> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (connection, answer) in listener.incoming().zip(answers) {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(answer.as_ref());
            // Closing with unread bytes would sometimes reset the connection.
            let _ = connection.shutdown(Shutdown::Write);
            let _ = io::copy(&mut connection, &mut io::sink());
        }
    });
    url
}

/// The gateway's own answer for a missing object.
pub(crate) fn gone() -> String {
    let error = r#"{"code":"404","status":"fail","payload":{"error":{"error-message":"Object not found",
        "result-code":"041"},"payloadType":"error"}}"#;
    answer("404 Not Found", error)
}

/// An answer of a gateway that closes the connection.
pub(crate) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}
