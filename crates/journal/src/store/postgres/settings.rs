//! URLs of `PostgreSQL` databases.

use std::net::IpAddr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::Tls;
use crate::store::StoreError;

/// The longest wait for a server to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// The silence of a server after which the system asks whether it is still there, and the time that it has to answer.
const SILENCE: Duration = Duration::from_secs(15);

/// Reads a URL. Parameters are those of libpq that tokio-postgres knows, `sslmode` and `sslrootcert`.
pub(super) fn read(url: &str) -> Result<(Config, Tls), StoreError> {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut others) = (None, None, Vec::new());
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", value)) => {
                let path = percent_decode_str(value).decode_utf8();
                roots = Some(path.map_err(|_| StoreError::Url("the path of sslrootcert is not UTF-8"))?);
            }
            _ => others.push(parameter),
        }
    }
    // The error of the parser may repeat the password.
    let mut config: Config = format!("{address}?{}", others.join("&"))
        .parse()
        .map_err(|_| StoreError::Url("the URL of the PostgreSQL database cannot be read"))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(StoreError::Url("the URL of the PostgreSQL database names no host"));
    }
    let is_encrypted = match mode {
        Some("disable") => false,
        Some("require" | "verify-ca" | "verify-full") => true,
        None | Some("allow" | "prefer") => !is_local(&config),
        Some(_) => return Err(StoreError::Url("sslmode is disable, prefer, require or verify-full")),
    };
    config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
    config.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 3).keepalives_retries(3);
    config.tcp_user_timeout(SILENCE * 2);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("perennial");
    }
    let tls = Tls::new(roots.as_deref().filter(|roots| *roots != "system"))?;
    Ok((config, tls))
}

/// Whether no byte leaves the machine.
fn is_local(config: &Config) -> bool {
    let is_loopback =
        |host: &str| host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => is_loopback(name),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    // An address takes the place of the name.
    match config.get_hostaddrs() {
        [] => hosts,
        addresses => addresses.iter().all(IpAddr::is_loopback),
    }
}

/// The name of the database in errors, without user and password.
pub(super) fn place(config: &Config) -> String {
    let hosts: Vec<_> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let hosts = if hosts.is_empty() {
        config.get_hostaddrs().iter().map(ToString::to_string).collect()
    } else {
        hosts
    };
    let port = |index: usize| {
        let ports = config.get_ports();
        ports.get(index).or(ports.first().filter(|_| ports.len() == 1)).copied().unwrap_or(5432)
    };
    let hosts: Vec<_> =
        hosts.iter().enumerate().map(|(index, host)| format!("{host}:{}", port(index))).collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{}/{database}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_used_wherever_bytes_leave_the_machine() {
        let cases = [
            ("postgres://u:secret@db.example/j", Some(("postgres://db.example:5432/j", true))),
            (
                "postgresql://u:secret@db.example:99/j?sslmode=prefer",
                Some(("postgres://db.example:99/j", true)),
            ),
            ("postgres://u@db.example/j?sslmode=disable", Some(("postgres://db.example:5432/j", false))),
            ("postgres://u@localhost/j", Some(("postgres://localhost:5432/j", false))),
            ("postgres://u@127.0.0.1:7/j?connect_timeout=3", Some(("postgres://127.0.0.1:7/j", false))),
            ("postgres://u@[::1]/j", Some(("postgres://[::1]:5432/j", false))),
            ("postgres://u@[::1]/j?sslmode=verify-full", Some(("postgres://[::1]:5432/j", true))),
            ("postgres://u@%2Frun%2Fpg/j", Some(("postgres:///run/pg:5432/j", false))),
            (
                "postgres://u@localhost,db.example/j",
                Some(("postgres://localhost:5432,db.example:5432/j", true)),
            ),
            ("postgres://u@localhost/j?hostaddr=192.0.2.1", Some(("postgres://localhost:5432/j", true))),
            ("postgres://u@db.example/j?sslmode=sometimes", None),
            ("postgres://u@db.example/j?sslrootcert=/there/is/none.pem", None),
            ("postgres://u@db.example/j?colour=red", None),
            ("postgres:///j", None),
        ];
        for (url, expected) in cases {
            let read = read(url).map(|(config, _)| {
                let is_encrypted = matches!(config.get_ssl_mode(), SslMode::Require);
                (place(&config), is_encrypted)
            });
            if let Err(error) = &read {
                assert!(!error.to_string().contains("secret"), "{error}");
            }
            let expected = expected.map(|(place, tls)| (place.to_owned(), tls));
            assert_eq!(read.ok(), expected, "{url}");
        }
    }
}
