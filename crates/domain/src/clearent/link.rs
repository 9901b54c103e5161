/// A link in a response. Links are only read: this library never follows one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Link {
    /// The relation of the link: `self`, `payment-plans`, `customers`, `tokens`, `transaction`, `token`.
    pub rel: String,
    /// The target, absolute or relative.
    pub href: String,
    /// The id of a transaction or token, if the link has one.
    pub id: Option<String>,
}
