//! One test's own database, folder, clock and people.

use crate::fakes::{self, Directory, Ledger, Log};
use crate::moody::Moody;
use bytes::Bytes;
use chrono::{Duration, Utc};
use eyemotion_core::{
    Actor, Clock, Ctx, FileId, IdempotencyKey, ManualClock, ProjectId, SessionId, UserId, UserRole,
};
use eyemotion_db::Db;
use eyemotion_jobs::{Enqueue, Job, RunningWorkers, Workers, enqueue};
use eyemotion_ports::StorageQuota;
use eyemotion_storage::{
    File, FileService, Files, LocalStore, NewUpload, Quotas, StorageConfig, StorageError,
    StorageParts, UploadGrant, UploadRequest, Uploaded, UrlSigner, workers,
};
use eyemotion_testkit::TestDatabase;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

pub struct World {
    pub database: TestDatabase,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub blobs: Arc<Moody>,
    pub parts: Arc<StorageParts>,
    pub files: FileService,
    directory: TempDir,
}

/// Somebody with a project.
pub struct Person {
    pub id: UserId,
    pub project: ProjectId,
    pub ctx: Ctx,
}

impl World {
    pub async fn new() -> Self {
        Self::with(StorageConfig::default()).await
    }

    pub async fn with(storage: StorageConfig) -> Self {
        let database = TestDatabase::new().await;
        database
            .admin()
            .await
            .batch_execute(fakes::TABLES)
            .await
            .unwrap();
        let mut config = database.config();
        // Some tests race two hundred callers over these few connections.
        config.acquire_timeout = std::time::Duration::from_mins(1);
        config.lock_timeout = std::time::Duration::from_mins(1);
        let db = Db::new(&config).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Utc::now()));
        let blobs = Arc::new(Moody::new(LocalStore::open(directory.path()).unwrap()));
        let parts = Arc::new(StorageParts {
            db: db.clone(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            blobs: Arc::clone(&blobs) as _,
            projects: Arc::new(Directory),
            credits: Arc::new(Ledger),
            activity: Arc::new(Log),
            signer: UrlSigner::new(&[42; 32]),
            notifications: Arc::new(db.listen(&["files"])),
            config: storage,
        });
        let files = FileService::new(Arc::clone(&parts));
        Self {
            database,
            db,
            clock,
            blobs,
            parts,
            files,
            directory,
        }
    }

    /// Somebody new with 100 credits, 1 GiB of room and a project.
    pub async fn person(&self) -> Person {
        let id = UserId(Uuid::now_v7());
        let admin = self.database.admin().await;
        let email = format!("{id}@example.com");
        admin
            .execute(
                "insert into auth.users (id, email) values ($1::text::uuid, $2)",
                &[&id.to_string(), &email],
            )
            .await
            .unwrap();
        let wallet =
            "insert into public.test_wallets (user_id, credits) values ($1::text::uuid, 100)";
        admin.execute(wallet, &[&id.to_string()]).await.unwrap();
        let actor = Actor::User {
            id,
            session: SessionId(Uuid::now_v7()),
            role: UserRole::User,
        };
        let ctx = Ctx::system("test").with_actor(actor);
        self.set_limit(id, 1 << 30).await;
        Person {
            id,
            project: self.project(id).await,
            ctx,
        }
    }

    pub async fn project(&self, owner: UserId) -> ProjectId {
        let id = Uuid::now_v7();
        self.admin(&format!(
            "insert into public.projects (id, user_id, name) values ('{id}', '{owner}', 'A film')"
        ))
        .await;
        ProjectId(id)
    }

    pub async fn set_limit(&self, user: UserId, bytes: i64) {
        let mut tx = self.db.begin(&Ctx::system("test")).await.unwrap();
        Quotas.set_limit(&mut tx, user, bytes).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn set_credits(&self, user: UserId, credits: i64) {
        let sql =
            format!("update public.test_wallets set credits = {credits} where user_id = '{user}'");
        self.admin(&sql).await;
    }

    /// Runs SQL as the superuser.
    pub async fn admin(&self, sql: &str) {
        self.database
            .admin()
            .await
            .batch_execute(sql)
            .await
            .unwrap();
    }

    /// One number, asked as the superuser.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = format!("select ({sql})::bigint");
        self.database
            .admin()
            .await
            .query_one(&sql, &[])
            .await
            .unwrap()
            .get(0)
    }

    /// One text, asked as the superuser.
    pub async fn text(&self, sql: &str) -> String {
        let sql = format!("select ({sql})::text");
        let row = self
            .database
            .admin()
            .await
            .query_one(&sql, &[])
            .await
            .unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    pub async fn credits(&self, user: UserId) -> i64 {
        self.number(&format!(
            "select credits from public.test_wallets where user_id = '{user}'"
        ))
        .await
    }

    /// Credits that are set aside.
    pub async fn held(&self, user: UserId) -> i64 {
        self.number(&format!(
            "select held from public.test_wallets where user_id = '{user}'"
        ))
        .await
    }

    /// used, reserved, pending deletion
    pub async fn quota(&self, user: UserId) -> (i64, i64, i64) {
        let column = async |name: &str| {
            let sql = format!("select {name} from public.storage_quotas where user_id = '{user}'");
            self.number(&sql).await
        };
        (
            column("used_bytes").await,
            column("reserved_bytes").await,
            column("pending_delete_bytes").await,
        )
    }

    pub async fn file_count(&self, project: ProjectId) -> i64 {
        self.number(&format!(
            "select file_count from public.projects where id = '{project}'"
        ))
        .await
    }

    /// Works until no job is queued, running or dead.
    pub async fn work(&self) {
        let running = self.start_workers();
        self.until_idle().await;
        running.drain(std::time::Duration::from_secs(10)).await;
    }

    pub fn start_workers(&self) -> RunningWorkers {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let builder = Workers::builder(self.db.clone(), clock)
            .poll(std::time::Duration::from_millis(50))
            .concurrency(2);
        workers(builder, &self.parts).start().unwrap()
    }

    pub async fn until_idle(&self) {
        let waiting = async {
            while self
                .number("select count(*) from jobs.jobs where state <> 'dead'")
                .await
                > 0
            {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_mins(2), waiting)
            .await
            .unwrap();
        let errors = self
            .text("select string_agg(last_error, '; ') from jobs.jobs")
            .await;
        assert_eq!(errors, "", "dead letters");
    }

    /// Does one job now.
    pub async fn run_job<J: Job>(&self, job: &J) {
        let mut tx = self.db.begin(&Ctx::system("test")).await.unwrap();
        enqueue(&mut tx, &*self.clock, job, Enqueue::new())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.work().await;
    }

    /// Puts bytes where a grant says, in small pieces.
    pub async fn put(&self, grant: &UploadGrant, bytes: &[u8]) -> Result<Uploaded, StorageError> {
        let mut upload = self
            .files
            .begin_upload(&anonymous(), request(grant, Some(bytes.len())))
            .await?;
        for chunk in bytes.chunks(64 * 1024) {
            upload.write(Bytes::copy_from_slice(chunk)).await?;
        }
        upload.finish().await
    }

    /// Grant, PUT and confirm.
    pub async fn upload(&self, person: &Person, name: &str, mime: &str, bytes: &[u8]) -> File {
        let upload = new_upload(person, name, mime, bytes.len());
        let grant = self.files.upload_url(&person.ctx, upload).await.unwrap();
        self.put(&grant, bytes).await.unwrap();
        self.files
            .confirm(&person.ctx, grant.file)
            .await
            .unwrap()
            .file
    }

    /// Every file below the store's folder, relative to it.
    pub fn objects(&self) -> Vec<PathBuf> {
        fn walk(root: &Path, directory: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, found);
                } else {
                    found.push(path.strip_prefix(root).unwrap().to_owned());
                }
            }
        }
        let mut found = Vec::new();
        walk(self.directory.path(), self.directory.path(), &mut found);
        found.sort();
        found
    }

    pub fn store_dir(&self) -> &Path {
        self.directory.path()
    }

    pub fn advance(&self, step: Duration) {
        self.clock.advance(step);
    }

    /// The end of every test: the sums agree.
    pub async fn settle(self) {
        let held = "select count(*) from public.test_wallets w where held <> (
            select coalesce(sum(credits), 0) from public.test_holds h
            where h.user_id = w.user_id and state = 'pending')";
        assert_eq!(self.number(held).await, 0, "holds");
        for function in ["storage_quota_drift", "project_counter_drift"] {
            let sql = format!("select string_agg(d::text, ' ') from public.{function}() d");
            assert_eq!(self.text(&sql).await, "", "{function}");
        }
    }
}

pub fn new_upload(person: &Person, name: &str, mime: &str, size: usize) -> NewUpload {
    NewUpload {
        project: person.project,
        file_name: name.to_owned(),
        file_size: size as u64,
        file_type: mime.to_owned(),
        sha256: None,
    }
}

pub fn anonymous() -> Ctx {
    Ctx::system("test").with_actor(Actor::Anonymous)
}

pub fn with_key(ctx: &Ctx, key: &str, body: u8) -> Ctx {
    let key = IdempotencyKey {
        key: key.to_owned(),
        request_hash: [body; 32],
    };
    Ctx {
        idempotency: Some(key),
        ..ctx.clone()
    }
}

/// The parameters of a URL's query.
pub fn query(url: &str) -> HashMap<String, String> {
    let (_, query) = url.split_once('?').unwrap();
    query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// The PUT that a grant asks for.
pub fn request(grant: &UploadGrant, length: Option<usize>) -> UploadRequest {
    let query = query(&grant.url);
    assert!(
        grant
            .url
            .starts_with(&format!("/storage/upload/{}?", grant.file)),
        "{}",
        grant.url
    );
    UploadRequest {
        file: grant.file,
        expires: query["expires"].parse().unwrap(),
        signature: query["signature"].clone(),
        content_length: length.map(|length| length as u64),
        content_type: Some(grant.headers["content-type"].clone()),
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().unwrap()
}

/// A small valid JSON file of exactly this size.
pub fn json_file(size: usize) -> Vec<u8> {
    let mut bytes = vec![b' '; size];
    bytes[0] = b'{';
    bytes[size - 1] = b'}';
    bytes
}

pub fn nobodys_file() -> FileId {
    FileId(Uuid::now_v7())
}
