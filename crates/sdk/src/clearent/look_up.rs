//! Looks up the objects that a write of unknown outcome may have created.

use perennial_domain::clearent::{Batch, Customer, CustomerToken, Plan, Token, Transaction};

use super::{Clearent, InvoiceStatus, Lookup};
use crate::page::Moved;
use crate::{Error, ErrorKind, List, Response};

/// The objects found by a [`Lookup`].
///
/// An empty list does not prove that nothing was done: the gateway may still execute the request. A search can also
/// find older objects that look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// Customers.
    Customers(Vec<Customer>),
    /// Tokens of the vault.
    Tokens(Vec<Token>),
    /// The tokens attached to a customer.
    CustomerTokens(Vec<CustomerToken>),
    /// Plans.
    Plans(Vec<Plan>),
    /// Transactions, without those that refer to a transaction other than the one in [`Lookup::FollowUps`].
    Transactions(Vec<Transaction>),
    /// The status of an invoice.
    Invoice(Box<InvoiceStatus>),
    /// Batches.
    Batches(Vec<Batch>),
}

impl Found {
    /// Whether nothing was found. For an invoice: no charge for it took money, was declined, or is undecided.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Customers(found) => found.is_empty(),
            Self::Tokens(found) => found.is_empty(),
            Self::CustomerTokens(found) => found.is_empty(),
            Self::Plans(found) => found.is_empty(),
            Self::Transactions(found) => found.is_empty(),
            Self::Invoice(status) => **status == InvoiceStatus::Unpaid(None),
            Self::Batches(found) => found.is_empty(),
        }
    }
}

impl Clearent {
    /// Runs the [`lookup`](Error::lookup) of an error, to find out whether a write of unknown outcome was performed.
    ///
    /// It only reads. An object that does not exist is an empty list and not an error. Wait before you rely on an empty
    /// list, and compare the found objects with the request.
    ///
    /// # Errors
    ///
    /// The lists are complete: a record that cannot be read, and a list that changes every time it is read, are errors
    /// of kind [`InvalidResponse`](ErrorKind::InvalidResponse).
    ///
    /// ```
    /// use perennial::clearent::{ApiKey, Charge, Found};
    /// use perennial::{BaseUrl, Clearent};
    /// use perennial_sandbox::{Effect, Fault, Sandbox};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
    ///     .environment(sandbox.base_url().parse::<BaseUrl>()?)
    ///     .build()?;
    ///
    /// // The sale is made, and its answer is lost.
    /// sandbox.fault(&Fault::on("transactions.sale", Effect::DropReply).nth(1)).await?;
    /// let sale = Charge::builder().amount("25.00").card("4111 1111 1111 1111").exp_date("1230").order_id("order-7");
    /// let error = client.transactions().sale(&sale.build()?).await.unwrap_err();
    /// assert!(error.is_outcome_unknown());
    ///
    /// let lookup = error.lookup().expect("an unknown outcome of Clearent names where to look");
    /// match client.look_up(lookup).await? {
    ///     Found::Transactions(found) => {
    ///         assert_eq!(found.len(), 1);
    ///         assert!(found[0].is_approved());
    ///         assert_eq!(found[0].order_id.as_deref(), Some("order-7"));
    ///     }
    ///     other => panic!("a sale is a transaction: {other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn look_up(&self, lookup: &Lookup) -> Result<Found, Error> {
        Ok(match lookup {
            Lookup::Customer(key) => Found::Customers(one(self.customers().get(key).await)?),
            Lookup::Customers(search) => Found::Customers(whole(|| self.customers().search(search)).await?),
            Lookup::Token(id) => Found::Tokens(one(self.tokens().get(id).await)?),
            Lookup::Tokens(search) => Found::Tokens(whole(|| self.tokens().search(search)).await?),
            Lookup::CustomerTokens(key) => {
                let attached = one(self.customers().tokens(key).list().await)?;
                Found::CustomerTokens(attached.into_iter().flatten().collect())
            }
            Lookup::Plan(key) => Found::Plans(one(self.plans().get(key).await)?),
            Lookup::Plans(search) => Found::Plans(whole(|| self.plans().search(search)).await?),
            Lookup::Transaction(id) => Found::Transactions(one(self.transactions().get(id).await)?),
            Lookup::Transactions(search) => {
                Found::Transactions(whole(|| self.transactions().search(search)).await?)
            }
            Lookup::FollowUps { of, search } => {
                let mut found = whole(|| self.transactions().search(search)).await?;
                found.retain(|found| found.ref_id.as_ref().is_none_or(|id| id == of));
                Found::Transactions(found)
            }
            Lookup::Invoice(number) => Found::Invoice(Box::new(self.invoices().status(number).await?)),
            Lookup::Batches(search) => Found::Batches(whole(|| self.batches().list(search)).await?),
        })
    }
}

/// The object in a list, or an empty list if the gateway does not know it.
fn one<T>(got: Result<Response<T>, Error>) -> Result<Vec<T>, Error> {
    match got {
        Ok(found) => Ok(vec![found.into_value()]),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Reads a whole list, and once more if it changed while it was read: an object may be missing from the first result.
async fn whole<T>(list: impl Fn() -> List<T>) -> Result<Vec<T>, Error> {
    for _ in 0..2 {
        let mut list = list();
        let found = list.collect_all().await?;
        if !list.changed() {
            return Ok(found);
        }
    }
    Err(Error::because(ErrorKind::InvalidResponse, Moved).of_operation("look-up"))
}
