//! Failures, for people and for programs: the problem, the remedy, and the exit status.

use std::error::Error as _;
use std::io;
use std::iter;

use http::StatusCode;
use perennial::clearent::{Lookup, Reference, TransactionId};
use perennial::clientpay::{Operation, RequestId};
use perennial::keys::KeyStoreError;
use perennial::transport::{Delivery, Kind, TransportError, redact};
use perennial::{Environment, Error, ErrorKind, InvalidBaseUrl, Rule, Violation, Violations};
use perennial_journal::machine::{State, Write};
use perennial_sandbox::{StartError, StoreError, WorldError};

use crate::exit::Exit;
use crate::in_flight::{Ids, Listed};
use crate::lookup::{self, Again, Line};
use crate::signal::Signal;

/// The reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line, the environment or standard input is not usable.
    Usage(String),
    /// The stored keys of merchants are not accessible.
    Keys(KeyStoreError),
    /// Values break rules.
    InvalidRequest(Vec<Complaint>),
    /// The facade reports an error.
    Gateway(Error),
    /// Records of a list are unreadable; the others are printed.
    UnreadableRecords(Vec<Error>),
    /// The outcome is unknown, with a command that looks it up.
    Lost { error: Error, look_up: Line },
    /// A signal ended the run, and no outcome is uncertain.
    Interrupted(Signal),
    /// A second signal ended the run during a write, which has these ids and this lookup.
    CutShort { ids: Ids, look_up: Option<String>, operation_key: Option<String> },
    /// The request would charge twice; the text is the reason.
    Refused(String),
    /// Another plan makes equal charges; the text names it.
    Second(String),
    /// There is nothing to show; the text is the reason.
    Nothing(&'static str),
    /// The card was declined; the transaction is printed already, if it can be.
    Declined { message: Option<String>, code: Option<String>, exchange_id: Option<String> },
    /// Only a part of the amount was approved; the transaction is printed already, if it can be.
    Partial { message: String, exchange_id: Option<String> },
    /// An invoice was charged more than once, or with more than its amount; the transactions are printed already.
    Excess(String),
    /// A charge of this invoice, by this transaction, is neither approved nor declined; it is printed already.
    Undecided { number: Reference, id: Option<TransactionId> },
    /// A write under an operation key is stored and not settled.
    Waiting(Box<Waiting>),
    /// A decision about a subscription is stored, and not all of it is done; the text says what to do.
    Unsettled(String),
    /// There is no journal at this path.
    NoJournal(String),
    /// Another worker works on the database in this file.
    SecondWorker(String),
    /// The journal refuses the command, or fails.
    Journal(perennial_journal::Error),
    /// Billing refuses the command.
    Billing(perennial_billing::Error),
    /// A step of the worker failed, and it did all that does not need it.
    Step(Box<Failure>),
    /// The journal fails while a write is under way: the same command finds the result.
    JournalLost(perennial_journal::store::StoreError),
    /// Something in the journal needs a person; it is printed already.
    Attention(usize),
    /// Rows of a file were refused; the table of all rows is printed already.
    Lines { failed: usize, of: usize },
    /// The books of a month do not close.
    Differences(usize),
    /// Nobody can tell whether the books of a month close, with the commands that show what the gateway has.
    Untold { why: String, look: [String; 2] },
    /// The sandbox does not start.
    Start(StartError),
    /// The sandbox stopped by itself.
    Stopped(StoreError),
    /// The sandbox refuses the operation on the world.
    World(WorldError),
    /// A running sandbox refuses the request.
    Sandbox { status: StatusCode, message: String },
    /// No sandbox responded. `look_up` is the command that shows whether a call that would change something was done.
    Unanswered { error: TransportError, look_up: Option<&'static str> },
    /// The receiver of an alert was not reached, or did not respond.
    Undelivered(TransportError),
    /// The sandbox broke its protocol.
    Unexpected(&'static str),
    /// Standard output cannot be written to. The operation was done nevertheless.
    Unprinted { error: io::Error, written: Option<Written> },
    /// The system refuses something necessary: a thread, or signal handlers.
    System(io::Error),
}

/// A write that is stored in the journal and not settled.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The operation key.
    pub(crate) key: String,
    /// The id of the intent.
    pub(crate) intent: String,
    pub(crate) write: Write,
    pub(crate) state: State,
    /// The reason for the wait.
    pub(crate) reason: String,
    /// The command that explains it.
    pub(crate) look_up: Line,
}

impl Waiting {
    fn message(&self) -> String {
        let Self { key, write, state, reason, .. } = self;
        let (reason, secret) = (redact::text(reason), write.secret());
        match state {
            State::NeedsPerson => format!(
                "only a person can decide whether this was done: {reason}. It is stored under the operation key {key}: the \
                 same command again is safe, and sends nothing"
            ),
            State::NeedsCard => format!(
                "this was not done, and its {secret} is not stored: {reason}. It is stored under the operation key {key}: the \
                 same command again is safe, and sends it with the {secret}"
            ),
            State::Planned => format!(
                "this is not sent yet: {reason}. It is stored under the operation key {key}: the same command again is safe"
            ),
            _ => format!(
                "it is not known yet whether this was done: {reason}. It is stored under the operation key {key}: the same \
                 command again is safe, looks for it first, and never makes a second one"
            ),
        }
    }
}

/// The results of a write at the gateway.
#[derive(Debug)]
pub(crate) struct Written {
    /// The written object, such as `transaction 700001`, if the response named it.
    pub(crate) object: Option<String>,
    pub(crate) exchange_id: Option<String>,
}

/// A rule that a value breaks, under the name by which it was given.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) given: String,
    pub(crate) rule: Rule,
}

impl Failure {
    /// Adds the command's lookup to the error of a write for which the facade has none.
    pub(crate) fn lost(error: Error, look_up: Line) -> Self {
        Self::Lost { error, look_up }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Nothing(_) | Self::NoJournal(_) | Self::Keys(KeyStoreError::Unknown(_)) => Exit::NotFound,
            Self::Usage(_) | Self::Keys(_) | Self::InvalidRequest(_) | Self::Start(_) => Exit::Usage,
            Self::Refused(_) => Exit::Refused,
            Self::Second(_) => Exit::Second,
            Self::UnreadableRecords(_) => exit_of(ErrorKind::InvalidResponse),
            Self::Gateway(error) | Self::Lost { error, .. } => exit_of(error.kind()),
            Self::Interrupted(signal) => signal.exit(),
            Self::Sandbox { status, .. } => match status.as_u16() {
                401 | 403 => Exit::Refused,
                404 => Exit::NotFound,
                500.. => Exit::Unavailable,
                _ => Exit::Usage,
            },
            Self::Unanswered { error, look_up } => match error.delivery() {
                Delivery::MaybeSent if look_up.is_some() => Exit::Unknown,
                Delivery::NotSent | Delivery::MaybeSent => Exit::Unavailable,
                Delivery::Answered => Exit::Internal,
            },
            Self::Undelivered(_) | Self::Untold { .. } | Self::SecondWorker(_) => Exit::Unavailable,
            Self::Declined { .. } => Exit::Declined,
            Self::Partial { .. } => Exit::Partial,
            Self::Excess(_) => Exit::Excess,
            Self::CutShort { .. }
            | Self::Undecided { .. }
            | Self::Waiting(_)
            | Self::Unsettled(_)
            | Self::JournalLost(_) => Exit::Unknown,
            Self::Journal(error) => exit_of_journal(error),
            Self::Billing(error) => exit_of_billing(error),
            Self::Step(failure) => failure.exit(),
            Self::Attention(_) | Self::Differences(_) | Self::Lines { .. } => Exit::Attention,
            Self::Unprinted { .. } if self.is_broken_pipe() => Exit::Done,
            Self::Unprinted { .. } => Exit::Unprinted,
            Self::Stopped(_) => Exit::Stopped,
            Self::World(_) | Self::Unexpected(_) | Self::System(_) => Exit::Internal,
        }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Unprinted { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether the journal, or the merchant in it, does not exist yet.
    pub(crate) fn is_first_use(&self) -> bool {
        matches!(self, Self::NoJournal(_) | Self::Journal(perennial_journal::Error::NoTenant(_)))
    }

    /// Whether a canceled call is the cause, and no outcome is uncertain.
    pub(crate) fn is_given_up(&self) -> bool {
        let is_canceled = |error: &TransportError| error.kind() == Kind::Canceled;
        match self {
            Self::Gateway(error) | Self::Lost { error, .. } => {
                let cause = error.source().and_then(|cause| cause.downcast_ref());
                !error.is_outcome_unknown() && cause.is_some_and(is_canceled)
            }
            Self::Unanswered { error, .. } => self.exit() != Exit::Unknown && is_canceled(error),
            Self::Undelivered(error) => is_canceled(error),
            _ => false,
        }
    }

    /// The error of the facade.
    fn gateway(&self) -> Option<&Error> {
        match self {
            Self::Gateway(error) | Self::Lost { error, .. } => Some(error),
            Self::Step(failure) => failure.gateway(),
            _ => None,
        }
    }

    /// The message of a step, after which others may have been taken: it does not say that nothing was changed.
    pub(crate) fn of_step(&self) -> String {
        self.message().replace("; nothing was changed", "")
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Keys(_) => "keys",
            Self::InvalidRequest(_) => "invalid-request",
            Self::Refused(_) => "refused",
            Self::Second(_) => "second-plan",
            Self::UnreadableRecords(_) => word(ErrorKind::InvalidResponse),
            Self::Gateway(error) | Self::Lost { error, .. } => word(error.kind()),
            Self::Interrupted(_) => "interrupted",
            Self::Nothing(_) | Self::NoJournal(_) => "not-found",
            Self::Declined { .. } => "declined",
            Self::Partial { .. } => "partially-approved",
            Self::Excess(_) => "overpaid",
            Self::CutShort { .. } | Self::Undecided { .. } | Self::JournalLost(_) => {
                word(ErrorKind::OutcomeUnknown)
            }
            Self::Waiting(waiting) => match waiting.state {
                State::NeedsPerson => "needs-person",
                State::NeedsCard => "needs-card",
                State::Planned => "planned",
                _ => word(ErrorKind::OutcomeUnknown),
            },
            Self::Journal(_) | Self::SecondWorker(_) => "journal",
            Self::Billing(_) => "billing",
            Self::Step(failure) => failure.kind(),
            Self::Unsettled(_) => "not-settled",
            Self::Attention(_) => "attention",
            Self::Differences(_) => "differences",
            Self::Lines { .. } => "rows-refused",
            Self::Untold { .. } => "uncertain",
            Self::Start(_)
            | Self::Stopped(_)
            | Self::World(_)
            | Self::Sandbox { .. }
            | Self::Unexpected(_) => "sandbox",
            Self::Unanswered { .. } if self.exit() == Exit::Unknown => word(ErrorKind::OutcomeUnknown),
            Self::Unanswered { .. } | Self::Undelivered(_) => "connection",
            Self::Unprinted { .. } => "unprinted",
            Self::System(_) => "system",
        }
    }

    /// The problem, in a line, and the remedy.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Usage(message)
            | Self::Refused(message)
            | Self::Second(message)
            | Self::Excess(message)
            | Self::Unsettled(message)
            | Self::Partial { message, .. } => message.clone(),
            Self::Keys(error) => error.to_string(),
            Self::Waiting(waiting) => waiting.message(),
            Self::NoJournal(path) => format!(
                "there is no journal at {path}: the first write with --operation-key makes it; --db names another one"
            ),
            Self::SecondWorker(path) => format!(
                "another worker runs for the journal {path}, which is enough for one file: end it first. On PostgreSQL, \
                 several may run"
            ),
            Self::Journal(error) => redact::text(&error.to_string()).into_owned(),
            Self::Billing(error) => redact::text(&error.to_string()).into_owned(),
            Self::Step(failure) => format!(
                "not all of the work is done: {}. What does not need this is done, and the same command again does the rest",
                failure.of_step()
            ),
            Self::JournalLost(error) => format!(
                "{error}. It is not known whether the request was sent: run the same command again with the same operation \
                 key, which finds out"
            ),
            Self::Untold { why, look } => format!(
                "it is not certain that the books close: {}. Look at them, and check again: {}",
                redact::text(why),
                look.join("; ")
            ),
            Self::Differences(1) => "the books have 1 difference".to_owned(),
            Self::Differences(count) => format!("the books have {count} differences"),
            Self::Lines { failed, of } => format!(
                "{failed} of {of} rows were refused, and the others are done: correct the file, and run the same command again"
            ),
            Self::Attention(1) => "the journal has 1 thing that needs attention".to_owned(),
            Self::Attention(count) => format!("the journal has {count} things that need attention"),
            Self::Start(error) => error.to_string(),
            Self::Stopped(error) => format!("the sandbox stopped: {error}"),
            Self::World(error) => error.to_string(),
            Self::Sandbox { message, .. } => format!("the sandbox refuses: {}", redact::text(message)),
            Self::Unanswered { error, .. } if error.delivery() == Delivery::NotSent => {
                "no sandbox responds: start one with perennial sandbox serve, or give its address with --base-url".into()
            }
            Self::Unanswered { error, .. } => error.to_string(),
            Self::Undelivered(_) => {
                "the receiver was not reached, or did not respond: start it, or give its address with --url".into()
            }
            Self::Nothing(what) | Self::Unexpected(what) => (*what).to_owned(),
            Self::UnreadableRecords(errors) => {
                let records = errors.iter().filter_map(Error::unreadable_record).map(ToString::to_string);
                let count = match errors.len() {
                    1 => "1 record".to_owned(),
                    several => format!("{several} records"),
                };
                format!("{count} of the list cannot be read, and only the others are shown: {}", records.collect::<Vec<_>>().join("; "))
            }
            Self::InvalidRequest(complaints) if complaints.len() == 1 => {
                "a value breaks a rule; nothing was sent".into()
            }
            Self::InvalidRequest(complaints) => format!("{} values break rules; nothing was sent", complaints.len()),
            Self::Gateway(error) | Self::Lost { error, .. } => {
                // The reason has a line of its own.
                error.refusal().map_or_else(|| error.without_reason(), ToString::to_string)
            }
            Self::Interrupted(signal) => format!("{} ended the command; no outcome is unknown", signal.name()),
            Self::CutShort { operation_key: Some(key), .. } => format!(
                "a second signal ended the command during a write, which may have been done or not. It is stored under the \
                 operation key {key}: the same command again is safe, and finds out"
            ),
            Self::CutShort { ids, .. } => {
                let ids = if ids.is_empty() { String::new() } else { format!(": {}", Listed(ids)) };
                format!(
                    "a second signal ended the command during a write, which may have been done or not{ids}; look before \
                     sending it again"
                )
            }
            Self::Undecided { number, id } => {
                let id = id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
                format!(
                    "transaction{id} of invoice {} is neither approved nor declined, and may have taken money: do not \
                     charge the invoice again; look at the transaction later, or ask the gateway's support",
                    number.as_str()
                )
            }
            Self::Declined { message, .. } => {
                let message = message.as_deref().unwrap_or("the gateway gave no reason");
                format!("declined: {}", redact::text(message))
            }
            Self::Unprinted { written: Some(Written { object, .. }), .. } => {
                let object = object.as_deref().map(|object| format!(": {}", redact::text(object)));
                format!(
                    "done, but the result could not be printed{}; do not send it again",
                    object.unwrap_or_default()
                )
            }
            Self::Unprinted { written: None, .. } => "standard output cannot be written to".into(),
            Self::System(_) => "the operating system refused a required operation".into(),
        }
    }

    /// The innermost cause: the outer ones repeat the message.
    pub(crate) fn cause(&self) -> Option<String> {
        let outermost = match self {
            Self::Gateway(error) | Self::Lost { error, .. } if error.refusal().is_none() => error.source(),
            // Of its database the message says all that there is to know.
            Self::Start(StartError::Store(StoreError::Unusable { .. })) => None,
            Self::Step(failure) => return failure.cause(),
            Self::Keys(error) => error.source(),
            Self::Start(error) => error.source(),
            Self::World(error) => error.source(),
            Self::Unanswered { error, .. } | Self::Undelivered(error) => error.source(),
            Self::Unprinted { error, .. } | Self::System(error) => Some(error as _),
            _ => None,
        };
        let innermost = iter::successors(outermost, |&error| error.source()).last()?;
        Some(redact::text(&innermost.to_string()).into_owned())
    }

    pub(crate) fn exchange_id(&self) -> Option<&str> {
        match self {
            Self::UnreadableRecords(errors) => errors.first()?.exchange_id(),
            Self::Step(failure) => failure.exchange_id(),
            Self::Gateway(error) | Self::Lost { error, .. } => error.exchange_id(),
            Self::Declined { exchange_id, .. }
            | Self::Partial { exchange_id, .. }
            | Self::Unprinted { written: Some(Written { exchange_id, .. }), .. } => exchange_id.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn result_code(&self) -> Option<String> {
        let code = match self {
            Self::Gateway(error) | Self::Lost { error, .. } => error.result_code(),
            Self::Declined { code, .. } => code.as_deref(),
            Self::Step(failure) => return failure.result_code(),
            _ => None,
        };
        code.map(|code| redact::text(code).into_owned())
    }

    pub(crate) fn look_up(&self, again: &Again) -> Option<String> {
        let line = match self {
            Self::Unanswered { look_up, .. } if self.exit() == Exit::Unknown => look_up.map(Line::new),
            Self::Lost { error, look_up } if error.is_outcome_unknown() => {
                return Some(look_up.again(again));
            }
            Self::CutShort { look_up, .. } => return look_up.clone(),
            Self::Waiting(waiting) => return Some(waiting.look_up.again(again)),
            Self::Undecided { number, id } => {
                let of_number = || Lookup::Invoice(number.clone());
                Some(lookup::command(&id.clone().map_or_else(of_number, Lookup::Transaction)))
            }
            _ => {
                let error = self.gateway()?;
                let of_request = || lookup::of_request(error.operation()?, self.request_id()?);
                error.lookup().map(lookup::command).or_else(of_request)
            }
        };
        Some(line?.again(again))
    }

    /// The request id under which the same command can be run again.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.gateway()?.request_id().map(RequestId::expose)
    }

    /// The operation that can be retried safely, in words.
    pub(crate) fn repeat(&self) -> Option<String> {
        let is_stored = matches!(self, Self::CutShort { operation_key: Some(_), .. });
        if is_stored || matches!(self, Self::Waiting(_) | Self::Unsettled(_) | Self::JournalLost(_)) {
            return Some("the same command".to_owned());
        }
        if let Some(id) = self.request_id() {
            return Some(format!("the same command and --request-id {id}"));
        }
        // To end a page twice changes nothing, and nothing tells whether it has ended.
        let error = self.gateway().filter(|error| error.is_outcome_unknown())?;
        (error.operation() == Some(Operation::ExpirePage.name())).then(|| "the same command".to_owned())
    }

    /// The intent in the journal that waits, and its operation key.
    pub(crate) fn waiting(&self) -> Option<(&str, &str)> {
        if let Self::Waiting(waiting) = self { Some((&waiting.intent, &waiting.key)) } else { None }
    }

    /// Payments that the gateway named: they may have been made.
    pub(crate) fn payment_ids(&self) -> Vec<String> {
        let ids = self.gateway().map(Error::payment_ids).unwrap_or_default();
        ids.iter().map(ToString::to_string).collect()
    }

    /// A possible reason why a key was refused.
    pub(crate) fn hint(&self) -> Option<String> {
        let error = self.gateway()?;
        error.environment().filter(|_| error.kind() == ErrorKind::Unauthorized).map(other_environment)
    }

    pub(crate) fn complaints(&self) -> &[Complaint] {
        if let Self::InvalidRequest(complaints) = self { complaints } else { &[] }
    }
}

/// A hint for a key of another environment: a key is never sent to a gateway that the user did not name.
fn other_environment(tried: &Environment) -> String {
    let (tried, other) = match tried {
        Environment::Sandbox => ("the sandbox", "--environment production"),
        Environment::Production => ("production", "--environment sandbox"),
        _ => ("the gateway of --base-url", "--environment sandbox or production instead"),
    };
    format!(
        "keys of one environment are not valid in another, and this one was tried in {tried}: if it is of another, \
         say {other}, or connect its profile with that"
    )
}

/// The field for the expiry of a card that was read.
pub(crate) const CARD_EXPIRY: &str = "exp-date of the card";

/// Whether a field is an option. Options are lower-case words; other fields are written otherwise (`<NAME>`, `NAME`,
/// `invoices[1].invoiceDate`), or are card data or the word for a whole update.
fn is_an_option(field: &str) -> bool {
    let in_a_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let others =
        ["card", "csc", "customer", "token", "customer-token", "payment-plan", "payer", "payment-method"];
    field.chars().all(in_a_word) && !others.contains(&field)
}

impl From<&Violation> for Complaint {
    fn from(violation: &Violation) -> Self {
        // `billing-address.zip` of a customer and `billing.zip` of a sale are both given as `--billing-zip`.
        let given = match violation.field.split_once('.') {
            _ if !is_an_option(&violation.field) => violation.field.clone().into_owned(),
            Some((address, part)) => format!("--{}-{part}", address.trim_end_matches("-address")),
            None => format!("--{}", violation.field),
        };
        Self { given, rule: violation.rule }
    }
}

impl From<Violations> for Failure {
    fn from(violations: Violations) -> Self {
        Self::InvalidRequest(violations.iter().map(Complaint::from).collect())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.violations() {
            Some(violations) => violations.clone().into(),
            None => Self::Gateway(error),
        }
    }
}

impl From<perennial_journal::Error> for Failure {
    fn from(error: perennial_journal::Error) -> Self {
        match error {
            perennial_journal::Error::Gateway(error) => error.into(),
            error => Self::Journal(error),
        }
    }
}

impl From<perennial_billing::Error> for Failure {
    fn from(error: perennial_billing::Error) -> Self {
        match error {
            perennial_billing::Error::Gateway(error) => error.into(),
            perennial_billing::Error::Journal(error) => error.into(),
            error => Self::Billing(error),
        }
    }
}

impl From<KeyStoreError> for Failure {
    fn from(error: KeyStoreError) -> Self {
        Self::Keys(error)
    }
}

impl From<InvalidBaseUrl> for Failure {
    fn from(invalid: InvalidBaseUrl) -> Self {
        Self::Usage(format!("--base-url: {invalid}"))
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<WorldError> for Failure {
    fn from(error: WorldError) -> Self {
        Self::World(error)
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self::Unanswered { error, look_up: None }
    }
}

/// Converts errors of printing; all other input and output has errors of its own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Unprinted { error, written: None }
    }
}

fn exit_of(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::Configuration => Exit::Usage,
        ErrorKind::DeletionRefused | ErrorKind::Unauthorized | ErrorKind::Refused => Exit::Refused,
        ErrorKind::NotFound => Exit::NotFound,
        ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Connection | ErrorKind::Timeout => {
            Exit::Unavailable
        }
        ErrorKind::OutcomeUnknown => Exit::Unknown,
        _ => Exit::Internal,
    }
}

/// The status of an error of the journal before anything was sent.
fn exit_of_journal(error: &perennial_journal::Error) -> Exit {
    use perennial_journal::Error;
    use perennial_journal::store::StoreError;
    match error {
        Error::NoTenant(_) | Error::NoIntent(_) => Exit::NotFound,
        // Another process has it, or has the database.
        Error::NotBound { .. }
        | Error::InUse
        | Error::Store(StoreError::Busy(_) | StoreError::Lost { .. }) => Exit::Unavailable,
        Error::Outcome(_) | Error::Store(StoreError::Statement(_) | StoreError::Closed) => Exit::Internal,
        _ => Exit::Usage,
    }
}

/// The status of a refusal of billing, which changed nothing.
fn exit_of_billing(error: &perennial_billing::Error) -> Exit {
    match error {
        perennial_billing::Error::NoSubscription(_) | perennial_billing::Error::NoDueDay { .. } => {
            Exit::NotFound
        }
        perennial_billing::Error::Second { .. } | perennial_billing::Error::SecondPlan { .. } => Exit::Second,
        perennial_billing::Error::Changed(_) | perennial_billing::Error::ListChanged => Exit::Unavailable,
        _ => Exit::Usage,
    }
}

fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "invalid-request",
        ErrorKind::DeletionRefused => "deletion-refused",
        ErrorKind::Configuration => "configuration",
        ErrorKind::Unauthorized => "unauthorized",
        ErrorKind::NotFound => "not-found",
        ErrorKind::Refused => "refused",
        ErrorKind::RateLimited => "rate-limited",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Connection => "connection",
        ErrorKind::Timeout => "timeout",
        ErrorKind::InvalidResponse => "invalid-response",
        ErrorKind::Mismatch => "mismatch",
        ErrorKind::Redirected => "redirected",
        ErrorKind::PageLoop => "page-loop",
        ErrorKind::OutcomeUnknown => "outcome-unknown",
        _ => "other",
    }
}
