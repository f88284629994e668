//! Leave to upload: everything that can be refused is refused before a byte is sent.

use crate::blob::{FilePrefix, PutConditions};
use crate::error::StorageError;
use crate::holds;
use crate::name;
use crate::parts::{StorageParts, caller};
use crate::repository::stored::NewFileRow;
use crate::repository::{quotas, stored, stored_bytes};
use crate::service::{NewUpload, UploadGrant};
use crate::signature::Permission;
use chrono::{DateTime, SubsecRound, Utc};
use eyemotion_core::{Credits, Ctx, FileId, UserId};
use eyemotion_db::{Tx, idempotency};
use eyemotion_media::MediaType;
use eyemotion_ports::Activity;
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

const OPERATION: &str = "files.upload_url";

/// An upload that has passed every check that needs no database.
struct Draft<'a> {
    upload: &'a NewUpload,
    media_type: &'static MediaType,
    owner: UserId,
    file: FileId,
    /// The version that the bytes will be, where the store takes them itself.
    version: Uuid,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

pub(crate) async fn upload_url(
    parts: &StorageParts,
    ctx: &Ctx,
    upload: &NewUpload,
) -> Result<UploadGrant, StorageError> {
    let draft = check(parts, caller(ctx)?, upload)?;
    let (url, headers) = sign(parts, &draft).await?;
    let mut tx = parts.db.begin_for(ctx).await?;
    if let Some(grant) = idempotency::replay(&mut tx, ctx, OPERATION).await? {
        return Ok(grant);
    }
    if !parts.projects.hold(&mut tx, ctx, upload.project).await? {
        return Err(StorageError::ProjectNotFound);
    }
    let quote = holds::quote_upload(parts, &mut tx, upload.file_size).await?;
    let until = holds::upload_until(parts, draft.expires_at + parts.config.confirm_ttl);
    let whose = (draft.owner, draft.file);
    holds::place_upload(parts, &mut tx, ctx, whose, quote, until).await?;
    reserve(&mut tx, &draft, quote.credits).await?;
    let grant = UploadGrant {
        file: draft.file,
        url,
        method: "PUT".to_owned(),
        headers,
        credits_needed: quote.credits,
        expires_at: draft.expires_at,
    };
    let activity = Activity::new("file.upload_requested", "file", draft.file).with(json!({
        "project": upload.project, "name": upload.file_name, "size": upload.file_size,
    }));
    parts.activity.record(&mut tx, ctx, activity).await?;
    idempotency::remember(&mut tx, ctx, OPERATION, &grant).await?;
    fail::fail_point!("storage.grant.before_commit");
    tx.commit().await?;
    fail::fail_point!("storage.grant.after_commit");
    Ok(grant)
}

fn check<'a>(
    parts: &StorageParts,
    owner: UserId,
    upload: &'a NewUpload,
) -> Result<Draft<'a>, StorageError> {
    name::check(&upload.file_name, "/fileName")?;
    let media_type = name::media_type(&upload.file_type, &upload.file_name)?;
    if upload.file_size == 0 {
        return Err(StorageError::invalid(
            "/fileSize",
            "must be at least 1 byte",
        ));
    }
    let max = parts.config.max_file_bytes;
    if upload.file_size > max {
        return Err(StorageError::FileTooLarge {
            size: upload.file_size,
            max,
        });
    }
    let now = parts.clock.now();
    Ok(Draft {
        upload,
        media_type,
        owner,
        file: FileId(parts.clock.new_id()),
        version: parts.clock.new_id(),
        now,
        // Whole seconds: that is what the URL says.
        expires_at: now.trunc_subsecs(0) + parts.config.upload_ttl_for(upload.file_size),
    })
}

/// The URL, the store's own if it takes uploads itself, else ours; and the headers to send.
async fn sign(
    parts: &StorageParts,
    draft: &Draft<'_>,
) -> Result<(String, BTreeMap<String, String>), StorageError> {
    let prefix = FilePrefix {
        owner: draft.owner,
        file: draft.file,
    };
    let conditions = PutConditions {
        size: draft.upload.file_size,
        content_type: draft.media_type.mime.to_owned(),
        sha256: draft.upload.sha256,
        expires_in: draft.expires_at - draft.now,
    };
    let presigned = parts
        .blobs
        .presign_put(&prefix.original(draft.version), &conditions)
        .await?;
    if let Some(request) = presigned {
        return Ok((request.url, request.headers));
    }
    let permission = Permission::Upload {
        file: draft.file,
        size: draft.upload.file_size,
        mime_type: draft.media_type.mime,
    };
    let content_type = ("content-type".to_owned(), conditions.content_type);
    let url = parts.signer.url(&permission, draft.expires_at);
    Ok((url, BTreeMap::from([content_type])))
}

async fn reserve(tx: &mut Tx, draft: &Draft<'_>, cost: Credits) -> Result<(), StorageError> {
    let size = draft.upload.file_size;
    if !quotas::reserve(tx, draft.owner, size).await? {
        let occupancy = quotas::occupancy(tx, draft.owner).await?;
        return Err(StorageError::QuotaExceeded {
            needed: size,
            available: occupancy.limit.saturating_sub(occupancy.taken),
            limit: occupancy.limit,
        });
    }
    let row = NewFileRow {
        id: draft.file.0,
        project_id: draft.upload.project.0,
        user_id: draft.owner.0,
        filename: &draft.upload.file_name,
        original_name: &draft.upload.file_name,
        file_type: draft.media_type.kind.as_str(),
        mime_type: draft.media_type.mime,
        file_size: stored_bytes(size),
        declared_sha256: draft.upload.sha256.as_ref().map(<[u8; 32]>::as_slice),
        credits_cost: cost.0,
        upload_expires_at: draft.expires_at,
        upload_lease_token: draft.version,
        created_at: draft.now,
    };
    stored::insert(tx, &row).await?;
    quotas::note_reservation(tx, draft.owner, draft.file, size).await?;
    Ok(())
}
