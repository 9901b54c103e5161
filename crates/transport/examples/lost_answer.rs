//! This crate alone: an answer is lost on its way. A read is sent once more; a write is not, and is told as unknown.
//!
//! `cargo run -p perennial-transport --example lost_answer`

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use perennial_transport::{Call, Deadline, Delivery, Exchange, Kind, Replay, Sender, TransportError};

/// A gateway that acts on every request, and whose first answer is lost.
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
    for replay in [Replay::Safe, Replay::Never] {
        let gateway = Arc::new(Lossy::default());
        let sender = Sender::new(gateway.clone());
        let call = Call {
            request: Request::post("https://gateway.example/plans").body(Bytes::new())?,
            route: "/plans",
            replay,
            is_own: |answer| answer.body() == "done",
            deadline: sender.deadline_in(Duration::from_secs(30)),
        };
        match (replay, sender.send(call).await) {
            (Replay::Safe, Ok(answer)) => {
                println!("{replay:?}: answered at attempt {}", answer.attempts());
                assert_eq!(answer.attempts(), 2);
            }
            (Replay::Never, Err(error)) => {
                println!("{replay:?}: {error}");
                assert_eq!((error.delivery(), error.attempts()), (Delivery::MaybeSent, 1));
            }
            (replay, _) => return Err(format!("{replay:?} ended otherwise").into()),
        }
    }
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
