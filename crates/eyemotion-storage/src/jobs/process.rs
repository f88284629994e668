use super::inspect::{self, Probed};
use super::{ProcessFile, PurgeFile};
use crate::blob::{DerivativeKind, LocalCopy, ObjectKey};
use crate::holds;
use crate::model::{FileStatus, ThumbnailStatus};
use crate::parts::StorageParts;
use crate::repository::processing::{self, Facts, Step};
use crate::repository::stored::{self, Stored};
use crate::repository::{projects, quotas};
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::Tx;
use eyemotion_jobs::{Attempt, BoxError, Handler, JobError};
use eyemotion_media::{MediaType, Thumbnail, find_ffmpeg};
use eyemotion_ports::Activity;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Changes when thumbnails come out differently; part of their key.
const THUMBNAIL_RECIPE: u32 = 1;

/// Brings a file from verifying to ready. Every step commits by itself under the job's fence and
/// is guarded by the state it starts from, so a run after a crash goes on where the last stopped.
pub(super) struct Processor {
    parts: Arc<StorageParts>,
    ffmpeg: Option<PathBuf>,
    /// One picture at a time: decoding may take half a gigabyte.
    decoding: Semaphore,
}

impl Processor {
    pub(super) fn new(parts: Arc<StorageParts>) -> Self {
        let ffmpeg = find_ffmpeg();
        if ffmpeg.is_none() {
            tracing::info!("ffmpeg is not on PATH: videos get no thumbnails");
        }
        Self {
            parts,
            ffmpeg,
            decoding: Semaphore::new(1),
        }
    }
}

fn system() -> Ctx {
    Ctx::system("storage.process")
}

/// An original being looked at.
struct Subject {
    file: Stored,
    key: ObjectKey,
    copy: Arc<LocalCopy>,
}

#[async_trait]
impl Handler<ProcessFile> for Processor {
    async fn run(&self, job: ProcessFile, attempt: &Attempt) -> Result<(), JobError> {
        let mut tx = self.parts.db.read(&system()).await?;
        let Some(file) = stored::find(&mut tx, job.file).await? else {
            return Ok(());
        };
        drop(tx);
        let subject = match file.status {
            FileStatus::Verifying
            | FileStatus::Verified
            | FileStatus::Processing
            | FileStatus::Failed => self.subject(file).await?,
            // Trashed, purged or done meanwhile.
            _ => return Ok(()),
        };
        self.process(&subject, attempt).await
    }

    async fn dead(&self, tx: &mut Tx, job: ProcessFile, error: &str) -> Result<(), BoxError> {
        let Some(file) = stored::find(tx, job.file).await? else {
            return Ok(());
        };
        projects::lock_counters(tx, file.project).await?;
        tracing::error!(file = %job.file, error, "a file cannot be processed");
        let error = "processing did not succeed; the cause is being looked at";
        let to_failed = |from| Step {
            from,
            to: FileStatus::Failed,
            progress: 0,
            error: Some(error),
        };
        let to_processing = Step {
            from: FileStatus::Verified,
            to: FileStatus::Processing,
            progress: file.progress,
            error: None,
        };
        processing::step(tx, job.file, &to_processing).await?;
        processing::step(tx, job.file, &to_failed(FileStatus::Processing)).await?;
        processing::step(tx, job.file, &to_failed(FileStatus::Verifying)).await?;
        holds::give_back(&*self.parts.credits, tx, &system(), file.owner, &[job.file]).await?;
        Ok(())
    }
}

impl Processor {
    async fn subject(&self, file: Stored) -> Result<Subject, JobError> {
        let key = file
            .original
            .ok_or_else(|| JobError::fatal("the file has no object"))?;
        let copy = self.parts.blobs.local_copy(&key).await?;
        let copy = copy.ok_or_else(|| JobError::retry(format!("{key} is not in the store")))?;
        Ok(Subject {
            file,
            key,
            copy: Arc::new(copy),
        })
    }

    async fn process(&self, subject: &Subject, attempt: &Attempt) -> Result<(), JobError> {
        let file = &subject.file;
        let was_verified = file.is_served();
        let (from, is_new) = match file.status {
            FileStatus::Failed if !was_verified => {
                let again = Step {
                    from: FileStatus::Failed,
                    to: FileStatus::Verifying,
                    progress: 0,
                    error: None,
                };
                if !self.advance(attempt, file, &again, None).await? {
                    return Ok(());
                }
                (FileStatus::Verifying, true)
            }
            status => (status, status == FileStatus::Verifying),
        };
        let from = if is_new {
            if !self.verify(subject, attempt).await? {
                return Ok(());
            }
            FileStatus::Verified
        } else {
            from
        };
        let begin = Step {
            from,
            to: FileStatus::Processing,
            progress: 40,
            error: None,
        };
        if !self.advance(attempt, file, &begin, None).await? {
            return Ok(());
        }
        match self.probe(subject, attempt).await? {
            Some(facts) => self.finish(subject, attempt, *facts).await,
            None => Ok(()),
        }
    }

    /// Looks at the bytes. False: the file is rejected, or gone.
    async fn verify(&self, subject: &Subject, attempt: &Attempt) -> Result<bool, JobError> {
        let declared = MediaType::of_mime(&subject.file.mime_type)
            .ok_or_else(|| JobError::fatal("the declared type is not known any more"))?;
        let sniffed = look(subject, |path| inspect::find_fraud(path, declared)).await??;
        let mime = match sniffed {
            Ok(mime) => mime,
            Err(reason) => {
                self.reject(subject, attempt, &reason).await?;
                return Ok(false);
            }
        };
        let verified = Step {
            from: FileStatus::Verifying,
            to: FileStatus::Verified,
            progress: 20,
            error: None,
        };
        fail::fail_point!("storage.process.before_verified");
        let facts = Facts {
            media: Some(json!({ "sniffed": mime })),
            ..Facts::default()
        };
        let is_there = self
            .advance(attempt, &subject.file, &verified, Some(&facts))
            .await?;
        fail::fail_point!("storage.process.after_verified");
        Ok(is_there)
    }

    /// The bytes are not what was declared: they go, and stop counting once they are gone. The
    /// upload's credits stay spent, since taking the bytes in was the work that they pay for.
    async fn reject(
        &self,
        subject: &Subject,
        attempt: &Attempt,
        reason: &str,
    ) -> Result<(), JobError> {
        let file = &subject.file;
        let ctx = system();
        let mut tx = self.parts.db.begin(&ctx).await?;
        attempt.fence(&mut tx).await?;
        projects::lock_counters(&mut tx, file.project).await?;
        let rejected = Step {
            from: FileStatus::Verifying,
            to: FileStatus::Rejected,
            progress: 0,
            error: Some(reason),
        };
        if processing::step(&mut tx, file.id, &rejected).await? {
            let credits = &*self.parts.credits;
            holds::give_back(credits, &mut tx, &ctx, file.owner, &[file.id]).await?;
            quotas::doom(&mut tx, file.owner, file.size).await?;
            PurgeFile::enqueue(&mut tx, &*self.parts.clock, file.owner, file.id).await?;
            let activity = Activity::new("file.rejected", "file", file.id)
                .of(file.owner)
                .with(json!({ "reason": reason }));
            self.parts.activity.record(&mut tx, &ctx, activity).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Finds out what the file is. `None`: it is damaged, or gone.
    async fn probe(
        &self,
        subject: &Subject,
        attempt: &Attempt,
    ) -> Result<Option<Box<Facts>>, JobError> {
        let mime = subject.file.mime_type.clone();
        let probed = look(subject, move |path| {
            let sniffed = eyemotion_media::sniff(path)?.map_or(mime, |found| found.mime.to_owned());
            inspect::examine(path, &sniffed)
        });
        let (to, progress, error, facts) = match probed.await?? {
            Probed::Facts(facts) => (FileStatus::Processing, 60, None, Some(facts)),
            Probed::Damaged(error) => (FileStatus::Failed, 0, Some(error), None),
        };
        let step = Step {
            from: FileStatus::Processing,
            to,
            progress,
            error: error.as_deref(),
        };
        let is_there = self
            .advance(attempt, &subject.file, &step, facts.as_deref())
            .await?;
        fail::fail_point!("storage.process.after_probe");
        Ok(facts.filter(|_| is_there))
    }

    async fn finish(
        &self,
        subject: &Subject,
        attempt: &Attempt,
        facts: Facts,
    ) -> Result<(), JobError> {
        let file = &subject.file;
        let (status, key) = match self.depict(subject, &facts).await? {
            Ok(thumbnail) => {
                let key = subject.key.prefix().derivative(
                    subject.key.version(),
                    DerivativeKind::Thumbnail,
                    THUMBNAIL_RECIPE,
                );
                self.parts.blobs.put(&key, thumbnail.bytes.into()).await?;
                fail::fail_point!("storage.process.after_derivative");
                (ThumbnailStatus::Ready, Some(key.to_string()))
            }
            Err(status) => (status, None),
        };
        let ready = Step {
            from: FileStatus::Processing,
            to: FileStatus::Ready,
            progress: 100,
            error: None,
        };
        let mut tx = self.fenced(attempt, file).await?;
        if processing::step(&mut tx, file.id, &ready).await? {
            processing::set_thumbnail(&mut tx, file.id, status, key).await?;
            holds::pay_processing(&self.parts, &mut tx, &system(), file).await?;
            fail::fail_point!("storage.process.before_ready");
            tx.commit().await?;
            fail::fail_point!("storage.process.after_ready");
        }
        Ok(())
    }

    async fn depict(
        &self,
        subject: &Subject,
        facts: &Facts,
    ) -> Result<Result<Thumbnail, ThumbnailStatus>, JobError> {
        let _permit = self.decoding.acquire().await?;
        let (kind, mime) = (subject.file.kind, subject.file.mime_type.clone());
        let (duration_us, ffmpeg) = (facts.duration_us, self.ffmpeg.clone());
        look(subject, move |path| {
            inspect::depict(path, kind, &mime, duration_us, ffmpeg.as_deref())
        })
        .await
        .map_err(JobError::from)
    }

    /// A transaction that nobody who took the job over can overtake.
    async fn fenced(&self, attempt: &Attempt, file: &Stored) -> Result<Tx, JobError> {
        let mut tx = self.parts.db.begin(&system()).await?;
        attempt.fence(&mut tx).await?;
        projects::lock_counters(&mut tx, file.project).await?;
        Ok(tx)
    }

    /// Goes one step in a transaction of its own. False: the file has gone another way meanwhile.
    async fn advance(
        &self,
        attempt: &Attempt,
        file: &Stored,
        step: &Step<'_>,
        facts: Option<&Facts>,
    ) -> Result<bool, JobError> {
        let mut tx = self.fenced(attempt, file).await?;
        if !processing::step(&mut tx, file.id, step).await? {
            return Ok(false);
        }
        if step.to == FileStatus::Failed {
            let credits = &*self.parts.credits;
            holds::give_back(credits, &mut tx, &system(), file.owner, &[file.id]).await?;
        }
        if let Some(facts) = facts {
            processing::describe(&mut tx, file.id, facts).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Runs `work` on the object where blocking is allowed. The copy lives as long as that takes, also
/// when the job is cut short.
async fn look<T: Send + 'static>(
    subject: &Subject,
    work: impl FnOnce(&Path) -> T + Send + 'static,
) -> Result<T, io::Error> {
    let copy = Arc::clone(&subject.copy);
    tokio::task::spawn_blocking(move || work(copy.path()))
        .await
        .map_err(io::Error::other)
}
