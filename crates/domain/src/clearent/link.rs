/// A link of an answer. Links are for reading: this library never follows one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Link {
    /// What the link leads to: `self`, `payment-plans`, `customers`, `tokens`, `transaction`, `token`.
    pub rel: String,
    /// Where, absolute or relative.
    pub href: String,
    /// The id of a transaction or token, where it is given.
    pub id: Option<String>,
}
