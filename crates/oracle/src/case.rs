//! A call whose replies are judged: the requested values, and the golden reply.

use std::fs;
use std::path::Path;

use crate::{Format, Reply, Tree};

/// The vendor whose wire format is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// The Clearent gateway: JSON and XML.
    Clearent,
    /// ClientPay: JSON.
    ClientPay,
}

/// The kind of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Reads one object.
    Read,
    /// Reads a list of objects.
    List,
    /// Looks up whether a payment was made, by a search for its request.
    Look,
    /// Creates or changes an object.
    Write,
    /// Deletes an object.
    Delete,
    /// Moves money; can be declined.
    Charge,
}

/// The position and the content of the records of a list.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// The names on the path to the records, without the payload around them.
    pub path: &'static [&'static str],
    /// The member that is the key of a record; empty if records have no key and are read all or not at all.
    pub key: &'static str,
    /// The records after the golden one: copies of it with these members changed.
    pub others: &'static [Members],
}

/// Members with their values.
pub type Members = &'static [(&'static str, &'static str)];

/// A call, and the golden reply to it.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The vendor.
    pub vendor: Vendor,
    /// The operation, such as `plans.create`.
    pub operation: &'static str,
    /// The golden reply's file, without its extension.
    pub reply: &'static str,
    /// The kind of the call.
    pub expect: Expect,
    /// The names under which a reply can hold the object.
    pub objects: &'static [&'static str],
    /// The list that a reply holds.
    pub list: Option<List>,
    /// Members that the object must have, whatever their values: the key of a new object.
    pub present: &'static [&'static str],
    /// Members that the object must have with the requested values. For a list: the search criteria.
    pub same: Members,
    /// Members that the object may omit; if they are present, they must have the requested values.
    pub if_present: Members,
    /// Members of the golden object that are changed first, if the corpus has no reply of this operation.
    pub edits: Members,
}

impl Case {
    /// The operation and the golden reply: the name of the case.
    pub fn name(&self) -> String {
        let others = self.list.map_or(0, |list| list.others.len());
        let and = if others > 0 { format!(" and {others} more") } else { String::new() };
        format!("{} {}{and}", self.operation, self.reply)
    }

    /// The formats in which the vendor replies.
    pub fn formats(&self) -> &'static [Format] {
        match self.vendor {
            Vendor::Clearent => &[Format::Json, Format::Xml],
            Vendor::ClientPay => &[Format::Json],
        }
    }

    /// The golden document.
    pub(crate) fn document(&self, format: Format) -> Tree {
        let vendor = match self.vendor {
            Vendor::Clearent => "clearent",
            Vendor::ClientPay => "clientpay",
        };
        let file = format!("{vendor}/replies/{}.{}", self.reply, format.extension());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/corpus").join(file);
        let text = fs::read(&path).ok();
        let document = text.and_then(|text| Tree::read(format, &text));
        #[expect(
            clippy::panic,
            reason = "a golden reply that is missing or unreadable leaves nothing to test"
        )]
        let Some(mut document) = document else { panic!("{} is no golden reply", path.display()) };
        match self.list {
            Some(list) => self.lengthen(&mut document, list),
            None if self.objects.is_empty() => {
                self.edits.iter().for_each(|(member, value)| document.set(member, value));
            }
            None => {
                for (member, value) in self.edits {
                    document.edit_object(self.objects, member, value);
                }
            }
        }
        document
    }

    /// Appends the other records of the list to the golden one, and sets the page members to include them.
    fn lengthen(&self, document: &mut Tree, list: List) {
        let Some(records) = document.gather(list.path) else { return };
        if let Some(first) = records.first_mut() {
            self.edits.iter().for_each(|(member, value)| first.set(member, value));
            let golden = first.clone();
            for members in list.others {
                let mut other = golden.clone();
                members.iter().for_each(|(member, value)| other.set(member, value));
                records.push(other);
            }
        }
        let count = records.len().to_string();
        let page = [
            ("first", "true"),
            ("last", "true"),
            ("number", "1"),
            ("number-of-elements", &count),
            ("total-elements", &count),
            ("total-pages", "1"),
        ];
        document.set_page(&page);
    }
}

/// The golden reply of a case, as the gateway sends it.
pub fn golden(case: &Case, format: Format) -> Reply {
    let document = case.document(format);
    let code = document.scalar("code").ok().flatten().and_then(|code| code.parse().ok());
    let refused = document.scalar("success").ok().flatten() == Some("false");
    Reply {
        status: code.unwrap_or(if refused { 402 } else { 200 }),
        content_type: format.content_type().to_owned(),
        body: document.write(format).into_bytes(),
    }
}
