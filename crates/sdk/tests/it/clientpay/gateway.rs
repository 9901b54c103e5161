//! ClientPay in memory, with the faults of a test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial::clientpay::*;
use perennial::transport::{Deadline, Exchange, Kind, TransportError};
use perennial::{ClientPay, ClientPayBuilder, Environment};
use perennial_domain::clientpay::Condition;
use perennial_wire::Limits;
use perennial_wire::clientpay::{ReadError, Received, Reply, access, invoice, page, payer, payment, search};
use tokio::task::yield_now;

use crate::gateway::says;

pub(crate) type Answer = Result<Response<Bytes>, TransportError>;

/// The fate of one exchange.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// It succeeds.
    Well,
    /// The access id is expired before it.
    Evict,
    /// Another process requests a new access id before it.
    Steal,
    /// It fails before the gateway executes it.
    Fail(Kind),
    /// It is executed, and then fails.
    PerformThen(Kind),
    /// It is executed, and gets this response instead.
    PerformAnd(u16, String),
    /// It is not executed, and gets this response.
    Say(u16, String),
    /// It is not executed: 429.
    Throttle,
    /// The request id is used up, nothing else is executed, and it fails.
    BurnThen(Kind),
}

type Script = dyn Fn(usize, Operation) -> Does + Send + Sync;

#[derive(Default)]
struct World {
    /// The counter for ids.
    next: usize,
    live: Option<String>,
    /// The number of evictions of a valid id.
    evictions: usize,
    fresh: BTreeSet<String>,
    used: BTreeSet<String>,
    payments: Vec<Payment>,
    /// The number of requests for each operation.
    counts: BTreeMap<&'static str, usize>,
    asked: Vec<Request<Bytes>>,
}

pub(crate) struct Gateway {
    script: Box<Script>,
    /// The status that payments get.
    status: PaymentStatus,
    world: Mutex<World>,
}

pub(crate) fn credentials() -> Credentials {
    let builder = Credentials::builder().integrator_key(INTEGRATOR).account_key(ACCOUNT).account_pin(PIN);
    builder.build().unwrap()
}

pub(crate) const INTEGRATOR: &str = "int-5f0c7d1a";
pub(crate) const ACCOUNT: &str = "acct-20417";
pub(crate) const PIN: &str = "pin-773194";

impl Gateway {
    /// A gateway whose script decides the fate of the nth exchange (from 0, over all) of an operation.
    pub(crate) fn new(script: impl Fn(usize, Operation) -> Does + Send + Sync + 'static) -> Arc<Self> {
        Self::that(PaymentStatus::APPROVED, script)
    }

    pub(crate) fn that(
        status: PaymentStatus,
        script: impl Fn(usize, Operation) -> Does + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { script: Box::new(script), status, world: Mutex::default() })
    }

    /// A gateway where the exchanges of this operation have these fates, one after the other, and then succeed.
    pub(crate) fn of(route: Operation, fates: impl IntoIterator<Item = Does>) -> Arc<Self> {
        let fates = Mutex::new(fates.into_iter().collect::<std::collections::VecDeque<_>>());
        Self::new(move |_, asked| {
            let fate = if asked == route { fates.lock().unwrap().pop_front() } else { None };
            fate.unwrap_or(Does::Well)
        })
    }

    pub(crate) fn builder(self: &Arc<Self>) -> ClientPayBuilder {
        ClientPay::builder(credentials())
            .environment(Environment::Sandbox)
            .jitter(|upper| upper)
            .exchange(self.clone())
    }

    pub(crate) fn client(self: &Arc<Self>) -> ClientPay {
        self.builder().build().unwrap()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The number of requests for this operation.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.world().counts.get(operation).copied().unwrap_or_default()
    }

    /// The requested operations, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        let name =
            |request: &Request<Bytes>| Operation::at(request.uri().path()).unwrap().0.name().to_owned();
        self.world().asked.iter().map(name).collect()
    }

    pub(crate) fn requests(&self) -> Vec<Request<Bytes>> {
        self.world().asked.clone()
    }

    /// The payments, declined ones included.
    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.world().payments.clone()
    }

    pub(crate) fn evict(&self) {
        self.world().evict();
    }

    /// The number of times that calls had no valid access id: at first, and after each eviction, except the last if no
    /// call has noticed it yet.
    pub(crate) fn times_without_one(&self) -> usize {
        let world = self.world();
        world.evictions + usize::from(world.live.is_some())
    }

    fn answer(&self, route: Operation, version: Version, request: &Request<Bytes>, does: Does) -> Answer {
        let mut world = self.world();
        match &does {
            Does::Evict => world.evict(),
            Does::Steal => drop(world.renew()),
            Does::Fail(kind) => return Err(TransportError::new(*kind)),
            Does::Say(status, body) => return says(*status, body.clone()),
            Does::Throttle => return says(429, r#"{"success":false,"message":"later"}"#),
            Does::BurnThen(kind) => {
                let fresh = std::mem::take(&mut world.fresh);
                world.used.extend(fresh);
                return Err(TransportError::new(*kind));
            }
            Does::Well | Does::PerformThen(_) | Does::PerformAnd(..) => {}
        }
        let (status, body) = world.perform(route, version, request, &self.status);
        match does {
            Does::PerformThen(kind) => Err(TransportError::new(kind)),
            Does::PerformAnd(status, body) => says(status, body),
            _ => says(status, body),
        }
    }

    /// Requests a new access id, as another process does.
    pub(crate) fn steal(&self) {
        self.world().renew();
    }
}

impl World {
    fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}-{:04}-4aaa-8bbb", self.next)
    }

    fn renew(&mut self) -> String {
        let id = self.id("access");
        self.live = Some(id.clone());
        id
    }

    fn evict(&mut self) {
        self.evictions += usize::from(self.live.take().is_some());
    }

    fn is_live(&self, request: &Request<Bytes>, version: Version) -> bool {
        let named = match version {
            Version::V2 => request.headers().get("accessid").map(|id| id.to_str().unwrap().to_owned()),
            Version::V1 => match access::read_access_id(request.body(), &Limits::default()) {
                Ok(id) => Some(id.expose().to_owned()),
                Err(_) => request.headers().get("accessid").map(|id| id.to_str().unwrap().to_owned()),
            },
        };
        named.is_some() && named == self.live
    }

    /// Uses the request id, once.
    fn take(&mut self, id: &RequestId) -> Result<(), Vec<u8>> {
        if self.fresh.remove(id.expose()) {
            self.used.insert(id.expose().to_owned());
            return Ok(());
        }
        let word = if self.used.contains(id.expose()) { "has already been used" } else { "is not known" };
        Err(access::encode_done(&Reply::refusal(format!("requestId {word}."))))
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each operation")]
    fn perform(
        &mut self,
        route: Operation,
        version: Version,
        request: &Request<Bytes>,
        status: &PaymentStatus,
    ) -> (u16, Vec<u8>) {
        let limits = &Limits::default();
        let body: &[u8] = request.body();
        let refuse = |status, why: &str| (status, access::encode_done(&Reply::refusal(why)));
        match route {
            Operation::NewAccessId | Operation::CurrentAccessId | Operation::ValidateCredentials => {
                let read = access::read_credentials(body, limits).unwrap();
                if read.fields().account_pin.expose() != PIN {
                    return refuse(401, "The account is not known.");
                }
                let id = match route {
                    Operation::NewAccessId => Some(self.renew()),
                    Operation::ValidateCredentials => {
                        return (200, access::encode_validity(&Reply::success(Some(true))));
                    }
                    _ => self.live.clone(),
                };
                return match id {
                    Some(id) => (200, access::encode_access_id(&Reply::success(Some(id.parse().unwrap())))),
                    None => refuse(404, "No current access ID exists for these credentials."),
                };
            }
            Operation::NewCustomerAccessId => {
                access::read_customer_credentials(body, limits).unwrap();
                let id = self.id("customer-access").parse().unwrap();
                return (200, access::encode_customer_access_id(&Reply::success(Some(id))));
            }
            Operation::ValidateAccessId => {
                let valid = self.is_live(request, version);
                return (200, access::encode_validity(&Reply::success(Some(valid))));
            }
            _ => {}
        }
        if !self.is_live(request, version) {
            return refuse(401, "The access ID is not valid.");
        }
        macro_rules! keyed {
            ($read:expr) => {{
                let received: Result<Received<_>, ReadError> = $read;
                match received {
                    Ok(Received { request_id, request, .. }) => match self.take(&request_id) {
                        Ok(()) => (request_id, request),
                        Err(body) => return (400, body),
                    },
                    Err(ReadError::InvalidRequest(violations)) => {
                        return (400, access::encode_done(&Reply::violations(&violations)));
                    }
                    Err(error) => panic!("{error}"),
                }
            }};
        }
        match route {
            Operation::ExpireAccessId => {
                self.live = None;
                (200, access::encode_done(&Reply::success(())))
            }
            Operation::NewRequestId => {
                let id = self.id("request");
                self.fresh.insert(id.clone());
                (200, access::encode_request_id(&Reply::success(Some(id.parse().unwrap()))))
            }
            Operation::InvoicePage => {
                let (id, _) = keyed!(page::read_invoices(version, body, limits));
                (200, page::encode(&Reply::success(Some(url("invoicePaymentPage", &id)))))
            }
            Operation::LineItemPage => {
                let (id, _) = keyed!(page::read_line_items(version, body, limits));
                (200, page::encode(&Reply::success(Some(url("lineItemPaymentPage", &id)))))
            }
            Operation::ConnectPage => {
                let (id, _) = keyed!(page::read_connect(version, body, limits));
                (200, page::encode(&Reply::success(Some(url("connectPaymentPage", &id)))))
            }
            Operation::PayerPage => {
                let (id, _) = keyed!(page::read_payer(body, limits));
                (200, page::encode_payer(&Reply::success(Some(url("payerPage", &id)))))
            }
            Operation::ExpirePage => {
                page::read_expire(body, limits).unwrap();
                (200, access::encode_done(&Reply::success(())))
            }
            Operation::ConnectSearch => {
                invoice::read_search(body, limits).unwrap();
                let open = OpenInvoice { invoice_number: Some("INV-70413".into()), ..OpenInvoice::default() };
                (200, invoice::encode_found(&Reply::success(Some(vec![open]))))
            }
            Operation::Pay => {
                let (id, request) = keyed!(payment::read_pay(version, body, limits));
                let number = 20_411_000 + self.payments.len();
                let approved = *status == PaymentStatus::APPROVED;
                let made = Payment {
                    request_id: Some(id.used()),
                    payment_id: Some(number.to_string().parse().unwrap()),
                    session_id: request.fields().session_id.map(ToString::to_string),
                    payment_status: Some(status.clone()),
                    payment_amount: Some(*request.fields().total_amount),
                    message: (!approved).then(|| "Do not Honor".to_owned()),
                    ..Payment::default()
                };
                self.payments.push(made.clone());
                (
                    200,
                    payment::encode(&Reply {
                        success: Some(approved),
                        value: made,
                        ..Reply::success(Payment::default())
                    }),
                )
            }
            Operation::Refund => {
                let (id, request) = keyed!(payment::read_refund(body, limits));
                let asked = request.fields().payment_id;
                let Some(made) =
                    self.payments.iter_mut().find(|made| made.payment_id.as_ref() == Some(asked))
                else {
                    return refuse(404, "The payment is not known.");
                };
                made.payment_status = Some(PaymentStatus::VOIDED);
                let told = Payment {
                    request_id: Some(id.used()),
                    refund_amount: made.payment_amount,
                    ..made.clone()
                };
                (200, payment::encode(&Reply::success(told)))
            }
            Operation::CountPayments => {
                search::read_count(body, limits).unwrap();
                (200, search::encode_count(&Reply::success(Some(self.payments.len().try_into().unwrap()))))
            }
            Operation::SearchPayments => {
                let search = search::read_results(body, limits).unwrap();
                let fields = search.fields();
                let size = fields.page_size.map_or(100, |size| size.get() as usize);
                let number = fields.page_number.map_or(1, |number| number.get() as usize);
                let matching = self.payments.iter().filter(|payment| {
                    fields.group.conditions().iter().all(|condition| is(condition, payment))
                });
                let payments = matching.skip((number - 1) * size).take(size).cloned().collect();
                let found = search::Found {
                    page_number: Some(number as u64),
                    page_size: Some(size as u64),
                    payments,
                };
                (200, search::encode_results(&Reply::success(Some(found))))
            }
            Operation::PaymentStatus => {
                let received = payment::read_status(request.uri().query().unwrap()).unwrap();
                let made = self
                    .payments
                    .iter()
                    .find(|payment| payment.request_id == Some(received.request_id.used()));
                match made {
                    Some(made) => (200, payment::encode(&Reply::success(made.clone()))),
                    None => refuse(404, "The request is not known."),
                }
            }
            Operation::NewPayer => {
                keyed!(payer::read_create(body, limits));
                let payer_id = self.id("payer").parse().ok();
                (200, payer::encode(&Reply::success(SavedPayer { payer_id, ..SavedPayer::default() })))
            }
            Operation::UpdatePayer => {
                let (_, request) = keyed!(payer::read_update(body, limits));
                let payer_id = Some(request.fields().payer_id.clone());
                (200, payer::encode(&Reply::success(SavedPayer { payer_id, ..SavedPayer::default() })))
            }
            Operation::DeletePayer => {
                keyed!(payer::read_delete(body, limits));
                (200, access::encode_done(&Reply::success(())))
            }
            Operation::NewMethods => {
                let (_, request) = keyed!(payer::read_add_methods(body, limits));
                let payer_id = Some(request.fields().payer_id.clone());
                let payment_method_ids = vec![self.id("method").parse().unwrap()];
                let saved = SavedPayer { payer_id, payment_method_ids, ..SavedPayer::default() };
                (200, payer::encode(&Reply::success(saved)))
            }
            Operation::UpdateMethods => {
                let (_, request) = keyed!(payer::read_update_methods(body, limits));
                let ids = request.fields().updates.iter().map(|update| update.fields().id.clone());
                let saved = SavedPayer { payment_method_ids: ids.collect(), ..SavedPayer::default() };
                (200, payer::encode(&Reply::success(saved)))
            }
            route => panic!("no such route: {route:?}"),
        }
    }
}

fn is(condition: &Condition, payment: &Payment) -> bool {
    let Condition::Criteria(criteria) = condition else { panic!("a criterion") };
    let value = match criteria.field {
        Field::RequestId => payment.request_id.as_ref().map(ToString::to_string),
        Field::PaymentId => payment.payment_id.as_ref().map(ToString::to_string),
        Field::SessionId => payment.session_id.clone(),
        Field::PaymentDate => return true,
    };
    value.as_deref() == Some(criteria.value.as_str())
}

fn url(page: &str, id: &RequestId) -> Page {
    Page { request_id: id.used(), url: format!("https://app.clientpay.com/app/api/#/{page}/{}", id.expose()) }
}

#[async_trait]
impl Exchange for Gateway {
    async fn exchange(&self, request: Request<Bytes>, _: Deadline) -> Answer {
        let (route, version) = Operation::at(request.uri().path()).expect("a route");
        assert_eq!(request.method().as_str(), route.method().as_str());
        let before = {
            let mut world = self.world();
            world.asked.push(request.clone());
            *world.counts.entry(route.name()).or_default() += 1;
            world.asked.len() - 1
        };
        // Other tasks run in between.
        yield_now().await;
        let does = (self.script)(before, route);
        let answer = self.answer(route, version, &request, does);
        yield_now().await;
        answer
    }
}
