//! Comparison of names of people and plans: without regard to case and surrounding blanks.

use std::cmp::Ordering;

use rusqlite::{Connection, Result};

/// Registers the collation `names` with a connection. Its indexes need it.
pub(super) fn register(connection: &Connection) -> Result<()> {
    connection.create_collation("names", compare)
}

fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim(), other.trim());
    if one.is_ascii() && other.is_ascii() {
        let [one, other] = [one, other].map(|name| name.bytes().map(|byte| byte.to_ascii_uppercase()));
        return one.cmp(other);
    }
    // Two small letters may share a capital, as both sigmas do, and a letter may have two capitals in its place.
    one.chars().flat_map(char::to_uppercase).cmp(other.chars().flat_map(char::to_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_do_not_count() {
        let same = [
            ("Byron", "BYRON"),
            ("Byron", " byron\u{a0}"),
            ("Ämilie", "äMILIE"),
            ("Straße", "STRASSE"),
            ("ΟΔΥΣΣΕΥΣ", "Οδυσσευς"),
            ("", "  "),
        ];
        for (one, other) in same {
            assert_eq!(compare(one, other), Ordering::Equal, "{one} {other}");
        }
        let in_order = ["", "ada", "Byron", "byron ii", "Émile", "Ωmega"];
        assert!(in_order.is_sorted_by(|one, other| compare(one, other) == Ordering::Less));
        assert_ne!(compare("Byron", "By ron"), Ordering::Equal);
    }
}
