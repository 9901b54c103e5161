//! The URL of a forward proxy.

use ::reqwest::{Proxy, Url};
use http::Uri;

/// A proxy that tunnels `https` by `CONNECT`, or `None` if the text is not the URL of one.
///
/// reqwest sends a request directly if it cannot parse the URL of its proxy, so this function parses the URL with
/// [`Uri`] too, as reqwest does.
pub(super) fn tunnel(text: &str) -> Option<Proxy> {
    let text = text.trim();
    let (scheme, _) = text.split_once("://")?;
    let url = Url::parse(text).ok()?;
    let supported = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let usable = url.as_str().parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    if supported && bare && usable { Proxy::https(url).ok() } else { None }
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
            ("", false),
            ("proxy.example:3128", false),
            ("http:proxy.example:3128", false),
            ("http://", false),
            ("http://:3128", false),
            ("http://user@:3128", false),
            ("http://proxy.example:99999", false),
            ("http://proxy example", false),
            ("http://proxy.example/path", false),
            ("http://proxy.example?x=1", false),
            ("http://proxy.example#x", false),
            ("socks5://proxy.example:1080", false),
            ("socks5h://proxy.example:1080", false),
            ("ftp://proxy.example", false),
            ("file:///proxy", false),
        ] {
            assert_eq!(tunnel(text).is_some(), taken, "{text:?}");
        }
    }
}
