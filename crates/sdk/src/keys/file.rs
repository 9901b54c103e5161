//! Keys in one encrypted file, which is always replaced as a whole.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient, scrypt};
use async_trait::async_trait;
use perennial_domain::encoding;
use zeroize::Zeroizing;

use super::{KeyStore, KeyStoreError, MerchantKey, Profile, Secret, off_the_runtime};
use crate::Environment;

/// The keys of many profiles in a file of the [age](https://age-encryption.org/v1) format, which is opened with a
/// passphrase or an identity file.
///
/// A change is written to a new file in the same folder, which replaces the old one when it is on the disk, so that
/// after a crash or with a full disk the file is never incomplete. Processes that change it wait for each other on
/// `FILE.lock`. If the path is a symbolic link, the file that it names is replaced, in its own folder, and the link
/// stays. The file, and the folder if it is missing, are created for their owner alone; on Unix, a file that others may
/// read or change is refused. Older copies, such as backups, can still be opened with the old passphrase or identity.
#[derive(Debug, Clone)]
pub struct KeyFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    unlock: Unlock,
}

/// The secret that opens a [`KeyFile`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Unlock {
    /// A passphrase: every read takes about a second, and every change another one.
    Passphrase(Secret),
    /// The path of an identity file, as written by `age-keygen`; it must not be readable by others either.
    Identity(PathBuf),
}

type Keys = BTreeMap<Profile, MerchantKey>;

/// The maximum work factor. A passphrase that takes more than about 16 s to check is refused.
const MOST_WORK: u8 = 22;

impl KeyFile {
    /// Creates the store. The file is created when the first key is put into it.
    pub fn new(path: impl Into<PathBuf>, unlock: Unlock) -> Self {
        Self(Arc::new(Inner { path: path.into(), unlock }))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, KeyStoreError> + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let inner = Arc::clone(&self.0);
        off_the_runtime(move || work(&inner)).await
    }
}

#[async_trait]
impl KeyStore for KeyFile {
    async fn put(&self, profile: &Profile, key: MerchantKey) -> Result<(), KeyStoreError> {
        let profile = profile.clone();
        self.with(|file| {
            file.change(|keys| {
                keys.insert(profile, key);
                Ok(())
            })
        })
        .await
    }

    async fn get(&self, profile: &Profile) -> Result<MerchantKey, KeyStoreError> {
        let profile = profile.clone();
        self.with(|file| file.read()?.remove(&profile).ok_or(KeyStoreError::Unknown(profile))).await
    }

    async fn remove(&self, profile: &Profile) -> Result<(), KeyStoreError> {
        let profile = profile.clone();
        self.with(|file| {
            file.change(|keys| keys.remove(&profile).map(drop).ok_or(KeyStoreError::Unknown(profile)))
        })
        .await
    }

    async fn list(&self) -> Result<BTreeMap<Profile, Environment>, KeyStoreError> {
        self.with(|file| {
            Ok(file.read()?.into_iter().map(|(profile, key)| (profile, key.environment)).collect())
        })
        .await
    }
}

impl Inner {
    fn change(
        &self,
        change: impl FnOnce(&mut Keys) -> Result<(), KeyStoreError>,
    ) -> Result<(), KeyStoreError> {
        let file = followed(&self.path).map_err(failed("written", &self.path))?;
        make_folder(folder(&file)).map_err(failed("written", &self.path))?;
        // A lock on the file itself would be lost when the file is replaced.
        let path = beside(&file, ".lock");
        let turn = private().write(true).create(true).truncate(false).open(&path);
        turn.and_then(|turn| turn.lock().map(|()| turn)).map_err(failed("locked", &path)).and_then(|_turn| {
            let mut keys = self.read()?;
            change(&mut keys)?;
            let sealed = self.seal(&keys)?;
            replace(&file, &sealed).map_err(failed("written", &self.path))
        })
    }

    fn read(&self) -> Result<Keys, KeyStoreError> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Keys::new()),
            opened => opened.map_err(failed("opened", &self.path))?,
        };
        refuse_exposed(&file, &self.path)?;
        let mut sealed = Vec::new();
        file.read_to_end(&mut sealed).map_err(failed("read", &self.path))?;
        let text = self.open(&sealed)?;
        let key = |line: &str| {
            let (profile, key) = line.split_once(' ')?;
            Some((profile.parse().ok()?, MerchantKey::of_text(key)?))
        };
        text.lines().map(key).collect::<Option<_>>().ok_or_else(|| self.damaged())
    }

    fn open(&self, sealed: &[u8]) -> Result<Zeroizing<String>, KeyStoreError> {
        let refused = |error| match error {
            DecryptError::NoMatchingKeys
            | DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed => KeyStoreError::WrongSecret { path: self.path.clone() },
            _ => self.damaged(),
        };
        let identities = self.identities()?;
        let identities = identities.iter().map(|identity| identity.as_ref() as &dyn Identity);
        let sealed_by = Decryptor::new(sealed).map_err(refused)?;
        // Larger than the content, so that the buffer does not grow and leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(sealed.len()));
        let mut reader = sealed_by.decrypt(identities).map_err(refused)?;
        reader.read_to_string(&mut text).map_err(|_| self.damaged())?;
        Ok(text)
    }

    fn seal(&self, keys: &Keys) -> Result<Vec<u8>, KeyStoreError> {
        let recipients = self.recipients()?;
        let recipients = recipients.iter().map(|recipient| recipient.as_ref() as &dyn Recipient);
        // An error here means that there are no recipients.
        let sealing = Encryptor::with_recipients(recipients).map_err(|_| self.wrong_secret())?;
        let seal = || {
            let mut sealed = Vec::new();
            let mut writer = sealing.wrap_output(&mut sealed)?;
            for (profile, key) in keys {
                for part in [profile.as_str(), " ", &key.to_text(), "\n"] {
                    writer.write_all(part.as_bytes())?;
                }
            }
            writer.finish()?;
            Ok(sealed)
        };
        seal().map_err(failed("written", &self.path))
    }

    fn identities(&self) -> Result<Vec<Box<dyn Identity + Send + Sync>>, KeyStoreError> {
        match &self.unlock {
            Unlock::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(SecretString::from(passphrase.expose()));
                identity.set_max_work_factor(MOST_WORK);
                Ok(vec![Box::new(identity)])
            }
            Unlock::Identity(path) => identity_file(path)?
                .into_identities()
                .map_err(|_| KeyStoreError::Damaged { path: path.clone() }),
        }
    }

    fn recipients(&self) -> Result<Vec<Box<dyn Recipient + Send>>, KeyStoreError> {
        match &self.unlock {
            Unlock::Passphrase(passphrase) => {
                Ok(vec![Box::new(scrypt::Recipient::new(SecretString::from(passphrase.expose())))])
            }
            Unlock::Identity(path) => identity_file(path)?
                .to_recipients()
                .map_err(|_| KeyStoreError::Damaged { path: path.clone() }),
        }
    }

    fn wrong_secret(&self) -> KeyStoreError {
        KeyStoreError::WrongSecret { path: self.path.clone() }
    }

    fn damaged(&self) -> KeyStoreError {
        KeyStoreError::Damaged { path: self.path.clone() }
    }
}

/// The maximum number of symbolic links in a chain, as on Linux.
const MOST_LINKS: usize = 40;

/// The file at the end of a chain of symbolic links; it may not exist yet.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            // A target is relative to the folder of its link.
            Ok(known) if known.is_symlink() => path = folder(&path).join(fs::read_link(&path)?),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links follow each other"))
}

/// Replaces this file with a new one. The lock is held, so a leftover of an interrupted change can be removed.
fn replace(path: &Path, sealed: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private().write(true).create_new(true).open(&new)?;
    file.write_all(sealed)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The new name is on the disk only after its folder was synced.
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(ending);
    path.into()
}

fn identity_file(path: &Path) -> Result<IdentityFile<age::NoCallbacks>, KeyStoreError> {
    let file = File::open(path).map_err(failed("opened", path))?;
    refuse_exposed(&file, path)?;
    let mut reader = BufReader::new(file);
    if reader.fill_buf().map_err(failed("read", path))?.starts_with(encoding::MARK) {
        reader.consume(encoding::MARK.len());
    }
    IdentityFile::from_buffer(reader).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => KeyStoreError::Damaged { path: path.to_owned() },
        _ => failed("read", path)(error),
    })
}

fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> KeyStoreError {
    move |source| KeyStoreError::File { doing, path: path.to_owned(), source }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

/// Options that create a file for its owner alone.
#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    File::options()
}

#[cfg(unix)]
fn refuse_exposed(file: &File, path: &Path) -> Result<(), KeyStoreError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(failed("opened", path))?.permissions().mode();
    if [0o070, 0o007].iter().any(|others| mode & others != 0) {
        Err(KeyStoreError::Exposed { path: path.to_owned() })
    } else {
        Ok(())
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &File, _: &Path) -> Result<(), KeyStoreError> {
    Ok(())
}
