//! Lists: streams over pages that end, whatever the gateway answers.

use std::collections::HashSet;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;

use crate::{Error, ErrorKind, Response};

/// The objects that a search finds, page after page.
///
/// A record that cannot be read does not hide the others: in its place is an error with an
/// [`unreadable_record`](Error::unreadable_record), and the list goes on. It was never absent: whoever asks whether
/// something is there must not pass over it.
///
/// A page is asked for when its first object is, and not before. Any other error ends the list; [`cursor`](Self::cursor) and
/// [`from_page`](Self::from_page) continue it. Pages that do not end are an error of kind
/// [`PageLoop`](ErrorKind::PageLoop): one that is not the page asked for, begins like one before it, lies beyond the
/// number of pages announced, or is the ten-thousandth.
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
    next_page: u32,
    fetching: Option<Fetch<T>>,
    items: vec::IntoIter<Result<T, Error>>,
    seen: HashSet<String>,
    ended: bool,
}

/// A list by its pages: each is a [`Response`], whose [`page`](Response::page) has its number and the totals, and whose
/// [`unreadable`](Response::unreadable) has the records that could not be read.
#[must_use = "nothing is asked for until it is read"]
pub struct Pages<T>(List<T>);

pub(crate) type Fetch<T> = Pin<Box<dyn Future<Output = Result<Response<Vec<T>>, Error>> + Send>>;

/// The most pages that one list reads.
const MOST_PAGES: usize = 10_000;

/// Why a list was not read further.
#[derive(Debug, thiserror::Error)]
enum Loop {
    #[error("page {asked} was asked for and page {answered} was answered")]
    AnotherPage { asked: u32, answered: u64 },
    #[error("page {asked} begins like a page before it")]
    Repeated { asked: u32 },
    #[error("page {asked} has objects, though only {announced} pages were announced")]
    BeyondTheEnd { asked: u32, announced: u64 },
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
        Self {
            operation,
            fetch: Box::new(fetch),
            key,
            next_page: first_page.unwrap_or(1).max(1),
            fetching: None,
            items: Vec::new().into_iter(),
            seen: HashSet::new(),
            ended: false,
        }
    }

    /// Begins from this page, counted from 1, and forgets what was read.
    pub fn from_page(mut self, page: u32) -> Self {
        self.next_page = page.max(1);
        self.fetching = None;
        self.items = Vec::new().into_iter();
        self.seen.clear();
        self.ended = false;
        self
    }

    /// The page that holds the next object: a list from there continues this one. If that page was read in part, its
    /// first objects come again.
    pub fn cursor(&self) -> u32 {
        if self.items.len() > 0 { self.next_page - 1 } else { self.next_page }
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
    /// too.
    pub async fn collect_all(mut self) -> Result<Vec<T>, Error> {
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
        if self.ended {
            return Poll::Ready(None);
        }
        let fetching = self.fetching.get_or_insert_with(|| (self.fetch)(self.next_page));
        let fetched = ready!(fetching.as_mut().poll(context));
        self.fetching = None;
        let checked = fetched.and_then(|page| match self.check(&page) {
            Ok(()) => Ok(page),
            Err(endless) => Err(Error::because(ErrorKind::PageLoop, endless).of_operation(self.operation)),
        });
        self.ended = checked.as_ref().map_or(true, |page| self.is_last(page));
        Poll::Ready(match checked {
            Ok(page) if page.is_nothing() => None,
            Ok(page) => {
                self.next_page = self.next_page.saturating_add(1);
                Some(Ok(page))
            }
            Err(error) => Some(Err(error)),
        })
    }

    fn check(&mut self, page: &Response<Vec<T>>) -> Result<(), Loop> {
        let asked = self.next_page;
        if page.is_nothing() {
            return Ok(());
        }
        let told = page.page();
        if let Some(answered) = told.and_then(|told| told.number).filter(|number| *number != u64::from(asked))
        {
            return Err(Loop::AnotherPage { asked, answered });
        }
        if let Some(announced) =
            told.and_then(|told| told.total_pages).filter(|total| *total < u64::from(asked))
        {
            return Err(Loop::BeyondTheEnd { asked, announced });
        }
        // An object without a key is told from others by its place.
        let key = page.first().map_or_else(|| page.unreadable().first()?.key(), self.key);
        let first = key.map_or_else(|| format!("#{asked}"), str::to_owned);
        if !self.seen.insert(first) {
            return Err(Loop::Repeated { asked });
        }
        if self.seen.len() > MOST_PAGES { Err(Loop::Endless) } else { Ok(()) }
    }

    fn is_last(&self, page: &Response<Vec<T>>) -> bool {
        let told = page.page();
        page.is_nothing()
            || told.and_then(|told| told.last) == Some(true)
            || told.and_then(|told| told.total_pages) == Some(u64::from(self.next_page))
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
}

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
