//! The codecs, tested through messages that have every shape of the wire.

mod hostile;
mod properties;
mod shapes;

use crate::member::Many;
use crate::text::{Bare, Text};

message! {
    struct Response<'a> as "response" {
        code: Option<Text<'a>> = "code",
        links: Many<Link<'a>> = "links",
        page: Option<Page<'a>> = "page",
        payload: Option<Payload<'a>> = "payload",
    } else payload: Payload<'a>
}

message! {
    struct Page<'a> as "page" {
        number: Option<Bare<'a>> = "number",
        last: Option<Bare<'a>> = "last",
    }
}

message! {
    struct Payload<'a> as "payload" {
        customer: Option<Customer<'a>> = "customer",
        customers: Option<Customers<'a>> = "customers",
        payload_type: Option<Text<'a>> = "payloadType",
    }
}

message! {
    struct Customers<'a> as "customers" {
        customer: Many<Customer<'a>> = "customer",
    }
}

message! {
    struct Customer<'a> as "customer" {
        customer_key: Option<Text<'a>> = "customer-key",
        first_name: Option<Text<'a>> = "first-name",
        billing_address: Option<Address<'a>> = "billing-address",
        links: Option<Links<'a>> = "links",
    }
}

message! {
    struct Address<'a> as "address" {
        street: Option<Text<'a>> = "street",
        zip: Option<Text<'a>> = "zip",
    }
}

message! {
    struct Links<'a> as "links" {
        link: Many<Link<'a>> = "link",
    }
}

message! {
    struct Link<'a> as "link" {
        rel: Option<Text<'a>> = "rel",
        href: Option<Text<'a>> = "href",
    }
}

message! {
    struct Nothing<'a> as "nothing" {
        none: Option<Text<'a>> = "",
    }
}
