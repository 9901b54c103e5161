//! A `ClientPay` client whose writes take effect once.

use std::sync::{Arc, Mutex};

use perennial::ClientPay as Client;
use perennial::clientpay::{
    AccessId, ConnectPage, CustomerCredentials, InvoicePage, LineItemPage, MethodUpdates, NewMethods,
    NewPayer, NewPayment, Page, PayerId, PayerPage, PayerUpdate, Payment, Refund, RequestId, SavedPayer,
    UsedRequestId, Version,
};
use perennial_wire::EncodeError;
use perennial_wire::clientpay::{
    Call, Session, access as access_wire, page as page_wire, payer as payer_wire, payment as payment_wire,
};
use serde::de::DeserializeOwned;

use crate::clearent::settled;
use crate::driver::{Driver, check_key, mark_of, planned};
use crate::gateway::access_request;
use crate::gateway::clientpay::ClientPayGateway;
use crate::gateway::clientpay_request::prepare;
use crate::gateway::request::{Full, Prepared};
use crate::journal::{By, Journal};
use crate::machine::{History, Intent, Precondition, Write};
use crate::store::{Intended, Tenant};
use crate::{Error, Moment, Settled, observe};

/// A `ClientPay` client of a tenant. Each write has an operation key: the caller's name for one decision. The same key
/// again returns the recorded outcome, or finds it out, and never makes a second one.
///
/// All attempts of one write have one request id, which is stored before the first byte of the first one leaves. If a
/// response is lost, a payment or refund is looked up by that id, and by the `sessionId`, which has the mark of the write
/// if the caller gave none. Pages and payers have no search: then a person decides, and the request id is in the reason.
/// Nothing is sent a second time unless a person [says so](Journal::resend).
///
/// Neither the numbers of cards and bank accounts nor security codes and routing numbers are stored. A write with one of
/// them waits as [`Settled::NeedsCard`] if it must be sent later: the same call with the same card sends it.
#[derive(Clone)]
pub struct ClientPay {
    pub(crate) journal: Journal,
    pub(crate) client: Client,
    name: String,
    pub(crate) tenant: Tenant,
    pub(crate) gateway: Arc<ClientPayGateway>,
    precondition: Option<Precondition>,
    send_before: Option<Moment>,
}

impl std::fmt::Debug for ClientPay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientPay")
            .field("tenant", &self.name)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl ClientPay {
    pub(crate) fn new(journal: Journal, client: Client, name: String, tenant: Tenant) -> Self {
        let gateway = Arc::new(ClientPayGateway { client: client.clone(), issued: Mutex::default() });
        Self { journal, client, name, tenant, gateway, precondition: None, send_before: None }
    }

    /// The client without the journal, for reads.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The name of the tenant, without the `/clientpay` that it has in the database.
    pub fn tenant(&self) -> &str {
        &self.name
    }

    /// Returns a client whose writes are sent only while a guard of the tenant has this version. Whoever makes them
    /// unwanted [raises](Journal::raise_guard) the guard. It is checked in the statement that commits an attempt.
    #[must_use]
    pub fn only_while(&self, guard: &str, version: i64) -> Self {
        Self { precondition: Some(Precondition { guard: guard.to_owned(), version }), ..self.clone() }
    }

    /// Returns a client whose writes are not sent any more from this moment. Without it, a payment or refund is sent
    /// within an hour, and another write within a day.
    #[must_use]
    pub fn send_before(&self, moment: Moment) -> Self {
        Self { send_before: Some(moment), ..self.clone() }
    }

    /// The payments, and their refunds.
    pub fn payments(&self) -> Payments<'_> {
        Payments(self)
    }

    /// The pages on which payers pay or store methods.
    pub fn pages(&self) -> Pages<'_> {
        Pages(self)
    }

    /// The payers and their payment methods.
    pub fn payers(&self) -> Payers<'_> {
        Payers(self)
    }

    /// The access ids.
    pub fn access(&self) -> Access<'_> {
        Access(self)
    }

    /// Looks for an intent now, whether it is due or not, and returns it.
    pub async fn look(&self, uid: &str) -> Result<Intent, Error> {
        self.journal.check_same().await?;
        self.driver().drive(uid, None, false).await
    }

    /// Takes back what is not sent yet.
    pub async fn withdraw(&self, uid: &str, reason: &str) -> Result<Intent, Error> {
        self.driver().withdraw(uid, reason, None).await
    }

    /// [Records](Journal::resend) that an intent is sent once more, and sends it now if it needs no card.
    pub async fn resend(&self, uid: &str, by: By) -> Result<Intent, Error> {
        self.journal.resend(uid, by).await?;
        self.look(uid).await
    }

    pub(crate) fn driver(&self) -> Driver<'_> {
        Driver {
            store: &*self.journal.0.store,
            gateway: &*self.gateway,
            clock: &*self.journal.0.clock,
            rules: &self.journal.0.rules,
            tenant: &self.tenant.uid,
        }
    }

    /// Stores the decision, and carries it out as far as possible.
    async fn perform<T: DeserializeOwned>(
        &self,
        key: &str,
        write: Write,
        object: Option<String>,
        encode: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
    ) -> Result<Settled<T>, Error> {
        check_key(key)?;
        // The ids stand for those that the attempt gets, and are not stored.
        let access_id = AccessId::try_from("none").map_err(perennial::Error::from)?;
        let request_id = RequestId::try_from("none").map_err(perennial::Error::from)?;
        let encode = |version| encode(Session { version, access_id: &access_id }, &request_id);
        // A request that the client's version cannot express is refused before it is stored. Stored is version 2.
        encode(self.client.version()).map_err(perennial::Error::from)?;
        let call = encode(Version::V2).map_err(perennial::Error::from)?;
        let body = call.body.as_deref().map_or(&[][..], Vec::as_slice);
        self.journal.check_same().await?;
        let mark = mark_of(&self.tenant.uid, key);
        let prepared = prepare(write, object.as_deref(), body, &mark)?;
        self.carry_out(key, write, object, prepared, |existing| {
            // The stored request has another mark than this one: the card of this call is put beside it.
            let object = (!existing.object.starts_with("new/")).then_some(existing.object.as_str());
            Ok(prepare(write, object, body, &existing.mark)?.full)
        })
        .await
    }

    /// Stores a prepared decision, and carries it out as far as possible. `again` makes the whole request of an intent that
    /// is stored already.
    pub(crate) async fn carry_out<T: DeserializeOwned>(
        &self,
        key: &str,
        write: Write,
        object: Option<String>,
        prepared: Prepared,
        again: impl Fn(&Intent) -> Result<Full, Error>,
    ) -> Result<Settled<T>, Error> {
        let store = &*self.journal.0.store;
        let now = store.now(self.journal.0.clock.now()).await?;
        // After a restore, an intent of this key may have been sent although the database does not know it. A payment or
        // refund is looked for then. A page or payer cannot be: a spare moves no money by itself, and without this, every
        // new one would need a person.
        let restored = self
            .tenant
            .quiet_until
            .filter(|until| write.moves_money() && !self.journal.0.rules.is_too_old(*until, now));
        let planned = planned(&self.tenant.uid, key, write, object, &prepared, now);
        let intent = Intent {
            precondition: self.precondition.clone(),
            send_before: self.send_before.unwrap_or(planned.send_before),
            history: History { restored, ..History::default() },
            ..planned
        };
        let existing = match store.intend(&intent).await? {
            Intended::New => {
                observe::stored(&intent);
                None
            }
            Intended::Existing(existing) if existing.fingerprint != intent.fingerprint => {
                return Err(Error::KeyUsed { key: key.to_owned(), operation: existing.write.name() });
            }
            Intended::Existing(existing) if existing.state.is_final() => return settled(*existing, true),
            Intended::Existing(existing) => Some(*existing),
            Intended::MarkTaken { by } => return Err(Error::MarkTaken { by }),
        };
        let is_fresh = existing.is_none() && restored.is_none();
        let (uid, full) = match existing {
            Some(existing) => {
                let full = again(&existing)?;
                (existing.uid, full)
            }
            None => (intent.uid, prepared.full),
        };
        let full = Some(full).filter(|_| intent.needs_card);
        // Boxed: the futures of all writes hold it.
        settled(Box::pin(self.driver().drive(&uid, full.as_ref(), is_fresh)).await?, false)
    }
}

/// Payments and refunds, each with an operation key.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Payments<'a>(&'a ClientPay);

impl Payments<'_> {
    /// Makes a payment. Its `sessionId` is the request's, or the mark of the intent.
    pub async fn pay(self, key: &str, payment: &NewPayment) -> Result<Settled<Payment>, Error> {
        let call = |session: Session<'_>, id: &RequestId| payment_wire::pay(session, id, payment);
        self.0.perform(key, Write::Pay, None, call).await
    }

    /// Returns a payment in full: the gateway voids it, or refunds it if it is settled. If the response is lost, a
    /// payment that is voided or refunded by then counts as returned, whoever has done it.
    pub async fn refund(self, key: &str, refund: &Refund) -> Result<Settled<Payment>, Error> {
        let object = Some(format!("payments/{}", refund.fields().payment_id));
        let call = |session: Session<'_>, id: &RequestId| payment_wire::refund(session, id, refund);
        self.0.perform(key, Write::RefundPayment, object, call).await
    }
}

/// Pages, each write with an operation key. If a response is lost, a person decides: a page cannot be looked up.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Pages<'a>(&'a ClientPay);

impl Pages<'_> {
    /// Creates a page for invoices.
    pub async fn invoices(self, key: &str, page: &InvoicePage) -> Result<Settled<Page>, Error> {
        self.create(key, |session, id| page_wire::invoices(session, id, page)).await
    }

    /// Creates a page for items.
    pub async fn line_items(self, key: &str, page: &LineItemPage) -> Result<Settled<Page>, Error> {
        self.create(key, |session, id| page_wire::line_items(session, id, page)).await
    }

    /// Creates a page for invoices of a practice management system.
    pub async fn connect(self, key: &str, page: &ConnectPage) -> Result<Settled<Page>, Error> {
        self.create(key, |session, id| page_wire::connect(session, id, page)).await
    }

    /// Creates a page for a payer's methods (version 2).
    pub async fn payer(self, key: &str, page: &PayerPage) -> Result<Settled<Page>, Error> {
        self.create(key, |session, id| page_wire::payer(session, id, page)).await
    }

    async fn create(
        self,
        key: &str,
        call: impl Fn(Session<'_>, &RequestId) -> Result<Call, EncodeError>,
    ) -> Result<Settled<Page>, Error> {
        self.0.perform(key, Write::CreatePage, None, call).await
    }

    /// Expires a page of any kind. It is sent even while another write to the page is open, and while the tenant is on
    /// hold.
    pub async fn expire(self, key: &str, page: &UsedRequestId) -> Result<Settled<()>, Error> {
        let call = |session: Session<'_>, _: &RequestId| page_wire::expire(session, page);
        self.0.perform(key, Write::ExpirePage, Some(format!("pages/{page}")), call).await
    }
}

/// Payers and their methods (version 2), each write with an operation key. If a response is lost, a person decides: a
/// payer cannot be looked up.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Payers<'a>(&'a ClientPay);

impl Payers<'_> {
    /// Stores a payer.
    pub async fn create(self, key: &str, payer: &NewPayer) -> Result<Settled<PayerId>, Error> {
        let call = |session: Session<'_>, id: &RequestId| payer_wire::create(session, id, payer);
        self.0.perform(key, Write::CreatePayer, None, call).await
    }

    /// Changes a payer.
    pub async fn update(self, key: &str, update: &PayerUpdate) -> Result<Settled<SavedPayer>, Error> {
        let object = of_payer(update.fields().payer_id);
        let call = |session: Session<'_>, id: &RequestId| payer_wire::update(session, id, update);
        self.0.perform(key, Write::UpdatePayer, Some(object), call).await
    }

    /// Deletes a payer.
    pub async fn delete(self, key: &str, payer: &PayerId) -> Result<Settled<()>, Error> {
        let call = |session: Session<'_>, id: &RequestId| payer_wire::delete(session, id, payer);
        self.0.perform(key, Write::DeletePayer, Some(of_payer(payer)), call).await
    }

    /// Stores methods with a payer.
    pub async fn add_methods(self, key: &str, methods: &NewMethods) -> Result<Settled<SavedPayer>, Error> {
        let object = of_payer(methods.fields().payer_id);
        let call = |session: Session<'_>, id: &RequestId| payer_wire::add_methods(session, id, methods);
        self.0.perform(key, Write::AddMethods, Some(object), call).await
    }

    /// Changes stored methods. The request does not name the payer, so that only writes to the same methods wait for
    /// each other.
    pub async fn update_methods(
        self,
        key: &str,
        updates: &MethodUpdates,
    ) -> Result<Settled<SavedPayer>, Error> {
        let mut methods: Vec<_> =
            updates.fields().updates.iter().map(|update| update.fields().id.as_str()).collect();
        methods.sort_unstable();
        let object = Some(format!("methods/{}", methods.join(",")));
        let call = |session: Session<'_>, id: &RequestId| payer_wire::update_methods(session, id, updates);
        self.0.perform(key, Write::UpdateMethods, object, call).await
    }
}

fn of_payer(payer: &PayerId) -> String {
    format!("payers/{payer}")
}

/// Access ids, each write with an operation key. An access id is never stored: a response that is lost is looked for by a
/// digest of the id that was valid before.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Access<'a>(&'a ClientPay);

impl Access<'_> {
    /// Requests a new id, which invalidates the previous one. Returns the id that is valid now, if there is one. A lost
    /// response counts as done if another id is valid than before, whoever requested it.
    pub async fn renew(self, key: &str) -> Result<Settled<AccessId>, Error> {
        check_key(key)?;
        self.0.journal.check_same().await?;
        let client = &self.0.client;
        let before = client.access().current().await?.into_value();
        let prepared = access_request::renew(before.as_ref(), &self.mark(key));
        let object = Some(access_request::OWN.to_owned());
        let none = |_: &Intent| Ok(access_request::nothing());
        let settled = self.0.carry_out::<()>(key, Write::NewAccessId, object, prepared, none).await?;
        let id = match self.issued(key) {
            None if settled.is_done() => client.access().current().await?.into_value(),
            id => id,
        };
        Ok(settled.with_value(id))
    }

    /// Requests a new id of a customer across all its accounts (version 2). It is returned once, by the call that requested
    /// it; if the response is lost, a person decides.
    pub async fn renew_for_customer(
        self,
        key: &str,
        customer: &CustomerCredentials,
    ) -> Result<Settled<AccessId>, Error> {
        check_key(key)?;
        self.0.journal.check_same().await?;
        let call = access_wire::new_for_customer(self.0.client.version(), customer)
            .map_err(perennial::Error::from)?;
        let body = call.body.as_deref().map_or(&[][..], Vec::as_slice);
        let object = access_request::of_customer(customer);
        let prepared = access_request::secret(Write::NewCustomerAccessId, &object, body, &self.mark(key));
        let again = |_: &Intent| Ok(access_request::whole(body));
        let write = Write::NewCustomerAccessId;
        let settled = self.0.carry_out::<()>(key, write, Some(object), prepared, again).await?;
        Ok(settled.with_value(self.issued(key)))
    }

    /// Expires this id. It is sent even while another write to it is open, and while the tenant is on hold.
    pub async fn expire(self, key: &str, id: &AccessId) -> Result<Settled<()>, Error> {
        check_key(key)?;
        self.0.journal.check_same().await?;
        let (object, body) = (access_request::of_id(id), id.expose().as_bytes());
        let prepared = access_request::secret(Write::ExpireAccessId, &object, body, &self.mark(key));
        let again = |_: &Intent| Ok(access_request::whole(body));
        self.0.carry_out(key, Write::ExpireAccessId, Some(object), prepared, again).await
    }

    fn mark(self, key: &str) -> String {
        mark_of(&self.0.tenant.uid, key)
    }

    /// The id that this process got under the key.
    fn issued(self, key: &str) -> Option<AccessId> {
        self.0.gateway.issued().remove(&self.mark(key))
    }
}
