//! The builder of a sandbox.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial_domain::clearent::ApiKey;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::clock::Moment;
use crate::connections::Connections;
use crate::credentials::Credentials;
use crate::gateway::Gateway;
use crate::options::{GatewayOptions, OptionsError};
use crate::requests::Requests;
use crate::seed::{Seed, hash};
use crate::store::world::Admission;
use crate::store::{Store, StoreError};
use crate::webhook::DeliveryQueue;
use crate::{Sandbox, World, server, webhook};

/// Options of a sandbox before it starts. By default it listens on a free port of 127.0.0.1, keeps everything in
/// memory, opens a world for every key of 32 hexadecimal digits, and accepts only test cards.
#[derive(Debug)]
#[must_use = "nothing listens until `start` is called"]
pub struct SandboxBuilder {
    listen: SocketAddr,
    beyond_loopback: bool,
    database: Option<PathBuf>,
    keys: Vec<ApiKey>,
    frozen_at: Option<Moment>,
    options: GatewayOptions,
    any_card: bool,
    tls: Option<Pem>,
    hosts: Vec<String>,
    connections: u32,
    patience: Duration,
}

/// A certificate chain and its key, both in PEM.
struct Pem {
    certificates: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pem(..)")
    }
}

impl SandboxBuilder {
    pub(crate) fn new() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            beyond_loopback: false,
            database: None,
            keys: Vec::new(),
            frozen_at: None,
            options: GatewayOptions::default(),
            any_card: false,
            tls: None,
            hosts: Vec::new(),
            connections: server::CONNECTIONS,
            patience: webhook::PATIENCE,
        }
    }

    /// Listens on this address of the loopback. Port 0 selects a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Lets [`listen`](Self::listen) name an address that other machines reach. Other machines can use the gateway, but
    /// not the control interface.
    pub fn beyond_loopback(mut self) -> Self {
        self.beyond_loopback = true;
        self
    }

    /// Stores everything in this file, which one sandbox at a time can open; `:memory:` is not a file.
    ///
    /// # Errors
    ///
    /// [`start`](Self::start) refuses a `SQLite` URI, such as `file:a.db?mode=memory`, with [`StartError::Uri`].
    pub fn database(mut self, path: impl Into<PathBuf>) -> Self {
        self.database = Some(path.into()).filter(|path| path != Path::new(":memory:"));
        self
    }

    /// Opens worlds only for these keys, and for worlds that are created by `POST /_sandbox/worlds` or
    /// [`Sandbox::new_world`].
    pub fn keys(mut self, keys: impl IntoIterator<Item = ApiKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Freezes the clock of every world that a key opens at this moment. By default these clocks run.
    pub fn frozen_at(mut self, moment: Moment) -> Self {
        self.frozen_at = Some(moment);
        self
    }

    /// Sets the behavior that the vendor leaves open, for every world that a key opens and for the sandbox's own. A
    /// world of [`Sandbox::new_world`] has the options of its [`WorldOptions`](crate::WorldOptions).
    pub fn gateway(mut self, options: GatewayOptions) -> Self {
        self.options = options;
        self
    }

    /// Accepts any card number, not only numbers published for tests. The sandbox still stores only the brand, the last
    /// four digits and the expiry.
    pub fn any_card(mut self) -> Self {
        self.any_card = true;
        self
    }

    /// Speaks TLS 1.2 and 1.3 with this certificate chain and key, both in PEM.
    pub fn tls(mut self, certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.tls = Some(Pem { certificates: certificates.into(), key: zeroize::Zeroizing::new(key.into()) });
        self
    }

    /// Also accepts requests whose `Host` is this name, with any port. This serves unmodified clients of a vendor's
    /// host name that resolves to the loopback.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    #[cfg(test)]
    pub(crate) fn connections(self, connections: u32) -> Self {
        Self { connections, ..self }
    }

    #[cfg(test)]
    pub(crate) fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Starts the sandbox and listens.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let Self {
            listen,
            beyond_loopback,
            database,
            keys,
            frozen_at,
            options,
            any_card,
            tls,
            hosts,
            connections,
            patience,
        } = self;
        if !listen.ip().is_loopback() && !beyond_loopback {
            return Err(StartError::NotLoopback);
        }
        if !hosts.iter().all(|host| is_host(host)) {
            return Err(StartError::Host);
        }
        options.check()?;
        let is_uri =
            |path: &PathBuf| path.as_os_str().as_encoded_bytes().to_ascii_lowercase().starts_with(b"file:");
        if database.as_ref().is_some_and(is_uri) {
            return Err(StartError::Uri);
        }
        let tls = tls.map(acceptor).transpose()?;
        let listener = TcpListener::bind(listen).await.map_err(StartError::Listen)?;
        let address = listener.local_addr().map_err(StartError::Listen)?;
        let hashes: Vec<_> = keys.iter().map(|key| hash(key.expose())).collect();
        let (stop, stopped) = watch::channel(false);
        let (deliveries, rings) = DeliveryQueue::new();
        let store = Store::open(database.as_deref())?;
        if let Some(bytes) = store.dropped {
            // An error, so that the command shows it.
            tracing::error!(
                bytes,
                "the last write to the database's log is incomplete and is dropped: after a kill it had no response; \
                 if the file was cut, put back a copy"
            );
        }
        let gateway = Arc::new(Gateway {
            store,
            requests: Arc::new(Requests::default()),
            admission: if hashes.is_empty() { Admission::Any } else { Admission::Only(hashes) },
            any_card,
            frozen_at,
            options,
            hosts,
            states: tokio::sync::Semaphore::new(1),
            faults: Arc::default(),
            deliveries: Arc::new(deliveries),
            patience,
            stopped: stopped.clone(),
            late: Mutex::default(),
        });
        let credentials = if let Some(key) = keys.into_iter().next() {
            Credentials::of_key(key)
        } else {
            // In memory the world is of a fresh seed; in a file it is there after a restart.
            let seed = if database.is_some() { Seed(1) } else { Seed::fresh() };
            gateway.ensure_world(seed).await?
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let serving =
            server::serve(listener, tls, gateway.clone(), Connections::new(connections), stopped.clone());
        let delivering = webhook::serve(gateway.clone(), rings, stopped);
        let task = tokio::spawn(async { tokio::join!(serving, delivering).0 });
        let world = World::of(gateway.clone(), credentials);
        Ok(Sandbox {
            address,
            base_url: format!("{scheme}://{address}"),
            gateway,
            world,
            stop,
            task: Some(task),
        })
    }
}

/// Whether a `Host` header can have this name; the port is free.
fn is_host(name: &str) -> bool {
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
    !name.is_empty() && name.bytes().all(is_name)
}

fn acceptor(Pem { certificates, key }: Pem) -> Result<TlsAcceptor, StartError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&certificates)
        .collect::<Result<_, _>>()
        .map_err(|_| StartError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| StartError::PrivateKey)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(StartError::Tls)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(StartError::Tls)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// An error that occurs when a sandbox starts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Other machines reach the address, and [`beyond_loopback`](SandboxBuilder::beyond_loopback) was not called.
    #[error("the address is not loopback: use a loopback address, or call `beyond_loopback`")]
    NotLoopback,
    /// A host contains more than a name, so no request can match it.
    #[error("a host must be a name without scheme, port, path and blanks, such as gateway.example")]
    Host,
    /// The gateway options are invalid.
    #[error("the gateway's {0}")]
    Options(#[from] OptionsError),
    /// The database is a `SQLite` URI and not a path, so its location is unknown.
    #[error("the database must be the path of a file, or :memory:, and not a URI that begins with file:")]
    Uri,
    /// The sandbox cannot listen on the address.
    #[error("the sandbox cannot listen on this address")]
    Listen(#[source] io::Error),
    /// The certificate is not PEM.
    #[error("the certificate is not one in PEM")]
    Certificate,
    /// The key is not PEM.
    #[error("the private key is not one in PEM")]
    PrivateKey,
    /// The certificate and the key do not match.
    #[error("the certificate cannot be used with this key")]
    Tls(#[source] rustls::Error),
    /// The sandbox cannot use the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
