//! Card numbers that the sandbox accepts: published test numbers, so that it never receives a real card.

use perennial_domain::{CardNumber, Rule, Violations};

/// Numbers of the Clearent material, of its simulator's network, and the ones that every processor publishes: one per
/// line, with comments.
const PUBLISHED: &str = include_str!("test_cards.txt");

/// Whether a number is published for tests.
pub(crate) fn is_published(card: &CardNumber) -> bool {
    PUBLISHED.lines().any(|line| line == card.expose())
}

/// Refuses a number that is not published for tests, without repeating it.
pub(crate) fn check(card: &CardNumber) -> Result<(), Violations> {
    if is_published(card) {
        Ok(())
    } else {
        Err(Violations::one("card", Rule::OneOf("the published test card numbers, such as 4111111111111111")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_number_is_a_card_number_of_a_known_brand() {
        let numbers: Vec<&str> =
            PUBLISHED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(numbers.len() > 40, "{numbers:?}");
        for number in numbers {
            let card = CardNumber::try_from(number).unwrap_or_else(|error| panic!("{number}: {error}"));
            assert!(card.brand().is_some(), "{number}");
            assert!(check(&card).is_ok());
        }
        assert!(check(&CardNumber::try_from("9999999999999995").unwrap()).is_err());
    }
}
