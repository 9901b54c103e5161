//! `--dry-run`: reads go to the gateway, so that preconditions are really checked; the first request
//! that would change something is shown and not sent.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::clearent::{self, PlanNote};
use perennial::clientpay::Operation;
use perennial::transport::{Deadline, Exchange, Kind, Redactor, TransportError, redact};
use perennial::{Amount, NaiveDate};

use crate::failure::Failure;
use crate::output::charges::records;
use crate::output::{Output, Record, note};
use crate::sent::{is_read, route};

/// Commands that change nothing at a gateway, and so have nothing to show, besides those that are named like a read of
/// Clearent.
const READS: &[&str] = &[
    "profiles",
    "schedule",
    "forecast",
    "invoice status",
    "clientpay access current",
    "clientpay access validate",
    "clientpay search",
    "clientpay connect-search",
    "journal list",
    "journal show",
    "journal doctor",
    "journal events",
    "subscriptions show",
    "subscriptions list",
    "due-days list",
    "recovery show",
    "events list",
    "members export",
    "books report money",
    "books report recovery",
    "books report cards",
    "sandbox serve",
    "sandbox clock",
    "sandbox fault list",
    "sandbox log",
    "quickstart",
    "completions",
    "man",
];

/// Whether to show a command's request instead of sending it.
#[derive(Debug, clap::Args)]
pub(crate) struct DryRun {
    /// Show the request that would change something, with secrets masked, and do not send it; reads are sent
    #[arg(long, global = true)]
    dry_run: bool,
    #[arg(skip)]
    seen: Arc<Mutex<Seen>>,
}

/// The content to show.
#[derive(Debug, Default)]
struct Seen {
    request: Option<Withheld>,
    charges: Option<Vec<Record>>,
    notes: Vec<PlanNote>,
}

/// A request that was not sent, masked.
#[derive(Debug)]
struct Withheld {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl DryRun {
    /// Whether the run is a dry run.
    pub(crate) fn is_on(&self) -> bool {
        self.dry_run
    }

    /// Refuses the option for a command that changes nothing.
    pub(crate) fn refuse_read(&self, command: &str) -> Result<(), Failure> {
        let name = command.replace(' ', ".");
        let mut reads = clearent::Operation::ALL.iter().filter(|operation| operation.class().is_read());
        let mut is_operation =
            || reads.any(|read| read.name() == name || read.aliases().contains(&name.as_str()));
        if self.dry_run && (READS.contains(&command) || is_operation()) {
            return Err(Failure::Usage(format!(
                "{command} changes nothing that a dry run could show: leave out --dry-run"
            )));
        }
        Ok(())
    }

    /// Wraps the exchange so that it sends everything before the first request that would change something.
    pub(crate) fn around(&self, exchange: impl Exchange + 'static) -> Arc<dyn Exchange> {
        if self.dry_run {
            Arc::new(InterceptingExchange { exchange, seen: self.seen.clone() })
        } else {
            Arc::new(exchange)
        }
    }

    /// Wraps the exchange so that it invents ids of ClientPay, to show the request under them.
    pub(crate) fn with_ids(&self, exchange: Arc<dyn Exchange>) -> Arc<dyn Exchange> {
        if self.dry_run { Arc::new(InventedIds(exchange)) } else { exchange }
    }

    /// Shows these charges beside the request.
    pub(crate) fn preview(&self, dates: impl Iterator<Item = NaiveDate>, amount: Amount) {
        lock(&self.seen).charges = Some(records(dates, amount));
    }

    /// Shows notes on surprising results: a dry run beside the request, a command on standard error before it sends.
    pub(crate) fn notes(&self, notes: Vec<PlanNote>) {
        if self.dry_run {
            lock(&self.seen).notes = notes;
        } else {
            for plan_note in notes {
                note(&format!("note: {plan_note}"));
            }
        }
    }

    /// Shows the changes of a command that writes to no gateway.
    pub(crate) fn print(output: Output, object: Record) -> Result<(), Failure> {
        output.record(&Record::default().with("dry-run", true).and(object))
    }

    /// Shows the intercepted request, instead of the failure for its missing response.
    pub(crate) fn end(&self, ended: Result<(), Failure>, output: Output) -> Result<(), Failure> {
        let Seen { request, charges, notes } = mem::take(&mut *lock(&self.seen));
        match request {
            Some(request) if output == Output::Table => request.show(charges, &notes),
            Some(request) => {
                let record = Record::default().with("dry-run", true).with("request", request.record());
                let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
                let notes = Some(notes).filter(|notes| !notes.is_empty());
                output.record(&record.with("charges", charges).with("notes", notes))
            }
            None => ended,
        }
    }
}

impl Withheld {
    fn of(request: &Request<Bytes>) -> Self {
        // Keys and access ids are headers that are marked sensitive, or members with a name that says so.
        let redactor = Redactor::new().of_call(request.headers(), request.body());
        Self {
            method: request.method().to_string(),
            url: redactor.text(&request.uri().to_string()),
            headers: redactor.headers(request.headers()),
            body: redact::text(&redactor.body(request.body())).into_owned(),
        }
    }

    fn record(self) -> Record {
        let Self { method, url, headers, body } = self;
        let headers = headers.into_iter().fold(Record::default(), |all, (name, value)| all.with(name, value));
        Record::default()
            .with("method", method)
            .with("url", url)
            .with("headers", headers)
            .with("body", Some(body).filter(|body| !body.is_empty()))
    }

    fn show(self, charges: Option<Vec<Record>>, notes: &[PlanNote]) -> Result<(), Failure> {
        let Self { method, url, headers, body } = self;
        let mut text = format!("{method} {url}\n");
        text.extend(headers.iter().flat_map(|(name, value)| [name, ": ", value, "\n"]));
        if !body.is_empty() {
            text.extend(["\n", &body, "\n"]);
        }
        Output::text(&text)?;
        if let Some(charges) = charges.filter(|charges| !charges.is_empty()) {
            Output::text("\n")?;
            Output::Table.rows(&["charge", "date", "payment-amount", "total"], charges)?;
        }
        for plan_note in notes {
            note(&format!("note: {plan_note}"));
        }
        note("a dry run: this was not sent");
        Ok(())
    }
}

/// An exchange that sends reads, and stores the first other request.
struct InterceptingExchange<E> {
    exchange: E,
    seen: Arc<Mutex<Seen>>,
}

#[async_trait]
impl<E: Exchange> Exchange for InterceptingExchange<E> {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        if is_read(&request) {
            return self.exchange.exchange(request, deadline).await;
        }
        lock(&self.seen).request.get_or_insert(Withheld::of(&request));
        // The only failure that is final and after which no code looks up the outcome of the request.
        Err(TransportError::new(Kind::Unrecorded))
    }
}

/// An exchange that responds to requests for a new id, which would be a change too, with an invented one.
struct InventedIds(Arc<dyn Exchange>);

#[async_trait]
impl Exchange for InventedIds {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        let id = match route(&request) {
            Some(Operation::NewAccessId) => r#"{"success":true,"accessId":"a-new-access-id"}"#,
            Some(Operation::NewRequestId) => r#"{"success":true,"requestId":"a-new-request-id"}"#,
            _ => return self.0.exchange(request, deadline).await,
        };
        Ok(Response::new(Bytes::from_static(id.as_bytes())))
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
