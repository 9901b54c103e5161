//! Lists of the sandbox that grow and shrink while they are read.

use std::collections::BTreeSet;

use perennial::Format;
use perennial::clearent::{CustomerKey, CustomerSearch, Paging};

use super::{customer, start};

/// Changes after the first page, the order of the list, and the objects that must be found.
///
/// Holds: A list of the sandbox gives each object once and skips none.
#[tokio::test]
async fn each_object_is_given_once_and_none_is_skipped() {
    for format in [Format::Json, Format::Xml] {
        for descending in [None, Some(false)] {
            for (comes, goes) in [(0, 0), (1, 0), (4, 0), (9, 0), (0, 1), (0, 3), (2, 2), (3, 1), (1, 3)] {
                let what = format!("{format:?} {descending:?} +{comes} -{goes}");
                let (_sandbox, client) = start(format).await;
                let mut kept = BTreeSet::new();
                for _ in 0..9 {
                    kept.insert(customer(&client, "Ada").await.customer_key.clone());
                }
                let paging = Paging { page_size: Some(3), descending, ..Paging::default() };
                let mut list =
                    client.customers().search(&CustomerSearch { paging, ..CustomerSearch::default() });
                let mut found: Vec<CustomerKey> = Vec::new();
                for _ in 0..3 {
                    found.push(list.next().await.unwrap().unwrap().customer_key);
                }
                for _ in 0..comes {
                    customer(&client, "Bertha").await;
                }
                for gone in &found[..goes] {
                    client.customers().delete(gone).await.unwrap();
                    kept.remove(gone);
                }
                while let Some(customer) = list.next().await {
                    found.push(customer.unwrap().customer_key);
                }
                let once: BTreeSet<_> = found.iter().cloned().collect();
                assert_eq!(once.len(), found.len(), "{what}");
                assert!(kept.is_subset(&once), "{what}");
                // If as many objects are added in front as were deleted, no object moves, and the number stays the
                // same.
                let is_seen = comes != goes || descending.is_some() && comes > 0;
                assert_eq!(list.changed(), is_seen, "{what}");
            }
        }
    }
}
