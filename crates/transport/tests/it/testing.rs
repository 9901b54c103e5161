//! The exchanges that ship for users' tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use perennial_transport::testing::{Cassette, ManualTime, Recording, Replaying, Scripted};
use perennial_transport::{Deadline, Exchange, Kind, Redactor, Time, TransportError};

fn deadline() -> Deadline {
    Deadline::after(Instant::now(), Duration::from_secs(10))
}

fn get(target: &str) -> Request<Bytes> {
    Request::get(format!("https://gateway.example{target}")).body(Bytes::new()).unwrap()
}

fn says(body: &'static str) -> Response<Bytes> {
    Response::new(body.into())
}

#[tokio::test]
async fn a_recording_replays_from_its_file() {
    let gateway = Scripted::new([
        Ok(says("one")),
        Ok(says("two")),
        Err(TransportError::new(Kind::Closed)),
        Ok(says("three")),
    ]);
    let recording = Recording::new(gateway, Redactor::new());
    for target in ["/a?page=1", "/b", "/b", "/a?page=1"] {
        let _ = recording.exchange(get(target), deadline()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cassette.json");
    recording.cassette().save(&file).unwrap();

    let replaying = Replaying::new(Cassette::load(&file).unwrap());
    for (target, body) in [("/a?page=1", "one"), ("/a?page=1", "three")] {
        assert_eq!(replaying.exchange(get(target), deadline()).await.unwrap().body(), body, "{target}");
    }
    assert_eq!(replaying.unused(), ["GET /b"]);
}

#[tokio::test]
#[should_panic(expected = "recorded and not asked for: GET /a")]
async fn an_unused_answer_fails_the_test() {
    let recording = Recording::new(Scripted::new([Ok(says("one"))]), Redactor::new());
    recording.exchange(get("/a"), deadline()).await.unwrap();
    Replaying::new(recording.cassette()).assert_all_used();
}

#[tokio::test]
async fn an_unrecorded_call_is_named() {
    let recording = Recording::new(Scripted::new([Ok(says("one"))]), Redactor::new());
    recording.exchange(get("/a?page=1"), deadline()).await.unwrap();
    for (request, name) in [
        (get("/a?page=2"), "GET /a?page=2"),
        (get("/a"), "GET /a"),
        (Request::delete("https://gateway.example/a?page=1").body(Bytes::new()).unwrap(), "DELETE /a?page=1"),
    ] {
        let replaying = Replaying::new(recording.cassette());
        let error = replaying.exchange(request, deadline()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unrecorded);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, format!("no recorded response is left for {name}"));
    }
}

#[test]
fn a_cassette_that_cannot_be_played_is_refused() {
    for json in [
        "",
        "[]",
        r#"{"exchanges":[{}]}"#,
        r#"{"exchanges":[],"more":1}"#,
        r#"{"exchanges":[{"asked":{"call":"GET /","headers":[],"body":""},"answered":{"status":99,"headers":[],"body":""}}]}"#,
        r#"{"exchanges":[{"asked":{"call":"GET /","headers":[],"body":""},"answered":{"status":200,"headers":[["a b",""]],"body":""}}]}"#,
        r#"{"exchanges":[{"asked":{"call":"GET /","headers":[],"body":""},"answered":{"status":200,"headers":[["a","\n"]],"body":""}}]}"#,
    ] {
        assert!(Cassette::from_json(json).is_err(), "{json}");
    }
}

#[tokio::test]
async fn a_manual_clock_wakes_who_has_slept_enough() {
    let time = Arc::new(ManualTime::new());
    let sleeper = |seconds| {
        let time = time.clone();
        tokio::spawn(async move { time.sleep(Duration::from_secs(seconds)).await })
    };
    let (short, long) = (sleeper(5), sleeper(60));
    tokio::task::yield_now().await;
    time.advance(Duration::from_secs(5));
    short.await.unwrap();
    assert!(!long.is_finished());
    time.advance(Duration::from_secs(55));
    long.await.unwrap();
}
