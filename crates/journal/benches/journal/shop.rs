//! A sandbox in a process of its own, so that its work is not counted, and a client of it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use perennial::clearent::{ApiKey, Charge, NewCustomer, NewToken, TokenId};
use perennial::{BaseUrl, Clearent};
use perennial_sandbox::Sandbox;

/// The variable that selects the work of a child process.
pub(crate) const CHILD: &str = "PERENNIAL_BENCH_CHILD";
/// The variables with the URL of the sandbox, its key and a token.
const GATEWAY: [&str; 3] = ["PERENNIAL_BENCH_URL", "PERENNIAL_BENCH_KEY", "PERENNIAL_BENCH_TOKEN"];

pub(crate) struct Shop {
    sandbox: Option<Child>,
    pub(crate) client: Clearent,
    pub(crate) token: TokenId,
    variables: [String; 3],
}

/// Serves a sandbox until the process is killed.
pub(crate) async fn serve() {
    let sandbox = Sandbox::start().await.unwrap();
    println!("{} {}", sandbox.base_url(), sandbox.api_key().expose());
    std::future::pending::<()>().await;
}

fn client(url: &str, key: &str) -> Clearent {
    let environment = url.parse::<BaseUrl>().unwrap();
    Clearent::builder(ApiKey::new(key).unwrap()).environment(environment).build().unwrap()
}

impl Shop {
    pub(crate) async fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut sandbox = command.env(CHILD, "sandbox").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (url, key) = line.trim().split_once(' ').unwrap();
        let client = client(url, key);
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
        let ada = client.customers().create(&ada).await.unwrap();
        let card =
            NewToken::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999").description("a card");
        let card = card.customer_key(&ada.customer_key).build().unwrap();
        let token = client.tokens().create(card).await.unwrap().token_id.clone().unwrap();
        let variables = [url.to_owned(), key.to_owned(), token.to_string()];
        Self { sandbox: Some(sandbox), client, token, variables }
    }

    /// The shop of the parent process.
    pub(crate) fn of_parent() -> Self {
        let variables = GATEWAY.map(|name| std::env::var(name).unwrap());
        let [url, key, token] = &variables;
        Self { sandbox: None, client: client(url, key), token: token.parse().unwrap(), variables }
    }

    /// This program again, with this shop.
    pub(crate) fn child(&self, work: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(CHILD, work).envs(GATEWAY.into_iter().zip(&self.variables));
        command
    }

    /// A charge of an amount that no other has, because the gateway refuses duplicates.
    pub(crate) fn charge(&self, number: usize) -> Charge {
        let amount = format!("{}.{:02}", 10 + number / 100, number % 100);
        Charge::builder().amount(amount).card(&self.token).exp_date("1230").build().unwrap()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(sandbox) = &mut self.sandbox {
            let _ = sandbox.kill();
            let _ = sandbox.wait();
        }
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
