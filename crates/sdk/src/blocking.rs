//! Blocking versions of the clients: each call blocks its thread until it is finished.
//!
//! ```no_run
//! use perennial::clearent::{ApiKey, CustomerSearch};
//! use perennial::{Clearent, Environment, Error, blocking};
//!
//! fn names(api_key: ApiKey) -> Result<(), Error> {
//!     let client = Clearent::builder(api_key).environment(Environment::Sandbox).build()?;
//!     let client = blocking::Clearent::new(client)?;
//!     for customer in client.customers().search(&CustomerSearch::default()) {
//!         println!("{}", customer?.customer_key);
//!     }
//!     Ok(())
//! }
//! ```

#[cfg(feature = "clientpay")]
pub mod clientpay;
mod invoices;
mod test_sale;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use perennial_domain::Date;
use perennial_domain::clearent::{
    Batch, BatchSearch, Capture, Charge, Customer, CustomerKey, CustomerSearch, CustomerToken,
    CustomerTokenUpdate, CustomerUpdate, ExpectedRun, NewCustomer, NewCustomerToken, NewPlan, NewToken,
    Payment, PaymentSearch, Plan, PlanForecast, PlanKey, PlanSearch, PlanUpdate, Refund, Settlement, Token,
    TokenId, TokenSearch, TokenUpdate, Transaction, TransactionId, TransactionSearch, TransactionUpdate,
    Void,
};
use tokio::runtime::{self, Handle};

#[cfg(feature = "clientpay")]
pub use clientpay::ClientPay;
pub use invoices::Invoices;
pub use test_sale::TestSale;

use crate::clearent::{Charged, Found, Lookup};
use crate::{Error, ErrorKind, Response};

/// A client of the Clearent gateway with blocking operations.
///
/// The client has its own runtime: an operation runs on the calling thread, and one more thread drives the connections,
/// so that a connection that the gateway closed between two calls is not reused. It is cheap to clone; the clones share
/// the runtime, and calls of several threads run in parallel. Inside an async runtime, every operation returns an error
/// of kind [`Configuration`](ErrorKind::Configuration), because blocking would stop that runtime; use
/// [`perennial::Clearent`](crate::Clearent) there.
#[derive(Clone)]
pub struct Clearent {
    client: crate::Clearent,
    runtime: Runtime,
}

/// The objects found by a search; see [`perennial::List`](crate::List).
#[must_use = "a list sends no request until it is read"]
pub struct List<T> {
    list: crate::List<T>,
    // `None` after the error that reports a call inside an async runtime.
    runtime: Option<Runtime>,
}

/// The pages of a list; see [`perennial::ListPages`](crate::ListPages).
#[must_use = "a list sends no request until it is read"]
pub struct ListPages<T> {
    pages: crate::ListPages<T>,
    runtime: Option<Runtime>,
}

impl Clearent {
    /// Creates a blocking client that uses this client.
    pub fn new(client: crate::Clearent) -> Result<Self, Error> {
        Ok(Self { client, runtime: Runtime::new()? })
    }

    /// The customers, and their tokens.
    pub fn customers(&self) -> Customers<'_> {
        Customers { inner: self.client.customers(), runtime: &self.runtime }
    }

    /// The card tokens of the vault.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens { inner: self.client.tokens(), runtime: &self.runtime }
    }

    /// The payment plans.
    pub fn plans(&self) -> Plans<'_> {
        Plans { inner: self.client.plans(), runtime: &self.runtime }
    }

    /// The payments made by plans.
    pub fn payments(&self) -> Payments<'_> {
        Payments { inner: self.client.payments(), runtime: &self.runtime }
    }

    /// The card transactions.
    pub fn transactions(&self) -> Transactions<'_> {
        Transactions { inner: self.client.transactions(), runtime: &self.runtime }
    }

    /// Invoices, each paid once by a card transaction.
    pub fn invoices(&self) -> Invoices<'_> {
        Invoices { inner: self.client.invoices(), runtime: &self.runtime }
    }

    /// Blocks on [`look_up`](crate::Clearent::look_up).
    pub fn look_up(&self, lookup: &Lookup) -> Result<Found, Error> {
        self.runtime.run(self.client.look_up(lookup))?
    }

    /// The batches in which transactions are settled.
    pub fn batches(&self) -> Batches<'_> {
        Batches { inner: self.client.batches(), runtime: &self.runtime }
    }
}

impl<'a> Customers<'a> {
    /// The tokens of this customer.
    pub fn tokens(self, key: &'a CustomerKey) -> CustomerTokens<'a> {
        CustomerTokens { inner: self.inner.tokens(key), runtime: self.runtime }
    }
}

/// Declares the blocking operations of a module's resources from the signatures of the async ones.
macro_rules! operations {
    ($module:ident #[$derive:meta] $(
        $(#[$meta:meta])*
        $Resource:ident {
            $( $call:ident($($argument:ident: $Argument:ty),*) -> $Answer:ty; )*
            $( [$list:ident($search:ident: $Search:ty) -> each $Item:ty] )?
        }
    )*) => {$(
        $(#[$meta])*
        #[$derive]
        #[must_use = "it does nothing by itself"]
        pub struct $Resource<'a> {
            inner: crate::$module::$Resource<'a>,
            runtime: &'a $crate::blocking::Runtime,
        }

        impl $Resource<'_> {
            $(
                #[doc = concat!(
                    "Blocks on [`", stringify!($call), "`](crate::", stringify!($module), "::",
                    stringify!($Resource), "::", stringify!($call), ")."
                )]
                pub fn $call(self $(, $argument: $Argument)*) -> Result<$crate::Response<$Answer>, $crate::Error> {
                    self.runtime.run(self.inner.$call($($argument),*))?
                }
            )*
            $(
                #[doc = concat!(
                    "See [`", stringify!($list), "`](crate::", stringify!($module), "::",
                    stringify!($Resource), "::", stringify!($list), ")."
                )]
                pub fn $list(self, $search: $Search) -> $crate::blocking::List<$Item> {
                    $crate::blocking::List { list: self.inner.$list($search), runtime: Some(self.runtime.clone()) }
                }
            )?
        }
    )*};
}

operations! {
    clearent #[derive(Debug, Clone, Copy)]
    /// The customers of a merchant.
    Customers {
        create(customer: &NewCustomer) -> Customer;
        get(key: &CustomerKey) -> Customer;
        update(key: &CustomerKey, update: &CustomerUpdate) -> Customer;
        delete(key: &CustomerKey) -> Option<Customer>;
        [search(search: &CustomerSearch) -> each Customer]
    }
    /// The tokens attached to a customer.
    CustomerTokens {
        list() -> Vec<CustomerToken>;
        each() -> Vec<Result<CustomerToken, Error>>;
        attach(token: &NewCustomerToken) -> CustomerToken;
        update(update: &CustomerTokenUpdate) -> CustomerToken;
    }
    /// The card tokens of a merchant's vault.
    Tokens {
        create(token: NewToken) -> Token;
        get(id: &TokenId) -> Token;
        update(id: &TokenId, update: &TokenUpdate) -> Token;
        delete(id: &TokenId) -> Option<Token>;
        [search(search: &TokenSearch) -> each Token]
    }
    /// The payment plans of a merchant.
    Plans {
        create(plan: &NewPlan) -> Plan;
        get(key: &PlanKey) -> Plan;
        update(key: &PlanKey, update: &PlanUpdate) -> Plan;
        suspend(key: &PlanKey) -> Plan;
        activate(key: &PlanKey) -> Plan;
        cancel(key: &PlanKey) -> Plan;
        delete(key: &PlanKey) -> Option<Plan>;
        expected_runs(key: &PlanKey) -> Vec<ExpectedRun>;
        forecast(forecast: &PlanForecast) -> Vec<Date>;
        [search(search: &PlanSearch) -> each Plan]
    }
    /// The payments made by plans.
    Payments {
        [list(search: &PaymentSearch) -> each Payment]
    }
    /// The card transactions of a merchant.
    Transactions {
        sale(charge: &Charge) -> Charged;
        auth(charge: &Charge) -> Charged;
        capture(capture: &Capture) -> Transaction;
        void(void: &Void) -> Transaction;
        refund(refund: &Refund) -> Transaction;
        update(id: &TransactionId, update: &TransactionUpdate) -> Transaction;
        get(id: &TransactionId) -> Transaction;
        [search(search: &TransactionSearch) -> each Transaction]
    }
    /// The batches of a terminal.
    Batches {
        open() -> Option<Batch>;
        settle(settlement: &Settlement) -> Batch;
        [list(search: &BatchSearch) -> each Batch]
    }
}

use operations;

impl Plans<'_> {
    /// Blocks on [`find_equal`](crate::clearent::Plans::find_equal).
    pub fn find_equal(self, plan: &NewPlan) -> Result<Vec<Plan>, Error> {
        self.runtime.run(self.inner.find_equal(plan))?
    }
}

impl<T> List<T> {
    /// Restarts the list at this page, counted from 1, without the objects read so far.
    pub fn from_page(self, page: u32) -> Self {
        Self { list: self.list.from_page(page), ..self }
    }

    /// The number of the page that contains the next object.
    pub fn cursor(&self) -> u32 {
        self.list.cursor()
    }

    /// Whether objects were created or deleted while the list was read: see [`changed`](crate::List::changed).
    pub fn changed(&self) -> bool {
        self.list.changed()
    }

    /// The pages of the list, starting with the next unread page.
    pub fn pages(self) -> ListPages<T> {
        ListPages { pages: self.list.pages(), runtime: self.runtime }
    }
}

impl<T> ListPages<T> {
    /// Whether objects were created or deleted while the pages were read: see [`changed`](crate::List::changed).
    pub fn changed(&self) -> bool {
        self.pages.changed()
    }
}

impl<T> Iterator for List<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        next(&mut self.runtime, self.list.next())
    }
}

impl<T> Iterator for ListPages<T> {
    type Item = Result<Response<Vec<T>>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        next(&mut self.runtime, self.pages.next_page())
    }
}

fn next<T>(
    runtime: &mut Option<Runtime>,
    next: impl Future<Output = Option<Result<T, Error>>>,
) -> Option<Result<T, Error>> {
    runtime.as_ref()?.run(next).unwrap_or_else(|error| {
        *runtime = None;
        Some(Err(error))
    })
}

/// A runtime with one thread for work between calls; each operation runs on the calling thread.
#[derive(Clone)]
struct Runtime(Arc<Owned>);

struct Owned(Option<runtime::Runtime>);

#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("a blocking operation was called inside an async runtime: use the async client there")]
    InsideRuntime,
    #[error("the runtime of the blocking client could not be set up")]
    Setup(#[source] std::io::Error),
}

impl Runtime {
    fn new() -> Result<Self, Error> {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::because(ErrorKind::Configuration, Unusable::Setup(error)))?;
        Ok(Self(Arc::new(Owned(Some(runtime)))))
    }

    fn run<F: Future>(&self, operation: F) -> Result<F::Output, Error> {
        match &self.0.0 {
            Some(runtime) if Handle::try_current().is_err() => Ok(runtime.block_on(operation)),
            _ => Err(Error::because(ErrorKind::Configuration, Unusable::InsideRuntime)),
        }
    }
}

/// Shuts the runtime down in the background, because dropping it inside another runtime would panic.
impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

impl fmt::Debug for Clearent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("blocking::Clearent").field(&self.client).finish()
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

impl<T> fmt::Debug for ListPages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pages.fmt(f)
    }
}
