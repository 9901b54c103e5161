//! The key as input, in use, and in storage: errors are reported, and the key never is.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::shell::{
    CARD, CARD_JSON, CSC, KEY, Ran, Shell, answer, finish, gateway, perennial, runtime, write_private,
};
use crate::signals::held;

/// A person's folder, with a passphrase in it that only they can read.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("passphrase", "correct horse\n");
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        write_private(&path, content);
        path
    }

    pub(crate) fn home(&self) -> &Path {
        self.0.path()
    }

    /// Runs the command with this on standard input, and checks that the output has no secret.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Ran {
        self.run_with("passphrase", arguments, stdin)
    }

    pub(crate) fn run_with(&self, passphrase: &str, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = perennial();
        command.env("HOME", self.home()).env("PERENNIAL_PASSPHRASE_FILE", self.path(passphrase));
        command.args(arguments);
        let ran = finish(command, stdin);
        let output = format!("{}{}", ran.out, ran.err);
        for secret in [KEY, &KEY[..16], CARD, CSC, "horse", stdin.trim()] {
            assert!(secret.is_empty() || !output.contains(secret), "{arguments:?}: {output}");
        }
        ran
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.path(".config/perennial/keys.age")
    }
}

/// Holds: A character that pasting adds to a key is refused by name, and the message does not show the key.
#[test]
fn what_pasting_adds_is_reported_by_name_and_the_key_never() {
    let desk = Desk::new();
    let (head, tail) = KEY.split_at(16);
    for (pasted, message) in [
        (format!("{head}\n{tail}"), "has a line break at character 17: join its lines"),
        (format!("{head} {tail}"), "has a space at character 17: remove it"),
        (format!("{head}\u{a0}{tail}"), "has a non-breaking or other special space at character 17"),
        (format!("{head}\u{200b}{tail}"), "has an invisible zero-width character at character 17"),
        (format!("{head}\u{feff}{tail}"), "has an invisible zero-width character at character 17"),
        (format!("{head}\u{ad}{tail}"), "has a soft hyphen at character 17: remove it"),
        (
            format!("\u{201c}{KEY}\u{201d}"),
            "has a quotation mark at character 1: paste the key without quotes",
        ),
        (format!("'{KEY}'"), "has a quotation mark at character 1: paste the key without quotes"),
        (format!("API Key: {KEY}"), "begins with a label such as \"API Key:\": paste only what follows it"),
        (KEY[..15].to_owned(), "must have 16 to 256 characters (those of the vendor have 32)"),
        (KEY.repeat(9), "must have 16 to 256 characters (those of the vendor have 32)"),
        (format!("{head}\u{e9}{tail}"), "has a character that no key has at character 17"),
        (" \n".to_owned(), "is empty: paste the key from the document that Clearent sent"),
        (format!("-----BEGIN KEY-----\n{KEY}\n-----END KEY-----\n"), "has a space at character 11"),
    ] {
        let file = desk.write("key", &pasted);
        // There is no gateway, so nothing else can be reported about an accepted key.
        let connect = ["--base-url", "http://127.0.0.1:9", "connect"];
        let of_file = [&connect[..], &["--key-file", file.to_str().unwrap()]].concat();
        for (arguments, stdin) in [(&connect[..], pasted.as_str()), (&of_file, "")] {
            let ran = desk.run(arguments, stdin);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{pasted}");
            assert!(ran.err.starts_with(&format!("error: the api key {message}")), "{pasted}: {}", ran.err);
        }
        assert!(!desk.path(".config").exists());
    }
}

#[test]
fn a_refused_key_may_be_of_another_environment() {
    let desk = Desk::new();
    let taken = || answer("204 No Content", "");
    let refused = || {
        let body = r#"{"code":"401","status":"fail","payload":{"error":{"error-message":"Unauthorized",
            "result-code":"042"},"payloadType":"error"}}"#;
        answer("401 Unauthorized", body)
    };
    let hint = "keys of one environment are not valid in another, and this one was tried in the gateway of --base-url: \
        if it is of another, say --environment sandbox or production instead, or connect its profile with that";
    let url = gateway([refused(), taken(), refused(), refused()].into_iter());
    let connect = ["--base-url", &url, "connect", "north"];
    let get = ["--profile", "north", "batches", "list"];
    for (arguments, code, message) in [
        (&connect[..], 3, hint),
        (&get, 5, "there is no key of the profile north"),
        (&connect, 0, ""),
        (&get, 3, hint),
    ] {
        let ran = desk.run(arguments, KEY);
        assert_eq!((ran.code, ran.out.is_empty()), (code, code != 0), "{arguments:?}: {}", ran.err);
        assert!(
            ran.err.contains(message) && ran.err.is_empty() == message.is_empty(),
            "{arguments:?}: {}",
            ran.err
        );
    }
    let ran = desk.run(&[&get[..], &["--output", "json"]].concat(), "");
    assert!(ran.err.contains(&format!(r#""hint":"{hint}"#)), "{}", ran.err);
}

/// Holds: A key file that others can read is reported, and such a passphrase file is refused.
#[test]
fn what_others_may_read_is_refused_or_reported() {
    let desk = Desk::new();
    let key = desk.write("key", KEY);
    let key = key.to_str().unwrap();
    let url = gateway((0..5).map(|_| answer("204 No Content", "")));
    let connect = ["--base-url", &url, "connect", "--key-file", key];
    let used = ["--base-url", &url, "--api-key-file", key, "batches", "open"];
    for (file, mode, arguments, code, message) in [
        ("key", 0o600, &connect[..], 0, ""),
        ("key", 0o644, &connect, 0, "others may read "),
        ("key", 0o604, &used, 5, "others may read "),
        ("passphrase", 0o640, &connect, 2, "error: others may read or change "),
        ("passphrase", 0o601, &["profiles"], 2, "error: others may read or change "),
        ("passphrase", 0o600, &["profiles"], 0, ""),
    ] {
        fs::set_permissions(desk.path(file), Permissions::from_mode(mode)).unwrap();
        let ran = desk.run(arguments, "");
        assert_eq!(ran.code, code, "{file} {mode:o}: {}", ran.err);
        assert!(
            ran.err.contains(message) && (ran.err.is_empty() || !message.is_empty()),
            "{file} {mode:o}: {}",
            ran.err
        );
    }
}

/// Holds: A credential that systemd gives to a service is not taken for a file that others can read.
#[test]
fn a_credential_of_a_service_is_private() {
    let desk = Desk::new();
    let key = desk.write("key", KEY);
    for (folder, mode, is_reported) in [("", 0o440, false), ("", 0o444, true), ("elsewhere", 0o440, true)] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let url = gateway([answer("204 No Content", "")].into_iter());
        let mut command = perennial();
        command.args(["--base-url", &url, "batches", "open", "--api-key-file"]).arg(&key);
        command.env("CREDENTIALS_DIRECTORY", desk.path(folder)).env("HOME", desk.home());
        let ran = finish(command, "");
        assert_eq!(ran.code, 5, "{mode:o}: {}", ran.err);
        assert_eq!(ran.err.contains("others may read"), is_reported, "{mode:o}: {}", ran.err);
    }
}

/// Inspects the process while it waits for the gateway, when all its secrets are in memory.
///
/// Holds: A running command shows no key in its arguments or environment and leaves no core file.
#[cfg(target_os = "linux")]
#[test]
fn a_running_command_shows_no_key_and_leaves_no_core() {
    let desk = Desk::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = perennial();
    command.args(["--base-url", &format!("http://{}", listener.local_addr().unwrap()), "connect"]);
    command.args(["--passphrase-file"]).arg(desk.path("passphrase")).env("HOME", desk.home());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(KEY.as_bytes()).unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    let mut request = [0; 4096];
    let length = connection.read(&mut request).unwrap();
    assert!(String::from_utf8_lossy(&request[..length]).contains(KEY));

    // Other processes of the same user cannot even read the environment.
    let of_it = |file: &str| match fs::read_to_string(format!("/proc/{}/{file}", child.id())) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => "denied".to_owned(),
        read => read.unwrap(),
    };
    for file in ["cmdline", "environ", "comm"] {
        let content = of_it(file);
        assert!(
            !content.is_empty() && !content.contains(KEY) && !content.contains("horse"),
            "{file}: {content}"
        );
    }
    let limits = of_it("limits");
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    let core: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(core, ["1", "1", "bytes"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Checks that the typed card is wiped after it is read: only the digits in the request are left.
#[cfg(target_os = "linux")]
#[test]
fn the_card_of_standard_input_is_not_left_in_memory() {
    let (shell, typed) = (Shell::open(), "4111 1111 1111 1111");
    assert!(CARD_JSON.contains(typed));
    for stdin in [CARD_JSON.to_owned(), format!("{typed}\n1230\n{CSC}\n")] {
        let mut command = perennial();
        command
            .args(["--base-url", shell.url(), "test-sale", "--void", "--card-stdin"])
            .envs(shell.environment());
        let mut child = held(&shell, "transactions.void", command, &stdin);
        let memory = memory(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        runtime().block_on(shell.world().clear_faults()).unwrap();
        // Only root reads the memory of a process that is not dumpable.
        let Some(memory) = memory else { continue };
        let holds = |text: &str| memory.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(holds(shell.url()), "the memory was not read");
        assert!(!holds(typed), "{stdin}");
    }
}

/// The writable memory of a process, if it is readable.
#[cfg(target_os = "linux")]
fn memory(id: u32) -> Option<Vec<u8>> {
    let maps = fs::read_to_string(format!("/proc/{id}/maps")).ok()?;
    let memory = fs::File::open(format!("/proc/{id}/mem")).ok()?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let mut part = vec![0; usize::try_from(to - from).ok()?];
        // A missing page has no content.
        if memory.read_exact_at(&mut part, from).is_ok() {
            all.extend(part);
        }
    }
    Some(all)
}

/// Holds: A PDF without exactly one key is refused by name, and no key is stored.
#[cfg(feature = "pdf")]
#[test]
fn a_document_is_refused_by_name_and_nothing_is_kept() {
    let desk = Desk::new();
    let plain = desk.write("plain.pdf", "Dear merchant, your key is not in here.");
    let closed = desk.path("closed.pdf");
    desk.write("password", "correct horse\n");
    desk.write("wrong", "wrong horse\n");
    let blank = desk.write("blank.pdf", BLANK);
    let mut qpdf = Command::new("qpdf");
    qpdf.args(["--encrypt", "correct horse", "owner", "256", "--"]).args([&blank, &closed]);
    assert!(qpdf.status().unwrap().success());
    for (document, password, message) in [
        (&plain, "password", "is no PDF that can be read"),
        (&desk.write("empty.pdf", ""), "password", "is no PDF that can be read"),
        (&desk.path("missing.pdf"), "password", "cannot be opened"),
        (&closed, "wrong", "closed.pdf is not opened by this password"),
        (&closed, "missing", "cannot be opened"),
        (&closed, "password", "closed.pdf has no text that is a key: open it, and paste the key"),
        (&blank, "password", "blank.pdf has no text that is a key: open it, and paste the key"),
    ] {
        let (document, password) = (document.to_str().unwrap(), desk.path(password));
        let password = password.to_str().unwrap();
        let ran = desk.run(&["connect", "--import", document, "--password-file", password], KEY);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{document}: {}", ran.err);
        assert!(ran.err.contains(message), "{document}: {}", ran.err);
        assert!(!desk.path(".config").exists());
    }
    let ran = desk.run(&["connect", "--import", closed.to_str().unwrap()], KEY);
    assert!(ran.code == 2 && ran.err.contains("pass --password-file FILE"), "{}", ran.err);
}

/// Holds: The key of a password-protected PDF is connected and used.
#[cfg(feature = "pdf")]
#[test]
fn the_key_of_a_closed_document_is_connected_and_used() {
    let (shell, desk) = (Shell::open(), Desk::new());
    let letter =
        format!("BT /F1 12 Tf 72 700 Td (Terminal 19296734) Tj 0 -14 Td (API Key: {}) Tj ET", shell.key());
    let length = letter.len();
    let content = format!(
        "4 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>\nendobj\n\
         5 0 obj\n<< /Length {length} >>\nstream\n{letter}\nendstream\nendobj\ntrailer"
    );
    let page = BLANK.replace("/MediaBox", "/Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R /MediaBox");
    let page = page.replace("/Size 4", "/Size 6");
    let (open, closed) =
        (desk.write("open.pdf", page.replacen("trailer", &content, 1)), desk.path("closed.pdf"));
    let password = desk.write("password", "correct horse\n");
    let mut qpdf = Command::new("qpdf");
    qpdf.args(["--encrypt", "correct horse", "owner", "256", "--"]).args([&open, &closed]);
    // The output says that it had to search for the objects itself.
    assert_eq!(qpdf.output().unwrap().status.code(), Some(3));
    fs::remove_file(open).unwrap();

    let [closed, password] = [&closed, &password].map(|path| path.to_str().unwrap());
    let connect = ["connect", "north", "--import", closed, "--password-file", password];
    let connected = desk.run(&[&["--base-url", shell.url()], &connect[..]].concat(), "");
    assert_eq!((connected.code, connected.err.as_str()), (0, ""));
    assert!(!connected.out.contains(shell.key()), "{}", connected.out);
    let used = desk.run(&["--profile", "north", "batches", "list", "--output", "jsonl"], "");
    assert_eq!((used.code, used.out.as_str(), used.err.as_str()), (0, "", ""));
}

/// A PDF with an empty page.
#[cfg(feature = "pdf")]
const BLANK: &str = "%PDF-1.4
1 0 obj
<< /Type /Catalog /Pages 2 0 R >>
endobj
2 0 obj
<< /Type /Pages /Count 1 /Kids [3 0 R] >>
endobj
3 0 obj
<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>
endobj
xref
0 4
0000000000 65535 f\x20
0000000009 00000 n\x20
0000000058 00000 n\x20
0000000115 00000 n\x20
trailer
<< /Size 4 /Root 1 0 R >>
startxref
186
%%EOF
";
