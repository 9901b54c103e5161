use super::{Address, Link, Paging};
use crate::{Rule, Text, builder::request, key::key, open::open};

key! {
    /// The gateway's key of a customer: `cust_` and 12 alphanumerics (2016), or a UUID (newer).
    pub struct CustomerKey;
}

open! {
    /// The status of a customer.
    ///
    /// The vendor's page says that a customer with plans or payments can be set to "inactive" instead of being deleted.
    /// No example shows the member, so its name `status` and its values are **inferred**.
    pub struct CustomerStatus one of "ACTIVE, INACTIVE" {
        /// The customer is in use.
        ACTIVE = "ACTIVE",
        /// The customer is not in use; archived after 24 months.
        INACTIVE = "INACTIVE",
    }
}

request! {
    /// A request to create a customer.
    ///
    /// ```
    /// use perennial_domain::clearent::{Address, NewCustomer};
    ///
    /// let customer = NewCustomer::builder()
    ///     .first_name("Ada")
    ///     .last_name("Byron")
    ///     .billing_address(Address::builder().city("St Louis").state("MO"))
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(customer.fields().last_name.as_str(), "Byron");
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct NewCustomer, NewCustomerFields, NewCustomerBuilder {
        required {
            /// The first name; required.
            first_name: Text = "first-name",
            /// The last name; required.
            last_name: Text = "last-name",
        }
        optional {
            /// Your own identifier, which becomes the key (newer documentation; on the 2016 page the gateway assigns
            /// the key).
            customer_key: CustomerKey = "customer-key",
            /// The email address.
            email: Text = "email",
            /// The phone number.
            phone: Text = "phone",
            /// Comments; an update replaces them.
            comments: Text = "comments",
        }
        nested {
            /// The billing address.
            billing_address: Address = "billing-address",
            /// The shipping address.
            shipping_address: Address = "shipping-address",
        }
    }
}

request! {
    /// An update of a customer with at least one field. The gateway applies updates first in, first out.
    ///
    /// ```
    /// use perennial_domain::clearent::CustomerUpdate;
    ///
    /// assert!(CustomerUpdate::builder().first_name("Augusta").build().is_ok());
    /// assert!(CustomerUpdate::builder().build().is_err());
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct CustomerUpdate, CustomerUpdateFields, CustomerUpdateBuilder {
        optional {
            /// The new first name.
            first_name: Text = "first-name",
            /// The new last name.
            last_name: Text = "last-name",
            /// The new email address.
            email: Text = "email",
            /// The new phone number.
            phone: Text = "phone",
            /// The new comments, which replace the old ones.
            comments: Text = "comments",
            /// The new status; see [`CustomerStatus`].
            status: CustomerStatus = "status",
        }
        nested {
            /// The new billing address.
            billing_address: Address = "billing-address",
            /// The new shipping address.
            shipping_address: Address = "shipping-address",
        }
    }
    check |update, violations| {
        if violations.is_empty() && update.changes_nothing() {
            violations.add("customer", Rule::NothingToUpdate);
        }
        // The status may have been read from a response. A request allows fewer values, so it is parsed again.
        if let Some(status) = &update.status {
            violations.read::<CustomerStatus, _>("status", status.as_str());
        }
    };
}

/// A customer as the gateway reports it. Members that the gateway omits are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(missing_docs, reason = "the fields are those of NewCustomer")]
pub struct Customer {
    pub customer_key: CustomerKey,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub comments: Option<String>,
    pub status: Option<CustomerStatus>,
    pub billing_address: Option<PostalAddress>,
    pub shipping_address: Option<PostalAddress>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub links: Vec<Link>,
}

/// An address as the gateway reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[expect(missing_docs, reason = "the fields are those of Address")]
pub struct PostalAddress {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company: Option<String>,
    pub street: Option<String>,
    pub street2: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub zip: Option<String>,
    pub country: Option<String>,
    pub phone: Option<String>,
}

/// Criteria for listing customers; unset criteria match all. The parameters are those of the older customer page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerSearch {
    /// The customer's key.
    pub customer_key: Option<CustomerKey>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The phone number.
    pub phone_number: Option<String>,
    /// The last four digits of a card of the customer.
    pub last_four: Option<String>,
    /// The expiry (`MMYY`) of a card of the customer.
    pub exp_date: Option<String>,
    /// The name of a plan of the customer.
    pub plan_name: Option<String>,
    /// Page and order.
    pub paging: Paging,
}
