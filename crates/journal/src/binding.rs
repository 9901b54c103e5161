//! Clients that are bound to tenants, and the worker for them.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use perennial::clearent::{CustomerKey, CustomerSearch, NewCustomer};
use perennial::clientpay::Credentials;
use perennial::{Clearent as Client, ClientPay as PayClient, Environment};
use perennial_domain::clientpay::AccountKey;

use crate::access::SharedAccessIds;
use crate::clearent::Clearent;
use crate::clientpay::ClientPay;
use crate::driver::{Driver, mark_of, new_uid};
use crate::gateway::request::unmarked;
use crate::gateway::{SENTINEL_KEY, access_request};
use crate::journal::clientpay_name;
use crate::store::{NewDecision, Tenant};
use crate::{By, Error, Journal, Settled};

/// The first and the last name of control customers.
const CONTROL: (&str, &str) = ("Perennial", "Control");
/// The start of the key of a control customer. The uid of its tenant follows.
const CONTROL_KEY: &str = "perennial-control-";

/// A client that is bound to a tenant.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Bound {
    /// Of Clearent.
    Clearent(Clearent),
    /// Of `ClientPay`.
    ClientPay(ClientPay),
}

impl Bound {
    fn driver(&self) -> Driver<'_> {
        match self {
            Self::Clearent(clearent) => clearent.driver(),
            Self::ClientPay(clientpay) => clientpay.driver(),
        }
    }
}

impl From<&Clearent> for Bound {
    fn from(clearent: &Clearent) -> Self {
        Self::Clearent(clearent.clone())
    }
}

impl From<&ClientPay> for Bound {
    fn from(clientpay: &ClientPay) -> Self {
        Self::ClientPay(clientpay.clone())
    }
}

impl From<&Self> for Bound {
    fn from(bound: &Self) -> Self {
        bound.clone()
    }
}

fn check_name(tenant: &str) -> Result<(), Error> {
    if tenant.is_empty() || tenant.chars().count() > 100 || tenant.chars().any(char::is_control) {
        return Err(Error::InvalidTenant);
    }
    Ok(())
}

impl Journal {
    /// Binds a client to a tenant: from now on, writes with an operation key take effect once.
    ///
    /// The tenant is made at its first use. It is bound to the gateway's host and, by a control customer that is created
    /// then, to the merchant: a client of another merchant is refused. The control customer also proves that searches
    /// find what exists, before the journal believes that something does not exist. If the merchant has a control customer
    /// of a tenant of this name that the database does not know, its journal was lost: then operation keys get the marks
    /// that they had, and nothing is sent for a few minutes.
    pub async fn clearent(&self, tenant: &str, client: &Client) -> Result<Clearent, Error> {
        self.bound(tenant, client, None).await
    }

    /// Binds a client to a tenant as [`clearent`](Self::clearent) does, and writes nothing at the gateway: if the tenant has
    /// no control customer, this customer of the merchant becomes it. It must not be deleted:
    /// [`rebind`](Self::rebind) gives the tenant a control customer of its own, from which a lost journal can be bound anew.
    pub async fn clearent_by(
        &self,
        tenant: &str,
        client: &Client,
        customer: &CustomerKey,
    ) -> Result<Clearent, Error> {
        self.bound(tenant, client, Some(customer)).await
    }

    async fn bound(
        &self,
        tenant: &str,
        client: &Client,
        control: Option<&CustomerKey>,
    ) -> Result<Clearent, Error> {
        check_name(tenant)?;
        let store = &*self.0.store;
        let host = client.environment().base_url().to_string();
        let now = store.now(self.0.clock.now()).await?;
        if store.tenant(tenant).await?.is_none() {
            let lost = self.lost_tenant(tenant, client).await?;
            let (uid, sentinel) = lost.map_or_else(|| (new_uid(), None), |(uid, key)| (uid, Some(key)));
            // What the lost journal sent may still arrive.
            let quiet = self.0.rules.send_within + self.0.rules.window();
            let new = Tenant {
                uid,
                name: tenant.to_owned(),
                host: host.clone(),
                quiet_until: sentinel.as_ref().map(|_| now + quiet),
                sentinel,
                hold: None,
                worst_lag: 0,
                created: now,
            };
            store.add_tenant(&new).await?;
        }
        let found = store.tenant(tenant).await?.ok_or_else(|| Error::NoTenant(tenant.to_owned()))?;
        if found.host != host {
            return Err(Error::OtherMerchant { tenant: tenant.to_owned(), what: "host" });
        }
        let known = found.sentinel.as_deref().map(CustomerKey::try_from).and_then(Result::ok);
        let sentinel = match known.or_else(|| control.cloned()) {
            Some(key) => {
                match client.customers().get(&key).await {
                    Ok(_) => {}
                    Err(error) if error.is_not_found() => {
                        return Err(Error::OtherMerchant { tenant: tenant.to_owned(), what: "merchant" });
                    }
                    Err(error) => return Err(error.into()),
                }
                Some(key)
            }
            _ => None,
        };
        let mut bound = Clearent::new(self.clone(), client.clone(), found, sentinel);
        if let Some(sentinel) = bound.gateway.sentinel.as_ref().map(ToString::to_string) {
            if bound.tenant.sentinel.as_ref() != Some(&sentinel) {
                bound.tenant.sentinel = Some(sentinel);
                store.change_tenant(&bound.tenant, None, now).await?;
            }
            return Ok(bound);
        }
        self.bound_anew(bound, SENTINEL_KEY, "", None).await
    }

    /// Binds a `ClientPay` client to a tenant: from now on, writes with an operation key take effect once.
    ///
    /// The tenant is made at its first use. It is bound to the gateway's host and to the merchant account, by a digest of
    /// the account's key: a client of another account is refused. Nothing is sent. If the journal is lost, a new tenant of
    /// the same name and account gives the operation keys the marks that they had.
    ///
    /// A merchant may have a [Clearent](Self::clearent) tenant of the same name. In the database, and for
    /// [`hold`](Self::hold), [`release`](Self::release) and [`raise_guard`](Self::raise_guard), this one is called
    /// `NAME/clientpay`.
    pub async fn clientpay(&self, tenant: &str, client: &PayClient) -> Result<ClientPay, Error> {
        let found = self.account(tenant, client.environment(), client.account()).await?;
        Ok(ClientPay::new(self.clone(), client.clone(), tenant.to_owned(), found))
    }

    /// The access ids of a tenant's `ClientPay` account, shared by all processes over this journal. Give them to the
    /// builder of the client that is bound to the tenant. The tenant is made at its first use, and bound as by
    /// [`clientpay`](Self::clientpay).
    pub async fn access_ids(
        &self,
        tenant: &str,
        environment: &Environment,
        credentials: &Credentials,
    ) -> Result<SharedAccessIds, Error> {
        let found = self.account(tenant, environment, credentials.fields().account_key).await?;
        Ok(SharedAccessIds::new(self.clone(), found.uid))
    }

    /// The tenant of an account, which is made if there is none.
    async fn account(
        &self,
        tenant: &str,
        environment: &Environment,
        account: &AccountKey,
    ) -> Result<Tenant, Error> {
        check_name(tenant)?;
        let store = &*self.0.store;
        let (name, host) = (clientpay_name(tenant), environment.clientpay_base_url().to_owned());
        let digest = access_request::digest(account.expose());
        // The same account has the same uid in every journal, so that after a restore of an older backup, or with a new
        // journal, each operation key has the same mark again.
        let uid = mark_of(&digest, &format!("{host} {name}"));
        let sentinel = Some(format!("account:{digest}"));
        let found = if let Some(found) = store.tenant(&name).await? {
            found
        } else {
            let created = store.now(self.0.clock.now()).await?;
            let new = Tenant {
                uid,
                name: name.clone(),
                host: host.clone(),
                sentinel: sentinel.clone(),
                hold: None,
                quiet_until: None,
                worst_lag: 0,
                created,
            };
            store.add_tenant(&new).await?;
            // Another process may have made it at the same time, for another account.
            store.tenant(&name).await?.ok_or_else(|| Error::NoTenant(name))?
        };
        let other = |what| Error::OtherMerchant { tenant: tenant.to_owned(), what };
        match found {
            found if found.host != host => Err(other("host")),
            found if found.sentinel != sentinel => Err(other("account")),
            found => Ok(found),
        }
    }

    /// The uid and the control customer of a tenant of this name that the database does not have: it was bound after the
    /// backup that was restored, or by a journal that is lost. With the same uid, each operation key has the same mark
    /// again.
    async fn lost_tenant(&self, tenant: &str, client: &Client) -> Result<Option<(String, String)>, Error> {
        let search = CustomerSearch {
            first_name: Some(CONTROL.0.to_owned()),
            last_name: Some(CONTROL.1.to_owned()),
            ..CustomerSearch::default()
        };
        let known = self.0.store.tenants().await?;
        let controls = client.customers().search(&search).collect_all().await?;
        // The oldest comes last.
        Ok(controls.iter().rev().find_map(|control| {
            let comments = control.comments.as_deref().unwrap_or_default();
            let of_it = unmarked(comments) == tenant;
            let key = control.customer_key.as_str();
            let uid = key.strip_prefix(CONTROL_KEY)?.split('-').next()?.to_uppercase();
            (of_it && known.iter().all(|known| known.uid != uid)).then(|| (uid, key.to_owned()))
        }))
    }

    /// Returns the bound tenants whose merchant this client is of.
    pub async fn tenants_of(&self, client: &Client) -> Result<Vec<Tenant>, Error> {
        let host = client.environment().base_url();
        let mut found = Vec::new();
        for tenant in self.0.store.tenants().await?.into_iter().filter(|tenant| tenant.host == host) {
            let Some(Ok(key)) = tenant.sentinel.as_deref().map(CustomerKey::try_from) else { continue };
            match client.customers().get(&key).await {
                Ok(_) => found.push(tenant),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Binds a tenant anew, after somebody made sure that the client is of the same merchant: its control customer was
    /// deleted, or could not be created. A customer that exists becomes the control customer, as by
    /// [`clearent_by`](Self::clearent_by); without one, a new control customer is created. The decision is kept.
    pub async fn rebind(
        &self,
        tenant: &str,
        client: &Client,
        customer: Option<&CustomerKey>,
        by: By,
    ) -> Result<Clearent, Error> {
        let store = &*self.0.store;
        let found = store.tenant(tenant).await?.ok_or_else(|| Error::NoTenant(tenant.to_owned()))?;
        if found.host != client.environment().base_url() {
            return Err(Error::OtherMerchant { tenant: tenant.to_owned(), what: "host" });
        }
        let decision = by.decided("rebind")?;
        if let Some(customer) = customer {
            client.customers().get(customer).await?;
            return self.bound_to(found, client.clone(), customer.clone(), Some(decision)).await;
        }
        let now = store.now(self.0.clock.now()).await?.as_millis();
        let bound = Clearent::new(self.clone(), client.clone(), found, None);
        // Fewer digits than a card number has, and a letter before them.
        let end = format!("-r{now:x}");
        self.bound_anew(bound, &format!("{SENTINEL_KEY}/{now:x}"), &end, Some(decision)).await
    }

    /// Creates the control customer of a tenant, whose key ends with this.
    async fn bound_anew(
        &self,
        bound: Clearent,
        operation_key: &str,
        end: &str,
        decision: Option<NewDecision>,
    ) -> Result<Clearent, Error> {
        let key = format!("{CONTROL_KEY}{}{end}", bound.tenant.uid.to_lowercase());
        let control =
            NewCustomer::builder().first_name(CONTROL.0).last_name(CONTROL.1).customer_key(key.as_str());
        let control = control.comments(bound.tenant.name.as_str()).build().map_err(perennial::Error::from)?;
        let not_bound =
            |reason: &str| Error::NotBound { tenant: bound.tenant.name.clone(), reason: reason.to_owned() };
        let made = match bound.customers().create(operation_key, &control).await? {
            Settled::Done { value: Some(made), .. } => made,
            Settled::Refused { reason } | Settled::Withdrawn { reason } => return Err(not_bound(&reason)),
            Settled::Open(waits) | Settled::NeedsPerson(waits) | Settled::NeedsCard(waits) => {
                return Err(not_bound(&waits.reason));
            }
            _ => return Err(not_bound("it has no key")),
        };
        self.bound_to(bound.tenant, bound.client, made.customer_key, decision).await
    }

    /// Makes a customer the control customer of a tenant.
    async fn bound_to(
        &self,
        mut tenant: Tenant,
        client: Client,
        customer: CustomerKey,
        decision: Option<NewDecision>,
    ) -> Result<Clearent, Error> {
        tenant.sentinel = Some(customer.to_string());
        let now = self.0.store.now(self.0.clock.now()).await?;
        self.0.store.change_tenant(&tenant, decision, now).await?;
        Ok(Clearent::new(self.clone(), client, tenant, Some(customer)))
    }

    /// Runs the worker for these tenants until `stop` is ready: it looks for what is open, sends what is planned, and
    /// checks the database once a second when nothing is due. It ends with an error if the database fails or is replaced:
    /// start it again, because everything that is open is in the database.
    pub async fn run<'a, T>(&self, tenants: &'a [T], stop: impl Future<Output = ()>) -> Result<(), Error>
    where
        Bound: From<&'a T>,
    {
        let tenants: Vec<Bound> = tenants.iter().map(Bound::from).collect();
        let mut stop = pin!(stop);
        #[cfg(feature = "metrics")]
        let mut reports = crate::observe::Reports::default();
        loop {
            self.check_same().await?;
            self.take_inbox().await?;
            #[cfg(feature = "metrics")]
            reports.report(&*self.0.store, &*self.0.clock).await?;
            let mut is_idle = true;
            for tenant in &tenants {
                // A turn is never cut short: an attempt that was stored would wait until its claim runs out.
                tokio::select! {
                    biased;
                    () = &mut stop => return Ok(()),
                    () = std::future::ready(()) => {}
                }
                is_idle &= !tenant.driver().work().await?;
            }
            if is_idle {
                tokio::select! {
                    () = &mut stop => return Ok(()),
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                }
            }
        }
    }

    /// Takes one turn for everything that is due now; returns the number of turns.
    pub async fn settle<'a, T>(&self, tenants: &'a [T]) -> Result<u64, Error>
    where
        Bound: From<&'a T>,
    {
        self.check_same().await?;
        self.take_inbox().await?;
        let mut turns = 0;
        for tenant in tenants.iter().map(Bound::from) {
            while tenant.driver().work().await? {
                turns += 1;
            }
        }
        Ok(turns)
    }
}
