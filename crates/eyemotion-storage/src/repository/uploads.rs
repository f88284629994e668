//! The way of a file's bytes, from pending to uploaded: every step is guarded by the lease.

use crate::model::FileStatus;
use crate::repository::{changed, stored_bytes};
use crate::schema::stored_files as files;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use eyemotion_core::FileId;
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

const PENDING: &str = FileStatus::Pending.as_str();
const UPLOADING: &str = FileStatus::Uploading.as_str();

/// Takes the right to write a file's bytes, if nobody else has it.
pub(crate) async fn claim(
    tx: &mut Tx,
    id: FileId,
    token: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, DbError> {
    let lapsed = files::processing_status.eq(UPLOADING).and(
        files::upload_lease_until
            .le(now)
            .or(files::upload_lease_until.is_null()),
    );
    changed(
        diesel::update(files::table.find(id.0))
            .filter(
                files::processing_status
                    .eq(PENDING)
                    .or(lapsed.assume_not_null()),
            )
            .set((
                files::processing_status.eq(UPLOADING),
                files::upload_lease_token.eq(token),
                files::upload_lease_until.eq(until),
                files::received_bytes.eq(0),
            ))
            .execute(tx)
            .await,
    )
}

/// Keeps others out for longer. False: somebody else has taken over, or the file is gone.
pub(crate) async fn renew(
    tx: &mut Tx,
    id: FileId,
    token: Uuid,
    until: DateTime<Utc>,
    received: u64,
) -> Result<bool, DbError> {
    changed(
        diesel::update(files::table.find(id.0))
            .filter(files::processing_status.eq(UPLOADING))
            .filter(files::upload_lease_token.eq(token))
            .set((
                files::upload_lease_until.eq(until),
                files::received_bytes.eq(stored_bytes(received)),
            ))
            .execute(tx)
            .await,
    )
}

/// Gives up an upload, so that the client may try again.
pub(crate) async fn abandon(tx: &mut Tx, id: FileId, token: Uuid) -> Result<bool, DbError> {
    changed(
        diesel::update(files::table.find(id.0))
            .filter(files::processing_status.eq(UPLOADING))
            .filter(files::upload_lease_token.eq(token))
            .set((
                files::processing_status.eq(PENDING),
                files::upload_lease_until.eq(None::<DateTime<Utc>>),
                files::received_bytes.eq(0),
            ))
            .execute(tx)
            .await,
    )
}

/// What is known once every byte is under its key.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub key: String,
    pub size: u64,
    pub sha256: &'a [u8; 32],
    /// Until when it may be confirmed.
    pub confirm_until: DateTime<Utc>,
}

/// All bytes are here. False: this upload lost its lease, or somebody has noted it already.
pub(crate) async fn complete(
    tx: &mut Tx,
    id: FileId,
    token: Uuid,
    arrival: &Arrival<'_>,
) -> Result<bool, DbError> {
    changed(
        diesel::update(files::table.find(id.0))
            .filter(files::processing_status.eq_any([PENDING, UPLOADING]))
            .filter(files::upload_lease_token.eq(token))
            .set((
                files::processing_status.eq(FileStatus::Uploaded.as_str()),
                files::storage_path.eq(&arrival.key),
                files::received_bytes.eq(stored_bytes(arrival.size)),
                files::sha256.eq(arrival.sha256.as_slice()),
                files::upload_expires_at.eq(arrival.confirm_until),
                files::upload_lease_until.eq(None::<DateTime<Utc>>),
            ))
            .execute(tx)
            .await,
    )
}

/// The file is the person's: it has been paid for and counts. The caller has locked it.
pub(crate) async fn confirm(tx: &mut Tx, id: FileId, now: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(files::table.find(id.0))
        .set((
            files::processing_status.eq(FileStatus::Verifying.as_str()),
            files::confirmed_at.eq(now),
            files::upload_expires_at.eq(None::<DateTime<Utc>>),
            files::upload_lease_token.eq(None::<Uuid>),
        ))
        .execute(tx)
        .await?;
    Ok(())
}
