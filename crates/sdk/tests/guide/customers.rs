//! The chapter on customers.

use perennial::clearent::{Address, Customer, CustomerSearch, CustomerStatus, CustomerUpdate, NewCustomer};
use perennial::{Clearent, Error, Response};

use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { client, .. }: Wire) -> Outcome {
    let ada = create(&client).await?;
    assert_eq!(ada.status(), 201);

    let key = &ada.customer_key;
    let update = CustomerUpdate::builder().comments("prefers mornings").build()?;
    client.customers().update(key, &update).await?;

    assert_eq!(client.customers().get(key).await?.comments.as_deref(), Some("prefers mornings"));
    assert_eq!(emails(&client).await?, ["ada@example.com"]);

    let update = CustomerUpdate::builder().status(CustomerStatus::INACTIVE).build()?;
    client.customers().update(key, &update).await?;
    client.customers().delete(key).await?;
    Ok(())
}

async fn create(client: &Clearent) -> Result<Response<Customer>, Error> {
    let ada = NewCustomer::builder()
        .first_name("Ada")
        .last_name("Byron")
        .email("ada@example.com")
        .billing_address(Address::builder().street("1 Loom Street").city("St Louis").state("MO"))
        .build()?;
    client.customers().create(&ada).await
}

async fn emails(client: &Clearent) -> Result<Vec<String>, Error> {
    let search = CustomerSearch { last_name: Some("Byron".into()), ..CustomerSearch::default() };
    let mut found = client.customers().search(&search);
    let mut emails = Vec::new();
    while let Some(customer) = found.next().await.transpose()? {
        emails.extend(customer.email);
    }
    Ok(emails)
}
