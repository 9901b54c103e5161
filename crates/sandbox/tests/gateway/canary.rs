//! A card number in several spellings, and the places where none of them may be.

use std::path::Path;

use crate::client::Client;

const CARD: &str = "5454545454545454";
/// Spellings by people and by programs.
pub(crate) const SPELLINGS: [&str; 5] = [
    CARD,
    "5454 5454 5454 5454",
    "no. 5454-5454-5454-5454",
    "5454.5454.5454.5454",
    "\u{ff15}454545454545454",
];

/// Traces in a text that contains one of the spellings.
const TRACES: [&str; 5] = [CARD, "5454 5454", "5454-5454", "5454.5454", "\u{ff15}454545454545454"];

const PAGES: [&str; 10] = [
    "",
    "/customers",
    "/plans",
    "/payments",
    "/transactions",
    "/batches",
    "/clientpay",
    "/webhook",
    "/requests",
    "/faults",
];

pub(crate) fn assert_free(what: &str, text: &str) {
    for trace in TRACES {
        let place = text.find(trace).map(|at| text[at..].chars().take(200).collect::<String>());
        assert_eq!(place, None, "{what} has {trace}");
    }
}

/// Checks the log, the state with its alerts, the console, a snapshot and the files of the newest world.
pub(crate) async fn assert_nowhere(what: &str, client: &Client, folder: &Path) {
    let log = client.control("GET", "requests?limit=500", "").await.body;
    assert_free(&format!("{what}: the log"), &log);
    assert_free(&format!("{what}: the state"), &client.state().await);
    let worlds = client.send("GET", "/console", &[], "").await.body;
    let world = worlds.split("/console/worlds/").nth(1).unwrap().split('"').next().unwrap();
    for page in PAGES {
        let page = format!("/console/worlds/{world}{page}");
        let response = client.send("GET", &page, &[], "").await;
        assert_eq!(response.status, 200, "{page}");
        assert_free(&format!("{what}: {page}"), &response.body);
    }
    assert_eq!(client.control("POST", "snapshot", "").await.status, 200);
    assert_not_in_files(what, folder);
}

pub(crate) fn assert_not_in_files(what: &str, folder: &Path) {
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert_free(&format!("{what}: {}", path.display()), &String::from_utf8_lossy(&bytes));
        files += 1;
    }
    assert!(files > 0);
}
