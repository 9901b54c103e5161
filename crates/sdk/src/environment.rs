//! The gateway that calls are sent to.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use perennial_wire::clearent::ROOT;

/// The gateway of a client. Keys of one environment are not valid in another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Environment {
    /// The vendor's test gateway: `https://gateway-sb.clearent.net`, or `https://api.sandbox.clientpay.com`.
    Sandbox,
    /// The gateway that moves money: `https://gateway.clearent.net`, or `https://api.clientpay.com`.
    Production,
    /// Your own gateway, such as a sandbox on this machine.
    Custom(BaseUrl),
}

impl Environment {
    /// The base URL of ClientPay, to which paths such as `/v2/payment` are appended; it ends neither with a slash nor
    /// with `/v2`. That the vendor's sandbox has version 2 at the path used in production is **inferred**.
    pub fn clientpay_base_url(&self) -> &str {
        match self {
            Self::Sandbox => "https://api.sandbox.clientpay.com",
            Self::Production => "https://api.clientpay.com",
            Self::Custom(url) => without_end(url.as_str(), "/v2"),
        }
    }

    /// The base URL of Clearent, to which paths such as `/rest/v2/customers` are appended; it does not end with a
    /// slash.
    pub fn base_url(&self) -> &str {
        match self {
            Self::Sandbox => "https://gateway-sb.clearent.net",
            Self::Production => "https://gateway.clearent.net",
            Self::Custom(url) => url.as_str(),
        }
    }
}

/// Formats `sandbox`, `production`, or the URL of a custom gateway.
impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
            Self::Custom(url) => url.as_str(),
        })
    }
}

/// Parses the output of [`Display`](fmt::Display); text other than the two words is parsed as a URL.
impl FromStr for Environment {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        match text {
            "sandbox" => Ok(Self::Sandbox),
            "production" => Ok(Self::Production),
            url => url.parse().map(Self::Custom),
        }
    }
}

impl From<BaseUrl> for Environment {
    fn from(url: BaseUrl) -> Self {
        Self::Custom(url)
    }
}

/// A URL to which credentials may be sent: `https`, or `http` to a literal loopback address (`127.0.0.0/8`, `[::1]`).
///
/// It has no user, query or fragment, and no dot segments in its path. `localhost` requires `https`, because it is a
/// name that other hosts can have. Surrounding whitespace, slashes at the end and double slashes in the path are
/// removed, and also a `/rest/v2` at the end, with which the vendor writes the URL of Clearent: the paths of the calls
/// begin with it.
///
/// ```
/// use perennial::{BaseUrl, InvalidBaseUrl};
///
/// let url: BaseUrl = "HTTP://127.0.0.1:8480/".parse().unwrap();
/// assert_eq!(url.as_str(), "http://127.0.0.1:8480");
/// let url: BaseUrl = "https://gateway.clearent.net/rest/v2/".parse().unwrap();
/// assert_eq!(url.as_str(), "https://gateway.clearent.net");
/// assert_eq!("http://localhost:8480".parse::<BaseUrl>(), Err(InvalidBaseUrl::PlainHttp));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

/// The reason why a text is not a [`BaseUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBaseUrl {
    /// The URL begins with neither `https://` nor `http://`.
    #[error("a base URL begins with https://")]
    Scheme,
    /// The URL is `http` to a host that is not a literal loopback address.
    #[error(
        "a base URL is https, or http to a literal loopback address such as 127.0.0.1 (localhost is a name)"
    )]
    PlainHttp,
    /// The URL has a user or a password.
    #[error("a base URL has no user or password")]
    User,
    /// The URL has a query.
    #[error("a base URL has no query")]
    Query,
    /// The URL has a fragment.
    #[error("a base URL has no fragment")]
    Fragment,
    /// The host is missing, or is neither an ASCII name nor an IP address.
    #[error("the host of a base URL is a name in ASCII (xn-- for others) or an IP address")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port of a base URL is a number from 1 to 65535")]
    Port,
    /// The path has dot segments, or characters other than letters, digits, `-`, `_`, `.` and `~`.
    #[error("the path of a base URL is made of letters, digits, '-', '_', '.' and '~', without dot segments")]
    Path,
}

impl BaseUrl {
    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(InvalidBaseUrl::Scheme)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            _ if authority.contains('@') => return Err(InvalidBaseUrl::User),
            _ if path.contains('?') => return Err(InvalidBaseUrl::Query),
            _ if path.contains('#') => return Err(InvalidBaseUrl::Fragment),
            Some((host, port)) => (host, Some(read_port(port)?)),
            None => (authority, None),
        };
        let (host, loopback) = read_host(host)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => "https",
            "http" if loopback => "http",
            "http" => return Err(InvalidBaseUrl::PlainHttp),
            _ => return Err(InvalidBaseUrl::Scheme),
        };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let path = read_path(path)?;
        Ok(Self(format!("{scheme}://{host}{port}{}", without_end(&path, ROOT))))
    }
}

/// The host in lower case, and whether it is a literal loopback address.
fn read_host(host: &str) -> Result<(String, bool), InvalidBaseUrl> {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| InvalidBaseUrl::Host)?;
        return Ok((format!("[{address}]"), address.is_loopback()));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok((address.to_string(), address.is_loopback()));
    }
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    // HTTP stacks also parse `127.1` and `0x7f000001` as addresses, so a host that ends in a number must be an IP
    // address.
    let ends_in_number =
        host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    if host.split('.').all(label) && !ends_in_number {
        Ok((host.to_ascii_lowercase(), false))
    } else {
        Err(InvalidBaseUrl::Host)
    }
}

/// Removes this end from a path, or from a URL with a path, in any letter case.
fn without_end<'p>(path: &'p str, end: &str) -> &'p str {
    let split = path.len().checked_sub(end.len()).and_then(|at| path.split_at_checked(at));
    // A slash before the end belongs to `https://`: the text after it is the host.
    let is_end = |(rest, last): &(&str, &str)| last.eq_ignore_ascii_case(end) && !rest.ends_with('/');
    split.filter(is_end).map_or(path, |(rest, _)| rest)
}

fn read_port(port: &str) -> Result<u16, InvalidBaseUrl> {
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    port.parse().ok().filter(|port| digits && *port > 0).ok_or(InvalidBaseUrl::Port)
}

fn read_path(path: &str) -> Result<String, InvalidBaseUrl> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments
        .map(|segment| match segment {
            "." | ".." => Err(InvalidBaseUrl::Path),
            _ if segment.bytes().all(allowed) => Ok(format!("/{segment}")),
            _ => Err(InvalidBaseUrl::Path),
        })
        .collect()
}

impl TryFrom<&str> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(text: &str) -> Result<Self, InvalidBaseUrl> {
        text.parse()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::InvalidBaseUrl::{Fragment, Host, Path, PlainHttp, Port, Query, Scheme, User};
    use super::*;

    /// Holds: A base URL is HTTPS or a literal loopback address, and anything else is refused.
    #[test]
    fn keys_go_only_where_they_may() {
        for (text, expected) in [
            ("https://gateway.clearent.net", Ok("https://gateway.clearent.net")),
            (" HTTPS://Gateway.Clearent.NET/ \n", Ok("https://gateway.clearent.net")),
            ("https://gateway.test:8443/a//b/", Ok("https://gateway.test:8443/a/b")),
            ("https://gateway.clearent.net/rest/v2", Ok("https://gateway.clearent.net")),
            ("https://gateway.clearent.net/rest/v2/", Ok("https://gateway.clearent.net")),
            ("https://gateway.clearent.net//Rest//V2//", Ok("https://gateway.clearent.net")),
            ("http://127.0.0.1:8480/rest/v2", Ok("http://127.0.0.1:8480")),
            ("https://proxy.test/clearent/rest/v2/", Ok("https://proxy.test/clearent")),
            ("https://gateway.clearent.net/rest", Ok("https://gateway.clearent.net/rest")),
            (
                "https://gateway.clearent.net/rest/v2/customers",
                Ok("https://gateway.clearent.net/rest/v2/customers"),
            ),
            ("https://gateway.test/interest/v2", Ok("https://gateway.test/interest/v2")),
            ("https://gateway.test/v2", Ok("https://gateway.test/v2")),
            ("https://xn--mnchen-3ya.test", Ok("https://xn--mnchen-3ya.test")),
            ("https://192.0.2.1", Ok("https://192.0.2.1")),
            ("http://127.0.0.1:8480", Ok("http://127.0.0.1:8480")),
            ("http://127.9.9.9", Ok("http://127.9.9.9")),
            ("http://[::1]:80", Ok("http://[::1]:80")),
            ("http://[0:0:0:0:0:0:0:1]", Ok("http://[::1]")),
            ("http://localhost:8480", Err(PlainHttp)),
            ("http://gateway.clearent.net", Err(PlainHttp)),
            ("http://127.0.0.1.evil.test", Err(PlainHttp)),
            ("http://192.0.2.1", Err(PlainHttp)),
            ("http://[::2]", Err(PlainHttp)),
            ("http://127.1", Err(Host)),
            ("http://2130706433", Err(Host)),
            ("https://0x7f000001", Err(Host)),
            ("https://m\u{fc}nchen.test", Err(Host)),
            ("https://a b", Err(Host)),
            ("https://a..b", Err(Host)),
            ("https://", Err(Host)),
            ("https:///path", Err(Host)),
            ("https://[::1", Err(Host)),
            ("gateway.clearent.net", Err(Scheme)),
            ("ftp://gateway.clearent.net", Err(Scheme)),
            ("", Err(Scheme)),
            ("https://gateway.clearent.net@evil.test", Err(User)),
            ("https://user:word@gateway.clearent.net", Err(User)),
            ("https://gateway.test?key=1", Err(Query)),
            ("https://gateway.test/a?key=1", Err(Query)),
            ("https://gateway.test#here", Err(Fragment)),
            ("https://gateway.test:0", Err(Port)),
            ("https://gateway.test:65536", Err(Port)),
            ("https://gateway.test:", Err(Port)),
            ("https://gateway.test:+1", Err(Port)),
            ("https://gateway.test/a/../b", Err(Path)),
            ("https://gateway.test/%2e%2e", Err(Path)),
            ("https://gateway.test\\evil.test", Err(Path)),
        ] {
            let url = text.parse::<BaseUrl>();
            assert_eq!(url.as_ref().map(BaseUrl::as_str), expected.as_ref().map(|text| *text), "{text}");
        }
    }

    #[test]
    fn a_version_at_the_end_is_not_doubled() {
        for (url, clearent, clientpay) in [
            ("https://api.clientpay.com/v2", "https://api.clientpay.com/v2", "https://api.clientpay.com"),
            ("https://api.clientpay.com/V2/", "https://api.clientpay.com/V2", "https://api.clientpay.com"),
            ("https://a.test/pay/v2", "https://a.test/pay/v2", "https://a.test/pay"),
            ("https://a.test/rest/v2", "https://a.test", "https://a.test"),
            ("https://a.test/xv2", "https://a.test/xv2", "https://a.test/xv2"),
            ("https://v2", "https://v2", "https://v2"),
        ] {
            let environment: Environment = url.parse().unwrap();
            assert_eq!(
                (environment.base_url(), environment.clientpay_base_url()),
                (clearent, clientpay),
                "{url}"
            );
        }
    }

    #[test]
    fn each_environment_has_its_gateway_and_its_name() {
        let own = Environment::from(BaseUrl::try_from("http://127.0.0.1:8480").unwrap());
        for (environment, name, clearent, clientpay) in [
            (
                Environment::Sandbox,
                "sandbox",
                "https://gateway-sb.clearent.net",
                "https://api.sandbox.clientpay.com",
            ),
            (
                Environment::Production,
                "production",
                "https://gateway.clearent.net",
                "https://api.clientpay.com",
            ),
            (own, "http://127.0.0.1:8480", "http://127.0.0.1:8480", "http://127.0.0.1:8480"),
        ] {
            assert_eq!(environment.to_string(), name);
            assert_eq!(name.parse(), Ok(environment.clone()));
            assert_eq!((environment.base_url(), environment.clientpay_base_url()), (clearent, clientpay));
        }
    }
}
