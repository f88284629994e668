//! Objects that arrived without anybody noting it: the process died between the rename and the
//! commit, or the client sent them straight to the store.

use crate::blob::{BlobError, BlobReader};
use crate::error::StorageError;
use crate::holds;
use crate::parts::StorageParts;
use crate::repository::stored::Stored;
use crate::repository::uploads::{self, Arrival};
use aws_lc_rs::digest::{Context, SHA256};
use eyemotion_core::Ctx;
use futures_util::TryStreamExt;

/// If the bytes of an upload that nobody is writing lie in the store, whole, notes that they do.
/// `ctx` is the system's. Returns whether the file is uploaded now.
pub(crate) async fn adopt(
    parts: &StorageParts,
    ctx: &Ctx,
    file: &Stored,
) -> Result<bool, StorageError> {
    let Some(token) = file.lease_token else {
        return Ok(false);
    };
    if file.is_leased(parts.clock.now()) {
        return Ok(false);
    }
    let key = file.prefix().original(token);
    let Some(found) = parts.blobs.head(&key).await? else {
        return Ok(false);
    };
    let Some(reader) = parts.blobs.open(&key).await? else {
        return Ok(false);
    };
    let sha256 = match found.sha256 {
        Some(sha256) => sha256,
        None => hash(reader).await?,
    };
    if found.size != file.size
        || file
            .declared_sha256
            .is_some_and(|declared| declared != sha256)
    {
        parts.blobs.delete_version(key.prefix(), token).await?;
        return Ok(false);
    }
    let arrival = Arrival {
        key: key.to_string(),
        size: found.size,
        sha256: &sha256,
        confirm_until: parts.clock.now() + parts.config.confirm_ttl,
    };
    let mut tx = parts.db.begin(ctx).await?;
    let noted = uploads::complete(&mut tx, file.id, token, &arrival).await?;
    if noted {
        let later = holds::upload_until(parts, arrival.confirm_until);
        holds::extend_upload(parts, &mut tx, file, later).await?;
    }
    tx.commit().await?;
    if noted {
        tracing::info!(file = %file.id, "an upload was found whole in the store");
    }
    Ok(noted)
}

async fn hash(reader: Box<dyn BlobReader>) -> Result<[u8; 32], BlobError> {
    let size = reader.size();
    let digest = reader
        .read(0..size)
        .try_fold(Context::new(&SHA256), |mut digest, chunk| async move {
            digest.update(&chunk);
            Ok(digest)
        })
        .await?;
    let mut sha256 = [0; 32];
    for (byte, hashed) in sha256.iter_mut().zip(digest.finish().as_ref()) {
        *byte = *hashed;
    }
    Ok(sha256)
}
