//! What storage keeps about people: files, their objects, and the room that they take.

use crate::discard::ProjectFiles;
use crate::jobs::PurgeProject;
use crate::repository::{projects, sweeps};
use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::personal::{Fate, PersonalTable};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{AccountLifecycle, Erasure, Leaver, ProjectContents};

const FILES: PersonalTable = PersonalTable {
    section: "files",
    table: "public.project_files",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "project_id",
        "user_id",
        "filename",
        "original_name",
        "file_type",
        "mime_type",
        "file_size",
        "encode(sha256, 'hex') as sha256",
        "encode(declared_sha256, 'hex') as declared_sha256",
        "'/api/v1/files/' || id || '/download-url' as download",
        "thumbnail_status",
        "duration_us",
        "width",
        "height",
        "fps_num",
        "fps_den",
        "codec",
        "bit_rate",
        "media",
        "received_bytes",
        "processing_status",
        "processing_error",
        "processing_progress",
        "credits_cost",
        "upload_expires_at",
        "confirmed_at",
        "trashed_at",
        "metadata",
        "tags",
        "is_favorite",
        "created_at",
        "updated_at",
    ],
    withheld: &[
        ("storage_path", "where we keep it"),
        ("thumbnail_path", "where we keep it"),
        ("upload_lease_until", "bookkeeping of our own"),
        ("upload_lease_token", "a secret"),
        ("version", "bookkeeping of our own"),
    ],
    fate: Fate::Deleted,
};

const RESERVATIONS: PersonalTable = PersonalTable {
    section: "storage_reservations",
    table: "public.storage_reservations",
    owner: "user_id",
    key: &[("file_id", "uuid")],
    exported: &["file_id", "user_id", "bytes", "created_at"],
    withheld: &[],
    fate: Fate::Deleted,
};

const QUOTA: PersonalTable = PersonalTable {
    section: "storage_quota",
    table: "public.storage_quotas",
    owner: "user_id",
    key: &[("user_id", "uuid")],
    exported: &[
        "user_id",
        "used_bytes",
        "reserved_bytes",
        "pending_delete_bytes",
        "limit_bytes",
        "created_at",
        "updated_at",
    ],
    withheld: &[("version", "bookkeeping of our own")],
    fate: Fate::Deleted,
};

#[async_trait]
impl AccountLifecycle for ProjectFiles {
    fn domain(&self) -> &'static str {
        "storage"
    }

    fn tables(&self) -> &'static [PersonalTable] {
        &[FILES, RESERVATIONS, QUOTA]
    }

    /// Project by project: tombstones first, objects and rows by the jobs that always do it. Whoever
    /// is still uploading meets a tombstone and gives up.
    async fn erase(&self, tx: &mut Tx, ctx: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError> {
        if let Some(project) = sweeps::project_with_files(tx, leaver.id).await? {
            projects::lock_counters(tx, project).await?;
            self.discard(tx, ctx, project).await?;
            return Ok(Erasure::More);
        }
        let purging = sweeps::projects_of_tombstones(tx, leaver.id).await?;
        for project in &purging {
            // Unless it is queued already: it may have been given up.
            PurgeProject::enqueue(tx, self.clock(), leaver.id, *project).await?;
        }
        if !purging.is_empty() {
            return Ok(Erasure::Waiting);
        }
        QUOTA.delete(tx, leaver.id, 1).await?;
        Ok(Erasure::Done)
    }
}
