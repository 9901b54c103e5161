//! What searches have in common: criteria that are read, and how much of what they find is printed.

use perennial::clearent::Paging;
use perennial::{InvalidValue, Violations};

use crate::output::Extent;

/// Reads criteria, and notes what is wrong with them under the names of their options.
#[derive(Default)]
pub(super) struct Criteria(Violations);

impl Criteria {
    pub(super) fn read<T>(&mut self, option: &'static str, text: Option<&String>) -> Option<T>
    where
        T: for<'a> TryFrom<&'a str, Error = InvalidValue>,
    {
        T::try_from(text?).map_err(|InvalidValue(rule)| self.0.add(option, rule)).ok()
    }

    /// The search, if all its criteria could be read.
    pub(super) fn finish<T>(self, search: T) -> Result<T, Violations> {
        if self.0.is_empty() { Ok(search) } else { Err(self.0) }
    }
}

/// An argument that names an object, such as `<CUSTOMER-KEY>`.
pub(super) fn key<T>(argument: &'static str, text: &str) -> Result<T, Violations>
where
    T: for<'a> TryFrom<&'a str, Error = InvalidValue>,
{
    T::try_from(text).map_err(|InvalidValue(rule)| Violations::one(argument, rule))
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pages")]
pub(super) struct Pages {
    #[command(flatten)]
    stretch: Stretch,
    /// The field to order by
    #[arg(long, value_name = "FIELD")]
    order_by: Option<String>,
    /// Whether the order is descending, as it is unless said otherwise
    #[arg(long, value_name = "BOOL")]
    descending: Option<bool>,
}

/// Which part of a list is wanted.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pages")]
pub(super) struct Stretch {
    /// The page to begin with
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page: Option<u32>,
    /// How many objects a page has; the gateway decides unless said otherwise
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page_size: Option<u32>,
    /// Print so many objects, of as many pages as that takes
    #[arg(long, value_name = "NUMBER", conflicts_with = "all", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print all pages from there on
    #[arg(long)]
    all: bool,
}

impl Pages {
    pub(super) fn paging(&self) -> Paging {
        Paging {
            page: self.stretch.page,
            page_size: self.stretch.page_size,
            order_by: self.order_by.clone(),
            descending: self.descending,
        }
    }

    pub(super) fn extent(&self) -> Extent {
        self.stretch.extent()
    }
}

impl Stretch {
    pub(super) fn extent(&self) -> Extent {
        match self.limit {
            Some(limit) => Extent::Limit(limit),
            None if self.all => Extent::All,
            None => Extent::Page,
        }
    }
}
