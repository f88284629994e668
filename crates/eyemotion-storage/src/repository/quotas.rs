//! `storage_quotas` and `storage_reservations`.

use crate::repository::{bytes, changed, stored_bytes};
use crate::schema::{storage_quotas as quotas, storage_reservations as reservations};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use eyemotion_core::{FileId, UserId};
use eyemotion_db::{DbError, Tx};
use uuid::Uuid;

/// What is taken of a person's room, bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Occupancy {
    pub taken: u64,
    pub limit: u64,
}

pub(crate) async fn set_limit(tx: &mut Tx, user: UserId, limit: i64) -> Result<(), DbError> {
    diesel::insert_into(quotas::table)
        .values((quotas::user_id.eq(user.0), quotas::limit_bytes.eq(limit)))
        .on_conflict(quotas::user_id)
        .do_update()
        .set(quotas::limit_bytes.eq(excluded(quotas::limit_bytes)))
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes room for a file in one statement, which is why no race can overshoot. False: too little.
pub(crate) async fn reserve(tx: &mut Tx, user: UserId, size: u64) -> Result<bool, DbError> {
    let size = stored_bytes(size);
    let taken = quotas::used_bytes + quotas::reserved_bytes + quotas::pending_delete_bytes;
    changed(
        diesel::update(quotas::table.find(user.0))
            .filter((taken + size).le(quotas::limit_bytes))
            .set(quotas::reserved_bytes.eq(quotas::reserved_bytes + size))
            .execute(tx)
            .await,
    )
}

pub(crate) async fn occupancy(tx: &mut Tx, user: UserId) -> Result<Occupancy, DbError> {
    let taken = quotas::used_bytes + quotas::reserved_bytes + quotas::pending_delete_bytes;
    let row = quotas::table
        .find(user.0)
        .select((taken, quotas::limit_bytes))
        .first::<(i64, i64)>(tx)
        .await
        .optional()?;
    Ok(
        row.map_or_else(Occupancy::default, |(taken, limit)| Occupancy {
            taken: bytes(taken),
            limit: bytes(limit),
        }),
    )
}

/// Notes whom reserved bytes are for, after [`reserve`].
pub(crate) async fn note_reservation(
    tx: &mut Tx,
    user: UserId,
    file: FileId,
    size: u64,
) -> Result<(), DbError> {
    diesel::insert_into(reservations::table)
        .values((
            reservations::file_id.eq(file.0),
            reservations::user_id.eq(user.0),
            reservations::bytes.eq(stored_bytes(size)),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

async fn take_reservation(tx: &mut Tx, file: FileId) -> Result<Option<(Uuid, i64)>, DbError> {
    Ok(diesel::delete(reservations::table.find(file.0))
        .returning((reservations::user_id, reservations::bytes))
        .get_result(tx)
        .await
        .optional()?)
}

/// Turns a file's reservation into `used` bytes. False: there was none.
pub(crate) async fn settle(tx: &mut Tx, file: FileId, used: u64) -> Result<bool, DbError> {
    let Some((owner, bytes)) = take_reservation(tx, file).await? else {
        return Ok(false);
    };
    changed(
        diesel::update(quotas::table.find(owner))
            .set((
                quotas::reserved_bytes.eq(quotas::reserved_bytes - bytes),
                quotas::used_bytes.eq(quotas::used_bytes + stored_bytes(used)),
            ))
            .execute(tx)
            .await,
    )
}

/// Gives a file's reservation back, if it has one.
pub(crate) async fn release(tx: &mut Tx, file: FileId) -> Result<(), DbError> {
    if let Some((owner, bytes)) = take_reservation(tx, file).await? {
        diesel::update(quotas::table.find(owner))
            .set(quotas::reserved_bytes.eq(quotas::reserved_bytes - bytes))
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Used bytes whose objects are going to be deleted: they count until they are gone.
pub(crate) async fn doom(tx: &mut Tx, user: UserId, size: u64) -> Result<(), DbError> {
    let size = stored_bytes(size);
    diesel::update(quotas::table.find(user.0))
        .set((
            quotas::used_bytes.eq(quotas::used_bytes - size),
            quotas::pending_delete_bytes.eq(quotas::pending_delete_bytes + size),
        ))
        .execute(tx)
        .await?;
    Ok(())
}

/// The objects of doomed bytes are gone.
pub(crate) async fn forget(tx: &mut Tx, user: UserId, size: u64) -> Result<(), DbError> {
    let size = stored_bytes(size);
    diesel::update(quotas::table.find(user.0))
        .set(quotas::pending_delete_bytes.eq(quotas::pending_delete_bytes - size))
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives back the reservations of every unfinished upload of these files, all of one person.
pub(crate) async fn release_all(tx: &mut Tx, user: UserId, files: &[Uuid]) -> Result<(), DbError> {
    let released = diesel::delete(reservations::table.filter(reservations::file_id.eq_any(files)))
        .returning(reservations::bytes)
        .get_results::<i64>(tx)
        .await?;
    let sum: i64 = released.iter().sum();
    diesel::update(quotas::table.find(user.0))
        .set(quotas::reserved_bytes.eq(quotas::reserved_bytes - sum))
        .execute(tx)
        .await?;
    Ok(())
}
