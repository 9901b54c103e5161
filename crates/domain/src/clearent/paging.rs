/// Which page of a list, and in which order. Nothing set means the gateway's defaults: page 1, newest first, and a
/// page size that the vendor does not document (its example answers show 25).
///
/// ```
/// use perennial_domain::clearent::Paging;
///
/// let paging = Paging { page_size: Some(100), ..Paging::default() };
/// assert_eq!(paging.page, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// The page, counted from 1.
    pub page: Option<u32>,
    /// How many objects a page has.
    pub page_size: Option<u32>,
    /// The documented name of the field to order by.
    pub order_by: Option<String>,
    /// Whether the order is descending; the gateway's default is `true`.
    pub descending: Option<bool>,
}
