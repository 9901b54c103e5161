//! A small sale that proves that money can be charged and returned.

use std::ops::Deref;

use perennial_domain::clearent::{Charge, Transaction, Void};
use perennial_domain::{Rule, Violations};

use super::{Charged, Clearent};
use crate::{Error, Response};

/// The result of a test sale. It dereferences to the transaction: [`decline`](Transaction::decline) has the reason if
/// it was not approved, and [`is_duplicate`](Transaction::is_duplicate) is true for an earlier one.
#[derive(Debug, Clone)]
#[must_use = "unless it is voided, what was approved is taken"]
pub struct TestSale {
    client: Clearent,
    sold: Response<Charged>,
}

impl Clearent {
    /// Makes a small sale, such as 1.00, to prove that a merchant is connected. In production it takes money until it
    /// is [voided](TestSale::void).
    ///
    /// ```
    /// # #[cfg(feature = "reqwest")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use perennial::clearent::{ApiKey, Charge};
    /// use perennial::{BaseUrl, Clearent};
    ///
    /// let sandbox = perennial_sandbox::Sandbox::start().await?;
    /// let client = Clearent::builder(ApiKey::new(sandbox.api_key().expose())?)
    ///     .environment(sandbox.base_url().parse::<BaseUrl>()?)
    ///     .build()?;
    /// let dollar = Charge::builder().amount("1.00").card("4111111111111111").exp_date("1230").build()?;
    /// let sale = client.test_sale(&dollar).await?;
    /// assert!(sale.is_approved());
    /// assert!(sale.void().await?.is_some_and(|voided| voided.is_approved()));
    ///
    /// // An amount that the sandbox's issuer declines: there is nothing to take back.
    /// let declined = Charge::builder().amount("0.21").card("4111111111111111").exp_date("1230").build()?;
    /// let sale = client.test_sale(&declined).await?;
    /// assert_eq!(sale.decline().and_then(|decline| decline.code).as_deref(), Some("012"));
    /// assert!(sale.void().await?.is_none());
    /// # Ok(()) }
    /// # #[cfg(not(feature = "reqwest"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Transactions::sale`](super::Transactions::sale). After a lost response the outcome is unknown,
    /// and [`Error::lookup`] finds the sale if it was made.
    pub async fn test_sale(&self, charge: &Charge) -> Result<TestSale, Error> {
        let sold = self.transactions().sale(charge).await?;
        Ok(TestSale { client: self.clone(), sold })
    }
}

impl TestSale {
    /// Voids the sale and returns the result: a void can be declined, too. Returns `None` without a call if the sale
    /// was declined, or if it is an earlier one, which must not be voided here.
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let dollar = Charge::builder().amount("1.00").card(&token).exp_date("1230").build()?;
    /// let sale = client.test_sale(&dollar).await?;
    /// assert!(sale.void().await?.is_some_and(|voided| voided.is_approved()));
    #[doc = include_str!("../example_end.md")]
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Transactions::void`](super::Transactions::void); of kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the
    /// gateway did not say which transaction the sale is.
    pub async fn void(&self) -> Result<Option<Response<Transaction>>, Error> {
        if !self.sold.is_approved() || self.sold.is_duplicate() {
            return Ok(None);
        }
        let id = self.sold.id.clone().ok_or_else(|| {
            let mut violations = Violations::default();
            violations.add("id", Rule::Required);
            violations
        })?;
        self.client.transactions().void(&Void { id }).await.map(Some)
    }
}

impl Deref for TestSale {
    type Target = Response<Charged>;

    fn deref(&self) -> &Response<Charged> {
        &self.sold
    }
}
