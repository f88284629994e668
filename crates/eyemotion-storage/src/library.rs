//! What people do with the files they have.

use crate::error::StorageError;
use crate::jobs::ProcessFile;
use crate::model::{File, FileStatus};
use crate::name;
use crate::parts::{StorageParts, caller, reader};
use crate::purge;
use crate::repository::files::{self, LabelChanges};
use crate::repository::{projects, stored};
use crate::service::{Deletion, FileChanges, FileFilter};
use eyemotion_core::{Ctx, FileId, Page, PageRequest, ProjectId};
use eyemotion_ports::Activity;
use serde_json::json;

pub(crate) async fn get(parts: &StorageParts, ctx: &Ctx, id: FileId) -> Result<File, StorageError> {
    reader(ctx)?;
    let mut tx = parts.db.read(ctx).await?;
    files::find(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)
}

pub(crate) async fn list(
    parts: &StorageParts,
    ctx: &Ctx,
    project: ProjectId,
    page: PageRequest,
    filter: &FileFilter,
) -> Result<Page<File>, StorageError> {
    reader(ctx)?;
    let mut tx = parts.db.read(ctx).await?;
    let rows = files::list(&mut tx, project, page, filter).await?;
    drop(tx);
    if rows.is_empty() {
        // Only now is there a doubt whether the project is the caller's at all.
        let mut tx = parts.db.begin_for(ctx).await?;
        if !parts.projects.hold(&mut tx, ctx, project).await? {
            return Err(StorageError::ProjectNotFound);
        }
    }
    Ok(Page::from_rows(rows, page.limit, files::cursor))
}

pub(crate) async fn update(
    parts: &StorageParts,
    ctx: &Ctx,
    id: FileId,
    changes: FileChanges,
    if_match: Option<i64>,
) -> Result<File, StorageError> {
    caller(ctx)?;
    let labels = check(changes)?;
    let mut tx = parts.db.begin_for(ctx).await?;
    let file = files::lock(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    check_version(&file, if_match)?;
    if let Some(name) = &labels.filename {
        name::media_type(&file.mime_type, name)
            .map_err(|error| StorageError::invalid("/filename", error.to_string()))?;
    }
    if labels == LabelChanges::default() {
        return Ok(file);
    }
    let file = files::relabel(&mut tx, id, labels).await?;
    let activity = Activity::new("file.updated", "file", id).with(json!({
        "name": file.name, "tags": file.tags, "isFavorite": file.is_favorite,
    }));
    parts.activity.record(&mut tx, ctx, activity).await?;
    tx.commit().await?;
    Ok(file)
}

fn check(changes: FileChanges) -> Result<LabelChanges, StorageError> {
    if let Some(name) = &changes.name {
        name::check(name, "/filename")?;
    }
    let tags = changes.tags.as_deref().map(check_tags).transpose()?;
    Ok(LabelChanges {
        filename: changes.name,
        tags,
        is_favorite: changes.is_favorite,
    })
}

/// At most 64 of at most 64 characters, so that they fit the column's 8 KiB in most scripts.
fn check_tags(tags: &[String]) -> Result<Vec<String>, StorageError> {
    let mut kept: Vec<String> = Vec::with_capacity(tags.len());
    for (index, tag) in tags.iter().enumerate() {
        let tag = tag.trim();
        if !(1..=64).contains(&tag.chars().count()) || tag.chars().any(char::is_control) {
            let text = "must have 1 to 64 characters, none of them a control character";
            return Err(StorageError::invalid(&format!("/tags/{index}"), text));
        }
        if !kept.iter().any(|known| known == tag) {
            kept.push(tag.to_owned());
        }
    }
    let bytes: usize = kept.iter().map(|tag| tag.len() + 1).sum();
    if kept.len() > 64 || bytes > 8192 {
        return Err(StorageError::invalid(
            "/tags",
            "must be at most 64 tags, 8 KiB together",
        ));
    }
    Ok(kept)
}

fn check_version(file: &File, if_match: Option<i64>) -> Result<(), StorageError> {
    match if_match {
        Some(seen) if seen != file.version => Err(StorageError::VersionMismatch),
        _ => Ok(()),
    }
}

pub(crate) async fn delete(
    parts: &StorageParts,
    ctx: &Ctx,
    id: FileId,
    if_match: Option<i64>,
) -> Result<Deletion, StorageError> {
    caller(ctx)?;
    let mut tx = parts.db.begin_for(ctx).await?;
    let seen = files::find(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    projects::lock_counters(&mut tx, seen.project).await?;
    let file = files::lock(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    check_version(&file, if_match)?;
    let (action, deletion) = match file.status {
        FileStatus::Verified | FileStatus::Ready | FileStatus::Failed => {
            let file = files::trash(&mut tx, id, parts.clock.now()).await?;
            ("file.trashed", Deletion::Trashed(Box::new(file)))
        }
        FileStatus::Verifying | FileStatus::Processing => {
            return Err(StorageError::NotReady(file.status));
        }
        FileStatus::Pending
        | FileStatus::Uploading
        | FileStatus::Uploaded
        | FileStatus::Rejected
        | FileStatus::Quarantined
        | FileStatus::Expired
        | FileStatus::Trashed
        | FileStatus::Purged => {
            let row = stored::lock(&mut tx, id)
                .await?
                .ok_or(StorageError::FileNotFound)?;
            purge::entomb(parts, &mut tx, ctx, &row).await?;
            ("file.purged", Deletion::Purged)
        }
    };
    parts
        .activity
        .record(&mut tx, ctx, Activity::new(action, "file", id))
        .await?;
    tx.commit().await?;
    Ok(deletion)
}

pub(crate) async fn restore(
    parts: &StorageParts,
    ctx: &Ctx,
    id: FileId,
) -> Result<File, StorageError> {
    caller(ctx)?;
    let mut tx = parts.db.begin_for(ctx).await?;
    let seen = files::find(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    projects::lock_counters(&mut tx, seen.project).await?;
    let file = files::lock(&mut tx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    if file.status != FileStatus::Trashed {
        return Err(StorageError::NotReady(file.status));
    }
    // The state it had can be told from what processing has left.
    let to = match (file.progress, &file.error) {
        (_, Some(_)) => FileStatus::Failed,
        (100, None) => FileStatus::Ready,
        (_, None) => FileStatus::Verified,
    };
    let file = files::restore(&mut tx, id, to).await?;
    if to == FileStatus::Verified {
        ProcessFile::enqueue(&mut tx, &*parts.clock, id).await?;
    }
    parts
        .activity
        .record(&mut tx, ctx, Activity::new("file.restored", "file", id))
        .await?;
    tx.commit().await?;
    Ok(file)
}
