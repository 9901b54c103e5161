//! The client: its settings, and the common path of all calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use perennial_domain::clientpay::{AccessId, AccountKey, Credentials, CredentialsFields, RequestId};
use perennial_transport::{Exchange, Jitter, Policy, Redactor, SendBy, Sender, Time, auth};
use perennial_wire::EncodeError;
use perennial_wire::clientpay::{Call, Method, Operation, Session, Version, access};
use tracing::{Instrument, field};

use super::answer::{AnswerReader, Answered, Decode, Effect, is_own};
use super::{Access, AccessIds, InProcess, Pages, Payers, Payments};
use crate::sent::retry_class_of;
use crate::setup::{Settings, settings};
use crate::{Environment, Error, ErrorKind, Response};

/// A client of ClientPay for one merchant account.
///
/// It is cheap to clone; the clones share connections, the retry budget and the access id. Each exchange is a `tracing`
/// span `call` at level INFO with the fields `operation`, `route`, `status`, `attempts` and `duration_ms`, and no
/// others.
///
/// ```
/// use perennial::clientpay::Credentials;
/// use perennial::{ClientPay, Environment};
///
/// # fn main() -> Result<(), perennial::Error> {
/// # let (integrator_key, account_key, account_pin) = ("int-5f0c7d1a", "acct-20417", "7731");
/// let credentials = Credentials::builder()
///     .integrator_key(integrator_key)
///     .account_key(account_key)
///     .account_pin(account_pin)
///     .build()?;
/// let client = ClientPay::builder(credentials).environment(Environment::Sandbox).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientPay(Arc<Inner>, Option<SendBy>);

struct Inner {
    sender: Sender,
    time: Arc<dyn Time>,
    policy: Policy,
    jitter: Jitter,
    environment: Environment,
    version: Version,
    paths: Vec<(Operation, String)>,
    credentials: Credentials,
    access_ids: Arc<dyn AccessIds>,
    deadline: Duration,
    redactor: Redactor,
}

/// The builder of a [`ClientPay`].
#[must_use = "nothing exists until `build` is called"]
pub struct ClientPayBuilder {
    credentials: Credentials,
    version: Version,
    paths: Vec<(Operation, String)>,
    access_ids: Arc<dyn AccessIds>,
    settings: Settings,
}

#[derive(Debug, thiserror::Error)]
#[error("a path begins with a slash and is made of letters, digits, '-', '_' and slashes")]
struct InvalidPath;

/// The maximum number of times that one call gets another access id after a refusal. More refusals have another cause.
const RENEWALS: usize = 3;

impl ClientPay {
    /// Creates a builder for a client of the account with these credentials.
    pub fn builder(credentials: Credentials) -> ClientPayBuilder {
        ClientPayBuilder {
            credentials,
            version: Version::default(),
            paths: Vec::new(),
            access_ids: Arc::new(InProcess::default()),
            settings: Settings::default(),
        }
    }

    /// The access ids. All calls get theirs automatically.
    pub fn access(&self) -> Access<'_> {
        Access(self)
    }

    /// The pages on which payers pay or store methods.
    pub fn pages(&self) -> Pages<'_> {
        Pages { client: self, under: None }
    }

    /// The payments, their refunds, and the search for payments.
    pub fn payments(&self) -> Payments<'_> {
        Payments { client: self, under: None, resend_after: None }
    }

    /// The payers and their payment methods.
    pub fn payers(&self) -> Payers<'_> {
        Payers { client: self, under: None }
    }

    /// Requests a new request id. Operations request theirs automatically; use this to write an id to a journal before
    /// it is used with [`under`](Payments::under). An unused id has no effect.
    pub async fn new_request_id(&self) -> Result<Response<RequestId>, Error> {
        let issued =
            self.call(Operation::NewRequestId, access::new_request_id, access::decode_request_id).await?;
        issued.read(|id| id)
    }

    /// Returns a client that makes one attempt for each call, and sends nothing after this moment: a call that is too
    /// late fails with [`Timeout`](ErrorKind::Timeout), and nothing was sent. A call ends after a minute at the latest,
    /// whatever the client's deadline is. It shares everything else with this one.
    ///
    /// This is for programs that store the decision to send before they send, such as the journal.
    ///
    /// ```
    /// use std::time::Duration;
    /// use perennial::transport::{Delivery, SendBy};
    #[doc = include_str!("example.md")]
    /// let too_late = client.once(SendBy::within(Duration::ZERO));
    /// let error = too_late.payers().delete(&rosa).await.unwrap_err();
    /// assert_eq!(error.delivery(), Delivery::NotSent);
    #[doc = include_str!("../example_end.md")]
    /// ```
    #[must_use]
    pub fn once(&self, send_by: SendBy) -> Self {
        Self(self.0.clone(), Some(send_by))
    }

    /// The gateway that is called.
    pub fn environment(&self) -> &Environment {
        &self.0.environment
    }

    /// The key of the merchant account, for programs that must tell accounts apart. Keep at most a digest of it.
    pub fn account(&self) -> &AccountKey {
        self.0.credentials.fields().account_key
    }

    /// The version of the API.
    pub fn version(&self) -> Version {
        self.0.version
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// Waits before this lookup of an open outcome, with the backoff of retries.
    pub(super) async fn wait_before_look(&self, look: u32) {
        let Inner { time, policy, jitter, .. } = &*self.0;
        time.sleep(jitter(policy.backoff.ceiling(look))).await;
    }

    pub(super) async fn wait(&self, window: Duration) {
        self.0.time.sleep(window).await;
    }

    /// Sends a call with an access id, and with another one if that is refused.
    pub(super) async fn call<T: Effect>(
        &self,
        operation: Operation,
        write: impl Fn(Session<'_>) -> Result<Call, EncodeError>,
        decode: Decode<T>,
    ) -> Result<Answered<T>, Error> {
        let (mut refused, mut renewals, mut uncertain): (Option<Arc<AccessId>>, _, _) = (None, 0, false);
        let mut page = None;
        loop {
            let access_id = self.access_id(refused.as_deref()).await;
            // If the id is valid, something other than the gateway sent the 401; then that response is the result.
            if let (Err(error), Some(answered)) = (&access_id, page.take())
                && error.is_unauthorized()
            {
                return Ok(answered);
            }
            let attempt = async {
                let access_id = access_id?;
                let call = write(Session { version: self.0.version, access_id: &access_id })?;
                let answered = self.send(operation, call, Some(&access_id), decode).await?;
                Ok((access_id, answered.or_uncertain(uncertain)))
            };
            // The failure of this attempt says nothing about an earlier one, after which the id was refused.
            let (access_id, answered) = attempt.await.map_err(|error: Error| {
                if uncertain { error.of_kind(ErrorKind::OutcomeUnknown) } else { error }
            })?;
            if !answered.refuses_access() || renewals == RENEWALS {
                return Ok(answered);
            }
            renewals += 1;
            uncertain = !operation.class().is_harmless() && answered.is_uncertain();
            refused = Some(access_id);
            page = answered.is_foreign().then_some(answered);
        }
    }

    /// Gets an access id other than the refused one. If this fails, the call itself was not sent.
    async fn access_id(&self, refused: Option<&AccessId>) -> Result<Arc<AccessId>, Error> {
        self.0.access_ids.get(refused, &Access(self)).await.map_err(|error| match error.kind() {
            ErrorKind::OutcomeUnknown => error.of_kind(ErrorKind::Unavailable),
            _ => error,
        })
    }

    /// Sends one call, retries included.
    pub(super) async fn send<T: Effect>(
        &self,
        operation: Operation,
        call: Call,
        access_id: Option<&AccessId>,
        decode: Decode<T>,
    ) -> Result<Answered<T>, Error> {
        let started = self.0.time.now();
        let span = tracing::info_span!(
            "call",
            operation = operation.name(),
            route = call.route,
            status = field::Empty,
            attempts = field::Empty,
            duration_ms = field::Empty,
        );
        let answered = self.exchange(operation, call, access_id, decode).instrument(span.clone()).await;
        let (status, attempts) = match &answered {
            Ok(answered) => (Some(answered.status()), answered.attempts()),
            Err(error) => (error.status(), error.attempts()),
        };
        let took = self.0.time.now().saturating_duration_since(started);
        span.record("status", status);
        span.record("attempts", attempts);
        span.record("duration_ms", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        answered
    }

    async fn exchange<T: Effect>(
        &self,
        operation: Operation,
        call: Call,
        access_id: Option<&AccessId>,
        decode: Decode<T>,
    ) -> Result<Answered<T>, Error> {
        let Inner { sender, environment, paths, deadline, version, redactor, .. } = &*self.0;
        let Call { class, method, route, target, body, .. } = call;
        let own_path = paths.iter().rfind(|(of, _)| *of == operation).map(|(_, path)| path.as_str());
        let path = own_path.unwrap_or(route);
        let query = &target[route.len()..];
        let mut request = Request::builder()
            .method(method.as_str())
            .uri(format!("{}{path}{query}", environment.clientpay_base_url()))
            .header(header::ACCEPT, "application/json")
            .header(header::CACHE_CONTROL, "no-cache");
        // Version 1.0 has the access id in the body, if there is a body.
        if let Some(id) = access_id.filter(|_| *version == Version::V2 || method == Method::Get) {
            let (name, value) = auth::access_id(id);
            request = request.header(name, value);
            if operation == Operation::NewRequestId {
                let (name, value) = auth::authorization(id);
                request = request.header(name, value);
            }
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        // The body stays in the buffer that is wiped when it is dropped.
        let body = body.map(Bytes::from_owner).unwrap_or_default();
        let request = request.body(body).map_err(|error| {
            Error::because(ErrorKind::InvalidRequest, error).of_operation(operation.name())
        })?;
        let redactor = redactor.of_call(request.headers(), request.body());
        let reader = AnswerReader { operation, decode, redactor: &redactor };
        let once = self.1.map(|send_by| sender.once(send_by));
        let sender = once.as_ref().unwrap_or(sender);
        let deadline = sender.deadline_in(*deadline);
        let retry_class = retry_class_of(class);
        reader.open(
            sender.send(perennial_transport::Call { request, route, retry_class, is_own, deadline }).await,
        )
    }
}

impl fmt::Debug for ClientPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientPay")
            .field("environment", &self.0.environment)
            .field("version", &self.0.version)
            .field("deadline", &self.0.deadline)
            .finish_non_exhaustive()
    }
}

settings!(ClientPayBuilder);

impl ClientPayBuilder {
    /// Sets the version of the API. The default is 2.0. Version 1.0 has no payers, refunds and search; requests that it
    /// cannot express are refused before they are sent.
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Sets another path for an operation, such as `/v2/refund`. The known pages of the vendor do not show all paths:
    /// the **inferred** paths of [`Operation`] may have to be corrected.
    pub fn path(mut self, operation: Operation, path: impl Into<String>) -> Self {
        self.paths.push((operation, path.into()));
        self
    }

    /// Sets the provider of access ids, which can share them with other processes. The default is one id for this
    /// process.
    pub fn access_ids(mut self, access_ids: impl AccessIds + 'static) -> Self {
        self.access_ids = Arc::new(access_ids);
        self
    }

    /// Builds the client. This does not connect yet.
    pub fn build(self) -> Result<ClientPay, Error> {
        let Self { credentials, version, paths, access_ids, settings } = self;
        let (environment, sender) = settings.sender()?;
        if !paths.iter().all(|(_, path)| is_path(path)) {
            return Err(Error::because(ErrorKind::Configuration, InvalidPath));
        }
        let CredentialsFields { integrator_key, account_key, account_pin } = credentials.fields();
        let secrets = [integrator_key.expose(), account_key.expose(), account_pin.expose()];
        let redactor = secrets.into_iter().fold(Redactor::new(), Redactor::secret);
        Ok(ClientPay(
            Arc::new(Inner {
                sender,
                time: settings.time,
                policy: settings.policy,
                jitter: settings.jitter,
                environment,
                version,
                paths,
                credentials,
                access_ids,
                deadline: settings.deadline,
                redactor,
            }),
            None,
        ))
    }
}

fn is_path(path: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_');
    path.starts_with('/') && path.bytes().all(allowed)
}

impl fmt::Debug for ClientPayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientPayBuilder")
            .field("version", &self.version)
            .field("paths", &self.paths)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
