//! Merchants with separate profiles: connected, used, tried and removed.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::custody::Desk;
use crate::shell::{CARD_JSON, CSC, KEY, Shell, finish};

/// A key that every gateway refuses.
const NO_KEY: &str = "this-one-has-no-hexadecimal-digits";

#[test]
fn a_merchant_is_connected_used_tried_and_forgotten() {
    let (shell, desk) = (Shell::open(), Desk::new());
    let connected =
        desk.run(&["--base-url", shell.url(), "connect", "north"], &format!(" {}\n", shell.key()));
    assert_eq!((connected.code, connected.err.as_str()), (0, ""));
    assert!(connected.out.contains("north") && connected.out.contains(shell.url()), "{}", connected.out);
    let mode = fs::metadata(desk.keys()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let listed = desk.run(&["profiles", "--output", "json"], "");
    let expected = format!("[\n{{\"profile\":\"north\",\"environment\":\"{}\"}}\n]\n", shell.url());
    assert_eq!((listed.out.as_str(), listed.code), (expected.as_str(), 0));

    let sold = desk
        .run(&["--profile", "north", "test-sale", "--void", "--card-stdin", "--output", "json"], CARD_JSON);
    assert_eq!((sold.code, sold.err.as_str()), (0, "the sale was voided: nothing is charged\n"));
    assert!(sold.out.contains("\"amount\": \"1.00\"") && sold.out.contains("APPROVED"), "{}", sold.out);
    let history =
        desk.run(&["--profile", "north", "transactions", "search", "--all", "--output", "json"], "");
    assert!(history.out.contains("\"type\":\"VOID\""), "{}", history.out);

    let forgotten = desk.run(&["disconnect", "north"], "");
    assert_eq!((forgotten.code, forgotten.err.as_str()), (0, ""));
    let again = desk.run(&["--profile", "north", "customers", "search"], "");
    assert_eq!((again.code, again.err.as_str()), (5, "error: there is no key of the profile north\n"));
}

#[test]
fn a_test_sale_says_what_came_of_it() {
    let shell = Shell::open();
    for (arguments, card, code, message) in [
        (&["2.50"][..], "4111111111111111", 0, ""),
        (&["0.09"], "4111111111111111", 4, "declined: "),
        (&["0.09", "--void"], "4111111111111111", 4, "declined: "),
        (&["0.00"], "4111111111111111", 2, "<AMOUNT>: "),
        (&["1.001"], "4111111111111111", 2, "<AMOUNT>: "),
        (&[], "4111111111111112", 2, "card: "),
    ] {
        let ran = shell.run_with(
            &[&["test-sale", "--card-stdin"], arguments].concat(),
            &format!(r#"{{"card":"{card}","exp-date":"1230","csc":"{CSC}"}}"#),
        );
        assert_eq!((ran.code, ran.err.contains(message)), (code, true), "{arguments:?}: {}", ran.err);
    }
}

/// Holds: The key of a merchant serves only that merchant's requests.
#[test]
fn one_merchants_key_never_serves_another() {
    let (shell, desk) = (Shell::open(), Desk::new());
    for (name, key) in [("north", shell.key()), ("south", KEY)] {
        let connected = desk.run(&["--base-url", shell.url(), "connect", name], key);
        assert_eq!(connected.code, 0, "{}", connected.err);
        let created =
            ["--profile", name, "customers", "create", "--first-name", name, "--last-name", "Byron"];
        assert_eq!(desk.run(&created, "").code, 0);
    }
    for (name, other) in [("north", "south"), ("south", "north")] {
        let search = ["--profile", name, "customers", "search", "--last-name", "Byron", "--output", "json"];
        let found = desk.run(&search, "").out;
        let first_name = |name: &str| format!("\"first-name\":\"{name}\"");
        assert!(found.contains(&first_name(name)) && !found.contains(&first_name(other)), "{found}");
    }
}

/// Holds: A profile's key goes to its own gateway only, and a failed connect loses no stored key.
#[test]
fn what_is_not_right_is_reported_and_nothing_is_lost() {
    let (shell, desk) = (Shell::open(), Desk::new());
    let connect = ["--base-url", shell.url(), "connect", "north"];
    assert_eq!(desk.run(&connect, shell.key()).code, 0);
    let before = fs::read(desk.keys()).unwrap();
    desk.write("wrong", "wrong horse");
    desk.write("empty", "");
    let (head, tail) = KEY.split_at(16);
    let broken = format!("{head}\n{tail}");
    let get = ["--profile", "north", "customers", "search"];
    // Not even root can write below a file, or in this folder.
    let under_a_file = desk.path("passphrase/keys.age");
    let under_a_file = [&["--keys", under_a_file.to_str().unwrap()], &connect[..]].concat();
    let nowhere = [&["--keys", "/proc/none/keys.age"], &connect[..]].concat();
    for (passphrase, arguments, stdin, code, message) in [
        ("wrong", &get[..], "", 2, "the passphrase or identity does not open"),
        ("wrong", &connect, shell.key(), 2, "the passphrase or identity does not open"),
        ("empty", &get, "", 2, "is empty"),
        ("missing", &get, "", 2, "cannot be opened"),
        ("passphrase", &connect, "", 2, "the api key of standard input is empty"),
        ("passphrase", &connect, &broken, 2, "the api key has a line break at character 17: join its lines"),
        ("passphrase", &connect, NO_KEY, 3, "keys of one environment are not valid in another"),
        ("passphrase", &under_a_file, shell.key(), 2, "passphrase/keys.age cannot be written"),
        ("passphrase", &nowhere, shell.key(), 2, "/proc/none/keys.age cannot be written"),
        ("passphrase", &["--base-url", "http://127.0.0.1:9", "connect"], KEY, 69, ""),
        ("passphrase", &["connect", "North"], KEY, 2, "the name of a profile is 1 to 30 lower-case letters"),
        ("passphrase", &["connect", KEY], "", 2, "an argument seems to hold an api key"),
        ("passphrase", &["disconnect", "south"], "", 5, "there is no key of the profile south"),
        ("passphrase", &["--profile", "north", "connect"], KEY, 2, "leave out --profile"),
        ("passphrase", &["--profile", "north", "profiles"], "", 2, "leave out --profile"),
        ("passphrase", &["--profile", "north", "sandbox", "clock"], "", 2, "leave out --profile"),
        (
            "passphrase",
            &["--profile", "north", "--environment", "production", "profiles"],
            "",
            2,
            "cannot be used",
        ),
        (
            "passphrase",
            &["--store", "variables", "--profile", "north", "customers", "search"],
            "",
            5,
            "no key",
        ),
        ("passphrase", &["--store", "variables", "disconnect", "north"], "", 2, "are read-only"),
    ] {
        let ran = desk.run_with(passphrase, arguments, stdin);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(message), "{arguments:?}: {}", ran.err);
        assert_eq!(fs::read(desk.keys()).unwrap(), before, "{arguments:?}");
    }
    fs::set_permissions(desk.keys(), Permissions::from_mode(0o644)).unwrap();
    let exposed = desk.run(&get, "");
    assert!(exposed.code == 2 && exposed.err.contains("others may read or change"), "{}", exposed.err);
}

/// Uses a separate keychain of a session, as in GNOME.
///
/// Holds: The command stores a key in a keychain, and a missing keychain is reported and not replaced by
/// another store.
#[cfg(target_os = "linux")]
#[test]
fn a_keychain_keeps_the_key() {
    let (shell, desk) = (Shell::open(), Desk::new());
    let run = |line: &str| {
        let script = format!("set -e; perennial() {{ \"$PERENNIAL\" --store keychain \"$@\"; }}; {line}");
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", &script]).env_clear().env("PATH", env::var_os("PATH").unwrap());
        command.env("PERENNIAL", env!("CARGO_BIN_EXE_perennial")).env("URL", shell.url());
        command.env("HOME", desk.home()).env("XDG_RUNTIME_DIR", desk.home());
        let ran = finish(command, shell.key());
        assert!(!format!("{}{}", ran.out, ran.err).contains(shell.key()), "{line}");
        ran
    };
    let unlock = "printf pw | gnome-keyring-daemon --unlock --components=secrets";
    let used = run(&format!(
        "{unlock}; perennial --base-url $URL connect north; perennial --profile north batches list; \
         perennial profiles --output jsonl; perennial disconnect north; perennial --profile north batches list"
    ));
    let listed = format!("{{\"profile\":\"north\",\"environment\":\"{}\"}}\n", shell.url());
    assert!(used.out.contains(&listed), "{}{}", used.out, used.err);
    assert_eq!((used.code, used.err.ends_with("error: there is no key of the profile north\n")), (5, true));

    // It is created locked, and nobody can unlock it.
    for (line, message) in [
        (
            "perennial --base-url $URL connect north",
            "the keychain is locked, or does not let this program in",
        ),
        (
            "DBUS_SESSION_BUS_ADDRESS=unix:path=/none perennial --base-url $URL connect north",
            "no keychain responds on this system, or for this user",
        ),
    ] {
        let ran = run(line);
        assert_eq!(
            (ran.code, ran.out.as_str(), ran.err.contains(message)),
            (2, "", true),
            "{line}: {}",
            ran.err
        );
    }
    // The key was not written anywhere else.
    assert!(!desk.keys().exists());
}
