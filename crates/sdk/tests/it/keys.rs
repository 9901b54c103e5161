//! Stored keys: they are never mixed up, lost, incomplete or printed.

use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use age::secrecy::ExposeSecret;
use perennial::clearent::ApiKey;
use perennial::keys::{
    KeyFile, KeyStore, KeyStoreError, Keychain, MerchantKey, Profile, Secret, Unlock, Variables,
};
use tempfile::TempDir;

pub(crate) const NORTH: &str = "0123456789abcdef0123456789abcdef";
const SOUTH: &str = "fedcba9876543210fedcba9876543210";

pub(crate) fn profile(name: &str) -> Profile {
    name.parse().unwrap()
}

pub(crate) fn merchant(environment: &str, key: &str) -> MerchantKey {
    MerchantKey { environment: environment.parse().unwrap(), key: ApiKey::new(key).unwrap() }
}

fn private(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// A folder with an identity file in it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let identity = age::x25519::Identity::generate();
    private(&folder.path().join("identity"), identity.to_string().expose_secret().as_bytes());
    folder
}

fn store(folder: &Path) -> KeyFile {
    KeyFile::new(folder.join("keys.age"), Unlock::Identity(folder.join("identity")))
}

fn with_passphrase(folder: &Path, passphrase: &str) -> KeyFile {
    KeyFile::new(folder.join("keys.age"), Unlock::Passphrase(Secret::from(passphrase.to_owned())))
}

async fn names(store: &impl KeyStore) -> Vec<String> {
    let listed = store.list().await.unwrap();
    listed.into_iter().map(|(profile, environment)| format!("{profile} {environment}")).collect()
}

/// The behavior of every store, which is empty at first and the same each time it is opened.
pub(crate) async fn conforms<S: KeyStore + 'static>(open: impl Fn() -> S) {
    let store = open();
    assert_eq!(names(&store).await, [""; 0]);
    store.put(&profile("north"), merchant("sandbox", NORTH)).await.unwrap();
    store.put(&profile("south"), merchant("production", NORTH)).await.unwrap();
    store.put(&profile("south"), merchant("http://127.0.0.1:8480", SOUTH)).await.unwrap();
    for (name, environment, key) in
        [("north", "sandbox", NORTH), ("south", "http://127.0.0.1:8480", SOUTH), ("north", "sandbox", NORTH)]
    {
        let kept = open().get(&profile(name)).await.unwrap();
        assert_eq!((kept.environment.to_string().as_str(), kept.key.expose()), (environment, key));
    }
    assert_eq!(names(&store).await, ["north sandbox", "south http://127.0.0.1:8480"]);
    store.remove(&profile("north")).await.unwrap();
    for name in ["north", "nort", "n"] {
        let unknown = [store.get(&profile(name)).await.map(drop), store.remove(&profile(name)).await]
            .map(Result::unwrap_err);
        for told in unknown {
            assert!(matches!(&told, KeyStoreError::Unknown(of) if *of == profile(name)), "{told}");
        }
    }
    assert_eq!(store.get(&profile("south")).await.unwrap().key.expose(), SOUTH);
}

/// Fifty simultaneous writers, two for each of 25 profiles: each profile has the value of one of its own writers.
pub(crate) async fn loses_nothing<S: KeyStore + 'static>(open: impl Fn() -> S) {
    let writers: Vec<_> = (0..50)
        .map(|n| {
            let store = open();
            tokio::spawn(async move {
                let key = merchant("sandbox", &format!("{n:032}"));
                store.put(&profile(&format!("m-{}", n % 25)), key).await.unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let store = open();
    assert_eq!(store.list().await.unwrap().len(), 25);
    for n in 0..25 {
        let kept = store.get(&profile(&format!("m-{n}"))).await.unwrap();
        let kept: u32 = kept.key.expose().parse().unwrap();
        assert!(kept == n || kept == n + 25, "{kept} of {n}");
    }
}

/// Holds: A key file passes the table of all key stores.
#[tokio::test]
async fn a_file_does_what_every_store_does() {
    let folder = folder();
    // Its folder is created with it.
    let path = folder.path().join("made/for/it/keys.age");
    conforms(|| KeyFile::new(&path, Unlock::Identity(folder.path().join("identity")))).await;
}

/// Holds: Fifty concurrent writers of a key file lose no key.
#[tokio::test]
async fn fifty_writers_lose_nothing() {
    let folder = folder();
    loses_nothing(|| store(folder.path())).await;
    let keychain = Keychain::in_memory().unwrap();
    loses_nothing(|| keychain.clone()).await;
}

/// Holds: A keychain passes the table of all key stores.
#[tokio::test]
async fn a_keychain_does_what_every_store_does() {
    let keychain = Keychain::in_memory().unwrap();
    conforms(|| keychain.clone()).await;
}

/// Holds: A key file opens only with its passphrase, and a wrong passphrase does not change it.
#[tokio::test]
async fn a_passphrase_opens_what_it_closed_and_another_loses_nothing() {
    let folder = folder();
    let right = with_passphrase(folder.path(), "correct horse");
    right.put(&profile("north"), merchant("sandbox", NORTH)).await.unwrap();
    let before = fs::read(folder.path().join("keys.age")).unwrap();
    for wrong in [with_passphrase(folder.path(), "wrong horse"), store(folder.path())] {
        let told = [
            wrong.get(&profile("north")).await.map(drop),
            wrong.put(&profile("north"), merchant("sandbox", SOUTH)).await,
            wrong.remove(&profile("north")).await,
            wrong.list().await.map(drop),
        ];
        for told in told.map(Result::unwrap_err) {
            assert!(matches!(told, KeyStoreError::WrongSecret { .. }), "{told}");
            assert!(!format!("{told:?}{told}").contains("horse"), "{told}");
        }
    }
    assert_eq!(fs::read(folder.path().join("keys.age")).unwrap(), before);
    assert_eq!(right.get(&profile("north")).await.unwrap().key.expose(), NORTH);
}

/// Cases: a change to the files, then the results of reading and of changing.
///
/// Holds: A key file that others can read or change is refused and not changed.
#[tokio::test]
async fn what_is_not_safe_is_refused_and_kept() {
    type Case = (&'static str, fn(&Path), &'static str, &'static str);
    let exposed = "others may read or change";
    let cases: [Case; 7] = [
        ("group reads", |f| mode(&f.join("keys.age"), 0o640), exposed, exposed),
        ("others write", |f| mode(&f.join("keys.age"), 0o602), exposed, exposed),
        ("exposed identity", |f| mode(&f.join("identity"), 0o644), exposed, exposed),
        (
            "missing identity",
            |f| fs::remove_file(f.join("identity")).unwrap(),
            "cannot be opened",
            "cannot be opened",
        ),
        ("no identity", |f| private(&f.join("identity"), NORTH.as_bytes()), "is damaged", "is damaged"),
        ("cut off", |f| cut(&f.join("keys.age")), "is damaged", "is damaged"),
        ("a folder in the way", |f| fs::create_dir(f.join("keys.age.new")).unwrap(), "", "cannot be written"),
    ];
    for (case, spoil, reading, changing) in cases {
        let folder = folder();
        let store = store(folder.path());
        store.put(&profile("north"), merchant("sandbox", NORTH)).await.unwrap();
        spoil(folder.path());
        let before = fs::read(folder.path().join("keys.age")).unwrap();
        for (expected, told) in [
            (reading, store.get(&profile("north")).await.map(drop)),
            (changing, store.put(&profile("north"), merchant("sandbox", SOUTH)).await),
        ] {
            let told = told.map_or_else(|error| format!("{error}{error:?}"), |()| String::new());
            assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{case}: {told}");
            assert!(!told.contains(NORTH) && !told.contains(SOUTH), "{case}");
        }
        assert_eq!(fs::read(folder.path().join("keys.age")).unwrap(), before, "{case}");
    }
}

/// A link to the file, a link to a link, and one to a file that does not exist yet, each from another folder.
#[tokio::test]
async fn a_link_to_the_file_is_followed_and_stays() {
    for links in
        [&[("keys.age", "there/real.age")][..], &[("keys.age", "there/link"), ("there/link", "real.age")]]
    {
        for exists in [true, false] {
            let folder = folder();
            fs::create_dir(folder.path().join("there")).unwrap();
            let real = folder.path().join("there/real.age");
            let unlock = || Unlock::Identity(folder.path().join("identity"));
            if exists {
                KeyFile::new(&real, unlock())
                    .put(&profile("south"), merchant("production", SOUTH))
                    .await
                    .unwrap();
            }
            for (link, target) in links {
                std::os::unix::fs::symlink(target, folder.path().join(link)).unwrap();
            }
            let store = store(folder.path());
            store.put(&profile("north"), merchant("sandbox", NORTH)).await.unwrap();
            for (link, target) in links {
                assert_eq!(fs::read_link(folder.path().join(link)).unwrap(), Path::new(target), "{links:?}");
            }
            assert!(fs::symlink_metadata(&real).unwrap().is_file());
            let expected: &[&str] =
                if exists { &["north sandbox", "south production"] } else { &["north sandbox"] };
            assert_eq!(names(&store).await, expected);
            assert_eq!(names(&KeyFile::new(&real, unlock())).await, expected);
        }
    }
    let folder = folder();
    std::os::unix::fs::symlink("keys.age", folder.path().join("keys.age")).unwrap();
    let refused = store(folder.path()).put(&profile("north"), merchant("sandbox", NORTH)).await;
    assert!(matches!(refused, Err(KeyStoreError::File { .. })), "{refused:?}");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn cut(path: &Path) {
    let whole = fs::read(path).unwrap();
    fs::write(path, &whole[..whole.len() - 1]).unwrap();
}

/// Holds: The files of a key store and its printed forms hold no key, and only the owner can read the files.
#[tokio::test]
async fn no_key_is_in_the_files_nor_printed_and_they_are_their_owners() {
    let folder = folder();
    let store = store(folder.path());
    store.put(&profile("north"), merchant("sandbox", NORTH)).await.unwrap();
    let key = store.get(&profile("north")).await.unwrap();
    let printed = format!("{store:?}{key:?}{:?}", key.to_text().len());
    assert!(!printed.contains(NORTH), "{printed}");
    let mut found = Vec::new();
    for file in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        let bytes = fs::read(file.path()).unwrap();
        assert!(!bytes.windows(NORTH.len()).any(|part| part == NORTH.as_bytes()), "{file:?}");
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        found.push((file.file_name().into_string().unwrap(), mode));
    }
    found.sort();
    let expected = ["identity", "keys.age", "keys.age.lock"].map(|name| (name.to_owned(), 0o600));
    assert_eq!(found, expected);
}

/// The variable with the folder of a writer process that will be killed.
const WRITER: &str = "KEYS_OF_A_WRITER_TO_KILL";

/// Writes until it is killed, and reports each stored key; without the variable it does nothing.
#[tokio::test]
async fn a_writer_to_kill() {
    let Ok(folder) = env::var(WRITER) else { return };
    let store = store(Path::new(&folder));
    for n in 0.. {
        store.put(&profile("north"), merchant("sandbox", &format!("{n:032}"))).await.unwrap();
        println!("\nkept {n}");
    }
}

/// Holds: A kill at any moment leaves a whole key file with the last stored key or the next.
#[tokio::test]
async fn a_kill_at_any_moment_leaves_a_whole_file() {
    let folder = folder();
    let store = store(folder.path());
    store.put(&profile("south"), merchant("production", SOUTH)).await.unwrap();
    for round in 0..20_u64 {
        let mut writer = Command::new(env::current_exe().unwrap())
            .args(["--exact", "keys::a_writer_to_kill", "--nocapture"])
            .env(WRITER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut numbers = told.filter_map(|line| line.strip_prefix("kept ")?.parse::<u64>().ok());
        let first = numbers.next().unwrap();
        // A different moment in each round, spread over the few milliseconds of a write.
        (0..round * 20_000).for_each(|_| std::hint::spin_loop());
        writer.kill().unwrap();
        writer.wait().unwrap();
        let kept = numbers.last().unwrap_or(first);
        let north = store.get(&profile("north")).await.unwrap().key.expose().parse::<u64>().unwrap();
        // A reported key is stored; the next one may be, too.
        assert!(north == kept || north == kept + 1, "{north} after {kept}");
        assert_eq!(store.get(&profile("south")).await.unwrap().key.expose(), SOUTH);
    }
}

/// A separate process, with its own environment.
#[tokio::test]
async fn variables_in_a_process_of_their_own() {
    if env::var_os(WRITER).is_none() {
        return;
    }
    let told = |name: &'static str| async move {
        match Variables.get(&profile(name)).await {
            Ok(key) => format!("{} {}", key.environment, key.key.expose()),
            Err(error) => error.to_string(),
        }
    };
    for (name, expected) in [
        ("north-street", format!("production {NORTH}")),
        ("south", format!("http://127.0.0.1:8480 {SOUTH}")),
        ("other", "there is no key of the profile other".to_owned()),
        (
            "broken",
            "the variable PERENNIAL_API_KEY_BROKEN is no key: the api key has a line break at character 17: join its lines"
                .to_owned(),
        ),
        (
            "alone",
            "the variable PERENNIAL_ENVIRONMENT_ALONE is not set: it says sandbox, production or the URL of a gateway"
                .to_owned(),
        ),
        (
            "nowhere",
            "the variable PERENNIAL_ENVIRONMENT_NOWHERE is not sandbox, production or the URL of a gateway".to_owned(),
        ),
    ] {
        assert_eq!(told(name).await, expected);
    }
    assert!(matches!(Variables.remove(&profile("south")).await, Err(KeyStoreError::ReadOnly)));
    assert!(matches!(
        Variables.put(&profile("south"), merchant("sandbox", NORTH)).await,
        Err(KeyStoreError::ReadOnly)
    ));
    println!("\nall told");
}

#[test]
fn variables_are_read_and_never_guessed() {
    let (head, tail) = NORTH.split_at(16);
    let broken = format!("{head}\n{tail}");
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", "keys::variables_in_a_process_of_their_own", "--nocapture"])
        .env(WRITER, "")
        .envs([
            ("PERENNIAL_API_KEY_NORTH_STREET", NORTH),
            ("PERENNIAL_ENVIRONMENT_NORTH_STREET", "production"),
            ("PERENNIAL_API_KEY_SOUTH", SOUTH),
            ("PERENNIAL_ENVIRONMENT_SOUTH", "http://127.0.0.1:8480"),
            ("PERENNIAL_API_KEY_BROKEN", &broken),
            ("PERENNIAL_API_KEY_ALONE", NORTH),
            ("PERENNIAL_API_KEY_NOWHERE", NORTH),
            ("PERENNIAL_ENVIRONMENT_NOWHERE", "somewhere"),
        ])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&run.stdout).contains("all told"), "{run:?}");
}

#[test]
fn a_profile_is_a_name_that_fits_everywhere() {
    for (name, valid) in [
        ("a", true),
        ("north-street-2", true),
        ("7", true),
        ("", false),
        ("-a", false),
        ("North", false),
        ("a_b", false),
        ("a b", false),
        ("../a", false),
        ("a\n", false),
        ("é", false),
    ] {
        assert_eq!(name.parse::<Profile>().is_ok(), valid, "{name}");
    }
    assert!("a".repeat(30).parse::<Profile>().is_ok());
    assert!("a".repeat(31).parse::<Profile>().is_err());
}
