//! A sandbox in a process of its own, so that its work is not counted, and clients of it that count their requests.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::clearent::ApiKey;
use perennial::transport::{Deadline, Exchange, ReqwestExchange, TransportError};
use perennial::{BaseUrl, Clearent};
use perennial_sandbox::Sandbox;

/// The variable that selects the work of a child process.
pub(crate) const CHILD: &str = "PERENNIAL_BENCH_CHILD";
/// The variables with the URL of the sandbox, and its key.
const GATEWAY: [&str; 2] = ["PERENNIAL_BENCH_URL", "PERENNIAL_BENCH_KEY"];
/// The variable with the sandbox's file.
const FILE: &str = "PERENNIAL_BENCH_GATEWAY";

/// Serves a sandbox until its input ends. Each line is a period by which its clock is advanced.
pub(crate) async fn serve() {
    let sandbox = Sandbox::builder().database(std::env::var(FILE).unwrap()).any_card().start().await.unwrap();
    println!("{} {}", sandbox.base_url(), sandbox.api_key().expose());
    let (give, mut periods) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| give.send(line))
    });
    while let Some(period) = periods.recv().await {
        sandbox.advance(&period).await.unwrap();
        println!("advanced");
    }
}

pub(crate) struct Gateway {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    variables: [String; 2],
    pub(crate) client: Clearent,
}

impl Gateway {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(CHILD, "gateway").env(FILE, folder.join("gateway.db"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = output.next().unwrap().unwrap();
        let (url, key) = line.split_once(' ').unwrap();
        let variables = [url.to_owned(), key.to_owned()];
        let (client, _) = client(&variables);
        Self { input: process.stdin.take().unwrap(), output, process, variables, client }
    }

    /// Lets this period pass at the gateway.
    pub(crate) fn advance(&mut self, period: &str) {
        writeln!(self.input, "{period}").unwrap();
        assert_eq!(self.output.next().unwrap().unwrap(), "advanced");
    }

    /// This program again, with this gateway.
    pub(crate) fn child(&self, work: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(CHILD, work).envs(GATEWAY.into_iter().zip(&self.variables));
        command
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client of the parent's gateway, and the number of its requests.
pub(crate) fn of_parent() -> (Clearent, Arc<AtomicU64>) {
    client(&GATEWAY.map(|name| std::env::var(name).unwrap()))
}

fn client([url, key]: &[String; 2]) -> (Clearent, Arc<AtomicU64>) {
    let requests = Arc::new(AtomicU64::new(0));
    let exchange =
        Counting { exchange: ReqwestExchange::builder().build().unwrap(), requests: requests.clone() };
    let client = Clearent::builder(ApiKey::new(key).unwrap())
        .environment(url.parse::<BaseUrl>().unwrap())
        .exchange(exchange)
        .build()
        .unwrap();
    (client, requests)
}

struct Counting {
    exchange: ReqwestExchange,
    requests: Arc<AtomicU64>,
}

#[async_trait]
impl Exchange for Counting {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.exchange.exchange(request, deadline).await
    }
}
