//! How processing goes, for those who watch.

use crate::error::StorageError;
use crate::model::Progress;
use crate::parts::{StorageParts, reader};
use crate::repository::files;
use eyemotion_core::{Ctx, FileId};
use eyemotion_db::{DbError, Notification};
use futures_util::stream::{BoxStream, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// The row is read again after this time even if nothing was heard.
const REFRESH: Duration = Duration::from_secs(15);

pub(crate) async fn events(
    parts: &Arc<StorageParts>,
    ctx: &Ctx,
    id: FileId,
) -> Result<BoxStream<'static, Progress>, StorageError> {
    reader(ctx)?;
    // Before the first look, so that no change falls between the two.
    let mut heard = parts.notifications.subscribe();
    let first = look(parts, ctx, id)
        .await?
        .ok_or(StorageError::FileNotFound)?;
    let (parts, ctx) = (Arc::clone(parts), ctx.clone());
    Ok(async_stream::stream! {
        let mut last = first.clone();
        yield first;
        while !last.status.is_final() && hear(&mut heard, id).await {
            match look(&parts, &ctx, id).await {
                Ok(Some(now)) if now != last => {
                    last = now.clone();
                    yield now;
                }
                Ok(Some(_)) => {}
                // Purged meanwhile: there is nothing more to say.
                Ok(None) => break,
                Err(error) => tracing::warn!(%error, file = %id, "cannot read a watched file"),
            }
        }
    }
    .boxed())
}

async fn look(parts: &StorageParts, ctx: &Ctx, id: FileId) -> Result<Option<Progress>, DbError> {
    let mut tx = parts.db.read(ctx).await?;
    let file = files::find(&mut tx, id).await?;
    Ok(file.map(|file| Progress {
        file: file.id,
        status: file.status,
        progress: file.progress,
        error: file.error,
    }))
}

/// Waits until the file may have changed. False: nothing will be heard any more.
async fn hear(heard: &mut Receiver<Notification>, id: FileId) -> bool {
    let id = id.to_string();
    let relevant = async {
        loop {
            match heard.recv().await {
                Ok(Notification::Message { channel, payload }) => {
                    if channel == "files" && payload.contains(&id) {
                        return true;
                    }
                }
                // Whatever was missed shows in the row.
                Ok(Notification::Reconnected) | Err(RecvError::Lagged(_)) => return true,
                Err(RecvError::Closed) => return false,
            }
        }
    };
    tokio::time::timeout(REFRESH, relevant)
        .await
        .unwrap_or(true)
}
