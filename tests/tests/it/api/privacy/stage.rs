//! A server whose clock the test moves and whose jobs it starts.

use crate::api::mailbox::settled;
use crate::api::uploader::Uploader;
use chrono::{Duration, SubsecRound, Utc};
use eyemotion_core::{Clock, ManualClock};
use eyemotion_testkit::{Client, TestApp};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_postgres::Client as Sql;

pub(super) const PASSWORD: &str = "correct horse";

pub(super) struct Stage {
    pub(super) app: TestApp,
    pub(super) clock: Arc<ManualClock>,
    pub(super) sql: Sql,
}

/// How a run of a job ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Run {
    Done,
    Failed,
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::with_undo_days(14).await
    }

    pub(super) async fn with_undo_days(days: u64) -> Self {
        // As the database keeps it: what is due now must not be due a nanosecond later.
        let clock = Arc::new(ManualClock::at(Utc::now().trunc_subsecs(6)));
        let app = TestApp::start_at(clock.clone(), |settings| {
            settings.auth.deletion_undo_days = days;
        })
        .await;
        let sql = app.database.admin().await;
        Self { app, clock, sql }
    }

    pub(super) async fn count(&self, from: &str) -> i64 {
        let query = format!("select count(*) from {from}");
        self.sql.query_one(&query, &[]).await.unwrap().get(0)
    }

    pub(super) async fn texts(&self, query: &str) -> Vec<String> {
        let rows = self.sql.query(query, &[]).await;
        let rows = rows.unwrap_or_else(|error| panic!("{query}: {:?}", error.as_db_error()));
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(super) async fn execute(&self, sql: &str) {
        let done = self.sql.batch_execute(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
    }

    /// Runs a job of this kind once.
    pub(super) async fn run(&self, kind: &str) -> Run {
        let queue = if kind.starts_with("mail.") {
            "mail"
        } else {
            "default"
        };
        let insert = "insert into jobs.jobs (kind, queue, run_at, max_attempts)
            values ($1, $2, $3::text::timestamptz, 1) returning id";
        let now = self.clock.now().to_rfc3339();
        let row = self.sql.query_one(insert, &[&kind, &queue, &now]).await;
        let id: uuid::Uuid = row.unwrap().get(0);
        loop {
            let state = "select state from jobs.jobs where id = $1";
            match self.sql.query_opt(state, &[&id]).await.unwrap() {
                None => return Run::Done,
                Some(row) if row.get::<_, String>(0) == "dead" => return Run::Failed,
                Some(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    }

    /// One run of the job that deletes accounts, a minute after the last one.
    pub(super) async fn erase(&self) -> Run {
        self.clock.advance(Duration::minutes(1));
        self.run("auth.erase_accounts").await
    }

    /// Waits until every job that could run has run.
    pub(super) async fn idle(&self) {
        let due = format!(
            "jobs.jobs where state <> 'dead' and run_at <= '{}'",
            self.clock.now().to_rfc3339()
        );
        while self.count(&due).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Lets deletions that are due go through to their end.
    pub(super) async fn erase_wholly(&self) {
        for _ in 0..20 {
            assert_eq!(self.erase().await, Run::Done);
            self.idle().await;
            if self
                .count("auth.account_deletions where state <> 'erased'")
                .await
                == 0
            {
                // The address is kept for the last mail only.
                settled(&self.app).await;
                assert_eq!(self.run("mail.prune_outbox").await, Run::Done);
                return;
            }
        }
        let left = "select row_to_json(d)::text from auth.account_deletions d";
        panic!("not erased: {:?}", self.texts(left).await);
    }

    /// Somebody with a project, a processed file, and whatever else comes with that.
    pub(super) async fn filmmaker(&self) -> Uploader {
        let uploader = Uploader::new(&self.app).await;
        uploader
            .upload("scene.json", "application/json", b"{\"scene\":1}")
            .await;
        uploader
    }

    /// The person's address.
    pub(super) async fn address(&self, person: &Client) -> String {
        let query = format!(
            "select email from auth.users where id = '{}'",
            person.user()
        );
        self.texts(&query).await.remove(0)
    }

    /// The same person on another device.
    pub(super) async fn sign_in(&self, address: &str) -> Client {
        let mut client = self.app.anonymous();
        let body = json!({ "email": address, "password": PASSWORD });
        let answer = client.post("/auth/signin", &body).await.expect(200);
        client.take_session(&answer);
        client
    }

    /// Every table with a row that holds this text anywhere.
    pub(super) async fn tables_with(&self, text: &str) -> Vec<String> {
        let tables = "select format('%I.%I', schemaname, tablename) from pg_tables
            where schemaname in ('auth', 'jobs', 'public') and tablename !~ '^activity_logs_' order by 1";
        let mut found = Vec::new();
        for table in self.texts(tables).await {
            let rows = format!(
                "select t::text from {table} t where strpos(lower(t::text), lower('{text}')) > 0"
            );
            let rows = self.texts(&rows).await;
            found.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        found
    }

    /// Every object of the store whose path holds this text.
    pub(super) fn objects_with(&self, text: &str) -> Vec<PathBuf> {
        fn walk(folder: PathBuf, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.app.data_dir().join("objects"), &mut found);
        found.retain(|path| path.to_string_lossy().contains(text));
        found
    }

    /// What is wrong with the sums, if anything is.
    pub(super) async fn drift(&self) -> i64 {
        self.count("credit_ledger_drift()").await
            + self.count("storage_quota_drift()").await
            + self.count("project_counter_drift()").await
    }
}

/// Asks for the deletion of the person's account.
pub(super) async fn leave(person: &Client) {
    person
        .post("/auth/account/deletion", &json!({}))
        .await
        .expect(202);
}
