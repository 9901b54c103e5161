//! Blocking test sale.

use std::ops::Deref;

use perennial_domain::clearent::{Charge, Transaction};

use super::{Clearent, Runtime};
use crate::clearent::Charged;
use crate::{Error, Response};

/// A test sale; see [`clearent::TestSale`](crate::clearent::TestSale).
#[derive(Debug, Clone)]
#[must_use = "unless it is voided, what was approved is taken"]
pub struct TestSale {
    inner: crate::clearent::TestSale,
    runtime: Runtime,
}

impl Clearent {
    /// Blocks on [`test_sale`](crate::Clearent::test_sale).
    pub fn test_sale(&self, charge: &Charge) -> Result<TestSale, Error> {
        let inner = self.runtime.run(self.client.test_sale(charge))??;
        Ok(TestSale { inner, runtime: self.runtime.clone() })
    }
}

impl TestSale {
    /// Blocks on [`void`](crate::clearent::TestSale::void).
    pub fn void(&self) -> Result<Option<Response<Transaction>>, Error> {
        self.runtime.run(self.inner.void())?
    }
}

impl Deref for TestSale {
    type Target = Response<Charged>;

    fn deref(&self) -> &Response<Charged> {
        &self.inner
    }
}
