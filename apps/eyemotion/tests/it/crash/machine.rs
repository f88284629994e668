//! A server that dies at a given place and is started again, as a service manager would.

use crate::person::Person;
use crate::server::{Launch, Server, folder};
use eyemotion_testkit::{Answer, TestDatabase};
use reqwest::RequestBuilder;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const DAY: Duration = Duration::from_hours(24);

pub(crate) struct Machine {
    server: Server,
    folder: TempDir,
    /// How often it has died.
    pub(crate) deaths: u32,
    database: TestDatabase,
}

impl Machine {
    /// One whose server dies when it comes to `point`.
    pub(crate) async fn dying_at(point: &str) -> Self {
        let (database, folder) = (TestDatabase::new().await, folder());
        let launch = launch(&database, folder.path()).env("FAILPOINTS", format!("{point}=panic"));
        Self {
            server: launch.start().await,
            folder,
            deaths: 0,
            database,
        }
    }

    pub(crate) fn base(&self) -> &str {
        self.server.base()
    }

    /// Sends until there is an answer. Without one the server must have died; it is started again.
    pub(crate) async fn answer(
        &mut self,
        person: &mut Person,
        make: impl Fn(&Person) -> RequestBuilder,
    ) -> Answer {
        loop {
            if let Some(answer) = person.client.try_send(make(person)).await {
                return answer;
            }
            self.revive(person).await;
        }
    }

    /// Waits for a death and starts the server again, this time to stay.
    async fn revive(&mut self, person: &mut Person) {
        let status = self.server.ended().await;
        assert_eq!(
            status.signal(),
            Some(9),
            "{status}:\n{}",
            self.server.output()
        );
        self.deaths += 1;
        self.server = launch(&self.database, self.folder.path()).start().await;
        *person = person.at(self.server.base());
        // Who held something has died with it; waiting would show that, too.
        self.sql(
            "update project_files set upload_lease_until = now() where upload_lease_until > now()",
        )
        .await;
        self.sql("update jobs.jobs set lease_until = now() where state = 'running'")
            .await;
    }

    /// Starts it again if it has died, or dies now while it works off its jobs.
    pub(crate) async fn at_rest(&mut self, person: &mut Person) {
        let waiting = "select count(*) from jobs.jobs where state <> 'dead' and run_at <= now()";
        loop {
            if self.server.has_ended() {
                self.revive(person).await;
            } else if self.count(waiting).await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(
            self.count("select count(*) from jobs.jobs where state = 'dead'")
                .await,
            0
        );
    }

    /// Lets two days go by, and what is done every day be done.
    pub(crate) async fn two_days_pass(&mut self, person: &mut Person) {
        let past = SystemTime::now() - 2 * DAY;
        for path in everything_below(&self.objects()) {
            fs::File::open(path).unwrap().set_modified(past).unwrap();
        }
        self.sql(
            "update project_files set upload_expires_at = upload_expires_at - interval '2 days'",
        )
        .await;
        // The first ends uploads, which makes jobs that purge; the second removes what is left.
        for kind in ["files.sweep", "files.sweep", "files.reconcile"] {
            self.sql(&format!("insert into jobs.jobs (kind) values ('{kind}')"))
                .await;
            self.at_rest(person).await;
        }
    }

    pub(crate) async fn sql(&self, statement: &str) {
        self.database
            .admin()
            .await
            .batch_execute(statement)
            .await
            .unwrap();
    }

    pub(crate) async fn count(&self, query: &str) -> i64 {
        self.database
            .admin()
            .await
            .query_one(query, &[])
            .await
            .unwrap()
            .get(0)
    }

    /// The keys of all objects that the database knows of.
    pub(crate) async fn known_objects(&self) -> BTreeSet<String> {
        let query = "select unnest(array_remove(array[storage_path, thumbnail_path], null)) from project_files";
        let rows = self.database.admin().await.query(query, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The keys of all objects that there are, and whatever else lies with them.
    pub(crate) fn stored_objects(&self) -> BTreeSet<String> {
        let root = self.objects();
        let files = everything_below(&root)
            .into_iter()
            .filter(|path| path.is_file());
        files
            .map(|path| {
                path.strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join("eyemotion-data/objects")
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

fn launch(database: &TestDatabase, folder: &Path) -> Launch {
    Launch::in_folder(folder).env("DATABASE_URL", database.url())
}

fn everything_below(folder: &Path) -> Vec<PathBuf> {
    let children = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    children
        .flat_map(|path| {
            let below = if path.is_dir() {
                everything_below(&path)
            } else {
                Vec::new()
            };
            [vec![path], below].concat()
        })
        .collect()
}
