//! Card tokens in the database, and their links to customers. The stored parts of a card are its brand, its last four
//! digits and its expiry.

use perennial_domain::clearent::{
    CustomerKey, CustomerToken, CustomerTokenUpdate, CustomerTokenUpdateFields, NewCustomerToken,
    NewCustomerTokenFields, Token, TokenId, TokenSearch, TokenStatus, TokenUpdate, TokenUpdateFields,
};
use perennial_domain::{CardBrand, Expiry, NaiveDate, Reported, Text, Timestamp};
use perennial_wire::clearent::Page;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Result, Row, params};

use super::list::List;
use super::row::{
    self, Columns, NamedRow, insert, prose, read, read_brand, read_expiry, read_some, text, to_text,
};
use crate::clock::Moment;
use crate::store::session::Session;
use crate::store::world::Kind;

/// The storable parts of a card.
#[derive(Clone)]
pub(crate) struct Card {
    pub(crate) brand: Option<CardBrand>,
    pub(crate) last_four: String,
    /// The expiry; only a refund goes to a card without one.
    pub(crate) exp_date: Option<Expiry>,
}

/// A card and an address from which a token is created.
pub(crate) struct Tokenised {
    pub(crate) card: Card,
    pub(crate) customer_key: Option<CustomerKey>,
    pub(crate) description: Option<String>,
    pub(crate) avs_address: Option<String>,
    pub(crate) avs_zip: Option<String>,
    /// Whether charges of the token check its address.
    pub(crate) avs_required: bool,
}

impl Session<'_> {
    pub(crate) fn create_token(&self, new: Tokenised) -> Result<Token> {
        let Tokenised {
            card: Card { brand, last_four, exp_date },
            customer_key,
            description,
            avs_address,
            avs_zip,
            avs_required,
        } = new;
        let number = self.next(Kind::Token)?;
        let id = self.free_token_id(number, &last_four)?;
        let columns: Columns = vec![
            ("world", self.world.into()),
            ("number", number.cast_signed().into()),
            ("id", text(Some(&id))),
            ("customer_key", text(customer_key.as_ref())),
            ("status", text(Some(TokenStatus::ACTIVE.as_str()))),
            ("description", prose(description)),
            ("card_type", text(brand.as_ref().map(CardBrand::as_str))),
            ("last_four", last_four.into()),
            ("exp_date", to_text(exp_date)),
            ("avs_address", prose(avs_address)),
            ("avs_zip", prose(avs_zip)),
            ("avs_required", avs_required.into()),
            ("times_used", 0.into()),
            ("created", self.now.millis().into()),
            ("updated", self.now.millis().into()),
        ];
        insert(self.connection, "tokens", columns)?;
        let id = TokenId::try_from(id).map_err(|_| rusqlite::Error::InvalidQuery)?;
        if let Some(customer) = &customer_key {
            self.tie(customer, &id)?;
        }
        self.token(&id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Returns 19 digits: `1100`, eleven that the world has not used yet and that begin alike in a stretch of 1,024,
    /// and the card's last four.
    fn free_token_id(&self, number: u64, last_four: &str) -> Result<String> {
        let mut taken = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM tokens WHERE world = ? AND id = ?)")?;
        let mut kind = "token".to_owned();
        loop {
            let (stretch, own) =
                (self.seed.digits(&kind, number >> 10, 4), self.seed.digits(&kind, number, 7));
            let id = format!("1100{stretch}{own}{last_four}");
            if !taken.query_row(params![self.world, id], |row| row.get::<_, bool>(0))? {
                return Ok(id);
            }
            kind.push('+');
        }
    }

    /// A token that is not deleted.
    pub(crate) fn token(&self, id: &TokenId) -> Result<Option<Token>> {
        self.connection
            .prepare_cached("SELECT * FROM tokens WHERE world = ? AND id = ? AND status <> 'DELETED'")?
            .query_row(params![self.world, id.as_str()], token)
            .optional()
    }

    /// Whether the address of a token is checked when it is charged.
    pub(crate) fn requires_avs(&self, id: &TokenId) -> Result<bool> {
        let sql = "SELECT avs_required FROM tokens WHERE world = ? AND id = ?";
        self.connection.prepare_cached(sql)?.query_row(params![self.world, id.as_str()], |row| row.get(0))
    }

    /// Writes the changes; [`delete_token`](Self::delete_token) marks a token as deleted.
    pub(crate) fn update_token(&self, id: &TokenId, update: &TokenUpdate) -> Result<()> {
        let TokenUpdateFields { customer_key, status, description } = update.fields();
        if let Some(customer) = customer_key {
            self.tie(customer, id)?;
        }
        let columns = [
            ("customer_key", customer_key.map(|key| text(Some(key)))),
            ("status", status.map(|status| text(Some(status.as_str())))),
            ("description", description.map(|description| prose(Some(description)))),
            ("updated", Some(self.now.millis().into())),
        ];
        let columns = columns.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        row::update(self.connection, "tokens", (self.world, "id", id.as_str()), columns)
    }

    /// Marks a token as deleted: its id stays taken, and plans that charge it are declined from then on.
    pub(crate) fn delete_token(&self, id: &TokenId) -> Result<()> {
        let sql = "DELETE FROM customer_tokens WHERE world = ? AND token_id = ?";
        let ties = self.connection.prepare_cached(sql)?.execute(params![self.world, id.as_str()])?;
        self.gone(Kind::CustomerToken, ties)?;
        let columns = vec![("status", text(Some("DELETED"))), ("updated", self.now.millis().into())];
        row::update(self.connection, "tokens", (self.world, "id", id.as_str()), columns)?;
        self.gone(Kind::Token, 1)
    }

    /// Records a charge of a token.
    pub(crate) fn use_token(&self, id: &TokenId, at: Moment) -> Result<()> {
        let sql = "UPDATE tokens SET times_used = times_used + 1, updated = ? WHERE world = ? AND id = ?";
        self.connection.prepare_cached(sql)?.execute(params![at.millis(), self.world, id.as_str()])?;
        Ok(())
    }

    pub(crate) fn tokens(&self, search: TokenSearch) -> Result<(Vec<Token>, Page)> {
        let TokenSearch {
            token_id,
            merchant_legacy_token_id,
            updated_start_date,
            updated_end_date,
            date_filter,
            paging,
        } = search;
        let span = date_filter.and_then(|name| self.span(&name));
        let from = updated_start_date.map(|day| millis(day.naive())).or(span.map(|(from, _)| from));
        let to = updated_end_date.map(|day| millis(day.naive()) + DAY).or(span.map(|(_, to)| to));
        List::of(Kind::Token)
            .with("id = ?", token_id.map(|id| id.to_string()))
            // This gateway never took over another system's tokens.
            .with("? = ''", merchant_legacy_token_id)
            .with("updated >= ?", from)
            .with("updated < ?", to)
            .page(self, &paging, ORDERS, token)
    }

    /// The span of a `date-filter`, in milliseconds; `None` for `custom_range` and unknown names.
    fn span(&self, name: &str) -> Option<(i64, i64)> {
        let (now, today) = (self.now.millis(), millis(self.now.date()));
        Some(match name.to_ascii_lowercase().as_str() {
            "last_24_hours" => (now - DAY, now + 1),
            "yesterday" => (today - DAY, today),
            "last_week" => (today - 7 * DAY, now + 1),
            "last_month" => (today - 30 * DAY, now + 1),
            "last_180_days" => (today - 180 * DAY, now + 1),
            _ => return None,
        })
    }

    /// Whether the token belongs to the customer.
    pub(crate) fn owns(&self, customer: &CustomerKey, token: &TokenId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM customer_tokens WHERE world = ? AND customer_key = ? AND token_id = ?)";
        let owner = params![self.world, customer.as_str(), token.as_str()];
        self.connection.prepare_cached(sql)?.query_row(owner, |row| row.get(0))
    }

    /// Attaches the token to the customer, unless it is attached already.
    fn tie(&self, customer: &CustomerKey, token: &TokenId) -> Result<()> {
        if self.owns(customer, token)? {
            return Ok(());
        }
        let columns: Columns = vec![
            ("world", self.world.into()),
            ("number", self.next(Kind::CustomerToken)?.cast_signed().into()),
            ("customer_key", text(Some(customer))),
            ("token_id", text(Some(token))),
            ("is_default", false.into()),
        ];
        insert(self.connection, "customer_tokens", columns)
    }

    pub(crate) fn attach(&self, customer: &CustomerKey, new: &NewCustomerToken) -> Result<()> {
        // The card's own facts are those of the token.
        let NewCustomerTokenFields {
            token_id,
            exp_date: _,
            card_type: _,
            last_four_digits: _,
            description,
            is_default,
            avs_address,
            avs_zip,
        } = new.fields();
        self.tie(customer, token_id)?;
        let texts = [("description", description), ("avs_address", avs_address), ("avs_zip", avs_zip)];
        self.change_tie(customer, token_id, texts, is_default.map(|flag| flag.0))
    }

    pub(crate) fn update_attachment(
        &self,
        customer: &CustomerKey,
        update: &CustomerTokenUpdate,
    ) -> Result<()> {
        let CustomerTokenUpdateFields { token_id, description, is_default, avs_address, avs_zip } =
            update.fields();
        let texts = [("description", description), ("avs_address", avs_address), ("avs_zip", avs_zip)];
        self.change_tie(customer, token_id, texts, is_default.map(|flag| flag.0))
    }

    fn change_tie(
        &self,
        customer: &CustomerKey,
        token: &TokenId,
        texts: [(&'static str, Option<&Text>); 3],
        is_default: Option<bool>,
    ) -> Result<()> {
        if is_default == Some(true) {
            // A customer has one default card.
            let sql = "UPDATE customer_tokens SET is_default = 0 WHERE world = ? AND customer_key = ?";
            self.connection.prepare_cached(sql)?.execute(params![self.world, customer.as_str()])?;
        }
        let texts = texts.into_iter().filter_map(|(name, given)| Some((name, prose(Some(given?)))));
        let columns: Columns =
            texts.chain(is_default.map(|flag| ("is_default", Value::from(flag)))).collect();
        if columns.is_empty() {
            return Ok(());
        }
        let (names, mut values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let set = names.join(" = ?, ");
        let sql = format!(
            "UPDATE customer_tokens SET {set} = ? WHERE world = ? AND customer_key = ? AND token_id = ?"
        );
        values.extend([self.world.into(), text(Some(customer)), text(Some(token))]);
        self.connection.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
        Ok(())
    }

    /// The customer's tokens that are not deleted, newest first.
    pub(crate) fn customer_tokens(&self, customer: &CustomerKey) -> Result<Vec<CustomerToken>> {
        self.connection
            .prepare_cached(&format!("{ATTACHED} AND c.customer_key = ? ORDER BY c.number DESC"))?
            .query_map(params![self.world, customer.as_str()], customer_token)?
            .collect()
    }

    pub(crate) fn customer_token(
        &self,
        customer: &CustomerKey,
        token: &TokenId,
    ) -> Result<Option<CustomerToken>> {
        self.connection
            .prepare_cached(&format!("{ATTACHED} AND c.customer_key = ? AND c.token_id = ?"))?
            .query_row(params![self.world, customer.as_str(), token.as_str()], customer_token)
            .optional()
    }
}

const ATTACHED: &str = "SELECT c.*, t.exp_date, t.card_type, t.last_four FROM customer_tokens c
    JOIN tokens t ON t.world = c.world AND t.id = c.token_id WHERE c.world = ? AND t.status <> 'DELETED'";

const DAY: i64 = 86_400_000;

fn millis(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()
}

const ORDERS: &[(&str, &str)] = &[("token-id", "id"), ("created", "created"), ("updated", "updated")];

fn token(row: &Row<'_>) -> Result<Token> {
    let row = &NamedRow::of(row);
    Ok(Token {
        token_id: Some(read(row, "id")?),
        customer_key: read_some(row, "customer_key")?,
        status: Some(TokenStatus::reported(&row.get::<String>("status")?)),
        description: row.get("description")?,
        card_type: read_brand(row)?,
        last_four_digits: row.get("last_four")?,
        exp_date: read_expiry(row)?.map(Reported::from),
        avs_address: row.get("avs_address")?,
        avs_zip: row.get("avs_zip")?,
        is_default: None,
        times_used: Some(Reported::Value(row.get("times_used")?)),
        created: Some(Timestamp::reported(&Moment::from_millis(row.get("created")?).iso_millis())),
        updated: Some(Timestamp::reported(&Moment::from_millis(row.get("updated")?).iso_millis())),
        token_status: Some("Open".into()),
        merchant_id: None,
    })
}

fn customer_token(row: &Row<'_>) -> Result<CustomerToken> {
    let row = &NamedRow::of(row);
    Ok(CustomerToken {
        token_id: read(row, "token_id")?,
        customer_key: read_some(row, "customer_key")?,
        exp_date: read_expiry(row)?.map(Reported::from),
        card_type: read_brand(row)?,
        last_four_digits: row.get("last_four")?,
        description: row.get("description")?,
        is_default: Some(Reported::Value(row.get("is_default")?)),
        avs_address: row.get("avs_address")?,
        avs_zip: row.get("avs_zip")?,
    })
}
