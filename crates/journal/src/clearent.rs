//! A Clearent client whose writes take effect once.

use std::sync::Arc;

use perennial::Clearent as Client;
use perennial::clearent::{
    Batch, Capture, Charge, ChargeSource, Customer, CustomerKey, CustomerToken, CustomerTokenUpdate,
    CustomerUpdate, NewCustomer, NewCustomerToken, NewPlan, NewToken, Plan, PlanKey, PlanStatus, PlanUpdate,
    Refund, Settlement, Token, TokenId, TokenUpdate, Transaction, TransactionId, TransactionUpdate, Void,
};
use perennial_wire::clearent as wire;
use perennial_wire::clearent::Call;
use perennial_wire::{EncodeError, Format};
use serde::de::DeserializeOwned;

use crate::driver::{Driver, check_key, mark_of, planned};
use crate::gateway::SENTINEL_KEY;
use crate::gateway::clearent::ClearentGateway;
use crate::gateway::request::{Full, Prepared, Secrets, prepare};
use crate::journal::Journal;
use crate::machine::{History, Intent, Precondition, State, Write};
use crate::settled::{Told, Waits};
use crate::store::{Intended, Tenant};
use crate::{Error, Moment, Settled, observe};

/// A Clearent client of a tenant. Each write has an operation key: the caller's name for one decision. The same key
/// again returns the recorded outcome, or finds it out, and never makes a second one.
#[derive(Clone)]
pub struct Clearent {
    journal: Journal,
    pub(crate) client: Client,
    pub(crate) tenant: Tenant,
    pub(crate) gateway: Arc<ClearentGateway>,
    precondition: Option<Precondition>,
    send_before: Option<Moment>,
}

/// A write that is stored in a transaction of the caller's, and sent later by the worker. It charges a token, because no
/// card is ever stored.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Later<'a> {
    /// Creates a plan, as [`Plans::create`] does.
    CreatePlan(&'a NewPlan),
    /// Changes a plan, as [`Plans::update`] does.
    UpdatePlan(&'a PlanKey, &'a PlanUpdate),
    /// Charges a token, as [`Transactions::sale`] does.
    Sale(&'a Charge),
    /// Refunds a transaction, as [`Transactions::refund`] does.
    Refund(&'a Refund),
}

impl std::fmt::Debug for Clearent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clearent")
            .field("tenant", &self.tenant.name)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl Clearent {
    pub(crate) fn new(
        journal: Journal,
        client: Client,
        tenant: Tenant,
        sentinel: Option<CustomerKey>,
    ) -> Self {
        let gateway = Arc::new(ClearentGateway { client: client.clone(), sentinel });
        Self { journal, client, tenant, gateway, precondition: None, send_before: None }
    }

    /// The client without the journal, for reads.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The name of the tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant.name
    }

    /// The uid of the tenant, which the rows of an extension name.
    pub fn tenant_uid(&self) -> &str {
        &self.tenant.uid
    }

    /// Returns a client whose writes are sent only while a guard of the tenant has this version. Whoever makes them
    /// unwanted [raises](Journal::raise_guard) the guard. It is checked in the statement that commits an attempt.
    #[must_use]
    pub fn only_while(&self, guard: &str, version: i64) -> Self {
        Self { precondition: Some(Precondition { guard: guard.to_owned(), version }), ..self.clone() }
    }

    /// Returns a client whose writes are not sent any more from this moment. Without it, a write that moves money is
    /// sent within an hour, and another one within a day.
    #[must_use]
    pub fn send_before(&self, moment: Moment) -> Self {
        Self { send_before: Some(moment), ..self.clone() }
    }

    /// The customers, and their tokens.
    pub fn customers(&self) -> Customers<'_> {
        Customers(self)
    }

    /// The card tokens of the vault.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }

    /// The payment plans.
    pub fn plans(&self) -> Plans<'_> {
        Plans(self)
    }

    /// The card transactions.
    pub fn transactions(&self) -> Transactions<'_> {
        Transactions(self)
    }

    /// The batches.
    pub fn batches(&self) -> Batches<'_> {
        Batches(self)
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
        call: Result<Call, EncodeError>,
        secrets: Secrets<'_>,
    ) -> Result<Settled<T>, Error> {
        // The control customer is created before there is one, under a key of the journal's own.
        if self.gateway.sentinel.is_some() || !key.starts_with(SENTINEL_KEY) {
            check_key(key)?;
        }
        let call = call.map_err(perennial::Error::from)?;
        let body = call.body.as_deref().map_or(&[][..], Vec::as_slice);
        self.journal.check_same().await?;
        let store = &*self.journal.0.store;
        let mark = mark_of(&self.tenant.uid, key);
        let prepared = prepare(write, object.as_deref(), body, secrets, &mark)?;
        let now = store.now(self.journal.0.clock.now()).await?;
        let intent = self.planned(key, write, object, &prepared, now);
        // A look precedes the first attempt, except where only this call can have made the mark.
        let (existing, is_fresh) = match store.intend(&intent).await? {
            Intended::New => {
                observe::stored(&intent);
                (None, prepared.mark == mark && intent.history.restored.is_none())
            }
            Intended::Existing(existing) if existing.fingerprint != intent.fingerprint => {
                return Err(Error::KeyUsed { key: key.to_owned(), operation: existing.write.name() });
            }
            Intended::Existing(existing) => (Some(*existing), false),
            Intended::MarkTaken { by } => return Err(Error::MarkTaken { by }),
        };
        // The stored request of an existing intent has another mark than this one: its card is put into it.
        let full = match &existing {
            Some(existing) => refilled(existing, write, body, secrets),
            None => Some(prepared.full),
        };
        let full = full.filter(|_| prepared.needs_card);
        let was_final = existing.as_ref().is_some_and(|existing| existing.state.is_final());
        let driven = match existing {
            Some(existing) if was_final => existing,
            existing => {
                let uid = existing.map_or(intent.uid, |existing| existing.uid);
                // Boxed: the futures of all writes hold it.
                Box::pin(self.driver().drive(&uid, full.as_ref(), is_fresh)).await?
            }
        };
        if driven.activates && driven.state == State::Done {
            return self.activated(driven, was_final).await;
        }
        settled(driven, was_final)
    }

    /// Returns the intent of a write that a transaction of the caller's [stores](crate::store::Statement::intend). The
    /// worker sends it after the commit.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`], [`Error::CardLater`], or the rules that the request breaks.
    pub fn intent(&self, key: &str, write: Later<'_>, now: Moment) -> Result<Intent, Error> {
        check_key(key)?;
        let (write, object, card, call) = match write {
            Later::CreatePlan(plan) => {
                (Write::CreatePlan, None, None, wire::plan::create(Format::Json, plan))
            }
            Later::UpdatePlan(plan, update) => {
                let call = wire::plan::update(Format::Json, plan, update);
                (Write::UpdatePlan, Some(object("plans", plan)), None, call)
            }
            Later::Sale(charge) => {
                charge.check_sale().map_err(perennial::Error::from)?;
                (Write::Sale, None, Some(charge.fields().card), wire::transaction::sale(Format::Json, charge))
            }
            Later::Refund(refund) => {
                let object = refund.fields().id.map(|id| object("transactions", id));
                (Write::Refund, object, refund.fields().card, wire::transaction::refund(Format::Json, refund))
            }
        };
        let call = call.map_err(perennial::Error::from)?;
        let body = call.body.as_deref().map_or(&[][..], Vec::as_slice);
        let mark = mark_of(&self.tenant.uid, key);
        let prepared = prepare(write, object.as_deref(), body, secrets_of(card), &mark)?;
        if prepared.needs_card {
            return Err(Error::CardLater);
        }
        Ok(self.planned(key, write, object, &prepared, now))
    }

    /// The planned intent of a prepared request.
    fn planned(
        &self,
        key: &str,
        write: Write,
        object: Option<String>,
        prepared: &Prepared,
        now: Moment,
    ) -> Intent {
        let planned = planned(&self.tenant.uid, key, write, object, prepared, now);
        // After a restore, an intent of this key may have been sent although the database does not know it. When the
        // gateway may have forgotten that, no look would tell.
        let restored = self.tenant.quiet_until.filter(|until| !self.journal.0.rules.is_too_old(*until, now));
        Intent {
            precondition: self.precondition.clone(),
            send_before: self.send_before.unwrap_or(planned.send_before),
            history: History { restored, ..History::default() },
            ..planned
        }
    }

    /// The outcome of a plan that is made, and is activated by a second write.
    async fn activated<T: DeserializeOwned>(
        &self,
        made: Intent,
        was_final: bool,
    ) -> Result<Settled<T>, Error> {
        let key = made.activation_key();
        let Some(activation) = self.journal.0.store.intent_of_key(&made.tenant, &key).await? else {
            return settled(made, was_final);
        };
        let was_final = was_final && activation.state.is_final();
        let activation = if activation.state.is_final() {
            activation
        } else {
            Box::pin(self.driver().drive(&activation.uid, None, true)).await?
        };
        settled(activation, was_final).map(|settled| match settled {
            Settled::Refused { reason } | Settled::Withdrawn { reason } => {
                let plan = made.outcome.and_then(|outcome| outcome.id).unwrap_or_default();
                Settled::NotActivated { plan, reason }
            }
            settled => settled,
        })
    }
}

/// The whole request of a stored intent, made from its mark and the card of this call.
fn refilled(existing: &Intent, write: Write, body: &[u8], secrets: Secrets<'_>) -> Option<Full> {
    let object = (!existing.object.starts_with("new/")).then_some(existing.object.as_str());
    prepare(write, object, body, secrets, &existing.mark).ok().map(|prepared| prepared.full)
}

/// The result of an intent.
pub(crate) fn settled<T: DeserializeOwned>(intent: Intent, was_final: bool) -> Result<Settled<T>, Error> {
    let reason = intent.reason().unwrap_or_default().into_owned();
    let Intent { uid, key, state, next, outcome, .. } = intent;
    let waits = |reason| Waits { intent: uid, reason, next };
    let value = |json: Option<String>| match json {
        Some(json) => serde_json::from_str(&json).map_err(|_| Error::Outcome(key.clone())),
        None => Ok(None),
    };
    Ok(match (state, outcome) {
        (State::Done, Some(outcome)) => Settled::Done {
            how: if was_final { Told::Replayed } else { outcome.how.into() },
            value: value(outcome.value)?,
        },
        (State::Done, None) => return Err(Error::Outcome(key)),
        (State::Declined, outcome) => {
            Settled::Declined { value: value(outcome.and_then(|outcome| outcome.value))? }
        }
        (State::Refused, _) => Settled::Refused { reason },
        (State::Withdrawn, _) => Settled::Withdrawn { reason },
        (State::NeedsCard, _) => Settled::NeedsCard(waits(reason)),
        (State::NeedsPerson, _) => Settled::NeedsPerson(waits(reason)),
        (State::Planned | State::Sending | State::Unknown, _) => Settled::Open(waits(reason)),
    })
}

/// The name of an object in an intent.
pub(crate) fn object(kind: &str, key: impl std::fmt::Display) -> String {
    format!("{kind}/{key}")
}

/// The card of a charge.
fn secrets_of(source: Option<&ChargeSource>) -> Secrets<'_> {
    match source {
        Some(ChargeSource::Card(card)) => Secrets { last_four: Some(card.last_four()), one_time_token: None },
        Some(ChargeSource::OneTimeToken(token)) => Secrets { last_four: None, one_time_token: Some(token) },
        _ => Secrets::default(),
    }
}

/// Writes to customers, each with an operation key.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Customers<'a>(&'a Clearent);

impl<'a> Customers<'a> {
    /// Creates a customer. Its key is the request's, or the mark of the intent; its comments begin with the mark.
    pub async fn create(self, key: &str, customer: &NewCustomer) -> Result<Settled<Customer>, Error> {
        let call = wire::customer::create(Format::Json, customer);
        self.0.perform(key, Write::CreateCustomer, None, call, Secrets::default()).await
    }

    /// Changes a customer.
    pub async fn update(
        self,
        key: &str,
        customer: &CustomerKey,
        update: &CustomerUpdate,
    ) -> Result<Settled<Customer>, Error> {
        let call = wire::customer::update(Format::Json, customer, update);
        self.0
            .perform(
                key,
                Write::UpdateCustomer,
                Some(object("customers", customer)),
                call,
                Secrets::default(),
            )
            .await
    }

    /// Deletes a customer without plans and payments.
    pub async fn delete(self, key: &str, customer: &CustomerKey) -> Result<Settled<Customer>, Error> {
        let call = Ok(wire::customer::delete(customer));
        self.0
            .perform(
                key,
                Write::DeleteCustomer,
                Some(object("customers", customer)),
                call,
                Secrets::default(),
            )
            .await
    }

    /// The tokens of a customer.
    pub fn tokens(self, customer: &'a CustomerKey) -> CustomerTokens<'a> {
        CustomerTokens { clearent: self.0, customer }
    }
}

/// Writes to the tokens of one customer, each with an operation key.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct CustomerTokens<'a> {
    clearent: &'a Clearent,
    customer: &'a CustomerKey,
}

impl CustomerTokens<'_> {
    /// Attaches a token of the vault to the customer.
    pub async fn attach(self, key: &str, token: &NewCustomerToken) -> Result<Settled<CustomerToken>, Error> {
        let call = wire::customer_token::attach(Format::Json, self.customer, token);
        let object = Some(format!("customers/{}/tokens", self.customer));
        self.clearent.perform(key, Write::AttachToken, object, call, Secrets::default()).await
    }

    /// Changes the attachment of a token.
    pub async fn update(
        self,
        key: &str,
        update: &CustomerTokenUpdate,
    ) -> Result<Settled<CustomerToken>, Error> {
        let call = wire::customer_token::update(Format::Json, self.customer, update);
        let object = Some(format!("customers/{}/tokens", self.customer));
        self.clearent.perform(key, Write::UpdateCustomerToken, object, call, Secrets::default()).await
    }
}

/// Writes to the vault, each with an operation key.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Tokens<'a>(&'a Clearent);

impl Tokens<'_> {
    /// Stores a card in the vault. The description begins with the mark of the intent. The card is not stored in the
    /// journal: if it must be sent again, the result is [`Settled::NeedsCard`].
    pub async fn create(self, key: &str, token: NewToken) -> Result<Settled<Token>, Error> {
        let call = wire::token::create(Format::Json, &token);
        let secrets = Secrets { last_four: Some(token.fields().card.last_four()), one_time_token: None };
        self.0.perform(key, Write::CreateToken, None, call, secrets).await
    }

    /// Changes a token.
    pub async fn update(
        self,
        key: &str,
        id: &TokenId,
        update: &TokenUpdate,
    ) -> Result<Settled<Token>, Error> {
        let call = wire::token::update(Format::Json, id, update);
        self.0.perform(key, Write::UpdateToken, Some(object("tokens", id)), call, Secrets::default()).await
    }

    /// Deletes a token that no plan charges.
    pub async fn delete(self, key: &str, id: &TokenId) -> Result<Settled<Token>, Error> {
        let call = Ok(wire::token::delete(id));
        self.0.perform(key, Write::DeleteToken, Some(object("tokens", id)), call, Secrets::default()).await
    }
}

/// Writes to plans, each with an operation key.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Plans<'a>(&'a Clearent);

impl Plans<'_> {
    /// Creates a plan. It is created suspended, with the mark of the intent before its name. When a list shows all plans
    /// with the mark, the oldest is activated, unless the request is for a suspended plan, and spares are canceled: at
    /// most one plan ever charges.
    pub async fn create(self, key: &str, plan: &NewPlan) -> Result<Settled<Plan>, Error> {
        let call = wire::plan::create(Format::Json, plan);
        self.0.perform(key, Write::CreatePlan, None, call, Secrets::default()).await
    }

    /// Changes a plan. A change that cancels it is sent even while another write to the plan is open.
    pub async fn update(
        self,
        key: &str,
        plan: &PlanKey,
        update: &PlanUpdate,
    ) -> Result<Settled<Plan>, Error> {
        let call = wire::plan::update(Format::Json, plan, update);
        self.0.perform(key, Write::UpdatePlan, Some(object("plans", plan)), call, Secrets::default()).await
    }

    /// Suspends a plan.
    pub async fn suspend(self, key: &str, plan: &PlanKey) -> Result<Settled<Plan>, Error> {
        self.become_status(key, plan, PlanStatus::SUSPENDED).await
    }

    /// Activates a suspended plan.
    pub async fn activate(self, key: &str, plan: &PlanKey) -> Result<Settled<Plan>, Error> {
        self.become_status(key, plan, PlanStatus::ACTIVE).await
    }

    /// Cancels a plan permanently. It is sent even while another write to the plan is open.
    pub async fn cancel(self, key: &str, plan: &PlanKey) -> Result<Settled<Plan>, Error> {
        self.become_status(key, plan, PlanStatus::CANCELED).await
    }

    async fn become_status(
        self,
        key: &str,
        plan: &PlanKey,
        status: PlanStatus,
    ) -> Result<Settled<Plan>, Error> {
        let update = PlanUpdate::builder().status(status).build().map_err(perennial::Error::from)?;
        self.update(key, plan, &update).await
    }

    /// Deletes a plan that is not active and has no payments.
    pub async fn delete(self, key: &str, plan: &PlanKey) -> Result<Settled<Plan>, Error> {
        let call = Ok(wire::plan::delete(plan));
        self.0.perform(key, Write::DeletePlan, Some(object("plans", plan)), call, Secrets::default()).await
    }
}

/// Card transactions, each with an operation key.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Transactions<'a>(&'a Clearent);

impl Transactions<'_> {
    /// Charges a card or token. The order id is the mark of the intent: the request's, or a random one.
    pub async fn sale(self, key: &str, charge: &Charge) -> Result<Settled<Transaction>, Error> {
        charge.check_sale().map_err(perennial::Error::from)?;
        let call = wire::transaction::sale(Format::Json, charge);
        self.0.perform(key, Write::Sale, None, call, secrets_of(Some(charge.fields().card))).await
    }

    /// Reserves an amount.
    pub async fn auth(self, key: &str, charge: &Charge) -> Result<Settled<Transaction>, Error> {
        let call = wire::transaction::auth(Format::Json, charge);
        self.0.perform(key, Write::Auth, None, call, secrets_of(Some(charge.fields().card))).await
    }

    /// Captures a reserved amount.
    pub async fn capture(self, key: &str, capture: &Capture) -> Result<Settled<Transaction>, Error> {
        let call = wire::transaction::capture(Format::Json, capture);
        let object = Some(object("transactions", capture.fields().id));
        self.0.perform(key, Write::Capture, object, call, Secrets::default()).await
    }

    /// Voids a transaction of the open batch.
    pub async fn void(self, key: &str, void: &Void) -> Result<Settled<Transaction>, Error> {
        let call = wire::transaction::void(Format::Json, void);
        let object = Some(object("transactions", &void.id));
        self.0.perform(key, Write::Void, object, call, Secrets::default()).await
    }

    /// Refunds a transaction, or a card.
    pub async fn refund(self, key: &str, refund: &Refund) -> Result<Settled<Transaction>, Error> {
        let call = wire::transaction::refund(Format::Json, refund);
        let object = refund.fields().id.map(|id| object("transactions", id));
        self.0.perform(key, Write::Refund, object, call, secrets_of(refund.fields().card)).await
    }

    /// Changes the tip of a transaction of the open batch.
    pub async fn update(
        self,
        key: &str,
        id: &TransactionId,
        update: &TransactionUpdate,
    ) -> Result<Settled<Transaction>, Error> {
        let call = wire::transaction::update(Format::Json, id, update);
        let object = Some(object("transactions", id));
        self.0.perform(key, Write::UpdateTransaction, object, call, Secrets::default()).await
    }
}

/// Batches, each write with an operation key.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Batches<'a>(&'a Clearent);

impl Batches<'_> {
    /// Settles the open batch. No read tells which request settled a batch, so a lost response needs a person.
    pub async fn settle(self, key: &str, settlement: &Settlement) -> Result<Settled<Batch>, Error> {
        let call = wire::batch::settle(Format::Json, settlement);
        self.0
            .perform(key, Write::SettleBatch, Some(object("batches", "open")), call, Secrets::default())
            .await
    }
}
