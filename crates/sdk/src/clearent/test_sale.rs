//! A small sale that proves that money can be taken, and given back.

use std::ops::Deref;

use perennial_domain::clearent::{Charge, Transaction, Void};
use perennial_domain::{Rule, Violations};

use super::{Charged, Clearent};
use crate::{Error, Response};

/// A sale that was made to see what comes of it. It dereferences to the answer: [`decline`](Transaction::decline) says
/// why it was not approved, [`is_duplicate`](Transaction::is_duplicate) that it is an earlier one.
#[derive(Debug, Clone)]
#[must_use = "unless it is voided, what was approved is taken"]
pub struct TestSale {
    client: Clearent,
    sold: Response<Charged>,
}

impl Clearent {
    /// Makes a small sale, of 1.00 say, to prove that a merchant is connected. In production it takes money, until it is
    /// [voided](TestSale::void).
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
    /// Those of [`Transactions::sale`](super::Transactions::sale): after a lost answer the outcome is unknown, and
    /// [`Error::lookup`] finds the sale, if there is one.
    pub async fn test_sale(&self, charge: &Charge) -> Result<TestSale, Error> {
        let sold = self.transactions().sale(charge).await?;
        Ok(TestSale { client: self.clone(), sold })
    }
}

impl TestSale {
    /// Takes back what was sold, and answers how: a void can be declined, too. Nothing is asked of the gateway, and
    /// nothing answered, if the sale was declined or is an earlier one, which is not this one's to take back.
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
