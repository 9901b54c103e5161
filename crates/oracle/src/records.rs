//! The records of a list, in a document of either format.

use crate::case::{Case, Vendor};
use crate::{Format, Tree};

impl Tree {
    /// The records at this path as one list that can be changed; `None` if the path does not exist.
    pub(crate) fn gather(&mut self, path: &[&str]) -> Option<&mut Vec<Self>> {
        let Self::Members(members) = self else { return None };
        let has_payload = members.iter().any(|(name, _)| name == "payload");
        let name = if has_payload { "payload" } else { path.first()? };
        let inner = if has_payload { path } else { path.get(1..)? };
        if !has_payload && inner.is_empty() {
            let at = members.iter().position(|(member, _)| member == name)?;
            let mut records = Vec::new();
            for (_, value) in members.extract_if(at.., |(member, _)| member == name) {
                if let Self::List(items) = value { records.extend(items) } else { records.push(value) }
            }
            members.insert(at, (name.to_owned(), Self::List(records)));
            return match members.get_mut(at) {
                Some((_, Self::List(records))) => Some(records),
                _ => None,
            };
        }
        members.iter_mut().find(|(member, _)| member == name)?.1.gather(inner)
    }

    /// Sets the members of the page, if there is one.
    pub(crate) fn set_page(&mut self, page: &[(&str, &str)]) {
        let Self::Members(members) = self else { return };
        let Some((_, Self::Members(inside))) = members.iter_mut().find(|(name, _)| name == "page") else {
            return;
        };
        for (name, value) in page {
            if let Some((_, held)) = inside.iter_mut().find(|(member, _)| member == name) {
                *held = Self::Bare((*value).to_owned());
            }
        }
    }
}

/// The objects of a reply: the records of a list, or the single object.
pub(crate) fn objects<'t>(case: &Case, format: Format, tree: &'t Tree) -> Vec<&'t Tree> {
    let payload = match case.vendor {
        Vendor::Clearent => payload(tree),
        Vendor::ClientPay => tree,
    };
    match (case.list, tree) {
        // A list alone represents its member.
        (Some(_), Tree::List(items)) => items.iter().collect(),
        (Some(list), _) => records(format, payload, list.path),
        (None, _) if case.objects.is_empty() => vec![tree],
        (None, _) => case.objects.iter().flat_map(|name| payload.all(name)).collect(),
    }
}

/// The records at a path below the payload.
pub(crate) fn records<'t>(format: Format, payload: &'t Tree, path: &[&str]) -> Vec<&'t Tree> {
    match path {
        [] => Vec::new(),
        // An empty text or null instead of the list is an empty list; an empty element is a record.
        [name] => match payload.members().iter().find(|(member, _)| member == name) {
            Some((_, Tree::Bare(bare))) if bare == "null" => Vec::new(),
            Some((_, Tree::Text(text))) if format == Format::Json && text.is_empty() => Vec::new(),
            _ => payload.all(name),
        },
        [name, rest @ ..] => {
            payload.all(name).into_iter().flat_map(|container| records(format, container, rest)).collect()
        }
    }
}

/// The payload of an envelope, or the envelope itself if the object has no payload around it.
pub(crate) fn payload(tree: &Tree) -> &Tree {
    match tree.all("payload")[..] {
        [payload @ Tree::Members(_)] => payload,
        _ => tree,
    }
}

/// Returns the document with an empty list instead of its records.
pub(crate) fn without_records(tree: &Tree, path: &[&str]) -> Tree {
    let mut without = tree.clone();
    if let Some(records) = without.gather(path) {
        records.clear();
    }
    without
}

/// The document of a reply.
pub(crate) fn read(case: &Case, body: &[u8]) -> Option<(Format, Tree)> {
    case.formats().iter().find_map(|&format| Some((format, Tree::read(format, body)?)))
}
