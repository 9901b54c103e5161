//! Secrets that must never be arguments: keys and card data.

use std::env;
use std::ffi::OsString;

use perennial::transport::{Redactor, redact};
use zeroize::Zeroizing;

/// The variable of the api key.
pub(crate) const API_KEY: &str = "PERENNIAL_API_KEY";

/// The option that accepts values that only look like a secret.
pub(crate) const OVERRIDE: &str = "--allow-lookalikes";

/// Refuses a command line with a secret in it: every process of the machine sees arguments, and the shell's history
/// stores them. The error names the argument, and the remedy.
pub(crate) fn refuse(line: &[OsString]) -> Result<(), String> {
    let line: Vec<_> = line.iter().skip(1).map(|argument| argument.to_string_lossy()).collect();
    let (accepts, serves) =
        (line.iter().any(|word| word == OVERRIDE), line.iter().any(|word| word == "serve"));
    let known = of_environment();
    let mut before = "";
    for argument in line.iter().map(AsRef::as_ref) {
        let name = argument.split_once('=').map_or(argument, |(name, _)| name);
        // A key that is made up for a sandbox may be given to it.
        let is_invented = serves && (before == "--key" || argument.starts_with("--key="));
        before = argument;
        let held = known.iter().find(|secret| secret.is_in(argument) && !(accepts && secret.is_short()));
        let message = match name {
            "--api-key" | "--apikey" => KEY.to_owned(),
            "--card" | "--card-number" | "--pan" | "--csc" | "--cvc" | "--cvv" => {
                "card data is never an argument, because other processes and the shell's history see it: \
                 pass --card-stdin, or wait to be asked"
                    .to_owned()
            }
            "--integrator-key" | "--account-key" | "--account-pin" | "--customer-pin" | "--access-id" => {
                CREDENTIALS.to_owned()
            }
            "--routing-number" | "--account-number" => {
                "a bank account is never an argument, because other processes and the shell's history see it: pass \
                 --account-stdin"
                    .to_owned()
            }
            _ if is_invented => continue,
            _ => match held {
                Some(secret) => {
                    let lookalike = if secret.is_short() {
                        format!(". If it only has the same characters, add {OVERRIDE}")
                    } else {
                        String::new()
                    };
                    format!(
                        "an argument holds the secret of {}, which is never an argument: leave it out{lookalike}",
                        secret.variable
                    )
                }
                None if has_password(argument) => {
                    "a URL with a password is never an argument, because other processes and the shell's history see it: \
                     set PERENNIAL_PROXY for a proxy, and PERENNIAL_DB or PGPASSWORD for a database"
                        .to_owned()
                }
                None if !accepts && holds_key(argument) => format!(
                    "an argument seems to hold an api key: {KEY}. If it is no key, add {OVERRIDE}"
                ),
                None if !accepts && redact::holds_card(argument) => format!(
                    "an argument seems to hold a card number, and card data is never an argument: pass --card-stdin, or \
                     wait to be asked. If it is no card number, add {OVERRIDE}"
                ),
                None => continue,
            },
        };
        return Err(message);
    }
    Ok(())
}

/// Whether a text is refused as an argument without the option.
pub(crate) fn resembles_secret(text: &str) -> bool {
    let is_credential = |secret: &Credential| secret.is_short() && secret.is_in(text);
    holds_key(text) || redact::holds_card(text) || of_environment().iter().any(is_credential)
}

const KEY: &str = "the api key is never an argument, because other processes and the shell's history see it: \
    set PERENNIAL_API_KEY or pass --api-key-file FILE";
const CREDENTIALS: &str = "ClientPay's credentials are never arguments, because other processes and the shell's history see them: \
    set PERENNIAL_CLIENTPAY_INTEGRATOR_KEY and its like or pass --credentials-file FILE";

/// A secret in one of this command's variables.
struct Credential {
    variable: String,
    value: Zeroizing<String>,
}

/// The minimum length of a secret that no argument contains by chance.
const LONG: usize = 12;

impl Credential {
    /// Whether the secret, such as a PIN, may equal an id, an amount or a word by chance.
    fn is_short(&self) -> bool {
        self.value.len() < LONG
    }

    /// Whether an argument contains the secret, ignoring case and separators. A short secret must be separate from
    /// other text, and one of fewer than three letters and digits is not searched for.
    fn is_in(&self, argument: &str) -> bool {
        Redactor::new().secret(&self.value).text(argument) != redact::text(argument)
    }
}

/// The secrets of this command's variables.
fn of_environment() -> Vec<Credential> {
    let is_secret = |name: &str| {
        name == API_KEY || name.starts_with("PERENNIAL_API_KEY_") || name.starts_with("PERENNIAL_CLIENTPAY_")
    };
    let secret = |(name, value): (OsString, OsString)| {
        let value = Zeroizing::new(value.into_string().ok()?);
        let variable = name.into_string().ok().filter(|name| is_secret(name))?;
        Some(Credential { variable, value: Zeroizing::new(value.trim().to_owned()) })
    };
    env::vars_os().filter_map(secret).collect()
}

/// The number of hexadecimal digits in an api key of the vendor.
const DIGITS: usize = 32;

/// Whether a word of the text looks like an api key. Text in groups, such as a UUID, does not.
fn holds_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .any(|word| word.len() == DIGITS && word.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether the text is a URL with a password: after the user, or as a parameter of a database.
pub(crate) fn has_password(text: &str) -> bool {
    let is_parameter = |query: &str| query.split('&').any(|parameter| parameter.starts_with("password="));
    let in_query = text.split_once("://").is_some_and(|(scheme, rest)| {
        let is_database = scheme.ends_with("postgres") || scheme.ends_with("postgresql");
        is_database && rest.split_once('?').is_some_and(|(_, query)| is_parameter(query))
    });
    in_query || user_info(text).is_some_and(|user| user.contains(':'))
}

/// The user of a URL, and the password after a colon.
pub(crate) fn user_info(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let (user, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    Some(user)
}

/// Masks secrets in clap's error about a command line, which repeats some of it.
pub(crate) fn masked(error: &str) -> String {
    let could_be_a_key = |word: &str| word.len() >= 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let masked = |line: &str| {
        let line = redact::text(line);
        line.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
            .map(|word| {
                let end = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                if could_be_a_key(end) { word.replace(end, redact::MASK) } else { word.to_owned() }
            })
            .collect::<String>()
    };
    let lines: Vec<String> = error.trim_start_matches("error: ").trim_end().lines().map(masked).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for (argument, refused) in [
            ("--api-key", true),
            ("--api-key=0123456789abcdef0123456789abcdef", true),
            ("--api-key-file", false),
            ("ABCDABCDABCDABCDABCDABCDABCDABCD", true),
            ("--description=key: 0123456789abcdef0123456789abcdef.", true),
            ("0123456789abcdef0123456789abcdef=x", true),
            ("--db=/tmp/0123456789abcdef0123456789abcdef/x", true),
            ("cust_0123456789abcdef0123456789abcdef", false),
            ("0123456789abcdef0123456789abcdef0", false),
            ("550e8400-e29b-41d4-a716-446655440000", false),
            ("http://ada:secret@proxy.example:3128", true),
            ("--proxy=http://ada:secret@proxy.example:3128/", true),
            ("https://gateway.example/a:b@c", false),
            ("postgres://ada:secret@db.example/journal", true),
            ("--db=postgres://ada@db.example/journal?sslmode=require&password=abcdef", true),
            ("postgres://ada@db.example/journal", false),
            ("4111111111111111=x", true),
            ("--card=4111111111111111", true),
            ("--csc", true),
            ("--card-stdin", false),
            ("--card-type", false),
            ("--account-pin=4711abcdef", true),
            ("--integrator-key", true),
            ("--access-id=abcdef", true),
            ("--access-id-file", false),
            ("--account-number=11110000", true),
            ("--account-stdin", false),
            ("--account-type", false),
            ("4111111111111111", true),
            ("4111 1111 1111 1111", true),
            ("--order-id=4111-1111-1111-1111", true),
            ("22 4111111111111111", true),
            ("Ada 4111 1111 1111 1111 exp 12/30", true),
            ("card:4111111111111111,1230", true),
            ("4111.1111\u{a0}1111_1111", true),
            ("4111/1111/1111/1111", true),
            ("%34111111111111111", true),
            ("４１１１１１１１１１１１１１１１", true),
            ("4111111111111112", false),
            ("24111111111111111", false),
            ("a\u{1b}b\u{202e}c", false),
            ("20270101102030", false),
            ("2027-01-01 10:20", false),
            ("plan_411111111111", false),
            ("plan_3f0f6d1c5f0e", false),
            ("cust_411111111111111a", false),
            ("1100000000555551111", false),
            ("700001", false),
        ] {
            let result = refuse(&["perennial", argument].map(OsString::from));
            assert_eq!(result.is_err(), refused, "{argument}");
            if let Err(failure) = result {
                assert!(!failure.contains("1111"), "{failure}");
                assert!(!failure.contains("abcdef"), "{failure}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_can_be_accepted() {
        for (line, refused) in [
            (&["--order-id", "4111111111111111", OVERRIDE][..], false),
            (&[OVERRIDE, "--invoice=00000000000000000000000000000000"], false),
            (&[OVERRIDE, "--card", "4111111111111111"], true),
            (&[OVERRIDE, "--api-key=0123456789abcdef0123456789abcdef"], true),
            (&["sandbox", "serve", "--key", "0123456789abcdef0123456789abcdef"], false),
            (&["sandbox", "serve", "--key=0123456789abcdef0123456789abcdef"], false),
            (&["sandbox", "serve", "--db", "0123456789abcdef0123456789abcdef"], true),
            (&["sandbox", "fault", "set", "--key", "0123456789abcdef0123456789abcdef"], true),
        ] {
            let line: Vec<OsString> = ["perennial"].iter().chain(line).map(OsString::from).collect();
            assert_eq!(refuse(&line).is_err(), refused, "{line:?}");
        }
    }

    #[test]
    fn what_could_be_a_secret_is_masked() {
        for (message, expected) in [
            (
                "error: unexpected argument '0123456789abcdef0123456789abcdef' found",
                "unexpected argument '***' found",
            ),
            ("error: unexpected argument '--frob' found\n\ntip", "unexpected argument '--frob' found\n\ntip"),
        ] {
            assert_eq!(masked(message), expected);
        }
    }
}
