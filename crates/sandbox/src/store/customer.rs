//! Customers in the database.

use perennial_domain::Text;
use perennial_domain::clearent::{
    Address, AddressFields, Customer, CustomerKey, CustomerSearch, CustomerStatus, CustomerUpdate,
    CustomerUpdateFields, NewCustomer, NewCustomerFields, PostalAddress,
};
use perennial_wire::clearent::Page;
use rusqlite::{OptionalExtension, Result, Row, params};

use super::list::List;
use super::row::{self, Columns, NamedRow, address, insert, prose, read, read_address, text};
use crate::clock::Moment;
use crate::mask;
use crate::store::session::Session;
use crate::store::world::Kind;

impl Session<'_> {
    pub(crate) fn create_customer(&self, new: &NewCustomer) -> Result<Customer> {
        let NewCustomerFields {
            first_name,
            last_name,
            customer_key,
            email,
            phone,
            comments,
            billing_address,
            shipping_address,
        } = new.fields();
        let number = self.next(Kind::Customer)?;
        let key = match customer_key.filter(|_| self.gateway.own_customer_keys) {
            Some(key) => key.clone(),
            None => CustomerKey::try_from(format!("cust_{}", self.seed.key("customer", number)))
                .map_err(|_| rusqlite::Error::InvalidQuery)?,
        };
        let owned = |text: Option<&Text>| text.map(|text| text.as_str().to_owned());
        let prose = |text: Option<&Text>| text.map(|text| mask::text(text.as_str()));
        let customer = Customer {
            customer_key: key,
            first_name: prose(Some(first_name)),
            last_name: prose(Some(last_name)),
            email: owned(email),
            phone: owned(phone),
            comments: prose(comments),
            status: None,
            billing_address: billing_address.map(postal),
            shipping_address: shipping_address.map(postal),
            links: Vec::new(),
        };
        let columns: Columns = vec![
            ("world", self.world.into()),
            ("number", number.cast_signed().into()),
            ("key", text(Some(&customer.customer_key))),
            ("first_name", text(customer.first_name.as_ref())),
            ("last_name", text(customer.last_name.as_ref())),
            ("email", text(customer.email.as_ref())),
            ("phone", text(customer.phone.as_ref())),
            ("comments", text(customer.comments.as_ref())),
            ("billing", address(customer.billing_address.as_ref())),
            ("shipping", address(customer.shipping_address.as_ref())),
            ("found_from", self.found_from()),
        ];
        insert(self.connection, "customers", columns)?;
        Ok(customer)
    }

    pub(crate) fn customer(&self, key: &CustomerKey) -> Result<Option<Customer>> {
        self.connection
            .prepare_cached("SELECT * FROM customers WHERE world = ? AND key = ?")?
            .query_row(params![self.world, key.as_str()], customer)
            .optional()
    }

    /// Writes the changes; an address is replaced as a whole.
    pub(crate) fn update_customer(&self, key: &CustomerKey, update: &CustomerUpdate) -> Result<()> {
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
        let columns = [
            ("first_name", first_name.map(|name| prose(Some(name)))),
            ("last_name", last_name.map(|name| prose(Some(name)))),
            ("email", email.map(|email| text(Some(email)))),
            ("phone", phone.map(|phone| text(Some(phone)))),
            ("comments", comments.map(|comments| prose(Some(comments)))),
            ("status", status.map(|status| text(Some(status.as_str())))),
            ("billing", billing_address.map(|given| address(Some(&postal(given))))),
            ("shipping", shipping_address.map(|given| address(Some(&postal(given))))),
        ];
        let columns = columns.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        row::update(self.connection, "customers", (self.world, "key", key.as_str()), columns)
    }

    /// Removes the customer and the links of tokens to it; the tokens stay.
    pub(crate) fn delete_customer(&self, key: &CustomerKey) -> Result<()> {
        let customer = params![self.world, key.as_str()];
        let sql = "DELETE FROM customer_tokens WHERE world = ? AND customer_key = ?";
        let ties = self.connection.prepare_cached(sql)?.execute(customer)?;
        let sql = "UPDATE tokens SET customer_key = NULL WHERE world = ? AND customer_key = ?";
        self.connection.prepare_cached(sql)?.execute(customer)?;
        let sql = "DELETE FROM customers WHERE world = ? AND key = ?";
        self.connection.prepare_cached(sql)?.execute(customer)?;
        self.gone(Kind::CustomerToken, ties)?;
        self.gone(Kind::Customer, 1)
    }

    /// Customers that match the search and that a search at this time finds.
    pub(crate) fn customers(
        &self,
        search: CustomerSearch,
        time: Option<Moment>,
    ) -> Result<(Vec<Customer>, Page)> {
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
        List::of(Kind::Customer)
            .found_at(time)
            .with("key = ?", customer_key.map(|key| key.to_string()))
            .with_typed("first_name = ? COLLATE names", first_name)
            .with_typed("last_name = ? COLLATE names", last_name)
            .with_typed("email = ?", email)
            .with_typed("phone = ?", phone_number)
            .with(
                "key IN (SELECT c.customer_key FROM tokens t JOIN customer_tokens c ON c.world = t.world AND c.token_id = t.id
                 WHERE t.world = ?1 AND t.status <> 'DELETED' AND t.last_four = ?)",
                last_four,
            )
            .with(
                "key IN (SELECT c.customer_key FROM tokens t JOIN customer_tokens c ON c.world = t.world AND c.token_id = t.id
                 WHERE t.world = ?1 AND t.status <> 'DELETED' AND t.exp_date = ?)",
                exp_date,
            )
            .with(
                "key IN (SELECT p.customer_key FROM plans p WHERE p.world = ?1 AND p.archived IS NULL AND p.name = ? COLLATE names)",
                plan_name,
            )
            .page(self, &paging, ORDERS, customer)
    }
}

const ORDERS: &[(&str, &str)] = &[
    ("customer-key", "key"),
    ("first-name", "first_name COLLATE names"),
    ("last-name", "last_name COLLATE names"),
    ("email", "email"),
    ("phone-number", "phone"),
];

fn customer(row: &Row<'_>) -> Result<Customer> {
    let row = &NamedRow::of(row);
    Ok(Customer {
        customer_key: read(row, "key")?,
        first_name: row.get("first_name")?,
        last_name: row.get("last_name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        comments: row.get("comments")?,
        status: row.get::<Option<String>>("status")?.map(|status| CustomerStatus::reported(&status)),
        billing_address: read_address(row, "billing")?,
        shipping_address: read_address(row, "shipping")?,
        links: Vec::new(),
    })
}

/// An address in the form of reports.
pub(crate) fn postal(address: &Address) -> PostalAddress {
    let AddressFields { first_name, last_name, company, street, street2, city, state, zip, country, phone } =
        address.fields();
    let prose = |text: Option<&Text>| text.map(|text| mask::text(text.as_str()));
    PostalAddress {
        first_name: prose(first_name),
        last_name: prose(last_name),
        company: prose(company),
        street: prose(street),
        street2: prose(street2),
        city: prose(city),
        state: prose(state),
        zip: prose(zip),
        country: prose(country),
        // An international number can be as long as a card's, and pass its check by chance.
        phone: phone.map(|phone| phone.as_str().to_owned()),
    }
}
