//! This crate alone: a response is lost on its way. A read is sent once more; a write is not, and its outcome is unknown.
//!
//! `cargo run -p perennial-transport --example lost_answer`

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial_transport::{Call, Deadline, Delivery, Exchange, Kind, RetryClass, Sender, TransportError};

/// A gateway that performs every request, and whose first response is lost.
#[derive(Default)]
struct Lossy {
    requests: AtomicU32,
}

#[async_trait]
impl Exchange for Lossy {
    async fn exchange(
        &self,
        _request: Request<Bytes>,
        _deadline: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        match self.requests.fetch_add(1, Ordering::Relaxed) {
            0 => Err(TransportError::new(Kind::Closed)),
            _ => Ok(Response::new("done".into())),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for retry_class in [RetryClass::Safe, RetryClass::Never] {
        let gateway = Arc::new(Lossy::default());
        let sender = Sender::new(gateway.clone());
        let call = Call {
            request: Request::post("https://gateway.example/plans").body(Bytes::new())?,
            route: "/plans",
            retry_class,
            is_own: |answer| answer.body() == "done",
            deadline: sender.deadline_in(Duration::from_secs(30)),
        };
        match (retry_class, sender.send(call).await) {
            (RetryClass::Safe, Ok(answer)) => {
                println!("{retry_class:?}: answered at attempt {}", answer.attempts());
                assert_eq!(answer.attempts(), 2);
            }
            (RetryClass::Never, Err(error)) => {
                println!("{retry_class:?}: {error}");
                assert_eq!((error.delivery(), error.attempts()), (Delivery::MaybeSent, 1));
            }
            (retry_class, _) => return Err(format!("{retry_class:?} ended otherwise").into()),
        }
    }
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
