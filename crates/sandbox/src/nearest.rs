//! Suggestions for a mistyped name, and lists of names in words.

/// The known name nearest to `given`, if one is near: at most a third of its letters are wrong, left out, added
/// or swapped with a neighbor. Case does not count.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |name: &&str| distance(given, name) * 3 <= name.chars().count();
    known.into_iter().filter(near).min_by_key(|name| distance(given, name))
}

/// The edit distance of two words (Damerau and Levenshtein, by optimal string alignment).
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let [one, other] =
        [one, other].map(|word| word.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>());
    // The last two rows are all that is ever needed of the table.
    let (mut before, mut above) = (Vec::new(), (0..=other.len()).collect::<Vec<_>>());
    for (row, a) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, b) in other.iter().enumerate() {
            let mut least =
                (above[column] + usize::from(a != b)).min(above[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && *a == other[column - 1] && one[row - 1] == *b {
                least = least.min(before[column - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut above, next);
    }
    above[other.len()]
}

/// Joins names in words: `a`, `a and b`, `a, b and c`.
pub(crate) fn in_words(names: &[&str], last: &str) -> String {
    match names {
        [names @ .., end] if !names.is_empty() => format!("{} {last} {end}", names.join(", ")),
        names => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_is_a_third_of_the_letters() {
        let known = ["retention", "partial-amount", "seed", "now", "a"];
        let cases = [
            ("retention", Some("retention")),
            ("Retention", Some("retention")),
            ("retentoin", Some("retention")),
            ("retain", None),
            ("partial_amount", Some("partial-amount")),
            ("partialamount", Some("partial-amount")),
            ("amount", None),
            ("sed", Some("seed")),
            ("seeds", Some("seed")),
            ("nwo", Some("now")),
            ("b", None),
            ("", None),
        ];
        for (given, expected) in cases {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
        for (one, other, expected) in [("", "abc", 3), ("ab", "ba", 1), ("abc", "abc", 0), ("ca", "abc", 3)] {
            assert_eq!((distance(one, other), distance(other, one)), (expected, expected), "{one} {other}");
        }
    }
}
