//! Names of options for errors of requests.

use perennial::Violations;

use crate::failure;

/// Renames violations by option: the member's own name, as in `--outstanding-balance` for
/// `invoices[0].outstandingBalance`, except for addresses, which have a prefix.
pub(super) fn by_option(violations: &Violations) -> Violations {
    let mut named = Violations::default();
    for violation in violations {
        named.add(option(&violation.field), violation.rule);
    }
    named
}

/// Renames violations of a list that was read from a file: members of its items keep their path.
pub(crate) fn by_place(violations: &Violations) -> Violations {
    let mut named = Violations::default();
    for violation in violations {
        match &violation.field {
            listed if listed.contains("].") => named.add(listed.clone(), violation.rule),
            other => named.add(option(other), violation.rule),
        }
    }
    named
}

fn option(path: &str) -> String {
    let (owner, member) = path.rsplit_once('.').unwrap_or(("", path));
    match (owner, member) {
        ("", "invoices") => "an invoice".to_owned(),
        ("", "lineItems") => "an item".to_owned(),
        (_, "cardNumber") => "card".to_owned(),
        (_, "cvv") => "csc".to_owned(),
        (owner, "expirationDate") if owner.ends_with("creditCard") => failure::CARD_EXPIRY.to_owned(),
        (_, "routingNumber") => "routing number of the account".to_owned(),
        (_, "accountNumber") => "account number of the account".to_owned(),
        (owner, member) => {
            let word = match owner.rsplit('.').next() {
                Some("billingAddress" | "billingInformation") => "billing-",
                Some("payerAddress") => "payer-",
                _ => "",
            };
            format!("{word}{}", kebab(member))
        }
    }
}

/// Writes `outstandingBalance` as `outstanding-balance`, and `clientID` as `client-id`.
pub(super) fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len() + 4);
    let mut after_capital = true;
    for c in name.chars() {
        if c.is_ascii_uppercase() && !after_capital {
            kebab.push('-');
        }
        after_capital = c.is_ascii_uppercase();
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_named_as_it_was_given() {
        for (path, given) in [
            ("totalAmount", "total-amount"),
            ("lineItems", "an item"),
            ("invoices[0].clientID", "client-id"),
            ("invoices[0].matterPK", "matter-pk"),
            ("pageOptions.duration", "duration"),
            ("billingInformation.addressLine1", "billing-address-line1"),
            ("paymentMethods[0].billingAddress.zipCode", "billing-zip-code"),
            ("payerAddress.state", "payer-state"),
            ("paymentMethods[0].creditCard.cardNumber", "card"),
            ("creditCard.expirationDate", "exp-date of the card"),
            ("eCheck.accountNumber", "account number of the account"),
            ("eCheck.nameOnAccount", "name-on-account"),
        ] {
            assert_eq!(option(path), given);
        }
    }
}
