//! Customers.

use perennial_domain::Violations;
use perennial_domain::clearent::{
    self as domain, AddressBuilder, AddressFields, CustomerKey, CustomerSearch, CustomerUpdate,
    CustomerUpdateBuilder, CustomerUpdateFields, NewCustomer, NewCustomerBuilder, NewCustomerFields,
    PostalAddress,
};

use super::Operation;
use super::link::Links;
use crate::call::{Call, ReadError};
use crate::codec;
use crate::error::EncodeError;
use crate::format::Format;
use crate::limits::Limits;
use crate::member::Listed;
use crate::query::Params;
use crate::rule::{Asks, request, rules};
use crate::text::Text;

message! {
    /// A customer: request and record. `status` is **inferred**: a customer can be made inactive, and no sample shows how.
    pub(crate) struct Customer<'a> as "customer" of domain::Customer, keyed by |customer| customer.customer_key.as_deref(); {
        customer_key: Option<Text<'a>> = "customer-key",
        first_name: Option<Text<'a>> = "first-name",
        last_name: Option<Text<'a>> = "last-name",
        email: Option<Text<'a>> = "email",
        phone: Option<Text<'a>> = "phone",
        comments: Option<Text<'a>> = "comments",
        status: Option<Text<'a>> = "status",
        billing_address: Option<Address<'a>> = "billing-address",
        shipping_address: Option<Address<'a>> = "shipping-address",
        links: Option<Links<'a>> = "links",
    }
}

message! {
    /// An address: of customers and of transactions.
    pub(crate) struct Address<'a> as "address" of PostalAddress; {
        first_name: Option<Text<'a>> = "first-name",
        last_name: Option<Text<'a>> = "last-name",
        company: Option<Text<'a>> = "company",
        street: Option<Text<'a>> = "street",
        street2: Option<Text<'a>> = "street2",
        city: Option<Text<'a>> = "city",
        state: Option<Text<'a>> = "state",
        zip: Option<Text<'a>> = "zip",
        country: Option<Text<'a>> = "country",
        phone: Option<Text<'a>> = "phone",
    }
}

message! {
    pub(crate) struct Customers<'a> as "customers" {
        customer: Listed<Customer<'a>> = "customer",
    }
}

request! {
    Customer asks NewCustomer, by NewCustomerFields, NewCustomerBuilder {
        customer_key, first_name, last_name, email, phone, comments;
        nested billing_address, shipping_address
    }
}

request! {
    Customer asks CustomerUpdate, by CustomerUpdateFields, CustomerUpdateBuilder {
        first_name, last_name, email, phone, comments, status;
        nested billing_address, shipping_address
    }
}

request! {
    Address asks domain::Address, by AddressFields, AddressBuilder {
        first_name, last_name, company, street, street2, city, state, zip, country, phone
    }
}

/// `POST /rest/v2/customers`
pub fn create(format: Format, customer: &NewCustomer) -> Result<Call, EncodeError> {
    Operation::CreateCustomer.call().with_body(format, &Customer::from(customer))
}

/// `GET /rest/v2/customers/{customer-key}`
pub fn get(key: &CustomerKey) -> Call {
    Operation::GetCustomer.call_of(key.as_str())
}

/// `GET /rest/v2/customers`
pub fn search(search: &CustomerSearch) -> Call {
    let CustomerSearch {
        customer_key,
        first_name,
        last_name,
        email,
        phone_number,
        last_four,
        exp_date,
        plan_name,
        paging,
    } = search;
    let target = Operation::SearchCustomers
        .query()
        .with("customer-key", customer_key.as_ref())
        .with("first-name", first_name.as_ref())
        .with("last-name", last_name.as_ref())
        .with("email", email.as_ref())
        .with("phone-number", phone_number.as_ref())
        .with("last-four", last_four.as_ref())
        .with("exp-date", exp_date.as_ref())
        .with("plan-name", plan_name.as_ref())
        .paged(paging, "descending");
    Operation::SearchCustomers.call_to(target.finish())
}

/// `PUT /rest/v2/customers/{customer-key}`
pub fn update(format: Format, key: &CustomerKey, update: &CustomerUpdate) -> Result<Call, EncodeError> {
    Operation::UpdateCustomer.call_of(key.as_str()).with_body(format, &Customer::from(update))
}

/// `DELETE /rest/v2/customers/{customer-key}`
pub fn delete(key: &CustomerKey) -> Call {
    Operation::DeleteCustomer.call_of(key.as_str())
}

/// Reads the body of a create.
#[cfg(feature = "gateway")]
pub fn read_create(format: Format, body: &[u8], limits: &Limits) -> Result<NewCustomer, ReadError> {
    let message: Customer<'_> = codec::decode(format, body, limits)?;
    let builder: NewCustomerBuilder = message.builder();
    Ok(builder.accept()?)
}

/// Reads the body of an update.
#[cfg(feature = "gateway")]
pub fn read_update(format: Format, body: &[u8], limits: &Limits) -> Result<CustomerUpdate, ReadError> {
    let message: Customer<'_> = codec::decode(format, body, limits)?;
    let builder: CustomerUpdateBuilder = message.builder();
    Ok(builder.accept()?)
}

/// Reads the query of a search.
#[cfg(feature = "gateway")]
pub fn read_search(query: &str) -> Result<CustomerSearch, Violations> {
    let mut params = Params::new(query);
    let search = CustomerSearch {
        customer_key: params.read("customer-key"),
        first_name: params.text("first-name"),
        last_name: params.text("last-name"),
        email: params.text("email"),
        phone_number: params.text("phone-number"),
        last_four: params.text("last-four"),
        exp_date: params.text("exp-date"),
        plan_name: params.text("plan-name"),
        paging: params.paging(),
    };
    params.finish(search)
}

rules! {
    Address to Option<PostalAddress>:
        |_, address| {
            let address = address.map(Address::record).transpose()?;
            Ok(address.filter(|address| *address != PostalAddress::default()))
        },
        |address| address.as_ref().map(Address::from);
}

impl Address<'_> {
    /// The address of a request; `None` if it is empty.
    pub(crate) fn request(self) -> Option<AddressBuilder> {
        let Self { first_name, last_name, company, street, street2, city, state, zip, country, phone } =
            &self;
        let members = [first_name, last_name, company, street, street2, city, state, zip, country, phone];
        let says_something = |text: &Text<'_>| !text.trim_ascii().is_empty();
        let says_something = members.into_iter().flatten().any(says_something);
        says_something.then(|| self.builder())
    }
}
