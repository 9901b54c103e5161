//! The blocking client: the same results, and an error inside a runtime.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use perennial::clearent::{ApiKey, CustomerSearch, NewCustomer};
use perennial::{BaseUrl, Clearent, ErrorKind, Format, blocking};
use perennial_wire::clearent::Payload;

use crate::gateway::{Gateway, KEY, replies};
use crate::operations::{customer, customer_key, new_customer, new_token, plan_key, right, token_id};

fn client() -> blocking::Clearent {
    let gateway = Gateway::new(|_, request| right(Format::Json, request));
    blocking::Clearent::new(gateway.client(Format::Json)).unwrap()
}

#[test]
fn operations_block() {
    let client = client();
    assert_eq!(client.customers().create(&new_customer()).unwrap().customer_key, customer_key());
    assert_eq!(client.tokens().create(new_token()).unwrap().token_id, Some(token_id()));
    assert_eq!(client.plans().cancel(&plan_key()).unwrap().plan_key, plan_key());
    let key = customer_key();
    assert_eq!(client.customers().tokens(&key).list().unwrap().len(), 1);

    let search = || client.customers().search(&CustomerSearch::default());
    let found: Result<Vec<_>, _> = search().collect();
    assert_eq!(found.unwrap(), [customer()]);
    assert_eq!(search().pages().next().unwrap().unwrap().page().unwrap().total_elements, Some(1));
}

#[test]
fn threads_share_a_client() {
    let client = client();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(client.customers().get(&customer_key()).is_ok()));
        }
    });
}

/// Reads a request with a flat JSON object as its body, and responds with a customer and keep-alive.
fn answer(connection: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut part = [0; 4096];
        let read = connection.read(&mut part).unwrap();
        assert_ne!(read, 0, "a whole request");
        request.extend_from_slice(&part[..read]);
    }
    let body = replies(Format::Json, 201, Payload::Customer(customer().into())).unwrap().into_body();
    let head = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nconnection: keep-alive";
    write!(connection, "{head}\r\ncontent-length: {}\r\n\r\n", body.len()).unwrap();
    connection.write_all(&body).unwrap();
}

#[test]
fn a_connection_that_closed_between_two_calls_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url: BaseUrl = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (call_over, between_calls) = mpsc::channel();
    let (client_closed, both_closed) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            answer(&mut connection);
            between_calls.recv().unwrap();
            connection.shutdown(Shutdown::Write).unwrap();
            // The client closes its half when it notices the end, unless its runtime has stopped.
            client_closed.send(connection.read(&mut [0]).ok()).unwrap();
        }
    });

    let client = Clearent::builder(ApiKey::new(KEY).unwrap()).environment(url).build().unwrap();
    let client = blocking::Clearent::new(client).unwrap();
    let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
    for _ in 0..2 {
        let created = client.customers().create(&ada).unwrap();
        assert_eq!((&created.customer_key, created.attempts()), (&customer_key(), 1));
        call_over.send(()).unwrap();
        assert_eq!(both_closed.recv().unwrap(), Some(0));
    }
}

#[tokio::test]
async fn a_runtime_is_not_stopped() {
    let client = client();
    let error = client.customers().get(&customer_key()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let all: Vec<_> = client.customers().search(&CustomerSearch::default()).collect();
    assert_eq!(all.len(), 1, "a list that cannot be read ends");
    assert_eq!(all[0].as_ref().unwrap_err().kind(), ErrorKind::Configuration);
}
