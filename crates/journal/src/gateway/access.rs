//! Access ids: how they are requested and ended, and how a lost response is looked for.

use perennial::ClientPay;
use perennial::clientpay::AccessId;
use perennial_wire::Limits;
use perennial_wire::clientpay::access::read_customer_credentials;

use super::access_request;
use super::clearent::{Broken, moment};
use super::clientpay::ClientPayGateway;
use crate::machine::{Intent, Look, Object, Said, Seen, Verdict, Write};

impl ClientPayGateway {
    /// Makes a request for an access id; `None` if it is another write.
    pub(super) async fn perform_access(
        &self,
        client: &ClientPay,
        intent: &Intent,
        secret: &[u8],
    ) -> Result<Option<Said>, Broken> {
        let issued = match intent.write {
            Write::NewAccessId => client.access().renew().await?.into_value(),
            Write::NewCustomerAccessId => {
                let customer = read_customer_credentials(secret, &Limits::default())?;
                client.access().renew_for_customer(&customer).await?.into_value()
            }
            Write::ExpireAccessId => {
                let id = std::str::from_utf8(secret).map_err(|_| Broken::Object)?;
                client.access().expire(&AccessId::try_from(id)?).await?;
                return Ok(Some(Said::Done(Object { id: None, value: None })));
            }
            _ => return Ok(None),
        };
        self.issued().insert(intent.mark.clone(), issued);
        Ok(Some(Said::Done(Object { id: None, value: None })))
    }

    /// Compares the id that is valid now with the one before, or with the one that expires.
    pub(super) async fn find_access(&self, intent: &Intent) -> Result<Look, Broken> {
        let current = self.client.access().current().await?;
        let at = moment(&current);
        let now = current.into_value().map(|id| access_request::of_id(&id));
        let is_done = match intent.write {
            Write::NewAccessId => match (now, access_request::before(&intent.request)) {
                (None, Some(_)) => {
                    let reason =
                        "no access id is valid any more, so nothing tells whether a new one was issued";
                    return Ok(Look::Impossible(reason.into()));
                }
                (now, before) => now != before,
            },
            _ => now.as_ref() != Some(&intent.object),
        };
        let done = Seen { object: Object { id: None, value: None }, verdict: Verdict::Done };
        // The answer itself proves that the read works.
        Ok(Look::Seen { at, control: true, found: is_done.then_some(done).into_iter().collect() })
    }
}
