//! Where bytes lie. Names, types and rights are the database's; here are keys and content.

mod key;
mod local;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures_util::stream::BoxStream;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use uuid::Uuid;

pub use key::{DerivativeKind, FilePrefix, InvalidKey, ObjectKey};
pub use local::LocalStore;

/// The object store failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No room is left.
    #[error("the object store is full")]
    Full,
    /// Anything else.
    #[error("the object store failed")]
    Io(#[source] io::Error),
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

/// A piece of an object, as it is read.
pub type Chunks = BoxStream<'static, Result<Bytes, BlobError>>;

/// What a store knows of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Bytes.
    pub size: u64,
    /// SHA-256, if the store has verified one itself.
    pub sha256: Option<[u8; 32]>,
}

/// What was staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagedObject {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of these.
    pub sha256: [u8; 32],
}

/// One version of a file as found in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    /// The file.
    pub prefix: FilePrefix,
    /// The version: the upload's id.
    pub version: Uuid,
    /// When it was last written.
    pub modified: DateTime<Utc>,
}

/// What a direct upload to the store is bound to. A store that takes this signs all of it: a
/// presigned PUT without a content type would let the client choose `text/html`.
#[derive(Clone, Debug)]
pub struct PutConditions {
    /// Bytes, exactly.
    pub size: u64,
    /// MIME type.
    pub content_type: String,
    /// SHA-256, if declared.
    pub sha256: Option<[u8; 32]>,
    /// How long the request works.
    pub expires_in: Duration,
}

/// A request that the store itself accepts from anybody who holds it.
#[derive(Clone, Debug)]
pub struct PresignedRequest {
    /// The absolute URL.
    pub url: String,
    /// Headers that have to be sent with it, lower case.
    pub headers: BTreeMap<String, String>,
}

/// An object store.
///
/// An object is staged, appended to and sealed, and then appears under its key as a whole and
/// durably, or not at all. Keys are never rewritten with other content.
#[async_trait]
pub trait BlobStore: fmt::Debug + Send + Sync {
    /// Begins an object. `upload` names it until it is committed.
    async fn stage(&self, upload: Uuid) -> Result<Box<dyn Staging>, BlobError>;

    /// Removes what a staging that nobody holds any more has left.
    async fn discard_staging(&self, upload: Uuid) -> Result<(), BlobError>;

    /// Removes every staging last written before `moment`. Returns how many.
    async fn discard_stale_staging(&self, moment: DateTime<Utc>) -> Result<u64, BlobError>;

    /// Stores a small object that we made ourselves, such as a thumbnail.
    async fn put(&self, key: &ObjectKey, content: Bytes) -> Result<(), BlobError>;

    /// What is known of an object; `None` if there is none.
    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, BlobError>;

    /// Opens an object; `None` if there is none.
    async fn open(&self, key: &ObjectKey) -> Result<Option<Box<dyn BlobReader>>, BlobError>;

    /// The object as a file on this machine, for programs that need one; `None` if there is none.
    async fn local_copy(&self, key: &ObjectKey) -> Result<Option<LocalCopy>, BlobError>;

    /// Deletes one version of a file with everything made from it. A missing one is deleted.
    async fn delete_version(&self, prefix: &FilePrefix, version: Uuid) -> Result<(), BlobError>;

    /// Deletes every version of a file. A missing one is deleted.
    async fn delete_file(&self, prefix: &FilePrefix) -> Result<(), BlobError>;

    /// Every version of every file.
    fn versions(&self) -> BoxStream<'static, Result<StoredVersion, BlobError>>;

    /// A PUT that brings an original straight to the store; `None` if uploads go through us.
    async fn presign_put(
        &self,
        key: &ObjectKey,
        conditions: &PutConditions,
    ) -> Result<Option<PresignedRequest>, BlobError> {
        let _ = (key, conditions);
        Ok(None)
    }

    /// Whether the store can be written to: for health.
    async fn check(&self) -> Result<(), BlobError>;
}

/// An object being written. Dropped before [`Staging::commit`], it is removed.
#[async_trait]
pub trait Staging: Send {
    /// Adds bytes.
    async fn append(&mut self, bytes: Bytes) -> Result<(), BlobError>;

    /// Makes everything so far durable. Nothing is appended afterwards.
    async fn seal(&mut self) -> Result<StagedObject, BlobError>;

    /// Gives the sealed object its key, durably.
    async fn commit(self: Box<Self>, key: &ObjectKey) -> Result<(), BlobError>;
}

/// An opened object: what is read stays what it was, even if it is deleted meanwhile.
pub trait BlobReader: Send {
    /// Bytes.
    fn size(&self) -> u64;

    /// The bytes of `range`, which must lie within the object.
    fn read(self: Box<Self>, range: Range<u64>) -> Chunks;
}

/// A file on this machine, removed on drop if it was fetched for this.
#[derive(Debug)]
pub struct LocalCopy {
    path: PathBuf,
    is_temporary: bool,
}

impl LocalCopy {
    /// A file that is the object itself.
    pub fn original(path: PathBuf) -> Self {
        Self {
            path,
            is_temporary: false,
        }
    }

    /// A file that was fetched and is removed afterwards.
    pub fn fetched(path: PathBuf) -> Self {
        Self {
            path,
            is_temporary: true,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LocalCopy {
    fn drop(&mut self) {
        if self.is_temporary
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "cannot remove a fetched object");
        }
    }
}
