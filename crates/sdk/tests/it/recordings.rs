//! A recording that is made once and replayed, as in users' own tests.

use std::sync::Arc;

use perennial::transport::Redactor;
use perennial::transport::testing::{Cassette, Recording, Replaying};
use perennial::{Clearent, Format};

use crate::gateway::{CARD, CSC, Gateway, KEY};
use crate::operations::{OPERATIONS, right};

#[tokio::test]
async fn every_operation_can_be_recorded_and_replayed() {
    for format in [Format::Json, Format::Xml] {
        let gateway = Gateway::new(move |_, request| right(format, request));
        let recording = Arc::new(Recording::new(gateway.clone(), Redactor::new().secret(KEY)));
        do_everything(gateway.builder().exchange(recording.clone()).format(format).build().unwrap()).await;

        let json = recording.cassette().to_json().unwrap();
        assert!([KEY, CARD, CSC].iter().all(|secret| !json.contains(secret)));
        let replaying = Arc::new(Replaying::new(Cassette::from_json(&json).unwrap()));
        do_everything(gateway.builder().exchange(replaying.clone()).format(format).build().unwrap()).await;
        replaying.assert_all_used();
    }
}

async fn do_everything(client: Clearent) {
    for operation in OPERATIONS {
        let outcome = (operation.run)(client.clone()).await;
        assert!(outcome.is_ok(), "{}: {outcome:?}", operation.name);
    }
}
