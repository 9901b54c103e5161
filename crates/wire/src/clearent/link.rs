//! Links of responses and of objects.

use perennial_domain::clearent::Link;

use crate::fields::{owned, some_text, text};
use crate::member::Many;
use crate::rule::rules;
use crate::text::Text;

message! {
    pub(crate) struct LinkMessage<'a> as "link" {
        rel: Option<Text<'a>> = "rel",
        href: Option<Text<'a>> = "href",
        id: Option<Text<'a>> = "id",
    }
}

message! {
    /// The links of an object, which are one level deeper than those of a response.
    pub(crate) struct Links<'a> as "links" {
        link: Many<LinkMessage<'a>> = "link",
    }
}

rules! {
    Links to Vec<Link>:
        |_, links| Ok(links.map(Links::record).unwrap_or_default()), |links| Some(Links::from(links.as_slice()));
}

impl<'a> From<&'a Link> for LinkMessage<'a> {
    fn from(link: &'a Link) -> Self {
        let Link { rel, href, id } = link;
        Self { rel: Some(text(rel)), href: Some(text(href)), id: some_text(id.as_ref()) }
    }
}

impl LinkMessage<'_> {
    /// The link, if it has a relation and a URL; others are left out.
    pub(super) fn record(self) -> Option<Link> {
        let Self { rel, href, id } = self;
        Some(Link { rel: owned(rel)?, href: owned(href)?, id: owned(id) })
    }
}

impl<'a> From<&'a [Link]> for Links<'a> {
    fn from(links: &'a [Link]) -> Self {
        Self { link: links.iter().map(LinkMessage::from).collect() }
    }
}

impl Links<'_> {
    pub(crate) fn record(self) -> Vec<Link> {
        self.link.into_iter().filter_map(LinkMessage::record).collect()
    }
}
