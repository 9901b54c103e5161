//! Reads the api key from a PDF, as the vendor mails it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use lopdf::content::Content;
use lopdf::{Document, Encoding, Error, LoadOptions, Object, ObjectId};
use perennial::clearent::ApiKey;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input;

/// A limit above the unpacked size of any letter with a key.
const MOST: usize = 16 * 1024 * 1024;

/// The reason why a document has no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    /// The document needs a password.
    Protected,
    /// The password is wrong.
    WrongPassword,
    /// The file is not a PDF, or is damaged, or of an unreadable kind.
    Unreadable,
    /// The document holds this many keys, and not one.
    Keys(usize),
}

/// Imports the key of a document. Its password, if it has one, comes from a file or a prompt.
pub(crate) fn import(path: &Path, password_file: Option<&Path>) -> Result<ApiKey, Failure> {
    let unread = |unread| Failure::Usage(format!("the document {} {unread}", path.display()));
    let file = File::open(path).map_err(|error| input::unopened(path, &error))?;
    let mut document = Vec::new();
    file.take(MOST as u64).read_to_end(&mut document).map_err(|_| unread(Unread::Unreadable))?;
    match key_of(&document, None) {
        Err(Unread::Protected) => {
            let password = input::password(password_file)?;
            key_of(&document, Some(password.expose())).map_err(unread)
        }
        read => read.map_err(unread),
    }
}

/// The one key of a document: 32 hexadecimal digits, or the text after the words "API key" on their line.
fn key_of(document: &[u8], password: Option<&str>) -> Result<ApiKey, Unread> {
    let text = text_of(document, password)?;
    let keys: BTreeSet<&str> = text.lines().flat_map(keys_of).collect();
    match keys.first() {
        Some(key) if keys.len() == 1 => ApiKey::new(key).map_err(|_| Unread::Keys(0)),
        _ => Err(Unread::Keys(keys.len())),
    }
}

fn keys_of(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric());
    let digits = words.filter(|word| word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit()));
    digits.chain(labeled(line))
}

fn labeled(line: &str) -> Option<&str> {
    let label = "api key";
    let at = line.to_ascii_lowercase().find(label)?;
    let word = line[at + label.len()..].trim_start_matches([':', '=', ' ']).split_whitespace().next()?;
    (word.contains(|c: char| c.is_ascii_digit()) && ApiKey::new(word).is_ok()).then_some(word)
}

fn text_of(document: &[u8], password: Option<&str>) -> Result<Zeroizing<String>, Unread> {
    let options = LoadOptions {
        password: password.map(str::to_owned),
        max_decompressed_size: Some(MOST),
        ..LoadOptions::default()
    };
    let document = Document::load_mem_with_options(document, options).map_err(|error| match error {
        Error::InvalidPassword => Unread::WrongPassword,
        _ => Unread::Unreadable,
    })?;
    if document.is_encrypted() && !document.was_encrypted() {
        return Err(Unread::Protected);
    }
    let pages: Vec<ObjectId> = document.page_iter().collect();
    if pages.is_empty() {
        return Err(Unread::Unreadable);
    }
    let mut text = Zeroizing::new(String::new());
    for page in pages {
        read_page(&document, page, &mut text).map_err(|_| Unread::Unreadable)?;
    }
    Ok(text)
}

/// Reads a page. Every move of the pen starts a line: a key in separate pieces is rather not found than joined wrong.
fn read_page(document: &Document, page: ObjectId, text: &mut String) -> Result<(), Error> {
    let fonts = document.get_page_fonts(page)?;
    let content = Content::decode(&document.get_page_content_with_limit(page, MOST)?)?;
    let mut encoding = None;
    for operation in &content.operations {
        match (operation.operator.as_str(), operation.operands.as_slice()) {
            ("Tf", [Object::Name(font), ..]) => {
                let font = fonts.get(font);
                encoding = font.and_then(|font| font.get_font_encoding_with_limit(document, MOST).ok());
            }
            ("Tj" | "TJ", operands) => show(operands, encoding.as_ref(), text),
            ("'" | "\"", operands) => {
                text.push('\n');
                show(operands, encoding.as_ref(), text);
            }
            ("Td" | "TD" | "Tm" | "T*" | "ET", _) => text.push('\n'),
            _ => {}
        }
    }
    text.push('\n');
    Ok(())
}

/// Appends shown text. Kerning moves a letter by some hundredths of its size, a blank by a quarter.
fn show(operands: &[Object], encoding: Option<&Encoding<'_>>, text: &mut String) {
    for part in operands {
        match part {
            Object::String(bytes, _) => {
                let read = encoding.and_then(|encoding| Document::decode_text(encoding, bytes).ok());
                text.push_str(&read.map(Zeroizing::new).unwrap_or_default());
            }
            Object::Array(parts) => show(parts, encoding, text),
            moved if moved.as_float().is_ok_and(|by| by < -200.0) => text.push(' '),
            _ => {}
        }
    }
}

/// Text to follow the name of the document.
impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protected => f.write_str("asks for a password"),
            Self::WrongPassword => f.write_str("is not opened by this password"),
            Self::Unreadable => f.write_str("is no PDF that can be read: open it, and paste the key"),
            Self::Keys(0) => f.write_str("has no text that is a key: open it, and paste the key"),
            Self::Keys(keys) => write!(f, "has {keys} keys: open it, and paste the one that is wanted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::fs;
    use std::process::Command;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    /// Writes a document by hand, with a page for each content.
    fn pdf(contents: &[&str]) -> Vec<u8> {
        let page = |n: usize| format!("{} 0 R", 4 + 2 * n);
        let kids: Vec<String> = (0..contents.len()).map(page).collect();
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            format!("<< /Type /Pages /Count {} /Kids [{}] >>", kids.len(), kids.join(" ")),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        ];
        for (n, content) in contents.iter().enumerate() {
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> \
                 /Contents {} 0 R >>",
                5 + 2 * n
            ));
            let content = format!("BT /F1 12 Tf 72 700 Td {content} ET");
            objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
        }
        let mut text = "%PDF-1.6\n".to_owned();
        let mut places = String::new();
        for (n, object) in (1..).zip(&objects) {
            writeln!(places, "{:010} 00000 n ", text.len()).unwrap();
            write!(text, "{n} 0 obj\n{object}\nendobj\n").unwrap();
        }
        let (begin, count) = (text.len(), objects.len() + 1);
        write!(text, "xref\n0 {count}\n0000000000 65535 f \n{places}").unwrap();
        write!(text, "trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{begin}\n%%EOF\n").unwrap();
        text.into_bytes()
    }

    /// Encrypts the document with the password `horse`, by another program than the one under test.
    fn protected(document: &[u8], cipher: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let [open, closed] = ["open.pdf", "closed.pdf"].map(|name| folder.path().join(name));
        fs::write(&open, document).unwrap();
        let mut qpdf = Command::new("qpdf");
        qpdf.args(["--allow-weak-crypto", "--encrypt", "horse", "owner"]).args(cipher).arg("--");
        let ran = qpdf.args([&open, &closed]).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        fs::read(closed).unwrap()
    }

    fn read(document: &[u8], password: Option<&str>) -> Result<String, Unread> {
        key_of(document, password).map(|key| key.expose().to_owned())
    }

    /// The content of each page, and the expected result.
    type Case<'a> = (&'a [&'a str], Result<&'a str, Unread>);

    /// Holds: A PDF with one key gives that key, in each documented layout.
    #[test]
    fn the_key_is_found_however_it_is_written() {
        let [head, tail] = [&KEY[..16], &KEY[16..]];
        let written: [Case<'_>; 15] = [
            (&[&format!("(API Key: {KEY}) Tj")], Ok(KEY)),
            (&[&format!("(API Key:) Tj 0 -14 Td ({KEY}) Tj 0 -14 Td (Thank you) Tj")], Ok(KEY)),
            (&[&format!("(Your key is {KEY}.) Tj")], Ok(KEY)),
            (&[&format!("({head}) Tj ({tail}) Tj")], Ok(KEY)),
            (&[&format!("[({head}) -20 ({tail})] TJ")], Ok(KEY)),
            (&[&format!("[(API) -278 (Key:) -278 ({head}) 15.5 ({tail}) -278 (ok)] TJ")], Ok(KEY)),
            (&["(Welcome) Tj", &format!("({KEY}) Tj"), "(Goodbye) Tj"], Ok(KEY)),
            (&[&format!("({KEY}) Tj"), &format!("({KEY}) Tj")], Ok(KEY)),
            (&["(API key = Zq8!vRt2-Lm4.Xw6) Tj"], Ok("Zq8!vRt2-Lm4.Xw6")),
            (&[&format!("({KEY}) Tj T* ({OTHER}) Tj")], Err(Unread::Keys(2))),
            (&["(Welcome) Tj"], Err(Unread::Keys(0))),
            (&["(API key: see the next letter, of 2027-01-01) Tj"], Err(Unread::Keys(0))),
            // Pieces that stand apart are not put together.
            (&[&format!("({head}) Tj 90 0 Td ({tail}) Tj")], Err(Unread::Keys(0))),
            (&[&format!("({KEY}0) Tj")], Err(Unread::Keys(0))),
            (&[&format!("({KEY}) Tj (Thanks) Tj")], Err(Unread::Keys(0))),
        ];
        for (contents, expected) in written {
            assert_eq!(read(&pdf(contents), None), expected.map(str::to_owned), "{contents:?}");
        }
    }

    #[test]
    fn every_cipher_is_opened_by_its_password_alone() {
        let open = pdf(&[&format!("(API Key: {KEY}) Tj")]);
        for cipher in [
            &["40"][..],
            &["128", "--use-aes=n"],
            &["128", "--use-aes=y"],
            &["256", "--force-R5"],
            &["256"],
            &["256", "--cleartext-metadata"],
        ] {
            let closed = protected(&open, cipher);
            for (password, expected) in [
                (Some("horse"), Ok(KEY.to_owned())),
                (Some("owner"), Ok(KEY.to_owned())),
                (Some("cow"), Err(Unread::WrongPassword)),
                (Some(""), Err(Unread::WrongPassword)),
                (None, Err(Unread::Protected)),
            ] {
                assert_eq!(read(&closed, password), expected, "{cipher:?} {password:?}");
            }
        }
    }

    /// Holds: A PDF that is cut gives its key or an error, and a PDF with a broken byte causes no panic.
    #[test]
    fn what_is_broken_anywhere_is_reported() {
        let open = pdf(&[&format!("(API Key: {KEY}) Tj")]);
        // To open a cipher takes long in a build for tests, so that fewer places are tried.
        for (document, password, step) in
            [(&open, None, 1), (&protected(&open, &["128", "--use-aes=y"]), Some("horse"), 37)]
        {
            for at in (0..document.len()).step_by(step) {
                let cut = read(&document[..at], password);
                assert!(cut.is_err() || cut.as_deref() == Ok(KEY), "{at}");
                let mut broken = document.clone();
                broken[at] ^= 0x15;
                // The call must end, and without a panic.
                let _ = read(&broken, password);
            }
        }
        for garbage in
            [&b""[..], b"%PDF-1.6\n", b"%PDF-1.6\n\0\xff\xfe garbage", b"Dear merchant", &[0; 4096]]
        {
            assert_eq!(read(garbage, Some("horse")).unwrap_err(), Unread::Unreadable);
        }
    }
}
