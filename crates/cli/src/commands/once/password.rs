//! The password of a PostgreSQL database, from the places in which libpq looks for it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::output::note;
use crate::secrets;

/// Adds the password of `PGPASSWORD` or of the password file to the URL of a PostgreSQL database without one.
pub(super) fn with_password(url: String) -> Zeroizing<String> {
    let mut url = Zeroizing::new(url);
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    if !is_postgres || secrets::has_password(&url) {
        return url;
    }
    let given = env::var("PGPASSWORD").ok().filter(|password| !password.is_empty());
    if let Some(password) = given.map(Zeroizing::new).or_else(|| of_file(&url)) {
        let separator = if url.contains('?') { '&' } else { '?' };
        url.push(separator);
        url.push_str("password=");
        for byte in password.bytes() {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

/// The password that the password file has for the database of this URL.
fn of_file(url: &str) -> Option<Zeroizing<String>> {
    let named = env::var_os("PGPASSFILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = named.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pgpass")))?;
    let text = Zeroizing::new(fs::read_to_string(&path).ok()?);
    #[cfg(unix)]
    if let Ok(metadata) = fs::metadata(&path)
        && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
    {
        note(&format!("{} is not used: others can read it. chmod 600 makes it yours alone", path.display()));
        return None;
    }
    let wanted = parts(url)?;
    text.lines().find_map(|line| password_for(line, &wanted))
}

/// The host, the port, the database and the user of a URL.
fn parts(url: &str) -> Option<[String; 4]> {
    let (_, rest) = url.split_once("://")?;
    let (rest, _) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = hosts.split(',').next().unwrap_or_default();
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (host, "5432"),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let database = if database.is_empty() { user } else { database };
    Some([host, port, database, user].map(str::to_owned))
}

/// The password of a line, if its first four fields are these: `*` is any. A backslash takes the next character as it is.
fn password_for(line: &str, wanted: &[String; 4]) -> Option<Zeroizing<String>> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![Zeroizing::new(String::new())];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let is_last = fields.len() == 5;
        match (character, fields.last_mut()) {
            (':', _) if !is_last => fields.push(Zeroizing::new(String::new())),
            ('\\', Some(field)) => field.extend(characters.next()),
            (other, Some(field)) => field.push(other),
            _ => {}
        }
    }
    let password = fields.pop().filter(|_| fields.len() == 4)?;
    let is_for = fields.iter().zip(wanted).all(|(field, wanted)| field.as_str() == "*" || **field == *wanted);
    is_for.then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_for_a_database_or_for_any() {
        let url = "postgres://ada@db.example/journal?sslmode=require";
        for (url, line, expected) in [
            (url, "db.example:5432:journal:ada:secret", Some("secret")),
            (url, "*:*:*:*:a\\:b\\\\c:d", Some("a:b\\c:d")),
            (url, "db.example:5433:journal:ada:secret", None),
            (url, "db.example:5432:journal:eve:secret", None),
            (url, "#*:*:*:*:secret", None),
            (url, "*:*:*:secret", None),
            ("postgresql://ada@[::1]:99/journal", "\\:\\:1:99:journal:ada:secret", Some("secret")),
            ("postgres://ada@db.example", "db.example:5432:ada:ada:secret", Some("secret")),
        ] {
            let wanted = parts(url).unwrap();
            let found = password_for(line, &wanted);
            assert_eq!(found.as_ref().map(|found| found.as_str()), expected, "{url} {line}");
        }
    }
}
