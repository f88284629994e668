use super::{blocking, rename_durably};
use crate::blob::{BlobError, ObjectKey, StagedObject, Staging};
use async_trait::async_trait;
use aws_lc_rs::digest::{self, SHA256};
use bytes::{Bytes, BytesMut};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Bytes gathered before they are written: while one such batch is being written and hashed, the
/// next arrives. Two of them are all that an upload keeps in memory.
const BATCH: usize = 1 << 20;

/// A file being written, its content hashed meanwhile on another thread.
pub(super) struct LocalStaging {
    root: Arc<Path>,
    path: PathBuf,
    size: u64,
    batch: BytesMut,
    pen: Pen,
    is_committed: bool,
}

/// The file and the digest: here, or away with the batch being written.
enum Pen {
    Idle(File, digest::Context),
    Writing(JoinHandle<io::Result<File>>, JoinHandle<digest::Context>),
    /// Sealed, or a write has failed.
    Spent,
}

impl LocalStaging {
    pub(super) fn new(root: Arc<Path>, path: PathBuf, file: File) -> Self {
        let pen = Pen::Idle(file, digest::Context::new(&SHA256));
        let batch = BytesMut::with_capacity(BATCH);
        Self {
            root,
            path,
            size: 0,
            batch,
            pen,
            is_committed: false,
        }
    }

    /// Waits for the batch under way.
    async fn pen(&mut self) -> io::Result<(File, digest::Context)> {
        match std::mem::replace(&mut self.pen, Pen::Spent) {
            Pen::Idle(file, digest) => Ok((file, digest)),
            Pen::Writing(file, digest) => {
                let (file, digest) = tokio::join!(file, digest);
                Ok((
                    file.map_err(io::Error::other)??,
                    digest.map_err(io::Error::other)?,
                ))
            }
            Pen::Spent => Err(io::Error::new(
                ErrorKind::BrokenPipe,
                "the staging is closed",
            )),
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        let (mut file, mut digest) = self.pen().await?;
        let batch = std::mem::replace(&mut self.batch, BytesMut::with_capacity(BATCH)).freeze();
        let hashed = batch.clone();
        self.pen = Pen::Writing(
            tokio::task::spawn_blocking(move || file.write_all(&batch).map(|()| file)),
            tokio::task::spawn_blocking(move || {
                digest.update(&hashed);
                digest
            }),
        );
        Ok(())
    }
}

#[async_trait]
impl Staging for LocalStaging {
    async fn append(&mut self, mut bytes: Bytes) -> Result<(), BlobError> {
        while !bytes.is_empty() {
            // Copied: a client that sends single bytes would else cost far more than it sends.
            let piece = bytes.split_to(bytes.len().min(BATCH - self.batch.len()));
            self.size += piece.len() as u64;
            self.batch.extend_from_slice(&piece);
            if self.batch.len() == BATCH {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn seal(&mut self) -> Result<StagedObject, BlobError> {
        self.flush().await?;
        let (file, digest) = self.pen().await?;
        fail::fail_point!("storage.upload.before_fsync");
        blocking(move || file.sync_all()).await?;
        fail::fail_point!("storage.upload.after_fsync");
        let mut sha256 = [0; 32];
        for (byte, hashed) in sha256.iter_mut().zip(digest.finish().as_ref()) {
            *byte = *hashed;
        }
        Ok(StagedObject {
            size: self.size,
            sha256,
        })
    }

    async fn commit(mut self: Box<Self>, key: &ObjectKey) -> Result<(), BlobError> {
        let (root, path, key) = (Arc::clone(&self.root), self.path.clone(), key.to_string());
        blocking(move || rename_durably(&root, &path, &key)).await?;
        self.is_committed = true;
        Ok(())
    }
}

impl Drop for LocalStaging {
    fn drop(&mut self) {
        if self.is_committed {
            return;
        }
        let path = std::mem::take(&mut self.path);
        let remove = move || {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "cannot remove a staged upload");
            }
        };
        // Unlinking gigabytes takes a while.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}
