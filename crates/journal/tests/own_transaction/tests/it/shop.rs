//! A shop: a sandbox, a database with the journal and the program's own table, and the program.

use std::process::{Command, Output};

use perennial::clearent::{ApiKey, NewCustomer, NewToken, TransactionSearch};
use perennial::{BaseUrl, Clearent};
use perennial_journal::Journal;
use perennial_sandbox::Sandbox;

use crate::chapter;
use crate::postgres;

const INVOICE: &str = "CREATE TABLE invoice (number TEXT PRIMARY KEY, amount TEXT NOT NULL)";

pub(crate) struct Shop {
    library: &'static str,
    /// The database as the journal opens it.
    journal: String,
    /// The database as the program opens it.
    program: String,
    client: Clearent,
    token: String,
    _sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

/// The parts of an invoice that the database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) row: bool,
    pub(crate) intent: bool,
}

impl Shop {
    pub(crate) async fn new(library: &'static str) -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose()).unwrap())
            .environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
            .build()
            .unwrap();
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
        let ada = client.customers().create(&ada).await.unwrap();
        let card =
            NewToken::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999").description("a card");
        let card = card.customer_key(&ada.customer_key).build().unwrap();
        let token = client.tokens().create(card).await.unwrap().token_id.clone().unwrap().to_string();

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db").display().to_string();
        let (journal, program) = match library {
            "tokio-postgres" | "sqlx-postgres" => {
                let url = postgres::database();
                (url.clone(), url.replace("perennial@", "shop@"))
            }
            "sqlx-sqlite" => (format!("sqlite:{path}"), format!("sqlite:{path}")),
            _ => (format!("sqlite:{path}"), path),
        };
        let shop = Self { library, journal, program, client, token, _sandbox: sandbox, _folder: folder };
        // Binding makes the schema and the tenant.
        shop.settle().await;
        shop.sql(INVOICE);
        if shop.is_postgres() {
            // The operator of the tests is called as the schema, which is the first place for its tables.
            shop.sql("ALTER TABLE perennial.invoice SET SCHEMA public");
            // A role of the server, which both libraries have. It has the rights of the chapter, and no other.
            shop.sql(
                "DO $$ BEGIN CREATE ROLE shop LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$",
            );
            shop.sql("GRANT SELECT, INSERT ON public.invoice TO shop");
            for grant in chapter::grants() {
                shop.sql(&grant);
            }
        }
        shop
    }

    fn is_postgres(&self) -> bool {
        self.journal.starts_with("postgres:")
    }

    /// Runs a statement of the operator, and returns the first value of its answer.
    fn sql(&self, sql: &str) -> String {
        if self.is_postgres() {
            return postgres::sql(&self.journal, &sql.replace("perennial_", "perennial."));
        }
        let path = self.journal.trim_start_matches("sqlite:");
        let connection = rusqlite::Connection::open(path).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        let first = rows.next().unwrap();
        first.map_or_else(String::new, |row| row.get::<_, i64>(0).unwrap().to_string())
    }

    /// Runs the program for an invoice, up to a crash if there is one.
    pub(crate) fn bill(&self, number: &str, amount: &str, crash_at: Option<u32>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_own-transaction"));
        command.args([self.library, &self.program, number, amount, &self.token]);
        if let Some(at) = crash_at {
            command.env("CRASH_AT", at.to_string());
        }
        command.output().unwrap()
    }

    pub(crate) fn stored(&self, number: &str) -> Stored {
        let count = |table: &str, column: &str, value: &str| {
            self.sql(&format!("SELECT count(*) FROM {table} WHERE {column} = '{value}'")) != "0"
        };
        let key = format!("invoice/{number}");
        Stored {
            row: count("invoice", "number", number),
            intent: count("perennial_inbox", "operation_key", &key)
                || count("perennial_intent", "operation_key", &key),
        }
    }

    /// Opens the journal again and works until nothing is due; returns the keys of refused requests.
    pub(crate) async fn settle(&self) -> Vec<String> {
        let journal = Journal::open(&self.journal).await.unwrap();
        assert_eq!(journal.suspicion().await.unwrap(), None);
        let north = journal.clearent("north-street", &self.client).await.unwrap();
        journal.settle(&[north]).await.unwrap();
        let events = journal.events(0, 1_000).await.unwrap();
        journal.close();
        events.into_iter().filter(|event| event.kind == "inbox.refused").map(|event| event.about).collect()
    }

    /// The number of charges of this amount.
    pub(crate) async fn charges(&self, amount: &str) -> usize {
        let all =
            self.client.transactions().search(&TransactionSearch::default()).collect_all().await.unwrap();
        let amount = Some(amount.parse().unwrap());
        all.iter().filter(|charge| charge.amount == amount && charge.is_approved()).count()
    }
}
