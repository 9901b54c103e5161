//! The keychain of a Linux desktop, as in GNOME: a real one, on a session bus of the test.

use std::env;
use std::path::Path;
use std::process::{Command, Output};

use perennial::keys::{KeyStore, KeyStoreError, Keychain};

use crate::keys::{NORTH, conforms, loses_nothing, merchant, profile};

/// The variable with the task of the process in the session; without it, the test does nothing.
const PART: &str = "PART_OF_A_SESSION";

const LOCK: &str = "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
    org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login";

#[tokio::test]
async fn a_part_of_a_session() {
    let keychain = Keychain::new();
    let north = profile("north");
    match env::var(PART).as_deref() {
        Ok("conforms") => conforms(Keychain::new).await,
        Ok("writes") => loses_nothing(Keychain::new).await,
        Ok("put") => keychain.put(&north, merchant("sandbox", NORTH)).await.unwrap(),
        Ok("get") => assert_eq!(keychain.get(&north).await.unwrap().key.expose(), NORTH),
        Ok("locked") => {
            let told = [
                keychain.get(&north).await.map(drop),
                keychain.put(&north, merchant("production", NORTH)).await,
                keychain.put(&profile("south"), merchant("production", NORTH)).await,
                keychain.remove(&north).await,
                keychain.list().await.map(drop),
            ];
            for told in told.map(Result::unwrap_err) {
                assert!(matches!(told, KeyStoreError::Locked(_)), "{told:?}");
            }
        }
        Ok("missing") => {
            let told = keychain.get(&north).await.unwrap_err();
            assert!(matches!(told, KeyStoreError::NoKeychain(_)), "{told:?}");
        }
        _ => return,
    }
    println!("\npart done");
}

/// Runs this shell command line with its own home folder; in it, `part` runs a part of the test.
fn session(home: &Path, line: &str) -> Output {
    let test = "\"$TEST\" --exact secret_service::a_part_of_a_session --nocapture";
    let line = format!("set -e; part() {{ {PART}=$1 {test}; }}; {line}");
    Command::new("dbus-run-session")
        .args(["--", "sh", "-c", &line])
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap())
        .env("TEST", env::current_exe().unwrap())
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .output()
        .unwrap()
}

/// Holds: A real Secret Service passes the table of all key stores and reports that it is locked.
#[test]
fn a_real_one_does_what_every_store_does_and_says_that_it_is_locked() {
    let unlock = "printf pw | gnome-keyring-daemon --unlock --components=secrets";
    let [empty, busy, home] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for (home, line, parts) in [
        (&empty, format!("{unlock}; part conforms"), 1),
        (&busy, format!("{unlock}; part writes"), 1),
        (&home, format!("{unlock}; part put; part get; {LOCK}; part locked"), 3),
        // A new login unlocks it.
        (&home, format!("{unlock}; part get"), 1),
        (&home, "DBUS_SESSION_BUS_ADDRESS=unix:path=/none part missing".to_owned(), 1),
    ] {
        let ran = session(home.path(), &line);
        let told = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && told.matches("part done").count() == parts, "{line}: {ran:?}");
    }
}
