//! An object store with moods.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use eyemotion_storage::{
    BlobError, BlobReader, BlobStore, FilePrefix, LocalCopy, LocalStore, ObjectInfo, ObjectKey,
    PresignedRequest, PutConditions, StagedObject, Staging, StoredVersion,
};
use futures_util::stream::BoxStream;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// A local store that can be out of order, and can pretend that it takes uploads itself.
#[derive(Debug)]
pub struct Moody {
    pub store: LocalStore,
    pub is_full: AtomicBool,
    pub presigns: AtomicBool,
    /// Whoever seals needs a permit.
    pub seals: Arc<Semaphore>,
}

impl Moody {
    pub fn new(store: LocalStore) -> Self {
        Self {
            store,
            is_full: AtomicBool::new(false),
            presigns: AtomicBool::new(false),
            seals: Arc::new(Semaphore::new(1)),
        }
    }
}

struct MoodyStaging(Box<dyn Staging>, bool, Arc<Semaphore>);

#[async_trait]
impl Staging for MoodyStaging {
    async fn append(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        if self.1 {
            Err(BlobError::Full)
        } else {
            self.0.append(bytes).await
        }
    }

    async fn seal(&mut self) -> Result<StagedObject, BlobError> {
        let _permit = self.2.acquire().await.unwrap();
        self.0.seal().await
    }

    async fn commit(self: Box<Self>, key: &ObjectKey) -> Result<(), BlobError> {
        self.0.commit(key).await
    }
}

#[async_trait]
impl BlobStore for Moody {
    async fn stage(&self, upload: Uuid) -> Result<Box<dyn Staging>, BlobError> {
        let staging = self.store.stage(upload).await?;
        let is_full = self.is_full.load(Ordering::Relaxed);
        Ok(Box::new(MoodyStaging(
            staging,
            is_full,
            Arc::clone(&self.seals),
        )))
    }

    async fn discard_staging(&self, upload: Uuid) -> Result<(), BlobError> {
        self.store.discard_staging(upload).await
    }

    async fn discard_stale_staging(&self, moment: DateTime<Utc>) -> Result<u64, BlobError> {
        self.store.discard_stale_staging(moment).await
    }

    async fn put(&self, key: &ObjectKey, content: Bytes) -> Result<(), BlobError> {
        self.store.put(key, content).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, BlobError> {
        self.store.head(key).await
    }

    async fn open(&self, key: &ObjectKey) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        self.store.open(key).await
    }

    async fn local_copy(&self, key: &ObjectKey) -> Result<Option<LocalCopy>, BlobError> {
        self.store.local_copy(key).await
    }

    async fn delete_version(&self, prefix: &FilePrefix, version: Uuid) -> Result<(), BlobError> {
        self.store.delete_version(prefix, version).await
    }

    async fn delete_file(&self, prefix: &FilePrefix) -> Result<(), BlobError> {
        self.store.delete_file(prefix).await
    }

    fn versions(&self) -> BoxStream<'static, Result<StoredVersion, BlobError>> {
        self.store.versions()
    }

    async fn presign_put(
        &self,
        key: &ObjectKey,
        conditions: &PutConditions,
    ) -> Result<Option<PresignedRequest>, BlobError> {
        let presigned = PresignedRequest {
            url: format!("https://store.example/{key}"),
            headers: BTreeMap::from([
                ("content-type".to_owned(), conditions.content_type.clone()),
                ("x-test-size".to_owned(), conditions.size.to_string()),
            ]),
        };
        Ok(self.presigns.load(Ordering::Relaxed).then_some(presigned))
    }

    async fn check(&self) -> Result<(), BlobError> {
        self.store.check().await
    }
}
