/// The page and the order of a list. If nothing is set, the gateway uses its defaults: page 1, newest first, and a page
/// size that the vendor does not document (its example responses show 25).
///
/// ```
/// use perennial_domain::clearent::Paging;
///
/// let paging = Paging { page_size: Some(100), ..Paging::default() };
/// assert_eq!(paging.page, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// The number of the page, counted from 1.
    pub page: Option<u32>,
    /// The number of objects per page.
    pub page_size: Option<u32>,
    /// The documented name of the field to order by.
    pub order_by: Option<String>,
    /// Whether the order is descending; the gateway's default is `true`.
    pub descending: Option<bool>,
}
