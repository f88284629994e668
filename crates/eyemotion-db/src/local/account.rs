//! The operating-system user that PostgreSQL runs as. It refuses to run as root, so root steps
//! down: to the owner of an existing cluster, else to `postgres`, else to `nobody`.

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use super::error::{IoContext, LocalError};

/// A user to step down to; absent when we are not root and stay who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The account for a cluster at `cluster`, which need not exist.
    pub(super) fn choose(cluster: &Path) -> Result<Option<Self>, LocalError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        // PostgreSQL demands to be started by the owner of its files.
        if let Ok(owner) = fs::metadata(cluster)
            && owner.uid() != 0
        {
            return Ok(Some(Self {
                uid: owner.uid(),
                gid: owner.gid(),
            }));
        }
        let passwd = Path::new("/etc/passwd");
        let users = fs::read_to_string(passwd).context("reading", passwd)?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| in_passwd(&users, name))
            .map(Some)
            .ok_or(LocalError::NoAccount)
    }

    /// Lets `command` run as this user. The standard library drops root's other groups as well.
    pub(super) fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a file or folder of ours to this user.
    pub(super) fn own(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }

    /// Whether this user may enter `folder`: every folder above it counts, and access lists too,
    /// so the kernel is asked instead of reading mode bits.
    pub(super) fn may_enter(self, folder: &Path) -> bool {
        let mut test = Command::new("/bin/sh");
        test.args(["-c", "test -x \"$1\"", "sh"])
            .arg(folder)
            .current_dir("/");
        test.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.apply(&mut test);
        test.status().is_ok_and(|status| status.success())
    }
}

/// The user id that PostgreSQL's files have.
pub(super) fn server_uid(account: Option<Account>) -> u32 {
    account.map_or_else(
        || rustix::process::geteuid().as_raw(),
        |account| account.uid,
    )
}

/// Finds a user in the text of `/etc/passwd`: `name:password:uid:gid:...` (passwd(5)).
fn in_passwd(users: &str, name: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some(Account { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwd_lines_are_read_by_exact_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:8::/:/bin/sh\n\
                     postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\nbroken\n";
        assert_eq!(
            in_passwd(users, "postgres"),
            Some(Account { uid: 101, gid: 104 })
        );
        assert_eq!(in_passwd(users, "nobody"), None);
        assert_eq!(in_passwd(users, "broken"), None);
        assert_eq!(
            in_passwd(users, "root"),
            None,
            "root is no user to step down to"
        );
    }
}
