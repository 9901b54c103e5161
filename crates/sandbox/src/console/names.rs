//! The names of customers.

use std::collections::HashMap;

use maud::{Markup, html};
use perennial_domain::clearent::CustomerKey;
use rusqlite::{OptionalExtension, Result};

use super::World;
use crate::store::session::Session;

/// The names of customers by their keys.
#[derive(Default)]
pub(super) struct Names(HashMap<CustomerKey, String>);

impl Names {
    /// Looks up the names of the customers that these objects refer to.
    pub(super) fn of<'a>(
        session: &Session<'_>,
        keys: impl IntoIterator<Item = Option<&'a CustomerKey>>,
    ) -> Result<Self> {
        let sql = "SELECT trim(ifnull(first_name, '') || ' ' || ifnull(last_name, '')) FROM customers WHERE world = ? AND key = ?";
        let mut statement = session.connection.prepare_cached(sql)?;
        let mut names = HashMap::new();
        for key in keys.into_iter().flatten() {
            if !names.contains_key(key) {
                let name = statement.query_row((session.world, key.as_str()), |row| row.get(0)).optional()?;
                names.insert(key.clone(), name.unwrap_or_default());
            }
        }
        Ok(Self(names))
    }

    /// A link to the customer, by name if there is one.
    pub(super) fn link(&self, world: &World, key: Option<&CustomerKey>) -> Markup {
        let Some(key) = key else { return Markup::default() };
        let name = self.0.get(key).filter(|name| !name.is_empty()).map_or(key.as_str(), String::as_str);
        html! { a href=(world.path(&format!("customers/{key}"))) title=(key) { (name) } }
    }
}
