//! `project_files` as storing, processing and deleting see it.

use crate::blob::{FilePrefix, InvalidKey, ObjectKey};
use crate::model::{FileStatus, MediaKind};
use crate::repository::files::{kind, status};
use crate::repository::{bytes, changed, digest};
use crate::schema::stored_files as files;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Credits, FileId, ProjectId, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = files, check_for_backend(diesel::pg::Pg))]
struct StoredRow {
    id: Uuid,
    project_id: Uuid,
    user_id: Uuid,
    filename: String,
    file_type: String,
    mime_type: String,
    file_size: i64,
    storage_path: Option<String>,
    thumbnail_path: Option<String>,
    media: Value,
    declared_sha256: Option<Vec<u8>>,
    sha256: Option<Vec<u8>>,
    processing_status: String,
    processing_progress: i16,
    credits_cost: i64,
    upload_expires_at: Option<DateTime<Utc>>,
    upload_lease_until: Option<DateTime<Utc>>,
    upload_lease_token: Option<Uuid>,
    confirmed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// A file with its keys and leases.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub id: FileId,
    pub project: ProjectId,
    pub owner: UserId,
    pub name: String,
    pub kind: MediaKind,
    pub mime_type: String,
    pub size: u64,
    pub original: Option<ObjectKey>,
    pub thumbnail: Option<ObjectKey>,
    pub media: Value,
    pub declared_sha256: Option<[u8; 32]>,
    pub sha256: Option<[u8; 32]>,
    pub status: FileStatus,
    pub progress: i16,
    pub credits_cost: Credits,
    pub upload_expires_at: Option<DateTime<Utc>>,
    pub lease_until: Option<DateTime<Utc>>,
    /// The upload under way or, where the store takes uploads itself, to come.
    pub lease_token: Option<Uuid>,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl Stored {
    pub(crate) const fn prefix(&self) -> FilePrefix {
        FilePrefix {
            owner: self.owner,
            file: self.id,
        }
    }

    /// Whether an upload may still be writing.
    pub(crate) fn is_leased(&self, now: DateTime<Utc>) -> bool {
        self.status == FileStatus::Uploading && self.lease_until.is_some_and(|until| until > now)
    }

    /// Whether the time to upload or to confirm is over.
    pub(crate) fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.upload_expires_at.is_none_or(|at| at <= now)
    }

    /// Whether the original may be served: its bytes have been looked at and are what was declared.
    pub(crate) fn is_served(&self) -> bool {
        self.status.is_served()
            || (self.status == FileStatus::Failed && self.media.get("sniffed").is_some())
    }
}

fn key(stored: Option<String>) -> Result<Option<ObjectKey>, DbError> {
    stored
        .map(|text| {
            text.parse()
                .map_err(|error: InvalidKey| DbError::Other(error.into()))
        })
        .transpose()
}

impl TryFrom<StoredRow> for Stored {
    type Error = DbError;

    fn try_from(row: StoredRow) -> Result<Self, DbError> {
        Ok(Self {
            id: FileId(row.id),
            project: ProjectId(row.project_id),
            owner: UserId(row.user_id),
            name: row.filename,
            kind: kind(&row.file_type)?,
            mime_type: row.mime_type,
            size: bytes(row.file_size),
            original: key(row.storage_path)?,
            thumbnail: key(row.thumbnail_path)?,
            media: row.media,
            declared_sha256: digest(row.declared_sha256),
            sha256: digest(row.sha256),
            status: status(&row.processing_status)?,
            progress: row.processing_progress,
            credits_cost: Credits(row.credits_cost),
            upload_expires_at: row.upload_expires_at,
            lease_until: row.upload_lease_until,
            lease_token: row.upload_lease_token,
            confirmed_at: row.confirmed_at,
            created_at: row.created_at,
        })
    }
}

/// Any file, tombstones too.
pub(crate) async fn find(tx: &mut Tx, id: FileId) -> Result<Option<Stored>, DbError> {
    files::table
        .find(id.0)
        .select(StoredRow::as_select())
        .first(tx)
        .await
        .optional()?
        .map(Stored::try_from)
        .transpose()
}

/// Any file, tombstones too, locked to change its state.
pub(crate) async fn lock(tx: &mut Tx, id: FileId) -> Result<Option<Stored>, DbError> {
    files::table
        .find(id.0)
        .select(StoredRow::as_select())
        .for_update()
        .first(tx)
        .await
        .optional()?
        .map(Stored::try_from)
        .transpose()
}

/// A new file, pending.
#[derive(Insertable)]
#[diesel(table_name = files)]
pub(crate) struct NewFileRow<'a> {
    pub id: Uuid,
    pub project_id: Uuid,
    pub user_id: Uuid,
    pub filename: &'a str,
    pub original_name: &'a str,
    pub file_type: &'a str,
    pub mime_type: &'a str,
    pub file_size: i64,
    pub declared_sha256: Option<&'a [u8]>,
    pub credits_cost: i64,
    pub upload_expires_at: DateTime<Utc>,
    pub upload_lease_token: Uuid,
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &mut Tx, row: &NewFileRow<'_>) -> Result<(), DbError> {
    diesel::insert_into(files::table)
        .values(row)
        .execute(tx)
        .await?;
    Ok(())
}

/// Makes a tombstone of it. The caller has locked it and sees to quota and objects.
pub(crate) async fn entomb(tx: &mut Tx, id: FileId) -> Result<(), DbError> {
    set_status(tx, id, FileStatus::Purged).await
}

/// Moves a locked file on. The database refuses a step that is not in the table.
pub(crate) async fn set_status(tx: &mut Tx, id: FileId, to: FileStatus) -> Result<(), DbError> {
    diesel::update(files::table.find(id.0))
        .set(files::processing_status.eq(to.as_str()))
        .execute(tx)
        .await?;
    Ok(())
}

/// The object is gone, the row stays.
pub(crate) async fn clear_keys(tx: &mut Tx, id: FileId) -> Result<(), DbError> {
    diesel::update(files::table.find(id.0))
        .set((
            files::storage_path.eq(None::<String>),
            files::thumbnail_path.eq(None::<String>),
            files::upload_lease_token.eq(None::<Uuid>),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

pub(crate) async fn delete(tx: &mut Tx, id: FileId) -> Result<bool, DbError> {
    changed(diesel::delete(files::table.find(id.0)).execute(tx).await)
}

/// What [`entomb_project`] buried.
#[derive(Debug)]
pub(crate) struct Buried {
    pub id: Uuid,
    pub owner: UserId,
    /// Bytes that were used until now.
    pub used: i64,
}

/// Makes tombstones of all files of a project, in one statement.
pub(crate) async fn entomb_project(
    tx: &mut Tx,
    project: ProjectId,
) -> Result<Vec<Buried>, DbError> {
    let purged = FileStatus::Purged.as_str();
    // Locked first: `returning` gives the new status, and it is the old one that tells who used bytes.
    let rows = files::table
        .filter(files::project_id.eq(project.0))
        .filter(files::processing_status.ne(purged))
        .select((
            files::id,
            files::user_id,
            files::file_size,
            files::confirmed_at.is_not_null(),
            files::processing_status.eq(FileStatus::Rejected.as_str()),
        ))
        .for_update()
        .load::<(Uuid, Uuid, i64, bool, bool)>(tx)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
    diesel::update(files::table.filter(files::id.eq_any(ids)))
        .set(files::processing_status.eq(purged))
        .execute(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, owner, size, is_confirmed, is_rejected)| Buried {
            id,
            owner: UserId(owner),
            used: if is_confirmed && !is_rejected {
                size
            } else {
                0
            },
        })
        .collect())
}
