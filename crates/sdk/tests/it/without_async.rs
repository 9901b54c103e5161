//! The blocking client: the same answers, and an error instead of a stopped runtime.

use perennial::clearent::CustomerSearch;
use perennial::{ErrorKind, Format, blocking};

use crate::gateway::Gateway;
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

#[tokio::test]
async fn a_runtime_is_not_stopped() {
    let client = client();
    let error = client.customers().get(&customer_key()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let all: Vec<_> = client.customers().search(&CustomerSearch::default()).collect();
    assert_eq!(all.len(), 1, "a list that cannot be read ends");
    assert_eq!(all[0].as_ref().unwrap_err().kind(), ErrorKind::Configuration);
}
