use crate::download::{self, Download};
use crate::error::StorageError;
use crate::model::{Disposition, File, Progress, Rendition};
use crate::parts::StorageParts;
use crate::service::{
    Confirmed, Deletion, DownloadGrant, FileChanges, FileFilter, Files, NewUpload, SignedDownload,
    UploadGrant, UploadRequest,
};
use crate::upload::{self, Upload};
use crate::{confirm, events, grant, library};
use async_trait::async_trait;
use eyemotion_core::{Ctx, FileId, Page, PageRequest, ProjectId};
use futures_util::stream::BoxStream;
use std::sync::Arc;

/// [`Files`] on PostgreSQL and an object store. Cheap to clone.
#[derive(Clone)]
pub struct FileService {
    parts: Arc<StorageParts>,
}

impl FileService {
    /// Puts the service together.
    pub fn new(parts: Arc<StorageParts>) -> Self {
        Self { parts }
    }
}

#[async_trait]
impl Files for FileService {
    async fn upload_url(&self, ctx: &Ctx, upload: NewUpload) -> Result<UploadGrant, StorageError> {
        Box::pin(grant::upload_url(&self.parts, ctx, &upload)).await
    }

    async fn begin_upload(&self, ctx: &Ctx, put: UploadRequest) -> Result<Upload, StorageError> {
        Box::pin(upload::begin(&self.parts, ctx, &put)).await
    }

    async fn confirm(&self, ctx: &Ctx, file: FileId) -> Result<Confirmed, StorageError> {
        Box::pin(confirm::confirm(&self.parts, ctx, file)).await
    }

    async fn get(&self, ctx: &Ctx, file: FileId) -> Result<File, StorageError> {
        library::get(&self.parts, ctx, file).await
    }

    async fn list(
        &self,
        ctx: &Ctx,
        project: ProjectId,
        page: PageRequest,
        filter: FileFilter,
    ) -> Result<Page<File>, StorageError> {
        library::list(&self.parts, ctx, project, page, &filter).await
    }

    async fn update(
        &self,
        ctx: &Ctx,
        file: FileId,
        changes: FileChanges,
        if_match: Option<i64>,
    ) -> Result<File, StorageError> {
        library::update(&self.parts, ctx, file, changes, if_match).await
    }

    async fn delete(
        &self,
        ctx: &Ctx,
        file: FileId,
        if_match: Option<i64>,
    ) -> Result<Deletion, StorageError> {
        library::delete(&self.parts, ctx, file, if_match).await
    }

    async fn restore(&self, ctx: &Ctx, file: FileId) -> Result<File, StorageError> {
        library::restore(&self.parts, ctx, file).await
    }

    async fn download_url(
        &self,
        ctx: &Ctx,
        file: FileId,
        rendition: Rendition,
        disposition: Disposition,
    ) -> Result<DownloadGrant, StorageError> {
        download::download_url(&self.parts, ctx, file, rendition, disposition).await
    }

    async fn open(
        &self,
        ctx: &Ctx,
        file: FileId,
        rendition: Rendition,
        disposition: Disposition,
    ) -> Result<Download, StorageError> {
        download::open(&self.parts, ctx, file, rendition, disposition).await
    }

    async fn open_signed(&self, ctx: &Ctx, get: SignedDownload) -> Result<Download, StorageError> {
        download::open_signed(&self.parts, ctx, &get).await
    }

    async fn events(
        &self,
        ctx: &Ctx,
        file: FileId,
    ) -> Result<BoxStream<'static, Progress>, StorageError> {
        events::events(&self.parts, ctx, file).await
    }
}
