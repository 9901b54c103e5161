//! One-time tokens of cards, as the gateway issues them to the payer's browser or phone.
//!
//! The names of the members are those that the vendor's library for iOS reads. A merchant's server gets the token from its
//! page or app and sends it back in the header `mobilejwt` ([`Call::one_time_token`](super::Call)).

use perennial_domain::clearent as domain;

use crate::text::Text;

message! {
    pub(crate) struct MobileJwt<'a> as "mobile-jwt" of domain::MobileJwt; {
        token: Option<Text<'a>> = "jwt",
        last_four: Option<Text<'a>> = "last-four",
        card_type: Option<Text<'a>> = "card-type",
    }
}
