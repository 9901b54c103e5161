//! Deliveries of alerts: the endpoint, the attempts, and the result of each.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use perennial_domain::mask;
use perennial_wire::clearent::webhook::Signer;
use serde_json::{Value as Json, json};

use crate::clock::Moment;
use crate::members::given;
use crate::seed::Seed;

/// The signer of a world's alerts.
pub(crate) fn signer(seed: Seed) -> Signer {
    Signer::from_seed(&seed.derive("webhook", 0))
}

/// The maximum number of attempts to send an alert, as the vendor says.
pub(crate) const ATTEMPTS: u8 = 3;

/// The time of the next attempt after this many attempts. The vendor says "exponential back-off"; the delays of 1 and
/// 5 minutes are **inferred**.
pub(crate) fn next_attempt(due: Moment, attempt: u8) -> Option<Moment> {
    let minutes = if attempt == 1 { 1 } else { 5 };
    (attempt < ATTEMPTS).then(|| due.minutes_after(minutes))
}

/// The endpoint of alerts: `http` to a literal loopback address, so that no name is looked up and no other machine is
/// ever reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// Host and port, as in the `Host` header.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: String,
}

impl FromStr for Endpoint {
    type Err = WebhookUrlError;

    fn from_str(url: &str) -> Result<Self, WebhookUrlError> {
        let uri: Uri = url.parse().map_err(|_| WebhookUrlError::Malformed)?;
        if mask::holds_card(url) {
            return Err(WebhookUrlError::HoldsCard);
        }
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(WebhookUrlError::NotHttp);
        }
        let authority = uri.authority().ok_or(WebhookUrlError::Malformed)?;
        // A fragment is cut off without a word.
        if url.len() > LONGEST || url.contains('#') || authority.as_str().contains('@') {
            return Err(WebhookUrlError::Malformed);
        }
        let ip = match authority.host().strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => host.parse().map(Ipv6Addr::into),
            None => authority.host().parse().map(Ipv4Addr::into),
        };
        let ip = ip.ok().filter(std::net::IpAddr::is_loopback).ok_or(WebhookUrlError::NotLoopback)?;
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => 80,
            Some(port) => port.strip_prefix(':').and_then(|port| port.parse().ok()).unwrap_or_default(),
            None => 0,
        };
        if port == 0 {
            return Err(WebhookUrlError::Malformed);
        }
        let path = uri.path_and_query().map_or("", PathAndQuery::as_str);
        // A query may follow the host at once.
        let slash = if path.starts_with('/') { "" } else { "/" };
        let address = SocketAddr::new(ip, port);
        Ok(Self { address, authority: authority.to_string(), path: format!("{slash}{path}") })
    }
}

/// The maximum length of a URL, in bytes.
const LONGEST: usize = 2_000;

/// The reason why a text is not a valid webhook URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookUrlError {
    /// The text is not a URL, or has a user, a fragment, port 0 or more than 2,000 bytes.
    #[error(
        "must be a URL of at most 2000 bytes such as http://127.0.0.1:9000/hook, without user, password and fragment"
    )]
    Malformed,
    /// The scheme is not `http`.
    #[error("must begin with http://")]
    NotHttp,
    /// The host may be another machine. `localhost` is a name, and other machines can respond for names.
    #[error("must name the loopback by its address, as in 127.0.0.1 or [::1]")]
    NotLoopback,
    /// The URL has digits that look like a card number, which is never stored.
    #[error("must not hold a card number")]
    HoldsCard,
}

/// An attempt to deliver an alert, made or pending.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Its id in this world: the transaction id and the number of the attempt, as in `700001-1`.
    pub id: String,
    /// The transaction that the alert is about; with ClientPay the payment or the payer.
    pub transaction_id: String,
    /// The event: `authorization`, `capture`, `sale`, `forced sale`, `refund`, `unmatched refund` or `void`; for a
    /// page's postbacks `processing`, `payment` or `payer`.
    pub event: String,
    /// The number of the attempt, from 1 to 3.
    pub attempt: u8,
    /// The due time by the world's clock. The sandbox sends the alert then, or as soon as it can.
    pub due: Moment,
    /// The HTTP status of the response, if there was one.
    pub status: Option<u16>,
    /// The result.
    pub outcome: DeliveryOutcome,
    /// The id of the fault that hit it, if any.
    pub fault: Option<String>,
}

impl Delivery {
    pub(crate) fn to_json(&self) -> Json {
        let Self { id, transaction_id, event, attempt, due, status, outcome, fault } = self;
        given(json!({
            "id": id,
            "transaction-id": transaction_id,
            "event": event,
            "attempt": attempt,
            "due": due.to_string(),
            "status": status,
            "outcome": outcome.as_str(),
            "fault": fault,
        }))
    }
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// The attempt is still pending.
    Waiting,
    /// The endpoint responded with a 2xx status.
    Delivered,
    /// The endpoint responded with another status. Redirects are not followed.
    Refused,
    /// The connection failed, or broke before a status arrived.
    Unreachable,
    /// No status arrived within five seconds of real time.
    TimedOut,
    /// The webhook was removed before the attempt.
    Abandoned,
}

impl DeliveryOutcome {
    const ALL: [Self; 6] =
        [Self::Waiting, Self::Delivered, Self::Refused, Self::Unreachable, Self::TimedOut, Self::Abandoned];

    /// The name of the result: `waiting`, `delivered`, `refused`, `unreachable`, `timed-out` or `abandoned`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::Abandoned => "abandoned",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

impl fmt::Display for DeliveryOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The result of one post to an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PostResult {
    pub(crate) outcome: DeliveryOutcome,
    pub(crate) status: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        use WebhookUrlError::{HoldsCard, Malformed, NotHttp, NotLoopback};
        let long = format!("http://127.0.0.1/{}", "a".repeat(LONGEST));
        let cases = [
            ("http://127.0.0.1:9000/hook", Ok(("127.0.0.1:9000", "127.0.0.1:9000", "/hook"))),
            ("HTTP://127.0.0.1:9000/hook?a=1&b", Ok(("127.0.0.1:9000", "127.0.0.1:9000", "/hook?a=1&b"))),
            ("http://127.0.0.1", Ok(("127.0.0.1:80", "127.0.0.1", "/"))),
            ("http://127.8.9.10:1?x", Ok(("127.8.9.10:1", "127.8.9.10:1", "/?x"))),
            ("http://[::1]:9000/", Ok(("[::1]:9000", "[::1]:9000", "/"))),
            ("", Err(Malformed)),
            ("hook", Err(NotHttp)),
            ("/hook", Err(NotHttp)),
            ("127.0.0.1:9000", Err(NotHttp)),
            ("//127.0.0.1:9000/hook", Err(NotHttp)),
            ("https://127.0.0.1:9000/hook", Err(NotHttp)),
            ("file:///etc/passwd", Err(Malformed)),
            ("http:///hook", Err(Malformed)),
            ("http://", Err(Malformed)),
            ("http://127.0.0.1:0/", Err(Malformed)),
            ("http://127.0.0.1:/", Err(Malformed)),
            ("http://127.0.0.1:65536/", Err(Malformed)),
            ("http://127.0.0.1:9000/a b", Err(Malformed)),
            ("http://127.0.0.1:9000/a\r\nb", Err(Malformed)),
            (" http://127.0.0.1:9000/", Err(Malformed)),
            ("http://127.0.0.1:9000/#hook", Err(Malformed)),
            ("http://user@127.0.0.1:9000/", Err(Malformed)),
            ("http://127.0.0.1@example.com/", Err(Malformed)),
            (&*long, Err(Malformed)),
            ("http://localhost:9000/", Err(NotLoopback)),
            ("http://example.com/", Err(NotLoopback)),
            ("http://127.0.0.1.example.com/", Err(NotLoopback)),
            ("http://10.0.0.1/", Err(NotLoopback)),
            ("http://0.0.0.0/", Err(NotLoopback)),
            ("http://169.254.169.254/", Err(NotLoopback)),
            ("http://2130706433/", Err(NotLoopback)),
            ("http://0x7f.1/", Err(NotLoopback)),
            ("http://127.1/", Err(NotLoopback)),
            ("http://0177.0.0.1/", Err(NotLoopback)),
            ("http://[::]/", Err(NotLoopback)),
            ("http://[::ffff:127.0.0.1]/", Err(NotLoopback)),
            ("http://[::ffff:10.0.0.1]/", Err(NotLoopback)),
            ("http://[fe80::1]/", Err(NotLoopback)),
            ("http://127.0.0.1:9000/4111111111111111", Err(HoldsCard)),
        ];
        for (url, expected) in cases {
            let read: Result<Endpoint, _> = url.parse();
            let expected = expected.map(|(address, authority, path)| Endpoint {
                address: address.parse().unwrap(),
                authority: authority.to_owned(),
                path: path.to_owned(),
            });
            assert_eq!(read, expected, "{}", &url[..url.len().min(80)]);
        }
    }

    #[test]
    fn attempts_are_three_and_further_and_further_apart() {
        let due = Moment::first();
        let second = next_attempt(due, 1).unwrap();
        let third = next_attempt(second, 2).unwrap();
        let times = [second, third].map(|moment| moment.to_string());
        assert_eq!(times, ["2027-01-01T00:01:00Z", "2027-01-01T00:06:00Z"]);
        assert_eq!(next_attempt(third, 3), None);
    }

    #[test]
    fn outcomes_have_words() {
        for outcome in DeliveryOutcome::ALL {
            assert_eq!(DeliveryOutcome::of(outcome.as_str()), Some(outcome));
        }
        assert_eq!(DeliveryOutcome::of("lost"), None);
    }
}
