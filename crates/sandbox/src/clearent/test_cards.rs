//! The card numbers that the sandbox takes: published test numbers, so that nobody's real card ever gets here.

use perennial_domain::{CardNumber, Rule, Violations};

/// Numbers of the Clearent material, of its simulator's network, and the ones that every processor publishes.
const PUBLISHED: &[&str] = &[
    "4000056655665556",
    "4005519200000004",
    "4007000000027",
    "4009348888881881",
    "4012000033330026",
    "4012000077777777",
    "4012000098765439",
    "4012888888881881",
    "4111111111111111",
    "4217651111111119",
    "4222222222222",
    "4242424242424242",
    "4500600000000061",
    "2222400070000005",
    "2223000010309703",
    "2223000048400011",
    "2223003122003222",
    "5100000010001004",
    "5105105105105100",
    "5200828282828210",
    "5424000000000015",
    "5454545454545454",
    "5499740000000057",
    "5555555555554444",
    "340000000000009",
    "370000000000002",
    "371144371144376",
    "371449635392376",
    "371449635398431",
    "378282246310005",
    "378734493671000",
    "6011000000000004",
    "6011000000000012",
    "6011000990139424",
    "6011000991300009",
    "6011000993026909",
    "6011111111111117",
    "6011981111111113",
    "30000000000004",
    "30569309025904",
    "36227206271667",
    "38000000000006",
    "38520000023237",
    "3056930009020004",
    "3530111333300000",
    "3566002020360505",
];

/// Refuses a number that is not published for tests, without repeating it.
pub(super) fn check(card: &CardNumber) -> Result<(), Violations> {
    if PUBLISHED.contains(&card.expose()) {
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
        for number in PUBLISHED {
            let card = CardNumber::try_from(*number).unwrap_or_else(|error| panic!("{number}: {error}"));
            assert!(card.brand().is_some(), "{number}");
            assert!(check(&card).is_ok());
        }
        assert!(check(&CardNumber::try_from("9999999999999995").unwrap()).is_err());
    }
}
