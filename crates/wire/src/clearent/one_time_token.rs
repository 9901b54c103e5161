//! One-time tokens of cards, as the gateway answers them to the payer's browser or phone.
//!
//! The names of the members are those that the vendor's library for iOS reads. A merchant's server gets the token from its
//! page or app and sends it back in the header `mobilejwt` ([`Call::one_time_token`](super::Call)).

use perennial_domain::CardBrand;
use perennial_domain::clearent as domain;

use crate::fields::{Fault, given, key, owned, some_text, text};
use crate::text::Text;

message! {
    pub(crate) struct MobileJwt<'a> as "mobile-jwt" {
        jwt: Option<Text<'a>> = "jwt",
        last_four: Option<Text<'a>> = "last-four",
        card_type: Option<Text<'a>> = "card-type",
    }
}

impl<'a> From<&'a domain::MobileJwt> for MobileJwt<'a> {
    fn from(domain::MobileJwt { token, last_four, card_type }: &'a domain::MobileJwt) -> Self {
        Self {
            jwt: Some(text(token.expose())),
            last_four: some_text(last_four.as_ref()),
            card_type: card_type.as_ref().map(|brand| text(brand.as_str())),
        }
    }
}

impl MobileJwt<'_> {
    pub(crate) fn record(self) -> Result<domain::MobileJwt, Fault> {
        let Self { jwt, last_four, card_type } = self;
        Ok(domain::MobileJwt {
            token: key("jwt", jwt)?.ok_or_else(|| Fault::missing("jwt"))?,
            last_four: owned(last_four),
            card_type: given(card_type).map(|brand| CardBrand::reported(&brand)),
        })
    }
}
