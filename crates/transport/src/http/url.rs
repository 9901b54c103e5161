//! The URLs to which a call may go.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::uri::Scheme;

use crate::{Kind, TransportError};

/// Refuses a URL to which no secret may go, or whose path an HTTP client could change.
pub(crate) fn check(uri: &Uri, is_proxied: bool) -> Result<(), TransportError> {
    if !may_carry_secrets(uri) || !is_exact(uri.path()) {
        return Err(TransportError::new(Kind::RefusedUrl));
    }
    if is_proxied && uri.scheme() != Some(&Scheme::HTTPS) {
        return Err(TransportError::new(Kind::PlainThroughProxy));
    }
    Ok(())
}

fn may_carry_secrets(uri: &Uri) -> bool {
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    let host = uri.host().unwrap_or_default();
    let literal_loopback = host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
        || host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .is_some_and(|host| host.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback()));
    !has_user
        && !host.is_empty()
        && (uri.scheme() == Some(&Scheme::HTTPS) || (uri.scheme() == Some(&Scheme::HTTP) && literal_loopback))
}

/// Whether a path has only characters of RFC 3986 and no dot segment, so that a key with `..` in it names no other
/// object, wherever the path is resolved.
fn is_exact(path: &str) -> bool {
    let is_of_a_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte);
    let is_dot = |dot: &str| dot == "." || dot.eq_ignore_ascii_case("%2e");
    let is_dots = |segment: &str| {
        let first = if segment.starts_with('%') { 3 } else { 1 };
        is_dot(segment) || segment.split_at_checked(first).is_some_and(|(a, b)| is_dot(a) && is_dot(b))
    };
    path.bytes().all(is_of_a_path) && !path.split('/').any(is_dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_to_https_and_to_literal_loopback_only() {
        for (url, allowed) in [
            ("https://gateway.clearent.net/rest/v2/customers", true),
            ("https://localhost/", true),
            ("http://127.0.0.1:8080/rest/v2/customers", true),
            ("http://127.255.255.254/", true),
            ("http://[::1]:8080/", true),
            ("http://localhost:8080/", false),
            ("http://gateway.clearent.net/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("http://128.0.0.1/", false),
            ("http://0.0.0.0/", false),
            ("http://[::]/", false),
            ("http://[::ffff:127.0.0.1]/", false),
            ("http://127.1/", false),
            ("http://0x7f000001/", false),
            ("http://2130706433/", false),
            ("http://127.0.0.1@evil.example/", false),
            ("http://user@127.0.0.1/", false),
            ("https://user:password@gateway.clearent.net/", false),
            ("ftp://127.0.0.1/", false),
            ("/rest/v2/customers", false),
        ] {
            assert_eq!(may_carry_secrets(&url.parse().unwrap()), allowed, "{url}");
        }
    }

    #[test]
    fn a_path_is_sent_as_it_is_or_not_at_all() {
        for (path, exact) in [
            ("/", true),
            ("/rest/v2/customers/cust_5a1d", true),
            ("/a%20b/c:d@e;f,g", true),
            ("/...", true),
            ("/..a/.b/c.", true),
            ("/%2ea", true),
            ("/%252e%252e", true),
            ("//", true),
            ("/.", false),
            ("/..", false),
            ("/a/../b", false),
            ("/a/./b", false),
            ("/%2e", false),
            ("/%2E%2e/b", false),
            ("/.%2e", false),
            ("/%2e.", false),
            ("/a\\..\\b", false),
            ("/a\"b", false),
            ("/{a}", false),
            ("/é", false),
        ] {
            assert_eq!(is_exact(path), exact, "{path}");
        }
    }
}
