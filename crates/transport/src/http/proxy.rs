//! The URL of a forward proxy.

use http::Uri;

/// A proxy that tunnels `https` by `CONNECT`.
#[cfg(feature = "hyper")]
#[derive(Clone)]
pub(crate) struct Proxy {
    /// Its scheme, host and port.
    pub(crate) uri: Uri,
    /// The value of the header with its user and password.
    pub(crate) auth: Option<http::HeaderValue>,
}

/// Whether the text is the URL of a proxy.
#[cfg(feature = "reqwest")]
pub(crate) fn is_proxy(text: &str) -> bool {
    parts(text).is_some()
}

/// The user, and the URL without it.
fn parts(text: &str) -> Option<(Option<&str>, Uri)> {
    let (scheme, rest) = text.trim().split_once("://")?;
    let is_known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let uri: Uri = format!("{scheme}://{authority}").parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let has_port = match authority.strip_prefix(host)?.strip_prefix(':') {
        Some(_) => uri.port_u16().is_some(),
        None => authority == host,
    };
    (is_known && has_port).then_some((user, uri))
}

#[cfg(feature = "hyper")]
impl Proxy {
    /// The proxy at this URL, or `None` if the text is not the URL of one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        use hyper_util::client::proxy::matcher::Matcher;

        let (user, uri) = parts(text)?;
        let Some(user) = user else { return Some(Self { uri, auth: None }) };
        // A password may have an `@` that is not escaped.
        let url = format!("{}://{}@{}", uri.scheme()?, user.replace('@', "%40"), uri.authority()?);
        let matcher = Matcher::builder().https(url).build();
        let proxy = matcher.intercept(&Uri::from_static("https://gateway.invalid"))?;
        Some(Self { uri, auth: proxy.basic_auth().cloned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_without_a_path() {
        for (text, taken) in [
            ("http://proxy.example:3128", true),
            ("https://proxy.example", true),
            (" HTTP://127.0.0.1:3128/\n", true),
            ("http://[::1]:3128", true),
            ("http://user:pass%40word@proxy.example:3128", true),
            ("http://user:p@ss:word@proxy.example:3128", true),
            ("http://user@proxy.example", true),
            ("", false),
            ("proxy.example:3128", false),
            ("http:proxy.example:3128", false),
            ("http://", false),
            ("http://:3128", false),
            ("http://user@:3128", false),
            ("http://proxy.example:99999", false),
            ("http://proxy.example:", false),
            ("http://proxy example", false),
            ("http://proxy.example/path", false),
            ("http://proxy.example//", false),
            ("http://proxy.example?x=1", false),
            ("http://proxy.example#x", false),
            ("socks5://proxy.example:1080", false),
            ("socks5h://proxy.example:1080", false),
            ("ftp://proxy.example", false),
            ("file:///proxy", false),
        ] {
            assert_eq!(parts(text).is_some(), taken, "{text:?}");
            #[cfg(feature = "hyper")]
            assert_eq!(Proxy::read(text).is_some(), taken, "{text:?}");
            #[cfg(feature = "reqwest")]
            assert_eq!(crate::reqwest::tunnel(text).is_some(), taken, "{text:?}");
        }
    }

    #[cfg(feature = "hyper")]
    #[test]
    fn the_user_and_the_password_of_a_proxy_are_its_own() {
        for (text, expected) in [
            ("http://proxy.example", None),
            ("http://us%20er:pass%40word@proxy.example:3128", Some("Basic dXMgZXI6cGFzc0B3b3Jk")),
            ("http://us%20er:pass@word@proxy.example:3128", Some("Basic dXMgZXI6cGFzc0B3b3Jk")),
        ] {
            let auth = Proxy::read(text).unwrap().auth;
            assert_eq!(auth.as_ref().map(|auth| auth.to_str().unwrap()), expected, "{text}");
        }
    }
}
