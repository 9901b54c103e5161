//! Lists: streams of objects over pages, with a guaranteed end.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use perennial_wire::UnreadableRecord;

use crate::{Error, ErrorKind, PageInfo, Response};

/// The objects found by a search, read page by page.
///
/// A record that cannot be read does not hide the others: in its place is an error with an
/// [`unreadable_record`](Error::unreadable_record), and the list continues. Such a record exists: a program that checks
/// whether an object exists must not skip it.
///
/// A page is requested when its first object is, and not before. Any other error ends the list;
/// [`cursor`](Self::cursor) and [`from_page`](Self::from_page) continue it. If the pages do not end, the error has the
/// kind [`PageLoop`](ErrorKind::PageLoop): for a page that is not the requested one, is beyond the announced number of
/// pages, is the fourth in a row without anything new and without a number, or is the ten-thousandth.
///
/// # A list that changes while it is read
///
/// The gateways number pages and keep no snapshot: an object that is created or deleted between the reads of two pages
/// moves the objects after it. The list returns each object once, and remembers the keys of all objects for that
/// purpose. If the number of objects changed and the next page does not continue the previous one, the list reads the
/// previous page again, and returns the objects that moved there. A list in an order chosen by the caller (`order_by`,
/// `descending`) does this for every page, because there the number of objects is not sufficient. Objects that are
/// created in the meantime may be missing: [`changed`](Self::changed) reports that.
///
/// ```no_run
/// # use perennial::{Clearent, Error, clearent::CustomerSearch};
/// # async fn names(client: Clearent) -> Result<(), Error> {
/// let mut customers = client.customers().search(&CustomerSearch::default());
/// while let Some(customer) = customers.next().await {
///     println!("{}", customer?.customer_key);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a list sends no request until it is read"]
pub struct List<T> {
    operation: &'static str,
    fetch: Box<dyn Fn(u32) -> Fetch<T> + Send + Sync>,
    key: fn(&T) -> Option<&str>,
    /// Whether each page is checked against the previous one.
    checks_all: bool,
    first_page: u32,
    next_page: u32,
    fetching: Option<Fetch<T>>,
    items: vec::IntoIter<Result<T, Error>>,
    /// The page of the items.
    page: u32,
    /// The returned objects, with the order in which they were returned.
    given: HashMap<String, usize>,
    /// The number of returned objects without a key.
    unkeyed: u64,
    /// The number of objects when the latest page was read.
    total: Option<u64>,
    /// The check for which the next page is read.
    check: Option<Check>,
    /// If the next page was read before: the number of objects that had been returned before it.
    again: Option<usize>,
    /// The number of pages, and the number of pages in a row without anything new.
    pages: usize,
    barren: usize,
    changed: bool,
    ended: bool,
}

/// A second read of a page, because objects after it may have moved there.
struct Check {
    /// The page after it.
    behind: u32,
    /// The number of objects that had been returned before that page.
    before: usize,
    /// Whether that page was the last one with objects.
    is_last: bool,
    /// Whether it was empty.
    is_empty: bool,
}

/// The pages of a list. Each is a [`Response`], whose [`page`](Response::page) has its number and the totals, and
/// contains the objects that were not on an earlier page. Its [`unreadable`](Response::unreadable) has the records that
/// could not be read. A page without anything new is skipped.
#[must_use = "a list sends no request until it is read"]
pub struct ListPages<T>(List<T>);

pub(crate) type Fetch<T> = Pin<Box<dyn Future<Output = Result<Response<Vec<T>>, Error>> + Send>>;

/// The maximum number of pages that one list reads.
const MOST_PAGES: usize = 10_000;

/// The maximum number of pages in a row without anything new, if the gateway does not report the page number.
const MOST_BARREN: usize = 3;

/// The reason why a list was not read further.
#[derive(Debug, thiserror::Error)]
enum Loop {
    #[error("page {requested} was requested, and the response is page {answered}")]
    AnotherPage { requested: u32, answered: u64 },
    #[error("page {requested} and the {MOST_BARREN} pages before it contained no new objects")]
    Repeated { requested: u32 },
    #[error("page {requested} has objects, though only {announced} pages were announced")]
    BeyondTheEnd { requested: u32, announced: u64 },
    #[error("there are more than {MOST_PAGES} pages")]
    Endless,
}

impl<T> List<T> {
    pub(crate) fn new(
        operation: &'static str,
        first_page: Option<u32>,
        key: fn(&T) -> Option<&str>,
        fetch: impl Fn(u32) -> Fetch<T> + Send + Sync + 'static,
    ) -> Self {
        let first_page = first_page.unwrap_or(1).max(1);
        Self {
            operation,
            fetch: Box::new(fetch),
            key,
            checks_all: false,
            first_page,
            next_page: first_page,
            fetching: None,
            items: Vec::new().into_iter(),
            page: first_page,
            given: HashMap::new(),
            unkeyed: 0,
            total: None,
            check: None,
            again: None,
            pages: 0,
            barren: 0,
            changed: false,
            ended: false,
        }
    }

    /// Sets whether new objects may appear anywhere in the order; then each page is checked against the previous one.
    pub(crate) fn in_any_order(self, checks_all: bool) -> Self {
        Self { checks_all, ..self }
    }

    /// Restarts the list at this page, counted from 1, without the objects read so far.
    pub fn from_page(self, page: u32) -> Self {
        let page = page.max(1);
        Self {
            first_page: page,
            next_page: page,
            fetching: None,
            items: Vec::new().into_iter(),
            page,
            given: HashMap::new(),
            unkeyed: 0,
            total: None,
            check: None,
            again: None,
            pages: 0,
            barren: 0,
            changed: false,
            ended: false,
            ..self
        }
    }

    /// The number of the page that contains the next object: a list from there continues this one. If that page was
    /// read in part, its first objects are returned again.
    pub fn cursor(&self) -> u32 {
        if self.items.len() > 0 { self.page } else { self.next_page }
    }

    /// Whether objects were created or deleted while the list was read. The list detects this from the objects and
    /// their number: it does not notice if as many objects are added at the front as were deleted there. No object is
    /// returned twice, but new ones may be missing. If the list changed several times in a row, an object that always
    /// existed may be missing, too. Read the list again to see all objects.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// Returns the next object, or `None` after the last.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// The pages of the list, starting with the next unread page.
    pub fn pages(self) -> ListPages<T> {
        ListPages(self)
    }

    /// Collects all remaining objects. A record that cannot be read is an error; to read the others, use
    /// [`next`](Self::next). Afterwards, [`changed`](Self::changed) shows whether the list changed in the meantime.
    pub async fn collect_all(&mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item?);
        }
        Ok(all)
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        loop {
            if let Some(item) = self.items.next() {
                return Poll::Ready(Some(item));
            }
            match ready!(self.poll_page(context)) {
                Some(Ok(page)) => self.items = page.each().into_value().into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Response<Vec<T>>, Error>>> {
        while !self.ended {
            let requested = self.next_page;
            let fetching = self.fetching.get_or_insert_with(|| (self.fetch)(requested));
            let fetched = ready!(fetching.as_mut().poll(context));
            self.fetching = None;
            let accepted = fetched.and_then(|page| {
                self.accept(requested, page).map_err(|endless| {
                    Error::because(ErrorKind::PageLoop, endless).of_operation(self.operation)
                })
            });
            match accepted {
                Ok(page) if page.is_nothing() => {}
                accepted => {
                    self.page = requested;
                    self.ended |= accepted.is_err();
                    return Poll::Ready(Some(accepted));
                }
            }
        }
        Poll::Ready(None)
    }

    /// Returns the objects of a page that were not returned before, and decides which page is read next.
    fn accept(&mut self, requested: u32, page: Response<Vec<T>>) -> Result<Response<Vec<T>>, Loop> {
        let info = page.page().cloned().unwrap_or_default();
        let (key, is_empty) = (self.key, page.is_nothing());
        let moved = match (self.total, info.total_elements) {
            (Some(before), Some(now)) => before != now,
            (Some(_), None) => is_empty,
            (None, _) => false,
        };
        self.total = info.total_elements.or(self.total);
        let before = self.check.as_ref().map(|check| check.before).or(self.again);
        let rereads = before.is_some();
        let before = before.unwrap_or(self.given.len());
        // Whether the page begins with an object that was read before, or continues the list.
        let mut begins = None;
        let mut is_known = false;
        let mut unkeyed = 0;
        let page = page.keep(|record| {
            let Some(key) = record.map_or_else(UnreadableRecord::key, key) else {
                // An object without a key cannot be recognized.
                begins.get_or_insert(true);
                unkeyed += u64::from(!rereads);
                return !rereads;
            };
            let number = self.given.get(key).copied();
            begins.get_or_insert(number.is_some_and(|number| number < before));
            is_known |= number.is_some();
            number.is_none() && self.given.insert(key.to_owned(), self.given.len()).is_none()
        });
        self.unkeyed += unkeyed;
        self.changed |= moved || if rereads { !page.is_nothing() } else { is_known };
        if !is_empty {
            self.guard(requested, &info, page.is_nothing())?;
        }
        let is_last = is_empty || info.last == Some(true) || info.total_pages == Some(u64::from(requested));
        let may_slip = !begins.unwrap_or(false) && requested > self.first_page;
        match self.check.take() {
            None if may_slip && (moved || self.checks_all && !rereads) => {
                self.check = Some(Check { behind: requested, before, is_last, is_empty });
                self.next_page = requested - 1;
            }
            None => {
                self.ended = is_last;
                self.next_page = requested.saturating_add(u32::from(!is_empty));
            }
            Some(Check { .. }) if may_slip => {
                self.check = Some(Check { behind: requested, before, is_last: false, is_empty: false });
                self.next_page = requested - 1;
            }
            Some(Check { is_empty: true, .. }) if is_last && !moved => {
                self.ended = true;
                self.next_page = requested.saturating_add(1);
            }
            // The list changed again: the next page is read again, too.
            Some(Check { behind, is_empty, .. }) if moved || is_empty => {
                self.next_page = behind;
                self.again = Some(before);
                return Ok(page);
            }
            Some(Check { behind, is_last, .. }) => {
                self.ended = is_last;
                self.next_page = behind.saturating_add(1);
            }
        }
        self.again = None;
        // An end that contradicts the gateway's own count is also a change: an object may be missing.
        let seen = u64::try_from(self.given.len()).unwrap_or(u64::MAX).saturating_add(self.unkeyed);
        let is_short = (is_empty && info.last == Some(false)) || self.total.is_some_and(|total| total > seen);
        self.changed |= self.ended && self.first_page <= 1 && is_short;
        Ok(page)
    }

    /// Refuses pages that do not end.
    fn guard(&mut self, requested: u32, info: &PageInfo, is_barren: bool) -> Result<(), Loop> {
        if let Some(answered) = info.number.filter(|number| *number != u64::from(requested)) {
            return Err(Loop::AnotherPage { requested, answered });
        }
        if let Some(announced) = info.total_pages.filter(|total| *total < u64::from(requested)) {
            return Err(Loop::BeyondTheEnd { requested, announced });
        }
        if self.check.is_some() || self.again.is_some() {
            return Ok(());
        }
        // A list that grew repeats objects once more, and ends at the announced page.
        let ends = info.number.is_some() && info.total_pages.is_some();
        self.barren = if is_barren && !ends { self.barren + 1 } else { 0 };
        if self.barren > MOST_BARREN {
            return Err(Loop::Repeated { requested });
        }
        self.pages += 1;
        if self.pages > MOST_PAGES { Err(Loop::Endless) } else { Ok(()) }
    }
}

impl<T> ListPages<T> {
    /// Returns the next page, or `None` after the last.
    pub async fn next_page(&mut self) -> Option<Result<Response<Vec<T>>, Error>> {
        poll_fn(|context| self.0.poll_page(context)).await
    }

    /// The number of the next page, counted from 1.
    pub fn cursor(&self) -> u32 {
        self.0.next_page
    }

    /// Whether objects were created or deleted while the pages were read: see [`List::changed`].
    pub fn changed(&self) -> bool {
        self.0.changed()
    }
}

/// The error for a list that decides about money, but changed every time it was read or ended before the gateway's own
/// count.
#[derive(Debug, thiserror::Error)]
#[error("the list changed while it was read, or is incomplete; nothing was sent: try again")]
pub(crate) struct Moved;

/// A list never pins an object.
impl<T> Unpin for List<T> {}

impl<T> Stream for List<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(context)
    }
}

impl<T> Stream for ListPages<T> {
    type Item = Result<Response<Vec<T>>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_page(context)
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("cursor", &self.cursor()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ListPages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListPages").field("cursor", &self.cursor()).finish_non_exhaustive()
    }
}
