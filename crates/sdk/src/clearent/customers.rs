//! Customers.

use perennial_domain::Text;
use perennial_domain::clearent::{
    Customer, CustomerKey, CustomerSearch, CustomerUpdate, CustomerUpdateFields, NewCustomer,
    NewCustomerFields, Payment, PaymentSearch, Plan, PlanSearch, check_customer_deletion,
};
use perennial_wire::clearent::{Operation, Payload, customer as wire, payment, plan};

use super::answer::{Mismatch, as_requested, not_another, same};
use super::client::one_of_all;
use super::{Clearent, CustomerTokens, Lookup, payments, plans};
use crate::{Error, List, Response};

/// The customers of a merchant.
#[derive(Debug, Clone, Copy)]
#[must_use = "it does nothing by itself"]
pub struct Customers<'a>(pub(super) &'a Clearent);

impl<'a> Customers<'a> {
    /// Creates a customer.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let new = NewCustomer::builder().first_name("Grace").last_name("Hopper").email("grace@example.test").build()?;
    /// let grace = client.customers().create(&new).await?;
    /// assert_eq!(grace.status(), 201);
    /// assert_eq!(grace.last_name.as_deref(), Some("Hopper"));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn create(self, customer: &NewCustomer) -> Result<Response<Customer>, Error> {
        let call = wire::create(self.0.format(), customer)?;
        let created = self.0.one(call, one, |created| echoes(customer, created)).await;
        created.map_err(|error| error.or_look_up(|| Lookup::Customers(search_for(customer))))
    }

    /// Returns the customer with this key.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let found = client.customers().get(&ada.customer_key).await?;
    /// assert_eq!(found.first_name.as_deref(), Some("Ada"));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn get(self, key: &CustomerKey) -> Result<Response<Customer>, Error> {
        self.0.one(wire::get(key), one, |found| names(key, found)).await
    }

    /// Searches for customers.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let search = CustomerSearch { last_name: Some("Byron".into()), ..CustomerSearch::default() };
    /// let found = client.customers().search(&search).collect_all().await?;
    /// assert_eq!(found.len(), 1);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn search(self, search: &CustomerSearch) -> List<Customer> {
        self.0.list(
            Operation::SearchCustomers,
            search,
            |search| &mut search.paging,
            wire::search,
            all,
            |customer| Some(customer.customer_key.as_str()),
            fits,
        )
    }

    /// Changes a customer. Updates to one customer are sent in the order in which they are first awaited.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let update = CustomerUpdate::builder().email("ada@example.test").build()?;
    /// let updated = client.customers().update(&ada.customer_key, &update).await?;
    /// assert_eq!(updated.email.as_deref(), Some("ada@example.test"));
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub async fn update(
        self,
        key: &CustomerKey,
        update: &CustomerUpdate,
    ) -> Result<Response<Customer>, Error> {
        let call = wire::update(self.0.format(), key, update)?;
        let _guard = self.0.guard(&call).await;
        let updated = self.0.one(call, one, |updated| obeys(key, update, updated)).await;
        updated.map_err(|error| error.look_up(|| Lookup::Customer(key.clone())))
    }

    /// Deletes a customer without plans and payments. Both are counted first.
    ///
    /// The value is the customer's last state. It is `None` if the gateway does not return it, and if the response to
    /// an attempt of this call was lost and a retry found that the customer does not exist.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// // Ada has a plan, and a customer with a plan is kept.
    /// let refused = client.customers().delete(&ada.customer_key).await.unwrap_err();
    /// assert_eq!(refused.refusal().map(|refusal| refusal.obstacles()), Some([Obstacle::Plans(1)].as_slice()));
    ///
    /// let new = NewCustomer::builder().first_name("Grace").last_name("Hopper").build()?;
    /// let grace = client.customers().create(&new).await?;
    /// client.customers().delete(&grace.customer_key).await?;
    /// assert!(client.customers().get(&grace.customer_key).await.unwrap_err().is_not_found());
    #[doc = include_str!("../example_end.md")]
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeletionRefused`](crate::ErrorKind::DeletionRefused), before anything is sent that deletes, if plans or
    /// payments stand in the way.
    pub async fn delete(self, key: &CustomerKey) -> Result<Response<Option<Customer>>, Error> {
        let call = wire::delete(key);
        let _guard = self.0.guard(&call).await;
        let (customer_key, paging) = (Some(key.clone()), one_of_all());
        let search = PlanSearch { customer_key, paging, ..PlanSearch::default() };
        let fits = |found: &Plan| plans::fits(&search, found);
        let plans = self.0.count(plan::search(&search), plans::all, fits).await?;
        let (customer_key, paging) = (Some(key.clone()), one_of_all());
        let search = PaymentSearch { customer_key, paging, ..PaymentSearch::default() };
        let fits = |found: &Payment| payments::fits(&search, found);
        let payments = self.0.count(payment::list(&search), payments::all, fits).await?;
        check_customer_deletion(plans, payments)?;
        let deleted = self.0.maybe(call, one, |deleted| names(key, deleted)).await;
        deleted.map_err(|error| error.look_up(|| Lookup::Customer(key.clone())))
    }

    /// The tokens of this customer.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let tokens = client.customers().tokens(&ada.customer_key).list().await?;
    /// assert_eq!(tokens[0].token_id, token);
    #[doc = include_str!("../example_end.md")]
    /// ```
    pub fn tokens(self, key: &'a CustomerKey) -> CustomerTokens<'a> {
        CustomerTokens { client: self.0, customer: key }
    }
}

/// The gateway may respond to a get with a search result of one customer.
fn one(payload: Payload) -> Option<Customer> {
    match payload {
        Payload::Customer(customer) => Some(*customer),
        Payload::Customers(mut customers) if customers.len() == 1 => customers.pop(),
        _ => None,
    }
}

fn all(payload: Payload) -> Option<Vec<Customer>> {
    match payload {
        Payload::Customers(customers) => Some(customers),
        Payload::Customer(customer) => Some(vec![*customer]),
        _ => None,
    }
}

fn names(key: &CustomerKey, customer: &Customer) -> Result<(), Mismatch> {
    same("customer-key", key, Some(&customer.customer_key))
}

/// The names and the key identify the customer; contact data have no effect on charges and are not compared.
fn echoes(requested: &NewCustomer, created: &Customer) -> Result<(), Mismatch> {
    let NewCustomerFields { first_name, last_name, customer_key, .. } = requested.fields();
    are_named(Some(first_name), Some(last_name), created)?;
    not_another("customer-key", customer_key, Some(&created.customer_key))
}

/// The response to an update is the whole customer (section 4.1 of the reference). No sample shows its status.
fn obeys(key: &CustomerKey, update: &CustomerUpdate, updated: &Customer) -> Result<(), Mismatch> {
    let CustomerUpdateFields { first_name, last_name, status, .. } = update.fields();
    names(key, updated)?;
    are_named(first_name, last_name, updated)?;
    not_another("status", status, updated.status.as_ref())
}

/// The gateway may normalize a name, so surrounding whitespace and letter case are ignored.
fn are_named(first: Option<&Text>, last: Option<&Text>, customer: &Customer) -> Result<(), Mismatch> {
    let tidy = |name: &str| name.trim().to_lowercase();
    let requested = |name: Option<&Text>| name.map(|name| tidy(name.as_str()));
    let answered = |name: &Option<String>| name.as_deref().map(tidy);
    as_requested("first-name", requested(first).as_ref(), answered(&customer.first_name).as_ref())?;
    as_requested("last-name", requested(last).as_ref(), answered(&customer.last_name).as_ref())
}

/// The key must match exactly; the gateway matches names, addresses and plan names in its own way.
fn fits(search: &CustomerSearch, found: &Customer) -> Result<(), Mismatch> {
    not_another("customer-key", search.customer_key.as_ref(), Some(&found.customer_key))
}

fn search_for(customer: &NewCustomer) -> CustomerSearch {
    let NewCustomerFields { first_name, last_name, customer_key, email, phone, .. } = customer.fields();
    let text = |text: &Text| text.as_str().to_owned();
    CustomerSearch {
        customer_key: customer_key.cloned(),
        first_name: Some(text(first_name)),
        last_name: Some(text(last_name)),
        email: email.map(text),
        phone_number: phone.map(text),
        ..CustomerSearch::default()
    }
}
