//! The lookup in an error finds the object, in either format and without async.

use perennial::clearent::*;
use perennial_sandbox::{Effect, Fault};

use super::{FORMATS, customer, plan, start, token};

/// The kind and the number of the found objects.
fn told(found: &Found) -> (&'static str, usize) {
    match found {
        Found::Customers(found) => ("customers", found.len()),
        Found::Tokens(found) => ("tokens", found.len()),
        Found::CustomerTokens(found) => ("customer-tokens", found.len()),
        Found::Plans(found) => ("plans", found.len()),
        Found::Transactions(found) => ("transactions", found.len()),
        Found::Invoice(status) => ("invoice", usize::from(matches!(**status, InvoiceStatus::Paid(_)))),
        Found::Batches(found) => ("batches", found.len()),
        _ => panic!("{found:?}"),
    }
}

#[tokio::test]
async fn every_look_up_is_run() {
    for format in FORMATS {
        let (_sandbox, client) = start(format).await;
        let (ada, bertha) = (customer(&client, "Ada").await, customer(&client, "Bertha").await);
        let id = token(&client, &ada.customer_key).await;
        let gold = plan(&client, &ada.customer_key, &id, PlanStatus::ACTIVE).await;
        let sell = async |order: &str| {
            let sale =
                Charge::builder().amount("25.00").card(&id).exp_date("1230").order_id(order).invoice(order);
            client.transactions().sale(&sale.build().unwrap()).await.unwrap().transaction.id.clone().unwrap()
        };
        let (sold, other) = (sell("INV-7").await, sell("INV-8").await);
        for of in [&sold, &other] {
            let refund = Refund::builder().id(of.clone()).amount("5.00").build().unwrap();
            client.transactions().refund(&refund).await.unwrap();
        }

        let nobody = CustomerKey::try_from("cust_nobody").unwrap();
        let first_name = |name: &str| CustomerSearch { first_name: Some(name.into()), ..Default::default() };
        let refunds = TransactionSearch {
            transaction_type: Some(TransactionType::REFUND),
            ..TransactionSearch::default()
        };
        let number = |number: &str| Reference::try_from(number).unwrap();
        for (lookup, expected) in [
            (Lookup::Customer(ada.customer_key.clone()), ("customers", 1)),
            (Lookup::Customer(nobody.clone()), ("customers", 0)),
            (Lookup::Customers(first_name("Ada")), ("customers", 1)),
            (Lookup::Customers(first_name("Zoe")), ("customers", 0)),
            (Lookup::Token(id.clone()), ("tokens", 1)),
            (Lookup::Token("1100000000000000000".try_into().unwrap()), ("tokens", 0)),
            (Lookup::Tokens(TokenSearch::default()), ("tokens", 1)),
            (Lookup::CustomerTokens(ada.customer_key.clone()), ("customer-tokens", 1)),
            (Lookup::CustomerTokens(bertha.customer_key.clone()), ("customer-tokens", 0)),
            (Lookup::Plan(gold.plan_key.clone()), ("plans", 1)),
            (Lookup::Plan("plan_none".try_into().unwrap()), ("plans", 0)),
            (Lookup::Plans(PlanSearch::default()), ("plans", 1)),
            (Lookup::Transaction(sold.clone()), ("transactions", 1)),
            (Lookup::Transaction("999999999".try_into().unwrap()), ("transactions", 0)),
            (Lookup::Transactions(refunds.clone()), ("transactions", 2)),
            (Lookup::FollowUps { of: sold.clone(), search: refunds }, ("transactions", 1)),
            (Lookup::Invoice(number("INV-7")), ("invoice", 1)),
            (Lookup::Invoice(number("INV-9")), ("invoice", 0)),
            (Lookup::Batches(BatchSearch::default()), ("batches", 1)),
        ] {
            let found = client.look_up(&lookup).await.unwrap();
            assert_eq!(told(&found), expected, "{format:?} {lookup:?}");
            assert_eq!(found.is_empty(), expected.1 == 0, "{format:?} {lookup:?}");
        }
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_found_by_its_error() {
    for format in FORMATS {
        let (sandbox, client) = start(format).await;
        sandbox.fault(&Fault::on("customers.create", Effect::DropReply).nth(1)).await.unwrap();
        let ada = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
        let error = client.customers().create(&ada).await.unwrap_err();
        let Found::Customers(found) = client.look_up(error.lookup().unwrap()).await.unwrap() else {
            panic!("a customer is looked for among customers")
        };
        assert_eq!(found.len(), 1);
    }
}

#[tokio::test]
async fn a_look_up_that_is_not_answered_is_an_error_and_no_empty_list() {
    let (sandbox, client) = start(FORMATS[0]).await;
    let ada = customer(&client, "Ada").await;
    let effect = Effect::ErrorBefore { status: 403 };
    sandbox.fault(&Fault::on("customers.get", effect)).await.unwrap();
    let error = client.look_up(&Lookup::Customer(ada.customer_key.clone())).await.unwrap_err();
    assert!(!error.is_not_found(), "{error}");
}
