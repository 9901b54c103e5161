//! Customers: the people whom plans charge.

use perennial_domain::clearent::{Customer, CustomerKey, check_customer_deletion};
use perennial_wire::clearent::{Payload, customer};

use super::answer::{Answer, CallError, Refused, Site};
use super::{Call, Handled, LIMITS, act};
use crate::store::session::Session;

pub(super) fn create(call: &mut Call<'_>) -> Handled {
    let new = customer::read_create(call.format, call.body, &LIMITS)?;
    act(move |session, site| {
        if let Some(key) = new.fields().customer_key
            && session.gateway.own_customer_keys
            && session.customer(key)?.is_some()
        {
            return Err(Refused::business("041", "customer-key: another customer has this key").into());
        }
        let customer = session.create_customer(&new)?;
        let link = site.customer("self", &customer.customer_key);
        Ok(Answer::created(payload(customer, site)).with_link(link))
    })
}

pub(super) fn get(call: &mut Call<'_>) -> Handled {
    let key = call.customer_key()?;
    act(move |session, site| Ok(Answer::ok(payload(find(session, &key)?, site))))
}

pub(super) fn list(call: &mut Call<'_>) -> Handled {
    let search = customer::read_search(call.query)?;
    act(move |session, _| {
        let (customers, page) = session.customers(search, session.search_time())?;
        Ok(Answer::page(Payload::Customers(customers), page))
    })
}

pub(super) fn update(call: &mut Call<'_>) -> Handled {
    let key = call.customer_key()?;
    let update = customer::read_update(call.format, call.body, &LIMITS)?;
    act(move |session, site| {
        find(session, &key)?;
        session.update_customer(&key, &update)?;
        Ok(Answer::ok(payload(find(session, &key)?, site)).with_link(site.customer("self", &key)))
    })
}

pub(super) fn delete(call: &mut Call<'_>) -> Handled {
    let key = call.customer_key()?;
    act(move |session, _| {
        let customer = find(session, &key)?;
        let (plans, payments) = (session.count_plans_of(&key)?, session.count_payments_of_customer(&key)?);
        check_customer_deletion(plans, payments)
            .map_err(|refusal| Refused::business("041", refusal.to_string()))?;
        session.delete_customer(&key)?;
        Ok(Answer::ok(Payload::Customer(Box::new(customer))))
    })
}

pub(super) fn find(session: &Session<'_>, key: &CustomerKey) -> Result<Customer, CallError> {
    Ok(session.customer(key)?.ok_or_else(|| Refused::unknown_customer(key))?)
}

fn payload(customer: Customer, site: &Site<'_>) -> Payload {
    let key = &customer.customer_key;
    let links = vec![site.customer("self", key), site.plans_of(key)];
    Payload::Customer(Box::new(Customer { links, ..customer }))
}
