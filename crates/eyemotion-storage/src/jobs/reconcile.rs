use super::ReconcileObjects;
use crate::blob::{ObjectKey, StoredVersion};
use crate::parts::StorageParts;
use crate::repository::sweeps;
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_jobs::{Attempt, Handler, JobError};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

const BATCH: usize = 500;

pub(super) struct Reconciler(pub(super) Arc<StorageParts>);

fn system() -> Ctx {
    Ctx::system("storage.reconcile")
}

#[async_trait]
impl Handler<ReconcileObjects> for Reconciler {
    async fn run(&self, _: ReconcileObjects, _: &Attempt) -> Result<(), JobError> {
        let mut orphans = 0_u64;
        let mut found = self.0.blobs.versions().try_chunks(BATCH);
        while let Some(versions) = found.next().await {
            orphans += self
                .delete_orphans(&versions.map_err(|error| error.1)?)
                .await?;
        }
        let missing = self.count_missing().await?;
        if missing > 0 {
            tracing::error!(
                missing,
                "objects of files are not in the store; restore a backup"
            );
        }
        tracing::info!(
            orphans,
            missing,
            "compared the object store with the database"
        );
        Ok(())
    }
}

impl Reconciler {
    /// Deletes old versions that no row counts on.
    async fn delete_orphans(&self, versions: &[StoredVersion]) -> Result<u64, JobError> {
        let before = self.0.clock.now() - self.0.config.leftover_grace;
        let ids: Vec<Uuid> = versions
            .iter()
            .map(|version| version.prefix.file.0)
            .collect();
        let mut tx = self.0.db.read(&system()).await?;
        let known: HashMap<Uuid, [Option<Uuid>; 2]> = sweeps::keys_of(&mut tx, &ids)
            .await?
            .into_iter()
            .map(|(id, key, token)| {
                let key = key.and_then(|key| key.parse::<ObjectKey>().ok());
                (id, [key.map(|key| key.version()), token])
            })
            .collect();
        drop(tx);
        let mut deleted = 0;
        for StoredVersion {
            prefix,
            version,
            modified,
        } in versions
        {
            let wanted = known.get(&prefix.file.0);
            if *modified >= before || wanted.is_some_and(|wanted| wanted.contains(&Some(*version)))
            {
                continue;
            }
            match wanted {
                Some(_) => self.0.blobs.delete_version(prefix, *version).await?,
                None => self.0.blobs.delete_file(prefix).await?,
            }
            deleted += 1;
        }
        Ok(deleted)
    }

    async fn count_missing(&self) -> Result<u64, JobError> {
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let (mut after, mut missing) = (Uuid::nil(), 0);
        loop {
            let mut tx = self.0.db.read(&system()).await?;
            let rows = sweeps::with_objects(&mut tx, after, limit).await?;
            drop(tx);
            let Some((last, _)) = rows.last() else {
                return Ok(missing);
            };
            after = *last;
            for (file, key) in rows {
                let Some(key) = key.and_then(|key| key.parse::<ObjectKey>().ok()) else {
                    continue;
                };
                if self.0.blobs.head(&key).await?.is_none() {
                    tracing::error!(%file, %key, "the object of a file is missing");
                    missing += 1;
                }
            }
        }
    }
}
