//! Customers.

use perennial_domain::Violations;
use perennial_domain::clearent::{
    self as domain, AddressBuilder, AddressFields, CustomerKey, CustomerSearch, CustomerUpdate,
    CustomerUpdateFields, NewCustomer, NewCustomerFields, PostalAddress,
};

use super::Operation;
use super::envelope::Links;
use crate::call::{Call, ReadError};
use crate::error::EncodeError;
use crate::fields::{owned, set, some_text, text};
use crate::format::{self, Format};
use crate::limits::Limits;
use crate::member::Listed;
use crate::query::Params;
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
    pub(crate) struct Address<'a> as "address" {
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

/// `POST /rest/v2/customers`
pub fn create(format: Format, customer: &NewCustomer) -> Result<Call, EncodeError> {
    let NewCustomerFields {
        first_name,
        last_name,
        customer_key,
        email,
        phone,
        comments,
        billing_address,
        shipping_address,
    } = customer.fields();
    let message = Customer {
        customer_key: some_text(customer_key),
        first_name: Some(text(first_name.as_str())),
        last_name: Some(text(last_name.as_str())),
        email: some_text(email),
        phone: some_text(phone),
        comments: some_text(comments),
        status: None,
        billing_address: billing_address.map(Address::from),
        shipping_address: shipping_address.map(Address::from),
        links: None,
    };
    Operation::CreateCustomer.call().with_body(format, &message)
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
    let CustomerUpdateFields {
        first_name,
        last_name,
        email,
        phone,
        comments,
        status,
        billing_address,
        shipping_address,
    } = update.fields();
    let message = Customer {
        customer_key: None,
        first_name: some_text(first_name),
        last_name: some_text(last_name),
        email: some_text(email),
        phone: some_text(phone),
        comments: some_text(comments),
        status: status.map(|status| text(status.as_str())),
        billing_address: billing_address.map(Address::from),
        shipping_address: shipping_address.map(Address::from),
        links: None,
    };
    Operation::UpdateCustomer.call_of(key.as_str()).with_body(format, &message)
}

/// `DELETE /rest/v2/customers/{customer-key}`
pub fn delete(key: &CustomerKey) -> Call {
    Operation::DeleteCustomer.call_of(key.as_str())
}

/// Reads the body of a create.
pub fn read_create(format: Format, body: &[u8], limits: &Limits) -> Result<NewCustomer, ReadError> {
    let Customer {
        customer_key,
        first_name,
        last_name,
        email,
        phone,
        comments,
        status: _,
        billing_address,
        shipping_address,
        links: _,
    } = format::decode(format, body, limits)?;
    let builder = set!(NewCustomer::builder();
        customer_key: customer_key,
        first_name: first_name,
        last_name: last_name,
        email: email,
        phone: phone,
        comments: comments,
    );
    let builder = match billing_address.and_then(Address::request) {
        Some(address) => builder.billing_address(address),
        None => builder,
    };
    let builder = match shipping_address.and_then(Address::request) {
        Some(address) => builder.shipping_address(address),
        None => builder,
    };
    Ok(builder.accept()?)
}

/// Reads the body of an update.
pub fn read_update(format: Format, body: &[u8], limits: &Limits) -> Result<CustomerUpdate, ReadError> {
    let Customer {
        customer_key: _,
        first_name,
        last_name,
        email,
        phone,
        comments,
        status,
        billing_address,
        shipping_address,
        links: _,
    } = format::decode(format, body, limits)?;
    let builder = set!(CustomerUpdate::builder();
        first_name: first_name,
        last_name: last_name,
        email: email,
        phone: phone,
        comments: comments,
        status: status,
    );
    let builder = match billing_address.and_then(Address::request) {
        Some(address) => builder.billing_address(address),
        None => builder,
    };
    let builder = match shipping_address.and_then(Address::request) {
        Some(address) => builder.shipping_address(address),
        None => builder,
    };
    Ok(builder.accept()?)
}

/// Reads the query of a search.
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

impl<'a> From<&'a domain::Address> for Address<'a> {
    fn from(address: &'a domain::Address) -> Self {
        let AddressFields {
            first_name,
            last_name,
            company,
            street,
            street2,
            city,
            state,
            zip,
            country,
            phone,
        } = address.fields();
        Self {
            first_name: some_text(first_name),
            last_name: some_text(last_name),
            company: some_text(company),
            street: some_text(street),
            street2: some_text(street2),
            city: some_text(city),
            state: some_text(state),
            zip: some_text(zip),
            country: some_text(country),
            phone: some_text(phone),
        }
    }
}

impl<'a> From<&'a PostalAddress> for Address<'a> {
    fn from(address: &'a PostalAddress) -> Self {
        let PostalAddress {
            first_name,
            last_name,
            company,
            street,
            street2,
            city,
            state,
            zip,
            country,
            phone,
        } = address;
        Self {
            first_name: some_text(first_name.as_ref()),
            last_name: some_text(last_name.as_ref()),
            company: some_text(company.as_ref()),
            street: some_text(street.as_ref()),
            street2: some_text(street2.as_ref()),
            city: some_text(city.as_ref()),
            state: some_text(state.as_ref()),
            zip: some_text(zip.as_ref()),
            country: some_text(country.as_ref()),
            phone: some_text(phone.as_ref()),
        }
    }
}

impl Address<'_> {
    /// An address of a record, unless nothing is in it.
    pub(crate) fn record(self) -> Option<PostalAddress> {
        let Self { first_name, last_name, company, street, street2, city, state, zip, country, phone } = self;
        let address = PostalAddress {
            first_name: owned(first_name),
            last_name: owned(last_name),
            company: owned(company),
            street: owned(street),
            street2: owned(street2),
            city: owned(city),
            state: owned(state),
            zip: owned(zip),
            country: owned(country),
            phone: owned(phone),
        };
        (address != PostalAddress::default()).then_some(address)
    }

    /// An address of a request, unless nothing is in it.
    pub(crate) fn request(self) -> Option<AddressBuilder> {
        let Self { first_name, last_name, company, street, street2, city, state, zip, country, phone } = self;
        let members =
            [&first_name, &last_name, &company, &street, &street2, &city, &state, &zip, &country, &phone];
        if members.iter().all(|member| member.as_ref().is_none_or(|text| text.trim_ascii().is_empty())) {
            return None;
        }
        Some(set!(domain::Address::builder();
            first_name: first_name,
            last_name: last_name,
            company: company,
            street: street,
            street2: street2,
            city: city,
            state: state,
            zip: zip,
            country: country,
            phone: phone,
        ))
    }
}
