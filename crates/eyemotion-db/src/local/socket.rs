//! The folder of the Unix socket: mode 0700, of the server's user, and short enough.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use super::{
    account::{Account, server_uid},
    error::{IoContext, LocalError},
    placement::{Placement, stable_hash},
};

/// The socket's name follows from the port, which nothing listens on.
const SOCKET: &str = ".s.PGSQL.5432";

/// The longest path that fits into `sockaddr_un` with its final NUL: unix(7), and 104 bytes on
/// macOS and the BSDs.
const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The socket's path in `folder`.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join(SOCKET)
}

/// Makes the folder for the socket, beside the cluster if its path is short enough.
pub(super) fn prepare(place: &Placement) -> Result<PathBuf, LocalError> {
    let beside = place.base.join("socket");
    let folder = if fits(&beside) {
        beside
    } else {
        short_folder(&place.cluster, place.account)
    };
    claim(&folder, place.account)?;
    Ok(folder)
}

fn fits(folder: &Path) -> bool {
    path(folder).as_os_str().as_bytes().len() <= LONGEST_PATH
}

/// A folder that nobody else may write in where the system has one, else one in /tmp.
fn short_folder(cluster: &Path, account: Option<Account>) -> PathBuf {
    let runtime = match account {
        Some(_) => PathBuf::from("/run"),
        None => Path::new("/run/user").join(server_uid(None).to_string()),
    };
    let parent = if runtime.is_dir() {
        runtime
    } else {
        PathBuf::from("/tmp")
    };
    parent.join(format!("eyemotion-{}", stable_hash(cluster)))
}

/// Creates the folder, or accepts one that exists if only the server's user (and root) can ever
/// have put anything into it.
fn claim(folder: &Path, account: Option<Account>) -> Result<(), LocalError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {
            if let Some(account) = account {
                account
                    .own(folder)
                    .context("changing the owner of", folder)?;
            }
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).context("creating", folder),
    }
    // Not following links: in /tmp anybody may have made one under this name.
    let found = fs::symlink_metadata(folder).context("examining", folder)?;
    let private = found.permissions().mode() & 0o777 == 0o700;
    if !found.is_dir() || found.uid() != server_uid(account) || !private {
        return Err(LocalError::SocketFolder(folder.to_path_buf()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_of_107_bytes_fits_and_one_of_108_does_not() {
        let longest = LONGEST_PATH - SOCKET.len() - 1;
        assert!(fits(Path::new(&"x".repeat(longest))));
        assert!(!fits(Path::new(&"x".repeat(longest + 1))));
    }

    #[test]
    fn a_folder_that_others_prepared_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let own = parent.path().join("own");
        claim(&own, None).unwrap();
        claim(&own, None).unwrap();

        let linked = parent.path().join("linked");
        symlink(&own, &linked).unwrap();
        assert!(matches!(
            claim(&linked, None),
            Err(LocalError::SocketFolder(_))
        ));

        let open = parent.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(
            claim(&open, None),
            Err(LocalError::SocketFolder(_))
        ));
    }
}
