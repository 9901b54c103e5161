//! Changes to one object are sent in call order, through all clones of a client; changes to other objects do not wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, Response};
use perennial::clearent::{ApiKey, CustomerKey, CustomerUpdate};
use perennial::transport::{Deadline, Exchange, TransportError};
use perennial::{Clearent, Environment, Format};
use perennial_wire::clearent::Payload;
use tokio::task::yield_now;

use crate::gateway::{KEY, replies};
use crate::operations::customer;

/// An exchange that takes time and counts the simultaneous calls.
#[derive(Default)]
struct Busy {
    under_way: Mutex<HashMap<String, usize>>,
    most_at_once: Mutex<usize>,
    done: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl Exchange for Busy {
    async fn exchange(
        &self,
        request: Request<Bytes>,
        _: Deadline,
    ) -> Result<Response<Bytes>, TransportError> {
        let path = request.uri().path().to_owned();
        if request.method() == Method::GET {
            return replies(Format::Json, 204, Payload::Empty);
        }
        {
            let mut under_way = self.under_way.lock().unwrap();
            let here = under_way.entry(path.clone()).or_default();
            *here += 1;
            assert_eq!(*here, 1, "two changes of {path} at once");
            let all: usize = under_way.values().sum();
            let mut most = self.most_at_once.lock().unwrap();
            *most = all.max(*most);
        }
        for _ in 0..5 {
            yield_now().await;
        }
        self.under_way.lock().unwrap().insert(path.clone(), 0);
        let what = format!("{} {}", request.method(), String::from_utf8_lossy(request.body()));
        self.done.lock().unwrap().push((path.clone(), what));
        let customer_key = path.rsplit('/').next().unwrap().parse().unwrap();
        replies(
            Format::Json,
            200,
            Payload::Customer(perennial::clearent::Customer { customer_key, ..customer() }.into()),
        )
    }
}

/// Holds: Changes to one object leave in the order of the calls.
#[tokio::test]
async fn changes_to_one_object_leave_in_call_order() {
    let busy = Arc::new(Busy::default());
    let client = Clearent::builder(ApiKey::new(KEY).unwrap())
        .environment(Environment::Sandbox)
        .exchange(busy.clone())
        .build()
        .unwrap();
    let keys: Vec<CustomerKey> = (0..3).map(|n| format!("cust_{n}").parse().unwrap()).collect();
    let updates = (0..30).map(|n| {
        let (client, key) = (client.clone(), keys[n % 3].clone());
        async move {
            if n >= 27 {
                client.customers().delete(&key).await.map(drop)
            } else {
                let update = CustomerUpdate::builder().comments(format!("change {n}")).build().unwrap();
                client.customers().update(&key, &update).await.map(drop)
            }
        }
    });
    for outcome in join_all(updates).await {
        outcome.unwrap();
    }

    let done = busy.done.lock().unwrap();
    for (index, key) in keys.iter().enumerate() {
        let of_key = |(path, _): &&(String, String)| path.ends_with(key.as_str());
        let changes: Vec<&str> = done.iter().filter(of_key).map(|(_, what)| what.as_str()).collect();
        let comments = (0..9).map(|n| format!(r#"PUT {{"comments":"change {}"}}"#, index + n * 3));
        let expected: Vec<String> = comments.chain(["DELETE ".to_owned()]).collect();
        assert_eq!(changes, expected);
    }
    assert_eq!(*busy.most_at_once.lock().unwrap(), 3, "one of each object at once");
}
