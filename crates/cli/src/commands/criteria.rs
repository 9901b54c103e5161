//! Common parts of searches: parsed criteria, and the part of the results to print.

use perennial::clearent::Paging;
use perennial::{InvalidValue, Violations};

use crate::output::Extent;

/// Parses criteria, and collects violations under the names of their options.
#[derive(Default)]
pub(super) struct Criteria(Violations);

impl Criteria {
    pub(super) fn read<T>(&mut self, option: &'static str, text: Option<&String>) -> Option<T>
    where
        T: for<'a> TryFrom<&'a str, Error = InvalidValue>,
    {
        T::try_from(text?).map_err(|InvalidValue(rule)| self.0.add(option, rule)).ok()
    }

    /// Returns the search, if all its criteria are valid.
    pub(super) fn finish<T>(self, search: T) -> Result<T, Violations> {
        if self.0.is_empty() { Ok(search) } else { Err(self.0) }
    }
}

/// Parses an argument that names an object, such as `<CUSTOMER-KEY>`.
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
    /// The field to sort by
    #[arg(long, value_name = "FIELD")]
    order_by: Option<String>,
    /// Whether the order is descending; the default is true
    #[arg(long, value_name = "BOOL")]
    descending: Option<bool>,
}

/// The part of a list to print.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pages")]
pub(super) struct Stretch {
    /// The first page to print
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page: Option<u32>,
    /// The number of objects on a page; by default the gateway decides
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page_size: Option<u32>,
    /// Print this many objects, from as many pages as needed
    #[arg(long, value_name = "NUMBER", conflicts_with = "all", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print all pages from the first one on
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
