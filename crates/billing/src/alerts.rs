//! Alerts of the gateway: each is kept once, and makes the worker look. An alert never changes a due day.

use perennial::ErrorKind;
use perennial::clearent::webhook::{PublicKey, SignatureError, Signed};
use perennial::clearent::{TransactionId, TransactionType};

use crate::Error;
use crate::billing::Billing;

/// An alert of the gateway that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedAlert {
    /// The transaction.
    pub transaction: TransactionId,
    /// The type of the transaction, if the alert has one.
    pub transaction_type: Option<TransactionType>,
    /// Whether it was not stored before.
    pub is_new: bool,
}

/// The alerts whose transactions are read one by one. For more, reading all charges takes fewer requests.
const FEW: usize = 20;
/// The most alerts that are looked at in a turn.
const MOST: u32 = 10_000;

impl Billing {
    /// Verifies the body of an alert, and stores it. The same alert again changes nothing.
    ///
    /// A worker, in this process or another one, reads the transaction within a minute instead of within an hour, and only
    /// what it reads changes a due day. So an alert that is old, repeated, out of order, or of the merchant's other business
    /// does no harm. The vendor has one key for all merchants of an environment: the alert of another merchant is stored
    /// too, and its transaction is not found.
    ///
    /// Respond with 2xx after this returns, with 4xx to [`Error::InvalidAlert`], and with 5xx to any other error, so that the
    /// gateway sends the alert again.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAlert`] if the owner of the key did not sign it; [`Error::UnreadableAlert`] if it is signed and names
    /// no transaction. Nothing is stored.
    pub async fn receive(&self, key: &PublicKey, body: &[u8]) -> Result<ReceivedAlert, Error> {
        let signed = Signed::read(body).map_err(|error| Error::InvalidAlert(error.to_string()))?;
        let transaction = match signed.verify(key) {
            Ok(alert) => alert.transaction,
            Err(SignatureError::Payload(_)) => return Err(Error::UnreadableAlert),
            Err(error) => return Err(Error::InvalidAlert(error.to_string())),
        };
        let id = transaction.id.ok_or(Error::UnreadableAlert)?;
        let kind = transaction.transaction_type.as_ref().map_or("", |kind| kind.as_str());
        let is_new = self.store.keep_alert(&id, kind, self.journal.now().await?).await?;
        Ok(ReceivedAlert { transaction: id, transaction_type: transaction.transaction_type, is_new })
    }

    /// Reads the transactions of open alerts; returns the number of new charges.
    pub(crate) async fn look_at_alerts(&self) -> Result<u64, Error> {
        let alerts = self.store.open_alerts(MOST).await?;
        let (mut count, mut failed, mut looked_at) = (0, None, alerts.len());
        if alerts.len() > FEW {
            count = self.read().await?;
        } else {
            for (at, (id, _)) in alerts.iter().enumerate() {
                match self.read_transaction(id).await {
                    Ok(is_new) => count += u64::from(is_new),
                    // It may be of another merchant. A charge of a plan is found by date, too.
                    Err(Error::Gateway(error)) if !is_temporary(error.kind()) => {}
                    Err(error) => {
                        (failed, looked_at) = (Some(error), at);
                        break;
                    }
                }
            }
        }
        if looked_at > 0 {
            self.store.close_alerts(&alerts[..looked_at]).await?;
        }
        failed.map_or(Ok(count), Err)
    }
}

/// Whether the same read may succeed later without any change.
fn is_temporary(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Connection | ErrorKind::RateLimited | ErrorKind::Timeout | ErrorKind::Unavailable
    )
}
