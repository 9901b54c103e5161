//! Secrets as input: the api key and card data. They are never arguments, and their buffers are wiped.
//!
//! Readers of a text skip one byte order mark at its start: keys and credentials skip their own.

use std::env;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use perennial::clearent::{ApiKey, OneTimeToken};
use perennial::encoding::{MARK, NotUtf8, utf8, without_mark};
#[cfg(any(feature = "key-file", feature = "pdf"))]
use perennial::keys::{KeyStoreError, Secret};
use perennial::{InvalidValue, Violations};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::output::note;
use crate::secrets::API_KEY;

/// A limit above the size of any key or card data.
const MOST: usize = 4096;
/// A limit above the size of any request that a gateway accepts.
const LONGEST: u64 = 1024 * 1024;

/// The key of the file, else of the environment.
pub(crate) fn api_key(file: Option<&Path>) -> Result<ApiKey, Failure> {
    if let Some(file) = file {
        return key_of_file(file);
    }
    let missing =
        || Failure::Usage(format!("there is no api key: set {API_KEY} or pass --api-key-file FILE"));
    key(&of_variable(API_KEY)?.ok_or_else(missing)?)
}

/// The key of a file.
pub(crate) fn key_of_file(path: &Path) -> Result<ApiKey, Failure> {
    key(&of_file("api key", path)?)
}

/// The key of a text.
pub(crate) fn key(text: &str) -> Result<ApiKey, Failure> {
    ApiKey::new(text).map_err(|invalid| Failure::Usage(invalid.to_string()))
}

/// Reads the secret in a file, byte order mark included; `what` names the content.
pub(crate) fn of_file(what: &str, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let unusable = |Unusable(why)| Failure::Usage(format!("the {what} file {} {why}", path.display()));
    let mut file = File::open(path).map_err(|error| unopened(path, &error))?;
    if is_exposed(path, &file) {
        note(&format!("others may read {}: make it its owner's alone (chmod 600)", path.display()));
    }
    text_of(&mut file).map_err(unusable)
}

/// Whether other users than the owner can read a file, which is not a pipe.
#[cfg(unix)]
fn is_exposed(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // systemd gives a credential to the user of its service alone, by an access list, which shows as rights of the group.
    let folder = env::var_os("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty());
    let others = if folder.is_some_and(|folder| path.starts_with(folder)) { 0o037 } else { 0o077 };
    file.metadata().is_ok_and(|known| known.is_file() && known.permissions().mode() & others != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &Path, _: &File) -> bool {
    false
}

/// The secret of a variable, byte order mark included, if it is set.
pub(crate) fn of_variable(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    match env::var(name) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Failure::Usage(format!("{name} is no text"))),
    }
}

/// Reads a short text in a file that is not secret, byte order mark included.
pub(crate) fn public(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| unopened(path, &error))?;
    let read = file.take(MOST as u64).read_to_string(&mut text);
    read.map_err(|error| {
        Failure::Usage(format!("the file {} cannot be read: {}", path.display(), error.kind()))
    })?;
    Ok(text)
}

/// Reads a JSON array of objects from a file, or from standard input if the file's name is `-`. It is not secret.
pub(crate) fn list<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Failure> {
    let listed: Vec<T> = document(path, "a JSON array of objects")?;
    if listed.is_empty() {
        return Err(Failure::Usage(format!("{} lists nothing", named(path))));
    }
    Ok(listed)
}

/// Reads JSON of this shape from a file, or from standard input if the file's name is `-`. It is not secret.
pub(crate) fn document<T: DeserializeOwned>(path: &Path, shape: &str) -> Result<T, Failure> {
    // What serde says of it may repeat some of it.
    serde_json::from_str(&text(path, LONGEST)?)
        .map_err(|_| Failure::Usage(format!("{} is not {shape}", named(path))))
}

/// Reads the text of a file, or of standard input if the file's name is `-`. It is not secret.
pub(crate) fn text(path: &Path, longest: u64) -> Result<String, Failure> {
    let mut document = Vec::new();
    let read = if is_stdin(path) {
        io::stdin().lock().take(longest).read_to_end(&mut document)
    } else {
        let file = File::open(path).map_err(|error| unopened(path, &error))?;
        file.take(longest).read_to_end(&mut document)
    };
    let usage = |why: &str| Failure::Usage(format!("{} {why}", named(path)));
    match read {
        Ok(length) if length as u64 == longest => return Err(usage("is too long")),
        Ok(_) => {}
        Err(error) => return Err(usage(&format!("cannot be read: {}", error.kind()))),
    }
    Ok(utf8(&document).map_err(|wrong| usage(not_utf8(wrong)))?.to_owned())
}

/// Whether a file's name means standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The name of a file in an error.
pub(crate) fn named(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { format!("the file {}", path.display()) }
}

/// The key of the file, else from a prompt on the terminal or from standard input.
pub(crate) fn new_key(file: Option<&Path>) -> Result<ApiKey, Failure> {
    match file {
        Some(file) => key_of_file(file),
        None if io::stdin().is_terminal() => key(&hidden("Api key (not shown): ")?),
        None => key(&of_stdin("api key")?),
    }
}

/// The passphrase of the key file, from a file or else from a prompt.
#[cfg(feature = "key-file")]
pub(crate) fn passphrase(file: Option<&Path>) -> Result<Secret, Failure> {
    let missing = "there is no terminal to ask at for the passphrase of the keys: pass --passphrase-file FILE or --identity FILE";
    what_opens("passphrase", file, "Passphrase of the keys (not shown): ", missing)
}

/// The password of a document, from a file or else from a prompt.
#[cfg(feature = "pdf")]
pub(crate) fn password(file: Option<&Path>) -> Result<Secret, Failure> {
    let missing =
        "there is no terminal to ask at for the password of the document: pass --password-file FILE";
    what_opens("password", file, "Password of the document (not shown): ", missing)
}

/// The one-time token of a file, or of standard input if the file's name is `-`.
pub(crate) fn one_time_token(path: &Path) -> Result<OneTimeToken, Failure> {
    let what = "one-time token";
    let text = if is_stdin(path) { of_stdin(what)? } else { of_file(what, path)? };
    let token = OneTimeToken::try_from(text.as_str());
    Ok(token.map_err(|InvalidValue(rule)| Violations::one("jwt-file", rule))?)
}

/// A secret that opens other files, from a file without its line ending, or else from a prompt.
#[cfg(any(feature = "key-file", feature = "pdf"))]
fn what_opens(what: &str, file: Option<&Path>, question: &str, missing: &str) -> Result<Secret, Failure> {
    let Some(path) = file else {
        if io::stdin().is_terminal() {
            return Ok(Secret::from(without_mark(&hidden(question)?).to_owned()));
        }
        return Err(Failure::Usage(missing.to_owned()));
    };
    let unusable = |Unusable(why)| Failure::Usage(format!("the {what} file {} {why}", path.display()));
    let mut file = File::open(path).map_err(|error| unopened(path, &error))?;
    if is_exposed(path, &file) {
        return Err(KeyStoreError::Exposed { path: path.to_owned() }.into());
    }
    let text = text_of(&mut file).map_err(unusable)?;
    match without_mark(&text).trim_end_matches(['\r', '\n']) {
        "" => Err(unusable(Unusable("is empty"))),
        secret => Ok(Secret::from(secret.to_owned())),
    }
}

fn hidden(question: &str) -> Result<Zeroizing<String>, Failure> {
    let answer = rpassword::prompt_password(question).map(Zeroizing::new);
    answer.map_err(|_| Failure::Usage("nothing can be asked for at this terminal".to_owned()))
}

/// A certificate chain or a private key for the sandbox.
pub(crate) fn pem(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut pem = fs::read(path).map_err(|error| unopened(path, &error))?;
    if pem.starts_with(MARK) {
        pem.drain(..MARK.len());
    }
    Ok(pem)
}

pub(crate) fn unopened(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("the file {} cannot be opened: {}", path.display(), error.kind()))
}

/// A card as it was typed, not yet checked.
#[derive(Default)]
pub(crate) struct CardData {
    pub(crate) card: Option<Zeroizing<String>>,
    pub(crate) exp_date: Option<Zeroizing<String>>,
    pub(crate) csc: Option<Zeroizing<String>>,
}

/// The source of card data
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct CardSource {
    /// Read the card from standard input, as JSON {"card":"…","exp-date":"MMYY","csc":"…"} or as three lines, instead
    /// of a prompt
    #[arg(long)]
    card_stdin: bool,
}

impl CardSource {
    pub(crate) fn is_stdin(self) -> bool {
        self.card_stdin
    }

    /// Reads the card from standard input, or from a prompt on the terminal.
    pub(crate) fn read(self) -> Result<CardData, Failure> {
        if self.card_stdin {
            CardData::of_stdin()
        } else if io::stdin().is_terminal() {
            CardData::of_answers(|question| rpassword::prompt_password(question))
        } else {
            Err(Failure::Usage(
                "a card is needed and there is no terminal to ask at: pass --card-stdin and send the card to standard input, \
                 or the id of what stands for it where that will do"
                    .to_owned(),
            ))
        }
    }
}

/// A bank account as it was typed, not yet checked.
pub(crate) struct AccountData {
    pub(crate) routing_number: Option<Zeroizing<String>>,
    pub(crate) account_number: Option<Zeroizing<String>>,
}

impl AccountData {
    pub(crate) fn of_stdin() -> Result<Self, Failure> {
        Self::of_text(&of_stdin("account data")?).ok_or_else(|| {
            Failure::Usage(
                r#"the account data of standard input is not {"routingNumber":"…","accountNumber":"…"} and not one or two lines"#
                    .to_owned(),
            )
        })
    }

    fn of_text(text: &str) -> Option<Self> {
        /// The JSON, borrowed, so that no unwiped copy is made.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Typed<'a> {
            routing_number: Option<&'a str>,
            account_number: Option<&'a str>,
        }
        let text = without_mark(text);
        let Typed { routing_number, account_number } = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).ok()?
        } else {
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let account = Typed { routing_number: lines.next(), account_number: lines.next() };
            lines.next().is_none().then_some(account)?
        };
        Some(Self { routing_number: zeroizing(routing_number), account_number: zeroizing(account_number) })
    }
}

impl CardData {
    fn of_stdin() -> Result<Self, Failure> {
        let text = of_stdin("card data")?;
        Self::of_text(&text).ok_or_else(|| {
            Failure::Usage(
                r#"the card data of standard input is not {"card":"…","exp-date":"MMYY","csc":"…"} and not one to three lines"#
                    .to_owned(),
            )
        })
    }

    fn of_text(text: &str) -> Option<Self> {
        /// The JSON, borrowed, so that no unwiped copy is made.
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Typed<'a> {
            card: Option<&'a str>,
            exp_date: Option<&'a str>,
            csc: Option<&'a str>,
        }
        let text = without_mark(text);
        let Typed { card, exp_date, csc } = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).ok()?
        } else {
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let card = Typed { card: lines.next(), exp_date: lines.next(), csc: lines.next() };
            lines.next().is_none().then_some(card)?
        };
        Some(Self { card: zeroizing(card), exp_date: zeroizing(exp_date), csc: zeroizing(csc) })
    }

    /// Reads the answers to `ask`; an empty answer counts as absent.
    fn of_answers(mut ask: impl FnMut(&str) -> io::Result<String>) -> Result<Self, Failure> {
        let mut ask = |question: &str| match ask(question).map(Zeroizing::new) {
            Ok(answer) if answer.trim().is_empty() => Ok(None),
            Ok(answer) => Ok(zeroizing(Some(without_mark(&answer)))),
            Err(_) => Err(Failure::Usage("the card cannot be asked for at this terminal".to_owned())),
        };
        Ok(Self {
            card: ask("Card number (not shown): ")?,
            exp_date: ask("Expiry, MMYY: ")?,
            csc: ask("Security code (not shown): ")?,
        })
    }
}

fn zeroizing(part: Option<&str>) -> Option<Zeroizing<String>> {
    part.map(|part| Zeroizing::new(part.to_owned()))
}

/// Reads all of standard input, byte order mark included; `what` names the content.
fn of_stdin(what: &str) -> Result<Zeroizing<String>, Failure> {
    text_of(&mut stdin()?)
        .map_err(|Unusable(why)| Failure::Usage(format!("the {what} of standard input {why}")))
}

/// Standard input without the buffer of the standard library, which is never wiped.
fn stdin() -> Result<File, Failure> {
    #[cfg(unix)]
    let handle = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    #[cfg(windows)]
    let handle = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
    Ok(File::from(handle.map_err(Failure::System)?))
}

/// The reason why a text is not usable, phrased to follow the name of its source.
struct Unusable(&'static str);

/// Reads all of a source into one buffer that is wiped and never grows: growing would leave copies behind.
fn text_of(source: &mut impl Read) -> Result<Zeroizing<String>, Unusable> {
    let mut bytes = Zeroizing::new(vec![0; MOST + 1]);
    let mut length = 0;
    while length < bytes.len() {
        match source.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Unusable("cannot be read")),
        }
    }
    if length > MOST {
        return Err(Unusable("is too long"));
    }
    match utf8(&bytes[..length]) {
        Ok("") => Err(Unusable("is empty")),
        // It is UTF-8, of which nothing is lost.
        Ok(_) => Ok(Zeroizing::new(String::from_utf8_lossy(&bytes[..length]).into_owned())),
        Err(wrong) => Err(Unusable(not_utf8(wrong))),
    }
}

/// The reason why bytes are not usable as text, phrased to follow the name of their source.
fn not_utf8(wrong: NotUtf8) -> &'static str {
    match wrong {
        NotUtf8::Utf16 => "is UTF-16: save it as UTF-8",
        NotUtf8::Other => "is not UTF-8: save it as UTF-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_data_is_json_or_lines() {
        let whole = Some(("4111111111111111", "1230", "999"));
        for (text, expected) in [
            (r#"{"card":"4111111111111111","exp-date":"1230","csc":"999"}"#, whole),
            ("4111111111111111\n1230\n999\n", whole),
            ("\r\n 4111111111111111 \r\n\r\n1230\r\n999", whole),
            ("4111111111111111", Some(("4111111111111111", "", ""))),
            (r#"{"card":"4111111111111111"}"#, Some(("4111111111111111", "", ""))),
            ("\u{feff}4111111111111111", Some(("4111111111111111", "", ""))),
            ("\u{feff}\u{feff}4111111111111111", Some(("\u{feff}4111111111111111", "", ""))),
            ("1\n2\n3\n4", None),
            (r#"{"card":4111111111111111}"#, None),
            ("{", None),
        ] {
            let read = CardData::of_text(text).map(parts);
            let expected = expected.map(|(card, exp, csc)| [card, exp, csc].map(str::to_owned));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn account_data_is_json_or_lines() {
        let whole = Some(("123456780", "5550001234"));
        for (text, expected) in [
            (r#"{"routingNumber":"123456780","accountNumber":"5550001234"}"#, whole),
            ("123456780\r\n\r\n5550001234\n", whole),
            ("123456780", Some(("123456780", ""))),
            ("1\n2\n3", None),
            (r#"{"routingNumber":123456780}"#, None),
            ("{", None),
        ] {
            let part =
                |part: Option<Zeroizing<String>>| part.map(|part| part.to_string()).unwrap_or_default();
            let read = AccountData::of_text(text);
            let read = read.map(|account| (part(account.routing_number), part(account.account_number)));
            let expected = expected.map(|(routing, account)| (routing.to_owned(), account.to_owned()));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn card_data_is_asked_for_part_by_part() {
        for (answers, expected) in [
            (["4111111111111111", "1230", "999"], ["4111111111111111", "1230", "999"]),
            (["4111111111111111", " ", ""], ["4111111111111111", "", ""]),
        ] {
            let mut questions = Vec::new();
            let read = CardData::of_answers(|question| {
                questions.push(question.to_owned());
                Ok(answers[questions.len() - 1].to_owned())
            });
            assert_eq!(parts(read.unwrap()), expected);
            assert_eq!(
                questions,
                ["Card number (not shown): ", "Expiry, MMYY: ", "Security code (not shown): "]
            );
        }
    }

    #[test]
    fn a_terminal_that_goes_away_is_reported() {
        let read = CardData::of_answers(|_| Err(io::ErrorKind::UnexpectedEof.into()));
        let failure = read.err().unwrap().to_string();
        assert_eq!(failure, "error: the card cannot be asked for at this terminal\n");
    }

    /// The parts of a card; an absent part is empty.
    fn parts(CardData { card, exp_date, csc }: CardData) -> [String; 3] {
        [card, exp_date, csc].map(|part| part.map(|part| part.to_string()).unwrap_or_default())
    }
}
