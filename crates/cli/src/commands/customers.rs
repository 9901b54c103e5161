//! `perennial customers`

use clap::{Args, Subcommand};
use perennial::clearent::{CustomerSearch, CustomerUpdate, NewCustomer};
use perennial::{Builder, Clearent, Violations};

use super::address::{BillingAddress, ShippingAddress};
use super::both;
use super::criteria::{Criteria, Pages};
use super::customer_tokens::CustomerTokens;
use super::named::Named;
use super::once::Keyed;
use crate::context::Global;
use crate::failure::Failure;

/// Customers.
#[derive(Debug, Subcommand)]
pub(crate) enum Customers {
    /// Creates a customer
    #[command(
        after_help = "Example:\n  perennial customers create --first-name Ada --last-name Byron --billing-city 'St Louis'"
    )]
    Create(Keyed<Create>),
    /// Shows a customer
    #[command(after_help = "Example:\n  perennial customers get cust_5a1d7c1e8a0f")]
    Get(Named),
    /// Lists matching customers
    #[command(
        visible_alias = "list",
        after_help = "Example:\n  perennial customers search --last-name Byron --all"
    )]
    Search(Search),
    /// Changes a customer; omitted fields stay unchanged
    #[command(after_help = "Example:\n  perennial customers update cust_5a1d7c1e8a0f --status inactive")]
    Update(Keyed<Update>),
    /// Deletes a customer who has no plans and no payments
    #[command(
        after_help = "A customer with plans or payments stays: update its status to inactive instead.\n\n\
        Example:\n  perennial customers delete cust_5a1d7c1e8a0f"
    )]
    Delete(Keyed<Named>),
    /// The card tokens attached to a customer
    #[command(subcommand)]
    Tokens(CustomerTokens),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    fields: NewFields,
    #[command(flatten)]
    billing: BillingAddress,
    #[command(flatten)]
    shipping: ShippingAddress,
}

options! {
    NewFields fills Builder<NewCustomer> {
        /// The first name; required
        first_name = "first-name", "TEXT";
        /// The last name; required
        last_name = "last-name", "TEXT";
        /// Your own identifier, which becomes the key
        customer_key = "customer-key", "KEY";
        /// The email address
        email = "email", "TEXT";
        /// The phone number
        phone = "phone", "TEXT";
        /// Comments
        comments = "comments", "TEXT";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    billing: BillingAddress,
    #[command(flatten)]
    shipping: ShippingAddress,
}

options! {
    Changes fills Builder<CustomerUpdate> {
        /// The new first name
        first_name = "first-name", "TEXT";
        /// The new last name
        last_name = "last-name", "TEXT";
        /// The new email address
        email = "email", "TEXT";
        /// The new phone number
        phone = "phone", "TEXT";
        /// The new comments, which replace the old ones
        comments = "comments", "TEXT";
        /// The status: ACTIVE or INACTIVE
        status = "status", "STATUS";
    }
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The customer's key
    #[arg(long, value_name = "KEY")]
    customer_key: Option<String>,
    /// The first name
    #[arg(long, value_name = "TEXT")]
    first_name: Option<String>,
    /// The last name
    #[arg(long, value_name = "TEXT")]
    last_name: Option<String>,
    /// The email address
    #[arg(long, value_name = "TEXT")]
    email: Option<String>,
    /// The phone number
    #[arg(long, value_name = "TEXT")]
    phone_number: Option<String>,
    /// The last four digits of a card of the customer
    #[arg(long, value_name = "DIGITS")]
    last_four: Option<String>,
    /// The expiry of a card of the customer
    #[arg(long, value_name = "MMYY")]
    exp_date: Option<String>,
    /// The name of a plan of the customer
    #[arg(long, value_name = "TEXT")]
    plan_name: Option<String>,
    #[command(flatten)]
    pages: Pages,
}

impl Customers {
    pub(crate) async fn run(self, client: &Clearent, global: &Global) -> Result<(), Failure> {
        let (customers, output) = (client.customers(), global.output);
        match self {
            Self::Create(Keyed { command, once }) => {
                let customer = command.customer()?;
                match once.open(global, client).await? {
                    None => output.written(customers.create(&customer).await?),
                    Some(writer) => {
                        let created = writer.writes().customers().create(writer.key(), &customer).await;
                        writer.written(created).await
                    }
                }
            }
            Self::Get(named) => output.one(customers.get(&named.key()?).await?.into_value()),
            Self::Search(search) => {
                output.list(customers.search(&search.search()?), search.pages.extent()).await
            }
            Self::Update(Keyed { command, once }) => {
                let (key, update) = both(command.named.key(), command.update())?;
                match once.open(global, client).await? {
                    None => output.written(customers.update(&key, &update).await?),
                    Some(writer) => {
                        let updated = writer.writes().customers().update(writer.key(), &key, &update).await;
                        writer.written(updated).await
                    }
                }
            }
            Self::Delete(Keyed { command, once }) => {
                let key = command.key()?;
                match once.open(global, client).await? {
                    None => output.deleted(customers.delete(&key).await?, key),
                    Some(writer) => {
                        let deleted = writer.writes().customers().delete(writer.key(), &key).await;
                        writer.written(deleted).await
                    }
                }
            }
            Self::Tokens(tokens) => tokens.run(client, global).await,
        }
    }
}

impl Create {
    fn customer(&self) -> Result<NewCustomer, Violations> {
        let mut builder = self.fields.fill(NewCustomer::builder());
        if let Some(address) = self.billing.address() {
            builder = builder.billing_address(address);
        }
        if let Some(address) = self.shipping.address() {
            builder = builder.shipping_address(address);
        }
        builder.build()
    }
}

impl Update {
    fn update(&self) -> Result<CustomerUpdate, Violations> {
        let mut builder = self.changes.fill(CustomerUpdate::builder());
        if let Some(address) = self.billing.address() {
            builder = builder.billing_address(address);
        }
        if let Some(address) = self.shipping.address() {
            builder = builder.shipping_address(address);
        }
        builder.build()
    }
}

impl Search {
    fn search(&self) -> Result<CustomerSearch, Violations> {
        let mut criteria = Criteria::default();
        let search = CustomerSearch {
            customer_key: criteria.read("customer-key", self.customer_key.as_ref()),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            phone_number: self.phone_number.clone(),
            last_four: self.last_four.clone(),
            exp_date: self.exp_date.clone(),
            plan_name: self.plan_name.clone(),
            paging: self.pages.paging(),
        };
        criteria.finish(search)
    }
}
