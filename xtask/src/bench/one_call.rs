//! The cost of building a program that makes one call: by hand, with the facade, and with the facade over hyper.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::step::Step;

struct Program {
    name: &'static str,
    dependencies: &'static str,
    main: &'static str,
}

const BY_HAND: &str = r#"
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    customer: Customer,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Customer {
    first_name: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "a provider is set")?;
    let url = "https://gateway-sb.clearent.net/rest/v2/customers/cust_5a1d7c1e8a0f";
    let key = std::env::var("API_KEY")?;
    let answer = reqwest::Client::new().get(url).header("api-key", key).send().await?;
    let answer: Answer = serde_json::from_slice(&answer.bytes().await?)?;
    println!("{:?}", answer.payload.customer.first_name);
    Ok(())
}
"#;

const OURS: &str = r#"
use perennial::clearent::{ApiKey, CustomerKey};
use perennial::{Clearent, Environment};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = ApiKey::new(&std::env::var("API_KEY")?)?;
    let client = Clearent::builder(key).environment(Environment::Sandbox).build()?;
    let customer = client.customers().get(&CustomerKey::try_from("cust_5a1d7c1e8a0f")?).await?;
    println!("{:?}", customer.first_name);
    Ok(())
}
"#;

const TOKIO: &str = r#"tokio = { version = "1", default-features = false, features = ["macros", "rt"] }"#;

const PROGRAMS: [Program; 3] = [
    Program {
        name: "by hand",
        dependencies: r#"
reqwest = { version = "0.13", default-features = false, features = ["rustls-no-provider"] }
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
"#,
        main: BY_HAND,
    },
    Program { name: "perennial", dependencies: "perennial = { path = \"PERENNIAL\" }\n", main: OURS },
    Program {
        name: "perennial over hyper",
        dependencies: "perennial = { path = \"PERENNIAL\", default-features = false, features = [\"hyper\"] }\n",
        main: OURS,
    },
];

/// The cost of one program.
struct Cost {
    time: Duration,
    bytes: u64,
    crates: usize,
}

/// Builds each program from nothing, one after another, and says its costs and their ratios to the first.
pub(super) fn measure(mut say: impl FnMut(&str) -> io::Result<()>) -> Result<(), Failure> {
    let mut first: Option<Cost> = None;
    let mut say = |line: String| say(&line).map_err(Failure::of_file(Path::new("standard output")));
    say(format!(
        "{:<24} {:>9}  {:>6}  {:>9}  {:>10}  {:>6}",
        "", "seconds", "ratio", "bytes", "ratio", "crates"
    ))?;
    for program in &PROGRAMS {
        let cost = build(program)?;
        let by_hand = first.as_ref().unwrap_or(&cost);
        say(format!(
            "{:<24} {:>9}  {:>6}  {:>9}  {:>10}  {:>6}",
            program.name,
            cost.time.as_secs(),
            hundredths(cost.time.as_millis(), by_hand.time.as_millis()),
            cost.bytes,
            hundredths(cost.bytes.into(), by_hand.bytes.into()),
            cost.crates,
        ))?;
        first.get_or_insert(cost);
    }
    Ok(())
}

fn hundredths(value: u128, of: u128) -> String {
    let ratio = value * 100 / of.max(1);
    format!("{}.{:02}", ratio / 100, ratio % 100)
}

fn build(program: &Program) -> Result<Cost, Failure> {
    let root = crate::root();
    let folder = tempfile::tempdir().map_err(Failure::of_file(&env::temp_dir()))?;
    let folder = folder.path();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(Failure::of_file(&path))
    };
    let facade = root.join("crates/sdk").display().to_string();
    let manifest = format!(
        "[workspace]\n[package]\nname = \"one-call\"\nedition = \"2024\"\n[[bin]]\nname = \"one-call\"\n\
         path = \"main.rs\"\n[profile.release]\nstrip = true\n[dependencies]\n{TOKIO}\n{}",
        program.dependencies.replace("PERENNIAL", &facade)
    );
    let lock = root.join("Cargo.lock");
    write("Cargo.toml", manifest.as_bytes())?;
    write("main.rs", program.main.as_bytes())?;
    write("Cargo.lock", &fs::read(&lock).map_err(Failure::of_file(&lock))?)?;
    let cargo = |line: &str| Step::new(line).within(folder.to_owned());
    let target = folder.join("target").display().to_string();
    cargo("cargo fetch --quiet").run()?;
    let start = Instant::now();
    cargo("cargo build --quiet --release --target-dir").arguments(&[target]).run()?;
    let time = start.elapsed();
    let binary = folder.join("target/release/one-call");
    let bytes = fs::metadata(&binary).map_err(Failure::of_file(&binary))?.len();
    let tree = cargo("cargo tree --quiet --edges normal --prefix none --format {p}").read()?;
    let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    Ok(Cost { time, bytes, crates: crates.len() - 1 })
}
