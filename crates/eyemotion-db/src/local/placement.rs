//! Where the cluster lies, and the lock that keeps two servers apart.
//!
//! Normally that is `<data directory>/postgres`. When root's data directory is closed to the user
//! that PostgreSQL runs as (`/root` is, with mode 0700), opening it is not ours to do: the cluster
//! then lies under `/var/lib/eyemotion`, and `<data directory>/postgres` is a symbolic link to it,
//! which is how the next start finds it.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Read, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, symlink},
    },
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    account::Account,
    error::{IoContext, LocalError},
};

const OUTSIDE: &str = "/var/lib/eyemotion";
const CLUSTER: &str = "postgres";

/// Where everything of one cluster lies, and who runs it.
#[derive(Debug)]
pub(super) struct Placement {
    pub(super) data_dir: PathBuf,
    /// The folder that holds cluster, log, lock and socket folder; the data directory itself
    /// unless the cluster had to move out.
    pub(super) base: PathBuf,
    pub(super) cluster: PathBuf,
    pub(super) account: Option<Account>,
}

impl Placement {
    /// Decides, making the data directory if it is missing and nothing else.
    pub(super) fn find(data_dir: &Path) -> Result<Self, LocalError> {
        make_data_dir(data_dir).context("creating", data_dir)?;
        let data_dir = data_dir.canonicalize().context("resolving", data_dir)?;
        let inside = data_dir.join(CLUSTER);
        let account = Account::choose(&inside)?;
        let cluster = match fs::read_link(&inside) {
            Ok(target) => data_dir.join(target),
            Err(_) if inside.join("PG_VERSION").exists() => inside,
            Err(_) if account.is_some_and(|account| !account.may_enter(&data_dir)) => {
                Path::new(OUTSIDE)
                    .join(stable_hash(&data_dir))
                    .join(CLUSTER)
            }
            Err(_) => inside,
        };
        let base = cluster.parent().unwrap_or(&data_dir).to_path_buf();
        Ok(Self {
            data_dir,
            base,
            cluster,
            account,
        })
    }

    /// Whether the cluster lies outside of its data directory.
    pub(super) fn is_outside(&self) -> bool {
        self.base != self.data_dir
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.base.join("postgres.log")
    }

    /// Makes the folder outside and takes the lock.
    pub(super) fn lock(&self) -> Result<DirectoryLock, LocalError> {
        if self.is_outside() {
            // 0711: PostgreSQL's user passes through and sees nothing else.
            let mut builder = DirBuilder::new();
            builder
                .recursive(true)
                .mode(0o711)
                .create(&self.base)
                .context("creating", &self.base)?;
        }
        DirectoryLock::take(&self.base.join("postgres.lock"), &self.data_dir)
    }

    /// Records that the cluster lies outside. Wants the lock.
    pub(super) fn record(&self) -> Result<(), LocalError> {
        let link = self.data_dir.join(CLUSTER);
        if !self.is_outside() || fs::symlink_metadata(&link).is_ok_and(|link| link.is_symlink()) {
            return Ok(());
        }
        // Without the link this is a new data directory where another one was deleted; its people
        // expect an empty database, not the old one.
        if self.cluster.exists() {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let aside = self
                .base
                .join(format!("{CLUSTER}.deleted-{}", now.as_secs()));
            fs::rename(&self.cluster, &aside).context("moving away", &self.cluster)?;
            tracing::warn!(
                data_dir = %self.data_dir.display(), kept = %aside.display(),
                "the data directory is new, its former database is kept aside"
            );
        }
        match fs::remove_dir(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).context("replacing", link);
            }
            _ => {}
        }
        symlink(&self.cluster, &link).context("linking", link)
    }

    /// Confirms that the cluster's user may enter its folder.
    pub(super) fn check_reachable(&self) -> Result<(), LocalError> {
        match self.account {
            Some(account) if !account.may_enter(&self.cluster) => Err(LocalError::Unreachable {
                cluster: self.cluster.clone(),
                uid: account.uid,
            }),
            _ => Ok(()),
        }
    }
}

/// Root's data directory must let the server's user pass, but not list.
fn make_data_dir(data_dir: &Path) -> io::Result<()> {
    if data_dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = data_dir.parent() {
        fs::create_dir_all(parent)?;
    }
    let mode = if rustix::process::geteuid().is_root() {
        0o711
    } else {
        0o700
    };
    match DirBuilder::new().mode(mode).create(data_dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// 16 hexadecimal digits that name a folder on this machine, the same in every release: FNV-1a,
/// 64 bits (draft-eastlake-fnv). `DefaultHasher` promises no such thing.
pub(super) fn stable_hash(path: &Path) -> String {
    let hash = path
        .as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{hash:016x}")
}

/// The exclusive lock on a data directory, free again when dropped or when the process dies.
/// Programs that we start do not inherit it: the standard library opens files close-on-exec.
#[derive(Debug)]
pub(super) struct DirectoryLock(File);

impl DirectoryLock {
    fn take(path: &Path, data_dir: &Path) -> Result<Self, LocalError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .context("opening", path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The process id only helps the message.
                let _ = file.read_to_string(&mut holder);
                let pid = holder.trim().parse().ok();
                return Err(LocalError::InUse {
                    data_dir: data_dir.to_path_buf(),
                    pid,
                });
            }
            Err(TryLockError::Error(error)) => return Err(error).context("locking", path),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .context("writing", path)?;
        Ok(Self(file))
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Not only by closing: a child that another thread is just starting shares the open file
        // until its exec.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_path_never_changes() {
        assert_eq!(stable_hash(Path::new("")), "cbf29ce484222325");
        assert_eq!(stable_hash(Path::new("foobar")), "85944171f73967e8");
    }

    #[test]
    fn a_held_lock_names_its_holder_and_is_free_after_drop() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = DirectoryLock::take(&path, folder.path()).unwrap();
        let error = DirectoryLock::take(&path, folder.path()).unwrap_err();
        let own = std::process::id();
        assert!(matches!(error, LocalError::InUse { pid: Some(pid), .. } if pid == own));
        drop(held);
        DirectoryLock::take(&path, folder.path()).unwrap();
    }
}
