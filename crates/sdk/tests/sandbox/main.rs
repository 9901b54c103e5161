//! Every operation with the sandbox, over HTTP on loopback, in both formats.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, helpers included")]

mod clientpay;
mod faults;
mod invoices;
mod lists;
mod look_up;
mod one_time_tokens;
mod test_sale;
mod webhook;

use perennial::clearent::*;
use perennial::transport::{HyperExchange, ReqwestExchange};
use perennial::{
    Amount, BaseUrl, CardBrand, Clearent, ClearentBuilder, ErrorKind, Format, Response, blocking,
};
use perennial_sandbox::Sandbox;

const FORMATS: [Format; 2] = [Format::Json, Format::Xml];

/// A sandbox whose clock is stopped at 2027-01-01T00:00:00Z, and a client of it.
async fn start(format: Format) -> (Sandbox, Clearent) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox, sandbox.api_key().expose(), format);
    (sandbox, client)
}

/// The builder of a client for the sandbox's default world.
fn builder(sandbox: &Sandbox, format: Format) -> ClearentBuilder {
    keyed(sandbox, sandbox.api_key().expose(), format)
}

fn client(sandbox: &Sandbox, key: &str, format: Format) -> Clearent {
    keyed(sandbox, key, format).build().unwrap()
}

/// The builder of a client with this key, which speaks JSON over reqwest and XML over hyper.
fn keyed(sandbox: &Sandbox, key: &str, format: Format) -> ClearentBuilder {
    let builder = Clearent::builder(ApiKey::new(key).unwrap())
        .environment(sandbox.base_url().parse::<BaseUrl>().unwrap())
        .format(format);
    match format {
        Format::Json => builder.exchange(ReqwestExchange::builder().build().unwrap()),
        Format::Xml => builder.exchange(HyperExchange::builder().build().unwrap()),
    }
}

async fn customer(client: &Clearent, first_name: &str) -> Response<Customer> {
    let new = NewCustomer::builder().first_name(first_name).last_name("Byron").email("ada@example.test");
    client.customers().create(&new.build().unwrap()).await.unwrap()
}

async fn token(client: &Clearent, customer: &CustomerKey) -> TokenId {
    let new = NewToken::builder().card("4111 1111 1111 1111").exp_date("1230").csc("999");
    let new = new.description("business card").customer_key(customer).build().unwrap();
    client.tokens().create(new).await.unwrap().into_value().token_id.unwrap()
}

async fn plan(
    client: &Clearent,
    customer: &CustomerKey,
    token: &TokenId,
    status: PlanStatus,
) -> Response<Plan> {
    let new = NewPlan::builder()
        .plan_name("Gold membership")
        .customer_key(customer)
        .token_id(token)
        .monthly_on(15)
        .payment_amount("50.00")
        .start_date("2027-01-01")
        .end_date("2027-12-31")
        .status(status)
        .build()
        .unwrap();
    client.plans().create(&new).await.unwrap()
}

#[tokio::test]
async fn customers() {
    for format in FORMATS {
        let (_sandbox, client) = start(format).await;
        let ada = customer(&client, "Ada").await;
        assert_eq!((ada.status(), ada.payload_type(), ada.attempts()), (201, Some("customer"), 1));
        assert!(ada.exchange_id().is_some_and(|id| id.starts_with("ID-clearent-rps-1-")));
        assert_eq!(client.customers().get(&ada.customer_key).await.unwrap().email, ada.email);

        let update = CustomerUpdate::builder().comments("prefers <mornings> & tea").build().unwrap();
        let updated = client.customers().update(&ada.customer_key, &update).await.unwrap();
        assert_eq!(updated.comments.as_deref(), Some("prefers <mornings> & tea"));

        for name in ["Bertha", "Charles", "Dora"] {
            customer(&client, name).await;
        }
        let paging = Paging { page_size: Some(3), ..Paging::default() };
        let search = CustomerSearch { last_name: Some("Byron".into()), paging, ..CustomerSearch::default() };
        let mut pages = client.customers().search(&search).pages();
        let first = pages.next_page().await.unwrap().unwrap();
        let told = first.page().unwrap();
        assert_eq!(
            (first.len(), told.number, told.total_elements, told.total_pages),
            (3, Some(1), Some(4), Some(2))
        );
        assert_eq!(client.customers().search(&search).collect_all().await.unwrap().len(), 4);

        let gone = client.customers().delete(&ada.customer_key).await.unwrap();
        assert_eq!(gone.as_ref().map(|gone| &gone.customer_key), Some(&ada.customer_key));
        assert!(client.customers().get(&ada.customer_key).await.unwrap_err().is_not_found());
        assert!(client.customers().delete(&ada.customer_key).await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn tokens_and_whose_they_are() {
    for format in FORMATS {
        let (_sandbox, client) = start(format).await;
        let (ada, bertha) = (customer(&client, "Ada").await, customer(&client, "Bertha").await);
        let id = token(&client, &ada.customer_key).await;
        let found = client.tokens().get(&id).await.unwrap();
        assert_eq!(found.card_type, Some(CardBrand::VISA));
        assert_eq!(found.last_four_digits.as_deref(), Some("1111"));

        let update = TokenUpdate::builder().description("travel card").build().unwrap();
        client.tokens().update(&id, &update).await.unwrap();
        assert_eq!(client.tokens().get(&id).await.unwrap().description.as_deref(), Some("travel card"));
        let search = TokenSearch { token_id: Some(id.clone()), ..TokenSearch::default() };
        assert_eq!(client.tokens().search(&search).collect_all().await.unwrap().len(), 1);

        let attach = NewCustomerToken::builder().token_id(&id).exp_date("1230").card_type(CardBrand::VISA);
        let attach = attach.last_four_digits("1111").is_default(true).build().unwrap();
        let attached = client.customers().tokens(&bertha.customer_key).attach(&attach).await.unwrap();
        assert_eq!(attached.token_id, id);
        let update = CustomerTokenUpdate::builder().token_id(&id).is_default(false).build().unwrap();
        client.customers().tokens(&bertha.customer_key).update(&update).await.unwrap();
        let attached = client.customers().tokens(&bertha.customer_key).list().await.unwrap();
        assert_eq!(
            (attached.len(), attached[0].is_default.as_ref().and_then(perennial::Reported::value)),
            (1, Some(false))
        );

        client.tokens().delete(&id).await.unwrap();
        let gone = client.tokens().get(&id).await;
        assert!(
            gone.map_or_else(
                |error| error.is_not_found(),
                |token| token.status == Some(TokenStatus::DELETED)
            )
        );
    }
}

#[tokio::test]
async fn a_plan_charges_and_ends() {
    for format in FORMATS {
        let (sandbox, client) = start(format).await;
        let ada = customer(&client, "Ada").await.into_value().customer_key;
        let card = token(&client, &ada).await;
        let gold = plan(&client, &ada, &card, PlanStatus::ACTIVE).await;
        let (key, schedule) = (gold.plan_key.clone(), gold.schedule().unwrap());

        let runs = client.plans().expected_runs(&key).await.unwrap();
        assert!(runs.iter().map(|run| run.date.naive()).eq(schedule));
        let forecast = PlanForecast::builder().start_date("2027-01-01").end_date("2027-12-31").monthly_on(15);
        let days = client.plans().forecast(&forecast.build().unwrap()).await.unwrap();
        assert_eq!(days.into_value(), runs.iter().map(|run| run.date).collect::<Vec<_>>());

        for _ in 0..3 {
            assert_eq!(sandbox.advance("P1M").await.unwrap().approved, 1);
        }
        let search = PaymentSearch { plan_key: Some(key.clone()), ..PaymentSearch::default() };
        let payments = client.payments().list(&search).collect_all().await.unwrap();
        let total: perennial::Total = payments.iter().filter_map(|payment| payment.payment_amount).sum();
        assert_eq!((payments.len(), total), (3, "150.00".parse().unwrap()));
        let search = TransactionSearch { order_id: Some(key.to_string()), ..TransactionSearch::default() };
        let made = client.transactions().search(&search).collect_all().await.unwrap();
        assert!(made.len() == 3 && made.iter().all(|made| made.plan_key().as_ref() == Some(&key)));

        let refused = client.customers().delete(&ada).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().obstacles(), [Obstacle::Plans(1), Obstacle::Payments(3)]);
        let refused = client.plans().delete(&key).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().obstacles(), [Obstacle::ActivePlan, Obstacle::Payments(3)]);

        let update = PlanUpdate::builder().payment_amount("75.00").build().unwrap();
        let updated = client.plans().update(&key, &update).await.unwrap();
        assert_eq!(updated.payment_amount, Some("75.00".parse().unwrap()));
        assert_eq!(client.plans().suspend(&key).await.unwrap().status, Some(PlanStatus::SUSPENDED));
        assert_eq!(sandbox.advance("P1M").await.unwrap().fired, 0);
        assert_eq!(client.plans().activate(&key).await.unwrap().status, Some(PlanStatus::ACTIVE));
        assert_eq!(client.plans().cancel(&key).await.unwrap().status, Some(PlanStatus::CANCELED));
        let refused = client.plans().activate(&key).await.unwrap_err();
        assert!(refused.is_invalid_request() && refused.violations().is_some(), "{refused:?}");
        let search = PlanSearch { status: Some(PlanStatus::CANCELED), ..PlanSearch::default() };
        assert_eq!(client.plans().search(&search).collect_all().await.unwrap()[0].plan_key, key);

        let unused = plan(&client, &ada, &card, PlanStatus::SUSPENDED).await;
        client.plans().delete(&unused.plan_key).await.unwrap();
        assert!(client.plans().get(&unused.plan_key).await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn transactions_and_declines() {
    for format in FORMATS {
        let (_sandbox, client) = start(format).await;
        let ada = customer(&client, "Ada").await.into_value().customer_key;
        let card = token(&client, &ada).await;
        let charge = |amount: &str| {
            let builder = Charge::builder().amount(amount).card(&card).exp_date("1230").invoice("inv-1");
            builder.order_id("order-1").build().unwrap()
        };
        let id = |made: &Transaction| made.id.clone().unwrap();

        let sold = client.transactions().sale(&charge("25.00")).await.unwrap();
        assert!(sold.is_approved());
        let found = client.transactions().get(&id(&sold)).await.unwrap();
        assert_eq!((found.amount, found.invoice.as_deref()), (sold.amount, Some("inv-1")));
        let refund = Refund::builder().id(id(&sold)).amount("10.00").build().unwrap();
        assert!(client.transactions().refund(&refund).await.unwrap().is_approved());
        let lost = TransactionSearch {
            transaction_type: Some(TransactionType::REFUND),
            amount: Some("10.00".parse().unwrap()),
            ..TransactionSearch::default()
        };
        let found = client.transactions().search(&lost).collect_all().await.unwrap();
        assert_eq!((found.len(), &found[0].ref_id), (1, &sold.id));

        let reserved = client.transactions().auth(&charge("40.00")).await.unwrap();
        let capture = Capture::builder().id(id(&reserved)).amount("40.00").build().unwrap();
        assert!(client.transactions().capture(&capture).await.unwrap().is_approved());
        let sold = client.transactions().sale(&charge("30.00")).await.unwrap();
        assert!(client.transactions().void(&Void { id: id(&sold) }).await.unwrap().is_approved());

        let declined = client.transactions().sale(&charge("0.21")).await.unwrap();
        assert_eq!((declined.status(), declined.decline().unwrap().code.as_deref()), (402, Some("012")));
        let search = TransactionSearch { invoice: Some("inv-1".into()), ..TransactionSearch::default() };
        assert!(client.transactions().search(&search).collect_all().await.unwrap().len() >= 4);

        let with_token = Charge::builder().amount("25.00").card("5555 5555 5555 4444").exp_date("1230");
        let sold = client.transactions().sale(&with_token.create_token(true).build().unwrap()).await.unwrap();
        assert_eq!(sold.token.as_ref().unwrap().last_four_digits.as_deref(), Some("4444"));
        let check = Charge::builder().amount(Amount::ZERO).card("4111111111111111").exp_date("1230");
        let checked = client.transactions().auth(&check.create_token(true).build().unwrap()).await.unwrap();
        assert!(checked.is_approved() && checked.token.is_some());
    }
}

#[tokio::test]
async fn batches_are_looked_at_and_settled() {
    for format in FORMATS {
        let (_sandbox, client) = start(format).await;
        assert!(client.batches().open().await.unwrap().is_none());
        let none = client.batches().settle(&Settlement::builder().build().unwrap()).await.unwrap_err();
        assert_eq!((none.kind(), none.result_code()), (ErrorKind::Refused, Some("040")));

        let charge = |amount: &str| {
            Charge::builder().amount(amount).card("4111111111111111").exp_date("1230").build().unwrap()
        };
        let sold = client.transactions().sale(&charge("25.00")).await.unwrap();
        let seen = client.batches().open().await.unwrap().into_value().unwrap();
        assert_eq!((seen.status.as_ref(), seen.total_count), (Some(&BatchStatus::OPEN), Some(1)));
        let id = sold.id.clone().unwrap();
        let tip = TransactionUpdate::builder().tip_amount("5.00").build().unwrap();
        assert_eq!(client.transactions().update(&id, &tip).await.unwrap().tip_amount, "5.00".parse().ok());

        // Transactions that were added after the batch was read are not settled.
        let refused = client.batches().settle(&Settlement::of(&seen)).await.unwrap_err();
        assert_eq!((refused.kind(), refused.result_code()), (ErrorKind::Refused, Some("038")));
        let seen = client.batches().open().await.unwrap().into_value().unwrap();
        assert_eq!(seen.net_amount, "30.00".parse().ok());
        let settled = client.batches().settle(&Settlement::of(&seen)).await.unwrap();
        assert_eq!(settled.status, Some(BatchStatus::CLOSED));
        assert!(client.transactions().void(&Void { id }).await.unwrap_err().is_refused());

        client.transactions().sale(&charge("1.00")).await.unwrap();
        let all = client.batches().list(&BatchSearch::default()).collect_all().await.unwrap();
        let net: Vec<String> = all.iter().filter_map(|batch| Some(batch.net_amount?.to_string())).collect();
        assert_eq!(net, ["1.00", "30.00"]);
        let search = BatchSearch { status: Some(BatchStatus::CLOSED), ..BatchSearch::default() };
        assert_eq!(client.batches().list(&search).collect_all().await.unwrap(), [settled.into_value()]);
    }
}

/// Holds: The facade tells a charge that the gateway takes for a duplicate from a new charge.
#[tokio::test]
async fn a_duplicate_is_told_from_a_charge() {
    for format in FORMATS {
        let (_sandbox, client) = start(format).await;
        let charge = |order: &str| {
            let builder = Charge::builder().amount("25.00").card("4111111111111111").exp_date("1230");
            builder.invoice("inv-1").check_field("invoice").order_id(order).build().unwrap()
        };
        let first = client.transactions().sale(&charge("order-1")).await.unwrap();
        assert!(first.is_approved() && !first.is_duplicate());
        let again = client.transactions().sale(&charge("order-2")).await.unwrap();
        assert!(again.is_approved() && again.is_duplicate());
        assert_eq!((&again.id, again.order_id.as_deref()), (&first.id, Some("order-1")));
        let search = TransactionSearch { invoice: Some("inv-1".into()), ..TransactionSearch::default() };
        assert_eq!(client.transactions().search(&search).collect_all().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_refused_is_told_and_changes_nothing() {
    for format in FORMATS {
        let (sandbox, client) = start(format).await;
        let unknown: CustomerKey = "cust_unknown".parse().unwrap();
        let error = client.customers().get(&unknown).await.unwrap_err();
        assert!(error.is_not_found() && error.exchange_id().is_some() && error.gateway_message().is_some());

        let new =
            NewToken::builder().card("4111111111111111").exp_date("1230").csc("999").description("card");
        let error = client.tokens().create(new.customer_key(&unknown).build().unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.result_code()), (ErrorKind::Refused, Some("041")));
        assert!(client.tokens().search(&TokenSearch::default()).next().await.is_none());

        // A key that begins with letters beyond `f` opens no world.
        let stranger = self::client(&sandbox, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", format);
        let error = stranger.customers().get(&unknown).await.unwrap_err();
        assert!(error.is_unauthorized() && error.result_code() == Some("042"));
    }
}

#[tokio::test]
async fn nobody_listens() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox, sandbox.api_key().expose(), Format::Json);
    sandbox.stop().await;
    let new = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
    let error = client.customers().create(&new).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 3));
}

#[test]
fn without_async() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_sandbox, client) = runtime.block_on(start(Format::Json));
    let client = blocking::Clearent::new(client).unwrap();
    let new = NewCustomer::builder().first_name("Ada").last_name("Byron").build().unwrap();
    let ada = client.customers().create(&new).unwrap();
    let found: Vec<Customer> =
        client.customers().search(&CustomerSearch::default()).collect::<Result<_, _>>().unwrap();
    assert_eq!(found[0].customer_key, ada.customer_key);
    let looked_up = client.look_up(&Lookup::Customer(ada.customer_key.clone())).unwrap();
    assert_eq!(looked_up, Found::Customers(vec![(*ada).clone()]));
    client.customers().delete(&ada.customer_key).unwrap();
    assert!(client.look_up(&Lookup::Customer(ada.customer_key.clone())).unwrap().is_empty());
}
