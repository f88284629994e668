//! `project_files` as people see it.

use crate::model::{File, FileStatus, MediaKind, Rational, ThumbnailStatus};
use crate::repository::{bytes, digest, unreadable};
use crate::schema::project_files as files;
use crate::service::FileFilter;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{Credits, Cursor, FileId, PageRequest, ProjectId, UserId};
use eyemotion_db::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = files, check_for_backend(diesel::pg::Pg))]
struct FileRow {
    id: Uuid,
    project_id: Uuid,
    user_id: Uuid,
    filename: String,
    original_name: String,
    file_type: String,
    mime_type: String,
    file_size: i64,
    thumbnail_status: String,
    duration_us: Option<i64>,
    width: Option<i32>,
    height: Option<i32>,
    fps_num: Option<i32>,
    fps_den: Option<i32>,
    codec: Option<String>,
    bit_rate: Option<i64>,
    media: Value,
    sha256: Option<Vec<u8>>,
    processing_status: String,
    processing_error: Option<String>,
    processing_progress: i16,
    credits_cost: i64,
    upload_expires_at: Option<DateTime<Utc>>,
    confirmed_at: Option<DateTime<Utc>>,
    trashed_at: Option<DateTime<Utc>>,
    metadata: Value,
    tags: Vec<String>,
    is_favorite: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

pub(super) fn kind(name: &str) -> Result<MediaKind, DbError> {
    [
        MediaKind::Video,
        MediaKind::Audio,
        MediaKind::Image,
        MediaKind::Data,
    ]
    .into_iter()
    .find(|kind| kind.as_str() == name)
    .ok_or_else(|| unreadable("file_type", name))
}

pub(super) fn status(name: &str) -> Result<FileStatus, DbError> {
    FileStatus::parse(name).ok_or_else(|| unreadable("processing_status", name))
}

fn frame_rate(num: Option<i32>, den: Option<i32>) -> Option<Rational> {
    Rational::new(u32::try_from(num?).ok()?, u32::try_from(den?).ok()?)
}

impl TryFrom<FileRow> for File {
    type Error = DbError;

    fn try_from(row: FileRow) -> Result<Self, DbError> {
        Ok(Self {
            id: FileId(row.id),
            project: ProjectId(row.project_id),
            owner: UserId(row.user_id),
            name: row.filename,
            original_name: row.original_name,
            kind: kind(&row.file_type)?,
            mime_type: row.mime_type,
            size: bytes(row.file_size),
            sha256: digest(row.sha256),
            status: status(&row.processing_status)?,
            error: row.processing_error,
            progress: u8::try_from(row.processing_progress).unwrap_or_default(),
            thumbnail: ThumbnailStatus::parse(&row.thumbnail_status)
                .ok_or_else(|| unreadable("thumbnail_status", &row.thumbnail_status))?,
            duration_us: row.duration_us,
            width: row.width,
            height: row.height,
            frame_rate: frame_rate(row.fps_num, row.fps_den),
            codec: row.codec,
            bit_rate: row.bit_rate,
            media: row.media,
            credits_cost: Credits(row.credits_cost),
            upload_expires_at: row.upload_expires_at,
            confirmed_at: row.confirmed_at,
            trashed_at: row.trashed_at,
            metadata: row.metadata,
            tags: row.tags,
            is_favorite: row.is_favorite,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The place of a file in its project's list.
pub(crate) fn cursor(file: &File) -> Cursor {
    Cursor {
        created_at: file.created_at,
        id: file.id.0,
    }
}

/// A file that is not a tombstone.
pub(crate) async fn find(tx: &mut Tx, id: FileId) -> Result<Option<File>, DbError> {
    files::table
        .filter(files::id.eq(id.0))
        .filter(files::processing_status.ne(FileStatus::Purged.as_str()))
        .select(FileRow::as_select())
        .first(tx)
        .await
        .optional()?
        .map(File::try_from)
        .transpose()
}

/// As many as `page` wants and one more, newest first: a walk along one index.
pub(crate) async fn list(
    tx: &mut Tx,
    project: ProjectId,
    page: PageRequest,
    filter: &FileFilter,
) -> Result<Vec<File>, DbError> {
    let newest = files::table
        .filter(files::project_id.eq(project.0))
        .filter(files::processing_status.ne(FileStatus::Purged.as_str()))
        .order((files::created_at.desc(), files::id.desc()))
        .limit(page.limit.saturating_add(1))
        .select(FileRow::as_select());
    let (trashed, expired) = (FileStatus::Trashed.as_str(), FileStatus::Expired.as_str());
    // What almost every call asks for has one SQL text: Diesel need not write it anew each time.
    if page.after.is_none() && *filter == FileFilter::default() {
        let shown = newest
            .filter(files::processing_status.ne(trashed))
            .filter(files::processing_status.ne(expired));
        return read(shown.load(tx).await?);
    }
    let mut query = newest.into_boxed();
    query = match filter.status {
        Some(status) => query.filter(files::processing_status.eq(status.as_str())),
        None => query
            .filter(files::processing_status.ne(trashed))
            .filter(files::processing_status.ne(expired)),
    };
    if let Some(kind) = filter.kind {
        query = query.filter(files::file_type.eq(kind.as_str()));
    }
    if let Some(is_favorite) = filter.is_favorite {
        query = query.filter(files::is_favorite.eq(is_favorite));
    }
    if let Some(tag) = &filter.tag {
        query = query.filter(files::tags.contains(vec![tag]));
    }
    if let Some(after) = page.after {
        // The first condition alone lets the index start at the cursor.
        query = query.filter(files::created_at.le(after.created_at)).filter(
            files::created_at
                .lt(after.created_at)
                .or(files::id.lt(after.id)),
        );
    }
    read(query.load(tx).await?)
}

fn read(rows: Vec<FileRow>) -> Result<Vec<File>, DbError> {
    rows.into_iter().map(File::try_from).collect()
}

/// Locks a file of the person that `tx` acts for, to change what people may change.
pub(crate) async fn lock(tx: &mut Tx, id: FileId) -> Result<Option<File>, DbError> {
    files::table
        .filter(files::id.eq(id.0))
        .filter(files::processing_status.ne(FileStatus::Purged.as_str()))
        .select(FileRow::as_select())
        .for_no_key_update()
        .first(tx)
        .await
        .optional()?
        .map(File::try_from)
        .transpose()
}

/// What people may change; an absent column stays.
#[derive(AsChangeset, Default, PartialEq)]
#[diesel(table_name = files)]
pub(crate) struct LabelChanges {
    pub filename: Option<String>,
    pub tags: Option<Vec<String>>,
    pub is_favorite: Option<bool>,
}

pub(crate) async fn relabel(tx: &mut Tx, id: FileId, to: LabelChanges) -> Result<File, DbError> {
    diesel::update(files::table.find(id.0))
        .set(to)
        .returning(FileRow::as_returning())
        .get_result(tx)
        .await?
        .try_into()
}

/// Into the trash.
pub(crate) async fn trash(tx: &mut Tx, id: FileId, now: DateTime<Utc>) -> Result<File, DbError> {
    diesel::update(files::table.find(id.0))
        .set((
            files::processing_status.eq(FileStatus::Trashed.as_str()),
            files::trashed_at.eq(now),
        ))
        .returning(FileRow::as_returning())
        .get_result(tx)
        .await?
        .try_into()
}

/// Out of the trash, to the state it had.
pub(crate) async fn restore(tx: &mut Tx, id: FileId, to: FileStatus) -> Result<File, DbError> {
    diesel::update(files::table.find(id.0))
        .set((
            files::processing_status.eq(to.as_str()),
            files::trashed_at.eq(None::<DateTime<Utc>>),
        ))
        .returning(FileRow::as_returning())
        .get_result(tx)
        .await?
        .try_into()
}
