//! What maintenance looks for.

use crate::model::FileStatus;
use crate::schema::{project_files, stored_files as files};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::{FileId, ProjectId, UserId};
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// Uploads whose time is over and that nobody is writing, and those whose writer is gone.
pub(crate) async fn abandoned_uploads(
    tx: &mut Tx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<FileId>, DbError> {
    let uploading = FileStatus::Uploading.as_str();
    let waiting = [FileStatus::Pending.as_str(), FileStatus::Uploaded.as_str()];
    let overdue = files::upload_expires_at
        .le(now)
        .and(files::processing_status.eq_any(waiting));
    let lapsed = files::processing_status
        .eq(uploading)
        .and(files::upload_lease_until.le(now));
    Ok(ids(files::table
        .filter(overdue.or(lapsed).assume_not_null())
        .order(files::id)
        .limit(limit)
        .select(files::id)
        .load(tx)
        .await?))
}

/// What has been in the trash since before `moment`.
pub(crate) async fn old_trash(
    tx: &mut Tx,
    moment: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<FileId>, DbError> {
    Ok(ids(files::table
        .filter(files::processing_status.eq(FileStatus::Trashed.as_str()))
        .filter(files::trashed_at.le(moment))
        .order(files::trashed_at)
        .limit(limit)
        .select(files::id)
        .load(tx)
        .await?))
}

/// Uploads that expired before `moment`: listed long enough.
pub(crate) async fn old_expired(
    tx: &mut Tx,
    moment: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<FileId>, DbError> {
    Ok(ids(files::table
        .filter(files::processing_status.eq(FileStatus::Expired.as_str()))
        .filter(files::upload_expires_at.le(moment))
        .order(files::upload_expires_at)
        .limit(limit)
        .select(files::id)
        .load(tx)
        .await?))
}

/// Tombstones of a project.
pub(crate) async fn tombstones_of(
    tx: &mut Tx,
    project: ProjectId,
    limit: i64,
) -> Result<Vec<(FileId, UserId)>, DbError> {
    Ok(owned(
        files::table
            .filter(files::project_id.eq(project.0))
            .filter(files::processing_status.eq(FileStatus::Purged.as_str()))
            .order(files::id)
            .limit(limit)
            .select((files::id, files::user_id))
            .load(tx)
            .await?,
    ))
}

/// A project in which the person has files that are no tombstones yet.
pub(crate) async fn project_with_files(
    tx: &mut Tx,
    owner: UserId,
) -> Result<Option<ProjectId>, DbError> {
    let project = files::table
        .filter(files::user_id.eq(owner.0))
        .filter(files::processing_status.ne(FileStatus::Purged.as_str()))
        .select(files::project_id)
        .first(tx)
        .await
        .optional()?;
    Ok(project.map(ProjectId))
}

/// The projects in which the person has tombstones.
pub(crate) async fn projects_of_tombstones(
    tx: &mut Tx,
    owner: UserId,
) -> Result<Vec<ProjectId>, DbError> {
    let projects: Vec<Uuid> = files::table
        .filter(files::user_id.eq(owner.0))
        .filter(files::processing_status.eq(FileStatus::Purged.as_str()))
        .select(files::project_id)
        .distinct()
        .load(tx)
        .await?;
    Ok(projects.into_iter().map(ProjectId).collect())
}

/// Tombstones that have stood since before `moment`.
pub(crate) async fn old_tombstones(
    tx: &mut Tx,
    moment: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(FileId, UserId)>, DbError> {
    Ok(owned(
        project_files::table
            .filter(project_files::processing_status.eq(FileStatus::Purged.as_str()))
            .filter(project_files::updated_at.le(moment))
            .order(project_files::id)
            .limit(limit)
            .select((project_files::id, project_files::user_id))
            .load(tx)
            .await?,
    ))
}

/// Files that processing left in the middle before `moment`.
pub(crate) async fn stalled(
    tx: &mut Tx,
    moment: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(FileId, UserId)>, DbError> {
    let middle = [
        FileStatus::Verifying,
        FileStatus::Verified,
        FileStatus::Processing,
    ];
    let rows = project_files::table
        .filter(project_files::processing_status.eq_any(middle.map(FileStatus::as_str)))
        .filter(project_files::updated_at.le(moment))
        .order(project_files::updated_at)
        .limit(limit)
        .select((project_files::id, project_files::user_id))
        .load(tx)
        .await?;
    Ok(owned(rows))
}

/// Of these files, the object that each row counts on.
pub(crate) async fn keys_of(
    tx: &mut Tx,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Option<String>, Option<Uuid>)>, DbError> {
    Ok(files::table
        .filter(files::id.eq_any(ids))
        .select((files::id, files::storage_path, files::upload_lease_token))
        .load(tx)
        .await?)
}

/// Files after `after` that count on an object, by id.
pub(crate) async fn with_objects(
    tx: &mut Tx,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, Option<String>)>, DbError> {
    let doomed = [FileStatus::Purged.as_str(), FileStatus::Rejected.as_str()];
    Ok(files::table
        .filter(files::id.gt(after))
        .filter(files::storage_path.is_not_null())
        .filter(files::processing_status.ne_all(doomed))
        .order(files::id)
        .limit(limit)
        .select((files::id, files::storage_path))
        .load(tx)
        .await?)
}

fn ids(rows: Vec<Uuid>) -> Vec<FileId> {
    rows.into_iter().map(FileId).collect()
}

fn owned(rows: Vec<(Uuid, Uuid)>) -> Vec<(FileId, UserId)> {
    rows.into_iter()
        .map(|(file, owner)| (FileId(file), UserId(owner)))
        .collect()
}
