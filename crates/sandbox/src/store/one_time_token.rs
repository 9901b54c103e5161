//! One-time tokens of cards, stored as hashes of their JWTs. The stored parts of a card are those of a vault token, and
//! the issuer's future result for the security code.

use perennial_domain::CardBrand;
use perennial_domain::clearent::OneTimeToken;
use rusqlite::{OptionalExtension, Result, params};

use super::row::{Columns, NamedRow, insert, read_brand, read_expiry, text, to_text};
use super::token::Card;
use crate::clock::Moment;
use crate::seed::{hash, hex};
use crate::store::session::Session;
use crate::store::world::Kind;

/// A card behind a one-time token.
pub(crate) struct OneTimeCard {
    pub(crate) card: Card,
    /// The letter of the issuer's result for the security code, if there was one.
    pub(crate) csc: Option<String>,
}

/// The state of a one-time token.
pub(crate) enum OneTime {
    /// The token charges this card, which uses it up.
    Card(OneTimeCard),
    Used,
    Expired,
    Unknown,
}

impl Session<'_> {
    /// The number of the next one-time token of the world.
    pub(crate) fn next_one_time_token(&self) -> Result<u64> {
        self.next(Kind::OneTimeToken)
    }

    pub(crate) fn create_one_time_token(
        &self,
        number: u64,
        jwt: &str,
        OneTimeCard { card: Card { brand, last_four, exp_date }, csc }: OneTimeCard,
        expires: Moment,
    ) -> Result<()> {
        let columns: Columns = vec![
            ("world", self.world.into()),
            ("number", number.cast_signed().into()),
            ("hash", hex(&hash(jwt)).into()),
            ("card_type", text(brand.as_ref().map(CardBrand::as_str))),
            ("last_four", last_four.into()),
            ("exp_date", to_text(exp_date)),
            ("csc", text(csc)),
            ("expires", expires.millis().into()),
            ("used", false.into()),
        ];
        insert(self.connection, "one_time_tokens", columns)
    }

    /// Uses a one-time token up, if it is still valid. A later refusal undoes this.
    pub(crate) fn use_one_time_token(&self, token: &OneTimeToken) -> Result<OneTime> {
        let key = params![self.world, hex(&hash(token.expose()))];
        let sql = "SELECT card_type, last_four, exp_date, csc, expires, used FROM one_time_tokens
                   WHERE world = ? AND hash = ?";
        let found = self.connection.prepare_cached(sql)?.query_row(key, |row| {
            let row = &NamedRow::of(row);
            let card = Card {
                brand: read_brand(row)?,
                last_four: row.get("last_four")?,
                exp_date: read_expiry(row)?,
            };
            let expires = Moment::from_millis(row.get("expires")?);
            Ok((OneTimeCard { card, csc: row.get("csc")? }, expires, row.get::<bool>("used")?))
        });
        let Some((card, expires, used)) = found.optional()? else { return Ok(OneTime::Unknown) };
        if used {
            return Ok(OneTime::Used);
        }
        if self.now >= expires {
            return Ok(OneTime::Expired);
        }
        let sql = "UPDATE one_time_tokens SET used = 1 WHERE world = ? AND hash = ?";
        self.connection.prepare_cached(sql)?.execute(key)?;
        Ok(OneTime::Card(card))
    }
}
