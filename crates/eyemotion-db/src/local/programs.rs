//! Finding PostgreSQL's programs on this machine.

use std::{
    env,
    ffi::OsString,
    fs, iter,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{LATEST_MAJOR, OLDEST_MAJOR, account::Account, error::LocalError};

/// A folder with PostgreSQL's programs, all of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// The folder, absolute and without symbolic links.
    pub bin_dir: PathBuf,
    /// Their major version, for example 17.
    pub major: u32,
}

impl Programs {
    /// The path of one program, for example `pg_dump`. Only `initdb` and `postgres` are certain to
    /// exist.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin_dir.join(name)
    }
}

/// Finds the programs of a supported major version (15 to 18): in `bin_dir` when it is given, else
/// where `pg_config` says, on PATH, in the folders of Debian, Red Hat, SUSE, Alpine, Homebrew and
/// Postgres.app, the newest first.
pub fn find_programs(bin_dir: Option<&Path>) -> Result<Programs, LocalError> {
    let account = Account::choose(Path::new(""))?;
    Search::of_this_machine(account)
        .find(bin_dir, None)
        .map_err(|missing| missing.into_error(None))
}

/// Folders of one packager: every `<parent>/<prefix><version>/<suffix>`.
struct Family {
    parent: &'static str,
    prefix: &'static str,
    suffix: &'static str,
}

const FAMILIES: [Family; 8] = [
    Family {
        parent: "/usr/lib/postgresql",
        prefix: "",
        suffix: "bin",
    },
    Family {
        parent: "/usr",
        prefix: "pgsql-",
        suffix: "bin",
    },
    Family {
        parent: "/usr/lib",
        prefix: "postgresql",
        suffix: "bin",
    },
    Family {
        parent: "/usr/libexec",
        prefix: "postgresql",
        suffix: "",
    },
    Family {
        parent: "/opt/homebrew/opt",
        prefix: "postgresql@",
        suffix: "bin",
    },
    Family {
        parent: "/usr/local/opt",
        prefix: "postgresql@",
        suffix: "bin",
    },
    Family {
        parent: "/home/linuxbrew/.linuxbrew/opt",
        prefix: "postgresql@",
        suffix: "bin",
    },
    Family {
        parent: "/Applications/Postgres.app/Contents/Versions",
        prefix: "",
        suffix: "bin",
    },
];

/// Where to look, and as whom: a folder that only root may read is of no use to a server that
/// runs as somebody else.
pub(super) struct Search {
    path: OsString,
    /// What the families' parents are under: `/`, but for tests.
    root: PathBuf,
    account: Option<Account>,
}

/// Nothing that fits; holds what was found instead.
#[derive(Debug)]
pub(super) struct Missing {
    bin_dir: Option<PathBuf>,
    found: Vec<(PathBuf, u32)>,
}

impl Missing {
    /// The error for a new cluster, or for an existing one made by another major version.
    pub(super) fn into_error(self, cluster: Option<(&Path, u32)>) -> LocalError {
        match (cluster, self.bin_dir) {
            (_, Some(folder)) if self.found.is_empty() => LocalError::NotInFolder(folder),
            (_, None) if self.found.is_empty() => LocalError::NotInstalled,
            (Some((cluster, made_by)), _) => LocalError::OtherMajor {
                cluster: cluster.to_path_buf(),
                made_by,
                found: self.found,
            },
            (None, _) => LocalError::UnsupportedMajor(self.found),
        }
    }
}

impl Search {
    pub(super) fn of_this_machine(account: Option<Account>) -> Self {
        Self {
            path: env::var_os("PATH").unwrap_or_default(),
            root: PathBuf::from("/"),
            account,
        }
    }

    /// The first programs of `major`, or of any supported major version.
    pub(super) fn find(
        &self,
        bin_dir: Option<&Path>,
        major: Option<u32>,
    ) -> Result<Programs, Missing> {
        let folders: Box<dyn Iterator<Item = PathBuf>> = match bin_dir {
            Some(folder) => Box::new(iter::once(folder.to_path_buf())),
            None => Box::new(
                iter::once_with(|| self.pg_config())
                    .flatten()
                    .chain(self.path_folders())
                    .chain(FAMILIES.iter().flat_map(|family| self.family(family))),
            ),
        };
        let mut found = Vec::new();
        for folder in folders.filter_map(|folder| resolve(&folder)) {
            if found.iter().any(|(seen, _)| *seen == folder) {
                continue;
            }
            let Some(version) = self.version(&folder) else {
                continue;
            };
            let supported = (OLDEST_MAJOR..=LATEST_MAJOR).contains(&version);
            if supported && major.is_none_or(|major| major == version) {
                return Ok(Programs {
                    bin_dir: folder,
                    major: version,
                });
            }
            found.push((folder, version));
        }
        Err(Missing {
            bin_dir: bin_dir.map(Path::to_path_buf),
            found,
        })
    }

    /// The folders on PATH; a relative or empty entry would run what lies in the current folder.
    fn path_folders(&self) -> impl Iterator<Item = PathBuf> {
        env::split_paths(&self.path).filter(|folder| folder.is_absolute())
    }

    fn pg_config(&self) -> Option<PathBuf> {
        let program = self
            .path_folders()
            .map(|folder| folder.join("pg_config"))
            .find(|program| program.is_file())?;
        let folder = output(Command::new(program).arg("--bindir"))?;
        Some(PathBuf::from(folder.trim()))
    }

    /// The folders of one packager, the highest version first.
    fn family(&self, family: &Family) -> Vec<PathBuf> {
        let parent = self.root.join(family.parent.trim_start_matches('/'));
        let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name();
                let version = name.to_str()?.strip_prefix(family.prefix)?;
                Some((leading_number(version)?, entry.path().join(family.suffix)))
            })
            .collect();
        versions.sort_unstable_by(|left, right| right.cmp(left));
        versions.into_iter().map(|(_, folder)| folder).collect()
    }

    fn version(&self, folder: &Path) -> Option<u32> {
        let mut command = Command::new(folder.join("postgres"));
        command.arg("--version").current_dir("/");
        if let Some(account) = self.account {
            account.apply(&mut command);
        }
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "... 18beta1"
        output(&mut command)?
            .split_whitespace()
            .nth(2)
            .and_then(leading_number)
    }
}

/// Follows links (`/usr/local/bin/postgres` to the real folder): `initdb` looks for its siblings
/// beside itself.
fn resolve(folder: &Path) -> Option<PathBuf> {
    let real = folder.join("postgres").canonicalize().ok()?;
    let real = real.parent()?;
    if real.join("initdb").is_file() {
        return Some(real.to_path_buf());
    }
    let folder = folder.canonicalize().ok()?;
    folder.join("initdb").is_file().then_some(folder)
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

fn output(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn install(folder: &Path, version: &str) {
        script(
            &folder.join("postgres"),
            &format!("echo 'postgres (PostgreSQL) {version}'"),
        );
        script(&folder.join("initdb"), "true");
    }

    fn search(root: &Path, path: &Path) -> Search {
        Search {
            path: path.into(),
            root: root.to_path_buf(),
            account: None,
        }
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    #[test]
    fn nothing_found_names_the_package_managers() {
        let (_keep, root) = folder();
        let error = search(&root, Path::new(""))
            .find(None, None)
            .unwrap_err()
            .into_error(None);
        assert!(matches!(error, LocalError::NotInstalled), "{error:?}");
        let text = error.to_string();
        for word in ["apt-get install", "dnf install", "brew install", "--pg-bin"] {
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn a_named_folder_without_programs_is_not_searched_past() {
        let (_keep, root) = folder();
        install(&root.join("usr/lib/postgresql/17/bin"), "17.2");
        let error = search(&root, Path::new(""))
            .find(Some(&root), None)
            .unwrap_err();
        let error = error.into_error(None);
        assert!(
            matches!(&error, LocalError::NotInFolder(at) if *at == root),
            "{error:?}"
        );
    }

    #[test]
    fn the_newest_supported_version_of_a_packager_wins() {
        let (_keep, root) = folder();
        let versions = [
            ("9.6", "9.6.24"),
            ("15", "15.18"),
            ("17", "17.2"),
            ("99", "99.0"),
        ];
        for (name, version) in versions {
            install(
                &root.join("usr/lib/postgresql").join(name).join("bin"),
                version,
            );
        }
        let found = search(&root, Path::new("")).find(None, None).unwrap();
        let bin_dir = root.join("usr/lib/postgresql/17/bin");
        assert_eq!(found, Programs { bin_dir, major: 17 });
    }

    #[test]
    fn an_existing_cluster_gets_programs_of_its_own_major() {
        let (_keep, root) = folder();
        install(
            &root.join("usr/lib/postgresql/15/bin"),
            "15.18 (Debian 15.18-0+deb12u1)",
        );
        install(&root.join("usr/lib/postgresql/18/bin"), "18beta1");
        let search = search(&root, Path::new(""));
        assert_eq!(search.find(None, None).unwrap().major, 18);
        assert_eq!(search.find(None, Some(15)).unwrap().major, 15);
        let missing = search.find(None, Some(16)).unwrap_err();
        let text = missing
            .into_error(Some((Path::new("/data/postgres"), 16)))
            .to_string();
        assert!(
            text.contains("made by PostgreSQL 16") && text.contains("pg_dumpall"),
            "{text}"
        );
    }

    #[test]
    fn only_unsupported_versions_is_said_so() {
        let (_keep, root) = folder();
        install(&root.join("usr/pgsql-14/bin"), "14.3");
        let error = search(&root, Path::new(""))
            .find(None, None)
            .unwrap_err()
            .into_error(None);
        assert!(
            matches!(error, LocalError::UnsupportedMajor(_)),
            "{error:?}"
        );
        assert!(error.to_string().contains("found only 14 in"), "{error}");
    }

    #[test]
    fn pg_config_comes_before_path_and_links_are_followed() {
        let (_keep, root) = folder();
        let path = root.join("path");
        install(&root.join("named"), "16.1");
        install(&root.join("linked"), "15.1");
        fs::create_dir_all(&path).unwrap();
        std::os::unix::fs::symlink(root.join("linked/postgres"), path.join("postgres")).unwrap();
        let search = search(&root, &path);
        assert_eq!(
            search.find(None, None).unwrap().bin_dir,
            root.join("linked")
        );
        script(
            &path.join("pg_config"),
            &format!("echo '{}'", root.join("named").display()),
        );
        assert_eq!(search.find(None, None).unwrap().bin_dir, root.join("named"));
    }
}
