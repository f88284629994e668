//! Making a cluster, once, and never half: `initdb` works in a folder beside it that is renamed
//! when it is complete. What a killed `initdb` leaves has another name and is removed.

use std::{
    fs::{self, DirBuilder, File},
    os::unix::fs::DirBuilderExt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::process::Command;

use super::{
    DATABASE, SUPERUSER,
    error::{IoContext, LocalError},
    log::Log,
    placement::Placement,
    programs::Programs,
    supervisor::{self, Supervisor},
};

const UNFINISHED: &str = "postgres.init-";

/// The major version of the cluster, or `None` when there is none yet.
pub(super) fn major(cluster: &Path) -> Result<Option<u32>, LocalError> {
    if let Ok(version) = fs::read_to_string(cluster.join("PG_VERSION")) {
        // "15", and "9.6" in the old days.
        let major = version
            .trim()
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        return major
            .map(Some)
            .ok_or_else(|| LocalError::NotACluster(cluster.to_path_buf()));
    }
    let holds_something = fs::read_dir(cluster).is_ok_and(|mut entries| entries.next().is_some());
    if holds_something || cluster.is_file() {
        return Err(LocalError::NotACluster(cluster.to_path_buf()));
    }
    Ok(None)
}

/// Makes the cluster and the database in it. Wants the data directory's lock, and that of the log:
/// `initdb` inherits the latter, so the next start waits for one that is just dying.
///
/// Clients are trusted without a password because only this user and root can reach the server:
/// there is no TCP, the socket and its folder have mode 0700, and whoever passes those modes owns
/// the database's files anyway. A password would lie in a file behind the same modes.
pub(super) async fn make(
    programs: &Programs,
    place: &Placement,
    log: &Log,
    durable: bool,
) -> Result<(), LocalError> {
    remove_unfinished(&place.base);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let name = format!("{UNFINISHED}{}-{}", std::process::id(), now.as_nanos());
    let unfinished = place.base.join(name);
    DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .context("creating", &unfinished)?;
    if let Some(account) = place.account {
        account
            .own(&unfinished)
            .context("changing the owner of", &unfinished)?;
    }

    let construction = Construction {
        programs,
        place,
        log,
        folder: &unfinished,
    };
    if let Err(error) = construction.run(durable).await {
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    fs::rename(&unfinished, &place.cluster).context("renaming", &unfinished)?;
    if durable {
        File::open(&place.base)
            .and_then(|base| base.sync_all())
            .context("syncing", &place.base)?;
    }
    Ok(())
}

struct Construction<'a> {
    programs: &'a Programs,
    place: &'a Placement,
    log: &'a Log,
    folder: &'a Path,
}

impl Construction<'_> {
    /// Writes everything unsynced and syncs once at the end, which is where the time goes.
    async fn run(&self, durable: bool) -> Result<(), LocalError> {
        // Unicode's letter cases in code point order, if the system's C library has that locale.
        match self.initdb("C.UTF-8").await {
            Err(LocalError::Init { tail, .. }) if tail.contains("invalid locale") => {
                self.initdb("C").await?;
            }
            made => made?,
        }
        self.create_database().await?;
        if durable {
            let mut sync = self.command("initdb");
            sync.arg("--sync-only").arg("--pgdata").arg(self.folder);
            self.finish(sync).await?;
        }
        Ok(())
    }

    async fn initdb(&self, locale: &str) -> Result<(), LocalError> {
        let mut initdb = self.command("initdb");
        initdb.arg("--pgdata").arg(self.folder).args([
            &format!("--username={SUPERUSER}"),
            &format!("--locale={locale}"),
            "--lc-messages=C",
            "--encoding=UTF8",
            "--data-checksums",
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-sync",
        ]);
        self.finish(initdb).await
    }

    /// Makes the database without a server, in a third of the time. This mode reports a failed
    /// statement in the log only; a database that is missing is made at the start.
    async fn create_database(&self) -> Result<(), LocalError> {
        let script = format!("exec \"$@\" <<'SQL'\nCREATE DATABASE {DATABASE}\nSQL\n");
        let mut shell = supervisor::command(Path::new("/bin/sh"), self.place.account);
        shell
            .args(["-c", &script, "sh"])
            .arg(self.programs.program("postgres"));
        shell.args(["--single", "-F", "-D"]).arg(self.folder);
        // Checkpoints are logged by default.
        shell.args(["-c", "log_checkpoints=off", "postgres"]);
        self.finish(shell).await
    }

    fn command(&self, program: &str) -> Command {
        supervisor::command(&self.programs.program(program), self.place.account)
    }

    async fn finish(&self, command: Command) -> Result<(), LocalError> {
        match Supervisor::start(command, self.log)?.exited().await {
            Some(status) if status.success() => Ok(()),
            status => Err(LocalError::Init {
                status: status.map_or_else(|| "unknown".to_owned(), |status| status.to_string()),
                tail: self.log.tail(),
            }),
        }
    }
}

fn remove_unfinished(base: &Path) {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED))
    {
        let path = entry.path();
        tracing::info!(path = %path.display(), "removing a cluster that was never finished");
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(path = %path.display(), %error, "could not remove it");
        }
    }
}
