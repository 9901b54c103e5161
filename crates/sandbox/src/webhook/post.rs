//! One attempt: a `POST` on its own connection; only the status of the answer counts.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::delivery::{DeliveryOutcome, Endpoint, PostResult};

/// The time limit for an endpoint's answer, in real time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Posts an alert. Redirects are not followed, and no proxy is used.
pub(super) async fn post(endpoint: &Endpoint, alert: Vec<u8>, patience: Duration) -> PostResult {
    match tokio::time::timeout(patience, exchange(endpoint, alert)).await {
        Ok(Ok(status)) => PostResult {
            outcome: if status.is_success() { DeliveryOutcome::Delivered } else { DeliveryOutcome::Refused },
            status: Some(status.as_u16()),
        },
        Ok(Err(_)) => PostResult { outcome: DeliveryOutcome::Unreachable, status: None },
        Err(_) => PostResult { outcome: DeliveryOutcome::TimedOut, status: None },
    }
}

async fn exchange(
    endpoint: &Endpoint,
    alert: Vec<u8>,
) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(endpoint.address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(&endpoint.path)
        .header(HOST, &endpoint.authority)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(CONNECTION, HeaderValue::from_static("close"))
        .body(Full::new(Bytes::from(alert)))?;
    // Nobody reads the body of the answer: it goes with the connection.
    let answer = async move { sender.send_request(request).await.map(|response| response.status()) };
    let (status, _) = tokio::join!(answer, connection);
    Ok(status?)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// The result for an endpoint that sends this answer and then keeps the connection open; `None` sends no answer.
    async fn post_result(answer: Option<&'static str>) -> PostResult {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/hook", listener.local_addr().unwrap()).parse().unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"POST /hook HTTP/1.1\r\n"));
            stream.write_all(answer.unwrap_or_default().as_bytes()).await.unwrap();
            if answer != Some("") {
                std::future::pending::<()>().await;
            }
            drop(stream);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            result = post(&endpoint, b"{}".to_vec(), PATIENCE) => result,
            () = server => unreachable!(),
        }
    }

    /// Time advances automatically: tokio moves its clock when no task can run.
    #[tokio::test(start_paused = true)]
    async fn what_an_endpoint_says() {
        use DeliveryOutcome::{Delivered, Refused, TimedOut, Unreachable};
        let endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n";
        let cases = [
            (Some("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Delivered, Some(200)),
            (Some("HTTP/1.1 299 Fine\r\nContent-Length: 0\r\n\r\n"), Delivered, Some(299)),
            (Some("HTTP/1.1 204 No Content\r\n\r\n"), Delivered, Some(204)),
            (Some(endless), Delivered, Some(200)),
            (
                Some("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Yes\r\nContent-Length: 0\r\n\r\n"),
                Delivered,
                Some(202),
            ),
            (
                Some("HTTP/1.1 301 There\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"),
                Refused,
                Some(301),
            ),
            (Some("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"), Refused, Some(400)),
            (Some("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), Refused, Some(500)),
            (Some("HTTP/1.1 200"), TimedOut, None),
            (Some("SSH-2.0-OpenSSH\r\n"), Unreachable, None),
            (Some(""), Unreachable, None),
            (None, TimedOut, None),
        ];
        for (answer, outcome, status) in cases {
            assert_eq!(post_result(answer).await, PostResult { outcome, status }, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn nobody_listens() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let endpoint = format!("http://{free}/").parse().unwrap();
        let expected = PostResult { outcome: DeliveryOutcome::Unreachable, status: None };
        assert_eq!(post(&endpoint, b"{}".to_vec(), PATIENCE).await, expected);
    }
}
