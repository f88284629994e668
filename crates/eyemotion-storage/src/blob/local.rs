//! Objects as files of one machine.

mod staging;

use super::{
    BlobError, BlobReader, BlobStore, Chunks, FilePrefix, LocalCopy, ObjectInfo, ObjectKey,
    Staging, StoredVersion,
};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};
use staging::LocalStaging;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Bytes read at once: two such pieces are in memory for a download.
const READ_SIZE: u64 = 256 * 1024;

/// A folder: objects below `o/`, uploads under way in `t/`. Only this process may write there.
///
/// Files are created 0600 and folders 0700. What is committed has been fsynced, with every
/// folder on the way to it.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: Arc<Path>,
}

impl LocalStore {
    /// The store in `root`, which is made if it is missing.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root: PathBuf = root.into();
        fs::create_dir_all(&root)?;
        for directory in ["o", "t"] {
            make_directory(&root.join(directory))?;
        }
        sync_directory(&root)?;
        Ok(Self { root: root.into() })
    }

    fn staging_path(&self, upload: Uuid) -> PathBuf {
        self.root.join("t").join(upload.to_string())
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        self.root.join(key.to_string())
    }

    /// Runs `work` where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, BlobError> {
        let store = self.clone();
        blocking(move || work(&store)).await
    }
}

/// Runs `work` on the pool for blocking calls.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    let result = tokio::task::spawn_blocking(work).await;
    Ok(result.map_err(io::Error::other)??)
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Makes one folder; returns whether it was missing.
fn make_directory(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Moves `from` to `key` below `root`, so that a power cut afterwards does not undo it.
fn rename_durably(root: &Path, from: &Path, key: &str) -> io::Result<()> {
    let mut directory = root.to_owned();
    let mut names = key.split('/').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            fs::rename(from, directory.join(name))?;
            return sync_directory(&directory);
        }
        let child = directory.join(name);
        if make_directory(&child)? {
            sync_directory(&directory)?;
        }
        directory = child;
    }
    Ok(())
}

/// `None` for what is missing.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl BlobStore for LocalStore {
    async fn stage(&self, upload: Uuid) -> Result<Box<dyn Staging>, BlobError> {
        let path = self.staging_path(upload);
        let root = Arc::clone(&self.root);
        let staging = blocking(move || {
            let file = new_file(&path)?;
            Ok(LocalStaging::new(root, path, file))
        });
        Ok(Box::new(staging.await?))
    }

    async fn discard_staging(&self, upload: Uuid) -> Result<(), BlobError> {
        let path = self.staging_path(upload);
        blocking(move || found(fs::remove_file(path)).map(drop)).await
    }

    async fn discard_stale_staging(&self, moment: DateTime<Utc>) -> Result<u64, BlobError> {
        self.blocking(move |store| {
            let mut removed = 0;
            for entry in fs::read_dir(store.root.join("t"))? {
                let entry = entry?;
                let Some(metadata) = found(entry.metadata())? else {
                    continue;
                };
                if DateTime::<Utc>::from(metadata.modified()?) < moment
                    && found(fs::remove_file(entry.path()))?.is_some()
                {
                    removed += 1;
                }
            }
            Ok(removed)
        })
        .await
    }

    async fn put(&self, key: &ObjectKey, content: Bytes) -> Result<(), BlobError> {
        let key = key.to_string();
        self.blocking(move |store| {
            let staged = store.staging_path(Uuid::now_v7());
            let mut file = new_file(&staged)?;
            let written = file
                .write_all(&content)
                .and_then(|()| file.sync_all())
                .and_then(|()| rename_durably(&store.root, &staged, &key));
            if written.is_err() {
                found(fs::remove_file(&staged))?;
            }
            written
        })
        .await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, BlobError> {
        let path = self.path(key);
        blocking(move || {
            let metadata = found(fs::metadata(path))?;
            Ok(metadata.map(|metadata| ObjectInfo {
                size: metadata.len(),
                sha256: None,
            }))
        })
        .await
    }

    async fn open(&self, key: &ObjectKey) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        let path = self.path(key);
        blocking(move || {
            let Some(file) = found(File::open(path))? else {
                return Ok(None);
            };
            let size = file.metadata()?.len();
            Ok(Some(Box::new(LocalReader {
                file: Arc::new(file),
                size,
            }) as Box<dyn BlobReader>))
        })
        .await
    }

    async fn local_copy(&self, key: &ObjectKey) -> Result<Option<LocalCopy>, BlobError> {
        let found = self.head(key).await?;
        Ok(found.map(|_| LocalCopy::original(self.path(key))))
    }

    async fn delete_version(&self, prefix: &FilePrefix, version: Uuid) -> Result<(), BlobError> {
        let path = self.root.join(prefix.to_string()).join(version.to_string());
        blocking(move || found(fs::remove_dir_all(path)).map(drop)).await
    }

    async fn delete_file(&self, prefix: &FilePrefix) -> Result<(), BlobError> {
        let path = self.root.join(prefix.to_string());
        blocking(move || found(fs::remove_dir_all(path)).map(drop)).await
    }

    fn versions(&self) -> BoxStream<'static, Result<StoredVersion, BlobError>> {
        let objects = self.root.join("o");
        let listing = async move { blocking(move || list_versions(&objects)).await };
        stream::once(listing)
            .flat_map(|result| match result {
                Ok(versions) => stream::iter(versions).map(Ok).left_stream(),
                Err(error) => stream::iter([Err(error)]).right_stream(),
            })
            .boxed()
    }

    async fn check(&self) -> Result<(), BlobError> {
        self.blocking(|store| {
            let path = store.staging_path(Uuid::now_v7());
            let mut file = new_file(&path)?;
            let written = file.write_all(b"health").and_then(|()| file.sync_all());
            fs::remove_file(&path)?;
            written
        })
        .await
    }
}

/// Every version below the folder of owners. What is not named by ids is not ours.
fn list_versions(objects: &Path) -> io::Result<Vec<StoredVersion>> {
    let mut versions = Vec::new();
    for (owner, owner_path) in children(objects)? {
        for (file, file_path) in children(&owner_path)? {
            let prefix = FilePrefix {
                owner: owner.into(),
                file: file.into(),
            };
            for (version, path) in children(&file_path)? {
                if let Some(metadata) = found(fs::metadata(path))? {
                    let modified = metadata.modified()?.into();
                    versions.push(StoredVersion {
                        prefix,
                        version,
                        modified,
                    });
                }
            }
        }
    }
    Ok(versions)
}

fn children(directory: &Path) -> io::Result<Vec<(Uuid, PathBuf)>> {
    let Some(entries) = found(fs::read_dir(directory))? else {
        return Ok(Vec::new());
    };
    let mut children = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| Uuid::parse_str(name).ok())
        {
            children.push((id, entry.path()));
        }
    }
    Ok(children)
}

struct LocalReader {
    file: Arc<File>,
    size: u64,
}

impl BlobReader for LocalReader {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(self: Box<Self>, range: Range<u64>) -> Chunks {
        stream::try_unfold((self.file, range), |(file, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let end = range.end.min(range.start + READ_SIZE);
            let length = usize::try_from(end - range.start).map_err(io::Error::other)?;
            let (file, bytes) = blocking(move || {
                let mut bytes = BytesMut::zeroed(length);
                file.read_exact_at(&mut bytes, range.start)?;
                Ok((file, bytes.freeze()))
            })
            .await?;
            Ok(Some((bytes, (file, end..range.end))))
        })
        .boxed()
    }
}
