//! The chapter "In your own transaction" of docs/JOURNAL.md: its code is the program's, its table is the database's.

use std::fs;
use std::path::Path;

use perennial_journal::Journal;

/// The blocks of the chapter in this language.
fn blocks(language: &str) -> Vec<String> {
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../docs/JOURNAL.md")).unwrap();
    let (_, chapter) = page.split_once("\n## In your own transaction\n").unwrap();
    let (chapter, _) = chapter.split_once("\n## ").unwrap();
    let begin = format!("```{language}\n");
    let blocks = chapter.split(&begin).skip(1).map(|rest| rest.split_once("\n```").unwrap().0.to_owned());
    blocks.collect()
}

/// The rights that the chapter gives to the program's role on `PostgreSQL`.
pub(crate) fn grants() -> Vec<String> {
    let grants: Vec<_> = blocks("sql").into_iter().filter(|block| block.starts_with("GRANT")).collect();
    assert_eq!(grants.len(), 1, "the chapter has a block of rights");
    grants
}

/// A text without differences of spaces.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_programs_are_those_of_the_chapter() {
    let shown = blocks("rs");
    for name in ["with_rusqlite", "with_sqlx_postgres", "with_tokio_postgres"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{name}.rs"));
        let source = fs::read_to_string(path).unwrap();
        let (_, body) = source.split_once("crash::point();\n").unwrap();
        let (body, _) = body.split_once("    Ok(())\n").unwrap();
        let lines = body.lines().filter(|line| !line.contains("crash::point();"));
        let code: Vec<_> = lines.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
        let code = code.join("\n");
        assert!(shown.contains(&code), "docs/JOURNAL.md does not show src/{name}.rs:\n{code}");
    }
}

#[tokio::test]
async fn the_table_is_that_of_the_chapter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    Journal::open(&format!("sqlite:{}", path.display())).await.unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT sql FROM sqlite_schema WHERE name = 'perennial_inbox'";
    let table: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    let shown = blocks("sql").into_iter().find(|block| block.starts_with("CREATE TABLE")).unwrap();
    assert_eq!(words(shown.trim_end_matches(';')), words(&table));
}
