//! Lists: streams over pages that end, whatever the gateway answers.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use perennial_wire::UnreadableRecord;

use crate::{Error, ErrorKind, PageInfo, Response};

/// The objects that a search finds, page after page.
///
/// A record that cannot be read does not hide the others: in its place is an error with an
/// [`unreadable_record`](Error::unreadable_record), and the list goes on. It was never absent: whoever asks whether
/// something is there must not pass over it.
///
/// A page is asked for when its first object is, and not before. Any other error ends the list; [`cursor`](Self::cursor)
/// and [`from_page`](Self::from_page) continue it. Pages that do not end are an error of kind
/// [`PageLoop`](ErrorKind::PageLoop): one that is not the page asked for, lies beyond the number of pages announced,
/// is the fourth in a row without anything new and without a number, or is the ten-thousandth.
///
/// # A list that changes while it is read
///
/// The gateways number pages and keep no snapshot: what is made or deleted between two pages moves the objects behind
/// it. The list gives each object once, whatever moves, and remembers the keys of all objects for that. Where the number
/// of objects moved and the next page does not continue what was read, it reads the page before again, and gives what had
/// slipped there. A list in an order of the caller's choice (`order_by`, `descending`) does so for every page, because
/// there the number of objects does not tell. Objects that are made in the meantime may be missing:
/// [`changed`](Self::changed) tells that.
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
#[must_use = "nothing is asked for until it is read"]
pub struct List<T> {
    operation: &'static str,
    fetch: Box<dyn Fn(u32) -> Fetch<T> + Send + Sync>,
    key: fn(&T) -> Option<&str>,
    /// Whether each page is checked against the one before it.
    checks_all: bool,
    first_page: u32,
    next_page: u32,
    fetching: Option<Fetch<T>>,
    items: vec::IntoIter<Result<T, Error>>,
    /// The page of the items.
    page: u32,
    /// The objects that were given, by the order in which they were.
    given: HashMap<String, usize>,
    /// How many without a key were given.
    unkeyed: u64,
    /// How many objects there were when the latest page was read.
    total: Option<u64>,
    /// The check that the next page serves.
    check: Option<Check>,
    /// If the next page was read before: how many objects had been given before that.
    again: Option<usize>,
    /// How many pages there were, and how many in a row that brought nothing new.
    pages: usize,
    barren: usize,
    changed: bool,
    ended: bool,
}

/// A page is read again, because what is behind it may have moved there.
struct Check {
    /// The page behind it.
    behind: u32,
    /// How many objects had been given before that page.
    before: usize,
    /// Whether that page was the last one with objects.
    is_last: bool,
    /// Whether nothing was on it.
    is_empty: bool,
}

/// A list by its pages: each is a [`Response`], whose [`page`](Response::page) has its number and the totals, and holds
/// what was not on a page before it. Its [`unreadable`](Response::unreadable) has the records that could not be read. A
/// page without anything new is passed over.
#[must_use = "nothing is asked for until it is read"]
pub struct Pages<T>(List<T>);

pub(crate) type Fetch<T> = Pin<Box<dyn Future<Output = Result<Response<Vec<T>>, Error>> + Send>>;

/// The most pages that one list reads.
const MOST_PAGES: usize = 10_000;

/// The most pages in a row without anything new, where the gateway does not say which page it answers.
const MOST_BARREN: usize = 3;

/// Why a list was not read further.
#[derive(Debug, thiserror::Error)]
enum Loop {
    #[error("page {requested} was asked for and page {answered} was answered")]
    AnotherPage { requested: u32, answered: u64 },
    #[error("page {requested} and the {MOST_BARREN} pages before it brought nothing new")]
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

    /// The same list in an order in which new objects may come anywhere: each page is checked against the one before.
    pub(crate) fn in_any_order(self, checks_all: bool) -> Self {
        Self { checks_all, ..self }
    }

    /// Begins from this page, counted from 1, and forgets what was read.
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

    /// The page that holds the next object: a list from there continues this one. If that page was read in part, its
    /// first objects come again.
    pub fn cursor(&self) -> u32 {
        if self.items.len() > 0 { self.page } else { self.next_page }
    }

    /// Whether objects were made or deleted while the list was read. The list knows this from the objects and their number:
    /// if as many new ones come in front as were deleted there, it does not notice. No object is given twice, and new ones
    /// may be missing. If the list changed several times in a row, an object that was there all the time may be missing,
    /// too. Read the list again to see all.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// The next object, or `None` after the last.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// The list by its pages, from the next page that was not read.
    pub fn pages(self) -> Pages<T> {
        Pages(self)
    }

    /// All objects that are left. One that cannot be read is an error; by [`next`](Self::next) the others can be read,
    /// too. Whether the list [`changed`](Self::changed) meanwhile can be asked afterwards.
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

    /// What of a page was not given before; decides which page is read next.
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
        // Whether the page begins with what was read before, or behind it.
        let mut begins = None;
        let mut is_known = false;
        let mut unkeyed = 0;
        let page = page.keep(|record| {
            let Some(key) = record.map_or_else(UnreadableRecord::key, key) else {
                // What has no key cannot be found again.
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
            // It moved again: what is behind is read again, too.
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
        // An end that contradicts what the gateway said of it is a change, too: something may be missing.
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
        // A list that grew brings what was read once more, and ends where it says.
        let ends = info.number.is_some() && info.total_pages.is_some();
        self.barren = if is_barren && !ends { self.barren + 1 } else { 0 };
        if self.barren > MOST_BARREN {
            return Err(Loop::Repeated { requested });
        }
        self.pages += 1;
        if self.pages > MOST_PAGES { Err(Loop::Endless) } else { Ok(()) }
    }
}

impl<T> Pages<T> {
    /// The next page, or `None` after the last.
    pub async fn next_page(&mut self) -> Option<Result<Response<Vec<T>>, Error>> {
        poll_fn(|context| self.0.poll_page(context)).await
    }

    /// The page that comes next, counted from 1.
    pub fn cursor(&self) -> u32 {
        self.0.next_page
    }

    /// Whether objects were made or deleted while the pages were read: see [`List::changed`].
    pub fn changed(&self) -> bool {
        self.0.changed()
    }
}

/// A list on which money depends changed whenever it was read, or ended before the gateway's own count.
#[derive(Debug, thiserror::Error)]
#[error("the list changed while it was read, or is not whole; nothing was sent: ask again")]
pub(crate) struct Moved;

/// No object is ever pinned inside a list.
impl<T> Unpin for List<T> {}

impl<T> Stream for List<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(context)
    }
}

impl<T> Stream for Pages<T> {
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

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("cursor", &self.cursor()).finish_non_exhaustive()
    }
}
