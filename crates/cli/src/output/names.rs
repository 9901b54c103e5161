//! The names of customers, for tables: a record has the customer's key, and people know the name.

use std::collections::BTreeMap;
use std::mem;

use perennial::Clearent;
use perennial::clearent::{Customer, CustomerKey};

use super::{Record, Value};

/// The maximum number of customers that are looked up for one table.
const MOST: usize = 100;

const NAME: &str = "customer-name";

/// The names that were looked up, by their customers' keys.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, Option<String>>);

impl Names {
    /// Adds the name to each row that has a customer's key and no name, with one call for each customer. An unreadable
    /// customer has no name.
    pub(super) async fn add(&mut self, client: &Clearent, rows: &mut [Record]) {
        let Self(names) = self;
        for row in rows {
            let Some(Value::Text(key)) = row.field("customer-key") else { continue };
            if row.field(NAME).is_some() {
                continue;
            }
            let key = key.clone();
            if !names.contains_key(&key) && names.len() < MOST {
                names.insert(key.clone(), name(client, &key).await);
            }
            let name = names.get(&key).cloned().flatten();
            *row = mem::take(row).with(NAME, name);
        }
    }
}

async fn name(client: &Clearent, key: &str) -> Option<String> {
    let key = CustomerKey::try_from(key).ok()?;
    let Customer { first_name, last_name, .. } = client.customers().get(&key).await.ok()?.into_value();
    let names: Vec<String> = [first_name, last_name].into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(" "))
}
