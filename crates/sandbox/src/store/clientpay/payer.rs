//! Payers and their stored methods, without the numbers of their cards and accounts.

use perennial_domain::Expiry;
use perennial_domain::clientpay::{
    Address, AddressFields, CardFields, ECheckFields, MethodUpdate, MethodUpdateFields, NewMethod,
    NewMethodFields, NewPayer, NewPayerFields, PayerId, PayerUpdate, PayerUpdateFields, PaymentKind,
    PaymentMethodId,
};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Result, Row, params};
use serde_json::{Map, Value as Json};

use crate::issuer::clientpay::Trigger;
use crate::mask;
use crate::store::row::{Columns, NamedRow, insert, prose, read, read_some, text, to_text, update};
use crate::store::session::Session;
use crate::store::world::Kind;

/// A payer's stored method.
pub(crate) struct StoredMethod {
    pub(crate) id: PaymentMethodId,
    pub(crate) kind: PaymentKind,
    pub(crate) name: Option<String>,
    pub(crate) brand: Option<String>,
    pub(crate) last_four: String,
    pub(crate) expiry: Option<Expiry>,
    /// The outcome of charges to it.
    pub(crate) trigger: Option<Trigger>,
    pub(crate) is_primary: bool,
    payer_id: String,
}

impl Session<'_> {
    pub(crate) fn create_payer(&self, payer: &NewPayer) -> Result<PayerId> {
        let NewPayerFields {
            emails,
            session_id,
            customer_id,
            first_name,
            last_name,
            business_name,
            payer_name,
            payer_address,
        } = payer.fields();
        let number = self.next(Kind::Payer)?;
        let id = self.seed.uuid("payer", number);
        let columns: Columns = vec![
            ("world", self.world.into()),
            ("number", i64::try_from(number).unwrap_or(i64::MAX).into()),
            ("id", id.clone().into()),
            ("first_name", prose(first_name)),
            ("last_name", prose(last_name)),
            ("business_name", prose(business_name)),
            ("payer_name", payer_name.map_or(Value::Null, |name| name.code().cast_signed().into())),
            ("emails", addresses(emails.iter())),
            ("address", address(payer_address)),
            ("session_id", prose(session_id)),
            ("customer_ref", prose(customer_id)),
            ("deleted", 0.into()),
        ];
        insert(self.connection, "payers", columns)?;
        Ok(PayerId::try_from(id).expect("a UUID is a payer's id"))
    }

    pub(crate) fn has_payer(&self, id: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM payers WHERE world = ? AND id = ? AND deleted = 0";
        self.connection.prepare_cached(sql)?.exists(params![self.world, id])
    }

    /// The payer's name, as far as it is known.
    pub(crate) fn payer_name(&self, id: &str) -> Result<Option<String>> {
        let sql = "SELECT concat_ws(' ', first_name, last_name) AS person, business_name FROM payers
                   WHERE world = ? AND id = ? AND deleted = 0";
        let name = |row: &Row<'_>| {
            let person: String = row.get("person")?;
            let business: Option<String> = row.get("business_name")?;
            Ok(if person.is_empty() { business.unwrap_or_default() } else { person })
        };
        self.connection.prepare_cached(sql)?.query_row(params![self.world, id], name).optional()
    }

    /// Writes the changes of a payer.
    pub(crate) fn update_payer(&self, changes: &PayerUpdate) -> Result<()> {
        let PayerUpdateFields {
            payer_id,
            session_id,
            customer_id,
            first_name,
            last_name,
            business_name,
            payer_name,
            emails,
            payer_address,
        } = changes.fields();
        let name = |name: Option<&perennial_domain::Text>| name.map(|_| prose(name));
        let columns: Columns = [
            ("first_name", name(first_name)),
            ("last_name", name(last_name)),
            ("business_name", name(business_name)),
            ("payer_name", payer_name.map(|name| name.code().cast_signed().into())),
            ("emails", emails.map(|emails| addresses(emails.iter()))),
            ("address", payer_address.map(|_| address(payer_address))),
            ("session_id", name(session_id)),
            ("customer_ref", name(customer_id)),
        ]
        .into_iter()
        .filter_map(|(column, value)| Some((column, value?)))
        .collect();
        update(self.connection, "payers", (self.world, "id", payer_id.as_str()), columns)
    }

    /// Deletes a payer and its methods. Its payments stay.
    pub(crate) fn delete_payer(&self, id: &PayerId) -> Result<()> {
        let payer = params![self.world, id.as_str()];
        let sql = "UPDATE payers SET deleted = 1 WHERE world = ? AND id = ?";
        self.connection.prepare_cached(sql)?.execute(payer)?;
        self.connection
            .prepare_cached("DELETE FROM methods WHERE world = ? AND payer_id = ?")?
            .execute(payer)?;
        Ok(())
    }

    /// Stores a method for a payer. The first one is primary, whatever the request says.
    pub(crate) fn add_method(
        &self,
        payer: &PayerId,
        method: &NewMethod,
        trigger: Option<&Trigger>,
    ) -> Result<PaymentMethodId> {
        let NewMethodFields { is_primary, credit_card, e_check, billing_address } = method.fields();
        let is_primary = is_primary.is_some_and(|flag| flag.0) || self.methods_of(payer.as_str())?.is_empty();
        if is_primary {
            self.no_primary(payer.as_str())?;
        }
        let number = self.next(Kind::Method)?;
        let id = self.seed.uuid("method", number);
        let mut columns: Columns = vec![
            ("world", self.world.into()),
            ("number", i64::try_from(number).unwrap_or(i64::MAX).into()),
            ("id", id.clone().into()),
            ("payer_id", payer.as_str().to_owned().into()),
            ("method", i64::from(e_check.is_some()).into()),
            ("outcome", text(trigger.map(Trigger::as_str))),
            ("address", address(billing_address)),
            ("is_primary", is_primary.into()),
        ];
        if let Some(card) = credit_card {
            let CardFields { card_number, expiration_date, cardholder_name, cvv: _ } = card.fields();
            columns.extend([
                ("name", prose(cardholder_name)),
                ("card_type", to_text(card_number.brand())),
                ("last_four", card_number.last_four().to_owned().into()),
                ("exp_date", expiration_date.to_string().into()),
            ]);
        } else if let Some(account) = e_check {
            let ECheckFields { name_on_account, routing_number: _, account_number, account_type } =
                account.fields();
            columns.extend([
                ("name", prose(Some(name_on_account))),
                ("last_four", account_number.last_four().to_owned().into()),
                ("account_type", text(account_type.map(perennial_domain::clientpay::AccountType::as_str))),
            ]);
        }
        insert(self.connection, "methods", columns)?;
        Ok(PaymentMethodId::try_from(id).expect("a UUID is a method's id"))
    }

    fn no_primary(&self, payer: &str) -> Result<()> {
        let sql = "UPDATE methods SET is_primary = 0 WHERE world = ? AND payer_id = ? AND is_primary = 1";
        self.connection.prepare_cached(sql)?.execute(params![self.world, payer]).map(|_| ())
    }

    /// The methods of a payer, oldest first.
    pub(crate) fn methods_of(&self, payer: &str) -> Result<Vec<StoredMethod>> {
        let sql = "SELECT * FROM methods WHERE world = ? AND payer_id = ? ORDER BY number";
        self.connection.prepare_cached(sql)?.query_map(params![self.world, payer], method)?.collect()
    }

    pub(crate) fn method(&self, id: &str) -> Result<Option<StoredMethod>> {
        let sql = "SELECT * FROM methods WHERE world = ? AND id = ?";
        self.connection.prepare_cached(sql)?.query_row(params![self.world, id], method).optional()
    }

    /// Writes the changes of a method.
    pub(crate) fn update_method(&self, method: &StoredMethod, changes: &MethodUpdate) -> Result<()> {
        let MethodUpdateFields { id, is_primary, cardholder_name, expiration_date, name_on_account } =
            changes.fields();
        let name = cardholder_name.or(name_on_account);
        let is_primary = is_primary.map(|flag| flag.0);
        if is_primary == Some(true) {
            self.no_primary(&method.payer_id)?;
        }
        let columns: Columns = [
            ("name", name.map(|_| prose(name))),
            ("exp_date", expiration_date.map(|date| date.to_string().into())),
            ("is_primary", is_primary.map(Value::from)),
        ]
        .into_iter()
        .filter_map(|(column, value)| Some((column, value?)))
        .collect();
        update(self.connection, "methods", (self.world, "id", id.as_str()), columns)
    }
}

fn method(row: &Row<'_>) -> Result<StoredMethod> {
    let row = &NamedRow::of(row);
    let trigger = row.get::<Option<String>>("outcome")?;
    Ok(StoredMethod {
        id: read(row, "id")?,
        kind: PaymentKind(row.get("method")?),
        name: row.get("name")?,
        brand: row.get("card_type")?,
        last_four: row.get("last_four")?,
        expiry: read_some(row, "exp_date")?,
        trigger: trigger.map(Trigger::from),
        is_primary: row.get("is_primary")?,
        payer_id: row.get("payer_id")?,
    })
}

fn addresses<'a>(emails: impl Iterator<Item = &'a str>) -> Value {
    Value::from(emails.map(|email| Json::from(mask::text(email))).collect::<Json>().to_string())
}

fn address(address: Option<&Address>) -> Value {
    let Some(address) = address else { return Value::Null };
    let AddressFields { address_line1, city, state, zip_code, phone_number, country } = address.fields();
    let members = [
        ("addressLine1", address_line1.map(perennial_domain::Text::as_str)),
        ("city", city.map(perennial_domain::Text::as_str)),
        ("state", state.map(|state| state.as_str())),
        ("zipCode", zip_code.map(perennial_domain::Text::as_str)),
        ("phoneNumber", phone_number.map(perennial_domain::Text::as_str)),
        ("country", country.map(perennial_domain::Text::as_str)),
    ];
    let members =
        members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), mask::text(text?).into())));
    Value::from(Json::Object(members.collect::<Map<_, _>>()).to_string())
}
