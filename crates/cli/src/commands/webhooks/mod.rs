//! `perennial webhooks`: alerts of the gateway, received and, for tests, sent.

mod listen;
mod send;

use clap::Subcommand;

use crate::context::Global;
use crate::failure::Failure;

use listen::Listen;
use send::Send;

/// The seed of the key of `webhooks send`. Everybody knows it.
const SEED: &str = "perennial webhooks send";

/// Alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// Receives the alerts of the gateway until a signal stops it (SIGINT, SIGTERM)
    #[command(
        after_help = "When it is ready it prints one line: webhooks listening on http://127.0.0.1:8490\n\
        Each alert whose signature is valid is stored once, and makes perennial work read its transaction within a minute. \
        An alert itself changes no due day.\n\n\
        It takes POST on any path, and responds 200 after an alert is stored, or was before; 400 if it is not signed by the \
        key; 503 if it cannot be read or stored, so that the gateway sends it again. Put a proxy with TLS in front \
        of it.\n\n\
        The vendor's key is different in each environment. The key of a sandbox's world: GET /_sandbox/webhook.\n\n\
        Example:\n  perennial webhooks listen --public-key-file gateway.pub --profile north-street"
    )]
    Listen(Listen),
    /// Sends a signed alert to a receiver on this machine, for tests
    #[command(
        after_help = "For tests of a receiver only: the key is made from --seed, and everybody who knows the seed has it. \
        The transaction is made up, or the one that the options name. No gateway is called.\n\n\
        Examples:\n  perennial webhooks send --print-public-key > test.pub\n  \
        perennial webhooks send --url http://127.0.0.1:8490/alerts --transaction-id 700001 --dry-run"
    )]
    Send(Send),
}

impl Webhooks {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Listen(listen) => listen.run(global).await,
            Self::Send(send) => send.run(global).await,
        }
    }
}
